//! Random histories of jobs: whatever workers, people, clocks and deaths do, the store answers as the model does: who is next,
//! which writes are fenced (I8), what waits and what fails with what, and every job goes along the graph only (I6).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod model;

use banksman_core::{
    id::Token,
    job::{Held, JobEvent, Move, Stage, Why},
    manifest::{Choice, Dependency, JobSpec, Priority},
    port::{AddError, Added, Cancelled, Claim, JobFilter, NewJob, Queue, Retried, StoreError},
    work::FailReason,
};
use banksman_store::{
    SqliteStore,
    conformance::{job_samples::*, samples::*},
};
use jiff::Timestamp;
use model::{Answer, Model, ModelClaim, Wish, id, name_of};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// One thing that happens. Claims and jobs are counted in the order in which they were made.
#[derive(Debug, Clone)]
enum Event {
    Add(Wish),
    Claim { by: u32, engines: Vec<&'static str> },
    Renew { claim: usize },
    Built { claim: usize },
    Ship { claim: usize },
    Fail { claim: usize },
    Again { claim: usize, pause: i64 },
    LetGo { claim: usize },
    Lose { claim: usize },
    Cancel { job: usize },
    Retry { job: usize },
    Rest { engine: &'static str, seconds: i64 },
    Wait { seconds: i64 },
}

fn wish() -> impl Strategy<Value = Wish> {
    let priority = select(&[Priority::Critical, Priority::High, Priority::Normal, Priority::Low][..]);
    let engine = select(&["claude", "codex"][..]);
    (
        option::of(0..6_u8),
        vec(0..12_usize, 0..3),
        vec(0..6_u8, 0..2),
        option::of(0..3_u8),
        priority,
        engine,
        prop_oneof![3 => Just(0_i64), 1 => 100..400_i64],
    )
        .prop_map(|(key, after_jobs, after_keys, lock, priority, engine, delay)| Wish {
            key,
            after_jobs,
            after_keys,
            lock,
            priority,
            engine,
            delay,
        })
}

fn event() -> impl Strategy<Value = Event> {
    let claim = || 0..16_usize;
    prop_oneof![
        6 => wish().prop_map(Event::Add),
        6 => (2..5_u32, select(vec![vec!["claude", "codex"], vec!["codex"], vec![]]))
            .prop_map(|(by, engines)| Event::Claim { by, engines }),
        1 => claim().prop_map(|claim| Event::Renew { claim }),
        1 => claim().prop_map(|claim| Event::Built { claim }),
        3 => claim().prop_map(|claim| Event::Ship { claim }),
        1 => claim().prop_map(|claim| Event::Fail { claim }),
        1 => (claim(), 0..60_i64).prop_map(|(claim, pause)| Event::Again { claim, pause }),
        1 => claim().prop_map(|claim| Event::LetGo { claim }),
        1 => claim().prop_map(|claim| Event::Lose { claim }),
        1 => (0..12_usize).prop_map(|job| Event::Cancel { job }),
        1 => (0..12_usize).prop_map(|job| Event::Retry { job }),
        1 => (select(&["claude", "codex"][..]), 0..60_i64)
            .prop_map(|(engine, seconds)| Event::Rest { engine, seconds }),
        2 => (1..90_i64).prop_map(|seconds| Event::Wait { seconds }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_answers_as_the_model_does(events in vec(event(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(tell(events));
    }
}

async fn tell(events: Vec<Event>) {
    let dir = tempfile::tempdir().unwrap();
    let mut story = Story {
        store: SqliteStore::open(&dir.path().join("store.db")).unwrap(),
        model: Model::default(),
        claims: Vec::new(),
    };
    let mut seconds = 100;
    for event in events {
        if let Event::Wait { seconds: more } = event {
            seconds += more;
        } else {
            story.happens(event, at(seconds)).await;
            story.compare().await;
        }
    }
    for place in 0..story.model.jobs.len() {
        is_a_way(&story.store.moves(id(place)).await.unwrap());
    }
}

/// The store and the model side by side.
struct Story {
    store: SqliteStore,
    model: Model,
    claims: Vec<Claim>,
}

impl Story {
    async fn happens(&mut self, event: Event, now: Timestamp) {
        let record_of = |claim: &Claim, failed: bool| record(claim, failed.then_some(FailReason::NoCommit));
        match event {
            Event::Add(wish) => self.add(wish, now).await,
            Event::Claim { by, engines } => self.claim(by, &engines, now).await,
            Event::Renew { claim } => {
                let Some((claim, model)) = self.pick(claim) else { return };
                let expected =
                    if self.model.is_current(&model) { Ok(at(0)) } else { Err(StoreError::Fenced) };
                let answer = self.store.renew(&claim, now, TTL).await;
                assert_eq!(answer.clone().map(|_| at(0)), expected);
                if let Ok(until) = answer {
                    self.until(&model, until);
                }
            }
            Event::Built { claim } => self.advance(claim, vec![JobEvent::Built], None, now).await,
            Event::Ship { claim } => self.advance(claim, ships(now), Some(false), now).await,
            Event::Fail { claim } => {
                self.advance(claim, fails(now, FailReason::NoCommit), Some(true), now).await;
            }
            Event::Again { claim, pause } => {
                let until = now + jiff::SignedDuration::from_secs(pause);
                self.advance(claim, again(until, FailReason::NoCommit), Some(true), now).await;
            }
            Event::LetGo { claim } => {
                let Some((claim, model)) = self.pick(claim) else { return };
                self.store.let_go(&claim, Some(&record_of(&claim, false)), now).await.unwrap();
                if self.model.jobs[model.job].state.stage() == Stage::Cancelled {
                    self.release(&model);
                }
            }
            Event::Lose { claim } => self.lose(claim, now).await,
            Event::Cancel { job } => self.cancel(job, now).await,
            Event::Retry { job } => self.retry(job, now).await,
            Event::Rest { engine: name, seconds } => {
                let until = now + jiff::SignedDuration::from_secs(seconds);
                self.store.cool_down(&engine(name), until).await.unwrap();
                self.model.rest(name, until);
            }
            Event::Wait { .. } => {}
        }
    }

    async fn add(&mut self, mut wish: Wish, now: Timestamp) {
        let there = self.model.jobs.len();
        wish.after_jobs.retain(|place| *place < there);
        wish.after_jobs.sort_unstable();
        wish.after_jobs.dedup();
        let ids = wish.after_jobs.iter().map(|place| Dependency::Id(id(*place)));
        let spec = JobSpec {
            depends_on: ids.chain(wish.after_keys.iter().map(|k| Dependency::Key(name_of(*k)))).collect(),
            lock: wish.lock.map(|n| lock(&format!("lock{n}"))),
            priority: wish.priority,
            engine: Choice::Engine(engine(wish.engine)),
            not_before: (wish.delay > 0).then(|| at(wish.delay)),
            ..spec()
        };
        let new = NewJob { key: wish.key.map(name_of), ..new_job("job", spec) };
        let answer = match self.store.add(vec![new], &holder(1), now).await {
            Ok(added) => match added[..] {
                [Added::New(id)] => Answer::New(id.0 as usize - 1),
                [Added::Exists(id)] => Answer::Exists(id.0 as usize - 1),
                _ => panic!("{added:?}"),
            },
            Err(AddError::Cycle(_)) => Answer::Circle,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(answer, self.model.add(&wish, now));
    }

    async fn claim(&mut self, by: u32, engines: &[&'static str], now: Timestamp) {
        let answer = self.store.claim(&holder(by), &offer_of(engines), now, TTL).await.unwrap();
        let answer = answer.map(|claimed| claimed.claim);
        let next = self.model.next(engines, now);
        assert_eq!(answer.as_ref().map(|claim| claim.job.id), next.map(id));
        let (Some(claim), Some(place)) = (answer, next) else { return };
        let job = &mut self.model.jobs[place];
        job.token += 1;
        let token = job.token;
        assert_eq!(claim.token, Token(token), "tokens count the claims of a job");
        let held =
            Held { attempt: claim.attempt, holder: holder(by), token: Token(token), until: claim.until };
        self.model.step(place, JobEvent::Claimed(held), now);
        self.model.claims.push(ModelClaim { job: place, token, until: claim.until, holds: true });
        self.claims.push(claim);
    }

    /// With the claim as the worker has it, which may be an old one.
    async fn advance(&mut self, claim: usize, events: Vec<JobEvent>, end: Option<bool>, now: Timestamp) {
        let Some((claim, model)) = self.pick(claim) else { return };
        let end = end.map(|failed| record(&claim, failed.then_some(FailReason::NoCommit)));
        let counted = matches!(events.last(), Some(JobEvent::Again { .. } | JobEvent::Failed { .. }));
        let in_building = claim.job.state.stage() == Stage::Building;
        let answer = self.store.advance(&claim, events.clone(), end.as_ref(), now).await;
        if claim.job.state.held().is_some() && !in_building && matches!(events[0], JobEvent::Built) {
            assert!(matches!(answer, Err(StoreError::Missing(_))), "{answer:?}");
            return;
        }
        if !self.model.is_current(&model) {
            assert_eq!(answer, Err(StoreError::Fenced));
            return;
        }
        for event in events {
            self.model.step(model.job, event, now);
        }
        self.model.jobs[model.job].failures += u32::from(counted);
        let place = self.claims.iter().position(|c| c.attempt == claim.attempt).unwrap();
        self.claims[place] = answer.unwrap();
    }

    async fn lose(&mut self, claim: usize, now: Timestamp) {
        let Some((claim, model)) = self.pick(claim) else { return };
        let expected = model.holds && claim.until == model.until;
        assert_eq!(self.store.lose(&claim, &holder(9), now).await.unwrap(), expected);
        if expected {
            if self.model.is_current(&model) {
                self.model.jobs[model.job].losses += 1;
                self.model.step(model.job, JobEvent::Again { not_before: now, why: Why::Lost }, now);
            }
            self.release(&model);
        }
    }

    async fn cancel(&mut self, place: usize, now: Timestamp) {
        let Some(job) = self.model.jobs.get(place) else { return };
        let expected = match &job.state {
            state if state.is_final() => Cancelled::Ended(state.stage()),
            state if state.is_waiting() => Cancelled::Now,
            _ => Cancelled::WhileRunning,
        };
        assert_eq!(self.store.cancel(id(place), &holder(9), now).await.unwrap(), expected);
        if !matches!(expected, Cancelled::Ended(_)) {
            self.model.step(place, JobEvent::Cancelled { at: now }, now);
        }
    }

    async fn retry(&mut self, place: usize, now: Timestamp) {
        if place >= self.model.jobs.len() {
            return;
        }
        let answer = self.store.retry(id(place), &holder(9), now).await.unwrap();
        let new = match answer {
            Retried::As(id) => Some(id.0 as usize - 1),
            Retried::Already(_) | Retried::NotEnded(_) => None,
        };
        assert_eq!(new, self.model.retry(place, now));
    }

    fn pick(&self, claim: usize) -> Option<(Claim, ModelClaim)> {
        Some((self.claims.get(claim)?.clone(), self.model.claims.get(claim)?.clone()))
    }

    fn release(&mut self, claim: &ModelClaim) {
        let same = |c: &&mut ModelClaim| c.job == claim.job && c.token == claim.token;
        self.model.claims.iter_mut().filter(same).for_each(|c| c.holds = false);
    }

    fn until(&mut self, claim: &ModelClaim, until: Timestamp) {
        let same = |c: &&mut ModelClaim| c.job == claim.job && c.token == claim.token;
        self.model.claims.iter_mut().filter(same).for_each(|c| c.until = until);
        let state = &mut self.model.jobs[claim.job].state;
        if let banksman_core::job::JobState::Building(held)
        | banksman_core::job::JobState::Review(held)
        | banksman_core::job::JobState::Testing(held) = state
        {
            held.until = until;
        }
    }

    async fn compare(&self) {
        let jobs = self.store.jobs(&JobFilter::Stages(Stage::ALL.to_vec(), 1_000)).await.unwrap();
        assert_eq!(jobs.len(), self.model.jobs.len());
        jobs.iter().for_each(|job| self.model.check(job));
        let held: Vec<_> = self.store.claims().await.unwrap();
        let held: Vec<_> = held.iter().map(|c| (c.job.id, c.token.0, c.until)).collect();
        let expected: Vec<_> = self.model.claims.iter().filter(|c| c.holds).collect();
        assert_eq!(held, expected.iter().map(|c| (id(c.job), c.token, c.until)).collect::<Vec<_>>());
    }
}

/// Begins in the inbox, leaves each stage for one that the graph has, and ends once.
fn is_a_way(moves: &[Move]) {
    use Stage::{Building, Cancelled, Failed, Inbox, Review, Shipped, Testing};
    assert_eq!((moves[0].from, moves[0].to, moves[0].why), (None, Inbox, Why::Added));
    for pair in moves.windows(2) {
        let (from, to) = (pair[0].to, pair[1].to);
        assert_eq!(pair[1].from, Some(from));
        let exists = match from {
            Inbox => matches!(to, Building | Failed | Cancelled),
            Building => matches!(to, Building | Review | Failed | Cancelled),
            Review => matches!(to, Building | Testing | Failed | Cancelled),
            Testing => matches!(to, Building | Shipped | Failed | Cancelled),
            Shipped | Failed | Cancelled => false,
        };
        assert!(exists, "{from:?} -> {to:?}");
    }
}
