//! Totals and medians of attempts (Q22).

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_core::{
    id::{AttemptId, JobId},
    insights::{By, Insights, Spread, StageTime, stage_times},
    job::{Move, Stage, Why},
    port::{AttemptFacts, AttemptRecord, Measured},
    work::{FailReason, Usage},
};
use jiff::{SignedDuration, Timestamp, tz};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    "2026-11-21T22:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}

/// An attempt at `job` that ran for `wall` seconds (`None`: has no end), from `start` on.
fn attempt(id: u64, job: u64, stage: Stage, start: i64, wall: Option<i64>) -> AttemptFacts {
    AttemptFacts {
        record: AttemptRecord {
            attempt: AttemptId(id),
            job: JobId(job),
            engine: "claude".parse().unwrap(),
            holder: "host:1".parse().unwrap(),
            started_at: at(start),
            ended_at: wall.map(|wall| at(start + wall)),
            failure: None,
            measured: Measured::default(),
        },
        profile: None,
        place: "/srv/app".to_owned(),
        stage,
    }
}

fn measured(facts: AttemptFacts, cpu_ms: u64, cost: f64, lines: (u32, u32)) -> AttemptFacts {
    let usage = Usage { tokens_in: Some(cpu_ms), cost_usd: Some(cost), ..Usage::default() };
    let measured = Measured {
        cpu_ms: Some(cpu_ms),
        added: Some(lines.0),
        removed: Some(lines.1),
        usage,
        ..Measured::default()
    };
    AttemptFacts { record: AttemptRecord { measured, ..facts.record }, ..facts }
}

fn failed(mut facts: AttemptFacts) -> AttemptFacts {
    facts.record.failure = Some(FailReason::ExitCode);
    facts
}

fn of(attempts: &[AttemptFacts], by: By) -> Insights {
    Insights::of(attempts, by, &tz::TimeZone::UTC)
}

#[test]
fn attempts_end_in_one_way_each() {
    let attempts = [
        failed(attempt(1, 1, Stage::Shipped, 0, Some(10))),
        attempt(2, 1, Stage::Shipped, 20, Some(30)),
        attempt(3, 2, Stage::Building, 0, None),
        attempt(4, 2, Stage::Building, 50, None),
        attempt(5, 3, Stage::Failed, 0, None),
        // Ended by a quota, and not counted.
        attempt(6, 4, Stage::Building, 0, Some(1)),
        attempt(7, 5, Stage::Cancelled, 0, Some(2)),
    ];
    let total = of(&attempts, By::Engine).total;
    assert_eq!((total.jobs, total.attempts), (5, 7));
    assert_eq!((total.shipped, total.failed, total.lost, total.running), (1, 1, 2, 1));
    assert_eq!(total.wall_ms, Spread { total: 43_000, median: Some(6_000) });
    assert_eq!((total.cpu_ms, total.cost_usd, total.median_cost_usd), (Spread::default(), 0.0, None));
}

#[test]
fn medians_are_of_the_attempts_that_have_the_number() {
    let done = |id, wall| attempt(id, id, Stage::Shipped, 0, Some(wall));
    let attempts = [
        measured(done(1, 1), 100, 1.0, (10, 0)),
        measured(done(2, 2), 300, 0.25, (1, 2)),
        measured(done(3, 9), 900, 4.0, (0, 0)),
        done(4, 100),
    ];
    let total = of(&attempts, By::Place).total;
    assert_eq!(total.cpu_ms, Spread { total: 1300, median: Some(300) });
    assert_eq!(total.tokens_in, total.cpu_ms);
    assert_eq!(total.wall_ms, Spread { total: 112_000, median: Some(5_500) });
    assert_eq!((total.cost_usd, total.median_cost_usd), (5.25, Some(1.0)));
    assert_eq!((total.lines_added, total.lines_removed, total.median_lines), (11, 2, Some(3)));
}

#[test]
fn groups_are_named_after_what_they_share() {
    let mut other = attempt(2, 2, Stage::Shipped, 3 * 3600, Some(1));
    other.record.engine = "codex".parse().unwrap();
    other.profile = Some("quick".parse().unwrap());
    other.place = "local/app".to_owned();
    let attempts = [attempt(1, 1, Stage::Shipped, 0, Some(1)), other];
    let names = |by, zone: &tz::TimeZone| -> Vec<String> {
        Insights::of(&attempts, by, zone).groups.into_iter().map(|group| group.name).collect()
    };
    let utc = tz::TimeZone::UTC;
    assert_eq!(names(By::Engine, &utc), ["claude", "codex"]);
    assert_eq!(names(By::Profile, &utc), ["-", "quick"]);
    assert_eq!(names(By::Place, &utc), ["/srv/app", "local/app"]);
    assert_eq!(names(By::Day, &utc), ["2026-11-21", "2026-11-22"]);
    // Two hours further east it is the same day.
    assert_eq!(names(By::Day, &tz::TimeZone::fixed(tz::offset(2))), ["2026-11-22"]);
}

