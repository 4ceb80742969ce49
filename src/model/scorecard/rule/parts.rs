//! Folding parts into their group, and items into the total.
//!
//! A part that is absent gives its share to the others; a part that holds (an open parameter, a missing mark after
//! its last day, `hold`) leaves the whole without points, and what is known is reported beside it.

use super::super::exact::{Exact, shown, whole};
use super::super::result::{State, Why};
use super::Fold;
use num_traits::{One, Zero};

/// What an item does to the fold it is part of.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Effect {
    /// It counts with these points.
    Points(Exact),
    /// It leaves; its share goes to the others.
    Leaves,
    /// Nothing above it has points.
    Holds,
}

/// An item as its fold sees it.
#[derive(Debug, Clone)]
pub(in super::super) struct Part<'a> {
    pub(in super::super) zh: &'a str,
    pub(in super::super) en: &'a str,
    /// Weight in percent or maximum in points; absent while open.
    pub(in super::super) share: Option<Exact>,
    pub(in super::super) state: State,
    pub(in super::super) effect: Effect,
    /// Certain points so far, and the full mark behind them, on the item's own scale.
    pub(in super::super) known: (Exact, Exact),
}

/// Parts put together.
#[derive(Debug, Clone)]
pub(in super::super) struct Folded {
    pub(in super::super) state: State,
    pub(in super::super) effect: Effect,
    pub(in super::super) known: (Exact, Exact),
    pub(in super::super) why: Why,
}

/// Folds `parts`. `top`: they make the total, where weights are percent of the scale; in a group they are
/// percent of each other.
pub(in super::super) fn fold(fold: Fold, parts: &[Part<'_>], top: bool) -> Folded {
    let parts: Vec<_> =
        parts.iter().filter(|part| part.share.as_ref().is_none_or(|share| !share.is_zero())).collect();
    let known = known(fold, &parts, top);
    let holding: Vec<_> = parts.iter().copied().filter(|part| part.effect == Effect::Holds).collect();
    if !holding.is_empty() {
        return without(Effect::Holds, &holding, known);
    }
    let present: Vec<_> = parts.iter().filter_map(|part| counted(part)).collect();
    if present.is_empty() {
        return without(Effect::Leaves, &parts, known);
    }
    let (points, sum) = match fold {
        Fold::Weighted => weighted(&parts, &present, top),
        Fold::Sum => sum(&parts, &present),
    };
    let why = Why::new(sum.clone(), sum);
    Folded { state: State::Counted, effect: Effect::Points(points), known, why }
}

/// Share and points of a part that counts.
fn counted<'a>(part: &'a Part<'_>) -> Option<(&'a Exact, &'a Exact)> {
    match (&part.effect, &part.share) {
        (Effect::Points(points), Some(share)) => Some((share, points)),
        _ => None,
    }
}

