//! The feed: the simulator's deliveries into the intake, first the month as history, then at the pace of the clock.

use super::{Demo, comparison};
use crate::io::intake::{Intake, Settings};
use crate::io::log::{AppendClock, Domain, Log};
use crate::io::stopwatch::Stopwatch;
use crate::io::traffic::{Delivery, Traffic};
use crate::wire::native::CustomerKey;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The source's name in the definitions.
pub const TOPIC: &str = "$simulator";
/// Truth is compared so often.
const COMPARE: Duration = Duration::from_secs(1);

/// Feeds until the demo ends.
pub fn run(demo: &Demo, mut traffic: Traffic) {
    let mut intake = Intake::new(Settings::new(CustomerKey::new("demo")), demo.log.appender(Domain(0)));
    if let Err(reason) =
        history(demo, &mut traffic, &mut intake).and_then(|()| live(demo, &mut traffic, &mut intake))
    {
        tracing::error!(reason, "the simulator's feed ended");
        demo.stop.store(true, Ordering::Relaxed);
    }
}

/// Everything that was delivered before the demo's clock begins to run.
fn history(demo: &Demo, traffic: &mut Traffic, intake: &mut Intake) -> Result<(), String> {
    let (from, to) = (traffic.plan().from, demo.clock.now_ms());
    let bar = ProgressBar::new((to - from).max(0) as u64);
    bar.set_style(
        ProgressStyle::with_template("  history {bar:40} {percent} %, {msg}, {eta} left")
            .expect("the template is constant"),
    );
    let mut delivery = Delivery::default();
    while traffic.next_at().is_some_and(|at| at < to) && !demo.stop.load(Ordering::Relaxed) {
        traffic.next_into(&mut delivery);
        push(intake, &delivery);
        if delivery.index % 500 == 0 {
            bar.set_position((delivery.at_ms - from).max(0) as u64);
            bar.set_message(format!("{} events", delivery.index));
            wait_for_room(demo, intake)?;
        }
    }
    intake.flush(to).map_err(|broken| broken.to_string())?;
    bar.finish_and_clear();
    println!("  {} events of history are in; the clock runs.", traffic.truth().delivered());
    let delivered = traffic.truth().delivered();
    traffic.truth_mut().settle(delivered, to);
    demo.clock.start();
    Ok(())
}

/// What is due by the clock, a few times a simulated minute.
fn live(demo: &Demo, traffic: &mut Traffic, intake: &mut Intake) -> Result<(), String> {
    let mut compared = Stopwatch::start();
    let mut delivery = Delivery::default();
    for partition in 0..traffic.plan().partitions {
        intake.at_end(TOPIC, partition, true);
    }
    while !demo.stop.load(Ordering::Relaxed) {
        let now = demo.clock.now_ms();
        while traffic.next_at().is_some_and(|at| at <= now) {
            traffic.next_into(&mut delivery);
            push(intake, &delivery);
        }
        intake.tick(now).map_err(|broken| broken.to_string())?;
        wait_for_room(demo, intake)?;
        demo.refused.store(intake.counts().refused.values().sum(), Ordering::Relaxed);
        if compared.has(COMPARE) {
            comparison::compare(demo, traffic);
            compared = Stopwatch::start();
        }
        std::thread::sleep(Duration::from_millis(8));
    }
    intake.flush(demo.clock.now_ms()).map_err(|broken| broken.to_string())
}

fn push(intake: &mut Intake, delivery: &Delivery) {
    let position = delivery.index as i64 - 1;
    intake.push(TOPIC, delivery.partition, 0, position, delivery.at_ms, &delivery.bytes);
}

/// Gives the log its turn, and waits while its queue is full.
fn wait_for_room(demo: &Demo, intake: &mut Intake) -> Result<(), String> {
    loop {
        intake.tick(demo.clock.now_ms()).map_err(|broken| broken.to_string())?;
        if intake.has_room() || demo.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
