//! Where events come from: the seam between whoever has them and the intake.
//!
//! A source hands over events of its partitions, each with a position, in the order of the positions. Which positions are
//! already in `facts` is known to the intake alone, so a source asks it where to begin, and never decides that by itself.

use std::time::Duration;

pub mod file;
pub mod http;
pub mod kafka;

/// A partition of a source while it is assigned to this instance. Numbers are not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub usize);

/// What a slot is a partition of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Topic; `$http`, `$file`, `$simulator` for what is none.
    pub topic: String,
    /// Partition, counted from 0.
    pub partition: i32,
}

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resume {
    /// The life of the topic that the position belongs to: it rises when the topic was made anew.
    pub incarnation: u64,
    /// The next position to read.
    pub position: i64,
}

/// What is known of a partition when it is assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// As last given to [`Source::commit`], by whatever instance.
    pub committed: Option<Resume>,
    /// Position of the oldest event there is.
    pub first: i64,
    /// Position after the newest event.
    pub end: i64,
    /// The life of the source now, where the source can tell it; `None`: as known.
    pub life: Option<u64>,
}

impl Found {
    /// Where to begin, given the end of what stands in `facts` already (`None`: nothing).
    ///
    /// Both what was committed and what stands in facts count, the later one wins; it is harmless to begin too early. A position
    /// beyond the end is one of a former life of the topic: a new life begins at its first event. So does a life that the
    /// source itself tells from the known one.
    pub fn resume(&self, in_facts: Option<Resume>) -> Resume {
        let known = self.committed.max(in_facts);
        if let Some(incarnation) = self.life {
            let same = known.filter(|k| k.incarnation == incarnation && k.position <= self.end);
            return same.unwrap_or(Resume { incarnation, position: self.first });
        }
        match known {
            Some(known) if known.position > self.end => {
                Resume { incarnation: known.incarnation + 1, position: self.first }
            }
            Some(known) => known,
            None => Resume { incarnation: 0, position: self.first },
        }
    }
}

/// What takes the events: the intake.
pub trait Sink {
    /// A partition is ours now. Tells where to begin; a position before the first event begins there.
    fn assigned(&mut self, slot: Slot, origin: &Origin, found: &Found) -> Resume;

    /// One event. `timestamp_ms` is the broker's or the producer's, epoch milliseconds; 0 where there is none.
    fn event(&mut self, slot: Slot, position: i64, timestamp_ms: i64, payload: &[u8]);

    /// Whether everything that there is was handed over. Told when it changes; false at first.
    fn caught_up(&mut self, slot: Slot, caught_up: bool);

    /// Positions `[from, to)` are gone before they were read.
    fn lost(&mut self, slot: Slot, from: i64, to: i64);

    /// The partition is no longer ours; another instance reads on from what was committed.
    fn revoked(&mut self, slot: Slot);
}

/// What to do after a failed poll.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nothing was lost: poll again after a pause.
    #[error("try again: {0}")]
    Retry(String),
    /// It will not work until a person changes something.
    #[error("the source cannot be read: {0}")]
    Broken(String),
}

/// A source of events.
pub trait Source: Send {
    /// Hands over what there is, some hundred events at most; blocks up to `wait` for the first one. Returns how many.
    fn poll(&mut self, wait: Duration, sink: &mut dyn Sink) -> Result<usize, SourceError>;

    /// Everything before `at` is durable in `facts`. A hint for the next start, no promise: it may come to nothing.
    fn commit(&mut self, slot: Slot, at: Resume);

    /// Stops reading a partition, or goes on, for instance because it is far ahead of the others.
    fn hold(&mut self, slot: Slot, held: bool);

    /// Goes back (or on) to `position`: what follows is handed over again.
    fn seek(&mut self, slot: Slot, position: i64) -> Result<(), SourceError>;

    /// Whether somebody waits to hear that an event is durable: [`Source::commit`] is then called at once.
    fn is_awaited(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(incarnation: u64, position: i64) -> Option<Resume> {
        Some(Resume { incarnation, position })
    }

    fn check(committed: Option<Resume>, in_facts: Option<Resume>, expected: Option<Resume>) {
        let found = Found { committed, first: 10, end: 100, life: None };
        assert_eq!(Some(found.resume(in_facts)), expected, "{committed:?} {in_facts:?}");
    }

    #[test]
    fn the_later_of_what_is_known_wins() {
        check(None, None, at(0, 10));
        check(at(0, 50), None, at(0, 50));
        check(None, at(0, 60), at(0, 60));
        check(at(0, 50), at(0, 60), at(0, 60));
        check(at(1, 20), at(0, 60), at(1, 20));
        check(at(0, 100), at(0, 60), at(0, 100));
    }

    #[test]
    fn a_source_that_knows_its_life_begins_another_one_at_the_start() {
        let found = Found { committed: None, first: 0, end: 100, life: Some(7) };
        assert_eq!(Some(found.resume(at(7, 60))), at(7, 60));
        assert_eq!(Some(found.resume(at(9, 60))), at(7, 0));
        assert_eq!(Some(found.resume(at(7, 101))), at(7, 0));
        assert_eq!(Some(found.resume(None)), at(7, 0));
    }

    #[test]
    fn a_position_beyond_the_end_belongs_to_a_former_life() {
        check(at(0, 101), None, at(1, 10));
        check(at(2, 40), at(2, 500), at(3, 10));
    }
}
