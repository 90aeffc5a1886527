//! Reviews and threads: what counts and what does not.

use crate::world::{World, branch, label, plain, text};
use banksman_core::{
    id::Number,
    intent::{MergeMethod, Step},
    port::{
        BriefFor, Forge, Refusal, ReviewDraft, ThreadDraft,
        book::{NewThread, Opinion},
    },
    signals::MergeState,
    text::EngineName,
    work::{Task, Verdict},
};
use banksman_forge::local::LocalError;

fn engine(name: &str) -> EngineName {
    EngineName::new(name).unwrap()
}

async fn reviewed_world() -> (World, Number) {
    let world = World::with(|rules| rules.required_approvals = 1).await;
    let issue = world.issue("fix: a").await;
    world.done(Step::AddLabel { on: issue, label: label("agent:claude") }).await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    world.checked().await;
    (world, pull)
}

async fn review(world: &World, pull: Number, verdict: Verdict) {
    let head = world.signals(pull).await.head;
    let draft = ReviewDraft { pull, head, reviewer: engine("judge"), verdict, threads: Vec::new() };
    world.forge.review(&world.repo, draft).await.unwrap();
}

#[tokio::test]
async fn a_merge_waits_for_the_required_approval() {
    let (world, pull) = reviewed_world().await;
    let signals = world.signals(pull).await;
    assert_eq!((signals.merge_state, signals.reviews.required), (MergeState::Blocked, 1));
    let merge = world.merge_step(pull, &signals.head, MergeMethod::Squash);
    assert_eq!(world.refused(merge.clone()).await, Refusal::NotAllowed);
    review(&world, pull, Verdict::Approve).await;
    assert_eq!(world.signals(pull).await.merge_state, MergeState::Clean);
    world.done(merge).await;
}

#[tokio::test]
async fn an_approval_of_an_older_head_is_stale() {
    let (world, pull) = reviewed_world().await;
    review(&world, pull, Verdict::Approve).await;
    world.push("agent/1", "one", "more\n");
    let signals = world.signals(pull).await;
    assert_eq!((signals.reviews.approved, signals.merge_state), (0, MergeState::Blocked));
}

#[tokio::test]
async fn an_approval_stays_when_only_the_forge_updated_the_branch() {
    let (world, pull) = reviewed_world().await;
    review(&world, pull, Verdict::Approve).await;
    world.git(&["switch", "-q", "--detach"]);
    world.push("main", "other", "x\n");
    let head = world.signals(pull).await.head;
    world.done(Step::UpdateBranch { pull, head }).await;
    assert_eq!(world.signals(pull).await.reviews.approved, 1);
    world.push("agent/1", "one", "more\n");
    assert_eq!(world.signals(pull).await.reviews.approved, 0);
}

#[tokio::test]
async fn a_request_for_changes_leaves_a_thread_and_stays_until_that_reviewer_reviews_again() {
    let (world, pull) = reviewed_world().await;
    review(&world, pull, Verdict::Changes).await;
    let signals = world.signals(pull).await;
    assert_eq!((signals.reviews.changes_requested, signals.unresolved()), (1, 1));
    let bob = world.desk("bob").await;
    bob.review(pull, &signals.head, Opinion::Approved, text("fine"), Vec::new()).await.unwrap();
    world.push("agent/1", "one", "more\n");
    let signals = world.signals(pull).await;
    assert_eq!((signals.reviews.changes_requested, signals.reviews.approved), (1, 0));
    review(&world, pull, Verdict::Approve).await;
    let signals = world.signals(pull).await;
    assert_eq!((signals.reviews.changes_requested, signals.reviews.approved), (0, 1));
}

#[tokio::test]
async fn an_engine_reviews_a_head_once_however_often_it_says_so() {
    let (world, pull) = reviewed_world().await;
    let head = world.signals(pull).await.head;
    let seen = async || world.forge.reviewed(&world.repo, pull, &head, &engine("judge")).await.unwrap();
    assert_eq!(seen().await, None);
    review(&world, pull, Verdict::Changes).await;
    review(&world, pull, Verdict::Approve).await;
    assert_eq!(seen().await, Some(Verdict::Changes));
    assert_eq!(world.signals(pull).await.threads.len(), 1);
}

