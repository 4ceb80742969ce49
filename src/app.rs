//! One file for each command, and the wiring between configuration, log, engine and shell.
//!
//! Each command has its `Args` and `run(args)`. Threads and tasks are spawned here and nowhere below; the process exits in
//! `main` alone.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done, nothing wrong |
//! | 1 | it failed, or it found what it was asked to look for (a problem in a configuration, a wrong topic) |
//! | 2 | the command line is wrong |

use std::process::ExitCode;

pub mod bench;
pub mod check;
pub mod config;
pub mod definitions;
pub mod demo;
pub mod remote;
pub mod run;
pub mod schema;
pub mod scorecard;
pub mod scores;
pub mod simulate;
pub mod source;
pub mod topics;
pub mod verify;

/// What `shiftpulse` can be asked to do.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one in a process")]
pub enum Command {
    /// Show the whole product on simulated traffic, in one process, with nothing to set up
    Demo(demo::Args),
    /// Run the service
    Run(run::Args),
    /// Show the final scores of a period: what payroll reads
    Scores(scores::Args),
    /// Recompute a period by an independent path and compare it with the ledger
    Verify(verify::Args),
    /// Say that a back-fill is complete, or that lost events will not come any more
    Source(source::Args),
    /// Check a configuration and the files it names; every problem at once
    ///
    /// Reads the configuration, the roster, the alert rules and the scorecards (whose examples are computed), and shows
    /// every problem with its key, value, rule and hint. Exits with 0 when the product would start with it (there may be
    /// warnings), with 1 when it would not.
    Check(check::Args),
    /// Write the traffic of a simulated contact centre to a topic or a file, from a seed
    Simulate(simulate::Args),
    /// Test scorecards, or show their arithmetic
    Scorecard(scorecard::Args),
    /// Print the JSON Schemas of events and outputs
    Schema(schema::Args),
    /// Check the product's own topics on Kafka, or create them
    ///
    /// Compares them with what they must be, says how to put right what is wrong, and looks at the topics that events are
    /// read from. Exits with 0 when the service would start on them, with 1 when it would not.
    Topics(topics::Args),
    /// Measure throughput, memory and delay beside a broker, and compare every agent's month with the truth
    ///
    /// Fills a topic with simulated events, reads it once with a bare consumer that only parses and once with the product,
    /// folds the same facts by the engine alone, and measures delays at a fixed rate. Exits with 1 when a number is wrong; a
    /// bar that is not reached is shown and does not fail the run.
    Bench(bench::Args),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// What kept it from being done, in sentences for the person at the terminal.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Command::Demo(args) => demo::run(args),
            Command::Run(args) => run::run(args),
            Command::Scores(args) => scores::run(args),
            Command::Verify(args) => verify::run(args),
            Command::Source(args) => source::run(args),
            Command::Check(args) => check::run(args),
            Command::Simulate(args) => simulate::run(args),
            Command::Scorecard(args) => scorecard::run(args),
            Command::Schema(args) => schema::run(args),
            Command::Topics(args) => topics::run(args),
            Command::Bench(args) => bench::run(args),
        }
    }
}
