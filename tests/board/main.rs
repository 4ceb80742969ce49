//! Tests in a real browser, headless Chromium: `cargo test --test board`. Not part of plain `cargo test`, which needs no server.

#[path = "../support/all.rs"]
mod support;

mod fixture;
mod looks;
mod page;
mod smoke;
mod stream;
