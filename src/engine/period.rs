//! Periods of the unit: when a month is cut, and the job that writes its finals step by step.
//!
//! ```text
//! record ──> month known ──> closing ──cut──> frozen rows ──one step a record──> cut, unit table, finals on `ledger`
//!                                                 └── kept until audited: what the auditor misses is written again
//! ```

use super::active::{Active, ActiveCard, hex};
use super::definitions::CardFile;
use super::inputs::Rating;
use super::output::{Ledger, OpenPeriod, Output};
use super::scoring::{Brought, document, role_in};
use super::state::{Counters, Engine};
use crate::model::calendar::{month_name, parse_month};
use crate::model::measure::Row;
use crate::model::period::{Period, Phase, Standing, Terms};
use crate::model::scorecard::{Card, Exact, Scored, exact_text};
use crate::model::units::{EventTime, LogTime, Sym};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Finals written by one record at most.
const FINALS_PER_STEP: usize = 100;
/// Months whose rows are kept after their cut.
const KEPT_MONTHS: i32 = 3;

/// Every month that is known, by its number in the calendar.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Periods {
    months: BTreeMap<i32, Period>,
    /// Months that were cut, until they are audited.
    frozen: BTreeMap<i32, Frozen>,
    jobs: VecDeque<Job>,
}

/// A month as it was when it was cut: what its finals are made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Frozen {
    /// Members by identifier.
    members: Vec<Member>,
    cards: Vec<CardFile>,
    definitions: String,
    digest: String,
    missing: Vec<String>,
    unlisted: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Member {
    agent: String,
    role: Option<String>,
    row: Row,
    ratings: Vec<Rating>,
}

/// Work that is done a step a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Job {
    month: i32,
    /// The next line, by its place among the lines of the cut.
    next: usize,
    /// Only these keys (what the auditor missed); absent: every line.
    only: Option<BTreeSet<String>>,
}

impl Periods {
    /// Counts a booking that comes after the cut of its month.
    pub(super) fn booked(&mut self, month: i32, counters: &mut Counters) {
        if self.months.last_key_value().is_some_and(|(last, _)| *last == month) {
            return;
        }
        if self.is_cut(month) {
            counters.after_cut += 1;
        }
    }

    /// Whether a month has been cut.
    pub fn is_cut(&self, month: i32) -> bool {
        self.months.get(&month).is_some_and(|period| period.cut().is_some())
    }
}

impl Engine {
    /// Makes the months known that the clocks are in, and cuts those that are due.
    pub(super) fn close_periods(&mut self, active: &Active, offset: i64, out: &mut Vec<Output>) {
        let settle = self.state.clocks.settle();
        for at in [Some(self.now()), settle].into_iter().flatten() {
            self.know_month(active, active.calendar.month_of(EventTime(at.0)));
        }
        let due_months: Vec<i32> = self.closing_months(settle);
        for month in due_months {
            let missing = self.missing(active, month, settle);
            let unsettled = self.state.contacts.unsettled_len();
            let standing = Standing { settle, unsettled, due: &missing };
            let terms = terms(active);
            let Some(period) = self.state.periods.months.get_mut(&month) else { continue };
            if period.advance(terms, standing, offset).is_some() {
                self.freeze(active, month);
            }
        }
        self.step(out);
    }

    /// A month that something is booked in, or that a clock is in.
    pub(super) fn know_month(&mut self, active: &Active, month: i32) {
        self.state.periods.months.entry(month).or_insert_with(|| {
            let range = active.calendar.month_range(month);
            let (start, end) = (LogTime(range.start), LogTime(range.end));
            Period::new(month_name(month), start, end).expect("a month ends after it starts")
        });
    }

    fn closing_months(&self, settle: Option<LogTime>) -> Vec<i32> {
        let Some(settle) = settle else { return Vec::new() };
        let months = self.state.periods.months.iter();
        months
            .filter(|(_, period)| period.cut().is_none() && settle >= period.end)
            .map(|(month, _)| *month)
            .collect()
    }

    /// Inputs that are due in a month that waits for nothing else, by name.
    fn missing(&mut self, active: &Active, month: i32, settle: Option<LogTime>) -> Vec<String> {
        let Some(period) = self.state.periods.months.get(&month) else { return Vec::new() };
        let waits = settle.is_none_or(|settle| settle < period.cut_due(terms(active)));
        if waits { Vec::new() } else { self.due(active, month) }
    }

    /// Who gets a final: the roster of the month, or whoever was seen in it if there is no roster; by identifier.
    pub(super) fn population(&self, active: &Active, month: i32) -> Vec<Sym> {
        let mut members: Vec<Sym> = if active.roster.is_observed() {
            self.seen(month).into_iter().collect()
        } else {
            let listed = active.roster.agents();
            listed
                .filter(|agent| role_in(&active.roster, &active.calendar, *agent, month).is_some())
                .collect()
        };
        members.sort_by_key(|agent| self.state.names.text(*agent).to_owned());
        members
    }

