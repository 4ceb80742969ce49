//! What is read, what is refused and with which words.

use super::*;
use proptest::prelude::*;

const NOON: EventTime = EventTime(1_793_419_200_000);

fn key() -> CustomerKey {
    CustomerKey::new("secret")
}

fn event(json: &str) -> Event<'_> {
    read(json.as_bytes(), &key()).unwrap_or_else(|refusal| panic!("{json}: {refusal}"))
}

/// `fields` behind a valid id and time.
fn with(fields: &str) -> String {
    format!(r#"{{"id":"e1","time":"2026-10-31T12:00:00+08:00",{fields}}}"#)
}

#[track_caller]
fn refused(json: &str, reason: &str, field: &str) -> Refusal {
    let refusal = read(json.as_bytes(), &key()).expect_err(json);
    assert_eq!((refusal.word(), &*refusal.field), (reason, field), "{json}: {refusal}");
    refusal
}

#[test]
fn a_contact_event_is_read_whole() {
    let json = with(
        r#""type":"contact.transferred","contact_id":"c1","channel":"voice","queue":"billing","to_queue":"returns",
           "agent":"a7","team":"day","customer":"k1","automatic":true,"note":"free text","nested":{"a":[1,2]}"#,
    );
    let read = event(&json);
    let fact = Fact {
        offset: 7,
        contact: Some("c1"),
        channel: Some(Channel::Voice),
        queue: Some("billing"),
        to_queue: Some("returns"),
        agent: Some("a7"),
        team: Some("day"),
        customer: Some(key().hash("k1")),
        automatic: true,
        ..Fact::new(Kind::Transferred, NOON, "e1")
    };
    assert_eq!(read.fact(7), fact);
}

#[test]
fn time_may_be_epoch_milliseconds() {
    let json = r#"{"type":"order.placed","time":1793419200000,"id":"e1"}"#;
    assert_eq!(event(json).fact(0), Fact::new(Kind::Other, NOON, "e1"));
}

#[test]
fn escaped_texts_and_names_are_decoded() {
    // Some writers escape every plus sign.
    let json = with(r#""type":"contact.queued","cont\u0061ct_id":"c\"1\u00e9","queue":"\u5e10\u5355""#);
    let plus = r#"{"id":"e1","type":"order.placed","time":"2026-10-31T12:00:00\u002B08:00"}"#;
    assert_eq!(event(plus).time, NOON);
    let event = event(&json);
    assert_eq!((event.fact(0).contact, event.fact(0).queue), (Some("c\"1é"), Some("帐单")));
}

#[test]
fn identifiers_that_look_alike_stay_apart() {
    let agent = |id: &str| {
        event(&with(&format!(r#""type":"contact.offered","contact_id":"c","agent":{id}"#)).clone())
            .agent
            .unwrap()
            .into_owned()
    };
    assert_eq!(agent("\"0042\""), "0042");
    assert_eq!(agent("\"42\""), "42");
    assert_eq!(agent("\"a7\""), "a7");
    let refusal =
        refused(&with(r#""type":"contact.offered","contact_id":"c","agent":42"#), "wrong_type", "agent");
    assert_eq!(
        refusal.to_string(),
        "agent is 42, expected a text: put it in quotes: identifiers are text, 0042 is not 42"
    );
    assert_eq!(refusal.id.as_deref(), Some("e1"));
}

#[test]
fn unknown_types_use_known_names_as_they_like() {
    let json = with(r#""type":"order.placed","state":"paid","score":"AAA","period":7,"hold_ms":[]"#);
    assert_eq!(event(&json).fact(0), Fact::new(Kind::Other, NOON, "e1"));
}

#[test]
fn null_and_empty_texts_are_absent() {
    let json = with(r#""type":"contact.queued","contact_id":"c1","queue":null,"agent":"","automatic":null"#);
    assert_eq!(event(&json).fact(0), Fact { contact: Some("c1"), ..Fact::new(Kind::Queued, NOON, "e1") });
    refused(&with(r#""type":"contact.queued","contact_id":"""#), "missing", "contact_id");
}

#[test]
fn numbers_are_exact() {
    let rating = |score: &str| {
        with(&format!(
            r#""type":"rating","agent":"a","period":"2026-10","dimension":"care","assessor":"supervisor","score":{score}"#
        ))
    };
    assert_eq!(event(&rating("4.35")).score, Some(4_350_000));
    assert_eq!(event(&rating("0.000001")).score, Some(1));
    refused(&rating("0.0000001"), "out_of_range", "score");
    refused(&rating("1e308"), "out_of_range", "score");
    refused(&rating("1e99999999999"), "out_of_range", "score");
    refused(&rating("\"4.35\""), "wrong_type", "score");
    refused(&rating("null"), "missing", "score");
    let held = |hold: &str| with(&format!(r#""type":"contact.held","contact_id":"c",{hold}"#));
    assert_eq!(event(&held(r#""hold_ms":12000"#)).hold_ms, Some(12_000));
    assert_eq!(event(&held(r#""hold_s":12.5"#)).hold_ms, Some(12_500));
    refused(&held(r#""hold_ms":-1"#), "out_of_range", "hold_ms");
    refused(&held(r#""hold_ms":1.5"#), "out_of_range", "hold_ms");
    refused(&held(r#""hold_s":99999999999999999999999999"#), "out_of_range", "hold_s");
    refused(&held(r#""hold":1"#), "missing", "hold_ms");
}

#[test]
fn states_and_visibility_have_known_texts() {
    let state = |state: &str| with(&format!(r#""type":"agent.state","agent":"a","state":{state}"#));
    assert_eq!(event(&state("\"wrap_up\"")).state, Some(AgentState::WrapUp));
    let refusal = refused(&state("\"lunch\""), "wrong_value", "state");
    assert!(refusal.to_string().contains("paused, logged_out"), "{refusal}");
    let note = |text: &str| with(&format!(r#""type":"message.agent","contact_id":"t1","agent":"a",{text}"#));
    assert!(event(&note(r#""visibility":"internal""#)).internal);
    assert!(event(&note(r#""internal":true"#)).internal);
    assert!(!event(&note(r#""visibility":"public","kind":"note""#)).internal);
    refused(&note(r#""visibility":"secret""#), "wrong_value", "visibility");
}

#[test]
fn every_kind_needs_its_fields() {
    for (fields, field) in [
        (r#""type":"contact.queued""#, "contact_id"),
        (r#""type":"ticket.opened""#, "contact_id"),
        (r#""type":"contact.answered","contact_id":"c""#, "agent"),
        (r#""type":"contact.offered","contact_id":"c""#, "agent"),
        (r#""type":"agent.state","state":"available""#, "agent"),
        (r#""type":"agent.state","agent":"a""#, "state"),
        (r#""type":"rating","agent":"a","dimension":"d","assessor":"s","score":1"#, "period"),
        (r#""type":"rating","agent":"a","period":"2026-10","assessor":"s","score":1"#, "dimension"),
        (r#""type":"rating","agent":"a","period":"2026-10","dimension":"d","score":1"#, "assessor"),
        (r#""type":"rating","period":"2026-10","dimension":"d","assessor":"s","score":1"#, "agent"),
        (r#""type":"fact.voided","contact_id":"c""#, "target"),
        (r#""type":"fact.voided","target":"e0""#, "contact_id"),
        (r#""type":"fact.replaced","target":"e0""#, "event"),
        (r#""contact_id":"c""#, "type"),
    ] {
        refused(&with(fields), "missing", field);
    }
    refused(r#"{"type":"contact.queued","time":0}"#, "missing", "id");
    refused(r#"{"type":"contact.queued","id":"e"}"#, "missing", "time");
}

#[test]
fn a_period_is_a_month() {
    for period in ["2026-13", "2026-1", "10-2026", "2026-00", "2026/10", "２０２６-10"] {
        let json = with(&format!(r#""type":"fact.voided","target":"r","agent":"a","period":"{period}""#));
        refused(&json, "wrong_value", "period");
    }
}

#[test]
fn a_replacement_is_the_corrected_event_under_the_outer_id() {
    let replace = |rest: &str| with(&format!(r#""type":"fact.replaced","target":"e0",{rest}"#));
    let inner =
        r#""event":{"id":"x","type":"contact.answered","time":1793419205000,"agent":"a7","contact_id":"c1"}"#;
    let json = replace(inner);
    let expected = Fact {
        contact: Some("c1"),
        agent: Some("a7"),
        replaces: Some("e0"),
        ..Fact::new(Kind::Answered, EventTime(NOON.0 + 5_000), "e1")
    };
    assert_eq!(event(&json).fact(0), expected);
    let outer_contact =
        replace(r#""contact_id":"c1","event":{"type":"contact.answered","time":1793419205000,"agent":"a7"}"#);
    assert_eq!(event(&outer_contact).fact(0), expected);
    refused(&replace(&format!(r#""contact_id":"c2",{inner}"#)), "wrong_value", "contact_id");
    refused(&replace(r#""event":[1]"#), "not_object", "event");
    refused(&replace(r#""event":{"type":"contact.queued"}"#), "missing", "event.time");
    refused(
        &replace(r#""event":{"type":"contact.queued","time":1793419205000}"#),
        "missing",
        "event.contact_id",
    );
    refused(&replace(r#""event":{"type":"fact.voided","time":1793419205000}"#), "wrong_value", "event.type");
    refused(&with(r#""type":"fact.voided","target":"e1","contact_id":"c""#), "wrong_value", "target");
}

#[test]
fn bad_input_gets_its_reason() {
    let check = |bytes: &[u8], reason: &str| {
        let refusal = read(bytes, &key()).expect_err(reason);
        assert_eq!(refusal.word(), reason, "{refusal}");
    };
    check(b"", "empty");
    check(b" \n\t", "empty");
    check(b"{\"id\":\"e1\",\"type\":\"contact.q", "truncated");
    check(b"{\"id\":\"e1\"", "truncated");
    check(b"{\"id\":\"\xff\"}", "not_utf8");
    check(b"hello", "not_json");
    check(b"{\"id\":\"e1\"} {\"id\":\"e2\"}", "not_json");
    check(b"{'id':'e1'}", "not_json");
    check(b"[{\"id\":\"e1\"}]", "not_object");
    check(b"\"text\"", "not_object");
    check(b"null", "not_object");
    check("[".repeat(100_000).as_bytes(), "not_object");
    check(format!("{{\"x\":{}", "[".repeat(100_000)).as_bytes(), "truncated");
    check(format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)).as_bytes(), "too_deep");
    check(format!("{{\"x\":\"{}\"}}", "y".repeat(10_000_000)).as_bytes(), "too_large");
    check(b"{\"id\":\"e1\",\"id\":\"e2\"}", "duplicate");
    check(b"{\"id\":{\"a\":1}}", "wrong_type");
    check(b"{\"id\":true}", "wrong_type");
    check(b"{\"id\":\"a\\ud800\"}", "wrong_value");
    check(b"{\"id\":\"a\\u0000\"}", "wrong_value");
    check(format!("{{\"id\":\"{}\"}}", "é".repeat(129)).as_bytes(), "too_long");
}

#[test]
fn absurd_times_are_refused() {
    let timed =
        |time: &str| format!(r#"{{"id":"e1","type":"contact.queued","contact_id":"c","time":{time}}}"#);
    refused(&timed("\"9999-12-31T23:59:59Z\""), "out_of_range", "time");
    refused(&timed("\"1989-12-31T23:59:59Z\""), "out_of_range", "time");
    refused(&timed("4102444800000"), "out_of_range", "time");
    refused(&timed("99999999999999999999999999"), "out_of_range", "time");
    refused(&timed("-1"), "out_of_range", "time");
    refused(&timed("1793419200.5"), "wrong_value", "time");
    refused(&timed("\"2026-10-31T12:00:00\""), "wrong_value", "time");
    refused(&timed("\"yesterday\""), "wrong_value", "time");
    refused(&timed("[2026,10,31]"), "wrong_type", "time");
    let seconds = refused(&timed("1793419200"), "out_of_range", "time");
    assert!(seconds.remedy.contains("seconds"), "{seconds}");
}

#[test]
fn a_customer_is_known_by_a_keyed_hash() {
    let json = with(r#""type":"contact.queued","contact_id":"c","customer":"+861380000""#);
    let other = read(json.as_bytes(), &CustomerKey::new("another")).unwrap().customer;
    assert_eq!(event(&json).customer, Some(key().hash("+861380000")));
    assert_ne!(event(&json).customer, other);
    assert_eq!(format!("{:?}", key()), "CustomerKey(secret)");
}

proptest! {
    #[test]
    fn any_bytes_give_an_event_or_a_refusal(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Err(refusal) = read(&bytes, &key()) {
            prop_assert!(!refusal.to_string().is_empty());
        }
    }

    #[test]
    fn any_damage_to_an_event_gives_an_event_or_a_refusal(
        at in 0..400_usize, byte: u8, cut in 0..400_usize,
    ) {
        let mut bytes = with(
            r#""type":"fact.replaced","target":"e0","contact_id":"c\u0031","event":{"type":"contact.held","hold_s":1.5e1,
               "time":"2026-10-31T12:00:00.123456789Z","agent":"a7","customer":"k","state":"paused","score":-4.5e-1}"#,
        ).into_bytes();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut / 2));
        let _ = read(&bytes, &key()).map_err(|refusal| refusal.to_string());
    }

    #[test]
    fn any_values_of_known_fields_are_survived(
        name in proptest::sample::select(vec!["id", "type", "time", "agent", "score", "hold_ms", "hold_s", "state", "event", "period"]),
        kind in proptest::sample::select(vec!["rating", "contact.held", "fact.replaced", "agent.state", "message.agent"]),
        value in "-?[0-9]{1,40}(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,6})?|\"\\PC{0,20}\"|null|true|\\[\\]|\\{\\}",
    ) {
        let json = format!(r#"{{"id":"e","type":"{kind}","target":"t","agent":"a","contact_id":"c","period":"2026-10","dimension":"d","assessor":"s","{name}":{value}}}"#);
        let json = json.replacen(&format!(r#""{name}":"#), r#""ignored":"#, usize::from(json.matches(&format!(r#""{name}":"#)).count() > 1));
        let _ = read(json.as_bytes(), &key()).map_err(|refusal| refusal.to_string());
    }
}
