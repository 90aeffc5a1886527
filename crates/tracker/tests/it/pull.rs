//! Items into jobs (T3 to T9), over the SQLite store and the embedded server.

use crate::world::{Served, StillClock, run_test};
use banksman_core::{
    job::{Body, Stage},
    manifest::{Choice, Defaults, JobSpec, Manifest, Priority, ResolveError},
    port::{Clock as _, JobFilter, NewJob, Queue as _, TrackerError},
    text::{Holder, ItemId, JobName},
};
use banksman_store::SqliteStore;
use banksman_tracker::{AnyTracker, Progress, Pull, PullError, Pulled, Tally};
use std::collections::BTreeMap;
use tempfile::TempDir;

fn open() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db")).unwrap();
    (folder, store)
}

fn resolve(manifest: &Manifest, body: Body, name: JobName) -> Result<NewJob, ResolveError> {
    let spec = manifest.resolve(&BTreeMap::new(), &Defaults::default(), "/".as_ref(), StillClock.now())?;
    Ok(NewJob { name, key: manifest.idempotency_key.clone(), spec, body })
}

type Resolve = fn(&Manifest, Body, JobName) -> Result<NewJob, ResolveError>;

fn pull<'a>(store: &'a SqliteStore, tracker: &'a AnyTracker) -> Pull<'a, SqliteStore, AnyTracker, Resolve> {
    let who = Holder::new("person/1/1").unwrap();
    Pull { queue: store, tracker, resolve, who, now: StillClock.now() }
}

fn id(text: &str) -> ItemId {
    ItemId::new(text).unwrap()
}

fn spec(job: &banksman_core::job::Job) -> &JobSpec {
    job.work.spec().unwrap()
}

#[test]
fn an_item_becomes_one_job_whatever_its_stage() {
    run_test(async {
        let (served, (_folder, store)) = (Served::start().await, open());
        let labels = ["engine:claude", "priority:high", "cap:os:mac", "lock:db", "timeout:5m", "person"];
        served.make_of("p1", "Fix ../the LOGIN!", "do\r\nit ---\n", &labels).await;
        let tracker = served.client();
        let Pulled::New { job, name, file } = pull(&store, &tracker).one(&id("T-1")).await.unwrap() else {
            panic!()
        };
        assert_eq!(name.as_str(), "fix-the-login");
        assert!(file.starts_with("---\n") && file.ends_with("---\ndo\r\nit ---\n"), "{file}");
        let (manifest, body) = banksman_core::manifest::parse(&file).unwrap();
        assert_eq!((body.as_str(), manifest.tracker_item), ("do\r\nit ---\n", Some(id("T-1"))));
        let found = store.job(job).await.unwrap().unwrap();
        assert_eq!(found.key.as_ref().unwrap().as_str(), "tracker-T-1");
        assert_eq!(spec(&found).priority, Priority::High);
        assert!(matches!(&spec(&found).engine, Choice::Engine(name) if name.as_str() == "claude"));
        assert_eq!(store.body(job).await.unwrap().as_str(), "do\r\nit ---\n");
        // Again, with the tracker gone, and after the end of the job.
        served.stop().await;
        for _ in 0..2 {
            let Pulled::Exists(again) = pull(&store, &tracker).one(&id("T-1")).await.unwrap() else {
                panic!()
            };
            assert_eq!(again.id, job);
            store.cancel(job, &Holder::new("person/1/1").unwrap(), StillClock.now()).await.unwrap();
        }
        assert_eq!(store.jobs(&JobFilter::Stages(Stage::ALL.to_vec(), 9)).await.unwrap().len(), 1);
    });
}

#[test]
fn two_at_once_make_one_job() {
    run_test(async {
        let (served, (_folder, store)) = (Served::start().await, open());
        served.make("one", &[]).await;
        let tracker = served.client();
        let (one, two) = (pull(&store, &tracker), pull(&store, &tracker));
        let item = id("T-1");
        let (a, b) = tokio::join!(one.one(&item), two.one(&item));
        let new =
            [a.unwrap(), b.unwrap()].iter().filter(|pulled| matches!(pulled, Pulled::New { .. })).count();
        assert_eq!(new, 1);
    });
}

#[test]
fn what_cannot_become_a_job_leaves_nothing() {
    run_test(async {
        let (served, (_folder, store)) = (Served::start().await, open());
        served.make("one", &["priority:canary", "timeout:-1"]).await;
        served.make("two", &["profile:missing"]).await;
        let tracker = served.client();
        let pull = pull(&store, &tracker);
        let error = pull.one(&id("T-1")).await.err().unwrap();
        let text = error.to_string();
        assert!(text.contains("label `priority:canary`") && text.contains("label `timeout:-1`"), "{text}");
        assert!(matches!(pull.one(&id("T-2")).await, Err(PullError::Resolve(..))));
        let missing = pull.one(&id("T-9")).await.err().unwrap();
        assert!(matches!(missing, PullError::Tracker(TrackerError::Missing(_))));
        assert!(store.jobs(&JobFilter::Unfinished).await.unwrap().is_empty());
    });
}

#[test]
fn all_items_with_a_label_are_pulled_once_each() {
    run_test(async {
        let (served, (_folder, store)) = (Served::start().await, open());
        for n in 0..60 {
            served.make(&format!("item {n}"), &[if n % 3 == 0 { "person" } else { "ai" }]).await;
        }
        served.make("bad", &["ai", "priority:canary"]).await;
        let tracker = served.client();
        let pull = pull(&store, &tracker);
        let (mut found, mut seen) = (0, 0);
        let mut count = |progress: Progress<'_>| match progress {
            Progress::Found(more) => found += more,
            Progress::Item(..) => seen += 1,
        };
        assert_eq!(pull.all("ai", &mut count).await.unwrap(), Tally { new: 40, known: 0, failed: 1 });
        assert_eq!(pull.all("ai", &mut count).await.unwrap(), Tally { new: 0, known: 40, failed: 1 });
        assert_eq!((found, seen), (82, 82));
        assert_eq!(store.jobs(&JobFilter::Unfinished).await.unwrap().len(), 40);
    });
}
