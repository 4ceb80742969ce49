//! A fact: a validated event with its position, as it stands in the log.

use super::event::{AgentState, Channel, Kind};
use super::units::EventTime;

/// Score marks and ratings are kept in millionths: exact for up to six decimals, integers only in the log.
pub const SCORE_SCALE: i64 = 1_000_000;

/// A validated event. Texts are borrowed from the record it was read from.
///
/// Identity is `id` within its group (the contact; else kind and agent; else period and agent). `replaces` names the
/// event that this one voids: a `fact.replaced` arrives as the corrected fact with `replaces` set, a `fact.voided` as
/// [`Kind::Voided`] with `replaces` set. Voiding holds whatever arrives first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact<'a> {
    /// Offset of the event in its source partition (a line number or a sequence for sources that are not Kafka).
    pub offset: i64,
    /// What happened.
    pub kind: Kind,
    /// When, by the producer's word.
    pub time: EventTime,
    /// The event's own identifier.
    pub id: &'a str,
    /// The contact it belongs to.
    pub contact: Option<&'a str>,
    /// The queue it names.
    pub queue: Option<&'a str>,
    /// Where a transfer goes.
    pub to_queue: Option<&'a str>,
    /// Who acted (or on whose list an automatic act was).
    pub agent: Option<&'a str>,
    /// The team the producer names; the roster decides.
    pub team: Option<&'a str>,
    /// Keyed hash of the customer.
    pub customer: Option<u128>,
    /// Channel of the contact.
    pub channel: Option<Channel>,
    /// A machine acted, not a person.
    pub automatic: bool,
    /// The customer cannot see it.
    pub internal: bool,
    /// `agent.state`: the state entered.
    pub state: Option<AgentState>,
    /// A yes or no about the matter being solved (`survey.answered`, `contact.ended`).
    pub resolved: Option<bool>,
    /// `contact.held`: length of the hold in ms.
    pub hold_ms: Option<i64>,
    /// Survey or rating mark in millionths (see [`SCORE_SCALE`]).
    pub score: Option<i64>,
    /// `rating`: the period it belongs to, such as `2026-10`.
    pub period: Option<&'a str>,
    /// `rating`: what is rated.
    pub dimension: Option<&'a str>,
    /// `rating`: who rated.
    pub assessor: Option<&'a str>,
    /// The event that this one voids.
    pub replaces: Option<&'a str>,
}

impl<'a> Fact<'a> {
    /// A bare fact; the caller fills in what its kind says.
    pub const fn new(kind: Kind, time: EventTime, id: &'a str) -> Self {
        Self {
            offset: 0,
            kind,
            time,
            id,
            contact: None,
            queue: None,
            to_queue: None,
            agent: None,
            team: None,
            customer: None,
            channel: None,
            automatic: false,
            internal: false,
            state: None,
            resolved: None,
            hold_ms: None,
            score: None,
            period: None,
            dimension: None,
            assessor: None,
            replaces: None,
        }
    }
}
