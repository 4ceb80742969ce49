//! Scoring: one domain's engine on the log. Restore, fold, commit, snapshot; no threads of its own.
//!
//! ```text
//! own ─▶ newest snapshot at or below the committed offset ─▶ silent replay ─▶ output digest equal? ─▶ ready
//!                                                                              └ no: stop and say so
//! facts ─▶ fold() ─▶ outputs wait ─▶ transaction(): outputs + next offset + digest ─▶ committer
//! ```
//!
//! A failed or unknown commit drops all of this and begins anew with `own`: there is no roll-back.

use super::log::{
    CommitMetadata, Committed, Domain, Output, ReadError, Reader, Record, Retry, Snapshots, Start, Topic,
    Transaction,
};
use super::stopwatch::Stopwatch;
use crate::engine::output::Output as Said;
use crate::engine::record::{Body, Record as Decoded};
use crate::engine::{Engine, definitions::SEMANTICS};
use crate::model::units::LogTime;
use crate::wire;
use crate::wire::results::{self, Class, Digest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Bytes of outputs that make a transaction due at once.
pub const FULL: usize = 1_000_000;
/// Largest chunk of a snapshot.
const CHUNK: usize = 900_000;

/// Why scoring of a domain stops for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Replaying the facts did not give the outputs that were committed.
    #[error(
        "domain {domain}: replay up to offset {offset} gives output digest {found}, committed is {committed}; \
         the facts or this build are not those that wrote the outputs. Keep the log as it is and run the build that wrote it"
    )]
    Digest {
        /// Domain.
        domain: u32,
        /// Committed offset.
        offset: i64,
        /// Digest in the commit.
        committed: String,
        /// Digest of the replay.
        found: String,
    },
    /// The outputs were written by another behaviour.
    #[error("domain {domain}: outputs were written with semantics {committed}, this build has {own}")]
    Semantics {
        /// Domain.
        domain: u32,
        /// Number in the commit.
        committed: u32,
        /// Number of this build.
        own: u32,
    },
    /// Facts that are needed are gone.
    #[error("domain {domain}: facts from offset {wanted} are needed, the oldest kept is {oldest}")]
    Gone {
        /// Domain.
        domain: u32,
        /// First offset needed.
        wanted: i64,
        /// Oldest offset kept.
        oldest: i64,
    },
    /// The log is not what it was.
    #[error("{0}")]
    Broken(String),
}

/// Why a restore did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// Try again after a pause.
    #[error(transparent)]
    Retry(#[from] Retry),
    /// A person must look.
    #[error(transparent)]
    Stop(#[from] Stop),
}

impl From<ReadError> for RestoreError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Retry(reason) => RestoreError::Retry(Retry(reason)),
            ReadError::Broken(reason) => RestoreError::Stop(Stop::Broken(reason)),
        }
    }
}

/// How a restore went, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Offset of the snapshot, if one was used.
    pub snapshot: Option<i64>,
    /// Bytes of the snapshot.
    pub snapshot_bytes: usize,
    /// Records folded again.
    pub replayed: u64,
    /// Whether a commit was there, and its digest matched.
    pub digest_matched: bool,
    /// Finding and reading the snapshot.
    pub reading: Duration,
    /// Folding again.
    pub replaying: Duration,
}

/// What a snapshot says about itself.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    semantics: u32,
    digest: String,
    skipped: Vec<i64>,
}

/// A snapshot that is ready to be saved once its offset is committed.
#[derive(Debug)]
pub struct Snapshot {
    /// State of all facts below.
    pub at: i64,
    about: String,
    bytes: Vec<u8>,
}

impl Snapshot {
    /// Writes it.
    ///
    /// # Errors
    /// The log did not take it; nothing is lost but the snapshot.
    pub fn save(self, snapshots: &mut dyn Snapshots) -> Result<usize, Retry> {
        let mut chunks = self.bytes.chunks(CHUNK).map(<[u8]>::to_vec);
        snapshots.save(self.at, &self.about, &mut chunks)?;
        Ok(self.bytes.len())
    }
}

