//! Looks at a repository: who gets work, when a person is called, and when a child comes back from one.

use crate::world::{TestWorld, holder, sh};
use banksman_core::{
    event::What,
    id::Number,
    intent::{NEEDS_INTERVENTION, Step},
    job::JobState,
    policy::EscalateReason,
    port::{Clock, ForgeError, IssueText, Refusal, Scope, Store, TaskFilter},
    repo::{HostedAgent, RepoRules},
    tainted::Tainted,
    text::{EngineName, Fingerprint, Label, RepoName},
};
use banksman_orchestrator::{Drafts, IssueOrder, Orchestrator, Outlook, Stop, Trouble, Until};
use jiff::SignedDuration;
use std::sync::Arc;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn repo() -> RepoName {
    RepoName::new("our/own").unwrap()
}

fn rules() -> RepoRules {
    RepoRules { attempts: 1, ..RepoRules::new(repo(), sh()) }
}

fn orchestrator(world: &Arc<TestWorld>) -> Orchestrator<Arc<TestWorld>> {
    world.forge.town(&repo(), world.clock.now());
    Orchestrator::new(Arc::clone(world), holder("here/1/pipeline"))
}

/// Time goes on, for the forge as well.
fn advance(world: &TestWorld) {
    world.clock.advance(HOUR);
    world.forge.with(&repo(), |town| town.now = world.clock.now()).unwrap();
}

async fn jobs(world: &TestWorld) -> Vec<banksman_core::job::Job> {
    world.store.tasks(&TaskFilter::Repo(repo())).await.unwrap()
}

#[tokio::test]
async fn a_failed_child_that_a_person_gives_back_gets_a_fresh_allowance() {
    let world = TestWorld::new();
    let pipeline = orchestrator(&world);
    let child = world.forge.with(&repo(), |town| town.open(&["agent:sh"])).unwrap();
    let worker = world.worker(|setup| setup.rules = vec![rules()]);
    let calls = || world.seen.all().iter().filter(|e| matches!(e.what, What::Escalated { .. })).count();
    for round in 1..=3 {
        pipeline.sweep(&rules()).await.unwrap();
        worker.run_one().await.unwrap();
        let all = jobs(&world).await;
        assert_eq!(all.len(), 1, "of those that were repeated the newest only");
        assert!(matches!(all[0].state, JobState::Failed { .. }));
        advance(&world);
        pipeline.sweep(&rules()).await.unwrap();
        assert_eq!(calls(), round);
        // As long as the label is there it stays with the person.
        advance(&world);
        pipeline.sweep(&rules()).await.unwrap();
        assert_eq!((calls(), jobs(&world).await[0].id), (round, all[0].id));
        world.forge.with(&repo(), |town| town.take_label(child, NEEDS_INTERVENTION)).unwrap();
        pipeline.sweep(&rules()).await.unwrap();
        let again = jobs(&world).await;
        assert_eq!(again[0].retry_of, Some(all[0].id));
        assert_eq!((again[0].failures, again[0].state.is_waiting()), (0, true));
    }
}

#[tokio::test]
async fn a_label_of_an_engine_that_nobody_has_makes_no_work() {
    let world = TestWorld::new();
    let pipeline = orchestrator(&world);
    world.forge.with(&repo(), |town| town.open(&["agent:nobody"])).unwrap();
    let look = pipeline.sweep(&rules()).await.unwrap();
    assert!(jobs(&world).await.is_empty());
    assert_ne!(look.outlook, Outlook::Moving);
    let known = RepoRules { engines: vec![EngineName::new("nobody").unwrap()], ..rules() };
    pipeline.sweep(&known).await.unwrap();
    assert_eq!(jobs(&world).await.len(), 1);
    // The engine is taken out of the configuration again: nothing moves until a person sees to it.
    let look = pipeline.sweep(&rules()).await.unwrap();
    assert_ne!(look.outlook, Outlook::Moving);
}

