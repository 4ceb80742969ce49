//! What only the embedded log promises: reopening, and power cuts at every sync.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::super::clock::{ManualClock, WallClock};
use super::super::{AppendError, CommitMetadata, Output, Record, Retention, Ticket, Transaction};
use super::power::{Cut, Power};
use super::*;

const HOME: Domain = Domain(0);

mod memory_log {
    crate::log_laws!(super::in_memory());
}

mod directory_log {
    crate::log_laws!(super::in_directory());
}

fn in_memory() -> impl Fn(&str) -> Arc<dyn Log> {
    let log: Arc<dyn Log> = Arc::new(EmbeddedLog::in_memory(2, Arc::new(WallClock)).unwrap());
    move |_| Arc::clone(&log)
}

fn in_directory() -> impl Fn(&str) -> Arc<dyn Log> {
    let directory = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::in_directory(directory.path(), 2, Arc::new(WallClock)).unwrap();
    let log: Arc<dyn Log> = Arc::new(log);
    move |_| {
        assert!(directory.path().exists());
        Arc::clone(&log)
    }
}

fn facts(log: &dyn Log) -> Vec<Record> {
    all(log, Topic::Facts)
}

fn all(log: &dyn Log, topic: Topic) -> Vec<Record> {
    let mut reader = log.tail(topic, HOME, Start::Beginning).unwrap();
    std::iter::from_fn(|| reader.poll(Duration::ZERO).unwrap()).collect()
}

fn transaction(next: i64, outputs: &[(Topic, &str, &str)]) -> Transaction {
    let outputs = outputs.iter().map(|(topic, key, value)| Output {
        topic: *topic,
        key: (*key).into(),
        value: value.as_bytes().into(),
    });
    Transaction { next, metadata: CommitMetadata::default(), outputs: outputs.collect() }
}

#[test]
fn append_times_do_not_fall_when_the_clock_does_nor_when_the_log_is_opened_again() {
    let (memory, clock) = (memory::Memory::default(), Arc::new(ManualClock::new(1_000)));
    let open = || EmbeddedLog::on_memory(&memory, 1, clock.clone()).unwrap();
    let append = |log: &EmbeddedLog, ms| {
        clock.set(ms);
        let mut appender = log.appender(HOME);
        appender.append(b"x").unwrap();
        appender.acked().unwrap();
    };
    let log = open();
    append(&log, 1_000);
    append(&log, 400);
    drop(log);
    let log = open();
    append(&log, 200);
    append(&log, 1_001);
    let times: Vec<i64> = facts(&log).iter().map(|r| r.append_ms).collect();
    assert_eq!(times, [1_000, 1_000, 1_000, 1_001]);
}

#[test]
fn everything_is_there_after_closing_and_opening_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let open = || EmbeddedLog::in_directory(directory.path(), 1, Arc::new(ManualClock::new(5)));
    let log = open().unwrap();
    let mut appender = log.appender(HOME);
    appender.append(b"one").unwrap();
    let mut owned = log.own(HOME).unwrap();
    owned.committer.commit(&transaction(1, &[(Topic::Ledger, "final|a", "100")])).unwrap();
    owned.snapshots.save(1, "s", &mut [b"state".to_vec()].into_iter()).unwrap();
    assert!(matches!(open(), Err(OpenError::InUse)));
    drop((log, appender, owned));

    let log = open().unwrap();
    let mut owned = log.own(HOME).unwrap();
    assert_eq!(owned.committed.unwrap().next, 1);
    assert_eq!(facts(&log)[0].value, b"one");
    assert_eq!(all(&log, Topic::Ledger)[0].value, b"100");
    let manifest = owned.snapshots.list().unwrap().remove(0);
    assert_eq!(owned.snapshots.load(&manifest).unwrap().unwrap(), [b"state".to_vec()]);
}

#[test]
fn a_file_that_is_no_log_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file: PathBuf = directory.path().join("shiftpulse.redb");
    std::fs::write(&file, b"not a database, but long enough to be looked at ".repeat(200)).unwrap();
    let opened = EmbeddedLog::in_directory(directory.path(), 1, Arc::new(WallClock));
    assert!(matches!(opened, Err(OpenError::Damaged(_))));
}

