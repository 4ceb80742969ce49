//! What a reader may conclude from part of a contact's events: the page `docs/measures.md`, step by step, over the
//! simulator's own acts. Used while events are missing or wrong; the whole story needs no reading.

use super::outcome::{Lost, NONE, Outcome, What};
use super::script::Act;
use crate::model::event::Kind;

/// The standing outcomes of these acts in any order, sorted.
pub(super) fn read(acts: impl Iterator<Item = Act>) -> Vec<Outcome> {
    let mut acts: Vec<Act> = acts.collect();
    let voided: Vec<u64> = acts.iter().filter_map(|act| act.target).collect();
    acts.retain(|act| act.kind != Kind::Voided && !voided.contains(&act.number));
    acts.sort_unstable_by_key(|act| (act.time, act.kind, act.number));
    let first = acts.iter().map(|act| act.queue).find(|queue| *queue != NONE);
    let mut reading = Reading::new(first.unwrap_or(NONE));
    acts.iter().for_each(|act| reading.take(act));
    reading.conclude()
}

#[derive(Debug, Clone)]
struct Leg {
    queue: u32,
    entry: Option<i64>,
    rung: Vec<(u32, i64)>,
    over: Option<(End, i64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Answered,
    Lost(Lost),
}

#[derive(Debug, Clone)]
struct Segment {
    agent: u32,
    queue: u32,
    start: i64,
    end: Option<i64>,
    hold: i64,
    after_work: Option<i64>,
    /// Another's answer ended it, no transfer.
    inferred: bool,
}

#[derive(Debug)]
struct Reading {
    queue: u32,
    legs: Vec<Leg>,
    segments: Vec<Segment>,
    clock: Option<i64>,
    responded: bool,
    resolved_by: Option<u32>,
    out: Vec<Outcome>,
}

impl Reading {
    fn new(queue: u32) -> Self {
        Self {
            queue,
            legs: Vec::new(),
            segments: Vec::new(),
            clock: None,
            responded: false,
            resolved_by: None,
            out: Vec::new(),
        }
    }

    fn take(&mut self, act: &Act) {
        if act.queue != NONE {
            self.queue = act.queue;
        }
        match act.kind {
            Kind::TicketOpened | Kind::CustomerMessage => {
                self.clock.get_or_insert(act.time);
            }
            Kind::Queued => self.queued(self.queue, act.time),
            Kind::Offered => self.offered(act),
            Kind::Answered => self.answered(act),
            Kind::AgentMessage => self.replied(act),
            Kind::Held => self.held(act),
            Kind::Transferred => self.transferred(act),
            Kind::Abandoned => self.abandoned(act),
            Kind::Ended => self.ended(act),
            Kind::WrappedUp => self.wrapped_up(act),
            Kind::Resolved if !act.automatic => self.resolve(act.agent),
            Kind::Reopened => self.resolved_by = None,
            Kind::Survey if act.resolved == Some(true) && self.resolved_by.is_none() => self.resolve(NONE),
            _ => {}
        }
    }

    fn open(&mut self) -> Option<&mut Leg> {
        self.legs.last_mut().filter(|leg| leg.over.is_none())
    }

    fn running(&mut self) -> Option<&mut Segment> {
        self.segments.last_mut().filter(|segment| segment.end.is_none())
    }

    fn finish(&mut self, end: End, at: i64) {
        if let Some(leg) = self.open() {
            leg.over = Some((end, at));
        }
    }

    fn enter(&mut self, queue: u32, entry: Option<i64>) {
        self.legs.push(Leg { queue, entry, rung: Vec::new(), over: None });
    }

    fn queued(&mut self, queue: u32, at: i64) {
        if self.open().is_some_and(|leg| leg.queue == queue) {
            return;
        }
        self.finish(End::Lost(Lost::FlowedOut), at);
        self.enter(queue, Some(at));
    }

    fn offered(&mut self, act: &Act) {
        if act.automatic {
            return;
        }
        if self.open().is_none() {
            self.enter(self.queue, Some(act.time));
        }
        let leg = self.legs.last_mut().expect("one was just opened");
        if !leg.rung.iter().any(|(agent, _)| *agent == act.agent) {
            leg.rung.push((act.agent, act.time));
        }
    }

