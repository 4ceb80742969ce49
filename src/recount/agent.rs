//! An agent's time and state: `docs/measures.md`, sections 6 and 7, from the declared states and the conversations.

use super::group::Kept;
use super::zone::Range;
use super::{Name, Recount};
use crate::model::event::AgentState;
use std::collections::BTreeMap;

/// What an agent is doing, since when.
pub(super) type Doing = (AgentState, i64);

/// The states an agent declared, in order; those without a state left out.
fn declared<'a>(recount: &'a Recount, agent: &str) -> Vec<&'a Kept> {
    let standing = recount.agents.get(agent).map(|group| group.standing()).unwrap_or_default();
    standing.into_iter().filter(|fact| fact.state.is_some()).collect()
}

/// The team that the agent's declared state named.
pub(super) fn declared_team(recount: &Recount, agent: &str) -> Option<Name> {
    declared(recount, agent).last().and_then(|fact| fact.team.clone())
}

/// Everybody's state, if it is known; and how many conversations run.
pub(super) fn doing(recount: &Recount) -> BTreeMap<Name, (Option<Doing>, i64)> {
    let mut all: BTreeMap<Name, (Option<Doing>, i64)> = BTreeMap::new();
    let (talking, ringing) = engaged(recount);
    let names = recount.agents.keys().chain(talking.keys()).chain(ringing.keys());
    for agent in names {
        let states = declared(recount, agent);
        let last = states.last().and_then(|fact| Some((fact.state?, fact.time)));
        let calls = talking.get(agent).map(Vec::as_slice).unwrap_or_default();
        let rings = ringing.get(agent).map(Vec::as_slice).unwrap_or_default();
        all.insert(agent.clone(), (state(last, calls, rings), calls.len() as i64));
    }
    all
}

fn state(declared: Option<Doing>, calls: &[i64], rings: &[i64]) -> Option<Doing> {
    if let Some(since) = calls.iter().min() {
        let left = matches!(declared, Some((AgentState::LoggedOut, at)) if at > *since);
        if !left {
            return Some((AgentState::Talking, *since));
        }
    }
    let free = matches!(declared, None | Some((AgentState::Available | AgentState::Ringing, _)));
    match rings.iter().min() {
        Some(since) if free => Some((AgentState::Ringing, *since)),
        _ => declared,
    }
}

/// When each agent's running conversations began, and when each was rung on a leg that still waits.
fn engaged(recount: &Recount) -> (BTreeMap<Name, Vec<i64>>, BTreeMap<Name, Vec<i64>>) {
    let (mut talking, mut ringing) = (BTreeMap::<Name, Vec<i64>>::new(), BTreeMap::<Name, Vec<i64>>::new());
    for contact in recount.contacts.values() {
        if let Some((agent, begin)) =
            contact.story.running().and_then(|segment| Some((segment.agent.clone()?, segment.begin)))
        {
            talking.entry(agent).or_default().push(begin);
        }
        for ring in contact.story.open().map(|leg| leg.rings.as_slice()).unwrap_or_default() {
            ringing.entry(ring.agent.clone()).or_default().push(ring.at);
        }
    }
    (talking, ringing)
}

/// Time by state, busy time and the most conversations at once, within `span` and up to `now`.
pub(super) fn time(recount: &Recount, agent: &str, span: &Range, now: i64) -> BTreeMap<&'static str, i64> {
    let mut counts = BTreeMap::new();
    let states = declared(recount, agent);
    for (number, fact) in states.iter().enumerate() {
        let end = states.get(number + 1).map_or(now, |next| next.time);
        if let Some(column) = fact.state.and_then(column) {
            *counts.entry(column).or_insert(0) +=
                clip(fact.time..end.min(now), span).map_or(0, |piece| piece.end - piece.start);
        }
    }
    let pieces = conversations(recount, agent, span, now);
    counts.insert("busy_ms", union(&pieces));
    counts.insert("most_at_once", most_at_once(&pieces));
    counts
}

/// The agent's conversations, clipped; those of no length left out.
fn conversations(recount: &Recount, agent: &str, span: &Range, now: i64) -> Vec<Range> {
    let segments = recount.contacts.values().flat_map(|contact| &contact.story.segments);
    segments
        .filter(|segment| segment.agent.as_deref() == Some(agent))
        .filter_map(|segment| clip(segment.begin..segment.end.unwrap_or(now).min(now), span))
        .collect()
}

fn clip(piece: Range, span: &Range) -> Option<Range> {
    let clipped = piece.start.max(span.start)..piece.end.min(span.end);
    (clipped.start < clipped.end).then_some(clipped)
}

fn union(pieces: &[Range]) -> i64 {
    let mut sorted = pieces.to_vec();
    sorted.sort_by_key(|piece| piece.start);
    let (mut total, mut reached) = (0, i64::MIN);
    for piece in sorted {
        total += (piece.end - reached.max(piece.start)).max(0);
        reached = reached.max(piece.end);
    }
    total
}

/// At the beginning of each conversation: how many run then.
fn most_at_once(pieces: &[Range]) -> i64 {
    let running = |at: i64| pieces.iter().filter(|piece| piece.contains(&at)).count() as i64;
    pieces.iter().map(|piece| running(piece.start)).max().unwrap_or(0)
}

fn column(state: AgentState) -> Option<&'static str> {
    Some(match state {
        AgentState::LoggedOut => return None,
        AgentState::Available => "available_ms",
        AgentState::Ringing => "ringing_ms",
        AgentState::Talking => "talking_ms",
        AgentState::WrapUp => "wrap_up_ms",
        AgentState::Paused => "paused_ms",
    })
}
