//! One table of a file: hands out its options, notes what is wrong with them, and at its end what nobody asked for.

use super::problem::{File, Problem, Problems, Severity, Spot};
use super::value::{Read, Wrong, nearest};
use std::cell::RefCell;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table, its path, and where problems go. Call [`Section::finish`] when all options were asked for.
pub struct Section<'a> {
    file: &'a File,
    problems: &'a Problems,
    path: String,
    span: Range<usize>,
    table: Option<&'a DeTable<'a>>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    /// The top of a file.
    pub fn top(file: &'a File, problems: &'a Problems, table: &'a Spanned<DeTable<'a>>) -> Section<'a> {
        Section::at(file, problems, String::new(), 0..0, Some(table.get_ref()))
    }

    fn at(
        file: &'a File,
        problems: &'a Problems,
        path: String,
        span: Range<usize>,
        table: Option<&'a DeTable<'a>>,
    ) -> Section<'a> {
        Section { file, problems, path, span, table, asked: RefCell::default() }
    }

    /// Where the option stands, or the section if it does not.
    pub fn spot(&self, key: &str) -> Spot {
        let span = self.find(key).map_or(self.span.clone(), |(_, value)| value.span());
        Spot { file: self.file.clone(), span, key: self.key(key) }
    }

    /// Where the section begins.
    pub fn head(&self) -> Spot {
        Spot { file: self.file.clone(), span: self.span.clone(), key: self.path.clone() }
    }

    /// Takes note of an error at an option.
    pub fn refuse(&self, key: &str, rule: impl Into<String>, hint: impl Into<Option<String>>) {
        let there = self.find(key).is_some();
        let make = if there { Problem::with_value } else { Problem::new };
        self.problems.add(make(Severity::Error, self.spot(key), rule.into()).hint(hint));
    }

    /// The option's value, if it is there and right.
    pub fn get<T>(&self, key: &'static str, read: impl Fn(&DeValue) -> Read<T>) -> Option<T> {
        self.asked.borrow_mut().push(key);
        let (_, value) = self.find(key)?;
        match read(value.get_ref()) {
            Ok(meaning) => Some(meaning),
            Err(wrong) => {
                self.wrong(key, value, wrong);
                None
            }
        }
    }

    /// The option's value, or the default where it is left out (or wrong, which is noted).
    pub fn or<T>(&self, key: &'static str, default: T, read: impl Fn(&DeValue) -> Read<T>) -> T {
        self.get(key, read).unwrap_or(default)
    }

    /// The option's value; its absence is noted. `example` says what to write.
    pub fn required<T>(
        &self,
        key: &'static str,
        example: &str,
        read: impl Fn(&DeValue) -> Read<T>,
    ) -> Option<T> {
        if self.find(key).is_none() {
            self.refuse(key, "is missing", format!("write {key} = {example}"));
        }
        self.get(key, read)
    }

    /// A table in this one. Left out, it is as if it were empty.
    pub fn section(&self, key: &'static str) -> Section<'a> {
        self.asked.borrow_mut().push(key);
        let found = self.find(key);
        let table = found.and_then(|(_, value)| value.get_ref().as_table());
        if let (Some((_, value)), None) = (found, table) {
            self.wrong(key, value, Wrong::rule(format!("must be a table: [{}]", self.key(key))));
        }
        let span = found.map_or(self.span.clone(), |(name, _)| name.span());
        Section::at(self.file, self.problems, self.key(key), span, table)
    }

    /// The tables of a list, `[[key]]`.
    pub fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        self.asked.borrow_mut().push(key);
        let Some((_, value)) = self.find(key) else { return Vec::new() };
        let Some(members) = value.get_ref().as_array() else {
            self.wrong(key, value, Wrong::rule(format!("must be a list of tables: [[{}]]", self.key(key))));
            return Vec::new();
        };
        let section = |(i, member): (usize, &'a Spanned<DeValue<'a>>)| {
            let path = format!("{}[{i}]", self.key(key));
            let table = member.get_ref().as_table();
            if table.is_none() {
                let spot = Spot { file: self.file.clone(), span: member.span(), key: path.clone() };
                self.problems.add(Problem::with_value(Severity::Error, spot, "must be a table"));
            }
            Section::at(self.file, self.problems, path, member.span(), table)
        };
        members.iter().enumerate().map(section).collect()
    }

    /// Every key with its value, for tables whose keys are not ours. Nothing in it is unknown any more.
    pub fn all(&self) -> Vec<(&'a str, &'a Spanned<DeValue<'a>>)> {
        self.table.into_iter().flatten().map(|(key, value)| (key.get_ref().as_ref(), value)).collect()
    }

    /// Notes every option that nobody asked for.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        for (key, value) in self.table.into_iter().flatten() {
            let name = key.get_ref().as_ref();
            if asked.contains(&name) {
                continue;
            }
            let path = self.key(name);
            let spot = Spot {
                file: self.file.clone(),
                span: key.span().start..value.span().end.max(key.span().end),
                key: path,
            };
            let hint = nearest(name, &asked).map_or_else(
                || format!("known here: {}", asked.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            let problem = Problem::new(Severity::Error, spot, "no such option").hint(hint);
            self.problems.add(problem);
        }
    }

    fn find(&self, key: &str) -> Option<(&'a Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>)> {
        self.table?.iter().find(|(name, _)| name.get_ref() == key)
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue>, wrong: Wrong) {
        let span = wrong.span.unwrap_or_else(|| value.span());
        let spot = Spot { file: self.file.clone(), span, key: self.key(key) };
        self.problems.add(Problem::with_value(Severity::Error, spot, wrong.rule).hint(wrong.hint));
    }
}
