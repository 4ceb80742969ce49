//! The log: where facts and outputs stand, and the only place where two threads or two machines meet.
//!
//! ```text
//!  intake ── Appender ──▶ facts ── Reader ──▶ engine ── Committer ──▶ outputs + next offset, one transaction
//!  settler, auditor, board ── Reader (tail) ◀── kpi-live, scores-live, alerts, ledger
//!  snapshot thread ── Snapshots ──▶ scoring-state
//! ```
//!
//! Everything blocks and is called from the thread that owns it; nothing here is async. The errors are those that Kafka
//! really gives, so that the embedded log cannot be nicer than the truth, and each is named for what the caller must do.
//! [`embedded`] keeps the log in one process (memory or a directory), [`kafka`] on a broker, [`faulty`] injects errors over
//! either, and [`conformance`] is the list of laws that both obey.
//!
//! Every topic has one partition for each [`Domain`]: what a domain writes stands in one order, on every topic.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub mod clock;
pub mod conformance;
pub mod embedded;
pub mod faulty;
pub mod kafka;
mod snapshots;

/// A partition of `facts`: one consistency domain with one engine. Counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(pub u32);

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The topics of the product. All have as many partitions as there are domains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Validated events in their one order; the only truth. Append time is the broker's.
    Facts,
    /// The newest values of every subject.
    KpiLive,
    /// The newest score so far of every agent, period and card.
    ScoresLive,
    /// Every transition of every alert, once.
    Alerts,
    /// Finals, corrections, locks, decisions: kept for ever.
    Ledger,
    /// What could not be used, with its reason.
    DeadLetters,
    /// Snapshots of the engines. Read and written through [`Snapshots`] only.
    State,
}

/// What becomes of old records of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// The newest record of each key is kept; an empty value removes the key.
    Compacted,
    /// Every record is kept for this many days.
    Days(u32),
    /// Every record is kept.
    Forever,
}

impl Topic {
    /// Every topic, in a fixed order.
    pub const ALL: [Topic; 7] = [
        Topic::Facts,
        Topic::KpiLive,
        Topic::ScoresLive,
        Topic::Alerts,
        Topic::Ledger,
        Topic::DeadLetters,
        Topic::State,
    ];

    /// The name without the installation's prefix, as in `kpi-live`.
    pub fn suffix(self) -> &'static str {
        match self {
            Topic::Facts => "facts",
            Topic::KpiLive => "kpi-live",
            Topic::ScoresLive => "scores-live",
            Topic::Alerts => "alerts",
            Topic::Ledger => "ledger",
            Topic::DeadLetters => "dead-letters",
            Topic::State => "scoring-state",
        }
    }

    /// The full name, as in `shiftpulse-kpi-live`; the bare one where the prefix is empty.
    pub fn name(self, prefix: &str) -> String {
        if prefix.is_empty() { self.suffix().to_owned() } else { format!("{prefix}-{}", self.suffix()) }
    }

    /// What becomes of old records.
    pub fn retention(self) -> Retention {
        match self {
            Topic::KpiLive | Topic::ScoresLive | Topic::State => Retention::Compacted,
            Topic::Facts => Retention::Days(800),
            Topic::DeadLetters => Retention::Days(14),
            Topic::Alerts | Topic::Ledger => Retention::Forever,
        }
    }
}

/// One record as a reader gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Position in its topic and domain: rising, with holes.
    pub offset: i64,
    /// When the log took it, epoch milliseconds; never falls within a domain's facts.
    pub append_ms: i64,
    /// Absent for facts.
    pub key: Option<Vec<u8>>,
    /// Empty: the key is removed.
    pub value: Vec<u8>,
}

/// One record to be written with a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Any topic but [`Topic::Facts`] and [`Topic::State`].
    pub topic: Topic,
    /// Deterministic: a repeat of the same output has the same key and value.
    pub key: String,
    /// Empty removes the key of a compacted topic.
    pub value: Vec<u8>,
}

