//! The product: the pieces that `shiftpulse run` is made of, with exactly-once on, in catch-up.
//!
//! ```text
//! KafkaSource ─▶ Feeder, Intake ─▶ facts on Kafka ─▶ DomainRunner: engine, committer, snapshots ─▶ outputs on Kafka
//! ```

use super::Args;
use super::legs::Throughput;
use super::months::{self, Months};
use super::scene::Scene;
use super::{topic, usage};
use crate::app::run::clerk::Clerk;
use crate::app::run::domain::{DomainRunner, Observer};
use crate::app::run::spawn;
use crate::app::run::status::{DomainStatus, Phase};
use crate::engine::Engine;
use crate::engine::definitions::Definitions;
use crate::engine::record::{Control, ControlKind};
use crate::io::intake::feeder::Feeder;
use crate::io::intake::{Intake, Settings};
use crate::io::live::LiveView;
use crate::io::log::clock::WallClock;
use crate::io::log::kafka::{KafkaLog, KafkaOptions, topics};
use crate::io::log::{Domain, Log};
use crate::io::source::kafka::KafkaSource;
use crate::io::stopwatch::Stopwatch;
use crate::wire::batch::encode_control;
use crate::wire::native::CustomerKey;
use anyhow::{Context, Result, anyhow, bail};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What is compared at the end.
type MonthsAndAgents = (Vec<String>, Vec<String>);

/// A running product.
pub struct Product {
    /// The log.
    pub log: Arc<dyn Log>,
    /// What /metrics reads.
    pub view: Arc<LiveView>,
    /// How the domain is.
    pub status: Arc<DomainStatus>,
    /// When the first event was taken, and the CPU time then.
    began: Arc<OnceLock<(Stopwatch, Duration)>>,
    done: Receiver<Done>,
    stop: Arc<AtomicBool>,
    trouble: Arc<Mutex<Option<String>>>,
    threads: Vec<JoinHandle<()>>,
}

/// Everything was folded.
pub struct Done {
    /// Since the first event was taken.
    pub wall: Duration,
    /// Used since then.
    pub cpu: Duration,
    /// Every agent's month then.
    pub months: Months,
}

impl Product {
    /// Starts it on empty topics of its own; it is done when `events` are folded.
    pub fn start(
        options: &KafkaOptions,
        input: &str,
        definitions: Definitions,
        of: MonthsAndAgents,
        events: u64,
    ) -> Result<Self> {
        topics::create(options, 1, 1).context("make the product's topics")?;
        let log: Arc<dyn Log> = Arc::new(KafkaLog::connect(options.clone())?);
        activate(&*log, definitions)?;
        let began: Arc<OnceLock<(Stopwatch, Duration)>> = Arc::default();
        let (observer, done) = observer(began.clone(), of, events);
        let mut product = Self {
            log,
            view: Arc::default(),
            status: Arc::new(DomainStatus::new(0)),
            began,
            done,
            stop: Arc::default(),
            trouble: Arc::default(),
            threads: Vec::new(),
        };
        product.score(observer)?;
        product.feed(options, input)?;
        Ok(product)
    }

    /// The engine's threads.
    fn score(&mut self, observer: Observer) -> Result<()> {
        let runner = DomainRunner {
            log: self.log.clone(),
            domain: Domain(0),
            view: self.view.clone(),
            status: self.status.clone(),
            clerk: Clerk::start(self.log.clone(), Domain(0))?,
            snapshot_every: Duration::from_secs(300),
            stop: self.stop.clone(),
            observer: Some(observer),
        };
        self.threads.push(spawn("engine-0", move || runner.run())?);
        Ok(())
    }

    /// The thread of the source and the intake.
    fn feed(&mut self, options: &KafkaOptions, input: &str) -> Result<()> {
        let source = KafkaSource::subscribe(options, &[input.to_owned()])?;
        let settings = Settings::new(CustomerKey::new("shiftpulse bench"));
        let intake = Intake::new(settings, self.log.appender(Domain(0)));
        let feeder = Feeder::new(Box::new(source), intake, Arc::new(WallClock));
        let (began, stop, trouble) = (self.began.clone(), self.stop.clone(), self.trouble.clone());
        self.threads.push(spawn("feeder-kafka", move || {
            let ended = feeder.run(&stop, |feeder| {
                if feeder.intake().counts().facts > 0 {
                    began.get_or_init(|| (Stopwatch::start(), usage::cpu().unwrap_or_default()));
                }
            });
            if let Err(ended) = ended {
                *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended.to_string());
            }
        })?);
        Ok(())
    }

    /// Waits until everything is folded.
    ///
    /// # Errors
    /// It takes longer than `patience`, or the product has failed.
    pub fn wait(&self, patience: Duration) -> Result<Done> {
        let watch = Stopwatch::start();
        loop {
            match self.done.recv_timeout(Duration::from_millis(100)) {
                Ok(done) => return Ok(done),
                Err(RecvTimeoutError::Disconnected) => bail!("the engine has gone"),
                Err(RecvTimeoutError::Timeout) => self.check()?,
            }
            if watch.has(patience) {
                bail!("not everything was folded within {} s", patience.as_secs());
            }
        }
    }

    /// # Errors
    /// A part of the product has failed.
    pub fn check(&self) -> Result<()> {
        if let Some(reason) = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            bail!("the intake: {reason}");
        }
        match self.status.phase() {
            Phase::Failed(reason) | Phase::Lost(reason) => bail!("the engine: {reason}"),
            _ => Ok(()),
        }
    }

    /// Drains and stops.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| drop(thread.join()));
    }
}

/// Sees when everything is folded, once.
fn observer(
    began: Arc<OnceLock<(Stopwatch, Duration)>>,
    of: MonthsAndAgents,
    events: u64,
) -> (Observer, Receiver<Done>) {
    let (tell, done) = sync_channel(1);
    let told = AtomicBool::new(false);
    let observer = move |engine: &mut Engine| {
        let Some((watch, before)) = began.get().filter(|_| folded(engine) >= events) else { return };
        if !told.swap(true, Ordering::Relaxed) {
            let (wall, cpu) = (watch.elapsed(), usage::cpu().unwrap_or_default());
            let months = months::of(engine, &of.0, &of.1);
            let _ = tell.send(Done { wall, cpu: cpu.saturating_sub(*before), months });
        }
    };
    (Box::new(observer), done)
}

/// Facts that were judged, whatever became of them; repeats of intake left out.
fn folded(engine: &Engine) -> u64 {
    let counters = engine.counters();
    let facts = counters.facts + counters.duplicates + counters.voided + counters.unsettled + counters.future;
    u64::try_from(facts).unwrap_or(0)
}

fn activate(log: &dyn Log, definitions: Definitions) -> Result<()> {
    let kind = ControlKind::Definitions { definitions: Box::new(definitions) };
    let control = Control { id: "definitions|bench".to_owned(), kind };
    let mut appender = log.appender(Domain(0));
    crate::io::control::append(&mut *appender, &encode_control(&control)).map_err(|reason| anyhow!(reason))
}

/// Folds the whole topic by the product.
pub fn run(args: &Args, topic: &str, end: i64) -> Result<(Throughput, Months)> {
    let scene = Scene::past(args, args.events, end);
    let options = topic::options(&args.brokers, topic);
    let definitions = scene.definitions(topic, args.partitions);
    let product =
        Product::start(&options, topic, definitions, (scene.months(), scene.agents()), args.events)?;
    let done = product.wait(Duration::from_secs(900))?;
    let throughput = Throughput::of(args.events, done.wall, done.cpu)?;
    product.stop();
    Ok((throughput, done.months))
}
