//! The scorecard as a whole: shipped files, field cases, laws.

mod documented;
mod refused;

use super::*;
use crate::model::units::Fraction;
use num_traits::Zero;
use proptest::prelude::*;

const SERVICE_AGENT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/config/scorecards/service-agent.toml"));

fn exact(text: &str) -> Exact {
    parse_exact(text).unwrap()
}

fn card(text: &str) -> Card {
    let text = format!("id = \"c\"\nperiod = \"month\"\n{text}");
    Card::check("c.toml", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn mark(dimension: &str, assessor: &str, score: &str) -> Rating {
    Rating { dimension: dimension.into(), assessor: assessor.into(), mark: Mark::Score(exact(score)) }
}

fn closed() -> Inputs {
    Inputs { period_closed: true, deadline_over: true, ..Inputs::default() }
}

#[test]
fn every_example_of_every_shipped_card_comes_out() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/scorecards");
    let mut cards = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let card =
            Card::check(&path.display().to_string(), &text).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(!card.examples().is_empty(), "{}", path.display());
        cards += 1;
    }
    assert!(cards > 0);
}

#[test]
fn na_is_not_zero() {
    let items = |policy: &str| {
        format!(
            "[items]\nquality = {{ weight = 50, rating = \"quality\" }}\nresponse = {{ weight = 30, rating = \"response\" }}\n\
             survey = {{ weight = 20, kpi = \"survey_score\", if_null = \"{policy}\" }}\n"
        )
    };
    let check = |policy: &str, survey: Fraction, total: &str| {
        let mut inputs = closed();
        inputs.ratings = vec![mark("quality", "x", "90"), mark("response", "x", "80")];
        inputs.kpis.insert("survey_score".into(), survey.into());
        assert_eq!(card(&items(policy)).evaluate(&inputs).total, Some(exact(total)), "{policy}");
    };
    check("not_applicable", Fraction::new(0, 0), "86.25");
    check("zero", Fraction::new(0, 0), "69");
    check("full", Fraction::new(0, 0), "89");
    for policy in ["not_applicable", "zero", "full", "hold"] {
        check(policy, Fraction::new(0, 1), "69");
    }
}

#[test]
fn if_everything_is_null_so_is_the_total() {
    let card =
        card("[items]\na = { weight = 60, kpi = \"a_score\" }\nb = { weight = 40, kpi = \"b_score\" }\n");
    let mut inputs = closed();
    for kpi in ["a_score", "b_score"] {
        inputs.kpis.insert(kpi.into(), Fraction::new(0, 0).into());
    }
    let scored = card.evaluate(&inputs);
    assert_eq!((scored.total, scored.absent), (None, Some(State::Null)));
    assert_eq!(scored.grade, None);
    assert!(!scored.provisional);
}

#[test]
fn shown_and_graded() {
    let two = "grades = { bands = { \">= 90\" = \"A\", \"83.5..<90\" = \"B\", \"< 83.5\" = \"C\" } }\n[items]\n\
               a = { weight = 60, rating = \"a\" }\nb = { weight = 40, rating = \"b\" }\n";
    let grade = |card: &Card, inputs: &Inputs| {
        let scored = card.evaluate(inputs);
        (scored.total.unwrap(), scored.total_shown.unwrap(), scored.grade.unwrap().label)
    };
    let mut inputs = closed();
    inputs.ratings = vec![mark("a", "x", "89.99"), mark("b", "x", "90.005")];
    assert_eq!(grade(&card(two), &inputs), (exact("89.996"), "89.996".into(), "B".into()));
    let rounding = two.replacen("grades = { ", "grades = { round = \"0.01\", ", 1);
    assert_eq!(grade(&card(&rounding), &inputs), (exact("89.996"), "90.00".into(), "A".into()));

    let mut ten = two[..two.find("[items]").unwrap()].to_string();
    ten.push_str("[items]\n");
    inputs.ratings.clear();
    for i in 0..10 {
        ten.push_str(&format!("i{i} = {{ max = 10, rating = \"d{i}\" }}\n"));
        inputs.ratings.push(mark(&format!("d{i}"), "x", "8.35"));
    }
    assert_eq!(grade(&card(&ten), &inputs), (exact("83.5"), "83.50".into(), "B".into()));
}

