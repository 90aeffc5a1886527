//! Conflicts: removed by an engine, by git alone, and by an engine where git alone could not.

use crate::world::{BOTH, COMMIT, Kept, World, commit, repo};
use banksman_core::{
    id::{AttemptId, Number},
    port::{Order, ReportResult},
    text::Sha,
    work::{FailReason, Task},
};

/// Both sides change the same line.
fn conflict(world: &World) -> (Sha, Sha) {
    let head = commit(world, "agent/7", "main", "a.txt", "one\nTWO\nthree\n");
    let base = commit(world, "main", "main", "a.txt", "one\n2\nthree\n");
    (head, base)
}

fn resolve(world: &World) -> Order {
    world.on("agent/7", Task::ResolveConflict { pull: Number(8) })
}

fn parents(world: &World, sha: &Sha) -> Vec<String> {
    let line = world.git(&["rev-list", "--parents", "-1", sha.as_str()]);
    line.split_whitespace().skip(1).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_merges_the_base_whether_it_commits_or_not() {
    for kept in BOTH {
        for end in [COMMIT, "true"] {
            let script = format!("git merge -q main; printf 'one\\nTWO 2\\nthree\\n' > a.txt; {end}");
            let Some(world) = World::new(kept, &script).await else { continue };
            let (head, base) = conflict(&world);
            let order = world.on("agent/7", Task::FixConflict { pull: Number(8), round: 1 });
            let sha = world.publishes(&order).await;
            assert_eq!(parents(&world, &sha), [head.as_str(), base.as_str()], "{kept:?} {end}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_without_the_base_in_its_history_is_none() {
    let script = format!("git checkout -q origin/main -- a.txt; {COMMIT}");
    let Some(world) = World::new(Kept::Sandboxed, &script).await else { return };
    conflict(&world);
    let order = world.on("agent/7", Task::FixConflict { pull: Number(8), round: 1 });
    assert_eq!(world.fails(&order).await, FailReason::NotResolved);
}

#[tokio::test(flavor = "multi_thread")]
async fn git_alone_merges_what_does_not_conflict_and_unites_lock_files() {
    let made = World::with(Kept::Sandboxed, "exit 9", &|config| {
        config.repositories.get_mut(&repo()).unwrap().union_merge = vec!["*.lock".into()];
    })
    .await;
    let Some(world) = made else { return };
    let head = commit(&world, "agent/7", "main", "list.lock", "x\nmine\n");
    let base = commit(&world, "main", "main", "list.lock", "x\ntheirs\n");
    let report = world.run(&resolve(&world)).await.unwrap();
    let ReportResult::Published { sha } = report.result else { panic!("not published") };
    assert!(report.measured.sandbox.is_none(), "no engine ran");
    assert_eq!(world.git(&["show", &format!("{sha}:list.lock")]), "x\nmine\ntheirs\n");
    assert_eq!(parents(&world, &sha), [head.as_str(), base.as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_settles_what_git_could_not_and_git_remembers_it() {
    let script =
        "grep -q '<<<<<<<' a.txt && test -f .git/MERGE_HEAD && printf 'one\\nTWO 2\\nthree\\n' > a.txt";
    let made = World::with(Kept::Sandboxed, script, &|config| {
        config.repositories.get_mut(&repo()).unwrap().verify = vec!["grep 'TWO 2' a.txt".into()];
    })
    .await;
    let Some(world) = made else { return };
    let (head, base) = conflict(&world);
    let sha = world.publishes(&resolve(&world)).await;
    assert_eq!(parents(&world, &sha), [head.as_str(), base.as_str()]);

    // The same conflict again: no engine is needed any more.
    world.git(&["update-ref", "refs/heads/agent/7", head.as_str()]);
    let again = Order { attempt: AttemptId(2), ..resolve(&world) };
    let report = world.run(&again).await.unwrap();
    let ReportResult::Published { sha } = report.result else { panic!("not published") };
    assert!(report.measured.sandbox.is_none(), "git remembered");
    assert_eq!(world.git(&["show", &format!("{sha}:a.txt")]), "one\nTWO 2\nthree\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_resolved_is_not_published() {
    for (script, reason) in [
        ("true", FailReason::ConflictMarkers),
        ("git merge --abort", FailReason::NotResolved),
        ("printf 'one\\nwrong\\nthree\\n' > a.txt", FailReason::NotResolved),
        (
            "git checkout -q --ours a.txt; git add a.txt; git commit -qm x; git reset -q --hard origin/main",
            FailReason::RewroteHistory,
        ),
    ] {
        let made = World::with(Kept::Sandboxed, script, &|config| {
            config.repositories.get_mut(&repo()).unwrap().verify = vec!["! grep wrong a.txt".into()];
        })
        .await;
        let Some(world) = made else { return };
        let (head, _) = conflict(&world);
        assert_eq!(world.fails(&resolve(&world)).await, reason, "{script}");
        assert_eq!(world.head("agent/7"), Some(head));
    }
}
