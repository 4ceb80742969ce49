//! Definitions are data in the log: files that differ are refused with what differs, until somebody wants them.

use super::fixture::*;
use crate::support::wait;

#[test]
fn other_definitions_are_refused_with_the_difference_and_activated_on_demand() {
    let mut installation = embedded("{ kind = \"http\" }");
    let mut instance = installation.start("one", &[]);
    assert!(instance.process.terminate().success());

    let shipped = std::fs::read_to_string(wait::repository("config/roster.toml")).expect("the roster");
    let roster = installation.path().join("roster.toml");
    std::fs::write(
        &roster,
        shipped.replace(
            "team = \"harbour\", role = \"agent\", queues = [\"billing\", \"delivery\"]",
            "team = \"meadow\", role = \"agent\", queues = [\"billing\", \"delivery\"]",
        ),
    )
    .expect("a roster");
    installation.change(&format!("[files]\nroster = {roster:?}\n[periods]\ngrace = \"2 d\""));
    let mut refused = installation.launch("one", &[]);
    assert_eq!(refused.process.wait_exit(SOON).code(), Some(1));
    let output = refused.process.all_output();
    for line in ["--apply", "~ roster a05.team: harbour -> meadow", "~ grace: 3 d -> 2 d"] {
        assert!(output.contains(line), "{line} in {output}");
    }

    let mut instance = installation.start("one", &["--apply"]);
    wait::until_true("the activation on the ledger", SOON, || {
        let lines = instance.json("/api/v1/ledger?type=accepted");
        lines.as_array().map(Vec::len) == Some(2)
    });
    assert!(instance.process.terminate().success());
    let mut instance = installation.start("one", &[]);
    assert_eq!(instance.json("/api/v1/definitions")["grace_ms"], 48 * HOUR);
    assert!(instance.process.terminate().success());
}

#[test]
fn a_second_service_on_the_same_directory_is_refused() {
    let installation = embedded("{ kind = \"http\" }");
    let instance = installation.start("one", &[]);
    let mut second = installation.launch("two", &[]);
    assert_eq!(second.process.wait_exit(SOON).code(), Some(1));
    let output = second.process.all_output();
    assert!(output.contains("in use by another process"), "{output}");
    drop(instance);
}
