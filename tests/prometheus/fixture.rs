//! A service to be scraped: two and a half simulated hours through the real engine, stopped while an alert fires.
//!
//! The clock stands still from there on, so that every scrape is the same.

use shiftpulse::app::run::meters::{self, Meters};
use shiftpulse::app::run::status::DomainStatus;
use shiftpulse::engine::Engine;
use shiftpulse::engine::definitions::{CardFile, Definitions};
use shiftpulse::engine::output::Output;
use shiftpulse::engine::record::{Batch, Body, Control, ControlKind, Record};
use shiftpulse::io::http::metrics::ServiceValue;
use shiftpulse::io::http::{self, Site};
use shiftpulse::io::intake::Counts;
use shiftpulse::io::log::clock::ManualClock;
use shiftpulse::io::read_model::ReadModel;
use shiftpulse::io::traffic::{Delivery, Incident, Plan, Traffic, centre};
use shiftpulse::model::alert::{OnNull, Rule};
use shiftpulse::model::units::{Fraction, LogTime, MINUTE};
use shiftpulse::wire::native::{CustomerKey, read};
use std::sync::Arc;

/// 2026-09-21 09:00 in the unit's zone.
const START: i64 = 1_789_952_400_000;
const CARD: &str = include_str!("../../config/scorecards/service-agent.toml");

/// Serves it for as long as the test process lives; `host:port`.
pub fn serve() -> String {
    let model = Arc::new(ReadModel::default());
    let now = fill(&model);
    let site = Site::new(model, Arc::new(ManualClock::new(now))).with_service(Arc::new(Health));
    let router = http::router(Arc::new(site));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.set_nonblocking(true).expect("a socket for the runtime");
    let address = listener.local_addr().expect("the port just bound").to_string();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket for the runtime");
            axum::serve(listener, router).await.expect("the service serves");
        });
    });
    address
}

fn definitions(plan: &Plan) -> Definitions {
    let rule = Rule {
        id: "answer-rate-low".into(),
        kpi: "answer_rate".into(),
        queues: Vec::new(),
        windows: ["5m", "30m", "1h"].map(String::from).into(),
        below: Fraction::new(4, 5),
        clear: Fraction::new(17, 20),
        hold_ms: MINUTE,
        min_samples: 10,
        on_null: OnNull::Hold,
        severity: "critical".into(),
        page: true,
    };
    let card = CardFile { id: "service-agent".into(), text: CARD.into() };
    Definitions { alerts: vec![rule], cards: vec![card], ..plan.centre.definitions(plan.partitions) }
}

/// Folds the traffic until an alert has fired for a while; the moment.
fn fill(model: &ReadModel) -> i64 {
    let end = START + 150 * MINUTE;
    let incident = Incident::collapse(0, START + 110 * MINUTE, 60);
    let plan = Plan { to: Some(end), incidents: vec![incident], ..Plan::new(centre(), 7041, START) };
    let definitions = definitions(&plan);
    model.define(definitions.clone());
    let mut desk = Desk { engine: Engine::new(0), outputs: Vec::new(), offset: 0 };
    let kind = ControlKind::Definitions { definitions: Box::new(definitions) };
    desk.record(START, Body::Control(Control { id: "first".into(), kind }));
    let (mut traffic, key) = (Traffic::new(plan), CustomerKey::new("test"));
    let (mut delivery, mut next, mut now) = (Delivery::default(), 0, START);
    while traffic.next_into(&mut delivery) {
        let event = read(&delivery.bytes, &key);
        let facts = event.iter().map(|event| event.fact(next)).collect();
        let batch = Batch {
            topic: "$simulator",
            from: next,
            to: next + 1,
            progress: i64::MAX,
            caught_up: true,
            facts,
            ..Batch::default()
        };
        (next, now) = (next + 1, delivery.at_ms);
        desk.record(now, Body::Batch(batch));
    }
    model.put(desk.outputs);
    assert!(
        model.snapshot().open_alerts().any(|episode| episode.fired.is_some()),
        "nothing fires at the end"
    );
    now
}

struct Desk {
    engine: Engine,
    outputs: Vec<Output>,
    offset: i64,
}

impl Desk {
    fn record(&mut self, append: i64, body: Body) {
        let record = Record { offset: self.offset, append: LogTime(append), body };
        self.offset += 1;
        let mut said = Vec::new();
        self.engine.handle(&record, &mut said);
        self.outputs.append(&mut said);
    }
}

/// The series of an instance that has a domain, one source and one Alertmanager, as the service gives them.
struct Health;

impl http::Service for Health {
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn values(&self) -> Vec<ServiceValue> {
        let meters = Meters::default();
        meters.intake("http", &Counts::default());
        meters.pusher("http://127.0.0.1:9093");
        let mut values = DomainStatus::new(0).values();
        values.extend(meters.values());
        values.push(meters::trouble("source http"));
        values
    }
}
