//! What programs get over HTTP: the API, metrics, health; and what they are refused.

#[path = "board/fixture.rs"]
#[allow(dead_code, reason = "the browser's tests use the rest")]
mod fixture;

use fixture::Site;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use ureq::Agent;

/// Answers of any status are answers.
fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().into()
}

fn get(site: &Site, path: &str) -> (u16, String) {
    let mut answer = agent().get(format!("{}{path}", site.address)).call().expect("an answer");
    (answer.status().as_u16(), answer.body_mut().read_to_string().expect("text"))
}

fn json(site: &Site, path: &str) -> Value {
    let (status, body) = get(site, path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_path_of_the_description_answers() {
    let site = Site::picture();
    let description = json(&site, "api/v1/openapi.json");
    let paths = description["paths"].as_object().expect("paths");
    assert!(paths.len() > 10);
    for (path, methods) in paths.iter().filter(|(_, methods)| methods.get("get").is_some()) {
        let id = if path.contains("agents") { "1001" } else { "billing" };
        let wanted = path.replace("{id}", id).replace("{queue}", id);
        if path.contains("teams/") {
            assert_eq!(get(&site, &wanted[1..]).0, 404, "the morning has no team documents");
            continue;
        }
        assert!(!json(&site, &wanted[1..]).is_null(), "{path}");
        assert!(methods["get"]["summary"].is_string(), "{path}");
    }
}

#[test]
fn documents_come_as_they_are_on_the_log() {
    let site = Site::picture();
    let billing = json(&site, "api/v1/queues/billing");
    let rate = &billing["windows"]["30m"]["kpis"]["answer_rate"];
    assert_eq!((rate["num"].as_i64(), rate["den"].as_i64()), (Some(20), Some(28)));
    assert_eq!(billing["now"]["longest_since"], "2026-10-14T02:38:35.000Z");
    assert_eq!(json(&site, "api/v1/queues").as_array().map(Vec::len), Some(7));
    assert_eq!(json(&site, "api/v1/agents").as_array().map(Vec::len), Some(24));
    assert_eq!(json(&site, "api/v1/alerts?open=true").as_array().map(Vec::len), Some(2));
    assert_eq!(json(&site, "api/v1/scores?period=2026-10&agent=1001")[0]["total"], "88.11");
    assert_eq!(json(&site, "api/v1/scores?period=2026-09").as_array().map(Vec::len), Some(0));
}

#[test]
fn what_is_not_there_says_so_in_json() {
    let site = Site::picture();
    for path in ["api/v1/queues/nobody", "api/v1/nothing", "nothing"] {
        let (status, body) = get(&site, path);
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(status, 404, "{path}");
        assert!(body["error"].is_string() && body["hint"].is_string(), "{path}: {body}");
    }
}

#[test]
fn prometheus_reads_the_same_numbers() {
    let site = Site::picture();
    let (status, text) = get(&site, "metrics");
    assert_eq!(status, 200);
    for line in [
        "shiftpulse_queue_answer_rate_ratio{queue=\"billing\",window=\"30m\"} 0.7142857142857143",
        "shiftpulse_queue_service_level_ratio{dialect=\"cisco_negative\",queue=\"billing\",window=\"30m\"} 0.5",
        "shiftpulse_queue_target_ratio{kpi=\"answer_rate\",queue=\"billing\"} 0.8",
        "shiftpulse_queue_limit_seconds{kpi=\"longest_wait\",queue=\"billing\"} 120",
        "shiftpulse_alert_state{kpi=\"answer_rate\",queue=\"billing\",rule=\"answer-rate\",severity=\"critical\"} 2",
        "shiftpulse_alert_state{kpi=\"answer_rate\",queue=\"chat\",rule=\"answer-rate\",severity=\"critical\"} 0",
        "shiftpulse_unit_agents{state=\"talking\",unit=\"hangzhou\"} 12",
        "shiftpulse_agent_score_points{agent=\"1001\",card=\"service\"} 88.11",
        "shiftpulse_coverage_ratio{domain=\"0\"} 0.6666666666666666",
        "shiftpulse_source_behind_seconds{partition=\"0\",topic=\"chat-eu\"} 38",
        "shiftpulse_live_clock_age_seconds{domain=\"0\"} 0",
        "shiftpulse_duplicates_total{domain=\"0\"} 1932",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("queue=\"night\",window=\"30m\"} NaN"));
}

#[test]
fn health_is_told_and_pages_carry_their_policy() {
    let site = Site::picture();
    assert_eq!(get(&site, "healthz"), (200, "ok\n".into()));
    assert_eq!(get(&site, "readyz").0, 200);
    let answer = agent().get(&site.address).call().expect("the page");
    let policy = answer.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
}

#[test]
fn a_page_of_another_site_cannot_post() {
    let site = Site::demo();
    let kill = |origin: &str| {
        let request = agent().post(format!("{}demo/kill", site.address)).header("Origin", origin);
        request.send_empty().expect("an answer").status().as_u16()
    };
    assert_eq!(kill("http://evil.example"), 403);
    assert_eq!(kill(site.address.trim_end_matches('/')), 202);
}

#[test]
fn outside_the_demo_nothing_can_be_killed_and_without_a_sink_nothing_is_taken() {
    let site = Site::picture();
    for path in ["demo/kill", "api/v1/events"] {
        let answer = agent().post(format!("{}{path}", site.address)).send_empty().expect("an answer");
        assert_eq!(answer.status().as_u16(), 404, "{path}");
    }
}

#[test]
fn the_stream_begins_with_everything() {
    let site = Site::picture();
    let answer = agent().get(format!("{}events?lang=en&window=30m", site.address)).call().expect("a stream");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut lines = BufReader::new(answer.into_body().into_reader()).lines();
    let mut next = |start: &str| {
        let line = lines.by_ref().map(|line| line.expect("a line")).find(|line| line.starts_with(start));
        line.expect("the stream goes on")
    };
    assert_eq!(next("event:"), "event: snapshot");
    let body: Value = serde_json::from_str(next("data:").trim_start_matches("data:")).expect("JSON");
    assert_eq!(body["cells"]["q0.ar"][0], "71.4");
    assert_eq!(body["cells"]["q0.ar"][1], "firing");
    assert_eq!(body["clock"], fixture::NOON);
}
