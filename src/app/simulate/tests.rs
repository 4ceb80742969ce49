//! The command as a whole, into a file.

use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

fn args(text: &str) -> Args {
    Cli::try_parse_from(std::iter::once("simulate").chain(text.split_whitespace())).unwrap().args
}

#[test]
fn the_same_options_write_the_same_records_and_the_truth_counts_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let common =
        "--from 2026-10-14T08:00:00+08:00 --events 5000 --duplicates 1% --disorder 5% --broken 0.2% --quiet";
    for name in ["a", "b"] {
        run(args(&format!("{common} --file {} --truth {}", path(name), path("truth")))).unwrap();
    }
    let (a, b) = (std::fs::read(path("a")).unwrap(), std::fs::read(path("b")).unwrap());
    assert!(a == b, "two runs differ");
    assert_eq!(a.iter().filter(|byte| **byte == b'\n').count(), 5_000);
    let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(path("truth")).unwrap()).unwrap();
    assert_eq!(truth["counts"]["delivered"], 5_000);
    let answered = |kind: &str, id: &str| truth["months"]["2026-10"][kind][id]["answered"].as_i64().unwrap();
    assert!(answered("queue", "billing") > 10);
    assert!(answered("unit", "hangzhou") > answered("queue", "billing"));
}

#[test]
fn options_that_cannot_be_are_refused_with_a_hint() {
    let refuse = |text: &str, hint: &str| {
        let error = format!("{:#}", args(&format!("--file x {text}")).order(0).unwrap_err());
        assert!(error.contains(hint), "{error}");
    };
    refuse("--from yesterday", "2026-10-14T08:00:00+08:00");
    refuse("--collapse nowhere@2026-10-14T10:30:00+08:00", "billing, delivery");
    refuse("--agents 0", "from 1 to");
    refuse("--from 2026-10-14T08:00:00Z --to 2026-10-13T08:00:00Z", "not after");
    assert!(Cli::try_parse_from(["simulate"]).is_err(), "somewhere the records must go");
    assert!(Cli::try_parse_from(["simulate", "--topic", "t"]).is_err(), "a topic needs brokers");
}
