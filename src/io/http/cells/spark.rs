//! Sparklines: 120 one-minute points of the service level, the same vertical scale for every row.

use std::fmt::Write as _;

use super::{Cell, state};
use crate::engine::definitions::Queue;
use crate::engine::output::Trend;
use crate::model::units::{Fraction, MINUTE};

/// Width of the drawing in its own units.
pub const WIDTH: i64 = 268;
/// Height of the drawing in its own units.
pub const HEIGHT: i64 = 40;
/// Where the number of the target stands.
pub const LABEL_X: i64 = WIDTH + 8;
/// Minutes shown.
const POINTS: i64 = 120;
/// Room above 100 % and below the foot, so that lines are not cut.
const MARGIN: f64 = 3.0;
/// How far the scale reaches below the lowest target, per mille.
const BELOW_TARGET: u32 = 250;

/// The vertical scale: from `foot` to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Per mille.
    foot: u32,
}

impl Scale {
    /// From the definitions alone, so that it does not move: a quarter below the lowest target, in steps of 5 %.
    pub fn of<'a>(queues: impl IntoIterator<Item = &'a Queue>) -> Self {
        let targets = queues.into_iter().map(|queue| queue.service_level_target).filter(|target| *target > 0);
        let lowest = targets.min().unwrap_or(700);
        Self { foot: lowest.saturating_sub(BELOW_TARGET) / 50 * 50 }
    }

    /// The foot in whole percent, for the heading.
    pub fn foot_percent(self) -> u32 {
        self.foot / 10
    }

    /// The height of a ratio.
    pub fn y(self, ratio: f64) -> f64 {
        let foot = f64::from(self.foot) / 1000.0;
        let share = ((ratio - foot) / (1.0 - foot)).clamp(0.0, 1.0);
        let height = HEIGHT as f64 - 2.0 * MARGIN;
        MARGIN + (1.0 - share) * height
    }
}

/// The moving parts of one sparkline, as paths.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Spark {
    line: String,
    low: String,
    fill: String,
    end: String,
    end_state: &'static str,
}

impl Spark {
    pub(super) fn of(trend: Option<&Trend>, target: u32, scale: Scale) -> Self {
        let Some((trend, newest)) = trend.and_then(|trend| Some((trend, trend.points.last()?.at.0))) else {
            return Self { end_state: state::EMPTY, ..Self::default() };
        };
        let target = f64::from(target) / 1000.0;
        let points: Vec<Option<(f64, f64)>> = (0..POINTS)
            .map(|place| {
                let at = newest - (POINTS - 1 - place) * MINUTE;
                let point = trend.points.iter().rev().find(|point| point.at.0 == at)?;
                Some((place as f64 * WIDTH as f64 / (POINTS - 1) as f64, point.service_level.quotient()?))
            })
            .collect();
        let mut spark = Self { end_state: state::EMPTY, ..Self::default() };
        spark.draw_line(&points, scale);
        spark.draw_shortfall(&points, target, scale);
        let value = trend.points.last().map(|point| point.service_level);
        spark.draw_end(points.last().copied().flatten(), value, target, scale);
        spark
    }

