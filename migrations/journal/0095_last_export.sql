-- What the last export of an entry to a folder was made from and wrote there, so that an unchanged entry is neither masked
-- nor drawn again. `inputs` is a digest; `outcome` is JSON. Any row may be deleted: the next export is slower.
CREATE TABLE last_export (
    root        TEXT    NOT NULL,
    entry_id    TEXT    NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    inputs      TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    exported_at INTEGER NOT NULL,
    PRIMARY KEY (root, entry_id)
) STRICT, WITHOUT ROWID;
