//! What is known at one version, and what can be asked of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::definitions::Definitions;
use crate::engine::output::{Alert, Clock, Ledger, Live, Output, Score, SubjectKind, Trend};
use crate::model::alert::State;
use crate::model::units::{Fraction, LogTime};

/// Closed alert episodes that are kept for the day's log; open ones are always kept.
pub(super) const EPISODES: usize = 1_000;
/// Ledger lines that are kept, newest first; the whole ledger stands on its topic.
const LEDGER_LINES: usize = 50_000;

/// What is known at one version.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    /// Rises with every change; the id of stream events.
    pub version: u64,
    /// Names, targets, limits, roster and rules.
    pub definitions: Arc<Definitions>,
    /// Changes whenever `definitions` are replaced.
    pub structure: u64,
    pub(super) lives: BTreeMap<SubjectKind, Arc<BTreeMap<String, Arc<Live>>>>,
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

    /// The newest cut: its period and revision.
    pub fn newest_cut(&self) -> Option<(&str, u32)> {
        let cuts = self.ledger.values().filter_map(|line| match line.line.as_ref() {
            Ledger::Cut { period, revision, .. } => Some((period.as_str(), *revision)),
            _ => None,
        });
        cuts.max()
    }

    /// The final of an agent at a cut; of several cards the first by name.
    pub fn final_score(&self, agent: &str, cut: (&str, u32)) -> Option<&Score> {
        let finals = self.ledger.values().filter_map(|line| match line.line.as_ref() {
            Ledger::Final { revision, score, .. } if score.agent == agent => Some((*revision, score)),
            _ => None,
        });
        let mine = finals.filter(|(revision, score)| (score.period.as_str(), *revision) == cut);
        mine.map(|(_, score)| score).min_by(|a, b| a.card.cmp(&b.card))
    }

    /// The score of an agent in the newest period that has one; of several cards the first by name.
    pub fn newest_score(&self, agent: &str) -> Option<&Arc<Score>> {
        let newest = &self.scores.keys().next_back()?.0;
        let from = (newest.clone(), agent.to_owned(), String::new());
        let (key, score) = self.scores.range(from..).next()?;
        (key.0 == *newest && key.1 == agent).then_some(score)
    }

    pub(super) fn put(&mut self, output: Output, offset: i64) {
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
