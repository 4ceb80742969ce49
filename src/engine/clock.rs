//! The clocks and the sources: live clock, settle clock, coverage, positions.
//!
//! Rules are those of `docs/measures.md`, section 8. Everything here is a fold over the records of `facts`.

use super::definitions::Source;
use super::output::SourceClock;
use super::record::Batch;
use crate::model::units::{Fraction, LogTime, MINUTE};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An event may be this far ahead of the clock; a record further ahead moves the live clock only when confirmed.
pub const AHEAD_LIMIT: i64 = 5 * MINUTE;
/// A source whose latest batch is older than this is not caught up, whatever it said.
pub const SILENCE_LIMIT: i64 = MINUTE;

/// Live clock, settle clock and every source partition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Clocks {
    live: Option<LogTime>,
    /// Append time of the record before, if that was too far ahead to believe alone.
    unconfirmed: Option<LogTime>,
    settle: Option<LogTime>,
    /// By topic and partition.
    partitions: BTreeMap<String, BTreeMap<i32, Partition>>,
    closed: BTreeSet<String>,
}

/// How far one source partition has been read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Partition {
    incarnation: u64,
    /// Position after the highest one covered.
    next: i64,
    /// Missing positions `[from, to)` below `next`.
    gaps: Vec<(i64, i64)>,
    progress: Option<LogTime>,
    caught_up: bool,
    /// Append time of the latest batch.
    heard: LogTime,
}

/// Which facts of a batch count: positions not covered before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Admission {
    fresh: Vec<(i64, i64)>,
    /// Whether this batch left a new gap below it.
    pub opened_gap: bool,
}

impl Admission {
    /// Whether the fact at `offset` counts.
    pub fn admits(&self, offset: i64) -> bool {
        self.fresh.iter().any(|(from, to)| (*from..*to).contains(&offset))
    }
}

impl Clocks {
    /// Takes the append time of the next record into the live clock.
    pub fn hear(&mut self, append: LogTime) {
        let Some(live) = self.live else {
            self.live = Some(append);
            return;
        };
        if append.0 - live.0 <= AHEAD_LIMIT {
            self.live = Some(live.max(append));
            self.unconfirmed = None;
        } else if let Some(before) = self.unconfirmed.take() {
            self.live = Some(before.min(append));
        } else {
            self.unconfirmed = Some(append);
        }
    }

    /// The live clock: greatest believed append time. Zero before the first record.
    pub fn live(&self) -> LogTime {
        self.live.unwrap_or_default()
    }

    /// How far facts are complete; `None` until every declared partition was seen.
    pub fn settle(&self) -> Option<LogTime> {
        self.settle
    }

    /// Takes the positions of a batch and says which of its facts count.
    pub fn admit(&mut self, batch: &Batch) -> Admission {
        // Seldom new: no text is made for one that is known.
        if !self.partitions.contains_key(batch.topic) {
            self.partitions.insert(batch.topic.to_owned(), BTreeMap::new());
        }
        let partitions = self.partitions.get_mut(batch.topic).expect("it is there now");
        let partition = partitions.entry(batch.partition).or_insert_with(|| Partition {
            incarnation: batch.incarnation,
            next: batch.from,
            ..Partition::default()
        });
        if partition.incarnation != batch.incarnation {
            *partition = Partition {
                incarnation: batch.incarnation,
                next: batch.from,
                progress: partition.progress,
                ..Partition::default()
            };
        }
        partition.cover(batch.from, batch.to)
    }

    /// Takes the progress of a batch, after its facts were judged.
    pub fn advance(&mut self, batch: &Batch, append: LogTime) {
        let live = self.live();
        if let Some(partition) = self.known_mut(batch.topic, batch.partition) {
            partition.caught_up = batch.caught_up;
            partition.heard = append;
            if partition.gaps.is_empty() {
                let said = if batch.progress == i64::MAX { append } else { LogTime(batch.progress) };
                partition.progress = partition.progress.max(Some(said.min(live)));
            }
        }
    }

