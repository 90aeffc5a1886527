//! The graph of a job's stages, written as a list: what is in it happens, whatever is not in it is refused (Q6, I6).

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_core::{
    id::{AttemptId, JobId, Number, Token},
    job::{Held, IllegalMove, Job, JobEvent, JobState, JobWork, Move, Outcome, Stage, Why},
    manifest::{Defaults, parse},
    port::{AttemptRecord, Measured},
    text::{BranchName, Holder, JobName, Sha},
    work::{FailReason, SandboxLevel, Task, Usage, Verdict},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Debug, path::Path};

/// State, event, state that follows; all others are refused.
const GRAPH: [(&str, &str, &str); 26] = [
    ("inbox", "claimed", "building"),
    ("inbox", "failed by a dependency", "failed"),
    ("inbox", "cancelled", "cancelled"),
    ("waiting", "claimed", "building"),
    ("waiting", "failed by a dependency", "failed"),
    ("waiting", "cancelled", "cancelled"),
    ("building", "built", "review"),
    ("building", "again", "waiting"),
    ("building", "failed", "failed"),
    ("building", "failed by a dependency", "failed"),
    ("building", "cancelled", "cancelled"),
    ("review", "approved", "testing"),
    ("review", "sent_back", "building"),
    ("review", "again", "waiting"),
    ("review", "failed", "failed"),
    ("review", "failed by a dependency", "failed"),
    ("review", "cancelled", "cancelled"),
    ("testing", "proved", "shipped"),
    ("testing", "sent_back", "building"),
    ("testing", "again", "waiting"),
    ("testing", "failed", "failed"),
    ("testing", "failed by a dependency", "failed"),
    ("testing", "cancelled", "cancelled"),
    // Nothing leads out of the final ones.
    ("shipped", "-", "-"),
    ("failed", "-", "-"),
    ("cancelled", "-", "-"),
];

fn early() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn late() -> Timestamp {
    early() + SignedDuration::from_mins(5)
}

fn held(attempt: u64) -> Held {
    let holder = Holder::new(&format!("host:{attempt}")).unwrap();
    Held { attempt: AttemptId(attempt), holder, token: Token(attempt + 6), until: late() }
}

fn published() -> Outcome {
    Outcome::Published { branch: BranchName::new("b").unwrap(), sha: Sha::new(&"a".repeat(40)).unwrap() }
}

fn states() -> [JobState; 8] {
    [
        JobState::Inbox { not_before: early() },
        JobState::Waiting { not_before: early() },
        JobState::Building(held(1)),
        JobState::Review(held(1)),
        JobState::Testing(held(1)),
        JobState::Shipped { at: early(), outcome: Outcome::Ran },
        JobState::Failed { at: early(), reason: FailReason::NoCommit },
        JobState::Cancelled { at: early() },
    ]
}

fn events() -> Vec<JobEvent> {
    let mut events = vec![JobEvent::Claimed(held(2)), JobEvent::Built, JobEvent::Approved];
    let outcomes = [published(), Outcome::Reviewed { verdict: Verdict::Changes }, Outcome::Ran];
    events.extend(outcomes.map(|outcome| JobEvent::Proved { outcome, at: late() }));
    events.extend([Why::Changes, Why::Refuted].map(|why| JobEvent::SentBack { why }));
    let why = [Why::Retried(FailReason::NoCommit), Why::Limited, Why::Lost, Why::Interrupted];
    events.extend(why.map(|why| JobEvent::Again { not_before: late(), why }));
    let reasons = [FailReason::ExitCode, FailReason::VerifyFailed, FailReason::Dependency];
    events.extend(reasons.map(|reason| JobEvent::Failed { reason, at: late() }));
    events.push(JobEvent::Cancelled { at: late() });
    events
}

/// The word of the list; `waiting` is between two attempts, in stage `building`.
fn state_word(state: &JobState) -> &'static str {
    match state {
        JobState::Waiting { .. } => "waiting",
        state => state.stage().as_str(),
    }
}

fn event_word(event: &JobEvent) -> &'static str {
    match event {
        JobEvent::Failed { reason: FailReason::Dependency, .. } => "failed by a dependency",
        event => event.name(),
    }
}

#[test]
fn a_job_moves_along_its_graph_only() {
    for state in states() {
        for event in events() {
            let (from, by) = (state_word(&state), event_word(&event));
            let allowed = GRAPH.iter().find(|(f, b, _)| (*f, *b) == (from, by)).map(|(_, _, to)| *to);
            match state.next(event.clone()) {
                Ok(next) => {
                    assert_eq!(Some(state_word(&next)), allowed, "{from} {by}");
                    assert_eq!(next, expected(&state, &event), "{from} {by}");
                }
                Err(illegal) => {
                    assert_eq!(allowed, None, "{from} {by}");
                    assert_eq!(illegal, IllegalMove { stage: state.stage(), event: event.name() });
                }
            }
        }
    }
}

/// The data of the next state: the hold stays the same from claim to end, times and reasons are those of the event.
fn expected(state: &JobState, event: &JobEvent) -> JobState {
    let hold = || state.held().unwrap().clone();
    match event.clone() {
        JobEvent::Claimed(held) => JobState::Building(held),
        JobEvent::Built => JobState::Review(hold()),
        JobEvent::Approved => JobState::Testing(hold()),
        JobEvent::Proved { outcome, at } => JobState::Shipped { at, outcome },
        JobEvent::SentBack { .. } => JobState::Building(hold()),
        JobEvent::Again { not_before, .. } => JobState::Waiting { not_before },
        JobEvent::Failed { reason, at } => JobState::Failed { at, reason },
        JobEvent::Cancelled { at } => JobState::Cancelled { at },
    }
}

