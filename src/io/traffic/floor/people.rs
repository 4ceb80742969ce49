//! People: shifts, breaks, states, marks, and who is free for the next contact.

use super::{Agent, Floor, Phase, Step, Want};
use crate::io::traffic::almanac::Day;
use crate::io::traffic::centre::Centre;
use crate::io::traffic::chance::Chance;
use crate::io::traffic::outcome::NONE;
use crate::io::traffic::schedule;
use crate::io::traffic::script::Act;
use crate::model::event::{AgentState, Kind};
use crate::model::units::{HOUR, MINUTE, SECOND};
use std::collections::HashMap;

/// The agents of a centre, all signed out.
pub(super) fn hire(centre: &Centre) -> Vec<Agent> {
    let index: HashMap<&str, u32> =
        (0..).zip(&centre.queues).map(|(i, queue)| (queue.id.as_str(), i)).collect();
    let mut nature = Chance::new(0x5ee1, 7);
    let hire = |person: &crate::engine::definitions::Person| {
        let queues: Vec<u32> = person.queues.iter().map(|id| index[id.as_str()]).collect();
        let habits = |queue: &u32| &centre.habits[*queue as usize];
        let total: u64 = queues.iter().map(|queue| u64::from(habits(queue).share)).sum();
        let shares =
            queues.iter().map(|queue| u64::from(habits(queue).share) * 1_000 / total.max(1)).collect();
        let chat = queues.first().is_some_and(|queue| habits(queue).chat);
        Agent {
            queues,
            shares,
            capacity: if chat { 3 } else { 1 },
            load: 0,
            on: false,
            end: 0,
            state: None,
            clock: i64::MIN,
            want: Want::Nothing,
            stamp: 0,
            turn: 0,
            skill: nature.below(1_000) as u32,
        }
    };
    centre.roster.iter().map(hire).collect()
}

impl Floor {
    /// Everybody signs in during the first seconds and stays.
    pub(super) fn open_for_ever(&mut self, from: i64) {
        let n = self.agents.len() as i64;
        for agent in 0..n {
            self.at(from + agent * SECOND / n.max(1), Step::Shift { agent: agent as u32, end: i64::MAX });
        }
    }

    pub(super) fn new_day(&mut self) {
        let day = self.almanac.day(self.now);
        self.plan_shifts(day);
        self.at(day.end, Step::Day);
    }

    pub(super) fn plan_shifts(&mut self, day: Day) {
        for agent in 0..self.agents.len() {
            for (start, end) in schedule::shifts(agent, day) {
                if end <= self.now {
                    continue;
                }
                let start = start.max(self.now) + self.chance.between(-100, 100).max(0) * SECOND;
                self.at(start, Step::Shift { agent: agent as u32, end });
                for (at, length) in schedule::breaks((start, end), &mut self.chance) {
                    if at > self.now {
                        self.at(at, Step::Break { agent: agent as u32, length });
                    }
                }
            }
        }
    }

    /// Marks are given in the last ten days; those of a few people only on the last evening.
    pub(super) fn new_month(&mut self) {
        let (start, end) = self.almanac.month(self.now);
        for agent in 0..self.agents.len() as u32 {
            let last_evening = agent % 8 == 6;
            let at = if last_evening {
                end - self.chance.between(30, 60) * MINUTE
            } else {
                end - self.chance.between(26 * HOUR, 240 * HOUR)
            };
            if at > self.now.max(start) {
                self.at(at, Step::Rate { agent });
            }
        }
        self.at(end, Step::Month);
    }

    pub(super) fn rate(&mut self, agent: u32) {
        let skill = i64::from(self.agents[agent as usize].skill);
        let halves = self.chance.between(144, 168) + skill * 28 / 1_000;
        let act = Act { value: halves * 500_000, ..Act::new(Kind::Rating, self.now).by(agent) };
        self.send_alone(act);
    }

    pub(super) fn sign_in(&mut self, agent: u32, end: i64) {
        let it = &mut self.agents[agent as usize];
        it.end = it.end.max(end);
        if end != i64::MAX {
            self.at(end, Step::Leave { agent });
        }
        if self.agents[agent as usize].on {
            let it = &mut self.agents[agent as usize];
            it.want = if it.want == Want::Leave { Want::Nothing } else { it.want };
            return;
        }
        self.agents[agent as usize].on = true;
        self.agents[agent as usize].want = Want::Nothing;
        self.staff(agent, true);
        self.seek(agent);
    }

    pub(super) fn time_to_leave(&mut self, agent: u32) {
        let it = &self.agents[agent as usize];
        if it.on && it.end <= self.now {
            self.want(agent, Want::Leave);
        }
    }

    /// Wants a break or to leave: at once if no contact is in hand. Leaving goes before a break.
    pub(super) fn want(&mut self, agent: u32, want: Want) {
        let it = &mut self.agents[agent as usize];
        if !it.on || it.want == Want::Leave {
            return;
        }
        it.want = want;
        it.stamp += 1;
        if it.load == 0 {
            self.rest(agent);
        }
    }

