//! The shipped files against the code, and the problems that a person gets to see.

use super::problem::render;
use super::*;
use crate::app::definitions;
use crate::io::traffic::centre;
use std::fs;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

/// A directory with the shipped files, whose main file is changed by `change`.
fn changed(change: impl FnOnce(String) -> String) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("scorecards")).unwrap();
    for name in ["alerts.toml", "roster.toml", "scorecards/service-agent.toml"] {
        fs::copy(shipped(name), directory.path().join(name)).unwrap();
    }
    let path = directory.path().join("shiftpulse.toml");
    fs::write(&path, change(fs::read_to_string(shipped("shiftpulse.toml")).unwrap())).unwrap();
    (directory, path)
}

fn load_text(text: &str) -> Result<Loaded, Refused> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.toml");
    fs::write(&path, text).unwrap();
    load(&path)
}

const MINIMAL: &str = "unit = { id = \"u\", zone = \"UTC\" }\nqueues = [{ id = \"q\" }]\n\
                       sources = [{ kind = \"kafka\", topic = \"t\", partitions = 2 }]\n";

/// `key: rule` of every problem of a minimal configuration with `more` in front.
fn problems(more: &str) -> Vec<String> {
    let list = match load_text(&format!("{more}\n{MINIMAL}")) {
        Ok(loaded) => loaded.warnings,
        Err(refused) => refused.0,
    };
    list.iter().map(|problem| format!("{}: {}", problem.spot.key, problem.rule)).collect()
}

#[track_caller]
fn check(more: &str, expected: &[&str]) {
    let found = problems(more);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found:?} does not start with {expected:?}");
    }
}

#[test]
fn the_shipped_files_have_no_problem_and_describe_the_centre_of_the_demo() {
    let loaded = load(&shipped("shiftpulse.toml")).unwrap();
    assert_eq!(render(&loaded.warnings, Style::Plain), "");
    let (built, demo) = (definitions::build(&loaded.config), centre().definitions(8));
    assert_eq!(built.unit, demo.unit);
    assert_eq!(built.queues, demo.queues);
    assert_eq!(built.teams, demo.teams);
    assert_eq!(built.roster, demo.roster);
}

