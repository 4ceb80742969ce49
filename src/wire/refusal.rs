//! Why an event is refused: a word for machines, a sentence for people, and what to do about it.

use std::borrow::Cow;
use std::fmt;

/// The reason of a refusal, as it stands in `dead-letters`. The words are a closed, append-only list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No bytes, or only white space.
    Empty,
    /// More than [`MAX_RECORD`](super::native::MAX_RECORD) bytes.
    TooLarge,
    /// The bytes are no UTF-8.
    NotUtf8,
    /// The JSON breaks off.
    Truncated,
    /// It is no JSON.
    NotJson,
    /// It is JSON, but no object.
    NotObject,
    /// Arrays or objects inside each other beyond [`MAX_DEPTH`](super::native::MAX_DEPTH).
    TooDeep,
    /// One name twice: readers would disagree which one holds.
    Duplicate,
    /// A field that its type needs is not there.
    Missing,
    /// A field has another JSON type than it must have.
    WrongType,
    /// A text or number that the field does not know.
    WrongValue,
    /// A number or time outside the range.
    OutOfRange,
    /// An identifier longer than [`MAX_ID`](super::native::MAX_ID) bytes.
    TooLong,
}

impl Reason {
    /// The machine word.
    pub const fn word(self) -> &'static str {
        match self {
            Reason::Empty => "empty",
            Reason::TooLarge => "too_large",
            Reason::NotUtf8 => "not_utf8",
            Reason::Truncated => "truncated",
            Reason::NotJson => "not_json",
            Reason::NotObject => "not_object",
            Reason::TooDeep => "too_deep",
            Reason::Duplicate => "duplicate",
            Reason::Missing => "missing",
            Reason::WrongType => "wrong_type",
            Reason::WrongValue => "wrong_value",
            Reason::OutOfRange => "out_of_range",
            Reason::TooLong => "too_long",
        }
    }
}

/// Longest excerpt of a value in a refusal, in characters.
const EXCERPT: usize = 60;

/// A refused event: which field, which value, what was expected, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The machine word.
    pub reason: Reason,
    /// The field, as `time` or `event.time`; empty when it is the record as a whole.
    pub field: Cow<'static, str>,
    /// The beginning of the offending value as it stood in the JSON, if there was one.
    pub value: Option<Box<str>>,
    /// What is expected there.
    pub expected: Cow<'static, str>,
    /// What the sender can do.
    pub remedy: Cow<'static, str>,
    /// The event's identifier, if it could be read.
    pub id: Option<Box<str>>,
}

impl Refusal {
    /// A refusal of the record as a whole.
    pub(super) fn record(
        reason: Reason,
        expected: &'static str,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            reason,
            field: "".into(),
            value: None,
            expected: expected.into(),
            remedy: remedy.into(),
            id: None,
        }
    }

    /// A refusal of one field with its raw value.
    pub(super) fn field(
        reason: Reason,
        field: &'static str,
        value: Option<&str>,
        expected: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (expected, remedy) = (expected.into(), remedy.into());
        Self { reason, field: field.into(), value: value.map(excerpt), expected, remedy, id: None }
    }

    /// The same one level down: `time` becomes `event.time`.
    pub(super) fn inside(mut self, outer: &str) -> Self {
        self.field = match self.field.is_empty() {
            true => outer.to_owned().into(),
            false => format!("{outer}.{}", self.field).into(),
        };
        self
    }

    /// The machine word as text.
    pub fn word(&self) -> &'static str {
        self.reason.word()
    }
}

/// The beginning of a value, safe to print on one line.
fn excerpt(value: &str) -> Box<str> {
    let mut text: String =
        value.chars().take(EXCERPT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    text.into()
}

/// One sentence: what is wrong with which field and value, what was expected, the remedy.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.field.is_empty() { "the record" } else { &*self.field };
        match (&self.value, self.reason) {
            (_, Reason::Missing) => write!(f, "{place} is missing, expected {}", self.expected)?,
            (Some(value), _) => write!(f, "{place} is {value}, expected {}", self.expected)?,
            (None, reason) => write!(f, "{place} is {}, expected {}", words(reason), self.expected)?,
        }
        if !self.remedy.is_empty() {
            write!(f, ": {}", self.remedy)?;
        }
        Ok(())
    }
}

/// The machine word as it reads in a sentence.
fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::TooLarge => "too large",
        Reason::NotUtf8 => "not UTF-8",
        Reason::NotJson => "not JSON",
        Reason::NotObject => "no object",
        Reason::TooDeep => "nested too deeply",
        Reason::Duplicate => "there twice",
        other => other.word(),
    }
}

impl std::error::Error for Refusal {}
