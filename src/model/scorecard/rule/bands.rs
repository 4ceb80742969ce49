//! Rows keyed by tests that partition what can occur: every value is in one row, none in two.

use super::super::exact::Exact;
use super::super::test::{Cut, Interval, Test};

/// Rows in the order of the file; they partition a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bands<T>(Vec<Row<T>>);

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<T> {
    text: String,
    cells: Vec<Interval>,
    value: T,
}

impl<T> Row<T> {
    /// The test as the file writes it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the row gives.
    pub fn value(&self) -> &T {
        &self.value
    }
}

/// How rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) enum Reading {
    /// As the tests say; a value in no row or in two is refused.
    #[default]
    Exact,
    /// A row runs from its lower end to the next row's lower end.
    LowerBounds,
}

/// Why rows are no partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Defect {
    /// A value in no row.
    Gap(Exact),
    /// A value in two rows, given by their places.
    Overlap(Exact, usize, usize),
    /// This row has more than one piece, so it has no lower end.
    Pieces(usize),
    /// There are no rows.
    Empty,
}

impl<T> Bands<T> {
    /// Checks that the rows partition `domain`, and names each place where they do not.
    pub(in super::super) fn new(
        rows: Vec<(Test, T)>,
        reading: Reading,
        domain: &Interval,
    ) -> Result<Self, Vec<Defect>> {
        let mut rows: Vec<_> = rows
            .into_iter()
            .map(|(test, value)| Row {
                text: test.text().to_string(),
                cells: test.intervals().to_vec(),
                value,
            })
            .collect();
        if rows.is_empty() {
            return Err(vec![Defect::Empty]);
        }
        if reading == Reading::LowerBounds {
            run_to_the_next(&mut rows)?;
        }
        let defects = defects(&rows, domain);
        if defects.is_empty() { Ok(Self(rows)) } else { Err(defects) }
    }

    /// The row of `value`; `None` outside the domain only.
    pub fn find(&self, value: &Exact) -> Option<&Row<T>> {
        self.place(value).map(|place| &self.0[place])
    }

    pub(in super::super) fn place(&self, value: &Exact) -> Option<usize> {
        self.0.iter().position(|row| row.cells.iter().any(|cell| cell.contains(value)))
    }

    /// Rows in the order of the file.
    pub fn rows(&self) -> &[Row<T>] {
        &self.0
    }
}

fn run_to_the_next<T>(rows: &mut [Row<T>]) -> Result<(), Vec<Defect>> {
    let several: Vec<_> = (0..rows.len()).filter(|i| rows[*i].cells.len() != 1).map(Defect::Pieces).collect();
    if !several.is_empty() {
        return Err(several);
    }
    let starts: Vec<Cut> = rows.iter().map(|row| row.cells[0].from.clone()).collect();
    for row in rows {
        let from = &row.cells[0].from;
        let next = starts.iter().filter(|start| *start > from).min().cloned();
        row.cells[0].to = next.unwrap_or(Cut::High);
    }
    Ok(())
}

/// Walks over all pieces from the lowest; what lies between one's end and the next one's start is a gap or an overlap.
fn defects<T>(rows: &[Row<T>], domain: &Interval) -> Vec<Defect> {
    let mut pieces: Vec<_> =
        rows.iter().enumerate().flat_map(|(row, r)| r.cells.iter().map(move |cell| (cell, row))).collect();
    pieces.sort_by(|a, b| (&a.0.from, &a.0.to).cmp(&(&b.0.from, &b.0.to)));
    let mut defects = Vec::new();
    let mut reached = (domain.from.clone(), None);
    for (cell, row) in pieces {
        let between = Interval { from: reached.0.clone(), to: cell.from.clone().min(domain.to.clone()) };
        if between.from < between.to {
            defects.push(Defect::Gap(between.sample()));
        }
        let both = Interval { from: cell.from.clone(), to: reached.0.clone().min(cell.to.clone()) };
        if let Some(other) = reached.1
            && both.from < both.to
        {
            defects.push(Defect::Overlap(both.sample(), other, row));
        }
        if cell.to > reached.0 {
            reached = (cell.to.clone(), Some(row));
        }
    }
    let rest = Interval { from: reached.0, to: domain.to.clone() };
    if rest.from < rest.to {
        defects.push(Defect::Gap(rest.sample()));
    }
    defects
}

