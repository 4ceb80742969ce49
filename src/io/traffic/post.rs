//! The post between the floor and the source: it delays, repeats, and breaks.

use super::chance::Chance;
use super::outcome::NONE;
use super::plan::{Mischief, Plan};
use super::script::Act;
use crate::model::event::Kind;
use crate::model::units::{HOUR, MINUTE, SECOND};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// How long an undisturbed event is on its way, ms.
const LAG: i64 = 40;

/// What is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Sound {
        delayed: bool,
        late: bool,
    },
    Duplicate,
    /// Number of the way in which it is broken.
    Broken(u32),
}

/// One record on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parcel {
    pub at: i64,
    pub order: u64,
    pub kept: Kept,
    pub act: Act,
    pub sent: i64,
    /// The contact's slot and the index of the act in its script.
    pub contact: Option<(u32, u32)>,
    /// Number of the contact.
    pub visit: u64,
    pub customer: u32,
    pub chat: bool,
}

impl Default for Parcel {
    fn default() -> Self {
        Self {
            at: 0,
            order: 0,
            kept: Kept::Sound { delayed: false, late: false },
            act: Act::new(Kind::Other, 0),
            sent: 0,
            contact: None,
            visit: 0,
            customer: NONE,
            chat: false,
        }
    }
}

/// The earliest first, for a heap that gives the greatest.
impl Ord for Parcel {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Parcel {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Parcel {}

/// See the module's page.
#[derive(Debug)]
pub(super) struct Post {
    mischief: Mischief,
    chance: Chance,
    order: u64,
    straight: VecDeque<Parcel>,
    detours: BinaryHeap<Parcel>,
}

impl Post {
    pub fn new(plan: &Plan) -> Self {
        Self {
            mischief: plan.mischief,
            chance: Chance::new(plan.seed, 2),
            order: 0,
            straight: VecDeque::new(),
            detours: BinaryHeap::new(),
        }
    }

    /// Takes an event; what is sent never goes back in time.
    pub fn send(&mut self, parcel: Parcel) {
        let at = parcel.sent + LAG;
        let delay = self.delay();
        let kept = Kept::Sound { delayed: delay > 0, late: delay >= 2 * MINUTE };
        self.keep(Parcel { at: at + delay, kept, ..parcel });
        if self.chance.ppm(self.mischief.duplicates) {
            let again = if self.chance.permille(700) {
                self.chance.between(0, 2 * SECOND)
            } else {
                self.chance.between(2 * SECOND, 10 * MINUTE)
            };
            self.keep(Parcel { at: at + delay + again, kept: Kept::Duplicate, ..parcel });
        }
        if self.chance.ppm(self.mischief.broken) {
            let way = self.chance.below(u64::from(u32::MAX)) as u32;
            self.keep(Parcel { at, kept: Kept::Broken(way), ..parcel });
        }
    }

    /// Seconds to minutes for the disordered, minutes to hours for the late, else nothing.
    fn delay(&mut self) -> i64 {
        if self.chance.ppm(self.mischief.late) {
            return (2 * MINUTE + self.chance.exponential(40 * MINUTE)).min(6 * HOUR);
        }
        if self.chance.ppm(self.mischief.disorder) {
            return (1 + self.chance.exponential(12 * SECOND)).min(2 * MINUTE - 1);
        }
        0
    }

    fn keep(&mut self, parcel: Parcel) {
        self.order += 1;
        let parcel = Parcel { order: self.order, ..parcel };
        if self.straight.back().is_none_or(|last| last.at <= parcel.at) && parcel.at <= parcel.sent + LAG {
            self.straight.push_back(parcel);
        } else {
            self.detours.push(parcel);
        }
    }

    /// The next parcel, if nothing that happens from `next` on can be sent before it; with `None` whatever is left.
    pub fn due(&mut self, next: Option<i64>) -> Option<Parcel> {
        let straight = self.straight.front();
        let detour = self.detours.peek();
        let first_is_straight = match (straight, detour) {
            (Some(a), Some(b)) => a > b,
            (a, _) => a.is_some(),
        };
        let first = if first_is_straight { straight } else { detour }?;
        if next.is_some_and(|next| first.at > next + LAG) {
            return None;
        }
        if first_is_straight { self.straight.pop_front() } else { self.detours.pop() }
    }
}
