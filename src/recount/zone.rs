//! Days and months of a zone as pairs of instants `[start, end)`, asked of the time-zone library each time.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

/// `[start, end)` in ms since the epoch.
pub(super) type Range = std::ops::Range<i64>;

/// The local day that holds `at`.
pub(super) fn day(zone: &str, at: i64) -> Range {
    span_of(zone, local(zone, at), 1.day())
}

/// The local month that holds `at`.
pub(super) fn month(zone: &str, at: i64) -> Range {
    span_of(zone, local(zone, at).first_of_month(), 1.month())
}

/// The month that a text such as `2026-10` names.
pub(super) fn month_named(zone: &str, period: &str) -> Option<Range> {
    let first: Date = format!("{period}-01").parse().ok()?;
    (period.len() == 7).then(|| span_of(zone, first, 1.month()))
}

/// The text of the month that holds `at`.
pub(super) fn name_of_month(zone: &str, at: i64) -> String {
    let date = local(zone, at);
    format!("{:04}-{:02}", date.year(), date.month())
}

pub(super) fn is_known(zone: &str) -> bool {
    TimeZone::get(zone).is_ok()
}

/// A zone nobody knows is UTC.
fn tz(zone: &str) -> TimeZone {
    TimeZone::get(zone).unwrap_or(TimeZone::UTC)
}

fn local(zone: &str, at: i64) -> Date {
    tz(zone).to_datetime(Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)).date()
}

fn span_of(zone: &str, first: Date, length: Span) -> Range {
    start(zone, first)..start(zone, first.saturating_add(length))
}

/// The first instant of a local date.
fn start(zone: &str, date: Date) -> i64 {
    date.to_zoned_datetime(tz(zone)).map_or(0, |start| start.timestamp().as_millisecond())
}
