//! `/api/v1`: the documents as JSON, read only. What the board shows can be asked for here, and nothing else.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::{Site, openapi, problem};
use crate::engine::output::{Ledger, SubjectKind};
use crate::io::read_model::{Episode, LedgerLine};

/// Ledger lines in one answer, unless asked for another number.
const LINES: usize = 1_000;

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/api/v1/queues", get(|site| subjects(site, SubjectKind::Queue)))
        .route("/api/v1/queues/{id}", get(|site, id| subject(site, SubjectKind::Queue, id)))
        .route("/api/v1/agents", get(|site| subjects(site, SubjectKind::Agent)))
        .route("/api/v1/agents/{id}", get(|site, id| subject(site, SubjectKind::Agent, id)))
        .route("/api/v1/teams", get(|site| subjects(site, SubjectKind::Team)))
        .route("/api/v1/teams/{id}", get(|site, id| subject(site, SubjectKind::Team, id)))
        .route("/api/v1/unit", get(unit))
        .route("/api/v1/trends/{queue}", get(trend))
        .route("/api/v1/alerts", get(alerts))
        .route("/api/v1/scores", get(scores))
        .route("/api/v1/clock", get(clock))
        .route("/api/v1/ledger", get(ledger))
        .route("/api/v1/definitions", get(definitions))
        .route("/api/v1/openapi.json", get(|| async { Json(openapi::document()) }))
}

async fn subjects(State(site): State<Arc<Site>>, kind: SubjectKind) -> Response {
    let documents = site.model.snapshot();
    Json(documents.lives(kind).map(AsRef::as_ref).collect::<Vec<_>>()).into_response()
}

async fn subject(State(site): State<Arc<Site>>, kind: SubjectKind, Path(id): Path<String>) -> Response {
    match site.model.snapshot().live(kind, &id) {
        Some(live) => Json(live.as_ref()).into_response(),
        None => problem(
            StatusCode::NOT_FOUND,
            &format!("{id} is not known"),
            "the list without an identifier names all",
        ),
    }
}

async fn unit(State(site): State<Arc<Site>>) -> Response {
    match site.model.snapshot().lives(SubjectKind::Unit).next() {
        Some(live) => Json(live.as_ref()).into_response(),
        None => problem(StatusCode::NOT_FOUND, "the unit has no values yet", "wait for the first event"),
    }
}

async fn trend(State(site): State<Arc<Site>>, Path(queue): Path<String>) -> Response {
    match site.model.snapshot().trends.get(&queue) {
        Some(trend) => Json(trend.as_ref()).into_response(),
        None => problem(
            StatusCode::NOT_FOUND,
            &format!("{queue} has no trend"),
            "/api/v1/queues names all queues",
        ),
    }
}

/// Which alerts are wanted.
#[derive(Debug, Deserialize)]
struct WantedAlerts {
    open: Option<bool>,
}

async fn alerts(State(site): State<Arc<Site>>, Query(wanted): Query<WantedAlerts>) -> Response {
    let documents = site.model.snapshot();
    let all = documents.episodes.values().rev();
    let wanted = all.filter(|episode| wanted.open.is_none_or(|open| documents.is_open(episode) == open));
    Json(wanted.map(episode).collect::<Vec<_>>()).into_response()
}

fn episode(episode: &Episode) -> serde_json::Value {
    json!({ "alert": episode.alert.as_ref(), "fired": episode.fired, "resolved": episode.resolved })
}

/// Which scores are wanted.
#[derive(Debug, Deserialize)]
struct WantedScores {
    period: Option<String>,
    agent: Option<String>,
}

async fn scores(State(site): State<Arc<Site>>, Query(wanted): Query<WantedScores>) -> Response {
    let documents = site.model.snapshot();
    let newest = documents.scores.keys().next_back().map(|(period, _, _)| period.clone());
    let period = wanted.period.or(newest).unwrap_or_default();
    let mine = |agent: &str| wanted.agent.as_deref().is_none_or(|wanted| wanted == agent);
    let scores = documents.scores.iter().filter(|((of, agent, _), _)| *of == period && mine(agent));
    Json(scores.map(|(_, score)| score.as_ref()).collect::<Vec<_>>()).into_response()
}

async fn clock(State(site): State<Arc<Site>>) -> Response {
    let documents = site.model.snapshot();
    Json(documents.clocks.values().map(AsRef::as_ref).collect::<Vec<_>>()).into_response()
}

/// Which lines of the ledger are wanted.
#[derive(Debug, Deserialize)]
struct WantedLines {
    period: Option<String>,
    r#type: Option<String>,
    limit: Option<usize>,
}

async fn ledger(State(site): State<Arc<Site>>, Query(wanted): Query<WantedLines>) -> Response {
    let documents = site.model.snapshot();
    let mut lines: Vec<&LedgerLine> =
        documents.ledger.values().filter(|line| wanted.has(&line.line)).collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.offset));
    lines.truncate(wanted.limit.unwrap_or(LINES));
    let lines = lines.iter().map(|line| json!({ "offset": line.offset, "line": line.line.as_ref() }));
    Json(lines.collect::<Vec<_>>()).into_response()
}

impl WantedLines {
    fn has(&self, line: &Ledger) -> bool {
        let (kind, period) = match line {
            Ledger::Final { score, .. } => ("final", Some(&score.period)),
            Ledger::Cut { period, .. } => ("cut", Some(period)),
            Ledger::UnitTable { period, .. } => ("unit_table", Some(period)),
            Ledger::Audited { period, .. } => ("audited", Some(period)),
            Ledger::Accepted { .. } => ("accepted", None),
            Ledger::Rejected { .. } => ("rejected", None),
            Ledger::Skipped { .. } => ("skipped", None),
        };
        self.r#type.as_deref().is_none_or(|wanted| wanted == kind)
            && self.period.as_ref().is_none_or(|wanted| Some(wanted) == period)
    }
}

async fn definitions(State(site): State<Arc<Site>>) -> Response {
    Json(site.model.snapshot().definitions.as_ref()).into_response()
}
