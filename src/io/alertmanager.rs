//! Pushes firing and resolved alerts to an Alertmanager, so that somebody is called, once.
//!
//! ```text
//!  alerts topic ──tail──▶ Pages: what stands, what is due ──POST /api/v2/alerts──▶ Alertmanager ──▶ pager
//!  (committed only)           ▲                                     │
//!                             └── accepted: again in a minute ◀─────┘  refused or away: the same again, later
//! ```
//!
//! Nothing is remembered between runs: what fires is read from the topic, and an alert with the same labels is the same alert
//! to Alertmanager, so a restart calls nobody twice. What was over before Alertmanager could be told calls nobody at all.
//! Memory is bounded by rules x queues: only the latest state of each is kept, however long Alertmanager is away.

use super::log::clock::WallClock;
use super::log::{AppendClock, Domain, Log, ReadError, Reader, Record, Retry, Start, Topic};
use crate::engine::output::Output;
use crate::wire::results::{self, Class};
pub use pages::{Now, Page, Pages, Terms};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tracing::{info, warn};

mod pages;

/// One look at the topic.
const LOOK: Duration = Duration::from_millis(100);
/// One POST.
const REQUEST: Duration = Duration::from_secs(5);
/// First pause after a failed POST; each further one is twice as long.
const FIRST_PAUSE_MS: i64 = 500;
/// Longest pause.
const LONGEST_PAUSE_MS: i64 = 15_000;
/// Most records that are read before posts get their turn.
const AT_A_TIME: usize = 10_000;
/// Most alerts in one POST.
const BATCH: usize = 200;

/// What the pusher did, for `/metrics`.
#[derive(Debug, Default)]
pub struct PushCounters {
    /// Alerts that Alertmanager accepted, re-posts included.
    pub accepted: AtomicU64,
    /// POSTs that failed.
    pub failed: AtomicU64,
    /// Records of the topic that could not be read.
    pub unreadable: AtomicU64,
}

/// Pushes to one Alertmanager. Several of them have a pusher each, so that one that is away does not delay the others.
pub struct AlertPusher<'a> {
    url: String,
    pages: Pages,
    counters: &'a PushCounters,
    clock: &'a dyn AppendClock,
    agent: ureq::Agent,
    pause_ms: i64,
    next_try_ms: i64,
}

impl<'a> AlertPusher<'a> {
    /// For the Alertmanager at `url`, such as `http://alertmanager:9093`. `clock` is the log's.
    pub fn new(
        url: &str,
        terms: Terms,
        clock: &'a dyn AppendClock,
        counters: &'a PushCounters,
    ) -> AlertPusher<'a> {
        let config = ureq::Agent::config_builder().timeout_global(Some(REQUEST)).build();
        AlertPusher {
            url: format!("{}/api/v2/alerts", url.trim_end_matches('/')),
            pages: Pages::new(terms),
            counters,
            clock,
            agent: config.new_agent(),
            pause_ms: FIRST_PAUSE_MS,
            next_try_ms: i64::MIN,
        }
    }

    /// Follows the alerts of every domain and posts, until `stop`. Blocks: give it a thread.
    ///
    /// # Errors
    /// The log is not what it was; everything else is tried again.
    pub fn run(&mut self, log: &dyn Log, stop: &AtomicBool) -> Result<(), ReadError> {
        let mut tails: Vec<Tail> = (0..log.domains()).map(|domain| Tail::new(Domain(domain))).collect();
        while !stop.load(Ordering::Relaxed) {
            let mut told_all = true;
            for tail in &mut tails {
                told_all &= self.follow(log, tail, stop)?;
            }
            // Before the end of the topic nobody knows what still fires.
            if told_all {
                self.post();
            }
        }
        Ok(())
    }

    /// Reads on in one domain's topic; whether its end has ever been reached.
    fn follow(&mut self, log: &dyn Log, tail: &mut Tail, stop: &AtomicBool) -> Result<bool, ReadError> {
        for _ in 0..AT_A_TIME {
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            match tail.poll(log) {
                Ok(Some(record)) => self.take(&record),
                Ok(None) => return Ok(tail.reached_end),
                Err(ReadError::Retry(reason)) => {
                    warn!(%reason, "alerts cannot be read, trying again");
                    std::thread::sleep(LOOK);
                    return Ok(false);
                }
                Err(broken) => return Err(broken),
            }
        }
        Ok(tail.reached_end)
    }

    fn take(&mut self, record: &Record) {
        let key = record.key.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        match results::output(Class::Alerts, &key, &record.value) {
            Ok(Output::Alert(alert)) => self.pages.take(&alert, self.now()),
            Ok(_) => {}
            Err(error) => {
                self.counters.unreadable.fetch_add(1, Ordering::Relaxed);
                warn!(%error, offset = record.offset, "an alert is not understood and not pushed");
            }
        }
    }

    /// Posts what is due, unless a pause is on.
    fn post(&mut self) {
        let now = self.now();
        if now.wall_ms < self.next_try_ms && self.next_try_ms - now.wall_ms <= LONGEST_PAUSE_MS {
            return;
        }
        let due = self.pages.due(now.wall_ms, BATCH);
        if due.is_empty() {
            return;
        }
        match self.send(&due) {
            Ok(()) => self.accepted(&due, now.wall_ms),
            Err(reason) => self.failed(&reason, now.wall_ms),
        }
    }

    fn send(&self, due: &[Page]) -> Result<(), String> {
        let body = serde_json::to_vec(due).map_err(|error| error.to_string())?;
        let request = self.agent.post(&self.url).content_type("application/json");
        request.send(&body[..]).map(drop).map_err(|error| error.to_string())
    }

    fn accepted(&mut self, due: &[Page], wall_ms: i64) {
        if self.pause_ms > FIRST_PAUSE_MS {
            info!(url = self.url, "alertmanager answers again");
        }
        self.pause_ms = FIRST_PAUSE_MS;
        self.next_try_ms = i64::MIN;
        self.counters.accepted.fetch_add(due.len() as u64, Ordering::Relaxed);
        self.pages.accepted(due, wall_ms);
    }

    fn failed(&mut self, reason: &str, wall_ms: i64) {
        self.counters.failed.fetch_add(1, Ordering::Relaxed);
        if self.pause_ms == FIRST_PAUSE_MS {
            warn!(url = self.url, reason, "alertmanager takes no alerts, trying again");
        }
        self.next_try_ms = wall_ms.saturating_add(self.pause_ms);
        self.pause_ms = (self.pause_ms * 2).min(LONGEST_PAUSE_MS);
    }

    fn now(&self) -> Now {
        Now { append_ms: self.clock.now_ms(), wall_ms: WallClock.now_ms(), rate: self.clock.rate() }
    }
}

/// The alerts of one domain, opened when the log lets it.
struct Tail {
    domain: Domain,
    reader: Option<Box<dyn Reader>>,
    /// It has read everything there was at least once.
    reached_end: bool,
}

impl Tail {
    fn new(domain: Domain) -> Tail {
        Tail { domain, reader: None, reached_end: false }
    }

    fn poll(&mut self, log: &dyn Log) -> Result<Option<Record>, ReadError> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => {
                let opened = log.tail(Topic::Alerts, self.domain, Start::Beginning);
                none.insert(opened.map_err(|Retry(reason)| ReadError::Retry(reason))?)
            }
        };
        let record = reader.poll(LOOK)?;
        self.reached_end |= record.is_none() && reader.caught_up();
        Ok(record)
    }
}
