//! Points of training data: written once and for all, overwritten by their key, read in pages in their order.

use super::samples::*;
use banksman_core::{
    id::Number,
    policy::ActionKind,
    port::{
        OutcomeDetail, OutcomeResult, Store, Training,
        training::{Place, PointCounts, PointQuery},
    },
    signals::{CheckState, MergeState},
    text::{Login, RepoName},
    training::{
        ActionTaken, Attempts, Choice, Kind, Measured, Observation, Outcome, Point, PolicyName, Reason,
        RepoTag, Series, ended, points_of_decision,
    },
};
use jiff::{SignedDuration, Timestamp};

fn series(repo: &RepoName, pull: u64) -> Series {
    Series { repo: RepoTag::of(repo), pull: Number(pull) }
}

/// An observation that shows `n` in each count.
pub fn observation(repo: &RepoName, pull: u64, author: &str, at: Timestamp, n: u32) -> Point {
    let measured = Measured::Observation(Observation {
        author: Login::new(author).unwrap(),
        merge_state: MergeState::Unstable,
        mergeable: true,
        is_draft: false,
        auto_merge_enabled: true,
        checks_total: n,
        checks_passing: n + 1,
        checks_failing: n + 2,
        reviews_approved: n + 3,
        reviews_changes_requested: n + 4,
        threads_total: n + 5,
        threads_unresolved: n + 6,
        pr_age_hours: n + 7,
        last_push_hours: n + 8,
        last_activity_hours: u32::MAX,
        conflict_attempts: n + 10,
        review_fix_attempts: n + 11,
    });
    Point { series: series(repo, pull), at, measured }
}

fn action(pull: u64, at: Timestamp, eligible: Vec<Choice>) -> Point {
    let measured = Measured::Action(ActionTaken {
        action: ActionKind::Merge,
        reason: Reason::Ready,
        policy: PolicyName::new("rules-1").unwrap(),
        propensity: 0.25,
        eligible,
    });
    Point { series: series(&repo(), pull), at, measured }
}

fn choices() -> Vec<Choice> {
    [(ActionKind::Wait, 0.75), (ActionKind::Merge, 0.25)]
        .map(|(action, probability)| Choice { action, probability })
        .to_vec()
}

fn end(pull: u64, at: Timestamp) -> Point {
    let measured = Measured::Outcome(Outcome {
        result: OutcomeResult::Success,
        detail: OutcomeDetail::MergedClean,
        resolution_hours: 1.5,
    });
    Point { series: series(&repo(), pull), at, measured }
}

async fn all(store: &impl Training, kind: Kind) -> Vec<Point> {
    store.points(&PointQuery::all(kind, 1000)).await.unwrap()
}

/// To the nanosecond, before 1970 too.
pub async fn points_come_back_as_they_were_recorded(store: &impl Training) {
    let fine = at(1) + SignedDuration::from_nanos(123_456_789);
    let old = Timestamp::from_nanosecond(-1).unwrap();
    let points = vec![
        observation(&repo(), 7, "ada", old, 0),
        observation(&repo(), 7, "ada", fine, 40),
        action(7, fine, choices()),
        action(8, fine, Vec::new()),
        end(7, fine),
    ];
    store.record_points(points.clone()).await.unwrap();
    assert_eq!(all(store, Kind::PrObservation).await, points[..2]);
    assert_eq!(all(store, Kind::ActionTaken).await, points[2..4]);
    assert_eq!(all(store, Kind::Outcome).await, points[4..]);
    let counts = PointCounts { observations: 2, actions: 2, outcomes: 1 };
    assert_eq!(store.point_counts().await.unwrap(), counts);
}

/// Within a batch and between two; another author is another series.
pub async fn a_point_with_the_same_key_is_overwritten(store: &impl Training) {
    let (first, second) =
        (observation(&repo(), 7, "ada", at(1), 1), observation(&repo(), 7, "ada", at(1), 2));
    let third = observation(&repo(), 7, "ada", at(1), 3);
    let other = observation(&repo(), 7, "bob", at(1), 1);
    store.record_points(vec![first, other.clone(), second.clone()]).await.unwrap();
    assert_eq!(all(store, Kind::PrObservation).await, [second, other.clone()]);
    store.record_points(vec![third.clone()]).await.unwrap();
    assert_eq!(all(store, Kind::PrObservation).await, [third, other]);
    store.record_points(vec![end(7, at(1)), end(7, at(1))]).await.unwrap();
    store.record_points(vec![end(7, at(1))]).await.unwrap();
    assert_eq!(all(store, Kind::Outcome).await, [end(7, at(1))]);
}

