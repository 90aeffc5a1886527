//! Merges: what they make, close and delete, and when they are refused.

use crate::world::{World, branch, label};
use banksman_core::{
    intent::{Made, MergeMethod, Step},
    port::Refusal,
    signals::{MergeState, PullState},
};

#[tokio::test]
async fn a_squash_is_one_commit_with_the_title_and_number_and_closes_the_issue() {
    let world = World::new().await;
    let issue = world.issue("fix(api): close the door").await;
    world.done(Step::CreateBranch { branch: branch("epic/9-x") }).await;
    let base = world.head("epic/9-x").unwrap();
    world.push("agent/1", "one", "1\n");
    world.push("agent/1", "two", "2\n");
    let pull = world.pull(issue, "agent/1", "epic/9-x").await;
    let commit = world.merged(pull, MergeMethod::Squash).await;
    assert_eq!(world.head("epic/9-x"), Some(commit.clone()));
    let shown = world.git(&["log", "-1", "--format=%P|%an|%ae|%s", commit.as_str()]);
    assert_eq!(
        shown.trim(),
        format!("{base}|Banksman|banksman@localhost|fix(api): close the door (#{pull})")
    );
    assert!(!world.is_open(issue).await);
    assert_eq!(world.head("agent/1"), None, "the branch of a merged child is deleted");
    let signals = world.signals(pull).await;
    assert_eq!((signals.additions, signals.changed_files), (2, 2));
    assert!(matches!(signals.state, PullState::Merged { commit: c, .. } if c == commit));
}

#[tokio::test]
async fn a_merge_commit_keeps_both_parents_and_an_epic_stays_open() {
    let world = World::new().await;
    let epic = world.issue("epic(x): 1 issue").await;
    world.done(Step::AddLabel { on: epic, label: label("agentic") }).await;
    let head = world.push("epic/1-x", "one", "1\n");
    let main = world.head("main").unwrap();
    let pull = world.pull(epic, "epic/1-x", "main").await;
    let commit = world.merged(pull, MergeMethod::Merge).await;
    assert_eq!(world.git(&["log", "-1", "--format=%P", commit.as_str()]).trim(), format!("{main} {head}"));
    assert!(world.is_open(epic).await, "the pipeline closes it (X13)");
    assert_eq!(world.head("epic/1-x"), Some(head));
    let author = world.signals(pull).await.author_login;
    assert_eq!(author.as_str(), "banksman");
}

#[tokio::test]
async fn a_merge_names_the_head_that_was_looked_at() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    let old = world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    world.checked().await;
    world.push("agent/1", "one", "2\n");
    let main = world.head("main");
    let step = world.merge_step(pull, &old, MergeMethod::Squash);
    assert_eq!(world.refused(step.clone()).await, Refusal::HeadMoved);
    assert!(world.found(&step, world.now()).await.is_none());
    assert_eq!(world.head("main"), main);
}

#[tokio::test]
async fn a_red_or_unchecked_head_is_not_merged() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    let head = world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    let step = world.merge_step(pull, &head, MergeMethod::Squash);
    assert_eq!(world.refused(step.clone()).await, Refusal::NotAllowed);
    world.checker.red.lock().unwrap().push(head);
    world.checked().await;
    assert_eq!(world.signals(pull).await.merge_state, MergeState::Unstable);
    assert_eq!(world.refused(step).await, Refusal::NotAllowed);
}

#[tokio::test]
async fn without_checks_a_person_may_merge_and_banksman_does_not() {
    let world = World::with(|rules| rules.checks.clear()).await;
    let issue = world.issue("a").await;
    let head = world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    assert!(!world.signals(pull).await.all_green());
    let step = world.merge_step(pull, &head, MergeMethod::Squash);
    assert_eq!(world.refused(step).await, Refusal::NotAllowed);
    world.desk("ann").await.merge(pull, &head, MergeMethod::Squash).await.unwrap();
}

#[tokio::test]
async fn merging_twice_is_merging_once() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    let head = world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    let since = world.now();
    let commit = world.merged(pull, MergeMethod::Squash).await;
    let step = world.merge_step(pull, &head, MergeMethod::Squash);
    assert_eq!(world.done(step.clone()).await.made, Made::Commit { sha: commit.clone() });
    assert_eq!(world.found(&step, since).await.map(|r| r.made), Some(Made::Commit { sha: commit.clone() }));
    assert_eq!(world.head("main"), Some(commit));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_merges_at_once_all_arrive() {
    let world = World::new().await;
    let mut pulls = Vec::new();
    for n in 0..10 {
        let issue = world.issue(&format!("child {n}")).await;
        let head = world.push(&format!("agent/{issue}"), &format!("file{n}"), "x\n");
        pulls.push((world.pull(issue, &format!("agent/{issue}"), "main").await, head));
    }
    world.checked().await;
    let merges =
        pulls.iter().map(|(pull, head)| world.done(world.merge_step(*pull, head, MergeMethod::Squash)));
    futures_util::future::join_all(merges).await;
    let files = world.git(&["ls-tree", "--name-only", "main"]);
    assert_eq!(files.lines().filter(|f| f.starts_with("file")).count(), 10, "{files}");
    assert_eq!(world.git(&["status", "--porcelain"]), "", "the work tree came along");
}

#[tokio::test]
async fn a_title_with_control_characters_is_one_clean_line_in_the_commit() {
    let world = World::new().await;
    let issue = world.issue("fix: a\u{1b}[31m\nCo-authored-by: x").await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    let commit = world.merged(pull, MergeMethod::Squash).await;
    let message = world.git(&["log", "-1", "--format=%B", commit.as_str()]);
    assert_eq!(message.trim(), format!("fix: a [31m Co-authored-by: x (#{pull})"));
}
