//! `shiftpulse demo`: the whole product in one process, on a log in memory, with simulated traffic on a fast clock.
//!
//! ```text
//! simulator ─▶ intake ─▶ facts (memory) ─▶ engine ─▶ outputs ─▶ read model ─▶ board
//!     └── true answers ──────────────▶ compared at the same offset ──────────▶ under each number
//! ```
//!
//! A month is fed in as history up to 90 minutes before its end; then the clock runs, and the month closes before your eyes.

mod clock;
mod comparison;
mod feed;

use crate::app::run::clerk::Clerk;
use crate::app::run::domain::DomainRunner;
use crate::app::run::status::{DomainStatus, Phase};
use crate::app::run::{spawn, tail};
use crate::engine::definitions::{CardFile, Definitions};
use crate::engine::record::{Control, ControlKind};
use crate::io::http::demo::{Comparison, DemoView, Kill, Kills, Sent};
use crate::io::http::{self, ServiceValue, Site};
use crate::io::live::LiveView;
use crate::io::log::embedded::EmbeddedLog;
use crate::io::log::{AppendClock, Domain, Log, Topic};
use crate::io::read_model::ReadModel;
use crate::io::traffic::{Plan, Traffic};
use crate::model::scorecard::Card;
use crate::model::units::LogTime;
use anyhow::Context;
use clock::DemoClock;
use comparison::Observed;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The scorecard of the demo: the one that ships as an example.
const CARD: &str = include_str!("../../config/scorecards/service-agent.toml");

/// Shows the whole product on simulated traffic: no set-up, nothing kept.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the board is served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7280")]
    listen: SocketAddr,
    /// Seed of the traffic: the same seed gives the same numbers
    #[arg(long, default_value_t = 7041)]
    seed: u64,
    /// The month that is played
    #[arg(long, value_name = "YYYY-MM", default_value = "2026-10")]
    month: String,
    /// How many simulated seconds pass in a real one
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=600))]
    speed: u32,
}

/// What the demo's threads share.
pub(crate) struct Demo {
    seed: u64,
    card: Card,
    clock: Arc<DemoClock>,
    log: Arc<EmbeddedLog>,
    model: Arc<ReadModel>,
    status: Arc<DomainStatus>,
    observed: Mutex<Option<Observed>>,
    shown: Mutex<Shown>,
    /// Events that the intake set aside.
    refused: AtomicU64,
    kills: AtomicU32,
    killed_at: AtomicI64,
    stop: Arc<AtomicBool>,
}

/// What the board shows beside the numbers.
#[derive(Default)]
struct Shown {
    comparison: Option<Arc<Comparison>>,
    sent: Sent,
    lost: u64,
    twice: u64,
    repeated: u64,
}

/// Runs the demo until Ctrl-C or SIGTERM.
///
/// # Errors
/// The month is none, or the address is taken.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let plan = Plan::demo(args.seed, &args.month);
    let plan = plan.with_context(|| format!("`{}` is no month: write it as 2026-10", args.month))?;
    let clock = Arc::new(DemoClock::new(plan.live_from(), args.speed));
    let demo = Arc::new(Demo {
        seed: args.seed,
        card: Card::parse("service-agent", CARD).map_err(|problems| anyhow::anyhow!("{problems}"))?,
        log: Arc::new(EmbeddedLog::in_memory(1, clock.clone())?),
        clock,
        model: Arc::default(),
        status: Arc::new(DomainStatus::new(0)),
        observed: Mutex::default(),
        shown: Mutex::default(),
        refused: AtomicU64::new(0),
        kills: AtomicU32::new(0),
        killed_at: AtomicI64::new(0),
        stop: Arc::default(),
    });
    let definitions = definitions(&plan)?;
    demo.model.define(definitions.clone());
    activate(&demo, definitions)?;
    let view: Arc<LiveView> = Arc::default();
    let mut threads = vec![engine(&demo, &view)?];
    for topic in [Topic::Ledger, Topic::Alerts, Topic::ScoresLive, Topic::KpiLive] {
        let demo = demo.clone();
        threads.push(spawn(&format!("tail-{}", topic.suffix()), move || {
            if let Err(reason) = tail::follow(&*demo.log, topic, Domain(0), &demo.model, &demo.stop) {
                tracing::error!(reason, "a tail ended");
            }
        })?);
    }
    let traffic = Traffic::new(plan);
    threads.push(spawn("feed", {
        let demo = demo.clone();
        move || feed::run(&demo, traffic)
    })?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let served = runtime.block_on(serve(&demo, &view, args.listen));
    demo.stop.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| drop(thread.join()));
    served.with_context(|| format!("HTTP on {}", args.listen))?;
    Ok(ExitCode::SUCCESS)
}

