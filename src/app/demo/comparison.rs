//! Ours against the truth, at one and the same offset: the engine is looked at between two records, and the simulator is
//! asked what is true after exactly the deliveries folded until then.

use super::{Demo, feed::TOPIC};
use crate::engine::output::{Live, Now, Score, SubjectKind, WINDOWS, Window};
use crate::engine::{Counters, Engine};
use crate::io::http::demo::{Comparison, ItemPair, Pair, Sent};
use crate::io::traffic::{Counts, Traffic, Truth};
use crate::model::calendar::{Calendar, month_name};
use crate::model::fact::SCORE_SCALE;
use crate::model::kpi::KPIS;
use crate::model::scorecard::{Card, Exact, Input, Measured, Rule, exact_text};
use crate::model::units::{EventTime, Fraction, LogTime};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

/// The engine's numbers between two records.
pub struct Observed {
    /// Deliveries folded until then.
    delivered: u64,
    now: LogTime,
    lives: BTreeMap<(SubjectKind, String), Arc<Live>>,
    scores: Vec<Score>,
    counters: Counters,
}

/// Looks at the engine if nobody has looked since the last comparison.
pub fn observe(demo: &Demo, engine: &mut Engine) {
    let mut observed = demo.observed.lock().unwrap_or_else(PoisonError::into_inner);
    if observed.is_some() {
        return;
    }
    let Some((_, next)) = engine.clocks().position(TOPIC, 0) else { return };
    let Some(definitions) = engine.definitions().cloned() else { return };
    let mut subjects = vec![(SubjectKind::Unit, definitions.unit.id.clone())];
    subjects.extend(definitions.queues.iter().map(|queue| (SubjectKind::Queue, queue.id.clone())));
    subjects.extend(definitions.teams.iter().map(|team| (SubjectKind::Team, team.id.clone())));
    subjects.extend(definitions.roster.iter().map(|person| (SubjectKind::Agent, person.agent.clone())));
    let lives = subjects
        .into_iter()
        .filter_map(|(kind, id)| Some(((kind, id.clone()), Arc::new(engine.view(kind, &id)?))))
        .collect();
    *observed = Some(Observed {
        delivered: next as u64,
        now: engine.clocks().live(),
        lives,
        scores: engine.scores(),
        counters: engine.counters(),
    });
}

/// Compares what was observed with the truth, and lets the truth forget what nobody can ask about any more.
pub fn compare(demo: &Demo, traffic: &mut Traffic) {
    let Some(observed) = demo.observed.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    let truth = traffic.truth();
    if observed.delivered < truth.floor() || observed.delivered > truth.delivered() {
        return;
    }
    let month = month_of(&observed, traffic);
    let comparison = Comparison {
        as_of: observed.now,
        subjects: subjects(&observed, traffic.truth()),
        items: observed
            .scores
            .iter()
            .flat_map(|score| items(score, &demo.card, &observed, traffic.truth(), &month))
            .collect(),
    };
    let counts = traffic.truth().counts(observed.delivered);
    {
        let mut shown = demo.shown();
        shown.comparison = Some(Arc::new(comparison));
        shown.sent = sent(demo, &observed, &counts);
        let taken = observed.counters.facts + observed.counters.voided;
        let expected = counts.events as i64;
        shown.lost = (expected - taken).max(0) as u64;
        shown.twice = (taken - expected).max(0) as u64;
    }
    traffic.truth_mut().settle(observed.delivered, observed.now.0);
}

fn month_of(observed: &Observed, traffic: &Traffic) -> String {
    let calendar = Calendar::new(&traffic.plan().centre.unit.zone);
    calendar.map(|calendar| month_name(calendar.month_of(EventTime(observed.now.0)))).unwrap_or_default()
}

fn sent(demo: &Demo, observed: &Observed, counts: &Counts) -> Sent {
    Sent {
        duplicates: counts.duplicates,
        duplicates_recognised: observed.counters.duplicates as u64,
        out_of_order: counts.disordered,
        broken: counts.broken,
        broken_set_aside: observed.counters.future as u64 + demo.refused.load(Ordering::Relaxed),
    }
}

