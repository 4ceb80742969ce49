//! The threads of one domain: the engine, its committer, its snapshots. Own, restore, fold, commit; again after a failure.
//!
//! ```text
//! own ─▶ restore ─▶ ┌ engine thread: fold, publish to the live view ┐──transaction──▶ committer thread
//!                   └ asks the clerk: settle, audit                 ┘──snapshot────▶ snapshot thread
//!  failed or unknown commit: drop all of it, own again      fenced: stop, wait for the next assignment
//! ```

use super::clerk::{Clerk, Task};
use super::status::{DomainStatus, Phase};
use crate::engine::Engine;
use crate::io::live::LiveView;
use crate::io::log::{CommitError, Committer, Domain, Log, Owned, Snapshots, Transaction};
use crate::io::scoring::{FULL, Folded, RestoreError, Scoring, Snapshot};
use crate::io::stopwatch::Stopwatch;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

/// Outputs wait so long for company, ms.
const COMPANY: Duration = Duration::from_millis(20);
/// While the engine is behind, transactions are larger and rarer.
const BEHIND: Duration = Duration::from_millis(250);
/// The offset is committed at least so often.
const AT_LEAST: Duration = Duration::from_secs(1);
/// While it has caught up, the live view is published so often.
const PUBLISH: Duration = Duration::from_millis(10);
/// While it is behind, so often.
const PUBLISH_BEHIND: Duration = Duration::from_secs(1);
/// Bytes of waiting outputs at which the engine waits for its committer.
const BRIM: usize = 4 * FULL;
/// A snapshot after so many records, if not earlier by time.
const RECORDS: u64 = 1_000_000;

/// Everything that the threads of a domain need.
pub struct DomainRunner {
    /// The log.
    pub log: Arc<dyn Log>,
    /// Which domain.
    pub domain: Domain,
    /// Where values are published.
    pub view: Arc<LiveView>,
    /// Where it says how it is.
    pub status: Arc<DomainStatus>,
    /// Who settles and audits.
    pub clerk: Clerk,
    /// A snapshot after so long.
    pub snapshot_every: Duration,
    /// Drain and stop.
    pub stop: Arc<AtomicBool>,
    /// Looks at the engine between two records while it has caught up.
    pub observer: Option<Observer>,
}

/// Looks at an engine between two records.
pub type Observer = Box<dyn Fn(&mut Engine) + Send + Sync>;

/// Why scoring ended.
enum Ended {
    /// Asked to.
    Stopped,
    /// The commit failed or its outcome is unknown.
    Restore(String),
    /// Another instance has taken the domain.
    Lost(String),
    /// As by a power cut: nothing is written, nothing is waited for.
    Killed,
    /// The record at this offset breaks an invariant.
    Panicked(i64),
    /// A person must look.
    Failed(String),
}

impl DomainRunner {
    /// Runs until asked to stop, until another instance takes the domain, or until a person must look.
    pub fn run(&self) {
        self.own_and_score();
        // What another instance, or nobody, counts on must not stand on our /metrics any more.
        self.view.clear();
    }