#[tokio::test]
async fn the_authors_own_resolving_does_not_count_where_review_is_required() {
    let world = World::with(|rules| rules.required_approvals = 1).await;
    let (ann, bob) = (world.desk("ann").await, world.desk("bob").await);
    let head = world.push("mine", "one", "1\n");
    let draft = crate::pulls::draft("mine");
    let pull = ann.open_pull(draft).await.unwrap();
    let own = ann.review(pull, &head, Opinion::Approved, text(""), Vec::new()).await;
    assert!(matches!(own, Err(LocalError::Refused(Refusal::NotAllowed))));
    let thread = NewThread { place: Some((text("one"), 1)), body: text("why?") };
    bob.review(pull, &head, Opinion::ChangesRequested, text("hm"), vec![thread]).await.unwrap();
    let id = world.signals(pull).await.threads[0].id;
    ann.reply(id, text("because")).await.unwrap();
    ann.resolve_thread(pull, id).await.unwrap();
    assert_eq!(world.signals(pull).await.unresolved(), 1);
    let step = Step::ResolveThread { pull, thread: id };
    assert!(world.found(&step, world.now()).await.is_none());
    world.done(step.clone()).await;
    assert!(world.found(&step, world.now()).await.is_some());
    assert_eq!(world.signals(pull).await.unresolved(), 0);
    ann.resolve_thread(pull, id).await.unwrap();
    assert_eq!(world.signals(pull).await.unresolved(), 0);
    let talk = ann.pull(pull).await.unwrap().conversation;
    let said: Vec<String> = talk.threads[0].comments.iter().map(|c| plain(&c.body)).collect();
    assert_eq!(said, ["why?", "because"]);
    bob.unresolve_thread(pull, id).await.unwrap();
    assert_eq!(world.signals(pull).await.unresolved(), 1);
}

#[tokio::test]
async fn a_review_of_a_head_that_moved_on_is_refused_to_people() {
    let (world, pull) = reviewed_world().await;
    let old = world.signals(pull).await.head;
    world.push("agent/1", "one", "more\n");
    let late = world.desk("bob").await.review(pull, &old, Opinion::Approved, text(""), Vec::new()).await;
    assert!(matches!(late, Err(LocalError::Refused(Refusal::HeadMoved))));
}

#[tokio::test]
async fn a_task_file_has_what_its_task_is_about() {
    let (world, pull) = reviewed_world().await;
    let head = world.signals(pull).await.head;
    let threads = vec![ThreadDraft { path: text("one"), line: 1, body: text("this leaks") }];
    let draft = ReviewDraft {
        pull,
        head: head.clone(),
        reviewer: engine("judge"),
        verdict: Verdict::Changes,
        threads,
    };
    world.forge.review(&world.repo, draft).await.unwrap();
    let brief = |task| {
        let (forge, repo) = (&world.forge, &world.repo);
        async move { plain(&forge.brief(repo, &BriefFor::Task(task)).await.unwrap()) }
    };
    let fix = brief(Task::FixReviews { pull, round: 1 }).await;
    assert!(
        fix.contains("# Issue #1: fix: a") && fix.contains("one:1") && fix.contains("this leaks"),
        "{fix}"
    );
    let implement = brief(Task::Implement { child: Number(1), base: branch("main") }).await;
    assert!(implement.contains("please") && !implement.contains("Target branch"), "{implement}");
    world.checker.red.lock().unwrap().push(head.clone());
    world.desk("ann").await.rerun_checks(pull).await.unwrap();
    world.checked().await;
    let red = brief(Task::FixChecks { pull, head: head.clone(), round: 1 }).await;
    assert!(red.contains("    assertion failed"), "{red}");
    let conflict = brief(Task::ResolveConflict { pull }).await;
    assert!(conflict.contains("`agent/1` conflicts with its base `main`"), "{conflict}");
    assert!(brief(Task::Review { pull, head }).await.contains("git diff"));
}
