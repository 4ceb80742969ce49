//! Every output comes back as it went out, under the key that was agreed.

use super::*;
use crate::engine::output::{Now, OpenPeriod, ScoreItem, SourceClock, TrendPoint, Window};
use crate::model::units::{EventTime, Fraction, LogTime};
use proptest::prelude::*;
use std::collections::BTreeMap;

const AT: LogTime = LogTime(1_793_419_200_007);

fn live(subject: SubjectKind, id: &str) -> Output {
    let window = Window {
        counts: BTreeMap::from([("answered".into(), 57)]),
        kpis: BTreeMap::from([
            ("answer_rate".into(), Fraction::new(57, 60)),
            ("handle_time_ms".into(), Fraction::new(0, 0)),
        ]),
    };
    let now = Now { waiting: Some(3), longest_since: Some(EventTime(AT.0)), ..Now::default() };
    let windows = BTreeMap::from([("5m".to_owned(), window)]);
    Output::Live(Live { subject, id: id.into(), as_of: AT, coverage: Fraction::new(7, 8), now, windows })
}

fn score() -> Score {
    let item = ScoreItem {
        id: "answer".into(),
        zh: "接通率".into(),
        en: "Answer rate".into(),
        state: "counted".into(),
        value: Some("57/60".into()),
        points: Some("262/3".into()),
        points_shown: Some("87.3333".into()),
        full: Some("100".into()),
        parent: None,
        weight: None,
        why_zh: "57/60".into(),
        why_en: "57 of 60".into(),
    };
    Score {
        agent: "a|7".into(),
        period: "2026-10".into(),
        card: "monthly".into(),
        version: 2,
        hash: "00".into(),
        as_of: AT,
        provisional: true,
        total: Some("262/3".into()),
        total_shown: Some("87.33".into()),
        grade: None,
        grade_en: None,
        why_zh: String::new(),
        why_en: String::new(),
        items: vec![item],
    }
}

fn alert(state: State) -> Output {
    Output::Alert(Alert {
        rule: "answer-rate".into(),
        kpi: "answer_rate".into(),
        queue: "billing".into(),
        state,
        since: AT,
        started: AT,
        window: "5m".into(),
        value: Fraction::new(6, 10),
        below: Fraction::new(8, 10),
        clear: Fraction::new(85, 100),
        partial: false,
        severity: "critical".into(),
        page: true,
        worst: Fraction::new(5, 10),
        zh: "接通率".into(),
        en: "answer rate".into(),
    })
}

fn clock() -> Output {
    let source = SourceClock {
        topic: "calls".into(),
        partition: 1,
        progress: None,
        caught_up: true,
        gaps: vec![(5, 9)],
    };
    let period =
        OpenPeriod { period: "2026-10".into(), end: AT, cut_due: AT, waits_for: vec!["calls".into()] };
    Output::Clock(Clock {
        domain: 0,
        live: AT,
        settle: None,
        coverage: Fraction::new(1, 1),
        sources: vec![source],
        counters: BTreeMap::from([("duplicates".into(), 4)]),
        period: Some(period),
    })
}

fn ledger() -> Vec<Ledger> {
    let [period, card, digest] = ["2026-10", "monthly", "ab"].map(String::from);
    vec![
        Ledger::Final {
            revision: 1,
            score: score(),
            cut: 900,
            digest: digest.clone(),
            definitions: digest.clone(),
        },
        Ledger::Cut {
            period: period.clone(),
            revision: 1,
            offset: 900,
            settle: AT,
            finals: 1,
            missing: vec!["rating.care".into()],
            unlisted: vec![],
            definitions: digest.clone(),
        },
        Ledger::UnitTable {
            period: period.clone(),
            card,
            revision: 1,
            members: 4,
            mean: Some("81.5".into()),
            grades: BTreeMap::from([("A".into(), 1)]),
        },
        Ledger::Audited { period, revision: 1, digest },
        Ledger::Accepted { id: "x".into(), what: "definitions.activated".into() },
        Ledger::Rejected { id: "x%|".into(), reason: "no".into() },
        Ledger::Skipped { offset: 12, reason: "torn".into() },
    ]
}

