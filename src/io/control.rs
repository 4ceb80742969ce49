//! Control facts of people: appended to `facts`, answered by the engine on `ledger`.
//!
//! ```text
//!  shiftpulse source close ──▶ submit ──append──▶ facts ──▶ engine ──▶ ledger: accepted | rejected ──▶ the answer
//! ```

use super::log::{AppendError, Appender, Domain, Log, ReadError, Reader, Start, Topic};
use super::stopwatch::Stopwatch;
use crate::engine::definitions::Source;
use crate::engine::output::{Ledger, Output};
use crate::engine::record::{Control, ControlKind};
use crate::wire::batch::encode_control;
use crate::wire::results::{self, Class};
use std::time::Duration;

/// A record that the log does not take within this time is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at the log.
const LOOK: Duration = Duration::from_millis(10);

/// What became of a control fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It holds.
    Accepted,
    /// It changed nothing, and why.
    Rejected(String),
    /// It is in the log; no engine has folded it in the time it was given.
    Waiting,
}

/// Whether a person may say this of these sources; else why not. The engine would take it at its word.
///
/// # Errors
/// No such source, or one that is not a back-fill; or what is no act of a person.
pub fn check(kind: &ControlKind, sources: &[Source]) -> Result<(), String> {
    let (ControlKind::SourceClosed { topic } | ControlKind::GapAccepted { topic, .. }) = kind else {
        return Err(format!("{} is not for people to say", kind.text()));
    };
    let Some(source) = sources.iter().find(|source| source.topic == *topic) else {
        let known: Vec<&str> = sources.iter().map(|source| source.topic.as_str()).collect();
        return Err(format!("there is no source {topic}; there are {}", known.join(", ")));
    };
    match kind {
        ControlKind::SourceClosed { .. } if !source.backfill => Err(format!(
            "{topic} is not a back-fill: it would be left out of every clock for good. Take it out of the configuration instead"
        )),
        ControlKind::GapAccepted { partition, from, to, .. }
            if *from >= *to || !(0..source.partitions).contains(partition) =>
        {
            Err(format!("{topic} has no positions {from}..{to} of a partition {partition}"))
        }
        _ => Ok(()),
    }
}

/// Appends a control fact and waits until an engine has answered it.
///
/// # Errors
/// The log did not take it, or cannot be read.
pub fn submit(
    log: &dyn Log,
    domain: Domain,
    control: &Control,
    patience: Duration,
) -> Result<Answer, String> {
    let mut ledger = log.tail(Topic::Ledger, domain, Start::End).map_err(|retry| retry.to_string())?;
    append(&mut *log.appender(domain), &encode_control(control))?;
    let since = Stopwatch::start();
    while !since.has(patience) {
        match answer(&mut *ledger, &control.id) {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => {}
            Err(ReadError::Retry(_)) => std::thread::sleep(LOOK),
            Err(ReadError::Broken(reason)) => return Err(reason),
        }
    }
    Ok(Answer::Waiting)
}

fn answer(ledger: &mut dyn Reader, wanted: &str) -> Result<Option<Answer>, ReadError> {
    let Some(record) = ledger.poll(Duration::from_millis(200))? else { return Ok(None) };
    let key = String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned();
    Ok(match results::output(Class::Ledger, &key, &record.value) {
        Ok(Output::Ledger(Ledger::Accepted { id, .. })) if id == wanted => Some(Answer::Accepted),
        Ok(Output::Ledger(Ledger::Rejected { id, reason })) if id == wanted => Some(Answer::Rejected(reason)),
        _ => None,
    })
}

/// Appends one record and waits until it is durable.
///
/// # Errors
/// It is too large, or the log did not take it in time.
pub fn append(appender: &mut dyn Appender, record: &[u8]) -> Result<(), String> {
    let mut ticket = None;
    let since = Stopwatch::start();
    while !since.has(PATIENCE) {
        if ticket.is_none() {
            ticket = match appender.append(record) {
                Ok(ticket) => Some(ticket),
                Err(AppendError::TooLarge { bytes }) => return Err(format!("a record of {bytes} bytes")),
                Err(AppendError::Full | AppendError::Stopped) => None,
            };
        }
        match appender.acked() {
            Ok(acked) if ticket.is_some_and(|ticket| ticket <= acked) => return Ok(()),
            Ok(_) => {}
            Err(_) => {
                ticket = None;
                let _ = appender.resume();
            }
        }
        std::thread::sleep(LOOK);
    }
    Err(format!("the log did not take it within {} s", PATIENCE.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::log::clock::ManualClock;
    use crate::io::log::embedded::EmbeddedLog;
    use std::sync::Arc;

    fn sources() -> Vec<Source> {
        let source = |topic: &str, backfill| Source {
            topic: topic.to_owned(),
            partitions: 2,
            queues: Vec::new(),
            backfill,
        };
        vec![source("calls", false), source("history", true)]
    }

    fn close(topic: &str) -> ControlKind {
        ControlKind::SourceClosed { topic: topic.to_owned() }
    }

    #[test]
    fn only_what_a_person_may_say_of_a_source_that_is_there_is_let_through() {
        let gap = |partition, from, to| {
            let topic = "calls".to_owned();
            check(&ControlKind::GapAccepted { topic, partition, from, to }, &sources()).is_ok()
        };
        assert_eq!(check(&close("history"), &sources()), Ok(()));
        assert!(check(&close("calls"), &sources()).unwrap_err().contains("not a back-fill"));
        assert!(check(&close("chats"), &sources()).unwrap_err().contains("there are calls, history"));
        assert_eq!([gap(1, 3, 4), gap(2, 3, 4), gap(-1, 3, 4), gap(0, 4, 4)], [true, false, false, false]);
        let passed = ControlKind::AuditPassed { period: "2026-10".into(), revision: 1, digest: "d".into() };
        assert!(check(&passed, &sources()).is_err());
    }

    #[test]
    fn without_an_engine_a_control_fact_is_in_the_log_and_waits() {
        let log = EmbeddedLog::in_memory(1, Arc::new(ManualClock::new(1))).unwrap();
        let control = Control { id: "a".into(), kind: close("history") };
        let answer = submit(&log, Domain(0), &control, Duration::ZERO);
        assert_eq!(answer, Ok(Answer::Waiting));
        let mut facts = log.tail(Topic::Facts, Domain(0), Start::Beginning).unwrap();
        assert_eq!(
            facts.poll(Duration::ZERO).unwrap().map(|record| record.value),
            Some(encode_control(&control))
        );
    }
}