#[test]
fn three_thirds_are_a_whole() {
    let card = card(
        "total = { full = 30, cap = 30 }\ngrades = { bands = { \">= 30\" = \"all\", \"< 30\" = \"less\" } }\n[items]\n\
         a = { max = 10, kpi = \"share\", ramp = { 0 = 0, 1 = 10 } }\nb = { max = 10, kpi = \"share\", ramp = { 0 = 0, 1 = 10 } }\n\
         c = { max = 10, kpi = \"share\", ramp = { 0 = 0, 1 = 10 } }\n",
    );
    let mut inputs = closed();
    inputs.kpis.insert("share".into(), Fraction::new(1, 1).into());
    assert_eq!(card.evaluate(&inputs).grade.unwrap().label, "all");

    let third = self::card(
        "grades = { bands = { \">= 30\" = \"reached\", \"< 30\" = \"missed\" } }\n[items]\n\
         a = { weight = 30, kpi = \"x_rate\", ramp = { \"0%\" = 0, \"100%\" = 100 } }\nb = { weight = 30, kpi = \"x_rate\", ramp = { \"0%\" = 0, \"100%\" = 100 } }\n\
         c = { weight = 30, kpi = \"x_rate\", ramp = { \"0%\" = 0, \"100%\" = 100 } }\nd = { weight = 10, rating = \"d\" }\n",
    );
    inputs.kpis.insert("x_rate".into(), Fraction::new(1, 3).into());
    inputs.ratings = vec![mark("d", "x", "0")];
    let scored = third.evaluate(&inputs);
    assert_eq!((scored.total, scored.grade.unwrap().label.as_str()), (Some(exact("30")), "reached"));
}

#[test]
fn groups_fold_into_the_total() {
    let card = card(
        "[items]\nservice = { weight = 60 }\nspeed = { in = \"service\", weight = 1, rating = \"speed\" }\n\
         manner = { in = \"service\", weight = 3, rating = \"manner\" }\nwork = { weight = 40 }\n\
         calls = { in = \"work\", max = 70, kpi = \"calls\", cap = 70, ramp = { 0 = 0, 100 = 70 } }\n\
         notes = { in = \"work\", max = 30, kpi = \"notes\", pass = \">= 20\", rest = \"proportional\" }\n",
    );
    let mut inputs = closed();
    inputs.ratings = vec![mark("speed", "x", "80"), mark("manner", "x", "100")];
    inputs.kpis.insert("calls".into(), Measured::Value(exact("50")));
    inputs.kpis.insert("notes".into(), Measured::Value(exact("10")));
    let scored = card.evaluate(&inputs);
    let points: Vec<_> = scored.items.iter().map(|item| exact_text(item.points.as_ref().unwrap())).collect();
    assert_eq!(points, ["95", "80", "100", "50", "35", "15"]);
    assert_eq!(scored.total, Some(exact("77")));
    let shares: Vec<_> = scored.items.iter().map(|item| exact_text(item.share.as_ref().unwrap())).collect();
    assert_eq!(shares, ["60", "15", "45", "40", "28", "12"]);
    assert_eq!(scored.items[0].why.en, "(80 × 1% + 100 × 3%) × 100 ÷ 4 = 95");
}

