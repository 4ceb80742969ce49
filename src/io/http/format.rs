//! Numbers and times as people read them. Rounding never tells a lie about the side of a limit.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::texts::Lang;
use crate::model::text;
use crate::model::units::{Fraction, HOUR, MINUTE, SECOND};

/// A percentage without its sign, against all the edges it is judged by (see [`text::percent_among`]); `None` when it
/// cannot be computed.
pub fn percent(value: Fraction, edges: &[Fraction]) -> Option<String> {
    (!value.is_null()).then(|| without_sign(&text::percent_among(value, edges)))
}

/// A target or limit in percent without needless zeros: `80`, `72.5`.
pub fn edge_text(value: Fraction) -> String {
    without_sign(&text::limit(value))
}

/// Points from exact text (`"87.65"`, `"262/3"`) with one decimal, half up; a whole number (every grade edge is one) is
/// printed only when it is exactly reached, else with up to four places, then `<90`. `None` when the text is no number.
pub fn points(exact: &str) -> Option<String> {
    let Fraction { num, den } = fraction(exact)?;
    let (hundredfold, whole) = (den.checked_mul(100)?, num.div_euclid(den));
    let edges = [Fraction::new(whole, 100), Fraction::new(whole + 1, 100)];
    Some(without_sign(&text::percent_among(Fraction::new(num, hundredfold), &edges)))
}

fn without_sign(percent: &str) -> String {
    percent.trim_end_matches('%').replace('-', "\u{2212}")
}

fn fraction(text: &str) -> Option<Fraction> {
    let value = match text.split_once('/') {
        Some((num, den)) => Fraction::new(num.trim().parse().ok()?, den.trim().parse().ok()?),
        None => {
            let number: rust_decimal::Decimal = text.trim().parse().ok()?;
            let den = 10_i64.checked_pow(number.scale())?;
            Fraction::new(i64::try_from(number.mantissa()).ok()?, den)
        }
    };
    (!value.is_null()).then_some(value)
}

