//! The facts record: a batch of facts of one source partition (format 1) or a control fact (format 2).
//!
//! ```text
//! 1 | head: topic, partition, incarnation, from, to - from, progress, flags
//!   | how many dictionary texts, their lengths | how many rows | length of all texts
//!   | texts, one after the other: the dictionary, then id and contact of every row
//!   | rows: kind, flags, offset delta, time delta, length of id, [length of contact], [customer, 16 bytes],
//!   |       count of fields, (field code, integer) pairs; a text is its index in the dictionary
//! 2 | JSON of the control fact
//! ```
//!
//! Integers are varints, signed ones zig-zag, deltas against the row before (the first offset against `from`, the first
//! time against 0). All texts are checked as UTF-8 at once. The field codes are a closed list that only grows: a reader
//! that does not know one must not guess, so it does not read the record.

use super::varint::{Cursor, Torn, put, put_signed};
use crate::engine::record::{Batch, Control};
use crate::model::event::{AgentState, Channel, Kind};
use crate::model::fact::Fact;
use crate::model::units::EventTime;
use std::collections::HashMap;

/// First byte of a batch of facts.
pub const CONTACTS: u8 = 1;
/// First byte of a control fact.
pub const CONTROL: u8 = 2;
/// `progress` of a source that is read to its end: the log's own append time stands for it.
pub const APPEND_TIME: i64 = i64::MAX;
/// A batch is sent when it has so many bytes.
pub const FLUSH: usize = 200_000;

/// Codes of the fields of a row. Append only.
mod code {
    pub(super) const QUEUE: u8 = 1;
    pub(super) const TO_QUEUE: u8 = 2;
    pub(super) const AGENT: u8 = 3;
    pub(super) const TEAM: u8 = 4;
    pub(super) const PERIOD: u8 = 5;
    pub(super) const DIMENSION: u8 = 6;
    pub(super) const ASSESSOR: u8 = 7;
    pub(super) const REPLACES: u8 = 8;
    pub(super) const CHANNEL: u8 = 9;
    pub(super) const AUTOMATIC: u8 = 10;
    pub(super) const INTERNAL: u8 = 11;
    pub(super) const STATE: u8 = 12;
    pub(super) const RESOLVED: u8 = 13;
    pub(super) const HOLD_MS: u8 = 14;
    pub(super) const SCORE: u8 = 15;
}

/// Row flag: it has a contact.
const HAS_CONTACT: u8 = 1;
/// Row flag: it has a customer.
const HAS_CUSTOMER: u8 = 2;
/// Head flag: the source was read to its end.
const CAUGHT_UP: u8 = 1;
/// Fewest bytes of a row, which bounds what a damaged count can ask for.
const LEAST_ROW: usize = 6;

/// Why a record of `facts` cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No bytes at all.
    #[error("the record is empty")]
    Empty,
    /// A first byte that this version does not know.
    #[error("the record has the unknown format {0}")]
    Format(u8),
    /// It ends too early, or has bytes after its end.
    #[error("the record is torn")]
    Torn,
    /// Texts that are no UTF-8 or are cut inside a character.
    #[error("the record's texts are no UTF-8")]
    Text,
    /// A number that stands for nothing here.
    #[error("the record says {what} {value}, which is unknown")]
    Unknown {
        /// What the number is.
        what: &'static str,
        /// The number.
        value: i64,
    },
    /// A control fact that does not parse.
    #[error("the control fact cannot be read: {0}")]
    Control(String),
}

impl From<Torn> for Unreadable {
    fn from(_: Torn) -> Self {
        Unreadable::Torn
    }
}

/// What stands above the facts of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// See [`Batch::topic`].
    pub topic: &'a str,
    /// See [`Batch::partition`].
    pub partition: i32,
    /// See [`Batch::incarnation`].
    pub incarnation: u64,
    /// See [`Batch::from`].
    pub from: i64,
    /// See [`Batch::from`]; at least `from`.
    pub to: i64,
    /// See [`Batch::progress`]; [`APPEND_TIME`] for a source that is read to its end.
    pub progress: i64,
    /// See [`Batch::caught_up`].
    pub caught_up: bool,
}

/// Collects facts and encodes them. Its buffers are used again for every batch.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    dictionary: Dictionary,
    rows: Vec<u8>,
    texts: Vec<u8>,
    count: usize,
    offset: i64,
    time: i64,
}

