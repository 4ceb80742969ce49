//! Scorecards: how a month's numbers and marks become points, a total and a grade.
//!
//! ```text
//!  kpi    a month's value      \                                          limits
//!  rating marks of assessors   /-> VALUE ──> SHAPE ──> floor, cap ──> POINTS ──> FOLD (weighted, sum) ──> TOTAL ──> grade
//!                                            as given, ramp, bands, pass
//! ```
//!
//! A scheme is a TOML file ([`Card::parse`]; `docs/scorecards.md` describes it). A key that is not supported is refused,
//! never ignored. [`Card::evaluate`] takes the [`Inputs`] of one member and gives [`Scored`]: points, total and grade
//! with their arithmetic in Chinese and English.
//!
//! All numbers are exact fractions; nothing here reads a clock, a file or an environment.

mod card;
mod evaluate;
mod exact;
mod example;
mod grade;
mod item;
mod limits;
mod load;
mod problem;
mod quantity;
mod read;
mod result;
mod rule;
mod test;

pub use card::{Card, Head, PeriodKind};
pub use exact::{Exact, exact_text, half_up, parse_exact, points_text};
pub use example::Example;
pub use grade::{Grades, Total};
pub use item::{AbsentPolicy, IfMissing, IfNull, Item, Items, Names, Open, Share};
pub use limits::{Limit, Limits};
pub use problem::{Located, Problem, Problems};
pub use result::{Due, Grade, Inputs, Mark, Measured, Rating, Scored, ScoredItem, State, Why};
pub use rule::{Bands, Fold, Input, Ramp, Rest, Rule, Shape, Target};
pub use test::Test;

#[cfg(test)]
mod tests;
