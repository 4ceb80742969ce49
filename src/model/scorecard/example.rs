//! `[[example]]` blocks: inputs and what must come out, computed by hand. They run on the card's proposals.

use super::card::Card;
use super::exact::{Exact, exact_text, parse_exact, points_text, round_half_up};
use super::item::Item;
use super::problem::Problem;
use super::quantity::{Kind, Misfit, Quantity, Unit};
use super::read::{Fields, Report, Value, nearest, table, wrong_type};
use super::result::{Inputs, Mark, Measured, Rating, Scored, State, Why};
use super::rule::{Input, Rule};
use crate::model::units::Fraction;
use num_traits::ToPrimitive;
use std::ops::Range;
use toml::de::DeValue;

/// One example.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    given: Inputs,
    expect: Vec<Expect>,
}

impl Example {
    /// Its inputs.
    pub fn given(&self) -> &Inputs {
        &self.given
    }
}

/// One expectation and where it stands.
#[derive(Debug, Clone, PartialEq)]
struct Expect {
    what: What,
    span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Total(Expected),
    Known(Expected),
    Item(String, Expected),
    Grade(String),
    Shown(String),
}

/// A number with the places it is written with, or why there is none.
#[derive(Debug, Clone, PartialEq)]
enum Expected {
    Number(Exact, Option<usize>),
    Absent(State),
}

const STATES: [(&str, State); 4] = [
    ("not_applicable", State::NotApplicable),
    ("null", State::Null),
    ("pending", State::Pending),
    ("open", State::Open),
];

/// Reads one `[[example]]`.
pub(super) fn read(report: &mut Report, value: &Value<'_>, card: &Card) -> Option<Example> {
    let fields = table(report, value, "example")?;
    let later = ["members", "totals", "parameters", "entries", "on"];
    fields.only(report, &["given", "expect", "cut", "note"], &later);
    fields.text(report, "note");
    let cut = fields.boolean(report, "cut").unwrap_or(false);
    let mut given = Inputs { period_closed: cut, deadline_over: cut, ..Inputs::default() };
    if let Some(fields) = fields.fields(report, "given") {
        let later = [
            "plans",
            "previous",
            "incidents",
            "cards",
            "values",
            "items",
            "total",
            "member",
            "people",
            "history",
        ];
        fields.only(report, &["kpis", "ratings"], &later);
        kpis(report, &fields, card, &mut given);
        ratings(report, &fields, card, &mut given);
    }
    let Some(expected) = fields.fields(report, "expect") else {
        if !fields.has("expect") {
            report.add(
                "missing",
                fields.span.clone(),
                "an example without `expect`",
                "add expect = { total = ... }",
            );
        }
        return None;
    };
    Some(Example { given, expect: expect(report, &expected, card) })
}

fn inputs(card: &Card) -> impl Iterator<Item = (&Item, &Input, u32)> {
    card.items.iter().filter_map(|item| match item.rule.any()? {
        Rule::Value { input, min_sample, .. } => Some((item, input, *min_sample)),
        Rule::Parts { .. } => None,
    })
}

fn kpis(report: &mut Report, given: &Fields<'_, '_>, card: &Card, out: &mut Inputs) {
    let Some(fields) = given.fields(report, "kpis") else { return };
    let known: Vec<_> = card.kpis().into_iter().collect();
    fields.only(report, &known, &[]);
    for (key, value) in fields.table.iter() {
        let name: &str = key.get_ref();
        let measured = report.take(value.span(), measured(value.get_ref(), Kind::of_kpi(name)));
        if measured.as_ref().is_some_and(|measured| measured.samples().is_none()) && wants_samples(card, name)
        {
            let remedy = "write the counts, such as \"57/60\"";
            report.add("value", value.span(), format!("`{name}` has a min_sample here"), remedy);
        }
        out.kpis.extend(measured.map(|measured| (name.to_string(), measured)));
    }
}

fn wants_samples(card: &Card, kpi: &str) -> bool {
    inputs(card).any(|(_, input, min_sample)| min_sample > 0 && *input == Input::Kpi(kpi.into()))
}

