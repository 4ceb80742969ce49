//! What has to fit together across sections and files: references, order, guards that can never be reached.
//!
//! A reference to something that is not defined is an error: it is a slip of the pen, and numbers would silently be missing.
//! What may be meant (a queue that nobody serves, a guard beyond the traffic that the people can handle) is a warning.

use super::alerts::RulePlaces;
use super::problem::{Problem, Problems, Severity, Spot};
use super::value::nearest;
use super::{Config, LogKind, SourceKind};
use crate::engine::definitions::Queue;
use crate::engine::output::WINDOWS;
use crate::model::alert::Rule;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Where things stand, parallel to the lists of the configuration.
#[derive(Debug, Default)]
pub struct Places {
    /// The top of the main file.
    pub top: Option<Spot>,
    /// `[http]`.
    pub listen: Option<Spot>,
    /// `[kafka]`.
    pub replication: Option<Spot>,
    /// Each queue's `id`.
    pub queues: Vec<Spot>,
    /// Each team's `id`.
    pub teams: Vec<Spot>,
    /// Each person's `agent`, `team`, `queues`, `until`.
    pub people: Vec<[Spot; 4]>,
    /// Each source, and its `queues`.
    pub sources: Vec<[Spot; 2]>,
    /// Each rule's options.
    pub alerts: Vec<RulePlaces>,
    /// Each scorecard's.
    pub cards: Vec<CardPlaces>,
}

/// Where the parts of a scorecard stand, and whom it is for.
#[derive(Debug)]
pub struct CardPlaces {
    /// `id`.
    pub id: Spot,
    /// `roles`.
    pub roles: Spot,
    /// The roles it names; empty: all.
    pub needs: Vec<String>,
}

/// Notes everything that does not fit.
pub fn check(config: &Config, places: &Places, problems: &Problems) {
    let check = Check { config, places, problems };
    check.presence();
    check.uniqueness();
    check.people();
    check.sources();
    for (rule, at) in config.alerts.iter().zip(&places.alerts) {
        check.rule(rule, at);
    }
    check.cards_without_people();
    check.queues_without_people();
    check.exposure();
}

struct Check<'a> {
    config: &'a Config,
    places: &'a Places,
    problems: &'a Problems,
}

