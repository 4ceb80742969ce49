//! Which events of a group count: voided ones never do, whichever arrives first.

use serde::{Deserialize, Serialize};

/// What became of a fact that was brought to its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Accepted {
    /// It counts; what was concluded before may have changed.
    New,
    /// Its event is known already: nothing changed.
    Duplicate,
    /// Its event was voided before it came: it does not count itself (but may void another one: conclude anew).
    Voided,
}

/// Event ids of one group that never count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::model) struct Voids(Vec<Void>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Void {
    id: u64,
    /// Whether the event itself has come: only then is the next one a repeat.
    seen: bool,
}

impl Voids {
    /// Voids an event; `seen` if it has come before. Voiding twice is voiding once.
    pub(in crate::model) fn add(&mut self, id: u64, seen: bool) {
        match self.0.iter_mut().find(|void| void.id == id) {
            Some(void) => void.seen |= seen,
            None => self.0.push(Void { id, seen }),
        }
    }

    /// What a voided event is when it comes now; `None` if it was not voided. From then on it has been seen.
    pub(in crate::model) fn meet(&mut self, id: u64) -> Option<Accepted> {
        let void = self.0.iter_mut().find(|void| void.id == id)?;
        let before = std::mem::replace(&mut void.seen, true);
        Some(if before { Accepted::Duplicate } else { Accepted::Voided })
    }
}
