//! Apache Kafka itself, one node, started through `deploy/kafka/broker.sh` as a person would.
//!
//! Tests share [`Broker::shared`] and keep apart by topic names from [`Broker::unique`]; a test that kills or freezes the broker
//! starts its own with [`Broker::start`]. `SHIFTPULSE_TEST_KAFKA=host:port` makes a given broker the shared one.

use super::process::Process;
use super::wait;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Message, OwnedMessage};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A cold start with the jars still to be fetched, on a busy machine.
const TO_BE_READY: Duration = Duration::from_secs(180);
/// One request to a healthy broker.
const REQUEST: Duration = Duration::from_secs(30);

/// A Kafka broker: one that this value started and stops again, or a given one.
pub struct Broker {
    address: String,
    node: Option<Node>,
}

struct Node {
    process: Process,
    ports: (u16, u16),
    data: tempfile::TempDir,
}

impl Broker {
    /// The broker that all tests of this process share. It ends with the process.
    pub fn shared() -> &'static Broker {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(|| {
            std::env::var("SHIFTPULSE_TEST_KAFKA").map_or_else(|_| Broker::start(), Broker::given)
        })
    }

    /// A broker of its own, with empty data. Dropping it kills it and removes the data.
    pub fn start() -> Broker {
        for _ in 0..3 {
            let mut node = Node::start();
            match node.wait_ready() {
                Ok(()) => return Broker { address: node.address(), node: Some(node) },
                Err(output) if output.contains("Address already in use") => continue,
                Err(output) => panic!("Kafka ended before it was ready:\n{output}"),
            }
        }
        panic!("three times another process took the port that Kafka was about to listen on");
    }

    fn given(address: String) -> Broker {
        wait::until(&format!("the given broker {address}"), REQUEST, || metadata(&address));
        Broker { address, node: None }
    }

    /// `host:port`, for `bootstrap.servers`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Client settings with the address in them, to add to.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.address);
        config
    }

    /// A name that no other test and no earlier run uses: for topics, groups and transactional ids.
    pub fn unique(test: &str) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_millis();
        format!("{test}-{}-{}-{}", now, std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Creates a topic with Kafka's defaults (timestamps are the producer's: `CreateTime`).
    pub fn create_topic(&self, name: &str, partitions: i32) {
        self.create_topic_with(name, partitions, &[]);
    }

    /// Creates a topic whose timestamps are the broker's: `LogAppendTime`.
    pub fn create_append_time_topic(&self, name: &str, partitions: i32) {
        self.create_topic_with(name, partitions, &[("message.timestamp.type", "LogAppendTime")]);
    }

    /// Creates a topic with these settings and waits until every partition has a leader.
    pub fn create_topic_with(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let topic = settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        let admin = self.admin();
        let options = AdminOptions::new().operation_timeout(Some(REQUEST));
        let created = block_on(admin.create_topics([&topic], &options)).expect("the broker answers");
        created[0].as_ref().unwrap_or_else(|error| panic!("topic {name} is not created: {error:?}"));
        wait::until(&format!("leaders of {name}"), REQUEST, || {
            let known =
                admin.inner().fetch_metadata(Some(name), REQUEST).map_err(|error| error.to_string())?;
            let partitions_led =
                known.topics()[0].partitions().iter().filter(|one| one.leader() >= 0).count();
            (partitions_led == partitions as usize)
                .then_some(())
                .ok_or(format!("{partitions_led} of {partitions}"))
        });
    }

    /// An admin client.
    pub fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.client().create().expect("an admin client")
    }

    /// At least `count` records as a `read_committed` reader sees them. A commit returns when the coordinator has decided; the
    /// marker that makes the records visible follows, after a restart of the broker even seconds later, so this waits.
    #[track_caller]
    pub fn await_committed(&self, topic: &str, count: usize) -> Vec<OwnedMessage> {
        wait::until(&format!("{count} committed records in {topic}"), REQUEST, || {
            let records = self.read_committed(topic);
            if records.len() >= count { Ok(records) } else { Err(format!("{}", records.len())) }
        })
    }

    /// What a `read_committed` reader sees of a topic now, partition by partition, up to the stable end of each.
    pub fn read_committed(&self, topic: &str) -> Vec<OwnedMessage> {
        self.read(topic, "read_committed")
    }

    /// Every record of a topic, those of open and aborted transactions too.
    pub fn read_uncommitted(&self, topic: &str) -> Vec<OwnedMessage> {
        self.read(topic, "read_uncommitted")
    }

    /// Reads to the partition-end events: transaction markers take offsets, so "up to the last offset" would hang.
    fn read(&self, topic: &str, isolation: &str) -> Vec<OwnedMessage> {
        let consumer: BaseConsumer = self
            .client()
            .set("group.id", "reads-without-committing")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", isolation)
            .create()
            .expect("a consumer");
        let mut open = assign_from_start(&consumer, topic);
        let mut records = Vec::new();
        while !open.is_empty() {
            match consumer.poll(REQUEST) {
                Some(Ok(message)) => records.push(message.detach()),
                Some(Err(KafkaError::PartitionEOF(partition))) => drop(open.remove(&partition)),
                Some(Err(error)) => panic!("reading {topic}: {error}"),
                None => panic!("reading {topic}: nothing from partitions {open:?} within {REQUEST:?}"),
            }
        }
        records.sort_by_key(|record| (record.partition(), record.offset()));
        records
    }

    /// SIGKILL, as a power cut that spares the disk. [`Broker::await_committed`] first what must be seen afterwards: a lone
    /// node that starts again is fenced for a moment, takes its leaderless partitions for deleted ones and drops the markers of
    /// transactions that were decided and not yet marked; readers then wait for ever. With replicas another node writes them.
    pub fn kill(&mut self) {
        self.node().process.kill();
    }

    /// Starts it again at the same address on the same data, and waits until it answers.
    pub fn restart(&mut self) {
        let node = self.node();
        node.process.kill();
        node.process = run(node.data.path(), node.ports);
        node.wait_ready().unwrap_or_else(|output| panic!("Kafka ended as it was restarted:\n{output}"));
    }

    /// SIGSTOP: connections stay open and nothing answers.
    pub fn pause(&mut self) {
        self.node().process.pause();
    }

    /// SIGCONT.
    pub fn resume(&mut self) {
        self.node().process.resume();
    }

    fn node(&mut self) -> &mut Node {
        self.node.as_mut().expect("a given broker is not ours to stop: use Broker::start")
    }
}

