//! The true answers: what the simulator knows about every queue, agent, team and the unit, without reading an event.
//!
//! An outcome becomes true when it happens and *known* when the last event that tells it is delivered. The truth is asked
//! as of a delivery: "after delivery 12 480, at clock t, what stands in the window". So a late event counts from when
//! it arrives, at its own time, and the answer can be compared exactly with a processor that has read as far.
//!
//! ```text
//!  delivery k ──▶ log of outcomes (k, +/-, booked at) ──settle──▶ day and month rows, recent outcomes, standing states
//!                        └────────── asked up to k' ───────────────────────┘
//! ```
//!
//! Memory: [`Truth::settle`] folds what is asked about no more; kept are the outcomes of the last 66 minutes, rows of
//! three days, rows of every month, and the segments and states of two months.

mod counts;
mod now;

pub use counts::Counts;
pub(super) use counts::Delivered;

use super::almanac::Almanac;
use super::centre::Centre;
use super::outcome::{Books, Outcome, Row, Subject, What};
use super::time::{Bag, Time, put};
use crate::engine::output::SubjectKind;
use crate::model::units::MINUTE;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// The longest sliding window and a slice of it, and the look-ahead of event times.
const RECENT: i64 = 66 * MINUTE;

/// How much the truth remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Everything that can be asked.
    All,
    /// Months of section 4's columns only: no windows, no agent time, no states. For large benches.
    Months,
}

/// A mark: a rating of an agent for a period.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Mark {
    /// Agent identifier.
    pub agent: String,
    /// Such as `2026-10`.
    pub period: String,
    /// What is rated.
    pub dimension: String,
    /// Who rated.
    pub assessor: String,
    /// The mark in millionths.
    pub score: i64,
}

/// One entry of the log; `index` counts deliveries from 1.
#[derive(Debug, Clone, Copy)]
struct Entry {
    index: u64,
    sign: i8,
    outcome: Outcome,
}

/// The rows of one subject: days and months by their first instant, few of each.
#[derive(Debug, Clone, Default)]
struct Rows {
    days: Vec<(i64, Row)>,
    months: Vec<(i64, Row)>,
}

/// A window at a clock: what is booked in `[start, end)`.
#[derive(Debug, Clone, Copy)]
enum Span {
    Sliding(i64),
    Day(i64, i64),
    Month(i64, i64),
}

impl Span {
    fn holds(self, at: i64) -> bool {
        match self {
            Span::Sliding(start) => at >= start,
            Span::Day(start, end) | Span::Month(start, end) => (start..end).contains(&at),
        }
    }
}

/// The true answers. See the module's page.
#[derive(Debug)]
pub struct Truth {
    keep: Keep,
    books: Books,
    almanac: Almanac,
    subjects: BTreeMap<(SubjectKind, String), Subject>,
    log: VecDeque<Entry>,
    recent: Vec<(i8, Outcome)>,
    recent_limit: usize,
    rows: [Vec<Rows>; 4],
    waiting: Vec<Bag>,
    /// Queues that each agent serves.
    serves: Vec<Vec<u32>>,
    people: Vec<Time>,
    kinds: VecDeque<(u64, Delivered)>,
    counts: Counts,
    marks: Vec<(u64, Mark)>,
    floor: u64,
    last: u64,
}

impl Truth {
    pub(super) fn new(centre: &Centre, keep: Keep) -> Self {
        let teams: HashMap<&str, u32> =
            (0..).zip(&centre.teams).map(|(i, team)| (team.id.as_str(), i)).collect();
        let team_of = centre.roster.iter().map(|person| teams[person.team.as_str()]).collect();
        let within = centre.queues.iter().map(|queue| queue.within_ms).collect();
        let sizes = [centre.queues.len(), centre.roster.len(), centre.teams.len(), 1];
        Self {
            keep,
            books: Books { team_of, within },
            almanac: Almanac::new(&centre.unit.zone),
            subjects: subjects(centre),
            log: VecDeque::new(),
            recent: Vec::new(),
            recent_limit: 1 << 12,
            rows: sizes.map(|size| vec![Rows::default(); size]),
            waiting: vec![Bag::new(); centre.queues.len()],
            serves: serves(centre),
            people: vec![Time::default(); if keep == Keep::All { centre.roster.len() } else { 0 }],
            kinds: VecDeque::new(),
            counts: Counts::default(),
            marks: Vec::new(),
            floor: 0,
            last: 0,
        }
    }

    /// Number of the latest delivery; the first is 1.
    pub fn delivered(&self) -> u64 {
        self.last
    }

    /// The earliest delivery that can be asked about.
    pub fn floor(&self) -> u64 {
        self.floor
    }

