//! Laws that hold for any facts in any order.

use super::*;
use crate::model::event::Kind;
use crate::model::units::{EventTime, Sym};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A fact without borrowed texts, so that it can be shuffled.
#[derive(Debug, Clone)]
struct Drawn {
    id: String,
    kind: Kind,
    second: i64,
    queue: Option<&'static str>,
    to_queue: Option<&'static str>,
    agent: Option<&'static str>,
    flags: (bool, bool, bool),
    hold: i64,
    replaces: Option<String>,
}

impl Drawn {
    fn fact(&self) -> Fact<'_> {
        Fact {
            queue: self.queue,
            to_queue: self.to_queue.filter(|_| self.kind == Kind::Transferred),
            agent: self.agent,
            team: self.agent.map(|_| "named"),
            automatic: self.flags.0,
            internal: self.flags.1,
            resolved: Some(self.flags.2),
            hold_ms: Some(self.hold * 1000),
            replaces: self.replaces.as_deref(),
            ..Fact::new(self.kind, EventTime(self.second * 1000), &self.id)
        }
    }
}

/// Few times, agents and queues, so that things meet.
fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let queue = || prop::option::weighted(0.5, prop::sample::select(vec!["q1", "q2", "q3"]));
    let agent = prop::option::weighted(0.8, prop::sample::select(vec!["a1", "a2", "a3"]));
    let rarely = || prop::bool::weighted(0.15);
    let kind = prop::sample::select(Kind::ALL);
    let one = (kind, 0_i64..25, queue(), queue(), agent, (rarely(), rarely(), any::<bool>()), 0_i64..9);
    let voids = prop::collection::vec(prop::option::weighted(0.1, 0_usize..16), 16);
    (prop::collection::vec(one, 1..16), voids).prop_map(|(drawn, voids)| {
        let facts = drawn.into_iter().zip(voids).enumerate();
        facts
            .map(|(index, ((kind, second, queue, to_queue, agent, flags, hold), replaces))| Drawn {
                id: format!("id{index}"),
                kind,
                second,
                queue,
                to_queue,
                agent,
                flags,
                hold,
                replaces: replaces.filter(|target| *target != index).map(|target| format!("id{target}")),
            })
            .collect()
    })
}

/// Names and roster that do not depend on the order of arrival.
fn world() -> (Names, Roster) {
    let mut names = Names::default();
    for name in ["q1", "q2", "q3", "a1", "a2", "a3", "named"] {
        names.intern(name);
    }
    let roster = super::script::roster("a1=west", &mut names);
    (names, roster)
}

fn whole(facts: &[Drawn], expired: bool) -> (Contact, Conclusion) {
    let (mut names, roster) = world();
    let mut contact = Contact::default();
    for drawn in facts {
        contact.accept(&drawn.fact(), &mut names);
    }
    let mut out = Conclusion::default();
    contact.conclude(&roster, expired, &mut out);
    (contact, out)
}

fn count(out: &Conclusion, what: What) -> usize {
    out.observations.iter().filter(|observation| observation.what == what).count()
}

type Bag<T> = BTreeMap<T, i64>;

fn add<T: Ord>(bag: &mut Bag<T>, item: T, sign: i64) {
    *bag.entry(item).or_default() += sign;
    bag.retain(|_, times| *times != 0);
}

fn bag(out: &Conclusion) -> Bag<Observation> {
    let mut all = Bag::new();
    out.observations.iter().for_each(|observation| add(&mut all, *observation, 1));
    all
}

fn busy(out: &Conclusion) -> Bag<(Option<Sym>, EventTime, Option<EventTime>)> {
    let mut all = Bag::new();
    let named = out.segments.iter().filter(|segment| segment.agent.is_some());
    named.for_each(|segment| add(&mut all, (segment.agent, segment.from, segment.to), 1));
    all
}

