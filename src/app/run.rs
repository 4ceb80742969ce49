//! `shiftpulse run`: the service. Reads the configuration, opens the log, and starts the threads.
//!
//! ```text
//! feeder-<source> ─▶ facts ─▶ engine-<domain> ─▶ outputs ─▶ tail ─▶ read model ─▶ HTTP
//!                      ▲          │ live view ─────────────────────────────────▶ /metrics
//!                      └─ clerk ──┘                          └─▶ pusher ─▶ Alertmanager
//! ```

pub mod clerk;
mod definitions;
pub mod domain;
mod domains;
mod feeders;
pub mod meters;
pub mod status;
pub mod tail;
pub mod web;

use crate::app::config::{self, Config, LogKind};
use crate::engine::definitions::Definitions;
use crate::io::live::LiveView;
use crate::io::log::clock::WallClock;
use crate::io::log::embedded::EmbeddedLog;
use crate::io::log::kafka::KafkaLog;
use crate::io::log::{AppendClock, Domain, Log};
use crate::io::read_model::ReadModel;
use anyhow::Context;
use status::DomainStatus;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Runs the service until it is told to stop (SIGTERM, Ctrl-C): then it drains, commits, saves its state and leaves.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "shiftpulse.toml")]
    config: PathBuf,
    /// Activate the definitions of the files where they differ from those in the log
    #[arg(long)]
    apply: bool,
}

/// What the threads of the service share.
pub struct Service {
    /// The configuration.
    pub config: Config,
    /// The definitions that the configuration asks for.
    pub definitions: Definitions,
    /// The log.
    pub log: Arc<dyn Log>,
    /// The clock that stamps facts.
    pub clock: Arc<dyn AppendClock>,
    /// Newest values of the engines of this process.
    pub view: Arc<LiveView>,
    /// Newest documents of the output topics.
    pub model: Arc<ReadModel>,
    /// Every domain that was ever ours.
    pub domains: Mutex<BTreeMap<Domain, Arc<DomainStatus>>>,
    /// Counters of feeders and pushers.
    pub meters: meters::Meters,
    /// Trouble of feeders and pushers, by name.
    pub troubles: Mutex<BTreeMap<String, String>>,
    /// Drain and stop.
    pub stop: Arc<AtomicBool>,
    /// Why it must end without having been asked to.
    pub fatal: Mutex<Option<String>>,
}

impl Service {
    /// Says (or takes back) what keeps a part from working.
    pub fn trouble(&self, part: &str, trouble: Option<String>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            Some(trouble) => troubles.insert(part.to_owned(), trouble),
            None => troubles.remove(part),
        };
    }

    /// Ends the service with a reason.
    pub fn fail(&self, reason: String) {
        tracing::error!(reason, "the service ends");
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Every domain that was ever ours, in order.
    pub fn statuses(&self) -> Vec<Arc<DomainStatus>> {
        self.domains.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// Runs the service.
///
/// # Errors
/// The configuration is refused, the log cannot be opened, definitions differ from those in the log, or a person must look
/// at what went wrong while it ran.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let loaded = config::load(&args.config)?;
    loaded.warnings.iter().for_each(|warning| tracing::warn!("{}: {}", warning.spot.key, warning.rule));
    let config = loaded.config;
    let log = open(&config)?;
    let definitions = super::definitions::build(&config);
    let service = Arc::new(Service {
        definitions,
        log,
        clock: Arc::new(WallClock),
        view: Arc::default(),
        model: Arc::default(),
        domains: Mutex::default(),
        meters: meters::Meters::default(),
        troubles: Mutex::default(),
        stop: Arc::default(),
        fatal: Mutex::default(),
        config,
    });
    definitions::agree(&service, args.apply)?;
    start(&service)?;
    let fatal = service.fatal.lock().unwrap_or_else(PoisonError::into_inner).take();
    match fatal {
        Some(reason) => anyhow::bail!(reason),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Opens the log that the configuration names; wrong topics are refused.
///
/// # Errors
/// The directory cannot be opened (another process has it?), the brokers do not answer, or a topic is wrong.
pub fn open(config: &Config) -> anyhow::Result<Arc<dyn Log>> {
    match config.log {
        LogKind::Embedded => {
            let directory = &config.embedded.directory;
            let log = EmbeddedLog::in_directory(directory, 1, Arc::new(WallClock));
            Ok(Arc::new(log.with_context(|| format!("the log in {} cannot be opened", directory.display()))?))
        }
        LogKind::Kafka => {
            super::topics::require(config)?;
            Ok(Arc::new(KafkaLog::connect(config.kafka_options()).context("Kafka cannot be reached")?))
        }
    }
}

/// Starts everything, waits for the end, drains in the order of the flow.
fn start(service: &Arc<Service>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut tails = tail::start(service)?;
    service.trouble("membership", Some("not joined yet".to_owned()));
    let domains = spawn("membership", {
        let service = service.clone();
        move || domains::run(&service)
    })?;
    let feeders = feeders::start(service)?;
    let served = runtime.block_on(web::serve(service, feeders.doors.clone()));
    if let Err(error) = served {
        service.fail(format!("HTTP on {}: {error}", service.config.http.listen));
    }
    service.stop.store(true, Ordering::Relaxed);
    feeders.join();
    let _ = domains.join();
    tails.drain(..).for_each(|tail| drop(tail.join()));
    Ok(())
}

/// A named thread.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).with_context(|| format!("thread {name}"))
}
