"""A very fast fake cloud for measuring clients: the read operations of X-Ray and CloudWatch Logs on loopback.

    stub.py [--traces N] [--events N]

Prints `ready PORT` and serves until it is stopped. Rows have the form of tests/service/cloud.py, but every page is
encoded before the first request: ranges, filters and signatures are ignored, and a response is a single write. A page
of FilterLogEvents has at most a megabyte, as at CloudWatch Logs. X-Ray's pages of 100 summaries alternate with empty
ones. `GET /__stub` returns, since its previous call, the number of requests per operation, the bytes sent, and the
times of the first request and the last response (`time.monotonic`, which all processes of a machine share).
"""

import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "tests", "service"))
import cloud

GROUP, STREAMS = cloud.GROUPS[0], 2
PAGE_BYTES, PAGE_EVENTS, PAGE_SUMMARIES = 1 << 20, 10_000, 100
JSON, JSON_1_1 = b"application/json", b"application/x-amz-json-1.1"


def answer(body, kind=JSON, status=b"200 OK"):
    head = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (status, kind, len(body))
    return head + body


def event_pages(rows, token):
    """Responses of FilterLogEvents, by the token that requests each."""
    pages, page, size = [], [], 0
    for row in rows:
        if page and (size + len(row) + 2 > PAGE_BYTES - 200 or len(page) == PAGE_EVENTS):
            pages.append(page)
            page, size = [], 0
        page.append(row)
        size += len(row) + 2
    pages.append(page)
    made = {}
    for n, page in enumerate(pages):
        more = b', "nextToken": "%s-%d"' % (token, n + 1) if n + 1 < len(pages) else b""
        body = b'{"events": [' + b", ".join(page) + b'], "searchedLogStreams": []' + more + b"}"
        made[f"{token.decode()}-{n}" if n else None] = answer(body, JSON_1_1)
    return made


class Pages:
    """All responses."""

    def __init__(self, traces, events):
        world = cloud.World(traces, events, trace_step=20_000 / max(1, traces))
        newest_first = [json.dumps(event).encode() for event in world.events]
        self.newest, self.oldest = event_pages(newest_first, b"newest"), event_pages(newest_first[::-1], b"oldest")
        self.summaries = {}
        pages = [page for full in world.pages([world.summary(t) for t in world.traces], PAGE_SUMMARIES) for page in (full, [])][:-1]
        for n, page in enumerate(pages):
            said = {"TraceSummaries": page, "ApproximateTime": world.now, "TracesProcessedCount": len(page)}
            if n + 1 < len(pages):
                said["NextToken"] = str(n + 1)
            self.summaries[str(n) if n else None] = answer(json.dumps(said).encode())
        parts = ("Id", "Duration", "LimitExceeded", "Segments")
        self.traces = {t["Id"]: json.dumps({part: t[part] for part in parts}).encode() for t in world.traces}
        arn = f"arn:aws:logs:{cloud.REGION}:{cloud.ACCOUNT}:log-group:{GROUP}"
        self.groups = answer(
            json.dumps({"logGroups": [{"logGroupName": GROUP, "arn": arn + ":*", "logGroupArn": arn}]}).encode(), JSON_1_1
        )
        streams = [{"logStreamName": f"backend-flask/{n}", "storedBytes": 0} for n in range(STREAMS)]
        self.streams = answer(json.dumps({"logStreams": streams}).encode(), JSON_1_1)

    def of(self, path, operation, body):
        """The name of an operation, and its response."""
        asked = json.loads(body or b"{}")
        if operation == "FilterLogEvents":
            pages = self.oldest if asked.get("startFromHead", True) else self.newest
            return operation, pages[asked.get("nextToken")]
        if operation == "DescribeLogStreams":
            return operation, self.streams
        if operation == "DescribeLogGroups":
            return operation, self.groups
        if path == "/TraceSummaries":
            return "GetTraceSummaries", self.summaries[asked.get("NextToken")]
        if path == "/Traces":
            ids = asked["TraceIds"]
            if len(ids) > 5:
                raise KeyError("five ids at most")
            return "BatchGetTraces", answer(
                b'{"Traces": [' + b", ".join(self.traces[i] for i in ids) + b'], "UnprocessedTraceIds": []}'
            )
        raise KeyError(path)


class Connection(asyncio.Protocol):
    pages = None
    told = None

    @classmethod
    def forget(cls):
        cls.told = {"asked": {}, "bytes": 0, "first": None, "last": None}

    def connection_made(self, transport):
        self.transport, self.waiting = transport, b""
        # One write hands a whole page to the kernel.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        transport.set_write_buffer_limits(high=16 << 20)

    def data_received(self, data):
        came = time.monotonic()
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            line, *fields = self.waiting[:end].split(b"\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (field.partition(b":") for field in fields)}
            whole = end + 4 + int(headers.get(b"content-length", 0))
            if len(self.waiting) < whole:
                return
            body, self.waiting = self.waiting[end + 4 : whole], self.waiting[whole:]
            path = line.split()[1].decode()
            if path == "/__stub":
                self.transport.write(answer(json.dumps(self.told).encode()))
                self.forget()
                continue
            operation = headers.get(b"x-amz-target", b"").rpartition(b".")[2].decode()
            try:
                operation, written = self.pages.of(path, operation, body)
            except (KeyError, ValueError) as unknown:
                operation, written = f"refused: {unknown}", answer(b'{"message": "not here"}', JSON, b"400 Bad Request")
            self.transport.write(written)
            told = self.told
            told["asked"][operation] = told["asked"].get(operation, 0) + 1
            told["bytes"] += len(written)
            told["first"] = told["first"] or came
            told["last"] = time.monotonic()


async def serve(given):
    Connection.pages = Pages(given.traces, given.events)
    Connection.forget()
    gc.collect()
    gc.freeze()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", given.port, backlog=128)
    loop.add_signal_handler(signal.SIGTERM, server.close)
    print(f"ready {server.sockets[0].getsockname()[1]}", flush=True)
    with contextlib.suppress(asyncio.CancelledError):
        await server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--traces", type=int, default=500)
    parser.add_argument("--events", type=int, default=10_000)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
