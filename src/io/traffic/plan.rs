//! What to simulate: which centre, from when, with which incidents, and how much goes wrong on the way.

use super::almanac::Almanac;
use super::centre::{Centre, centre};
use super::truth::Keep;
use crate::model::units::MINUTE;

/// How much of the demo's month is fed in as history: up to so long before its end.
pub const LIVE_BEFORE_END: i64 = 90 * MINUTE;

/// Everything a simulation depends on: the same plan gives the same bytes.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Who works there.
    pub centre: Centre,
    /// Seed of all chance. It is part of every identifier.
    pub seed: u64,
    /// First moment, ms since the epoch.
    pub from: i64,
    /// Nothing happens after this moment (what happened before is still delivered); `None`: it never ends.
    pub to: Option<i64>,
    /// Partitions of the source, at least 1.
    pub partitions: i32,
    /// What goes wrong on the way.
    pub mischief: Mischief,
    /// When a queue is overrun.
    pub incidents: Vec<Incident>,
    /// How much the truth remembers.
    pub keep: Keep,
}

/// What goes wrong, in cases per million events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mischief {
    /// Exact repeats, moments to minutes later.
    pub duplicates: u32,
    /// Delayed by seconds to minutes, so that later events overtake.
    pub disorder: u32,
    /// Delayed by minutes to hours.
    pub late: u32,
    /// Sent wrong and corrected by a `fact.replaced`; of the kinds that people get wrong, about a third of all.
    pub replaced: u32,
    /// Never happened, withdrawn by a `fact.voided`; beside answers, ends and replies.
    pub voided: u32,
    /// Unusable records beside the sound ones.
    pub broken: u32,
}

impl Mischief {
    /// Every event once and in order.
    pub const NONE: Mischief =
        Mischief { duplicates: 0, disorder: 0, late: 0, replaced: 0, voided: 0, broken: 0 };
    /// What a bad week looks like: 1 % repeated, 5 % out of order, a few late, corrected or broken.
    pub const USUAL: Mischief = Mischief {
        duplicates: 10_000,
        disorder: 50_000,
        late: 1_000,
        replaced: 600,
        voided: 400,
        broken: 300,
    };
}

/// A queue is overrun: more contacts arrive, fewer people take them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident {
    /// Index of the queue.
    pub queue: usize,
    /// When it begins, ms since the epoch.
    pub at: i64,
    /// When it is over.
    pub until: i64,
    /// Arrivals per mille of the usual ones.
    pub arrivals: u32,
    /// So many per mille of the people who serve the queue stop taking contacts.
    pub absent: u32,
}

impl Incident {
    /// Billing collapses: four times the calls, half of the people away.
    pub fn collapse(queue: usize, at: i64, minutes: i64) -> Self {
        Self { queue, at, until: at + minutes * MINUTE, arrivals: 4_000, absent: 500 }
    }
}

impl Plan {
    /// A centre without incidents and mischief, from a moment on, for ever, on one partition.
    pub fn new(centre: Centre, seed: u64, from: i64) -> Self {
        Self {
            centre,
            seed,
            from,
            to: None,
            partitions: 1,
            mischief: Mischief::NONE,
            incidents: Vec::new(),
            keep: Keep::All,
        }
    }

    /// The demo: the centre of the board from the start of `month` (such as `2026-10`) on and into the next, with the
    /// usual mischief, with a few collapses of billing in the month and one that fires while people watch.
    /// Feed what is delivered before [`Plan::live_from`] as history, the rest at the pace of the clock. `None` for a text
    /// that is no month.
    pub fn demo(seed: u64, month: &str) -> Option<Self> {
        let centre = centre();
        let (start, end) = Almanac::new(&centre.unit.zone).month_named(month)?;
        let day = 24 * 60 * MINUTE;
        let live = end - LIVE_BEFORE_END;
        let past = [(5, 615), (12, 890), (18, 1_215), (24, 660)];
        let past =
            past.map(|(days, minutes)| Incident::collapse(0, start + days * day + minutes * MINUTE, 20));
        let next = (0..12).map(|i| Incident::collapse(0, live - 4 * MINUTE + i * 180 * MINUTE, 24));
        let incidents = past.into_iter().chain(next).collect();
        Some(Self { mischief: Mischief::USUAL, incidents, ..Self::new(centre, seed, start) })
    }

    /// The moment from which the demo's traffic is live: 90 minutes before the end of the month it starts in.
    pub fn live_from(&self) -> i64 {
        Almanac::new(&self.centre.unit.zone).month(self.from).1 - LIVE_BEFORE_END
    }
}
