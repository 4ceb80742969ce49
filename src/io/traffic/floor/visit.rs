//! The life of a contact: into a line, rung, answered or lost, handed on, ended, and what comes after.

use super::{Contact, Floor, Phase, Step, Talk};
use crate::io::traffic::outcome::{Lost, What};
use crate::io::traffic::script::{Act, Script};
use crate::model::event::{AgentState, Kind};
use crate::model::units::SECOND;

impl Floor {
    /// A customer comes.
    pub(super) fn arrive(&mut self, queue: u32, version: u32) {
        if version != self.lines[queue as usize].version {
            return;
        }
        self.next_arrival(queue);
        let contact = self.new_contact(queue);
        if self.it(contact).chat {
            self.opening_message(contact);
        }
        let at = self.stamp(contact);
        self.tell(contact, Act::new(Kind::Queued, at).in_queue(queue));
        self.it(contact).first_entry = at;
        self.enter(contact, queue, at);
        if self.it(contact).chat {
            self.bot_greets(contact);
        }
        self.find_agent(contact);
    }

    fn new_contact(&mut self, queue: u32) -> u32 {
        self.arrived += 1;
        let customers = (self.agents.len() as u64 * 400).max(1);
        let (number, customer) = (self.arrived, self.chance.below(customers) as u32);
        let chat = self.plan.centre.habits[queue as usize].chat;
        if let Some(id) = self.free.pop() {
            let it = self.it(id);
            it.script.clear();
            (it.number, it.customer, it.chat, it.queue) = (number, customer, chat, queue);
            it.begin();
            return id;
        }
        let mut contact = Contact {
            script: Script::default(),
            number,
            customer,
            chat,
            queue,
            phase: Phase::Waiting,
            turn: 0,
            leg: 0,
            entry: 0,
            first_entry: 0,
            rung: Vec::new(),
            talks: Vec::new(),
            clock: 0,
            asked: None,
            responded: false,
            turns_left: 0,
            agent_next: false,
            transfers: 0,
            resolved_by: None,
            wrongs: Vec::new(),
            steps: 0,
        };
        contact.begin();
        self.contacts.push(contact);
        self.contacts.len() as u32 - 1
    }

    /// A leg begins at `at`: the contact waits in the queue.
    fn enter(&mut self, contact: u32, queue: u32, at: i64) {
        self.legs += 1;
        let leg = self.legs;
        let it = self.it(contact);
        it.phase = Phase::Waiting;
        it.turn += 1;
        it.leg = leg;
        (it.queue, it.entry) = (queue, at);
        it.rung.clear();
        self.note(contact, 1, at, What::Waiting { queue });
        let habits = &self.plan.centre.habits[queue as usize];
        let (patience, overflow) = (habits.patience, habits.overflow);
        let patience = 3 * SECOND + self.chance.duration(patience);
        self.later(contact, patience, Step::Patience { contact, leg });
        if let Some((after, _)) = overflow {
            self.later(contact, after, Step::Overflow { contact, leg });
        }
    }

    /// Rings whoever is free, else the contact stands in line.
    fn find_agent(&mut self, contact: u32) {
        let (queue, leg) = (self.it(contact).queue, self.it(contact).leg);
        match self.idle_person(queue) {
            Some(agent) => {
                self.ring(contact, agent);
                self.seek_more(agent);
            }
            None => self.lines[queue as usize].waiting.push_back((contact, leg)),
        }
    }

    /// Who can take another contact stays in the idle lines.
    fn seek_more(&mut self, agent: u32) {
        let it = &self.agents[agent as usize];
        if it.load < it.capacity {
            self.seek(agent);
        }
    }

