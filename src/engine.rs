//! The fold: `state = handle(state, record)`. Pure: record in, outputs out; no clock, log, lock or async inside.
//!
//! ```text
//! record ──> position ──> live clock ──> facts ──> settle clock ──> timers ──> alerts ──> cut ──> one job step ──> emission
//!                                          |                                                                        |
//!                                    contact fold -> observations -> rows                                        outputs
//! ```

mod active;
mod book;
mod booking;
pub mod clock;
mod contacts;
pub mod definitions;
mod due;
mod handle;
mod held;
pub mod inputs;
pub mod output;
mod people;
mod period;
pub mod record;
pub mod schedule;
mod scoring;
mod state;
mod view;
mod watch;

pub use held::HeldFact;
pub use state::{Counters, Engine, Unusable};
