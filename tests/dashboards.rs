//! The committed Grafana boards are those of their description, and such as Grafana and the board's rules want them.
//!
//! `SHIFTPULSE_REWRITE=1 cargo test --test dashboards` writes the files anew.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

#[path = "prometheus/dashboard/all.rs"]
mod dashboard;

use dashboard::panel::{NEAR, OUTSIDE, QUIET};
use dashboard::{Lang, queries, shift};

const KINDS: [&str; 4] = ["stat", "table", "text", "timeseries"];
const UNITS: [&str; 5] = ["none", "s", "dthms", "percentunit", "dateTimeAsLocal"];

fn boards() -> [Value; 2] {
    Lang::ALL.map(shift::board)
}

fn panels(board: &Value) -> &[Value] {
    board["panels"].as_array().expect("panels")
}

/// Every value under a key, anywhere.
fn under<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if name == key {
                    found.push(inner);
                }
                under(inner, key, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| under(inner, key, found)),
        _ => {}
    }
}

fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    under(value, key, &mut found);
    found.into_iter().filter_map(Value::as_str).collect()
}

#[test]
fn the_committed_files_are_those_of_the_description() {
    for lang in Lang::ALL {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(lang.file());
        let wanted = format!("{:#}\n", shift::board(lang));
        if std::env::var_os("SHIFTPULSE_REWRITE").is_some() {
            std::fs::write(&path, &wanted).expect("the repository can be written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let hint = "SHIFTPULSE_REWRITE=1 cargo test --test dashboards";
        assert!(committed == wanted, "{} differs from its description: {hint}", lang.file());
    }
}

#[test]
fn grafana_takes_every_panel() {
    for board in boards() {
        assert!(board["schemaVersion"].as_u64().is_some_and(|version| version >= 39));
        let ids: BTreeSet<_> = panels(&board).iter().map(|panel| panel["id"].as_u64()).collect();
        assert_eq!(ids.len(), panels(&board).len(), "every panel has an id of its own");
        assert!(!ids.contains(&None) && !ids.contains(&Some(0)));
        for panel in panels(&board) {
            assert!(KINDS.contains(&panel["type"].as_str().unwrap_or_default()), "{panel:#}");
            assert_eq!(panel["datasource"]["uid"], "${datasource}");
            let letters: Vec<_> = texts(&panel["targets"], "refId");
            assert_eq!(letters.iter().collect::<BTreeSet<_>>().len(), letters.len(), "{letters:?}");
        }
        let sources = texts(&board["panels"], "uid").into_iter().chain(texts(&board["templating"], "uid"));
        assert!(sources.into_iter().all(|uid| uid == "${datasource}"));
        for unit in texts(&board, "unit") {
            assert!(UNITS.contains(&unit), "{unit}");
        }
    }
}

#[test]
fn nothing_overlaps_and_nothing_is_wider_than_the_board() {
    for board in boards() {
        let mut taken = BTreeSet::new();
        for panel in panels(&board) {
            let [x, y, w, h] =
                ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().expect("a place"));
            assert!(w > 0 && h > 0 && x + w <= 24, "{panel:#}");
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(taken.insert(cell), "{} lies on another panel", panel["title"]);
            }
        }
    }
}

#[test]
fn colour_means_that_somebody_must_act_and_a_gap_stays_a_gap() {
    for board in boards() {
        for colour in texts(&board, "color").into_iter().chain(texts(&board, "fixedColor")) {
            assert!([QUIET, NEAR, OUTSIDE, "transparent"].contains(&colour), "{colour}");
        }
        let mut connected = Vec::new();
        under(&board, "spanNulls", &mut connected);
        assert!(!connected.is_empty() && connected.iter().all(|value| **value == false));
        for panel in panels(&board).iter().filter(|panel| panel["type"] != "text") {
            assert_eq!(panel["fieldConfig"]["defaults"]["noValue"], "—", "{}", panel["title"]);
        }
        for asked in queries::of(&board, &[]) {
            assert!(!asked.expression.contains("vector("), "{}: no value is not a nought", asked.place);
        }
    }
}

#[test]
fn every_variable_is_filled_in_and_every_word_is_in_one_language() {
    let chosen = [("queue", ".*"), ("unit", "hangzhou"), ("window", "30m")];
    let [zh, en] = boards();
    let asked = queries::of(&en, &chosen);
    assert!(asked.len() > 25, "{}", asked.len());
    assert!(asked.iter().all(|asked| !asked.expression.contains('$')), "{asked:#?}");
    assert!(!serde_json::to_string(&en).expect("JSON").contains(|c: char| ('一'..='鿿').contains(&c)));
    // What is asked is the same but for the label that holds the name.
    let plain =
        |asked: queries::Asked| asked.expression.replace("(queue, zh, dialect)", "(queue, en, dialect)");
    let expressions = |board| queries::of(board, &chosen).into_iter().map(plain).collect::<Vec<_>>();
    assert_eq!(expressions(&zh), expressions(&en));
}