    pub(super) fn ring(&mut self, contact: u32, agent: u32) {
        let skill = self.agents[agent as usize].skill;
        self.agents[agent as usize].load += 1;
        self.agents[agent as usize].stamp += 1;
        let it = self.it(contact);
        it.phase = Phase::Ringing(agent);
        it.turn += 1;
        let (turn, queue) = (it.turn, it.queue);
        if !self.chance.permille(20) {
            let at = self.stamp(contact);
            self.tell(contact, Act::new(Kind::Offered, at).in_queue(queue).by(agent));
            if !self.it(contact).rung.iter().any(|(rung, _)| *rung == agent) {
                self.it(contact).rung.push((agent, at));
                self.note(contact, 1, at, What::Offer { agent });
                self.note(contact, 1, at, What::Rung { agent });
            }
        }
        if self.agents[agent as usize].load == 1 {
            self.declare(agent, AgentState::Ringing);
        }
        let answers = !self.chance.permille(15 + (1_000 - skill) * 60 / 1_000);
        let delay = if answers { 2 * SECOND + self.chance.exponential(3 * SECOND) } else { 20 * SECOND };
        self.later(contact, delay.min(20 * SECOND), Step::RingEnd { contact, turn, answers });
    }

    pub(super) fn ring_ends(&mut self, contact: u32, turn: u32, answers: bool) {
        let it = self.it(contact);
        let Phase::Ringing(agent) = it.phase else { return };
        if it.turn != turn {
            return;
        }
        if answers {
            return self.answer(contact, agent);
        }
        // Not answered: the contact goes back to the head of its line, the agent is taken off for a while.
        it.phase = Phase::Waiting;
        it.turn += 1;
        let (queue, leg) = (it.queue, it.leg);
        match self.idle_person(queue) {
            Some(other) => {
                self.ring(contact, other);
                self.seek_more(other);
            }
            None => self.lines[queue as usize].waiting.push_front((contact, leg)),
        }
        self.stop_ringing(agent);
    }

    /// The agent did not take it and is paused for a moment, unless other contacts are in hand.
    fn stop_ringing(&mut self, agent: u32) {
        self.agents[agent as usize].load -= 1;
        let it = &self.agents[agent as usize];
        if it.load == 0 && it.want == super::Want::Nothing {
            let length = self.chance.between(30, 150) * SECOND;
            self.pause(agent, length);
        } else {
            self.rest(agent);
        }
    }

    fn answer(&mut self, contact: u32, agent: u32) {
        let at = self.stamp(contact);
        let queue = self.it(contact).queue;
        self.tell(contact, Act::new(Kind::Answered, at).in_queue(queue).by(agent));
        self.note_answer(contact, agent, at);
        let it = self.it(contact);
        it.phase = Phase::Talking(agent);
        it.turn += 1;
        it.talks.push(Talk { agent, queue, start: at, hold: 0, end: None, wrapped: false });
        let turn = it.turn;
        self.declare(agent, AgentState::Talking);
        if self.it(contact).chat {
            self.begin_chat(contact, agent, turn);
        } else {
            self.begin_talk(contact, agent, turn);
        }
        self.fib(contact);
    }

    fn note_answer(&mut self, contact: u32, agent: u32, at: i64) {
        let it = &self.contacts[contact as usize];
        let (queue, entry, first_entry) = (it.queue, it.entry, it.first_entry);
        let first = it.talks.is_empty();
        let taken = !it.talks.iter().any(|talk| talk.agent == agent);
        let rung = it.rung.iter().any(|(rung, _)| *rung == agent);
        self.note(contact, -1, entry, What::Waiting { queue });
        self.note(contact, 1, at, What::LegAnswered { queue, wait: Some(at - entry) });
        if first {
            self.note(contact, 1, at, What::ContactAnswered { wait: Some(at - first_entry) });
        }
        if taken {
            self.note(contact, 1, at, What::Taken { agent });
        }
        if !rung {
            self.note(contact, 1, at, What::Offer { agent });
        }
        self.note(contact, 1, at, What::OfferAnswered { agent });
        self.note(contact, 1, at, What::Running { agent });
        self.clear_rung(contact);
    }

    fn clear_rung(&mut self, contact: u32) {
        for (agent, ring) in std::mem::take(&mut self.it(contact).rung) {
            self.note(contact, -1, ring, What::Rung { agent });
        }
    }

