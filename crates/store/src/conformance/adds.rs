//! Jobs are added whole, in their order, once for each key.

use super::{job_samples::*, samples::*};
use banksman_core::{
    id::JobId,
    job::{Body, JobState, JobWork, Move, Stage, Why},
    manifest::{Choice, JobSpec, Priority},
    port::{AddError, Added, JobFilter, NewJob, Store},
    text::{ItemId, JobName, Revision, VarName},
};
use jiff::SignedDuration;

/// Every key of its manifest, its instructions and its first move.
pub async fn a_job_comes_back_as_it_was_added(store: &impl Store) {
    let full = JobSpec {
        engine: Choice::Class(class("agentic-coder")),
        profile: Some(profile("careful")),
        cwd: "/home/me/my shop".into(),
        worktree: false,
        yolo: true,
        lock: Some(lock("deploy")),
        timeout: SignedDuration::from_mins(45),
        priority: Priority::High,
        capabilities: vec![capability("os:linux"), capability("gpu:cuda,opencl")],
        tracker_item: Some(ItemId::new("T-1").unwrap()),
        auto_echo: true,
        retries: 3,
        not_before: Some(at(500)),
        review: spec().review,
        verify: vec!["cargo test".to_owned()],
        fix_rounds: 1,
        base: Some(Revision::new("main").unwrap()),
        branch: Some(branch("fix/login")),
        max_cost: Some(2.5),
        max_tokens: Some(100_000),
        env: vec![VarName::new("LANG").unwrap()],
        extra: [("x-owner".to_owned(), serde_json::json!({ "team": ["a", 1] }))].into(),
        ..spec()
    };
    let new = NewJob {
        name: JobName::new("fix-login").unwrap(),
        key: Some(key("login:1")),
        spec: full.clone(),
        body: Body::new("Über \0 'quotes'\n".to_owned()),
    };
    let added = store.add(vec![new], &holder(4), at(10)).await.unwrap();
    let [Added::New(id)] = added[..] else { panic!("{added:?}") };
    let job = job(store, id).await;
    assert_eq!((job.id, job.name.as_str(), &job.key), (id, "fix-login", &Some(key("login:1"))));
    assert_eq!(job.work, JobWork::Manifest(Box::new(full)));
    assert_eq!((job.created_at, job.failures, job.losses, job.waits_for), (at(10), 0, 0, 0));
    assert_eq!((job.retry_of, &job.state), (None, &JobState::Inbox { not_before: at(500) }));
    assert_eq!(store.body(id).await.unwrap().as_str(), "Über \0 'quotes'\n");
    let begun =
        Move { from: None, to: Stage::Inbox, at: at(10), who: holder(4), why: Why::Added, attempt: None };
    assert_eq!(store.moves(id).await.unwrap(), [begun]);
    assert_eq!(store.job_by_key(&key("login:1")).await.unwrap(), Some(job));
}

/// In the order of the batch, which is their age.
pub async fn a_batch_keeps_its_order(store: &impl Store) {
    let batch = (0..20).map(|n| new_job(&format!("job-{n}"), spec())).collect();
    let added = store.add(batch, &holder(1), at(10)).await.unwrap();
    for id in added.iter().map(|a| a.id()) {
        assert_eq!(claim_id(store, 2, &offer(), at(20)).await, Some(id));
    }
    assert_eq!(store.add(Vec::new(), &holder(1), at(10)).await.unwrap(), []);
}

/// Nothing of a batch is there when one of it cannot be added.
pub async fn a_batch_is_added_whole_or_not_at_all(store: &impl Store) {
    let first = add(store, "first", spec()).await;
    let unknown = JobId(first.0 + 1000);
    let batch = vec![keyed("good", spec()), new_job("bad", after(&[first, unknown])), keyed("late", spec())];
    assert_eq!(store.add(batch, &holder(1), at(11)).await, Err(AddError::UnknownJob(unknown)));
    assert_eq!(store.jobs(&JobFilter::Unfinished).await.unwrap().len(), 1);
    assert_eq!(store.job_by_key(&key("good")).await.unwrap(), None);
    assert!(matches!(
        store.add(vec![keyed("good", spec())], &holder(1), at(12)).await.unwrap()[..],
        [Added::New(_)]
    ));
}

/// In whatever stage the job is; what else the new one says is not looked at.
pub async fn a_key_is_kept_for_ever(store: &impl Store) {
    let first = add_job(store, keyed("a", spec())).await;
    let twice = vec![keyed("a", after(&[JobId(first.0 + 1000)])), keyed("b", spec()), keyed("b", spec())];
    let added = store.add(twice, &holder(1), at(11)).await.unwrap();
    let b = added[1].id();
    assert_eq!(added, [Added::Exists(first), Added::New(b), Added::Exists(b)]);
    let again = async || store.add(vec![keyed("a", spec())], &holder(1), at(30)).await.unwrap();
    let claimed = claim(store, 2, at(20)).await.unwrap();
    assert_eq!(again().await, [Added::Exists(first)]);
    ship(store, &claimed, at(25)).await;
    assert_eq!(again().await, [Added::Exists(first)]);
    store.cancel(b, &holder(1), at(26)).await.unwrap();
    assert_eq!(store.add(vec![keyed("b", spec())], &holder(1), at(30)).await.unwrap(), [Added::Exists(b)]);
    assert_eq!(store.jobs(&JobFilter::Unfinished).await.unwrap(), []);
}

/// Many at once with the same key make one job.
pub async fn the_same_key_at_once_is_added_once(store: &impl Store) {
    let who = holder(1);
    let adds = (0..16).map(|_| store.add(vec![keyed("a", spec())], &who, at(10)));
    let added = futures_util::future::join_all(adds).await;
    let new = added.iter().filter(|a| matches!(a.as_deref(), Ok([Added::New(_)]))).count();
    let old = added.iter().filter(|a| matches!(a.as_deref(), Ok([Added::Exists(_)]))).count();
    assert_eq!((new, old), (1, 15));
}
