//! Events in, fact batches out: decodes, checks, redacts, and appends to `facts`; keeps nothing that a restart would miss.
//!
//! ```text
//!  Source ──event──▶ lane of its partition: read, add to the batch ──sealed──▶ outbox ──▶ Appender ──▶ facts
//!                        └── refused ──▶ dead letter ─────────────────────────▶ outbox        durable ──▶ Source::commit
//! ```
//!
//! Every partition has a lane. Its batches cover positions without a hole, `[from, to)`, refused events included. A batch
//! is sealed at 200 KB, 5 ms after its first fact while the source is caught up, and at least once a second; an empty one
//! says how far the source is (a heartbeat). What was sealed stays in the outbox until it is durable and is sent again in
//! order after a failure, so nobody has to read a source twice for it. Only what is durable is committed at the source.
//!
//! There is no clock and no thread in here: [`Intake::tick`] is told the time of the append clock, and [`feeder`] is the
//! loop for sources that live.

pub mod feeder;
mod lane;
mod letter;
mod outbox;
pub mod positions;

use crate::io::log::Appender;
use crate::io::source::{Found, Origin, Resume, Sink, Slot};
use crate::wire::native::{self, CustomerKey};
use crate::wire::refusal::Refusal;
use lane::Lane;
use outbox::{Outbox, Parcel};
use positions::Positions;
use std::collections::{BTreeMap, BTreeSet};

/// A partition this much ahead of the slowest one is held, in ms of input time.
const AHEAD: i64 = 60_000;
/// A partition that has been silent for so long, in ms of the append clock, holds nobody.
const SILENT: i64 = 10_000;

/// How one intake reads.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The secret behind customer hashes.
    pub key: CustomerKey,
    /// Topics that pour in history: their progress is event time.
    pub backfill: BTreeSet<String>,
    /// How far each source partition stands in `facts` already.
    pub positions: Positions,
}

impl Settings {
    /// Live sources on an empty log.
    pub fn new(key: CustomerKey) -> Self {
        Self { key, backfill: BTreeSet::new(), positions: Positions::default() }
    }
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is a fact in the batch now being made.
    Taken,
    /// Its position was read before.
    Repeated,
    /// It is on its way to `dead-letters`.
    Refused(Refusal),
}

/// The log can never take what the intake made: a fault of this program that no repetition mends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the log refuses a record for good: {0}")]
pub struct Broken(pub String);

/// Counters since the start, for telemetry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events taken as facts.
    pub facts: u64,
    /// Events whose position was read before.
    pub repeated: u64,
    /// Refused events by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Batches with facts.
    pub batches: u64,
    /// Batches without facts.
    pub heartbeats: u64,
    /// Bytes of all batches.
    pub bytes: u64,
    /// Records sent again after the log had stopped.
    pub sent_again: u64,
}

/// The intake of one source, into one domain. See the module.
pub struct Intake {
    settings: Settings,
    lanes: Vec<Option<Lane>>,
    /// The lane of the last [`Intake::push`].
    last: usize,
    outbox: Outbox,
    counts: Counts,
    now: i64,
}

impl Intake {
    /// An intake that appends through `appender`, which nobody else uses.
    pub fn new(settings: Settings, appender: Box<dyn Appender>) -> Self {
        let (lanes, counts) = (Vec::new(), Counts::default());
        Self { settings, lanes, last: 0, outbox: Outbox::new(appender), counts, now: 0 }
    }

    /// One event, for who drives the intake without a source: opens the lane of a partition at its first event, begins a
    /// new life of it when `incarnation` changes. `input_ms` is when the producer's topic took it, 0 where nobody knows.
    pub fn push(
        &mut self,
        topic: &str,
        partition: i32,
        incarnation: u64,
        offset: i64,
        input_ms: i64,
        bytes: &[u8],
    ) -> Outcome {
        let at = match self.find(topic, partition, incarnation) {
            Some(at) => at,
            None => self.begin(topic, partition, Resume { incarnation, position: offset }),
        };
        self.take(at, offset, input_ms, bytes)
    }

