//! `shiftpulse topics`: are the product's own topics as they must be? Creates what is missing.

use super::config::{self, Config, LogKind, SourceKind};
use crate::io::log::Topic;
use crate::io::log::kafka::KafkaOptions;
use crate::io::log::kafka::topics::{self, Finding, Found, Problem, Severity};
use anyhow::{Context, bail};
use comfy_table::{ContentArrangement, Table};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How many domains an installation has: one business unit, one order of facts.
pub const DOMAINS: u32 = 1;

/// Between two looks at topics that were just created; the brokers need a moment.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// So many looks.
const LOOKS: usize = 50;

/// Which installation's topics, and whether to create them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "shiftpulse.toml")]
    config: PathBuf,
    /// Create those that are missing; existing ones are never changed
    #[arg(long)]
    create: bool,
    /// Create missing input topics too, with as many partitions as the sources declare
    #[arg(long, requires = "create")]
    inputs: bool,
    /// Copies of each created topic [default: kafka.replication]
    #[arg(long, value_name = "N", requires = "create", value_parser = clap::value_parser!(u32).range(1..=9))]
    replication: Option<u32>,
    /// For programs: one JSON document on standard output
    #[arg(long)]
    json: bool,
}

/// Checks, and creates where asked to.
///
/// # Errors
/// The configuration is refused, the log is embedded, or the brokers do not answer.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = config::load(&args.config)?.config;
    if config.log == LogKind::Embedded {
        bail!("log = \"embedded\" needs no topics");
    }
    let created = if args.create { create(&config, args.replication, args.inputs)? } else { Vec::new() };
    let report = Report { created, ..look(&config)? };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print_report(&report, &config);
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// For the start of the service: refuses topics on which numbers would be wrong or lost, and logs what is worth knowing.
///
/// # Errors
/// Every wrong topic with its remedy; or the brokers do not answer.
pub fn require(config: &Config) -> anyhow::Result<()> {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        findings(config)?.into_iter().partition(|finding| finding.severity == Severity::Error);
    for finding in warnings {
        tracing::warn!(remedy = finding.remedy, "{finding}");
    }
    if errors.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = errors.iter().map(|finding| format!("  {finding}\n    {}", finding.remedy)).collect();
    bail!("the topics are not as they must be:\n{}", lines.join("\n"));
}

