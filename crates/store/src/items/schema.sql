-- The items of the embedded tracker. Times are nanoseconds since 1970. Long texts stand last in their rows, so that a scan does not
-- touch their pages.

CREATE TABLE item (
    row         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    product     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('open', 'in_progress', 'blocked', 'done')),
    priority    TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    labels      TEXT NOT NULL,
    title       TEXT NOT NULL,
    note        TEXT,
    description TEXT NOT NULL
) STRICT;
CREATE INDEX item_open ON item (product, row) WHERE status = 'open';

CREATE TABLE item_label (
    name TEXT NOT NULL,
    item INTEGER NOT NULL REFERENCES item,
    PRIMARY KEY (name, item)
) STRICT, WITHOUT ROWID;

CREATE TABLE item_comment (
    id   INTEGER PRIMARY KEY,
    item INTEGER NOT NULL REFERENCES item,
    at   INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX item_comment_on ON item_comment (item, id);
