//! Who works in the simulated centre and what customers do there: the demo's 7 queues and 24 people, or any number.

use crate::engine::definitions::{Definitions, Names, Person, Queue, Source, Team, Unit};
use crate::model::units::{HOUR, MINUTE, SECOND};

/// A simulated contact centre: the part the product is told (unit, queues, teams, roster) and the part only the
/// simulator knows (how long people talk, how patient they are).
#[derive(Debug, Clone)]
pub struct Centre {
    /// The business unit; its zone rules shifts, days and months.
    pub unit: Unit,
    /// Queues in the order of the board.
    pub queues: Vec<Queue>,
    /// Teams in the order of the board.
    pub teams: Vec<Team>,
    /// People in the order of the board. `queues` of a person are the indices of [`Centre::habits`] by name.
    pub roster: Vec<Person>,
    /// What happens in each queue, parallel to `queues`.
    pub habits: Vec<Habits>,
    /// Everybody works at all hours: an even load for benches, without shifts and breaks.
    pub always_open: bool,
}

/// What customers and agents do in one queue. Means in ms.
#[derive(Debug, Clone)]
pub struct Habits {
    /// Mean length of a conversation (of one chat turn in a chat queue).
    pub talk: i64,
    /// Mean after-contact work.
    pub after_work: i64,
    /// Mean patience while waiting.
    pub patience: i64,
    /// After so long a waiting contact overflows to that queue.
    pub overflow: Option<(i64, usize)>,
    /// Chat: up to three contacts at once, messages instead of talk.
    pub chat: bool,
    /// Share of contacts that are solved, per mille.
    pub solved: u32,
    /// Share of an agent's time planned for this queue, relative to the agent's other queues.
    pub share: u32,
    /// Arrivals in each half hour of the local day, per mille of what the people on shift can take.
    pub demand: [u16; 48],
}

/// Two peaks, a lunch dip, a busy evening and quiet small hours.
const DAY: [u16; 48] = [
    700, 650, 600, 550, 500, 450, 400, 400, 400, 400, 400, 400, 450, 450, 500, 550, //
    600, 700, 800, 900, 1000, 1050, 1080, 1050, 1000, 920, 900, 940, 980, 1000, 1020, 1000, //
    980, 960, 940, 920, 940, 980, 1020, 1060, 1090, 1100, 1090, 1060, 1000, 940, 860, 780,
];

/// Call-backs are wanted between midnight and eight.
const NIGHT: [u16; 48] = {
    let mut night = [0; 48];
    let mut i = 0;
    while i < 16 {
        night[i] = 800;
        i += 1;
    }
    night
};

const fn habits(talk_s: i64, after_s: i64, patience_s: i64, share: u32, solved: u32) -> Habits {
    Habits {
        talk: talk_s * SECOND,
        after_work: after_s * SECOND,
        patience: patience_s * SECOND,
        overflow: None,
        chat: false,
        solved,
        share,
        demand: DAY,
    }
}

fn names(zh: &str, en: &str) -> Names {
    Names { zh: zh.into(), en: en.into() }
}

/// Identifier, Chinese, English, channel, service-level threshold in s, target per mille, wait limit in s.
type QueueLine = (&'static str, &'static str, &'static str, &'static str, i64, u32, i64);

const QUEUES: [QueueLine; 7] = [
    ("billing", "账单", "Billing", "voice", 20, 800, 120),
    ("delivery", "物流", "Delivery", "voice", 20, 800, 120),
    ("returns", "退换货", "Returns", "voice", 20, 750, 120),
    ("tech", "技术支持", "Tech support", "voice", 30, 800, 180),
    ("vip", "贵宾专线", "VIP line", "voice", 10, 900, 60),
    ("chat", "在线聊天", "Web chat", "chat", 60, 850, 180),
    ("night", "夜间回拨", "Night call-back", "voice", 60, 700, 300),
];

const TEAMS: [(&str, &str, &str); 3] = [
    ("harbour", "客服一组", "Team Harbour"),
    ("meadow", "客服二组", "Team Meadow"),
    ("online", "在线组", "Team Online"),
];

