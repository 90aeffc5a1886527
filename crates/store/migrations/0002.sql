-- Jobs with stages take the place of work items: ids stay, attempts go with them. Constraints on words are rows of OR: for a
-- list of IN SQLite makes a table at each write, which costs more than the write.

-- Kinds of jobs that are the same to whoever claims: who may run them, and what of an offer they need. Few, never changed.
CREATE TABLE lane (
    id           INTEGER PRIMARY KEY,
    engine       TEXT,                        -- this engine,
    class        TEXT,                        -- or any of this class
    repo         TEXT    REFERENCES lease (repo),   -- of a task of the pipeline
    profile      TEXT,
    capabilities TEXT    NOT NULL CHECK (json_type(capabilities) = 'array'),
    CHECK ((engine IS NULL) <> (class IS NULL)),
    CHECK (repo IS NULL OR engine IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX lane_once ON lane
    (coalesce(engine, ''), coalesce(class, ''), coalesce(repo, ''), coalesce(profile, ''), capabilities);
CREATE INDEX lane_by_repo ON lane (repo) WHERE repo IS NOT NULL;

-- Moved by `JobState::next` alone; the columns of each state are there in that state only. Small, because each move writes it
-- anew: what a manifest says is in job_body.
CREATE TABLE job (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    key        TEXT,                          -- idempotency key
    generation INTEGER NOT NULL DEFAULT 1 CHECK (generation > 0),   -- of those with this key or task; the newest counts
    retry_of   INTEGER REFERENCES job (id),
    lane       INTEGER NOT NULL REFERENCES lane (id),
    lock       TEXT    NOT NULL DEFAULT '',   -- '': none
    priority   INTEGER NOT NULL DEFAULT 2 CHECK (priority BETWEEN 0 AND 3),   -- 0: critical
    task       TEXT    CHECK (task IS NULL OR json_valid(task)),    -- of the pipeline
    task_key   TEXT,
    subject    INTEGER,
    item       TEXT,                          -- of the tracker
    auto_echo  INTEGER NOT NULL DEFAULT 0 CHECK (auto_echo IN (0, 1)),
    created_at INTEGER NOT NULL,
    failures   INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    losses     INTEGER NOT NULL DEFAULT 0 CHECK (losses >= 0),
    token      INTEGER NOT NULL DEFAULT 0 CHECK (token >= 0),       -- of the last claim
    moves      INTEGER NOT NULL CHECK (moves > 0),                  -- how many there are
    waits_for  INTEGER NOT NULL DEFAULT 0 CHECK (waits_for >= 0),
    stage      TEXT    NOT NULL CHECK (stage = 'inbox' OR stage = 'building' OR stage = 'review' OR stage = 'testing'
        OR stage = 'shipped' OR stage = 'failed' OR stage = 'cancelled'),
    not_before INTEGER,                       -- nobody holds it and it may be claimed then
    ripe       INTEGER NOT NULL DEFAULT 0 CHECK (ripe IN (0, 1)),   -- that time has come; may say so late
    attempt    INTEGER REFERENCES attempt (id),                     -- of the one who holds it
    outcome    TEXT    CHECK (outcome IS NULL OR json_valid(outcome)),
    reason     TEXT,
    ended_at   INTEGER,
    CHECK ((task IS NULL) = (task_key IS NULL)),
    CHECK ((task IS NULL) = (subject IS NULL)),
    CHECK (task IS NULL OR key IS NULL),
    CHECK (auto_echo = 0 OR item IS NOT NULL),
    CHECK (waits_for = 0 OR stage = 'inbox'),
    CHECK (stage <> 'inbox' OR not_before IS NOT NULL),
    CHECK (not_before IS NULL OR stage = 'inbox' OR stage = 'building'),
    CHECK (ripe = 0 OR not_before IS NOT NULL),
    CHECK ((attempt IS NOT NULL)
        = ((stage = 'building' OR stage = 'review' OR stage = 'testing') AND not_before IS NULL)),
    CHECK (attempt IS NULL OR token > 0),
    CHECK ((outcome IS NOT NULL) = (stage = 'shipped')),
    CHECK ((reason IS NOT NULL) = (stage = 'failed')),
    CHECK ((ended_at IS NOT NULL) = (stage = 'shipped' OR stage = 'failed' OR stage = 'cancelled'))
) STRICT;

-- What the manifest of a job says, and its instructions. Never changed.
CREATE TABLE job_body (
    job  INTEGER PRIMARY KEY REFERENCES job (id),
    spec TEXT    NOT NULL CHECK (json_valid(spec)),
    body TEXT    NOT NULL
) STRICT;

CREATE TABLE job_dependency (
    job    INTEGER NOT NULL REFERENCES job (id),
    n      INTEGER NOT NULL CHECK (n > 0),    -- place in the manifest
    named  INTEGER,                           -- by id,
    key    TEXT,                              -- or by key
    on_job INTEGER REFERENCES job (id),       -- which job that is; NULL: none has the key yet
    PRIMARY KEY (job, n),
    CHECK ((named IS NULL) <> (key IS NULL)),
    CHECK (named IS NULL OR on_job IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- The way of each job (Q9).
CREATE TABLE move (
    job        INTEGER NOT NULL REFERENCES job (id),
    n          INTEGER NOT NULL CHECK (n > 0),
    from_stage TEXT    CHECK (from_stage = 'inbox' OR from_stage = 'building' OR from_stage = 'review'
        OR from_stage = 'testing'),
    to_stage   TEXT    NOT NULL CHECK (to_stage = 'inbox' OR to_stage = 'building' OR to_stage = 'review'
        OR to_stage = 'testing' OR to_stage = 'shipped' OR to_stage = 'failed' OR to_stage = 'cancelled'),
    at         INTEGER NOT NULL,
    who        TEXT    NOT NULL,
    why        TEXT    NOT NULL CHECK (why = 'added' OR why = 'claimed' OR why = 'passed' OR why = 'changes'
        OR why = 'refuted' OR why = 'retried' OR why = 'limited' OR why = 'lost' OR why = 'interrupted' OR why = 'failed'
        OR why = 'cancelled'),
    reason     TEXT,
    attempt    INTEGER,
    PRIMARY KEY (job, n),
    CHECK ((from_stage IS NULL) = (why = 'added')),
    CHECK ((reason IS NOT NULL) = (why = 'retried' OR why = 'failed'))
) STRICT, WITHOUT ROWID;

-- What is held: a job, and its lock. That of a cancelled job stays until its processes are gone.
CREATE TABLE claim (
    job     INTEGER PRIMARY KEY REFERENCES job (id),
    attempt INTEGER NOT NULL,
    engine  TEXT    NOT NULL,
    holder  TEXT    NOT NULL,
    token   INTEGER NOT NULL CHECK (token > 0),
    since   INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    lock    TEXT    CHECK (lock <> '')
) STRICT;
CREATE UNIQUE INDEX claim_lock ON claim (lock) WHERE lock IS NOT NULL;

-- Engines that rest.
CREATE TABLE cooldown (
    engine TEXT    PRIMARY KEY,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What trackers were told and are to be told.
CREATE TABLE echo (
    job           INTEGER PRIMARY KEY REFERENCES job (id),
    patched       TEXT,
    comment_begun TEXT,
    commented     TEXT,
    tries         INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    due           INTEGER,
    wished        INTEGER NOT NULL CHECK (wished > 0),
    taken_until   INTEGER
) STRICT;
CREATE INDEX echo_due ON echo (due) WHERE due IS NOT NULL;

INSERT INTO lane (engine, repo, capabilities) SELECT DISTINCT engine, repo, '[]' FROM work ORDER BY repo, engine;

INSERT INTO job (id, name, lane, task, task_key, subject, created_at, failures, losses, token, moves, stage, not_before,
    attempt, outcome, reason, ended_at)
SELECT w.id, substr(replace(w.key, ':', '-'), 1, 60), l.id, w.task, w.key, w.subject, w.created_at, w.failures, w.losses,
    w.token, 1,
    CASE
        WHEN w.state = 'running' OR w.state = 'queued' AND w.token > 0 THEN 'building'
        WHEN w.state = 'queued' THEN 'inbox'
        ELSE CASE w.outcome ->> 'outcome' WHEN 'failed' THEN 'failed' WHEN 'cancelled' THEN 'cancelled' ELSE 'shipped' END
    END,
    w.not_before, w.attempt,
    CASE WHEN w.outcome ->> 'outcome' IN ('published', 'reviewed') THEN w.outcome END,
    w.outcome ->> 'reason', w.done_at
FROM work w JOIN lane l ON l.repo = w.repo AND l.engine = w.engine;

INSERT INTO claim (job, attempt, engine, holder, token, since, until)
SELECT w.id, w.attempt, w.engine, w.holder, w.token, a.started_at, w.until
FROM work w JOIN attempt a ON a.id = w.attempt;

-- Who moved a work item was not kept, nor each step of its way: what is known of it becomes the way of the job.
INSERT INTO move (job, n, to_stage, at, who, why) SELECT id, 1, 'inbox', created_at, 'unknown', 'added' FROM work;
INSERT INTO move (job, n, from_stage, to_stage, at, who, why, attempt)
SELECT w.id, 2, 'inbox', 'building', min(a.started_at), 'unknown', 'claimed', a.id
FROM work w JOIN attempt a ON a.work = w.id GROUP BY w.id;
INSERT INTO move (job, n, from_stage, to_stage, at, who, why)
SELECT j.id, 3, 'building', 'review', j.ended_at, 'unknown', 'passed' FROM job j WHERE j.stage = 'shipped';
INSERT INTO move (job, n, from_stage, to_stage, at, who, why)
SELECT j.id, 4, 'review', 'testing', j.ended_at, 'unknown', 'passed' FROM job j WHERE j.stage = 'shipped';
INSERT INTO move (job, n, from_stage, to_stage, at, who, why, reason)
SELECT j.id, (SELECT max(n) + 1 FROM move m WHERE m.job = j.id),
    CASE WHEN j.stage = 'shipped' THEN 'testing'
        ELSE (SELECT to_stage FROM move m WHERE m.job = j.id ORDER BY n DESC LIMIT 1) END,
    j.stage, j.ended_at, 'unknown',
    CASE j.stage WHEN 'shipped' THEN 'passed' ELSE j.stage END, j.reason
FROM job j WHERE j.ended_at IS NOT NULL;
UPDATE job SET moves = (SELECT max(n) FROM move m WHERE m.job = job.id);

CREATE TABLE attempt_of_job (
    id         INTEGER PRIMARY KEY,
    job        INTEGER NOT NULL REFERENCES job (id),
    engine     TEXT    NOT NULL,
    holder     TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    failure    TEXT,
    sandbox    TEXT    CHECK (sandbox = 'off' OR sandbox = 'landlock' OR sandbox = 'bubblewrap'),
    exit_code  INTEGER,
    signal     INTEGER,
    cpu_ms     INTEGER CHECK (cpu_ms >= 0),
    peak_kib   INTEGER CHECK (peak_kib >= 0),
    files      INTEGER CHECK (files >= 0),
    added      INTEGER CHECK (added >= 0),
    removed    INTEGER CHECK (removed >= 0),
    usage      TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(usage))
) STRICT;
INSERT INTO attempt_of_job (id, job, engine, holder, started_at, ended_at, failure, sandbox, exit_code, usage)
SELECT a.id, a.work, w.engine, coalesce(CASE WHEN w.attempt = a.id THEN w.holder END, 'unknown'), a.started_at, a.ended_at,
    a.failure, a.sandbox, a.exit_code, a.usage
FROM attempt a JOIN work w ON w.id = a.work;
DROP TABLE work;
DROP TABLE attempt;
ALTER TABLE attempt_of_job RENAME TO attempt;
CREATE INDEX attempt_by_job ON attempt (job);
CREATE INDEX attempt_by_start ON attempt (started_at);

-- Those that wait, in the order of claiming.
CREATE INDEX job_waiting ON job (priority, id) WHERE not_before IS NOT NULL;
-- Those that may be claimed, for a look past many that are held back.
CREATE INDEX job_ready ON job (lane, lock, priority, id) WHERE ripe = 1 AND waits_for = 0;
-- Those whose time is still to come, or came unnoticed.
CREATE INDEX job_due ON job (not_before) WHERE ripe = 0 AND waits_for = 0 AND not_before IS NOT NULL;
CREATE INDEX job_by_stage ON job (stage, id);
CREATE UNIQUE INDEX job_by_key ON job (key, generation) WHERE key IS NOT NULL;
CREATE UNIQUE INDEX job_by_task ON job (lane, task_key, generation) WHERE task_key IS NOT NULL;
CREATE INDEX job_by_subject ON job (subject, id) WHERE subject IS NOT NULL;
CREATE INDEX job_by_item ON job (item, id) WHERE item IS NOT NULL;
CREATE UNIQUE INDEX job_by_origin ON job (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX dependency_on ON job_dependency (on_job) WHERE on_job IS NOT NULL;
CREATE INDEX dependency_open ON job_dependency (key) WHERE on_job IS NULL;
