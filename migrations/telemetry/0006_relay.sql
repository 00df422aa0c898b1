-- What waits to be sent on to the real services, written in the transaction that keeps what came in.

-- One row a payload. It points at nothing: telemetry may be trimmed while this waits. AUTOINCREMENT: a place that was
-- sent is never another payload's. There is no credential in it: the sender's own come when it is sent.
CREATE TABLE relay (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    items       INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    tries       INTEGER NOT NULL DEFAULT 0,
    received    INTEGER NOT NULL,
    body        BLOB    NOT NULL
) STRICT;
-- What failed goes behind what was not tried yet. All that choosing and counting need, so that neither reads a body.
CREATE INDEX relay_waiting ON relay (destination, tries, seq, kind, items, bytes, received);

-- What became of what came, since the journal began, and why the rest waits. It is read by other processes too.
CREATE TABLE relay_count (
    destination TEXT    NOT NULL PRIMARY KEY,
    sent        INTEGER NOT NULL DEFAULT 0,
    refused     INTEGER NOT NULL DEFAULT 0,
    dropped     INTEGER NOT NULL DEFAULT 0,
    last_sent   INTEGER,
    refusal     TEXT    NOT NULL DEFAULT '',
    problem     TEXT    NOT NULL DEFAULT '',
    hint        TEXT    NOT NULL DEFAULT '',
    since       INTEGER,
    -- How often somebody wanted it tried again: in whatever process, the one that sends sees it.
    asked       INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

INSERT INTO written (kind, n) VALUES ('relay', 0);
