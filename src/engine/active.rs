//! The definitions in force, compiled: symbols instead of texts, edges instead of zones, cards instead of files.

use super::definitions::Definitions;
use crate::model::calendar::Calendar;
use crate::model::event::Channel;
use crate::model::roster::{Roster, Stint};
use crate::model::scorecard::Card;
use crate::model::units::{EventTime, Names, Sym};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Definitions with everything that is derived from them.
#[derive(Debug)]
pub struct Active {
    /// As activated.
    pub definitions: Definitions,
    /// SHA-256 of the definitions, hex.
    pub hash: String,
    /// Days and months of the unit.
    pub calendar: Calendar,
    /// Who is where.
    pub roster: Roster,
    /// Defined queues by symbol.
    pub queues: BTreeMap<Sym, QueueTerms>,
    /// Scorecards in the order of the definitions.
    pub cards: Vec<ActiveCard>,
}

/// What a queue is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueTerms {
    /// Place in the definitions.
    pub index: usize,
    /// Threshold of the service level, ms.
    pub within_ms: i64,
    /// Channel.
    pub channel: Channel,
}

/// A scorecard and the hash of its file.
#[derive(Debug)]
pub struct ActiveCard {
    /// The card.
    pub card: Card,
    /// SHA-256 of the file's text, hex.
    pub hash: String,
}

impl Active {
    /// Compiles definitions.
    ///
    /// # Errors
    /// Every problem in words: an unknown zone, a card that cannot be read, an identifier used twice.
    pub fn compile(definitions: Definitions, names: &mut Names) -> Result<Self, Vec<String>> {
        let mut problems = duplicates(&definitions);
        let calendar = Calendar::new(&definitions.unit.zone).map_err(|e| problems.push(e.to_string())).ok();
        let mut cards = Vec::new();
        for file in &definitions.cards {
            match Card::parse(&file.id, &file.text) {
                Ok(card) => cards.push(ActiveCard { card, hash: hex(&Sha256::digest(file.text.as_bytes())) }),
                Err(found) => problems.push(format!("scorecard {}: {found}", file.id)),
            }
        }
        let Some(calendar) = calendar.filter(|_| problems.is_empty()) else { return Err(problems) };
        Ok(Self {
            hash: definitions.hash(),
            calendar,
            roster: roster(&definitions, names),
            queues: queues(&definitions, names),
            cards,
            definitions,
        })
    }

    /// Service-level threshold of a queue; `None` for one that is not defined.
    pub fn within_ms(&self, queue: Sym) -> Option<i64> {
        self.queues.get(&queue).map(|terms| terms.within_ms)
    }
}

fn roster(definitions: &Definitions, names: &mut Names) -> Roster {
    let stints = definitions.roster.iter().map(|person| Stint {
        agent: names.intern(&person.agent),
        from: EventTime(person.from.unwrap_or(i64::MIN)),
        to: EventTime(person.to.unwrap_or(i64::MAX)),
        team: names.intern(&person.team),
        role: names.intern(&person.role),
        queues: person.queues.iter().map(|queue| names.intern(queue)).collect(),
    });
    Roster::new(stints.collect())
}

fn queues(definitions: &Definitions, names: &mut Names) -> BTreeMap<Sym, QueueTerms> {
    let terms = definitions.queues.iter().enumerate().map(|(index, queue)| {
        let channel = Channel::of(&queue.channel);
        (names.intern(&queue.id), QueueTerms { index, within_ms: queue.within_ms, channel })
    });
    terms.collect()
}

fn duplicates(definitions: &Definitions) -> Vec<String> {
    let lists: [(&str, Vec<&str>); 4] = [
        ("queue", definitions.queues.iter().map(|q| q.id.as_str()).collect()),
        ("team", definitions.teams.iter().map(|t| t.id.as_str()).collect()),
        ("alert rule", definitions.alerts.iter().map(|r| r.id.as_str()).collect()),
        ("scorecard", definitions.cards.iter().map(|c| c.id.as_str()).collect()),
    ];
    let mut problems = Vec::new();
    for (what, ids) in lists {
        let mut seen = std::collections::BTreeSet::new();
        problems.extend(
            ids.iter().filter(|id| !seen.insert(**id)).map(|id| format!("{what} `{id}` is defined twice")),
        );
    }
    problems
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
