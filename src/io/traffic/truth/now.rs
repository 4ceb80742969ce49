//! What is true right now: who waits, who does what; and agents' time, which runs up to now.

use super::Truth;
use crate::engine::output::{Now, SubjectKind};
use crate::io::traffic::outcome::{Column, Row, Subject, What};
use crate::io::traffic::time::{Bag, Time, put};
use crate::model::event::AgentState;
use crate::model::units::EventTime;
use std::borrow::Cow;
use std::collections::BTreeMap;

impl Truth {
    /// Contacts waiting in a queue, as known after a delivery.
    pub fn waiting(&self, queue: &str, delivered: u64) -> Option<i64> {
        Some(self.open_legs(queue, delivered)?.values().sum())
    }

    /// Since when the longest waiting contact of a queue waits, if one waits.
    pub fn longest_since(&self, queue: &str, delivered: u64) -> Option<i64> {
        self.open_legs(queue, delivered)?.into_keys().next()
    }

    /// The state of an agent and since when, as known after a delivery; `None` before the first word of it.
    pub fn state(&self, agent: &str, delivered: u64) -> Option<(AgentState, i64)> {
        match self.subjects.get(&(SubjectKind::Agent, agent.to_owned())) {
            Some(Subject::Agent(index)) => self.time_of(*index, delivered)?.state(),
            _ => None,
        }
    }

    /// What is, right now, of a subject: `docs/measures.md`, section 7, as known after a delivery.
    pub fn now(&self, kind: SubjectKind, id: &str, delivered: u64) -> Option<Now> {
        let subject = *self.subjects.get(&(kind, id.to_owned()))?;
        Some(match subject {
            Subject::Agent(agent) => self.agent_now(agent, delivered)?,
            Subject::Queue(queue) => {
                let open = self.open_legs(id, delivered)?;
                self.waiting_now(
                    &open,
                    self.states_of(|agent| self.serves[agent].contains(&queue), delivered),
                )
            }
            Subject::Team(team) => {
                let states = self.states_of(|agent| self.books.team_of[agent] == team, delivered);
                Now { states: tally(&states), ..Self::on_shift(&states) }
            }
            Subject::Unit => {
                let states = self.states_of(|_| true, delivered);
                let open = self.all_open_legs(delivered);
                Now { states: tally(&states), ..self.waiting_now(&open, states) }
            }
        })
    }

    fn agent_now(&self, agent: u32, delivered: u64) -> Option<Now> {
        let time = self.time_of(agent, delivered)?;
        let state = time.state();
        let team = self.books.team_of[agent as usize];
        let team = self.subjects.iter().find(|(_, subject)| **subject == Subject::Team(team));
        Some(Now {
            state: state.map(|(state, _)| state.text().to_owned()),
            since: state.map(|(_, since)| EventTime(since)),
            engaged: Some(time.engaged()),
            team: team.map(|((_, id), _)| id.clone()),
            ..Now::default()
        })
    }

    fn waiting_now(&self, open: &Bag, states: Vec<AgentState>) -> Now {
        Now {
            waiting: Some(open.values().sum()),
            longest_since: open.keys().next().map(|since| EventTime(*since)),
            ..Self::on_shift(&states)
        }
    }

    fn on_shift(states: &[AgentState]) -> Now {
        let count = |wanted: &dyn Fn(AgentState) -> bool| {
            states.iter().filter(|state| wanted(**state)).count() as i64
        };
        Now {
            ready: Some(count(&|state| state == AgentState::Available)),
            on_shift: Some(count(&|state| state != AgentState::LoggedOut)),
            ..Now::default()
        }
    }

    /// The known states of these agents.
    fn states_of(&self, whose: impl Fn(usize) -> bool, delivered: u64) -> Vec<AgentState> {
        let agents = (0..self.people.len()).filter(|agent| whose(*agent));
        agents.filter_map(|agent| Some(self.time_of(agent as u32, delivered)?.state()?.0)).collect()
    }

    fn open_legs(&self, queue: &str, delivered: u64) -> Option<Bag> {
        let subject = *self.subjects.get(&(SubjectKind::Queue, queue.to_owned()))?;
        let mut open = self.waiting[subject.place().1].clone();
        for entry in self.pending(delivered) {
            if let What::Waiting { queue } = entry.outcome.what
                && Subject::Queue(queue) == subject
            {
                put(&mut open, entry.outcome.at, entry.sign);
            }
        }
        Some(open)
    }

    fn all_open_legs(&self, delivered: u64) -> Bag {
        let mut open = Bag::new();
        for (entry, count) in self.waiting.iter().flatten() {
            *open.entry(*entry).or_default() += count;
        }
        for entry in self.pending(delivered) {
            if let What::Waiting { .. } = entry.outcome.what {
                put(&mut open, entry.outcome.at, entry.sign);
            }
        }
        open
    }

    /// The agent's time as known then: copied only if something is not settled.
    fn time_of(&self, agent: u32, delivered: u64) -> Option<Cow<'_, Time>> {
        let mut time = Cow::Borrowed(self.people.get(agent as usize)?);
        for entry in self.pending(delivered) {
            if entry.outcome.what.is_standing() && entry.outcome.what.agent() == Some(agent) {
                time.to_mut().stand(entry.sign, entry.outcome);
            }
        }
        Some(time)
    }

    pub(super) fn add_time(&self, agent: u32, span: (i64, i64), now: i64, delivered: u64, row: &mut Row) {
        let Some(time) = self.time_of(agent, delivered) else { return };
        for (state, span) in time.declared(span, now) {
            if let Some(column) = Column::of_state(state) {
                row.add(column, span);
            }
        }
        let (busy, most) = time.busy(span, now);
        row.add(Column::BusyMs, busy);
        row.add(Column::MostAtOnce, most);
    }
}

/// How many are in each state.
fn tally(states: &[AgentState]) -> BTreeMap<String, i64> {
    let mut tally = BTreeMap::new();
    states.iter().for_each(|state| *tally.entry(state.text().to_owned()).or_insert(0) += 1);
    tally
}
