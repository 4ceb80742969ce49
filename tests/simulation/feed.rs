//! Source partitions and what intake makes of them: batches in order, sent again after a crash, behind, silent, with holes,
//! and a topic that is made anew. Beside them control facts and a record that is none.

use crate::centre::{Centre, SOURCES};
use crate::dice::Dice;
use crate::traffic::{Event, traffic};
use shiftpulse::engine::definitions::Definitions;
use shiftpulse::engine::record::{Batch, Body, Control, ControlKind, Record};
use shiftpulse::model::units::{HOUR, LogTime, MINUTE, SECOND};
use std::collections::VecDeque;

/// Source positions have holes, as those of a compacted or transactional topic.
const STRIDE: i64 = 2;

/// One record for the facts log and the time on the wall when it is appended.
#[derive(Debug, Clone)]
pub struct Post {
    pub at: i64,
    pub said: Said,
}

#[derive(Debug, Clone)]
pub enum Said {
    Batch(Sent),
    Control(Control),
    /// Bytes of no known format.
    Noise,
}

/// A batch with texts of its own.
#[derive(Debug, Clone)]
pub struct Sent {
    pub topic: &'static str,
    pub partition: i32,
    pub incarnation: u64,
    pub from: i64,
    pub to: i64,
    pub progress: i64,
    pub caught_up: bool,
    pub events: Vec<(i64, Event)>,
}

impl Sent {
    pub fn batch(&self) -> Batch<'_> {
        Batch {
            topic: self.topic,
            partition: self.partition,
            incarnation: self.incarnation,
            from: self.from,
            to: self.to,
            progress: self.progress,
            caught_up: self.caught_up,
            facts: self.events.iter().map(|(offset, event)| event.fact(*offset)).collect(),
        }
    }
}

impl Post {
    /// The contacts that are spoken of.
    pub fn contacts(&self) -> Vec<&str> {
        self.events().iter().filter_map(|(_, event)| event.contact.as_deref()).collect()
    }

    /// The same record with nothing but the facts of one contact.
    pub fn only(&self, contact: &str) -> Self {
        let mut post = self.clone();
        if let Said::Batch(sent) = &mut post.said {
            sent.events.retain(|(_, event)| event.contact.as_deref() == Some(contact));
        }
        post
    }

    /// What kind of record it is, for people.
    pub fn what(&self) -> String {
        match &self.said {
            Said::Batch(sent) => format!(
                "batch of {} {} [{}, {}), {} facts, caught up {}",
                sent.topic,
                sent.partition,
                sent.from,
                sent.to,
                sent.events.len(),
                sent.caught_up
            ),
            Said::Control(control) => format!("control {}", control.id),
            Said::Noise => "noise".to_owned(),
        }
    }

    /// Its facts, for people.
    pub fn told(&self) -> Vec<String> {
        let told = |(offset, event): &(i64, Event)| {
            format!("appended {} position {offset}: {}", self.at, event.told())
        };
        self.events().iter().map(told).collect()
    }

    fn events(&self) -> &[(i64, Event)] {
        if let Said::Batch(sent) = &self.said { &sent.events } else { &[] }
    }

    /// As the log gives it back.
    pub fn record(&self, offset: i64, append: i64) -> Record<'_> {
        let body = match &self.said {
            Said::Batch(sent) => Body::Batch(sent.batch()),
            Said::Control(control) => Body::Control(control.clone()),
            Said::Noise => Body::Unreadable("unknown format 9".to_owned()),
        };
        Record { offset, append: LogTime(append), body }
    }
}

/// Everything that is appended in a run, in order.
pub fn feed(dice: &mut Dice, centre: &Centre) -> Vec<Post> {
    let (from, to) = (centre.month_end - 70 * MINUTE, centre.month_end + 30 * MINUTE);
    let (mut of_traffic, mut of_intake) = (dice.fork(), dice.fork());
    let contacts = of_traffic.between(5, 50);
    let events = traffic(&mut of_traffic, centre, from, to, contacts);
    let idle = if dice.chance(40) { 26 * HOUR } else { *dice.pick(&[0, 40 * MINUTE, 40 * MINUTE, 2 * HOUR]) };
    let mut intake = Intake::new(&mut of_intake, events, from);
    intake.define(&centre.definitions);
    while intake.now < to + idle {
        intake.step(centre, to);
    }
    intake.posts
}

struct Intake<'a> {
    dice: &'a mut Dice,
    now: i64,
    /// Longest pause between two rounds while there is traffic.
    pace: i64,
    partitions: Vec<Partition>,
    posts: Vec<Post>,
    defined: u32,
}

struct Partition {
    topic: &'static str,
    number: i32,
    incarnation: u64,
    events: Vec<Event>,
    /// Index of the event at position 0 of this incarnation.
    origin: usize,
    /// Next event to read, and position where the next batch begins.
    read: usize,
    from: i64,
    /// Where a successor would begin.
    committed: (usize, i64),
    silent_until: i64,
    holes: VecDeque<Hole>,
}

struct Hole {
    due: i64,
    sent: Sent,
    lost: bool,
}