/// What an engine has to agree with when it is restored to a committed offset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitMetadata {
    /// The semantics number of the engine that wrote the outputs.
    #[serde(rename = "s")]
    pub semantics: u32,
    /// Hash of the definitions in force, as text.
    #[serde(rename = "d", default)]
    pub definitions: String,
    /// Digest of all outputs up to here, as text.
    #[serde(rename = "o", default)]
    pub outputs: String,
    /// Offsets of records that the engine had to skip and that no snapshot manifest names yet, ascending.
    #[serde(rename = "x", default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<i64>,
}

/// Longest commit metadata in bytes; a Kafka broker takes 4096 by default.
pub const MAX_METADATA: usize = 4000;
/// Largest value of one record in bytes; a Kafka broker takes a little more than this by default.
pub const MAX_VALUE: usize = 1_000_000;

impl CommitMetadata {
    /// Compact text, or the reason why it cannot be committed.
    pub fn encode(&self) -> Result<String, String> {
        let text = serde_json::to_string(self).map_err(|e| e.to_string())?;
        match text.len() {
            0..=MAX_METADATA => Ok(text),
            n => Err(format!("commit metadata of {n} bytes, at most {MAX_METADATA} fit: take a snapshot")),
        }
    }

    /// Reads what [`CommitMetadata::encode`] wrote.
    pub fn decode(text: &str) -> Result<CommitMetadata, String> {
        serde_json::from_str(text).map_err(|e| format!("commit metadata {text:?}: {e}"))
    }
}

/// One step of a domain: outputs and the offset they bring it to, visible together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// The *next* facts offset: everything below it is folded into `outputs` and what came before.
    pub next: i64,
    /// Stands beside the offset.
    pub metadata: CommitMetadata,
    /// In the order in which readers shall see them. At most about 1 MB together.
    pub outputs: Vec<Output>,
}

/// Checks what no log would take, and gives the metadata as text.
fn accept(transaction: &Transaction) -> Result<String, CommitError> {
    for Output { topic, key, value } in &transaction.outputs {
        if matches!(topic, Topic::Facts | Topic::State) {
            return Err(CommitError::Refused(format!("{} is not for outputs ({key})", topic.suffix())));
        }
        if value.len() > MAX_VALUE {
            return Err(CommitError::Refused(format!(
                "output {key} of {} bytes, at most {MAX_VALUE} fit",
                value.len()
            )));
        }
        if value.is_empty() && topic.retention() != Retention::Compacted {
            return Err(CommitError::Refused(format!(
                "{} keeps every record, {key} is empty",
                topic.suffix()
            )));
        }
    }
    transaction.metadata.encode().map_err(CommitError::Refused)
}

/// Where a domain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The next facts offset to fold.
    pub next: i64,
    /// As committed with it.
    pub metadata: CommitMetadata,
}

/// Names a batch that an [`Appender`] took. Rising; 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Why an [`Appender`] did not take a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The bounded queue is full: call [`Appender::acked`] until there is room, then offer the batch again.
    #[error("the queue to the log is full")]
    Full,
    /// A batch before this one failed: [`Appender::acked`] says where to go back to.
    #[error("appending has stopped")]
    Stopped,
    /// The log can never take it, whoever tries: larger than [`MAX_VALUE`].
    #[error("a record of {bytes} bytes, the log takes {MAX_VALUE}")]
    TooLarge {
        /// Size of what was offered.
        bytes: usize,
    },
}

/// A batch failed. All up to `acked` are durable, nothing after it counts.
///
/// Call [`Appender::resume`] and offer everything after `acked` again, in order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("appending stopped after ticket {}: {reason}", acked.0)]
pub struct Stopped {
    /// The last durable batch before the failed one.
    pub acked: Ticket,
    /// For people.
    pub reason: String,
}

/// It did not work now and nothing has changed: try again after a pause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("try again: {0}")]
pub struct Retry(pub String);

/// What to do after a failed read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing was lost: poll again after a pause. The reader keeps its position.
    #[error("try again: {0}")]
    Retry(String),
    /// The log does not hold what the reader was promised (a topic was made anew, or is shorter than its committed
    /// offset): stop and tell a person.
    #[error("the log is not what it was: {0}")]
    Broken(String),
}

