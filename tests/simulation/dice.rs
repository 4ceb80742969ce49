//! All chance of a run comes from one seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of chance.
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A stream of its own, so that one part of the run may draw more without moving the others.
    pub fn fork(&mut self) -> Self {
        Self::new(self.0.next_u64())
    }

    /// `0..n`, 0 for an empty range.
    pub fn below(&mut self, n: i64) -> i64 {
        (self.0.next_u64() % n.max(1) as u64) as i64
    }

    /// `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }

    pub fn chance(&mut self, per_mille: i64) -> bool {
        self.below(1000) < per_mille
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as i64) as usize]
    }

    pub fn maybe<T>(&mut self, per_mille: i64, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.chance(per_mille) { Some(value(self)) } else { None }
    }
}
