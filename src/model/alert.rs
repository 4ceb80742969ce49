//! Alert rules and their state machine: pending, firing, resolved.

use super::units::Fraction;
use serde::{Deserialize, Serialize};

/// One rule over one KPI. Times in ms of the live clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Identifier.
    pub id: String,
    /// The KPI it watches: `answer_rate`, `service_level` (queue).
    pub kpi: String,
    /// Scope: `queue`; empty `queues` means every queue.
    #[serde(default)]
    pub queues: Vec<String>,
    /// Windows from the shortest; the shortest that holds `min_samples` decides.
    pub windows: Vec<String>,
    /// Fires below this ratio (exact).
    pub below: Fraction,
    /// A firing alert resolves at or above this ratio.
    pub clear: Fraction,
    /// How long the condition must hold before it fires.
    pub hold_ms: i64,
    /// Fewest samples (denominator) that count as evidence.
    pub min_samples: i64,
    /// What null (no traffic in any window) does to a firing alert: `hold` or `resolve`.
    pub on_null: OnNull,
    /// `critical`, `warning`.
    pub severity: String,
    /// Whether it pages; otherwise it only colours the board.
    pub page: bool,
}

/// What a null value does to a firing alert, when the sources are healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNull {
    /// It stays firing.
    Hold,
    /// It resolves.
    Resolve,
}

/// State of one rule on one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing to say.
    Inactive,
    /// The condition holds, not yet long enough.
    Pending,
    /// It holds long enough: somebody must act.
    Firing,
    /// It fired and is over.
    Resolved,
}