#[test]
fn leaving_out_any_option_changes_nothing() {
    let (_directory, path) = changed(|text| text);
    let whole = load(&path).unwrap().config;
    let text = fs::read_to_string(shipped("shiftpulse.toml")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let centre = lines.iter().position(|line| line.contains("Your centre: an example")).unwrap();
    let options = (0..centre).filter(|i| lines[*i].contains(" = ") && !lines[*i].starts_with('#'));
    let mut count = 0;
    for option in options {
        let without = lines.iter().enumerate().filter(|(i, _)| *i != option).map(|(_, line)| *line);
        let without = without.collect::<Vec<_>>().join("\n");
        fs::write(&path, without).unwrap();
        assert_eq!(load(&path).unwrap().config, whole, "{}", lines[option]);
        count += 1;
    }
    assert!(count >= 18, "only {count} options were tried");
}

#[test]
fn the_first_queue_and_the_alert_rule_show_their_defaults() {
    let (_directory, path) = changed(|text| {
        let defaults = ["channel = \"voice\"\n", "dialect = \"cisco_negative\"\n", "within = \"20 s\"\n"];
        defaults
            .iter()
            .fold(text, |text, line| text.replacen(line, "", 1))
            .replace("alerts = \"alerts.toml\"\n", "")
    });
    assert_eq!(load(&path).unwrap().config.queues, centre().queues);
    assert_eq!(load(&path).unwrap().config.alerts, load(&shipped("shiftpulse.toml")).unwrap().config.alerts);
}

#[test]
fn a_minimal_configuration_is_good() {
    check("", &[]);
    assert_eq!(load_text(MINIMAL).unwrap().config.alerts.len(), 1, "the built-in rules hold");
}

#[test]
fn every_problem_is_told_at_once_with_value_rule_and_hint() {
    let refused = load_text(
        "log = \"kafak\"\nlogg = 1\n[kafka]\nbrokers = \"nowhere\"\nprefx = \"x\"\n[unit]\nid = 7\nzone = \"Asia/Peking\"\n\
         [[queues]]\nid = \"q\"\nwithin = \"20 parsec\"\n[[sources]]\nkind = \"kafka\"\n",
    )
    .unwrap_err();
    let text = refused.to_string();
    for part in [
        "log = \"kafak\": must be \"kafka\" or \"embedded\"",
        "did you mean \"kafka\"?",
        "logg: no such option",
        "did you mean log?",
        "kafka.brokers = \"nowhere\": must be host:port",
        "kafka.prefx: no such option",
        "unit.id = 7: must be text in quotes",
        "unit.zone = \"Asia/Peking\": must be an IANA time zone",
        "queues[0].within = \"20 parsec\": must be a duration",
        "sources[0].topic: is missing",
        "sources[0].partitions: is missing",
        "test.toml:8:8",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert_eq!(refused.0.len(), 9, "{text}");
}

#[test]
fn each_rule_is_checked() {
    check("log = true", &["log: must be"]);
    check("kafka = 3", &["kafka: must be a table"]);
    check("kafka = { replication = 1 }", &["kafka.replication: one broker's disk"]);
    check(
        "kafka = { options = { \"group.id\" = \"x\" } }",
        &["kafka.options.group.id: is set by the product itself"],
    );
    check("kafka = { options = { sasl = { username = \"x\" } } }", &["kafka.options.sasl: must be { file"]);
    check("kafka = { prefix = \"a b\" }", &["kafka.prefix: must consist"]);
    check("kafka = { session_timeout = \"1 s\" }", &["kafka.session_timeout: must be from 6 s to 30 min"]);
    check("http = { listen = \"0.0.0.0:80\" }", &["http.listen: everybody who reaches"]);
    check("http = { listen = \"localhost\" }", &["http.listen: must be address:port"]);
    check(
        "alertmanager = { urls = [\"http://a:9093\", \"a:9093\"] }",
        &["alertmanager.urls: must be an address"],
    );
    check(
        "privacy = { customer_key_file = \"none\" }",
        &["privacy.customer_key_file: the file cannot be read"],
    );
    check("metrics = { agents = -1 }", &["metrics.agents: must be a whole number"]);
    check("log = \"embedded\"", &["sources[0]: an embedded log has no broker"]);
    check("files = { alerts = \"none.toml\" }", &["files.alerts: cannot be read"]);
}

#[test]
fn references_must_lead_somewhere() {
    check(
        "people = [{ agent = \"a\", team = \"t\" }]",
        &["people[0].team: no team is called", "queues[0].id: nobody"],
    );
    check(
        "teams = [{ id = \"t\" }]\npeople = [{ agent = \"a\", team = \"t\", queues = [\"q\", \"p\"] }]",
        &["people[0].queues: no queue is called \"p\""],
    );
    check("teams = [{ id = \"t\" }, { id = \"t\" }]", &["teams[1].id: stands here twice"]);
}

#[test]
fn a_person_may_change_teams_on_a_day_of_the_units_zone() {
    let people = "[[teams]]\nid = \"t\"\n[[people]]\nagent = \"a\"\nteam = \"t\"\nqueues = [\"q\"]\nuntil = 2026-09-30\n\
                  [[people]]\nagent = \"a\"\nteam = \"t\"\nqueues = [\"q\"]\nfrom = \"2026-10-01\"\n";
    let text = format!("{}\n{people}", MINIMAL.replace("UTC", "Asia/Shanghai"));
    let config = load_text(&text).unwrap().config;
    let october = 1_790_784_000_000;
    assert_eq!((config.people[0].to, config.people[1].from), (Some(october), Some(october)));
    let wrong = text.replace("until = 2026-09-30", "from = 2026-10-01\nuntil = 2026-09-30");
    let refused = load_text(&wrong).unwrap_err();
    assert!(refused.to_string().contains("must not be before `from`"), "{refused}");
}

fn alert_problems(rule: &str, people: usize) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let person = |i: usize| format!("{{ agent = \"a{i}\", team = \"t\", queues = [\"q\"] }}");
    let people: Vec<_> = (0..people).map(person).collect();
    let text = format!(
        "teams = [{{ id = \"t\" }}]\npeople = [{}]\nfiles = {{ alerts = \"a.toml\" }}\n{MINIMAL}",
        people.join(",")
    );
    fs::write(directory.path().join("test.toml"), text).unwrap();
    fs::write(
        directory.path().join("a.toml"),
        format!("[[alert]]\nid = \"r\"\nkpi = \"answer_rate\"\nbelow = \"80%\"\n{rule}"),
    )
    .unwrap();
    match load(&directory.path().join("test.toml")) {
        Ok(loaded) => loaded.warnings,
        Err(refused) => refused.0,
    }
    .iter()
    .map(|problem| format!("{}: {}", problem.spot.key, problem.rule))
    .collect()
}

#[test]
fn rules_that_could_not_do_what_they_are_for_are_pointed_at() {
    let check = |rule: &str, people: usize, expected: &[&str]| {
        let found = alert_problems(rule, people);
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        assert!(found.iter().zip(expected).all(|(found, part)| found.contains(part)), "{found:#?}");
    };
    check("", 1, &[]);
    check("clear = \"79%\"", 1, &["alert[0].clear: must not be less"]);
    check("min_samples = 60", 1, &[]);
    check("min_samples = 61", 1, &["alert[0].min_samples: cannot be reached in q"]);
    check("min_samples = 61", 2, &[]);
    check("windows = [\"5m\"]", 9, &["alert[0].windows: a quiet night"]);
    check("windows = [\"5m\"]\nmin_samples = 1", 9, &[]);
    check("windows = [\"1h\", \"5m\"]", 9, &["alert[0].windows: must name windows from the shortest"]);
    check("windows = []", 9, &["alert[0].windows"]);
    check("queues = [\"qq\"]", 9, &["alert[0].queues: no queue is called"]);
    check("kpi = \"answer_rat\"", 9, &["not TOML"]);
}

#[test]
fn a_scorecard_may_only_ask_for_what_exists() {
    let check = |from: &str, to: &str, expected: &str| {
        let (directory, path) = changed(|text| text);
        let card = directory.path().join("scorecards/service-agent.toml");
        let text = fs::read_to_string(&card).unwrap();
        assert!(text.contains(from));
        fs::write(&card, text.replace(from, to)).unwrap();
        let problems = load(&path).map_or_else(|refused| refused.0, |loaded| loaded.warnings);
        let shown = render(&problems, Style::Plain);
        assert!(problems.len() == 1 && shown.contains(expected), "{shown}");
    };
    check("resolution_rate", "resolution_rates", "did you mean \"resolution_rate\"?");
    check(
        "period = \"month\"",
        "period = \"month\"\nroles = [\"night owl\"]",
        "nobody on the roster has such a role",
    );
    check("weight = 20", "weight = 19", "weight");
    check("total = 76.4357", "total = 76.5", "76.4");
}

#[test]
fn a_secret_is_read_from_a_file_and_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("password"), "s3cret\n").unwrap();
    let text =
        format!("kafka = {{ options = {{ \"sasl.password\" = {{ file = \"password\" }} }} }}\n{MINIMAL}");
    fs::write(directory.path().join("test.toml"), text).unwrap();
    let config = load(&directory.path().join("test.toml")).unwrap().config;
    assert_eq!(config.kafka.options.0["sasl.password"], "s3cret");
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn files_that_are_no_toml_or_not_there_are_problems_too() {
    assert!(load(Path::new("/does/not/exist.toml")).unwrap_err().to_string().contains("cannot be read"));
    let refused = load_text("a = \nb = = 2\n").unwrap_err();
    assert!(refused.0.len() >= 2, "{refused}");
    assert!(load_text(&format!("\u{feff}{MINIMAL}")).is_ok());
}
