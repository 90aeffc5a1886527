//! Calls through a program (`AQ_TRACKER_API_CMD`).

use crate::world::{TOKEN, run_test};
use banksman_core::{
    port::tracker::{Fault, ItemStatus, Misunderstanding, Tracker as _, TrackerError},
    text::ItemId,
};
use banksman_tracker::{AnyTracker, Program, Secret, TrackerSettings};
use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};
use tempfile::TempDir;

/// A program that is this script; what it is called with is in `calls`.
struct Stub {
    folder: TempDir,
    program: PathBuf,
}

impl Stub {
    fn new(script: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("with space").tempdir().unwrap();
        let program = folder.path().join("stub.sh");
        let calls = folder.path().join("calls");
        let text = format!(
            "#!/bin/sh\nprintf '%s|' \"$@\" >>'{0}'; echo \"$AQ_TRACKER_TOKEN\" >>'{0}'\n{script}\n",
            calls.display()
        );
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, program }
    }

    fn tracker(&self) -> AnyTracker {
        let settings = TrackerSettings {
            program: Program::parse(self.program.to_str().unwrap()),
            token: Secret::new(TOKEN.into()),
            product: Some("p1".into()),
            ..TrackerSettings::default()
        };
        AnyTracker::open(&settings).unwrap()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.folder.path().join("calls")).unwrap()
    }
}

fn item() -> ItemId {
    ItemId::new("T-1").unwrap()
}

#[test]
fn the_program_gets_method_path_and_json_and_the_token_by_its_environment() {
    run_test(async {
        let stub =
            Stub::new(r#"echo '{"id":"T-1","productId":"p1","title":"t","description":"d","labels":[]}'"#);
        let tracker = stub.tracker();
        assert_eq!(tracker.item(&item()).await.unwrap().description.as_str(), "d");
        tracker.set_status(&item(), ItemStatus::InProgress, None).await.unwrap();
        let expected =
            format!("GET|/items/T-1|{TOKEN}\nPATCH|/items/T-1|{{\"status\":\"in_progress\"}}|{TOKEN}\n");
        assert_eq!(stub.calls(), expected);
    });
}

#[test]
fn an_exit_code_is_a_failure_and_its_error_body_says_which() {
    run_test(async {
        let failed = TrackerError::Unavailable(Fault::Program(3));
        let cases = [
            ("exit 3", failed.clone()),
            ("echo canary; exit 3", failed.clone()),
            (r#"echo '{"error":{"code":"canary","message":"m"}}'; exit 3"#, failed),
            (r#"echo '{"error":{"code":"not_found","message":"m"}}'; exit 1"#, TrackerError::Missing(item())),
            (r#"echo '{"error":{"code":"unauthorized"}}'; exit 1"#, TrackerError::Refused),
            ("kill -9 $$", TrackerError::Unavailable(Fault::Unclear)),
            ("echo '{}'", TrackerError::Invalid(Misunderstanding::Answer("it is no item"))),
            ("yes | head -c 20000000", TrackerError::Invalid(Misunderstanding::Answer("it is too long"))),
        ];
        for (script, expected) in cases {
            assert_eq!(Stub::new(script).tracker().item(&item()).await.err(), Some(expected), "{script}");
        }
        let settings =
            TrackerSettings { program: Program::parse("/nowhere/canary"), ..TrackerSettings::default() };
        let error = AnyTracker::open(&settings).unwrap().item(&item()).await.err();
        assert_eq!(error, Some(TrackerError::Unavailable(Fault::NoProgram)));
    });
}

#[test]
fn a_program_may_have_arguments() {
    let program = |program: &str, args: &[&str]| {
        Some(Program { program: program.into(), args: args.iter().map(|&arg| arg.into()).collect() })
    };
    assert_eq!(Program::parse(" python3 stub.py -q "), program("python3", &["stub.py", "-q"]));
    assert_eq!(Program::parse("/usr/bin/true"), program("/usr/bin/true", &[]));
    assert_eq!(Program::parse("  "), None);
}