    /// Every subject that can be asked about, in order.
    pub fn subjects(&self) -> impl Iterator<Item = (SubjectKind, &str)> {
        self.subjects.keys().map(|(kind, id)| (*kind, id.as_str()))
    }

    /// The columns of one subject in one window (`5m`, `30m`, `1h`, `day`, `month`) at clock `now`, as known after
    /// delivery `delivered`, which is not before [`Truth::floor`]. `None` for what is not in this centre or not kept.
    /// Agent time (`available_ms` …) is given for agents in `day` and `month`. Noughts are left out.
    pub fn window(
        &self,
        kind: SubjectKind,
        id: &str,
        window: &str,
        now: i64,
        delivered: u64,
    ) -> Option<BTreeMap<String, i64>> {
        self.row(kind, id, window, now, delivered).map(|row| row.named())
    }

    /// As [`Truth::window`], as a row.
    pub fn row(&self, kind: SubjectKind, id: &str, window: &str, now: i64, delivered: u64) -> Option<Row> {
        let subject = *self.subjects.get(&(kind, id.to_owned()))?;
        let span = self.span(window, now)?;
        let mut row = match span {
            Span::Day(start, _) => find(&self.rows_of(subject).days, start),
            Span::Month(start, _) => find(&self.rows_of(subject).months, start),
            Span::Sliding(_) => Row::default(),
        };
        let mut add = |sign: i8, outcome: &Outcome| {
            if span.holds(outcome.at) {
                self.books.book(outcome.what, |whose, column, amount| {
                    if whose == subject {
                        row.add(column, amount * i64::from(sign));
                    }
                });
            }
        };
        if matches!(span, Span::Sliding(_)) {
            self.recent.iter().for_each(|(sign, outcome)| add(*sign, outcome));
        }
        self.pending(delivered).for_each(|entry| add(entry.sign, &entry.outcome));
        if let (Subject::Agent(agent), Span::Day(start, end) | Span::Month(start, end)) = (subject, span) {
            self.add_time(agent, (start, end), now, delivered, &mut row);
        }
        Some(row)
    }

    /// The months in which anything is booked that is settled (with [`Keep::Months`]: anything), such as `2026-10`, in order.
    pub fn months(&self) -> Vec<String> {
        let mut starts: Vec<i64> = self.rows[3][0].months.iter().map(|(start, _)| *start).collect();
        starts.sort_unstable();
        starts.into_iter().map(|start| self.almanac.month_text(start)).collect()
    }

    /// The columns of a subject in a month such as `2026-10`, as known after the latest delivery; agent time up to `now`.
    pub fn month(&self, kind: SubjectKind, id: &str, month: &str, now: i64) -> Option<BTreeMap<String, i64>> {
        let (start, end) = self.almanac.month_named(month)?;
        self.window(kind, id, "month", now.clamp(start, end - 1), self.last)
    }

    /// What has been delivered, by what is wrong with it.
    pub fn counts(&self, delivered: u64) -> Counts {
        let mut counts = self.counts;
        self.kinds
            .iter()
            .take_while(|(index, _)| *index <= delivered)
            .for_each(|(_, kind)| counts.add(*kind));
        counts
    }

    /// The marks that stand for a period, in the order of delivery.
    pub fn marks(&self, period: &str, delivered: u64) -> Vec<&Mark> {
        let known = self.marks.iter().filter(|(index, mark)| *index <= delivered && mark.period == period);
        known.map(|(_, mark)| mark).collect()
    }

    /// Says that nobody will ask about an earlier delivery or, for sliding windows, about a clock before `now`.
    pub fn settle(&mut self, delivered: u64, now: i64) {
        while let Some(entry) = self.log.front().filter(|entry| entry.index <= delivered).copied() {
            self.log.pop_front();
            self.fold(entry.sign, entry.outcome);
        }
        while let Some((_, kind)) = self.kinds.front().filter(|(index, _)| *index <= delivered).copied() {
            self.kinds.pop_front();
            self.counts.add(kind);
        }
        self.floor = self.floor.max(delivered.min(self.last));
        if self.recent.len() > self.recent_limit {
            self.prune(now);
        }
    }

    /// Forgets what no window and no open month needs.
    fn prune(&mut self, now: i64) {
        self.recent.retain(|(_, outcome)| outcome.at >= now - RECENT);
        self.recent_limit = (2 * self.recent.len()).max(1 << 12);
        let (month, _) = self.almanac.month(now);
        let (before, _) = self.almanac.month(month - 1);
        self.people.iter_mut().for_each(|time| time.forget(before));
        let day = self.almanac.day(now).start;
        for rows in self.rows.iter_mut().flatten() {
            rows.days.retain(|(start, _)| *start >= day - 3 * 24 * 60 * MINUTE);
        }
    }

