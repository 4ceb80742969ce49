//! The clerk: the thread that reads back for the engines (settling, auditing) and appends what it found as control facts.

use crate::engine::Engine;
use crate::io::auditor::{self, Request};
use crate::io::log::{AppendError, Appender, Domain, Log, ReadError};
use crate::io::settler;
use crate::wire::batch::encode_control;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Asks the clerk; a clerk who is busy is asked again later.
#[derive(Clone)]
pub struct Clerk {
    domain: Domain,
    desk: SyncSender<Task>,
}

enum Task {
    Settle(settler::Request),
    Audit(Request),
}

impl Clerk {
    /// Starts the clerk's thread for a domain. It ends when nobody can ask it any more.
    pub fn start(log: Arc<dyn Log>, domain: Domain) -> std::io::Result<Self> {
        let (desk, tasks) = sync_channel(1);
        std::thread::Builder::new()
            .name(format!("clerk-{domain}"))
            .spawn(move || work(&*log, domain, &tasks))?;
        Ok(Self { domain, desk })
    }

    /// Asks for what the engine waits for, if it has caught up.
    pub fn ask(&self, engine: &mut Engine, behind: bool) {
        if behind {
            return;
        }
        let unsettled = engine.unsettled();
        if !unsettled.is_empty() {
            let _ = self.desk.try_send(Task::Settle(unsettled));
        }
        for (period, revision, _) in engine.unaudited() {
            let keys = engine.cut_keys(&period);
            let _ = self.desk.try_send(Task::Audit(Request { period, revision, keys }));
        }
    }

    /// The domain it serves.
    pub fn domain(&self) -> Domain {
        self.domain
    }
}

fn work(log: &dyn Log, domain: Domain, tasks: &Receiver<Task>) {
    let mut appender = log.appender(domain);
    let mut attempts: BTreeMap<(String, u32), u32> = BTreeMap::new();
    while let Ok(task) = tasks.recv() {
        let controls = match &task {
            Task::Settle(request) => settler::settle(log, domain, request),
            Task::Audit(request) => {
                let attempt = attempts.entry((request.period.clone(), request.revision)).or_default();
                *attempt += 1;
                auditor::audit(log, domain, request, *attempt).map(|control| vec![control])
            }
        };
        match controls {
            Ok(controls) => {
                for control in controls {
                    if let Err(reason) = append(&mut *appender, &encode_control(&control)) {
                        tracing::error!(%domain, id = control.id, reason, "a control fact was not appended");
                    }
                }
            }
            Err(ReadError::Retry(reason) | ReadError::Broken(reason)) => {
                tracing::warn!(%domain, reason, "could not read back, will be asked again");
                std::thread::sleep(Duration::from_millis(500));
            }
        }
    }
}

/// Appends one record and waits until it is durable.
pub fn append(appender: &mut dyn Appender, record: &[u8]) -> Result<(), String> {
    let mut ticket = None;
    for _ in 0..3_000 {
        if ticket.is_none() {
            ticket = match appender.append(record) {
                Ok(ticket) => Some(ticket),
                Err(AppendError::TooLarge { bytes }) => return Err(format!("a record of {bytes} bytes")),
                Err(AppendError::Full | AppendError::Stopped) => None,
            };
        }
        match appender.acked() {
            Ok(acked) if ticket.is_some_and(|ticket| ticket <= acked) => return Ok(()),
            Ok(_) => {}
            Err(_) => {
                ticket = None;
                let _ = appender.resume();
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err("the log did not take it within 30 s".to_owned())
}
