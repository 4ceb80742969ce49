//! The fold: `state = handle(state, record)`. Pure: record in, outputs out; no clock, log, lock or async inside.
//!
//! ```text
//! record ──> position ──> live clock ──> facts ──> settle clock ──> timers ──> alerts ──> cut ──> one job step ──> emission
//!                                          |                                                                        |
//!                                    contact fold -> observations -> rows                                        outputs
//! ```

pub mod clock;
pub mod definitions;
pub mod inputs;
pub mod output;
pub mod record;
pub mod schedule;
