//! The centre: unit, queues, teams, people and sources. They become part of the definitions.

use super::coherence::Places;
use super::section::Section;
use super::value::{Read, Wrong, boolean, filled, identifier, integer, list, one_of, per_mille, span, text};
use super::{SourceConfig, SourceKind};
use crate::engine::definitions::{Names, Person, Queue, Team, Unit};
use crate::model::units::{HOUR, MINUTE, SECOND};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::path::Path;
use toml::de::DeValue;

const CHANNELS: [(&str, &str); 3] = [("voice", "voice"), ("chat", "chat"), ("email", "email")];
const DIALECTS: [(&str, &str); 1] = [("cisco_negative", "cisco_negative")];

/// A name in one language for both, or `{ zh = "...", en = "..." }`.
fn names(value: &DeValue) -> Read<Names> {
    let wrong = || Wrong::rule("must be text or { zh = \"...\", en = \"...\" }");
    match value {
        DeValue::String(text) => Ok(Names { zh: text.to_string(), en: text.to_string() }),
        DeValue::Table(table) => {
            let part = |key: &str| table.get(key).and_then(|v| v.get_ref().as_str()).map(str::to_owned);
            match (table.len(), part("zh"), part("en")) {
                (2, Some(zh), Some(en)) => Ok(Names { zh, en }),
                _ => Err(wrong()),
            }
        }
        _ => Err(wrong()),
    }
}

fn named(section: &Section, id: &str) -> Names {
    section.or("name", Names { zh: id.to_owned(), en: id.to_owned() }, names)
}

/// The business unit.
pub fn unit(section: Section) -> Unit {
    let id = section.required("id", "\"main\"", identifier).unwrap_or_default();
    let zone = section.required("zone", "\"Asia/Shanghai\"", zone).unwrap_or_default();
    let unit = Unit { names: named(&section, &id), id, zone };
    section.finish();
    unit
}

fn zone(value: &DeValue) -> Read<String> {
    let name = filled(value)?;
    match jiff::tz::db().get(&name) {
        Ok(_) => Ok(name),
        Err(_) => {
            Err(Wrong::rule("must be an IANA time zone such as \"Asia/Shanghai\" or \"Europe/Berlin\"")
                .hint("days and months begin at midnight of this zone"))
        }
    }
}

/// The queues.
pub fn queues(sections: Vec<Section>, places: &mut Places) -> Vec<Queue> {
    sections.into_iter().map(|section| queue(section, places)).collect()
}

fn queue(section: Section, places: &mut Places) -> Queue {
    let id = section.required("id", "\"billing\"", identifier).unwrap_or_default();
    let queue = Queue {
        names: named(&section, &id),
        id,
        channel: section.or("channel", "voice", one_of(&CHANNELS)).into(),
        dialect: section.or("dialect", "cisco_negative", one_of(&DIALECTS)).into(),
        within_ms: section.or("within", 20 * SECOND, span(SECOND..=24 * HOUR)),
        service_level_target: section.or("service_level_target", 800, per_mille),
        wait_limit_ms: section.or("wait_limit", 2 * MINUTE, span(SECOND..=24 * HOUR)),
        answer_rate_target: section.or("answer_rate_target", 800, per_mille),
    };
    places.queues.push(section.spot("id"));
    section.finish();
    queue
}

/// The teams.
pub fn teams(sections: Vec<Section>, places: &mut Places) -> Vec<Team> {
    let team = |section: Section| {
        let id = section.required("id", "\"north\"", identifier).unwrap_or_default();
        let team = Team { names: named(&section, &id), id };
        places.teams.push(section.spot("id"));
        section.finish();
        team
    };
    sections.into_iter().map(team).collect()
}

/// The people.
pub fn people(sections: Vec<Section>, zone: &str, places: &mut Places) -> Vec<Person> {
    // An unknown zone is a problem of its own.
    let zone = jiff::tz::db().get(zone).unwrap_or(TimeZone::UTC);
    sections.into_iter().map(|section| person(section, &zone, places)).collect()
}

fn person(section: Section, zone: &TimeZone, places: &mut Places) -> Person {
    let agent = section.required("agent", "\"a01\"", identifier).unwrap_or_default();
    let person = Person {
        names: named(&section, &agent),
        agent,
        team: section.required("team", "\"north\"", identifier).unwrap_or_default(),
        role: section.or("role", "agent".into(), text),
        queues: section.or("queues", Vec::new(), list(identifier)),
        from: section.get("from", |value| midnight(date(value)?, zone)),
        to: section.get("until", |value| {
            let next =
                date(value)?.tomorrow().map_err(|_| Wrong::rule("must be a day before the year 2100"))?;
            midnight(next, zone)
        }),
    };
    places.people.push([
        section.spot("agent"),
        section.spot("team"),
        section.spot("queues"),
        section.spot("until"),
    ]);
    section.finish();
    person
}

fn date(value: &DeValue) -> Read<Date> {
    let wrong = || Wrong::rule("must be a day from 1990 to 2099 such as 2026-10-01");
    let text = match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        _ => return Err(wrong()),
    };
    let date: Date = if text.len() == 10 { text.parse().map_err(|_| wrong())? } else { return Err(wrong()) };
    if (1990..2100).contains(&date.year()) { Ok(date) } else { Err(wrong()) }
}

fn midnight(date: Date, zone: &TimeZone) -> Read<i64> {
    let start = zone.to_timestamp(date.at(0, 0, 0, 0));
    Ok(start.map_err(|_| Wrong::rule("is no day in the unit's zone"))?.as_millisecond())
}

/// The sources.
pub fn sources(sections: Vec<Section>, base: &Path, places: &mut Places) -> Vec<SourceConfig> {
    sections.into_iter().filter_map(|section| source(section, base, places)).collect()
}

#[derive(Clone, Copy)]
enum Word {
    Kafka,
    Http,
    File,
}

fn source(section: Section, base: &Path, places: &mut Places) -> Option<SourceConfig> {
    let words = [("kafka", Word::Kafka), ("http", Word::Http), ("file", Word::File)];
    let word = section.required("kind", "\"kafka\", \"http\" or \"file\"", one_of(&words))?;
    let (kind, partitions) = match word {
        Word::Kafka => {
            let topic = section.required("topic", "\"contact-events\"", filled).unwrap_or_default();
            let partitions = section.required("partitions", "8", integer(1..=10_000)).unwrap_or(1);
            (SourceKind::Kafka { topic }, partitions)
        }
        Word::Http => (SourceKind::Http, 1),
        Word::File => {
            let path = base.join(section.required("path", "\"events.ndjson\"", filled).unwrap_or_default());
            let name = section.or("name", String::new(), text);
            (SourceKind::File { path, name }, 1)
        }
    };
    let source = SourceConfig {
        kind,
        partitions: i32::try_from(partitions).unwrap_or(1),
        queues: section.or("queues", Vec::new(), list(identifier)),
        backfill: section.or("backfill", false, boolean),
    };
    places.sources.push([section.head(), section.spot("queues")]);
    section.finish();
    Some(source)
}
