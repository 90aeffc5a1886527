//! Branches that are checked out: they move with their files, or not at all.

use crate::world::World;
use banksman_core::{
    id::Number,
    intent::{MergeMethod, Step},
    port::Refusal,
    text::Sha,
};
use std::fs;

async fn green(world: &World, file: &str, text: &str) -> (Number, Sha) {
    let issue = world.issue("a").await;
    let head = world.push("agent/1", file, text);
    let pull = world.pull(issue, "agent/1", "main").await;
    world.checked().await;
    (pull, head)
}

#[tokio::test]
async fn the_checked_out_default_branch_moves_with_its_files() {
    let world = World::new().await;
    let (pull, _) = green(&world, "app", "one\n2\nthree\n").await;
    fs::write(world.tree().join("untracked"), "mine").unwrap();
    world.merged(pull, MergeMethod::Squash).await;
    assert_eq!(fs::read_to_string(world.tree().join("app")).unwrap(), "one\n2\nthree\n");
    assert_eq!(world.git(&["status", "--porcelain"]), "?? untracked\n");
}

#[tokio::test]
async fn a_dirty_work_tree_is_refused_and_untouched() {
    let world = World::new().await;
    let (pull, head) = green(&world, "app", "one\n2\nthree\n").await;
    let step = world.merge_step(pull, &head, MergeMethod::Squash);
    let main = world.head("main");
    let dirty = |world: &World| world.git(&["status", "--porcelain"]);

    fs::write(world.tree().join("README"), "changed\n").unwrap();
    assert_eq!(world.refused(step.clone()).await, Refusal::WorkTreeDirty);
    assert_eq!((world.head("main"), dirty(&world)), (main.clone(), " M README\n".to_owned()));

    world.git(&["add", "README"]);
    assert_eq!(world.refused(step.clone()).await, Refusal::WorkTreeDirty);
    assert_eq!((world.head("main"), dirty(&world)), (main.clone(), "M  README\n".to_owned()));

    world.git(&["reset", "-q", "--hard"]);
    fs::write(world.tree().join("app"), "mine\n").unwrap();
    assert_eq!(world.refused(step.clone()).await, Refusal::WorkTreeDirty);
    assert_eq!(fs::read_to_string(world.tree().join("app")).unwrap(), "mine\n");

    fs::remove_file(world.tree().join("app")).unwrap();
    assert_eq!(world.refused(step.clone()).await, Refusal::WorkTreeDirty);

    world.git(&["reset", "-q", "--hard"]);
    world.done(step).await;
    assert_eq!(dirty(&world), "");
}

#[tokio::test]
async fn an_untracked_file_in_the_way_is_not_overwritten() {
    let world = World::new().await;
    let (pull, head) = green(&world, "new", "theirs\n").await;
    fs::write(world.tree().join("new"), "mine\n").unwrap();
    let step = world.merge_step(pull, &head, MergeMethod::Squash);
    assert_eq!(world.refused(step.clone()).await, Refusal::WorkTreeDirty);
    assert_eq!(fs::read_to_string(world.tree().join("new")).unwrap(), "mine\n");
    fs::remove_file(world.tree().join("new")).unwrap();
    world.done(step).await;
    assert_eq!(fs::read_to_string(world.tree().join("new")).unwrap(), "theirs\n");
}

#[tokio::test]
async fn somebody_in_the_middle_of_a_commit_is_not_disturbed() {
    let world = World::new().await;
    let (pull, head) = green(&world, "app", "one\n2\nthree\n").await;
    let step = world.merge_step(pull, &head, MergeMethod::Squash);
    let lock = world.tree().join(".git/index.lock");
    fs::write(&lock, "").unwrap();
    assert_eq!(world.refused(step.clone()).await, Refusal::WorkTreeDirty);
    fs::remove_file(lock).unwrap();
    world.done(step).await;
}

#[tokio::test]
async fn a_linked_work_tree_moves_too_and_a_bare_repository_needs_none() {
    let world = World::new().await;
    world.git(&["switch", "-q", "-c", "else"]);
    let linked = world.dir.path().join("linked");
    world.git(&["worktree", "add", "-q", linked.to_str().unwrap(), "main"]);
    let (pull, _) = green(&world, "app", "one\n2\nthree\n").await;
    world.merged(pull, MergeMethod::Merge).await;
    assert_eq!(fs::read_to_string(linked.join("app")).unwrap(), "one\n2\nthree\n");
    assert_eq!(crate::world::git(&linked, &["status", "--porcelain"]), "");
    assert_eq!(fs::read_to_string(world.tree().join("app")).unwrap(), "one\ntwo\nthree\n");

    let bare = world.dir.path().join("bare.git");
    world.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let world = World::with(|rules| rules.folder = bare.clone()).await;
    assert_eq!(world.forge.git_dir(&world.repo).unwrap(), bare.canonicalize().unwrap());
}

#[tokio::test]
async fn files_that_are_removed_renamed_or_turned_into_folders_move_well() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.git(&["switch", "-q", "-c", "agent/1"]);
    world.git(&["mv", "app", "app2"]);
    world.git(&["rm", "-q", "README"]);
    fs::create_dir(world.tree().join("README")).unwrap();
    fs::write(world.tree().join("README/me"), "x").unwrap();
    std::os::unix::fs::symlink("app2", world.tree().join("link")).unwrap();
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "shuffle"]);
    world.git(&["switch", "-q", "main"]);
    let pull = world.pull(issue, "agent/1", "main").await;
    world.merged(pull, MergeMethod::Squash).await;
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    assert!(world.tree().join("README/me").is_file() && !world.tree().join("app").exists());
}

#[tokio::test]
async fn a_head_branch_that_is_checked_out_stays_after_the_merge() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n");
    world.git(&["switch", "-q", "agent/1"]);
    let pull = world.pull(issue, "agent/1", "main").await;
    world.merged(pull, MergeMethod::Squash).await;
    assert!(world.head("agent/1").is_some());
    let step = Step::DeleteBranch { branch: crate::world::branch("agent/1"), at: world.head("agent/1") };
    world.done(step).await;
    assert!(world.head("agent/1").is_some());
}

#[tokio::test]
async fn a_folder_inside_the_work_tree_and_a_linked_one_are_the_same_repository() {
    let world = World::new().await;
    let inner = world.tree().join("src/deep");
    fs::create_dir_all(&inner).unwrap();
    let mut rules = world.rules.clone();
    rules.folder = inner;
    let book = banksman_store::book::SqliteBook::open(&world.dir.path().join("b.db")).unwrap();
    let now: banksman_forge::local::Now = std::sync::Arc::new(jiff::Timestamp::now);
    let forge = banksman_forge::local::LocalForge::open(vec![rules], book, world.checker.clone(), now);
    let forge = forge.await.unwrap();
    assert_eq!(forge.git_dir(&world.repo).unwrap(), world.tree().join(".git").canonicalize().unwrap());
}
