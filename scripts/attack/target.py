"""The attacked program, what it uses, and an ordinary sender beside the attack."""

import contextlib
import http.client
import json
import multiprocessing
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench"))
from products import Missing, Rpc, Running, call, size_of  # noqa: E402

__all__ = ["Missing", "Rpc", "Running", "call", "size_of"]

MIB = 1024 * 1024
RSS_LIMIT_MIB = 512
KILL_MIB = 2048
ANSWER_LIMIT_S = 5
FORK = multiprocessing.get_context("fork")
# What OTLP, AWS and Rollbar clients take as a request to try again.
RETRYABLE = (429, 502, 503, 504)


def serve(binary, folder, *args, settings="", environment=None, files=1024, prefix=(), log=None):
    """Starts `tracebook serve` on free ports, with the usual soft limit of open files."""
    os.makedirs(folder, exist_ok=True)
    if settings:
        with open(f"{folder}/tracebook.toml", "w") as out:
            out.write(settings)
    ports = [f"--{listener}=127.0.0.1:0" for listener in ("http", "grpc", "xray", "ui")]
    command = [*prefix, binary, "--data", folder, "--json", "serve", *ports, *args]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, hard), hard))
    try:
        running = Running(command, folder, environment=environment, ready=True, log=log)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for name in ("http", "grpc", "xray"):
        listener = running.first.get(name)
        setattr(running, name, int(listener.rsplit(":", 1)[1]) if listener else None)
    running.url = running.first["ui"]["url"]
    running.ui = int(running.url.split("/")[2].rsplit(":", 1)[1])
    return running


def cli(binary, folder, *args, timeout=120, stdin=None, environment=None):
    """Runs a command; returns status, standard output, standard error and seconds."""
    begun = time.monotonic()
    command = [binary, "--data", folder, *args]
    env = {**os.environ, **(environment or {})}
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=timeout, env=env)
    except subprocess.TimeoutExpired as late:
        return None, late.stdout or b"", late.stderr or b"", time.monotonic() - begun
    return done.returncode, done.stdout, done.stderr, time.monotonic() - begun


def answer_of(binary, folder, *args, **more):
    """The JSON answer of a command; an exception if it failed."""
    status, out, err, _ = cli(binary, folder, "--json", *args, **more)
    if status != 0:
        raise RuntimeError(f"{' '.join(args)} ended with {status}: {(out + err)[:300]!r}")
    return json.loads(out)


def span(trace, service="ordinary", name="GET /home", **more):
    """An OTLP request in JSON with one span; `trace` is a number."""
    now = time.time_ns()
    made = {
        "traceId": f"{trace + 1:032x}",
        "spanId": f"{trace + 1:016x}",
        "name": name,
        "kind": 2,
        "startTimeUnixNano": str(now - 5_000_000),
        "endTimeUnixNano": str(now),
        **more,
    }
    resource_of = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return json.dumps({"resourceSpans": [{"resource": resource_of, "scopeSpans": [{"spans": [made]}]}]}).encode()


def send_span(port, trace, timeout=30, **more):
    """Sends a span; returns the status, or None without an answer."""
    try:
        headers = {"Content-Type": "application/json"}
        return call(port, "POST", "/v1/traces", span(trace, **more), headers, timeout=timeout)[0]
    except (OSError, http.client.HTTPException):
        return None


def stored_traces(binary, folder, limit=100_000):
    """The ids of the traces in a journal's telemetry, as numbers."""
    status, out, _, _ = cli(binary, folder, "--json", "live", "traces", "--limit", str(limit))
    return {int(row["trace_id"], 16) - 1 for row in json.loads(out)} if status == 0 else set()


def cloudwatch(port, operation, body, timeout=30, headers=None):
    """One request to CloudWatch Logs; returns status and answer."""
    headers = {"X-Amz-Target": f"Logs_20140328.{operation}", "Content-Type": "application/x-amz-json-1.1", **(headers or {})}
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, _, answer = call(port, "POST", "/", body, headers, timeout=timeout)
    return status, answer


