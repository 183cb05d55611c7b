-- What was measured of a migration while it ran: a list of points in JSON. Apart from the record, which lists load.

CREATE TABLE migration_traces (
    migration TEXT PRIMARY KEY REFERENCES migrations (id),
    points TEXT NOT NULL
) STRICT;
