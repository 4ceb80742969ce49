//! The script of one contact: what was told of it, what truly came of it, and how much of both is delivered.
//!
//! While the events of a contact arrive in their order, each makes known what the simulation noted with it. Only where a later
//! event has overtaken an earlier one, or a wrong one is not yet corrected, a partial reading takes over ([`super::partial`])
//! until the story is whole again.

use super::outcome::{NONE, Outcome, What};
use super::partial;
use super::truth::Truth;
use crate::model::event::Kind;

/// One event of a contact, an agent or a rating, before it is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Act {
    pub kind: Kind,
    pub time: i64,
    /// Number of the event; its identifier is made from it.
    pub number: u64,
    pub agent: u32,
    pub queue: u32,
    pub to_queue: u32,
    pub automatic: bool,
    pub internal: bool,
    pub resolved: Option<bool>,
    /// Hold in ms, score in millionths, or the state of an agent by its code.
    pub value: i64,
    /// Number of the event that this one voids.
    pub target: Option<u64>,
}

impl Act {
    /// A bare event at `time`.
    pub fn new(kind: Kind, time: i64) -> Self {
        Self {
            kind,
            time,
            number: 0,
            agent: NONE,
            queue: NONE,
            to_queue: NONE,
            automatic: false,
            internal: false,
            resolved: None,
            value: 0,
            target: None,
        }
    }

    /// By an agent.
    pub fn by(self, agent: u32) -> Self {
        Self { agent, ..self }
    }

    /// In a queue.
    pub fn in_queue(self, queue: u32) -> Self {
        Self { queue, ..self }
    }
}

/// See the module's page.
#[derive(Debug, Default)]
pub(super) struct Script {
    acts: Vec<Act>,
    /// Which acts are wrong, to be replaced or withdrawn.
    wrong: Vec<bool>,
    delivered: Vec<bool>,
    outcomes: Vec<(u32, i8, Outcome)>,
    /// Acts delivered without a hole, from the first.
    whole: usize,
    arrived: usize,
    /// Wrong acts delivered minus corrections delivered.
    astray: i32,
    /// Outcomes that the truth has learned.
    told: usize,
    /// What the partial reading last said, while it is needed.
    partial: Option<Vec<Outcome>>,
}

impl Script {
    /// Empty again, with its room kept.
    pub fn clear(&mut self) {
        self.acts.clear();
        self.wrong.clear();
        self.delivered.clear();
        self.outcomes.clear();
        (self.whole, self.arrived, self.astray, self.told) = (0, 0, 0, 0);
        self.partial = None;
    }

    /// Adds an act and gives its index.
    pub fn tell(&mut self, act: Act, wrong: bool) -> u32 {
        self.acts.push(act);
        self.wrong.push(wrong);
        self.delivered.push(false);
        (self.acts.len() - 1) as u32
    }

    /// An outcome that the latest act makes true (1) or ends (-1).
    pub fn note(&mut self, sign: i8, at: i64, what: What) {
        self.outcomes.push((self.acts.len() as u32 - 1, sign, Outcome { at, what }));
    }

    /// Whether everything told is delivered.
    pub fn is_delivered(&self) -> bool {
        self.arrived == self.acts.len()
    }

    /// The act arrives: the truth learns what it makes known.
    pub fn deliver(&mut self, index: u32, truth: &mut Truth) {
        let index = index as usize;
        let was_plain = self.is_plain();
        let before = was_plain.then_some(self.arrived);
        self.delivered[index] = true;
        self.arrived += 1;
        while self.delivered.get(self.whole) == Some(&true) {
            self.whole += 1;
        }
        self.astray += i32::from(self.wrong[index]) - i32::from(self.acts[index].target.is_some());
        if was_plain && self.is_plain() {
            return self.learn_noted(truth);
        }
        if let Some(prefix) = before {
            self.partial = Some(partial::read(self.acts[..prefix].iter().copied()));
        }
        self.learn_partial(truth);
    }

    /// No hole and nothing to correct.
    fn is_plain(&self) -> bool {
        self.whole == self.arrived && self.astray == 0
    }

    fn learn_noted(&mut self, truth: &mut Truth) {
        while let Some((act, sign, outcome)) = self.outcomes.get(self.told)
            && (*act as usize) < self.whole
        {
            truth.learn(*sign, *outcome);
            self.told += 1;
        }
    }

    /// Learns the difference between two partial readings; when the story is whole, its notes are as good as learned.
    fn learn_partial(&mut self, truth: &mut Truth) {
        let arrived = self.acts.iter().zip(&self.delivered).filter(|(_, delivered)| **delivered);
        let now = partial::read(arrived.map(|(act, _)| *act));
        let before = self.partial.take().unwrap_or_default();
        difference(&before, &now, |sign, outcome| truth.learn(sign, outcome));
        if !self.is_plain() {
            self.partial = Some(now);
            return;
        }
        debug_assert_eq!(self.noted(self.whole), now, "{:#?}", self.acts);
        let rest = self.outcomes[self.told..].iter().take_while(|(act, ..)| (*act as usize) < self.whole);
        self.told += rest.count();
    }

    /// The notes of the first acts, summed and sorted.
    #[cfg_attr(not(any(test, debug_assertions)), allow(dead_code))]
    fn noted(&self, acts: usize) -> Vec<Outcome> {
        let mut standing: Vec<Outcome> = Vec::new();
        for (_, sign, outcome) in self.outcomes.iter().filter(|(act, ..)| (*act as usize) < acts) {
            if *sign > 0 {
                standing.push(*outcome);
            } else if let Some(place) = standing.iter().position(|one| one == outcome) {
                standing.swap_remove(place);
            }
        }
        standing.sort_unstable();
        standing
    }

    /// Whether the notes are what a full reading of the acts gives, or something is still wrong.
    #[cfg(test)]
    pub fn agrees(&self) -> bool {
        let wrong = self.wrong.iter().filter(|wrong| **wrong).count();
        let amended = self.acts.iter().filter(|act| act.target.is_some()).count();
        wrong > amended || self.noted(self.acts.len()) == partial::read(self.acts.iter().copied())
    }
}

/// Calls with -1 for what only `before` has and with 1 for what only `after` has; both sorted.
fn difference(before: &[Outcome], after: &[Outcome], mut tell: impl FnMut(i8, Outcome)) {
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    loop {
        match (old.peek(), new.peek()) {
            (Some(a), Some(b)) if a == b => {
                old.next();
                new.next();
            }
            (Some(a), b) if b.is_none_or(|b| *a < b) => {
                tell(-1, **a);
                old.next();
            }
            (_, Some(b)) => {
                tell(1, **b);
                new.next();
            }
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_takes_back_what_is_gone_and_adds_what_is_new() {
        let outcome = |at| Outcome { at, what: What::Offer { agent: 1 } };
        let mut said = Vec::new();
        let (before, after) = ([1, 2, 2, 5].map(outcome), [2, 3, 5, 5].map(outcome));
        difference(&before, &after, |sign, outcome| said.push((sign, outcome.at)));
        assert_eq!(said, [(-1, 1), (-1, 2), (1, 3), (1, 5)]);
    }
}
