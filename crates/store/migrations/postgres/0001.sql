-- Times are nanoseconds since 1970, closed words and names are text, JSON holds what has structure. No table holds free text
-- but job_work.body. Text that is compared or ordered is so by its bytes.

-- Who may act on a repository. Never deleted, so that the token only grows; the list of known repositories.
CREATE TABLE lease (
    repo   text   COLLATE "C" PRIMARY KEY,
    holder text,                              -- NULL: ended by force
    token  bigint NOT NULL CHECK (token > 0),
    until  bigint NOT NULL
);

CREATE TABLE intent (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repo       text   COLLATE "C" NOT NULL REFERENCES lease,
    key        text   COLLATE "C" NOT NULL,
    subject    bigint NOT NULL,
    deed       json   NOT NULL,
    created_at bigint NOT NULL,
    receipts   jsonb  NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(receipts) = 'array'),
    state      text   NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'refused')),
    ended_at   bigint,
    refusal    text,
    tries      integer NOT NULL DEFAULT 0 CHECK (tries >= 0),   -- how often it was refused
    UNIQUE (repo, key),
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK ((state = 'refused') = (refusal IS NOT NULL)),
    CHECK (state <> 'refused' OR tries > 0)
);
CREATE INDEX intent_by_repo ON intent (repo, id);
CREATE INDEX intent_open ON intent (repo, id) WHERE state = 'open';
CREATE INDEX intent_by_subject ON intent (repo, subject, id);

-- What dispatches cost. One line for the intent of each, written with it.
CREATE TABLE ledger (
    intent      bigint PRIMARY KEY REFERENCES intent,
    at          bigint NOT NULL,
    repo        text   COLLATE "C" NOT NULL,
    issue       bigint NOT NULL,
    implementer text   NOT NULL,
    epic        bigint NOT NULL,
    cost        bigint NOT NULL CHECK (cost >= 0),
    state       text   NOT NULL CHECK (state IN ('reserved', 'settled', 'released'))
);
CREATE INDEX ledger_by_time ON ledger (repo, at);

CREATE TABLE pull (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repo   text   COLLATE "C" NOT NULL REFERENCES lease,
    number bigint NOT NULL,
    UNIQUE (repo, number)
);

-- What was seen of a pull request and what was decided, once for each time that one of them changed.
CREATE TABLE snapshot (
    id      bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pull    bigint  NOT NULL REFERENCES pull,
    signals json    NOT NULL,
    rule    integer NOT NULL CHECK (rule > 0),
    action  json    NOT NULL,
    policy  text    NOT NULL
);
CREATE INDEX snapshot_by_pull ON snapshot (pull, id);

-- Each look, whether it showed something new or not.
CREATE TABLE observation (
    snapshot bigint NOT NULL REFERENCES snapshot,
    at       bigint NOT NULL,
    PRIMARY KEY (snapshot, at)
);

CREATE TABLE head (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pull     bigint NOT NULL REFERENCES pull,
    sha      text   NOT NULL,
    at       bigint NOT NULL,
    green_at bigint,
    red_at   bigint,
    UNIQUE (pull, sha)
);

CREATE TABLE outcome (
    repo             text   COLLATE "C" NOT NULL REFERENCES lease,
    pull             bigint NOT NULL,
    result           text   NOT NULL CHECK (result IN ('success', 'closed', 'escalated')),
    detail           text   NOT NULL
        CHECK (detail IN ('merged_clean', 'merged_after_fixes', 'closed_unmerged', 'needs_intervention')),
    resolution_hours double precision NOT NULL,
    at               bigint NOT NULL,
    PRIMARY KEY (repo, pull)
);

CREATE TABLE journal (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repo  text   COLLATE "C" NOT NULL REFERENCES lease,
    child bigint NOT NULL,
    entry json   NOT NULL,
    UNIQUE (repo, child)
);

CREATE TABLE plan (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repo       text   COLLATE "C" NOT NULL REFERENCES lease,
    key        text   NOT NULL,
    plan       json   NOT NULL,
    created_at bigint NOT NULL,
    done_at    bigint,
    UNIQUE (repo, key)
);

CREATE TABLE epic (
    repo        text   COLLATE "C" NOT NULL REFERENCES lease,
    number      bigint NOT NULL,
    branch      text   NOT NULL,
    implementer text   NOT NULL,
    created_at  bigint NOT NULL,
    ended_at    bigint,
    PRIMARY KEY (repo, number)
);

