//! Events as a bad week would send them: told twice, late, upside down, in whole seconds, corrected, from the future,
//! and some that no order of facts explains.

use crate::centre::{AGENTS, Centre, QUEUES, TEAMS};
use crate::dice::Dice;
use shiftpulse::model::event::{AgentState, Kind};
use shiftpulse::model::fact::Fact;
use shiftpulse::model::units::{EventTime, HOUR, MINUTE, SECOND};

/// An event with texts of its own, and when its source delivers it.
#[derive(Debug, Clone)]
pub struct Event {
    pub deliver: i64,
    pub kind: Kind,
    pub time: i64,
    pub id: String,
    pub contact: Option<String>,
    pub queue: Option<&'static str>,
    pub to_queue: Option<&'static str>,
    pub agent: Option<&'static str>,
    pub team: Option<&'static str>,
    pub automatic: bool,
    pub internal: bool,
    pub state: Option<AgentState>,
    pub resolved: Option<bool>,
    pub hold_ms: Option<i64>,
    pub score: Option<i64>,
    pub period: Option<&'static str>,
    pub dimension: Option<&'static str>,
    pub assessor: Option<&'static str>,
    pub replaces: Option<String>,
}

impl Event {
    fn new(kind: Kind, time: i64, id: String) -> Self {
        Self {
            deliver: time,
            kind,
            time,
            id,
            contact: None,
            queue: None,
            to_queue: None,
            agent: None,
            team: None,
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

    /// What it says, for people.
    pub fn told(&self) -> String {
        let mut text = format!("{} {:?} {}", self.time, self.kind, self.id);
        let parts: [(&str, Option<&str>); 6] = [
            ("contact", self.contact.as_deref()),
            ("queue", self.queue),
            ("to", self.to_queue),
            ("agent", self.agent),
            ("team", self.team),
            ("replaces", self.replaces.as_deref()),
        ];
        for (name, value) in parts {
            text.extend(value.map(|value| format!(" {name}={value}")));
        }
        let flags = [("automatic", self.automatic), ("internal", self.internal)];
        text.extend(flags.iter().filter(|(_, set)| *set).map(|(name, _)| format!(" {name}")));
        text.extend(self.state.map(|state| format!(" state={}", state.text())));
        text.extend(self.resolved.map(|resolved| format!(" resolved={resolved}")));
        text.extend(self.hold_ms.map(|hold| format!(" hold={hold}")));
        text
    }

    /// The event as a fact at `offset` of its source partition.
    pub fn fact(&self, offset: i64) -> Fact<'_> {
        Fact {
            offset,
            contact: self.contact.as_deref(),
            queue: self.queue,
            to_queue: self.to_queue,
            agent: self.agent,
            team: self.team,
            automatic: self.automatic,
            internal: self.internal,
            state: self.state,
            resolved: self.resolved,
            hold_ms: self.hold_ms,
            score: self.score,
            period: self.period,
            dimension: self.dimension,
            assessor: self.assessor,
            replaces: self.replaces.as_deref(),
            ..Fact::new(self.kind, EventTime(self.time), &self.id)
        }
    }
}

/// Everything that is delivered between `from` and `to`, by the time of delivery.
pub fn traffic(dice: &mut Dice, centre: &Centre, from: i64, to: i64, contacts: i64) -> Vec<Event> {
    let mut events = Vec::new();
    for number in 0..contacts {
        let begin = dice.between(from, to);
        let name = format!("c{number}");
        match dice.below(10) {
            0..=5 => call(dice, &name, begin, &mut events),
            6..=7 => chat(dice, &name, begin, &mut events),
            _ => chaos(dice, &name, begin, &mut events),
        }
    }
    states(dice, from, to, &mut events);
    marks(dice, centre, to, &mut events);
    spoil(dice, &mut events);
    events.sort_by(|a, b| (a.deliver, &a.id, a.time).cmp(&(b.deliver, &b.id, b.time)));
    events
}

/// Queued, perhaps rung, perhaps passed on, answered or lost, ended, wrapped up.
fn call(dice: &mut Dice, name: &str, begin: i64, events: &mut Vec<Event>) {
    let mut story = Story::new(dice, name, begin);
    let queue = *story.dice.pick(&QUEUES);
    story.say(Kind::Queued).queue = Some(queue);
    if story.dice.chance(150) {
        let to = *story.dice.pick(&QUEUES);
        story.wait(60).say(Kind::Transferred).to_queue = Some(to);
    }
    for _ in 0..story.dice.below(3) {
        let agent = *story.dice.pick(&AGENTS);
        story.wait(10).say(Kind::Offered).agent = Some(agent);
    }
    if story.dice.chance(300) {
        story.wait(90).say(Kind::Abandoned);
    } else {
        talk(&mut story);
    }
    events.append(&mut story.events);
}

fn talk(story: &mut Story<'_>) {
    let mut agent = *story.dice.pick(&AGENTS);
    story.wait(40).say(Kind::Answered).agent = Some(agent);
    if story.dice.chance(300) {
        let hold = story.dice.below(40 * SECOND);
        story.wait(60).say(Kind::Held).hold_ms = Some(hold);
    }
    for _ in 0..story.dice.below(3) {
        let (to, next) = (*story.dice.pick(&QUEUES), *story.dice.pick(&AGENTS));
        if story.dice.chance(700) {
            let passed = story.wait(90).say(Kind::Transferred);
            (passed.agent, passed.to_queue) = (Some(agent), Some(to));
        }
        story.wait(30).say(Kind::Answered).agent = Some(next);
        agent = next;
    }
    let solved = story.dice.maybe(500, |dice| dice.chance(700));
    story.wait(200).say(Kind::Ended).resolved = solved;
    if story.dice.chance(500) {
        story.wait(60).say(Kind::WrappedUp).agent = Some(agent);
    }
    if story.dice.chance(100) {
        story.wait(600).say(Kind::Survey).resolved = Some(true);
    }
}

/// Messages to and fro, with a bot in front, notes and a resolution.
fn chat(dice: &mut Dice, name: &str, begin: i64, events: &mut Vec<Event>) {
    let mut story = Story::new(dice, name, begin);
    let queue = *story.dice.pick(&QUEUES);
    story.say(Kind::CustomerMessage).queue = Some(queue);
    story.wait(3).say(Kind::AgentMessage).automatic = true;
    if story.dice.chance(700) {
        story.wait(60).say(Kind::Queued).queue = Some(queue);
    }
    for _ in 0..story.dice.between(1, 4) {
        let agent = *story.dice.pick(&AGENTS);
        story.wait(90).say(Kind::AgentMessage).agent = Some(agent);
        if story.dice.chance(300) {
            story.wait(9).say(Kind::AgentMessage).internal = true;
        }
        story.wait(60).say(Kind::CustomerMessage);
    }
    let machine = story.dice.chance(300);
    let agent = *story.dice.pick(&AGENTS);
    let resolved = story.wait(200).say(Kind::Resolved);
    (resolved.agent, resolved.automatic) = (Some(agent), machine);
    if story.dice.chance(200) {
        story.wait(600).say(Kind::Reopened);
    }
    if story.dice.chance(600) {
        story.wait(60).say(Kind::Ended);
    }
    events.append(&mut story.events);
}

/// Facts of any kind in no sensible order.
fn chaos(dice: &mut Dice, name: &str, begin: i64, events: &mut Vec<Event>) {
    let mut story = Story::new(dice, name, begin);
    for _ in 0..story.dice.between(1, 9) {
        let kind = *story.dice.pick(Kind::ALL);
        if matches!(kind, Kind::AgentState | Kind::Rating | Kind::Voided) {
            continue;
        }
        let dice = &mut *story.dice;
        let (queue, to) = (dice.maybe(400, |d| *d.pick(&QUEUES)), dice.maybe(600, |d| *d.pick(&QUEUES)));
        let (agent, automatic) = (dice.maybe(700, |d| *d.pick(&AGENTS)), dice.chance(80));
        let (resolved, hold_ms) = (dice.maybe(300, |d| d.chance(700)), dice.maybe(300, |d| d.below(HOUR)));
        let fact = story.wait(30).say(kind);
        if kind == Kind::Transferred {
            fact.to_queue = to;
        }
        (fact.queue, fact.agent, fact.automatic, fact.resolved) = (queue, agent, automatic, resolved);
        fact.hold_ms = hold_ms;
    }
    events.append(&mut story.events);
}

/// What the agents say they do.
fn states(dice: &mut Dice, from: i64, to: i64, events: &mut Vec<Event>) {
    for agent in AGENTS {
        let mut time = dice.between(from, from + 20 * MINUTE);
        let mut number = 0;
        while time < to && dice.chance(900) {
            let state = *dice.pick(&AgentState::ALL);
            let team = dice.maybe(300, |dice| *dice.pick(&TEAMS));
            let id = format!("s-{agent}-{number}");
            events.push(Event {
                agent: Some(agent),
                team,
                state: Some(state),
                ..Event::new(Kind::AgentState, time, id)
            });
            time += dice.below(20 * MINUTE);
            number += 1;
        }
    }
}

/// What the assessors give.
fn marks(dice: &mut Dice, centre: &Centre, to: i64, events: &mut Vec<Event>) {
    for (number, agent) in AGENTS.iter().enumerate() {
        for again in 0..dice.below(4) {
            let time = dice.between(centre.month_end - 30 * MINUTE, to);
            let event = Event::new(Kind::Rating, time, format!("m{number}-{again}"));
            events.push(Event {
                agent: Some(agent),
                period: Some(centre.month),
                dimension: Some("quality"),
                assessor: Some(*dice.pick(&["qa", "lead"])),
                score: Some(dice.between(0, 100) * 1_000_000),
                ..event
            });
        }
    }
}

/// Delays, repeats, corrections and wrong clocks.
fn spoil(dice: &mut Dice, events: &mut Vec<Event>) {
    for number in 0..events.len() {
        let event = &mut events[number];
        event.deliver = event.time + delay(dice);
        if dice.chance(10) {
            event.time += dice.between(4 * MINUTE, 10 * MINUTE);
        } else if dice.chance(3) {
            event.time += dice.between(HOUR, 40 * 24 * HOUR);
        }
        let mut copy = event.clone();
        copy.deliver += dice.below(20 * MINUTE);
        if dice.chance(60) {
            // Told again, sometimes in other words: the first in the log counts.
            if dice.chance(200) {
                copy.time += dice.below(MINUTE);
                copy.agent = dice.maybe(500, |dice| *dice.pick(&AGENTS)).or(copy.agent);
            }
            events.push(copy);
        } else if dice.chance(30) {
            copy.replaces = Some(std::mem::replace(&mut copy.id, format!("r{number}")));
            copy.time += dice.between(-30, 30) * SECOND;
            copy.deliver += dice.between(-10, 20) * MINUTE;
            if dice.chance(300) {
                events.push(voiding(dice, &copy, number));
            }
            events.push(copy);
        } else if dice.chance(20) {
            events.push(voiding(dice, &copy, number));
        }
    }
}

fn voiding(dice: &mut Dice, event: &Event, number: usize) -> Event {
    let mut void = event.clone();
    void.kind = Kind::Voided;
    void.replaces = Some(std::mem::replace(&mut void.id, format!("v{number}-{}", dice.below(1000))));
    void.deliver += dice.between(-10, 30) * MINUTE;
    void
}

/// Mostly at once, at times minutes, seldom hours.
fn delay(dice: &mut Dice) -> i64 {
    match dice.below(100) {
        0..=79 => dice.below(2 * SECOND),
        80..=94 => dice.below(3 * MINUTE),
        95..=98 => dice.below(HOUR),
        _ => dice.below(5 * HOUR),
    }
}

/// One contact being told.
struct Story<'a> {
    dice: &'a mut Dice,
    name: String,
    now: i64,
    whole_seconds: bool,
    events: Vec<Event>,
}

impl<'a> Story<'a> {
    fn new(dice: &'a mut Dice, name: &str, now: i64) -> Self {
        let whole_seconds = dice.chance(500);
        Self { dice, name: name.to_owned(), now, whole_seconds, events: Vec::new() }
    }

    /// Lets up to so many seconds pass, often none.
    fn wait(&mut self, seconds: i64) -> &mut Self {
        if self.dice.chance(800) {
            self.now += self.dice.below(seconds * SECOND);
        }
        self
    }

    fn say(&mut self, kind: Kind) -> &mut Event {
        let time = if self.whole_seconds { self.now / SECOND * SECOND } else { self.now };
        let id = format!("{}-{}", self.name, self.events.len());
        let team = self.dice.maybe(200, |dice| *dice.pick(&TEAMS));
        self.events.push(Event { contact: Some(self.name.clone()), team, ..Event::new(kind, time, id) });
        self.events.last_mut().expect("pushed just now")
    }
}
