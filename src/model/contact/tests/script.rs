//! Facts and conclusions as lines of text.

use super::*;
use crate::model::event::Kind;
use crate::model::roster::Stint;
use crate::model::units::{EventTime, Sym};

/// Midnight of some day.
const DAY: i64 = 1_772_409_600_000;

/// Facts of a contact, one a line.
pub(super) fn facts(script: &str) -> Vec<Fact<'_>> {
    script.lines().map(str::trim).filter(|line| !line.is_empty()).map(fact).collect()
}

/// The line itself is the id, unless it says otherwise.
fn fact(line: &str) -> Fact<'_> {
    let mut words = line.split_whitespace();
    let time = EventTime(DAY + clock(words.next().unwrap()));
    let mut fact = Fact::new(Kind::of(words.next().unwrap()), time, line);
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "id" => fact.id = value,
            "queue" => fact.queue = Some(value),
            "to_queue" => fact.to_queue = Some(value),
            "agent" => fact.agent = Some(value),
            "team" => fact.team = Some(value),
            "hold" => fact.hold_ms = Some(value.parse::<i64>().unwrap() * 1000),
            "replaces" => fact.replaces = Some(value),
            "automatic" => fact.automatic = true,
            "internal" => fact.internal = true,
            "resolved" => fact.resolved = Some(value != "no"),
            _ => panic!("what is {word}?"),
        }
    }
    fact
}

fn clock(text: &str) -> i64 {
    let parts: Vec<i64> = text.split(':').map(|part| part.parse().unwrap()).collect();
    (parts[0] * 3600 + parts[1] * 60 + parts[2]) * 1000
}

/// A roster of `agent=team` pairs that hold from ten o'clock; before that everybody is in `early`.
pub(super) fn roster(pairs: &str, names: &mut Names) -> Roster {
    let mut stints = Vec::new();
    for (agent, team) in pairs.split_whitespace().map(|pair| pair.split_once('=').unwrap()) {
        let (agent, ten) = (names.intern(agent), EventTime(DAY + clock("10:00:00")));
        for (team, from, to) in [("early", EventTime(0), ten), (team, ten, EventTime(i64::MAX))] {
            stints.push(Stint { agent, team: names.intern(team), role: Sym(0), queues: vec![], from, to });
        }
    }
    Roster::new(stints)
}

/// What a contact concludes, as lines.
pub(super) fn concluded(facts: &[Fact<'_>], roster_of: &str, expired: bool) -> Vec<String> {
    let mut names = Names::default();
    let roster = roster(roster_of, &mut names);
    let mut contact = Contact::default();
    for fact in facts {
        contact.accept(fact, &mut names);
    }
    let mut out = Conclusion::default();
    contact.conclude(&roster, expired, &mut out);
    let mut lines: Vec<String> = out.observations.iter().map(|o| observation(o, &names)).collect();
    lines.extend(standing(&out, &names));
    lines
}

fn observation(observation: &Observation, names: &Names) -> String {
    let mut line = format!("{} {:?}", time(observation.booked), observation.what);
    let subjects = [("", observation.queue), ("", observation.agent), ("/", observation.team)];
    for (before, sym) in subjects {
        if let Some(sym) = sym {
            line += &format!(" {before}{}", names.text(sym));
        }
    }
    let spans = observation.values.map(|ms| ms / 1000);
    let values = match observation.what {
        What::Handled => &spans[..],
        What::FirstResponse => &spans[..2],
        What::Response => &spans[..1],
        _ if observation.known => &spans[..1],
        _ => &[],
    };
    values.iter().for_each(|seconds| line += &format!(" {seconds}s"));
    for (flag, word) in [(observation.resolved, " resolved"), (observation.inferred, " inferred")] {
        line += if flag { word } else { "" };
    }
    line
}

fn standing(out: &Conclusion, names: &Names) -> Vec<String> {
    let name = |sym: Option<Sym>| sym.map_or("?", |sym| names.text(sym)).to_owned();
    let open = out.standing.open.map(|leg| format!("waits {} since {}", name(leg.queue), time(leg.entry)));
    let rings =
        out.rings.iter().map(|ring| format!("rings {} since {}", name(Some(ring.agent)), time(ring.since)));
    let talks =
        out.standing.running.map(|(agent, since)| format!("talks {} since {}", name(agent), time(since)));
    let over = out.standing.terminal.then(|| "over".to_owned());
    open.into_iter().chain(rings).chain(talks).chain(over).collect()
}

fn time(at: EventTime) -> String {
    let seconds = (at.0 - DAY) / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Calls `each` with the facts in every order (up to five facts), else in many.
pub(super) fn in_many_orders<'a>(facts: &[Fact<'a>], mut each: impl FnMut(&[Fact<'a>])) {
    if facts.len() <= 5 {
        return permute(&mut facts.to_vec(), 0, &mut each);
    }
    for turn in 0..facts.len() {
        let mut turned = facts.to_vec();
        turned.rotate_left(turn);
        each(&turned);
        turned.reverse();
        each(&turned);
        turned.sort_by_key(|fact| hash64(&format!("{turn}{}", fact.id)));
        each(&turned);
    }
}

fn permute<'a>(facts: &mut Vec<Fact<'a>>, from: usize, each: &mut impl FnMut(&[Fact<'a>])) {
    if from == facts.len() {
        return each(facts);
    }
    for other in from..facts.len() {
        facts.swap(from, other);
        permute(facts, from + 1, each);
        facts.swap(from, other);
    }
}

/// Concludes the script in many orders of arrival and compares with the expected lines each time.
#[track_caller]
pub(super) fn check(script: &str, expected: &str) {
    check_with("", false, script, expected);
}

/// Likewise with a roster, or expired.
#[track_caller]
pub(super) fn check_with(roster: &str, expired: bool, script: &str, expected: &str) {
    let mut lines: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    let mut seen = Vec::new();
    in_many_orders(&facts(script), |facts| {
        let mut found = concluded(facts, roster, expired);
        found.sort_unstable();
        if found != lines && seen.is_empty() {
            seen = found;
        }
    });
    assert!(seen.is_empty(), "expected\n  {}\nbut found\n  {}", lines.join("\n  "), seen.join("\n  "));
}
