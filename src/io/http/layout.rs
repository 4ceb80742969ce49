//! What stands where on the page: queues, teams and agents in their fixed order. Rows never move while it holds.

use std::collections::BTreeMap;

use super::texts::Lang;
use crate::engine::definitions::{Definitions, Names, Person, Queue};
use crate::engine::output::SubjectKind;
use crate::io::read_model::Documents;
use crate::model::units::hash64;

/// Agents that the page shows at most; the rest is on the API.
const MOST_AGENTS: usize = 600;

/// The page's rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layout {
    /// Queues in the order of the definitions, then those that only the values know.
    pub queues: Vec<Queue>,
    /// Teams with their agents.
    pub teams: Vec<TeamRows>,
    /// Agents that found no room.
    pub left_out: usize,
}

/// A team and its agents, in roster order.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamRows {
    /// Identifier; empty for agents without a team.
    pub id: String,
    /// Display names.
    pub names: Names,
    /// Agents with the number that their cells carry.
    pub agents: Vec<AgentRow>,
}

/// An agent's row.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentRow {
    /// Number of its cells.
    pub number: usize,
    /// Identifier.
    pub id: String,
    /// Display names.
    pub names: Names,
}

impl Layout {
    /// The layout that these documents need.
    pub fn of(documents: &Documents) -> Self {
        let definitions = &documents.definitions;
        let people = people(documents);
        let shown = people.len().min(MOST_AGENTS);
        Self {
            queues: queues(documents),
            teams: teams(definitions, &people[..shown]),
            left_out: people.len() - shown,
        }
    }

    /// Changes exactly when a page has to be loaded anew; the same on every instance of the same build.
    pub fn fingerprint(&self) -> String {
        let text = format!("{} {self:?}", super::assets::version());
        format!("{:016x}", hash64(&text))
    }
}

impl TeamRows {
    /// The name in a language.
    pub fn name(&self, lang: Lang) -> &str {
        lang.name(&self.names, &self.id)
    }
}

fn queues(documents: &Documents) -> Vec<Queue> {
    let mut queues = documents.definitions.queues.clone();
    for live in documents.lives(SubjectKind::Queue) {
        if !queues.iter().any(|queue| queue.id == live.id) {
            queues.push(unknown_queue(&live.id));
        }
    }
    queues
}

/// A queue that the definitions do not name has no target and no limit.
fn unknown_queue(id: &str) -> Queue {
    Queue {
        id: id.to_owned(),
        names: Names::default(),
        channel: String::new(),
        dialect: String::new(),
        within_ms: 0,
        service_level_target: 0,
        wait_limit_ms: 0,
        answer_rate_target: 0,
    }
}

/// `(agent, names, team)`: the roster's people of now; without a roster, whoever was seen.
fn people(documents: &Documents) -> Vec<(String, Names, String)> {
    let roster = &documents.definitions.roster;
    if roster.is_empty() {
        let seen = documents.lives(SubjectKind::Agent);
        return seen
            .map(|live| (live.id.clone(), Names::default(), live.now.team.clone().unwrap_or_default()))
            .collect();
    }
    let at = documents.live_clock().map(|clock| clock.0);
    let here = roster.iter().filter(|person| is_here(person, at));
    let mut seen = std::collections::BTreeSet::new();
    here.filter(|person| seen.insert(person.agent.as_str()))
        .map(|person| (person.agent.clone(), person.names.clone(), person.team.clone()))
        .collect()
}

fn is_here(person: &Person, at: Option<i64>) -> bool {
    at.is_none_or(|at| person.from.is_none_or(|from| from <= at) && person.to.is_none_or(|to| at < to))
}

fn teams(definitions: &Definitions, people: &[(String, Names, String)]) -> Vec<TeamRows> {
    let mut order: Vec<(String, Names)> =
        definitions.teams.iter().map(|team| (team.id.clone(), team.names.clone())).collect();
    let mut members: BTreeMap<&str, Vec<&(String, Names, String)>> = BTreeMap::new();
    for person in people {
        members.entry(&person.2).or_default().push(person);
    }
    for team in members.keys() {
        if !order.iter().any(|(id, _)| id == team) {
            order.push(((*team).to_owned(), Names::default()));
        }
    }
    let mut number = 0;
    let mut rows = Vec::new();
    for (id, names) in order {
        let agents = members.remove(id.as_str()).unwrap_or_default().into_iter().map(|(agent, names, _)| {
            number += 1;
            AgentRow { number: number - 1, id: agent.clone(), names: names.clone() }
        });
        rows.push(TeamRows { agents: agents.collect(), id, names });
    }
    rows.retain(|team| !team.agents.is_empty());
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::read_model::ReadModel;
    use crate::model::units::LogTime;

    fn person(agent: &str, team: &str, from: Option<i64>, to: Option<i64>) -> Person {
        let (role, queues) = (String::new(), Vec::new());
        Person { agent: agent.into(), names: Names::default(), team: team.into(), role, queues, from, to }
    }

    #[test]
    fn agents_stand_in_roster_order_and_only_while_they_are_here() {
        let model = ReadModel::default();
        let roster = vec![
            person("b", "t2", None, None),
            person("a", "t1", None, Some(50)),
            person("c", "t1", Some(10), None),
            person("d", "t2", Some(100), None),
        ];
        model.define(Definitions { roster, ..Definitions::default() });
        let clock = crate::engine::output::Clock {
            domain: 0,
            live: LogTime(60),
            settle: None,
            coverage: Default::default(),
            sources: Vec::new(),
            counters: BTreeMap::new(),
            period: None,
        };
        model.put([crate::engine::output::Output::Clock(clock)]);
        let layout = Layout::of(&model.snapshot());
        let ids: Vec<_> =
            layout.teams.iter().flat_map(|t| t.agents.iter().map(|a| (a.id.as_str(), a.number))).collect();
        assert_eq!(ids, [("c", 0), ("b", 1)]);
    }

    #[test]
    fn the_fingerprint_follows_the_rows() {
        let model = ReadModel::default();
        let empty = Layout::of(&model.snapshot()).fingerprint();
        assert_eq!(empty, Layout::of(&model.snapshot()).fingerprint());
        model.define(Definitions { roster: vec![person("a", "t", None, None)], ..Definitions::default() });
        assert_ne!(empty, Layout::of(&model.snapshot()).fingerprint());
    }
}
