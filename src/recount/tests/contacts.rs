//! Replies, calls, tickets, time of agents.

use super::*;
use SubjectKind::{Agent, Queue as Line, Team, Unit as Centre};

fn by<'a>(agent: &'a str, fact: Fact<'a>) -> Fact<'a> {
    Fact { agent: Some(agent), ..fact }
}

fn on<'a>(queue: &'a str, fact: Fact<'a>) -> Fact<'a> {
    Fact { queue: Some(queue), ..fact }
}

fn to<'a>(queue: &'a str, fact: Fact<'a>) -> Fact<'a> {
    Fact { to_queue: Some(queue), ..fact }
}

fn state<'a>(agent: &'a str, clock: &str, id: &'a str, state: AgentState) -> Fact<'a> {
    Fact { agent: Some(agent), state: Some(state), ..Fact::new(Kind::AgentState, EventTime(at(clock)), id) }
}

#[test]
fn a_bots_reply_is_no_persons_reply() {
    let bot = |clock, id| Fact { automatic: true, ..by("bot", fact(Kind::AgentMessage, clock, id, "c1")) };
    let log = after(
        definitions(&["web"]),
        &[
            on("web", fact(Kind::CustomerMessage, "09:00:00", "b1", "c1")),
            bot("09:00:02", "b2"),
            fact(Kind::CustomerMessage, "09:03:00", "b3", "c1"),
            bot("09:03:02", "b4"),
            on("web", fact(Kind::Queued, "09:10:00", "b5", "c1")),
            by("a1", fact(Kind::AgentMessage, "09:10:40", "b6", "c1")),
        ],
    );
    assert_eq!(log.kpi(Agent, "a1", "day", "response_time_since_message_ms"), (640_000, 1));
    assert_eq!(log.kpi(Agent, "a1", "day", "response_time_since_handoff_ms"), (40_000, 1));
    assert_eq!(log.kpi(Line, "web", "day", "response_time_each_ms"), (640_000, 1));
    assert!(log.day(Agent, "bot").is_empty());
}

#[test]
fn an_internal_note_is_no_reply_and_a_response_belongs_to_its_author() {
    let log = after(
        definitions(&["mail", "web"]),
        &[
            on("mail", fact(Kind::TicketOpened, "09:00:00", "n1", "t1")),
            Fact { internal: true, ..by("a1", fact(Kind::AgentMessage, "09:05:00", "n2", "t1")) },
            by("a2", fact(Kind::AgentMessage, "10:30:00", "n3", "t1")),
            on("web", fact(Kind::CustomerMessage, "09:00:00", "s1", "c2")),
            on("web", by("a1", fact(Kind::Offered, "09:02:00", "s4", "c2"))),
            by("a3", fact(Kind::AgentMessage, "09:01:00", "s3", "c2")),
            on("web", by("a1", fact(Kind::Offered, "09:00:05", "s2", "c2"))),
            by("a3", fact(Kind::Ended, "09:30:00", "s5", "c2")),
        ],
    );
    assert_eq!(log.kpi(Agent, "a2", "day", "response_time_each_ms"), (5_400_000, 1));
    assert_eq!(log.kpi(Agent, "a3", "day", "response_time_each_ms"), (60_000, 1));
    assert_eq!(log.day(Agent, "a1"), counts(&[("offers", 1)]));
    assert_eq!(log.day(Line, "web")["unfinished"], 1);
}

#[test]
fn closing_solves_nothing_and_a_machine_resolves_for_nobody() {
    let answer = |clock, id, contact| on("web", by("a1", fact(Kind::Answered, clock, id, contact)));
    let sweep =
        |id, contact| Fact { automatic: true, ..by("a1", fact(Kind::Resolved, "22:00:00", id, contact)) };
    let log = after(
        definitions(&["web"]),
        &[
            answer("09:00:00", "x1", "c3"),
            answer("09:10:00", "x2", "c4"),
            answer("09:20:00", "x3", "c5"),
            answer("09:30:00", "x4", "c6"),
            by("a1", fact(Kind::Resolved, "09:08:00", "x5", "c3")),
            sweep("x6", "c4"),
            sweep("x7", "c5"),
            Fact { automatic: true, ..fact(Kind::Closed, "22:30:00", "r3", "c3") },
        ],
    );
    assert_eq!(log.kpi(Agent, "a1", "day", "resolution_rate"), (1, 4));
    assert_eq!(log.kpi(Line, "web", "day", "resolution_rate"), (1, 4));
    assert_eq!(log.kpi(Centre, "centre", "day", "resolution_rate"), (1, 4));
}

