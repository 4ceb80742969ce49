//! Events from Kafka topics: one consumer, one thread that polls it, in a group of its own.
//!
//! A new partition is assigned at its end in the library's callback, which must answer at once; after the poll, on the same
//! thread, the intake is asked where to begin, and the partition is moved there. Whether a partition is caught up is told by
//! its end event; under a steady stream that event never comes, so the library's statistics tell twice a second how far the
//! partition reached, and who has come as far as that by the next time is caught up.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Message};

use super::{Found, Origin, Resume, Sink, Slot, Source, SourceError};
use crate::io::log::kafka::{KafkaOptions, log_error, log_line};

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(15);
/// Events handed over in one poll.
const MOST: usize = 1_000;

/// What the library's callbacks have noted for the poll to act on.
#[derive(Default)]
struct Notes(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    changes: VecDeque<Change>,
    /// How far each partition reached.
    ends: Option<BTreeMap<Origin, i64>>,
    failed: Option<String>,
}

/// Of a partition that was read to its end, markers included.
const AT_END: i64 = i64::MIN;

enum Change {
    Assign(Vec<Origin>),
    Revoke(Vec<Origin>),
}

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Notes {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let mut ends = BTreeMap::new();
        for (topic, known) in statistics.topics {
            for (partition, known) in known.partitions {
                let at_end = known.eof_offset == known.ls_offset && known.fetchq_cnt == 0;
                if known.ls_offset >= 0 {
                    let end = if at_end { AT_END } else { known.ls_offset };
                    ends.insert(Origin { topic: topic.clone(), partition }, end);
                }
            }
        }
        self.lock().ends = Some(ends);
    }
}

impl ConsumerContext for Notes {
    /// The library's own version ignores whether the assignment worked.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Notes>,
        event: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let origins = list
            .elements()
            .iter()
            .map(|e| Origin { topic: e.topic().to_owned(), partition: e.partition() })
            .collect();
        let (done, change) = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                let at_end = if list.count() == 0 { Ok(()) } else { list.set_all_offsets(Offset::End) };
                (at_end.and_then(|()| consumer.incremental_assign(list)), Change::Assign(origins))
            }
            _ => (consumer.incremental_unassign(list), Change::Revoke(origins)),
        };
        let mut noted = self.lock();
        noted.failed = done.err().map(|e| e.to_string());
        noted.changes.push_back(change);
    }
}

/// A partition that is ours.
struct Assigned {
    slot: Slot,
    incarnation: u64,
    /// The next position to come.
    next: i64,
    caught_up: bool,
    /// As far as the partition reached at the last statistics.
    end: i64,
}

/// Events from Kafka topics.
pub struct KafkaSource {
    consumer: BaseConsumer<Notes>,
    assigned: BTreeMap<Origin, Assigned>,
    pending: VecDeque<Change>,
    slots: usize,
}

