//! Chance from a seed, in integers only: the same draws on every machine.
//!
//! `ln` of a platform's mathematics library may differ in the last bit, and one bit moves a whole day. The exponential
//! distribution is therefore made from the binary logarithm in fixed point, with a table built at compile time.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of draws. Streams of one seed are independent: more duplicates do not change who calls when.
#[derive(Debug, Clone)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The given stream of a seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Evenly from `0..n`; 0 for n = 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// Evenly from `low..=high`; `low` when there is nothing between.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as u64) as i64
    }

    /// Whether something happens that happens `permille` times in a thousand.
    pub fn permille(&mut self, permille: u32) -> bool {
        self.below(1_000) < u64::from(permille)
    }

    /// Whether something happens that happens `ppm` times in a million.
    pub fn ppm(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.below(1_000_000) < u64::from(ppm)
    }

    /// An index below `len` (which is not 0).
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// Exponentially distributed with this mean, at least 1.
    pub fn exponential(&mut self, mean: i64) -> i64 {
        let nats = minus_ln(self.0.next_u64());
        (((mean.max(0) as u128 * u128::from(nats)) >> 32) as i64).max(1)
    }

    /// A human duration with this mean: the sum of two exponentials (few very short, some very long).
    pub fn duration(&mut self, mean: i64) -> i64 {
        self.exponential(mean / 2) + self.exponential(mean / 2)
    }
}

/// `-ln(u / 2^64)` in units of 2^-32.
fn minus_ln(u: u64) -> u64 {
    let u = u.max(1);
    let zeros = u64::from(u.leading_zeros());
    let mantissa = u << zeros;
    let (index, fraction) = (((mantissa >> 55) & 0xff) as usize, (mantissa >> 23) & 0xffff_ffff);
    let (low, high) = (LOG2[index], LOG2[index + 1]);
    let log2 = low + (((high - low) * fraction) >> 32);
    let minus_log2 = ((zeros + 1) << 32) - log2;
    ((u128::from(minus_log2) * LN_2) >> 32) as u64
}

/// ln 2 in units of 2^-32.
const LN_2: u128 = 2_977_044_472;

/// log2(1 + i/256) in units of 2^-32.
static LOG2: [u64; 257] = {
    let mut table = [0; 257];
    let mut i = 0;
    while i < 257 {
        table[i] = log2((1 << 62) + ((i as u128) << 54));
        i += 1;
    }
    table
};

/// The binary logarithm of `x / 2^62` (1 to 2) in units of 2^-32, by repeated squaring.
const fn log2(mut x: u128) -> u64 {
    if x >= 2 << 62 {
        return 1 << 32;
    }
    let (mut bits, mut i) = (0, 0);
    while i < 32 {
        x = (x * x) >> 62;
        bits <<= 1;
        if x >= 2 << 62 {
            bits |= 1;
            x >>= 1;
        }
        i += 1;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integer_logarithm_agrees_with_the_real_one() {
        for u in [1, 2, 3, 1 << 20, u64::MAX / 7, u64::MAX / 2, u64::MAX - 1] {
            let real = -(u as f64 / 2f64.powi(64)).ln();
            let ours = minus_ln(u) as f64 / 2f64.powi(32);
            assert!((real - ours).abs() < 1e-5, "{u}: {real} {ours}");
        }
    }

    #[test]
    fn exponential_draws_have_their_mean_and_their_memory_is_short() {
        let mut chance = Chance::new(1, 0);
        let draws: Vec<i64> = (0..200_000).map(|_| chance.exponential(1_000_000)).collect();
        let mean = draws.iter().sum::<i64>() / draws.len() as i64;
        assert!((990_000..1_010_000).contains(&mean), "{mean}");
        let late = draws.iter().filter(|x| **x > 1_000_000).count();
        assert!((72_800..74_400).contains(&late), "a share of 1/e is above the mean: {late}");
    }

    #[test]
    fn a_seed_gives_these_draws_for_ever() {
        let mut chance = Chance::new(7041, 1);
        let draws: Vec<u64> = (0..4).map(|_| chance.below(1_000_000)).collect();
        let mut again = Chance::new(7041, 1);
        assert_eq!(draws, (0..4).map(|_| again.below(1_000_000)).collect::<Vec<_>>());
        assert_ne!(draws, (0..4).map(|_| Chance::new(7041, 2).below(1_000_000)).collect::<Vec<_>>());
    }
}
