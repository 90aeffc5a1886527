//! Dependencies: a job waits until all it depends on are shipped, and fails with the first one that never will be.

use super::{job_samples::*, samples::*};
use banksman_core::{
    id::JobId,
    job::{JobState, Stage, Why},
    manifest::{Dependency, JobSpec},
    port::{AddError, Added, JobFilter, NewJob, Retried, Store},
    work::FailReason,
};

async fn add_batch(store: &impl Store, jobs: Vec<NewJob>) -> Result<Vec<JobId>, AddError> {
    Ok(store.add(jobs, &holder(1), at(11)).await?.into_iter().map(Added::id).collect())
}

/// Named by id or by key, each counted once.
pub async fn a_job_waits_for_all_that_it_depends_on(store: &impl Store) {
    let first = add(store, "first", spec()).await;
    let second = add_job(store, keyed("second", spec())).await;
    let (by_id, by_key) = (Dependency::Id(first), Dependency::Key(key("second")));
    let both = vec![by_id.clone(), by_key.clone(), by_id.clone()];
    let last = add(store, "last", JobSpec { depends_on: both, ..spec() }).await;
    assert_eq!(job(store, last).await.waits_for, 2);
    let inbox = Some(Stage::Inbox);
    assert_eq!(store.blockers(last).await.unwrap(), [(by_id.clone(), inbox), (by_key, inbox)]);
    let (a, b) = (claim(store, 1, at(20)).await.unwrap(), claim(store, 1, at(20)).await.unwrap());
    assert_eq!((a.job.id, b.job.id), (first, second));
    assert_eq!(claim_id(store, 1, &offer(), at(20)).await, None);
    ship(store, &b, at(30)).await;
    assert_eq!(job(store, last).await.waits_for, 1);
    assert_eq!(store.blockers(last).await.unwrap(), [(by_id, Some(Stage::Building))]);
    assert_eq!(claim_id(store, 1, &offer(), at(30)).await, None);
    ship(store, &a, at(40)).await;
    assert_eq!(store.blockers(last).await.unwrap(), []);
    assert_eq!(claim_id(store, 1, &offer(), at(40)).await, Some(last));
}

/// One that has shipped already is not waited for; a time is waited for beside the others.
pub async fn what_is_shipped_is_not_waited_for(store: &impl Store) {
    add_job(store, keyed("first", spec())).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    ship(store, &claimed, at(30)).await;
    let later = JobSpec { not_before: Some(at(90)), ..after_keys(&["first"]) };
    let second = add(store, "second", later).await;
    assert_eq!(job(store, second).await.waits_for, 0);
    let third = add(store, "third", JobSpec { not_before: Some(at(50)), ..after(&[second]) }).await;
    assert_eq!(store.next_due(at(30)).await.unwrap(), Some(at(90)));
    assert_eq!(claim_id(store, 1, &offer(), at(89)).await, None);
    let claimed = claim(store, 1, at(90)).await.unwrap();
    ship(store, &claimed, at(91)).await;
    assert_eq!(claim_id(store, 1, &offer(), at(91)).await, Some(third));
}

/// The first job that brings it is the one.
pub async fn a_key_may_come_later(store: &impl Store) {
    let waiting = add(store, "waiting", after_keys(&["plan"])).await;
    assert_eq!(job(store, waiting).await.waits_for, 1);
    assert_eq!(store.blockers(waiting).await.unwrap(), [(Dependency::Key(key("plan")), None)]);
    assert_eq!(claim_id(store, 1, &offer(), at(20)).await, None);
    let plan = add_job(store, keyed("plan", spec())).await;
    assert_eq!(job(store, waiting).await.waits_for, 1);
    assert_eq!(store.blockers(waiting).await.unwrap(), [(Dependency::Key(key("plan")), Some(Stage::Inbox))]);
    let claimed = claim(store, 1, at(20)).await.unwrap();
    assert_eq!(claimed.job.id, plan);
    ship(store, &claimed, at(30)).await;
    assert_eq!(claim_id(store, 1, &offer(), at(30)).await, Some(waiting));
}

/// However long it is, and in one batch or one by one; nothing of the batch is there.
pub async fn a_circle_is_refused(store: &impl Store) {
    let cycle = |name: &str| Err(AddError::Cycle(key(name)));
    assert_eq!(add_batch(store, vec![keyed("a", after_keys(&["a"]))]).await, cycle("a"));
    let two = vec![keyed("a", after_keys(&["b"])), keyed("b", after_keys(&["a"]))];
    assert_eq!(add_batch(store, two).await, cycle("b"));
    assert_eq!(store.jobs(&JobFilter::Unfinished).await.unwrap(), []);

    let a = add_job(store, keyed("a", after_keys(&["c", "d"]))).await;
    let b = add(store, "b", after(&[a])).await;
    assert_eq!(add_batch(store, vec![keyed("c", after(&[b]))]).await, cycle("c"));
    assert_eq!(add_batch(store, vec![keyed("d", after_keys(&["x", "a"]))]).await, cycle("d"));
    assert_eq!(store.jobs(&JobFilter::Unfinished).await.unwrap().len(), 2);
    // A fork that meets again is none.
    let fork =
        vec![keyed("c", spec()), keyed("d", after_keys(&["c"])), new_job("e", after_keys(&["a", "c"]))];
    let fork = add_batch(store, fork).await.unwrap();
    for (n, id) in [fork[0], fork[1], a, b, fork[2]].into_iter().enumerate() {
        let claimed = claim(store, 1, at(20 + n as i64)).await.unwrap();
        assert_eq!(claimed.job.id, id);
        ship(store, &claimed, at(20 + n as i64)).await;
    }
}

