//! The topics on the brokers: creates them, and says what is wrong with those that are there.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::error::RDKafkaErrorCode;

use super::super::{Retention, Retry, Topic};
use super::{KafkaOptions, Quiet, REQUEST, retry};

const DAY_MS: u64 = 24 * 3_600_000;

/// Whether the service may start all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Warning,
    /// Numbers would be wrong or lost: starting is refused.
    Error,
}

/// What is wrong with a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is not there.
    Missing,
    /// It has another number of partitions than there are domains.
    Partitions {
        /// As it is.
        found: usize,
        /// As it must be.
        wanted: u32,
    },
    /// A setting is not what it must be.
    Setting {
        /// Name of the topic setting.
        key: &'static str,
        /// As it is; empty where the broker does not tell.
        found: String,
        /// As it must be.
        wanted: String,
        /// What would happen otherwise.
        because: &'static str,
    },
    /// So few replicas that a broker's disk is the only copy.
    Replicas {
        /// As it is.
        found: usize,
    },
}

/// One thing that is wrong, and how to put it right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Full name of the topic.
    pub topic: String,
    /// Whether the service may start.
    pub severity: Severity,
    /// What is wrong.
    pub problem: Problem,
    /// A command or an advice.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.topic, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Missing => write!(f, "does not exist"),
            Problem::Partitions { found, wanted } => write!(f, "has {found} partitions, {wanted} are needed"),
            Problem::Setting { key, found, wanted, because } => {
                write!(f, "{key} is {found:?}, must be {wanted:?}: {because}")
            }
            Problem::Replicas { found } => write!(f, "has {found} replica: one lost disk loses it"),
        }
    }
}

/// A topic as it is on the brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How many.
    pub partitions: usize,
    /// Of the partition that has fewest.
    pub replicas: usize,
    /// Every setting by name, the broker's defaults included.
    pub settings: BTreeMap<String, String>,
}

/// Looks at one topic; `None` where it is not there.
pub fn look(options: &KafkaOptions, name: &str) -> Result<Option<Found>, Retry> {
    let admin = admin(options)?;
    let Some((partitions, replicas)) = partitions(&admin, name)? else { return Ok(None) };
    Ok(Some(Found { partitions, replicas, settings: settings(&admin, name)? }))
}

/// The settings that count, and what each must be (or, for what is kept, at least be).
pub fn expected(topic: Topic) -> Vec<(&'static str, String)> {
    rules(topic).into_iter().map(|rule| (rule.key, rule.wanted)).collect()
}

/// Compares the topics with what they must be. An empty list is well.
pub fn check(options: &KafkaOptions, domains: u32) -> Result<Vec<Finding>, Retry> {
    let admin = admin(options)?;
    let mut findings = Vec::new();
    for topic in Topic::ALL {
        let name = options.topic(topic);
        match partitions(&admin, &name)? {
            None => findings.push(missing(options, &name)),
            Some((count, replicas)) => {
                findings.extend(check_size(options, topic, count, replicas, domains));
                findings.extend(check_settings(topic, &name, &settings(&admin, &name)?));
            }
        }
    }
    Ok(findings)
}

/// Looks at the topics that events are read from. They are the user's own: nothing is demanded of them but that they are there.
pub fn check_inputs(options: &KafkaOptions, topics: &[String]) -> Result<Vec<Finding>, Retry> {
    let admin = admin(options)?;
    let mut findings = Vec::new();
    for name in topics {
        match partitions(&admin, name)? {
            None => findings.push(Finding {
                remedy: "create the topic, or correct its name in the sources".into(),
                ..missing(options, name)
            }),
            Some(_) => findings.extend(check_input(name, &settings(&admin, name)?)),
        }
    }
    Ok(findings)
}

fn check_input(name: &str, settings: &BTreeMap<String, String>) -> Option<Finding> {
    let rule = exactly(
        "message.timestamp.type",
        "LogAppendTime",
        "with a producer's clock a back-log moves by what the producers say; a wrong clock there delays the closing",
    );
    let found = settings.get(rule.key).cloned().unwrap_or_default();
    (!(rule.fits)(&found)).then(|| Finding { severity: Severity::Warning, ..finding(name, rule, found) })
}

