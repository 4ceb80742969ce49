//! Every agent's month: as the simulator knows it, as an engine has it, and where they differ.

use crate::engine::Engine;
use crate::engine::output::SubjectKind;
use crate::io::traffic::Traffic;
use std::collections::{BTreeMap, BTreeSet};

/// Columns that are not zero, by month (`2026-10`) and agent. Agent time is left out.
pub type Months = BTreeMap<String, BTreeMap<String, BTreeMap<String, i64>>>;

/// As the simulator knows it after its latest delivery.
pub fn truth(traffic: &Traffic) -> Months {
    let truth = traffic.truth();
    let agents = || truth.subjects().filter(|(kind, _)| *kind == SubjectKind::Agent);
    let month = |month: String| {
        let numbers = agents().filter_map(|(kind, id)| {
            let row = truth.month(kind, id, &month, i64::MAX)?;
            (!row.is_empty()).then(|| (id.to_owned(), row))
        });
        let numbers = numbers.collect();
        (month, numbers)
    };
    truth.months().into_iter().map(month).collect()
}

/// As the engine has it, of these months and agents.
pub fn of(engine: &mut Engine, months: &[String], agents: &[String]) -> Months {
    let mut all = Months::new();
    for month in months {
        let numbers = agents.iter().filter_map(|agent| {
            let row = engine.month(SubjectKind::Agent, agent, month).filter(|row| !row.is_empty())?;
            Some((agent.clone(), row))
        });
        all.insert(month.clone(), numbers.collect());
    }
    all
}

/// One line for each agent's month that is not the same.
pub fn differences(truth: &Months, ours: &Months) -> Vec<String> {
    let keys = |months: &Months| -> BTreeSet<(String, String)> {
        months
            .iter()
            .flat_map(|(month, agents)| agents.keys().map(|agent| (month.clone(), agent.clone())))
            .collect()
    };
    let row = |months: &Months, (month, agent): &(String, String)| {
        months.get(month).and_then(|agents| agents.get(agent)).cloned().unwrap_or_default()
    };
    let differs = keys(truth).union(&keys(ours)).cloned().collect::<Vec<_>>().into_iter().filter_map(|key| {
        let (theirs, ours) = (row(truth, &key), row(ours, &key));
        (theirs != ours).then(|| format!("{} {}: true {theirs:?}, found {ours:?}", key.1, key.0))
    });
    differs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(agents: &[(&str, i64)]) -> Months {
        let rows = agents.iter().map(|(agent, n)| ((*agent).to_owned(), [("handled".to_owned(), *n)].into()));
        [("2026-10".to_owned(), rows.collect())].into()
    }

    #[test]
    fn another_number_one_too_many_and_one_missing_are_each_a_difference() {
        let truth = months(&[("a", 1), ("b", 2), ("c", 3)]);
        assert!(differences(&truth, &truth.clone()).is_empty());
        let found = differences(&truth, &months(&[("a", 1), ("b", 3), ("d", 1)]));
        assert_eq!(found.iter().map(|line| &line[..1]).collect::<Vec<_>>(), ["b", "c", "d"]);
        assert_eq!(differences(&truth, &Months::new()).len(), 3);
    }
}
