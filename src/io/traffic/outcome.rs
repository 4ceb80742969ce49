//! What truly happened, in the words of `docs/measures.md`: outcomes, and the columns they count in.

use crate::model::event::AgentState;
use std::collections::BTreeMap;

/// "No queue" and "no agent" in an outcome.
pub(super) const NONE: u32 = u32::MAX;

/// How a leg or a contact was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Lost {
    Abandoned,
    FlowedOut,
    Unfinished,
}

/// One true outcome and the moment at which it is booked. Queues and agents are indices of the centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Outcome {
    pub at: i64,
    pub what: What,
}

/// The kinds of outcomes. Those of the second group are states: they are taken back when they are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum What {
    LegAnswered {
        queue: u32,
        wait: Option<i64>,
    },
    LegLost {
        queue: u32,
        how: Lost,
        wait: Option<i64>,
    },
    LegResolved {
        queue: u32,
    },
    ContactAnswered {
        wait: Option<i64>,
    },
    ContactLost {
        how: Lost,
    },
    ContactResolved,
    Offer {
        agent: u32,
    },
    OfferAnswered {
        agent: u32,
    },
    OfferMissed {
        agent: u32,
    },
    Handled {
        agent: u32,
        queue: u32,
        talk: i64,
        hold: i64,
    },
    AfterWork {
        agent: u32,
        queue: u32,
        span: i64,
    },
    Transferred {
        agent: u32,
        queue: u32,
    },
    Response {
        agent: u32,
        queue: u32,
        span: i64,
    },
    FirstResponse {
        agent: u32,
        queue: u32,
        since_message: i64,
        since_handoff: i64,
    },
    Taken {
        agent: u32,
    },
    TakenResolved {
        agent: u32,
    },
    /// `at` is the answer.
    Segment {
        agent: u32,
        end: i64,
    },

    /// `at` is the entry of an open leg.
    Waiting {
        queue: u32,
    },
    /// `at` is the first ring on an open leg.
    Rung {
        agent: u32,
    },
    /// `at` is the answer of a running segment.
    Running {
        agent: u32,
    },
    /// `at` is the moment of an `agent.state`.
    Declared {
        agent: u32,
        state: AgentState,
    },
}

impl What {
    /// Whose it is.
    pub fn agent(self) -> Option<u32> {
        match self {
            What::Segment { agent, .. } | What::Declared { agent, .. } => Some(agent),
            What::Rung { agent } | What::Running { agent } => Some(agent),
            _ => None,
        }
    }

    /// Whether it is a state or a stretch of time, which counts in no column of its own.
    pub fn is_standing(self) -> bool {
        use What::{Declared, Rung, Running, Segment, Waiting};
        matches!(self, Segment { .. } | Waiting { .. } | Rung { .. } | Running { .. } | Declared { .. })
    }
}

impl Column {
    /// The column of the time in a declared state; signed out is no time.
    pub(super) fn of_state(state: AgentState) -> Option<Column> {
        Some(match state {
            AgentState::LoggedOut => return None,
            AgentState::Available => Column::AvailableMs,
            AgentState::Ringing => Column::RingingMs,
            AgentState::Talking => Column::TalkingMs,
            AgentState::WrapUp => Column::WrapUpMs,
            AgentState::Paused => Column::PausedMs,
        })
    }
}

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// A column of `docs/measures.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Column { $($(#[$doc])* $name,)* }

        /// Names of all columns, as in the JSON `counts`; in the order of [`Column`].
        pub const COLUMNS: &[&str] = &[$($text,)*];
    };
}

columns! {
    Answered "answered",
    Abandoned "abandoned",
    FlowedOut "flowed_out",
    Unfinished "unfinished",
    Waits "waits",
    WaitMs "wait_ms",
    Within "within",
    SlOffered "sl_offered",
    Offers "offers",
    OffersAnswered "offers_answered",
    OffersMissed "offers_missed",
    Handled "handled",
    TalkMs "talk_ms",
    HoldMs "hold_ms",
    AfterWorkMs "after_work_ms",
    Transferred "transferred",
    Responses "responses",
    ResponseMs "response_ms",
    FirstResponses "first_responses",
    FirstSinceMessageMs "first_since_message_ms",
    FirstSinceHandoffMs "first_since_handoff_ms",
    Taken "taken",
    Resolved "resolved",
    AvailableMs "available_ms",
    RingingMs "ringing_ms",
    TalkingMs "talking_ms",
    WrapUpMs "wrap_up_ms",
    PausedMs "paused_ms",
    BusyMs "busy_ms",
    MostAtOnce "most_at_once",
}

/// The columns of one subject in one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row(pub [i64; COLUMNS.len()]);

impl Default for Row {
    fn default() -> Self {
        Row([0; COLUMNS.len()])
    }
}

impl Row {
    /// The value of a column.
    pub fn get(&self, column: Column) -> i64 {
        self.0[column as usize]
    }

    /// Adds to a column.
    pub fn add(&mut self, column: Column, amount: i64) {
        self.0[column as usize] += amount;
    }

