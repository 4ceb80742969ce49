//! What the demo adds to the board: the truth under each number, the kill button and what a kill did, the month's end.
//!
//! The demo hands in a [`DemoView`]; the board compares and draws. Truth has the shape of our own documents, so that each
//! number is compared with its namesake, as an exact fraction, at the same offset.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::Site;
use crate::engine::output::{Live, SubjectKind, Window};
use crate::model::units::{Fraction, LogTime};

/// What the board asks of the demo. Called about once a second a reader; must not block.
pub trait DemoView: Send + Sync {
    /// How many milliseconds of the demo's clock pass in a real one.
    fn speed(&self) -> i64;
    /// The seed of the traffic.
    fn seed(&self) -> u64;
    /// Our documents and the true ones at one and the same offset; absent before the first.
    fn comparison(&self) -> Option<Arc<Comparison>>;
    /// What the kills did so far.
    fn kills(&self) -> Kills;
    /// What the simulator did to us on purpose.
    fn sent(&self) -> Sent;
    /// Kills the engine like a power cut. `false` when it is just being restored.
    fn kill(&self) -> bool;
}

/// Ours against the truth, at the same offset.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Live clock at that offset.
    pub as_of: LogTime,
    /// Subjects; the truth decides which numbers there are.
    pub subjects: Vec<Pair>,
    /// Items of the month's scores.
    pub items: Vec<ItemPair>,
}

/// One subject's document and its true one.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Ours; absent when we have none.
    pub ours: Option<Arc<Live>>,
    /// The true one: windows with KPIs, counts if it knows them, and what is waiting now.
    pub truth: Arc<Live>,
}

/// One item of one score, exact values as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemPair {
    /// Agent.
    pub agent: String,
    /// Item of the card.
    pub item: String,
    /// Our value.
    pub ours: Option<String>,
    /// The true value.
    pub truth: Option<String>,
}

/// What the kills did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kills {
    /// How often the engine was killed.
    pub count: u32,
    /// Whether it is just being restored.
    pub restoring: bool,
    /// The last one that is over.
    pub last: Option<Kill>,
    /// Facts lost, over all kills.
    pub lost: u64,
    /// Facts counted twice, over all kills.
    pub twice: u64,
    /// Alerts repeated, over all kills.
    pub repeated: u64,
}

/// One kill, phase by phase, in real time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kill {
    /// When, by the demo's clock.
    pub at: LogTime,
    /// Until the old engine could write no more.
    pub fence: Duration,
    /// Reading the snapshot.
    pub snapshot: Duration,
    /// Replaying facts silently.
    pub replay: Duration,
    /// How many.
    pub replayed: u64,
    /// Until the newest fact.
    pub catch_up: Duration,
    /// Whether the digest of the outputs matched.
    pub digest_matched: bool,
}

/// What the simulator did to us on purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// Events sent twice.
    pub duplicates: u64,
    /// Of those, how many we recognised.
    pub duplicates_recognised: u64,
    /// Events sent out of order.
    pub out_of_order: u64,
    /// Broken records.
    pub broken: u64,
    /// Of those, how many are in dead letters.
    pub broken_set_aside: u64,
}

/// Equal numbers of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Equal.
    pub equal: u64,
    /// All.
    pub all: u64,
}

impl Tally {
    fn note(&mut self, equal: bool) {
        self.all += 1;
        self.equal += u64::from(equal);
    }

    fn add(&mut self, other: Tally) {
        self.equal += other.equal;
        self.all += other.all;
    }

    /// Whether all are equal.
    pub fn is_equal(self) -> bool {
        self.equal == self.all
    }
}

/// All that the board draws of the demo, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// See [`DemoView::speed`].
    pub speed: i64,
    /// See [`DemoView::seed`].
    pub seed: u64,
    /// See [`DemoView::kills`].
    pub kills: Kills,
    /// See [`DemoView::sent`].
    pub sent: Sent,
    /// The comparison, if there is one yet.
    pub comparison: Option<Arc<Comparison>>,
    /// Equal and all by subject.
    pub subjects: BTreeMap<(SubjectKind, String), Tally>,
    /// Equal and all of the month's items.
    pub items: Tally,
}

