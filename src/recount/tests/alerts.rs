//! No traffic, a dead feed, a guard that would hide an outage.

use super::*;

fn rule(windows: &[&str], min_samples: i64, hold_ms: i64) -> Rule {
    Rule {
        id: "low".to_owned(),
        kpi: "answer_rate".to_owned(),
        queues: Vec::new(),
        windows: windows.iter().map(|name| (*name).to_owned()).collect(),
        below: Fraction::new(80, 100),
        clear: Fraction::new(80, 100),
        hold_ms,
        min_samples,
        on_null: OnNull::Hold,
        severity: "critical".to_owned(),
        page: true,
    }
}

fn watched(queues: &[&str], rule: Rule) -> Log {
    Log::new(Definitions { alerts: vec![rule], ..definitions(queues) })
}

/// Beats every 30 s, so that nothing waits for the witness of a jump.
fn idle(log: &mut Log, from: i64, to: i64) {
    for time in (from..to).step_by(30_000) {
        log.batch(time, &[]);
    }
}

/// `good` answered and `bad` abandoned contacts at `time`.
fn traffic(log: &mut Log, queue: &'static str, time: i64, good: usize, bad: usize) {
    let ids: Vec<String> = (0..good + bad).map(|number| format!("{queue}-{time}-{number}")).collect();
    let facts = ids.iter().enumerate().map(|(number, id)| {
        let kind = if number < good { Kind::Answered } else { Kind::Abandoned };
        Fact { contact: Some(id), queue: Some(queue), ..Fact::new(kind, EventTime(time), id) }
    });
    log.batch(time, &facts.collect::<Vec<_>>());
}

fn lines(log: &Log) -> Vec<(&str, State, i64)> {
    log.recount.alerts().iter().map(|alert| (alert.queue.as_str(), alert.state, alert.since.0)).collect()
}

#[test]
fn no_question_was_asked_so_there_is_no_answer() {
    let mut log = watched(&["line"], rule(&["30m"], 5, 0));
    idle(&mut log, MIDNIGHT, at("03:00"));
    let value = |log: &Log| log.kpi(SubjectKind::Queue, "line", "30m", "answer_rate");
    assert_eq!(value(&log), (0, 0));
    let queued = Fact { queue: Some("line"), ..fact(Kind::Queued, "03:00:00", "i1", "v16") };
    log.batch(at("03:00"), &[queued]);
    log.batch(at("03:01"), &[fact(Kind::Abandoned, "03:01:00", "i2", "v16")]);
    assert_eq!(value(&log), (0, 1));
    idle(&mut log, at("03:01"), at("03:31:30"));
    assert_eq!(value(&log), (0, 1));
    log.batch(at("03:31:30"), &[]);
    assert_eq!(value(&log), (0, 0));
    assert!(log.recount.alerts().is_empty());
    traffic(&mut log, "line", at("03:32"), 0, 5);
    assert_eq!(lines(&log), [("line", State::Firing, at("03:32"))]);
    assert_eq!(log.recount.alerts()[0].en, "line: answer rate 0.0%, below 80%");
}

#[test]
fn silence_is_no_recovery() {
    let mut log = watched(&["line"], rule(&["5m"], 1, 5 * MINUTE));
    idle(&mut log, MIDNIGHT, at("10:00"));
    for minute in 0..10 {
        traffic(&mut log, "line", at("10:00") + minute * MINUTE, 6, 4);
    }
    assert_eq!(lines(&log), [("line", State::Pending, at("10:00")), ("line", State::Firing, at("10:05"))]);
    let beat = |log: &mut Log, time: i64| {
        let batch = Batch { topic: "other", caught_up: true, progress: i64::MAX, ..Batch::default() };
        log.record(time, Body::Batch(batch));
    };
    for time in (at("10:10")..at("10:40")).step_by(30_000) {
        beat(&mut log, time);
    }
    assert_eq!(log.recount.live(SubjectKind::Queue, "line").coverage, Fraction::new(0, 1));
    assert_eq!(lines(&log).len(), 2);
    traffic(&mut log, "line", at("10:40"), 19, 1);
    assert_eq!(lines(&log)[2..], [("line", State::Resolved, at("10:40"))]);
    let resolved = &log.recount.alerts()[2];
    assert_eq!((resolved.value, resolved.worst), (Fraction::new(19, 20), Fraction::new(6, 10)));
    assert_eq!(resolved.started.0, at("10:00"));
}