/// What one call of [`Scoring::fold`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// One record.
    Record,
    /// There was nothing to read.
    Nothing,
    /// The record at this offset breaks an invariant: drop this, restore with it among the skipped.
    Panicked(i64),
}

/// A domain's engine, where it reads, and what waits to be committed.
pub struct Scoring {
    engine: Engine,
    facts: Box<dyn Reader>,
    next: i64,
    digest: Digest,
    skipped: BTreeSet<i64>,
    said: Vec<Said>,
    waiting: Vec<Output>,
    waiting_bytes: usize,
    /// Facts offset up to which a transaction was handed out.
    handed: i64,
    /// Records folded since the last snapshot.
    folded: u64,
}

impl Scoring {
    /// Restores a domain that was just taken: snapshot, silent replay, digest check.
    ///
    /// # Errors
    /// The log cannot be read now, or what it holds is not what was committed.
    pub fn restore(
        domain: Domain,
        committed: Option<&Committed>,
        mut facts: Box<dyn Reader>,
        snapshots: &mut dyn Snapshots,
        skip: &BTreeSet<i64>,
    ) -> Result<(Self, Restored), RestoreError> {
        let to = committed.map_or(0, |committed| committed.next);
        if let Some(committed) = committed.filter(|committed| committed.metadata.semantics != SEMANTICS) {
            let committed = committed.metadata.semantics;
            return Err(Stop::Semantics { domain: domain.0, committed, own: SEMANTICS }.into());
        }
        let (mut restored, watch) = (Restored::default(), Stopwatch::start());
        let (engine, from, about) = newest(domain, to, snapshots, &mut restored)?;
        restored.reading = watch.elapsed();
        let (oldest, _) = facts.bounds()?;
        if oldest > from {
            return Err(Stop::Gone { domain: domain.0, wanted: from, oldest }.into());
        }
        facts.seek(if from == 0 { Start::Beginning } else { Start::Offset(from) })?;
        let mut skipped: BTreeSet<i64> = skip.iter().copied().chain(about.skipped.iter().copied()).collect();
        skipped.extend(committed.iter().flat_map(|committed| &committed.metadata.skipped));
        let mut scoring = Self {
            engine,
            facts,
            next: from,
            digest: Digest::parse(&about.digest).unwrap_or_default(),
            skipped,
            said: Vec::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            handed: to,
            folded: 0,
        };
        if let Some(committed) = committed {
            let watch = Stopwatch::start();
            scoring.replay(domain, committed, &mut restored)?;
            restored.replaying = watch.elapsed();
        }
        Ok((scoring, restored))
    }

    /// Folds everything below the committed offset again, in silence, and compares the digest.
    fn replay(
        &mut self,
        domain: Domain,
        committed: &Committed,
        restored: &mut Restored,
    ) -> Result<(), RestoreError> {
        while self.next < committed.next {
            let Some(record) = self.facts.poll(Duration::from_millis(200))? else {
                if self.facts.caught_up() {
                    break;
                }
                continue;
            };
            if record.offset >= committed.next {
                self.facts.seek(Start::Offset(record.offset))?;
                break;
            }
            self.fold_record(&record).map_err(|offset| {
                Stop::Broken(format!("domain {domain}: the record at offset {offset} cannot be folded again"))
            })?;
            restored.replayed += 1;
        }
        self.next = self.next.max(committed.next);
        self.waiting.clear();
        self.waiting_bytes = 0;
        let found = self.digest.to_string();
        if found != committed.metadata.outputs {
            let committed_digest = committed.metadata.outputs.clone();
            return Err(Stop::Digest {
                domain: domain.0,
                offset: committed.next,
                committed: committed_digest,
                found,
            }
            .into());
        }
        restored.digest_matched = true;
        Ok(())
    }

    /// Reads and folds the next record.
    ///
    /// # Errors
    /// Reading failed; the position is kept.
    pub fn fold(&mut self, wait: Duration) -> Result<Folded, ReadError> {
        let Some(record) = self.facts.poll(wait)? else { return Ok(Folded::Nothing) };
        Ok(match self.fold_record(&record) {
            Ok(()) => Folded::Record,
            Err(offset) => Folded::Panicked(offset),
        })
    }

