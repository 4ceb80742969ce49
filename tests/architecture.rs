//! The structure as `ARCHITECTURE.md` tells it, read from the `use` lines of the code: floors, order, absences, names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Floors from below; each may use the ones before it.
const FLOORS: [&str; 5] = ["model", "engine", "wire", "io", "app"];

/// The rooms of `model` in reading order; each may use those of the lines before it, and its own line only itself.
const MODEL: [&[&str]; 11] = [
    &["units", "text"],
    &["calendar"],
    &["event"],
    &["fact"],
    &["roster"],
    &["contact"],
    &["timeline", "measure"],
    &["window"],
    &["kpi"],
    &["scorecard"],
    &["period", "alert"],
];

/// What the recount may share with the engine: words, never arithmetic.
const SHARED_WITH_RECOUNT: [&str; 11] = [
    "model::units",
    "model::text",
    "model::calendar",
    "model::event",
    "model::fact",
    "model::roster",
    "model::alert",
    "model::scorecard",
    "engine::record",
    "engine::definitions",
    "engine::output",
];

/// What the pure floors do without, and how it would be spelled.
const IMPURE: [&str; 12] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::sync::mpsc",
    "tokio",
    "rand",
    "rdkafka",
    "async fn",
];

/// One file and what it uses of this crate, as paths without `crate::`.
struct Source {
    /// Path of the module: `model::contact::walk`.
    module: String,
    /// Without comments, texts and tests.
    code: String,
    uses: BTreeSet<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).into()
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    collect(&root().join("src"), &mut files);
    assert!(files.len() > 100, "only {} files", files.len());
    files.iter().map(|file| read(file)).collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a folder of the code").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") && !is_test(&path) {
            files.push(path);
        }
    }
}

/// Tests may use any floor.
fn is_test(path: &Path) -> bool {
    let inside = path.strip_prefix(root()).unwrap_or(path).with_extension("");
    inside.iter().any(|part| part == "tests")
}

fn read(file: &Path) -> Source {
    let path = file.strip_prefix(root().join("src")).expect("a file of src").with_extension("");
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let module = parts.join("::");
    let text = std::fs::read_to_string(file).expect("a file of the code");
    let code = product_code(&text);
    let uses = used(&code, &module);
    Source { module, code, uses }
}

/// What stands before the tests, without comments, which may speak of any floor.
fn product_code(text: &str) -> String {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = product.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Every path of this crate in the code, `use` groups unfolded, `super` resolved.
fn used(code: &str, module: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let here: Vec<&str> = module.split("::").collect();
    for (start, _) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        if code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
            continue;
        }
        let mut rest = &code[start..];
        let mut base = here.clone();
        if let Some(inner) = rest.strip_prefix("crate::") {
            (base, rest) = (Vec::new(), inner);
        }
        while let Some(inner) = rest.strip_prefix("super::") {
            base.pop();
            rest = inner;
        }
        unfold(&base.join("::"), rest, &mut found);
    }
    found
}

fn unfold(base: &str, rest: &str, found: &mut BTreeSet<String>) {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
    let (path, after) = rest.split_at(end);
    let full = [base, path.trim_end_matches(':')]
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>();
    let full = full.join("::");
    match after.strip_prefix('{') {
        Some(group) if path.is_empty() || path.ends_with(':') => {
            members(group).into_iter().for_each(|member| unfold(&full, member, found));
        }
        _ => drop(found.insert(full)),
    }
}

/// The members of a `use` group, up to its closing brace.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut all) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' if depth == 0 => {
                all.push(group[start..at].trim());
                start = at + 1;
            }
            '}' if depth == 0 => {
                all.push(group[start..at].trim());
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    all.retain(|member| !member.is_empty());
    all
}

fn first(path: &str) -> &str {
    path.split("::").next().unwrap_or_default()
}

fn room(path: &str) -> Option<&str> {
    path.split("::").nth(1)
}

#[test]
fn no_floor_uses_one_above_it() {
    let height = |name: &str| FLOORS.iter().position(|floor| *floor == name);
    for source in sources() {
        let Some(own) = height(first(&source.module)) else { continue };
        for used in &source.uses {
            let other = height(first(used));
            assert!(other.is_none_or(|other| other <= own), "{} uses {used}", source.module);
            assert!(first(used) != "recount" || own == 4, "{} uses {used}: only app may", source.module);
        }
    }
}

