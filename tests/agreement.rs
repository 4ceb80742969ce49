//! Engine, recount and truth on one simulated day: three ways to the same numbers.

use shiftpulse::engine::Engine;
use shiftpulse::engine::output::WINDOWS;
use shiftpulse::engine::record::{Batch, Body, Control, ControlKind, Record};
use shiftpulse::io::traffic::{Delivery, Plan, Traffic, centre};
use shiftpulse::model::units::{LogTime, MINUTE};
use shiftpulse::recount::Recount;
use shiftpulse::wire::native::{CustomerKey, read};
use std::collections::BTreeMap;

const START: i64 = 1_789_952_400_000; // 2026-09-21T09:00:00+08:00

/// Feeds records to both and compares every subject, every `every` records.
struct Pair {
    engine: Engine,
    recount: Recount,
    offset: i64,
}

impl Pair {
    fn record(&mut self, append: i64, body: Body) {
        let record = Record { offset: self.offset, append: LogTime(append), body };
        self.offset += 1;
        self.recount.push(&record);
        self.engine.handle(&record, &mut Vec::new());
    }

    fn compare(&mut self, at: &str) {
        for (kind, id) in self.recount.subjects() {
            let counted = self.recount.live(kind, &id);
            let Some(live) = self.engine.view(kind, &id) else {
                assert!(
                    counted.windows.values().all(|w| w.counts.is_empty()),
                    "{at}: the engine does not know {kind:?} {id}"
                );
                continue;
            };
            assert_eq!(live.now, counted.now, "{at}: {kind:?} {id}: now");
            assert_eq!(live.coverage, counted.coverage, "{at}: {kind:?} {id}: coverage");
            for window in WINDOWS {
                assert_eq!(live.windows[window], counted.windows[window], "{at}: {kind:?} {id}: {window}");
            }
        }
    }
}

#[test]
fn a_simulated_morning_gives_the_same_numbers_three_times() {
    let plan = Plan {
        to: Some(START + 3 * 60 * MINUTE),
        mischief: shiftpulse::io::traffic::Mischief::USUAL,
        partitions: 3,
        ..Plan::new(centre(), 11, START)
    };
    let partitions = plan.partitions;
    let definitions = plan.centre.definitions(partitions);
    let mut pair = Pair { engine: Engine::new(0), recount: Recount::new(), offset: 0 };
    let kind = ControlKind::Definitions { definitions: Box::new(definitions) };
    pair.record(START, Body::Control(Control { id: "d".into(), kind }));
    let mut traffic = Traffic::new(plan);
    let key = CustomerKey::new("test");
    let mut at: BTreeMap<i32, i64> = BTreeMap::new();
    let mut delivery = Delivery::default();
    let mut records = 0;
    while traffic.next_into(&mut delivery) {
        let from = *at.get(&delivery.partition).unwrap_or(&0);
        let event = read(&delivery.bytes, &key).ok();
        let facts = event.iter().map(|event| event.fact(from)).collect();
        let batch = Batch {
            topic: "$simulator",
            partition: delivery.partition,
            from,
            to: from + 1,
            progress: i64::MAX,
            caught_up: true,
            facts,
            ..Batch::default()
        };
        at.insert(delivery.partition, from + 1);
        pair.record(delivery.at_ms, Body::Batch(batch));
        records += 1;
        if records % 500 == 0 {
            pair.compare(&format!("record {records}"));
            truth(&mut pair.engine, &traffic, delivery.at_ms, delivery.index);
        }
    }
    assert!(records > 2000, "only {records} deliveries");
}

fn truth(engine: &mut Engine, traffic: &Traffic, now: i64, delivered: u64) {
    let subjects: Vec<_> = traffic.truth().subjects().map(|(kind, id)| (kind, id.to_owned())).collect();
    for (kind, id) in subjects {
        for window in WINDOWS {
            let Some(truth) = traffic.truth().window(kind, &id, window, now, delivered) else { continue };
            let counts =
                engine.view(kind, &id).map(|live| live.windows[window].counts.clone()).unwrap_or_default();
            for (column, number) in truth {
                if window == "month" || window == "day" || !column.ends_with("busy") {
                    assert_eq!(
                        counts.get(&column).copied().unwrap_or(0),
                        number,
                        "{kind:?} {id} {window} {column} after {delivered}"
                    );
                }
            }
        }
    }
}