#[test]
fn an_open_key_withholds_points_and_total_but_not_what_is_known() {
    let text = "[items]\na = { weight = 70, rating = \"a\" }\nb = { weight = 30, kpi = \"b_rate\", open = [\"ramp\"], ramp = { \"0%\" = 0, \"100%\" = 100 } }\n\
         [[example]]\ngiven = { kpis = { b_rate = \"50%\" }, ratings = { a = 80 } }\nexpect = { total = 71 }\n\
         [[example]]\ngiven = { kpis = { b_rate = \"50%\" }, ratings = { a = 80 } }\nexpect = { total = \"open\", items = { b = \"open\" } }\n";
    let card = card(text);
    let mut inputs = closed();
    inputs.ratings = vec![mark("a", "x", "80")];
    inputs.kpis.insert("b_rate".into(), Fraction::new(1, 2).into());
    let scored = card.evaluate(&inputs);
    assert_eq!((scored.total, scored.absent), (None, Some(State::Open)));
    assert_eq!((scored.known, scored.known_full), (exact("56"), exact("70")));
    assert_eq!(card.open(), ["b.ramp"]);
    assert_eq!(scored.items[1].why.en, "not decided: b.ramp");
}

#[test]
fn an_item_without_share_is_shown_and_moves_nothing() {
    let card = card(
        "[items]\na = { weight = 100, rating = \"a\" }\ntime = { kpi = \"x_ms\" }\nok = { kpi = \"x_ms\", pass = \"<= 30 s\" }\nnone = { kpi = \"y\" }\n",
    );
    let mut inputs = closed();
    inputs.ratings = vec![mark("a", "x", "80")];
    inputs.kpis.insert("x_ms".into(), Fraction::new(60_000, 3).into());
    let scored = card.evaluate(&inputs);
    assert_eq!((scored.total, scored.due.len()), (Some(exact("80")), 0));
    let items: Vec<_> = scored
        .items
        .iter()
        .map(|item| (item.points.as_ref().map(exact_text), item.share.is_some()))
        .collect();
    let text = |points: &str| Some(points.to_string());
    assert_eq!(items, [(text("80"), true), (text("20000"), false), (text("1"), false), (None, false)]);
    assert_eq!(scored.items[2].why.en, "60 s ÷ 3 = 20 s meets \"<= 30 s\": 1 points");
    assert_eq!(scored.items[2].value.as_deref(), Some("60000/3"));
}

#[test]
fn an_open_grade_withholds_the_grade_alone() {
    let card = card(
        "grades = { bands = { \">= 60\" = \"pass\", \"< 60\" = \"fail\" }, open = [\"bands\"] }\n[items]\na = { weight = 100, rating = \"a\" }\n\
         [[example]]\ngiven = { ratings = { a = 80 } }\nexpect = { total = 80, grade = \"pass\" }\n",
    );
    let mut inputs = closed();
    inputs.ratings = vec![mark("a", "x", "80")];
    let scored = card.evaluate(&inputs);
    assert_eq!((scored.total, scored.grade), (Some(exact("80")), None));
}

#[test]
fn what_is_missing_is_due_until_its_last_day_and_then_decided() {
    let of = |policy: &str| {
        card(&format!(
            "if_missing = \"{policy}\"\n[items]\na = {{ weight = 80, rating = \"a\", assessors = [\"qa\"] }}\nb = {{ weight = 20, kpi = \"b\" }}\n\
             shown = {{ rating = \"c\" }}\nfree = {{ weight = 0, rating = \"d\" }}\n"
        ))
    };
    let mut inputs = Inputs { ratings: vec![mark("a", "qa", "90")], ..Inputs::default() };
    let live = of("hold").evaluate(&inputs);
    assert_eq!((live.total, live.provisional), (Some(exact("90")), true));
    assert_eq!(live.due, [Due::Kpi("b".into())], "neither a shown item nor weight 0 needs its mark");
    inputs.period_closed = true;
    assert!(of("hold").evaluate(&inputs).provisional, "the period is over, an input is not there");
    inputs.deadline_over = true;
    for (policy, total) in [("hold", None), ("not_applicable", Some("90")), ("zero", Some("72"))] {
        let scored = of(policy).evaluate(&inputs);
        assert_eq!(scored.total, total.map(exact), "{policy}");
        assert!(!scored.provisional);
        assert_eq!(scored.items[1].state, State::Pending);
        assert_eq!(scored.due, [Due::Kpi("b".into())], "the gap is named");
    }
}

