-- What placeholders in exports stand for. `value` is null where a text that was imported, or was written here, has the
-- placeholder: its number is never given to another value. `origin` is then the public name of the journal that gave it.
CREATE TABLE mask (
    kind       TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    value      TEXT,
    origin     TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (kind, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX mask_by_value ON mask (kind, value) WHERE value IS NOT NULL;

-- The one secret of the journal, from which the salts of masked evidence are made. Never exported.
CREATE TABLE mask_secret (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    secret BLOB    NOT NULL
) STRICT;

-- Values that are exported as they are: everywhere, or (with an entry) in the text of one entry.
CREATE TABLE mask_exception (
    value      TEXT    NOT NULL,
    entry_id   TEXT    NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    PRIMARY KEY (value, entry_id)
) STRICT, WITHOUT ROWID;