#[tokio::test]
async fn the_label_of_a_hosted_agent_makes_no_work_of_ours_and_is_waited_for() {
    let world = TestWorld::new();
    let pipeline = orchestrator(&world);
    let jules = HostedAgent { name: EngineName::new("jules").unwrap(), label: Label::new("jules").unwrap() };
    let mut rules = RepoRules::new(repo(), jules.name.clone());
    rules.hosted.push(jules);
    let child = world.forge.with(&repo(), |town| town.open(&["jules", "agent:jules"])).unwrap();
    let look = pipeline.sweep(&rules).await.unwrap();
    assert!(jobs(&world).await.is_empty());
    assert_eq!(look.outlook, Outlook::Moving, "the agent has it");
    let direct = world.forge.with(&repo(), |town| town.open(&[])).unwrap();
    pipeline.dispatch_direct(&rules, &[direct]).await.unwrap();
    let label = Label::new("jules").unwrap();
    let labelled = Step::AddLabel { on: direct, label };
    assert!(world.forge.with(&repo(), |town| town.done.contains(&labelled)).unwrap());
    assert_ne!(child, direct);
}

#[tokio::test]
async fn a_hosted_agent_that_opens_no_pull_request_calls_a_person_in_time() {
    let world = TestWorld::new();
    let pipeline = orchestrator(&world);
    let jules = HostedAgent { name: EngineName::new("jules").unwrap(), label: Label::new("jules").unwrap() };
    let mut rules = RepoRules::new(repo(), jules.name.clone());
    rules.hosted.push(jules);
    rules.limits.no_pull = HOUR * 2;
    let child = world.forge.with(&repo(), |town| town.open(&[])).unwrap();
    pipeline.dispatch_direct(&rules, &[child]).await.unwrap();
    let called = |world: &TestWorld| {
        let calls = world.seen.all();
        let silent = |e: &&banksman_core::event::Event| {
            matches!(e.what, What::Escalated { reason: EscalateReason::NoPull, .. })
        };
        calls.iter().filter(silent).count()
    };
    let look = pipeline.sweep(&rules).await.unwrap();
    assert_eq!((look.outlook, called(&world)), (Outlook::Moving, 0));
    advance(&world);
    assert_eq!(pipeline.sweep(&rules).await.unwrap().outlook, Outlook::Moving);
    advance(&world);
    assert!(pipeline.sweep(&rules).await.unwrap().acted);
    assert_eq!(called(&world), 1);
    let look = pipeline.sweep(&rules).await.unwrap();
    assert_ne!(look.outlook, Outlook::Moving, "a person has it");
    // Given back, it has the same time again, and a person is called again.
    world.forge.with(&repo(), |town| town.take_label(child, NEEDS_INTERVENTION)).unwrap();
    advance(&world);
    assert_eq!(pipeline.sweep(&rules).await.unwrap().outlook, Outlook::Moving);
    advance(&world);
    pipeline.sweep(&rules).await.unwrap();
    assert_eq!(called(&world), 2);
}

#[tokio::test]
async fn a_repository_that_moved_does_not_end_the_loop_for_the_others() {
    let world = TestWorld::new();
    let pipeline = orchestrator(&world);
    let moved = RepoRules::new(RepoName::new("our/moved").unwrap(), sh());
    world.forge.with(&repo(), |town| town.open(&["agent:sh"])).unwrap();
    let (stop, both) = (Stop::default(), [moved, rules()]);
    let going = pipeline.run(&both, Until::Stopped, &stop);
    let clock = async {
        for expected in 1..=3 {
            // A minute of refusals is more than it waits for.
            for _ in 0..120 {
                world.clock.advance(SignedDuration::from_millis(500));
                jobs(&world).await;
            }
            while jobs(&world).await.len() < expected {
                world.clock.advance(SignedDuration::from_secs(1));
            }
            world.forge.with(&repo(), |town| town.open(&["agent:sh"])).unwrap();
        }
        stop.stop();
        world.clock.advance(HOUR);
    };
    let (outlooks, ()) = futures_util::future::join(going, clock).await;
    assert_eq!(outlooks.unwrap().len(), 1, "the one that is there was looked at to the end");
}

/// A world whose pipeline has something to do: to call a person.
async fn with_a_call(world: &Arc<TestWorld>) -> Orchestrator<Arc<TestWorld>> {
    let pipeline = orchestrator(world);
    world.forge.with(&repo(), |town| town.open(&["agent:sh"])).unwrap();
    let worker = world.worker(|setup| setup.rules = vec![rules()]);
    pipeline.sweep(&rules()).await.unwrap();
    worker.run_one().await.unwrap();
    advance(world);
    pipeline
}

fn labelled(world: &TestWorld) -> usize {
    let labels = |town: &mut crate::village::Town| {
        town.done.iter().filter(|step| matches!(step, Step::AddLabel { .. })).count()
    };
    world.forge.with(&repo(), labels).unwrap()
}

