//! The shape keys of an item: `ramp`, `bands`, `pass` with `rest`.

use super::super::exact::Exact;
use super::super::quantity::{Kind, Misfit, Quantity};
use super::super::read::Report;
use super::super::rule::{Bands, Defect, NoRamp, NoTarget, Ramp, Reading, Rest, Shape, Target};
use super::super::test::Test;
use super::item::Reader;
use std::ops::Range;

impl Reader<'_, '_, '_> {
    pub(super) fn shape(&self, report: &mut Report, kind: Kind) -> Option<Shape> {
        let given: Vec<_> =
            ["ramp", "bands", "pass"].into_iter().filter(|key| self.fields.has(key)).collect();
        if self.fields.has("rest") && given != ["pass"] {
            report.add(
                "value",
                self.fields.key_span("rest"),
                "`rest` belongs to `pass`",
                "add pass = \"...\", or remove it",
            );
        }
        match given.as_slice() {
            [] => Some(Shape::AsGiven),
            ["ramp"] => self.ramp(report, kind).map(Shape::Ramp),
            ["bands"] => self.bands(report, kind).map(Shape::Bands),
            ["pass"] => self.target(report, kind).map(Shape::Target),
            several => {
                let message = format!("`{}` has {} at once", self.id, several.join(" and "));
                self.problem(report, "value", message, "one shape an item");
                None
            }
        }
    }

    /// Rows of a shape: key, points.
    fn rows(&self, report: &mut Report, key: &str) -> Option<Vec<(String, Range<usize>, Exact)>> {
        let table = self.fields.fields(report, key)?;
        let mut rows = Vec::new();
        for (row, value) in table.table.iter() {
            if value.get_ref().is_table() {
                let message = format!(
                    "`{}.` in {} is a table: a key with a point is quoted",
                    row.get_ref(),
                    table.place
                );
                report.add("value", row.span(), message, "write \"0.5\" = 1, not 0.5 = 1");
                continue;
            }
            let points = Quantity::of(value.get_ref()).and_then(|quantity| Kind::Points.accept(&quantity));
            if let Some(points) = report.take(value.span(), points) {
                rows.push((row.get_ref().to_string(), row.span(), points));
            }
        }
        (rows.len() == table.table.len()).then_some(rows)
    }

    fn ramp(&self, report: &mut Report, kind: Kind) -> Option<Ramp> {
        let mut knots = Vec::new();
        let rows = self.rows(report, "ramp")?;
        for (text, span, points) in &rows {
            let value = Quantity::parse(text).and_then(|quantity| kind.accept(&quantity));
            knots.extend(report.take(span.clone(), value).map(|value| (value, points.clone())));
        }
        if knots.len() < rows.len() {
            return None;
        }
        let misfit = |defect| match defect {
            NoRamp::TooFew => Misfit::new("value", "a ramp needs two knots", "write { x0 = p0, x1 = p1 }"),
            NoRamp::Equal(value) => {
                let message = format!("two knots at {}", kind.show(&value));
                Misfit::new("value", message, "a jump is not a line: use `bands`")
            }
        };
        report.take(self.fields.key_span("ramp"), Ramp::new(knots).map_err(misfit))
    }

    fn bands(&self, report: &mut Report, kind: Kind) -> Option<Bands<Exact>> {
        let mut read = Vec::new();
        let rows = self.rows(report, "bands")?;
        for (text, span, points) in &rows {
            read.extend(
                report.take(span.clone(), Test::parse(text, kind)).map(|test| (test, points.clone())),
            );
        }
        if read.len() < rows.len() {
            return None;
        }
        let texts: Vec<_> = rows.into_iter().map(|(text, ..)| text).collect();
        Bands::new(read, Reading::Exact, &kind.domain())
            .map_err(|defects| report_bands(report, self.fields.key_span("bands"), &defects, &texts, kind))
            .ok()
    }

    fn target(&self, report: &mut Report, kind: Kind) -> Option<Target> {
        let value = self.fields.get("pass")?;
        let test = report.take(value.span(), Test::of(value.get_ref(), kind));
        let rests = [("zero", Rest::Zero), ("proportional", Rest::Proportional)];
        let rest = self.fields.word(report, "rest", &rests).unwrap_or_default();
        let misfit = |defect| match defect {
            NoTarget::Threshold => Misfit::new(
                "value",
                "a proportion needs one threshold",
                "write a test such as \">= 90%\" or \"<= 25 s\"",
            ),
            NoTarget::NotPositive => {
                Misfit::new("value", "a proportion needs a threshold above 0", "use rest = \"zero\"")
            }
        };
        report.take(value.span(), Target::new(test?, rest).map_err(misfit))
    }
}

/// Reports where rows are no partition.
pub(super) fn report_bands(
    report: &mut Report,
    span: Range<usize>,
    defects: &[Defect],
    texts: &[String],
    kind: Kind,
) {
    let lower = "mend the rows, or (grades) set reading = \"lower_bounds\"";
    for defect in defects {
        let (check, message, remedy) = match defect {
            Defect::Gap(value) => ("band_gap", format!("{} is in no band", kind.show(value)), lower),
            Defect::Overlap(value, a, b) => {
                let message = format!("{} is in both `{}` and `{}`", kind.show(value), texts[*a], texts[*b]);
                ("band_overlap", message, lower)
            }
            Defect::Pieces(row) => {
                let message = format!("`{}` has several pieces, so it has no lower end", texts[*row]);
                ("value", message, "write one interval a row")
            }
            Defect::Empty => ("band_gap", "there are no bands".to_string(), "write a row for each test"),
        };
        report.add(check, span.clone(), message, remedy);
    }
}
