//! Straight lines through knots: flat outside, in either direction.

use super::super::exact::{Exact, shown};
use super::super::limits::Limit;
use super::super::quantity::Kind;
use super::super::result::Why;

/// Knots (value, points), rising in value: two or more, no two at one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ramp(Vec<(Exact, Exact)>);

/// Why knots are no ramp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum NoRamp {
    /// Fewer than two knots.
    TooFew,
    /// Two knots at this value.
    Equal(Exact),
}

impl Ramp {
    pub(in super::super) fn new(mut knots: Vec<(Exact, Exact)>) -> Result<Self, NoRamp> {
        knots.sort();
        if let Some(pair) = knots.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(NoRamp::Equal(pair[0].0.clone()));
        }
        if knots.len() < 2 { Err(NoRamp::TooFew) } else { Ok(Self(knots)) }
    }

    /// Knots in rising order of value.
    pub fn knots(&self) -> &[(Exact, Exact)] {
        &self.0
    }

    /// Points at `value`. Outside the knots the line is flat; where `cap` lies above the best end, the last piece
    /// goes on beyond that end.
    pub(super) fn points(&self, value: &Exact, kind: Kind, cap: &Limit, phrase: &str) -> (Exact, Why) {
        let inside = self.0.windows(2).find(|pair| *value >= pair[0].0 && *value <= pair[1].0);
        match inside.or_else(|| self.beyond(value, cap)) {
            Some(pair) => on_line(&pair[0], &pair[1], value, kind, phrase),
            None => self.flat(value, kind, phrase),
        }
    }

    /// The piece that continues beyond its end at `value`, if any.
    fn beyond(&self, value: &Exact, cap: &Limit) -> Option<&[(Exact, Exact)]> {
        let knots = &self.0;
        let (piece, inner, end) = if *value < knots[0].0 {
            (&knots[..2], &knots[1], &knots[0])
        } else {
            let n = knots.len();
            (&knots[n - 2..], &knots[n - 2], &knots[n - 1])
        };
        let best = knots.iter().all(|knot| knot.1 <= end.1) && inner.1 < end.1;
        (best && cap.is_above(&end.1)).then_some(piece)
    }

    fn flat(&self, value: &Exact, kind: Kind, phrase: &str) -> (Exact, Why) {
        let below = *value < self.0[0].0;
        let (x, p) = if below { &self.0[0] } else { &self.0[self.0.len() - 1] };
        let (x, points) = (kind.show(x), shown(p));
        let (zh, en) = if below { ("不高于", "at or below") } else { ("不低于", "at or above") };
        let why = Why::new(
            format!("{phrase}；{zh} {x} 得 {points} 分"),
            format!("{phrase}; {en} {x}: {points} points"),
        );
        (p.clone(), why)
    }
}

fn on_line(
    low: &(Exact, Exact),
    high: &(Exact, Exact),
    value: &Exact,
    kind: Kind,
    phrase: &str,
) -> (Exact, Why) {
    let points = &low.1 + (value - &low.0) / (&high.0 - &low.0) * (&high.1 - &low.1);
    let (x0, p0, x1, p1) = (kind.show(&low.0), shown(&low.1), kind.show(&high.0), shown(&high.1));
    let p = shown(&points);
    let why = Why::new(
        format!("{phrase}；{x0} 得 {p0} 分，{x1} 得 {p1} 分，按直线计 {p} 分"),
        format!("{phrase}; {x0} gives {p0}, {x1} gives {p1}, on the line {p} points"),
    );
    (points, why)
}

#[cfg(test)]
mod tests {
    use super::super::super::exact::parse_exact;
    use super::*;

    fn exact(text: &str) -> Exact {
        parse_exact(text).unwrap()
    }

    fn ramp(knots: &[(&str, &str)]) -> Result<Ramp, NoRamp> {
        Ramp::new(knots.iter().map(|(x, p)| (exact(x), exact(p))).collect())
    }

    fn check(knots: &[(&str, &str)], cap: Option<&str>, cases: &[(&str, &str)]) {
        let ramp = ramp(knots).unwrap();
        let cap = cap.map_or(Limit::Default, |cap| Limit::At(exact(cap)));
        for (value, expected) in cases {
            let points = ramp.points(&exact(value), Kind::Number, &cap, "").0;
            assert_eq!(points, exact(expected), "at {value}");
        }
    }

    #[test]
    fn knots_give_their_points_and_outside_it_is_flat() {
        let up = [("0.7", "0"), ("1.1", "40")];
        check(
            &up,
            None,
            &[("0.7", "0"), ("1.1", "40"), ("1.05", "35"), ("0", "0"), ("9", "40"), ("1", "30")],
        );
        let down = [("0.02", "30"), ("0.05", "0")];
        check(&down, None, &[("0.032", "18"), ("0.01", "30"), ("0.02", "30"), ("0.05", "0"), ("0.9", "0")]);
    }

    #[test]
    fn several_pieces_meet_at_the_knots() {
        let knots = [("0", "0"), ("3", "1"), ("10", "5")];
        check(&knots, None, &[("1", "1/3"), ("3", "1"), ("6.5", "3"), ("10", "5"), ("11", "5")]);
    }

    #[test]
    fn a_cap_above_the_best_end_continues_the_last_piece() {
        check(&[("0", "0"), ("1", "10")], Some("12"), &[("1.1", "11"), ("-1", "0"), ("2", "20")]);
        check(&[("2", "10"), ("4", "0")], Some("15"), &[("1", "15"), ("5", "0")]);
        check(&[("0", "0"), ("1", "10")], Some("10"), &[("1.1", "10")]);
    }

    #[test]
    fn one_knot_or_two_at_one_value_are_no_ramp() {
        assert_eq!(ramp(&[("1", "2")]), Err(NoRamp::TooFew));
        assert_eq!(ramp(&[("0.5", "2"), ("1", "3"), ("2/4", "4")]), Err(NoRamp::Equal(exact("0.5"))));
    }
}
