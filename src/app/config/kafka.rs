//! The section `[kafka]`: brokers, names, and options handed through to librdkafka.

use super::coherence::Places;
use super::options::duration;
use super::section::Section;
use super::value::{Read, Wrong, filled, integer, text};
use super::{ClientOptions, Kafka};
use crate::model::units::{MINUTE, SECOND};
use std::path::Path;
use std::time::Duration;
use toml::de::DeValue;

/// Options that the product sets itself, because its guarantees hang on them, each with what would happen otherwise.
const OURS: [(&str, &str); 17] = [
    ("bootstrap.servers", "write kafka.brokers"),
    ("metadata.broker.list", "write kafka.brokers"),
    ("group.id", "it comes from kafka.prefix"),
    ("group.instance.id", "it comes from instance.id"),
    ("transactional.id", "it names the domain, and fences a second owner"),
    ("enable.idempotence", "without it a fact could be stored twice"),
    ("acks", "without all of them a fact could be lost"),
    ("request.required.acks", "without all of them a fact could be lost"),
    ("enable.auto.commit", "offsets are committed with the results"),
    ("enable.auto.offset.store", "offsets are committed with the results"),
    ("auto.offset.reset", "where to begin is decided by the product, never by a reset"),
    ("isolation.level", "aborted results would be read"),
    ("enable.partition.eof", "it tells the end of a topic"),
    ("partitioner", "keys would move between partitions"),
    ("transaction.timeout.ms", "write kafka.transaction_timeout"),
    ("session.timeout.ms", "write kafka.session_timeout"),
    ("message.timeout.ms", "it hangs on kafka.transaction_timeout"),
];

/// Reads the section.
pub fn read(section: Section, base: &Path, places: &mut Places) -> Kafka {
    let kafka = Kafka {
        brokers: section.or("brokers", "localhost:9092".into(), brokers),
        prefix: section.or("prefix", "shiftpulse".into(), prefix),
        replication: small(section.or("replication", 3, integer(1..=9))),
        session_timeout: section.or(
            "session_timeout",
            Duration::from_secs(10),
            duration(6 * SECOND..=30 * MINUTE),
        ),
        transaction_timeout: section.or(
            "transaction_timeout",
            Duration::from_secs(10),
            duration(SECOND..=15 * MINUTE),
        ),
        options: client_options(section.section("options"), base),
    };
    places.replication = Some(section.spot("replication"));
    section.finish();
    kafka
}

fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(1)
}

fn brokers(value: &DeValue) -> Read<String> {
    let wrong =
        || Wrong::rule("must be host:port, several with commas, such as \"kafka-1:9092,kafka-2:9092\"");
    let text = filled(value)?;
    let well = |broker: &str| {
        let host_and_port = broker.trim().rsplit_once(':');
        host_and_port.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0))
    };
    if text.split(',').all(well) { Ok(text) } else { Err(wrong()) }
}

fn prefix(value: &DeValue) -> Read<String> {
    let text = text(value)?;
    let well = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.len() <= 200 && text.chars().all(well) && !text.starts_with('.') {
        return Ok(text);
    }
    Err(Wrong::rule("must consist of at most 200 letters, digits, '.', '_' and '-', as topics do"))
}

/// Values are text, numbers or booleans; `{ file = "..." }` and `{ env = "..." }` keep secrets out of the file.
fn client_options(section: Section, base: &Path) -> ClientOptions {
    let mut options = ClientOptions::default();
    for (name, value) in section.all() {
        if let Some((_, reason)) = OURS.iter().find(|(ours, _)| *ours == name) {
            section.refuse(name, "is set by the product itself", Some((*reason).to_owned()));
            continue;
        }
        match client_value(value.get_ref(), base) {
            Ok(text) => drop(options.0.insert(name.to_owned(), text)),
            Err(wrong) => section.refuse(name, wrong.rule, wrong.hint),
        }
    }
    options
}

fn client_value(value: &DeValue, base: &Path) -> Read<String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Float(number) => Ok(number.to_string()),
        DeValue::Boolean(yes) => Ok(yes.to_string()),
        DeValue::Table(table) => secret(table, base),
        _ => Err(Wrong::rule("must be text, a number, true, false, { file = \"...\" } or { env = \"...\" }")
            .hint("names of librdkafka contain dots, so they stand in quotes: \"sasl.username\" = \"...\"")),
    }
}

fn secret(table: &toml::de::DeTable, base: &Path) -> Read<String> {
    let entry = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str());
    match (table.len(), entry("file"), entry("env")) {
        (1, Some(path), _) => std::fs::read_to_string(base.join(path))
            .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(|error| Wrong::rule(format!("the file cannot be read: {error}"))),
        (1, _, Some(name)) => std::env::var(name).map_err(|_| {
            Wrong::rule("names an environment variable that is not set").hint(format!("export {name}=..."))
        }),
        _ => Err(Wrong::rule("must be { file = \"...\" } or { env = \"...\" }")
            .hint("names of librdkafka contain dots, so they stand in quotes: \"sasl.username\" = \"...\"")),
    }
}
