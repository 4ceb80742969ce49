//! `shiftpulse scorecard`: does a scheme's file say what it should? Tests its examples, shows their arithmetic.

use super::check::style;
use super::config::Style;
use crate::model::scorecard::{Card, Problems, Scored, ScoredItem, Why, exact_text, points_text};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Scorecards: test their files, show their arithmetic.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read files and compute their [[example]] blocks; every problem at once
    Test {
        /// Scorecard files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Show how the points of a file's [[example]] blocks arise
    Explain {
        /// Scorecard file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only this example, counted from 1
        #[arg(long, value_name = "N")]
        example: Option<usize>,
        /// Language of names and arithmetic
        #[arg(long, value_name = "LANGUAGE", value_enum, default_value_t = Language::En)]
        language: Language,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    Zh,
    En,
}

impl Language {
    fn of(self, why: &Why) -> &str {
        match self {
            Self::Zh => &why.zh,
            Self::En => &why.en,
        }
    }
}

/// Does it. Exits with 0 when nothing is wrong, with 1 when a file is refused or an example does not come out.
///
/// # Errors
/// A file cannot be read; there is no such example.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Test { files } => test(&files),
        Command::Explain { file, example, language } => explain(&file, example, language),
    }
}

fn test(files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for file in files {
        match Card::check(&file.display().to_string(), &read(file)?) {
            Ok(card) => println!("{}: good, {}", file.display(), summary(&card)),
            Err(problems) => {
                println!("{}", page(&problems));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn read(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| anyhow::anyhow!("{} cannot be read: {e}", file.display()))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_string())
}

fn summary(card: &Card) -> String {
    let open = card.open();
    let undecided =
        if open.is_empty() { String::new() } else { format!("; not decided: {}", open.join(", ")) };
    let (items, examples) = (card.items().iter().count(), card.examples().len());
    format!(
        "{} version {}, {items} items, {examples} examples{undecided}",
        card.head().id(),
        card.head().version()
    )
}

/// Problems with coloured excerpts where somebody looks, plainly elsewhere.
fn page(problems: &Problems) -> String {
    let mut page = String::new();
    let mut draw = |problem| miette::GraphicalReportHandler::new().render_report(&mut page, &problem);
    match style() {
        Style::Coloured if problems.located().all(|problem| draw(problem).is_ok()) => page,
        Style::Coloured | Style::Plain => problems.to_string(),
    }
}

fn explain(file: &Path, only: Option<usize>, language: Language) -> anyhow::Result<ExitCode> {
    let card = match Card::parse(&file.display().to_string(), &read(file)?) {
        Ok(card) => card,
        Err(problems) => {
            println!("{}", page(&problems));
            return Ok(ExitCode::FAILURE);
        }
    };
    let all = card.examples().len();
    if let Some(n) = only
        && !(1..=all).contains(&n)
    {
        anyhow::bail!("{} has {all} examples; there is no example {n}", file.display());
    }
    let wanted = |n: &usize| only.is_none_or(|only| only == *n);
    for (n, scored) in (1..).zip(card.worked()).filter(|(n, _)| wanted(n)) {
        println!("{}", sheet(n, &scored, language));
    }
    Ok(ExitCode::SUCCESS)
}

/// One example as a person reads it.
fn sheet(n: usize, scored: &Scored, language: Language) -> String {
    let zh = language == Language::Zh;
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(if zh {
        ["项目", "权重", "数值", "得分", "计算"]
    } else {
        ["item", "share", "value", "points", "arithmetic"]
    });
    for item in &scored.items {
        table.add_row(row(item, language));
    }
    let mut text = format!("{} {n}\n{table}\n", if zh { "示例" } else { "example" });
    let total = scored.total_shown.clone().unwrap_or_else(|| "-".into());
    let _ = writeln!(text, "{} {total}  {}", if zh { "总分" } else { "total" }, language.of(&scored.why));
    if scored.total.is_none() {
        let (known, full) = (points_text(&scored.known), exact_text(&scored.known_full));
        let _ = match language {
            Language::Zh => writeln!(text, "已确定 {known}（满分 {full}）"),
            Language::En => writeln!(text, "known {known} of {full}"),
        };
    }
    text
}

fn row(item: &ScoredItem, language: Language) -> Vec<String> {
    let name = if language == Language::Zh { &item.zh } else { &item.en };
    let dash = || "-".to_string();
    let share = item.share.as_ref().map_or_else(dash, |share| format!("{}%", exact_text(share)));
    let points = item.points_shown().unwrap_or_else(dash);
    let value = item.value.clone().unwrap_or_else(dash);
    vec![name.clone(), share, value, points, language.of(&item.why).to_string()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "id = \"c\"\nperiod = \"month\"\n[items]\n\
        a = { weight = 60, kpi = \"answer_rate\", ramp = { \"70%\" = 0, \"95%\" = 100 }, zh = \"接起率\", en = \"Answer rate\" }\n\
        b = { weight = 40, rating = \"quality\", zh = \"服务质量\", en = \"Quality\" }\n\
        [[example]]\ncut = true\ngiven = { kpis = { answer_rate = \"54/60\" } }\nexpect = { total = \"pending\", known = 48 }\n";

    #[test]
    fn a_sheet_shows_what_is_known_and_what_is_due() {
        let card = Card::check("c.toml", CARD).unwrap();
        let scored = card.worked().next().unwrap();
        let english = sheet(1, &scored, Language::En);
        for part in [
            "Answer rate",
            "54/60",
            "80.0000",
            "on the line 80 points",
            "due: quality",
            "known 48.0000 of 60",
        ] {
            assert!(english.contains(part), "{part} in {english}");
        }
        let chinese = sheet(1, &scored, Language::Zh);
        for part in ["接起率", "按直线计 80 分", "待录入", "已确定 48.0000（满分 60）"] {
            assert!(chinese.contains(part), "{part} in {chinese}");
        }
    }

    #[test]
    fn a_file_is_tested_and_a_wrong_one_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let good = file("good.toml", &format!("\u{feff}{CARD}"));
        let bad = file("bad.toml", &CARD.replace("known = 48", "known = 47"));
        assert_eq!(test(std::slice::from_ref(&good)).unwrap(), ExitCode::SUCCESS);
        assert_eq!(test(&[good.clone(), bad]).unwrap(), ExitCode::FAILURE);
        assert!(test(&[directory.path().join("none.toml")]).is_err());
        assert!(explain(&good, Some(2), Language::En).is_err());
    }
}
