//! From a change of one contact to the rows, queues and agents that it is about.

use super::active::Active;
use super::book::Place;
use super::output::SubjectKind;
use super::schedule::Subject;
use super::state::Engine;
use crate::model::contact::Observation;
use crate::model::units::{LogTime, Sym};

impl Engine {
    /// Applies the change in the buffer.
    pub(super) fn book_change(&mut self, active: &Active) {
        let change = std::mem::take(&mut self.change);
        for (observation, sign) in &change.observations {
            self.book(active, observation, *sign);
        }
        for (segment, sign) in &change.segments {
            if let Some(agent) = segment.agent {
                self.state.agents.at(agent).timeline.segment(segment.from, segment.to, *sign);
                self.touch_agent(agent);
            }
        }
        self.stand(&change);
        self.change = change;
    }

    /// Who waits and who is rung.
    fn stand(&mut self, change: &super::contacts::Change) {
        if change.before.open != change.after.open {
            for (open, present) in [(change.before.open, false), (change.after.open, true)] {
                let Some((queue, entry)) = open.and_then(|open| Some((open.queue?, open.entry))) else {
                    continue;
                };
                let waiting = &mut self.state.queues.at(queue).waiting;
                if present {
                    waiting.insert((entry, change.key))
                } else {
                    waiting.remove(&(entry, change.key))
                };
                self.touch_queue(queue);
                self.touch_unit();
            }
        }
        if change.rings_before != change.rings_after {
            for ring in &change.rings_before {
                self.state.agents.at(ring.agent).rings.remove(&(ring.since, change.key));
                self.touch_agent(ring.agent);
            }
            for ring in &change.rings_after {
                self.state.agents.at(ring.agent).rings.insert((ring.since, change.key));
                self.touch_agent(ring.agent);
            }
        }
    }

    /// Books one observation for every subject that it is about.
    pub(super) fn book(&mut self, active: &Active, observation: &Observation, sign: i64) {
        let now = self.state.clocks.live();
        let place = Place {
            day: active.calendar.day_of(observation.booked),
            month: active.calendar.month_of(observation.booked),
        };
        let what = observation.what;
        if let Some(queue) = observation.queue.filter(|_| SubjectKind::Queue.counts(what)) {
            let within = active.within_ms(queue);
            self.state.queues.at(queue).book.apply(observation, sign, place, within, now);
            self.touch_queue(queue);
        }
        if let Some(agent) = observation.agent.filter(|_| SubjectKind::Agent.counts(what)) {
            self.state.agents.at(agent).book.apply(observation, sign, place, None, now);
            self.touch_agent(agent);
            self.touch_score(agent, place.month);
            if let Some(team) = observation.team.filter(|_| SubjectKind::Team.counts(what)) {
                self.state.teams.at(team).book.apply(observation, sign, place, None, now);
                self.touch_team(team);
            }
        }
        if SubjectKind::Unit.counts(what) {
            self.state.unit.book.apply(observation, sign, place, None, now);
            self.touch_unit();
        }
        self.state.periods.booked(place.month, &mut self.state.counters);
    }

    pub(super) fn touch_queue(&mut self, queue: Sym) {
        let now = self.now();
        let state = self.state.queues.at(queue);
        state.dirty = true;
        if !std::mem::replace(&mut state.soon, true) {
            self.touch(Subject::Queue(queue), now);
        }
    }

    pub(super) fn touch_team(&mut self, team: Sym) {
        let now = self.now();
        if !std::mem::replace(&mut self.state.teams.at(team).soon, true) {
            self.touch(Subject::Team(team), now);
        }
    }

    pub(super) fn touch_unit(&mut self) {
        let now = self.now();
        if !std::mem::replace(&mut self.state.unit.soon, true) {
            self.touch(Subject::Unit, now);
        }
    }

    pub(super) fn touch_agent(&mut self, agent: Sym) {
        let now = self.now();
        self.people.change(agent);
        if !std::mem::replace(&mut self.state.agents.at(agent).soon, true) {
            self.touch(Subject::Agent(agent), now);
        }
    }

    pub(super) fn touch_score(&mut self, agent: Sym, month: i32) {
        let now = self.now();
        self.due_months.touch(month, agent);
        if self.state.agents.at(agent).score_soon.replace(month) != Some(month) {
            self.state.schedule.touch(Subject::Score(agent, month), now);
        }
    }

    fn touch(&mut self, subject: Subject, now: LogTime) {
        self.state.schedule.touch(subject, now);
        self.touched.insert(subject);
    }

    pub(super) fn now(&self) -> LogTime {
        self.state.clocks.live()
    }
}
