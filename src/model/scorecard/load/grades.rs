//! The `grades` table.

use super::super::exact::exact_text;
use super::super::grade::{Grades, Total};
use super::super::item::Open;
use super::super::quantity::{Kind, Quantity};
use super::super::read::{Fields, Report, wrong_type};
use super::super::result::Grade;
use super::super::rule::{Bands, Reading};
use super::super::test::{Interval, Test};
use super::shape::report_bands;

const KEYS: [&str; 5] = ["bands", "en", "reading", "round", "open"];
const OPEN: [&str; 4] = ["bands", "en", "reading", "round"];

/// Reads grades; and the names of what is open in them.
pub(super) fn read(
    report: &mut Report,
    fields: &Fields<'_, '_>,
    total: &Total,
) -> (Open<Grades>, Vec<String>) {
    fields.only(report, &KEYS, &["quota", "evidence"]);
    let open = super::item::open_keys(report, fields, &OPEN);
    if !fields.has("bands") && !open.contains(&"bands".to_string()) {
        report.add(
            "missing",
            fields.span.clone(),
            "grades has no `bands`",
            "add bands = { \">= 60\" = \"pass\", ... }",
        );
    }
    let reading =
        fields.word(report, "reading", &[("exact", Reading::Exact), ("lower_bounds", Reading::LowerBounds)]);
    let round = round(report, fields);
    let bands = bands(report, fields, &total.domain(round), reading.unwrap_or_default());
    let grades = match bands {
        None => Open::Unset,
        Some(bands) if open.is_empty() => Open::Set(Grades { bands, round }),
        Some(bands) => Open::Proposed(Grades { bands, round }),
    };
    (grades, open)
}

fn round(report: &mut Report, fields: &Fields<'_, '_>) -> Option<usize> {
    let value = fields.get("round")?;
    let unit = match value.get_ref().as_str() {
        Some("none") => return None,
        Some("integer") => return Some(0),
        _ => Quantity::of(value.get_ref()).ok().map(|quantity| exact_text(&quantity.value)),
    };
    let places =
        ["1", "0.1", "0.01", "0.001", "0.0001"].iter().position(|known| Some(*known) == unit.as_deref());
    if places.is_none() {
        let remedy = "one of \"none\", \"integer\", \"0.1\", \"0.01\", \"0.001\", \"0.0001\"";
        report.add("value", value.span(), "grades.round is not a rounding", remedy);
    }
    places
}

fn bands(
    report: &mut Report,
    fields: &Fields<'_, '_>,
    domain: &Interval,
    reading: Reading,
) -> Option<Bands<Grade>> {
    let rows = fields.fields(report, "bands")?;
    let english = fields.texts(report, "en");
    if let Some(english) = english.as_ref().filter(|english| english.len() != rows.table.len()) {
        let message = format!("{} English labels for {} grades", english.len(), rows.table.len());
        report.add("value", fields.key_span("en"), message, "give one for each band, in the same order");
    }
    let mut read = Vec::new();
    for (i, (key, value)) in rows.table.iter().enumerate() {
        let test = report.take(key.span(), Test::parse(key.get_ref(), Kind::Points));
        let label = value.get_ref().as_str();
        if label.is_none() {
            wrong_type(
                report,
                value,
                &format!("grades.bands.\"{}\"", key.get_ref()),
                "a label",
                "write it in quotes",
            );
        }
        let (Some(test), Some(label)) = (test, label) else { return None };
        let en = english.as_ref().and_then(|english| english.get(i)).map_or(label, |(text, _)| text);
        read.push((test, Grade { label: label.into(), en: en.into() }));
    }
    let texts: Vec<_> = read.iter().map(|(test, _)| test.text().to_string()).collect();
    Bands::new(read, reading, domain)
        .map_err(|defects| report_bands(report, rows.span.clone(), &defects, &texts, Kind::Points))
        .ok()
}