#[test]
fn a_card_knows_whom_and_when_it_concerns() {
    let text = "title = { zh = \"考核\", en = \"Score\" }\nversion = 3\nroles = [\"agent\", \"senior\"]\neffective = 2026-07-01\nzone = \"Asia/Shanghai\"\n\
                inputs_by = \"3 d\"\n[items]\na = { weight = 100, kpi = \"x_rate\", pass = \">= 90%\" }\n";
    let card = card(text);
    let head = card.head();
    assert_eq!((head.id(), head.version(), head.title().en.as_str()), ("c", 3, "Score"));
    assert!(head.applies_to("senior") && !head.applies_to("lead"));
    assert!(head.in_force("2026-07-31".parse().unwrap()) && !head.in_force("2026-06-30".parse().unwrap()));
    assert_eq!((head.zone(), head.inputs_by_ms()), (Some("Asia/Shanghai"), 259_200_000));
    assert_eq!(card.kpis().into_iter().collect::<Vec<_>>(), ["x_rate"]);
}

/// Inputs of the service agent's card.
fn inputs() -> impl Strategy<Value = Inputs> {
    let ratio = prop_oneof![
        1 => Just(Fraction::new(0, 0)),
        5 => (1i64..400).prop_flat_map(|den| (0..=den).prop_map(move |num| Fraction::new(num, den))),
    ];
    let span = prop_oneof![
        1 => Just(Fraction::new(0, 0)),
        5 => (0i64..200_000_000, 1i64..400).prop_map(|(num, den)| Fraction::new(num, den)),
    ];
    let marks = proptest::collection::vec((0i64..=110_000_000, any::<bool>()), 0..4);
    let kpis = (ratio.clone(), span.clone(), span, ratio, any::<bool>());
    (kpis, marks, any::<bool>(), any::<bool>()).prop_map(
        |((answer, handle, response, resolution, reported), marks, closed, over)| {
            let mut inputs =
                Inputs { period_closed: closed, deadline_over: over && closed, ..Inputs::default() };
            let values = [
                ("answer_rate", answer),
                ("handle_time_ms", handle),
                ("response_time_since_handoff_ms", response),
                ("resolution_rate", resolution),
            ];
            for (name, value) in values {
                if reported || name != "handle_time_ms" {
                    inputs.kpis.insert(name.into(), value.into());
                }
            }
            for (mark, applicable) in marks {
                let mark = if applicable { Mark::from_millionths(mark) } else { Mark::NotApplicable };
                inputs.ratings.push(Rating { dimension: "quality".into(), assessor: "qa".into(), mark });
            }
            inputs
        },
    )
}

