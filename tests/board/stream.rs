//! What moves: patches, running durations, the stream that dies and comes back, and that nothing jumps.

use crate::fixture::{Site, Weather, queues};
use crate::support::chromium::{Browser, Page};
use serde_json::json;
use shiftpulse::engine::output::{Output, SubjectKind};
use shiftpulse::model::alert::State;
use shiftpulse::model::units::{EventTime, Fraction};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(40);

fn open(browser: &Browser, site: &Site, width: u32, query: &str) -> Page {
    let mut page = browser.page();
    page.viewport(width, 1000);
    page.go(&format!("{}{query}", site.address));
    page
}

fn shows(id: &str, text: &str) -> String {
    format!("document.getElementById('{id}').textContent.startsWith('{text}')")
}

#[test]
fn values_and_alerts_change_in_place() {
    let (browser, site) = (Browser::start(), Site::picture());
    let mut page = open(&browser, &site, 1440, "?lang=en");
    site.queue("delivery", |live| {
        live.now.waiting = Some(31);
        let window = live.windows.get_mut("30m").expect("a window");
        window.kpis.insert("answer_rate".into(), Fraction::new(45, 60));
    });
    let fires = |state, since| {
        Output::Alert(queues::alert("answer-rate", "answer_rate", "delivery", state, 90, since))
    };
    site.model.put([fires(State::Pending, 90), fires(State::Firing, 30)]);
    page.wait_for("31 waiting", &shows("q1.w", "31"), SOON);
    page.wait_for("a second alert", "document.getElementById('band').dataset.state === 'two'", SOON);
    assert_eq!(page.text("#b2 .t").as_deref(), Some("Delivery: answer rate 75.0%, below 80%"));
    assert_eq!(page.evaluate("document.title"), "▲2 Board · shiftpulse");
    assert!(
        page.evaluate("document.getElementById('icon').href")
            .as_str()
            .is_some_and(|href| href.contains("icon-alert"))
    );
    site.model.put([fires(State::Resolved, 0)]);
    page.wait_for("its end", "document.getElementById('band').dataset.state === 'one'", SOON);
    page.wait_for(
        "its line",
        "document.getElementById('g2.t').textContent === 'Resolved: Delivery, answer rate'",
        SOON,
    );
    assert_eq!(page.console(), Vec::<String>::new());
}

#[test]
fn running_durations_run_and_stop_with_the_heartbeat() {
    let (browser, site) = (Browser::start(), Site::picture());
    let mut page = open(&browser, &site, 1440, "?lang=en");
    // The live clock moves with the facts: the page shows the same.
    site.pass(60_000);
    page.wait_for("a minute more", "/^4:4\\d$/.test(document.getElementById('q0.l').textContent)", SOON);
    site.weather(Weather::Silence);
    page.wait_for("the notice", "!document.getElementById('off').hidden", SOON);
    let notice = page.text("#off").unwrap_or_default();
    assert!(notice.contains("Numbers are from 10:43:17") && notice.contains("reconnecting"), "{notice}");
    let stopped = "new Promise(done => { const now = () => document.getElementById('q0.l').textContent; const first = now(); \
                   setTimeout(() => done(first === now()), 2500); })";
    assert_eq!(page.evaluate(stopped), json!(true), "without a heartbeat nothing moves");
}

#[test]
fn the_page_comes_back_after_silence_and_after_a_proxys_error() {
    let (browser, site) = (Browser::start(), Site::picture());
    let mut page = open(&browser, &site, 1440, "?lang=en");
    for weather in [Weather::Silence, Weather::BadGateway] {
        site.weather(weather);
        page.wait_for("the notice", "!document.getElementById('off').hidden", SOON);
        let n = if weather == Weather::Silence { 51 } else { 52 };
        site.queue("returns", |live| live.now.waiting = Some(n));
        site.weather(Weather::Fair);
        page.wait_for("the newest value", &shows("q2.w", &n.to_string()), SOON);
        page.wait_for("no notice", "document.getElementById('off').hidden", SOON);
    }
}

#[test]
fn a_new_roster_loads_the_page_once() {
    let (browser, site) = (Browser::start(), Site::picture());
    let mut page = open(&browser, &site, 1440, "?lang=en");
    page.evaluate("window.before = true");
    let mut definitions = site.model.snapshot().definitions.as_ref().clone();
    definitions.roster[0].names.en = "Someone New".into();
    site.model.define(definitions);
    page.wait_for("the new name", "!window.before && document.body?.innerText.includes('Someone New')", SOON);
}

