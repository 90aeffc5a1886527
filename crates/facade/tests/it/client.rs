//! The GitHub client of this workspace against the facade: what it does to a hosted repository it does to an embedded one, and
//! reads back what it did.

use crate::world::{World, send};
use axum::Router;
use banksman_core::{
    id::Number,
    intent::{EpicDraft, Made, MergeMethod, Phase, PhaseDraft, Step, Theme},
    port::{Accounted, Forge, IssueQuery, IssueText, PullQuery, ReviewDraft, ThreadDraft, book::BANKSMAN},
    say::Sentence,
    signals::{CheckState, MergeState, PullState, Signals},
    tainted::Tainted,
    text::{BranchName, EngineName, Fingerprint, Label, RepoName},
    work::Verdict,
};
use banksman_forge::{
    github::{
        AppId, GithubForge, GithubRepo, GithubSettings,
        governor::Pace,
        transport::{Request, Response, SendError, Transport},
    },
    local::Now,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The way to the facade without a socket. A pause is over at once: the world's clock goes on with every look at it.
pub(crate) struct Wire(pub(crate) Router);

impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, SendError> {
        let mut headers = vec![("host", "127.0.0.1"), ("authorization", "Bearer of-banksman")];
        headers.extend(request.headers.iter().map(|(name, value)| (*name, value.as_str())));
        let body = request.body.map(|body| serde_json::from_slice::<Value>(&body).unwrap());
        let path = match request.path.as_str() {
            "/graphql" => "/api/graphql".to_owned(),
            path => format!("/api/v3{path}"),
        };
        let answer = send(self.0.clone(), request.verb.as_str(), &path, body, &headers).await;
        let headers = answer.headers.iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        Ok(Response { status: answer.status.as_u16(), headers, body: answer.bytes })
    }

    async fn pause(&self, _how_long: Duration) {
        tokio::task::yield_now().await;
    }
}

struct Client {
    world: World,
    forge: GithubForge<Wire>,
    repo: RepoName,
}

/// The name of the world's repository on the facade.
pub(crate) fn repo() -> RepoName {
    RepoName::new("me/shop").unwrap()
}

/// A client that knows this repository, over such a way.
pub(crate) fn client<T: Transport>(wire: T, now: Now, pace: Pace) -> GithubForge<T> {
    let rules = GithubRepo { check_apps: BTreeSet::from([AppId(1)]), ..GithubRepo::default() };
    let repos = BTreeMap::from([(repo(), rules)]);
    let settings = GithubSettings { repos, pace, ..GithubSettings::default() };
    GithubForge::new(wire, settings, now)
}

impl Client {
    async fn new() -> Self {
        let world = World::new().await;
        let forge = client(Wire(world.over_tcp()), world.now(), Pace::Githubs);
        Self { world, forge, repo: repo() }
    }

    /// Does a step; then it can be found again, too.
    async fn step(&self, step: Step) -> Made {
        let since = (self.world.now())();
        let text = matches!(step, Step::CreateIssue { .. }).then(|| IssueText {
            title: Tainted::new("fix(api): mend it".to_owned()),
            body: Tainted::new("quoted".to_owned()),
            labels: vec![label("audit")],
        });
        let done = self.forge.perform(&self.repo, &step, text).await;
        let receipt = done.unwrap_or_else(|error| panic!("{step:?}: {error}"));
        let found = self.forge.find(&self.repo, &step, since, &Accounted::default()).await.unwrap();
        assert_eq!(found.map(|found| found.made), Some(receipt.made.clone()), "{step:?}");
        receipt.made
    }

    async fn issue(&self) -> Number {
        let made = self.step(Step::CreateIssue { fingerprint: Fingerprint::from_bytes([7; 16]) }).await;
        let Made::Issue { number } = made else { panic!("{made:?}") };
        number
    }

    async fn signals(&self, pull: Number) -> Signals {
        let found = self.forge.pulls(&self.repo, &PullQuery::Numbers(vec![pull])).await.unwrap().pop();
        found.unwrap()
    }
}

fn label(name: &str) -> Label {
    Label::new(name).unwrap()
}

fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

#[tokio::test]
async fn a_repository_is_what_it_is_on_the_embedded_forge() {
    let client = Client::new().await;
    let facts = client.forge.repo(&client.repo).await.unwrap();
    assert_eq!((facts.me, facts.default_branch), (BANKSMAN, branch("main")));
    assert_eq!(Some(facts.default_head), client.world.head("main"));
}

