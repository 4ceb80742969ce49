//! `shiftpulse simulate`: the traffic of a contact centre into a topic, a file or standard output, from a seed.
//!
//! The same options give the same records. `--truth` writes the true month of everybody beside them, to be compared with
//! what a processor makes of it.

mod options;
mod report;
mod sink;

pub use options::Args;

use crate::io::traffic::{Delivery, Traffic};
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sink::Sink;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Deliveries between two looks at the pace, the progress bar and the truth's memory.
const STRIDE: u64 = 1_000;

/// Runs the command to its end.
///
/// # Errors
/// Options that contradict each other, a file that cannot be written, a broker that refuses a record.
pub fn run(args: Args) -> Result<ExitCode> {
    let start = options::wall_ms();
    let order = args.order(start)?;
    let mut sink = sink::open(&args)?;
    let mut traffic = Traffic::new(order.plan);
    let bar = bar(order.events, args.quiet);
    let mut pace = Pace::new(args.rate, args.live.then_some(args.speed));
    let mut delivery = Delivery::default();
    let mut last = traffic.plan().from;
    while order.events.is_none_or(|events| traffic.truth().delivered() < events) {
        pace.wait(&mut traffic, sink.as_mut())?;
        if !traffic.next_into(&mut delivery) {
            break;
        }
        sink.send(&delivery).context("send a record")?;
        last = delivery.at_ms;
        if delivery.index.is_multiple_of(STRIDE) {
            bar.set_position(delivery.index);
            traffic.truth_mut().settle(delivery.index, last);
        }
    }
    sink.close().context("send the last records")?;
    bar.finish_and_clear();
    let sent = traffic.truth().delivered();
    traffic.truth_mut().settle(sent, last);
    if let Some(path) = &args.truth {
        report::write_truth(&traffic, last, path)?;
    }
    if !args.quiet {
        eprintln!("{}", report::summary(&traffic, last));
    }
    Ok(ExitCode::SUCCESS)
}

/// How much is sent, how fast, and what is left; hidden when standard error is no terminal.
fn bar(events: Option<u64>, quiet: bool) -> ProgressBar {
    let (bar, line) = match events {
        Some(events) => (
            ProgressBar::new(events),
            "{bar:32} {human_pos} / {human_len} records  {per_sec}  {eta_precise} left",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {human_pos} records  {per_sec}  {elapsed_precise}"),
    };
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar.with_style(ProgressStyle::with_template(line).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Keeps records from leaving too early: by a rate, or by the wall clock.
struct Pace {
    began: Instant,
    rate: u64,
    sent: u64,
    /// Live: simulated ms for each wall ms.
    speed: Option<f64>,
    first: Option<i64>,
}

impl Pace {
    #[allow(clippy::disallowed_methods, reason = "the shell's own pace")]
    fn new(rate: u64, speed: Option<f64>) -> Self {
        Self { began: Instant::now(), rate, sent: 0, speed, first: None }
    }

    /// Waits until the next record is due; what was sent before is on its way meanwhile.
    fn wait(&mut self, traffic: &mut Traffic, sink: &mut dyn Sink) -> Result<()> {
        if let Some(due) = self.due(traffic) {
            let early = due.saturating_sub(self.began.elapsed());
            if early > Duration::from_millis(2) {
                sink.flush().context("send a record")?;
                std::thread::sleep(early);
            }
        }
        self.sent += 1;
        Ok(())
    }

    /// When the next record may leave, since the start.
    fn due(&mut self, traffic: &mut Traffic) -> Option<Duration> {
        if let Some(speed) = self.speed {
            let at = traffic.next_at()?;
            let first = *self.first.get_or_insert(at);
            return Some(Duration::from_secs_f64((at - first).max(0) as f64 / 1_000.0 / speed));
        }
        (self.rate > 0).then(|| Duration::from_nanos(self.sent * 1_000_000_000 / self.rate))
    }
}

#[cfg(test)]
mod tests;
