//! Small faults that people really ran into, and their right answers.

use super::script::{check, check_with};

#[test]
fn the_bots_minutes_are_the_customers_not_the_agents() {
    check(
        "09:00:00 message.customer queue=web
         09:00:02 message.agent agent=bot automatic
         09:03:00 message.customer
         09:03:02 message.agent agent=bot automatic
         09:10:00 contact.queued queue=web
         09:10:40 message.agent agent=a1",
        "09:10:40 Response web a1 640s
         09:10:40 FirstResponse web a1 640s 40s
         waits web since 09:10:00",
    );
}

#[test]
fn a_bot_neither_rings_nor_answers() {
    check(
        "09:00:00 contact.queued queue=web
         09:00:01 contact.offered agent=bot automatic
         09:00:01 contact.answered agent=bot automatic
         09:02:00 contact.answered agent=a1
         09:03:00 contact.ended",
        "09:02:00 Offer a1
         09:02:00 OfferAnswered a1
         09:02:00 Taken a1
         09:02:00 LegAnswered web 120s
         09:02:00 ContactAnswered 120s
         09:03:00 Handled web a1 60s 0s 0s
         over",
    );
}

#[test]
fn what_the_customer_cannot_read_is_no_response() {
    check(
        "09:00:00 ticket.opened queue=mail
         09:05:00 message.agent agent=a1 internal
         10:30:00 message.agent agent=a2",
        "10:30:00 Response mail a2 5400s
         10:30:00 FirstResponse mail a2 5400s 5400s",
    );
}

#[test]
fn a_response_belongs_to_its_author() {
    check(
        "09:00:00 message.customer queue=web
         09:00:05 contact.offered agent=a1 queue=web
         09:01:00 message.agent agent=a2
         09:02:00 contact.offered agent=a2 queue=web
         09:30:00 contact.ended agent=a2",
        "09:00:05 Offer a1
         09:01:00 Response web a2 60s
         09:01:00 FirstResponse web a2 60s 55s
         09:02:00 Offer a2
         09:30:00 LegUnfinished web 1795s
         09:30:00 ContactUnfinished 1795s
         over",
    );
}

#[test]
fn who_writes_first_answers_nobody_and_each_answer_has_its_span() {
    check(
        "09:00:00 message.agent agent=a1 queue=web
         09:01:00 message.customer
         09:01:30 message.customer
         09:02:00 message.agent agent=a1
         09:02:10 message.agent agent=a1
         09:05:00 message.customer
         09:05:07 message.agent agent=a2",
        "09:02:00 Response web a1 60s
         09:02:00 FirstResponse web a1 60s 60s
         09:05:07 Response web a2 7s",
    );
}

#[test]
fn closing_files_away_what_a_person_resolved_once() {
    check(
        "09:00:00 contact.answered agent=a1 queue=mail
         09:08:00 contact.ended
         15:00:00 ticket.resolved agent=a2
         15:30:00 ticket.closed automatic",
        "09:00:00 Offer a1
         09:00:00 OfferAnswered a1
         09:00:00 Taken a1
         09:00:00 LegAnswered mail resolved
         09:00:00 ContactAnswered resolved
         09:08:00 Handled mail a1 480s 0s 0s
         over",
    );
}

#[test]
fn a_sweep_is_no_resolution_a_customers_yes_is_one_and_a_reopening_ends_it() {
    let answered = |resolved: &str| {
        format!(
            "09:00:00 Offer a1
             09:00:00 OfferAnswered a1
             09:00:00 Taken a1{resolved}
             09:00:00 LegAnswered mail{resolved}
             09:00:00 ContactAnswered{resolved}
             talks a1 since 09:00:00"
        )
    };
    let start = "09:00:00 contact.answered agent=a1 queue=mail\n";
    for (end, resolved) in [
        ("15:00:00 ticket.resolved agent=a1 automatic", ""),
        ("15:00:00 ticket.resolved agent=a1", " resolved"),
        ("15:00:00 ticket.resolved", " resolved"),
        ("15:00:00 survey.answered resolved", " resolved"),
        ("15:00:00 survey.answered resolved=no", ""),
        ("15:00:00 ticket.resolved agent=a1\n16:00:00 ticket.reopened", ""),
        (
            "15:00:00 ticket.resolved agent=a1\n16:00:00 ticket.reopened\n16:01:00 survey.answered resolved",
            " resolved",
        ),
    ] {
        check(&format!("{start}{end}"), &answered(resolved));
    }
}

