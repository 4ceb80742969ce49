//! Simulated traffic on a real topic: what the file would hold, each record once, by partition in order.

use crate::support::kafka::Broker;
use clap::Parser;
use rdkafka::Message;
use shiftpulse::app::simulate::{self, Args};
use std::collections::BTreeMap;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

fn simulate(options: &str) -> anyhow::Result<()> {
    let words = std::iter::once("simulate").chain(options.split_whitespace());
    simulate::run(Cli::try_parse_from(words)?.args).map(|_| ())
}

const TRAFFIC: &str =
    "--from 2026-10-14T08:00:00+08:00 --partitions 3 --events 4000 --duplicates 1% --disorder 5% --quiet";

#[test]
fn a_topic_gets_the_records_of_the_file_spread_over_its_partitions() {
    let broker = Broker::shared();
    let topic = Broker::unique("simulate");
    broker.create_topic(&topic, 3);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("traffic.ndjson");
    simulate(&format!("{TRAFFIC} --topic {topic} --brokers {}", broker.address())).unwrap();
    simulate(&format!("{TRAFFIC} --file {}", file.display())).unwrap();

    let mut lines: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    for line in std::fs::read(&file).unwrap().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        *lines.entry(line.to_vec()).or_default() += 1;
    }
    let records = broker.await_committed(&topic, 4_000);
    assert_eq!(records.len(), 4_000);
    let mut per_partition: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for record in &records {
        *lines.entry(record.payload().unwrap_or_default().to_vec()).or_default() -= 1;
        per_partition.entry(record.partition()).or_default().push(record.timestamp().to_millis().unwrap());
    }
    assert!(lines.values().all(|left| *left == 0), "topic and file differ");
    assert_eq!(per_partition.len(), 3);
    assert!(per_partition.values().all(|times| times.is_sorted()), "timestamps fall");
}

#[test]
fn a_topic_that_is_missing_or_too_narrow_is_refused() {
    let broker = Broker::shared();
    let topic = Broker::unique("narrow");
    let refused = |topic: &str| {
        let options = format!("{TRAFFIC} --topic {topic} --brokers {}", broker.address());
        format!("{:#}", simulate(&options).unwrap_err())
    };
    assert!(refused(&topic).contains("does not exist"));
    broker.create_topic(&topic, 2);
    assert!(refused(&topic).contains("has 2 partitions"));
}
