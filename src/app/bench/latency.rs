//! Delays under an open loop: events at a fixed rate, whatever becomes of them, and probes among them.
//!
//! ```text
//!  due ──▶ probe: a contact enters one of 50 quiet queues ──▶ the queue's `waiting` grows ──▶ seen in the live view
//!                                                                                     └──▶ seen on kpi-live
//! ```
//!
//! A probe counts from when it was *due*, so a generator or a product that falls behind makes delays longer, never fewer.
//! A queue is probed every 1.25 s, which is outside the pause of its emission.

use super::months;
use super::product::Product;
use super::scene::Scene;
use super::topic::{self, Sender};
use super::{Args, usage};
use crate::app::run::status::Phase;
use crate::engine::definitions::{Definitions, Queue};
use crate::engine::output::{Output, SubjectKind};
use crate::io::live::LiveView;
use crate::io::log::{Domain, Log, Start, Topic};
use crate::io::stopwatch::Stopwatch;
use crate::io::traffic::{Delivery, Traffic};
use crate::wire::results::{self, Class};
use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Queues that only probes enter.
const QUEUES: u64 = 50;
/// A probe is due so often.
const EVERY: Duration = Duration::from_millis(25);
/// Probes that are due earlier are not counted: everybody is new, everything is cold.
const WARM_UP: Duration = Duration::from_secs(5);
/// What is not seen so long after the last event is lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// Percentiles, ms.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Delay {
    /// Half are quicker.
    pub p50_ms: f64,
    /// 99 % are.
    pub p99_ms: f64,
    /// 99.9 % are.
    pub p999_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// How many were counted.
    pub count: u64,
}

/// What the leg has measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delays {
    /// Events a second that were asked for.
    pub rate: u64,
    /// Events a second that were sent.
    pub sent_rate: f64,
    /// Due to visible where /metrics reads.
    pub view: Delay,
    /// Due to readable on `kpi-live`.
    pub kpi_live: Delay,
    /// Commits of transactions: p50 and p99, ms.
    pub commit_ms: (f64, f64),
    /// CPU-seconds for a million events, generator and watchers included.
    pub cpu_per_million: f64,
    /// Most memory resident, MB, generator included.
    pub peak_mb: u64,
    /// Agents' months that are not the truth.
    pub differences: Vec<String>,
}

/// What the generator and the watchers share.
struct Race {
    watch: Stopwatch,
    /// Probes that were sent.
    probes: AtomicU64,
    over: AtomicBool,
}

/// Runs the leg on topics of its own.
pub fn run(args: &Args, topic: &str) -> Result<Delays> {
    let input = format!("{topic}-live");
    let events = args.rate * (args.seconds + WARM_UP.as_secs());
    let scene = Scene::past(args, events, usage::wall_ms());
    topic::make(&args.brokers, &input, args.partitions)?;
    let definitions = with_probes(scene.definitions(&input, args.partitions));
    let options = topic::options(&args.brokers, &input);
    let compared = (scene.months(), scene.agents());
    let product = Product::start(&options, &input, definitions, compared, events + probes(args))?;
    until_ready(&product)?;
    let sender = Sender::new(&args.brokers, &input, 1)?;
    let (watch, cpu) = (Stopwatch::start(), usage::cpu()?);
    let (live_view, log) = (product.view.clone(), product.log.clone());
    let race = Race { watch, probes: AtomicU64::new(0), over: AtomicBool::new(false) };
    let (view, kpi_live, traffic, sent_rate) = std::thread::scope(|scope| -> Result<_> {
        let view = scope.spawn(|| watch_view(&race, &live_view, probes(args)));
        let kpi_live = scope.spawn(|| watch_topic(&race, &*log, probes(args)));
        let sent = send(args, &scene, &sender, &race);
        race.over.store(true, Ordering::Relaxed);
        let (traffic, rate) = sent?;
        let joined =
            |delays: std::thread::Result<Result<Delay>>| delays.ok().context("a watcher panicked")?;
        Ok((joined(view.join())?, joined(kpi_live.join())?, traffic, rate))
    })?;
    let done = product.wait(PATIENCE)?;
    let cpu = usage::cpu()?.saturating_sub(cpu).as_secs_f64();
    let commit = |quantile: &str| {
        let name = format!("engine_commit_{quantile}_seconds");
        product
            .status
            .values()
            .iter()
            .find(|value| value.name == name)
            .map_or(f64::NAN, |value| value.value * 1e3)
    };
    let commit_ms = (commit("p50"), commit("p99"));
    product.stop();
    let differences = months::differences(&months::truth(&traffic), &done.months);
    Ok(Delays {
        rate: args.rate,
        sent_rate,
        view,
        kpi_live,
        commit_ms,
        cpu_per_million: cpu * 1e6 / events as f64,
        peak_mb: usage::peak_mb()?,
        differences,
    })
}

