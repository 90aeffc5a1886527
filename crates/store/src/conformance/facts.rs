//! What is read of jobs: lists, numbers, attempts.

use super::{job_samples::*, samples::*};
use banksman_core::{
    id::JobId,
    job::{Job, Stage},
    manifest::{JobSpec, Priority},
    port::{AttemptRecord, JobFilter, JobPlace, Measured, StageCounts, Store, StoreError},
    text::JobName,
    work::FailReason,
};

fn ids(jobs: Vec<Job>) -> Vec<JobId> {
    jobs.into_iter().map(|j| j.id).collect()
}

/// Each list in its order and with its limit.
pub async fn jobs_are_listed(store: &impl Store) {
    let held = lease(store).await;
    let mut all = Vec::new();
    for n in 0..4 {
        all.push(add(store, &format!("job-{n}"), spec()).await);
    }
    let running = claim(store, 1, at(20)).await.unwrap();
    let failed = claim(store, 1, at(20)).await.unwrap();
    fail(store, &failed, at(21)).await;
    store.cancel(all[2], &holder(1), at(22)).await.unwrap();
    let urgent = add(store, "urgent", JobSpec { priority: Priority::High, ..after(&[all[3]]) }).await;
    let task = store.enqueue(&held, &implement(1, "claude")).await.unwrap();
    let linked = add(store, "linked", JobSpec { not_before: Some(at(900)), ..echoed() }).await;

    let find = async |filter| ids(store.jobs(&filter).await.unwrap());
    assert_eq!(running.job.id, all[0]);
    assert_eq!(find(JobFilter::Unfinished).await, [all[0], all[3], urgent, task, linked]);
    assert_eq!(find(JobFilter::Waiting(9)).await, [urgent, all[3], task, linked]);
    assert_eq!(find(JobFilter::Waiting(2)).await, [urgent, all[3]]);
    let ended = vec![Stage::Failed, Stage::Cancelled, Stage::Building];
    assert_eq!(find(JobFilter::Stages(ended.clone(), 9)).await, [all[2], all[1], all[0]]);
    assert_eq!(find(JobFilter::Stages(ended, 2)).await, [all[2], all[1]]);
    assert_eq!(find(JobFilter::Stages(Vec::new(), 9)).await, []);
    let item = |name| JobFilter::Item(banksman_core::text::ItemId::new(name).unwrap());
    assert_eq!(find(item("T-1")).await, [linked]);
    assert_eq!(find(item("T-2")).await, []);
    let counts = StageCounts { inbox: 4, building: 1, failed: 1, cancelled: 1, ..StageCounts::default() };
    assert_eq!(store.counts().await.unwrap(), counts);
}

/// In every stage.
pub async fn stages_are_counted(store: &impl Store) {
    assert_eq!(store.counts().await.unwrap(), StageCounts::default());
    for n in 0..6 {
        add(store, &format!("job-{n}"), spec()).await;
    }
    let mut claims = Vec::new();
    for _ in 0..5 {
        claims.push(claim(store, 1, at(20)).await.unwrap());
    }
    ship(store, &claims[0], at(30)).await;
    fail(store, &claims[1], at(30)).await;
    store.cancel(claims[2].job.id, &holder(1), at(30)).await.unwrap();
    store.advance(&claims[3], ships(at(30))[..1].to_vec(), None, at(30)).await.unwrap();
    store.advance(&claims[4], ships(at(30))[..2].to_vec(), None, at(30)).await.unwrap();
    let one =
        StageCounts { inbox: 1, building: 0, review: 1, testing: 1, shipped: 1, failed: 1, cancelled: 1 };
    assert_eq!(store.counts().await.unwrap(), one);
}

