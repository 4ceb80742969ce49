//! What to post and when, without posting: pure, so that it can be tested minute by minute.
//!
//! | on the topic | here |
//! |---|---|
//! | pending, or `page = false` | nothing |
//! | firing, younger than two minutes | posted at once, then every `resend` |
//! | firing, older (a catch-up, a restart) | posted if it still fires after `resend`, then every `resend` |
//! | resolved within the last 15 minutes | posted once, with its end; a firing one that waits is dropped |
//! | resolved earlier | nothing: Alertmanager has ended it by itself |

use crate::engine::output::Alert;
use crate::model::alert::State;
use crate::model::text;
use crate::model::units::{Fraction, LogTime, MINUTE};
use serde::Serialize;
use std::collections::BTreeMap;

/// A firing alert that is older is not paged at once, ms of the append clock.
const YOUNG: i64 = 2 * MINUTE;
/// Alertmanager ends by itself what is not posted again for so long, ms of the wall's clock.
const ENDS_AFTER: i64 = 15 * MINUTE;

/// What does not change from alert to alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The business unit, a label.
    pub unit: String,
    /// Where people look: the board's address.
    pub external_url: String,
    /// Between two posts of a firing alert, ms of the wall's clock.
    pub resend_ms: i64,
}

/// A moment on both clocks, in ms since the epoch.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// The log's clock, which alerts are dated by.
    pub append_ms: i64,
    /// The wall's clock, which Alertmanager lives by.
    pub wall_ms: i64,
    /// Milliseconds of the log's clock in one of the wall's.
    pub rate: u32,
}

impl Now {
    /// A moment of the log's clock on the wall's. A real log's clock is taken at its word, so that repeats are equal.
    fn on_the_wall(self, at: LogTime) -> i64 {
        match i64::from(self.rate) {
            0 | 1 => at.0,
            rate => self.wall_ms.saturating_sub(self.append_ms.saturating_sub(at.0) / rate),
        }
    }
}

/// One alert as Alertmanager's API takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// Identity: equal labels are the same alert.
    pub labels: BTreeMap<&'static str, String>,
    /// For people.
    pub annotations: BTreeMap<&'static str, String>,
    /// RFC 3339.
    pub starts_at: String,
    /// RFC 3339: in the future while it fires, in the past once it is resolved.
    pub ends_at: String,
    /// Where it comes from.
    #[serde(rename = "generatorURL")]
    pub generator_url: String,
}

/// The latest state of every alert that pages.
#[derive(Debug)]
pub struct Pages {
    terms: Terms,
    standing: BTreeMap<(String, String), Standing>,
}

#[derive(Debug)]
struct Standing {
    /// The firing transition: its labels stay those of the alert until its end, whatever is redefined meanwhile.
    labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
    /// On the wall's clock.
    started_ms: i64,
    /// On the wall's clock; it was resolved then.
    ended_ms: Option<i64>,
    /// On the wall's clock: when to post it next.
    due_ms: i64,
}

impl Pages {
    /// Nothing stands yet.
    pub fn new(terms: Terms) -> Pages {
        Pages { terms, standing: BTreeMap::new() }
    }

    /// Takes one transition, in the order of the topic.
    pub fn take(&mut self, alert: &Alert, now: Now) {
        match alert.state {
            State::Firing if alert.page => self.fire(alert, now),
            State::Resolved => self.resolve(alert, now),
            State::Firing | State::Pending | State::Inactive => {}
        }
    }

    fn fire(&mut self, alert: &Alert, now: Now) {
        let young = now.append_ms.saturating_sub(alert.since.0) < YOUNG;
        let standing = Standing {
            labels: self.labels(alert),
            annotations: annotations(alert),
            started_ms: now.on_the_wall(alert.since),
            ended_ms: None,
            due_ms: if young { now.wall_ms } else { now.wall_ms.saturating_add(self.terms.resend_ms) },
        };
        self.standing.insert(key(alert), standing);
    }

    fn resolve(&mut self, alert: &Alert, now: Now) {
        let ended_ms = now.on_the_wall(alert.since).min(now.wall_ms);
        let key = key(alert);
        if now.wall_ms.saturating_sub(ended_ms) >= ENDS_AFTER {
            self.standing.remove(&key);
        } else if let Some(standing) = self.standing.get_mut(&key) {
            standing.annotations = annotations(alert);
            standing.ended_ms = Some(ended_ms);
            standing.due_ms = now.wall_ms;
        }
    }

