//! Records as text: the native JSON of the input contract, and the ways to break it.

use super::almanac::{Almanac, digits};
use super::centre::Centre;
use super::outcome::NONE;
use super::post::Parcel;
use super::script::Act;
use crate::model::event::{AgentState, Kind};
use std::collections::HashMap;

/// What people write in chats; the product never keeps it.
const TEXTS: [&str; 6] = [
    "您好，请问我的订单到哪里了？",
    "Could you check order 48213, please?",
    "请稍等，我帮您查一下。",
    "Thank you, that solved it.",
    "退款一般三到五个工作日到账。",
    "The parcel says \\\"delivered\\\" but nothing is here.",
];

/// Writes records.
#[derive(Debug)]
pub(super) struct Scribe {
    almanac: Almanac,
    seed: String,
    queues: Vec<String>,
    /// Agent and team as they stand in a record.
    people: Vec<String>,
    agents: Vec<String>,
}

impl Scribe {
    pub fn new(centre: &Centre, seed: u64) -> Self {
        let teams: HashMap<&str, &str> =
            centre.teams.iter().map(|team| (team.id.as_str(), team.id.as_str())).collect();
        let person = |person: &crate::engine::definitions::Person| {
            let team = teams.get(person.team.as_str()).copied().unwrap_or_default();
            format!(",\"agent\":\"{}\",\"team\":\"{team}\"", person.agent)
        };
        Self {
            almanac: Almanac::new(&centre.unit.zone),
            seed: format!("{seed}-"),
            queues: centre.queues.iter().map(|queue| queue.id.clone()).collect(),
            people: centre.roster.iter().map(person).collect(),
            agents: centre.roster.iter().map(|person| person.agent.clone()).collect(),
        }
    }

    /// Identifier of an agent.
    pub fn agent(&self, agent: u32) -> &str {
        &self.agents[agent as usize]
    }

    /// Local month of an instant.
    pub fn month(&self, at: i64) -> String {
        self.almanac.month_text(at)
    }

    /// Appends a sound record.
    pub fn write(&mut self, parcel: &Parcel, out: &mut Vec<u8>) {
        let act = &parcel.act;
        match act.target {
            None => self.head(parcel, act.kind.text(), act.time, out),
            Some(target) => {
                let replaced = act.kind != Kind::Voided;
                let kind = if replaced { "fact.replaced" } else { act.kind.text() };
                self.head(parcel, kind, parcel.sent.max(act.time), out);
                self.identifier(",\"target\":\"", 'e', target, out);
                if replaced {
                    put(out, ",\"event\":{\"type\":\"");
                    put(out, act.kind.text());
                    put(out, "\",\"time\":\"");
                    self.almanac.stamp(act.time, out);
                    out.push(b'"');
                    self.body(parcel, act, out);
                    out.push(b'}');
                }
            }
        }
        if act.target.is_none() {
            self.body(parcel, act, out);
        }
        put(out, ",\"source\":\"acd-");
        number(act.number % 3 + 1, out);
        put(out, ".centre.example\",\"schema\":1}");
    }

    /// Identity and contact.
    fn head(&mut self, parcel: &Parcel, kind: &str, time: i64, out: &mut Vec<u8>) {
        self.identifier("{\"id\":\"", 'e', parcel.act.number, out);
        put(out, ",\"type\":\"");
        put(out, kind);
        put(out, "\",\"time\":\"");
        self.almanac.stamp(time, out);
        out.push(b'"');
        if parcel.contact.is_some() {
            self.identifier(",\"contact_id\":\"", 'c', parcel.visit, out);
            put(out, if parcel.chat { ",\"channel\":\"chat\"" } else { ",\"channel\":\"voice\"" });
            put(out, ",\"customer\":\"+86-571-");
            digits::<8>(u64::from(parcel.customer), out);
            out.push(b'"');
        }
    }