#[test]
fn a_survey_does_not_take_a_resolution_from_who_made_it() {
    check(
        "09:00:00 contact.answered agent=a1 queue=q
         09:01:00 contact.answered agent=a2 queue=q
         09:02:00 ticket.resolved agent=a1
         09:03:00 contact.ended
         09:04:00 survey.answered resolved",
        "09:00:00 Offer a1
         09:00:00 OfferAnswered a1
         09:00:00 Taken a1 resolved
         09:00:00 LegAnswered q
         09:00:00 ContactAnswered resolved
         09:01:00 Offer a2
         09:01:00 OfferAnswered a2
         09:01:00 Taken a2
         09:01:00 LegAnswered q resolved
         09:01:00 Handled q a1 60s 0s 0s inferred
         09:03:00 Handled q a2 120s 0s 0s
         over",
    );
}

#[test]
fn a_call_that_a_colleague_took_was_missed_by_nobody() {
    check(
        "10:00:00 contact.queued queue=line
         10:00:01 contact.offered agent=a1
         10:00:01 contact.offered agent=a2
         10:00:01 contact.offered agent=a3
         10:00:03 contact.offered agent=a1
         10:00:09 contact.answered agent=a2
         10:03:09 contact.ended",
        "10:00:01 Offer a1
         10:00:01 Offer a2
         10:00:01 Offer a3
         10:00:09 OfferAnswered a2
         10:00:09 Taken a2
         10:00:09 LegAnswered line 9s
         10:00:09 ContactAnswered 9s
         10:03:09 Handled line a2 180s 0s 0s
         over",
    );
}

#[test]
fn one_lost_caller_is_one_caller_however_many_phones_rang() {
    check(
        "10:10:00 contact.queued queue=line
         10:10:01 contact.offered agent=a1
         10:10:01 contact.offered agent=a2
         10:10:21 contact.abandoned",
        "10:10:01 Offer a1
         10:10:01 Offer a2
         10:10:21 OfferMissed a1
         10:10:21 OfferMissed a2
         10:10:21 LegAbandoned line 21s
         10:10:21 ContactAbandoned 21s
         over",
    );
}

#[test]
fn offers_are_made_anew_on_each_visit() {
    check(
        "10:00:00 contact.queued queue=q1
         10:00:01 contact.offered agent=a1
         10:00:20 contact.queued queue=q2
         10:00:21 contact.offered agent=a1
         10:00:30 contact.offered agent=a2",
        "10:00:01 Offer a1
         10:00:20 OfferMissed a1
         10:00:20 LegFlowedOut q1 20s inferred
         10:00:21 Offer a1
         10:00:30 Offer a2
         waits q2 since 10:00:20
         rings a1 since 10:00:21
         rings a2 since 10:00:30",
    );
}

const TRANSFER: &str = "
    14:00:00 contact.queued queue=line
    14:00:12 contact.answered agent=a1
    14:02:10 contact.transferred agent=a1 to_queue=line2
    14:02:17 contact.answered agent=a2 queue=line2
    14:05:10 contact.ended agent=a2";

const FIRST_ANSWER: &str = "
    14:00:12 Offer a1
    14:00:12 OfferAnswered a1
    14:00:12 Taken a1
    14:00:12 LegAnswered line 12s
    14:00:12 ContactAnswered 12s";

#[test]
fn after_a_transfer_the_first_agent_talks_no_more() {
    let expected = format!(
        "{FIRST_ANSWER}
         14:02:10 TransferOut line a1
         14:02:10 Handled line a1 118s 0s 0s
         14:02:17 Offer a2
         14:02:17 OfferAnswered a2
         14:02:17 Taken a2
         14:02:17 LegAnswered line2 7s
         14:05:10 Handled line2 a2 173s 0s 0s
         over"
    );
    check(TRANSFER, &expected);
    check(&format!("{TRANSFER}\n14:02:10 contact.queued queue=line2"), &expected);
}

