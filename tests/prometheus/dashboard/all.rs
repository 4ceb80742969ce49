//! The Grafana boards: one description, two languages. `tests/dashboards.rs` compares it with the committed files.
//!
//! ```text
//!  shift::board(Lang) ──▶ rows of panels ──▶ JSON ──▶ deploy/grafana/dashboards/shift-{zh,en}.json
//!                                             └── queries: every expression, to be asked of a real Prometheus
//! ```
#![allow(dead_code, reason = "each test target uses a part")]

pub mod panel;
pub mod queries;
pub mod shift;

/// A language of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Both.
    pub const ALL: [Lang; 2] = [Lang::Zh, Lang::En];

    /// As in file names.
    pub fn code(self) -> &'static str {
        self.pick("zh", "en")
    }

    /// One of two texts.
    pub fn pick(self, zh: &'static str, en: &'static str) -> &'static str {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// Where its board stands in the repository.
    pub fn file(self) -> String {
        format!("deploy/grafana/dashboards/shift-{}.json", self.code())
    }
}