def xray(port, path, body, timeout=30):
    """One request to X-Ray; returns status and answer."""
    status, _, answer = call(port, "POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"}, timeout=timeout)
    return status, answer


class Memory:
    """The largest resident size of a running program, sampled every 50 ms (the kernel's own peak is included).

    A program that has lost the attack anyway is killed before it takes the machine's memory."""

    def __init__(self, running):
        self.running, self.peak = running, 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self.stopping.wait(0.05):
            self.peak = max(self.peak, self.running.memory("VmRSS"))
            if self.peak > KILL_MIB * MIB:
                self.running.process.kill()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.peak = max(self.peak, self.running.memory("VmHWM"))
        self.stopping.set()
        self.thread.join()

    @property
    def mib(self):
        return self.peak // MIB


def _ordinary(port, pause, first, stopping, writer):
    """Sends one span after the other, each again until it is accepted, as an SDK does."""
    answered, accepted, refused, lost, n = [], [], {}, 0, first
    while not stopping.is_set():
        begun = time.monotonic()
        while True:
            asked = time.monotonic()
            status = send_span(port, n)
            answered.append(time.monotonic() - asked)
            if status == 200:
                accepted.append(time.monotonic() - begun)
                break
            refused[status] = refused.get(status, 0) + 1
            if status not in (*RETRYABLE, None) or time.monotonic() - begun > 60:
                lost += 1
                break
            if stopping.is_set() and time.monotonic() - begun > 15:
                lost += 1
                break
            time.sleep(0.1)
        n += 1
        time.sleep(pause)
    writer.send((answered, accepted, refused, lost, n))


class Ordinary:
    """An ordinary sender in a process of its own. After `with`, `answered` is the longest wait for an answer,
    `accepted` the longest until a span was accepted, `refused` counts the other answers by status."""

    def __init__(self, running, pause=0.05, first=1_000_000):
        self.first = first
        self.stopping = FORK.Event()
        self.reader, writer = FORK.Pipe(duplex=False)
        arguments = (running.http, pause, first, self.stopping, writer)
        self.process = FORK.Process(target=_ordinary, args=arguments, daemon=True)

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        answered, accepted, self.refused, self.lost, last = self.reader.recv()
        self.process.join(10)
        self.answered, self.accepted = max(answered, default=0.0), max(accepted, default=float("inf"))
        self.count, self.ids = len(accepted), range(self.first, last)

    def rows(self, report, attack):
        what = f"{self.count} accepted" + (f", refused {self.refused}" if self.refused else "")
        report.at_most(f"{attack}: ordinary sender answered within", round(self.answered, 2), ANSWER_LIMIT_S, " s", what)
        report.at_most(f"{attack}: ordinary sender accepted within", round(self.accepted, 2), ANSWER_LIMIT_S, " s")
        report.at_most(f"{attack}: ordinary spans refused for good", self.lost, 0)


def connect(port, timeout=10):
    made = socket.create_connection(("127.0.0.1", port), timeout)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def raw(port, request, timeout=10):
    """Sends bytes; returns the status of the answer, or None if there was none."""
    with contextlib.suppress(OSError), connect(port, timeout) as one:
        one.sendall(request)
        head = b""
        while b"\r\n" not in head:
            got = one.recv(65536)
            if not got:
                break
            head += got
        parts = head.split(b" ", 2)
        if len(parts) > 1 and parts[1].isdigit():
            return int(parts[1])
    return None


def entry(binary, folder, body="# Week 2\n\nfirst text\n"):
    """A new entry; its id."""
    path = f"{folder}-body.md"
    with open(path, "w") as out:
        out.write(body)
    return answer_of(binary, folder, "entry", "new", "--week", "2", "--body", path)["id"]


def text_of(binary, folder, reference):
    return answer_of(binary, folder, "entry", "show", reference)["body"]


def integrity(path):
    """SQLite's own opinion of a database."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA integrity_check").fetchone()[0]