impl KafkaSource {
    /// Joins the instances that share the partitions of `topics`.
    pub fn subscribe(options: &KafkaOptions, topics: &[String]) -> Result<KafkaSource, SourceError> {
        let session = options.session_timeout.as_millis().to_string();
        let heartbeat = (options.session_timeout.as_millis() / 4).max(1).to_string();
        let mut config = options.config(
            &[
                ("fetch.queue.backoff.ms", "10"),
                ("fetch.wait.max.ms", "100"),
                ("queued.max.messages.kbytes", "16384"),
                ("heartbeat.interval.ms", &heartbeat),
            ],
            &[
                ("group.id", &options.named("intake")),
                ("session.timeout.ms", &session),
                ("partition.assignment.strategy", "cooperative-sticky"),
                ("isolation.level", "read_committed"),
                ("enable.auto.commit", "false"),
                ("enable.auto.offset.store", "false"),
                ("enable.partition.eof", "true"),
                ("auto.offset.reset", "error"),
                ("statistics.interval.ms", "500"),
            ],
        );
        if let Some(instance) = &options.instance {
            config.set("group.instance.id", instance);
        }
        let consumer: BaseConsumer<Notes> =
            config.create_with_context(Notes::default()).map_err(|e| SourceError::Broken(e.to_string()))?;
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&names).map_err(retry)?;
        Ok(KafkaSource { consumer, assigned: BTreeMap::new(), pending: VecDeque::new(), slots: 0 })
    }

    /// How many partitions each topic has; topics that are not there are left out.
    pub fn partitions(&self, topics: &[String]) -> Result<BTreeMap<String, i32>, SourceError> {
        let mut found = BTreeMap::new();
        for topic in topics {
            let metadata = self.consumer.fetch_metadata(Some(topic), REQUEST).map_err(retry)?;
            let count =
                metadata.topics().iter().find(|t| t.name() == topic).map_or(0, |t| t.partitions().len());
            if let (Ok(count), true) = (i32::try_from(count), count > 0) {
                found.insert(topic.clone(), count);
            }
        }
        Ok(found)
    }

    /// Hands over what is there, and waits only for the first.
    fn hand_over(
        consumer: &BaseConsumer<Notes>,
        assigned: &mut BTreeMap<Origin, Assigned>,
        wait: Duration,
        sink: &mut dyn Sink,
    ) -> Result<usize, KafkaError> {
        let (mut count, mut wait) = (0, wait);
        let mut last: Option<(Origin, &mut Assigned)> = None;
        while count < MOST {
            match consumer.poll(wait) {
                Some(Ok(message)) => {
                    if !last.as_ref().is_some_and(|(origin, _)| is_from(&message, origin)) {
                        let origin = origin(&message);
                        last = assigned.get_mut(&origin).map(|a| (origin, a));
                    }
                    // What still comes from a partition that was taken away is another's business.
                    if let Some((_, partition)) = &mut last {
                        partition.take(&message, sink);
                        count += 1;
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    last = None;
                    at_end(assigned, partition, sink);
                }
                Some(Err(e)) => return Err(e),
                None => break,
            }
            wait = Duration::ZERO;
        }
        Ok(count)
    }

    /// Carries out what the callbacks have noted.
    fn follow(&mut self, sink: &mut dyn Sink) -> Result<(), SourceError> {
        let noted = std::mem::take(&mut *self.consumer.context().lock());
        self.pending.extend(noted.changes);
        while let Some(change) = self.pending.pop_front() {
            let done = match &change {
                Change::Assign(origins) => self.begin(origins, sink),
                Change::Revoke(origins) => {
                    self.forget(origins, sink);
                    Ok(())
                }
            };
            if let Err(e) = done {
                self.pending.push_front(change);
                return Err(e);
            }
        }
        for (origin, end) in noted.ends.unwrap_or_default() {
            if let Some(partition) = self.assigned.get_mut(&origin) {
                partition.reached(end, sink);
            }
        }
        noted.failed.map_or(Ok(()), |reason| Err(SourceError::Retry(reason)))
    }

    /// Asks where to begin with each partition, and moves there.
    fn begin(&mut self, origins: &[Origin], sink: &mut dyn Sink) -> Result<(), SourceError> {
        let found: Vec<Found> = origins.iter().map(|o| self.find(o)).collect::<Result<_, _>>()?;
        // Begun again after a failure, a partition gets a new slot.
        self.forget(origins, sink);
        for (origin, found) in origins.iter().zip(&found) {
            let slot = Slot(self.slots);
            self.slots += 1;
            let begin = sink.assigned(slot, origin, found);
            let next = begin.position.clamp(found.first, found.end);
            if next > begin.position {
                sink.lost(slot, begin.position, next);
            }
            let incarnation = begin.incarnation;
            let partition = Assigned { slot, incarnation, next, caught_up: false, end: found.end };
            self.assigned.insert(origin.clone(), partition);
            seek(&self.consumer, origin, next).map_err(retry)?;
        }
        Ok(())
    }

    fn forget(&mut self, origins: &[Origin], sink: &mut dyn Sink) {
        for origin in origins {
            if let Some(partition) = self.assigned.remove(origin) {
                sink.revoked(partition.slot);
            }
        }
    }

    fn find(&self, origin: &Origin) -> Result<Found, SourceError> {
        let mut asked = TopicPartitionList::new();
        asked.add_partition(&origin.topic, origin.partition);
        let answered = self.consumer.committed_offsets(asked, REQUEST).map_err(retry)?;
        let committed = answered.elements().pop().and_then(|e| match e.offset() {
            Offset::Offset(position) => {
                Some(Resume { incarnation: e.metadata().parse().unwrap_or(0), position })
            }
            _ => None,
        });
        let (first, end) =
            self.consumer.fetch_watermarks(&origin.topic, origin.partition, REQUEST).map_err(retry)?;
        Ok(Found { committed, first, end, life: None })
    }

    /// Some partition's position is not there any more: the broker does not say whose. Events that are gone are told; a topic
    /// that was made anew is assigned anew, and begins a new life.
    fn repair(&mut self, sink: &mut dyn Sink) -> Result<(), SourceError> {
        let mut anew = Vec::new();
        for (origin, partition) in &mut self.assigned {
            let (first, end) =
                self.consumer.fetch_watermarks(&origin.topic, origin.partition, REQUEST).map_err(retry)?;
            if partition.next > end {
                anew.push(origin.clone());
            } else if partition.next < first {
                sink.lost(partition.slot, partition.next, first);
                partition.next = first;
                seek(&self.consumer, origin, first).map_err(retry)?;
            }
        }
        self.begin(&anew, sink)
    }

    fn origin_of(&self, slot: Slot) -> Option<(&Origin, &Assigned)> {
        self.assigned.iter().find(|(_, p)| p.slot == slot)
    }
}

