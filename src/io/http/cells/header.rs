//! The head of the page: as of when, how far behind, how many sources.

use std::collections::BTreeMap;

use super::{Cell, Cells, View, state};
use crate::engine::output::SourceClock;
use crate::io::http::format;
use crate::io::http::texts::{self};
use crate::model::alert::State;

pub(super) fn write(view: &View<'_>, cells: &mut Cells) {
    let fresh = if view.is_stale() { state::STALE } else { state::NORMAL };
    cells.put(
        "asof",
        Cell::text(view.as_of_text()).state(if view.clock.is_none() { state::NULL } else { fresh }),
    );
    cells.put("lag", Cell::text(lag(view)));
    sources(view, cells);
    cells.put("title", title(view));
}

fn lag(view: &View<'_>) -> String {
    if view.clock.is_none() {
        return view.lang.say(texts::NOT_CONNECTED).to_owned();
    }
    match view.behind() {
        0..1_000 => view.pick("滞后 < 1 秒", "< 1 s behind"),
        behind => {
            let spelled = format::spell(behind, view.lang);
            view.pick(format!("滞后 {spelled}"), format!("{spelled} behind"))
        }
    }
}

/// Sources by topic, each with whether all its partitions are read to their end.
fn by_topic<'a>(view: &View<'a>) -> BTreeMap<&'a str, bool> {
    let mut topics = BTreeMap::new();
    for source in all(view) {
        *topics.entry(source.topic.as_str()).or_insert(true) &= source.caught_up;
    }
    topics
}

/// All declared source partitions.
pub(super) fn all<'a>(view: &View<'a>) -> impl Iterator<Item = &'a SourceClock> + use<'a> {
    view.documents.clocks.values().flat_map(|clock| clock.sources.iter())
}

fn sources(view: &View<'_>, cells: &mut Cells) {
    let topics = by_topic(view);
    let (ready, all) = (topics.values().filter(|caught_up| **caught_up).count(), topics.len());
    let state = match (ready, all) {
        (_, 0) => state::NULL,
        (ready, all) if ready == all => state::RESOLVED,
        _ => state::PARTIAL,
    };
    let long = match (ready == all, all) {
        (_, 0) => view.pick("没有来源", "no sources"),
        (true, _) => view.pick(format!("来源 {ready}/{all}"), format!("{ready}/{all} sources")),
        (false, _) => {
            view.pick(format!("来源 {ready}/{all} 已追平"), format!("{ready} of {all} sources caught up"))
        }
    };
    cells.put("src", Cell::mark(state));
    cells.put("src.long", Cell::text(long));
    cells.put("src.short", Cell::text(format!("{ready}/{all}")));
}

fn title(view: &View<'_>) -> Cell {
    let firing = view.documents.open_alerts().filter(|episode| episode.alert.state == State::Firing).count();
    let board = view.lang.say(texts::BOARD);
    match firing {
        0 => Cell::text(format!("{board} · shiftpulse")),
        firing => Cell::text(format!("▲{firing} {board} · shiftpulse")).state(state::FIRING),
    }
}
