//! The input contract's vocabulary: what can happen, and what an event may say.
//!
//! One JSON object a record; required are `id`, `type`, `time`. The types below are interpreted; any other type is
//! valid, counted, and moves no measure. `wire::native` reads the JSON, this module only knows the words.

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal $text:literal,)*) => {
        /// What happened. The numbers are the closed, append-only codes of the facts record; the order of the
        /// variants is the contact's life, by which events of the same instant are ordered.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $name = $code,)* }

        impl Kind {
            /// Every kind, in the order of a contact's life.
            pub const ALL: &[Kind] = &[$(Kind::$name),*];

            /// The `type` of the input contract; for [`Kind::Other`] the text is the producer's own.
            pub const fn text(self) -> &'static str {
                match self { $(Kind::$name => $text,)* }
            }

            /// The kind of a `type` text; an unknown text is [`Kind::Other`].
            pub fn of(text: &str) -> Kind {
                match text { $($text => Kind::$name,)* _ => Kind::Other }
            }

            /// The kind of a code of the facts record.
            pub const fn from_code(code: u8) -> Option<Kind> {
                match code { $($code => Some(Kind::$name),)* _ => None }
            }
        }
    };
}

kinds! {
    /// A ticket came to be; it waits for a first response from here.
    TicketOpened = 1 "ticket.opened",
    /// A contact entered `queue`: a leg begins.
    Queued = 2 "contact.queued",
    /// The customer wrote.
    CustomerMessage = 3 "message.customer",
    /// `agent` was rung for the contact.
    Offered = 4 "contact.offered",
    /// `agent` took the contact.
    Answered = 5 "contact.answered",
    /// `agent` wrote; `automatic` for a bot, `internal` for a note that the customer cannot read.
    AgentMessage = 6 "message.agent",
    /// The customer was on hold for `hold_ms`, ending now.
    Held = 7 "contact.held",
    /// The contact leaves its queue or agent for `to_queue` (or an unnamed place).
    Transferred = 8 "contact.transferred",
    /// The customer gave up while waiting.
    Abandoned = 9 "contact.abandoned",
    /// The contact is over.
    Ended = 10 "contact.ended",
    /// After-contact work of `agent` on the contact is done.
    WrappedUp = 11 "contact.wrapped_up",
    /// `agent` solved the matter; `automatic` ones (inactivity, sweeps) are no person's act.
    Resolved = 12 "ticket.resolved",
    /// The matter came back.
    Reopened = 13 "ticket.reopened",
    /// The ticket was filed away: solves nothing by itself.
    Closed = 14 "ticket.closed",
    /// The customer answered a survey: `score`, and perhaps `resolved`.
    Survey = 15 "survey.answered",
    /// `agent` is in `state` from now on.
    AgentState = 16 "agent.state",
    /// A mark: `score` of `agent` in `dimension` by `assessor` for `period`.
    Rating = 17 "rating",
    /// The event `target` never happened.
    Voided = 18 "fact.voided",
    /// Any other type: counted, interpreted by nobody.
    Other = 255 "",
}

/// How the customer came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Channel {
    /// Telephone.
    Voice = 1,
    /// Chat and messaging.
    Chat = 2,
    /// Mail.
    Email = 3,
    /// Anything else.
    Other = 255,
}

impl Channel {
    /// The channel of a text of the input contract.
    pub fn of(text: &str) -> Channel {
        match text {
            "voice" => Channel::Voice,
            "chat" => Channel::Chat,
            "email" => Channel::Email,
            _ => Channel::Other,
        }
    }

    /// The text of the input contract.
    pub const fn text(self) -> &'static str {
        match self {
            Channel::Voice => "voice",
            Channel::Chat => "chat",
            Channel::Email => "email",
            Channel::Other => "other",
        }
    }

    /// The channel of a code of the facts record.
    pub const fn from_code(code: u8) -> Option<Channel> {
        match code {
            1 => Some(Channel::Voice),
            2 => Some(Channel::Chat),
            3 => Some(Channel::Email),
            255 => Some(Channel::Other),
            _ => None,
        }
    }
}

/// What an agent declares to be doing (`agent.state`). Talking, ringing and wrap-up also follow from contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum AgentState {
    /// Signed out: not on shift.
    LoggedOut = 0,
    /// Ready for the next contact.
    Available = 1,
    /// Being rung.
    Ringing = 2,
    /// In contact with a customer.
    Talking = 3,
    /// After-contact work.
    WrapUp = 4,
    /// Break, lunch, training: on shift, not ready.
    Paused = 5,
}

impl AgentState {
    /// Every state, in the order of the board.
    pub const ALL: [AgentState; 6] = [
        AgentState::Talking,
        AgentState::Ringing,
        AgentState::WrapUp,
        AgentState::Available,
        AgentState::Paused,
        AgentState::LoggedOut,
    ];

    /// The state of a text of the input contract; `None` for a text it does not know.
    pub fn of(text: &str) -> Option<AgentState> {
        Some(match text {
            "logged_out" => AgentState::LoggedOut,
            "available" => AgentState::Available,
            "ringing" => AgentState::Ringing,
            "talking" => AgentState::Talking,
            "wrap_up" => AgentState::WrapUp,
            "paused" => AgentState::Paused,
            _ => return None,
        })
    }

    /// The text of the input contract.
    pub const fn text(self) -> &'static str {
        match self {
            AgentState::LoggedOut => "logged_out",
            AgentState::Available => "available",
            AgentState::Ringing => "ringing",
            AgentState::Talking => "talking",
            AgentState::WrapUp => "wrap_up",
            AgentState::Paused => "paused",
        }
    }

    /// The state of a code of the facts record.
    pub const fn from_code(code: u8) -> Option<AgentState> {
        Some(match code {
            0 => AgentState::LoggedOut,
            1 => AgentState::Available,
            2 => AgentState::Ringing,
            3 => AgentState::Talking,
            4 => AgentState::WrapUp,
            5 => AgentState::Paused,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_keep_their_codes_and_texts() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(*kind as u8), Some(*kind));
            assert_eq!(Kind::of(kind.text()), *kind);
        }
        assert_eq!(Kind::of("order.placed"), Kind::Other);
    }

    #[test]
    fn events_of_one_instant_are_ordered_by_the_contacts_life() {
        assert!(Kind::Queued < Kind::Offered && Kind::Offered < Kind::Answered);
        assert!(Kind::Answered < Kind::Transferred && Kind::Transferred < Kind::Ended);
        assert!(Kind::Ended < Kind::WrappedUp);
    }
}
