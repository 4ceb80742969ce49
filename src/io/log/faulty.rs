//! Injects the errors that a real broker gives over any log, from a script or from a seed.
//!
//! What is injected really happens to the log underneath: a lost outcome that "was done" is committed there, a fenced owner is
//! fenced by another one, and a batch that failed never arrives, nor does any after it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{
    AppendError, Appender, CommitError, Committed, Committer, Domain, Log, MAX_VALUE, Manifest, Membership,
    Owned, Reader, Retry, Snapshots, Start, Stopped, Ticket, Topic, Transaction,
};

/// The calls that can be made to fail. They are counted over all domains, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum On {
    /// [`Appender::append`] and [`Appender::dead_letter`].
    Append,
    /// [`Appender::acked`].
    Acked,
    /// [`Log::own`].
    Own,
    /// [`Committer::commit`].
    Commit,
    /// Each chunk of a snapshot that is being saved.
    Chunk,
}

/// What to inject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// On commit: it is done, and reported as unknown.
    UnknownDone,
    /// On commit: it is not done, and reported as unknown.
    UnknownLost,
    /// On commit: it is aborted.
    Aborted,
    /// On commit: another owner comes first.
    Fenced,
    /// On commit and own: it did not work this time. On a chunk: the saving breaks off there.
    Retry,
    /// On append: the queue is full this time.
    Full,
    /// On append: this batch and all after it fail, until resumed.
    Stopped,
    /// On acked: for so many calls, this one included, nothing new is known.
    Delayed(u32),
}

impl Fault {
    fn fits(self, on: On) -> bool {
        match self {
            Fault::UnknownDone | Fault::UnknownLost | Fault::Aborted | Fault::Fenced => on == On::Commit,
            Fault::Retry => matches!(on, On::Commit | On::Own | On::Chunk),
            Fault::Full | Fault::Stopped => on == On::Append,
            Fault::Delayed(_) => on == On::Acked,
        }
    }
}

/// Which call meets which fault.
#[derive(Clone, Debug, Default)]
pub struct Script {
    at: BTreeMap<(On, u64), Fault>,
    random: Option<(u64, u32)>,
}

impl Script {
    /// The `nth` call of a kind, counted from 0, meets `fault`.
    ///
    /// # Panics
    /// Where the fault cannot happen to such a call: the test would test nothing.
    pub fn at(mut self, on: On, nth: u64, fault: Fault) -> Script {
        assert!(fault.fits(on), "{fault:?} does not happen on {on:?}");
        self.at.insert((on, nth), fault);
        self
    }

    /// Every call meets some fault that fits, with a chance of `per_mille` in a thousand; which one follows from `seed`.
    pub fn random(mut self, seed: u64, per_mille: u32) -> Script {
        self.random = Some((seed, per_mille));
        self
    }

    fn pick(&self, on: On, nth: u64) -> Option<Fault> {
        self.at.get(&(on, nth)).copied().or_else(|| self.roll(on, nth))
    }

    fn roll(&self, on: On, nth: u64) -> Option<Fault> {
        let (seed, per_mille) = self.random?;
        let dice = mix(seed ^ mix(on as u64 + 1) ^ mix(nth.wrapping_mul(5)));
        if dice % 1000 >= u64::from(per_mille) {
            return None;
        }
        let fitting: Vec<Fault> = EVERY.into_iter().filter(|f| f.fits(on)).collect();
        fitting.get((dice / 1000) as usize % fitting.len().max(1)).copied()
    }
}

const EVERY: [Fault; 8] = [
    Fault::UnknownDone,
    Fault::UnknownLost,
    Fault::Aborted,
    Fault::Fenced,
    Fault::Retry,
    Fault::Full,
    Fault::Stopped,
    Fault::Delayed(3),
];

/// Spreads the bits of a number (the finaliser of SplitMix64).
fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// A log whose calls fail as its script says.
pub struct Faulty<L> {
    inner: Arc<L>,
    plan: Arc<Plan>,
}

struct Plan {
    script: Mutex<Script>,
    calls: Mutex<BTreeMap<On, u64>>,
    injected: AtomicU64,
}

