//! Local days and months of one zone as instants, from the time-zone data that is built in.
//!
//! A day is `[start, end)`, 23 to 25 hours long where clocks change; a month likewise. Days are numbered from
//! 1970-01-01 (number 0), months from 1970-01; all edges from 1989-12 to 2100-01 are found once, then looked up.

use super::units::{EventTime, HOUR};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::ops::Range;

/// Why a calendar could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The built-in time-zone data has no such zone.
    #[error("there is no time zone `{0}`: give an IANA name such as `Asia/Shanghai`")]
    UnknownZone(String),
    /// An edge of a day is no instant.
    #[error("the days of `{0}` cannot be laid out")]
    OutOfRange(String),
}

/// The days and months of a zone. Moments before and after its edges belong to its first and last day and month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    zone: String,
    days: Edges,
    months: Edges,
}

/// Consecutive half-open intervals, numbered without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edges {
    first: i32,
    /// About how long an interval is, for the first guess.
    mean: i64,
    /// Where each begins, and where the last one ends.
    at: Vec<i64>,
}

const DAY: i64 = 24 * HOUR;
/// A year has 365.2425 days.
const MONTH: i64 = 3_652_425 * DAY / 120_000;

impl Calendar {
    /// The calendar of an IANA zone.
    pub fn new(zone: &str) -> Result<Self, CalendarError> {
        let tz = TimeZone::get(zone).map_err(|_| CalendarError::UnknownZone(zone.to_owned()))?;
        let start = |date: Date| tz.to_timestamp(date.at(0, 0, 0, 0)).map(|at| at.as_millisecond());
        let (from, to) = (number_of(Date::constant(1989, 12, 1)), number_of(Date::constant(2100, 2, 1)));
        let days = (from..=to).map(|number| start(date_of(number)));
        let months = (month_number(1989, 12)..=month_number(2100, 2)).map(|number| start(first_of(number)));
        let out_of_range = |_| CalendarError::OutOfRange(zone.to_owned());
        Ok(Self {
            zone: zone.to_owned(),
            days: Edges { first: from, mean: DAY, at: days.collect::<Result<_, _>>().map_err(out_of_range)? },
            months: Edges {
                first: month_number(1989, 12),
                mean: MONTH,
                at: months.collect::<Result<_, _>>().map_err(out_of_range)?,
            },
        })
    }

    /// The IANA name of the zone.
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// The number of the local day that holds a moment.
    pub fn day_of(&self, at: EventTime) -> i32 {
        self.days.find(at.0)
    }

    /// A local day as `[start, end)` in ms since the epoch.
    pub fn day_range(&self, day: i32) -> Range<i64> {
        self.days.range(day)
    }

    /// A local day as text: `2026-10-25`.
    pub fn day_name(&self, day: i32) -> String {
        date_of(day).to_string()
    }

    /// The number of the local month that holds a moment.
    pub fn month_of(&self, at: EventTime) -> i32 {
        self.months.find(at.0)
    }

    /// A local month as `[start, end)` in ms since the epoch.
    pub fn month_range(&self, month: i32) -> Range<i64> {
        self.months.range(month)
    }
}

/// A month as text: `2026-10`.
pub fn month_name(month: i32) -> String {
    format!("{:04}-{:02}", 1970 + month.div_euclid(12), month.rem_euclid(12) + 1)
}

/// The number of a month from its text, exactly `YYYY-MM`, 1990 to 2099.
pub fn parse_month(text: &str) -> Option<i32> {
    let (year, month) = text.split_once('-')?;
    let digits = |text: &str, places| text.len() == places && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(year, 4) || !digits(month, 2) {
        return None;
    }
    let (year, month) = (year.parse().ok()?, month.parse().ok()?);
    ((1990..2100).contains(&year) && (1..=12).contains(&month)).then(|| month_number(year, month))
}

fn month_number(year: i32, month: i32) -> i32 {
    (year - 1970) * 12 + month - 1
}

fn first_of(month: i32) -> Date {
    let (year, month) = (1970 + month.div_euclid(12), month.rem_euclid(12) + 1);
    Date::new(year as i16, month as i8, 1).unwrap_or(Date::MAX)
}

fn number_of(date: Date) -> i32 {
    (date - Date::constant(1970, 1, 1)).get_days()
}

fn date_of(day: i32) -> Date {
    Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(day.clamp(-100_000, 100_000)))
}

impl Edges {
    /// The interval that holds `at`: a guess by the mean length, then a step or two.
    fn find(&self, at: i64) -> i32 {
        let last = self.at.len() - 2;
        let guess = (at.saturating_sub(self.at[0]) / self.mean).clamp(0, last as i64);
        let mut index = guess as usize;
        while index < last && self.at[index + 1] <= at {
            index += 1;
        }
        while index > 0 && self.at[index] > at {
            index -= 1;
        }
        self.first + index as i32
    }