proptest! {
    /// Any arrival order gives the conclusion of the sorted order.
    #[test]
    fn the_order_of_arrival_does_not_matter(
        (facts, shuffled) in drawn().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
        expired: bool,
    ) {
        prop_assert_eq!(whole(&facts, expired).1, whole(&shuffled, expired).1);
    }

    /// A duplicate is recognised, wherever it comes, and changes nothing.
    #[test]
    fn a_duplicate_changes_nothing(facts in drawn(), again: prop::sample::Index, later: prop::sample::Index) {
        let (mut names, _) = world();
        let (mut once, _) = whole(&facts, false);
        let before = once.clone();
        prop_assert_eq!(once.accept(&again.get(&facts).fact(), &mut names), Accepted::Duplicate);
        prop_assert_eq!(&once, &before);
        let mut twice = facts.clone();
        let at = again.index(facts.len());
        twice.insert(at + 1 + later.index(facts.len() - at), facts[at].clone());
        prop_assert_eq!(whole(&twice, false).0, before);
    }

    /// A voided event leaves what would be without it, whichever came first.
    #[test]
    fn a_voided_event_never_happened(facts in drawn(), target: prop::sample::Index, at: prop::sample::Index) {
        let target = target.get(&facts).clone();
        let void = Drawn { id: "void".into(), kind: Kind::Voided, replaces: Some(target.id.clone()), ..target.clone() };
        let mut voided = facts.clone();
        voided.insert(at.index(facts.len() + 1), void);
        // What it voided itself stays voided.
        let without: Vec<_> = facts
            .into_iter()
            .map(|drawn| if drawn.id == target.id { Drawn { kind: Kind::Voided, ..drawn } } else { drawn })
            .collect();
        prop_assert_eq!(whole(&voided, false).1, whole(&without, false).1);
    }

    /// The differences, fact by fact and expiry by expiry, add up to the conclusion of the whole.
    #[test]
    fn differences_add_up(facts in drawn(), expiries: u16) {
        let (mut names, roster) = world();
        let mut contact = Contact::default();
        let (mut old, mut new) = (Conclusion::default(), Conclusion::default());
        let (mut booked, mut segments) = (Bag::new(), Bag::new());
        for (index, drawn) in facts.iter().enumerate() {
            contact.accept(&drawn.fact(), &mut names);
            contact.conclude(&roster, expiries >> index & 1 == 1, &mut new);
            let (whole, talks) = (bag(&new), busy(&new));
            Conclusion::difference(&mut old, &mut new, |observation, sign| add(&mut booked, *observation, sign));
            Conclusion::segments_difference(&mut old, &mut new, |segment, sign| {
                add(&mut segments, (segment.agent, segment.from, segment.to), sign);
            });
            prop_assert_eq!(&booked, &whole);
            prop_assert_eq!(&segments, &talks);
            contact.conclude(&roster, expiries >> index & 1 == 1, &mut old);
        }
    }

    /// What differs is told once: nothing is taken back and given again.
    #[test]
    fn a_difference_has_nothing_in_common(facts in drawn(), cut: prop::sample::Index) {
        let mut old = whole(&facts[..cut.index(facts.len())], false).1;
        let mut new = whole(&facts, false).1;
        let (mut gone, mut come) = (Bag::new(), Bag::new());
        Conclusion::difference(&mut old, &mut new, |observation, sign| {
            add(if sign < 0 { &mut gone } else { &mut come }, *observation, 1);
        });
        prop_assert!(gone.keys().all(|observation| !come.contains_key(observation)));
    }

    /// Spans are never negative, outcomes are one for a visit and at most one for a contact, and nobody answers more
    /// offers than were made.
    #[test]
    fn conclusions_hold_together(facts in drawn(), expired: bool) {
        let (_, out) = whole(&facts, expired);
        prop_assert!(out.observations.iter().all(|o| o.values.iter().all(|value| *value >= 0)));
        let of = |what| count(&out, what);
        let contact = of(What::ContactAnswered) + of(What::ContactAbandoned) + of(What::ContactUnfinished);
        prop_assert!(contact <= 1);
        prop_assert_eq!(of(What::ContactAnswered), of(What::LegAnswered).min(1));
        prop_assert!(of(What::OfferAnswered) + of(What::OfferMissed) <= of(What::Offer));
        prop_assert!(of(What::Taken) <= of(What::OfferAnswered));
        prop_assert!(of(What::FirstResponse) == of(What::Response).min(1));
        prop_assert_eq!(out.segments.len(), of(What::LegAnswered), "each answer begins one conversation");
        let running = out.segments.iter().filter(|segment| segment.to.is_none()).count();
        prop_assert_eq!(running, usize::from(out.standing.running.is_some()));
        prop_assert!(!expired || (out.standing.open.is_none() && running == 0 && out.rings.is_empty()));
        prop_assert!(out.rings.is_empty() || out.standing.open.is_some());
    }

    /// What a snapshot keeps is everything.
    #[test]
    fn a_restored_contact_goes_on_as_if_nothing_had_happened(facts in drawn()) {
        let (contact, _) = whole(&facts, false);
        let bytes = postcard::to_allocvec(&contact).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Contact>(&bytes).unwrap(), contact);
    }
}
