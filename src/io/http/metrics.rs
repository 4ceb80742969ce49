//! `GET /metrics`: built at each scrape from what is known then, so that nothing that is gone stays on show.
//!
//! | series | labels |
//! |---|---|
//! | `shiftpulse_{queue,agent,team,unit}_<kpi>_{ratio,seconds}` | subject, `window`; `dialect` for the service level |
//! | `shiftpulse_{…}_<column>`, `shiftpulse_{…}_<column>_seconds` | counts and sums of a window, as gauges |
//! | `shiftpulse_{queue,unit}_waiting`, `…_longest_wait_seconds`, `…_ready`, `…_on_shift` | subject |
//! | `shiftpulse_{team,unit}_agents` | subject, `state` |
//! | `shiftpulse_agent_state` (1), `shiftpulse_agent_state_seconds` | `agent`, `team`, `state` |
//! | `shiftpulse_agent_score_points` | `agent`, `card`; the newest period |
//! | `shiftpulse_queue_target_ratio`, `shiftpulse_queue_limit_seconds` | `queue`, `kpi` |
//! | `shiftpulse_alert_state` (0 ok, 1 pending, 2 firing), `shiftpulse_alert_since_timestamp_seconds` | `rule`, `queue`, `kpi`, `severity` |
//! | `shiftpulse_live_clock_age_seconds`, `shiftpulse_coverage_ratio`, `shiftpulse_source_behind_seconds`, … | the service |
//! | `shiftpulse_unaudited_cuts` | |
//!
//! A value that cannot be computed has no series: never 0, never NaN.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Encoder, TextEncoder};

use super::Site;
use crate::engine::output::{Ledger, Live, SubjectKind};
use crate::io::live::LiveView;
use crate::io::read_model::Documents;
use crate::model::alert::State as AlertState;
use crate::model::units::Fraction;

/// Where the values of the subjects come from: the live view of the engines of this instance, or the read model.
pub trait Gauges: Send + Sync {
    /// The newest values of every subject.
    fn lives(&self) -> Vec<Arc<Live>>;
}

impl Gauges for LiveView {
    fn lives(&self) -> Vec<Arc<Live>> {
        self.all()
    }
}

/// A value of the service itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceValue {
    /// Without the prefix `shiftpulse_`; a counter ends in `_total`.
    pub name: String,
    /// One sentence.
    pub help: &'static str,
    /// Labels.
    pub labels: Vec<(&'static str, String)>,
    /// Value in base units.
    pub value: f64,
}

