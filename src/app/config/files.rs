//! Reads the configuration file and the files it names, and gathers what is wrong with any of them.

use super::coherence::{self, Places};
use super::problem::{File, Problem, Problems, Refused, Severity, Spot};
use super::section::Section;
use super::{Config, Loaded, alerts, cards, centre, options, value};
use crate::engine::definitions::{CardFile, Person};
use crate::model::alert::Rule;
use miette::NamedSource;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// The alert rules that hold where `files.alerts` is left out.
const DEFAULT_ALERTS: &str = include_str!("../../../config/alerts.toml");

/// See [`super::load`].
pub fn load(path: &Path) -> Result<Loaded, Refused> {
    let problems = Problems::default();
    let config = open(path, None, &problems).and_then(|file| read_main(&file, path, &problems));
    let list = problems.into_list();
    match config {
        Some(config) if list.iter().all(|problem| problem.severity == Severity::Warning) => {
            Ok(Loaded { config, warnings: list })
        }
        _ => Err(Refused(list)),
    }
}

fn read_main(file: &File, path: &Path, problems: &Problems) -> Option<Config> {
    let base = path.parent().unwrap_or(Path::new(""));
    parsed(file, problems, |top| {
        let mut places = Places::default();
        let mut config = read_options(&top, base, &mut places);
        let named = read_files_section(&top, base);
        top.finish();
        config.people.extend(read_roster(named.roster.as_ref(), &config.unit.zone, problems, &mut places));
        config.alerts = read_alerts(named.alerts.as_ref(), problems, &mut places);
        config.cards = read_cards(&named.scorecards, problems, &mut places);
        coherence::check(&config, &places, problems);
        config
    })
}

fn read_options(top: &Section, base: &Path, places: &mut Places) -> Config {
    let config = options::read(top, base, places);
    let unit = centre::unit(top.section("unit"));
    let people = centre::people(top.sections("people"), &unit.zone, places);
    let queues = centre::queues(top.sections("queues"), places);
    let teams = centre::teams(top.sections("teams"), places);
    let sources = centre::sources(top.sections("sources"), base, places);
    places.top = Some(top.spot("log"));
    Config { unit, people, queues, teams, sources, ..config }
}

/// A file that the configuration names, and where.
struct FileName(PathBuf, Spot);

/// The files that the configuration names.
struct Named {
    roster: Option<FileName>,
    alerts: Option<FileName>,
    scorecards: Vec<FileName>,
}

fn read_files_section(top: &Section, base: &Path) -> Named {
    let section = top.section("files");
    let path = |value: &DeValue| value::filled(value).map(|path| base.join(path));
    let named = Named {
        roster: section.get("roster", path).map(|path| FileName(path, section.spot("roster"))),
        alerts: section.get("alerts", path).map(|path| FileName(path, section.spot("alerts"))),
        scorecards: section
            .or("scorecards", Vec::new(), value::list(path))
            .into_iter()
            .map(|path| FileName(path, section.spot("scorecards")))
            .collect(),
    };
    section.finish();
    named
}

fn read_roster(name: Option<&FileName>, zone: &str, problems: &Problems, places: &mut Places) -> Vec<Person> {
    let Some(file) = name.and_then(|FileName(path, spot)| open(path, Some(spot), problems)) else {
        return Vec::new();
    };
    let people = parsed(&file, problems, |top| {
        let people = centre::people(top.sections("people"), zone, places);
        top.finish();
        people
    });
    people.unwrap_or_default()
}

/// The alert rules that ship with the product.
pub fn default_alerts() -> Vec<Rule> {
    read_alerts(None, &Problems::default(), &mut Places::default())
}

fn read_alerts(name: Option<&FileName>, problems: &Problems, places: &mut Places) -> Vec<Rule> {
    let file = match name {
        Some(FileName(path, spot)) => open(path, Some(spot), problems),
        None => Some(named("the built-in alert rules", DEFAULT_ALERTS)),
    };
    let rules = file.and_then(|file| {
        parsed(&file, problems, |top| {
            let rules = alerts::rules(top.sections("alert"), places);
            top.finish();
            rules
        })
    });
    rules.unwrap_or_default()
}

fn read_cards(names: &[FileName], problems: &Problems, places: &mut Places) -> Vec<CardFile> {
    let file = |FileName(path, spot): &FileName| open(path, Some(spot), problems);
    let read = names.iter().filter_map(file).filter_map(|file| cards::read(&file, problems));
    let (files, spots) = read.unzip::<_, _, Vec<_>, Vec<_>>();
    places.cards = spots;
    files
}

fn named(name: &str, text: &str) -> File {
    Arc::new(NamedSource::new(name, text.to_owned()).with_language("toml"))
}

/// Reads a file; `at` is where it is named.
fn open(path: &Path, at: Option<&Spot>, problems: &Problems) -> Option<File> {
    let name = path.display().to_string();
    match std::fs::read(path).map_err(|e| e.to_string()).and_then(|bytes| decode(&bytes)) {
        Ok(text) => Some(named(&name, &text)),
        Err(reason) => {
            let itself = || Spot { file: named(&name, ""), span: 0..0, key: name.clone() };
            let rule = format!("cannot be read: {reason}");
            problems.add(Problem::new(Severity::Error, at.cloned().unwrap_or_else(itself), rule));
            None
        }
    }
}

/// Editors of some systems put a byte order mark first.
fn decode(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("not UTF-8 at byte {}", e.valid_up_to()))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())
}

/// Parses the file as far as that goes and reads from it, so that one slip does not hide the other problems.
fn parsed<T>(file: &File, problems: &Problems, read: impl FnOnce(Section) -> T) -> Option<T> {
    let (table, errors) = DeTable::parse_recoverable(file.inner());
    errors.iter().for_each(|error| problems.add(syntax(file, error)));
    errors.is_empty().then(|| read(Section::top(file, problems, &table)))
}

fn syntax(file: &File, error: &toml::de::Error) -> Problem {
    let spot = Spot { file: file.clone(), span: error.span().unwrap_or(0..0), key: String::new() };
    Problem::new(Severity::Error, spot, format!("not TOML: {}", error.message()))
}
