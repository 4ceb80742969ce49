//! The laws that every log obeys, as functions that run on any of them.
//!
//! Each law is given a way to open its own empty log of two domains. Opening it again is another client of the same log: a
//! second instance, where the log can have one. [`log_laws!`](crate::log_laws) makes a test of each law.
//! A law panics where it does not hold: that is its only use, in tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::faulty::{Fault, Faulty, On, Script};
use super::{
    AppendError, Appender, CommitError, CommitMetadata, Committed, Domain, Log, MAX_VALUE, Output, Owned,
    ReadError, Reader, Record, Retry, Start, Ticket, Topic, Transaction,
};

/// Opens the log of one law.
pub type Open<'a> = &'a dyn Fn() -> Arc<dyn Log>;

const HOME: Domain = Domain(0);
const AWAY: Domain = Domain(1);
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes a test of every law. The argument is a function from the name of a law to its log of two domains; it is called
/// again with the same name for another client.
#[macro_export]
macro_rules! log_laws {
    ($open:expr) => {
        $crate::log_laws!(@each $open;
            batches_come_back_whole_and_in_order, append_times_never_fall, acked_batches_are_durable,
            domains_are_apart, a_batch_no_log_takes_is_refused_and_the_next_goes_on, appenders_have_tickets_of_their_own,
            dead_letters_are_acked_with_the_batches, a_reader_starts_anywhere, a_reader_beyond_the_end_is_told,
            a_waiting_reader_gets_what_comes, a_reader_knows_when_it_has_everything,
            a_domain_without_a_commit_has_none, outputs_and_offset_become_visible_together,
            a_transaction_without_outputs_moves_the_offset, outputs_keep_their_order_and_their_keys,
            the_newest_value_of_a_key_stays, what_no_log_takes_is_refused, a_new_owner_fences_the_old_one,
            a_fenced_owner_stays_fenced, an_owner_finds_the_facts, snapshots_come_newest_first_and_two_are_kept,
            a_snapshot_broken_off_is_not_there, a_snapshot_of_many_chunks_comes_back, a_single_member_owns_every_domain,
            an_unknown_outcome_that_was_done_shows_after_owning, an_unknown_outcome_that_was_lost_shows_after_owning,
            an_aborted_commit_leaves_nothing, a_commit_to_be_tried_again_succeeds, a_zombie_is_fenced_for_real,
            after_a_stop_everything_is_sent_again_in_order, delayed_acks_come, a_full_queue_takes_it_later);
    };
    (@each $open:expr; $($law:ident),* $(,)?) => {
        $(
            #[test]
            fn $law() {
                let open = $open;
                $crate::io::log::conformance::$law(&|| open(stringify!($law)));
            }
        )*
    };
}

/// Sizes around every border come back as they were sent.
pub fn batches_come_back_whole_and_in_order(open: Open<'_>) {
    let log = open();
    let sizes = [1, 4096, 65_535, 65_536, 65_280, 130_560, 200_000, MAX_VALUE];
    let batches: Vec<Vec<u8>> = sizes.iter().map(|n| bytes(*n)).collect();
    append(&*log, HOME, &batches);
    let records = read(&*log, Topic::Facts, HOME, batches.len());
    assert!(records.iter().map(|r| &r.value).eq(&batches));
    assert!(records.windows(2).all(|w| w[0].offset < w[1].offset));
    assert!(records.iter().all(|r| r.key.is_none()));
}

/// The clock may jump; the log does not.
pub fn append_times_never_fall(open: Open<'_>) {
    let log = open();
    for n in 0..5 {
        append(&*log, HOME, &numbered(n, 20));
    }
    let records = read(&*log, Topic::Facts, HOME, 100);
    assert!(records.windows(2).all(|w| w[0].append_ms <= w[1].append_ms));
    assert!(records[0].append_ms > 0);
}

