//! Floor and cap: how many points something may have.

use super::exact::{Exact, shown};
use super::result::Why;
use num_traits::Zero;

/// One end of the points an item may have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Limit {
    /// 0 below, the full mark above (none for items that are only shown).
    #[default]
    Default,
    /// At these points.
    At(Exact),
    /// Lifted.
    None,
}

impl Limit {
    /// Whether it was raised above `points`.
    pub(super) fn is_above(&self, points: &Exact) -> bool {
        match self {
            Self::Default => false,
            Self::At(limit) => limit > points,
            Self::None => true,
        }
    }

    fn resolve(&self, default: Option<Exact>) -> Option<Exact> {
        match self {
            Self::Default => default,
            Self::At(points) => Some(points.clone()),
            Self::None => None,
        }
    }
}

/// Both ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Lowest points.
    pub floor: Limit,
    /// Highest points.
    pub cap: Limit,
}

impl Limits {
    /// Points within the limits of an item with this full mark; named in `why` where they change something.
    pub(super) fn apply(&self, points: Exact, why: Why, full: Option<&Exact>) -> (Exact, Why) {
        let floor = self.floor.resolve(full.map(|_| Exact::zero()));
        let cap = self.cap.resolve(full.cloned());
        within(points, why, floor.as_ref(), cap.as_ref())
    }
}

/// Points within floor and cap.
pub(super) fn within(points: Exact, why: Why, floor: Option<&Exact>, cap: Option<&Exact>) -> (Exact, Why) {
    if let Some(cap) = cap.filter(|cap| points > **cap) {
        let text = shown(cap);
        return (cap.clone(), why.then(&format!("；最多 {text} 分"), &format!("; at most {text} points")));
    }
    if let Some(floor) = floor.filter(|floor| points < **floor) {
        let text = shown(floor);
        return (floor.clone(), why.then(&format!("；最少 {text} 分"), &format!("; at least {text} points")));
    }
    (points, why)
}
