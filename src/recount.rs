//! The second path: every number once more, from the facts, by plain loops.
//!
//! `verify` and the simulation hold the engine against this module. It is written from `docs/measures.md` and
//! `docs/alerts.md` and shares nothing with the engine but words: units, events, facts, records, the documents and the
//! definitions; and the evaluator of scorecards, which has worked examples of its own. So a mistake in one of the two is
//! seen by the other.
//!
//! ```text
//! push(record) ─▶ sources (positions, clocks) ─▶ groups (own de-duplication) ─▶ walk ─▶ bookings ─▶ alerts, cuts
//!                                                                                   └▶ live(), month(): sums over all of them
//! ```
//!
//! Nothing is subtracted: a contact that is touched is walked again from its first fact, and a window is a sum over all
//! bookings in it. It is slow and large, and that is the point.

mod agent;
mod alerts;
mod book;
mod finals;
mod group;
mod live;
mod sources;
mod walk;
mod zone;

use crate::engine::definitions::Definitions;
use crate::engine::output::{Alert, DeadLetter, Ledger, Live, SubjectKind};
use crate::engine::record::{Batch, Body, Control, ControlKind, Record};
use crate::model::event::Kind;
use crate::model::fact::Fact;
use crate::model::units::{LogTime, MINUTE};
use book::Booking;
use group::{Group, Kept};
use sources::Sources;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use walk::Story;

/// A name (queue, agent, team, contact), each text kept once.
type Name = Arc<str>;

/// A contact and what was concluded from its facts, as of the last record that touched it.
#[derive(Debug, Default)]
struct Contact {
    group: Group,
    story: Story,
    bookings: Vec<Booking>,
    /// Settle clock at which it expires.
    due: Option<i64>,
}

/// All that was read so far. Records are pushed in log order; the questions are answered as of the last one.
#[derive(Debug, Default)]
pub struct Recount {
    names: BTreeSet<Name>,
    /// Whether definitions were activated yet.
    defined: bool,
    definitions: Definitions,
    sources: Sources,
    contacts: BTreeMap<Name, Contact>,
    agents: BTreeMap<Name, Group>,
    ratings: BTreeMap<(Name, Name), Group>,
    controls: BTreeSet<String>,
    due: BTreeSet<(i64, Name)>,
    legs: alerts::Legs,
    watch: alerts::Watch,
    months: finals::Months,
    inputs_by_ms: i64,
    digest: u128,
    dead: Vec<DeadLetter>,
}

impl Recount {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the next record of the log. A record that cannot be read only moves the live clock.
    pub fn push(&mut self, record: &Record<'_>) {
        self.sources.tick(record.append);
        match &record.body {
            Body::Batch(batch) => self.batch(record, batch),
            Body::Control(control) => self.control(control),
            Body::Unreadable(_) => {}
        }
        self.sources.settle();
        self.expire();
        self.watch.step(&self.definitions, &self.sources, &self.legs);
        if self.defined {
            self.know_months();
            finals::cut(self, record.offset);
        }
    }

    /// The document of a subject as of the last record. A subject nobody has seen has zeros.
    pub fn live(&self, kind: SubjectKind, id: &str) -> Live {
        live::live(self, kind, id)
    }

    /// Every transition of every alert so far, in the order of the log.
    pub fn alerts(&self) -> &[Alert] {
        self.watch.lines()
    }

    /// The lines of every cut so far: the cut, then the tables and finals of its cards. No answers to control facts.
    pub fn finals(&self) -> &[Ledger] {
        self.months.lines()
    }

    /// Facts that were refused (from the future, or before any definitions), in the order of the log.
    pub fn dead_letters(&self) -> &[DeadLetter] {
        &self.dead
    }

    /// Live clock, and settle clock once every declared partition was seen.
    pub fn clocks(&self) -> (LogTime, Option<LogTime>) {
        (LogTime(self.sources.live()), self.sources.settled().map(LogTime))
    }

    /// The definitions in force after the last record.
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// Counts of a subject in the month `period` (such as `2026-10`) of the unit's zone; `None` for a text that names no month.
    pub fn month(&self, kind: SubjectKind, id: &str, period: &str) -> Option<BTreeMap<String, i64>> {
        let span = zone::month_named(&self.definitions.unit.zone, period)?;
        Some(live::counts(self, kind, id, span))
    }

    /// Everybody who acted or declared a state, and every queue and team that is defined or was named: whose documents can be compared.
    pub fn subjects(&self) -> BTreeSet<(SubjectKind, String)> {
        live::subjects(self)
    }

    fn batch(&mut self, record: &Record<'_>, batch: &Batch<'_>) {
        let skip = self.sources.positions(batch);
        let latest = self.sources.live().max(record.append.0).saturating_add(5 * MINUTE);
        let mut touched = BTreeSet::new();
        if !batch.facts.is_empty() {
            self.months.changed();
        }
        for fact in batch.facts.iter().filter(|fact| !skip.is_repeat(fact.offset)) {
            if fact.time.0 > latest {
                self.dead.push(refused(batch, fact, "future"));
            } else if !self.defined {
                self.dead.push(refused(batch, fact, "no_definitions"));
            } else {
                self.digest = chain(self.digest, fact);
                self.take(fact, &mut touched);
            }
        }
        for name in touched {
            self.conclude(&name);
        }
        self.sources.progress(record.append, batch);
    }

