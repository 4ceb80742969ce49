//! What the floor tells: events into the post and notes into the scripts. Some events are told wrong, some things are told
//! that never happened, and both are put right later; what is noted is always the truth.

use super::{Floor, Step, Wrong};
use crate::io::traffic::outcome::{NONE, What};
use crate::io::traffic::post::Parcel;
use crate::io::traffic::script::Act;
use crate::model::event::Kind;
use crate::model::units::{MINUTE, SECOND};

impl Floor {
    /// Sends an event of a contact. Some are told wrong, some things are told that never happened: both are put right
    /// later, and what is noted is always the truth.
    pub(super) fn tell(&mut self, contact: u32, act: Act) {
        let rates = self.plan.mischief;
        if self.mischief.ppm(rates.replaced)
            && let Some(wrong) = self.distort(act)
        {
            let told = self.send(contact, wrong, true);
            return self.put_right(contact, Wrong { told, right: Some(act) });
        }
        self.send(contact, act, false);
    }

    /// Perhaps sends something that never happened, to be withdrawn.
    pub(super) fn fib(&mut self, contact: u32) {
        if !self.mischief.ppm(self.plan.mischief.voided) {
            return;
        }
        let agent = self.mischief.index(self.agents.len()) as u32;
        let queue = self.contacts[contact as usize].queue;
        let kinds =
            [Kind::Resolved, Kind::AgentMessage, Kind::Answered, Kind::WrappedUp, Kind::CustomerMessage];
        let kind = kinds[self.mischief.index(kinds.len())];
        let act = Act::new(kind, self.stamp(contact)).by(agent);
        let act = if kind == Kind::Answered { act.in_queue(queue) } else { act };
        let told = self.send(contact, act, true);
        self.put_right(contact, Wrong { told, right: None });
    }

    pub(super) fn put_right(&mut self, contact: u32, wrong: Wrong) {
        let wrongs = &mut self.contacts[contact as usize].wrongs;
        wrongs.push(wrong);
        let number = wrongs.len() as u32 - 1;
        let delay = (5 * SECOND + self.mischief.exponential(8 * MINUTE)).min(120 * MINUTE);
        self.later(contact, delay, Step::Amend { contact, number });
    }

    /// A wrong version of an event, for kinds that people get wrong.
    pub(super) fn distort(&mut self, act: Act) -> Option<Act> {
        let other = self.mischief.index(self.agents.len()) as u32;
        match act.kind {
            Kind::Answered | Kind::Resolved if other != act.agent => Some(act.by(other)),
            Kind::Held => Some(Act { value: act.value * 7, ..act }),
            Kind::AgentMessage => Some(Act { internal: !act.internal, ..act }),
            Kind::WrappedUp => Some(Act { time: act.time + 30 * SECOND, ..act }),
            _ => None,
        }
    }

    /// The correction of a wrong event.
    pub(super) fn amend(&mut self, contact: u32, number: u32) {
        let Wrong { told, right } = self.contacts[contact as usize].wrongs[number as usize];
        let act = match right {
            Some(right) => right,
            None => Act::new(Kind::Voided, self.stamp(contact)),
        };
        self.send(contact, Act { target: Some(told), ..act }, false);
    }

    /// A new time for an event of the contact: now, but after its events before.
    pub(super) fn stamp(&mut self, contact: u32) -> i64 {
        let it = &mut self.contacts[contact as usize];
        it.clock = self.now.max(it.clock + 1);
        it.clock
    }

    pub(super) fn send(&mut self, id: u32, act: Act, wrong: bool) -> u64 {
        self.told += 1;
        let contact = &mut self.contacts[id as usize];
        let act = Act { number: self.told, ..act };
        let index = contact.script.tell(act, wrong);
        self.post.send(Parcel {
            act,
            sent: self.now,
            contact: Some((id, index)),
            visit: contact.number,
            customer: contact.customer,
            chat: contact.chat,
            ..Parcel::default()
        });
        self.told
    }

    pub(super) fn note(&mut self, contact: u32, sign: i8, at: i64, what: What) {
        self.contacts[contact as usize].script.note(sign, at, what);
    }

    pub(super) fn send_alone(&mut self, act: Act) {
        self.told += 1;
        let act = Act { number: self.told, ..act };
        self.post.send(Parcel { act, sent: self.now, customer: NONE, ..Parcel::default() });
    }
}
