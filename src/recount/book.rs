//! From a contact's story to what is counted: `docs/measures.md`, section 3 and 4, observation by observation.

use super::Name;
use super::walk::{Leg, Outcome, Reply, Segment, Story};
use crate::engine::definitions::{Definitions, Person};

/// Counts and sums that are added together: at one moment, for these subjects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Booking {
    pub(super) at: i64,
    pub(super) agent: Option<Name>,
    pub(super) team: Option<Name>,
    pub(super) queue: Option<Name>,
    pub(super) unit: bool,
    pub(super) adds: Vec<(&'static str, i64)>,
}

/// All bookings of a contact.
pub(super) fn bookings(story: &Story, definitions: &Definitions) -> Vec<Booking> {
    let book = Book { story, definitions };
    let mut all = Vec::new();
    all.extend(story.legs.iter().enumerate().filter_map(|(number, leg)| book.leg(number, leg)));
    all.extend(book.contact());
    all.extend(story.legs.iter().flat_map(|leg| book.rings(leg)));
    all.extend(story.segments.iter().flat_map(|segment| book.segment(segment)));
    all.extend(story.replies.iter().enumerate().map(|(number, reply)| book.reply(number == 0, reply)));
    all.extend(story.segments.iter().enumerate().filter_map(|(number, segment)| book.taken(number, segment)));
    all
}

/// Who is on the roster as `agent` at `at`.
pub(super) fn person<'a>(definitions: &'a Definitions, agent: &str, at: i64) -> Option<&'a Person> {
    definitions.roster.iter().find(|person| {
        person.agent == agent
            && person.from.is_none_or(|from| from <= at)
            && person.to.is_none_or(|to| at < to)
    })
}

struct Book<'a> {
    story: &'a Story,
    definitions: &'a Definitions,
}

