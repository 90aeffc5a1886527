//! What people see: each picture once, byte for byte.

use super::*;
use banksman_core::{
    benchmark::{Board, BoardRow, Estimate, Metric},
    budget::{
        days::DayCount,
        forecast::{Backtest, BurnDay, Case, Dates, Level},
    },
    id::Number,
    text::RepoName,
};
use jiff::{Timestamp, ToSpan as _, civil::date, tz::TimeZone};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_history_is_drawn() {
    let counts = [(12, 9, 2, 0), (0, 0, 0, 0), (31, 24, 5, 1), (18, 20, 3, 0), (25, 19, 1, 2), (4, 7, 0, 0)];
    let days: Vec<DayCount> = counts
        .iter()
        .enumerate()
        .map(|(day, (dispatched, merged, stuck, escalated))| DayCount {
            date: date(2026, 2, 26).checked_add(i64::try_from(day).unwrap().days()).unwrap(),
            dispatched: *dispatched,
            merged: *merged,
            stuck: *stuck,
            escalated: *escalated,
        })
        .collect();
    insta::assert_snapshot!(svg(&history(&days)));
}

#[test]
fn the_burn_up_is_drawn_with_its_band() {
    let first = date(2026, 2, 20);
    let day = |n: i64| first.checked_add(n.days()).unwrap();
    let to_come: Vec<BurnDay> = (0..10)
        .map(|n: i64| {
            let n32 = u32::try_from(n).unwrap();
            BurnDay {
                date: day(9 + n),
                p15: (2 * n32).min(19),
                p50: (1 + 3 * n32).min(19),
                p85: (3 + 4 * n32).min(19),
            }
        })
        .collect();
    let up = BurnUp {
        past: [0, 2, 2, 5, 6, 6, 8, 9, 10, 11].iter().zip(0..).map(|(count, n)| (day(n), *count)).collect(),
        scope: 30,
        days: &to_come,
        all: Some(Dates {
            p50: Some(at("2026-03-07T15:00:00Z")),
            p85: Some(at("2026-03-09T20:00:00Z")),
            p95: Some(at("2026-03-29T09:00:00Z")),
        }),
        now: at("2026-03-01T11:00:00Z"),
        zone: &TimeZone::UTC,
    };
    insta::assert_snapshot!(svg(&burn_up(&up)));
}

#[test]
fn the_calibration_is_drawn_against_the_promise() {
    let case = |n: u64| Case {
        repo: RepoName::new("acme/shop").unwrap(),
        epic: Number(n),
        began_at: at("2026-02-01T00:00:00Z"),
        dates: Dates { p50: None, p85: None, p95: None },
        ended_at: at("2026-02-05T00:00:00Z"),
        share_before: 0.5,
    };
    let level = |(percent, held)| Level { percent, held, of: 60 };
    let test = Backtest {
        cases: (1..=60).map(case).collect(),
        too_early: 4,
        levels: [
            (10, 8),
            (20, 14),
            (30, 20),
            (40, 27),
            (50, 33),
            (60, 38),
            (70, 45),
            (80, 50),
            (90, 55),
            (95, 58),
        ]
        .map(level)
        .to_vec(),
    };
    insta::assert_snapshot!(svg(&calibration(&test)));
}

#[test]
fn the_leaderboard_is_drawn_with_intervals_and_harmless_names() {
    let row = |name: &str, rank, low, middle, high| BoardRow {
        name: name.to_owned(),
        rank,
        estimate: Estimate { children: 30, middle, mean: middle, low, high },
    };
    let board = Board {
        metric: Metric::HoursToMerge,
        rows: vec![
            row("swift", Some(1), 0.8, 1.1, 1.6),
            row("a<b & \"c\"", None, 2.1, 3.4, 5.0),
            row("steady", None, 3.0, 4.2, 7.5),
        ],
    };
    let drawn = svg(&leaderboard(&board));
    assert!(drawn.contains("a&lt;b &amp; &quot;c&quot;") && !drawn.contains("a<b"));
    insta::assert_snapshot!(drawn);
}

#[test]
fn pictures_are_svg_files() {
    let folder = tempfile::tempdir().unwrap();
    let chart = history(&[]);
    assert!(save(&chart, &folder.path().join("x.png")).is_err());
    save(&chart, &folder.path().join("x.svg")).unwrap();
    let error = save(&chart, &folder.path().join("none/x.svg")).unwrap_err();
    assert!(error.to_string().starts_with("cannot write"), "{error}");
}
