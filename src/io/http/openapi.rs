//! `/api/v1/openapi.json`: what can be asked, for programs that read OpenAPI.

use serde_json::{Map, Value, json};

/// Name and meaning of each parameter.
type Parameters = &'static [(&'static str, &'static str)];

/// Path, summary, parameters (`name: meaning`, in the path when the path names them).
const PATHS: [(&str, &str, Parameters); 14] = [
    ("/api/v1/queues", "Newest values of all queues", &[]),
    ("/api/v1/queues/{id}", "Newest values of one queue", &[("id", "identifier of the queue")]),
    ("/api/v1/agents", "Newest values of all agents", &[]),
    ("/api/v1/agents/{id}", "Newest values of one agent", &[("id", "identifier of the agent")]),
    ("/api/v1/teams", "Newest values of all teams", &[]),
    ("/api/v1/teams/{id}", "Newest values of one team", &[("id", "identifier of the team")]),
    ("/api/v1/unit", "Newest values of the business unit", &[]),
    (
        "/api/v1/trends/{queue}",
        "Service level and waiting, a point a minute",
        &[("queue", "identifier of the queue")],
    ),
    (
        "/api/v1/alerts",
        "Alert episodes, newest first",
        &[("open", "true: pending and firing only; false: resolved only")],
    ),
    (
        "/api/v1/scores",
        "Scores so far, or final",
        &[("period", "such as 2026-10; the newest when absent"), ("agent", "identifier of an agent")],
    ),
    (
        "/api/v1/clock",
        "Live clock, settle clock, coverage, sources, counters, the open period, by domain",
        &[],
    ),
    (
        "/api/v1/ledger",
        "Lines of the ledger, newest first",
        &[
            ("period", "such as 2026-10"),
            ("type", "final, cut, unit_table, audited, accepted, rejected, skipped"),
            ("limit", "lines in the answer, 1000 when absent"),
        ],
    ),
    ("/api/v1/definitions", "The definitions in force", &[]),
    ("/api/v1/openapi.json", "This document", &[]),
];

/// The document.
pub(super) fn document() -> Value {
    let mut paths = Map::new();
    for (path, summary, parameters) in PATHS {
        paths.insert(path.to_owned(), json!({ "get": operation(path, summary, parameters) }));
    }
    paths.insert("/api/v1/events".to_owned(), json!({ "post": post_events() }));
    paths.insert("/api/v1/control".to_owned(), json!({ "post": post_control() }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "shiftpulse",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Times are RFC 3339, durations end in _ms, fractions are {num, den, value} with value null when they \
                cannot be computed, points are text.",
        },
        "paths": paths,
    })
}

fn operation(path: &str, summary: &str, parameters: Parameters) -> Value {
    let parameters = parameters.iter().map(|(name, meaning)| {
        let in_path = path.contains(&format!("{{{name}}}"));
        json!({
            "name": name,
            "in": if in_path { "path" } else { "query" },
            "required": in_path,
            "description": meaning,
            "schema": { "type": "string" },
        })
    });
    json!({
        "summary": summary,
        "parameters": parameters.collect::<Vec<_>>(),
        "responses": {
            "200": { "description": summary, "content": { "application/json": {} } },
            "404": { "description": "Not known, or nothing yet" },
        },
    })
}

fn post_events() -> Value {
    json!({
        "summary": "Takes events; answers when they are in the log",
        "requestBody": {
            "required": true,
            "description": "One event, or one event a line",
            "content": { "application/json": {}, "application/x-ndjson": {} },
        },
        "responses": {
            "200": { "description": "Every event is durable or refused: how many, and which were refused why" },
            "404": { "description": "This instance takes no events" },
            "413": { "description": "The body is too large" },
            "422": { "description": "Every event was refused" },
            "503": { "description": "Send them again" },
        },
    })
}

fn post_control() -> Value {
    json!({
        "summary": "What a person says about a source: a back-fill is complete, or lost events will not come any more",
        "requestBody": {
            "required": true,
            "description": "type source.closed with topic, or source.gap_accepted with topic, partition, from, to",
            "content": { "application/json": {} },
        },
        "responses": {
            "200": { "description": "It holds" },
            "202": { "description": "It is in the log and not yet answered" },
            "404": { "description": "This instance takes no control facts" },
            "409": { "description": "It changes nothing, and why" },
            "422": { "description": "It is not understood, or there is no such source" },
            "503": { "description": "Send it again" },
        },
    })
}
