//! Jobs of manifests, step by step: where the work is done, where it lands, and what is never touched.

use crate::{
    processes::until,
    world::{BOTH, Kept, World, git, processes},
};
use banksman_core::{
    id::{AttemptId, JobId},
    job::{Body, Outcome},
    manifest::{Choice, JobSpec, Preamble, Priority},
    port::{Engine, EngineError, JobOrder, Step, StepReport, StepResult},
    text::{BranchName, EngineName, Revision},
    work::{FailReason, Verdict},
};
use banksman_engine::{EngineDefinition, EngineHostConfig, PromptVia, UsageFormat, builtin_engines};
use jiff::SignedDuration;
use std::{collections::BTreeMap, fs, path::PathBuf};

const BUILD: Step = Step::Build { round: 0 };

fn engine(name: &str) -> EngineName {
    EngineName::new(name).unwrap()
}

fn spec(cwd: PathBuf) -> JobSpec {
    JobSpec {
        engine: Choice::Engine(engine("shell")),
        profile: None,
        cwd,
        worktree: true,
        yolo: false,
        lock: None,
        timeout: SignedDuration::from_secs(120),
        priority: Priority::Normal,
        capabilities: Vec::new(),
        depends_on: Vec::new(),
        tracker_item: None,
        auto_echo: false,
        retries: 0,
        not_before: None,
        review: None,
        verify: Vec::new(),
        fix_rounds: 2,
        base: None,
        branch: None,
        max_cost: None,
        max_tokens: None,
        env: Vec::new(),
        preamble: None,
        extra: BTreeMap::new(),
    }
}

/// A job in the user's work tree `seed`.
fn order(world: &World) -> JobOrder {
    JobOrder {
        attempt: AttemptId(1),
        job: JobId(7),
        engine: engine("shell"),
        spec: spec(world.path("seed")),
        branch: BranchName::new("job/7-fix").unwrap(),
    }
}

/// The same in an empty folder.
fn in_folder(world: &World) -> JobOrder {
    let folder = world.path("folder");
    fs::create_dir_all(&folder).unwrap();
    JobOrder { spec: JobSpec { worktree: false, ..spec(folder) }, ..order(world) }
}

async fn step(world: &World, order: &JobOrder, step: Step, body: &str) -> StepReport {
    world.host.step(order, step, &Body::new(body.into())).await.unwrap()
}

async fn build(world: &World, order: &JobOrder, body: &str) -> StepResult {
    step(world, order, BUILD, body).await.result
}

/// Builds, lands and leaves.
async fn ships(world: &World, order: &JobOrder, body: &str) -> Outcome {
    assert_eq!(build(world, order, body).await, StepResult::Built, "{}", world.log());
    let outcome = match step(world, order, Step::Land, body).await.result {
        StepResult::Landed(outcome) => outcome,
        other => panic!("{other:?}"),
    };
    leaves_nothing(world, order).await;
    outcome
}

async fn leaves_nothing(world: &World, order: &JobOrder) {
    world.host.leave(order.attempt).await;
    assert_eq!(world.leftovers(), Vec::<PathBuf>::new(), "the workspace is gone");
}

/// Where the work of job 7 is kept, under the home that built it.
fn kept_ref(world: &World) -> Option<String> {
    let out = git(&world.path("seed"), &["for-each-ref", "--format=%(refname)", "refs/banksman/jobs/*/7"]);
    Some(out.trim().to_owned()).filter(|name| !name.is_empty())
}

