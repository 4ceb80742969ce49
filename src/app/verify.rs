//! `shiftpulse verify`: recomputes a period from the log by the independent second path and compares with the ledger.

use super::remote::{self, Access};
use super::scores;
use crate::app::config;
use crate::engine::output::{Ledger, SubjectKind};
use crate::io::log::{Domain, Log, Start, Topic};
use crate::model::kpi::KPIS;
use crate::model::scorecard::{Card, Measured};
use crate::model::units::Fraction;
use crate::recount::Recount;
use crate::wire;
use anyhow::{Context, bail};
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Recomputes a period from the facts up to its cut, by plain loops that share no code with the engine, and compares every
/// measured item of every final.
///
/// Exits with 0 when all agree, with 1 when one does not or the period is not cut.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "shiftpulse.toml")]
    config: PathBuf,
    /// The period
    #[arg(long, value_name = "YYYY-MM")]
    period: String,
}

/// Verifies.
///
/// # Errors
/// The configuration is refused or the log cannot be read.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = config::load(&args.config)?.config;
    let log = match remote::access(&config)? {
        Access::Log(log) => log,
        Access::Service(remote) => bail!(
            "the service at {} has the log open, and this reads every fact: stop the service, verify, start it again",
            remote.base()
        ),
    };
    let mut report = Report::default();
    for domain in (0..log.domains()).map(Domain) {
        verify(&*log, domain, &args.period, &mut report)?;
    }
    println!(
        "{}: {} finals, {} items compared, {} differ",
        args.period,
        report.finals,
        report.items,
        report.differences.len()
    );
    report.differences.iter().for_each(|difference| println!("  {difference}"));
    if report.finals == 0 {
        println!("there is nothing to verify: the period is not cut");
    }
    let good = report.finals > 0 && report.differences.is_empty();
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was compared.
#[derive(Debug, Default)]
pub struct Report {
    /// Finals seen.
    pub finals: usize,
    /// Items compared.
    pub items: usize,
    /// One line for each difference.
    pub differences: Vec<String>,
}

/// Verifies one domain.
///
/// # Errors
/// The log cannot be read.
pub fn verify(log: &dyn Log, domain: Domain, period: &str, report: &mut Report) -> anyhow::Result<()> {
    let lines = scores::ledger(log, domain)?;
    let cut = lines.iter().rev().find_map(|line| match line {
        Ledger::Cut { period: of, revision, offset, .. } if of == period => Some((*revision, *offset)),
        _ => None,
    });
    let Some((revision, offset)) = cut else { return Ok(()) };
    let recount = recount(log, domain, offset)?;
    let cards = recount.definitions().cards.iter().filter_map(|file| Card::parse(&file.id, &file.text).ok());
    let cards: BTreeMap<String, Card> = cards.map(|card| (card.head().id().to_owned(), card)).collect();
    for line in &lines {
        let Ledger::Final { revision: of, score, .. } = line else { continue };
        if score.period != period || *of != revision {
            continue;
        }
        report.finals += 1;
        let counts = recount.month(SubjectKind::Agent, &score.agent, period).unwrap_or_default();
        let Some(card) = cards.get(&score.card) else {
            report
                .differences
                .push(format!("{}: the card {} is not in the definitions", score.agent, score.card));
            continue;
        };
        for item in &score.items {
            let Some(value) = measured(card, &item.id, &counts) else { continue };
            report.items += 1;
            if value.text() != item.value {
                report.differences.push(format!(
                    "{} {}: ledger {}, recount {}",
                    score.agent,
                    item.id,
                    item.value.as_deref().unwrap_or("null"),
                    value.text().as_deref().unwrap_or("null")
                ));
            }
        }
    }
    Ok(())
}

/// Folds the facts up to and with the record at `offset` by the second path.
fn recount(log: &dyn Log, domain: Domain, offset: i64) -> anyhow::Result<Recount> {
    let mut facts = log.tail(Topic::Facts, domain, Start::Beginning)?;
    let mut recount = Recount::new();
    let bar = ProgressBar::new(offset.max(0) as u64);
    loop {
        match facts.poll(Duration::from_millis(200)).context("facts")? {
            Some(record) if record.offset > offset => break,
            Some(record) => {
                recount.push(&wire::record(record.offset, record.append_ms, &record.value));
                bar.set_position(record.offset.max(0) as u64);
            }
            None if facts.caught_up() => break,
            None => {}
        }
    }
    bar.finish_and_clear();
    Ok(recount)
}

/// The value that an item of a card measures, from recounted columns; `None` for marks and groups.
fn measured(card: &Card, item: &str, counts: &BTreeMap<String, i64>) -> Option<Measured> {
    use crate::model::scorecard::{Input, Rule};
    let item = card.items().iter().find(|known| known.id() == item)?;
    let Rule::Value { input: Input::Kpi(name), .. } = item.rule().any()? else { return None };
    let kpi = KPIS.iter().find(|kpi| kpi.name == name && kpi.kinds.contains(&SubjectKind::Agent))?;
    let sum =
        |columns: &[crate::model::measure::Column]| columns.iter().filter_map(|c| counts.get(c.name())).sum();
    Some(Measured::Counts(Fraction::new(sum(kpi.num), sum(kpi.den))))
}
