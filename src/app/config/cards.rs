//! The scorecards: each file is read, its examples are computed, and what it refers to must exist.

use super::coherence::CardPlaces;
use super::problem::{File, Problem, Problems, Severity, Spot};
use super::value::nearest;
use crate::engine::definitions::CardFile;
use crate::model::kpi;
use crate::model::measure::SubjectKind;
use crate::model::scorecard::{Card, Input, Item, Rule};
use std::ops::Range;
use toml::de::DeTable;

/// The card in a file, if it can be used, and where its parts stand.
pub fn read(file: &File, problems: &Problems) -> Option<(CardFile, CardPlaces)> {
    let card = match Card::check(file.name(), file.inner()) {
        Ok(card) => card,
        Err(wrong) => {
            wrong.list().iter().for_each(|problem| problems.add(of_card(file, problem)));
            return None;
        }
    };
    for item in card.items().iter() {
        check_kpi(file, item, problems);
    }
    let spot = |key: &str| spot(file, &[key]);
    let places = CardPlaces { id: spot("id"), roles: spot("roles"), needs: card.head().roles().to_vec() };
    Some((CardFile { id: card.head().id().to_owned(), text: file.inner().clone() }, places))
}

fn of_card(file: &File, problem: &crate::model::scorecard::Problem) -> Problem {
    let spot = Spot { file: file.clone(), span: problem.span.clone(), key: problem.check.to_owned() };
    Problem::new(Severity::Error, spot, problem.message.clone()).hint(problem.remedy.clone())
}

fn check_kpi(file: &File, item: &Item, problems: &Problems) {
    let Some(Rule::Value { input: Input::Kpi(name), .. }) = item.rule().any() else { return };
    if kpi::find(SubjectKind::Agent, name).is_some() {
        return;
    }
    let known: Vec<_> = kpi::of(SubjectKind::Agent).map(|kpi| kpi.name).collect();
    let hint = nearest(name, &known).map_or_else(
        || format!("known are: {}", known.join(", ")),
        |near| format!("did you mean \"{near}\"?"),
    );
    let spot = spot(file, &["items", item.id(), "kpi"]);
    problems.add(Problem::with_value(Severity::Error, spot, "no KPI of an agent is called so").hint(hint));
}

/// Where a key stands; the beginning of the file if it does not.
fn spot(file: &File, path: &[&str]) -> Spot {
    let table = DeTable::parse(file.inner()).ok();
    let span = table.and_then(|table| find(table.get_ref(), path)).unwrap_or(0..0);
    Spot { file: file.clone(), span, key: path.join(".") }
}

fn find(table: &DeTable, path: &[&str]) -> Option<Range<usize>> {
    let (key, rest) = path.split_first()?;
    let value = table.get(*key)?;
    if rest.is_empty() { Some(value.span()) } else { find(value.get_ref().as_table()?, rest) }
}
