//! The books of the budget (B1 to B5, B13): quotas hold, nothing is lost, each slot runs once.

use super::samples::*;
use banksman_core::{
    budget::{Account, Charge, Cost, Held, Limit, PlanDay, Span, Unit},
    id::Number,
    intent::NewIntent,
    port::{
        Budget, Intended, LedgerState, Refusal, Spend, Store, StoreError,
        budget::{NewLedgerLine, RunTaken, Shares, SpendReserved, SpendWish},
    },
    text::{MemberName, ProviderName, ScheduleName},
};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp, civil::Date};

/// The window of the samples: the first hour.
fn hour() -> Span {
    Span { start: at(0), end: at(3600) }
}

fn member(name: &str) -> MemberName {
    MemberName::new(name).unwrap()
}

fn provider() -> ProviderName {
    ProviderName::new("jules").unwrap()
}

/// A charge of one task on these members' quotas in a window.
fn charge_in(span: Span, quotas: &[(&str, u64)]) -> Charge {
    let accounts = quotas.iter().map(|(name, most)| Account {
        member: member(name),
        limits: vec![Limit { unit: Unit::Tasks, most: *most, span }],
    });
    Charge { provider: provider(), cost: Cost::TASK, accounts: accounts.collect() }
}

fn charge(quotas: &[(&str, u64)]) -> Charge {
    charge_in(hour(), quotas)
}

fn wish(key: &str, charge: Charge) -> SpendWish {
    SpendWish {
        key: key.to_owned(),
        holder: holder(1),
        at: at(10),
        repo: repo(),
        issue: Number(1),
        implementer: engine("jules"),
        epic: Some(Number(9)),
        charge,
        day: None,
    }
}

fn line(key: &str, time: Timestamp, tasks: u32) -> NewLedgerLine {
    NewLedgerLine {
        key: key.to_owned(),
        at: time,
        repo: repo(),
        issue: Number(29),
        implementer: engine("jules"),
        provider: provider(),
        epic: None,
        member: None,
        cost: Cost { tasks, ..Cost::default() },
    }
}

fn schedule() -> ScheduleName {
    ScheduleName::new("morning").unwrap()
}

fn day() -> PlanDay {
    PlanDay { date: Date::constant(2026, 2, 5), span: hour() }
}

/// Whether it is held back by the pool.
fn is_full(reserved: &SpendReserved) -> bool {
    matches!(reserved, SpendReserved::Held(Held::Pool { .. }))
}

/// Reserved, then settled or released, each found by its key and each only once.
pub async fn a_reservation_is_ended_once_by_its_key<S: Store + Budget>(store: &S) {
    let quotas = [("ann", 2)];
    assert_eq!(store.reserve_spend(&wish("a", charge(&quotas))).await, Ok(SpendReserved::New(member("ann"))));
    let again = store.reserve_spend(&wish("a", charge(&quotas))).await;
    assert_eq!(again, Ok(SpendReserved::Known(LedgerState::Reserved)));
    store.reserve_spend(&wish("b", charge(&quotas))).await.unwrap();
    assert!(is_full(&store.reserve_spend(&wish("c", charge(&quotas))).await.unwrap()));
    let open: Vec<String> = store.open_spends().await.unwrap().into_iter().map(|open| open.key).collect();
    assert_eq!(open, ["a", "b"]);
    assert_eq!(store.open_spends().await.unwrap()[0].holder, holder(1));

    store.settle_spend("a", None).await.unwrap();
    store.settle_spend("a", None).await.unwrap();
    store.release_spend("b").await.unwrap();
    store.release_spend("b").await.unwrap();
    assert!(matches!(store.release_spend("a").await, Err(StoreError::Missing(_))));
    assert!(matches!(store.settle_spend("b", None).await, Err(StoreError::Missing(_))));
    assert!(matches!(store.settle_spend("z", None).await, Err(StoreError::Missing(_))));
    assert_eq!(store.open_spends().await.unwrap(), []);
    assert_eq!(store.reserve_spend(&wish("c", charge(&quotas))).await, Ok(SpendReserved::New(member("ann"))));
    let used = store.used(&provider(), hour()).await.unwrap();
    assert_eq!(used.len(), 1);
    assert_eq!((used[0].reserved, used[0].settled), (Cost::TASK, Cost::TASK));
}

