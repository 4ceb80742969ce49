//! The stream: future stamps, edges of windows, positions, clocks, coverage.

use super::*;
use SubjectKind::{Agent, Queue as Line};

fn answer<'a>(agent: &'a str, clock: &str, id: &'a str, contact: &'a str) -> Fact<'a> {
    Fact { agent: Some(agent), queue: Some("line"), ..fact(Kind::Answered, clock, id, contact) }
}

fn batch<'a>(partition: i32, from: i64, to: i64, facts: Vec<Fact<'a>>) -> Batch<'a> {
    Batch { topic: "calls", partition, incarnation: 1, from, to, progress: i64::MAX, caught_up: true, facts }
}

#[test]
fn a_wrong_clock_of_a_producer_moves_nothing() {
    let mut log = Log::new(definitions(&["line"]));
    log.batch(at("09:59"), &[]);
    log.batch(at("10:00:00"), &[answer("a1", "10:00:00", "h1", "v9")]);
    log.batch(at("10:00:01"), &[answer("a2", "34:00:00", "h2", "v10")]);
    log.batch(at("10:00:02"), &[answer("a1", "10:00:02", "h3", "v11")]);
    log.batch(at("10:00:03"), &[answer("a3", "10:04:00", "h4", "v12")]);
    log.batch(at("10:00:05"), &[]);
    for (agent, taken) in [("a1", Some(&2)), ("a2", None), ("a3", Some(&1))] {
        assert_eq!(log.day(Agent, agent).get("taken"), taken, "{agent}");
    }
    let dead: Vec<_> =
        log.recount.dead_letters().iter().map(|dead| (dead.offset, dead.reason.as_str())).collect();
    assert_eq!(dead, [(1, "future")]);
}

#[test]
fn a_window_holds_what_is_booked_at_or_after_its_edge() {
    let mut log = Log::new(definitions(&["line"]));
    log.batch(at("10:00"), &[]);
    log.batch(at("10:00"), &[answer("a1", "10:00:00", "w1", "v13")]);
    log.batch(at("10:05"), &[answer("a1", "10:05:00", "w2", "v14")]);
    let answered = |log: &Log| log.kpi(Line, "line", "5m", "answer_rate").1;
    assert_eq!(answered(&log), 2);
    log.batch(at("10:05:04"), &[]);
    assert_eq!(answered(&log), 2);
    log.batch(at("10:05:05"), &[]);
    assert_eq!(answered(&log), 1);
    assert_eq!(log.kpi(Line, "line", "1h", "answer_rate").1, 2);
}

#[test]
fn a_repeat_is_skipped_by_position_and_by_identifier() {
    let mut log = Log::new(definitions(&["line"]));
    log.record(
        at("10:00"),
        Body::Batch(batch(0, 5, 6, vec![Fact { offset: 5, ..answer("a1", "10:00:00", "w1", "v1") }])),
    );
    log.record(
        at("10:00"),
        Body::Batch(batch(0, 5, 6, vec![Fact { offset: 5, ..answer("a1", "10:00:00", "w2", "v2") }])),
    );
    log.record(
        at("10:00"),
        Body::Batch(batch(0, 6, 7, vec![Fact { offset: 6, ..answer("a1", "10:00:00", "w1", "v1") }])),
    );
    assert_eq!(log.day(Agent, "a1")["taken"], 1);
}

#[test]
fn a_gap_holds_the_settle_clock_until_it_is_filled_or_accepted() {
    let mut log = Log::new(definitions(&["line"]));
    let settled = |log: &Log| log.recount.clocks().1.map(|settle| settle.0);
    log.record(at("00:01"), Body::Batch(batch(0, 0, 5, vec![])));
    log.record(at("00:02"), Body::Batch(batch(0, 9, 10, vec![])));
    assert_eq!(settled(&log), Some(at("00:01")));
    let filler = Fact { offset: 6, ..answer("a1", "00:01:00", "w1", "v1") };
    log.record(at("00:03"), Body::Batch(batch(0, 5, 7, vec![filler])));
    assert_eq!((log.day(Agent, "a1")["taken"], settled(&log)), (1, Some(at("00:01"))));
    let accepted = ControlKind::GapAccepted { topic: "calls".to_owned(), partition: 0, from: 7, to: 9 };
    log.record(at("00:03"), Body::Control(Control { id: "gap".to_owned(), kind: accepted }));
    log.record(at("00:04"), Body::Batch(batch(0, 10, 10, vec![])));
    assert_eq!(settled(&log), Some(at("00:04")));
}

#[test]
fn the_live_clock_wants_a_witness_for_a_jump() {
    let mut log = Log::new(definitions(&[]));
    let mut live = |clock: &str| {
        log.batch(at(clock), &[]);
        log.recount.clocks().0.0
    };
    assert_eq!(live("00:04"), at("00:04"));
    assert_eq!(live("00:09:01"), at("00:04"));
    assert_eq!(live("00:20"), at("00:09:01"));
    assert_eq!(
        live("00:20"),
        at("00:09:01"),
        "the one before moved the clock, so this one is a doubt of its own"
    );
    assert_eq!(live("00:20"), at("00:20"));
}

#[test]
fn coverage_is_of_the_sources_that_feed_a_queue() {
    let mut definitions = definitions(&["line", "web"]);
    definitions.sources[0].queues = vec!["line".to_owned()];
    definitions.sources.push(Source {
        topic: "chats".to_owned(),
        partitions: 2,
        queues: vec!["web".to_owned()],
        backfill: false,
    });
    let mut log = Log::new(definitions);
    log.batch(at("00:01"), &[]);
    let coverage = |log: &Log, queue| log.recount.live(Line, queue).coverage;
    assert_eq!(coverage(&log, "line"), Fraction::new(1, 1));
    assert_eq!(coverage(&log, "web"), Fraction::new(0, 2));
    assert_eq!(log.recount.clocks().1, None);
    for partition in [0, 1] {
        log.record(at("00:02"), Body::Batch(Batch { topic: "chats", ..batch(partition, 0, 0, vec![]) }));
    }
    log.record(at("00:02:01"), Body::Batch(Batch { topic: "chats", ..batch(0, 0, 0, vec![]) }));
    assert_eq!((coverage(&log, "line"), coverage(&log, "web")), (Fraction::new(0, 1), Fraction::new(2, 2)));
    assert_eq!(log.recount.clocks().1, Some(LogTime(at("00:01"))));
}