impl BatchBuilder {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fact. `from` is the first position of the batch, the same at every call until [`BatchBuilder::finish`].
    pub fn push(&mut self, from: i64, fact: &Fact<'_>) {
        if self.count == 0 {
            (self.offset, self.time) = (from, 0);
        }
        let contact = fact.contact.map_or(0, |_| HAS_CONTACT);
        let customer = fact.customer.map_or(0, |_| HAS_CUSTOMER);
        self.rows.extend_from_slice(&[fact.kind as u8, contact | customer]);
        put_signed(&mut self.rows, fact.offset.wrapping_sub(self.offset));
        put_signed(&mut self.rows, fact.time.0.wrapping_sub(self.time));
        for text in [Some(fact.id), fact.contact].into_iter().flatten() {
            put(&mut self.rows, text.len() as u64);
            self.texts.extend_from_slice(text.as_bytes());
        }
        if let Some(customer) = fact.customer {
            self.rows.extend_from_slice(&customer.to_le_bytes());
        }
        self.fields(fact);
        (self.offset, self.time, self.count) = (fact.offset, fact.time.0, self.count + 1);
    }

    /// The `(code, integer)` pairs of a row behind their count.
    fn fields(&mut self, fact: &Fact<'_>) {
        let count_at = self.rows.len();
        self.rows.push(0);
        let texts = [
            (code::QUEUE, fact.queue),
            (code::TO_QUEUE, fact.to_queue),
            (code::AGENT, fact.agent),
            (code::TEAM, fact.team),
            (code::PERIOD, fact.period),
            (code::DIMENSION, fact.dimension),
            (code::ASSESSOR, fact.assessor),
            (code::REPLACES, fact.replaces),
        ];
        for (code, text) in texts {
            if let Some(text) = text {
                let index = self.dictionary.index(text);
                self.field(count_at, code, index);
            }
        }
        let numbers = [
            (code::CHANNEL, fact.channel.map(|channel| channel as i64)),
            (code::AUTOMATIC, fact.automatic.then_some(1)),
            (code::INTERNAL, fact.internal.then_some(1)),
            (code::STATE, fact.state.map(|state| state as i64)),
            (code::RESOLVED, fact.resolved.map(i64::from)),
            (code::HOLD_MS, fact.hold_ms),
            (code::SCORE, fact.score),
        ];
        for (code, number) in numbers {
            if let Some(number) = number {
                self.field(count_at, code, number);
            }
        }
    }

    fn field(&mut self, count_at: usize, code: u8, value: i64) {
        self.rows[count_at] += 1;
        self.rows.push(code);
        put_signed(&mut self.rows, value);
    }

    /// How many facts it holds.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the record without its head (which is less than 100 bytes and the topic's name).
    pub fn len(&self) -> usize {
        self.rows.len() + self.texts.len() + self.dictionary.lengths.len() + self.dictionary.texts.len()
    }

    /// Forgets the facts.
    pub fn clear(&mut self) {
        self.dictionary.clear();
        self.rows.clear();
        self.texts.clear();
        self.count = 0;
    }

    /// Encodes the batch behind what `out` holds and begins a new one. Without facts it is a heartbeat.
    pub fn finish(&mut self, head: &Head<'_>, out: &mut Vec<u8>) {
        out.reserve(self.len() + head.topic.len() + 100);
        put_head(head, out);
        let dictionary = &self.dictionary;
        put(out, u64::from(dictionary.count));
        out.extend_from_slice(&dictionary.lengths);
        put(out, self.count as u64);
        put(out, (dictionary.texts.len() + self.texts.len()) as u64);
        for part in [&dictionary.texts, &self.texts, &self.rows] {
            out.extend_from_slice(part);
        }
        self.clear();
    }
}

/// The texts that many rows share: queues, agents, teams.
#[derive(Debug, Default)]
struct Dictionary {
    /// Index of each text, valid when it was given in this `batch`; kept from batch to batch to save the allocations.
    known: HashMap<Box<str>, (u64, u32), foldhash::fast::RandomState>,
    batch: u64,
    count: u32,
    lengths: Vec<u8>,
    texts: Vec<u8>,
}

/// So many texts are remembered between batches.
const REMEMBERED: usize = 50_000;

impl Dictionary {
    fn index(&mut self, text: &str) -> i64 {
        let next = (self.batch, self.count);
        match self.known.get_mut(text) {
            Some((batch, index)) if *batch == self.batch => return i64::from(*index),
            Some(known) => *known = next,
            None => drop(self.known.insert(text.into(), next)),
        }
        put(&mut self.lengths, text.len() as u64);
        self.texts.extend_from_slice(text.as_bytes());
        self.count += 1;
        i64::from(next.1)
    }

