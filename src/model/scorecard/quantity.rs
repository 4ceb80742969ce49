//! Numbers as a card writes them, with their unit, and what kinds of values they may be compared with.
//!
//! A KPI's identifier names its unit by its last word, as metric names do: `..._ms` is a span, `..._rate`,
//! `..._ratio`, `..._share`, `..._level` and `occupancy` are ratios 0..1, anything else is a plain number.

use super::exact::{Exact, counts, exact_text, parse_decimal, shown, whole};
use super::result::Measured;
use super::test::{Cut, Interval};
use num_traits::{One, Zero};
use toml::de::DeValue;

/// Why a value does not fit, and what would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) check: &'static str,
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Misfit {
    pub(super) fn new(check: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, message: message.into(), remedy: remedy.into() }
    }
}

/// Unit of a written number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// `12`, `12分`, `12次`.
    Plain,
    /// `60%`; the value is 0.6.
    Percent,
    /// `25 s`; the value is in ms.
    Span,
}

/// A written number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quantity {
    pub(super) value: Exact,
    pub(super) unit: Unit,
}

/// Suffixes of numbers: unit and factor. Longer ones first where one ends with another.
const SUFFIXES: [(&str, Unit, i64); 9] = [
    ("ms", Unit::Span, 1),
    ("min", Unit::Span, 60_000),
    ("s", Unit::Span, 1_000),
    ("h", Unit::Span, 3_600_000),
    ("d", Unit::Span, 86_400_000),
    ("分", Unit::Plain, 1),
    ("元", Unit::Plain, 1),
    ("人", Unit::Plain, 1),
    ("次", Unit::Plain, 1),
];

impl Quantity {
    /// Reads `12`, `"60%"`, `"25 s"`, `"90分"`.
    pub(super) fn of(value: &DeValue<'_>) -> Result<Self, Misfit> {
        let plain = |text: &str| parse_decimal(text).map(|value| Self { value, unit: Unit::Plain });
        match value {
            DeValue::Integer(n) if n.radix() == 10 => {
                plain(n.as_str()).ok_or_else(|| not_a_number(n.as_str()))
            }
            DeValue::Float(n) => plain(n.as_str()).ok_or_else(|| not_a_number(n.as_str())),
            DeValue::String(text) => Self::parse(text),
            other => Err(not_a_number(other.type_str())),
        }
    }

    /// Reads the text of a number with its unit.
    pub(super) fn parse(text: &str) -> Result<Self, Misfit> {
        let trimmed = text.trim();
        let read = |number: &str, unit, factor: Exact| {
            let value = parse_decimal(number.trim_end())? * factor;
            Some(Self { value, unit })
        };
        let found = if let Some(number) = trimmed.strip_suffix('%') {
            read(number, Unit::Percent, whole(100).recip())
        } else {
            let suffix = SUFFIXES.iter().find_map(|(s, unit, f)| Some((trimmed.strip_suffix(s)?, *unit, *f)));
            let (number, unit, factor) = suffix.unwrap_or((trimmed, Unit::Plain, 1));
            read(number, unit, whole(factor))
        };
        found.ok_or_else(|| not_a_number(text))
    }
}

fn not_a_number(text: &str) -> Misfit {
    Misfit::new(
        "value",
        format!("`{text}` is not a number"),
        "numbers look like 12, -0.5, \"60%\", \"25 s\", \"48 h\", \"90分\" (at most 40 digits)",
    )
}

/// What kind of values an input gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// 0..1, shown in percent.
    Ratio,
    /// Milliseconds from 0, shown in seconds.
    Span,
    /// Any number: a count, an amount.
    Number,
    /// A mark from 0.
    Mark,
    /// Points: a total.
    Points,
}

const RATIO_ENDINGS: [&str; 5] = ["_rate", "_ratio", "_share", "_level", "occupancy"];

impl Kind {
    pub(super) fn of_kpi(id: &str) -> Self {
        if id.ends_with("_ms") {
            Self::Span
        } else if RATIO_ENDINGS.iter().any(|ending| id.ends_with(ending)) {
            Self::Ratio
        } else {
            Self::Number
        }
    }

