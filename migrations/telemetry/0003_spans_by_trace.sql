-- A span names its trace by the trace's number, so that only one entry a trace is looked up and written by a random id;
-- all others go where the ones before them went. And what each kind takes is counted, so that none crowds out another.

-- In the order of arrival. `bytes`: what its spans take, see `crates/store/src/bounds.rs`.
CREATE TABLE trace_by_number (
    seq       INTEGER PRIMARY KEY,
    trace_id  BLOB    NOT NULL,
    title     TEXT    NOT NULL,
    services  TEXT    NOT NULL,
    spans     INTEGER NOT NULL,
    start_ns  INTEGER NOT NULL,
    end_ns    INTEGER NOT NULL,
    status    INTEGER NOT NULL,
    open      INTEGER NOT NULL,
    rooted    INTEGER NOT NULL,
    protocols INTEGER NOT NULL,
    received  INTEGER NOT NULL,
    bytes     INTEGER NOT NULL
) STRICT;
INSERT INTO trace_by_number (trace_id, title, services, spans, start_ns, end_ns, status, open, rooted, protocols, received, bytes)
    SELECT trace_id, title, services, spans, start_ns, end_ns, status, open, rooted, protocols, received,
      (SELECT coalesce(sum(octet_length(raw) + octet_length(title) + octet_length(service) + 150), 0) + 200
       FROM span WHERE span.trace_id = trace.trace_id)
    FROM trace ORDER BY received, start_ns;
DROP TABLE trace;
ALTER TABLE trace_by_number RENAME TO trace;
CREATE UNIQUE INDEX trace_by_id ON trace (trace_id);
CREATE INDEX trace_by_start ON trace (start_ns DESC, trace_id);

-- No REFERENCES: it would be looked up at every span, and only the statements beside each other in one file write these two.
CREATE TABLE span_of_trace (
    seq       INTEGER PRIMARY KEY,
    trace     INTEGER NOT NULL,
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
INSERT INTO span_of_trace
    SELECT s.seq, t.seq, s.span_id, s.parent_id, s.encoding, s.title, s.service, s.start_ns, s.end_ns, s.status,
      s.resource, s.scope, s.received, s.raw
    FROM span s JOIN trace t ON t.trace_id = s.trace_id ORDER BY s.seq;
DROP TABLE span;
ALTER TABLE span_of_trace RENAME TO span;
CREATE UNIQUE INDEX span_by_trace ON span (trace, span_id);

ALTER TABLE written ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE written SET bytes = CASE kind
    WHEN 'traces' THEN (SELECT coalesce(sum(bytes), 0) FROM trace)
    WHEN 'logs' THEN (SELECT coalesce(sum(octet_length(message) + octet_length(raw) + octet_length(group_name)
      + octet_length(stream) + 200), 0) FROM log)
    WHEN 'errors' THEN (SELECT coalesce(sum(octet_length(raw) + octet_length(title) + octet_length(item) + 300), 0) FROM occurrence)
    ELSE (SELECT coalesce(sum(octet_length(text) + octet_length(stream) + 100), 0) FROM console)
    END;
