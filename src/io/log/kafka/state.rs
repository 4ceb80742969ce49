//! The state topic: written outside transactions, by a producer made when it is first needed.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext, PurgeConfig};

use super::super::snapshots::StateTopic;
use super::super::{Domain, Reader, Retry, Topic};
use super::reader::{self, KafkaReader};
use super::{KafkaOptions, code, log_error, log_line, partition, retry};

#[derive(Default)]
struct Chunks {
    failed: Mutex<Option<String>>,
}

impl ClientContext for Chunks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
    }
}

impl ProducerContext for Chunks {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        }
    }
}

pub(super) struct KafkaState {
    options: KafkaOptions,
    domain: Domain,
    producer: Option<BaseProducer<Chunks>>,
}

impl KafkaState {
    pub(super) fn new(options: &KafkaOptions, domain: Domain) -> KafkaState {
        KafkaState { options: options.clone(), domain, producer: None }
    }

    fn producer(&mut self) -> Result<&BaseProducer<Chunks>, Retry> {
        if self.producer.is_none() {
            let config = self.options.config(
                &[
                    ("compression.codec", "lz4"),
                    ("linger.ms", "0"),
                    ("message.max.bytes", "1048576"),
                    ("message.timeout.ms", "30000"),
                ],
                &[("enable.idempotence", "true"), ("acks", "all")],
            );
            self.producer = Some(config.create_with_context(Chunks::default()).map_err(retry)?);
        }
        self.producer.as_ref().ok_or_else(|| Retry("no producer".into()))
    }

    fn send(&mut self, records: &[(String, Vec<u8>)]) -> Result<(), Retry> {
        let (topic, partition) = (self.options.topic(Topic::State), partition(self.domain));
        let producer = self.producer()?;
        for (key, value) in records {
            let mut record = BaseRecord::to(&topic).key(key).partition(partition);
            record.payload = (!value.is_empty()).then_some(value);
            enqueue(producer, record)?;
        }
        while producer.in_flight_count() > 0 {
            producer.poll(Duration::from_millis(1));
        }
        match producer.context().failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(reason) => Err(Retry(reason)),
            None => Ok(()),
        }
    }
}

fn enqueue(
    producer: &BaseProducer<Chunks>,
    mut record: BaseRecord<'_, String, Vec<u8>>,
) -> Result<(), Retry> {
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((e, back)) if code(&e) == Some(RDKafkaErrorCode::QueueFull) => {
                record = back;
                producer.poll(Duration::from_millis(1));
            }
            Err((e, _)) => return Err(retry(e)),
        }
    }
}

impl StateTopic for KafkaState {
    fn put(&mut self, records: &[(String, Vec<u8>)]) -> Result<(), Retry> {
        let sent = self.send(records);
        if sent.is_err() {
            // What is left of a failed write must not be sent later, behind something newer.
            if let Some(producer) = self.producer.take() {
                producer.purge(PurgeConfig::default().queue().inflight());
            }
        }
        sent
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, Retry> {
        let consumer = Arc::new(reader::consumer(&self.options).map_err(retry)?);
        Ok(Box::new(KafkaReader::new(&self.options, consumer, Topic::State, self.domain)))
    }
}