/// In the order asked for; a job between two attempts is building.
pub async fn places_of_jobs_are_told(store: &impl Store) {
    let (first, second) = (add(store, "a", spec()).await, add(store, "b", spec()).await);
    let third = add(store, "c", spec()).await;
    let failed = claim(store, 1, at(20)).await.unwrap();
    let failure = record(&failed, Some(FailReason::NoCommit));
    store.advance(&failed, again(at(90), FailReason::NoCommit), Some(&failure), at(30)).await.unwrap();
    let shipped = claim(store, 1, at(31)).await.unwrap();
    ship(store, &shipped, at(32)).await;
    let asked = [third, JobId(9_999), second, first];
    let place =
        |job, name, stage| JobPlace { job, name: JobName::new(name).unwrap(), stage, added_at: at(10) };
    let told = [
        place(third, "c", Stage::Inbox),
        place(second, "b", Stage::Shipped),
        place(first, "a", Stage::Building),
    ];
    assert_eq!(store.places(&asked).await.unwrap(), told);
    assert_eq!(store.places(&[]).await.unwrap(), []);
}

/// All of them, those that were lost too; the start is the time of the claim.
pub async fn attempts_are_kept(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let lost = claim(store, 1, at(20)).await.unwrap();
    store.lose(&lost, &holder(9), at(100)).await.unwrap();
    let failed = store.claim(&holder(2), &offer_of(&["claude"]), at(100), TTL).await.unwrap().unwrap().claim;
    let failure = AttemptRecord { ended_at: Some(at(110)), ..record(&failed, Some(FailReason::Signal)) };
    let measured = Measured { signal: Some(9), exit_code: None, ..failure.measured.clone() };
    let failure = AttemptRecord { measured, ..failure };
    store.advance(&failed, again(at(110), FailReason::Signal), Some(&failure), at(110)).await.unwrap();
    let shipped = claim(store, 2, at(120)).await.unwrap();
    ship(store, &shipped, at(130)).await;
    let nothing = AttemptRecord { ended_at: None, measured: Measured::default(), ..record(&lost, None) };
    assert_eq!(store.attempts(id).await.unwrap(), [nothing, failure, record(&shipped, None)]);
    assert_eq!(store.attempts(JobId(id.0 + 1000)).await.unwrap(), []);
}

/// By their start, with what they were about.
pub async fn attempts_of_a_period_tell_what_they_were_about(store: &impl Store) {
    let held = lease(store).await;
    let careful = JobSpec { profile: Some(profile("careful")), ..spec() };
    let manifest = add(store, "manifest", careful).await;
    let task = store.enqueue(&held, &implement(1, "claude")).await.unwrap();
    let first = claim(store, 1, at(20)).await.unwrap();
    let second = claim(store, 1, at(30)).await.unwrap();
    ship(store, &first, at(40)).await;
    let facts = store.attempts_between(at(20), at(31)).await.unwrap();
    assert_eq!(facts.iter().map(|f| f.record.job).collect::<Vec<_>>(), [manifest, task]);
    assert_eq!((&facts[0].record, facts[0].stage), (&record(&first, None), Stage::Shipped));
    assert_eq!((&facts[0].profile, facts[0].place.as_str()), (&Some(profile("careful")), "/home/me/shop"));
    assert_eq!((&facts[1].profile, facts[1].place.as_str()), (&None, "local/shop"));
    assert_eq!((facts[1].record.attempt, facts[1].stage), (second.attempt, Stage::Building));
    let within = async |since, until| store.attempts_between(at(since), at(until)).await.unwrap().len();
    assert_eq!((within(20, 30).await, within(21, 31).await, within(31, 99).await), (1, 1, 0));
}

/// Nothing is made up.
pub async fn a_job_that_is_not_there_has_nothing(store: &impl Store) {
    let id = JobId(77);
    assert_eq!(store.job(id).await.unwrap(), None);
    assert_eq!(store.job_by_key(&key("none")).await.unwrap(), None);
    assert_eq!(store.moves(id).await.unwrap(), []);
    assert_eq!(store.attempts(id).await.unwrap(), []);
    assert_eq!(store.blockers(id).await.unwrap(), []);
    assert_eq!(store.echo(id).await.unwrap(), None);
    assert!(matches!(store.body(id).await, Err(StoreError::Missing(_))));
}