/// Another client sees what was acked.
pub fn acked_batches_are_durable(open: Open<'_>) {
    let log = open();
    let mut appender = log.appender(HOME);
    let tickets: Vec<Ticket> = numbered(0, 50).iter().map(|b| offer(&mut *appender, b)).collect();
    assert!(tickets.windows(2).all(|w| w[0] < w[1]));
    let acked = until("some acks", || appender.acked().ok().filter(|t| *t >= tickets[9]));
    let durable = tickets.iter().filter(|t| **t <= acked).count();
    let records = read(&*open(), Topic::Facts, HOME, durable);
    assert!(records.iter().map(|r| r.value.clone()).eq(numbered(0, durable)));
}

/// What is written to one domain is not in another.
pub fn domains_are_apart(open: Open<'_>) {
    let log = open();
    assert_eq!(log.domains(), 2);
    append(&*log, HOME, &numbered(0, 3));
    append(&*log, AWAY, &numbered(100, 2));
    assert_eq!(values(&read(&*log, Topic::Facts, AWAY, 2)), numbered(100, 2));
    assert_eq!(values(&rest(&*log, Topic::Facts, HOME)), numbered(0, 3));
    own(&*log, AWAY).committer.commit(&step(1, 7)).unwrap();
    assert!(own(&*log, HOME).committed.is_none());
    assert!(settled(&*log, Topic::Alerts, HOME).is_empty());
}

/// Too large a batch is the caller's fault and stops nobody.
pub fn a_batch_no_log_takes_is_refused_and_the_next_goes_on(open: Open<'_>) {
    let log = open();
    let mut appender = log.appender(HOME);
    let refused = appender.append(&bytes(MAX_VALUE + 1));
    assert_eq!(refused, Err(AppendError::TooLarge { bytes: MAX_VALUE + 1 }));
    let ticket = offer(&mut *appender, b"next");
    await_ack(&mut *appender, ticket);
    assert_eq!(values(&rest(&*log, Topic::Facts, HOME)), [b"next".to_vec()]);
}

/// The tickets of one appender say nothing about another's.
pub fn appenders_have_tickets_of_their_own(open: Open<'_>) {
    let log = open();
    let (mut one, mut two) = (log.appender(HOME), log.appender(HOME));
    assert_eq!(offer(&mut *one, b"a"), offer(&mut *two, b"b"));
    await_ack(&mut *one, Ticket(1));
    await_ack(&mut *two, Ticket(1));
    assert_eq!(offer(&mut *one, b"c"), Ticket(2));
    await_ack(&mut *one, Ticket(2));
    assert_eq!(rest(&*log, Topic::Facts, HOME).len(), 3);
}

/// A position may be committed when the batches and the dead letters before it are durable.
pub fn dead_letters_are_acked_with_the_batches(open: Open<'_>) {
    let log = open();
    let mut appender = log.appender(HOME);
    offer(&mut *appender, b"batch");
    let ticket = appender.dead_letter("topic|0|17", b"why").unwrap();
    assert_eq!(ticket, Ticket(2));
    await_ack(&mut *appender, ticket);
    let letters = read(&*log, Topic::DeadLetters, HOME, 1);
    assert_eq!((letters[0].key.as_deref(), &*letters[0].value), (Some(&b"topic|0|17"[..]), &b"why"[..]));
    assert_eq!(rest(&*log, Topic::Facts, HOME).len(), 1);
}

/// From the beginning, from any offset, from the end, and back.
pub fn a_reader_starts_anywhere(open: Open<'_>) {
    let log = open();
    append(&*log, HOME, &numbered(0, 10));
    let all = read(&*log, Topic::Facts, HOME, 10);
    let mut reader = tail(&*log, Topic::Facts, HOME, Start::Offset(all[6].offset));
    assert_eq!(next(&mut *reader), all[6]);
    reader.seek(Start::Offset(all[2].offset)).unwrap();
    assert_eq!(next(&mut *reader), all[2]);
    reader.seek(Start::Beginning).unwrap();
    assert_eq!(next(&mut *reader), all[0]);
    reader.seek(Start::End).unwrap();
    append(&*log, HOME, &numbered(10, 1));
    assert_eq!(next(&mut *reader).value, numbered(10, 1)[0]);
}

