-- Full-text search. Which text of what is in the indexes: `number` is the row in the index, `version` the time of the entry's
-- last change then (0 for evidence, which never changes). What is missing or older here is indexed in the background or by the
-- next search, so that no write waits for it. The row of `change` has the number of the last change that the indexes have.
CREATE TABLE indexed (
    number   INTEGER NOT NULL PRIMARY KEY,
    what     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    UNIQUE (what, id)
) STRICT;

-- Without content: the texts are in `entry` and `evidence`. Snippets are made from those that are shown.
CREATE VIRTUAL TABLE entry_index USING fts5 (
    title, body, content = '', contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'", prefix = '1 2 3 4 5 6'
);
-- Of evidence the numbers of rows suffice, without positions: a third of the size. Longer beginnings of words than those in the
-- index are looked up word by word.
CREATE VIRTUAL TABLE evidence_index USING fts5 (
    title, body, content = '', contentless_delete = 1, detail = none,
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'", prefix = '1 2 3 4 5 6'
);
