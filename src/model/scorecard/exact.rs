//! Exact numbers and how they are written: a fraction of big integers, never a float.
//!
//! A decimal appears only where people read: [`half_up`] for totals, [`shown`] in explanations, [`exact_text`] where
//! the number itself must survive.

use super::result::Measured;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Pow, Signed, Zero};

/// KPI values, marks, points and totals: an exact fraction.
pub type Exact = BigRational;

/// Longest numeral that is read, digits; longer ones are mistakes, not measures.
const MOST_DIGITS: usize = 40;
/// Places of a number in an explanation.
const SHOWN_PLACES: usize = 4;

/// A whole number.
pub fn whole(number: i64) -> Exact {
    Exact::from_integer(number.into())
}

/// Reads a decimal numeral such as `12`, `-0.5`, `1e3`; `None` for anything else (`nan`, `inf`, more than 40 digits).
pub fn parse_decimal(text: &str) -> Option<Exact> {
    let text = text.replace('_', "");
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
        None => (text.as_str(), 0),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all: String = [integer, fraction].concat();
    let readable = !integer.is_empty()
        && (digits.len() == integer.len() || !fraction.is_empty())
        && all.bytes().all(|b| b.is_ascii_digit());
    if !readable || all.len() > MOST_DIGITS || exponent.unsigned_abs() as usize > MOST_DIGITS {
        return None;
    }
    let value = Exact::from_integer(all.parse().ok()?) * ten_to(exponent - fraction.len() as i32);
    Some(if negative { -value } else { value })
}

/// Reads what [`exact_text`] writes: a decimal, or `"57/60"`.
pub fn parse_exact(text: &str) -> Option<Exact> {
    match text.split_once('/') {
        None => parse_decimal(text.trim()),
        Some((num, den)) => {
            let den = parse_decimal(den.trim()).filter(|den| !den.is_zero())?;
            Some(parse_decimal(num.trim())? / den)
        }
    }
}

fn ten_to(exponent: i32) -> Exact {
    let power = Exact::from_integer(Pow::pow(BigInt::from(10), exponent.unsigned_abs()));
    if exponent < 0 { power.recip() } else { power }
}

/// The number itself as text: a decimal where one is exact (`"87.65"`), else a reduced fraction (`"262/3"`).
pub fn exact_text(value: &Exact) -> String {
    let value = value.reduced();
    match finite_places(&value) {
        Some(places) => half_up(&value, places),
        None => format!("{}/{}", value.numer(), value.denom()),
    }
}

/// Places after the point at which the decimal of a reduced fraction ends; `None` when it never does.
fn finite_places(value: &Exact) -> Option<usize> {
    let mut rest = value.denom().clone();
    let mut count = |prime: i64| {
        let mut n = 0;
        while (&rest % prime).is_zero() {
            rest /= prime;
            n += 1;
        }
        n
    };
    let places = count(2).max(count(5));
    rest.is_one().then_some(places)
}

/// Rounded half up to a multiple of 10^-places.
pub fn round_half_up(value: &Exact, places: usize) -> Exact {
    let factor = ten_to(places as i32);
    (value * &factor + Exact::new(1.into(), 2.into())).floor() / factor
}

/// With exactly `places` digits after the point, rounded half up.
pub fn half_up(value: &Exact, places: usize) -> String {
    let scaled = (round_half_up(value, places) * ten_to(places as i32)).to_integer();
    let digits = format!("{:0>width$}", scaled.abs().to_string(), width = places + 1);
    let (integer, fraction) = digits.split_at(digits.len() - places);
    let sign = if scaled.is_negative() { "-" } else { "" };
    if places == 0 { format!("{sign}{integer}") } else { format!("{sign}{integer}.{fraction}") }
}

/// For explanations: at most four places, without trailing zeros.
pub fn shown(value: &Exact) -> String {
    let text = half_up(value, SHOWN_PLACES);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

/// With four places, as points are shown.
pub fn points_text(value: &Exact) -> String {
    half_up(value, SHOWN_PLACES)
}

/// Numerator and denominator of a measured value that is a quotient: the counts, or the reduced fraction where
/// four places would not show the value exactly.
pub(super) fn counts(measured: &Measured, value: &Exact) -> Option<(Exact, BigInt)> {
    let (num, den) = match measured {
        Measured::Counts(counts) => (whole(counts.num), counts.den.into()),
        Measured::Value(_) if finite_places(value).is_none_or(|places| places > SHOWN_PLACES) => {
            (Exact::from_integer(value.numer().clone()), value.denom().clone())
        }
        Measured::Value(_) => return None,
    };
    (!den.is_one()).then_some((num, den))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        parse_exact(text).unwrap()
    }

    #[test]
    fn numerals_are_read_exactly_or_not_at_all() {
        assert_eq!(exact("0.1") + exact("0.2"), exact("0.3"));
        assert_eq!(exact("-2.50"), Exact::new((-5).into(), 2.into()));
        assert_eq!(exact("1e3"), whole(1000));
        assert_eq!(exact("25e-1"), exact("2.5"));
        for bad in ["", "nan", "inf", "1.", ".5", "1/0", "0x10", "1e999999999", "--1", "12a", "1,5"] {
            assert_eq!(parse_exact(bad), None, "{bad}");
        }
        assert_eq!(parse_decimal(&"9".repeat(41)), None);
    }

    #[test]
    fn a_decimal_is_written_only_where_it_is_exact() {
        for (text, expected) in [("262/3", "262/3"), ("1753/20", "87.65"), ("57/60", "0.95"), ("6/3", "2")] {
            assert_eq!(exact_text(&exact(text)), expected);
        }
        assert_eq!(exact_text(&exact("-1/8")), "-0.125");
        assert_eq!(exact_text(&Exact::zero()), "0");
    }

    #[test]
    fn display_rounds_half_up() {
        for (text, places, expected) in [
            ("0.125", 2, "0.13"),
            ("-0.125", 2, "-0.12"),
            ("-0.004", 2, "0.00"),
            ("2/3", 4, "0.6667"),
            ("89.5", 0, "90"),
        ] {
            assert_eq!(half_up(&exact(text), places), expected, "{text}");
        }
        assert_eq!(shown(&exact("83.5000")), "83.5");
        assert_eq!(shown(&exact("-0.00001")), "0");
    }
}
