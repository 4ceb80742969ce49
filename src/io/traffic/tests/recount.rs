//! The truth against the recount: two that never saw each other's work, at every checkpoint of a rough day.
//!
//! The simulator noted what happened while it happened; the recount reads the records. Both are asked as of the same
//! delivery, in the middle of disorder, late and wrong events, about every subject and window.

use super::*;
use crate::engine::output::WINDOWS;
use crate::engine::record::{Batch, Body, Control, ControlKind, Record};
use crate::model::units::LogTime;
use crate::recount::Recount;
use crate::wire::native::{self, CustomerKey};

/// Reads deliveries as an intake would: a batch of each partition now and then.
struct Reader {
    recount: Recount,
    partitions: Vec<(i64, Vec<Delivery>)>,
    offset: i64,
    refused: u64,
}

impl Reader {
    fn new(plan: &Plan) -> Self {
        let mut reader = Self {
            recount: Recount::new(),
            partitions: vec![(0, Vec::new()); plan.partitions as usize],
            offset: 0,
            refused: 0,
        };
        let definitions = Box::new(plan.centre.definitions(plan.partitions));
        let kind = ControlKind::Definitions { definitions };
        reader.push(plan.from, Body::Control(Control { id: "first".into(), kind }));
        reader
    }

    fn push(&mut self, append: i64, body: Body<'_>) {
        self.recount.push(&Record { offset: self.offset, append: LogTime(append), body });
        self.offset += 1;
    }

    fn deliver(&mut self, delivery: Delivery) {
        self.partitions[delivery.partition as usize].1.push(delivery);
    }

    /// What was delivered reaches the log at `append`.
    fn flush(&mut self, append: i64) {
        let key = CustomerKey::new("secret");
        for partition in 0..self.partitions.len() {
            let (from, deliveries) = &mut self.partitions[partition];
            let (start, deliveries) = (*from, std::mem::take(deliveries));
            *from += deliveries.len() as i64;
            let to = *from;
            let events: Vec<_> =
                deliveries.iter().map(|delivery| native::read(&delivery.bytes, &key)).collect();
            self.refused += events.iter().filter(|event| event.is_err()).count() as u64;
            let facts = events.iter().zip(start..);
            let facts = facts.filter_map(|(event, offset)| Some(event.as_ref().ok()?.fact(offset))).collect();
            let batch = Batch {
                topic: "$simulator",
                partition: partition as i32,
                incarnation: 1,
                from: start,
                to,
                progress: i64::MAX,
                caught_up: true,
                facts,
            };
            self.push(append, Body::Batch(batch));
        }
    }

    /// Everything that both can say, as of now.
    fn compare(&self, traffic: &Traffic) {
        let (truth, delivered) = (traffic.truth(), traffic.truth().delivered());
        let now = self.recount.clocks().0.0;
        for (kind, id) in truth.subjects() {
            let live = self.recount.live(kind, id);
            for window in WINDOWS {
                let ours = truth.window(kind, id, window, now, delivered).unwrap();
                assert_eq!(ours, live.windows[window].counts, "{kind:?} {id} {window} after {delivered}");
            }
            assert_eq!(truth.now(kind, id, delivered).unwrap(), live.now, "{kind:?} {id} after {delivered}");
        }
        let dead = self.recount.dead_letters().len() as u64;
        assert_eq!(truth.counts(delivered).broken, self.refused + dead);
    }
}

fn check(mut traffic: Traffic, checkpoints: u64, every: usize) {
    let mut reader = Reader::new(traffic.plan());
    for step in 1..=checkpoints * 20 {
        let deliveries: Vec<Delivery> = traffic.by_ref().take(every / 20).collect();
        let Some(last) = deliveries.last().map(|delivery| delivery.at_ms) else { break };
        deliveries.into_iter().for_each(|delivery| reader.deliver(delivery));
        reader.flush(last);
        if step % 20 == 0 {
            reader.compare(&traffic);
            traffic.truth_mut().settle((step - 10) * every as u64 / 20, last);
        }
    }
    reader.compare(&traffic);
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
