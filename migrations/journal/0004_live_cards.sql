-- Questions that are asked anew while their card is shown. `question` is JSON. A card that no text shows any more stays: an
-- undo, an older revision or the clipboard may bring its reference back, and it is a few hundred bytes.
CREATE TABLE live_card (
    id           TEXT    NOT NULL PRIMARY KEY,
    title        TEXT    NOT NULL,
    question     TEXT    NOT NULL,
    pace_seconds INTEGER NOT NULL,
    paused       INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;

-- Which evidence was frozen from which card, when, and as the answer to which question: an export shows what was frozen last,
-- is still there, and answers what the card asks now.
CREATE TABLE live_card_answer (
    card_id     TEXT    NOT NULL REFERENCES live_card (id),
    evidence_id TEXT    NOT NULL REFERENCES evidence (id),
    question    TEXT    NOT NULL,
    frozen_at   INTEGER NOT NULL,
    PRIMARY KEY (card_id, evidence_id)
) STRICT, WITHOUT ROWID;
