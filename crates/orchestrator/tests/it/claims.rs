//! Claims: room, leases, cancelled jobs, and what processes leave that are gone (Q11 to Q13).

use crate::{
    engine::{Act, Line, well},
    world::{TestWorld, beside, holder, sh},
};
use banksman_core::{
    event::What,
    job::{JobState, Stage, Why},
    port::{Cancelled, Clock, Offer, Queue, Step},
    text::{ClassName, LockName, ProfileName},
};
use banksman_orchestrator::Stop;
use jiff::SignedDuration;

fn offer() -> Offer {
    Offer { engines: vec![(sh(), ClassName::new("shell").unwrap())], ..Offer::default() }
}

#[tokio::test]
async fn no_more_runs_at_once_than_there_is_room_for() {
    let world = TestWorld::new();
    world.engine.follow(|_, step| if step == Step::Land { well(step) } else { Act::Holds });
    let quiet = ProfileName::new("quiet").unwrap();
    let mut jobs = Vec::new();
    for n in 0..8 {
        jobs.push(world.add(|spec| spec.profile = (n < 4).then(|| quiet.clone())).await);
    }
    let worker = world.worker(|setup| {
        setup.engines[0].parallel = 3;
        setup.profiles.insert(quiet, 2);
    });
    beside(worker, async {
        // Two of the profile, then one that has none.
        world.engine.building(jobs[0], 1).await;
        world.engine.building(jobs[1], 1).await;
        world.engine.building(jobs[4], 1).await;
        let running = world.store.claims().await.unwrap();
        assert_eq!(running.len(), 3);
        // The fourth of four slots stays empty: the engine has no more room.
        world.add(|_| {}).await;
        world.clock.advance(SignedDuration::from_secs(40));
        assert_eq!(world.store.claims().await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_job_is_ended_at_once_and_its_lock_is_free_only_then() {
    let world = TestWorld::new();
    world.engine.follow(|_, _| Act::Holds);
    let lock = LockName::new("one").unwrap();
    let first = world.add(|spec| spec.lock = Some(lock.clone())).await;
    let second = world.add(|spec| spec.lock = Some(lock.clone())).await;
    beside(world.worker(|_| {}), async {
        world.engine.building(first, 1).await;
        let cancelled = world.store.cancel(first, &holder("person"), world.clock.now()).await.unwrap();
        assert_eq!(cancelled, Cancelled::WhileRunning);
        world.clock.advance(SignedDuration::from_secs(1));
        world.engine.building(second, 1).await;
    })
    .await;
    let over = Line::Over(first, Step::Build { round: 0 });
    let begun = Line::Began(second, Step::Build { round: 0 });
    let log = world.engine.log();
    let at = |line| log.iter().position(|l| *l == line).unwrap();
    assert!(at(over) < at(begun), "{log:?}");
    assert!(world.seen.all().iter().any(|e| matches!(e.what, What::JobMoved { job, to: Stage::Cancelled, why: Why::Cancelled, .. } if job == first)));
}

#[tokio::test]
async fn what_a_dead_process_of_this_host_held_is_reaped_before_it_is_taken_over() {
    let world = TestWorld::new();
    let job = world.add(|_| {}).await;
    let now = world.clock.now();
    let claim = world.store.claim(&holder("here/dead"), &offer(), now, 60_000).await.unwrap().unwrap().claim;
    beside(world.worker(|_| {}), async {
        world.seen.until(1, |e| matches!(e.what, What::JobMoved { to: Stage::Shipped, .. })).await;
    })
    .await;
    let log = world.engine.log();
    assert_eq!(log[0], Line::Reap(claim.attempt));
    assert_eq!(log[1], Line::Began(job, Step::Build { round: 0 }));
    let job = world.job(job).await;
    assert_eq!((job.losses, job.failures), (1, 0));
}

#[tokio::test]
async fn a_job_that_takes_worker_after_worker_down_fails_at_last() {
    let world = TestWorld::new();
    let job = world.add(|_| {}).await;
    let now = world.clock.now();
    for _ in 0..20 {
        let claim =
            world.store.claim(&holder("there/1"), &offer(), now, 60_000).await.unwrap().unwrap().claim;
        assert!(world.store.lose(&claim, &holder("here/1"), now).await.unwrap());
    }
    beside(world.worker(|_| {}), async {
        world.seen.until(1, |e| matches!(e.what, What::JobMoved { to: Stage::Failed, .. })).await;
    })
    .await;
    assert!(!world.engine.log().iter().any(|line| matches!(line, Line::Began(..))));
    let job = world.job(job).await;
    assert_eq!((job.losses, job.failures), (20, 1));
}

#[tokio::test]
async fn what_another_host_holds_is_left_to_it_until_its_lease_is_over() {
    let world = TestWorld::new();
    let job = world.add(|_| {}).await;
    let now = world.clock.now();
    let claim = world.store.claim(&holder("there/1"), &offer(), now, 60_000).await.unwrap().unwrap().claim;
    beside(world.worker(|_| {}), async {
        for _ in 0..59 {
            world.clock.advance(SignedDuration::from_secs(1));
            tokio::task::yield_now().await;
        }
        assert_eq!(world.store.claims().await.unwrap()[0].attempt, claim.attempt);
        world.clock.advance(SignedDuration::from_secs(4));
        world.seen.until(1, |e| matches!(e.what, What::JobMoved { to: Stage::Shipped, .. })).await;
    })
    .await;
    assert_eq!(world.job(job).await.losses, 1);
    assert!(!world.engine.log().iter().any(|line| matches!(line, Line::Reap(_))));
}

#[tokio::test]
async fn a_long_attempt_keeps_its_lease() {
    let world = TestWorld::new();
    world.engine.follow(|_, _| Act::Holds);
    let job = world.add(|_| {}).await;
    beside(world.worker(|_| {}), async {
        world.engine.building(job, 1).await;
        for _ in 0..600 {
            world.clock.advance(SignedDuration::from_secs(1));
            // A renewal that is due is under way: time waits for it.
            while world.store.claims().await.unwrap()[0].until
                < world.clock.now() + SignedDuration::from_secs(40)
            {}
        }
    })
    .await;
    let job = world.job(job).await;
    assert_eq!(job.losses, 0);
    assert!(matches!(job.state, JobState::Building(_)));
}

#[tokio::test]
async fn an_attempt_that_lost_its_claim_is_ended() {
    let world = TestWorld::new();
    world.engine.follow(|_, _| Act::Holds);
    let job = world.add(|_| {}).await;
    beside(world.worker(|_| {}), async {
        world.engine.building(job, 1).await;
        let claim = world.store.claims().await.unwrap().remove(0);
        // The claim has to be one that nobody renewed since it was read.
        assert!(world.store.lose(&claim, &holder("there/2"), world.clock.now()).await.unwrap());
        world.clock.advance(SignedDuration::from_secs(15));
        world.engine.until(|log| log.contains(&Line::End(claim.attempt))).await;
        world.engine.building(job, 2).await;
    })
    .await;
}

#[tokio::test]
async fn dependent_jobs_run_in_their_order_until_nothing_is_left() {
    let world = TestWorld::new();
    let mut jobs: Vec<banksman_core::id::JobId> = Vec::new();
    for n in 0..30usize {
        let on = (n % 3 != 0).then(|| banksman_core::manifest::Dependency::Id(jobs[n - 1]));
        jobs.push(world.add(|spec| spec.depends_on.extend(on)).await);
    }
    world.worker(|_| {}).run_until_empty(&Stop::default()).await.unwrap();
    let log = world.engine.log();
    for (n, job) in jobs.iter().enumerate() {
        let began = log.iter().position(|l| *l == Line::Began(*job, Step::Build { round: 0 })).unwrap();
        if n % 3 != 0 {
            let before = log.iter().position(|l| *l == Line::Over(jobs[n - 1], Step::Land)).unwrap();
            assert!(before < began);
        }
        assert_eq!(world.stage(*job).await, Stage::Shipped);
    }
}
