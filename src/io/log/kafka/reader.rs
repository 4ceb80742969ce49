//! Reading one partition with a consumer that belongs to no group's members.
//!
//! "Has everything" is known from the end-of-partition event; but under a steady stream that event never comes, because there is
//! always something more in the answer. So the end is also asked for when the reader starts, and again when it seems to have
//! fallen behind.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::super::{Domain, ReadError, Reader, Record, Start, Topic};
use super::{KafkaOptions, Quiet, REQUEST, code, partition};

/// A consumer that reads what it is told to and commits nothing by itself.
pub(super) type ReadConsumer = BaseConsumer<Quiet>;

/// So many records without a pause mean that there is a backlog.
const BACKLOG: u32 = 256;

/// Makes a read consumer. Its group has no members; the committed offsets are found under its name.
pub(super) fn consumer(options: &KafkaOptions) -> Result<ReadConsumer, KafkaError> {
    let group = options.named("scoring");
    let config = options.config(
        &[
            ("fetch.queue.backoff.ms", "10"),
            ("fetch.wait.max.ms", "100"),
            ("queued.max.messages.kbytes", "16384"),
        ],
        &[
            ("group.id", &group),
            ("isolation.level", "read_committed"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("enable.partition.eof", "true"),
            ("auto.offset.reset", "error"),
        ],
    );
    config.create_with_context(Quiet)
}

pub(super) struct KafkaReader {
    consumer: Arc<ReadConsumer>,
    topic: String,
    partition: i32,
    /// The offset after the last record handed over.
    next: i64,
    /// Having come so far means having everything that there was when it was asked for.
    end: i64,
    caught_up: bool,
    assigned: bool,
    /// Records that came without a pause.
    run: u32,
}

impl KafkaReader {
    pub(super) fn new(
        options: &KafkaOptions,
        consumer: Arc<ReadConsumer>,
        topic: Topic,
        domain: Domain,
    ) -> KafkaReader {
        KafkaReader {
            consumer,
            topic: options.topic(topic),
            partition: partition(domain),
            next: 0,
            end: i64::MAX,
            caught_up: false,
            assigned: false,
            run: 0,
        }
    }

    fn watermarks(&self) -> Result<(i64, i64), ReadError> {
        self.consumer.fetch_watermarks(&self.topic, self.partition, REQUEST).map_err(|e| self.explain(&e))
    }

    fn assign(&mut self, from: i64) -> Result<(), ReadError> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, self.partition, Offset::Offset(from))
            .and_then(|()| self.consumer.assign(&list))
            .map_err(|e| self.explain(&e))?;
        (self.next, self.caught_up, self.run, self.assigned) = (from, false, 0, true);
        Ok(())
    }

    fn explain(&self, error: &KafkaError) -> ReadError {
        let place = format!("{}/{}: {error}", self.topic, self.partition);
        match code(error) {
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                ReadError::Broken(format!("{place}: offset {} is gone", self.next))
            }
            _ => ReadError::Retry(place),
        }
    }

    fn note(&mut self, record: &Record, waited: bool) {
        self.next = record.offset + 1;
        self.run = if waited { 0 } else { self.run.saturating_add(1) };
        if self.caught_up && self.run > BACKLOG {
            self.caught_up = false;
            self.run = 0;
            self.end = self.watermarks().map_or(i64::MAX, |(_, end)| end);
        }
        self.caught_up |= self.next >= self.end;
    }

    fn take(&mut self, wait: Duration) -> Result<Taken, ReadError> {
        match self.consumer.poll(wait) {
            Some(Ok(message)) => Ok(Taken::Record(Record {
                offset: message.offset(),
                append_ms: message.timestamp().to_millis().unwrap_or(0),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().unwrap_or_default().to_vec(),
            })),
            Some(Err(KafkaError::PartitionEOF(_))) => Ok(Taken::End),
            Some(Err(e)) => Err(self.explain(&e)),
            None => Ok(Taken::Nothing),
        }
    }
}

/// What a poll brought.
enum Taken {
    Record(Record),
    /// Everything committed so far was read.
    End,
    Nothing,
}

impl Reader for KafkaReader {
    fn poll(&mut self, wait: Duration) -> Result<Option<Record>, ReadError> {
        if !self.assigned {
            self.seek(Start::Beginning)?;
        }
        let (mut taken, mut waited) = (self.take(Duration::ZERO)?, false);
        if matches!(taken, Taken::Nothing) && !wait.is_zero() {
            (taken, waited) = (self.take(wait)?, true);
        }
        match taken {
            Taken::Record(record) => {
                self.note(&record, waited);
                return Ok(Some(record));
            }
            Taken::End => self.caught_up = true,
            Taken::Nothing => self.caught_up |= self.next >= self.end,
        }
        Ok(None)
    }

    fn caught_up(&self) -> bool {
        self.caught_up
    }

    fn seek(&mut self, from: Start) -> Result<(), ReadError> {
        let (first, end) = self.watermarks()?;
        self.end = end;
        match from {
            Start::Offset(offset) if offset > end => {
                Err(ReadError::Broken(format!("{}: offset {offset} is beyond the end, {end}", self.topic)))
            }
            Start::Offset(offset) => self.assign(offset.max(first)),
            Start::Beginning => self.assign(first),
            Start::End => self.assign(end),
        }
    }

    fn bounds(&mut self) -> Result<(i64, i64), ReadError> {
        self.watermarks()
    }
}
