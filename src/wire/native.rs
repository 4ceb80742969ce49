//! The input contract, strictly: one JSON object of a producer to one [`Fact`], or a [`Refusal`] that says what to mend.
//!
//! Texts are borrowed from the record; only texts with escapes are decoded into the [`Event`]. Unknown fields are
//! ignored, unknown types become [`Kind::Other`]. Free text never enters a fact and customers only as keyed hashes.

mod fields;

use crate::model::event::{AgentState, Channel, Kind};
use crate::model::fact::Fact;
use crate::model::units::EventTime;
use crate::wire::refusal::{Reason, Refusal};
#[cfg(test)]
pub(crate) use fields::NAMES;
use fields::{Field, Fields, missing};
use std::borrow::Cow;
use std::fmt;

/// Largest record in bytes.
pub const MAX_RECORD: usize = 1_000_000;
/// Longest identifier in bytes.
pub const MAX_ID: usize = 256;
/// Most levels of arrays and objects in one event, itself included.
pub const MAX_DEPTH: usize = 32;
/// Longest hold: 31 days, in ms.
const MAX_HOLD: i64 = 31 * 24 * 3_600 * 1_000;
/// Greatest mark, either sign.
const MAX_SCORE: i64 = 1_000_000_000;

/// The secret behind customer hashes: SipHash-2-4 with 128 bits. Whoever destroys it has forgotten the customers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CustomerKey([u8; 16]);

impl CustomerKey {
    /// The key of a secret text of any length.
    pub fn new(secret: &str) -> Self {
        use sha2::Digest;
        let digest: [u8; 32] = sha2::Sha256::digest(secret.as_bytes()).into();
        Self(std::array::from_fn(|at| digest[at]))
    }

    /// The hash under which a customer is known.
    pub fn hash(&self, customer: &str) -> u128 {
        use siphasher::sip128::{Hasher128, SipHasher24};
        use std::hash::Hasher;
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(customer.as_bytes());
        hasher.finish128().as_u128()
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey(secret)")
    }
}

/// One valid event; [`Event::fact`] is the same without ownership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    kind: Kind,
    time: EventTime,
    id: Cow<'a, str>,
    contact: Option<Cow<'a, str>>,
    queue: Option<Cow<'a, str>>,
    to_queue: Option<Cow<'a, str>>,
    agent: Option<Cow<'a, str>>,
    team: Option<Cow<'a, str>>,
    customer: Option<u128>,
    channel: Option<Channel>,
    automatic: bool,
    internal: bool,
    state: Option<AgentState>,
    resolved: Option<bool>,
    hold_ms: Option<i64>,
    score: Option<i64>,
    period: Option<Cow<'a, str>>,
    dimension: Option<Cow<'a, str>>,
    assessor: Option<Cow<'a, str>>,
    replaces: Option<Cow<'a, str>>,
}

impl Default for Event<'_> {
    fn default() -> Self {
        Self {
            kind: Kind::Other,
            time: EventTime(0),
            id: Cow::Borrowed(""),
            contact: None,
            queue: None,
            to_queue: None,
            agent: None,
            team: None,
            customer: None,
            channel: None,
            automatic: false,
            internal: false,
            state: None,
            resolved: None,
            hold_ms: None,
            score: None,
            period: None,
            dimension: None,
            assessor: None,
            replaces: None,
        }
    }
}

impl Event<'_> {
    /// The fact at `offset` of its source.
    pub fn fact(&self, offset: i64) -> Fact<'_> {
        Fact {
            offset,
            kind: self.kind,
            time: self.time,
            id: &self.id,
            contact: self.contact.as_deref(),
            queue: self.queue.as_deref(),
            to_queue: self.to_queue.as_deref(),
            agent: self.agent.as_deref(),
            team: self.team.as_deref(),
            customer: self.customer,
            channel: self.channel,
            automatic: self.automatic,
            internal: self.internal,
            state: self.state,
            resolved: self.resolved,
            hold_ms: self.hold_ms,
            score: self.score,
            period: self.period.as_deref(),
            dimension: self.dimension.as_deref(),
            assessor: self.assessor.as_deref(),
            replaces: self.replaces.as_deref(),
        }
    }
}

/// Reads one record of a producer. Duplicates and disorder are not its business; any bytes give an event or a refusal.
pub fn read<'a>(bytes: &'a [u8], key: &CustomerKey) -> Result<Event<'a>, Refusal> {
    let mut event = Event::default();
    read_into(&mut event, bytes, key)?;
    Ok(event)
}

