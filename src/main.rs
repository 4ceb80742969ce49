//! The command line: flags to `app`, nothing else.

use clap::Parser;
use shiftpulse::{app, io::telemetry};
use std::process::ExitCode;

/// Real-time contact-center metrics: live KPIs, alerts, and the monthly scores people are paid by
///
/// Events come in from Kafka, HTTP or a file; values go out to /metrics, a board, an API and Kafka topics.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 110, after_help = EXIT_CODES)]
struct Cli {
    /// What to log: error, warn, info, debug, trace, or directives such as "info,shiftpulse::io=debug"
    /// [default: the variable RUST_LOG, else info]
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<String>,
    #[command(subcommand)]
    command: app::Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done and nothing wrong, 1 failed or a problem was found, 2 wrong command line.";

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done =
        telemetry::start(cli.log.as_deref()).map_err(anyhow::Error::from).and_then(|()| cli.command.run());
    done.unwrap_or_else(|error| {
        eprintln!("shiftpulse: {error:#}");
        ExitCode::FAILURE
    })
}
