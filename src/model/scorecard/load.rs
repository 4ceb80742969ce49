//! From the text of a file to a card: every key is known or refused, every problem is reported.

mod grades;
pub(super) mod item;
mod shape;

use super::card::{Card, Head, PeriodKind};
use super::exact::{Exact, whole};
use super::grade::Total;
use super::item::{IfMissing, IfNull, Items, Names};
use super::problem::Problem;
use super::quantity::{Kind, Misfit};
use super::read::{FILE, Fields, Report, table};
use num_traits::{Signed, ToPrimitive, Zero};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) const HEAD: [&str; 15] = [
    "id",
    "version",
    "title",
    "effective",
    "period",
    "zone",
    "roles",
    "assessors",
    "if_null",
    "if_missing",
    "inputs_by",
    "total",
    "grades",
    "items",
    "example",
];
pub(super) const HEAD_LATER: [&str; 13] = [
    "extends",
    "parameters",
    "eligible",
    "subject",
    "membership",
    "role_change",
    "ripple",
    "ranking",
    "pay",
    "roll_up",
    "deadlines",
    "consequences",
    "open",
];

pub(super) const IF_NULL: [(&str, IfNull); 4] = [
    ("not_applicable", IfNull::NotApplicable),
    ("zero", IfNull::Zero),
    ("full", IfNull::Full),
    ("hold", IfNull::Hold),
];
pub(super) const IF_MISSING: [(&str, IfMissing); 3] =
    [("hold", IfMissing::Hold), ("not_applicable", IfMissing::NotApplicable), ("zero", IfMissing::Zero)];

/// Five days.
const INPUTS_BY_MS: i64 = 5 * 86_400_000;
/// No period waits longer than a year for its inputs.
const LONGEST_INPUTS_BY_MS: i64 = 366 * 86_400_000;
const MOST_DISPLAY_PLACES: u32 = 10;

/// Reads a card.
pub(super) fn card(text: &str) -> Result<Card, Vec<Problem>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut report = Report::default();
    for error in &errors {
        let remedy = "the file is TOML 1.0: an inline table stays on one line, a key stands once";
        report.add("syntax", error.span().unwrap_or(0..0), error.message(), remedy);
    }
    if !errors.is_empty() {
        return Err(report.problems);
    }
    let first_line = text.find('\n').unwrap_or(text.len());
    let file = Fields::new(root.get_ref(), 0..first_line, FILE);
    let card = read(&mut report, &file);
    match card {
        Some(card) if report.problems.is_empty() => Ok(card),
        _ => Err(report.problems),
    }
}

fn read(report: &mut Report, file: &Fields<'_, '_>) -> Option<Card> {
    file.only(report, &HEAD, &HEAD_LATER);
    let head = head(report, file);
    let total_fields = file.fields(report, "total");
    let total = total(report, total_fields.as_ref());
    let grades = file.fields(report, "grades").map(|fields| grades::read(report, &fields, &total));
    let drafts = item::read_all(report, file)?;
    let fold = item::top_fold(report, total_fields.as_ref(), &drafts);
    let items = items(report, file, drafts, &total)?;
    let (grades, open_grades) = grades.unzip();
    let open_grades = open_grades.unwrap_or_default();
    let mut card = Card { head: head?, items, fold, total, grades, open_grades, examples: Vec::new() };
    card.examples = examples(report, file, &card);
    Some(card)
}

fn items(
    report: &mut Report,
    file: &Fields<'_, '_>,
    drafts: Vec<item::Draft<'_, '_>>,
    total: &Total,
) -> Option<Items> {
    let fields: Vec<_> = drafts.iter().map(|draft| (draft.fields.clone(), draft.key.clone())).collect();
    let complete: Option<Vec<_>> = drafts.into_iter().map(|draft| draft.item).collect();
    Items::new(complete?, &total.scale, &total.full)
        .map_err(|defects| {
            for defect in defects {
                let span = match defect.item.map(|i| &fields[i]) {
                    Some((fields, _)) if fields.has(defect.key) => fields.key_span(defect.key),
                    Some((_, key)) => key.clone(),
                    None if file.has(defect.key) => file.key_span(defect.key),
                    None => file.key_span("items"),
                };
                report.add(defect.check, span, defect.message, defect.remedy);
            }
        })
        .ok()
}