    fn begin_talk(&mut self, contact: u32, agent: u32, turn: u32) {
        let queue = self.it(contact).queue;
        let mean = self.plan.centre.habits[queue as usize].talk;
        // Skilled people need a little less time.
        let mean = mean * (1_150 - i64::from(self.agents[agent as usize].skill) * 3 / 10) / 1_000;
        let mut talk = 6 * SECOND + self.chance.duration(mean);
        if self.chance.permille(130) {
            let span = 8 * SECOND + self.chance.exponential(35 * SECOND);
            let before = self.chance.between(2 * SECOND, talk);
            talk += span;
            self.later(contact, before + span, Step::Held { contact, turn, span });
        }
        self.later(contact, talk + SECOND, Step::TalkEnd { contact, turn });
    }

    pub(super) fn held(&mut self, contact: u32, turn: u32, span: i64) {
        let it = self.it(contact);
        let Phase::Talking(agent) = it.phase else { return };
        if it.turn != turn {
            return;
        }
        if let Some(talk) = it.talks.last_mut() {
            talk.hold += span;
        }
        let at = self.stamp(contact);
        self.tell(contact, Act { value: span, ..Act::new(Kind::Held, at).by(agent) });
    }

    pub(super) fn talk_ends(&mut self, contact: u32, turn: u32) {
        let it = self.it(contact);
        let Phase::Talking(agent) = it.phase else { return };
        if it.turn != turn {
            return;
        }
        let hand_on = it.transfers < 2 && self.chance.permille(55);
        match hand_on.then(|| self.where_to(contact)).flatten() {
            Some(to_queue) => self.transfer(contact, agent, to_queue),
            None => self.end(contact, agent),
        }
    }

    /// Another queue of the channel; a chat may go back into its own.
    fn where_to(&mut self, contact: u32) -> Option<u32> {
        let (queue, chat) = (self.it(contact).queue, self.it(contact).chat);
        let other = self.chance.index(self.lines.len()) as u32;
        let habits = &self.plan.centre.habits[other as usize];
        let fits = habits.chat == chat && (chat || other != queue) && self.lines[other as usize].on > 0;
        fits.then_some(other)
    }

    fn transfer(&mut self, contact: u32, agent: u32, to_queue: u32) {
        let at = self.stamp(contact);
        let queue = self.it(contact).queue;
        let act = Act::new(Kind::Transferred, at).in_queue(queue).by(agent);
        self.tell(contact, Act { to_queue, ..act });
        self.note_talk(contact, at);
        let of = self.it(contact).talks.last().map_or(queue, |talk| talk.queue);
        self.note(contact, 1, at, What::Transferred { agent, queue: of });
        self.it(contact).transfers += 1;
        self.enter(contact, to_queue, at);
        if self.chance.permille(400) {
            let again = self.stamp(contact);
            self.tell(contact, Act::new(Kind::Queued, again).in_queue(to_queue));
        }
        self.begin_wrap(contact, agent);
        self.find_agent(contact);
    }

    /// The latest talk ends: handled.
    fn note_talk(&mut self, contact: u32, at: i64) {
        let Some(talk) = self.it(contact).talks.last_mut() else { return };
        talk.end = Some(at);
        let Talk { agent, queue, start, hold, .. } = *talk;
        let hold = hold.min(at - start);
        self.note(contact, -1, start, What::Running { agent });
        self.note(contact, 1, start, What::Segment { agent, end: at });
        self.note(contact, 1, at, What::Handled { agent, queue, talk: at - start - hold, hold });
    }

    pub(super) fn end(&mut self, contact: u32, agent: u32) {
        let at = self.stamp(contact);
        let queue = self.it(contact).queue;
        let solved = self.is_solved(queue, agent);
        let says_so = solved && self.chance.permille(150);
        let act = Act::new(Kind::Ended, at).by(agent);
        self.tell(contact, Act { resolved: says_so.then_some(true), ..act });
        self.note_talk(contact, at);
        self.it(contact).phase = Phase::Over;
        self.it(contact).turn += 1;
        if says_so {
            self.note_resolved(contact, agent);
        }
        self.fib(contact);
        self.begin_wrap(contact, agent);
        self.plan_after(contact, agent, solved, says_so);
    }

