-- Evidence that came from a file: when, and what in it contradicted something else then, as a JSON list. Both are null for
-- what this journal captured itself, and for what was imported before this migration.
ALTER TABLE evidence ADD COLUMN imported_at INTEGER;
ALTER TABLE evidence ADD COLUMN doubts TEXT;
