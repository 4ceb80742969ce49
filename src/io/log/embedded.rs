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
//! After a failed write nobody knows what is on disk: appenders stop, a commit says [`CommitError::Restore`](super::CommitError::Restore), and the database
//! is opened again at the next use.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redb::{Builder, Database, StorageBackend, WriteTransaction};

use super::snapshots::StateSnapshots;
use super::{AppendClock, Appender, Committed, Domain, Log, Membership, Owned, Reader, Retry, Start, Topic};
use appender::EmbeddedAppender;
use committer::{EmbeddedCommitter, EmbeddedState};
use reader::EmbeddedReader;
use store::{New, Opener, Store};

mod appender;
mod committer;
pub mod memory;
pub mod power;
mod reader;
mod store;

/// Bytes that may wait to be written before [`AppendError::Full`](super::AppendError::Full).
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
        Box::new(EmbeddedAppender::new(&self.shared, domain))
    }

    fn own(&self, domain: Domain) -> Result<Owned, Retry> {
        let shared = &self.shared;
        let mut writer = shared.writer();
        shared.write(&mut writer, |_, _| Ok(())).map_err(|e| Retry(e.to_string()))?;
        let committed = self.committed(domain)?;
        let epoch = writer.epochs.entry(domain).or_default();
        *epoch += 1;
        let committer = EmbeddedCommitter::new(shared, domain, *epoch);
        let state = EmbeddedState::new(shared, domain);
        Ok(Owned {
            committed,
            facts: Box::new(EmbeddedReader::new(shared, Topic::Facts, domain)),
            committer: Box::new(committer),
            snapshots: Box::new(StateSnapshots::new(state, domain)),
        })
    }

    fn committed(&self, domain: Domain) -> Result<Option<Committed>, Retry> {
        self.shared.store.read(|tx| store::committed(tx, domain)).map_err(|e| Retry(e.to_string()))
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
