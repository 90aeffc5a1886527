//! A crash between any two of: status sent, recorded, comment begun, sent, recorded (T12). The process is gone: its future is dropped.

use crate::{
    tracker::At,
    world::{Auto, TestWorld, run_test},
};
use banksman_core::port::{Clock as _, Queue as _};
use jiff::SignedDuration;
use std::pin::pin;
use tokio::select;

/// Stops telling at that point, drops it, tells again when the hold is over; how many statuses and comments arrived.
async fn crash(at: At) -> (usize, usize) {
    let world = TestWorld::new();
    let job = world.shipped(Auto::Off).await;
    world.store.want_echo(job, world.clock.now()).await.unwrap();
    let hold = world.tracker.hold(at);
    {
        let echo = world.echo();
        let mut one = pin!(echo.one());
        select! {
            done = &mut one => panic!("it was to stop: {done:?}"),
            () = hold.reached() => {}
        }
    }
    assert_eq!(world.echo().one().await.unwrap(), None, "it is held by the process that is gone");
    world.clock.advance(SignedDuration::from_secs(61));
    let (about, _) = world.echo().one().await.unwrap().unwrap();
    assert_eq!(about, job);
    let echo = world.store.echo(job).await.unwrap().unwrap();
    assert_eq!(echo.due, None);
    assert_eq!(world.echo().one().await.unwrap(), None);
    world.tracker.done()
}

#[test]
fn before_the_status_arrives_nothing_is_lost() {
    run_test(async { assert_eq!(crash(At::StatusBefore).await, (1, 1)) });
}

#[test]
fn between_status_and_record_the_status_is_repeated_once() {
    run_test(async { assert_eq!(crash(At::StatusAfter).await, (2, 1)) });
}

#[test]
fn between_begun_and_comment_there_is_none() {
    run_test(async { assert_eq!(crash(At::CommentBefore).await, (1, 0)) });
}

#[test]
fn between_comment_and_record_there_is_no_second_one() {
    run_test(async { assert_eq!(crash(At::CommentAfter).await, (1, 1)) });
}
