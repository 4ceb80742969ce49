//! A fact that outlives its record: what waits for the settler.

use crate::model::event::{AgentState, Channel, Kind};
use crate::model::fact::Fact;
use crate::model::units::EventTime;
use serde::{Deserialize, Serialize};

macro_rules! held {
    (texts { $($text:ident),* } values { $($value:ident : $type:ty),* }) => {
        /// An owned [`Fact`].
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct HeldFact {
            id: String,
            /// High and low half of the customer's hash.
            customer: Option<[u64; 2]>,
            $($text: Option<String>,)*
            $($value: $type,)*
        }

        impl HeldFact {
            /// Owns a fact.
            pub fn of(fact: &Fact) -> Self {
                Self {
                    id: fact.id.to_owned(),
                    customer: fact.customer.map(|hash| [(hash >> 64) as u64, hash as u64]),
                    $($text: fact.$text.map(str::to_owned),)*
                    $($value: fact.$value,)*
                }
            }

            /// The fact.
            pub fn fact(&self) -> Fact<'_> {
                Fact {
                    id: &self.id,
                    customer: self.customer.map(|[high, low]| u128::from(high) << 64 | u128::from(low)),
                    $($text: self.$text.as_deref(),)*
                    $($value: self.$value,)*
                }
            }
        }
    };
}

held! {
    texts { contact, queue, to_queue, agent, team, period, dimension, assessor, replaces }
    values {
        offset: i64, kind: Kind, time: EventTime, channel: Option<Channel>, automatic: bool,
        internal: bool, state: Option<AgentState>, resolved: Option<bool>, hold_ms: Option<i64>, score: Option<i64>
    }
}
