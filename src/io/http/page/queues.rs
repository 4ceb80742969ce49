//! The queue table.

use maud::{Markup, html};

use super::{Page, WINDOWS};
use crate::engine::definitions::Queue;
use crate::io::http::cells::{SPARK_HEIGHT, SPARK_LABEL_X, SPARK_WIDTH, Scale, state};
use crate::io::http::format;
use crate::io::http::texts;
use crate::model::units::{Fraction, SECOND};

impl Page<'_> {
    pub(super) fn queues(&self) -> Markup {
        let title = if self.view.demo.is_some() { texts::TRUTH_HEAD } else { texts::QUEUES_NOW };
        html! {
            section.sheet #queues tabindex="-1" {
                div.top {
                    h2 { (self.say(title)) }
                    p { (self.subtitle()) }
                    (self.windows())
                }
                @if self.view.layout.queues.is_empty() { (self.nothing_yet()) } @else { (self.table()) }
            }
        }
    }

    /// Unit and window; in the demo what a difference would look like.
    fn subtitle(&self) -> String {
        if self.view.demo.is_some() {
            return self.say(texts::TRUTH_NOTE).to_owned();
        }
        let unit = &self.view.documents.definitions.unit;
        let name = self.view.lang.name(&unit.names, &unit.id);
        let window = texts::window_long(self.view.window, self.view.lang);
        if name.is_empty() { window.to_owned() } else { format!("{name} · {window}") }
    }

    fn windows(&self) -> Markup {
        html! {
            nav.seg #windows aria-label=(self.say(texts::WINDOW)) {
                @for window in WINDOWS {
                    a href=(format!("/?window={window}")) aria-current=[(window == self.view.window).then_some("true")] {
                        (texts::window_short(window, self.view.lang))
                    }
                }
            }
        }
    }

    fn nothing_yet(&self) -> Markup {
        html! {
            div.nothing {
                p.t { (self.view.pick("还没有任何联络", "No contact yet")) }
                p.d { (self.view.pick("来源已连上，等第一条事件", "Sources are connected; waiting for the first event")) }
            }
        }
    }

    fn table(&self) -> Markup {
        html! {
            table.queues role="table" {
                caption.sr { (self.say(texts::QUEUES_NOW)) ", " (self.say(texts::AS_OF)) " " (self.view.as_of_text()) }
                (self.heads())
                tbody role="rowgroup" {
                    @for (number, queue) in self.view.layout.queues.iter().enumerate() { (self.row(number, queue)) }
                    (self.total())
                }
            }
        }
    }

    fn heads(&self) -> Markup {
        let scale = Scale::of(&self.view.layout.queues).foot_percent();
        let window = texts::window_long(self.view.window, self.view.lang);
        let spark = self.view.pick(
            format!("服务水平，近 2 小时，纵轴 {scale}–100% · 虚线为目标"),
            format!("Service level, last 2 h, {scale}–100% · dashes = target"),
        );
        let last = if self.view.demo.is_some() { texts::AGAINST_TRUTH } else { texts::AS_OF };
        html! {
            thead role="rowgroup" {
                tr role="row" {
                    th.name scope="col" role="columnheader" { span.wide { (self.say(texts::QUEUE_DIALECT)) } span.narrow { (self.say(texts::OTHER_QUEUES)) } }
                    th.w scope="col" role="columnheader" { span.wide { (self.say(texts::WAITING)) } span.narrow { (self.say(texts::WAIT_SHORT)) } }
                    th.l scope="col" role="columnheader" { (self.say(texts::LONGEST)) br; (self.say(texts::MIN_SEC)) }
                    th.sl scope="col" role="columnheader" { span.wide { (self.say(texts::SERVICE_LEVEL)) br; (window) } span.narrow { (self.say(texts::SERVICE_LEVEL_SHORT)) } }
                    th.ar scope="col" role="columnheader" { span.wide { (self.say(texts::ANSWER_RATE)) } span.narrow { (self.say(texts::ANSWER_SHORT)) } }
                    th.ab scope="col" role="columnheader" { (self.say(texts::ABANDONED)) }
                    th.spark scope="col" role="columnheader" { (spark) }
                    th.r scope="col" role="columnheader" { (self.say(texts::READY_SLASH)) br; (self.say(texts::ON_SHIFT_SLASH)) }
                    th.as scope="col" role="columnheader" { (self.say(last)) }
                }
            }
        }
    }

    fn row(&self, number: usize, queue: &Queue) -> Markup {
        let id = |part: &str| format!("q{number}.{part}");
        let state = self.state_of(&format!("q{number}"));
        // On a phone, queues that need attention stand first and larger: decided when the page is made, not live.
        let card = matches!(state.as_str(), state::FIRING | state::OUTSIDE | state::NEAR).then_some("");
        let demo = self.view.demo.is_some();
        html! {
            tr role="row" id=(format!("q{number}")) data-state=(state) data-card=[card] {
                th.name scope="row" role="rowheader" {
                    i.shape aria-hidden="true" {}
                    span.who { (self.view.lang.name(&queue.names, &queue.id)) }
                    span.n.dialect { (self.dialect(queue)) }
                }
                td.w role="cell" data-l=(self.say(texts::WAITING)) { (self.value(&id("w"), "")) @if demo { (self.place(&id("wn"), "n")) } }
                td.l role="cell" data-l=(self.say(texts::LONGEST_SHORT)) { (self.value(&id("l"), "")) (self.place(&id("ln"), "n full")) (self.place(&id("lnb"), "n brief")) }
                td.sl role="cell" data-l=(self.say(texts::SERVICE_LEVEL)) {
                    (self.value(&id("sl"), "%"))
                    (self.place(&id("sln"), "n full")) (self.place(&id("slb"), "n brief"))
                }
                td.ar role="cell" data-l=(self.say(texts::ANSWER_RATE)) {
                    (self.value(&id("ar"), "%")) (self.place(&id("arn"), "n")) (self.place(&id("ab2"), "n ab2"))
                }
                td.ab role="cell" { (self.value(&id("ab"), "%")) (self.place(&id("abn"), "n")) }
                td.spark role="cell" { (self.spark(number, queue)) }
                td.r role="cell" { (self.place(&id("r"), "ready")) (self.place(&id("on"), "of")) }
                td.as role="cell" { (self.place(&id("as"), "time")) (self.place(&id("p"), "part")) }
            }
        }
    }

    /// `语音 · cisco_negative ≤20 秒`.
    fn dialect(&self, queue: &Queue) -> Markup {
        if queue.dialect.is_empty() {
            return html! {};
        }
        let within = queue.within_ms / SECOND;
        let within = self.view.pick(format!("{within} 秒"), format!("{within} s"));
        let channel = texts::channel(&queue.channel, self.view.lang);
        html! { span.wide { (channel) " · " } (queue.dialect) " ≤" (within) }
    }

    fn spark(&self, number: usize, queue: &Queue) -> Markup {
        let id = |part: &str| format!("q{number}.{part}");
        let target = queue.service_level_target;
        let scale = Scale::of(&self.view.layout.queues);
        let y = format!("{:.1}", scale.y(f64::from(target) / 1000.0));
        let name =
            format!("{}: {}", self.view.lang.name(&queue.names, &queue.id), self.say(texts::SPARK_ALT));
        let label = format::edge_text(Fraction::new(i64::from(target), 1000));
        html! {
            svg role="img" aria-label=(name) viewBox=(format!("0 0 {} {SPARK_HEIGHT}", SPARK_LABEL_X + 22)) {
                @if target > 0 {
                    path.target d=(format!("M0 {y}H{SPARK_WIDTH}")) {}
                    text x=(SPARK_LABEL_X) y=(y) dy="4" { (label) }
                }
                @for part in ["fill", "line", "low", "end"] {
                    path id=(id(part)) class=(part) data-state=(self.state_of(&id(part))) d=(self.text_of(&id(part))) {}
                }
            }
        }
    }

    fn total(&self) -> Markup {
        html! {
            tr.total role="row" {
                th.name scope="row" role="rowheader" { span.who { (self.say(texts::ALL_QUEUES)) } }
                td.w role="cell" { (self.value("t.w", "")) }
                td.l role="cell" { (self.value("t.l", "")) (self.place("t.ln", "n")) }
                td.sl role="cell" { (self.value("t.sl", "%")) (self.place("t.sln", "n full")) (self.place("t.slb", "n brief")) }
                td.ar role="cell" { (self.value("t.ar", "%")) (self.place("t.arn", "n")) }
                td.ab role="cell" { (self.value("t.ab", "%")) (self.place("t.abn", "n")) }
                td.spark role="cell" {}
                td.r role="cell" { (self.place("t.r", "ready")) (self.place("t.on", "of")) }
                td.as role="cell" {}
            }
        }
    }
}
