//! Which columns an observation moves, by how much, for which kind of subject.

use super::{Column, SubjectKind};
use crate::model::contact::{Observation, What};

/// One column that an observation moves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) column: Column,
    amount: Amount,
}

/// By how much.
#[derive(Debug, Clone, Copy)]
enum Amount {
    One,
    /// One, if the wait is known.
    IfKnown,
    /// One, if the wait is known and the subject has a threshold.
    IfMeasured,
    /// One, if the wait is known and not longer than the threshold.
    IfWithin,
    /// One, if it stands resolved.
    IfResolved,
    /// That value (an unknown wait is 0).
    Value(usize),
}

impl Step {
    pub(super) fn amount(self, observation: &Observation, within_ms: Option<i64>) -> i64 {
        match self.amount {
            Amount::One => 1,
            Amount::IfKnown => i64::from(observation.known),
            Amount::IfMeasured => i64::from(observation.known && within_ms.is_some()),
            Amount::IfWithin => {
                let within = within_ms.is_some_and(|limit| observation.values[0] <= limit);
                i64::from(observation.known && within)
            }
            Amount::IfResolved => i64::from(observation.resolved),
            Amount::Value(index) => observation.values[index],
        }
    }
}

const fn step(column: Column, amount: Amount) -> Step {
    Step { column, amount }
}

use Amount::{IfKnown, IfMeasured, IfResolved, IfWithin, One, Value};

const NOTHING: &[Step] = &[];

const LEG_ANSWERED: &[Step] = &[
    step(Column::Answered, One),
    step(Column::Waits, IfKnown),
    step(Column::WaitMs, Value(0)),
    step(Column::Within, IfWithin),
    step(Column::SlOffered, IfMeasured),
    step(Column::Taken, One),
    step(Column::Resolved, IfResolved),
];
const LEG_ABANDONED: &[Step] = &[step(Column::Abandoned, One), step(Column::SlOffered, IfMeasured)];
const LEG_FLOWED_OUT: &[Step] = &[step(Column::FlowedOut, One), step(Column::SlOffered, IfMeasured)];
const LEG_UNFINISHED: &[Step] = &[step(Column::Unfinished, One), step(Column::SlOffered, IfMeasured)];

const CONTACT_ANSWERED: &[Step] = &[
    step(Column::Answered, One),
    step(Column::Waits, IfKnown),
    step(Column::WaitMs, Value(0)),
    step(Column::Taken, One),
    step(Column::Resolved, IfResolved),
];
const CONTACT_ABANDONED: &[Step] = &[step(Column::Abandoned, One)];
const CONTACT_UNFINISHED: &[Step] = &[step(Column::Unfinished, One)];

const OFFER: &[Step] = &[step(Column::Offers, One)];
const OFFER_ANSWERED: &[Step] = &[step(Column::OffersAnswered, One)];
const OFFER_MISSED: &[Step] = &[step(Column::OffersMissed, One)];

const HANDLED: &[Step] = &[
    step(Column::Handled, One),
    step(Column::TalkMs, Value(0)),
    step(Column::HoldMs, Value(1)),
    step(Column::AfterWorkMs, Value(2)),
];
const TRANSFER_OUT: &[Step] = &[step(Column::Transferred, One)];
const RESPONSE: &[Step] = &[step(Column::Responses, One), step(Column::ResponseMs, Value(0))];
const FIRST_RESPONSE: &[Step] = &[
    step(Column::FirstResponses, One),
    step(Column::FirstSinceMessageMs, Value(0)),
    step(Column::FirstSinceHandoffMs, Value(1)),
];
const TAKEN: &[Step] = &[step(Column::Taken, One), step(Column::Resolved, IfResolved)];

/// The steps of one observation for one kind of subject; none if it is not about such a subject.
pub(super) fn of(kind: SubjectKind, what: What) -> &'static [Step] {
    use SubjectKind::{Agent, Queue, Team, Unit};
    match (what, kind) {
        (What::LegAnswered, Queue) => LEG_ANSWERED,
        (What::LegAbandoned, Queue) => LEG_ABANDONED,
        (What::LegFlowedOut, Queue) => LEG_FLOWED_OUT,
        (What::LegUnfinished, Queue) => LEG_UNFINISHED,
        (What::ContactAnswered, Unit) => CONTACT_ANSWERED,
        (What::ContactAbandoned, Unit) => CONTACT_ABANDONED,
        (What::ContactUnfinished, Unit) => CONTACT_UNFINISHED,
        (What::Offer, Agent | Team | Unit) => OFFER,
        (What::OfferAnswered, Agent | Team | Unit) => OFFER_ANSWERED,
        (What::OfferMissed, Agent | Team | Unit) => OFFER_MISSED,
        (What::Handled, _) => HANDLED,
        (What::TransferOut, _) => TRANSFER_OUT,
        (What::Response, _) => RESPONSE,
        (What::FirstResponse, _) => FIRST_RESPONSE,
        (What::Taken, Agent | Team) => TAKEN,
        _ => NOTHING,
    }
}
