//! The engine against the truth: hundreds of looks at a rough day, and a whole month of everybody.

use super::reader::{Fold, Reader};
use super::*;
use crate::engine::Engine;
use crate::engine::output::{Output, WINDOWS};
use crate::engine::record::Record;

struct Folded {
    engine: Engine,
    out: Vec<Output>,
}

impl Fold for Folded {
    fn fold(&mut self, record: &Record<'_>) {
        self.out.clear();
        self.engine.handle(record, &mut self.out);
    }
}

fn reader(plan: &Plan) -> Reader<Folded> {
    Reader::new(Folded { engine: Engine::new(0), out: Vec::new() }, plan)
}

/// Every number of every subject, and what was recognised as repeated or unusable.
fn compare(reader: &mut Reader<Folded>, traffic: &Traffic) {
    let (truth, delivered) = (traffic.truth(), traffic.truth().delivered());
    let now = reader.fold.engine.clocks().live().0;
    for (kind, id) in truth.subjects() {
        let Some(live) = reader.fold.engine.view(kind, id) else { panic!("no {kind:?} {id}") };
        for window in WINDOWS {
            let ours = truth.window(kind, id, window, now, delivered).unwrap();
            assert_eq!(ours, live.windows[window].counts, "{kind:?} {id} {window} after {delivered}");
        }
        assert_eq!(truth.now(kind, id, delivered).unwrap(), live.now, "{kind:?} {id} after {delivered}");
    }
    let (counts, counters) = (truth.counts(delivered), reader.fold.engine.counters());
    assert_eq!(counts.broken, reader.refused + counters.future as u64);
    assert_eq!(counts.duplicates, counters.duplicates as u64);
}

#[test]
fn a_rough_day_folds_to_the_true_numbers_at_every_look() {
    let mut traffic = day(21, ROUGH);
    let mut reader = reader(traffic.plan());
    while let Some(last) = reader.advance(&mut traffic, 97) {
        compare(&mut reader, &traffic);
        let delivered = traffic.truth().delivered();
        traffic.truth_mut().settle(delivered, last);
    }
}

#[test]
fn a_month_folds_to_the_true_numbers_of_everybody() {
    let mut traffic = Traffic::new(Plan::demo(7041, "2026-10").unwrap());
    let live = traffic.plan().live_from();
    let mut reader = reader(traffic.plan());
    while traffic.next_at().is_some_and(|at| at < live + 100 * MINUTE) {
        reader.advance(&mut traffic, 500);
        let (delivered, now) = (traffic.truth().delivered(), reader.fold.engine.clocks().live().0);
        traffic.truth_mut().settle(delivered, now);
        if delivered.is_multiple_of(50_000) {
            compare(&mut reader, &traffic);
        }
    }
    compare(&mut reader, &traffic);
}
