"""Payloads and senders. Payloads are prepared before the clock starts and sent by separate processes.

Times are `time.monotonic`, which all processes on a machine share.
"""

import ctypes
import ctypes.util
import http.client
import json
import multiprocessing
import os
import random
import signal
import socket
import threading
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SPANS_A_TRACE = 8
FORK = multiprocessing.get_context("fork")
# Responses that ask the sender to retry.
BUSY = (429, 502, 503, 504)


class Batches:
    """OTLP batches that differ only in ids and times, so that each is a copy with some bytes changed.

    Traces of 8 spans with the attributes of a small web service. One trace in 64 has an error.
    """

    def __init__(self, spans, seed=1):
        self.spans = spans
        self.rng = random.Random(seed)
        self.n = 0
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = "bench"
        scope = resource.scope_spans.add()
        scope.scope.name = "bench"
        marks = []
        for n in range(spans):
            root = n % SPANS_A_TRACE == 0
            if root:
                trace, first = b"trace-%010d" % n, b"s-%06d" % n
            start = 1_000_000_000_000_000_000 + n * 1000
            span = scope.spans.add(trace_id=trace, span_id=b"s-%06d" % n, kind=2 if root else 1)
            span.parent_span_id = b"" if root else first
            span.name = "GET /api/activities/home" if root else f"step-{n % SPANS_A_TRACE}"
            span.start_time_unix_nano, span.end_time_unix_nano = start, start + 800
            span.attributes.add(key="http.route").value.string_value = "/api/activities/home"
            span.attributes.add(key="app.row").value.int_value = n
            if root and n // SPANS_A_TRACE % 64 == 63:
                span.status.code = 2
            marks.append((root, trace, b"s-%06d" % n, first, start, span.SerializeToString()))
        self.template = request.SerializeToString()
        self.places, self.cuts, at = [], [], 0
        for root, trace, own, parent, start, body in marks:
            at = self.template.index(body, at)
            self.cuts.append((at, at + len(body)))
            own_at = self.template.index(own, at)
            parent_at = None if root else self.template.index(parent, own_at + len(own))
            times = [self.template.index(t.to_bytes(8, "little"), at) for t in (start, start + 800)]
            self.places.append((root, self.template.index(trace, at), own_at, parent_at, *times))
        self._prove()

    def _prove(self):
        """Checks that the template was cut at the right offsets."""
        seen = ExportTraceServiceRequest.FromString(self.next()[0]).resource_spans[0].scope_spans[0].spans
        roots = {span.trace_id: span.span_id for span in seen if not span.parent_span_id}
        assert len(seen) == self.spans == len({s.span_id for s in seen})
        assert all(s.parent_span_id in (b"", roots[s.trace_id]) for s in seen)
        assert all(s.end_time_unix_nano - s.start_time_unix_nano == 800 for s in seen)
        assert Span.FromString(self.cut(seen_body := self.next()[0])[-1]).name and len(seen_body) == len(self.template)

    def next(self):
        """A batch, and the id of its last trace."""
        body = bytearray(self.template)
        ids = self.rng.randbytes(24 * self.spans)
        now = time.time_ns()
        trace = first = b""
        for n, (root, trace_at, own_at, parent_at, start_at, end_at) in enumerate(self.places):
            own = ids[n * 24 : n * 24 + 8]
            if root:
                trace, first = ids[n * 24 + 8 : n * 24 + 24], own
            body[trace_at : trace_at + 16] = trace
            body[own_at : own_at + 8] = own
            if parent_at is not None:
                body[parent_at : parent_at + 8] = first
            start = now + n * 1000
            body[start_at : start_at + 8] = start.to_bytes(8, "little")
            body[end_at : end_at + 8] = (start + 800).to_bytes(8, "little")
        self.n += 1
        return bytes(body), trace.hex()

    def cut(self, body):
        """The encoded spans of a batch."""
        return [body[a:b] for a, b in self.cuts]


class Sending:
    """A process that sends batches over several connections until they run out, the time is over, or it is stopped."""

    def __init__(self, port, batches, path="/v1/traces", connections=2, seconds=None, rate=None):
        """`batches` are bodies, or a `Batches` that creates them while sending; `rate` is in batches per second."""
        self.answered = FORK.Value("q", 0)
        self.stopping = FORK.Event()
        self.reader, writer = FORK.Pipe(duplex=False)
        given = (port, path, batches, connections, seconds, rate, self.answered, self.stopping, writer)
        self.process = FORK.Process(target=_send_all, args=given, daemon=True)
        self.process.start()
        writer.close()

    def stop(self):
        self.stopping.set()
        return self.result()

    def result(self):
        """Waits for the end and returns a dict of `started`, `ended`, `acks` (moment, seconds; oldest first), `busy`, `refused`."""
        try:
            done = self.reader.recv()
        except EOFError:
            raise SystemExit("the sending process died") from None
        self.process.join()
        return done