/// Creates the topics that are missing, with `replicas` copies each, and names them.
pub fn create(options: &KafkaOptions, domains: u32, replicas: u32) -> Result<Vec<String>, Retry> {
    let admin = admin(options)?;
    let names: BTreeMap<Topic, String> = Topic::ALL.map(|t| (t, options.topic(t))).into();
    let settings: BTreeMap<Topic, Vec<(&str, String)>> =
        Topic::ALL.map(|t| (t, creation_settings(t, replicas))).into();
    let mut wanted = Vec::new();
    for (topic, name) in &names {
        if partitions(&admin, name)?.is_none() {
            let copies = TopicReplication::Fixed(i32::try_from(replicas).unwrap_or(i32::MAX));
            let new = NewTopic::new(name, i32::try_from(domains).unwrap_or(i32::MAX), copies);
            wanted.push(settings[topic].iter().fold(new, |new, (key, value)| new.set(key, value)));
        }
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let options = AdminOptions::new().operation_timeout(Some(REQUEST)).request_timeout(Some(REQUEST));
    let results = wait(admin.create_topics(&wanted, &options))?.map_err(retry)?;
    results.into_iter().filter_map(created).collect()
}

/// Creates an input topic that is not there, stamped by the brokers: their clock says how far a source is. Gives whether it did.
pub fn create_input(
    options: &KafkaOptions,
    name: &str,
    partitions_wanted: i32,
    replicas: u32,
) -> Result<bool, Retry> {
    let admin = admin(options)?;
    if partitions(&admin, name)?.is_some() {
        return Ok(false);
    }
    let copies = TopicReplication::Fixed(i32::try_from(replicas).unwrap_or(i32::MAX));
    let new = NewTopic::new(name, partitions_wanted, copies).set("message.timestamp.type", "LogAppendTime");
    let options = AdminOptions::new().operation_timeout(Some(REQUEST)).request_timeout(Some(REQUEST));
    let results = wait(admin.create_topics(&[new], &options))?.map_err(retry)?;
    results.into_iter().filter_map(created).collect::<Result<Vec<_>, _>>().map(|names| !names.is_empty())
}

/// Another instance may have been quicker: that is as good.
fn created(result: Result<String, (String, RDKafkaErrorCode)>) -> Option<Result<String, Retry>> {
    match result {
        Ok(name) => Some(Ok(name)),
        Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => None,
        Err((name, code)) => Some(Err(Retry(format!("{name} is not created: {code}")))),
    }
}

fn admin(options: &KafkaOptions) -> Result<AdminClient<Quiet>, Retry> {
    options.asking().create_with_context(Quiet).map_err(retry)
}

/// Runs a request of the admin client; it is driven by a thread of its own.
fn wait<T>(request: impl Future<Output = T>) -> Result<T, Retry> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(retry)?;
    Ok(runtime.block_on(request))
}

/// Number of partitions and least number of replicas; `None` where the topic is not there.
fn partitions(admin: &AdminClient<Quiet>, name: &str) -> Result<Option<(usize, usize)>, Retry> {
    let metadata = admin.inner().fetch_metadata(Some(name), REQUEST).map_err(retry)?;
    let Some(topic) = metadata.topics().iter().find(|t| t.name() == name) else { return Ok(None) };
    let replicas = topic.partitions().iter().map(|p| p.replicas().len()).min();
    Ok(replicas.map(|n| (topic.partitions().len(), n)))
}

fn settings(admin: &AdminClient<Quiet>, name: &str) -> Result<BTreeMap<String, String>, Retry> {
    let asked = [ResourceSpecifier::Topic(name)];
    let options = AdminOptions::new().request_timeout(Some(REQUEST));
    let answer = wait(admin.describe_configs(&asked, &options))?.map_err(retry)?;
    let resource: ConfigResource = match answer.into_iter().next() {
        Some(Ok(resource)) => resource,
        Some(Err(code)) => return Err(Retry(format!("settings of {name}: {code}"))),
        None => return Err(Retry(format!("no settings of {name}"))),
    };
    Ok(resource.entries.into_iter().map(|e| (e.name, e.value.unwrap_or_default())).collect())
}

fn missing(options: &KafkaOptions, name: &str) -> Finding {
    Finding {
        topic: name.to_owned(),
        severity: Severity::Error,
        problem: Problem::Missing,
        remedy: format!("shiftpulse topics --create (on {})", options.brokers),
    }
}

fn check_size(
    options: &KafkaOptions,
    topic: Topic,
    count: usize,
    replicas: usize,
    domains: u32,
) -> Vec<Finding> {
    let name = options.topic(topic);
    let mut findings = Vec::new();
    if count != domains as usize {
        findings.push(Finding {
            severity: Severity::Error,
            problem: Problem::Partitions { found: count, wanted: domains },
            remedy: format!(
                "set the number of domains to {count}, or use another prefix; a domain cannot move"
            ),
            topic: name.clone(),
        });
    }
    if replicas < 2 && !matches!(topic, Topic::State | Topic::DeadLetters) {
        findings.push(Finding {
            severity: Severity::Warning,
            problem: Problem::Replicas { found: replicas },
            remedy: format!("kafka-reassign-partitions.sh: give {name} three replicas"),
            topic: name,
        });
    }
    findings
}

/// A setting, what it must be, whether a found value will do, and why.
struct Rule {
    key: &'static str,
    wanted: String,
    fits: Box<dyn Fn(&str) -> bool>,
    severity: Severity,
    because: &'static str,
}

