//! A morning in a contact centre, as documents: invented names and numbers, but every fraction and sum adds up.
//!
//! ```no_run
//! let site = Site::picture();
//! site.queue("billing", |live| live.now.waiting = Some(8));
//! site.pass(1_000);
//! page.go(&site.address);
//! ```
//!
//! The clock stands still until [`Site::pass`] moves it, so every picture is the same.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use shiftpulse::engine::definitions::Definitions;
use shiftpulse::engine::output::{Clock, Live, OpenPeriod, Output, SourceClock, SubjectKind};
use shiftpulse::io::http::demo::DemoView;
use shiftpulse::io::http::{self, router};
use shiftpulse::io::log::AppendClock;
use shiftpulse::io::read_model::ReadModel;
use shiftpulse::model::units::{Fraction, LogTime};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, Ordering};
use tokio_stream::StreamExt as _;

#[path = "fixture/demo.rs"]
pub mod demo;
#[path = "fixture/people.rs"]
pub mod people;
#[path = "fixture/queues.rs"]
pub mod queues;

/// 2026-10-14 10:42:17 in the unit's zone.
pub const NOON: i64 = 1_791_945_737_000;

/// What the way to the server does to the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Weather {
    /// Everything passes.
    Fair = 0,
    /// A proxy answers 502 to new streams, and running ones end.
    BadGateway = 1,
    /// Connections stay open, and nothing comes any more.
    Silence = 2,
}

/// Stands still until it is moved, and says at which rate it would run.
struct HandClock {
    now: AtomicI64,
    rate: AtomicU32,
}

impl AppendClock for HandClock {
    fn now_ms(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    fn rate(&self) -> u32 {
        self.rate.load(Ordering::SeqCst)
    }
}

/// A served board over documents that the test changes.
pub struct Site {
    pub model: Arc<ReadModel>,
    pub address: String,
    clock: Arc<HandClock>,
    weather: Arc<AtomicU8>,
    behind: bool,
}

impl Site {
    /// The morning of the pictures.
    pub fn picture() -> Site {
        Site::serve(definitions(), true, None)
    }

    /// The same as a demo.
    pub fn demo() -> Site {
        Site::serve(definitions(), true, Some(Arc::new(demo::Demo::default())))
    }

    /// A service that has seen nothing yet.
    pub fn empty() -> Site {
        Site::serve(Definitions::default(), false, None)
    }

    fn serve(definitions: Definitions, filled: bool, demo: Option<Arc<demo::Demo>>) -> Site {
        let (model, clock) = (
            Arc::new(ReadModel::default()),
            Arc::new(HandClock { now: AtomicI64::new(NOON), rate: AtomicU32::new(1) }),
        );
        let weather = Arc::new(AtomicU8::new(Weather::Fair as u8));
        model.define(definitions);
        let behind = demo.is_none();
        if filled {
            model.put(queues::outputs().into_iter().chain(people::outputs()));
            model.put([Output::Clock(clock_at(NOON, behind))]);
        }
        if demo.is_some() {
            let mut chat =
                model.snapshot().live(SubjectKind::Queue, "chat").expect("a queue").as_ref().clone();
            chat.coverage = Fraction::new(2, 2);
            model.put([Output::Live(chat)]);
        }
        clock.rate.store(if demo.is_some() { 60 } else { 1 }, Ordering::SeqCst);
        let mut site = http::Site::new(model.clone(), clock.clone());
        if let Some(demo) = demo {
            demo.look_at(model.clone());
            site = site.with_demo(demo as Arc<dyn DemoView>);
        }
        let address = listen(router(Arc::new(site)), weather.clone());
        Site { model, address, clock, weather, behind }
    }

    /// Lets time pass: the append clock, and the live clock with it.
    pub fn pass(&self, ms: i64) {
        let now = self.clock.now.fetch_add(ms, Ordering::SeqCst) + ms;
        self.model.put([Output::Clock(clock_at(now, self.behind))]);
    }

    /// Lets time pass while no fact arrives.
    pub fn stall(&self, ms: i64) {
        self.clock.now.fetch_add(ms, Ordering::SeqCst);
    }

    /// The moment.
    pub fn now(&self) -> i64 {
        self.clock.now.load(Ordering::SeqCst)
    }

    /// Changes a queue's document.
    pub fn queue(&self, id: &str, change: impl FnOnce(&mut Live)) {
        self.subject(SubjectKind::Queue, id, change);
    }

    /// Changes any document.
    pub fn subject(&self, kind: SubjectKind, id: &str, change: impl FnOnce(&mut Live)) {
        let documents = self.model.snapshot();
        let mut live = documents.live(kind, id).expect("a subject of the fixture").as_ref().clone();
        change(&mut live);
        self.model.put([Output::Live(live)]);
    }

    /// Changes the way to the server.
    pub fn weather(&self, weather: Weather) {
        self.weather.store(weather as u8, Ordering::SeqCst);
    }
}

fn definitions() -> Definitions {
    Definitions {
        unit: queues::unit(),
        queues: queues::queues(),
        teams: people::teams(),
        roster: people::roster(),
        sources: queues::sources(),
        alerts: queues::rules(),
        ..Definitions::default()
    }
}

fn clock_at(now: i64, behind: bool) -> Clock {
    let source = |topic: &str, late: i64| SourceClock {
        topic: topic.into(),
        partition: 0,
        progress: Some(LogTime(now - late)),
        caught_up: late == 0,
        gaps: Vec::new(),
    };
    let late = if behind { 38_000 } else { 0 };
    Clock {
        domain: 0,
        live: LogTime(now),
        settle: Some(LogTime(now - late)),
        coverage: Fraction::new(if behind { 2 } else { 3 }, 3),
        sources: vec![source("calls", 0), source("chat-eu", late), source("agents", 0)],
        counters: [("duplicates".to_owned(), 1932), ("facts".to_owned(), 412_800)].into(),
        period: Some(OpenPeriod {
            period: "2026-10".into(),
            end: LogTime(NOON + 168 * 60_000),
            cut_due: LogTime(NOON + 178 * 60_000),
            waits_for: Vec::new(),
        }),
    }
}

/// Serves on a free loopback port for as long as the test process lives.
fn listen(router: Router, weather: Arc<AtomicU8>) -> String {
    let router =
        router.layer(middleware::from_fn(move |request, next| pass_weather(weather.clone(), request, next)));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.set_nonblocking(true).expect("a socket for the runtime");
    let address = format!("http://{}/", listener.local_addr().expect("the port just bound"));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket for the runtime");
            axum::serve(listener, router).await.expect("the board serves");
        });
    });
    address
}

async fn pass_weather(weather: Arc<AtomicU8>, request: Request, next: Next) -> Response {
    if request.uri().path() != "/events" {
        return next.run(request).await;
    }
    let is = move |wanted: Weather| weather.load(Ordering::SeqCst) == wanted as u8;
    if is(Weather::BadGateway) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let (parts, body) = next.run(request).await.into_parts();
    let cut = is.clone();
    let frames = body.into_data_stream().take_while(move |_| !cut(Weather::BadGateway));
    let frames = frames.filter(move |_| !is(Weather::Silence));
    Response::from_parts(parts, Body::from_stream(frames))
}
