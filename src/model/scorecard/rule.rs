//! How points arise: an input and a shape, or the parts of a group.
//!
//! Each kind keeps its formula and its explanation together, so that they cannot drift apart.

mod bands;
mod parts;
mod ramp;
mod target;
mod value;

pub use bands::Bands;
pub(super) use bands::{Defect, Reading};
pub(super) use parts::{Effect, Folded, Part, fold};
pub(super) use ramp::NoRamp;
pub use ramp::Ramp;
pub(super) use target::NoTarget;
pub use target::{Rest, Target};
pub(super) use value::{Taken, take};

use super::exact::{Exact, shown};
use super::limits::Limit;
use super::quantity::Kind;
use super::result::Why;

/// How an item gets its points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// From its own input.
    Value {
        /// Where the value comes from.
        input: Input,
        /// How it becomes points.
        shape: Shape,
        /// Fewer samples (or marks) than this make it null.
        min_sample: u32,
    },
    /// From the items that are `in` it.
    Parts {
        /// How they are put together.
        fold: Fold,
    },
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A KPI of the period.
    Kpi(String),
    /// The mean of assessors' marks.
    Rating {
        /// What is rated.
        dimension: String,
        /// Whose marks count, each of them required; empty: whoever rates, at least one.
        assessors: Vec<String>,
    },
}

impl Input {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Kpi(kpi) => Kind::of_kpi(kpi),
            Self::Rating { .. } => Kind::Mark,
        }
    }
}

/// How a value becomes points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// The value is the points.
    AsGiven,
    /// Straight lines through knots.
    Ramp(Ramp),
    /// The row whose test holds.
    Bands(Bands<Exact>),
    /// Full mark if a test holds, else the rest.
    Target(Target),
}

/// How parts are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// Σ weight × points; absent parts leave their weight to the others.
    Weighted,
    /// Σ points; absent parts leave their maximum to the others.
    Sum,
}

impl Shape {
    /// Points of `value` before limits, and how; `None` where the shape says nothing about it.
    /// `phrase` is the value as the explanation shows it.
    pub(super) fn points(
        &self,
        value: &Exact,
        kind: Kind,
        full: &Exact,
        cap: &Limit,
        phrase: &str,
    ) -> Option<(Exact, Why)> {
        match self {
            Self::AsGiven => {
                let points = shown(value);
                Some((
                    value.clone(),
                    Why::new(
                        format!("{phrase}，按给分计 {points} 分"),
                        format!("{phrase}, counted as given: {points} points"),
                    ),
                ))
            }
            Self::Ramp(ramp) => Some(ramp.points(value, kind, cap, phrase)),
            Self::Bands(bands) => {
                let row = bands.find(value)?;
                let (test, points) = (row.text(), shown(row.value()));
                let why = Why::new(
                    format!("{phrase} 属于“{test}”，得 {points} 分"),
                    format!("{phrase} is in \"{test}\": {points} points"),
                );
                Some((row.value().clone(), why))
            }
            Self::Target(target) => Some(target.points(value, kind, full, phrase)),
        }
    }
}
