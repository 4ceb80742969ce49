//! Faults that real systems of this kind have had, told as events through the whole engine: the stream and the alerts.
//! The cases about replies, calls and agents' time stand beside `model::contact` and `model::timeline`.

use shiftpulse::engine::Engine;
use shiftpulse::engine::definitions::{Definitions, Person, Queue, Source, Unit};
use shiftpulse::engine::output::{Alert, Output, SubjectKind};
use shiftpulse::engine::record::{Batch, Body, Control, ControlKind, Record};
use shiftpulse::model::alert::{OnNull, Rule, State};
use shiftpulse::model::units::{Fraction, HOUR, LogTime, MINUTE, SECOND};
use shiftpulse::wire::native::{CustomerKey, read};

/// 2026-03-02T00:00:00+08:00.
const MIDNIGHT: i64 = 1_772_380_800_000;

/// A line of events into an engine: one source, one partition, one record an event.
struct Line {
    engine: Engine,
    offset: i64,
    position: i64,
    caught_up: bool,
    alerts: Vec<Alert>,
    letters: Vec<(String, i64)>,
}

impl Line {
    fn new(alerts: Vec<Rule>) -> Self {
        let mut line = Self {
            engine: Engine::new(0),
            offset: 0,
            position: 0,
            caught_up: true,
            alerts: vec![],
            letters: vec![],
        };
        let kind = ControlKind::Definitions { definitions: Box::new(definitions(alerts)) };
        line.record(MIDNIGHT, Body::Control(Control { id: "d".into(), kind }));
        line
    }

    fn record(&mut self, append: i64, body: Body) {
        let mut out = Vec::new();
        self.engine.handle(&Record { offset: self.offset, append: LogTime(append), body }, &mut out);
        self.offset += 1;
        for output in out {
            match output {
                Output::Alert(alert) => self.alerts.push(alert),
                Output::DeadLetter(letter) => self.letters.push((letter.reason, letter.offset)),
                _ => {}
            }
        }
    }

    /// An event that arrives at a time of the day.
    fn event(&mut self, arrives: &str, json: &str) {
        let key = CustomerKey::new("test");
        let event = read(json.as_bytes(), &key).unwrap_or_else(|refusal| panic!("{json}: {refusal}"));
        let from = self.position;
        self.position += 1;
        let (to, facts) = (self.position, vec![event.fact(from)]);
        self.record(
            at(arrives),
            Body::Batch(Batch {
                topic: "calls",
                from,
                to,
                progress: i64::MAX,
                caught_up: true,
                facts,
                ..Batch::default()
            }),
        );
    }

    /// The clock moves on without events; a dead source does not even say that.
    fn heartbeat(&mut self, arrives: i64) {
        let (topic, partition) = if self.caught_up { ("calls", 0) } else { ("other", 0) };
        let position = if self.caught_up { self.position } else { 0 };
        let batch = Batch {
            topic,
            partition,
            from: position,
            to: position,
            progress: i64::MAX,
            caught_up: true,
            ..Batch::default()
        };
        self.record(arrives, Body::Batch(batch));
    }

    /// Heartbeats every second between two times of the day, both included.
    fn quiet(&mut self, from: &str, to: &str) {
        (at(from)..=at(to)).step_by(1000).for_each(|arrives| self.heartbeat(arrives));
    }

    fn value(&mut self, kind: SubjectKind, id: &str, window: &str, kpi: &str) -> Fraction {
        self.engine.view(kind, id).map(|live| live.windows[window].kpis[kpi]).unwrap_or_default()
    }

    fn count(&mut self, kind: SubjectKind, id: &str, window: &str, column: &str) -> i64 {
        let live = self.engine.view(kind, id);
        live.and_then(|live| live.windows[window].counts.get(column).copied()).unwrap_or(0)
    }

    /// Transitions as `queue state time-of-day`.
    fn told(&self) -> Vec<String> {
        let line = |alert: &Alert| format!("{} {:?} {}", alert.queue, alert.state, clock(alert.since.0));
        self.alerts.iter().map(line).collect()
    }
}

/// `10:00:05` of the day, epoch ms.
fn at(time: &str) -> i64 {
    let parts: Vec<i64> = time.split(':').map(|part| part.parse().expect("a time of the day")).collect();
    MIDNIGHT + parts[0] * HOUR + parts[1] * MINUTE + parts.get(2).unwrap_or(&0) * SECOND
}

