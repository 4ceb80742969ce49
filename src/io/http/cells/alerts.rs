//! The alert band and the day's alert log. An alert is a sentence: where, what, how much, against which limit, how long.

use super::{Cell, Cells, LOG_LINES, View, header, state};
use crate::engine::output::{Alert, SubjectKind};
use crate::io::http::texts;
use crate::io::http::{format, layout};
use crate::io::read_model::Episode;
use crate::model::alert::State;
use crate::model::units::{Fraction, SECOND};

/// Counts that the log has one line for, each with what it says.
struct Line {
    state: &'static str,
    title: String,
    detail: String,
    at: i64,
}

pub(super) fn write(view: &View<'_>, cells: &mut Cells) {
    let mut firing: Vec<&Episode> = of_state(view, State::Firing).collect();
    firing.sort_by_key(|episode| (episode.alert.severity != "critical", episode.fired));
    let pending: Vec<&Episode> = of_state(view, State::Pending).collect();
    band(view, cells, &firing);
    rest(view, cells, firing.len(), &pending);
    log(view, cells, &firing, &pending);
}

fn of_state<'a>(view: &View<'a>, wanted: State) -> impl Iterator<Item = &'a Episode> + use<'a> {
    view.documents.open_alerts().filter(move |episode| episode.alert.state == wanted)
}

/// The wide place shows the only alert, or that there is none; with two or more the two halves show the first two.
fn band(view: &View<'_>, cells: &mut Cells, firing: &[&Episode]) {
    let form = match firing.len() {
        0 => "quiet",
        1 => "one",
        _ => "two",
    };
    cells.put("band", Cell::mark(form));
    match firing.first() {
        Some(episode) => sentence(view, cells, "b0", episode),
        None => quiet(view, cells),
    }
    for (place, episode) in ["b1", "b2"].into_iter().zip(firing) {
        sentence(view, cells, place, episode);
    }
}

fn sentence(view: &View<'_>, cells: &mut Cells, place: &str, episode: &Episode) {
    let alert = &episode.alert;
    let value = value_now(view, alert);
    let (shown, limit) = (percent(value, alert), format::edge_text(alert.below));
    let (queue, kpi) = (queue_name(view, alert), texts::kpi(&alert.kpi, view.lang));
    let title = view.pick(
        format!("{queue}：{kpi} {shown}，低于 {limit}%"),
        format!("{queue}: {kpi} {shown}, below {limit}%"),
    );
    let since = episode.fired.unwrap_or(alert.since).0;
    let at = format::time(since, &view.zone);
    cells.put(place, Cell::mark(state::FIRING));
    cells.put(format!("{place}.t"), Cell::text(title));
    cells.put(format!("{place}.d"), Cell::text(explanation(view, alert, value)));
    let kpi = texts::kpi_short(&alert.kpi, view.lang);
    let brief =
        view.pick(format!("{queue}：{kpi} {shown} < {limit}%"), format!("{queue}: {kpi} {shown} < {limit}%"));
    cells.put(format!("{place}.tb"), Cell::text(brief));
    cells.put(format!("{place}.db"), Cell::text(in_brief(view, alert, value)));
    cells.put(format!("{place}.f"), Cell::running(since, view.as_of()));
    cells.put(format!("{place}.sb"), Cell::text(at.clone()));
    cells.put(format!("{place}.s"), Cell::text(view.pick(format!("自 {at}"), format!("since {at}"))));
}

fn quiet(view: &View<'_>, cells: &mut Cells) {
    cells.put("b0", Cell::mark(state::NORMAL));
    cells.put("b0.t", Cell::text(view.lang.say(texts::NO_ALERT)));
    let last = resolved_today(view).max_by_key(|(at, _)| *at);
    let detail = match last {
        None => view.lang.say(texts::NONE_SO_FAR).to_owned(),
        Some((at, episode)) => {
            let (at, queue) = (format::minute(at, &view.zone), queue_name(view, &episode.alert));
            let kpi = texts::kpi(&episode.alert.kpi, view.lang);
            view.pick(format!("上次恢复 {at} {queue}{kpi}"), format!("last resolved {at}, {queue} {kpi}"))
        }
    };
    cells.put("b0.tb", Cell::text(view.lang.say(texts::NO_ALERT)));
    cells.put("b0.db", Cell::text(detail.clone()));
    cells.put("b0.d", Cell::text(detail));
}

