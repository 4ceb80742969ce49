//! The clerk: the thread that reads back for the engines (settling, auditing) and appends what it found as control facts.
//!
//! It is asked for what is *committed* only: an auditor that looks for lines whose transaction is still under way would have
//! them written twice.

use crate::engine::Engine;
use crate::engine::record::Control;
use crate::io::auditor::{self, Request};
use crate::io::control::append;
use crate::io::log::{Domain, Log, ReadError};
use crate::io::settler;
use crate::io::stopwatch::Stopwatch;
use crate::wire::batch::encode_control;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// The auditor waits so long for lines that are committed and not yet to be read.
const PATIENCE: Duration = Duration::from_secs(30);
/// An answered audit is not asked for again in this time: the engine must have had its turn to act on the answer.
const QUIET: Duration = Duration::from_secs(60);
/// Pause after a failure to read.
const PAUSE: Duration = Duration::from_millis(500);

/// Asks the clerk; a clerk who is busy is asked again later.
#[derive(Clone)]
pub struct Clerk {
    desk: SyncSender<Task>,
    busy: Arc<AtomicBool>,
}

/// Something to be read back.
#[derive(Debug)]
pub enum Task {
    /// The earlier facts of contacts that have left memory.
    Settle(settler::Request),
    /// The lines of a cut.
    Audit(Request),
}

impl Clerk {
    /// Starts the clerk's thread for a domain. It ends when nobody can ask it any more.
    pub fn start(log: Arc<dyn Log>, domain: Domain) -> std::io::Result<Self> {
        let (desk, tasks) = sync_channel(1);
        let busy = Arc::new(AtomicBool::new(false));
        let work =
            Work { log, domain, busy: busy.clone(), audited: BTreeMap::new(), settled: BTreeSet::new() };
        std::thread::Builder::new().name(format!("clerk-{domain}")).spawn(move || work.run(&tasks))?;
        Ok(Self { desk, busy })
    }

    /// What the engine waits for at this moment; nothing while the clerk is busy.
    pub fn wanted(&self, engine: &mut Engine) -> Option<Task> {
        if self.busy.load(Ordering::Relaxed) {
            return None;
        }
        let unsettled = engine.unsettled();
        if !unsettled.is_empty() {
            return Some(Task::Settle(unsettled));
        }
        let (period, revision, _) = engine.unaudited().into_iter().next()?;
        let keys = engine.cut_keys(&period);
        Some(Task::Audit(Request { period, revision, keys }))
    }

    /// Asks for it, once the state in which it was wanted is committed.
    pub fn ask(&self, task: Task) {
        if !self.busy.swap(true, Ordering::Relaxed) && self.desk.try_send(task).is_err() {
            self.busy.store(false, Ordering::Relaxed);
        }
    }
}

struct Work {
    log: Arc<dyn Log>,
    domain: Domain,
    busy: Arc<AtomicBool>,
    /// Audits that were answered, and when last.
    audited: BTreeMap<(String, u32), Stopwatch>,
    /// Contacts that were settled, with the offset that tells one time from another.
    settled: BTreeSet<(String, i64)>,
}

impl Work {
    fn run(mut self, tasks: &Receiver<Task>) {
        while let Ok(task) = tasks.recv() {
            let done = match task {
                Task::Settle(request) => self.settle(request),
                Task::Audit(request) => self.audit(&request),
            };
            if let Err(ReadError::Retry(reason) | ReadError::Broken(reason)) = done {
                tracing::warn!(domain = %self.domain, reason, "could not read back, will be asked again");
                std::thread::sleep(PAUSE);
            }
            self.busy.store(false, Ordering::Relaxed);
        }
    }

    fn settle(&mut self, mut request: settler::Request) -> Result<(), ReadError> {
        request.retain(|contact| !self.settled.contains(contact));
        if request.is_empty() {
            return Ok(());
        }
        for (contact, control) in request.iter().zip(settler::settle(&*self.log, self.domain, &request)?) {
            if self.append(&control) {
                self.settled.insert(contact.clone());
            }
        }
        Ok(())
    }

    fn audit(&mut self, request: &Request) -> Result<(), ReadError> {
        let name = (request.period.clone(), request.revision);
        if self.audited.get(&name).is_some_and(|last| !last.has(QUIET)) {
            return Ok(());
        }
        let control = auditor::audit(&*self.log, self.domain, request, PATIENCE)?;
        if self.append(&control) {
            self.audited.insert(name, Stopwatch::start());
        }
        Ok(())
    }

    fn append(&self, control: &Control) -> bool {
        let mut appender = self.log.appender(self.domain);
        let appended = append(&mut *appender, &encode_control(control));
        if let Err(reason) = &appended {
            tracing::error!(domain = %self.domain, id = control.id, reason, "a control fact was not appended");
        }
        appended.is_ok()
    }
}
