//! Alone in its process, since it looks at everything that this process inherits: an unconfined engine whose children clear their
//! environment and leave their session.

use banksman_core::{
    id::{AttemptId, Number},
    port::{Engine, Order},
    tainted::Tainted,
    text::{BranchName, EngineName, RepoName},
    work::Task,
};
use banksman_engine::{
    EngineHost, EngineHostConfig, EngineSettings, RepositorySetup, SandboxPolicy, engines,
};
use std::{collections::BTreeMap, fs, process::Command};

#[tokio::test(flavor = "multi_thread")]
async fn a_child_without_mark_session_or_parent_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let forge = dir.path().join("forge");
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=U", "-c", "user.email=u@localhost"];
        assert!(Command::new("git").args(identity).args(args).status().unwrap().success());
    };
    let at = forge.to_str().unwrap();
    git(&["init", "-q", "-b", "main", at]);
    git(&["-C", at, "commit", "-q", "--allow-empty", "-m", "Start"]);
    let sleep = format!("8{}7", std::process::id());
    let environment = BTreeMap::from([
        ("PATH".into(), std::env::var_os("PATH").unwrap()),
        ("HOME".into(), dir.path().join("user").into_os_string()),
    ]);
    let mut config = EngineHostConfig::new(dir.path().join("home"), environment, jiff::Timestamp::now);
    let script =
        format!("(env -i setsid sh -c 'sleep {sleep} & sleep {sleep}' > /dev/null 2>&1 &) ; echo x > b");
    let settings = EngineSettings { command: Some(script), ..EngineSettings::default() };
    config.engines = engines(&BTreeMap::from([(EngineName::new("agent").unwrap(), settings)])).unwrap();
    let repo = RepoName::new("local/shop").unwrap();
    config.repositories.insert(repo.clone(), RepositorySetup::new(forge.join(".git")));
    (config.sandbox, config.min_free) = (SandboxPolicy::Off, 0);
    let host = EngineHost::new(config).await.unwrap();
    let base = BranchName::new("main").unwrap();
    let order = Order {
        attempt: AttemptId(1),
        repo,
        task: Task::Implement { child: Number(7), base: base.clone() },
        engine: EngineName::new("agent").unwrap(),
        branch: BranchName::new("agent/7").unwrap(),
        base,
        head: None,
    };
    host.run(&order, Tainted::new(String::new())).await.unwrap();
    let alive = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let alive = alive.filter(|line| String::from_utf8_lossy(line).contains(&sleep)).count();
    assert_eq!(alive, 0);
}
