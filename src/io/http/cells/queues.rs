//! The queue table: one row a queue, and the sum.

use super::spark::{Scale, Spark};
use super::{Cell, Cells, View, header, state};
use crate::engine::definitions::Queue;
use crate::engine::output::{Live, Now, SubjectKind, Window};
use crate::io::http::format;
use crate::io::http::texts::{self, Text};
use crate::model::alert::State;
use crate::model::units::{Fraction, SECOND};

/// What one row adds to the sum.
#[derive(Default)]
struct Sum {
    waiting: i64,
    longest: Option<i64>,
    answered: Fraction,
    abandoned: Fraction,
    within: Fraction,
    dialects: std::collections::BTreeSet<(String, i64)>,
}

pub(super) fn write(view: &View<'_>, cells: &mut Cells) {
    let scale = Scale::of(&view.layout.queues);
    let mut sum = Sum::default();
    for (number, queue) in view.layout.queues.iter().enumerate() {
        let live = view.documents.live(SubjectKind::Queue, &queue.id).map(AsRef::as_ref);
        Row { view, id: format!("q{number}"), queue, live }.write(cells);
        let trend = view.documents.trends.get(&queue.id).map(AsRef::as_ref);
        for (part, cell) in Spark::of(trend, queue.service_level_target, scale).cells() {
            cells.put(format!("q{number}.{part}"), cell);
        }
        sum.add(view, queue, live);
    }
    sum.write(view, cells);
}

struct Row<'a> {
    view: &'a View<'a>,
    id: String,
    queue: &'a Queue,
    live: Option<&'a Live>,
}

/// One value with what stands under it.
struct Value {
    name: Text,
    value: Fraction,
    edges: Vec<Fraction>,
    state: &'static str,
    note: String,
}

