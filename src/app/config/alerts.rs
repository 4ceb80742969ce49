//! The alert rules of `alerts.toml`.

use super::coherence::Places;
use super::section::Section;
use super::value::{boolean, identifier, integer, list, one_of, ratio, span};
use crate::engine::output::WINDOWS;
use crate::model::alert::{OnNull, Rule};
use crate::model::units::{Fraction, HOUR, MINUTE};

const KPIS: [(&str, &str); 2] = [("answer_rate", "answer_rate"), ("service_level", "service_level")];
const SEVERITIES: [(&str, &str); 2] = [("critical", "critical"), ("warning", "warning")];
const ON_NULL: [(&str, OnNull); 2] = [("hold", OnNull::Hold), ("resolve", OnNull::Resolve)];

/// Where the parts of a rule stand.
#[derive(Debug, Clone)]
pub struct RulePlaces {
    /// `id`.
    pub id: super::problem::Spot,
    /// `queues`.
    pub queues: super::problem::Spot,
    /// `windows`.
    pub windows: super::problem::Spot,
    /// `clear`.
    pub clear: super::problem::Spot,
    /// `min_samples`.
    pub min_samples: super::problem::Spot,
}

/// Reads every `[[alert]]`.
pub fn rules(sections: Vec<Section>, places: &mut Places) -> Vec<Rule> {
    sections.into_iter().map(|section| rule(section, places)).collect()
}

fn rule(section: Section, places: &mut Places) -> Rule {
    let below = section.required("below", "\"80%\"", ratio).unwrap_or(Fraction::new(0, 1000));
    let windows = WINDOWS.map(|window| (window, window));
    let rule = Rule {
        id: section.required("id", "\"answer-rate-low\"", identifier).unwrap_or_default(),
        kpi: section.required("kpi", "\"answer_rate\"", one_of(&KPIS)).unwrap_or_default().into(),
        queues: section.or("queues", Vec::new(), list(identifier)),
        windows: section
            .or("windows", vec!["5m", "30m", "1h"], list(one_of(&windows)))
            .into_iter()
            .map(String::from)
            .collect(),
        below,
        clear: section.or("clear", below, ratio),
        hold_ms: section.or("hold", 5 * MINUTE, span(0..=24 * HOUR)),
        min_samples: section.or("min_samples", 10, integer(1..=1_000_000)),
        on_null: section.or("on_null", OnNull::Hold, one_of(&ON_NULL)),
        severity: section.or("severity", "warning", one_of(&SEVERITIES)).into(),
        page: section.or("page", false, boolean),
    };
    places.alerts.push(RulePlaces {
        id: section.spot("id"),
        queues: section.spot("queues"),
        windows: section.spot("windows"),
        clear: section.spot("clear"),
        min_samples: section.spot("min_samples"),
    });
    section.finish();
    rule
}
