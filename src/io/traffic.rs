//! The simulator: a contact centre that lives by a seed, the events it sends, and the true answers beside them.
//!
//! Pure inside: no clock, no I/O, integers only, so a seed gives the same bytes on every machine.
//!
//! ```text
//!  centre (who, how) ──▶ floor: arrivals, rings, talk, chats, breaks ──events──▶ post: delay, repeat, break ──▶ deliveries
//!                              └──────────────── outcomes, as they happen ─────────────▶ truth, as of each delivery
//! ```

mod almanac;
mod centre;
mod chance;
mod floor;
mod json;
mod outcome;
mod partial;
mod plan;
mod post;
mod schedule;
mod script;
mod time;
mod truth;

pub use centre::{Centre, Habits, centre};
pub use outcome::{COLUMNS, Column, Row};
pub use plan::{Incident, LIVE_BEFORE_END, Mischief, Plan};
pub use truth::{Counts, Keep, Mark, Truth};

use crate::model::event::{AgentState, Kind};
use outcome::{Outcome, What};
use post::{Kept, Parcel};
use truth::Delivered;

/// One record as it reaches a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivery {
    /// Number of the delivery, from 1; [`Truth`] is asked by it.
    pub index: u64,
    /// When it reaches the source, ms since the epoch on the simulated clock; never falls.
    pub at_ms: i64,
    /// Partition of the source. Not keyed by contact.
    pub partition: i32,
    /// The record: JSON in the native format, except where it is broken on purpose. Without line end.
    pub bytes: Vec<u8>,
}

/// A running simulation: an iterator of deliveries in the order in which they reach the source.
///
/// ```
/// use shiftpulse::io::traffic::{Plan, Traffic};
/// let mut traffic = Traffic::new(Plan::demo(7041, "2026-10").unwrap());
/// let first = traffic.next().unwrap();
/// assert_eq!((first.index, traffic.truth().delivered()), (1, 1));
/// ```
#[derive(Debug)]
pub struct Traffic {
    floor: floor::Floor,
    scribe: json::Scribe,
    truth: Truth,
    partitions: u64,
    ahead: Option<Parcel>,
}

impl Traffic {
    /// Starts a simulation.
    pub fn new(plan: Plan) -> Self {
        Self {
            scribe: json::Scribe::new(&plan.centre, plan.seed),
            truth: Truth::new(&plan.centre, plan.keep),
            partitions: plan.partitions.max(1) as u64,
            floor: floor::Floor::new(plan),
            ahead: None,
        }
    }

    /// The plan that is simulated.
    pub fn plan(&self) -> &Plan {
        self.floor.plan()
    }

    /// The true answers, as of the deliveries given out so far.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The same, to settle it.
    pub fn truth_mut(&mut self) -> &mut Truth {
        &mut self.truth
    }

    /// When the next delivery reaches the source; `None` after the last one.
    pub fn next_at(&mut self) -> Option<i64> {
        if self.ahead.is_none() {
            self.ahead = self.floor.next();
        }
        self.ahead.map(|parcel| parcel.at)
    }

    /// The next delivery into a buffer that is used again; `false` after the last one.
    pub fn next_into(&mut self, delivery: &mut Delivery) -> bool {
        let Some(parcel) = self.ahead.take().or_else(|| self.floor.next()) else { return false };
        delivery.bytes.clear();
        match parcel.kept {
            Kept::Broken(way) => self.scribe.write_broken(&parcel, way, &mut delivery.bytes),
            _ => self.scribe.write(&parcel, &mut delivery.bytes),
        }
        self.learn(&parcel);
        delivery.index = self.truth.delivered();
        delivery.at_ms = parcel.at;
        delivery.partition = self.place(&parcel);
        true
    }

    /// By turn; a repeat comes by another way than the original.
    fn place(&self, parcel: &Parcel) -> i32 {
        let turn = parcel.act.number + u64::from(parcel.kept == Kept::Duplicate);
        (turn % self.partitions) as i32
    }

    fn learn(&mut self, parcel: &Parcel) {
        self.truth.deliver(match parcel.kept {
            Kept::Duplicate => Delivered::Duplicate,
            Kept::Broken(_) => Delivered::Broken,
            Kept::Sound { delayed, late } => {
                let (voids, amends) = (parcel.act.kind == Kind::Voided, parcel.act.target.is_some());
                Delivered::Sound { delayed, late, replaces: amends && !voids, voids }
            }
        });
        if !matches!(parcel.kept, Kept::Sound { .. }) {
            return;
        }
        let act = &parcel.act;
        match (parcel.contact, act.kind) {
            (Some((contact, index)), _) => self.floor.delivered(contact, index, &mut self.truth),
            (None, Kind::AgentState) => {
                let state = AgentState::from_code(act.value as u8).unwrap_or(AgentState::LoggedOut);
                let what = What::Declared { agent: act.agent, state };
                self.truth.learn(1, Outcome { at: act.time, what });
            }
            (None, _) => self.truth.mark(Mark {
                agent: self.scribe.agent(act.agent).to_owned(),
                period: self.scribe.month(parcel.sent),
                dimension: "quality".into(),
                assessor: "qa".into(),
                score: act.value,
            }),
        }
    }
}

impl Iterator for Traffic {
    type Item = Delivery;

    fn next(&mut self) -> Option<Delivery> {
        let mut delivery = Delivery { bytes: Vec::with_capacity(320), ..Delivery::default() };
        self.next_into(&mut delivery).then_some(delivery)
    }
}

#[cfg(test)]
mod tests;
