//! Alerts by stepping through the records: `docs/alerts.md`, row by row.

use super::Name;
use super::book::Booking;
use super::live::window;
use super::sources::Sources;
use super::zone::Range;
use crate::engine::definitions::Definitions;
use crate::engine::output::Alert;
use crate::model::alert::{OnNull, Rule, State};
use crate::model::text::{limit, percent};
use crate::model::units::{Fraction, LogTime, MINUTE};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// How long a queue must be partial before a rule acts on what is left.
const BLIND: i64 = 2 * MINUTE;
const NOTHING: Fraction = Fraction::new(0, 0);

/// Outcomes of queue visits by queue and moment: what the rules' KPIs are made of.
#[derive(Debug, Default)]
pub(super) struct Legs {
    by_queue: BTreeMap<Name, BTreeMap<(i64, Name, usize), Booking>>,
}

impl Legs {
    /// Takes the former bookings of a contact out and puts the new ones in.
    pub(super) fn replace(&mut self, contact: &Name, before: &[Booking], after: &[Booking]) {
        for (queue, key, _) in legs(contact, before) {
            if let Some(legs) = self.by_queue.get_mut(&queue) {
                legs.remove(&key);
            }
        }
        for (queue, key, booking) in legs(contact, after) {
            self.by_queue.entry(queue).or_default().insert(key, booking.clone());
        }
    }

    fn value(&self, queue: &str, kpi: &str, span: Range) -> Fraction {
        let (above, below): (&[&str], &[&str]) = match kpi {
            "answer_rate" => (&["answered"], &["answered", "abandoned", "flowed_out", "unfinished"]),
            "service_level" => (&["within"], &["sl_offered"]),
            _ => return NOTHING,
        };
        let Some(legs) = self.by_queue.get(queue) else { return NOTHING };
        let mut value = NOTHING;
        let first: (i64, Name, usize) = (span.start, "".into(), 0);
        for (column, by) in
            legs.range(first..).take_while(|(key, _)| key.0 < span.end).flat_map(|(_, booking)| &booking.adds)
        {
            value.num += if above.contains(column) { *by } else { 0 };
            value.den += if below.contains(column) { *by } else { 0 };
        }
        value
    }
}

fn legs<'a>(
    contact: &'a Name,
    bookings: &'a [Booking],
) -> impl Iterator<Item = (Name, (i64, Name, usize), &'a Booking)> {
    let of_queue_alone = |booking: &&Booking| !booking.unit && booking.agent.is_none();
    bookings.iter().filter(of_queue_alone).enumerate().filter_map(move |(number, booking)| {
        Some((booking.queue.clone()?, (booking.at, contact.clone(), number), booking))
    })
}

/// What a rule says about a queue between pending and its end.
#[derive(Debug, Clone)]
struct Episode {
    firing: bool,
    started: i64,
    worst: Fraction,
    rule: Rule,
}

/// What the windows say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Low,
    Good,
    Between,
    Few,
    Null,
}

/// The states of all pairs of rule and queue, and the lines so far.
#[derive(Debug, Default)]
pub(super) struct Watch {
    episodes: BTreeMap<(String, String), Episode>,
    /// When the latest episode of each pair began.
    began: BTreeMap<(String, String), i64>,
    /// Since when each pair's queue is partial.
    partial_since: BTreeMap<(String, String), i64>,
    lines: Vec<Alert>,
}

impl Watch {
    pub(super) fn lines(&self) -> &[Alert] {
        &self.lines
    }

    /// Looks at every pair after a record.
    pub(super) fn step(&mut self, definitions: &Definitions, sources: &Sources, legs: &Legs) {
        let now = sources.live();
        let queues: Vec<&str> = definitions.queues.iter().map(|queue| queue.id.as_str()).collect();
        let mut lines = self.withdraw(definitions, sources);
        for rule in &definitions.alerts {
            for queue in queues.iter().filter(|queue| watches(rule, queue)) {
                self.note_coverage(rule, queue, sources);
                lines.extend(self.look(definitions, legs, rule, queue, now));
            }
        }
        lines.sort_by(|a, b| (&a.rule, &a.queue).cmp(&(&b.rule, &b.queue)));
        self.lines.extend(lines);
    }

