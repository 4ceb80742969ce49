//! The log on Apache Kafka.
//!
//! ```text
//!  Appender   one idempotent producer for all: lz4, no time-out, stops at the first failed delivery      appender
//!  Committer  a transactional producer for each owned domain, transactional.id = prefix-domain-N         committer
//!  Reader     a consumer for each reader, assigned by hand, read_committed, end of partition reported    reader
//!  Membership a consumer group that reads nothing: who has which domain                                  members
//!  topics     creates the topics, and says what is wrong with existing ones                              topics
//! ```
//!
//! Offsets stand in the group `prefix-scoring`, which never has members, so that a rebalance cannot refuse a commit; what keeps
//! zombies out is the transactional id of the domain. The instances meet in the group `prefix-instances`.
//!
//! A commit returns when it is decided; every reader sees it a moment later. Taking a domain waits for that.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::snapshots::StateSnapshots;
use super::{
    Appender, CommitMetadata, Committed, Domain, Log, Membership, Owned, Reader, Retry, Start, Topic,
};
use appender::{Intake, KafkaAppender};
use committer::KafkaCommitter;
use reader::{KafkaReader, ReadConsumer};
use state::KafkaState;

mod appender;
mod committer;
mod members;
mod reader;
mod state;
pub mod topics;

/// How long one request to the brokers may take, retries included.
pub(super) const REQUEST: Duration = Duration::from_secs(15);

/// How to reach the brokers and what to be called there.
#[derive(Clone)]
pub struct KafkaOptions {
    /// `host:port`, several with commas.
    pub brokers: String,
    /// Begins the names of topics, groups and transactional ids; sets installations on one cluster apart.
    pub prefix: String,
    /// Distinguishes this instance from others for as long as it lives: a restarted one gets its domains back without a
    /// rebalance. `None`: a new member at every start.
    pub instance: Option<String>,
    /// An instance that was silent for so long loses its domains. The brokers take 6 s to 30 min by default.
    pub session_timeout: Duration,
    /// A transaction that is open for so long is aborted. Longer than any pause a broker may need.
    pub transaction_timeout: Duration,
    /// Options of librdkafka, handed through: security, buffers, intervals.
    pub client: BTreeMap<String, String>,
}

impl KafkaOptions {
    /// The defaults, for these brokers and this prefix.
    pub fn new(brokers: &str, prefix: &str) -> KafkaOptions {
        KafkaOptions {
            brokers: brokers.to_owned(),
            prefix: prefix.to_owned(),
            instance: None,
            session_timeout: Duration::from_secs(10),
            transaction_timeout: Duration::from_secs(10),
            client: BTreeMap::new(),
        }
    }

    /// The full name of a topic.
    pub fn topic(&self, topic: Topic) -> String {
        topic.name(&self.prefix)
    }

    /// `prefix-suffix`, or the bare suffix.
    pub(crate) fn named(&self, suffix: &str) -> String {
        if self.prefix.is_empty() { suffix.to_owned() } else { format!("{}-{suffix}", self.prefix) }
    }

    /// `defaults`, then what the user gave, then what must not be otherwise.
    pub(crate) fn config(&self, defaults: &[(&str, &str)], required: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("client.id", self.named("shiftpulse"));
        config.set("reconnect.backoff.max.ms", "2000").set("socket.nagle.disable", "true");
        for (key, value) in defaults {
            config.set(*key, *value);
        }
        for (key, value) in &self.client {
            config.set(key, value);
        }
        for (key, value) in required {
            config.set(*key, *value);
        }
        config
    }

    /// A client of whatever kind that only asks questions.
    fn asking(&self) -> ClientConfig {
        self.config(&[], &[])
    }
}

impl fmt::Debug for KafkaOptions {
    /// Without the values of the client options: passwords are among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaOptions")
            .field("brokers", &self.brokers)
            .field("prefix", &self.prefix)
            .field("instance", &self.instance)
            .field("client", &self.client.keys())
            .finish_non_exhaustive()
    }
}

/// The log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// An option that librdkafka does not know, or a value it does not take.
    #[error("client options: {0}")]
    Options(String),
    /// The brokers do not answer.
    #[error("no answer from {brokers}: {reason}")]
    Unreachable {
        /// As configured.
        brokers: String,
        /// For people.
        reason: String,
    },
    /// The facts topic is not there.
    #[error("topic {0} does not exist: create the topics first")]
    NoTopic(String),
}

/// The log on a Kafka cluster. One value for a process.
pub struct KafkaLog {
    shared: Arc<Shared>,
}

struct Shared {
    options: KafkaOptions,
    domains: u32,
    intake: Mutex<Arc<Intake>>,
}

