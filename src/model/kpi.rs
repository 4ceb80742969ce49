//! The KPI catalogue: exact formulas over the columns of a row.
//!
//! A value is a [`Fraction`] of two sums of columns, not reduced and never divided here; a denominator of 0 is the null
//! value. Numerator and denominator are booked together, at the outcome: who still waits is in neither.
//! `docs/measures.md`, section 4, has the same table for people.

use super::measure::{Column, Row, SubjectKind};
use super::units::Fraction;
use Column::*;
use serde::{Deserialize, Serialize};

/// What a value is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A share of counts, 0 to 1.
    Ratio,
    /// A mean span in milliseconds.
    Ms,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Up,
    /// Less is better.
    Down,
}

/// One KPI for some kinds of subjects. Several entries may share a name: the same question, asked of other columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kpi {
    /// Its name in outputs, alert rules and scorecards.
    pub name: &'static str,
    /// What its value is measured in.
    pub unit: Unit,
    /// Which way is better.
    pub direction: Direction,
    /// Whom this formula is for.
    pub kinds: &'static [SubjectKind],
    /// Columns whose sum is the numerator.
    pub num: &'static [Column],
    /// Columns whose sum is the denominator.
    pub den: &'static [Column],
    /// Display name in Chinese.
    pub zh: &'static str,
    /// Display name in English.
    pub en: &'static str,
    /// The definition in one sentence, with its source.
    pub doc: &'static str,
}

impl Kpi {
    /// The value in a row: exact, null when the denominator is 0.
    pub fn value(&self, row: &Row) -> Fraction {
        Fraction::new(row.sum(self.num), row.sum(self.den))
    }
}

const PLACES: &[SubjectKind] = &[SubjectKind::Queue, SubjectKind::Unit];
const PEOPLE: &[SubjectKind] = &[SubjectKind::Agent, SubjectKind::Team];
const QUEUES: &[SubjectKind] = &[SubjectKind::Queue];
const OUTCOMES: &[Column] = &[Answered, Abandoned, FlowedOut, Unfinished];

/// Every KPI, in the order of outputs.
pub const KPIS: &[Kpi] = &[
    Kpi {
        name: "answer_rate",
        unit: Unit::Ratio,
        direction: Direction::Up,
        kinds: PLACES,
        num: &[Answered],
        den: OUTCOMES,
        zh: "接通率",
        en: "Answer rate",
        doc: "Answered of all visits (unit: contacts) with an outcome: answered, abandoned, flowed out, unfinished. \
              Genesys: answered / offered, flow-outs being offered too.",
    },
    Kpi {
        name: "answer_rate",
        unit: Unit::Ratio,
        direction: Direction::Up,
        kinds: PEOPLE,
        num: &[OffersAnswered],
        den: &[OffersAnswered, OffersMissed],
        zh: "接通率",
        en: "Answer rate",
        doc: "Offers taken of offers that nobody else took. Amazon Connect's agent answer rate, without the rings \
              that a colleague answered.",
    },
    Kpi {
        name: "abandonment_rate",
        unit: Unit::Ratio,
        direction: Direction::Down,
        kinds: PLACES,
        num: &[Abandoned],
        den: OUTCOMES,
        zh: "放弃率",
        en: "Abandonment rate",
        doc: "Abandoned of all visits (unit: contacts) with an outcome. Genesys: abandoned / offered.",
    },
    Kpi {
        name: "average_speed_of_answer_ms",
        unit: Unit::Ms,
        direction: Direction::Down,
        kinds: PLACES,
        num: &[WaitMs],
        den: &[Waits],
        zh: "平均应答速度",
        en: "Average speed of answer",
        doc: "Mean wait of the answered whose wait is known: in the queue from its entry, for the unit from the \
              customer's first entry. Amazon Connect's AVG_QUEUE_ANSWER_TIME, without the agent whisper.",
    },
    Kpi {
        name: "service_level",
        unit: Unit::Ratio,
        direction: Direction::Up,
        kinds: QUEUES,
        num: &[Within],
        den: &[SlOffered],
        zh: "服务水平",
        en: "Service level",
        doc: "cisco_negative: answered within the queue's threshold, of all visits with an outcome and a known entry; \
              an abandon is a miss. Cisco Unified ICM reporting guide.",
    },
    Kpi {
        name: "handle_time_ms",
        unit: Unit::Ms,
        direction: Direction::Down,
        kinds: &SubjectKind::ALL,
        num: &[TalkMs, HoldMs, AfterWorkMs],
        den: &[Handled],
        zh: "平均处理时长",
        en: "Average handle time",
        doc: "Talk, hold and after-contact work of a conversation, booked at its end. Amazon Connect and Talkdesk: \
              (talk + hold + after-call work) / handled.",
    },
    Kpi {
        name: "response_time_each_ms",
        unit: Unit::Ms,
        direction: Direction::Down,
        kinds: &SubjectKind::ALL,
        num: &[ResponseMs],
        den: &[Responses],
        zh: "平均响应时长",
        en: "Response time, each",
        doc: "From the oldest unanswered customer message to a person's reply, each one. Genesys: \
              tAverageAgentResponseTime.",
    },
    Kpi {
        name: "response_time_since_message_ms",
        unit: Unit::Ms,
        direction: Direction::Down,
        kinds: &SubjectKind::ALL,
        num: &[FirstSinceMessageMs],
        den: &[FirstResponses],
        zh: "首次响应时长（自客户消息）",
        en: "First response since the message",
        doc: "The contact's first reply by a person, from the oldest unanswered customer message: what the customer \
              waited. Zendesk's first reply time.",
    },
    Kpi {
        name: "response_time_since_handoff_ms",
        unit: Unit::Ms,
        direction: Direction::Down,
        kinds: &SubjectKind::ALL,
        num: &[FirstSinceHandoffMs],
        den: &[FirstResponses],
        zh: "首次响应时长（自转人工）",
        en: "First response since the hand-off",
        doc: "The contact's first reply by a person, from the later of that message and the latest entry into a \
              queue: what the people were asked for. A bot's minutes are not charged to them.",
    },
    Kpi {
        name: "resolution_rate",
        unit: Unit::Ratio,
        direction: Direction::Up,
        kinds: &SubjectKind::ALL,
        num: &[Resolved],
        den: &[Taken],
        zh: "解决率",
        en: "Resolution rate",
        doc: "Contacts that stand resolved by a person's act or the customer's yes, of those taken (agent: resolved by \
              that agent). Closing, sweeps and merges resolve nothing.",
    },
];

