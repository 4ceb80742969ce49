//! Outputs to keys and JSON and back: what the output topics carry, what the board and the API read.
//!
//! | topic | key |
//! |---|---|
//! | `kpi-live` | `queue\|billing`, `team\|day`, `unit\|center`, `agent\|a7`; `clock\|0`; `trend\|billing` |
//! | `scores-live` | `a7\|2026-10\|monthly`: agent, period, card |
//! | `alerts` | `rule\|queue\|since\|state` |
//! | `ledger` | `final\|a7\|2026-10\|monthly\|1` (revision last), `cut\|2026-10\|1`, `unit_table\|2026-10\|monthly\|1`, `audited\|2026-10\|1`, `accepted\|id`, `rejected\|id`, `skipped\|offset` |
//! | `dead-letters` | `topic\|partition\|offset` |
//!
//! Identifiers in keys have `|` and `%` percent-encoded. Equal outputs give equal bytes, so a repeat is harmless.

use crate::engine::output::{
    Alert, Clock, DeadLetter, Ledger, Live, Output, Score, SubjectKind, Trend, join,
};
use crate::model::alert::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The output topics, in the order in which one record's outputs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// `dead-letters`.
    DeadLetters,
    /// `alerts`.
    Alerts,
    /// `ledger`.
    Ledger,
    /// `kpi-live`.
    KpiLive,
    /// `scores-live`.
    ScoresLive,
}

impl Class {
    /// The topic's name without prefix.
    pub const fn text(self) -> &'static str {
        match self {
            Class::DeadLetters => "dead-letters",
            Class::Alerts => "alerts",
            Class::Ledger => "ledger",
            Class::KpiLive => "kpi-live",
            Class::ScoresLive => "scores-live",
        }
    }
}

/// One output as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Where to.
    pub class: Class,
    /// Its key.
    pub key: String,
    /// JSON.
    pub value: Vec<u8>,
}

/// A record of an output topic that this version does not understand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} on {}: {reason}", class.text())]
pub struct Unreadable {
    /// Topic.
    pub class: Class,
    /// Key.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Encodes one output.
pub fn document(output: &Output) -> Document {
    let (class, value) = match output {
        Output::DeadLetter(letter) => (Class::DeadLetters, json(letter)),
        Output::Alert(alert) => (Class::Alerts, json(alert)),
        Output::Ledger(line) => (Class::Ledger, json(line)),
        Output::Live(live) => (Class::KpiLive, json(live)),
        Output::Clock(clock) => (Class::KpiLive, json(clock)),
        Output::Trend(trend) => (Class::KpiLive, json(trend)),
        Output::Score(score) => (Class::ScoresLive, json(score)),
    };
    Document { class, key: key(output), value }
}

/// Decodes what [`document`] encoded.
pub fn output(class: Class, key: &str, value: &[u8]) -> Result<Output, Unreadable> {
    let read = || match class {
        Class::DeadLetters => parse::<DeadLetter>(value).map(Output::DeadLetter),
        Class::Alerts => parse::<Alert>(value).map(Output::Alert),
        Class::Ledger => parse::<Ledger>(value).map(Output::Ledger),
        Class::ScoresLive => parse::<Score>(value).map(Output::Score),
        Class::KpiLive => match key.split('|').next() {
            Some("clock") => parse::<Clock>(value).map(Output::Clock),
            Some("trend") => parse::<Trend>(value).map(Output::Trend),
            _ => parse::<Live>(value).map(Output::Live),
        },
    };
    read().map_err(|error| Unreadable { class, key: key.to_owned(), reason: error.to_string() })
}

fn parse<T: DeserializeOwned>(value: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(value)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("outputs are plain data with text keys and times in range")
}

/// The key of an output.
pub fn key(output: &Output) -> String {
    match output {
        Output::DeadLetter(DeadLetter { topic, partition, offset, .. }) => {
            join(&[topic, &partition.to_string(), &offset.to_string()])
        }
        Output::Alert(alert) => alert_key(alert),
        Output::Ledger(line) => line.key(),
        Output::Live(live) => live_key(live.subject, &live.id),
        Output::Clock(clock) => join(&["clock", &clock.domain.to_string()]),
        Output::Trend(trend) => join(&["trend", &trend.queue]),
        Output::Score(Score { agent, period, card, .. }) => score_key(agent, period, card),
    }
}

/// The key of a subject on `kpi-live`.
pub fn live_key(subject: SubjectKind, id: &str) -> String {
    join(&[subject_text(subject), id])
}

/// The key of a score on `scores-live`.
pub fn score_key(agent: &str, period: &str, card: &str) -> String {
    join(&[agent, period, card])
}

fn alert_key(alert: &Alert) -> String {
    let since = jiff::Timestamp::from_millisecond(alert.since.0).unwrap_or_default();
    join(&[&alert.rule, &alert.queue, &format!("{since:.3}"), state_text(alert.state)])
}

/// The text of a subject kind in keys and JSON.
pub const fn subject_text(subject: SubjectKind) -> &'static str {
    match subject {
        SubjectKind::Queue => "queue",
        SubjectKind::Team => "team",
        SubjectKind::Unit => "unit",
        SubjectKind::Agent => "agent",
    }
}

const fn state_text(state: State) -> &'static str {
    match state {
        State::Inactive => "inactive",
        State::Pending => "pending",
        State::Firing => "firing",
        State::Resolved => "resolved",
    }
}

/// The parts of a key, decoded; the inverse of [`join`].
pub fn key_parts(key: &str) -> Vec<String> {
    key.split('|').map(|part| part.replace("%7C", "|").replace("%25", "%")).collect()
}

/// A chain over all outputs: equal digests mean equal outputs in equal order. Stands in the commit metadata, so that a
/// restored engine proves that it has said what was said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Adds one output.
    pub fn add(&mut self, document: &Document) {
        let Document { class, key, value } = document;
        let mut hash = Sha256::new_with_prefix(self.0);
        for part in [class.text().as_bytes(), key.as_bytes(), value] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        self.0 = hash.finalize().into();
    }

    /// Reads what `Display` wrote: 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Digest> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Digest(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
pub(crate) mod tests;
