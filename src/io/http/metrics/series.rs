//! Which series there are: of subjects, scores, definitions, alerts, clocks and the ledger.

use std::collections::BTreeSet;

use super::families::Families;
use crate::engine::output::{Ledger, Live, SubjectKind};
use crate::io::http::Site;
use crate::io::read_model::Documents;
use crate::model::alert::State as AlertState;

impl Families {
    pub(super) fn subject(&mut self, live: &Live, documents: &Documents, as_of: Option<i64>) {
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
    pub(super) fn scores(&mut self, documents: &Documents, most: usize) {
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
    pub(super) fn definitions(&mut self, documents: &Documents) {
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

    pub(super) fn alerts(&mut self, documents: &Documents) {
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

    pub(super) fn ledger(&mut self, documents: &Documents) {
        let help = "Cuts that the auditor has not confirmed; their finals are not to be paid from.";
        self.add("unaudited_cuts", help, &[], unaudited_cuts(documents) as f64);
    }

    pub(super) fn clocks(&mut self, documents: &Documents, site: &Site) {
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
pub(super) fn number(exact: &str) -> Option<f64> {
    let part = |text: &str| text.trim().parse::<f64>().ok();
    let value = match exact.split_once('/') {
        Some((num, den)) => part(num)? / part(den)?,
        None => part(exact)?,
    };
    value.is_finite().then_some(value)
}
