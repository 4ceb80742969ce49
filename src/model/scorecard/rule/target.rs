//! Pass or not: full mark if the test holds, else nothing or a proportion.

use super::super::exact::{Exact, shown};
use super::super::quantity::Kind;
use super::super::result::Why;
use super::super::test::{Side, Test};
use num_traits::{Signed, Zero};

/// A test and what is left when it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    test: Test,
    rest: Rest,
}

/// Points of a value that misses its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rest {
    /// None.
    #[default]
    Zero,
    /// In proportion: full mark × value ÷ threshold (at least), full mark × threshold ÷ value (at most).
    Proportional,
}

/// Why a test and a rest do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum NoTarget {
    /// A proportion needs one threshold.
    Threshold,
    /// A proportion to zero or less cannot be computed.
    NotPositive,
}

impl Target {
    pub(in super::super) fn new(test: Test, rest: Rest) -> Result<Self, NoTarget> {
        if rest == Rest::Proportional {
            let (_, threshold) = test.threshold().ok_or(NoTarget::Threshold)?;
            if !threshold.is_positive() {
                return Err(NoTarget::NotPositive);
            }
        }
        Ok(Self { test, rest })
    }

    pub(super) fn points(&self, value: &Exact, kind: Kind, full: &Exact, phrase: &str) -> (Exact, Why) {
        let test = self.test.text();
        if self.test.holds(value) {
            let p = shown(full);
            let why = Why::new(
                format!("{phrase}，达到“{test}”，得 {p} 分"),
                format!("{phrase} meets \"{test}\": {p} points"),
            );
            return (full.clone(), why);
        }
        let missed = Why::new(format!("{phrase}，未达到“{test}”"), format!("{phrase} misses \"{test}\""));
        match self.proportion(value) {
            None => (Exact::zero(), missed.then("，得 0 分", ": 0 points")),
            Some((num, den)) => {
                let points = full * &num / &den;
                let (m, p) = (shown(full), shown(&points));
                let sum = format!("{m} × {} ÷ {} = {p}", kind.show(&num), kind.show(&den));
                (points, missed.then(&format!("，按比例 {sum} 分"), &format!(", in proportion {sum} points")))
            }
        }
    }

    fn proportion(&self, value: &Exact) -> Option<(Exact, Exact)> {
        let (side, threshold) = self.test.threshold().filter(|_| self.rest == Rest::Proportional)?;
        match side {
            Side::AtLeast => Some((value.clone(), threshold.clone())),
            // Above a positive threshold, so never zero; exactly on it only under `<`, which gives the full mark.
            Side::AtMost => Some((threshold.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::exact::{exact_text, parse_exact, whole};
    use super::*;

    fn target(test: &str, rest: Rest) -> Result<Target, NoTarget> {
        Target::new(Test::parse(test, Kind::Number).unwrap(), rest)
    }

    fn check(test: &str, rest: Rest, cases: &[(&str, &str)]) {
        let target = target(test, rest).unwrap();
        for (value, expected) in cases {
            let points = target.points(&parse_exact(value).unwrap(), Kind::Number, &whole(10), "").0;
            assert_eq!(exact_text(&points), *expected, "{value} against {test}");
        }
    }

    #[test]
    fn a_miss_gives_nothing_or_its_proportion() {
        check(">= 25", Rest::Zero, &[("25", "10"), ("24.999", "0")]);
        check("25以内", Rest::Proportional, &[("25", "10"), ("26", "125/13"), ("50", "5"), ("0", "10")]);
        check(">= 80", Rest::Proportional, &[("80", "10"), ("60", "7.5"), ("0", "0")]);
        check("70..84", Rest::Zero, &[("84", "10"), ("84.5", "0")]);
    }

    #[test]
    fn a_proportion_needs_one_positive_threshold() {
        assert_eq!(target("70..84", Rest::Proportional), Err(NoTarget::Threshold));
        assert_eq!(target("!= 3", Rest::Proportional), Err(NoTarget::Threshold));
        assert_eq!(target("<= 0", Rest::Proportional), Err(NoTarget::NotPositive));
    }
}