fn letter() -> Output {
    Output::DeadLetter(DeadLetter {
        topic: "calls".into(),
        partition: 2,
        offset: 77,
        reason: "missing".into(),
        detail: "id is missing".into(),
        id: None,
        sha256: Some("00".into()),
        original: Some("{}".into()),
    })
}

pub(crate) fn every_output() -> Vec<(Output, &'static str)> {
    let point = TrendPoint {
        at: AT,
        service_level: Fraction::new(8, 10),
        answer_rate: Fraction::new(0, 0),
        waiting: 3,
    };
    let trend = Trend { queue: "billing".into(), as_of: AT, points: vec![point] };
    let mut all = vec![
        (letter(), "calls|2|77"),
        (alert(State::Firing), "answer-rate|billing|2026-10-31T04:00:00.007Z|firing"),
        (live(SubjectKind::Queue, "billing"), "queue|billing"),
        (live(SubjectKind::Agent, "100%|x"), "agent|100%25%7Cx"),
        (live(SubjectKind::Team, "日班"), "team|日班"),
        (live(SubjectKind::Unit, "center"), "unit|center"),
        (clock(), "clock|0"),
        (Output::Trend(trend), "trend|billing"),
        (Output::Score(score()), "a%7C7|2026-10|monthly"),
    ];
    let keys = [
        "final|a%7C7|2026-10|monthly|1",
        "cut|2026-10|1",
        "unit_table|2026-10|monthly|1",
        "audited|2026-10|1",
        "accepted|x",
        "rejected|x%25%7C",
        "skipped|12",
    ];
    all.extend(ledger().into_iter().map(Output::Ledger).zip(keys));
    all
}

#[test]
fn every_output_comes_back_under_its_key() {
    for (given, key) in every_output() {
        let document = document(&given);
        assert_eq!(document.key, key);
        let read = output(document.class, &document.key, &document.value);
        assert_eq!(read, Ok(given), "{}", String::from_utf8_lossy(&document.value));
    }
}

#[test]
fn json_says_units_and_null() {
    let value = document(&live(SubjectKind::Queue, "billing")).value;
    let text = String::from_utf8(value).unwrap();
    assert!(text.contains(r#""as_of":"2026-10-31T04:00:00.007Z""#), "{text}");
    assert!(text.contains(r#""answer_rate":{"num":57,"den":60,"value":0.95}"#), "{text}");
    assert!(text.contains(r#""handle_time_ms":{"num":0,"den":0,"value":null}"#), "{text}");
}

#[test]
fn what_is_no_output_is_named() {
    let error = output(Class::KpiLive, "queue|billing", b"{}").unwrap_err();
    assert!(error.to_string().starts_with("queue|billing on kpi-live: missing field"), "{error}");
}

#[test]
fn the_digest_depends_on_every_byte_and_on_the_order() {
    let documents: Vec<_> = every_output().iter().map(|(output, _)| document(output)).collect();
    let digest = |documents: &[Document]| {
        let mut digest = Digest::default();
        documents.iter().for_each(|document| digest.add(document));
        digest
    };
    let whole = digest(&documents);
    let mut swapped = documents.clone();
    swapped.swap(2, 3);
    let mut moved = documents.clone();
    let byte = moved[0].key.pop().unwrap();
    moved[0].value.insert(0, byte as u8);
    for other in [&swapped, &moved, &documents[1..].to_vec()] {
        assert_ne!(digest(other), whole);
    }
    assert_eq!(Digest::parse(&whole.to_string()), Some(whole));
    assert_eq!(Digest::parse("é0"), None);
}

proptest! {
    #[test]
    fn keys_of_different_identifiers_differ_and_are_read_back(
        agent in "[a|%7C25]{0,6}", card in "[a|%7C25]{0,6}", other in "[a|%7C25]{0,6}",
    ) {
        let key = score_key(&agent, "2026-10", &card);
        prop_assert_eq!(key_parts(&key), vec![agent.clone(), "2026-10".to_owned(), card.clone()]);
        prop_assert_eq!(key == score_key(&other, "2026-10", &card), agent == other);
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..100), key in "\\PC{0,20}") {
        for class in [Class::DeadLetters, Class::Alerts, Class::Ledger, Class::KpiLive, Class::ScoresLive] {
            let _ = output(class, &key, &bytes);
        }
    }
}