fn shares(parts: &[&Part<'_>]) -> Exact {
    parts.iter().filter_map(|part| part.share.as_ref()).sum()
}

fn weighted(parts: &[&Part<'_>], present: &[(&Exact, &Exact)], top: bool) -> (Exact, String) {
    let all = if top { shares(parts) } else { whole(100) };
    let here: Exact = present.iter().map(|(share, _)| *share).sum();
    let raw: Exact = present.iter().map(|(share, points)| *share * *points).sum::<Exact>() / whole(100);
    let terms: Vec<_> =
        present.iter().map(|(share, points)| format!("{} × {}%", shown(points), shown(share))).collect();
    scaled(raw, &terms, &all, &here)
}

fn sum(parts: &[&Part<'_>], present: &[(&Exact, &Exact)]) -> (Exact, String) {
    let all = shares(parts);
    let here: Exact = present.iter().map(|(share, _)| *share).sum();
    let raw: Exact = present.iter().map(|(_, points)| *points).sum();
    let terms: Vec<_> = present.iter().map(|(_, points)| shown(points)).collect();
    scaled(raw, &terms, &all, &here)
}

/// `raw` × all ÷ here, and the equation.
fn scaled(raw: Exact, terms: &[String], all: &Exact, here: &Exact) -> (Exact, String) {
    let (several, terms) = (terms.len() > 1, terms.join(" + "));
    if all == here {
        let text = shown(&raw);
        return (raw, format!("{terms} = {text}"));
    }
    let points = raw * all / here;
    let terms = if several { format!("({terms})") } else { terms };
    let text = format!("{terms} × {} ÷ {} = {}", shown(all), shown(here), shown(&points));
    (points, text)
}

fn known(fold: Fold, parts: &[&Part<'_>], top: bool) -> (Exact, Exact) {
    let factor = |part: &Part<'_>| match fold {
        Fold::Sum => Some(Exact::one()),
        Fold::Weighted if top => Some(part.share.as_ref()? / whole(100)),
        Fold::Weighted => Some(part.share.as_ref()? / shares(parts)),
    };
    let add = |sum: (Exact, Exact), (part, factor): (&Part<'_>, Exact)| {
        (sum.0 + &part.known.0 * &factor, sum.1 + &part.known.1 * &factor)
    };
    let known = parts.iter().filter_map(|part| Some((*part, factor(part)?)));
    known.fold((Exact::zero(), Exact::zero()), add)
}

fn without(effect: Effect, because: &[&Part<'_>], known: (Exact, Exact)) -> Folded {
    let state = because.iter().map(|part| part.state).max().unwrap_or(State::NotApplicable);
    let zh: Vec<_> = because.iter().map(|part| format!("{}（{}）", part.zh, state_zh(part.state))).collect();
    let en: Vec<_> = because.iter().map(|part| format!("{} ({})", part.en, part.state.as_str())).collect();
    let why = Why::new(format!("无得分：{}", zh.join("、")), format!("no points: {}", en.join(", ")));
    Folded { state, effect, known, why }
}

fn state_zh(state: State) -> &'static str {
    match state {
        State::Counted => "已计分",
        State::NotApplicable => "不适用",
        State::Null => "空值",
        State::Pending => "待录入",
        State::Open => "未定",
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::exact::{exact_text, parse_exact};
    use super::*;

    fn part(share: &str, state: State, points: &str) -> Part<'static> {
        let points = parse_exact(points);
        let effect = match (&points, state) {
            (Some(points), _) => Effect::Points(points.clone()),
            (None, State::Open) => Effect::Holds,
            (None, _) => Effect::Leaves,
        };
        let known = points.map_or((Exact::zero(), Exact::zero()), |points| (points, whole(100)));
        Part { zh: "项", en: "item", share: parse_exact(share), state, effect, known }
    }

    fn check(kind: Fold, parts: &[Part<'_>], top: bool, expected: &str, why: &str) {
        let folded = fold(kind, parts, top);
        let text = match folded.effect {
            Effect::Points(points) => exact_text(&points),
            Effect::Leaves => format!("leaves: {}", folded.state.as_str()),
            Effect::Holds => format!("holds: {}", folded.state.as_str()),
        };
        assert_eq!((text.as_str(), folded.why.en.as_str()), (expected, why));
    }

    #[test]
    fn absent_parts_give_their_share_to_the_others() {
        use State::{Counted, NotApplicable, Null, Open, Pending};
        let (quality, response) = (part("50", Counted, "90"), part("30", Counted, "80"));
        let survey = part("20", Null, "-");
        let parts = [quality.clone(), response.clone(), survey.clone()];
        check(Fold::Weighted, &parts, true, "86.25", "(90 × 50% + 80 × 30%) × 100 ÷ 80 = 86.25");
        let asked = [quality.clone(), response.clone(), part("20", Counted, "0")];
        check(Fold::Weighted, &asked, true, "69", "90 × 50% + 80 × 30% + 0 × 20% = 69");
        check(
            Fold::Weighted,
            &[quality.clone(), response],
            false,
            "86.25",
            "(90 × 50% + 80 × 30%) × 100 ÷ 80 = 86.25",
        );
        check(
            Fold::Sum,
            &[part("40", Counted, "30"), part("10", NotApplicable, "-")],
            true,
            "37.5",
            "30 × 50 ÷ 40 = 37.5",
        );
        check(
            Fold::Weighted,
            &[survey.clone(), part("80", Pending, "-")],
            true,
            "leaves: pending",
            "no points: item (null), item (pending)",
        );
        let open = [quality.clone(), survey, part("30", Open, "-")];
        check(Fold::Weighted, &open, true, "holds: open", "no points: item (open)");
        let folded = fold(Fold::Weighted, &open, true);
        assert_eq!(folded.known, (whole(45), whole(50)));
    }

    #[test]
    fn a_weight_of_zero_moves_nothing() {
        let parts =
            [part("100", State::Counted, "70"), part("0", State::Open, "-"), part("0", State::Counted, "1")];
        check(Fold::Weighted, &parts, true, "70", "70 × 100% = 70");
    }
}
