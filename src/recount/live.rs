//! The documents of `kpi-live`, each from a walk over all bookings.

use super::agent::{self, Doing};
use super::book::{self, Booking};
use super::zone::{self, Range};
use super::{Name, Recount};
use crate::engine::output::{Live, Now, SubjectKind, Window};
use crate::model::event::AgentState;
use crate::model::units::{EventTime, Fraction, LogTime, MINUTE};
use std::collections::{BTreeMap, BTreeSet};

type Counts = BTreeMap<String, i64>;

/// The sliding windows by name, ms.
pub(super) const SLIDING: [(&str, i64); 3] = [("5m", 5 * MINUTE), ("30m", 30 * MINUTE), ("1h", 60 * MINUTE)];

/// Everything that a window of this name holds at `now`.
pub(super) fn window(zone: &str, name: &str, now: i64) -> Option<Range> {
    if let Some((_, length)) = SLIDING.iter().find(|(sliding, _)| *sliding == name) {
        let slice = length / 60;
        return Some(now.div_euclid(slice) * slice - length..i64::MAX);
    }
    match name {
        "day" => Some(zone::day(zone, now)),
        "month" => Some(zone::month(zone, now)),
        _ => None,
    }
}

pub(super) fn live(recount: &Recount, kind: SubjectKind, id: &str) -> Live {
    let now = recount.sources.live();
    let windows = crate::engine::output::WINDOWS.iter().filter_map(|name| {
        let span = window(&recount.definitions.unit.zone, name, now)?;
        let timed = kind == SubjectKind::Agent && !SLIDING.iter().any(|(sliding, _)| sliding == name);
        let mut counts = counts(recount, kind, id, span.clone());
        if timed {
            let time = agent::time(recount, id, &span, now);
            counts
                .extend(time.into_iter().filter(|(_, ms)| *ms != 0).map(|(name, ms)| (name.to_owned(), ms)));
        }
        Some(((*name).to_owned(), Window { kpis: kpis(kind, &counts), counts }))
    });
    Live {
        subject: kind,
        id: id.to_owned(),
        as_of: LogTime(now),
        coverage: recount.sources.coverage((kind == SubjectKind::Queue).then_some(id)),
        now: state(recount, kind, id, now),
        windows: windows.collect(),
    }
}

/// The sums of a subject's bookings within a span, noughts left out.
pub(super) fn counts(recount: &Recount, kind: SubjectKind, id: &str, span: Range) -> Counts {
    let mut counts = Counts::new();
    let bookings = recount.contacts.values().flat_map(|contact| &contact.bookings);
    for booking in
        bookings.filter(|booking| span.contains(&booking.at) && concerns(recount, booking, kind, id))
    {
        for (column, by) in &booking.adds {
            *counts.entry((*column).to_owned()).or_insert(0) += by;
        }
    }
    counts.retain(|_, count| *count != 0);
    counts
}

fn concerns(recount: &Recount, booking: &Booking, kind: SubjectKind, id: &str) -> bool {
    match kind {
        SubjectKind::Queue => booking.queue.as_deref() == Some(id),
        SubjectKind::Team => booking.team.as_deref() == Some(id),
        SubjectKind::Agent => booking.agent.as_deref() == Some(id),
        SubjectKind::Unit => booking.unit && recount.definitions.unit.id == id,
    }
}