/// A line from a sink has no such field.
pub async fn what_was_eligible_outlives_a_repetition_without_it(store: &impl Training) {
    store.record_points(vec![action(7, at(1), choices())]).await.unwrap();
    store.record_points(vec![action(7, at(1), Vec::new())]).await.unwrap();
    assert_eq!(all(store, Kind::ActionTaken).await, [action(7, at(1), choices())]);
}

/// By repository, pull request, author and time, whatever the order of writing.
pub async fn pages_follow_one_another_without_gap_or_overlap(store: &impl Training) {
    let mut points = Vec::new();
    for repo in [repo(), other_repo()] {
        for pull in [3, 12, 7] {
            for author in ["bob", "ada"] {
                for second in [9, 1, 5] {
                    points.push(observation(&repo, pull, author, at(second), 1));
                }
            }
        }
    }
    store.record_points(points.clone()).await.unwrap();
    points.sort_by_key(|p| {
        let place = Place::of(p);
        (place.series, place.author, place.at)
    });
    for limit in [1, 5, 36, 100] {
        let mut query = PointQuery::all(Kind::PrObservation, limit);
        let mut read = Vec::new();
        loop {
            let page = store.points(&query).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= limit as usize);
            query.after = Some(Place::of(last));
            read.extend(page);
        }
        assert_eq!(read, points, "pages of {limit}");
    }
}

/// Nothing of another one.
pub async fn points_of_one_repository_or_pull_request_are_read_alone(store: &impl Training) {
    let points = vec![
        observation(&other_repo(), 7, "ada", at(1), 1),
        observation(&repo(), 6, "ada", at(1), 1),
        observation(&repo(), 7, "ada", at(1), 1),
        observation(&repo(), 7, "bob", at(0), 1),
        observation(&repo(), 70, "ada", at(1), 1),
    ];
    store.record_points(points.clone()).await.unwrap();
    let of_repo =
        PointQuery { repo: Some(RepoTag::of(&repo())), ..PointQuery::all(Kind::PrObservation, 100) };
    assert_eq!(store.points(&of_repo).await.unwrap(), points[1..]);
    let of_pull = PointQuery { pull: Some(Number(7)), ..of_repo.clone() };
    assert_eq!(store.points(&of_pull).await.unwrap(), points[2..4]);
    let second = PointQuery { after: Some(Place::of(&points[2])), ..of_pull };
    assert_eq!(store.points(&second).await.unwrap(), points[3..4]);
}

/// In the transaction of the look; a repetition of the last look adds nothing.
pub async fn a_look_writes_its_points_and_an_outcome_its_own(store: &(impl Store + Training)) {
    let lease = lease(store).await;
    let seen = signals(7, 1, CheckState::Pending);
    let decision = waiting();
    let points = |second| {
        let attempts = Attempts::default();
        let eligible = [ActionKind::Wait, ActionKind::Escalate];
        points_of_decision(&repo(), &seen, attempts, &decision, &eligible, "rules-1", at(second)).unwrap()
    };
    for second in [1, 2] {
        let points = points(second);
        let record = banksman_core::port::DecisionRecord {
            repo: &repo(),
            signals: &seen,
            decision: &decision,
            policy: "rules",
            at: at(second),
            points: &points,
        };
        store.observe(&lease, &record).await.unwrap();
    }
    let first = points(1);
    assert_eq!(all(store, Kind::PrObservation).await, first[..1]);
    assert_eq!(all(store, Kind::ActionTaken).await, first[1..]);
    for _ in 0..2 {
        store.record_outcome(&lease, &outcome(7)).await.unwrap();
    }
    assert_eq!(all(store, Kind::Outcome).await, [ended(&outcome(7))]);
}
