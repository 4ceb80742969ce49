//! One oracle for both: a list of all bookings, filtered.

use super::*;
use crate::model::contact::{Observation, What};
use crate::model::measure::{Column, SubjectKind};
use crate::model::units::{EventTime, SECOND};
use proptest::prelude::*;

const KIND: SubjectKind = SubjectKind::Agent;

/// The definition, word for word.
fn brute_force(bookings: &[(Observation, i64)], now: LogTime) -> Rows {
    LENGTHS.map(|length| {
        let part = length / 60;
        let oldest = now.0.div_euclid(part) * part - length;
        let mut row = Row::default();
        for (observation, sign) in bookings.iter().filter(|(o, _)| o.booked.0 >= oldest) {
            row.apply(observation, *sign, KIND, None);
        }
        row
    })
}

/// Slices and ring side by side, with everything that was ever booked.
#[derive(Default)]
struct Both {
    slices: Slices,
    ring: Ring,
    bookings: Vec<(Observation, i64)>,
    now: LogTime,
}

impl Both {
    fn roll(&mut self, now: LogTime) {
        self.now = self.now.max(now);
        self.slices.roll(now);
        self.ring.roll(now);
    }

    fn book(&mut self, observation: Observation, sign: i64) {
        self.slices.apply(&observation, sign, KIND, None);
        self.ring.apply(&observation, sign);
        self.bookings.push((observation, sign));
    }

    /// The rows on which all three agree.
    #[track_caller]
    fn rows(&self) -> Rows {
        let expected = brute_force(&self.bookings, self.now);
        assert_eq!(self.slices.rows(), expected, "slices at {:?}", self.now);
        assert_eq!(self.ring.rows(KIND, None), expected, "ring at {:?}", self.now);
        expected
    }
}

fn offer(at: i64) -> Observation {
    Observation::new(What::Offer, EventTime(at))
}

const TEN: i64 = 1_772_416_800_000;

#[test]
fn tumbling_five_minutes_are_half_open() {
    let mut rows = Tumbling::default();
    for at in [TEN, TEN + LENGTHS[0], TEN + 2 * LENGTHS[0]] {
        rows.apply((at / LENGTHS[0]) as i32, &offer(at), 1, KIND, None);
    }
    let first = (TEN / LENGTHS[0]) as i32;
    let counts = [-1, 0, 1, 2, 3].map(|step| rows.row(first + step).get(Column::Offers));
    assert_eq!(counts, [0, 1, 1, 1, 0]);
}

/// A walk over the edges: every millisecond in which a window could change its mind.
#[test]
fn slices_and_ring_agree_at_every_millisecond_near_an_edge() {
    let mut both = Both::default();
    both.roll(LogTime(TEN - 1));
    for minute in [0, 5, 10] {
        both.book(offer(TEN + minute * MINUTE), 1);
    }
    let mut last = [0; SLIDING];
    for edge in (TEN..=TEN + 72 * MINUTE).step_by(SECOND as usize) {
        for now in [edge - 1, edge, edge + 1] {
            both.roll(LogTime(now));
            last = both.rows().map(|row| row.get(Column::Offers));
        }
    }
    assert_eq!(last, [0, 0, 0]);
}

#[test]
fn a_booking_leaves_the_five_minutes_a_slice_after_their_end() {
    let mut both = Both::default();
    both.roll(LogTime(TEN));
    both.book(offer(TEN + 4_999), 1);
    both.book(offer(TEN + 5_000), 1);
    let mut count = |now| {
        both.roll(LogTime(now));
        both.rows()[0].get(Column::Offers)
    };
    assert_eq!(count(TEN + LENGTHS[0] + 4_999), 2);
    assert_eq!(count(TEN + LENGTHS[0] + 5_000), 1);
    assert_eq!(count(TEN + LENGTHS[0] + 9_999), 1);
    assert_eq!(count(TEN + LENGTHS[0] + 10_000), 0);
}

