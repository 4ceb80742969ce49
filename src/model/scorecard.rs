//! Scorecards: how a month's numbers and marks become points, a total and a grade.
//!
//! ```text
//!  kpi    a month's value      \                                          limits
//!  rating marks of assessors   /-> VALUE ──> SHAPE ──> floor, cap ──> POINTS ──> FOLD (weighted, sum) ──> TOTAL ──> grade
//!                                            as given, ramp, bands, pass
//! ```
//!
//! All numbers are exact fractions; nothing here reads a clock, a file or an environment.

mod exact;
mod result;

pub use exact::{Exact, exact_text, half_up, parse_exact, points_text};
pub use result::{Due, Grade, Inputs, Mark, Measured, Rating, Scored, ScoredItem, State, Why};
