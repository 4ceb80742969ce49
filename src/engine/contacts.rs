//! The contacts in memory: their facts, their timers on the settle clock, and what came too late for memory.
//!
//! ```text
//! fact ──> in memory? ──yes──> conclude, accept, conclude ──> change: observations, segments, standing
//!              │ no, and it may belong to a contact that has left memory
//!              └──> unsettled ──(settler re-reads the log)──> late.settled ──> the contact is back, the fact is applied
//! ```
//!
//! Leaving memory bounds memory and never changes a number: what cannot be decided waits, and a cut waits for it.

use super::held::HeldFact;
use crate::model::contact::{Accepted, Conclusion, Contact, Observation, Ring, Segment, Standing};
use crate::model::fact::Fact;
use crate::model::roster::Roster;
use crate::model::units::{LogTime, Names, hash128};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

/// 128-bit hash of a contact's identifier.
pub type ContactKey = u128;

/// How long a contact that left memory is remembered by its hash, ms of settle clock: 62 days.
const REMEMBERED: i64 = 62 * 24 * crate::model::units::HOUR;

/// A hasher for keys that are hashes already.
#[derive(Default)]
pub struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, n: u64) {
        self.0 ^= n;
    }
    fn write_u128(&mut self, n: u128) {
        self.0 ^= n as u64;
    }
}

type ByHash<K, V> = HashMap<K, V, BuildHasherDefault<Hashed>>;

/// Terms of memory, ms of settle clock.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// After its last fact a contact without a terminal counts as unfinished.
    pub unfinished_after_ms: i64,
    /// After its last fact a contact that is over leaves memory.
    pub horizon_ms: i64,
}

/// Where and when a fact is applied.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Offset of the record.
    pub offset: i64,
    /// Settle clock before the record.
    pub settle: Option<LogTime>,
    /// Who is where.
    pub roster: &'a Roster,
    /// Terms of memory.
    pub terms: Terms,
}

/// Every contact that is in memory.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Contacts {
    #[serde(with = "sorted_map")]
    held: ByHash<ContactKey, Held>,
    /// One timer for each contact in memory, by (due, key).
    timers: BTreeSet<(i64, ContactKey)>,
    /// Contacts that left memory: hash to the settle clock at which even that is forgotten.
    #[serde(with = "sorted_map")]
    gone: ByHash<u64, i64>,
    gone_by_time: BTreeSet<(i64, u64)>,
    unsettled: BTreeMap<String, Waiting>,
}

/// What waits for a contact that may have left memory.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Waiting {
    /// Offset of the first record with a fact that waits: the facts below it are what the settler reads.
    since: i64,
    facts: Vec<HeldFact>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Held {
    contact: Contact,
    expired: bool,
    /// When its timer is due.
    due: i64,
}

/// What one step changed. A buffer, used again and again.
#[derive(Debug, Default)]
pub struct Change {
    /// The contact.
    pub key: ContactKey,
    /// Observations to book (1) or to take back (-1).
    pub observations: Vec<(Observation, i64)>,
    /// Conversations likewise.
    pub segments: Vec<(Segment, i64)>,
    /// How it stood.
    pub before: Standing,
    /// Who was rung.
    pub rings_before: Vec<Ring>,
    /// How it stands.
    pub after: Standing,
    /// Who is rung.
    pub rings_after: Vec<Ring>,
}

/// Buffers for conclusions.
#[derive(Debug, Default)]
pub struct Scratch {
    old: Conclusion,
    new: Conclusion,
}

impl Change {
    fn take(&mut self, key: ContactKey, scratch: &mut Scratch) {
        self.key = key;
        self.before = scratch.old.standing;
        self.after = scratch.new.standing;
        self.rings_before.clone_from(&scratch.old.rings);
        self.rings_after.clone_from(&scratch.new.rings);
        self.observations.clear();
        self.segments.clear();
        Conclusion::difference(&mut scratch.old, &mut scratch.new, |o, sign| {
            self.observations.push((*o, sign))
        });
        Conclusion::segments_difference(&mut scratch.old, &mut scratch.new, |s, sign| {
            self.segments.push((*s, sign))
        });
    }
}

/// What became of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken (or voids, or is voided): see the change.
    Applied(Accepted),
    /// It waits for the settler.
    Unsettled,
}

/// When a contact must be looked at again: when it expires, or leaves memory.
fn due(conclusion: &Conclusion, before: i64, terms: Terms) -> i64 {
    let standing = conclusion.standing;
    let wait = if standing.terminal { terms.horizon_ms } else { terms.unfinished_after_ms };
    standing.last.map_or(before, |last| last.0.saturating_add(wait))
}

impl Contacts {
    /// Applies a fact of contact `id`.
    pub fn apply(
        &mut self,
        id: &str,
        fact: &Fact,
        names: &mut Names,
        at: &Moment,
        scratch: &mut Scratch,
        change: &mut Change,
    ) -> Outcome {
        let Moment { roster, settle, terms, .. } = *at;
        let key = hash128(id);
        if !self.held.contains_key(&key) {
            if self.may_have_left(id, key, fact, settle, terms) {
                let since = at.offset;
                let waiting = self
                    .unsettled
                    .entry(id.to_owned())
                    .or_insert_with(|| Waiting { since, facts: Vec::new() });
                waiting.facts.push(HeldFact::of(fact));
                return Outcome::Unsettled;
            }
            self.begin(key, fact.time.0 + terms.unfinished_after_ms);
        }
        let held = self.held.get_mut(&key).expect("the contact was just begun");
        held.contact.conclude(roster, held.expired, &mut scratch.old);
        let accepted = held.contact.accept(fact, names);
        if accepted == Accepted::Duplicate {
            return Outcome::Applied(accepted);
        }
        held.expired = false;
        held.contact.conclude(roster, false, &mut scratch.new);
        change.take(key, scratch);
        let due = due(&scratch.new, held.due, terms);
        // A timer that comes too early looks again; one that would come too late is moved.
        if due < held.due {
            self.timers.remove(&(held.due, key));
            self.timers.insert((due, key));
            held.due = due;
        }
        Outcome::Applied(accepted)
    }

