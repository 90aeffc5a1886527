-- Training data as time series (70-training.md): closed words, counts and times, never free text. The key of a point is its series and its
-- time; whoever writes it again overwrites it.

-- Tags, once. `author` is empty for measurements that have none.
CREATE TABLE training_series (
    id     INTEGER PRIMARY KEY,
    repo   TEXT    NOT NULL CHECK (repo <> ''),   -- owner_name
    pull   INTEGER NOT NULL CHECK (pull >= 0),
    author TEXT    NOT NULL DEFAULT '',
    UNIQUE (repo, pull, author)
) STRICT;

CREATE TABLE pr_observation (
    series                    INTEGER NOT NULL REFERENCES training_series (id),
    at                        INTEGER NOT NULL,
    merge_state               INTEGER NOT NULL CHECK (merge_state BETWEEN 1 AND 8),   -- clean, behind, blocked, dirty, unstable, has_hooks, draft, unknown
    flags                     INTEGER NOT NULL CHECK (flags BETWEEN 0 AND 7),         -- 1 mergeable, 2 draft, 4 auto-merge
    checks_total              INTEGER NOT NULL,
    checks_passing            INTEGER NOT NULL,
    checks_failing            INTEGER NOT NULL,
    reviews_approved          INTEGER NOT NULL,
    reviews_changes_requested INTEGER NOT NULL,
    threads_total             INTEGER NOT NULL,
    threads_unresolved        INTEGER NOT NULL,
    pr_age_hours              INTEGER NOT NULL,
    last_push_hours           INTEGER NOT NULL,
    last_activity_hours       INTEGER NOT NULL,
    conflict_attempts         INTEGER NOT NULL,
    review_fix_attempts       INTEGER NOT NULL,
    PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE action_taken (
    series     INTEGER NOT NULL REFERENCES training_series (id),
    at         INTEGER NOT NULL,
    action     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    policy     TEXT    NOT NULL,
    propensity REAL    NOT NULL CHECK (propensity BETWEEN 0 AND 1),
    eligible   TEXT    CHECK (eligible IS NULL OR json_type(eligible) = 'array'),   -- NULL: not known
    PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE outcome_point (
    series           INTEGER NOT NULL REFERENCES training_series (id),
    at               INTEGER NOT NULL,
    result           TEXT    NOT NULL CHECK (result IN ('success', 'closed', 'escalated')),
    detail           TEXT    NOT NULL CHECK (detail IN ('merged_clean', 'merged_after_fixes', 'closed_unmerged', 'needs_intervention')),
    resolution_hours REAL    NOT NULL,
    PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;

-- Outcomes that were recorded before there were points.
INSERT INTO training_series (repo, pull)
    SELECT substr(repo, 1, instr(repo, '/') - 1) || '_' || substr(repo, instr(repo, '/') + 1), pull FROM outcome;
INSERT INTO outcome_point (series, at, result, detail, resolution_hours)
    SELECT s.id, o.at, o.result, o.detail, o.resolution_hours
    FROM outcome o
    JOIN training_series s ON s.pull = o.pull AND s.author = ''
        AND s.repo = substr(o.repo, 1, instr(o.repo, '/') - 1) || '_' || substr(o.repo, instr(o.repo, '/') + 1);