/// What to do after a failed commit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Nothing was written: commit the same transaction again after a pause.
    #[error("try again: {0}")]
    Retry(String),
    /// Aborted, or nobody knows: drop the engine, [`Log::own`] again and restore. This committer is used up.
    #[error("restore: {0}")]
    Restore(String),
    /// Another owner has fenced this one: drop the engine, and wait to be assigned again. This committer is used up.
    #[error("fenced by another owner: {0}")]
    Lost(String),
    /// No log can take it (too large, a topic that is not for outputs): a fault of the caller, stop and say so.
    #[error("refused: {0}")]
    Refused(String),
}

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The oldest record there is.
    Beginning,
    /// The first record at or after this offset; the oldest one where that is gone.
    Offset(i64),
    /// What comes after the last committed record of now.
    End,
}

/// The log itself. One value for a process, shared by its threads.
pub trait Log: Send + Sync {
    /// How many domains there are: `Domain(0)` to `Domain(n - 1)`.
    fn domains(&self) -> u32;

    /// A way to append to the facts of `domain`. Appenders are independent: each has tickets of its own.
    fn appender(&self, domain: Domain) -> Box<dyn Appender>;

    /// Takes the domain, fencing whoever had it: their commits fail with [`CommitError::Lost`] from here on, what they had
    /// open is gone, and `committed` cannot change any more under us. Call it only for a domain assigned to this instance.
    fn own(&self, domain: Domain) -> Result<Owned, Retry>;

    /// Where the domain stands, without taking it: while somebody owns it, that may be history when it is read. `None` before
    /// its first commit.
    fn committed(&self, domain: Domain) -> Result<Option<Committed>, Retry>;

    /// Reads a topic of a domain, committed records only. Several readers do not disturb each other.
    fn tail(&self, topic: Topic, domain: Domain, from: Start) -> Result<Box<dyn Reader>, Retry>;

    /// Joins the instances that share the domains. Leaves when dropped.
    fn join(&self) -> Result<Box<dyn Membership>, Retry>;
}

impl<L: Log + ?Sized> Log for Arc<L> {
    fn domains(&self) -> u32 {
        (**self).domains()
    }
    fn appender(&self, domain: Domain) -> Box<dyn Appender> {
        (**self).appender(domain)
    }
    fn own(&self, domain: Domain) -> Result<Owned, Retry> {
        (**self).own(domain)
    }
    fn committed(&self, domain: Domain) -> Result<Option<Committed>, Retry> {
        (**self).committed(domain)
    }
    fn tail(&self, topic: Topic, domain: Domain, from: Start) -> Result<Box<dyn Reader>, Retry> {
        (**self).tail(topic, domain, from)
    }
    fn join(&self) -> Result<Box<dyn Membership>, Retry> {
        (**self).join()
    }
}

/// Appends in order, without waiting for each batch.
pub trait Appender: Send {
    /// Enqueues one facts record. Never blocks.
    fn append(&mut self, batch: &[u8]) -> Result<Ticket, AppendError>;

    /// Enqueues one dead letter, with a ticket in the same row. Never blocks. Outside any transaction, so that it may be
    /// written twice: the key says that it is the same one.
    fn dead_letter(&mut self, key: &str, value: &[u8]) -> Result<Ticket, AppendError>;

    /// All up to the returned ticket are durable. Moves the work on, so whoever appends calls it often; it may spend the
    /// time of one write to disk, and does not wait for a network.
    fn acked(&mut self) -> Result<Ticket, Stopped>;

    /// After [`Stopped`]: forgets what did not become durable and goes on; the next ticket follows the returned one. Changes
    /// nothing where nothing has stopped.
    fn resume(&mut self) -> Result<Ticket, Retry>;
}

/// A domain that was taken, in parts that go to different threads.
pub struct Owned {
    /// Where the domain stands; `None` before its first commit.
    pub committed: Option<Committed>,
    /// The facts of the domain, from the beginning until moved by [`Reader::seek`].
    pub facts: Box<dyn Reader>,
    /// For the committer thread.
    pub committer: Box<dyn Committer>,
    /// For the snapshot thread.
    pub snapshots: Box<dyn Snapshots>,
}

