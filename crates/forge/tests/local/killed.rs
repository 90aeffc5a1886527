//! A real process that merges is killed with signal 9 at the moments that matter, again and again; the last one finishes, and
//! everything is there once.

use crate::world::{World, merge_step};
use banksman_core::{
    id::Number,
    intent::{MergeMethod, Step},
    port::{Forge, ForgeError, PullQuery, Refusal},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Names the world of the process that is to be killed.
const VICTIM: &str = "BANKSMAN_TEST_VICTIM";
/// Pull requests, and at least as many deaths.
const PULLS: usize = 12;

/// Merges everything that is open, as the pipeline would: what is refused or unclear is tried again.
async fn merge_all(dir: &Path) {
    let world = World::reopen(dir).await;
    loop {
        let open = world.forge.pulls(&world.repo, &PullQuery::Open).await.unwrap();
        let Some(pull) = open.first() else { return };
        let step = merge_step(pull.number, &pull.head, MergeMethod::Merge);
        match world.forge.perform(&world.repo, &step, None).await {
            Ok(_) | Err(ForgeError::Refused(Refusal::WorkTreeDirty) | ForgeError::Unclear(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Not a test of its own: what the killed process does.
#[tokio::test]
async fn victim() {
    if let Some(dir) = env::var_os(VICTIM) {
        merge_all(Path::new(&dir)).await;
    }
}

fn start(dir: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "killed::victim"])
        .env(VICTIM, dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until something happens, or the process ends by itself.
fn wait_for(child: &mut Child, mut happened: impl FnMut() -> bool) {
    while !happened() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_process_killed_while_it_merges_leaves_nothing_half_done() {
    let world = World::new().await;
    for n in 0..PULLS {
        let issue = world.issue(&format!("child {n}")).await;
        let name = format!("agent/{issue}");
        for file in 0..4 {
            world.push(&name, &format!("dir{n}/file{file}"), "x\n");
        }
        world.push(&name, "README", &format!("shop {n}\n"));
        // All change the same line: each is made on top of the one before.
        world.pull(issue, &name, "main").await;
        world.git(&["branch", "-q", "-f", "last", &name]);
        let next = format!("agent/{}", Number(issue.0 + 2));
        world.git(&["branch", "-q", &next, "last"]);
    }
    world.checked().await;
    let (git, tree) = (world.tree().join(".git"), world.tree());
    let main: PathBuf = git.join("refs/heads/main");
    for round in 0..PULLS {
        let mut child = start(world.dir.path());
        let before = fs::read(&main).unwrap();
        let branches = fs::read_dir(git.join("refs/heads/agent")).unwrap().count();
        let mut looks = 0;
        wait_for(&mut child, || match round % 6 {
            0 => git.join("banksman.index").exists(),
            1 => git.join("banksman.move").exists(),
            2 => fs::read(tree.join("README")).map_or(true, |text| text.is_empty()),
            3 => fs::read(&main).is_ok_and(|now| now != before),
            4 => fs::read_dir(git.join("refs/heads/agent")).unwrap().count() != branches,
            _ => {
                looks += 1;
                looks > 20_000
            }
        });
        let _ = child.kill();
        child.wait().unwrap();
    }
    merge_all(world.dir.path()).await;
    assert!(world.forge.pulls(&world.repo, &PullQuery::Open).await.unwrap().is_empty());
    let log = world.git(&["log", "--format=%s", "main"]);
    for n in 0..PULLS {
        let made = log.lines().filter(|line| line.starts_with(&format!("child {n} (#"))).count();
        assert_eq!(made, 1, "each merge once: {log}");
    }
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    assert_eq!(world.file("main", "README"), format!("shop {}\n", PULLS - 1));
    assert!(world.git(&["branch", "--list", "agent/*"]).lines().count() <= 1);
    let step = Step::CloseIssue { issue: Number(1) };
    assert!(world.found(&step, world.now()).await.is_some());
}
