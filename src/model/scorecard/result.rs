//! What goes into a card and what comes out: [`Inputs`] of one member, [`Scored`] with the arithmetic.

use super::exact::{Exact, exact_text, points_text, whole};
use crate::model::units::Fraction;
use std::collections::BTreeMap;

/// Everything a card sees of one member in one period. The order of marks does not matter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inputs {
    /// KPI values by name; a KPI that no source reports is absent (it is then due, not null).
    pub kpis: BTreeMap<String, Measured>,
    /// Marks of this period.
    pub ratings: Vec<Rating>,
    /// The period is over and complete: values are final. Otherwise the result is provisional.
    pub period_closed: bool,
    /// The last day for human inputs (`inputs_by`) is over: what is still due is decided by `if_missing`.
    pub deadline_over: bool,
}

/// A KPI's value: spans in ms, ratios 0..1.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// Counts as they stand in a row; the denominator is the number of samples, 0 means null.
    Counts(Fraction),
    /// A value without counts: taken to have samples enough.
    Value(Exact),
}

impl Measured {
    /// The exact value; `None` when null.
    pub fn value(&self) -> Option<Exact> {
        match self {
            Self::Counts(f) => (!f.is_null()).then(|| Exact::new(f.num.into(), f.den.into())),
            Self::Value(value) => Some(value.clone()),
        }
    }

    /// Samples behind it, where known.
    pub fn samples(&self) -> Option<u64> {
        match self {
            Self::Counts(f) => Some(f.den.unsigned_abs()),
            Self::Value(_) => None,
        }
    }

    /// As people check it: `"57/60"` where there are counts, else the exact value; `None` when null.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Counts(f) if f.den == 1 => Some(f.num.to_string()),
            Self::Counts(f) => (!f.is_null()).then(|| format!("{}/{}", f.num, f.den)),
            Self::Value(value) => Some(exact_text(value)),
        }
    }
}

impl From<Fraction> for Measured {
    fn from(counts: Fraction) -> Self {
        Self::Counts(counts)
    }
}

/// One mark. Several marks of one assessor in one dimension are averaged before assessors are.
#[derive(Debug, Clone, PartialEq)]
pub struct Rating {
    /// What is rated, such as `quality`.
    pub dimension: String,
    /// Who rated: the assessor's role, such as `qa`.
    pub assessor: String,
    /// The mark.
    pub mark: Mark,
}

/// What an assessor says.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A number.
    Score(Exact),
    /// "Cannot be judged": null, not zero.
    NotApplicable,
}

impl Mark {
    /// A mark as facts carry it, in millionths.
    pub fn from_millionths(score: i64) -> Self {
        Self::Score(whole(score) / whole(1_000_000))
    }
}

/// The result of one member.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Exact total; absent when it cannot be given (`absent` says why).
    pub total: Option<Exact>,
    /// The total as the card shows it: never on the other side of a grade's edge than the grade.
    pub total_shown: Option<String>,
    /// Why there is no total.
    pub absent: Option<State>,
    /// Grade of the exact (or, where the card says so, the rounded) total.
    pub grade: Option<Grade>,
    /// Points towards the total that are certain, however many items are missing.
    pub known: Exact,
    /// Full mark of the items behind `known`.
    pub known_full: Exact,
    /// Whether the period is open or a required input is still due.
    pub provisional: bool,
    /// Required inputs that are missing, in file order.
    pub due: Vec<Due>,
    /// Items in file order.
    pub items: Vec<ScoredItem>,
    /// The arithmetic of the total.
    pub why: Why,
}

/// One item of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredItem {
    /// Identifier.
    pub id: String,
    /// Group it belongs to.
    pub parent: Option<String>,
    /// Names.
    pub zh: String,
    /// Names.
    pub en: String,
    /// Counted, or why there is no value.
    pub state: State,
    /// Input value as text (`"57/60"`, `"87.5"`); absent when there is none.
    pub value: Option<String>,
    /// Exact points; absent when the item leaves the fold or holds it.
    pub points: Option<Exact>,
    /// Full mark, exact; absent for items that are only shown or whose maximum is open.
    pub full: Option<String>,
    /// Share of the total in percent; absent for items that are only shown.
    pub share: Option<Exact>,
    /// The arithmetic.
    pub why: Why,
}

impl ScoredItem {
    /// Points with four places.
    pub fn points_shown(&self) -> Option<String> {
        self.points.as_ref().map(points_text)
    }
}

/// Whether an item has a value, and if not, why: the ways of having no number are never mixed up. A higher one wins
/// when several items of a fold are absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It has a value.
    Counted,
    /// It does not concern this member.
    NotApplicable,
    /// The value cannot be computed: zero denominator, too few samples, a mark `"n/a"`.
    Null,
    /// An input is due.
    Pending,
    /// The card leaves something open.
    Open,
}

impl State {
    /// As in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::NotApplicable => "not_applicable",
            Self::Null => "null",
            Self::Pending => "pending",
            Self::Open => "open",
        }
    }
}

/// A grade's label in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grade {
    /// As the scheme says it; this is the grade's identity.
    pub label: String,
    /// English label.
    pub en: String,
}

/// A required input that is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A mark.
    Mark {
        /// Dimension.
        dimension: String,
        /// Assessor, if the card names one.
        assessor: Option<String>,
    },
    /// A KPI that no source reports.
    Kpi(String),
}

impl std::fmt::Display for Due {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mark { dimension, assessor: Some(assessor) } => write!(f, "{dimension}/{assessor}"),
            Self::Mark { dimension, assessor: None } => f.write_str(dimension),
            Self::Kpi(kpi) => f.write_str(kpi),
        }
    }
}

/// An explanation in both languages; a pocket calculator agrees with it to the fourth place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Why {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Why {
    /// From both texts.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// Appends to both texts.
    pub fn then(mut self, zh: &str, en: &str) -> Self {
        self.zh.push_str(zh);
        self.en.push_str(en);
        self
    }
}
