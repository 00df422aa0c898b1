"""The measured products: Tracebook and its peers, each started on free ports in its own folder.

`start(folder)` of a product returns a `Running`, whose database is read (never written) to see what is committed.
"""

import contextlib
import glob
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.path.join(ROOT, ".setup", "peers")
LOGS = os.path.join(ROOT, ".setup", "logs")


class Missing(Exception):
    """Why a product cannot be measured here."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def size_of(folder):
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(base, name)).st_blocks * 512
    return total


def call(port, method, path, body=None, headers=None, timeout=60):
    """Sends one HTTP request; returns status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


class Running:
    """A started program in its own session."""

    def __init__(self, command, folder, environment=None, executable=None, ready=None, log=None):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.log = folder, log or f"{folder}.log"
        self.begun = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command,
                executable=executable,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if ready else log,
                stderr=log,
                start_new_session=True,
            )
        self.first = {}
        if ready:
            line = self.process.stdout.readline()
            if not line:
                raise Missing(f"it ended with {self.process.wait()}: {self.last_words()}")
            self.first = json.loads(line)
            self.seconds = time.monotonic() - self.begun
            # Nothing else reads the pipe, and a full one would block the program.
            threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self):
        with contextlib.suppress(ValueError, OSError):
            while self.process.stdout.read(65536):
                pass

    def last_words(self):
        with open(self.log, errors="replace") as log:
            return " ".join(log.read()[-300:].split()) or "(no output)"

    def wait_for(self, ports, patience=90):
        """Waits until it listens on all of these ports."""
        for port in ports:
            while True:
                if self.process.poll() is not None:
                    raise Missing(f"it ended with {self.process.returncode}: {self.last_words()}")
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if time.monotonic() - self.begun > patience:
                    self.stop()
                    raise Missing(f"it did not listen on port {port} within {patience} s: {self.last_words()}")
                time.sleep(0.05)
        self.seconds = time.monotonic() - self.begun

    def _session(self):
        for path in glob.glob("/proc/[0-9]*/stat"):
            with contextlib.suppress(OSError, IndexError), open(path) as stat:
                text = stat.read()
                # The name in parentheses can contain anything. State, parent, group and session follow it.
                if int(text.rsplit(")", 1)[1].split()[3]) == self.process.pid:
                    yield int(text.split()[0])

    def memory(self, field="VmHWM"):
        """Memory of the whole session in bytes: the sum of peaks (`VmHWM`), or the current one (`VmRSS`)."""
        total = 0
        for pid in self._session():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as status:
                for line in status:
                    if line.startswith(f"{field}:"):
                        total += int(line.split()[1]) * 1024
        return total

    def stop(self, patience=30):
        """Sends SIGTERM, then SIGKILL; returns whether SIGTERM was enough."""
        if self.process.poll() is None:
            self.process.terminate()
        polite = True
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            polite = False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return polite


class Product:
    """A row of the table."""

    name = version = ""
    path = "/v1/traces"
    # A fast statement for the number of spans ever written, and an exact one that counts them.
    quick = exact = None
    # The compared figure (`queryable` or `acknowledged`), and the factor that Tracebook has to reach.
    against, wanted = "queryable", None

    def install(self):
        """Installs it if it is not; raises `Missing` with the reason if that fails."""

    def start(self, folder):
        raise NotImplementedError

    def confirm(self, running, trace_id):
        """Whether its own API returns a trace."""
        return None


class Ours(Product):
    name = "tracebook"
    quick, exact = "SELECT coalesce(max(seq), 0) FROM span", "SELECT count(*) FROM span"

    def __init__(self, binary, log=None):
        self.binary, self.log = binary, log
        if log:
            self.name = f"tracebook-log-{log}"

    def start(self, folder, max_mib=8192):
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/tracebook.toml", "w") as settings:
            if max_mib:
                settings.write(f"[telemetry]\nmax_mib = {max_mib}\n")
            if self.log:
                settings.write(f'[log]\nlevel = "{self.log}"\n')
        ports = [f"--{listener}=127.0.0.1:0" for listener in ("http", "grpc", "xray", "ui")]
        running = Running([self.binary, "--data", folder, "--json", "serve", *ports], folder, ready=True)
        running.port = int(running.first["http"].rsplit(":", 1)[1])
        running.xray = int(running.first["xray"].rsplit(":", 1)[1])
        running.database = f"{folder}/telemetry.db"
        running.rpc = Rpc(running.first["ui"]["url"])
        return running

    def confirm(self, running, trace_id):
        status, body = running.rpc.call("trace_get", {"trace_id": trace_id})
        return status == 200 and b"step-7" in body


