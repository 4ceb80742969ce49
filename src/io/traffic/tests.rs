//! The simulation as a whole: same seed same bytes, and a truth that agrees with itself.

use super::*;
use crate::engine::output::SubjectKind;
use crate::model::units::{HOUR, MINUTE};

mod engine;
mod reader;
mod recount;

/// 2026-10-14T08:00:00+08:00.
const MORNING: i64 = 1_791_936_000_000;

fn day(seed: u64, mischief: Mischief) -> Traffic {
    let plan = Plan::new(centre(), seed, MORNING);
    let incidents = vec![Incident::collapse(0, MORNING + 3 * HOUR, 25)];
    Traffic::new(Plan { to: Some(MORNING + 24 * HOUR), partitions: 4, mischief, incidents, ..plan })
}

const ROUGH: Mischief = Mischief {
    duplicates: 30_000,
    disorder: 150_000,
    late: 20_000,
    replaced: 20_000,
    voided: 20_000,
    broken: 5_000,
};

#[test]
fn a_seed_gives_the_same_bytes_and_another_seed_others() {
    let bytes = |seed| day(seed, ROUGH).take(20_000).map(|delivery| delivery.bytes).collect::<Vec<_>>();
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

/// The same on every machine and for ever; a wanted change of the simulation changes it.
#[test]
fn the_bytes_of_a_seed_have_this_fingerprint() {
    use sha2::Digest;
    let mut digest = sha2::Sha256::new();
    day(7041, ROUGH).take(5_000).for_each(|delivery| digest.update(&delivery.bytes));
    let digest: Vec<String> = digest.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest.concat(), "0438b4403e1b4daa");
}

#[test]
fn deliveries_are_in_order_and_every_sound_one_is_read() {
    let mut last = 0;
    let mut traffic = day(3, ROUGH);
    let mut sizes = 0;
    for delivery in traffic.by_ref() {
        assert!(delivery.at_ms >= last, "{delivery:?}");
        last = delivery.at_ms;
        sizes += delivery.bytes.len();
    }
    let counts = traffic.truth().counts(u64::MAX);
    assert!((220..280).contains(&(sizes as u64 / counts.delivered)), "about 250 bytes a record");
    assert!(counts.events > 5_000 && counts.duplicates > 100 && counts.broken > 10);
    assert!(counts.replaced > 10 && counts.voided > 10 && counts.late > 50);
}

#[test]
fn what_was_noted_is_what_a_full_reading_of_the_events_gives() {
    for seed in 0..6 {
        let mut traffic = day(seed, ROUGH);
        for _ in traffic.by_ref().take(9_000) {}
        let scripts = traffic.floor.scripts_agree().unwrap_or_else(|contact| panic!("{contact}"));
        assert!(scripts > 0);
    }
}

#[test]
fn rows_of_people_sum_to_teams_and_outcomes_are_a_partition() {
    let mut traffic = day(5, Mischief { replaced: 0, voided: 0, ..ROUGH });
    while traffic.next().is_some() {}
    let truth = traffic.truth();
    let (now, end) = (MORNING + 15 * HOUR, truth.delivered());
    for window in ["1h", "day", "month"] {
        let row = |kind, id: &str| truth.row(kind, id, window, now, end).unwrap();
        for team in &traffic.plan().centre.teams {
            let mut sum = Row::default();
            let members = traffic.plan().centre.roster.iter().filter(|person| person.team == team.id);
            members.for_each(|person| sum.add_row(&row(SubjectKind::Agent, &person.agent)));
            let team = row(SubjectKind::Team, &team.id);
            assert_eq!(sum.0[..Column::AvailableMs as usize], team.0[..Column::AvailableMs as usize]);
        }
    }
    let unit = truth.row(SubjectKind::Unit, "hangzhou", "month", now, end).unwrap();
    let lost = unit.get(Column::Abandoned) + unit.get(Column::Unfinished);
    assert_eq!(unit.get(Column::Answered) + lost, traffic.floor.over() as i64);
    for queue in &traffic.plan().centre.queues {
        assert_eq!(truth.waiting(&queue.id, end), Some(traffic.floor.waiting(&queue.id) as i64));
    }
}

#[test]
fn settling_changes_no_answer() {
    let (mut settled, mut kept) = (day(9, ROUGH), day(9, ROUGH));
    for step in 1..=12 {
        let n = 700 * step;
        for _ in settled.by_ref().take(700) {}
        let last = kept.by_ref().take(700).last().unwrap();
        settled.truth_mut().settle(n - 100, last.at_ms);
        for (kind, id) in kept.truth().subjects() {
            for window in crate::engine::output::WINDOWS {
                let ask = |truth: &Truth| truth.row(kind, id, window, last.at_ms, n - 40);
                assert_eq!(ask(settled.truth()), ask(kept.truth()), "{kind:?} {id} {window} after {n}");
            }
        }
        assert_eq!(settled.truth().counts(n - 40), kept.truth().counts(n - 40));
        assert_eq!(settled.truth().waiting("billing", n - 40), kept.truth().waiting("billing", n - 40));
    }
}

#[test]
fn billing_collapses_during_the_incident_and_recovers() {
    let mut traffic = day(7041, Mischief::NONE);
    let start = MORNING + 3 * HOUR;
    let mut rates = Vec::new();
    for at in [0, 15, 25, 75].map(|minutes| start + minutes * MINUTE) {
        while traffic.next_at().is_some_and(|next| next <= at) {
            traffic.next();
        }
        let truth = traffic.truth();
        let row = truth.row(SubjectKind::Queue, "billing", "30m", at, truth.delivered()).unwrap();
        let lost = row.get(Column::Abandoned) + row.get(Column::FlowedOut) + row.get(Column::Unfinished);
        rates.push(row.get(Column::Answered) * 100 / (row.get(Column::Answered) + lost).max(1));
    }
    assert!(rates[0] >= 85 && rates[2] < 65 && rates[3] >= 85, "{rates:?}");
}

#[test]
fn the_demo_fires_while_people_watch_and_recovers_before_the_month_ends() {
    let mut traffic = Traffic::new(Plan::demo(7041, "2026-10").unwrap());
    let live = traffic.plan().live_from();
    let mut answered = |minutes: i64| {
        let at = live + minutes * MINUTE;
        while traffic.next_at().is_some_and(|next| next <= at) {
            traffic.next();
        }
        let truth = traffic.truth();
        let row = truth.row(SubjectKind::Queue, "billing", "30m", at, truth.delivered()).unwrap();
        let lost = row.get(Column::Abandoned) + row.get(Column::FlowedOut) + row.get(Column::Unfinished);
        (row.get(Column::Answered), row.get(Column::Answered) + lost)
    };
    let (before, during, after) = (answered(-10), answered(12), answered(65));
    assert!(before.0 * 100 >= before.1 * 82, "{before:?}");
    assert!(during.1 >= 20 && during.0 * 100 < during.1 * 70, "{during:?}");
    assert!(after.0 * 100 >= after.1 * 85, "{after:?}");
}