proptest! {
    /// The total lies in 0..full, every item in 0..its full mark, and what is known is never more than can be known.
    #[test]
    fn points_stay_within_their_marks(inputs in inputs()) {
        let card = Card::parse("service-agent.toml", SERVICE_AGENT).unwrap();
        let scored = card.evaluate(&inputs);
        let range = |points: &Exact| *points >= Exact::zero() && *points <= exact("100");
        prop_assert!(scored.total.iter().all(range));
        prop_assert!(scored.items.iter().filter_map(|item| item.points.as_ref()).all(range));
        prop_assert!(scored.known <= scored.known_full);
        prop_assert_eq!(scored.total.is_none(), scored.absent.is_some());
        prop_assert_eq!(scored.total.is_some(), scored.grade.is_some());
    }

    /// The order in which marks came does not matter.
    #[test]
    fn the_order_of_marks_does_not_matter(inputs in inputs()) {
        let card = Card::parse("service-agent.toml", SERVICE_AGENT).unwrap();
        let mut reversed = inputs.clone();
        reversed.ratings.reverse();
        prop_assert_eq!(card.evaluate(&inputs), card.evaluate(&reversed));
    }

    /// What is printed belongs to the grade that is printed beside it.
    #[test]
    fn a_shown_total_never_argues_with_its_grade(inputs in inputs()) {
        let card = Card::parse("service-agent.toml", SERVICE_AGENT).unwrap();
        let scored = card.evaluate(&inputs);
        if let (Some(shown), Some(grade)) = (&scored.total_shown, &scored.grade) {
            let again = card.grades().unwrap().set().unwrap().of(&exact(shown)).unwrap().1.clone();
            prop_assert_eq!(&again, grade);
        }
    }

    /// A pocket calculator, given only the numbers of the explanation, agrees to the fourth place; in both languages.
    #[test]
    fn the_arithmetic_can_be_done_again(inputs in inputs()) {
        let card = Card::parse("service-agent.toml", SERVICE_AGENT).unwrap();
        let scored = card.evaluate(&inputs);
        let items = scored.items.iter().filter(|item| item.state == State::Counted).map(|item| (&item.why, item.points.as_ref()));
        let total = (&scored.why, scored.total.as_ref());
        for (why, points) in items.chain(std::iter::once(total)) {
            let Some(points) = points else { continue };
            for text in [&why.zh, &why.en] {
                let computed = calculator::recompute(text);
                let error = if computed > *points { &computed - points } else { points - &computed };
                prop_assert!(error <= exact("0.0002"), "{} gives {}, not {}", text, points_text(&computed), points_text(points));
            }
        }
    }
}

/// Does the arithmetic of an explanation again, from its printed numbers.
mod calculator {
    use super::super::{Exact, parse_exact};

    /// A sum of products; or a value and the knots it lies between (or beyond); or a mark. In either language.
    pub(super) fn recompute(text: &str) -> Exact {
        let text = text.replace(" s", "").replace("qa", "");
        let (first, rest) = text.split_once(['\u{ff1b}', ';', '\u{ff0c}', ',']).unwrap_or((&text, ""));
        let value = Sum(first.split('=').next().unwrap()).value();
        match numbers(rest).as_slice() {
            _ if first.contains('×') => value,
            [x0, p0, x1, p1, _] => p0 + (value - x0) / (x1 - x0) * (p1 - p0),
            [_, points] => points.clone(),
            [_] => value,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn numbers(text: &str) -> Vec<Exact> {
        let numeral = |c: char| c.is_ascii_digit() || ".-%".contains(c);
        text.split(|c| !numeral(c)).filter_map(number).collect()
    }

    fn number(text: &str) -> Option<Exact> {
        match text.strip_suffix('%') {
            Some(percent) => Some(parse_exact(percent)? / super::exact("100")),
            None => parse_exact(text),
        }
    }

    /// What is left of a sum.
    struct Sum<'a>(&'a str);

    impl Sum<'_> {
        fn value(&mut self) -> Exact {
            let mut sum = self.product();
            while self.eat('+') {
                sum += self.product();
            }
            sum
        }

        fn product(&mut self) -> Exact {
            let mut product = self.factor();
            loop {
                if self.eat('×') {
                    product *= self.factor();
                } else if self.eat('÷') {
                    product /= self.factor();
                } else {
                    return product;
                }
            }
        }

        fn factor(&mut self) -> Exact {
            if self.eat('(') {
                let value = self.value();
                assert!(self.eat(')'), "{}", self.0);
                return value;
            }
            let text = self.0.trim_start();
            let end = text.find(|c: char| !(c.is_ascii_digit() || ".-%".contains(c))).unwrap_or(text.len());
            self.0 = &text[end..];
            number(&text[..end]).unwrap_or_else(|| panic!("no number: {text}"))
        }

        fn eat(&mut self, sign: char) -> bool {
            let rest = self.0.trim_start().strip_prefix(sign);
            self.0 = rest.unwrap_or(self.0);
            rest.is_some()
        }
    }
}