impl Plan {
    /// Counts the call and tells what it meets.
    fn next(&self, on: On) -> Option<Fault> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let nth = calls.entry(on).or_default();
        let fault = self.script.lock().unwrap_or_else(PoisonError::into_inner).pick(on, *nth);
        *nth += 1;
        self.injected.fetch_add(u64::from(fault.is_some()), Ordering::SeqCst);
        fault
    }
}

impl<L: Log + 'static> Faulty<L> {
    /// Puts `script` over `inner`.
    pub fn new(inner: L, script: Script) -> Faulty<L> {
        let plan =
            Plan { script: Mutex::new(script), calls: Mutex::default(), injected: AtomicU64::default() };
        Faulty { inner: Arc::new(inner), plan: Arc::new(plan) }
    }

    /// Replaces the script; the calls go on being counted.
    pub fn follow(&self, script: Script) {
        *self.plan.script.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// How many calls of a kind there have been.
    pub fn calls(&self, on: On) -> u64 {
        self.plan.calls.lock().unwrap_or_else(PoisonError::into_inner).get(&on).copied().unwrap_or(0)
    }

    /// How many faults were injected.
    pub fn injected(&self) -> u64 {
        self.plan.injected.load(Ordering::SeqCst)
    }
}

impl<L: Log + 'static> Log for Faulty<L> {
    fn domains(&self) -> u32 {
        self.inner.domains()
    }

    fn appender(&self, domain: Domain) -> Box<dyn Appender> {
        Box::new(FaultyAppender {
            inner: self.inner.appender(domain),
            plan: Arc::clone(&self.plan),
            issued: 0,
            known: Ticket(0),
            delay: 0,
            failed_after: None,
            reported: false,
        })
    }

    fn own(&self, domain: Domain) -> Result<Owned, Retry> {
        if self.plan.next(On::Own).is_some() {
            return Err(Retry("injected".into()));
        }
        let owned = self.inner.own(domain)?;
        let log = Arc::clone(&self.inner);
        let rival = Box::new(move || log.own(domain).map(drop));
        let plan = Arc::clone(&self.plan);
        let snapshots = FaultySnapshots { inner: owned.snapshots, plan: Arc::clone(&plan) };
        let committer = FaultyCommitter { inner: owned.committer, rival, plan, over: None };
        Ok(Owned { committer: Box::new(committer), snapshots: Box::new(snapshots), ..owned })
    }

    fn committed(&self, domain: Domain) -> Result<Option<Committed>, Retry> {
        self.inner.committed(domain)
    }

    fn tail(&self, topic: Topic, domain: Domain, from: Start) -> Result<Box<dyn Reader>, Retry> {
        self.inner.tail(topic, domain, from)
    }

    fn join(&self) -> Result<Box<dyn Membership>, Retry> {
        self.inner.join()
    }
}

struct FaultyAppender {
    inner: Box<dyn Appender>,
    plan: Arc<Plan>,
    issued: u64,
    known: Ticket,
    delay: u32,
    /// Set by a failed batch: the last ticket before it.
    failed_after: Option<Ticket>,
    reported: bool,
}

impl FaultyAppender {
    fn offer(
        &mut self,
        bytes: usize,
        send: impl FnOnce(&mut dyn Appender) -> Result<Ticket, AppendError>,
    ) -> Result<Ticket, AppendError> {
        if bytes > MAX_VALUE {
            return Err(AppendError::TooLarge { bytes });
        }
        if self.reported {
            return Err(AppendError::Stopped);
        }
        match self.plan.next(On::Append) {
            Some(Fault::Full) => return Err(AppendError::Full),
            Some(Fault::Stopped) => self.failed_after = self.failed_after.or(Some(Ticket(self.issued))),
            _ => {}
        }
        self.issued = match self.failed_after {
            Some(_) => self.issued + 1,
            None => send(&mut *self.inner)?.0,
        };
        Ok(Ticket(self.issued))
    }
}

impl Appender for FaultyAppender {
    fn append(&mut self, batch: &[u8]) -> Result<Ticket, AppendError> {
        self.offer(batch.len(), |inner| inner.append(batch))
    }

