//! One contact told from its first fact to its last: the table of `docs/measures.md`, section 2, row by row.

use super::Name;
use super::group::Kept;
use crate::model::event::Kind;

/// How a visit to a queue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    Abandoned,
    FlowedOut,
    Unfinished,
}

/// A ring of one agent on one leg.
#[derive(Debug, Clone)]
pub(super) struct Ring {
    pub(super) agent: Name,
    pub(super) team: Option<Name>,
    pub(super) at: i64,
}

/// A visit to a queue.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    pub(super) queue: Option<Name>,
    pub(super) entry: Option<i64>,
    pub(super) rings: Vec<Ring>,
    pub(super) outcome: Option<(Outcome, i64)>,
}

/// One agent's conversation.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// Index of the leg it answered.
    pub(super) leg: usize,
    pub(super) agent: Option<Name>,
    pub(super) team: Option<Name>,
    pub(super) begin: i64,
    pub(super) end: Option<i64>,
    pub(super) hold_ms: i64,
    pub(super) after_work_ms: Option<i64>,
    /// When it was passed on by its agent.
    pub(super) transferred: Option<i64>,
    /// Another one's answer ended it, and no transfer told so.
    taken_over: bool,
    /// It never ended: cut off when the contact expired, and gives no handle time.
    pub(super) broken_off: bool,
}

/// A reply to a waiting customer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) at: i64,
    pub(super) author: Option<Name>,
    pub(super) team: Option<Name>,
    pub(super) queue: Option<Name>,
    /// Oldest unanswered message.
    pub(super) asked: i64,
    /// Latest known entry of a leg before it.
    pub(super) entry: Option<i64>,
}

/// What happened to a contact.
#[derive(Debug, Clone, Default)]
pub(super) struct Story {
    pub(super) legs: Vec<Leg>,
    pub(super) segments: Vec<Segment>,
    pub(super) replies: Vec<Reply>,
    /// It stands resolved, and by whom if that is known.
    pub(super) resolved: Option<Option<Name>>,
}

impl Story {
    /// The leg that waits.
    pub(super) fn open(&self) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.outcome.is_none())
    }

    /// The segment that runs.
    pub(super) fn running(&self) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.end.is_none())
    }
}

/// Tells the story of the facts, which stand in their order; `expired`: nothing more is waited for.
pub(super) fn walk(facts: &[&Kept], expired: bool) -> Story {
    let names =
        |fact: &&&Kept| fact.queue.is_some() || (fact.kind == Kind::Transferred && fact.to_queue.is_some());
    let queue = facts.iter().find(names).and_then(|fact| fact.queue.clone());
    let mut walk = Walk { queue, ..Walk::default() };
    for fact in facts {
        walk.step(fact);
    }
    if let (true, Some(last)) = (expired, facts.last()) {
        walk.expire(last.time);
    }
    walk.story
}

#[derive(Default)]
struct Walk {
    story: Story,
    queue: Option<Name>,
    asked: Option<i64>,
}

impl Walk {
    fn step(&mut self, fact: &Kept) {
        if fact.queue.is_some() {
            self.queue.clone_from(&fact.queue);
        }
        match fact.kind {
            Kind::TicketOpened | Kind::CustomerMessage => self.asked = self.asked.or(Some(fact.time)),
            Kind::Queued => self.queued(self.queue.clone(), fact.time),
            Kind::Offered if !fact.automatic => self.offered(fact),
            Kind::Answered if !fact.automatic => self.answered(fact),
            Kind::Transferred => self.transferred(fact),
            Kind::Abandoned => self.abandoned(fact),
            Kind::Ended => self.ended(fact),
            Kind::WrappedUp => self.wrapped_up(fact),
            Kind::Held => self.held(fact),
            Kind::AgentMessage if !fact.automatic && !fact.internal => self.replied(fact),
            Kind::Resolved if !fact.automatic => self.resolve(fact.agent.clone()),
            Kind::Reopened => self.story.resolved = None,
            Kind::Survey if fact.resolved == Some(true) && self.story.resolved.is_none() => {
                self.resolve(None)
            }
            _ => {}
        }
    }

    fn queued(&mut self, queue: Option<Name>, now: i64) {
        match self.waiting() {
            Some(leg) if leg.queue == queue => return,
            Some(leg) => leg.outcome = Some((Outcome::FlowedOut, now)),
            None => {}
        }
        self.arrive(queue, Some(now));
    }

    fn offered(&mut self, fact: &Kept) {
        if self.waiting().is_none() {
            self.arrive(self.queue.clone(), Some(fact.time));
        }
        let (Some(agent), Some(leg)) = (&fact.agent, self.waiting()) else { return };
        if leg.rings.iter().all(|ring| ring.agent != *agent) {
            leg.rings.push(Ring { agent: agent.clone(), team: fact.team.clone(), at: fact.time });
        }
    }

