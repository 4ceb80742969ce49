//! The tables of the embedded log, and how they are opened, written and read.
//!
//! A record is one blob (head, key, value) in parts just under 64 KiB: a value of exactly a power of two would take a page of
//! twice its size. Every write is durable when it returns. After a failed write the database is closed, since nobody knows
//! what of it is on disk, and opened again at the next use.

use std::sync::{Arc, PoisonError, RwLock};

use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition, TableError,
    WriteTransaction,
};

use super::super::{CommitMetadata, Committed, Domain, Record, Retention, Topic};

/// Topic, domain, offset, part.
type Place = (u8, u32, u64, u16);

const RECORDS: TableDefinition<Place, &[u8]> = TableDefinition::new("records");
/// Topic, domain, key of compacted topics -> offset of its newest record.
const NEWEST: TableDefinition<(u8, u32, &str), u64> = TableDefinition::new("newest");
const COMMITTED: TableDefinition<u32, (i64, &str)> = TableDefinition::new("committed");

const PART: usize = 65_536 - 256;
const NO_KEY: u32 = u32::MAX;
const FETCH_RECORDS: usize = 512;
const FETCH_BYTES: usize = 1 << 20;

pub(super) type Opener = Box<dyn Fn() -> Result<Database, redb::Error> + Send + Sync>;

/// The database, closed after a failure.
pub(super) struct Store {
    opener: Opener,
    open: RwLock<Option<Arc<Database>>>,
}

impl Store {
    pub(super) fn new(opener: Opener) -> Store {
        Store { opener, open: RwLock::new(None) }
    }

    /// The open database; opens it where it is closed.
    fn database(&self) -> Result<Arc<Database>, redb::Error> {
        if let Some(db) = &*self.open.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(db));
        }
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(db) = &*open {
            return Ok(Arc::clone(db));
        }
        let db = Arc::new((self.opener)()?);
        *open = Some(Arc::clone(&db));
        Ok(db)
    }

    /// Runs `work` in one durable transaction. After an error its outcome is unknown.
    pub(super) fn write(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), redb::Error> {
        let done = self.database().and_then(|db| {
            let mut tx = db.begin_write()?;
            tx.set_quick_repair(true);
            work(&tx)?;
            Ok(tx.commit()?)
        });
        if done.is_err() {
            self.close();
        }
        done
    }

    /// Runs `work` on what is committed. Short: an open read keeps old pages alive.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, redb::Error> {
        work(&self.database()?.begin_read()?)
    }

    pub(super) fn close(&self) {
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// One record to be written.
pub(super) struct New<'a> {
    pub topic: Topic,
    pub domain: Domain,
    pub append_ms: i64,
    pub key: Option<&'a str>,
    pub value: &'a [u8],
}

/// Writes one record at `offset`. Of a compacted topic the older record of its key goes.
pub(super) fn put(tx: &WriteTransaction, offset: u64, new: &New<'_>) -> Result<(), redb::Error> {
    let mut records = tx.open_table(RECORDS)?;
    let stream = (code(new.topic), new.domain.0);
    if let (Retention::Compacted, Some(key)) = (new.topic.retention(), new.key) {
        let mut newest = tx.open_table(NEWEST)?;
        let place = (stream.0, stream.1, key);
        // Nobody follows the snapshots, so that a removed chunk need not leave a mark.
        let vanishes = new.topic == Topic::State && new.value.is_empty();
        let older = if vanishes { newest.remove(place)? } else { newest.insert(place, offset)? };
        if let Some(older) = older.map(|o| o.value()) {
            remove(&mut records, stream, older)?;
        }
        if vanishes {
            return Ok(());
        }
    }
    let blob = encode(new);
    for (part, bytes) in blob.chunks(PART).enumerate() {
        let part = u16::try_from(part).unwrap_or(u16::MAX);
        records.insert((stream.0, stream.1, offset, part), bytes)?;
    }
    Ok(())
}

fn remove(
    records: &mut Table<'_, Place, &[u8]>,
    (topic, domain): (u8, u32),
    offset: u64,
) -> Result<(), redb::Error> {
    let parts = (topic, domain, offset, 0)..=(topic, domain, offset, u16::MAX);
    records.retain_in(parts, |_, _| false)?;
    Ok(())
}

/// Removes what was appended before `before_ms`, a few records at a time.
pub(super) fn expire(
    tx: &WriteTransaction,
    topic: Topic,
    domain: Domain,
    before_ms: i64,
) -> Result<(), redb::Error> {
    let mut records = tx.open_table(RECORDS)?;
    let stream = (code(topic), domain.0);
    let mut old = Vec::new();
    for entry in records.range((stream.0, stream.1, 0, 0)..=(stream.0, stream.1, u64::MAX, u16::MAX))?.take(8)
    {
        let (place, blob) = entry?;
        let (_, _, offset, part) = place.value();
        if part == 0 && head(blob.value()).is_some_and(|(ms, _)| ms < before_ms) {
            old.push(offset);
        }
    }
    old.into_iter().try_for_each(|offset| remove(&mut records, stream, offset))
}

