//! The schemas say what the code does, and the files say what the schemas say.

use super::*;
use crate::wire::native::{self, CustomerKey};
use crate::wire::{refusal::Reason, results};
use std::collections::BTreeSet;
use std::path::Path;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/schemas"))
}

fn validator(schema: &Value) -> jsonschema::Validator {
    jsonschema::validator_for(schema).expect("a valid schema")
}

#[test]
fn the_files_are_what_shiftpulse_schema_prints() {
    for (name, schema) in all() {
        let path = folder().join(format!("{name}.json"));
        let file = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            file == text(&schema),
            "write it anew: shiftpulse schema {name} > config/schemas/{name}.json"
        );
    }
    let files =
        std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let known: BTreeSet<_> = all().iter().map(|(name, _)| format!("{name}.json")).collect();
    let ours: BTreeSet<_> = files.filter(|name| name != "configuration.json").collect();
    assert_eq!(ours, known);
}

#[test]
fn every_name_that_is_read_is_described() {
    let names = |schema: Value| {
        let properties = schema["properties"].as_object().unwrap().clone();
        properties.into_iter().map(|(name, _)| name)
    };
    let details = generator().into_root_schema_for::<Details>().to_value();
    let described: BTreeSet<_> = names(event()).chain(names(details)).collect();
    let read: BTreeSet<_> = native::NAMES.map(str::to_owned).into();
    assert_eq!(described, read);
}

/// A value that fits a field.
fn fitting(name: &str) -> Value {
    match name {
        "state" => json!("paused"),
        "period" => json!("2026-10"),
        "score" => json!(4.5),
        "hold_ms" => json!(1_500),
        "hold_s" => json!(1.5),
        "resolved" | "internal" => json!(true),
        "visibility" => json!("internal"),
        "event" => json!({ "type": "contact.queued", "time": 1_793_419_200_000_i64, "contact_id": "c" }),
        _ => json!("x"),
    }
}

/// An event of a type with the given fields.
fn made(kind: &str, fields: &[&str]) -> Value {
    let mut event = json!({ "id": "e1", "type": kind, "time": "2026-10-31T12:00:00+08:00" });
    for name in fields {
        event[*name] = fitting(name);
    }
    event
}

/// Whether it is read; where not, that it was for this reason.
fn is_read(event: &Value, reason: Reason) -> bool {
    match native::read(event.to_string().as_bytes(), &CustomerKey::new("secret")) {
        Ok(_) => true,
        Err(refusal) => {
            assert_eq!(refusal.reason, reason, "{event}: {refusal}");
            false
        }
    }
}

#[test]
fn what_a_type_needs_is_what_is_refused_without_it() {
    let schema = validator(&event());
    let check = |event: Value, expected: bool, reason: Reason| {
        assert_eq!(is_read(&event, reason), expected, "{event}");
        assert_eq!(schema.is_valid(&event), expected, "{event}");
    };
    for rule in RULES {
        for kind in rule.types {
            let whole = [rule.needs, rule.may, &rule.one_of[..rule.one_of.len().min(1)]].concat();
            check(made(kind, &whole), true, Reason::Missing);
            for need in rule.needs {
                let without: Vec<_> = whole.iter().filter(|name| *name != need).copied().collect();
                check(made(kind, &without), false, Reason::Missing);
                let mut null = made(kind, &whole);
                null[*need] = Value::Null;
                check(null, false, Reason::Missing);
            }
            for one in rule.one_of {
                check(made(kind, &[rule.needs, &[*one]].concat()), true, Reason::Missing);
            }
            if !rule.one_of.is_empty() {
                check(made(kind, rule.needs), false, Reason::Missing);
            }
            for name in whole {
                let mut wrong = made(kind, &[rule.needs, rule.may].concat());
                wrong[name] = json!([1]);
                let reason = if name == "event" { Reason::NotObject } else { Reason::WrongType };
                check(wrong, false, reason);
            }
        }
    }
}

#[test]
fn every_interpreted_type_has_its_rule() {
    use crate::model::event::Kind;
    let ruled: BTreeSet<_> = RULES.iter().flat_map(|rule| rule.types).copied().collect();
    let mut kinds: BTreeSet<_> =
        Kind::ALL.iter().map(|kind| kind.text()).filter(|text| !text.is_empty()).collect();
    kinds.insert("fact.replaced");
    assert_eq!(ruled, kinds);
}

#[test]
fn other_events_are_judged_alike() {
    let schema = validator(&event());
    let check = |event: Value, reason: Option<Reason>| {
        assert_eq!(is_read(&event, reason.unwrap_or(Reason::Empty)), reason.is_none(), "{event}");
        assert_eq!(schema.is_valid(&event), reason.is_none(), "{event}");
    };
    let time = 1_793_419_200_000_i64;
    check(json!({ "id": "e", "type": "order.placed", "time": time, "state": 7, "score": "A" }), None);
    check(json!({ "id": "e", "type": "order.placed", "time": time, "agent": null, "automatic": null }), None);
    check(json!({ "id": 5, "type": "order.placed", "time": time }), Some(Reason::WrongType));
    check(json!({ "id": "", "type": "order.placed", "time": time }), Some(Reason::Missing));
    check(json!({ "type": "order.placed", "time": time }), Some(Reason::Missing));
    check(json!({ "id": "e", "time": time }), Some(Reason::Missing));
    check(json!({ "id": "e", "type": "order.placed" }), Some(Reason::Missing));
    check(json!({ "id": "e", "type": "order.placed", "time": 1_793_419_200 }), Some(Reason::OutOfRange));
    check(
        json!({ "id": "e", "type": "order.placed", "time": time, "automatic": "yes" }),
        Some(Reason::WrongType),
    );
    check(
        json!({ "id": "e", "type": "order.placed", "time": time, "queue": "q".repeat(257) }),
        Some(Reason::TooLong),
    );
}

#[test]
fn every_output_fits_its_schema() {
    for (given, key) in results::tests::every_output() {
        let results::Document { class, value, .. } = results::document(&given);
        let value: Value = serde_json::from_slice(&value).unwrap();
        let errors: Vec<_> = validator(&output(class)).iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{key}: {errors:?}");
    }
}
