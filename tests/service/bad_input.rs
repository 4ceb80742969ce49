//! Whatever comes in, the good events count and nothing else does.

use super::fixture::*;
use crate::support::wait;
use serde_json::{Value, json};
use shiftpulse::io::log::Topic;
use std::collections::BTreeMap;

/// Every kind of garbage, with the reason that it is refused for.
fn garbage(at: i64) -> Vec<(Vec<u8>, &'static str)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let plain = |more: Value| event("x", "contact.queued", at, more);
    let without = |name: &str| {
        let mut event: Value = serde_json::from_slice(&plain(json!({ "contact_id": "c" }))).expect("JSON");
        event.as_object_mut().expect("an object").remove(name);
        event.to_string().into_bytes()
    };
    let whole = plain(json!({ "contact_id": "c", "queue": "billing" }));
    vec![
        (whole[..whole.len() - 9].to_vec(), "truncated"),
        (b"{\"id\":\"\xff\xfe\",\"type\":\"contact.queued\"}".to_vec(), "not_utf8"),
        (text("garbage"), "not_json"),
        (text("[1,2]"), "not_object"),
        (text(&format!("{{\"id\":\"d\",\"x\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000))), "too_deep"),
        (text("{\"id\":\"a\",\"id\":\"b\",\"type\":\"t\",\"time\":1}"), "duplicate"),
        (without("id"), "missing"),
        (without("type"), "missing"),
        (without("time"), "missing"),
        (text("{\"id\":7,\"type\":\"contact.queued\",\"time\":1}"), "wrong_type"),
        (plain(json!({ "contact_id": ["c"] })), "wrong_type"),
        (text("{\"id\":\"h\",\"type\":\"contact.queued\",\"time\":1e999}"), "wrong_value"),
        (
            text(&format!("{{\"id\":\"n\",\"type\":\"contact.queued\",\"time\":{}}}", "9".repeat(400))),
            "out_of_range",
        ),
        (
            text("{\"id\":\"y\",\"type\":\"contact.queued\",\"time\":\"9999-12-31T23:59:59Z\"}"),
            "out_of_range",
        ),
        (event(&"i".repeat(300), "contact.queued", at, json!({})), "too_long"),
        (plain(json!({ "contact_id": "c", "text": "x".repeat(10 << 20) })), "too_large"),
    ]
}

#[test]
fn each_refused_line_is_told_and_kept_and_moves_no_number() {
    let installation = embedded("{ kind = \"http\" }");
    let mut instance = installation.start("one", &[]);
    let at = now() - 60_000;
    let call = |id: &str, kind: &str, after: i64| {
        event(
            &format!("{id}-{kind}"),
            kind,
            at + after,
            json!({ "contact_id": id, "queue": "billing", "agent": "a01" }),
        )
    };
    let good = [call("c1", "contact.queued", 0), call("c1", "contact.answered", 5_000)].join(&b'\n');
    assert_eq!(instance.post("/api/v1/events", &good).json(), json!({ "accepted": 2, "refused": [] }));
    let answered = || month_at(&instance, "/api/v1/queues/billing").get("answered").copied();
    wait::until_true("an answered call", SOON, || answered() == Some(1));
    let before = month_at(&instance, "/api/v1/unit");
    let answers = "shiftpulse_queue_answered{queue=\"billing\",window=\"month\"}";
    assert_eq!(instance.metric(answers), Some(1.0));

    let garbage = garbage(at);
    let mut body = garbage.iter().map(|(line, _)| line.clone()).collect::<Vec<_>>().join(&b'\n');
    body.extend(b"\n\n   \n");
    body.extend(event(
        "ahead",
        "contact.queued",
        now() + 3 * HOUR,
        json!({ "contact_id": "f", "queue": "billing" }),
    ));
    let answer = instance.post("/api/v1/events", &body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let receipt = answer.json();
    let told = receipt["refused"].as_array().expect("a list").iter();
    let told: Vec<_> =
        told.map(|line| (line["line"].as_u64(), line["reason"].as_str().unwrap_or_default())).collect();
    let expected: Vec<_> = (1..).zip(&garbage).map(|(n, (_, reason))| (Some(n), *reason)).collect();
    assert_eq!(told, expected);
    // Only the engine knows the time, so it quarantines what is ahead of it.
    assert_eq!(receipt["accepted"], 1);
    assert_eq!(instance.post("/api/v1/events", &garbage[2].0).status, 422);
    assert_eq!(instance.post("/api/v1/events", b"").json(), json!({ "accepted": 0, "refused": [] }));
    assert_eq!(instance.post("/api/v1/events", &vec![b'x'; 17 << 20]).status, 413);

    wait::until_true("the quarantined event", SOON, || {
        instance.json("/api/v1/clock")[0]["counters"]["future"] == 1
    });
    let later = [call("c2", "contact.queued", 1_000), call("c2", "contact.abandoned", 9_000)].join(&b'\n');
    assert_eq!(instance.post("/api/v1/events", &later).json()["accepted"], 2);
    let abandoned = || month_at(&instance, "/api/v1/queues/billing").get("abandoned").copied();
    wait::until_true("an abandoned call", SOON, || abandoned() == Some(1));
    let mut after = month_at(&instance, "/api/v1/unit");
    after.retain(|name, _| before.contains_key(name));
    assert_eq!(after, before, "garbage moved a number");

    assert!(instance.process.terminate().success());
    let letters = letters(&installation);
    let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
    garbage
        .iter()
        .map(|(_, reason)| *reason)
        .chain(["not_json", "future"])
        .for_each(|reason| *wanted.entry(reason).or_default() += 1);
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    letters
        .iter()
        .filter_map(|letter| letter["reason"].as_str())
        .for_each(|reason| *found.entry(reason).or_default() += 1);
    assert_eq!(found, wanted);
}

/// The dead letters; each says what it was, and keeps at most 64 KB of it.
fn letters(installation: &crate::support::service::Installation) -> Vec<Value> {
    let records = records(installation, Topic::DeadLetters);
    assert!(records.iter().all(|record| record.value.len() < 600_000));
    let letters: Vec<Value> =
        records.iter().map(|record| serde_json::from_slice(&record.value).expect("JSON")).collect();
    for letter in &letters {
        assert_eq!(letter["topic"], "$http");
        assert!(letter["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{letter}");
        assert!(letter["original"].as_str().is_none_or(|text| text.len() <= 3 << 16), "{}", letter["reason"]);
    }
    letters
}
