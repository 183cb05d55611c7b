-- Evacuations: the record without its items (model::Evacuation as JSON), and each item (model::EvacuationItem as JSON) at its place.
CREATE TABLE evacuations (
    id       TEXT PRIMARY KEY NOT NULL, -- a UUIDv7: sorts by time
    open     INTEGER NOT NULL,          -- 1 until it has ended
    document TEXT NOT NULL
) STRICT;

CREATE INDEX open_evacuations ON evacuations (open) WHERE open;

CREATE TABLE evacuation_items (
    evacuation TEXT NOT NULL REFERENCES evacuations (id),
    vm         TEXT NOT NULL,
    place      INTEGER NOT NULL,        -- grows along the queue; those between others get new ones when the order changes
    document   TEXT NOT NULL,
    PRIMARY KEY (evacuation, vm)
) STRICT;

CREATE TABLE evacuation_events (
    number     INTEGER PRIMARY KEY,
    evacuation TEXT NOT NULL REFERENCES evacuations (id),
    at_ms      INTEGER NOT NULL,
    text       TEXT NOT NULL
) STRICT;

CREATE INDEX events_of_an_evacuation ON evacuation_events (evacuation, number);

-- Hosts that are not in ordinary use (model::Maintenance as JSON).
CREATE TABLE maintenance (
    host     TEXT PRIMARY KEY NOT NULL,
    document TEXT NOT NULL
) STRICT;

-- The rules for where VMs may be (model::PlacementRules as JSON); at most one row.
CREATE TABLE placement_rules (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    document TEXT NOT NULL
) STRICT;
