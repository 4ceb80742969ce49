//! The boards and the rules against a real Prometheus: whatever they ask for is there.

use crate::dashboard::queries::{self, Asked};
use crate::fixture;
use crate::support::prometheus::Prometheus;
use crate::support::{server, wait};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

const TO_SCRAPE: Duration = Duration::from_secs(30);
const FILES: [&str; 2] =
    ["deploy/grafana/dashboards/shift-zh.json", "deploy/grafana/dashboards/shift-en.json"];

/// Every expression of every committed board, for a reader who sees all queues of `unit` in `window`.
pub fn asked(unit: &str, window: &str) -> Vec<Asked> {
    let chosen = [("queue", ".*"), ("unit", unit), ("window", window)];
    let board = |file| {
        let text = std::fs::read_to_string(wait::repository(file)).expect("a committed board");
        queries::of(&serde_json::from_str::<Value>(&text).expect("JSON"), &chosen)
    };
    FILES.into_iter().flat_map(board).collect()
}

/// What of it has no data now, or is refused: empty when every panel shows something.
pub fn silent(prometheus: &Prometheus, asked: &[Asked]) -> Vec<String> {
    let silent = |asked: &Asked| match prometheus.query(&asked.expression) {
        Ok(series) if series.is_empty() => Some(format!("{}: no data: {}", asked.place, asked.expression)),
        Ok(_) => None,
        Err(refusal) => Some(format!("{}: {refusal}", asked.place)),
    };
    asked.iter().filter_map(silent).collect()
}

#[test]
fn every_panel_of_both_boards_shows_something_while_an_alert_fires() {
    let prometheus = Prometheus::start(&Prometheus::scraping("shiftpulse", &fixture::serve()));
    prometheus.wait_for("shiftpulse_queue_waiting", TO_SCRAPE);
    for window in ["5m", "30m", "1h", "day", "month"] {
        assert_eq!(silent(&prometheus, &asked("hangzhou", window)), [""; 0], "{window}");
    }
    let billing = "max by (queue) (shiftpulse_alert_state{queue=\"billing\"}) == 2";
    assert_eq!(prometheus.value(billing), Ok(2.0));
}

#[test]
fn a_panel_that_asks_for_what_is_not_there_is_found_out() {
    let prometheus = Prometheus::start(&Prometheus::scraping("shiftpulse", &fixture::serve()));
    prometheus.wait_for("shiftpulse_queue_waiting", TO_SCRAPE);
    let ask = |expression: &str| Asked { place: "panel A".into(), expression: expression.into() };
    let found =
        silent(&prometheus, &[ask("shiftpulse_queue_waiting"), ask("shiftpulse_nothing"), ask("sum(")]);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn the_rules_speak_of_series_that_exist() {
    let metrics = server::get(&format!("http://{}/metrics", fixture::serve())).expect("metrics");
    let exported: BTreeSet<&str> = metrics
        .lines()
        .filter_map(|line| line.split(['{', ' ']).next())
        .filter(|name| *name != "#")
        .collect();
    let rules =
        std::fs::read_to_string(wait::repository("deploy/prometheus/rules/service.yml")).expect("rules");
    let words = rules.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let named: BTreeSet<&str> = words.filter(|word| word.starts_with("shiftpulse_")).collect();
    assert!(named.len() > 10, "{named:?}");
    let missing: Vec<_> = named.difference(&exported).collect();
    assert!(missing.is_empty(), "no such series: {missing:?}");
}
