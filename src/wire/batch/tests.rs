//! A batch comes back as it went in, and no bytes can do harm.

use super::*;
use crate::engine::record::{Body, ControlKind};
use crate::wire::record;
use proptest::prelude::*;

const HEAD: Head<'_> = Head {
    topic: "calls",
    partition: 3,
    incarnation: 9,
    from: 100,
    to: 110,
    progress: APPEND_TIME,
    caught_up: true,
};

/// Everything a fact may say, with texts of its own.
#[derive(Debug, Clone)]
struct Owned {
    numbers: (i64, i64, usize, Option<u128>),
    texts: [Option<String>; 9],
    small: (Option<u8>, Option<u8>, Option<bool>, bool, bool),
    large: (Option<i64>, Option<i64>),
    id: String,
}

impl Owned {
    fn fact(&self) -> Fact<'_> {
        let (offset, time, kind, customer) = self.numbers;
        let [contact, queue, to_queue, agent, team, period, dimension, assessor, replaces] =
            self.texts.each_ref().map(Option::as_deref);
        let (channel, state, resolved, automatic, internal) = self.small;
        Fact {
            offset,
            kind: Kind::ALL[kind],
            time: EventTime(time),
            id: &self.id,
            contact,
            queue,
            to_queue,
            agent,
            team,
            customer,
            channel: channel.and_then(Channel::from_code),
            automatic,
            internal,
            state: state.and_then(AgentState::from_code),
            resolved,
            hold_ms: self.large.0,
            score: self.large.1,
            period,
            dimension,
            assessor,
            replaces,
        }
    }
}

fn facts() -> impl Strategy<Value = Vec<Owned>> {
    let numbers = (any::<i64>(), EventTime::RANGE, 0..Kind::ALL.len(), any::<Option<u128>>());
    let text = || proptest::option::of("[ab]|\\PC{0,9}");
    let texts = proptest::collection::vec(text(), 9).prop_map(|texts| texts.try_into().unwrap());
    let small = (
        proptest::option::of(1..4_u8),
        proptest::option::of(0..6_u8),
        any::<Option<bool>>(),
        any::<bool>(),
        any::<bool>(),
    );
    let large = (any::<Option<i64>>(), any::<Option<i64>>());
    let owned = (numbers, texts, small, large, "\\PC{0,9}");
    let owned =
        owned.prop_map(|(numbers, texts, small, large, id)| Owned { numbers, texts, small, large, id });
    proptest::collection::vec(owned, 0..20)
}

fn encode(builder: &mut BatchBuilder, head: &Head<'_>, facts: &[Owned]) -> Vec<u8> {
    for owned in facts {
        builder.push(head.from, &owned.fact());
    }
    let mut out = Vec::new();
    builder.finish(head, &mut out);
    out
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        first in facts(), second in facts(),
        partition: i32, incarnation: u64, from: i64, span: u32, progress: i64, caught_up: bool,
    ) {
        let to = from.saturating_add(i64::from(span));
        let head = Head { topic: "话务", partition, incarnation, from, to, progress, caught_up };
        let mut builder = BatchBuilder::new();
        let mut spare = Vec::new();
        for owned in [&first, &second] {
            let bytes = encode(&mut builder, &head, owned);
            let batch = decode(&bytes, spare).unwrap();
            let expected: Vec<_> = owned.iter().map(Owned::fact).collect();
            prop_assert_eq!(&batch.facts, &expected);
            prop_assert_eq!(super::head(&bytes), Ok(head));
            prop_assert_eq!((batch.from, batch.to, batch.progress), (from, to, progress));
            let late = belated(&bytes, 5).unwrap();
            prop_assert_eq!(super::head(&late), Ok(Head { progress: 5, caught_up: false, ..head }));
            prop_assert_eq!(decode(&late, Vec::new()).unwrap().facts, expected);
            spare = recycle(batch.facts);
        }
    }

    #[test]
    fn any_bytes_are_survived(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), format in 0..4_u8) {
        if let Some(first) = bytes.first_mut() {
            *first = format;
        }
        record(0, 0, &bytes);
    }

    #[test]
    fn any_damage_is_survived(owned in facts(), at: proptest::sample::Index, byte: u8, cut: proptest::sample::Index) {
        let mut bytes = encode(&mut BatchBuilder::new(), &HEAD, &owned);
        let place = at.index(bytes.len());
        bytes[place] = byte;
        record(0, 0, &bytes);
        let end = cut.index(bytes.len());
        bytes.truncate(end);
        record(0, 0, &bytes);
    }

    #[test]
    fn a_torn_batch_is_never_read(owned in facts(), cut: proptest::sample::Index) {
        let mut bytes = encode(&mut BatchBuilder::new(), &HEAD, &owned);
        let whole = bytes.len();
        bytes.truncate(cut.index(whole));
        prop_assert!(decode(&bytes, Vec::new()).is_err());
        bytes.resize(whole + 1, 0);
        prop_assert!(decode(&bytes, Vec::new()).is_err());
    }
}

