//! The tails: what the engines have said, read back from the log into the read model and pushed to Alertmanager.
//!
//! Every instance reads the same topics, so any of them shows the same.

use super::{Service, spawn};
use crate::io::alertmanager::AlertPusher;
use crate::io::log::{Domain, Log, ReadError, Reader, Start, Topic};
use crate::io::read_model::ReadModel;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// The topics that the read model is made of.
const TOPICS: [Topic; 4] = [Topic::Ledger, Topic::Alerts, Topic::ScoresLive, Topic::KpiLive];

/// Starts a tail for each topic and domain, and a pusher for each Alertmanager.
pub fn start(service: &Arc<Service>) -> anyhow::Result<Vec<JoinHandle<()>>> {
    service.model.define(service.definitions.clone());
    let mut threads = Vec::new();
    for domain in (0..service.log.domains()).map(Domain) {
        for topic in TOPICS {
            let service = service.clone();
            threads.push(spawn(&format!("tail-{}", topic.suffix()), move || {
                if let Err(reason) = follow(&*service.log, topic, domain, &service.model, &service.stop) {
                    service.fail(format!("{}: {reason}", topic.suffix()));
                }
            })?);
        }
    }
    for url in &service.config.alertmanager.urls {
        let (service, url) = (service.clone(), url.clone());
        threads.push(spawn("pusher", move || push(&service, &url))?);
    }
    Ok(threads)
}

/// Follows one topic into the read model until told to stop.
pub fn follow(
    log: &dyn Log,
    topic: Topic,
    domain: Domain,
    model: &ReadModel,
    stop: &AtomicBool,
) -> Result<(), String> {
    let mut reader: Option<Box<dyn Reader>> = None;
    while !stop.load(Ordering::Relaxed) {
        let Some(open) = &mut reader else {
            reader = log.tail(topic, domain, Start::Beginning).map_err(|_| pause()).ok();
            continue;
        };
        let mut records = Vec::new();
        let outcome = loop {
            let wait = if records.is_empty() { Duration::from_millis(50) } else { Duration::ZERO };
            match open.poll(wait) {
                Ok(Some(record)) => records.push(record),
                other => break other,
            }
            if records.len() >= 1_000 {
                break Ok(None);
            }
        };
        if !records.is_empty() {
            model.apply(records.iter().map(|record| (topic, record)));
        }
        match outcome {
            Ok(_) => {}
            Err(ReadError::Retry(_)) => pause(),
            Err(ReadError::Broken(reason)) => return Err(reason),
        }
    }
    Ok(())
}

fn pause() {
    std::thread::sleep(Duration::from_millis(200));
}

fn push(service: &Service, url: &str) {
    let counters = service.meters.pusher(url);
    let mut pusher = AlertPusher::new(url, service.config.push_terms(), &*service.clock, &counters);
    if let Err(error) = pusher.run(&*service.log, &service.stop) {
        service.fail(format!("alerts: {error}"));
    }
}
