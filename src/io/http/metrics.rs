//! `GET /metrics`: built at each scrape from what is known then, so that nothing that is gone stays on show.
//!
//! | series | labels |
//! |---|---|
//! | `shiftpulse_{queue,agent,team,unit}_<kpi>_{ratio,seconds}` | subject, `window`; `dialect` for the service level |
//! | `shiftpulse_{…}_<column>`, `shiftpulse_{…}_<column>_seconds` | counts and sums of a window, as gauges |
//! | `shiftpulse_{queue,unit}_waiting`, `…_longest_wait_seconds`, `…_ready`, `…_on_shift` | subject |
//! | `shiftpulse_{team,unit}_agents` | subject, `state` |
//! | `shiftpulse_agent_state` (1), `shiftpulse_agent_state_seconds` | `agent`, `team`, `state` |
//! | `shiftpulse_agent_score_points` | `agent`, `card`; the newest period |
//! | `shiftpulse_queue_target_ratio`, `shiftpulse_queue_limit_seconds` | `queue`, `kpi` |
//! | `shiftpulse_alert_state` (0 ok, 1 pending, 2 firing), `shiftpulse_alert_since_timestamp_seconds` | `rule`, `queue`, `kpi`, `severity` |
//! | `shiftpulse_live_clock_age_seconds`, `shiftpulse_coverage_ratio`, `shiftpulse_source_behind_seconds`, … | the service |
//! | `shiftpulse_unaudited_cuts` | |
//!
//! A value that cannot be computed has no series: never 0, never NaN.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus::proto::MetricFamily;
use prometheus::{Encoder, TextEncoder};

use self::families::Families;
use super::Site;
use crate::engine::output::{Live, SubjectKind};
use crate::io::live::LiveView;

mod families;
mod series;

/// Where the values of the subjects come from: the live view of the engines of this instance, or the read model.
pub trait Gauges: Send + Sync {
    /// The newest values of every subject.
    fn lives(&self) -> Vec<Arc<Live>>;
}

impl Gauges for LiveView {
    fn lives(&self) -> Vec<Arc<Live>> {
        self.all()
    }
}

/// A value of the service itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceValue {
    /// Without the prefix `shiftpulse_`; a counter ends in `_total`.
    pub name: String,
    /// One sentence.
    pub help: &'static str,
    /// Labels.
    pub labels: Vec<(&'static str, String)>,
    /// Value in base units.
    pub value: f64,
}

