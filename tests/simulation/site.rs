//! A site: the log in memory with the faults of a real one, intake that appends to it, and instances that score.
//!
//! ```text
//! posts ─▶ appender (full, stopped, delayed) ─▶ facts ─▶ instance: fold ─▶ transaction ─▶ commit ─▶ snapshot
//!                                                 ▲        crash ─┴───────────┴─────────────┴──────────┘
//!               settler, auditor ── control facts ┘        another owner takes over; the old one still commits
//! ```

use crate::centre::centre;
use crate::compare;
use crate::dice::Dice;
use crate::feed::{Post, Said, feed};
use crate::impatient::Impatient;
use shiftpulse::io::auditor::{self, Request};
use shiftpulse::io::log::clock::ManualClock;
use shiftpulse::io::log::embedded::EmbeddedLog;
use shiftpulse::io::log::faulty::{Faulty, Script};
use shiftpulse::io::log::{
    AppendError, Appender, CommitError, Committer, Domain, Log, Owned, Snapshots, Start, Ticket, Topic,
    Transaction,
};
use shiftpulse::io::scoring::{Folded, RestoreError, Scoring, Snapshot};
use shiftpulse::io::settler;
use shiftpulse::recount::Recount;
use shiftpulse::wire;
use shiftpulse::wire::batch::{BatchBuilder, Head, encode_control};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

const DOMAIN: Domain = Domain(0);

/// How long contacts stay in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// For the whole run.
    Long,
    /// They leave soon, so that the settler has work.
    Short,
}

/// Runs the whole pipeline from a seed and compares all that readers can see with the second path.
pub fn run(seed: u64) -> Result<(), String> {
    let mut dice = Dice::new(seed ^ 0x5173);
    let memory = if dice.chance(250) { Memory::Short } else { Memory::Long };
    let mut centre = centre(&mut dice);
    if memory == Memory::Short {
        centre.definitions.horizon_ms = centre.definitions.unfinished_after_ms.max(30 * 60_000);
    }
    let posts = feed(&mut dice, &centre);
    let mut site = Site::new(dice)?;
    for post in &posts {
        site.live(post)?;
    }
    site.come_to_rest()?;
    site.compare(memory)
}

/// One instance that owns the domain, or thinks so.
struct Instance {
    scoring: Scoring,
    committer: Box<dyn Committer>,
    snapshots: Box<dyn Snapshots>,
    /// Handed out, not yet committed; with the snapshot of its offset.
    flight: Option<(Transaction, Option<Snapshot>)>,
}

struct Site {
    dice: Dice,
    clock: Arc<ManualClock>,
    log: Impatient<Faulty<EmbeddedLog>>,
    appender: Box<dyn Appender>,
    /// What may have to be offered again.
    unacked: VecDeque<(Ticket, Vec<u8>)>,
    owner: Option<Instance>,
    zombie: Option<Instance>,
}

impl Site {
    fn new(mut dice: Dice) -> Result<Self, String> {
        let clock = Arc::new(ManualClock::default());
        let embedded = EmbeddedLog::in_memory(1, clock.clone()).map_err(|error| error.to_string())?;
        let per_mille = *dice.pick(&[0, 20, 100]);
        let script = Script::default().random(dice.below(i64::MAX) as u64, per_mille);
        let log = Impatient(Faulty::new(embedded, script));
        let appender = log.appender(DOMAIN);
        Ok(Self { dice, clock, log, appender, unacked: VecDeque::new(), owner: None, zombie: None })
    }

    /// One more record, and whatever happens meanwhile.
    fn live(&mut self, post: &Post) -> Result<(), String> {
        self.clock.set(post.at);
        if self.dice.chance(3) {
            // The wall clock is set back; the log does not follow it.
            self.clock.set(post.at - 90_000);
        }
        let bytes = encode(post);
        self.append(bytes);
        if self.dice.chance(350) {
            self.work()?;
        }
        Ok(())
    }

    /// Everything is read, committed and answered, without further faults.
    fn come_to_rest(&mut self) -> Result<(), String> {
        self.log.0.follow(Script::default());
        self.zombie = None;
        for _ in 0..50 {
            self.acknowledge();
            self.owner_or_new()?;
            while self.fold(1000)? {}
            self.commit()?;
            if self.unacked.is_empty() && self.owner.is_some() && !self.clerk()? {
                return Ok(());
            }
        }
        Err("the site does not come to rest".to_owned())
    }

