-- Hosts that were registered at run time, as somebody wrote them (model::HostSettings as JSON). Never a secret.
CREATE TABLE hosts (
    name     TEXT PRIMARY KEY,
    settings TEXT NOT NULL
) STRICT;
