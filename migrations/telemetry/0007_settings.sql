-- Groups, streams and sampling rules count towards the limit, too, and go when nothing has used them for as long as
-- telemetry is kept. `used`: when a client created, changed or asked for it, or when its last event arrived, as far as
-- that was looked up.
ALTER TABLE log_group ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
ALTER TABLE log_stream ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
ALTER TABLE xray_group ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sampling_rule ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
UPDATE log_group SET used = unixepoch() * 1000000000;
UPDATE log_stream SET used = unixepoch() * 1000000000;
UPDATE xray_group SET used = unixepoch() * 1000000000;
UPDATE sampling_rule SET used = unixepoch() * 1000000000;

INSERT INTO written (kind, n, bytes) SELECT 'settings', 0,
    (SELECT coalesce(sum(octet_length(name) + octet_length(tags) + 100), 0) FROM log_group)
  + (SELECT coalesce(sum(octet_length(group_name) + octet_length(name) + 100), 0) FROM log_stream)
  + (SELECT coalesce(sum(octet_length(name) + octet_length(body) + 100), 0) FROM xray_group)
  + (SELECT coalesce(sum(octet_length(name) + octet_length(body) + 100), 0) FROM sampling_rule);
