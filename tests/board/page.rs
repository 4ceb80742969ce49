//! What stands on the page: numbers, sentences, states; and that it is all there without script.

use crate::fixture::Site;
use crate::support::chromium::{Browser, Page};
use serde_json::json;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

fn texts(page: &mut Page, ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| page.text(&format!("[id=\"{id}\"]")).unwrap_or_default().trim().to_owned()).collect()
}

#[test]
fn the_numbers_of_the_morning_stand_where_they_belong() {
    let (browser, site) = (Browser::start(), Site::picture());
    let mut page = browser.page();
    page.viewport(1440, 1000);
    page.go(&format!("{}?lang=zh", site.address));
    let billing = ["q0.w", "q0.sl", "q0.sln", "q0.ar", "q0.arn", "q0.ab", "q0.abn"];
    assert_eq!(
        texts(&mut page, &billing),
        ["7", "50.0%", "14/28 · 目标 80%", "71.4%", "20/28", "21.4%", "6/28"]
    );
    let total = ["t.w", "t.sl", "t.sln", "t.ar", "t.arn", "t.ab", "t.abn"];
    assert_eq!(
        texts(&mut page, &total),
        ["17", "—", "口径不同，不合计", "92.9%", "221/238", "5.5%", "13/238"]
    );
    let states = "['q0', 'q1', 'q3', 'q4.sl', 'q5', 'q6', 'q0.ar', 'q0.sl'].map(id => document.getElementById(id).dataset.state)";
    let expected = json!(["firing", "normal", "near", "few", "partial", "null", "firing", "outside"]);
    assert_eq!(page.evaluate(states), expected);
    assert_eq!(texts(&mut page, &["b0.t", "b0.s"]), ["账单：应答率 71.4%，低于 80%", "自 10:38:05"]);
    assert_eq!(page.text("#b3 .t").as_deref(), Some("待定 1：技术支持服务水平"));
    assert_eq!(page.evaluate("document.title"), "▲1 看板 · shiftpulse");
    assert_eq!(page.evaluate("document.documentElement.lang"), "zh-CN");
}

#[test]
fn a_screen_reader_hears_the_whole_sentence() {
    let (browser, site) = (Browser::start(), Site::picture());
    let mut page = browser.page();
    page.go(&format!("{}?lang=en", site.address));
    let spoken = page.evaluate("document.getElementById('q0.ar~').textContent");
    assert_eq!(spoken, "Billing, Answer rate 71.4%, firing, 20/28, as of 10:42:17");
    let unnamed = "[...document.querySelectorAll('a, button, input, svg[role], nav, section')].filter(el => \
         el.tagName !== 'SECTION' && !(el.textContent.trim() || el.ariaLabel || el.labels?.length)).length";
    assert_eq!(page.evaluate(unnamed), 0);
}

#[test]
fn the_windows_change_every_number_at_once_and_now_stays() {
    let (browser, site) = (Browser::start(), Site::picture());
    let mut page = browser.page();
    page.go(&format!("{}?lang=en&window=day", site.address));
    assert_eq!(texts(&mut page, &["q0.w", "q0.arn", "q1.arn"]), ["7", "180/252", "513/540"]);
    assert_eq!(page.text("#windows [aria-current]").as_deref(), Some("Day"));
    // The rule looks at 30 minutes: the row stays firing, the value of another window is judged by its target alone.
    let states = "['q0', 'q0.ar'].map(id => document.getElementById(id).dataset.state)";
    assert_eq!(page.evaluate(states), json!(["firing", "outside"]));
}

