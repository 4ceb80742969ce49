//! Reads deliveries as an intake would: a batch of each partition now and then, into anything that folds records.

use super::*;
use crate::engine::record::{Batch, Body, Control, ControlKind, Record};
use crate::model::units::LogTime;
use crate::wire::native::{self, CustomerKey};

/// What folds the records.
pub(super) trait Fold {
    fn fold(&mut self, record: &Record<'_>);
}

pub(super) struct Reader<F> {
    pub fold: F,
    pub refused: u64,
    partitions: Vec<(i64, Vec<Delivery>)>,
    offset: i64,
}

impl<F: Fold> Reader<F> {
    pub fn new(fold: F, plan: &Plan) -> Self {
        let partitions = vec![(0, Vec::new()); plan.partitions as usize];
        let mut reader = Self { fold, refused: 0, partitions, offset: 0 };
        let definitions = Box::new(plan.centre.definitions(plan.partitions));
        let kind = ControlKind::Definitions { definitions };
        reader.push(plan.from, Body::Control(Control { id: "first".into(), kind }));
        reader
    }

    fn push(&mut self, append: i64, body: Body<'_>) {
        self.fold.fold(&Record { offset: self.offset, append: LogTime(append), body });
        self.offset += 1;
    }

    /// The next deliveries reach the log, all at the time of the last one. `None` after the end.
    pub fn advance(&mut self, traffic: &mut Traffic, deliveries: usize) -> Option<i64> {
        let mut last = None;
        for delivery in traffic.by_ref().take(deliveries) {
            last = Some(delivery.at_ms);
            self.partitions[delivery.partition as usize].1.push(delivery);
        }
        self.flush(last?);
        last
    }

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
}
