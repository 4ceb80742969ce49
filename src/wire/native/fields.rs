//! One JSON object, taken apart once: every field the contract knows, nothing copied.
//!
//! Texts are kept as they are, other values by their raw JSON; what they must be is asked only when their kind asks for
//! them, so a producer may use a known name in another meaning on a type of its own. No number passes through a float.

use super::{MAX_DEPTH, MAX_ID, MAX_RECORD};
use crate::model::units::EventTime;
use crate::wire::instant;
use crate::wire::refusal::{Reason, Refusal};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

macro_rules! fields {
    ($($name:ident $text:literal)*) => {
        /// The names of the contract that are looked at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Field { $($name,)* }

        /// Every name of the contract.
        pub(crate) const NAMES: [&str; [$(Field::$name),*].len()] = [$($text),*];

        impl Field {
            #[inline]
            fn of(name: &str) -> Option<Field> {
                match name { $($text => Some(Field::$name),)* _ => None }
            }
        }
    };
}

fields! {
    Id "id"
    Type "type"
    Time "time"
    ContactId "contact_id"
    Channel "channel"
    Queue "queue"
    ToQueue "to_queue"
    Agent "agent"
    Team "team"
    Customer "customer"
    Automatic "automatic"
    Internal "internal"
    Visibility "visibility"
    State "state"
    Resolved "resolved"
    HoldMs "hold_ms"
    HoldS "hold_s"
    Score "score"
    Period "period"
    Dimension "dimension"
    Assessor "assessor"
    Target "target"
    Event "event"
}

impl Field {
    pub(super) fn name(self) -> &'static str {
        NAMES[self as usize]
    }
}

/// The values of one event.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    /// Of a text its characters, of all else its JSON.
    values: [Option<&'a str>; NAMES.len()],
    /// Bits of the fields whose value is a text, and of all that were there.
    texts: u32,
    seen: u32,
    /// Texts that had escapes, decoded.
    decoded: Vec<(Field, String)>,
    twice: Option<Field>,
    broken: Option<Field>,
    too_deep: bool,
}

/// The text of a record, or why it is none.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Refusal> {
    if bytes.len() > MAX_RECORD {
        return Err(Refusal::record(
            Reason::TooLarge,
            "at most 1000000 bytes",
            format!("{} bytes were sent; send one event a record, without attachments", bytes.len()),
        ));
    }
    if bytes.trim_ascii().is_empty() {
        return Err(Refusal::record(
            Reason::Empty,
            "one JSON object",
            "a deletion marker or an empty line is no event",
        ));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let at = format!("byte {} begins no character; send UTF-8", error.valid_up_to());
        Refusal::record(Reason::NotUtf8, "UTF-8", at)
    })
}

impl<'a> Fields<'a> {
    /// Takes the object apart.
    pub(super) fn scan(&mut self, text: &'a str) -> Result<(), Refusal> {
        let mut json = serde_json::Deserializer::from_str(text);
        json.deserialize_map(Collect(self)).and_then(|()| json.end()).map_err(|e| not_an_object(&e))?;
        if let Some(field) = self.twice {
            let remedy = "send each name once";
            return Err(Refusal::field(Reason::Duplicate, field.name(), None, "each name once", remedy));
        }
        if let Some(field) = self.broken {
            return Err(self.refuse(
                Reason::WrongValue,
                field,
                "a text",
                "an escape in it names no character",
            ));
        }
        if self.too_deep {
            let remedy = "leave nested details out of the event";
            return Err(Refusal::record(Reason::TooDeep, "at most 32 levels of nesting", remedy));
        }
        Ok(())
    }

    /// Keeps a value.
    #[inline]
    fn keep(&mut self, field: Field, raw: &'a str) {
        let bit = 1 << field as u32;
        if self.seen & bit != 0 {
            self.twice = Some(field);
        }
        self.seen |= bit;
        let Some(inner) = raw.strip_prefix('"') else {
            self.values[field as usize] = (raw != "null").then_some(raw);
            return;
        };
        let inner = &inner[..inner.len() - 1];
        if inner.as_bytes().contains(&b'\\') {
            self.decode(field, raw);
        } else {
            self.texts |= bit;
            self.values[field as usize] = Some(inner);
        }
    }

    #[cold]
    fn decode(&mut self, field: Field, raw: &'a str) {
        self.values[field as usize] = Some(raw);
        match serde_json::from_str(raw) {
            Ok(text) => self.decoded.push((field, text)),
            Err(_) => self.broken = Some(field),
        }
    }

