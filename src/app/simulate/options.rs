//! The options of `simulate`, and the plan that they make.

use crate::io::traffic::{Centre, Incident, Keep, Mischief, Plan, centre};
use crate::model::units::{HOUR, MINUTE};
use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;

/// Writes the traffic of a simulated contact centre, from a seed, to a Kafka topic, a file or standard output.
#[derive(Debug, Clone, clap::Args)]
#[command(group = clap::ArgGroup::new("into").required(true).args(["file", "topic"]))]
pub struct Args {
    /// Where to write one JSON record a line; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Kafka topic to write to.
    #[arg(long, requires = "brokers")]
    pub topic: Option<String>,
    /// Kafka brokers, `host:port` with commas.
    #[arg(long)]
    pub brokers: Option<String>,
    /// Option of librdkafka, such as `security.protocol=SASL_SSL`; may be repeated.
    #[arg(long = "kafka", value_name = "KEY=VALUE")]
    pub kafka: Vec<String>,
    /// Partitions to spread the records over, not keyed by contact; for a topic, at most as many as it has.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub partitions: i32,

    /// Seed: the same options give the same records.
    #[arg(long, default_value_t = 7041)]
    pub seed: u64,
    /// Size of an evenly loaded centre; without it the centre of the demo, 24 people in shifts.
    #[arg(long)]
    pub agents: Option<usize>,
    /// Queues of a centre with `--agents`.
    #[arg(long, default_value_t = 20, requires = "agents")]
    pub queues: usize,
    /// Begin of the simulated time, RFC 3339; default: 08:00 on the first of last month, or now with `--live`.
    #[arg(long)]
    pub from: Option<String>,
    /// End of the simulated time, RFC 3339.
    #[arg(long, conflicts_with = "hours")]
    pub to: Option<String>,
    /// Length of the simulated time in hours.
    #[arg(long)]
    pub hours: Option<u32>,
    /// Stop after so many records, repeats and broken ones included; default 100000 where no end is given.
    #[arg(long)]
    pub events: Option<u64>,
    /// Overrun a queue for 20 minutes: `billing@2026-10-14T10:30:00+08:00`; may be repeated.
    #[arg(long, value_name = "QUEUE@TIME")]
    pub collapse: Vec<String>,

    /// Records per second, 0: as fast as possible.
    #[arg(long, default_value_t = 0)]
    pub rate: u64,
    /// At the pace of the clock: what happens now is sent now.
    #[arg(long, conflicts_with = "rate")]
    pub live: bool,
    /// How much faster than the clock `--live` runs. Above 1 the records come to lie in the future.
    #[arg(long, default_value_t = 1.0, requires = "live", value_parser = speed)]
    pub speed: f64,

    /// Exact repeats, such as `1%`.
    #[arg(long, default_value = "0", value_parser = share)]
    pub duplicates: u32,
    /// Records that later ones overtake, by seconds to minutes.
    #[arg(long, default_value = "0", value_parser = share)]
    pub disorder: u32,
    /// Records that come minutes to hours late.
    #[arg(long, default_value = "0", value_parser = share)]
    pub late: u32,
    /// Events told wrong and corrected by a `fact.replaced`.
    #[arg(long, default_value = "0", value_parser = share)]
    pub replaced: u32,
    /// Events that never happened, withdrawn by a `fact.voided`.
    #[arg(long, default_value = "0", value_parser = share)]
    pub voided: u32,
    /// Records that nobody can use.
    #[arg(long, default_value = "0", value_parser = share)]
    pub broken: u32,

    /// Write the true months of everybody as JSON.
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// No progress bar and no summary.
    #[arg(long)]
    pub quiet: bool,
}

/// What is to be simulated and how many records of it.
#[derive(Debug)]
pub(super) struct Order {
    pub plan: Plan,
    pub events: Option<u64>,
}

/// Milliseconds since the epoch by the wall clock.
#[allow(clippy::disallowed_methods, reason = "a command's default begin")]
pub(super) fn wall_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

