//! Definitions are data in the log: written on an empty one, compared at every start, changed only on demand.
//!
//! The comparison needs no engine and no turn in the group, so that every instance is refused at its own start and not when
//! it is to take over from another one.

use super::Service;
use crate::engine::definitions::Definitions;
use crate::engine::record::{Body, Control, ControlKind};
use crate::io::control::append;
use crate::io::log::{Domain, ReadError, Start, Topic};
use crate::wire::batch::encode_control;
use anyhow::{Context, bail};
use std::time::Duration;

/// So many attempts to read, half a second apart.
const ATTEMPTS: usize = 60;

/// Makes the log hold the definitions of the files: at once where it has none, with `apply` where it has others.
///
/// # Errors
/// The log has others and `apply` is not set: says what differs. Or the log cannot be read or written.
pub fn agree(service: &Service, apply: bool) -> anyhow::Result<()> {
    for domain in (0..service.log.domains()).map(Domain) {
        match active(service, domain)? {
            Active::None => {
                tracing::info!(%domain, "the log has no definitions yet: those of the files come first");
                activate(service, domain, "first")?;
            }
            Active::Ours => {}
            Active::Others(known) => {
                let lines = known.map_or_else(
                    || vec!["what differs cannot be told: the record that activated them is gone".to_owned()],
                    |known| crate::app::definitions::differences(&known, &service.definitions),
                );
                if !apply {
                    bail!(
                        "the definitions in the log differ from the files; start with --apply to activate the files:\n{}",
                        lines.join("\n")
                    );
                }
                activate(service, domain, &service.clock.now_ms().to_string())?;
                lines.iter().for_each(|line| tracing::info!(%domain, "definitions activated: {line}"));
            }
        }
    }
    Ok(())
}

/// Which definitions hold in a domain, or will once everything in its log is folded.
enum Active {
    None,
    Ours,
    /// The others, if they can still be read.
    Others(Option<Box<Definitions>>),
}

fn active(service: &Service, domain: Domain) -> anyhow::Result<Active> {
    let ours = service.definitions.hash();
    let committed = retry(|| service.log.committed(domain).map_err(|retry| ReadError::Retry(retry.0)))?;
    let next = committed.as_ref().map_or(Start::Beginning, |committed| Start::Offset(committed.next));
    if let Some(newest) = retry(|| newest(service, domain, next, None))? {
        return Ok(if newest.hash() == ours { Active::Ours } else { Active::Others(Some(newest)) });
    }
    let Some(committed) = committed else { return Ok(Active::None) };
    let hash = committed.metadata.definitions;
    if hash == ours {
        return Ok(Active::Ours);
    }
    if hash.is_empty() {
        return Ok(Active::None);
    }
    Ok(Active::Others(retry(|| newest(service, domain, Start::Beginning, Some(&hash)))?))
}

/// The last definitions among the facts (of this hash).
fn newest(
    service: &Service,
    domain: Domain,
    from: Start,
    hash: Option<&str>,
) -> Result<Option<Box<Definitions>>, ReadError> {
    let tail = service.log.tail(Topic::Facts, domain, from);
    let mut facts = tail.map_err(|retry| ReadError::Retry(retry.0))?;
    let mut newest = None;
    loop {
        let Some(record) = facts.poll(Duration::from_millis(200))? else {
            if facts.caught_up() {
                return Ok(newest);
            }
            continue;
        };
        let decoded = crate::wire::record(record.offset, record.append_ms, &record.value);
        if let Body::Control(Control { kind: ControlKind::Definitions { definitions }, .. }) = decoded.body
            && hash.is_none_or(|hash| hash == definitions.hash())
        {
            newest = Some(definitions);
        }
    }
}

/// Appends `definitions.activated`; `occasion` tells one activation of the same definitions from another.
fn activate(service: &Service, domain: Domain, occasion: &str) -> anyhow::Result<()> {
    let definitions = &service.definitions;
    let kind = ControlKind::Definitions { definitions: Box::new(definitions.clone()) };
    let control = Control { id: format!("definitions|{}|{occasion}", definitions.hash()), kind };
    append(&mut *service.log.appender(domain), &encode_control(&control))
        .map_err(|reason| anyhow::anyhow!(reason))
        .with_context(|| format!("definitions of domain {domain}"))
}

fn retry<T>(mut attempt: impl FnMut() -> Result<T, ReadError>) -> anyhow::Result<T> {
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(ReadError::Retry(reason)) => last = reason,
            Err(broken) => return Err(broken.into()),
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    bail!("the log cannot be read: {last}")
}