def _send_all(port, path, batches, connections, seconds, rate, answered, stopping, writer):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lock = threading.Lock()
    acks, refused, busy = [], [], [0]
    bodies = iter(lambda: batches.next()[0], None) if isinstance(batches, Batches) else iter(batches)
    started = time.monotonic()
    deadline = started + seconds if seconds else float("inf")
    taken = [0]

    def next_body():
        with lock:
            due = started + taken[0] / rate if rate else 0
            taken[0] += 1
            return next(bodies, None), due

    def one():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while not stopping.is_set() and time.monotonic() < deadline:
            body, due = next_body()
            if body is None:
                break
            wait = due - time.monotonic()
            if wait > 0 and stopping.wait(wait):
                break
            begun = time.monotonic()
            while True:
                try:
                    connection.request("POST", path, body, {"Content-Type": "application/x-protobuf"})
                    answer = connection.getresponse()
                    said = answer.read()
                except (OSError, http.client.HTTPException) as error:
                    connection.close()
                    refused.append(f"{type(error).__name__}: {error}")
                    break
                if answer.status in BUSY and time.monotonic() < deadline and not stopping.is_set():
                    busy[0] += 1
                    time.sleep(0.05)
                    continue
                if answer.status == 200:
                    now = time.monotonic()
                    with lock:
                        acks.append((now, now - begun))
                        answered.value += 1
                elif answer.status in BUSY:
                    busy[0] += 1
                else:
                    refused.append(f"{answer.status} {said[:100]!r}")
                break
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    acks.sort()
    ended = acks[-1][0] if acks else time.monotonic()
    writer.send({"started": started, "ended": ended, "acks": acks, "busy": busy[0], "refused": refused})
    writer.close()


def datagrams(count, seed=1):
    """X-Ray segments as the Python SDK sends them, one per request, without subsegments."""
    rng = random.Random(seed)
    now = time.time()
    made = []
    rest = {
        "in_progress": False,
        "origin": "AWS::ECS::Container",
        "http": {
            "request": {
                "url": "http://127.0.0.1:4567/api/activities/home",
                "method": "GET",
                "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "client_ip": "127.0.0.1",
            },
            "response": {"status": 200, "content_length": 1311},
        },
        "aws": {
            "xray": {
                "auto_instrumentation": False,
                "sdk_version": "2.15.0",
                "sdk": "X-Ray for Python",
                "sampling_rule_name": "Default",
            }
        },
        "service": {"runtime": "CPython", "runtime_version": "3.11.2"},
        "annotations": {"app_user": "andrewbrown"},
    }
    tail = json.dumps(rest)[1:].encode()
    for n in range(count):
        ids = rng.randbytes(20).hex()
        made.append(
            b'{"format": "json", "version": 1}\n{"name": "backend-flask", "id": "%s", "trace_id": "1-%08x-%s", '
            b'"start_time": %.6f, "end_time": %.6f, %s'
            % (ids[:16].encode(), int(now), ids[16:].encode(), now + n / 1e6, now + n / 1e6 + 0.012, tail)
        )
    return made


class _Msghdr(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("namelen", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class _Mmsghdr(ctypes.Structure):
    # Nested, because the length follows the padding of the inner structure.
    _fields_ = [("header", _Msghdr), ("len", ctypes.c_uint)]


class _Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class Datagrams:
    """A process that sends datagrams at a rate, one `sendmmsg` per millisecond (or `send` without it)."""

    def __init__(self, port, datagrams, rate):
        self.reader, writer = FORK.Pipe(duplex=False)
        self.process = FORK.Process(target=_send_datagrams, args=(port, datagrams, rate, writer), daemon=True)
        self.process.start()
        writer.close()

    def result(self):
        """A dict of `started`, `ended`, `sent`."""
        try:
            done = self.reader.recv()
        except EOFError:
            raise SystemExit("the sending process died") from None
        self.process.join()
        return done


def _send_datagrams(port, datagrams, rate, writer):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connected.connect(("127.0.0.1", port))
    libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
    many = getattr(libc, "sendmmsg", None)
    total = len(datagrams)
    keep = [ctypes.c_char_p(d) for d in datagrams]
    vectors = (_Iovec * total)(*[(ctypes.cast(k, ctypes.c_void_p), len(d)) for k, d in zip(keep, datagrams)])
    base = ctypes.addressof(vectors)
    size = ctypes.sizeof(_Iovec)
    messages = (_Mmsghdr * total)(*[((None, 0, base + n * size, 1, None, 0, 0), 0) for n in range(total)])
    message_base, message_size = ctypes.addressof(messages), ctypes.sizeof(_Mmsghdr)

    def send(first, count):
        if many is None:
            for datagram in datagrams[first : first + count]:
                connected.send(datagram)
            return count
        done = many(connected.fileno(), ctypes.c_void_p(message_base + first * message_size), count, 0)
        if done < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return done

    sent, started = 0, time.monotonic()
    while sent < total:
        due = min(total, int((time.monotonic() - started) * rate) + 1)
        # At most 64 at once, so that a pause of the sender does not cause an unrealistic burst.
        if due > sent:
            sent += send(sent, min(64, due - sent))
        else:
            time.sleep(0.001)
    writer.send({"started": started, "ended": time.monotonic(), "sent": sent})
    writer.close()
