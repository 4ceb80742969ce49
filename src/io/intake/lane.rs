//! One source partition: the batch that is being made, its positions, and how far the source is.

use crate::io::source::{Origin, Resume};
use crate::model::fact::Fact;
use crate::wire::batch::{APPEND_TIME, BatchBuilder, FLUSH, Head};

/// A caught-up lane seals so long after the first event of a batch, in ms of the append clock.
const SOON: i64 = 5;
/// Every lane seals at least so often, in ms of the append clock.
const HEARTBEAT: i64 = 1_000;

/// See the module.
pub(super) struct Lane {
    pub(super) origin: Origin,
    pub(super) incarnation: u64,
    /// Everything before is sealed.
    from: i64,
    /// The next position to come.
    pub(super) to: i64,
    /// Everything before is durable; and the last one that was told.
    pub(super) durable: i64,
    told: i64,
    pub(super) caught_up: bool,
    backfill: bool,
    pub(super) held: bool,
    builder: BatchBuilder,
    /// When the first event of the batch came; when the last batch was sealed; when the last event came.
    opened: i64,
    sealed: i64,
    pub(super) heard: i64,
    /// Least input time (of a backfill: event time) in the batch.
    least: Option<i64>,
    /// The same of the last batch that had one: the source has come as far as this.
    reached: Option<i64>,
    /// Input time of the last event.
    input: Option<i64>,
}

/// A sealed batch.
#[derive(Debug, Clone)]
pub(super) struct Sealed {
    /// The record.
    pub(super) bytes: Vec<u8>,
    /// Positions before this one are in it or in an earlier one.
    pub(super) to: i64,
    /// The time of sealing.
    pub(super) at: i64,
    /// Set where the record says that the source is read to its end: the progress that holds if it is sent too late for that.
    pub(super) late_progress: Option<i64>,
}

impl Lane {
    pub(super) fn new(origin: Origin, resume: Resume, backfill: bool, now: i64) -> Self {
        let Resume { incarnation, position } = resume;
        Self {
            origin,
            incarnation,
            from: position,
            to: position,
            durable: position,
            told: position,
            caught_up: false,
            backfill,
            held: false,
            builder: BatchBuilder::new(),
            opened: now,
            sealed: now,
            heard: now,
            least: None,
            reached: None,
            input: None,
        }
    }

    pub(super) fn is_of(&self, topic: &str, partition: i32) -> bool {
        self.origin.partition == partition && self.origin.topic == topic
    }

    /// A fact joins the batch. Without an input time it came no later than it happened, and no later than now.
    pub(super) fn add(&mut self, fact: &Fact<'_>, input_ms: i64, now: i64) {
        let input = if input_ms > 0 { input_ms } else { fact.time.0.min(now) };
        let progress = if self.backfill { fact.time.0 } else { input };
        self.builder.push(self.from, fact);
        self.least = Some(self.least.map_or(progress, |least| least.min(progress)));
        self.input = Some(input);
        self.pass(fact.offset, now);
    }

    /// A position was read, whatever became of it.
    pub(super) fn pass(&mut self, offset: i64, now: i64) {
        if !self.has_news() {
            self.opened = now;
        }
        (self.to, self.heard) = (offset.saturating_add(1), now);
    }

    /// Positions are gone: the next batch begins behind them.
    pub(super) fn skip_to(&mut self, to: i64) {
        (self.from, self.to) = (to, to);
    }

    pub(super) fn facts(&self) -> usize {
        self.builder.count()
    }

    pub(super) fn is_full(&self) -> bool {
        self.builder.len() >= FLUSH
    }

    /// Whether positions were read that are not sealed.
    pub(super) fn has_news(&self) -> bool {
        self.to > self.from
    }

    /// Input time of the last event.
    pub(super) fn input(&self) -> Option<i64> {
        self.input
    }

    pub(super) fn is_due(&mut self, now: i64) -> bool {
        // The append clock may go back, and a lane must not wait until it has caught up with itself.
        self.sealed = self.sealed.min(now);
        self.opened = self.opened.min(now);
        let soon = self.caught_up && self.has_news() && now - self.opened >= SOON;
        soon || self.is_full() || now - self.sealed >= HEARTBEAT
    }

    /// Ends the batch, facts or not. `None`: nothing is known of the source yet, so there is nothing to say.
    pub(super) fn seal(&mut self, now: i64) -> Option<Sealed> {
        self.sealed = now;
        self.reached = self.least.take().or(self.reached);
        let live = self.caught_up && !self.backfill;
        if !live && self.reached.is_none() && !self.has_news() {
            return None;
        }
        let reached = self.reached.unwrap_or(0);
        let head = Head {
            topic: &self.origin.topic,
            partition: self.origin.partition,
            incarnation: self.incarnation,
            from: self.from,
            to: self.to,
            progress: if live { APPEND_TIME } else { reached },
            caught_up: self.caught_up,
        };
        let mut bytes = Vec::new();
        self.builder.finish(&head, &mut bytes);
        self.from = self.to;
        Some(Sealed { bytes, to: self.to, at: now, late_progress: self.caught_up.then_some(reached) })
    }

    /// What became durable since the last call.
    pub(super) fn news(&mut self) -> Option<Resume> {
        if self.durable == self.told {
            return None;
        }
        self.told = self.durable;
        Some(Resume { incarnation: self.incarnation, position: self.durable })
    }
}
