//! The one small language that selects: `">= 90"`, `"70..84"`, `"60以下"`; a bare number means equal, a list any of.
//!
//! A test on numbers is a union of intervals. An end of an interval is a [`Cut`], a place between values: just before
//! or just after a number. So open and closed ends, gaps and overlaps are one comparison.

use super::exact::Exact;
use super::quantity::{Kind, Misfit, Quantity};
use toml::de::DeValue;

/// A place between values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cut {
    /// Below every value.
    Low,
    /// At a number: before it (`false`) or after it (`true`).
    At(Exact, bool),
    /// Above every value.
    High,
}

impl Cut {
    pub(super) fn before(value: Exact) -> Self {
        Self::At(value, false)
    }

    pub(super) fn after(value: Exact) -> Self {
        Self::At(value, true)
    }
}

/// The values between two cuts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) from: Cut,
    pub(super) to: Cut,
}

impl Interval {
    pub(super) fn contains(&self, value: &Exact) -> bool {
        self.from <= Cut::before(value.clone()) && Cut::after(value.clone()) <= self.to
    }

    /// Some value inside; the interval must not be empty.
    pub(super) fn sample(&self) -> Exact {
        let one = Exact::from_integer(1.into());
        match (&self.from, &self.to) {
            (Cut::At(a, false), _) => a.clone(),
            (Cut::At(a, true), Cut::At(b, _)) => (a + b) / (&one + &one),
            (Cut::At(a, true), _) => a + one,
            (_, Cut::At(b, true)) => b.clone(),
            (_, Cut::At(b, false)) => b - one,
            (_, _) => Exact::from_integer(0.into()),
        }
    }
}

/// A test and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    text: String,
    any: Vec<Interval>,
}

/// The one-sided comparison that a proportional rest needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// `>=`, `>`.
    AtLeast,
    /// `<=`, `<`.
    AtMost,
}

impl Test {
    /// As the file writes it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `value` passes.
    pub fn holds(&self, value: &Exact) -> bool {
        self.any.iter().any(|interval| interval.contains(value))
    }

    pub(super) fn intervals(&self) -> &[Interval] {
        &self.any
    }

    /// Direction and threshold of a test with one threshold.
    pub(super) fn threshold(&self) -> Option<(Side, &Exact)> {
        match self.any.as_slice() {
            [Interval { from: Cut::At(t, _), to: Cut::High }] => Some((Side::AtLeast, t)),
            [Interval { from: Cut::Low, to: Cut::At(t, _) }] => Some((Side::AtMost, t)),
            _ => None,
        }
    }

    /// Reads a test on values of `kind` from the file.
    pub(super) fn of(value: &DeValue<'_>, kind: Kind) -> Result<Self, Misfit> {
        match value {
            DeValue::Array(list) if !list.is_empty() => {
                let tests: Result<Vec<_>, _> =
                    list.iter().map(|entry| Self::of(entry.get_ref(), kind)).collect();
                let tests = tests?;
                let texts: Vec<_> = tests.iter().map(|test| test.text.as_str()).collect();
                let text = texts.join(", ");
                Ok(Self { text, any: tests.into_iter().flat_map(|test| test.any).collect() })
            }
            DeValue::Integer(n) => Self::parse(n.as_str(), kind),
            DeValue::Float(n) => Self::parse(n.as_str(), kind),
            DeValue::String(text) => Self::parse(text, kind),
            other => Err(not_a_test(other.type_str())),
        }
    }

    /// Reads the text of a test on values of `kind`.
    pub(super) fn parse(text: &str, kind: Kind) -> Result<Self, Misfit> {
        let any = intervals(text.trim(), kind)?;
        if any.iter().any(|interval| interval.from >= interval.to) {
            let remedy = "write the smaller end first";
            return Err(Misfit::new("value", format!("no value can pass `{text}`"), remedy));
        }
        Ok(Self { text: text.trim().to_string(), any })
    }
}

#[derive(Clone, Copy)]
enum Comparison {
    Above { or_equal: bool },
    Below { or_equal: bool },
    Not,
}

use Comparison::{Above, Below, Not};

/// What stands before the number; longer ones first where one begins with another.
const PREFIXES: [(&str, Comparison); 16] = [
    (">=", Above { or_equal: true }),
    ("<=", Below { or_equal: true }),
    ("!=", Not),
    (">", Above { or_equal: false }),
    ("<", Below { or_equal: false }),
    ("不少于", Above { or_equal: true }),
    ("不低于", Above { or_equal: true }),
    ("不得超过", Below { or_equal: true }),
    ("不超过", Below { or_equal: true }),
    ("超过", Above { or_equal: false }),
    ("大于", Above { or_equal: false }),
    ("高于", Above { or_equal: false }),
    ("低于", Below { or_equal: false }),
    ("小于", Below { or_equal: false }),
    ("不足", Below { or_equal: false }),
    ("不满", Below { or_equal: false }),
];
/// What stands after it.
const SUFFIXES: [(&str, Comparison); 3] = [
    ("以上", Above { or_equal: true }),
    ("以下", Below { or_equal: true }),
    ("以内", Below { or_equal: true }),
];
/// Values that need other members, other periods or a plan.
const RELATIVE: [&str; 4] = ["mean", "best", "previous", "plan"];

