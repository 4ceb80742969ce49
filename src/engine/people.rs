//! Who is on shift and in which state: counted for queues, teams and the unit as agents change, not walked at every look.
//!
//! Derived from agents and roster, never in a snapshot. Stints that begin or end make everything be counted anew; between
//! two such moments an agent's stint is the same, so what was added is what has to be taken away.

use super::active::Active;
use super::state::{AgentRecord, Places};
use crate::model::event::AgentState;
use crate::model::units::{EventTime, LogTime, Sym};

/// Numbers of agents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shift {
    /// By the number of the state.
    states: [i64; AgentState::ALL.len()],
}

impl Shift {
    /// Ready for the next contact.
    pub(super) fn ready(&self) -> i64 {
        self.states[AgentState::Available as usize]
    }

    /// Everybody who is not signed out.
    pub(super) fn on_shift(&self) -> i64 {
        self.states.iter().sum::<i64>() - self.states[AgentState::LoggedOut as usize]
    }

    /// States that somebody is in.
    pub(super) fn states(&self) -> impl Iterator<Item = (AgentState, i64)> {
        AgentState::ALL.into_iter().map(|state| (state, self.states[state as usize])).filter(|(_, n)| *n != 0)
    }
}

/// The counts, and whom they have to look at again.
#[derive(Debug, Default)]
pub(super) struct People {
    agents: Vec<Entry>,
    changed: Vec<Sym>,
    queues: Vec<Shift>,
    teams: Vec<Shift>,
    unit: Shift,
    /// The moments in which these counts hold, `[from, to)`; none: all is to be counted anew.
    holds: Option<(i64, i64)>,
}

/// One agent.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    changed: bool,
    counted: Option<(AgentState, Option<Sym>)>,
}

impl People {
    /// An agent may be in another state.
    pub(super) fn change(&mut self, agent: Sym) {
        let entry = at(&mut self.agents, agent);
        if !std::mem::replace(&mut entry.changed, true) {
            self.changed.push(agent);
        }
    }

    /// Everybody may be.
    pub(super) fn change_all(&mut self) {
        self.holds = None;
    }

    /// Brings the counts to the moment `now`.
    pub(super) fn refresh(&mut self, active: &Active, records: &Places<AgentRecord>, now: LogTime) {
        let moment = EventTime(now.0);
        if self.holds.is_none_or(|(from, to)| !(from..to).contains(&now.0)) {
            *self = Self { holds: Some(active.roster.steady(moment)), ..Self::default() };
            records.iter().for_each(|(agent, record)| self.count(active, agent, record, moment));
            return;
        }
        while let Some(agent) = self.changed.pop() {
            at(&mut self.agents, agent).changed = false;
            if let Some(record) = records.get(agent) {
                self.count(active, agent, record, moment);
            }
        }
    }

    fn count(&mut self, active: &Active, agent: Sym, record: &AgentRecord, moment: EventTime) {
        let team = active.roster.team_of(agent, moment).or_else(|| record.named_team(active));
        let state = record.state().filter(|_| active.roster.lists(agent, moment));
        let counted = state.map(|(state, _)| (state, team));
        let before = std::mem::replace(&mut at(&mut self.agents, agent).counted, counted);
        if before == counted {
            return;
        }
        for (counted, sign) in [(before, -1), (counted, 1)] {
            let Some((state, team)) = counted else { continue };
            let state = state as usize;
            self.unit.states[state] += sign;
            team.iter().for_each(|team| at(&mut self.teams, *team).states[state] += sign);
            let stint = active.roster.stint(agent, moment);
            let queues = stint.map_or(&[][..], |stint| &stint.queues);
            // A queue that is listed twice is served once.
            for (_, queue) in queues.iter().enumerate().filter(|(index, q)| !queues[..*index].contains(q)) {
                at(&mut self.queues, *queue).states[state] += sign;
            }
        }
    }

    /// Who serves a queue.
    pub(super) fn queue(&self, queue: Sym) -> Shift {
        self.queues.get(queue.0 as usize).copied().unwrap_or_default()
    }

    /// Who is in a team.
    pub(super) fn team(&self, team: Sym) -> Shift {
        self.teams.get(team.0 as usize).copied().unwrap_or_default()
    }

    /// Everybody.
    pub(super) fn unit(&self) -> Shift {
        self.unit
    }
}

fn at<T: Clone + Default>(things: &mut Vec<T>, sym: Sym) -> &mut T {
    let index = sym.0 as usize;
    if things.len() <= index {
        things.resize(index + 1, T::default());
    }
    &mut things[index]
}