/// A log that is shorter than what was committed is not the same log.
pub fn a_reader_beyond_the_end_is_told(open: Open<'_>) {
    let log = open();
    append(&*log, HOME, &numbered(0, 3));
    let mut reader = tail(&*log, Topic::Facts, HOME, Start::Beginning);
    let (_, end) = reader.bounds().unwrap();
    assert!(matches!(reader.seek(Start::Offset(end + 1)), Err(ReadError::Broken(_))));
    reader.seek(Start::Offset(end)).unwrap();
    append(&*log, HOME, &numbered(3, 1));
    assert_eq!(next(&mut *reader).value, numbered(3, 1)[0]);
}

/// Waiting costs no polling: the record ends the wait.
pub fn a_waiting_reader_gets_what_comes(open: Open<'_>) {
    let log = open();
    let mut reader = tail(&*log, Topic::Facts, HOME, Start::Beginning);
    let waiting = std::thread::spawn(move || next(&mut *reader));
    append(&*log, HOME, &numbered(0, 1));
    assert_eq!(waiting.join().unwrap().value, numbered(0, 1)[0]);
}

/// A reader that has read everything says so, markers and holes or not.
pub fn a_reader_knows_when_it_has_everything(open: Open<'_>) {
    let log = open();
    let mut owned = own(&*log, HOME);
    (1..=3).for_each(|n| owned.committer.commit(&step(n, 2)).unwrap());
    own(&*log, HOME);
    let mut reader = tail(&*log, Topic::Alerts, HOME, Start::Beginning);
    assert!(!reader.caught_up());
    let (first, end) = reader.bounds().unwrap();
    let mut seen = Vec::new();
    until("the end", || {
        seen.extend(reader.poll(Duration::from_millis(50)).unwrap());
        reader.caught_up().then_some(())
    });
    // Being told early is the only fault: a last record may still be on its way to this loop.
    assert_eq!(seen.len(), 6);
    assert!(seen[0].offset >= first && seen[5].offset < end);
}

/// Nothing is made up for a new domain.
pub fn a_domain_without_a_commit_has_none(open: Open<'_>) {
    let log = open();
    append(&*log, HOME, &numbered(0, 2));
    assert_eq!(own(&*log, HOME).committed, None);
    assert!(own(&*log, HOME).snapshots.list().unwrap().is_empty());
}

/// After a commit, another client reads the outputs and the next owner reads the offset with its metadata.
pub fn outputs_and_offset_become_visible_together(open: Open<'_>) {
    let log = open();
    let transaction = step(42, 3);
    own(&*log, HOME).committer.commit(&transaction).unwrap();
    let other = open();
    assert_eq!(values(&read(&*other, Topic::Alerts, HOME, 3)), outputs(&transaction));
    let committed = Committed { next: 42, metadata: transaction.metadata };
    assert_eq!(own(&*other, HOME).committed, Some(committed));
}

/// Time passes in quiet months too.
pub fn a_transaction_without_outputs_moves_the_offset(open: Open<'_>) {
    let log = open();
    let mut owned = own(&*log, HOME);
    owned.committer.commit(&step(5, 0)).unwrap();
    owned.committer.commit(&step(9, 0)).unwrap();
    assert_eq!(own(&*log, HOME).committed.unwrap().next, 9);
}

/// Within a topic the order is that of the transactions and of the outputs in them.
pub fn outputs_keep_their_order_and_their_keys(open: Open<'_>) {
    let log = open();
    let mut owned = own(&*log, HOME);
    for n in 0..5 {
        let mut transaction = step(n, 0);
        for i in 0..40 {
            let topic = if i % 2 == 0 { Topic::Ledger } else { Topic::Alerts };
            let key = format!("{n}|{i}");
            transaction.outputs.push(Output { topic, key, value: vec![i as u8; 100] });
        }
        owned.committer.commit(&transaction).unwrap();
    }
    let expected = |odd| (0..5).flat_map(move |n| (odd..40).step_by(2).map(move |i| format!("{n}|{i}")));
    assert!(keys(&read(&*log, Topic::Ledger, HOME, 100)).into_iter().eq(expected(0)));
    assert!(keys(&read(&*log, Topic::Alerts, HOME, 100)).into_iter().eq(expected(1)));
}