impl Assigned {
    fn take(&mut self, message: &BorrowedMessage<'_>, sink: &mut dyn Sink) {
        self.next = message.offset() + 1;
        let timestamp = message.timestamp().to_millis().unwrap_or(0);
        sink.event(self.slot, message.offset(), timestamp, message.payload().unwrap_or_default());
    }

    /// The partition reached to `end` a moment ago.
    fn reached(&mut self, end: i64, sink: &mut dyn Sink) {
        let caught_up = self.next >= self.end.min(end);
        self.end = end;
        self.tell(caught_up, sink);
    }

    fn tell(&mut self, caught_up: bool, sink: &mut dyn Sink) {
        if caught_up != self.caught_up {
            self.caught_up = caught_up;
            sink.caught_up(self.slot, caught_up);
        }
    }
}

impl Source for KafkaSource {
    fn poll(&mut self, wait: Duration, sink: &mut dyn Sink) -> Result<usize, SourceError> {
        let polled = KafkaSource::hand_over(&self.consumer, &mut self.assigned, wait, sink);
        self.follow(sink)?;
        match polled {
            Ok(count) => Ok(count),
            Err(e) if is_gone(&e) => self.repair(sink).map(|()| 0),
            Err(e @ KafkaError::MessageConsumptionFatal(_)) => Err(SourceError::Broken(e.to_string())),
            Err(e) => Err(retry(e)),
        }
    }

    fn commit(&mut self, slot: Slot, at: Resume) {
        let Some((origin, _)) = self.origin_of(slot) else { return };
        let mut list = TopicPartitionList::new();
        let mut element = list.add_partition(&origin.topic, origin.partition);
        if element.set_offset(Offset::Offset(at.position)).is_err() {
            return;
        }
        element.set_metadata(at.incarnation.to_string());
        if let Err(e) = self.consumer.commit(&list, CommitMode::Async) {
            tracing::info!(topic = origin.topic, partition = origin.partition, "position not committed: {e}");
        }
    }

    fn hold(&mut self, slot: Slot, held: bool) {
        let Some((origin, _)) = self.origin_of(slot) else { return };
        let mut list = TopicPartitionList::new();
        list.add_partition(&origin.topic, origin.partition);
        let done = if held { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        if let Err(e) = done {
            tracing::info!(topic = origin.topic, partition = origin.partition, held, "not held: {e}");
        }
    }

    fn seek(&mut self, slot: Slot, position: i64) -> Result<(), SourceError> {
        let Some((origin, partition)) = self.assigned.iter_mut().find(|(_, p)| p.slot == slot) else {
            return Ok(());
        };
        partition.next = position;
        seek(&self.consumer, origin, position).map_err(retry)
    }
}

impl KafkaSource {
    /// The life of the topic that a slot's positions belong to.
    pub fn incarnation(&self, slot: Slot) -> Option<u64> {
        self.origin_of(slot).map(|(_, partition)| partition.incarnation)
    }
}

/// The end event names the partition and not the topic: it counts where only one can be meant.
fn at_end(assigned: &mut BTreeMap<Origin, Assigned>, partition: i32, sink: &mut dyn Sink) {
    let mut meant = assigned.iter_mut().filter(|(origin, _)| origin.partition == partition);
    if let (Some((_, only)), None) = (meant.next(), meant.next()) {
        only.tell(true, sink);
    }
}

/// Takes the partition away and gives it back, which drops what was fetched already.
fn seek(consumer: &BaseConsumer<Notes>, origin: &Origin, position: i64) -> KafkaResult<()> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&origin.topic, origin.partition, Offset::Offset(position))?;
    consumer.incremental_unassign(&list)?;
    consumer.incremental_assign(&list)
}

fn origin(message: &BorrowedMessage<'_>) -> Origin {
    Origin { topic: message.topic().to_owned(), partition: message.partition() }
}

fn is_from(message: &BorrowedMessage<'_>, origin: &Origin) -> bool {
    message.partition() == origin.partition && message.topic() == origin.topic
}

fn is_gone(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
    )
}

fn retry(e: impl std::fmt::Display) -> SourceError {
    SourceError::Retry(e.to_string())
}
