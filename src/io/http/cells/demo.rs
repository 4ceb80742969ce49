//! The demo's cells: equal of all, the last kill, the month's end, and the truth under each number.

use std::time::Duration;

use super::{Cell, Cells, View, state};
use crate::engine::output::{Ledger, Live, SubjectKind};
use crate::io::http::demo::{Frame, Tally, is_same};
use crate::io::http::format;
use crate::io::http::texts;
use crate::model::units::Fraction;

/// Width of the time line in its own units.
pub const TIMELINE: i64 = 480;

pub(super) fn write(view: &View<'_>, frame: &Frame, cells: &mut Cells) {
    tallies(view, frame, cells);
    kills(view, frame, cells);
    month(view, cells);
    let sent = &frame.sent;
    cells.put("d.dup", Cell::text(of(sent.duplicates_recognised, sent.duplicates)));
    cells.put("d.ooo", Cell::text(number(sent.out_of_order)));
    cells.put("d.bad", Cell::text(of(sent.broken_set_aside, sent.broken)));
    for (index, queue) in view.layout.queues.iter().enumerate() {
        if let Some(truth) = frame.truth(SubjectKind::Queue, &queue.id) {
            let live = view.documents.live(SubjectKind::Queue, &queue.id).map(AsRef::as_ref);
            let tally =
                frame.subjects.get(&(SubjectKind::Queue, queue.id.clone())).copied().unwrap_or_default();
            Truth { view, id: format!("q{index}"), ours: live, truth }.write(cells, tally);
        }
    }
}

fn number(value: u64) -> String {
    format::count(i64::try_from(value).unwrap_or(i64::MAX))
}

fn of(some: u64, all: u64) -> String {
    format!("{} / {}", number(some), number(all))
}

fn judged(tally: Tally) -> &'static str {
    if tally.is_equal() { state::SAME } else { state::DIFFERS }
}

fn tallies(view: &View<'_>, frame: &Frame, cells: &mut Cells) {
    let total = frame.total();
    cells.put("d.equal", Cell::text(number(total.equal)).state(judged(total)));
    let all = number(total.all);
    cells.put("d.all", Cell::text(view.pick(format!("/ {all} 一致"), format!("/ {all} equal"))));
    let kinds: [(&str, Tally); 4] = [
        ("d.q", frame.of_kind(&[SubjectKind::Queue])),
        ("d.a", frame.of_kind(&[SubjectKind::Agent])),
        ("d.t", frame.of_kind(&[SubjectKind::Team, SubjectKind::Unit])),
        ("d.m", frame.items),
    ];
    for (id, tally) in kinds {
        cells.put(id, Cell::text(of(tally.equal, tally.all)).state(judged(tally)));
    }
}

