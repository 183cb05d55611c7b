-- What is searched for becomes a column of its own; until now it had to be read out of the JSON of every row.
-- Both tables are made anew under another name, since a column without a default can't be added.

CREATE TABLE new_migrations (
    id            TEXT PRIMARY KEY NOT NULL, -- a UUIDv7: sorts by time
    vm            TEXT NOT NULL,
    vm_name       TEXT NOT NULL,             -- when it began
    source        TEXT NOT NULL,
    destination   TEXT NOT NULL,
    phase         TEXT NOT NULL,             -- as in JSON, e.g. copying-memory
    open          INTEGER NOT NULL,          -- 1 until it has ended
    requested_by  TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    ended_at_ms   INTEGER,
    document      TEXT NOT NULL              -- the whole record as JSON (model::Migration): the columns are what is searched, not what is read
) STRICT;

INSERT INTO new_migrations
SELECT
    id, vm, json ->> '$.vm_name', json ->> '$.source', json ->> '$.destination', json ->> '$.phase', open,
    json ->> '$.requested_by', json ->> '$.created_at_ms', json ->> '$.ended_at_ms', json
FROM migrations;

CREATE TABLE new_migration_events (
    number    INTEGER PRIMARY KEY,
    migration TEXT NOT NULL REFERENCES new_migrations (id),
    at_ms     INTEGER NOT NULL,
    phase     TEXT NOT NULL,
    text      TEXT NOT NULL
) STRICT;

INSERT INTO new_migration_events
SELECT number, migration, json ->> '$.at_ms', json ->> '$.phase', json ->> '$.text'
FROM migration_events;

-- The events first: they refer to the migrations. The references follow the new names.
DROP TABLE migration_events;
DROP TABLE migrations;
ALTER TABLE new_migrations RENAME TO migrations;
ALTER TABLE new_migration_events RENAME TO migration_events;

CREATE UNIQUE INDEX one_open_migration_a_vm ON migrations (vm) WHERE open;
CREATE INDEX open_migrations ON migrations (id) WHERE open;
-- Lists are newest first, by id, and go on after an id: each index is in the order of the list that it serves.
CREATE INDEX migrations_by_vm ON migrations (vm, id);
CREATE INDEX migrations_by_vm_name ON migrations (vm_name, id);
CREATE INDEX migrations_by_source ON migrations (source, id);
CREATE INDEX migrations_by_destination ON migrations (destination, id);
CREATE INDEX migrations_by_phase ON migrations (phase, id);
CREATE INDEX migrations_by_requested_by ON migrations (requested_by, id);
CREATE INDEX migrations_by_time ON migrations (created_at_ms);
CREATE INDEX events_of_a_migration ON migration_events (migration, number);

CREATE INDEX audit_by_actor ON audit (actor, number);
CREATE INDEX audit_by_action ON audit (action, number);
