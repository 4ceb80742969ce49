//! The options of an instance: everything but the centre itself. The defaults stand here.

use super::coherence::Places;
use super::section::Section;
use super::value::{Read, Wrong};
use super::value::{filled, identifier, integer, list, one_of, span, text};
use super::{
    Alertmanager, Config, Embedded, Http, Instance, LogKind, Metrics, Naming, Privacy, Snapshots, kafka,
};
use crate::engine::definitions::Unit;
use crate::model::units::{HOUR, MINUTE, SECOND};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::DeValue;

const DAY: i64 = 24 * HOUR;
/// How to make a key file.
const MAKE_KEY: &str = "openssl rand -hex 32 > FILE, and keep it apart from the data";

/// Reads every option; the centre's lists stay empty. `base` is the directory that paths are relative to.
pub fn read(top: &Section, base: &Path, places: &mut Places) -> Config {
    let contacts = top.section("contacts");
    let config = Config {
        log: top.or(
            "log",
            LogKind::Kafka,
            one_of(&[("kafka", LogKind::Kafka), ("embedded", LogKind::Embedded)]),
        ),
        kafka: kafka::read(top.section("kafka"), base, places),
        embedded: embedded(top.section("embedded"), base),
        http: http(top.section("http"), places),
        instance: instance(top.section("instance")),
        snapshots: snapshots(top.section("snapshots")),
        privacy: privacy(top.section("privacy"), base),
        metrics: metrics(top.section("metrics")),
        alertmanager: alertmanager(top.section("alertmanager")),
        grace_ms: grace(top.section("periods")),
        horizon_ms: contacts.or("horizon", 3 * DAY, span(MINUTE..=400 * DAY)),
        unfinished_after_ms: contacts.or("unfinished_after", DAY, span(MINUTE..=400 * DAY)),
        unit: Unit::default(),
        queues: Vec::new(),
        teams: Vec::new(),
        people: Vec::new(),
        sources: Vec::new(),
        alerts: Vec::new(),
        cards: Vec::new(),
    };
    contacts.finish();
    config
}

/// A duration of the shell's timers.
pub fn duration(range: std::ops::RangeInclusive<i64>) -> impl Fn(&DeValue) -> Read<Duration> {
    let read = span(range);
    move |value| read(value).map(|ms| Duration::from_millis(ms.unsigned_abs()))
}

fn embedded(section: Section, base: &Path) -> Embedded {
    let directory = section.or("directory", "data".into(), filled);
    section.finish();
    Embedded { directory: base.join(directory) }
}

fn http(section: Section, places: &mut Places) -> Http {
    let default = SocketAddr::from(([127, 0, 0, 1], 8080));
    let listen = section.or("listen", default, |value| {
        let wrong = || Wrong::rule("must be address:port, such as \"127.0.0.1:8080\" or \"0.0.0.0:8080\"");
        filled(value)?.parse().map_err(|_| wrong())
    });
    let external_url = section.or("external_url", String::new(), |value| match text(value)?.as_str() {
        "" => Ok(String::new()),
        _ => url(value),
    });
    places.listen = Some(section.spot("listen"));
    section.finish();
    let external_url = if external_url.is_empty() { format!("http://{listen}") } else { external_url };
    Http { listen, external_url }
}

/// An address of a server, without a slash at the end.
fn url(value: &DeValue) -> Read<String> {
    let wrong = || Wrong::rule("must be an address such as \"http://alertmanager:9093\"");
    let text = filled(value)?;
    let address: ureq::http::Uri = text.parse().map_err(|_| wrong())?;
    match (address.scheme_str(), address.host()) {
        (Some("http" | "https"), Some(_)) if address.query().is_none() => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(wrong()),
    }
}

fn instance(section: Section) -> Instance {
    let id = section.or("id", String::new(), |value| match text(value)?.as_str() {
        "" => Ok(String::new()),
        _ => identifier(value),
    });
    section.finish();
    Instance { id: (!id.is_empty()).then_some(id) }
}

fn snapshots(section: Section) -> Snapshots {
    let every = section.or("every", Duration::from_secs(60), duration(SECOND..=DAY));
    section.finish();
    Snapshots { every }
}

fn privacy(section: Section, base: &Path) -> Privacy {
    let customer_key_file = section.or("customer_key_file", None, |value| key_file(value, base));
    section.finish();
    Privacy { customer_key_file }
}

/// A file that is there and holds a secret worth the name.
fn key_file(value: &DeValue, base: &Path) -> Read<Option<PathBuf>> {
    let name = text(value)?;
    if name.is_empty() {
        return Ok(None);
    }
    let path = base.join(name);
    let secret = std::fs::read_to_string(&path)
        .map_err(|error| Wrong::rule(format!("the file cannot be read: {error}")).hint(MAKE_KEY))?;
    if secret.trim().len() < 16 {
        return Err(Wrong::rule("the file must hold at least 16 characters").hint(MAKE_KEY));
    }
    Ok(Some(path))
}

fn metrics(section: Section) -> Metrics {
    let words = [("plain", Naming::Plain), ("pseudonym", Naming::Pseudonym), ("hidden", Naming::Hidden)];
    let agents = section.or("agents", 500, integer(0..=1_000_000));
    let metrics = Metrics {
        agents: usize::try_from(agents).unwrap_or_default(),
        agent_names: section.or("agent_names", Naming::Plain, one_of(&words)),
        scores: section.or("scores", Naming::Plain, one_of(&words)),
    };
    section.finish();
    metrics
}

fn alertmanager(section: Section) -> Alertmanager {
    let urls = section.or("urls", Vec::new(), list(url));
    // Alertmanager forgets after 15 minutes what is not posted again.
    let resend = section.or("resend", Duration::from_secs(60), duration(5 * SECOND..=5 * MINUTE));
    section.finish();
    Alertmanager { urls, resend }
}

fn grace(section: Section) -> i64 {
    let grace = section.or("grace", 3 * DAY, span(0..=62 * DAY));
    section.finish();
    grace
}