    fn answered(&mut self, act: &Act) {
        if act.automatic {
            return;
        }
        let named = act.queue;
        match self.open().map(|leg| leg.queue) {
            Some(queue) if named == NONE || named == queue => {}
            Some(_) => {
                self.finish(End::Lost(Lost::FlowedOut), act.time);
                self.enter(self.queue, None);
            }
            None => {
                let same = |talking: &mut Segment| act.agent == NONE || talking.agent == act.agent;
                if self.running().is_some_and(same) {
                    return;
                }
                self.enter(self.queue, None);
            }
        }
        self.finish(End::Answered, act.time);
        if let Some(talking) = self.running() {
            (talking.end, talking.inferred) = (Some(act.time), true);
        }
        let queue = self.legs.last().map_or(NONE, |leg| leg.queue);
        self.segments.push(Segment {
            agent: act.agent,
            queue,
            start: act.time,
            end: None,
            hold: 0,
            after_work: None,
            inferred: false,
        });
    }

    fn replied(&mut self, act: &Act) {
        if act.internal || act.automatic {
            return;
        }
        let Some(asked) = self.clock.take() else { return };
        let (agent, queue, span) = (act.agent, self.queue, act.time - asked);
        self.say(act.time, What::Response { agent, queue, span });
        if !std::mem::replace(&mut self.responded, true) {
            let entry = self.legs.iter().filter_map(|leg| leg.entry).filter(|entry| *entry <= act.time).max();
            let since_handoff = act.time - asked.max(entry.unwrap_or(asked));
            self.say(act.time, What::FirstResponse { agent, queue, since_message: span, since_handoff });
        }
    }

    fn held(&mut self, act: &Act) {
        if let Some(talking) = self.running()
            && (act.agent == NONE || act.agent == talking.agent)
        {
            talking.hold += act.value;
        }
    }

    fn transferred(&mut self, act: &Act) {
        if self.is_told_late(act) {
            return;
        }
        if let Some(talking) = self.running() {
            talking.end = Some(act.time);
            let (agent, queue) = (talking.agent, talking.queue);
            self.say(act.time, What::Transferred { agent, queue });
        } else if self.open().is_some_and(|leg| leg.queue != act.to_queue) {
            self.finish(End::Lost(Lost::FlowedOut), act.time);
        }
        if act.to_queue != NONE {
            self.queued(act.to_queue, act.time);
            self.queue = act.to_queue;
        }
    }

    /// A transfer told after the next agent has answered.
    fn is_told_late(&mut self, act: &Act) -> bool {
        let talks = self.running().is_some_and(|talking| talking.agent == act.agent);
        if act.agent != NONE && !talks {
            let latest = self.segments.iter_mut().rev().find(|segment| segment.agent == act.agent);
            if let Some(segment) = latest.filter(|segment| segment.inferred) {
                segment.inferred = false;
                let (agent, queue) = (segment.agent, segment.queue);
                self.say(act.time, What::Transferred { agent, queue });
                return true;
            }
        }
        let there = self.running().is_some_and(|talking| talking.queue == act.to_queue);
        there && !talks && act.queue != NONE && act.queue != act.to_queue
    }

    fn abandoned(&mut self, act: &Act) {
        if self.open().is_none() && self.legs.is_empty() {
            self.enter(self.queue, None);
        }
        if self.open().is_some() {
            self.finish(End::Lost(Lost::Abandoned), act.time);
        } else if let Some(talking) = self.running() {
            talking.end = Some(act.time);
        }
    }

    fn ended(&mut self, act: &Act) {
        if let Some(talking) = self.running() {
            talking.end = Some(act.time);
        }
        self.finish(End::Lost(Lost::Unfinished), act.time);
        if act.resolved == Some(true) && !act.automatic {
            self.resolve(act.agent);
        }
    }

    fn wrapped_up(&mut self, act: &Act) {
        if let Some(talking) = self.running()
            && talking.agent == act.agent
        {
            (talking.end, talking.after_work) = (Some(act.time), Some(0));
            return;
        }
        let mine = |segment: &&mut Segment| segment.agent == act.agent && segment.after_work.is_none();
        if let Some(segment) = self.segments.iter_mut().rev().find(mine) {
            segment.after_work = segment.end.map(|end| act.time - end);
        }
    }