/// Of a compacted topic the older values may be gone, the newest one never; an empty one removes the key.
pub fn the_newest_value_of_a_key_stays(open: Open<'_>) {
    let log = open();
    let mut owned = own(&*log, HOME);
    let output =
        |key: &str, value: &[u8]| Output { topic: Topic::KpiLive, key: key.into(), value: value.into() };
    let first = vec![output("queue|a", b"1"), output("queue|b", b"1"), output("agent|x", b"1")];
    let second = vec![output("queue|a", b"2"), output("agent|x", b"")];
    for (n, outputs) in [first, second].into_iter().enumerate() {
        owned.committer.commit(&Transaction { outputs, ..step(n as i64, 0) }).unwrap();
    }
    let mut newest = BTreeMap::new();
    for record in settled(&*log, Topic::KpiLive, HOME) {
        newest.insert(String::from_utf8(record.key.unwrap()).unwrap(), record.value);
    }
    newest.retain(|_, value| !value.is_empty());
    let expected = [("queue|a".to_owned(), b"2".to_vec()), ("queue|b".to_owned(), b"1".to_vec())];
    assert!(newest.into_iter().eq(expected));
}

/// A fault of the caller is neither tried again nor restored from.
pub fn what_no_log_takes_is_refused(open: Open<'_>) {
    let log = open();
    let mut owned = own(&*log, HOME);
    let wrong =
        |topic, value| Transaction { outputs: vec![Output { topic, key: "k".into(), value }], ..step(1, 0) };
    let metadata = CommitMetadata { skipped: (0..5000).collect(), ..CommitMetadata::default() };
    let cases = [
        wrong(Topic::Facts, b"x".to_vec()),
        wrong(Topic::State, b"x".to_vec()),
        wrong(Topic::Ledger, Vec::new()),
        wrong(Topic::Ledger, bytes(MAX_VALUE + 1)),
        Transaction { next: 1, metadata, outputs: Vec::new() },
    ];
    for transaction in cases {
        assert!(matches!(owned.committer.commit(&transaction), Err(CommitError::Refused(_))));
    }
    owned.committer.commit(&wrong(Topic::Ledger, bytes(MAX_VALUE))).unwrap();
    assert_eq!(settled(&*log, Topic::Ledger, HOME).len(), 1);
}

/// After a take-over the former owner can change nothing.
pub fn a_new_owner_fences_the_old_one(open: Open<'_>) {
    let mut old = own(&*open(), HOME);
    old.committer.commit(&step(10, 2)).unwrap();
    let log = open();
    let mut new = own(&*log, HOME);
    assert_eq!(new.committed.as_ref().unwrap().next, 10);
    assert!(matches!(old.committer.commit(&step(11, 5)), Err(CommitError::Lost(_))));
    new.committer.commit(&step(12, 1)).unwrap();
    assert_eq!(settled(&*log, Topic::Alerts, HOME).len(), 3);
    assert_eq!(own(&*log, HOME).committed.unwrap().next, 12);
}

/// Trying again does not bring the domain back.
pub fn a_fenced_owner_stays_fenced(open: Open<'_>) {
    let mut old = own(&*open(), HOME);
    let mut new = own(&*open(), HOME);
    for n in 0..3 {
        assert!(matches!(old.committer.commit(&step(n, 1)), Err(CommitError::Lost(_))));
    }
    new.committer.commit(&step(1, 1)).unwrap();
    assert!(matches!(old.committer.commit(&step(2, 1)), Err(CommitError::Lost(_))));
    assert_eq!(settled(&*open(), Topic::Alerts, HOME).len(), 1);
}

/// The owner reads on where the commit stands.
pub fn an_owner_finds_the_facts(open: Open<'_>) {
    let log = open();
    append(&*log, HOME, &numbered(0, 10));
    let mut owned = own(&*log, HOME);
    let fifth = (0..5).map(|_| next(&mut *owned.facts)).last().unwrap();
    owned.committer.commit(&step(fifth.offset + 1, 1)).unwrap();
    let mut successor = own(&*open(), HOME);
    successor.facts.seek(Start::Offset(successor.committed.unwrap().next)).unwrap();
    assert_eq!(next(&mut *successor.facts).value, numbered(5, 1)[0]);
}

