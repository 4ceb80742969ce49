//! One contact: its facts in any order of arrival, and what follows from them.
//!
//! ```text
//! fact ──accept──> entries, sorted by (time, kind, id) ──conclude──> observations, segments, standing
//!                  voided ids                                             |
//!                                        difference(old, new) ──> (observation, -1 or +1) ──> rows
//! ```
//!
//! `conclude` is a pure function of the set of counted facts: a fact that comes late, twice or voided gives the
//! same conclusion as if it had come in time, once or never. The rules stand in `docs/measures.md`, sections 1-3.

mod conclusion;
mod entry;
mod identity;
mod observation;
#[cfg(test)]
mod tests;
mod walk;

pub use conclusion::{Conclusion, OpenLeg, Ring, Segment, Standing};
pub use identity::Accepted;
pub(in crate::model) use identity::Voids;
pub use observation::{Observation, What};

use super::fact::Fact;
use super::roster::Roster;
use super::units::{Names, hash64};
use entry::Entry;
use serde::{Deserialize, Serialize};

/// The state of one contact: its counted facts and its voided ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Sorted by [`Entry::order`].
    entries: Vec<Entry>,
    voids: Voids,
}

impl Contact {
    /// Takes a fact of this contact in. Unless it is a duplicate, conclude anew.
    pub fn accept(&mut self, fact: &Fact<'_>, names: &mut Names) -> Accepted {
        let id = hash64(fact.id);
        let known = self.voids.meet(id);
        if known == Some(Accepted::Duplicate) || self.entries.iter().any(|entry| entry.id == id) {
            return Accepted::Duplicate;
        }
        let own = fact.replaces.map(hash64).map(|target| self.void(target, id)) == Some(true);
        if own || known.is_some() {
            return Accepted::Voided;
        }
        self.insert(Entry::new(fact, id, names));
        Accepted::New
    }

    /// Voids `target`; whether that is the event `id`, which voids itself.
    fn void(&mut self, target: u64, id: u64) -> bool {
        let at = self.entries.iter().position(|entry| entry.id == target);
        if let Some(at) = at {
            self.entries.remove(at);
        }
        self.voids.add(target, at.is_some() || target == id);
        target == id
    }

    fn insert(&mut self, entry: Entry) {
        let after = self.entries.iter().rev().take_while(|other| other.order() > entry.order()).count();
        self.entries.insert(self.entries.len() - after, entry);
    }

    /// Writes into `out` what follows from the facts so far; `expired` if no fact came for `unfinished_after`.
    /// The teams are the roster's at the time of booking.
    pub fn conclude(&self, roster: &Roster, expired: bool, out: &mut Conclusion) {
        walk::conclude(&self.entries, roster, expired, out);
    }

    /// How many facts count.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no fact counts.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
