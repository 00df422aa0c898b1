-- What was asked of cloud sources, by month: `calls:X-Ray BatchGetTraces`, `used:InsightsBytes`. Counts, nothing of what was asked.
CREATE TABLE usage (
    month TEXT    NOT NULL,
    what  TEXT    NOT NULL,
    n     INTEGER NOT NULL,
    PRIMARY KEY (month, what)
) STRICT, WITHOUT ROWID;
