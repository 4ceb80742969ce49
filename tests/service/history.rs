//! A month of history poured into an empty system, by HTTP and from a file: the same finals, and the true ones.

use super::fixture::*;
use crate::support::service::{Installation, Instance};
use crate::support::wait;
use serde_json::Value;
use shiftpulse::engine::output::SubjectKind;
use std::collections::BTreeMap;

/// The last day of a month long past, to 02:00 of the next one, in the zone of the centre.
const FROM: i64 = 1_774_886_400_000; // 2026-03-31T00:00:00+08:00
const TO: i64 = FROM + 26 * HOUR;

/// Totals and items by agent: what payroll reads of the finals.
fn finals(scores: &Value) -> BTreeMap<String, Value> {
    let finals = scores["finals"].as_array().expect("finals").iter();
    let agent = |score: &Value| score["agent"].as_str().unwrap_or_default().to_owned();
    finals
        .map(|score| (agent(score), serde_json::json!([score["total"], score["grade"], score["items"]])))
        .collect()
}

fn scores(installation: &Installation) -> Value {
    let output = installation.command("one", &["scores", "--period", "2026-03", "--json"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(&text)
        .unwrap_or_else(|e| panic!("{e}: {text} {}", String::from_utf8_lossy(&output.stderr)))
}

/// Closes the source and waits for the audited finals.
fn close(installation: &Installation, instance: &Instance, topic: &str) -> Value {
    let closed = installation.command("one", &["source", "close", topic]);
    assert!(closed.status.success(), "{}", String::from_utf8_lossy(&closed.stderr));
    assert_eq!(String::from_utf8_lossy(&closed.stdout), "accepted\n");
    wait::until("audited finals", SOON, || {
        let scores = scores(installation);
        if scores["audited"] == true {
            Ok(scores)
        } else {
            Err(format!("{scores} {}", instance.process.tail()))
        }
    })
}

#[test]
fn a_month_by_http_and_from_a_file_gives_the_same_true_finals() {
    let mut traffic = traffic(3, FROM, TO);
    let lines = lines(&mut traffic);
    let answered = |agent: &str| {
        let month = true_month(&traffic, SubjectKind::Agent, agent, FROM);
        (month.get("offers_answered").copied().unwrap_or(0), month.get("offers_missed").copied().unwrap_or(0))
    };

    let posted = embedded("{ kind = \"http\", backfill = true }");
    let mut instance = posted.start("one", &[]);
    for body in lines.chunks(2_000).map(|lines| lines.join(&b'\n')) {
        assert_eq!(instance.post("/api/v1/events", &body).status, 200);
    }
    assert_eq!(scores(&posted)["revision"], Value::Null, "history never closes its own month");
    let by_http = close(&posted, &instance, "$http");
    assert_eq!(by_http["finals"].as_array().map(Vec::len), Some(24));
    for (agent, score) in finals(&by_http) {
        let (taken, missed) = answered(&agent);
        let item = score[2].as_array().into_iter().flatten().find(|item| item["id"] == "answer");
        let value = item.and_then(|item| item["value"].as_str()).unwrap_or("null");
        let expected =
            if taken + missed == 0 { "null".to_owned() } else { format!("{taken}/{}", taken + missed) };
        assert_eq!(value, expected, "{agent}");
    }
    check_verify(&posted, &mut instance);

    let file = posted.path().join("events.ndjson");
    std::fs::write(&file, [lines.join(&b'\n'), b"\n".to_vec()].concat()).expect("a file");
    let followed = embedded(&format!("{{ kind = \"file\", path = {file:?}, backfill = true }}"));
    let instance = followed.start("one", &[]);
    wait::until_true("the end of the file", SOON, || {
        instance.json("/api/v1/clock")[0]["coverage"]["num"] == 1
    });
    let from_file = close(&followed, &instance, "$file");
    assert_eq!(finals(&from_file), finals(&by_http));
}

/// While the service runs its log is closed to others, which is said; afterwards the second path agrees.
fn check_verify(installation: &Installation, instance: &mut Instance) {
    let refused = installation.command("one", &["verify", "--period", "2026-03"]);
    assert_eq!(refused.status.code(), Some(1));
    let reason = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(reason.contains("stop the service, verify, start it again"), "{reason}");
    let while_running = scores(installation);
    assert!(instance.process.terminate().success());
    assert_eq!(scores(installation), while_running);
    let verified = installation.command("one", &["verify", "--period", "2026-03"]);
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success() && text.contains("24 finals"), "{text}");
}

#[test]
fn a_live_source_cannot_be_closed() {
    let installation = embedded("{ kind = \"http\" }");
    let instance = installation.start("one", &[]);
    let refused = installation.command("one", &["source", "close", "$http"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not a back-fill"));
    let answer = instance.post("/api/v1/control", b"{\"type\":\"source.closed\",\"topic\":\"$http\"}");
    assert_eq!(answer.status, 422, "{}", answer.text);
}
