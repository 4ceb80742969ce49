//! Cases from real desks, and a second count by the millisecond.

use super::*;
use crate::model::units::{MINUTE, SECOND};
use proptest::prelude::*;

/// 2026-03-31T16:00:00Z: the month ends in Shanghai.
const MIDNIGHT: i64 = 1_774_972_800_000;

struct Agent {
    timeline: Timeline,
    names: Names,
}

impl Agent {
    fn new() -> Self {
        Self { timeline: Timeline::default(), names: Names::default() }
    }

    fn declare(&mut self, at: i64, id: &str, state: AgentState) -> Accepted {
        let fact =
            Fact { agent: Some("a1"), state: Some(state), ..Fact::new(Kind::AgentState, EventTime(at), id) };
        self.timeline.accept(&fact, &mut self.names)
    }

    fn void(&mut self, id: &str, target: &str) -> Accepted {
        let fact =
            Fact { agent: Some("a1"), replaces: Some(target), ..Fact::new(Kind::Voided, EventTime(0), id) };
        self.timeline.accept(&fact, &mut self.names)
    }

    fn seconds(&self, state: AgentState, range: Range<i64>, now: i64) -> i64 {
        self.timeline.spent(range, LogTime(now)).in_state(state) / SECOND
    }
}

/// A state that began yesterday and still lasts is split at midnight, at every moment.
#[test]
fn a_state_over_the_end_of_the_month_counts_on_both_sides_and_up_to_now_only() {
    let mut agent = Agent::new();
    agent.declare(MIDNIGHT - 30 * MINUTE, "q1", AgentState::Available);
    let (march, april) = (MIDNIGHT - 31 * 1440 * MINUTE..MIDNIGHT, MIDNIGHT..MIDNIGHT + 30 * 1440 * MINUTE);
    let read = |agent: &Agent, now| {
        let seconds = |range: &Range<i64>| agent.seconds(AgentState::Available, range.clone(), now);
        (seconds(&march), seconds(&april))
    };
    assert_eq!(read(&agent, MIDNIGHT + 15 * MINUTE), (1800, 900));
    for second in -1800..1800 {
        let (before, after) = read(&agent, MIDNIGHT + second * SECOND);
        assert_eq!(before + after, 1800 + second);
    }
    agent.declare(MIDNIGHT + 30 * MINUTE, "q2", AgentState::Paused);
    assert_eq!(read(&agent, MIDNIGHT + 30 * MINUTE), (1800, 1800));
    assert_eq!(read(&agent, MIDNIGHT + 50 * MINUTE), (1800, 1800));
    assert_eq!(agent.seconds(AgentState::Paused, april, MIDNIGHT + 50 * MINUTE), 1200);
}

/// Parallel chats do not add up, and those that merely touch are not at once, in either order of arrival.
#[test]
fn occupancy_is_a_union() {
    let minutes = |from, to| (EventTime(from * MINUTE), Some(EventTime(to * MINUTE)));
    let chats = [minutes(0, 10), minutes(20, 25), minutes(5, 20)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let mut timeline = Timeline::default();
        order.iter().for_each(|chat| timeline.segment(chats[*chat].0, chats[*chat].1, 1));
        let spent = timeline.spent(0..60 * MINUTE, LogTime(60 * MINUTE));
        assert_eq!((spent.busy_ms, spent.most_at_once), (1_500_000, 2));
    }
}

#[test]
fn what_runs_counts_to_now_and_is_replaced_when_it_ends() {
    let mut timeline = Timeline::default();
    let from = EventTime(5 * MINUTE);
    timeline.segment(from, None, 1);
    let busy =
        |timeline: &Timeline, now| timeline.spent(0..60 * MINUTE, LogTime(now * MINUTE)).busy_ms / MINUTE;
    assert_eq!([4, 5, 9, 70].map(|now| busy(&timeline, now)), [0, 0, 4, 55]);
    assert_eq!(timeline.running(), (1, Some(from)));
    timeline.segment(from, None, -1);
    timeline.segment(from, Some(EventTime(8 * MINUTE)), 1);
    assert_eq!(timeline.running(), (0, None));
    assert_eq!([7, 9, 70].map(|now| busy(&timeline, now)), [2, 3, 3]);
}

#[test]
fn a_conversation_of_no_length_is_never_at_once_with_anything() {
    let mut timeline = Timeline::default();
    for (from, to) in [(0, 10), (5, 5), (10, 10), (10, 12)] {
        timeline.segment(EventTime(from), Some(EventTime(to)), 1);
    }
    let spent = timeline.spent(0..100, LogTime(100));
    assert_eq!((spent.busy_ms, spent.most_at_once), (12, 1));
}

#[test]
fn events_of_one_state_count_once_and_voided_ones_never() {
    let mut agent = Agent::new();
    assert_eq!(agent.declare(0, "s1", AgentState::Available), Accepted::New);
    assert_eq!(agent.declare(0, "s1", AgentState::Available), Accepted::Duplicate);
    assert_eq!(agent.void("v", "s2"), Accepted::New);
    assert_eq!(agent.void("v", "s2"), Accepted::Duplicate);
    assert_eq!(agent.declare(10 * SECOND, "s2", AgentState::Paused), Accepted::Voided);
    assert_eq!(agent.declare(10 * SECOND, "s2", AgentState::Paused), Accepted::Duplicate);
    assert_eq!(agent.seconds(AgentState::Available, 0..60 * SECOND, 30 * SECOND), 30);
    assert_eq!(agent.void("w", "s1"), Accepted::New);
    assert_eq!(agent.timeline.declared(), None);
    assert_eq!(agent.declare(0, "s1", AgentState::Available), Accepted::Duplicate);
}

