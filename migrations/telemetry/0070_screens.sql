-- What a row is: 0 a line that was printed and is shown so, 1 a row of a terminal's screen that no single line shows,
-- 2 a line that was printed and is not shown so.
ALTER TABLE console ADD COLUMN form INTEGER NOT NULL DEFAULT 0;
-- When a row of a screen was first written, if that is not time_ns.
ALTER TABLE console ADD COLUMN begun_ns INTEGER;
