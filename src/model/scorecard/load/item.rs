//! The `[items]` table.

use super::super::exact::Exact;
use super::super::item::{AbsentPolicy, Item, Open, Share, natural_fold};
use super::super::limits::{Limit, Limits};
use super::super::quantity::Kind;
use super::super::read::{Fields, Report, nearest, table};
use super::super::rule::{Fold, Input, Rule, Shape};
use super::{IF_MISSING, IF_NULL, limit, names, ordered, points, positive, valid_id};
use num_traits::Signed;
use std::ops::Range;
use toml::de::DeValue;

pub(in super::super) const KEYS: [&str; 20] = [
    "weight",
    "max",
    "in",
    "fold",
    "kpi",
    "rating",
    "assessors",
    "min_sample",
    "ramp",
    "bands",
    "pass",
    "rest",
    "floor",
    "cap",
    "if_null",
    "if_missing",
    "open",
    "zh",
    "en",
    "note",
];
pub(in super::super) const LATER: [&str; 27] = [
    "adjusts",
    "incidents",
    "card",
    "take",
    "tally",
    "include",
    "of",
    "over",
    "held",
    "show",
    "where",
    "against",
    "better",
    "group",
    "among",
    "attain",
    "ranks",
    "beyond",
    "places",
    "who",
    "zero_if",
    "full_if",
    "override",
    "prorate",
    "shown",
    "exclusive",
    "steps",
];
/// Keys of an item that has an input of its own.
const LEAF: [&str; 10] =
    ["kpi", "rating", "assessors", "min_sample", "ramp", "bands", "pass", "rest", "if_null", "if_missing"];
/// Keys that may be open; `rule`: input and shape are lost.
const OPEN: [&str; 16] = [
    "weight",
    "max",
    "rule",
    "fold",
    "kpi",
    "rating",
    "assessors",
    "min_sample",
    "ramp",
    "bands",
    "pass",
    "rest",
    "floor",
    "cap",
    "if_null",
    "if_missing",
];
const FOLDS: [(&str, Fold); 2] = [("weighted", Fold::Weighted), ("sum", Fold::Sum)];

/// An item as read, with its place; `item` is absent where it has problems.
pub(super) struct Draft<'a, 'i> {
    pub(super) fields: Fields<'a, 'i>,
    pub(super) key: Range<usize>,
    pub(super) item: Option<Item>,
}

/// Reads all items in file order.
pub(super) fn read_all<'a, 'i>(report: &mut Report, file: &Fields<'a, 'i>) -> Option<Vec<Draft<'a, 'i>>> {
    let Some(items) = file.fields(report, "items") else {
        if !file.has("items") {
            report.add(
                "missing",
                file.span.clone(),
                "the file has no `[items]`",
                "add [items] and a line for each item",
            );
        }
        return None;
    };
    let mut drafts = Vec::new();
    for (key, value) in items.table.iter() {
        let id: &str = key.get_ref();
        let fields = table(report, value, &format!("items.{id}"));
        if let Some(fields) = fields.filter(|_| valid_id(report, key.span(), id)) {
            drafts.push((id, key.span(), fields));
        }
    }
    let groups: Vec<_> =
        drafts.iter().filter_map(|(_, _, fields)| fields.get("in")?.get_ref().as_str()).collect();
    let defaults = Defaults::read(report, file);
    let read = |(id, key, fields): &(&str, Range<usize>, Fields<'a, 'i>)| {
        let weighted_parts = drafts.iter().any(|(_, _, part)| {
            part.get("in").and_then(|group| group.get_ref().as_str()) == Some(id) && is_weighted(part)
        });
        let group = groups.contains(id).then_some(weighted_parts);
        let item = Reader { id, key, fields, group, defaults: &defaults }.read(report);
        Draft { fields: fields.clone(), key: key.clone(), item }
    };
    Some(drafts.iter().map(read).collect())
}

/// Whether an item's share is a weight, set or open.
fn is_weighted(fields: &Fields<'_, '_>) -> bool {
    fields.has("weight") || fields.get("open").is_some_and(|open| names_key(open.get_ref(), "weight"))
}

fn names_key(open: &DeValue<'_>, key: &str) -> bool {
    open.as_str() == Some(key)
        || open.as_array().is_some_and(|list| list.iter().any(|k| k.get_ref().as_str() == Some(key)))
}

/// The fold of the total: by its parts; a fold that is written must agree with them.
pub(super) fn top_fold(
    report: &mut Report,
    total: Option<&Fields<'_, '_>>,
    drafts: &[Draft<'_, '_>],
) -> Fold {
    let weighted = drafts.iter().any(|draft| !draft.fields.has("in") && is_weighted(&draft.fields));
    total.map_or(natural_fold(weighted), |fields| fold(report, fields, weighted))
}

