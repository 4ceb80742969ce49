//! What is read from rows: the live document of a subject.

use super::active::Active;
use super::book::Book;
use super::output::{Live, Now, SubjectKind, WINDOWS, Window};
use super::people::Shift;
use super::schedule::Subject;
use super::state::{AgentRecord, Engine};
use crate::model::calendar::parse_month;
use crate::model::event::AgentState;
use crate::model::kpi::KPIS;
use crate::model::measure::Row;
use crate::model::timeline::Spent;
use crate::model::units::{EventTime, Fraction, LogTime, Sym};
use std::collections::BTreeMap;
use std::hash::Hasher;

/// The five windows of a subject, in the order of [`WINDOWS`].
pub(super) type FiveRows = [Row; 5];

impl Engine {
    /// The live document of a subject as it stands after the last record; `None` for one that was never seen.
    pub fn view(&mut self, kind: SubjectKind, id: &str) -> Option<Live> {
        self.live(self.subject(kind, id)?)
    }

    fn subject(&self, kind: SubjectKind, id: &str) -> Option<Subject> {
        Some(match kind {
            SubjectKind::Unit => Subject::Unit,
            SubjectKind::Queue => Subject::Queue(self.state.names.find(id)?),
            SubjectKind::Team => Subject::Team(self.state.names.find(id)?),
            SubjectKind::Agent => Subject::Agent(self.state.names.find(id)?),
        })
    }

    /// The live document of a subject; `None` for scores and for what was never seen.
    pub fn live(&mut self, subject: Subject) -> Option<Live> {
        let active = self.active.clone()?;
        let rows = self.rows(&active, subject)?;
        let now = self.now_of(&active, subject);
        let spent = self.spent(&active, subject);
        let (kind, id) = self.named(&active, subject)?;
        let queue = (kind == SubjectKind::Queue).then_some(id.as_str());
        let coverage = self.state.clocks.coverage(&active.definitions.sources, queue);
        let undefined = matches!(subject, Subject::Queue(queue) if active.within_ms(queue).is_none());
        let windows = WINDOWS.iter().enumerate().map(|(i, name)| {
            let spent = spent.as_ref().and_then(|(day, month)| [None, None, None, Some(day), Some(month)][i]);
            ((*name).to_owned(), window(kind, &rows[i], spent, undefined))
        });
        Some(Live { subject: kind, id, as_of: self.now(), coverage, now, windows: windows.collect() })
    }

    /// Kind and identifier of a subject.
    fn named(&self, active: &Active, subject: Subject) -> Option<(SubjectKind, String)> {
        let text = |sym| self.state.names.text(sym).to_owned();
        match subject {
            Subject::Queue(sym) => Some((SubjectKind::Queue, text(sym))),
            Subject::Team(sym) => Some((SubjectKind::Team, text(sym))),
            Subject::Agent(sym) => Some((SubjectKind::Agent, text(sym))),
            Subject::Unit => Some((SubjectKind::Unit, active.definitions.unit.id.clone())),
            Subject::Score(..) => None,
        }
    }

    fn book_of(&mut self, subject: Subject) -> Option<&mut Book> {
        match subject {
            Subject::Queue(sym) => self.state.queues.get_mut(sym).map(|queue| &mut queue.book),
            Subject::Team(sym) => self.state.teams.get_mut(sym).map(|team| &mut team.book),
            Subject::Agent(sym) => self.state.agents.get_mut(sym).map(|agent| &mut agent.book),
            Subject::Unit => Some(&mut self.state.unit.book),
            Subject::Score(..) => None,
        }
    }

    /// The rows of all windows.
    pub(super) fn rows(&mut self, active: &Active, subject: Subject) -> Option<FiveRows> {
        let now = self.now();
        let (day, month) = today(active, now);
        let book = self.book_of(subject)?;
        let [five, thirty, hour] = book.sliding(now);
        Some([five, thirty, hour, book.day(day), book.month(month)])
    }

    /// What is booked for a subject in a month such as `2026-10`: columns that are not zero. Agent time is no booking.
    /// `None` for what was never seen and for a text that is no month.
    pub fn month(&mut self, kind: SubjectKind, id: &str, month: &str) -> Option<BTreeMap<String, i64>> {
        let (subject, month) = (self.subject(kind, id)?, parse_month(month)?);
        let row = self.book_of(subject)?.month(month);
        Some(row.iter().filter(|(_, n)| *n != 0).map(|(column, n)| (column.name().to_owned(), n)).collect())
    }

    fn spent(&mut self, active: &Active, subject: Subject) -> Option<(Spent, Spent)> {
        let Subject::Agent(agent) = subject else { return None };
        let now = self.now();
        let (day, month) = today(active, now);
        let (day, month) = (active.calendar.day_range(day), active.calendar.month_range(month));
        let agent = self.state.agents.get_mut(agent)?;
        Some(agent.timeline.spent_by_day_and_month(day, month, now))
    }

    fn now_of(&mut self, active: &Active, subject: Subject) -> Now {
        let now = self.now();
        self.people.refresh(active, &self.state.agents, now);
        match subject {
            Subject::Queue(queue) => self.queue_now(queue),
            Subject::Agent(agent) => self.agent_now(active, agent),
            Subject::Team(team) => people_now(&self.people.team(team)),
            Subject::Unit => self.unit_now(),
            Subject::Score(..) => Now::default(),
        }
    }

