-- The ledger of the whole budget: beside the dispatches of the pipeline, each with its intent, it has lines under keys of their own
-- (reserved by something else, written by hand, imported). Lines are never deleted; only `state` moves on.
CREATE TABLE ledger_of_budget (
    id          INTEGER PRIMARY KEY,
    intent      INTEGER UNIQUE REFERENCES intent (id),
    key         TEXT    UNIQUE,
    holder      TEXT,                         -- who reserved under the key
    at          INTEGER NOT NULL,             -- what the clock said
    counted_at  INTEGER NOT NULL,             -- in which windows it counts; never before a line of its pool
    repo        TEXT    NOT NULL,
    issue       INTEGER NOT NULL,
    implementer TEXT    NOT NULL,
    epic        INTEGER,
    provider    TEXT    NOT NULL,             -- whose pool
    member      TEXT,                         -- whose quota; NULL: nobody's in particular
    cost        INTEGER NOT NULL CHECK (cost >= 0),                 -- tasks
    money       INTEGER NOT NULL DEFAULT 0 CHECK (money >= 0),      -- minor units
    tokens      INTEGER NOT NULL DEFAULT 0 CHECK (tokens >= 0),
    state       TEXT    NOT NULL CHECK (state = 'reserved' OR state = 'settled' OR state = 'released'),
    CHECK ((intent IS NULL) <> (key IS NULL)),
    CHECK (state <> 'reserved' OR intent IS NOT NULL OR holder IS NOT NULL)
) STRICT;
INSERT INTO ledger_of_budget (intent, at, counted_at, repo, issue, implementer, epic, provider, cost, state)
SELECT intent, at, at, repo, issue, implementer, epic, implementer, cost, state FROM ledger ORDER BY at, intent;
DROP TABLE ledger;
ALTER TABLE ledger_of_budget RENAME TO ledger;
CREATE INDEX ledger_by_time ON ledger (repo, at);
CREATE INDEX ledger_by_day ON ledger (repo, counted_at);
CREATE INDEX ledger_by_pool ON ledger (provider, counted_at);
CREATE INDEX ledger_at ON ledger (at);
CREATE INDEX ledger_open ON ledger (id) WHERE state = 'reserved' AND key IS NOT NULL;

-- The plan of a day that is in force: repository to most tasks.
CREATE TABLE allocation (
    day    TEXT    PRIMARY KEY,
    shares TEXT    NOT NULL CHECK (json_type(shares) = 'object'),
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Runs of schedules, one row a slot.
CREATE TABLE scheduled_run (
    schedule TEXT    NOT NULL,
    slot     INTEGER NOT NULL,
    holder   TEXT    NOT NULL,
    until    INTEGER NOT NULL,                -- whoever comes later may take it over
    tries    INTEGER NOT NULL CHECK (tries > 0),
    ended_at INTEGER,
    PRIMARY KEY (schedule, slot)
) STRICT, WITHOUT ROWID;