    fn own_and_score(&self) {
        let mut skip = BTreeSet::new();
        let mut pause = Duration::from_millis(50);
        while !self.stop.load(Ordering::Relaxed) {
            self.status.enter(Phase::Restoring);
            match self.once(&skip) {
                Ended::Stopped => break,
                Ended::Killed => continue,
                Ended::Restore(reason) => {
                    tracing::warn!(domain = %self.domain, reason, "restoring");
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(5));
                    continue;
                }
                Ended::Panicked(offset) => {
                    tracing::error!(domain = %self.domain, offset, "a record breaks an invariant of the engine and is skipped");
                    skip.insert(offset);
                }
                Ended::Lost(reason) => {
                    tracing::warn!(domain = %self.domain, reason, "another instance has taken the domain");
                    self.status.enter(Phase::Lost(reason));
                    return;
                }
                Ended::Failed(reason) => {
                    tracing::error!(domain = %self.domain, reason, "scoring stopped, a person must look");
                    self.status.enter(Phase::Failed(reason));
                    return;
                }
            }
            pause = Duration::from_millis(50);
        }
        self.status.enter(Phase::Stopped);
    }

    fn once(&self, skip: &BTreeSet<i64>) -> Ended {
        let watch = Stopwatch::start();
        let owned = match self.log.own(self.domain) {
            Ok(owned) => owned,
            Err(retry) => return Ended::Restore(retry.0),
        };
        let fenced = watch.elapsed();
        let Owned { committed, facts, committer, mut snapshots } = owned;
        let restored = Scoring::restore(self.domain, committed.as_ref(), facts, &mut *snapshots, skip);
        let (scoring, restored) = match restored {
            Ok(done) => done,
            Err(RestoreError::Retry(retry)) => return Ended::Restore(retry.0),
            Err(RestoreError::Stop(stop)) => return Ended::Failed(stop.to_string()),
        };
        self.status.restored(fenced, watch.elapsed(), &restored);
        self.score(scoring, committer, snapshots)
    }

    fn score(&self, scoring: Scoring, committer: Box<dyn Committer>, snapshots: Box<dyn Snapshots>) -> Ended {
        let (transactions, to_commit) = sync_channel(1);
        let (report, outcomes) = sync_channel(2);
        let (to_save, saves) = sync_channel(1);
        std::thread::scope(|scope| {
            scope.spawn(move || commit_all(committer, &to_commit, &report, &self.status));
            scope.spawn(move || save_all(snapshots, &saves, &self.status));
            let desk = Desk { transactions, outcomes, to_save, busy: false, taken: None, wanted: None };
            // The desk goes with the loop, so both threads see their channels close and end before the scope does.
            self.fold_all(scoring, desk)
        })
    }

    fn fold_all(&self, mut scoring: Scoring, mut desk: Desk) -> Ended {
        let (mut committed, mut snapped) = (Stopwatch::start(), Stopwatch::start());
        let mut shown = Shown { waits: true, since: Stopwatch::start(), took: Duration::ZERO };
        let mut waiting: Option<Stopwatch> = None;
        loop {
            if self.status.take_kill() {
                return Ended::Killed;
            }
            if let Some(ended) = desk.hear(self) {
                return ended;
            }
            if self.stop.load(Ordering::Relaxed) {
                return self.drain(scoring, desk);
            }
            let patience = if waiting.is_some() || desk.busy || shown.waits {
                Duration::from_millis(1)
            } else {
                Duration::from_millis(20)
            };
            match scoring.fold(patience) {
                Ok(Folded::Record) => {
                    shown.waits = true;
                    if shown.is_due(scoring.caught_up()) {
                        shown.publish(&self.view, scoring.engine());
                    }
                }
                Ok(Folded::Nothing) => {
                    if shown.waits {
                        shown.publish(&self.view, scoring.engine());
                    }
                }
                Ok(Folded::Panicked(offset)) => return Ended::Panicked(offset),
                Err(crate::io::log::ReadError::Retry(reason)) => {
                    tracing::warn!(domain = %self.domain, reason, "facts cannot be read, trying again");
                    std::thread::sleep(Duration::from_millis(200));
                }
                Err(crate::io::log::ReadError::Broken(reason)) => return Ended::Failed(reason),
            }
            if scoring.has_outputs() && waiting.is_none() {
                waiting = Some(Stopwatch::start());
            }
            let behind = !scoring.caught_up();
            self.status.folding(&mut scoring, behind);
            if let Some(observer) = self.observer.as_ref().filter(|_| !behind) {
                observer(scoring.engine());
            }
            let company = if behind { BEHIND } else { COMPANY };
            let due = waiting.is_some_and(|since| since.has(company)) || scoring.waiting_bytes() >= FULL;
            if !desk.busy && (due || committed.has(AT_LEAST)) {
                let snapshot = snapped.has(self.snapshot_every) || scoring.folded() >= RECORDS;
                desk.hand(&mut scoring, snapshot);
                if desk.taken.is_some() {
                    snapped = Stopwatch::start();
                }
                (committed, waiting) = (Stopwatch::start(), None);
                if desk.busy && !behind {
                    desk.wanted = self.clerk.wanted(scoring.engine());
                }
            }
            while desk.busy && scoring.waiting_bytes() >= BRIM {
                if let Some(ended) = desk.wait(self) {
                    return ended;
                }
            }
        }
    }

    /// Commits what waits, saves the state and lets go.
    fn drain(&self, mut scoring: Scoring, mut desk: Desk) -> Ended {
        while desk.busy {
            if let Some(ended) = desk.wait(self) {
                return ended;
            }
        }
        desk.hand(&mut scoring, true);
        while desk.busy {
            if let Some(ended) = desk.wait(self) {
                return ended;
            }
        }
        Ended::Stopped
    }
}