fn head(report: &mut Report, file: &Fields<'_, '_>) -> Option<Head> {
    let id = required(report, file, "id").and_then(|id| identifier(report, file, "id", id));
    let version = file.count(report, "version", 1).unwrap_or(1);
    let title = title(report, file, id.as_deref().unwrap_or_default());
    required(report, file, "period");
    let period = file.word(report, "period", &[("month", PeriodKind::Month)]);
    let zone = file.text(report, "zone").filter(|zone| known_zone(report, file, zone));
    let roles = file.texts(report, "roles").unwrap_or_default().into_iter().map(|(role, _)| role).collect();
    let effective = effective(report, file);
    let inputs_by_ms = inputs_by(report, file).unwrap_or(INPUTS_BY_MS);
    Some(Head { id: id?, version, title, effective, period: period?, zone, roles, inputs_by_ms })
}

/// Reports a key that must be there; gives its text if it is one.
fn required(report: &mut Report, fields: &Fields<'_, '_>, key: &str) -> Option<String> {
    let Some(value) = fields.get(key) else {
        let message = format!("{} has no `{key}`", fields.place);
        report.add("missing", fields.span.clone(), message, format!("add {key} = \"...\""));
        return None;
    };
    value.get_ref().as_str().map(str::to_string).or_else(|| fields.text(report, key))
}

fn identifier(report: &mut Report, fields: &Fields<'_, '_>, key: &str, id: String) -> Option<String> {
    let span = fields.get(key).map_or(fields.span.clone(), Spanned::span);
    valid_id(report, span, &id).then_some(id)
}

/// Identifiers are keys of topics and labels: letters, digits, `_` and `-`.
pub(super) fn valid_id(report: &mut Report, span: std::ops::Range<usize>, id: &str) -> bool {
    let fine = !id.is_empty()
        && id.len() <= 64
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if !fine {
        let remedy = "use letters a-z, digits, `_` and `-`, at most 64; names for people go to zh and en";
        report.add("value", span, format!("`{id}` is not an identifier"), remedy);
    }
    fine
}

fn title(report: &mut Report, file: &Fields<'_, '_>, id: &str) -> Names {
    let both = |text: String| Names { zh: text.clone(), en: text };
    match file.get("title") {
        None => both(id.into()),
        Some(value) if value.get_ref().is_str() => both(file.text(report, "title").unwrap_or_default()),
        Some(value) => table(report, value, "title").map_or_else(Names::default, |fields| {
            fields.only(report, &["zh", "en"], &[]);
            names(report, &fields, id)
        }),
    }
}

/// `zh` and `en`; one stands for the other, the identifier for both.
fn names(report: &mut Report, fields: &Fields<'_, '_>, id: &str) -> Names {
    let (zh, en) = (fields.text(report, "zh"), fields.text(report, "en"));
    let or_id = |name: &Option<String>| name.clone().unwrap_or_else(|| id.into());
    Names { zh: zh.clone().unwrap_or_else(|| or_id(&en)), en: en.unwrap_or_else(|| or_id(&zh)) }
}

fn known_zone(report: &mut Report, file: &Fields<'_, '_>, zone: &str) -> bool {
    let known = jiff::tz::TimeZone::get(zone).is_ok();
    if !known {
        let message = format!("`{zone}` is no time zone");
        report.add("value", file.key_span("zone"), message, "use an IANA name such as \"Asia/Shanghai\"");
    }
    known
}

fn effective(report: &mut Report, file: &Fields<'_, '_>) -> Option<jiff::civil::Date> {
    let value = file.get("effective")?;
    let text = match value.get_ref() {
        DeValue::Datetime(date) => date.to_string(),
        DeValue::String(text) => text.to_string(),
        other => other.type_str().to_string(),
    };
    let date = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == "2026-01-01".len());
    if date.is_none() {
        report.add("value", value.span(), format!("`{text}` is not a date"), "write it as 2026-01-01");
    }
    date
}