/// As [`read`], into an event that is filled where it lies: it is large, and moving it costs as much as reading it.
fn read_into<'a>(event: &mut Event<'a>, bytes: &'a [u8], key: &CustomerKey) -> Result<(), Refusal> {
    let mut fields = Fields::default();
    fields.scan(fields::text(bytes)?)?;
    fill(event, &fields, key).map_err(|refusal| Refusal { id: fields.readable_id(), ..refusal })
}

const ID: &str = "a text that no other event has";
const TYPE: &str = "a type such as contact.answered";

fn fill<'a>(event: &mut Event<'a>, fields: &Fields<'a>, key: &CustomerKey) -> Result<(), Refusal> {
    event.id = fields.required(Field::Id, ID)?;
    let kind = fields.required(Field::Type, TYPE)?;
    event.time = fields.time()?;
    if &*kind == "fact.replaced" {
        return replacement(event, fields, key);
    }
    event.kind = Kind::of(&kind);
    common(event, fields, key)?;
    special(event, fields)
}

/// The corrected event under the outer identifier, voiding `target`. It belongs to the contact of the outer one unless
/// it names its own: a correction never moves an event to another contact.
fn replacement<'a>(event: &mut Event<'a>, outer: &Fields<'a>, key: &CustomerKey) -> Result<(), Refusal> {
    event.replaces = Some(target(outer, &event.id)?);
    let contact = outer.text(Field::ContactId)?;
    let raw =
        outer.raw(Field::Event).ok_or_else(|| missing(Field::Event, "the corrected event as an object"))?;
    corrected(event, raw, &contact, key).map_err(|refusal| refusal.inside("event"))?;
    if contact.is_some() && contact != event.contact {
        let remedy = "void the event and send a new one to move it";
        let expected = "the contact of the event it replaces";
        return Err(outer.refuse(Reason::WrongValue, Field::ContactId, expected, remedy));
    }
    Ok(())
}

fn corrected<'a>(
    event: &mut Event<'a>,
    raw: &'a str,
    contact: &Option<Cow<'a, str>>,
    key: &CustomerKey,
) -> Result<(), Refusal> {
    let mut fields = Fields::default();
    fields.scan(raw)?;
    let kind = fields.required(Field::Type, TYPE)?;
    if matches!(&*kind, "fact.replaced" | "fact.voided") {
        let remedy = "name the first replacement as target instead";
        return Err(fields.refuse(Reason::WrongValue, Field::Type, "a plain event", remedy));
    }
    event.time = fields.time()?;
    event.kind = Kind::of(&kind);
    common(event, &fields, key)?;
    if event.contact.is_none() {
        event.contact.clone_from(contact);
    }
    special(event, &fields)
}

/// `target`, which must be another event.
fn target<'a>(fields: &Fields<'a>, id: &str) -> Result<Cow<'a, str>, Refusal> {
    let target = fields.required(Field::Target, "the id of the event it voids")?;
    if target == id {
        let remedy = "give the correction an id of its own";
        return Err(fields.refuse(Reason::WrongValue, Field::Target, "the id of another event", remedy));
    }
    Ok(target)
}

/// What every type may say.
fn common<'a>(event: &mut Event<'a>, fields: &Fields<'a>, key: &CustomerKey) -> Result<(), Refusal> {
    event.contact = fields.text(Field::ContactId)?;
    event.queue = fields.text(Field::Queue)?;
    event.agent = fields.text(Field::Agent)?;
    event.team = fields.text(Field::Team)?;
    event.customer = fields.text(Field::Customer)?.map(|customer| key.hash(&customer));
    event.channel = fields.text(Field::Channel)?.map(|channel| Channel::of(&channel));
    event.automatic = fields.flag(Field::Automatic)?.unwrap_or(false);
    Ok(())
}

/// What the type adds, and what it cannot do without.
fn special<'a>(event: &mut Event<'a>, fields: &Fields<'a>) -> Result<(), Refusal> {
    match event.kind {
        Kind::Other => return Ok(()),
        Kind::AgentState => {
            event.state = Some(state(fields)?);
            return need(event, &[Field::Agent]);
        }
        Kind::Rating => return rating(event, fields),
        Kind::Voided => return voided(event, fields),
        Kind::AgentMessage => event.internal = internal(fields)?,
        Kind::Transferred => event.to_queue = fields.text(Field::ToQueue)?,
        Kind::Held => event.hold_ms = Some(hold(fields)?),
        Kind::Ended => event.resolved = fields.flag(Field::Resolved)?,
        Kind::Survey => {
            event.resolved = fields.flag(Field::Resolved)?;
            event.score = score(fields)?;
        }
        Kind::Answered | Kind::Offered => return need(event, &[Field::ContactId, Field::Agent]),
        _ => {}
    }
    need(event, &[Field::ContactId])
}

