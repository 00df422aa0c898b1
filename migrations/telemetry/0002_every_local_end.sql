-- What the other local ends take in: log events, errors, console lines, X-Ray's settings.

-- Log groups and streams as CloudWatch Logs' API makes them. OTLP log records need neither.
CREATE TABLE log_group (
    name           TEXT    NOT NULL PRIMARY KEY,
    created        INTEGER NOT NULL,
    retention_days INTEGER,
    tags           TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log_stream (
    group_name TEXT    NOT NULL REFERENCES log_group (name) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    created    INTEGER NOT NULL,
    PRIMARY KEY (group_name, name)
) STRICT, WITHOUT ROWID;

-- One row a log event. AUTOINCREMENT: a place that was handed out as an event's id is never another event's.
CREATE TABLE log (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ns    INTEGER NOT NULL,
    group_name TEXT    NOT NULL,
    stream     TEXT    NOT NULL,
    message    TEXT    NOT NULL,
    trace_id   BLOB,
    span_id    BLOB,
    severity   TEXT    NOT NULL,
    encoding   INTEGER NOT NULL,
    resource   INTEGER NOT NULL,
    scope      INTEGER NOT NULL,
    received   INTEGER NOT NULL,
    raw        BLOB    NOT NULL
) STRICT;
CREATE INDEX log_by_time ON log (time_ns);
CREATE INDEX log_by_group ON log (group_name, time_ns);
CREATE INDEX log_by_trace ON log (trace_id) WHERE trace_id IS NOT NULL;

-- One row an occurrence of an error. Rollbar discards a uuid that it knows.
CREATE TABLE occurrence (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid        TEXT    NOT NULL UNIQUE,
    item        TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    level       INTEGER NOT NULL,
    time_ns     INTEGER NOT NULL,
    environment TEXT    NOT NULL,
    person      TEXT    NOT NULL,
    trace_id    BLOB,
    received    INTEGER NOT NULL,
    raw         BLOB    NOT NULL
) STRICT;
CREATE INDEX occurrence_by_item ON occurrence (item, time_ns);
CREATE INDEX occurrence_by_time ON occurrence (time_ns);
CREATE INDEX occurrence_by_trace ON occurrence (trace_id) WHERE trace_id IS NOT NULL;

-- One row a line that a watched command printed.
CREATE TABLE console (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    stream   TEXT    NOT NULL,
    time_ns  INTEGER NOT NULL,
    stderr   INTEGER NOT NULL,
    text     TEXT    NOT NULL,
    trace_id BLOB,
    received INTEGER NOT NULL
) STRICT;
CREATE INDEX console_by_time ON console (time_ns);
CREATE INDEX console_by_trace ON console (trace_id) WHERE trace_id IS NOT NULL;

-- X-Ray's groups and sampling rules, as JSON. Settings, so no limit of age or size takes them.
CREATE TABLE xray_group (
    name TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sampling_rule (
    name     TEXT    NOT NULL PRIMARY KEY,
    priority INTEGER NOT NULL,
    body     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- How often each kind was written: readers see which list is stale.
CREATE TABLE written (
    kind TEXT    NOT NULL PRIMARY KEY,
    n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO written (kind, n) VALUES ('traces', 0), ('logs', 0), ('errors', 0), ('console', 0);

-- The oldest go first, a trace at a time.
CREATE INDEX trace_by_received ON trace (received);

-- What was asked of the receivers over HTTP, and how it was answered: from this `doctor` says why nothing arrives.
CREATE TABLE heard (
    door   TEXT    NOT NULL,
    path   TEXT    NOT NULL,
    status INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (door, path, status)
) STRICT, WITHOUT ROWID;
