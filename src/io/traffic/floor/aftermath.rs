//! After a contact: who says when that the matter is solved, surveys, what comes back.

use super::{After, Floor, Step};
use crate::io::traffic::outcome::What;
use crate::io::traffic::script::Act;
use crate::model::event::Kind;
use crate::model::units::{HOUR, MINUTE, SECOND};

impl Floor {
    /// Who says when that the matter is solved, and what else follows.
    pub(super) fn plan_after(&mut self, contact: u32, agent: u32, solved: bool, said: bool) {
        let later = |floor: &mut Self, low: i64, high: i64, what: After| {
            let delay = floor.chance.between(low, high);
            floor.later(contact, delay, Step::After { contact, what });
        };
        if solved && !said && self.chance.permille(920) {
            // Now and then a colleague closes the case, who never had the contact.
            let by =
                if self.chance.permille(15) { self.chance.index(self.agents.len()) as u32 } else { agent };
            later(self, 4 * SECOND, 50 * SECOND, After::Resolved { agent: by });
        }
        if self.chance.permille(140) {
            later(self, 90 * SECOND, 20 * MINUTE, After::Survey { happy: solved });
        }
        if !solved && self.chance.permille(250) {
            later(self, 20 * MINUTE, 2 * HOUR, After::AutoResolved);
        }
        if solved && self.chance.permille(35) {
            later(self, 40 * MINUTE, 20 * HOUR, After::Reopened);
        }
        if self.chance.permille(60) {
            later(self, 30 * MINUTE, 3 * HOUR, After::Closed);
        }
    }

    pub(super) fn after(&mut self, contact: u32, what: After) {
        let at = self.stamp(contact);
        match what {
            After::Resolved { agent } => {
                self.tell(contact, Act::new(Kind::Resolved, at).by(agent));
                self.note_resolved(contact, agent);
            }
            After::AutoResolved => {
                let agent = self.it(contact).talks.last().map_or(0, |talk| talk.agent);
                self.tell(contact, Act { automatic: true, ..Act::new(Kind::Resolved, at).by(agent) });
            }
            After::Survey { happy } => self.survey(contact, at, happy),
            After::Reopened => self.reopened(contact, at),
            After::Closed => self.tell(contact, Act::new(Kind::Closed, at)),
        }
    }

    pub(super) fn survey(&mut self, contact: u32, at: i64, happy: bool) {
        let score = self.chance.between(if happy { 3 } else { 1 }, if happy { 5 } else { 3 });
        let resolved = self.chance.permille(700).then_some(happy);
        self.tell(contact, Act { value: score * 1_000_000, resolved, ..Act::new(Kind::Survey, at) });
        let it = self.it(contact);
        if resolved == Some(true) && it.resolved_by.is_none() {
            let agent = it.talks.last().map_or(0, |talk| talk.agent);
            self.note_resolved(contact, agent);
        }
    }

    pub(super) fn reopened(&mut self, contact: u32, at: i64) {
        self.tell(contact, Act::new(Kind::Reopened, at));
        if let Some(agent) = self.it(contact).resolved_by.take() {
            self.note_resolution(contact, -1, agent);
            if self.chance.permille(600) {
                let delay = self.chance.between(5 * MINUTE, 90 * MINUTE);
                self.later(contact, delay, Step::After { contact, what: After::Resolved { agent } });
            }
        }
    }

    pub(super) fn note_resolved(&mut self, contact: u32, agent: u32) {
        if let Some(before) = self.it(contact).resolved_by.replace(agent) {
            self.note_resolution(contact, -1, before);
        }
        self.note_resolution(contact, 1, agent);
    }

    pub(super) fn note_resolution(&mut self, contact: u32, sign: i8, agent: u32) {
        let talks = &self.contacts[contact as usize].talks;
        let (Some(first), Some(last)) = (talks.first().copied(), talks.last().copied()) else { return };
        let mine = talks.iter().find(|talk| talk.agent == agent).map(|talk| talk.start);
        self.note(contact, sign, last.start, What::LegResolved { queue: last.queue });
        self.note(contact, sign, first.start, What::ContactResolved);
        if let Some(at) = mine {
            self.note(contact, sign, at, What::TakenResolved { agent });
        }
    }

    pub(super) fn is_solved(&mut self, queue: u32, agent: u32) -> bool {
        let usual = self.plan.centre.habits[queue as usize].solved;
        let skill = self.agents[agent as usize].skill;
        self.chance.permille((usual + skill / 8).saturating_sub(70).min(985))
    }
}
