//! What was simulated: a table for people, the true months for programs.

use crate::engine::output::SubjectKind;
use crate::io::traffic::{Column, Counts, Mark, Row, Traffic};
use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Columns by subject identifier.
type Subjects = BTreeMap<String, BTreeMap<String, i64>>;

/// The file of `--truth`.
#[derive(Debug, Serialize)]
struct Document {
    seed: u64,
    /// Simulated time, ms since the epoch: the begin, and the latest delivery (agent time runs to it).
    from_ms: i64,
    as_of_ms: i64,
    counts: Counts,
    /// By month, kind of subject and identifier.
    months: BTreeMap<String, BTreeMap<&'static str, Subjects>>,
    marks: Vec<Mark>,
}

/// Writes the true months of every subject that has any number.
pub(super) fn write_truth(traffic: &Traffic, now: i64, path: &Path) -> Result<()> {
    let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
    let mut writer = BufWriter::new(file);
    serde_json::to_writer_pretty(&mut writer, &document(traffic, now)).context("write the truth")?;
    Ok(std::io::Write::flush(&mut writer)?)
}

fn document(traffic: &Traffic, now: i64) -> Document {
    let truth = traffic.truth();
    let months = truth.months();
    let marks = months.iter().flat_map(|month| truth.marks(month, truth.delivered())).cloned().collect();
    let numbers = |month: &String| {
        let mut kinds: BTreeMap<&'static str, Subjects> = BTreeMap::new();
        for (kind, id) in truth.subjects() {
            let row = truth.month(kind, id, month, now).filter(|row| !row.is_empty());
            if let Some(row) = row {
                kinds.entry(name(kind)).or_default().insert(id.to_owned(), row);
            }
        }
        (month.clone(), kinds)
    };
    Document {
        seed: traffic.plan().seed,
        from_ms: traffic.plan().from,
        as_of_ms: now,
        counts: truth.counts(truth.delivered()),
        months: months.iter().map(numbers).collect(),
        marks,
    }
}

fn name(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Queue => "queue",
        SubjectKind::Team => "team",
        SubjectKind::Unit => "unit",
        SubjectKind::Agent => "agent",
    }
}

/// The latest month of each queue and of the unit, and what was sent.
pub(super) fn summary(traffic: &Traffic, now: i64) -> String {
    let truth = traffic.truth();
    let mut table = Table::new();
    table.set_header([
        "",
        "contacts",
        "answered",
        "abandoned",
        "within",
        "mean wait",
        "mean handling",
        "solved",
    ]);
    let unit = (SubjectKind::Unit, traffic.plan().centre.unit.id.as_str());
    let queues = traffic.plan().centre.queues.iter().take(20);
    let queues = queues.map(|queue| (SubjectKind::Queue, queue.id.as_str()));
    for (kind, id) in queues.chain([unit]) {
        if let Some(row) = truth.row(kind, id, "month", now, truth.delivered()) {
            table.add_row(line(id, &row));
        }
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let sent = truth.counts(truth.delivered());
    format!(
        "{table}\n{} records: {} events, {} repeated, {} out of order ({} of them late), {} corrected, {} withdrawn, {} broken",
        sent.delivered,
        sent.events,
        sent.duplicates,
        sent.disordered,
        sent.late,
        sent.replaced,
        sent.voided,
        sent.broken
    )
}

fn line(id: &str, row: &Row) -> [String; 8] {
    let get = |columns: &[Column]| columns.iter().map(|column| row.get(*column)).sum::<i64>();
    use Column as C;
    let contacts = get(&[C::Answered, C::Abandoned, C::FlowedOut, C::Unfinished]);
    [
        id.to_owned(),
        contacts.to_string(),
        percent(row.get(C::Answered), contacts),
        percent(row.get(C::Abandoned), contacts),
        percent(row.get(C::Within), row.get(C::SlOffered)),
        seconds(row.get(C::WaitMs), row.get(C::Waits)),
        seconds(get(&[C::TalkMs, C::HoldMs, C::AfterWorkMs]), row.get(C::Handled)),
        percent(row.get(C::Resolved), row.get(C::Taken)),
    ]
}

fn percent(part: i64, whole: i64) -> String {
    match (part * 1_000).checked_div(whole) {
        Some(permille) => format!("{}.{} %", permille / 10, permille % 10),
        None => "–".to_owned(),
    }
}

fn seconds(sum_ms: i64, count: i64) -> String {
    sum_ms.checked_div(count).map_or("–".to_owned(), |ms| format!("{} s", ms / 1_000))
}
