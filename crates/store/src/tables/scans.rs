//! Every statement of the queue finds its rows by an index: none walks a table that grows with the jobs, and none of those that
//! run often makes a table of its own. The statements are those that the functions really run.

use super::{
    adds::{self, Incoming},
    attempts, cancels,
    candidates::{self, Offered},
    claims, cooldowns, dependencies, echoes, jobs, leases, moves,
    steps::Course,
};
use crate::{
    STORE,
    conformance::{job_samples::*, samples::*},
    sqlite::Tx,
};
use banksman_core::{
    id::{JobId, Number},
    job::{JobEvent, Stage},
    manifest::{Dependency, JobSpec},
    port::{Added, Claim, EchoRecord, JobFilter, TaskFilter},
    work::FailReason,
};
use rusqlite::{
    Connection,
    trace::{TraceEvent, TraceEventCodes},
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// What a plan may walk: what is held, which is little; those who wait, in their order and with a limit; numbers, from an index
/// alone; what the statement itself makes.
const MAY_BE_WALKED: &[&str] = &[
    "SCAN claim",
    "SCAN j USING INDEX job_waiting",
    "SCAN job USING INDEX job_waiting",
    "SCAN job USING COVERING INDEX job_waiting",
    "SCAN job USING COVERING INDEX job_by_stage",
    "SCAN cooldown",
    "SCAN line",
    "SCAN c VIRTUAL TABLE",
    "SCAN CONSTANT ROW",
];

#[test]
fn no_statement_of_the_queue_walks_a_table_that_grows() {
    let dir = tempfile::tempdir().unwrap();
    let mut db = Connection::open(dir.path().join("store.db")).unwrap();
    for migration in STORE.migrations {
        db.execute_batch(migration).unwrap();
    }
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let noted = Arc::clone(&seen);
    db.trace_v2(
        TraceEventCodes::SQLITE_TRACE_STMT,
        Some(move |event: TraceEvent<'_>| {
            if let TraceEvent::Stmt(statement, _) = event {
                noted.lock().unwrap().insert(statement.sql().to_string());
            }
        }),
    )
    .unwrap();
    let tx = Tx::over(&db);
    write(&tx);
    read(&db);
    let statements = seen.lock().unwrap().clone();
    assert!(statements.len() > 40, "{} statements", statements.len());
    for sql in statements {
        makes_no_table(&db, &sql);
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = explain.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            let walks = step.starts_with("SCAN") && !MAY_BE_WALKED.iter().any(|may| step.starts_with(may));
            assert!(!walks, "{step}\n{sql}");
        }
    }
}

/// A constraint with a list of words would make a table of them each time that a row is written.
fn makes_no_table(db: &Connection, sql: &str) {
    if ![
        "INSERT INTO job",
        "INSERT INTO attempt",
        "INSERT INTO move",
        "INSERT INTO claim",
        "UPDATE job SET stage",
    ]
    .iter()
    .any(|hot| sql.starts_with(hot))
        || sql.contains("SELECT")
    {
        return;
    }
    let mut explain = db.prepare(&format!("EXPLAIN {sql}")).unwrap();
    let mut rows = explain.raw_query();
    while let Some(row) = rows.next().unwrap() {
        assert_ne!(row.get::<_, String>(1).unwrap(), "OpenEphemeral", "{sql}");
    }
}

fn claim_next(tx: &Tx<'_>, now: i64) -> Claim {
    let offered = Offered::new(&offer());
    claims::take(tx, &holder(2), &offered, at(now), at(now + 60)).unwrap().unwrap().read().unwrap().claim
}

fn step(tx: &Tx<'_>, claim: &Claim, events: Vec<JobEvent>, now: i64) {
    let course = Course::of(&claim.job.state, events).unwrap();
    claims::advance(tx, claim, &course, 0, Some(&record(claim, None)), at(now)).unwrap();
}

fn write(tx: &Tx<'_>) {
    let add = |name: &str, spec: JobSpec| -> JobId {
        let incoming = Incoming::new(keyed(name, spec)).unwrap();
        let added = adds::add(tx, &[incoming], &holder(1), at(10)).unwrap();
        assert!(matches!(added[..], [Added::New(_)]));
        added[0].id()
    };
    let first = add("first", JobSpec { lock: Some(lock("busy")), ..echoed() });
    let second = add("second", JobSpec { depends_on: after_keys(&["later", "first"]).depends_on, ..spec() });
    add("third", after(&[second]));
    add("later", spec());
    let claim = claim_next(tx, 20);
    claims::renew(tx, &claim, at(90)).unwrap();
    step(tx, &claim, vec![JobEvent::Built], 21);
    // Behind many that are held back.
    for n in 0..40 {
        add(&format!("held-back-{n}"), locked("busy"));
    }
    let later = claim_next(tx, 22);
    add("free", spec());
    let free = claim_next(tx, 22);
    step(tx, &free, again(at(30), FailReason::NoCommit), 23);
    step(tx, &later, ships(at(24)), 24);
    let current = claims::all(tx).unwrap().remove(0);
    assert!(claims::lose(tx, &current, &holder(9), at(25)).unwrap());
    let claim = claim_next(tx, 26);
    assert_eq!(claim.job.id, first);
    cancels::cancel(tx, first, &holder(9), at(27)).unwrap();
    claims::let_go(tx, &claim, Some(&record(&claim, None))).unwrap();
    adds::retry(tx, first, &holder(9), at(28)).unwrap();

    let lease = leases::take(tx, &repo(), &holder(1), at(0), TTL).unwrap().unwrap();
    let held = leases::check(tx, &lease).unwrap();
    let task = adds::enqueue(tx, &held, &holder(1), &implement(1, "claude")).unwrap();
    cancels::withdraw(tx, &held, task, &holder(1), at(30)).unwrap();
    cooldowns::set(tx, &engine("claude"), at(99)).unwrap();
    echoes::want(tx, first, at(31)).unwrap();
    let echo: EchoRecord = echoes::take(tx, at(32), at(99)).unwrap().unwrap();
    echoes::put(tx, &echo).unwrap();
}

fn read(db: &Connection) {
    let id = JobId(1);
    jobs::by_id(db, id).unwrap();
    jobs::by_key(db, &key("first")).unwrap();
    jobs::body(db, id).unwrap();
    for filter in [
        JobFilter::Unfinished,
        JobFilter::Waiting(5),
        JobFilter::Stages(Stage::ALL.to_vec(), 5),
        JobFilter::Item(echoed().tracker_item.unwrap()),
    ] {
        jobs::of(db, &filter).unwrap();
    }
    jobs::counts(db).unwrap();
    jobs::tasks(db, &TaskFilter::Repo(repo())).unwrap();
    jobs::tasks(db, &TaskFilter::Subject(repo(), Number(1))).unwrap();
    let blockers = dependencies::blockers(db, JobId(2)).unwrap();
    assert!(matches!(blockers[..], [(Dependency::Key(_), _)]), "{blockers:?}");
    moves::of(db, id).unwrap();
    attempts::of(db, id).unwrap();
    attempts::between(db, at(0), at(99)).unwrap();
    candidates::next_time(db, at(0)).unwrap();
    cooldowns::of(db, at(0)).unwrap();
    echoes::of(db, id).unwrap();
}
