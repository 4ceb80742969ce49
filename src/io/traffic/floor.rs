//! The floor of the centre: a discrete-event simulation. Steps wait in a heap by time; each changes the state of contacts,
//! lines and people, sends events to the post and notes in the contact's script what truly came of it.
//!
//! ```text
//!  arrive ─▶ enter line ─▶ ring ─▶ answer ─▶ talk / chat ─▶ end ─▶ after-work ─▶ resolved, survey, reopened
//!               │  ▲          │                    │
//!          abandon │      no answer           transfer to another line
//!               └ overflow
//! ```

mod aftermath;
mod arrivals;
mod chat;
mod people;
mod telling;
mod visit;

use super::almanac::Almanac;
use super::chance::Chance;
use super::plan::Plan;
use super::post::{Parcel, Post};
use super::script::{Act, Script};
use super::truth::Truth;
use crate::model::event::AgentState;
use crate::model::units::SECOND;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// What happens next. Steps of a contact carry the contact's `turn`; a step of an earlier turn does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// A local day begins: shifts are planned.
    Day,
    /// A month begins: marks are planned.
    Month,
    /// The arrival rate of a queue is taken anew.
    Slot {
        queue: u32,
        version: u32,
    },
    Arrive {
        queue: u32,
        version: u32,
    },
    Incident {
        number: u32,
        begins: bool,
    },
    Shift {
        agent: u32,
        end: i64,
    },
    Break {
        agent: u32,
        length: i64,
    },
    Leave {
        agent: u32,
    },
    Back {
        agent: u32,
        turn: u32,
    },
    Rate {
        agent: u32,
    },
    Patience {
        contact: u32,
        leg: u32,
    },
    Overflow {
        contact: u32,
        leg: u32,
    },
    RingEnd {
        contact: u32,
        turn: u32,
        answers: bool,
    },
    Held {
        contact: u32,
        turn: u32,
        span: i64,
    },
    TalkEnd {
        contact: u32,
        turn: u32,
    },
    ChatTurn {
        contact: u32,
        turn: u32,
    },
    WrapEnd {
        contact: u32,
        agent: u32,
    },
    After {
        contact: u32,
        what: After,
    },
    Amend {
        contact: u32,
        number: u32,
    },
}

/// What can follow a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum After {
    Resolved { agent: u32 },
    AutoResolved,
    Survey { happy: bool },
    Reopened,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Ringing(u32),
    Talking(u32),
    Over,
}

/// One conversation of a contact with an agent.
#[derive(Debug, Clone, Copy)]
struct Talk {
    agent: u32,
    queue: u32,
    start: i64,
    hold: i64,
    end: Option<i64>,
    wrapped: bool,
}

/// A wrong event that waits for its correction: what it should have said, or nothing.
#[derive(Debug, Clone, Copy)]
struct Wrong {
    told: u64,
    right: Option<Act>,
}

/// A contact between its first event and the delivery of its last.
#[derive(Debug)]
struct Contact {
    script: Script,
    number: u64,
    customer: u32,
    chat: bool,
    queue: u32,
    phase: Phase,
    /// Raised with every change of phase, so that old steps know they are stale.
    turn: u32,
    leg: u32,
    entry: i64,
    first_entry: i64,
    rung: Vec<(u32, i64)>,
    talks: Vec<Talk>,
    /// Time of the latest event: no two events of a contact have the same time.
    clock: i64,
    /// The oldest unanswered customer message.
    asked: Option<i64>,
    responded: bool,
    turns_left: u32,
    agent_next: bool,
    transfers: u32,
    resolved_by: Option<u32>,
    wrongs: Vec<Wrong>,
    /// Steps in the heap that name this contact.
    steps: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Nothing,
    Break(i64),
    Leave,
}

#[derive(Debug)]
struct Agent {
    queues: Vec<u32>,
    /// Share of the agent planned for each of the queues, per mille.
    shares: Vec<u64>,
    capacity: u32,
    load: u32,
    on: bool,
    end: i64,
    state: Option<AgentState>,
    /// Time of the latest state event.
    clock: i64,
    want: Want,
    /// The place in idle lines is good only with this stamp.
    stamp: u32,
    turn: u32,
    /// Of 0..1000: how well this agent solves, and how rarely a ring is missed.
    skill: u32,
}

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<(u32, u32)>,
    idle: VecDeque<(u32, u32)>,
    on: u64,
    share: u64,
    rate: i64,
    version: u32,
    served: usize,
}

/// See the module's page.
#[derive(Debug)]
pub(super) struct Floor {
    plan: Plan,
    chance: Chance,
    mischief: Chance,
    almanac: Almanac,
    now: i64,
    order: u64,
    steps: BinaryHeap<Reverse<(i64, u64, Step)>>,
    contacts: Vec<Contact>,
    free: Vec<u32>,
    agents: Vec<Agent>,
    lines: Vec<Line>,
    arrived: u64,
    told: u64,
    legs: u32,
    post: Post,
}

impl Floor {
    pub fn new(plan: Plan) -> Self {
        let post = Post::new(&plan);
        let agents = people::hire(&plan.centre);
        let mut lines: Vec<Line> = plan.centre.queues.iter().map(|_| Line::default()).collect();
        agents.iter().flat_map(|agent| &agent.queues).for_each(|queue| lines[*queue as usize].served += 1);
        let mut floor = Self {
            chance: Chance::new(plan.seed, 0),
            mischief: Chance::new(plan.seed, 1),
            almanac: Almanac::new(&plan.centre.unit.zone),
            now: plan.from,
            order: 0,
            steps: BinaryHeap::new(),
            contacts: Vec::new(),
            free: Vec::new(),
            agents,
            lines,
            arrived: 0,
            told: 0,
            legs: 0,
            post,
            plan,
        };
        floor.open();
        floor
    }