    fn range(&self, number: i32) -> Range<i64> {
        let last = self.at.len() as i64 - 2;
        let index = (i64::from(number) - i64::from(self.first)).clamp(0, last) as usize;
        self.at[index]..self.at[index + 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn calendar(zone: &str) -> Calendar {
        Calendar::new(zone).unwrap()
    }

    fn at(text: &str) -> EventTime {
        EventTime(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn hours(calendar: &Calendar, moment: &str) -> i64 {
        let range = calendar.day_range(calendar.day_of(at(moment)));
        (range.end - range.start) / HOUR
    }

    /// Months are cut in their zone, half-open, whatever zone the producer wrote.
    #[test]
    fn the_last_millisecond_of_march_is_march_and_midnight_is_april() {
        let shanghai = calendar("Asia/Shanghai");
        let month = |at| month_name(shanghai.month_of(at));
        assert_eq!(month(at("2026-03-31T23:59:59.999+08:00")), "2026-03");
        assert_eq!(month(EventTime(1_774_972_800_000)), "2026-04");
        assert_eq!(month(at("2026-03-31T16:10:00Z")), "2026-04");
        let march = shanghai.month_range(parse_month("2026-03").unwrap());
        assert_eq!(march.end, 1_774_972_800_000);
        assert_eq!(march.end - march.start, 31 * DAY);
    }

    #[test]
    fn days_are_as_long_as_the_clocks_make_them() {
        let berlin = calendar("Europe/Berlin");
        assert_eq!(hours(&berlin, "2026-03-28T12:00:00Z"), 24);
        assert_eq!(hours(&berlin, "2026-03-29T12:00:00Z"), 23);
        assert_eq!(hours(&berlin, "2026-10-25T12:00:00Z"), 25);
        assert_eq!(hours(&calendar("America/Sao_Paulo"), "2018-11-04T12:00:00Z"), 23, "no midnight that day");
        assert_eq!(hours(&calendar("Australia/Lord_Howe"), "2026-04-04T15:00:00Z"), 24, "24.5 hours");
    }

    #[test]
    fn a_day_that_never_was_holds_no_moment() {
        let samoa = calendar("Pacific/Apia");
        let before = samoa.day_of(at("2011-12-30T09:59:59.999Z"));
        let after = samoa.day_of(at("2011-12-30T10:00:00Z"));
        assert_eq!(
            (samoa.day_name(before), samoa.day_name(after)),
            ("2011-12-29".into(), "2011-12-31".into())
        );
        assert!(samoa.day_range(before + 1).is_empty());
    }

    #[test]
    fn months_are_read_and_written() {
        assert_eq!(month_name(parse_month("2026-10").unwrap()), "2026-10");
        assert_eq!(parse_month("1990-01").map(month_name).as_deref(), Some("1990-01"));
        for text in
            ["2026-13", "2026-00", "2026-1", "26-10", "2026-10-01", "1989-12", "2100-01", "+026-10", ""]
        {
            assert_eq!(parse_month(text), None, "{text}");
        }
    }

    #[test]
    fn moments_beyond_the_edges_belong_to_the_first_and_last_day() {
        let utc = calendar("UTC");
        assert_eq!(utc.day_name(utc.day_of(EventTime(i64::MIN))), "1989-12-01");
        assert_eq!(utc.day_name(utc.day_of(EventTime(i64::MAX))), "2100-01-31");
        assert_eq!(utc.day_name(utc.day_of(EventTime(EventTime::RANGE.start))), "1990-01-01");
        assert_eq!(utc.day_range(i32::MAX), utc.day_range(utc.day_of(EventTime(i64::MAX))));
    }

    #[test]
    fn an_unknown_zone_is_refused() {
        assert_eq!(Calendar::new("Mars/Olympus"), Err(CalendarError::UnknownZone("Mars/Olympus".into())));
    }

    proptest! {
        /// Each moment lies in its day and its month, whose name its local date gives; days make up their month.
        #[test]
        fn a_moment_lies_in_its_local_day_and_month(
            ms in EventTime::RANGE,
            zone in prop::sample::select(vec!["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"]),
        ) {
            let calendar = calendar(zone);
            let moment = EventTime(ms);
            let (day, month) = (calendar.day_of(moment), calendar.month_of(moment));
            prop_assert!(calendar.day_range(day).contains(&ms) && calendar.month_range(month).contains(&ms));
            let local = jiff::Timestamp::from_millisecond(ms).unwrap().in_tz(zone).unwrap();
            prop_assert_eq!(calendar.day_name(day), local.date().to_string());
            prop_assert_eq!(month_name(month), local.strftime("%Y-%m").to_string());
            prop_assert_eq!(calendar.day_range(day).end, calendar.day_range(day + 1).start);
            prop_assert_eq!(calendar.month_of(EventTime(calendar.day_range(day).start)), month);
        }
    }
}
