//! The life of a period: open, closing, final, audited; and the cut, the moment payroll pays from.
//!
//! ```text
//!  OPEN ──settle clock reaches the end──> CLOSING ──nothing holds the cut──> FINAL ──auditor found every line──> AUDITED
//!                                          grace, unsettled contacts, inputs due until their last day
//! ```
//!
//! Time is the settle clock, so a period closes by what the log says and not by when somebody looks. The caller
//! offers what it knows after each record ([`Standing`]); the period says whether it is cut now or what it waits for.

use super::units::LogTime;
use serde::{Deserialize, Serialize};

/// One period of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// Such as `2026-10`.
    pub name: String,
    /// Its first moment.
    pub start: LogTime,
    /// The moment after its last: periods are half-open.
    pub end: LogTime,
    /// Where it stands.
    pub phase: Phase,
}

/// Where a period stands. Nothing leads back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Facts are booked into it.
    Open,
    /// Its end has passed; the cut waits.
    Closing,
    /// It was cut; its finals are on the ledger.
    Final(Cut),
    /// The auditor has found every line of the cut on the ledger.
    Audited {
        /// The cut.
        cut: Cut,
        /// Digest over the audited lines.
        digest: String,
    },
}

/// Where and how a period was cut: revision n is exactly the facts below `offset`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Counts from 1.
    pub revision: u32,
    /// Offset of the record at which it was cut.
    pub offset: i64,
    /// Settle clock then.
    pub settle: LogTime,
    /// Inputs that were due and whose last day was over, by name, sorted.
    pub missing: Vec<String>,
}

/// How long a period waits, ms of settle clock after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// For late facts.
    pub grace_ms: i64,
    /// For human inputs: the longest `inputs_by` of the cards. Inputs never shorten the grace.
    pub inputs_by_ms: i64,
}

/// What the caller knows after a record.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Settle clock; absent until each declared source has been seen.
    pub settle: Option<LogTime>,
    /// Contacts of this period that cannot be decided yet.
    pub unsettled: u64,
    /// Required inputs that are missing, by name.
    pub due: &'a [String],
}

/// What holds the cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waits {
    /// A declared source has never been seen: nobody knows how complete the facts are.
    Sources,
    /// The settle clock has not reached this moment (end and grace).
    Clock(LogTime),
    /// So many contacts are unsettled.
    Unsettled(u64),
    /// These inputs are due, at the latest until this moment.
    Inputs(Vec<String>, LogTime),
}

impl std::fmt::Display for Waits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sources => f.write_str("sources: not every declared source has been seen"),
            Self::Clock(at) => write!(f, "grace: the settle clock must reach {}", moment(*at)),
            Self::Unsettled(n) => write!(f, "unsettled: {n} contacts wait for their earlier facts"),
            Self::Inputs(names, at) => write!(f, "inputs: {} (until {})", names.join(", "), moment(*at)),
        }
    }
}

fn moment(at: LogTime) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| format!("{} ms", at.0), |at| at.to_string())
}

/// Why an audit is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditRefused {
    /// There is no cut yet.
    #[error("period {0} has not been cut")]
    NotCut(String),
    /// Another revision stands.
    #[error("period {name} stands at revision {stands}, not {asked}")]
    Revision {
        /// The period.
        name: String,
        /// The revision that stands.
        stands: u32,
        /// The revision the auditor names.
        asked: u32,
    },
}

impl Period {
    /// A new open period `[start, end)`; `None` if it would not end after it starts.
    pub fn new(name: impl Into<String>, start: LogTime, end: LogTime) -> Option<Self> {
        (start < end).then(|| Self { name: name.into(), start, end, phase: Phase::Open })
    }

    /// Whether a moment belongs to it.
    pub fn contains(&self, at: i64) -> bool {
        (self.start.0..self.end.0).contains(&at)
    }

    /// The settle clock at which it is cut, if nothing else holds it.
    pub fn cut_due(&self, terms: Terms) -> LogTime {
        LogTime(self.end.0.saturating_add(terms.grace_ms))
    }

    /// Whether the last day for human inputs is over; the settle clock standing exactly on it is over.
    pub fn inputs_over(&self, terms: Terms, settle: LogTime) -> bool {
        settle >= self.inputs_until(terms)
    }

    fn inputs_until(&self, terms: Terms) -> LogTime {
        LogTime(self.end.0.saturating_add(terms.inputs_by_ms))
    }

    /// The cut, once there is one.
    pub fn cut(&self) -> Option<&Cut> {
        match &self.phase {
            Phase::Final(cut) | Phase::Audited { cut, .. } => Some(cut),
            Phase::Open | Phase::Closing => None,
        }
    }

    /// Everything that holds the cut; empty when it can be cut (or has been).
    pub fn waits_for(&self, terms: Terms, now: Standing<'_>) -> Vec<Waits> {
        if self.cut().is_some() {
            return Vec::new();
        }
        let Some(settle) = now.settle else { return vec![Waits::Sources] };
        let mut waits = Vec::new();
        if settle < self.cut_due(terms) {
            waits.push(Waits::Clock(self.cut_due(terms)));
        }
        if now.unsettled > 0 {
            waits.push(Waits::Unsettled(now.unsettled));
        }
        if !now.due.is_empty() && !self.inputs_over(terms, settle) {
            waits.push(Waits::Inputs(sorted(now.due), self.inputs_until(terms)));
        }
        waits
    }