    /// A new delivery, with what it makes known.
    pub(super) fn deliver(&mut self, kind: Delivered) {
        self.last += 1;
        match self.keep {
            Keep::All => self.kinds.push_back((self.last, kind)),
            Keep::Months => self.counts.add(kind),
        }
    }

    /// An outcome that the latest delivery makes known (`sign` 1) or takes back (-1).
    pub(super) fn learn(&mut self, sign: i8, outcome: Outcome) {
        match self.keep {
            Keep::All => self.log.push_back(Entry { index: self.last, sign, outcome }),
            Keep::Months => self.fold(sign, outcome),
        }
    }

    /// A mark that the latest delivery brings.
    pub(super) fn mark(&mut self, mark: Mark) {
        self.marks.push((self.last, mark));
    }

    /// Into the rows and the standing states.
    fn fold(&mut self, sign: i8, outcome: Outcome) {
        if outcome.what.is_standing() {
            return self.stand(sign, outcome);
        }
        let (month, _) = self.almanac.month(outcome.at);
        let day = self.almanac.day(outcome.at).start;
        let (all, rows) = (self.keep == Keep::All, &mut self.rows);
        self.books.book(outcome.what, |whose, column, amount| {
            let rows = &mut rows[whose.place().0][whose.place().1];
            entry(&mut rows.months, month).add(column, amount * i64::from(sign));
            if all {
                entry(&mut rows.days, day).add(column, amount * i64::from(sign));
            }
        });
        if all {
            self.recent.push((sign, outcome));
        }
    }

    fn stand(&mut self, sign: i8, outcome: Outcome) {
        if let What::Waiting { queue } = outcome.what {
            put(&mut self.waiting[queue as usize], outcome.at, sign);
        } else if let Some(time) = outcome.what.agent().and_then(|agent| self.people.get_mut(agent as usize))
        {
            time.stand(sign, outcome);
        }
    }

    fn pending(&self, delivered: u64) -> impl Iterator<Item = &Entry> {
        debug_assert!(delivered >= self.floor, "settled up to {}, asked about {delivered}", self.floor);
        self.log.iter().take_while(move |entry| entry.index <= delivered)
    }

    fn span(&self, window: &str, now: i64) -> Option<Span> {
        let sliding = |minutes: i64| {
            let length = minutes * MINUTE;
            let slice = length / 60;
            Span::Sliding(now.div_euclid(slice) * slice - length)
        };
        let mut almanac = self.almanac.clone();
        let span = match window {
            "5m" => sliding(5),
            "30m" => sliding(30),
            "1h" => sliding(60),
            "day" => Span::Day(almanac.day(now).start, almanac.day(now).end),
            "month" => Span::Month(almanac.month(now).0, almanac.month(now).1),
            _ => return None,
        };
        (self.keep == Keep::All || matches!(span, Span::Month(..))).then_some(span)
    }

    fn rows_of(&self, subject: Subject) -> &Rows {
        let (kind, index) = subject.place();
        &self.rows[kind][index]
    }
}

fn subjects(centre: &Centre) -> BTreeMap<(SubjectKind, String), Subject> {
    let queues =
        (0..).zip(&centre.queues).map(|(i, q)| ((SubjectKind::Queue, q.id.clone()), Subject::Queue(i)));
    let agents =
        (0..).zip(&centre.roster).map(|(i, p)| ((SubjectKind::Agent, p.agent.clone()), Subject::Agent(i)));
    let teams = (0..).zip(&centre.teams).map(|(i, t)| ((SubjectKind::Team, t.id.clone()), Subject::Team(i)));
    let unit = std::iter::once(((SubjectKind::Unit, centre.unit.id.clone()), Subject::Unit));
    queues.chain(agents).chain(teams).chain(unit).collect()
}

fn serves(centre: &Centre) -> Vec<Vec<u32>> {
    let index: HashMap<&str, u32> =
        (0..).zip(&centre.queues).map(|(i, queue)| (queue.id.as_str(), i)).collect();
    let queues = |ids: &Vec<String>| ids.iter().map(|id| index[id.as_str()]).collect();
    centre.roster.iter().map(|person| queues(&person.queues)).collect()
}

fn find(rows: &[(i64, Row)], start: i64) -> Row {
    rows.iter().find(|(key, _)| *key == start).map(|(_, row)| *row).unwrap_or_default()
}

/// The row that starts then, made when it is new; the newest is looked at first.
fn entry(rows: &mut Vec<(i64, Row)>, start: i64) -> &mut Row {
    let index = rows.iter().rposition(|(key, _)| *key == start).unwrap_or_else(|| {
        rows.push((start, Row::default()));
        rows.len() - 1
    });
    &mut rows[index].1
}