    fn clear(&mut self) {
        self.batch += 1;
        self.count = 0;
        self.lengths.clear();
        self.texts.clear();
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
    }
}

fn put_head(head: &Head<'_>, out: &mut Vec<u8>) {
    out.push(CONTACTS);
    put(out, head.topic.len() as u64);
    out.extend_from_slice(head.topic.as_bytes());
    put_signed(out, i64::from(head.partition));
    put(out, head.incarnation);
    put_signed(out, head.from);
    put(out, head.to.wrapping_sub(head.from) as u64);
    put_signed(out, head.progress);
    out.push(if head.caught_up { CAUGHT_UP } else { 0 });
}

/// Reads the head of a batch of facts alone: what positions it covers. Cheap.
pub fn head(bytes: &[u8]) -> Result<Head<'_>, Unreadable> {
    read_head(&mut Cursor(bytes))
}

fn read_head<'a>(cursor: &mut Cursor<'a>) -> Result<Head<'a>, Unreadable> {
    match cursor.byte() {
        Ok(CONTACTS) => {}
        Ok(format) => return Err(Unreadable::Format(format)),
        Err(Torn) => return Err(Unreadable::Empty),
    }
    let length = cursor.size()?;
    let topic = std::str::from_utf8(cursor.take(length)?).map_err(|_| Unreadable::Text)?;
    let partition = cursor.signed()?;
    let partition =
        i32::try_from(partition).map_err(|_| Unreadable::Unknown { what: "partition", value: partition })?;
    let incarnation = cursor.unsigned()?;
    let from = cursor.signed()?;
    let span = cursor.unsigned()?;
    let to =
        from.checked_add_unsigned(span).ok_or(Unreadable::Unknown { what: "span", value: span as i64 })?;
    let progress = cursor.signed()?;
    let caught_up = match cursor.byte()? {
        0 => false,
        CAUGHT_UP => true,
        flags => return Err(Unreadable::Unknown { what: "flags", value: i64::from(flags) }),
    };
    Ok(Head { topic, partition, incarnation, from, to, progress, caught_up })
}

/// The same batch, no longer read to the end of its source but only as far as `progress`: for one that was kept waiting.
pub fn belated(bytes: &[u8], progress: i64) -> Result<Vec<u8>, Unreadable> {
    let mut cursor = Cursor(bytes);
    let head = Head { progress, caught_up: false, ..read_head(&mut cursor)? };
    let mut out = Vec::with_capacity(bytes.len() + 10);
    put_head(&head, &mut out);
    out.extend_from_slice(cursor.0);
    Ok(out)
}

/// Decodes a batch; its texts are borrowed from `bytes`. `facts` gives its memory, see [`recycle`].
pub fn decode<'a>(bytes: &'a [u8], mut facts: Vec<Fact<'a>>) -> Result<Batch<'a>, Unreadable> {
    let mut cursor = Cursor(bytes);
    let head = read_head(&mut cursor)?;
    facts.clear();
    read_facts(&mut cursor, head.from, &mut facts)?;
    let Head { topic, partition, incarnation, from, to, progress, caught_up } = head;
    Ok(Batch { topic, partition, incarnation, from, to, progress, caught_up, facts })
}

fn read_facts<'a>(cursor: &mut Cursor<'a>, from: i64, facts: &mut Vec<Fact<'a>>) -> Result<(), Unreadable> {
    let known = cursor.size()?;
    let mut lengths = *cursor;
    for _ in 0..known {
        cursor.unsigned()?;
    }
    let count = cursor.size()?;
    let length = cursor.size()?;
    let mut texts = Texts(std::str::from_utf8(cursor.take(length)?).map_err(|_| Unreadable::Text)?);
    let mut dictionary = Vec::with_capacity(known.min(length + 1));
    for _ in 0..known {
        dictionary.push(texts.next(lengths.size()?)?);
    }
    facts.reserve(count.min(cursor.0.len() / LEAST_ROW));
    let (mut offset, mut time) = (from, 0);
    for _ in 0..count {
        let fact = read_row(cursor, &mut texts, &dictionary, (offset, time))?;
        (offset, time) = (fact.offset, fact.time.0);
        facts.push(fact);
    }
    if !cursor.0.is_empty() || !texts.0.is_empty() { Err(Unreadable::Torn) } else { Ok(()) }
}

/// All texts that are not yet taken.
struct Texts<'a>(&'a str);

