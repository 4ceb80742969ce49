//! The machine's monotonic clock, read here alone: for pauses and measurements of the shell, never for a number.

use std::time::{Duration, Instant};

/// A moment of the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[expect(clippy::disallowed_methods, reason = "the shell's own pauses and measurements")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// Whether so much has passed.
    pub fn has(self, span: Duration) -> bool {
        self.elapsed() >= span
    }
}
