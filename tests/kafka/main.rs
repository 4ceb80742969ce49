//! Tests on a real Apache Kafka: `cargo test --test kafka`. Not part of plain `cargo test`, which needs no server.

#[path = "../support/all.rs"]
mod support;

mod log;
mod simulate;
mod smoke;
mod source;
mod topics;
