//! Claims: the most urgent, then the oldest job that fits the offer, one worker for a job at a time (Q11, Q12).

use super::{job_samples::*, samples::*};
use banksman_core::{
    id::{JobId, Token},
    job::{Held, JobState, Move, Stage, Why},
    manifest::{Choice, JobSpec, Priority},
    port::{Claimed, NewTask, Offer, Store},
    work::FailReason,
};
use futures_util::future::join_all;

/// Priority, then age.
pub async fn the_most_urgent_then_the_oldest_is_claimed(store: &impl Store) {
    let of = |priority| JobSpec { priority, ..spec() };
    let mut ids = Vec::new();
    for (n, priority) in [
        Priority::Low,
        Priority::Normal,
        Priority::Critical,
        Priority::High,
        Priority::Normal,
        Priority::Critical,
    ]
    .into_iter()
    .enumerate()
    {
        ids.push(add(store, &format!("job-{n}"), of(priority)).await);
    }
    let held = lease(store).await;
    ids.push(store.enqueue(&held, &implement(1, "claude")).await.unwrap());
    for place in [2, 5, 3, 1, 4, 6, 0] {
        assert_eq!(claim_id(store, 2, &offer(), at(20)).await, Some(ids[place]));
    }
    assert_eq!(claim_id(store, 2, &offer(), at(20)).await, None);
}

/// The claim, the job, its move and its attempt say the same.
pub async fn a_claim_is_what_the_store_says(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let Claimed { claim, body } = store.claim(&holder(2), &offer(), at(20), TTL).await.unwrap().unwrap();
    assert!(!body.as_str().is_empty() && body.as_str() == store.body(id).await.unwrap().as_str());
    assert_eq!((claim.job.id, &claim.engine, &claim.holder), (id, &engine("claude"), &holder(2)));
    assert_eq!((claim.token, claim.since, claim.until), (Token(1), at(20), at(80)));
    let held = Held { attempt: claim.attempt, holder: holder(2), token: Token(1), until: at(80) };
    assert_eq!(claim.job.state, JobState::Building(held));
    assert_eq!(job(store, id).await, claim.job);
    let moved = Move {
        from: Some(Stage::Inbox),
        to: Stage::Building,
        at: at(20),
        who: holder(2),
        why: Why::Claimed,
        attempt: Some(claim.attempt),
    };
    assert_eq!(store.moves(id).await.unwrap()[1], moved);
    let begun = &store.attempts(id).await.unwrap()[..];
    assert!(
        matches!(begun, [a] if a.attempt == claim.attempt && a.started_at == at(20) && a.ended_at.is_none())
    );
    assert_eq!((&begun[0].engine, &begun[0].holder), (&engine("claude"), &holder(2)));
    assert_eq!(store.claims().await.unwrap(), [claim]);
}

/// Neither the first time nor after a failed attempt; younger ones go on meanwhile.
pub async fn a_job_is_not_claimed_before_its_time(store: &impl Store) {
    let first = add(store, "first", spec()).await;
    let later = add(store, "later", JobSpec { not_before: Some(at(90)), ..spec() }).await;
    assert_eq!(store.next_due(at(20)).await.unwrap(), Some(at(90)));
    let second = add(store, "second", spec()).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    assert_eq!(claimed.job.id, first);
    let failure = record(&claimed, Some(FailReason::NoCommit));
    store.advance(&claimed, again(at(55), FailReason::NoCommit), Some(&failure), at(30)).await.unwrap();
    assert_eq!(store.next_due(at(30)).await.unwrap(), Some(at(55)));
    assert_eq!(claim_id(store, 1, &offer(), at(54)).await, Some(second));
    assert_eq!(claim_id(store, 1, &offer(), at(54)).await, None);
    assert_eq!(claim_id(store, 1, &offer(), at(55)).await, Some(first));
    assert_eq!(claim_id(store, 1, &offer(), at(89)).await, None);
    assert_eq!(store.next_due(at(89)).await.unwrap(), Some(at(90)));
    assert_eq!(claim_id(store, 1, &offer(), at(90)).await, Some(later));
    assert_eq!(store.next_due(at(90)).await.unwrap(), None);
}

