"""A small Flask service, instrumented with the real SDKs, for tests and fixtures.

It is modelled on the backend of an observability bootcamp: an activities feed, a user's page, and a
notifications route whose view forgets to return its value. Nothing in it is a fake of an SDK: what it
sends is what a student's service sends.

    service.py [--otlp] [--xray] [--port N]

--otlp   OpenTelemetry SDK, OTLP over HTTP; the endpoint comes from the standard OTEL_* variables
--xray   AWS X-Ray SDK; the daemon's address comes from AWS_XRAY_DAEMON_ADDRESS
Neither is on by default (TRACEBOOK_SERVICE_MODES="otlp,xray" works too). The first line on stdout is
{"ready": true, "port": N, "pid": N, "modes": [...]}. SIGTERM and Ctrl-C flush, then exit 0.
"""

import argparse
import contextlib
import json
import logging
import os
import signal
import threading
from datetime import datetime, timezone

from flask import Flask, abort, jsonify
from werkzeug.serving import WSGIRequestHandler, make_server

NAME = os.environ.get("OTEL_SERVICE_NAME", "backend-flask")

log = logging.getLogger("cruddur")


class OtelTools:
    """Spans, logs and metrics of the OpenTelemetry SDK."""

    def __init__(self, app):
        from opentelemetry import metrics, trace
        from opentelemetry._logs import LogRecord, SeverityNumber, set_logger_provider
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.flask import FlaskInstrumentor
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create({"service.name": NAME, "service.version": "1.4.0"})
        self.trace = trace
        self.traces = TracerProvider(resource=resource)
        self.traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(self.traces)
        self.logs = LoggerProvider(resource=resource)
        self.logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        set_logger_provider(self.logs)
        self.metrics = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)
        metrics.set_meter_provider(self.metrics)
        FlaskInstrumentor().instrument_app(app)

        otel_log = self.logs.get_logger(log.name)
        levels = {
            logging.INFO: SeverityNumber.INFO,
            logging.WARNING: SeverityNumber.WARN,
            logging.ERROR: SeverityNumber.ERROR,
        }

        class Bridge(logging.Handler):
            """Each line of the service's own logger is one OTLP log record in the trace of its request."""

            def emit(self, record):
                otel_log.emit(
                    LogRecord(
                        timestamp=int(record.created * 1e9),
                        severity_text=record.levelname,
                        severity_number=levels.get(record.levelno, SeverityNumber.UNSPECIFIED),
                        body=record.getMessage(),
                        attributes={"code.function.name": record.funcName, "thread.name": record.threadName},
                        context=None,
                    )
                )

        log.addHandler(Bridge())
        self.tracer = trace.get_tracer("home.activities", "1.0")
        with self.tracer.start_as_current_span("feed-refresh") as span:
            span.set_attribute("app.feed", "home")
            self.refreshed_by = span.get_span_context()

    def span(self, name, links=(), **attributes):
        return self.tracer.start_as_current_span(name, links=list(links), attributes=attributes)

    def link(self, **attributes):
        return self.trace.Link(self.refreshed_by, attributes)

    def shutdown(self):
        self.traces.shutdown()
        self.logs.shutdown()
        self.metrics.shutdown()


class XRayTools:
    """Segments and subsegments of the AWS X-Ray SDK."""

    def __init__(self, app):
        from aws_xray_sdk.core import xray_recorder
        from aws_xray_sdk.ext.flask.middleware import XRayMiddleware

        self.recorder = xray_recorder
        xray_recorder.configure(service=NAME, context_missing="LOG_ERROR", plugins=())
        XRayMiddleware(app, xray_recorder)

    def subsegment(self, name):
        return self.recorder.in_subsegment(name)

    def send_unfinished(self):
        """The segment as it stands now (`in_progress`), as SDKs do for long requests."""
        self.recorder.emitter.send_entity(self.recorder.current_segment())


class Silent:
    """Stands in where a tool is off: every call does nothing."""

    @contextlib.contextmanager
    def span(self, name, links=(), **attributes):
        yield self

    @contextlib.contextmanager
    def subsegment(self, name):
        yield self

    def link(self, **attributes):
        return None

    def ignore(self, *args, **kwargs):
        return None

    set_attribute = add_event = put_annotation = put_metadata = send_unfinished = shutdown = ignore


