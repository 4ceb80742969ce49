//! The topics of a run: made before it, sent to, deleted after it.

use crate::io::log::Topic;
use crate::io::log::kafka::{KafkaOptions, topics};
use crate::io::traffic::Delivery;
use anyhow::{Context, Result, bail};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How the product reaches the brokers in this run; `topic` is the prefix of its own topics.
pub fn options(brokers: &str, topic: &str) -> KafkaOptions {
    KafkaOptions::new(brokers, topic)
}

/// Makes the topic that events are read from.
pub fn make(brokers: &str, topic: &str, partitions: i32) -> Result<()> {
    topics::create_input(&options(brokers, topic), topic, partitions, 1)
        .context("make the topic of the events")?;
    Ok(())
}

/// Deletes everything that a run has made; what cannot be deleted stays.
pub fn forget(brokers: &str, topic: &str) {
    let deleted = || -> Result<()> {
        let names: Vec<String> = ["", "-live"]
            .map(|end| format!("{topic}{end}"))
            .into_iter()
            .flat_map(|name| Topic::ALL.map(|own| own.name(&name)).into_iter().chain([name]))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", brokers).create()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(15)));
        runtime.block_on(admin.delete_topics(&names, &options))?;
        Ok(())
    };
    if let Err(error) = deleted() {
        tracing::info!("topics of the bench stay: {error:#}");
    }
}

/// Whether a delivery has failed.
#[derive(Clone, Default)]
struct Failed(Arc<AtomicBool>);

impl ClientContext for Failed {}

impl ProducerContext for Failed {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.0.fetch_or(result.is_err(), Ordering::Relaxed);
    }
}

/// Sends events to a topic, as a producer would that loses nothing.
pub struct Sender {
    topic: String,
    producer: BaseProducer<Failed>,
    failed: Failed,
}

impl Sender {
    /// A sender that waits up to `linger` ms for company.
    pub fn new(brokers: &str, topic: &str, linger: u32) -> Result<Self> {
        let failed = Failed::default();
        let producer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("client.id", "shiftpulse-bench")
            .set("enable.idempotence", "true")
            .set("compression.type", "lz4")
            .set("linger.ms", linger.to_string())
            .set("batch.size", "500000")
            .set("queue.buffering.max.messages", "500000")
            .create_with_context(failed.clone())
            .context("set up the producer")?;
        Ok(Self { topic: topic.to_owned(), producer, failed })
    }

    /// Sends a simulated event.
    pub fn deliver(&self, delivery: &Delivery) -> Result<()> {
        self.send(delivery.partition, &delivery.bytes)
    }

    /// Sends one record; waits while the queue is full.
    pub fn send(&self, partition: i32, bytes: &[u8]) -> Result<()> {
        let mut record: BaseRecord<'_, (), [u8]> =
            BaseRecord::to(&self.topic).partition(partition).payload(bytes);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    self.poll(Duration::from_millis(20))?;
                    record = back;
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    /// Hears what has become of what was sent.
    pub fn poll(&self, wait: Duration) -> Result<()> {
        self.producer.poll(wait);
        if self.failed.0.load(Ordering::Relaxed) {
            bail!("a record was not delivered");
        }
        Ok(())
    }

    /// Waits until everything is delivered.
    pub fn finish(&self) -> Result<()> {
        self.producer.flush(Duration::from_secs(60)).context("send the last records")?;
        self.poll(Duration::ZERO)
    }
}