    fn begin_wrap(&mut self, contact: u32, agent: u32) {
        let it = self.it(contact);
        let (queue, chat) = (it.talks.last().map_or(it.queue, |talk| talk.queue), it.chat);
        let mean = self.plan.centre.habits[queue as usize].after_work;
        let delay = 2 * SECOND + self.chance.exponential(mean);
        if !chat || self.agents[agent as usize].load == 1 {
            self.declare(agent, AgentState::WrapUp);
        }
        self.later(contact, delay, Step::WrapEnd { contact, agent });
    }

    /// After-contact work is done; some forget to say so, and who has the contact again by now does not.
    pub(super) fn wrap_ends(&mut self, contact: u32, agent: u32) {
        let mine = |talk: &&mut Talk| talk.agent == agent && talk.end.is_some() && !talk.wrapped;
        let again = self.it(contact).phase == Phase::Talking(agent);
        if self.chance.permille(980) && !again {
            let at = self.stamp(contact);
            // The latest talk of the agent that has no after-work yet: the rule that a reader has, too.
            let talk = self.it(contact).talks.iter_mut().rev().find(mine);
            if let Some(talk) = talk {
                talk.wrapped = true;
                let (queue, end) = (talk.queue, talk.end.unwrap_or(at));
                self.tell(contact, Act::new(Kind::WrappedUp, at).by(agent));
                self.note(contact, 1, end, What::AfterWork { agent, queue, span: at - end });
            }
        }
        self.relieve(agent);
    }

    pub(super) fn lose_patience(&mut self, contact: u32, leg: u32) {
        let it = self.it(contact);
        if it.leg != leg || !matches!(it.phase, Phase::Waiting | Phase::Ringing(_)) {
            return;
        }
        let (queue, phase) = (it.queue, it.phase);
        let at = self.stamp(contact);
        // A few are hung up on by the system: over, but not given up.
        let how = if self.chance.permille(60) { Lost::Unfinished } else { Lost::Abandoned };
        let kind = if how == Lost::Unfinished { Kind::Ended } else { Kind::Abandoned };
        let act = Act::new(kind, at);
        self.tell(contact, if kind == Kind::Abandoned { act.in_queue(queue) } else { act });
        self.note_lost(contact, at, how);
        if self.it(contact).talks.is_empty() {
            self.note(contact, 1, at, What::ContactLost { how });
        }
        self.it(contact).phase = Phase::Over;
        self.it(contact).turn += 1;
        if let Phase::Ringing(agent) = phase {
            self.relieve(agent);
        }
    }

    fn note_lost(&mut self, contact: u32, at: i64, how: Lost) {
        let it = &self.contacts[contact as usize];
        let (queue, entry) = (it.queue, it.entry);
        self.note(contact, -1, entry, What::Waiting { queue });
        self.note(contact, 1, at, What::LegLost { queue, how, wait: Some(at - entry) });
        if how != Lost::Unfinished {
            for i in 0..self.it(contact).rung.len() {
                let agent = self.it(contact).rung[i].0;
                self.note(contact, 1, at, What::OfferMissed { agent });
            }
        }
        self.clear_rung(contact);
    }

    /// Waited too long: on to another queue, if somebody is there.
    pub(super) fn overflow(&mut self, contact: u32, leg: u32) {
        let it = &self.contacts[contact as usize];
        if it.leg != leg || it.phase != Phase::Waiting {
            return;
        }
        let queue = it.queue;
        let Some((_, to)) = self.plan.centre.habits[queue as usize].overflow else { return };
        if self.lines[to].on == 0 {
            return;
        }
        let (at, to_queue) = (self.stamp(contact), to as u32);
        self.tell(contact, Act { to_queue, ..Act::new(Kind::Transferred, at).in_queue(queue) });
        self.note_lost(contact, at, Lost::FlowedOut);
        self.enter(contact, to_queue, at);
        self.find_agent(contact);
    }
}

impl Contact {
    fn begin(&mut self) {
        self.phase = Phase::Waiting;
        (self.turn, self.leg, self.entry, self.first_entry, self.clock) = (0, 0, 0, 0, 0);
        self.rung.clear();
        self.talks.clear();
        self.wrongs.clear();
        (self.asked, self.responded, self.resolved_by) = (None, false, None);
        (self.turns_left, self.agent_next, self.transfers, self.steps) = (0, false, 0, 0);
    }
}