    /// A value that is no text, as JSON; `null` counts as absent.
    pub(super) fn raw(&self, field: Field) -> Option<&'a str> {
        self.values[field as usize]
    }

    fn is_plain_text(&self, field: Field) -> bool {
        self.texts & (1 << field as u32) != 0
    }

    /// The value as it stood in the JSON.
    fn json(&self, field: Field) -> Option<Cow<'a, str>> {
        let value = self.values[field as usize]?;
        Some(if self.is_plain_text(field) { format!("\"{value}\"").into() } else { value.into() })
    }

    /// A refusal of a field with its value.
    #[cold]
    pub(super) fn refuse(
        &self,
        reason: Reason,
        field: Field,
        expected: impl Into<Cow<'static, str>>,
        remedy: &'static str,
    ) -> Refusal {
        Refusal::field(reason, field.name(), self.json(field).as_deref(), expected, remedy)
    }

    /// A text, not empty, of at most [`MAX_ID`] bytes without control characters; an empty one counts as absent.
    #[inline]
    pub(super) fn text(&self, field: Field) -> Result<Option<Cow<'a, str>>, Refusal> {
        let Some(value) = self.values[field as usize] else { return Ok(None) };
        if self.is_plain_text(field) && value.len() <= MAX_ID {
            return Ok(Some(value).filter(|text| !text.is_empty()).map(Cow::Borrowed));
        }
        self.odd_text(field, value)
    }

    /// The characters of a text, decoded.
    fn characters(&self, field: Field) -> Option<&str> {
        if self.is_plain_text(field) {
            return self.values[field as usize];
        }
        self.decoded.iter().find(|(of, _)| *of == field).map(|(_, text)| &**text)
    }

    /// A text with escapes, or what is no identifier.
    #[cold]
    fn odd_text(&self, field: Field, value: &'a str) -> Result<Option<Cow<'a, str>>, Refusal> {
        let Some(text) = self.characters(field) else {
            let number = value.starts_with(|c: char| c == '-' || c.is_ascii_digit());
            let quotes = "put it in quotes: identifiers are text, 0042 is not 42";
            let remedy = if number { quotes } else { "send one text" };
            return Err(self.refuse(Reason::WrongType, field, "a text", remedy));
        };
        if text.len() > MAX_ID {
            let remedy = "identifiers are short; free text has no place here";
            return Err(self.refuse(Reason::TooLong, field, "at most 256 bytes", remedy));
        }
        // JSON allows control characters only by escapes.
        if text.chars().any(char::is_control) {
            let remedy = "clean the identifier at its source";
            return Err(self.refuse(Reason::WrongValue, field, "a text without control characters", remedy));
        }
        Ok(Some(text).filter(|text| !text.is_empty()).map(|text| Cow::Owned(text.to_owned())))
    }

    /// A text that has to be there.
    pub(super) fn required(&self, field: Field, expected: &'static str) -> Result<Cow<'a, str>, Refusal> {
        self.text(field)?.ok_or_else(|| missing(field, expected))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, field: Field) -> Result<Option<bool>, Refusal> {
        let Some(value) = self.raw(field) else { return Ok(None) };
        match (self.is_plain_text(field), value) {
            (false, "true") => Ok(Some(true)),
            (false, "false") => Ok(Some(false)),
            _ => Err(self.refuse(Reason::WrongType, field, "true or false", "write it without quotes")),
        }
    }

    /// A decimal number with at most `places` places, as an integer of that scale, between `least` and `most` units.
    pub(super) fn decimal(
        &self,
        field: Field,
        places: u32,
        (least, most): (i64, i64),
    ) -> Result<Option<i64>, Refusal> {
        let Some(raw) = self.raw(field) else { return Ok(None) };
        let expected = || format!("a number from {least} to {most} with at most {places} decimals");
        let refuse = |reason, remedy| Err(self.refuse(reason, field, expected(), remedy));
        if self.is_plain_text(field) || !raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return refuse(Reason::WrongType, "write it as a JSON number, without quotes");
        }
        let scale = 10_i64.pow(places);
        match scaled(raw, places) {
            Some(value) if (least * scale..=most * scale).contains(&value) => Ok(Some(value)),
            _ => refuse(Reason::OutOfRange, "round or correct it at its source"),
        }
    }

    /// `time`: RFC 3339 with offset, or epoch milliseconds.
    pub(super) fn time(&self) -> Result<EventTime, Refusal> {
        const EXPECTED: &str =
            "RFC 3339 with offset, such as 2026-10-31T09:00:20+08:00, or epoch milliseconds";
        let raw = self.raw(Field::Time).ok_or_else(|| missing(Field::Time, EXPECTED))?;
        let refuse = |reason, remedy| Err(self.refuse(reason, Field::Time, EXPECTED, remedy));
        let time = match (self.characters(Field::Time), raw.as_bytes().first()) {
            (Some(text), _) => match instant::parse(text) {
                Some(at) => at,
                None => return refuse(Reason::WrongValue, "a local time without offset names no instant"),
            },
            (None, Some(b'-' | b'0'..=b'9')) => match raw.parse() {
                Ok(at) => at,
                Err(_) if raw.contains(['.', 'e', 'E']) => {
                    return refuse(Reason::WrongValue, "write whole milliseconds");
                }
                Err(_) => return refuse(Reason::OutOfRange, "write milliseconds since 1970-01-01T00:00:00Z"),
            },
            _ => return refuse(Reason::WrongType, "write one text or one integer"),
        };
        match EventTime::RANGE {
            range if range.contains(&time) => Ok(EventTime(time)),
            range if range.contains(&time.saturating_mul(1_000)) => {
                refuse(Reason::OutOfRange, "this looks like seconds; multiply by 1000")
            }
            _ => refuse(Reason::OutOfRange, "times lie between the years 1990 and 2100"),
        }
    }

    /// The identifier for a dead letter, if it can be read at all.
    pub(super) fn readable_id(&self) -> Option<Box<str>> {
        self.text(Field::Id).ok().flatten().map(|id| id.into())
    }
}

