-- The book of the embedded forge. Times are nanoseconds since 1970; names and closed words are text; `made_by` is the step that
-- made a row, as JSON. Long texts stand last in their rows, so that a scan does not touch their pages.

CREATE TABLE account (
    id    INTEGER PRIMARY KEY,
    login TEXT NOT NULL UNIQUE COLLATE NOCASE
) STRICT;
INSERT INTO account (id, login) VALUES (1, 'banksman');

-- Issues and pull requests: one sequence of numbers per repository.
CREATE TABLE item (
    repo       TEXT NOT NULL,
    number     INTEGER NOT NULL CHECK (number > 0),
    kind       TEXT NOT NULL CHECK (kind IN ('issue', 'pull')),
    author     INTEGER NOT NULL REFERENCES account,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    closed_at  INTEGER,
    revision   INTEGER NOT NULL DEFAULT 1,
    made_by    TEXT,
    title      TEXT NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (repo, number)
) STRICT;
CREATE INDEX item_open ON item (repo, kind, number) WHERE closed_at IS NULL;
CREATE INDEX item_made ON item (repo, made_by, created_at) WHERE made_by IS NOT NULL;

CREATE TABLE label (
    repo   TEXT NOT NULL,
    number INTEGER NOT NULL,
    name   TEXT NOT NULL,
    PRIMARY KEY (repo, number, name),
    FOREIGN KEY (repo, number) REFERENCES item
) STRICT, WITHOUT ROWID;

CREATE TABLE comment (
    id      INTEGER PRIMARY KEY,
    repo    TEXT NOT NULL,
    number  INTEGER NOT NULL,
    author  INTEGER NOT NULL REFERENCES account,
    at      INTEGER NOT NULL,
    made_by TEXT,
    body    TEXT NOT NULL,
    FOREIGN KEY (repo, number) REFERENCES item
) STRICT;
CREATE INDEX comment_on ON comment (repo, number, id);
CREATE INDEX comment_made ON comment (repo, made_by, at) WHERE made_by IS NOT NULL;

CREATE TABLE child (
    repo   TEXT NOT NULL,
    child  INTEGER NOT NULL,
    parent INTEGER NOT NULL CHECK (parent <> child),
    PRIMARY KEY (repo, child),
    FOREIGN KEY (repo, child) REFERENCES item,
    FOREIGN KEY (repo, parent) REFERENCES item
) STRICT, WITHOUT ROWID;
CREATE INDEX child_of ON child (repo, parent);

CREATE TABLE block (
    repo    TEXT NOT NULL,
    blocked INTEGER NOT NULL,
    blocker INTEGER NOT NULL CHECK (blocker <> blocked),
    PRIMARY KEY (repo, blocked, blocker),
    FOREIGN KEY (repo, blocked) REFERENCES item,
    FOREIGN KEY (repo, blocker) REFERENCES item
) STRICT, WITHOUT ROWID;

