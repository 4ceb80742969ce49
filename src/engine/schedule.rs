//! When a subject is due to be emitted: on change at once, then at most once in its pause.

use crate::model::units::{LogTime, MINUTE, SECOND, Sym};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is emitted by pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A queue's live values.
    Queue(Sym),
    /// A team's live values.
    Team(Sym),
    /// The unit's live values.
    Unit,
    /// An agent's live values.
    Agent(Sym),
    /// An agent's scores of the month with this index.
    Score(Sym, i32),
}

impl Subject {
    /// Least time between two emissions, ms of the live clock.
    pub const fn pause(self) -> i64 {
        match self {
            Subject::Queue(_) | Subject::Team(_) | Subject::Unit => SECOND,
            Subject::Agent(_) => 5 * SECOND,
            Subject::Score(..) => MINUTE,
        }
    }
}

/// Subjects that wait for their turn, in the order (due, subject).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Schedule {
    due: BTreeSet<(LogTime, Subject)>,
    /// When each subject is due (if it waits) and when it was emitted last.
    known: BTreeMap<Subject, Turn>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Turn {
    due: Option<LogTime>,
    last: Option<LogTime>,
}

impl Schedule {
    /// The subject changed: it is due at once, or when its pause is over.
    pub fn touch(&mut self, subject: Subject, now: LogTime) {
        let earliest = match self.known.get(&subject).and_then(|turn| turn.last) {
            Some(last) => now.max(LogTime(last.0 + subject.pause())),
            None => now,
        };
        self.at(subject, earliest);
    }

    /// The subject is due at `when`, unless it is due earlier.
    pub fn at(&mut self, subject: Subject, when: LogTime) {
        let turn = self.known.entry(subject).or_default();
        if turn.due.is_some_and(|due| due <= when) {
            return;
        }
        if let Some(due) = turn.due.replace(when) {
            self.due.remove(&(due, subject));
        }
        self.due.insert((when, subject));
    }

    /// The next subject that is due, taken as emitted now.
    pub fn take(&mut self, now: LogTime) -> Option<Subject> {
        let first = *self.due.first()?;
        if first.0 > now {
            return None;
        }
        self.due.remove(&first);
        self.known.insert(first.1, Turn { due: None, last: Some(now) });
        Some(first.1)
    }

    /// Forgets a subject.
    pub fn drop(&mut self, subject: Subject) {
        if let Some(Turn { due: Some(due), .. }) = self.known.remove(&subject) {
            self.due.remove(&(due, subject));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_at_once_then_once_in_the_pause() {
        let mut schedule = Schedule::default();
        let queue = Subject::Queue(Sym(1));
        schedule.touch(queue, LogTime(0));
        assert_eq!(schedule.take(LogTime(0)), Some(queue));
        schedule.touch(queue, LogTime(10));
        schedule.touch(queue, LogTime(500));
        assert_eq!(schedule.take(LogTime(999)), None);
        assert_eq!(schedule.take(LogTime(1000)), Some(queue));
        assert_eq!(schedule.take(LogTime(5000)), None);
    }

    #[test]
    fn subjects_come_by_due_time_then_by_kind_and_symbol() {
        let mut schedule = Schedule::default();
        schedule.at(Subject::Agent(Sym(2)), LogTime(5));
        schedule.at(Subject::Queue(Sym(9)), LogTime(5));
        schedule.at(Subject::Unit, LogTime(4));
        schedule.at(Subject::Agent(Sym(2)), LogTime(9));
        let order: Vec<_> = std::iter::from_fn(|| schedule.take(LogTime(9))).collect();
        assert_eq!(order, [Subject::Unit, Subject::Queue(Sym(9)), Subject::Agent(Sym(2))]);
    }
}
