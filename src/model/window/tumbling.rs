//! One row a day or a month, by its number in the calendar.

use crate::model::contact::Observation;
use crate::model::measure::{Row, SubjectKind};
use serde::{Deserialize, Serialize};

/// Rows by day or month number. What is dropped stays dropped: a booking that comes later for it is ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tumbling {
    /// Sorted by number; seldom more than two or three.
    rows: Vec<(i32, Row)>,
    /// The first number that is kept.
    first: Option<i32>,
}

impl Tumbling {
    /// Books into the day or month `index`. False if that one is not kept any more.
    pub fn apply(
        &mut self,
        index: i32,
        observation: &Observation,
        sign: i64,
        kind: SubjectKind,
        within_ms: Option<i64>,
    ) -> bool {
        if self.first.is_some_and(|first| index < first) {
            return false;
        }
        let at = match self.rows.iter().rposition(|(number, _)| *number <= index) {
            Some(at) if self.rows[at].0 == index => at,
            before => {
                let at = before.map_or(0, |before| before + 1);
                self.rows.insert(at, (index, Row::default()));
                at
            }
        };
        self.rows[at].1.apply(observation, sign, kind, within_ms);
        true
    }

    /// The numbers of a day or month: zeros if nothing was booked.
    pub fn row(&self, index: i32) -> Row {
        self.rows.iter().rfind(|(number, _)| *number == index).map_or_else(Row::default, |(_, row)| *row)
    }

    /// Which days or months have a row, the earliest first.
    pub fn indexes(&self) -> impl Iterator<Item = i32> + '_ {
        self.rows.iter().map(|(number, _)| *number)
    }

    /// Drops everything before `index`, for good.
    pub fn drop_before(&mut self, index: i32) {
        if self.first.is_none_or(|first| first < index) {
            self.first = Some(index);
            self.rows.retain(|(number, _)| *number >= index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contact::What;
    use crate::model::measure::Column;
    use crate::model::units::EventTime;

    fn book(rows: &mut Tumbling, index: i32, sign: i64) -> bool {
        rows.apply(index, &Observation::new(What::Offer, EventTime(0)), sign, SubjectKind::Agent, None)
    }

    fn offers(rows: &Tumbling, index: i32) -> i64 {
        rows.row(index).get(Column::Offers)
    }

    #[test]
    fn each_number_has_its_own_row_in_any_order_of_booking() {
        let mut rows = Tumbling::default();
        for (index, sign) in [(5, 1), (4, 1), (6, 1), (5, 1), (4, -1)] {
            assert!(book(&mut rows, index, sign));
        }
        assert_eq!([3, 4, 5, 6].map(|index| offers(&rows, index)), [0, 0, 2, 1]);
        assert_eq!(rows.indexes().collect::<Vec<_>>(), [4, 5, 6]);
    }

    #[test]
    fn what_is_dropped_stays_dropped() {
        let mut rows = Tumbling::default();
        book(&mut rows, 4, 1);
        book(&mut rows, 5, 1);
        rows.drop_before(5);
        rows.drop_before(3);
        assert!(!book(&mut rows, 4, 1) && book(&mut rows, 5, 1));
        assert_eq!((offers(&rows, 4), offers(&rows, 5)), (0, 2));
    }
}
