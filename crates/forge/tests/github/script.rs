//! A wire that answers from a script and remembers what was asked. Time stands still but for pauses.

use banksman_core::{
    id::Number,
    text::{BranchName, RepoName, Sha},
};
use banksman_forge::github::{
    GithubForge, GithubSettings,
    transport::{Kind, Request, Response, SendError, Transport, Verb},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What the wire does with a request.
pub(crate) enum Answer {
    /// Answers with a status, headers and JSON.
    Json(u16, Vec<(&'static str, String)>, Value),
    /// Answers with bytes.
    Bytes(u16, Vec<u8>),
    /// The answer is lost; the effect happened.
    Lost,
    /// The host cannot be reached.
    NotSent,
}

/// A request that was made.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) operation: &'static str,
    pub(crate) verb: Verb,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) kind: Kind,
}

#[derive(Default)]
struct State {
    script: VecDeque<(&'static str, Answer)>,
    asked: Vec<Asked>,
}

/// The scripted wire. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Wire {
    state: Arc<Mutex<State>>,
    clock: Arc<Mutex<Timestamp>>,
}

impl Wire {
    /// A wire, and a client on it that has glanced at the repository, long enough ago to look again.
    pub(crate) async fn open() -> (Self, GithubForge<Wire>) {
        Self::with(GithubSettings::default()).await
    }

    pub(crate) async fn with(settings: GithubSettings) -> (Self, GithubForge<Wire>) {
        use banksman_core::port::Forge;
        let (wire, forge) = Self::new(settings);
        wire.ok("Glance", facts());
        forge.repo(&repo()).await.unwrap();
        wire.pass(31);
        (wire, forge)
    }

    pub(crate) fn new(settings: GithubSettings) -> (Self, GithubForge<Wire>) {
        let wire = Self::default();
        *wire.clock.lock().unwrap() = at(0);
        let clock = wire.clock.clone();
        let now = Arc::new(move || *clock.lock().unwrap());
        (wire.clone(), GithubForge::new(wire, settings, now))
    }

    /// The next request has this operation and gets this answer.
    pub(crate) fn then(&self, operation: &'static str, answer: Answer) -> &Self {
        self.state.lock().unwrap().script.push_back((operation, answer));
        self
    }

    /// GraphQL data, or the body of a REST answer, with status 200.
    pub(crate) fn ok(&self, operation: &'static str, body: Value) -> &Self {
        self.status(operation, 200, body)
    }

    pub(crate) fn status(&self, operation: &'static str, status: u16, body: Value) -> &Self {
        self.then(operation, Answer::Json(status, Vec::new(), body))
    }

    /// The requests so far whose operation is not one of the client's own look-ups at the start.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// The last request.
    pub(crate) fn last(&self) -> Asked {
        self.asked().pop().unwrap()
    }

    /// Everything in the script was asked for.
    pub(crate) fn done(&self) {
        let left: Vec<_> = self.state.lock().unwrap().script.iter().map(|(name, _)| *name).collect();
        assert!(left.is_empty(), "not asked for: {left:?}");
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.clock.lock().unwrap()
    }

    /// Time goes on.
    pub(crate) fn pass(&self, seconds: i64) {
        *self.clock.lock().unwrap() += SignedDuration::from_secs(seconds);
    }
}

impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, SendError> {
        let body = request.body.map_or(Value::Null, |body| serde_json::from_slice(&body).unwrap());
        let asked = Asked {
            operation: request.operation,
            verb: request.verb,
            path: request.path,
            body,
            kind: request.kind,
        };
        let mut state = self.state.lock().unwrap();
        let next = state.script.pop_front();
        state.asked.push(asked.clone());
        let (operation, answer) =
            next.unwrap_or_else(|| panic!("nothing was to be asked any more: {asked:?}"));
        assert_eq!(operation, asked.operation, "{asked:?}");
        let (status, headers, body) = match answer {
            Answer::Json(status, headers, body) => (status, headers, serde_json::to_vec(&body).unwrap()),
            Answer::Bytes(status, body) => (status, Vec::new(), body),
            Answer::Lost => return Err(SendError::NoAnswer),
            Answer::NotSent => return Err(SendError::NotSent),
        };
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Response { status, headers, body })
    }

    async fn pause(&self, how_long: Duration) {
        *self.clock.lock().unwrap() += SignedDuration::try_from(how_long).unwrap();
    }
}

pub(crate) const ME: u64 = 900;

