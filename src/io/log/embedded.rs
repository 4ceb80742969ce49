//! The log in one process, on redb: in memory or in a directory.
//!
//! ```text
//!  append ─▶ queue ─┐
//!                   ├─▶ one durable write ─▶ readers wake, tickets are acked
//!  commit ──────────┘
//! ```
//!
//! There is no thread of its own: whoever needs the queue on disk ([`Appender::acked`], a commit, a reader that has nothing
//! left) writes all of it, so that batches which arrive during one write share the next. A single thread on a manual clock
//! therefore sees the same log every time, which the simulation lives on.
//!
//! After a failed write nobody knows what is on disk: appenders stop, a commit says [`CommitError::Restore`], and the database
//! is opened again at the next use.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redb::{Builder, Database, StorageBackend, WriteTransaction};

use super::snapshots::{StateSnapshots, StateTopic};
use super::{
    AppendClock, AppendError, Appender, CommitError, Committer, Domain, Log, MAX_VALUE, Membership, Output,
    Owned, ReadError, Reader, Record, Retry, Start, Stopped, Ticket, Topic, Transaction,
};
use store::{New, Opener, Store};

pub mod memory;
pub mod power;
mod store;

/// Bytes that may wait to be written before [`AppendError::Full`].
pub const QUEUE_BYTES: usize = 16 << 20;
/// Page cache of a log in a directory, in bytes.
const CACHE_BYTES: usize = 64 << 20;
const LETTERS_KEPT_MS: i64 = 14 * 24 * 3_600_000;

/// A log in this process. One value; threads share it in an [`Arc`].
pub struct EmbeddedLog {
    shared: Arc<Shared>,
}

/// The log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the log is in use by another process")]
    InUse,
    /// The directory cannot be made.
    #[error("the directory {0} cannot be made: {1}")]
    Directory(String, std::io::Error),
    /// What is there is not a log, or cannot be read.
    #[error("the log cannot be opened: {0}")]
    Damaged(String),
}

impl EmbeddedLog {
    /// An empty log in memory.
    pub fn in_memory(domains: u32, clock: Arc<dyn AppendClock>) -> Result<EmbeddedLog, OpenError> {
        EmbeddedLog::on_memory(&memory::Memory::default(), domains, clock)
    }

    /// The log that stands in `memory`.
    pub fn on_memory(
        memory: &memory::Memory,
        domains: u32,
        clock: Arc<dyn AppendClock>,
    ) -> Result<EmbeddedLog, OpenError> {
        let memory = memory.clone();
        EmbeddedLog::on_backend(move || memory.clone(), domains, clock)
    }

    /// The log on any storage; `plug` is called at every opening.
    pub fn on_backend<B: StorageBackend>(
        plug: impl Fn() -> B + Send + Sync + 'static,
        domains: u32,
        clock: Arc<dyn AppendClock>,
    ) -> Result<EmbeddedLog, OpenError> {
        let open = move || Ok(Builder::new().set_cache_size(CACHE_BYTES / 8).create_with_backend(plug())?);
        EmbeddedLog::start(Box::new(open), domains, clock)
    }

    /// The log in `directory`, which is made where it is missing.
    pub fn in_directory(
        directory: &Path,
        domains: u32,
        clock: Arc<dyn AppendClock>,
    ) -> Result<EmbeddedLog, OpenError> {
        std::fs::create_dir_all(directory)
            .map_err(|e| OpenError::Directory(directory.display().to_string(), e))?;
        let file = directory.join("shiftpulse.redb");
        let open = move || -> Result<Database, redb::Error> {
            Ok(Builder::new().set_cache_size(CACHE_BYTES).create(&file)?)
        };
        EmbeddedLog::start(Box::new(open), domains, clock)
    }

    fn start(opener: Opener, domains: u32, clock: Arc<dyn AppendClock>) -> Result<EmbeddedLog, OpenError> {
        let shared = Shared {
            domains: domains.max(1),
            store: Store::new(opener),
            clock,
            queue: Mutex::new(Queue::default()),
            writer: Mutex::new(Writer::default()),
            ends: Mutex::new(Ends::new()),
            arrived: Condvar::new(),
        };
        let mut writer = shared.writer();
        shared.load(&mut writer).map_err(|e| match e {
            redb::Error::DatabaseAlreadyOpen => OpenError::InUse,
            e => OpenError::Damaged(e.to_string()),
        })?;
        drop(writer);
        Ok(EmbeddedLog { shared: Arc::new(shared) })
    }
}

impl Log for EmbeddedLog {
    fn domains(&self) -> u32 {
        self.shared.domains
    }

    fn appender(&self, domain: Domain) -> Box<dyn Appender> {
        let generation = self.shared.queue().generation;
        let shared = Arc::clone(&self.shared);
        Box::new(EmbeddedAppender { shared, domain, generation, issued: 0, acked: Arc::default() })
    }

