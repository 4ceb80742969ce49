//! A refused event as it stands in `dead-letters`: reason, position, hash and the beginning of the original.

use super::outbox::Parcel;
use crate::engine::output::{DeadLetter, Output};
use crate::io::source::Origin;
use crate::wire::refusal::Refusal;
use crate::wire::results::{self, Document};
use sha2::{Digest, Sha256};

/// So many bytes of the original are kept.
const KEPT: usize = 64 * 1024;

pub(super) fn of(origin: &Origin, offset: i64, refusal: &Refusal, original: &[u8]) -> Parcel {
    let kept = &original[..original.len().min(KEPT)];
    let Document { key, value, .. } = results::document(&Output::DeadLetter(DeadLetter {
        topic: origin.topic.clone(),
        partition: origin.partition,
        offset,
        reason: refusal.word().to_owned(),
        detail: refusal.to_string(),
        id: refusal.id.as_deref().map(str::to_owned),
        sha256: Some(Sha256::digest(original).iter().map(|byte| format!("{byte:02x}")).collect()),
        original: Some(String::from_utf8_lossy(kept).into_owned()),
    }));
    Parcel::letter(key, value)
}
