-- Times are nanoseconds since 1970, closed words and names are text, JSON holds what has structure. No table holds free text.

-- Who may act on a repository. Never deleted, so that the token only grows; the list of known repositories.
CREATE TABLE lease (
    repo   TEXT    PRIMARY KEY,
    holder TEXT,                              -- NULL: ended by force
    token  INTEGER NOT NULL CHECK (token > 0),
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE intent (
    id         INTEGER PRIMARY KEY,
    repo       TEXT    NOT NULL REFERENCES lease (repo),
    key        TEXT    NOT NULL,
    subject    INTEGER NOT NULL,
    deed       TEXT    NOT NULL CHECK (json_valid(deed)),
    created_at INTEGER NOT NULL,
    receipts   TEXT    NOT NULL DEFAULT '[]' CHECK (json_type(receipts) = 'array'),
    state      TEXT    NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'refused')),
    ended_at   INTEGER,
    refusal    TEXT,
    tries      INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),   -- how often it was refused
    UNIQUE (repo, key),
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK ((state = 'refused') = (refusal IS NOT NULL)),
    CHECK (state <> 'refused' OR tries > 0)
) STRICT;
CREATE INDEX intent_by_repo ON intent (repo, id);
CREATE INDEX intent_open ON intent (repo, id) WHERE state = 'open';
CREATE INDEX intent_by_subject ON intent (repo, subject, id);

-- What dispatches cost. One line for the intent of each, written with it.
CREATE TABLE ledger (
    intent      INTEGER PRIMARY KEY REFERENCES intent (id),
    at          INTEGER NOT NULL,
    repo        TEXT    NOT NULL,
    issue       INTEGER NOT NULL,
    implementer TEXT    NOT NULL,
    epic        INTEGER NOT NULL,
    cost        INTEGER NOT NULL CHECK (cost >= 0),
    state       TEXT    NOT NULL CHECK (state IN ('reserved', 'settled', 'released'))
) STRICT;
CREATE INDEX ledger_by_time ON ledger (repo, at);

CREATE TABLE pull (
    id     INTEGER PRIMARY KEY,
    repo   TEXT    NOT NULL REFERENCES lease (repo),
    number INTEGER NOT NULL,
    UNIQUE (repo, number)
) STRICT;

-- What was seen of a pull request and what was decided, once for each time that one of them changed.
CREATE TABLE snapshot (
    id      INTEGER PRIMARY KEY,
    pull    INTEGER NOT NULL REFERENCES pull (id),
    signals TEXT    NOT NULL CHECK (json_valid(signals)),
    rule    INTEGER NOT NULL CHECK (rule > 0),
    action  TEXT    NOT NULL CHECK (json_valid(action)),
    policy  TEXT    NOT NULL
) STRICT;
CREATE INDEX snapshot_by_pull ON snapshot (pull, id);

-- Each look, whether it showed something new or not.
CREATE TABLE observation (
    snapshot INTEGER NOT NULL REFERENCES snapshot (id),
    at       INTEGER NOT NULL,
    PRIMARY KEY (snapshot, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE head (
    id       INTEGER PRIMARY KEY,
    pull     INTEGER NOT NULL REFERENCES pull (id),
    sha      TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    green_at INTEGER,
    red_at   INTEGER,
    UNIQUE (pull, sha)
) STRICT;

CREATE TABLE outcome (
    repo             TEXT    NOT NULL REFERENCES lease (repo),
    pull             INTEGER NOT NULL,
    result           TEXT    NOT NULL CHECK (result IN ('success', 'closed', 'escalated')),
    detail           TEXT    NOT NULL
        CHECK (detail IN ('merged_clean', 'merged_after_fixes', 'closed_unmerged', 'needs_intervention')),
    resolution_hours REAL    NOT NULL,
    at               INTEGER NOT NULL,
    PRIMARY KEY (repo, pull)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    id    INTEGER PRIMARY KEY,
    repo  TEXT    NOT NULL REFERENCES lease (repo),
    child INTEGER NOT NULL,
    entry TEXT    NOT NULL CHECK (json_valid(entry)),
    UNIQUE (repo, child)
) STRICT;

CREATE TABLE plan (
    id         INTEGER PRIMARY KEY,
    repo       TEXT    NOT NULL REFERENCES lease (repo),
    key        TEXT    NOT NULL,
    plan       TEXT    NOT NULL CHECK (json_valid(plan)),
    created_at INTEGER NOT NULL,
    done_at    INTEGER,
    UNIQUE (repo, key)
) STRICT;

CREATE TABLE epic (
    repo        TEXT    NOT NULL REFERENCES lease (repo),
    number      INTEGER NOT NULL,
    branch      TEXT    NOT NULL,
    implementer TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    PRIMARY KEY (repo, number)
) STRICT, WITHOUT ROWID;

-- Work for engines. Moved by `WorkState::next` alone; the columns of each state are there in that state only.
CREATE TABLE work (
    id         INTEGER PRIMARY KEY,
    repo       TEXT    NOT NULL REFERENCES lease (repo),
    key        TEXT    NOT NULL,
    engine     TEXT    NOT NULL,
    subject    INTEGER NOT NULL,
    task       TEXT    NOT NULL CHECK (json_valid(task)),
    created_at INTEGER NOT NULL,
    failures   INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    losses     INTEGER NOT NULL DEFAULT 0 CHECK (losses >= 0),
    token      INTEGER NOT NULL DEFAULT 0 CHECK (token >= 0),   -- of the last claim
    state      TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done')),
    not_before INTEGER,
    attempt    INTEGER REFERENCES attempt (id),
    holder     TEXT,
    until      INTEGER,
    outcome    TEXT    CHECK (outcome IS NULL OR json_valid(outcome)),
    done_at    INTEGER,
    UNIQUE (repo, key, engine),
    CHECK ((state = 'queued') = (not_before IS NOT NULL)),
    CHECK ((state = 'running') = (attempt IS NOT NULL)),
    CHECK ((state = 'running') = (holder IS NOT NULL)),
    CHECK ((state = 'running') = (until IS NOT NULL)),
    CHECK (state <> 'running' OR token > 0),
    CHECK ((state = 'done') = (outcome IS NOT NULL)),
    CHECK ((state = 'done') = (done_at IS NOT NULL))
) STRICT;
CREATE INDEX work_queue ON work (engine, id) WHERE state = 'queued';
CREATE INDEX work_running ON work (until) WHERE state = 'running';
CREATE INDEX work_by_subject ON work (repo, subject, id);

CREATE TABLE attempt (
    id         INTEGER PRIMARY KEY,
    work       INTEGER NOT NULL REFERENCES work (id),
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    sandbox    TEXT    CHECK (sandbox IN ('off', 'landlock', 'bubblewrap')),
    failure    TEXT,
    exit_code  INTEGER,
    usage      TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(usage))
) STRICT;
CREATE INDEX attempt_by_work ON attempt (work);