/// Every KPI of a kind of subject, from its counts.
pub(super) fn kpis(kind: SubjectKind, counts: &Counts) -> BTreeMap<String, Fraction> {
    let sum = |names: &[&str]| names.iter().filter_map(|name| counts.get(*name)).sum::<i64>();
    let of = |above: &[&str], below: &[&str]| Fraction::new(sum(above), sum(below));
    let mut kpis = BTreeMap::new();
    if matches!(kind, SubjectKind::Queue | SubjectKind::Unit) {
        let outcomes = ["answered", "abandoned", "flowed_out", "unfinished"];
        kpis.insert("answer_rate", of(&["answered"], &outcomes));
        kpis.insert("abandonment_rate", of(&["abandoned"], &outcomes));
        kpis.insert("average_speed_of_answer_ms", of(&["wait_ms"], &["waits"]));
    } else {
        kpis.insert("answer_rate", of(&["offers_answered"], &["offers_answered", "offers_missed"]));
    }
    if kind == SubjectKind::Queue {
        kpis.insert("service_level", of(&["within"], &["sl_offered"]));
    }
    kpis.insert("handle_time_ms", of(&["talk_ms", "hold_ms", "after_work_ms"], &["handled"]));
    kpis.insert("response_time_each_ms", of(&["response_ms"], &["responses"]));
    kpis.insert("response_time_since_message_ms", of(&["first_since_message_ms"], &["first_responses"]));
    kpis.insert("response_time_since_handoff_ms", of(&["first_since_handoff_ms"], &["first_responses"]));
    kpis.insert("resolution_rate", of(&["resolved"], &["taken"]));
    kpis.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn state(recount: &Recount, kind: SubjectKind, id: &str, now: i64) -> Now {
    let doing = agent::doing(recount);
    if kind == SubjectKind::Agent {
        let (state, engaged) = doing.get(id).copied().unwrap_or_default();
        return Now {
            state: state.map(|(state, _)| state.text().to_owned()),
            since: state.map(|(_, since)| EventTime(since)),
            engaged: Some(engaged),
            team: team(recount, id, now),
            ..Now::default()
        };
    }
    let states: Vec<AgentState> = members(recount, kind, id, now, &doing)
        .into_iter()
        .filter_map(|agent| doing.get(&*agent).and_then(|(state, _)| state.map(|(state, _)| state)))
        .collect();
    let mut document = Now {
        ready: Some(states.iter().filter(|state| **state == AgentState::Available).count() as i64),
        on_shift: Some(states.iter().filter(|state| **state != AgentState::LoggedOut).count() as i64),
        ..Now::default()
    };
    if kind != SubjectKind::Queue {
        for state in states {
            *document.states.entry(state.text().to_owned()).or_insert(0) += 1;
        }
    }
    if kind != SubjectKind::Team {
        let entries = waiting(recount, (kind == SubjectKind::Queue).then_some(id));
        document.waiting = Some(entries.len() as i64);
        document.longest_since = entries.into_iter().min().map(EventTime);
    }
    document
}

/// Entries of the legs that wait in a queue (`None`: in any).
fn waiting(recount: &Recount, queue: Option<&str>) -> Vec<i64> {
    let open = recount.contacts.values().filter_map(|contact| contact.story.open());
    open.filter(|leg| leg.queue.is_some() && (queue.is_none() || leg.queue.as_deref() == queue))
        .filter_map(|leg| leg.entry)
        .collect()
}

/// Who is counted for a queue, a team or the unit.
fn members(
    recount: &Recount,
    kind: SubjectKind,
    id: &str,
    now: i64,
    doing: &BTreeMap<Name, (Option<Doing>, i64)>,
) -> BTreeSet<String> {
    let roster = &recount.definitions.roster;
    if roster.is_empty() {
        let theirs = |agent: &&Name| match kind {
            SubjectKind::Team => agent::declared_team(recount, agent).as_deref() == Some(id),
            SubjectKind::Queue => false,
            _ => true,
        };
        return doing.keys().filter(theirs).map(|agent| agent.to_string()).collect();
    }
    let here =
        roster.iter().filter(|member| book::person(&recount.definitions, &member.agent, now) == Some(member));
    let theirs = here.filter(|person| match kind {
        SubjectKind::Team => person.team == id,
        SubjectKind::Queue => person.queues.iter().any(|queue| queue == id),
        _ => true,
    });
    theirs.map(|person| person.agent.clone()).collect()
}

fn team(recount: &Recount, agent: &str, now: i64) -> Option<String> {
    match book::person(&recount.definitions, agent, now) {
        Some(person) => Some(person.team.clone()),
        None if recount.definitions.roster.is_empty() => {
            agent::declared_team(recount, agent).map(|team| team.to_string())
        }
        None => None,
    }
}

pub(super) fn subjects(recount: &Recount) -> BTreeSet<(SubjectKind, String)> {
    let definitions = &recount.definitions;
    let mut all = BTreeSet::from([(SubjectKind::Unit, definitions.unit.id.clone())]);
    all.extend(definitions.queues.iter().map(|queue| (SubjectKind::Queue, queue.id.clone())));
    all.extend(definitions.teams.iter().map(|team| (SubjectKind::Team, team.id.clone())));
    all.extend(definitions.roster.iter().map(|person| (SubjectKind::Agent, person.agent.clone())));
    all.extend(agent::doing(recount).keys().map(|agent| (SubjectKind::Agent, agent.to_string())));
    for booking in recount.contacts.values().flat_map(|contact| &contact.bookings) {
        all.extend(booking.queue.iter().map(|queue| (SubjectKind::Queue, queue.to_string())));
        all.extend(booking.team.iter().map(|team| (SubjectKind::Team, team.to_string())));
        all.extend(booking.agent.iter().map(|agent| (SubjectKind::Agent, agent.to_string())));
    }
    all
}
