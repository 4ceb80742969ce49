//! Inputs that are due in a month that waits for nothing else: asked after every record, computed only for whom something came.

use super::active::Active;
use super::scoring::role_in;
use super::state::Engine;
use crate::model::calendar::month_name;
use crate::model::units::Sym;
use std::collections::{BTreeMap, BTreeSet};

/// What every member of a month lacks. A memory of what follows from the state: no part of it, and not in snapshots.
#[derive(Debug, Default)]
pub(super) struct Due {
    by_member: BTreeMap<Sym, Vec<String>>,
    all: Vec<String>,
}

/// The months that were asked for, and for whom something came since.
#[derive(Debug, Default)]
pub(super) struct DueMonths {
    months: BTreeMap<i32, Due>,
    stale: BTreeSet<(i32, Sym)>,
}

impl DueMonths {
    /// A booking or a mark of the agent in the month.
    pub(super) fn touch(&mut self, month: i32, agent: Sym) {
        if self.months.contains_key(&month) {
            self.stale.insert((month, agent));
        }
    }

    /// The definitions changed, or the months were cut.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What was due in a month when it was last asked for.
    pub(super) fn known(&self, month: i32) -> &[String] {
        self.months.get(&month).map(|due| due.all.as_slice()).unwrap_or_default()
    }
}

impl Engine {
    /// Inputs that are due in a month, by name, sorted, each once.
    pub(super) fn due(&mut self, active: &Active, month: i32) -> Vec<String> {
        let known = self.due_months.months.remove(&month);
        let fresh = known.is_none();
        let mut due = known.unwrap_or_default();
        let whom: Vec<Sym> = if fresh {
            self.population(active, month)
        } else {
            let of_month = (month, Sym(0))..=(month, Sym(u32::MAX));
            self.due_months.stale.range(of_month).map(|(_, agent)| *agent).collect()
        };
        for agent in &whom {
            self.due_months.stale.remove(&(month, *agent));
            let lacks = if self.is_member(active, *agent, month) {
                self.lacks(active, *agent, month)
            } else {
                Vec::new()
            };
            due.by_member.insert(*agent, lacks);
        }
        if fresh || !whom.is_empty() {
            let all: BTreeSet<&String> = due.by_member.values().flatten().collect();
            due.all = all.into_iter().cloned().collect();
        }
        let all = due.all.clone();
        self.due_months.months.insert(month, due);
        all
    }

    fn lacks(&self, active: &Active, agent: Sym, month: i32) -> Vec<String> {
        let brought = self.brought(agent, month);
        let name = self.state.names.text(agent);
        let cards = self.cards_of(active, agent, month).into_iter();
        let due = cards.flat_map(|card| card.card.evaluate(&brought.inputs(true, false)).due);
        due.map(|input| format!("{name}: {input}")).collect()
    }

    /// Whether an agent is in the population of a month.
    fn is_member(&self, active: &Active, agent: Sym, month: i32) -> bool {
        if !active.roster.is_observed() {
            return role_in(&active.roster, &active.calendar, agent, month).is_some();
        }
        let counted = self.state.agents.get(agent).is_some_and(|record| !record.book.month(month).is_zero());
        counted || !self.state.inputs.ratings(&month_name(month), agent).is_empty()
    }
}
