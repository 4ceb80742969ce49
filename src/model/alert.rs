//! Alert rules and their state machine: pending, firing, resolved.

use super::units::{Fraction, LogTime, MINUTE};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// One rule over one KPI. Times in ms of the live clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Identifier.
    pub id: String,
    /// The KPI it watches: `answer_rate`, `service_level` (queue).
    pub kpi: String,
    /// Scope: `queue`; empty `queues` means every queue.
    #[serde(default)]
    pub queues: Vec<String>,
    /// Windows from the shortest; the shortest that holds `min_samples` decides.
    pub windows: Vec<String>,
    /// Fires below this ratio (exact).
    pub below: Fraction,
    /// A firing alert resolves at or above this ratio.
    pub clear: Fraction,
    /// How long the condition must hold before it fires.
    pub hold_ms: i64,
    /// Fewest samples (denominator) that count as evidence.
    pub min_samples: i64,
    /// What null (no traffic in any window) does to a firing alert: `hold` or `resolve`.
    pub on_null: OnNull,
    /// `critical`, `warning`.
    pub severity: String,
    /// Whether it pages; otherwise it only colours the board.
    pub page: bool,
}

/// What a null value does to a firing alert, when the sources are healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNull {
    /// It stays firing.
    Hold,
    /// It resolves.
    Resolve,
}

/// State of one rule on one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// In order; as a transition: a pending that has passed.
    #[default]
    Inactive,
    /// The condition holds, not yet long enough.
    Pending,
    /// It holds long enough: somebody must act.
    Firing,
    /// It fired and is over.
    Resolved,
}

/// With sources behind for so long, a rule may begin and fire on what is there, labelled partial. It never resolves.
pub const PATIENCE: i64 = 2 * MINUTE;

/// One rule on one queue: where it stands and since when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tracker {
    state: State,
    since: LogTime,
    started: LogTime,
    /// When the last episode began, if there was one.
    began: Option<LogTime>,
    worst: Fraction,
    /// Since when coverage has been low without a break.
    low_since: Option<LogTime>,
}

/// What a rule sees at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Live clock.
    pub now: LogTime,
    /// The KPI in each window of the rule, in the rule's order.
    pub values: &'a [Fraction],
    /// Whether every source of the queue is caught up.
    pub covered: bool,
}

/// A transition: what the `alerts` topic gets, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// State entered.
    pub state: State,
    /// Live clock at which it was entered.
    pub since: LogTime,
    /// Live clock at which the episode began.
    pub started: LogTime,
    /// Index of the window that decided.
    pub window: usize,
    /// Value then.
    pub value: Fraction,
    /// Least value of the episode.
    pub worst: Fraction,
    /// Whether sources were behind.
    pub partial: bool,
}

/// What the deciding window says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Below,
    Between,
    Clear,
    /// Too few samples everywhere.
    Few,
    /// No sample anywhere.
    Null,
}

impl Verdict {
    fn is_measured(self) -> bool {
        matches!(self, Verdict::Below | Verdict::Between | Verdict::Clear)
    }
}

impl Tracker {
    /// State, and since when.
    pub fn state(&self) -> (State, LogTime) {
        (self.state, self.since)
    }

    /// Least value of the episode.
    pub fn worst(&self) -> Fraction {
        self.worst
    }

    /// Whether time alone may change it.
    pub fn is_waiting(&self) -> bool {
        self.state != State::Inactive || self.low_since.is_some()
    }

    /// Takes one reading; at most one transition comes of it.
    ///
    /// A rule begins and fires on a measured value only: at full coverage, or labelled partial once coverage has been
    /// low for [`PATIENCE`]. It resolves by a measured value at full coverage or, with healthy sources and no traffic at
    /// all, as its own `on_null` says: a feed that dies resolves nothing.
    pub fn step(&mut self, rule: &Rule, reading: Reading) -> Option<Transition> {
        self.low_since = if reading.covered { None } else { self.low_since.or(Some(reading.now)) };
        let patient = self.low_since.is_some_and(|since| reading.now.0 - since.0 < PATIENCE);
        let (window, verdict) = rule.judge(reading.values);
        let value = if verdict.is_measured() { reading.values[window] } else { Fraction::default() };
        if self.state != State::Inactive && !patient && verdict.is_measured() {
            self.remember(value);
        }
        let next = self.next(rule, verdict, reading, patient)?;
        self.enter(next, reading.now, value);
        let Tracker { since, started, worst, .. } = *self;
        if next == State::Resolved {
            self.state = State::Inactive;
        }
        Some(Transition { state: next, since, started, window, value, worst, partial: !reading.covered })
    }