/// What it cost in the end takes the place of what was reserved.
pub async fn a_settled_spend_may_cost_less_than_was_reserved<S: Store + Budget>(store: &S) {
    let reserved = Cost { tasks: 1, money: 200, tokens: 9_000 };
    let limit = Limit { unit: Unit::Money, most: 300, span: hour() };
    let account = Account { member: member("ann"), limits: vec![limit] };
    let charge = Charge { provider: provider(), cost: reserved, accounts: vec![account] };
    store.reserve_spend(&wish("a", charge.clone())).await.unwrap();
    assert!(is_full(&store.reserve_spend(&wish("b", charge.clone())).await.unwrap()));
    let cost = Cost { tasks: 1, money: 80, tokens: 4_000 };
    store.settle_spend("a", Some(cost)).await.unwrap();
    assert_eq!(store.used(&provider(), hour()).await.unwrap()[0].settled, cost);
    assert_eq!(store.usage(&charge).await.unwrap().used, [[80]]);
    assert_eq!(store.reserve_spend(&wish("b", charge)).await, Ok(SpendReserved::New(member("ann"))));
    let entry = &store.ledger(&repo()).await.unwrap()[0];
    assert_eq!((entry.cost, entry.money, entry.tokens), (1, Some(80), Some(4_000)));
}

/// Overspend: 0, whether they reserve by key or with the intent of a dispatch, in one repository or in several.
pub async fn sixteen_at_once_do_not_pass_the_pool<S: Store + Budget>(store: &S) {
    let leases = [lease(store).await, lease_of(store, &other_repo()).await];
    let quotas = [("ann", 3), ("bob", 2)];
    let wishes: Vec<SpendWish> = (0..8).map(|n| wish(&format!("k{n}"), charge(&quotas))).collect();
    let cost = Spend { implementer: engine("jules"), charge: Some(charge(&quotas)), ..spend(None) };
    let intents: Vec<_> = (0..8usize)
        .map(|n| {
            let lease = &leases[n % 2];
            (lease, NewIntent { repo: lease.repo.clone(), ..dispatch(n as u64 + 1) })
        })
        .collect();
    let by_key = join_all(wishes.iter().map(|wish| store.reserve_spend(wish)));
    let by_intent = join_all(intents.iter().map(|(lease, intent)| store.intend(lease, intent, Some(&cost))));
    let (by_key, by_intent) = futures_util::future::join(by_key, by_intent).await;
    let made = by_key.iter().filter(|r| matches!(r, Ok(SpendReserved::New(_)))).count()
        + by_intent.iter().filter(|r| matches!(r, Ok(Intended::New(_)))).count();
    let held = by_key.iter().filter(|r| r.as_ref().is_ok_and(is_full)).count()
        + by_intent.iter().filter(|r| matches!(r, Ok(Intended::OverBudget(Held::Pool { .. })))).count();
    assert_eq!((made, held), (5, 11));
    assert_eq!(store.usage(&charge(&quotas)).await.unwrap().used, [[3], [2]]);
}

/// With its refusal; the next one takes its room, in another repository too.
pub async fn a_refused_dispatch_frees_the_pool<S: Store + Budget>(store: &S) {
    let leases = [lease(store).await, lease_of(store, &other_repo()).await];
    let cost = Spend { charge: Some(charge(&[("ann", 1)])), ..spend(None) };
    assert!(matches!(store.intend(&leases[0], &dispatch(1), Some(&cost)).await, Ok(Intended::New(_))));
    let entry = &store.ledger(&repo()).await.unwrap()[0];
    assert_eq!((entry.member.clone(), entry.provider.clone()), (Some(member("ann")), provider()));
    let elsewhere = NewIntent { repo: other_repo(), ..dispatch(1) };
    let held = store.intend(&leases[1], &elsewhere, Some(&cost)).await;
    assert_eq!(held, Ok(Intended::OverBudget(Held::Pool { until: at(3600) })));
    assert_eq!(store.intents(&other_repo()).await.unwrap(), []);
    store.settle(&leases[0], &dispatch(1).key, Some(Refusal::NotAllowed), at(20)).await.unwrap();
    assert!(matches!(store.intend(&leases[1], &elsewhere, Some(&cost)).await, Ok(Intended::New(_))));
}

