//! Telling tracker items what becomes of their jobs (T10 to T14), over the SQLite store and a scripted tracker.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod crashes;
mod tracker;
mod world;

use banksman_core::{
    event::What,
    job::Stage,
    port::{
        Clock as _, Queue as _, TrackerError,
        tracker::{Fault, Misunderstanding},
    },
    work::FailReason,
};
use banksman_orchestrator::{Stop, Told};
use jiff::SignedDuration;
use tracker::Call;
use world::{Auto, TestWorld, run_test};

const FAILED: TrackerError = TrackerError::Unavailable(Fault::Failed(500));

fn status(word: &str) -> Call {
    Call::Status(word.to_owned(), None)
}

#[test]
fn a_shipped_job_is_told_once() {
    run_test(async {
        let world = TestWorld::new();
        let job = world.shipped(Auto::Off).await;
        assert_eq!(world.echo().of(job).await.unwrap(), Told::Now(Stage::Shipped));
        assert_eq!(world.echo().of(job).await.unwrap(), Told::Before(Stage::Shipped));
        let calls = world.tracker.calls();
        assert_eq!(calls.len(), 2, "{calls:?}");
        assert_eq!(calls[0], status("done"));
        let Call::Comment(comment) = &calls[1] else { panic!("{calls:?}") };
        assert_eq!(
            comment,
            "Banksman job 1 shipped\n\n- attempts: 1\n- duration: 1m 30s\n- tokens: 1200 in, 300 out\n- cost: $0.2500"
        );
        let echo = world.store.echo(job).await.unwrap().unwrap();
        assert_eq!((echo.patched, echo.commented), (Some(Stage::Shipped), Some(Stage::Shipped)));
        assert_eq!((echo.due, echo.tries), (None, 0));
        assert!(matches!(world.seen.all()[..], [What::Echoed { stage: Stage::Shipped, .. }]));
    });
}

#[test]
fn a_failed_job_blocks_its_item_with_a_note() {
    run_test(async {
        let world = TestWorld::new();
        let job = world.failed(Auto::Off, FailReason::TimedOut).await;
        assert_eq!(world.echo().of(job).await.unwrap(), Told::Now(Stage::Failed));
        let calls = world.tracker.calls();
        let note = "Banksman job 1 failed: the engine ran into its time limit";
        assert_eq!(calls[0], Call::Status("blocked".into(), Some(note.into())));
        assert!(matches!(&calls[1], Call::Comment(text) if text.starts_with(note)), "{calls:?}");
    });
}

#[test]
fn stages_under_way_are_one_status_without_a_comment() {
    run_test(async {
        let world = TestWorld::new();
        let job = world.add(Auto::Off).await;
        assert_eq!(world.echo().of(job).await.unwrap(), Told::Nothing(Stage::Inbox));
        let claim = world.claim().await;
        assert_eq!(world.echo().of(job).await.unwrap(), Told::Now(Stage::Building));
        let claim = world.built(&claim).await;
        assert_eq!(world.echo().of(job).await.unwrap(), Told::Before(Stage::Review));
        world.ship(&claim).await;
        assert_eq!(world.echo().of(job).await.unwrap(), Told::Now(Stage::Shipped));
        let statuses: Vec<_> = world.tracker.statuses();
        assert_eq!(statuses, ["in_progress", "done"]);
        assert_eq!(world.tracker.comments(), 1);
    });
}

#[test]
fn a_job_without_an_item_is_told_to_nobody() {
    run_test(async {
        let world = TestWorld::new();
        let job = world.add_without_item().await;
        assert_eq!(world.echo().of(job).await.unwrap(), Told::NoItem);
        assert_eq!(world.echo().of(banksman_core::id::JobId(99)).await.unwrap(), Told::NoItem);
        assert!(world.tracker.calls().is_empty());
    });
}

#[test]
fn a_failing_tracker_is_told_later_and_the_job_stays_as_it_is() {
    run_test(async {
        let world = TestWorld::new();
        let job = world.shipped(Auto::Off).await;
        let before = world.store.job(job).await.unwrap();
        let mut pauses = Vec::new();
        world.tracker.fail_next(3, FAILED);
        let Told::Later(error, due) = world.echo().of(job).await.unwrap() else { panic!() };
        assert_eq!(error, FAILED);
        pauses.push(due.duration_since(world.clock.now()));
        for _ in 0..2 {
            assert_eq!(world.echo().one().await.unwrap(), None, "too early");
            world.clock.advance(*pauses.last().unwrap());
            let Some((_, Told::Later(_, due))) = world.echo().one().await.unwrap() else { panic!() };
            pauses.push(due.duration_since(world.clock.now()));
        }
        assert!(pauses[1] > pauses[0] && pauses[2] > pauses[1], "{pauses:?}");
        assert_eq!(world.store.job(job).await.unwrap(), before);
        world.clock.advance(SignedDuration::from_hours(2));
        assert_eq!(world.echo().one().await.unwrap(), Some((job, Told::Now(Stage::Shipped))));
        assert_eq!(world.tracker.done(), (1, 1));
    });
}

