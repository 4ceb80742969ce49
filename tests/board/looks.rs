//! How the board looks: pictures for the eye under `target/tmp/board/`, and what a machine can measure of them, in both
//! languages and themes, from a phone to a big laptop.
//!
//! `SHIFTPULSE_BOARD_HOLD=600 cargo test --test board looks::pictures` keeps the pages of the fixture open for ten minutes and
//! prints their addresses.

use crate::fixture::{Site, Weather};
use crate::support::chromium::{Browser, Page};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("board").join(format!("{name}.png"))
}

/// Opens the board and waits for its first snapshot, its font and its script.
fn open(page: &mut Page, site: &Site, query: &str) {
    page.go(&format!("{}{query}", site.address));
    page.wait_for(
        "the font",
        "document.fonts.ready.then(() => document.fonts.check('600 23px Inter'))",
        SOON,
    );
    page.wait_for("the script", "document.documentElement.dataset.script !== undefined", SOON);
}

#[test]
fn pictures() {
    let (browser, site, demo, empty) = (Browser::start(), Site::picture(), Site::demo(), Site::empty());
    let mut page = browser.page();
    for (name, site, query, width) in [
        ("zh-light-1440", &site, "?lang=zh&theme=light", 1440),
        ("en-dark-1440", &site, "?lang=en&theme=dark", 1440),
        ("zh-light-390", &site, "?lang=zh&theme=light", 390),
        ("en-dark-390", &site, "?lang=en&theme=dark", 390),
        ("en-light-820", &site, "?lang=en&theme=light", 820),
        ("zh-dark-1280", &site, "?lang=zh&theme=dark", 1280),
        ("demo-en-light-1440", &demo, "?lang=en&theme=light", 1440),
        ("demo-zh-dark-390", &demo, "?lang=zh&theme=dark", 390),
        ("empty-en-light-1440", &empty, "?lang=en&theme=light", 1440),
    ] {
        page.viewport(width, 1000);
        open(&mut page, site, query);
        page.screenshot(&file(name));
        assert_eq!(page.console(), Vec::<String>::new(), "{name}");
    }
    site.weather(Weather::Silence);
    page.viewport(1440, 1000);
    open(&mut page, &site, "?lang=zh&theme=light");
    page.wait_for("the notice", "!document.getElementById('off').hidden", SOON);
    page.screenshot(&file("lost-zh-light-1440"));
    site.weather(Weather::Fair);
    if let Some(seconds) = std::env::var("SHIFTPULSE_BOARD_HOLD").ok().and_then(|text| text.parse().ok()) {
        eprintln!("board {}  demo {}  empty {}", site.address, demo.address, empty.address);
        std::thread::park_timeout(Duration::from_secs(seconds));
    }
}

/// Every text node against the ground it stands on: the nearest ancestor that paints one.
const CONTRAST: &str = r#"(() => {
  const numbers = text => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const ground = el => {
    for (; el; el = el.parentElement) {
      const colour = numbers(getComputedStyle(el).backgroundColor);
      if (colour.length < 4 || colour[3] > .5) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || el.closest('.sr, dialog, .skip, noscript, script') || !el.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(el);
    const ink = light(numbers(el.tagName === 'text' ? style.fill : style.color)), paper = light(ground(el));
    const ratio = (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
    if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${el.id || el.className} ${walk.currentNode.data.trim()}`);
    if (parseFloat(style.fontSize) < 11.9 && el.tagName !== 'text') bad.push(`${style.fontSize} ${el.className} ${walk.currentNode.data.trim()}`);
  }
  return bad;
})()"#;

#[test]
fn every_text_can_be_read_and_nothing_hangs_over() {
    let browser = Browser::start();
    let (site, demo) = (Site::picture(), Site::demo());
    let mut page = browser.page();
    for width in [320, 390, 820, 1280, 1440, 1920] {
        page.viewport(width, 1000);
        for (lang, theme) in [("zh", "light"), ("zh", "dark"), ("en", "light"), ("en", "dark")] {
            for site in [&site, &demo] {
                open(&mut page, site, &format!("?lang={lang}&theme={theme}"));
                let at = format!("{width} {lang} {theme} {}", site.address);
                assert_eq!(page.evaluate(CONTRAST), json!([]), "{at}");
                let over = page.evaluate("Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)");
                assert_eq!(over, json!(0), "{at}: the page is wider than its window");
                assert_eq!(page.console(), Vec::<String>::new(), "{at}");
            }
        }
    }
}

/// Targets that are smaller than a finger.
const SMALL: &str = r#"(least => [...document.querySelectorAll('a, button, input')].filter(el => {
  const box = el.getBoundingClientRect();
  return el.checkVisibility({ visibilityProperty: true }) && !el.closest('.skip, dialog, noscript') && (box.height < least || box.width < 24);
}).map(el => el.outerHTML.slice(0, 80)))"#;

#[test]
fn what_can_be_pressed_is_large_enough() {
    let (browser, site) = (Browser::start(), Site::demo());
    let mut page = browser.page();
    for (width, least) in [(390, 40), (1440, 24)] {
        page.viewport(width, 1000);
        open(&mut page, &site, "?lang=en");
        assert_eq!(page.evaluate(&format!("{SMALL}({least})")), json!([]), "{width}");
    }
}