/// Nothing is lost; new ones are refused until the next window.
pub async fn a_quota_lowered_below_what_is_used_refuses_the_next<S: Store + Budget>(store: &S) {
    for n in 0..5 {
        store.reserve_spend(&wish(&format!("k{n}"), charge(&[("ann", 5)]))).await.unwrap();
    }
    let lower = charge(&[("ann", 2)]);
    assert_eq!(
        store.reserve_spend(&wish("more", lower.clone())).await,
        Ok(SpendReserved::Held(Held::Pool { until: at(3600) }))
    );
    store.release_spend("k0").await.unwrap();
    assert!(is_full(&store.reserve_spend(&wish("more", lower)).await.unwrap()));
    assert_eq!(store.ledger_between(at(0), at(3600)).await.unwrap().len(), 4);
    let nobody = store.reserve_spend(&wish("nobody", charge(&[]))).await;
    assert_eq!(nobody, Ok(SpendReserved::Held(Held::NoQuota)));
}

/// What was not used is gone (B5), what was used before does not count.
pub async fn each_window_begins_anew<S: Store + Budget>(store: &S) {
    store.reserve_spend(&wish("a", charge(&[("ann", 1)]))).await.unwrap();
    let next = charge_in(Span { start: at(3600), end: at(7200) }, &[("ann", 1)]);
    let later = SpendWish { at: at(3600), ..wish("b", next.clone()) };
    assert_eq!(store.reserve_spend(&later).await, Ok(SpendReserved::New(member("ann"))));
    assert!(is_full(&store.reserve_spend(&SpendWish { at: at(3601), ..wish("c", next) }).await.unwrap()));
}

/// A clock that ran ahead over the reset, or was put back over it, spends no window twice.
pub async fn a_clock_that_jumps_over_a_reset_spends_nothing_twice<S: Store + Budget>(store: &S) {
    let next = charge_in(Span { start: at(3600), end: at(7200) }, &[("ann", 2)]);
    // Ahead: written into the next hour, and counted in this one when the clock is right again.
    store.reserve_spend(&SpendWish { at: at(3700), ..wish("ahead", next.clone()) }).await.unwrap();
    assert_eq!(
        store.reserve_spend(&SpendWish { at: at(100), ..wish("right", charge(&[("ann", 2)])) }).await,
        Ok(SpendReserved::New(member("ann")))
    );
    assert!(is_full(&store.reserve_spend(&wish("third", charge(&[("ann", 2)]))).await.unwrap()));
    // Put back: what is written then counts no earlier than what was there, so in the next hour too.
    assert!(is_full(
        &store.reserve_spend(&SpendWish { at: at(3800), ..wish("fourth", next) }).await.unwrap()
    ));
}

/// They count for the pool, and come off what all members have together.
pub async fn lines_written_by_hand_count_and_are_written_once<S: Store + Budget>(store: &S) {
    let lines = vec![line("x", at(5), 1), line("y", at(6), 2)];
    assert_eq!(store.append_ledger(lines.clone()).await, Ok(2));
    assert_eq!(store.append_ledger(vec![lines[0].clone(), line("z", at(7), 1)]).await, Ok(1));
    let entries = store.ledger_between(at(5), at(7)).await.unwrap();
    assert_eq!(entries.iter().map(|e| (e.cost, e.epic)).collect::<Vec<_>>(), [(1, None), (2, None)]);
    assert_eq!(entries[0].state, LedgerState::Settled);
    let quotas = [("ann", 3), ("bob", 2)];
    assert_eq!(store.usage(&charge(&quotas)).await.unwrap().strays, [[4], [4]]);
    assert_eq!(store.reserve_spend(&wish("a", charge(&quotas))).await, Ok(SpendReserved::New(member("ann"))));
    assert!(is_full(&store.reserve_spend(&wish("b", charge(&quotas))).await.unwrap()));
    assert_eq!(store.repos().await.unwrap(), []);
}

/// A member's own limits in several windows hold together, as do two members of different windows.
pub async fn every_window_of_a_member_holds<S: Store + Budget>(store: &S) {
    let week = Span { start: at(-86_400), end: at(86_400) };
    let limits = vec![
        Limit { unit: Unit::Tasks, most: 5, span: hour() },
        Limit { unit: Unit::Tasks, most: 2, span: week },
    ];
    let account = Account { member: member("ann"), limits };
    let charge = Charge { provider: provider(), cost: Cost::TASK, accounts: vec![account] };
    let before = SpendWish { at: at(-60), ..wish("before", charge_in(week, &[("ann", 9)])) };
    store.reserve_spend(&before).await.unwrap();
    assert_eq!(store.usage(&charge).await.unwrap().used, [[0, 1]]);
    assert!(matches!(store.reserve_spend(&wish("a", charge.clone())).await, Ok(SpendReserved::New(_))));
    assert!(is_full(&store.reserve_spend(&wish("b", charge)).await.unwrap()));
}

