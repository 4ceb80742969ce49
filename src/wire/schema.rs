//! JSON Schemas of the events that are read and of the outputs that are written, made from the types.
//!
//! `config/schemas/` holds them as files; a test compares the two. What an event of one type needs stands in a table of
//! its own, which a test compares with what [`native`](super::native) really refuses.

use crate::engine::output::{Alert, Clock, DeadLetter, Ledger, Live, Score, Trend};
use crate::model::alert::State;
use crate::model::event::AgentState;
use crate::model::measure::SubjectKind;
use crate::model::units::{EventTime, Fraction, LogTime};
use crate::wire::results::Class;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// What every event may say. Unknown fields are ignored; `null` and empty texts count as absent. Identifiers are text of at
/// most 256 bytes, compared byte for byte.
#[derive(Debug, JsonSchema)]
#[schemars(title = "shiftpulse event")]
pub struct Event {
    /// No other event has it: an event that comes twice counts once.
    #[schemars(length(min = 1, max = 256))]
    pub id: String,
    /// What happened, such as `contact.answered`. An unknown type is valid and moves no measure.
    #[schemars(rename = "type", length(min = 1, max = 256))]
    pub kind: String,
    /// When it happened: RFC 3339 with offset, or epoch milliseconds; between the years 1990 and 2100.
    pub time: When,
    /// The contact (call, chat, ticket) that it belongs to.
    #[schemars(length(max = 256))]
    pub contact_id: Option<String>,
    /// `voice`, `chat`, `email`; anything else counts as other.
    #[schemars(length(max = 256))]
    pub channel: Option<String>,
    /// The queue in which the contact waits or was answered.
    #[schemars(length(max = 256))]
    pub queue: Option<String>,
    /// Who acted; of an automatic act, on whose list it was.
    #[schemars(length(max = 256))]
    pub agent: Option<String>,
    /// The agent's team, for agents who are not on the roster.
    #[schemars(length(max = 256))]
    pub team: Option<String>,
    /// The customer; kept as a keyed hash only.
    #[schemars(length(max = 256))]
    pub customer: Option<String>,
    /// A machine acted, not a person: a bot's reply, a close by inactivity.
    pub automatic: Option<bool>,
}

/// A moment.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum When {
    /// RFC 3339 with offset.
    Text(#[schemars(extend("format" = "date-time"))] String),
    /// Epoch milliseconds.
    Milliseconds(#[schemars(range(min = 631_152_000_000_i64, max = 4_102_444_799_999_i64))] i64),
}

/// What events of some types say beyond that.
#[derive(Debug, JsonSchema)]
pub struct Details {
    /// Where the contact is transferred to.
    #[schemars(length(max = 256))]
    pub to_queue: Option<String>,
    /// The customer cannot read the message.
    pub internal: Option<bool>,
    /// Who can read the message; without it, the customer can.
    #[schemars(extend("enum" = ["public", "internal", "", null]))]
    pub visibility: Option<String>,
    /// The state that the agent enters.
    #[schemars(extend("enum" = AgentState::ALL.map(AgentState::text)))]
    pub state: String,
    /// Whether the matter is solved.
    pub resolved: Option<bool>,
    /// Length of the hold in milliseconds.
    #[schemars(range(min = 0, max = 2_678_400_000_i64))]
    pub hold_ms: Option<i64>,
    /// Length of the hold in seconds, instead of `hold_ms`; at most 3 decimals.
    #[schemars(range(min = 0, max = 2_678_400))]
    pub hold_s: Option<f64>,
    /// The mark: at most 6 decimals, read exactly.
    #[schemars(range(min = -1_000_000_000, max = 1_000_000_000))]
    pub score: Option<f64>,
    /// The month that it belongs to.
    #[schemars(regex(pattern = r"^([0-9]{4}-(0[1-9]|1[0-2]))?$"))]
    pub period: Option<String>,
    /// What is rated.
    #[schemars(length(max = 256))]
    pub dimension: Option<String>,
    /// Who rated, such as `supervisor`.
    #[schemars(length(max = 256))]
    pub assessor: Option<String>,
    /// The event that never happened, or that `event` corrects.
    #[schemars(length(max = 256))]
    pub target: Option<String>,
    /// The corrected event; it needs no `id` of its own, and no `contact_id` when the outer one has it.
    pub event: Option<Map<String, Value>>,
}

/// What events of these types need and may say.
struct Rule {
    types: &'static [&'static str],
    needs: &'static [&'static str],
    /// One of these at least.
    one_of: &'static [&'static str],
    may: &'static [&'static str],
}

const fn rule(
    types: &'static [&'static str],
    needs: &'static [&'static str],
    may: &'static [&'static str],
) -> Rule {
    Rule { types, needs, one_of: &[], may }
}

