//! Windows: the rows of one subject as time moves on.
//!
//! ```text
//!                        ┌─ Slices (queue, team, unit): 61 slices a window, summed when read
//! (observation, sign) ───┼─ Ring   (agent): few entries, one backward pass      both: the same sliding windows
//!                        └─ Tumbling: one row a local day, one a month
//! ```
//!
//! A sliding window of length L holds, at live clock t, everything booked at or after `floor(t, L/60) - L`: a booking
//! counts at once, also one a few minutes ahead; it leaves in steps of L/60. What is late is booked into whatever still
//! holds it, what is taken back is taken out of the same places.

mod ring;
mod slices;
#[cfg(test)]
mod tests;
mod tumbling;

pub use ring::Ring;
pub use slices::Slices;
pub use tumbling::Tumbling;

use super::measure::Row;
use super::units::{HOUR, LogTime, MINUTE};

/// How many sliding windows there are.
pub const SLIDING: usize = 3;
/// Their lengths in ms, from the shortest: 5 min, 30 min, 1 h. The width of a slice is a 60th.
pub const LENGTHS: [i64; SLIDING] = [5 * MINUTE, 30 * MINUTE, HOUR];
/// Slices that make one window.
const PARTS: i64 = 60;
/// Width of a slice of the shortest window: every other slice edge is one of its edges too.
const FINEST: i64 = LENGTHS[0] / PARTS;

/// The numbers of the sliding windows, in the order of [`LENGTHS`].
pub type Rows = [Row; SLIDING];

/// The earliest booking that window `window` holds at live clock `now`.
pub fn start(window: usize, now: LogTime) -> i64 {
    let width = LENGTHS[window] / PARTS;
    now.0.div_euclid(width) * width - LENGTHS[window]
}
