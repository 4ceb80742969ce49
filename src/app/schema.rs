//! `shiftpulse schema`: the JSON Schemas of events and outputs.

use std::io::Write;
use std::process::ExitCode;

use crate::wire::schema;

/// What to print.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which one: event, kpi-live, scores-live, alerts, ledger, dead-letters [default: their names]
    name: Option<String>,
}

/// Prints one schema, or the names of all.
///
/// # Errors
/// An unknown name; a closed output.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let all = schema::all();
    let names = || all.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let printed = match args.name {
        None => names().join("\n") + "\n",
        Some(wanted) => match all.iter().find(|(name, _)| *name == wanted) {
            Some((_, schema)) => schema::text(schema),
            None => anyhow::bail!("no schema {wanted:?}; there are {}", names().join(", ")),
        },
    };
    std::io::stdout().write_all(printed.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
