//! What a killed process of ours left behind is cleaned up by the next one.

use crate::{
    processes::until,
    world::{Kept, World},
};
use banksman_core::{id::AttemptId, port::Engine};
use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Child, Command},
};

/// What is written down of a process: pid, start and boot.
fn record(pid: u32, earlier: u64) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let start = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse::<u64>().unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    format!("{{\"pid\":{pid},\"start\":{},\"boot\":\"{}\"}}", start - earlier, boot.trim())
}

fn sleep(mark: Option<String>) -> Child {
    let mut command = Command::new("sleep");
    command.arg("300").process_group(0);
    command.envs(mark.map(|mark| ("BANKSMAN_ATTEMPT", mark)));
    command.spawn().unwrap()
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn leftover_processes_and_workspaces_are_removed_and_strangers_are_spared() {
    let world = World::new(Kept::Unconfined, "true").await.unwrap();
    let home = fs::canonicalize(world.path("home")).unwrap();
    let work = home.join("work");
    for n in ["3", "4", "5"] {
        fs::create_dir_all(work.join(n).join("repo/deep")).unwrap();
    }
    // One that was recorded, one that only carries the mark, one whose pid was taken over by a stranger.
    let mut recorded = sleep(None);
    let mut marked = sleep(Some(format!("{}#4/", home.display())));
    let mut stranger = sleep(None);
    fs::write(work.join("3/process"), record(recorded.id(), 0)).unwrap();
    fs::write(work.join("5/process"), record(stranger.id(), 1)).unwrap();

    let reaped = world.host.recover().await;
    assert_eq!((reaped.processes, reaped.workspaces), (2, 3));
    assert!(!recorded.wait().unwrap().success() && !marked.wait().unwrap().success());
    assert!(stranger.try_wait().unwrap().is_none(), "a reused pid is spared");
    end(stranger);
    until(|| world.leftovers().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_made_unwritable_is_removed_all_the_same() {
    let world =
        World::new(Kept::Unconfined, "mkdir -p d/e; touch d/e/f; chmod 000 d/e d; exit 1").await.unwrap();
    let report = world.run(&world.implement()).await.unwrap();
    assert_eq!(report.measured.exit_code, Some(1));
    assert!(world.leftovers().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_a_process_that_lives_is_spared_until_it_is_gone() {
    let world = World::new(Kept::Unconfined, "true").await.unwrap();
    let home = fs::canonicalize(world.path("home")).unwrap();
    let folder = home.join("work/9");
    fs::create_dir_all(&folder).unwrap();
    let owner = sleep(None);
    fs::write(folder.join("owner"), record(owner.id(), 0)).unwrap();
    let mut running = sleep(Some(format!("{}#9/", home.display())));
    let reaped = world.host.recover().await;
    assert_eq!((reaped.processes, reaped.workspaces), (0, 0));
    assert!(running.try_wait().unwrap().is_none());
    end(owner);
    let reaped = world.host.recover().await;
    assert_eq!((reaped.processes, reaped.workspaces), (1, 1));
    assert!(!running.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_attempt_is_reaped_and_no_other() {
    let world = World::new(Kept::Unconfined, "true").await.unwrap();
    let home = fs::canonicalize(world.path("home")).unwrap();
    let marked = |name: &str| {
        fs::create_dir_all(home.join("work").join(name)).unwrap();
        sleep(Some(format!("{}#{name}/", home.display())))
    };
    let (mut builder, mut reviewer, mut other) = (marked("3"), marked("3-review"), marked("31"));
    // Its log was in parts.
    let log = home.join("logs/attempt-3.log");
    let front = |number: u128| (number << 64 | 4).to_be_bytes().to_vec();
    let parts = [
        ("", b"begi".to_vec()),
        (".part1", [front(3), b"n".to_vec()].concat()),
        (".part2", [front(2), b"gi".to_vec()].concat()),
    ];
    for (name, bytes) in parts {
        fs::write(format!("{}{name}", log.display()), bytes).unwrap();
    }
    world.host.reap(AttemptId(3)).await;
    assert!(!builder.wait().unwrap().success() && !reviewer.wait().unwrap().success());
    assert!(other.try_wait().unwrap().is_none());
    assert_eq!(world.leftovers(), [world.path("home/work/31")]);
    assert_eq!(
        fs::read_to_string(&log).unwrap(),
        "begi\n[banksman: 2 bytes of output were dropped here]\ngin"
    );
    end(other);
}