    fn dead_letter(&mut self, key: &str, value: &[u8]) -> Result<Ticket, AppendError> {
        self.offer(value.len(), |inner| inner.dead_letter(key, value))
    }

    fn acked(&mut self) -> Result<Ticket, Stopped> {
        if let Some(Fault::Delayed(calls)) = self.plan.next(On::Acked) {
            self.delay = self.delay.max(calls);
        }
        if self.delay > 0 {
            self.delay -= 1;
            return Ok(self.known);
        }
        self.known = self.inner.acked()?;
        if self.failed_after == Some(self.known) {
            self.reported = true;
            return Err(Stopped { acked: self.known, reason: "injected".into() });
        }
        Ok(self.known)
    }

    fn resume(&mut self) -> Result<Ticket, Retry> {
        let ticket = self.inner.resume()?;
        (self.issued, self.known) = (ticket.0, ticket);
        (self.failed_after, self.reported) = (None, false);
        Ok(ticket)
    }
}

struct FaultyCommitter {
    inner: Box<dyn Committer>,
    rival: Box<dyn Fn() -> Result<(), Retry> + Send>,
    plan: Arc<Plan>,
    over: Option<CommitError>,
}

impl FaultyCommitter {
    fn inject(&mut self, fault: Fault, transaction: &Transaction) -> Result<(), CommitError> {
        match fault {
            Fault::UnknownDone => {
                self.inner.commit(transaction)?;
                Err(CommitError::Restore("injected: the outcome is unknown".into()))
            }
            Fault::UnknownLost => Err(CommitError::Restore("injected: the outcome is unknown".into())),
            Fault::Aborted => Err(CommitError::Restore("injected: aborted".into())),
            Fault::Retry => Err(CommitError::Retry("injected".into())),
            Fault::Fenced => {
                (self.rival)().map_err(|Retry(reason)| CommitError::Retry(reason))?;
                self.inner.commit(transaction)
            }
            Fault::Full | Fault::Stopped | Fault::Delayed(_) => self.inner.commit(transaction),
        }
    }
}

impl Committer for FaultyCommitter {
    fn commit(&mut self, transaction: &Transaction) -> Result<(), CommitError> {
        if let Some(over) = &self.over {
            return Err(over.clone());
        }
        let done = match self.plan.next(On::Commit) {
            Some(fault) => self.inject(fault, transaction),
            None => self.inner.commit(transaction),
        };
        if let Err(e @ (CommitError::Restore(_) | CommitError::Lost(_))) = &done {
            self.over = Some(e.clone());
        }
        done
    }
}

struct FaultySnapshots {
    inner: Box<dyn Snapshots>,
    plan: Arc<Plan>,
}

impl Snapshots for FaultySnapshots {
    fn save(
        &mut self,
        at: i64,
        about: &str,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<Manifest, Retry> {
        let plan = &self.plan;
        // A chunk that no log takes breaks the saving off where it stands.
        let mut breaking = chunks.map(|chunk| match plan.next(On::Chunk) {
            Some(_) => vec![0; MAX_VALUE + 1],
            None => chunk,
        });
        self.inner.save(at, about, &mut breaking)
    }

    fn list(&mut self) -> Result<Vec<Manifest>, Retry> {
        self.inner.list()
    }

    fn load(&mut self, manifest: &Manifest) -> Result<Option<Vec<Vec<u8>>>, Retry> {
        self.inner.load(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_faults_again_and_about_as_many_as_asked() {
        let picks = |seed| -> Vec<_> {
            let script = Script::default().random(seed, 100);
            (0..2000).map(|nth| script.pick(On::Commit, nth)).collect()
        };
        assert_eq!(picks(7), picks(7));
        assert_ne!(picks(7), picks(8));
        let faults = picks(7).into_iter().flatten().count();
        assert!((100..300).contains(&faults), "{faults}");
    }

    #[test]
    fn every_random_fault_fits_its_call() {
        let script = Script::default().random(3, 1000);
        for on in [On::Append, On::Acked, On::Own, On::Commit, On::Chunk] {
            assert!((0..200).all(|nth| script.pick(on, nth).is_some_and(|f| f.fits(on))), "{on:?}");
        }
    }
}
