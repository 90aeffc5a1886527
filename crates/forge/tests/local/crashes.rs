//! A process that dies between two effects: half is done, then everything is done again.

use crate::world::World;
use banksman_core::{
    id::Number,
    intent::{Made, MergeMethod, Step},
    port::{
        Book, Refusal,
        book::{Ending, MergePlan, Size, UpdatePlan},
    },
    signals::PullState,
    text::Sha,
};
use std::fs;

async fn green(world: &World, file: &str, text: &str) -> (Number, Sha) {
    let issue = world.issue("fix: a").await;
    let head = world.push("agent/1", file, text);
    let pull = world.pull(issue, "agent/1", "main").await;
    world.checked().await;
    (pull, head)
}

/// The plan of a squash as the forge writes it, with its commit.
async fn planned(world: &World, pull: Number, head: &Sha) -> MergePlan {
    let from = world.head("main").unwrap();
    let tree = format!("{head}^{{tree}}");
    let commit = world.git(&["commit-tree", &tree, "-p", from.as_str(), "-m", "fix: a (#2)"]);
    let plan = MergePlan {
        head: head.clone(),
        base: world.rules.default_branch.clone(),
        from,
        commit: Sha::new(commit.trim()).unwrap(),
        size: Size { additions: 1, deletions: 1, files: 1 },
    };
    world.forge.book().plan_merge(&world.repo, pull, &plan).await.unwrap();
    plan
}

#[tokio::test]
async fn a_merge_whose_record_is_missing_is_recognised() {
    let world = World::new().await;
    world.git(&["switch", "-q", "--detach"]);
    let (pull, head) = green(&world, "app", "one\n2\nthree\n").await;
    let since = world.now();
    let plan = planned(&world, pull, &head).await;
    world.git(&["update-ref", "refs/heads/main", plan.commit.as_str()]);
    let step = world.merge_step(pull, &head, MergeMethod::Squash);
    let found = world.found(&step, since).await.unwrap();
    assert_eq!(found.made, Made::Commit { sha: plan.commit.clone() });
    assert!(!world.is_open(Number(1)).await);
    assert!(world.found(&step, since).await.is_some());
    world.signals(pull).await;
    assert_eq!(world.head("agent/1"), None, "the branch is deleted by the next look");
    assert_eq!(world.signals(pull).await.additions, 1);
}

#[tokio::test]
async fn a_merge_that_was_only_planned_is_made_with_the_same_commit() {
    let world = World::new().await;
    let (pull, head) = green(&world, "app", "one\n2\nthree\n").await;
    let plan = planned(&world, pull, &head).await;
    assert_eq!(world.signals(pull).await.state, PullState::Open);
    assert_eq!(world.merged(pull, MergeMethod::Squash).await, plan.commit);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[tokio::test]
async fn a_plan_that_its_base_left_behind_is_made_anew() {
    let world = World::new().await;
    world.git(&["switch", "-q", "--detach"]);
    let (pull, head) = green(&world, "app", "one\n2\nthree\n").await;
    let plan = planned(&world, pull, &head).await;
    world.push("main", "other", "x\n");
    let commit = world.merged(pull, MergeMethod::Squash).await;
    assert_ne!(commit, plan.commit);
    assert_eq!(world.file("main", "other"), "x\n");
}

/// Does what `read-tree` does before it is killed, in the order in which it does it.
async fn half_moved(kill_at: u32) {
    let world = World::new().await;
    let issue = world.issue("fix: a").await;
    world.git(&["switch", "-q", "-c", "agent/1"]);
    fs::write(world.tree().join("app"), "one\n2\nthree\n").unwrap();
    fs::write(world.tree().join("new"), "brand new\n").unwrap();
    world.git(&["rm", "-q", "README"]);
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "work"]);
    let head = world.head("agent/1").unwrap();
    world.git(&["switch", "-q", "main"]);
    let pull = world.pull(issue, "agent/1", "main").await;
    world.checked().await;
    let plan = planned(&world, pull, &head).await;
    let tree = world.tree();
    let journal = tree.join(".git/banksman.move");
    fs::write(&journal, format!("{} {}\n", plan.from, plan.commit)).unwrap();
    fs::write(tree.join(".git/banksman.index"), "torn").unwrap();
    fs::write(tree.join(".git/banksman.index.lock"), "").unwrap();
    let stages: [&dyn Fn(); 6] = [
        &|| fs::remove_file(tree.join("README")).unwrap(),
        &|| fs::remove_file(tree.join("app")).unwrap(),
        &|| fs::write(tree.join("app"), "one\n2").unwrap(),
        &|| fs::write(tree.join("app"), "one\n2\nthree\n").unwrap(),
        &|| fs::write(tree.join("new"), "").unwrap(),
        &|| {
            fs::write(tree.join("new"), "brand new\n").unwrap();
            world.git(&["read-tree", plan.commit.as_str()]);
            fs::remove_file(&journal).unwrap();
        },
    ];
    for stage in stages.iter().take(kill_at as usize) {
        stage();
    }
    let step = world.merge_step(pull, &head, MergeMethod::Squash);
    assert_eq!(world.done(step).await.made, Made::Commit { sha: plan.commit });
    assert_eq!(world.git(&["status", "--porcelain"]), "", "killed at {kill_at}");
    assert_eq!(fs::read_to_string(tree.join("app")).unwrap(), "one\n2\nthree\n");
    assert_eq!(fs::read_to_string(tree.join("new")).unwrap(), "brand new\n");
    assert!(!tree.join("README").exists());
    let left = fs::read_dir(tree.join(".git")).unwrap();
    let ours = left.filter(|f| f.as_ref().unwrap().file_name().to_string_lossy().starts_with("banksman"));
    assert_eq!(ours.count(), 1, "the lock, held by nobody");
}

