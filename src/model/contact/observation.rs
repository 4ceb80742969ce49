//! What is concluded from the facts of one contact, ready to be booked.

use crate::model::units::{EventTime, Sym};
use serde::{Deserialize, Serialize};

/// What an observation says. The meaning of `values` (all spans in ms, never negative) stands with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum What {
    /// A queue visit was answered. `[wait, 0, 0]` if `known`; `resolved` on the contact's last answered visit.
    LegAnswered,
    /// The customer gave up in the queue. `[wait, 0, 0]` if `known`.
    LegAbandoned,
    /// The contact left the queue for another place. `[wait, 0, 0]` if `known`.
    LegFlowedOut,
    /// The contact was over, or went silent, without an outcome in the queue. `[wait, 0, 0]` if `known`.
    LegUnfinished,
    /// The customer was answered for the first time. `[wait, 0, 0]` if `known`; `resolved`.
    ContactAnswered,
    /// The customer gave up and was never answered. `[wait, 0, 0]` if `known`.
    ContactAbandoned,
    /// The contact was over and never answered. `[wait, 0, 0]` if `known`.
    ContactUnfinished,
    /// An agent was rung.
    Offer,
    /// The rung agent took it.
    OfferAnswered,
    /// Nobody took it while the agent was rung.
    OfferMissed,
    /// A conversation is over. `[talk, hold, after-work]`.
    Handled,
    /// An agent passed the contact on.
    TransferOut,
    /// A person answered the customer's oldest unanswered message. `[span, 0, 0]`.
    Response,
    /// The contact's first response. `[since the message, since the hand-off, 0]`.
    FirstResponse,
    /// An agent took part in the contact; `resolved` if the contact stands resolved by this agent.
    Taken,
}

impl What {
    /// How many there are.
    pub const COUNT: usize = What::Taken as usize + 1;
}

/// One conclusion, with everything that decides where it is booked. Equal observations count once each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Observation {
    /// When it is booked.
    pub booked: EventTime,
    /// What it says.
    pub what: What,
    /// Whether the wait is known (the moment the leg began was told).
    pub known: bool,
    /// See [`What`].
    pub resolved: bool,
    /// It was told by no fact of its own but follows from another one.
    pub inferred: bool,
    /// Queue of the leg; of a response the queue last named.
    pub queue: Option<Sym>,
    /// The person, where it is about one.
    pub agent: Option<Sym>,
    /// The person's team at `booked`.
    pub team: Option<Sym>,
    /// See [`What`].
    pub values: [i64; 3],
}

impl Observation {
    /// A bare observation without subjects and values.
    pub const fn new(what: What, booked: EventTime) -> Self {
        Self {
            booked,
            what,
            known: false,
            resolved: false,
            inferred: false,
            queue: None,
            agent: None,
            team: None,
            values: [0; 3],
        }
    }
}
