//! One JSON object, taken apart once: the raw text of every field the contract knows, nothing copied.
//!
//! Values are looked at only when their kind asks for them, so a producer may use a known name in another meaning on a
//! type of its own. Numbers stay text until then: nothing passes through a float.

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

/// The raw values of one event.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    values: [Option<&'a str>; NAMES.len()],
    twice: Option<Field>,
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
    pub(super) fn scan(text: &'a str) -> Result<Self, Refusal> {
        let mut json = serde_json::Deserializer::from_str(text);
        let fields = Fields::deserialize(&mut json).map_err(|e| not_an_object(&e))?;
        json.end().map_err(|e| not_an_object(&e))?;
        if let Some(field) = fields.twice {
            let remedy = "send each name once";
            return Err(Refusal::field(Reason::Duplicate, field.name(), None, "each name once", remedy));
        }
        if fields.too_deep {
            let remedy = "leave nested details out of the event";
            return Err(Refusal::record(Reason::TooDeep, "at most 32 levels of nesting", remedy));
        }
        Ok(fields)
    }

    /// The raw value; `null` counts as absent.
    pub(super) fn raw(&self, field: Field) -> Option<&'a str> {
        self.values[field as usize].filter(|raw| *raw != "null")
    }

    /// A text, not empty, of at most [`MAX_ID`] bytes without control characters; an empty one counts as absent.
    pub(super) fn text(&self, field: Field) -> Result<Option<Cow<'a, str>>, Refusal> {
        let Some(raw) = self.raw(field) else { return Ok(None) };
        let text = string(field, raw)?;
        if text.len() > MAX_ID {
            let (expected, remedy) =
                ("at most 256 bytes", "identifiers are short; free text has no place here");
            return Err(Refusal::field(Reason::TooLong, field.name(), Some(raw), expected, remedy));
        }
        // JSON allows control characters only by escapes, and only those were decoded into a text of its own.
        if matches!(&text, Cow::Owned(text) if text.chars().any(char::is_control)) {
            let (expected, remedy) =
                ("a text without control characters", "clean the identifier at its source");
            return Err(Refusal::field(Reason::WrongValue, field.name(), Some(raw), expected, remedy));
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// A text that has to be there.
    pub(super) fn required(&self, field: Field, expected: &'static str) -> Result<Cow<'a, str>, Refusal> {
        self.text(field)?.ok_or_else(|| missing(field, expected))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, field: Field) -> Result<Option<bool>, Refusal> {
        match self.raw(field) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(raw) => Err(Refusal::field(
                Reason::WrongType,
                field.name(),
                Some(raw),
                "true or false",
                "write it without quotes",
            )),
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
        let expected = format!("a number from {least} to {most} with at most {places} decimals");
        let refuse = |reason, remedy: &'static str| {
            Err(Refusal::field(reason, field.name(), Some(raw), expected.clone(), remedy))
        };
        if !raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
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
        let refuse = |reason, remedy| Err(Refusal::field(reason, "time", Some(raw), EXPECTED, remedy));
        let time = match raw.as_bytes()[0] {
            b'"' => match instant::parse(&string(Field::Time, raw)?) {
                Some(at) => at,
                None => return refuse(Reason::WrongValue, "a local time without offset names no instant"),
            },
            b'-' | b'0'..=b'9' => match raw.parse() {
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

/// The text behind a raw JSON string; borrowed unless it has escapes.
fn string(field: Field, raw: &str) -> Result<Cow<'_, str>, Refusal> {
    let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        let number = raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let remedy =
            if number { "put it in quotes: identifiers are text, 0042 is not 42" } else { "send one text" };
        return Err(Refusal::field(Reason::WrongType, field.name(), Some(raw), "a text", remedy));
    };
    if !inner.as_bytes().contains(&b'\\') {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw).map(Cow::Owned).map_err(|_| {
        let remedy = "an escape in it names no character";
        Refusal::field(Reason::WrongValue, field.name(), Some(raw), "a text", remedy)
    })
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

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields::default();
        while let Some(Key(field)) = map.next_key()? {
            let raw = map.next_value::<&RawValue>()?.get();
            fields.too_deep |= raw.starts_with(['[', '{']) && is_too_deep(raw);
            if let Some(field) = field
                && fields.values[field as usize].replace(raw).is_some()
            {
                fields.twice = Some(field);
            }
        }
        Ok(fields)
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
