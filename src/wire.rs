//! Bytes to types and back, pure: the only place where payloads are read and written.
//!
//! ```text
//!  event JSON ── native ──▶ Event / Refusal          one event of a producer
//!  Facts ── batch ──▶ facts record ── record ──▶ engine::record::Record      what the log keeps
//!  engine::output::Output ── results ──▶ key, JSON    what the output topics carry
//! ```

pub mod batch;
pub mod instant;
pub mod native;
pub mod refusal;
pub mod results;
pub mod schema;
pub mod varint;

use crate::engine::record::{Body, Record};
use crate::model::units::LogTime;

/// Decodes one record of `facts`. Bytes that are none become [`Body::Unreadable`] with the reason: the engine skips
/// and records them.
pub fn record(offset: i64, append_ms: i64, bytes: &[u8]) -> Record<'_> {
    record_into(offset, append_ms, bytes, Vec::new())
}

/// As [`record`], with a vector whose memory is used again; see [`batch::recycle`].
pub fn record_into<'a>(
    offset: i64,
    append_ms: i64,
    bytes: &'a [u8],
    facts: Vec<crate::model::fact::Fact<'a>>,
) -> Record<'a> {
    let body = match bytes.first() {
        Some(&batch::CONTACTS) => batch::decode(bytes, facts).map(Body::Batch),
        Some(&batch::CONTROL) => batch::decode_control(bytes).map(Body::Control),
        Some(format) => Err(batch::Unreadable::Format(*format)),
        None => Err(batch::Unreadable::Empty),
    };
    let body = body.unwrap_or_else(|reason| Body::Unreadable(reason.to_string()));
    Record { offset, append: LogTime(append_ms), body }
}
