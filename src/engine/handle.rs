//! `handle(record)`: the only thing that changes the state. The order of its steps is part of the product's meaning.

use super::active::Active;
use super::clock::AHEAD_LIMIT;
use super::contacts::{Moment, Outcome, Terms};
use super::definitions::Definitions;
use super::held::HeldFact;
use super::inputs::member_of;
use super::output::{Clock, DeadLetter, Ledger, Output, SubjectKind, Trend, TrendPoint};
use super::record::{Batch, Body, Control, ControlKind, Facts, Record};
use super::schedule::Subject;
use super::state::Engine;
use super::view::today;
use crate::model::contact::Accepted;
use crate::model::event::Kind;
use crate::model::fact::Fact;
use crate::model::kpi::KPIS;
use crate::model::measure::Row;
use crate::model::units::{Fraction, LogTime, MINUTE, SECOND, Sym};
use std::sync::Arc;

/// Outputs of one record at most; what is due beyond that waits for the next record.
const OUTPUTS: usize = 256;
/// Points of a trend.
const TREND: usize = 120;
/// Width of the slices of the shortest window: a subject with numbers in it is looked at again when one ends.
const DRAIN: i64 = 5 * SECOND;

impl Engine {
    /// Folds one record. Outputs are appended to `out` in the order of their classes.
    ///
    /// Never fails: what cannot be used comes back as a dead letter or a ledger line with its reason.
    pub fn handle(&mut self, record: &Record, out: &mut Vec<Output>) {
        let start = out.len();
        self.state.clocks.hear(record.append);
        self.state.offset = record.offset;
        match &record.body {
            Body::Batch(batch) => self.batch(record, batch, out),
            Body::Control(control) => self.control(control, out),
            Body::Unreadable(reason) => self.skip(record.offset, reason, out),
        }
        if let Some(active) = self.active.clone() {
            self.state.clocks.settle_on(&active.definitions.sources);
            self.expire(&active);
            self.look(&active, out);
            self.close_periods(&active, record.offset, out);
            self.pass_time(&active);
            self.emit(&active, out, start);
        }
        self.state.before = Some(self.now());
        out[start..].sort_by_key(class);
    }

    /// Records that a record was skipped: it broke an invariant or cannot be read. Its facts count nowhere.
    pub fn skip(&mut self, offset: i64, reason: &str, out: &mut Vec<Output>) {
        self.state.counters.skipped += 1;
        out.push(Output::Ledger(Ledger::Skipped { offset, reason: reason.to_owned() }));
    }

    fn batch(&mut self, record: &Record, batch: &Batch, out: &mut Vec<Output>) {
        let admission = self.state.clocks.admit(batch);
        let latest = self.now().max(record.append).0.saturating_add(AHEAD_LIMIT);
        let active = self.active.clone();
        for fact in &batch.facts {
            if !admission.admits(fact.offset) {
                self.state.counters.repeated += 1;
            } else if fact.time.0 > latest {
                self.state.counters.future += 1;
                let detail = format!(
                    "time is {} ms ahead of the clock, at most {AHEAD_LIMIT} are",
                    fact.time.0 - latest + AHEAD_LIMIT
                );
                out.push(refused(batch, fact, "future", detail));
            } else if let Some(active) = &active {
                self.fact(active, fact);
            } else {
                out.push(refused(
                    batch,
                    fact,
                    "no_definitions",
                    "no definitions are activated in this log yet".into(),
                ));
            }
        }
        self.state.clocks.advance(batch, record.append);
    }

    fn fact(&mut self, active: &Active, fact: &Fact) {
        self.chain(fact);
        let voiding = fact.kind == Kind::Voided && fact.contact.is_none();
        let accepted = match (fact.kind, fact.contact) {
            (Kind::Rating, _) => self.rating(active, fact),
            (Kind::AgentState, _) => self.agent_state(fact),
            _ if voiding && fact.period.is_some() => self.rating(active, fact),
            _ if voiding => self.agent_state(fact),
            (_, Some(contact)) => self.contact(active, contact, fact),
            (_, None) => Some(Accepted::New),
        };
        if fact.kind == Kind::Other {
            self.state.counters.uninterpreted += 1;
        }
        match accepted {
            Some(Accepted::New) => self.state.counters.facts += 1,
            Some(Accepted::Duplicate) => self.state.counters.duplicates += 1,
            Some(Accepted::Voided) => self.state.counters.voided += 1,
            None => self.state.counters.unsettled += 1,
        }
    }

