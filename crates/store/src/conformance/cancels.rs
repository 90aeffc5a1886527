//! Cancelling, and repeating what failed or was cancelled.

use super::{job_samples::*, samples::*};
use banksman_core::{
    id::JobId,
    job::{JobState, Stage, Why},
    port::{Added, Cancelled, Retried, Store, StoreError},
};

/// Waiting, running or ended; the first cancel holds.
pub async fn a_job_is_cancelled_once(store: &impl Store) {
    let waiting = add(store, "waiting", spec()).await;
    assert_eq!(store.cancel(waiting, &holder(7), at(20)).await.unwrap(), Cancelled::Now);
    let running = add(store, "running", spec()).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    assert_eq!(claimed.job.id, running);
    assert_eq!(store.cancel(running, &holder(7), at(30)).await.unwrap(), Cancelled::WhileRunning);
    for id in [waiting, running] {
        let again = store.cancel(id, &holder(7), at(40)).await.unwrap();
        assert_eq!(again, Cancelled::Ended(Stage::Cancelled));
    }
    assert_eq!(job(store, running).await.state, JobState::Cancelled { at: at(30) });
    let last = store.moves(running).await.unwrap().pop().unwrap();
    assert_eq!((last.from, last.why, last.who), (Some(Stage::Building), Why::Cancelled, holder(7)));
    assert_eq!(last.attempt, Some(claimed.attempt));
    assert_eq!(store.moves(waiting).await.unwrap()[1].attempt, None);
    let shipped = add(store, "shipped", spec()).await;
    let claimed = claim(store, 1, at(50)).await.unwrap();
    ship(store, &claimed, at(60)).await;
    assert_eq!(store.cancel(shipped, &holder(7), at(70)).await.unwrap(), Cancelled::Ended(Stage::Shipped));
    assert_eq!(claim_id(store, 1, &offer(), at(80)).await, None);
    let unknown = store.cancel(JobId(shipped.0 + 1000), &holder(7), at(70)).await;
    assert!(matches!(unknown, Err(StoreError::Missing(_))), "{unknown:?}");
}

/// Between two attempts nothing runs.
pub async fn a_job_between_two_attempts_is_cancelled_now(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    store.lose(&claimed, &holder(9), at(30)).await.unwrap();
    assert_eq!(store.cancel(id, &holder(7), at(40)).await.unwrap(), Cancelled::Now);
    assert_eq!(claim_id(store, 1, &offer(), at(50)).await, None);
}

/// As a new job with everything of the old one but its past; the old one stays as it is.
pub async fn a_failed_job_is_repeated_with_a_fresh_allowance(store: &impl Store) {
    let id = add_job(store, keyed("job", locked("deploy"))).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    fail(store, &claimed, at(30)).await;
    let old = job(store, id).await;
    let Retried::As(new) = store.retry(id, &holder(7), at(40)).await.unwrap() else { panic!() };
    let repeated = job(store, new).await;
    assert_eq!((&repeated.name, &repeated.key, &repeated.work), (&old.name, &old.key, &old.work));
    assert_eq!((repeated.failures, repeated.losses, repeated.retry_of), (0, 0, Some(id)));
    assert_eq!((repeated.created_at, &repeated.state), (at(40), &JobState::Inbox { not_before: at(40) }));
    assert_eq!(store.body(new).await.unwrap().as_str(), store.body(id).await.unwrap().as_str());
    assert_eq!((reasons(store, new).await, job(store, id).await), (vec![Why::Added], old));
    assert_eq!(store.job_by_key(&key("job")).await.unwrap().unwrap().id, new);
    assert_eq!(
        store.add(vec![keyed("job", spec())], &holder(1), at(41)).await.unwrap(),
        [Added::Exists(new)]
    );
    let claimed = claim(store, 1, at(50)).await.unwrap();
    assert_eq!((claimed.job.id, claimed.token.0), (new, 1));
}

/// Each job once; what repeats it may be repeated in its turn.
pub async fn a_job_is_repeated_once(store: &impl Store) {
    let first = add_job(store, keyed("job", spec())).await;
    assert_eq!(store.retry(first, &holder(7), at(20)).await.unwrap(), Retried::NotEnded(Stage::Inbox));
    store.cancel(first, &holder(7), at(20)).await.unwrap();
    let Retried::As(second) = store.retry(first, &holder(7), at(30)).await.unwrap() else { panic!() };
    assert_eq!(store.retry(first, &holder(7), at(31)).await.unwrap(), Retried::Already(second));
    assert_eq!(store.retry(second, &holder(7), at(31)).await.unwrap(), Retried::NotEnded(Stage::Inbox));
    let claimed = claim(store, 1, at(40)).await.unwrap();
    fail(store, &claimed, at(41)).await;
    let Retried::As(third) = store.retry(second, &holder(7), at(50)).await.unwrap() else { panic!() };
    assert_eq!(store.retry(first, &holder(7), at(51)).await.unwrap(), Retried::Already(second));
    assert_eq!(store.job_by_key(&key("job")).await.unwrap().unwrap().id, third);
    let claimed = claim(store, 1, at(60)).await.unwrap();
    ship(store, &claimed, at(61)).await;
    assert_eq!(store.retry(third, &holder(7), at(70)).await.unwrap(), Retried::NotEnded(Stage::Shipped));
    let unknown = store.retry(JobId(third.0 + 1000), &holder(7), at(70)).await;
    assert!(matches!(unknown, Err(StoreError::Missing(_))), "{unknown:?}");
}
