//! Implementers compared from the lines of their journals.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_core::{
    benchmark::{By, Costs, Metric, board, report},
    id::Number,
    journal::{JOURNAL_SCHEMA, JournalEntry, Origin, read_line},
    port::OutcomeResult,
    text::{EngineName, ModelName, RepoName},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

fn start() -> Timestamp {
    "2026-02-02T00:00:00Z".parse().unwrap()
}

/// A merged child of an implementer that took so many hours.
fn child(number: u64, name: &str, hours: i64) -> JournalEntry {
    let at = start() + SignedDuration::from_hours(hours);
    let line = json!({
        "schema": JOURNAL_SCHEMA, "repo": "acme/shop", "epic": 1, "child": number, "pull": number + 1000,
        "created_at": start(), "dispatched_at": start(), "opened_at": start(), "first_green_at": null,
        "merged_at": at, "commits": [], "review_cycles": [], "conflict_cycles": [], "ci_runs": [],
        "automations": [], "implementer": name, "login": name, "model": null, "provider": null,
        "additions": 10 * number, "deletions": 1, "changed_files": 1, "labels": [], "origin": Origin::default(),
        "result": "success", "detail": "merged_clean",
        "totals": {"commits": 0, "review_cycles": 0, "conflict_cycles": 0, "ci_runs": 0, "ci_failures": 0,
            "threads": 0, "automations": 0},
        "duration_seconds": hours * 3600, "at": at,
    });
    read_line(&line.to_string()).unwrap()
}

fn many(name: &str, from: i64, count: u64) -> Vec<JournalEntry> {
    (1..=count)
        .map(|n| child(n + u64::try_from(from).unwrap() * 100, name, from + i64::try_from(n % 5).unwrap()))
        .collect()
}

#[test]
fn medians_and_intervals_are_those_of_finished_children() {
    let mut entries = many("swift", 1, 30);
    entries.extend(many("slow", 40, 30));
    let mut costs = Costs::new();
    costs.insert((RepoName::new("acme/shop").unwrap(), Number(101)), 0.5);
    let shown = report(&entries, &costs, By::Implementer, 1);
    assert_eq!(
        shown.groups.iter().map(|g| (g.name.as_str(), g.children)).collect::<Vec<_>>(),
        [("slow", 30), ("swift", 30)]
    );
    let swift = &shown.groups[1];
    assert_eq!(swift.estimate(Metric::HoursToMerge).unwrap().middle, 3.0);
    assert_eq!(swift.estimate(Metric::MergeRate).unwrap().middle, 1.0);
    assert_eq!(swift.estimate(Metric::CostUsd).unwrap().children, 1);
    assert_eq!(swift.estimate(Metric::ResponseHours), None);
    let ranked = board(&shown, Metric::HoursToMerge);
    let told: Vec<_> = ranked.rows.iter().map(|row| (row.name.as_str(), row.rank)).collect();
    assert_eq!(told, [("swift", Some(1)), ("slow", Some(2))]);
    let rated = board(&shown, Metric::MergeRate);
    assert!(rated.rows.iter().all(|row| row.rank.is_none()), "both merged all: nobody is ahead");
}

#[test]
fn another_implementer_and_another_order_change_no_interval() {
    let entries = many("swift", 1, 20);
    let mut more: Vec<JournalEntry> = entries.iter().rev().cloned().collect();
    more.extend(many("slow", 40, 9));
    let (one, two) = (
        report(&entries, &Costs::new(), By::Implementer, 3),
        report(&more, &Costs::new(), By::Implementer, 3),
    );
    assert_eq!(one.groups[0], two.groups[1]);
}

#[test]
fn models_gather_their_implementers_and_what_failed_counts() {
    let mut entries = many("a", 1, 6);
    entries.extend(many("b", 2, 6));
    for entry in &mut entries {
        entry.model = ModelName::new("opus").ok();
    }
    entries[0].result = OutcomeResult::Escalated;
    entries[0].merged_at = None;
    let mut nobody = child(9, "c", 4);
    (nobody.implementer, nobody.login) = (None::<EngineName>, None);
    entries.push(nobody);
    let shown = report(&entries, &Costs::new(), By::Model, 1);
    let names: Vec<_> = shown.groups.iter().map(|g| (g.name.as_str(), g.children)).collect();
    assert_eq!(names, [("-", 1), ("opus", 12)]);
    let rate = shown.groups[1].estimate(Metric::MergeRate).unwrap();
    assert!((rate.middle - 11.0 / 12.0).abs() < 1e-9 && rate.low < rate.middle);
    assert_eq!(shown.groups[1].estimate(Metric::HoursToMerge).unwrap().children, 11);
}
