//! The log on a real broker: the laws that every log obeys, and what only a broker does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::kafka::Broker;
use crate::support::wait;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use shiftpulse::io::log::kafka::topics::{self, Problem, Severity};
use shiftpulse::io::log::kafka::{ConnectError, KafkaLog, KafkaOptions};
use shiftpulse::io::log::{
    Appender, CommitError, CommitMetadata, Domain, Log, Membership, Output, Owned, Start, Ticket, Topic,
    Transaction,
};

const HOME: Domain = Domain(0);
const PATIENCE: Duration = Duration::from_secs(60);

mod laws {
    shiftpulse::log_laws!(super::on_the_shared_broker());
}

/// Topics of its own for each test, a client of its own for each opening.
fn on_the_shared_broker() -> impl Fn(&str) -> Arc<dyn Log> {
    let options = topics_on(Broker::shared(), 2);
    move |_| Arc::new(KafkaLog::connect(options.clone()).expect("the topics are there"))
}

fn topics_on(broker: &Broker, domains: u32) -> KafkaOptions {
    let options = KafkaOptions::new(broker.address(), &Broker::unique("log"));
    let created = wait::until("the topics", PATIENCE, || {
        topics::create(&options, domains, 1).map_err(|e| e.to_string())
    });
    assert_eq!(created.len(), Topic::ALL.len());
    wait::until("partitions with leaders", PATIENCE, || {
        let wrong = topics::check(&options, domains).map_err(|e| e.to_string())?;
        let severe: Vec<_> = wrong.iter().filter(|f| f.severity == Severity::Error).collect();
        if severe.is_empty() { Ok(()) } else { Err(format!("{severe:?}")) }
    });
    options
}

fn connect(options: &KafkaOptions) -> KafkaLog {
    wait::until("a connection", PATIENCE, || KafkaLog::connect(options.clone()).map_err(|e| e.to_string()))
}

fn own(log: &KafkaLog) -> Owned {
    wait::until("the domain", PATIENCE, || log.own(HOME).map_err(|e| e.to_string()))
}

fn step(next: i64, outputs: usize) -> Transaction {
    let outputs = (0..outputs).map(|n| Output {
        topic: Topic::Alerts,
        key: format!("{next}|{n}"),
        value: vec![b'x'; 200],
    });
    Transaction { next, metadata: CommitMetadata::default(), outputs: outputs.collect() }
}

fn await_ack(appender: &mut dyn Appender, ticket: Ticket) {
    wait::until("the ack", PATIENCE, || match appender.acked() {
        Ok(acked) if acked >= ticket => Ok(()),
        Ok(acked) => Err(format!("{acked:?}")),
        Err(stopped) => panic!("{stopped}"),
    });
}

fn everything(log: &KafkaLog, topic: Topic) -> Vec<Vec<u8>> {
    let mut reader = log.tail(topic, HOME, Start::Beginning).expect("a reader");
    let mut values = Vec::new();
    wait::until("the end of the topic", PATIENCE, || {
        while let Some(record) = reader.poll(Duration::from_millis(200)).map_err(|e| e.to_string())? {
            values.push(record.value);
        }
        reader.caught_up().then_some(()).ok_or_else(|| "more to come".into())
    });
    values
}

#[test]
fn topics_are_created_once_and_pass_their_own_check() {
    let options = topics_on(Broker::shared(), 3);
    assert_eq!(topics::create(&options, 3, 1).expect("an answer"), Vec::<String>::new());
    let findings = topics::check(&options, 3).expect("an answer");
    assert!(findings.iter().all(|f| matches!(f.problem, Problem::Replicas { found: 1 })), "{findings:?}");
    assert_eq!(connect(&options).domains(), 3);
}

#[test]
fn wrong_topics_are_named_with_what_is_wrong() {
    let broker = Broker::shared();
    let options = KafkaOptions::new(broker.address(), &Broker::unique("wrong"));
    broker.create_topic(&options.topic(Topic::Facts), 4);
    let findings = topics::check(&options, 2).expect("an answer");
    let about =
        |topic: Topic| findings.iter().filter(|f| f.topic == options.topic(topic)).collect::<Vec<_>>();
    assert_eq!(about(Topic::Ledger).iter().map(|f| &f.problem).collect::<Vec<_>>(), [&Problem::Missing]);
    let facts = about(Topic::Facts);
    let keys: BTreeSet<&str> = facts
        .iter()
        .filter_map(|f| match &f.problem {
            Problem::Setting { key, .. } => Some(*key),
            _ => None,
        })
        .collect();
    assert_eq!(keys, BTreeSet::from(["message.timestamp.type", "retention.ms"]));
    assert!(facts.iter().any(|f| f.problem == Problem::Partitions { found: 4, wanted: 2 }));
    assert!(facts.iter().all(|f| !f.remedy.is_empty()));
}