/// Refuses an event that lacks one of these.
fn need(event: &Event<'_>, fields: &[Field]) -> Result<(), Refusal> {
    let lacks = |field: &&Field| match field {
        Field::ContactId => event.contact.is_none(),
        Field::Agent => event.agent.is_none(),
        _ => false,
    };
    match fields.iter().find(lacks) {
        Some(field) => Err(missing(*field, format!("a text: {} needs it", event.kind.text()))),
        None => Ok(()),
    }
}

fn rating<'a>(event: &mut Event<'a>, fields: &Fields<'a>) -> Result<(), Refusal> {
    event.period = Some(period(fields)?.ok_or_else(|| missing(Field::Period, PERIOD))?);
    event.dimension = Some(fields.required(Field::Dimension, "what is rated")?);
    event.assessor = Some(fields.required(Field::Assessor, "who rated, such as supervisor")?);
    event.score = Some(score(fields)?.ok_or_else(|| missing(Field::Score, "the mark as a number"))?);
    need(event, &[Field::Agent])
}

/// A voided event is found in its group: its contact, or its agent, or its agent and period.
fn voided<'a>(event: &mut Event<'a>, fields: &Fields<'a>) -> Result<(), Refusal> {
    event.replaces = Some(target(fields, &event.id)?);
    event.period = period(fields)?;
    if event.contact.is_none() && event.agent.is_none() {
        let expected = "the contact of the voided event, or its agent (and period)";
        return Err(missing(Field::ContactId, expected));
    }
    Ok(())
}

fn state(fields: &Fields<'_>) -> Result<AgentState, Refusal> {
    let states = || AgentState::ALL.map(AgentState::text).join(", ");
    let text =
        fields.text(Field::State)?.ok_or_else(|| missing(Field::State, format!("one of {}", states())))?;
    AgentState::of(&text).ok_or_else(|| {
        let remedy = "map the states of your system to these";
        let expected = format!("one of {}", states());
        fields.refuse(Reason::WrongValue, Field::State, expected, remedy)
    })
}

/// `internal: true` or `visibility: "internal"`; a message that says neither is public.
fn internal(fields: &Fields<'_>) -> Result<bool, Refusal> {
    let flag = fields.flag(Field::Internal)?.unwrap_or(false);
    match fields.text(Field::Visibility)?.as_deref() {
        None => Ok(flag),
        Some("internal") => Ok(true),
        Some("public") => Ok(flag),
        Some(_) => {
            let remedy = "say whether the customer can read it";
            Err(fields.refuse(Reason::WrongValue, Field::Visibility, "public or internal", remedy))
        }
    }
}

fn hold(fields: &Fields<'_>) -> Result<i64, Refusal> {
    let ms = fields.decimal(Field::HoldMs, 0, (0, MAX_HOLD))?;
    let seconds = fields.decimal(Field::HoldS, 3, (0, MAX_HOLD / 1_000))?;
    ms.or(seconds)
        .ok_or_else(|| missing(Field::HoldMs, "the length of the hold in ms (or hold_s in seconds)"))
}

fn score(fields: &Fields<'_>) -> Result<Option<i64>, Refusal> {
    fields.decimal(Field::Score, 6, (-MAX_SCORE, MAX_SCORE))
}

const PERIOD: &str = "a month such as 2026-10";

fn period<'a>(fields: &Fields<'a>) -> Result<Option<Cow<'a, str>>, Refusal> {
    let Some(text) = fields.text(Field::Period)? else { return Ok(None) };
    let valid = |year: &str, month: &str| {
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        year.len() == 4 && month.len() == 2 && digits(year) && digits(month) && ("01"..="12").contains(&month)
    };
    if text.split_once('-').is_some_and(|(year, month)| valid(year, month)) {
        return Ok(Some(text));
    }
    Err(fields.refuse(Reason::WrongValue, Field::Period, PERIOD, "write year and month"))
}

#[cfg(test)]
mod tests;
