//! From configuration to definitions, and what changes between two of them.

use super::config::{Config, SourceConfig, shown};
use crate::engine::definitions::Definitions;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The definitions that a configuration asks for.
pub fn build(config: &Config) -> Definitions {
    Definitions {
        unit: config.unit.clone(),
        queues: config.queues.clone(),
        teams: config.teams.clone(),
        roster: config.people.clone(),
        sources: config.sources.iter().map(SourceConfig::definition).collect(),
        alerts: config.alerts.clone(),
        cards: config.cards.clone(),
        grace_ms: config.grace_ms,
        horizon_ms: config.horizon_ms,
        unfinished_after_ms: config.unfinished_after_ms,
    }
}

/// What changes from `old` to `new`, a line each: `+` new, `-` gone, `~` changed. Empty when they are equal.
pub fn differences(old: &Definitions, new: &Definitions) -> Vec<String> {
    let (old, new) = (document(old), document(new));
    let mut lines = Vec::new();
    for (key, value) in &new {
        let before = old.get(key).unwrap_or(&Value::Null);
        match value.as_array() {
            Some(members) => lists(key, before.as_array().map_or(&[], Vec::as_slice), members, &mut lines),
            None => fields(key, before, value, &mut lines),
        }
    }
    lines
}

fn document(definitions: &Definitions) -> Map<String, Value> {
    // Definitions are plain structs: they always have a JSON form, and it is a table.
    match serde_json::to_value(definitions) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Members are matched by what identifies them, so that a new first one does not make all others look changed.
fn lists(list: &str, old: &[Value], new: &[Value], lines: &mut Vec<String>) {
    let (before, after) = (by_name(old), by_name(new));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        match (before.get(name), after.get(name)) {
            (None, Some(_)) => lines.push(format!("+ {list} {name}")),
            (Some(_), None) => lines.push(format!("- {list} {name}")),
            (Some(before), Some(after)) => fields(&format!("{list} {name}"), before, after, lines),
            (None, None) => {}
        }
    }
    let common = |members: &[Value], other: &BTreeMap<String, &Value>| -> Vec<String> {
        members.iter().map(name).filter(|name| other.contains_key(name)).collect()
    };
    if common(old, &after) != common(new, &before) {
        lines.push(format!("~ {list}: in another order"));
    }
}

fn by_name(members: &[Value]) -> BTreeMap<String, &Value> {
    members.iter().map(|member| (name(member), member)).collect()
}

fn name(member: &Value) -> String {
    let text = |key: &str| member.get(key).and_then(Value::as_str);
    let name = ["id", "agent", "topic"].into_iter().find_map(text).unwrap_or_default();
    match member.get("from").filter(|from| member.get("agent").is_some() && !from.is_null()) {
        Some(from) => format!("{name} from {}", moment(from)),
        None => name.to_owned(),
    }
}

fn fields(path: &str, old: &Value, new: &Value, lines: &mut Vec<String>) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(before), Value::Object(after)) if !after.contains_key("num") => {
            for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                let part = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                fields(&format!("{path}.{key}"), &part(before), &part(after), lines);
            }
        }
        _ => {
            let key = path.rsplit('.').next().unwrap_or(path);
            lines.push(format!(
                "~ {}: {} -> {}",
                path.trim_end_matches("_ms"),
                said(key, old),
                said(key, new)
            ));
        }
    }
}

/// A value as people write it.
fn said(key: &str, value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Number(number) if key.ends_with("_ms") => number.as_i64().map_or(number.to_string(), shown),
        Value::Number(_) if matches!(key, "from" | "to") => moment(value),
        Value::Number(number) if key.ends_with("_target") => percent(number.as_i64(), Some(1000)),
        Value::Object(fraction) => {
            percent(fraction.get("num").and_then(Value::as_i64), fraction.get("den").and_then(Value::as_i64))
        }
        Value::Array(members) if members.is_empty() => "none".into(),
        Value::Array(members) => {
            members.iter().map(|member| said(key, member)).collect::<Vec<_>>().join(", ")
        }
        Value::String(text) if text.contains('\n') => digest(text),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn percent(num: Option<i64>, den: Option<i64>) -> String {
    match (num, den) {
        (Some(num), Some(1000)) if num % 10 == 0 => format!("{}%", num / 10),
        (Some(num), Some(1000)) => format!("{}.{}%", num / 10, num % 10),
        (Some(num), Some(den)) => format!("{num}/{den}"),
        _ => "nothing".into(),
    }
}

fn moment(ms: &Value) -> String {
    let at = ms.as_i64().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| ms.to_string(), |at| at.to_string())
}

/// A text of many lines is named by its size and the beginning of its hash.
fn digest(text: &str) -> String {
    use sha2::Digest;
    let hash = sha2::Sha256::digest(text.as_bytes());
    let start: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{} lines ({start})", text.lines().count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::traffic::centre;
    use proptest::prelude::*;

    fn check(change: impl Fn(&mut Definitions), expected: &[&str]) {
        let old = centre().definitions(8);
        let mut new = old.clone();
        change(&mut new);
        assert_eq!(differences(&old, &new), expected);
        assert_eq!(old.hash() == new.hash(), expected.is_empty());
    }

    #[test]
    fn equal_definitions_have_equal_hashes_and_no_differences() {
        check(|_| {}, &[]);
    }

    #[test]
    fn each_change_is_a_line_in_the_words_of_the_configuration() {
        check(|d| d.queues[0].within_ms = 30_000, &["~ queues billing.within: 20 s -> 30 s"]);
        check(
            |d| d.queues[0].service_level_target = 855,
            &["~ queues billing.service_level_target: 80% -> 85.5%"],
        );
        check(|d| drop(d.queues.remove(6)), &["- queues night"]);
        check(|d| d.roster[2].team = "online".into(), &["~ roster a03.team: harbour -> online"]);
        check(|d| d.roster[2].queues.clear(), &["~ roster a03.queues: billing, delivery, vip -> none"]);
        check(|d| d.grace_ms = 0, &["~ grace: 10 min -> 0 s"]);
        check(|d| d.unit.names.en = "HZ".into(), &["~ unit.names.en: Hangzhou -> HZ"]);
        check(|d| d.queues.swap(0, 1), &["~ queues: in another order"]);
        check(|d| d.sources[0].partitions = 9, &["~ sources $simulator.partitions: 8 -> 9"]);
    }

    #[test]
    fn a_new_first_member_is_the_only_change() {
        let change = |d: &mut Definitions| {
            let mut person = d.roster[0].clone();
            person.from = Some(1_790_812_800_000);
            d.roster.insert(0, person);
        };
        check(change, &["+ roster a01 from 2026-10-01T00:00:00Z"]);
    }

    proptest! {
        /// What the hash tells apart, a person can read.
        #[test]
        fn differences_are_empty_exactly_when_the_hashes_are_equal(
            (queue, within, person, drop) in (0usize..7, 1i64..4, 0usize..24, any::<bool>())
        ) {
            let old = centre().definitions(8);
            let mut new = old.clone();
            new.queues[queue].within_ms = within * 10_000;
            if drop {
                new.roster.remove(person);
            }
            prop_assert_eq!(differences(&old, &new).is_empty(), old.hash() == new.hash());
        }
    }
}
