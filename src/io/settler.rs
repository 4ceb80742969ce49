//! The settler: re-reads the facts of contacts that have left the engine's memory.
//!
//! The engine never guesses about an old contact. It sets the late fact aside and asks; the settler reads the contact's
//! earlier facts from the log, judged as the engine judged them, and appends them as `late.settled`.

use super::log::{Domain, Log, ReadError, Start, Topic};
use crate::engine::HeldFact;
use crate::engine::clock::{AHEAD_LIMIT, Clocks};
use crate::engine::record::{Batch, Body, Control, ControlKind, Facts};
use crate::model::units::LogTime;
use crate::wire;
use std::collections::BTreeMap;
use std::time::Duration;

/// Contacts to be settled, each with the offset below which its earlier facts stand.
pub type Request = Vec<(String, i64)>;

/// Reads the earlier facts of all requested contacts in one pass over the facts; one answer each, in the order of the request.
///
/// # Errors
/// The log cannot be read now, or is broken; nothing has changed then.
pub fn settle(log: &dyn Log, domain: Domain, request: &Request) -> Result<Vec<Control>, ReadError> {
    let mut reader =
        log.tail(Topic::Facts, domain, Start::Beginning).map_err(|retry| ReadError::Retry(retry.0))?;
    let to = request.iter().map(|(_, since)| *since).max().unwrap_or(0);
    let mut found = Found::new(request);
    let mut clocks = Clocks::default();
    loop {
        let Some(record) = reader.poll(Duration::from_millis(200))? else {
            if reader.caught_up() {
                break;
            }
            continue;
        };
        if record.offset >= to {
            break;
        }
        let decoded = wire::record(record.offset, record.append_ms, &record.value);
        clocks.hear(decoded.append);
        if let Body::Batch(batch) = &decoded.body {
            found.take(&mut clocks, batch, decoded.append, record.offset);
        }
    }
    Ok(request.iter().filter_map(|(contact, _)| found.control(contact)).collect())
}

struct Found {
    contacts: BTreeMap<String, (i64, Vec<HeldFact>)>,
}

impl Found {
    fn new(request: &Request) -> Self {
        Self { contacts: request.iter().map(|(id, since)| (id.clone(), (*since, Vec::new()))).collect() }
    }

    fn take(&mut self, clocks: &mut Clocks, batch: &Batch, append: LogTime, offset: i64) {
        let admission = clocks.admit(batch);
        let latest = clocks.live().max(append).0.saturating_add(AHEAD_LIMIT);
        for fact in batch.facts.iter().filter(|fact| admission.admits(fact.offset) && fact.time.0 <= latest) {
            let Some((since, facts)) = fact.contact.and_then(|contact| self.contacts.get_mut(contact)) else {
                continue;
            };
            if offset < *since {
                facts.push(HeldFact::of(fact));
            }
        }
    }

    fn control(&mut self, contact: &str) -> Option<Control> {
        let (contact, (since, facts)) = self.contacts.remove_entry(contact)?;
        let id = format!("settled|{contact}|{since}");
        Some(Control { id, kind: ControlKind::Settled { contact, facts: Facts(facts) } })
    }
}
