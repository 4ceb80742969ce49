//! The auditor: after a cut it reads the ledger and looks for every line that the cut must have.
//!
//! Transactions alone are not enough for pay: payroll takes audited revisions only.

use super::log::{Domain, Log, ReadError, Start, Topic};
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

/// Reads the ledger and says what was found, as a control fact. `attempt` tells repeated audits apart.
///
/// A key that stands twice with different contents counts as missing: nobody can say which one is right.
///
/// # Errors
/// The ledger cannot be read now.
pub fn audit(log: &dyn Log, domain: Domain, request: &Request, attempt: u32) -> Result<Control, ReadError> {
    let lines = ledger(log, domain)?;
    let missing: Vec<String> = request.keys.iter().filter(|key| !lines.contains_key(*key)).cloned().collect();
    let Request { period, revision, keys } = request.clone();
    if !missing.is_empty() {
        let id = format!("audit|{period}|{revision}|missing|{attempt}");
        return Ok(Control { id, kind: ControlKind::AuditMissing { period, revision, keys: missing } });
    }
    let mut digest = Sha256::new();
    for key in &keys {
        digest.update(key.as_bytes());
        digest.update(lines[key]);
    }
    let digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let id = format!("audit|{period}|{revision}|passed");
    Ok(Control { id, kind: ControlKind::AuditPassed { period, revision, digest } })
}

/// Every key of the ledger whose content is one, with the hash of it.
fn ledger(log: &dyn Log, domain: Domain) -> Result<BTreeMap<String, [u8; 32]>, ReadError> {
    let mut reader =
        log.tail(Topic::Ledger, domain, Start::Beginning).map_err(|retry| ReadError::Retry(retry.0))?;
    let mut lines: BTreeMap<String, Option<[u8; 32]>> = BTreeMap::new();
    loop {
        match reader.poll(Duration::from_millis(200))? {
            Some(record) => {
                let key = String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned();
                let hash: [u8; 32] = Sha256::digest(&record.value).into();
                let line = lines.entry(key.clone()).or_insert(Some(hash));
                if *line != Some(hash) {
                    tracing::error!(
                        key,
                        offset = record.offset,
                        "a ledger line stands twice with different contents"
                    );
                    *line = None;
                }
            }
            None if reader.caught_up() => break,
            None => {}
        }
    }
    Ok(lines.into_iter().filter_map(|(key, hash)| Some((key, hash?))).collect())
}
