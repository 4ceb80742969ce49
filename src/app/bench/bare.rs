//! The bare consumer: polls every partition and parses each record, and nothing else. What anything on this broker costs.

use super::Args;
use super::legs::Throughput;
use super::usage;
use crate::io::stopwatch::Stopwatch;
use anyhow::{Context, Result, bail};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde::Deserialize;
use std::hint::black_box;
use std::time::Duration;

/// The least that anybody reads of an event.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "parsing them is what is measured")]
struct Minimal<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    time: &'a str,
    contact_id: Option<&'a str>,
    queue: Option<&'a str>,
    agent: Option<&'a str>,
}

/// Reads the whole topic, from the first message on the clock.
pub fn run(args: &Args, topic: &str) -> Result<Throughput> {
    let consumer = consumer(&args.brokers, topic, args.partitions)?;
    let (mut count, mut bytes) = (0, 0);
    let mut began = None;
    while count < args.events {
        let message = consumer.poll(Duration::from_secs(30)).context("nothing came for 30 s")??;
        if began.is_none() {
            began = Some((Stopwatch::start(), usage::cpu()?));
        }
        let payload = message.payload().unwrap_or_default();
        match serde_json::from_slice::<Minimal>(payload) {
            Ok(event) => drop(black_box(event)),
            Err(error) => bail!("a record cannot be parsed: {error}"),
        }
        bytes += payload.len();
        count += 1;
    }
    black_box(bytes);
    let (watch, cpu) = began.context("there are no events")?;
    Throughput::of(count, watch.elapsed(), usage::cpu()? - cpu)
}

/// With the product's own settings of the fetches.
fn consumer(brokers: &str, topic: &str, partitions: i32) -> Result<BaseConsumer> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", format!("{topic}-bare"))
        .set("fetch.queue.backoff.ms", "10")
        .set("fetch.wait.max.ms", "100")
        .set("queued.max.messages.kbytes", "16384")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .create()
        .context("set up the consumer")?;
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    Ok(consumer)
}
