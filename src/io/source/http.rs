//! Events by HTTP POST, acknowledged when they are durable in `facts`.
//!
//! ```text
//!  POST ──▶ Door::send ──bounded queue──▶ HttpSource::poll ──▶ intake ──▶ facts
//!   ▲                                                                       │
//!   └───────────── receipt: how many, which were refused ◀── commit ◀───────┘
//! ```
//!
//! Every start is a life of its own, whose positions begin at 0: what a dead or frozen process still had on its way cannot
//! be taken for what its successor was given, nor that for a repeat. What was not acknowledged may be sent again: events
//! have identifiers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{Found, Origin, Resume, Sink, Slot, Source, SourceError};
use crate::wire::native::{self, CustomerKey};

/// Largest body in bytes.
pub const MAX_BODY: usize = 16 << 20;
/// Bytes of all bodies that wait for their receipt.
const WAITING_BYTES: usize = 16 << 20;
/// Bodies that wait to be read.
const WAITING_POSTS: usize = 1_024;
const SLOT: Slot = Slot(0);

/// The answer to a POST: every event is in the log, or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Events that are facts now.
    pub accepted: usize,
    /// Events that were refused; they are in `dead-letters` too.
    pub refused: Vec<RefusedLine>,
}

/// One refused event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedLine {
    /// Line of the body, counted from 1.
    pub line: usize,
    /// Machine word, such as `missing`.
    pub reason: &'static str,
    /// Field; empty when it is the event as a whole.
    pub field: String,
    /// One sentence.
    pub detail: String,
}

/// Why a POST was not taken: send it again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// Too much is waiting.
    #[error("too many events are waiting; send them again in a moment")]
    Busy,
    /// The intake is stopping, so nobody knows whether they were appended.
    #[error("the intake is stopping; send them again")]
    Stopping,
}

struct Post {
    body: Bytes,
    lines: Vec<std::ops::Range<usize>>,
    receipt: Receipt,
    reply: oneshot::Sender<Receipt>,
    _room: OwnedSemaphorePermit,
}

/// Where events come in; cheap to clone.
#[derive(Clone)]
pub struct Door {
    posts: SyncSender<Post>,
    room: Arc<Semaphore>,
    key: CustomerKey,
}

/// The other side of the door, for the intake's loop.
pub struct HttpSource {
    origin: Origin,
    life: u64,
    posts: Receiver<Post>,
    /// Posts that wait to become durable, with the position after their last event.
    open: VecDeque<(i64, Post)>,
    next: Option<i64>,
}

/// A door and its source. `life` is another one at every start and in every instance.
pub fn open(origin: Origin, life: u64, key: CustomerKey) -> (Door, HttpSource) {
    let (sender, posts) = sync_channel(WAITING_POSTS);
    let door = Door { posts: sender, room: Arc::new(Semaphore::new(WAITING_BYTES)), key };
    (door, HttpSource { origin, life, posts, open: VecDeque::new(), next: None })
}

impl Door {
    /// Hands events in and waits until they are durable. `lines`: one event a line; else the body is one event.
    pub async fn send(&self, body: Bytes, lines: bool) -> Result<Receipt, Closed> {
        let room = u32::try_from(body.len()).map_err(|_| Closed::Busy)?;
        let room = self.room.clone().try_acquire_many_owned(room).map_err(|_| Closed::Busy)?;
        let lines = if lines { split(&body) } else { vec![(1, 0..body.len())] };
        let refused: Vec<RefusedLine> =
            lines.iter().filter_map(|(n, at)| self.refusal(*n, &body[at.clone()])).collect();
        let receipt = Receipt { accepted: lines.len() - refused.len(), refused };
        if lines.is_empty() {
            return Ok(receipt);
        }
        let lines = lines.into_iter().map(|(_, at)| at).collect();
        let (reply, answer) = oneshot::channel();
        self.posts.try_send(Post { body, lines, receipt, reply, _room: room }).map_err(|e| match e {
            TrySendError::Full(_) => Closed::Busy,
            TrySendError::Disconnected(_) => Closed::Stopping,
        })?;
        answer.await.map_err(|_| Closed::Stopping)
    }

    fn refusal(&self, line: usize, bytes: &[u8]) -> Option<RefusedLine> {
        let refusal = native::read(bytes, &self.key).err()?;
        let (reason, field) = (refusal.word(), refusal.field.to_string());
        Some(RefusedLine { line, reason, field, detail: refusal.to_string() })
    }
}

/// The lines that are not empty, with their numbers.
fn split(body: &[u8]) -> Vec<(usize, std::ops::Range<usize>)> {
    let mut start = 0;
    let lines = body.split(|byte| *byte == b'\n').enumerate().map(|(n, line)| {
        let range = start..start + line.len();
        start = range.end + 1;
        (n + 1, range)
    });
    lines.filter(|(_, at)| !body[at.clone()].trim_ascii().is_empty()).collect()
}

impl Source for HttpSource {
    fn poll(&mut self, wait: Duration, sink: &mut dyn Sink) -> Result<usize, SourceError> {
        let mut next = self.next.unwrap_or_else(|| {
            let found = Found { committed: None, first: 0, end: i64::MAX, life: Some(self.life) };
            let resume = sink.assigned(SLOT, &self.origin, &found);
            // Whoever posts waits for the answer, so nothing is ever behind.
            sink.caught_up(SLOT, true);
            resume.position
        });
        self.next = Some(next);
        let post = match self.posts.recv_timeout(wait) {
            Ok(post) => post,
            Err(RecvTimeoutError::Timeout) => return Ok(0),
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::park_timeout(wait);
                return Ok(0);
            }
        };
        for at in &post.lines {
            sink.event(SLOT, next, 0, &post.body[at.clone()]);
            next += 1;
        }
        let count = post.lines.len();
        self.next = Some(next);
        self.open.push_back((next, post));
        Ok(count)
    }

    /// Answers everybody whose events are durable.
    fn commit(&mut self, _: Slot, at: Resume) {
        while self.open.front().is_some_and(|(end, _)| *end <= at.position) {
            if let Some((_, post)) = self.open.pop_front() {
                // Who has hung up does not hear it.
                let _ = post.reply.send(post.receipt);
            }
        }
    }

    /// One partition is nobody's slowest; the door closes by itself when too much waits.
    fn hold(&mut self, _: Slot, _: bool) {}

    fn seek(&mut self, _: Slot, _: i64) -> Result<(), SourceError> {
        Err(SourceError::Broken("posted events are not kept".into()))
    }

    fn is_awaited(&self) -> bool {
        !self.open.is_empty()
    }
}

/// `POST /api/v1/events`: NDJSON (`application/x-ndjson`, or several lines) or one JSON object.
///
/// 200 with a [`Receipt`] when every event is durable or refused, 413 for a body over [`MAX_BODY`], 422 when all were refused,
/// 503 when the events have to be sent again.
pub fn router(door: Door) -> Router {
    Router::new()
        .route("/api/v1/events", post(receive))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(door)
}

async fn receive(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let lines = kind.contains("ndjson") || serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_err();
    match door.send(body, lines).await {
        Ok(receipt) if receipt.accepted == 0 && !receipt.refused.is_empty() => {
            (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(receipt)).into_response()
        }
        Ok(receipt) => axum::Json(receipt).into_response(),
        Err(closed) => {
            let body = axum::Json(serde_json::json!({ "error": closed.to_string() }));
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], body).into_response()
        }
    }
}