#[test]
fn the_rooms_of_the_model_stand_in_reading_order() {
    let line = |name: &str| MODEL.iter().position(|line| line.contains(&name));
    for source in sources().iter().filter(|source| first(&source.module) == "model") {
        let Some(own) = room(&source.module) else { continue };
        let own_line = line(own).unwrap_or_else(|| panic!("{own} has no place in the order of the model"));
        for used in source.uses.iter().filter(|used| first(used) == "model") {
            let Some(other) = room(used).filter(|other| *other != own && line(other).is_some()) else {
                continue;
            };
            assert!(line(other) < Some(own_line) || own_line == 0, "{} uses {used}", source.module);
        }
    }
}

#[test]
fn the_recount_shares_words_and_no_arithmetic() {
    let allowed = |used: &str| {
        first(used) == "recount"
            || SHARED_WITH_RECOUNT.iter().any(|room| used == *room || used.starts_with(&format!("{room}::")))
    };
    let recount: Vec<_> = sources().into_iter().filter(|source| first(&source.module) == "recount").collect();
    assert!(recount.len() > 5, "the recount was found");
    for source in recount {
        for used in &source.uses {
            assert!(allowed(used), "{} uses {used}", source.module);
        }
    }
}

#[test]
fn the_pure_floors_wait_for_nothing_and_ask_nobody() {
    for source in sources()
        .iter()
        .filter(|source| ["model", "engine", "wire", "recount"].contains(&first(&source.module)))
    {
        for word in IMPURE {
            let found = source.code.match_indices(word).any(|(at, _)| {
                let after = source.code[at + word.len()..].chars().next();
                let before = source.code[..at].chars().next_back();
                let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                !part(before)
                    && !part(after)
                    && (word.contains(' ') || word.contains("::") || after == Some(':'))
            });
            assert!(!found, "{} has {word}", source.module);
        }
        let json = source.code.contains("serde_json") && first(&source.module) == "model";
        assert!(!json, "{}: the model does not know JSON", source.module);
    }
}

#[test]
fn only_main_ends_the_process() {
    for source in sources().iter().filter(|source| source.module != "main") {
        assert!(!source.code.contains("process::exit("), "{}", source.module);
    }
}

/// Rooms (`model/units`, `io/log`) of the code map and of the code.
#[test]
fn the_page_names_every_room_and_no_other() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let quoted: BTreeSet<String> = page.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let mut rooms: BTreeMap<String, bool> = BTreeMap::new();
    for source in sources() {
        let mut parts = source.module.split("::");
        if let (Some(floor), Some(room)) = (parts.next(), parts.next())
            && FLOORS.contains(&floor)
        {
            let name = format!("{floor}::{room}");
            let named = quoted.contains(&name);
            rooms.insert(name, named);
        }
    }
    let forgotten: Vec<_> = rooms.iter().filter(|(_, named)| !**named).map(|(name, _)| name).collect();
    assert!(forgotten.is_empty(), "ARCHITECTURE.md does not name {forgotten:?}");
    let floors = |name: &&String| FLOORS.contains(&first(name)) && name.split("::").count() == 2;
    let gone: Vec<_> = quoted.iter().filter(floors).filter(|name| !rooms.contains_key(*name)).collect();
    assert!(gone.is_empty(), "ARCHITECTURE.md names {gone:?}, which are not in the code");
}

#[test]
fn the_reader_of_use_lines_reads_them() {
    let code = "use super::{clock::Clocks, output::{self, Live}};\nuse crate::model::units::LogTime;\nfn f() { crate::wire::record(1) }";
    let found = used(code, "engine::state");
    let expected = [
        "engine::clock::Clocks",
        "engine::output::Live",
        "engine::output::self",
        "model::units::LogTime",
        "wire::record",
    ];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(
        used("use super::super::super::io::log::Log;", "app::run::domain"),
        BTreeSet::from(["io::log::Log".to_owned()])
    );
}