    /// The rule or the queue is defined no more: a firing alert is resolved, a pending one has passed, both without a value.
    pub fn retire(&mut self, now: LogTime, windows: usize, partial: bool) -> Option<Transition> {
        let state = match std::mem::take(&mut self.state) {
            State::Firing => State::Resolved,
            State::Pending => State::Inactive,
            State::Inactive | State::Resolved => return None,
        };
        Some(Transition {
            state,
            since: now,
            started: self.started,
            window: windows.saturating_sub(1),
            value: Fraction::default(),
            worst: self.worst,
            partial,
        })
    }

    fn next(&self, rule: &Rule, verdict: Verdict, reading: Reading, patient: bool) -> Option<State> {
        match (self.state, verdict) {
            // An episode is named by its beginning: at most one begins at one moment.
            (State::Inactive, Verdict::Below) if self.began == Some(reading.now) => None,
            (State::Inactive | State::Resolved, Verdict::Below) if !patient => {
                Some(if rule.hold_ms == 0 { State::Firing } else { State::Pending })
            }
            (State::Pending, _) if patient => None,
            (State::Pending, Verdict::Below) => {
                (reading.now.0 - self.since.0 >= rule.hold_ms).then_some(State::Firing)
            }
            (State::Pending, _) => Some(State::Inactive),
            (State::Firing, Verdict::Clear) if reading.covered => Some(State::Resolved),
            (State::Firing, Verdict::Null) if reading.covered && rule.on_null == OnNull::Resolve => {
                Some(State::Resolved)
            }
            _ => None,
        }
    }

    fn enter(&mut self, next: State, now: LogTime, value: Fraction) {
        if self.state == State::Inactive {
            self.began = Some(now);
            self.started = now;
            self.worst = value;
        }
        self.state = next;
        self.since = now;
    }

    fn remember(&mut self, value: Fraction) {
        if self.worst.is_null() || value.compare(self.worst) == Some(Ordering::Less) {
            self.worst = value;
        }
    }
}

impl Rule {
    /// Whether the deciding window is measured and below the threshold: what keeps a pending alert alive. `values` are the
    /// KPI in each window, in the rule's order.
    pub fn is_below(&self, values: &[Fraction]) -> bool {
        self.judge(values).1 == Verdict::Below
    }

