//! What `handle` gives: the documents of the output topics. `wire::results` turns them into JSON and keys.
//!
//! In JSON: times are RFC 3339 in UTC, fractions `{"num", "den", "value"}`, points and money text, durations `_ms`.
//! Maps are ordered, so equal documents are equal bytes.

use crate::model::alert::State;
pub use crate::model::measure::SubjectKind;
use crate::model::units::{EventTime, Fraction, LogTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One output of a record, in the order (class, key).
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// `dead-letters`: a fact that the engine refuses.
    DeadLetter(DeadLetter),
    /// `alerts`: one transition.
    Alert(Alert),
    /// `ledger`: what payroll and people decide from.
    Ledger(Ledger),
    /// `kpi-live`: a subject's values.
    Live(Live),
    /// `kpi-live`, key `clock|domain`.
    Clock(Clock),
    /// `kpi-live`, key `trend|queue`.
    Trend(Trend),
    /// `scores-live`.
    Score(Score),
}

/// The windows, from the shortest; texts as in labels and JSON.
pub const WINDOWS: [&str; 5] = ["5m", "30m", "1h", "day", "month"];

/// All windows of one subject at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Live {
    /// What kind of subject.
    pub subject: SubjectKind,
    /// Its identifier.
    pub id: String,
    /// Live clock up to which the log has been followed.
    pub as_of: LogTime,
    /// Caught-up source partitions of all that feed it; below 1 the values are partial.
    pub coverage: Fraction,
    /// State that does not depend on a window.
    pub now: Now,
    /// Values by window name, every one of [`WINDOWS`].
    pub windows: BTreeMap<String, Window>,
}

/// What is, right now.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Now {
    /// Contacts waiting (queue, unit).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waiting: Option<i64>,
    /// Since when the longest waiting one waits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub longest_since: Option<EventTime>,
    /// Ready agents (queue: of those who serve it).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ready: Option<i64>,
    /// Agents on shift.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub on_shift: Option<i64>,
    /// Agents by state text (team, unit).
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub states: BTreeMap<String, i64>,
    /// State of the agent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since: Option<EventTime>,
    /// Contacts the agent is engaged in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub engaged: Option<i64>,
    /// Team of the agent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub team: Option<String>,
}

/// One window of one subject.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// Counts and sums by column name (`answered`, `abandoned`, `available_ms` ...), zeros left out.
    pub counts: BTreeMap<String, i64>,
    /// KPI values by name; a null value stands as `{"num":0,"den":0,"value":null}`.
    pub kpis: BTreeMap<String, Fraction>,
}

/// The clocks and sources of a domain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// Domain.
    pub domain: u32,
    /// Greatest append time.
    pub live: LogTime,
    /// How far facts are complete; absent until every declared partition was seen.
    pub settle: Option<LogTime>,
    /// Caught-up partitions of all declared ones.
    pub coverage: Fraction,
    /// Each declared partition.
    pub sources: Vec<SourceClock>,
    /// Counters since the log's first fact.
    pub counters: BTreeMap<String, i64>,
    /// The open period that closes next.
    pub period: Option<OpenPeriod>,
}

/// One source partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceClock {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Progress; absent until seen.
    pub progress: Option<LogTime>,
    /// Whether it was read to its end.
    pub caught_up: bool,
    /// Positions that are missing: `[from, to)`.
    pub gaps: Vec<(i64, i64)>,
}

/// The open period that closes next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenPeriod {
    /// Such as `2026-10`.
    pub period: String,
    /// Its end.
    pub end: LogTime,
    /// The settle clock at which it is cut, if nothing else holds it.
    pub cut_due: LogTime,
    /// What holds the cut besides the clock.
    pub waits_for: Vec<String>,
}

/// Service level and waiting of a queue, one point a minute, at most 120, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trend {
    /// Queue.
    pub queue: String,
    /// Live clock.
    pub as_of: LogTime,
    /// Points at full minutes.
    pub points: Vec<TrendPoint>,
}

/// One minute of a trend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendPoint {
    /// The minute.
    pub at: LogTime,
    /// Service level of the last 30 minutes.
    pub service_level: Fraction,
    /// Answer rate of the last 30 minutes.
    pub answer_rate: Fraction,
    /// Waiting.
    pub waiting: i64,
}

/// The score of one member so far, or final.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// Agent.
    pub agent: String,
    /// Period.
    pub period: String,
    /// Card.
    pub card: String,
    /// Version of the card.
    pub version: u32,
    /// SHA-256 of the card's file, hex.
    pub hash: String,
    /// Live clock (of a final: the cut's settle clock).
    pub as_of: LogTime,
    /// Whether the period is still open or an input is due.
    pub provisional: bool,
    /// Exact total as text (`"87.65"`, `"262/3"`), rounded only in `total_shown`; absent when it cannot be given.
    pub total: Option<String>,
    /// Total as the card shows it.
    pub total_shown: Option<String>,
    /// Grade, as the card writes it.
    pub grade: Option<String>,
    /// Grade in English.
    #[serde(default)]
    pub grade_en: Option<String>,
    /// Items in file order.
    pub items: Vec<ScoreItem>,
    /// How the total comes about, in Chinese.
    #[serde(default)]
    pub why_zh: String,
    /// How the total comes about, in English.
    #[serde(default)]
    pub why_en: String,
}