    /// The value of a written number in this kind's unit (ratios 0..1, spans in ms).
    pub(super) fn accept(self, quantity: &Quantity) -> Result<Exact, Misfit> {
        let Quantity { value, unit } = quantity;
        let unit_error = |message: String, remedy: String| Err(Misfit::new("unit", message, remedy));
        let text = exact_text(value);
        match (self, unit) {
            (Self::Ratio, Unit::Plain) if *value > Exact::one() => unit_error(
                format!("{text} stands against a ratio, which is never above 1"),
                format!("write \"{text}%\""),
            ),
            (Self::Span, Unit::Plain | Unit::Percent) if !value.is_zero() => unit_error(
                "a number without unit stands against a span".into(),
                format!("write its unit, such as \"{text} s\" or \"{text} ms\""),
            ),
            (Self::Ratio | Self::Number | Self::Mark | Self::Points, Unit::Span) => unit_error(
                format!("a span stands against {}", self.noun()),
                "only KPIs whose id ends in `_ms` are spans".into(),
            ),
            (Self::Mark | Self::Points, Unit::Percent) => {
                let hundred = exact_text(&(value * whole(100)));
                unit_error(format!("a percentage stands against {}", self.noun()), format!("write {hundred}"))
            }
            _ => Ok(value.clone()),
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Ratio => "a ratio",
            Self::Span => "a span",
            Self::Number => "a plain number",
            Self::Mark => "a mark",
            Self::Points => "points",
        }
    }

    /// The values that can occur.
    pub(super) fn domain(self) -> Interval {
        let from_zero = Cut::before(Exact::zero());
        match self {
            Self::Ratio => Interval { from: from_zero, to: Cut::after(Exact::one()) },
            Self::Span | Self::Mark => Interval { from: from_zero, to: Cut::High },
            Self::Number | Self::Points => Interval { from: Cut::Low, to: Cut::High },
        }
    }

    /// A value for people: `95.3333%`, `287.5 s`, `87.5`.
    pub(super) fn show(self, value: &Exact) -> String {
        match self {
            Self::Ratio => format!("{}%", shown(&(value * whole(100)))),
            Self::Span => format!("{} s", shown(&(value / whole(1_000)))),
            Self::Number | Self::Mark | Self::Points => shown(value),
        }
    }

    /// A measured value with its counts, as an equation: `57 ÷ 60 = 95%`, `12345.678 s ÷ 43 = 287.1088 s`.
    pub(super) fn show_measured(self, measured: &Measured, value: &Exact) -> String {
        let simple = self.show(value);
        let Some((num, den)) = counts(measured, value) else { return simple };
        let dividend = if self == Self::Span { self.show(&num) } else { exact_text(&num) };
        format!("{dividend} ÷ {den} = {simple}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(kpi: &str, text: &str) -> Result<String, &'static str> {
        let quantity = Quantity::parse(text).map_err(|misfit| misfit.check)?;
        Kind::of_kpi(kpi).accept(&quantity).map(|value| exact_text(&value)).map_err(|misfit| misfit.check)
    }

    #[test]
    fn numbers_have_units_and_units_must_fit() {
        assert_eq!(accept("answer_rate", "90%"), Ok("0.9".into()));
        assert_eq!(accept("answer_rate", "0.9"), Ok("0.9".into()));
        assert_eq!(accept("answer_rate", "90"), Err("unit"));
        assert_eq!(accept("answer_rate", "25 s"), Err("unit"));
        assert_eq!(accept("handle_time_ms", "25 s"), Ok("25000".into()));
        assert_eq!(accept("handle_time_ms", "1.5min"), Ok("90000".into()));
        assert_eq!(accept("handle_time_ms", "2 d"), Ok("172800000".into()));
        assert_eq!(accept("handle_time_ms", "300"), Err("unit"));
        assert_eq!(accept("handle_time_ms", "0"), Ok("0".into()));
        assert_eq!(accept("complaints", "3次"), Ok("3".into()));
        assert_eq!(accept("complaints", "many"), Err("value"));
        assert_eq!(accept("complaints", "3 hours"), Err("value"));
    }
}
