//! Everything that waits: the log, sources, HTTP, workers.

pub mod alertmanager;
pub mod auditor;
pub mod control;
pub mod http;
pub mod intake;
pub mod live;
pub mod log;
pub mod read_model;
pub mod scoring;
pub mod settler;
pub mod source;
pub mod stopwatch;
pub mod telemetry;
pub mod traffic;
