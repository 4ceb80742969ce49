//! `shiftpulse topics` on a real broker, as a person calls it.

use crate::support::kafka::Broker;
use crate::support::wait;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

struct Installation {
    directory: tempfile::TempDir,
    prefix: String,
}

impl Installation {
    /// A configuration with names of its own, whose events come from a topic of `partitions` as declared.
    fn new(partitions: u32) -> Installation {
        let directory = wait::directory("topics");
        let prefix = Broker::unique("topics");
        let text = format!(
            "unit = {{ id = \"u\", zone = \"UTC\" }}\nqueues = [{{ id = \"q\" }}]\n\
             sources = [{{ kind = \"kafka\", topic = \"{prefix}-events\", partitions = {partitions} }}]\n\
             kafka = {{ brokers = \"{}\", prefix = \"{prefix}\" }}\n",
            Broker::shared().address()
        );
        std::fs::write(directory.path().join("shiftpulse.toml"), text).expect("a configuration");
        Installation { directory, prefix }
    }

    fn name(&self, topic: &str) -> String {
        format!("{}-{topic}", self.prefix)
    }

    fn config(&self) -> PathBuf {
        self.directory.path().join("shiftpulse.toml")
    }

    fn topics(&self, options: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shiftpulse"));
        command.args(["topics", "--config"]).arg(self.config()).args(options);
        command.output().expect("the program runs")
    }

    /// The JSON report, and whether the service would start.
    #[track_caller]
    fn report(&self, options: &[&str]) -> (Value, bool) {
        let output = self.topics(&[options, &["--json"]].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        let report = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
        (report, output.status.code() == Some(0))
    }
}

fn findings(report: &Value, severity: &str) -> Vec<String> {
    let all = report["findings"].as_array().expect("findings").iter();
    let these = all.filter(|finding| finding["severity"] == severity);
    these.map(|f| format!("{} {} -> {}", f["topic"], f["problem"], f["remedy"])).collect()
}

#[test]
fn missing_topics_are_named_created_and_then_well() {
    let installation = Installation::new(3);
    Broker::shared().create_append_time_topic(&installation.name("events"), 3);
    let (report, starts) = installation.report(&[]);
    assert!(!starts);
    assert_eq!(findings(&report, "error").len(), 7, "{report:#}");

    let (report, starts) = installation.report(&["--create", "--replication", "1"]);
    assert!(starts, "{report:#}");
    assert_eq!(report["created"].as_array().expect("names").len(), 7);
    assert_eq!(findings(&report, "error"), Vec::<String>::new());

    let again = installation.topics(&["--create"]);
    let text = String::from_utf8_lossy(&again.stdout);
    assert_eq!(again.status.code(), Some(0), "{text}");
    assert!(text.contains("LogAppendTime") && !text.contains("\ncreated "), "{text}");
}

#[test]
fn input_topics_are_created_with_their_partitions_where_that_is_asked_for() {
    let installation = Installation::new(5);
    let (report, starts) = installation.report(&["--create", "--replication", "1"]);
    assert!(!starts, "the input topic is the user's own: {report:#}");

    let (report, starts) = installation.report(&["--create", "--inputs", "--replication", "1"]);
    assert!(starts, "{report:#}");
    assert_eq!(report["created"], serde_json::json!([installation.name("events")]));
    assert!(!findings(&report, "warning").iter().any(|line| line.contains("events")), "{report:#}");
}

#[test]
fn wrong_topics_are_told_with_their_remedies_and_never_changed() {
    let installation = Installation::new(4);
    let broker = Broker::shared();
    broker.create_topic(&installation.name("events"), 3);
    broker.create_topic(&installation.name("facts"), 1);
    broker.create_topic(&installation.name("kpi-live"), 2);
    let (report, starts) = installation.report(&["--create", "--replication", "1"]);
    assert!(!starts);
    let errors = findings(&report, "error").join("\n");
    for part in [
        "facts\" \"message.timestamp.type is \\\"CreateTime\\\", must be \\\"LogAppendTime\\\"",
        "--add-config message.timestamp.type=LogAppendTime",
        "kpi-live\" \"has 2 partitions, 1 are needed",
        "kpi-live\" \"cleanup.policy is \\\"delete\\\", must be \\\"compact\\\"",
        "events\" \"has 3 partitions, 4 are needed\" -> \"write partitions = 3",
    ] {
        assert!(errors.contains(part), "{part} is not in\n{errors}");
    }
    assert!(findings(&report, "warning").join("\n").contains("events\" \"message.timestamp.type"));
}
