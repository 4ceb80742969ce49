//! Local days and months of a zone, and the local text of an instant, fast enough to stamp every event.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Length of the stretches in which a zone's offset is constant: changes fall on quarters of an hour.
const QUARTER: i64 = 15 * crate::model::units::MINUTE;

/// A local day: `[start, end)` in ms since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub date: Date,
    pub start: i64,
    pub end: i64,
}

/// The calendar of one zone. Keeps the latest day and the latest stamp.
#[derive(Debug, Clone)]
pub(super) struct Almanac {
    zone: TimeZone,
    day: Option<Day>,
    month: Option<(i64, i64)>,
    quarter: i64,
    head: [u8; 14],
    tail: [u8; 6],
    minute: u8,
}

impl Almanac {
    /// The calendar of an IANA zone; UTC for a zone nobody knows.
    pub fn new(zone: &str) -> Self {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        Self { zone, day: None, month: None, quarter: i64::MIN, head: [0; 14], tail: [0; 6], minute: 0 }
    }

    /// The first instant of a local day.
    pub fn start(&self, date: Date) -> i64 {
        date.to_zoned_datetime(self.zone.clone()).map_or(0, |start| start.timestamp().as_millisecond())
    }

    /// The local day of an instant.
    pub fn day(&mut self, at: i64) -> Day {
        if let Some(day) = self.day.filter(|day| (day.start..day.end).contains(&at)) {
            return day;
        }
        let date = self.local(at).date();
        let day = Day { date, start: self.start(date), end: self.start(date.saturating_add(1.day())) };
        self.day = Some(day);
        day
    }

    /// The local month of an instant, `[start, end)`.
    pub fn month(&mut self, at: i64) -> (i64, i64) {
        if let Some(month) = self.month.filter(|(start, end)| (*start..*end).contains(&at)) {
            return month;
        }
        let first = self.local(at).date().first_of_month();
        let month = (self.start(first), self.start(first.saturating_add(1.month())));
        self.month = Some(month);
        month
    }

    /// The local month of an instant as text, such as `2026-10`.
    pub fn month_text(&self, at: i64) -> String {
        let date = self.local(at).date();
        format!("{:04}-{:02}", date.year(), date.month())
    }

    /// The month that a text such as `2026-10` names, `[start, end)`.
    pub fn month_named(&self, text: &str) -> Option<(i64, i64)> {
        let (year, month) = text.split_once('-')?;
        let first = Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
        Some((self.start(first), self.start(first.checked_add(1.month()).ok()?)))
    }

    /// Appends the instant in RFC 3339 with the local offset, to the millisecond.
    pub fn stamp(&mut self, at: i64, out: &mut Vec<u8>) {
        let quarter = at.div_euclid(QUARTER);
        if quarter != self.quarter {
            self.learn(quarter);
        }
        let past = at.rem_euclid(QUARTER) as u64;
        out.extend_from_slice(&self.head);
        digits::<2>(u64::from(self.minute) + past / 60_000, out);
        out.push(b':');
        digits::<2>(past / 1_000 % 60, out);
        out.push(b'.');
        digits::<3>(past % 1_000, out);
        out.extend_from_slice(&self.tail);
    }

    /// Everything of a stamp that is the same for a quarter of an hour.
    fn learn(&mut self, quarter: i64) {
        let local = self.local(quarter * QUARTER);
        let (date, time) = (local.date(), local.time());
        let mut head = Vec::with_capacity(14);
        for (number, mark) in [(date.month(), b'-'), (date.day(), b'T'), (time.hour(), b':')] {
            digits::<2>(number as u64, &mut head);
            head.push(mark);
        }
        let mut whole = Vec::with_capacity(14);
        digits::<4>(date.year().max(0) as u64, &mut whole);
        whole.push(b'-');
        whole.extend_from_slice(&head);
        self.head.copy_from_slice(&whole);
        let offset = local.offset().seconds();
        let mut tail = vec![if offset < 0 { b'-' } else { b'+' }];
        digits::<2>(u64::from(offset.unsigned_abs()) / 3_600, &mut tail);
        tail.push(b':');
        digits::<2>(u64::from(offset.unsigned_abs()) / 60 % 60, &mut tail);
        self.tail.copy_from_slice(&tail);
        self.minute = time.minute() as u8;
        self.quarter = quarter;
    }

    fn local(&self, at: i64) -> jiff::ZonedDateTime {
        Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned_datetime(self.zone.clone())
    }
}

/// Appends a number with leading zeros, exactly `N` digits.
pub(super) fn digits<const N: usize>(mut number: u64, out: &mut Vec<u8>) {
    let mut text = [b'0'; N];
    for place in text.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_read_back_as_the_same_instant_in_every_kind_of_zone() {
        for zone in ["Asia/Shanghai", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "UTC"] {
            let mut almanac = Almanac::new(zone);
            for step in 0..20_000 {
                let at = 1_790_000_000_000 + step * 1_234_567;
                let mut text = Vec::new();
                almanac.stamp(at, &mut text);
                let text = String::from_utf8(text).unwrap();
                let back: Timestamp = text.parse().unwrap_or_else(|e| panic!("{zone} {text}: {e}"));
                assert_eq!(back.as_millisecond(), at, "{zone} {text}");
            }
        }
    }

    #[test]
    fn days_and_months_are_half_open_and_know_summer_time() {
        let mut berlin = Almanac::new("Europe/Berlin");
        let day = berlin.day(berlin.start(Date::constant(2026, 10, 25)));
        assert_eq!(day.end - day.start, 25 * crate::model::units::HOUR);
        assert_eq!(berlin.day(day.end - 1), day);
        assert_eq!(berlin.day(day.end).start, day.end);
        assert_eq!(berlin.month_named("2026-10").unwrap(), berlin.month(day.start));
        assert_eq!(berlin.month_text(day.start), "2026-10");
        assert_eq!(berlin.month_named("2026-13"), None);
    }
}