#[test]
fn rows_are_small_and_the_length_is_known() {
    let mut builder = BatchBuilder::new();
    for at in 0..1_000 {
        let fact = Fact {
            offset: 100 + at,
            contact: Some("c-10293"),
            queue: Some("billing"),
            agent: Some("a7"),
            ..Fact::new(Kind::Answered, EventTime(1_793_419_200_000 + at), "e-1029384")
        };
        builder.push(100, &fact);
    }
    let expected = builder.len();
    let mut out = Vec::new();
    builder.finish(&HEAD, &mut out);
    assert!((expected..expected + 100 + HEAD.topic.len()).contains(&out.len()));
    assert!(out.len() < 28 * 1_000, "{} bytes", out.len());
    assert_eq!((builder.count(), builder.len()), (0, 0));
}

#[test]
fn a_heartbeat_has_no_facts() {
    let mut bytes = Vec::new();
    BatchBuilder::new().finish(&HEAD, &mut bytes);
    let Body::Batch(batch) = record(5, 6, &bytes).body else { panic!("no batch") };
    assert!(batch.facts.is_empty() && batch.caught_up);
    assert_eq!((batch.topic, batch.partition, batch.from, batch.to), ("calls", 3, 100, 110));
}

#[test]
fn recycling_keeps_the_memory() {
    let mut facts = Vec::with_capacity(100);
    facts.push(Fact::new(Kind::Other, EventTime(EventTime::RANGE.start), "e"));
    let recycled: Vec<Fact<'static>> = recycle(facts);
    assert!(recycled.is_empty());
    assert_eq!(recycled.capacity(), 100);
}

#[test]
fn what_is_no_record_says_so() {
    let check = |bytes: &[u8], expected: &str| match record(0, 0, bytes).body {
        Body::Unreadable(reason) => assert!(reason.contains(expected), "{reason}"),
        body => panic!("{body:?}"),
    };
    check(b"", "empty");
    check(&[7, 1, 2], "unknown format 7");
    check(&[1, 200, 1], "torn");
    check(&[1, 1, 0xff], "UTF-8");
    check(b"\x02{\"id\":", "control fact");
    check(b"\x02{\"id\":\"x\",\"type\":\"no.such\"}", "no.such");
}

#[test]
fn an_unknown_field_is_not_guessed() {
    let mut builder = BatchBuilder::new();
    builder
        .push(0, &Fact { score: Some(1), ..Fact::new(Kind::Survey, EventTime(EventTime::RANGE.start), "e") });
    let mut bytes = Vec::new();
    builder.finish(&HEAD, &mut bytes);
    let place = bytes.len() - 2;
    assert_eq!(bytes[place], code::SCORE);
    bytes[place] = 99;
    assert_eq!(decode(&bytes, Vec::new()).unwrap_err(), Unreadable::Unknown { what: "field", value: 99 });
}

#[test]
fn a_time_that_no_event_may_have_is_not_read() {
    let mut bytes = Vec::new();
    let mut builder = BatchBuilder::new();
    builder.push(0, &Fact::new(Kind::Other, EventTime(EventTime::RANGE.end), "e"));
    builder.finish(&HEAD, &mut bytes);
    assert!(matches!(decode(&bytes, Vec::new()), Err(Unreadable::Unknown { what: "time", .. })));
}

#[test]
fn control_facts_come_back() {
    let control = Control {
        id: "g1".into(),
        kind: ControlKind::GapAccepted { topic: "calls".into(), partition: 2, from: 5, to: 9 },
    };
    let bytes = encode_control(&control);
    assert_eq!(bytes[0], CONTROL);
    match record(0, 0, &bytes).body {
        Body::Control(read) => assert_eq!(read, control),
        body => panic!("{body:?}"),
    }
}
