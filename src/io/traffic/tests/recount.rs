//! The truth against the recount: two that never saw each other's work, at every checkpoint of a rough day.
//!
//! The simulator noted what happened while it happened; the recount reads the records. Both are asked as of the same
//! delivery, in the middle of disorder, late and wrong events, about every subject and window.

use super::reader::{Fold, Reader};
use super::*;
use crate::engine::output::WINDOWS;
use crate::engine::record::Record;
use crate::recount::Recount;

impl Fold for Recount {
    fn fold(&mut self, record: &Record<'_>) {
        self.push(record);
    }
}

/// Everything that both can say, as of now.
fn compare(reader: &Reader<Recount>, traffic: &Traffic) {
    let (truth, delivered) = (traffic.truth(), traffic.truth().delivered());
    let now = reader.fold.clocks().0.0;
    for (kind, id) in truth.subjects() {
        let live = reader.fold.live(kind, id);
        for window in WINDOWS {
            let ours = truth.window(kind, id, window, now, delivered).unwrap();
            assert_eq!(ours, live.windows[window].counts, "{kind:?} {id} {window} after {delivered}");
        }
        assert_eq!(truth.now(kind, id, delivered).unwrap(), live.now, "{kind:?} {id} after {delivered}");
    }
    let dead = reader.fold.dead_letters().len() as u64;
    assert_eq!(truth.counts(delivered).broken, reader.refused + dead);
}

/// Compares after every `every` deliveries.
fn check(mut traffic: Traffic, checkpoints: u64, every: u64) {
    let mut reader = Reader::new(Recount::new(), traffic.plan());
    for step in 1..=checkpoints * 20 {
        let Some(last) = reader.advance(&mut traffic, every as usize / 20) else { break };
        if step % 20 == 0 {
            compare(&reader, &traffic);
            traffic.truth_mut().settle((step - 10) * every / 20, last);
        }
    }
    compare(&reader, &traffic);
}

#[test]
fn a_rough_day_is_recounted_to_the_same_numbers_at_every_checkpoint() {
    check(day(11, ROUGH), 12, 1280);
}

#[test]
fn the_turn_of_a_month_is_recounted_to_the_same_numbers() {
    let plan = Plan::demo(7041, "2026-10").unwrap();
    let live = plan.live_from();
    let plan =
        Plan { from: live - 6 * HOUR, to: Some(live + 6 * HOUR), partitions: 3, mischief: ROUGH, ..plan };
    check(Traffic::new(plan), 8, 1300);
}

#[test]
fn a_scaled_centre_is_recounted_to_the_same_numbers() {
    let plan = Plan::new(Centre::scaled(45, 6), 3, MORNING);
    check(Traffic::new(Plan { mischief: ROUGH, partitions: 8, ..plan }), 6, 1000);
}