    /// An instance does some of its work, or something befalls it.
    fn work(&mut self) -> Result<(), String> {
        self.acknowledge();
        match self.dice.below(100) {
            // The process dies where it stands.
            0..=5 => self.owner = None,
            6..=8 => self.zombie = self.owner.take(),
            _ => {}
        }
        self.owner_or_new()?;
        let most = self.dice.between(1, 60) as usize;
        self.fold(most)?;
        if self.dice.chance(600) {
            self.hand_out()?;
        }
        if self.dice.chance(600) {
            self.commit()?;
        }
        if self.dice.chance(300) {
            self.clerk()?;
        }
        self.haunt()
    }

    /// A fenced owner folds on and commits: nobody listens.
    fn haunt(&mut self) -> Result<(), String> {
        if self.owner.is_none() || !self.dice.chance(300) {
            return Ok(());
        }
        let Some(mut zombie) = self.zombie.take() else { return Ok(()) };
        let _ = zombie.scoring.fold(Duration::ZERO);
        let handed = zombie.scoring.transaction();
        let Some((transaction, _)) = zombie.flight.take().or(handed.map(|transaction| (transaction, None)))
        else {
            return Ok(());
        };
        match zombie.committer.commit(&transaction) {
            Ok(()) => Err("a fenced owner has committed".to_owned()),
            Err(CommitError::Refused(reason)) => Err(reason),
            Err(_) => Ok(()),
        }
    }

    /// Takes the domain if nobody has it.
    fn owner_or_new(&mut self) -> Result<(), String> {
        if self.owner.is_some() {
            return Ok(());
        }
        let Ok(Owned { committed, facts, committer, mut snapshots }) = self.log.own(DOMAIN) else {
            return Ok(());
        };
        match Scoring::restore(DOMAIN, committed.as_ref(), facts, &mut *snapshots, &BTreeSet::new()) {
            Ok((scoring, restored)) => {
                if committed.is_some() && !restored.digest_matched {
                    return Err("a commit is there, but its digest was not compared".to_owned());
                }
                self.owner = Some(Instance { scoring, committer, snapshots, flight: None });
                Ok(())
            }
            Err(RestoreError::Retry(_)) => Ok(()),
            Err(RestoreError::Stop(stop)) => Err(stop.to_string()),
        }
    }

