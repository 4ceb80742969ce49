//! Everything that follows from the facts of one contact, and what changed between two conclusions.

use super::observation::Observation;
use crate::model::units::{EventTime, Sym};
use serde::{Deserialize, Serialize};

/// What follows from a contact's facts: a buffer to be used again and again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conclusion {
    /// What is booked, in the order in which it follows (after [`Conclusion::difference`]: in any order).
    pub observations: Vec<Observation>,
    /// Conversations from the earliest: the agents' busy time.
    pub segments: Vec<Segment>,
    /// Agents rung on the open leg now, one each, from the earliest ring.
    pub rings: Vec<Ring>,
    /// What is open, and how the contact stands.
    pub standing: Standing,
}

/// One agent's conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Segment {
    /// Who talked; absent if no fact says.
    pub agent: Option<Sym>,
    /// The answer.
    pub from: EventTime,
    /// The end, exclusive; absent while it runs.
    pub to: Option<EventTime>,
    /// Queue of the leg that was answered.
    pub queue: Option<Sym>,
    /// Team that the answer names.
    pub(super) named_team: Option<Sym>,
    /// Sum of the holds.
    pub(super) hold_ms: i64,
    /// Work after the end, once it was told.
    pub(super) after_work_ms: Option<i64>,
    /// No fact of its own ended it.
    pub(super) inferred: bool,
    /// Another agent's answer ended it, and no transfer has been booked for it.
    pub(super) taken_over: bool,
}

impl Segment {
    pub(super) fn new(
        agent: Option<Sym>,
        named_team: Option<Sym>,
        queue: Option<Sym>,
        from: EventTime,
    ) -> Self {
        let (to, after_work_ms) = (None, None);
        Self {
            agent,
            from,
            to,
            queue,
            named_team,
            hold_ms: 0,
            after_work_ms,
            inferred: false,
            taken_over: false,
        }
    }
}

/// An agent who is rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ring {
    /// Who.
    pub agent: Sym,
    /// Since when, on this leg.
    pub since: EventTime,
    /// Team that the ring names.
    pub(super) named_team: Option<Sym>,
}

/// A queue visit without an outcome: somebody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OpenLeg {
    /// Queue, if any fact names one.
    pub queue: Option<Sym>,
    /// When the visit began.
    pub entry: EventTime,
}

/// How a contact stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The open leg: the customer waits. Absent when expired.
    pub open: Option<OpenLeg>,
    /// Who talks (if known) since when. Absent when expired.
    pub running: Option<(Option<Sym>, EventTime)>,
    /// Time of the last fact that counts (voidings aside); absent if none does.
    pub last: Option<EventTime>,
    /// It was ended, abandoned or closed, and nothing is open.
    pub terminal: bool,
}

impl Conclusion {
    /// Empties the buffers.
    pub fn clear(&mut self) {
        self.observations.clear();
        self.segments.clear();
        self.rings.clear();
        self.standing = Standing::default();
    }

    /// Calls `each` with every observation that only `old` has (-1) or only `new` has (+1), counting equal ones.
    /// Both lose their order where they differ.
    pub fn difference(old: &mut Self, new: &mut Self, each: impl FnMut(&Observation, i64)) {
        let (old, new) = differing(&mut old.observations, &mut new.observations, PartialEq::eq);
        merge(old, new, |observation| *observation, each);
    }

    /// Likewise for conversations, by agent, beginning and end; those without an agent are left out.
    pub fn segments_difference(old: &mut Self, new: &mut Self, mut each: impl FnMut(&Segment, i64)) {
        let key = |segment: &Segment| (segment.agent, segment.from, segment.to);
        let (old, new) = differing(&mut old.segments, &mut new.segments, |a, b| key(a) == key(b));
        merge(old, new, key, |segment, sign| {
            if segment.agent.is_some() {
                each(segment, sign);
            }
        });
    }
}

/// What remains of both when the common beginning and the common end are left out: seldom more than three.
fn differing<'a, T>(
    old: &'a mut [T],
    new: &'a mut [T],
    same: impl Fn(&T, &T) -> bool,
) -> (&'a mut [T], &'a mut [T]) {
    let start = old.iter().zip(new.iter()).take_while(|(a, b)| same(a, b)).count();
    let (old, new) = (&mut old[start..], &mut new[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| same(a, b)).count();
    let (olds, news) = (old.len() - end, new.len() - end);
    (&mut old[..olds], &mut new[..news])
}

/// Sorts both and walks them side by side.
fn merge<T, K: Ord>(old: &mut [T], new: &mut [T], key: impl Fn(&T) -> K, mut each: impl FnMut(&T, i64)) {
    use std::cmp::Ordering::{Equal, Greater, Less};
    old.sort_unstable_by_key(&key);
    new.sort_unstable_by_key(&key);
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        let order = match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) => key(a).cmp(&key(b)),
            (Some(_), None) => Less,
            (None, _) => Greater,
        };
        match order {
            Less => each(&old[i], -1),
            Greater => each(&new[j], 1),
            Equal => {}
        }
        i += usize::from(order != Greater);
        j += usize::from(order != Less);
    }
}
