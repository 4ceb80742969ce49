//! Tests on a real Alertmanager: `cargo test --test alertmanager`. Not part of plain `cargo test`, which needs no server.

#[path = "../support/all.rs"]
mod support;

mod push;
mod smoke;
