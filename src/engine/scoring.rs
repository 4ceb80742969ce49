//! Scores: what a card sees of a member, and the document that comes of it.
//!
//! A card sees one [`Inputs`] value; the engine builds it from the member's month row and the ratings of the period.

use super::active::{Active, ActiveCard};
use super::inputs::Rating;
use super::output::{Output, Score, ScoreItem};
use super::state::Engine;
use crate::model::calendar::{Calendar, month_name};
use crate::model::kpi::KPIS;
use crate::model::measure::{Row, SubjectKind};
use crate::model::roster::Roster;
use crate::model::scorecard::{Inputs, Mark, Measured, Rating as CardRating, Scored, exact_text};
use crate::model::units::{EventTime, LogTime, Sym};

/// What one member brought into one period.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Brought {
    pub(super) row: Row,
    pub(super) ratings: Vec<Rating>,
}

impl Brought {
    /// The one value that a card sees.
    pub(super) fn inputs(&self, period_closed: bool, deadline_over: bool) -> Inputs {
        let kpis = KPIS.iter().filter(|kpi| kpi.kinds.contains(&SubjectKind::Agent));
        let kpis = kpis.map(|kpi| (kpi.name.to_owned(), Measured::Counts(kpi.value(&self.row)))).collect();
        let ratings = self.ratings.iter().map(|rating| CardRating {
            dimension: rating.dimension.clone(),
            assessor: rating.assessor.clone(),
            mark: Mark::from_millionths(rating.score),
        });
        Inputs { kpis, ratings: ratings.collect(), period_closed, deadline_over }
    }
}

/// The document of a scored member.
pub(super) fn document(
    agent: &str,
    period: &str,
    card: &ActiveCard,
    scored: &Scored,
    as_of: LogTime,
    provisional: bool,
) -> Score {
    let head = card.card.head();
    Score {
        agent: agent.to_owned(),
        period: period.to_owned(),
        card: head.id().to_owned(),
        version: head.version(),
        hash: card.hash.clone(),
        as_of,
        provisional: provisional || scored.provisional,
        total: scored.total.as_ref().map(exact_text),
        total_shown: scored.total_shown.clone(),
        grade: scored.grade.as_ref().map(|grade| grade.label.clone()),
        grade_en: scored.grade.as_ref().map(|grade| grade.en.clone()),
        items: scored.items.iter().map(item).collect(),
        why_zh: scored.why.zh.clone(),
        why_en: scored.why.en.clone(),
    }
}

fn item(item: &crate::model::scorecard::ScoredItem) -> ScoreItem {
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

/// The role of an agent in a month: that of the last stint which touches it. Without a roster there are no roles.
pub(super) fn role_in(roster: &Roster, calendar: &Calendar, agent: Sym, month: i32) -> Option<Sym> {
    let range = calendar.month_range(month);
    let touches = |from: EventTime, to: EventTime| from.0 < range.end && range.start < to.0;
    roster.stints(agent).iter().rev().find(|stint| touches(stint.from, stint.to)).map(|stint| stint.role)
}

impl Engine {
    /// What an agent brought into a month so far.
    pub(super) fn brought(&self, agent: Sym, month: i32) -> Brought {
        Brought {
            row: self.state.agents.get(agent).map(|record| record.book.month(month)).unwrap_or_default(),
            ratings: self.state.inputs.ratings(&month_name(month), agent),
        }
    }

    /// The cards that apply to an agent in a month.
    pub(super) fn cards_of<'a>(&self, active: &'a Active, agent: Sym, month: i32) -> Vec<&'a ActiveCard> {
        let role = role_in(&active.roster, &active.calendar, agent, month);
        if role.is_none() && !active.roster.is_observed() {
            return Vec::new();
        }
        let role = role.map(|role| self.state.names.text(role));
        let applies = |card: &&ActiveCard| role.is_none_or(|role| card.card.head().applies_to(role));
        active.cards.iter().filter(applies).collect()
    }

    /// The scores so far of everybody on the roster in the month of the live clock, by identifier; none once it was cut.
    pub fn scores(&self) -> Vec<Score> {
        let Some(active) = self.active.clone() else { return Vec::new() };
        let month = active.calendar.month_of(EventTime(self.now().0));
        let mut out = Vec::new();
        for agent in active.roster.agents() {
            self.score_so_far(&active, agent, month, &mut out);
        }
        let scores = out.into_iter().filter_map(|output| match output {
            Output::Score(score) => Some(score),
            _ => None,
        });
        scores.collect()
    }

    /// The scores so far of an agent in a month that is still open.
    pub(super) fn score_so_far(&self, active: &Active, agent: Sym, month: i32, out: &mut Vec<Output>) {
        if self.state.periods.is_cut(month) {
            return;
        }
        let brought = self.brought(agent, month);
        let (name, period) = (self.state.names.text(agent), month_name(month));
        for card in self.cards_of(active, agent, month) {
            let scored = card.card.evaluate(&brought.inputs(false, false));
            out.push(Output::Score(document(name, &period, card, &scored, self.now(), true)));
        }
    }
}
