//! Who has which domain: a consumer group on the facts topic that reads nothing.
//!
//! Partitions are paused as they come, so that the members cost no traffic but their heartbeats. A domain that is taken away is
//! let go at once; the engine that still runs on it is fenced by the next owner, and needs no warning.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::super::{Domain, Membership, Retry, Topic};
use super::{KafkaOptions, log_error, log_line, retry};

#[derive(Default)]
struct Assignment {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    domains: BTreeSet<Domain>,
    changed: bool,
    failed: Option<String>,
}

impl Assignment {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Assignment {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
    }
}

impl ConsumerContext for Assignment {
    /// The library's own version ignores whether the assignment worked.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Assignment>,
        event: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let domains =
            list.elements().into_iter().filter_map(|e| u32::try_from(e.partition()).ok()).map(Domain);
        let mut known = self.lock();
        let done = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                known.domains.extend(domains);
                take(consumer, list)
            }
            _ => {
                let gone: BTreeSet<Domain> = domains.collect();
                known.domains.retain(|d| !gone.contains(d));
                consumer.incremental_unassign(list)
            }
        };
        known.changed = true;
        known.failed = done.err().map(|e| e.to_string());
    }
}

fn take(consumer: &BaseConsumer<Assignment>, list: &mut TopicPartitionList) -> KafkaResult<()> {
    if list.count() == 0 {
        return consumer.incremental_assign(list);
    }
    list.set_all_offsets(Offset::End)?;
    consumer.incremental_assign(list)?;
    consumer.pause(list)
}

/// This instance in the group.
pub(super) struct Members {
    consumer: BaseConsumer<Assignment>,
}

impl Members {
    pub(super) fn join(options: &KafkaOptions) -> Result<Members, Retry> {
        let (group, session) = (options.named("instances"), options.session_timeout.as_millis().to_string());
        let heartbeat = (options.session_timeout.as_millis() / 4).max(1).to_string();
        let mut config = options.config(
            &[("heartbeat.interval.ms", &heartbeat)],
            &[
                ("group.id", &group),
                ("session.timeout.ms", &session),
                ("partition.assignment.strategy", "cooperative-sticky"),
                ("enable.auto.commit", "false"),
                ("auto.offset.reset", "latest"),
            ],
        );
        if let Some(instance) = &options.instance {
            config.set("group.instance.id", instance);
        }
        let consumer: BaseConsumer<Assignment> =
            config.create_with_context(Assignment::default()).map_err(retry)?;
        consumer.subscribe(&[&options.topic(Topic::Facts)]).map_err(retry)?;
        Ok(Members { consumer })
    }
}

impl Membership for Members {
    fn poll(&mut self, wait: Duration) -> Result<Option<BTreeSet<Domain>>, Retry> {
        let polled = self.consumer.poll(wait);
        let mut known = self.consumer.context().lock();
        if let Some(reason) = known.failed.take() {
            return Err(Retry(reason));
        }
        if known.changed {
            known.changed = false;
            return Ok(Some(known.domains.clone()));
        }
        match polled {
            Some(Err(e)) => Err(retry(e)),
            _ => Ok(None),
        }
    }
}