impl Check<'_> {
    fn error(&self, spot: &Spot, rule: impl Into<String>, hint: impl Into<Option<String>>) {
        self.problems.add(Problem::with_value(Severity::Error, spot.clone(), rule).hint(hint));
    }

    fn warn(&self, spot: &Spot, rule: impl Into<String>, hint: impl Into<Option<String>>) {
        self.problems.add(Problem::with_value(Severity::Warning, spot.clone(), rule).hint(hint));
    }

    /// Lists that must not be empty.
    fn presence(&self) {
        let Some(top) = &self.places.top else { return };
        let missing = |key: &str, rule: &str, hint: &str| {
            let spot = Spot { key: key.to_owned(), span: 0..0, ..top.clone() };
            self.problems.add(Problem::new(Severity::Error, spot, rule).hint(hint.to_owned()));
        };
        if self.places.queues.is_empty() {
            missing(
                "queues",
                "there must be a queue at least",
                "[[queues]] with an id, as the events name it",
            );
        }
        if self.places.sources.is_empty() {
            let hint = "[[sources]] with kind = \"kafka\", \"http\" or \"file\"";
            missing("sources", "there must be a source at least: nothing could ever arrive", hint);
        }
    }

    fn uniqueness(&self) {
        let config = self.config;
        self.unique(config.queues.iter().map(|queue| queue.id.clone()).zip(&self.places.queues), None);
        self.unique(config.teams.iter().map(|team| team.id.clone()).zip(&self.places.teams), None);
        let rules = config.alerts.iter().map(|rule| rule.id.clone());
        self.unique(rules.zip(self.places.alerts.iter().map(|at| &at.id)), None);
        let stints = config.people.iter().map(|person| (person.agent.clone(), person.from));
        let hint = "a person who changes teams stands twice, each time with another `from`";
        self.unique(stints.zip(self.places.people.iter().map(|at| &at[0])), Some(hint));
        let cards = config.cards.iter().map(|card| card.id.clone());
        self.unique(cards.zip(self.places.cards.iter().map(|at| &at.id)), None);
        let topics = config.sources.iter().map(|source| source.topic());
        let hint = "several files are told apart by `name`";
        self.unique(topics.zip(self.places.sources.iter().map(|at| &at[0])), Some(hint));
    }

    fn unique<'s, T: Ord>(&self, all: impl Iterator<Item = (T, &'s Spot)>, hint: Option<&str>) {
        let mut seen = BTreeSet::new();
        for (id, spot) in all {
            if !seen.insert(id) {
                self.error(spot, "stands here twice", hint.map(str::to_owned));
            }
        }
    }

    fn people(&self) {
        let teams: Vec<&str> = self.config.teams.iter().map(|team| team.id.as_str()).collect();
        for (person, [_, team, queues, until]) in self.config.people.iter().zip(&self.places.people) {
            self.known(&person.team, &teams, team, "team");
            self.known_queues(&person.queues, queues);
            if let (Some(from), Some(to)) = (person.from, person.to)
                && from >= to
            {
                self.error(until, "must not be before `from`", None);
            }
        }
    }

    fn sources(&self) {
        for (source, [head, queues]) in self.config.sources.iter().zip(&self.places.sources) {
            self.known_queues(&source.queues, queues);
            if self.config.log == LogKind::Embedded && matches!(source.kind, SourceKind::Kafka { .. }) {
                self.error(
                    head,
                    "an embedded log has no broker beside it",
                    "use kind = \"http\" or \"file\", or log = \"kafka\"".to_owned(),
                );
            }
        }
    }

    fn known_queues(&self, named: &[String], spot: &Spot) {
        let queues: Vec<&str> = self.config.queues.iter().map(|queue| queue.id.as_str()).collect();
        for name in named {
            self.known(name, &queues, spot, "queue");
        }
    }

    fn known(&self, name: &str, known: &[&str], spot: &Spot, what: &str) {
        // An empty one was missing or wrong, which is noted already.
        if name.is_empty() || known.contains(&name) {
            return;
        }
        let hint = nearest(name, known).map(|near| format!("did you mean \"{near}\"?"));
        let hint = hint.or_else(|| Some(format!("define it in [[{what}s]]")));
        self.error(spot, format!("no {what} is called \"{name}\""), hint);
    }

    fn rule(&self, rule: &Rule, at: &RulePlaces) {
        self.known_queues(&rule.queues, &at.queues);
        if rule.clear.compare(rule.below) == Some(Ordering::Less) {
            self.error(
                &at.clear,
                "must not be less than `below`: the alert would end while it holds",
                "a few points above `below` keep it from flapping".to_owned(),
            );
        }
        let order: Vec<_> =
            rule.windows.iter().map(|w| WINDOWS.iter().position(|known| known == w)).collect();
        if order.is_empty() || !order.is_sorted_by(|a, b| a < b) {
            let hint = format!("the order is {}", WINDOWS.join(", "));
            self.error(&at.windows, "must name windows from the shortest to the longest, each once", hint);
            return;
        }
        self.guard(rule, at);
    }

    /// A guard that traffic never reaches hides every outage of the queue.
    fn guard(&self, rule: &Rule, at: &RulePlaces) {
        let widest = rule.windows.last().map_or(0, |window| minutes(window));
        let watched = |queue: &&Queue| rule.queues.is_empty() || rule.queues.contains(&queue.id);
        let reachable =
            |queue: &&Queue| self.most_contacts(queue, widest).is_none_or(|most| rule.min_samples <= most);
        let beyond: Vec<_> = self
            .config
            .queues
            .iter()
            .filter(watched)
            .filter(|queue| !reachable(queue))
            .map(|q| q.id.as_str())
            .collect();
        if !beyond.is_empty() {
            self.warn(
                &at.min_samples,
                format!("cannot be reached in {}: too few people serve it for so many contacts in the widest window", beyond.join(", ")),
                "lower it, or add a wider window: a rule that never has its samples never fires".to_owned(),
            );
        } else if rule.min_samples > 1 && widest < minutes("1h") {
            self.warn(
                &at.windows,
                format!("a quiet night may never have {} samples in so short a time, and an outage then pages nobody", rule.min_samples),
                "add \"1h\": a wider window takes over when traffic is thin".to_owned(),
            );
        }
    }

    /// The most contacts that can end in a queue in so many minutes: one a minute and person, three in a chat.
    /// `None` when nobody is known to serve it, so that nothing can be said.
    fn most_contacts(&self, queue: &Queue, minutes: i64) -> Option<i64> {
        let serves = |person: &&crate::engine::definitions::Person| person.queues.contains(&queue.id);
        let people = i64::try_from(self.config.people.iter().filter(serves).count()).unwrap_or(i64::MAX);
        let at_once = if queue.channel == "chat" { 3 } else { 1 };
        (people > 0).then(|| people.saturating_mul(minutes).saturating_mul(at_once))
    }

    fn cards_without_people(&self) {
        let people = &self.config.people;
        for CardPlaces { roles, needs, .. } in &self.places.cards {
            let held = |role: &String| people.iter().any(|person| person.role == *role);
            if !people.is_empty() && !needs.is_empty() && !needs.iter().any(held) {
                let hint = "give people on the roster this `role`, or correct the card".to_owned();
                self.warn(roles, "nobody on the roster has such a role, so nobody is scored", hint);
            }
        }
    }

    fn queues_without_people(&self) {
        if self.config.people.is_empty() {
            return;
        }
        for (queue, spot) in self.config.queues.iter().zip(&self.places.queues) {
            if self.most_contacts(queue, 1).is_none() {
                let hint = "name it in `queues` of the people who serve it: ready and on shift are counted from them";
                self.warn(spot, "nobody on the roster serves this queue", hint.to_owned());
            }
        }
    }

    /// What others can see, and what a lost disk can take.
    fn exposure(&self) {
        let config = self.config;
        if let (Some(spot), false) = (&self.places.listen, config.http.listen.ip().is_loopback()) {
            let hint = "there is no sign-in: put a proxy with one in front, or listen on 127.0.0.1";
            self.warn(
                spot,
                "everybody who reaches this address can read every person's values",
                hint.to_owned(),
            );
        }
        if let (Some(spot), LogKind::Kafka, 1) =
            (&self.places.replication, config.log, config.kafka.replication)
        {
            self.warn(
                spot,
                "one broker's disk is the only copy of what people are paid by",
                "3 on a cluster".to_owned(),
            );
        }
    }
}

fn minutes(window: &str) -> i64 {
    match window {
        "5m" => 5,
        "30m" => 30,
        "1h" => 60,
        "day" => 24 * 60,
        _ => 31 * 24 * 60,
    }
}
