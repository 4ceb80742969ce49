//! The auditor: after a cut it reads the ledger and looks for every line that the cut must have.
//!
//! Transactions alone are not enough for pay: payroll takes audited revisions only.

use super::log::{Domain, Log, ReadError, Reader, Record, Start, Topic};
use super::stopwatch::Stopwatch;
use crate::engine::record::{Control, ControlKind};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;

/// A cut to be audited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Such as `2026-10`.
    pub period: String,
    /// Revision.
    pub revision: u32,
    /// The keys that must stand on the ledger.
    pub keys: Vec<String>,
}

/// Reads the ledger and says what was found, as a control fact. Audits of one and the same ledger say the same, so that a
/// repeated one is harmless.
///
/// What is committed may come to be read a moment later, so lines that are not there are waited for up to `patience`. A key
/// that stands twice with different contents counts as missing: nobody can say which one is right.
///
/// # Errors
/// The ledger cannot be read now.
pub fn audit(
    log: &dyn Log,
    domain: Domain,
    request: &Request,
    patience: Duration,
) -> Result<Control, ReadError> {
    let mut ledger = Lines::open(log, domain)?;
    let since = Stopwatch::start();
    ledger.read_on()?;
    while !request.keys.iter().all(|key| ledger.hash(key).is_some()) && !since.has(patience) {
        ledger.read_on()?;
    }
    Ok(verdict(request, &ledger))
}

fn verdict(request: &Request, ledger: &Lines) -> Control {
    let Request { period, revision, keys } = request.clone();
    let missing: Vec<String> = keys.iter().filter(|key| ledger.hash(key).is_none()).cloned().collect();
    if !missing.is_empty() {
        tracing::warn!(period, revision, missing = missing.len(), "lines of a cut are missing on the ledger");
        let id = format!("audit|{period}|{revision}|missing|{}", ledger.end);
        return Control { id, kind: ControlKind::AuditMissing { period, revision, keys: missing } };
    }
    let mut digest = Sha256::new();
    for (key, hash) in keys.iter().filter_map(|key| Some((key, ledger.hash(key)?))) {
        digest.update(key.as_bytes());
        digest.update(hash);
    }
    let digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let id = format!("audit|{period}|{revision}|passed");
    Control { id, kind: ControlKind::AuditPassed { period, revision, digest } }
}

/// Every key of the ledger with the hash of its content; without one where contents differ.
struct Lines {
    reader: Box<dyn Reader>,
    lines: BTreeMap<String, Option<[u8; 32]>>,
    /// The offset after the last line that was read.
    end: i64,
}

impl Lines {
    fn open(log: &dyn Log, domain: Domain) -> Result<Self, ReadError> {
        let reader =
            log.tail(Topic::Ledger, domain, Start::Beginning).map_err(|retry| ReadError::Retry(retry.0))?;
        Ok(Self { reader, lines: BTreeMap::new(), end: 0 })
    }

    fn hash(&self, key: &str) -> Option<[u8; 32]> {
        self.lines.get(key).copied().flatten()
    }

    /// Reads to the end of now.
    fn read_on(&mut self) -> Result<(), ReadError> {
        loop {
            match self.reader.poll(Duration::from_millis(200))? {
                Some(record) => self.note(&record),
                None if self.reader.caught_up() => return Ok(()),
                None => {}
            }
        }
    }

    fn note(&mut self, record: &Record) {
        self.end = record.offset + 1;
        let key = String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned();
        let hash: [u8; 32] = Sha256::digest(&record.value).into();
        let line = self.lines.entry(key.clone()).or_insert(Some(hash));
        if *line != Some(hash) {
            tracing::error!(
                key,
                offset = record.offset,
                "a ledger line stands twice with different contents"
            );
            *line = None;
        }
    }
}
