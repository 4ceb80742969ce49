//! Sliding windows of subjects with few bookings: the bookings themselves, read in one pass from the latest.

use super::{Rows, SLIDING, start};
use crate::model::contact::{Observation, What};
use crate::model::measure::{Row, SubjectKind};
use crate::model::units::{EventTime, LogTime};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The sliding windows of an agent: one ring of bookings, shared by all windows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    now: LogTime,
    /// Sorted by booking, all within the longest window.
    entries: VecDeque<Entry>,
}

/// What a row needs of an observation, in 40 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    booked: EventTime,
    values: [i64; 3],
    what: What,
    known: bool,
    resolved: bool,
}

impl Entry {
    fn of(observation: &Observation) -> Self {
        let Observation { booked, values, what, known, resolved, .. } = *observation;
        Self { booked, values, what, known, resolved }
    }

    fn observation(&self) -> Observation {
        let Self { booked, values, what, known, resolved } = *self;
        Observation { values, known, resolved, ..Observation::new(what, booked) }
    }
}

impl Ring {
    /// The live clock is at `now`. It never falls: an earlier moment changes nothing.
    pub fn roll(&mut self, now: LogTime) {
        self.now = self.now.max(now);
        let oldest = start(SLIDING - 1, self.now);
        while self.entries.front().is_some_and(|entry| entry.booked.0 < oldest) {
            self.entries.pop_front();
        }
    }

    /// Books an observation (`sign` 1), or takes an equal one back (-1). What all windows are past is ignored.
    pub fn apply(&mut self, observation: &Observation, sign: i64) {
        if observation.booked.0 < start(SLIDING - 1, self.now) {
            return;
        }
        let entry = Entry::of(observation);
        let later = self.entries.iter().rev().take_while(|other| other.booked > entry.booked).count();
        let after = self.entries.len() - later;
        if sign > 0 {
            self.entries.insert(after, entry);
            return;
        }
        let mut same = (0..after).rev().take_while(|at| self.entries[*at].booked == entry.booked);
        if let Some(at) = same.find(|at| self.entries[*at] == entry) {
            self.entries.remove(at);
        }
    }

    /// The numbers of every window at the live clock, for a subject of this kind; see [`Row::apply`].
    pub fn rows(&self, kind: SubjectKind, within_ms: Option<i64>) -> Rows {
        let mut rows = Rows::default();
        let mut sum = Row::default();
        let mut entries = self.entries.iter().rev().peekable();
        for (window, row) in rows.iter_mut().enumerate() {
            let oldest = start(window, self.now);
            while let Some(entry) = entries.next_if(|entry| entry.booked.0 >= oldest) {
                sum.apply(&entry.observation(), 1, kind, within_ms);
            }
            *row = sum;
        }
        rows
    }

    /// How many bookings are held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
