//! The activated definitions: unit, queues, roster, sources, alert rules, scorecards.
//!
//! Definitions are data: they reach the engine only as the control fact `definitions.activated`, so the same log gives
//! the same bytes. The application builds them from the configuration files.

use serde::{Deserialize, Serialize};

/// Behaviour number of this build: a change of any number or of the time-zone data raises it.
pub const SEMANTICS: u32 = 1;

/// A name in both languages of the product.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Everything that is defined, complete; the next one replaces it as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Definitions {
    /// The business unit of this domain.
    pub unit: Unit,
    /// Queues in the order of the board.
    pub queues: Vec<Queue>,
    /// Teams in the order of the board.
    pub teams: Vec<Team>,
    /// Who works here; empty means that whoever is seen is counted (`roster = "observed"`).
    pub roster: Vec<Person>,
    /// Declared sources; the settle clock waits for each of their partitions.
    pub sources: Vec<Source>,
    /// Alert rules.
    pub alerts: Vec<crate::model::alert::Rule>,
    /// Scorecards by identifier, each the text of its file.
    pub cards: Vec<CardFile>,
    /// How long after its end a period stays open for late facts, ms of settle clock.
    pub grace_ms: i64,
    /// How long a contact stays in memory after its terminal, ms of settle clock (bounds memory, not exactness).
    pub horizon_ms: i64,
    /// A contact without a terminal and without any fact for so long counts as unfinished, ms of settle clock.
    pub unfinished_after_ms: i64,
}

impl Definitions {
    /// SHA-256 of their JSON with sorted keys and without blanks, hex. Everything that is defined counts; the order of lists too.
    pub fn hash(&self) -> String {
        use sha2::Digest;
        // Plain structs with text keys always have a JSON form.
        let document = serde_json::to_value(self).map(|value| sorted(&value).to_string()).unwrap_or_default();
        sha2::Sha256::digest(document.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn sorted(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().collect())
        }
        Value::Array(members) => Value::Array(members.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// The business unit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Unit {
    /// Identifier.
    pub id: String,
    /// Display names.
    pub names: Names,
    /// IANA zone of its days and months.
    pub zone: String,
}

/// One queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Identifier, as the events name it.
    pub id: String,
    /// Display names.
    pub names: Names,
    /// `voice`, `chat`, `email`.
    pub channel: String,
    /// Named service-level rule; `cisco_negative`: answered within / offered, an abandon is a miss.
    pub dialect: String,
    /// Threshold of the service level, ms.
    pub within_ms: i64,
    /// Target of the service level, per mille (800 = 80 %).
    pub service_level_target: u32,
    /// Longest wait that is still in order, ms.
    pub wait_limit_ms: i64,
    /// Target of the answer rate, per mille.
    pub answer_rate_target: u32,
}

/// One team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Identifier.
    pub id: String,
    /// Display names.
    pub names: Names,
}

/// One person on the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Agent identifier, as the events name it; compared byte for byte.
    pub agent: String,
    /// Display names.
    pub names: Names,
    /// Team.
    pub team: String,
    /// Role, as scorecards name it.
    #[serde(default)]
    pub role: String,
    /// Queues served (for ready / on shift per queue).
    #[serde(default)]
    pub queues: Vec<String>,
    /// First moment, ms since the epoch; absent means always.
    #[serde(default)]
    pub from: Option<i64>,
    /// Moment after the last, ms since the epoch; absent means still here.
    #[serde(default)]
    pub to: Option<i64>,
}

/// One declared source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Topic, or `$http`, `$file`, `$simulator`.
    pub topic: String,
    /// Number of partitions.
    pub partitions: i32,
    /// Queues that it feeds; empty means all. Coverage is then per queue.
    #[serde(default)]
    pub queues: Vec<String>,
    /// It pours in history: it holds the settle clock by event time until it is closed.
    #[serde(default)]
    pub backfill: bool,
}

/// A scorecard file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardFile {
    /// Identifier of the card.
    pub id: String,
    /// Text of the file.
    pub text: String,
}