/// The KPIs of one kind of subject, in the order of outputs; each name once.
pub fn of(kind: SubjectKind) -> impl Iterator<Item = &'static Kpi> {
    KPIS.iter().filter(move |kpi| kpi.kinds.contains(&kind))
}

/// A KPI by name for one kind of subject.
pub fn find(kind: SubjectKind, name: &str) -> Option<&'static Kpi> {
    of(kind).find(|kpi| kpi.name == name)
}

/// A named reading of the service level. Others exist, and give other numbers for the same calls; each will have its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceLevel {
    /// Answered within the threshold of all offered: an abandon is a miss, however short.
    CiscoNegative,
}

impl ServiceLevel {
    /// Every reading that is known.
    pub const ALL: &[ServiceLevel] = &[ServiceLevel::CiscoNegative];

    /// Its name in definitions.
    pub const fn name(self) -> &'static str {
        match self {
            ServiceLevel::CiscoNegative => "cisco_negative",
        }
    }

    /// The reading of that name; `None` if there is none.
    pub fn of(name: &str) -> Option<ServiceLevel> {
        Self::ALL.iter().copied().find(|reading| reading.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contact::{Observation, What};
    use crate::model::units::EventTime;

    fn row(kind: SubjectKind, observations: &[(What, [i64; 3], i64)]) -> Row {
        let mut row = Row::default();
        for (what, values, times) in observations {
            let observation =
                Observation { known: true, values: *values, ..Observation::new(*what, EventTime(0)) };
            (0..*times).for_each(|_| row.apply(&observation, 1, kind, Some(20_000)));
        }
        row
    }

    fn value(kind: SubjectKind, name: &str, row: &Row) -> Fraction {
        find(kind, name).expect("a KPI of the catalogue").value(row)
    }

    #[test]
    fn names_are_unique_for_each_kind_and_tell_the_unit() {
        for kind in SubjectKind::ALL {
            let mut names: Vec<_> = of(kind).map(|kpi| kpi.name).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        }
        assert!(KPIS.iter().all(|kpi| kpi.name.ends_with("_ms") == (kpi.unit == Unit::Ms)));
    }

    #[test]
    fn whom_a_kpi_is_for() {
        let names = |kind| of(kind).map(|kpi| kpi.name).collect::<Vec<_>>();
        assert_eq!(names(SubjectKind::Agent), names(SubjectKind::Team));
        assert!(find(SubjectKind::Queue, "service_level").is_some());
        assert!(find(SubjectKind::Unit, "service_level").is_none(), "dialects differ and are not added");
        assert!(find(SubjectKind::Agent, "abandonment_rate").is_none());
        assert_eq!((names(SubjectKind::Queue).len(), names(SubjectKind::Unit).len()), (9, 8));
    }

    /// The traffic by which published definitions differ: 85 answered, 70 of them within 20 s; 15 abandoned.
    #[test]
    fn the_service_level_of_the_published_example_is_seventy_percent() {
        let row = row(
            SubjectKind::Queue,
            &[
                (What::LegAnswered, [20_000, 0, 0], 70),
                (What::LegAnswered, [20_001, 0, 0], 15),
                (What::LegAbandoned, [4_000, 0, 0], 15),
            ],
        );
        assert_eq!(value(SubjectKind::Queue, "service_level", &row), Fraction::new(70, 100));
        assert_eq!(value(SubjectKind::Queue, "answer_rate", &row), Fraction::new(85, 100));
        assert_eq!(value(SubjectKind::Queue, "abandonment_rate", &row), Fraction::new(15, 100));
        let asa = value(SubjectKind::Queue, "average_speed_of_answer_ms", &row);
        assert_eq!(asa, Fraction::new(70 * 20_000 + 15 * 20_001, 85));
    }

    #[test]
    fn nobody_asked_is_null_and_all_lost_is_zero() {
        for kpi in KPIS {
            assert!(kpi.value(&Row::default()).is_null(), "{}", kpi.name);
        }
        let lost = row(SubjectKind::Queue, &[(What::LegAbandoned, [0; 3], 5)]);
        assert_eq!(value(SubjectKind::Queue, "answer_rate", &lost), Fraction::new(0, 5));
        assert!(value(SubjectKind::Queue, "handle_time_ms", &lost).is_null());
    }

    #[test]
    fn an_agents_answer_rate_leaves_out_what_a_colleague_took() {
        let offers =
            [(What::Offer, [0; 3], 4), (What::OfferAnswered, [0; 3], 1), (What::OfferMissed, [0; 3], 1)];
        let row = row(SubjectKind::Agent, &offers);
        assert_eq!(value(SubjectKind::Agent, "answer_rate", &row), Fraction::new(1, 2));
    }

    #[test]
    fn readings_are_found_by_name_only() {
        assert_eq!(ServiceLevel::of("cisco_negative"), Some(ServiceLevel::CiscoNegative));
        assert_eq!(ServiceLevel::of("sla"), None);
    }
}
