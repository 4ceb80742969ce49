//! What `handle` takes: one record of `facts`, decoded.

use super::definitions::Definitions;
use super::held::HeldFact;
use crate::model::fact::Fact;
use crate::model::units::LogTime;

/// One record of `facts`: its offset, the time at which the log appended it, and what it says.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// Offset in the domain's partition. Offsets grow; they need not be dense.
    pub offset: i64,
    /// Append time given by the log (the broker's clock), ms since the epoch.
    pub append: LogTime,
    /// A batch of facts or a control fact.
    pub body: Body<'a>,
}

/// What a record says.
#[derive(Debug, Clone)]
pub enum Body<'a> {
    /// Format 1: facts of one source partition; empty for a heartbeat.
    Batch(Batch<'a>),
    /// Format 2: a control fact.
    Control(Control),
    /// Neither: kept out of every number, recorded as skipped with the reason.
    Unreadable(String),
}

/// Facts of one source partition, with how far the source has been read.
#[derive(Debug, Clone, Default)]
pub struct Batch<'a> {
    /// Source topic (`$http`, `$file` and `$simulator` for sources that are no topics).
    pub topic: &'a str,
    /// Partition of the source.
    pub partition: i32,
    /// Which life of the topic the positions belong to (topic id or leader epoch); positions start anew with it.
    pub incarnation: u64,
    /// Positions `[from, to)` that this batch covers; the next batch starts where this one ends.
    pub from: i64,
    /// See `from`.
    pub to: i64,
    /// The source's progress in ms since the epoch: the batch's own append time when caught up (`i64::MAX` says so:
    /// the log stamps it), else the least input timestamp of the batch; for a back-fill the least event time.
    pub progress: i64,
    /// Whether the source was read to its end.
    pub caught_up: bool,
    /// The facts, in the order of the source.
    pub facts: Vec<Fact<'a>>,
}

/// A fact about the system itself, written by `apply`, the settler or the auditor. De-duplicated by `id`;
/// the engine answers each on `ledger`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Control {
    /// Unique identifier; the answer on `ledger` names it.
    pub id: String,
    /// What it says.
    #[serde(flatten)]
    pub kind: ControlKind,
}

/// Facts inside a control fact.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Facts(pub Vec<HeldFact>);

impl ControlKind {
    /// The type, as in the record.
    pub const fn text(&self) -> &'static str {
        match self {
            ControlKind::Definitions { .. } => "definitions.activated",
            ControlKind::Settled { .. } => "late.settled",
            ControlKind::AuditPassed { .. } => "audit.passed",
            ControlKind::AuditMissing { .. } => "audit.missing",
            ControlKind::GapAccepted { .. } => "source.gap_accepted",
            ControlKind::SourceClosed { .. } => "source.closed",
        }
    }
}

/// The kinds of control facts.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type")]
pub enum ControlKind {
    /// From here on these definitions hold.
    #[serde(rename = "definitions.activated")]
    Definitions {
        /// All of them.
        definitions: Box<Definitions>,
    },
    /// The settler has re-read an old contact.
    #[serde(rename = "late.settled")]
    Settled {
        /// The contact.
        contact: String,
        /// The contact's earlier facts that count, in log order.
        facts: Facts,
    },
    /// The auditor found every key of the cut on `ledger`, once each in content.
    #[serde(rename = "audit.passed")]
    AuditPassed {
        /// Such as `2026-10`.
        period: String,
        /// Revision of the cut.
        revision: u32,
        /// Digest over the audited keys and contents.
        digest: String,
    },
    /// The auditor misses keys of a cut: the engine emits them again.
    #[serde(rename = "audit.missing")]
    AuditMissing {
        /// Such as `2026-10`.
        period: String,
        /// Revision of the cut.
        revision: u32,
        /// The missing ledger keys.
        keys: Vec<String>,
    },
    /// A person accepts that positions `[from, to)` of a source are lost.
    #[serde(rename = "source.gap_accepted")]
    GapAccepted {
        /// Source topic.
        topic: String,
        /// Partition.
        partition: i32,
        /// First lost position.
        from: i64,
        /// Position after the last lost one.
        to: i64,
    },
    /// A back-filled source has delivered all it had: it no longer holds the settle clock.
    #[serde(rename = "source.closed")]
    SourceClosed {
        /// Source topic.
        topic: String,
    },
}
