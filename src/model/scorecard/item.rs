//! Items: the only building block. A group is an item that others are `in`.

use super::exact::{Exact, exact_text, whole};
use super::limits::Limits;
use super::rule::{Fold, Input, Rule, Shape};
use num_traits::Zero;
use std::collections::BTreeMap;

/// A key that the source leaves open: nothing is ever guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open<T> {
    /// Decided.
    Set(T),
    /// A proposal stands beside it; only examples run on it.
    Proposed(T),
    /// Nothing is known.
    Unset,
}

impl<T> Open<T> {
    /// What evaluation sees.
    pub fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Proposed(_) | Self::Unset => None,
        }
    }

    /// Decided or proposed.
    pub fn any(&self) -> Option<&T> {
        match self {
            Self::Set(value) | Self::Proposed(value) => Some(value),
            Self::Unset => None,
        }
    }

    pub(super) fn accept(self) -> Self {
        match self {
            Self::Proposed(value) => Self::Set(value),
            other => other,
        }
    }
}

/// An item's share of what contains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Share {
    /// Percent; its points are on the card's scale.
    Weight(Open<Exact>),
    /// Points, its full mark.
    Max(Open<Exact>),
    /// None: it is only shown.
    Shown,
}

/// What a null value does in the fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfNull {
    /// It leaves, its share goes to the others.
    #[default]
    NotApplicable,
    /// It counts as zero.
    Zero,
    /// It counts as the full mark.
    Full,
    /// Nothing above it has points.
    Hold,
}

/// What an input does that is still missing after its last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfMissing {
    /// No total.
    #[default]
    Hold,
    /// It leaves, its share goes to the others.
    NotApplicable,
    /// It counts as zero.
    Zero,
}

/// What happens without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AbsentPolicy {
    /// When it cannot be computed.
    pub if_null: IfNull,
    /// When nobody gave it.
    pub if_missing: IfMissing,
}

/// Display names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) names: Names,
    pub(super) share: Share,
    pub(super) rule: Open<Rule>,
    pub(super) limits: Limits,
    pub(super) absent: AbsentPolicy,
    /// Names of its open keys.
    pub(super) open: Vec<String>,
}

impl Item {
    /// Identifier, unique in the card.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The group it is in.
    pub fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }

    /// Display names.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Its share.
    pub fn share(&self) -> &Share {
        &self.share
    }

    /// How it gets points.
    pub fn rule(&self) -> &Open<Rule> {
        &self.rule
    }

    /// Its full mark on a card of this scale; absent for items that are only shown or whose maximum is open.
    pub(super) fn full(&self, scale: &Exact) -> Option<Exact> {
        match &self.share {
            Share::Weight(_) => Some(scale.clone()),
            Share::Max(max) => max.any().cloned(),
            Share::Shown => None,
        }
    }

    /// Weight or maximum as a fold counts it.
    pub(super) fn part(&self) -> Option<&Exact> {
        match &self.share {
            Share::Weight(share) | Share::Max(share) => share.any(),
            Share::Shown => None,
        }
    }

    /// Whether share and rule are decided.
    pub(super) fn is_open(&self) -> bool {
        let share = match &self.share {
            Share::Weight(share) | Share::Max(share) => share.set().is_some(),
            Share::Shown => true,
        };
        !share || self.rule.set().is_none()
    }
}

/// All items in file order; parents exist, no ring, one kind of share among siblings, shares add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items(Vec<Item>);