/// The third place: what did not find room, else that old facts are read, else what is pending.
fn rest(view: &View<'_>, cells: &mut Cells, firing: usize, pending: &[&Episode]) {
    let resolved = resolved_today(view).count();
    let tail = match resolved {
        0 => view.pick("今日无恢复记录", "none resolved today"),
        n => view.pick(format!("今日已恢复 {n}，看全部"), format!("{n} resolved today, see all")),
    };
    let (state, title, detail) = if firing > 2 {
        let more = firing - 2;
        let alerts = if more == 1 { "alert" } else { "alerts" };
        (state::FIRING, view.pick(format!("另有 {more} 条告警"), format!("{more} more {alerts}")), tail)
    } else if view.is_catching_up() {
        let behind = format::spell(view.behind(), view.lang);
        let title = view.pick(format!("正在追赶：落后 {behind}"), format!("Catching up: {behind} behind"));
        (state::PARTIAL, title, view.pick("过去的事只记录，不寻呼", "the past is recorded, never paged"))
    } else if let Some(first) = pending.first() {
        let (queue, kpi) = (queue_name(view, &first.alert), texts::kpi_short(&first.alert.kpi, view.lang));
        let what = view.pick(format!("{queue}{kpi}"), format!("{queue} {kpi}"));
        let n = pending.len();
        (state::NEAR, view.pick(format!("待定 {n}：{what}"), format!("{n} pending: {what}")), tail)
    } else {
        (state::NORMAL, view.lang.say(texts::NO_OTHER).to_owned(), tail)
    };
    cells.put("b3", Cell::mark(state));
    cells.put("b3.t", Cell::text(title));
    cells.put("b3.d", Cell::text(detail));
}

fn log(view: &View<'_>, cells: &mut Cells, firing: &[&Episode], pending: &[&Episode]) {
    let (f, p) = (firing.len(), pending.len());
    cells.put(
        "g.n",
        Cell::text(view.pick(format!("{f} 告警 · {p} 待定"), format!("{f} firing · {p} pending"))),
    );
    let mut lines: Vec<Line> = firing.iter().skip(2).map(|episode| firing_line(view, episode)).collect();
    lines.extend(pending.iter().map(|episode| pending_line(view, episode)));
    lines.extend(source_lines(view));
    let mut resolved: Vec<_> = resolved_today(view).collect();
    resolved.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    lines.extend(resolved.into_iter().map(|(at, episode)| resolved_line(view, at, episode)));
    cells.put("g", Cell::mark(if lines.is_empty() { "none" } else { state::NORMAL }));
    let mut lines = lines.into_iter();
    for number in 0..LOG_LINES {
        match lines.next() {
            Some(line) => {
                cells.put(format!("g{number}"), Cell::mark(line.state));
                cells.put(format!("g{number}.t"), Cell::text(line.title));
                cells.put(format!("g{number}.d"), Cell::text(line.detail));
                cells.put(format!("g{number}.at"), Cell::text(format::minute(line.at, &view.zone)));
            }
            None => {
                for part in ["", ".t", ".d", ".at"] {
                    cells.put(format!("g{number}{part}"), Cell::mark(state::EMPTY));
                }
            }
        }
    }
}

fn firing_line(view: &View<'_>, episode: &Episode) -> Line {
    let what = subject(view, &episode.alert);
    let at = episode.fired.unwrap_or(episode.alert.since).0;
    let shown = percent(value_now(view, &episode.alert), &episode.alert);
    let title = view.pick(format!("告警：{what}"), format!("Firing: {what}"));
    let limit = format::edge_text(episode.alert.below);
    let detail = view.pick(format!("{shown}，低于 {limit}%"), format!("{shown}, below {limit}%"));
    Line { state: state::FIRING, title, detail, at }
}

fn pending_line(view: &View<'_>, episode: &Episode) -> Line {
    let alert = &episode.alert;
    let what = subject(view, alert);
    let title = view.pick(format!("待定：{what}"), format!("Pending: {what}"));
    let shown = percent(value_now(view, alert), alert);
    let rule = view.documents.definitions.alerts.iter().find(|rule| rule.id == alert.rule);
    let left = rule.map_or(0, |rule| rule.hold_ms - (view.as_of() - alert.started.0));
    let spelled = format::spell(left.max(0) + SECOND - 1, view.lang);
    let detail = if alert.partial || left <= 0 {
        shown
    } else {
        view.pick(format!("{shown}，{spelled}后告警"), format!("{shown}, fires in {spelled}"))
    };
    Line { state: state::NEAR, title, detail, at: alert.started.0 }
}

fn resolved_line(view: &View<'_>, at: i64, episode: &Episode) -> Line {
    let alert = &episode.alert;
    let what = subject(view, alert);
    let lasted = format::spell(at - episode.fired.unwrap_or(alert.started).0, view.lang);
    let worst = percent(alert.worst, alert);
    Line {
        state: state::RESOLVED,
        title: view.pick(format!("已恢复：{what}"), format!("Resolved: {what}")),
        detail: view.pick(format!("历时 {lasted}；最低 {worst}"), format!("lasted {lasted}; low {worst}")),
        at,
    }
}

/// Sources that are behind are shown like alerts: whoever reads the board has to know which values wait for them.
fn source_lines(view: &View<'_>) -> Vec<Line> {
    let mut topics = std::collections::BTreeMap::new();
    for source in header::all(view).filter(|source| !source.caught_up) {
        let behind: &mut i64 = topics.entry(source.topic.as_str()).or_default();
        *behind = (*behind).max(source.progress.map_or(0, |progress| view.as_of() - progress.0));
    }
    topics.into_iter().map(|(topic, behind)| source_line(view, topic, behind)).collect()
}