#[test]
fn the_queue_is_bounded_and_empties_when_asked() {
    let log = EmbeddedLog::in_memory(1, Arc::new(WallClock)).unwrap();
    let mut appender = log.appender(HOME);
    let batch = vec![1; 1_000_000];
    let taken = (0..100).take_while(|_| appender.append(&batch).is_ok()).count();
    assert_eq!(taken, QUEUE_BYTES / batch.len());
    assert_eq!(appender.append(&batch), Err(AppendError::Full));
    assert_eq!(appender.acked(), Ok(Ticket(taken as u64)));
    assert!(appender.append(&batch).is_ok());
}

#[test]
fn what_waits_together_is_written_in_one_sync() {
    let power = Power::new(1);
    let disk = power.clone();
    let log = EmbeddedLog::on_backend(move || disk.plug(), 1, Arc::new(WallClock)).unwrap();
    let mut appender = log.appender(HOME);
    let cost = |appender: &mut dyn Appender, batches: usize| {
        let before = power.syncs();
        for _ in 0..batches {
            appender.append(b"x").unwrap();
        }
        appender.acked().unwrap();
        power.syncs() - before
    };
    cost(&mut *appender, 1);
    assert_eq!(cost(&mut *appender, 1), cost(&mut *appender, 100));
}

#[test]
fn the_live_topics_do_not_grow() {
    let log = EmbeddedLog::in_memory(1, Arc::new(WallClock)).unwrap();
    let mut owned = log.own(HOME).unwrap();
    for n in 0..50 {
        let value = n.to_string();
        owned.committer.commit(&transaction(n, &[(Topic::KpiLive, "queue|a", &value)])).unwrap();
    }
    let records = all(&log, Topic::KpiLive);
    assert_eq!((records.len(), &*records[0].value), (1, &b"49"[..]));
    assert_eq!(Topic::KpiLive.retention(), Retention::Compacted);
}

#[test]
fn old_dead_letters_go_and_facts_stay() {
    let clock = Arc::new(ManualClock::new(1_000));
    let log = EmbeddedLog::in_memory(1, clock.clone()).unwrap();
    let mut appender = log.appender(HOME);
    let mut write = |key: &str| {
        appender.append(key.as_bytes()).unwrap();
        appender.dead_letter(key, b"why").unwrap();
        appender.acked().unwrap();
    };
    write("old");
    clock.advance(LETTERS_KEPT_MS + 1);
    write("new");
    let letters = all(&log, Topic::DeadLetters);
    assert_eq!(letters.iter().map(|r| r.key.as_deref().unwrap()).collect::<Vec<_>>(), [b"new"]);
    assert_eq!(facts(&log).len(), 2);
}

/// What a client of the log knows when the power goes.
#[derive(Default)]
struct Known {
    offered: Vec<Vec<u8>>,
    acked: usize,
    /// The last commit that was confirmed, and the one whose outcome is not known.
    confirmed: i64,
    unknown: Option<i64>,
    snapshot: i64,
}

/// Appends, commits and saves until something fails.
fn work(log: &EmbeddedLog, known: &mut Known, from: i64) -> Result<(), String> {
    let say = |e: &dyn std::fmt::Display| e.to_string();
    let mut appender = log.appender(HOME);
    let mut owned = log.own(HOME).map_err(|e| say(&e))?;
    let before = known.offered.len();
    for step in from..from + 4 {
        for n in 0..2 {
            let batch = format!("batch {step}.{n} ").repeat(1 + 4_000 * n).into_bytes();
            appender.append(&batch).map_err(|e| say(&e))?;
            known.offered.push(batch);
        }
        known.acked = before + appender.acked().map_err(|e| say(&e))?.0 as usize;
        known.unknown = Some(step);
        let (key, value) = (format!("k{step}"), step.to_string());
        let outputs = [(Topic::Alerts, &*key, &*value), (Topic::KpiLive, "queue|a", &*value)];
        owned.committer.commit(&transaction(step, &outputs)).map_err(|e| say(&e))?;
        (known.confirmed, known.unknown) = (step, None);
        let mut chunks = (0..2).map(|n| vec![n; 70_000]);
        known.snapshot = owned.snapshots.save(step, "", &mut chunks).map_err(|e| say(&e))?.at;
    }
    Ok(())
}

