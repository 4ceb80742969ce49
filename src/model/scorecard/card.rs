//! A card: the rules of one scheme, checked as a whole.

use super::evaluate::evaluate;
use super::exact::{Exact, whole};
use super::example::Example;
use super::grade::{Grades, Total};
use super::item::{Item, Items, Open, Share};
use super::problem::Problems;
use super::result::{Inputs, Scored};
use super::rule::{Fold, Input, Rule};
use num_traits::Zero;
use std::collections::BTreeSet;

/// Identity and scope of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub(super) id: String,
    pub(super) version: u32,
    pub(super) title: super::Names,
    pub(super) effective: Option<jiff::civil::Date>,
    pub(super) period: PeriodKind,
    pub(super) zone: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) inputs_by_ms: i64,
}

/// How long a card's period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodKind {
    /// A calendar month.
    Month,
}

impl Head {
    /// Identifier.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Version, from 1.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Title in both languages.
    pub fn title(&self) -> &super::Names {
        &self.title
    }

    /// How long its period is.
    pub fn period(&self) -> PeriodKind {
        self.period
    }

    /// IANA zone of its periods; absent: the unit's.
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// Last moment for human inputs, ms after the period's end.
    pub fn inputs_by_ms(&self) -> i64 {
        self.inputs_by_ms
    }

    /// Roles that get a result; empty: all.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Whether a member of this role gets a result.
    pub fn applies_to(&self, role: &str) -> bool {
        self.roles.is_empty() || self.roles.iter().any(|own| own == role)
    }

    /// First day on which the card holds; absent: always.
    pub fn effective(&self) -> Option<jiff::civil::Date> {
        self.effective
    }

    /// Whether the card is in force for a period with this last day.
    pub fn in_force(&self, last_day: jiff::civil::Date) -> bool {
        self.effective.is_none_or(|from| from <= last_day)
    }
}

/// One scheme. Made by [`Card::parse`] only, so a card that exists is a card that can be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    pub(super) head: Head,
    pub(super) items: Items,
    pub(super) fold: Fold,
    pub(super) total: Total,
    pub(super) grades: Option<Open<Grades>>,
    /// Open keys of `grades`.
    pub(super) open_grades: Vec<String>,
    pub(super) examples: Vec<Example>,
}

impl Card {
    /// Reads the text of a card's file. `name` is the file's name in messages.
    ///
    /// # Errors
    /// Everything that is wrong with the file, at once.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        super::load::card(text).map_err(|problems| Problems::new(name, text, problems))
    }

    /// Reads a card and computes its examples.
    ///
    /// # Errors
    /// As [`Card::parse`]; and each example that does not come out, with the arithmetic.
    pub fn check(name: &str, text: &str) -> Result<Self, Problems> {
        let card = Self::parse(name, text)?;
        let failed = super::example::failures(&card);
        if failed.is_empty() { Ok(card) } else { Err(Problems::new(name, text, failed)) }
    }

    /// Scores one member in one period.
    pub fn evaluate(&self, inputs: &Inputs) -> Scored {
        evaluate(self, inputs)
    }

    /// Identity and scope.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Items in file order.
    pub fn items(&self) -> &Items {
        &self.items
    }

    /// How the total is formed.
    pub fn total(&self) -> &Total {
        &self.total
    }

    /// Grades, if the card has any.
    pub fn grades(&self) -> Option<&Open<Grades>> {
        self.grades.as_ref()
    }

    /// The file's examples.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// The results of the file's examples, with every proposal accepted.
    pub fn worked(&self) -> impl Iterator<Item = Scored> {
        let decided = self.on_proposals();
        self.examples.iter().map(move |example| decided.evaluate(example.given()))
    }

    /// Every KPI it reads, sorted. Whoever activates a card checks that some source reports them.
    pub fn kpis(&self) -> BTreeSet<&str> {
        fn kpi(item: &Item) -> Option<&str> {
            match item.rule.any()? {
                Rule::Value { input: Input::Kpi(name), .. } => Some(name),
                Rule::Value { .. } | Rule::Parts { .. } => None,
            }
        }
        self.items.iter().filter_map(kpi).collect()
    }

    /// Names of the keys that are not decided, such as `late.weight`, `grades.round`; in file order.
    pub fn open(&self) -> Vec<String> {
        let items =
            self.items.iter().flat_map(|item| item.open.iter().map(move |key| format!("{}.{key}", item.id)));
        items.chain(self.open_grades.iter().map(|key| format!("grades.{key}"))).collect()
    }

    /// The same card with every proposal accepted: what its examples run on.
    pub(super) fn on_proposals(&self) -> Self {
        let mut card = self.clone();
        card.items = card.items.accepted();
        card.grades = card.grades.map(Open::accept);
        card
    }

    /// Whether the total needs this item: it and all groups above have a share other than 0.
    pub(super) fn required(&self, place: usize) -> bool {
        let counts =
            |item: &Item| item.share != Share::Shown && item.part().is_none_or(|share| !share.is_zero());
        counts(self.items.get(place))
            && self.items.ancestors(place).into_iter().all(|i| counts(self.items.get(i)))
    }

    /// Share of the total in percent when nothing is absent; absent where it is open or the item is only shown.
    pub(super) fn share_of_total(&self, place: usize) -> Option<Exact> {
        let mut share = whole(100);
        let chain = std::iter::once(place).chain(self.items.ancestors(place));
        for at in chain {
            share *= self.share_of_parent(self.items.get(at))?;
        }
        Some(share)
    }

    fn share_of_parent(&self, item: &Item) -> Option<Exact> {
        let part = item.part()?;
        let siblings = self.items.within(item.parent());
        let group = self.items.iter().find(|group| Some(group.id()) == item.parent());
        match (&item.share, group) {
            (Share::Shown, _) => None,
            (Share::Weight(_), Some(_)) => {
                let all: Option<Vec<_>> = siblings
                    .iter()
                    .map(|i| self.items.get(*i))
                    .filter(|i| i.share != Share::Shown)
                    .map(Item::part)
                    .collect();
                let all: Exact = all?.into_iter().sum();
                (!all.is_zero()).then(|| part / all)
            }
            (Share::Weight(_), None) => Some(part * &self.total.scale / whole(100) / &self.total.full),
            (Share::Max(_), Some(group)) => Some(part / group.full(&self.total.scale)?),
            (Share::Max(_), None) => Some(part / &self.total.full),
        }
    }
}
