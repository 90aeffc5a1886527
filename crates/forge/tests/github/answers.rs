//! Answers of any shape: nothing panics, and what cannot be read is never taken for good news.

use crate::script::{N, Wire, open_pulls, pull, repo};
use banksman_core::{
    intent::{MergeMethod, Step},
    port::{Accounted, Forge, IssueQuery, PullQuery},
    say::Sentence,
    signals::MergeState,
};
use banksman_forge::github::{
    GithubSettings,
    transport::{Request, Response, SendError, Transport},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const NAMES: [&str; 17] = [
    "data",
    "repository",
    "nodes",
    "number",
    "state",
    "pullRequest",
    "id",
    "errors",
    "type",
    "pageInfo",
    "hasNextPage",
    "endCursor",
    "headRefOid",
    "mergeable",
    "viewer",
    "databaseId",
    "canary",
];
const WORDS: [&str; 7] = ["OPEN", "CLEAN", "RATE_LIMITED", "canary\u{202e}", "", "2026-11-21T12:00:00Z", "x"];

/// Any JSON, with the words and names that GitHub uses among others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        select(&WORDS[..]).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((select(&NAMES[..]), inner), 0..5).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>())
            }),
        ]
    })
}

/// Puts something else somewhere into an answer.
fn disturb(value: &mut Value, path: &[usize], with: Value) {
    let Some((first, rest)) = path.split_first() else {
        *value = with;
        return;
    };
    let children: Vec<&mut Value> = match value {
        Value::Object(map) => map.values_mut().collect(),
        Value::Array(list) => list.iter_mut().collect(),
        _ => Vec::new(),
    };
    let count = children.len();
    match children.into_iter().nth(if count == 0 { 0 } else { first % count }) {
        Some(child) => disturb(child, rest, with),
        None => *value = with,
    }
}

/// A wire that gives the same answer to everything.
struct Parrot {
    status: u16,
    body: Vec<u8>,
}

impl Transport for Parrot {
    async fn send(&self, _: Request) -> Result<Response, SendError> {
        Ok(Response { status: self.status, headers: Vec::new(), body: self.body.clone() })
    }
    async fn pause(&self, _: std::time::Duration) {}
}

async fn everything(status: u16, body: Vec<u8>) {
    let clock = Arc::new(std::sync::atomic::AtomicI64::new(1_800_000_000));
    let now = Arc::new(move || {
        let seconds = clock.fetch_add(2, std::sync::atomic::Ordering::Relaxed);
        jiff::Timestamp::from_second(seconds).unwrap()
    });
    let forge =
        banksman_forge::github::GithubForge::new(Parrot { status, body }, GithubSettings::default(), now);
    let repo = repo();
    let _ = forge.repo(&repo).await;
    let _ = forge.pulls(&repo, &PullQuery::Open).await;
    let _ = forge.pulls(&repo, &PullQuery::Numbers(vec![N])).await;
    let _ = forge.issues(&repo, &IssueQuery::Open).await;
    let _ = forge.checklist(&repo, N).await;
    let head = crate::script::sha('a');
    for step in [
        Step::Comment { on: N, say: Sentence::FixReviews },
        Step::Merge { pull: N, head: head.clone(), method: MergeMethod::Squash },
        Step::UpdateBranch { pull: N, head },
        Step::CloseIssue { issue: N },
    ] {
        let _ = forge.perform(&repo, &step, None).await;
        let _ = forge.find(&repo, &step, jiff::Timestamp::UNIX_EPOCH, &Accounted::default()).await;
    }
}

fn run<F: Future<Output = ()>>(test: F) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_json_and_no_bytes_make_it_panic(json in any_json(), bytes in vec(any::<u8>(), 0..64), status in select(vec![200u16, 201, 403, 404, 422, 500])) {
        run(everything(status, serde_json::to_vec(&json).unwrap()));
        run(everything(status, bytes));
    }

    #[test]
    fn a_disturbed_page_of_pull_requests_is_refused_or_read(path in vec(0usize..30, 0..7), with in any_json()) {
        run(async {
            let (wire, forge) = Wire::open().await;
            let mut page = open_pulls(vec![pull(7)]);
            disturb(&mut page, &path, with);
            // Whatever more is asked for is refused.
            for _ in 0..2 {
                wire.ok("OpenPulls", page.clone());
            }
            let Ok(Ok(found)) = tokio::spawn(async move { forge.pulls(&repo(), &PullQuery::Open).await }).await else {
                return;
            };
            for signals in found {
                // A check that vanished is not green.
                assert!(!signals.checks.is_empty() || !signals.all_green() || signals.merge_state == MergeState::Unknown);
            }
        });
    }
}

#[tokio::test]
async fn fields_that_nobody_asked_for_are_ignored() {
    let (wire, forge) = Wire::open().await;
    let mut one = pull(7);
    one["title"] = json!("canary");
    one["body"] = json!({"canary": ["canary"]});
    wire.ok("OpenPulls", open_pulls(vec![one]));
    let found = forge.pulls(&repo(), &PullQuery::Open).await.unwrap();
    assert!(!format!("{found:?}").contains("canary"));
}