/// One item of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreItem {
    /// Identifier.
    pub id: String,
    /// The group it is in; absent at the top.
    #[serde(default)]
    pub parent: Option<String>,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// `counted`, `not_applicable`, `null`, `pending`, `open`.
    pub state: String,
    /// Input value, exact (`"57/60"`), absent when there is none.
    pub value: Option<String>,
    /// Points, exact.
    pub points: Option<String>,
    /// Points with 4 places.
    pub points_shown: Option<String>,
    /// Full mark; absent where it is not decided.
    pub full: Option<String>,
    /// Share of the total in percent, exact.
    pub weight: Option<String>,
    /// The arithmetic in Chinese.
    pub why_zh: String,
    /// The arithmetic in English.
    pub why_en: String,
}

/// One transition of one alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// Rule.
    pub rule: String,
    /// KPI.
    pub kpi: String,
    /// Queue.
    pub queue: String,
    /// State entered.
    pub state: State,
    /// Live clock at which this state began.
    pub since: LogTime,
    /// Live clock at which the alert became pending (names the episode in all three transitions).
    pub started: LogTime,
    /// Window that decided.
    pub window: String,
    /// Value then.
    pub value: Fraction,
    /// Threshold.
    pub below: Fraction,
    /// Threshold for clearing.
    pub clear: Fraction,
    /// Whether sources were behind.
    pub partial: bool,
    /// Severity.
    pub severity: String,
    /// Whether it pages.
    pub page: bool,
    /// Lowest value during the episode.
    pub worst: Fraction,
    /// Sentence in Chinese.
    pub zh: String,
    /// Sentence in English.
    pub en: String,
}

/// A line of `ledger`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "finals are the rule, and lines live for one record")]
pub enum Ledger {
    /// The final of one member.
    Final {
        /// Revision of the cut.
        revision: u32,
        /// The score.
        #[serde(flatten)]
        score: Score,
        /// Cut offset.
        cut: i64,
        /// Digest of the facts of the cut (chain over the log), hex.
        digest: String,
        /// SHA-256 of the definitions, hex.
        definitions: String,
    },
    /// A period was cut.
    Cut {
        /// Period.
        period: String,
        /// Revision.
        revision: u32,
        /// Offset of the record at which it was cut.
        offset: i64,
        /// Settle clock then.
        settle: LogTime,
        /// How many finals follow.
        finals: u32,
        /// Inputs that were due and missing, by name.
        missing: Vec<String>,
        /// Agents with facts who are not on the roster.
        unlisted: Vec<String>,
        /// SHA-256 of the definitions, hex.
        definitions: String,
    },
    /// The unit's statistics of one card at one cut.
    UnitTable {
        /// Period.
        period: String,
        /// Card.
        card: String,
        /// Revision.
        revision: u32,
        /// Members with a total.
        members: u32,
        /// Mean of the totals, exact.
        mean: Option<String>,
        /// Members by grade.
        grades: BTreeMap<String, u32>,
    },
    /// The auditor has confirmed every line of a cut.
    Audited {
        /// Period.
        period: String,
        /// Revision.
        revision: u32,
        /// Digest over keys and contents.
        digest: String,
    },
    /// A control fact was accepted.
    Accepted {
        /// Its identifier.
        id: String,
        /// What it was.
        what: String,
    },
    /// A control fact was rejected.
    Rejected {
        /// Its identifier.
        id: String,
        /// Why.
        reason: String,
    },
    /// A record was skipped because it broke an invariant.
    Skipped {
        /// Its offset.
        offset: i64,
        /// Why.
        reason: String,
    },
}

/// A fact (or, from intake, an event) that is set aside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// Source topic.
    pub topic: String,
    /// Source partition.
    pub partition: i32,
    /// Source offset.
    pub offset: i64,
    /// Machine-readable reason: `future`, `not_json`, `not_utf8`, `missing`, `wrong_type`, `out_of_range`, `too_large`, ...
    pub reason: String,
    /// One sentence: which field, which value, what was expected.
    pub detail: String,
    /// Event identifier if it could be read.
    pub id: Option<String>,
    /// SHA-256 of the original, hex; absent for facts refused by the engine.
    pub sha256: Option<String>,
    /// At most 64 KB of the original (lossy UTF-8).
    pub original: Option<String>,
}

impl Ledger {
    /// The key on `ledger`: deterministic, so a repeat is harmless. `|` and `%` in identifiers are percent-encoded.
    pub fn key(&self) -> String {
        match self {
            Ledger::Final { revision, score, .. } => {
                join(&["final", &score.agent, &score.period, &score.card, &revision.to_string()])
            }
            Ledger::Cut { period, revision, .. } => join(&["cut", period, &revision.to_string()]),
            Ledger::UnitTable { period, card, revision, .. } => {
                join(&["unit_table", period, card, &revision.to_string()])
            }
            Ledger::Audited { period, revision, .. } => join(&["audited", period, &revision.to_string()]),
            Ledger::Accepted { id, .. } => join(&["accepted", id]),
            Ledger::Rejected { id, .. } => join(&["rejected", id]),
            Ledger::Skipped { offset, .. } => join(&["skipped", &offset.to_string()]),
        }
    }
}

/// Joins identifiers to a key.
pub fn join(parts: &[&str]) -> String {
    let parts: Vec<_> = parts.iter().map(|part| part.replace('%', "%25").replace('|', "%7C")).collect();
    parts.join("|")
}