/// Compares the log with what its client knew.
fn check(log: &EmbeddedLog, known: &Known, context: &str) {
    let values: Vec<Vec<u8>> = facts(log).into_iter().map(|r| r.value).collect();
    assert!(values.len() >= known.acked, "{context}: {} acked, {} there", known.acked, values.len());
    assert!(known.offered.starts_with(&values), "{context}: facts that nobody offered, or in disorder");

    let mut owned = log.own(HOME).unwrap();
    let next = owned.committed.map_or(0, |c| c.next);
    assert!(next == known.confirmed || Some(next) == known.unknown, "{context}: committed {next}");
    let alerts: Vec<String> =
        all(log, Topic::Alerts).into_iter().map(|r| String::from_utf8(r.value).unwrap()).collect();
    assert_eq!(alerts, (1..=next).map(|n| n.to_string()).collect::<Vec<_>>(), "{context}");
    let live: Vec<Vec<u8>> = all(log, Topic::KpiLive).into_iter().map(|r| r.value).collect();
    assert!(
        live.iter().map(|v| &v[..]).eq((next > 0).then(|| next.to_string()).iter().map(|s| s.as_bytes()))
    );

    let manifests = owned.snapshots.list().unwrap();
    assert!(manifests.first().map_or(0, |m| m.at) >= known.snapshot, "{context}: a snapshot is gone");
    for manifest in manifests {
        assert!(owned.snapshots.load(&manifest).unwrap().is_some(), "{context}: a torn snapshot");
    }
}

/// Runs a life with a cut at its `n`-th sync; false when it ends before that.
fn survives(n: u64, cut: Cut, seed: u64) -> bool {
    let power = Power::new(seed);
    let disk = power.clone();
    let open = move || {
        let disk = disk.clone();
        EmbeddedLog::on_backend(move || disk.plug(), 1, Arc::new(ManualClock::new(1)))
    };
    let mut known = Known::default();
    work(&open().unwrap(), &mut known, 1).unwrap();
    power.cut();

    let log = open().unwrap();
    power.cut_at(n, cut);
    let failed = work(&log, &mut known, 5).is_err();
    drop(log);
    power.cut();
    let context = format!("cut {cut:?} sync {n}, seed {seed}");
    check(&open().unwrap(), &known, &context);
    failed
}

#[test]
fn losing_every_unsynced_write_at_any_sync_loses_nothing_that_was_confirmed() {
    for cut in [Cut::Before, Cut::After] {
        for seed in 0..4 {
            let syncs = (0..).take_while(|n| survives(*n, cut, seed)).count();
            assert!(syncs > 20, "only {syncs} cuts");
        }
    }
}

#[test]
fn after_a_failed_write_the_log_opens_again_and_the_row_is_sent_again() {
    let power = Power::new(9);
    let disk = power.clone();
    let log = EmbeddedLog::on_backend(move || disk.plug(), 1, Arc::new(WallClock)).unwrap();
    let mut appender = log.appender(HOME);
    appender.append(b"0").unwrap();
    appender.acked().unwrap();
    let mut owned = log.own(HOME).unwrap();
    power.cut_at(0, Cut::Before);
    for n in 1..4 {
        appender.append(&[b'0' + n]).unwrap();
    }
    let stopped = appender.acked().unwrap_err();
    assert_eq!(stopped.acked, Ticket(1));
    assert_eq!(appender.append(b"x"), Err(AppendError::Stopped));
    assert_eq!(appender.resume(), Ok(Ticket(1)));
    for n in 1..4 {
        appender.append(&[b'0' + n]).unwrap();
    }
    assert_eq!(appender.acked(), Ok(Ticket(4)));
    let values: BTreeSet<Vec<u8>> = facts(&log).into_iter().map(|r| r.value).collect();
    assert!(values.into_iter().eq((0..4).map(|n| vec![b'0' + n])));
    owned.committer.commit(&transaction(4, &[])).unwrap();
}

#[test]
fn threads_append_commit_and_read_at_once() {
    let log = Arc::new(EmbeddedLog::in_memory(1, Arc::new(WallClock)).unwrap());
    let appending = {
        let log = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut appender = log.appender(HOME);
            for n in 0..300_u32 {
                appender.append(&n.to_le_bytes()).unwrap();
            }
            while appender.acked().unwrap() < Ticket(300) {}
        })
    };
    let Owned { mut facts, mut committer, .. } = log.own(HOME).unwrap();
    for n in 0..300_u32 {
        let record = facts.poll(Duration::from_secs(30)).unwrap().unwrap();
        assert_eq!(record.value, n.to_le_bytes());
        let key = n.to_string();
        committer.commit(&transaction(record.offset + 1, &[(Topic::Alerts, &key, "x")])).unwrap();
    }
    appending.join().unwrap();
    assert_eq!(all(&*log, Topic::Alerts).len(), 300);
}