#[test]
fn a_comment_that_was_refused_for_sure_is_written_later() {
    run_test(async {
        let busy = TrackerError::Unavailable(Fault::Failed(503));
        for error in [busy, TrackerError::Refused, TrackerError::Invalid(Misunderstanding::Rejected(422))] {
            let world = TestWorld::new();
            let job = world.shipped(Auto::Off).await;
            world.tracker.fail_comments(1, error.clone());
            assert!(matches!(world.echo().of(job).await.unwrap(), Told::Later(e, _) if e == error));
            assert_eq!(world.tracker.done(), (1, 0));
            assert_eq!(world.echo().of(job).await.unwrap(), Told::Now(Stage::Shipped));
            assert_eq!(world.tracker.done(), (1, 1));
        }
    });
}

#[test]
fn a_comment_that_may_have_arrived_is_never_repeated() {
    run_test(async {
        // A tracker that fails by itself may have written the comment before.
        for error in [TrackerError::Unavailable(Fault::Unclear), FAILED] {
            let world = TestWorld::new();
            let job = world.shipped(Auto::Off).await;
            world.tracker.fail_comments(1, error);
            assert_eq!(world.echo().of(job).await.unwrap(), Told::Now(Stage::Shipped));
            world.clock.advance(SignedDuration::from_hours(2));
            assert_eq!(world.echo().of(job).await.unwrap(), Told::Before(Stage::Shipped));
            assert_eq!(world.tracker.tried_comments(), 1);
            assert_eq!(world.store.echo(job).await.unwrap().unwrap().commented, None);
        }
    });
}

#[test]
fn every_stage_is_told_by_itself_and_what_was_overtaken_is_not() {
    run_test(async {
        let world = TestWorld::new();
        let job = world.add(Auto::On).await;
        let claim = world.claim().await;
        let claim = world.built(&claim).await;
        world.ship(&claim).await;
        while world.echo().one().await.unwrap().is_some() {}
        assert_eq!(world.tracker.statuses(), ["done"]);
        assert_eq!(world.tracker.done(), (1, 1));
        assert_eq!(world.store.echo(job).await.unwrap().unwrap().due, None);
    });
}

#[test]
fn a_change_while_an_echo_is_on_its_way_is_told_as_well() {
    run_test(async {
        let world = TestWorld::new();
        let job = world.add(Auto::On).await;
        let claim = world.claim().await;
        let hold = world.tracker.hold_next_status();
        let (told, ()) = tokio::join!(async { world.echo().one().await.unwrap() }, async {
            hold.reached().await;
            let claim = world.built(&claim).await;
            world.ship(&claim).await;
            hold.release();
        });
        assert_eq!(told, Some((job, Told::Now(Stage::Building))));
        assert_eq!(world.echo().one().await.unwrap(), Some((job, Told::Now(Stage::Shipped))));
        assert_eq!(world.tracker.statuses(), ["in_progress", "done"]);
        assert_eq!(world.echo().one().await.unwrap(), None);
    });
}

#[test]
fn an_old_job_does_not_take_back_what_its_repetition_said() {
    run_test(async {
        let world = TestWorld::new();
        let old = world.failed(Auto::Off, FailReason::ExitCode).await;
        world.tracker.fail_next(1, FAILED);
        assert!(matches!(world.echo().of(old).await.unwrap(), Told::Later(..)));
        let new = world.retry(old).await;
        let claim = world.claim().await;
        let claim = world.built(&claim).await;
        world.ship(&claim).await;
        assert_eq!(world.echo().of(new).await.unwrap(), Told::Now(Stage::Shipped));
        world.clock.advance(SignedDuration::from_hours(2));
        world.echo().one().await.unwrap().unwrap();
        assert_eq!(world.tracker.statuses(), ["done"]);
        assert_eq!(world.tracker.comments(), 2);
    });
}

#[test]
fn the_loop_tells_what_is_wished_until_it_is_stopped() {
    run_test(async {
        let world = TestWorld::new();
        let (stop, echo) = (Stop::default(), world.echo());
        tokio::join!(echo.run(&stop), async {
            let job = world.shipped(Auto::On).await;
            world.tick_until(async { world.seen.until(1).await }).await;
            assert_eq!(world.tracker.statuses().last().unwrap(), "done");
            assert!(world.store.echo(job).await.unwrap().is_some());
            stop.stop();
        });
    });
}

#[test]
fn what_is_due_is_told_at_the_end_unless_the_tracker_is_away() {
    run_test(async {
        let world = TestWorld::new();
        for item in ["T-1", "T-2"] {
            world.shipped_of(item).await;
        }
        world.tracker.fail_next(1, FAILED);
        world.echo().settle().await.unwrap();
        assert_eq!(world.tracker.done(), (0, 0));
        world.echo().settle().await.unwrap();
        assert_eq!(world.tracker.done(), (1, 1));
        world.clock.advance(SignedDuration::from_hours(2));
        world.echo().settle().await.unwrap();
        assert_eq!(world.tracker.done(), (2, 2));
    });
}

#[test]
fn nothing_of_the_job_but_its_metrics_is_sent() {
    run_test(async {
        let world = TestWorld::new();
        for job in [world.shipped(Auto::Off).await, world.failed(Auto::Off, FailReason::ExitCode).await] {
            world.echo().of(job).await.unwrap();
        }
        for call in world.tracker.calls() {
            assert!(!format!("{call:?}").to_lowercase().contains("canary"), "{call:?}");
        }
    });
}