CREATE TABLE pull (
    repo         TEXT NOT NULL,
    number       INTEGER NOT NULL,
    head_branch  TEXT NOT NULL,
    base         TEXT NOT NULL,
    head         TEXT NOT NULL,
    readiness    TEXT NOT NULL CHECK (readiness IN ('draft', 'ready')),
    head_fate    TEXT NOT NULL CHECK (head_fate IN ('kept', 'deleted')),
    merged_head  TEXT,
    merge_commit TEXT,
    additions    INTEGER,
    deletions    INTEGER,
    files        INTEGER,
    PRIMARY KEY (repo, number),
    FOREIGN KEY (repo, number) REFERENCES item,
    CHECK ((merged_head IS NULL) = (merge_commit IS NULL)),
    CHECK ((additions IS NULL) = (deletions IS NULL) AND (additions IS NULL) = (files IS NULL)),
    CHECK (merge_commit IS NULL OR files IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX pull_from ON pull (repo, head_branch, number);
CREATE INDEX pull_untidy ON pull (repo, number) WHERE merge_commit IS NOT NULL AND head_fate = 'deleted';

CREATE TABLE closes (
    repo  TEXT NOT NULL,
    pull  INTEGER NOT NULL,
    issue INTEGER NOT NULL,
    PRIMARY KEY (repo, pull, issue),
    FOREIGN KEY (repo, pull) REFERENCES pull,
    FOREIGN KEY (repo, issue) REFERENCES item
) STRICT, WITHOUT ROWID;

CREATE TABLE head (
    repo    TEXT NOT NULL,
    pull    INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    sha     TEXT NOT NULL,
    at      INTEGER NOT NULL,
    origin  TEXT NOT NULL CHECK (origin IN ('pushed', 'updated')),
    commits TEXT NOT NULL CHECK (commits IN ('some', 'none')),
    PRIMARY KEY (repo, pull, seq),
    FOREIGN KEY (repo, pull) REFERENCES pull
) STRICT, WITHOUT ROWID;

-- Written before a branch moves, so that a look after a crash knows what the new commit is.
CREATE TABLE merge_plan (
    repo       TEXT NOT NULL,
    pull       INTEGER NOT NULL,
    head       TEXT NOT NULL,
    base       TEXT NOT NULL,
    from_sha   TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    additions  INTEGER NOT NULL,
    deletions  INTEGER NOT NULL,
    files      INTEGER NOT NULL,
    PRIMARY KEY (repo, pull),
    FOREIGN KEY (repo, pull) REFERENCES pull
) STRICT, WITHOUT ROWID;

CREATE TABLE update_plan (
    repo       TEXT NOT NULL,
    pull       INTEGER NOT NULL,
    commit_sha TEXT NOT NULL,
    from_sha   TEXT NOT NULL,
    PRIMARY KEY (repo, pull, commit_sha),
    FOREIGN KEY (repo, pull) REFERENCES pull
) STRICT, WITHOUT ROWID;

CREATE TABLE review (
    id       INTEGER PRIMARY KEY,
    repo     TEXT NOT NULL,
    pull     INTEGER NOT NULL,
    reviewer INTEGER NOT NULL REFERENCES account,
    opinion  TEXT NOT NULL CHECK (opinion IN ('approved', 'changes_requested', 'commented')),
    head     TEXT NOT NULL,
    at       INTEGER NOT NULL,
    body     TEXT NOT NULL,
    FOREIGN KEY (repo, pull) REFERENCES pull
) STRICT;
CREATE INDEX review_of ON review (repo, pull, id);

CREATE TABLE thread (
    id          INTEGER PRIMARY KEY,
    repo        TEXT NOT NULL,
    pull        INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    resolved_by INTEGER REFERENCES account,
    line        INTEGER,
    path        TEXT,
    FOREIGN KEY (repo, pull) REFERENCES pull,
    CHECK ((line IS NULL) = (path IS NULL))
) STRICT;
CREATE INDEX thread_of ON thread (repo, pull, id);

CREATE TABLE thread_comment (
    id     INTEGER PRIMARY KEY,
    thread INTEGER NOT NULL REFERENCES thread,
    author INTEGER NOT NULL REFERENCES account,
    at     INTEGER NOT NULL,
    body   TEXT NOT NULL
) STRICT;
CREATE INDEX thread_comment_in ON thread_comment (thread, id);

CREATE TABLE run (
    repo      TEXT NOT NULL,
    sha       TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done')),
    claim     INTEGER UNIQUE,
    tries     INTEGER NOT NULL DEFAULT 0,
    queued_at INTEGER NOT NULL,
    PRIMARY KEY (repo, sha),
    CHECK (state <> 'running' OR claim IS NOT NULL)
) STRICT;
CREATE INDEX run_unfinished ON run (repo, state, queued_at) WHERE state <> 'done';
CREATE TABLE last_claim (n INTEGER NOT NULL) STRICT;
INSERT INTO last_claim VALUES (0);

CREATE TABLE result (
    repo  TEXT NOT NULL,
    sha   TEXT NOT NULL,
    name  TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('passing', 'failing')),
    at    INTEGER NOT NULL,
    log   TEXT NOT NULL,
    PRIMARY KEY (repo, sha, name),
    FOREIGN KEY (repo, sha) REFERENCES run
) STRICT;
