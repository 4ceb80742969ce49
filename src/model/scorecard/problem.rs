//! What is wrong with a card's file: every problem at once, each with line, excerpt, rule and remedy.

use miette::{Diagnostic, LabeledSpan, NamedSource, Severity, SourceCode};
use std::fmt;
use std::ops::Range;

/// One problem of a file. Every problem stops the load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Name of the check: `unknown`, `unit`, `weights_total`, `band_gap`, ...
    pub check: &'static str,
    /// What is wrong, with the value.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// Where: bytes of the file.
    pub span: Range<usize>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code(&self) -> Option<Box<dyn fmt::Display + '_>> {
        Some(Box::new(format!("E {}", self.check)))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        Some(Box::new(&self.remedy))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::underline(self.span.clone()))))
    }
}

/// Everything that is wrong with one file. Shown plainly by `Display`, with coloured excerpts by miette.
#[derive(Debug)]
pub struct Problems {
    source: NamedSource<String>,
    list: Vec<Problem>,
}

impl Problems {
    /// The problems found in `text`, a file called `name`; in the order of the file.
    pub(super) fn new(name: &str, text: &str, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| problem.span.start);
        Self { source: NamedSource::new(name, text.to_string()).with_language("toml"), list }
    }

    /// Each problem, in the order of the file.
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// Each problem with its text, in the order of the file.
    pub fn located(&self) -> impl Iterator<Item = Located<'_>> {
        self.list.iter().map(|problem| Located { problem, source: &self.source })
    }

    /// Line of a problem, from 1.
    pub fn line(&self, problem: &Problem) -> usize {
        let before = self.source.inner().get(..problem.span.start).unwrap_or("");
        before.matches('\n').count() + 1
    }
}

/// A problem together with the text it stands in: what miette draws alone.
#[derive(Debug)]
pub struct Located<'a> {
    problem: &'a Problem,
    source: &'a NamedSource<String>,
}

impl fmt::Display for Located<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for Located<'_> {}

impl Diagnostic for Located<'_> {
    fn code(&self) -> Option<Box<dyn fmt::Display + '_>> {
        self.problem.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.problem.severity()
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        self.problem.help()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.problem.labels()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.list.iter().enumerate() {
            let line = self.line(problem);
            let excerpt = self.source.inner().lines().nth(line - 1).unwrap_or("").trim();
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{}:{line}: E {}: {}", self.source.name(), problem.check, problem.message)?;
            write!(f, "\n  | {excerpt}\n  = {}", problem.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Diagnostic for Problems {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.list.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}
