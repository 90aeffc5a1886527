//! Things to put into a store: small, valid, told apart by numbers.

use banksman_core::{
    id::{ActorId, CommentId, Number, Token},
    intent::{Deed, Intent, Made, NewIntent, Receipt, label},
    journal::{JOURNAL_SCHEMA, JournalEntry, Origin, Totals},
    policy::{Action, Decision, WaitReason},
    port::{
        DecisionRecord, EpicRecord, Intended, Lease, NewTask, OutcomeDetail, OutcomeRecord, OutcomeResult,
        PlanRecord, Spend, Store,
    },
    signals::{AutoMerge, Check, CheckState, MergeState, Mergeable, PullState, Reviews, Signals},
    text::{BranchName, CheckName, EngineName, Holder, Login, RepoName, Sha},
    work::Task,
};
use jiff::{SignedDuration, Timestamp};

/// Milliseconds that leases last here.
pub const TTL: i64 = 60_000;

/// A moment, in seconds from the beginning of the story.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_750_000_000 + seconds)
}

/// The repository of most cases.
pub fn repo() -> RepoName {
    RepoName::new("local/shop").unwrap()
}

/// Another one.
pub fn other_repo() -> RepoName {
    RepoName::new("local/other").unwrap()
}

/// A holder by number.
pub fn holder(n: u32) -> Holder {
    Holder::new(&format!("host:{n}:1")).unwrap()
}

/// An engine by name.
pub fn engine(name: &str) -> EngineName {
    EngineName::new(name).unwrap()
}

/// A commit by number.
pub fn sha(n: u64) -> Sha {
    Sha::new(&format!("{n:040x}")).unwrap()
}

/// A branch by name.
pub fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

/// The lease of a repository, taken by holder 1 at the beginning.
pub async fn lease_of(store: &impl Store, repo: &RepoName) -> Lease {
    store.lease(repo, &holder(1), at(0), TTL).await.unwrap().expect("the lease is free")
}

/// The lease of [`repo`].
pub async fn lease(store: &impl Store) -> Lease {
    lease_of(store, &repo()).await
}

/// A dispatch of a child.
pub fn dispatch(child: u64) -> NewIntent {
    let deed = Deed::Dispatch {
        child: Number(child),
        epic: Number(1),
        branch: branch("epic/1-security"),
        label: label("agent:claude"),
    };
    NewIntent { repo: repo(), key: deed.key(0), subject: Number(child), deed, at: at(10) }
}

/// The spend of a dispatch: one task under a cap.
pub fn spend(cap: Option<u32>) -> Spend {
    Spend {
        implementer: engine("claude"),
        epic: Number(1),
        cost: 1,
        cap,
        window_start: at(-86_400),
        charge: None,
        day: None,
    }
}

/// A receipt of a comment.
pub fn receipt(n: u64) -> Receipt {
    Receipt { at: at(20 + i64::try_from(n).unwrap()), made: Made::Comment { id: CommentId(n) } }
}

/// The intent inside an answer.
pub fn inner(intended: Intended) -> Intent {
    match intended {
        Intended::New(intent) | Intended::Again(intent) | Intended::Exists(intent) => intent,
        Intended::OverCap | Intended::OverBudget(_) => panic!("over the cap or the budget"),
    }
}

/// A task: work on a child.
pub fn implement(child: u64, by: &str) -> NewTask {
    NewTask {
        repo: repo(),
        task: Task::Implement { child: Number(child), base: branch("epic/1-security") },
        engine: engine(by),
        at: at(10),
    }
}

/// A quiet open pull request with one check.
pub fn signals(pull: u64, head: u64, check: CheckState) -> Signals {
    Signals {
        number: Number(pull),
        state: PullState::Open,
        is_draft: false,
        merge_state: MergeState::Clean,
        mergeable: Mergeable::Mergeable,
        head: sha(head),
        head_at: at(i64::try_from(head).unwrap()),
        base: branch("epic/1-security"),
        head_branch: branch("agent/child-1"),
        author: ActorId(7),
        author_login: Login::new("agent").unwrap(),
        checks: vec![Check { name: CheckName::new("test").unwrap(), state: check }],
        reviews: Reviews::default(),
        threads: Vec::new(),
        auto_merge: AutoMerge::NotOffered,
        additions: 3,
        deletions: 1,
        changed_files: 1,
        created_at: at(0),
        updated_at: at(0),
        closes: vec![Number(1)],
    }
}

/// A decision to wait.
pub fn waiting() -> Decision {
    Decision { row: 14, action: Action::Wait { reason: WaitReason::ChecksPending } }
}

/// Observes at a moment, with the decision to wait.
pub async fn observe(store: &impl Store, lease: &Lease, signals: &Signals, at: Timestamp) {
    let decision = waiting();
    let record =
        DecisionRecord { repo: &lease.repo, signals, decision: &decision, policy: "rules", at, points: &[] };
    store.observe(lease, &record).await.unwrap();
}

/// An outcome.
pub fn outcome(pull: u64) -> OutcomeRecord {
    OutcomeRecord {
        repo: repo(),
        pull: Number(pull),
        result: OutcomeResult::Success,
        detail: OutcomeDetail::MergedAfterFixes,
        resolution_hours: 1.75,
        at: at(100),
    }
}

/// A plan.
pub fn plan(key: &str) -> PlanRecord {
    PlanRecord {
        key: key.to_owned(),
        plan: serde_json::json!({ "issues": [3, 1, 2], "theme": "security" }),
        created_at: at(5),
        done_at: None,
    }
}

/// An epic.
pub fn epic(number: u64) -> EpicRecord {
    EpicRecord {
        repo: repo(),
        number: Number(number),
        branch: branch(&format!("epic/{number}-security")),
        implementer: engine("claude"),
        created_at: at(5),
        ended_at: None,
    }
}

/// A journal line.
pub fn journal(child: u64) -> JournalEntry {
    JournalEntry {
        schema: JOURNAL_SCHEMA,
        repo: repo(),
        epic: Some(Number(1)),
        child: Number(child),
        pull: Some(Number(child + 100)),
        created_at: Some(at(0)),
        dispatched_at: Some(at(1)),
        opened_at: Some(at(2)),
        first_green_at: None,
        merged_at: Some(at(9)),
        commits: Vec::new(),
        review_cycles: Vec::new(),
        conflict_cycles: Vec::new(),
        ci_runs: Vec::new(),
        automations: Vec::new(),
        implementer: Some(engine("claude")),
        login: Login::new("agent").ok(),
        model: None,
        provider: None,
        additions: 10,
        deletions: 2,
        changed_files: 1,
        labels: vec![label("audit")],
        origin: Origin::default(),
        result: OutcomeResult::Success,
        detail: OutcomeDetail::MergedClean,
        totals: Totals::default(),
        duration_seconds: 8,
        at: at(10),
    }
}

/// The same lease as seen by one who lost it.
pub fn stale(lease: &Lease) -> Lease {
    Lease { token: Token(lease.token.0 - 1), holder: holder(1), ..lease.clone() }
}