/// A duration in a table: `0:18`, `3:42`, `1:04:09`. Started seconds are left out; below zero is zero.
pub fn clock(ms: i64) -> String {
    let seconds = ms.max(0) / SECOND;
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// A duration in a sentence, its two largest units: `4 分 12 秒`, `1 h 04 min`, `2 d 10 h`.
pub fn spell(ms: i64, lang: Lang) -> String {
    let ms = ms.max(0);
    let (d, h, m, s) = (ms / (24 * HOUR), ms / HOUR % 24, ms / MINUTE % 60, ms / SECOND % 60);
    match lang {
        _ if d > 0 => lang.pick(format!("{d} 天 {h} 小时"), format!("{d} d {h} h")),
        _ if h > 0 => lang.pick(format!("{h} 小时 {m:02} 分"), format!("{h} h {m:02} min")),
        _ if m > 0 => lang.pick(format!("{m} 分 {s:02} 秒"), format!("{m} min {s:02} s")),
        _ => lang.pick(format!("{s} 秒"), format!("{s} s")),
    }
}

/// A mean duration in whole seconds, half up, with its unit apart: `("12", "秒")`; from 100 s on `("2:05", "")`.
pub fn mean(value: Fraction, lang: Lang) -> Option<(String, &'static str)> {
    if value.is_null() {
        return None;
    }
    let (num, den) = (i128::from(value.num), i128::from(value.den) * i128::from(SECOND));
    let seconds = (2 * num + den) / (2 * den);
    if seconds >= 100 {
        return Some((clock(i64::try_from(seconds).ok()?.checked_mul(SECOND)?), ""));
    }
    let unit = match lang {
        Lang::Zh => "秒",
        Lang::En => "s",
    };
    Some((seconds.to_string(), unit))
}

/// A count with thousands apart: `1,204`.
pub fn count(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0 { format!("\u{2212}{text}") } else { text }
}

/// The zone of an IANA name; UTC when it is unknown.
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// A moment as `10:42:17` in the unit's zone.
pub fn time(ms: i64, zone: &TimeZone) -> String {
    local(ms, zone).map_or_else(|| "—".to_owned(), |at| at.strftime("%H:%M:%S").to_string())
}

/// A moment as `10:42` in the unit's zone.
pub fn minute(ms: i64, zone: &TimeZone) -> String {
    local(ms, zone).map_or_else(|| "—".to_owned(), |at| at.strftime("%H:%M").to_string())
}

/// Which local day a moment is in, for comparing.
pub fn day(ms: i64, zone: &TimeZone) -> Option<jiff::civil::Date> {
    local(ms, zone).map(|at| at.date())
}

/// A month `2026-10` by name: `10 月`, `October`.
pub fn month(period: &str, lang: Lang) -> String {
    const EN: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let number = period.rsplit('-').next().and_then(|month| month.parse::<usize>().ok());
    let Some((number, name)) = number.and_then(|n| Some((n, EN.get(n.checked_sub(1)?)?))) else {
        return period.to_owned();
    };
    lang.pick(format!("{number} 月"), *name)
}

fn local(ms: i64, zone: &TimeZone) -> Option<jiff::civil::DateTime> {
    Some(zone.to_datetime(Timestamp::from_millisecond(ms).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_stand_without_their_sign_and_keep_the_side_of_every_edge() {
        let edges = [Fraction::new(4, 5), Fraction::new(17, 20)];
        let cases =
            [((5, 7), "71.4"), ((28, 28), "100.0"), ((7996, 10_000), "79.96"), ((84_999, 100_000), "84.999")];
        for ((num, den), text) in cases {
            assert_eq!(percent(Fraction::new(num, den), &edges).as_deref(), Some(text), "{num}/{den}");
        }
        assert_eq!(percent(Fraction::new(0, 0), &edges), None);
    }

    #[test]
    fn targets_have_no_needless_zeros() {
        assert_eq!(edge_text(Fraction::new(800, 1000)), "80");
        assert_eq!(edge_text(Fraction::new(725, 1000)), "72.5");
    }

    #[test]
    fn points_reach_a_whole_number_only_exactly() {
        let cases = [
            ("87.65", "87.7"),
            ("262/3", "87.3"),
            ("90", "90.0"),
            ("89.96", "89.96"),
            ("89.99999", "<90"),
            ("-0.5", "\u{2212}0.5"),
        ];
        for (exact, text) in cases {
            assert_eq!(points(exact).as_deref(), Some(text), "{exact}");
        }
        assert_eq!(points("soon"), None);
        assert_eq!(points("1/0"), None);
    }

    #[test]
    fn durations_in_tables_and_sentences() {
        assert_eq!(
            [clock(0), clock(222_999), clock(3_849_000), clock(-5)],
            ["0:00", "3:42", "1:04:09", "0:00"]
        );
        assert_eq!(spell(252_000, Lang::Zh), "4 分 12 秒");
        assert_eq!(spell(365_000, Lang::En), "6 min 05 s");
        assert_eq!(spell(64 * MINUTE, Lang::En), "1 h 04 min");
        assert_eq!(spell(58 * HOUR, Lang::Zh), "2 天 10 小时");
        assert_eq!(mean(Fraction::new(24_900, 2), Lang::Zh), Some(("12".into(), "秒")));
        assert_eq!(mean(Fraction::new(125_000, 1), Lang::En), Some(("2:05".into(), "")));
        assert_eq!(mean(Fraction::new(0, 0), Lang::En), None);
    }

    #[test]
    fn counts_times_and_months() {
        assert_eq!([count(0), count(1_204), count(-1_234_567)], ["0", "1,204", "\u{2212}1,234,567"]);
        assert_eq!(time(0, &zone("Asia/Shanghai")), "08:00:00");
        assert_eq!(minute(0, &zone("nowhere")), "00:00");
        assert_eq!(
            (month("2026-10", Lang::Zh), month("2026-10", Lang::En)),
            ("10 月".into(), "October".into())
        );
        assert_eq!(month("Q4", Lang::En), "Q4");
    }
}