/// Probes of the whole leg.
fn probes(args: &Args) -> u64 {
    let span = Duration::from_secs(args.seconds) + WARM_UP;
    (span.as_millis() / EVERY.as_millis()) as u64
}

fn queue(number: u64) -> String {
    format!("probe-{:02}", number % QUEUES)
}

fn with_probes(mut definitions: Definitions) -> Definitions {
    let like = definitions.queues.first().cloned();
    let probes = (0..QUEUES).filter_map(|number| Some(Queue { id: queue(number), ..like.clone()? }));
    let probes: Vec<Queue> = probes.collect();
    definitions.queues.extend(probes);
    definitions
}

fn until_ready(product: &Product) -> Result<()> {
    let watch = Stopwatch::start();
    while product.status.phase() != Phase::Ready {
        product.check()?;
        if watch.has(PATIENCE) {
            bail!("the product is not ready after {} s", PATIENCE.as_secs());
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Ok(())
}

/// Sends what is due, every millisecond.
fn send(args: &Args, scene: &Scene, sender: &Sender, race: &Race) -> Result<(Traffic, f64)> {
    let mut traffic = Traffic::new(scene.plan.clone());
    let mut delivery = Delivery::default();
    let (mut sent, mut probed, last) = (0, 0, probes(args));
    while sent < scene.events || probed < last {
        let now = race.watch.elapsed();
        let due = (now.as_nanos() * u128::from(args.rate) / 1_000_000_000) as u64;
        while probed < last && due_at(probed) <= now {
            sender.send((probed % args.partitions as u64) as i32, probe(probed).as_bytes())?;
            probed += 1;
        }
        while sent < due.min(scene.events) && traffic.next_into(&mut delivery) {
            sender.deliver(&delivery)?;
            sent += 1;
        }
        race.probes.store(probed, Ordering::Release);
        sender.poll(Duration::ZERO)?;
        std::thread::park_timeout(Duration::from_millis(1));
    }
    sender.finish()?;
    Ok((traffic, sent as f64 / race.watch.elapsed().as_secs_f64()))
}

fn due_at(probe: u64) -> Duration {
    EVERY * probe as u32
}

/// A contact enters a queue, now.
fn probe(number: u64) -> String {
    let (queue, time) = (queue(number), usage::wall_ms());
    format!(
        r#"{{"id":"probe-{number}","type":"contact.queued","time":{time},"contact_id":"probe-{number}","queue":"{queue}"}}"#
    )
}

/// Which probes were seen, and how late.
struct Seen {
    /// By queue.
    queues: Vec<u64>,
    all: u64,
    delays: Histogram<u64>,
}

impl Seen {
    fn new() -> Result<Self> {
        Ok(Self {
            queues: vec![0; QUEUES as usize],
            all: 0,
            delays: Histogram::new_with_bounds(1, 600_000_000, 3)?,
        })
    }

    /// So many wait in a queue now.
    fn learn(&mut self, queue: u64, waiting: i64, now: Duration) {
        let seen = &mut self.queues[queue as usize];
        while *seen < u64::try_from(waiting).unwrap_or(0) {
            let due = due_at(*seen * QUEUES + queue);
            if due >= WARM_UP {
                let delay = now.saturating_sub(due).as_micros() as u64;
                self.delays.saturating_record(delay.max(1));
            }
            (*seen, self.all) = (*seen + 1, self.all + 1);
        }
    }

    fn delay(&self) -> Delay {
        let at = |quantile| self.delays.value_at_quantile(quantile) as f64 / 1e3;
        let max_ms = self.delays.max() as f64 / 1e3;
        Delay { p50_ms: at(0.5), p99_ms: at(0.99), p999_ms: at(0.999), max_ms, count: self.delays.len() }
    }
}

/// Whether to go on looking.
fn open(race: &Race, seen: &Seen, all: u64, over: &mut Option<Stopwatch>) -> Result<bool> {
    if race.over.load(Ordering::Relaxed) {
        over.get_or_insert_with(Stopwatch::start);
    }
    if seen.all < all && over.is_some_and(|since| since.has(PATIENCE)) {
        bail!("{} of {all} probes were never seen", all - seen.all);
    }
    Ok(seen.all < all)
}

/// Looks at the live view twice a millisecond, as a scrape would see it.
fn watch_view(race: &Race, view: &LiveView, all: u64) -> Result<Delay> {
    let names: Vec<String> = (0..QUEUES).map(queue).collect();
    let (mut seen, mut over) = (Seen::new()?, None);
    while open(race, &seen, all, &mut over)? {
        let sent = race.probes.load(Ordering::Acquire);
        for number in 0..QUEUES {
            let due = (sent + QUEUES - 1).saturating_sub(number) / QUEUES;
            if due <= seen.queues[number as usize] {
                continue;
            }
            let live = view.get(SubjectKind::Queue, &names[number as usize]);
            let waiting = live.and_then(|live| live.now.waiting).unwrap_or(0);
            seen.learn(number, waiting, race.watch.elapsed());
        }
        std::thread::park_timeout(Duration::from_micros(500));
    }
    Ok(seen.delay())
}

/// Reads `kpi-live` as a program would.
fn watch_topic(race: &Race, log: &dyn Log, all: u64) -> Result<Delay> {
    let mut reader = log.tail(Topic::KpiLive, Domain(0), Start::Beginning)?;
    let (mut seen, mut over) = (Seen::new()?, None);
    while open(race, &seen, all, &mut over)? {
        let Some(record) = reader.poll(Duration::from_millis(5))? else { continue };
        let now = race.watch.elapsed();
        let key = String::from_utf8(record.key.unwrap_or_default())?;
        let Some(number) = key.strip_prefix("queue|probe-").and_then(|number| number.parse().ok()) else {
            continue;
        };
        if let Output::Live(live) = results::output(Class::KpiLive, &key, &record.value)? {
            seen.learn(number, live.now.waiting.unwrap_or(0), now);
        }
    }
    Ok(seen.delay())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::native::{CustomerKey, read};

    #[test]
    fn a_probe_is_counted_from_when_it_was_due_and_once() {
        let mut seen = Seen::new().unwrap();
        let number = WARM_UP.as_millis() as u64 / EVERY.as_millis() as u64 / QUEUES * QUEUES + 7;
        let (before, late) = (number / QUEUES, Duration::from_millis(9));
        seen.learn(7, before as i64, due_at(number));
        assert_eq!((seen.all, seen.delays.len()), (before, 0), "what was due in the warm-up is not counted");
        for again in [late, 100 * late] {
            seen.learn(7, before as i64 + 1, due_at(number) + again);
        }
        assert_eq!((seen.all, seen.delay().count), (before + 1, 1));
        assert!((9.0..9.1).contains(&seen.delay().p999_ms), "{:?}", seen.delay());
    }

    #[test]
    fn a_queue_is_probed_outside_its_pause() {
        assert!(EVERY * QUEUES as u32 > Duration::from_secs(1));
    }

    #[test]
    fn a_probe_is_an_event_of_the_contract() {
        let text = probe(57);
        let event = read(text.as_bytes(), &CustomerKey::new("k")).expect("a valid event");
        assert_eq!(event.fact(0).queue, Some("probe-07"));
    }
}
