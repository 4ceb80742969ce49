//! A comparison that sees nothing proves nothing: the engine is given slightly other facts, and each such lie must be seen.

use crate::dice::Dice;
use crate::feed::{Post, Said};
use crate::traffic::Event;
use crate::{World, paths};
use shiftpulse::engine::record::ControlKind;
use shiftpulse::model::event::Kind;
use shiftpulse::model::units::MINUTE;

/// Worlds in which a lie must be seen at the latest.
const WORLDS: u64 = 60;

/// Gives the engine what `lie` makes of the posts, in one world after the other, until the comparison sees it.
fn is_seen(what: &str, lie: impl Fn(&mut Vec<Post>, &mut Dice)) {
    let seen = (0..WORLDS).any(|seed| {
        let truth = World::new(seed).posts;
        let mut told = truth.clone();
        lie(&mut told, &mut Dice::new(seed));
        paths(&told, &truth, 4).is_err()
    });
    assert!(seen, "{what} is not seen in any of {WORLDS} worlds");
}

/// Changes one of the events that `which` names.
fn one(posts: &mut [Post], dice: &mut Dice, which: impl Fn(&Event) -> bool, change: impl Fn(&mut Event)) {
    let batches = posts.iter_mut().filter_map(|post| match &mut post.said {
        Said::Batch(sent) => Some(&mut sent.events),
        _ => None,
    });
    let mut fitting: Vec<&mut Event> =
        batches.flatten().map(|(_, event)| event).filter(|event| which(event)).collect();
    if !fitting.is_empty() {
        let index = dice.below(fitting.len() as i64) as usize;
        change(fitting[index]);
    }
}

fn definitions(posts: &mut [Post], change: impl Fn(&mut shiftpulse::engine::definitions::Definitions)) {
    for post in posts {
        if let Said::Control(control) = &mut post.said
            && let ControlKind::Definitions { definitions } = &mut control.kind
        {
            change(definitions);
        }
    }
}

#[test]
fn a_fact_that_is_missing_is_seen() {
    for kind in
        [Kind::Answered, Kind::Abandoned, Kind::Ended, Kind::AgentMessage, Kind::AgentState, Kind::Rating]
    {
        is_seen(kind.text(), |posts, dice| {
            one(posts, dice, |event| event.kind == kind, |event| event.kind = Kind::Other)
        });
    }
}

#[test]
fn a_millisecond_is_seen() {
    is_seen("a later answer", |posts, dice| {
        one(posts, dice, |event| event.kind == Kind::Answered, |event| event.time += 1)
    });
    is_seen("a longer hold", |posts, dice| {
        one(
            posts,
            dice,
            |event| event.kind == Kind::Held,
            |event| event.hold_ms = event.hold_ms.map(|hold| hold + 1),
        );
    });
    is_seen("a millionth of a mark", |posts, dice| {
        one(
            posts,
            dice,
            |event| event.kind == Kind::Rating,
            |event| event.score = event.score.map(|score| score + 1),
        );
    });
}

#[test]
fn another_agent_or_queue_is_seen() {
    is_seen("another agent", |posts, dice| {
        one(
            posts,
            dice,
            |event| event.kind == Kind::Answered && event.agent != Some("A7"),
            |event| event.agent = Some("A7"),
        );
    });
    is_seen("another queue", |posts, dice| {
        one(posts, dice, |event| event.queue == Some("billing"), |event| event.queue = Some("web|chat"));
    });
}

/// `<=` that became `<` in the service level: the same as a threshold that is one millisecond lower.
#[test]
fn a_threshold_that_is_no_longer_included_is_seen() {
    is_seen("a threshold", |posts, _| {
        definitions(posts, |definitions| {
            definitions.queues.iter_mut().for_each(|queue| queue.within_ms -= 1)
        });
    });
}

#[test]
fn another_rule_of_an_alert_is_seen() {
    is_seen("a longer hold", |posts, _| {
        definitions(posts, |definitions| {
            definitions.alerts.iter_mut().for_each(|rule| rule.hold_ms += MINUTE)
        });
    });
    is_seen("one sample more", |posts, _| {
        definitions(posts, |definitions| {
            definitions.alerts.iter_mut().for_each(|rule| rule.min_samples += 1)
        });
    });
}
