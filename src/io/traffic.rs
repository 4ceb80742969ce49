//! The simulator: a contact centre that lives by a seed, the events it sends, and the true answers beside them.
//!
//! Pure inside: no clock, no I/O, integers only, so a seed gives the same bytes on every machine.
//!
//! ```text
//!  centre (who, how) ──▶ floor: arrivals, rings, talk, chats, breaks ──events──▶ post: delay, repeat, break ──▶ deliveries
//!                              └──────────────── outcomes, as they happen ─────────────▶ truth, as of each delivery
//! ```

mod almanac;
mod centre;
mod chance;
mod outcome;
mod time;
mod truth;

pub use centre::{Centre, Habits, centre};
pub use outcome::{COLUMNS, Column, Row};
pub use truth::{Counts, Keep, Mark, Truth};

/// One record as it reaches a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Number of the delivery, from 1; [`Truth`] is asked by it.
    pub index: u64,
    /// When it reaches the source, ms since the epoch on the simulated clock; never falls.
    pub at_ms: i64,
    /// Partition of the source. Not keyed by contact.
    pub partition: i32,
    /// The record: JSON in the native format, except where it is broken on purpose.
    pub bytes: Vec<u8>,
}
