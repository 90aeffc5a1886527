//! The same statements in a bare loop over one connection: what SQLite itself needs for them, each addition, claim and end in a
//! transaction of its own.

use crate::statements::{
    self, ADD, ADDED, ATTEMPT, BODY, CLAIM, COUNTED, DEPENDENTS, END, LANE, MOVE, READ, RELEASE, RESTING,
    STEP, TAKE, WALK,
};
use banksman_store::conformance::job_samples::*;
use rusqlite::{Connection, ToSql, config::DbConfig, params};
use std::path::Path;

/// The moment at which everything happens.
const NOW: i64 = 1_750_000_020_000_000_000;
/// Who adds and claims.
const WHO: &str = "host:1:1";

/// One loop's connection.
pub(crate) struct Bare {
    db: Connection,
    spec: String,
    usage: String,
    outcome: String,
}

impl Bare {
    /// Over a file that has the store's tables.
    pub(crate) fn open(file: &Path) -> Self {
        statements::are_those_of_the_store();
        let db = Connection::open(file).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8000;",
        )
        .unwrap();
        // As in the store: no statement is planned anew for other values.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
        db.set_prepared_statement_cache_capacity(64);
        let record = serde_json::json!({ "tokens_in": 1200, "cost_usd": 0.25, "model": "model-1" });
        Self {
            db,
            spec: serde_json::to_string(&spec()).unwrap(),
            usage: record.to_string(),
            outcome: serde_json::to_string(&published()).unwrap(),
        }
    }

    /// Adds jobs, each with a flush of the disk.
    pub(crate) fn add(&self, count: u64) {
        self.db.execute_batch("PRAGMA synchronous = FULL").unwrap();
        for _ in 0..count {
            self.add_one();
        }
    }

    /// Makes the queue as long again as it was.
    pub(crate) fn refill(&self, length: u64) {
        let waiting: u64 = self
            .db
            .query_row("SELECT count(*) FROM job WHERE stage = 'inbox'", [], |row| row.get(0))
            .unwrap();
        self.db.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in waiting..length {
            self.insert();
        }
        self.db.execute_batch("COMMIT").unwrap();
    }

    fn add_one(&self) {
        self.run("BEGIN IMMEDIATE");
        self.insert();
        self.run("COMMIT");
    }

    fn insert(&self) {
        let text = "Do what job is about.\n";
        let (none, now): (Option<&str>, i64) = (None, NOW);
        let lane: i64 = self.one(LANE, params!["claude", none, none, none, "[]"]);
        let job = self.change(ADD, params!["job", none, lane, "", 2, none, false, now, 0, now, true]);
        self.change(BODY, params![job, self.spec, text]);
        self.change(ADDED, params![job, now, WHO]);
    }

    /// Claims and completes jobs.
    pub(crate) fn work(&self, count: u64) {
        self.db.execute_batch("PRAGMA synchronous = NORMAL").unwrap();
        for _ in 0..count {
            self.run("BEGIN IMMEDIATE");
            let (job, attempt) = self.claim();
            self.run("COMMIT");
            self.run("BEGIN IMMEDIATE");
            self.complete(job, attempt);
            self.run("COMMIT");
        }
    }

    fn claim(&self) -> (i64, i64) {
        let none: Option<&str> = None;
        self.all(RESTING, params![NOW]);
        let (engines, classes) = ("\nclaude\ncodex\n", "\nagentic-coder\nagentic-coder\n");
        let job = self.one(WALK, params![engines, classes, "\nlocal/shop\n", "\n", "\n", NOW, 32]);
        self.all(READ, params![job]);
        let attempt = self.change(ATTEMPT, params![job, "claude", WHO, NOW]);
        self.change(
            TAKE,
            params![job, "building", attempt, none, none, none, 1, 0, 0, 1, "inbox", 0, none, none, false],
        );
        self.one(COUNTED, params![job]);
        self.change(MOVE, params![job, 2, "inbox", "building", NOW, WHO, "claimed", none, attempt]);
        self.change(CLAIM, params![job, attempt, "claude", WHO, 1, NOW, NOW + 60, ""]);
        (job, attempt)
    }

    fn complete(&self, job: i64, attempt: i64) {
        let none: Option<&str> = None;
        self.change(
            STEP,
            params![job, "shipped", none, self.outcome, none, NOW, 1, 0, 0, 3, "building", 1, attempt],
        );
        self.one(COUNTED, params![job]);
        for (n, from, to) in [(3, "building", "review"), (4, "review", "testing"), (5, "testing", "shipped")]
        {
            self.change(MOVE, params![job, n, from, to, NOW, WHO, "passed", none, attempt]);
        }
        self.all(DEPENDENTS, params![job]);
        self.change(
            END,
            params![attempt, NOW, none, "bubblewrap", 0, none, 1_500, 20_480, 2, 30, 4, self.usage],
        );
        self.change(RELEASE, params![job, 1]);
    }

    fn run(&self, sql: &str) {
        self.db.prepare_cached(sql).unwrap().execute([]).unwrap();
    }

    /// Runs a statement that writes; the id of the row that was inserted last.
    fn change(&self, sql: &str, params: &[&dyn ToSql]) -> i64 {
        self.db.prepare_cached(sql).unwrap().execute(params).unwrap();
        self.db.last_insert_rowid()
    }

    /// The number in the first row.
    fn one(&self, sql: &str, params: &[&dyn ToSql]) -> i64 {
        self.db.prepare_cached(sql).unwrap().query_row(params, |row| row.get(0)).unwrap()
    }

    /// Runs a statement to its end.
    fn all(&self, sql: &str, params: &[&dyn ToSql]) {
        let mut query = self.db.prepare_cached(sql).unwrap();
        let mut rows = query.query(params).unwrap();
        while rows.next().unwrap().is_some() {}
    }
}