#[test]
fn a_call_taken_by_a_colleague_was_nobodys_failure() {
    let ring = |agent, clock, id, contact| by(agent, fact(Kind::Offered, clock, id, contact));
    let log = after(
        definitions(&["line"]),
        &[
            on("line", fact(Kind::Queued, "10:00:00", "g1", "v1")),
            ring("a1", "10:00:01", "g2", "v1"),
            ring("a2", "10:00:01", "g3", "v1"),
            ring("a3", "10:00:01", "g4", "v1"),
            by("a2", fact(Kind::Answered, "10:00:09", "g5", "v1")),
            fact(Kind::Ended, "10:03:09", "g6", "v1"),
            on("line", fact(Kind::Queued, "10:10:00", "g7", "v2")),
            ring("a1", "10:10:01", "g8", "v2"),
            ring("a2", "10:10:01", "g9", "v2"),
            ring("a3", "10:10:01", "g10", "v2"),
            fact(Kind::Abandoned, "10:10:21", "g11", "v2"),
        ],
    );
    assert_eq!(log.kpi(Line, "line", "day", "answer_rate"), (1, 2));
    for (agent, rate) in [("a1", (0, 1)), ("a2", (1, 2)), ("a3", (0, 1))] {
        assert_eq!(log.kpi(Agent, agent, "day", "answer_rate"), rate, "{agent}");
    }
    assert_eq!(log.kpi(Line, "line", "day", "service_level"), (1, 2));
}

#[test]
fn a_transfer_ends_the_talk_and_so_does_the_next_answer() {
    let facts = [
        on("line", fact(Kind::Queued, "14:00:00", "f1", "v3")),
        by("a1", fact(Kind::Answered, "14:00:12", "f2", "v3")),
        on("line2", by("a2", fact(Kind::Answered, "14:02:17", "f4", "v3"))),
        by("a2", fact(Kind::Ended, "14:05:10", "f5", "v3")),
        to("line2", by("a1", fact(Kind::Transferred, "14:02:10", "f3", "v3"))),
    ];
    let told = after(definitions(&["line", "line2"]), &facts);
    assert_eq!(told.day(Agent, "a1")["talk_ms"], 118_000);
    assert_eq!(told.day(Agent, "a1")["transferred"], 1);
    assert_eq!(told.day(Agent, "a2")["talk_ms"], 173_000);
    assert_eq!(told.kpi(Centre, "centre", "day", "average_speed_of_answer_ms"), (12_000, 1));
    assert_eq!(told.day(Line, "line2")["wait_ms"], 7_000);
    let untold = after(definitions(&["line", "line2"]), &facts[..4]);
    assert_eq!(untold.day(Agent, "a1")["talk_ms"], 125_000);
    assert_eq!(untold.day(Agent, "a2")["talk_ms"], 173_000);
    assert_eq!(untold.day(Line, "line2").get("waits"), None);
}

#[test]
fn a_transfer_told_after_the_next_answer_is_the_first_agents() {
    let log = after(
        definitions(&["line", "line2"]),
        &[
            on("line", by("a1", fact(Kind::Answered, "14:00:00", "f2", "v3"))),
            on("line2", by("a2", fact(Kind::Answered, "14:02:10", "f4", "v3"))),
            to("line2", by("a1", fact(Kind::Transferred, "14:02:10", "f3", "v3"))),
            by("a2", fact(Kind::Ended, "14:05:10", "f5", "v3")),
        ],
    );
    assert_eq!((log.day(Agent, "a1")["transferred"], log.day(Agent, "a1")["talk_ms"]), (1, 130_000));
    assert_eq!(log.day(Agent, "a2").get("transferred"), None);
    assert_eq!(log.day(Agent, "a2")["talk_ms"], 180_000);
    assert_eq!(log.day(Centre, "centre")["answered"], 1);
}

