//! Agents by state, agents by team, and the day's alert log beside them.

use maud::{Markup, html};

use super::Page;
use crate::io::http::cells::{LOG_LINES, View};
use crate::io::http::layout::{AgentRow, TeamRows};
use crate::io::http::texts::{self, agent_state};
use crate::model::event::AgentState;

impl Page<'_> {
    pub(super) fn agents_by_state(&self) -> Markup {
        html! {
            section.sheet.states {
                h2 { (self.say(texts::AGENTS_BY_STATE)) }
                ul data-digits=[digits(self.view)] {
                    @for state in AgentState::ALL {
                        li {
                            i.shape data-state=(state.text()) aria-hidden="true" {}
                            (self.place(&format!("s.{}", state.text()), "count"))
                            span { (agent_state(state, self.view.lang)) }
                        }
                    }
                }
                p {
                    (self.place("s.on", ""))
                    span.wide { " · " (self.say(texts::FIXED_ORDER)) }
                    " · " (self.view.pick("截至 ", "as of ")) (self.place("s.as", "time"))
                }
            }
        }
    }

    pub(super) fn teams(&self) -> Markup {
        let left_out = self.view.layout.left_out;
        html! {
            @for (number, team) in self.view.layout.teams.iter().enumerate() { (self.team(number, team)) }
            @if left_out > 0 {
                p.more { (self.view.pick(format!("另有 {left_out} 人，见 /api/v1/agents"), format!("{left_out} more people: /api/v1/agents"))) }
            }
        }
    }

    fn team(&self, number: usize, team: &TeamRows) -> Markup {
        let name = match team.name(self.view.lang) {
            "" => self.say(texts::NO_TEAM),
            name => name,
        };
        html! {
            section.sheet.team {
                div.top { h2 { (name) } (self.place(&format!("m{number}.on"), "n")) }
                table.agents {
                    caption.sr { (name) }
                    thead {
                        tr {
                            th.name scope="col" { (self.say(texts::AGENT)) }
                            th.state scope="col" { (self.say(texts::STATE_FOR)) }
                            th.resp scope="col" { (self.say(texts::RESPONSE)) }
                            th.score scope="col" { (self.shape(&format!("m{number}.mark"))) (self.place(&format!("m{number}.score"), "")) }
                        }
                    }
                    tbody { @for agent in &team.agents { (self.agent(agent)) } }
                }
            }
        }
    }

    fn agent(&self, agent: &AgentRow) -> Markup {
        let id = format!("a{}", agent.number);
        html! {
            tr id=(id) data-state=(self.state_of(&id)) {
                th.name scope="row" { (self.shape(&format!("{id}.i"))) span.who title=(self.view.lang.name(&agent.names, &agent.id)) { (self.view.lang.name(&agent.names, &agent.id)) } }
                td.state { (self.place(&format!("{id}.s"), "")) (self.place(&format!("{id}.d"), "time")) }
                td.resp { (self.place(&format!("{id}.r"), "")) (self.place(&format!("{id}.u"), "unit")) }
                td.score { (self.place(&format!("{id}.p"), "")) (self.place(&format!("{id}.g"), "unit")) }
            }
        }
    }

    pub(super) fn log(&self) -> Markup {
        html! {
            section.sheet.log #log tabindex="-1" {
                div.top { h2 { (self.say(texts::ALERTS_TODAY)) } (self.place("g.n", "n")) }
                p.none #g data-state=(self.state_of("g")) { span { (self.say(texts::NONE_SO_FAR)) } }
                ol {
                    @for number in 0..LOG_LINES {
                        @let id = |part: &str| format!("g{number}{part}");
                        li id=(id("")) data-state=(self.state_of(&id(""))) {
                            i.shape aria-hidden="true" {}
                            (self.place(&id(".t"), "t")) (self.place(&id(".at"), "time")) (self.place(&id(".d"), "d"))
                        }
                    }
                }
            }
        }
    }
}

/// Counts of many people need more room than two digits.
fn digits(view: &View<'_>) -> Option<&'static str> {
    let people: usize =
        view.layout.teams.iter().map(|team| team.agents.len()).sum::<usize>() + view.layout.left_out;
    match people {
        0..100 => None,
        100..1_000 => Some("3"),
        _ => Some("4"),
    }
}