#[test]
fn a_booking_beyond_the_clock_counts_at_once_and_for_no_longer_than_the_others() {
    let mut both = Both::default();
    both.roll(LogTime(TEN));
    both.book(offer(TEN + 4 * MINUTE), 1);
    both.book(offer(TEN + 90 * MINUTE), 1);
    both.book(offer(TEN + 90 * MINUTE), -1);
    let counts = |both: &Both| both.rows().map(|row| row.get(Column::Offers));
    assert_eq!(counts(&both), [1, 1, 1]);
    both.roll(LogTime(TEN + 9 * MINUTE + 5 * SECOND));
    assert_eq!(counts(&both), [0, 1, 1]);
    both.roll(LogTime(TEN + 3 * HOUR));
    assert_eq!(counts(&both), [0, 0, 0]);
    assert!(both.ring.is_empty());
}

#[test]
fn a_clock_told_backwards_changes_nothing() {
    let mut both = Both::default();
    both.roll(LogTime(TEN));
    both.book(offer(TEN - 5 * MINUTE), 1);
    both.roll(LogTime(TEN + 5 * SECOND));
    both.roll(LogTime(TEN - HOUR));
    assert_eq!(both.rows().map(|row| row.get(Column::Offers)), [0, 1, 1]);
}

/// What happens next: the clock goes on, something is booked near it, or something booked is taken back.
#[derive(Debug, Clone)]
enum Step {
    Clock(i64),
    Book { offset: i64, what: What, values: [i64; 3] },
    TakeBack(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let grid =
        prop::sample::select(vec![1, 4_999, 5_000, 30_000, 60_000, 299_999, 300_000, 1_800_000, 3_600_000]);
    let jump = prop_oneof![Just(0), 0_i64..20_000, grid.clone(), 0_i64..5_000_000];
    // Late by up to ten minutes more than the longest window, ahead by up to six minutes, often exactly on an edge.
    let offset = prop_oneof![
        -4_200_000_i64..360_000,
        grid.prop_map(|span| -span),
        (-840_i64..72).prop_map(|n| n * 5_000)
    ];
    let what = prop::sample::select(vec![What::Offer, What::Handled, What::Response, What::Taken]);
    prop::collection::vec(
        prop_oneof![
            2 => jump.prop_map(Step::Clock),
            4 => (offset, what, [0_i64..9, 0..9, 0..9]).prop_map(|(offset, what, values)| Step::Book { offset, what, values }),
            1 => any::<prop::sample::Index>().prop_map(Step::TakeBack),
        ],
        1..80,
    )
}

proptest! {
    /// Slices equal the ring equal brute force, whatever comes late, ahead, on an edge, or is taken back.
    #[test]
    fn slices_equal_ring_equal_brute_force(steps in steps(), read_each: bool) {
        let mut both = Both::default();
        both.roll(LogTime(TEN));
        let mut standing: Vec<Observation> = Vec::new();
        for step in steps {
            match step {
                Step::Clock(by) => both.roll(LogTime(both.now.0 + by)),
                Step::Book { offset, what, values } => {
                    let booked = EventTime(both.now.0 + offset);
                    let observation = Observation { values, ..Observation::new(what, booked) };
                    standing.push(observation);
                    both.book(observation, 1);
                }
                Step::TakeBack(which) if !standing.is_empty() => {
                    let observation = standing.swap_remove(which.index(standing.len()));
                    both.book(observation, -1);
                }
                Step::TakeBack(_) => {}
            }
            if read_each {
                both.rows();
            }
        }
        both.rows();
    }

    /// What a snapshot keeps is everything.
    #[test]
    fn restored_windows_show_the_same(steps in steps()) {
        let mut both = Both::default();
        both.roll(LogTime(TEN));
        for step in steps {
            match step {
                Step::Clock(by) => both.roll(LogTime(both.now.0 + by)),
                Step::Book { offset, what, .. } => both.book(Observation::new(what, EventTime(both.now.0 + offset)), 1),
                Step::TakeBack(_) => {}
            }
        }
        let bytes = postcard::to_allocvec(&(&both.slices, &both.ring)).unwrap();
        let (slices, ring): (Slices, Ring) = postcard::from_bytes(&bytes).unwrap();
        prop_assert_eq!(slices, both.slices);
        prop_assert_eq!(ring, both.ring);
    }
}
