//! What is wrong with the configuration: every problem at once, each with file, line, key, value, rule and hint.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Whether the configuration can be used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It is refused.
    Error,
    /// It is taken; somebody should look at it.
    Warning,
}

/// The text of one file, with the name that problems call it by.
pub type File = Arc<NamedSource<String>>;

/// A place in a file: an option and its value.
#[derive(Debug, Clone)]
pub struct Spot {
    /// The file.
    pub file: File,
    /// Bytes of the value, or of whatever stands for it.
    pub span: Range<usize>,
    /// Path of the option, such as `kafka.brokers` or `queues[2].within`.
    pub key: String,
}

impl Spot {
    /// Line and column from 1; the column counts characters.
    pub fn line(&self) -> (usize, usize) {
        let before = self.file.inner().get(..self.span.start).unwrap_or_default();
        let line = before.rfind('\n').map_or(before, |at| &before[at + 1..]);
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    /// The text there, cut short to one line.
    fn excerpt(&self) -> String {
        let text = self.file.inner().get(self.span.clone()).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        let short: String = line.chars().take(60).collect();
        if short.len() < text.trim_end().len() { format!("{short} ...") } else { short }
    }
}

/// One problem.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Whether it stops the product.
    pub severity: Severity,
    /// Where.
    pub spot: Spot,
    /// The value as written; empty where the problem is not about a value.
    pub value: String,
    /// What the value must be, or what is wrong.
    pub rule: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with the value at `spot`.
    pub fn with_value(severity: Severity, spot: Spot, rule: impl Into<String>) -> Problem {
        let value = spot.excerpt();
        Problem { severity, spot, value, rule: rule.into(), hint: None }
    }

    /// A problem at `spot` that is not about the text there.
    pub fn new(severity: Severity, spot: Spot, rule: impl Into<String>) -> Problem {
        Problem { severity, spot, value: String::new(), rule: rule.into(), hint: None }
    }

    /// With a hint, if there is one.
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Problem {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.spot.key.as_str(), self.value.as_str()) {
            ("", _) => write!(f, "{}", self.rule),
            (key, "") => write!(f, "{key}: {}", self.rule),
            (key, value) => write!(f, "{key} = {value}: {}", self.rule),
        }
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        self.hint.as_ref().map(|hint| Box::new(hint) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.spot.file.inner().is_empty()).then_some(&*self.spot.file as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let first_line = self.spot.file.inner().get(self.spot.span.clone())?.lines().next()?.len();
        let span = self.spot.span.start..self.spot.span.start + first_line;
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

/// Everything that was found in a set of files.
#[derive(Debug, Clone, Default)]
pub struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    /// Takes note of one.
    pub fn add(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    /// All of them, by file in the order of loading, then by line.
    pub fn into_list(self) -> Vec<Problem> {
        let mut list = self.0.into_inner();
        let mut files: Vec<String> = Vec::new();
        for problem in &list {
            let name = problem.spot.file.name();
            if !files.iter().any(|known| known == name) {
                files.push(name.to_owned());
            }
        }
        let place = |p: &Problem| files.iter().position(|name| name == p.spot.file.name());
        list.sort_by_key(|p| (place(p), p.spot.span.start));
        list
    }
}

/// The configuration is refused. `Display` shows every problem with its excerpt.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the configuration is refused\n{}", render(.0, Style::Plain))]
pub struct Refused(pub Vec<Problem>);

/// How problems are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For files and pipes.
    Plain,
    /// For terminals.
    Coloured,
}

/// All problems as text, one below the other, each with its excerpt.
pub fn render(problems: &[Problem], style: Style) -> String {
    let theme = match style {
        Style::Plain => GraphicalTheme::unicode_nocolor(),
        Style::Coloured => GraphicalTheme::unicode(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(120).with_context_lines(1);
    let mut text = String::new();
    for problem in problems {
        // Writing to a string does not fail.
        handler.render_report(&mut text, problem).ok();
    }
    text
}

/// One problem for programs.
#[derive(Debug, serde::Serialize)]
pub struct ProblemDocument {
    severity: Severity,
    file: String,
    line: usize,
    column: usize,
    key: String,
    value: String,
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl From<&Problem> for ProblemDocument {
    fn from(problem: &Problem) -> Self {
        let (line, column) = problem.spot.line();
        ProblemDocument {
            severity: problem.severity,
            file: problem.spot.file.name().to_owned(),
            line,
            column,
            key: problem.spot.key.clone(),
            value: problem.value.clone(),
            rule: problem.rule.clone(),
            hint: problem.hint.clone(),
        }
    }
}
