-- What commands and addresses of the configuration have to be told still (model::HookEvent as JSON). A row goes once they were.
CREATE TABLE hooks_to_tell (
    id       TEXT PRIMARY KEY NOT NULL,
    document TEXT NOT NULL
) STRICT;
