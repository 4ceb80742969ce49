//! A group of facts with one space of identifiers: what arrived, and what of it stands.

use super::Name;
use crate::model::event::{AgentState, Kind};
use crate::model::units::hash64;
use std::collections::BTreeSet;

/// A fact with texts of its own.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) time: i64,
    pub(super) kind: Kind,
    pub(super) id: Box<str>,
    pub(super) queue: Option<Name>,
    pub(super) to_queue: Option<Name>,
    pub(super) agent: Option<Name>,
    pub(super) team: Option<Name>,
    pub(super) automatic: bool,
    pub(super) internal: bool,
    pub(super) state: Option<AgentState>,
    pub(super) resolved: Option<bool>,
    pub(super) hold_ms: Option<i64>,
    pub(super) score: Option<i64>,
    pub(super) dimension: Option<Name>,
    pub(super) assessor: Option<Name>,
    pub(super) replaces: Option<Box<str>>,
}

/// Everything that arrived for a group, repeats included, in the order of the log.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    arrived: Vec<Kept>,
}

impl Group {
    pub(super) fn push(&mut self, fact: Kept) {
        self.arrived.push(fact);
    }

    /// The facts that count: the first of each identifier, without the voided ones and the acts of voiding, by time, kind and hash.
    pub(super) fn standing(&self) -> Vec<&Kept> {
        let mut seen = BTreeSet::new();
        let firsts: Vec<&Kept> = self.arrived.iter().filter(|fact| seen.insert(&fact.id)).collect();
        let voided: BTreeSet<&str> = firsts.iter().filter_map(|fact| fact.replaces.as_deref()).collect();
        let mut standing: Vec<&Kept> = firsts
            .into_iter()
            .filter(|fact| fact.kind != Kind::Voided && !voided.contains(&*fact.id))
            .collect();
        standing.sort_by_cached_key(|fact| (fact.time, fact.kind, hash64(&fact.id)));
        standing
    }
}
