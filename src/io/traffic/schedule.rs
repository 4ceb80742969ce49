//! Who works when: a rota of early, late and night shifts, breaks, and all hands on the last night of a month.

use super::almanac::Day;
use super::chance::Chance;
use crate::model::units::{HOUR, MINUTE};

/// Half hours after local midnight, start and end.
type Hours = (i64, i64);

const EARLY: Hours = (18, 35);
const LATE: Hours = (29, 46);
const NIGHT: Hours = (45, 66);

/// The shifts of an agent that begin on a local day, `[start, end)` in ms.
///
/// People rotate through early, late and night by week, with two days off in seven. On the last evening of a month, a sale
/// night, everybody comes in: who was early comes back, who was off or would come for the night starts in the evening.
pub(super) fn shifts(agent: usize, day: Day) -> Vec<(i64, i64)> {
    let number = (day.start + 12 * HOUR).div_euclid(24 * HOUR);
    let last = day.date.last_of_month() == day.date;
    let turn = (agent as i64 + number.div_euclid(7)) % 8;
    let off = (number + agent as i64 * 3) % 7 < 2;
    let hours: &[Hours] = match (turn, off, last) {
        (_, true, false) => &[],
        (0..4, false, false) => &[EARLY],
        (4..7, false, false) => &[LATE],
        (_, false, false) => &[NIGHT],
        (7, _, true) => &[(41, 66)],
        (0..4, false, true) => &[(18, 30), (41, 53)],
        (4..7, false, true) => &[(28, 50)],
        (_, true, true) => &[(41, 61)],
        (_, false, true) => &[],
    };
    hours.iter().map(|(start, end)| (at(day, *start), at(day, *end))).collect()
}

fn at(day: Day, half_hours: i64) -> i64 {
    day.start + half_hours * 30 * MINUTE
}

/// The breaks of a shift: two short ones and a meal, as (start, length).
pub(super) fn breaks((start, end): (i64, i64), chance: &mut Chance) -> Vec<(i64, i64)> {
    if end - start < 4 * HOUR {
        return Vec::new();
    }
    let quarter = (end - start) / 4;
    let mut at = |part: i64, low: i64, high: i64| {
        let start = start + part * quarter + chance.between(-25, 25) * MINUTE;
        (start, chance.between(low * MINUTE, high * MINUTE))
    };
    vec![at(1, 7, 11), at(2, 25, 40), at(3, 7, 12)]
}

/// Share of their time that `people` can be in contact without keeping customers waiting, per mille: few people must be
/// idle more often than many.
pub(super) fn load(people: u64) -> u64 {
    const TABLE: [(u64, u64); 12] = [
        (0, 0),
        (1, 220),
        (2, 330),
        (3, 420),
        (4, 480),
        (6, 560),
        (8, 610),
        (12, 670),
        (20, 730),
        (50, 810),
        (200, 870),
        (1_000, 900),
    ];
    let after = TABLE.partition_point(|(n, _)| *n <= people);
    let (n, share) = TABLE[after - 1];
    match TABLE.get(after) {
        Some((next, more)) => share + (more - share) * (people - n) / (next - n),
        None => share,
    }
}

#[cfg(test)]
mod tests {
    use super::super::almanac::Almanac;
    use super::*;
    use jiff::civil::Date;

    fn on_shift(almanac: &mut Almanac, at: i64) -> usize {
        let today = almanac.day(at);
        let days = [almanac.day(today.start - 1), today];
        let works = |agent: &usize| {
            let all = days.iter().flat_map(|day| shifts(*agent, *day));
            all.into_iter().any(|(start, end)| (start..end).contains(&at))
        };
        (0..24).filter(works).count()
    }

    #[test]
    fn the_last_night_of_a_month_has_all_hands_and_no_hour_has_none() {
        let mut almanac = Almanac::new("Asia/Shanghai");
        let (start, end) = almanac.month_named("2026-10").unwrap();
        assert_eq!(on_shift(&mut almanac, end - 90 * MINUTE), 24);
        for hour in 0..(end - start) / HOUR + 12 {
            let n = on_shift(&mut almanac, start + hour * HOUR + 5 * MINUTE);
            assert!(n > 0, "nobody in hour {hour}");
        }
        let noon = almanac.start(Date::constant(2026, 10, 14)) + 12 * HOUR;
        assert!((5..20).contains(&on_shift(&mut almanac, noon)));
    }

    #[test]
    fn more_people_can_be_busier() {
        assert_eq!(load(0), 0);
        assert!((1..2_000).all(|n| load(n) >= load(n - 1) && load(n) <= 900));
    }
}