#[test]
fn every_line_of_the_graph_happens() {
    for (from, by, _) in GRAPH.iter().filter(|(_, by, _)| *by != "-") {
        let happens = states().iter().filter(|state| state_word(state) == *from).any(|state| {
            events().into_iter().any(|event| event_word(&event) == *by && state.next(event).is_ok())
        });
        assert!(happens, "{from} {by}");
    }
}

#[test]
fn stages_hold_what_they_say() {
    for state in states() {
        assert_eq!(state.is_final(), ["shipped", "failed", "cancelled"].contains(&state.stage().as_str()));
        assert_eq!(state.is_waiting(), ["inbox", "waiting"].contains(&state_word(&state)));
        // A job is waiting, held or final: one of the three.
        let kinds = [state.is_waiting(), state.held().is_some(), state.is_final()];
        assert_eq!(kinds.iter().filter(|yes| **yes).count(), 1, "{state:?}");
        // What is final refuses every event.
        assert!(!state.is_final() || events().into_iter().all(|event| state.next(event).is_err()));
    }
    assert_eq!(Stage::ALL.map(Stage::as_str).len(), 7);
}

#[test]
fn the_record_says_why() {
    let whys: Vec<Why> = events().iter().map(JobEvent::why).collect();
    let passed = [Why::Passed; 5];
    assert_eq!(whys[0], Why::Claimed);
    assert_eq!(whys[1..6], passed);
    let rest = [
        Why::Changes,
        Why::Refuted,
        Why::Retried(FailReason::NoCommit),
        Why::Limited,
        Why::Lost,
        Why::Interrupted,
        Why::Failed(FailReason::ExitCode),
        Why::Failed(FailReason::VerifyFailed),
        Why::Failed(FailReason::Dependency),
        Why::Cancelled,
    ];
    assert_eq!(whys[6..], rest);
}

fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
}

#[test]
fn jobs_moves_and_attempts_survive_the_store() {
    for stage in Stage::ALL {
        survives(&stage);
        assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
    }
    let text = "---\nengine: claude\nlock: db\ndepends-on: [1, k]\nverify: [make]\nx-a: {b: [1, two]}\n---\n";
    let (manifest, _) = parse(text).unwrap();
    let spec = manifest.resolve(&BTreeMap::new(), &Defaults::default(), Path::new("/w"), early()).unwrap();
    let task = Task::Implement { child: Number(3), base: BranchName::new("main").unwrap() };
    let works = [
        JobWork::Manifest(Box::new(spec)),
        JobWork::Task { repo: "local/app".parse().unwrap(), task, engine: "claude".parse().unwrap() },
    ];
    for work in works {
        for state in states() {
            survives(&Job {
                id: JobId(7),
                name: JobName::new("fix-login").unwrap(),
                key: Some("k".parse().unwrap()),
                work: work.clone(),
                created_at: early(),
                failures: 1,
                losses: 2,
                waits_for: 3,
                retry_of: Some(JobId(5)),
                state,
            });
        }
    }
    for why in events().iter().map(JobEvent::why).chain([Why::Added]) {
        let (from, attempt) = (Some(Stage::Inbox), Some(AttemptId(1)));
        survives(&Move { from, to: Stage::Building, at: late(), who: held(1).holder, why, attempt });
    }
    let measured = Measured {
        sandbox: Some(SandboxLevel::Bubblewrap),
        exit_code: Some(1),
        cpu_ms: Some(5),
        usage: Usage { tokens_in: Some(1), cost_usd: Some(0.25), ..Usage::default() },
        ..Measured::default()
    };
    survives(&AttemptRecord {
        attempt: AttemptId(1),
        job: JobId(7),
        engine: "claude".parse().unwrap(),
        holder: held(1).holder,
        started_at: early(),
        ended_at: Some(late()),
        failure: Some(FailReason::TimedOut),
        measured,
    });
}

#[test]
fn a_jobs_branch_is_always_valid() {
    let (manifest, _) = parse("").unwrap();
    let spec = manifest.resolve(&BTreeMap::new(), &Defaults::default(), Path::new("/w"), early()).unwrap();
    let job = |name: &str, branch: Option<&str>| Job {
        id: JobId(7),
        name: JobName::new(name).unwrap(),
        key: None,
        work: JobWork::Manifest(Box::new(banksman_core::manifest::JobSpec {
            branch: branch.map(|b| b.parse().unwrap()),
            ..spec.clone()
        })),
        created_at: early(),
        failures: 0,
        losses: 0,
        waits_for: 0,
        retry_of: None,
        state: JobState::Inbox { not_before: early() },
    };
    assert_eq!(job("fix-login", None).branch().as_str(), "job/7-fix-login");
    assert_eq!(job("a..b", None).branch().as_str(), "job/7");
    assert_eq!(job("cargo.lock", None).branch().as_str(), "job/7");
    assert_eq!(job("fix-login", Some("topic/x")).branch().as_str(), "topic/x");
}
