-- Queries that the user saved: `groups` is a JSON list of log groups or datasets.
CREATE TABLE saved_query (
    id         TEXT    NOT NULL PRIMARY KEY,
    source     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    query      TEXT    NOT NULL,
    groups     TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