#[test]
fn when_the_transfer_is_lost_the_second_answer_ends_the_first_conversation() {
    let lost = TRANSFER.replace("14:02:10 contact.transferred agent=a1 to_queue=line2", "");
    check(
        &lost,
        &format!(
            "{FIRST_ANSWER}
             14:02:17 Handled line a1 125s 0s 0s inferred
             14:02:17 Offer a2
             14:02:17 OfferAnswered a2
             14:02:17 Taken a2
             14:02:17 LegAnswered line2
             14:05:10 Handled line2 a2 173s 0s 0s
             over"
        ),
    );
}

#[test]
fn a_transfer_told_with_or_after_the_next_answer_is_still_the_first_agents() {
    for told in [
        "14:02:17 contact.transferred agent=a1 queue=line to_queue=line2",
        "14:02:19 contact.transferred agent=a1",
    ] {
        let late = TRANSFER.replace("14:02:10 contact.transferred agent=a1 to_queue=line2", told);
        check(
            &late,
            &format!(
                "{FIRST_ANSWER}
                 {} TransferOut line a1
                 14:02:17 Handled line a1 125s 0s 0s inferred
                 14:02:17 Offer a2
                 14:02:17 OfferAnswered a2
                 14:02:17 Taken a2
                 14:02:17 LegAnswered line2
                 14:05:10 Handled line2 a2 173s 0s 0s
                 over",
                &told[..8]
            ),
        );
    }
}

#[test]
fn an_overflow_told_with_the_answer_does_not_end_the_conversation() {
    check(
        "10:00:00 contact.queued queue=q1
         10:01:00 contact.queued queue=q2
         10:01:00 contact.answered agent=a1 queue=q2
         10:01:00 contact.transferred queue=q1 to_queue=q2
         10:04:00 contact.ended",
        "10:01:00 LegFlowedOut q1 60s inferred
         10:01:00 Offer a1
         10:01:00 OfferAnswered a1
         10:01:00 Taken a1
         10:01:00 LegAnswered q2 0s
         10:01:00 ContactAnswered 60s
         10:04:00 Handled q2 a1 180s 0s 0s
         over",
    );
}

#[test]
fn an_overflow_is_two_visits_of_one_customer() {
    for queued in ["", "10:01:00 contact.queued queue=q2"] {
        check(
            &format!(
                "10:00:00 contact.queued queue=q1
                 10:01:00 contact.transferred queue=q1 to_queue=q2
                 {queued}
                 10:01:15 contact.answered queue=q2 agent=a1
                 10:04:15 contact.ended"
            ),
            &format!(
                "10:01:00 LegFlowedOut q1 60s{}
                 10:01:15 Offer a1
                 10:01:15 OfferAnswered a1
                 10:01:15 Taken a1
                 10:01:15 LegAnswered q2 15s
                 10:01:15 ContactAnswered 75s
                 10:04:15 Handled q2 a1 180s 0s 0s
                 over",
                if queued.is_empty() { "" } else { " inferred" }
            ),
        );
    }
}

#[test]
fn a_transfer_to_nowhere_leaves_the_customer_unanswered() {
    check(
        "10:00:00 contact.queued queue=q1
         10:00:05 contact.offered agent=a1
         10:01:00 contact.transferred
         10:05:00 contact.ended",
        "10:00:05 Offer a1
         10:01:00 OfferMissed a1
         10:01:00 LegFlowedOut q1 60s
         10:01:00 ContactUnfinished 60s
         over",
    );
}

#[test]
fn a_second_visit_to_the_same_queue_is_a_second_visit() {
    check(
        "10:00:00 contact.queued queue=q1
         10:00:10 contact.answered agent=a1
         10:01:00 contact.transferred agent=a1 to_queue=q1
         10:01:20 contact.answered agent=a1
         10:02:00 contact.ended",
        "10:00:10 Offer a1
         10:00:10 OfferAnswered a1
         10:00:10 Taken a1
         10:00:10 LegAnswered q1 10s
         10:00:10 ContactAnswered 10s
         10:01:00 TransferOut q1 a1
         10:01:00 Handled q1 a1 50s 0s 0s
         10:01:20 Offer a1
         10:01:20 OfferAnswered a1
         10:01:20 LegAnswered q1 20s
         10:02:00 Handled q1 a1 40s 0s 0s
         over",
    );
}

