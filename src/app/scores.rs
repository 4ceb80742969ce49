//! `shiftpulse scores`: the finals of a period from the ledger, as a table or as JSON. What payroll reads.

use crate::app::config;
use crate::app::remote::{self, Access, Remote};
use crate::engine::output::{Ledger, Output, Score};
use crate::io::log::{Domain, Log, Start, Topic};
use crate::wire::results::{self, Class};
use anyhow::Context;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, Table};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Shows the final scores of a period from the ledger.
///
/// Exits with 0 when the newest revision of the period is audited, with 1 when it is not (or there is none yet).
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "shiftpulse.toml")]
    config: PathBuf,
    /// The period
    #[arg(long, value_name = "YYYY-MM")]
    period: String,
    /// Only this agent, with the arithmetic of each item
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// For programs: one JSON document on standard output
    #[arg(long)]
    json: bool,
}

/// What the ledger says about one period: its newest revision.
#[derive(Debug, Default, Serialize)]
pub struct Period {
    /// Such as `2026-10`.
    pub period: String,
    /// Newest revision that was cut; absent before the first cut.
    pub revision: Option<u32>,
    /// Whether the auditor has found every line of it.
    pub audited: bool,
    /// Its digest, once audited.
    pub digest: Option<String>,
    /// Inputs that were due and missing at the cut.
    pub missing: Vec<String>,
    /// Agents with facts who are not on the roster.
    pub unlisted: Vec<String>,
    /// How many finals the cut announces.
    pub announced: u32,
    /// The finals by agent and card.
    pub finals: Vec<Score>,
}

/// Shows.
///
/// # Errors
/// The configuration is refused or the log cannot be read.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = config::load(&args.config)?.config;
    let mut period = match remote::access(&config)? {
        Access::Log(log) => read(&*log, &args.period)?,
        Access::Service(remote) => newest(&args.period, lines(&remote, &args.period)?),
    };
    if let Some(agent) = &args.agent {
        period.finals.retain(|score| score.agent == *agent);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&period)?);
    } else if args.agent.is_some() {
        period.finals.iter().for_each(explain);
    } else {
        show(&period);
    }
    Ok(if period.audited { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads the newest revision of a period from the ledger of every domain.
///
/// # Errors
/// The log cannot be read.
pub fn read(log: &dyn Log, period: &str) -> anyhow::Result<Period> {
    let mut lines = Vec::new();
    for domain in (0..log.domains()).map(Domain) {
        lines.extend(ledger(log, domain)?);
    }
    Ok(newest(period, lines))
}

/// A ledger line as the API shows it.
#[derive(serde::Deserialize)]
struct Shown {
    line: Ledger,
}

/// The lines of a period in the order of the ledger, from a running service.
fn lines(remote: &Remote, period: &str) -> anyhow::Result<Vec<Ledger>> {
    let shown: Vec<Shown> = remote.get(&format!("/api/v1/ledger?period={period}&limit=1000000"))?;
    Ok(shown.into_iter().rev().map(|shown| shown.line).collect())
}

/// What the lines say about the newest revision.
fn newest(period: &str, lines: Vec<Ledger>) -> Period {
    let mut found = Period { period: period.to_owned(), ..Period::default() };
    let mut finals: BTreeMap<(u32, String, String), Score> = BTreeMap::new();
    let mut audits: BTreeMap<u32, String> = BTreeMap::new();
    for line in lines {
        match line {
            Ledger::Cut { period: of, revision, missing, unlisted, finals, .. }
                if of == period && found.revision.is_none_or(|known| known <= revision) =>
            {
                found.revision = Some(revision);
                (found.missing, found.unlisted, found.announced) = (missing, unlisted, finals);
            }
            Ledger::Final { revision, score, .. } if score.period == period => {
                finals.insert((revision, score.agent.clone(), score.card.clone()), score);
            }
            Ledger::Audited { period: of, revision, digest } if of == period => {
                audits.insert(revision, digest);
            }
            _ => {}
        }
    }
    let newest = found.revision;
    found.finals = finals
        .into_iter()
        .filter(|((revision, _, _), _)| Some(*revision) == newest)
        .map(|(_, score)| score)
        .collect();
    found.digest = newest.and_then(|revision| audits.remove(&revision));
    found.audited = found.digest.is_some();
    found
}

/// Every line of a domain's ledger, in order.
///
/// # Errors
/// The log cannot be read, or a line is not what this build writes.
pub fn ledger(log: &dyn Log, domain: Domain) -> anyhow::Result<Vec<Ledger>> {
    let mut reader = log.tail(Topic::Ledger, domain, Start::Beginning)?;
    let mut lines = Vec::new();
    loop {
        match reader.poll(Duration::from_millis(200))? {
            Some(record) => {
                let key = String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned();
                let read = results::output(Class::Ledger, &key, &record.value);
                if let Output::Ledger(line) =
                    read.with_context(|| format!("ledger offset {}", record.offset))?
                {
                    lines.push(line);
                }
            }
            None if reader.caught_up() => return Ok(lines),
            None => {}
        }
    }
}

fn show(period: &Period) {
    let Some(revision) = period.revision else {
        println!(
            "{}: not cut yet. Its finals appear here when its last fact, its grace and its inputs are in.",
            period.period
        );
        return;
    };
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    table.set_header(["agent", "card", "total", "grade", "items"]);
    for score in &period.finals {
        let items = score.items.iter().map(|item| {
            let points = item.points_shown.clone().unwrap_or_else(|| format!("— {}", item.state));
            format!("{} {points}", item.id)
        });
        table.add_row([
            Cell::new(&score.agent),
            Cell::new(&score.card),
            Cell::new(score.total_shown.as_deref().unwrap_or("—")).set_alignment(CellAlignment::Right),
            Cell::new(score.grade.as_deref().unwrap_or("—")),
            Cell::new(items.collect::<Vec<_>>().join(" · ")),
        ]);
    }
    println!("{table}");
    println!("{} revision {revision}: {} of {} finals", period.period, period.finals.len(), period.announced);
    match &period.digest {
        Some(digest) => println!("audited, digest {digest}"),
        None => println!("NOT audited yet: do not pay from it"),
    }
    period.missing.iter().for_each(|input| println!("missing at the cut: {input}"));
    period.unlisted.iter().for_each(|agent| println!("has facts but is not on the roster: {agent}"));
}

/// One person's arithmetic, item by item.
fn explain(score: &Score) {
    println!("{} · {} · {}", score.agent, score.period, score.card);
    for item in &score.items {
        println!("  {:<14} {:>10}  {}", item.id, item.points_shown.as_deref().unwrap_or("—"), item.why_en);
        println!("  {:<14} {:>10}  {}", "", "", item.why_zh);
    }
    let total = score.total_shown.as_deref().unwrap_or("—");
    println!("  {:<14} {total:>10}  {} {}", "total", score.grade.as_deref().unwrap_or(""), score.why_en);
}