impl<'a> Intake<'a> {
    fn new(dice: &'a mut Dice, events: Vec<Event>, now: i64) -> Self {
        let numbers = SOURCES.iter().flat_map(|(topic, count)| (0..*count).map(|number| (*topic, number)));
        let mut partitions: Vec<_> = numbers.map(|(topic, number)| Partition::new(topic, number)).collect();
        for event in events {
            let index = dice.below(partitions.len() as i64) as usize;
            partitions[index].events.push(event);
        }
        let pace = *dice.pick(&[20 * SECOND, MINUTE, 3 * MINUTE, 3 * MINUTE]);
        Self { dice, now, pace, partitions, posts: Vec::new(), defined: 0 }
    }

    fn step(&mut self, centre: &Centre, busy_until: i64) {
        let pause = if self.now < busy_until { self.pace } else { 5 * MINUTE };
        self.now += self.dice.below(pause);
        if self.dice.chance(3) {
            self.now += self.dice.between(4 * MINUTE, 20 * MINUTE);
        }
        for index in 0..self.partitions.len() {
            if self.dice.chance(700) {
                self.poll(index);
            }
        }
        self.trouble();
        if self.dice.chance(4) {
            self.redefine(&centre.definitions);
        }
    }

    /// One batch of one partition: what has come, or a heartbeat.
    fn poll(&mut self, index: usize) {
        let most = self.dice.between(1, 12) as usize;
        let (now, hidden) = (self.now, self.dice.chance(8));
        let partition = &mut self.partitions[index];
        if partition.silent_until > now {
            return;
        }
        let sent = partition.take(now, most);
        if hidden && sent.to > sent.from {
            // Never sent, or only after others.
            let due = now + self.dice.below(10 * MINUTE);
            partition.holes.push_back(Hole { due, sent, lost: self.dice.chance(400) });
            return;
        }
        if self.dice.chance(300) {
            partition.committed = (partition.read, partition.from);
        }
        self.post(Said::Batch(sent));
    }

    /// Crashes, silences, fillings, a topic made anew, noise.
    fn trouble(&mut self) {
        let index = self.dice.below(self.partitions.len() as i64) as usize;
        let (now, partition) = (self.now, &mut self.partitions[index]);
        if let Some(hole) = partition.holes.front().filter(|hole| hole.due <= now) {
            let (sent, lost) = (hole.sent.clone(), hole.lost);
            partition.holes.pop_front();
            let said =
                if lost { Said::Control(accepted(&sent, self.posts.len())) } else { Said::Batch(sent) };
            self.post(said);
        } else if self.dice.chance(15) {
            (partition.read, partition.from) = partition.committed;
        } else if self.dice.chance(10) {
            partition.silent_until = now + self.dice.below(8 * MINUTE);
        } else if self.dice.chance(2) {
            partition.begin_anew();
        } else if self.dice.chance(3) {
            self.post(Said::Noise);
        }
    }

    fn define(&mut self, definitions: &Definitions) {
        self.defined += 1;
        let kind = ControlKind::Definitions { definitions: Box::new(definitions.clone()) };
        let control = Control { id: format!("definitions-{}", self.defined), kind };
        self.post(Said::Control(control.clone()));
        if self.dice.chance(200) {
            self.post(Said::Control(control));
        }
    }

    /// The alert rules change, or a rule or queue goes and comes back.
    fn redefine(&mut self, original: &Definitions) {
        let mut definitions = original.clone();
        match self.dice.below(3) {
            0 => drop(definitions.alerts.remove(0)),
            1 => definitions.alerts[0].hold_ms = self.dice.below(10 * MINUTE),
            _ => {}
        }
        self.define(&definitions);
    }

    fn post(&mut self, said: Said) {
        self.posts.push(Post { at: self.now, said });
        if self.dice.chance(500) {
            self.now += self.dice.below(SECOND);
        }
    }
}

impl Partition {
    fn new(topic: &'static str, number: i32) -> Self {
        Self {
            topic,
            number,
            incarnation: 1,
            events: Vec::new(),
            origin: 0,
            read: 0,
            from: 0,
            committed: (0, 0),
            silent_until: 0,
            holes: VecDeque::new(),
        }
    }

    /// The next batch of at most so many of the events that the source has delivered by now.
    fn take(&mut self, now: i64, most: usize) -> Sent {
        let there = self.events.partition_point(|event| event.deliver <= now).max(self.read);
        let end = (self.read + most).min(there);
        let events: Vec<_> =
            (self.read..end).map(|index| (self.position(index), self.events[index].clone())).collect();
        let to = events.last().map_or(self.from, |(offset, _)| offset + 1);
        let caught_up = end == there;
        let progress = match events.first() {
            Some((_, event)) if !caught_up => event.deliver,
            _ => i64::MAX,
        };
        let from = std::mem::replace(&mut self.from, to);
        self.read = end;
        let (topic, partition, incarnation) = (self.topic, self.number, self.incarnation);
        Sent { topic, partition, incarnation, from, to, progress, caught_up, events }
    }

    fn position(&self, index: usize) -> i64 {
        (index - self.origin) as i64 * STRIDE
    }

    /// The topic is made anew: positions start over, what was read stays read.
    fn begin_anew(&mut self) {
        self.incarnation += 1;
        (self.origin, self.from) = (self.read, 0);
        self.committed = (self.read, 0);
        self.holes.clear();
    }
}

fn accepted(sent: &Sent, number: usize) -> Control {
    let kind = ControlKind::GapAccepted {
        topic: sent.topic.to_owned(),
        partition: sent.partition,
        from: sent.from,
        to: sent.to,
    };
    Control { id: format!("gap-{number}"), kind }
}
