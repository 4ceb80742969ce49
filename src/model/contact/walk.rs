//! The walk over a contact's facts in the order of its life: the table of `docs/measures.md`, section 2, line by line.

use super::conclusion::{Conclusion, OpenLeg, Ring, Segment, Standing};
use super::entry::Entry;
use super::observation::{Observation, What};
use crate::model::event::Kind;
use crate::model::roster::Roster;
use crate::model::units::{EventTime, Sym};

/// Walks the sorted facts once and leaves everything that follows in `out`.
pub(super) fn conclude(entries: &[Entry], roster: &Roster, expired: bool, out: &mut Conclusion) {
    out.clear();
    let mut walk = Walk {
        roster,
        out,
        queue: first_queue(entries),
        leg: None,
        last_leg: None,
        first_entry: None,
        last_entry: None,
        unanswered: None,
        responded: false,
        resolved: None,
        over: false,
        last: None,
    };
    for entry in counted(entries) {
        walk.step(entry);
    }
    walk.finish(expired);
}

/// The queue of the facts before any names one: that of the first that does (not where a transfer goes).
fn first_queue(entries: &[Entry]) -> Option<Sym> {
    counted(entries).find(|entry| entry.queue().or(entry.destination()).is_some()).and_then(Entry::queue)
}

/// The facts that say something themselves.
fn counted(entries: &[Entry]) -> impl Iterator<Item = &Entry> {
    entries.iter().filter(|entry| entry.kind != Kind::Voided)
}

struct Walk<'a> {
    roster: &'a Roster,
    out: &'a mut Conclusion,
    /// The queue last named.
    queue: Option<Sym>,
    /// The visit without an outcome; its rings are `out.rings`.
    leg: Option<OpenLeg>,
    /// What became of the last visit that has an outcome.
    last_leg: Option<Observation>,
    first_entry: Option<EventTime>,
    last_entry: Option<EventTime>,
    /// The oldest customer message without a response.
    unanswered: Option<EventTime>,
    responded: bool,
    /// The contact stands resolved, by this agent if anybody knows.
    resolved: Option<Option<Sym>>,
    /// Ended, abandoned or closed.
    over: bool,
    last: Option<EventTime>,
}

