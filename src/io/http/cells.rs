//! The cells of the board: every place of the page whose content changes, written once, for page and stream alike.
//!
//! ```text
//!  Documents ──▶ View ──▶ header, alerts, queues, agents, demo ──▶ Cells: id -> text, state, since, spoken
//!                                                                     ├──▶ page.rs puts them into the page
//!                                                                     └──▶ stream.rs sends those that changed
//! ```

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::demo::Frame;
use super::format;
use super::layout::Layout;
use super::texts::{self, Lang};
use crate::io::read_model::Documents;

mod agents;
mod alerts;
mod demo;
mod header;
mod queues;
mod spark;

pub use demo::TIMELINE;
pub(super) use spark::Scale;
pub use spark::{HEIGHT as SPARK_HEIGHT, LABEL_X as SPARK_LABEL_X, WIDTH as SPARK_WIDTH};

/// Lines of the alert log that the page has room for.
pub const LOG_LINES: usize = 5;
/// Behind its clock by more than this, in real milliseconds, a value is stale.
const STALE_AFTER: i64 = 10_000;
/// Behind by more than this, the service is catching up.
const CATCHING_UP_AFTER: i64 = 60_000;

/// The states that a cell can be in, as `data-state` names them.
pub mod state {
    /// Inside its target, or nothing to judge.
    pub const NORMAL: &str = "normal";
    /// A rule is pending, or the value is between threshold and clear threshold.
    pub const NEAR: &str = "near";
    /// Outside its target, no rule fires.
    pub const OUTSIDE: &str = "outside";
    /// The rule fires.
    pub const FIRING: &str = "firing";
    /// Sources are behind.
    pub const PARTIAL: &str = "partial";
    /// The value is old.
    pub const STALE: &str = "stale";
    /// Cannot be computed.
    pub const NULL: &str = "null";
    /// Under the rule's minimum of samples.
    pub const FEW: &str = "few";
    /// It is over.
    pub const RESOLVED: &str = "resolved";
    /// Nothing stands here.
    pub const EMPTY: &str = "empty";
    /// Equal to the truth.
    pub const SAME: &str = "same";
    /// Differs from the truth.
    pub const DIFFERS: &str = "differs";
}

/// How often changes of a cell are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// Queues and alerts: once a second.
    Second,
    /// Agents: every five seconds.
    FiveSeconds,
    /// Scores: once a minute.
    Minute,
}

/// One place of the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What stands there. Of a running duration: as of now; the page counts on from `since`.
    pub text: String,
    /// One of [`state`], or a state of an agent.
    pub state: String,
    /// Since when a running duration runs, epoch milliseconds.
    pub since: Option<i64>,
    /// The whole sentence for a screen reader, where the text alone does not say it.
    pub spoken: Option<String>,
    /// How often changes are sent.
    pub pace: Pace,
}

impl Cell {
    /// A plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), state: state::NORMAL.into(), since: None, spoken: None, pace: Pace::Second }
    }

    /// A dash: cannot be computed. Its reason stands beside it.
    pub fn dash() -> Self {
        Self::text("—").state(state::NULL)
    }

    /// No text, only a state.
    pub fn mark(state: &str) -> Self {
        Self::text("").state(state)
    }

    /// A duration that runs since a moment.
    pub fn running(since: i64, as_of: i64) -> Self {
        Self { since: Some(since), ..Self::text(format::clock(as_of - since)) }
    }

    /// In this state.
    pub fn state(mut self, state: &str) -> Self {
        self.state = state.into();
        self
    }

    /// With this sentence for a screen reader.
    pub fn spoken(mut self, spoken: String) -> Self {
        self.spoken = Some(spoken);
        self
    }

    /// Sent at this pace.
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Whether the page already shows it: a running duration counts by itself, and a sentence's time is no change.
    pub fn shows_as(&self, other: &Cell) -> bool {
        let text = self.since.is_some() || self.text == other.text;
        text && self.since == other.since && self.state == other.state
    }
}

