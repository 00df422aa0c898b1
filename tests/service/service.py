"""A small Flask service, instrumented with the real SDKs, for tests and fixtures.

It is modelled on the backend of an observability bootcamp: an activities feed, a user page, and a notifications route
whose view has no return statement. It uses the SDKs themselves, so it sends what a student's service sends.

    service.py [--otlp | --otlp-grpc] [--xray] [--cloudwatch] [--rollbar] [--console] [--port N]

--otlp        OpenTelemetry SDK: traces, logs and metrics over OTLP/HTTP to OTEL_EXPORTER_OTLP_ENDPOINT
              (http://127.0.0.1:4318); with OTEL_EXPORTER_OTLP_PROTOCOL=grpc over gRPC
--otlp-grpc   the same over gRPC: OTEL_EXPORTER_OTLP_ENDPOINT is then http://127.0.0.1:4317
--xray        AWS X-Ray SDK, to the daemon at AWS_XRAY_DAEMON_ADDRESS
--cloudwatch  watchtower: the service's log lines, and one per request, to AWS_ENDPOINT_URL_CLOUDWATCH_LOGS
              (http://127.0.0.1:4318), group LOG_GROUP (or `cruddur`). Required: without it boto3 would call AWS
--rollbar     pyrollbar: exceptions with a person, to ROLLBAR_ENDPOINT, also required
              (http://127.0.0.1:4318/api/1/, with the trailing slash); token ROLLBAR_ACCESS_TOKEN. /rollbar/test sends one
--console     ConsoleSpanExporter: every span on stdout, after the first line

None is on by default (TRACEBOOK_SERVICE_MODES="otlp,xray" works too). No account is needed: AWS credentials that are
not in the environment are invented. Without a receiver, the service starts and serves (its telemetry is lost once the
SDKs give up) and exits within 20 seconds.
The first line on stdout is {"ready": true, "port": N, "pid": N, "modes": [...]}. SIGTERM and Ctrl-C flush,
then exit 0; with --stdin the end of stdin does the same.
"""

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
import threading
from datetime import datetime, timezone
from time import strftime

from flask import Flask, Request, abort, got_request_exception, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

NAME = os.environ.get("OTEL_SERVICE_NAME", "backend-flask")

MODES = ("otlp", "otlp-grpc", "xray", "cloudwatch", "rollbar", "console")
ADDRESSES = {
    "cloudwatch": ("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "AWS_ENDPOINT_URL"),
    "rollbar": ("ROLLBAR_ENDPOINT",),
}
NO_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

log = logging.getLogger("cruddur")


class OtelTools:
    """Spans, logs and metrics of the OpenTelemetry SDK."""

    def __init__(self, app, modes):
        from opentelemetry import trace
        from opentelemetry.instrumentation.flask import FlaskInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

        resource = Resource.create({"service.name": NAME, "service.version": "1.4.0"})
        self.trace = trace
        self.traces = TracerProvider(resource=resource)
        self.providers = [self.traces]
        if "otlp" in modes or "otlp-grpc" in modes:
            self.export(resource, grpc="otlp-grpc" in modes)
        if "console" in modes:
            self.traces.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
        trace.set_tracer_provider(self.traces)
        FlaskInstrumentor().instrument_app(app)
        self.tracer = trace.get_tracer("home.activities", "1.0")

    def export(self, resource, grpc):
        from opentelemetry import metrics
        from opentelemetry._logs import set_logger_provider
        from opentelemetry.instrumentation.logging.handler import LoggingHandler
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        if grpc:
            from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        else:
            from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        self.traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        logs = LoggerProvider(resource=resource)
        logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        set_logger_provider(logs)
        meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)
        metrics.set_meter_provider(meters)
        self.providers += [logs, meters]
        # Each line of the service's logger becomes a log record in the trace of its request.
        log.addHandler(LoggingHandler(logger_provider=logs, log_code_attributes=True))

    def refresh(self):
        """One span outside of any request; the home feed links to it."""
        with self.tracer.start_as_current_span("feed-refresh") as span:
            span.set_attribute("app.feed", "home")
            self.refreshed_by = span.get_span_context()

    def span(self, name, links=(), **attributes):
        return self.tracer.start_as_current_span(name, links=list(links), attributes=attributes)

    def link(self, **attributes):
        return self.trace.Link(self.refreshed_by, attributes)

    def shutdown(self):
        for provider in self.providers:
            provider.shutdown()


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
        """Sends the unfinished segment (`in_progress`), as SDKs do for long requests."""
        self.recorder.emitter.send_entity(self.recorder.current_segment())


