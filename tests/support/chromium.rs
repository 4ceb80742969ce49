//! Headless Chromium, driven over the DevTools protocol: what a person sees, on the screen sizes and in the colours they have.
//!
//! ```no_run
//! let browser = Browser::start();
//! let mut page = browser.page();
//! page.viewport(390, 844);
//! page.color_scheme("dark");
//! page.go("http://127.0.0.1:8080/");
//! page.wait_for("a queue with a value", "document.querySelectorAll('tr.queue').length > 0", deadline);
//! assert_eq!(page.console(), Vec::<String>::new());
//! ```

use super::process::Process;
use super::wait;
use base64::Engine;
use serde_json::{Value, json};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

/// A cold start on a busy machine.
const TO_BE_READY: Duration = Duration::from_secs(60);
/// One command, a page load included.
const COMMAND: Duration = Duration::from_secs(60);
/// It talks to nobody but the page: no updates, no sync, no first-run pages. Containers have little /dev/shm.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
    "about:blank",
];

/// A running browser with a fresh profile. Dropping it kills it.
pub struct Browser {
    _process: Process,
    _profile: TempDir,
    address: String,
}

impl Browser {
    /// Starts it and waits for its DevTools port.
    pub fn start() -> Browser {
        let profile = wait::directory("chromium");
        let mut command = Command::new("chromium");
        command.arg(format!("--user-data-dir={}", profile.path().display())).args(FLAGS);
        let mut process = Process::start("chromium", &command);
        let line = process.wait_for_line("DevTools listening on ws://", TO_BE_READY);
        let address = line.split("ws://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.expect("an address after ws://").to_owned();
        Browser { _process: process, _profile: profile, address }
    }

    /// A new blank tab of 1280 x 800.
    pub fn page(&self) -> Page {
        let answer = ureq::put(format!("http://{}/json/new?about:blank", self.address)).send_empty();
        let body = answer.and_then(|mut answer| answer.body_mut().read_to_string()).expect("a new tab");
        let tab: Value = serde_json::from_str(&body).expect("DevTools speaks JSON");
        let mut page = Page::connect(tab["webSocketDebuggerUrl"].as_str().expect("the tab's address"));
        page.viewport(1280, 800);
        page
    }
}

/// One tab. Commands wait for their answers; what the page reports meanwhile is kept for [`Page::console`].
pub struct Page {
    socket: WebSocket<TcpStream>,
    last: u64,
    events: Vec<Value>,
}

impl Page {
    fn connect(url: &str) -> Page {
        let address = url.trim_start_matches("ws://").split('/').next().expect("host and port");
        let stream = TcpStream::connect(address).expect("the DevTools port");
        stream.set_read_timeout(Some(COMMAND)).expect("a time-out");
        let (socket, _) = tungstenite::client(url, stream).expect("a DevTools session");
        let mut page = Page { socket, last: 0, events: Vec::new() };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.command(&format!("{domain}.enable"), json!({}));
        }
        page
    }

    /// Opens an address and waits until it has loaded.
    #[track_caller]
    pub fn go(&mut self, url: &str) {
        let seen = self.events.len();
        let answer = self.command("Page.navigate", json!({ "url": url }));
        assert_eq!(answer["errorText"], Value::Null, "{url} does not open");
        self.wait_loaded(seen, url);
    }

    /// Reloads and waits until it has loaded.
    #[track_caller]
    pub fn reload(&mut self) {
        let seen = self.events.len();
        self.command("Page.reload", json!({}));
        self.wait_loaded(seen, "reload");
    }

    #[track_caller]
    fn wait_loaded(&mut self, mut seen: usize, what: &str) {
        let deadline = Instant::now() + COMMAND;
        while !self.events[seen..].iter().any(|event| event["method"] == "Page.loadEventFired") {
            assert!(Instant::now() < deadline, "{what}: not loaded within {COMMAND:?}");
            seen = self.events.len();
            self.read();
        }
    }

    /// The value of a JavaScript expression, awaited if it is a promise, as JSON; panics with its exception.
    #[track_caller]
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let ask = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.command("Runtime.evaluate", ask);
        let exception = &answer["exceptionDetails"];
        assert!(exception.is_null(), "{expression}: {}", exception_text(exception));
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is truthy, and gives its value. Not yet there is not an error: write `a?.b`.
    #[track_caller]
    pub fn wait_for(&mut self, what: &str, expression: &str, deadline: Duration) -> Value {
        wait::until(what, deadline, || match self.evaluate(expression) {
            Value::Null | Value::Bool(false) => Err("not yet".into()),
            Value::Number(number) if number.as_f64() == Some(0.0) => Err("0".into()),
            Value::String(text) if text.is_empty() => Err("empty".into()),
            value => Ok(value),
        })
    }