/// `0.95`, `"95%"`, `"287.5 s"`, `"57/60"`, `"86250 s/300"`, `"null"`.
fn measured(value: &DeValue<'_>, kind: Kind) -> Result<Measured, Misfit> {
    match value.as_str().map(|text| (text, text.split_once('/'))) {
        Some(("null", _)) => Ok(Fraction::new(0, 0).into()),
        Some((text, Some((num, den)))) => {
            let (num, den) = (Quantity::parse(num)?, Quantity::parse(den)?);
            let unit = if kind == Kind::Span { Unit::Span } else { Unit::Plain };
            let whole = |exact: &Exact| exact.is_integer().then(|| exact.to_integer().to_i64()).flatten();
            match (whole(&num.value), whole(&den.value)) {
                (Some(n), Some(d)) if d >= 0 && num.unit == unit && den.unit == Unit::Plain => {
                    Ok(Fraction::new(n, d).into())
                }
                _ => Err(Misfit::new(
                    "value",
                    format!("`{text}` are not counts"),
                    "write \"57/60\" or \"86250 s/300\"",
                )),
            }
        }
        _ => Ok(Measured::Value(kind.accept(&Quantity::of(value)?)?)),
    }
}

fn ratings(report: &mut Report, given: &Fields<'_, '_>, card: &Card, out: &mut Inputs) {
    let Some(fields) = given.fields(report, "ratings") else { return };
    let rated = |(_, input, _): (_, &Input, _)| match input {
        Input::Rating { dimension, assessors } => Some((dimension.clone(), assessors.clone())),
        Input::Kpi(_) => None,
    };
    let rated: Vec<_> = inputs(card).filter_map(rated).collect();
    let known: Vec<_> = rated.iter().map(|(dimension, _)| dimension.as_str()).collect();
    fields.only(report, &known, &[]);
    for (key, value) in fields.table.iter() {
        let dimension: &str = key.get_ref();
        let assessors: Vec<_> =
            rated.iter().filter(|(d, _)| d == dimension).flat_map(|(_, a)| a.clone()).collect();
        match value.get_ref().as_table() {
            Some(_) => by_assessor(report, value, dimension, &assessors, out),
            None => {
                let Some(mark) = report.take(value.span(), mark(value.get_ref())) else { continue };
                let all = if assessors.is_empty() { vec!["assessor".to_string()] } else { assessors };
                out.ratings
                    .extend(all.into_iter().map(|assessor| rating(dimension, &assessor, mark.clone())));
            }
        }
    }
}

fn by_assessor(
    report: &mut Report,
    value: &Value<'_>,
    dimension: &str,
    assessors: &[String],
    out: &mut Inputs,
) {
    let Some(fields) = table(report, value, &format!("ratings.{dimension}")) else { return };
    for (key, value) in fields.table.iter() {
        let assessor: &str = key.get_ref();
        if !assessors.is_empty() && !assessors.iter().any(|known| known == assessor) {
            let known: Vec<_> = assessors.iter().map(String::as_str).collect();
            let message = format!("`{assessor}` does not rate `{dimension}` here");
            report.add("unknown", key.span(), message, nearest(assessor, &known));
        }
        let marks: Vec<&Value<'_>> = match value.get_ref().as_array() {
            Some(list) => list.iter().collect(),
            None => vec![value],
        };
        for value in marks {
            let mark = report.take(value.span(), mark(value.get_ref()));
            out.ratings.extend(mark.map(|mark| rating(dimension, assessor, mark)));
        }
    }
}

fn mark(value: &DeValue<'_>) -> Result<Mark, Misfit> {
    match value.as_str() {
        Some("n/a") => Ok(Mark::NotApplicable),
        _ => Ok(Mark::Score(Kind::Mark.accept(&Quantity::of(value)?)?)),
    }
}

fn rating(dimension: &str, assessor: &str, mark: Mark) -> Rating {
    Rating { dimension: dimension.into(), assessor: assessor.into(), mark }
}

fn expect(report: &mut Report, fields: &Fields<'_, '_>, card: &Card) -> Vec<Expect> {
    fields.only(report, &["total", "known", "grade", "shown", "items"], &["rank", "pay", "propose"]);
    let mut all = Vec::new();
    let mut add = |what: Option<What>, span| all.extend(what.map(|what| Expect { what, span }));
    for (key, value) in fields.table.iter() {
        let key: &str = key.get_ref();
        match key {
            "total" => add(expected(report, value).map(What::Total), value.span()),
            "known" => add(expected(report, value).map(What::Known), value.span()),
            "grade" => add(fields.text(report, key).map(What::Grade), value.span()),
            "shown" => add(fields.text(report, key).map(What::Shown), value.span()),
            "items" => {
                let Some(items) = table(report, value, "expect.items") else { continue };
                let known: Vec<_> = card.items.iter().map(Item::id).collect();
                items.only(report, &known, &[]);
                for (id, value) in items.table.iter() {
                    add(
                        expected(report, value).map(|e| What::Item(id.get_ref().to_string(), e)),
                        value.span(),
                    );
                }
            }
            _ => {}
        }
    }
    all
}

