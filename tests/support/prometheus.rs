//! The real Prometheus, to scrape what the product serves and to ask what a dashboard would ask.

use super::server::Server;
use super::wait;
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

/// A running Prometheus with an empty database.
pub struct Prometheus {
    /// The program and its port.
    pub server: Server,
}

impl Prometheus {
    /// Starts it with the text of a configuration file. Name rule files by absolute paths (`wait::repository`).
    pub fn start(config: &str) -> Prometheus {
        let server = Server::start("prometheus", "/-/ready", |port, directory| {
            let file = directory.join("prometheus.yml");
            std::fs::write(&file, config).expect("a configuration file");
            let mut command = Command::new("prometheus");
            command.arg(format!("--config.file={}", file.display()));
            command.arg(format!("--storage.tsdb.path={}", directory.join("data").display()));
            command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
            command
        });
        Prometheus { server }
    }

    /// A configuration that scrapes `http://address/metrics` every second as `job`.
    pub fn scraping(job: &str, address: &str) -> String {
        format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
             scrape_configs:\n- job_name: {job}\n  static_configs: [{{targets: ['{address}']}}]\n"
        )
    }

    /// The result of an instant query: one object with `metric` and `value` a series; or the error Prometheus gives.
    pub fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let path = format!("/api/v1/query?query={}", percent_encoded(expression));
        let body = self.server.try_get(&path).map_err(|why| format!("{expression}: {why}"))?;
        let answer: Value =
            serde_json::from_str(&body).map_err(|error| format!("{expression}: {error} in {body}"))?;
        let result = answer["data"]["result"].as_array();
        result.cloned().ok_or_else(|| format!("{expression}: not a list of series: {body}"))
    }

    /// The value of a query that has one series.
    pub fn value(&self, expression: &str) -> Result<f64, String> {
        let series = self.query(expression)?;
        let [only] = series.as_slice() else { return Err(format!("{expression}: {} series", series.len())) };
        let text = only["value"][1].as_str().unwrap_or_default();
        text.parse().map_err(|_| format!("{expression}: {text:?} is no number"))
    }

    /// Waits until a query returns a series, and gives all that it returns.
    #[track_caller]
    pub fn wait_for(&self, expression: &str, deadline: Duration) -> Vec<Value> {
        wait::until(expression, deadline, || match self.query(expression) {
            Ok(series) if series.is_empty() => Err("no data".into()),
            answer => answer,
        })
    }
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}
