//! The configuration: one TOML file, and the files it names. `config/shiftpulse.toml` shows every option.
//!
//! ```text
//!  shiftpulse.toml ── options ─────────────▶ how this instance runs           (Config)
//!        │         ── unit, queues, people ▶ what is counted and judged       (Config -> Definitions, by activation)
//!        ├─ roster.toml, alerts.toml, scorecards/*.toml
//!        └─ every problem at once: key, value, rule, hint                     (Refused)
//! ```
//!
//! Reading has two passes: each section alone (types, ranges, unknown keys), then what has to fit together.

use crate::engine::definitions::{CardFile, Person, Queue, Source, Team, Unit};
use crate::io::alertmanager::Terms;
use crate::io::log::kafka::KafkaOptions;
use crate::model::alert::Rule;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

mod alerts;
mod cards;
mod centre;
mod coherence;
mod files;
mod kafka;
mod options;
pub mod problem;
mod section;
mod value;

pub use problem::{Problem, Refused, Severity, Style};
pub use value::shown;

/// Where the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogKind {
    /// On a Kafka cluster.
    Kafka,
    /// In a directory of this machine, without a broker.
    Embedded,
}

/// Everything that is configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where the log is.
    pub log: LogKind,
    /// How to reach Kafka; also where events come from topics and the log is embedded.
    pub kafka: Kafka,
    /// Where the embedded log is.
    pub embedded: Embedded,
    /// The HTTP server.
    pub http: Http,
    /// This instance among others.
    pub instance: Instance,
    /// Snapshots of the engine.
    pub snapshots: Snapshots,
    /// What becomes of customers' numbers.
    pub privacy: Privacy,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// Where pages go.
    pub alertmanager: Alertmanager,
    /// How long a period stays open after its end, ms of settle clock.
    pub grace_ms: i64,
    /// How long a contact stays in memory after its terminal, ms of settle clock.
    pub horizon_ms: i64,
    /// A contact without terminal and without facts for so long is unfinished, ms of settle clock.
    pub unfinished_after_ms: i64,
    /// The business unit.
    pub unit: Unit,
    /// Queues in the order of the board.
    pub queues: Vec<Queue>,
    /// Teams in the order of the board.
    pub teams: Vec<Team>,
    /// The roster; empty: whoever is seen is counted.
    pub people: Vec<Person>,
    /// Where events come from.
    pub sources: Vec<SourceConfig>,
    /// Alert rules.
    pub alerts: Vec<Rule>,
    /// Scorecards.
    pub cards: Vec<CardFile>,
}

/// How to reach Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kafka {
    /// `host:port`, several with commas.
    pub brokers: String,
    /// Begins the names of topics, groups and transactional ids.
    pub prefix: String,
    /// Copies of each own topic that is created.
    pub replication: u32,
    /// An instance that was silent for so long loses its domains.
    pub session_timeout: Duration,
    /// A transaction that is open for so long is aborted.
    pub transaction_timeout: Duration,
    /// Options of librdkafka, handed through.
    pub options: ClientOptions,
}

/// Options of librdkafka by name. `Debug` shows no values: passwords are among them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ClientOptions(pub BTreeMap<String, String>);

impl std::fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Where the embedded log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    /// Relative to the configuration file.
    pub directory: PathBuf,
}

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its address as people and Alertmanager see it, without a slash at the end.
    pub external_url: String,
}

/// This instance among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Keeps its domains over a restart; `None`: a new member at every start.
    pub id: Option<String>,
}

/// Snapshots of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshots {
    /// Between two of them, by the wall's clock.
    pub every: Duration,
}

/// What becomes of customers' numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Privacy {
    /// File with the secret that customers are hashed with.
    pub customer_key_file: Option<PathBuf>,
}

/// How agents are called on `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// By their identifier.
    Plain,
    /// By a stable pseudonym.
    Pseudonym,
    /// Not at all.
    Hidden,
}

/// What `/metrics` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    /// At most so many agents have series of their own.
    pub agents: usize,
    /// How they are called; hidden: only their queues, teams and unit have series.
    pub agent_names: Naming,
    /// Series of the score of the month so far.
    pub scores: Naming,
}

/// Where pages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alertmanager {
    /// Every one of them gets every alert; none: nobody is paged.
    pub urls: Vec<String>,
    /// Between two posts of a firing alert, by the wall's clock.
    pub resend: Duration,
}

/// Where events come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// A topic, read by a consumer group.
    Kafka {
        /// Its name.
        topic: String,
    },
    /// POST of events.
    Http,
    /// A file of events, one a line, which is followed as it grows.
    File {
        /// Relative to the configuration file.
        path: PathBuf,
        /// Tells several files apart; empty for the only one.
        name: String,
    },
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// What it is.
    pub kind: SourceKind,
    /// Partitions of the topic; 1 for the others.
    pub partitions: i32,
    /// Queues it feeds; empty: all.
    pub queues: Vec<String>,
    /// It pours in history.
    pub backfill: bool,
}

impl SourceConfig {
    /// Its name in batches and definitions: the topic, `$http`, `$file` or `$file/name`.
    pub fn topic(&self) -> String {
        match &self.kind {
            SourceKind::Kafka { topic } => topic.clone(),
            SourceKind::Http => "$http".into(),
            SourceKind::File { name, .. } if name.is_empty() => "$file".into(),
            SourceKind::File { name, .. } => format!("$file/{name}"),
        }
    }

    /// As the engine knows it.
    pub fn definition(&self) -> Source {
        Source {
            topic: self.topic(),
            partitions: self.partitions,
            queues: self.queues.clone(),
            backfill: self.backfill,
        }
    }
}

/// A configuration that can be used, and what somebody should look at.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// No errors among them.
    pub warnings: Vec<Problem>,
}

/// Reads a configuration file and the files it names.
///
/// # Errors
/// All problems of all files, warnings included.
pub fn load(path: &Path) -> Result<Loaded, Refused> {
    files::load(path)
}

pub use files::default_alerts;

impl Config {
    /// How to reach Kafka.
    pub fn kafka_options(&self) -> KafkaOptions {
        KafkaOptions {
            instance: self.instance.id.clone(),
            session_timeout: self.kafka.session_timeout,
            transaction_timeout: self.kafka.transaction_timeout,
            client: self.kafka.options.0.clone(),
            ..KafkaOptions::new(&self.kafka.brokers, &self.kafka.prefix)
        }
    }

    /// What alerts are pushed with.
    pub fn push_terms(&self) -> Terms {
        let resend_ms = i64::try_from(self.alertmanager.resend.as_millis()).unwrap_or(i64::MAX);
        Terms { unit: self.unit.id.clone(), external_url: self.http.external_url.clone(), resend_ms }
    }

    /// The secret that customers are hashed with; `None` without a key file. Leading and trailing blanks are no part of it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn customer_secret(&self) -> anyhow::Result<Option<String>> {
        use anyhow::Context;
        let Some(path) = &self.privacy.customer_key_file else { return Ok(None) };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("privacy.customer_key_file: {}", path.display()))?;
        Ok(Some(text.trim().to_owned()))
    }
}

#[cfg(test)]
mod tests;