/// `GET /metrics`.
pub(super) async fn scrape(State(site): State<Arc<Site>>) -> Response {
    let mut text = Vec::new();
    match TextEncoder::new().encode(&families(&site), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// All families, by name.
fn families(site: &Site) -> Vec<MetricFamily> {
    let documents = site.model.snapshot();
    let mut families = Families::default();
    let lives = match &site.gauges {
        Some(gauges) => gauges.lives(),
        None => {
            let kinds = [SubjectKind::Queue, SubjectKind::Team, SubjectKind::Unit, SubjectKind::Agent];
            kinds.iter().flat_map(|kind| documents.lives(*kind)).cloned().collect()
        }
    };
    let as_of = documents.live_clock().map(|clock| clock.0);
    let mut agents = 0;
    for live in lives {
        agents += usize::from(live.subject == SubjectKind::Agent);
        if live.subject != SubjectKind::Agent || agents <= site.agent_series {
            families.subject(&live, &documents, as_of);
        }
    }
    families.scores(&documents, site.agent_series);
    families.definitions(&documents);
    families.alerts(&documents);
    families.clocks(&documents, site);
    families.ledger(&documents);
    for value in site.service.iter().flat_map(|service| service.values()) {
        let labels = value.labels.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>();
        families.add(&value.name, value.help, &labels, value.value);
    }
    families.finish()
}

#[derive(Default)]
struct Families(BTreeMap<String, MetricFamily>);

impl Families {
    /// Adds one series; a name that ends in `_total` is a counter.
    fn add(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        let name = format!("shiftpulse_{}", sane(name));
        let counts = name.ends_with("_total");
        let family = self.0.entry(name.clone()).or_insert_with(|| {
            let mut family = MetricFamily::default();
            family.set_name(name);
            family.set_help(help.to_owned());
            family.set_field_type(if counts { MetricType::COUNTER } else { MetricType::GAUGE });
            family
        });
        let mut metric = Metric::default();
        let mut labels = labels.to_vec();
        labels.sort_unstable();
        metric.set_label(labels.into_iter().map(|(name, text)| pair(name, text)).collect());
        if counts {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        family.mut_metric().push(metric);
    }

    fn ratio(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: Fraction) {
        if let Some(value) = value.quotient() {
            self.add(name, help, labels, value);
        }
    }

    fn finish(self) -> Vec<MetricFamily> {
        self.0.into_values().collect()
    }

    fn subject(&mut self, live: &Live, documents: &Documents, as_of: Option<i64>) {
        let kind = kind_text(live.subject);
        let subject = (kind, live.id.as_str());
        self.now(live, subject, as_of.unwrap_or(live.as_of.0));
        let dialect = documents.definitions.queues.iter().find(|queue| queue.id == live.id);
        let dialect =
            dialect.map(|queue| queue.dialect.as_str()).filter(|_| live.subject == SubjectKind::Queue);
        for (window, values) in &live.windows {
            let labels = [subject, ("window", window.as_str())];
            for (kpi, value) in &values.kpis {
                let mut labels = labels.to_vec();
                labels.extend(dialect.filter(|_| kpi == "service_level").map(|dialect| ("dialect", dialect)));
                match kpi.strip_suffix("_ms") {
                    Some(name) => {
                        let seconds = value.quotient().map(|ms| ms / 1000.0);
                        let name = format!("{kind}_{name}_seconds");
                        seconds.into_iter().for_each(|s| self.add(&name, "Mean of the window.", &labels, s));
                    }
                    None => self.ratio(
                        &format!("{kind}_{kpi}_ratio"),
                        "Ratio of the window, 0 to 1.",
                        &labels,
                        *value,
                    ),
                }
            }
            for (column, value) in &values.counts {
                match column.strip_suffix("_ms") {
                    Some(name) => {
                        let name = format!("{kind}_{name}_seconds");
                        self.add(&name, "Sum over the window.", &labels, *value as f64 / 1000.0);
                    }
                    None => {
                        self.add(&format!("{kind}_{column}"), "Count in the window.", &labels, *value as f64)
                    }
                }
            }
        }
    }

    fn now(&mut self, live: &Live, subject: (&str, &str), as_of: i64) {
        let (kind, now) = (subject.0, &live.now);
        for (name, help, value) in [
            ("waiting", "Contacts that wait now.", now.waiting),
            ("ready", "Agents who are ready now.", now.ready),
            ("on_shift", "Agents on shift now.", now.on_shift),
            ("engaged", "Contacts that the agent is engaged in now.", now.engaged),
        ] {
            if let Some(value) = value {
                self.add(&format!("{kind}_{name}"), help, &[subject], value as f64);
            }
        }
        if let Some(since) = now.longest_since {
            let help = "How long the longest waiting contact has waited.";
            self.add(&format!("{kind}_longest_wait_seconds"), help, &[subject], seconds(as_of - since.0));
        }
        if live.subject != SubjectKind::Agent {
            self.ratio(
                &format!("{kind}_coverage_ratio"),
                "Share of its sources that are caught up.",
                &[subject],
                live.coverage,
            );
        }
        for (state, n) in &now.states {
            let labels = [subject, ("state", state.as_str())];
            self.add(&format!("{kind}_agents"), "Agents by state now.", &labels, *n as f64);
        }
        if let Some(state) = &now.state {
            let team = now.team.as_deref().unwrap_or_default();
            let labels = [subject, ("team", team), ("state", state.as_str())];
            self.add("agent_state", "1 for the state that the agent is in.", &labels, 1.0);
            if let Some(since) = now.since {
                self.add(
                    "agent_state_seconds",
                    "How long the agent has been in it.",
                    &labels,
                    seconds(as_of - since.0),
                );
            }
        }
    }

    /// The newest period only: a month that is over has its finals on the ledger.
    fn scores(&mut self, documents: &Documents, most: usize) {
        let Some(newest) = documents.scores.keys().next_back().map(|(period, _, _)| period) else { return };
        let scores = documents.scores.iter().filter(|((period, _, _), _)| period == newest);
        for ((_, agent, card), score) in scores.take(most) {
            let points = score.total.as_deref().and_then(number);
            let labels = [("agent", agent.as_str()), ("card", card.as_str())];
            let help = "Score of the month so far, provisional until the month is final.";
            points.into_iter().for_each(|points| self.add("agent_score_points", help, &labels, points));
        }
    }

    /// Targets and limits, so that every board draws the line that the alert uses.
    fn definitions(&mut self, documents: &Documents) {
        for queue in &documents.definitions.queues {
            let id = ("queue", queue.id.as_str());
            let help = "Target of a KPI of the queue, from the definitions.";
            let targets =
                [("service_level", queue.service_level_target), ("answer_rate", queue.answer_rate_target)];
            for (kpi, per_mille) in targets.into_iter().filter(|(_, per_mille)| *per_mille > 0) {
                self.add("queue_target_ratio", help, &[id, ("kpi", kpi)], f64::from(per_mille) / 1000.0);
            }
            for (kpi, ms) in [("longest_wait", queue.wait_limit_ms), ("service_level", queue.within_ms)] {
                let help = "Limit in seconds: the longest wait in order, the threshold of the service level.";
                if ms > 0 {
                    self.add("queue_limit_seconds", help, &[id, ("kpi", kpi)], seconds(ms));
                }
            }
            let labels = [id, ("zh", &queue.names.zh), ("en", &queue.names.en), ("dialect", &queue.dialect)];
            self.add("queue_info", "1; names and dialect of the queue.", &labels, 1.0);
        }
    }

    fn alerts(&mut self, documents: &Documents) {
        let definitions = &documents.definitions;
        for rule in &definitions.alerts {
            let scope = definitions.queues.iter().map(|queue| queue.id.as_str());
            for queue in
                scope.filter(|id| rule.queues.is_empty() || rule.queues.iter().any(|queue| queue == id))
            {
                let labels = [
                    ("rule", rule.id.as_str()),
                    ("queue", queue),
                    ("kpi", &rule.kpi),
                    ("severity", &rule.severity),
                ];
                let mut open = documents.open_alerts().map(|episode| &episode.alert);
                let alert = open.find(|alert| alert.rule == rule.id && alert.queue == queue);
                let value = match alert.map(|alert| alert.state) {
                    Some(AlertState::Firing) => 2.0,
                    Some(AlertState::Pending) => 1.0,
                    _ => 0.0,
                };
                self.add("alert_state", "0 nothing, 1 pending, 2 firing.", &labels, value);
                if let Some(alert) = alert {
                    let help = "Since when the alert is in this state.";
                    self.add("alert_since_timestamp_seconds", help, &labels, seconds(alert.since.0));
                }
            }
        }
    }

    fn ledger(&mut self, documents: &Documents) {
        let help = "Cuts that the auditor has not confirmed; their finals are not to be paid from.";
        self.add("unaudited_cuts", help, &[], unaudited_cuts(documents) as f64);
    }

    fn clocks(&mut self, documents: &Documents, site: &Site) {
        let real = |ms: i64| seconds(ms) / site.rate() as f64;
        for (domain, clock) in &documents.clocks {
            let domain = domain.to_string();
            let label = [("domain", domain.as_str())];
            let help = "How far the newest value is behind the append clock.";
            self.add("live_clock_age_seconds", help, &label, real((site.now() - clock.live.0).max(0)));
            if let Some(settle) = clock.settle {
                let help = "How far the settle clock is behind the live clock.";
                self.add("settle_clock_age_seconds", help, &label, real(clock.live.0 - settle.0));
            }
            self.ratio(
                "coverage_ratio",
                "Share of source partitions that are caught up.",
                &label,
                clock.coverage,
            );
            for (name, value) in &clock.counters {
                let name = format!("{}_total", name.trim_end_matches("_total"));
                self.add(&name, "Counted since the first fact of the log.", &label, *value as f64);
            }
            for source in &clock.sources {
                let partition = source.partition.to_string();
                let labels = [("topic", source.topic.as_str()), ("partition", partition.as_str())];
                let caught_up = f64::from(u8::from(source.caught_up));
                self.add("source_caught_up", "1 when the partition was read to its end.", &labels, caught_up);
                if let Some(progress) = source.progress {
                    let behind = real((clock.live.0 - progress.0).max(0));
                    self.add(
                        "source_behind_seconds",
                        "How far the partition is behind the live clock.",
                        &labels,
                        behind,
                    );
                }
                let missing: i64 = source.gaps.iter().map(|(from, to)| to - from).sum();
                self.add(
                    "source_missing_positions",
                    "Positions of the source that are missing.",
                    &labels,
                    missing as f64,
                );
            }
        }
        let unreadable = documents.unreadable as f64;
        self.add(
            "read_model_unreadable_total",
            "Records that the read model could not read.",
            &[],
            unreadable,
        );
    }
}

/// Cuts without the word of the auditor: payroll does not take their finals yet.
fn unaudited_cuts(documents: &Documents) -> usize {
    let lines = || documents.ledger.values().map(|line| line.line.as_ref());
    let audited: BTreeSet<(&str, u32)> = lines().filter_map(|line| named(line, true)).collect();
    lines().filter_map(|line| named(line, false)).filter(|cut| !audited.contains(cut)).count()
}

/// Period and revision of a line that says "audited", or of one that says "cut".
fn named(line: &Ledger, audited: bool) -> Option<(&str, u32)> {
    match line {
        Ledger::Audited { period, revision, .. } if audited => Some((period, *revision)),
        Ledger::Cut { period, revision, .. } if !audited => Some((period, *revision)),
        _ => None,
    }
}

fn kind_text(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Queue => "queue",
        SubjectKind::Team => "team",
        SubjectKind::Unit => "unit",
        SubjectKind::Agent => "agent",
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// Exact text (`"87.65"`, `"262/3"`) as a gauge.
fn number(exact: &str) -> Option<f64> {
    let part = |text: &str| text.trim().parse::<f64>().ok();
    let value = match exact.split_once('/') {
        Some((num, den)) => part(num)? / part(den)?,
        None => part(exact)?,
    };
    value.is_finite().then_some(value)
}

/// Names of measures are data; a metric name has letters, digits and underscores.
fn sane(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::output::{Now, Output, Window};
    use crate::io::read_model::ReadModel;
    use crate::model::units::{EventTime, LogTime};

    fn text(outputs: Vec<Output>, site: impl FnOnce(Site) -> Site) -> String {
        let model = Arc::new(ReadModel::default());
        model.put(outputs);
        let site = site(Site::new(model, Arc::new(crate::io::log::clock::ManualClock::new(20_000))));
        let mut text = Vec::new();
        TextEncoder::new().encode(&families(&site), &mut text).expect("encodes");
        String::from_utf8(text).expect("UTF-8")
    }

    fn live(subject: SubjectKind, id: &str) -> Output {
        let kpis = [
            ("answer_rate".to_owned(), Fraction::new(20, 28)),
            ("service_level".to_owned(), Fraction::new(0, 0)),
            ("handle_time_ms".to_owned(), Fraction::new(90_000, 4)),
        ];
        let counts = [("answered".to_owned(), 20), ("wait_ms".to_owned(), 1_500)].into();
        let windows = [("30m".to_owned(), Window { counts, kpis: kpis.into() })].into();
        let now = Now { waiting: Some(7), longest_since: Some(EventTime(5_000)), ..Now::default() };
        let (as_of, coverage) = (LogTime(15_000), Fraction::new(1, 2));
        Output::Live(Live { subject, id: id.into(), as_of, coverage, now, windows })
    }

    #[test]
    fn values_carry_subject_and_window_and_null_has_no_series() {
        let text = text(vec![live(SubjectKind::Queue, "bil\"ling")], |site| site);
        for line in [
            r#"shiftpulse_queue_answer_rate_ratio{queue="bil\"ling",window="30m"} 0.7142857142857143"#,
            r#"shiftpulse_queue_handle_time_seconds{queue="bil\"ling",window="30m"} 22.5"#,
            r#"shiftpulse_queue_answered{queue="bil\"ling",window="30m"} 20"#,
            r#"shiftpulse_queue_wait_seconds{queue="bil\"ling",window="30m"} 1.5"#,
            r#"shiftpulse_queue_waiting{queue="bil\"ling"} 7"#,
            r#"shiftpulse_queue_longest_wait_seconds{queue="bil\"ling"} 10"#,
            r#"shiftpulse_queue_coverage_ratio{queue="bil\"ling"} 0.5"#,
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("service_level_ratio") && !text.contains("NaN"), "{text}");
    }

    #[test]
    fn single_agents_are_bounded_and_can_be_hidden() {
        let agents = || ["a", "b", "c"].map(|id| live(SubjectKind::Agent, id)).to_vec();
        let count = |text: String| text.matches("shiftpulse_agent_answer_rate_ratio{").count();
        assert_eq!(count(text(agents(), |site| site.with_agent_series(2))), 2);
        assert_eq!(count(text(agents(), |site| site.with_agent_series(0))), 0);
    }

    #[test]
    fn a_cut_is_unaudited_until_its_own_revision_is_confirmed() {
        let cut = |revision| {
            Output::Ledger(Ledger::Cut {
                period: "2026-10".into(),
                revision,
                offset: 7,
                settle: LogTime(9),
                finals: 0,
                missing: Vec::new(),
                unlisted: Vec::new(),
                definitions: String::new(),
            })
        };
        let audited = |revision| {
            let (period, digest) = ("2026-10".into(), String::new());
            Output::Ledger(Ledger::Audited { period, revision, digest })
        };
        let unaudited = |outputs| text(outputs, |site| site).contains("shiftpulse_unaudited_cuts 1\n");
        assert!(!unaudited(vec![]) && unaudited(vec![cut(1)]) && !unaudited(vec![cut(1), audited(1)]));
        assert!(unaudited(vec![cut(1), audited(1), cut(2)]));
    }

    #[test]
    fn exact_texts_become_numbers() {
        assert_eq!(
            [number("87.65"), number("1/4"), number("1/0"), number("x")],
            [Some(87.65), Some(0.25), None, None]
        );
    }
}
