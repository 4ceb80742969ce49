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

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use super::log::{Record, Topic};
use crate::engine::definitions::Definitions;
use crate::engine::output::{Alert, Clock, Ledger, Live, Output, Score, SubjectKind, Trend};
use crate::model::alert::State;
use crate::model::units::{Fraction, LogTime};
use crate::wire::results::{self, Class};

/// Closed alert episodes that are kept for the day's log; open ones are always kept.
const EPISODES: usize = 1_000;
/// Ledger lines that are kept, newest first; the whole ledger stands on its topic.
const LEDGER_LINES: usize = 50_000;

/// The newest documents, cheap to share and safe to write while others read.
#[derive(Debug)]
pub struct ReadModel {
    current: RwLock<Arc<Documents>>,
    version: watch::Sender<u64>,
}

/// What is known at one version.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    /// Rises with every change; the id of stream events.
    pub version: u64,
    /// Names, targets, limits, roster and rules.
    pub definitions: Arc<Definitions>,
    /// Changes whenever `definitions` are replaced.
    pub structure: u64,
    lives: BTreeMap<SubjectKind, Arc<BTreeMap<String, Arc<Live>>>>,
    /// Clocks by domain.
    pub clocks: BTreeMap<u32, Arc<Clock>>,
    /// Trends by queue.
    pub trends: Arc<BTreeMap<String, Arc<Trend>>>,
    /// Scores by period, agent, card.
    pub scores: Arc<BTreeMap<(String, String, String), Arc<Score>>>,
    /// Alert episodes by start, rule, queue.
    pub episodes: Arc<BTreeMap<EpisodeKey, Episode>>,
    /// Ledger lines by their key on the topic.
    pub ledger: Arc<BTreeMap<String, LedgerLine>>,
    /// Records that could not be read.
    pub unreadable: u64,
}

/// What names an episode: when it became pending, of which rule, in which queue.
pub type EpisodeKey = (LogTime, String, String);

/// An alert from pending to resolved.
#[derive(Debug, Clone)]
pub struct Episode {
    /// Its newest transition.
    pub alert: Arc<Alert>,
    /// When it began to fire, if it did.
    pub fired: Option<LogTime>,
    /// When it was resolved, if it is.
    pub resolved: Option<LogTime>,
}

/// A line of the ledger and where it stands.
#[derive(Debug, Clone)]
pub struct LedgerLine {
    /// Offset on `ledger`.
    pub offset: i64,
    /// The line.
    pub line: Arc<Ledger>,
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
    /// The newest values of a subject.
    pub fn live(&self, kind: SubjectKind, id: &str) -> Option<&Arc<Live>> {
        self.lives.get(&kind)?.get(id)
    }

    /// The newest values of all subjects of a kind, by identifier.
    pub fn lives(&self, kind: SubjectKind) -> impl Iterator<Item = &Arc<Live>> {
        self.lives.get(&kind).into_iter().flat_map(|lives| lives.values())
    }

    /// The same documents with other values for some subjects.
    pub fn with_lives(mut self, lives: impl IntoIterator<Item = Arc<Live>>) -> Self {
        lives.into_iter().for_each(|live| self.put_live(live));
        self
    }

    /// The live clock: the least over the domains; absent before the first document.
    pub fn live_clock(&self) -> Option<LogTime> {
        self.clocks.values().map(|clock| clock.live).min()
    }

    /// Episodes that are pending or firing, oldest first.
    pub fn open_alerts(&self) -> impl Iterator<Item = &Episode> {
        self.episodes.values().filter(|episode| self.is_open(episode))
    }

    /// Whether an episode is firing, or pending and not over: one that passes before it fires says nothing on the log, so
    /// that is seen from the values, by the rule's own judgement.
    pub fn is_open(&self, episode: &Episode) -> bool {
        match episode.alert.state {
            State::Firing => true,
            State::Pending => self.is_still_below(&episode.alert),
            State::Inactive | State::Resolved => false,
        }
    }