#[test]
fn an_answer_told_twice_is_one_answer() {
    check(
        "10:00:00 contact.queued queue=q1
         10:00:10 contact.answered agent=a1
         10:00:11 contact.answered agent=a1 queue=q1
         10:00:12 contact.answered",
        "10:00:10 Offer a1
         10:00:10 OfferAnswered a1
         10:00:10 Taken a1
         10:00:10 LegAnswered q1 10s
         10:00:10 ContactAnswered 10s
         talks a1 since 10:00:10",
    );
}

#[test]
fn all_in_one_second_and_upside_down_is_a_life_in_order() {
    check(
        "10:00:00 contact.ended agent=a1
         10:00:00 contact.answered agent=a1
         10:00:00 contact.queued queue=line",
        "10:00:00 Offer a1
         10:00:00 OfferAnswered a1
         10:00:00 Taken a1
         10:00:00 LegAnswered line 0s
         10:00:00 ContactAnswered 0s
         10:00:00 Handled line a1 0s 0s 0s
         over",
    );
}

#[test]
fn the_end_without_an_answer_is_unfinished_and_an_end_without_anything_is_nothing() {
    check("10:00:00 contact.ended", "over");
    check(
        "10:00:00 contact.queued queue=q1
         10:00:30 contact.ended
         10:00:31 contact.abandoned",
        "10:00:30 LegUnfinished q1 30s
         10:00:30 ContactUnfinished 30s
         over",
    );
}

#[test]
fn who_gives_up_before_anything_else_was_told_gave_up() {
    check(
        "10:00:30 contact.abandoned queue=q1",
        "10:00:30 LegAbandoned q1
         10:00:30 ContactAbandoned
         over",
    );
}

#[test]
fn hanging_up_in_a_conversation_is_no_abandon() {
    check(
        "10:00:00 contact.answered agent=a1 queue=q1
         10:00:30 contact.abandoned",
        "10:00:00 Offer a1
         10:00:00 OfferAnswered a1
         10:00:00 Taken a1
         10:00:00 LegAnswered q1
         10:00:00 ContactAnswered
         10:00:30 Handled q1 a1 30s 0s 0s
         over",
    );
}

/// A conversation of `a1` from ten o'clock on, what comes then, and what is concluded besides its beginning.
fn talk(more: &str, handled: &str) {
    check(
        &format!(
            "10:00:00 contact.answered agent=a1 queue=q1
             {more}"
        ),
        &format!(
            "10:00:00 Offer a1
             10:00:00 OfferAnswered a1
             10:00:00 Taken a1
             10:00:00 LegAnswered q1
             10:00:00 ContactAnswered
             {handled}"
        ),
    );
}

#[test]
fn talk_hold_and_after_work_are_parts_of_one_conversation() {
    talk(
        "10:01:00 contact.held hold=20
         10:02:00 contact.held hold=10 agent=a1
         10:03:00 contact.ended
         10:03:25 contact.wrapped_up agent=a1",
        "10:03:00 Handled q1 a1 150s 30s 25s
         over",
    );
}

#[test]
fn nobody_is_on_hold_longer_than_in_conversation() {
    talk(
        "10:01:00 contact.held hold=100
         10:02:00 contact.held hold=100
         10:02:00 contact.held hold=40 agent=a2
         10:03:00 contact.ended
         10:04:00 contact.held hold=40",
        "10:03:00 Handled q1 a1 0s 180s 0s
         over",
    );
}

#[test]
fn a_second_wrap_up_changes_nothing() {
    talk(
        "10:03:00 contact.ended
         10:03:25 contact.wrapped_up agent=a1
         10:09:00 contact.wrapped_up",
        "10:03:00 Handled q1 a1 180s 0s 25s
         over",
    );
}

#[test]
fn a_wrap_up_ends_a_conversation_whose_end_was_lost() {
    talk(
        "10:03:25 contact.wrapped_up agent=a1
         10:04:00 contact.wrapped_up",
        "10:03:25 Handled q1 a1 205s 0s 0s inferred",
    );
}

