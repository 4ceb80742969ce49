//! `shiftpulse source`: what a person says about a source, as a control fact that the engine answers.

use super::config::{self, Config};
use super::remote::{self, Access};
use crate::engine::record::{Control, ControlKind};
use crate::io::control::{self, Answer};
use crate::io::log::clock::WallClock;
use crate::io::log::{AppendClock, Domain};
use anyhow::bail;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The engine is given so long to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Says that a back-fill is complete, or that lost events will not come any more
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", default_value = "shiftpulse.toml")]
    config: PathBuf,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// A source with `backfill = true` has delivered all it had
    ///
    /// It no longer holds back the end of a month. Months that are over and have had their grace are cut at once, so close
    /// it when its last event was acknowledged (HTTP) or when /api/v1/clock shows it caught up. It stays closed.
    Close {
        /// The source as /api/v1/clock names it: the topic, `$http`, `$file` or `$file/NAME`
        topic: String,
    },
    /// Positions of a source are lost for good: a month no longer waits for them
    AcceptGap {
        /// The source as /api/v1/clock names it
        topic: String,
        /// Its partition
        #[arg(long, default_value_t = 0)]
        partition: i32,
        /// First lost position
        #[arg(long)]
        from: i64,
        /// Position after the last lost one
        #[arg(long)]
        to: i64,
    },
}

/// Says it and waits for the answer.
///
/// # Errors
/// The configuration is refused, there is no such source, the log cannot be reached, or the engine rejects it.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = config::load(&args.config)?.config;
    let kind = match args.act {
        Act::Close { topic } => ControlKind::SourceClosed { topic },
        Act::AcceptGap { topic, partition, from, to } => {
            ControlKind::GapAccepted { topic, partition, from, to }
        }
    };
    let sources = super::definitions::build(&config).sources;
    control::check(&kind, &sources).map_err(|reason| anyhow::anyhow!(reason))?;
    println!("{}", said(&config, kind)?);
    Ok(ExitCode::SUCCESS)
}

fn said(config: &Config, kind: ControlKind) -> anyhow::Result<&'static str> {
    const WAITING: &str = "it is in the log, and holds as soon as a service runs on it";
    let log = match remote::access(config)? {
        Access::Log(log) => log,
        Access::Service(remote) => {
            let answer = remote.post("/api/v1/control", &kind)?;
            return Ok(if answer["answer"] == "accepted" { "accepted" } else { WAITING });
        }
    };
    let alone = config.log == config::LogKind::Embedded;
    let control = Control { id: format!("{}|{}", kind.text(), WallClock.now_ms()), kind };
    let patience = if alone { Duration::ZERO } else { PATIENCE };
    match control::submit(&*log, Domain(0), &control, patience).map_err(|reason| anyhow::anyhow!(reason))? {
        Answer::Accepted => Ok("accepted"),
        Answer::Rejected(reason) => bail!(reason),
        Answer::Waiting => Ok(WAITING),
    }
}
