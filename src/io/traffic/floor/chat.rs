//! Chats: messages instead of talk, up to three contacts at once, bots that greet, notes that no customer sees.

use super::{Floor, Phase, Step};
use crate::io::traffic::outcome::{NONE, What};
use crate::io::traffic::script::Act;
use crate::model::event::Kind;
use crate::model::units::SECOND;

impl Floor {
    /// The customer writes before the contact is queued; some open a ticket first.
    pub(super) fn opening_message(&mut self, contact: u32) {
        let ticket = self.chance.permille(150);
        let kind = if ticket { Kind::TicketOpened } else { Kind::CustomerMessage };
        let at = self.stamp(contact);
        self.tell(contact, Act::new(kind, at));
        self.it(contact).asked = Some(at);
    }

    /// A bot says that somebody will come: no person's response.
    pub(super) fn bot_greets(&mut self, contact: u32) {
        if self.chance.permille(700) {
            let at = self.stamp(contact);
            self.tell(contact, Act { automatic: true, ..Act::new(Kind::AgentMessage, at) });
        }
    }

    pub(super) fn begin_chat(&mut self, contact: u32, agent: u32, turn: u32) {
        if self.chance.permille(300) {
            // A welcome in the agent's name, sent by the machine.
            let at = self.stamp(contact);
            self.tell(contact, Act { automatic: true, ..Act::new(Kind::AgentMessage, at).by(agent) });
        }
        let turns = self.chance.between(2, 6) as u32;
        let it = self.it(contact);
        (it.turns_left, it.agent_next) = (turns, true);
        let delay = self.thinking(agent);
        self.later(contact, delay, Step::ChatTurn { contact, turn });
    }

    /// How long an agent takes to write, the longer the more chats are in hand.
    fn thinking(&mut self, agent: u32) -> i64 {
        let it = &self.agents[agent as usize];
        let (load, skill) = (i64::from(it.load), i64::from(it.skill));
        2 * SECOND + self.chance.exponential((7 + 3 * load) * SECOND * (1_400 - skill) / 1_000)
    }

    pub(super) fn chat_turn(&mut self, contact: u32, turn: u32) {
        let it = self.it(contact);
        let Phase::Talking(agent) = it.phase else { return };
        if it.turn != turn {
            return;
        }
        let delay = if it.agent_next {
            self.agent_writes(contact, agent);
            let queue = self.it(contact).queue;
            2 * SECOND + self.chance.exponential(self.plan.centre.habits[queue as usize].talk)
        } else {
            it.turns_left = it.turns_left.saturating_sub(1);
            if it.turns_left == 0 {
                return self.talk_ends(contact, turn);
            }
            self.customer_writes(contact);
            self.thinking(agent)
        };
        let it = self.it(contact);
        it.agent_next = !it.agent_next;
        self.later(contact, delay, Step::ChatTurn { contact, turn });
    }

    fn customer_writes(&mut self, contact: u32) {
        let messages = if self.chance.permille(200) { 2 } else { 1 };
        for _ in 0..messages {
            let at = self.stamp(contact);
            self.tell(contact, Act::new(Kind::CustomerMessage, at));
            self.it(contact).asked.get_or_insert(at);
        }
    }

    fn agent_writes(&mut self, contact: u32, agent: u32) {
        if self.chance.permille(60) {
            let at = self.stamp(contact);
            self.tell(contact, Act { internal: true, ..Act::new(Kind::AgentMessage, at).by(agent) });
        }
        let at = self.stamp(contact);
        self.tell(contact, Act::new(Kind::AgentMessage, at).by(agent));
        self.note_reply(contact, agent, at);
        self.fib(contact);
        if self.chance.permille(120) {
            // A second message of the same breath answers nothing.
            let at = self.stamp(contact);
            self.tell(contact, Act::new(Kind::AgentMessage, at).by(agent));
        }
    }

    fn note_reply(&mut self, contact: u32, agent: u32, at: i64) {
        let it = self.it(contact);
        let Some(asked) = it.asked.take() else { return };
        let (queue, entry, first) = (it.queue, it.entry, !std::mem::replace(&mut it.responded, true));
        debug_assert_ne!(queue, NONE);
        self.note(contact, 1, at, What::Response { agent, queue, span: at - asked });
        if first {
            let (since_message, since_handoff) = (at - asked, at - asked.max(entry));
            self.note(contact, 1, at, What::FirstResponse { agent, queue, since_message, since_handoff });
        }
    }
}
