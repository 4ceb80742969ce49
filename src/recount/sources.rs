//! Source positions, the two clocks and coverage, recomputed from what each partition last said.

use crate::engine::definitions::Source;
use crate::engine::record::Batch;
use crate::model::units::{Fraction, LogTime, MINUTE};
use std::collections::{BTreeMap, BTreeSet};

/// A record further ahead than this moves the live clock only with a witness.
const JUMP: i64 = 5 * MINUTE;
/// A partition that has said nothing for longer is not caught up.
const SILENCE: i64 = MINUTE;

/// What is known of one source partition.
#[derive(Debug, Clone, Default)]
struct Partition {
    incarnation: u64,
    highest: i64,
    missing: Vec<(i64, i64)>,
    progress: Option<i64>,
    caught_up: bool,
    last: i64,
}

/// Every source partition, and the clocks.
#[derive(Debug, Clone, Default)]
pub(super) struct Sources {
    /// Absent before any definitions.
    declared: Option<Vec<Source>>,
    closed: BTreeSet<String>,
    partitions: BTreeMap<(String, i32), Partition>,
    live: Option<i64>,
    /// The record before was too far ahead to be believed alone.
    doubted: Option<i64>,
    settle: Option<i64>,
}

/// Which positions of a batch were counted before.
#[derive(Debug)]
pub(super) struct Repeats {
    below: i64,
    but: Vec<(i64, i64)>,
}

impl Repeats {
    pub(super) fn is_repeat(&self, position: i64) -> bool {
        position < self.below && !self.but.iter().any(|(from, to)| (*from..*to).contains(&position))
    }
}

impl Sources {
    /// The live clock; 0 before the first record.
    pub(super) fn live(&self) -> i64 {
        self.live.unwrap_or(0)
    }

    pub(super) fn settled(&self) -> Option<i64> {
        self.settle
    }

    /// The next record was appended at `append`.
    pub(super) fn tick(&mut self, append: LogTime) {
        let (at, doubted) = (append.0, self.doubted.take());
        self.live = Some(match self.live {
            Some(live) if at <= live.saturating_add(JUMP) => live.max(at),
            Some(live) => {
                if doubted.is_none() {
                    self.doubted = Some(at);
                }
                doubted.map_or(live, |before| before.min(at))
            }
            None => at,
        });
    }

    /// Says which facts of the batch are repeats, then notes its positions.
    pub(super) fn positions(&mut self, batch: &Batch<'_>) -> Repeats {
        let key = (batch.topic.to_owned(), batch.partition);
        let known = self.partitions.entry(key).or_insert_with(|| Partition {
            incarnation: batch.incarnation,
            highest: batch.from,
            ..Partition::default()
        });
        if known.incarnation != batch.incarnation {
            known.incarnation = batch.incarnation;
            known.highest = batch.from;
            known.missing.clear();
        }
        let repeats = Repeats { below: known.highest, but: known.missing.clone() };
        if batch.from > known.highest {
            known.missing.push((known.highest, batch.from));
        }
        known.missing = without(&known.missing, batch.from, batch.to);
        known.highest = known.highest.max(batch.to);
        repeats
    }

    /// Notes how far the source of a batch has been read; after its positions.
    pub(super) fn progress(&mut self, append: LogTime, batch: &Batch<'_>) {
        let live = self.live();
        let Some(known) = self.partitions.get_mut(&(batch.topic.to_owned(), batch.partition)) else { return };
        known.caught_up = batch.caught_up;
        known.last = append.0;
        let progress = if batch.progress == i64::MAX { append.0 } else { batch.progress };
        if known.missing.is_empty() {
            known.progress = known.progress.max(Some(progress.min(live)));
        }
    }

    pub(super) fn declare(&mut self, declared: &[Source]) {
        self.declared = Some(declared.to_vec());
    }

    pub(super) fn close(&mut self, topic: &str) {
        self.closed.insert(topic.to_owned());
    }

    pub(super) fn accept(&mut self, topic: &str, partition: i32, from: i64, to: i64) {
        if let Some(known) = self.partitions.get_mut(&(topic.to_owned(), partition)) {
            known.missing = without(&known.missing, from, to);
        }
    }

    /// Moves the settle clock to the least progress of what is declared.
    pub(super) fn settle(&mut self) {
        let least: Option<Vec<i64>> =
            self.expected(None).map(|known| known.and_then(|p| p.progress)).collect();
        if let (Some(all), true) = (least, self.declared.is_some()) {
            let live = self.live();
            let least = all.into_iter().min().unwrap_or(live);
            self.settle = self.settle.max(Some(least.min(live)));
        }
    }

    /// Caught-up partitions of those declared for a queue (`None`: of all).
    pub(super) fn coverage(&self, queue: Option<&str>) -> Fraction {
        let oldest = self.live() - SILENCE;
        let caught_up =
            |known: &Partition| known.caught_up && known.missing.is_empty() && known.last >= oldest;
        let all: Vec<_> = self.expected(queue).collect();
        let good = all.iter().filter(|known| known.is_some_and(caught_up)).count();
        if all.is_empty() { Fraction::new(1, 1) } else { Fraction::new(good as i64, all.len() as i64) }
    }

    /// The declared partitions that feed a queue; `None` for one that was not seen.
    fn expected<'a>(&'a self, queue: Option<&'a str>) -> impl Iterator<Item = Option<&'a Partition>> {
        let feeds = move |source: &&Source| match queue {
            Some(queue) => source.queues.is_empty() || source.queues.iter().any(|id| id == queue),
            None => true,
        };
        self.declared
            .iter()
            .flatten()
            .filter(|source| !self.closed.contains(&source.topic))
            .filter(feeds)
            .flat_map(|source| (0..source.partitions).map(|number| (source.topic.clone(), number)))
            .map(|key| self.partitions.get(&key))
    }
}

/// The spans less `[from, to)`.
fn without(spans: &[(i64, i64)], from: i64, to: i64) -> Vec<(i64, i64)> {
    if from >= to {
        return spans.to_vec();
    }
    let pieces = spans.iter().flat_map(|(a, b)| [(*a, (*b).min(from)), ((*a).max(to), *b)]);
    let mut left: Vec<_> = pieces.filter(|(a, b)| a < b).collect();
    left.sort_unstable();
    left.dedup();
    left
}
