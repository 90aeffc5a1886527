//! Echoes to a tracker: wished for by every change of a stage, told one at a time, none lost (T12 to T14).

use super::{job_samples::*, samples::*};
use banksman_core::{
    id::JobId,
    job::{JobEvent, Stage},
    manifest::JobSpec,
    port::{EchoRecord, Store, StoreError},
};

/// Those of jobs without it, and renewals, wish for nothing.
pub async fn each_change_of_a_stage_wishes_for_an_echo(store: &impl Store) {
    let quiet = add(store, "quiet", JobSpec { auto_echo: false, ..echoed() }).await;
    let id = add(store, "echoed", echoed()).await;
    let nothing = EchoRecord {
        job: id,
        patched: None,
        comment_begun: None,
        commented: None,
        tries: 0,
        due: Some(at(10)),
        wished: 1,
    };
    assert_eq!(store.echo(id).await.unwrap(), Some(nothing));
    claim(store, 1, at(20)).await.unwrap();
    let claimed = claim(store, 1, at(20)).await.unwrap();
    assert_eq!(claimed.job.id, id);
    let told =
        async |due| store.put_echo(&EchoRecord { due, ..store.echo(id).await.unwrap().unwrap() }).await;
    let due = async || store.echo(id).await.unwrap().unwrap().due;
    told(None).await.unwrap();
    store.renew(&claimed, at(25), TTL).await.unwrap();
    assert_eq!(due().await, None);
    let review = store.advance(&claimed, vec![JobEvent::Built], None, at(30)).await.unwrap();
    assert_eq!(due().await, Some(at(30)));
    told(None).await.unwrap();
    fail(store, &review, at(40)).await;
    assert_eq!(due().await, Some(at(40)));
    assert_eq!(store.echo(quiet).await.unwrap(), None);
}

/// A failed dependency and a cancel are changes too.
pub async fn ends_that_come_from_elsewhere_are_echoed(store: &impl Store) {
    let first = add(store, "first", spec()).await;
    let second = add(store, "second", JobSpec { depends_on: after(&[first]).depends_on, ..echoed() }).await;
    let third = add(store, "third", echoed()).await;
    for id in [second, third] {
        store.put_echo(&EchoRecord { due: None, ..store.echo(id).await.unwrap().unwrap() }).await.unwrap();
    }
    store.cancel(first, &holder(1), at(30)).await.unwrap();
    store.cancel(third, &holder(1), at(30)).await.unwrap();
    for id in [second, third] {
        assert_eq!(store.echo(id).await.unwrap().unwrap().due, Some(at(30)));
    }
}

/// Longest due first; nobody else gets it for a while, or until it is put back.
pub async fn an_echo_goes_to_one_at_a_time(store: &impl Store) {
    let first = add(store, "first", echoed()).await;
    let second = add(store, "second", JobSpec { auto_echo: false, ..echoed() }).await;
    store.want_echo(second, at(5)).await.unwrap();
    assert_eq!(store.take_echo(at(4), TTL).await.unwrap(), None);
    let taken = store.take_echo(at(20), TTL).await.unwrap().unwrap();
    assert_eq!((taken.job, taken.due, taken.wished), (second, Some(at(5)), 1));
    assert_eq!(store.take_echo(at(20), TTL).await.unwrap().unwrap().job, first);
    assert_eq!(store.take_echo(at(20), TTL).await.unwrap(), None);
    // Not even when somebody wishes for it meanwhile, nor when it is noted how far it has come.
    store.want_echo(second, at(21)).await.unwrap();
    store.note_echo(&EchoRecord { patched: Some(Stage::Building), ..taken }).await.unwrap();
    assert_eq!(store.take_echo(at(79), TTL).await.unwrap(), None);
    let again = store.take_echo(at(80), TTL).await.unwrap().unwrap();
    assert_eq!((again.job, again.wished, again.patched), (second, 2, Some(Stage::Building)));
}

/// What was told is kept; a failure is tried again when it is due.
pub async fn what_was_told_is_kept(store: &impl Store) {
    let id = add(store, "job", echoed()).await;
    let taken = store.take_echo(at(20), TTL).await.unwrap().unwrap();
    let failed = EchoRecord { tries: 1, due: Some(at(50)), comment_begun: Some(Stage::Shipped), ..taken };
    store.put_echo(&failed).await.unwrap();
    assert_eq!(store.echo(id).await.unwrap(), Some(failed.clone()));
    assert_eq!(store.take_echo(at(49), TTL).await.unwrap(), None);
    assert_eq!(store.take_echo(at(50), TTL).await.unwrap(), Some(failed.clone()));
    let (patched, commented) = (Some(Stage::Shipped), Some(Stage::Shipped));
    let told = EchoRecord { tries: 0, due: None, patched, commented, ..failed };
    store.put_echo(&told).await.unwrap();
    assert_eq!(store.echo(id).await.unwrap(), Some(told));
    assert_eq!(store.take_echo(at(9_999), TTL).await.unwrap(), None);
}

/// Changes that overtake each other are told once, and none that came while one was on its way is lost.
pub async fn a_wish_that_comes_while_an_echo_is_on_its_way_is_not_lost(store: &impl Store) {
    let id = add(store, "job", echoed()).await;
    let taken = store.take_echo(at(20), TTL).await.unwrap().unwrap();
    store.want_echo(id, at(21)).await.unwrap();
    store.want_echo(id, at(22)).await.unwrap();
    let told = EchoRecord { due: None, patched: Some(Stage::Inbox), ..taken };
    store.put_echo(&told).await.unwrap();
    let next = store.take_echo(at(22), TTL).await.unwrap().unwrap();
    assert_eq!((next.patched, next.wished), (Some(Stage::Inbox), 3));
    store.put_echo(&EchoRecord { due: None, ..next }).await.unwrap();
    assert_eq!(store.take_echo(at(500), TTL).await.unwrap(), None);
}

/// Of a job without an item, or without having been wished for.
pub async fn there_is_no_echo_without_an_item(store: &impl Store) {
    let id = add(store, "job", JobSpec { auto_echo: true, ..spec() }).await;
    let missing = |answer: Result<(), StoreError>| assert!(matches!(answer, Err(StoreError::Missing(_))));
    missing(store.want_echo(id, at(20)).await);
    missing(store.want_echo(JobId(id.0 + 1000), at(20)).await);
    assert_eq!(store.echo(id).await.unwrap(), None);
    let nothing = EchoRecord {
        job: id,
        patched: None,
        comment_begun: None,
        commented: None,
        tries: 0,
        due: None,
        wished: 1,
    };
    missing(store.put_echo(&nothing).await);
    missing(store.note_echo(&nothing).await);
}
