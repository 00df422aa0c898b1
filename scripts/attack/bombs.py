"""Small requests that become large: gzip and JSON at every receiver. Memory stays bounded and others are served."""

import collections
import concurrent.futures
import gzip
import http.client
import json
import socket
import time

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from target import MIB, RETRYABLE, RSS_LIMIT_MIB, Memory, Ordinary, call, send_span, serve, size_of, stored_traces

SECONDS = 10
# What a receiver may answer to a bomb: too large, invalid, busy, or accepted. Never an error of its own, or nothing.
ANSWERS = (200, 400, 413, *RETRYABLE)


def packed(parts, level=9):
    """gzip of a body that need not fit into memory here: an iterable of (bytes, times)."""
    import zlib

    maker = zlib.compressobj(level, zlib.DEFLATED, 31)
    out = []
    for piece, times in parts:
        block = piece * max(1, min(times, MIB // max(1, len(piece))))
        whole, rest = divmod(len(piece) * times, len(block))
        for _ in range(whole):
            out.append(maker.compress(block))
        out.append(maker.compress(block[:rest]))
    out.append(maker.flush())
    return b"".join(out)


def large_name(spans, size):
    """A resource whose service has a very long name, and many spans that belong to it."""
    request = ExportTraceServiceRequest()
    of = request.resource_spans.add()
    of.resource.attributes.add(key="service.name").value.string_value = "n" * size
    scope = of.scope_spans.add()
    now = time.time_ns()
    for n in range(spans):
        scope.spans.add(
            trace_id=(n + 7_000_000).to_bytes(16, "big"), span_id=(n + 1).to_bytes(8, "big"), name="x",
            start_time_unix_nano=now, end_time_unix_nano=now + 1,
        )
    return gzip.compress(request.SerializeToString())


def large_scope(records, size):
    """Log records whose logger has a very long name."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    scope.scope.name = "s" * size
    for _ in range(records):
        scope.log_records.add(time_unix_nano=time.time_ns()).body.string_value = "x"
    return gzip.compress(request.SerializeToString())


def many_attributes():
    """One span of 3 MiB in which every two bytes are an attribute."""
    inner = b"\x0a\x10" + b"t" * 16 + b"\x12\x08" + b"s" * 8 + b"\x4a\x00" * (3 * MIB // 2)
    def nested(field, body):
        length, n = b"", len(body)
        while n > 127:
            length, n = length + bytes([n & 127 | 128]), n >> 7
        return bytes([field << 3 | 2]) + length + bytes([n]) + body
    return gzip.compress(nested(1, nested(2, nested(2, inner))))


def json_tree(unit, size, head=b'{"a":[', tail=b'1]}'):
    return packed([(head, 1), (unit, size // len(unit)), (tail, 1)])


def http_bomb(path, headers, body):
    def send(running):
        return call(running.http, "POST", path, body, headers, timeout=60)[0]

    return send


def xray_bomb(path, body):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    def send(running):
        return call(running.xray, "POST", path, body, headers, timeout=60)[0]

    return send


GRPC_STATUS = {"OK": 200, "INVALID_ARGUMENT": 400, "RESOURCE_EXHAUSTED": 413, "UNAVAILABLE": 503}


def grpc_bomb(message):
    def send(running):
        channel = grpc.insecure_channel(f"127.0.0.1:{running.grpc}", [("grpc.max_send_message_length", 128 * MIB)])
        method = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        try:
            method(message, timeout=60, compression=grpc.Compression.Gzip)
            return 200
        except grpc.RpcError as error:
            return GRPC_STATUS.get(error.code().name, error.code().name)
        finally:
            channel.close()

    return send


def bombs():
    protobuf = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
    text = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    def logs(operation):
        return {"X-Amz-Target": f"Logs_20140328.{operation}", **text, "Content-Type": "application/x-amz-json-1.1"}

    yield "OTLP, a service name of 4 MiB and 300 spans", 4, http_bomb("/v1/traces", protobuf, large_name(300, 4 * MIB - 64))
    yield "OTLP, a service name of 64 KiB and 50,000 spans", 4, http_bomb("/v1/traces", protobuf, large_name(50_000, 64 * 1024))
    yield "OTLP logs, a logger name of 4 MiB and 300 records", 4, http_bomb("/v1/logs", protobuf, large_scope(300, 4 * MIB - 64))
    yield "OTLP, 1.5 million empty attributes", 16, http_bomb("/v1/traces", protobuf, many_attributes())
    yield "OTLP, 64 MiB of zeros", 48, http_bomb("/v1/traces", protobuf, packed([(b"\0", 64 * MIB - 1)]))
    yield "OTLP JSON, 60 MiB of objects", 48, http_bomb("/v1/traces", text, json_tree(b"{},", 60 * MIB, b'{"resourceSpans":['))
    yield "OTLP JSON, attributes in every two bytes", 48, http_bomb("/v1/traces", text, json_tree(b"[],", 60 * MIB))
    for operation in ("PutLogEvents", "FilterLogEvents", "CreateLogGroup"):
        size = 15 * MIB if operation == "PutLogEvents" else 2 * MIB - 64
        yield f"CloudWatch {operation}, lists of lists", 300, http_bomb("/", logs(operation), json_tree(b"[],", size))
    events = json_tree(b'{"timestamp":1,"message":"x"},', 15 * MIB, b'{"logGroupName":"g","logStreamName":"s","logEvents":[', b"{}]}")
    yield "CloudWatch PutLogEvents, half a million events", 300, http_bomb("/", logs("PutLogEvents"), events)
    for path in ("/TraceSegments", "/Traces", "/TelemetryRecords", "/CreateGroup"):
        yield f"X-Ray {path}, lists of lists", 300, xray_bomb(path, json_tree(b"[],", 15 * MIB))
    documents = json_tree(b'"{}",', 15 * MIB, b'{"TraceSegmentDocuments":[', b'"{}"]}')
    yield "X-Ray /TraceSegments, three million documents", 300, xray_bomb("/TraceSegments", documents)
    item = json_tree(b"{},", 62 * MIB, b'{"access_token":"x","data":{"body":{"message":{"body":"x"},"extra":[', b"{}]}}}")
    yield "Rollbar, 62 MiB of objects", 48, http_bomb("/api/1/item/", text, item)
    batch = json_tree(b'{"body":{"message":{"body":"x"}}},', 62 * MIB, b'{"access_token":"x","data":[', b"{}]}")
    yield "Rollbar, two million items", 48, http_bomb("/api/1/item/", text, batch)
    yield "gRPC, 32 MiB of empty fields", 24, grpc_bomb(b"\x0a\x00" * (16 * MIB))
    # SDKs send it without compression.
    sts = b"Action=GetCallerIdentity&" * (2 * MIB // 25)
    yield "STS form, 2 MiB", 300, http_bomb("/", {"Content-Type": "application/x-www-form-urlencoded"}, sts)


def explode(running, send, at_once):
    """Sends for a while over many connections; returns how often each answer came."""
    answers = collections.Counter()
    until = time.monotonic() + SECONDS

    def one():
        while time.monotonic() < until:
            try:
                answers[send(running)] += 1
            except (OSError, http.client.HTTPException) as error:
                answers[type(error).__name__] += 1

    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for _ in range(at_once):
            pool.submit(one)
    return answers


def datagrams(running):
    """The largest datagrams, as fast as one process sends them."""
    until, sent = time.monotonic() + SECONDS, 0
    head = b'{"format": "json", "version": 1}\n'
    bodies = [
        head + b'{"trace_id":"1-5759e988-bd862e3fe1be46a994272793","id":"53995c3f42cd8ad8","name":"' + b"n" * 60_000 + b'","start_time":1760000000,"end_time":1760000001}',
        head + b"[" * 60_000,
        head + b'{"metadata":' + b'{"a":' * 12_000,
        b"\xff" * 60_000,
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        while time.monotonic() < until:
            for body in bodies:
                out.sendto(body, ("127.0.0.1", running.xray))
                sent += 1
    return {"sent": sent}


def run(binary, folder, report):
    attacks = [(name, lambda running, send=send, many=many: explode(running, send, many)) for name, many, send in bombs()]
    attacks.append(("X-Ray UDP, large datagrams", datagrams))
    for n, (name, attack) in enumerate(attacks):
        place = f"{folder}/{n}"
        running = serve(binary, place)
        try:
            before = range(20)
            for trace in before:
                send_span(running.http, trace)
            with Memory(running) as memory, Ordinary(running) as ordinary:
                answers = attack(running)
            odd = {status: count for status, count in answers.items() if status not in (*ANSWERS, "sent")}
            report.at_most(f"{name}: RSS", memory.mib, RSS_LIMIT_MIB, " MiB", str(dict(answers)))
            ordinary.rows(report, name)
            report.row(f"{name}: other answers", f"{sum(odd.values())}", "none", not odd, str(odd) if odd else "")
            kept = len(stored_traces(binary, place) & set(before))
            report.row(f"{name}: earlier traces kept", f"{kept} of 20", "20 of 20", kept == 20)
            report.at_most(f"{name}: data directory", size_of(place) // MIB, 600, " MiB")
        finally:
            running.stop()