#[test]
fn paused_numbers_stand_still_while_alerts_come_in() {
    let (browser, site) = (Browser::start(), Site::picture());
    let mut page = open(&browser, &site, 1440, "?lang=en");
    page.wait_for("the script", "document.documentElement.dataset.script !== undefined", SOON);
    page.evaluate("dispatchEvent(new KeyboardEvent('keydown', { key: 'p', bubbles: true }))");
    assert!(page.text("#off-t").is_some_and(|text| text.starts_with("Paused at 10:42:17")));
    site.queue("delivery", |live| live.now.waiting = Some(44));
    let fires = |state, since| {
        Output::Alert(queues::alert("answer-rate", "answer_rate", "delivery", state, 90, since))
    };
    site.model.put([fires(State::Pending, 90), fires(State::Firing, 30)]);
    page.wait_for("the alert", "document.getElementById('band').dataset.state === 'two'", SOON);
    assert_eq!(page.text("[id='q1.w']").as_deref(), Some("2"));
    page.evaluate("dispatchEvent(new KeyboardEvent('keydown', { key: 'p', bubbles: true }))");
    page.wait_for("all of it", &shows("q1.w", "44"), SOON);
}

/// What a morning can do to every kind of cell, one step of it.
fn disturb(site: &Site, step: i64) {
    let now = site.now();
    for (place, id) in
        ["billing", "delivery", "returns", "support", "vip", "chat", "night"].iter().enumerate()
    {
        let n = (step * 7 + place as i64 * 3) % 23;
        site.queue(id, |live| {
            live.now.waiting = Some(n * n);
            live.now.longest_since = (n % 4 != 0).then(|| EventTime(now - n * n * 9_000));
            live.coverage = Fraction::new(if n % 5 == 0 { 1 } else { 2 }, 2);
            for window in live.windows.values_mut() {
                for value in window.kpis.values_mut() {
                    *value = Fraction::new(n, if n % 6 == 0 { 0 } else { 22 });
                }
            }
        });
    }
    for agent in ["1001", "1103", "1207"] {
        let state = ["talking", "available", "paused", "wrap_up"][(step % 4) as usize];
        site.subject(SubjectKind::Agent, agent, |live| {
            live.now.state = Some(state.into());
            live.now.since = Some(EventTime(now - (step % 5) * 700_000));
        });
    }
    site.subject(SubjectKind::Unit, "hangzhou", |live| {
        live.now.states =
            [("talking", 12 - step % 5), ("paused", 9 + step % 4)].map(|(k, n)| (k.to_owned(), n)).into();
    });
    let states = [State::Pending, State::Firing, State::Resolved];
    for (queue, shift) in [("delivery", 0), ("vip", 1), ("returns", 2)] {
        let state = states[((step + shift) % 3) as usize];
        site.model.put([Output::Alert(queues::alert(
            "answer-rate",
            "answer_rate",
            queue,
            state,
            100 - step,
            60,
        ))]);
    }
    site.pass(25_000);
}

#[test]
fn nothing_jumps_over_ten_minutes_of_traffic() {
    let (browser, site, demo) = (Browser::start(), Site::picture(), Site::demo());
    for (width, lang, site) in [(1440, "en", &site), (390, "zh", &site), (1440, "zh", &demo)] {
        let mut page = open(&browser, site, width, &format!("?lang={lang}"));
        page.wait_for(
            "the font",
            "document.fonts.ready.then(() => document.fonts.check('600 23px Inter'))",
            SOON,
        );
        page.evaluate(
            "window.jumps = []; new PerformanceObserver(list => list.getEntries().forEach(entry => window.jumps.push( \
             entry.sources.map(s => `${entry.value} ${s.node?.id || s.node?.parentElement?.id || s.node?.className || s.node?.nodeName} ` + \
             JSON.stringify([s.previousRect, s.currentRect]))))).observe({ type: 'layout-shift' })",
        );
        for step in 0..24 {
            disturb(site, step);
            let waiting = ((step * 7) % 23) * ((step * 7) % 23);
            page.wait_for(
                "the step",
                &format!("document.getElementById('q0.w').textContent === '{waiting}'"),
                SOON,
            );
        }
        let jumps = page.evaluate("window.jumps.flat().slice(0, 12)");
        assert_eq!(jumps, json!([]), "{width} {lang}");
        assert_eq!(page.console(), Vec::<String>::new(), "{width} {lang}");
    }
}
