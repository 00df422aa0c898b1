-- What receivers turned away, by listener, place and reason, for the doctor. `kind` is the reason without numbers and
-- quoted input; `reason` has the words of the last one.
CREATE TABLE refusal (
    listener TEXT    NOT NULL,
    place    TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    n        INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    PRIMARY KEY (listener, place, kind)
) STRICT, WITHOUT ROWID;
