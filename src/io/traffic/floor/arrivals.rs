//! Arrivals: by the time of day, the people on shift, and incidents.

use super::{Floor, Line, Step, Want};
use crate::io::traffic::schedule;
use crate::model::units::{MINUTE, SECOND};

/// For so long the arrival rate of a queue is constant.
const SLOT: i64 = 5 * MINUTE;

impl Floor {
    /// The arrival rate of the queue for the next slot, by the people on shift and the time of day.
    pub(super) fn new_slot(&mut self, queue: u32, version: u32) {
        let line = &self.lines[queue as usize];
        if version != line.version {
            return;
        }
        let day = self.almanac.day(self.now);
        let half_hour = ((self.now - day.start) / (30 * MINUTE)).min(47) as usize;
        let habits = &self.plan.centre.habits[queue as usize];
        let demand = self.demand(queue, u64::from(habits.demand[half_hour]));
        let capacity = line.share * schedule::load(line.on) / 1_000 * demand;
        let busy = if habits.chat { habits.talk * 5 } else { habits.talk + habits.after_work + 8 * SECOND };
        let gap = (busy as u64 * 1_000_000).checked_div(capacity).map_or(i64::MAX, |gap| gap as i64);
        self.lines[queue as usize].rate = gap;
        self.at((self.now / SLOT + 1) * SLOT, Step::Slot { queue, version });
        self.next_arrival(queue);
    }

    /// Per mille of the usual arrivals, incidents included.
    pub(super) fn demand(&self, queue: u32, usual: u64) -> u64 {
        let now = self.now;
        let hit = self.plan.incidents.iter().filter(|incident| {
            incident.queue == queue as usize && (incident.at..incident.until).contains(&now)
        });
        hit.fold(usual, |demand, incident| demand * u64::from(incident.arrivals) / 1_000)
    }

    /// The next arrival if it is within the slot: later ones are drawn anew, which changes nothing as waiting for an
    /// arrival has no memory.
    pub(super) fn next_arrival(&mut self, queue: u32) {
        let Line { rate, version, .. } = self.lines[queue as usize];
        if rate == i64::MAX {
            return;
        }
        let at = self.now + self.chance.exponential(rate);
        if at < (self.now / SLOT + 1) * SLOT {
            self.at(at, Step::Arrive { queue, version });
        }
    }

    pub(super) fn incident(&mut self, number: u32, begins: bool) {
        let incident = self.plan.incidents[number as usize];
        let queue = incident.queue as u32;
        self.lines[incident.queue].version += 1;
        let version = self.lines[incident.queue].version;
        self.at(self.now, Step::Slot { queue, version });
        let serves = |agent: &&u32| self.agents[**agent as usize].on;
        let all: Vec<u32> = (0..self.agents.len() as u32).collect();
        let people: Vec<u32> = all.iter().filter(serves).copied().collect();
        let people = people.into_iter().filter(|agent| self.agents[*agent as usize].queues.contains(&queue));
        for agent in people.collect::<Vec<_>>() {
            if begins && self.chance.permille(incident.absent) {
                self.want(agent, Want::Break(incident.until - self.now));
            }
        }
    }
}