    fn begin(&mut self, key: ContactKey, due: i64) {
        self.held.insert(key, Held { due, ..Held::default() });
        self.timers.insert((due, key));
    }

    /// Whether the contact may have been in memory before: it did, or its fact is older than what memory holds.
    fn may_have_left(
        &self,
        id: &str,
        key: ContactKey,
        fact: &Fact,
        settle: Option<LogTime>,
        terms: Terms,
    ) -> bool {
        let old = settle.is_some_and(|settle| fact.time.0 < settle.0 - terms.horizon_ms);
        old || (!self.unsettled.is_empty() && self.unsettled.contains_key(id))
            || self.gone.contains_key(&(key as u64))
    }

    /// The next contact whose timer is due and whose numbers change with it: it has expired.
    pub fn expire(
        &mut self,
        settle: LogTime,
        roster: &Roster,
        terms: Terms,
        scratch: &mut Scratch,
        change: &mut Change,
    ) -> bool {
        while let Some((due, key)) = self.timers.first().copied().filter(|(due, _)| *due <= settle.0) {
            self.timers.remove(&(due, key));
            if self.ring(key, settle, roster, terms, scratch) {
                change.take(key, scratch);
                return true;
            }
        }
        false
    }

    /// One timer: whether the contact has just expired. It may also leave memory, or be looked at again later.
    fn ring(
        &mut self,
        key: ContactKey,
        settle: LogTime,
        roster: &Roster,
        terms: Terms,
        scratch: &mut Scratch,
    ) -> bool {
        let Some(held) = self.held.get_mut(&key) else { return false };
        held.contact.conclude(roster, held.expired, &mut scratch.old);
        let standing = scratch.old.standing;
        let last = standing.last.map_or(held.due - terms.unfinished_after_ms, |last| last.0);
        let over = standing.terminal || held.expired || standing.last.is_none();
        if over && last + terms.horizon_ms <= settle.0 {
            self.held.remove(&key);
            self.leave(key, settle);
            return false;
        }
        let expires = !over && last + terms.unfinished_after_ms <= settle.0;
        held.due = if over || expires { last + terms.horizon_ms } else { last + terms.unfinished_after_ms };
        held.due = held.due.max(settle.0 + 1);
        self.timers.insert((held.due, key));
        if expires {
            held.expired = true;
            held.contact.conclude(roster, true, &mut scratch.new);
        }
        expires
    }

    fn leave(&mut self, key: ContactKey, settle: LogTime) {
        let forget = settle.0 + REMEMBERED;
        let hash = key as u64;
        self.gone.insert(hash, forget);
        self.gone_by_time.insert((forget, hash));
        while let Some(old) = self.gone_by_time.first().copied().filter(|(at, _)| *at <= settle.0) {
            self.gone_by_time.remove(&old);
            if self.gone.get(&old.1) == Some(&old.0) {
                self.gone.remove(&old.1);
            }
        }
    }

    /// Brings a contact back as the settler read it: `earlier` are its facts that were counted before.
    /// Gives the facts that waited for it, in log order.
    pub fn settle(
        &mut self,
        id: &str,
        earlier: &[Fact],
        names: &mut Names,
        roster: &Roster,
    ) -> Option<Vec<HeldFact>> {
        let waiting = self.unsettled.remove(id)?;
        let key = hash128(id);
        let mut contact = Contact::default();
        for fact in earlier {
            contact.accept(fact, names);
        }
        let mut conclusion = Conclusion::default();
        contact.conclude(roster, false, &mut conclusion);
        let last = conclusion.standing.last.map_or(0, |last| last.0);
        let expired = !earlier.is_empty() && !conclusion.standing.terminal;
        self.held.insert(key, Held { contact, expired, due: last });
        self.timers.insert((last, key));
        Some(waiting.facts)
    }

    /// Contacts that wait for the settler, each with the offset below which its earlier facts stand.
    pub fn unsettled(&self) -> impl Iterator<Item = (&str, i64)> {
        self.unsettled.iter().map(|(id, waiting)| (id.as_str(), waiting.since))
    }

    /// How many contacts wait for the settler.
    pub fn unsettled_len(&self) -> u64 {
        self.unsettled.len() as u64
    }

    /// How many are in memory.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Concludes every contact in memory, for new definitions. The order does not matter to sums.
    pub fn conclude_all(&self, roster: &Roster, mut each: impl FnMut(&Conclusion)) {
        let mut conclusion = Conclusion::default();
        for held in self.held.values() {
            held.contact.conclude(roster, held.expired, &mut conclusion);
            each(&conclusion);
        }
    }
}

/// Hash maps in snapshots: sorted, so that equal states are equal bytes.
mod sorted_map {
    use super::ByHash;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;
    use std::hash::Hash;

    pub(super) fn serialize<K: Ord + Serialize, V: Serialize, S: Serializer>(
        map: &ByHash<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        map.iter().collect::<BTreeMap<_, _>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<ByHash<K, V>, D::Error>
    where
        K: Ord + Hash + Eq + Deserialize<'de>,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(BTreeMap::<K, V>::deserialize(deserializer)?.into_iter().collect())
    }
}