impl<'a> Texts<'a> {
    fn next(&mut self, length: usize) -> Result<&'a str, Unreadable> {
        let (text, rest) = self.0.split_at_checked(length).ok_or(Unreadable::Text)?;
        self.0 = rest;
        Ok(text)
    }
}

fn read_row<'a>(
    cursor: &mut Cursor<'a>,
    texts: &mut Texts<'a>,
    dictionary: &[&'a str],
    (offset, time): (i64, i64),
) -> Result<Fact<'a>, Unreadable> {
    let kind = cursor.byte()?;
    let kind = Kind::from_code(kind).ok_or(Unreadable::Unknown { what: "kind", value: i64::from(kind) })?;
    let flags = cursor.byte()?;
    if flags & !(HAS_CONTACT | HAS_CUSTOMER) != 0 {
        return Err(Unreadable::Unknown { what: "row flags", value: i64::from(flags) });
    }
    let offset = offset.wrapping_add(cursor.signed()?);
    let time = time.wrapping_add(cursor.signed()?);
    if !EventTime::RANGE.contains(&time) {
        return Err(Unreadable::Unknown { what: "time", value: time });
    }
    let mut fact = Fact { offset, ..Fact::new(kind, EventTime(time), texts.next(cursor.size()?)?) };
    if flags & HAS_CONTACT != 0 {
        fact.contact = Some(texts.next(cursor.size()?)?);
    }
    if flags & HAS_CUSTOMER != 0 {
        let hash = cursor.take(16)?.first_chunk().ok_or(Unreadable::Torn)?;
        fact.customer = Some(u128::from_le_bytes(*hash));
    }
    for _ in 0..cursor.byte()? {
        let (code, value) = (cursor.byte()?, cursor.signed()?);
        read_field(&mut fact, dictionary, code, value)?;
    }
    Ok(fact)
}

fn read_field<'a>(
    fact: &mut Fact<'a>,
    dictionary: &[&'a str],
    code: u8,
    value: i64,
) -> Result<(), Unreadable> {
    let unknown = |what| Unreadable::Unknown { what, value };
    let text = || {
        let text = usize::try_from(value).ok().and_then(|index| dictionary.get(index));
        text.map(|text| Some(*text)).ok_or(unknown("dictionary index"))
    };
    let small = |what| u8::try_from(value).map_err(|_| unknown(what));
    let flag = || match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(unknown("flag")),
    };
    match code {
        code::QUEUE => fact.queue = text()?,
        code::TO_QUEUE => fact.to_queue = text()?,
        code::AGENT => fact.agent = text()?,
        code::TEAM => fact.team = text()?,
        code::PERIOD => fact.period = text()?,
        code::DIMENSION => fact.dimension = text()?,
        code::ASSESSOR => fact.assessor = text()?,
        code::REPLACES => fact.replaces = text()?,
        code::CHANNEL => {
            fact.channel = Some(Channel::from_code(small("channel")?).ok_or(unknown("channel"))?);
        }
        code::AUTOMATIC => fact.automatic = flag()?,
        code::INTERNAL => fact.internal = flag()?,
        code::STATE => {
            fact.state = Some(AgentState::from_code(small("agent state")?).ok_or(unknown("agent state"))?);
        }
        code::RESOLVED => fact.resolved = Some(flag()?),
        code::HOLD_MS => fact.hold_ms = Some(value),
        code::SCORE => fact.score = Some(value),
        code => return Err(Unreadable::Unknown { what: "field", value: i64::from(code) }),
    }
    Ok(())
}

/// Empties a vector of facts and gives its memory to facts of another record. It does not allocate.
pub fn recycle<'a>(mut facts: Vec<Fact<'_>>) -> Vec<Fact<'a>> {
    facts.clear();
    facts.into_iter().map(|fact| Fact { ..Fact::new(fact.kind, fact.time, "") }).collect()
}

/// Encodes a control fact. Fails only where serde fails, which the types exclude.
pub fn encode_control(control: &Control) -> Vec<u8> {
    let mut out = vec![CONTROL];
    serde_json::to_writer(&mut out, control).expect("control facts are plain data with text keys");
    out
}

/// Decodes a control fact.
pub fn decode_control(bytes: &[u8]) -> Result<Control, Unreadable> {
    match bytes.split_first() {
        Some((&CONTROL, json)) => {
            serde_json::from_slice(json).map_err(|error| Unreadable::Control(error.to_string()))
        }
        Some((format, _)) => Err(Unreadable::Format(*format)),
        None => Err(Unreadable::Empty),
    }
}

#[cfg(test)]
mod tests;