impl Args {
    /// The plan that the options make at `now`.
    pub(super) fn order(&self, now: i64) -> Result<Order> {
        let centre = match self.agents {
            Some(agents) => {
                ensure!((1..=1_000_000).contains(&agents), "--agents {agents}: from 1 to 1000000");
                ensure!((1..=10_000).contains(&self.queues), "--queues {}: from 1 to 10000", self.queues);
                Centre::scaled(agents, self.queues)
            }
            None => centre(),
        };
        let from = match &self.from {
            Some(text) => instant("--from", text)?,
            None if self.live => now,
            None => first_of_last_month(&centre.unit.zone, now),
        };
        let to = match (&self.to, self.hours) {
            (Some(text), _) => Some(instant("--to", text)?),
            (None, Some(hours)) => Some(from + i64::from(hours) * HOUR),
            (None, None) => None,
        };
        ensure!(to.is_none_or(|to| to > from), "--to is not after --from");
        let endless = to.is_none() && self.events.is_none();
        let events = if endless && !self.live { Some(100_000) } else { self.events };
        let keep = if centre.roster.len() > 2_000 { Keep::Months } else { Keep::All };
        let incidents = self.collapse.iter().map(|text| collapse(&centre, text)).collect::<Result<_>>()?;
        let plan = Plan {
            to,
            partitions: self.partitions,
            mischief: self.mischief(),
            incidents,
            keep,
            ..Plan::new(centre, self.seed, from)
        };
        Ok(Order { plan, events })
    }

    fn mischief(&self) -> Mischief {
        Mischief {
            duplicates: self.duplicates,
            disorder: self.disorder,
            late: self.late,
            replaced: self.replaced,
            voided: self.voided,
            broken: self.broken,
        }
    }
}

fn instant(option: &str, text: &str) -> Result<i64> {
    let at: jiff::Timestamp =
        text.parse().with_context(|| format!("{option} {text}: write it as 2026-10-14T08:00:00+08:00"))?;
    Ok(at.as_millisecond())
}

fn first_of_last_month(zone: &str, now: i64) -> i64 {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let now = jiff::Timestamp::from_millisecond(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let this = now.to_zoned_datetime(zone.clone()).date().first_of_month();
    let last = this.yesterday().unwrap_or(this).first_of_month();
    let start = last.to_zoned_datetime(zone).map_or(0, |start| start.timestamp().as_millisecond());
    start + 8 * HOUR
}

fn collapse(centre: &Centre, text: &str) -> Result<Incident> {
    let Some((queue, at)) = text.split_once('@') else {
        bail!("--collapse {text}: write it as billing@2026-10-14T10:30:00+08:00");
    };
    let known = || centre.queues.iter().map(|queue| queue.id.as_str()).collect::<Vec<_>>().join(", ");
    let index = centre
        .queue(queue)
        .with_context(|| format!("--collapse: no queue {queue}; there are {}", known()))?;
    let incident = Incident::collapse(index, instant("--collapse", at)?, 20);
    debug_assert!(incident.until - incident.at == 20 * MINUTE);
    Ok(incident)
}

/// Parts per million of a share such as `1%`, `0.05%` or `0.01`, by decimal digits: no rounding, no float.
fn share(text: &str) -> Result<u32, String> {
    let (number, places) = match text.strip_suffix('%') {
        Some(number) => (number.trim(), 4),
        None => (text, 6),
    };
    let wrong = || format!("{text}: write a share such as 1% or 0.01");
    let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if number.is_empty() || !digits(whole) || !digits(rest) || rest.len() > places || whole.len() > 3 {
        return Err(wrong());
    }
    let ppm: u64 = format!("{:0>1}{rest:0<places$}", whole).parse().map_err(|_| wrong())?;
    if ppm > 1_000_000 { Err(format!("{text} is more than everything")) } else { Ok(ppm as u32) }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.001..=100_000.0).contains(&speed) => Ok(speed),
        _ => Err(format!("{text}: a number from 0.001 to 100000")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact_in_both_spellings() {
        let check = |text: &str, ppm: Option<u32>| assert_eq!(share(text).ok(), ppm, "{text}");
        check("1%", Some(10_000));
        check("0.05%", Some(500));
        check("0.01", Some(10_000));
        check("0", Some(0));
        check("100%", Some(1_000_000));
        check(".5%", Some(5_000));
        check("101%", None);
        check("1", Some(1_000_000));
        check("-1%", None);
        check("one", None);
        check("0.00001%", None);
        check("", None);
        check("%", None);
    }

    #[test]
    fn without_a_begin_the_last_month_is_simulated() {
        let at = |text: &str| instant("x", text).unwrap();
        let first = first_of_last_month("Asia/Shanghai", at("2026-01-01T00:30:00+08:00"));
        assert_eq!(first, at("2025-12-01T08:00:00+08:00"));
    }
}
