//! Agents: counts by state, then each by team, in roster order, never ranked.

use super::{Cell, Cells, Pace, View, state};
use crate::engine::output::{Live, Score, SubjectKind};
use crate::io::http::format;
use crate::io::http::layout::{AgentRow, TeamRows};
use crate::io::http::texts::{self, Lang, agent_state};
use crate::model::event::AgentState;
use crate::model::units::MINUTE;

/// The reading of response time that the board shows.
const RESPONSE: &str = "response_time_each_ms";
/// States that somebody should look at when they last longer: they colour, they never page.
const LONG: [(AgentState, i64); 3] =
    [(AgentState::Paused, 10 * MINUTE), (AgentState::WrapUp, 5 * MINUTE), (AgentState::Talking, 25 * MINUTE)];

pub(super) fn write(view: &View<'_>, cells: &mut Cells) {
    by_state(view, cells);
    for (number, team) in view.layout.teams.iter().enumerate() {
        let on = on_shift(view, team);
        let text = view.pick(format!("{on} 人在班"), format!("{on} on shift"));
        cells.put(format!("m{number}.on"), Cell::text(text).pace(Pace::FiveSeconds));
        for agent in &team.agents {
            let live = view.documents.live(SubjectKind::Agent, &agent.id).map(AsRef::as_ref);
            write_agent(view, cells, agent, live);
        }
    }
}

fn by_state(view: &View<'_>, cells: &mut Cells) {
    for state in AgentState::ALL {
        let n = count(view, state);
        cells.put(format!("s.{}", state.text()), Cell::text(format::count(n)).pace(Pace::FiveSeconds));
    }
    let unit = view.documents.lives(SubjectKind::Unit).next();
    let on = unit.and_then(|unit| unit.now.on_shift).unwrap_or_else(|| {
        let on = AgentState::ALL.into_iter().filter(|state| *state != AgentState::LoggedOut);
        on.map(|state| count(view, state)).sum()
    });
    let text = view.pick(format!("在班 {}", format::count(on)), format!("{} on shift", format::count(on)));
    cells.put("s.on", Cell::text(text).pace(Pace::FiveSeconds));
    let (head, mark) = match view.demo.and_then(|_| view.documents.newest_cut()) {
        Some((period, _)) => {
            let month = format::month(period, view.lang);
            (view.pick(format!("{month}定稿"), "Final"), "final")
        }
        None => (view.lang.say(texts::SCORE).to_owned(), "provisional"),
    };
    for number in 0..view.layout.teams.len() {
        cells.put(format!("m{number}.score"), Cell::text(head.clone()).pace(Pace::FiveSeconds));
        cells.put(format!("m{number}.mark"), Cell::mark(mark).pace(Pace::FiveSeconds));
    }
    cells.put("s.as", Cell::text(view.as_of_text()).pace(Pace::FiveSeconds));
}

/// From the unit's values; without them, from the agents'.
fn count(view: &View<'_>, state: AgentState) -> i64 {
    let mut units =
        view.documents.lives(SubjectKind::Unit).filter(|unit| !unit.now.states.is_empty()).peekable();
    if units.peek().is_some() {
        return units.filter_map(|unit| unit.now.states.get(state.text())).sum();
    }
    let agents = view.documents.lives(SubjectKind::Agent);
    agents.filter(|agent| agent.now.state.as_deref() == Some(state.text())).count() as i64
}

fn on_shift(view: &View<'_>, team: &TeamRows) -> i64 {
    let live = view.documents.live(SubjectKind::Team, &team.id);
    live.and_then(|live| live.now.on_shift).unwrap_or_else(|| {
        let lives = team.agents.iter().filter_map(|agent| view.documents.live(SubjectKind::Agent, &agent.id));
        lives.filter(|live| known_state(live).is_some_and(|state| state != AgentState::LoggedOut)).count()
            as i64
    })
}

fn known_state(live: &Live) -> Option<AgentState> {
    AgentState::of(live.now.state.as_deref()?)
}

