"""Records the payloads of the real SDKs as fixtures.

    record.py [--to ../fixtures] [NAME...]

For each scenario it starts service.py, sends one request, stops the service (so that everything is flushed) and
stores what arrived: OTLP over HTTP as the bytes of the body, X-Ray as datagrams. It responds to the sampling calls on
TCP, so that every request is sampled. Ids, times and ports are as sent, so a fixture changes whenever it is recorded
again: record single scenarios rather than all of them.
"""

import argparse
import base64
import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from drive import call

HERE = Path(__file__).resolve().parent
KEPT_HEADERS = {"content-type", "content-encoding", "content-length", "user-agent", "accept-encoding", "connection"}
KINDS = {
    "/v1/traces": ("", ExportTraceServiceRequest),
    "/v1/logs": ("-logs", ExportLogsServiceRequest),
    "/v1/metrics": ("-metrics", ExportMetricsServiceRequest),
}

# One id for both formats: W3C 32 hex and X-Ray 1-8hex-24hex.
JOINED = "6b0459acd2fb2577c226bb0ed076fe79"

# name: (modes, path, request headers, extra environment, OTLP signals to store, whether to store JSON too)
SCENARIOS = {
    "home": ("--otlp --xray", "/api/activities/home", {}, {}, ("", "-logs", "-metrics"), True),
    "users": ("--xray", "/api/activities/@andrewbrown", {}, {}, (), False),
    "notifications": ("--otlp --xray", "/api/activities/notifications", {}, {}, ("",), True),
    "abort404": ("--otlp --xray", "/api/abort404", {}, {}, ("",), False),
    "boom": ("--otlp --xray", "/api/boom", {}, {}, ("", "-logs"), True),
    "rows40": ("--otlp --xray", "/api/rows/40", {}, {}, ("",), False),
    "slow": ("--xray", "/api/slow", {}, {}, (), False),
    "gzip": ("--otlp", "/api/activities/home", {}, {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}, ("",), False),
    "deflate": ("--otlp", "/api/activities/home", {}, {"OTEL_EXPORTER_OTLP_COMPRESSION": "deflate"}, ("",), False),
    "semconv": ("--otlp", "/api/activities/@bayko?x=1", {}, {"OTEL_SEMCONV_STABILITY_OPT_IN": "http"}, ("",), True),
    "joined": (
        "--otlp --xray",
        "/api/activities/@andrewbrown",
        {
            "traceparent": f"00-{JOINED}-00f067aa0ba902b7-01",
            "X-Amzn-Trace-Id": f"Root=1-{JOINED[:8]}-{JOINED[8:]};Sampled=1",
        },
        {},
        ("",),
        False,
    ),
}


class Recorder:
    """The receivers for both SDKs: OTLP over HTTP on one port, X-Ray on UDP and TCP of another."""

    def __init__(self):
        self.posts, self.calls, self.datagrams = [], [], []
        self.http = self.serve(self.otlp)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        while True:  # the SDK uses one port number for UDP and TCP
            tcp = self.serve(self.sampling)
            try:
                self.udp.bind(("127.0.0.1", tcp.server_port))
                break
            except OSError:
                tcp.shutdown()
        self.tcp = tcp
        threading.Thread(target=self.receive, daemon=True).start()

    @staticmethod
    def serve(answer):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                content_type, reply = answer(self.path, dict(self.headers), body)
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def otlp(self, path, headers, body):
        self.posts.append((path, headers, body))
        return "application/x-protobuf", b""

    def sampling(self, path, headers, body):
        self.calls.append((path, headers, body))
        rule = {
            "RuleName": "Default",
            "RuleARN": "arn:aws:xray:us-east-1:000000000000:sampling-rule/Default",
            "ResourceARN": "*",
            "Priority": 10000,
            "FixedRate": 1.0,
            "ReservoirSize": 1,
            "ServiceName": "*",
            "ServiceType": "*",
            "Host": "*",
            "HTTPMethod": "*",
            "URLPath": "*",
            "Version": 1,
            "Attributes": {},
        }
        replies = {
            "/GetSamplingRules": {"SamplingRuleRecords": [{"SamplingRule": rule, "CreatedAt": 0, "ModifiedAt": 0}]},
            "/SamplingTargets": {
                "SamplingTargetDocuments": [
                    {
                        "RuleName": "Default",
                        "FixedRate": 1.0,
                        "ReservoirQuota": 100,
                        "ReservoirQuotaTTL": int(time.time()) + 300,
                        "Interval": 10,
                    }
                ],
                "LastRuleModification": 0,
                "UnprocessedStatistics": [],
            },
        }
        return "application/json", json.dumps(replies.get(path, {})).encode()

    def receive(self):
        while True:
            datagram = self.udp.recv(65536)  # blocks, so the list is read only afterwards
            self.datagrams.append(datagram)

    def forget(self):
        self.posts, self.calls, self.datagrams = [], [], []


