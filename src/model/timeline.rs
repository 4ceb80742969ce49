//! An agent's time: declared states, and the busy time that follows from contacts.
//!
//! States are half-open intervals up to the next one; the last one, like a conversation that runs, lasts to the live
//! clock and no further. Busy time is a union: parallel chats do not add up. Everything may come in any order and may
//! be taken back; an interval is split at every edge it crosses, also while it is still open (`docs/measures.md`, 6).

mod busy;

use super::contact::{Accepted, Voids};
use super::event::{AgentState, Kind};
use super::fact::Fact;
use super::units::{EventTime, LogTime, Names, Sym, hash64};
use busy::Busy;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The states and conversations of one agent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Timeline {
    /// Sorted by time, then id.
    declared: Vec<Declared>,
    voids: Voids,
    busy: Busy,
    /// What has passed of the month before today; computed anew when something of it changes.
    #[serde(skip)]
    passed: Option<Passed>,
}

/// What an agent declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// Since when.
    pub since: EventTime,
    id: u64,
    /// The state.
    pub state: AgentState,
    /// The team that the fact names.
    pub team: Option<Sym>,
}

/// How an agent spent a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spent {
    /// Ms in each declared state, by the number of the state.
    states: [i64; 6],
    /// Ms in at least one conversation.
    pub busy_ms: i64,
    /// Greatest number of conversations at one instant; touching is not overlapping.
    pub most_at_once: i64,
}

impl Spent {
    /// Ms in a declared state.
    pub fn in_state(&self, state: AgentState) -> i64 {
        self.states[state as usize]
    }

    /// Two stretches that do not overlap, as one.
    pub fn and(mut self, other: &Spent) -> Spent {
        self.states.iter_mut().zip(other.states).for_each(|(mine, theirs)| *mine += theirs);
        self.busy_ms += other.busy_ms;
        self.most_at_once = self.most_at_once.max(other.most_at_once);
        self
    }

    /// The numbers by their names in the JSON `counts`.
    pub fn named(&self) -> [(&'static str, i64); 7] {
        [
            ("available_ms", self.in_state(AgentState::Available)),
            ("ringing_ms", self.in_state(AgentState::Ringing)),
            ("talking_ms", self.in_state(AgentState::Talking)),
            ("wrap_up_ms", self.in_state(AgentState::WrapUp)),
            ("paused_ms", self.in_state(AgentState::Paused)),
            ("busy_ms", self.busy_ms),
            ("most_at_once", self.most_at_once),
        ]
    }
}

#[derive(Debug, Clone, Copy)]
struct Passed {
    from: i64,
    to: i64,
    spent: Spent,
}

impl Timeline {
    /// Takes in a fact of this agent's group: `agent.state`, or one that voids such a fact. Without a known state it
    /// declares nothing.
    pub fn accept(&mut self, fact: &Fact<'_>, names: &mut Names) -> Accepted {
        let id = hash64(fact.id);
        let known = self.voids.meet(id);
        if known == Some(Accepted::Duplicate) || self.declared.iter().any(|declared| declared.id == id) {
            return Accepted::Duplicate;
        }
        if let Some(target) = fact.replaces {
            self.void(hash64(target), id);
        }
        let Some(state) = fact.state.filter(|_| fact.kind == Kind::AgentState) else {
            self.voids.add(id, true);
            return known.unwrap_or(Accepted::New);
        };
        if known.is_some() || self.voids.meet(id).is_some() {
            return Accepted::Voided;
        }
        let team = fact.team.map(|team| names.intern(team));
        let declared = Declared { since: fact.time, id, state, team };
        let at = self.declared.partition_point(|other| (other.since, other.id) < (fact.time, id));
        self.declared.insert(at, declared);
        self.changed(fact.time);
        Accepted::New
    }

    fn void(&mut self, target: u64, id: u64) {
        let at = self.declared.iter().position(|declared| declared.id == target);
        if let Some(at) = at {
            let declared = self.declared.remove(at);
            self.changed(declared.since);
        }
        self.voids.add(target, at.is_some() || target == id);
    }

    /// Adds a conversation (`sign` 1) or takes an equal one back (-1); without `to` it runs.
    pub fn segment(&mut self, from: EventTime, to: Option<EventTime>, sign: i64) {
        self.busy.apply(from, to, sign);
        self.changed(from);
    }

    /// What was declared last, in the order of time (also if that is a few minutes ahead).
    pub fn declared(&self) -> Option<&Declared> {
        self.declared.last()
    }

    /// How many conversations run, and since when the first of them.
    pub fn running(&self) -> (usize, Option<EventTime>) {
        self.busy.running()
    }

    /// How the part of `range` (ms) that lies before the live clock was spent.
    pub fn spent(&self, range: Range<i64>, now: LogTime) -> Spent {
        let range = range.start..range.end.min(now.0);
        let (busy_ms, most_at_once) = self.busy.within(range.clone());
        Spent { states: self.states(range), busy_ms, most_at_once }
    }

    /// The same for a day and for its month so far; what has passed of the month before that day is remembered.
    pub fn spent_by_day_and_month(
        &mut self,
        day: Range<i64>,
        month: Range<i64>,
        now: LogTime,
    ) -> (Spent, Spent) {
        let today = self.spent(day.clone(), now);
        let before = month.start..day.start.min(month.end);
        let passed = self.passed_of(before, now);
        let rest = self.spent(day.end.max(month.start)..month.end, now);
        (today, today.and(&passed).and(&rest))
    }

    /// What has passed of `range`; remembered once all of it has.
    fn passed_of(&mut self, range: Range<i64>, now: LogTime) -> Spent {
        let over = range.end <= now.0;
        match self.passed {
            Some(passed) if over && (passed.from, passed.to) == (range.start, range.end) => passed.spent,
            _ => {
                let spent = self.spent(range.clone(), now);
                self.passed = over.then_some(Passed { from: range.start, to: range.end, spent });
                spent
            }
        }
    }

    /// Ms in each state within `range`, all of it in the past.
    fn states(&self, range: Range<i64>) -> [i64; 6] {
        let mut states = [0; 6];
        let first =
            self.declared.partition_point(|declared| declared.since.0 <= range.start).saturating_sub(1);
        for (index, declared) in self.declared.iter().enumerate().skip(first) {
            if declared.since.0 >= range.end {
                break;
            }
            let next = self.declared.get(index + 1).map_or(range.end, |next| next.since.0.min(range.end));
            states[declared.state as usize] += (next - declared.since.0.max(range.start)).max(0);
        }
        states
    }

    /// Something at or after `at` is not as it was.
    fn changed(&mut self, at: EventTime) {
        self.passed = self.passed.filter(|passed| passed.to <= at.0);
    }

    /// Forgets what has no part in any stretch that begins at or after `before`.
    pub fn forget(&mut self, before: EventTime) {
        let over = self.declared.partition_point(|declared| declared.since <= before);
        self.declared.drain(..over.saturating_sub(1));
        self.busy.forget(before);
        self.passed = self.passed.filter(|passed| before.0 <= passed.from);
    }
}

#[cfg(test)]
mod tests;