impl KafkaLog {
    /// Connects, and counts the partitions of the facts topic. [`topics::check`] says more about the topics.
    pub fn connect(options: KafkaOptions) -> Result<KafkaLog, ConnectError> {
        let domains = count_domains(&options)?;
        let intake = Intake::start(&options).map_err(|e| ConnectError::Options(e.to_string()))?;
        Ok(KafkaLog { shared: Arc::new(Shared { options, domains, intake: Mutex::new(intake) }) })
    }
}

fn count_domains(options: &KafkaOptions) -> Result<u32, ConnectError> {
    let name = options.topic(Topic::Facts);
    let client = reader::consumer(options).map_err(|e| ConnectError::Options(e.to_string()))?;
    let metadata = client
        .fetch_metadata(Some(&name), REQUEST)
        .map_err(|e| ConnectError::Unreachable { brokers: options.brokers.clone(), reason: e.to_string() })?;
    let partitions = metadata.topics().iter().find(|t| t.name() == name).map_or(0, |t| t.partitions().len());
    match u32::try_from(partitions) {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(ConnectError::NoTopic(name)),
    }
}

impl Log for KafkaLog {
    fn domains(&self) -> u32 {
        self.shared.domains
    }

    fn appender(&self, domain: Domain) -> Box<dyn Appender> {
        Box::new(KafkaAppender::new(&self.shared, domain))
    }

    fn own(&self, domain: Domain) -> Result<Owned, Retry> {
        let options = &self.shared.options;
        // First the fence, then the offset: only then can it not change any more.
        let producer = committer::fence(options, domain)?;
        let consumer = Arc::new(reader::consumer(options).map_err(retry)?);
        let committed = committed(options, &consumer, domain)?;
        let facts = KafkaReader::new(options, Arc::clone(&consumer), Topic::Facts, domain);
        let committer = KafkaCommitter::new(options, domain, producer, consumer);
        let state = KafkaState::new(options, domain);
        Ok(Owned {
            committed,
            facts: Box::new(facts),
            committer: Box::new(committer),
            snapshots: Box::new(StateSnapshots::new(state, domain)),
        })
    }

    fn committed(&self, domain: Domain) -> Result<Option<Committed>, Retry> {
        let options = &self.shared.options;
        committed(options, &reader::consumer(options).map_err(retry)?, domain)
    }

    fn tail(&self, topic: Topic, domain: Domain, from: Start) -> Result<Box<dyn Reader>, Retry> {
        let options = &self.shared.options;
        let consumer = Arc::new(reader::consumer(options).map_err(retry)?);
        let mut reader = KafkaReader::new(options, consumer, topic, domain);
        reader.seek(from).map_err(retry)?;
        Ok(Box::new(reader))
    }

    fn join(&self) -> Result<Box<dyn Membership>, Retry> {
        Ok(Box::new(members::Members::join(&self.shared.options)?))
    }
}

/// The offset of the group, which read_committed makes the broker hold back while a transaction on it is undecided.
fn committed(
    options: &KafkaOptions,
    consumer: &ReadConsumer,
    domain: Domain,
) -> Result<Option<Committed>, Retry> {
    let mut asked = TopicPartitionList::new();
    asked.add_partition(&options.topic(Topic::Facts), partition(domain));
    let answered = consumer.committed_offsets(asked, REQUEST).map_err(retry)?;
    let Some(found) = answered.elements().pop() else { return Ok(None) };
    found.error().map_err(retry)?;
    match found.offset() {
        Offset::Offset(next) => {
            let metadata = CommitMetadata::decode(found.metadata()).map_err(Retry)?;
            Ok(Some(Committed { next, metadata }))
        }
        _ => Ok(None),
    }
}

fn partition(domain: Domain) -> i32 {
    i32::try_from(domain.0).unwrap_or(i32::MAX)
}

fn retry(e: impl fmt::Display) -> Retry {
    Retry(e.to_string())
}

/// Sends what librdkafka says to the log of the service.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
    }
}

impl ConsumerContext for Quiet {}

pub(crate) fn log_line(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => {
            tracing::warn!(target: "kafka", facility, "{message}");
        }
        RDKafkaLogLevel::Warning => tracing::info!(target: "kafka", facility, "{message}"),
        _ => tracing::debug!(target: "kafka", facility, "{message}"),
    }
}

pub(crate) fn log_error(error: &KafkaError, reason: &str) {
    // The end of a partition comes this way too, many times a second, and is what we asked for.
    if code(error) == Some(RDKafkaErrorCode::PartitionEOF) {
        return;
    }
    tracing::warn!(target: "kafka", "{error}: {reason}");
}

/// The code in an error, where it has one.
fn code(error: &KafkaError) -> Option<RDKafkaErrorCode> {
    match error {
        KafkaError::Transaction(e) => Some(e.code()),
        other => other.rdkafka_error_code(),
    }
}
