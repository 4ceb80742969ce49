//! The real Alertmanager: groups, routes, repeats and resolves what is posted to it.

use super::server::Server;
use serde_json::Value;
use std::process::Command;

/// A running Alertmanager without peers.
pub struct Alertmanager {
    /// The program and its port.
    pub server: Server,
}

impl Alertmanager {
    /// Starts it with the text of a configuration file.
    pub fn start(config: &str) -> Alertmanager {
        let server = Server::start("alertmanager", "/-/ready", |port, directory| {
            let file = directory.join("alertmanager.yml");
            std::fs::write(&file, config).expect("a configuration file");
            let mut command = Command::new("prometheus-alertmanager");
            command.arg(format!("--config.file={}", file.display()));
            command.arg(format!("--storage.path={}", directory.join("data").display()));
            command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
            // Its cluster port would listen on every address.
            command.arg("--cluster.listen-address=");
            command
        });
        Alertmanager { server }
    }

    /// A configuration that sends every alert to `url` by itself, at once, and its resolution too.
    pub fn routing_to(url: &str) -> String {
        format!(
            "route: {{receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}\n\
             receivers:\n- name: hook\n  webhook_configs: [{{url: '{url}', send_resolved: true}}]\n"
        )
    }

    /// `http://127.0.0.1:port`, which the product posts to.
    pub fn url(&self) -> String {
        self.server.url("")
    }

    /// Posts alerts as a client does: a list of objects with `labels`, `annotations`, `startsAt`, `endsAt`.
    #[track_caller]
    pub fn post(&self, alerts: &Value) {
        self.server.post_json("/api/v2/alerts", alerts);
    }

    /// The alerts that it holds now.
    #[track_caller]
    pub fn alerts(&self) -> Vec<Value> {
        self.server.get_json("/api/v2/alerts").as_array().cloned().unwrap_or_default()
    }
}