impl Row<'_> {
    fn write(&self, cells: &mut Cells) {
        self.waiting(cells);
        let longest = self.longest(cells);
        let values = [self.service_level(), self.answer_rate(), self.abandoned()];
        let states: Vec<&str> = values.iter().map(|value| value.state).chain([longest]).collect();
        cells.put(&self.id, Cell::mark(self.row_state(&states)));
        for (part, value) in ["sl", "ar", "ab"].into_iter().zip(values) {
            self.put_value(cells, part, value);
        }
        self.agents(cells);
        self.as_of(cells);
    }

    fn put(&self, cells: &mut Cells, part: &str, cell: Cell) {
        cells.put(format!("{}.{part}", self.id), cell);
    }

    fn window(&self) -> Option<&Window> {
        self.live?.windows.get(self.view.window)
    }

    fn kpi(&self, name: &str) -> Fraction {
        self.window().and_then(|window| window.kpis.get(name)).copied().unwrap_or_default()
    }

    fn waiting(&self, cells: &mut Cells) {
        match self.live.and_then(|live| live.now.waiting) {
            Some(waiting) => {
                self.put(cells, "w", Cell::text(format::count(waiting)).state(self.aged(state::NORMAL)))
            }
            None => self.put(cells, "w", Cell::dash()),
        }
    }

    /// The longest wait is judged by the seconds that are printed, so that the sign and the number agree.
    fn longest(&self, cells: &mut Cells) -> &'static str {
        let view = self.view;
        let limit = self.queue.wait_limit_ms;
        let note = match (self.live, limit) {
            (None, _) => view.lang.say(texts::NOT_REPORTED).to_owned(),
            (_, 0) => String::new(),
            (_, limit) => {
                view.pick(format!("限 {}", format::clock(limit)), format!("limit {}", format::clock(limit)))
            }
        };
        let Some(since) = self.live.and_then(|live| live.now.longest_since) else {
            self.put(cells, "l", Cell::dash());
            let reason = if self.live.is_none() { texts::NOT_REPORTED } else { texts::NONE_WAITING };
            self.put(cells, "ln", Cell::text(view.lang.say(reason)));
            self.put(cells, "lnb", Cell::text(view.lang.say(texts::NONE_SHORT)));
            return state::NORMAL;
        };
        let waits = (view.as_of() - since.0).max(0) / SECOND * SECOND;
        let state = if limit > 0 && waits > limit { state::OUTSIDE } else { state::NORMAL };
        let shown = self.aged(state);
        let spoken = self.sentence(texts::LONGEST, &format::clock(waits), shown, &note);
        self.put(cells, "l", running(view, since.0).state(shown).spoken(spoken));
        self.put(cells, "ln", Cell::text(note.clone()));
        self.put(cells, "lnb", Cell::text(note));
        state
    }

    fn service_level(&self) -> Value {
        self.judged(texts::SERVICE_LEVEL, "service_level", self.target(self.queue.service_level_target))
    }

    /// The fraction and its target, or that there are too few to judge; and the same for a narrow screen.
    fn service_level_notes(&self, value: &Value) -> [String; 2] {
        let (view, note) = (self.view, &value.note);
        match (value.state, self.target(self.queue.service_level_target)) {
            (state::NULL, _) | (_, None) => [note.clone(), note.clone()],
            (state::FEW, _) => [format!("{note} · {}", view.lang.say(texts::FEW)), note.clone()],
            (_, Some(target)) => {
                let edge = format::edge_text(target);
                let full = view.pick(format!("{note} · 目标 {edge}%"), format!("{note} · target {edge}%"));
                [full, format!("{note} · ≥{edge}%")]
            }
        }
    }

    fn answer_rate(&self) -> Value {
        let target = self.target(self.queue.answer_rate_target);
        self.judged(texts::ANSWER_RATE, "answer_rate", target)
    }

    /// No target is defined for it, so the board judges it by none.
    fn abandoned(&self) -> Value {
        self.judged(texts::ABANDONED, "abandonment_rate", None)
    }

    fn target(&self, per_mille: u32) -> Option<Fraction> {
        (per_mille > 0).then(|| Fraction::new(i64::from(per_mille), 1000))
    }

    fn judged(&self, name: Text, kpi: &str, target: Option<Fraction>) -> Value {
        let value = self.kpi(kpi);
        let rule = self.view.documents.definitions.alerts.iter().find(|rule| {
            rule.kpi == kpi
                && (rule.queues.is_empty() || rule.queues.contains(&self.queue.id))
                && rule.windows.iter().any(|window| window == self.view.window)
        });
        let edges = [target, rule.map(|rule| rule.below), rule.map(|rule| rule.clear)];
        let is_below = |edge: Fraction| value.compare(edge).is_some_and(std::cmp::Ordering::is_lt);
        let state = match (self.alert(kpi), rule) {
            _ if value.is_null() => state::NULL,
            (Some(State::Firing), Some(_)) => state::FIRING,
            (Some(State::Pending), Some(_)) => state::NEAR,
            _ if value.den < self.least_samples() => state::FEW,
            _ if target.is_some_and(is_below) => state::OUTSIDE,
            (_, Some(rule)) if is_below(rule.clear) => state::NEAR,
            _ => state::NORMAL,
        };
        let note = match (value.is_null(), self.live) {
            (false, _) => format!("{}/{}", value.num, value.den),
            (true, None) => self.view.lang.say(texts::NOT_REPORTED).to_owned(),
            (true, Some(_)) => self.view.lang.say(texts::NO_CONTACTS).to_owned(),
        };
        Value { name, value, edges: edges.into_iter().flatten().collect(), state, note }
    }

    /// As many samples as the queue's rules ask for: fewer are no evidence, for whatever they are judged by.
    fn least_samples(&self) -> i64 {
        let rules = self.view.documents.definitions.alerts.iter();
        let mine = rules.filter(|rule| rule.queues.is_empty() || rule.queues.contains(&self.queue.id));
        mine.map(|rule| rule.min_samples).max().unwrap_or(0)
    }

    /// The worst open alert of a KPI in this queue.
    fn alert(&self, kpi: &str) -> Option<State> {
        let open = self.view.documents.open_alerts();
        let mine = open.filter(|episode| episode.alert.queue == self.queue.id && episode.alert.kpi == kpi);
        mine.map(|episode| episode.alert.state).max_by_key(|state| *state == State::Firing)
    }

    fn put_value(&self, cells: &mut Cells, part: &str, value: Value) {
        let cell = match format::percent(value.value, &value.edges) {
            None => Cell::dash(),
            Some(text) => {
                let shown = self.aged(value.state);
                let spoken = self.sentence(value.name, &format!("{text}%"), shown, &value.note);
                Cell::text(text).state(shown).spoken(spoken)
            }
        };
        self.put(cells, part, cell);
        if part == "ab" {
            let second = format::percent(value.value, &[]).map_or_else(
                || Cell::mark(state::EMPTY),
                |text| Cell::text(self.view.pick(format!("放弃 {text}%"), format!("abandoned {text}%"))),
            );
            self.put(cells, "ab2", second);
        }
        if part == "sl" {
            let [note, brief] = self.service_level_notes(&value);
            self.put(cells, "sln", Cell::text(note));
            self.put(cells, "slb", Cell::text(brief));
        } else {
            self.put(cells, &format!("{part}n"), Cell::text(value.note));
        }
    }

    /// Old values lose their judgement; what fires stays firing.
    fn aged(&self, state: &'static str) -> &'static str {
        if self.view.is_stale() && state != state::FIRING { state::STALE } else { state }
    }

    /// The state of the row: what needs somebody first. An alert stays when the window shown is another one.
    fn row_state(&self, values: &[&str]) -> &'static str {
        let open = |wanted: State| {
            let mut open = self.view.documents.open_alerts();
            open.any(|episode| episode.alert.queue == self.queue.id && episode.alert.state == wanted)
        };
        let any = |state: &str| values.contains(&state);
        if any(state::FIRING) || open(State::Firing) {
            state::FIRING
        } else if any(state::OUTSIDE) {
            state::OUTSIDE
        } else if any(state::NEAR) || open(State::Pending) {
            state::NEAR
        } else if self.view.is_stale() {
            state::STALE
        } else if self.partial().is_some() {
            state::PARTIAL
        } else if self.live.is_none() || values[..3].iter().all(|value| *value == state::NULL) {
            state::NULL
        } else {
            state::NORMAL
        }
    }

    fn agents(&self, cells: &mut Cells) {
        let [ready, on] = people(self.live.map(|live| &live.now));
        self.put(cells, "r", ready);
        self.put(cells, "on", on);
    }

    /// Coverage below one, with the time up to which the slowest of its sources was read.
    fn partial(&self) -> Option<(Fraction, i64)> {
        let coverage = self.live?.coverage;
        if coverage.is_null() || coverage.num >= coverage.den {
            return None;
        }
        let feeding = |topic: &str| {
            let mut sources = self.view.documents.definitions.sources.iter();
            let all = sources.find(|source| source.topic == topic).map(|source| &source.queues);
            all.is_none_or(|queues| queues.is_empty() || queues.contains(&self.queue.id))
        };
        let behind = header::all(self.view).filter(|source| !source.caught_up && feeding(&source.topic));
        let oldest = behind.filter_map(|source| source.progress).map(|progress| progress.0).min();
        Some((coverage, oldest.unwrap_or_else(|| self.view.as_of())))
    }

    fn as_of(&self, cells: &mut Cells) {
        let view = self.view;
        let (time, state, mark) = match self.partial() {
            Some((Fraction { num, den }, at)) => {
                let mark = view.pick(format!("部分 {num}/{den}"), format!("partial {num}/{den}"));
                (format::time(at, &view.zone), state::PARTIAL, Cell::text(mark).state(state::PARTIAL))
            }
            None => (view.as_of_text(), self.aged(state::NORMAL), Cell::mark(state::EMPTY)),
        };
        let time = if self.live.is_none() { "—".to_owned() } else { time };
        self.put(cells, "as", Cell::text(time).state(state));
        self.put(cells, "p", mark);
    }

    /// `账单，应答率 71.4%，告警中，20/28，截至 10:42:17`.
    fn sentence(&self, name: Text, value: &str, state: &str, note: &str) -> String {
        let view = self.view;
        let parts = [
            view.lang.name(&self.queue.names, &self.queue.id).to_owned(),
            format!("{} {value}", view.lang.say(name)),
            view.state_word(state).to_owned(),
            note.to_owned(),
            view.spoken_as_of(),
        ];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(&view.pick("，", ", "))
    }
}

