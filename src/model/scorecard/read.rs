//! Reading TOML with spans: tables whose every key must be known, values with the place they stand at.

use super::problem::Problem;
use super::quantity::{Misfit, Quantity};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// Collects problems, so that all of them are reported at once.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) problems: Vec<Problem>,
}

impl Report {
    pub(super) fn add(
        &mut self,
        check: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.problems.push(Problem { check, message: message.into(), remedy: remedy.into(), span });
    }

    /// Takes the value out of a result; a misfit becomes a problem at `span`.
    pub(super) fn take<T>(&mut self, span: Range<usize>, result: Result<T, Misfit>) -> Option<T> {
        result.map_err(|misfit| self.add(misfit.check, span, misfit.message, misfit.remedy)).ok()
    }
}

/// A table of the file.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a, 'i> {
    pub(super) table: &'a DeTable<'i>,
    pub(super) span: Range<usize>,
    /// Its name in messages, such as `items.quality`.
    pub(super) place: String,
}

impl<'a, 'i> Fields<'a, 'i> {
    pub(super) fn new(table: &'a DeTable<'i>, span: Range<usize>, place: impl Into<String>) -> Self {
        Self { table, span, place: place.into() }
    }

    /// Reports every key that is neither known nor yet supported.
    pub(super) fn only(&self, report: &mut Report, known: &[&str], later: &[&str]) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let (message, remedy) = if later.contains(&name) {
                (
                    format!("`{name}` in {} is not supported yet", self.place),
                    format!("remove it; supported here: {}", known.join(", ")),
                )
            } else {
                (format!("`{name}` is not a key of {}", self.place), nearest(name, known))
            };
            report.add("unknown", key.span(), message, remedy);
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value<'i>> {
        self.table.get(key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where a key stands; the table itself where it is absent.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        self.table.get_key_value(key).map_or_else(|| self.span.clone(), |(key, _)| key.span())
    }

    pub(super) fn text(&self, report: &mut Report, key: &str) -> Option<String> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            wrong_type(report, value, &self.name(key), "text", "write it in quotes");
        }
        text.map(str::to_string)
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, report: &mut Report, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(report, key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let all: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            let span = self.get(key).map_or(self.span.clone(), Spanned::span);
            let message = format!("{} cannot be \"{text}\" (or not yet)", self.name(key));
            report.add("value", span, message, format!("one of {}", all.join(", ")));
        }
        found
    }

    /// A list of texts; one text alone is a list of one.
    pub(super) fn texts(&self, report: &mut Report, key: &str) -> Option<Vec<(String, Range<usize>)>> {
        let value = self.get(key)?;
        if let Some(text) = value.get_ref().as_str() {
            return Some(vec![(text.into(), value.span())]);
        }
        let Some(list) = value.get_ref().as_array() else {
            wrong_type(report, value, &self.name(key), "a list of texts", "write it as [\"a\", \"b\"]");
            return None;
        };
        let mut texts = Vec::new();
        for entry in list.iter() {
            match entry.get_ref().as_str() {
                Some(text) => texts.push((text.to_string(), entry.span())),
                None => wrong_type(report, entry, &self.name(key), "text", "write it in quotes"),
            }
        }
        Some(texts)
    }

    pub(super) fn quantity(&self, report: &mut Report, key: &str) -> Option<Quantity> {
        let value = self.get(key)?;
        report.take(value.span(), Quantity::of(value.get_ref()))
    }

    /// A whole number from `least` on.
    pub(super) fn count(&self, report: &mut Report, key: &str, least: u32) -> Option<u32> {
        let value = self.get(key)?;
        let text =
            value.get_ref().as_integer().filter(|n| n.radix() == 10).map(|n| n.as_str().replace('_', ""));
        let count = text.and_then(|text| text.trim_start_matches('+').parse().ok()).filter(|n| *n >= least);
        if count.is_none() {
            let remedy = format!("write it without quotes, from {least}");
            wrong_type(report, value, &self.name(key), &format!("a whole number from {least}"), &remedy);
        }
        count
    }

    pub(super) fn boolean(&self, report: &mut Report, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            wrong_type(report, value, &self.name(key), "true or false", "write it without quotes");
        }
        boolean
    }

    pub(super) fn fields(&self, report: &mut Report, key: &str) -> Option<Fields<'a, 'i>> {
        let value = self.get(key)?;
        table(report, value, &self.name(key))
    }

    /// A key's full name in messages.
    pub(super) fn name(&self, key: &str) -> String {
        if self.place == FILE { key.into() } else { format!("{}.{key}", self.place) }
    }
}

/// The name of the outermost table in messages.
pub(super) const FILE: &str = "the file";

/// A value that must be a table.
pub(super) fn table<'a, 'i>(report: &mut Report, value: &'a Value<'i>, name: &str) -> Option<Fields<'a, 'i>> {
    let table = value.get_ref().as_table();
    if table.is_none() {
        wrong_type(report, value, name, "a table", "write it as { key = value }");
    }
    table.map(|table| Fields::new(table, value.span(), name))
}

pub(super) fn wrong_type(report: &mut Report, value: &Value<'_>, name: &str, wanted: &str, remedy: &str) {
    let message = format!("{name} must be {wanted}, not {}", kind_of(value.get_ref()));
    report.add("value", value.span(), message, remedy);
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// "did you mean", or the whole list.
pub(super) fn nearest(name: &str, known: &[&str]) -> String {
    let distance = |word: &&&str| strsim::damerau_levenshtein(name, word);
    match known.iter().min_by_key(distance) {
        Some(word) if distance(&word) <= 1 + word.len() / 4 => format!("did you mean `{word}`?"),
        _ => format!("known here: {}", known.join(", ")),
    }
}
