//! What a contact center means: words and rules, pure. No JSON, no log, no clock.
//!
//! Modules in reading order; each may use the ones before it:
//! `units, text <- calendar <- event <- fact <- roster <- contact <- timeline, measure <- window <- kpi <- scorecard <- period, alert`.

pub mod alert;
pub mod calendar;
pub mod contact;
pub mod event;
pub mod fact;
pub mod kpi;
pub mod measure;
pub mod period;
pub mod roster;
pub mod scorecard;
pub mod text;
pub mod timeline;
pub mod units;
pub mod window;