/// When the live view was published last. Publishing takes time from folding: never more than a third of it, and a
/// twentieth while the engine is behind.
struct Shown {
    /// Something was folded since.
    waits: bool,
    since: Stopwatch,
    took: Duration,
}

impl Shown {
    fn is_due(&self, caught_up: bool) -> bool {
        let (pause, share) = if caught_up { (PUBLISH, 2) } else { (PUBLISH_BEHIND, 20) };
        self.since.has(pause.max(self.took * share))
    }

    fn publish(&mut self, view: &LiveView, engine: &mut Engine) {
        let watch = Stopwatch::start();
        view.publish(engine);
        *self = Self { waits: false, since: Stopwatch::start(), took: watch.elapsed() };
    }
}

/// What lies between the engine's thread and the two that write.
struct Desk {
    transactions: SyncSender<Transaction>,
    outcomes: Receiver<Result<i64, CommitError>>,
    to_save: SyncSender<Snapshot>,
    /// A transaction is in flight.
    busy: bool,
    /// A snapshot whose offset is being committed.
    taken: Option<Snapshot>,
    /// What the clerk is asked for when this is committed.
    wanted: Option<Task>,
}

impl Desk {
    /// Hands what waits to the committer, perhaps with a snapshot of the same offset.
    fn hand(&mut self, scoring: &mut Scoring, snapshot: bool) {
        let Some(transaction) = scoring.transaction() else { return };
        if snapshot && self.taken.is_none() {
            self.taken = scoring.snapshot().map_err(|reason| tracing::error!(reason, "no snapshot")).ok();
        }
        self.busy = self.transactions.send(transaction).is_ok();
    }

    /// Takes an outcome if there is one.
    fn hear(&mut self, runner: &DomainRunner) -> Option<Ended> {
        match self.outcomes.try_recv() {
            Ok(outcome) => self.learn(outcome, runner),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Ended::Restore("the committer has gone".to_owned())),
        }
    }

    /// Waits for the outcome.
    fn wait(&mut self, runner: &DomainRunner) -> Option<Ended> {
        match self.outcomes.recv() {
            Ok(outcome) => self.learn(outcome, runner),
            Err(_) => Some(Ended::Restore("the committer has gone".to_owned())),
        }
    }

    fn learn(&mut self, outcome: Result<i64, CommitError>, runner: &DomainRunner) -> Option<Ended> {
        self.busy = false;
        match outcome {
            Ok(next) => {
                runner.status.committed(next);
                if let Some(snapshot) = self.taken.take() {
                    // A snapshot thread that is still busy with the last one makes this one go by.
                    let _ = self.to_save.try_send(snapshot);
                }
                if let Some(task) = self.wanted.take() {
                    runner.clerk.ask(task);
                }
                None
            }
            Err(CommitError::Retry(reason) | CommitError::Restore(reason)) => Some(Ended::Restore(reason)),
            Err(CommitError::Lost(reason)) => Some(Ended::Lost(reason)),
            Err(CommitError::Refused(reason)) => Some(Ended::Failed(reason)),
        }
    }
}

/// The committer's thread: one transaction after the other; what did not work is tried again for a while.
fn commit_all(
    mut committer: Box<dyn Committer>,
    transactions: &Receiver<Transaction>,
    report: &SyncSender<Result<i64, CommitError>>,
    status: &DomainStatus,
) {
    while let Ok(transaction) = transactions.recv() {
        let watch = Stopwatch::start();
        let mut outcome = committer.commit(&transaction);
        let mut pause = Duration::from_millis(20);
        while matches!(outcome, Err(CommitError::Retry(_))) && watch.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(1));
            outcome = committer.commit(&transaction);
        }
        status.commit_took(watch.elapsed());
        let over = outcome.is_err();
        if report.send(outcome.map(|()| transaction.next)).is_err() || over {
            break;
        }
    }
}

/// The snapshot thread.
fn save_all(mut snapshots: Box<dyn Snapshots>, saves: &Receiver<Snapshot>, status: &DomainStatus) {
    while let Ok(snapshot) = saves.recv() {
        let (watch, at) = (Stopwatch::start(), snapshot.at);
        match snapshot.save(&mut *snapshots) {
            Ok(bytes) => status.saved(at, bytes, watch.elapsed()),
            Err(retry) => tracing::warn!(at, reason = retry.0, "the snapshot was not saved"),
        }
    }
}