#[tokio::test]
async fn a_pause_that_the_forge_wants_is_kept() {
    let world = TestWorld::new();
    let pipeline = with_a_call(&world).await;
    let later = ForgeError::Later(world.clock.now() + HOUR / 2);
    world.forge.with(&repo(), |town| town.halts = Some((later.clone(), 1))).unwrap();
    assert_eq!(pipeline.sweep(&rules()).await, Err(Trouble::Forge(later.clone())));
    assert_eq!(pipeline.sweep(&rules()).await, Err(Trouble::Forge(later)), "nothing is tried before that");
    assert_eq!(labelled(&world), 0);
    advance(&world);
    pipeline.sweep(&rules()).await.unwrap();
    assert_eq!(labelled(&world), 1);
}

#[tokio::test]
async fn a_refusal_of_the_whole_repository_is_no_refusal_of_a_deed() {
    let world = TestWorld::new();
    let pipeline = with_a_call(&world).await;
    let refused = ForgeError::Refused(Refusal::NoScope(Scope::Issues));
    world.forge.with(&repo(), |town| town.halts = Some((refused.clone(), 20))).unwrap();
    for _ in 0..10 {
        assert_eq!(pipeline.sweep(&rules()).await, Err(Trouble::Forge(refused.clone())));
        advance(&world);
    }
    // A person mends it, and it goes on where it was.
    world.forge.with(&repo(), |town| town.halts = None).unwrap();
    pipeline.sweep(&rules()).await.unwrap();
    assert_eq!(labelled(&world), 1);
}

#[tokio::test]
async fn a_long_report_waits_for_the_limits_of_the_forge() {
    let world = TestWorld::new();
    let pipeline = orchestrator(&world);
    let all = [1, 2, 3].map(|n| Fingerprint::from_bytes([n; 16]));
    let orders = all.clone().map(|fingerprint| IssueOrder { fingerprint, blocks: Vec::new() });
    let later = ForgeError::Later(world.clock.now() + SignedDuration::from_secs(50));
    world.forge.with(&repo(), |town| town.halts = Some((later, 1))).unwrap();
    let (rules, report) = (rules(), Report(all.to_vec()));
    let making = pipeline.create_issues(&rules, &orders, &report);
    let clock = async {
        while world.forge.with(&repo(), |town| town.issues.len()).unwrap() < all.len() {
            world.clock.advance(SignedDuration::from_secs(1));
            jobs(&world).await;
        }
    };
    let (made, ()) = futures_util::future::join(making, clock).await;
    assert_eq!(made.unwrap().len(), 3);
}

struct Report(Vec<Fingerprint>);

impl Drafts for Report {
    fn text(&self, fingerprint: &Fingerprint) -> Option<IssueText> {
        let text = || Tainted::new("text".to_owned());
        self.0.contains(fingerprint).then(|| IssueText { title: text(), body: text(), labels: Vec::new() })
    }
}

#[tokio::test]
async fn a_finding_that_vanished_from_its_report_leaves_nothing_open() {
    let world = TestWorld::new();
    let pipeline = orchestrator(&world);
    let [vanishes, stays] = [1, 2].map(|n| Fingerprint::from_bytes([n; 16]));
    let order = |f: &Fingerprint| IssueOrder { fingerprint: f.clone(), blocks: Vec::new() };
    world.forge.with(&repo(), |town| town.silent = true).unwrap();
    let first = Report(vec![vanishes.clone()]);
    pipeline.create_issues(&rules(), &[order(&vanishes)], &first).await.unwrap_err();
    assert_eq!(world.store.open_intents(&repo()).await.unwrap().len(), 1);
    world.forge.with(&repo(), |town| town.silent = false).unwrap();
    let second = Report(vec![stays.clone()]);
    let made = pipeline.create_issues(&rules(), &[order(&stays)], &second).await.unwrap();
    assert_eq!(made, [(stays, Number(1))]);
    assert_eq!(world.store.open_intents(&repo()).await.unwrap(), []);
    // It comes back in a later report.
    advance(&world);
    let made = pipeline.create_issues(&rules(), &[order(&vanishes)], &first).await.unwrap();
    assert_eq!(made.len(), 1);
    let created = |step: &&Step| matches!(step, Step::CreateIssue { .. });
    assert_eq!(world.forge.with(&repo(), |town| town.done.iter().filter(created).count()), Ok(2));
}
