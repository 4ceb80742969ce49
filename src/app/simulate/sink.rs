//! Where simulated records go.

use super::Args;
use crate::io::traffic::Delivery;
use anyhow::{Context, Result, bail};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Takes records in order.
pub(super) trait Sink {
    /// Takes one.
    fn send(&mut self, delivery: &Delivery) -> Result<()>;
    /// Sends on what is still held back.
    fn flush(&mut self) -> Result<()>;
    /// Sends on everything and fails if anything was lost.
    fn close(&mut self) -> Result<()>;
}

/// The sink that the options name.
pub(super) fn open(args: &Args) -> Result<Box<dyn Sink>> {
    match (&args.file, &args.topic, &args.brokers) {
        (Some(path), ..) if path.as_os_str() == "-" => Ok(Box::new(Lines(BufWriter::new(std::io::stdout())))),
        (Some(path), ..) => {
            let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
            Ok(Box::new(Lines(BufWriter::with_capacity(1 << 20, file))))
        }
        (None, Some(topic), Some(brokers)) => Ok(Box::new(Topic::open(topic, brokers, args)?)),
        _ => bail!("name a --file, or a --topic with --brokers"),
    }
}

/// One record a line.
struct Lines<W: Write>(BufWriter<W>);

impl<W: Write> Sink for Lines<W> {
    fn send(&mut self, delivery: &Delivery) -> Result<()> {
        self.0.write_all(&delivery.bytes)?;
        Ok(self.0.write_all(b"\n")?)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(self.0.flush()?)
    }

    fn close(&mut self) -> Result<()> {
        self.flush()
    }
}

/// Remembers the first failed delivery.
#[derive(Clone, Default)]
struct Failures(Arc<Mutex<Option<KafkaError>>>);

impl ClientContext for Failures {}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let (Err((error, _)), Ok(mut first)) = (result, self.0.lock()) {
            first.get_or_insert_with(|| error.clone());
        }
    }
}

/// A topic; the record's timestamp is the simulated moment at which it reaches the source.
struct Topic {
    name: String,
    producer: BaseProducer<Failures>,
    failures: Failures,
}

impl Topic {
    fn open(name: &str, brokers: &str, args: &Args) -> Result<Self> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers)
            .set("client.id", "shiftpulse-simulate")
            .set("enable.idempotence", "true")
            .set("compression.type", "lz4")
            .set("linger.ms", "5")
            .set("batch.size", "500000")
            .set("queue.buffering.max.messages", "500000");
        for option in &args.kafka {
            let Some((key, value)) = option.split_once('=') else {
                bail!("--kafka {option}: write it as key=value");
            };
            config.set(key, value);
        }
        let failures = Failures::default();
        let producer: BaseProducer<Failures> =
            config.create_with_context(failures.clone()).context("set up the producer")?;
        let topic = Self { name: name.to_owned(), producer, failures };
        topic.check(args.partitions)?;
        Ok(topic)
    }

    /// Refuses a topic that is not there or has too few partitions.
    fn check(&self, partitions: i32) -> Result<()> {
        let timeout = Duration::from_secs(10);
        let metadata = self.producer.client().fetch_metadata(Some(&self.name), timeout);
        let metadata = metadata.context("reach the brokers")?;
        let found = metadata.topics().iter().find(|topic| topic.name() == self.name);
        let found = found.filter(|topic| topic.error().is_none()).map_or(0, |topic| topic.partitions().len());
        if found == 0 {
            bail!("topic {} does not exist", self.name);
        }
        if (found as i32) < partitions {
            bail!("topic {} has {found} partitions, --partitions asks for {partitions}", self.name);
        }
        Ok(())
    }

    fn failure(&self) -> Result<()> {
        match self.failures.0.lock() {
            Ok(failure) => match failure.as_ref() {
                Some(error) => bail!("a record was not delivered: {error}"),
                None => Ok(()),
            },
            Err(_) => bail!("the delivery callback panicked"),
        }
    }
}

impl Sink for Topic {
    fn send(&mut self, delivery: &Delivery) -> Result<()> {
        if delivery.index.is_multiple_of(256) {
            self.producer.poll(Duration::ZERO);
            self.failure()?;
        }
        let mut record: BaseRecord<'_, (), [u8]> = BaseRecord::to(&self.name)
            .partition(delivery.partition)
            .payload(&delivery.bytes[..])
            .timestamp(delivery.at_ms);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    self.producer.poll(Duration::from_millis(20));
                    self.failure()?;
                    record = back;
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.producer.poll(Duration::ZERO);
        self.failure()
    }

    fn close(&mut self) -> Result<()> {
        self.producer.flush(Duration::from_secs(60)).context("flush the producer")?;
        self.failure()
    }
}
