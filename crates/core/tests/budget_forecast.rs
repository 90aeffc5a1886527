//! The forecast: the same for the same seed, honest about short histories, obedient to phases and limits, and never later for more room.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_core::{
    budget::forecast::{
        Bottleneck, Capacity, ChildPast, Dates, End, EpicPast, Options, Record, Way, backtest, forecast,
    },
    id::Number,
    intent::Phase,
    text::RepoName,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

fn start() -> Timestamp {
    "2026-02-02T00:00:00Z".parse().unwrap()
}

fn at(hours: i64) -> Timestamp {
    start() + SignedDuration::from_hours(hours)
}

fn repo(name: &str) -> RepoName {
    RepoName::new(&format!("acme/{name}")).unwrap()
}

fn settled(from: i64, hours: i64) -> ChildPast {
    let end = Some((at(from + hours), End::Merged));
    ChildPast::Given(Way { dispatched_at: at(from), again: Vec::new(), end })
}

/// Twenty days on each of which three children of an epic of that day took six hours each.
fn past(days: i64) -> Vec<EpicPast> {
    let one = |day: i64| EpicPast {
        repo: repo("shop"),
        number: Number(u64::try_from(day).unwrap() + 100),
        started_at: at(24 * day + 8),
        ended_at: Some(at(24 * day + 15)),
        children: vec![(Phase::Parallel, settled(24 * day + 8, 6)); 3],
    };
    (0..days).map(one).collect()
}

fn open(number: u64, name: &str, phases: &[(Phase, usize)], day: i64) -> EpicPast {
    let children = phases.iter().flat_map(|(phase, count)| vec![(*phase, ChildPast::Waiting); *count]);
    EpicPast {
        repo: repo(name),
        number: Number(number),
        started_at: at(24 * day + 8),
        ended_at: None,
        children: children.collect(),
    }
}

fn record(days: i64, more: Vec<EpicPast>) -> Record {
    let mut epics = past(days);
    epics.extend(more);
    Record {
        zone: TimeZone::UTC,
        since: start(),
        until: at(24 * days + 8),
        epics,
        others: Vec::new(),
        capacity: Capacity::default(),
    }
}

fn options(trials: u32) -> Options {
    Options { trials, seed: 7, days: 10 }
}

fn p85_hours(record: &Record) -> f64 {
    let all = forecast(record, &options(800)).all.unwrap();
    all.p85.unwrap().duration_since(record.until).as_secs_f64() / 3600.0
}

#[test]
fn a_seed_gives_the_same_forecast() {
    let record = record(20, vec![open(1, "shop", &[(Phase::Blockers, 1), (Phase::Parallel, 4)], 20)]);
    let (one, two) = (forecast(&record, &options(300)), forecast(&record, &options(300)));
    assert_eq!(one, two);
    let other = forecast(&record, &Options { seed: 8, ..options(300) });
    assert_ne!(one.all, other.all);
}

#[test]
fn dates_are_ordered_and_in_the_future() {
    let record = record(20, vec![open(1, "shop", &[(Phase::Parallel, 4)], 20)]);
    let shown = forecast(&record, &options(500));
    let Dates { p50, p85, p95 } = shown.all.unwrap();
    assert!(record.until < p50.unwrap() && p50 <= p85 && p85 <= p95);
    assert_eq!((shown.epics.len(), shown.epics[0].left), (1, 4));
    assert!(shown.history.enough && shown.history.priors.is_none());
    assert_eq!((shown.history.days, shown.history.settled, shown.history.idle_days), (20, 60, 0));
    let days: Vec<u32> = shown.burn_up.iter().map(|day| day.p50).collect();
    assert!(days.is_sorted() && days.len() == 10 && *days.last().unwrap() == 4, "{days:?}");
    assert!(shown.burn_up.iter().all(|day| day.p15 <= day.p50 && day.p50 <= day.p85));
}

