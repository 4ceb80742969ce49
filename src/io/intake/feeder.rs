//! The loop between one source and its intake: poll, tick, commit what is durable, hold who runs ahead.
//!
//! It owns a thread and no more. All timers run on the append clock; the wall is only waited for.

use super::{Broken, Intake};
use crate::io::log::AppendClock;
use crate::io::source::{Resume, Slot, Source, SourceError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Positions are committed at the source so often, in ms of the append clock, unless somebody waits for them.
const COMMIT: i64 = 1_000;
/// Longest wait for an event.
const IDLE: Duration = Duration::from_millis(50);
/// Wait for an event while batches are on their way.
const BUSY: Duration = Duration::from_millis(1);
/// Pause after a failure of the source.
const PAUSE: Duration = Duration::from_millis(200);
/// So many turns are given to a departure, about two seconds.
const TURNS: usize = 2_000;

/// One source and its intake.
pub struct Feeder {
    source: Box<dyn Source>,
    intake: Intake,
    clock: Arc<dyn AppendClock>,
    /// Durable positions that are not yet committed, and since when the first of them waits.
    owed: BTreeMap<Slot, Resume>,
    owed_since: i64,
    trouble: Option<String>,
}

/// Why the loop ended by itself: it will not work until a person changes something.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The source.
    #[error(transparent)]
    Source(SourceError),
    /// The log.
    #[error(transparent)]
    Log(#[from] Broken),
}

impl Feeder {
    /// A loop that has not begun.
    pub fn new(source: Box<dyn Source>, intake: Intake, clock: Arc<dyn AppendClock>) -> Self {
        Self { source, intake, clock, owed: BTreeMap::new(), owed_since: 0, trouble: None }
    }

    /// The intake, for its counters.
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Why nothing comes or nothing goes at the moment.
    pub fn trouble(&self) -> Option<&str> {
        self.intake.trouble().or(self.trouble.as_deref())
    }

    /// Turns until `stop` is set, then brings what it has to the log and leaves. `watch` sees the feeder after every turn.
    pub fn run(mut self, stop: &AtomicBool, mut watch: impl FnMut(&Feeder)) -> Result<(), Ended> {
        while !stop.load(Ordering::Relaxed) {
            self.turn()?;
            watch(&self);
        }
        self.leave()
    }

    /// One turn; waits for an event as long as nothing else is to be done.
    pub fn turn(&mut self) -> Result<(), Ended> {
        let wait = if self.intake.is_busy() { BUSY } else { IDLE / self.clock.rate().max(1) };
        if self.intake.has_room() {
            self.poll(wait)?;
        } else {
            std::thread::park_timeout(BUSY);
        }
        self.intake.tick(self.clock.now_ms())?;
        for (slot, held) in self.intake.holds() {
            self.source.hold(slot, held);
        }
        self.commit(self.source.is_awaited());
        Ok(())
    }

    fn poll(&mut self, wait: Duration) -> Result<(), Ended> {
        match self.source.poll(wait, &mut self.intake) {
            Ok(_) => self.trouble = None,
            Err(SourceError::Retry(reason)) => {
                if self.trouble.as_ref() != Some(&reason) {
                    tracing::warn!("a source fails: {reason}");
                }
                self.trouble = Some(reason);
                std::thread::park_timeout(PAUSE);
            }
            Err(broken) => return Err(Ended::Source(broken)),
        }
        Ok(())
    }

    /// Tells the source what is durable: at once, or once a second.
    fn commit(&mut self, at_once: bool) {
        let now = self.clock.now_ms();
        if self.owed.is_empty() {
            self.owed_since = now;
        }
        self.owed.extend(self.intake.durable());
        if at_once || !(0..COMMIT).contains(&(now - self.owed_since)) {
            for (slot, at) in std::mem::take(&mut self.owed) {
                self.source.commit(slot, at);
            }
        }
    }

    /// Seals, sends and commits what was read; gives up after a while, which loses nothing: a successor reads it again.
    fn leave(mut self) -> Result<(), Ended> {
        for _ in 0..TURNS {
            self.intake.flush(self.clock.now_ms())?;
            if self.intake.is_settled() {
                break;
            }
            std::thread::park_timeout(BUSY);
        }
        self.commit(true);
        Ok(())
    }
}
