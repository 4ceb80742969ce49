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

pub mod check;
pub mod config;
pub mod definitions;
pub mod simulate;
pub mod topics;

/// What `shiftpulse` can be asked to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Check a configuration and the files it names; every problem at once
    Check(check::Args),
    /// Write the traffic of a simulated contact centre to a topic or a file, from a seed
    Simulate(simulate::Args),
    /// Check the product's own topics on Kafka, or create them
    Topics(topics::Args),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// What kept it from being done, in sentences for the person at the terminal.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Command::Check(args) => check::run(args),
            Command::Simulate(args) => simulate::run(args),
            Command::Topics(args) => topics::run(args),
        }
    }
}