#[test]
fn a_log_without_topics_is_not_opened() {
    let options = KafkaOptions::new(Broker::shared().address(), &Broker::unique("none"));
    assert!(matches!(KafkaLog::connect(options), Err(ConnectError::NoTopic(_))));
}

#[test]
fn an_unknown_client_option_is_named() {
    let mut options = KafkaOptions::new(Broker::shared().address(), "any");
    options.client.insert("no.such.option".into(), "1".into());
    match KafkaLog::connect(options) {
        Err(ConnectError::Options(reason)) => assert!(reason.contains("no.such.option"), "{reason}"),
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn what_a_dead_owner_had_open_stays_invisible_and_does_not_delay_the_successor() {
    let broker = Broker::shared();
    let options = topics_on(broker, 1);
    let log = connect(&options);
    own(&log).committer.commit(&step(3, 2)).expect("a commit");
    let dead: BaseProducer = broker
        .client()
        .set("transactional.id", format!("{}-domain-0", options.prefix))
        .create()
        .expect("a producer");
    dead.init_transactions(PATIENCE).expect("transactions");
    dead.begin_transaction().expect("a transaction");
    let alerts = options.topic(Topic::Alerts);
    dead.send(BaseRecord::to(&alerts).key("torn").payload("torn").partition(0)).map_err(|(e, _)| e).unwrap();
    dead.flush(PATIENCE).expect("delivery");

    let begun = Instant::now();
    let mut owned = own(&log);
    let took = begun.elapsed();
    assert_eq!(owned.committed.as_ref().expect("a commit").next, 3);
    owned.committer.commit(&step(4, 1)).expect("a commit");
    own(&log);
    assert_eq!(everything(&log, Topic::Alerts).len(), 3);
    assert!(dead.commit_transaction(PATIENCE).is_err(), "the dead one must stay dead");
    println!("taking the domain from a dead owner took {took:?}");
    assert!(took < options.transaction_timeout, "{took:?}: waited for the time-out of the dead one");
}

#[test]
fn two_instances_share_the_domains_and_one_takes_all_when_the_other_leaves() {
    let options = topics_on(Broker::shared(), 2);
    let log = connect(&options);
    let poll = |member: &mut Box<dyn Membership>, has: &mut usize| {
        if let Ok(Some(domains)) = member.poll(Duration::from_millis(50)) {
            *has = domains.len();
        }
    };
    let (mut one, mut ones) = (log.join().expect("a member"), 0);
    wait::until_true("the first has both", PATIENCE, || {
        poll(&mut one, &mut ones);
        ones == 2
    });
    let (mut two, mut twos) = (log.join().expect("a member"), 0);
    wait::until_true("each has one", PATIENCE, || {
        poll(&mut one, &mut ones);
        poll(&mut two, &mut twos);
        (ones, twos) == (1, 1)
    });
    drop(one);
    wait::until_true("the second has both", PATIENCE, || {
        poll(&mut two, &mut twos);
        twos == 2
    });
}

#[test]
fn commits_are_quick() {
    let options = topics_on(Broker::shared(), 1);
    let log = connect(&options);
    let mut owned = own(&log);
    let mut took: Vec<Duration> = (1..=100)
        .map(|n| {
            // The pace of the service. A broker that still writes the markers of the last one makes the client pause 20 ms.
            std::thread::sleep(Duration::from_millis(20));
            let begun = Instant::now();
            owned.committer.commit(&step(n, 50)).expect("a commit");
            begun.elapsed()
        })
        .collect();
    took.sort();
    println!("commit of 50 outputs: p50 {:?}, p90 {:?}, max {:?}", took[50], took[90], took[99]);
    // A transaction that was not drained before its offsets were sent takes 100 ms and more, always.
    assert!(took[50] < Duration::from_millis(90), "{:?}", took[50]);
    own(&log);
    assert_eq!(everything(&log, Topic::Alerts).len(), 5_000);
}

#[test]
fn a_broker_that_dies_under_the_appender_costs_time_and_nothing_else() {
    let mut broker = Broker::start();
    let options = topics_on(&broker, 1);
    let log = connect(&options);
    let mut appender = log.appender(HOME);
    let batch = |n: u32| n.to_le_bytes().to_vec();
    let mut last = Ticket(0);
    for n in 0..50 {
        last = appender.append(&batch(n)).expect("room");
    }
    await_ack(&mut *appender, last);
    broker.kill();
    for n in 50..100 {
        last = appender.append(&batch(n)).expect("room");
    }
    assert_eq!(appender.acked().expect("no stop"), Ticket(50));
    broker.restart();
    await_ack(&mut *appender, last);
    assert_eq!(everything(&log, Topic::Facts), (0..100).map(batch).collect::<Vec<_>>());
}

#[test]
fn a_frozen_broker_makes_a_commit_unknown_and_owning_again_tells() {
    let mut broker = Broker::start();
    let mut options = topics_on(&broker, 1);
    options.transaction_timeout = Duration::from_secs(6);
    let log = connect(&options);
    let mut owned = own(&log);
    owned.committer.commit(&step(1, 1)).expect("a commit");
    own_settles(&log, 1, 1);
    let mut owned = own(&log);
    broker.pause();
    let failed = owned.committer.commit(&step(2, 1)).expect_err("nobody answers");
    assert!(matches!(failed, CommitError::Restore(_)), "{failed}");
    assert_eq!(owned.committer.commit(&step(2, 1)), Err(failed));
    broker.resume();
    let next = own(&log).committed.expect("a commit").next;
    own_settles(&log, next, next as usize);
}

/// Taking the domain shows `next`, and as many alerts as its transactions wrote.
fn own_settles(log: &KafkaLog, next: i64, alerts: usize) {
    assert_eq!(own(log).committed.expect("a commit").next, next);
    assert_eq!(everything(log, Topic::Alerts).len(), alerts);
}

#[test]
fn a_topic_that_is_taken_away_stops_the_appender_and_resuming_goes_on() {
    let broker = Broker::start();
    let options = topics_on(&broker, 1);
    let mut impatient = options.clone();
    impatient.client.insert("topic.metadata.propagation.max.ms".into(), "0".into());
    impatient.client.insert("topic.metadata.refresh.interval.ms".into(), "200".into());
    let log = connect(&impatient);
    let mut appender = log.appender(HOME);
    let first = appender.append(b"first").expect("room");
    await_ack(&mut *appender, first);
    delete(&broker, &options.topic(Topic::Facts));
    let stopped = wait::until("the stop", PATIENCE, || {
        let _ = appender.append(b"lost");
        appender.acked().err().ok_or_else(|| "no failure yet".into())
    });
    assert!(stopped.acked >= first, "{stopped}");
    wait::until("the facts topic again", PATIENCE, || {
        topics::create(&options, 1, 1).map_err(|e| e.to_string()).and_then(|created| match created.len() {
            1 => Ok(()),
            _ => Err("still there".into()),
        })
    });
    let resumed = wait::until("resuming", PATIENCE, || appender.resume().map_err(|e| e.to_string()));
    assert_eq!(resumed, stopped.acked);
    let again = wait::until("an append that lasts", PATIENCE, || {
        let ticket = match appender.append(b"again") {
            Ok(ticket) => ticket,
            Err(e) => {
                let _ = appender.resume();
                return Err(e.to_string());
            }
        };
        for _ in 0..100 {
            match appender.acked() {
                Ok(acked) if acked >= ticket => return Ok(acked),
                Ok(_) => std::thread::yield_now(),
                Err(e) => {
                    let _ = appender.resume();
                    return Err(e.to_string());
                }
            }
        }
        Err("not yet acked".into())
    });
    assert!(again > stopped.acked);
}

fn delete(broker: &Broker, topic: &str) {
    let options = rdkafka::admin::AdminOptions::new().operation_timeout(Some(PATIENCE));
    let deleted = crate::support::kafka::block_on(broker.admin().delete_topics(&[topic], &options));
    assert!(deleted.expect("an answer").iter().all(Result::is_ok));
}