    /// Folds at most so many records; whether there was one.
    fn fold(&mut self, most: usize) -> Result<bool, String> {
        let Some(owner) = &mut self.owner else { return Ok(false) };
        for folded in 0..most {
            match owner.scoring.fold(Duration::ZERO) {
                Ok(Folded::Record) => {}
                Ok(Folded::Nothing) => return Ok(folded > 0),
                Ok(Folded::Panicked(offset)) => {
                    return Err(format!("the engine panicked at offset {offset}"));
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(true)
    }

    fn hand_out(&mut self) -> Result<(), String> {
        let snapshot = self.dice.chance(200);
        if let Some(owner) = self.owner.as_mut().filter(|owner| owner.flight.is_none()) {
            let Some(transaction) = owner.scoring.transaction() else { return Ok(()) };
            let snapshot = if snapshot { Some(owner.scoring.snapshot()?) } else { None };
            owner.flight = Some((transaction, snapshot));
        }
        Ok(())
    }

    /// Commits what is in flight; a commit that failed or whose outcome nobody knows costs the instance its life.
    fn commit(&mut self) -> Result<(), String> {
        self.hand_out()?;
        let Some(mut owner) = self.owner.take() else { return Ok(()) };
        let Some((transaction, snapshot)) = owner.flight.take() else {
            self.owner = Some(owner);
            return Ok(());
        };
        match owner.committer.commit(&transaction) {
            Ok(()) => {
                if let Some(snapshot) = snapshot {
                    let _ = snapshot.save(&mut *owner.snapshots);
                }
                self.owner = Some(owner);
            }
            Err(CommitError::Retry(_)) => {
                owner.flight = Some((transaction, snapshot));
                self.owner = Some(owner);
            }
            Err(CommitError::Refused(reason)) => return Err(reason),
            Err(CommitError::Restore(_) | CommitError::Lost(_)) => {}
        }
        Ok(())
    }

    /// Settles and audits what the engine asks for; whether it asked.
    fn clerk(&mut self) -> Result<bool, String> {
        let Some(owner) = self.owner.as_mut().filter(|owner| owner.scoring.caught_up()) else {
            return Ok(false);
        };
        let engine = owner.scoring.engine();
        let unsettled = engine.unsettled();
        let audits: Vec<Request> = engine
            .unaudited()
            .into_iter()
            .map(|(period, revision, _)| Request { keys: engine.cut_keys(&period), period, revision })
            .collect();
        let mut controls = Vec::new();
        if !unsettled.is_empty() {
            controls
                .extend(settler::settle(&self.log, DOMAIN, &unsettled).map_err(|error| error.to_string())?);
        }
        for request in &audits {
            let found = auditor::audit(&self.log, DOMAIN, request, Duration::ZERO);
            controls.push(found.map_err(|error| error.to_string())?);
        }
        for control in &controls {
            self.append(encode_control(control));
        }
        Ok(!controls.is_empty())
    }

    fn append(&mut self, bytes: Vec<u8>) {
        for _ in 0..1000 {
            match self.appender.append(&bytes) {
                Ok(ticket) => return self.unacked.push_back((ticket, bytes)),
                Err(AppendError::TooLarge { bytes }) => panic!("a record of {bytes} bytes"),
                Err(AppendError::Full | AppendError::Stopped) => self.acknowledge(),
            }
        }
        panic!("the log takes nothing any more");
    }

    /// Learns what is durable; after a failure everything behind it is offered again, in order.
    fn acknowledge(&mut self) {
        let (acked, stopped) = match self.appender.acked() {
            Ok(acked) => (acked, false),
            Err(stopped) => (stopped.acked, true),
        };
        while self.unacked.front().is_some_and(|(ticket, _)| *ticket <= acked) {
            self.unacked.pop_front();
        }
        if stopped && self.appender.resume().is_ok() {
            let again = std::mem::take(&mut self.unacked);
            again.into_iter().for_each(|(_, bytes)| self.append(bytes));
        }
    }

    /// Holds everything that readers can see against the second path.
    fn compare(&mut self, memory: Memory) -> Result<(), String> {
        let mut recount = Recount::new();
        for record in self.all(Topic::Facts)? {
            recount.push(&wire::record(record.offset, record.append_ms, &record.value));
        }
        let owner = self.owner.as_mut().ok_or("nobody owns the domain at the end")?;
        compare::views(owner.scoring.engine(), &recount)?;
        let (alerts, ledger) = (self.all(Topic::Alerts)?, self.all(Topic::Ledger)?);
        compare::written_ledger(&ledger, &recount, memory == Memory::Long)?;
        if memory == Memory::Long { compare::written_alerts(&alerts, &recount) } else { Ok(()) }
    }

    /// Every committed record of a topic.
    fn all(&self, topic: Topic) -> Result<Vec<shiftpulse::io::log::Record>, String> {
        let mut reader = self.log.tail(topic, DOMAIN, Start::Beginning).map_err(|retry| retry.0)?;
        let mut records = Vec::new();
        while let Some(record) = reader.poll(Duration::ZERO).map_err(|error| error.to_string())? {
            records.push(record);
        }
        Ok(records)
    }
}

/// The bytes that intake appends.
fn encode(post: &Post) -> Vec<u8> {
    match &post.said {
        Said::Control(control) => encode_control(control),
        Said::Noise => vec![9, 9, 9],
        Said::Batch(sent) => {
            let mut builder = BatchBuilder::new();
            sent.batch().facts.iter().for_each(|fact| builder.push(sent.from, fact));
            let head = Head {
                topic: sent.topic,
                partition: sent.partition,
                incarnation: sent.incarnation,
                from: sent.from,
                to: sent.to,
                progress: sent.progress,
                caught_up: sent.caught_up,
            };
            let mut bytes = Vec::new();
            builder.finish(&head, &mut bytes);
            bytes
        }
    }
}
