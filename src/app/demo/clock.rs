//! The demo's clock: it stands while history is fed in, then runs fast.

use crate::io::log::AppendClock;
use crate::io::log::clock::AcceleratedClock;
use std::sync::OnceLock;

/// Stands at a moment until it is started.
#[derive(Debug)]
pub struct DemoClock {
    start_ms: i64,
    rate: u32,
    running: OnceLock<AcceleratedClock>,
}

impl DemoClock {
    /// Stands at `start_ms`; once started, `rate` of its seconds pass in a real one.
    pub fn new(start_ms: i64, rate: u32) -> Self {
        Self { start_ms, rate, running: OnceLock::new() }
    }

    /// Lets it run from where it stands.
    pub fn start(&self) {
        self.running.get_or_init(|| AcceleratedClock::new(self.start_ms, self.rate));
    }
}

impl AppendClock for DemoClock {
    fn now_ms(&self) -> i64 {
        self.running.get().map_or(self.start_ms, AcceleratedClock::now_ms)
    }

    fn rate(&self) -> u32 {
        self.rate
    }
}
