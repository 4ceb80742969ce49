//! Taking an input: a value, nothing that could be computed, or something that is due. The three are never mixed up.

use super::super::exact::{Exact, exact_text, shown, whole};
use super::super::result::{Due, Inputs, Mark, Rating, Why};
use super::Input;
use num_traits::Signed;

/// What an input gives.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Taken {
    /// A value, as text, and as the equation that explains it.
    Value { value: Exact, text: String, phrase: String },
    /// It cannot be computed, for this reason.
    Null(Why),
    /// These inputs are missing, for this reason.
    Pending(Vec<Due>, Why),
}

/// Takes `input` out of a member's inputs. `full` is the highest mark that can be given, where marks are the points.
pub(in super::super) fn take(input: &Input, min_sample: u32, full: Option<&Exact>, inputs: &Inputs) -> Taken {
    match input {
        Input::Kpi(kpi) => take_kpi(input, kpi, min_sample, inputs),
        Input::Rating { dimension, assessors } => take_rating(dimension, assessors, min_sample, full, inputs),
    }
}

fn take_kpi(input: &Input, kpi: &str, min_sample: u32, inputs: &Inputs) -> Taken {
    let Some(measured) = inputs.kpis.get(kpi) else {
        let why = Why::new(format!("没有来源提供 {kpi}"), format!("no source reports {kpi}"));
        return Taken::Pending(vec![Due::Kpi(kpi.into())], why);
    };
    let (Some(value), Some(text)) = (measured.value(), measured.text()) else {
        return Taken::Null(Why::new("没有样本（分母为 0）", "no samples (the denominator is 0)"));
    };
    match measured.samples() {
        Some(n) if n < u64::from(min_sample) => Taken::Null(too_few(n, min_sample)),
        _ => Taken::Value { phrase: input.kind().show_measured(measured, &value), value, text },
    }
}

fn too_few(samples: u64, least: u32) -> Why {
    Why::new(format!("样本 {samples} 个，少于 {least} 个"), format!("{samples} samples, fewer than {least}"))
}

/// What one assessor has given.
struct Given<'a> {
    assessor: &'a str,
    marks: Vec<&'a Exact>,
    not_applicable: bool,
}

fn take_rating(
    dimension: &str,
    assessors: &[String],
    min_sample: u32,
    full: Option<&Exact>,
    inputs: &Inputs,
) -> Taken {
    let (given, refused) = collect(dimension, assessors, full, &inputs.ratings);
    let due = due(dimension, assessors, &given);
    if !due.is_empty() {
        let names: Vec<_> = due.iter().map(ToString::to_string).collect();
        let names = names.join(", ");
        let why = Why::new(format!("待录入：{names}"), format!("due: {names}"));
        let outside = refused.map(|(mark, full)| {
            (
                format!("（评分 {mark} 超出 0..{full}，未采用）"),
                format!(" (the mark {mark} is outside 0..{full} and was refused)"),
            )
        });
        return Taken::Pending(due, outside.map_or(why.clone(), |(zh, en)| why.then(&zh, &en)));
    }
    let scored: Vec<_> = given.iter().filter(|given| !given.marks.is_empty()).collect();
    let marks: usize = scored.iter().map(|given| given.marks.len()).sum();
    match marks {
        0 => Taken::Null(Why::new("评分人认为不适用", "the assessors gave \"n/a\"")),
        n if n < min_sample as usize => Taken::Null(too_few(n as u64, min_sample)),
        _ => mixed(&scored),
    }
}

/// Marks by assessor, in the order of their names; and a mark that was refused, with the highest possible one.
fn collect<'a>(
    dimension: &str,
    assessors: &[String],
    full: Option<&Exact>,
    ratings: &'a [Rating],
) -> (Vec<Given<'a>>, Option<(String, String)>) {
    let mut given = std::collections::BTreeMap::new();
    let mut refused = None;
    let counts = |rating: &&Rating| {
        rating.dimension == dimension && (assessors.is_empty() || assessors.contains(&rating.assessor))
    };
    for rating in ratings.iter().filter(counts) {
        let assessor = rating.assessor.as_str();
        let entry = || Given { assessor, marks: Vec::new(), not_applicable: false };
        match &rating.mark {
            Mark::NotApplicable => given.entry(assessor).or_insert_with(entry).not_applicable = true,
            Mark::Score(mark) if mark.is_negative() || full.is_some_and(|full| mark > full) => {
                let text = (shown(mark), full.map_or_else(|| "∞".into(), shown));
                refused = refused.max(Some(text));
            }
            Mark::Score(mark) => given.entry(assessor).or_insert_with(entry).marks.push(mark),
        }
    }
    let mut given: Vec<_> = given.into_values().collect();
    given.iter_mut().for_each(|given| given.marks.sort());
    (given, refused)
}

