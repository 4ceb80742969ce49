//! Who is where: agent to team, role and queues, since when and until when.
//!
//! An empty roster means *observed*: whoever is seen is counted, in the team that the events name.

use super::units::{EventTime, Sym};
use serde::{Deserialize, Serialize};

/// One stay of one person: `[from, to)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stint {
    /// Who.
    pub agent: Sym,
    /// First moment.
    pub from: EventTime,
    /// Moment after the last; `i64::MAX` while it lasts.
    pub to: EventTime,
    /// Team.
    pub team: Sym,
    /// Role, as scorecards name it.
    pub role: Sym,
    /// Queues served.
    pub queues: Vec<Sym>,
}

impl Stint {
    /// Whether it covers the moment.
    pub fn covers(&self, at: EventTime) -> bool {
        self.from <= at && at < self.to
    }
}

/// All stints, found by agent. Where stints of one agent overlap, the one that is listed first holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// Sorted by agent; those of one agent as they were listed.
    stints: Vec<Stint>,
    /// Where the stints of an agent begin and end, by symbol number.
    places: Vec<(u32, u32)>,
}

impl Roster {
    /// A roster of these stints.
    pub fn new(mut stints: Vec<Stint>) -> Self {
        stints.sort_by_key(|stint| stint.agent);
        let symbols = stints.last().map_or(0, |stint| stint.agent.0 as usize + 1);
        let mut places = vec![(0, 0); symbols];
        for (index, stint) in (0_u32..).zip(&stints) {
            let place = &mut places[stint.agent.0 as usize];
            *place = (if place.1 == 0 { index } else { place.0 }, index + 1);
        }
        Self { stints, places }
    }

    /// Whether nobody is listed, so that whoever is seen is counted.
    pub fn is_observed(&self) -> bool {
        self.stints.is_empty()
    }

    /// Every stint of an agent, as listed.
    pub fn stints(&self, agent: Sym) -> &[Stint] {
        let (from, to) = self.places.get(agent.0 as usize).copied().unwrap_or((0, 0));
        &self.stints[from as usize..to as usize]
    }

    /// The stint that holds for an agent at a moment.
    pub fn stint(&self, agent: Sym, at: EventTime) -> Option<&Stint> {
        self.stints(agent).iter().find(|stint| stint.covers(at))
    }

    /// The team of an agent at a moment, if the roster lists the agent then.
    pub fn team_of(&self, agent: Sym, at: EventTime) -> Option<Sym> {
        self.stint(agent, at).map(|stint| stint.team)
    }

    /// Whether the agent counts at a moment: listed then, or the roster is observed.
    pub fn lists(&self, agent: Sym, at: EventTime) -> bool {
        self.is_observed() || self.stint(agent, at).is_some()
    }

    /// The moments around `at` in which no stint begins or ends: `[from, to)`.
    pub fn steady(&self, at: EventTime) -> (i64, i64) {
        let edges = self.stints.iter().flat_map(|stint| [stint.from.0, stint.to.0]);
        edges.fold((i64::MIN, i64::MAX), |(from, to), edge| {
            if edge <= at.0 { (from.max(edge), to) } else { (from, to.min(edge)) }
        })
    }

    /// Everybody's stint at a moment, by agent symbol.
    pub fn present(&self, at: EventTime) -> impl Iterator<Item = &Stint> {
        self.agents().filter_map(move |agent| self.stint(agent, at))
    }

    /// Everybody who is or was listed, by symbol.
    pub fn agents(&self) -> impl Iterator<Item = Sym> {
        let agents = self.stints.chunk_by(|a, b| a.agent == b.agent);
        agents.map(|stints| stints[0].agent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stint(agent: u32, from: i64, to: i64, team: u32) -> Stint {
        let queues = vec![Sym(70 + team)];
        Stint {
            agent: Sym(agent),
            from: EventTime(from),
            to: EventTime(to),
            team: Sym(team),
            role: Sym(9),
            queues,
        }
    }

    fn teams(roster: &Roster, agent: u32, at: &[i64]) -> Vec<Option<u32>> {
        at.iter().map(|at| roster.team_of(Sym(agent), EventTime(*at)).map(|team| team.0)).collect()
    }

    #[test]
    fn a_stay_holds_from_its_first_moment_to_before_its_last() {
        let roster = Roster::new(vec![stint(5, 20, i64::MAX, 2), stint(3, 10, 20, 1), stint(5, 10, 20, 1)]);
        assert_eq!(teams(&roster, 5, &[9, 10, 19, 20, 1 << 50]), [None, Some(1), Some(1), Some(2), Some(2)]);
        assert_eq!(teams(&roster, 3, &[9, 10, 19, 20]), [None, Some(1), Some(1), None]);
        assert_eq!(teams(&roster, 4, &[15]), [None]);
        assert_eq!(teams(&roster, 400, &[15]), [None]);
    }

    #[test]
    fn where_stays_overlap_the_one_listed_first_holds() {
        let roster = Roster::new(vec![stint(0, 10, 20, 2), stint(0, i64::MIN, i64::MAX, 1)]);
        assert_eq!(teams(&roster, 0, &[9, 10, 19, 20]), [Some(1), Some(2), Some(2), Some(1)]);
    }

    #[test]
    fn an_empty_roster_lists_whoever_is_seen() {
        assert!(Roster::default().lists(Sym(7), EventTime(0)));
        let roster = Roster::new(vec![stint(7, 10, 20, 1)]);
        assert!(!roster.lists(Sym(7), EventTime(20)) && !roster.lists(Sym(8), EventTime(15)));
    }

    #[test]
    fn between_two_edges_nothing_changes() {
        let roster = Roster::new(vec![stint(1, 5, 10, 2), stint(2, 7, i64::MAX, 1)]);
        let steady = |at| roster.steady(EventTime(at));
        assert_eq!(steady(4), (i64::MIN, 5));
        assert_eq!([steady(5), steady(6)], [(5, 7); 2]);
        assert_eq!([steady(9), steady(10)], [(7, 10), (10, i64::MAX)]);
        assert_eq!(Roster::default().steady(EventTime(3)), (i64::MIN, i64::MAX));
    }

    #[test]
    fn those_present_are_listed_once_each() {
        let roster =
            Roster::new(vec![stint(1, 5, 10, 2), stint(1, 0, 10, 1), stint(2, 0, 6, 1), stint(9, 6, 7, 1)]);
        let present =
            |at| -> Vec<_> { roster.present(EventTime(at)).map(|s| (s.agent.0, s.team.0)).collect() };
        assert_eq!(present(5), [(1, 2), (2, 1)]);
        assert_eq!(present(6), [(1, 2), (9, 1)]);
        assert_eq!(roster.agents().map(|sym| sym.0).collect::<Vec<_>>(), [1, 2, 9]);
    }
}
