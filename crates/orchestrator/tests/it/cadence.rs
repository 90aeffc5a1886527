//! The daily cadence over a real store: no slot lost, none run twice (B13).

use banksman_core::{
    budget::cadence::{Cadence, Schedule},
    port::budget::Budget,
    text::Holder,
};
use banksman_orchestrator::{RUN_TTL, take_due};
use banksman_store::SqliteStore;
use jiff::{SignedDuration, Timestamp, civil::Time};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn morning() -> Schedule {
    let at = Time::constant(8, 0, 0, 0);
    Schedule { run: Cadence::Morning, at, zone: "Europe/Berlin".parse().unwrap() }
}

fn holder(name: &str) -> Holder {
    Holder::new(name).unwrap()
}

#[tokio::test]
async fn each_slot_is_run_once_over_restarts_processes_and_jumps_of_the_clock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (one, schedule) = (SqliteStore::open(&path).unwrap(), morning());
    let due = async |store: &SqliteStore, who: &str, now: &str| {
        take_due(store, &schedule, &holder(who), at(now)).await.unwrap().map(|slot| slot.to_string())
    };
    // Seen for the first time: nothing was missed.
    assert_eq!(due(&one, "a", "2026-02-05T12:00:00Z").await, None);
    assert_eq!(due(&one, "a", "2026-02-06T06:59:59Z").await, None);
    let slot = "2026-02-06T07:00:00Z";
    assert_eq!(due(&one, "a", slot).await.as_deref(), Some(slot));
    // Another process meanwhile, and after the first one ended it.
    let other = SqliteStore::open(&path).unwrap();
    assert_eq!(due(&other, "b", "2026-02-06T07:00:01Z").await, None);
    one.end_run(&schedule.run.name(), at(slot), &holder("a"), at("2026-02-06T07:01:00Z")).await.unwrap();
    assert_eq!(due(&other, "b", "2026-02-06T07:30:00Z").await, None);
    // The clock is put back over the slot, and comes past it again.
    assert_eq!(due(&one, "a", "2026-02-06T06:00:00Z").await, None);
    assert_eq!(due(&one, "a", "2026-02-06T07:00:00Z").await, None);
    // Nothing ran for three days: the last slot is run, once.
    drop((one, other));
    let again = SqliteStore::open(&path).unwrap();
    assert_eq!(due(&again, "c", "2026-02-09T15:00:00Z").await.as_deref(), Some("2026-02-09T07:00:00Z"));
    // It was cut off in the middle: begun again by whoever comes after a while.
    assert_eq!(due(&again, "d", "2026-02-09T15:01:00Z").await, None);
    let later = (at("2026-02-09T15:00:00Z") + RUN_TTL + SignedDuration::from_secs(1)).to_string();
    assert_eq!(due(&again, "d", &later).await.as_deref(), Some("2026-02-09T07:00:00Z"));
}