#[test]
fn the_declared_state_is_the_last_one_also_a_little_ahead() {
    let mut agent = Agent::new();
    agent.declare(9 * SECOND, "b", AgentState::Paused);
    agent.declare(5 * SECOND, "a", AgentState::Available);
    assert_eq!(agent.timeline.declared().map(|declared| declared.state), Some(AgentState::Paused));
    assert_eq!(agent.seconds(AgentState::Available, 0..60 * SECOND, 7 * SECOND), 2);
    assert_eq!(agent.seconds(AgentState::Paused, 0..60 * SECOND, 7 * SECOND), 0);
}

/// A state or a conversation at a small time, added or taken back.
#[derive(Debug, Clone)]
enum Step {
    Declare(i64, u8),
    Void(prop::sample::Index),
    Talk(i64, Option<i64>),
    Untalk(prop::sample::Index),
    Read(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0_i64..120, 0_u8..6).prop_map(|(at, state)| Step::Declare(at, state)),
        1 => any::<prop::sample::Index>().prop_map(Step::Void),
        4 => (0_i64..120, prop::option::weighted(0.8, 0_i64..30))
            .prop_map(|(from, length)| Step::Talk(from, length.map(|length| from + length))),
        1 => any::<prop::sample::Index>().prop_map(Step::Untalk),
        2 => (0_i64..130).prop_map(Step::Read),
    ];
    prop::collection::vec(step, 1..40)
}

/// What was declared and talked, plainly.
#[derive(Default)]
struct Plain {
    states: Vec<(i64, u64, u8, String)>,
    talks: Vec<(i64, Option<i64>)>,
}

impl Plain {
    /// Counts millisecond by millisecond.
    fn spent(&self, range: Range<i64>, now: i64) -> Spent {
        let mut spent = Spent::default();
        for at in range.start..range.end.min(now) {
            let last = self.states.iter().filter(|state| state.0 <= at).max();
            if let Some((_, _, state, _)) = last {
                spent.states[usize::from(*state)] += 1;
            }
            let covers = |(from, to): &&(i64, Option<i64>)| *from <= at && to.is_none_or(|to| at < to);
            let talks = self.talks.iter().filter(covers).count() as i64;
            spent.busy_ms += i64::from(talks > 0);
            spent.most_at_once = spent.most_at_once.max(talks);
        }
        spent
    }
}

proptest! {
    /// Any order, with retraction and open ends, gives what counting by the millisecond gives, for any stretch; and the
    /// remembered past is as good as a count from scratch.
    #[test]
    fn time_equals_a_plain_count(steps in steps(), day in 0_i64..110, length in 1_i64..40) {
        let (mut agent, mut plain) = (Agent::new(), Plain::default());
        let month = 10..125;
        let mut reads = vec![130];
        for (index, step) in steps.into_iter().enumerate() {
            match step {
                Step::Declare(at, state) => {
                    let id = format!("s{index}");
                    agent.declare(at, &id, AgentState::from_code(state).unwrap());
                    plain.states.push((at, hash64(&id), state, id));
                }
                Step::Void(which) if !plain.states.is_empty() => {
                    let (.., id) = plain.states.swap_remove(which.index(plain.states.len()));
                    agent.void(&format!("v{index}"), &id);
                }
                Step::Talk(from, to) => {
                    agent.timeline.segment(EventTime(from), to.map(EventTime), 1);
                    plain.talks.push((from, to));
                }
                Step::Untalk(which) if !plain.talks.is_empty() => {
                    let (from, to) = plain.talks.swap_remove(which.index(plain.talks.len()));
                    agent.timeline.segment(EventTime(from), to.map(EventTime), -1);
                }
                Step::Read(now) => reads.push(now),
                _ => {}
            }
            if let Some(now) = reads.pop() {
                let today = day..day + length;
                prop_assert_eq!(agent.timeline.spent(today.clone(), LogTime(now)), plain.spent(today.clone(), now));
                let (_, whole) = agent.timeline.spent_by_day_and_month(10 + day..125.min(11 + day), month.clone(), LogTime(now));
                prop_assert_eq!(whole, plain.spent(month.clone(), now));
            }
        }
    }

    /// What is forgotten has no part in what begins later.
    #[test]
    fn forgetting_the_past_leaves_the_rest(talks in prop::collection::vec((0_i64..99, 0_i64..40), 0..9),
        states in prop::collection::vec((0_i64..99, 0_u8..6), 0..9), before in 0_i64..99, late in 0_i64..99) {
        let mut agent = Agent::new();
        for (index, (at, state)) in states.iter().enumerate() {
            agent.declare(*at, &format!("s{index}"), AgentState::from_code(*state).unwrap());
        }
        talks.iter().for_each(|(from, length)| agent.timeline.segment(EventTime(*from), Some(EventTime(from + length)), 1));
        let mut whole = Agent { timeline: agent.timeline.clone(), names: Names::default() };
        agent.timeline.forget(EventTime(before));
        for agent in [&mut agent, &mut whole] {
            agent.declare(late, "late", AgentState::Paused);
        }
        let rest = |agent: &Agent| agent.timeline.spent(before..200, LogTime(150));
        prop_assert_eq!(rest(&agent), rest(&whole));
    }
}