/// The third one drives out the first.
pub fn snapshots_come_newest_first_and_two_are_kept(open: Open<'_>) {
    let log = open();
    let mut owned = own(&*log, HOME);
    for at in [10, 20, 30] {
        let mut chunks = (0..3).map(|n| vec![n; at as usize]);
        owned.snapshots.save(at, &format!("about {at}"), &mut chunks).unwrap();
    }
    let mut found = own(&*open(), HOME).snapshots;
    let manifests = found.list().unwrap();
    assert_eq!(manifests.iter().map(|m| m.at).collect::<Vec<_>>(), [30, 20]);
    assert_eq!((&*manifests[1].about, manifests[1].chunks, manifests[1].bytes), ("about 20", 3, 60));
    for manifest in &manifests {
        let chunks = found.load(manifest).unwrap().unwrap();
        assert!(chunks.into_iter().eq((0..3).map(|n| vec![n; manifest.at as usize])));
    }
}

/// A snapshot whose writer died half way is passed over, and later swept away.
pub fn a_snapshot_broken_off_is_not_there(open: Open<'_>) {
    let log = open();
    let mut owned = own(&*log, HOME);
    owned.snapshots.save(10, "", &mut [b"whole".to_vec()].into_iter()).unwrap();
    let mut dies = [b"part".to_vec(), b"part".to_vec(), bytes(MAX_VALUE + 1)].into_iter();
    assert!(owned.snapshots.save(20, "", &mut dies).is_err());
    let mut found = own(&*open(), HOME).snapshots;
    assert_eq!(found.list().unwrap().iter().map(|m| m.at).collect::<Vec<_>>(), [10]);
    found.save(30, "", &mut [b"next".to_vec()].into_iter()).unwrap();
    let manifests = found.list().unwrap();
    assert_eq!(manifests.iter().map(|m| m.at).collect::<Vec<_>>(), [30, 10]);
    assert_eq!(found.load(&manifests[0]).unwrap().unwrap(), [b"next".to_vec()]);
}

/// Size is no matter, and neither is an empty state.
pub fn a_snapshot_of_many_chunks_comes_back(open: Open<'_>) {
    let mut snapshots = own(&*open(), HOME).snapshots;
    let empty = snapshots.save(1, "empty", &mut std::iter::empty()).unwrap();
    let large = snapshots.save(2, "large", &mut (0..12).map(|n| bytes(500_000 + n))).unwrap();
    let mut found = own(&*open(), HOME).snapshots;
    assert_eq!(found.list().unwrap(), [large.clone(), empty.clone()]);
    assert!(found.load(&large).unwrap().unwrap().into_iter().eq((0..12).map(|n| bytes(500_000 + n))));
    assert_eq!(found.load(&empty).unwrap().unwrap(), Vec::<Vec<u8>>::new());
}

/// Who is alone has everything to do.
pub fn a_single_member_owns_every_domain(open: Open<'_>) {
    let mut membership = open().join().unwrap();
    let all = [HOME, AWAY].into();
    until("the domains", || match membership.poll(Duration::from_millis(100)) {
        Ok(Some(domains)) => (domains == all).then_some(()),
        Ok(None) | Err(Retry(_)) => None,
    });
}

/// The commit was done and only its answer got lost: owning again shows it, once.
pub fn an_unknown_outcome_that_was_done_shows_after_owning(open: Open<'_>) {
    let log = faulty(open, &[(On::Commit, 1, Fault::UnknownDone)]);
    assert!(matches!(second_commit(&log), CommitError::Restore(_)));
    assert_eq!(own(&log, HOME).committed.unwrap().next, 20);
    assert_eq!(settled(&log, Topic::Alerts, HOME).len(), 4);
}

