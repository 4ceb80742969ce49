//! An embedded installation and simulated traffic for it.

use crate::support::service::{Installation, Instance};
use crate::support::wait;
use serde_json::{Value, json};
use shiftpulse::engine::output::SubjectKind;
use shiftpulse::io::log::clock::WallClock;
use shiftpulse::io::log::embedded::EmbeddedLog;
use shiftpulse::io::log::{AppendClock, Domain, Log, Record, Start, Topic};
use shiftpulse::io::traffic::{Delivery, Mischief, Plan, Traffic, centre};
use shiftpulse::model::measure::Column;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a busy machine may take for something that takes a moment.
pub const SOON: Duration = Duration::from_secs(120);
/// One hour in ms.
pub const HOUR: i64 = 3_600_000;

/// An installation on an embedded log with these sources.
pub fn embedded(sources: &str) -> Installation {
    Installation::new(&format!("log = \"embedded\"\nsources = [{sources}]\n[snapshots]\nevery = \"2 s\""))
}

/// Now, ms since the epoch.
pub fn now() -> i64 {
    WallClock.now_ms()
}

/// One event as JSON.
pub fn event(id: &str, kind: &str, at_ms: i64, more: Value) -> Vec<u8> {
    let mut event = json!({ "id": id, "type": kind, "time": at_ms });
    if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
        event.extend(more);
    }
    event.to_string().into_bytes()
}

/// The traffic of the example's centre in `[from, to)`, with the usual mischief.
pub fn traffic(seed: u64, from: i64, to: i64) -> Traffic {
    Traffic::new(Plan { to: Some(to), mischief: Mischief::USUAL, ..Plan::new(centre(), seed, from) })
}

/// Everything it delivers, a line each.
pub fn lines(traffic: &mut Traffic) -> Vec<Vec<u8>> {
    let mut delivery = Delivery::default();
    let mut lines = Vec::new();
    while traffic.next_into(&mut delivery) {
        lines.push(delivery.bytes.clone());
    }
    lines
}

/// Every number that is booked, of a month, from a document of the API; zeros left out.
pub fn month(live: &Value) -> BTreeMap<String, i64> {
    let counts = live["windows"]["month"]["counts"].as_object();
    let booked = |name: &str| Column::ALL.iter().any(|column| column.name() == name);
    let counts = counts.into_iter().flatten().filter(|(name, _)| booked(name));
    counts.filter_map(|(name, n)| Some((name.clone(), n.as_i64()?))).filter(|(_, n)| *n != 0).collect()
}

/// [`month`] of a path of the API; nothing while nothing is known there.
pub fn month_at(instance: &Instance, path: &str) -> BTreeMap<String, i64> {
    let answer = instance.try_get(path).expect("an answer");
    if answer.status == 200 { month(&answer.json()) } else { BTreeMap::new() }
}

/// What is true of the month that `at` is in.
pub fn true_month(traffic: &Traffic, kind: SubjectKind, id: &str, at: i64) -> BTreeMap<String, i64> {
    let truth = traffic.truth();
    let row = truth.window(kind, id, "month", at, truth.delivered()).unwrap_or_default();
    row.into_iter().filter(|(name, n)| Column::ALL.iter().any(|c| c.name() == name) && *n != 0).collect()
}

/// What differs between the API's month of everybody and the truth; nothing where nothing does.
pub fn differences(instance: &Instance, traffic: &Traffic, at: i64) -> Vec<String> {
    let mut differences = Vec::new();
    for (kind, id) in traffic.truth().subjects() {
        let (word, path) = match kind {
            SubjectKind::Queue => ("queue", format!("/api/v1/queues/{id}")),
            SubjectKind::Agent => ("agent", format!("/api/v1/agents/{id}")),
            SubjectKind::Team => ("team", format!("/api/v1/teams/{id}")),
            SubjectKind::Unit => ("unit", "/api/v1/unit".to_owned()),
        };
        let Ok(answer) = instance.try_get(&path) else { return vec!["no answer".into()] };
        let ours = if answer.status == 200 { month(&answer.json()) } else { BTreeMap::new() };
        let truth = true_month(traffic, kind, id, at);
        if ours != truth {
            differences.push(format!("{word} {id}: {ours:?}, true is {truth:?}"));
        }
    }
    differences
}

/// Waits until everybody's month is the true one.
#[track_caller]
pub fn wait_for_truth(instance: &Instance, traffic: &Traffic, at: i64) {
    wait::until("the true month of everybody", SOON, || {
        let differences = differences(instance, traffic, at);
        if differences.is_empty() { Ok(()) } else { Err(format!("{differences:#?}")) }
    });
}

/// Every record of a topic, once nobody has the log open.
pub fn records(installation: &Installation, topic: Topic) -> Vec<Record> {
    let log = EmbeddedLog::in_directory(&installation.path().join("data"), 1, Arc::new(WallClock))
        .expect("the log");
    let mut reader = log.tail(topic, Domain(0), Start::Beginning).expect("a reader");
    let mut records = Vec::new();
    while let Some(record) = reader.poll(Duration::ZERO).expect("a record") {
        records.push(record);
    }
    records
}
