//! Definitions are data in the log: seeded on an empty one, compared on every start, changed only on demand.

use super::Service;
use super::clerk::append;
use super::status::{DomainStatus, Phase};
use crate::engine::definitions::Definitions;
use crate::engine::record::{Control, ControlKind};
use crate::io::log::{Domain, Start, Topic};
use crate::wire::batch::encode_control;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Writes the definitions to every domain whose facts are empty, before anybody can write an event.
pub fn seed(service: &Service) -> anyhow::Result<()> {
    for domain in (0..service.log.domains()).map(Domain) {
        let mut facts =
            retry(|| service.log.tail(Topic::Facts, domain, Start::Beginning).map_err(|retry| retry.0))?;
        let (_, end) = retry(|| facts.bounds().map_err(|error| error.to_string()))?;
        if end == 0 {
            tracing::info!(%domain, "the log is empty: its first record is the definitions of the files");
            activate(service, domain, &service.definitions, "first")?;
        }
    }
    Ok(())
}

/// Appends `definitions.activated`; `occasion` tells one activation of the same definitions from another.
pub fn activate(
    service: &Service,
    domain: Domain,
    definitions: &Definitions,
    occasion: &str,
) -> anyhow::Result<()> {
    let hash = definitions.hash();
    let kind = ControlKind::Definitions { definitions: Box::new(definitions.clone()) };
    let control = Control { id: format!("definitions|{hash}|{occasion}"), kind };
    let mut appender = service.log.appender(domain);
    append(&mut *appender, &encode_control(&control))
        .map_err(|reason| anyhow::anyhow!("definitions of domain {domain}: {reason}"))
}

/// Once the engine has caught up: the definitions in the log must be those of the files, or are changed with `apply`.
pub fn watch(service: &Service, domain: Domain, status: &DomainStatus, stop: &AtomicBool, apply: bool) {
    while !stop.load(Ordering::Relaxed) && status.phase() != Phase::Ready {
        std::thread::sleep(Duration::from_millis(20));
    }
    let Some(active) = status.definitions().filter(|active| *active != service.definitions) else { return };
    let lines = super::super::definitions::differences(&active, &service.definitions);
    if apply {
        let now = service.clock.now_ms().to_string();
        match activate(service, domain, &service.definitions, &now) {
            Ok(()) => tracing::info!(%domain, changes = lines.len(), "definitions activated"),
            Err(error) => service.fail(error.to_string()),
        }
        return;
    }
    service.fail(format!(
        "the definitions in the log differ from the files; start with --apply to activate the files:\n{}",
        lines.join("\n")
    ));
}

fn retry<T>(mut attempt: impl FnMut() -> Result<T, String>) -> anyhow::Result<T> {
    let mut last = String::new();
    for _ in 0..60 {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(reason) => last = reason,
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    anyhow::bail!("the log cannot be read: {last}")
}
