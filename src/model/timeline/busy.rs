//! The conversations of an agent as half-open intervals.

use crate::model::units::EventTime;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Conversations, over and running, each sorted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Busy {
    over: Vec<(EventTime, EventTime)>,
    running: Vec<EventTime>,
    /// No conversation that is over was longer: how far back one can reach into a stretch.
    longest: i64,
}

impl Busy {
    /// Adds a conversation (`sign` 1) or takes an equal one back; one that is not there is left out.
    pub(super) fn apply(&mut self, from: EventTime, to: Option<EventTime>, sign: i64) {
        match to {
            Some(to) => {
                self.longest = self.longest.max(to.0 - from.0);
                insert_or_remove(&mut self.over, (from, to), sign);
            }
            None => insert_or_remove(&mut self.running, from, sign),
        }
    }

    pub(super) fn running(&self) -> (usize, Option<EventTime>) {
        (self.running.len(), self.running.first().copied())
    }

    /// Ms covered by at least one conversation, and how many there were at most at one instant, within `range`;
    /// those that run last to its end.
    pub(super) fn within(&self, range: Range<i64>) -> (i64, i64) {
        let (mut busy, mut most, mut covered) = (0, 0, range.start);
        let mut ends: Vec<i64> = Vec::new();
        for (from, to) in self.overlapping(&range) {
            busy += (to - from.max(covered)).max(0);
            covered = covered.max(to);
            ends.retain(|end| *end > from);
            ends.push(to);
            most = most.max(ends.len());
        }
        (busy, most as i64)
    }

    /// The conversations clipped to `range`, in the order of their beginning, empty ones left out.
    fn overlapping(&self, range: &Range<i64>) -> impl Iterator<Item = (i64, i64)> {
        let (start, end) = (range.start, range.end);
        let first = self.over.partition_point(|(from, _)| from.0 < start.saturating_sub(self.longest));
        let mut over = self.over[first..].iter().map(|(from, to)| (from.0, to.0)).peekable();
        let mut running = self.running.iter().map(move |from| (from.0, end)).peekable();
        let ordered = std::iter::from_fn(move || match (over.peek(), running.peek()) {
            (Some(a), Some(b)) if b.0 < a.0 => running.next(),
            (Some(_), _) => over.next(),
            (None, _) => running.next(),
        });
        ordered
            .take_while(move |(from, _)| *from < end)
            .map(move |(from, to)| (from.max(start), to.min(end)))
            .filter(|(from, to)| from < to)
    }

    /// Forgets conversations that were over at `before`.
    pub(super) fn forget(&mut self, before: EventTime) {
        self.over.retain(|(_, to)| *to > before);
    }
}

fn insert_or_remove<T: Ord>(sorted: &mut Vec<T>, item: T, sign: i64) {
    match (sorted.binary_search(&item), sign > 0) {
        (Ok(at), false) => drop(sorted.remove(at)),
        (Err(_), false) => {}
        (Ok(at) | Err(at), true) => sorted.insert(at, item),
    }
}
