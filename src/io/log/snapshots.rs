//! Snapshots as records of the compacted state topic, the same on every log.
//!
//! ```text
//!  0|1200-5f…|000000  chunk       key: domain|snapshot|chunk
//!  0|1200-5f…|000001  chunk
//!  0|1200-5f…|manifest            last, so that what was broken off has none
//! ```

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use siphasher::sip128::{Hasher128, SipHasher24};

use super::{Domain, MAX_VALUE, Manifest, ReadError, Reader, Record, Retry, Snapshots, Start};

/// How many complete snapshots are kept.
const KEPT: usize = 2;
const MANIFEST: &str = "manifest";
const WAIT: Duration = Duration::from_millis(200);

/// The state topic of one domain, as a log has to offer it.
pub(super) trait StateTopic: Send {
    /// Writes records durably, in order. An empty value removes its key.
    fn put(&mut self, records: &[(String, Vec<u8>)]) -> Result<(), Retry>;
    /// Reads the topic.
    fn reader(&mut self) -> Result<Box<dyn Reader>, Retry>;
}

/// What stands in the topic, by snapshot.
type Index = BTreeMap<String, Found>;

#[derive(Default)]
struct Found {
    /// Offset of every chunk.
    chunks: BTreeMap<u32, i64>,
    manifest: Option<Manifest>,
}

impl Found {
    fn complete(&self) -> Option<&Manifest> {
        let manifest = self.manifest.as_ref()?;
        let all = (0..manifest.chunks).all(|n| self.chunks.contains_key(&n));
        all.then_some(manifest)
    }
}

/// [`Snapshots`] over any state topic.
pub(super) struct StateSnapshots<T> {
    topic: T,
    domain: Domain,
    index: Option<Index>,
}

impl<T: StateTopic> StateSnapshots<T> {
    pub(super) fn new(topic: T, domain: Domain) -> StateSnapshots<T> {
        StateSnapshots { topic, domain, index: None }
    }

    fn index(&mut self) -> Result<&mut Index, Retry> {
        if self.index.is_none() {
            self.index = Some(scan(&mut *self.topic.reader()?)?);
        }
        self.index.as_mut().ok_or_else(|| Retry("no index".into()))
    }

    fn key(&self, snapshot: &str, part: &str) -> String {
        format!("{}|{snapshot}|{part}", self.domain)
    }