    /// Whether the reader was at the end of the facts.
    pub fn caught_up(&self) -> bool {
        self.facts.caught_up()
    }

    /// One record into the engine, its outputs into what waits. `Err`: it panicked at this offset.
    fn fold_record(&mut self, record: &Record) -> Result<(), i64> {
        let decoded = if self.skipped.contains(&record.offset) {
            let body = Body::Unreadable("the record breaks an invariant of the engine".to_owned());
            Decoded { offset: record.offset, append: LogTime(record.append_ms), body }
        } else {
            wire::record(record.offset, record.append_ms, &record.value)
        };
        self.said.clear();
        let (engine, said) = (&mut self.engine, &mut self.said);
        catch_unwind(AssertUnwindSafe(|| engine.handle(&decoded, said))).map_err(|_| record.offset)?;
        for said in &self.said {
            let document = results::document(said);
            self.digest.add(&document);
            self.waiting_bytes += document.key.len() + document.value.len();
            self.waiting.push(Output {
                topic: topic(document.class),
                key: document.key,
                value: document.value,
            });
        }
        self.next = record.offset + 1;
        self.folded += 1;
        Ok(())
    }

    /// Bytes of outputs that wait.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Whether outputs wait.
    pub fn has_outputs(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes what waits as a transaction; `None` if nothing was folded since the last one.
    pub fn transaction(&mut self) -> Option<Transaction> {
        if self.handed >= self.next {
            return None;
        }
        self.handed = self.next;
        self.waiting_bytes = 0;
        Some(Transaction {
            next: self.next,
            metadata: CommitMetadata {
                semantics: SEMANTICS,
                definitions: self.engine.definitions_hash().to_owned(),
                outputs: self.digest.to_string(),
                skipped: self.skipped.range(..self.next).copied().collect(),
            },
            outputs: std::mem::take(&mut self.waiting),
        })
    }

    /// The state as it is, to be saved after the transaction up to here is committed.
    pub fn snapshot(&mut self) -> Result<Snapshot, String> {
        self.folded = 0;
        let skipped = self.skipped.range(..self.next).copied().collect();
        let about = About { semantics: SEMANTICS, digest: self.digest.to_string(), skipped };
        let about = serde_json::to_string(&about).map_err(|e| e.to_string())?;
        Ok(Snapshot { at: self.next, about, bytes: self.engine.snapshot()? })
    }

    /// Records folded since the last snapshot.
    pub fn folded(&self) -> u64 {
        self.folded
    }

    /// The next facts offset.
    pub fn next(&self) -> i64 {
        self.next
    }

    /// The engine, to be looked at.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }
}

/// The newest usable snapshot at or below `to`, or an empty engine.
fn newest(
    domain: Domain,
    to: i64,
    snapshots: &mut dyn Snapshots,
    restored: &mut Restored,
) -> Result<(Engine, i64, About), Retry> {
    for manifest in snapshots.list()? {
        let about = serde_json::from_str::<About>(&manifest.about).ok();
        let Some(about) = about.filter(|about| about.semantics == SEMANTICS && manifest.at <= to) else {
            continue;
        };
        let Some(chunks) = snapshots.load(&manifest)? else { continue };
        let bytes = chunks.concat();
        match Engine::restore(&bytes) {
            Ok(engine) => {
                restored.snapshot = Some(manifest.at);
                restored.snapshot_bytes = bytes.len();
                return Ok((engine, manifest.at, about));
            }
            Err(reason) => tracing::warn!(%domain, at = manifest.at, %reason, "snapshot left aside"),
        }
    }
    let about = About { semantics: SEMANTICS, digest: String::new(), skipped: Vec::new() };
    Ok((Engine::new(domain.0), 0, about))
}

/// The topic of a class of documents.
pub fn topic(class: Class) -> Topic {
    match class {
        Class::DeadLetters => Topic::DeadLetters,
        Class::Alerts => Topic::Alerts,
        Class::Ledger => Topic::Ledger,
        Class::KpiLive => Topic::KpiLive,
        Class::ScoresLive => Topic::ScoresLive,
    }
}
