//! Checks in a fresh checkout.

use crate::world::{BOTH, CANARY, Kept, World, commit, repo};
use banksman_core::{
    port::{CheckOrder, CheckReport, Checker, EngineError},
    text::{CheckName, Sha},
};
use jiff::SignedDuration;

async fn check(world: &World, sha: &Sha, commands: &[&str]) -> Vec<CheckReport> {
    let named =
        |(n, command): (usize, &&str)| (CheckName::new(&format!("c{n}")).unwrap(), (*command).to_owned());
    let order = CheckOrder {
        run: 5,
        repo: repo(),
        sha: sha.clone(),
        checks: commands.iter().enumerate().map(named).collect(),
        timeout: SignedDuration::from_secs(2),
    };
    world.host.check(&order).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_run_in_order_in_a_fresh_checkout_and_report() {
    for kept in BOTH {
        let Some(world) = World::new(kept, "true").await else { continue };
        let sha = commit(&world, "agent/7", "main", "b.txt", "new\n");
        let commands = [
            "grep new b.txt && touch left",
            "test -e left; echo out; echo err >&2; false",
            "sleep 100",
            "kill -9 $$",
        ];
        let reports = check(&world, &sha, &commands).await;
        let passed: Vec<bool> = reports.iter().map(|report| report.passed).collect();
        assert_eq!(passed, [true, false, false, false], "{kept:?}");
        reports[1].log.structure(|log| assert_eq!(log, "out\nerr\n"));
        reports[2].log.structure(|log| assert!(log.contains("time limit")));
        let full = std::fs::read_to_string(world.path("home/logs/check-5.log")).unwrap();
        assert!(full.contains("== c0\nnew\n== c1\nout\nerr\n"), "{full}");
        assert!(world.leftovers().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_end_of_a_long_log_is_reported() {
    let Some(world) = World::new(Kept::Sandboxed, "true").await else { return };
    let reports = check(&world, &world.head("main").unwrap(), &["seq 1 100000"]).await;
    reports[0].log.structure(|log| assert!(log.len() == 16 << 10 && log.ends_with("99999\n100000\n")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_its_branch_has_left_can_be_checked_still() {
    let Some(world) = World::new(Kept::Sandboxed, "true").await else { return };
    let sha = commit(&world, "agent/7", "main", "b.txt", "new\n");
    world.git(&["update-ref", "refs/heads/agent/7", "main"]);
    assert!(check(&world, &sha, &["test -f b.txt"]).await[0].passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_see_neither_home_nor_environment_nor_network() {
    let Some(world) = World::new(Kept::Sandboxed, "true").await else { return };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connect = format!("bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'");
    let reports =
        check(&world, &world.head("main").unwrap(), &["env; cat $HOME/.ssh/id_ed25519", &connect]).await;
    assert!(!reports[0].passed && !reports[1].passed);
    reports[0].log.structure(|log| assert!(!log.contains(CANARY)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_repository_is_a_host_error() {
    let world = World::new(Kept::Unconfined, "true").await.unwrap();
    let order = CheckOrder {
        run: 1,
        repo: banksman_core::text::RepoName::new("local/other").unwrap(),
        sha: world.head("main").unwrap(),
        checks: Vec::new(),
        timeout: SignedDuration::from_secs(1),
    };
    assert!(matches!(world.host.check(&order).await, Err(EngineError::Host(_))));
}