    /// What the kind says.
    fn body(&mut self, parcel: &Parcel, act: &Act, out: &mut Vec<u8>) {
        for (name, queue) in [(",\"queue\":\"", act.queue), (",\"to_queue\":\"", act.to_queue)] {
            if queue != NONE {
                put(out, name);
                put(out, &self.queues[queue as usize]);
                out.push(b'"');
            }
        }
        if act.agent != NONE {
            put(out, &self.people[act.agent as usize]);
        }
        if act.automatic {
            put(out, ",\"automatic\":true");
        }
        match act.kind {
            Kind::Held => field(",\"hold_ms\":", act.value, out),
            Kind::AgentState => {
                put(out, ",\"state\":\"");
                put(out, AgentState::from_code(act.value as u8).map_or("", AgentState::text));
                out.push(b'"');
            }
            Kind::AgentMessage | Kind::CustomerMessage => {
                if act.internal {
                    put(out, ",\"visibility\":\"internal\"");
                }
                put(out, ",\"text\":\"");
                put(out, TEXTS[(act.number % TEXTS.len() as u64) as usize]);
                out.push(b'"');
            }
            Kind::Survey => field(",\"score\":", act.value / 1_000_000, out),
            Kind::Rating => self.rating(parcel, act, out),
            _ => {}
        }
        match act.resolved {
            Some(true) => put(out, ",\"resolved\":true"),
            Some(false) => put(out, ",\"resolved\":false"),
            None => {}
        }
    }

    fn rating(&self, parcel: &Parcel, act: &Act, out: &mut Vec<u8>) {
        put(out, ",\"period\":\"");
        put(out, &self.month(parcel.sent));
        put(out, "\",\"dimension\":\"quality\",\"assessor\":\"qa\"");
        field(",\"score\":", act.value / 1_000_000, out);
        put(out, if act.value % 1_000_000 == 0 { ".0" } else { ".5" });
    }

    fn identifier(&self, before: &str, letter: char, value: u64, out: &mut Vec<u8>) {
        put(out, before);
        out.push(letter as u8);
        put(out, &self.seed);
        digits::<9>(value, out);
        out.push(b'"');
    }

    /// Appends a record that nobody can use, in one of ten ways.
    pub fn write_broken(&mut self, parcel: &Parcel, way: u32, out: &mut Vec<u8>) {
        let id = format!("x{}{:09}", self.seed, parcel.act.number);
        let time = parcel.sent;
        let kind = "contact.queued";
        let text = match way % 10 {
            0 => return self.truncated(parcel, out),
            1 => format!("{{\"type\":\"{kind}\",\"time\":{time},\"contact_id\":\"x\"}}"),
            2 => format!("{{\"id\":\"{id}\",\"type\":\"{kind}\",\"time\":true,\"contact_id\":\"x\"}}"),
            // Forty days ahead: nobody's clock is that wrong.
            3 => {
                let time = time + 40 * 24 * crate::model::units::HOUR;
                format!("{{\"id\":\"{id}\",\"type\":\"{kind}\",\"time\":{time},\"contact_id\":\"{id}\"}}")
            }
            4 => format!(
                "{{\"id\":\"{id}\",\"type\":\"contact.held\",\"time\":{time},\"contact_id\":\"x\",\"hold_ms\":1e400}}"
            ),
            5 => {
                out.extend_from_slice(b"{\"id\":\"\xff\xfe\",\"type\":\"contact.queued\"}");
                return;
            }
            6 => format!("{{\"id\":\"{id}\",\"x\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000)),
            7 => format!("{{\"id\":\"{id}\",\"type\":\"{kind}\",\"time\":\"9999-12-31T23:59:59Z\"}}"),
            8 => String::new(),
            _ => format!("{time};{id};{kind};a line of a spreadsheet"),
        };
        put(out, &text);
    }

    fn truncated(&mut self, parcel: &Parcel, out: &mut Vec<u8>) {
        let start = out.len();
        self.write(parcel, out);
        out.truncate(start + (out.len() - start) / 2);
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn field(name: &str, value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    number(value.unsigned_abs(), out);
}

fn number(mut value: u64, out: &mut Vec<u8>) {
    let (mut text, mut at) = ([0; 20], 20);
    loop {
        at -= 1;
        text[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[at..]);
}