impl Walk<'_> {
    fn step(&mut self, entry: &Entry) {
        self.queue = entry.queue().or(self.queue);
        self.last = Some(entry.time);
        match entry.kind {
            Kind::TicketOpened | Kind::CustomerMessage => {
                self.unanswered.get_or_insert(entry.time);
            }
            Kind::Queued => self.enter(self.queue, entry.time),
            Kind::Offered if !entry.automatic() => self.offered(entry),
            Kind::Answered if !entry.automatic() => self.answered(entry),
            Kind::AgentMessage if !entry.automatic() && !entry.internal() => self.replied(entry),
            Kind::Held => self.held(entry),
            Kind::Transferred => self.transferred(entry),
            Kind::Abandoned => self.abandoned(entry),
            Kind::Ended => self.ended(entry),
            Kind::WrappedUp => self.wrapped_up(entry),
            Kind::Resolved if !entry.automatic() => self.resolve(entry.agent()),
            Kind::Reopened => self.resolved = None,
            Kind::Survey if entry.resolved() && self.resolved.is_none() => self.resolve(None),
            Kind::Closed => self.over = true,
            _ => {}
        }
    }

    /// A visit to `queue` begins, unless it is the open one.
    fn enter(&mut self, queue: Option<Sym>, now: EventTime) {
        match self.leg {
            Some(leg) if leg.queue == queue => return,
            Some(_) => self.leave(What::LegFlowedOut, now, true),
            None => {}
        }
        self.open(queue, now);
    }

    fn open(&mut self, queue: Option<Sym>, entry: EventTime) {
        self.leg = Some(OpenLeg { queue, entry });
        self.first_entry.get_or_insert(entry);
        self.last_entry = Some(entry);
    }

    fn offered(&mut self, entry: &Entry) {
        if self.leg.is_none() {
            self.open(self.queue, entry.time);
        }
        let Some(agent) = entry.agent() else { return };
        if self.out.rings.iter().any(|ring| ring.agent == agent) {
            return;
        }
        self.out.rings.push(Ring { agent, since: entry.time, named_team: entry.team() });
        self.observe(self.of_agent(What::Offer, agent, entry.team(), entry.time));
    }

    fn answered(&mut self, entry: &Entry) {
        let now = entry.time;
        let talks = self.running().map(|segment| segment.agent);
        match self.leg {
            Some(leg) if entry.queue().is_some() && entry.queue() != leg.queue => {
                self.leave(What::LegFlowedOut, now, true);
            }
            None if talks.is_some_and(|own| entry.agent().is_none() || entry.agent() == own) => return,
            _ => {}
        }
        let queue = self.leg.map_or(self.queue, |leg| leg.queue);
        self.answer_offer(entry);
        self.close(What::LegAnswered, queue, now, false);
        if self.out.segments.is_empty() {
            self.conclude_contact(What::ContactAnswered, now);
        }
        self.begin_segment(entry, queue);
    }

    /// The answering agent's offer: made now if nobody saw the ring. Colleagues who were rung missed nothing.
    fn answer_offer(&mut self, entry: &Entry) {
        if let Some(agent) = entry.agent() {
            if !self.out.rings.iter().any(|ring| ring.agent == agent) {
                self.observe(self.of_agent(What::Offer, agent, entry.team(), entry.time));
            }
            self.observe(self.of_agent(What::OfferAnswered, agent, entry.team(), entry.time));
            if !self.out.segments.iter().any(|segment| segment.agent == Some(agent)) {
                self.observe(self.of_agent(What::Taken, agent, entry.team(), entry.time));
            }
        }
        self.out.rings.clear();
    }

    fn begin_segment(&mut self, entry: &Entry, queue: Option<Sym>) {
        let taken_over = self.running().is_some_and(|segment| segment.agent != entry.agent());
        if let Some(segment) = self.end_segment(entry.time, true) {
            segment.taken_over = taken_over;
        }
        self.out.segments.push(Segment::new(entry.agent(), entry.team(), queue, entry.time));
    }

    fn replied(&mut self, entry: &Entry) {
        let Some(since) = self.unanswered.take() else { return };
        let handed_off = self.last_entry.map_or(since, |entered| entered.max(since));
        let mut response = Observation {
            queue: self.queue,
            agent: entry.agent(),
            team: entry.agent().and_then(|agent| self.team(agent, entry.team(), entry.time)),
            values: [entry.time.0 - since.0, 0, 0],
            ..Observation::new(What::Response, entry.time)
        };
        self.observe(response);
        if !std::mem::replace(&mut self.responded, true) {
            response.what = What::FirstResponse;
            response.values[1] = entry.time.0 - handed_off.0;
            self.observe(response);
        }
    }

    fn held(&mut self, entry: &Entry) {
        let named = entry.agent();
        if let Some(segment) = self.out.segments.last_mut()
            && segment.to.is_none()
            && (named.is_none() || named == segment.agent)
        {
            segment.hold_ms = segment.hold_ms.saturating_add(entry.hold_ms);
        }
    }

    fn transferred(&mut self, entry: &Entry) {
        let now = entry.time;
        self.queue = entry.destination().or(self.queue);
        if let Some(index) = self.taken_over(entry) {
            return self.transfer_out(index, now);
        }
        if let Some(segment) = self.running().copied() {
            if is_known(entry, &segment) {
                return;
            }
            self.transfer_out(self.out.segments.len() - 1, now);
            self.end_segment(now, false);
        } else if self
            .leg
            .is_some_and(|leg| entry.destination().is_none() || entry.destination() != leg.queue)
        {
            self.leave(What::LegFlowedOut, now, false);
        }
        if entry.destination().is_some() {
            self.enter(entry.destination(), now);
        }
    }

    /// The conversation that the transfer is about when it is told late: another agent's answer has ended it.
    fn taken_over(&self, entry: &Entry) -> Option<usize> {
        let agent = Some(entry.agent()?);
        if self.running().is_some_and(|segment| segment.agent == agent) {
            return None;
        }
        let latest = self.out.segments.iter().rposition(|segment| segment.agent == agent)?;
        self.out.segments[latest].taken_over.then_some(latest)
    }

    fn transfer_out(&mut self, index: usize, now: EventTime) {
        self.out.segments[index].taken_over = false;
        let segment = self.out.segments[index];
        self.observe(self.of_segment(What::TransferOut, &segment, now));
    }

    fn abandoned(&mut self, entry: &Entry) {
        self.over = true;
        if self.leg.is_some() {
            self.leave(What::LegAbandoned, entry.time, false);
        } else if self.last_leg.is_none() {
            self.close(What::LegAbandoned, self.queue, entry.time, false);
        } else if self.running().is_some() {
            self.ended(entry);
        }
    }

    fn ended(&mut self, entry: &Entry) {
        self.over = true;
        self.end_segment(entry.time, false);
        self.leave(What::LegUnfinished, entry.time, false);
        if entry.resolved() && !entry.automatic() {
            self.resolve(entry.agent());
        }
    }

    fn wrapped_up(&mut self, entry: &Entry) {
        let named = |segment: &Segment| entry.agent().is_none() || entry.agent() == segment.agent;
        if self.running().is_some_and(named)
            && let Some(segment) = self.end_segment(entry.time, true)
        {
            segment.after_work_ms = Some(0);
            return;
        }
        let mut ended = self.out.segments.iter_mut().rev().filter(|segment| segment.to.is_some());
        if let Some(segment) = ended.find(|segment| named(segment) && segment.after_work_ms.is_none()) {
            segment.after_work_ms = segment.to.map(|end| entry.time.0 - end.0);
        }
    }

    /// Somebody solved the matter: the one named, else whoever talked last.
    fn resolve(&mut self, named: Option<Sym>) {
        self.resolved = Some(named.or(self.out.segments.last().and_then(|segment| segment.agent)));
    }

    /// The open leg, if there is one, gets its outcome.
    fn leave(&mut self, what: What, now: EventTime, inferred: bool) {
        let Some(leg) = self.leg else { return };
        if what != What::LegUnfinished {
            for index in 0..self.out.rings.len() {
                let ring = self.out.rings[index];
                self.observe(self.of_agent(What::OfferMissed, ring.agent, ring.named_team, now));
            }
        }
        self.close(what, leg.queue, now, inferred);
    }

    /// Books the outcome of a visit to `queue`: of the open one if there is one, else of one without entry.
    fn close(&mut self, what: What, queue: Option<Sym>, now: EventTime, inferred: bool) {
        let entry = self.leg.take().map(|leg| leg.entry);
        let leg = Observation { queue, inferred, ..waited(what, entry, now) };
        self.out.rings.clear();
        self.last_leg = Some(leg);
        self.observe(leg);
    }

    fn conclude_contact(&mut self, what: What, now: EventTime) {
        self.observe(waited(what, self.first_entry, now));
    }

    fn running(&self) -> Option<&Segment> {
        self.out.segments.last().filter(|segment| segment.to.is_none())
    }

    /// Ends the running conversation, if there is one.
    fn end_segment(&mut self, now: EventTime, inferred: bool) -> Option<&mut Segment> {
        let segment = self.out.segments.last_mut().filter(|segment| segment.to.is_none())?;
        segment.to = Some(now);
        segment.inferred = inferred;
        Some(segment)
    }

    /// What the facts say only together: the expiry, the contact's outcome, the conversations, who resolved it.
    fn finish(mut self, expired: bool) {
        let silent_since = self.last.filter(|_| expired);
        if let Some(last) = silent_since {
            self.leave(What::LegUnfinished, last, true);
        }
        self.conclude_unanswered();
        self.conclude_handled();
        if let Some(last) = silent_since {
            self.end_segment(last, true);
        }
        self.mark_resolved();
        let running = self.running().map(|segment| (segment.agent, segment.from));
        let terminal = self.over && self.leg.is_none() && running.is_none();
        self.out.standing = Standing { open: self.leg, running, last: self.last, terminal };
    }

    /// A customer who was never answered: what became of the last visit became of the contact.
    fn conclude_unanswered(&mut self) {
        let Some(last) = self.last_leg.filter(|_| self.leg.is_none() && self.out.segments.is_empty()) else {
            return;
        };
        let abandoned = last.what == What::LegAbandoned;
        let what = if abandoned { What::ContactAbandoned } else { What::ContactUnfinished };
        self.conclude_contact(what, last.booked);
    }

    fn conclude_handled(&mut self) {
        for index in 0..self.out.segments.len() {
            let segment = self.out.segments[index];
            let Some(end) = segment.to else { continue };
            let length = end.0 - segment.from.0;
            let hold = segment.hold_ms.min(length);
            self.observe(Observation {
                inferred: segment.inferred,
                values: [length - hold, hold, segment.after_work_ms.unwrap_or(0)],
                ..self.of_segment(What::Handled, &segment, end)
            });
        }
    }

    fn mark_resolved(&mut self) {
        let Some(by) = self.resolved else { return };
        let observations = &mut self.out.observations;
        if let Some(leg) = observations.iter_mut().rfind(|o| o.what == What::LegAnswered) {
            leg.resolved = true;
        }
        for observation in observations.iter_mut() {
            observation.resolved |= match observation.what {
                What::ContactAnswered => true,
                What::Taken => by.is_some() && observation.agent == by,
                _ => false,
            };
        }
    }

    fn observe(&mut self, observation: Observation) {
        self.out.observations.push(observation);
    }

    fn of_agent(&self, what: What, agent: Sym, named: Option<Sym>, now: EventTime) -> Observation {
        let team = self.team(agent, named, now);
        Observation { agent: Some(agent), team, ..Observation::new(what, now) }
    }

    fn of_segment(&self, what: What, segment: &Segment, now: EventTime) -> Observation {
        let team = segment.agent.and_then(|agent| self.team(agent, segment.named_team, now));
        Observation { queue: segment.queue, agent: segment.agent, team, ..Observation::new(what, now) }
    }

    /// The roster decides; whoever is not on it is in the team that the producer names.
    fn team(&self, agent: Sym, named: Option<Sym>, now: EventTime) -> Option<Sym> {
        self.roster.team_of(agent, now).or(named)
    }
}

/// An outcome after a wait since `entry`, if that is known.
fn waited(what: What, entry: Option<EventTime>, now: EventTime) -> Observation {
    let wait = entry.map_or(0, |entry| now.0 - entry.0);
    Observation { known: entry.is_some(), values: [wait, 0, 0], ..Observation::new(what, now) }
}

/// Whether the contact has arrived already where the transfer goes: the next agent's answer told of it first.
fn is_known(transfer: &Entry, running: &Segment) -> bool {
    let to = transfer.destination();
    to.is_some()
        && to == running.queue
        && transfer.queue().is_some_and(|from| Some(from) != to)
        && (transfer.agent().is_none() || transfer.agent() != running.agent)
}