    /// The first steps.
    fn open(&mut self) {
        let from = self.plan.from;
        if self.plan.centre.always_open {
            self.open_for_ever(from);
        } else {
            let yesterday = self.almanac.day(self.almanac.clone().day(from).start - 1);
            self.plan_shifts(yesterday);
            self.at(from, Step::Day);
            self.at(from, Step::Month);
        }
        for queue in 0..self.lines.len() as u32 {
            self.at(from + SECOND, Step::Slot { queue, version: 0 });
        }
        let incidents = self.plan.incidents.clone();
        for (number, incident) in (0..).zip(&incidents).filter(|(_, incident)| incident.at >= from) {
            self.at(incident.at, Step::Incident { number, begins: true });
            self.at(incident.until, Step::Incident { number, begins: false });
        }
    }

    /// The plan that is simulated.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The next parcel that is due before anything else can happen; `None` after the end.
    pub fn next(&mut self) -> Option<Parcel> {
        loop {
            let next = self.steps.peek().map(|Reverse((at, ..))| *at);
            let next = next.filter(|at| self.plan.to.is_none_or(|to| *at <= to));
            if let Some(parcel) = self.post.due(next) {
                return Some(parcel);
            }
            next?;
            let Reverse((at, _, step)) = self.steps.pop()?;
            self.now = at;
            self.step(step);
        }
    }

    /// The truth learns what a sound delivery tells of a contact; a contact of which nothing is left is forgotten.
    pub fn delivered(&mut self, contact: u32, act: u32, truth: &mut Truth) {
        self.contacts[contact as usize].script.deliver(act, truth);
        self.release(contact);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Day => self.new_day(),
            Step::Month => self.new_month(),
            Step::Slot { queue, version } => self.new_slot(queue, version),
            Step::Arrive { queue, version } => self.arrive(queue, version),
            Step::Incident { number, begins } => self.incident(number, begins),
            Step::Shift { agent, end } => self.sign_in(agent, end),
            Step::Break { agent, length } => self.want(agent, Want::Break(length)),
            Step::Leave { agent } => self.time_to_leave(agent),
            Step::Back { agent, turn } => self.back(agent, turn),
            Step::Rate { agent } => self.rate(agent),
            Step::Patience { contact, .. }
            | Step::Overflow { contact, .. }
            | Step::RingEnd { contact, .. }
            | Step::Held { contact, .. }
            | Step::TalkEnd { contact, .. }
            | Step::ChatTurn { contact, .. }
            | Step::WrapEnd { contact, .. }
            | Step::After { contact, .. }
            | Step::Amend { contact, .. } => {
                self.contacts[contact as usize].steps -= 1;
                self.step_of_contact(contact, step);
                self.release(contact);
            }
        }
    }

    fn step_of_contact(&mut self, id: u32, step: Step) {
        match step {
            Step::Patience { leg, .. } => self.lose_patience(id, leg),
            Step::Overflow { leg, .. } => self.overflow(id, leg),
            Step::RingEnd { turn, answers, .. } => self.ring_ends(id, turn, answers),
            Step::Held { turn, span, .. } => self.held(id, turn, span),
            Step::TalkEnd { turn, .. } => self.talk_ends(id, turn),
            Step::ChatTurn { turn, .. } => self.chat_turn(id, turn),
            Step::WrapEnd { agent, .. } => self.wrap_ends(id, agent),
            Step::After { what, .. } => self.after(id, what),
            Step::Amend { number, .. } => self.amend(id, number),
            _ => {}
        }
    }

    fn at(&mut self, at: i64, step: Step) {
        self.order += 1;
        self.steps.push(Reverse((at.max(self.now), self.order, step)));
    }

    /// A step of a contact, after `delay`.
    fn later(&mut self, contact: u32, delay: i64, step: Step) {
        self.contacts[contact as usize].steps += 1;
        self.at(self.now + delay, step);
    }

    fn release(&mut self, contact: u32) {
        let it = &mut self.contacts[contact as usize];
        if it.steps == 0 && it.phase == Phase::Over && it.script.is_delivered() && it.number != 0 {
            #[cfg(test)]
            assert!(it.script.agrees(), "{it:#?}");
            it.number = 0;
            self.free.push(contact);
        }
    }

    fn it(&mut self, contact: u32) -> &mut Contact {
        &mut self.contacts[contact as usize]
    }
}

#[cfg(test)]
impl Floor {
    /// Checks every contact's notes against a full reading.
    pub fn scripts_agree(&self) -> Result<usize, String> {
        let live = self.contacts.iter().filter(|contact| contact.number != 0);
        let mut n = 0;
        for contact in live {
            n += 1;
            if !contact.script.agrees() {
                return Err(format!("{contact:#?}"));
            }
        }
        Ok(n)
    }

    /// Contacts that were lost or answered so far, by the floor's own books.
    pub fn over(&self) -> u64 {
        let waits = |contact: &&Contact| {
            contact.number != 0 && contact.talks.is_empty() && contact.phase != Phase::Over
        };
        self.arrived - self.contacts.iter().filter(waits).count() as u64
    }

    /// Contacts that wait or ring in a queue now.
    pub fn waiting(&self, queue: &str) -> usize {
        let queue = self.plan.centre.queue(queue).map(|queue| queue as u32);
        let waits = |contact: &&Contact| {
            let open = matches!(contact.phase, Phase::Waiting | Phase::Ringing(_));
            contact.number != 0 && open && Some(contact.queue) == queue
        };
        self.contacts.iter().filter(waits).count()
    }
}
