//! Appending: one idempotent producer for all appenders of the process.
//!
//! Messages never time out. An idempotent producer would skip a timed-out message and go on with later ones ("1, 4, 5"), and
//! a hole in the facts is worse than a pause: while the brokers are away the queue fills, and [`AppendError::Full`] says so.
//! What fails all the same (a topic taken away, a fatal error) stops every appender of the producer; the first to resume
//! starts a new producer.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext, PurgeConfig};

use super::super::{AppendError, Appender, Domain, MAX_VALUE, Retry, Stopped, Ticket, Topic};
use super::{KafkaOptions, Shared, code, log_error, log_line, partition, retry};

/// The producer, and whether it has failed.
pub(super) struct Intake {
    producer: BaseProducer<Deliveries>,
    purged: AtomicBool,
}

/// Set by the first failed delivery.
#[derive(Default)]
pub(super) struct Deliveries {
    failed: AtomicBool,
    reason: Mutex<String>,
}

impl Deliveries {
    fn fail(&self, reason: String) {
        if !self.failed.swap(true, Ordering::SeqCst) {
            tracing::warn!(target: "kafka", reason, "appending stopped");
            *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
        }
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
        if code(&error) == Some(RDKafkaErrorCode::Fatal) {
            self.fail(reason.to_owned());
        }
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Sent>;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Box<Sent>) {
        match result {
            Ok(_) => sent.track.lock().done(sent.ticket),
            Err((error, _)) => {
                self.fail(error.to_string());
                sent.track.lock().failed();
            }
        }
    }
}

/// A message under way.
pub(super) struct Sent {
    track: Arc<Track>,
    ticket: u64,
}

/// What has become of the messages of one appender since it last resumed.
#[derive(Default)]
struct Track(Mutex<Progress>);

#[derive(Default)]
struct Progress {
    /// All up to here are durable.
    acked: u64,
    /// Durable, but something before them is not yet: other topics have other connections.
    ahead: BTreeSet<u64>,
    under_way: u64,
}

impl Track {
    fn from(acked: u64) -> Arc<Track> {
        Arc::new(Track(Mutex::new(Progress { acked, ..Progress::default() })))
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn done(&mut self, ticket: u64) {
        self.under_way -= 1;
        self.ahead.insert(ticket);
        while self.ahead.remove(&(self.acked + 1)) {
            self.acked += 1;
        }
    }

    fn failed(&mut self) {
        self.under_way -= 1;
    }
}

impl Intake {
    pub(super) fn start(options: &KafkaOptions) -> Result<Arc<Intake>, KafkaError> {
        let config = options.config(
            &[
                ("compression.codec", "lz4"),
                ("linger.ms", "0"),
                ("queue.buffering.max.kbytes", "65536"),
                ("message.max.bytes", "1048576"),
            ],
            &[
                ("enable.idempotence", "true"),
                ("enable.gapless.guarantee", "true"),
                ("acks", "all"),
                ("message.timeout.ms", "0"),
            ],
        );
        let producer = config.create_with_context(Deliveries::default())?;
        Ok(Arc::new(Intake { producer, purged: AtomicBool::new(false) }))
    }

    fn failed(&self) -> bool {
        self.producer.context().failed.load(Ordering::SeqCst)
    }

    fn reason(&self) -> String {
        self.producer.context().reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves deliveries. Once failed, what is still under way is given up.
    fn serve(&self) {
        if self.failed() && !self.purged.swap(true, Ordering::SeqCst) {
            self.producer.purge(PurgeConfig::default().queue().inflight());
        }
        self.producer.poll(Duration::ZERO);
    }
}

pub(super) struct KafkaAppender {
    shared: Arc<Shared>,
    domain: Domain,
    facts: String,
    letters: String,
    intake: Arc<Intake>,
    track: Arc<Track>,
    issued: u64,
}

impl KafkaAppender {
    pub(super) fn new(shared: &Arc<Shared>, domain: Domain) -> KafkaAppender {
        KafkaAppender {
            shared: Arc::clone(shared),
            domain,
            facts: shared.options.topic(Topic::Facts),
            letters: shared.options.topic(Topic::DeadLetters),
            intake: Arc::clone(&shared.intake()),
            track: Track::from(0),
            issued: 0,
        }
    }

