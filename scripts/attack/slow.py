"""Senders and readers that take their time, on every listener: they are ended, and others are served meanwhile."""

import contextlib
import json
import socket
import threading
import time

from target import ANSWER_LIMIT_S, MIB, RSS_LIMIT_MIB, Memory, Ordinary, call, cloudwatch, connect, send_span, serve

CONNECTIONS = 1_150
HELD_SECONDS = 20
# By when a connection that sends nothing more has been ended.
PATIENCE = 75
LISTENERS = ("http", "grpc", "xray", "ui")
BODY = 64 * MIB


def post(path, length, extra=""):
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{extra}Content-Length: {length}\r\n\r\n".encode()


def open_many(port, count, first):
    """Connections that have each sent `first`; as many as are taken."""
    made = []
    for _ in range(count):
        try:
            one = connect(port, 5)
            one.sendall(first)
            one.setblocking(False)
            made.append(one)
        except OSError:
            continue
    return made


def close_all(connections):
    for one in connections:
        with contextlib.suppress(OSError):
            one.close()


def still_open(connections):
    """Those that the other side has not ended; answers are read and dropped."""
    left = []
    for one in connections:
        with contextlib.suppress(BlockingIOError):
            try:
                while True:
                    if not one.recv(65536):
                        break
            except BlockingIOError:
                left.append(one)
            except OSError:
                pass
    return left


class Dripping:
    """Sends one byte over each connection every `pause` seconds."""

    def __init__(self, connections, byte=b" ", pause=5.0):
        self.connections, self.byte, self.pause = connections, byte, pause
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._drip, daemon=True)

    def _drip(self):
        while not self.stopping.wait(self.pause):
            for one in self.connections:
                with contextlib.suppress(OSError):
                    one.send(self.byte)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()


def ask_ui(running):
    """Seconds until the web host answers the page's most frequent command; infinite without an answer."""
    begun = time.monotonic()
    with contextlib.suppress(OSError):
        status, _, _ = call(running.ui, "GET", "/", timeout=30)
        return time.monotonic() - begun if status else float("inf")
    return float("inf")


def held_up(running, report, attack, seconds=HELD_SECONDS):
    """Measures an ordinary sender and the web host while an attack holds connections."""
    with Ordinary(running, pause=0.1) as ordinary:
        waits = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            waits.append(ask_ui(running))
            time.sleep(0.5)
    ordinary.rows(report, attack)
    report.at_most(f"{attack}: web host answers within", round(max(waits), 2), ANSWER_LIMIT_S, " s")


def ended(connections, report, attack):
    begun = time.monotonic()
    left = connections
    while left and time.monotonic() - begun < PATIENCE:
        time.sleep(1)
        left = still_open(left)
    seconds = time.monotonic() - begun
    report.row(f"{attack}: ended", f"{len(connections) - len(left)} of {len(connections)} in {seconds:.0f} s",
               f"all within {PATIENCE} s", not left)


def large_bodies(running, report):
    """Four almost complete bodies of the largest size, and one begun: together they hold the whole budget."""
    connections = []
    for n in range(5):
        one = connect(running.http, 30)
        one.sendall(post("/v1/traces", BODY))
        try:
            if n < 4:
                one.sendall(b" " * (BODY - 1024))
            one.setblocking(False)
            connections.append(one)
        except OSError:
            one.close()
    with Dripping(connections):
        held_up(running, report, "five slow large bodies")
    close_all(connections)


def half_heads(running, report, listener):
    port = getattr(running, listener)
    attack = f"{CONNECTIONS} half heads at {listener}"
    connections = open_many(port, CONNECTIONS, b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ")
    with Dripping(connections, b"a"):
        held_up(running, report, attack, 10)
    ended(connections, report, attack)
    close_all(connections)


def dripping_bodies(running, report, listener):
    port, path = getattr(running, listener), {"http": "/v1/traces", "ui": "/rpc"}.get(listener, "/TraceSegments")
    attack = f"{CONNECTIONS} dripping bodies at {listener}"
    connections = open_many(port, CONNECTIONS, post(path, 1_000_000) + b"{")
    with Dripping(connections):
        held_up(running, report, attack, 10)
        ended(connections, report, attack)
    close_all(connections)


def silent(running, report):
    attack = f"{CONNECTIONS} silent connections at http"
    connections = open_many(running.http, CONNECTIONS, b"")
    held_up(running, report, attack, 10)
    ended(connections, report, attack)
    close_all(connections)


def slow_readers(running, report):
    """Requests for large answers that are not read."""
    for name in ("g",):
        cloudwatch(running.http, "CreateLogGroup", {"logGroupName": name})
        cloudwatch(running.http, "CreateLogStream", {"logGroupName": name, "logStreamName": "s"})
    now = int(time.time() * 1000)
    for _ in range(40):
        events = [{"timestamp": now, "message": "m" * 10_000} for _ in range(100)]
        cloudwatch(running.http, "PutLogEvents", {"logGroupName": "g", "logStreamName": "s", "logEvents": events})
    body = json.dumps({"logGroupName": "g", "limit": 10_000}).encode()
    head = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: Logs_20140328.FilterLogEvents\r\n"
    head += f"Content-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    connections = []
    with Memory(running) as memory:
        for _ in range(400):
            with contextlib.suppress(OSError):
                one = socket.socket()
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                one.settimeout(5)
                one.connect(("127.0.0.1", running.http))
                one.sendall((head.encode() + body) * 8)
                connections.append(one)
        held_up(running, report, "400 readers that do not read", 15)
    report.at_most("400 readers that do not read: RSS", memory.mib, RSS_LIMIT_MIB, " MiB")
    close_all(connections)


def run(binary, folder, report):
    attacks = [(large_bodies, ())]
    attacks += [(half_heads, (listener,)) for listener in LISTENERS]
    attacks += [(dripping_bodies, (listener,)) for listener in ("http", "xray", "ui")]
    attacks += [(silent, ()), (slow_readers, ())]
    for n, (attack, arguments) in enumerate(attacks):
        running = serve(binary, f"{folder}/{n}")
        try:
            if send_span(running.http, 0) != 200:
                raise RuntimeError("the receiver does not accept a span before the attack")
            attack(running, report, *arguments)
        finally:
            running.stop()