#[cfg(test)]
mod tests {
    use super::super::super::exact::{exact_text, parse_exact};
    use super::super::super::quantity::Kind;
    use super::*;

    fn bands(reading: Reading, kind: Kind, tests: &[&str]) -> Result<Bands<usize>, Vec<String>> {
        let rows = tests.iter().enumerate().map(|(i, text)| (Test::parse(text, kind).unwrap(), i)).collect();
        let tell = |defect: &Defect| match defect {
            Defect::Gap(value) => format!("gap {}", exact_text(value)),
            Defect::Overlap(value, a, b) => {
                format!("overlap {} {} {}", exact_text(value), tests[*a], tests[*b])
            }
            Defect::Pieces(row) => format!("pieces {}", tests[*row]),
            Defect::Empty => "empty".into(),
        };
        Bands::new(rows, reading, &kind.domain()).map_err(|defects| defects.iter().map(tell).collect())
    }

    #[test]
    fn a_partition_gives_each_value_its_row() {
        let late = bands(Reading::Exact, Kind::Number, &["< 0", "0", ">0..10", "> 10"]).unwrap();
        for (value, row) in [("-1", 0), ("0", 1), ("1/1000", 2), ("10", 2), ("11", 3)] {
            assert_eq!(late.place(&parse_exact(value).unwrap()), Some(row), "{value}");
        }
        assert!(bands(Reading::Exact, Kind::Number, &["0", "!= 0"]).is_ok());
        assert!(bands(Reading::Exact, Kind::Ratio, &["0%..<50%", "50%..100%"]).is_ok());
    }

    #[test]
    fn gaps_and_overlaps_are_named_by_a_value() {
        let of = |tests: &[&str]| bands(Reading::Exact, Kind::Number, tests).unwrap_err();
        assert_eq!(of(&[">= 85", "70..84", "< 70"]), ["gap 84.5"]);
        assert_eq!(of(&["95以上", "85..95", "< 85"]), ["overlap 95 85..95 95以上"]);
        assert_eq!(of(&["60以上", "60以下"]), ["overlap 60 60以下 60以上"]);
        assert_eq!(of(&["> 60", "< 60"]), ["gap 60"]);
        assert_eq!(of(&["<= 10"]), ["gap 11"]);
        assert_eq!(of(&["> 0", "> 0", "<= 0"]), ["overlap 1 > 0 > 0"]);
        assert_eq!(of(&["0..10", "3..4", "< 0", "> 10"]), ["overlap 3 0..10 3..4"]);
        assert_eq!(of(&[]), ["empty"]);
    }

    #[test]
    fn by_lower_bounds_a_row_runs_to_the_next() {
        let tests = ["95以上", "85..95", "70..84", "50..69", "50以下"];
        let grades = bands(Reading::LowerBounds, Kind::Number, &tests).unwrap();
        for (value, row) in
            [("95", 0), ("94.99", 1), ("84.5", 2), ("69.5", 3), ("50", 3), ("49.9", 4), ("-3", 4)]
        {
            assert_eq!(grades.place(&parse_exact(value).unwrap()), Some(row), "{value}");
        }
        let of = |tests: &[&str]| bands(Reading::LowerBounds, Kind::Number, tests).unwrap_err();
        assert_eq!(of(&["!= 3", "3"]), ["pieces != 3"]);
        assert_eq!(of(&["50..60", "50..70", "< 50"]), ["overlap 50 50..60 50..70"]);
    }
}
