//! How numbers read in sentences, the same wherever they are shown.
//!
//! Rounding never tells a lie: a value on one side of an edge (a threshold, nought, one) is never printed as the edge
//! or beyond it. More places are taken until the printed number stands on the value's side, at most four.

use super::units::Fraction;
use std::cmp::Ordering;

/// Most decimal places of a percentage.
const MOST_PLACES: u32 = 4;
/// What stands where there is no value.
pub const NO_VALUE: &str = "—";

/// A ratio as a percentage, one decimal place, half up: 20/28 is `71.4%`, 0/5 is `0.0%`, null is `—`.
///
/// `against` is the edge the value is compared with: 7996/10000 against 8/10 is `79.96%`, and where four places do not
/// tell them apart, `<80%`. `100.0%` and `0.0%` are exact as well.
pub fn percent(value: Fraction, against: Option<Fraction>) -> String {
    percent_among(value, against.as_slice())
}

/// As [`percent`], against several edges: a target, a threshold, the threshold for clearing.
pub fn percent_among(value: Fraction, against: &[Fraction]) -> String {
    if value.is_null() {
        return NO_VALUE.to_owned();
    }
    let edges = || against.iter().copied().chain([Fraction::new(0, 1), Fraction::new(1, 1)]);
    let honest = |places: u32| {
        let shown = rounded(value, places);
        edges().all(|edge| compare(shown, scale(places), edge) == value.compare(edge))
    };
    match (1..=MOST_PLACES).find(|places| honest(*places)) {
        Some(places) => format!("{}%", decimal(rounded(value, places), places)),
        None => beside(value, edges()),
    }
}

/// A limit as a percentage with only the places it needs: 8/10 is `80%`, 835/1000 is `83.5%`; at most four.
pub fn limit(value: Fraction) -> String {
    if value.is_null() {
        return NO_VALUE.to_owned();
    }
    let text = decimal(rounded(value, MOST_PLACES), MOST_PLACES);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// `<80%` or `>80%`: which edge the value is too near to, and on which side.
fn beside(value: Fraction, edges: impl Iterator<Item = Fraction>) -> String {
    let shown = rounded(value, MOST_PLACES);
    for edge in edges {
        match value.compare(edge) {
            side if side == compare(shown, scale(MOST_PLACES), edge) => {}
            Some(Ordering::Less) => return format!("<{}", limit(edge)),
            _ => return format!(">{}", limit(edge)),
        }
    }
    format!("{}%", decimal(shown, MOST_PLACES))
}

/// What 1 is when percentages are kept as integers with `places` decimals.
fn scale(places: u32) -> i128 {
    100 * 10_i128.pow(places)
}

/// The percentage times 10^places, rounded half up.
fn rounded(value: Fraction, places: u32) -> i128 {
    let sign = i128::from(value.den.signum());
    let (num, den) = (i128::from(value.num) * sign, i128::from(value.den) * sign);
    (2 * num * scale(places) + den).div_euclid(2 * den)
}

/// Compares `shown / one` with an edge.
fn compare(shown: i128, one: i128, edge: Fraction) -> Option<Ordering> {
    let sign = i128::from(edge.den.signum());
    (edge.den != 0).then(|| (shown * i128::from(edge.den) * sign).cmp(&(i128::from(edge.num) * sign * one)))
}

fn decimal(shown: i128, places: u32) -> String {
    let unit = 10_u128.pow(places);
    let (sign, size) = (if shown < 0 { "-" } else { "" }, shown.unsigned_abs());
    format!("{sign}{}.{:0width$}", size / unit, size % unit, width = places as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(value: (i64, i64), against: Option<(i64, i64)>) -> String {
        percent(Fraction::new(value.0, value.1), against.map(|(num, den)| Fraction::new(num, den)))
    }

    #[test]
    fn one_place_half_up() {
        assert_eq!(shown((20, 28), None), "71.4%");
        assert_eq!(shown((1, 2000), None), "0.1%");
        assert_eq!(shown((0, 5), None), "0.0%");
        assert_eq!(shown((5, 5), None), "100.0%");
        assert_eq!(shown((0, 0), None), "—");
    }

    #[test]
    fn a_value_is_never_printed_as_the_edge_it_does_not_reach() {
        assert_eq!(shown((7996, 10_000), Some((8, 10))), "79.96%");
        assert_eq!(shown((8, 10), Some((4, 5))), "80.0%");
        assert_eq!(shown((8_000_400, 10_000_000), Some((4, 5))), "80.004%");
        assert_eq!(shown((7_999_999_999, 10_000_000_000), Some((8, 10))), "<80%");
        assert_eq!(shown((8_000_000_001, 10_000_000_000), Some((8, 10))), ">80%");
        assert_eq!(shown((9_999, 10_000), None), "99.99%");
        assert_eq!(shown((99_999_999, 100_000_000), None), "<100%");
        assert_eq!(shown((1, 100_000_000), None), ">0%");
    }

    #[test]
    fn limits_have_only_the_places_they_need() {
        assert_eq!(limit(Fraction::new(8, 10)), "80%");
        assert_eq!(limit(Fraction::new(835, 1000)), "83.5%");
        assert_eq!(limit(Fraction::new(1, 1)), "100%");
        assert_eq!(limit(Fraction::new(1, 3)), "33.3333%");
    }

    proptest! {
        /// What is printed compares with the edge as the value does.
        #[test]
        fn the_printed_number_stands_on_the_values_side(num in 0_i64..100_000, den in 1_i64..100_000, edge in 0_i64..=1000) {
            let (value, edge) = (Fraction::new(num, den), Fraction::new(edge, 1000));
            let text = percent(value, Some(edge));
            if let Some(number) = text.strip_suffix('%').filter(|number| !number.starts_with(['<', '>'])) {
                let (whole, places) = number.split_once('.').unwrap();
                let read: i64 = format!("{whole}{places}").parse().unwrap();
                let read = Fraction::new(read, 100 * 10_i64.pow(places.len() as u32));
                prop_assert_eq!(read.compare(edge), value.compare(edge));
            }
        }
    }
}