impl Frame {
    /// Asks the demo and compares.
    pub fn of(demo: &dyn DemoView) -> Self {
        let comparison = demo.comparison();
        let mut frame = Frame {
            speed: demo.speed(),
            seed: demo.seed(),
            kills: demo.kills(),
            sent: demo.sent(),
            ..Frame::default()
        };
        for pair in comparison.iter().flat_map(|comparison| &comparison.subjects) {
            let key = (pair.truth.subject, pair.truth.id.clone());
            frame.subjects.insert(key, compare(pair.ours.as_deref(), &pair.truth));
        }
        for item in comparison.iter().flat_map(|comparison| &comparison.items) {
            frame.items.note(item.ours == item.truth);
        }
        frame.comparison = comparison;
        frame
    }

    /// Equal and all of one kind of subject.
    pub fn of_kind(&self, kinds: &[SubjectKind]) -> Tally {
        let mut tally = Tally::default();
        let mine = self.subjects.iter().filter(|((kind, _), _)| kinds.contains(kind));
        mine.for_each(|(_, one)| tally.add(*one));
        tally
    }

    /// Equal and all of everything.
    pub fn total(&self) -> Tally {
        let mut tally = self.items;
        self.subjects.values().for_each(|one| tally.add(*one));
        tally
    }

    /// The true document of a subject.
    pub fn truth(&self, kind: SubjectKind, id: &str) -> Option<&Live> {
        let subjects = &self.comparison.as_ref()?.subjects;
        let pair = subjects.iter().find(|pair| pair.truth.subject == kind && pair.truth.id == id)?;
        Some(&pair.truth)
    }
}

/// Compares number by number; what the truth does not know is not compared.
fn compare(ours: Option<&Live>, truth: &Live) -> Tally {
    let mut tally = Tally::default();
    let now = ours.map(|ours| &ours.now);
    if truth.now.waiting.is_some() {
        tally.note(now.and_then(|now| now.waiting) == truth.now.waiting);
        tally.note(now.and_then(|now| now.longest_since) == truth.now.longest_since);
    }
    if truth.now.state.is_some() {
        tally.note(now.is_some_and(|now| now.state == truth.now.state));
    }
    let nothing = Window::default();
    for (name, window) in &truth.windows {
        let mine = ours.and_then(|ours| ours.windows.get(name)).unwrap_or(&nothing);
        for (kpi, value) in &window.kpis {
            tally.note(is_same(mine.kpis.get(kpi).copied().unwrap_or_default(), *value));
        }
        if !window.counts.is_empty() {
            let columns: std::collections::BTreeSet<_> =
                window.counts.keys().chain(mine.counts.keys()).collect();
            for column in columns {
                let count = |window: &Window| window.counts.get(column).copied().unwrap_or(0);
                tally.note(count(mine) == count(window));
            }
        }
    }
    tally
}

/// Numerator and denominator are the same, or both cannot be computed.
pub(super) fn is_same(ours: Fraction, truth: Fraction) -> bool {
    ours == truth || (ours.is_null() && truth.is_null())
}

/// `POST /demo/kill`: kills the engine; a form without script goes back to the board.
pub(super) async fn kill(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let Some(demo) = &site.demo else { return StatusCode::NOT_FOUND.into_response() };
    let killed = demo.kill();
    let wants_page = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    match (wants_page.is_some_and(|accept| accept.contains("text/html")), killed) {
        (true, _) => Redirect::to("/").into_response(),
        (false, true) => StatusCode::ACCEPTED.into_response(),
        (false, false) => (StatusCode::CONFLICT, "the engine is just being restored\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::output::Now;

    fn live(waiting: i64, rate: (i64, i64)) -> Live {
        let kpis = [("answer_rate".to_owned(), Fraction::new(rate.0, rate.1))].into();
        let window = Window { counts: BTreeMap::new(), kpis };
        Live {
            subject: SubjectKind::Queue,
            id: "q".into(),
            as_of: LogTime(0),
            coverage: Fraction::new(1, 1),
            now: Now { waiting: Some(waiting), ..Now::default() },
            windows: [("30m".to_owned(), window)].into(),
        }
    }

    #[test]
    fn equal_means_the_same_numerator_and_denominator() {
        let truth = live(1, (1, 2));
        assert_eq!(compare(Some(&live(1, (1, 2))), &truth), Tally { equal: 3, all: 3 });
        assert_eq!(compare(Some(&live(1, (2, 4))), &truth), Tally { equal: 2, all: 3 });
        assert_eq!(compare(None, &truth), Tally { equal: 1, all: 3 }, "nobody waiting since is the same");
        assert_eq!(compare(Some(&live(1, (0, 0))), &live(1, (0, 0))), Tally { equal: 3, all: 3 });
    }
}