pub(crate) fn repo() -> RepoName {
    RepoName::new("acme/shop").unwrap()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub(crate) fn sha(digit: char) -> Sha {
    Sha::new(&digit.to_string().repeat(40)).unwrap()
}

pub(crate) fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

pub(crate) const N: Number = Number(7);

/// GraphQL data with what every answer has.
pub(crate) fn data(mut data: Value) -> Value {
    data["rateLimit"] = json!({"cost": 1, "remaining": 4990, "resetAt": at(3000).to_string(), "limit": 5000});
    json!({ "data": data })
}

/// Data about the repository.
pub(crate) fn within(repository: Value) -> Value {
    data(json!({ "repository": repository }))
}

/// Data about one pull request.
pub(crate) fn of_pull(pull: Value) -> Value {
    within(json!({ "pullRequest": pull }))
}

/// What a glance sees of a repository without issues and pull requests; the facts alone are a part of it.
pub(crate) fn facts() -> Value {
    data(json!({
        "viewer": {"databaseId": ME},
        "repository": {
            "id": "R_1", "nameWithOwner": "acme/shop", "isArchived": false, "isDisabled": false, "isLocked": false,
            "isPrivate": true, "autoMergeAllowed": true, "squashMergeAllowed": true, "mergeCommitAllowed": true,
            "deleteBranchOnMerge": true, "mergeQueue": null,
            "defaultBranchRef": {"name": "main", "target": {"oid": sha('0')}},
            "pullRequests": {"nodes": [], "pageInfo": end()}, "issues": {"nodes": [], "pageInfo": end()},
            "epics": {"nodes": []}, "recent": {"nodes": []}, "refs": {"nodes": [], "pageInfo": end()},
        }
    }))
}

/// A GraphQL error.
pub(crate) fn refused(code: &str) -> Value {
    json!({"data": null, "errors": [{"type": code, "path": ["x"], "message": "canary"}]})
}

/// An open pull request that could be merged.
pub(crate) fn pull(number: u64) -> Value {
    json!({
        "id": format!("PR_{number}"), "number": number, "state": "OPEN", "isDraft": false,
        "mergeStateStatus": "CLEAN", "mergeable": "MERGEABLE", "headRefOid": sha('a'), "headRefName": "agent/5",
        "isCrossRepository": false, "headRepositoryOwner": {"login": "acme"}, "baseRefName": "epic/4-quality",
        "baseRef": {"refUpdateRule": null}, "author": {"login": "bot", "databaseId": ME},
        "additions": 3, "deletions": 1, "changedFiles": 2, "createdAt": at(0), "updatedAt": at(100),
        "closedAt": null, "mergedAt": null, "mergeCommit": null, "reviewDecision": null,
        "viewerCanEnableAutoMerge": false, "autoMergeRequest": null, "isInMergeQueue": false,
        "isMergeQueueEnabled": false,
        "statusCheckRollup": {
            "commit": {"oid": sha('a'), "committedDate": at(-50)},
            "contexts": {"nodes": [run("test", "SUCCESS")], "pageInfo": end()},
        },
        "reviewThreads": {"nodes": [], "pageInfo": end()},
        "latestOpinionatedReviews": {"nodes": [], "pageInfo": end()},
        "closingIssuesReferences": {"nodes": []},
    })
}

/// A check run of GitHub Actions that ended.
pub(crate) fn run(name: &str, conclusion: &str) -> Value {
    run_of(15368, name, conclusion)
}

pub(crate) fn run_of(app: u64, name: &str, conclusion: &str) -> Value {
    json!({"__typename": "CheckRun", "name": name, "status": "COMPLETED", "conclusion": conclusion,
           "checkSuite": {"createdAt": at(10), "app": {"databaseId": app}}})
}

pub(crate) fn end() -> Value {
    json!({"hasNextPage": false, "endCursor": "Y3Vyc29y"})
}

pub(crate) fn more() -> Value {
    json!({"hasNextPage": true, "endCursor": "Y3Vyc29y"})
}

/// An answer with open pull requests on one page.
pub(crate) fn open_pulls(pulls: Vec<Value>) -> Value {
    within(json!({"nameWithOwner": "acme/shop", "pullRequests": {"nodes": pulls, "pageInfo": end()}}))
}

/// An issue.
pub(crate) fn issue(number: u64, title: &str, labels: &[&str]) -> Value {
    let labels: Vec<Value> = labels.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "fullDatabaseId": (number * 1000).to_string(), "number": number, "state": "OPEN", "title": title,
        "author": {"databaseId": ME}, "createdAt": at(0), "closedAt": null, "updatedAt": at(5), "parent": null,
        "labels": {"nodes": labels, "pageInfo": end()},
    })
}

/// An answer with issues under the names of the document.
pub(crate) fn by_number(issues: Vec<Value>) -> Value {
    let mut answer = json!({"nameWithOwner": "acme/shop"});
    for (index, issue) in issues.into_iter().enumerate() {
        answer[format!("i{index}")] = issue;
    }
    within(answer)
}

/// Where a pull request stands.
pub(crate) fn state(head: char, more: Value) -> Value {
    let mut state = json!({
        "id": "PR_7", "state": "OPEN", "isDraft": false, "mergeable": "MERGEABLE", "mergeStateStatus": "CLEAN",
        "headRefOid": sha(head), "headRefName": "agent/5", "isCrossRepository": false, "mergedAt": null,
        "closedAt": null, "updatedAt": at(50), "mergeCommit": null, "author": {"databaseId": ME},
        "autoMergeRequest": null, "isMergeQueueEnabled": false, "mergeQueueEntry": null,
    });
    for (key, value) in more.as_object().unwrap() {
        state[key] = value.clone();
    }
    of_pull(state)
}