impl Book<'_> {
    /// A visit to a queue that has ended.
    fn leg(&self, number: usize, leg: &Leg) -> Option<Booking> {
        let (outcome, at) = leg.outcome?;
        let queue = leg.queue.clone()?;
        let defined = self.definitions.queues.iter().find(|defined| defined.id == *queue);
        let wait = leg.entry.map(|entry| at - entry);
        let mut adds = vec![(outcome_column(outcome), 1)];
        if wait.is_some() && defined.is_some() {
            adds.push(("sl_offered", 1));
        }
        if outcome == Outcome::Answered {
            if let Some(wait) = wait {
                adds.extend([("waits", 1), ("wait_ms", wait)]);
            }
            if let (Some(wait), Some(defined)) = (wait, defined)
                && wait <= defined.within_ms
            {
                adds.push(("within", 1));
            }
            let last = self.story.legs.iter().rposition(answered) == Some(number);
            adds.extend([("taken", 1), ("resolved", i64::from(last && self.story.resolved.is_some()))]);
        }
        Some(Booking { at, queue: Some(queue), adds, ..Booking::default() })
    }

    /// The customer, once: answered at the first answer, else what became of the last leg.
    fn contact(&self) -> Option<Booking> {
        let legs = &self.story.legs;
        if let Some((number, at)) = legs
            .iter()
            .enumerate()
            .find(|(_, leg)| answered(leg))
            .and_then(|(number, leg)| Some((number, leg.outcome?.1)))
        {
            let entry = legs[..=number].iter().find_map(|leg| leg.entry);
            let mut adds =
                vec![("answered", 1), ("taken", 1), ("resolved", i64::from(self.story.resolved.is_some()))];
            if let Some(entry) = entry {
                adds.extend([("waits", 1), ("wait_ms", at - entry)]);
            }
            return Some(Booking { at, unit: true, adds, ..Booking::default() });
        }
        let (outcome, at) = legs.last()?.outcome?;
        let column = if outcome == Outcome::Abandoned { "abandoned" } else { "unfinished" };
        Some(Booking { at, unit: true, adds: vec![(column, 1)], ..Booking::default() })
    }

    /// The agents who were rung on a leg, and who of them missed it.
    fn rings(&self, leg: &Leg) -> Vec<Booking> {
        let lost =
            leg.outcome.filter(|(outcome, _)| matches!(outcome, Outcome::Abandoned | Outcome::FlowedOut));
        let mut all = Vec::new();
        for ring in &leg.rings {
            all.push(self.person(ring.at, &ring.agent, ring.team.as_ref(), vec![("offers", 1)]));
            if let Some((_, at)) = lost {
                all.push(self.person(at, &ring.agent, ring.team.as_ref(), vec![("offers_missed", 1)]));
            }
        }
        all
    }

    /// A conversation: the offer that was answered, the work, the transfer.
    fn segment(&self, segment: &Segment) -> Vec<Booking> {
        let leg = &self.story.legs[segment.leg];
        let mut all = Vec::new();
        if let Some(agent) = &segment.agent {
            let mut adds = vec![("offers_answered", 1)];
            if leg.rings.iter().all(|ring| ring.agent != *agent) {
                adds.push(("offers", 1));
            }
            all.push(self.person(segment.begin, agent, segment.team.as_ref(), adds));
        }
        let everywhere = |at: i64, adds| {
            self.everywhere(at, segment.agent.as_ref(), segment.team.as_ref(), leg.queue.as_ref(), adds)
        };
        all.extend(segment.transferred.map(|at| everywhere(at, vec![("transferred", 1)])));
        if let Some(end) = segment.end.filter(|_| !segment.broken_off) {
            all.push(everywhere(end, work(segment, end)));
        }
        all
    }

    fn reply(&self, first: bool, reply: &Reply) -> Booking {
        let since_message = reply.at - reply.asked;
        let since_handoff = reply.at - reply.entry.unwrap_or(reply.asked).max(reply.asked);
        let mut adds = vec![("responses", 1), ("response_ms", since_message)];
        if first {
            adds.extend([("first_responses", 1), ("first_since_message_ms", since_message)]);
            adds.push(("first_since_handoff_ms", since_handoff));
        }
        self.everywhere(reply.at, reply.author.as_ref(), reply.team.as_ref(), reply.queue.as_ref(), adds)
    }

    /// The agent's first answer in the contact.
    fn taken(&self, number: usize, segment: &Segment) -> Option<Booking> {
        let agent = segment.agent.as_ref()?;
        if self.story.segments[..number].iter().any(|earlier| earlier.agent.as_ref() == Some(agent)) {
            return None;
        }
        let theirs = self.story.resolved.as_ref().is_some_and(|by| by.as_ref() == Some(agent));
        let adds = vec![("taken", 1), ("resolved", i64::from(theirs))];
        let booking = self.person(segment.begin, agent, segment.team.as_ref(), adds);
        Some(Booking { unit: false, ..booking })
    }

    /// Agent, team and unit.
    fn person(&self, at: i64, agent: &Name, named: Option<&Name>, adds: Vec<(&'static str, i64)>) -> Booking {
        let team = match person(self.definitions, agent, at) {
            Some(person) => Some(person.team.as_str().into()),
            None => named.cloned(),
        };
        Booking { at, agent: Some(agent.clone()), team, queue: None, unit: true, adds }
    }

    /// Agent, team, queue and unit; without an agent queue and unit.
    fn everywhere(
        &self,
        at: i64,
        agent: Option<&Name>,
        named: Option<&Name>,
        queue: Option<&Name>,
        adds: Vec<(&'static str, i64)>,
    ) -> Booking {
        let booking = match agent {
            Some(agent) => self.person(at, agent, named, adds),
            None => Booking { at, unit: true, adds, ..Booking::default() },
        };
        Booking { queue: queue.cloned(), ..booking }
    }
}

fn answered(leg: &Leg) -> bool {
    matches!(leg.outcome, Some((Outcome::Answered, _)))
}

fn outcome_column(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::Abandoned => "abandoned",
        Outcome::FlowedOut => "flowed_out",
        Outcome::Unfinished => "unfinished",
    }
}

fn work(segment: &Segment, end: i64) -> Vec<(&'static str, i64)> {
    let length = end - segment.begin;
    let hold = segment.hold_ms.min(length);
    vec![
        ("handled", 1),
        ("talk_ms", length - hold),
        ("hold_ms", hold),
        ("after_work_ms", segment.after_work_ms.unwrap_or(0)),
    ]
}
