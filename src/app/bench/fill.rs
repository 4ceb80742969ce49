//! The topic is filled before anything is measured, and the truth is kept.

use super::months::{self, Months};
use super::scene::Scene;
use super::topic::{self, Sender};
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// What was sent.
#[derive(Debug)]
pub struct Filled {
    /// Deliveries.
    pub events: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Simulated time that they span, ms.
    pub span_ms: i64,
    /// The truth.
    pub months: Months,
}

/// Plays the scene into the topic `to` (brokers, name), or into nothing where no leg reads one.
pub fn fill(scene: &Scene, to: Option<(&str, &str)>) -> Result<Filled> {
    let sender = to.map(|(brokers, name)| {
        topic::make(brokers, name, scene.plan.partitions)?;
        Sender::new(brokers, name, 5)
    });
    let sender = sender.transpose()?;
    let bar = ProgressBar::new(scene.events);
    bar.set_style(ProgressStyle::with_template(
        "  fill {bar:32} {human_pos} / {human_len} events  {per_sec}",
    )?);
    let (mut bytes, mut last) = (0, scene.plan.from);
    let traffic = scene.play(|delivery| -> Result<()> {
        bytes += delivery.bytes.len() as u64;
        last = delivery.at_ms;
        if delivery.index.is_multiple_of(1_000) {
            bar.set_position(delivery.index);
            sender.iter().try_for_each(|sender| sender.poll(Duration::ZERO))?;
        }
        sender.iter().try_for_each(|sender| sender.deliver(delivery))
    })?;
    sender.iter().try_for_each(Sender::finish)?;
    bar.finish_and_clear();
    let months = months::truth(&traffic);
    Ok(Filled { events: traffic.truth().delivered(), bytes, span_ms: last - scene.plan.from, months })
}