    fn note_coverage(&mut self, rule: &Rule, queue: &str, sources: &Sources) {
        let pair = (rule.id.clone(), queue.to_owned());
        if is_partial(sources, queue) {
            self.partial_since.entry(pair).or_insert(sources.live());
        } else {
            self.partial_since.remove(&pair);
        }
    }

    /// Ends what nobody defines any more.
    fn withdraw(&mut self, definitions: &Definitions, sources: &Sources) -> Vec<Alert> {
        let defined = |rule: &str, queue: &str| {
            definitions.queues.iter().any(|known| known.id == queue)
                && definitions.alerts.iter().any(|known| known.id == rule && watches(known, queue))
        };
        let gone: Vec<_> =
            self.episodes.keys().filter(|(rule, queue)| !defined(rule, queue)).cloned().collect();
        self.began.retain(|(rule, queue), _| defined(rule, queue));
        self.partial_since.retain(|(rule, queue), _| defined(rule, queue));
        let mut lines = Vec::new();
        for key in gone {
            let Some(episode) = self.episodes.remove(&key) else { continue };
            let state = if episode.firing { State::Resolved } else { State::Inactive };
            let rule = episode.rule.clone();
            let (now, partial) = (sources.live(), is_partial(sources, &key.1));
            let window = rule.windows.last().cloned().unwrap_or_default();
            lines.push(line(definitions, &rule, &key.1, &episode, state, now, (window, NOTHING), partial));
        }
        lines
    }

    fn look(
        &mut self,
        definitions: &Definitions,
        legs: &Legs,
        rule: &Rule,
        queue: &str,
        now: i64,
    ) -> Option<Alert> {
        let key = (rule.id.clone(), queue.to_owned());
        let partial_since = self.partial_since.get(&key);
        if partial_since.is_some_and(|since| now - since < BLIND) {
            return None;
        }
        let partial = partial_since.is_some();
        let (reading, window, value) = read(definitions, legs, rule, queue, now);
        let before = self.episodes.remove(&key);
        let fresh = before.is_none();
        let mut episode = match before {
            Some(before) => Episode { worst: least(before.worst, value), rule: rule.clone(), ..before },
            None if reading == Reading::Low && self.began.get(&key) != Some(&now) => {
                self.began.insert(key.clone(), now);
                Episode { firing: false, started: now, worst: value, rule: rule.clone() }
            }
            None => return None,
        };
        let over = match reading {
            Reading::Good => !partial,
            Reading::Null => !partial && rule.on_null == OnNull::Resolve,
            _ => false,
        };
        let state = match (episode.firing, reading) {
            (true, _) if over => Some(State::Resolved),
            (true, _) => None,
            (false, Reading::Low) if now - episode.started >= rule.hold_ms => Some(State::Firing),
            (false, Reading::Low) if fresh => Some(State::Pending),
            (false, Reading::Low) => None,
            (false, _) => Some(State::Inactive),
        };
        episode.firing |= state == Some(State::Firing);
        let text =
            state.map(|state| line(definitions, rule, queue, &episode, state, now, (window, value), partial));
        if !matches!(state, Some(State::Resolved | State::Inactive)) {
            self.episodes.insert(key, episode);
        }
        text
    }
}

fn is_partial(sources: &Sources, queue: &str) -> bool {
    let coverage = sources.coverage(Some(queue));
    coverage.num < coverage.den
}

fn watches(rule: &Rule, queue: &str) -> bool {
    rule.queues.is_empty() || rule.queues.iter().any(|id| id == queue)
}

