//! What the product says about itself while it runs: lines on standard error, so that standard output stays for results.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Applies unless something else is asked for.
const DEFAULT: &str = "info";

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level or the directives are wrong.
    #[error(
        "--log {given:?}: {reason}; write error, warn, info, debug or trace, or TARGET=LEVEL with commas"
    )]
    Level {
        /// As given.
        given: String,
        /// Why.
        reason: String,
    },
}

impl TelemetryError {
    fn wrong(given: String, error: &ParseError) -> TelemetryError {
        TelemetryError::Level { given, reason: error.to_string() }
    }
}

/// Logs what `directives` select from here on; `None`: what `RUST_LOG` selects, else `info` and above.
///
/// A second call changes nothing.
///
/// # Errors
/// The directives are wrong.
pub fn start(directives: Option<&str>) -> Result<(), TelemetryError> {
    let from_environment = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|text| !text.trim().is_empty());
    let text = directives.map(str::to_owned).or(from_environment).unwrap_or_else(|| DEFAULT.to_owned());
    let filter = EnvFilter::try_new(&text).map_err(|error| TelemetryError::wrong(text, &error))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Only a second call fails, and the first one holds.
    lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).compact().try_init().ok();
    Ok(())
}
