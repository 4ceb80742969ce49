//! The live view: the newest values of every subject of the engines of this process, for `/metrics`.
//!
//! The engine's thread publishes, scrapes read; neither waits for the other. A slot is replaced as a whole, so a reader
//! sees one moment of a subject. Readers walk the list of slots and never iterate the map, which would hold up its writers.

use crate::engine::Engine;
use crate::engine::output::{Live, SubjectKind};
use arc_swap::ArcSwap;
use dashmap::DashMap;
use std::sync::Arc;

type Slot = Arc<ArcSwap<Live>>;

/// Newest documents by subject.
#[derive(Default)]
pub struct LiveView {
    slots: DashMap<(SubjectKind, String), Slot>,
    /// Every slot in the order in which the subjects appeared.
    list: ArcSwap<Vec<Slot>>,
}

impl LiveView {
    /// Publishes what an engine has touched since the last call. One engine thread calls it at a time.
    pub fn publish(&self, engine: &mut Engine) {
        let mut appeared = Vec::new();
        for subject in engine.touched() {
            if let Some(live) = engine.live(subject) {
                appeared.extend(self.put(live));
            }
        }
        if !appeared.is_empty() {
            self.list.rcu(|list| list.iter().chain(&appeared).cloned().collect::<Vec<_>>());
        }
    }

    /// Forgets everything: the engine is no longer ours.
    pub fn clear(&self) {
        self.list.store(Arc::default());
        self.slots.clear();
    }

    /// Replaces a subject's document; gives the slot if it is new.
    fn put(&self, live: Live) -> Option<Slot> {
        let key = (live.subject, live.id.clone());
        let live = Arc::new(live);
        if let Some(slot) = self.slots.get(&key) {
            slot.store(live);
            return None;
        }
        let slot = Arc::new(ArcSwap::new(live));
        self.slots.insert(key, slot.clone());
        Some(slot)
    }

    /// The newest document of a subject.
    pub fn get(&self, kind: SubjectKind, id: &str) -> Option<Arc<Live>> {
        Some(self.slots.get(&(kind, id.to_owned()))?.load_full())
    }

    /// The newest document of every subject, in the order in which they appeared.
    pub fn all(&self) -> Vec<Arc<Live>> {
        self.list.load().iter().map(|slot| slot.load_full()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::output::Now;
    use crate::model::units::{Fraction, LogTime};

    fn live(id: &str, at: i64) -> Live {
        Live {
            subject: SubjectKind::Queue,
            id: id.to_owned(),
            as_of: LogTime(at),
            coverage: Fraction::new(1, 1),
            now: Now::default(),
            windows: Default::default(),
        }
    }

    #[test]
    fn a_subject_has_one_slot_and_the_newest_document() {
        let view = LiveView::default();
        assert!(view.put(live("billing", 1)).is_some() && view.put(live("billing", 2)).is_none());
        assert_eq!(view.get(SubjectKind::Queue, "billing").map(|live| live.as_of), Some(LogTime(2)));
        assert!(view.get(SubjectKind::Team, "billing").is_none());
        view.clear();
        assert!(view.get(SubjectKind::Queue, "billing").is_none() && view.put(live("billing", 3)).is_some());
    }
}