    /// The deciding window (the shortest that holds `min_samples`) and what its value says.
    fn judge(&self, values: &[Fraction]) -> (usize, Verdict) {
        let Some(window) = values.iter().position(|value| !value.is_null() && value.den >= self.min_samples)
        else {
            let null = values.iter().all(|value| value.is_null());
            return (values.len().saturating_sub(1), if null { Verdict::Null } else { Verdict::Few });
        };
        let value = values[window];
        let verdict = if value.compare(self.below) == Some(Ordering::Less) {
            Verdict::Below
        } else if value.compare(self.clear) == Some(Ordering::Less) {
            Verdict::Between
        } else {
            Verdict::Clear
        };
        (window, verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(hold_ms: i64, min_samples: i64) -> Rule {
        Rule {
            id: "answer-rate-low".into(),
            kpi: "answer_rate".into(),
            queues: vec![],
            windows: vec!["5m".into(), "1h".into()],
            below: Fraction::new(800, 1000),
            clear: Fraction::new(850, 1000),
            hold_ms,
            min_samples,
            on_null: OnNull::Hold,
            severity: "critical".into(),
            page: true,
        }
    }

    /// Minute, value of the 5-minute window, of the hour, whether it is covered.
    type Seen = (i64, (i64, i64), (i64, i64), bool);

    /// Steps through readings and gives the transitions as `minute state`.
    fn check(rule: &Rule, readings: &[Seen], expected: &[&str]) {
        let mut tracker = Tracker::default();
        let mut seen = Vec::new();
        for (minute, short, long, covered) in readings {
            let values = [Fraction::new(short.0, short.1), Fraction::new(long.0, long.1)];
            let reading = Reading { now: LogTime(minute * MINUTE), values: &values, covered: *covered };
            if let Some(t) = tracker.step(rule, reading) {
                seen.push(format!("{minute} {:?}{}", t.state, if t.partial { " partial" } else { "" }));
            }
        }
        assert_eq!(seen, expected);
    }

    #[test]
    fn it_fires_after_the_hold_and_resolves_at_the_clear_threshold() {
        check(
            &rule(5 * MINUTE, 5),
            &[
                (0, (7, 10), (7, 10), true),
                (4, (7, 10), (7, 10), true),
                (5, (7, 10), (7, 10), true),
                (6, (81, 100), (7, 10), true),
                (7, (85, 100), (7, 10), true),
            ],
            &["0 Pending", "5 Firing", "7 Resolved"],
        );
    }

    #[test]
    fn the_threshold_itself_is_in_order() {
        check(&rule(0, 1), &[(0, (8, 10), (0, 0), true), (1, (79, 100), (0, 0), true)], &["1 Firing"]);
    }

    #[test]
    fn a_pending_that_passes_says_so_calls_nobody_and_starts_anew() {
        check(
            &rule(5 * MINUTE, 5),
            &[
                (0, (7, 10), (0, 0), true),
                (4, (8, 10), (0, 0), true),
                (5, (7, 10), (0, 0), true),
                (9, (7, 10), (0, 0), true),
            ],
            &["0 Pending", "4 Inactive", "5 Pending"],
        );
    }

    #[test]
    fn no_traffic_and_few_samples_fire_nothing_and_a_real_zero_does() {
        check(
            &rule(0, 5),
            &[(0, (0, 0), (0, 0), true), (1, (0, 1), (0, 1), true), (2, (0, 4), (0, 5), true)],
            &["2 Firing"],
        );
    }

    #[test]
    fn a_dead_feed_resolves_nothing() {
        check(
            &rule(5 * MINUTE, 5),
            &[
                (0, (6, 10), (0, 0), true),
                (5, (6, 10), (0, 0), true),
                (15, (0, 0), (0, 0), false),
                (39, (95, 100), (0, 0), false),
                (40, (95, 100), (0, 0), true),
            ],
            &["0 Pending", "5 Firing", "40 Resolved"],
        );
    }

    #[test]
    fn low_coverage_holds_for_two_minutes_then_a_rule_may_fire_partial() {
        check(
            &rule(0, 5),
            &[
                (0, (10, 10), (0, 0), false),
                (1, (6, 10), (0, 0), false),
                (2, (6, 10), (0, 0), false),
                (3, (10, 10), (0, 0), false),
            ],
            &["2 Firing partial"],
        );
    }

    #[test]
    fn null_resolves_only_by_the_rules_own_word_and_with_healthy_sources() {
        let resolve = Rule { on_null: OnNull::Resolve, ..rule(0, 5) };
        let night = [(0, (0, 10), (0, 10), true), (9, (0, 0), (0, 0), false), (99, (0, 0), (0, 0), true)];
        check(&resolve, &night, &["0 Firing", "99 Resolved"]);
        check(&rule(0, 5), &night, &["0 Firing"]);
    }

    #[test]
    fn the_worst_value_of_the_episode_is_kept() {
        let mut tracker = Tracker::default();
        let rule = rule(0, 1);
        for value in [Fraction::new(6, 10), Fraction::new(1, 3), Fraction::new(7, 10)] {
            tracker.step(&rule, Reading { now: LogTime(0), values: &[value, value], covered: true });
        }
        assert_eq!(tracker.worst(), Fraction::new(1, 3));
    }
}