    /// Puts a fact into its group: the agent's, the period's and agent's, or the contact's.
    fn take(&mut self, fact: &Fact<'_>, touched: &mut BTreeSet<Name>) {
        let voided = fact.kind == Kind::Voided && fact.contact.is_none();
        let kept = self.keep(fact);
        let (agent, period) = (kept.agent.clone(), fact.period.map(|text| self.name(text)));
        match (fact.kind, agent, period) {
            (Kind::Rating, Some(agent), Some(period)) => self.mark(period, agent, kept),
            (Kind::AgentState, Some(agent), _) => self.agents.entry(agent).or_default().push(kept),
            (_, Some(agent), Some(period)) if voided => self.mark(period, agent, kept),
            (_, Some(agent), None) if voided => self.agents.entry(agent).or_default().push(kept),
            (Kind::Rating | Kind::AgentState, ..) => {}
            _ => {
                let Some(name) = fact.contact.map(|text| self.name(text)) else { return };
                self.contacts.entry(name.clone()).or_default().group.push(kept);
                touched.insert(name);
            }
        }
    }

    fn mark(&mut self, period: Name, agent: Name, kept: Kept) {
        self.months.know(period.to_string());
        self.ratings.entry((period, agent)).or_default().push(kept);
    }

    fn control(&mut self, control: &Control) {
        if !self.controls.insert(control.id.clone()) {
            return;
        }
        match &control.kind {
            ControlKind::Definitions { definitions } => self.define(definitions),
            ControlKind::GapAccepted { topic, partition, from, to } => {
                self.sources.accept(topic, *partition, *from, *to);
            }
            ControlKind::SourceClosed { topic } => self.sources.close(topic),
            ControlKind::Settled { .. }
            | ControlKind::AuditPassed { .. }
            | ControlKind::AuditMissing { .. } => {}
        }
    }

    fn define(&mut self, definitions: &Definitions) {
        if !can_be_activated(definitions) {
            return;
        }
        self.defined = true;
        self.months.forget();
        self.definitions = definitions.clone();
        self.inputs_by_ms = finals::inputs_by(definitions);
        self.sources.declare(&definitions.sources);
        for name in self.contacts.keys().cloned().collect::<Vec<_>>() {
            self.conclude(&name);
        }
    }

    fn expire(&mut self) {
        let Some(settle) = self.sources.settled() else { return };
        while let Some((_, name)) = self.due.first().filter(|(due, _)| *due <= settle).cloned() {
            self.conclude(&name);
        }
    }

    /// The months that the clocks are in; those of bookings and marks are noted as they come.
    fn know_months(&mut self) {
        for at in [Some(self.sources.live()), self.sources.settled()].into_iter().flatten() {
            self.months.know(zone::name_of_month(&self.definitions.unit.zone, at));
        }
    }

    /// Walks a contact anew and puts what follows in the place of what followed before.
    fn conclude(&mut self, name: &Name) {
        let Some(contact) = self.contacts.get_mut(name) else { return };
        if let Some(due) = contact.due.take() {
            self.due.remove(&(due, name.clone()));
        }
        let facts = contact.group.standing();
        let due = facts.last().map(|last| last.time.saturating_add(self.definitions.unfinished_after_ms));
        let expired = due.is_some_and(|due| self.sources.settled().is_some_and(|settle| settle >= due));
        if let (Some(due), false) = (due, expired) {
            contact.due = Some(due);
            self.due.insert((due, name.clone()));
        }
        contact.story = walk::walk(&facts, expired);
        let bookings = book::bookings(&contact.story, &self.definitions);
        self.legs.replace(name, &contact.bookings, &bookings);
        for booking in &bookings {
            self.months.know(zone::name_of_month(&self.definitions.unit.zone, booking.at));
        }
        contact.bookings = bookings;
    }

    fn keep(&mut self, fact: &Fact<'_>) -> Kept {
        Kept {
            time: fact.time.0,
            kind: fact.kind,
            id: fact.id.into(),
            queue: fact.queue.map(|text| self.name(text)),
            to_queue: fact.to_queue.map(|text| self.name(text)),
            agent: fact.agent.map(|text| self.name(text)),
            team: fact.team.map(|text| self.name(text)),
            automatic: fact.automatic,
            internal: fact.internal,
            state: fact.state,
            resolved: fact.resolved,
            hold_ms: fact.hold_ms,
            score: fact.score,
            dimension: fact.dimension.map(|text| self.name(text)),
            assessor: fact.assessor.map(|text| self.name(text)),
            replaces: fact.replaces.map(Into::into),
        }
    }

    fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        let name: Name = text.into();
        self.names.insert(name.clone());
        name
    }
}

fn refused(batch: &Batch<'_>, fact: &Fact<'_>, reason: &str) -> DeadLetter {
    DeadLetter {
        topic: batch.topic.to_owned(),
        partition: batch.partition,
        offset: fact.offset,
        reason: reason.to_owned(),
        detail: String::new(),
        id: Some(fact.id.to_owned()),
        sha256: None,
        original: None,
    }
}

/// The digest over all facts that were admitted.
fn chain(digest: u128, fact: &Fact<'_>) -> u128 {
    use siphasher::sip128::{Hasher128, SipHasher13};
    use std::hash::Hasher;
    let mut hasher = SipHasher13::new_with_keys(digest as u64, (digest >> 64) as u64);
    hasher.write(fact.id.as_bytes());
    hasher.write(&[fact.kind as u8]);
    hasher.write(&fact.time.0.to_le_bytes());
    hasher.finish128().as_u128()
}

/// Definitions with an unknown zone or a card that cannot be read are rejected as a whole.
fn can_be_activated(definitions: &Definitions) -> bool {
    zone::is_known(&definitions.unit.zone) && finals::cards(definitions).len() == definitions.cards.len()
}

#[cfg(test)]
mod tests;