    fn resolve(&mut self, agent: u32) {
        let latest = self.segments.last().map_or(NONE, |segment| segment.agent);
        self.resolved_by = Some(if agent == NONE { latest } else { agent });
    }

    fn say(&mut self, at: i64, what: What) {
        self.out.push(Outcome { at, what });
    }

    fn conclude(mut self) -> Vec<Outcome> {
        self.conclude_legs();
        self.conclude_contact();
        for segment in std::mem::take(&mut self.segments) {
            self.conclude_segment(&segment);
        }
        let mut out = self.out;
        out.sort_unstable();
        out
    }

    fn conclude_legs(&mut self) {
        for leg in self.legs.clone() {
            let Some((end, at)) = leg.over else {
                self.say(leg.entry.unwrap_or_default(), What::Waiting { queue: leg.queue });
                for (agent, at) in leg.rung {
                    self.say(at, What::Offer { agent });
                    self.say(at, What::Rung { agent });
                }
                continue;
            };
            let wait = leg.entry.map(|entry| at - entry);
            match end {
                End::Answered => self.say(at, What::LegAnswered { queue: leg.queue, wait }),
                End::Lost(how) => self.say(at, What::LegLost { queue: leg.queue, how, wait }),
            }
            for (agent, ring) in &leg.rung {
                self.say(*ring, What::Offer { agent: *agent });
                if matches!(end, End::Lost(Lost::Abandoned | Lost::FlowedOut)) {
                    self.say(at, What::OfferMissed { agent: *agent });
                }
            }
            if end == End::Answered {
                self.conclude_answer(&leg, at);
            }
        }
    }

    /// The offer that an answer takes; without a ring it is implied.
    fn conclude_answer(&mut self, leg: &Leg, at: i64) {
        let answered = self.segments.iter().find(|segment| segment.start == at);
        let Some(agent) = answered.map(|segment| segment.agent) else { return };
        if !leg.rung.iter().any(|(rung, _)| *rung == agent) {
            self.say(at, What::Offer { agent });
        }
        self.say(at, What::OfferAnswered { agent });
    }

    fn conclude_contact(&mut self) {
        let answers = self.legs.iter().filter(|leg| matches!(leg.over, Some((End::Answered, _))));
        let last_answered =
            answers.clone().next_back().map(|leg| (leg.queue, leg.over.map_or(0, |over| over.1)));
        let first = answers.clone().next().and_then(|leg| leg.over).map(|over| over.1);
        if let Some(at) = first {
            let begun = self.legs.iter().filter_map(|leg| leg.entry).find(|entry| *entry <= at);
            self.say(at, What::ContactAnswered { wait: begun.map(|entry| at - entry) });
        } else if let Some((End::Lost(how), at)) = self.legs.last().and_then(|leg| leg.over) {
            let how = if how == Lost::FlowedOut { Lost::Unfinished } else { how };
            self.say(at, What::ContactLost { how });
        }
        if self.resolved_by.is_some()
            && let (Some((queue, at)), Some(first)) = (last_answered, first)
        {
            self.say(at, What::LegResolved { queue });
            self.say(first, What::ContactResolved);
        }
        let mut seen: Vec<u32> = Vec::new();
        for segment in self.segments.clone() {
            if !seen.contains(&segment.agent) {
                seen.push(segment.agent);
                self.say(segment.start, What::Taken { agent: segment.agent });
                if self.resolved_by == Some(segment.agent) {
                    self.say(segment.start, What::TakenResolved { agent: segment.agent });
                }
            }
        }
    }

    fn conclude_segment(&mut self, segment: &Segment) {
        let (agent, queue, start) = (segment.agent, segment.queue, segment.start);
        let Some(end) = segment.end else { return self.say(start, What::Running { agent }) };
        let hold = segment.hold.min(end - start);
        self.say(end, What::Handled { agent, queue, talk: end - start - hold, hold });
        self.say(start, What::Segment { agent, end });
        if let Some(span) = segment.after_work {
            self.say(end, What::AfterWork { agent, queue, span });
        }
    }
}
