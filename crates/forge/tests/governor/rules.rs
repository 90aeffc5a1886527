//! Single rules of the governor.

use super::world::{BEGIN, repo};
use banksman_forge::github::governor::{
    Answer, Cost, Effect, Governor, Heard, Pace, PauseWhy, Rate, Resource, Ticket, Turn,
};
use jiff::{SignedDuration, Timestamp};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(BEGIN + ms).unwrap()
}

fn go(governor: &mut Governor, ms: i64, cost: Cost) -> Ticket {
    match governor.ask(at(ms), Some(&repo(1)), cost) {
        Turn::Go(ticket) => ticket,
        Turn::Wait(until) => panic!("told to wait until {until}"),
    }
}

/// How long the governor makes one wait, in milliseconds; 0: not at all.
fn wait(governor: &mut Governor, ms: i64, cost: Cost) -> i64 {
    match governor.ask(at(ms), Some(&repo(1)), cost) {
        Turn::Go(ticket) => {
            governor.told(at(ms), ticket, &answered(Answer::NotSent));
            0
        }
        Turn::Wait(until) => until.as_millisecond() - at(ms).as_millisecond(),
    }
}

fn answered(answer: Answer) -> Heard {
    Heard { answer, date: None, rate: None }
}

/// A governor that has heard a first answer.
fn begun() -> Governor {
    let mut governor = Governor::default();
    let ticket = go(&mut governor, -10_000, Cost::REST_READ);
    governor.told(at(-9_900), ticket, &answered(Answer::Answered));
    governor
}

const COMMENT: Cost = Cost::Rest(Effect::Content);

#[test]
fn the_first_request_goes_alone() {
    let mut governor = Governor::default();
    let ticket = go(&mut governor, 0, Cost::REST_READ);
    assert_eq!(wait(&mut governor, 10, Cost::REST_READ), 500);
    governor.told(at(200), ticket, &answered(Answer::Answered));
    assert_eq!(wait(&mut governor, 210, Cost::REST_READ), 0);
}

#[test]
fn a_second_lies_between_writes() {
    let mut governor = begun();
    let _first = go(&mut governor, 0, COMMENT);
    assert_eq!(wait(&mut governor, 300, Cost::Rest(Effect::Write)), 750);
    assert_eq!(wait(&mut governor, 300, Cost::REST_READ), 0);
}

#[test]
fn a_hundred_at_once_are_never_reached() {
    let mut governor = begun();
    let tickets: Vec<Ticket> = (0..60).map(|_| go(&mut governor, 0, Cost::REST_READ)).collect();
    assert!(wait(&mut governor, 1, Cost::REST_READ) > 0);
    for ticket in tickets {
        governor.told(at(100), ticket, &answered(Answer::Answered));
    }
    assert_eq!(wait(&mut governor, 101, Cost::REST_READ), 0);
}

#[test]
fn tickets_that_nobody_brings_back_are_given_up() {
    let mut governor = begun();
    for _ in 0..60 {
        let _ = go(&mut governor, 0, Cost::REST_READ);
    }
    // Small steps: after a large one the clock itself would be in doubt.
    let free = (1..30).map(|step| step * 5_000).find(|ms| wait(&mut governor, *ms, Cost::REST_READ) == 0);
    assert_eq!(free, Some(125_000));
}

#[test]
fn pauses_grow_with_each_hit_and_end_with_a_good_answer() {
    let mut governor = begun();
    let mut now = 0;
    let mut lengths = Vec::new();
    for _ in 0..3 {
        let ticket = go(&mut governor, now, Cost::REST_READ);
        governor.told(at(now), ticket, &answered(Answer::Secondary { retry_after: None }));
        let length = wait(&mut governor, now, Cost::REST_READ);
        lengths.push(length / 1_000);
        now += length;
    }
    assert_eq!(lengths, [60, 120, 240]);
    let ticket = go(&mut governor, now, Cost::REST_READ);
    governor.told(at(now), ticket, &answered(Answer::Answered));
    let ticket = go(&mut governor, now, Cost::REST_READ);
    governor.told(at(now), ticket, &answered(Answer::Secondary { retry_after: None }));
    assert_eq!(wait(&mut governor, now, Cost::REST_READ), 60_000);
}

