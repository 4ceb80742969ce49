//! The field cases, told again for the second path.

use super::*;
use crate::engine::definitions::{Person, Queue, Source, Unit};
use crate::model::alert::{OnNull, Rule, State};
use crate::model::event::AgentState;
use crate::model::units::{EventTime, Fraction, HOUR, SECOND};

mod alerts;
mod clocks;
mod contacts;

/// Monday 2026-03-02 00:00 in Shanghai.
const MIDNIGHT: i64 = 1_772_380_800_000;

/// A moment of that Monday: `at("09:00:20")`.
fn at(clock: &str) -> i64 {
    let parts: Vec<i64> = clock.split(':').map(|part| part.parse().expect("a number")).collect();
    MIDNIGHT + parts[0] * HOUR + parts[1] * MINUTE + parts.get(2).unwrap_or(&0) * SECOND
}

fn fact<'a>(kind: Kind, clock: &str, id: &'a str, contact: &'a str) -> Fact<'a> {
    Fact { contact: Some(contact), ..Fact::new(kind, EventTime(at(clock)), id) }
}

fn queue(id: &str) -> Queue {
    Queue {
        id: id.to_owned(),
        names: Default::default(),
        channel: "voice".to_owned(),
        dialect: "cisco_negative".to_owned(),
        within_ms: 20 * SECOND,
        service_level_target: 800,
        wait_limit_ms: MINUTE,
        answer_rate_target: 800,
    }
}

fn person(agent: &str, team: &str) -> Person {
    Person {
        agent: agent.to_owned(),
        names: Default::default(),
        team: team.to_owned(),
        role: String::new(),
        queues: Vec::new(),
        from: None,
        to: None,
    }
}

fn definitions(queues: &[&str]) -> Definitions {
    Definitions {
        unit: Unit { id: "centre".to_owned(), zone: "Asia/Shanghai".to_owned(), ..Unit::default() },
        queues: queues.iter().map(|id| queue(id)).collect(),
        sources: vec![Source {
            topic: "calls".to_owned(),
            partitions: 1,
            queues: Vec::new(),
            backfill: false,
        }],
        unfinished_after_ms: 24 * HOUR,
        ..Definitions::default()
    }
}

/// A log that grows: one source with one partition, caught up.
struct Log {
    recount: Recount,
    offset: i64,
    position: i64,
}

impl Log {
    fn new(definitions: Definitions) -> Self {
        let mut log = Self { recount: Recount::new(), offset: 0, position: 0 };
        log.define("first", definitions, MIDNIGHT);
        log
    }

    fn define(&mut self, id: &str, definitions: Definitions, append: i64) {
        let kind = ControlKind::Definitions { definitions: Box::new(definitions) };
        self.record(append, Body::Control(Control { id: id.to_owned(), kind }));
    }

    fn record(&mut self, append: i64, body: Body<'_>) {
        self.recount.push(&Record { offset: self.offset, append: LogTime(append), body });
        self.offset += 1;
    }

    /// One batch of facts, appended at `append`.
    fn batch(&mut self, append: i64, facts: &[Fact<'_>]) {
        let from = self.position;
        let numbered = facts.iter().zip(from..).map(|(fact, offset)| Fact { offset, ..*fact });
        let facts: Vec<_> = numbered.collect();
        self.position += facts.len() as i64;
        self.record(
            append,
            Body::Batch(Batch {
                topic: "calls",
                partition: 0,
                incarnation: 1,
                from,
                to: self.position,
                progress: i64::MAX,
                caught_up: true,
                facts,
            }),
        );
    }

    fn day(&self, kind: SubjectKind, id: &str) -> BTreeMap<String, i64> {
        self.recount.live(kind, id).windows["day"].counts.clone()
    }

    fn kpi(&self, kind: SubjectKind, id: &str, window: &str, kpi: &str) -> (i64, i64) {
        let value = self.recount.live(kind, id).windows[window].kpis[kpi];
        (value.num, value.den)
    }
}

/// One contact after another, everything read in one batch at 23:00.
fn after(definitions: Definitions, facts: &[Fact<'_>]) -> Log {
    let mut log = Log::new(definitions);
    log.batch(at("22:59"), &[]);
    log.batch(at("22:59"), &[]);
    log.batch(at("23:00"), facts);
    log
}

fn counts(pairs: &[(&str, i64)]) -> BTreeMap<String, i64> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}
