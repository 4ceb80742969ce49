//! The cut and its lines: `docs/periods.md`, section by section.

use super::group::Kept;
use super::{Name, Recount, live, zone};
use crate::engine::definitions::{CardFile, Definitions, Person};
use crate::engine::output::{Ledger, Score, ScoreItem, SubjectKind};
use crate::model::scorecard::{Card, Exact, Inputs, Mark, Measured, Rating, Scored, ScoredItem, exact_text};
use crate::model::units::LogTime;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Months that are known, months that were cut, and the lines.
#[derive(Debug, Default)]
pub(super) struct Months {
    known: BTreeSet<String>,
    cut: BTreeSet<String>,
    /// Months that wait for inputs, as of the last change of anything but the clocks.
    waiting: BTreeSet<String>,
    /// What each member lacked, and with which inputs: equal inputs lack the same.
    lacked: BTreeMap<String, (Inputs, Vec<String>)>,
    lines: Vec<Ledger>,
}

impl Months {
    pub(super) fn lines(&self) -> &[Ledger] {
        &self.lines
    }

    /// A fact or a definition came: what was missing may be there.
    pub(super) fn changed(&mut self) {
        self.waiting.clear();
    }

    /// Other definitions: other cards lack other things.
    pub(super) fn forget(&mut self) {
        self.changed();
        self.lacked.clear();
    }

    pub(super) fn know(&mut self, month: String) {
        self.known.insert(month);
    }
}

/// A member of a month, with all that cards see.
struct Member {
    agent: String,
    role: Option<String>,
    inputs: Inputs,
}

/// Cuts every month that is due after the record at `offset`.
pub(super) fn cut(recount: &mut Recount, offset: i64) {
    let zone = recount.definitions.unit.zone.clone();
    let Some(settle) = recount.sources.settled() else { return };
    let open: Vec<String> = recount.months.known.difference(&recount.months.cut).cloned().collect();
    for period in open {
        let Some(span) = zone::month_named(&zone, &period) else { continue };
        if settle < span.end.saturating_add(recount.definitions.grace_ms) {
            continue;
        }
        let inputs_over = settle >= span.end.saturating_add(recount.inputs_by_ms);
        if recount.months.waiting.contains(&period) && !inputs_over {
            continue;
        }
        let cards = cards(&recount.definitions);
        let members = members(recount, &period, &span);
        let missing = due(&mut recount.months.lacked, &members, &cards);
        if missing.is_empty() || inputs_over {
            let lines = lines(recount, &period, &members, &cards, missing, (offset, settle));
            recount.months.cut.insert(period);
            recount.months.lines.extend(lines);
        } else {
            recount.months.waiting.insert(period);
        }
    }
}

/// How long after its end a month waits for inputs.
pub(super) fn inputs_by(definitions: &Definitions) -> i64 {
    let longest = cards(definitions).iter().map(|(_, card)| card.head().inputs_by_ms()).max();
    longest.unwrap_or(definitions.grace_ms)
}

/// The cards of definitions that can be activated.
pub(super) fn cards(definitions: &Definitions) -> Vec<(&CardFile, Card)> {
    let read = |file: &'_ CardFile| Card::parse(&file.id, &file.text).ok();
    definitions.cards.iter().filter_map(|file| Some((file, read(file)?))).collect()
}

/// Everybody who gets finals of the period, by identifier.
fn members(recount: &Recount, period: &str, span: &zone::Range) -> Vec<Member> {
    let roster = &recount.definitions.roster;
    let names: BTreeSet<String> = if roster.is_empty() {
        seen(recount, period, span)
    } else {
        roster.iter().filter(|person| touches(person, span)).map(|person| person.agent.clone()).collect()
    };
    let member = |agent: String| Member {
        role: role(roster, &agent, span),
        inputs: inputs(recount, period, &agent, span),
        agent,
    };
    names.into_iter().map(member).collect()
}

fn touches(person: &Person, span: &zone::Range) -> bool {
    person.from.is_none_or(|from| from < span.end) && person.to.is_none_or(|to| span.start < to)
}

fn role(roster: &[Person], agent: &str, span: &zone::Range) -> Option<String> {
    let theirs = roster.iter().filter(|person| person.agent == agent && touches(person, span));
    theirs.max_by_key(|person| person.from.unwrap_or(i64::MIN)).map(|person| person.role.clone())
}

/// Whoever has a count or a mark in the period.
fn seen(recount: &Recount, period: &str, span: &zone::Range) -> BTreeSet<String> {
    let bookings = recount.contacts.values().flat_map(|contact| &contact.bookings);
    let counted =
        bookings.filter(|booking| span.contains(&booking.at) && booking.adds.iter().any(|(_, by)| *by != 0));
    let mut all: BTreeSet<String> =
        counted.filter_map(|booking| Some(booking.agent.as_ref()?.to_string())).collect();
    let marked =
        recount.ratings.keys().filter(|(of, agent)| &**of == period && !marks(recount, of, agent).is_empty());
    all.extend(marked.map(|(_, agent)| agent.to_string()));
    all
}

fn inputs(recount: &Recount, period: &str, agent: &str, span: &zone::Range) -> Inputs {
    let counts = live::counts(recount, SubjectKind::Agent, agent, span.clone());
    let kpis = live::kpis(SubjectKind::Agent, &counts);
    let key = recount.ratings.keys().find(|(of, whose)| &**of == period && &**whose == agent);
    Inputs {
        kpis: kpis.into_iter().map(|(name, value)| (name, Measured::Counts(value))).collect(),
        ratings: key.map(|(of, whose)| marks(recount, of, whose)).unwrap_or_default(),
        period_closed: true,
        deadline_over: false,
    }
}