pub(super) fn put_committed(
    tx: &WriteTransaction,
    domain: Domain,
    next: i64,
    metadata: &str,
) -> Result<(), redb::Error> {
    tx.open_table(COMMITTED)?.insert(domain.0, (next, metadata))?;
    Ok(())
}

pub(super) fn committed(tx: &ReadTransaction, domain: Domain) -> Result<Option<Committed>, redb::Error> {
    let Some(table) = exists(tx.open_table(COMMITTED))? else { return Ok(None) };
    let Some(entry) = table.get(domain.0)? else { return Ok(None) };
    let (next, metadata) = entry.value();
    let metadata = CommitMetadata::decode(metadata).map_err(redb::Error::Corrupted)?;
    Ok(Some(Committed { next, metadata }))
}

/// A table that no write has made yet holds nothing.
fn exists<T>(table: Result<T, TableError>) -> Result<Option<T>, redb::Error> {
    match table {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// The records from `offset` on: some hundred, or about a megabyte, at most.
pub(super) fn fetch(
    tx: &ReadTransaction,
    topic: Topic,
    domain: Domain,
    offset: u64,
) -> Result<Vec<Record>, redb::Error> {
    let Some(table) = exists(tx.open_table(RECORDS))? else { return Ok(Vec::new()) };
    let (t, d) = (code(topic), domain.0);
    let mut found: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut bytes = 0;
    for entry in table.range((t, d, offset, 0)..=(t, d, u64::MAX, u16::MAX))? {
        let (place, part) = entry?;
        let (_, _, at, number) = place.value();
        if number == 0 {
            if found.len() == FETCH_RECORDS || bytes >= FETCH_BYTES {
                break;
            }
            found.push((at, Vec::new()));
        }
        bytes += part.value().len();
        if let Some((_, blob)) = found.last_mut() {
            blob.extend_from_slice(part.value());
        }
    }
    found.into_iter().map(|(at, blob)| decode(at, blob)).collect()
}

/// Offset of the oldest record, if there is one.
pub(super) fn first(tx: &ReadTransaction, topic: Topic, domain: Domain) -> Result<Option<u64>, redb::Error> {
    let Some(table) = exists(tx.open_table(RECORDS))? else { return Ok(None) };
    let (t, d) = (code(topic), domain.0);
    match table.range((t, d, 0, 0)..=(t, d, u64::MAX, u16::MAX))?.next() {
        Some(entry) => Ok(Some(entry?.0.value().2)),
        None => Ok(None),
    }
}

/// Offset and append time of the newest record, if there is one.
pub(super) fn last(
    tx: &ReadTransaction,
    topic: Topic,
    domain: Domain,
) -> Result<Option<(u64, i64)>, redb::Error> {
    let Some(table) = exists(tx.open_table(RECORDS))? else { return Ok(None) };
    let (t, d) = (code(topic), domain.0);
    let Some(entry) = table.range((t, d, 0, 0)..=(t, d, u64::MAX, u16::MAX))?.next_back() else {
        return Ok(None);
    };
    let offset = entry?.0.value().2;
    let Some(part) = table.get((t, d, offset, 0))? else { return Ok(None) };
    let (append_ms, _) = head(part.value()).ok_or_else(|| torn(offset))?;
    Ok(Some((offset, append_ms)))
}

/// The number of a topic in the file. Never change one.
fn code(topic: Topic) -> u8 {
    match topic {
        Topic::Facts => 0,
        Topic::KpiLive => 1,
        Topic::ScoresLive => 2,
        Topic::Alerts => 3,
        Topic::Ledger => 4,
        Topic::DeadLetters => 5,
        Topic::State => 6,
    }
}

fn encode(new: &New<'_>) -> Vec<u8> {
    let key = new.key.map(str::as_bytes);
    let length = key.map_or(NO_KEY, |k| u32::try_from(k.len()).unwrap_or(NO_KEY));
    let mut blob = Vec::with_capacity(12 + key.map_or(0, <[u8]>::len) + new.value.len());
    blob.extend_from_slice(&new.append_ms.to_le_bytes());
    blob.extend_from_slice(&length.to_le_bytes());
    blob.extend_from_slice(key.unwrap_or_default());
    blob.extend_from_slice(new.value);
    blob
}

/// Append time and length of the key.
fn head(blob: &[u8]) -> Option<(i64, u32)> {
    let (append_ms, rest) = blob.split_first_chunk::<8>()?;
    let (length, _) = rest.split_first_chunk::<4>()?;
    Some((i64::from_le_bytes(*append_ms), u32::from_le_bytes(*length)))
}

fn decode(offset: u64, mut blob: Vec<u8>) -> Result<Record, redb::Error> {
    let (append_ms, length) = head(&blob).ok_or_else(|| torn(offset))?;
    blob.drain(..12);
    let key = match length {
        NO_KEY => None,
        n if n as usize <= blob.len() => Some(blob.drain(..n as usize).collect()),
        _ => return Err(torn(offset)),
    };
    Ok(Record { offset: offset as i64, append_ms, key, value: blob })
}

fn torn(offset: u64) -> redb::Error {
    redb::Error::Corrupted(format!("the record at offset {offset} has no head"))
}
