//! Killed, stopped and started again: what was acknowledged counts once.

use super::fixture::*;
use crate::support::service::Instance;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Posts in order from `next` on, one at a time as a client does, until one is not acknowledged.
fn post(instance: &Instance, posts: &[Vec<u8>], next: &AtomicUsize) {
    while let Some(body) = posts.get(next.load(Ordering::SeqCst)) {
        match instance.try_post("/api/v1/events", body) {
            Ok(answer) if answer.status == 200 => next.fetch_add(1, Ordering::SeqCst),
            _ => return,
        };
    }
}

#[test]
fn acknowledged_events_count_exactly_once_through_kills_in_the_middle_of_posts() {
    let installation = embedded("{ kind = \"http\" }");
    let at = now();
    let mut traffic = traffic(5, at - 2 * HOUR, at);
    let posts: Vec<_> = lines(&mut traffic).chunks(20).map(|lines| lines.join(&b'\n')).collect();
    assert!(posts.len() > 40, "{} posts", posts.len());
    let next = AtomicUsize::new(0);
    let mut instance = installation.start("one", &[]);
    for kill in 1..=4 {
        let until = posts.len() * kill / 5;
        std::thread::scope(|scope| {
            let Instance { process, .. } = &instance;
            let pid = process.pid();
            let client = scope.spawn(|| post(&instance, &posts, &next));
            crate::support::wait::until_true("posts", SOON, || next.load(Ordering::SeqCst) >= until);
            std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs");
            client.join().expect("the client");
        });
        instance.process.kill();
        instance = installation.start("one", &[]);
    }
    post(&instance, &posts, &next);
    assert_eq!(next.load(Ordering::SeqCst), posts.len());
    wait_for_truth(&instance, &traffic, at);

    // Everything once more, as a client does that lost its memory.
    next.store(0, Ordering::SeqCst);
    post(&instance, &posts, &next);
    assert_eq!(next.load(Ordering::SeqCst), posts.len());
    wait_for_truth(&instance, &traffic, at);

    let lives = |instance: &Instance| {
        instance.metric("shiftpulse_queue_answered{queue=\"billing\",window=\"month\"}")
    };
    let before = lives(&instance);
    assert!(before.is_some_and(|answered| answered > 0.0), "{before:?}");
    assert!(instance.process.terminate().success(), "{}", instance.process.all_output());
    let output = instance.process.all_output();
    assert!(output.contains("told to stop"), "{output}");
    let mut instance = installation.start("one", &[]);
    assert_eq!(lives(&instance), before, "/metrics after a restart");
    wait_for_truth(&instance, &traffic, at);
    let restored = instance.process.wait_for_line("restored", SOON);
    assert!(restored.contains("snapshot=") && !restored.contains("snapshot=None"), "{restored}");
    assert!(restored.contains("digest_matched=true"), "{restored}");
}
