//! The bare loop: what anybody would write over tokio-postgres who adds, claims and completes one job at a time, with the rows and the
//! durability of the store. Each caller has a connection of its own and prepares its statements before the clock starts.

use banksman_core::{job::JobWork, manifest::Choice, port::Measured};
use banksman_store::conformance::job_samples::*;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls, Statement, types::ToSql};

const ADD: &str = "WITH new AS (
        INSERT INTO job (id, name, choice, priority, capabilities, created_at, state, not_before)
        VALUES (nextval('job_id'), $1, $2, 2, '{}', $3, 'inbox', $3) RETURNING id
     ), worded AS (
        INSERT INTO job_work (job, work, body, adder, serial) SELECT id, $4::text::json, $5, $6, $7 FROM new
     ), moved AS (
        INSERT INTO move (job, to_stage, at, who, why) SELECT id, 'inbox', $3, $8, 'added' FROM new
     )
     SELECT id FROM new";

const CLAIM: &str = "WITH next AS (
        SELECT id, nextval('attempt_id') AS attempt FROM (
            SELECT j.id FROM job j
            WHERE j.state IN ('inbox', 'waiting') AND j.waits_for = 0 AND j.choice = ANY ($1::text[]) AND j.not_before <= $2
                AND (j.lock IS NULL OR NOT EXISTS (SELECT 1 FROM held_lock h WHERE h.name = j.lock))
                AND (j.repo IS NULL OR j.repo = ANY ($3::text[]))
                AND j.capabilities <@ $4::text[]
            ORDER BY j.priority, j.id LIMIT 1 FOR UPDATE OF j SKIP LOCKED) picked
     ), begun AS (
        INSERT INTO attempt (id, job, engine, holder, started_at, adder, serial)
        SELECT attempt, id, 'claude', $5, $2, $7, attempt FROM next
     ), moved AS (
        INSERT INTO move (job, from_stage, to_stage, at, who, why, attempt)
        SELECT id, 'inbox', 'building', $2, $5, 'claimed', attempt FROM next
     ), j AS (
        UPDATE job SET state = 'building', not_before = NULL, attempt = next.attempt, holder = $5,
            token = job.token + 1, until = $6
        FROM next WHERE job.id = next.id RETURNING job.*
     )
     SELECT j.id, j.attempt, j.token, j.name, w.work FROM j JOIN job_work w ON w.job = j.id";

const COMPLETE: &str = "WITH done AS (
        UPDATE job SET state = 'shipped', ended_at = $4, outcome = $5::text::json, attempt = NULL, holder = NULL,
            until = NULL
        WHERE id = $1 AND attempt = $2 AND token = $3 AND state = 'building' RETURNING id
     ), moved AS (
        INSERT INTO move (job, from_stage, to_stage, at, who, why, attempt)
        SELECT done.id, l.a, l.b, $4, $6, 'passed', $2 FROM done, (VALUES ('building', 'review'), ('review', 'testing'),
            ('testing', 'shipped')) AS l (a, b)
     ), ended AS (
        UPDATE attempt SET ended_at = $4, measured = $7::text::json FROM done WHERE attempt.id = $2
     )
     SELECT id FROM done";

/// One caller.
struct Caller {
    client: Client,
    task: JoinHandle<()>,
    add: Statement,
    claim: Statement,
    complete: Statement,
}

impl Caller {
    async fn connect(url: &str, schema: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let task = tokio::spawn(async move { connection.await.unwrap() });
        let set = format!(
            "SET search_path TO {schema}; SET enable_seqscan TO off; SET enable_bitmapscan TO off; SET enable_hashjoin TO off; SET enable_mergejoin TO off; SET plan_cache_mode TO force_generic_plan; SET jit TO off"
        );
        client.batch_execute(&set).await.unwrap();
        Self {
            add: client.prepare(ADD).await.unwrap(),
            claim: client.prepare(CLAIM).await.unwrap(),
            complete: client.prepare(COMPLETE).await.unwrap(),
            client,
            task,
        }
    }

    async fn close(self) {
        drop(self.client);
        self.task.await.unwrap();
    }
}

/// Adds, each of them acknowledged.
pub(crate) async fn add_at_once(url: &str, schema: &str, callers: u64, count: u64) -> Duration {
    at_once(url, schema, callers, move |caller, number| async move {
        caller.add(number, count / callers).await;
        caller
    })
    .await
}

/// Claims, acknowledged, and completions, restartable.
pub(crate) async fn work_at_once(url: &str, schema: &str, callers: u64, count: u64) -> Duration {
    at_once(url, schema, callers, move |caller, number| async move {
        caller.work(number, count / callers).await;
        caller
    })
    .await
}

impl Caller {
    async fn add(&self, number: u64, times: u64) {
        let work = serde_json::to_string(&JobWork::Manifest(Box::new(spec()))).unwrap();
        let (adder, time, base) = (i64::from(std::process::id()), 1_750_000_010_000_000_000_i64, nonce());
        for time_no in 0..times {
            let serial = base + i64::try_from(number * 1_000_000 + time_no).unwrap();
            let body = b"Do it.\n".as_slice();
            let values: [&(dyn ToSql + Sync); 8] =
                [&"job", &choice(), &time, &work, &body, &adder, &serial, &"host:1:1"];
            self.client.query_one(&self.add, &values).await.unwrap();
        }
    }

    async fn work(&self, number: u64, times: u64) {
        let (engines, none, holder) = (vec![choice()], Vec::<&str>::new(), format!("host:{number}:1"));
        let (now, until, adder) = (1_750_000_020_000_000_000_i64, 1_750_000_080_000_000_000_i64, nonce());
        let outcome = serde_json::to_string(&published()).unwrap();
        let measured = serde_json::to_string(&Measured::default()).unwrap();
        for _ in 0..times {
            let values: [&(dyn ToSql + Sync); 7] = [&engines, &now, &none, &none, &holder, &until, &adder];
            let row = self.client.query_one(&self.claim, &values).await.unwrap();
            let (id, attempt, token): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
            let values: [&(dyn ToSql + Sync); 7] =
                [&id, &attempt, &token, &now, &outcome, &holder, &measured];
            self.client.batch_execute("BEGIN; SET LOCAL synchronous_commit TO OFF").await.unwrap();
            self.client.query_one(&self.complete, &values).await.unwrap();
            self.client.batch_execute("COMMIT").await.unwrap();
        }
    }
}

fn choice() -> String {
    match spec().engine {
        Choice::Engine(engine) => format!("engine:{engine}"),
        Choice::Class(class) => format!("class:{class}"),
    }
}

/// A number that no earlier run had.
fn nonce() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_micros()).unwrap() * 1_000
}

/// Wall time of callers that work at once, without their connecting.
async fn at_once<W: Future<Output = Caller> + Send + 'static>(
    url: &str,
    schema: &str,
    callers: u64,
    work: impl Fn(Caller, u64) -> W,
) -> Duration {
    let mut ready = Vec::new();
    for _ in 0..callers {
        ready.push(Caller::connect(url, schema).await);
    }
    let start = Instant::now();
    let tasks: Vec<_> = (0..).zip(ready).map(|(number, caller)| tokio::spawn(work(caller, number))).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    let elapsed = start.elapsed();
    for caller in done {
        caller.close().await;
    }
    elapsed
}
