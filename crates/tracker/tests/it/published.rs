//! Requests and answers of the adapters against what GitHub and Linear publish: the OpenAPI description of `@octokit/openapi` and the types of
//! `@linear/sdk`, installed by npm into the target folder at the versions pinned in `tests/contract`.

use crate::{github, linear, scripted::Asked, world::run_test};
use banksman_core::{
    id::JobId,
    job::{Job, JobState, JobWork, Outcome},
    port::tracker::Comment,
    text::JobName,
    work::Task,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A comment on a job.
pub(crate) fn comment() -> Comment {
    let task = Task::ResolveConflict { pull: banksman_core::id::Number(1) };
    let work = JobWork::Task { repo: "local/shop".parse().unwrap(), task, engine: "claude".parse().unwrap() };
    let at = Timestamp::UNIX_EPOCH;
    let job = Job {
        id: JobId(7),
        name: JobName::from_title("canary"),
        key: None,
        work,
        created_at: at,
        failures: 0,
        losses: 0,
        waits_for: 0,
        retry_of: None,
        state: JobState::Shipped { at, outcome: Outcome::Ran },
    };
    Comment::of(&job, &[]).unwrap()
}

/// Requests with the answers they got.
fn exchanges(asked: &[Asked], answers: &[(u16, &str)]) -> Vec<Value> {
    assert_eq!(asked.len(), answers.len());
    let pair = |(asked, (status, answer)): (&Asked, &(u16, &str))| {
        let answer: Value = serde_json::from_str(answer).unwrap();
        json!({ "method": asked.method, "path": asked.path, "body": asked.body, "status": status, "answer": answer })
    };
    asked.iter().zip(answers).map(pair).collect()
}

#[test]
fn requests_and_answers_fit_what_is_published() {
    run_test(async {
        let list = format!("[{}]", github::ISSUE);
        let label = (200, github::LABELS);
        let issue = (200, github::ISSUE);
        let answers = [issue, (200, &list), issue, label, label, issue, label, label, (201, github::COMMENT)];
        let github = exchanges(&github::all_calls().await, &answers);
        let issue = (200, linear::ISSUE);
        let answers = [issue, (200, linear::ISSUES), issue, (200, linear::SET), issue, (200, linear::SAID)];
        let linear = exchanges(&linear::all_calls().await, &answers);
        let Some(folder) = installed() else { return };
        let file = folder.join("exchanges.json");
        fs::write(&file, json!({ "github": github, "linear": linear }).to_string()).unwrap();
        let checked = Command::new("node").arg(folder.join("check.mjs")).arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{said}\n{}", String::from_utf8_lossy(&checked.stderr));
        assert!(said.contains("9 exchanges of GitHub, 6 of Linear"), "{said}");
    });
}

/// The folder with the published descriptions. `None` where there is no npm; never where `CI` is set.
fn installed() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tracker-contract");
    fs::create_dir_all(&folder).unwrap();
    for name in ["package.json", "install.sh", "check.mjs", "linear_schema.mjs"] {
        fs::copy(own.join(name), folder.join(name)).unwrap();
    }
    let done = Command::new("sh").arg("install.sh").current_dir(&folder).output().unwrap();
    if done.status.success() {
        return Some(folder);
    }
    let why = format!(
        "the descriptions of GitHub and Linear cannot be installed with npm: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(std::env::var_os("CI").is_none(), "{why}");
    eprintln!("NOT CHECKED: {why}");
    None
}