/// By name or by class; of a class the first engine on offer runs it.
pub async fn engines_and_classes_have_to_be_on_offer(store: &impl Store) {
    let aider = add(store, "a", JobSpec { engine: Choice::Engine(engine("aider")), ..spec() }).await;
    let shell = add(store, "b", JobSpec { engine: Choice::Class(class("shell")), ..spec() }).await;
    let coder = add(store, "c", JobSpec { engine: Choice::Class(class("agentic-coder")), ..spec() }).await;
    assert_eq!(claim_id(store, 1, &Offer::default(), at(20)).await, None);
    let claimed =
        store.claim(&holder(1), &offer_of(&["codex", "claude"]), at(20), TTL).await.unwrap().unwrap().claim;
    assert_eq!((claimed.job.id, claimed.engine), (coder, engine("codex")));
    assert_eq!(claim_id(store, 1, &offer_of(&["codex", "claude"]), at(20)).await, None);
    let bash = Offer { engines: vec![(engine("bash"), class("shell"))], ..Offer::default() };
    let claimed = store.claim(&holder(1), &bash, at(20), TTL).await.unwrap().unwrap().claim;
    assert_eq!((claimed.job.id, claimed.engine), (shell, engine("bash")));
    // A class is not an engine that has the same name.
    let odd = Offer { engines: vec![(engine("agentic-coder"), class("aider"))], ..Offer::default() };
    assert_eq!(claim_id(store, 1, &odd, at(20)).await, None);
    assert_eq!(claim_id(store, 1, &offer_of(&["aider"]), at(20)).await, Some(aider));
}

/// All of them, however many more are offered.
pub async fn capabilities_have_to_be_on_offer(store: &impl Store) {
    let needs = vec![capability("os:mac"), capability("gpu:a,b")];
    let needy = add(store, "needy", JobSpec { capabilities: needs.clone(), ..spec() }).await;
    let plain = add(store, "plain", spec()).await;
    let with =
        |names: &[&str]| Offer { capabilities: names.iter().map(|n| capability(n)).collect(), ..offer() };
    assert_eq!(claim_id(store, 1, &with(&["os:mac", "gpu:a"]), at(20)).await, Some(plain));
    assert_eq!(claim_id(store, 1, &with(&["os:mac"]), at(20)).await, None);
    assert_eq!(claim_id(store, 1, &offer(), at(20)).await, None);
    assert_eq!(claim_id(store, 1, &with(&["x:1", "gpu:a,b", "os:mac"]), at(20)).await, Some(needy));
}

/// Those without a profile and with another one go on.
pub async fn full_profiles_are_left_out(store: &impl Store) {
    let of = |name: &str| JobSpec { profile: Some(profile(name)), ..spec() };
    let careful = add(store, "a", of("careful")).await;
    let quick = add(store, "b", of("quick")).await;
    let none = add(store, "c", spec()).await;
    let full = Offer { full_profiles: vec![profile("careful"), profile("other")], ..offer() };
    assert_eq!(claim_id(store, 1, &full, at(20)).await, Some(quick));
    assert_eq!(claim_id(store, 1, &full, at(20)).await, Some(none));
    assert_eq!(claim_id(store, 1, &full, at(20)).await, None);
    assert_eq!(claim_id(store, 1, &offer(), at(20)).await, Some(careful));
}

/// A worker does only the tasks of repositories that it looks after; manifests belong to none.
pub async fn tasks_of_other_repositories_are_left_out(store: &impl Store) {
    let other = lease_of(store, &other_repo()).await;
    let elsewhere = NewTask { repo: other_repo(), ..implement(1, "claude") };
    let elsewhere = store.enqueue(&other, &elsewhere).await.unwrap();
    let manifest = add(store, "manifest", spec()).await;
    assert_eq!(claim_id(store, 1, &offer(), at(20)).await, Some(manifest));
    assert_eq!(claim_id(store, 1, &offer(), at(20)).await, None);
    let nowhere = Offer { repos: Vec::new(), ..offer() };
    assert_eq!(claim_id(store, 1, &nowhere, at(20)).await, None);
    let both = Offer { repos: vec![repo(), other_repo()], ..offer() };
    assert_eq!(claim_id(store, 1, &both, at(20)).await, Some(elsewhere));
}

/// However many are held back for whatever reason; the order among the others is the same.
pub async fn a_job_behind_many_that_are_held_back_is_found(store: &impl Store) {
    let urgent = JobSpec { priority: Priority::Critical, ..spec() };
    let holder_of_lock = add(store, "holds", JobSpec { lock: Some(lock("busy")), ..urgent.clone() }).await;
    assert_eq!(claim_id(store, 1, &offer(), at(20)).await, Some(holder_of_lock));
    let batch = (0..50)
        .flat_map(|n| {
            [
                JobSpec { lock: Some(lock("busy")), ..urgent.clone() },
                JobSpec { engine: Choice::Engine(engine("aider")), ..urgent.clone() },
                JobSpec { profile: Some(profile("full")), ..urgent.clone() },
                JobSpec { capabilities: vec![capability("os:mac")], ..urgent.clone() },
                JobSpec { not_before: Some(at(10_000 + n)), ..urgent.clone() },
                JobSpec { depends_on: after(&[holder_of_lock]).depends_on, ..urgent.clone() },
            ]
        })
        .map(|spec| new_job("held-back", spec))
        .collect();
    store.add(batch, &holder(1), at(10)).await.unwrap();
    let full = Offer { full_profiles: vec![profile("full")], ..offer() };
    assert_eq!(claim_id(store, 1, &full, at(20)).await, None);
    let low =
        add(store, "low", JobSpec { priority: Priority::Low, lock: Some(lock("free")), ..spec() }).await;
    let first = add(store, "first", spec()).await;
    let second = add(store, "second", JobSpec { lock: Some(lock("other")), ..spec() }).await;
    let soon = add(store, "soon", JobSpec { not_before: Some(at(30)), ..spec() }).await;
    assert_eq!(claim_id(store, 1, &full, at(20)).await, Some(first));
    assert_eq!(claim_id(store, 1, &full, at(20)).await, Some(second));
    assert_eq!(claim_id(store, 1, &full, at(30)).await, Some(soon));
    assert_eq!(claim_id(store, 1, &full, at(30)).await, Some(low));
    assert_eq!(claim_id(store, 1, &full, at(30)).await, None);
}

