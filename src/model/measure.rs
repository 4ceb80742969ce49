//! Columns and rows: observations become numbers here and nowhere else.
//!
//! A row holds the numbers of one subject in one window, day or month. [`Row::apply`] is the only writer, and it can
//! take back what it has booked: numbers are sums, so the order of bookings does not matter. Which columns an
//! observation moves, for which kind of subject, stands in one table (`docs/measures.md`, section 4).

mod program;

use super::contact::{Observation, What};
use serde::{Deserialize, Serialize};
use std::ops::{AddAssign, SubAssign};

/// Whose numbers: the key prefix on `kpi-live`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A queue: visits (legs).
    Queue,
    /// A team: the sum of its agents.
    Team,
    /// The business unit: customers (contacts).
    Unit,
    /// An agent.
    Agent,
}

impl SubjectKind {
    /// Every kind.
    pub const ALL: [SubjectKind; 4] =
        [SubjectKind::Queue, SubjectKind::Team, SubjectKind::Unit, SubjectKind::Agent];

    /// Whether an observation moves any number of such a subject.
    pub fn counts(self, what: What) -> bool {
        !program::of(self, what).is_empty()
    }
}

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// One number of a row; the names are those of the JSON `counts`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Column { $($(#[$doc])* $name,)* }

        impl Column {
            /// Every column, in the order of a row.
            pub const ALL: &[Column] = &[$(Column::$name),*];

            /// Its name in outputs.
            pub const fn name(self) -> &'static str {
                match self { $(Column::$name => $text,)* }
            }
        }
    };
}

columns! {
    /// Visits (queue) or contacts (unit) that were answered.
    Answered "answered",
    /// Visits or contacts that the customer gave up.
    Abandoned "abandoned",
    /// Visits that left for another place.
    FlowedOut "flowed_out",
    /// Visits or contacts that were over without an outcome.
    Unfinished "unfinished",
    /// Answered ones whose wait is known.
    Waits "waits",
    /// Sum of those waits, ms.
    WaitMs "wait_ms",
    /// Visits answered within the queue's threshold.
    Within "within",
    /// Visits with an outcome whose entry is known: what the service level is a share of.
    SlOffered "sl_offered",
    /// Agents' rings, one for each agent and visit.
    Offers "offers",
    /// Those that the agent took.
    OffersAnswered "offers_answered",
    /// Those of visits that nobody took.
    OffersMissed "offers_missed",
    /// Conversations that are over.
    Handled "handled",
    /// Time in conversation, holds left out, ms.
    TalkMs "talk_ms",
    /// Time on hold, ms.
    HoldMs "hold_ms",
    /// Work after the conversation, ms.
    AfterWorkMs "after_work_ms",
    /// Contacts passed on by an agent.
    Transferred "transferred",
    /// Responses of a person to a waiting customer message.
    Responses "responses",
    /// Sum of the spans since the oldest unanswered message, ms.
    ResponseMs "response_ms",
    /// First responses of contacts.
    FirstResponses "first_responses",
    /// Their spans since the customer's message, ms.
    FirstSinceMessageMs "first_since_message_ms",
    /// Their spans since the later of that message and the hand-off to a queue, ms.
    FirstSinceHandoffMs "first_since_handoff_ms",
    /// Answered visits (queue), answered contacts (unit), contacts taken part in (agent, team).
    Taken "taken",
    /// Those that stand resolved (agent: by that agent).
    Resolved "resolved",
}

impl Column {
    /// How many there are.
    pub const COUNT: usize = Column::Resolved as usize + 1;
}

/// The numbers of one subject in one view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Row([i64; Column::COUNT]);

impl Row {
    /// Books an observation for a subject of this kind (`sign` 1), or takes a booking back (`sign` -1).
    ///
    /// `within_ms` is the threshold of the subject's service level: a wait of exactly so long is within.
    /// `None` for subjects without one: they have no service level, neither numerator nor denominator.
    pub fn apply(&mut self, observation: &Observation, sign: i64, kind: SubjectKind, within_ms: Option<i64>) {
        for step in program::of(kind, observation.what) {
            self.0[step.column as usize] += sign * step.amount(observation, within_ms);
        }
    }

    /// One number.
    pub fn get(&self, column: Column) -> i64 {
        self.0[column as usize]
    }

    /// The sum of some columns.
    pub fn sum(&self, columns: &[Column]) -> i64 {
        columns.iter().map(|column| self.get(*column)).sum()
    }

