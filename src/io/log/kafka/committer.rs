//! Committing: one transactional producer for each owned domain.
//!
//! The order matters. A transaction takes 100 ms and more unless every delivery is awaited *before* the offsets are sent; after
//! that, offsets and commit are two short requests. Whatever goes wrong, the transaction is aborted as far as it can be, and
//! this committer is used up: only taking the domain again tells what the brokers decided.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::super::{CommitError, Committer, Domain, Output, Retry, Topic, Transaction, accept};
use super::reader::ReadConsumer;
use super::{KafkaOptions, REQUEST, code, log_error, log_line, partition, retry};

type TransactionalProducer = BaseProducer<Outputs>;

/// Remembers the first output that was not delivered.
#[derive(Default)]
pub(super) struct Outputs {
    failed: AtomicBool,
    reason: Mutex<Option<KafkaError>>,
}

impl ClientContext for Outputs {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
    }
}

impl ProducerContext for Outputs {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result
            && !self.failed.swap(true, Ordering::SeqCst)
        {
            *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
        }
    }
}

/// Makes the producer of the domain, which fences any other and finishes what it had open.
pub(super) fn fence(options: &KafkaOptions, domain: Domain) -> Result<TransactionalProducer, Retry> {
    let id = options.named(&format!("domain-{domain}"));
    let timeout = options.transaction_timeout.as_millis();
    // Deliveries must give up before the coordinator does.
    let message_timeout = (timeout * 4 / 5).max(1).to_string();
    let config = options.config(
        &[("compression.codec", "lz4"), ("linger.ms", "1"), ("message.max.bytes", "1048576")],
        &[
            ("transactional.id", &id),
            ("transaction.timeout.ms", &timeout.to_string()),
            ("message.timeout.ms", &message_timeout),
            ("enable.idempotence", "true"),
            ("acks", "all"),
        ],
    );
    let producer: TransactionalProducer = config.create_with_context(Outputs::default()).map_err(retry)?;
    producer.init_transactions(options.transaction_timeout + REQUEST).map_err(retry)?;
    Ok(producer)
}

pub(super) struct KafkaCommitter {
    producer: TransactionalProducer,
    /// Of the facts reader: it knows the group.
    consumer: Arc<ReadConsumer>,
    facts: String,
    prefix: String,
    partition: i32,
    timeout: Duration,
    /// Set once this committer is used up.
    over: Option<CommitError>,
}

impl KafkaCommitter {
    pub(super) fn new(
        options: &KafkaOptions,
        domain: Domain,
        producer: TransactionalProducer,
        consumer: Arc<ReadConsumer>,
    ) -> KafkaCommitter {
        KafkaCommitter {
            producer,
            consumer,
            facts: options.topic(Topic::Facts),
            prefix: options.prefix.clone(),
            partition: partition(domain),
            timeout: options.transaction_timeout,
            over: None,
        }
    }

    fn run(&self, transaction: &Transaction, metadata: &str) -> Result<(), KafkaError> {
        self.producer.begin_transaction()?;
        transaction.outputs.iter().try_for_each(|output| self.send(output))?;
        self.drain()?;
        let mut offsets = TopicPartitionList::new();
        let mut offset = offsets.add_partition(&self.facts, self.partition);
        offset.set_offset(Offset::Offset(transaction.next))?;
        offset.set_metadata(metadata);
        let group = self.consumer.group_metadata().ok_or(KafkaError::Canceled)?;
        self.producer.send_offsets_to_transaction(&offsets, &group, self.timeout)?;
        self.finish()
    }

    fn send(&self, output: &Output) -> Result<(), KafkaError> {
        let topic = output.topic.name(&self.prefix);
        let mut record = BaseRecord::to(&topic).key(&output.key).partition(self.partition);
        record.payload = (!output.value.is_empty()).then_some(&output.value);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((e, back)) if code(&e) == Some(RDKafkaErrorCode::QueueFull) => {
                    record = back;
                    self.producer.poll(Duration::from_millis(1));
                }
                Err((e, _)) => return Err(e),
            }
        }
    }

    /// Awaits every delivery; each ends within the message time-out.
    fn drain(&self) -> Result<(), KafkaError> {
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::from_millis(1));
        }
        let outputs = self.producer.context();
        if !outputs.failed.load(Ordering::SeqCst) {
            return Ok(());
        }
        let reason = outputs.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Err(reason.unwrap_or(KafkaError::Canceled))
    }

    /// A commit that timed out may be asked for again: the brokers decide once.
    fn finish(&self) -> Result<(), KafkaError> {
        let again = |e: &KafkaError| matches!(e, KafkaError::Transaction(e) if e.is_retriable());
        match self.producer.commit_transaction(self.timeout) {
            Err(e) if again(&e) => self.producer.commit_transaction(self.timeout),
            done => done,
        }
    }

    /// Gives up the transaction, and tells what the caller is left with.
    fn give_up(&self, error: &KafkaError) -> CommitError {
        let aborted = self.producer.abort_transaction(self.timeout);
        let fenced = [Some(error), aborted.as_ref().err()].into_iter().flatten().any(is_fenced);
        let fatal = self.producer.client().fatal_error();
        if fenced || fatal.as_ref().is_some_and(|(code, _)| FENCED.contains(code)) {
            return CommitError::Lost(error.to_string());
        }
        match aborted {
            Ok(()) => CommitError::Restore(format!("aborted: {error}")),
            Err(e) => CommitError::Restore(format!("the outcome is unknown: {error}; abort: {e}")),
        }
    }
}

const FENCED: [RDKafkaErrorCode; 3] =
    [RDKafkaErrorCode::Fenced, RDKafkaErrorCode::ProducerFenced, RDKafkaErrorCode::InvalidProducerEpoch];

fn is_fenced(error: &KafkaError) -> bool {
    code(error).is_some_and(|code| FENCED.contains(&code))
}

impl Committer for KafkaCommitter {
    fn commit(&mut self, transaction: &Transaction) -> Result<(), CommitError> {
        if let Some(over) = &self.over {
            return Err(over.clone());
        }
        let metadata = accept(transaction)?;
        let Err(error) = self.run(transaction, &metadata) else { return Ok(()) };
        let outcome = self.give_up(&error);
        self.over = Some(outcome.clone());
        Err(outcome)
    }
}