impl Sum {
    fn add(&mut self, view: &View<'_>, queue: &Queue, live: Option<&Live>) {
        let Some(live) = live else { return };
        self.waiting += live.now.waiting.unwrap_or(0);
        let since = live.now.longest_since.map(|since| since.0);
        self.longest = [self.longest, since].into_iter().flatten().min();
        let Some(window) = live.windows.get(view.window) else { return };
        for (kpi, sum) in [
            ("answer_rate", &mut self.answered),
            ("abandonment_rate", &mut self.abandoned),
            ("service_level", &mut self.within),
        ] {
            let value = window.kpis.get(kpi).copied().unwrap_or_default();
            *sum = Fraction::new(sum.num + value.num, sum.den + value.den);
        }
        self.dialects.insert((queue.dialect.clone(), queue.within_ms));
    }

    fn write(self, view: &View<'_>, cells: &mut Cells) {
        cells.put("t.w", Cell::text(format::count(self.waiting)));
        match self.longest {
            Some(since) => cells.put("t.l", running(view, since)),
            None => cells.put("t.l", Cell::dash()),
        }
        let none = if self.longest.is_some() { "" } else { view.lang.say(texts::NONE_WAITING) };
        cells.put("t.ln", Cell::text(none));
        let differ = self.dialects.len() > 1;
        let service_level = if differ { Fraction::default() } else { self.within };
        for (part, value) in [("sl", service_level), ("ar", self.answered), ("ab", self.abandoned)] {
            let note = match (value.is_null(), part) {
                (false, _) => format!("{}/{}", value.num, value.den),
                (true, "sl") if differ => view.lang.say(texts::DIALECTS_DIFFER).to_owned(),
                (true, _) => view.lang.say(texts::NO_CONTACTS).to_owned(),
            };
            let cell = format::percent(value, &[]).map_or_else(Cell::dash, Cell::text);
            cells.put(format!("t.{part}"), cell);
            if part == "sl" {
                let brief = if differ { view.lang.say(texts::NOT_ADDED).to_owned() } else { note.clone() };
                cells.put("t.slb", Cell::text(brief));
            }
            cells.put(format!("t.{part}n"), Cell::text(note));
        }
        let unit = view.documents.lives(SubjectKind::Unit).next();
        let [ready, on] = people(unit.map(|unit| &unit.now));
        cells.put("t.r", ready);
        cells.put("t.on", on);
    }
}

/// A wait that goes on. In the demo it stands beside its truth, as of the same moment, and does not run.
fn running(view: &View<'_>, since: i64) -> Cell {
    let cell = Cell::running(since, view.as_of());
    if view.demo.is_some() { Cell { since: None, ..cell } } else { cell }
}

/// Ready people, and `/ 7` of those on shift.
fn people(now: Option<&Now>) -> [Cell; 2] {
    let ready = now.and_then(|now| now.ready).map_or_else(Cell::dash, |n| Cell::text(format::count(n)));
    let on = now.and_then(|now| now.on_shift).map_or_else(|| "—".to_owned(), format::count);
    [ready, Cell::text(format!(" / {on}"))]
}
