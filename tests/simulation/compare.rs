//! The engine's answers beside those of the second path, as the bytes that readers get.

use serde::Serialize;
use shiftpulse::engine::Engine;
use shiftpulse::engine::output::{Alert, DeadLetter, Ledger, Output};
use shiftpulse::io::log::Record;
use shiftpulse::recount::Recount;
use shiftpulse::wire::results::document;
use std::collections::BTreeMap;

/// Everything that can be asked of both as of the last record.
pub fn views(engine: &mut Engine, recount: &Recount) -> Result<(), String> {
    for (kind, id) in recount.subjects() {
        let (left, right) = (engine.view(kind, &id), recount.live(kind, &id));
        if let Some(left) = left {
            same(&format!("{kind:?} {id}"), &left, &right)?;
        } else if right.windows.values().any(|window| !window.counts.is_empty()) {
            return Err(format!("{kind:?} {id} is unknown to the engine, recount has {}", text(&right)));
        }
    }
    Ok(())
}

/// What the engine has said so far, by itself.
#[derive(Default)]
pub struct Said {
    alerts: Vec<Alert>,
    ledger: Vec<Ledger>,
    refused: Vec<DeadLetter>,
}

impl Said {
    /// Takes the outputs of a record. Clocks are compared at once, live documents if `closely`.
    pub fn hear(
        &mut self,
        outputs: &mut Vec<Output>,
        recount: &Recount,
        closely: bool,
    ) -> Result<(), String> {
        for output in outputs.drain(..) {
            match output {
                Output::Alert(alert) => self.alerts.push(alert),
                Output::Ledger(line) => self.ledger.push(line),
                Output::DeadLetter(letter) => self.refused.push(letter),
                Output::Clock(clock) if (clock.live, clock.settle) != recount.clocks() => {
                    let theirs = recount.clocks();
                    return Err(format!(
                        "clocks {:?} {:?}, recount has {theirs:?}",
                        clock.live, clock.settle
                    ));
                }
                Output::Live(live) if closely => {
                    same(
                        &format!("emitted {:?} {}", live.subject, live.id),
                        &live,
                        &recount.live(live.subject, &live.id),
                    )?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Compares what was said in all.
    pub fn compare(&self, recount: &Recount) -> Result<(), String> {
        alerts(&self.alerts, recount)?;
        finals(&self.ledger, recount)?;
        let place = |letter: &DeadLetter| {
            (letter.topic.clone(), letter.partition, letter.offset, letter.reason.clone())
        };
        let (left, right): (Vec<_>, Vec<_>) =
            (self.refused.iter().map(place).collect(), recount.dead_letters().iter().map(place).collect());
        if left == right { Ok(()) } else { Err(format!("dead letters {left:?}, recount has {right:?}")) }
    }
}

/// The alerts of the log, each once, in order.
fn alerts(engine: &[Alert], recount: &Recount) -> Result<(), String> {
    for (number, (left, right)) in engine.iter().zip(recount.alerts()).enumerate() {
        same(&format!("alert {number}"), left, right)?;
    }
    match (engine.len(), recount.alerts().len()) {
        (left, right) if left == right => Ok(()),
        (left, right) => Err(format!(
            "{left} alerts, recount has {right}; the next one: {}",
            engine.get(right).or(recount.alerts().get(left)).map(text).unwrap_or_default()
        )),
    }
}

/// The lines of the cuts: the same keys with the same contents, each once in content.
fn finals(engine: &[Ledger], recount: &Recount) -> Result<(), String> {
    let ours = keyed(engine.iter().filter(|line| is_of_a_cut(line)))?;
    let theirs = keyed(recount.finals().iter())?;
    for key in ours.keys().chain(theirs.keys()) {
        match (ours.get(key), theirs.get(key)) {
            (Some(left), Some(right)) => differ(key, left, right)?,
            (Some(left), None) => return Err(format!("recount has no {key}: {left}")),
            (None, right) => return Err(format!("the engine has no {key}: {right:?}")),
        }
    }
    Ok(())
}

/// The alerts topic: every transition once, in order, byte for byte.
pub fn written_alerts(records: &[Record], recount: &Recount) -> Result<(), String> {
    let expected: Vec<_> =
        recount.alerts().iter().map(|alert| document(&Output::Alert(alert.clone()))).collect();
    for (number, (left, right)) in records.iter().zip(&expected).enumerate() {
        differ(&format!("key of alert {number}"), &key(left), &right.key)?;
        differ(&format!("alert {number}"), &bytes(&left.value), &bytes(&right.value))?;
    }
    if records.len() != expected.len() {
        return Err(format!("{} alerts are written, recount has {}", records.len(), expected.len()));
    }
    once(records)
}

/// The ledger: every key once in content, and the lines of the cuts as the second path has them. Where the settler had
/// work, the moment of the cut hangs on when it was done: then `exact` is false, and the lines are those of some cut.
pub fn written_ledger(records: &[Record], recount: &Recount, exact: bool) -> Result<(), String> {
    once(records)?;
    let written: BTreeMap<String, String> =
        records.iter().map(|record| (key(record), bytes(&record.value))).collect();
    let expected: BTreeMap<String, String> = recount
        .finals()
        .iter()
        .map(|line| document(&Output::Ledger(line.clone())))
        .map(|document| (document.key, bytes(&document.value)))
        .collect();
    for (key, right) in &expected {
        let left = written.get(key).ok_or_else(|| format!("the ledger has no {key}"))?;
        if exact {
            differ(key, left, right)?;
        }
    }
    let of_cuts = written
        .keys()
        .filter(|key| ["final|", "cut|", "unit_table|"].iter().any(|kind| key.starts_with(kind)));
    match of_cuts.into_iter().find(|key| !expected.contains_key(*key)) {
        Some(key) => Err(format!("the ledger has {key}, recount has not")),
        None => Ok(()),
    }
}

/// No key stands twice with different contents.
fn once(records: &[Record]) -> Result<(), String> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for record in records {
        if let Some(before) = seen.insert(key(record), bytes(&record.value)) {
            differ(&format!("{} again", key(record)), &before, &bytes(&record.value))?;
        }
    }
    Ok(())
}

fn key(record: &Record) -> String {
    String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned()
}

/// The JSON of a record in lines, so that a difference can be shown.
fn bytes(value: &[u8]) -> String {
    let parsed = serde_json::from_slice::<serde_json::Value>(value);
    let pretty = parsed.and_then(|parsed| serde_json::to_string_pretty(&parsed));
    pretty.unwrap_or_else(|_| String::from_utf8_lossy(value).into_owned())
}

fn is_of_a_cut(line: &Ledger) -> bool {
    matches!(line, Ledger::Final { .. } | Ledger::Cut { .. } | Ledger::UnitTable { .. })
}

fn keyed<'a>(lines: impl Iterator<Item = &'a Ledger>) -> Result<BTreeMap<String, String>, String> {
    let mut keyed = BTreeMap::new();
    for line in lines {
        if let Some(before) = keyed.insert(line.key(), text(line)) {
            differ(&format!("{} again", line.key()), &before, &text(line))?;
        }
    }
    Ok(keyed)
}

fn same<T: Serialize>(what: &str, left: &T, right: &T) -> Result<(), String> {
    differ(what, &text(left), &text(right))
}

/// Names the lines in which two documents differ.
fn differ(what: &str, left: &str, right: &str) -> Result<(), String> {
    if left == right {
        return Ok(());
    }
    let (left, right): (Vec<_>, Vec<_>) = (left.lines().collect(), right.lines().collect());
    let only = |a: &[&str], b: &[&str]| {
        a.iter().filter(|line| !b.contains(line)).map(|line| line.trim()).collect::<Vec<_>>().join(" ")
    };
    let at = left.iter().zip(&right).position(|(a, b)| a != b).unwrap_or(left.len().min(right.len()));
    let around = |lines: &[&str]| lines[at.saturating_sub(3)..(at + 4).min(lines.len())].join("\n");
    Err(format!(
        "{what} differs\n  engine only:  {}\n  recount only: {}\nengine:\n{}\nrecount:\n{}",
        only(&left, &right),
        only(&right, &left),
        around(&left),
        around(&right)
    ))
}

fn text<T: Serialize>(document: &T) -> String {
    serde_json::to_string_pretty(document).unwrap_or_else(|error| error.to_string())
}
