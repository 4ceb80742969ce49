//! Waiting for a condition, with a deadline that says what did not happen; free ports; directories.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two looks at a condition.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The value of `look` as soon as it gives one; panics at the deadline with `what` and the last reason why not.
#[track_caller]
pub fn until<T>(what: &str, deadline: Duration, mut look: impl FnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match look() {
            Ok(value) => return value,
            Err(why) if started.elapsed() >= deadline => {
                panic!("{what}: not within {deadline:?}; last look: {why}")
            }
            Err(_) => std::thread::sleep(BETWEEN_LOOKS),
        }
    }
}

/// As [`until`], for a plain yes or no.
#[track_caller]
pub fn until_true(what: &str, deadline: Duration, mut look: impl FnMut() -> bool) {
    until(what, deadline, || look().then_some(()).ok_or_else(|| "no".into()));
}

/// A loopback port that nobody listens on now. Another process may take it first, so servers are started again if one did.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("the port just bound").port()
}

/// A fresh directory that goes with its value. Those of test processes that were killed are swept away here.
pub fn directory(kind: &str) -> tempfile::TempDir {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(parent).expect("target/tmp");
    sweep(parent);
    let prefix = format!("{kind}-{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir_in(parent).expect("a directory under target/tmp")
}

/// Directories are called `kind-PID-random`; without a process of that id nobody needs them.
fn sweep(parent: &Path) {
    for path in std::fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let owner = name.split('-').nth(1).and_then(|pid| pid.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            std::fs::remove_dir_all(&path).ok();
        }
    }
}

/// A file of this repository, by its path from the top.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
