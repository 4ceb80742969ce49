//! What a contact center means: words and rules, pure. No JSON, no log, no clock.
//!
//! Modules in reading order; each may use the ones before it:
//! `units, text <- calendar <- event <- fact <- roster <- contact <- measure <- window <- kpi <- scorecard <- period, alert`.

pub mod alert;
pub mod event;
pub mod fact;
pub mod period;
pub mod scorecard;
pub mod text;
pub mod units;
