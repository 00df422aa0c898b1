-- Spans of one trace may share an id: client and server in traces of Zipkin and Jaeger. `twin` tells them apart, see
-- `core::telemetry::twin`. Spans that are stored already are their id's only one.
ALTER TABLE span ADD COLUMN twin INTEGER NOT NULL DEFAULT 0;
DROP INDEX span_by_trace;
CREATE UNIQUE INDEX span_by_trace ON span (trace, span_id, twin);

-- OTLP's number of a log event's severity, whose text may be in any language; 0 if missing.
ALTER TABLE log ADD COLUMN severity_number INTEGER NOT NULL DEFAULT 0;