fn kills(view: &View<'_>, frame: &Frame, cells: &mut Cells) {
    let kills = &frame.kills;
    let n = kills.count;
    let times = if n == 1 { "once".to_owned() } else { format!("{n} times") };
    let count = match (kills.restoring, n) {
        (true, _) => view.lang.say(texts::RESTARTING).to_owned(),
        (false, 0) => view.lang.say(texts::NEVER_KILLED).to_owned(),
        (false, _) => {
            view.pick(format!("至今 {n} 次；上一次："), format!("Killed {times} so far; the last one:"))
        }
    };
    cells.put(
        "d.kills",
        Cell::text(count).state(if kills.restoring { state::PARTIAL } else { state::NORMAL }),
    );
    for (id, value) in [("d.lost", kills.lost), ("d.twice", kills.twice), ("d.rep", kills.repeated)] {
        cells.put(
            id,
            Cell::text(number(value)).state(if value == 0 { state::NORMAL } else { state::DIFFERS }),
        );
    }
    let last = kills.last.clone().unwrap_or_default();
    let phases = [last.fence, last.snapshot, last.replay, last.catch_up];
    let total: Duration = phases.iter().sum();
    let replayed = number(last.replayed);
    let labels = [
        view.lang.say(texts::FENCE).to_owned(),
        view.lang.say(texts::SNAPSHOT).to_owned(),
        view.pick(format!("静默重放 {replayed} 条"), format!("replay {replayed} facts, silently")),
        view.lang.say(texts::CATCH_UP).to_owned(),
    ];
    let mut from = Duration::ZERO;
    for (index, (phase, label)) in phases.into_iter().zip(labels).enumerate() {
        cells.put(format!("d.p{index}"), Cell::text(segment(from, phase, total)));
        cells.put(format!("d.l{index}"), Cell::text(label));
        let shown = if kills.last.is_some() { seconds(phase, view) } else { "—".to_owned() };
        cells.put(format!("d.s{index}"), Cell::text(shown));
        from += phase;
    }
    let (digest, mark) = match (&kills.last, last.digest_matched) {
        (None, _) => ("", state::EMPTY),
        (Some(_), true) => (view.lang.say(texts::DIGEST_MATCHED), state::SAME),
        (Some(_), false) => (view.lang.say(texts::DIGEST_DIFFERS), state::DIFFERS),
    };
    cells.put("d.digest", Cell::text(digest).state(mark));
    let at = format::time(last.at.0, &view.zone);
    let ready = seconds(total, view);
    let (killed, ready) = match kills.last {
        None => (String::new(), String::new()),
        Some(_) => (
            view.pick(format!("{at} 被杀"), format!("{at} killed")),
            view.pick(format!("{ready}后就绪"), format!("ready in {ready}")),
        ),
    };
    cells.put("d.at", Cell::text(killed));
    cells.put("d.ready", Cell::text(ready));
}

fn seconds(duration: Duration, view: &View<'_>) -> String {
    let hundredths = (duration.as_millis() + 5) / 10;
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    view.pick(format!("{text} 秒"), format!("{text} s"))
}

/// One phase as a bar on the time line; the shortest is still seen.
fn segment(from: Duration, length: Duration, total: Duration) -> String {
    if total.is_zero() {
        return String::new();
    }
    let scale = |duration: Duration| duration.as_secs_f64() / total.as_secs_f64() * TIMELINE as f64;
    let width = (scale(length) - 2.0).max(1.5);
    format!("M{:.1} 0h{width:.1}v10h-{width:.1}z", scale(from))
}

/// How long to the cut; after it, how many finals there are.
fn month(view: &View<'_>, cells: &mut Cells) {
    let cut = view.documents.ledger.values().filter_map(|line| match line.line.as_ref() {
        Ledger::Cut { period, revision, settle, .. } => Some((settle.0, period.as_str(), *revision)),
        _ => None,
    });
    let newest = cut.max();
    let due = view.documents.clocks.values().find_map(|clock| Some((clock.settle, clock.period.as_ref()?)));
    let people: usize = view.layout.teams.iter().map(|team| team.agents.len()).sum();
    let (head, hero, unit, text) = match (newest, due) {
        (Some((at, period, revision)), _) => {
            let finals = finals(view, period, revision);
            let (month, at) = (format::month(period, view.lang), format::time(at, &view.zone));
            (
                view.pick(format!("{month}已切分"), format!("{month} is cut")),
                number(finals),
                view.pick("份定稿", "finals"),
                view.pick(
                    format!("结算时钟 {at} 切分，第 {revision} 次。每一份都可以用 verify 复算。"),
                    format!("Cut at settle clock {at}, revision {revision}. Each one can be recomputed with verify."),
                ),
            )
        }
        (None, Some((settle, open))) => {
            let month = format::month(&open.period, view.lang);
            let left = (open.cut_due.0 - settle.map_or(view.as_of(), |settle| settle.0)).max(0);
            let spelled = format::spell(left, view.lang);
            let text = match open.waits_for.is_empty() || left > 0 {
                true => view.pick(
                    format!("模拟时间还有 {spelled}；然后 {people} 份定稿，每一份都可核验。"),
                    format!("{spelled} of simulated time left; then {people} finals, each one verifiable."),
                ),
                false => format!("{}{}", view.lang.say(texts::WAITS_FOR), open.waits_for.join(", ")),
            };
            (
                view.pick(format!("{month}在您眼前关账"), format!("{month} closes before your eyes")),
                format::clock(left / view.rate.max(1)),
                view.lang.say(texts::TO_THE_CUT).to_owned(),
                text,
            )
        }
        (None, None) => {
            (String::new(), "—".to_owned(), String::new(), view.lang.say(texts::NOT_CONNECTED).to_owned())
        }
    };
    for (id, text) in [("d.month", head), ("d.cut", hero), ("d.cutu", unit), ("d.cutt", text)] {
        cells.put(id, Cell::text(text));
    }
}