fn clock(ms: i64) -> String {
    let seconds = (ms - MIDNIGHT) / SECOND;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn queue(id: &str) -> Queue {
    Queue {
        id: id.into(),
        names: Default::default(),
        channel: "voice".into(),
        dialect: "cisco_negative".into(),
        within_ms: 20 * SECOND,
        service_level_target: 800,
        wait_limit_ms: 2 * MINUTE,
        answer_rate_target: 800,
    }
}

fn definitions(alerts: Vec<Rule>) -> Definitions {
    let person = |agent: &str| Person {
        agent: agent.into(),
        names: Default::default(),
        team: "east".into(),
        role: String::new(),
        queues: vec!["line".into()],
        from: None,
        to: None,
    };
    Definitions {
        unit: Unit { id: "center".into(), names: Default::default(), zone: "Asia/Shanghai".into() },
        queues: vec![queue("line"), queue("side")],
        teams: vec![],
        roster: ["a1", "a2", "a3"].map(person).to_vec(),
        sources: vec![Source { topic: "calls".into(), partitions: 1, queues: vec![], backfill: false }],
        alerts,
        cards: vec![],
        grace_ms: 72 * HOUR,
        horizon_ms: 72 * HOUR,
        unfinished_after_ms: 24 * HOUR,
    }
}

fn rule(windows: &[&str], hold_ms: i64, min_samples: i64) -> Rule {
    Rule {
        id: "answer-rate-low".into(),
        kpi: "answer_rate".into(),
        queues: vec![],
        windows: windows.iter().map(|window| (*window).to_owned()).collect(),
        below: Fraction::new(80, 100),
        clear: Fraction::new(80, 100),
        hold_ms,
        min_samples,
        on_null: OnNull::Hold,
        severity: "critical".into(),
        page: true,
    }
}

fn call(line: &mut Line, id: &str, queue: &str, time: &str, answered: bool) {
    let stamp = format!("2026-03-02T{time}+08:00");
    let outcome = if answered {
        r#","type":"contact.answered","agent":"a1""#
    } else {
        r#","type":"contact.abandoned""#
    };
    line.event(time, &format!(r#"{{"id":"{id}q","type":"contact.queued","time":"{stamp}","contact_id":"{id}","queue":"{queue}"}}"#));
    line.event(time, &format!(r#"{{"id":"{id}o"{outcome},"time":"{stamp}","contact_id":"{id}"}}"#));
}

#[test]
fn future_stamp_one_wrong_clock_moves_nothing() {
    let mut line = Line::new(vec![]);
    let answered = |id: &str, time: &str, contact: &str, agent: &str| {
        format!(
            r#"{{"id":"{id}","type":"contact.answered","time":"{time}+08:00","contact_id":"{contact}","queue":"line","agent":"{agent}"}}"#
        )
    };
    line.event("10:00:00", &answered("h1", "2026-03-02T10:00:00", "v9", "a1"));
    line.event("10:00:01", &answered("h2", "2026-03-03T10:00:00", "v10", "a2"));
    line.event("10:00:02", &answered("h3", "2026-03-02T10:00:02", "v11", "a1"));
    line.event("10:00:03", &answered("h4", "2026-03-02T10:04:00", "v12", "a3"));
    line.heartbeat(at("10:00:05"));
    let taken = ["a1", "a2", "a3"].map(|agent| line.count(SubjectKind::Agent, agent, "day", "taken"));
    assert_eq!(taken, [2, 0, 1]);
    assert_eq!(line.letters, [("future".to_owned(), 1)], "named with its position");
    let counters = line.engine.counters();
    assert_eq!((counters.future, counters.unsettled), (1, 0));
    assert_eq!(line.engine.clocks().live(), LogTime(at("10:00:05")));
}

#[test]
fn no_traffic_is_null_and_pages_nobody() {
    let mut line = Line::new(vec![rule(&["30m"], 0, 5)]);
    line.quiet("02:59:50", "02:59:59");
    assert!(line.value(SubjectKind::Queue, "line", "30m", "answer_rate").is_null());
    assert!(line.value(SubjectKind::Queue, "line", "30m", "handle_time_ms").is_null());
    line.event("03:00:00", r#"{"id":"i1","type":"contact.queued","time":"2026-03-02T03:00:00+08:00","contact_id":"v16","channel":"voice","queue":"line"}"#);
    line.event("03:01:00", r#"{"id":"i2","type":"contact.abandoned","time":"2026-03-02T03:01:00+08:00","contact_id":"v16","queue":"line"}"#);
    assert_eq!(line.value(SubjectKind::Queue, "line", "30m", "answer_rate"), Fraction::new(0, 1));
    line.quiet("03:01:01", "03:31:29");
    assert_eq!(line.value(SubjectKind::Queue, "line", "30m", "answer_rate"), Fraction::new(0, 1));
    line.heartbeat(at("03:31:30"));
    assert!(line.value(SubjectKind::Queue, "line", "30m", "answer_rate").is_null());
    assert!(line.told().is_empty(), "{:?}", line.told());
}

#[test]
fn a_real_zero_of_enough_pages() {
    let mut line = Line::new(vec![rule(&["30m"], 0, 5)]);
    for i in 0..5 {
        call(&mut line, &format!("z{i}"), "line", &format!("03:0{i}:00"), false);
    }
    assert_eq!(line.told(), ["line Firing 03:04:00"]);
}

#[test]
fn data_stops_is_no_recovery() {
    let mut line = Line::new(vec![rule(&["5m"], 5 * MINUTE, 5)]);
    // 60 % from 10:00 on: every ten seconds a call, three of five answered.
    for i in 0..60 {
        let time = format!("10:{:02}:{:02}", i / 6, i % 6 * 10);
        call(&mut line, &format!("c{i}"), "line", &time, i % 5 < 3);
    }
    line.quiet("09:59:59", "09:59:59");
    let fired: Vec<_> = line.alerts.iter().filter(|alert| alert.state == State::Firing).collect();
    assert_eq!(fired.len(), 1, "{:?}", line.told());
    // The only source dies; the log's clock goes on by another one.
    line.caught_up = false;
    line.quiet("10:10:00", "10:39:59");
    let told = line.told();
    assert!(!told.iter().any(|told| told.contains("Resolved")), "{told:?}");
    assert!(
        line.value(SubjectKind::Queue, "line", "5m", "answer_rate").is_null(),
        "the window has run empty"
    );
    let live = line.engine.view(SubjectKind::Queue, "line").expect("the queue is known");
    assert_eq!(live.coverage, Fraction::new(0, 1));
    line.caught_up = true;
    for i in 0..20 {
        let time = format!("10:{:02}:{:02}", 40 + i / 6, i % 6 * 10);
        call(&mut line, &format!("d{i}"), "line", &time, i != 7);
    }
    let resolved: Vec<_> = line.alerts.iter().filter(|alert| alert.state == State::Resolved).collect();
    assert_eq!(resolved.len(), 1, "{:?}", line.told());
    assert!(resolved[0].since.0 >= at("10:40:00") && !resolved[0].value.is_null());
}

#[test]
fn a_guard_waits_for_evidence_and_is_not_switched_off_by_a_thin_night() {
    let mut line = Line::new(vec![rule(&["5m", "1h"], 0, 10)]);
    call(&mut line, "lone", "side", "10:00:00", false);
    for i in 0..216 {
        let queued = at("10:00:00") + i * 100 * SECOND;
        let (queued, lost) = (clock(queued), clock(queued + 30 * SECOND));
        let event = |id: &str, kind: &str, time: &str| {
            format!(
                r#"{{"id":"{id}{i}","type":"{kind}","time":"2026-03-02T{time}+08:00","contact_id":"n{i}","queue":"line"}}"#
            )
        };
        line.event(&queued, &event("q", "contact.queued", &queued));
        line.event(&lost, &event("x", "contact.abandoned", &lost));
    }
    assert_eq!(
        line.told(),
        ["line Firing 10:15:30"],
        "one page, firing all through, and none for the lone call"
    );
}

#[test]
fn local_month_end_is_midnight_of_the_unit_whatever_the_producer_writes() {
    let mut line = Line::new(vec![]);
    let next_month = 1_774_972_800_000;
    let events = [
        r#"{"id":"l1","type":"contact.answered","time":"2026-03-31T23:59:59.999+08:00","contact_id":"v5","channel":"voice","queue":"line","agent":"a1"}"#,
        r#"{"id":"l2","type":"contact.answered","time":1774972800000,"contact_id":"v6","channel":"voice","queue":"line","agent":"a1"}"#,
        r#"{"id":"l3","type":"contact.answered","time":"2026-03-31T16:10:00Z","contact_id":"v7","channel":"voice","queue":"line","agent":"a1"}"#,
    ];
    line.heartbeat(next_month);
    line.heartbeat(next_month + 11 * MINUTE);
    for json in events {
        let key = CustomerKey::new("test");
        let event = read(json.as_bytes(), &key).unwrap_or_else(|refusal| panic!("{refusal}"));
        let from = line.position;
        line.position += 1;
        let (to, facts) = (line.position, vec![event.fact(from)]);
        let batch = Batch {
            topic: "calls",
            from,
            to,
            progress: i64::MAX,
            caught_up: true,
            facts,
            ..Batch::default()
        };
        line.record(next_month + 11 * MINUTE, Body::Batch(batch));
    }
    assert_eq!(line.count(SubjectKind::Agent, "a1", "month", "taken"), 2, "April; the third is March's");
}

#[test]
fn identifiers_are_text_and_likeness_is_for_people() {
    let mut line = Line::new(vec![]);
    for (i, agent) in ["0042", "42", "A7", "a7"].iter().enumerate() {
        line.event("10:00:00", &format!(
            r#"{{"id":"k{i}","type":"contact.answered","time":"2026-03-02T10:00:00+08:00","contact_id":"w{i}","queue":"line","agent":"{agent}"}}"#
        ));
    }
    for agent in ["0042", "42", "A7", "a7"] {
        assert_eq!(line.count(SubjectKind::Agent, agent, "day", "taken"), 1, "{agent}");
    }
    assert_eq!(line.count(SubjectKind::Queue, "line", "day", "answered"), 4);
}