    fn is_still_below(&self, alert: &Alert) -> bool {
        let rule = self.definitions.alerts.iter().find(|rule| rule.id == alert.rule);
        let (Some(rule), Some(live)) = (rule, self.live(SubjectKind::Queue, &alert.queue)) else {
            return true;
        };
        let value = |window: &String| {
            live.windows
                .get(window)
                .and_then(|window| window.kpis.get(&rule.kpi))
                .copied()
                .unwrap_or_default()
        };
        let values: Vec<Fraction> = rule.windows.iter().map(value).collect();
        // While sources are behind, the engine holds what it has.
        live.coverage.num < live.coverage.den || rule.is_below(&values)
    }

    /// The score of an agent in the newest period that has one; of several cards the first by name.
    pub fn newest_score(&self, agent: &str) -> Option<&Arc<Score>> {
        let newest = &self.scores.keys().next_back()?.0;
        let from = (newest.clone(), agent.to_owned(), String::new());
        let (key, score) = self.scores.range(from..).next()?;
        (key.0 == *newest && key.1 == agent).then_some(score)
    }

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

    fn put(&mut self, output: Output, offset: i64) {
        match output {
            Output::Live(live) => self.put_live(Arc::new(live)),
            Output::Clock(clock) => drop(self.clocks.insert(clock.domain, Arc::new(clock))),
            Output::Trend(trend) => {
                Arc::make_mut(&mut self.trends).insert(trend.queue.clone(), Arc::new(trend));
            }
            Output::Score(score) => self.put_score(score),
            Output::Alert(alert) => self.put_alert(alert),
            Output::Ledger(line) => self.put_ledger(line, offset),
            Output::DeadLetter(_) => {}
        }
    }

    fn put_live(&mut self, live: Arc<Live>) {
        let lives = self.lives.entry(live.subject).or_default();
        Arc::make_mut(lives).insert(live.id.clone(), live);
    }

    fn put_score(&mut self, score: Score) {
        let key = (score.period.clone(), score.agent.clone(), score.card.clone());
        Arc::make_mut(&mut self.scores).insert(key, Arc::new(score));
    }

    fn put_alert(&mut self, alert: Alert) {
        let episodes = Arc::make_mut(&mut self.episodes);
        let key = (alert.started, alert.rule.clone(), alert.queue.clone());
        if alert.state == State::Inactive {
            // It was pending and passed by itself: nobody had to act, so the log does not show it.
            episodes.remove(&key);
            return;
        }
        // A pending one that gave way to a newer one has passed.
        episodes.retain(|_, episode| {
            let other = &episode.alert;
            let same = other.rule == alert.rule && other.queue == alert.queue;
            !same || other.state != State::Pending || other.started >= alert.started
        });
        let before = episodes.get(&key);
        let fired = before.and_then(|episode| episode.fired);
        let resolved = before.and_then(|episode| episode.resolved);
        let (since, state) = (alert.since, alert.state);
        let episode = Episode {
            alert: Arc::new(alert),
            fired: if state == State::Firing { Some(since) } else { fired },
            resolved: if state == State::Resolved { Some(since) } else { resolved },
        };
        episodes.insert(key, episode);
        while episodes.len() > EPISODES {
            let closed = |episode: &Episode| episode.alert.state != State::Firing;
            let Some(oldest) = episodes.iter().find(|(_, e)| closed(e)).map(|(key, _)| key.clone()) else {
                break;
            };
            episodes.remove(&oldest);
        }
    }

    fn put_ledger(&mut self, line: Ledger, offset: i64) {
        let ledger = Arc::make_mut(&mut self.ledger);
        ledger.insert(line.key(), LedgerLine { offset, line: Arc::new(line) });
        if ledger.len() > 2 * LEDGER_LINES {
            let mut offsets: Vec<i64> = ledger.values().map(|line| line.offset).collect();
            offsets.sort_unstable();
            let first = offsets[offsets.len() - LEDGER_LINES];
            ledger.retain(|_, line| line.offset >= first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::output::{Now, Window};

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
