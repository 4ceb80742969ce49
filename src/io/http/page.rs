//! The shift board as a page: where everything stands. What stands there comes from the cells.
//!
//! Without script the page is a correct snapshot. Every place that changes carries its cell's identifier; the script
//! changes texts and `data-state` only.

use maud::{DOCTYPE, Markup, html};

use super::assets;
use super::cells::{Cells, View, state};
use super::texts::{self, Lang, Text};

mod agents;
mod demo;
mod queues;

/// The windows that the board offers.
pub const WINDOWS: [&str; 4] = ["5m", "30m", "1h", "day"];

/// What the reader chose besides language and window.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// `light` or `dark`; the system's when absent.
    pub theme: Option<&'static str>,
}

/// The places of the page.
pub(super) struct Page<'a> {
    view: &'a View<'a>,
    cells: &'a Cells,
}

/// The whole page.
pub fn render(view: &View<'_>, cells: &Cells, look: Look) -> Markup {
    Page { view, cells }.document(look)
}

impl Page<'_> {
    fn say(&self, text: Text) -> &'static str {
        self.view.lang.say(text)
    }

    fn text_of(&self, id: &str) -> String {
        self.cells.get(id).text.clone()
    }

    fn state_of(&self, id: &str) -> String {
        self.cells.get(id).state.clone()
    }

    /// A place that is nothing but its text.
    fn place(&self, id: &str, class: &str) -> Markup {
        let cell = self.cells.get(id);
        html! { span id=(id) class=(class) data-state=(cell.state) data-since=[cell.since] { (cell.text) } }
    }

    /// A big value with its unit; the screen reader gets the sentence instead.
    fn value(&self, id: &str, unit: &str) -> Markup {
        let cell = self.cells.get(id);
        let spoken = cell.spoken.as_deref();
        html! {
            span.v id=(id) data-state=(cell.state) data-since=[cell.since] aria-hidden=[spoken.map(|_| "true")] {
                b { (cell.text) } @if !unit.is_empty() { i { (unit) } }
            }
            @if let Some(spoken) = spoken { span.sr id=(format!("{id}~")) { (spoken) } }
        }
    }

    fn shape(&self, id: &str) -> Markup {
        html! { i.shape id=(id) data-state=(self.state_of(id)) aria-hidden="true" {} }
    }

    fn document(&self, look: Look) -> Markup {
        let view = self.view;
        let stream = format!("/events?lang={}&window={}", view.lang.code(), view.window);
        html! {
            (DOCTYPE)
            html lang=(view.lang.tag()) data-theme=[look.theme] data-structure=(self.cells.structure)
                data-clock=(view.as_of()) data-rate=(view.rate) data-demo=[view.demo.map(|_| "")] {
                (self.head())
                body data-stream=(stream) {
                    a.skip href="#queues" { (self.say(texts::SKIP)) }
                    (self.header())
                    main {
                        (self.band())
                        @if let Some(frame) = view.demo { (self.demo_panels(frame)) }
                        (self.queues())
                        (self.agents_by_state())
                        div.teams { div.rows { (self.teams()) } (self.log()) }
                    }
                    (self.footer())
                    (self.notice())
                    (self.keys())
                }
            }
        }
    }

    fn head(&self) -> Markup {
        let icon = if self.state_of("title") == state::FIRING { "icon-alert.svg" } else { "icon.svg" };
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title id="title" data-state=(self.state_of("title")) { (self.text_of("title")) }
                link id="icon" rel="icon" type="image/svg+xml" href=(assets::address(icon));
                link rel="preload" as="font" type="font/woff2" crossorigin="anonymous" href="/assets/inter.woff2";
                link rel="stylesheet" href=(assets::address("board.css"));
                script defer src=(assets::address("board.js")) {}
            }
        }
    }

    fn header(&self) -> Markup {
        html! {
            header {
                a.brand href="/" { (self.logo()) span.wide { "shiftpulse" } }
                h1 { (self.say(texts::BOARD)) }
                @if let Some(frame) = self.view.demo {
                    span.chip { (self.say(texts::DEMO)) " · " (self.view.pick(format!("时钟 {}×", frame.speed), format!("clock at {}×", frame.speed))) }
                }
                div.status {
                    span.asof {
                        i.dot aria-hidden="true" {}
                        span.wide { (self.say(texts::AS_OF)) " " }
                        (self.place("asof", "time")) " " (self.place("lag", "lag wide"))
                    }
                    span.src id="src" data-state=(self.state_of("src")) {
                        i.shape aria-hidden="true" {}
                        (self.place("src.long", "wide")) (self.place("src.short", "narrow"))
                    }
                }
                nav.tools {
                    (self.languages())
                    a.tool #theme href="/?theme=dark" title=(self.say(texts::THEME)) { i.half aria-hidden="true" {} span.sr { (self.say(texts::THEME)) } }
                    button.tool.scripted #help type="button" { kbd { "?" } span.wide { " " (self.say(texts::KEYS)) } }
                }
            }
        }
    }

    fn logo(&self) -> Markup {
        html! {
            svg.logo viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" {
                rect.back x="1" y="1" width="22" height="22" rx="6" {}
                path.line d="M4.5 12.5h3.2l2.2-5 3.4 9.5 2.6-6.6 1 2.1h2.6" fill="none" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" {}
            }
        }
    }

    fn languages(&self) -> Markup {
        html! {
            div.seg #lang role="group" aria-label=(self.say(texts::LANGUAGE)) {
                @for (lang, name) in [(Lang::Zh, "中"), (Lang::En, "EN")] {
                    a href=(format!("/?lang={}&window={}", lang.code(), self.view.window)) hreflang=(lang.tag()) lang=(lang.tag())
                        aria-current=[(lang == self.view.lang).then_some("true")] { (name) }
                }
            }
        }
    }

    fn band(&self) -> Markup {
        html! {
            section.band #band data-state=(self.state_of("band")) aria-label=(self.say(texts::ALERTS_TODAY)) {
                @for id in ["b0", "b1", "b2"] {
                    div.alert.(id) id=(id) data-state=(self.state_of(id)) {
                        i.shape aria-hidden="true" {}
                        div.what {
                            (self.place(&format!("{id}.t"), "t full")) (self.place(&format!("{id}.d"), "d full"))
                            (self.place(&format!("{id}.tb"), "t brief")) (self.place(&format!("{id}.db"), "d brief"))
                        }
                        div.long {
                            (self.place(&format!("{id}.f"), "f"))
                            (self.place(&format!("{id}.s"), "s full")) (self.place(&format!("{id}.sb"), "s brief"))
                        }
                    }
                }
                a.alert.b3 id="b3" href="#log" data-state=(self.state_of("b3")) {
                    i.shape aria-hidden="true" {}
                    div.what { (self.place("b3.t", "t")) (self.place("b3.d", "d")) }
                    kbd.scripted { "A" }
                }
            }
        }
    }

    fn footer(&self) -> Markup {
        let entries: [(&str, Text); 8] = [
            (state::FIRING, texts::FIRING),
            (state::OUTSIDE, texts::OUTSIDE),
            (state::NEAR, texts::NEAR),
            (state::PARTIAL, texts::LEGEND_PARTIAL),
            (state::STALE, texts::LEGEND_STALE),
            (state::NULL, texts::LEGEND_NULL),
            ("provisional", texts::PROVISIONAL),
            ("final", texts::FINAL),
        ];
        html! {
            footer {
                ul aria-label=(self.say(texts::LEGEND)) {
                    @if self.view.demo.is_some() {
                        @for (key, text) in [(state::SAME, texts::EQUAL_LEGEND), (state::DIFFERS, texts::DIFFERS_LEGEND)] {
                            li data-state=(key) { i.shape aria-hidden="true" {} (self.say(text)) }
                        }
                    }
                    @for (key, text) in entries { li data-state=(key) { i.shape aria-hidden="true" {} (self.say(text)) } }
                }
                p {
                    (self.say(texts::SCORES_PROVISIONAL))
                    @if let Some(frame) = self.view.demo {
                        " · " (self.view.pick(format!("种子 {}，同种子同数", frame.seed), format!("seed {}, same seed, same numbers", frame.seed)))
                    }
                }
                noscript { p { (self.say(texts::WITHOUT_SCRIPT)) " " a href="" { (self.say(texts::RELOAD)) } } }
            }
        }
    }

    /// Stands over the page, so that nothing moves when it comes. The script fills in the seconds and the time.
    fn notice(&self) -> Markup {
        let lost = self.view.pick("与服务器断开 {s} 秒，正在重连", "Disconnected for {s} s, reconnecting");
        let from = self.view.pick("数据截至 {t}。", "Numbers are from {t}. ");
        let paused = self.view.pick("已暂停，停在 {t}；告警照常更新", "Paused at {t}; alerts still come in");
        html! {
            div.notice #off hidden data-lost=(lost) data-from=(from) data-paused=(paused) {
                i.shape aria-hidden="true" {}
                div { p.t #off-t {} p.d #off-d { span #off-f {} (self.say(texts::RECONNECTING)) } }
                button.tool #retry type="button" { (self.say(texts::RETRY)) " " kbd { "R" } }
            }
            p.sr #say role="status" data-back=(self.say(texts::RECONNECTED)) {}
        }
    }

    fn keys(&self) -> Markup {
        let mut keys = vec![
            ("A", texts::KEY_A),
            ("W", texts::KEY_W),
            ("T", texts::KEY_T),
            ("Z", texts::KEY_Z),
            ("P", texts::KEY_P),
            ("R", texts::KEY_R),
            ("?", texts::KEY_HELP),
        ];
        if self.view.demo.is_some() {
            keys.push(("⇧K", texts::KEY_KILL));
        }
        html! {
            dialog #keys aria-label=(self.say(texts::KEYS)) {
                h2 { (self.say(texts::KEYS)) }
                dl { @for (key, text) in keys { dt { kbd { (key) } } dd { (self.say(text)) } } }
                label { input #single type="checkbox" checked; " " (self.say(texts::SINGLE_KEYS)) }
                form method="dialog" { button.tool { (self.say(texts::CLOSE)) } }
            }
        }
    }
}
