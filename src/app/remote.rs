//! A running service of this machine, asked over HTTP: its embedded log is open to one process at a time.

use super::config::Config;
use crate::io::log::Log;
use crate::io::log::embedded::OpenError;
use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

/// One request; a control fact waits for its answer.
const REQUEST: Duration = Duration::from_secs(60);

/// The way to what the log holds.
pub enum Access {
    /// The log itself.
    Log(Arc<dyn Log>),
    /// The service that has it open.
    Service(Remote),
}

/// Opens the log, or finds the service that has it.
///
/// # Errors
/// As [`super::run::open`], unless a service has the embedded log open.
pub fn access(config: &Config) -> anyhow::Result<Access> {
    match super::run::open(config) {
        Ok(log) => Ok(Access::Log(log)),
        Err(error) if matches!(error.downcast_ref(), Some(OpenError::InUse)) => {
            Ok(Access::Service(Remote::of(config)))
        }
        Err(error) => Err(error),
    }
}

/// A running service.
pub struct Remote {
    base: String,
    agent: ureq::Agent,
}

impl Remote {
    /// The service that this configuration starts.
    pub fn of(config: &Config) -> Self {
        let mut address = config.http.listen;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        let agent = ureq::Agent::config_builder().timeout_global(Some(REQUEST)).http_status_as_error(false);
        Self { base: format!("http://{address}"), agent: agent.build().into() }
    }

    /// Where it is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The document at a path.
    ///
    /// # Errors
    /// No answer, a refusal, or something else than what is expected.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let answer = self.agent.get(format!("{}{path}", self.base)).call();
        let value = self.value(answer)?;
        serde_json::from_value(value).with_context(|| format!("{}{path}", self.base))
    }

    /// Posts a document and gives the answer.
    ///
    /// # Errors
    /// No answer, or a refusal, in its words.
    pub fn post(&self, path: &str, document: &impl serde::Serialize) -> anyhow::Result<Value> {
        let body = serde_json::to_vec(document)?;
        let request = self.agent.post(format!("{}{path}", self.base)).content_type("application/json");
        self.value(request.send(&body))
    }

    fn value(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Value> {
        let unreachable =
            || format!("another process has the log open, and nothing answers at {}", self.base);
        let mut answer = answer.with_context(unreachable)?;
        let status = answer.status();
        // Finals of many people are more than the client's default limit.
        let text = answer.body_mut().with_config().limit(1 << 30).read_to_string()?;
        let value: Value = serde_json::from_str(&text).with_context(|| format!("{}: {status}", self.base))?;
        if !status.is_success() {
            bail!("{}", value["error"].as_str().unwrap_or(&text));
        }
        Ok(value)
    }
}
