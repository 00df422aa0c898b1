-- Publishing to a branch of a git repository of the user's: where to (one row), and what both sides agreed on last.
CREATE TABLE sync (
    one       INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    repo      TEXT    NOT NULL,
    remote    TEXT    NOT NULL,
    branch    TEXT    NOT NULL,
    folder    TEXT    NOT NULL,
    -- The commit of the branch that the journal agreed with last; null before the first time.
    agreed    TEXT,
    -- A commit that was about to be pushed. Whether it arrived is only known from the branch.
    pending   TEXT,
    synced_at INTEGER
) STRICT;

-- One row for each entry that is published, at stage 'agreed', and at stage 'pending' what the pending commit makes of it.
-- `print` is a digest of the entry's files there, `inputs` one of what they were made from here ('' if this journal has more
-- than they do), and `body` the text as an import of the files reads it: the base of the next merge.
CREATE TABLE sync_entry (
    stage    TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    file     TEXT NOT NULL,
    print    TEXT NOT NULL,
    inputs   TEXT NOT NULL,
    title    TEXT NOT NULL,
    week     TEXT,
    body     TEXT NOT NULL,
    PRIMARY KEY (stage, entry_id)
) STRICT;