#[test]
fn too_little_history_says_so_and_states_its_priors() {
    let shown = forecast(&record(2, vec![open(1, "shop", &[(Phase::Parallel, 3)], 2)]), &options(300));
    assert!(!shown.history.enough);
    assert_eq!(shown.history.priors.unwrap().again, [0.216, 0.366]);
    let nothing =
        Record { epics: vec![open(1, "new", &[(Phase::Parallel, 3)], 0)], since: at(8), ..record(0, vec![]) };
    assert!(forecast(&nothing, &options(300)).all.unwrap().p85.is_some());
}

#[test]
fn a_shorter_history_gives_wider_intervals() {
    let wide = |days: i64| {
        let record = record(days, vec![open(1, "shop", &[(Phase::Parallel, 3)], days)]);
        let dates = forecast(&record, &options(2_000)).all.unwrap();
        dates.p95.unwrap().duration_since(dates.p50.unwrap()).as_secs_f64()
    };
    assert!(wide(2) > 1.3 * wide(24), "{} {}", wide(2), wide(24));
}

#[test]
fn phases_come_one_after_the_other() {
    let together = record(20, vec![open(1, "shop", &[(Phase::Parallel, 6)], 20)]);
    let phased = [(Phase::Blockers, 2), (Phase::Parallel, 2), (Phase::Cleanup, 2)];
    let apart = record(20, vec![open(1, "shop", &phased, 20)]);
    assert!(p85_hours(&apart) > 1.3 * p85_hours(&together));
}

#[test]
fn room_never_makes_it_later_and_the_tightest_limit_is_named() {
    let mut record = record(20, vec![open(1, "shop", &[(Phase::Parallel, 12)], 20)]);
    let free = p85_hours(&record);
    record.capacity.at_once = Some(1);
    let narrow = p85_hours(&record);
    assert!(narrow > 2.0 * free, "{narrow} {free}");
    let named = forecast(&record, &options(400)).bottleneck;
    assert!(matches!(named, Some(Bottleneck::AtOnce { limit: 1, .. })), "{named:?}");
    record.capacity = Capacity { daily: Some(2), used_today: 2, ..Capacity::default() };
    assert!(p85_hours(&record) > 24.0 * 6.0);
    let named = forecast(&record, &options(400)).bottleneck;
    assert!(matches!(named, Some(Bottleneck::DailyQuota { limit: 2, .. })), "{named:?}");
}

#[test]
fn without_a_limit_the_repository_that_ends_last_is_named() {
    let record = record(
        20,
        vec![
            open(1, "shop", &[(Phase::Parallel, 1)], 20),
            open(2, "docs", &[(Phase::Blockers, 9), (Phase::Parallel, 9), (Phase::Cleanup, 9)], 20),
        ],
    );
    let named = forecast(&record, &options(300)).bottleneck;
    let docs = repo("docs");
    assert!(
        matches!(&named, Some(Bottleneck::Repository { repo, percent: 90.. }) if *repo == docs),
        "{named:?}"
    );
}

#[test]
fn a_limit_that_lets_nothing_through_has_no_date() {
    let mut record = record(20, vec![open(1, "shop", &[(Phase::Parallel, 2)], 20)]);
    record.capacity.daily = Some(0);
    assert_eq!(forecast(&record, &options(100)).all.unwrap().p50, None);
}

#[test]
fn nothing_open_is_nothing_to_forecast() {
    let shown = forecast(&record(20, Vec::new()), &options(100));
    assert_eq!((shown.all, shown.bottleneck, shown.burn_up.len()), (None, None, 0));
}

#[test]
fn a_replay_knows_nothing_of_what_came_later() {
    let mut record = record(20, Vec::new());
    let test = backtest(&record, &options(200));
    assert_eq!((test.cases.len() + test.too_early as usize, test.too_early), (20, 7));
    // A catastrophe on the last day changes no forecast of the days before it.
    let last = record.epics.len() - 1;
    record.epics[last].ended_at = Some(at(24 * 60));
    let again = backtest(&record, &options(200));
    assert_eq!(test.cases[..12], again.cases[..12]);
    assert_eq!(test.cases[12].dates, again.cases[12].dates);
    let share = |cases: &[banksman_core::budget::forecast::Case]| cases[12].share_before;
    assert!(share(&again.cases) > share(&test.cases));
    assert!(test.levels.iter().all(|level| level.of == 13 && level.held <= 13));
}
