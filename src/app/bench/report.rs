//! What was measured, beside the bars that the product sets itself.

use super::fill::Filled;
use super::legs::{Leg, Measured, Throughput};
use super::months::{self, Months};
use super::{Args, engine, latency};
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use std::process::ExitCode;

/// Differences that are printed; all of them are in the JSON.
const SHOWN: usize = 20;

/// Everything that a run has found.
#[derive(Debug, Serialize)]
pub struct Report {
    events: u64,
    bytes: u64,
    agents: usize,
    partitions: i32,
    /// Simulated time that the events span, ms.
    span_ms: i64,
    /// Agents' months that were compared.
    months: usize,
    bare: Option<Throughput>,
    product: Option<Throughput>,
    engine: Option<engine::Folded>,
    latency: Option<latency::Delays>,
    figures: Vec<Figure>,
    /// Agents' months that are not the truth, with the leg that found them so.
    differences: Vec<String>,
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
struct Figure {
    what: &'static str,
    value: f64,
    unit: &'static str,
    /// At least, or at most; absent where it is only told.
    #[serde(skip_serializing_if = "Option::is_none")]
    bar: Option<Bar>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<bool>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Bar {
    AtLeast(f64),
    AtMost(f64),
}

impl Bar {
    fn is_reached(self, value: f64) -> bool {
        match self {
            Bar::AtLeast(bar) => value >= bar,
            Bar::AtMost(bar) => value <= bar,
        }
    }
}

impl Report {
    /// Nothing is measured yet.
    pub fn new(args: &Args, filled: &Filled) -> Self {
        Self {
            events: filled.events,
            bytes: filled.bytes,
            agents: args.agents,
            partitions: args.partitions,
            span_ms: filled.span_ms,
            months: filled.months.values().map(|agents| agents.len()).sum(),
            bare: None,
            product: None,
            engine: None,
            latency: None,
            figures: Vec::new(),
            differences: Vec::new(),
        }
    }

    /// Takes what a leg has measured, and holds its months against the truth.
    pub fn take(&mut self, leg: Leg, (measured, months): (Measured, Option<Months>), truth: &Months) {
        match measured {
            Measured::Bare(found) => self.bare = Some(found),
            Measured::Product(found) => self.product = Some(found),
            Measured::Engine(found) => self.engine = Some(found),
            Measured::Latency(found) => {
                self.differences.extend(found.differences.iter().map(|line| format!("{leg}: {line}")));
                self.latency = Some(found);
            }
        }
        if matches!(leg, Leg::Product | Leg::Engine) {
            let found = months::differences(truth, &months.unwrap_or_default());
            self.differences.extend(found.into_iter().map(|line| format!("{leg}: {line}")));
        }
    }

    /// Prints it. Fails when a number was wrong.
    pub fn show(mut self, json: bool) -> ExitCode {
        self.figures = self.all_figures();
        if json {
            println!("{}", serde_json::to_string_pretty(&self).unwrap_or_default());
        } else {
            println!("{}", self.text());
        }
        if self.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn all_figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        let mut tell = |what, value: f64, unit, bar: Option<Bar>| {
            figures.push(Figure { what, value, unit, bar, reached: bar.map(|bar| bar.is_reached(value)) });
        };
        use Bar::{AtLeast, AtMost};
        if let Some(bare) = &self.bare {
            tell("bare: rate", bare.rate() / 1e3, "k/s", None);
            tell("bare: CPU for a million", bare.cpu_per_million(), "s", None);
            tell("bare: peak memory", bare.peak_mb as f64, "MB", None);
        }
        if let Some(product) = &self.product {
            tell("product: rate", product.rate() / 1e3, "k/s", None);
            tell("product: CPU for a million", product.cpu_per_million(), "s", None);
            tell("product: peak memory", product.peak_mb as f64, "MB", None);
        }
        if let (Some(bare), Some(product)) = (&self.bare, &self.product) {
            let cpu = product.cpu_per_million() / bare.cpu_per_million();
            tell("product / bare: CPU", cpu, "x", Some(AtMost(2.0)));
            tell("product / bare: rate", product.rate() / bare.rate(), "x", Some(AtLeast(0.7)));
        }
        if let Some(engine) = &self.engine {
            let rate = |t: &Throughput| 1.0 / t.cpu_per_million();
            tell("engine, ordered: facts for a CPU-second", rate(&engine.ordered), "M", Some(AtLeast(3.0)));
            tell("engine, catch-up: facts for a CPU-second", rate(&engine.catch_up), "M", Some(AtLeast(1.5)));
            tell("engine, catch-up: peak memory", engine.catch_up.peak_mb as f64, "MB", None);
        }
        if let Some(delays) = &self.latency {
            tell("latency: sent", delays.sent_rate / 1e3, "k/s", Some(AtLeast(delays.rate as f64 * 0.99e-3)));
            tell("to the live view: p50", delays.view.p50_ms, "ms", None);
            tell("to the live view: p99", delays.view.p99_ms, "ms", Some(AtMost(50.0)));
            tell("to the live view: p99.9", delays.view.p999_ms, "ms", Some(AtMost(250.0)));
            tell("to kpi-live: p50", delays.kpi_live.p50_ms, "ms", None);
            tell("to kpi-live: p99", delays.kpi_live.p99_ms, "ms", Some(AtMost(150.0)));
            tell("to kpi-live: p99.9", delays.kpi_live.p999_ms, "ms", None);
            tell("commit: p50", delays.commit_ms.0, "ms", Some(AtMost(15.0)));
            tell("commit: p99", delays.commit_ms.1, "ms", None);
        }
        tell("agents' months that are wrong", self.differences.len() as f64, "", Some(AtMost(0.0)));
        figures
    }

    fn text(&self) -> String {
        let mut table = Table::new();
        table.set_header(["", "measured", "bar", ""]);
        for figure in &self.figures {
            let bar = match figure.bar {
                Some(Bar::AtLeast(bar)) => format!("at least {}", number(bar)),
                Some(Bar::AtMost(bar)) => format!("at most {}", number(bar)),
                None => String::new(),
            };
            let reached =
                figure.reached.map_or("", |reached| if reached { "reached" } else { "not reached" });
            let value = format!("{} {}", number(figure.value), figure.unit);
            table.add_row([figure.what, value.trim(), &bar, reached]);
        }
        table
            .column_iter_mut()
            .skip(1)
            .take(2)
            .for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        let head = format!(
            "{} events of {} B from {} agents, {} partitions, {} simulated minutes; {} agents' months compared",
            self.events,
            self.bytes / self.events.max(1),
            self.agents,
            self.partitions,
            self.span_ms / 60_000,
            self.months
        );
        let shown = self.differences.iter().take(SHOWN).map(|line| format!("\n  {line}")).collect::<String>();
        format!("{head}\n{table}{shown}")
    }
}

fn number(value: f64) -> String {
    if value == value.trunc() || value >= 1_000.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_reached_from_its_side() {
        assert!(Bar::AtLeast(3.0).is_reached(3.0) && !Bar::AtLeast(3.0).is_reached(2.9));
        assert!(Bar::AtMost(2.0).is_reached(2.0) && !Bar::AtMost(2.0).is_reached(2.1));
        assert!(!Bar::AtMost(15.0).is_reached(f64::NAN));
    }
}