fn create(config: &Config, replication: Option<u32>, with_inputs: bool) -> anyhow::Result<Vec<String>> {
    let options = config.kafka_options();
    let copies = replication.unwrap_or(config.kafka.replication);
    let mut created = topics::create(&options, DOMAINS, copies).with_context(|| kafka_at(&options))?;
    for (name, partitions) in inputs(config).filter(|_| with_inputs) {
        let made = topics::create_input(&options, name, partitions, copies);
        if made.with_context(|| kafka_at(&options))? {
            created.push(name.to_owned());
        }
    }
    for _ in 0..LOOKS {
        let seen = |name: &String| topics::look(&options, name).is_ok_and(|found| found.is_some());
        if created.iter().all(seen) {
            break;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    Ok(created)
}

fn kafka_at(options: &KafkaOptions) -> String {
    format!("Kafka at {}", options.brokers)
}

/// Own topics, then those that events are read from.
fn findings(config: &Config) -> anyhow::Result<Vec<Finding>> {
    let options = config.kafka_options();
    let mut findings = topics::check(&options, DOMAINS).with_context(|| kafka_at(&options))?;
    let names: Vec<String> = inputs(config).map(|(name, _)| name.to_owned()).collect();
    findings.extend(topics::check_inputs(&options, &names).with_context(|| kafka_at(&options))?);
    for (name, partitions) in inputs(config) {
        if let Some(found) = topics::look(&options, name).with_context(|| kafka_at(&options))? {
            findings.extend(input_size(name, partitions, found.partitions));
        }
    }
    Ok(findings)
}

fn inputs(config: &Config) -> impl Iterator<Item = (&str, i32)> {
    config.sources.iter().filter_map(|source| match &source.kind {
        SourceKind::Kafka { topic } => Some((topic.as_str(), source.partitions)),
        SourceKind::Http | SourceKind::File { .. } => None,
    })
}

/// The settle clock waits for each declared partition, and knows of no other.
fn input_size(name: &str, declared: i32, found: usize) -> Option<Finding> {
    let wanted = u32::try_from(declared).unwrap_or_default();
    (found != wanted as usize).then(|| Finding {
        topic: name.to_owned(),
        severity: Severity::Error,
        problem: Problem::Partitions { found, wanted },
        remedy: format!(
            "write partitions = {found} at this source: no month closes before each declared one was read"
        ),
    })
}

#[derive(serde::Serialize)]
struct Report {
    /// Whether the service would start.
    ok: bool,
    created: Vec<String>,
    topics: Vec<TopicState>,
    findings: Vec<FindingDocument>,
}

#[derive(serde::Serialize)]
struct TopicState {
    name: String,
    exists: bool,
    partitions: Option<usize>,
    partitions_expected: u32,
    replicas: Option<usize>,
    settings: Vec<Setting>,
}

#[derive(serde::Serialize)]
struct Setting {
    key: &'static str,
    /// Absent where the topic is not there.
    found: Option<String>,
    /// What is kept may be kept longer.
    expected: String,
}

#[derive(serde::Serialize)]
struct FindingDocument {
    topic: String,
    severity: &'static str,
    problem: String,
    remedy: String,
}

fn look(config: &Config) -> anyhow::Result<Report> {
    let options = config.kafka_options();
    let mut states = Vec::new();
    for topic in Topic::ALL {
        let found = topics::look(&options, &options.topic(topic)).with_context(|| kafka_at(&options))?;
        states.push(state(options.topic(topic), topic, found));
    }
    let findings = findings(config)?;
    Ok(Report {
        ok: findings.iter().all(|finding| finding.severity == Severity::Warning),
        created: Vec::new(),
        topics: states,
        findings: findings.into_iter().map(document).collect(),
    })
}

fn state(name: String, topic: Topic, found: Option<Found>) -> TopicState {
    let setting = |(key, expected)| {
        let found = found.as_ref().map(|found| found.settings.get(key).cloned().unwrap_or_default());
        Setting { key, found, expected }
    };
    TopicState {
        name,
        exists: found.is_some(),
        partitions: found.as_ref().map(|found| found.partitions),
        partitions_expected: DOMAINS,
        replicas: found.as_ref().map(|found| found.replicas),
        settings: topics::expected(topic).into_iter().map(setting).collect(),
    }
}

fn document(finding: Finding) -> FindingDocument {
    FindingDocument {
        severity: if finding.severity == Severity::Error { "error" } else { "warning" },
        problem: finding.problem.to_string(),
        topic: finding.topic,
        remedy: finding.remedy,
    }
}

fn print_report(report: &Report, config: &Config) {
    println!("{}", table(&report.topics));
    for name in &report.created {
        println!("created {name}");
    }
    for finding in &report.findings {
        println!("{}: {} {}\n  {}", finding.severity, finding.topic, finding.problem, finding.remedy);
    }
    let brokers = &config.kafka.brokers;
    println!(
        "{brokers}: {}",
        if report.ok { "the service can start" } else { "the service refuses to start" }
    );
}

fn table(topics: &[TopicState]) -> Table {
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["topic", "setting", "is", "expected"]);
    let dash = || "-".to_owned();
    for topic in topics {
        let number = |n: Option<usize>| n.map_or_else(dash, |n| n.to_string());
        table.add_row([
            topic.name.clone(),
            "partitions".into(),
            number(topic.partitions),
            topic.partitions_expected.to_string(),
        ]);
        table.add_row([String::new(), "replicas".into(), number(topic.replicas), "3 on a cluster".into()]);
        for setting in &topic.settings {
            let found = setting.found.clone().unwrap_or_else(dash);
            table.add_row([String::new(), setting.key.into(), found, setting.expected.clone()]);
        }
    }
    table
}
