-- Pictures of entries, each stored once by content. `bytes` is null once its data was erased: id and digest stay, so that an
-- import does not bring it back.
CREATE TABLE attachment (
    id         TEXT    NOT NULL PRIMARY KEY,
    -- Of `bytes`, in hex digits.
    sha256     TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    media      TEXT    NOT NULL,
    length     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    bytes      BLOB,
    width      INTEGER,
    height     INTEGER,
    deleted_at INTEGER,
    purged_at  INTEGER
) STRICT;

-- Where an entry's text shows an attachment. `link` is what the text names and `path` the file in an export, both below the
-- export's folder. They differ where the text does not name the folder (`![[x.png]]`). A row stays when the text no longer
-- shows the picture: an undo or an older revision may show it again.
CREATE TABLE attached (
    entry_id      TEXT    NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    link          TEXT    NOT NULL,
    path          TEXT    NOT NULL,
    attachment_id TEXT    NOT NULL REFERENCES attachment (id),
    added_at      INTEGER NOT NULL,
    PRIMARY KEY (entry_id, link)
) STRICT, WITHOUT ROWID;
CREATE INDEX attached_by_attachment ON attached (attachment_id, added_at);