    /// Opens the lane of a partition before its first event, so that it has a heartbeat; `position` is its next one.
    pub fn open(&mut self, topic: &str, partition: i32, incarnation: u64, position: i64) {
        if self.find(topic, partition, incarnation).is_none() {
            self.begin(topic, partition, Resume { incarnation, position });
        }
    }

    /// Says whether everything that a partition has was pushed; nothing happens for one that is not open.
    pub fn at_end(&mut self, topic: &str, partition: i32, at_end: bool) {
        if let Some(lane) = self.lanes.iter_mut().flatten().find(|lane| lane.is_of(topic, partition)) {
            lane.caught_up = at_end;
        }
    }

    fn find(&mut self, topic: &str, partition: i32, incarnation: u64) -> Option<usize> {
        let fits = |lane: &Option<Lane>| {
            lane.as_ref().is_some_and(|l| l.is_of(topic, partition) && l.incarnation == incarnation)
        };
        if !self.lanes.get(self.last).is_some_and(&fits) {
            self.last = self.lanes.iter().position(&fits)?;
        }
        Some(self.last)
    }

    /// A new lane, in place of the partition's former life.
    fn begin(&mut self, topic: &str, partition: i32, resume: Resume) -> usize {
        let former = |lane: &Option<Lane>| lane.as_ref().is_some_and(|lane| lane.is_of(topic, partition));
        if let Some(at) = self.lanes.iter().position(former) {
            self.seal(at);
            self.lanes[at] = None;
        }
        let origin = Origin { topic: topic.to_owned(), partition };
        self.lane(Slot(self.lanes.len()), &origin, resume);
        self.lanes.len() - 1
    }

    fn lane(&mut self, slot: Slot, origin: &Origin, resume: Resume) {
        let backfill = self.settings.backfill.contains(&origin.topic);
        if self.lanes.len() <= slot.0 {
            self.lanes.resize_with(slot.0 + 1, || None);
        }
        self.lanes[slot.0] = Some(Lane::new(origin.clone(), resume, backfill, self.now));
    }

    fn take(&mut self, at: usize, offset: i64, input_ms: i64, bytes: &[u8]) -> Outcome {
        let Some(lane) = self.lanes.get_mut(at).and_then(Option::as_mut) else { return Outcome::Repeated };
        if offset < lane.to {
            self.counts.repeated += 1;
            return Outcome::Repeated;
        }
        match native::read(bytes, &self.settings.key) {
            Ok(event) => {
                lane.add(&event.fact(offset), input_ms, self.now);
                self.counts.facts += 1;
                if lane.is_full() {
                    self.seal(at);
                }
                Outcome::Taken
            }
            Err(refusal) => {
                lane.pass(offset, self.now);
                *self.counts.refused.entry(refusal.word()).or_default() += 1;
                self.outbox.push(letter::of(&lane.origin, offset, &refusal, bytes));
                Outcome::Refused(refusal)
            }
        }
    }

    /// Seals what a lane holds and puts it into the outbox.
    fn seal(&mut self, at: usize) {
        let Some(lane) = self.lanes.get_mut(at).and_then(Option::as_mut) else { return };
        let facts = lane.facts();
        let Some(batch) = lane.seal(self.now) else { return };
        let counter = if facts == 0 { &mut self.counts.heartbeats } else { &mut self.counts.batches };
        *counter += 1;
        self.counts.bytes += batch.bytes.len() as u64;
        self.outbox.push(Parcel::batch(at, batch));
    }

    /// Time passes: seals what is due, sends what waits, learns what is durable. `now` is the append clock's, in ms; call it
    /// at least every few milliseconds of that clock while there is something to do, and once a second at any rate.
    pub fn tick(&mut self, now: i64) -> Result<(), Broken> {
        self.now = now;
        for at in 0..self.lanes.len() {
            if self.lanes[at].as_mut().is_some_and(|lane| lane.is_due(now)) {
                self.seal(at);
            }
        }
        self.send()
    }