fn intervals(text: &str, kind: Kind) -> Result<Vec<Interval>, Misfit> {
    if let Some((low, high)) = text.split_once("..") {
        return Ok(vec![range(low, high, kind)?]);
    }
    for (prefix, comparison) in PREFIXES {
        if let Some(rest) = text.strip_prefix(prefix) {
            return Ok(compare(comparison, operand(rest, text, kind)?));
        }
    }
    for (suffix, comparison) in SUFFIXES {
        if let Some(rest) = text.strip_suffix(suffix) {
            return Ok(compare(comparison, operand(rest, text, kind)?));
        }
    }
    let value = operand(text, text, kind)?;
    Ok(vec![Interval { from: Cut::before(value.clone()), to: Cut::after(value) }])
}

/// `a..b`, `a..<b`, `>a..b`.
fn range(low: &str, high: &str, kind: Kind) -> Result<Interval, Misfit> {
    let whole = format!("{low}..{high}");
    let (low, low_open) = low.strip_prefix('>').map_or((low, false), |rest| (rest, true));
    let (high, high_open) = high.strip_prefix('<').map_or((high, false), |rest| (rest, true));
    let (low, high) = (operand(low, &whole, kind)?, operand(high, &whole, kind)?);
    Ok(Interval { from: Cut::At(low, low_open), to: Cut::At(high, !high_open) })
}

fn compare(comparison: Comparison, value: Exact) -> Vec<Interval> {
    let at = |after| Cut::At(value.clone(), after);
    match comparison {
        Above { or_equal } => vec![Interval { from: at(!or_equal), to: Cut::High }],
        Below { or_equal } => vec![Interval { from: Cut::Low, to: at(or_equal) }],
        Not => vec![Interval { from: Cut::Low, to: at(false) }, Interval { from: at(true), to: Cut::High }],
    }
}

fn operand(text: &str, whole: &str, kind: Kind) -> Result<Exact, Misfit> {
    let text = text.trim();
    if RELATIVE.contains(&text) {
        let message = format!("`{text}` in the test `{whole}` is not supported yet");
        return Err(Misfit::new("unknown", message, "compare with a number"));
    }
    let quantity = Quantity::parse(text).map_err(|_| not_a_test(whole))?;
    kind.accept(&quantity)
}

fn not_a_test(text: &str) -> Misfit {
    let remedy = "tests look like \">= 90\", \"< 60\", \"!= 0\", \"70..84\", \"70..<85\", \">0..10\", \"60以下\", \"不少于3\", or a list of them";
    Misfit::new("value", format!("`{text}` is not a test on numbers"), remedy)
}

#[cfg(test)]
mod tests {
    use super::super::exact::parse_exact;
    use super::*;

    fn check(test: &str, inside: &[&str], outside: &[&str]) {
        let read = Test::parse(test, Kind::Number).unwrap();
        for value in inside {
            assert!(read.holds(&parse_exact(value).unwrap()), "{value} passes {test}");
        }
        for value in outside {
            assert!(!read.holds(&parse_exact(value).unwrap()), "{value} fails {test}");
        }
    }

    #[test]
    fn edges_are_what_the_words_say() {
        check(">= 90", &["90", "90.001"], &["89.999"]);
        check("> 90", &["90.001"], &["90"]);
        check("<= 1%", &["0.01", "-5"], &["0.0101"]);
        check("< -2", &["-2.5"], &["-2"]);
        check("!= 0", &["1", "-1/3"], &["0"]);
        check("70..84", &["70", "84", "76.5"], &["84.5", "69.99"]);
        check("70..<85", &["70", "84.99"], &["85"]);
        check(">0..10", &["1/3", "10"], &["0", "31/3"]);
        check("4", &["4", "8/2"], &["4.0001"]);
        check("60以下", &["60", "0"], &["60.1"]);
        check("95以上", &["95"], &["94.9"]);
        check("3次以内", &["3"], &["4"]);
        check("不少于3", &["3"], &["2"]);
        check("不得超过 3", &["3"], &["4"]);
        check("不超过3", &["3"], &["4"]);
        check("超过90分", &["90.1"], &["90"]);
        check("不足60", &["59.9"], &["60"]);
        check("不满60", &["59.9"], &["60"]);
        check("大于3", &["4"], &["3"]);
        check("高于3", &["4"], &["3"]);
        check("低于3", &["2"], &["3"]);
        check("小于3", &["2"], &["3"]);
        check("不低于3", &["3"], &["2"]);
    }

    #[test]
    fn what_is_no_test_is_refused() {
        for bad in ["", ">=", "90..", "..", "abc", "70..84..90", "9..3", "3..<3", "> mean", "a以上", "=> 3"]
        {
            assert!(Test::parse(bad, Kind::Number).is_err(), "{bad}");
        }
        assert!(Test::parse("25 s以内", Kind::Span).unwrap().holds(&parse_exact("25000").unwrap()));
        assert_eq!(Test::parse("<= 25 s", Kind::Ratio).unwrap_err().check, "unit");
    }
}