#[tokio::test]
async fn issues_are_made_linked_labelled_and_closed() {
    let client = Client::new().await;
    let (one, two) = (client.issue().await, client.issue().await);
    let epic = EpicDraft {
        theme: Theme::Security,
        part: None,
        phases: vec![PhaseDraft { phase: Phase::Parallel, children: vec![one, two] }],
    };
    let Made::Issue { number: epic } = client.step(Step::CreateEpic { epic }).await else { panic!() };
    client.step(Step::LinkChild { parent: epic, child: one }).await;
    client.step(Step::LinkBlocker { blocker: one, blocked: two }).await;
    client.step(Step::AddLabel { on: two, label: label("agent:claude") }).await;
    client.step(Step::Comment { on: two, say: Sentence::Parent { epic } }).await;
    client.step(Step::Tick { epic, children: vec![one] }).await;
    let list = client.forge.checklist(&client.repo, epic).await.unwrap();
    assert!(list.entry(one).unwrap().ticked && !list.entry(two).unwrap().ticked);
    let facts = client.forge.issues(&client.repo, &IssueQuery::Open).await.unwrap();
    assert_eq!(facts.iter().map(|issue| issue.number).collect::<Vec<_>>(), [one, two, epic]);
    assert_eq!((facts[0].parent, facts[0].author), (Some(epic), BANKSMAN));
    assert_eq!((facts[1].blocked_by.clone(), facts[1].has_label("agent:claude")), (vec![one], true));
    client.step(Step::CloseIssue { issue: one }).await;
    let closed = client.forge.issues(&client.repo, &IssueQuery::Numbers(vec![one])).await.unwrap();
    assert!(!closed[0].open);
}

#[tokio::test]
async fn a_pull_request_goes_from_its_branch_to_its_merge() {
    let client = Client::new().await;
    let (world, issue) = (&client.world, client.issue().await);
    client.step(Step::CreateBranch { branch: branch("epic/1-a") }).await;
    let head = world.push("topic", "new", "work\n");
    let made =
        client.step(Step::OpenPull { closes: issue, head: branch("topic"), base: branch("epic/1-a") }).await;
    let Made::Pull { number } = made else { panic!("{made:?}") };
    let signals = client.signals(number).await;
    assert_eq!(
        (&signals.state, &signals.head, signals.closes.as_slice()),
        (&PullState::Open, &head, &[issue][..])
    );
    assert_eq!(signals.checks[0].state, CheckState::Pending);
    let thread =
        ThreadDraft { path: Tainted::new("new".to_owned()), line: 1, body: Tainted::new("why?".to_owned()) };
    let reviewer = EngineName::new("critic").unwrap();
    let review = |head, verdict, threads| ReviewDraft {
        pull: number,
        head,
        reviewer: reviewer.clone(),
        verdict,
        threads,
    };
    client.forge.review(&client.repo, review(head.clone(), Verdict::Changes, vec![thread])).await.unwrap();
    let verdict = client.forge.reviewed(&client.repo, number, &head, &reviewer).await.unwrap();
    assert_eq!(verdict, Some(Verdict::Changes));
    let signals = client.signals(number).await;
    assert_eq!((signals.unresolved(), signals.reviews.changes_requested), (1, 1));
    let head = world.push("topic", "new", "better work\n");
    client.forge.review(&client.repo, review(head.clone(), Verdict::Approve, Vec::new())).await.unwrap();
    client.step(Step::ResolveThread { pull: number, thread: signals.threads[0].id }).await;
    world.check().await;
    let signals = client.signals(number).await;
    assert_eq!((signals.unresolved(), signals.reviews.changes_requested), (0, 0));
    assert_eq!(signals.merge_state, MergeState::Clean);
    assert!(signals.all_green());
    let made = client.step(Step::Merge { pull: number, head, method: MergeMethod::Squash }).await;
    assert_eq!(made, Made::Commit { sha: world.head("epic/1-a").unwrap() });
    assert!(matches!(client.signals(number).await.state, PullState::Merged { .. }));
}

#[tokio::test]
async fn a_branch_that_is_behind_is_updated_and_an_empty_one_deleted() {
    let client = Client::new().await;
    let world = &client.world;
    let issue = client.issue().await;
    world.push("topic", "new", "work\n");
    let made =
        client.step(Step::OpenPull { closes: issue, head: branch("topic"), base: branch("main") }).await;
    let Made::Pull { number } = made else { panic!("{made:?}") };
    let other = world.pull("other").await;
    world.check().await;
    world.did("PUT", &format!("/repos/me/shop/pulls/{other}/merge"), serde_json::json!({})).await;
    let head = world.head("topic").unwrap();
    let made = client.step(Step::UpdateBranch { pull: number, head }).await;
    assert_eq!(made, Made::Commit { sha: world.head("topic").unwrap() });
    client.step(Step::CreateBranch { branch: branch("epic/2-b") }).await;
    client.step(Step::DeleteBranch { branch: branch("epic/2-b"), at: None }).await;
    assert_eq!(world.head("epic/2-b"), None);
}