fn exactly(key: &'static str, wanted: &'static str, because: &'static str) -> Rule {
    let fits = Box::new(move |found: &str| found == wanted);
    Rule { key, wanted: wanted.into(), fits, severity: Severity::Error, because }
}

/// `-1` keeps for ever.
fn at_least(key: &'static str, wanted: Option<u64>, severity: Severity, because: &'static str) -> Rule {
    let fits = Box::new(move |found: &str| {
        found == "-1" || wanted.is_some_and(|w| found.parse::<u64>().is_ok_and(|n| n >= w))
    });
    Rule { key, wanted: wanted.map_or("-1".into(), |w| w.to_string()), fits, severity, because }
}

fn rules(topic: Topic) -> Vec<Rule> {
    let mut rules = match topic.retention() {
        Retention::Compacted => vec![exactly(
            "cleanup.policy",
            "compact",
            "it holds the newest value of each key, and would forget keys or grow for ever",
        )],
        Retention::Days(days) => vec![
            exactly("cleanup.policy", "delete", "every record counts, compaction would thin them out"),
            at_least(
                "retention.ms",
                Some(u64::from(days) * DAY_MS),
                if topic == Topic::Facts { Severity::Error } else { Severity::Warning },
                "a month must be recomputable until nobody can appeal any more",
            ),
        ],
        Retention::Forever => vec![
            exactly("cleanup.policy", "delete", "every record counts, compaction would thin them out"),
            at_least("retention.ms", None, Severity::Error, "what people were paid by must not vanish"),
        ],
    };
    if matches!(topic, Topic::Facts | Topic::Alerts | Topic::Ledger) {
        rules.push(at_least("retention.bytes", None, Severity::Error, "size must not decide what is kept"));
        rules.push(exactly(
            "unclean.leader.election.enable",
            "false",
            "a broker that lags could become leader and lose acknowledged records",
        ));
    }
    if topic == Topic::Facts {
        rules.push(exactly(
            "message.timestamp.type",
            "LogAppendTime",
            "the live clock is the broker's; with a producer's clock windows and months would be wrong",
        ));
    }
    rules.push(at_least(
        "max.message.bytes",
        Some(1_048_588),
        Severity::Error,
        "records of up to a megabyte must fit",
    ));
    rules
}

fn check_settings(topic: Topic, name: &str, settings: &BTreeMap<String, String>) -> Vec<Finding> {
    let wrong = |rule: Rule| {
        let found = settings.get(rule.key).cloned().unwrap_or_default();
        (!(rule.fits)(&found)).then(|| finding(name, rule, found))
    };
    rules(topic).into_iter().filter_map(wrong).collect()
}

fn finding(name: &str, rule: Rule, found: String) -> Finding {
    Finding {
        topic: name.to_owned(),
        severity: rule.severity,
        remedy: format!(
            "kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config {}={}",
            rule.key, rule.wanted
        ),
        problem: Problem::Setting { key: rule.key, found, wanted: rule.wanted, because: rule.because },
    }
}

/// What a new topic is made with: its rules, and what makes compaction keep pace.
fn creation_settings(topic: Topic, replicas: u32) -> Vec<(&'static str, String)> {
    let mut settings: Vec<(&str, String)> = rules(topic).into_iter().map(|r| (r.key, r.wanted)).collect();
    if topic.retention() == Retention::Compacted {
        settings.push(("min.cleanable.dirty.ratio", "0.1".into()));
        settings.push(("segment.ms", "3600000".into()));
        settings.push(("delete.retention.ms", "3600000".into()));
    }
    if topic == Topic::State {
        settings.push(("segment.bytes", "104857600".into()));
    }
    if replicas >= 3 {
        settings.push(("min.insync.replicas", "2".into()));
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(topic: Topic, change: &[(&str, &str)]) -> Vec<String> {
        let mut settings: BTreeMap<String, String> =
            creation_settings(topic, 1).into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        settings.extend(change.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        check_settings(topic, "t", &settings).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_topic_made_by_the_rules_passes_them() {
        assert!(Topic::ALL.iter().all(|t| findings(*t, &[]).is_empty()));
    }

    #[test]
    fn facts_on_a_producers_clock_are_refused() {
        let found = findings(Topic::Facts, &[("message.timestamp.type", "CreateTime")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("LogAppendTime"));
    }

    #[test]
    fn longer_retention_is_as_good_and_shorter_is_not() {
        assert!(findings(Topic::Facts, &[("retention.ms", "-1")]).is_empty());
        assert_eq!(findings(Topic::Facts, &[("retention.ms", "604800000")]).len(), 1);
        assert_eq!(findings(Topic::Ledger, &[("retention.ms", "999999999999999")]).len(), 1);
        assert_eq!(findings(Topic::KpiLive, &[("cleanup.policy", "compact,delete")]).len(), 1);
    }
}