    fn own(&self, domain: Domain) -> Result<Owned, Retry> {
        let shared = &self.shared;
        let mut writer = shared.writer();
        shared.write(&mut writer, |_, _| Ok(())).map_err(|e| Retry(e.to_string()))?;
        let committed =
            shared.store.read(|tx| store::committed(tx, domain)).map_err(|e| Retry(e.to_string()))?;
        let epoch = writer.epochs.entry(domain).or_default();
        *epoch += 1;
        let committer = EmbeddedCommitter { shared: Arc::clone(shared), domain, epoch: *epoch, over: None };
        let state = EmbeddedState { shared: Arc::clone(shared), domain };
        Ok(Owned {
            committed,
            facts: Box::new(EmbeddedReader::new(shared, Topic::Facts, domain)),
            committer: Box::new(committer),
            snapshots: Box::new(StateSnapshots::new(state, domain)),
        })
    }

    fn tail(&self, topic: Topic, domain: Domain, from: Start) -> Result<Box<dyn Reader>, Retry> {
        let mut reader = EmbeddedReader::new(&self.shared, topic, domain);
        reader.seek(from).map_err(|e| Retry(e.to_string()))?;
        Ok(Box::new(reader))
    }

    fn join(&self) -> Result<Box<dyn Membership>, Retry> {
        let (kept, never) = sync_channel(0);
        let domains = (0..self.shared.domains).map(Domain).collect();
        Ok(Box::new(Alone { domains: Some(domains), never, _kept: kept }))
    }
}

/// The offset after the last committed record.
type Ends = BTreeMap<(Topic, Domain), u64>;

struct Shared {
    domains: u32,
    store: Store,
    clock: Arc<dyn AppendClock>,
    queue: Mutex<Queue>,
    /// Held during a write. Taken before `queue` and `ends`.
    writer: Mutex<Writer>,
    ends: Mutex<Ends>,
    arrived: Condvar,
}

/// What was appended and is not written.
#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
    last_ms: i64,
    /// Counts failures. Appenders of an older generation have stopped.
    generation: u64,
    reason: String,
}

struct Item {
    topic: Topic,
    domain: Domain,
    append_ms: i64,
    key: Option<String>,
    value: Vec<u8>,
    ticket: u64,
    acked: Arc<AtomicU64>,
}

#[derive(Default)]
struct Writer {
    /// The next offset of each topic; `None` when it must be read from the store first.
    next: Option<Ends>,
    epochs: BTreeMap<Domain, u64>,
}

/// Why a write did not happen.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("the log cannot be opened: {0}")]
    NotTried(redb::Error),
    #[error("a write failed: {0}")]
    Unknown(redb::Error),
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The append time of what is taken now: never before an earlier one.
    fn stamp(&self, queue: &mut Queue) -> i64 {
        queue.last_ms = queue.last_ms.max(self.clock.now_ms());
        queue.last_ms
    }

    /// Learns from the store where every topic ends.
    fn load(&self, writer: &mut Writer) -> Result<(), redb::Error> {
        if writer.next.is_some() {
            return Ok(());
        }
        // An offset that a reader may have seen as the end is never given out again below it.
        let (mut next, mut last_ms) = (self.ends().clone(), i64::MIN);
        for domain in (0..self.domains).map(Domain) {
            for topic in Topic::ALL {
                let last = self.store.read(|tx| store::last(tx, topic, domain))?;
                let end = next.entry((topic, domain)).or_default();
                *end = (*end).max(last.map_or(0, |(offset, _)| offset + 1));
                last_ms = last_ms.max(last.map_or(i64::MIN, |(_, ms)| ms));
            }
        }
        let mut queue = self.queue();
        queue.last_ms = queue.last_ms.max(last_ms);
        drop(queue);
        self.publish(&next);
        writer.next = Some(next);
        Ok(())
    }

    /// Writes the queue, if there is anything in it.
    fn flush(&self) -> Result<(), WriteError> {
        if self.queue().items.is_empty() {
            return Ok(());
        }
        self.write(&mut self.writer(), |_, _| Ok(()))
    }

    /// Writes the queue and then what `more` writes, in one durable transaction.
    fn write(
        &self,
        writer: &mut Writer,
        more: impl FnOnce(&WriteTransaction, &mut Ends) -> Result<(), redb::Error>,
    ) -> Result<(), WriteError> {
        self.load(writer).map_err(WriteError::NotTried)?;
        let mut next = writer.next.take().unwrap_or_default();
        let items = self.drain();
        let written = self.store.write(|tx| {
            for item in &items {
                self.put_item(tx, &mut next, item)?;
            }
            more(tx, &mut next)
        });
        if let Err(e) = written {
            self.fail(&e.to_string());
            return Err(WriteError::Unknown(e));
        }
        self.publish(&next);
        writer.next = Some(next);
        items.iter().for_each(|item| item.acked.store(item.ticket, Ordering::SeqCst));
        Ok(())
    }

    fn drain(&self) -> VecDeque<Item> {
        let mut queue = self.queue();
        queue.bytes = 0;
        std::mem::take(&mut queue.items)
    }

    fn put_item(&self, tx: &WriteTransaction, next: &mut Ends, item: &Item) -> Result<(), redb::Error> {
        if item.topic == Topic::DeadLetters {
            store::expire(tx, item.topic, item.domain, item.append_ms - LETTERS_KEPT_MS)?;
        }
        let Item { topic, domain, append_ms, key, value, .. } = item;
        let new = New { topic: *topic, domain: *domain, append_ms: *append_ms, key: key.as_deref(), value };
        store::put(tx, take_offset(next, *topic, *domain), &new)
    }

    /// Stops every appender: what was queued is gone, or may be on disk, and they must offer it again.
    fn fail(&self, reason: &str) {
        let mut queue = self.queue();
        queue.items.clear();
        queue.bytes = 0;
        queue.generation += 1;
        queue.reason = reason.to_owned();
    }

    fn publish(&self, next: &Ends) {
        self.ends().clone_from(next);
        self.arrived.notify_all();
    }

    fn end(&self, topic: Topic, domain: Domain) -> u64 {
        self.ends().get(&(topic, domain)).copied().unwrap_or(0)
    }
}