    /// The digest over every fact that was admitted, in log order.
    fn chain(&mut self, fact: &Fact) {
        use siphasher::sip128::{Hasher128, SipHasher13};
        use std::hash::Hasher;
        let mut hasher =
            SipHasher13::new_with_keys(self.state.digest as u64, (self.state.digest >> 64) as u64);
        hasher.write(fact.id.as_bytes());
        hasher.write_u8(fact.kind as u8);
        hasher.write_i64(fact.time.0);
        self.state.digest = hasher.finish128().as_u128();
    }

    fn rating(&mut self, active: &Active, fact: &Fact) -> Option<Accepted> {
        let (period, agent) = member_of(fact, &mut self.state.names)?;
        let fresh = self.state.inputs.accept(period, agent, fact);
        if let Some(month) = crate::model::calendar::parse_month(period) {
            self.state.agents.at(agent);
            self.know_month(active, month);
            self.touch_score(agent, month);
        }
        Some(if fresh { Accepted::New } else { Accepted::Duplicate })
    }

    fn agent_state(&mut self, fact: &Fact) -> Option<Accepted> {
        let agent = self.state.names.intern(fact.agent?);
        let accepted = self.state.agents.at(agent).timeline.accept(fact, &mut self.state.names);
        if accepted != Accepted::Duplicate {
            self.touch_agent(agent);
            self.touch_people(agent);
        }
        Some(accepted)
    }

    /// `None` when the fact waits for the settler.
    fn contact(&mut self, active: &Active, contact: &str, fact: &Fact) -> Option<Accepted> {
        let (settle, terms) = (self.state.clocks.settle(), terms(active));
        let at = Moment { offset: self.state.offset, settle, roster: &active.roster, terms };
        let names = &mut self.state.names;
        let outcome =
            self.state.contacts.apply(contact, fact, names, &at, &mut self.scratch, &mut self.change);
        match outcome {
            Outcome::Unsettled => None,
            Outcome::Applied(Accepted::Duplicate) => Some(Accepted::Duplicate),
            Outcome::Applied(accepted) => {
                self.book_change(active);
                Some(accepted)
            }
        }
    }

    fn expire(&mut self, active: &Active) {
        let Some(settle) = self.state.clocks.settle() else { return };
        let terms = terms(active);
        while self.state.contacts.expire(settle, &active.roster, terms, &mut self.scratch, &mut self.change) {
            self.book_change(active);
        }
    }

    fn control(&mut self, control: &Control, out: &mut Vec<Output>) {
        if !self.state.controls.insert(control.id.clone()) {
            return;
        }
        let answer = match &control.kind {
            ControlKind::Definitions { definitions } => self.activate((**definitions).clone()),
            ControlKind::Settled { contact, facts } => self.settled(contact, facts),
            ControlKind::AuditPassed { period, revision, digest } => {
                self.audited(period, *revision, digest).map(|line| out.push(Output::Ledger(line)))
            }
            ControlKind::AuditMissing { period, keys, .. } => self.reissue(period, keys),
            ControlKind::GapAccepted { topic, partition, from, to } => {
                let known = self.state.clocks.accept_gap(topic, *partition, *from, *to);
                known.then_some(()).ok_or_else(|| format!("{topic} {partition} has no gap in {from}..{to}"))
            }
            ControlKind::SourceClosed { topic } => {
                self.state.clocks.close(topic);
                Ok(())
            }
        };
        let id = control.id.clone();
        out.push(Output::Ledger(match answer {
            Ok(()) => Ledger::Accepted { id, what: control.kind.text().to_owned() },
            Err(reason) => Ledger::Rejected { id, reason },
        }));
    }