/// Every mark that stands; a card takes their mean.
fn marks(recount: &Recount, period: &Name, agent: &Name) -> Vec<Rating> {
    let Some(group) = recount.ratings.get(&(period.clone(), agent.clone())) else { return Vec::new() };
    let rating = |fact: &&Kept| {
        Some(Rating {
            dimension: fact.dimension.as_ref()?.to_string(),
            assessor: fact.assessor.as_ref()?.to_string(),
            mark: Mark::from_millionths(fact.score?),
        })
    };
    group.standing().iter().filter_map(rating).collect()
}

fn concerns(card: &Card, member: &Member) -> bool {
    member.role.as_ref().is_none_or(|role| card.head().applies_to(role))
}

/// What the cards find missing, by name. Equal inputs are not asked twice.
fn due(
    lacked: &mut BTreeMap<String, (Inputs, Vec<String>)>,
    members: &[Member],
    cards: &[(&CardFile, Card)],
) -> Vec<String> {
    let mut missing = BTreeSet::new();
    for member in members {
        if lacked.get(&member.agent).is_none_or(|(inputs, _)| *inputs != member.inputs) {
            let theirs = cards.iter().filter(|(_, card)| concerns(card, member));
            let due = theirs.flat_map(|(_, card)| card.evaluate(&member.inputs).due);
            let lacks = due.map(|input| format!("{}: {input}", member.agent)).collect();
            lacked.insert(member.agent.clone(), (member.inputs.clone(), lacks));
        }
        missing.extend(lacked[&member.agent].1.iter().cloned());
    }
    missing.into_iter().collect()
}

fn lines(
    recount: &Recount,
    period: &str,
    members: &[Member],
    cards: &[(&CardFile, Card)],
    missing: Vec<String>,
    (offset, settle): (i64, i64),
) -> Vec<Ledger> {
    let definitions = recount.definitions.hash();
    let mut finals = 0;
    let mut rest = Vec::new();
    for (file, card) in cards {
        let theirs = members.iter().filter(|member| concerns(card, member));
        let scored: Vec<(&Member, Scored)> = theirs
            .map(|member| (member, card.evaluate(&Inputs { deadline_over: true, ..member.inputs.clone() })))
            .collect();
        rest.push(table(period, card, &scored));
        finals += scored.len() as u32;
        rest.extend(scored.iter().map(|(member, scored)| Ledger::Final {
            revision: 1,
            score: score(&member.agent, period, file, card, scored, settle),
            cut: offset,
            digest: format!("{:032x}", recount.digest),
            definitions: definitions.clone(),
        }));
    }
    let span = zone::month_named(&recount.definitions.unit.zone, period).unwrap_or_default();
    let names: BTreeSet<&str> = members.iter().map(|member| member.agent.as_str()).collect();
    let unlisted =
        seen(recount, period, &span).into_iter().filter(|agent| !names.contains(agent.as_str())).collect();
    let cut = Ledger::Cut {
        period: period.to_owned(),
        revision: 1,
        offset,
        settle: LogTime(settle),
        finals,
        missing,
        unlisted,
        definitions,
    };
    std::iter::once(cut).chain(rest).collect()
}

fn table(period: &str, card: &Card, scored: &[(&Member, Scored)]) -> Ledger {
    let totals: Vec<&Exact> = scored.iter().filter_map(|(_, scored)| scored.total.as_ref()).collect();
    let sum: Exact = totals.iter().copied().sum();
    let mut grades = BTreeMap::new();
    for grade in scored.iter().filter_map(|(_, scored)| scored.grade.as_ref()) {
        *grades.entry(grade.label.clone()).or_insert(0) += 1;
    }
    Ledger::UnitTable {
        period: period.to_owned(),
        card: card.head().id().to_owned(),
        revision: 1,
        members: totals.len() as u32,
        mean: (!totals.is_empty()).then(|| exact_text(&(sum / Exact::from_integer(totals.len().into())))),
        grades,
    }
}

fn score(agent: &str, period: &str, file: &CardFile, card: &Card, scored: &Scored, settle: i64) -> Score {
    Score {
        agent: agent.to_owned(),
        period: period.to_owned(),
        card: card.head().id().to_owned(),
        version: card.head().version(),
        hash: hex(&Sha256::digest(file.text.as_bytes())),
        as_of: LogTime(settle),
        provisional: scored.provisional,
        total: scored.total.as_ref().map(exact_text),
        total_shown: scored.total_shown.clone(),
        grade: scored.grade.as_ref().map(|grade| grade.label.clone()),
        grade_en: scored.grade.as_ref().map(|grade| grade.en.clone()),
        items: scored.items.iter().map(item).collect(),
        why_zh: scored.why.zh.clone(),
        why_en: scored.why.en.clone(),
    }
}

fn item(item: &ScoredItem) -> ScoreItem {
    ScoreItem {
        id: item.id.clone(),
        parent: item.parent.clone(),
        zh: item.zh.clone(),
        en: item.en.clone(),
        state: item.state.as_str().to_owned(),
        value: item.value.clone(),
        points: item.points.as_ref().map(exact_text),
        points_shown: item.points_shown(),
        full: item.full.clone(),
        weight: item.share.as_ref().map(exact_text),
        why_zh: item.why.zh.clone(),
        why_en: item.why.en.clone(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