    pub(super) fn cells(self) -> [(&'static str, Cell); 4] {
        [
            ("line", Cell::text(self.line)),
            ("low", Cell::text(self.low)),
            ("fill", Cell::text(self.fill)),
            ("end", Cell::text(self.end).state(self.end_state)),
        ]
    }

    fn draw_line(&mut self, points: &[Option<(f64, f64)>], scale: Scale) {
        let mut pen_down = false;
        for point in points {
            match point {
                Some((x, value)) => step(&mut self.line, &mut pen_down, *x, scale.y(*value)),
                None => pen_down = false,
            }
        }
    }

    /// What lies below the target: its line again, thicker, and the area up to the target.
    fn draw_shortfall(&mut self, points: &[Option<(f64, f64)>], target: f64, scale: Scale) {
        if target <= 0.0 {
            return;
        }
        let level = scale.y(target);
        let mut pen_down = false;
        for pair in points.windows(2) {
            let (Some(a), Some(b)) = (pair[0], pair[1]) else {
                pen_down = false;
                continue;
            };
            let Some((from, to)) = below(a, b, target) else {
                pen_down = false;
                continue;
            };
            let (y1, y2) = (scale.y(from.1), scale.y(to.1));
            if !pen_down {
                step(&mut self.low, &mut pen_down, from.0, y1);
            }
            step(&mut self.low, &mut pen_down, to.0, y2);
            let _ = write!(self.fill, "M{:.1} {level:.1}", from.0);
            let _ = write!(self.fill, "L{:.1} {y1:.1}L{:.1} {y2:.1}L{:.1} {level:.1}Z", from.0, to.0, to.0);
            pen_down &= b.1 < target;
        }
    }

    fn draw_end(&mut self, point: Option<(f64, f64)>, value: Option<Fraction>, target: f64, scale: Scale) {
        let (Some((x, ratio)), Some(value)) = (point, value) else { return };
        let y = scale.y(ratio);
        let exact = Fraction::new((target * 1000.0).round() as i64, 1000);
        if value.compare(exact).is_some_and(std::cmp::Ordering::is_lt) {
            self.end = format!("M{x:.1} {:.1}l4.2 7h-8.4z", y - 4.0);
            self.end_state = state::OUTSIDE;
        } else {
            self.end = format!("M{:.1} {y:.1}a2.8 2.8 0 1 0 5.6 0a2.8 2.8 0 1 0 -5.6 0z", x - 2.8);
            self.end_state = state::NORMAL;
        }
    }
}

fn step(path: &mut String, pen_down: &mut bool, x: f64, y: f64) {
    let _ = write!(path, "{}{x:.1} {y:.1}", if *pen_down { 'L' } else { 'M' });
    *pen_down = true;
}

/// The part of a segment that lies below the target.
fn below(a: (f64, f64), b: (f64, f64), target: f64) -> Option<((f64, f64), (f64, f64))> {
    let crossing = || {
        let share = (target - a.1) / (b.1 - a.1);
        (a.0 + share * (b.0 - a.0), target)
    };
    match (a.1 < target, b.1 < target) {
        (false, false) => None,
        (true, true) => Some((a, b)),
        (true, false) => Some((a, crossing())),
        (false, true) => Some((crossing(), b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::output::TrendPoint;
    use crate::model::units::LogTime;

    const SCALE: Scale = Scale { foot: 450 };

    fn trend(values: &[(i64, (i64, i64))]) -> Trend {
        let point = |(minute, (num, den)): &(i64, (i64, i64))| TrendPoint {
            at: LogTime(minute * MINUTE),
            service_level: Fraction::new(*num, *den),
            answer_rate: Fraction::new(0, 0),
            waiting: 0,
        };
        Trend { queue: "q".into(), as_of: LogTime(0), points: values.iter().map(point).collect() }
    }

    #[test]
    fn a_gap_lifts_the_pen() {
        let spark =
            Spark::of(Some(&trend(&[(1, (9, 10)), (2, (0, 0)), (3, (9, 10)), (4, (9, 10))])), 800, SCALE);
        assert_eq!(spark.line.matches('M').count(), 2);
        assert_eq!(spark.line.matches('L').count(), 1);
        assert_eq!((spark.low.as_str(), spark.end_state), ("", state::NORMAL));
    }

    #[test]
    fn the_shortfall_begins_where_the_line_crosses_the_target() {
        let spark = Spark::of(Some(&trend(&[(1, (9, 10)), (2, (7, 10))])), 800, SCALE);
        assert!(spark.low.starts_with("M266.9 "), "{}", spark.low);
        assert_eq!(spark.end_state, state::OUTSIDE);
    }

    #[test]
    fn a_queue_without_values_has_no_line_and_no_end() {
        for trend in [None, Some(trend(&[])), Some(trend(&[(1, (0, 0))]))] {
            let spark = Spark::of(trend.as_ref(), 800, SCALE);
            assert_eq!((spark.line.as_str(), spark.end_state), ("", state::EMPTY));
        }
    }

    #[test]
    fn the_scale_stays_inside_the_drawing() {
        assert_eq!((SCALE.y(0.0), SCALE.y(1.0)), (HEIGHT as f64 - MARGIN, MARGIN));
    }
}
