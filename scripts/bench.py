"""Measures one built `tracebook` on this machine, on loopback only: cold start, and ingest of OTLP batches.

    bench.py PATH/TO/tracebook [--batches 200] [--spans 512] [--connections 2] [--starts 5]

Ingest counts a span when its batch was answered 200: `serve` commits a batch before it acknowledges it. The bodies are made
before the clock starts; the sender shares the machine with the receiver, so the number is a lower bound of the receiver's.
"""

import argparse
import http.client
import json
import os
import platform
import random
import statistics
import subprocess
import tempfile
import threading
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def serve(binary, data):
    """Starts `serve` on free ports; answers the process, its HTTP port and the seconds until it was ready."""
    start = time.perf_counter()
    command = [binary, "--data", data, "--json", "serve"]
    ports = ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--xray", "127.0.0.1:0"]
    process = subprocess.Popen([*command, *ports], stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"serve ended with {process.wait()} before it was ready")
    return process, int(json.loads(line)["http"].rsplit(":", 1)[1]), time.perf_counter() - start


def stop(process):
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        raise SystemExit("serve did not end within 20 s of SIGTERM") from None


def bodies(batches, spans):
    """Traces of 8 spans each, with the attributes a small web service has."""
    rng = random.Random(1)
    now = time.time_ns()
    for batch in range(batches):
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = "bench"
        scope = resource.scope_spans.add()
        scope.scope.name = "bench"
        for n in range(spans):
            if n % 8 == 0:
                trace_id, root = rng.randbytes(16), rng.randbytes(8)
            span = scope.spans.add(trace_id=trace_id, span_id=root if n % 8 == 0 else rng.randbytes(8))
            span.parent_span_id = b"" if n % 8 == 0 else root
            span.name = "GET /api/activities/home" if n % 8 == 0 else f"step-{n % 8}"
            span.kind = 2 if n % 8 == 0 else 1
            span.start_time_unix_nano = now + batch * 1_000_000 + n * 1000
            span.end_time_unix_nano = span.start_time_unix_nano + 800
            span.attributes.add(key="http.route").value.string_value = "/api/activities/home"
            span.attributes.add(key="app.row").value.int_value = n
        yield request.SerializeToString()


def send(port, queue, times, refused):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while True:
        try:
            body = queue.pop()
        except IndexError:
            break
        start = time.perf_counter()
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        answer = connection.getresponse()
        answer.read()
        (times if answer.status == 200 else refused).append(time.perf_counter() - start)
    connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--spans", type=int, default=512, help="in a batch; 512 is what the SDKs send at most")
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--starts", type=int, default=5)
    given = parser.parse_args()
    print(f"{os.path.abspath(given.binary)} on {os.cpu_count()} cores, {platform.platform(terse=True)}")

    with tempfile.TemporaryDirectory() as folder:
        starts = []
        for n in range(given.starts):
            process, _, seconds = serve(given.binary, f"{folder}/start-{n}")
            stop(process)
            starts.append(seconds)
        print(
            f"start to ready, new journal each time: median {statistics.median(starts) * 1000:.0f} ms, "
            f"{min(starts) * 1000:.0f} to {max(starts) * 1000:.0f} ms ({given.starts} starts)"
        )

        queue = list(bodies(given.batches, given.spans))
        size = sum(map(len, queue))
        process, port, _ = serve(given.binary, f"{folder}/ingest")
        times, refused = [], []
        senders = [threading.Thread(target=send, args=(port, queue, times, refused)) for _ in range(given.connections)]
        start = time.perf_counter()
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        elapsed = time.perf_counter() - start
        stop(process)
    unanswered = given.batches - len(times) - len(refused)
    times.sort()
    print(
        f"OTLP over HTTP: {len(times) * given.spans / elapsed:,.0f} spans/s acknowledged "
        f"({len(times)} of {given.batches} batches of {given.spans} spans, {size / 1e6:.1f} MB in {elapsed:.2f} s, "
        f"{given.connections} connections)"
    )
    if times:
        print(f"per batch: median {times[len(times) // 2] * 1000:.1f} ms, 95 % within {times[len(times) * 95 // 100] * 1000:.1f} ms")
    if refused or unanswered:
        raise SystemExit(f"{len(refused)} batches were refused, {unanswered} were not answered")


if __name__ == "__main__":
    main()