#[test]
fn quiet_at_full_coverage_ends_an_alert_only_if_the_rule_says_so() {
    for (on_null, count) in [(OnNull::Hold, 1), (OnNull::Resolve, 2)] {
        let mut log = watched(&["line"], Rule { on_null, ..rule(&["5m", "30m"], 3, 0) });
        traffic(&mut log, "line", MIDNIGHT, 0, 3);
        idle(&mut log, MIDNIGHT, at("00:30:30"));
        assert_eq!(lines(&log).len(), 1);
        log.batch(at("00:30:30"), &[]);
        assert_eq!(lines(&log).len(), count);
        if let Some(line) = log.recount.alerts().get(1) {
            assert_eq!((line.state, line.value, line.window.as_str()), (State::Resolved, NOTHING, "30m"));
        }
    }
}

const NOTHING: Fraction = Fraction::new(0, 0);

#[test]
fn a_guard_waits_for_evidence_and_hides_no_outage() {
    let mut log = watched(&["night", "other"], rule(&["5m", "1h"], 10, 0));
    idle(&mut log, MIDNIGHT, at("10:00"));
    traffic(&mut log, "other", at("10:00"), 0, 1);
    for call in 0..216 {
        let lost = at("10:00:30") + call * 100 * SECOND;
        log.batch(lost - 30 * SECOND, &[]);
        traffic(&mut log, "night", lost, 0, 1);
        idle(&mut log, lost + 30 * SECOND, lost + 70 * SECOND);
    }
    assert_eq!(lines(&log), [("night", State::Firing, at("10:15:30"))]);
    assert_eq!(log.recount.alerts()[0].window, "1h");
}

#[test]
fn a_blind_queue_holds_its_state_and_a_partial_one_may_fire() {
    let mut log = watched(&["line"], rule(&["5m"], 1, 0));
    idle(&mut log, MIDNIGHT, at("00:10"));
    let lose = |log: &mut Log, time: i64, id: &str| {
        let lost = Fact {
            contact: Some(id),
            queue: Some("line"),
            ..Fact::new(Kind::Abandoned, EventTime(time), id)
        };
        let batch = Batch {
            topic: "calls",
            incarnation: 1,
            from: log.position,
            to: log.position,
            progress: time,
            facts: vec![lost],
            ..Batch::default()
        };
        log.record(
            time,
            Body::Batch(Batch {
                facts: vec![Fact { offset: log.position, ..lost }],
                to: log.position + 1,
                ..batch
            }),
        );
        log.position += 1;
    };
    lose(&mut log, at("00:10"), "x1");
    lose(&mut log, at("00:11:59"), "x2");
    assert!(lines(&log).is_empty());
    lose(&mut log, at("00:12"), "x3");
    assert_eq!(lines(&log), [("line", State::Firing, at("00:12"))]);
    assert!(log.recount.alerts()[0].partial);
}

#[test]
fn a_rule_that_is_withdrawn_ends_what_it_fired() {
    let mut log = watched(&["line"], rule(&["5m"], 1, 0));
    traffic(&mut log, "line", MIDNIGHT, 0, 3);
    log.define("second", definitions(&["line"]), MIDNIGHT + MINUTE);
    let states: Vec<_> = log.recount.alerts().iter().map(|alert| alert.state).collect();
    assert_eq!(states, [State::Firing, State::Resolved]);
    assert_eq!(log.recount.alerts()[1].en, "line: answer rate has no value, alert over");
}
