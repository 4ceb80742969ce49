//! `shiftpulse check`: is this configuration right? Every problem at once, with key, value, rule and hint.

use super::config::problem::{ProblemDocument, render};
use super::config::{self, Config, Problem, Severity, Style};
use super::definitions;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to check, and for whom.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "shiftpulse.toml")]
    config: PathBuf,
    /// For programs: one JSON document on standard output
    #[arg(long)]
    json: bool,
}

/// Checks.
///
/// # Errors
/// None: what is wrong is the result.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (config, problems) = match config::load(&args.config) {
        Ok(loaded) => (Some(loaded.config), loaded.warnings),
        Err(refused) => (None, refused.0),
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&Report::new(config.as_ref(), &problems))?);
    } else {
        print!("{}", render(&problems, style()));
        println!("{}", verdict(&args, config.as_ref(), &problems));
    }
    Ok(if config.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Colours where somebody looks.
pub(super) fn style() -> Style {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if std::io::stdout().is_terminal() && !plain { Style::Coloured } else { Style::Plain }
}

fn verdict(args: &Args, config: Option<&Config>, problems: &[Problem]) -> String {
    let file = args.config.display();
    let (errors, warnings) = (count(problems, Severity::Error), count(problems, Severity::Warning));
    match config {
        None => format!("{file}: refused, {} and {}", number(errors, "error"), number(warnings, "warning")),
        Some(config) => {
            let suffix =
                if warnings == 0 { String::new() } else { format!(", {}", number(warnings, "warning")) };
            format!("{file}: good{suffix}\n{}", summary(config))
        }
    }
}

fn summary(config: &Config) -> String {
    let parts = [
        number(config.queues.len(), "queue"),
        number(config.teams.len(), "team"),
        number(config.people.len(), "roster entry"),
        number(config.sources.len(), "source"),
        number(config.alerts.len(), "alert rule"),
        number(config.cards.len(), "scorecard"),
    ];
    format!("{}\ndefinitions {}", parts.join(", "), definitions::build(config).hash())
}

fn number(count: usize, what: &str) -> String {
    match (count, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {what}s"),
    }
}

fn count(problems: &[Problem], severity: Severity) -> usize {
    problems.iter().filter(|problem| problem.severity == severity).count()
}

#[derive(serde::Serialize)]
struct Report {
    /// Whether the product would start with it.
    ok: bool,
    errors: usize,
    warnings: usize,
    problems: Vec<ProblemDocument>,
    /// SHA-256 of the definitions that it gives; absent when it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    definitions: Option<String>,
}

impl Report {
    fn new(config: Option<&Config>, problems: &[Problem]) -> Report {
        Report {
            ok: config.is_some(),
            errors: count(problems, Severity::Error),
            warnings: count(problems, Severity::Warning),
            problems: problems.iter().map(ProblemDocument::from).collect(),
            definitions: config.map(|config| definitions::build(config).hash()),
        }
    }
}