    /// Recomputes the settle clock from the declared sources.
    pub fn settle_on(&mut self, declared: &[Source]) {
        let live = self.live();
        let least = declared
            .iter()
            .filter(|source| !self.closed.contains(&source.topic))
            .flat_map(|source| (0..source.partitions).map(|p| (source.topic.as_str(), p)))
            .map(|(topic, p)| self.known(topic, p).and_then(|partition| partition.progress))
            .try_fold(live, |least, progress| progress.map(|progress| least.min(progress)));
        self.settle = self.settle.max(least);
    }

    /// A back-filled source has delivered all: it no longer holds the settle clock. False when it already was closed.
    pub fn close(&mut self, topic: &str) -> bool {
        self.closed.insert(topic.to_owned())
    }

    /// A person accepts that `[from, to)` is lost. False when there is no such gap.
    pub fn accept_gap(&mut self, topic: &str, partition: i32, from: i64, to: i64) -> bool {
        let Some(found) = self.known_mut(topic, partition) else { return false };
        let before = found.gaps.clone();
        found.gaps = before.iter().flat_map(|gap| without(*gap, (from, to))).collect();
        found.gaps != before
    }

    /// Caught-up partitions of the declared sources that feed `queue` (`None`: of all).
    pub fn coverage(&self, declared: &[Source], queue: Option<&str>) -> Fraction {
        let mut coverage = Fraction::default();
        for source in declared {
            let feeds =
                queue.is_none_or(|q| source.queues.is_empty() || source.queues.iter().any(|own| own == q));
            if !feeds || self.closed.contains(&source.topic) {
                continue;
            }
            for p in 0..source.partitions {
                coverage.den += 1;
                coverage.num += i64::from(self.is_caught_up(&source.topic, p));
            }
        }
        if coverage.den == 0 { Fraction::new(1, 1) } else { coverage }
    }

    fn known(&self, topic: &str, partition: i32) -> Option<&Partition> {
        self.partitions.get(topic)?.get(&partition)
    }

    fn known_mut(&mut self, topic: &str, partition: i32) -> Option<&mut Partition> {
        self.partitions.get_mut(topic)?.get_mut(&partition)
    }

    fn is_caught_up(&self, topic: &str, partition: i32) -> bool {
        self.known(topic, partition)
            .is_some_and(|p| p.caught_up && p.gaps.is_empty() && self.live().0 - p.heard.0 <= SILENCE_LIMIT)
    }

    /// The position after the highest one covered, of a source partition that was seen, and its incarnation.
    pub fn position(&self, topic: &str, partition: i32) -> Option<(u64, i64)> {
        let known = self.known(topic, partition)?;
        Some((known.incarnation, known.next))
    }

    /// Every declared partition, for the clock document.
    pub fn report(&self, declared: &[Source]) -> Vec<SourceClock> {
        let mut report = Vec::new();
        for source in declared {
            for partition in 0..source.partitions {
                let known = self.known(&source.topic, partition);
                report.push(SourceClock {
                    topic: source.topic.clone(),
                    partition,
                    progress: known.and_then(|p| p.progress),
                    caught_up: self.is_caught_up(&source.topic, partition),
                    gaps: known.map(|p| p.gaps.clone()).unwrap_or_default(),
                });
            }
        }
        report
    }
}

impl Partition {
    /// Covers `[from, to)`: what of it is fresh, and whether a gap opens below.
    fn cover(&mut self, from: i64, to: i64) -> Admission {
        let mut admission = Admission::default();
        for gap in std::mem::take(&mut self.gaps) {
            let filled = (gap.0.max(from), gap.1.min(to));
            if filled.0 < filled.1 {
                admission.fresh.push(filled);
            }
            self.gaps.extend(without(gap, (from, to)));
        }
        if from > self.next {
            self.gaps.push((self.next, from));
            admission.opened_gap = true;
        }
        if to > self.next {
            admission.fresh.push((from.max(self.next), to));
            self.next = to;
        }
        admission
    }
}

