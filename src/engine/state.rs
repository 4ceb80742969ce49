//! The engine: everything it remembers, and how that becomes a snapshot and comes back.

use super::active::Active;
use super::book::Book;
use super::clock::Clocks;
use super::contacts::{Change, Contacts, Scratch};
use super::definitions::Definitions;
use super::due::DueMonths;
use super::inputs::Inputs;
use super::output::{SubjectKind, TrendPoint};
use super::people::People;
use super::period::Periods;
use super::schedule::{Schedule, Subject};
use super::watch::Watch;
use crate::model::timeline::Timeline;
use crate::model::units::{EventTime, LogTime, Names, Sym};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// One domain's engine. `handle` (in `engine::handle`) is the only thing that changes it.
#[derive(Debug)]
pub struct Engine {
    pub(super) state: State,
    pub(super) active: Option<Arc<Active>>,
    pub(super) scratch: Scratch,
    pub(super) change: Change,
    /// Changed since the shell looked last.
    pub(super) touched: BTreeSet<Subject>,
    /// Who is on shift; derived, so that a snapshot need not hold it.
    pub(super) people: People,
    /// What closing months lack: remembered, no part of the state.
    pub(super) due_months: DueMonths,
}

/// What a snapshot holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) domain: u32,
    /// Offset of the last record.
    pub(super) offset: i64,
    pub(super) names: Names,
    pub(super) definitions: Option<Definitions>,
    pub(super) clocks: Clocks,
    pub(super) contacts: Contacts,
    pub(super) queues: Places<QueueState>,
    pub(super) teams: Places<TeamState>,
    pub(super) agents: Places<AgentRecord>,
    pub(super) unit: TeamState,
    pub(super) inputs: Inputs,
    pub(super) schedule: Schedule,
    pub(super) watch: Watch,
    pub(super) periods: Periods,
    /// Trends have a new point that was not emitted.
    pub(super) trend_due: bool,
    pub(super) trends: BTreeMap<Sym, VecDeque<TrendPoint>>,
    pub(super) counters: Counters,
    /// Control facts that were answered.
    pub(super) controls: BTreeSet<String>,
    /// What was last said, so that only changes are.
    pub(super) said: BTreeMap<Subject, u64>,
    /// Live clock at the end of the record before.
    pub(super) before: Option<LogTime>,
    /// When the clock document was emitted last.
    pub(super) clock_said: Option<LogTime>,
    /// Whether every declared source was caught up after the record before.
    pub(super) covered: bool,
    /// Chain over every counted fact.
    pub(super) digest: u128,
}

/// What has been counted since the first fact of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Facts that count.
    pub facts: i64,
    /// Facts whose event was known already.
    pub duplicates: i64,
    /// Facts at positions that were covered before: repeats after a crash of intake.
    pub repeated: i64,
    /// Facts set aside because they are ahead of the clock.
    pub future: i64,
    /// Facts whose event was voided.
    pub voided: i64,
    /// Facts of types that the product does not interpret.
    pub uninterpreted: i64,
    /// Facts that had to wait for the settler.
    pub unsettled: i64,
    /// Bookings that came after the cut of their month.
    pub after_cut: i64,
    /// Records that were skipped.
    pub skipped: i64,
}

impl Counters {
    /// Every counter by name.
    pub fn named(&self) -> [(&'static str, i64); 9] {
        [
            ("facts", self.facts),
            ("duplicates", self.duplicates),
            ("repeated", self.repeated),
            ("future", self.future),
            ("voided", self.voided),
            ("uninterpreted", self.uninterpreted),
            ("unsettled", self.unsettled),
            ("after_cut", self.after_cut),
            ("skipped", self.skipped),
        ]
    }
}

/// A queue: its rows and who waits.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct QueueState {
    pub(super) book: Book,
    /// Open legs by (entry, contact).
    pub(super) waiting: BTreeSet<(EventTime, u128)>,
    /// Touched and not emitted yet.
    pub(super) soon: bool,
    /// Changed by this record: its alerts are looked at.
    pub(super) dirty: bool,
}

/// A team, or the unit.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TeamState {
    pub(super) book: Book,
    pub(super) soon: bool,
}

/// An agent: rows, time, rings.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AgentRecord {
    pub(super) book: Book,
    pub(super) timeline: Timeline,
    /// Rings on open legs by (since, contact).
    pub(super) rings: BTreeSet<(EventTime, u128)>,
    pub(super) soon: bool,
    /// Month whose score is due to be emitted.
    pub(super) score_soon: Option<i32>,
}

impl Default for QueueState {
    fn default() -> Self {
        Self { book: Book::new(SubjectKind::Queue), waiting: BTreeSet::new(), soon: false, dirty: true }
    }
}

impl Default for TeamState {
    fn default() -> Self {
        Self { book: Book::new(SubjectKind::Team), soon: false }
    }
}

impl Default for AgentRecord {
    fn default() -> Self {
        Self {
            book: Book::new(SubjectKind::Agent),
            timeline: Timeline::default(),
            rings: BTreeSet::new(),
            soon: false,
            score_soon: None,
        }
    }
}