    /// At most `most` that are due, in the order of rule and queue. They stay due until they are [`Pages::accepted`].
    pub fn due(&self, wall_ms: i64, most: usize) -> Vec<Page> {
        let resend = self.terms.resend_ms;
        // A wall clock that was put back must not silence anybody.
        let due = |standing: &&Standing| !(wall_ms < standing.due_ms && standing.due_ms - wall_ms <= resend);
        let page = |standing: &Standing| {
            let ends = standing.ended_ms.unwrap_or_else(|| wall_ms.saturating_add(ENDS_AFTER));
            Page {
                labels: standing.labels.clone(),
                annotations: standing.annotations.clone(),
                starts_at: moment(standing.started_ms.min(ends)),
                ends_at: moment(ends),
                generator_url: self.terms.external_url.clone(),
            }
        };
        self.standing.values().filter(due).take(most).map(page).collect()
    }

    /// Alertmanager has taken them: resolved ones are done, firing ones are due again after a while.
    pub fn accepted(&mut self, pages: &[Page], wall_ms: i64) {
        for page in pages {
            let key = (page.labels["rule"].clone(), page.labels["queue"].clone());
            let ended = self.standing.get(&key).is_some_and(|standing| standing.ended_ms.is_some());
            if ended {
                self.standing.remove(&key);
            } else if let Some(standing) = self.standing.get_mut(&key) {
                standing.due_ms = wall_ms.saturating_add(self.terms.resend_ms);
            }
        }
    }

    /// How many alerts stand: at most rules x queues.
    pub fn len(&self) -> usize {
        self.standing.len()
    }

    /// Whether none stands.
    pub fn is_empty(&self) -> bool {
        self.standing.is_empty()
    }

    fn labels(&self, alert: &Alert) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("alertname", alert.rule.clone()),
            ("rule", alert.rule.clone()),
            ("queue", alert.queue.clone()),
            ("kpi", alert.kpi.clone()),
            ("severity", alert.severity.clone()),
            ("unit", self.terms.unit.clone()),
            ("page", alert.page.to_string()),
        ])
    }
}

fn key(alert: &Alert) -> (String, String) {
    (alert.rule.clone(), alert.queue.clone())
}

fn annotations(alert: &Alert) -> BTreeMap<&'static str, String> {
    let percent = |value: Fraction| text::percent_among(value, &[alert.below, alert.clear]);
    let mut all = BTreeMap::from([
        ("summary", alert.en.clone()),
        ("summary_zh", alert.zh.clone()),
        ("value", percent(alert.value)),
        ("worst", percent(alert.worst)),
        ("threshold", text::limit(alert.below)),
        ("window", alert.window.clone()),
        ("since", moment(alert.since.0)),
    ]);
    if alert.partial {
        all.insert("partial", "some sources were behind".into());
    }
    all
}

fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_790_000_000_000;

    fn pages() -> Pages {
        let external_url = "http://board".to_owned();
        Pages::new(Terms { unit: "hangzhou".into(), external_url, resend_ms: MINUTE })
    }

    /// Seconds after the start on both clocks.
    fn at(seconds: i64) -> Now {
        Now { append_ms: START + seconds * 1000, wall_ms: START + seconds * 1000, rate: 1 }
    }

    fn alert(state: State, seconds: i64) -> Alert {
        Alert {
            rule: "answer-rate-low".into(),
            kpi: "answer_rate".into(),
            queue: "billing".into(),
            state,
            since: LogTime(START + seconds * 1000),
            started: LogTime(START),
            window: "5m".into(),
            value: Fraction::new(6, 10),
            below: Fraction::new(800, 1000),
            clear: Fraction::new(850, 1000),
            partial: false,
            severity: "critical".into(),
            page: true,
            worst: Fraction::new(5, 10),
            zh: "账单：应答率 60%，低于 80%".into(),
            en: "Billing: answer rate 60%, below 80%".into(),
        }
    }

    /// What is posted at each of these seconds by an Alertmanager that always accepts: `second fires|ends`.
    fn posts(pages: &mut Pages, seconds: impl IntoIterator<Item = i64>) -> Vec<String> {
        let mut told = Vec::new();
        for second in seconds {
            let now = at(second).wall_ms;
            let due = pages.due(now, 10);
            told.extend(due.iter().map(|page| {
                let what = if page.ends_at > moment(now) { "fires" } else { "ends" };
                format!("{second} {what}")
            }));
            pages.accepted(&due, now);
        }
        told
    }

    #[test]
    fn a_young_firing_alert_is_posted_at_once_then_every_minute_and_its_end_once() {
        let mut pages = pages();
        pages.take(&alert(State::Firing, 0), at(1));
        assert_eq!(posts(&mut pages, [1, 2, 60, 61, 120, 121]), ["1 fires", "61 fires", "121 fires"]);
        pages.take(&alert(State::Resolved, 150), at(151));
        assert_eq!(posts(&mut pages, [151, 152, 300]), ["151 ends"]);
        assert!(pages.is_empty());
    }

    #[test]
    fn what_began_and_ended_in_the_past_is_never_posted_as_firing() {
        let mut pages = pages();
        pages.take(&alert(State::Firing, 0), at(3600));
        assert!(pages.due(at(3600).wall_ms, 10).is_empty());
        pages.take(&alert(State::Resolved, 1200), at(3601));
        assert_eq!(posts(&mut pages, 3600..7200), Vec::<String>::new());
    }

    #[test]
    fn after_a_restart_what_still_fires_is_posted_with_the_same_labels_and_start() {
        let (mut before, mut after) = (pages(), pages());
        before.take(&alert(State::Firing, 0), at(1));
        after.take(&alert(State::Firing, 0), at(600));
        assert!(after.due(at(601).wall_ms, 10).is_empty(), "it is old, so there is no hurry");
        let (first, again) = (before.due(at(1).wall_ms, 10), after.due(at(660).wall_ms, 10));
        assert_eq!((&first[0].labels, &first[0].starts_at), (&again[0].labels, &again[0].starts_at));
    }

    #[test]
    fn an_end_that_the_predecessor_may_not_have_told_is_told_after_a_restart() {
        let mut pages = pages();
        pages.take(&alert(State::Firing, 0), at(600));
        pages.take(&alert(State::Resolved, 500), at(600));
        assert_eq!(posts(&mut pages, [600, 601]), ["600 ends"]);
    }

    #[test]
    fn nothing_is_lost_while_alertmanager_is_away_and_only_the_latest_is_kept() {
        let mut pages = pages();
        for hour in 0..100 {
            pages.take(&alert(State::Firing, hour * 3600), at(hour * 3600));
            pages.take(&alert(State::Resolved, hour * 3600 + 900), at(hour * 3600 + 900));
        }
        pages.take(&alert(State::Firing, 360_000), at(360_000));
        assert_eq!(pages.len(), 1);
        assert_eq!(pages.due(at(400_000).wall_ms, 10).len(), 1, "it fires and was never accepted");
    }

    #[test]
    fn pending_alerts_and_those_that_only_colour_the_board_are_not_posted() {
        let mut pages = pages();
        pages.take(&alert(State::Pending, 0), at(0));
        pages.take(&Alert { page: false, ..alert(State::Firing, 0) }, at(0));
        assert!(pages.is_empty());
    }

    #[test]
    fn a_rule_that_is_redefined_ends_the_alert_that_it_began() {
        let mut pages = pages();
        pages.take(&alert(State::Firing, 0), at(0));
        let labels = pages.due(at(0).wall_ms, 10)[0].labels.clone();
        let redefined = Alert { severity: "warning".into(), page: false, ..alert(State::Resolved, 60) };
        pages.take(&redefined, at(60));
        assert_eq!(pages.due(at(60).wall_ms, 10)[0].labels, labels);
    }

    #[test]
    fn on_a_fast_clock_alertmanager_gets_the_walls_time() {
        let mut pages = pages();
        let now = Now { append_ms: START + 119_000, wall_ms: 5_000_000, rate: 60 };
        pages.take(&alert(State::Firing, 59), now);
        let page = &pages.due(now.wall_ms, 10)[0];
        assert_eq!(
            (page.starts_at.as_str(), page.ends_at.as_str()),
            ("1970-01-01T01:23:19Z", "1970-01-01T01:38:20Z")
        );
    }

    #[test]
    fn a_wall_clock_that_is_put_back_silences_nobody() {
        let mut pages = pages();
        pages.take(&alert(State::Firing, 7200), at(7200));
        assert_eq!(posts(&mut pages, [7200, 7201, 3600, 3601]), ["7200 fires", "3600 fires"]);
    }

    #[test]
    fn the_document_is_what_alertmanager_takes_and_people_read() {
        let mut pages = pages();
        pages.take(&alert(State::Firing, 0), at(0));
        let document = serde_json::to_value(pages.due(at(0).wall_ms, 10)).unwrap();
        assert_eq!(document[0]["generatorURL"], "http://board");
        assert_eq!(document[0]["startsAt"], "2026-09-21T14:13:20Z");
        assert_eq!(document[0]["annotations"]["summary_zh"], "账单：应答率 60%，低于 80%");
        assert_eq!(document[0]["labels"]["alertname"], "answer-rate-low");
    }
}