def otlp_json(message):
    """The message in OTLP's JSON mapping: ids in hex, enums as numbers."""
    tree = json_format.MessageToDict(message, use_integers_for_enums=True)

    def walk(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("traceId", "spanId", "parentSpanId") and isinstance(value, str):
                    node[key] = base64.b64decode(value).hex()
                else:
                    walk(value)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    walk(tree)
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))


def plain(headers, body):
    """The decompressed body, and its encoding."""
    encoding = {name.lower(): value for name, value in headers.items()}.get("content-encoding")
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    return body


def kept(headers):
    return {name: value for name, value in headers.items() if name.lower() in KEPT_HEADERS}


def run(recorder, app, scenario):
    """Sends one request to a new service; returns after the service has flushed and exited."""
    modes, path, headers, extra, _, _ = scenario
    recorder.forget()
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{recorder.http.server_port}",
        "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{recorder.tcp.server_port}",
        "OTEL_SERVICE_NAME": "backend-flask",
        **extra,
    }
    command = [str(app / "venv/bin/python"), str(app / "backend/service.py"), *modes.split()]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    service = subprocess.Popen(command, env=environment, cwd=app / "backend", **pipes)
    try:
        port = json.loads(service.stdout.readline())["port"]
        answer = call(port, path, headers)
        time.sleep(0.3)
        service.terminate()
        if service.wait(20) != 0:
            sys.exit(f"{path}: the service ended with {service.returncode}")
    finally:
        service.kill()
    print(json.dumps(answer), f"{len(recorder.posts)} posts, {len(recorder.datagrams)} datagrams")


def store(recorder, name, scenario, folder):
    modes, _, _, _, kinds, as_json = scenario
    for old in [*folder.glob(f"otlp-{name}[.-]*"), *folder.glob(f"xray-[0-9]*-{name}.bin")]:
        if old.stem.removeprefix("otlp-") in (name, f"{name}-logs", f"{name}-metrics") or old.name.startswith("xray-"):
            old.unlink()
    seen = {}
    for url, sent, body in recorder.posts:
        suffix, kind = KINDS[url]
        if suffix not in kinds:
            continue
        seen[suffix] = seen.get(suffix, 0) + 1
        stem = f"otlp-{name}{suffix}" + (f"-{seen[suffix]}" if seen[suffix] > 1 else "")
        (folder / f"{stem}.bin").write_bytes(body)
        message = kind.FromString(plain(sent, body))
        note = {"path": url, "headers": kept(sent)}
        (folder / f"{stem}.headers.json").write_text(json.dumps(note, indent=1) + "\n")
        if as_json:
            (folder / f"{stem}.json").write_text(otlp_json(message) + "\n")
    if "--xray" in modes:
        for n, datagram in enumerate(recorder.datagrams, 1):
            (folder / f"xray-{n:02}-{name}.bin").write_bytes(datagram)
    for url, sent, body in recorder.calls if name == "home" else []:
        headers = {header: re.sub(r" os/\S+", " os/linux", value) for header, value in kept(sent).items()}
        note = {"path": url, "headers": headers, "body": json.loads(body)}
        (folder / f"xray-tcp{url.replace('/', '-')}.json").write_text(json.dumps(note, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=HERE.parent / "fixtures")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCENARIOS)}; all without one")
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    # Stack traces contain paths: run from a folder that reveals nothing about this machine.
    app = Path(tempfile.gettempdir()) / "bootcamp"
    shutil.rmtree(app, ignore_errors=True)
    (app / "backend").mkdir(parents=True)
    shutil.copy(HERE / "service.py", app / "backend")
    (app / "venv").symlink_to(sys.prefix)
    recorder = Recorder()
    for name in given.names or SCENARIOS:
        run(recorder, app, SCENARIOS[name])
        store(recorder, name, SCENARIOS[name], given.to)
    shutil.rmtree(app)


if __name__ == "__main__":
    main()
