//! The product's own pusher against a real Alertmanager: one page an episode, whatever is posted again.

use crate::support::alertmanager::Alertmanager;
use crate::support::wait;
use crate::support::webhook::{Post, Webhook};
use shiftpulse::engine::output::{Alert, Output};
use shiftpulse::io::alertmanager::{AlertPusher, PushCounters, Terms};
use shiftpulse::io::log::clock::WallClock;
use shiftpulse::io::log::embedded::EmbeddedLog;
use shiftpulse::io::log::{self, AppendClock, Committer, Domain, Log, Topic, Transaction};
use shiftpulse::model::alert::State;
use shiftpulse::model::units::{Fraction, LogTime};
use shiftpulse::wire::results;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

/// A log with an engine's hand on it.
struct Bench {
    log: EmbeddedLog,
    committer: Box<dyn Committer>,
    next: i64,
    started: i64,
    webhook: Webhook,
    alertmanager: Alertmanager,
}

impl Bench {
    fn start() -> Bench {
        let log = EmbeddedLog::in_memory(1, Arc::new(WallClock)).expect("a log in memory");
        let committer = log.own(Domain(0)).expect("a domain").committer;
        let webhook = Webhook::start();
        let alertmanager = Alertmanager::start(&Alertmanager::routing_to(&webhook.url("/page")));
        Bench { log, committer, next: 0, started: WallClock.now_ms(), webhook, alertmanager }
    }

    /// Commits a transition that begins now.
    fn enter(&mut self, state: State) {
        let alert = alert(state, WallClock.now_ms(), self.started);
        let document = results::document(&Output::Alert(alert));
        self.next += 1;
        let output = log::Output { topic: Topic::Alerts, key: document.key, value: document.value };
        let transaction = Transaction { next: self.next, outputs: vec![output], ..Transaction::default() };
        self.committer.commit(&transaction).expect("a commit");
    }

    /// Runs a pusher that posts again four times a second, while `work` looks on.
    fn pushing(&self, work: impl FnOnce(&PushCounters)) {
        let (stop, counters, clock) = (AtomicBool::new(false), PushCounters::default(), WallClock);
        let terms = Terms { unit: "u".into(), external_url: "http://board".into(), resend_ms: 250 };
        let (url, log) = (self.alertmanager.url(), &self.log);
        std::thread::scope(|scope| {
            let pusher = || AlertPusher::new(&url, terms, &clock, &counters).run(log, &stop);
            let running = scope.spawn(pusher);
            let end = StopAtEnd(&stop);
            work(&counters);
            drop(end);
            running.join().expect("no panic").expect("the log is well");
        });
    }

    fn pages(&self, status: &'static str) -> usize {
        self.webhook.posts().iter().filter(|post| post.body["status"] == status).count()
    }

    fn wait_for(&self, status: &'static str) -> Post {
        self.webhook.wait_for(status, SOON, |post| post.body["status"] == status)
    }
}

/// A failed expectation must not leave the pusher running for ever.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn alert(state: State, since: i64, started: i64) -> Alert {
    Alert {
        rule: "answer-rate-low".into(),
        kpi: "answer_rate".into(),
        queue: "billing".into(),
        state,
        since: LogTime(since),
        started: LogTime(started),
        window: "5m".into(),
        value: Fraction::new(6, 10),
        below: Fraction::new(800, 1000),
        clear: Fraction::new(850, 1000),
        partial: false,
        severity: "critical".into(),
        page: true,
        worst: Fraction::new(6, 10),
        zh: "账单：应答率 60.0%，低于 80%".into(),
        en: "Billing: answer rate 60.0%, below 80%".into(),
    }
}

fn accepted(counters: &PushCounters, at_least: u64) {
    let enough = || counters.accepted.load(Ordering::Relaxed) >= at_least;
    wait::until_true("posts that are accepted", SOON, enough);
}

#[test]
fn an_episode_pages_once_however_often_it_is_posted_and_is_resolved_once() {
    let mut bench = Bench::start();
    bench.enter(State::Pending);
    bench.enter(State::Firing);
    bench.pushing(|counters| {
        let page = bench.wait_for("firing");
        let told = &page.body["alerts"][0];
        assert_eq!(told["labels"]["queue"], "billing");
        assert_eq!(told["annotations"]["summary"], "Billing: answer rate 60.0%, below 80%");
        // Long enough for several of its group intervals.
        accepted(counters, 12);
    });
    assert_eq!(bench.pages("firing"), 1);

    // A successor reads the topic, posts again, and calls nobody.
    bench.pushing(|counters| accepted(counters, 8));
    assert_eq!((bench.pages("firing"), bench.pages("resolved")), (1, 0));

    // It resolves while nobody pushes; the next one tells it.
    bench.enter(State::Resolved);
    bench.pushing(|_| drop(bench.wait_for("resolved")));
    assert_eq!((bench.pages("firing"), bench.pages("resolved")), (1, 1));
}

#[test]
fn an_alertmanager_that_was_away_learns_what_still_fires() {
    let mut bench = Bench::start();
    bench.alertmanager.server.process.pause();
    bench.enter(State::Firing);
    bench.pushing(|counters| {
        let failed = || counters.failed.load(Ordering::Relaxed) >= 1;
        wait::until_true("a post that fails", SOON, failed);
        bench.alertmanager.server.process.resume();
        bench.wait_for("firing");
        accepted(counters, 4);
    });
    assert_eq!(bench.pages("firing"), 1);
}