/// The commit was not done, and its answer got lost too: owning again shows the one before.
pub fn an_unknown_outcome_that_was_lost_shows_after_owning(open: Open<'_>) {
    let log = faulty(open, &[(On::Commit, 1, Fault::UnknownLost)]);
    assert!(matches!(second_commit(&log), CommitError::Restore(_)));
    assert_eq!(own(&log, HOME).committed.unwrap().next, 10);
    assert_eq!(settled(&log, Topic::Alerts, HOME).len(), 2);
}

/// Of an aborted transaction nobody sees anything, and its committer is used up.
pub fn an_aborted_commit_leaves_nothing(open: Open<'_>) {
    let log = faulty(open, &[(On::Commit, 0, Fault::Aborted)]);
    let mut owned = own(&log, HOME);
    assert!(matches!(owned.committer.commit(&step(10, 2)), Err(CommitError::Restore(_))));
    assert!(matches!(owned.committer.commit(&step(10, 2)), Err(CommitError::Restore(_))));
    assert_eq!(own(&log, HOME).committed, None);
    assert!(settled(&log, Topic::Alerts, HOME).is_empty());
    own(&log, HOME).committer.commit(&step(10, 2)).unwrap();
    assert_eq!(settled(&log, Topic::Alerts, HOME).len(), 2);
}

/// `Retry` means what it says.
pub fn a_commit_to_be_tried_again_succeeds(open: Open<'_>) {
    let log = faulty(open, &[(On::Commit, 0, Fault::Retry)]);
    let mut owned = own(&log, HOME);
    assert!(matches!(owned.committer.commit(&step(10, 2)), Err(CommitError::Retry(_))));
    owned.committer.commit(&step(10, 2)).unwrap();
    assert_eq!(settled(&log, Topic::Alerts, HOME).len(), 2);
}

/// An injected take-over is a real one.
pub fn a_zombie_is_fenced_for_real(open: Open<'_>) {
    let log = faulty(open, &[(On::Commit, 1, Fault::Fenced)]);
    assert!(matches!(second_commit(&log), CommitError::Lost(_)));
    assert_eq!(own(&log, HOME).committed.unwrap().next, 10);
}

/// A stop loses the end of the row and nothing in the middle.
pub fn after_a_stop_everything_is_sent_again_in_order(open: Open<'_>) {
    let log = faulty(open, &[(On::Append, 4, Fault::Stopped)]);
    let mut appender = log.appender(HOME);
    let batches = numbered(0, 10);
    for batch in &batches {
        offer(&mut *appender, batch);
    }
    let stopped = until("the stop", || appender.acked().err());
    assert_eq!(stopped.acked, Ticket(4));
    assert_eq!(appender.append(b"more"), Err(AppendError::Stopped));
    assert_eq!(appender.resume().unwrap(), Ticket(4));
    for batch in &batches[4..] {
        offer(&mut *appender, batch);
    }
    await_ack(&mut *appender, Ticket(10));
    assert_eq!(values(&rest(&log, Topic::Facts, HOME)), batches);
}

/// An ack that is late is still an ack.
pub fn delayed_acks_come(open: Open<'_>) {
    let log = faulty(open, &[(On::Acked, 0, Fault::Delayed(3))]);
    let mut appender = log.appender(HOME);
    let ticket = offer(&mut *appender, b"batch");
    for _ in 0..3 {
        assert_eq!(appender.acked().unwrap(), Ticket(0));
    }
    await_ack(&mut *appender, ticket);
}

/// A batch that did not fit is offered again.
pub fn a_full_queue_takes_it_later(open: Open<'_>) {
    let log = faulty(open, &[(On::Append, 1, Fault::Full)]);
    let mut appender = log.appender(HOME);
    appender.append(b"one").unwrap();
    assert_eq!(appender.append(b"two"), Err(AppendError::Full));
    assert_eq!(appender.append(b"two"), Ok(Ticket(2)));
    await_ack(&mut *appender, Ticket(2));
    assert_eq!(values(&rest(&log, Topic::Facts, HOME)), [b"one".to_vec(), b"two".to_vec()]);
}

