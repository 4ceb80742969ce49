//! The legs: what each measures, how it is run in a process of its own, and what it says.

use super::months::{self, Months};
use super::{Args, bare, engine, latency, product, usage};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// One part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Leg {
    /// A consumer that only polls and parses.
    Bare,
    /// The service's pieces with exactly-once on.
    Product,
    /// `handle()` alone on decoded facts.
    Engine,
    /// Delays at a fixed rate.
    Latency,
}

impl Leg {
    /// All of them, in the order in which they are run.
    pub const ALL: [Leg; 4] = [Leg::Bare, Leg::Product, Leg::Engine, Leg::Latency];
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Leg::Bare => "bare",
            Leg::Product => "product",
            Leg::Engine => "engine",
            Leg::Latency => "latency",
        })
    }
}

/// How fast something was, and what it used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Throughput {
    /// Events.
    pub events: u64,
    /// Seconds by the clock.
    pub wall_s: f64,
    /// CPU-seconds, user and system, of all threads.
    pub cpu_s: f64,
    /// Most memory resident, MB.
    pub peak_mb: u64,
}

impl Throughput {
    /// Of so many events in so long, with this process's memory so far.
    pub fn of(events: u64, wall: Duration, cpu: Duration) -> Result<Self> {
        let (wall_s, cpu_s) = (wall.as_secs_f64(), cpu.as_secs_f64());
        Ok(Self { events, wall_s, cpu_s, peak_mb: usage::peak_mb()? })
    }

    /// Events a second by the clock.
    pub fn rate(&self) -> f64 {
        self.events as f64 / self.wall_s
    }

    /// CPU-seconds for a million events.
    pub fn cpu_per_million(&self) -> f64 {
        self.cpu_s * 1e6 / self.events as f64
    }
}

/// What a leg has measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measured {
    /// See [`Leg::Bare`].
    Bare(Throughput),
    /// See [`Leg::Product`].
    Product(Throughput),
    /// See [`Leg::Engine`].
    Engine(engine::Folded),
    /// See [`Leg::Latency`].
    Latency(latency::Delays),
}

/// Runs a leg in this process: one line of JSON on standard output, the months beside it in a file.
pub fn here(leg: Leg, args: &Args, topic: &str, end: i64) -> Result<()> {
    let (measured, months) = match leg {
        Leg::Bare => (Measured::Bare(bare::run(args, topic)?), None),
        Leg::Product => {
            let (throughput, months) = product::run(args, topic, end)?;
            (Measured::Product(throughput), Some(months))
        }
        Leg::Engine => {
            let (folded, months) = engine::run(args, end)?;
            (Measured::Engine(folded), Some(months))
        }
        Leg::Latency => (Measured::Latency(latency::run(args, topic)?), None),
    };
    if let (Some(path), Some(months)) = (&args.months, months) {
        write(path, &months)?;
    }
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

/// Runs a leg in a process of its own. The months are those that its engine came to, if it has one.
pub fn apart(leg: Leg, args: &Args, topic: &str, end: i64) -> Result<(Measured, Option<Months>)> {
    let folder = std::env::temp_dir().join(format!("{topic}-{leg}.json"));
    let output = Command::new(std::env::current_exe()?)
        .args([
            "--log",
            "warn",
            "bench",
            "--leg",
            &leg.to_string(),
            "--topic",
            topic,
            "--brokers",
            &args.brokers,
        ])
        .args(["--end", &end.to_string(), "--events", &args.events.to_string()])
        .args(["--partitions", &args.partitions.to_string(), "--agents", &args.agents.to_string()])
        .args(["--queues", &args.queues.to_string(), "--seed", &args.seed.to_string()])
        .args(["--rate", &args.rate.to_string(), "--seconds", &args.seconds.to_string()])
        .arg("--months")
        .arg(&folder)
        .stderr(Stdio::inherit())
        .output()
        .context("start it")?;
    let months = read(&folder);
    let _ = std::fs::remove_file(&folder);
    ensure!(output.status.success(), "it ended with {}", output.status);
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().last().context("it said nothing")?;
    Ok((serde_json::from_str(line).with_context(|| format!("it said {line}"))?, months))
}

fn write(path: &Path, months: &Months) -> Result<()> {
    let file = File::create(path).with_context(|| format!("write {}", path.display()))?;
    Ok(serde_json::to_writer(BufWriter::new(file), months)?)
}

fn read(path: &Path) -> Option<months::Months> {
    serde_json::from_reader(BufReader::new(File::open(path).ok()?)).ok()
}