/// No repository gets more than its share of the day; one that is not named gets none; without a plan nothing is held back by it.
pub async fn the_plan_of_a_day_is_kept<S: Store + Budget>(store: &S) {
    let lease = lease(store).await;
    let planned = Spend { day: Some(day()), ..spend(None) };
    assert_eq!(store.allocation(day().date).await, Ok(None));
    assert!(matches!(store.intend(&lease, &dispatch(1), Some(&planned)).await, Ok(Intended::New(_))));
    let shares: Shares = [(repo(), 2)].into();
    store.set_allocation(day().date, &shares, at(1)).await.unwrap();
    assert_eq!(store.allocation(day().date).await, Ok(Some(shares)));
    assert!(matches!(store.intend(&lease, &dispatch(2), Some(&planned)).await, Ok(Intended::New(_))));
    let held = Held::Plan { until: at(3600) };
    assert_eq!(store.intend(&lease, &dispatch(3), Some(&planned)).await, Ok(Intended::OverBudget(held)));
    let by_key = SpendWish { day: Some(day()), repo: other_repo(), ..wish("a", charge(&[("ann", 9)])) };
    assert_eq!(store.reserve_spend(&by_key).await, Ok(SpendReserved::Held(held)));
    // The plan is made anew.
    store.set_allocation(day().date, &[(repo(), 3), (other_repo(), 1)].into(), at(2)).await.unwrap();
    assert!(matches!(store.intend(&lease, &dispatch(3), Some(&planned)).await, Ok(Intended::New(_))));
    assert!(matches!(store.reserve_spend(&by_key).await, Ok(SpendReserved::New(_))));
}

/// By whoever comes first; by another one when that one is cut off; never again once it ended.
pub async fn a_slot_is_run_once<S: Store + Budget>(store: &S) {
    let (name, ten) = (schedule(), SignedDuration::from_mins(10));
    assert_eq!(store.last_run(&name).await, Ok(None));
    let slot = at(100);
    let taken = store.take_run(&name, slot, &holder(1), at(101), at(101) + ten).await;
    assert_eq!(taken, Ok(RunTaken::Yes(1)));
    let other = store.take_run(&name, slot, &holder(2), at(102), at(102) + ten).await;
    assert_eq!(other, Ok(RunTaken::Elsewhere));
    // The first one died.
    let other = store.take_run(&name, slot, &holder(2), at(101) + ten, at(101) + ten + ten).await;
    assert_eq!(other, Ok(RunTaken::Yes(2)));
    assert_eq!(store.end_run(&name, slot, &holder(1), at(900)).await, Err(StoreError::Fenced));
    store.end_run(&name, slot, &holder(2), at(901)).await.unwrap();
    store.end_run(&name, slot, &holder(2), at(902)).await.unwrap();
    let late = store.take_run(&name, slot, &holder(3), at(90_000), at(90_600)).await;
    assert_eq!(late, Ok(RunTaken::Done));
    let next = store.take_run(&name, at(200), &holder(3), at(90_000), at(90_600)).await;
    assert_eq!(next, Ok(RunTaken::Yes(1)));
    let last = store.last_run(&name).await.unwrap().unwrap();
    assert_eq!((last.slot, last.ended_at, last.tries), (at(200), None, 1));
    assert_eq!(store.last_run(&ScheduleName::new("evening").unwrap()).await, Ok(None));
}

/// Sixteen processes, one run.
pub async fn a_slot_goes_to_one_of_many<S: Store + Budget>(store: &S) {
    let name = schedule();
    let holders: Vec<_> = (1..=16).map(holder).collect();
    let takes = holders.iter().map(|who| store.take_run(&name, at(100), who, at(101), at(701)));
    let taken = join_all(takes).await;
    assert_eq!(taken.iter().filter(|t| **t == Ok(RunTaken::Yes(1))).count(), 1);
    assert_eq!(taken.iter().filter(|t| **t == Ok(RunTaken::Elsewhere)).count(), 15);
}