class CloudWatchTools:
    """The service's log lines in CloudWatch Logs, by watchtower."""

    def __init__(self, app):
        import boto3
        import watchtower
        from botocore.config import Config

        # boto3 takes the address from AWS_ENDPOINT_URL_CLOUDWATCH_LOGS (it ignores AWS_ENDPOINT_URL_LOGS).
        # One short attempt per call: watchtower retries by itself, and the service waits for it at exit.
        self.client = boto3.client(
            "logs",
            region_name=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
            config=Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}),
        )
        self.group = os.environ.get("LOG_GROUP", "cruddur")
        # create_log_group=True would request the group here, and stop the service if there is no response.
        self.handler = watchtower.CloudWatchLogHandler(
            log_group_name=self.group, boto3_client=self.client, create_log_group=False, send_interval=1
        )
        self.stopping = threading.Event()
        self.creating = threading.Thread(target=self.create_group, daemon=True)
        self.creating.start()
        log.addHandler(self.handler)

        @app.after_request
        def access_line(response):
            line = (strftime("[%Y-%b-%d %H:%M]"), request.remote_addr, request.method, request.full_path, response.status)
            log.info("%s %s %s %s %s", *line)
            return response

    def create_group(self):
        """Requests the group until there is a response."""
        from botocore.exceptions import BotoCoreError, ClientError

        while True:
            try:
                self.client.create_log_group(logGroupName=self.group)
                return
            except self.client.exceptions.ResourceAlreadyExistsException:
                return
            except (BotoCoreError, ClientError) as error:
                if self.stopping.wait(1):
                    log.debug("the group was never made: %s", error)
                    return

    def shutdown(self):
        self.stopping.set()
        self.creating.join(10)
        log.removeHandler(self.handler)
        self.handler.close()  # sends what is queued


class RollbarTools:
    """Exceptions and messages of pyrollbar."""

    def __init__(self, app):
        import rollbar
        import rollbar.contrib.flask

        class WithPerson(Request):
            """pyrollbar reads the person from the request; it ignores `rollbar_person_data`."""

            @property
            def rollbar_person(self):
                return {"id": "andrewbrown", "username": "andrewbrown", "email": "andrew@example.org"}

        app.request_class = WithPerson
        rollbar.init(
            os.environ.get("ROLLBAR_ACCESS_TOKEN", "0" * 32),
            os.environ.get("FLASK_ENV", "development"),
            endpoint=os.environ["ROLLBAR_ENDPOINT"],
            root=os.path.dirname(os.path.realpath(__file__)),
            code_version="1.4.0",
            # Without these two, username and email arrive as null.
            capture_email=True,
            capture_username=True,
            allow_logging_basic_config=False,
        )
        got_request_exception.connect(rollbar.contrib.flask.report_exception, app)
        self.rollbar = rollbar

        @app.get("/rollbar/test")
        def rollbar_test():
            rollbar.report_message("Hello World!", "warning")
            return "Hello World!"

    def shutdown(self):
        self.rollbar.wait()  # items are sent by threads


class Silent:
    """Replaces a tool that is off: every call does nothing."""

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

    set_attribute = add_event = put_annotation = put_metadata = send_unfinished = refresh = shutdown = ignore


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
    otel = OtelTools(app, modes) if modes & {"otlp", "otlp-grpc", "console"} else Silent()
    cloudwatch = CloudWatchTools(app) if "cloudwatch" in modes else Silent()
    rollbar = RollbarTools(app) if "rollbar" in modes else Silent()
    app.extensions["tracebook_otel"] = otel
    # Rollbar first: its threads may still write a log line.
    app.extensions["tracebook_all"] = [rollbar, cloudwatch, otel]

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
            FEED[0].copy()  # the mistake from the course: the value is not returned

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


def modes_of(given, refuse):
    """The modes from the command line and the environment; exits if an address is missing."""
    modes = {mode for mode in os.environ.get("TRACEBOOK_SERVICE_MODES", "").split(",") if mode}
    if unknown := modes - set(MODES):
        refuse(f"unknown modes: {', '.join(sorted(unknown))}")
    modes |= {mode for mode in MODES if getattr(given, mode.replace("-", "_"))}
    if "otlp" in modes and os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc":
        modes = modes - {"otlp"} | {"otlp-grpc"}
    if {"otlp", "otlp-grpc"} <= modes:
        refuse("OTLP goes over HTTP or over gRPC, not both")
    for mode, names in ADDRESSES.items():
        if mode in modes and not any(os.environ.get(name) for name in names):
            refuse(f"{mode} needs {names[0]}: without it the SDK would call its cloud")
    return modes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for mode in MODES:
        parser.add_argument(f"--{mode}", action="store_true")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--stdin", action="store_true", help="ends when stdin does")
    given = parser.parse_args()
    modes = modes_of(given, parser.error)
    if modes & {"cloudwatch", "xray"}:
        for name, value in NO_ACCOUNT.items():
            os.environ.setdefault(name, value)

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")  # to stderr
    log.setLevel(logging.INFO)
    app = create_app(modes)
    server = make_server("127.0.0.1", given.port, app, threaded=True, request_handler=Quiet)

    def stop(*_):
        threading.Thread(target=server.shutdown).start()  # in this thread it would wait for itself

    def stop_with_stdin():
        sys.stdin.buffer.read()
        stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    ready = {"ready": True, "port": server.server_port, "pid": os.getpid(), "modes": sorted(modes)}
    print(json.dumps(ready), flush=True)
    app.extensions["tracebook_otel"].refresh()  # after the first line: it may print
    if given.stdin:
        threading.Thread(target=stop_with_stdin, daemon=True).start()
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    for tool in app.extensions["tracebook_all"]:
        tool.shutdown()


if __name__ == "__main__":
    main()