fn faulty(open: Open<'_>, faults: &[(On, u64, Fault)]) -> Faulty<Arc<dyn Log>> {
    let script =
        faults.iter().fold(Script::default(), |script, (on, nth, fault)| script.at(*on, *nth, *fault));
    Faulty::new(open(), script)
}

/// Commits 10 and then 20, which is to fail.
fn second_commit(log: &dyn Log) -> CommitError {
    let mut owned = own(log, HOME);
    owned.committer.commit(&step(10, 2)).unwrap();
    owned.committer.commit(&step(20, 2)).unwrap_err()
}

/// A transaction to offset `next` with `n` alerts.
fn step(next: i64, n: usize) -> Transaction {
    let metadata = CommitMetadata {
        semantics: 1,
        definitions: "d1".into(),
        outputs: format!("{next:x}"),
        skipped: vec![next - 1],
    };
    let outputs = (0..n).map(|i| Output {
        topic: Topic::Alerts,
        key: format!("rule|q{i}|{next}"),
        value: format!("{next}/{i}").into_bytes(),
    });
    Transaction { next, metadata, outputs: outputs.collect() }
}

fn outputs(transaction: &Transaction) -> Vec<Vec<u8>> {
    transaction.outputs.iter().map(|o| o.value.clone()).collect()
}

/// `n` bytes that are not all alike.
fn bytes(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 7 + i / 251) as u8).collect()
}

fn numbered(from: usize, n: usize) -> Vec<Vec<u8>> {
    (from..from + n).map(|i| format!("batch {i}").into_bytes()).collect()
}

fn values(records: &[Record]) -> Vec<Vec<u8>> {
    records.iter().map(|r| r.value.clone()).collect()
}

fn keys(records: &[Record]) -> Vec<String> {
    records.iter().map(|r| String::from_utf8(r.key.clone().unwrap()).unwrap()).collect()
}

fn append(log: &dyn Log, domain: Domain, batches: &[Vec<u8>]) {
    let mut appender = log.appender(domain);
    let last = batches.iter().map(|b| offer(&mut *appender, b)).last().unwrap_or_default();
    await_ack(&mut *appender, last);
}

fn offer(appender: &mut dyn Appender, batch: &[u8]) -> Ticket {
    until("room in the queue", || match appender.append(batch) {
        Ok(ticket) => Some(ticket),
        Err(AppendError::Full) => appender.acked().map(|_| None).unwrap(),
        Err(e) => panic!("{e}"),
    })
}

fn await_ack(appender: &mut dyn Appender, ticket: Ticket) {
    until("the ack", || (appender.acked().unwrap() >= ticket).then_some(()));
}

fn own(log: &dyn Log, domain: Domain) -> Owned {
    until("the domain", || log.own(domain).ok())
}

fn tail(log: &dyn Log, topic: Topic, domain: Domain, from: Start) -> Box<dyn Reader> {
    until("a reader", || log.tail(topic, domain, from).ok())
}

fn next(reader: &mut dyn Reader) -> Record {
    until("a record", || reader.poll(Duration::from_secs(1)).unwrap())
}

/// The first `n` records of a topic.
fn read(log: &dyn Log, topic: Topic, domain: Domain, n: usize) -> Vec<Record> {
    let mut reader = tail(log, topic, domain, Start::Beginning);
    (0..n).map(|_| next(&mut *reader)).collect()
}

/// Everything that the owner's commits have left in a topic. A broker says that a commit is decided before every reader sees
/// it; taking the domain waits for that.
fn settled(log: &dyn Log, topic: Topic, domain: Domain) -> Vec<Record> {
    own(log, domain);
    rest(log, topic, domain)
}

/// Everything that a topic holds now.
fn rest(log: &dyn Log, topic: Topic, domain: Domain) -> Vec<Record> {
    let mut reader = tail(log, topic, domain, Start::Beginning);
    let mut records = Vec::new();
    until("the end of the topic", || {
        records.extend(reader.poll(Duration::from_millis(50)).unwrap());
        reader.caught_up().then_some(())
    });
    records
}

#[expect(clippy::disallowed_methods, reason = "a test that waits for ever tells nothing")]
fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::yield_now();
    }
}