class Rpc:
    """`POST /rpc` as a browser sends it, over one connection."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        key = parts.fragment.removeprefix("key=")
        self.headers = {"X-Tracebook-Key": key, "Content-Type": "application/json"}
        self.connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=60)

    def call(self, command, args):
        self.connection.request("POST", "/rpc", json.dumps({"cmd": command, "args": args}), self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


class Peer(Product):
    """Another product, installed once in `.setup/peers/<name>`."""

    seconds = "a minute"

    def install(self):
        stamp = os.path.join(PEERS, self.name, "VERSION")
        with contextlib.suppress(OSError), open(stamp) as have:
            if have.read() == self.version:
                return
        place = os.path.join(PEERS, self.name)
        print(f"[bench] installing {self.name} {self.version} into .setup/peers ({self.seconds}, once)", flush=True)
        os.makedirs(LOGS, exist_ok=True)
        log_path = os.path.join(LOGS, f"peer-{self.name}.log")
        shutil.rmtree(place, ignore_errors=True)
        with open(log_path, "wb") as log:
            for command in self.commands(place):
                try:
                    done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)
                except OSError as error:
                    raise Missing(f"{command[0]}: {error.strerror}") from None
                if done.returncode:
                    raise Missing(f"it could not be installed: see {os.path.relpath(log_path, ROOT)}")
        with open(stamp, "w") as have:
            have.write(self.version)

    def commands(self, place):
        raise NotImplementedError


class FromPyPI(Peer):
    package = ""

    def commands(self, place):
        yield [sys.executable, "-m", "venv", place]
        yield [f"{place}/bin/python", "-m", "pip", "install", "-q", f"{self.package}=={self.version}"]


class Otelite(Peer):
    name, version, seconds = "otelite", "0.1.156", "ten minutes"
    quick, exact = "SELECT coalesce(max(id), 0) FROM spans", "SELECT count(*) FROM spans"
    wanted = 10

    def commands(self, place):
        yield ["cargo", "install", "--quiet", "--locked", self.name, "--version", self.version, "--root", place] + [
            "--target-dir",
            f"{place}-target",
        ]
        yield ["rm", "-rf", f"{place}-target"]

    def start(self, folder):
        ui, otlp, grpc = free_port(), free_port(), free_port()
        environment = {
            "HOME": folder,
            "OTELITE_DATA_DIR": folder,
            "OTELITE_OTLP_HTTP_PORT": str(otlp),
            "OTELITE_OTLP_GRPC_PORT": str(grpc),
        }
        command = [f"{PEERS}/otelite/bin/otelite", "--log-level", "warn", "serve", "--addr", f"127.0.0.1:{ui}"]
        running = Running([*command, "--storage-path", folder], folder, environment)
        running.wait_for([otlp, ui])
        running.port, running.ui = otlp, ui
        found = [f for f in glob.glob(f"{folder}/**/*.db", recursive=True)]
        if not found:
            running.stop()
            raise Missing("its database was not found")
        running.database = found[0]
        return running

    def confirm(self, running, trace_id):
        status, _, body = call(running.ui, "GET", f"/api/traces/{trace_id}")
        return status == 200 and b"step-7" in body


class Phoenix(FromPyPI):
    name, package, version, seconds = "phoenix", "arize-phoenix", "20.26.0", "two minutes"
    quick, exact = "SELECT coalesce(max(id), 0) FROM spans", "SELECT count(*) FROM spans"
    wanted = 20

    def start(self, folder):
        port, grpc = free_port(), free_port()
        environment = {
            "HOME": folder,
            "PHOENIX_WORKING_DIR": folder,
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(grpc),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        running = Running([f"{PEERS}/phoenix/bin/python", "-m", "phoenix.server.main", "serve"], folder, environment)
        running.wait_for([port])
        running.port, running.database = port, f"{folder}/phoenix.db"
        return running

    def confirm(self, running, trace_id):
        question = 'query { getTraceByOtelId(traceId: "%s") { id } }' % trace_id
        headers = {"Content-Type": "application/json"}
        _, _, body = call(running.port, "POST", "/graphql", json.dumps({"query": question}), headers)
        with contextlib.suppress(ValueError, TypeError, KeyError):
            return bool(json.loads(body)["data"]["getTraceByOtelId"]["id"])
        return False


class Rotel(FromPyPI):
    """The upper bound: it decodes spans and discards them."""

    name, package, version = "rotel", "rotel", "0.0.1a15"
    against, wanted = "acknowledged", 0.5

    def start(self, folder):
        port, grpc = free_port(), free_port()
        found = glob.glob(f"{PEERS}/rotel/lib/python*/site-packages/rotel/rotel-agent")
        if not found:
            raise Missing("the package for this platform contains no executable")
        command = ["rotel", "start", "--exporter", "blackhole", "--otlp-http-endpoint", f"127.0.0.1:{port}"]
        command += ["--otlp-grpc-endpoint", f"127.0.0.1:{grpc}"]
        command += ["--pid-file", f"{folder}/pid", "--log-file", f"{folder}/log"]
        running = Running(command, folder, executable=found[0])
        running.wait_for([port])
        running.port, running.database = port, None
        return running


PEER_CLASSES = {peer.name: peer for peer in (Otelite, Phoenix, Rotel)}

BARE = {
    "blobs": ("CREATE TABLE span (raw BLOB NOT NULL)",),
    "our columns": (
        "CREATE TABLE span (seq INTEGER PRIMARY KEY, trace_id BLOB, span_id BLOB, start_ns INTEGER, title TEXT, raw BLOB NOT NULL)",
        "CREATE UNIQUE INDEX span_by_id ON span (trace_id, span_id)",
    ),
}


def bare_insert(folder, shape, batches):
    """Writes spans to a new SQLite file, one transaction per batch; returns the seconds and the bytes on disk.

    A batch is a list of rows: the bytes only, or the columns of `our columns`. No store on SQLite can be faster.
    """
    os.makedirs(folder, exist_ok=True)
    path = f"{folder}/bare.db"
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    for statement in BARE[shape]:
        database.execute(statement)
    insert = "INSERT INTO span (raw) VALUES (?)"
    if shape != "blobs":
        insert = "INSERT INTO span (trace_id, span_id, start_ns, title, raw) VALUES (?, ?, ?, ?, ?)"
    begun = time.monotonic()
    for rows in batches:
        database.execute("BEGIN IMMEDIATE")
        database.executemany(insert, rows)
        database.execute("COMMIT")
    seconds = time.monotonic() - begun
    database.close()
    return seconds, size_of(folder)
