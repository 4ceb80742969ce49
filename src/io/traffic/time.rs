//! The time of one agent: declared states, segments of conversation, and what follows from them.

use super::outcome::{Outcome, What};
use crate::model::event::AgentState;
use std::collections::BTreeMap;

/// How many of something began at each instant.
pub(super) type Bag = BTreeMap<i64, i64>;

/// Adds to a bag or takes from it; what is there as often as not is gone.
pub(super) fn put<K: Ord>(bag: &mut BTreeMap<K, i64>, key: K, sign: i8) {
    use std::collections::btree_map::Entry;
    match bag.entry(key) {
        Entry::Vacant(new) => {
            new.insert(i64::from(sign));
        }
        Entry::Occupied(mut old) => {
            *old.get_mut() += i64::from(sign);
            if *old.get() == 0 {
                old.remove();
            }
        }
    }
}

/// What is known of one agent's time.
#[derive(Debug, Clone, Default)]
pub(super) struct Time {
    states: BTreeMap<i64, AgentState>,
    segments: BTreeMap<(i64, i64), i64>,
    running: Bag,
    rung: Bag,
}

impl Time {
    pub fn stand(&mut self, sign: i8, outcome: Outcome) {
        match outcome.what {
            What::Segment { end, .. } => put(&mut self.segments, (outcome.at, end), sign),
            What::Running { .. } => put(&mut self.running, outcome.at, sign),
            What::Rung { .. } => put(&mut self.rung, outcome.at, sign),
            What::Declared { state, .. } if sign > 0 => {
                self.states.insert(outcome.at, state);
            }
            What::Declared { .. } => {
                self.states.remove(&outcome.at);
            }
            _ => {}
        }
    }

    /// Forgets what ended before `start`; the state that reaches into it stays.
    pub fn forget(&mut self, start: i64) {
        if let Some(last) = self.states.range(..=start).next_back().map(|(at, _)| *at) {
            self.states = self.states.split_off(&last);
        }
        self.segments.retain(|(_, end), _| *end > start);
    }

    /// The state now: of talk, else of a ring, else the declared one.
    pub fn state(&self) -> Option<(AgentState, i64)> {
        let declared = self.states.last_key_value().map(|(at, state)| (*state, *at));
        if let Some(since) = self.running.keys().next()
            && !matches!(declared, Some((AgentState::LoggedOut, at)) if at > *since)
        {
            return Some((AgentState::Talking, *since));
        }
        let free = matches!(declared, None | Some((AgentState::Available | AgentState::Ringing, _)));
        let rung = self.rung.keys().next().filter(|_| free);
        rung.map(|since| (AgentState::Ringing, *since)).or(declared)
    }

    /// Contacts in hand.
    pub fn engaged(&self) -> i64 {
        self.running.values().sum()
    }

    /// Length of each declared state within `[start, end)`, up to `now`.
    pub fn declared(&self, (start, end): (i64, i64), now: i64) -> impl Iterator<Item = (AgentState, i64)> {
        let until = self.states.keys().skip(1).copied().chain([now]);
        let clip = move |(from, until): (i64, i64)| (until.min(end).min(now) - from.max(start)).max(0);
        self.states.iter().zip(until).map(move |((from, state), until)| (*state, clip((*from, until))))
    }

    /// Length of the union of the segments within `[start, end)`, and the greatest number at one instant.
    pub fn busy(&self, (start, end): (i64, i64), now: i64) -> (i64, i64) {
        let ended = self.segments.iter().map(|((from, until), n)| (*from, *until, *n));
        let running = self.running.iter().map(|(from, n)| (*from, now, *n));
        let mut edges = Bag::new();
        for (from, until, n) in ended.chain(running) {
            let (from, until) = (from.max(start), until.min(end).min(now));
            if from < until {
                *edges.entry(from).or_default() += n;
                *edges.entry(until).or_default() -= n;
            }
        }
        let (mut busy, mut most, mut at_once, mut since) = (0, 0, 0, start);
        for (at, change) in edges {
            busy += if at_once > 0 { at - since } else { 0 };
            at_once += change;
            most = most.max(at_once);
            since = at;
        }
        (busy, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(segments: &[(i64, i64)]) -> Time {
        let mut time = Time::default();
        for (at, end) in segments {
            time.stand(1, Outcome { at: *at, what: What::Segment { agent: 0, end: *end } });
        }
        time
    }

    #[test]
    fn overlapping_segments_count_once_and_touching_ones_do_not_overlap() {
        let check =
            |segments: &[(i64, i64)], expected| assert_eq!(time(segments).busy((0, 100), 1_000), expected);
        check(&[(10, 20), (15, 30)], (20, 2));
        check(&[(10, 20), (20, 30)], (20, 1));
        check(&[(10, 20), (10, 20), (90, 120)], (20, 2));
        check(&[], (0, 0));
    }

    #[test]
    fn a_running_segment_and_the_last_state_reach_to_the_clock() {
        let mut time = Time::default();
        time.stand(1, Outcome { at: 50, what: What::Running { agent: 0 } });
        let state = |at, state| Outcome { at, what: What::Declared { agent: 0, state } };
        time.stand(1, state(40, AgentState::Talking));
        time.stand(1, state(10, AgentState::Available));
        assert_eq!(time.busy((0, 100), 70), (20, 1));
        let lengths: Vec<_> = time.declared((0, 100), 70).collect();
        assert_eq!(lengths, [(AgentState::Available, 30), (AgentState::Talking, 30)]);
        assert_eq!(time.state(), Some((AgentState::Talking, 50)));
    }
}