/// Through any number of others, in the transaction of its own end, with their reason.
pub async fn what_waits_for_a_failed_job_fails(store: &impl Store) {
    let first = add(store, "first", spec()).await;
    let second = add(store, "second", after(&[first])).await;
    let third = add_job(store, keyed("third", after(&[second]))).await;
    let fourth = add(store, "fourth", after_keys(&["third", "never"])).await;
    let free = add(store, "free", spec()).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    fail(store, &claimed, at(30)).await;
    for id in [second, third, fourth] {
        let failed = job(store, id).await;
        assert_eq!(failed.state, JobState::Failed { at: at(30), reason: FailReason::Dependency });
        assert_eq!((failed.failures, failed.waits_for), (0, 0));
        let last = store.moves(id).await.unwrap().pop().unwrap();
        assert_eq!((last.from, last.why), (Some(Stage::Inbox), Why::Failed(FailReason::Dependency)));
        assert_eq!((last.at, last.who, last.attempt), (at(30), holder(1), None));
    }
    let blockers =
        [(Dependency::Key(key("third")), Some(Stage::Failed)), (Dependency::Key(key("never")), None)];
    assert_eq!(store.blockers(fourth).await.unwrap(), blockers);
    assert_eq!(claim_id(store, 1, &offer(), at(40)).await, Some(free));
    // The key comes too late: the job stays as it is.
    add_job(store, keyed("never", spec())).await;
    assert_eq!(stage(store, fourth).await, Stage::Failed);
}

/// Waiting or running.
pub async fn what_waits_for_a_cancelled_job_fails(store: &impl Store) {
    let held = lease(store).await;
    let running = add(store, "running", spec()).await;
    claim(store, 1, at(20)).await.unwrap();
    let task = store.enqueue(&held, &implement(1, "claude")).await.unwrap();
    let waiting = add(store, "waiting", spec()).await;
    let mut dependents = Vec::new();
    for id in [running, task, waiting] {
        dependents.push(add(store, "dependent", after(&[id])).await);
    }
    store.cancel(running, &holder(7), at(30)).await.unwrap();
    store.withdraw(&held, task, at(30)).await.unwrap();
    store.cancel(waiting, &holder(7), at(30)).await.unwrap();
    for id in dependents {
        let failed = JobState::Failed { at: at(30), reason: FailReason::Dependency };
        assert_eq!(job(store, id).await.state, failed);
    }
}

/// At once, and what waits for it too.
pub async fn a_job_that_depends_on_a_failed_one_fails_at_once(store: &impl Store) {
    let first = add(store, "first", spec()).await;
    store.cancel(first, &holder(1), at(10)).await.unwrap();
    let waiting = add(store, "waiting", after_keys(&["second"])).await;
    let second = add_job(store, keyed("second", after(&[first]))).await;
    for id in [second, waiting] {
        let failed = job(store, id).await;
        assert_eq!(failed.state, JobState::Failed { at: at(10), reason: FailReason::Dependency });
        assert_eq!(failed.waits_for, 0);
    }
    assert_eq!(reasons(store, second).await, [Why::Added, Why::Failed(FailReason::Dependency)]);
}

/// Whether it is added or repeated then; named by id or by key.
pub async fn a_dependency_means_the_newest_repetition(store: &impl Store) {
    let first = add_job(store, keyed("first", spec())).await;
    let second = add(store, "second", after(&[first])).await;
    store.cancel(first, &holder(1), at(20)).await.unwrap();
    let Retried::As(lost) = store.retry(second, &holder(1), at(21)).await.unwrap() else { panic!() };
    assert_eq!(stage(store, lost).await, Stage::Failed);
    let Retried::As(newer) = store.retry(first, &holder(1), at(22)).await.unwrap() else { panic!() };
    let Retried::As(again) = store.retry(lost, &holder(1), at(23)).await.unwrap() else { panic!() };
    let by_id = add(store, "by-id", after(&[first])).await;
    let by_key = add(store, "by-key", after_keys(&["first"])).await;
    for id in [again, by_id, by_key] {
        assert_eq!((stage(store, id).await, job(store, id).await.waits_for), (Stage::Inbox, 1));
    }
    assert_eq!(store.blockers(by_id).await.unwrap(), [(Dependency::Id(first), Some(Stage::Inbox))]);
    let claimed = claim(store, 1, at(30)).await.unwrap();
    assert_eq!(claimed.job.id, newer);
    ship(store, &claimed, at(31)).await;
    for id in [again, by_id, by_key] {
        assert_eq!(claim_id(store, 1, &offer(), at(32)).await, Some(id));
    }
}

/// A chain is as long as it likes.
pub async fn a_long_chain_fails_as_a_whole(store: &impl Store) {
    let mut chain = vec![keyed("c0", spec())];
    for n in 1..300 {
        let spec = after_keys(&[&format!("c{}", n - 1)]);
        chain.push(NewJob { key: Some(key(&format!("c{n}"))), ..new_job("link", spec) });
    }
    let ids = add_batch(store, chain).await.unwrap();
    store.cancel(ids[0], &holder(1), at(30)).await.unwrap();
    assert_eq!(store.jobs(&JobFilter::Unfinished).await.unwrap(), []);
    assert_eq!(store.counts().await.unwrap().failed, 299);
}