#[test]
fn requests_that_were_under_way_together_count_as_one_hit() {
    let mut governor = begun();
    let tickets: Vec<Ticket> = (0..5).map(|_| go(&mut governor, 0, Cost::REST_READ)).collect();
    for ticket in tickets {
        let retry_after = Some(SignedDuration::from_secs(90));
        governor.told(at(100), ticket, &answered(Answer::Secondary { retry_after }));
    }
    assert_eq!(wait(&mut governor, 100, Cost::REST_READ), 90_000);
    assert_eq!(governor.view(at(100)).pause.unwrap().why, PauseWhy::SecondaryLimit);
}

#[test]
fn a_budget_that_others_used_up_is_waited_for() {
    let mut governor = begun();
    let cost = Cost::Graphql { points: 4, effect: Effect::Read };
    let ticket = go(&mut governor, 0, cost);
    let rate = Rate {
        resource: Resource::Graphql,
        limit: 5_000,
        remaining: 502,
        reset_at: at(600_000),
        cost: Some(4),
    };
    governor.told(at(100), ticket, &Heard { rate: Some(rate), ..answered(Answer::Answered) });
    assert_eq!(wait(&mut governor, 100, cost), 600_900);
    assert_eq!(wait(&mut governor, 100, Cost::REST_READ), 0, "the other budget is its own");
    let write = Cost::Graphql { points: 4, effect: Effect::Write };
    assert_eq!(wait(&mut governor, 100, write), 0, "what is under way can be finished");
    assert_eq!(governor.view(at(100)).graphql.left, 502);
}

#[test]
fn what_did_not_change_costs_nothing() {
    let mut governor = begun();
    for i in 0..600 {
        let ticket = go(&mut governor, i * 200, Cost::REST_READ);
        governor.told(at(i * 200 + 50), ticket, &answered(Answer::Unchanged));
    }
    assert_eq!(governor.view(at(120_000)).rest.left, 4_999);
}

#[test]
fn errors_of_the_server_pause_everything_for_a_little() {
    let mut governor = begun();
    let ticket = go(&mut governor, 0, COMMENT);
    governor.told(at(100), ticket, &answered(Answer::ServerError { retry_after: None }));
    assert_eq!(wait(&mut governor, 100, Cost::REST_READ), 1_000);
    let ticket = go(&mut governor, 1_200, COMMENT);
    governor.told(at(1_300), ticket, &Heard::nothing());
    assert_eq!(wait(&mut governor, 1_300, Cost::REST_READ), 2_000);
}

#[test]
fn larger_budgets_of_apps_are_used() {
    let mut governor = begun();
    let ticket = go(&mut governor, 0, Cost::REST_READ);
    let rate = Rate {
        resource: Resource::Rest,
        limit: 12_500,
        remaining: 12_499,
        reset_at: at(3_000_000),
        cost: None,
    };
    governor.told(at(100), ticket, &Heard { rate: Some(rate), ..answered(Answer::Answered) });
    let view = governor.view(at(100));
    assert_eq!((view.rest.limit, view.rest.left), (12_500, 12_498));
}

#[test]
fn what_was_written_before_a_restart_still_counts() {
    let mut governor = begun();
    let mut now = 0;
    for _ in 0..400 {
        now += 8_000;
        let ticket = go(&mut governor, now, COMMENT);
        governor.told(at(now), ticket, &answered(Answer::Answered));
    }
    let written = governor.written(at(now));
    assert_eq!(written.len(), 400);
    // Another process begins half a second later: not at once, and with what is left of the hour.
    let mut next = Governor::default();
    next.remember_written(at(now + 500), &written);
    assert_eq!(next.view(at(now + 500)).content_hour.used, 400);
    assert!(
        matches!(next.ask(at(now + 500), Some(&repo(1)), COMMENT), Turn::Wait(until) if until == at(now + 1_050))
    );
    let mut more = 0;
    for step in 1..200 {
        let then = at(now + step * 2_000);
        if let Turn::Go(ticket) = next.ask(then, Some(&repo(1)), COMMENT) {
            next.told(then, ticket, &answered(Answer::Answered));
            more += 1;
        }
    }
    assert_eq!(more, 80);
}

#[test]
fn a_server_of_ones_own_wants_no_pauses() {
    let mut governor = Governor::at(Pace::Own);
    let first = go(&mut governor, -10_000, Cost::REST_READ);
    governor.told(at(-9_900), first, &answered(Answer::Answered));
    for n in 0..200 {
        let ticket = go(&mut governor, n, COMMENT);
        governor.told(at(n), ticket, &answered(Answer::Answered));
    }
}
