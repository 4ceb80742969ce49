//! From events to the log, with everything that may go wrong on the way.

use super::feeder::Feeder;
use super::*;
use crate::engine::output::{DeadLetter, Output};
use crate::engine::record::{Batch, Body};
use crate::io::log::clock::ManualClock;
use crate::io::log::embedded::EmbeddedLog;
use crate::io::log::faulty::{Fault, Faulty, On, Script};
use crate::io::log::{AppendClock, Domain, Log, Record, Start, Topic};
use crate::io::source::Source;
use crate::io::source::http;
use crate::wire::batch::APPEND_TIME;
use crate::wire::results::{self, Class};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const HOME: Domain = Domain(0);
const NOW: i64 = 1_793_419_200_000;

fn key() -> CustomerKey {
    CustomerKey::new("secret")
}

fn event(id: impl std::fmt::Display, time: i64) -> Vec<u8> {
    format!(r#"{{"id":"{id}","type":"contact.queued","time":{time},"contact_id":"c{id}","queue":"billing"}}"#)
        .into_bytes()
}

/// An intake on a log in memory, on a clock that is moved by hand.
struct Bench<L> {
    log: L,
    clock: Arc<ManualClock>,
    intake: Intake,
}

type Plain = Bench<EmbeddedLog>;

fn bench() -> Plain {
    bench_with(Settings::new(key()), |log| log)
}

fn bench_with<L: Log>(settings: Settings, wrap: impl FnOnce(EmbeddedLog) -> L) -> Bench<L> {
    let clock = Arc::new(ManualClock::new(NOW));
    let log = wrap(EmbeddedLog::in_memory(1, clock.clone()).unwrap());
    let mut intake = Intake::new(settings, log.appender(HOME));
    intake.tick(NOW).unwrap();
    Bench { log, clock, intake }
}

impl<L: Log> Bench<L> {
    /// Moves the clock on and ticks.
    fn pass(&mut self, ms: i64) {
        self.intake.tick(self.clock.advance(ms)).unwrap();
    }

    fn records(&self, topic: Topic) -> Vec<Record> {
        let mut reader = self.log.tail(topic, HOME, Start::Beginning).unwrap();
        let mut records = Vec::new();
        while let Some(record) = reader.poll(Duration::ZERO).unwrap() {
            records.push(record);
        }
        records
    }

    fn letters(&self) -> Vec<DeadLetter> {
        let read = |record: Record| {
            let key = String::from_utf8(record.key.unwrap()).unwrap();
            match results::output(Class::DeadLetters, &key, &record.value) {
                Ok(Output::DeadLetter(letter)) => letter,
                other => panic!("{other:?}"),
            }
        };
        self.records(Topic::DeadLetters).into_iter().map(read).collect()
    }

    /// What stands in facts: a line for every batch.
    fn facts(&self) -> Vec<String> {
        self.records(Topic::Facts).iter().map(|record| with_batch(record, describe)).collect()
    }
}

fn with_batch<T>(record: &Record, read: impl FnOnce(&Batch<'_>) -> T) -> T {
    match crate::wire::record(record.offset, record.append_ms, &record.value).body {
        Body::Batch(batch) => read(&batch),
        other => panic!("{other:?}"),
    }
}

fn describe(batch: &Batch<'_>) -> String {
    let ids: Vec<_> = batch.facts.iter().map(|fact| fact.id).collect();
    let progress = match batch.progress {
        APPEND_TIME => "caught up".to_owned(),
        at if batch.caught_up => format!("at the end, {}", at - NOW),
        at => format!("{}", at - NOW),
    };
    let Batch { topic, partition, from, to, .. } = batch;
    format!("{topic}/{partition} [{from},{to}) {progress}: {}", ids.join(" "))
}

#[test]
fn a_caught_up_partition_is_sealed_soon_and_covers_its_positions_without_a_hole() {
    let mut bench = bench();
    bench.intake.push("calls", 0, 0, 10, NOW, &event("a", NOW));
    bench.intake.at_end("calls", 0, true);
    bench.pass(4);
    assert!(bench.facts().is_empty() && bench.intake.is_busy());
    bench.intake.push("calls", 0, 0, 14, NOW, &event("b", NOW));
    bench.intake.push("calls", 1, 0, 3, NOW, &event("c", NOW));
    bench.pass(1);
    bench.intake.push("calls", 0, 0, 15, NOW, &event("d", NOW));
    bench.pass(5);
    assert_eq!(bench.facts(), ["calls/0 [10,15) caught up: a b", "calls/0 [15,16) caught up: d"]);
}

#[test]
fn a_partition_that_is_behind_says_how_far_it_is() {
    let mut bench = bench();
    bench.intake.push("calls", 0, 0, 0, NOW - 9_000, &event("a", NOW - 9_500));
    bench.intake.push("calls", 0, 0, 1, NOW - 9_100, &event("b", NOW - 9_900));
    bench.pass(999);
    assert!(bench.facts().is_empty());
    bench.pass(1);
    bench.pass(1_000);
    assert_eq!(bench.facts(), ["calls/0 [0,2) -9100: a b", "calls/0 [2,2) -9100: "]);
}

#[test]
fn a_heartbeat_comes_once_a_second_from_who_has_something_to_say() {
    let mut bench = bench();
    bench.intake.open("calls", 0, 0, 7);
    bench.intake.open("chats", 0, 0, 0);
    bench.pass(3_000);
    assert!(bench.facts().is_empty(), "nothing is known of either yet");
    bench.intake.at_end("calls", 0, true);
    bench.pass(1_000);
    bench.pass(500);
    bench.pass(500);
    assert_eq!(bench.facts(), ["calls/0 [7,7) caught up: ", "calls/0 [7,7) caught up: "]);
    assert_eq!(bench.intake.counts().heartbeats, 2);
}

#[test]
fn a_clock_that_goes_back_stops_nobody() {
    let mut bench = bench();
    bench.intake.open("calls", 0, 0, 0);
    bench.intake.at_end("calls", 0, true);
    bench.pass(-3_600_000);
    bench.pass(1_000);
    assert_eq!(bench.facts().len(), 1);
}

#[test]
fn a_full_batch_does_not_wait() {
    let mut bench = bench();
    for at in 0..40_000 {
        bench.intake.push("calls", 0, 0, at, NOW, &event(at, NOW));
    }
    bench.pass(0);
    let sizes: Vec<_> = bench.records(Topic::Facts).iter().map(|record| record.value.len()).collect();
    assert!(sizes.len() >= 2, "{sizes:?}");
    assert!(sizes.iter().all(|size| (200_000..201_000).contains(size)), "{sizes:?}");
}

#[test]
fn history_is_as_far_as_its_events() {
    let mut settings = Settings::new(key());
    settings.backfill.insert("$file".into());
    let mut bench = bench_with(settings, |log| log);
    bench.intake.push("$file", 0, 0, 0, 0, &event("a", NOW - 80_000));
    bench.intake.push("$file", 0, 0, 1, 0, &event("b", NOW - 90_000));
    bench.intake.at_end("$file", 0, true);
    bench.pass(5);
    bench.pass(1_000);
    let expected = ["$file/0 [0,2) at the end, -90000: a b", "$file/0 [2,2) at the end, -90000: "];
    assert_eq!(bench.facts(), expected);
}

#[test]
fn refused_events_are_set_aside_and_their_positions_go_by() {
    let mut bench = bench();
    bench.intake.push("calls", 2, 0, 0, NOW, &event("a", NOW));
    let outcome = bench.intake.push("calls", 2, 0, 1, NOW, b"{\"id\":\"bad\",\"type\":\"contact.queued\"}");
    assert!(matches!(outcome, Outcome::Refused(_)));
    bench.intake.at_end("calls", 2, true);
    bench.pass(5);
    bench.intake.push("calls", 2, 0, 2, NOW, &vec![b'x'; 10_000_000]);
    bench.pass(5);
    assert_eq!(bench.facts(), ["calls/2 [0,2) caught up: a", "calls/2 [2,3) caught up: "]);
    let letters = bench.letters();
    let words: Vec<_> = letters.iter().map(|l| (l.offset, &*l.reason, l.id.as_deref())).collect();
    assert_eq!(words, [(1, "missing", Some("bad")), (2, "too_large", None)]);
    assert!(letters[0].detail.starts_with("time is missing, expected RFC 3339"), "{}", letters[0].detail);
    assert_eq!(letters[0].original.as_deref(), Some("{\"id\":\"bad\",\"type\":\"contact.queued\"}"));
    assert_eq!(letters[1].original.as_ref().unwrap().len(), 64 * 1024);
    assert_eq!(letters[1].sha256.as_ref().unwrap().len(), 64);
    assert_eq!(bench.intake.counts().refused, BTreeMap::from([("missing", 1), ("too_large", 1)]));
}

#[test]
fn what_was_read_before_is_not_read_again() {
    let mut bench = bench();
    for offset in [0, 1, 0, 1, 2] {
        bench.intake.push("calls", 0, 0, offset, NOW, &event(offset, NOW));
    }
    bench.intake.flush(NOW).unwrap();
    assert_eq!(bench.facts(), ["calls/0 [0,3) 0: 0 1 2"]);
    assert_eq!(bench.intake.counts().repeated, 2);
}

#[test]
fn a_new_life_begins_at_its_own_positions() {
    let mut bench = bench();
    bench.intake.push("calls", 0, 1, 900, NOW, &event("a", NOW));
    bench.intake.push("calls", 0, 2, 0, NOW, &event("b", NOW));
    bench.intake.flush(NOW).unwrap();
    let lives = |record: &Record| with_batch(record, |batch| (batch.incarnation, batch.from, batch.to));
    let lives: Vec<_> = bench.records(Topic::Facts).iter().map(lives).collect();
    assert_eq!(lives, [(1, 900, 901), (2, 0, 1)]);
}

#[test]
fn a_hole_stays_a_hole() {
    let mut bench = bench();
    let origin = Origin { topic: "calls".into(), partition: 0 };
    let found = Found { committed: None, first: 5, end: 100, life: None };
    assert_eq!(bench.intake.assigned(Slot(0), &origin, &found), Resume { incarnation: 0, position: 5 });
    bench.intake.event(Slot(0), 5, NOW, &event("a", NOW));
    bench.intake.lost(Slot(0), 6, 50);
    bench.intake.event(Slot(0), 50, NOW, &event("b", NOW));
    bench.intake.revoked(Slot(0));
    bench.intake.flush(NOW).unwrap();
    assert_eq!(bench.facts(), ["calls/0 [5,6) 0: a", "calls/0 [50,51) 0: b"]);
}

#[test]
fn a_restart_goes_on_where_the_log_stands() {
    let mut bench = bench();
    bench.intake.push("$http", 0, 0, 41, 0, &event("a", NOW));
    bench.intake.flush(NOW).unwrap();
    let mut positions = Positions::default();
    positions.read(&mut *bench.log.tail(Topic::Facts, HOME, Start::Beginning).unwrap()).unwrap();
    let settings = Settings { positions, ..Settings::new(key()) };
    let mut next = Intake::new(settings, bench.log.appender(HOME));
    let origin = Origin { topic: "$http".into(), partition: 0 };
    let found = Found { committed: None, first: 0, end: i64::MAX, life: None };
    assert_eq!(next.assigned(Slot(0), &origin, &found).position, 42);
}

#[test]
fn who_is_far_ahead_is_held_until_the_others_come() {
    let mut bench = bench();
    bench.intake.push("calls", 0, 0, 0, NOW - 500_000, &event("a", NOW));
    bench.intake.push("calls", 1, 0, 0, NOW - 430_000, &event("b", NOW));
    bench.intake.push("calls", 2, 0, 0, NOW - 450_000, &event("c", NOW));
    assert_eq!(bench.intake.holds(), [(Slot(1), true)]);
    assert_eq!(bench.intake.holds(), []);
    bench.intake.push("calls", 0, 0, 1, NOW - 480_000, &event("d", NOW));
    assert_eq!(bench.intake.holds(), [(Slot(1), false)]);
    bench.intake.push("calls", 1, 0, 1, NOW, &event("e", NOW));
    assert_eq!(bench.intake.holds(), [(Slot(1), true)]);
    bench.pass(10_001);
    assert_eq!(bench.intake.holds(), [(Slot(1), false)], "a slow one that is silent holds nobody");
}

#[test]
fn a_batch_that_was_kept_waiting_does_not_claim_to_be_the_newest() {
    let script = (0..6).fold(Script::default(), |script, nth| script.at(On::Append, nth, Fault::Full));
    let mut bench = bench_with(Settings::new(key()), |log| Faulty::new(log, script));
    bench.intake.push("calls", 0, 0, 0, NOW - 7, &event("a", NOW));
    bench.intake.at_end("calls", 0, true);
    bench.pass(5);
    bench.intake.at_end("calls", 0, false);
    bench.pass(600);
    bench.pass(600);
    bench.pass(2_000);
    assert_eq!(bench.facts()[0], "calls/0 [0,1) -7: a");
}

/// Drives an intake against a log that fails, and gives back what the log holds and how far each partition is durable.
fn through(script: Script) -> (Vec<Record>, BTreeMap<Slot, i64>, Counts) {
    let mut bench = bench_with(Settings::new(key()), |log| Faulty::new(log, script));
    let mut durable = BTreeMap::new();
    for round in 0..60 {
        for partition in 0..3 {
            let bad = round % 7 == 3;
            let bytes = if bad { b"{}".to_vec() } else { event(format_args!("{partition}-{round}"), NOW) };
            bench.intake.push("calls", partition, 0, round, NOW, &bytes);
            bench.intake.at_end("calls", partition, true);
        }
        bench.pass(5);
        durable.extend(bench.intake.durable().into_iter().map(|(slot, at)| (slot, at.position)));
    }
    bench.log.follow(Script::default());
    for _ in 0..10 {
        bench.intake.flush(bench.clock.now_ms()).unwrap();
        durable.extend(bench.intake.durable().into_iter().map(|(slot, at)| (slot, at.position)));
    }
    assert!(bench.intake.is_settled() && bench.intake.trouble().is_none());
    let mut letters: Vec<_> = bench.letters().iter().map(|l| (l.partition, l.offset)).collect();
    letters.sort_unstable();
    letters.dedup();
    assert_eq!(letters.len(), 3 * 9, "every refused event has its letter");
    (bench.records(Topic::Facts), durable, bench.intake.counts().clone())
}

/// What the engine counts: facts at or above the highest position so far; a hole fails.
fn counted(records: &[Record]) -> BTreeMap<i32, Vec<String>> {
    let mut counted: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    let mut highest = BTreeMap::new();
    for record in records {
        with_batch(record, |batch| {
            let highest = highest.entry(batch.partition).or_insert(batch.from);
            assert!(batch.from <= *highest, "a hole before {}", batch.from);
            let new = batch.facts.iter().filter(|fact| fact.offset >= *highest);
            counted.entry(batch.partition).or_default().extend(new.map(|fact| fact.id.to_owned()));
            *highest = batch.to.max(*highest);
        });
    }
    counted
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_the_log_does_every_event_counts_once_and_in_order(seed: u64, per_mille in 0..400_u32) {
        let (records, durable, _) = through(Script::default().random(seed, per_mille));
        for (partition, ids) in counted(&records) {
            let expected: Vec<_> = (0..60).filter(|r| r % 7 != 3).map(|r| format!("{partition}-{r}")).collect();
            prop_assert_eq!(ids, expected);
        }
        prop_assert_eq!(durable, BTreeMap::from([(Slot(0), 60), (Slot(1), 60), (Slot(2), 60)]));
    }
}

#[test]
fn after_a_failed_batch_everything_from_there_is_sent_again() {
    let (records, _, counts) = through(Script::default().at(On::Append, 4, Fault::Stopped));
    assert!(counts.sent_again > 0);
    assert_eq!(counted(&records).len(), 3);
}

/// A real loop around an intake, on threads, for as long as `act` lasts.
fn while_fed<T>(
    log: &Arc<EmbeddedLog>,
    source: impl Source + 'static,
    settings: Settings,
    act: impl FnOnce() -> T,
) -> T {
    let stop = AtomicBool::new(false);
    let intake = Intake::new(settings, log.appender(HOME));
    let feeder = Feeder::new(Box::new(source), intake, Arc::new(crate::io::log::clock::WallClock));
    std::thread::scope(|scope| {
        let fed = scope.spawn(|| feeder.run(&stop, |_| {}));
        let done = act();
        stop.store(true, Ordering::Relaxed);
        fed.join().unwrap().unwrap();
        done
    })
}

fn http_origin() -> Origin {
    Origin { topic: "$http".into(), partition: 0 }
}

#[test]
fn posted_events_are_acknowledged_when_they_are_in_the_log() {
    let log = Arc::new(EmbeddedLog::in_memory(1, Arc::new(ManualClock::new(NOW))).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (door, source) = http::open(http_origin(), 7, key());
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/api/v1/events", listener.local_addr().unwrap());
    runtime.spawn(async move { axum::serve(listener, http::router(door)).await });
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let post = |body: &[u8]| {
        let mut answer = agent.post(&url).send(body).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    while_fed(&log, source, Settings::new(key()), || {
        let lines = [event("a", NOW), b"{\"id\":1}".to_vec(), b"".to_vec(), event("b", NOW)].join(&b'\n');
        let (status, answer) = post(&lines);
        assert_eq!(status, 200, "{answer}");
        let expected = r#"{"accepted":2,"refused":[{"line":2,"reason":"wrong_type","field":"id","detail":"id is 1, expected a text: "#;
        assert!(answer.starts_with(expected), "{answer}");
        let mut positions = Positions::default();
        positions.read(&mut *log.tail(Topic::Facts, HOME, Start::Beginning).unwrap()).unwrap();
        assert_eq!(positions.get(&http_origin()), Some(Resume { incarnation: 7, position: 3 }));

        let (status, answer) = post(&event("c", NOW));
        assert_eq!((status, &*answer), (200, r#"{"accepted":1,"refused":[]}"#));
        assert_eq!(post(b"{\n}").0, 422);
        assert_eq!(post(b"").1, r#"{"accepted":0,"refused":[]}"#);
        assert_eq!(post(&vec![b'x'; http::MAX_BODY + 1]).0, 413);
    });
    assert_eq!(post(&event("d", NOW)).0, 503, "nobody reads any more");
}