PEOPLE = {
    "andrewbrown": {"display_name": "Andrew Brown", "email": "andrew@example.org"},
    "bayko": {"display_name": "Londo Mollari", "email": "londo@example.org"},
}
FEED = [
    {"uuid": "68f126b0-1ceb-4a33-88be-d90fa7109eee", "handle": "andrewbrown", "message": "Cloud is very fun!"},
    {"uuid": "66e12864-8c26-4c3a-9658-95a10f8fea67", "handle": "bayko", "message": "I am <b>not</b> amused & tired 🙂"},
    {"uuid": "248959df-3079-4947-b847-9e0892d1bab4", "handle": "garek", "message": "“My dear doctor” | a tailor"},
]


def query_profiles(handle):
    try:
        return PEOPLE[handle.lower()]
    except KeyError as error:
        raise LookupError(f"no profile row for {handle!r}") from error


def create_app(modes):
    app = Flask("cruddur")
    xray = XRayTools(app) if "xray" in modes else Silent()
    otel = OtelTools(app) if "otlp" in modes else Silent()
    app.extensions["tracebook_otel"] = otel

    @app.get("/health")
    def health():
        return jsonify(ok=True)

    @app.get("/api/activities/home")
    def activities_home():
        now = datetime.now(timezone.utc)
        link = otel.link(reason="cached feed")
        with (
            otel.span("home-activities-mock-data", links=[link] if link else []) as span,
            xray.subsegment("home-activities") as subsegment,
        ):
            span.set_attribute("app.now", now.isoformat())
            span.set_attribute("app.user.signed_in", False)
            span.set_attribute("app.cache.hit_ratio", 0.75)
            span.set_attribute("app.tags", ["cloud", "feed"])
            span.add_event("feed.loaded", {"app.rows": len(FEED), "app.from_cache": True})
            span.set_attribute("app.result_length", len(FEED))
            subsegment.put_annotation("result_length", len(FEED))
            subsegment.put_metadata("now", now.isoformat(), "app")
            log.info("home feed read: %d activities", len(FEED))
            return jsonify(FEED)

    @app.get("/api/activities/@<string:handle>")
    def activities_users(handle):
        with otel.span("user-activities", **{"app.handle": handle}), xray.subsegment("activities_users") as outer:
            outer.put_annotation("handle", handle)
            with xray.subsegment("mock-data") as inner:
                profile = PEOPLE.get(handle.lower())
                found = [row for row in FEED if row["handle"] == handle.lower()]
                inner.put_annotation("found", profile is not None)
                inner.put_annotation("results_size", len(found))
                inner.put_metadata("results", found, "app")
                inner.put_metadata("profile", profile, "app")
            return jsonify(found)

    @app.get("/api/activities/notifications")
    def activities_notifications():
        with otel.span("notifications"), xray.subsegment("activities_notifications"):
            log.warning("notifications: nothing is returned")
            FEED[0].copy()  # the course's own mistake: the value is made, and not returned

    @app.get("/api/abort404")
    def abort404():
        with otel.span("abort404"), xray.subsegment("abort404"):
            abort(404)

    @app.get("/api/rows/<int:count>")
    def rows(count):
        for row in range(count):
            with otel.span(f"row-{row}", **{"app.row": row}), xray.subsegment(f"row-{row}") as subsegment:
                subsegment.put_metadata("row", {"n": row, "even": row % 2 == 0, "text": "x" * 20}, "app")
        return jsonify(rows=count)

    @app.get("/api/slow")
    def slow():
        with otel.span("slow-part"), xray.subsegment("slow-part"):
            with xray.subsegment("slow-query"):
                xray.send_unfinished()
        return jsonify(ok=True)

    @app.get("/api/boom")
    def boom():
        with otel.span("load-profile"), xray.subsegment("load-profile"):
            try:
                query_profiles("nobody")
            except LookupError as error:
                log.error("profile of nobody is missing")
                raise RuntimeError("the feed cannot be built") from error
        return jsonify(never=True)

    return app


class Quiet(WSGIRequestHandler):
    def log_request(self, code="-", size="-"):
        log.debug("%s %s", self.requestline, code)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--otlp", action="store_true")
    parser.add_argument("--xray", action="store_true")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    given = parser.parse_args()
    modes = {mode for mode in os.environ.get("TRACEBOOK_SERVICE_MODES", "").split(",") if mode}
    modes |= {mode for mode in ("otlp", "xray") if getattr(given, mode)}

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")  # to stderr
    log.setLevel(logging.INFO)
    app = create_app(modes)
    server = make_server("127.0.0.1", given.port, app, threaded=True, request_handler=Quiet)

    def stop(*_):
        threading.Thread(target=server.shutdown).start()  # would wait for itself in this thread

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    ready = {"ready": True, "port": server.server_port, "pid": os.getpid(), "modes": sorted(modes)}
    print(json.dumps(ready), flush=True)
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    app.extensions["tracebook_otel"].shutdown()


if __name__ == "__main__":
    main()