    /// Seals everything, due or not, and sends it; for a departure, or before somebody reads.
    pub fn flush(&mut self, now: i64) -> Result<(), Broken> {
        self.now = now;
        for at in 0..self.lanes.len() {
            if self.lanes[at].as_ref().is_some_and(Lane::has_news) {
                self.seal(at);
            }
        }
        self.send()
    }

    fn send(&mut self) -> Result<(), Broken> {
        let lanes = &mut self.lanes;
        let durable = |at: usize, to: i64| {
            if let Some(lane) = lanes.get_mut(at).and_then(Option::as_mut) {
                lane.durable = lane.durable.max(to);
            }
        };
        self.counts.sent_again += self.outbox.pump(self.now, durable)?;
        Ok(())
    }

    /// Whether there is room for more events. While there is none, hand none over and tick.
    pub fn has_room(&self) -> bool {
        self.outbox.has_room()
    }

    /// Whether everything that was sealed is durable.
    pub fn is_settled(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Whether events wait or are on their way: tick soon.
    pub fn is_busy(&self) -> bool {
        !self.outbox.is_empty() || self.lanes.iter().flatten().any(Lane::has_news)
    }

    /// Why the log does not take anything at the moment; readiness is false meanwhile.
    pub fn trouble(&self) -> Option<&str> {
        self.outbox.trouble()
    }

    /// Counters since the start.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What became durable since the last call, for [`crate::io::source::Source::commit`].
    pub fn durable(&mut self) -> Vec<(Slot, Resume)> {
        let lanes = self.lanes.iter_mut().enumerate();
        lanes.filter_map(|(at, lane)| Some((Slot(at), lane.as_mut()?.news()?))).collect()
    }

    /// Which partitions are to be held or let go since the last call: those that are read to the end are never held, of the
    /// others none shall be more than a minute ahead of the slowest that moves.
    pub fn holds(&mut self) -> Vec<(Slot, bool)> {
        let moving = |lane: &&Lane| !lane.caught_up && self.now - lane.heard <= SILENT;
        let slowest = self.lanes.iter().flatten().filter(moving).filter_map(Lane::input).min();
        let mut changes = Vec::new();
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            let Some(lane) = lane else { continue };
            let ahead = slowest.zip(lane.input()).is_some_and(|(slowest, input)| input - slowest > AHEAD);
            let held = ahead && !lane.caught_up;
            if std::mem::replace(&mut lane.held, held) != held {
                changes.push((Slot(at), held));
            }
        }
        changes
    }
}

impl Sink for Intake {
    fn assigned(&mut self, slot: Slot, origin: &Origin, found: &Found) -> Resume {
        let resume = found.resume(self.settings.positions.get(origin));
        self.lane(slot, origin, resume);
        resume
    }

    fn event(&mut self, slot: Slot, position: i64, timestamp_ms: i64, payload: &[u8]) {
        self.take(slot.0, position, timestamp_ms, payload);
    }

    fn caught_up(&mut self, slot: Slot, caught_up: bool) {
        if let Some(lane) = self.lanes.get_mut(slot.0).and_then(Option::as_mut) {
            lane.caught_up = caught_up;
        }
    }

    /// The batch ends before the hole, and the next one begins behind it: the engine sees the gap and says so.
    fn lost(&mut self, slot: Slot, from: i64, to: i64) {
        self.seal(slot.0);
        if let Some(lane) = self.lanes.get_mut(slot.0).and_then(Option::as_mut) {
            tracing::error!(
                topic = lane.origin.topic,
                partition = lane.origin.partition,
                from,
                to,
                "events are lost"
            );
            lane.skip_to(to);
        }
    }

    /// What was read is sent, although a successor may send it again: the engine knows positions.
    fn revoked(&mut self, slot: Slot) {
        if let Some(lane) = self.lanes.get(slot.0) {
            if lane.as_ref().is_some_and(Lane::has_news) {
                self.seal(slot.0);
            }
            self.lanes[slot.0] = None;
        }
    }
}

#[cfg(test)]
mod tests;
