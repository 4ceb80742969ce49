//! The clocks that stamp appended facts: the wall's, a faster one, and one moved by hand.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::AppendClock;

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl AppendClock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that all others take their time from")]
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Starts at a given time and runs faster than the wall's.
#[derive(Debug)]
pub struct AcceleratedClock {
    rate: u32,
    origin: Mutex<(i64, Instant)>,
}

impl AcceleratedClock {
    /// `rate` milliseconds of this clock pass in each of the wall's; 0 counts as 1.
    pub fn new(start_ms: i64, rate: u32) -> AcceleratedClock {
        AcceleratedClock { rate: rate.max(1), origin: Mutex::new((start_ms, instant())) }
    }

    /// Moves on to `ms` at once; does nothing where the clock is already past it.
    pub fn jump_to(&self, ms: i64) {
        let now = self.now_ms();
        if ms > now {
            *self.origin.lock().unwrap_or_else(|e| e.into_inner()) = (ms, instant());
        }
    }

    /// How long the wall needs for `span` of this clock.
    pub fn wall(&self, span: Duration) -> Duration {
        span / self.rate
    }
}

impl AppendClock for AcceleratedClock {
    fn now_ms(&self) -> i64 {
        let (start, since) = *self.origin.lock().unwrap_or_else(|e| e.into_inner());
        let passed = instant().saturating_duration_since(since).as_micros() * u128::from(self.rate) / 1000;
        start.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }

    fn rate(&self) -> u32 {
        self.rate
    }
}

#[expect(clippy::disallowed_methods, reason = "the accelerated clock is measured against the wall's")]
fn instant() -> Instant {
    Instant::now()
}

/// Stands still until it is moved; for tests and the simulation.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Stands at `ms`.
    pub fn new(ms: i64) -> ManualClock {
        ManualClock(AtomicI64::new(ms))
    }

    /// Puts the clock to `ms`, backwards too.
    pub fn set(&self, ms: i64) {
        self.0.store(ms, Ordering::SeqCst);
    }

    /// Moves on by `ms` and tells the new time.
    pub fn advance(&self, ms: i64) -> i64 {
        self.0.fetch_add(ms, Ordering::SeqCst) + ms
    }
}

impl AppendClock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accelerated_clock_starts_where_told_and_jumps_only_ahead() {
        let clock = AcceleratedClock::new(1_000_000, 60);
        assert!(clock.now_ms() >= 1_000_000);
        clock.jump_to(5_000_000);
        assert!(clock.now_ms() >= 5_000_000);
        clock.jump_to(0);
        assert!(clock.now_ms() >= 5_000_000);
        assert_eq!(clock.rate(), 60);
        assert_eq!(clock.wall(Duration::from_secs(60)), Duration::from_secs(1));
    }

    #[test]
    fn a_manual_clock_goes_where_it_is_put() {
        let clock = ManualClock::new(5);
        assert_eq!((clock.now_ms(), clock.advance(10), clock.now_ms()), (5, 15, 15));
        clock.set(3);
        assert_eq!(clock.now_ms(), 3);
    }
}
