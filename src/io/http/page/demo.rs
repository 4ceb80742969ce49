//! The demo's panels above the table: equal of all, the kill button with the last kill, the month's end.

use maud::{Markup, html};

use super::Page;
use crate::io::http::cells::TIMELINE;
use crate::io::http::demo::Frame;
use crate::io::http::texts::{self, Text};

impl Page<'_> {
    pub(super) fn demo_panels(&self, _frame: &Frame) -> Markup {
        html! { div.demo { (self.against_truth()) (self.kill()) (self.month()) } }
    }

    fn figures(&self, figures: &[(&str, Text)]) -> Markup {
        html! {
            dl.figures {
                @for (id, text) in figures { div { dt { (self.say(*text)) } dd { (self.place(id, "")) } } }
            }
        }
    }

    fn against_truth(&self) -> Markup {
        let figures = [
            ("d.q", texts::QUEUE_VALUES),
            ("d.a", texts::AGENT_VALUES),
            ("d.t", texts::TEAM_VALUES),
            ("d.m", texts::MONTH_ITEMS),
        ];
        html! {
            section.sheet {
                h2 { (self.say(texts::AGAINST_TRUTH)) }
                p.hero { (self.place("d.equal", "big")) " " (self.place("d.all", "")) }
                p.d { (self.say(texts::TRUTH_TEXT)) }
                (self.figures(&figures))
            }
        }
    }

    fn kill(&self) -> Markup {
        html! {
            section.sheet.kill {
                div.press {
                    form #kill method="post" action="/demo/kill" {
                        button.danger { i.shape data-state="differs" aria-hidden="true" {} (self.say(texts::KILL)) }
                    }
                    kbd.scripted { "⇧K" }
                    p.d { (self.say(texts::KILL_TEXT)) br; (self.place("d.kills", "")) }
                }
                div.times { (self.place("d.at", "")) (self.place("d.digest", "digest")) (self.place("d.ready", "")) }
                svg.timeline viewBox=(format!("0 0 {TIMELINE} 10")) preserveAspectRatio="none" aria-hidden="true" {
                    rect.track width=(TIMELINE) height="10" {}
                    @for part in 0..4 { path id=(format!("d.p{part}")) class=(format!("p{part}")) d=(self.text_of(&format!("d.p{part}"))) {} }
                }
                ul.phases {
                    @for part in 0..4 {
                        li { i class=(format!("p{part}")) aria-hidden="true" {} (self.place(&format!("d.l{part}"), "")) (self.place(&format!("d.s{part}"), "s")) }
                    }
                }
                ul.zeros {
                    @for (id, text) in [("d.lost", texts::LOST), ("d.twice", texts::TWICE), ("d.rep", texts::REPEATED)] {
                        li { (self.place(id, "big")) " " (self.say(text)) }
                    }
                    li.n { (self.say(texts::ALL_KILLS)) }
                }
            }
        }
    }

    fn month(&self) -> Markup {
        let figures =
            [("d.dup", texts::DUPLICATES), ("d.ooo", texts::OUT_OF_ORDER), ("d.bad", texts::BAD_RECORDS)];
        html! {
            section.sheet {
                h2 { (self.place("d.month", "")) }
                p.hero { (self.place("d.cut", "big")) " " (self.place("d.cutu", "")) }
                p.d { (self.place("d.cutt", "")) }
                (self.figures(&figures))
            }
        }
    }
}