fn due(dimension: &str, assessors: &[String], given: &[Given<'_>]) -> Vec<Due> {
    let has = |assessor: &String| given.iter().any(|given| given.assessor == assessor);
    let due = |assessor| Due::Mark { dimension: dimension.into(), assessor };
    if assessors.is_empty() {
        return if given.is_empty() { vec![due(None)] } else { Vec::new() };
    }
    assessors.iter().filter(|assessor| !has(assessor)).map(|assessor| due(Some(assessor.clone()))).collect()
}

/// The mean over assessors of each one's mean.
fn mixed(given: &[&Given<'_>]) -> Taken {
    let means: Vec<_> = given.iter().map(|given| mean(given.marks.iter().copied())).collect();
    let value = mean(means.iter());
    let phrases: Vec<_> = given.iter().zip(&means).map(|(given, mean)| one(given, mean)).collect();
    let phrase = match phrases.as_slice() {
        [only] => only.clone(),
        _ => {
            let terms: Vec<_> = given
                .iter()
                .zip(&means)
                .map(|(given, mean)| format!("{} {}", given.assessor, shown(mean)))
                .collect();
            format!("({}) ÷ {} = {}", terms.join(" + "), means.len(), shown(&value))
        }
    };
    Taken::Value { text: exact_text(&value), value, phrase }
}

fn one(given: &Given<'_>, mean: &Exact) -> String {
    match given.marks.as_slice() {
        [mark] => format!("{} {}", given.assessor, shown(mark)),
        marks => {
            let terms: Vec<_> = marks.iter().map(|mark| shown(mark)).collect();
            format!("{} ({}) ÷ {} = {}", given.assessor, terms.join(" + "), marks.len(), shown(mean))
        }
    }
}

fn mean<'a>(values: impl ExactSizeIterator<Item = &'a Exact>) -> Exact {
    let n = values.len() as i64;
    values.sum::<Exact>() / whole(n)
}

#[cfg(test)]
mod tests {
    use super::super::super::exact::parse_exact;
    use super::*;

    fn rating(assessor: &str, mark: &str) -> Rating {
        let mark = parse_exact(mark).map_or(Mark::NotApplicable, Mark::Score);
        Rating { dimension: "quality".into(), assessor: assessor.into(), mark }
    }

    fn check(assessors: &[&str], min_sample: u32, marks: &[(&str, &str)], expected: &str) {
        let mut inputs =
            Inputs { ratings: marks.iter().map(|(a, m)| rating(a, m)).collect(), ..Inputs::default() };
        inputs.ratings.push(Rating { dimension: "attitude".into(), ..rating("qa", "1") });
        let assessors: Vec<_> = assessors.iter().map(ToString::to_string).collect();
        let of = |inputs: &Inputs| take_rating("quality", &assessors, min_sample, Some(&whole(100)), inputs);
        let taken = match of(&inputs) {
            Taken::Value { text, .. } => text,
            Taken::Null(why) => format!("null: {}", why.en),
            Taken::Pending(due, _) => {
                format!("due {}", due.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
            }
        };
        assert_eq!(taken, expected, "{marks:?}");
        let forward = of(&inputs);
        inputs.ratings.reverse();
        assert_eq!(of(&inputs), forward, "the order of marks does not matter");
    }

    #[test]
    fn marks_are_averaged_by_assessor_and_each_named_one_is_required() {
        check(&["qa"], 0, &[("qa", "90")], "90");
        check(&["qa"], 0, &[("qa", "90"), ("peer", "10")], "90");
        check(&["qa", "lead"], 0, &[("qa", "90"), ("qa", "84"), ("lead", "85")], "86");
        check(&["qa", "lead"], 0, &[("qa", "90")], "due quality/lead");
        check(&[], 0, &[], "due quality");
        check(&[], 0, &[("x", "90"), ("y", "80"), ("z", "81")], "251/3");
    }

    #[test]
    fn not_applicable_is_neither_zero_nor_missing() {
        check(&["qa"], 0, &[("qa", "n/a")], "null: the assessors gave \"n/a\"");
        check(&["qa", "lead"], 0, &[("qa", "n/a"), ("lead", "80")], "80");
        check(&["qa"], 0, &[("qa", "0")], "0");
    }

    #[test]
    fn a_mark_that_cannot_be_given_is_still_due() {
        check(&["qa"], 0, &[("qa", "100.5")], "due quality/qa");
        check(&["qa"], 0, &[("qa", "-1")], "due quality/qa");
        check(&["qa"], 0, &[("qa", "100")], "100");
    }

    #[test]
    fn few_marks_are_null() {
        check(&[], 3, &[("x", "90"), ("y", "80")], "null: 2 samples, fewer than 3");
        check(&[], 3, &[("x", "90"), ("y", "80"), ("z", "70")], "80");
    }
}
