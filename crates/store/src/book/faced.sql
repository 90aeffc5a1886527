-- What the forge's GitHub-compatible face needs: numbers of repositories, labels with properties, pull requests that are to be
-- merged by themselves, and the review that a thread came with.

CREATE TABLE repository (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE known_label (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    repo        TEXT NOT NULL,
    name        TEXT NOT NULL COLLATE NOCASE,
    color       TEXT NOT NULL DEFAULT 'ededed' CHECK (length(color) = 6),
    description TEXT NOT NULL DEFAULT '',
    UNIQUE (repo, name)
) STRICT;
INSERT OR IGNORE INTO known_label (repo, name) SELECT DISTINCT repo, name FROM label ORDER BY repo, name;

CREATE TABLE armed (
    repo   TEXT NOT NULL,
    pull   INTEGER NOT NULL,
    by     INTEGER NOT NULL REFERENCES account,
    method TEXT NOT NULL CHECK (method IN ('squash', 'merge')),
    at     INTEGER NOT NULL,
    PRIMARY KEY (repo, pull),
    FOREIGN KEY (repo, pull) REFERENCES pull
) STRICT, WITHOUT ROWID;

ALTER TABLE thread ADD COLUMN review INTEGER REFERENCES review;

-- A comment that was taken away keeps its row: ids are never given twice.
ALTER TABLE comment ADD COLUMN removed_at INTEGER;

-- Versions of a body that was changed, the first one included; whoever changes it next can see what was written meanwhile.
CREATE TABLE version (
    id     INTEGER PRIMARY KEY,
    repo   TEXT NOT NULL,
    number INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    body   TEXT NOT NULL,
    FOREIGN KEY (repo, number) REFERENCES item
) STRICT;
CREATE INDEX version_of ON version (repo, number, id);

-- What accounts say of commits.
CREATE TABLE status (
    id          INTEGER PRIMARY KEY,
    repo        TEXT NOT NULL,
    sha         TEXT NOT NULL,
    creator     INTEGER NOT NULL REFERENCES account,
    context     TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('error', 'failure', 'pending', 'success')),
    at          INTEGER NOT NULL,
    target      TEXT NOT NULL,
    description TEXT NOT NULL
) STRICT;
CREATE INDEX status_of ON status (repo, sha, id);
