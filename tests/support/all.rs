//! Real servers for the tests: each starts on a free loopback port with its own directory and ends with the test.
//!
//! A test target takes it in with `#[path = "../support/all.rs"] mod support;`. Nothing here sleeps for a fixed time: what a
//! server does in its own time is awaited with [`wait::until`], which says at its deadline what it was waiting for.
//!
//! ```text
//! Process                    a child that ends with its test, however the test ends; signals; its lines
//! Broker                     Apache Kafka
//! Installation, Instance    the product itself
//! Prometheus, Alertmanager   the Debian packages' programs
//! Webhook                    records what is posted to it
//! Browser, Page              headless Chromium over the DevTools protocol
//! ```
#![allow(dead_code, reason = "each test target uses a part")]
#![allow(clippy::disallowed_methods, reason = "tests of real servers measure real time")]

pub mod alertmanager;
pub mod chromium;
pub mod kafka;
pub mod process;
pub mod prometheus;
pub mod server;
pub mod service;
pub mod wait;
pub mod webhook;
