//! Which domains are ours: follows the membership, and starts and ends the threads of each.

use super::clerk::Clerk;
use super::domain::DomainRunner;
use super::status::{DomainStatus, Phase};
use super::{Service, spawn};
use crate::io::log::{Domain, Membership};
use crate::io::stopwatch::Stopwatch;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// One look at the membership.
const LOOK: Duration = Duration::from_millis(100);
/// Pause after a failure to join.
const PAUSE: Duration = Duration::from_millis(500);
/// A domain that another instance has taken is taken back after so long, if it still is ours by then.
const BACK: Duration = Duration::from_secs(1);
/// The name of this part in readiness.
const PART: &str = "membership";

/// Follows the assignment until the service stops, then ends every domain in order.
pub fn run(service: &Arc<Service>) {
    let mut domains = Domains::new(service);
    let mut membership = None;
    while !service.stop.load(Ordering::Relaxed) {
        match membership.take().map_or_else(|| service.log.join(), Ok) {
            Ok(member) => domains.follow(&mut **membership.insert(member)),
            Err(retry) => {
                service.trouble(PART, Some(retry.0));
                std::thread::sleep(PAUSE);
            }
        }
    }
    domains.end();
}

struct Domains<'a> {
    service: &'a Arc<Service>,
    /// Whether the membership has ever said what is ours.
    joined: bool,
    assigned: BTreeSet<Domain>,
    running: BTreeMap<Domain, Running>,
    /// When each was found to be another's.
    lost: BTreeMap<Domain, Stopwatch>,
}

/// The threads of one domain.
struct Running {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl<'a> Domains<'a> {
    fn new(service: &'a Arc<Service>) -> Self {
        let (running, lost) = (BTreeMap::new(), BTreeMap::new());
        Self { service, joined: false, assigned: BTreeSet::new(), running, lost }
    }

    fn follow(&mut self, membership: &mut dyn Membership) {
        match membership.poll(LOOK) {
            Ok(changed) => {
                if let Some(assigned) = changed {
                    tracing::info!(domains = ?assigned.iter().map(|domain| domain.0).collect::<Vec<_>>(), "assigned");
                    (self.assigned, self.joined) = (assigned, true);
                }
                if self.joined {
                    self.service.trouble(PART, None);
                }
            }
            Err(retry) => self.service.trouble(PART, Some(retry.0)),
        }
        self.reconcile();
    }

    /// Ends what is not ours any more, and begins what is, once what ran for it before has ended.
    fn reconcile(&mut self) {
        for (domain, running) in &self.running {
            running.stop.fetch_or(!self.assigned.contains(domain), Ordering::Relaxed);
        }
        let ended: Vec<Domain> = self
            .running
            .iter()
            .filter(|(_, running)| running.thread.is_finished())
            .map(|(d, _)| *d)
            .collect();
        for domain in ended {
            self.bury(domain);
        }
        for domain in self.assigned.clone() {
            let rests = self.lost.get(&domain).is_some_and(|lost| !lost.has(BACK));
            if !rests && !self.running.contains_key(&domain) && !self.service.stop.load(Ordering::Relaxed) {
                self.begin(domain);
            }
        }
    }

    fn bury(&mut self, domain: Domain) {
        let Some(running) = self.running.remove(&domain) else { return };
        if running.thread.join().is_err() {
            self.service.fail(format!("the threads of domain {domain} panicked"));
        }
        match self.status(domain).phase() {
            Phase::Lost(_) => drop(self.lost.insert(domain, Stopwatch::start())),
            Phase::Failed(reason) => self.service.fail(reason),
            _ => {}
        }
    }

    fn begin(&mut self, domain: Domain) {
        let stop = Arc::new(AtomicBool::new(false));
        match self.start(domain, stop.clone()) {
            Ok(thread) => drop(self.running.insert(domain, Running { stop, thread })),
            Err(error) => self.service.fail(format!("domain {domain}: {error:#}")),
        }
    }

    fn start(&self, domain: Domain, stop: Arc<AtomicBool>) -> anyhow::Result<JoinHandle<()>> {
        let service = self.service;
        let runner = DomainRunner {
            log: service.log.clone(),
            domain,
            view: service.view.clone(),
            status: self.status(domain),
            clerk: Clerk::start(service.log.clone(), domain)?,
            snapshot_every: service.config.snapshots.every,
            stop,
            observer: None,
        };
        spawn(&format!("engine-{domain}"), move || runner.run())
    }

    fn status(&self, domain: Domain) -> Arc<DomainStatus> {
        let mut domains = self.service.domains.lock().unwrap_or_else(PoisonError::into_inner);
        domains.entry(domain).or_insert_with(|| Arc::new(DomainStatus::new(domain.0))).clone()
    }

    /// Every domain drains.
    fn end(&mut self) {
        self.running.values().for_each(|running| running.stop.store(true, Ordering::Relaxed));
        for domain in self.running.keys().copied().collect::<Vec<_>>() {
            self.bury(domain);
        }
    }
}