fn head(world: &World, name: &str) -> Option<String> {
    let out = git(&world.path("seed"), &["for-each-ref", "--format=%(objectname)", name]);
    Some(out.trim().to_owned()).filter(|sha| !sha.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn work_in_a_repository_lands_on_a_branch_and_the_users_work_tree_stays() {
    for kept in BOTH {
        let Some(world) = World::new(kept, "true").await else { continue };
        let order = order(&world);
        let body = "test \"$(cat)\" = '' && echo new > b.txt && sed -i s/two/TWO/ a.txt && pwd > /dev/stderr";
        let built = step(&world, &order, BUILD, body).await;
        assert_eq!(built.result, StepResult::Built, "{}", world.log());
        let measured = built.measured;
        assert_eq!((measured.files, measured.added, measured.removed), (Some(2), Some(2), Some(1)));
        assert_eq!((measured.exit_code, measured.signal), (Some(0), None));
        assert!(measured.cpu_ms.is_some() && measured.peak_kib.unwrap() > 500, "{measured:?}");
        assert!(world.log().contains("work/1/repo"));
        assert_eq!(head(&world, "refs/heads/job"), None, "nothing lands before its time");
        let kept_sha = head(&world, &kept_ref(&world).unwrap()).unwrap();

        let landed = step(&world, &order, Step::Land, body).await.result;
        let StepResult::Landed(Outcome::Published { branch, sha }) = landed else { panic!("{landed:?}") };
        assert_eq!((branch.as_str(), sha.as_str()), ("job/7-fix", kept_sha.as_str()));
        assert_eq!(head(&world, "refs/heads/job/7-fix").as_deref(), Some(sha.as_str()));
        assert_eq!(head(&world, "refs/banksman"), None, "its branch keeps it now");
        let seed = world.path("seed");
        assert_eq!(git(&seed, &["rev-parse", &format!("{sha}^")]), git(&seed, &["rev-parse", "HEAD"]));
        assert_eq!(git(&seed, &["status", "--porcelain"]), "");
        assert!(!seed.join("b.txt").exists());
        leaves_nothing(&world, &order).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_in_its_folder_of_the_clone_from_the_base_it_names() {
    let Some(world) = World::new(Kept::Unconfined, "true").await else { return };
    let seed = world.path("seed");
    git(&seed, &["checkout", "-q", "-b", "old"]);
    git(&seed, &["commit", "-q", "--allow-empty", "-m", "Old"]);
    git(&seed, &["checkout", "-q", "main"]);
    let below = seed.join("deep/er");
    fs::create_dir_all(&below).unwrap();
    let base = Some(Revision::new("old").unwrap());
    let mut order = JobOrder { spec: JobSpec { base, ..spec(below) }, ..order(&world) };
    ships(&world, &order, "echo x > here; test \"$(git log -1 --format=%s)\" = Old").await;
    let files = git(&seed, &["diff", "--name-only", "old", "job/7-fix"]);
    assert_eq!(files, "deep/er/here\n");

    order.spec.base = Some(Revision::new("nowhere").unwrap());
    assert_eq!(build(&world, &order, "true").await, StepResult::Failed(FailReason::NoBase));
    world.host.leave(order.attempt).await;
    order.spec.cwd = world.path("nowhere");
    assert_eq!(build(&world, &order, "true").await, StepResult::Failed(FailReason::NoFolder));
    leaves_nothing(&world, &order).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_with_other_work_or_in_a_work_tree_is_not_touched() {
    let Some(world) = World::new(Kept::Unconfined, "true").await else { return };
    let seed = world.path("seed");
    let mut order = order(&world);
    let taken = async |order: &JobOrder| {
        assert_eq!(build(&world, order, "echo x > b").await, StepResult::Built);
        let landed = step(&world, order, Step::Land, "").await.result;
        assert_eq!(landed, StepResult::Failed(FailReason::BranchTaken));
        leaves_nothing(&world, order).await;
        let lost = git(&seed, &["log", "-1", "--format=%an", &kept_ref(&world).unwrap()]);
        assert!(!lost.is_empty(), "what was built is kept");
    };
    // Other work.
    git(&seed, &["branch", "job/7-fix"]);
    git(&seed, &["checkout", "-q", "job/7-fix"]);
    git(&seed, &["commit", "-q", "--allow-empty", "-m", "Mine"]);
    let mine = head(&world, "refs/heads/job/7-fix");
    git(&seed, &["checkout", "-q", "main"]);
    taken(&order).await;
    assert_eq!(head(&world, "refs/heads/job/7-fix"), mine);
    // A branch on which a folder stands; that the work builds on it does not help.
    order.branch = BranchName::new("main").unwrap();
    taken(&order).await;
    assert_eq!(git(&seed, &["status", "--porcelain"]), "");
    // A branch that the work goes on from.
    git(&seed, &["branch", "feature"]);
    order.branch = BranchName::new("feature").unwrap();
    ships(&world, &order, "echo x > b").await;
    // What this very job landed before may be replaced.
    ships(&world, &order, "echo y > b").await;
    assert_eq!(git(&seed, &["show", "feature:b"]), "y\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_engine_left_is_kept() {
    for kept in BOTH {
        let Some(world) = World::new(kept, "true").await else { continue };
        let order = order(&world);
        let failed = build(&world, &order, "echo half > b; exit 3").await;
        assert_eq!(failed, StepResult::Failed(FailReason::ExitCode));
        leaves_nothing(&world, &order).await;
        assert_eq!(
            git(&world.path("seed"), &["show", &format!("{}:b", kept_ref(&world).unwrap())]),
            "half\n"
        );
        assert_eq!(head(&world, "refs/heads/job"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_verify_is_told_to_the_next_round() {
    for kept in BOTH {
        let Some(world) = World::new(kept, "true").await else { continue };
        let mut order = order(&world);
        order.spec.verify = vec!["true".into(), "echo 'b is wrong'; grep right b".into()];
        let body = "if test $BANKSMAN_ROUND = 0; then echo wrong > b; else grep -q 'b is wrong' \"$BANKSMAN_FINDINGS\" && echo right > b; fi";
        assert_eq!(build(&world, &order, body).await, StepResult::Built);
        assert_eq!(step(&world, &order, Step::Verify, body).await.result, StepResult::Refuted);
        let again = step(&world, &order, Step::Build { round: 1 }, body).await;
        assert_eq!((again.result, again.measured.exit_code), (StepResult::Built, Some(0)), "{}", world.log());
        assert_eq!(step(&world, &order, Step::Verify, body).await.result, StepResult::Verified);
        assert!(matches!(step(&world, &order, Step::Land, body).await.result, StepResult::Landed(_)));
        leaves_nothing(&world, &order).await;
        assert_eq!(git(&world.path("seed"), &["show", "job/7-fix:b"]), "right\n");
        assert!(world.log().matches("b is wrong").count() == 2, "one log for all steps");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_engine_reviews_what_was_built_and_is_heard() {
    // The reviewer looks at the diff; it approves as soon as `b` says good.
    let script = "git diff refs/banksman/base HEAD | grep -q '^+good' && v='{\"verdict\":\"approve\"}' || \
                  v='{\"verdict\":\"changes\",\"threads\":[{\"path\":\"b\",\"line\":1,\"body\":\"Say good.\"}]}'; \
                  grep -q 'Write b' \"$BANKSMAN_TASK_FILE\" && echo \"$v\" > \"$BANKSMAN_TASK_DIR/verdict.json\"";
    for kept in BOTH {
        let made = World::with(kept, script, &|config| {
            config.engines.get_mut(&engine("agent")).unwrap().class = "reviewer".into();
        });
        let Some(world) = made.await else { continue };
        let mut order = order(&world);
        order.spec.review = Some(engine("reviewer"));
        let body = "# Write b\necho bad > b; test $BANKSMAN_ROUND = 0 || { grep -q 'Say good' \"$BANKSMAN_FINDINGS\" && echo good > b; }";
        let review = async || step(&world, &order, Step::Review, body).await.result;
        assert_eq!(build(&world, &order, body).await, StepResult::Built);
        assert_eq!(review().await, StepResult::Reviewed(Verdict::Changes), "{}", world.log());
        let again = step(&world, &order, Step::Build { round: 1 }, body).await.result;
        assert_eq!(again, StepResult::Built, "{}", world.log());
        assert_eq!(review().await, StepResult::Reviewed(Verdict::Approve), "{}", world.log());
        leaves_nothing(&world, &order).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_reviewer_is_not_built_again() {
    let limited = r#"{"type":"turn.failed","error":{"message":"You've hit your usage limit."}}"#;
    let script = format!(
        "if test -e \"$BANKSMAN_TASK_DIR/../../../open\"; then echo '{{\"verdict\":\"approve\"}}' > \"$BANKSMAN_TASK_DIR/verdict.json\"; \
         else cat <<'END'\n{limited}\nEND\nexit 1; fi"
    );
    let made = World::with(Kept::Unconfined, &script, &|config| {
        let agent = config.engines.get_mut(&engine("agent")).unwrap();
        (agent.class, agent.usage) = ("reviewer".into(), UsageFormat::Codex);
    });
    let Some(world) = made.await else { return };
    let mut order = order(&world);
    order.spec.review = Some(engine("reviewer"));
    let body = "echo once >> \"$BANKSMAN_TASK_DIR/../../../built\"; echo good > b";
    for attempt in [1, 2] {
        order.attempt = AttemptId(attempt);
        assert_eq!(build(&world, &order, body).await, StepResult::Built, "{}", world.log());
        let waits = step(&world, &order, Step::Review, body).await.result;
        let StepResult::Limited { engine: reviewer, .. } = waits else { panic!("{waits:?} {}", world.log()) };
        assert_eq!(reviewer, engine("agent"));
        leaves_nothing(&world, &order).await;
    }
    fs::write(world.path("home/open"), "").unwrap();
    order.attempt = AttemptId(3);
    assert_eq!(build(&world, &order, body).await, StepResult::Built);
    let approved = step(&world, &order, Step::Review, body).await.result;
    assert_eq!(approved, StepResult::Reviewed(Verdict::Approve));
    let landed = step(&world, &order, Step::Land, body).await.result;
    assert!(matches!(landed, StepResult::Landed(_)), "{landed:?}");
    leaves_nothing(&world, &order).await;
    assert_eq!(fs::read_to_string(world.path("home/built")).unwrap(), "once\n");
    assert_eq!(git(&world.path("seed"), &["show", "job/7-fix:b"]), "good\n");
    // What begins elsewhere is built anew.
    git(&world.path("seed"), &["commit", "-q", "--allow-empty", "-m", "Later"]);
    order.attempt = AttemptId(4);
    assert_eq!(build(&world, &order, body).await, StepResult::Built);
    assert_eq!(fs::read_to_string(world.path("home/built")).unwrap(), "once\nonce\n");
    leaves_nothing(&world, &order).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_homes_keep_what_they_built_apart() {
    let Some(world) = World::new(Kept::Unconfined, "true").await else { return };
    let order = order(&world);
    assert_eq!(build(&world, &order, "echo one > b").await, StepResult::Built);
    world.host.leave(order.attempt).await;
    let environment = ["PATH", "HOME"].map(|name| (name.into(), std::env::var_os(name).unwrap()));
    let mut config =
        EngineHostConfig::new(world.path("another"), BTreeMap::from(environment), jiff::Timestamp::now);
    (config.sandbox, config.min_free) = (banksman_engine::SandboxPolicy::Off, 0);
    let another = banksman_engine::EngineHost::new(config).await.unwrap();
    let built = another.step(&order, BUILD, &Body::new("echo two > b".into())).await.unwrap();
    assert_eq!(built.result, StepResult::Built);
    another.leave(order.attempt).await;
    let kept = git(&world.path("seed"), &["for-each-ref", "--format=%(refname)", "refs/banksman/jobs"]);
    let mut words: Vec<String> =
        kept.lines().map(|name| git(&world.path("seed"), &["show", &format!("{name}:b")])).collect();
    words.sort();
    assert_eq!(words, ["one\n", "two\n"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_outside_of_repositories_runs_in_its_folder() {
    for kept in BOTH {
        let Some(world) = World::new(kept, "true").await else { continue };
        let mut order = in_folder(&world);
        order.spec.env = vec!["SECRET_TOKEN".parse().unwrap()];
        let body = "echo $0 $#; echo $SECRET_TOKEN > made; echo done";
        assert_eq!(ships(&world, &order, body).await, Outcome::Ran);
        assert_eq!(fs::read_to_string(world.path("folder/made")).unwrap(), "canary-7f3a\n");
        assert!(world.log().ends_with("work/1/task/script 0\ndone\n"), "{}", world.log());
        // A repository whose manifest wants no clone is such a folder too.
        let order = JobOrder { spec: JobSpec { worktree: false, ..spec(world.path("seed")) }, ..order };
        assert_eq!(ships(&world, &order, "echo x > untracked").await, Outcome::Ran);
        assert!(world.path("seed/untracked").exists());
    }
}

fn prompted(config: &mut EngineHostConfig, name: &str, via: PromptVia, args: &[&str]) {
    let shell = builtin_engines().remove(&engine("shell")).unwrap();
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    let definition = EngineDefinition { prompt: via, args, ..shell };
    config.engines.insert(engine(name), definition);
}

#[tokio::test(flavor = "multi_thread")]
async fn preamble_and_body_reach_the_engine_as_they_are_in_its_own_way() {
    let made = World::with(Kept::Unconfined, "true", &|config| {
        prompted(
            config,
            "argument",
            PromptVia::Argument,
            &["-c", "printf %s \"$1\" > got", "sh", "{prompt}"],
        );
        prompted(config, "stdin", PromptVia::Stdin, &["-c", "cat > got"]);
        prompted(config, "file", PromptVia::File, &["-c", "cat \"$1\" > got", "sh", "{prompt_file}"]);
    });
    let world = made.await.unwrap();
    let body = "Fix {prompt}; $(rm)\n\n---\n\tand `that`\r\n";
    for name in ["argument", "stdin", "file"] {
        let mut order = JobOrder { engine: engine(name), ..in_folder(&world) };
        order.spec.preamble = Some(Preamble::new("Be brief.".into()));
        assert_eq!(ships(&world, &order, body).await, Outcome::Ran);
        let got = fs::read_to_string(world.path("folder/got")).unwrap();
        assert_eq!(got, format!("Be brief.\n\n{body}"), "{name}");
        // Too long for an argument.
        let long = "x".repeat(1 << 20);
        order.spec.preamble = None;
        assert_eq!(ships(&world, &order, &long).await, Outcome::Ran, "{name}");
        let got = fs::read_to_string(world.path("folder/got")).unwrap();
        assert_eq!(got == long, name != "argument");
        assert!(got == long || got.contains("work/1/task/PROMPT.md"), "{got}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn yolo_is_refused_outside_of_a_sandbox_unless_the_host_says_always() {
    for kept in BOTH {
        let flags = |config: &mut EngineHostConfig| {
            prompted(config, "agent", PromptVia::Argument, &["-c", "echo \"$@\"", "sh", "{unattended}"]);
            config.engines.get_mut(&engine("agent")).unwrap().unattended_args = vec!["--yes".into()];
        };
        let Some(mut world) = World::with(kept, "true", &flags).await else { continue };
        let mut order = JobOrder { engine: engine("agent"), ..in_folder(&world) };
        ships(&world, &order, "").await;
        assert_eq!(world.log(), "\n", "without yolo it has to ask");
        order.spec.yolo = true;
        if kept == Kept::Unconfined {
            assert_eq!(build(&world, &order, "").await, StepResult::Failed(FailReason::YoloRefused));
            let always = |config: &mut EngineHostConfig| {
                flags(config);
                let agent = config.engines.get_mut(&engine("agent")).unwrap();
                agent.unattended = banksman_engine::Unattended::Always;
            };
            world = World::with(kept, "true", &always).await.unwrap();
            order.spec.cwd = in_folder(&world).spec.cwd;
        }
        ships(&world, &order, "").await;
        assert_eq!(world.log(), "--yes\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_passes_its_budget_is_stopped() {
    let made = World::with(Kept::Unconfined, "true", &|config| {
        let usage = r#"{"type":"turn.completed","usage":{"input_tokens":900,"cached_input_tokens":0,"output_tokens":101}}"#;
        prompted(config, "agent", PromptVia::Argument, &["-c", &format!("echo '{usage}'; sleep 600")]);
        config.engines.get_mut(&engine("agent")).unwrap().usage = UsageFormat::Codex;
    });
    let world = made.await.unwrap();
    let mut order = JobOrder { engine: engine("agent"), ..in_folder(&world) };
    order.spec.max_tokens = Some(1000);
    let report = step(&world, &order, BUILD, "").await;
    assert_eq!(report.result, StepResult::Failed(FailReason::OverBudget));
    assert_eq!(report.measured.usage.tokens_in, Some(900));
    leaves_nothing(&world, &order).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_attempt_can_be_ended_and_all_steps_share_its_time_limit() {
    for kept in BOTH {
        let Some(world) = World::new(kept, "true").await else { continue };
        let sleep = format!("7{}{}", std::process::id(), kept as u8);
        let order = in_folder(&world);
        let (body, at) =
            (Body::new(format!("echo started; setsid sleep {sleep} & sleep {sleep}")), order.attempt);
        let (ended, ()) = tokio::join!(world.host.step(&order, BUILD, &body), async {
            until(|| world.log().contains("started")).await;
            world.host.end(at);
        });
        let ended = ended.unwrap();
        assert_eq!(ended.result, StepResult::Interrupted);
        assert!(
            ended.measured.signal.is_some() || ended.measured.exit_code.is_some(),
            "what it used is told"
        );
        assert_eq!(processes(&sleep), Vec::<String>::new());
        let later = world.host.step(&order, Step::Land, &body).await;
        assert!(matches!(later, Err(EngineError::Interrupted)), "an ended attempt goes no further");
        leaves_nothing(&world, &order).await;
        // Ended before it began.
        world.host.end(at);
        assert!(matches!(world.host.step(&order, BUILD, &body).await, Err(EngineError::Interrupted)));
        leaves_nothing(&world, &order).await;

        let mut order = order;
        order.spec.timeout = SignedDuration::from_millis(700);
        order.spec.verify = vec![format!("sleep {sleep}")];
        assert_eq!(build(&world, &order, "true").await, StepResult::Built);
        let verified = step(&world, &order, Step::Verify, "true").await.result;
        assert_eq!(verified, StepResult::Failed(FailReason::TimedOut));
        assert_eq!(build(&world, &order, "true").await, StepResult::Failed(FailReason::TimedOut));
        leaves_nothing(&world, &order).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_a_signal_ends_is_told_so() {
    for kept in BOTH {
        let Some(world) = World::new(kept, "true").await else { continue };
        let report = step(&world, &in_folder(&world), BUILD, "kill -SEGV $$").await;
        assert_eq!(report.result, StepResult::Failed(FailReason::Signal));
        assert_eq!((report.measured.signal, report.measured.exit_code), (Some(11), None), "{kept:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_attempts_in_one_repository_do_not_disturb_each_other() {
    let Some(world) = World::new(Kept::Unconfined, "true").await else { return };
    let orders: Vec<JobOrder> = (1..=4)
        .map(|n| JobOrder {
            attempt: AttemptId(n),
            job: JobId(n),
            branch: BranchName::new(&format!("job/{n}")).unwrap(),
            ..order(&world)
        })
        .collect();
    let one = async |order: &JobOrder| {
        let body = format!("echo {} > b", order.job);
        assert_eq!(build(&world, order, &body).await, StepResult::Built);
        assert!(matches!(step(&world, order, Step::Land, &body).await.result, StepResult::Landed(_)));
        world.host.leave(order.attempt).await;
    };
    tokio::join!(one(&orders[0]), one(&orders[1]), one(&orders[2]), one(&orders[3]));
    for n in 1..=4 {
        assert_eq!(git(&world.path("seed"), &["show", &format!("job/{n}:b")]), format!("{n}\n"));
    }
}
