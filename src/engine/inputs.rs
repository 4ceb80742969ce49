//! What people enter about a period: ratings. De-duplicated by all ids of (period, agent); order of arrival is nothing.

use crate::model::event::Kind;
use crate::model::fact::Fact;
use crate::model::units::{Names, Sym, hash64};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// What is rated.
    pub dimension: String,
    /// Who rated.
    pub assessor: String,
    /// The mark in millionths.
    pub score: i64,
}

/// All human inputs, by period and agent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Inputs {
    members: BTreeMap<(String, Sym), Member>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Member {
    /// By event id; a voided one is absent.
    ratings: BTreeMap<u64, (i64, Rating)>,
    voided: BTreeSet<u64>,
    /// Every event id so far: a repeat counts nothing and voids nothing.
    seen: BTreeSet<u64>,
}

impl Inputs {
    /// Takes a rating, or a voiding of one. False for a repeat.
    pub fn accept(&mut self, period: &str, agent: Sym, fact: &Fact) -> bool {
        let member = self.members.entry((period.to_owned(), agent)).or_default();
        member.accept(fact)
    }

    /// The ratings that count, in the order (dimension, assessor, time, event).
    pub fn ratings(&self, period: &str, agent: Sym) -> Vec<Rating> {
        let Some(member) = self.members.get(&(period.to_owned(), agent)) else { return Vec::new() };
        let mut ratings: Vec<_> =
            member.ratings.iter().map(|(id, (time, rating))| (rating, *time, *id)).collect();
        ratings.sort_by_key(|(rating, time, id)| (&rating.dimension, &rating.assessor, *time, *id));
        ratings.into_iter().map(|(rating, _, _)| rating.clone()).collect()
    }

    /// Who has inputs in a period.
    pub fn agents(&self, period: &str) -> impl Iterator<Item = Sym> {
        self.members
            .iter()
            .filter(move |((p, _), m)| p == period && !m.ratings.is_empty())
            .map(|((_, a), _)| *a)
    }

    /// Forgets the periods before `oldest` (as text: `2026-08`).
    pub fn forget_before(&mut self, oldest: &str) {
        self.members.retain(|(period, _), _| period.as_str() >= oldest);
    }
}

impl Member {
    fn accept(&mut self, fact: &Fact) -> bool {
        let id = hash64(fact.id);
        if !self.seen.insert(id) {
            return false;
        }
        if let Some(target) = fact.replaces.map(hash64) {
            self.voided.insert(target);
            self.ratings.remove(&target);
        }
        if fact.kind != Kind::Rating || self.voided.contains(&id) {
            return true;
        }
        if let (Some(dimension), Some(assessor), Some(score)) = (fact.dimension, fact.assessor, fact.score) {
            let rating = Rating { dimension: dimension.into(), assessor: assessor.into(), score };
            self.ratings.insert(id, (fact.time.0, rating));
        }
        true
    }
}

/// Whose period a rating (or its voiding) is about; `None` when the fact does not say.
pub fn member_of<'a>(fact: &Fact<'a>, names: &mut Names) -> Option<(&'a str, Sym)> {
    Some((fact.period?, names.intern(fact.agent?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::units::EventTime;

    fn mark(id: &'static str, time: i64, score: i64) -> Fact<'static> {
        Fact {
            dimension: Some("quality"),
            assessor: Some("qa"),
            score: Some(score),
            ..Fact::new(Kind::Rating, EventTime(time), id)
        }
    }

    #[test]
    fn every_mark_counts_in_any_order_and_a_repeat_changes_nothing() {
        let facts = [mark("r1", 10, 90), mark("r2", 20, 80), mark("r1", 10, 90)];
        for order in [[0, 1, 2], [1, 0, 2], [0, 2, 1]] {
            let mut inputs = Inputs::default();
            let fresh = order.iter().filter(|i| inputs.accept("2026-10", Sym(0), &facts[**i])).count();
            assert_eq!(fresh, 2);
            assert_eq!(
                inputs.ratings("2026-10", Sym(0)).iter().map(|r| r.score).collect::<Vec<_>>(),
                [90, 80]
            );
        }
    }

    #[test]
    fn a_replaced_mark_never_counts_whichever_comes_first() {
        let better = Fact { replaces: Some("r2"), ..mark("r3", 5, 95) };
        for order in [[mark("r2", 20, 80), better], [better, mark("r2", 20, 80)]] {
            let mut inputs = Inputs::default();
            for fact in &order {
                inputs.accept("2026-10", Sym(0), fact);
            }
            assert_eq!(inputs.ratings("2026-10", Sym(0)).iter().map(|r| r.score).collect::<Vec<_>>(), [95]);
        }
    }
}
