//! Total and grade: limits, rounding, display. A displayed number never argues with the grade.

use super::exact::{Exact, half_up, round_half_up};
use super::item::Open;
use super::result::Grade;
use super::rule::Bands;
use super::test::{Cut, Interval};

/// How the total is formed and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// Full mark of weighted items.
    pub(super) scale: Exact,
    /// Declared full marks.
    pub(super) full: Exact,
    /// Lowest total; absent when lifted.
    pub(super) floor: Option<Exact>,
    /// Highest total; absent when lifted.
    pub(super) cap: Option<Exact>,
    /// Places shown.
    pub(super) display: usize,
}

impl Total {
    /// Declared full marks.
    pub fn full(&self) -> &Exact {
        &self.full
    }

    /// Totals that can be graded, where they are rounded to so many places before.
    pub(super) fn domain(&self, round: Option<usize>) -> Interval {
        let rounded = |end: &Exact| round.map_or_else(|| end.clone(), |places| round_half_up(end, places));
        Interval {
            from: self.floor.as_ref().map_or(Cut::Low, |floor| Cut::before(rounded(floor))),
            to: self.cap.as_ref().map_or(Cut::High, |cap| Cut::after(rounded(cap))),
        }
    }
}

/// Labels by total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grades {
    pub(super) bands: Bands<Grade>,
    /// Places to which the total is rounded (half up) before the bands; absent: not at all.
    pub(super) round: Option<usize>,
}

impl Grades {
    /// Grades in the order of the file.
    pub fn labels(&self) -> impl Iterator<Item = &Grade> {
        self.bands.rows().iter().map(|row| row.value())
    }

    /// The number that is graded.
    fn graded(&self, total: &Exact) -> Exact {
        self.round.map_or_else(|| total.clone(), |places| round_half_up(total, places))
    }

    /// The band's test as written, and its grade.
    pub(super) fn of(&self, total: &Exact) -> Option<(&str, &Grade)> {
        self.bands.find(&self.graded(total)).map(|row| (row.text(), row.value()))
    }
}

/// A total can always be told from an edge with so many places: edges have at most 40 digits.
const MOST_PLACES: usize = 60;

/// The total with `display` places, half up; with more where the rounded number would belong to another grade.
/// Where the card rounds before grading, the rounded number is what is shown.
pub(super) fn total_shown(total: &Exact, display: usize, grades: Option<&Open<Grades>>) -> String {
    let Some(grades) = grades.and_then(Open::any) else { return half_up(total, display) };
    let graded = grades.graded(total);
    let band = grades.bands.place(&graded);
    let honest = |places: &usize| grades.bands.place(&round_half_up(&graded, *places)) == band;
    let places = (display..MOST_PLACES).find(honest).unwrap_or(MOST_PLACES);
    half_up(&graded, places)
}

#[cfg(test)]
mod tests {
    use super::super::exact::parse_exact;
    use super::super::quantity::Kind;
    use super::super::rule::Reading;
    use super::super::test::Test;
    use super::*;

    fn grades(round: Option<usize>) -> Open<Grades> {
        let rows = [(">= 90", "A"), ("83.5..<90", "B"), ("< 83.5", "C")];
        let row = |(test, label): &(&str, &str)| {
            (Test::parse(test, Kind::Points).unwrap(), Grade { label: (*label).into(), en: (*label).into() })
        };
        let bands =
            Bands::new(rows.iter().map(row).collect(), Reading::Exact, &Kind::Points.domain()).unwrap();
        Open::Set(Grades { bands, round })
    }

    fn check(total: &str, round: Option<usize>, shown: &str, label: &str) {
        let (total, grades) = (parse_exact(total).unwrap(), grades(round));
        assert_eq!(total_shown(&total, 2, Some(&grades)), shown);
        assert_eq!(grades.set().unwrap().of(&total).unwrap().1.label, label);
    }

    #[test]
    fn what_is_shown_stands_on_the_side_of_its_grade() {
        check("89.996", None, "89.996", "B");
        check("83.5", None, "83.50", "B");
        check("90", None, "90.00", "A");
        check("83.4999999", None, "83.4999999", "C");
        check("89999999999/1000000000", None, "89.999999999", "B");
        check("262/3", None, "87.33", "B");
    }

    #[test]
    fn a_card_that_rounds_first_shows_what_it_grades() {
        check("89.996", Some(2), "90.00", "A");
        check("89.994", Some(2), "89.99", "B");
        check("89.5", Some(0), "90.00", "A");
    }
}