const PEOPLE: [(&str, &str); 24] = [
    ("林晓雨", "Ines Moreau"),
    ("周子墨", "Tom Brandt"),
    ("陈嘉怡", "Maya Okafor"),
    ("吴思远", "Leo Ferris"),
    ("郑雅文", "Anna Lindqvist"),
    ("孙浩然", "Ravi Menon"),
    ("何静姝", "Clara Weiss"),
    ("马骏驰", "Sam Doyle"),
    ("罗诗涵", "Noor Haddad"),
    ("高子轩", "Ben Castell"),
    ("谢婉清", "Yuki Arai"),
    ("宋明哲", "Paul Denham"),
    ("唐雨桐", "Elsa Njie"),
    ("韩景行", "Omar Rahal"),
    ("冯若溪", "Lucy Pratt"),
    ("曹一凡", "Ivan Petrov"),
    ("彭书瑶", "Mina Seo"),
    ("董承宇", "Carl Voss"),
    ("萧雅", "Rosa Lima"),
    ("程亦辰", "Dan Keough"),
    ("蔡欣然", "Ada Winter"),
    ("潘越", "Finn Moe"),
    ("田雨薇", "Tara Quill"),
    ("姜博文", "Hugo Sand"),
];

/// The demo's centre: Hangzhou, 7 queues, 24 people in 3 teams.
pub fn centre() -> Centre {
    let queue = |(id, zh, en, channel, within, target, limit): QueueLine| Queue {
        id: id.into(),
        names: names(zh, en),
        channel: channel.into(),
        dialect: "cisco_negative".into(),
        within_ms: within * SECOND,
        service_level_target: target,
        wait_limit_ms: limit * SECOND,
        answer_rate_target: 800,
    };
    Centre {
        unit: Unit {
            id: "hangzhou".into(), names: names("杭州", "Hangzhou"), zone: "Asia/Shanghai".into()
        },
        queues: QUEUES.map(queue).to_vec(),
        teams: TEAMS.map(|(id, zh, en)| Team { id: id.into(), names: names(zh, en) }).to_vec(),
        roster: PEOPLE.iter().enumerate().map(|(i, name)| demo_person(i, *name)).collect(),
        habits: demo_habits(),
        always_open: false,
    }
}

fn demo_habits() -> Vec<Habits> {
    let (billing, delivery, returns, tech, chat) = (0, 1, 2, 3, 5);
    let mut all = vec![
        habits(200, 35, 150, 50, 860),
        habits(150, 25, 150, 40, 880),
        habits(180, 40, 140, 50, 830),
        habits(320, 60, 200, 30, 740),
        habits(240, 40, 200, 12, 930),
        habits(35, 20, 260, 100, 820),
        habits(180, 30, 400, 30, 850),
    ];
    all[billing].overflow = Some((4 * MINUTE, delivery));
    all[returns].overflow = Some((3 * MINUTE, delivery));
    all[tech].overflow = Some((5 * MINUTE, returns));
    all[chat].chat = true;
    all[6].demand = NIGHT;
    all
}

fn demo_person(i: usize, (zh, en): (&str, &str)) -> Person {
    let (team, queues): (_, &[&str]) = match i {
        0..4 => ("harbour", &["billing", "delivery", "vip"]),
        4..8 => ("harbour", &["billing", "delivery"]),
        8..12 => ("meadow", &["returns", "tech", "night"]),
        12..16 => ("meadow", &["returns", "tech", "delivery", "night"]),
        _ => ("online", &["chat"]),
    };
    Person {
        agent: format!("a{:02}", i + 1),
        names: names(zh, en),
        team: team.into(),
        role: "agent".into(),
        queues: queues.iter().map(|id| (*id).into()).collect(),
        from: None,
        to: None,
    }
}