const RULES: &[Rule] = &[
    rule(
        &[
            "ticket.opened",
            "ticket.resolved",
            "ticket.reopened",
            "ticket.closed",
            "message.customer",
            "contact.queued",
            "contact.abandoned",
            "contact.wrapped_up",
        ],
        &["contact_id"],
        &[],
    ),
    rule(&["contact.offered", "contact.answered"], &["contact_id", "agent"], &[]),
    rule(&["contact.transferred"], &["contact_id"], &["to_queue"]),
    rule(&["message.agent"], &["contact_id"], &["internal", "visibility"]),
    Rule {
        types: &["contact.held"],
        needs: &["contact_id"],
        one_of: &["hold_ms", "hold_s"],
        may: &["hold_ms", "hold_s"],
    },
    rule(&["contact.ended"], &["contact_id"], &["resolved"]),
    rule(&["survey.answered"], &["contact_id"], &["resolved", "score"]),
    rule(&["agent.state"], &["agent", "state"], &[]),
    rule(&["rating"], &["agent", "period", "dimension", "assessor", "score"], &[]),
    Rule { types: &["fact.voided"], needs: &["target"], one_of: &["contact_id", "agent"], may: &["period"] },
    rule(&["fact.replaced"], &["target", "event"], &[]),
];

impl Rule {
    /// `if` the type is one of ours `then` these fields.
    fn condition(&self, details: &Value) -> Value {
        let there = |name: &&str| {
            let known = details["properties"].get(*name).cloned().unwrap_or(json!({ "type": "string" }));
            json!({ "allOf": [known, { "not": { "enum": [null, ""] } }] })
        };
        let mut properties = Map::new();
        for name in self.may {
            properties.insert((*name).to_owned(), details["properties"][name].clone());
        }
        for name in self.needs {
            properties.insert((*name).to_owned(), there(name));
        }
        let mut then = json!({ "required": self.needs, "properties": properties });
        if !self.one_of.is_empty() {
            let one = |name: &&str| json!({ "required": [name], "properties": { *name: there(name) } });
            then["anyOf"] = self.one_of.iter().map(one).collect();
        }
        json!({
            "if": { "required": ["type"], "properties": { "type": { "enum": self.types } } },
            "then": then,
        })
    }
}

/// The schemas by name: `event`, and one for each output topic.
pub fn all() -> Vec<(&'static str, Value)> {
    let outputs = [Class::KpiLive, Class::ScoresLive, Class::Alerts, Class::Ledger, Class::DeadLetters];
    let outputs = outputs.map(|class| (class.text(), output(class)));
    std::iter::once(("event", event())).chain(outputs).collect()
}

/// As the files in `config/schemas/` have it: indented, with a line end.
pub fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

/// The schema of events.
pub fn event() -> Value {
    let details = generator().into_root_schema_for::<Details>().to_value();
    let mut event = generator().into_root_schema_for::<Event>().to_value();
    event["allOf"] = RULES.iter().map(|rule| rule.condition(&details)).collect();
    event
}

/// The schema of the values of an output topic.
pub fn output(class: Class) -> Value {
    let mut generator = generator();
    let schemas = match class {
        Class::KpiLive => vec![
            generator.subschema_for::<Live>(),
            generator.subschema_for::<Clock>(),
            generator.subschema_for::<Trend>(),
        ],
        Class::ScoresLive => vec![generator.subschema_for::<Score>()],
        Class::Alerts => vec![generator.subschema_for::<Alert>()],
        Class::Ledger => vec![generator.subschema_for::<Ledger>()],
        Class::DeadLetters => vec![generator.subschema_for::<DeadLetter>()],
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("shiftpulse {}", class.text()),
        "anyOf": schemas,
        "$defs": generator.take_definitions(true),
    })
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

macro_rules! schema_of {
    ($($type:ident: $schema:tt)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

// The model does not know JSON, so what its words look like there is said here.
schema_of! {
    EventTime: { "type": "string", "format": "date-time", "description": "Event time, RFC 3339 in UTC with milliseconds." }
    LogTime: { "type": "string", "format": "date-time", "description": "Append time of the log, RFC 3339 in UTC with milliseconds." }
    Fraction: {
        "type": "object",
        "description": "An exact ratio of two counts or sums; `value` is their quotient for display, null when `den` is 0.",
        "properties": {
            "num": { "type": "integer" },
            "den": { "type": "integer" },
            "value": { "type": ["number", "null"] },
        },
        "required": ["num", "den", "value"],
    }
    State: { "type": "string", "enum": ["inactive", "pending", "firing", "resolved"] }
    SubjectKind: { "type": "string", "enum": ["queue", "team", "unit", "agent"] }
}

#[cfg(test)]
mod tests;