#[test]
fn nothing_adds_up_to_nothing() {
    let none = of(&[], By::Day);
    assert_eq!((none.groups.len(), none.total.attempts, none.total.wall_ms), (0, 0, Spread::default()));
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&of(
            &[measured(attempt(1, 1, Stage::Shipped, 0, Some(2)), 5, 0.5, (3, 1))],
            By::Engine
        ))
        .unwrap()
    );
}

#[test]
fn the_time_in_a_stage_is_that_of_all_visits() {
    let moves: Vec<Move> = [
        (None, Stage::Inbox, 0, Why::Added),
        (Some(Stage::Inbox), Stage::Building, 5, Why::Claimed),
        (Some(Stage::Building), Stage::Building, 15, Why::Retried(FailReason::ExitCode)),
        (Some(Stage::Building), Stage::Building, 20, Why::Claimed),
        (Some(Stage::Building), Stage::Review, 50, Why::Passed),
        (Some(Stage::Review), Stage::Building, 60, Why::Changes),
        (Some(Stage::Building), Stage::Review, 61, Why::Passed),
        (Some(Stage::Review), Stage::Testing, 63, Why::Passed),
        (Some(Stage::Testing), Stage::Shipped, 70, Why::Passed),
    ]
    .into_iter()
    .map(|(from, to, second, why)| Move {
        from,
        to,
        at: at(second),
        who: "host:1".parse().unwrap(),
        why,
        attempt: None,
    })
    .collect();
    let time = |stage, ms, visits| StageTime { stage, ms, visits };
    let all = [
        time(Stage::Inbox, 5_000, 1),
        time(Stage::Building, 46_000, 2),
        time(Stage::Review, 12_000, 2),
        time(Stage::Testing, 7_000, 1),
    ];
    assert_eq!(stage_times(&moves, at(1000)), all);
    // One that is still there counts up to now.
    assert_eq!(
        stage_times(&moves[..2], at(8)),
        [time(Stage::Inbox, 5_000, 1), time(Stage::Building, 3_000, 1)]
    );
}

proptest! {
    #[test]
    fn groups_add_up_to_the_whole(
        drawn in prop::collection::vec((1..20u64, 0..4usize, 0..200_000i64, prop::option::of(0..9000i64), 0..9u64, any::<bool>()), 0..60),
    ) {
        let attempts: Vec<AttemptFacts> = (1..).zip(&drawn).map(|(id, (job, engine, start, wall, cpu, fails))| {
            let stage = [Stage::Building, Stage::Shipped, Stage::Failed][usize::try_from(job % 3).unwrap()];
            let mut one = measured(attempt(id, *job, stage, *start, *wall), *cpu, 0.5, (1, 2));
            one.record.engine = ["a", "b", "c", "d"][*engine].parse().unwrap();
            if *fails { failed(one) } else { one }
        }).collect();
        for by in [By::Engine, By::Profile, By::Place, By::Day] {
            let all = of(&attempts, by);
            let sum = |number: fn(&banksman_core::insights::Insight) -> u64| all.groups.iter().map(|g| number(&g.insight)).sum::<u64>();
            prop_assert_eq!(sum(|i| i.attempts), all.total.attempts);
            prop_assert_eq!(sum(|i| i.shipped), all.total.shipped);
            prop_assert_eq!(sum(|i| i.failed), all.total.failed);
            prop_assert_eq!(sum(|i| i.lost), all.total.lost);
            prop_assert_eq!(sum(|i| i.running), all.total.running);
            prop_assert_eq!(sum(|i| i.wall_ms.total), all.total.wall_ms.total);
            prop_assert_eq!(sum(|i| i.cpu_ms.total), all.total.cpu_ms.total);
            prop_assert!(all.groups.iter().all(|g| g.insight.attempts > 0));
            prop_assert!(all.groups.is_sorted_by(|a, b| a.name < b.name));
        }
    }
}
