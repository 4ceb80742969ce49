//! Tests on a real Prometheus: `cargo test --test prometheus`. Not part of plain `cargo test`, which needs no server.

#[path = "../support/all.rs"]
mod support;

#[path = "dashboard/all.rs"]
mod dashboard;

mod boards;
mod fixture;
mod smoke;
