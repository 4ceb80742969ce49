//! Sliding windows of subjects with many bookings: slices that are summed when they are read.

use super::{FINEST, LENGTHS, PARTS, Rows, SLIDING};
use crate::model::contact::Observation;
use crate::model::measure::{Row, SubjectKind};
use crate::model::units::LogTime;
use serde::{Deserialize, Serialize};

/// The sliding windows of a queue, a team or the unit: 61 slices a window, about 35 KB once the first is booked.
///
/// Bookings beyond the slice of the live clock wait in `ahead`, counted in every window, until the clock reaches them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slices {
    now: LogTime,
    windows: [Window; SLIDING],
    /// Bookings after the current finest slice, by the number of theirs, sorted.
    ahead: Vec<Slice>,
}

/// The slices of one window, each at its number modulo how many there are; none until the first booking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    slices: Vec<Slice>,
}

/// What is booked in `[number * width, (number + 1) * width)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Slice {
    number: i64,
    row: Row,
}

impl Slices {
    /// The live clock is at `now`. It never falls: an earlier moment changes nothing.
    pub fn roll(&mut self, now: LogTime) {
        self.now = self.now.max(now);
        let current = self.now.0.div_euclid(FINEST);
        let reached = self.ahead.partition_point(|slice| slice.number <= current);
        for slice in self.ahead.drain(..reached) {
            for (window, length) in self.windows.iter_mut().zip(LENGTHS) {
                let number = (slice.number * FINEST).div_euclid(length / PARTS);
                if let Some(row) = window.row_mut(number, self.now.0.div_euclid(length / PARTS)) {
                    *row += &slice.row;
                }
            }
        }
    }

    /// Books an observation (`sign` 1) or takes one back (-1); see [`Row::apply`].
    pub fn apply(&mut self, observation: &Observation, sign: i64, kind: SubjectKind, within_ms: Option<i64>) {
        let finest = observation.booked.0.div_euclid(FINEST);
        if finest > self.now.0.div_euclid(FINEST) {
            return self.ahead_row(finest).apply(observation, sign, kind, within_ms);
        }
        for (window, length) in self.windows.iter_mut().zip(LENGTHS) {
            let width = length / PARTS;
            let number = observation.booked.0.div_euclid(width);
            if let Some(row) = window.row_mut(number, self.now.0.div_euclid(width)) {
                row.apply(observation, sign, kind, within_ms);
            }
        }
    }

    fn ahead_row(&mut self, number: i64) -> &mut Row {
        let at = self.ahead.partition_point(|slice| slice.number < number);
        if self.ahead.get(at).is_none_or(|slice| slice.number != number) {
            self.ahead.insert(at, Slice { number, row: Row::default() });
        }
        &mut self.ahead[at].row
    }

    /// The numbers of every window at the live clock.
    pub fn rows(&self) -> Rows {
        std::array::from_fn(|window| self.row(window))
    }

    /// The numbers of one window at the live clock.
    pub fn row(&self, window: usize) -> Row {
        let oldest = self.now.0.div_euclid(LENGTHS[window] / PARTS) - PARTS;
        let held = self.windows[window].slices.iter().filter(|slice| slice.number >= oldest);
        let mut sum = Row::default();
        held.chain(&self.ahead).for_each(|slice| sum += &slice.row);
        sum
    }
}

impl Window {
    /// The row of the slice `number` while the live clock is in `current`; `None` if the window is past it.
    fn row_mut(&mut self, number: i64, current: i64) -> Option<&mut Row> {
        if number < current - PARTS {
            return None;
        }
        if self.slices.is_empty() {
            self.slices = vec![Slice { number: i64::MIN, row: Row::default() }; PARTS as usize + 1];
        }
        let slice = &mut self.slices[number.rem_euclid(PARTS + 1) as usize];
        if slice.number != number {
            *slice = Slice { number, row: Row::default() };
        }
        Some(&mut slice.row)
    }
}
