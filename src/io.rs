//! Everything that waits: the log, sources, HTTP, workers.

pub mod log;
pub mod traffic;
