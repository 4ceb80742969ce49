//! The product itself, as its users start it: the real binary with a configuration file, asked over HTTP.

use super::process::Process;
use super::wait;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

/// A start on a busy machine, a replay included.
const TO_BE_READY: Duration = Duration::from_secs(120);
/// One request to a running service; a control fact waits for its answer.
const REQUEST: Duration = Duration::from_secs(60);

/// The program.
pub const BINARY: &str = env!("CARGO_BIN_EXE_shiftpulse");

/// An installation: a directory with a configuration for each instance. The centre is the one that ships as the example,
/// which is the simulator's.
pub struct Installation {
    directory: TempDir,
    options: toml::Table,
}

impl Installation {
    /// The shipped configuration, changed by `options` (TOML text; whole sections are replaced key by key).
    pub fn new(options: &str) -> Installation {
        let shipped =
            std::fs::read_to_string(wait::repository("config/shiftpulse.toml")).expect("the shipped file");
        let options_read = toml::from_str(&shipped).expect("TOML");
        let mut installation = Installation { directory: wait::directory("service"), options: options_read };
        let config = |name: &str| wait::repository(&format!("config/{name}")).display().to_string();
        installation.change(&format!(
            "[files]\nroster = {:?}\nalerts = {:?}\nscorecards = [{:?}]",
            config("roster.toml"),
            config("alerts.toml"),
            config("scorecards/service-agent.toml")
        ));
        installation.change(options);
        installation
    }

    /// Changes options of every instance that is started from now on.
    pub fn change(&mut self, options: &str) {
        merge(&mut self.options, toml::from_str(options).expect("TOML"));
    }

    /// The installation's directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Starts an instance and waits until it is ready.
    pub fn start(&self, name: &str, arguments: &[&str]) -> Instance {
        let mut instance = self.launch(name, arguments);
        instance.wait_ready();
        instance
    }

    /// Starts an instance that may refuse to run.
    pub fn launch(&self, name: &str, arguments: &[&str]) -> Instance {
        let port = wait::free_port();
        let config = self.write(name, port);
        let mut command = Command::new(BINARY);
        command.arg("run").arg("--config").arg(config).args(arguments).env("RUST_LOG", "info");
        Instance { process: Process::start(name, &command), port }
    }

    /// Runs a command of the product with the configuration of an instance, to its end.
    pub fn command(&self, name: &str, words: &[&str]) -> Output {
        let mut command = Command::new(BINARY);
        command.args(words).arg("--config").arg(self.config(name)).env("RUST_LOG", "warn");
        command.output().expect("the program runs")
    }

    fn config(&self, name: &str) -> PathBuf {
        self.path().join(format!("{name}.toml"))
    }

    fn write(&self, name: &str, port: u16) -> PathBuf {
        let mut options = self.options.clone();
        merge(&mut options, toml::from_str(&format!("[http]\nlisten = \"127.0.0.1:{port}\"")).expect("TOML"));
        let file = self.config(name);
        std::fs::write(&file, options.to_string()).expect("a configuration file");
        file
    }
}

/// Tables are merged, everything else is replaced.
fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(value)) => merge(inner, value),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

/// A running instance.
pub struct Instance {
    /// Its process, to be killed or frozen.
    pub process: Process,
    port: u16,
}

/// An answer of any status.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Such as 200.
    pub status: u16,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }
}

impl Instance {
    /// Waits until it says that it is ready.
    #[track_caller]
    pub fn wait_ready(&mut self) {
        wait::until("readiness", TO_BE_READY, || {
            assert!(self.process.is_running(), "it ended:\n{}", self.process.all_output());
            match self.try_get("/readyz") {
                Ok(answer) if answer.status == 200 => Ok(()),
                other => Err(format!("{other:?}\n{}", self.process.tail())),
            }
        });
    }

    /// `http://127.0.0.1:port` and the path, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// GET.
    pub fn try_get(&self, path: &str) -> Result<Answer, String> {
        answer(agent().get(self.url(path)).call())
    }

    /// The JSON of a GET.
    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        let answer =
            self.try_get(path).unwrap_or_else(|why| panic!("GET {path}: {why}\n{}", self.process.tail()));
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text);
        answer.json()
    }

    /// POST; an error means that nobody knows what became of it.
    pub fn try_post(&self, path: &str, body: &[u8]) -> Result<Answer, String> {
        answer(agent().post(self.url(path)).content_type("application/x-ndjson").send(body))
    }

    /// POST that is answered.
    #[track_caller]
    pub fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.try_post(path, body).unwrap_or_else(|why| panic!("POST {path}: {why}\n{}", self.process.tail()))
    }

    /// One number of `/metrics`, by name and labels as they stand there.
    #[track_caller]
    pub fn metric(&self, series: &str) -> Option<f64> {
        let text = self.try_get("/metrics").unwrap_or_else(|why| panic!("GET /metrics: {why}")).text;
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        value.parse().ok()
    }
}

/// Answers of any status are answers.
fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(REQUEST)).build().into()
}

fn answer(got: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, String> {
    let mut got = got.map_err(|error| error.to_string())?;
    let text =
        got.body_mut().with_config().limit(1 << 28).read_to_string().map_err(|error| error.to_string())?;
    Ok(Answer { status: got.status().as_u16(), text })
}