#[test]
fn queues_see_visits_and_the_centre_sees_customers() {
    let log = after(
        definitions(&["q1", "q2"]),
        &[
            on("q1", fact(Kind::Queued, "10:00:00", "o1", "v4")),
            to("q2", on("q1", fact(Kind::Transferred, "10:01:00", "o2", "v4"))),
            on("q2", fact(Kind::Queued, "10:01:00", "o3", "v4")),
            on("q2", by("a1", fact(Kind::Answered, "10:01:15", "o4", "v4"))),
            fact(Kind::Ended, "10:04:15", "o5", "v4"),
        ],
    );
    assert_eq!(log.day(Line, "q1"), counts(&[("flowed_out", 1), ("sl_offered", 1)]));
    assert_eq!(log.kpi(Line, "q2", "day", "service_level"), (1, 1));
    assert_eq!(log.day(Line, "q2")["wait_ms"], 15_000);
    assert_eq!(log.kpi(Centre, "centre", "day", "answer_rate"), (1, 1));
    assert_eq!(log.kpi(Centre, "centre", "day", "average_speed_of_answer_ms"), (75_000, 1));
}

#[test]
fn parallel_chats_are_a_union_and_touching_is_no_overlap() {
    let chat = |kind, clock, id, contact| by("a1", fact(kind, clock, id, contact));
    let log = after(
        definitions(&[]),
        &[
            state("a1", "09:00:00", "u0", AgentState::Available),
            chat(Kind::Answered, "09:00:00", "u1", "c7"),
            chat(Kind::Answered, "09:05:00", "u2", "c8"),
            chat(Kind::Ended, "09:10:00", "u3", "c7"),
            chat(Kind::Answered, "09:20:00", "u4", "c9"),
            chat(Kind::Ended, "09:20:00", "u5", "c8"),
            chat(Kind::Ended, "09:25:00", "u6", "c9"),
            state("a1", "10:00:00", "u7", AgentState::LoggedOut),
        ],
    );
    let day = log.day(Agent, "a1");
    assert_eq!((day["busy_ms"], day["available_ms"], day["most_at_once"]), (1_500_000, 3_600_000, 2));
    assert_eq!(log.kpi(Agent, "a1", "day", "handle_time_ms"), (1_800_000, 3));
}

#[test]
fn an_open_state_is_split_at_the_edge_of_the_month() {
    let april = 1_774_972_800_000;
    let mut log = Log::new(definitions(&[]));
    let begin = EventTime(april - 30 * MINUTE);
    let begun = Fact {
        agent: Some("a1"),
        state: Some(AgentState::Available),
        ..Fact::new(Kind::AgentState, begin, "q1")
    };
    log.batch(april - 30 * MINUTE, &[begun]);
    log.batch(april - 20 * MINUTE, &[]);
    log.batch(april + 15 * MINUTE, &[]);
    log.batch(april + 15 * MINUTE, &[]);
    let live = log.recount.live(Agent, "a1");
    assert_eq!(live.as_of.0, april + 15 * MINUTE);
    assert_eq!(live.windows["month"].counts, counts(&[("available_ms", 900_000)]));
    assert_eq!(live.windows["day"].counts, counts(&[("available_ms", 900_000)]));
}

#[test]
fn every_order_of_arrival_within_one_second_gives_the_same() {
    let facts = [
        by("a1", fact(Kind::Ended, "10:00:00", "z3", "v8")),
        by("a1", fact(Kind::Answered, "10:00:00", "z2", "v8")),
        on("line", fact(Kind::Queued, "10:00:00", "z1", "v8")),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let log = after(definitions(&["line"]), &order.map(|number| facts[number]));
        assert_eq!(log.kpi(Line, "line", "day", "answer_rate"), (1, 1));
        assert_eq!(log.kpi(Line, "line", "day", "average_speed_of_answer_ms"), (0, 1));
        assert_eq!(log.kpi(Agent, "a1", "day", "handle_time_ms"), (0, 1));
        assert_eq!(log.recount.live(Centre, "centre").now.waiting, Some(0));
    }
}

