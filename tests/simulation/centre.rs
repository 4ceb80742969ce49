//! A small centre where everything is awkward: names that look alike, people who move, a queue nobody defined.

use crate::dice::Dice;
use shiftpulse::engine::definitions::{CardFile, Definitions, Names, Person, Queue, Source, Team, Unit};
use shiftpulse::model::alert::{OnNull, Rule};
use shiftpulse::model::units::{Fraction, HOUR, MINUTE, SECOND};

pub const QUEUES: [&str; 3] = ["billing", "web|chat", "ghost"];
pub const AGENTS: [&str; 6] = ["0042", "42", "A7", "a7", "李雷", "left"];
pub const TEAMS: [&str; 3] = ["east", "west", "unlisted"];
/// Source topic and its number of partitions.
pub const SOURCES: [(&str, i32); 2] = [("calls", 3), ("chats", 2)];

/// Zones and the last day of a month whose end the run crosses: a plain one, one that springs forward on it, one that falls back near it.
const MONTHS: [(&str, i64); 3] = [
    // 2026-04-01T00:00 in Shanghai.
    ("Asia/Shanghai", 1_774_972_800_000),
    // 2026-04-01T00:00 in Berlin, three days after the clocks went forward.
    ("Europe/Berlin", 1_774_994_400_000),
    // 2026-11-01T00:00 in New York, two hours before the clocks go back.
    ("America/New_York", 1_793_505_600_000),
];

/// What a run is about.
pub struct Centre {
    pub definitions: Definitions,
    /// End of the month that is cut in the run.
    pub month_end: i64,
    /// Its name.
    pub month: &'static str,
}

/// A centre and the month it is in.
pub fn centre(dice: &mut Dice) -> Centre {
    let (zone, month_end) = *dice.pick(&MONTHS);
    let month = if zone == "America/New_York" { "2026-10" } else { "2026-03" };
    let roster = if dice.chance(850) { roster(month_end) } else { Vec::new() };
    let definitions = Definitions {
        unit: Unit { id: "centre".to_owned(), names: names("中心", "Centre"), zone: zone.to_owned() },
        queues: QUEUES[..2].iter().map(|id| queue(id, dice)).collect(),
        teams: TEAMS[..2]
            .iter()
            .map(|id| Team { id: (*id).to_owned(), names: names("组", "Team") })
            .collect(),
        roster,
        sources: sources(dice),
        alerts: rules(dice),
        cards: vec![CardFile { id: "monthly".to_owned(), text: CARD.to_owned() }],
        grace_ms: 10 * MINUTE,
        horizon_ms: 72 * HOUR,
        unfinished_after_ms: *dice.pick(&[10 * MINUTE, 40 * MINUTE, 24 * HOUR]),
    };
    Centre { definitions, month_end, month }
}

/// A card with every input that the stream builds: agent KPIs and a mark.
const CARD: &str = include_str!("card.toml");

fn names(zh: &str, en: &str) -> Names {
    Names { zh: zh.to_owned(), en: en.to_owned() }
}

fn queue(id: &str, dice: &mut Dice) -> Queue {
    Queue {
        id: id.to_owned(),
        names: names("队列", id),
        channel: "voice".to_owned(),
        dialect: "cisco_negative".to_owned(),
        within_ms: *dice.pick(&[0, 20 * SECOND, 60 * SECOND]),
        service_level_target: 800,
        wait_limit_ms: MINUTE,
        answer_rate_target: 800,
    }
}

/// `a7` is not listed; `42` moves to another team near the month's end; `left` leaves shortly before it.
fn roster(month_end: i64) -> Vec<Person> {
    let person = |agent: &str, team: &str, from, to| Person {
        agent: agent.to_owned(),
        names: names("人", agent),
        team: team.to_owned(),
        role: "agent".to_owned(),
        queues: vec![QUEUES[0].to_owned()],
        from,
        to,
    };
    vec![
        person("0042", "east", None, None),
        person("42", "east", None, Some(month_end - 20 * MINUTE)),
        person("42", "west", Some(month_end - 20 * MINUTE), None),
        person("A7", "west", None, None),
        person("李雷", "west", Some(month_end + 5 * MINUTE), None),
        person("left", "east", None, Some(month_end - 25 * MINUTE)),
    ]
}

fn sources(dice: &mut Dice) -> Vec<Source> {
    let source = |(topic, partitions): (&str, i32), queues: Vec<String>| Source {
        topic: topic.to_owned(),
        partitions,
        queues,
        backfill: false,
    };
    let chats = if dice.chance(500) { vec![QUEUES[1].to_owned()] } else { Vec::new() };
    vec![source(SOURCES[0], Vec::new()), source(SOURCES[1], chats)]
}

fn rules(dice: &mut Dice) -> Vec<Rule> {
    let mut rule = |id: &str, kpi: &str, queues: &[&str], windows: &[&str]| Rule {
        id: id.to_owned(),
        kpi: kpi.to_owned(),
        queues: queues.iter().map(|queue| (*queue).to_owned()).collect(),
        windows: windows.iter().map(|window| (*window).to_owned()).collect(),
        below: Fraction::new(dice.between(4, 8), 10),
        clear: Fraction::new(dice.between(8, 9), 10),
        hold_ms: *dice.pick(&[0, 30 * SECOND, 5 * MINUTE]),
        min_samples: dice.between(1, 8),
        on_null: *dice.pick(&[OnNull::Hold, OnNull::Resolve]),
        severity: "critical".to_owned(),
        page: dice.chance(500),
    };
    vec![
        rule("answer-low", "answer_rate", &[], &["5m", "1h"]),
        rule("level-low", "service_level", &["billing"], &["5m", "30m"]),
        rule("day-low", "answer_rate", &["web|chat"], &["30m", "day"]),
    ]
}
