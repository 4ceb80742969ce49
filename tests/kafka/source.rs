//! Events from real topics: every one once and in order, from where the intake wants them, through rebalances and new topics.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::kafka::{Broker, block_on};
use crate::support::wait;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use shiftpulse::io::log::kafka::{KafkaOptions, topics};
use shiftpulse::io::source::kafka::KafkaSource;
use shiftpulse::io::source::{Found, Origin, Resume, Sink, Slot, Source};

const PATIENCE: Duration = Duration::from_secs(60);

/// Keeps everything that it is told.
#[derive(Default)]
struct Notebook {
    origins: BTreeMap<Slot, Origin>,
    begun: BTreeMap<Slot, Resume>,
    events: BTreeMap<Origin, Vec<(i64, Vec<u8>)>>,
    caught_up: BTreeMap<Slot, bool>,
    lost: Vec<(i64, i64)>,
}

impl Notebook {
    fn slot(&self, topic: &str, partition: i32) -> Slot {
        let wanted = Origin { topic: topic.into(), partition };
        *self.origins.iter().find(|(_, o)| **o == wanted).expect("an assigned partition").0
    }

    fn count(&self) -> usize {
        self.events.values().map(Vec::len).sum()
    }

    fn all_caught_up(&self) -> bool {
        !self.origins.is_empty() && self.origins.keys().all(|s| self.caught_up.get(s) == Some(&true))
    }
}

impl Sink for Notebook {
    fn assigned(&mut self, slot: Slot, origin: &Origin, found: &Found) -> Resume {
        let begin = found.resume(None);
        self.origins.insert(slot, origin.clone());
        self.begun.insert(slot, begin);
        begin
    }

    fn event(&mut self, slot: Slot, position: i64, timestamp_ms: i64, payload: &[u8]) {
        assert!(timestamp_ms > 0);
        let origin = self.origins[&slot].clone();
        self.events.entry(origin).or_default().push((position, payload.to_vec()));
    }

    fn caught_up(&mut self, slot: Slot, caught_up: bool) {
        self.caught_up.insert(slot, caught_up);
    }

    fn lost(&mut self, _: Slot, from: i64, to: i64) {
        self.lost.push((from, to));
    }

    fn revoked(&mut self, slot: Slot) {
        self.origins.remove(&slot);
        self.caught_up.remove(&slot);
    }
}

struct Feed<'a> {
    broker: &'a Broker,
    producer: ThreadedProducer<DefaultProducerContext>,
}

