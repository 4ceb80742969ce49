//! A fact as a contact keeps it: 48 bytes, identifiers interned, ordered by the contact's life.

use crate::model::event::Kind;
use crate::model::fact::Fact;
use crate::model::units::{EventTime, Names, Sym};
use serde::{Deserialize, Serialize};

/// An optional symbol in four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Maybe(u32);

impl Maybe {
    fn intern(text: Option<&str>, names: &mut Names) -> Self {
        text.map_or(Maybe(u32::MAX), |text| Maybe(names.intern(text).0))
    }

    fn get(self) -> Option<Sym> {
        (self.0 != u32::MAX).then_some(Sym(self.0))
    }
}

const AUTOMATIC: u8 = 1;
const INTERNAL: u8 = 2;
const RESOLVED: u8 = 4;

/// One counted fact of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) time: EventTime,
    pub(super) id: u64,
    /// `contact.held`: length of the hold, never negative.
    pub(super) hold_ms: i64,
    queue: Maybe,
    to_queue: Maybe,
    agent: Maybe,
    team: Maybe,
    pub(super) kind: Kind,
    flags: u8,
}

impl Entry {
    /// Keeps what the walk needs of a fact with the hashed id `id`.
    pub(super) fn new(fact: &Fact<'_>, id: u64, names: &mut Names) -> Self {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        Self {
            time: fact.time,
            id,
            hold_ms: fact.hold_ms.unwrap_or(0).max(0),
            queue: Maybe::intern(fact.queue, names),
            to_queue: Maybe::intern(fact.to_queue.filter(|_| fact.kind == Kind::Transferred), names),
            agent: Maybe::intern(fact.agent, names),
            team: Maybe::intern(fact.team, names),
            kind: fact.kind,
            flags: flag(fact.automatic, AUTOMATIC)
                | flag(fact.internal, INTERNAL)
                | flag(fact.resolved == Some(true), RESOLVED),
        }
    }

    /// The order of a contact's facts, whatever the order of arrival.
    pub(super) fn order(&self) -> (EventTime, Kind, u64) {
        (self.time, self.kind, self.id)
    }

    pub(super) fn queue(&self) -> Option<Sym> {
        self.queue.get()
    }

    /// Where a transfer goes.
    pub(super) fn destination(&self) -> Option<Sym> {
        self.to_queue.get()
    }

    pub(super) fn agent(&self) -> Option<Sym> {
        self.agent.get()
    }

    pub(super) fn team(&self) -> Option<Sym> {
        self.team.get()
    }

    pub(super) fn automatic(&self) -> bool {
        self.flags & AUTOMATIC != 0
    }

    pub(super) fn internal(&self) -> bool {
        self.flags & INTERNAL != 0
    }

    pub(super) fn resolved(&self) -> bool {
        self.flags & RESOLVED != 0
    }
}
