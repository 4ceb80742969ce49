//! Reading: a batch of records at a time, and a wait that an append or a commit ends.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::super::{Domain, ReadError, Reader, Record, Start, Topic};
use super::{Ends, Shared, store};

pub(super) struct EmbeddedReader {
    shared: Arc<Shared>,
    topic: Topic,
    domain: Domain,
    /// The next offset to fetch.
    next: u64,
    fetched: VecDeque<Record>,
    caught_up: bool,
}

impl EmbeddedReader {
    pub(super) fn new(shared: &Arc<Shared>, topic: Topic, domain: Domain) -> EmbeddedReader {
        let shared = Arc::clone(shared);
        EmbeddedReader { shared, topic, domain, next: 0, fetched: VecDeque::new(), caught_up: false }
    }

    /// What is fetched, or can be without waiting.
    fn take(&mut self) -> Result<Option<Record>, ReadError> {
        if self.fetched.is_empty() {
            self.fetch()?;
        }
        let record = self.fetched.pop_front();
        self.caught_up = self.fetched.is_empty() && self.next >= self.shared.end(self.topic, self.domain);
        Ok(record)
    }

    fn fetch(&mut self) -> Result<(), ReadError> {
        let end = self.shared.end(self.topic, self.domain);
        if self.next >= end {
            return Ok(());
        }
        let found = self.shared.store.read(|tx| store::fetch(tx, self.topic, self.domain, self.next));
        let found = found.map_err(|e| ReadError::Retry(e.to_string()))?;
        self.next = found.last().map_or(end, |r| r.offset as u64 + 1);
        self.fetched = found.into();
        Ok(())
    }

    /// Waits until there may be something new; false when the time is over.
    fn wait(&self, deadline: Instant) -> bool {
        let ends = self.shared.ends();
        let nothing = |ends: &Ends| ends.get(&(self.topic, self.domain)).copied().unwrap_or(0) <= self.next;
        if !nothing(&ends) || self.queued() {
            return true;
        }
        let left = deadline.saturating_duration_since(now());
        if left.is_zero() {
            return false;
        }
        let waited = self.shared.arrived.wait_timeout(ends, left).unwrap_or_else(PoisonError::into_inner);
        drop(waited);
        true
    }

    /// Something was appended that this reader may be waiting for.
    fn queued(&self) -> bool {
        matches!(self.topic, Topic::Facts | Topic::DeadLetters) && !self.shared.queue().items.is_empty()
    }
}

impl Reader for EmbeddedReader {
    fn poll(&mut self, wait: Duration) -> Result<Option<Record>, ReadError> {
        let deadline = now() + wait;
        loop {
            if let Some(record) = self.take()? {
                return Ok(Some(record));
            }
            if self.queued() {
                self.shared.flush().map_err(|e| ReadError::Retry(e.to_string()))?;
            } else if !self.wait(deadline) {
                return Ok(None);
            }
        }
    }

    fn caught_up(&self) -> bool {
        self.caught_up
    }

    fn seek(&mut self, from: Start) -> Result<(), ReadError> {
        let (_, end) = self.bounds()?;
        let next = match from {
            Start::Beginning => 0,
            Start::Offset(offset) if offset > end => {
                return Err(ReadError::Broken(format!("offset {offset} is beyond the end, {end}")));
            }
            Start::Offset(offset) => offset.max(0),
            Start::End => end,
        };
        (self.next, self.caught_up) = (next as u64, false);
        self.fetched.clear();
        Ok(())
    }

    fn bounds(&mut self) -> Result<(i64, i64), ReadError> {
        self.shared.flush().map_err(|e| ReadError::Retry(e.to_string()))?;
        let first = self.shared.store.read(|tx| store::first(tx, self.topic, self.domain));
        let first = first.map_err(|e| ReadError::Retry(e.to_string()))?;
        let end = self.shared.end(self.topic, self.domain);
        Ok((first.unwrap_or(end) as i64, end as i64))
    }
}

#[expect(clippy::disallowed_methods, reason = "a wait needs a deadline")]
fn now() -> Instant {
    Instant::now()
}