/// A field that is not there.
pub(super) fn missing(field: Field, expected: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::field(Reason::Missing, field.name(), None, expected, "")
}

/// A JSON number as an integer of 10^-places; `None` when it is too large or too fine for that.
fn scaled(raw: &str, places: u32) -> Option<i64> {
    let number = match raw.contains(['e', 'E']) {
        true => Decimal::from_scientific(raw),
        false => Decimal::from_str_exact(raw),
    };
    let mut number = number.ok()?.normalize();
    if number.scale() > places {
        return None;
    }
    number.rescale(places);
    (number.scale() == places).then(|| i64::try_from(number.mantissa()).ok()).flatten()
}

fn not_an_object(error: &serde_json::Error) -> Refusal {
    use serde_json::error::Category;
    let (reason, remedy) = match error.classify() {
        Category::Eof => (Reason::Truncated, "it breaks off; was it cut on its way?"),
        Category::Data => (Reason::NotObject, "send one object a record, not a list or a bare value"),
        Category::Syntax | Category::Io => (Reason::NotJson, ""),
    };
    let remedy = if remedy.is_empty() { error.to_string().into() } else { Cow::from(remedy) };
    Refusal::record(reason, "one JSON object", remedy)
}

/// Whether arrays and objects lie inside each other beyond the limit. `raw` is valid JSON.
fn is_too_deep(raw: &str) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in raw.bytes() {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'[' | b'{') => depth += 1,
            (false, b']' | b'}') => depth -= 1,
            _ => {}
        }
        // The event itself is the first level.
        if depth + 1 > MAX_DEPTH {
            return true;
        }
    }
    false
}

/// Fills the fields of one object.
struct Collect<'f, 'de>(&'f mut Fields<'de>);

impl<'de> Visitor<'de> for Collect<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(field)) = map.next_key()? {
            let raw = map.next_value::<&RawValue>()?.get();
            if raw.starts_with(['[', '{']) {
                self.0.too_deep |= is_too_deep(raw);
            }
            if let Some(field) = field {
                self.0.keep(field, raw);
            }
        }
        Ok(())
    }
}

/// A name, known or not; read without keeping it.
struct Key(Option<Field>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_str<E>(self, name: &str) -> Result<Key, E> {
                Ok(Key(Field::of(name)))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        for (raw, places, expected) in [
            ("4.5", 6, Some(4_500_000)),
            ("4.5000000", 6, Some(4_500_000)),
            ("-0.000001", 6, Some(-1)),
            ("0.0000001", 6, None),
            ("0.1", 6, Some(100_000)),
            ("1e2", 6, Some(100_000_000)),
            ("1E-2", 6, Some(10_000)),
            ("1e400", 6, None),
            ("1e-400", 6, None),
            ("99999999999999999999999999999999999", 0, None),
            ("12", 0, Some(12)),
            ("12.5", 0, None),
            ("12.5", 3, Some(12_500)),
        ] {
            assert_eq!(scaled(raw, places), expected, "{raw}");
        }
    }

    #[test]
    fn brackets_in_texts_are_no_nesting() {
        let text = format!("[\"{}\\\"[\"]", "[".repeat(100));
        assert!(!is_too_deep(&text));
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(!is_too_deep(&nested(MAX_DEPTH - 1)));
        assert!(is_too_deep(&nested(MAX_DEPTH)));
    }
}