#[test]
fn midnight_belongs_to_the_new_month() {
    let answer = |time, id, contact| Fact {
        contact: Some(contact),
        queue: Some("line"),
        agent: Some("a1"),
        ..Fact::new(Kind::Answered, EventTime(time), id)
    };
    let april = 1_774_972_800_000;
    let mut log = Log::new(definitions(&["line"]));
    let facts =
        [answer(april - 1, "l1", "v5"), answer(april, "l2", "v6"), answer(april + 600_000, "l3", "v7")];
    log.batch(april + HOUR, &[]);
    log.batch(april + HOUR, &facts);
    let month = |period: &str| log.recount.month(Agent, "a1", period).unwrap_or_default()["taken"];
    assert_eq!((month("2026-03"), month("2026-04")), (1, 2));
}

#[test]
fn a_voided_fact_never_counts_whichever_comes_first() {
    let answer = on("line", by("a1", fact(Kind::Answered, "10:00:00", "k1", "v1")));
    let void = Fact { replaces: Some("k1"), ..fact(Kind::Voided, "12:00:00", "k2", "v1") };
    let corrected =
        Fact { replaces: Some("k1"), ..on("line", by("a2", fact(Kind::Answered, "10:00:05", "k3", "v1"))) };
    for order in [[answer, void], [void, answer]] {
        assert!(after(definitions(&["line"]), &order).day(Line, "line").is_empty());
    }
    for order in [[answer, corrected], [corrected, answer]] {
        let log = after(definitions(&["line"]), &order);
        assert!(log.day(Agent, "a1").is_empty());
        assert_eq!(log.day(Agent, "a2")["taken"], 1);
    }
}

#[test]
fn identifiers_are_compared_byte_for_byte_and_teams_come_from_the_roster() {
    let answer = |agent, id, contact| Fact {
        team: Some("named"),
        ..on("line", by(agent, fact(Kind::Answered, "10:00:00", id, contact)))
    };
    let mut definitions = definitions(&["line"]);
    definitions.roster = vec![person("0042", "east"), person("42", "east"), person("A7", "east")];
    let log = after(
        definitions,
        &[
            answer("0042", "k1", "v1"),
            answer("42", "k2", "v2"),
            answer("A7", "k3", "v3"),
            answer("a7", "k4", "v4"),
        ],
    );
    for agent in ["0042", "42", "A7", "a7"] {
        assert_eq!(log.day(Agent, agent)["taken"], 1, "{agent}");
    }
    assert_eq!(log.day(Team, "east")["taken"], 3);
    assert_eq!(log.day(Team, "named")["taken"], 1);
    assert_eq!(log.day(Line, "line")["answered"], 4);
}

#[test]
fn a_contact_that_falls_silent_is_unfinished_until_it_speaks_again() {
    let mut log = Log::new(definitions(&["line"]));
    log.batch(at("09:59"), &[]);
    log.batch(at("09:59"), &[]);
    log.batch(at("10:00"), &[on("line", fact(Kind::Queued, "10:00:00", "e1", "v1"))]);
    log.batch(at("33:56"), &[]);
    log.batch(at("33:56"), &[]);
    log.batch(at("33:59:59"), &[]);
    assert_eq!(log.recount.live(Line, "line").now.waiting, Some(1));
    log.batch(at("34:00"), &[]);
    assert_eq!(log.recount.live(Line, "line").now.waiting, Some(0));
    assert_eq!(log.recount.month(Line, "line", "2026-03").unwrap()["unfinished"], 1);
    log.batch(at("34:01"), &[by("a1", fact(Kind::Answered, "34:00:30", "e2", "v1"))]);
    assert_eq!(log.recount.month(Line, "line", "2026-03").unwrap().get("unfinished"), None);
    assert_eq!(log.recount.month(Line, "line", "2026-03").unwrap()["answered"], 1);
}