    /// Activates definitions: what is in memory is booked anew under them, what has left memory stays as it was.
    fn activate(&mut self, definitions: Definitions) -> Result<(), String> {
        let active = Active::compile(definitions.clone(), &mut self.state.names).map_err(|p| p.join("; "))?;
        let active = Arc::new(active);
        self.due_months.clear();
        if let Some(former) = self.active.replace(active.clone()) {
            let contacts = std::mem::take(&mut self.state.contacts);
            for (terms, sign) in [(&former, -1), (&active, 1)] {
                contacts.conclude_all(&terms.roster, |conclusion| {
                    conclusion
                        .observations
                        .iter()
                        .for_each(|observation| self.book(terms, observation, sign));
                });
            }
            self.state.contacts = contacts;
        }
        for queue in active.queues.keys() {
            self.state.queues.at(*queue);
            self.touch_queue(*queue);
        }
        for team in &active.definitions.teams {
            let team = self.state.names.intern(&team.id);
            self.touch_team(team);
        }
        for agent in active.roster.agents().collect::<Vec<_>>() {
            self.touch_agent(agent);
        }
        self.touch_unit();
        self.people.change_all();
        self.state.definitions = Some(definitions);
        Ok(())
    }

    /// The settler has read the earlier facts of a contact: what waited for it is applied now.
    fn settled(&mut self, contact: &str, facts: &Facts) -> Result<(), String> {
        let active = self.active.clone().ok_or("no definitions are activated")?;
        let earlier: Vec<Fact> = facts.0.iter().map(HeldFact::fact).collect();
        let waiting = self.state.contacts.settle(contact, &earlier, &mut self.state.names, &active.roster);
        let waiting = waiting.ok_or_else(|| format!("contact {contact} waits for nothing"))?;
        for held in &waiting {
            self.contact(&active, contact, &held.fact());
        }
        Ok(())
    }

    /// What changes by the clock alone: days, coverage, trends.
    fn pass_time(&mut self, active: &Active) {
        let now = self.now();
        let sources = &active.definitions.sources;
        let coverage = self.state.clocks.coverage(sources, None);
        let covered = coverage.num == coverage.den;
        let turned = self.state.before.is_some_and(|before| today(active, before).0 != today(active, now).0);
        if turned {
            let schedule = &mut self.state.schedule;
            self.state.agents.syms().into_iter().for_each(|agent| schedule.touch(Subject::Agent(agent), now));
        }
        if turned || covered != self.state.covered || !covered {
            let schedule = &mut self.state.schedule;
            self.state.queues.syms().into_iter().for_each(|queue| schedule.touch(Subject::Queue(queue), now));
            self.state.teams.syms().into_iter().for_each(|team| schedule.touch(Subject::Team(team), now));
            schedule.touch(Subject::Unit, now);
        }
        self.state.covered = covered;
        if self.state.before.is_none_or(|before| before.0.div_euclid(MINUTE) != now.0.div_euclid(MINUTE)) {
            self.take_trends(active);
        }
    }

    /// A point a minute for each defined queue.
    fn take_trends(&mut self, active: &Active) {
        let at = LogTime(self.now().0.div_euclid(MINUTE) * MINUTE);
        for queue in active.queues.keys() {
            let Some(rows) = self.rows(active, Subject::Queue(*queue)) else { continue };
            let waiting = self.state.queues.get(*queue).map_or(0, |queue| queue.waiting.len() as i64);
            let point = TrendPoint {
                at,
                service_level: kpi("service_level", &rows[1]),
                answer_rate: kpi("answer_rate", &rows[1]),
                waiting,
            };
            let points = self.state.trends.entry(*queue).or_default();
            points.push_back(point);
            let oldest = at.0 - (TREND as i64 - 1) * MINUTE;
            while points.front().is_some_and(|point| point.at.0 < oldest) {
                points.pop_front();
            }
        }
        self.state.trend_due = true;
    }