/// What is left of the interval `gap` without `[from, to)`.
fn without(gap: (i64, i64), (from, to): (i64, i64)) -> impl Iterator<Item = (i64, i64)> {
    let below = (gap.0, gap.1.min(from));
    let above = (gap.0.max(to), gap.1);
    [below, above].into_iter().filter(|(a, b)| a < b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(from: i64, to: i64) -> Batch<'static> {
        Batch { topic: "calls", from, to, progress: i64::MAX, caught_up: true, ..Batch::default() }
    }

    fn declared() -> Vec<Source> {
        vec![Source { topic: "calls".into(), partitions: 2, queues: vec![], backfill: false }]
    }

    #[test]
    fn a_repeat_is_skipped_and_a_gap_waits_to_be_filled() {
        let mut clocks = Clocks::default();
        clocks.hear(LogTime(1));
        assert!(clocks.admit(&batch(0, 10)).admits(9));
        let repeat = clocks.admit(&batch(5, 12));
        assert!(!repeat.admits(9) && repeat.admits(10));
        let after_hole = clocks.admit(&batch(20, 25));
        assert!(after_hole.opened_gap && after_hole.admits(20));
        let filling = clocks.admit(&batch(12, 20));
        assert!(filling.admits(12) && filling.admits(19) && !filling.opened_gap);
        assert!(!clocks.admit(&batch(12, 20)).admits(15));
    }

    #[test]
    fn a_gap_stops_the_settle_clock_until_somebody_accepts_it() {
        let mut clocks = Clocks::default();
        let one = [Source { partitions: 1, ..declared().remove(0) }];
        for (from, to, at) in [(0, 1, 1000), (5, 6, 2000)] {
            clocks.hear(LogTime(at));
            clocks.admit(&batch(from, to));
            clocks.advance(&batch(from, to), LogTime(at));
            clocks.settle_on(&one);
        }
        assert_eq!(clocks.settle(), Some(LogTime(1000)));
        assert_eq!(clocks.coverage(&one, None), Fraction::new(0, 1));
        assert!(clocks.accept_gap("calls", 0, 1, 5) && !clocks.accept_gap("calls", 0, 1, 5));
        clocks.hear(LogTime(3000));
        clocks.advance(&batch(6, 6), LogTime(3000));
        clocks.settle_on(&one);
        assert_eq!(clocks.settle(), Some(LogTime(3000)));
    }

    #[test]
    fn one_record_far_ahead_moves_no_clock_and_two_do() {
        let mut clocks = Clocks::default();
        let hour = 60 * MINUTE;
        for (append, live) in [(0, 0), (hour, 0), (10, 10), (hour, 10), (hour + 5, hour), (hour - 9, hour)] {
            clocks.hear(LogTime(append));
            assert_eq!(clocks.live(), LogTime(live), "after {append}");
        }
    }

    #[test]
    fn the_settle_clock_waits_for_every_declared_partition_and_never_falls() {
        let mut clocks = Clocks::default();
        let mut feed = |partition, progress, append| {
            let batch = Batch { partition, progress, ..batch(0, 0) };
            clocks.hear(LogTime(append));
            clocks.admit(&batch);
            clocks.advance(&batch, LogTime(append));
            clocks.settle_on(&declared());
            clocks.settle()
        };
        assert_eq!(feed(0, i64::MAX, 100), None);
        assert_eq!(feed(1, 40, 101), Some(LogTime(40)));
        assert_eq!(feed(1, 20, 102), Some(LogTime(40)));
        assert_eq!(feed(1, i64::MAX, 103), Some(LogTime(100)));
        assert_eq!(feed(1, 1_000_000, 104), Some(LogTime(100)), "progress is never ahead of the live clock");
    }

    #[test]
    fn a_silent_source_is_not_covered() {
        let mut clocks = Clocks::default();
        clocks.hear(LogTime(0));
        for partition in 0..2 {
            clocks.admit(&Batch { partition, ..batch(0, 0) });
            clocks.advance(&Batch { partition, ..batch(0, 0) }, LogTime(0));
        }
        assert_eq!(clocks.coverage(&declared(), Some("billing")), Fraction::new(2, 2));
        clocks.hear(LogTime(SILENCE_LIMIT + 1));
        clocks.advance(&Batch { partition: 1, ..batch(0, 0) }, LogTime(SILENCE_LIMIT + 1));
        assert_eq!(clocks.coverage(&declared(), Some("billing")), Fraction::new(1, 2));
    }
}