fn subjects(observed: &Observed, truth: &Truth) -> Vec<Pair> {
    let pairs = truth.subjects().map(|(kind, id)| Pair {
        ours: observed.lives.get(&(kind, id.to_owned())).cloned(),
        truth: Arc::new(true_live(observed, truth, kind, id)),
    });
    pairs.collect()
}

/// The document that the truth would write.
fn true_live(observed: &Observed, truth: &Truth, kind: SubjectKind, id: &str) -> Live {
    let windows = WINDOWS.iter().filter_map(|name| {
        let counts = truth.window(kind, id, name, observed.now.0, observed.delivered)?;
        let counts: BTreeMap<String, i64> =
            counts.into_iter().filter(|(_, n)| *n != 0).map(|(column, n)| (column.to_string(), n)).collect();
        Some(((*name).to_owned(), Window { kpis: true_kpis(kind, &counts), counts }))
    });
    Live {
        subject: kind,
        id: id.to_owned(),
        as_of: observed.now,
        coverage: Fraction::new(1, 1),
        now: true_now(observed, truth, kind, id),
        windows: windows.collect(),
    }
}

fn true_now(observed: &Observed, truth: &Truth, kind: SubjectKind, id: &str) -> Now {
    let at = observed.delivered;
    match kind {
        SubjectKind::Queue => Now {
            waiting: truth.waiting(id, at),
            longest_since: truth.longest_since(id, at).map(EventTime),
            ..Now::default()
        },
        _ => Now::default(),
    }
}

/// The KPI formulas over the truth's columns.
fn true_kpis(kind: SubjectKind, counts: &BTreeMap<String, i64>) -> BTreeMap<String, Fraction> {
    let sum = |columns: &[crate::model::measure::Column]| {
        columns.iter().filter_map(|column| counts.get(column.name())).sum::<i64>()
    };
    let kpis = KPIS.iter().filter(|kpi| kpi.kinds.contains(&kind));
    kpis.map(|kpi| (kpi.name.to_owned(), Fraction::new(sum(kpi.num), sum(kpi.den)))).collect()
}

/// Every item of a score beside the value that the truth gives it.
fn items(score: &Score, card: &Card, observed: &Observed, truth: &Truth, month: &str) -> Vec<ItemPair> {
    let counts = truth.window(SubjectKind::Agent, &score.agent, "month", observed.now.0, observed.delivered);
    let counts: BTreeMap<String, i64> =
        counts.into_iter().flatten().map(|(column, n)| (column.to_string(), n)).collect();
    let kpis = true_kpis(SubjectKind::Agent, &counts);
    let items = score.items.iter().map(|item| {
        let input =
            card.items().iter().find(|known| known.id() == item.id).and_then(|known| known.rule().any());
        let truth = match input {
            Some(Rule::Value { input: Input::Kpi(kpi), min_sample, .. }) => {
                let enough = |value: &&Fraction| value.den.unsigned_abs() >= u64::from(*min_sample);
                kpis.get(kpi.as_str()).filter(enough).and_then(|value| Measured::Counts(*value).text())
            }
            Some(Rule::Value { input: Input::Rating { dimension, .. }, .. }) => {
                true_mark(&score.agent, dimension, observed, truth, month)
            }
            _ => None,
        };
        ItemPair { agent: score.agent.clone(), item: item.id.clone(), ours: item.value.clone(), truth }
    });
    items.collect()
}

/// Mean of the marks that were given, exact.
fn true_mark(
    agent: &str,
    dimension: &str,
    observed: &Observed,
    truth: &Truth,
    month: &str,
) -> Option<String> {
    let marks = truth.marks(month, observed.delivered).into_iter();
    let marks: Vec<i64> = marks
        .filter(|mark| mark.agent == agent && mark.dimension == dimension)
        .map(|mark| mark.score)
        .collect();
    let sum: i64 = marks.iter().sum();
    (!marks.is_empty())
        .then(|| exact_text(&Exact::new(sum.into(), (marks.len() as i64 * SCORE_SCALE).into())))
}