/// Things by symbol: found by index, walked in the order of symbols.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Places<T>(Vec<Option<Box<T>>>);

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Default> Places<T> {
    /// The thing of a symbol, made when it is new.
    pub(super) fn at(&mut self, sym: Sym) -> &mut T {
        let index = sym.0 as usize;
        if self.0.len() <= index {
            self.0.resize_with(index + 1, || None);
        }
        self.0[index].get_or_insert_default()
    }
}

impl<T> Places<T> {
    pub(super) fn get(&self, sym: Sym) -> Option<&T> {
        self.0.get(sym.0 as usize)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, sym: Sym) -> Option<&mut T> {
        self.0.get_mut(sym.0 as usize)?.as_deref_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Sym, &T)> {
        self.0.iter().enumerate().filter_map(|(i, thing)| Some((Sym(i as u32), thing.as_deref()?)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (Sym, &mut T)> {
        self.0.iter_mut().enumerate().filter_map(|(i, thing)| Some((Sym(i as u32), thing.as_deref_mut()?)))
    }

    pub(super) fn syms(&self) -> Vec<Sym> {
        self.iter().map(|(sym, _)| sym).collect()
    }
}

/// Why a snapshot cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is not what an engine of this build writes.
    #[error("the snapshot cannot be read: {0}")]
    Unreadable(String),
    /// Its definitions no longer compile.
    #[error("the snapshot's definitions are refused: {}", .0.join("; "))]
    Definitions(Vec<String>),
}

impl Engine {
    /// An empty engine of a domain.
    pub fn new(domain: u32) -> Self {
        let unit = TeamState { book: Book::new(SubjectKind::Unit), soon: false };
        Self::of(
            State {
                domain,
                offset: -1,
                names: Names::default(),
                definitions: None,
                clocks: Clocks::default(),
                contacts: Contacts::default(),
                queues: Places::default(),
                teams: Places::default(),
                agents: Places::default(),
                unit,
                inputs: Inputs::default(),
                schedule: Schedule::default(),
                watch: Watch::default(),
                periods: Periods::default(),
                trend_due: false,
                trends: BTreeMap::new(),
                counters: Counters::default(),
                controls: BTreeSet::new(),
                said: BTreeMap::new(),
                before: None,
                clock_said: None,
                covered: true,
                digest: 0,
            },
            None,
        )
    }

    fn of(state: State, active: Option<Arc<Active>>) -> Self {
        let (scratch, change) = (Scratch::default(), Change::default());
        let (touched, people, due_months) = (BTreeSet::new(), People::default(), DueMonths::default());
        Self { state, active, scratch, change, touched, people, due_months }
    }

    /// The state as bytes, equal for equal states.
    ///
    /// # Errors
    /// None that a state of this build can cause; the text is for people.
    pub fn snapshot(&self) -> Result<Vec<u8>, String> {
        postcard::to_stdvec(&self.state).map_err(|e| e.to_string())
    }

    /// An engine as it was when the snapshot was taken.
    ///
    /// # Errors
    /// The bytes are not a snapshot of this build, or the definitions in it are refused.
    pub fn restore(bytes: &[u8]) -> Result<Self, Unusable> {
        let mut state: State =
            postcard::from_bytes(bytes).map_err(|e| Unusable::Unreadable(e.to_string()))?;
        state.names.reindex();
        let active = match state.definitions.clone() {
            Some(definitions) => {
                let compiled = Active::compile(definitions, &mut state.names);
                Some(Arc::new(compiled.map_err(Unusable::Definitions)?))
            }
            None => None,
        };
        let mut engine = Self::of(state, active);
        engine.touch_everything();
        Ok(engine)
    }

    /// What has been counted.
    pub fn counters(&self) -> Counters {
        self.state.counters
    }

    /// Live clock, settle clock, positions.
    pub fn clocks(&self) -> &Clocks {
        &self.state.clocks
    }

    /// The definitions in force.
    pub fn definitions(&self) -> Option<&Definitions> {
        self.state.definitions.as_ref()
    }

    /// SHA-256 of the definitions in force, hex; empty without any.
    pub fn definitions_hash(&self) -> &str {
        self.active.as_ref().map_or("", |active| &active.hash)
    }

    /// Contacts that wait for the settler, each with the offset below which its earlier facts stand.
    pub fn unsettled(&self) -> Vec<(String, i64)> {
        self.state.contacts.unsettled().map(|(id, since)| (id.to_owned(), since)).collect()
    }

    /// Contacts in memory.
    pub fn contacts_held(&self) -> usize {
        self.state.contacts.held()
    }

    /// Subjects that changed since the last call, in order.
    pub fn touched(&mut self) -> Vec<Subject> {
        std::mem::take(&mut self.touched).into_iter().collect()
    }

    /// Every live subject counts as changed: a new shell knows nothing.
    fn touch_everything(&mut self) {
        let queues = self.state.queues.syms().into_iter().map(Subject::Queue);
        let teams = self.state.teams.syms().into_iter().map(Subject::Team);
        let agents = self.state.agents.syms().into_iter().map(Subject::Agent);
        self.touched.extend(queues.chain(teams).chain(agents).chain([Subject::Unit]));
    }
}
