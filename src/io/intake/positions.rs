//! How far every source partition stands in `facts`: read from the log itself, so it is exact after any crash.

use crate::io::log::{ReadError, Reader};
use crate::io::source::{Origin, Resume};
use crate::wire::batch;
use std::collections::BTreeMap;
use std::time::Duration;

/// The end of every source partition in the facts that were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions(BTreeMap<Origin, Resume>);

impl Positions {
    /// Looks at one record of facts; what is no batch of a source says nothing.
    pub fn note(&mut self, record: &[u8]) {
        if let Ok(head) = batch::head(record) {
            self.set(head.topic, head.partition, Resume { incarnation: head.incarnation, position: head.to });
        }
    }

    /// What is known from elsewhere, for instance from an engine's snapshot. The later position of one life counts; another
    /// life replaces it.
    pub fn set(&mut self, topic: &str, partition: i32, resume: Resume) {
        let known = self.0.entry(Origin { topic: topic.to_owned(), partition }).or_insert(resume);
        *known = if known.incarnation == resume.incarnation { resume.max(*known) } else { resume };
    }

    /// Looks at all facts from where the reader stands to the end of now.
    pub fn read(&mut self, reader: &mut dyn Reader) -> Result<(), ReadError> {
        loop {
            match reader.poll(Duration::from_millis(100))? {
                Some(record) => self.note(&record.value),
                None if reader.caught_up() => return Ok(()),
                None => {}
            }
        }
    }

    /// Where a partition goes on.
    pub fn get(&self, origin: &Origin) -> Option<Resume> {
        self.0.get(origin).copied()
    }
}
