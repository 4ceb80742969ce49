//! `shiftpulse bench`: measures this machine beside a real broker, and holds every number against the truth.
//!
//! ```text
//! fill ─▶ topic of N events ─▶ bare     polls and parses, nothing else        ┐ each a process of its own,
//!   └── truth of every agent ─▶ product  the service's own pieces, exactly once ├ one after the other, so that
//!            month              engine   handle() alone on decoded facts        │ memory and CPU are its own
//!                               latency  an open loop at a fixed rate           ┘
//! ```
//!
//! A machine is not as fast now as an hour ago: read the ratios, which are taken within one run.

mod bare;
mod engine;
mod fill;
mod latency;
mod legs;
mod months;
mod product;
mod report;
mod scene;
mod topic;
mod usage;

use anyhow::{Context, Result, ensure};
use legs::Leg;
use report::Report;
use scene::Scene;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to measure, and beside which broker.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Kafka brokers, `host:port` with commas; `make bench` starts one and names it here
    #[arg(long, default_value = "127.0.0.1:9092")]
    brokers: String,
    /// Simulated events, repeats included
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// Partitions of the topic; events are not keyed by contact
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    partitions: i32,
    /// Size of the simulated centre
    #[arg(long, default_value_t = 10_000)]
    agents: usize,
    /// Queues of the simulated centre
    #[arg(long, default_value_t = 20)]
    queues: usize,
    /// Seed: the same options give the same events
    #[arg(long, default_value_t = 7041)]
    seed: u64,
    /// Events per second of the latency leg
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    rate: u64,
    /// Length of the latency leg after its warm-up
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Which legs to run, in this order
    #[arg(long, value_delimiter = ',', default_values_t = Leg::ALL)]
    only: Vec<Leg>,
    /// Write everything that was measured as JSON to standard output, in place of the table
    #[arg(long)]
    json: bool,
    /// Run one leg in this process: how the bench calls itself
    #[arg(long, hide = true, requires = "topic", requires = "end")]
    leg: Option<Leg>,
    /// Topic of the events
    #[arg(long, hide = true)]
    topic: Option<String>,
    /// Moment before which everything happens, ms since the epoch
    #[arg(long, hide = true)]
    end: Option<i64>,
    /// Where a leg writes the months it came to
    #[arg(long, hide = true)]
    months: Option<PathBuf>,
}

/// Runs the bench, or one leg of it.
///
/// # Errors
/// The broker does not answer, or a leg does not come to its end.
pub fn run(args: Args) -> Result<ExitCode> {
    match (args.leg, &args.topic, args.end) {
        (Some(leg), Some(topic), Some(end)) => legs::here(leg, &args, topic, end).map(|()| ExitCode::SUCCESS),
        _ => all(&args),
    }
}

/// Every leg that was asked for, the comparison with the truth, and the table.
fn all(args: &Args) -> Result<ExitCode> {
    ensure!((1..=1_000_000).contains(&args.agents), "--agents {}: from 1 to 1000000", args.agents);
    let end = usage::wall_ms();
    let topic = format!("shiftpulse-bench-{}-{end}", std::process::id());
    let scene = Scene::past(args, args.events, end);
    let on_broker = args.only.iter().any(|leg| matches!(leg, Leg::Bare | Leg::Product));
    let filled = fill::fill(&scene, on_broker.then_some((args.brokers.as_str(), topic.as_str())))?;
    let mut report = Report::new(args, &filled);
    let done = args.only.iter().try_for_each(|leg| {
        eprintln!("  {leg} ...");
        let measured = legs::apart(*leg, args, &topic, end).with_context(|| format!("the leg {leg}"))?;
        report.take(*leg, measured, &filled.months);
        Ok(())
    });
    topic::forget(&args.brokers, &topic);
    done.map(|()| report.show(args.json))
}