fn expected(report: &mut Report, value: &Value<'_>) -> Option<Expected> {
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(n) => n.as_str().to_string(),
        DeValue::Float(n) => n.as_str().to_string(),
        _ => {
            wrong_type(
                report,
                value,
                "an expectation",
                "a number or a state",
                "write 86.25, \"262/3\" or \"open\"",
            );
            return None;
        }
    };
    if let Some((_, state)) = STATES.iter().find(|(word, _)| *word == text) {
        return Some(Expected::Absent(*state));
    }
    let places = if text.contains('/') {
        None
    } else {
        Some(text.split_once('.').map_or(0, |(_, rest)| rest.len()).max(2))
    };
    let number = parse_exact(&text).map(|number| Expected::Number(number, places));
    if number.is_none() {
        let remedy = "write 86.25, \"262/3\" or one of \"not_applicable\", \"null\", \"pending\", \"open\"";
        report.add("value", value.span(), format!("`{text}` is not an expectation"), remedy);
    }
    number
}

/// Every expectation of every example that does not come out.
pub(super) fn failures(card: &Card) -> Vec<Problem> {
    let decided = card.on_proposals();
    let mut problems = Vec::new();
    for example in &card.examples {
        let proposed = decided.evaluate(&example.given);
        let as_is = card.evaluate(&example.given);
        for expect in &example.expect {
            // What is expected to be open is so without the proposals.
            let scored = if expect.what.is_open() { &as_is } else { &proposed };
            problems.extend(expect.failure(scored));
        }
    }
    problems
}

impl What {
    fn is_open(&self) -> bool {
        matches!(
            self,
            Self::Total(Expected::Absent(State::Open)) | Self::Item(_, Expected::Absent(State::Open))
        )
    }
}

impl Expect {
    fn failure(&self, scored: &Scored) -> Option<Problem> {
        let problem = |name: &str, expected: String, computed: String, why: &Why| Problem {
            check: "example",
            message: format!("{name}: expected {expected}, computed {computed}"),
            remedy: format!("the arithmetic: {}", why.en),
            span: self.span.clone(),
        };
        let compare = |name: &str, expected: &Expected, points: Option<&Exact>, state: State, why: &Why| {
            let computed = || points.map_or_else(|| state.as_str().to_string(), number_text);
            (!expected.meets(points, state)).then(|| problem(name, expected.text(), computed(), why))
        };
        match &self.what {
            What::Total(expected) => {
                let state = scored.absent.unwrap_or(State::Counted);
                compare("total", expected, scored.total.as_ref(), state, &scored.why)
            }
            What::Known(expected) => {
                compare("known", expected, Some(&scored.known), State::Counted, &scored.why)
            }
            What::Item(id, expected) => {
                let item = scored.items.iter().find(|item| item.id == *id)?;
                compare(id, expected, item.points.as_ref(), item.state, &item.why)
            }
            What::Grade(label) => {
                let grade = scored.grade.as_ref().map_or("no grade", |grade| grade.label.as_str());
                (grade != label).then(|| problem("grade", label.clone(), grade.into(), &scored.why))
            }
            What::Shown(text) => {
                let shown = scored.total_shown.as_deref().unwrap_or("nothing");
                (shown != text).then(|| problem("shown", text.clone(), shown.into(), &scored.why))
            }
        }
    }
}

impl Expected {
    /// A number is compared at the places it is written with (at least two); a fraction exactly.
    fn meets(&self, points: Option<&Exact>, state: State) -> bool {
        match (self, points) {
            (Self::Number(number, None), Some(points)) => number == points,
            (Self::Number(number, Some(places)), Some(points)) => *number == round_half_up(points, *places),
            (Self::Number(..), None) => false,
            (Self::Absent(expected), _) => *expected == state,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Number(number, _) => exact_text(number),
            Self::Absent(state) => state.as_str().into(),
        }
    }
}

fn number_text(value: &Exact) -> String {
    let exact = exact_text(value);
    if exact.contains('/') { format!("{} ({exact})", points_text(value)) } else { exact }
}
