//! What is simulated: a centre that works around the clock, its events repeated and disordered as in a bad week.

use super::Args;
use crate::engine::definitions::Definitions;
use crate::io::traffic::{Centre, Delivery, Keep, Mischief, Plan, Traffic};
use crate::model::calendar::{Calendar, month_name};
use crate::model::units::{EventTime, SECOND};

/// Everything of it is over so long before the end.
const MARGIN: i64 = 30 * SECOND;
/// People of a roster that fits into one record.
const LISTED: usize = 5_000;

/// A plan, and how many of its deliveries are used.
#[derive(Debug, Clone)]
pub struct Scene {
    /// See [`Scene::past`].
    pub plan: Plan,
    /// Deliveries, repeats included.
    pub events: u64,
    /// The moment before which everything happens, ms since the epoch.
    pub end: i64,
}

impl Scene {
    /// `events` deliveries of the centre that the options name, the last of them shortly before `end` (ms since the epoch):
    /// as young as they can be, and none in the future.
    pub fn past(args: &Args, events: u64, end: i64) -> Self {
        let mischief = Mischief { duplicates: 10_000, disorder: 50_000, ..Mischief::NONE };
        let centre = Centre::scaled(args.agents, args.queues);
        let plan = |from| Plan {
            partitions: args.partitions,
            mischief,
            keep: Keep::Months,
            ..Plan::new(centre.clone(), args.seed, from)
        };
        let mut plan = plan(end);
        let span = last(&plan, events) - end;
        plan.from = end - span - MARGIN;
        Self { plan, events, end }
    }

    /// The definitions of the centre, with `topic` as its only source. A roster that does not fit into one record of the log
    /// is left out: whoever is seen is counted, in the team that the events name.
    pub fn definitions(&self, topic: &str, partitions: i32) -> Definitions {
        let mut definitions = self.plan.centre.definitions(partitions);
        definitions.sources.iter_mut().for_each(|source| source.topic = topic.to_owned());
        if definitions.roster.len() > LISTED {
            definitions.roster.clear();
        }
        definitions
    }

    /// The months that it may touch, such as `2026-10`, in the unit's zone.
    pub fn months(&self) -> Vec<String> {
        let calendar = Calendar::new(&self.plan.centre.unit.zone).ok();
        let month = |at: i64| calendar.iter().map(move |known| month_name(known.month_of(EventTime(at))));
        let mut months: Vec<String> = month(self.plan.from).chain(month(self.end)).collect();
        months.dedup();
        months
    }

    /// Everybody who works there.
    pub fn agents(&self) -> Vec<String> {
        self.plan.centre.roster.iter().map(|person| person.agent.clone()).collect()
    }

    /// Calls `each` with every delivery, in the order in which they reach the source; gives the simulation as it is then.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn play<E>(&self, mut each: impl FnMut(&Delivery) -> Result<(), E>) -> Result<Traffic, E> {
        let mut traffic = Traffic::new(self.plan.clone());
        let mut delivery = Delivery::default();
        while traffic.truth().delivered() < self.events && traffic.next_into(&mut delivery) {
            each(&delivery)?;
        }
        Ok(traffic)
    }
}

/// When the last delivery reaches the source.
fn last(plan: &Plan, events: u64) -> i64 {
    let mut traffic = Traffic::new(plan.clone());
    let (mut delivery, mut last) = (Delivery::default(), plan.from);
    while traffic.truth().delivered() < events && traffic.next_into(&mut delivery) {
        last = delivery.at_ms;
    }
    last
}