fn fold(report: &mut Report, fields: &Fields<'_, '_>, weighted: bool) -> Fold {
    let natural = natural_fold(weighted);
    if fields.word(report, "fold", &FOLDS).is_some_and(|fold| fold != natural) {
        let (message, remedy) = match natural {
            Fold::Weighted => {
                ("parts with `weight` are not summed", "write fold = \"weighted\", or give the parts `max`")
            }
            Fold::Sum => {
                ("parts with `max` are not weighted", "write fold = \"sum\", or give the parts `weight`")
            }
        };
        report.add("value", fields.key_span("fold"), message, remedy);
    }
    natural
}

/// What the card says for all items.
struct Defaults {
    assessors: Vec<String>,
    absent: AbsentPolicy,
}

impl Defaults {
    fn read(report: &mut Report, file: &Fields<'_, '_>) -> Self {
        let absent = absent(report, file, AbsentPolicy::default());
        Self { assessors: assessors(report, file).unwrap_or_default(), absent }
    }
}

fn absent(report: &mut Report, fields: &Fields<'_, '_>, default: AbsentPolicy) -> AbsentPolicy {
    AbsentPolicy {
        if_null: fields.word(report, "if_null", &IF_NULL).unwrap_or(default.if_null),
        if_missing: fields.word(report, "if_missing", &IF_MISSING).unwrap_or(default.if_missing),
    }
}

fn assessors(report: &mut Report, fields: &Fields<'_, '_>) -> Option<Vec<String>> {
    let value = fields.get("assessors")?;
    if value.get_ref().is_table() {
        let message = format!("weights of assessors ({}) are not supported yet", fields.name("assessors"));
        report.add("unknown", value.span(), message, "name them as a list: each counts alike");
        return None;
    }
    let mut names = Vec::new();
    for (name, span) in fields.texts(report, "assessors")? {
        if names.contains(&name) {
            report.add("value", span, format!("assessor \"{name}\" is named twice"), "name each once");
        } else {
            names.push(name);
        }
    }
    Some(names)
}

/// The names in `open`, each of which must be among `allowed`.
pub(super) fn open_keys(report: &mut Report, fields: &Fields<'_, '_>, allowed: &[&str]) -> Vec<String> {
    let mut open = Vec::new();
    for (key, span) in fields.texts(report, "open").unwrap_or_default() {
        if allowed.contains(&key.as_str()) {
            open.push(key);
        } else {
            report.add(
                "unknown",
                span,
                format!("`{key}` cannot be open in {}", fields.place),
                nearest(&key, allowed),
            );
        }
    }
    open
}

/// Reads one item.
pub(super) struct Reader<'r, 'a, 'i> {
    pub(super) id: &'r str,
    key: &'r Range<usize>,
    pub(super) fields: &'r Fields<'a, 'i>,
    /// For a group: whether its parts are weighted.
    group: Option<bool>,
    defaults: &'r Defaults,
}