    /// Who has numbers or marks in a month.
    fn seen(&self, month: i32) -> BTreeSet<Sym> {
        let agents = self.state.agents.iter().filter(|(_, record)| !record.book.month(month).is_zero());
        agents.map(|(agent, _)| agent).chain(self.state.inputs.agents(&month_name(month))).collect()
    }

    /// Keeps the month as it is now, and queues the writing of its lines.
    fn freeze(&mut self, active: &Active, month: i32) {
        let unlisted = self.seen(month).into_iter().filter(|agent| {
            !active.roster.is_observed() && role_in(&active.roster, &active.calendar, *agent, month).is_none()
        });
        let mut unlisted: Vec<String> =
            unlisted.map(|agent| self.state.names.text(agent).to_owned()).collect();
        unlisted.sort();
        let members = self.population(active, month).into_iter().map(|agent| {
            let Brought { row, ratings } = self.brought(agent, month);
            let role = role_in(&active.roster, &active.calendar, agent, month);
            let role = role.map(|role| self.state.names.text(role).to_owned());
            Member { agent: self.state.names.text(agent).to_owned(), role, row, ratings }
        });
        let members = members.collect();
        let missing =
            self.state.periods.months[&month].cut().map(|cut| cut.missing.clone()).unwrap_or_default();
        let frozen = Frozen {
            members,
            cards: active.definitions.cards.clone(),
            definitions: active.hash.clone(),
            digest: format!("{:032x}", self.state.digest),
            missing,
            unlisted,
        };
        self.state.periods.frozen.insert(month, frozen);
        self.state.periods.jobs.push_back(Job { month, next: 0, only: None });
        self.due_months.clear();
        self.forget_old(active, month);
    }

    /// Rows of months long cut go.
    fn forget_old(&mut self, active: &Active, month: i32) {
        let first = month - KEPT_MONTHS;
        let day = active.calendar.day_of(EventTime(self.now().0)) - 1;
        let place = super::book::Place { day, month: first };
        let start = EventTime(active.calendar.month_range(first).start);
        self.state.queues.iter_mut().for_each(|(_, queue)| queue.book.forget_before(place));
        self.state.teams.iter_mut().for_each(|(_, team)| team.book.forget_before(place));
        self.state.unit.book.forget_before(place);
        self.state.agents.iter_mut().for_each(|(_, agent)| {
            agent.book.forget_before(place);
            agent.timeline.forget(start);
        });
        self.state.inputs.forget_before(&month_name(first));
    }

    /// One step of the first job.
    fn step(&mut self, out: &mut Vec<Output>) {
        let Some(mut job) = self.state.periods.jobs.pop_front() else { return };
        let Some(frozen) = self.state.periods.frozen.get(&job.month) else { return };
        let lines = Lines::of(frozen, &self.state.periods.months[&job.month]);
        let to = (job.next + FINALS_PER_STEP).min(lines.len());
        for index in job.next..to {
            let line = lines.line(index);
            if job.only.as_ref().is_none_or(|only| only.contains(&line.key())) {
                out.push(Output::Ledger(line));
            }
        }
        job.next = to;
        if job.next < lines.len() {
            self.state.periods.jobs.push_front(job);
        }
    }

    /// The auditor found every line of a cut.
    pub(super) fn audited(&mut self, period: &str, revision: u32, digest: &str) -> Result<Ledger, String> {
        let month = parse_month(period).ok_or_else(|| format!("`{period}` is no month"))?;
        let known =
            self.state.periods.months.get_mut(&month).ok_or_else(|| format!("{period} is not known"))?;
        known.audited(revision, digest).map_err(|refused| refused.to_string())?;
        self.state.periods.frozen.remove(&month);
        Ok(Ledger::Audited { period: period.to_owned(), revision, digest: digest.to_owned() })
    }

    /// The auditor misses lines of a cut: they are written again.
    pub(super) fn reissue(&mut self, period: &str, keys: &[String]) -> Result<(), String> {
        let month = parse_month(period).ok_or_else(|| format!("`{period}` is no month"))?;
        if !self.state.periods.frozen.contains_key(&month) {
            return Err(format!("{period} is not waiting for its audit"));
        }
        self.state.periods.jobs.push_back(Job { month, next: 0, only: Some(keys.iter().cloned().collect()) });
        Ok(())
    }

    /// Cuts that wait for their audit and whose lines are written: period, revision, number of lines.
    pub fn unaudited(&self) -> Vec<(String, u32, usize)> {
        let months = self.state.periods.months.iter();
        let waiting = months.filter_map(|(month, period)| {
            let frozen = self.state.periods.frozen.get(month)?;
            let Phase::Final(cut) = &period.phase else { return None };
            let busy = self.state.periods.jobs.iter().any(|job| job.month == *month);
            (!busy).then(|| (period.name.clone(), cut.revision, Lines::of(frozen, period).len()))
        });
        waiting.collect()
    }