fn inputs_by(report: &mut Report, file: &Fields<'_, '_>) -> Option<i64> {
    let quantity = file.quantity(report, "inputs_by")?;
    let span = file.key_span("inputs_by");
    let ms = report.take(span.clone(), Kind::Span.accept(&quantity))?.to_integer().to_i64();
    let ms = ms.filter(|ms| (0..=LONGEST_INPUTS_BY_MS).contains(ms));
    if ms.is_none() {
        report.add(
            "value",
            span,
            "inputs_by is out of range",
            "from \"0 d\" to \"366 d\" after the period's end",
        );
    }
    ms
}

fn total(report: &mut Report, fields: Option<&Fields<'_, '_>>) -> Total {
    let hundred = whole(100);
    let Some(fields) = fields else {
        return Total {
            scale: hundred.clone(),
            full: hundred.clone(),
            floor: Some(Exact::zero()),
            cap: Some(hundred),
            display: 2,
        };
    };
    fields.only(report, &["fold", "scale", "full", "floor", "cap", "display"], &["normalise", "open"]);
    let scale = positive(report, fields, "scale").unwrap_or(hundred);
    let full = positive(report, fields, "full").unwrap_or_else(|| scale.clone());
    let floor = limit(report, fields, "floor").unwrap_or_else(|| Some(Exact::zero()));
    let cap = limit(report, fields, "cap").unwrap_or_else(|| Some(full.clone()));
    ordered(report, fields, floor.as_ref(), cap.as_ref());
    let display = fields.count(report, "display", 0).unwrap_or(2);
    if display > MOST_DISPLAY_PLACES {
        let remedy = format!("at most {MOST_DISPLAY_PLACES}");
        report.add("value", fields.key_span("display"), format!("{display} places are too many"), remedy);
    }
    Total { scale, full, floor, cap, display: display.min(MOST_DISPLAY_PLACES) as usize }
}

/// Points above zero.
fn positive(report: &mut Report, fields: &Fields<'_, '_>, key: &str) -> Option<Exact> {
    let points = points(report, fields, key)?;
    if points.is_positive() {
        return Some(points);
    }
    let message = format!("{} must be above 0", fields.name(key));
    report.add("value", fields.key_span(key), message, "give the full mark in points");
    None
}

fn points(report: &mut Report, fields: &Fields<'_, '_>, key: &str) -> Option<Exact> {
    let quantity = fields.quantity(report, key)?;
    report.take(fields.key_span(key), Kind::Points.accept(&quantity))
}

/// A floor or cap: points, or `"none"`; the outer `None`: not given.
fn limit(report: &mut Report, fields: &Fields<'_, '_>, key: &str) -> Option<Option<Exact>> {
    match fields.get(key)?.get_ref().as_str() {
        Some("none") => Some(None),
        _ => points(report, fields, key).map(Some),
    }
}

fn ordered(report: &mut Report, fields: &Fields<'_, '_>, floor: Option<&Exact>, cap: Option<&Exact>) {
    if let (Some(floor), Some(cap)) = (floor, cap)
        && floor >= cap
    {
        let misfit = Misfit::new(
            "value",
            format!("the floor of {} is not below its cap", fields.place),
            "swap or mend them",
        );
        report.take::<()>(fields.span.clone(), Err(misfit));
    }
}

fn examples(report: &mut Report, file: &Fields<'_, '_>, card: &Card) -> Vec<super::example::Example> {
    let Some(value) = file.get("example") else { return Vec::new() };
    let Some(list) = value.get_ref().as_array() else {
        super::read::wrong_type(report, value, "example", "a list of tables", "write [[example]]");
        return Vec::new();
    };
    list.iter().filter_map(|entry| super::example::read(report, entry, card)).collect()
}
