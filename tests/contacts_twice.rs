//! Contacts and agents' time, told twice: by the model, fact by fact in any order, and by the plain recount.

use proptest::prelude::*;
use shiftpulse::engine::definitions::{Definitions, Person, Queue, Source, Unit};
use shiftpulse::engine::record::{Batch, Body, Control, ControlKind, Record};
use shiftpulse::model::contact::{Conclusion, Contact, Observation};
use shiftpulse::model::event::{AgentState, Kind};
use shiftpulse::model::fact::Fact;
use shiftpulse::model::measure::{Row, SubjectKind};
use shiftpulse::model::roster::{Roster, Stint};
use shiftpulse::model::timeline::Timeline;
use shiftpulse::model::units::{EventTime, LogTime, Names, Sym};
use shiftpulse::recount::Recount;
use std::collections::BTreeMap;

/// 2026-03-02T02:00:00Z
const BASE: i64 = 1_772_416_800_000;
const WITHIN: i64 = 4_000;

/// A fact with texts of its own.
#[derive(Debug, Clone)]
struct Drawn {
    id: String,
    kind: Kind,
    second: i64,
    contact: &'static str,
    queue: Option<&'static str>,
    to_queue: Option<&'static str>,
    agent: Option<&'static str>,
    team: Option<&'static str>,
    flags: (bool, bool, bool),
    hold: i64,
    state: u8,
    replaces: Option<String>,
}

impl Drawn {
    fn fact(&self, offset: i64) -> Fact<'_> {
        Fact {
            offset,
            contact: Some(self.contact).filter(|_| self.kind != Kind::AgentState),
            queue: self.queue,
            to_queue: self.to_queue,
            agent: if self.kind == Kind::AgentState { Some("a1") } else { self.agent },
            team: self.team,
            automatic: self.flags.0,
            internal: self.flags.1,
            resolved: Some(self.flags.2),
            hold_ms: Some(self.hold * 1000),
            state: AgentState::from_code(self.state),
            replaces: self.replaces.as_deref(),
            ..Fact::new(self.kind, EventTime(BASE + self.second * 1000), &self.id)
        }
    }
}

/// Few times, queues and agents, so that things meet; a third of the kinds is what a call is made of.
fn facts() -> impl Strategy<Value = Vec<Drawn>> {
    let calls = vec![Kind::Queued, Kind::Offered, Kind::Answered, Kind::Transferred, Kind::Ended];
    let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Rating).collect();
    let kind = prop_oneof![prop::sample::select(calls), prop::sample::select(kinds)];
    let name =
        |names: &'static [&'static str], weight| prop::option::weighted(weight, prop::sample::select(names));
    let queue = || name(&["q1", "q2", "q3"], 0.4);
    let rarely = || prop::bool::weighted(0.12);
    let one = (
        (kind, 0_i64..30, prop::sample::select(vec!["c1", "c2"])),
        (queue(), queue(), name(&["a1", "a2", "a3"], 0.8), name(&["t1", "t2"], 0.5)),
        (rarely(), rarely(), any::<bool>()),
        (0_i64..9, 0_u8..7, prop::option::weighted(0.08, 0_usize..24)),
    );
    prop::collection::vec(one, 1..24).prop_map(|drawn| {
        let facts = drawn.into_iter().enumerate();
        facts
            .map(
                |(
                    index,
                    ((kind, second, contact), (queue, to_queue, agent, team), flags, (hold, state, target)),
                )| {
                    let replaces = target.map(|target| format!("id{target}"));
                    let id = format!("id{index}");
                    Drawn {
                        id,
                        kind,
                        second,
                        contact,
                        queue,
                        to_queue,
                        agent,
                        team,
                        flags,
                        hold,
                        state,
                        replaces,
                    }
                },
            )
            .collect()
    })
}

fn definitions() -> Definitions {
    let queue = |id: &str| Queue {
        id: id.into(),
        names: Default::default(),
        channel: "voice".into(),
        dialect: "cisco_negative".into(),
        within_ms: WITHIN,
        service_level_target: 800,
        wait_limit_ms: 60_000,
        answer_rate_target: 900,
    };
    let person = |team: &str, from, to| Person {
        agent: "a1".into(),
        names: Default::default(),
        team: team.into(),
        role: String::new(),
        queues: vec![],
        from,
        to,
    };
    let turn = Some(BASE + 15_000);
    Definitions {
        unit: Unit { id: "unit".into(), names: Default::default(), zone: "Asia/Shanghai".into() },
        queues: vec![queue("q1"), queue("q2")],
        roster: vec![person("early", None, turn), person("later", turn, None)],
        sources: vec![Source { topic: "calls".into(), partitions: 1, queues: vec![], backfill: false }],
        unfinished_after_ms: 3_600_000,
        ..Definitions::default()
    }
}

fn roster(definitions: &Definitions, names: &mut Names) -> Roster {
    let stint = |person: &Person| Stint {
        agent: names.intern(&person.agent),
        from: EventTime(person.from.unwrap_or(i64::MIN)),
        to: EventTime(person.to.unwrap_or(i64::MAX)),
        team: names.intern(&person.team),
        role: names.intern(&person.role),
        queues: vec![],
    };
    Roster::new(definitions.roster.iter().map(stint).collect())
}

type Counts = BTreeMap<(SubjectKind, String), Row>;

