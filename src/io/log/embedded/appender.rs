//! Appending: into the queue, until somebody writes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::{AppendError, Appender, Domain, MAX_VALUE, Retry, Stopped, Ticket, Topic};
use super::{Item, QUEUE_BYTES, Shared};

pub(super) struct EmbeddedAppender {
    shared: Arc<Shared>,
    domain: Domain,
    generation: u64,
    issued: u64,
    acked: Arc<AtomicU64>,
}

impl EmbeddedAppender {
    pub(super) fn new(shared: &Arc<Shared>, domain: Domain) -> EmbeddedAppender {
        let generation = shared.queue().generation;
        let shared = Arc::clone(shared);
        EmbeddedAppender { shared, domain, generation, issued: 0, acked: Arc::default() }
    }

    fn enqueue(&mut self, topic: Topic, key: Option<&str>, value: &[u8]) -> Result<Ticket, AppendError> {
        if value.len() > MAX_VALUE {
            return Err(AppendError::TooLarge { bytes: value.len() });
        }
        let mut queue = self.shared.queue();
        if queue.generation != self.generation {
            return Err(AppendError::Stopped);
        }
        if queue.bytes + value.len() > QUEUE_BYTES {
            return Err(AppendError::Full);
        }
        self.issued += 1;
        queue.bytes += value.len();
        let append_ms = self.shared.stamp(&mut queue);
        queue.items.push_back(Item {
            topic,
            domain: self.domain,
            append_ms,
            key: key.map(str::to_owned),
            value: value.to_vec(),
            ticket: self.issued,
            acked: Arc::clone(&self.acked),
        });
        drop(queue);
        // Taken so that a reader between its check and its wait is not missed.
        drop(self.shared.ends());
        self.shared.arrived.notify_all();
        Ok(Ticket(self.issued))
    }
}

impl Appender for EmbeddedAppender {
    fn append(&mut self, batch: &[u8]) -> Result<Ticket, AppendError> {
        self.enqueue(Topic::Facts, None, batch)
    }

    fn dead_letter(&mut self, key: &str, value: &[u8]) -> Result<Ticket, AppendError> {
        self.enqueue(Topic::DeadLetters, Some(key), value)
    }

    fn acked(&mut self) -> Result<Ticket, Stopped> {
        // Where the log cannot even be opened, nothing is lost yet: the queue waits.
        let _ = self.shared.flush();
        let queue = self.shared.queue();
        let acked = Ticket(self.acked.load(Ordering::SeqCst));
        if queue.generation != self.generation {
            return Err(Stopped { acked, reason: queue.reason.clone() });
        }
        Ok(acked)
    }

    fn resume(&mut self) -> Result<Ticket, Retry> {
        let shared = &self.shared;
        shared.load(&mut shared.writer()).map_err(|e| Retry(e.to_string()))?;
        let generation = shared.queue().generation;
        if generation != self.generation {
            self.generation = generation;
            self.issued = self.acked.load(Ordering::SeqCst);
        }
        Ok(Ticket(self.issued))
    }
}
