//! The service as a small site runs it: the real binary on an embedded log, without a broker. It is killed, stopped, given
//! garbage, a month of history and other definitions; the numbers are compared with the simulator's truth.

#[path = "support/all.rs"]
mod support;

#[path = "service/fixture.rs"]
mod fixture;

#[path = "service/bad_input.rs"]
mod bad_input;
#[path = "service/crash.rs"]
mod crash;
#[path = "service/definitions.rs"]
mod definitions;
#[path = "service/history.rs"]
mod history;