#[test]
fn after_work_goes_to_the_agent_who_did_it() {
    check(
        "10:00:00 contact.answered agent=a1 queue=q1
         10:01:00 contact.answered agent=a2
         10:01:40 contact.wrapped_up agent=a1
         10:02:00 contact.ended",
        "10:00:00 Offer a1
         10:00:00 OfferAnswered a1
         10:00:00 Taken a1
         10:00:00 LegAnswered q1
         10:00:00 ContactAnswered
         10:01:00 Offer a2
         10:01:00 OfferAnswered a2
         10:01:00 Taken a2
         10:01:00 LegAnswered q1
         10:01:00 Handled q1 a1 60s 0s 40s inferred
         10:02:00 Handled q1 a2 60s 0s 0s
         over",
    );
}

#[test]
fn the_first_queue_that_is_named_is_where_the_contact_came_from() {
    check(
        "10:00:00 contact.offered agent=a1
         10:00:05 contact.answered agent=a1 queue=q1",
        "10:00:00 Offer a1
         10:00:05 OfferAnswered a1
         10:00:05 Taken a1
         10:00:05 LegAnswered q1 5s
         10:00:05 ContactAnswered 5s
         talks a1 since 10:00:05",
    );
}

#[test]
fn a_contact_that_nobody_names_a_queue_or_an_agent_for_still_is_a_contact() {
    check(
        "10:00:00 contact.queued
         10:00:05 contact.answered
         10:00:09 contact.ended",
        "10:00:05 LegAnswered 5s
         10:00:05 ContactAnswered 5s
         10:00:09 Handled 4s 0s 0s
         over",
    );
}

#[test]
fn a_silent_contact_is_unfinished_at_its_last_fact_and_gives_no_handle_time() {
    check_with(
        "",
        true,
        "10:00:00 contact.queued queue=q1
         10:00:10 contact.offered agent=a1
         10:07:00 fact.voided replaces=nothing",
        "10:00:10 Offer a1
         10:00:10 LegUnfinished q1 10s inferred
         10:00:10 ContactUnfinished 10s",
    );
    check_with(
        "",
        true,
        "10:00:00 contact.answered queue=q1 agent=a1
         10:05:00 message.customer",
        "10:00:00 Offer a1
         10:00:00 OfferAnswered a1
         10:00:00 Taken a1
         10:00:00 LegAnswered q1
         10:00:00 ContactAnswered",
    );
}

#[test]
fn the_team_is_the_rosters_when_it_is_booked_else_the_producers() {
    check_with(
        "a1=west",
        false,
        "09:59:00 contact.queued queue=q1
         09:59:10 contact.offered agent=a1 team=north
         09:59:10 contact.offered agent=a2 team=north
         10:01:00 contact.queued queue=q2
         10:01:30 contact.answered agent=a2 team=south
         10:02:00 contact.ended agent=a2 team=lost",
        "09:59:10 Offer a1 /early
         09:59:10 Offer a2 /north
         10:01:00 OfferMissed a1 /west
         10:01:00 OfferMissed a2 /north
         10:01:00 LegFlowedOut q1 120s inferred
         10:01:30 Offer a2 /south
         10:01:30 OfferAnswered a2 /south
         10:01:30 Taken a2 /south
         10:01:30 LegAnswered q2 30s
         10:01:30 ContactAnswered 150s
         10:02:00 Handled q2 a2 /south 30s 0s 0s
         over",
    );
}

#[test]
fn a_replacement_counts_instead_and_can_be_replaced_in_turn() {
    check(
        "10:00:00 contact.queued queue=q1
         10:00:10 contact.abandoned id=x
         10:00:20 contact.abandoned id=y replaces=x
         10:00:30 contact.abandoned id=z replaces=y",
        "10:00:30 LegAbandoned q1 30s
         10:00:30 ContactAbandoned 30s
         over",
    );
}

#[test]
fn a_voided_event_never_counts_even_when_the_voiding_is_voided() {
    check(
        "10:00:00 contact.queued queue=q1
         10:00:10 contact.abandoned id=x
         10:05:00 fact.voided id=v replaces=x
         10:06:00 fact.voided id=w replaces=v",
        "waits q1 since 10:00:00",
    );
}