    /// Adds another row, column by column.
    pub fn add_row(&mut self, other: &Row) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// The columns by name, noughts left out: as `counts` in the documents.
    pub fn named(&self) -> BTreeMap<String, i64> {
        let columns = COLUMNS.iter().zip(self.0).filter(|(_, value)| *value != 0);
        columns.map(|(name, value)| ((*name).to_owned(), value)).collect()
    }
}

/// Whom an outcome counts for. Queues, agents and teams by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Subject {
    Queue(u32),
    Agent(u32),
    Team(u32),
    Unit,
}

impl Subject {
    /// Kind and index, as places of tables.
    pub fn place(self) -> (usize, usize) {
        match self {
            Subject::Queue(i) => (0, i as usize),
            Subject::Agent(i) => (1, i as usize),
            Subject::Team(i) => (2, i as usize),
            Subject::Unit => (3, 0),
        }
    }
}

/// What booking needs to know about the centre.
#[derive(Debug, Clone, Default)]
pub(super) struct Books {
    /// Team of each agent.
    pub team_of: Vec<u32>,
    /// Threshold of the service level of each queue, ms.
    pub within: Vec<i64>,
}

impl Books {
    /// Calls `add` for each subject and column that the outcome counts in.
    pub fn book(&self, what: What, mut add: impl FnMut(Subject, Column, i64)) {
        use Column as C;
        use Subject::{Queue, Unit};
        match what {
            What::LegAnswered { queue, wait } => {
                add(Queue(queue), C::Answered, 1);
                add(Queue(queue), C::Taken, 1);
                if let Some(wait) = wait {
                    add(Queue(queue), C::Waits, 1);
                    add(Queue(queue), C::WaitMs, wait);
                    add(Queue(queue), C::SlOffered, 1);
                    add(Queue(queue), C::Within, i64::from(wait <= self.within[queue as usize]));
                }
            }
            What::LegLost { queue, how, wait } => {
                add(Queue(queue), lost(how), 1);
                add(Queue(queue), C::SlOffered, i64::from(wait.is_some()));
            }
            What::LegResolved { queue } => add(Queue(queue), C::Resolved, 1),
            What::ContactAnswered { wait } => {
                add(Unit, C::Answered, 1);
                add(Unit, C::Taken, 1);
                if let Some(wait) = wait {
                    add(Unit, C::Waits, 1);
                    add(Unit, C::WaitMs, wait);
                }
            }
            What::ContactLost { how } => add(Unit, lost(how), 1),
            What::ContactResolved => add(Unit, C::Resolved, 1),
            What::Offer { agent } => self.people(agent, NONE, true, &[(C::Offers, 1)], add),
            What::OfferAnswered { agent } => self.people(agent, NONE, true, &[(C::OffersAnswered, 1)], add),
            What::OfferMissed { agent } => self.people(agent, NONE, true, &[(C::OffersMissed, 1)], add),
            What::Handled { agent, queue, talk, hold } => {
                self.people(
                    agent,
                    queue,
                    true,
                    &[(C::Handled, 1), (C::TalkMs, talk), (C::HoldMs, hold)],
                    add,
                );
            }
            What::AfterWork { agent, queue, span } => {
                self.people(agent, queue, true, &[(C::AfterWorkMs, span)], add);
            }
            What::Transferred { agent, queue } => {
                self.people(agent, queue, true, &[(C::Transferred, 1)], add);
            }
            What::Response { agent, queue, span } => {
                self.people(agent, queue, true, &[(C::Responses, 1), (C::ResponseMs, span)], add);
            }
            What::FirstResponse { agent, queue, since_message, since_handoff } => {
                let first = [
                    (C::FirstResponses, 1),
                    (C::FirstSinceMessageMs, since_message),
                    (C::FirstSinceHandoffMs, since_handoff),
                ];
                self.people(agent, queue, true, &first, add);
            }
            What::Taken { agent } => self.people(agent, NONE, false, &[(C::Taken, 1)], add),
            What::TakenResolved { agent } => self.people(agent, NONE, false, &[(C::Resolved, 1)], add),
            _ => debug_assert!(what.is_standing()),
        }
    }

    /// The agent and the team; the queue where there is one; the unit if it counts these things.
    fn people(
        &self,
        agent: u32,
        queue: u32,
        unit: bool,
        amounts: &[(Column, i64)],
        mut add: impl FnMut(Subject, Column, i64),
    ) {
        for (column, amount) in amounts {
            add(Subject::Agent(agent), *column, *amount);
            add(Subject::Team(self.team_of[agent as usize]), *column, *amount);
            if queue != NONE {
                add(Subject::Queue(queue), *column, *amount);
            }
            if unit {
                add(Subject::Unit, *column, *amount);
            }
        }
    }
}

fn lost(how: Lost) -> Column {
    match how {
        Lost::Abandoned => Column::Abandoned,
        Lost::FlowedOut => Column::FlowedOut,
        Lost::Unfinished => Column::Unfinished,
    }
}
