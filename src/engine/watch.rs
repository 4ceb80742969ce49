//! Alert rules on queues: which pairs are looked at, and what is said of a transition. Rules: `docs/alerts.md`.

use super::active::Active;
use super::definitions::Names as Both;
use super::output::{Alert, Output, WINDOWS};
use super::schedule::Subject;
use super::state::Engine;
use super::view::FiveRows;
use crate::model::alert::{Reading, Rule, State, Tracker, Transition};
use crate::model::kpi::KPIS;
use crate::model::measure::SubjectKind;
use crate::model::text::{limit, percent};
use crate::model::units::{Fraction, LogTime, SECOND};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Slices of the shortest window are so wide: values change by the clock alone at these edges only.
const EDGE: i64 = 5 * SECOND;

/// Every pair of rule and queue that was ever looked at, by identifiers, with the rule it was looked at by.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Watch {
    pairs: BTreeMap<(String, String), Pair>,
    looked: Option<LogTime>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pair {
    rule: Rule,
    tracker: Tracker,
}

impl Engine {
    /// Looks at every pair whose answer may have changed with this record.
    pub(super) fn look(&mut self, active: &Active, out: &mut Vec<Output>) {
        let now = self.now();
        let edge =
            self.state.watch.looked.is_none_or(|before| before.0.div_euclid(EDGE) != now.0.div_euclid(EDGE));
        self.state.watch.looked = Some(now);
        let mut lines = Vec::new();
        for rule in &active.definitions.alerts {
            for queue in watched(active, rule) {
                self.look_at(active, rule, queue, edge, &mut lines);
            }
        }
        self.retire(active, &mut lines);
        lines.sort_by(|a, b| (&a.rule, &a.queue).cmp(&(&b.rule, &b.queue)));
        out.extend(lines.into_iter().map(Output::Alert));
        self.state.queues.iter_mut().for_each(|(_, queue)| queue.dirty = false);
    }

    fn look_at(&mut self, active: &Active, rule: &Rule, queue: &str, edge: bool, lines: &mut Vec<Alert>) {
        let now = self.now();
        let sym = self.state.names.intern(queue);
        let coverage = self.state.clocks.coverage(&active.definitions.sources, Some(queue));
        let covered = coverage.num == coverage.den;
        let key = (rule.id.clone(), queue.to_owned());
        let waits = self.state.watch.pairs.get(&key).is_some_and(|pair| pair.tracker.is_waiting());
        let dirty = self.state.queues.get(sym).is_some_and(|queue| queue.dirty);
        if !(edge || dirty || waits || !covered) {
            return;
        }
        let rows = self.rows(active, Subject::Queue(sym)).unwrap_or_default();
        let values: Vec<_> = rule.windows.iter().map(|window| value(rule, window, &rows)).collect();
        let pair = self.state.watch.pairs.entry(key);
        let pair = pair.or_insert_with(|| Pair { rule: rule.clone(), tracker: Tracker::default() });
        pair.rule.clone_from(rule);
        if let Some(transition) = pair.tracker.step(rule, Reading { now, values: &values, covered }) {
            lines.push(line(active, rule, queue, transition));
        }
    }

    /// Ends what is defined no more.
    fn retire(&mut self, active: &Active, lines: &mut Vec<Alert>) {
        let now = self.now();
        let gone: Vec<_> = self
            .state
            .watch
            .pairs
            .keys()
            .filter(|(rule, queue)| {
                let rule = active.definitions.alerts.iter().find(|known| known.id == *rule);
                rule.is_none_or(|rule| !watched(active, rule).any(|known| known == queue.as_str()))
            })
            .cloned()
            .collect();
        for key in gone {
            let Some(mut pair) = self.state.watch.pairs.remove(&key) else { continue };
            let coverage = self.state.clocks.coverage(&active.definitions.sources, Some(&key.1));
            let ended = pair.tracker.retire(now, pair.rule.windows.len(), coverage.num < coverage.den);
            lines.extend(ended.map(|transition| line(active, &pair.rule, &key.1, transition)));
        }
    }

