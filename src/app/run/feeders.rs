//! The feeders: one thread for each source, from the source to `facts`.

use super::{Service, spawn};
use crate::app::config::SourceKind;
use crate::io::intake::feeder::Feeder;
use crate::io::intake::positions::Positions;
use crate::io::intake::{Intake, Settings};
use crate::io::log::{Domain, Start, Topic};
use crate::io::source::file::FileSource;
use crate::io::source::http::{self, Door};
use crate::io::source::kafka::KafkaSource;
use crate::io::source::{Origin, Source};
use crate::io::stopwatch::Stopwatch;
use crate::wire::native::CustomerKey;
use anyhow::Context;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Counters are shown so often.
const COUNTED: Duration = Duration::from_secs(1);

/// Running feeders.
pub struct Feeders {
    threads: Vec<JoinHandle<()>>,
    /// Where POSTs go in, if a source is HTTP.
    pub doors: Option<Door>,
}

impl Feeders {
    /// Waits for all; they end when the service stops.
    pub fn join(self) {
        self.threads.into_iter().for_each(|thread| drop(thread.join()));
    }
}

/// Starts a feeder for each source of the configuration; all Kafka topics share one consumer.
pub fn start(service: &Arc<Service>) -> anyhow::Result<Feeders> {
    let key = customer_key(service)?;
    let mut feeders = Feeders { threads: Vec::new(), doors: None };
    let sources = &service.config.sources;
    let topics: Vec<String> =
        sources.iter().filter(|s| matches!(s.kind, SourceKind::Kafka { .. })).map(|s| s.topic()).collect();
    if !topics.is_empty() {
        let options = service.config.kafka_options();
        let source =
            KafkaSource::subscribe(&options, &topics).context("the input topics cannot be subscribed")?;
        feeders.feed(service, "kafka", Box::new(source), key, Positions::default())?;
    }
    for source in sources {
        let origin = Origin { topic: source.topic(), partition: 0 };
        let name = origin.topic.trim_start_matches('$').to_owned();
        match &source.kind {
            SourceKind::Kafka { .. } => {}
            SourceKind::Http => {
                let (door, http) = http::open(origin, life(service), key);
                feeders.doors = Some(door);
                feeders.feed(service, &name, Box::new(http), key, Positions::default())?;
            }
            SourceKind::File { path, .. } => {
                let file = FileSource::follow(path, origin);
                feeders.feed(service, &name, Box::new(file), key, positions(service)?)?;
            }
        }
    }
    Ok(feeders)
}

impl Feeders {
    fn feed(
        &mut self,
        service: &Arc<Service>,
        name: &str,
        source: Box<dyn Source>,
        key: CustomerKey,
        positions: Positions,
    ) -> anyhow::Result<()> {
        let backfill =
            service.config.sources.iter().filter(|source| source.backfill).map(|source| source.topic());
        let settings = Settings { key, backfill: backfill.collect(), positions };
        let intake = Intake::new(settings, service.log.appender(Domain(0)));
        let feeder = Feeder::new(source, intake, service.clock.clone());
        let (service, name, part) = (service.clone(), name.to_owned(), format!("source {name}"));
        service.meters.intake(&name, feeder.intake().counts());
        let mut counted = Stopwatch::start();
        self.threads.push(spawn(&format!("feeder-{name}"), move || {
            let ended = feeder.run(&service.stop, |feeder| {
                service.trouble(&part, feeder.trouble().map(str::to_owned));
                if counted.has(COUNTED) {
                    service.meters.intake(&name, feeder.intake().counts());
                    counted = Stopwatch::start();
                }
            });
            if let Err(ended) = ended {
                service.fail(format!("{part}: {ended}"));
            }
        })?);
        Ok(())
    }
}

/// How far each partition stands in facts: for sources that remember nothing themselves.
fn positions(service: &Service) -> anyhow::Result<Positions> {
    let mut positions = Positions::default();
    for domain in (0..service.log.domains()).map(Domain) {
        let mut facts = service.log.tail(Topic::Facts, domain, Start::Beginning)?;
        positions.read(&mut *facts)?;
    }
    Ok(positions)
}

/// Another number at every start of every instance.
fn life(service: &Service) -> u64 {
    let now = u64::try_from(service.clock.now_ms()).unwrap_or(0);
    now << 20 | u64::from(std::process::id()) & 0xf_ffff
}

/// The secret of customer hashes: every instance, and every run, must give the same customer the same hash.
fn customer_key(service: &Service) -> anyhow::Result<CustomerKey> {
    let secret = service.config.customer_secret()?;
    if secret.is_none() {
        tracing::info!("no privacy.customer_key_file: customers are hashed without a secret");
    }
    Ok(CustomerKey::new(&secret.unwrap_or_default()))
}
