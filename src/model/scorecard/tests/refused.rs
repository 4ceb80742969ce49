//! What is wrong with a file is refused: every problem at once, with line, excerpt and remedy.

use super::super::Card;
use super::SERVICE_AGENT;
use proptest::prelude::*;

/// Each file has one problem, with this check, on the line that holds `<-` (or at its start).
#[test]
fn what_is_wrong_is_refused_with_line_and_remedy() {
    let check = |body: &str, check: &str, says: &str| {
        let text = format!("id = \"c\"\nperiod = \"month\"\n{body}");
        let problems = Card::check("c.toml", &text).expect_err(body);
        let [problem] = problems.list() else { panic!("one problem of {body}: {problems}") };
        assert_eq!(problem.check, check, "{problems}");
        assert!(problems.to_string().contains(says), "{problems}");
        assert!(!problem.remedy.is_empty());
        if let Some(line) = text.lines().position(|line| line.contains("<-")) {
            assert_eq!(problems.line(problem), line + 1, "{problems}");
        }
    };
    let item = |line: &str| {
        format!("[items]\nother = {{ weight = 50, rating = \"o\" }}\nx = {{ weight = 50, {line} }} # <-\n")
    };
    let unknown = [
        ("wieght = 3, rating = \"a\"", "did you mean `weight`"),
        ("rating = \"a\", tally = []", "`tally` in items.x is not supported yet"),
        ("rating = \"a\", who = { role = \"x\" }", "not supported yet"),
        ("rating = \"a\", assessors = { qa = 60, lead = 40 }", "not supported yet"),
        ("rating = \"a\", open = [\"colour\"]", "cannot be open"),
        ("rating = \"a\", in = \"y\"", "which is no item"),
        ("kpi = \"x_rate\", pass = \">= mean\"", "not supported yet"),
    ];
    for (line, says) in unknown {
        check(&item(line), "unknown", says);
    }
    let unit = [
        ("kpi = \"x_rate\"", "takes a ratio 0..1 as its points"),
        ("kpi = \"x_ms\"", "takes a span in ms as its points"),
        ("kpi = \"x_ms\", pass = \"<= 300\"", "300 s"),
        ("kpi = \"x_rate\", pass = \">= 90\"", "90%"),
        ("kpi = \"x_rate\", ramp = { \"1 s\" = 0, \"90%\" = 100 }", "`_ms`"),
        ("rating = \"a\", ramp = { 0 = 0, \"90%\" = 100 }", "a percentage stands against a mark"),
        ("rating = \"a\", ramp = { 0 = 0, 90 = \"100%\" }", "a percentage stands against points"),
    ];
    for (line, says) in unit {
        check(&item(line), "unit", says);
    }
    let value = [
        ("kpi = \"x_rate\", ramp = { \"1%\" = 0 }", "two knots"),
        ("kpi = \"x_rate\", ramp = { \"50%\" = 0, \"0.5\" = 100 }", "two knots at 50%"),
        ("kpi = \"x_rate\", ramp = { 0.5 = 0, 1 = 100 }", "a key with a point is quoted"),
        ("kpi = \"x_rate\", rating = \"a\"", "both"),
        ("kpi = \"x_rate\", pass = \">= 1%\", bands = { \"< 1%\" = 1, \">= 1%\" = 2 }", "bands and pass"),
        ("rating = \"a\", rest = \"zero\"", "`rest` belongs to `pass`"),
        ("rating = \"a\", pass = \"70..80\", rest = \"proportional\"", "one threshold"),
        ("rating = \"a\", pass = \"<= 0\", rest = \"proportional\"", "above 0"),
        ("rating = \"a\", pass = \"good\"", "is not a test"),
        ("rating = \"a\", pass = true", "is not a test"),
        ("rating = \"a\", fold = \"sum\"", "nothing is `in` it"),
        ("rating = \"a\", floor = 5, cap = 3", "not below its cap"),
        ("rating = \"a\", cap = inf", "is not a number"),
        ("rating = \"a\", max = 50", "both `weight` and `max`"),
        ("rating = \"a\", if_null = \"nil\"", "not_applicable"),
        ("rating = \"a\", min_sample = -1", "a whole number from 0"),
        ("kpi = \"x\", assessors = [\"qa\"], ramp = { 0 = 0, 1 = 1 }", "no rating"),
        ("rating = 5", "must be text"),
    ];
    for (line, says) in value {
        check(&item(line), "value", says);
    }
    check(
        &item("kpi = \"x_rate\", bands = { \"< 50%\" = 1, \"> 50%\" = 2 }"),
        "band_gap",
        "50% is in no band",
    );
    check(
        &item("kpi = \"x_rate\", bands = { \"<= 50%\" = 1, \">= 50%\" = 2 }"),
        "band_overlap",
        "50% is in both",
    );
    check(&item("kpi = \"x\", bands = { \"0..10\" = 1, \"> 10\" = 2 }"), "band_gap", "-1 is in no band");
    check(&item("zh = \"空\""), "missing", "has no input");

    let whole = [
        ("[items]\na = { weight = 95, rating = \"a\" }\n", "weights_total", "add up to 95%"),
        ("[items]\na = { max = 95, rating = \"a\" }\n", "weights_total", "add up to 95 of 100"),
        (
            "[items]\na = { weight = 100 }\nb = { in = \"a\", max = 60, rating = \"b\" }\n",
            "group_total",
            "60 of 100",
        ),
        (
            "[items]\na = { max = 100 }\nb = { in = \"a\", max = 100, rating = \"b\" }\nc = { weight = 1, rating = \"c\" } # <-\n",
            "value",
            "both `weight` and `max`",
        ),
        (
            "[items]\na = { max = 100, rating = \"a\" }\nb = { in = \"c\", max = 60 }\nc = { in = \"b\", max = 60, rating = \"c\" } # <-\n",
            "value",
            "`c` is a group",
        ),
        ("[items]\na = { rating = \"a\" }\n", "missing", "no part of the total"),
        (
            "total = { fold = \"sum\" } # <-\n[items]\na = { weight = 100, rating = \"a\" }\n",
            "value",
            "not summed",
        ),
        ("total = { full = 0 } # <-\n[items]\na = { weight = 100, rating = \"a\" }\n", "value", "above 0"),
        (
            "grades = { bands = { \"85..100\" = \"A\", \"70..84\" = \"B\", \"< 70\" = \"C\" } } # <-\n[items]\na = { weight = 100, rating = \"a\" }\n",
            "band_gap",
            "84.5 is in no band",
        ),
        (
            "grades = { bands = { \">= 50\" = \"A\", \"< 50\" = \"B\" }, quota = {} } # <-\n[items]\na = { weight = 100, rating = \"a\" }\n",
            "unknown",
            "not supported yet",
        ),
        (
            "grades = { bands = { \">= 50\" = \"A\", \"< 50\" = \"B\" }, en = [\"A\"] } # <-\n[items]\na = { weight = 100, rating = \"a\" }\n",
            "value",
            "1 English labels for 2",
        ),
        (
            "zone = \"Mars/Olympus\" # <-\n[items]\na = { weight = 100, rating = \"a\" }\n",
            "value",
            "no time zone",
        ),
        ("effective = 2026-13-01 # <-\n[items]\na = { weight = 100, rating = \"a\" }\n", "syntax", ""),
        (
            "effective = \"tomorrow\" # <-\n[items]\na = { weight = 100, rating = \"a\" }\n",
            "value",
            "not a date",
        ),
        (
            "inputs_by = \"400 d\" # <-\n[items]\na = { weight = 100, rating = \"a\" }\n",
            "value",
            "out of range",
        ),
        (
            "consequences = {} # <-\n[items]\na = { weight = 100, rating = \"a\" }\n",
            "unknown",
            "not supported yet",
        ),
        ("", "missing", "no `[items]`"),
        (
            "[items]\na = { weight = 100, rating = \"a\" }\n[[example]]\ngiven = { ratings = { b = 1 } } # <-\nexpect = { total = 1 }\n",
            "unknown",
            "not a key",
        ),
        (
            "[items]\na = { weight = 100, rating = \"a\" }\n[[example]]\ngiven = { ratings = { a = 70 } }\nexpect = { total = 71 } # <-\n",
            "example",
            "expected 71, computed 70",
        ),
    ];
    for (text, name, says) in whole {
        check(text, name, says);
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let text = "id = \"a b\"\nperiod = \"century\"\n[items]\nx = { wieght = 1, rating = \"a\" }\ny = { weight = 100 }\n";
    let problems = Card::parse("c.toml", text).unwrap_err();
    let lines: Vec<_> =
        problems.list().iter().map(|problem| (problems.line(problem), problem.check)).collect();
    assert_eq!(lines, [(1, "value"), (2, "value"), (4, "unknown"), (5, "missing")]);
    assert!(
        problems
            .to_string()
            .starts_with("c.toml:1: E value: `a b` is not an identifier\n  | id = \"a b\"\n  = ")
    );
}

#[test]
fn a_ring_of_groups_is_refused() {
    let text = "id = \"c\"\nperiod = \"month\"\n[items]\na = { weight = 100, rating = \"a\" }\nb = { in = \"c\", max = 60 }\nc = { in = \"b\", max = 60 }\n";
    let problems = Card::parse("c.toml", text).unwrap_err();
    assert!(problems.list().iter().all(|problem| problem.check == "cycle"), "{problems}");
    assert_eq!(problems.list().len(), 2);
}

#[test]
fn miette_shows_the_excerpt() {
    let text = "id = \"c\"\nperiod = \"month\"\n[items]\nx = { weight = 100, wieght = 1, rating = \"a\" }\n";
    let problems = Card::parse("c.toml", text).unwrap_err();
    let mut page = String::new();
    let theme = miette::GraphicalTheme::unicode_nocolor();
    miette::GraphicalReportHandler::new_themed(theme).render_report(&mut page, &problems).unwrap();
    for part in ["c.toml:4", "x = { weight = 100, wieght = 1", "did you mean `weight`?", "E unknown"] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A damaged file is a card or a list of problems, each of which can be shown; never a panic.
    #[test]
    fn a_damaged_file_is_refused_in_order(
        from in 0..SERVICE_AGENT.len(),
        length in 0usize..40,
        with in "[-0-9a-z%\"{}=., 以上<>/\\[\\]\n]{0,6}",
    ) {
        let chars: Vec<char> = SERVICE_AGENT.chars().collect();
        let from = from.min(chars.len());
        let to = (from + length).min(chars.len());
        let text: String = chars[..from].iter().copied().chain(with.chars()).chain(chars[to..].iter().copied()).collect();
        if let Err(problems) = Card::check("damaged.toml", &text) {
            prop_assert!(!problems.list().is_empty());
            prop_assert!(problems.to_string().contains("damaged.toml:"));
            for problem in problems.located() {
                let mut page = String::new();
                miette::GraphicalReportHandler::new().render_report(&mut page, &problem).unwrap();
            }
        }
    }
}
