-- What receivers took in: bounded and disposable. Times are nanoseconds since the Unix epoch, UTC.

-- Resources and scopes, each stored once.
CREATE TABLE shared (
    id   INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    body BLOB NOT NULL
) STRICT;

-- One row a span. The bytes are as sent; the other columns are what lists and upserts need.
-- A rowid table with a small unique index: ids are random, and random inserts into a table that
-- carries the bytes would touch a page a span.
CREATE TABLE span (
    seq       INTEGER PRIMARY KEY,
    trace_id  BLOB    NOT NULL,
    span_id   BLOB    NOT NULL,
    parent_id BLOB,
    encoding  INTEGER NOT NULL,
    title     TEXT    NOT NULL,
    service   TEXT    NOT NULL,
    start_ns  INTEGER NOT NULL,
    end_ns    INTEGER,
    status    INTEGER NOT NULL,
    resource  INTEGER NOT NULL,
    scope     INTEGER NOT NULL,
    received  INTEGER NOT NULL,
    raw       BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX span_by_id ON span (trace_id, span_id);

-- One row a trace, made from its spans in the transaction that brings them.
CREATE TABLE trace (
    trace_id  BLOB    NOT NULL PRIMARY KEY,
    title     TEXT    NOT NULL,
    services  TEXT    NOT NULL,
    spans     INTEGER NOT NULL,
    start_ns  INTEGER NOT NULL,
    end_ns    INTEGER NOT NULL,
    status    INTEGER NOT NULL,
    open      INTEGER NOT NULL,
    rooted    INTEGER NOT NULL,
    protocols INTEGER NOT NULL,
    received  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_by_start ON trace (start_ns DESC);
