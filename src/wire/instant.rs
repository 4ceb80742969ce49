//! RFC 3339 to epoch milliseconds, by hand: it is read once for every event.
//!
//! The hand path takes the form that producers send, `2026-10-31T23:59:59.123+08:00`; whatever it does not know (a leap
//! second, a lower-case `t`) goes to `jiff`. Both agree wherever both answer, which a property checks.

/// Milliseconds since the epoch of an RFC 3339 date-time with offset; fractions are cut to milliseconds. A leap second
/// is the second before it. `None`: it is none. The range is not checked here beyond years 0000 to 9999.
pub fn parse(text: &str) -> Option<i64> {
    fast(text.as_bytes()).or_else(|| slow(text))
}

/// The whole grammar, for what the hand path leaves.
fn slow(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(|at| at.as_millisecond())
}

/// The usual form; `None` leaves it to [`slow`].
fn fast(text: &[u8]) -> Option<i64> {
    let (head, tail) = text.split_at_checked(19)?;
    let &[_, _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _, b':', _, _] = head else { return None };
    let year = two(head, 0)? * 100 + two(head, 2)?;
    let (month, day) = (two(head, 5)?, two(head, 8)?);
    let (hour, minute, second) = (two(head, 11)?, two(head, 14)?, two(head, 17)?);
    let valid = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if !valid || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (millis, zone) = fraction(tail)?;
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - offset(zone)?;
    Some(seconds * 1_000 + millis)
}

/// The number of two digits at `at`.
fn two(text: &[u8], at: usize) -> Option<i64> {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// Milliseconds of `.123456789` and what follows; 0 without a point.
fn fraction(tail: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', digits)) = tail.split_first() else { return Some((0, tail)) };
    let count = digits.iter().take_while(|d| d.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let millis =
        (0..3).fold(0, |ms, at| ms * 10 + digits[..count].get(at).map_or(0, |d| i64::from(d - b'0')));
    Some((millis, &digits[count..]))
}

/// Seconds east of UTC of `Z` or `+08:00`.
fn offset(zone: &[u8]) -> Option<i64> {
    let sign = match zone {
        b"Z" => return Some(0),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes) = (two(zone, 1)?, two(zone, 4)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March, so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(parse(text), expected, "{text}");
    }

    #[test]
    fn usual_and_unusual_forms() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("2026-10-31T23:59:59.9996+08:00", Some(1_793_462_399_999));
        check("2026-10-31T15:59:59.999Z", Some(1_793_462_399_999));
        check("2026-10-31t15:59:59.999z", Some(1_793_462_399_999));
        check("2000-02-29T12:00:00-05:30", Some(951_845_400_000));
        check("2016-12-31T23:59:60Z", Some(1_483_228_799_000));
        check("9999-12-31T00:00:00Z", Some(253_402_214_400_000));
    }

    #[test]
    fn what_is_no_instant() {
        for text in [
            "",
            "2026-10-31",
            "2026-10-31T23:59:59",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-10-31T24:00:00Z",
            "2026-10-31T23:59:59.Z",
            "2026-10-31T23:59:59+8",
            "2026-10-31T23:59:59 Z",
            "二〇二六-10-31T23:59:59Z",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn the_hand_path_agrees_with_jiff(
            seconds in -62_000_000_000_i64..250_000_000_000,
            nanos in 0..1_000_000_000_i32,
            digits in 0..=9_usize,
            east in -23 * 60..=23 * 60_i32,
        ) {
            let at = jiff::Timestamp::new(seconds, 0).unwrap();
            let local = jiff::tz::Offset::from_seconds(east * 60).unwrap().to_datetime(at);
            let fraction = &format!(".{nanos:09}")[..if digits == 0 { 0 } else { digits + 1 }];
            let sign = if east < 0 { '-' } else { '+' };
            let (hours, minutes) = (east.abs() / 60, east.abs() % 60);
            let text = format!("{}{fraction}{sign}{hours:02}:{minutes:02}", local.strftime("%Y-%m-%dT%H:%M:%S"));
            prop_assert!(fast(text.as_bytes()).is_some(), "{text}");
            // Before the epoch the one cuts towards zero, the other towards the past; no such time is accepted.
            if seconds >= 0 {
                prop_assert_eq!(fast(text.as_bytes()), slow(&text), "{}", text);
            }
        }

        #[test]
        fn near_misses_are_judged_as_jiff_judges_them(
            text in "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?(Z|z|[+-][0-2][0-9]:?[0-6][0-9]|)"
        ) {
            if let Some(at) = fast(text.as_bytes()).filter(|at| *at >= 0) {
                prop_assert_eq!(Some(at), slow(&text), "{}", text);
            }
        }

        #[test]
        fn any_text_is_survived(text in ".{0,40}") {
            parse(&text);
        }
    }
}