impl Node {
    fn start() -> Node {
        let ports = (wait::free_port(), wait::free_port());
        let data = wait::directory("kafka");
        Node { process: run(data.path(), ports), ports, data }
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.0)
    }

    /// Waits until the broker answers a metadata request; its output if it ends first.
    fn wait_ready(&mut self) -> Result<(), String> {
        let address = self.address();
        wait::until("Kafka's first answer", TO_BE_READY, || {
            if !self.process.is_running() {
                return Ok(Err(self.process.all_output()));
            }
            metadata(&address).map(Ok).map_err(|why| format!("{why}\n{}", self.process.tail()))
        })
    }
}

fn run(data: &Path, (port, controller): (u16, u16)) -> Process {
    let mut command = Command::new(wait::repository("deploy/kafka/broker.sh"));
    command.arg("run").arg(data).args([port.to_string(), controller.to_string()]);
    if std::env::var_os("SHIFTPULSE_KAFKA_HOME").is_none() {
        command.env("SHIFTPULSE_KAFKA_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("../kafka"));
    }
    Process::start("Kafka", &command)
}

/// Asks for a node that serves clients. The socket is tried first, since a client logs each refused connection.
fn metadata(address: &str) -> Result<(), String> {
    std::net::TcpStream::connect(address).map_err(|error| error.to_string())?;
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", address).create().map_err(|error| error.to_string())?;
    let known =
        admin.inner().fetch_metadata(None, Duration::from_secs(2)).map_err(|error| error.to_string())?;
    (!known.brokers().is_empty()).then_some(()).ok_or("no broker in the cluster yet".into())
}

fn assign_from_start(consumer: &BaseConsumer, topic: &str) -> BTreeSet<i32> {
    let known = consumer.fetch_metadata(Some(topic), REQUEST).expect("the broker answers");
    let partitions: BTreeSet<i32> = known.topics()[0].partitions().iter().map(|one| one.id()).collect();
    let mut list = TopicPartitionList::new();
    for partition in &partitions {
        list.add_partition_offset(topic, *partition, Offset::Beginning).expect("a valid offset");
    }
    consumer.assign(&list).expect("partitions of an existing topic");
    partitions
}

/// Runs a future of rdkafka to its end; its own threads complete it, so it needs no reactor.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}