/// `GET /metrics`.
pub(super) async fn scrape(State(site): State<Arc<Site>>) -> Response {
    let mut text = Vec::new();
    match TextEncoder::new().encode(&families(&site), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// All families, by name.
fn families(site: &Site) -> Vec<MetricFamily> {
    let documents = site.model.snapshot();
    let mut families = Families::default();
    let lives = match &site.gauges {
        Some(gauges) => gauges.lives(),
        None => {
            let kinds = [SubjectKind::Queue, SubjectKind::Team, SubjectKind::Unit, SubjectKind::Agent];
            kinds.iter().flat_map(|kind| documents.lives(*kind)).cloned().collect()
        }
    };
    let as_of = documents.live_clock().map(|clock| clock.0);
    let mut agents = 0;
    for live in lives {
        agents += usize::from(live.subject == SubjectKind::Agent);
        if live.subject != SubjectKind::Agent || agents <= site.agent_series {
            families.subject(&live, &documents, as_of);
        }
    }
    families.scores(&documents, site.agent_series);
    families.definitions(&documents);
    families.alerts(&documents);
    families.clocks(&documents, site);
    families.ledger(&documents);
    for value in site.service.iter().flat_map(|service| service.values()) {
        let labels = value.labels.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>();
        families.add(&value.name, value.help, &labels, value.value);
    }
    families.finish()
}

#[cfg(test)]
mod tests {
    use super::series::number;
    use super::*;
    use crate::engine::output::Ledger;
    use crate::engine::output::{Now, Output, Window};
    use crate::io::read_model::ReadModel;
    use crate::model::units::Fraction;
    use crate::model::units::{EventTime, LogTime};

    fn text(outputs: Vec<Output>, site: impl FnOnce(Site) -> Site) -> String {
        let model = Arc::new(ReadModel::default());
        model.put(outputs);
        let site = site(Site::new(model, Arc::new(crate::io::log::clock::ManualClock::new(20_000))));
        let mut text = Vec::new();
        TextEncoder::new().encode(&families(&site), &mut text).expect("encodes");
        String::from_utf8(text).expect("UTF-8")
    }

    fn live(subject: SubjectKind, id: &str) -> Output {
        let kpis = [
            ("answer_rate".to_owned(), Fraction::new(20, 28)),
            ("service_level".to_owned(), Fraction::new(0, 0)),
            ("handle_time_ms".to_owned(), Fraction::new(90_000, 4)),
        ];
        let counts = [("answered".to_owned(), 20), ("wait_ms".to_owned(), 1_500)].into();
        let windows = [("30m".to_owned(), Window { counts, kpis: kpis.into() })].into();
        let now = Now { waiting: Some(7), longest_since: Some(EventTime(5_000)), ..Now::default() };
        let (as_of, coverage) = (LogTime(15_000), Fraction::new(1, 2));
        Output::Live(Live { subject, id: id.into(), as_of, coverage, now, windows })
    }

    #[test]
    fn values_carry_subject_and_window_and_null_has_no_series() {
        let text = text(vec![live(SubjectKind::Queue, "bil\"ling")], |site| site);
        for line in [
            r#"shiftpulse_queue_answer_rate_ratio{queue="bil\"ling",window="30m"} 0.7142857142857143"#,
            r#"shiftpulse_queue_handle_time_seconds{queue="bil\"ling",window="30m"} 22.5"#,
            r#"shiftpulse_queue_answered{queue="bil\"ling",window="30m"} 20"#,
            r#"shiftpulse_queue_wait_seconds{queue="bil\"ling",window="30m"} 1.5"#,
            r#"shiftpulse_queue_waiting{queue="bil\"ling"} 7"#,
            r#"shiftpulse_queue_longest_wait_seconds{queue="bil\"ling"} 10"#,
            r#"shiftpulse_queue_coverage_ratio{queue="bil\"ling"} 0.5"#,
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("service_level_ratio") && !text.contains("NaN"), "{text}");
    }

    #[test]
    fn single_agents_are_bounded_and_can_be_hidden() {
        let agents = || ["a", "b", "c"].map(|id| live(SubjectKind::Agent, id)).to_vec();
        let count = |text: String| text.matches("shiftpulse_agent_answer_rate_ratio{").count();
        assert_eq!(count(text(agents(), |site| site.with_agent_series(2))), 2);
        assert_eq!(count(text(agents(), |site| site.with_agent_series(0))), 0);
    }

    #[test]
    fn a_cut_is_unaudited_until_its_own_revision_is_confirmed() {
        let cut = |revision| {
            Output::Ledger(Ledger::Cut {
                period: "2026-10".into(),
                revision,
                offset: 7,
                settle: LogTime(9),
                finals: 0,
                missing: Vec::new(),
                unlisted: Vec::new(),
                definitions: String::new(),
            })
        };
        let audited = |revision| {
            let (period, digest) = ("2026-10".into(), String::new());
            Output::Ledger(Ledger::Audited { period, revision, digest })
        };
        let unaudited = |outputs| text(outputs, |site| site).contains("shiftpulse_unaudited_cuts 1\n");
        assert!(!unaudited(vec![]) && unaudited(vec![cut(1)]) && !unaudited(vec![cut(1), audited(1)]));
        assert!(unaudited(vec![cut(1), audited(1), cut(2)]));
    }

    #[test]
    fn exact_texts_become_numbers() {
        assert_eq!(
            [number("87.65"), number("1/4"), number("1/0"), number("x")],
            [Some(87.65), Some(0.25), None, None]
        );
    }
}
