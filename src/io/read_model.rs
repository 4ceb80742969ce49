//! The read model: the newest document of every key, as the board and the API show it.
//!
//! ```text
//!  kpi-live, scores-live, alerts, ledger ──tail──▶ apply ──▶ Documents (shared, copied only when somebody still reads)
//!                                                               ├── snapshot() ──▶ board, SSE, API, /metrics
//!                                                               └── changes() wakes whoever waits for the next version
//! ```
//!
//! Every instance tails the same topics, so every instance shows the same. A record that cannot be read is counted and
//! changes nothing. Readers get an `Arc` and hold no lock while they render; the writer waits for nobody.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use super::log::{Record, Topic};
use crate::engine::definitions::Definitions;
use crate::engine::output::{Output, SubjectKind};
use crate::wire::results::{self, Class};

mod documents;

pub use documents::{Documents, Episode, EpisodeKey, LedgerLine};

/// The newest documents, cheap to share and safe to write while others read.
#[derive(Debug)]
pub struct ReadModel {
    current: RwLock<Arc<Documents>>,
    version: watch::Sender<u64>,
}

/// One thing to be changed, read before the lock is taken.
enum Change {
    Put(Box<Output>, i64),
    RemoveLive(SubjectKind, String),
    RemoveTrend(String),
    RemoveScore(String, String, String),
}

impl Default for ReadModel {
    fn default() -> Self {
        Self { current: RwLock::default(), version: watch::Sender::new(0) }
    }
}

impl ReadModel {
    /// Everything as it is now; never changes under the reader.
    pub fn snapshot(&self) -> Arc<Documents> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells of each new version; skips those that nobody looked at in time.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Applies records in the order of their topic. Gives how many could not be read.
    pub fn apply<'a>(&self, records: impl IntoIterator<Item = (Topic, &'a Record)>) -> u64 {
        let mut unreadable = 0;
        let mut changes = Vec::new();
        for (topic, record) in records {
            match read(topic, record) {
                Some(Some(change)) => changes.push(change),
                Some(None) => {}
                None => unreadable += 1,
            }
        }
        self.change(|documents| {
            documents.unreadable += unreadable;
            changes.into_iter().for_each(|change| documents.apply(change));
        });
        unreadable
    }

    /// Applies outputs as they come from the engine, without the way over the log.
    pub fn put(&self, outputs: impl IntoIterator<Item = Output>) {
        self.change(|documents| {
            for (offset, output) in outputs.into_iter().enumerate() {
                documents.apply(Change::Put(Box::new(output), offset as i64));
            }
        });
    }

    /// From here on these definitions hold.
    pub fn define(&self, definitions: Definitions) {
        self.change(|documents| {
            if *documents.definitions != definitions {
                documents.definitions = Arc::new(definitions);
                documents.structure += 1;
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Documents)) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let documents = Arc::make_mut(&mut current);
        change(documents);
        documents.version += 1;
        let version = documents.version;
        drop(current);
        self.version.send_replace(version);
    }
}

/// `None`: unreadable. `Some(None)`: nothing that is shown.
fn read(topic: Topic, record: &Record) -> Option<Option<Change>> {
    let key = std::str::from_utf8(record.key.as_deref().unwrap_or_default()).ok()?;
    let class = match topic {
        Topic::KpiLive => Class::KpiLive,
        Topic::ScoresLive => Class::ScoresLive,
        Topic::Alerts => Class::Alerts,
        Topic::Ledger => Class::Ledger,
        Topic::Facts | Topic::DeadLetters | Topic::State => return Some(None),
    };
    if record.value.is_empty() {
        return Some(removal(topic, results::key_parts(key)));
    }
    let output = results::output(class, key, &record.value).ok()?;
    Some(Some(Change::Put(Box::new(output), record.offset)))
}

fn removal(topic: Topic, parts: Vec<String>) -> Option<Change> {
    let mut parts = parts.into_iter();
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next());
    match (topic, first.as_str()) {
        (Topic::KpiLive, "trend") => Some(Change::RemoveTrend(second)),
        (Topic::KpiLive, kind) => Some(Change::RemoveLive(subject(kind)?, second)),
        (Topic::ScoresLive, _) => Some(Change::RemoveScore(second, first, third?)),
        _ => None,
    }
}

fn subject(text: &str) -> Option<SubjectKind> {
    Some(match text {
        "queue" => SubjectKind::Queue,
        "team" => SubjectKind::Team,
        "unit" => SubjectKind::Unit,
        "agent" => SubjectKind::Agent,
        _ => return None,
    })
}

