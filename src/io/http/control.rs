//! `POST /api/v1/control`: what people say about sources, `{"type": "source.closed", "topic": "$http"}`; answered when the
//! engine has.

use super::{Site, problem};
use crate::engine::record::{Control, ControlKind};
use crate::io::control::{self, Answer};
use crate::io::log::Domain;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The engine is given so long to answer.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn receive(State(site): State<Arc<Site>>, body: Bytes) -> Response {
    let Some(log) = site.log.clone() else {
        return problem(StatusCode::NOT_FOUND, "this instance takes no control facts", "ask one that runs");
    };
    let kind = match read(&site, &body) {
        Ok(kind) => kind,
        Err(reason) => return problem(StatusCode::UNPROCESSABLE_ENTITY, &reason, "see /api/v1/openapi.json"),
    };
    let control = Control { id: format!("{}|{}", kind.text(), site.now()), kind };
    let id = control.id.clone();
    let submitted =
        tokio::task::spawn_blocking(move || control::submit(&*log, Domain(0), &control, PATIENCE)).await;
    match submitted.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(Answer::Accepted) => Json(json!({ "id": id, "answer": "accepted" })).into_response(),
        Ok(Answer::Rejected(reason)) => problem(StatusCode::CONFLICT, &reason, "nothing has changed"),
        Ok(Answer::Waiting) => {
            let waiting = json!({ "id": id, "answer": "waiting" });
            (StatusCode::ACCEPTED, Json(waiting)).into_response()
        }
        Err(reason) => problem(StatusCode::SERVICE_UNAVAILABLE, &reason, "send it again"),
    }
}

fn read(site: &Site, body: &[u8]) -> Result<ControlKind, String> {
    let kind: ControlKind = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    control::check(&kind, &site.model.snapshot().definitions.sources)?;
    Ok(kind)
}