    /// State of every pair that is not inactive: rule, queue, state, since.
    pub fn alert_states(&self) -> Vec<(String, String, State, LogTime)> {
        let pairs = self.state.watch.pairs.iter();
        pairs
            .map(|((rule, queue), pair)| {
                (rule.clone(), queue.clone(), pair.tracker.state().0, pair.tracker.state().1)
            })
            .filter(|(_, _, state, _)| *state != State::Inactive)
            .collect()
    }
}

/// The queues that a rule watches, of those that are defined.
fn watched<'a>(active: &'a Active, rule: &'a Rule) -> impl Iterator<Item = &'a str> {
    let defined = active.definitions.queues.iter().map(|queue| queue.id.as_str());
    defined.filter(|id| rule.queues.is_empty() || rule.queues.iter().any(|wanted| wanted == id))
}

fn value(rule: &Rule, window: &str, rows: &FiveRows) -> Fraction {
    let place = WINDOWS.iter().position(|known| *known == window);
    let kpi = KPIS.iter().find(|kpi| kpi.name == rule.kpi && kpi.kinds.contains(&SubjectKind::Queue));
    let ratio = matches!(rule.kpi.as_str(), "answer_rate" | "service_level");
    match (place, kpi) {
        (Some(place), Some(kpi)) if ratio => kpi.value(&rows[place]),
        _ => Fraction::default(),
    }
}

fn line(active: &Active, rule: &Rule, queue: &str, transition: Transition) -> Alert {
    let (zh, en) = sentences(active, rule, queue, &transition);
    Alert {
        rule: rule.id.clone(),
        kpi: rule.kpi.clone(),
        queue: queue.to_owned(),
        state: transition.state,
        since: transition.since,
        started: transition.started,
        window: rule.windows.get(transition.window).cloned().unwrap_or_default(),
        value: transition.value,
        below: rule.below,
        clear: rule.clear,
        partial: transition.partial,
        severity: rule.severity.clone(),
        page: rule.page,
        worst: transition.worst,
        zh,
        en,
    }
}

/// The sentence in Chinese and in English.
fn sentences(active: &Active, rule: &Rule, queue: &str, transition: &Transition) -> (String, String) {
    let names = active.definitions.queues.iter().find(|known| known.id == queue).map(|known| &known.names);
    let named =
        |pick: fn(&Both) -> &str| names.map(pick).filter(|name| !name.is_empty()).unwrap_or(queue).to_owned();
    let (zh, en) = (named(|names| &names.zh), named(|names| &names.en));
    let (kpi_zh, kpi_en) = match rule.kpi.as_str() {
        "answer_rate" => ("应答率", "answer rate"),
        "service_level" => ("服务水平", "service level"),
        other => (other, other),
    };
    if transition.state == State::Inactive {
        if transition.value.is_null() {
            return (
                format!("{zh}：{kpi_zh} 无值，不再待定"),
                format!("{en}: {kpi_en} has no value, no longer pending"),
            );
        }
        let (value, edge) = (percent(transition.value, Some(rule.below)), limit(rule.below));
        return (
            format!("{zh}：{kpi_zh} {value}，不再低于 {edge}"),
            format!("{en}: {kpi_en} {value}, no longer below {edge}"),
        );
    }
    if transition.value.is_null() {
        return (
            format!("{zh}：{kpi_zh} 无值，告警结束"),
            format!("{en}: {kpi_en} has no value, alert over"),
        );
    }
    if transition.state == State::Resolved {
        let (value, edge) = (percent(transition.value, Some(rule.clear)), limit(rule.clear));
        return (
            format!("{zh}：{kpi_zh} {value}，已恢复到 {edge} 以上"),
            format!("{en}: {kpi_en} {value}, back at {edge} or more"),
        );
    }
    let (value, edge) = (percent(transition.value, Some(rule.below)), limit(rule.below));
    (format!("{zh}：{kpi_zh} {value}，低于 {edge}"), format!("{en}: {kpi_en} {value}, below {edge}"))
}