-- Jobs. Moved by `JobState::next` alone; the columns of each state are there in that state only, but what a claim holds
-- (attempt, holder, until) stays with a cancelled job until its processes are gone. Narrow, because each move writes a row anew;
-- what never changes and is not asked for by a claim is in job_work.
CREATE SEQUENCE job_id;
CREATE TABLE job (
    id           bigint   PRIMARY KEY CHECK (id > 0),
    name         text     NOT NULL,
    key          text     COLLATE "C",
    repo         text     COLLATE "C" REFERENCES lease,     -- repo, task and subject: a task of the pipeline
    task         text     COLLATE "C",
    subject      bigint,
    choice       text     COLLATE "C" NOT NULL CHECK (choice LIKE 'engine:_%' OR choice LIKE 'class:_%'),
    profile      text,
    priority     smallint NOT NULL CHECK (priority BETWEEN 0 AND 3),    -- 0 is critical
    lock         text     COLLATE "C",
    capabilities text[]   NOT NULL DEFAULT '{}',
    item         text     COLLATE "C",
    auto_echo    boolean  NOT NULL DEFAULT false,
    created_at   bigint   NOT NULL,
    failures     integer  NOT NULL DEFAULT 0 CHECK (failures >= 0),
    losses       integer  NOT NULL DEFAULT 0 CHECK (losses >= 0),
    waits_for    integer  NOT NULL DEFAULT 0 CHECK (waits_for >= 0),
    retry_of     bigint   REFERENCES job,
    repeated     boolean  NOT NULL DEFAULT false,            -- a newer job repeats it and has its key
    token        bigint   NOT NULL DEFAULT 0 CHECK (token >= 0),        -- of the last claim
    state        text     NOT NULL CHECK (state IN
        ('inbox', 'waiting', 'building', 'review', 'testing', 'shipped', 'failed', 'cancelled')),
    not_before   bigint,
    attempt      bigint,
    holder       text     COLLATE "C",
    until        bigint,
    ended_at     bigint,
    outcome      json,
    reason       text,
    CHECK ((repo IS NULL) = (task IS NULL) AND (repo IS NULL) = (subject IS NULL)),
    CHECK ((state IN ('inbox', 'waiting')) = (not_before IS NOT NULL)),
    CHECK ((holder IS NULL) = (attempt IS NULL) AND (holder IS NULL) = (until IS NULL)),
    CHECK (state NOT IN ('building', 'review', 'testing') OR holder IS NOT NULL),
    CHECK (state IN ('building', 'review', 'testing', 'cancelled') OR holder IS NULL),
    CHECK (holder IS NULL OR token > 0),
    CHECK ((state IN ('shipped', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
    CHECK ((state = 'shipped') = (outcome IS NOT NULL)),
    CHECK ((state = 'failed') = (reason IS NOT NULL))
) WITH (fillfactor = 80);
-- The queue in the order of claiming, and the same for each engine and class.
CREATE INDEX job_ready ON job (priority, id) WHERE state IN ('inbox', 'waiting') AND waits_for = 0;
CREATE INDEX job_ready_for ON job (choice, priority, id) WHERE state IN ('inbox', 'waiting') AND waits_for = 0;
CREATE INDEX job_due ON job (not_before) WHERE state IN ('inbox', 'waiting') AND not_before > created_at;
CREATE INDEX job_blocked ON job (id) WHERE state IN ('inbox', 'waiting') AND waits_for > 0;
CREATE INDEX job_held ON job (attempt) WHERE holder IS NOT NULL;
CREATE UNIQUE INDEX job_by_key ON job (key) WHERE key IS NOT NULL AND NOT repeated;
CREATE UNIQUE INDEX job_by_task ON job (repo, task, choice) WHERE repo IS NOT NULL AND NOT repeated;
CREATE INDEX job_by_subject ON job (repo, subject, id) WHERE repo IS NOT NULL;
CREATE UNIQUE INDEX job_retry ON job (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX job_by_item ON job (item, id) WHERE item IS NOT NULL;

-- What a job is to do, as JSON, and its owner's own words. Written once. `adder` and `serial` name the writing: whoever lost the
-- answer finds by them what was written.
CREATE TABLE job_work (
    job    bigint PRIMARY KEY REFERENCES job,
    work   json   NOT NULL,
    body   bytea,
    adder  bigint NOT NULL,
    serial bigint NOT NULL,
    UNIQUE (adder, serial)
);

-- What a job waits for. `target` is the job once there is one; `met`: it is shipped.
CREATE TABLE dependency (
    job    bigint   NOT NULL REFERENCES job,
    place  smallint NOT NULL,
    on_id  bigint,
    on_key text     COLLATE "C",
    target bigint   REFERENCES job,
    met    boolean  NOT NULL DEFAULT false,
    PRIMARY KEY (job, place),
    CHECK ((on_id IS NULL) <> (on_key IS NULL)),
    CHECK (NOT met OR target IS NOT NULL)
);
CREATE INDEX dependency_by_target ON dependency (target) WHERE NOT met;
CREATE INDEX dependency_by_key ON dependency (on_key) WHERE target IS NULL;

-- Locks that are held. The row is the lock: who inserts it has it.
CREATE TABLE held_lock (
    name    text   COLLATE "C" PRIMARY KEY,
    attempt bigint NOT NULL
);

-- Every transition (Q9), in its order.
CREATE TABLE move (
    id         bigint GENERATED ALWAYS AS IDENTITY,
    job        bigint NOT NULL,
    from_stage text,
    to_stage   text   NOT NULL,
    at         bigint NOT NULL,
    who        text   NOT NULL,
    why        text   NOT NULL,
    reason     text,
    attempt    bigint,
    PRIMARY KEY (job, id),
    CHECK ((from_stage IS NULL) = (why = 'added'))
);

CREATE SEQUENCE attempt_id;
CREATE TABLE attempt (
    id         bigint PRIMARY KEY CHECK (id > 0),
    job        bigint NOT NULL,
    engine     text   NOT NULL,
    holder     text   NOT NULL,
    adder      bigint NOT NULL,               -- which call of claim made it, for whoever lost the answer
    serial     bigint NOT NULL,
    started_at bigint NOT NULL,
    ended_at   bigint,
    failure    text,
    measured   json
) WITH (fillfactor = 80);
CREATE INDEX attempt_by_job ON attempt (job, id);
CREATE INDEX attempt_by_start ON attempt USING brin (started_at);

CREATE TABLE cooldown (
    engine text   COLLATE "C" PRIMARY KEY,
    until  bigint NOT NULL
);

-- What trackers are to be told and were told.
CREATE TABLE echo (
    job           bigint  PRIMARY KEY REFERENCES job,
    patched       text,
    comment_begun text,
    commented     text,
    tries         integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    due           bigint,
    taken_until   bigint,
    wished        bigint  NOT NULL DEFAULT 0 CHECK (wished >= 0)
);
CREATE INDEX echo_due ON echo (due) WHERE due IS NOT NULL;
