//! Cases are written as lines: `10:00:09 contact.answered agent=a2`, optionally `id=`, `queue=`, `to_queue=`, `team=`,
//! `hold=` (s), `replaces=`, `automatic`, `internal`, `resolved`. Conclusions are read as lines too. Every case is
//! concluded in many orders of arrival.

mod cases;
mod laws;
mod script;

use super::*;