    /// Away for a while.
    pub(super) fn pause(&mut self, agent: u32, length: i64) {
        let it = &mut self.agents[agent as usize];
        it.want = Want::Nothing;
        it.stamp += 1;
        it.turn += 1;
        let turn = it.turn;
        self.declare(agent, AgentState::Paused);
        self.at(self.now + length, Step::Back { agent, turn });
    }

    pub(super) fn back(&mut self, agent: u32, turn: u32) {
        let it = &self.agents[agent as usize];
        if it.on && it.turn == turn && it.state == Some(AgentState::Paused) {
            self.rest(agent);
        }
    }

    fn leave(&mut self, agent: u32) {
        let it = &mut self.agents[agent as usize];
        it.on = false;
        it.want = Want::Nothing;
        it.stamp += 1;
        it.turn += 1;
        self.staff(agent, false);
        self.declare(agent, AgentState::LoggedOut);
    }

    fn staff(&mut self, agent: u32, comes: bool) {
        let it = &self.agents[agent as usize];
        for (queue, share) in it.queues.iter().zip(&it.shares) {
            let line = &mut self.lines[*queue as usize];
            if comes {
                line.on += 1;
                line.share += share;
            } else {
                line.on -= 1;
                line.share -= share;
            }
        }
    }

    /// One contact less in hand.
    pub(super) fn relieve(&mut self, agent: u32) {
        self.agents[agent as usize].load -= 1;
        self.rest(agent);
    }

    /// What to do after a contact or a break.
    pub(super) fn rest(&mut self, agent: u32) {
        let it = &self.agents[agent as usize];
        match (it.load, it.want) {
            (0, Want::Leave) => self.leave(agent),
            (0, Want::Break(length)) => self.pause(agent, length),
            (_, Want::Nothing) => self.seek(agent),
            _ => {}
        }
    }

    /// Takes who waits longest, or stands in the idle lines.
    pub(super) fn seek(&mut self, agent: u32) {
        while self.agents[agent as usize].load < self.agents[agent as usize].capacity {
            let Some(contact) = self.longest_waiting(agent) else { break };
            self.ring(contact, agent);
        }
        let it = &self.agents[agent as usize];
        if it.load == 0 {
            self.declare(agent, AgentState::Available);
        }
        if self.agents[agent as usize].load < self.agents[agent as usize].capacity {
            self.stand_idle(agent);
        }
    }

    fn stand_idle(&mut self, agent: u32) {
        let it = &mut self.agents[agent as usize];
        it.stamp += 1;
        let (stamp, queues) = (it.stamp, std::mem::take(&mut it.queues));
        for queue in &queues {
            self.tidy(*queue);
            self.lines[*queue as usize].idle.push_back((agent, stamp));
        }
        self.agents[agent as usize].queues = queues;
    }

    /// Keeps a quiet line's list of idle people from growing by stale places.
    fn tidy(&mut self, queue: u32) {
        let (line, agents) = (&mut self.lines[queue as usize], &self.agents);
        if line.idle.len() > 2 * line.served + 16 {
            line.idle.retain(|(agent, stamp)| agents[*agent as usize].stamp == *stamp);
        }
    }

    /// The person idle for longest who serves the queue.
    pub(super) fn idle_person(&mut self, queue: u32) -> Option<u32> {
        while let Some((agent, stamp)) = self.lines[queue as usize].idle.pop_front() {
            if self.agents[agent as usize].stamp == stamp {
                return Some(agent);
            }
        }
        None
    }

    /// Takes the contact that entered first out of the lines that the agent serves.
    fn longest_waiting(&mut self, agent: u32) -> Option<u32> {
        let queues = std::mem::take(&mut self.agents[agent as usize].queues);
        let first = queues.iter().filter_map(|queue| Some((self.head_of_line(*queue)?, *queue))).min();
        self.agents[agent as usize].queues = queues;
        let ((_, contact), queue) = first?;
        self.lines[queue as usize].waiting.pop_front();
        Some(contact)
    }

    /// Entry and contact at the head of a line.
    fn head_of_line(&mut self, queue: u32) -> Option<(i64, u32)> {
        while let Some((contact, leg)) = self.lines[queue as usize].waiting.front().copied() {
            let it = &self.contacts[contact as usize];
            if it.number != 0 && it.leg == leg && it.phase == Phase::Waiting && it.queue == queue {
                return Some((it.entry, contact));
            }
            self.lines[queue as usize].waiting.pop_front();
        }
        None
    }

    /// Sends a state event if the state is another one.
    pub(super) fn declare(&mut self, agent: u32, state: AgentState) {
        let it = &mut self.agents[agent as usize];
        if it.state == Some(state) {
            return;
        }
        it.state = Some(state);
        it.clock = self.now.max(it.clock.saturating_add(1));
        let act = Act::new(Kind::AgentState, it.clock).by(agent);
        self.send_alone(Act { value: state as i64, queue: NONE, ..act });
    }
}