impl<'a> Feed<'a> {
    fn new(broker: &'a Broker) -> Feed<'a> {
        Feed { broker, producer: broker.client().create().expect("a producer") }
    }

    fn send(&self, topic: &str, partition: i32, values: std::ops::Range<u32>) {
        for n in values {
            let value = n.to_string();
            let record = BaseRecord::to(topic).key("").payload(&value).partition(partition);
            self.producer.send(record).map_err(|(e, _)| e).expect("room in the queue");
        }
        self.producer.flush(PATIENCE).expect("delivery");
    }

    fn options(&self) -> KafkaOptions {
        KafkaOptions::new(self.broker.address(), &Broker::unique("source"))
    }
}

fn subscribe(options: &KafkaOptions, topics: &[&str]) -> KafkaSource {
    let topics: Vec<String> = topics.iter().map(|t| (*t).to_owned()).collect();
    KafkaSource::subscribe(options, &topics).expect("a consumer")
}

/// Polls until the notebook says enough.
fn read(source: &mut KafkaSource, notebook: &mut Notebook, what: &str, enough: impl Fn(&Notebook) -> bool) {
    wait::until(what, PATIENCE, || {
        if let Err(e) = source.poll(Duration::from_millis(50), notebook) {
            return Err(e.to_string());
        }
        if enough(notebook) { Ok(()) } else { Err(format!("{} events", notebook.count())) }
    });
}

fn numbers(range: std::ops::Range<u32>) -> Vec<(i64, Vec<u8>)> {
    range.map(|n| (i64::from(n), n.to_string().into_bytes())).collect()
}

#[test]
fn every_event_comes_once_in_order_and_the_end_is_known() {
    let feed = Feed::new(Broker::shared());
    let (calls, chats) = (Broker::unique("calls"), Broker::unique("chats"));
    feed.broker.create_topic(&calls, 2);
    feed.broker.create_topic(&chats, 1);
    feed.send(&calls, 0, 0..2500);
    feed.send(&calls, 1, 0..10);
    feed.send(&chats, 0, 0..300);
    let (mut source, mut notebook) = (subscribe(&feed.options(), &[&calls, &chats]), Notebook::default());
    read(&mut source, &mut notebook, "the events", |n| n.count() == 2810 && n.all_caught_up());
    let of = |topic: &str, partition| notebook.events[&Origin { topic: topic.into(), partition }].clone();
    assert_eq!(of(&calls, 0), numbers(0..2500));
    assert_eq!(of(&calls, 1), numbers(0..10));
    assert_eq!(of(&chats, 0), numbers(0..300));
    let counted =
        source.partitions(&[calls.clone(), chats.clone(), "nowhere-at-all".into()]).expect("an answer");
    assert_eq!(counted, BTreeMap::from([(calls, 2), (chats, 1)]));
}

#[test]
fn the_next_instance_begins_where_the_last_one_committed() {
    let feed = Feed::new(Broker::shared());
    let (topic, options) = (Broker::unique("calls"), feed.options());
    feed.broker.create_topic(&topic, 1);
    feed.send(&topic, 0, 0..100);
    let (mut source, mut notebook) = (subscribe(&options, &[&topic]), Notebook::default());
    read(&mut source, &mut notebook, "the events", |n| n.count() == 100);
    source.commit(notebook.slot(&topic, 0), Resume { incarnation: 7, position: 60 });
    drop(source);

    let (mut source, mut notebook) = (subscribe(&options, &[&topic]), Notebook::default());
    read(&mut source, &mut notebook, "the rest", |n| n.count() == 40);
    assert_eq!(notebook.events.values().next().unwrap(), &numbers(60..100));
    assert_eq!(source.incarnation(notebook.slot(&topic, 0)), Some(7));
}

#[test]
fn a_partition_can_be_held_and_gone_back_to() {
    let feed = Feed::new(Broker::shared());
    let topic = Broker::unique("calls");
    feed.broker.create_topic(&topic, 2);
    let (mut source, mut notebook) = (subscribe(&feed.options(), &[&topic]), Notebook::default());
    read(&mut source, &mut notebook, "the partitions", |n| n.origins.len() == 2);
    let held = notebook.slot(&topic, 0);
    source.hold(held, true);
    feed.send(&topic, 0, 0..20);
    feed.send(&topic, 1, 0..20);
    read(&mut source, &mut notebook, "the free one", |n| n.count() == 20);
    assert!(notebook.events.keys().all(|o| o.partition == 1));
    source.hold(held, false);
    read(&mut source, &mut notebook, "the held one", |n| n.count() == 40);
    source.seek(held, 5).expect("a seek");
    read(&mut source, &mut notebook, "the repetition", |n| n.count() == 55);
    let again = &notebook.events[&Origin { topic, partition: 0 }];
    assert_eq!(again[20..], numbers(5..20));
}

#[test]
fn two_instances_share_the_partitions_and_lose_nothing_when_one_leaves() {
    let feed = Feed::new(Broker::shared());
    let (topic, options) = (Broker::unique("calls"), feed.options());
    feed.broker.create_topic(&topic, 4);
    let (mut one, mut ones) = (subscribe(&options, &[&topic]), Notebook::default());
    read(&mut one, &mut ones, "all partitions", |n| n.origins.len() == 4);
    let (mut two, mut twos) = (subscribe(&options, &[&topic]), Notebook::default());
    wait::until_true("two each", PATIENCE, || {
        let _ = one.poll(Duration::from_millis(20), &mut ones);
        let _ = two.poll(Duration::from_millis(20), &mut twos);
        ones.origins.len() == 2 && twos.origins.len() == 2
    });
    (0..4).for_each(|partition| feed.send(&topic, partition, 0..50));
    wait::until_true("every event", PATIENCE, || {
        let _ = one.poll(Duration::from_millis(20), &mut ones);
        let _ = two.poll(Duration::from_millis(20), &mut twos);
        ones.count() + twos.count() == 200
    });
    drop(one);
    read(&mut two, &mut twos, "all partitions", |n| n.origins.len() == 4);
    (0..4).for_each(|partition| feed.send(&topic, partition, 50..60));
    // What the first one read was never committed: it comes again.
    read(&mut two, &mut twos, "every event", |n| {
        n.events.len() == 4 && n.events.values().all(|e| e.len() == 60)
    });
    assert!(twos.events.values().all(|e| *e == numbers(0..60)));
}

#[test]
fn a_topic_made_anew_begins_a_new_life() {
    let broker = Broker::shared();
    let feed = Feed::new(broker);
    let (topic, mut options) = (Broker::unique("calls"), feed.options());
    options.client.insert("topic.metadata.refresh.interval.ms".into(), "300".into());
    options.client.insert("topic.metadata.propagation.max.ms".into(), "0".into());
    broker.create_topic(&topic, 1);
    feed.send(&topic, 0, 0..100);
    let (mut source, mut notebook) = (subscribe(&options, &[&topic]), Notebook::default());
    read(&mut source, &mut notebook, "the first life", |n| n.count() == 100);

    let asked = rdkafka::admin::AdminOptions::new().operation_timeout(Some(PATIENCE));
    let deleted = block_on(broker.admin().delete_topics(&[&topic], &asked)).expect("an answer");
    assert!(deleted.iter().all(Result::is_ok));
    wait::until("the topic again", PATIENCE, || {
        let new = rdkafka::admin::NewTopic::new(&topic, 1, rdkafka::admin::TopicReplication::Fixed(1));
        let made = block_on(broker.admin().create_topics([&new], &asked)).map_err(|e| e.to_string())?;
        made.into_iter().all(|r| r.is_ok()).then_some(()).ok_or_else(|| "still there".into())
    });
    Feed::new(broker).send(&topic, 0, 0..30);
    wait::until("the second life", PATIENCE, || {
        let _ = source.poll(Duration::from_millis(50), &mut notebook);
        if notebook.count() == 130 { Ok(()) } else { Err(format!("{} events", notebook.count())) }
    });
    assert_eq!(notebook.events.values().next().unwrap()[100..], numbers(0..30));
}

#[test]
fn input_topics_are_looked_at() {
    let broker = Broker::shared();
    let (plain, stamped) = (Broker::unique("plain"), Broker::unique("stamped"));
    broker.create_topic(&plain, 1);
    broker.create_append_time_topic(&stamped, 1);
    let options = KafkaOptions::new(broker.address(), "any");
    let asked = [plain.clone(), stamped, "nowhere-at-all".into()];
    let findings = topics::check_inputs(&options, &asked).expect("an answer");
    let of: Vec<(&str, topics::Severity)> = findings.iter().map(|f| (&*f.topic, f.severity)).collect();
    assert_eq!(of, [(&*plain, topics::Severity::Warning), ("nowhere-at-all", topics::Severity::Error)]);
}
