//! HTTP: the shift board, its stream, the API, `/metrics`, health, and the door for events.
//!
//! ```text
//!  ReadModel ──▶ View ──▶ Cells ──▶ page   GET /            server-rendered, works without script
//!                             └───▶ stream GET /events      snapshot, then what changed
//!            ──▶ api                       GET /api/v1/...  JSON, read only
//!  Gauges    ──▶ metrics                   GET /metrics
//!  Door      ◀── POST /api/v1/events       acknowledged when the events are durable
//!  facts     ◀── POST /api/v1/control      answered when the engine has
//!  DemoView  ◀── POST /demo/kill           in the demo only
//! ```
//!
//! No handler blocks, none writes to the model. The caller binds the socket (to loopback, unless told otherwise) and
//! serves [`router`].

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::watch;

use self::demo::DemoView;
use self::metrics::Gauges;
pub use self::metrics::ServiceValue;
use crate::io::log::{AppendClock, Log};
use crate::io::read_model::ReadModel;
use crate::io::source::http::Door;

pub mod api;
pub mod assets;
pub mod board;
pub mod cells;
mod control;
pub mod demo;
pub mod format;
pub mod layout;
pub mod metrics;
mod openapi;
pub mod page;
mod stream;
pub mod texts;

/// Series of single agents on `/metrics`, unless the operator says otherwise.
pub const AGENT_SERIES: usize = 500;

/// What only this origin may do with its own pages.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The service's word about itself.
pub trait Service: Send + Sync {
    /// Whether it can serve; else why not, in a sentence.
    fn ready(&self) -> Result<(), String>;
    /// Its own gauges and counters, beside those of the read model.
    fn values(&self) -> Vec<ServiceValue>;
}

/// Everything that the handlers use.
pub struct Site {
    model: Arc<ReadModel>,
    clock: Arc<dyn AppendClock>,
    gauges: Option<Arc<dyn Gauges>>,
    service: Option<Arc<dyn Service>>,
    events: Option<Door>,
    log: Option<Arc<dyn Log>>,
    demo: Option<Arc<dyn DemoView>>,
    agent_series: usize,
    stop: watch::Receiver<bool>,
    renderings: board::Renderings,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site")
            .field("rate", &self.rate())
            .field("demo", &self.demo.is_some())
            .finish_non_exhaustive()
    }
}

impl Site {
    /// A site over a read model, with the clock that stamps facts.
    pub fn new(model: Arc<ReadModel>, clock: Arc<dyn AppendClock>) -> Self {
        // A receiver whose sender is gone never says stop.
        let (_, stop) = watch::channel(false);
        Self {
            model,
            clock,
            gauges: None,
            service: None,
            events: None,
            log: None,
            demo: None,
            agent_series: AGENT_SERIES,
            stop,
            renderings: board::Renderings::default(),
        }
    }

    /// With gauges from the live view instead of the read model.
    pub fn with_gauges(mut self, gauges: Arc<dyn Gauges>) -> Self {
        self.gauges = Some(gauges);
        self
    }

    /// With readiness and service metrics.
    pub fn with_service(mut self, service: Arc<dyn Service>) -> Self {
        self.service = Some(service);
        self
    }

    /// With a place for posted events.
    pub fn with_events(mut self, events: Door) -> Self {
        self.events = Some(events);
        self
    }

    /// With a log that control facts are appended to.
    pub fn with_control(mut self, log: Arc<dyn Log>) -> Self {
        self.log = Some(log);
        self
    }

    /// As the demo.
    pub fn with_demo(mut self, demo: Arc<dyn DemoView>) -> Self {
        self.demo = Some(demo);
        self
    }

    /// With at most so many agents on `/metrics`; 0 hides them.
    pub fn with_agent_series(mut self, most: usize) -> Self {
        self.agent_series = most;
        self
    }

    /// Streams end when this turns true, so that a drain does not wait for them.
    pub fn with_stop(mut self, stop: watch::Receiver<bool>) -> Self {
        self.stop = stop;
        self
    }

    /// The append clock, epoch milliseconds.
    fn now(&self) -> i64 {
        self.clock.now_ms()
    }

    /// How many of its milliseconds pass in a real one.
    fn rate(&self) -> i64 {
        i64::from(self.clock.rate()).max(1)
    }
}

/// All routes.
pub fn router(site: Arc<Site>) -> Router {
    let events = match &site.events {
        Some(door) => crate::io::source::http::router(door.clone()),
        None => Router::new().route("/api/v1/events", post(no_events)),
    };
    let mut router = Router::new()
        .route("/", get(board::page))
        .route("/events", get(stream::events))
        .route("/assets/{name}", get(assets::asset))
        .route("/favicon.ico", get(assets::favicon))
        .route("/metrics", get(metrics::scrape))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/api/v1/control", post(control::receive))
        .merge(api::routes());
    if site.demo.is_some() {
        router = router.route("/demo/kill", post(demo::kill));
    }
    router
        .with_state(site)
        .merge(events)
        .fallback(|| async { problem(StatusCode::NOT_FOUND, "no such page", "see /api/v1/openapi.json") })
        .layer(middleware::from_fn(only_from_here))
        .layer(middleware::map_response(with_headers))
}

/// An answer that says what is wrong and what to do.
fn problem(status: StatusCode, error: &str, hint: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "error": error, "hint": hint }))).into_response()
}

async fn ready(State(site): State<Arc<Site>>) -> Response {
    match site.service.as_ref().map_or(Ok(()), |service| service.ready()) {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why + "\n").into_response(),
    }
}

async fn no_events() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "this instance takes no events",
        "name a source of kind http in the configuration",
    )
}

/// Browsers send other sites' forms too; what changes something must come from our own pages or from a program.
async fn only_from_here(request: Request, next: Next) -> Response {
    if *request.method() == Method::POST && !is_same_origin(request.headers()) {
        return problem(
            StatusCode::FORBIDDEN,
            "the request comes from another site",
            "send it without Origin",
        );
    }
    next.run(request).await
}

fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, at)| at == host),
        (Some(_), None) => false,
    }
}

async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_another_site_is_told_apart_from_a_program() {
        let headers = |pairs: &[(header::HeaderName, &'static str)]| {
            pairs
                .iter()
                .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
                .collect::<HeaderMap>()
        };
        let host = (header::HOST, "127.0.0.1:8080");
        assert!(is_same_origin(&headers(std::slice::from_ref(&host))));
        assert!(is_same_origin(&headers(&[host.clone(), (header::ORIGIN, "http://127.0.0.1:8080")])));
        assert!(!is_same_origin(&headers(&[host.clone(), (header::ORIGIN, "http://evil.example")])));
        assert!(!is_same_origin(&headers(&[host, (header::ORIGIN, "null")])));
    }
}