    fn send(&mut self, topic: Topic, key: Option<&str>, value: &[u8]) -> Result<Ticket, AppendError> {
        if value.len() > MAX_VALUE {
            return Err(AppendError::TooLarge { bytes: value.len() });
        }
        if self.intake.failed() {
            return Err(AppendError::Stopped);
        }
        let name = if topic == Topic::Facts { &self.facts } else { &self.letters };
        let ticket = self.issued + 1;
        let sent = Box::new(Sent { track: Arc::clone(&self.track), ticket });
        let mut record =
            BaseRecord::with_opaque_to(name, sent).payload(value).partition(partition(self.domain));
        record.key = key;
        // Counted first: its delivery may be served by another thread before `send` returns.
        self.track.lock().under_way += 1;
        if let Err((error, _)) = self.intake.producer.send(record) {
            self.track.lock().failed();
            return Err(self.refuse(&error));
        }
        self.issued = ticket;
        Ok(Ticket(ticket))
    }

    fn refuse(&self, error: &KafkaError) -> AppendError {
        match code(error) {
            Some(RDKafkaErrorCode::QueueFull) => AppendError::Full,
            _ => {
                self.intake.producer.context().fail(error.to_string());
                AppendError::Stopped
            }
        }
    }
}

impl Shared {
    fn intake(&self) -> MutexGuard<'_, Arc<Intake>> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The producer that works; a new one where it does not.
    fn working_intake(&self) -> Result<Arc<Intake>, KafkaError> {
        let mut intake = self.intake();
        if intake.failed() {
            *intake = Intake::start(&self.options)?;
        }
        Ok(Arc::clone(&intake))
    }
}

impl Appender for KafkaAppender {
    fn append(&mut self, batch: &[u8]) -> Result<Ticket, AppendError> {
        self.send(Topic::Facts, None, batch)
    }

    fn dead_letter(&mut self, key: &str, value: &[u8]) -> Result<Ticket, AppendError> {
        self.send(Topic::DeadLetters, Some(key), value)
    }

    fn acked(&mut self) -> Result<Ticket, Stopped> {
        self.intake.serve();
        let progress = self.track.lock();
        let acked = Ticket(progress.acked);
        // As long as something is under way it may still become durable.
        if self.intake.failed() && progress.under_way == 0 {
            return Err(Stopped { acked, reason: self.intake.reason() });
        }
        Ok(acked)
    }

    fn resume(&mut self) -> Result<Ticket, Retry> {
        if !self.intake.failed() {
            return Ok(Ticket(self.issued));
        }
        self.intake.serve();
        let progress = self.track.lock();
        if progress.under_way > 0 {
            return Err(Retry("messages are still under way".into()));
        }
        let acked = progress.acked;
        drop(progress);
        self.intake = self.shared.working_intake().map_err(retry)?;
        self.track = Track::from(acked);
        self.issued = acked;
        Ok(Ticket(acked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acks_out_of_order_count_when_the_row_is_closed() {
        let mut progress = Progress { under_way: 4, ..Progress::default() };
        let mut done = |ticket| {
            progress.done(ticket);
            progress.acked
        };
        assert_eq!([done(2), done(4), done(1), done(3)], [0, 0, 2, 4]);
    }

    #[test]
    fn what_failed_leaves_a_hole_that_nothing_after_it_jumps() {
        let mut progress = Progress { under_way: 3, ..Progress::default() };
        progress.done(1);
        progress.failed();
        progress.done(3);
        assert_eq!((progress.acked, progress.under_way), (1, 0));
    }
}