/// All cells by identifier, and as of when.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cells {
    /// The live clock, epoch milliseconds; absent before the first document.
    pub as_of: Option<i64>,
    /// Fingerprint of the page's structure: a page with another one has to be loaded anew.
    pub structure: String,
    /// Version of the documents.
    pub version: u64,
    /// The cells.
    pub cells: BTreeMap<String, Cell>,
}

impl Cells {
    /// Writes all cells of a view.
    pub fn of(view: &View<'_>) -> Self {
        let mut cells = Cells {
            as_of: view.clock,
            structure: view.layout.fingerprint(),
            version: view.documents.version,
            cells: BTreeMap::new(),
        };
        header::write(view, &mut cells);
        alerts::write(view, &mut cells);
        queues::write(view, &mut cells);
        agents::write(view, &mut cells);
        if let Some(frame) = view.demo {
            demo::write(view, frame, &mut cells);
        }
        cells
    }

    /// The cell of an identifier; an empty one when nobody wrote it.
    pub fn get(&self, id: &str) -> std::borrow::Cow<'_, Cell> {
        match self.cells.get(id) {
            Some(cell) => std::borrow::Cow::Borrowed(cell),
            None => std::borrow::Cow::Owned(Cell::mark(state::EMPTY)),
        }
    }

    fn put(&mut self, id: impl Into<String>, cell: Cell) {
        self.cells.insert(id.into(), cell);
    }
}

/// What one reader looks at: documents, language, window, and the moment.
#[derive(Debug)]
pub struct View<'a> {
    /// The documents.
    pub documents: &'a Documents,
    /// Queues, teams and agents in the order of the page.
    pub layout: &'a Layout,
    /// The language.
    pub lang: Lang,
    /// One of the windows.
    pub window: &'static str,
    /// The unit's zone.
    pub zone: TimeZone,
    /// The live clock, epoch milliseconds; absent before the first document.
    pub clock: Option<i64>,
    /// The append clock, epoch milliseconds.
    pub now: i64,
    /// How many milliseconds of the append clock pass in a real one.
    pub rate: i64,
    /// The demo's frame, in the demo.
    pub demo: Option<&'a Frame>,
}

impl View<'_> {
    /// How far the values are behind their clock, in real milliseconds.
    pub fn behind(&self) -> i64 {
        self.clock.map_or(0, |clock| (self.now - clock).max(0) / self.rate.max(1))
    }

    /// Whether no value is fresh any more.
    pub fn is_stale(&self) -> bool {
        self.behind() > STALE_AFTER
    }

    /// Whether old facts are being read.
    pub fn is_catching_up(&self) -> bool {
        self.behind() > CATCHING_UP_AFTER
    }

    /// The moment that durations run to: the live clock.
    pub fn as_of(&self) -> i64 {
        self.clock.unwrap_or(self.now)
    }

    /// The live clock as `10:42:17`.
    pub fn as_of_text(&self) -> String {
        self.clock.map_or_else(|| "—".to_owned(), |clock| format::time(clock, &self.zone))
    }

    /// One of two texts.
    pub fn pick(&self, zh: impl Into<String>, en: impl Into<String>) -> String {
        self.lang.pick(zh, en)
    }

    /// `截至 10:42:17`, for the end of a spoken sentence.
    fn spoken_as_of(&self) -> String {
        let time = self.as_of_text();
        self.pick(format!("截至 {time}"), format!("as of {time}"))
    }

    /// The word for a state.
    fn state_word(&self, state: &str) -> &'static str {
        self.lang.say(match state {
            state::NEAR => texts::NEAR,
            state::OUTSIDE => texts::OUTSIDE,
            state::FIRING => texts::FIRING,
            state::PARTIAL => texts::PARTIAL,
            state::STALE => texts::STALE,
            state::NULL => texts::NULL,
            state::RESOLVED => texts::RESOLVED,
            _ => texts::NORMAL,
        })
    }
}