    /// What is written in the first element that a selector finds; `None` without one.
    #[track_caller]
    pub fn text(&mut self, selector: &str) -> Option<String> {
        let found = self.evaluate(&format!("document.querySelector({selector:?})?.innerText"));
        found.as_str().map(str::to_owned)
    }

    /// Clicks the first element that a selector finds, as `element.click()` does.
    #[track_caller]
    pub fn click(&mut self, selector: &str) {
        self.evaluate(&format!("document.querySelector({selector:?}).click()"));
    }

    /// The size of the window in CSS pixels; below 600 wide it is a phone.
    pub fn viewport(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.command("Emulation.setDeviceMetricsOverride", size);
    }

    /// `light` or `dark`, as `prefers-color-scheme` says.
    pub fn color_scheme(&mut self, scheme: &str) {
        let feature = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": feature }));
    }

    /// The languages the person prefers, as `Accept-Language` says (`zh-CN,en;q=0.5`).
    pub fn languages(&mut self, accept: &str) {
        let agent = self.evaluate("navigator.userAgent");
        let both = json!({ "userAgent": agent, "acceptLanguage": accept });
        self.command("Emulation.setUserAgentOverride", both);
    }

    /// Sets a cookie for a site.
    #[track_caller]
    pub fn cookie(&mut self, url: &str, name: &str, value: &str) {
        let answer = self.command("Network.setCookie", json!({ "url": url, "name": name, "value": value }));
        assert_eq!(answer["success"], true, "the cookie {name} is refused");
    }

    /// Everything on the console since the last call: messages of any level, uncaught exceptions, failed requests.
    pub fn console(&mut self) -> Vec<String> {
        // An answer comes after the events before it.
        self.command("Runtime.evaluate", json!({ "expression": "0" }));
        self.events.drain(..).filter_map(|event| console_line(&event)).collect()
    }

    /// The whole page, also what is below the window's edge, as a PNG file.
    pub fn screenshot(&mut self, file: &Path) {
        let ask = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.command("Page.captureScreenshot", ask);
        let data = answer["data"].as_str().expect("a picture");
        let png = base64::engine::general_purpose::STANDARD.decode(data).expect("base 64");
        std::fs::create_dir_all(file.parent().expect("a file in a directory")).expect("the directory");
        std::fs::write(file, png).expect("the picture's file");
    }

    /// Any DevTools command; its result. Panics with the browser's error.
    #[track_caller]
    pub fn command(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let id = self.last;
        let text = json!({ "id": id, "method": method, "params": parameters }).to_string();
        self.socket.send(Message::text(text)).unwrap_or_else(|error| panic!("{method}: {error}"));
        let answer = loop {
            match self.read() {
                Some(answer) if answer["id"] == id => break answer,
                _ => continue,
            }
        };
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }

    /// Reads one message: an answer is given back, an event is kept.
    #[track_caller]
    fn read(&mut self) -> Option<Value> {
        let message =
            self.socket.read().unwrap_or_else(|error| panic!("the browser does not answer: {error}"));
        let message: Value = serde_json::from_str(message.to_text().ok()?).ok()?;
        if message["method"].is_null() {
            return Some(message);
        }
        self.events.push(message);
        None
    }
}

fn console_line(event: &Value) -> Option<String> {
    let parameters = &event["params"];
    match event["method"].as_str()? {
        "Runtime.consoleAPICalled" => {
            let words = parameters["args"].as_array()?.iter();
            let words: Vec<_> = words
                .map(|word| word["value"].as_str().map_or(word["value"].to_string(), str::to_owned))
                .collect();
            Some(format!("{}: {}", parameters["type"].as_str()?, words.join(" ")))
        }
        "Runtime.exceptionThrown" => {
            Some(format!("exception: {}", exception_text(&parameters["exceptionDetails"])))
        }
        "Log.entryAdded" => {
            let entry = &parameters["entry"];
            let part = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            Some(format!("{}: {} {}", part("level"), part("text"), part("url")))
        }
        _ => None,
    }
}

fn exception_text(details: &Value) -> String {
    let description = details["exception"]["description"].as_str().or(details["text"].as_str());
    description.unwrap_or("an exception without words").to_owned()
}