impl Documents {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Put(output, offset) => self.put(*output, offset),
            Change::RemoveTrend(queue) => drop(Arc::make_mut(&mut self.trends).remove(&queue)),
            Change::RemoveScore(period, agent, card) => {
                Arc::make_mut(&mut self.scores).remove(&(period, agent, card));
            }
            Change::RemoveLive(kind, id) => {
                if let Some(lives) = self.lives.get_mut(&kind) {
                    Arc::make_mut(lives).remove(&id);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::documents::EPISODES;
    use super::*;
    use crate::engine::output::{Alert, Live, Now, Score, Window};
    use crate::model::alert::State;
    use crate::model::units::{Fraction, LogTime};

    fn live(id: &str, waiting: i64) -> Live {
        let now = Now { waiting: Some(waiting), ..Now::default() };
        let windows = [("5m".to_owned(), Window::default())].into();
        let coverage = Fraction::new(1, 1);
        Live { subject: SubjectKind::Queue, id: id.into(), as_of: LogTime(1), coverage, now, windows }
    }

    fn record(key: &str, value: impl serde::Serialize) -> Record {
        let value = serde_json::to_vec(&value).expect("documents are JSON");
        Record { offset: 0, append_ms: 0, key: Some(key.into()), value }
    }

    fn alert(state: State, started: i64, since: i64) -> Output {
        Output::Alert(Alert {
            rule: "r".into(),
            kpi: "answer_rate".into(),
            queue: "q".into(),
            state,
            since: LogTime(since),
            started: LogTime(started),
            window: "30m".into(),
            value: Fraction::new(1, 2),
            below: Fraction::new(4, 5),
            clear: Fraction::new(17, 20),
            partial: false,
            severity: "critical".into(),
            page: true,
            worst: Fraction::new(1, 2),
            zh: String::new(),
            en: String::new(),
        })
    }

    #[test]
    fn the_newest_document_of_a_key_is_shown_and_an_empty_value_removes_it() {
        let model = ReadModel::default();
        let key = "queue|a%7Cb";
        let (first, second) = (record(key, live("a|b", 1)), record(key, live("a|b", 2)));
        assert_eq!(model.apply([(Topic::KpiLive, &first), (Topic::KpiLive, &second)]), 0);
        let before = model.snapshot();
        assert_eq!(before.live(SubjectKind::Queue, "a|b").expect("known").now.waiting, Some(2));
        let gone = Record { value: Vec::new(), ..first };
        model.apply([(Topic::KpiLive, &gone)]);
        assert!(model.snapshot().live(SubjectKind::Queue, "a|b").is_none());
        assert!(
            before.live(SubjectKind::Queue, "a|b").is_some(),
            "a snapshot does not change under its reader"
        );
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_moves_nothing() {
        let model = ReadModel::default();
        let bad = [record("queue|a", "not a document"), record("clock|0", 7)];
        assert_eq!(model.apply(bad.iter().map(|r| (Topic::KpiLive, r))), 2);
        let documents = model.snapshot();
        assert_eq!((documents.unreadable, documents.lives(SubjectKind::Queue).count()), (2, 0));
    }

    #[test]
    fn an_episode_keeps_when_it_fired_and_when_it_was_over() {
        let model = ReadModel::default();
        model.put([alert(State::Pending, 10, 10), alert(State::Firing, 10, 70)]);
        assert_eq!(model.snapshot().open_alerts().count(), 1);
        model.put([alert(State::Resolved, 10, 200)]);
        let documents = model.snapshot();
        let episode = documents.episodes.values().next().expect("one episode");
        assert_eq!((episode.fired, episode.resolved), (Some(LogTime(70)), Some(LogTime(200))));
        assert_eq!(documents.open_alerts().count(), 0);
    }

    #[test]
    fn a_pending_alert_that_passes_leaves_no_line() {
        let model = ReadModel::default();
        model.put([alert(State::Pending, 10, 10), alert(State::Inactive, 10, 20)]);
        assert!(model.snapshot().episodes.is_empty());
    }

    #[test]
    fn a_pending_alert_whose_value_has_recovered_is_over_without_a_word() {
        let model = ReadModel::default();
        let rule = crate::model::alert::Rule {
            id: "r".into(),
            kpi: "answer_rate".into(),
            queues: Vec::new(),
            windows: vec!["5m".into()],
            below: Fraction::new(4, 5),
            clear: Fraction::new(4, 5),
            hold_ms: 60_000,
            min_samples: 1,
            on_null: crate::model::alert::OnNull::Hold,
            severity: "critical".into(),
            page: true,
        };
        model.define(Definitions { alerts: vec![rule], ..Definitions::default() });
        let valued = |num| {
            let mut live = live("q", 0);
            let window = live.windows.get_mut("5m").expect("a window");
            window.kpis.insert("answer_rate".into(), Fraction::new(num, 10));
            Output::Live(live)
        };
        model.put([alert(State::Pending, 10, 10), valued(7)]);
        assert_eq!(model.snapshot().open_alerts().count(), 1);
        model.put([valued(9)]);
        assert_eq!(model.snapshot().open_alerts().count(), 0);
        model.put([valued(7), alert(State::Pending, 50, 50)]);
        assert_eq!(model.snapshot().episodes.len(), 1, "the newer one stands for both");
    }

    #[test]
    fn old_closed_episodes_go_first_and_open_ones_stay() {
        let model = ReadModel::default();
        model.put([alert(State::Firing, 0, 0)]);
        model.put((1..=EPISODES as i64 + 5).map(|at| alert(State::Resolved, at, at)));
        let documents = model.snapshot();
        assert_eq!(documents.episodes.len(), EPISODES);
        assert_eq!(documents.open_alerts().count(), 1);
    }

    #[test]
    fn every_change_raises_the_version() {
        let model = ReadModel::default();
        let changes = model.changes();
        model.put([Output::Live(live("q", 1))]);
        assert_eq!((model.snapshot().version, *changes.borrow()), (1, 1));
    }

    #[test]
    fn the_score_shown_is_of_the_newest_period() {
        let score = |period: &str, agent: &str| {
            Output::Score(Score {
                agent: agent.into(),
                period: period.into(),
                card: "c".into(),
                version: 1,
                hash: String::new(),
                as_of: LogTime(0),
                provisional: true,
                total: None,
                total_shown: None,
                grade: None,
                grade_en: None,
                why_zh: String::new(),
                why_en: String::new(),
                items: Vec::new(),
            })
        };
        let model = ReadModel::default();
        model.put([score("2026-09", "a"), score("2026-10", "b"), score("2026-09", "b")]);
        let documents = model.snapshot();
        assert_eq!(documents.newest_score("b").map(|s| s.period.as_str()), Some("2026-10"));
        assert!(documents.newest_score("a").is_none(), "a score of last month is not this month's");
    }
}