    fn put_chunks(
        &mut self,
        snapshot: &str,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(u32, u64, String), Retry> {
        let (mut count, mut bytes, mut hash) = (0, 0, SipHasher24::new());
        for chunk in chunks {
            if chunk.len() > MAX_VALUE {
                return Err(Retry(format!("a chunk of {} bytes, at most {MAX_VALUE} fit", chunk.len())));
            }
            hash.write(&chunk);
            bytes += chunk.len() as u64;
            let key = self.key(snapshot, &format!("{count:06}"));
            self.topic.put(&[(key, chunk)])?;
            self.index()?.entry(snapshot.to_owned()).or_default().chunks.insert(count, -1);
            count += 1;
        }
        Ok((count, bytes, format!("{:032x}", hash.finish128().as_u128())))
    }

    /// Removes what is older than the kept ones, broken-off ones too. Newer ones without a manifest may be in the making.
    fn remove_old(&mut self) -> Result<(), Retry> {
        let domain = self.domain;
        let index = self.index()?;
        let kept: Vec<String> = newest(index).iter().map(|m| m.id.clone()).collect();
        let Some(newest) = kept.first().map(|id| at(id)) else { return Ok(()) };
        let gone: Vec<String> =
            index.keys().filter(|id| !kept.contains(id) && at(id) <= newest).cloned().collect();
        let mut tombstones = Vec::new();
        for id in gone {
            // The manifest goes first: a half-removed snapshot must not look complete.
            tombstones.push((format!("{domain}|{id}|{MANIFEST}"), Vec::new()));
            let chunks = index.remove(&id).unwrap_or_default().chunks;
            tombstones.extend(chunks.keys().map(|n| (format!("{domain}|{id}|{n:06}"), Vec::new())));
        }
        if tombstones.is_empty() { Ok(()) } else { self.topic.put(&tombstones) }
    }
}

impl<T: StateTopic> Snapshots for StateSnapshots<T> {
    fn save(
        &mut self,
        at: i64,
        about: &str,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<Manifest, Retry> {
        self.index()?;
        let id = format!("{at}-{:016x}", RandomState::new().build_hasher().finish());
        let (count, bytes, checksum) = self.put_chunks(&id, chunks)?;
        let manifest =
            Manifest { at, id: id.clone(), about: about.to_owned(), chunks: count, bytes, checksum };
        let text = serde_json::to_vec(&manifest).map_err(|e| Retry(e.to_string()))?;
        self.topic.put(&[(self.key(&id, MANIFEST), text)])?;
        self.index()?.entry(id).or_default().manifest = Some(manifest.clone());
        self.remove_old()?;
        Ok(manifest)
    }

    fn list(&mut self) -> Result<Vec<Manifest>, Retry> {
        self.index = None;
        Ok(newest(self.index()?).into_iter().cloned().collect())
    }

    fn load(&mut self, manifest: &Manifest) -> Result<Option<Vec<Vec<u8>>>, Retry> {
        if self.index()?.get(&manifest.id).is_none_or(|f| f.chunks.values().any(|o| *o < 0)) {
            self.index = None;
        }
        let Some(found) = self.index()?.get(&manifest.id) else { return Ok(None) };
        let offsets: Vec<i64> = found.chunks.values().copied().collect();
        let mut reader = self.topic.reader()?;
        let chunks = read_chunks(&mut *reader, self.domain, &manifest.id, &offsets)?;
        Ok(matches(manifest, &chunks).then_some(chunks))
    }
}

/// The complete ones, newest first, at most as many as are kept.
fn newest(index: &Index) -> Vec<&Manifest> {
    let mut complete: Vec<&Manifest> = index.values().filter_map(Found::complete).collect();
    complete.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    complete.truncate(KEPT);
    complete
}

/// The offset in a snapshot's name.
fn at(id: &str) -> i64 {
    id.split_once('-').and_then(|(at, _)| at.parse().ok()).unwrap_or(0)
}

fn matches(manifest: &Manifest, chunks: &[Vec<u8>]) -> bool {
    let mut hash = SipHasher24::new();
    chunks.iter().for_each(|c| hash.write(c));
    chunks.len() == manifest.chunks as usize
        && format!("{:032x}", hash.finish128().as_u128()) == manifest.checksum
}

/// Reads the whole topic and keeps where everything stands.
fn scan(reader: &mut dyn Reader) -> Result<Index, Retry> {
    let mut index = Index::new();
    each(reader, Start::Beginning, &mut |record| note(&mut index, record))?;
    index.retain(|_, found| found.manifest.is_some() || !found.chunks.is_empty());
    Ok(index)
}

fn note(index: &mut Index, record: Record) {
    let Some((id, part)) = name(&record) else { return };
    let found = index.entry(id).or_default();
    match (part.parse::<u32>(), record.value.is_empty()) {
        (Ok(n), true) => drop(found.chunks.remove(&n)),
        (Ok(n), false) => drop(found.chunks.insert(n, record.offset)),
        (Err(_), true) => found.manifest = None,
        (Err(_), false) => found.manifest = serde_json::from_slice(&record.value).ok(),
    }
}

/// Snapshot and part that a record's key names.
fn name(record: &Record) -> Option<(String, String)> {
    let key = std::str::from_utf8(record.key.as_deref()?).ok()?;
    let mut parts = key.split('|').skip(1);
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}

fn read_chunks(
    reader: &mut dyn Reader,
    domain: Domain,
    id: &str,
    offsets: &[i64],
) -> Result<Vec<Vec<u8>>, Retry> {
    let (Some(&first), Some(&last)) = (offsets.iter().min(), offsets.iter().max()) else {
        return Ok(Vec::new());
    };
    let prefix = format!("{domain}|{id}|").into_bytes();
    let mut chunks = Vec::new();
    each_until(reader, Start::Offset(first), last + 1, &mut |record| {
        if record.key.is_some_and(|k| k.starts_with(&prefix)) && offsets.contains(&record.offset) {
            chunks.push(record.value);
        }
    })?;
    Ok(chunks)
}

fn each(reader: &mut dyn Reader, from: Start, take: &mut dyn FnMut(Record)) -> Result<(), Retry> {
    let (_, end) = reader.bounds().map_err(retry)?;
    each_until(reader, from, end, take)
}

/// Hands over every record below `end`. The last offsets may be holes: being caught up ends it too.
fn each_until(
    reader: &mut dyn Reader,
    from: Start,
    end: i64,
    take: &mut dyn FnMut(Record),
) -> Result<(), Retry> {
    reader.seek(from).map_err(retry)?;
    if end == 0 {
        return Ok(());
    }
    loop {
        match reader.poll(WAIT).map_err(retry)? {
            Some(record) if record.offset >= end => return Ok(()),
            Some(record) => {
                let done = record.offset + 1 == end;
                take(record);
                if done {
                    return Ok(());
                }
            }
            None if reader.caught_up() => return Ok(()),
            None => {}
        }
    }
}

fn retry(e: ReadError) -> Retry {
    Retry(e.to_string())
}