impl Centre {
    /// A centre of any size with an even load, for benches: teams of 20, each person on two queues of one channel,
    /// one queue in five is chat. At least 1 agent and 1 queue.
    pub fn scaled(agents: usize, queues: usize) -> Self {
        let (agents, queues) = (agents.max(1), queues.max(1));
        let unit = Unit { id: "unit".into(), names: names("单位", "Unit"), zone: "Asia/Shanghai".into() };
        let queue = |i: usize| Queue {
            id: format!("q{i:03}"),
            names: names(&format!("队列 {i}"), &format!("Queue {i}")),
            channel: if is_chat(i) { "chat" } else { "voice" }.into(),
            dialect: "cisco_negative".into(),
            within_ms: 20 * SECOND,
            service_level_target: 800,
            wait_limit_ms: 120 * SECOND,
            answer_rate_target: 800,
        };
        let habit = |i: usize| {
            let mut habit =
                if is_chat(i) { habits(35, 20, 260, 50, 820) } else { habits(170, 30, 150, 50, 850) };
            habit.chat = is_chat(i);
            habit.demand = [1000; 48];
            habit
        };
        let team = |i: usize| Team {
            id: format!("t{i:04}"),
            names: names(&format!("{i} 组"), &format!("Team {i}")),
        };
        let person = |i: usize| Person {
            agent: format!("a{i:06}"),
            names: names(&format!("坐席 {i}"), &format!("Agent {i}")),
            team: format!("t{:04}", i / 20),
            role: "agent".into(),
            queues: scaled_skills(i, queues).into_iter().map(|q| format!("q{q:03}")).collect(),
            from: None,
            to: None,
        };
        Centre {
            unit,
            queues: (0..queues).map(queue).collect(),
            teams: (0..agents.div_ceil(20)).map(team).collect(),
            roster: (0..agents).map(person).collect(),
            habits: (0..queues).map(habit).collect(),
            always_open: true,
        }
    }

    /// What the product is told: everything but alert rules and scorecards, which the caller adds, and with the
    /// simulator as the one source.
    pub fn definitions(&self, partitions: i32) -> Definitions {
        Definitions {
            unit: self.unit.clone(),
            queues: self.queues.clone(),
            teams: self.teams.clone(),
            roster: self.roster.clone(),
            sources: vec![Source {
                topic: "$simulator".into(),
                partitions,
                queues: Vec::new(),
                backfill: false,
            }],
            alerts: Vec::new(),
            cards: Vec::new(),
            grace_ms: 10 * MINUTE,
            horizon_ms: 72 * HOUR,
            unfinished_after_ms: 24 * HOUR,
        }
    }

    /// Index of a queue by identifier.
    pub fn queue(&self, id: &str) -> Option<usize> {
        self.queues.iter().position(|queue| queue.id == id)
    }
}

fn is_chat(queue: usize) -> bool {
    queue % 5 == 4
}

/// A queue by turn, and the next of the same channel.
fn scaled_skills(agent: usize, queues: usize) -> Vec<usize> {
    let first = agent % queues;
    let second = (1..queues).map(|step| (first + step) % queues).find(|q| is_chat(*q) == is_chat(first));
    std::iter::once(first).chain(second).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_centre_is_the_one_on_the_board() {
        let centre = centre();
        assert_eq!((centre.queues.len(), centre.teams.len(), centre.roster.len()), (7, 3, 24));
        for team in &centre.teams {
            assert_eq!(centre.roster.iter().filter(|person| person.team == team.id).count(), 8);
        }
    }

    #[test]
    fn every_person_of_every_size_serves_known_queues_of_one_channel() {
        for centre in [centre(), Centre::scaled(1, 1), Centre::scaled(45, 3), Centre::scaled(1000, 60)] {
            assert_eq!(centre.habits.len(), centre.queues.len());
            for person in &centre.roster {
                let chats = person.queues.iter().map(|id| centre.habits[centre.queue(id).unwrap()].chat);
                assert_eq!(chats.collect::<std::collections::BTreeSet<_>>().len(), 1);
                assert!(centre.teams.iter().any(|team| team.id == person.team));
            }
        }
    }
}