    /// What is due, within the bound of a record.
    fn emit(&mut self, active: &Active, out: &mut Vec<Output>, start: usize) {
        let now = self.now();
        if self.state.clock_said.is_none_or(|said| now.0 - said.0 >= SECOND) {
            self.state.clock_said = Some(now);
            out.push(Output::Clock(self.clock(active)));
        }
        if std::mem::take(&mut self.state.trend_due) {
            let trends = self.state.trends.iter().map(|(queue, points)| {
                let queue = self.state.names.text(*queue).to_owned();
                Output::Trend(Trend { queue, as_of: now, points: points.iter().cloned().collect() })
            });
            out.extend(trends);
        }
        while out.len() - start < OUTPUTS {
            let Some(subject) = self.state.schedule.take(now) else { break };
            self.emit_subject(active, subject, now, out);
        }
    }

    fn emit_subject(&mut self, active: &Active, subject: Subject, now: LogTime, out: &mut Vec<Output>) {
        if let Subject::Score(agent, month) = subject {
            self.state.agents.at(agent).score_soon = None;
            self.score_so_far(active, agent, month, out);
            return;
        }
        self.rest(subject);
        let Some(fingerprint) = self.fingerprint(active, subject) else { return };
        if self.state.said.insert(subject, fingerprint) != Some(fingerprint) {
            self.touched.insert(subject);
            out.extend(self.live(subject).map(Output::Live));
        }
        let slides =
            self.rows(active, subject).is_some_and(|rows| rows[..3].iter().any(|row| !row.is_zero()));
        if slides {
            let edge = (now.0.div_euclid(DRAIN) + 1) * DRAIN;
            self.state.schedule.at(subject, LogTime(edge.max(now.0 + subject.pause())));
        }
    }

    /// The subject has been emitted: its next change is news again.
    fn rest(&mut self, subject: Subject) {
        match subject {
            Subject::Queue(sym) => self.state.queues.at(sym).soon = false,
            Subject::Team(sym) => self.state.teams.at(sym).soon = false,
            Subject::Agent(sym) => self.state.agents.at(sym).soon = false,
            Subject::Unit => self.state.unit.soon = false,
            Subject::Score(..) => {}
        }
    }

    /// The clocks, sources and counters.
    fn clock(&self, active: &Active) -> Clock {
        let sources = &active.definitions.sources;
        let counters = self.state.counters.named();
        Clock {
            domain: self.state.domain,
            live: self.now(),
            settle: self.state.clocks.settle(),
            coverage: self.state.clocks.coverage(sources, None),
            sources: self.state.clocks.report(sources),
            counters: counters.into_iter().map(|(name, n)| (name.to_owned(), n)).collect(),
            period: self.open_period(active),
        }
    }

    /// An agent's state changed: team, unit and the queues served show it.
    fn touch_people(&mut self, agent: Sym) {
        let Some(active) = self.active.clone() else { return };
        let at = crate::model::units::EventTime(self.now().0);
        if let Some(stint) = active.roster.stint(agent, at) {
            self.touch_team(stint.team);
            stint.queues.iter().for_each(|queue| self.touch_queue(*queue));
        }
        self.touch_unit();
    }
}

fn kpi(name: &str, row: &Row) -> Fraction {
    let found = KPIS.iter().find(|kpi| kpi.name == name && kpi.kinds.contains(&SubjectKind::Queue));
    found.map(|kpi| kpi.value(row)).unwrap_or_default()
}

fn terms(active: &Active) -> Terms {
    Terms {
        unfinished_after_ms: active.definitions.unfinished_after_ms,
        horizon_ms: active.definitions.horizon_ms,
    }
}

fn refused(batch: &Batch, fact: &Fact, reason: &str, detail: String) -> Output {
    Output::DeadLetter(DeadLetter {
        topic: batch.topic.to_owned(),
        partition: batch.partition,
        offset: fact.offset,
        reason: reason.to_owned(),
        detail,
        id: Some(fact.id.to_owned()),
        sha256: None,
        original: None,
    })
}

/// Outputs of one record are ordered by class; within a class they keep the order in which they arose.
fn class(output: &Output) -> u8 {
    match output {
        Output::DeadLetter(_) => 0,
        Output::Alert(_) => 1,
        Output::Ledger(_) => 2,
        Output::Live(_) => 3,
        Output::Clock(_) => 4,
        Output::Trend(_) => 5,
        Output::Score(_) => 6,
    }
}