fn write_agent(view: &View<'_>, cells: &mut Cells, agent: &AgentRow, live: Option<&Live>) {
    let id = format!("a{}", agent.number);
    let mut put = |part: &str, cell: Cell| cells.put(format!("{id}{part}"), cell);
    let known = live.and_then(|live| Some((known_state(live)?, live.now.since.map(|since| since.0))));
    put("", Cell::mark(row_state(view, known)).pace(Pace::FiveSeconds));
    match known {
        Some((state, since)) => {
            put(".i", Cell::mark(state.text()).pace(Pace::FiveSeconds));
            put(".s", Cell::text(agent_state(state, view.lang)).pace(Pace::FiveSeconds));
            let running = since.filter(|_| state != AgentState::LoggedOut);
            let duration =
                running.map_or_else(|| Cell::mark(state::EMPTY), |since| Cell::running(since, view.as_of()));
            put(".d", duration.pace(Pace::FiveSeconds));
        }
        None => {
            put(".i", Cell::mark("unknown").pace(Pace::FiveSeconds));
            put(".s", Cell::text(view.lang.say(texts::NOT_REPORTED)).pace(Pace::FiveSeconds));
            put(".d", Cell::mark(state::EMPTY).pace(Pace::FiveSeconds));
        }
    }
    let response = live.and_then(|live| live.windows.get(view.window)?.kpis.get(RESPONSE)).copied();
    let (text, unit) = match response.and_then(|response| format::mean(response, view.lang)) {
        Some((text, unit)) => (Cell::text(text), Cell::text(unit)),
        None => (Cell::mark(state::NULL), Cell::text(view.lang.say(texts::NO_REPLIES))),
    };
    put(".r", text.pace(Pace::FiveSeconds));
    put(".u", unit.pace(Pace::FiveSeconds));
    let (points, grade) = score(view, shown_score(view, &agent.id));
    put(".p", points.pace(Pace::Minute));
    put(".g", grade.pace(Pace::Minute));
}

fn row_state(view: &View<'_>, known: Option<(AgentState, Option<i64>)>) -> &'static str {
    let Some((current, since)) = known else { return state::NULL };
    let lasted = since.map_or(0, |since| view.as_of() - since);
    if view.is_stale() {
        state::STALE
    } else if LONG.iter().any(|(long, limit)| *long == current && lasted > *limit) {
        state::NEAR
    } else {
        state::NORMAL
    }
}

/// The month's score so far. The demo ends with a cut: from then on it shows the finals that came of it.
fn shown_score<'a>(view: &View<'a>, agent: &str) -> Option<&'a Score> {
    match view.demo.and_then(|_| view.documents.newest_cut()) {
        Some(cut) => view.documents.final_score(agent, cut),
        None => view.documents.newest_score(agent).map(AsRef::as_ref),
    }
}

/// Points with one decimal and the grade; without a total, what it waits for.
fn score(view: &View<'_>, score: Option<&Score>) -> (Cell, Cell) {
    let total = score.and_then(|score| Some((score, format::points(score.total.as_deref()?)?)));
    let Some((score, points)) = total else {
        let waits =
            |state: &str| score.is_some_and(|score| score.items.iter().any(|item| item.state == state));
        let reason = match score {
            None => texts::NO_SCORE,
            Some(_) if waits("open") => texts::UNDECIDED,
            Some(_) if waits("pending") => texts::DUE,
            Some(_) => texts::NO_SCORE,
        };
        return (Cell::dash(), Cell::text(view.lang.say(reason)));
    };
    let state = if score.provisional { state::NORMAL } else { "final" };
    (Cell::text(points).state(state), Cell::text(grade(view, score)))
}

/// The grade in the reader's language, as far as the card has it.
fn grade(view: &View<'_>, score: &Score) -> String {
    let english = score.grade_en.clone().filter(|_| view.lang == Lang::En);
    english.or_else(|| score.grade.clone()).unwrap_or_default()
}
