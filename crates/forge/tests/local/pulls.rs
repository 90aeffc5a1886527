//! Pull requests: opening, heads, sizes, states.

use crate::world::{World, branch, label, plain, text};
use banksman_core::{
    intent::{MergeMethod, Step},
    port::{
        Forge, PullQuery, Refusal,
        book::{HeadFate, Presence, Readiness, Select},
    },
    signals::{CheckState, MergeState, Mergeable, PullState},
};
use banksman_forge::local::{Freshness, LocalError, PullDraft};

pub(crate) fn draft(head: &str) -> PullDraft {
    PullDraft {
        title: text("mine"),
        body: text("look"),
        head: branch(head),
        base: None,
        closes: None,
        readiness: Readiness::Ready,
        head_fate: HeadFate::Kept,
    }
}

#[tokio::test]
async fn opening_the_same_pull_request_twice_gives_the_same_number() {
    let world = World::new().await;
    let issue = world.issue("fix: a").await;
    let since = world.now();
    let step = Step::OpenPull { closes: issue, head: branch("agent/1"), base: branch("main") };
    assert_eq!(world.refused(step.clone()).await, Refusal::NotFound);
    world.git(&["branch", "agent/1"]);
    assert_eq!(world.refused(step.clone()).await, Refusal::Nothing);
    world.push("agent/1", "app", "1\n");
    assert!(world.found(&step, since).await.is_none());
    let first = world.done(step.clone()).await;
    assert_eq!(world.done(step.clone()).await.made, first.made);
    assert_eq!(world.found(&step, since).await.map(|r| r.made), Some(first.made));
}

#[tokio::test]
async fn a_pull_request_belongs_to_the_engine_that_its_issue_was_handed_to() {
    let world = World::new().await;
    let issue = world.issue("fix: a").await;
    world.done(Step::AddLabel { on: issue, label: label("agent:claude") }).await;
    world.push("agent/1", "app", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    let signals = world.signals(pull).await;
    assert_eq!((signals.author_login.as_str(), signals.closes), ("claude[bot]", vec![issue]));
    let view = world.desk("ann").await.pull(pull).await.unwrap();
    assert_eq!((plain(&view.summary.title), plain(&view.body)), ("fix: a".into(), "Closes #1".into()));
}

#[tokio::test]
async fn signals_tell_size_checks_and_state() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    let head = world.push("agent/1", "app", "one\n2\nthree\nfour\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    let signals = world.signals(pull).await;
    assert_eq!((signals.additions, signals.deletions, signals.changed_files), (2, 1, 1));
    assert_eq!(
        (signals.state, signals.head, signals.mergeable),
        (PullState::Open, head, Mergeable::Mergeable)
    );
    assert_eq!((signals.checks[0].state, signals.merge_state), (CheckState::Pending, MergeState::Blocked));
    world.checked().await;
    let signals = world.signals(pull).await;
    assert_eq!((signals.checks[0].state, signals.merge_state), (CheckState::Passing, MergeState::Clean));
    let diff = plain(&world.desk("ann").await.diff(pull).await.unwrap());
    assert!(diff.contains("-two\n+2"), "{diff}");
}

#[tokio::test]
async fn a_conflict_is_dirty_and_a_base_that_went_on_is_no_conflict() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.push("agent/1", "app", "one\n2\nthree\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    world.push("epic/x", "other", "x\n");
    world.git(&["merge", "-q", "epic/x"]);
    world.checked().await;
    assert_eq!(world.signals(pull).await.merge_state, MergeState::Clean);
    world.git(&["switch", "-q", "--detach"]);
    let base = world.push("main", "app", "one\nzwei\nthree\n");
    let signals = world.signals(pull).await;
    assert_eq!((signals.merge_state, signals.mergeable), (MergeState::Dirty, Mergeable::Conflicting));
    let merge = world.merge_step(pull, &signals.head, MergeMethod::Squash);
    assert_eq!(world.refused(merge).await, Refusal::Conflict);
    let update = Step::UpdateBranch { pull, head: signals.head };
    assert_eq!(world.refused(update).await, Refusal::Conflict);
    assert_eq!(world.head("main"), Some(base));
}

#[tokio::test]
async fn behind_is_said_only_where_the_base_wants_fresh_heads_and_nothing_else_is_missing() {
    let world = World::with(|rules| rules.freshness = Freshness::UpToDate).await;
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    world.git(&["switch", "-q", "--detach"]);
    let base = world.push("main", "other", "x\n");
    assert_eq!(world.signals(pull).await.merge_state, MergeState::Blocked);
    world.checked().await;
    let signals = world.signals(pull).await;
    assert_eq!(signals.merge_state, MergeState::Behind);
    let merge = world.merge_step(pull, &signals.head, MergeMethod::Squash);
    assert_eq!(world.refused(merge).await, Refusal::NotAllowed);
    let step = Step::UpdateBranch { pull, head: signals.head.clone() };
    let since = world.now();
    assert!(world.found(&step, since).await.is_none());
    let done = world.done(step.clone()).await;
    assert_eq!(world.found(&step, since).await.map(|r| r.made), Some(done.made));
    assert_eq!(world.refused(step).await, Refusal::HeadMoved);
    let now = world.signals(pull).await;
    assert_eq!(
        world.git(&["log", "-1", "--format=%P %an", "agent/1"]).trim(),
        format!("{} {base} Banksman", signals.head)
    );
    assert!(now.head_at > signals.head_at && now.checks[0].state == CheckState::Pending);
    world.merged(pull, MergeMethod::Squash).await;
    assert_eq!(world.refused(Step::UpdateBranch { pull, head: now.head }).await, Refusal::Ended);
}

#[tokio::test]
async fn a_head_that_is_up_to_date_is_not_updated() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    let head = world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    assert_eq!(world.refused(Step::UpdateBranch { pull, head }).await, Refusal::Nothing);
}