#[tokio::test]
async fn a_work_tree_that_was_half_moved_is_moved_to_the_end() {
    for kill_at in 0..=6 {
        half_moved(kill_at).await;
    }
}

#[tokio::test]
async fn work_that_a_person_did_after_the_crash_is_not_lost() {
    let world = World::new().await;
    let (pull, head) = green(&world, "app", "one\n2\nthree\n").await;
    let plan = planned(&world, pull, &head).await;
    let journal = world.tree().join(".git/banksman.move");
    fs::write(journal, format!("{} {}\n", plan.from, plan.commit)).unwrap();
    fs::write(world.tree().join("app"), "one\n2\nthree\n").unwrap();
    fs::write(world.tree().join("README"), "my own\n").unwrap();
    let step = world.merge_step(pull, &head, MergeMethod::Squash);
    assert_eq!(world.refused(step).await, Refusal::WorkTreeDirty);
    assert_eq!(fs::read_to_string(world.tree().join("README")).unwrap(), "my own\n");
}

#[tokio::test]
async fn an_update_whose_record_is_missing_is_recognised_as_our_own() {
    let world = World::with(|rules| rules.required_approvals = 1).await;
    world.git(&["switch", "-q", "--detach"]);
    let (pull, head) = green(&world, "app", "one\n2\nthree\n").await;
    let bob = world.desk("bob").await;
    let (approved, none) = (banksman_core::port::book::Opinion::Approved, Vec::new());
    bob.review(pull, &head, approved, crate::world::text(""), none).await.unwrap();
    let base = world.push("main", "other", "x\n");
    let since = world.now();
    world.git(&["switch", "-q", "agent/1"]);
    world.git(&["merge", "-q", "--no-edit", base.as_str()]);
    let commit = world.head("agent/1").unwrap();
    world.git(&["update-ref", "refs/heads/agent/1", head.as_str()]);
    let plan = UpdatePlan { from: head.clone(), commit: commit.clone() };
    world.forge.book().plan_update(&world.repo, pull, &plan).await.unwrap();
    world.git(&["update-ref", "refs/heads/agent/1", commit.as_str()]);
    let found = world.found(&Step::UpdateBranch { pull, head }, since).await.unwrap();
    assert_eq!(found.made, Made::Commit { sha: commit });
    assert_eq!(world.signals(pull).await.reviews.approved, 1);
}

#[tokio::test]
async fn a_branch_that_a_dead_process_did_not_delete_is_deleted_by_the_next_look() {
    let world = World::new().await;
    let (pull, head) = green(&world, "app", "one\n2\nthree\n").await;
    let ending = Ending::Merged { head: head.clone(), commit: head };
    let now = world.now();
    world.forge.book().end_pull(&world.repo, pull, &ending, Size::default(), now).await.unwrap();
    assert!(world.head("agent/1").is_some());
    world.signals(pull).await;
    assert!(world.head("agent/1").is_none());
}