fn source_line(view: &View<'_>, topic: &str, behind: i64) -> Line {
    let spelled = format::spell(behind, view.lang);
    let title = match behind {
        ..=0 => view.pick(format!("来源 {topic} 未追平"), format!("Source {topic} is not caught up")),
        _ => view.pick(format!("来源 {topic} 落后 {spelled}"), format!("Source {topic} is {spelled} behind")),
    };
    let fed: Vec<&str> = fed_by(view, topic).map(|queue| view.lang.name(&queue.names, &queue.id)).collect();
    let detail = match fed.as_slice() {
        [] => view.pick("相关数标为“部分”，告警保持原状", "its values are partial; alerts hold"),
        fed => view.pick(
            format!("{}为“部分”，告警保持", fed.join("、")),
            format!("{} partial; alerts hold", fed.join(", ")),
        ),
    };
    Line { state: state::PARTIAL, title, detail, at: view.as_of() - behind }
}

/// The queues that a source feeds, when it names them.
fn fed_by<'a>(
    view: &'a View<'_>,
    topic: &str,
) -> impl Iterator<Item = &'a crate::engine::definitions::Queue> {
    let sources = view.documents.definitions.sources.iter().filter(|source| source.topic == topic);
    let named: Vec<&str> = sources.flat_map(|source| source.queues.iter().map(String::as_str)).collect();
    let layout: &layout::Layout = view.layout;
    layout.queues.iter().filter(move |queue| named.contains(&queue.id.as_str()))
}

fn resolved_today<'a>(view: &View<'a>) -> impl Iterator<Item = (i64, &'a Episode)> + use<'a> {
    let (zone, today) = (view.zone.clone(), format::day(view.as_of(), &view.zone));
    let closed = view.documents.episodes.values().filter(|episode| episode.alert.state == State::Resolved);
    closed
        .filter_map(|episode| Some((episode.resolved?.0, episode)))
        .filter(move |(at, _)| format::day(*at, &zone) == today)
}

fn subject(view: &View<'_>, alert: &Alert) -> String {
    let (queue, kpi) = (queue_name(view, alert), texts::kpi(&alert.kpi, view.lang));
    view.pick(format!("{queue}{kpi}"), format!("{queue}, {kpi}"))
}

fn queue_name<'a>(view: &'a View<'_>, alert: &'a Alert) -> &'a str {
    let queue = view.layout.queues.iter().find(|queue| queue.id == alert.queue);
    queue.map_or(alert.queue.as_str(), |queue| view.lang.name(&queue.names, &queue.id))
}

/// The value in the window that decided, as it is now.
fn value_now(view: &View<'_>, alert: &Alert) -> Fraction {
    let live = view.documents.live(SubjectKind::Queue, &alert.queue);
    let value = live.and_then(|live| live.windows.get(&alert.window)?.kpis.get(&alert.kpi)).copied();
    value.filter(|value| !value.is_null()).unwrap_or(alert.value)
}

fn percent(value: Fraction, alert: &Alert) -> String {
    format::percent(value, &[alert.below, alert.clear])
        .map_or_else(|| "—".to_owned(), |text| format!("{text}%"))
}

/// The fraction and the facts that explain it: where the others went, who is there to answer.
fn explanation(view: &View<'_>, alert: &Alert, value: Fraction) -> String {
    let live = view.documents.live(SubjectKind::Queue, &alert.queue);
    let window = texts::window_long(&alert.window, view.lang);
    let Fraction { num, den } = value;
    let mut text = match alert.kpi.as_str() {
        "answer_rate" => {
            view.pick(format!("{window}应答 {num}/{den}"), format!("{window}: {num} of {den} answered"))
        }
        _ => view.pick(format!("{window} {num} / {den}"), format!("{window}: {num} of {den}")),
    };
    let counts = live.and_then(|live| live.windows.get(&alert.window)).map(|window| &window.counts);
    let mut add = |column: &str, zh: &str, en: &str| {
        if let Some(n) = counts.and_then(|counts| counts.get(column)).filter(|n| **n > 0) {
            text += &view.pick(format!("，{zh} {n}"), format!(", {n} {en}"));
        }
    };
    add("abandoned", "放弃", "abandoned");
    add("flowed_out", "流出", "flowed out");
    if let Some((ready, on)) = live.and_then(|live| Some((live.now.ready?, live.now.on_shift?))) {
        text += &view.pick(format!(" · 在班 {on} 人，待命 {ready}"), format!(" · {ready} of {on} ready"));
    }
    text
}

/// The explanation for a narrow screen: the fraction and who is ready.
fn in_brief(view: &View<'_>, alert: &Alert, value: Fraction) -> String {
    let window = texts::window_long(&alert.window, view.lang);
    let Fraction { num, den } = value;
    let ready = view.documents.live(SubjectKind::Queue, &alert.queue).and_then(|live| live.now.ready);
    match ready {
        Some(ready) => view
            .pick(format!("{window} {num}/{den}，待命 {ready} 人"), format!("{num} of {den}, {ready} ready")),
        None => format!("{window} {num}/{den}"),
    }
}
