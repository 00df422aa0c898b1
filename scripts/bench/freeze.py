"""The section `freeze`: a trace of 10,000 spans is captured, and its card drawn, as a window does it."""

import json
import secrets
import statistics
import time

import products

FROZEN_AND_DRAWN_MS = 300
# Spans per request: one request may be larger than a receiver takes.
PART = 1_000


def attribute(key, value):
    kind = "intValue" if isinstance(value, int) else "stringValue"
    return {"key": key, "value": {kind: str(value) if isinstance(value, int) else value}}


def spans(trace_id, count):
    """A request that runs statements in ten handlers; one statement in a hundred fails."""
    start = time.time_ns() - 60_000_000_000
    ids = [secrets.token_hex(8) for _ in range(count)]
    for n, span_id in enumerate(ids):
        begins = start + n * 100_000
        one = {
            "traceId": trace_id,
            "spanId": span_id,
            "name": f"SELECT activities {n % 50}",
            "kind": 3,
            "startTimeUnixNano": str(begins),
            "endTimeUnixNano": str(begins + 90_000),
            "attributes": [
                attribute("db.system", "postgresql"),
                attribute("db.statement", f"SELECT * FROM activities WHERE uuid = '{ids[n - 1]}' AND handle = $1"),
                attribute("server.address", "db.internal"),
                attribute("thread.id", n % 8),
            ],
        }
        if n % 100 == 99:
            one["status"] = {"code": 2, "message": "canceling statement due to statement timeout"}
        if n == 0:
            one |= {"name": "GET /api/activities/home", "kind": 2, "endTimeUnixNano": str(start + count * 100_000)}
        else:
            one["parentSpanId"] = ids[0] if n <= 10 else ids[1 + n % 10]
        yield one


def send(running, trace_id, count):
    resource = {"attributes": [attribute("service.name", "backend-flask")]}
    everything = list(spans(trace_id, count))
    for at in range(0, count, PART):
        scope = {"scope": {"name": "bench"}, "spans": everything[at : at + PART]}
        body = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}).encode()
        status, answer = products.call(running.port, "POST", "/v1/traces", body, {"Content-Type": "application/json"})[:2]
        if status != 200:
            raise SystemExit(f"the trace was not accepted: {status} {answer[:200]!r}")


def freeze(ours, folder, given, targets, say, table):
    count = given.frozen_spans
    say(f"\nA trace of {count:,} spans, captured (POST /rpc capture) and drawn (GET /card/…), {given.freezes} times")
    running = ours.start(f"{folder}/freeze")
    taken = {"captured": [], "drawn": [], "both": []}
    try:
        for _ in range(given.freezes):
            # A trace of its own each time: nothing is in memory yet.
            trace_id = secrets.token_hex(16)
            send(running, trace_id, count)
            time.sleep(0.3)
            begun = time.monotonic()
            status, body = running.rpc.call("capture", {"kind": "trace", "id": trace_id})
            captured = time.monotonic()
            if status != 200:
                raise SystemExit(f"capture responded with {status}: {body[:200]!r}")
            connection = running.rpc.connection
            connection.request("GET", f"/card/{json.loads(body)['id']}.svg", headers=running.rpc.headers)
            answer = connection.getresponse()
            picture = answer.read()
            drawn = time.monotonic()
            if answer.status != 200 or b"<svg" not in picture[:200] or f"{count:,}".encode() not in picture:
                raise SystemExit(f"no card of {count:,} spans: {answer.status} {picture[:200]!r}")
            for what, seconds in (("captured", captured - begun), ("drawn", drawn - captured), ("both", drawn - begun)):
                taken[what].append(seconds * 1000)
        memory = running.memory()
    finally:
        running.stop()
    rows = [[what, *(f"{figure:,.0f} ms" for figure in (statistics.median(times), max(times)))] for what, times in taken.items()]
    table(["", "median", "max"], rows)
    say(f"  peak RSS {memory / 1024 / 1024:,.0f} MiB")
    targets.at_most(f"{count:,} spans captured and drawn", statistics.median(taken["both"]), FROZEN_AND_DRAWN_MS, " ms")
    return taken
