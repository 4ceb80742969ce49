//! Tests on a real Apache Kafka: `cargo test --test kafka`. Not part of plain `cargo test`, which needs no server.

#![allow(clippy::disallowed_methods, reason = "tests of real servers measure real time")]

#[path = "../support/all.rs"]
mod support;

mod log;
mod simulate;
mod smoke;
mod source;
mod topics;