    fn answered(&mut self, fact: &Kept) {
        let now = fact.time;
        let talking = self.story.running().map(|segment| segment.agent.clone());
        match self.waiting() {
            Some(leg) if fact.queue.is_none() || leg.queue == fact.queue => {
                leg.outcome = Some((Outcome::Answered, now));
            }
            Some(leg) => {
                leg.outcome = Some((Outcome::FlowedOut, now));
                self.arrive(fact.queue.clone(), None).outcome = Some((Outcome::Answered, now));
            }
            None if talking.is_some_and(|who| fact.agent.is_none() || who == fact.agent) => return,
            None => self.arrive(self.queue.clone(), None).outcome = Some((Outcome::Answered, now)),
        }
        if let Some(segment) = self.talking() {
            segment.end = Some(now);
            segment.taken_over = segment.agent != fact.agent;
        }
        let leg = self.story.legs.iter().rposition(|leg| leg.outcome == Some((Outcome::Answered, now)));
        self.story.segments.push(Segment {
            leg: leg.expect("a leg was answered just now"),
            agent: fact.agent.clone(),
            team: fact.team.clone(),
            begin: now,
            end: None,
            hold_ms: 0,
            after_work_ms: None,
            transferred: None,
            taken_over: false,
            broken_off: false,
        });
    }

    fn transferred(&mut self, fact: &Kept) {
        let late = self.told_late(fact);
        if fact.to_queue.is_some() {
            self.queue.clone_from(&fact.to_queue);
        }
        if late {
            return;
        }
        if let Some(segment) = self.talking() {
            segment.end = Some(fact.time);
            segment.transferred = Some(fact.time);
        } else if let Some(leg) =
            self.waiting().filter(|leg| fact.to_queue.is_none() || leg.queue != fact.to_queue)
        {
            leg.outcome = Some((Outcome::FlowedOut, fact.time));
        }
        if fact.to_queue.is_some() {
            self.queued(fact.to_queue.clone(), fact.time);
        }
    }

    /// A transfer that was overtaken by the next answer: it credits whom it names, or nobody, and moves nothing.
    fn told_late(&mut self, fact: &Kept) -> bool {
        let talking = self.story.running().cloned();
        let talks =
            fact.agent.is_some() && talking.as_ref().is_some_and(|segment| segment.agent == fact.agent);
        if fact.agent.is_some() && !talks {
            let theirs = self.story.segments.iter_mut().rfind(|segment| segment.agent == fact.agent);
            if let Some(segment) =
                theirs.filter(|segment| segment.taken_over && segment.transferred.is_none())
            {
                segment.transferred = Some(fact.time);
                return true;
            }
        }
        talking.is_some_and(|segment| {
            let there = fact.to_queue.is_some() && self.story.legs[segment.leg].queue == fact.to_queue;
            there && !talks && fact.queue.is_some() && fact.queue != fact.to_queue
        })
    }

    fn abandoned(&mut self, fact: &Kept) {
        if let Some(leg) = self.waiting() {
            leg.outcome = Some((Outcome::Abandoned, fact.time));
        } else if self.story.legs.is_empty() {
            self.arrive(self.queue.clone(), None).outcome = Some((Outcome::Abandoned, fact.time));
        } else if self.story.running().is_some() {
            self.ended(fact);
        }
    }

    fn ended(&mut self, fact: &Kept) {
        self.hang_up(fact.time);
        if let Some(leg) = self.waiting() {
            leg.outcome = Some((Outcome::Unfinished, fact.time));
        }
        if fact.resolved == Some(true) && !fact.automatic {
            self.resolve(fact.agent.clone());
        }
    }

    fn wrapped_up(&mut self, fact: &Kept) {
        let theirs = |segment: &Segment| fact.agent.is_none() || segment.agent == fact.agent;
        let segments = &mut self.story.segments;
        if let Some(segment) = segments.iter_mut().rfind(|segment| theirs(segment) && segment.end.is_none()) {
            segment.end = Some(fact.time);
            segment.after_work_ms = Some(0);
        } else if let Some(segment) =
            segments.iter_mut().rfind(|segment| theirs(segment) && segment.after_work_ms.is_none())
        {
            segment.after_work_ms = segment.end.map(|end| fact.time - end);
        }
    }

    fn held(&mut self, fact: &Kept) {
        let whose = fact.agent.clone();
        if let Some(segment) = self.talking().filter(|segment| whose.is_none() || segment.agent == whose) {
            segment.hold_ms = segment.hold_ms.saturating_add(fact.hold_ms.unwrap_or(0).max(0));
        }
    }

    fn replied(&mut self, fact: &Kept) {
        let Some(asked) = self.asked.take() else { return };
        self.story.replies.push(Reply {
            at: fact.time,
            author: fact.agent.clone(),
            team: fact.team.clone(),
            queue: self.queue.clone(),
            asked,
            entry: self.story.legs.iter().filter_map(|leg| leg.entry).max(),
        });
    }

    fn resolve(&mut self, by: Option<Name>) {
        let latest = self.story.segments.last().and_then(|segment| segment.agent.clone());
        self.story.resolved = Some(by.or(latest));
    }

    fn expire(&mut self, last: i64) {
        if let Some(leg) = self.waiting() {
            leg.outcome = Some((Outcome::Unfinished, last));
        }
        if let Some(segment) = self.talking() {
            segment.end = Some(last);
            segment.broken_off = true;
        }
    }

    fn hang_up(&mut self, now: i64) {
        if let Some(segment) = self.talking() {
            segment.end = Some(now);
        }
    }

    fn arrive(&mut self, queue: Option<Name>, entry: Option<i64>) -> &mut Leg {
        self.story.legs.push(Leg { queue, entry, rings: Vec::new(), outcome: None });
        self.story.legs.last_mut().expect("pushed just now")
    }

    fn waiting(&mut self) -> Option<&mut Leg> {
        self.story.legs.iter_mut().find(|leg| leg.outcome.is_none())
    }

    fn talking(&mut self) -> Option<&mut Segment> {
        self.story.segments.iter_mut().find(|segment| segment.end.is_none())
    }
}