impl Reader<'_, '_, '_> {
    fn read(&self, report: &mut Report) -> Option<Item> {
        let before = report.problems.len();
        self.fields.only(report, &KEYS, &LATER);
        self.fields.text(report, "note");
        let parent = self.fields.text(report, "in");
        let names = names(report, self.fields, self.id);
        let open = open_keys(report, self.fields, &OPEN);
        let share = self.share(report, &open);
        let limits = self.limits(report);
        let absent = absent(report, self.fields, self.defaults.absent);
        let rule = match self.group {
            Some(weighted) => self.parts(report, weighted),
            None => self.value(report, &share, &open),
        };
        let rule = self.opened(rule, &open);
        (report.problems.len() == before).then(|| Item {
            id: self.id.into(),
            parent,
            names,
            share,
            rule,
            limits,
            absent,
            open,
        })
    }

    /// A rule with open keys is a proposal, if it is complete.
    fn opened(&self, rule: Option<Rule>, open: &[String]) -> Open<Rule> {
        let of_rule: Vec<_> = open.iter().filter(|key| !["weight", "max"].contains(&key.as_str())).collect();
        let lost = of_rule.iter().any(|key| !self.fields.has(key));
        match rule {
            Some(rule) if of_rule.is_empty() => Open::Set(rule),
            Some(rule) if !lost => Open::Proposed(rule),
            _ => Open::Unset,
        }
    }

    pub(super) fn problem(&self, report: &mut Report, check: &'static str, message: String, remedy: &str) {
        report.add(check, self.key.clone(), message, remedy);
    }

    fn share(&self, report: &mut Report, open: &[String]) -> Share {
        let is_open = |key: &str| open.iter().any(|open| open == key);
        let given = |key: &str| self.fields.has(key) || is_open(key);
        if given("weight") && given("max") {
            self.problem(
                report,
                "value",
                format!("`{}` has both `weight` and `max`", self.id),
                "keep one of them",
            );
        }
        let state = |is_open, value: Option<Exact>| match value {
            Some(value) if is_open => Open::Proposed(value),
            Some(value) => Open::Set(value),
            None => Open::Unset,
        };
        if given("weight") {
            Share::Weight(state(is_open("weight"), self.weight(report)))
        } else if given("max") {
            Share::Max(state(is_open("max"), positive(report, self.fields, "max")))
        } else {
            Share::Shown
        }
    }

    fn weight(&self, report: &mut Report) -> Option<Exact> {
        let weight = points(report, self.fields, "weight")?;
        if weight.is_negative() {
            report.add(
                "value",
                self.fields.key_span("weight"),
                "a weight is not negative",
                "write percent, such as 30",
            );
        }
        Some(weight)
    }

    fn limits(&self, report: &mut Report) -> Limits {
        let mut end = |key: &str| match limit(report, self.fields, key) {
            None => Limit::Default,
            Some(None) => Limit::None,
            Some(Some(points)) => Limit::At(points),
        };
        let limits = Limits { floor: end("floor"), cap: end("cap") };
        if let (Limit::At(floor), Limit::At(cap)) = (&limits.floor, &limits.cap) {
            ordered(report, self.fields, Some(floor), Some(cap));
        }
        limits
    }

    fn parts(&self, report: &mut Report, weighted: bool) -> Option<Rule> {
        for key in LEAF.iter().filter(|key| self.fields.has(key)) {
            let message =
                format!("`{}` is a group: others are `in` it, so `{key}` has no place here", self.id);
            report.add(
                "value",
                self.fields.key_span(key),
                message,
                "a group has a share, a fold, a floor and a cap",
            );
        }
        Some(Rule::Parts { fold: fold(report, self.fields, weighted) })
    }

    fn value(&self, report: &mut Report, share: &Share, open: &[String]) -> Option<Rule> {
        if self.fields.has("fold") {
            let message = format!("`{}` has a fold, but nothing is `in` it", self.id);
            report.add("value", self.fields.key_span("fold"), message, "remove it, or put items in it");
        }
        let input = self.input(report, open);
        let kind = input.as_ref().map(Input::kind);
        let shape = kind.and_then(|kind| self.shape(report, kind));
        let min_sample = self.fields.count(report, "min_sample", 0).unwrap_or(0);
        let (input, shape) = (input?, shape?);
        let lost = open.iter().any(|key| ["ramp", "bands", "pass", "rule"].contains(&key.as_str()));
        if *share != Share::Shown && !lost {
            self.not_as_given(report, &input, &shape);
        }
        Some(Rule::Value { input, shape, min_sample })
    }

    fn input(&self, report: &mut Report, open: &[String]) -> Option<Input> {
        let own = assessors(report, self.fields);
        let (kpi, rating) = (self.fields.text(report, "kpi"), self.fields.text(report, "rating"));
        if own.is_some() && rating.is_none() {
            let message = format!("`{}` has assessors, but no rating", self.id);
            report.add(
                "value",
                self.fields.key_span("assessors"),
                message,
                "remove them, or add rating = \"...\"",
            );
        }
        match (kpi, rating) {
            (Some(_), Some(_)) => {
                let remedy = "one input an item: put two items in a group";
                self.problem(report, "value", format!("`{}` has both `kpi` and `rating`", self.id), remedy);
                None
            }
            (Some(kpi), None) => Some(Input::Kpi(kpi)),
            (None, Some(dimension)) => {
                let assessors = own.unwrap_or_else(|| self.defaults.assessors.clone());
                Some(Input::Rating { dimension, assessors })
            }
            (None, None) => {
                let lost = open.iter().any(|key| ["rule", "kpi", "rating"].contains(&key.as_str()));
                if !lost && !self.fields.has("kpi") && !self.fields.has("rating") {
                    let remedy = "give it `kpi` or `rating`, put items in it, or say open = [\"rule\"]";
                    self.problem(report, "missing", format!("`{}` has no input", self.id), remedy);
                }
                None
            }
        }
    }

    /// A ratio or a span is no number of points.
    fn not_as_given(&self, report: &mut Report, input: &Input, shape: &Shape) {
        let what = match (input.kind(), shape) {
            (Kind::Ratio, Shape::AsGiven) => "a ratio 0..1",
            (Kind::Span, Shape::AsGiven) => "a span in ms",
            _ => return,
        };
        let message = format!("`{}` takes {what} as its points", self.id);
        self.problem(report, "unit", message, "say how it becomes points: `ramp`, `bands` or `pass`");
    }
}