/// The model's numbers, from differences, with the facts in the order given.
#[derive(Default)]
struct Model {
    names: Names,
    roster: Roster,
    contacts: BTreeMap<String, (Contact, bool)>,
    agents: BTreeMap<Sym, Timeline>,
    rows: Counts,
}

impl Model {
    fn take(&mut self, fact: &Fact<'_>) {
        if fact.kind == Kind::AgentState {
            let agent = self.names.intern(fact.agent.unwrap());
            self.agents.entry(agent).or_default().accept(fact, &mut self.names);
            return;
        }
        let key = fact.contact.unwrap().to_owned();
        let (mut contact, expired) = self.contacts.remove(&key).unwrap_or_default();
        let before = contact.clone();
        contact.accept(fact, &mut self.names);
        self.replace(&before, expired, &contact, expired);
        self.contacts.insert(key, (contact, expired));
    }

    fn expire(&mut self) {
        for (key, (contact, _)) in std::mem::take(&mut self.contacts) {
            self.replace(&contact, false, &contact, true);
            self.contacts.insert(key, (contact, true));
        }
    }

    fn replace(&mut self, before: &Contact, was: bool, after: &Contact, is: bool) {
        let (mut old, mut new) = (Conclusion::default(), Conclusion::default());
        before.conclude(&self.roster, was, &mut old);
        after.conclude(&self.roster, is, &mut new);
        let mut changes: Vec<(Observation, i64)> = Vec::new();
        Conclusion::difference(&mut old, &mut new, |observation, sign| changes.push((*observation, sign)));
        changes.iter().for_each(|(observation, sign)| self.book(observation, *sign));
        Conclusion::segments_difference(&mut old, &mut new, |segment, sign| {
            self.agents.entry(segment.agent.unwrap()).or_default().segment(segment.from, segment.to, sign);
        });
    }

    fn book(&mut self, observation: &Observation, sign: i64) {
        let text = |sym: Option<Sym>| sym.map(|sym| self.names.text(sym).to_owned());
        let subjects = [
            (SubjectKind::Queue, text(observation.queue)),
            (SubjectKind::Team, text(observation.team)),
            (SubjectKind::Agent, text(observation.agent)),
            (SubjectKind::Unit, Some("unit".to_owned())),
        ];
        for (kind, id) in subjects {
            let Some(id) = id.filter(|_| kind.counts(observation.what)) else { continue };
            let within = (kind == SubjectKind::Queue && id != "q3").then_some(WITHIN);
            self.rows.entry((kind, id)).or_default().apply(observation, sign, kind, within);
        }
    }

    fn counts(&self, kind: SubjectKind, id: &str) -> BTreeMap<String, i64> {
        let row = self.rows.get(&(kind, id.to_owned())).copied().unwrap_or_default();
        let shown = row.iter().filter(|(_, number)| *number != 0);
        shown.map(|(column, number)| (column.name().to_owned(), number)).collect()
    }
}

fn record(offset: i64, body: Body<'_>, append: i64) -> Record<'_> {
    Record { offset, append: LogTime(append), body }
}

fn recount(drawn: &[Drawn], now: i64) -> Recount {
    let mut recount = Recount::new();
    let control = ControlKind::Definitions { definitions: Box::new(definitions()) };
    recount.push(&record(0, Body::Control(Control { id: "d".into(), kind: control }), BASE + 60_000));
    let facts: Vec<_> = (0_i64..).zip(drawn).map(|(offset, drawn)| drawn.fact(offset)).collect();
    let to = facts.len() as i64;
    let batch = Batch { topic: "calls", to, progress: i64::MAX, caught_up: true, facts, ..Batch::default() };
    recount.push(&record(1, Body::Batch(batch), BASE + 60_000));
    for (offset, append) in [(2, now), (3, now)] {
        let beat =
            Batch { topic: "calls", from: to, to, progress: i64::MAX, caught_up: true, ..Batch::default() };
        recount.push(&record(offset, Body::Batch(beat), append));
    }
    recount
}

proptest! {
    /// Two independent readings of the measures' page give the same numbers, for every subject, expired or not.
    #[test]
    fn the_model_and_the_recount_agree(drawn in facts(), expired: bool) {
        let now = BASE + if expired { 4_000_000 } else { 61_000 };
        let recount = recount(&drawn, now);
        let mut model = Model::default();
        model.roster = roster(&definitions(), &mut model.names);
        drawn.iter().for_each(|drawn| model.take(&drawn.fact(0)));
        if expired {
            model.expire();
        }
        for (kind, id) in recount.subjects() {
            let expected = recount.month(kind, &id, "2026-03").unwrap();
            prop_assert_eq!(model.counts(kind, &id), expected, "{:?} {}", kind, id);
        }
        for (agent, timeline) in &mut model.agents {
            let live = recount.live(SubjectKind::Agent, model.names.text(*agent));
            let spent = timeline.spent(BASE - 3_600_000..BASE + 7_200_000, LogTime(now)).named();
            for (name, ms) in spent {
                let counts = &live.windows["day"].counts;
                prop_assert_eq!(counts.get(name).copied().unwrap_or(0), ms, "{} of {}", name, live.id);
            }
            prop_assert_eq!(live.now.engaged, Some(timeline.running().0 as i64));
        }
    }
}