/// The reading, with the window and the value that decide; nothing decides: the last window and no value.
fn read(
    definitions: &Definitions,
    legs: &Legs,
    rule: &Rule,
    queue: &str,
    now: i64,
) -> (Reading, String, Fraction) {
    let mut silent = true;
    for name in &rule.windows {
        let span = window(&definitions.unit.zone, name, now);
        let value = span.map_or(NOTHING, |span| legs.value(queue, &rule.kpi, span));
        silent &= value.is_null();
        if !value.is_null() && value.den >= rule.min_samples {
            let reading = if value.compare(rule.below) == Some(Ordering::Less) {
                Reading::Low
            } else if value.compare(rule.clear).is_some_and(Ordering::is_ge) {
                Reading::Good
            } else {
                Reading::Between
            };
            return (reading, name.clone(), value);
        }
    }
    let last = rule.windows.last().cloned().unwrap_or_default();
    (if silent { Reading::Null } else { Reading::Few }, last, NOTHING)
}

fn least(before: Fraction, value: Fraction) -> Fraction {
    match value.compare(before) {
        Some(Ordering::Less) => value,
        None if before.is_null() => value,
        _ => before,
    }
}

#[allow(clippy::too_many_arguments, reason = "a line has that many sources, and there are two callers")]
fn line(
    definitions: &Definitions,
    rule: &Rule,
    queue: &str,
    episode: &Episode,
    state: State,
    now: i64,
    (window, value): (String, Fraction),
    partial: bool,
) -> Alert {
    let (zh, en) = sentences(definitions, rule, queue, state, value);
    Alert {
        rule: rule.id.clone(),
        kpi: rule.kpi.clone(),
        queue: queue.to_owned(),
        state,
        since: LogTime(now),
        started: LogTime(episode.started),
        window,
        value,
        below: rule.below,
        clear: rule.clear,
        partial,
        severity: rule.severity.clone(),
        page: rule.page,
        worst: episode.worst,
        zh,
        en,
    }
}

fn sentences(
    definitions: &Definitions,
    rule: &Rule,
    queue: &str,
    state: State,
    value: Fraction,
) -> (String, String) {
    let names = definitions.queues.iter().find(|defined| defined.id == queue).map(|defined| &defined.names);
    let name =
        |text: Option<&String>| text.filter(|text| !text.is_empty()).cloned().unwrap_or(queue.to_owned());
    let (zh, en) = (name(names.map(|names| &names.zh)), name(names.map(|names| &names.en)));
    let (kpi_zh, kpi_en) = match rule.kpi.as_str() {
        "answer_rate" => ("应答率", "answer rate"),
        "service_level" => ("服务水平", "service level"),
        other => (other, other),
    };
    if state == State::Inactive && value.is_null() {
        (format!("{zh}：{kpi_zh} 无值，不再待定"), format!("{en}: {kpi_en} has no value, no longer pending"))
    } else if state == State::Inactive {
        let (shown, below) = (percent(value, Some(rule.below)), limit(rule.below));
        (
            format!("{zh}：{kpi_zh} {shown}，不再低于 {below}"),
            format!("{en}: {kpi_en} {shown}, no longer below {below}"),
        )
    } else if state != State::Resolved {
        let (shown, below) = (percent(value, Some(rule.below)), limit(rule.below));
        (format!("{zh}：{kpi_zh} {shown}，低于 {below}"), format!("{en}: {kpi_en} {shown}, below {below}"))
    } else if value.is_null() {
        (format!("{zh}：{kpi_zh} 无值，告警结束"), format!("{en}: {kpi_en} has no value, alert over"))
    } else {
        let (shown, clear) = (percent(value, Some(rule.clear)), limit(rule.clear));
        (
            format!("{zh}：{kpi_zh} {shown}，已恢复到 {clear} 以上"),
            format!("{en}: {kpi_en} {shown}, back at {clear} or more"),
        )
    }
}
