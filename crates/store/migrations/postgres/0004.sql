-- Training data as time series (70-training.md): closed words, counts and times, never free text. The key of a point is its series and its
-- time; whoever writes it again overwrites it.

-- Tags, once. `author` is empty for measurements that have none.
CREATE TABLE training_series (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repo   text   COLLATE "C" NOT NULL CHECK (repo <> ''),   -- owner_name
    pull   bigint NOT NULL CHECK (pull >= 0),
    author text   COLLATE "C" NOT NULL DEFAULT '',
    UNIQUE (repo, pull, author)
);

CREATE TABLE pr_observation (
    series                    bigint   NOT NULL REFERENCES training_series,
    at                        bigint   NOT NULL,
    merge_state               smallint NOT NULL CHECK (merge_state BETWEEN 1 AND 8),   -- clean, behind, blocked, dirty, unstable, has_hooks, draft, unknown
    flags                     smallint NOT NULL CHECK (flags BETWEEN 0 AND 7),         -- 1 mergeable, 2 draft, 4 auto-merge
    checks_total              bigint   NOT NULL,
    checks_passing            bigint   NOT NULL,
    checks_failing            bigint   NOT NULL,
    reviews_approved          bigint   NOT NULL,
    reviews_changes_requested bigint   NOT NULL,
    threads_total             bigint   NOT NULL,
    threads_unresolved        bigint   NOT NULL,
    pr_age_hours              bigint   NOT NULL,
    last_push_hours           bigint   NOT NULL,
    last_activity_hours       bigint   NOT NULL,
    conflict_attempts         bigint   NOT NULL,
    review_fix_attempts       bigint   NOT NULL,
    PRIMARY KEY (series, at)
);

CREATE TABLE action_taken (
    series     bigint NOT NULL REFERENCES training_series,
    at         bigint NOT NULL,
    action     text   NOT NULL,
    reason     text   NOT NULL,
    policy     text   NOT NULL,
    propensity double precision NOT NULL CHECK (propensity BETWEEN 0 AND 1),
    eligible   json,                          -- NULL: not known
    PRIMARY KEY (series, at)
);

CREATE TABLE outcome_point (
    series           bigint NOT NULL REFERENCES training_series,
    at               bigint NOT NULL,
    result           text   NOT NULL CHECK (result IN ('success', 'closed', 'escalated')),
    detail           text   NOT NULL
        CHECK (detail IN ('merged_clean', 'merged_after_fixes', 'closed_unmerged', 'needs_intervention')),
    resolution_hours double precision NOT NULL,
    PRIMARY KEY (series, at)
);

-- Outcomes that were recorded before there were points.
INSERT INTO training_series (repo, pull)
    SELECT split_part(repo, '/', 1) || '_' || split_part(repo, '/', 2), pull FROM outcome;
INSERT INTO outcome_point (series, at, result, detail, resolution_hours)
    SELECT s.id, o.at, o.result, o.detail, o.resolution_hours
    FROM outcome o
    JOIN training_series s ON s.pull = o.pull AND s.author = ''
        AND s.repo = split_part(o.repo, '/', 1) || '_' || split_part(o.repo, '/', 2);