#[test]
fn without_script_the_page_is_a_whole_snapshot() {
    let (browser, site) = (Browser::start(), Site::picture());
    let mut page = browser.page();
    page.viewport(1440, 1000);
    page.command("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    page.go(&format!("{}?lang=en", site.address));
    assert_eq!(texts(&mut page, &["q0.ar", "asof"]), ["71.4%", "10:42:17"]);
    assert!(page.text("noscript").is_some_and(|text| text.contains("snapshot")));
    let next = page.evaluate("[...document.querySelectorAll('#windows a')].map(a => a.getAttribute('href'))");
    assert_eq!(next, json!(["/?window=5m", "/?window=30m", "/?window=1h", "/?window=day"]));
    let hidden = page.evaluate("getComputedStyle(document.getElementById('help')).visibility");
    assert_eq!(hidden, "hidden", "what only a script can do is not offered");
}

#[test]
fn language_and_theme_are_kept() {
    let (browser, site) = (Browser::start(), Site::picture());
    let mut page = browser.page();
    page.languages("zh-CN");
    page.go(&site.address);
    assert_eq!(page.text("#queues h2").as_deref(), Some("队列现况"));
    page.go(&format!("{}?lang=en&theme=dark", site.address));
    page.go(&site.address);
    assert_eq!(page.text("#queues h2").as_deref(), Some("Queues now"));
    assert_eq!(page.evaluate("document.documentElement.dataset.theme"), "dark");
    page.wait_for("the script", "document.documentElement.dataset.script !== undefined", SOON);
    page.evaluate("dispatchEvent(new KeyboardEvent('keydown', { key: 't', bubbles: true }))");
    page.go(&site.address);
    assert_eq!(page.evaluate("document.documentElement.dataset.theme"), "light");
}

#[test]
fn before_the_first_contact_the_page_says_so() {
    let (browser, site) = (Browser::start(), Site::empty());
    let mut page = browser.page();
    page.go(&format!("{}?lang=en", site.address));
    assert!(page.text("#queues").is_some_and(|text| text.contains("No contact yet")));
    assert_eq!(page.text("#b0 .t").as_deref(), Some("No alerts"));
}

#[test]
fn old_values_lose_their_judgement_but_what_fires_stays() {
    let (browser, site) = (Browser::start(), Site::picture());
    site.stall(15_000);
    let mut page = browser.page();
    page.go(&format!("{}?lang=en", site.address));
    let states =
        "['asof', 'q1', 'q1.ar', 'q0.ar', 'q0.sl'].map(id => document.getElementById(id).dataset.state)";
    assert_eq!(page.evaluate(states), json!(["stale", "stale", "stale", "firing", "stale"]));
    assert_eq!(texts(&mut page, &["lag"]), ["15 s behind"]);
}

#[test]
fn the_demo_shows_the_truth_under_each_number() {
    let (browser, site) = (Browser::start(), Site::demo());
    let mut page = browser.page();
    page.viewport(1440, 1000);
    page.go(&format!("{}?lang=en", site.address));
    let notes = ["q0.wn", "q0.ln", "q0.arn", "q6.arn", "q0.as", "d.lost", "d.dup"];
    let expected = ["truth 7", "truth 3:42", "truth 20/28", "truth —", "equal", "0", "1,932 / 1,932"];
    assert_eq!(texts(&mut page, &notes), expected);
    site.queue("delivery", |live| live.now.waiting = Some(99));
    page.wait_for("the difference", "document.getElementById('q1.arn').dataset.state === 'differs'", SOON);
    assert_eq!(texts(&mut page, &["q1.arn"]), ["57/60 ≠ truth 58/60"]);
    let equal = page.evaluate("document.getElementById('d.equal').dataset.state");
    assert_eq!(equal, "differs");
}

#[test]
fn two_presses_of_shift_k_kill_the_engine() {
    let (browser, site) = (Browser::start(), Site::demo());
    let mut page = browser.page();
    page.go(&format!("{}?lang=en", site.address));
    page.wait_for("the script", "document.documentElement.dataset.script !== undefined", SOON);
    for _ in 0..2 {
        page.evaluate(
            "dispatchEvent(new KeyboardEvent('keydown', { key: 'K', shiftKey: true, bubbles: true }))",
        );
    }
    page.wait_for(
        "the fourth kill",
        "document.getElementById('d.kills').textContent.startsWith('Killed 4 times')",
        SOON,
    );
    page.click("#kill button");
    page.wait_for(
        "the fifth kill",
        "document.getElementById('d.kills').textContent.startsWith('Killed 5 times')",
        SOON,
    );
    assert_eq!(page.console(), Vec::<String>::new());
}