/// Until the later of its times; of a class another engine takes its place; whoever waits is told when.
pub async fn an_engine_that_cools_down_is_left_out(store: &impl Store) {
    let claude = add(store, "claude", spec()).await;
    let coder =
        add(store, "coder", JobSpec { engine: Choice::Class(class("agentic-coder")), ..spec() }).await;
    store.cool_down(&engine("claude"), at(100)).await.unwrap();
    store.cool_down(&engine("claude"), at(60)).await.unwrap();
    store.cool_down(&engine("aider"), at(40)).await.unwrap();
    let resting = [(engine("aider"), at(40)), (engine("claude"), at(100))];
    assert_eq!(store.cooling(at(20)).await.unwrap(), resting);
    assert_eq!(store.cooling(at(40)).await.unwrap(), resting[1..]);
    assert_eq!(store.next_due(at(50)).await.unwrap(), Some(at(100)));
    let claimed = claim(store, 1, at(50)).await.unwrap();
    assert_eq!((claimed.job.id, claimed.engine), (coder, engine("codex")));
    assert_eq!(claim_id(store, 1, &offer(), at(99)).await, None);
    assert_eq!(claim_id(store, 1, &offer(), at(100)).await, Some(claude));
    assert_eq!(store.cooling(at(100)).await.unwrap(), []);
    assert_eq!(store.next_due(at(100)).await.unwrap(), None);
}

/// Whatever came between them.
pub async fn tokens_grow_with_each_claim(store: &impl Store) {
    add(store, "job", spec()).await;
    for round in 1..=3 {
        let now = at(100 * round);
        let claimed = claim(store, 1, now).await.unwrap();
        assert_eq!(claimed.token, Token(u64::try_from(round).unwrap()));
        if round == 1 {
            let failure = record(&claimed, Some(FailReason::Stale));
            store.advance(&claimed, again(now, FailReason::Stale), Some(&failure), now).await.unwrap();
        } else {
            assert!(store.lose(&claimed, &holder(2), now).await.unwrap());
        }
    }
}

/// The race for one job has one winner.
pub async fn a_job_goes_to_one_of_many_workers(store: &impl Store) {
    for n in 1..=5 {
        add(store, &format!("job-{n}"), spec()).await;
    }
    let claims = join_all((1..=16).map(|by| claim(store, by, at(20)))).await;
    let mut won: Vec<JobId> = claims.iter().flatten().map(|c| c.job.id).collect();
    assert_eq!(won.len(), 5);
    won.sort_unstable();
    won.dedup();
    assert_eq!(won.len(), 5);
    let mut attempts: Vec<_> = claims.iter().flatten().map(|c| c.attempt).collect();
    attempts.sort_unstable();
    attempts.dedup();
    assert_eq!(attempts.len(), 5);
}

/// Oldest first, those of cancelled jobs too, until their worker lets go.
pub async fn claims_are_listed_as_long_as_they_hold_something(store: &impl Store) {
    for n in 1..=4 {
        add(store, &format!("job-{n}"), locked(&format!("lock-{n}"))).await;
    }
    assert_eq!(store.claims().await.unwrap(), []);
    let mut claims = Vec::new();
    for by in 1..=4 {
        claims.push(claim(store, by, at(20)).await.unwrap());
    }
    assert_eq!(store.claims().await.unwrap(), claims);
    ship(store, &claims[0], at(30)).await;
    store.lose(&claims[1], &holder(9), at(30)).await.unwrap();
    store.cancel(claims[2].job.id, &holder(9), at(30)).await.unwrap();
    store.renew(&claims[3], at(30), TTL).await.unwrap();
    let left = store.claims().await.unwrap();
    assert_eq!(left.iter().map(|c| c.attempt).collect::<Vec<_>>(), [claims[2].attempt, claims[3].attempt]);
    assert_eq!((&left[0].job.state, left[0].until), (&JobState::Cancelled { at: at(30) }, at(80)));
    assert_eq!((left[1].until, left[1].job.state.held().unwrap().until), (at(90), at(90)));
    store.let_go(&claims[2], None, at(31)).await.unwrap();
    assert_eq!(store.claims().await.unwrap().len(), 1);
}