/// The centre's definitions with the shipped alert rules and scorecard.
fn definitions(plan: &Plan) -> anyhow::Result<Definitions> {
    let mut definitions = plan.centre.definitions(plan.partitions);
    definitions.alerts = crate::app::config::default_alerts();
    definitions.cards = vec![CardFile { id: "service-agent".to_owned(), text: CARD.to_owned() }];
    Ok(definitions)
}

fn activate(demo: &Demo, definitions: Definitions) -> anyhow::Result<()> {
    let kind = ControlKind::Definitions { definitions: Box::new(definitions) };
    let control = Control { id: "definitions|demo".to_owned(), kind };
    let mut appender = demo.log.appender(Domain(0));
    let record = crate::wire::batch::encode_control(&control);
    crate::io::control::append(&mut *appender, &record).map_err(|reason| anyhow::anyhow!(reason))
}

/// Starts the engine's threads.
fn engine(demo: &Arc<Demo>, view: &Arc<LiveView>) -> anyhow::Result<std::thread::JoinHandle<()>> {
    let log: Arc<dyn Log> = demo.log.clone();
    let clerk = Clerk::start(log.clone(), Domain(0))?;
    let observer = demo.clone();
    let runner = DomainRunner {
        log,
        domain: Domain(0),
        view: view.clone(),
        status: demo.status.clone(),
        clerk,
        snapshot_every: Duration::from_secs(15),
        stop: demo.stop.clone(),
        observer: Some(Box::new(move |engine| comparison::observe(&observer, engine))),
    };
    spawn("engine-0", move || runner.run())
}

impl Demo {
    fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DemoView for Demo {
    fn speed(&self) -> i64 {
        i64::from(self.clock.rate())
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn comparison(&self) -> Option<Arc<Comparison>> {
        self.shown().comparison.clone()
    }

    fn kills(&self) -> Kills {
        let (restore, restores) = self.status.last_restore();
        let count = self.kills.load(Ordering::Relaxed);
        let ready = self.status.phase() == Phase::Ready;
        let over = restores > 1 && restore.ready.is_some();
        let shown = self.shown();
        let what = &restore.what;
        Kills {
            count,
            restoring: count > 0 && !ready,
            last: (count > 0 && over).then(|| Kill {
                at: LogTime(self.killed_at.load(Ordering::Relaxed)),
                fence: restore.fence,
                snapshot: what.reading,
                replay: what.replaying,
                replayed: what.replayed,
                catch_up: restore.ready.unwrap_or_default().saturating_sub(restore.total),
                digest_matched: what.digest_matched,
            }),
            lost: shown.lost,
            twice: shown.twice,
            repeated: shown.repeated,
        }
    }

    fn sent(&self) -> Sent {
        self.shown().sent.clone()
    }

    fn kill(&self) -> bool {
        let done = self.status.kill();
        if done {
            self.kills.fetch_add(1, Ordering::Relaxed);
            self.killed_at.store(self.clock.now_ms(), Ordering::Relaxed);
        }
        done
    }
}

impl http::Service for Demo {
    fn ready(&self) -> Result<(), String> {
        self.status.trouble().map_or(Ok(()), Err)
    }

    fn values(&self) -> Vec<ServiceValue> {
        self.status.values()
    }
}

async fn serve(demo: &Arc<Demo>, view: &Arc<LiveView>, listen: SocketAddr) -> std::io::Result<()> {
    let (say_stop, stop) = tokio::sync::watch::channel(false);
    let rate = demo.clock.rate();
    let site = Site::new(demo.model.clone(), demo.clock.clone())
        .with_gauges(view.clone())
        .with_service(demo.clone())
        .with_demo(demo.clone())
        .with_stop(stop);
    let listener = tokio::net::TcpListener::bind(listen).await?;
    println!("shiftpulse demo on http://{}/", listener.local_addr()?);
    println!("Simulated traffic at {rate}x. The month closes in about two minutes. Ctrl-C ends it.");
    axum::serve(listener, http::router(Arc::new(site)))
        .with_graceful_shutdown(async move {
            crate::app::run::web::told_to_stop().await;
            let _ = say_stop.send(true);
        })
        .await
}