#[tokio::test]
async fn a_draft_is_not_merged_until_it_is_ready() {
    let world = World::new().await;
    let ann = world.desk("ann").await;
    let head = world.push("mine", "one", "1\n");
    let pull = ann.open_pull(PullDraft { readiness: Readiness::Draft, ..draft("mine") }).await.unwrap();
    world.checked().await;
    let signals = world.signals(pull).await;
    assert_eq!((signals.is_draft, signals.merge_state), (true, MergeState::Draft));
    assert!(ann.merge(pull, &head, MergeMethod::Merge).await.is_err());
    ann.set_readiness(pull, Readiness::Ready).await.unwrap();
    ann.merge(pull, &head, MergeMethod::Merge).await.unwrap();
    assert_eq!(world.head("mine"), Some(head), "a person's branch stays unless they say otherwise");
}

#[tokio::test]
async fn a_closed_pull_request_can_be_opened_again_and_a_merged_one_cannot() {
    let world = World::new().await;
    let ann = world.desk("ann").await;
    let head = world.push("mine", "one", "1\n");
    let pull = ann.open_pull(draft("mine")).await.unwrap();
    ann.label(pull, &label("wip"), Presence::Present).await.unwrap();
    ann.close_pull(pull).await.unwrap();
    assert!(matches!(world.signals(pull).await.state, PullState::Closed { .. }));
    assert!(ann.pulls(&Select::Open).await.unwrap().is_empty());
    assert_eq!(world.refused(world.merge_step(pull, &head, MergeMethod::Merge)).await, Refusal::Ended);
    ann.reopen_pull(pull).await.unwrap();
    assert_eq!(ann.pulls(&Select::Open).await.unwrap()[0].labels, [label("wip")]);
    world.checked().await;
    ann.merge(pull, &head, MergeMethod::Merge).await.unwrap();
    assert!(matches!(ann.reopen_pull(pull).await, Err(LocalError::Refused(Refusal::Ended))));
    let signals = world.signals(pull).await;
    assert_eq!((signals.additions, signals.changed_files), (1, 1));
    assert!(plain(&ann.diff(pull).await.unwrap()).contains("+1"));
}

#[tokio::test]
async fn a_branch_name_that_is_not_of_our_shape_is_left_out() {
    let world = World::new().await;
    let head = world.head("main").unwrap();
    for name in ["weird;rm -rf", "quote\"'`", "emoji-\u{1f600}", "a@b", "-x"] {
        let file = world.tree().join(".git/refs/heads").join(name);
        std::fs::write(file, format!("{head}\n")).unwrap();
    }
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    let names: Vec<String> =
        world.desk("ann").await.branches().await.unwrap().iter().map(|(n, _)| n.to_string()).collect();
    assert_eq!(names, ["agent/1", "main"]);
    world.git(&["pack-refs", "--all"]);
    let names: Vec<String> =
        world.desk("ann").await.branches().await.unwrap().iter().map(|(n, _)| n.to_string()).collect();
    assert_eq!(names, ["agent/1", "main"]);
    world.merged(pull, MergeMethod::Merge).await;
}

#[tokio::test]
async fn branches_are_made_at_the_default_head_and_the_default_branch_cannot_be_deleted() {
    let world = World::new().await;
    let main = world.head("main").unwrap();
    world.done(Step::CreateBranch { branch: branch("epic/1-x") }).await;
    assert_eq!(world.head("epic/1-x"), Some(main.clone()));
    let since = world.now();
    assert!(world.found(&Step::CreateBranch { branch: branch("epic/1-x") }, since).await.is_some());
    let delete = |at| Step::DeleteBranch { branch: branch("epic/1-x"), at };
    assert_eq!(
        world.refused(Step::DeleteBranch { branch: branch("main"), at: Some(main) }).await,
        Refusal::NotAllowed
    );
    let moved = world.push("epic/1-x", "one", "1\n");
    world.done(delete(None)).await;
    assert_eq!(world.head("epic/1-x"), Some(moved.clone()), "it has what main lacks");
    world.done(delete(Some(world.head("main").unwrap()))).await;
    assert_eq!(world.head("epic/1-x"), Some(moved.clone()), "it moved on");
    world.done(delete(Some(moved))).await;
    assert_eq!(world.head("epic/1-x"), None);
    assert!(world.found(&delete(None), since).await.is_some());
}

#[tokio::test]
async fn pull_requests_into_a_deleted_branch_move_to_the_default_branch() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.done(Step::CreateBranch { branch: branch("epic/1-x") }).await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "epic/1-x").await;
    world.done(Step::DeleteBranch { branch: branch("epic/1-x"), at: None }).await;
    assert_eq!(world.signals(pull).await.base, branch("main"));
    // Deleted by hand it comes to the same.
    world.done(Step::CreateBranch { branch: branch("epic/2-x") }).await;
    world.push("agent/2", "two", "2\n");
    let two = world.pull(issue, "agent/2", "epic/2-x").await;
    world.git(&["branch", "-q", "-D", "epic/2-x"]);
    let pulls = world.forge.pulls(&world.repo, &PullQuery::Open).await.unwrap();
    assert_eq!(pulls.iter().find(|p| p.number == two).unwrap().base, branch("main"));
}
