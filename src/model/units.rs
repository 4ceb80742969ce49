//! Units and identifiers: the meaning of a number stands in its type.

use serde::{Deserialize, Serialize};

/// One second in milliseconds, the unit of every time and span in rows.
pub const SECOND: i64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;

/// When the producer says it happened: milliseconds since 1970-01-01T00:00:00Z. Rules booking, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventTime(pub i64);

/// A moment of the log's append clock (live clock and settle clock): milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogTime(pub i64);

macro_rules! time_texts {
    ($type:ident) => {
        /// Milliseconds in binary formats, RFC 3339 in UTC for people.
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if !serializer.is_human_readable() {
                    return serializer.serialize_i64(self.0);
                }
                let at = jiff::Timestamp::from_millisecond(self.0).map_err(serde::ser::Error::custom)?;
                serializer.collect_str(&format_args!("{at:.3}"))
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if !deserializer.is_human_readable() {
                    return i64::deserialize(deserializer).map($type);
                }
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                let at: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
                Ok($type(at.as_millisecond()))
            }
        }
    };
}

time_texts!(EventTime);
time_texts!(LogTime);

impl EventTime {
    /// The earliest and latest event times that are accepted: 1990-01-01 and 2100-01-01 (exclusive), UTC.
    pub const RANGE: std::ops::Range<i64> = 631_152_000_000..4_102_444_800_000;
}

/// An exact ratio of two integers as it stands in a row: a KPI's value before anybody divides.
///
/// `den == 0` is the null value: it cannot be computed. It is never shown as 0 or NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
pub struct Fraction {
    /// Numerator: a count, or a sum of milliseconds.
    pub num: i64,
    /// Denominator: a count. Zero means null.
    pub den: i64,
}

impl Serialize for Fraction {
    /// Binary: numerator and denominator. For people also `value`, the quotient, `null` when it cannot be computed.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let people = serializer.is_human_readable();
        let mut out = serializer.serialize_struct("Fraction", if people { 3 } else { 2 })?;
        out.serialize_field("num", &self.num)?;
        out.serialize_field("den", &self.den)?;
        if people {
            out.serialize_field("value", &self.quotient())?;
        }
        out.end()
    }
}

impl Fraction {
    /// `num / den`, not reduced: the counts are shown as they are.
    pub const fn new(num: i64, den: i64) -> Self {
        Self { num, den }
    }

    /// The quotient for display and for gauges, never for a decision; `None` when null.
    pub fn quotient(self) -> Option<f64> {
        (!self.is_null()).then(|| self.num as f64 / self.den as f64)
    }

    /// Whether the value cannot be computed.
    pub const fn is_null(self) -> bool {
        self.den == 0
    }

    /// Compares with another fraction exactly, by cross multiplication; `None` when either is null.
    pub fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        if self.is_null() || other.is_null() {
            return None;
        }
        let sign = i128::from(self.den.signum() * other.den.signum());
        let left = i128::from(self.num) * i128::from(other.den) * sign;
        let right = i128::from(other.num) * i128::from(self.den) * sign;
        Some(left.cmp(&right))
    }
}

/// An interned identifier (queue, agent, team): an index into the engine's [`Names`]. Never leaves the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sym(pub u32);

/// Identifiers as text, each kept once. An identifier is compared byte for byte: `0042` is not `42`, `A7` is not `a7`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Names {
    texts: Vec<Box<str>>,
    #[serde(skip)]
    index: std::collections::HashMap<Box<str>, Sym, foldhash::fast::FixedState>,
}

impl Names {
    /// The symbol of `text`, made when it is new.
    pub fn intern(&mut self, text: &str) -> Sym {
        if let Some(sym) = self.index.get(text) {
            return *sym;
        }
        let sym = Sym(u32::try_from(self.texts.len()).expect("fewer than 2^32 identifiers"));
        self.texts.push(text.into());
        self.index.insert(text.into(), sym);
        sym
    }

    /// The symbol of `text` if it is known.
    pub fn find(&self, text: &str) -> Option<Sym> {
        self.index.get(text).copied()
    }

    /// The text behind a symbol.
    pub fn text(&self, sym: Sym) -> &str {
        &self.texts[sym.0 as usize]
    }

    /// How many identifiers are known.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Rebuilds the index after the texts were read from a snapshot.
    pub fn reindex(&mut self) {
        self.index = self.texts.iter().enumerate().map(|(i, text)| (text.clone(), Sym(i as u32))).collect();
    }
}

/// A stable 64-bit hash of an identifier: SipHash-1-3 with a fixed key, the same on every machine.
pub fn hash64(text: &str) -> u64 {
    use std::hash::Hasher;
    let mut hasher = siphasher::sip::SipHasher13::new_with_keys(0x7368_6966_7470_756c, 0x7365_2d69_642d_3634);
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// A stable 128-bit hash of an identifier, for keys where a collision would mix two contacts.
pub fn hash128(text: &str) -> u128 {
    use siphasher::sip128::Hasher128;
    use std::hash::Hasher;
    let mut hasher =
        siphasher::sip128::SipHasher13::new_with_keys(0x7368_6966_7470_756c, 0x7365_2d69_6431_3238);
    hasher.write(text.as_bytes());
    hasher.finish128().as_u128()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Ordering::{Equal, Greater, Less};

    #[test]
    fn fractions_compare_exactly_and_null_compares_with_nothing() {
        let compare = |a: (i64, i64), b: (i64, i64)| Fraction::new(a.0, a.1).compare(Fraction::new(b.0, b.1));
        assert_eq!(compare((1, 3), (2, 6)), Some(Equal));
        assert_eq!(compare((7_999_999_999, 10_000_000_000), (8, 10)), Some(Less));
        assert_eq!(compare((4, 5), (79, 100)), Some(Greater));
        assert_eq!(compare((0, 0), (1, 2)), None);
    }

    #[test]
    fn identifiers_that_look_alike_stay_apart() {
        let mut names = Names::default();
        let syms: Vec<_> = ["0042", "42", "A7", "a7"].iter().map(|t| names.intern(t)).collect();
        assert_eq!(names.len(), 4);
        assert_eq!(names.intern("0042"), syms[0]);
        assert_eq!(names.text(syms[3]), "a7");
    }
}
