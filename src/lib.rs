//! Real-time contact-center metrics: live KPIs, alerts, and the monthly scores people are paid by.
//!
//! ```text
//!  Source ──events──> INTAKE ──fact batches──> Log: facts ──records──> ENGINE: handle(record)      one per domain, pure
//!  Kafka, HTTP,       stateless: decode,       one total order,         facts -> observations -> rows
//!  file, simulator    check, append            append time = clock       |            | read: KPIs, alerts, cards, periods
//!                         ^                                              v            v
//!                         └── control facts: apply, settler, auditor   touched() -> live view -> /metrics
//!                                                                      outputs + offset, one commit -> kpi-live, scores-live, alerts, ledger
//! ```
//!
//! Four nouns: an *event* is what a producer sent; a *fact* is a validated event with its position in the log; an
//! *observation* is what the engine concludes from the facts of one contact; a *row* holds the numbers of one subject.
//!
//! Five floors, each may use the ones before it: [`model`], [`engine`], [`wire`], [`io`], [`app`].

pub mod app;
pub mod engine;
pub mod io;
pub mod model;
pub mod recount;
pub mod wire;