    fn queue_now(&self, queue: Sym) -> Now {
        let shift = self.people.queue(queue);
        let waiting = self.state.queues.get(queue).map(|queue| &queue.waiting);
        Now {
            waiting: Some(waiting.map_or(0, |waiting| waiting.len() as i64)),
            longest_since: waiting.and_then(|waiting| waiting.first()).map(|(entry, _)| *entry),
            ready: Some(shift.ready()),
            on_shift: Some(shift.on_shift()),
            ..Now::default()
        }
    }

    fn unit_now(&self) -> Now {
        let waiting = self.state.queues.iter().map(|(_, queue)| queue.waiting.len() as i64).sum();
        let longest =
            self.state.queues.iter().filter_map(|(_, queue)| queue.waiting.first()).map(|(entry, _)| *entry);
        Now { waiting: Some(waiting), longest_since: longest.min(), ..people_now(&self.people.unit()) }
    }

    fn agent_now(&self, active: &Active, agent: Sym) -> Now {
        let Some(record) = self.state.agents.get(agent) else { return Now::default() };
        let state = record.state();
        let team =
            active.roster.team_of(agent, EventTime(self.now().0)).or_else(|| record.named_team(active));
        Now {
            state: state.map(|(state, _)| state.text().to_owned()),
            since: state.map(|(_, since)| since),
            engaged: Some(record.timeline.running().0 as i64),
            team: team.map(|team| self.state.names.text(team).to_owned()),
            ..Now::default()
        }
    }

    /// A hash over everything of a subject that is worth saying; running time is not.
    pub(super) fn fingerprint(&mut self, active: &Active, subject: Subject) -> Option<u64> {
        let rows = self.rows(active, subject)?;
        let now = self.now_of(active, subject);
        let (_, id) = self.named(active, subject)?;
        let queue = matches!(subject, Subject::Queue(_)).then_some(id.as_str());
        let coverage = self.state.clocks.coverage(&active.definitions.sources, queue);
        let mut hasher = siphasher::sip::SipHasher13::new_with_keys(1, 2);
        rows.iter().flat_map(Row::iter).for_each(|(_, number)| hasher.write_i64(number));
        [
            now.waiting,
            now.ready,
            now.on_shift,
            now.engaged,
            now.longest_since.map(|t| t.0),
            now.since.map(|t| t.0),
        ]
        .iter()
        .for_each(|number| hasher.write_i64(number.unwrap_or(i64::MIN)));
        now.states.iter().for_each(|(state, n)| {
            hasher.write(state.as_bytes());
            hasher.write_i64(*n);
        });
        hasher.write(now.state.as_deref().unwrap_or("-").as_bytes());
        hasher.write(now.team.as_deref().unwrap_or("-").as_bytes());
        hasher.write_i64(coverage.num);
        hasher.write_i64(coverage.den);
        Some(hasher.finish())
    }
}

/// Numbers of the local day and month of a moment.
pub(super) fn today(active: &Active, now: LogTime) -> (i32, i32) {
    let at = EventTime(now.0);
    (active.calendar.day_of(at), active.calendar.month_of(at))
}

impl AgentRecord {
    /// What the agent is doing and since when: talking, else being rung, else as declared.
    pub(super) fn state(&self) -> Option<(AgentState, EventTime)> {
        let declared = self.timeline.declared().map(|declared| (declared.state, declared.since));
        if let Some(since) = self.timeline.running().1 {
            let left = declared.is_some_and(|(state, at)| state == AgentState::LoggedOut && at > since);
            if !left {
                return Some((AgentState::Talking, since));
            }
        }
        let free =
            declared.is_none_or(|(state, _)| matches!(state, AgentState::Available | AgentState::Ringing));
        match self.rings.first() {
            Some((since, _)) if free => Some((AgentState::Ringing, *since)),
            _ => declared,
        }
    }

    /// The team that the agent's latest state names, where no roster says it.
    pub(super) fn named_team(&self, active: &Active) -> Option<Sym> {
        self.timeline.declared().filter(|_| active.roster.is_observed()).and_then(|declared| declared.team)
    }
}

/// Counts of agents by state.
fn people_now(shift: &Shift) -> Now {
    let states = shift.states().map(|(state, n)| (state.text().to_owned(), n)).collect();
    Now { ready: Some(shift.ready()), on_shift: Some(shift.on_shift()), states, ..Now::default() }
}

/// One window: counts without zeros, every KPI of the kind. A queue that is not defined has no service level.
fn window(kind: SubjectKind, row: &Row, spent: Option<&Spent>, undefined: bool) -> Window {
    let mut counts: BTreeMap<String, i64> =
        row.iter().filter(|(_, n)| *n != 0).map(|(column, n)| (column.name().to_owned(), n)).collect();
    if let Some(spent) = spent {
        counts
            .extend(spent.named().into_iter().filter(|(_, n)| *n != 0).map(|(name, n)| (name.to_owned(), n)));
    }
    let kpis = KPIS.iter().filter(|kpi| kpi.kinds.contains(&kind)).map(|kpi| {
        let value =
            if undefined && kpi.name == "service_level" { Fraction::default() } else { kpi.value(row) };
        (kpi.name.to_owned(), value)
    });
    Window { counts, kpis: kpis.collect() }
}