    /// Moves on after the record at `offset`. Gives the cut if it is cut by this very record, and only then.
    pub fn advance(&mut self, terms: Terms, now: Standing<'_>, offset: i64) -> Option<&Cut> {
        let settle = now.settle?;
        if self.phase == Phase::Open && settle >= self.end {
            self.phase = Phase::Closing;
        }
        if self.phase != Phase::Closing || !self.waits_for(terms, now).is_empty() {
            return None;
        }
        self.phase = Phase::Final(Cut { revision: 1, offset, settle, missing: sorted(now.due) });
        self.cut()
    }

    /// The auditor has found every line of `revision`. Saying it twice changes nothing.
    ///
    /// # Errors
    /// There is no cut, or another revision stands.
    pub fn audited(&mut self, revision: u32, digest: &str) -> Result<(), AuditRefused> {
        let cut = self.cut().cloned().ok_or_else(|| AuditRefused::NotCut(self.name.clone()))?;
        if cut.revision != revision {
            return Err(AuditRefused::Revision {
                name: self.name.clone(),
                stands: cut.revision,
                asked: revision,
            });
        }
        self.phase = Phase::Audited { cut, digest: digest.into() };
        Ok(())
    }
}

fn sorted(names: &[String]) -> Vec<String> {
    names.iter().cloned().collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { grace_ms: 30, inputs_by_ms: 50 };

    fn october() -> Period {
        Period::new("2026-10", LogTime(0), LogTime(100)).unwrap()
    }

    fn standing(settle: i64, unsettled: u64, due: &[String]) -> Standing<'_> {
        Standing { settle: Some(LogTime(settle)), unsettled, due }
    }

    #[test]
    fn a_quiet_month_closes_on_the_clock_alone() {
        let mut period = october();
        assert_eq!(period.advance(TERMS, standing(99, 0, &[]), 1), None);
        assert_eq!(period.phase, Phase::Open);
        assert_eq!(period.advance(TERMS, standing(100, 0, &[]), 2), None);
        assert_eq!(period.phase, Phase::Closing);
        assert_eq!(period.waits_for(TERMS, standing(129, 0, &[])), [Waits::Clock(LogTime(130))]);
        let cut = Cut { revision: 1, offset: 3, settle: LogTime(130), missing: vec![] };
        assert_eq!(period.advance(TERMS, standing(130, 0, &[]), 3), Some(&cut));
        assert_eq!(period.advance(TERMS, standing(131, 0, &[]), 4), None, "cut once");
        assert_eq!(period.cut(), Some(&cut));
    }

    #[test]
    fn one_record_may_lead_from_open_to_final() {
        assert!(october().advance(TERMS, standing(1_000, 0, &[]), 7).is_some());
    }

    #[test]
    fn the_cut_names_all_it_waits_for() {
        let mut period = october();
        let due = ["quality/qa of a2".to_string(), "quality/qa of a1".to_string()];
        period.advance(TERMS, standing(110, 2, &due), 1);
        let names = vec!["quality/qa of a1".to_string(), "quality/qa of a2".to_string()];
        let inputs = Waits::Inputs(names.clone(), LogTime(150));
        let all = [Waits::Clock(LogTime(130)), Waits::Unsettled(2), inputs.clone()];
        assert_eq!(period.waits_for(TERMS, standing(110, 2, &due)), all);
        assert_eq!(period.waits_for(TERMS, standing(149, 0, &due)), [inputs]);
        let cut = period.advance(TERMS, standing(150, 0, &due), 9).unwrap();
        assert_eq!(cut.missing, names, "the gaps are named in the cut");
    }

    #[test]
    fn without_every_source_nothing_is_known() {
        let mut period = october();
        let now = Standing { settle: None, unsettled: 0, due: &[] };
        assert_eq!(period.advance(TERMS, now, 1), None);
        assert_eq!(period.waits_for(TERMS, now), [Waits::Sources]);
    }

    #[test]
    fn unsettled_contacts_hold_the_cut_however_long() {
        let mut period = october();
        assert_eq!(period.advance(TERMS, standing(i64::MAX, 1, &[]), 1), None);
        assert!(period.advance(TERMS, standing(i64::MAX, 0, &[]), 2).is_some());
    }

    #[test]
    fn only_the_standing_revision_is_audited() {
        let mut period = october();
        assert_eq!(period.audited(1, "d"), Err(AuditRefused::NotCut("2026-10".into())));
        period.advance(TERMS, standing(130, 0, &[]), 3);
        assert!(period.audited(2, "d").is_err());
        assert_eq!(period.audited(1, "d"), Ok(()));
        assert_eq!(period.audited(1, "d"), Ok(()));
        assert!(matches!(&period.phase, Phase::Audited { cut, digest } if cut.offset == 3 && digest == "d"));
    }

    #[test]
    fn it_survives_a_snapshot() {
        let mut period = october();
        period.advance(TERMS, standing(130, 0, &["x".to_string()]), 3);
        let bytes = postcard::to_stdvec(&period).unwrap();
        assert_eq!(postcard::from_bytes::<Period>(&bytes).unwrap(), period);
    }
}
