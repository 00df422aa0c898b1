-- The journal: precious. Times are nanoseconds since the Unix epoch, UTC.

-- One row a week's text. `body` is the working text; `revision` counts its writes, and `last_revision` also
-- the texts that were kept without becoming the working text, so that no two texts share a number.
CREATE TABLE entry (
    id            TEXT    NOT NULL PRIMARY KEY,
    slug          TEXT    NOT NULL UNIQUE,
    week          TEXT,
    title         TEXT    NOT NULL,
    body          TEXT    NOT NULL,
    revision      INTEGER NOT NULL,
    last_revision INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    deleted_at    INTEGER,
    -- The stem of the file it was imported from, kept at export; null: named after the week or slug.
    file          TEXT
) STRICT;

-- Texts that can be read back.
CREATE TABLE revision (
    entry_id   TEXT    NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    revision   INTEGER NOT NULL,
    body       TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    client     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (entry_id, revision)
) STRICT;

-- Immutable captures. `canonical` is zstd of the canonical JSON as it was frozen, `raw` zstd of what was received.
-- A purged row keeps its id and digest as a tombstone and has neither.
CREATE TABLE evidence (
    id          TEXT    NOT NULL PRIMARY KEY,
    kind        TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    captured_at INTEGER NOT NULL,
    canonical   BLOB,
    raw         BLOB,
    deleted_at  INTEGER,
    purged_at   INTEGER
) STRICT;

-- Which entry shows which evidence; made anew from the text at every write of it.
CREATE TABLE placement (
    entry_id    TEXT NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    evidence_id TEXT NOT NULL,
    PRIMARY KEY (entry_id, evidence_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX placement_by_evidence ON placement (evidence_id);

-- Lines that the slot finder takes for a slot and the user does not.
CREATE TABLE dismissed_slot (
    entry_id TEXT NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    text     TEXT NOT NULL,
    PRIMARY KEY (entry_id, text)
) STRICT, WITHOUT ROWID;

-- What we last wrote or imported, so that a file somebody else changed is never overwritten.
CREATE TABLE known_file (
    root   TEXT NOT NULL,
    path   TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (root, path)
) STRICT, WITHOUT ROWID;

-- What changed and who did it, read by every process that has the journal open.
CREATE TABLE change (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    what   TEXT NOT NULL,
    id     TEXT NOT NULL,
    client TEXT NOT NULL
) STRICT;
