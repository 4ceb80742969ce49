//! The engine alone: `handle()` on decoded facts, in the order of the source and as a catch-up of many partitions brings them.
//!
//! Decoding is not on the clock: batches are decoded a few at a time, then folded.

use super::Args;
use super::legs::Throughput;
use super::months::{self, Months};
use super::scene::Scene;
use super::usage;
use crate::engine::Engine;
use crate::engine::record::{Body, Control, ControlKind, Record};
use crate::io::stopwatch::Stopwatch;
use crate::model::units::LogTime;
use crate::wire;
use crate::wire::batch::{APPEND_TIME, BatchBuilder, FLUSH, Head};
use crate::wire::native::{self, CustomerKey};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Batches that are decoded before their turn is measured.
const DECODED: usize = 16;
/// Name of the source.
const SOURCE: &str = "events";

/// Both orders.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Folded {
    /// One partition: every contact's events nearly in order.
    pub ordered: Throughput,
    /// Many partitions, a batch of each by turn.
    pub catch_up: Throughput,
}

/// Folds the events in both orders; the months are those of the catch-up, and the same as the other's.
pub fn run(args: &Args, end: i64) -> Result<(Folded, Months)> {
    let scene = Scene::past(args, args.events, end);
    let (ordered, ours) = fold(&scene, 1)?;
    let (catch_up, theirs) = fold(&scene, args.partitions)?;
    let differences = months::differences(&ours, &theirs);
    ensure!(differences.is_empty(), "the orders differ: {}", differences.join("; "));
    Ok((Folded { ordered, catch_up }, theirs))
}

fn fold(scene: &Scene, partitions: i32) -> Result<(Throughput, Months)> {
    let records = records(scene, partitions)?;
    let mut engine = Engine::new(0);
    let kind = ControlKind::Definitions { definitions: Box::new(scene.definitions(SOURCE, partitions)) };
    let body = Body::Control(Control { id: "definitions".into(), kind });
    engine.handle(&Record { offset: 0, append: LogTime(scene.end), body }, &mut Vec::new());
    let (mut wall, mut cpu, mut out) = (Duration::ZERO, Duration::ZERO, Vec::new());
    for (chunk, offset) in records.chunks(DECODED).zip((1..).step_by(DECODED)) {
        let decoded: Vec<Record> = chunk
            .iter()
            .zip(offset..)
            .map(|(bytes, offset)| wire::record(offset, scene.end, bytes))
            .collect();
        let (watch, before) = (Stopwatch::start(), usage::thread_cpu()?);
        for record in &decoded {
            out.clear();
            engine.handle(record, &mut out);
        }
        cpu += usage::thread_cpu()?.saturating_sub(before);
        wall += watch.elapsed();
    }
    let counters = engine.counters();
    let folded = u64::try_from(counters.facts + counters.duplicates).unwrap_or(0);
    ensure!(folded == scene.events, "{folded} of {} facts were folded", scene.events);
    Ok((Throughput::of(scene.events, wall, cpu)?, months::of(&mut engine, &scene.months(), &scene.agents())))
}

/// The facts as intake would write them in catch-up: full batches, a lane for each partition.
fn records(scene: &Scene, partitions: i32) -> Result<Vec<Vec<u8>>> {
    let key = CustomerKey::new("shiftpulse bench");
    let mut lanes: Vec<Lane> = (0..partitions).map(Lane::new).collect();
    let mut records = Vec::new();
    scene.play(|delivery| {
        let lane = &mut lanes[(delivery.partition % partitions) as usize];
        let event = native::read(&delivery.bytes, &key).ok().context("a simulated event is refused")?;
        lane.builder.push(lane.from, &event.fact(lane.to));
        lane.to += 1;
        if lane.builder.len() >= FLUSH {
            records.push(lane.seal());
        }
        anyhow::Ok(())
    })?;
    records.extend(lanes.iter_mut().map(Lane::seal));
    Ok(records)
}

struct Lane {
    partition: i32,
    builder: BatchBuilder,
    from: i64,
    to: i64,
}

impl Lane {
    fn new(partition: i32) -> Self {
        Self { partition, builder: BatchBuilder::new(), from: 0, to: 0 }
    }

    fn seal(&mut self) -> Vec<u8> {
        let (partition, from, to) = (self.partition, self.from, self.to);
        let head = Head {
            topic: SOURCE,
            partition,
            incarnation: 0,
            from,
            to,
            progress: APPEND_TIME,
            caught_up: false,
        };
        let mut bytes = Vec::new();
        self.builder.finish(&head, &mut bytes);
        self.from = to;
        bytes
    }
}
