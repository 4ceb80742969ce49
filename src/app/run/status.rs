//! How a domain is: written by its threads, read by `/readyz`, `/metrics` and the demo.

use crate::io::http::ServiceValue;
use crate::io::scoring::{Restored, Scoring};
use crate::model::units::LogTime;
use hdrhistogram::Histogram;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a domain's threads are doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Phase {
    /// Not begun.
    #[default]
    Idle,
    /// Taking the domain, reading its snapshot, replaying.
    Restoring,
    /// Folding, but far behind the end of the facts.
    Behind,
    /// Folding as the facts come.
    Ready,
    /// Another instance has it.
    Lost(String),
    /// A person must look.
    Failed(String),
    /// Drained.
    Stopped,
}

/// How one restore went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restore {
    /// Until the former owner was fenced.
    pub fence: Duration,
    /// Until the silent replay was over.
    pub total: Duration,
    /// Until it had caught up; absent until then.
    pub ready: Option<Duration>,
    /// What was read.
    pub what: Restored,
}

/// The status of one domain.
#[derive(Debug)]
pub struct DomainStatus {
    domain: u32,
    inner: Mutex<Inner>,
    kill: AtomicBool,
    restores: AtomicU64,
    commits: AtomicU64,
    next: AtomicI64,
    live: AtomicI64,
    facts: AtomicI64,
    contacts: AtomicI64,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    restore: Restore,
    since: Option<crate::io::stopwatch::Stopwatch>,
    commit_ms: Histogram<u64>,
    snapshot_bytes: usize,
    counters: crate::engine::Counters,
}

impl DomainStatus {
    /// Nothing has happened yet.
    pub fn new(domain: u32) -> Self {
        let commit_ms = Histogram::new_with_bounds(1, 600_000_000, 3).expect("constant bounds are valid");
        Self {
            domain,
            inner: Mutex::new(Inner {
                phase: Phase::Idle,
                restore: Restore::default(),
                since: None,
                commit_ms,
                snapshot_bytes: 0,
                counters: crate::engine::Counters::default(),
            }),
            kill: AtomicBool::new(false),
            restores: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            next: AtomicI64::new(0),
            live: AtomicI64::new(0),
            facts: AtomicI64::new(0),
            contacts: AtomicI64::new(0),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a phase.
    pub fn enter(&self, phase: Phase) {
        let mut inner = self.inner();
        if phase == Phase::Restoring {
            inner.since = Some(crate::io::stopwatch::Stopwatch::start());
        }
        inner.phase = phase;
    }

    /// What it is doing.
    pub fn phase(&self) -> Phase {
        self.inner().phase.clone()
    }

    /// A restore is over.
    pub fn restored(&self, fence: Duration, total: Duration, what: &Restored) {
        self.restores.fetch_add(1, Ordering::Relaxed);
        let mut inner = self.inner();
        inner.restore = Restore { fence, total, ready: None, what: what.clone() };
        inner.phase = Phase::Behind;
        tracing::info!(
            domain = self.domain,
            snapshot = what.snapshot,
            replayed = what.replayed,
            digest_matched = what.digest_matched,
            ms = total.as_millis() as u64,
            "restored"
        );
    }

    /// The last restore, and how many there were.
    pub fn last_restore(&self) -> (Restore, u64) {
        (self.inner().restore.clone(), self.restores.load(Ordering::Relaxed))
    }

    /// One turn of the engine's loop.
    pub fn folding(&self, scoring: &mut Scoring, behind: bool) {
        let engine = scoring.engine();
        self.live.store(engine.clocks().live().0, Ordering::Relaxed);
        self.facts.store(engine.counters().facts, Ordering::Relaxed);
        self.contacts.store(engine.contacts_held() as i64, Ordering::Relaxed);
        if !behind {
            let mut inner = self.inner();
            if inner.phase == Phase::Behind {
                inner.phase = Phase::Ready;
                inner.restore.ready = inner.since.map(|since| since.elapsed());
            }
            inner.counters = engine.counters();
        }
    }

    /// A commit has succeeded.
    pub fn committed(&self, next: i64) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.next.store(next, Ordering::Relaxed);
    }

    /// A commit took so long.
    pub fn commit_took(&self, span: Duration) {
        let _ = self.inner().commit_ms.record(span.as_micros() as u64);
    }

    /// A snapshot was saved.
    pub fn saved(&self, at: i64, bytes: usize, span: Duration) {
        self.inner().snapshot_bytes = bytes;
        tracing::info!(domain = self.domain, at, bytes, ms = span.as_millis() as u64, "snapshot saved");
    }

    /// Asks the engine's thread to die as by a power cut. False while it is being restored.
    pub fn kill(&self) -> bool {
        let alive = matches!(self.phase(), Phase::Ready | Phase::Behind);
        if alive {
            self.kill.store(true, Ordering::Relaxed);
        }
        alive
    }

    /// Whether it was asked to die.
    pub fn take_kill(&self) -> bool {
        self.kill.swap(false, Ordering::Relaxed)
    }

    /// Live clock, ms since the epoch; 0 before the first record.
    pub fn live(&self) -> LogTime {
        LogTime(self.live.load(Ordering::Relaxed))
    }

    /// Next facts offset of the last commit.
    pub fn next(&self) -> i64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Why the domain is not ready, if it is not.
    pub fn trouble(&self) -> Option<String> {
        let domain = self.domain;
        match self.phase() {
            Phase::Ready | Phase::Lost(_) | Phase::Stopped => None,
            Phase::Idle => Some(format!("domain {domain} is not begun")),
            Phase::Restoring => Some(format!("domain {domain} is being restored")),
            Phase::Behind => Some(format!("domain {domain} is catching up")),
            Phase::Failed(reason) => Some(format!("domain {domain}: {reason}")),
        }
    }

    /// Gauges and counters of the service.
    pub fn values(&self) -> Vec<ServiceValue> {
        let labels = || vec![("domain", self.domain.to_string())];
        let value =
            |name: &str, help, value| ServiceValue { name: name.to_owned(), help, labels: labels(), value };
        let inner = self.inner();
        let quantile = |q: f64| inner.commit_ms.value_at_quantile(q) as f64 / 1e6;
        let mut values = vec![
            value(
                "engine_restores_total",
                "Restores of the engine, the first start included.",
                self.restores.load(Ordering::Relaxed) as f64,
            ),
            value(
                "engine_commits_total",
                "Committed transactions.",
                self.commits.load(Ordering::Relaxed) as f64,
            ),
            value("engine_committed_offset", "Next facts offset of the last commit.", self.next() as f64),
            value("engine_facts_total", "Facts that count.", self.facts.load(Ordering::Relaxed) as f64),
            value("engine_contacts", "Contacts in memory.", self.contacts.load(Ordering::Relaxed) as f64),
            value("engine_snapshot_bytes", "Size of the last snapshot.", inner.snapshot_bytes as f64),
            value(
                "engine_ready",
                "1 when the engine follows the facts.",
                f64::from(u8::from(inner.phase == Phase::Ready)),
            ),
            value("engine_commit_p50_seconds", "Median time of a commit since the start.", quantile(0.5)),
            value(
                "engine_commit_p99_seconds",
                "99th percentile of the time of a commit since the start.",
                quantile(0.99),
            ),
        ];
        for (counter, n) in inner.counters.named() {
            let name = format!("engine_{counter}_facts_total");
            if counter != "facts" {
                values.push(value(&name, "Facts by what became of them.", n as f64));
            }
        }
        values
    }
}
