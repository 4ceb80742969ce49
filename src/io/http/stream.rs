//! `GET /events`: one stream a page. First a snapshot, then what changed, at least a heartbeat every two seconds.
//!
//! One event a tick at most, with the latest values only: a slow reader skips what lies between. Each event carries the
//! server's clock, so every event is a heartbeat.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::IntervalStream;

use super::Site;
use super::board::Wanted;
use super::cells::{Cell, Cells, Pace};
use super::texts::Lang;

/// Queues and alerts are sent at this pace, everything else at a multiple of it.
const TICK: Duration = Duration::from_secs(1);
/// Ticks without news after which a heartbeat goes out.
const QUIET_TICKS: u64 = 2;
/// The page's clock runs ahead of the last fact by at most this, in real milliseconds.
const MOST_AHEAD: i64 = 2_000;

/// `GET /events?lang=&window=`.
pub(super) async fn events(
    State(site): State<Arc<Site>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let mut session = Session::new(site.clone(), wanted.lang(&headers), wanted.window());
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stop = site.stop.clone();
    let events = IntervalStream::new(ticks)
        .take_while(move |_| !*stop.borrow())
        .filter_map(move |_| session.next_event().map(Ok::<Event, Infallible>));
    let mut response = Sse::new(events).into_response();
    // Proxies that gather an answer before they hand it on would hold back the heartbeats.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What one reader has been sent.
struct Session {
    site: Arc<Site>,
    lang: Lang,
    window: &'static str,
    sent: BTreeMap<String, Cell>,
    structure: String,
    tick: u64,
    last: u64,
}

impl Session {
    fn new(site: Arc<Site>, lang: Lang, window: &'static str) -> Self {
        Self { site, lang, window, sent: BTreeMap::new(), structure: String::new(), tick: 0, last: 0 }
    }

    fn next_event(&mut self) -> Option<Event> {
        let (kind, id, body) = self.next()?;
        Some(Event::default().event(kind).id(id.to_string()).data(body.to_string()))
    }

    /// Kind, version and body of the event of this tick, if there is one.
    fn next(&mut self) -> Option<(&'static str, u64, Value)> {
        let cells = self.site.cells(self.lang, self.window);
        let first = self.tick == 0 || self.structure != cells.structure;
        let due = |pace: Pace| first || self.tick.is_multiple_of(ticks(pace, self.site.rate()));
        let mut changed = serde_json::Map::new();
        for (id, cell) in &cells.cells {
            let known = self.sent.get(id).is_some_and(|sent| sent.shows_as(cell));
            if due(cell.pace) && (first || !known) {
                changed.insert(id.clone(), wire(cell, &cells));
                self.sent.insert(id.clone(), cell.clone());
            }
        }
        self.structure.clone_from(&cells.structure);
        self.tick += 1;
        let quiet = self.tick - self.last >= QUIET_TICKS;
        if changed.is_empty() && !quiet {
            return None;
        }
        self.last = self.tick;
        let kind = match (first, changed.is_empty()) {
            (true, _) => "snapshot",
            (false, false) => "patch",
            (false, true) => "beat",
        };
        Some((kind, cells.version, self.body(&cells, changed, first)))
    }

    fn body(&self, cells: &Cells, changed: serde_json::Map<String, Value>, first: bool) -> Value {
        let mut body = json!({ "clock": self.clock(cells), "rate": self.site.rate() });
        if first {
            body["structure"] = cells.structure.clone().into();
        }
        if !changed.is_empty() {
            body["cells"] = changed.into();
        }
        body
    }

    /// Running durations run by the live clock; between two facts by the append clock, but never far ahead.
    fn clock(&self, cells: &Cells) -> i64 {
        let now = self.site.now();
        cells.as_of.map_or(now, |as_of| now.clamp(as_of, as_of + MOST_AHEAD * self.site.rate()))
    }
}

/// Agents change every five seconds of the append clock, scores every minute: in the demo these pass sooner.
fn ticks(pace: Pace, rate: i64) -> u64 {
    let seconds: u64 = match pace {
        Pace::Second => 1,
        Pace::FiveSeconds => 5,
        Pace::Minute => 60,
    };
    (seconds / rate.unsigned_abs().max(1)).max(1)
}

/// `[text, state, as_of, spoken, since]`.
fn wire(cell: &Cell, cells: &Cells) -> Value {
    json!([cell.text, cell.state, cells.as_of, cell.spoken, cell.since])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::output::{Live, Now, Output, SubjectKind};
    use crate::io::log::clock::ManualClock;
    use crate::io::read_model::ReadModel;
    use crate::model::units::{EventTime, Fraction, LogTime};

    fn waiting(n: i64, since: i64) -> Output {
        let now = Now { waiting: Some(n), longest_since: Some(EventTime(since)), ..Now::default() };
        let coverage = Fraction::new(1, 1);
        let (id, as_of, windows) = ("q".to_owned(), LogTime(0), BTreeMap::new());
        Output::Live(Live { subject: SubjectKind::Queue, id, as_of, coverage, now, windows })
    }

    fn session() -> (Session, Arc<ReadModel>, Arc<ManualClock>) {
        let (model, time) = (Arc::new(ReadModel::default()), Arc::new(ManualClock::new(10_000)));
        model.put([waiting(1, 5_000)]);
        let mut site = Site::new(model.clone(), time.clone());
        site.renderings.fresh = Duration::ZERO;
        (Session::new(Arc::new(site), Lang::En, "30m"), model, time)
    }

    #[test]
    fn first_everything_then_only_what_changed_then_heartbeats() {
        let (mut session, model, time) = session();
        let (kind, _, body) = session.next().expect("a snapshot comes at once");
        assert_eq!((kind, body["cells"]["q0.w"][0].as_str()), ("snapshot", Some("1")));
        time.advance(1_000);
        assert_eq!(session.next(), None, "time alone is no news: durations run in the page");
        time.advance(1_000);
        assert_eq!(session.next().map(|(kind, _, _)| kind), Some("beat"));
        model.put([waiting(2, 5_000)]);
        time.advance(1_000);
        let (kind, version, body) = session.next().expect("the change");
        assert_eq!((kind, version), ("patch", 2));
        assert_eq!(body["cells"]["q0.w"][0].as_str(), Some("2"));
        assert!(body["cells"].get("q0.l").is_none(), "its start did not change: {body}");
    }

    #[test]
    fn a_new_structure_starts_over() {
        let (mut session, model, time) = session();
        let first = session.next().expect("a snapshot").2["structure"].clone();
        model.define(crate::engine::definitions::Definitions {
            teams: vec![],
            queues: vec![],
            unit: crate::engine::definitions::Unit { id: "u".into(), ..Default::default() },
            ..Default::default()
        });
        time.advance(1_000);
        session.next();
        let Output::Live(other) = waiting(1, 5_000) else { unreachable!("a live document") };
        model.put([Output::Live(Live { id: "r".into(), ..other })]);
        time.advance(1_000);
        let (kind, _, body) = session.next().expect("a second snapshot");
        assert_eq!(kind, "snapshot");
        assert_ne!(body["structure"], first);
    }

    #[test]
    fn scores_are_slower_than_queues_except_in_the_demo() {
        assert_eq!([ticks(Pace::Second, 1), ticks(Pace::FiveSeconds, 1), ticks(Pace::Minute, 1)], [1, 5, 60]);
        assert_eq!(
            [ticks(Pace::Second, 60), ticks(Pace::FiveSeconds, 60), ticks(Pace::Minute, 60)],
            [1, 1, 1]
        );
    }
}
