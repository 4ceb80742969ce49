//! The broker is a real one: it commits, it aborts, and it is the same after a kill.

use crate::support::kafka::Broker;
use rdkafka::Message;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use std::time::Duration;

const REQUEST: Duration = Duration::from_secs(30);

type TransactionalProducer = ThreadedProducer<DefaultProducerContext>;

fn producer(broker: &Broker, id: &str) -> TransactionalProducer {
    let producer: TransactionalProducer =
        broker.client().set("transactional.id", id).create().expect("a producer");
    producer.init_transactions(REQUEST).expect("transactions");
    producer
}

fn send(producer: &TransactionalProducer, topic: &str, value: &str) {
    producer.begin_transaction().expect("a transaction");
    producer
        .send(BaseRecord::to(topic).key("key").payload(value))
        .map_err(|(error, _)| error)
        .expect("room in the queue");
    producer.flush(REQUEST).expect("delivery");
}

fn first_committed(broker: &Broker, topic: &str) -> Vec<String> {
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    broker.await_committed(topic, 1).iter().map(|record| text(record.payload())).collect()
}

#[test]
fn a_reader_sees_what_was_committed_and_nothing_that_was_aborted() {
    let broker = Broker::shared();
    let topic = Broker::unique("smoke");
    broker.create_topic(&topic, 3);
    let producer = producer(broker, &topic);

    send(&producer, &topic, "aborted");
    producer.abort_transaction(REQUEST).expect("an abort");
    send(&producer, &topic, "committed");
    producer.commit_transaction(REQUEST).expect("a commit");

    assert_eq!(first_committed(broker, &topic), ["committed"]);
    assert_eq!(broker.read_uncommitted(&topic).len(), 2);
}

#[test]
fn a_log_append_time_topic_ignores_the_producers_clock() {
    let broker = Broker::shared();
    let topic = Broker::unique("append-time");
    broker.create_append_time_topic(&topic, 1);
    let producer: TransactionalProducer = broker.client().create().expect("a producer");
    let record = BaseRecord::to(&topic).key("key").payload("value").timestamp(1_000);
    producer.send(record).map_err(|(error, _)| error).expect("room in the queue");
    producer.flush(REQUEST).expect("delivery");

    let timestamp = broker.await_committed(&topic, 1)[0].timestamp();
    assert!(matches!(timestamp, rdkafka::Timestamp::LogAppendTime(ms) if ms > 1_000), "{timestamp:?}");
}

#[test]
fn a_broker_that_was_killed_has_its_committed_records_after_the_restart() {
    let mut broker = Broker::start();
    broker.create_topic("kept", 1);
    let producer = producer(&broker, "before");
    send(&producer, "kept", "before the kill");
    producer.commit_transaction(REQUEST).expect("a commit");
    broker.await_committed("kept", 1);

    broker.kill();
    broker.restart();

    assert_eq!(first_committed(&broker, "kept"), ["before the kill"]);
}
