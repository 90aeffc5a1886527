//! Locks: held by one claim at a time, and free only when that holds nothing any more (I2).

use super::{job_samples::*, samples::*};
use banksman_core::{
    job::{JobEvent, Why},
    port::Store,
    work::FailReason,
};
use futures_util::future::join_all;

/// Freed by every end of the attempt; other locks and jobs without one go on.
pub async fn one_job_at_a_time_holds_a_lock(store: &impl Store) {
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(add(store, &format!("job-{n}"), locked("deploy")).await);
    }
    let other = add(store, "other", locked("docs")).await;
    let first = claim(store, 1, at(20)).await.unwrap();
    assert_eq!(first.job.id, ids[0]);
    assert_eq!(claim_id(store, 1, &offer(), at(20)).await, Some(other));
    assert_eq!(claim_id(store, 1, &offer(), at(20)).await, None);

    // As long as the attempt goes on, whatever its stage.
    let first = store.advance(&first, vec![JobEvent::Built], None, at(30)).await.unwrap();
    assert_eq!(claim_id(store, 2, &offer(), at(30)).await, None);
    let rest = ships(at(31)).split_off(1);
    store.advance(&first, rest, Some(&record(&first, None)), at(31)).await.unwrap();
    let second = claim(store, 2, at(31)).await.unwrap();
    assert_eq!(second.job.id, ids[1]);
    fail(store, &second, at(32)).await;
    let third = claim(store, 2, at(32)).await.unwrap();
    assert_eq!(third.job.id, ids[2]);
    let limited = vec![JobEvent::Again { not_before: at(500), why: Why::Limited }];
    store.advance(&third, limited, Some(&record(&third, None)), at(33)).await.unwrap();
    let fourth = claim(store, 2, at(33)).await.unwrap();
    assert_eq!(fourth.job.id, ids[3]);
    assert!(store.lose(&fourth, &holder(9), at(34)).await.unwrap());
    assert_eq!(claim_id(store, 2, &offer(), at(34)).await, Some(ids[3]));
    assert_eq!(claim_id(store, 2, &offer(), at(34)).await, None);
}

/// Its processes may still run; then its worker says that they are gone.
pub async fn a_cancelled_job_keeps_its_lock_until_it_is_let_go(store: &impl Store) {
    add(store, "first", locked("deploy")).await;
    let second = add(store, "second", locked("deploy")).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    store.cancel(claimed.job.id, &holder(9), at(30)).await.unwrap();
    assert_eq!(claim_id(store, 2, &offer(), at(500)).await, None);
    let end = record(&claimed, Some(FailReason::Signal));
    store.let_go(&claimed, Some(&end), at(501)).await.unwrap();
    assert_eq!(store.attempts(claimed.job.id).await.unwrap(), [end]);
    assert_eq!(claim_id(store, 2, &offer(), at(501)).await, Some(second));
    // A second time it frees nothing.
    store.let_go(&claimed, None, at(502)).await.unwrap();
    assert_eq!(claim_id(store, 2, &offer(), at(502)).await, None);
    assert_eq!(store.claims().await.unwrap().len(), 1);
}

/// Whoever knows that its worker is gone frees it; the job stays cancelled.
pub async fn the_lock_of_a_cancelled_job_whose_worker_is_gone_is_freed(store: &impl Store) {
    let first = add(store, "first", locked("deploy")).await;
    let second = add(store, "second", locked("deploy")).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    store.cancel(first, &holder(9), at(30)).await.unwrap();
    let cancelled = job(store, first).await;
    let listed = store.claims().await.unwrap().remove(0);
    assert!(store.lose(&listed, &holder(9), at(40)).await.unwrap());
    assert_eq!(job(store, first).await, cancelled);
    assert!(!store.lose(&claimed, &holder(9), at(41)).await.unwrap());
    assert_eq!(claim_id(store, 2, &offer(), at(41)).await, Some(second));
}

/// Saying that the processes of a job are gone that was not cancelled frees nothing.
pub async fn a_running_job_is_not_let_go(store: &impl Store) {
    add(store, "first", locked("deploy")).await;
    add(store, "second", locked("deploy")).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    store.let_go(&claimed, Some(&record(&claimed, None)), at(30)).await.unwrap();
    assert_eq!(store.claims().await.unwrap(), std::slice::from_ref(&claimed));
    assert_eq!(claim_id(store, 2, &offer(), at(30)).await, None);
    assert_eq!(store.attempts(claimed.job.id).await.unwrap()[0].ended_at, None);
}

/// The race for a lock has one winner.
pub async fn a_lock_goes_to_one_of_many_workers(store: &impl Store) {
    for n in 0..40 {
        add(store, &format!("job-{n}"), locked(if n % 2 == 0 { "even" } else { "odd" })).await;
    }
    for round in 0..4 {
        let claims = join_all((1..=16).map(|by| claim(store, by, at(20 + round)))).await;
        let won: Vec<_> = claims.into_iter().flatten().collect();
        assert_eq!(won.len(), 2);
        assert_ne!(won[0].job.work.lock(), won[1].job.work.lock());
        for claim in won {
            ship(store, &claim, at(20 + round)).await;
        }
    }
}
