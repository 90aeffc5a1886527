-- The ledger of the whole budget: beside the dispatches of the pipeline, each with its intent, it has lines under keys of their own
-- (reserved by something else, written by hand, imported). Lines are never deleted; only `state` moves on.
ALTER TABLE ledger DROP CONSTRAINT ledger_pkey;
ALTER TABLE ledger
    ADD COLUMN id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ADD COLUMN key        text   COLLATE "C" UNIQUE,
    ADD COLUMN holder     text,                        -- who reserved under the key
    ADD COLUMN counted_at bigint,                      -- in which windows it counts; never before a line of its pool
    ADD COLUMN provider   text   COLLATE "C",          -- whose pool
    ADD COLUMN member     text   COLLATE "C",          -- whose quota; NULL: nobody's in particular
    ADD COLUMN money      bigint NOT NULL DEFAULT 0 CHECK (money >= 0),     -- minor units
    ADD COLUMN tokens     bigint NOT NULL DEFAULT 0 CHECK (tokens >= 0),
    ALTER COLUMN intent DROP NOT NULL,
    ALTER COLUMN epic DROP NOT NULL,
    ADD UNIQUE (intent);
UPDATE ledger SET counted_at = at, provider = implementer;
ALTER TABLE ledger
    ALTER COLUMN counted_at SET NOT NULL,
    ALTER COLUMN provider SET NOT NULL,
    ADD CHECK ((intent IS NULL) <> (key IS NULL)),
    ADD CHECK (state <> 'reserved' OR intent IS NOT NULL OR holder IS NOT NULL);
CREATE INDEX ledger_by_day ON ledger (repo, counted_at);
CREATE INDEX ledger_by_pool ON ledger (provider, counted_at);
CREATE INDEX ledger_at ON ledger (at);
CREATE INDEX ledger_open ON ledger (id) WHERE state = 'reserved' AND key IS NOT NULL;

-- The plan of a day that is in force: repository to most tasks.
CREATE TABLE allocation (
    day    text   COLLATE "C" PRIMARY KEY,
    shares json   NOT NULL,
    at     bigint NOT NULL
);

-- Runs of schedules, one row a slot.
CREATE TABLE scheduled_run (
    schedule text    COLLATE "C" NOT NULL,
    slot     bigint  NOT NULL,
    holder   text    NOT NULL,
    until    bigint  NOT NULL,                -- whoever comes later may take it over
    tries    integer NOT NULL CHECK (tries > 0),
    ended_at bigint,
    PRIMARY KEY (schedule, slot)
);