fn finals(view: &View<'_>, wanted: &str, at: u32) -> u64 {
    let lines = view.documents.ledger.values().filter(|line| match line.line.as_ref() {
        Ledger::Final { revision, score, .. } => score.period == wanted && *revision == at,
        _ => false,
    });
    lines.count() as u64
}

/// One queue beside its truth.
struct Truth<'a> {
    view: &'a View<'a>,
    id: String,
    ours: Option<&'a Live>,
    truth: &'a Live,
}

impl Truth<'_> {
    fn write(&self, cells: &mut Cells, tally: Tally) {
        let view = self.view;
        let waiting = |live: &Live| live.now.waiting.map_or_else(|| "—".to_owned(), format::count);
        cells.put(format!("{}.ab2", self.id), Cell::mark(state::EMPTY));
        self.note(cells, "wn", self.ours.map(waiting), waiting(self.truth));
        let since = |live: &Live| live.now.longest_since.map(|since| since.0);
        let longest = |live: &Live| match since(live) {
            Some(since) => format::clock(view.as_of() - since),
            None => view.lang.say(texts::NONE_WAITING).to_owned(),
        };
        self.note(cells, "ln", self.ours.map(longest), longest(self.truth));
        if since(self.truth).is_none() && self.ours.is_some_and(|ours| since(ours).is_none()) {
            let none = view.lang.say(texts::NONE_WAITING);
            cells.put(format!("{}.ln", self.id), Cell::text(none).state(state::SAME));
        }
        self.copy(cells, "ln", "lnb");
        for (part, kpi) in [("sln", "service_level"), ("arn", "answer_rate"), ("abn", "abandonment_rate")] {
            let value = |live: &Live| {
                live.windows
                    .get(view.window)
                    .and_then(|window| window.kpis.get(kpi))
                    .copied()
                    .unwrap_or_default()
            };
            let text = |value: Fraction| match value.is_null() {
                true => "—".to_owned(),
                false => format!("{}/{}", value.num, value.den),
            };
            let truth = value(self.truth);
            let ours = self.ours.map(value).unwrap_or_default();
            let ours = if is_same(ours, truth) { text(truth) } else { text(ours) };
            self.note(cells, part, Some(ours), text(truth));
        }
        self.copy(cells, "sln", "slb");
        let text = if tally.is_equal() {
            view.lang.say(texts::EQUAL).to_owned()
        } else {
            of(tally.equal, tally.all)
        };
        cells.put(format!("{}.as", self.id), Cell::text(text).state(judged(tally)));
        cells.put(format!("{}.p", self.id), Cell::mark(state::EMPTY));
    }

    fn copy(&self, cells: &mut Cells, from: &str, to: &str) {
        let cell = cells.get(&format!("{}.{from}", self.id)).into_owned();
        cells.put(format!("{}.{to}", self.id), cell);
    }

    fn note(&self, cells: &mut Cells, part: &str, ours: Option<String>, truth: String) {
        let word = self.view.lang.say(texts::TRUTH);
        let same = ours.as_ref() == Some(&truth);
        let text = match ours {
            _ if same => format!("{word} {truth}"),
            Some(ours) => format!("{ours} ≠ {word} {truth}"),
            None => format!("— ≠ {word} {truth}"),
        };
        let state = if same { state::SAME } else { state::DIFFERS };
        cells.put(format!("{}.{part}", self.id), Cell::text(text).state(state));
    }
}
