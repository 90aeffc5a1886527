//! The world of the demo through the GitHub client: the embedded forge behind its GitHub-compatible face on loopback, and a second home that knows
//! it as a repository on GitHub. Everything goes over HTTP, git's fetches and pushes too; what comes out is what the demo itself makes.

use crate::world::World;
use banksman_core::{
    port::book::Who,
    text::{BranchName, CheckName, Login, RepoName},
};
use banksman_engine::{EngineHost, EngineHostConfig, RepositorySetup, SandboxPolicy};
use banksman_facade::{Access, Token, router};
use banksman_forge::local::{Freshness, LocalForge, LocalRepo};
use banksman_store::book::SqliteBook;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::{num::NonZeroUsize, process::Output, sync::Arc};
use tokio::net::TcpListener;

pub(crate) const TOKEN: &str = "ghp_demo";

/// What the embedded forge of a test is like.
pub(crate) struct Forge<'a> {
    /// The folder of its one repository, which is `me/shop`.
    pub(crate) folder: &'a str,
    /// The command of its one check.
    pub(crate) check: &'a str,
    /// Approvals that a merge needs.
    pub(crate) approvals: u32,
    /// People with a token; each one's is the name with `ghp_` before it.
    pub(crate) people: &'a [&'a str],
}

/// Serves the repository below `world` until the test ends, and runs its checks. Banksman's token is `ghp_demo`.
pub(crate) async fn serve(world: &World, wanted: Forge<'_>) -> String {
    let name = RepoName::new("local/shop").unwrap();
    let home = world.path("forge");
    std::fs::create_dir_all(&home).unwrap();
    let folder = world.path(wanted.folder);
    let mut config = EngineHostConfig::new(home.clone(), std::env::vars_os().collect(), Timestamp::now);
    config.environment.insert("HOME".into(), world.path("user").into());
    config.sandbox = SandboxPolicy::BestEffort;
    config.repositories.insert(name.clone(), RepositorySetup::new(folder.join(".git")));
    let engine = Arc::new(EngineHost::new(config).await.unwrap());
    let repo = LocalRepo {
        name: name.clone(),
        folder,
        default_branch: BranchName::new("main").unwrap(),
        checks: vec![(CheckName::new("tests").unwrap(), wanted.check.into())],
        check_timeout: SignedDuration::from_mins(1),
        required_approvals: wanted.approvals,
        freshness: Freshness::Any,
        allowed: Vec::new(),
    };
    let book = SqliteBook::open(&home.join("forge.db")).unwrap();
    let forge = LocalForge::open(vec![repo], book, engine, Arc::new(Timestamp::now)).await.unwrap();
    let forge = Arc::new(forge);
    let token = |text: String, who| (Token::of(&SecretString::from(text)), who);
    let mut tokens = vec![token(TOKEN.to_owned(), Who::Banksman)];
    let people = wanted.people.iter();
    tokens.extend(people.map(|name| token(format!("ghp_{name}"), Who::Person(Login::new(name).unwrap()))));
    let access = Access::tcp(tokens, Vec::new());
    let app =
        router(Arc::new(Arc::clone(&forge)), access, Login::new("me").unwrap(), Arc::new(Timestamp::now));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = app.unwrap();
    // Both end with the runtime of the test.
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    tokio::spawn(
        async move { forge.run_checks_until(std::future::pending(), NonZeroUsize::MIN).await.unwrap() },
    );
    address
}

/// The engines of the demo in the configuration, and what else it wants to be short.
fn configuration(more: &str) -> String {
    let program = env!("CARGO_BIN_EXE_banksman");
    format!(
        "attempts = 1\nretry_pause = \"500ms\"\n[policy]\nresponse_time = \"1s\"\nred_checks = \"45s\"\n\
         [engines.demo]\nbase = \"shell\"\nprogram = \"{program}\"\nargs = [\"demo-agent\", \"--task-file\", \"{{task_file}}\", \
         \"--task-dir\", \"{{task_dir}}\"]\nprompt = \"file\"\nunattended = \"never\"\nclass = \"scripted\"\nparallel = 4\n\
         timeout = \"1m\"\nnetwork = false\nusage = \"claude\"\n{more}"
    )
}

/// Onboards a repository from a home of its own, to the end.
async fn onboard(world: &World, home: &str, repo: &str, more: &str, args: &[&str]) {
    world.write(&format!("{home}.toml"), configuration(more));
    let mut command = world.command(&[
        "onboard",
        repo,
        "--engine",
        "demo",
        "--audit",
        "made/AUDIT.md",
        "--yes",
        "--no-color",
    ]);
    command.args(args).env("GITHUB_TOKEN", TOKEN).env("BANKSMAN_HOME", world.path(home));
    command.env("BANKSMAN_CONFIG", world.path(&format!("{home}.toml")));
    let done: Output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(0), "{repo}\n{out}\n{err}");
}

/// The files of the default branch, and what is left of branches.
fn end(world: &World, repository: &str) -> String {
    world.sh(&format!(
        "git -C {repository} ls-tree -r main; git -C {repository} for-each-ref --format='%(refname)' refs/heads"
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_world_of_the_demo_ends_the_same_through_github() {
    let world = World::new();
    world.ok(&["demo", "--dir", &world.path("made").display().to_string()]);
    // The same repository as it was before, for each of the two ways.
    for copy in ["direct", "shop"] {
        world.sh(&format!(
            "git clone -q made/shop {copy}; cd {copy}; git reset -q --hard $(git log --author=Ada --format=%H -1); \
             git remote remove origin"
        ));
    }
    onboard(&world, "home-direct", "direct", "", &["--check", "tests=sh tests/run.sh"]).await;
    let forge = Forge { folder: "shop", check: "sh tests/run.sh", approvals: 0, people: &[] };
    let address = serve(&world, forge).await;
    world.write(
        "home-github/repos.toml",
        "[repos.\"me/shop\"]\ngithub = \"me/shop\"\ndefault_branch = \"main\"\nimplementers = [\"demo\"]\n\
         checks = [[\"tests\", \"sh tests/run.sh\"]]\ncheck_apps = [1]\n",
    );
    let github = format!("[github]\napi_url = \"{address}\"\nsweep = \"1s\"\nsweep_idle = \"2s\"\n");
    onboard(&world, "home-github", "github:me/shop", &github, &[]).await;
    assert_eq!(end(&world, "shop"), end(&world, "direct"));
}