/// Why items do not go together; the place of the item it concerns (none: the card).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemDefect {
    pub(super) check: &'static str,
    pub(super) item: Option<usize>,
    /// The key that is wrong.
    pub(super) key: &'static str,
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Items {
    /// Checks items against each other and against the declared full marks.
    pub(super) fn new(items: Vec<Item>, scale: &Exact, full: &Exact) -> Result<Self, Vec<ItemDefect>> {
        let items = Self(items);
        let mut defects = items.parents();
        if defects.is_empty() {
            defects.extend(items.folds(None, scale, full));
            for (i, item) in items.0.iter().enumerate() {
                if let Some(Rule::Parts { .. }) = item.rule.any() {
                    defects.extend(items.folds(Some(i), scale, full));
                }
            }
        }
        if defects.is_empty() { Ok(items) } else { Err(defects) }
    }

    /// In file order.
    pub fn iter(&self) -> std::slice::Iter<'_, Item> {
        self.0.iter()
    }

    /// Places of the items in `parent` (none: of those that make the total), in file order.
    pub(super) fn within(&self, parent: Option<&str>) -> Vec<usize> {
        (0..self.0.len()).filter(|i| self.0[*i].parent.as_deref() == parent).collect()
    }

    pub(super) fn get(&self, place: usize) -> &Item {
        &self.0[place]
    }

    /// With every proposal accepted.
    pub(super) fn accepted(self) -> Self {
        let accept = |mut item: Item| {
            item.rule = item.rule.accept();
            item.share = match item.share {
                Share::Weight(share) => Share::Weight(share.accept()),
                Share::Max(share) => Share::Max(share.accept()),
                Share::Shown => Share::Shown,
            };
            item
        };
        Self(self.0.into_iter().map(accept).collect())
    }

    /// Every item before the group it is in.
    pub(super) fn leaves_first(&self) -> Vec<usize> {
        let depths: Vec<_> = (0..self.0.len()).map(|i| self.ancestors(i).len()).collect();
        let mut order: Vec<_> = (0..self.0.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(depths[*i]));
        order
    }

    /// The groups an item is in, nearest first; stops where a ring closes.
    pub(super) fn ancestors(&self, place: usize) -> Vec<usize> {
        let by_id: BTreeMap<_, _> =
            self.0.iter().enumerate().map(|(i, item)| (item.id.as_str(), i)).collect();
        let mut up = Vec::new();
        let mut at = place;
        while let Some(parent) = self.0[at].parent.as_deref().and_then(|parent| by_id.get(parent)) {
            up.push(*parent);
            if *parent == place || up.len() > self.0.len() {
                break;
            }
            at = *parent;
        }
        up
    }

    fn parents(&self) -> Vec<ItemDefect> {
        let ids: Vec<_> = self.0.iter().map(|item| item.id.as_str()).collect();
        let mut defects = Vec::new();
        for (i, item) in self.0.iter().enumerate() {
            let Some(parent) = &item.parent else { continue };
            if !ids.contains(&parent.as_str()) {
                let message = format!("`{}` is in `{parent}`, which is no item", item.id);
                defects.push(defect("unknown", Some(i), "in", message, &super::read::nearest(parent, &ids)));
            } else if self.ancestors(i).contains(&i) {
                let message = format!("`{}` is in itself: `in` leads in a ring", item.id);
                defects.push(defect(
                    "cycle",
                    Some(i),
                    "in",
                    message,
                    "take one of the groups out of the ring",
                ));
            }
        }
        defects
    }

    /// One kind of share among the parts of `group`, the fold's kind, adding up to what they are parts of.
    fn folds(&self, group: Option<usize>, scale: &Exact, full: &Exact) -> Vec<ItemDefect> {
        let (name, parent) = match group {
            Some(i) => (format!("`{}`", self.0[i].id), Some(self.0[i].id.as_str())),
            None => ("the total".to_string(), None),
        };
        let parts = self.within(parent);
        let shared: Vec<_> = parts.iter().copied().filter(|i| self.0[*i].share != Share::Shown).collect();
        let Some(first) = shared.first() else {
            let message = format!("no part of {name} has a `weight` or a `max`");
            return vec![defect("missing", group, "fold", message, "give each part its share")];
        };
        let weighted = |i: &usize| matches!(self.0[*i].share, Share::Weight(_));
        if let Some(other) = shared.iter().find(|i| weighted(i) != weighted(first)) {
            let message = format!("the parts of {name} have both `weight` and `max`");
            let key = if weighted(other) { "weight" } else { "max" };
            return vec![defect("value", Some(*other), key, message, "use one of them for all parts")];
        }
        self.adds_up(group, &name, &shared, weighted(first), scale, full).into_iter().collect()
    }

    fn adds_up(
        &self,
        group: Option<usize>,
        name: &str,
        shared: &[usize],
        weighted: bool,
        scale: &Exact,
        full: &Exact,
    ) -> Option<ItemDefect> {
        let shares: Option<Vec<_>> = shared.iter().map(|i| self.0[*i].part()).collect();
        let sum: Exact = shares?.into_iter().sum();
        let whole_mark = match group {
            Some(i) => self.0[i].full(scale)?,
            None => full.clone(),
        };
        let text = exact_text;
        match (group, weighted) {
            (_, true) if sum.is_zero() => Some(defect(
                "weights_total",
                group,
                "fold",
                format!("all weights in {name} are 0"),
                "give one part a weight",
            )),
            (Some(_), true) if whole_mark != *scale => {
                let message = format!(
                    "{name} has full mark {}, its parts have weights on scale {}",
                    text(&whole_mark),
                    text(scale)
                );
                Some(defect("group_total", group, "max", message, "give its parts `max`"))
            }
            (Some(_), true) => None,
            (None, true) => {
                let reached = &sum * scale / whole(100);
                (reached != whole_mark).then(|| missing_weights(&sum, &reached, &whole_mark))
            }
            (None, false) => (sum != whole_mark).then(|| {
                let message = format!("the maxima add up to {} of {}", text(&sum), text(&whole_mark));
                let remedy =
                    format!("mend them, add the rest as an open item, or set total.full = {}", text(&sum));
                defect("weights_total", None, "total", message, &remedy)
            }),
            (Some(_), false) => (sum != whole_mark).then(|| {
                let message =
                    format!("the parts of {name} add up to {} of {}", text(&sum), text(&whole_mark));
                defect("group_total", group, "max", message, "mend them, or add the rest as an open item")
            }),
        }
    }
}

fn missing_weights(sum: &Exact, reached: &Exact, full: &Exact) -> ItemDefect {
    let message = format!(
        "the weights add up to {}%, which is {} of {} points",
        exact_text(sum),
        exact_text(reached),
        exact_text(full)
    );
    let remedy =
        format!("mend them, add the rest as an open item, or set total.full = {}", exact_text(reached));
    defect("weights_total", None, "total", message, &remedy)
}

fn defect(
    check: &'static str,
    item: Option<usize>,
    key: &'static str,
    message: String,
    remedy: &str,
) -> ItemDefect {
    ItemDefect { check, item, key, message, remedy: remedy.into() }
}

/// The marks of a shape that takes them as they are can be checked when they are given.
pub(super) fn takes_marks_as_points(input: &Input, shape: &Shape) -> bool {
    matches!(input, Input::Rating { .. }) && *shape == Shape::AsGiven
}

/// The fold that parts with this share use when the card does not say.
pub(super) fn natural_fold(weighted: bool) -> Fold {
    if weighted { Fold::Weighted } else { Fold::Sum }
}
