-- Times are ms since 1970.

-- A migration as the engine hands it over, and beside it what is searched for and what the database itself has to keep true.
CREATE TABLE migrations (
    id   TEXT PRIMARY KEY NOT NULL, -- a UUIDv7: sorts by time
    vm   TEXT NOT NULL,
    open INTEGER NOT NULL,          -- 1 until it has ended
    json TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX one_open_migration_a_vm ON migrations (vm) WHERE open;

CREATE TABLE migration_events (
    number    INTEGER PRIMARY KEY,
    migration TEXT NOT NULL REFERENCES migrations (id),
    json      TEXT NOT NULL
) STRICT;

CREATE INDEX events_of_a_migration ON migration_events (migration, number);

-- The next number of the update stream; one row.
CREATE TABLE sequence (next INTEGER NOT NULL) STRICT;
INSERT INTO sequence VALUES (1);

CREATE TABLE users (
    name          TEXT PRIMARY KEY NOT NULL,
    password_hash TEXT NOT NULL,    -- a PHC string
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id_hash    TEXT PRIMARY KEY NOT NULL, -- SHA-256 of the cookie, in hex: who reads the database can't use it
    user       TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    address    TEXT NOT NULL,
    user_agent TEXT NOT NULL
) STRICT;

CREATE INDEX sessions_of_a_user ON sessions (user);

-- What the login throttle remembers, so that a restart forgives nobody.
CREATE TABLE login_failures (
    key      TEXT PRIMARY KEY NOT NULL,
    failures INTEGER NOT NULL,
    last     INTEGER NOT NULL
) STRICT;

-- Who did what. Rows are only ever added.
CREATE TABLE audit (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    details TEXT NOT NULL           -- a JSON object
) STRICT;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