/// Reads one topic of one domain, in order.
pub trait Reader: Send {
    /// The next record; blocks up to `wait` for one to come. `None`: nothing came, which alone does not mean that there is nothing.
    fn poll(&mut self, wait: Duration) -> Result<Option<Record>, ReadError>;

    /// The last poll came to the end of what was committed then: the reader has everything it had.
    fn caught_up(&self) -> bool;

    /// Goes on from elsewhere.
    fn seek(&mut self, from: Start) -> Result<(), ReadError>;

    /// Offset of the oldest record that is kept, and the offset after the last committed one. Asks the log: not for every record.
    fn bounds(&mut self) -> Result<(i64, i64), ReadError>;
}

/// Commits the outputs of a domain, one transaction at a time.
pub trait Committer: Send {
    /// Writes the outputs and the offset together. Blocks until the outcome is known or given up.
    fn commit(&mut self, transaction: &Transaction) -> Result<(), CommitError>;
}

/// Describes one complete snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The state is that of all facts below this offset.
    pub at: i64,
    /// Tells this writing of it from another one of the same offset.
    pub id: String,
    /// What the engine wants to know before it reads on: semantics, definitions, skips, digest. At most 64 KB of text.
    pub about: String,
    /// How many chunks.
    pub chunks: u32,
    /// Bytes of all chunks together.
    pub bytes: u64,
    /// SipHash of all chunks in order, against torn writing.
    pub checksum: String,
}

/// The snapshots of a domain. Outside transactions and not fenced: a snapshot is a function of the facts below its offset,
/// so one by a fenced owner is as good as any.
pub trait Snapshots: Send {
    /// Writes one: the chunks (each at most [`MAX_VALUE`]), then the manifest. Then all but the newest two complete ones go.
    fn save(
        &mut self,
        at: i64,
        about: &str,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<Manifest, Retry>;

    /// Complete ones, newest first, at most two. One whose writing was broken off is not among them.
    fn list(&mut self) -> Result<Vec<Manifest>, Retry>;

    /// The chunks of one, in order. `None`: it does not match its checksum or is gone, take the next older one.
    fn load(&mut self, manifest: &Manifest) -> Result<Option<Vec<Vec<u8>>>, Retry>;
}

/// Being one of the instances that share the domains.
pub trait Membership: Send {
    /// The domains this instance is to own, when that has changed; blocks up to `wait`. Call it all the time: an instance
    /// that does not is taken for dead. Whoever acts on an old answer is fenced, so it may be acted on in peace.
    fn poll(&mut self, wait: Duration) -> Result<Option<BTreeSet<Domain>>, Retry>;
}

/// The clock that stamps appended facts, in milliseconds since the epoch. All time in the product comes from it.
pub trait AppendClock: Send + Sync {
    /// The time now. May jump in either direction: the log never lets append times fall.
    fn now_ms(&self) -> i64;

    /// How many milliseconds of this clock pass in one of the wall's; 1 for a real clock. Shell timers are divided by it.
    fn rate(&self) -> u32 {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_survives_the_round_trip() {
        let m = CommitMetadata {
            semantics: 3,
            definitions: "ab\"c".into(),
            outputs: "00ff".into(),
            skipped: vec![7, 900],
        };
        assert_eq!(CommitMetadata::decode(&m.encode().unwrap()).unwrap(), m);
    }

    #[test]
    fn metadata_that_no_broker_takes_is_refused() {
        let m = CommitMetadata { skipped: (0..2000).collect(), ..CommitMetadata::default() };
        assert!(m.encode().unwrap_err().contains("snapshot"));
        assert!(CommitMetadata::decode("").is_err());
    }

    #[test]
    fn names_carry_the_prefix() {
        assert_eq!(Topic::State.name("acme"), "acme-scoring-state");
        assert_eq!(Topic::Facts.name(""), "facts");
    }
}
