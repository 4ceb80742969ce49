//! The child processes of the server tests end with their tests, whatever happens to these.

#[path = "support/all.rs"]
mod support;

use std::process::Command;
use std::time::Duration;
use support::process::Process;
use support::wait;

const SOON: Duration = Duration::from_secs(20);

fn shell(script: &str) -> Process {
    let mut command = Command::new("bash");
    command.args(["-c", script]);
    Process::start("shell", &command)
}

/// The state letter of a process in /proc: R, S, T (stopped), Z; `None` when there is none.
fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

#[test]
fn lines_of_both_streams_are_found_even_after_the_end() {
    let mut process = shell("echo out; echo err >&2; exit 3");
    assert_eq!(process.wait_for_line("err", SOON), "err");
    assert_eq!(process.wait_for_line("ou", SOON), "out");
    assert_eq!(process.wait_exit(SOON).code(), Some(3));
}

#[test]
#[should_panic(expected = "it ended first")]
fn waiting_for_a_line_of_an_ended_process_fails_at_once() {
    shell("echo other").wait_for_line("never", SOON);
}

#[test]
#[should_panic(expected = "last look: 2 of 3")]
fn a_deadline_says_what_was_seen_last() {
    wait::until("three", Duration::ZERO, || Err::<(), _>("2 of 3".into()));
}

#[test]
fn a_process_freezes_wakes_and_stops_in_order() {
    let mut process = shell("trap 'echo drained; exit 0' TERM; echo up; while :; do sleep 0.02; done");
    process.wait_for_line("up", SOON);
    process.pause();
    wait::until_true("frozen", SOON, || state(process.pid()) == Some('T'));
    process.resume();
    wait::until_true("awake", SOON, || state(process.pid()) != Some('T'));
    assert!(process.terminate().success());
    process.wait_for_line("drained", SOON);
}

#[test]
fn a_dropped_process_is_gone() {
    let process = shell("exec sleep 600");
    let pid = process.pid();
    drop(process);
    assert_eq!(state(pid), None);
}

#[test]
fn a_process_dies_with_a_killed_test() {
    // This program once more, as the test process that is killed.
    let mut test = shell(&format!("exec {} --exact tethered_child --nocapture", quoted_self()));
    let line = test.wait_for_line("child ", SOON);
    let pid: u32 = line.rsplit(' ').next().and_then(|word| word.parse().ok()).expect("a process id");
    assert!(state(pid).is_some());
    test.kill();
    wait::until_true("the child's end", SOON, || matches!(state(pid), None | Some('Z')));
}

fn quoted_self() -> String {
    format!("env HARNESS_ROLE=test '{}'", std::env::current_exe().expect("this program").display())
}

/// Not a check by itself: the other half of the test above, which runs it in a process of its own and kills that.
#[test]
fn tethered_child() {
    if std::env::var_os("HARNESS_ROLE").is_none() {
        return;
    }
    let process = shell("exec sleep 600");
    println!("child {}", process.pid());
    loop {
        std::thread::park();
    }
}
