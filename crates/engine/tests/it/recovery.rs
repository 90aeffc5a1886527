//! What a killed process of ours left behind is cleaned up by the next one.

use crate::{
    processes::until,
    world::{Kept, World},
};
use std::{fs, os::unix::process::CommandExt, process::Command};

#[tokio::test(flavor = "multi_thread")]
async fn leftover_processes_and_workspaces_are_removed_and_strangers_are_spared() {
    let world = World::new(Kept::Unconfined, "true").await.unwrap();
    let home = fs::canonicalize(world.path("home")).unwrap();
    let work = home.join("work");
    for n in ["3", "4", "5"] {
        fs::create_dir_all(work.join(n).join("repo/deep")).unwrap();
    }
    let start = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let after =
            stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse::<u64>().unwrap();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim().to_owned();
        (after, boot)
    };
    let sleep = |mark: Option<&str>| {
        let mut command = Command::new("sleep");
        command.arg("300").process_group(0);
        command.envs(mark.map(|mark| ("BANKSMAN_ATTEMPT", mark)));
        command.spawn().unwrap()
    };
    // One that was recorded, one that only carries the mark, one whose pid was taken over by a stranger.
    let mut recorded = sleep(None);
    let mut marked = sleep(Some(&format!("{}#4/", home.display())));
    let mut stranger = sleep(None);
    let (ticks, boot) = start(recorded.id());
    let record = |pid: u32, start: u64| format!("{{\"pid\":{pid},\"start\":{start},\"boot\":\"{boot}\"}}");
    fs::write(work.join("3/process"), record(recorded.id(), ticks)).unwrap();
    fs::write(work.join("5/process"), record(stranger.id(), start(stranger.id()).0 - 1)).unwrap();

    let reaped = world.host.recover().await;
    assert_eq!((reaped.processes, reaped.workspaces), (2, 3));
    assert!(!recorded.wait().unwrap().success() && !marked.wait().unwrap().success());
    assert!(stranger.try_wait().unwrap().is_none(), "a reused pid is spared");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
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
