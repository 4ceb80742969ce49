//! A server program with an HTTP port: started on a free loopback port in a directory of its own, asked with plain requests.

use super::process::Process;
use super::wait;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A cold start on a busy machine.
const TO_BE_READY: Duration = Duration::from_secs(60);
/// One request to a healthy server.
const REQUEST: Duration = Duration::from_secs(10);

/// A running server. Dropping it kills it and removes its directory.
pub struct Server {
    /// Its process, to be killed or frozen.
    pub process: Process,
    port: u16,
    directory: TempDir,
}

impl Server {
    /// Starts `command(port, directory)` and waits until `GET ready` answers with 200.
    pub fn start(name: &str, ready: &str, command: impl Fn(u16, &Path) -> Command) -> Server {
        for _ in 0..3 {
            let (port, directory) = (wait::free_port(), wait::directory(name));
            let process = Process::start(name, &command(port, directory.path()));
            let mut server = Server { process, port, directory };
            match server.wait_ready(name, ready) {
                Ok(()) => return server,
                Err(output) if output.contains("address already in use") => continue,
                Err(output) => panic!("{name} ended before it was ready:\n{output}"),
            }
        }
        panic!("three times another process took the port that {name} was about to listen on");
    }

    fn wait_ready(&mut self, name: &str, ready: &str) -> Result<(), String> {
        wait::until(&format!("{name} to be ready"), TO_BE_READY, || {
            if !self.process.is_running() {
                return Ok(Err(self.process.all_output()));
            }
            self.try_get(ready).map(|_| Ok(())).map_err(|why| format!("{why}\n{}", self.process.tail()))
        })
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `http://127.0.0.1:port` and the path, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The body of a GET; what went wrong otherwise, other statuses than 2xx included.
    pub fn try_get(&self, path: &str) -> Result<String, String> {
        get(&self.url(path))
    }

    /// The JSON of a GET.
    #[track_caller]
    pub fn get_json(&self, path: &str) -> Value {
        let body = self.try_get(path).unwrap_or_else(|why| panic!("GET {path}: {why}"));
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("GET {path}: {error} in {body}"))
    }

    /// Posts JSON.
    #[track_caller]
    pub fn post_json(&self, path: &str, body: &Value) {
        let request = ureq::post(self.url(path)).content_type("application/json");
        let answer = request.config().timeout_global(Some(REQUEST)).build().send(body.to_string());
        answer.unwrap_or_else(|error| panic!("POST {path}: {error}"));
    }
}

/// The body of a GET of any address; what went wrong otherwise, other statuses than 2xx included.
pub fn get(url: &str) -> Result<String, String> {
    let request = ureq::get(url).config().timeout_global(Some(REQUEST)).build();
    let mut answer = request.call().map_err(|error| error.to_string())?;
    answer.body_mut().read_to_string().map_err(|error| error.to_string())
}