fn take_offset(next: &mut Ends, topic: Topic, domain: Domain) -> u64 {
    let next = next.entry((topic, domain)).or_default();
    *next += 1;
    *next - 1
}

struct EmbeddedAppender {
    shared: Arc<Shared>,
    domain: Domain,
    generation: u64,
    issued: u64,
    acked: Arc<AtomicU64>,
}

impl EmbeddedAppender {
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

struct EmbeddedReader {
    shared: Arc<Shared>,
    topic: Topic,
    domain: Domain,
    /// The next offset to fetch.
    next: u64,
    fetched: VecDeque<Record>,
    caught_up: bool,
}

impl EmbeddedReader {
    fn new(shared: &Arc<Shared>, topic: Topic, domain: Domain) -> EmbeddedReader {
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

struct EmbeddedCommitter {
    shared: Arc<Shared>,
    domain: Domain,
    epoch: u64,
    /// Set once this committer is used up.
    over: Option<CommitError>,
}

impl EmbeddedCommitter {
    fn try_commit(&self, transaction: &Transaction) -> Result<(), CommitError> {
        let metadata = super::accept(transaction)?;
        let mut writer = self.shared.writer();
        if writer.epochs.get(&self.domain) != Some(&self.epoch) {
            return Err(CommitError::Lost(format!("domain {} has a newer owner", self.domain)));
        }
        let append_ms = self.shared.stamp(&mut self.shared.queue());
        let written = self.shared.write(&mut writer, |tx, next| {
            self.put_outputs(tx, next, append_ms, &transaction.outputs)?;
            store::put_committed(tx, self.domain, transaction.next, &metadata)
        });
        written.map_err(|e| match e {
            WriteError::NotTried(_) => CommitError::Retry(e.to_string()),
            WriteError::Unknown(_) => CommitError::Restore(e.to_string()),
        })
    }

    fn put_outputs(
        &self,
        tx: &WriteTransaction,
        next: &mut Ends,
        append_ms: i64,
        outputs: &[Output],
    ) -> Result<(), redb::Error> {
        let mut touched = BTreeSet::new();
        for Output { topic, key, value } in outputs {
            let new = New { topic: *topic, domain: self.domain, append_ms, key: Some(key), value };
            store::put(tx, take_offset(next, *topic, self.domain), &new)?;
            touched.insert(*topic);
        }
        // A broker's transaction marker takes an offset too; readers must not count on dense ones.
        for topic in touched {
            take_offset(next, topic, self.domain);
        }
        Ok(())
    }
}

impl Committer for EmbeddedCommitter {
    fn commit(&mut self, transaction: &Transaction) -> Result<(), CommitError> {
        if let Some(over) = &self.over {
            return Err(over.clone());
        }
        let done = self.try_commit(transaction);
        if let Err(e @ (CommitError::Restore(_) | CommitError::Lost(_))) = &done {
            self.over = Some(e.clone());
        }
        done
    }
}

struct EmbeddedState {
    shared: Arc<Shared>,
    domain: Domain,
}

impl StateTopic for EmbeddedState {
    fn put(&mut self, records: &[(String, Vec<u8>)]) -> Result<(), Retry> {
        let append_ms = self.shared.stamp(&mut self.shared.queue());
        let (topic, domain) = (Topic::State, self.domain);
        let written = self.shared.write(&mut self.shared.writer(), |tx, next| {
            records.iter().try_for_each(|(key, value)| {
                let new = New { topic, domain, append_ms, key: Some(key), value };
                store::put(tx, take_offset(next, topic, domain), &new)
            })
        });
        written.map_err(|e| Retry(e.to_string()))
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, Retry> {
        Ok(Box::new(EmbeddedReader::new(&self.shared, Topic::State, self.domain)))
    }
}

/// The only member: it owns every domain, for ever.
struct Alone {
    domains: Option<BTreeSet<Domain>>,
    never: Receiver<()>,
    _kept: SyncSender<()>,
}

impl Membership for Alone {
    fn poll(&mut self, wait: Duration) -> Result<Option<BTreeSet<Domain>>, Retry> {
        if self.domains.is_none() {
            let _ = self.never.recv_timeout(wait);
        }
        Ok(self.domains.take())
    }
}

#[cfg(test)]
mod tests;
