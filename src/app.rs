//! One file per command; configuration and wiring. The only floor that spawns threads and tasks.

pub mod simulate;