    /// Whether every number is zero.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|number| *number == 0)
    }

    /// Every column with its number.
    pub fn iter(&self) -> impl Iterator<Item = (Column, i64)> + '_ {
        Column::ALL.iter().map(|column| (*column, self.get(*column)))
    }
}

impl AddAssign<&Row> for Row {
    fn add_assign(&mut self, other: &Row) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine += theirs);
    }
}

impl SubAssign<&Row> for Row {
    fn sub_assign(&mut self, other: &Row) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine -= theirs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::units::EventTime;

    fn observed(what: What, known: bool, resolved: bool, values: [i64; 3]) -> Observation {
        Observation { known, resolved, values, ..Observation::new(what, EventTime(0)) }
    }

    fn booked(kind: SubjectKind, observation: &Observation) -> Vec<(&'static str, i64)> {
        let mut row = Row::default();
        row.apply(observation, 1, kind, Some(20_000));
        row.iter()
            .filter(|(_, number)| *number != 0)
            .map(|(column, number)| (column.name(), number))
            .collect()
    }

    #[test]
    fn a_wait_of_exactly_the_threshold_is_within() {
        let answered =
            |wait| booked(SubjectKind::Queue, &observed(What::LegAnswered, true, false, [wait, 0, 0]));
        let late = [("answered", 1), ("waits", 1), ("wait_ms", 20_001), ("sl_offered", 1), ("taken", 1)];
        assert_eq!(answered(20_001), late);
        assert!(answered(20_000).contains(&("within", 1)));
    }

    #[test]
    fn a_queue_that_is_not_defined_has_no_service_level() {
        let mut row = Row::default();
        row.apply(&observed(What::LegAnswered, true, false, [5, 0, 0]), 1, SubjectKind::Queue, None);
        assert_eq!((row.get(Column::Waits), row.get(Column::SlOffered), row.get(Column::Within)), (1, 0, 0));
    }

    #[test]
    fn an_unknown_wait_is_no_sample_of_any_kind() {
        let answered = observed(What::LegAnswered, false, true, [0; 3]);
        assert_eq!(booked(SubjectKind::Queue, &answered), [("answered", 1), ("taken", 1), ("resolved", 1)]);
        let abandoned = observed(What::LegAbandoned, false, false, [0; 3]);
        assert_eq!(booked(SubjectKind::Queue, &abandoned), [("abandoned", 1)]);
    }

    #[test]
    fn the_queue_sees_visits_the_unit_customers_the_agent_offers() {
        let leg = observed(What::LegAbandoned, true, false, [5, 0, 0]);
        assert_eq!(booked(SubjectKind::Queue, &leg), [("abandoned", 1), ("sl_offered", 1)]);
        assert!(
            !SubjectKind::Unit.counts(What::LegAbandoned) && !SubjectKind::Agent.counts(What::LegAbandoned)
        );
        let contact = observed(What::ContactAnswered, true, false, [75_000, 0, 0]);
        let unit = [("answered", 1), ("waits", 1), ("wait_ms", 75_000), ("taken", 1)];
        assert_eq!(booked(SubjectKind::Unit, &contact), unit);
        assert!(!SubjectKind::Queue.counts(What::ContactAnswered) && !SubjectKind::Queue.counts(What::Offer));
        let taken = observed(What::Taken, false, true, [0; 3]);
        assert_eq!(booked(SubjectKind::Team, &taken), [("taken", 1), ("resolved", 1)]);
        assert!(!SubjectKind::Unit.counts(What::Taken));
    }

    #[test]
    fn a_conversation_books_its_parts_for_everybody() {
        let handled = observed(What::Handled, false, false, [100, 20, 3]);
        for kind in SubjectKind::ALL {
            let parts = [("handled", 1), ("talk_ms", 100), ("hold_ms", 20), ("after_work_ms", 3)];
            assert_eq!(booked(kind, &handled), parts);
        }
    }

    #[test]
    fn what_is_taken_back_leaves_nothing() {
        let mut row = Row::default();
        let response = observed(What::FirstResponse, false, false, [640_000, 40_000, 0]);
        row.apply(&response, 1, SubjectKind::Agent, None);
        assert_eq!(row.get(Column::FirstSinceHandoffMs), 40_000);
        row.apply(&response, -1, SubjectKind::Agent, None);
        assert!(row.is_zero());
    }
}
