//! A child process that never outlives its test: stopped when its value is dropped, and killed by its tether when the test
//! process itself is killed. It can be killed, frozen and woken by process id, and its output is kept line by line.

use super::wait;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Becomes the command given to it, and leaves a watcher that kills it when the standard input of both closes, which is when
/// the test process is gone. The watcher kills only while the command is still its parent, so never a stranger with that id.
const TETHER: &str = r#"
exec 3<&0
( cat <&3; read -r _ _ _ parent _ </proc/$BASHPID/stat; [ "$parent" = $$ ] && kill -9 $$ ) >/dev/null 2>&1 &
exec "$@" 3<&- </dev/null
"#;

/// How long a process may take to end after SIGTERM or SIGKILL.
const TO_END: Duration = Duration::from_secs(30);

/// A running child process. Dropping it kills it (SIGKILL).
pub struct Process {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts `command`, with its program, arguments, environment and directory, and collects what it prints.
    pub fn start(name: &str, command: &Command) -> Process {
        let mut child =
            tethered(command).spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let lines = Arc::default();
        let out = collect(child.stdout.take().expect("a piped stdout"), &lines);
        let err = collect(child.stderr.take().expect("a piped stderr"), &lines);
        Process { name: name.into(), child, lines, readers: vec![out, err] }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet (a frozen process runs).
    pub fn is_running(&mut self) -> bool {
        self.exit_status().is_none()
    }

    /// How it ended, if it did.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// SIGKILL: it has no chance to tidy up. Returns when it is gone.
    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().expect("a child can be waited for");
    }

    /// SIGTERM and waiting for its end: the orderly stop.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait_exit(TO_END)
    }

    /// SIGSTOP: it freezes where it is, with its connections open.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// SIGCONT: it goes on as if no time had passed.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Sends the signal of that name (`TERM`, `INT`, `STOP`, …). Harmless once it has ended.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        Command::new("kill")
            .args(["-s", name, &pid])
            .stderr(Stdio::null())
            .status()
            .expect("the kill command runs");
    }

    /// Waits for its end; panics with its last lines at the deadline.
    #[track_caller]
    pub fn wait_exit(&mut self, deadline: Duration) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        wait::until(&what, deadline, || {
            self.exit_status().ok_or_else(|| format!("it runs:\n{}", self.tail()))
        })
    }

    /// The first line that contains `part`, from the start of its output; panics when it ends or the deadline comes first.
    #[track_caller]
    pub fn wait_for_line(&mut self, part: &str, deadline: Duration) -> String {
        self.wait_for(&format!("a line with {part:?}"), deadline, |line| line.contains(part))
    }

    /// The first line that `fits`, from the start of its output; panics when it ends or the deadline comes first.
    #[track_caller]
    pub fn wait_for(&mut self, what: &str, deadline: Duration, fits: impl Fn(&str) -> bool) -> String {
        let what = format!("{}: {what}", self.name);
        wait::until(&what, deadline, || {
            let ended = self.exit_status();
            if ended.is_some() {
                self.drain();
            }
            let found = self.lines().into_iter().find(|line| fits(line));
            assert!(
                found.is_some() || ended.is_none(),
                "{what}: it ended first ({ended:?}):\n{}",
                self.tail()
            );
            found.ok_or_else(|| format!("its lines so far:\n{}", self.tail()))
        })
    }

    /// Everything printed so far, both streams in the order of arrival.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no reader panics").clone()
    }

    /// Everything that it printed, once it has ended.
    pub fn all_output(&mut self) -> String {
        self.drain();
        self.lines().join("\n")
    }

    /// Its last 30 lines, for failure messages.
    pub fn tail(&self) -> String {
        let lines = self.lines();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// After its end: waits until its last lines are collected.
    fn drain(&mut self) {
        for reader in self.readers.drain(..) {
            reader.join().ok();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn tethered(command: &Command) -> Command {
    let mut tether = Command::new("bash");
    tether.args(["-c", TETHER, "tether"]).arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => tether.env(key, value),
            None => tether.env_remove(key),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        tether.current_dir(directory);
    }
    tether.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    tether
}

fn collect(stream: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            lines.lock().expect("no other reader panics").push(String::from_utf8_lossy(&line).into_owned());
        }
    })
}
