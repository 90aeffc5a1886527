//! The plain way of an attempt, and the ways in which engines fail to deliver.

use crate::world::{BOTH, COMMIT, Kept, World, commit};
use banksman_core::{
    id::Number,
    port::{EngineError, ReportResult},
    text::EngineName,
    work::{FailReason, Task},
};
use banksman_engine::{SandboxPolicy, UsageFormat};

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_becomes_a_commit_on_a_branch_of_the_forge() {
    for kept in BOTH {
        let script = format!(
            "grep -q 'fix the bug' \"$BANKSMAN_TASK_FILE\" && test \"$BANKSMAN_TASK\" = implement && echo four >> a.txt && {COMMIT}"
        );
        let Some(world) = World::new(kept, &script).await else { continue };
        let sha = world.publishes(&world.implement()).await;
        assert_eq!(world.git(&["show", &format!("{sha}:a.txt")]), "one\ntwo\nthree\nfour\n");
        assert_eq!(world.git(&["log", "--format=%an %s", "main..agent/7"]), "agent Fix the bug\n");
        assert_eq!(world.git(&["for-each-ref", "refs/attempts"]), "");
        let control = world.path("home/control/local/shop.git");
        assert_eq!(crate::world::git(&control, &["for-each-ref", "refs/attempts"]), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_were_not_committed_are_committed() {
    for kept in BOTH {
        let script = "echo new > b.txt; rm a.txt; printf '*.o\\n' > .gitignore; echo x > y.o; git init -q nested; echo x > nested/f";
        let Some(world) = World::new(kept, script).await else { continue };
        let sha = world.publishes(&world.implement()).await;
        let files = world.git(&["ls-tree", "-r", "--name-only", sha.as_str()]);
        assert_eq!(files, ".gitignore\nb.txt\nlist.lock\n");
        assert_eq!(world.git(&["log", "-1", "--format=%an", sha.as_str()]), "Banksman\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_on_another_local_branch_counts_and_history_of_several_commits_stays() {
    let script = format!(
        "git switch -q -c mine && echo 1 > b && {COMMIT} && echo 2 > c && {COMMIT} && git pack-refs --all"
    );
    let Some(world) = World::new(Kept::Sandboxed, &script).await else { return };
    world.publishes(&world.implement()).await;
    assert_eq!(world.git(&["rev-list", "--count", "main..agent/7"]), "2\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_delivers_nothing_usable_fails_with_the_reason() {
    for kept in BOTH {
        for (script, reason) in [
            ("true", FailReason::NoCommit),
            ("git commit -q --allow-empty -m nothing", FailReason::NoCommit),
            ("echo x >> a.txt; exit 3", FailReason::ExitCode),
            ("kill -SEGV $$", FailReason::Signal),
            (
                "printf '<<<<<<< HEAD\\na\\n=======\\nb\\n>>>>>>> x\\n' > a.txt; git commit -qam x",
                FailReason::ConflictMarkers,
            ),
            ("printf 'a\\n>>>>>>> x\\n' > new.txt", FailReason::ConflictMarkers),
            ("echo x > a.txt; git commit -qa --amend -m rewritten", FailReason::RewroteHistory),
            ("git checkout -q --orphan new; git commit -qm orphan", FailReason::RewroteHistory),
            ("rm -rf .git; true", FailReason::BadObjects),
            ("rm -rf .git/objects; mkdir -p .git/objects; echo x > b", FailReason::BadObjects),
            ("echo nonsense > .git/HEAD", FailReason::BadObjects),
        ] {
            let Some(world) = World::new(kept, script).await else { continue };
            assert_eq!(world.fails(&world.implement()).await, reason, "{kept:?} {script}");
            assert_eq!(world.head("agent/7"), None, "nothing was published");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headings_and_old_markers_are_no_conflict_markers() {
    let script = format!("printf 'Heading\\n=======\\n' > README.md; echo ok >> marked.txt; {COMMIT}");
    let Some(world) = World::new(Kept::Sandboxed, &script).await else { return };
    commit(&world, "main", "main", "marked.txt", "<<<<<<< kept in a fixture\n");
    world.publishes(&world.implement()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_round_goes_on_from_the_branch() {
    let Some(world) = World::new(Kept::Sandboxed, &format!("echo fixed > b.txt; {COMMIT}")).await else {
        return;
    };
    let head = commit(&world, "agent/7", "main", "b.txt", "broken\n");
    let order = world.on("agent/7", Task::FixReviews { pull: Number(8), round: 1 });
    let sha = world.publishes(&order).await;
    assert_eq!(world.git(&["rev-parse", &format!("{sha}^")]).trim(), head.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_moved_on_makes_the_work_stale() {
    let Some(world) = World::new(Kept::Sandboxed, &format!("echo fixed > b.txt; {COMMIT}")).await else {
        return;
    };
    commit(&world, "agent/7", "main", "b.txt", "broken\n");
    let order = world.on("agent/7", Task::FixReviews { pull: Number(8), round: 1 });
    let moved = commit(&world, "agent/7", "main", "c.txt", "somebody else\n");
    assert_eq!(world.fails(&order).await, FailReason::Stale);
    assert_eq!(world.head("agent/7"), Some(moved));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_moves_while_the_engine_works_is_not_overwritten() {
    // The script itself moves the forge's branch: without a sandbox it can.
    let script =
        format!("git -C ../../../../forge.git update-ref refs/heads/agent/7 main; echo x > b.txt; {COMMIT}");
    let Some(world) = World::new(Kept::Unconfined, &script).await else { return };
    assert_eq!(world.fails(&world.implement()).await, FailReason::Stale);
    assert_eq!(world.head("agent/7"), world.head("main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_the_user_has_checked_out_moves_with_its_clean_work_tree_only() {
    let Some(world) = World::with(Kept::Sandboxed, &format!("echo fixed > b.txt; {COMMIT}"), &|config| {
        let setup = config.repositories.get_mut(&crate::world::repo()).unwrap();
        setup.remote = config.home.parent().unwrap().join("seed/.git").into();
    })
    .await
    else {
        return;
    };
    let seed = world.path("seed");
    crate::world::git(&seed, &["switch", "--quiet", "-c", "agent/7"]);
    let head =
        banksman_core::text::Sha::new(crate::world::git(&seed, &["rev-parse", "HEAD"]).trim()).unwrap();
    let task = Task::FixReviews { pull: Number(8), round: 1 };
    let order = banksman_core::port::Order { task, head: Some(head), ..world.implement() };
    std::fs::write(seed.join("a.txt"), "being edited\n").unwrap();
    assert!(matches!(world.run(&order).await, Err(EngineError::Host(_))));
    assert_eq!(std::fs::read_to_string(seed.join("a.txt")).unwrap(), "being edited\n");
    crate::world::git(&seed, &["checkout", "--quiet", "a.txt"]);
    assert!(matches!(world.run(&order).await.unwrap().result, ReportResult::Published { .. }));
    assert_eq!(std::fs::read_to_string(seed.join("b.txt")).unwrap(), "fixed\n");
    assert_eq!(crate::world::git(&seed, &["status", "--porcelain"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_programs_and_sandboxes_are_told_before_anything_starts() {
    let missing = World::with(Kept::Unconfined, "true", &|config| {
        config.engines.get_mut(&EngineName::new("agent").unwrap()).unwrap().program =
            "no-such-program".into();
    })
    .await;
    let world = missing.unwrap();
    assert_eq!(world.fails(&world.implement()).await, FailReason::EngineMissing);
    let shell = banksman_core::port::Order { engine: EngineName::new("shell").unwrap(), ..world.implement() };
    assert_eq!(world.fails(&shell).await, FailReason::EngineMissing);

    let no_sandbox = World::with(Kept::Unconfined, "touch /tmp/ran", &|config| {
        config.sandbox = SandboxPolicy::Auto;
        let bare = config.home.parent().unwrap().join("bin");
        std::fs::create_dir_all(&bare).unwrap();
        for program in ["git", "sh"] {
            let path = std::env::var_os("PATH").unwrap();
            let found = std::env::split_paths(&path).map(|d| d.join(program)).find(|p| p.is_file()).unwrap();
            std::os::unix::fs::symlink(found, bare.join(program)).unwrap();
        }
        config.environment.insert("PATH".into(), bare.into());
    })
    .await;
    let world = no_sandbox.unwrap();
    let report = world.run(&world.implement()).await.unwrap();
    assert_eq!(report.measured.sandbox, None);
    assert!(matches!(report.result, ReportResult::Failed { reason: FailReason::NoSandbox }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_before_anything_is_made() {
    let world = World::with(Kept::Unconfined, "true", &|config| config.min_free = u64::MAX).await.unwrap();
    assert_eq!(world.fails(&world.implement()).await, FailReason::DiskFull);
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_comes_from_the_engines_own_output() {
    let script = format!(
        "echo noise >&2; echo '{{\"type\":\"turn.completed\",\"usage\":{{\"input_tokens\":5,\"cached_input_tokens\":2,\"output_tokens\":3}}}}'; echo x > b; {COMMIT}"
    );
    let made = World::with(Kept::Sandboxed, &script, &|config| {
        config.engines.get_mut(&EngineName::new("agent").unwrap()).unwrap().usage = UsageFormat::Codex;
    })
    .await;
    let Some(world) = made else { return };
    let report = world.run(&world.implement()).await.unwrap();
    let usage = &report.measured.usage;
    assert_eq!((usage.tokens_in, usage.tokens_out), (Some(5), Some(3)));
    assert_eq!(report.measured.exit_code, Some(0));
}
