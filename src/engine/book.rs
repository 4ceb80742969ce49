//! The rows of one subject: sliding windows, days and months, written through one door.

use crate::model::contact::Observation;
use crate::model::measure::{Row, SubjectKind};
use crate::model::units::LogTime;
use crate::model::window::{Ring, Rows, Slices, Tumbling};
use serde::{Deserialize, Serialize};

/// Where a booking goes besides the sliding windows: the local day and month of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number of the local day.
    pub day: i32,
    /// Number of the local month.
    pub month: i32,
}

/// All rows of one subject.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Book {
    kind: SubjectKind,
    sliding: Sliding,
    days: Tumbling,
    months: Tumbling,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Sliding {
    /// Agents: few bookings.
    Ring(Ring),
    /// Queues, teams, units: many.
    Slices(Box<Slices>),
}

impl Book {
    /// An empty book of a subject of this kind.
    pub fn new(kind: SubjectKind) -> Self {
        let sliding = match kind {
            SubjectKind::Agent => Sliding::Ring(Ring::default()),
            _ => Sliding::Slices(Box::default()),
        };
        Self { kind, sliding, days: Tumbling::default(), months: Tumbling::default() }
    }

    /// Books an observation (`sign` 1) or takes it back (`sign` -1).
    pub fn apply(
        &mut self,
        observation: &Observation,
        sign: i64,
        place: Place,
        within_ms: Option<i64>,
        now: LogTime,
    ) {
        match &mut self.sliding {
            Sliding::Ring(ring) => {
                ring.roll(now);
                ring.apply(observation, sign);
            }
            Sliding::Slices(slices) => {
                slices.roll(now);
                slices.apply(observation, sign, self.kind, within_ms);
            }
        }
        self.days.apply(place.day, observation, sign, self.kind, within_ms);
        self.months.apply(place.month, observation, sign, self.kind, within_ms);
    }

    /// The sliding windows at the live clock.
    pub fn sliding(&mut self, now: LogTime) -> Rows {
        match &mut self.sliding {
            Sliding::Ring(ring) => {
                ring.roll(now);
                ring.rows(self.kind, None)
            }
            Sliding::Slices(slices) => {
                slices.roll(now);
                slices.rows()
            }
        }
    }

    /// The row of a local day.
    pub fn day(&self, day: i32) -> Row {
        self.days.row(day)
    }

    /// The row of a local month.
    pub fn month(&self, month: i32) -> Row {
        self.months.row(month)
    }

    /// Forgets days and months before these numbers.
    pub fn forget_before(&mut self, place: Place) {
        self.days.drop_before(place.day);
        self.months.drop_before(place.month);
    }
}