    /// The ledger keys of a cut that waits for its audit.
    pub fn cut_keys(&self, period: &str) -> Vec<String> {
        let Some(month) = parse_month(period) else { return Vec::new() };
        let (Some(frozen), Some(period)) =
            (self.state.periods.frozen.get(&month), self.state.periods.months.get(&month))
        else {
            return Vec::new();
        };
        let lines = Lines::of(frozen, period);
        (0..lines.len()).map(|index| lines.line(index).key()).collect()
    }

    /// The period that closes next, for the clock document.
    pub(super) fn open_period(&self, active: &Active) -> Option<OpenPeriod> {
        let settle = self.state.clocks.settle();
        let (month, period) = self.state.periods.months.iter().find(|(_, period)| period.cut().is_none())?;
        let due = self.due_months.known(*month);
        let standing = Standing { settle, unsettled: self.state.contacts.unsettled_len(), due };
        let waits = period.waits_for(terms(active), standing);
        Some(OpenPeriod {
            period: period.name.clone(),
            end: period.end,
            cut_due: period.cut_due(terms(active)),
            waits_for: waits.iter().map(ToString::to_string).collect(),
        })
    }
}

fn terms(active: &Active) -> Terms {
    let inputs_by = active.cards.iter().map(|card| card.card.head().inputs_by_ms()).max();
    let inputs_by_ms = inputs_by.unwrap_or(active.definitions.grace_ms);
    Terms { grace_ms: active.definitions.grace_ms, inputs_by_ms }
}

/// The ledger lines of one cut, each by its place: the cut, then each card's table and finals.
struct Lines<'a> {
    frozen: &'a Frozen,
    period: &'a Period,
    cards: Vec<(ActiveCard, Vec<&'a Member>)>,
}

impl<'a> Lines<'a> {
    fn of(frozen: &'a Frozen, period: &'a Period) -> Self {
        let cards = frozen.cards.iter().filter_map(|file| {
            let card = Card::parse(&file.id, &file.text).ok()?;
            let applies =
                |member: &&Member| member.role.as_deref().is_none_or(|role| card.head().applies_to(role));
            let members = frozen.members.iter().filter(applies).collect();
            Some((ActiveCard { card, hash: hex(&Sha256::digest(file.text.as_bytes())) }, members))
        });
        Self { frozen, period, cards: cards.collect() }
    }

    fn len(&self) -> usize {
        1 + self.cards.iter().map(|(_, members)| members.len() + 1).sum::<usize>()
    }

    fn line(&self, index: usize) -> Ledger {
        let mut rest = index;
        if rest == 0 {
            return self.cut();
        }
        rest -= 1;
        for (card, members) in &self.cards {
            if rest == 0 {
                return self.table(card, members);
            }
            rest -= 1;
            if rest < members.len() {
                return self.last(card, members[rest]);
            }
            rest -= members.len();
        }
        unreachable!("the caller asks for lines below len() only")
    }

    fn cut_facts(&self) -> &crate::model::period::Cut {
        self.period.cut().expect("lines are made of periods that were cut")
    }

    fn scored(&self, card: &ActiveCard, member: &Member) -> Scored {
        let brought = Brought { row: member.row, ratings: member.ratings.clone() };
        card.card.evaluate(&brought.inputs(true, true))
    }

    fn cut(&self) -> Ledger {
        let cut = self.cut_facts();
        Ledger::Cut {
            period: self.period.name.clone(),
            revision: cut.revision,
            offset: cut.offset,
            settle: cut.settle,
            finals: self.cards.iter().map(|(_, members)| members.len() as u32).sum(),
            missing: self.frozen.missing.clone(),
            unlisted: self.frozen.unlisted.clone(),
            definitions: self.frozen.definitions.clone(),
        }
    }

    fn table(&self, card: &ActiveCard, members: &[&Member]) -> Ledger {
        let scored: Vec<_> = members.iter().map(|member| self.scored(card, member)).collect();
        let totals: Vec<&Exact> = scored.iter().filter_map(|scored| scored.total.as_ref()).collect();
        let mut grades: BTreeMap<String, u32> = BTreeMap::new();
        for grade in scored.iter().filter_map(|scored| scored.grade.as_ref()) {
            *grades.entry(grade.label.clone()).or_default() += 1;
        }
        let sum: Exact = totals.iter().copied().sum();
        let mean =
            (!totals.is_empty()).then(|| exact_text(&(sum / Exact::from_integer(totals.len().into()))));
        Ledger::UnitTable {
            period: self.period.name.clone(),
            card: card.card.head().id().to_owned(),
            revision: self.cut_facts().revision,
            members: totals.len() as u32,
            mean,
            grades,
        }
    }

    fn last(&self, card: &ActiveCard, member: &Member) -> Ledger {
        let cut = self.cut_facts();
        let scored = self.scored(card, member);
        Ledger::Final {
            revision: cut.revision,
            score: document(&member.agent, &self.period.name, card, &scored, cut.settle, false),
            cut: cut.offset,
            digest: self.frozen.digest.clone(),
            definitions: self.frozen.definitions.clone(),
        }
    }
}
