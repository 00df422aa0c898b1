"""A minimal client: reads the stub's data over one unsigned connection and writes it to standard output.

    bare.py PORT events|summaries|traces [--rows]

By default the bytes of a page are passed on unchanged, and only its end is searched for the token of the next page.
With --rows, each page is decoded, and all rows are written as one JSON list. `traces` reads full traces, five at a
time, with the ids from `summaries`.
"""

import json
import re
import socket
import sys

TOKEN = re.compile(rb'"[nN]extToken": "([^"]+)"\}$')
ID = re.compile(rb'"Id": "([^"]+)"')
HEAD = "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-Amz-Target: {}\r\nContent-Length: {}\r\n\r\n{}"


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb", 1 << 16)

    def ask(self, path, asked, target=""):
        body = json.dumps(asked)
        self.socket.sendall(HEAD.format(path, target, len(body), body).encode())
        length, status = 0, self.stream.readline()
        while (line := self.stream.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        page = self.stream.read(length)
        if b" 200 " not in status or len(page) < length:
            sys.exit(f"the stub responded with {status!r}: {page[:200]!r}")
        return page

    def pages(self, path, asked, token, target=""):
        while True:
            page = self.ask(path, asked, target)
            yield page
            found = TOKEN.search(page[-200:])
            if not found:
                return
            asked[token] = found[1].decode()


def pages_of(client, what):
    if what == "events":
        asked = {"logGroupName": "cruddur", "startFromHead": True, "limit": 10_000}
        yield from client.pages("/", asked, "nextToken", "Logs_20140328.FilterLogEvents")
        return
    summaries = client.pages("/TraceSummaries", {"StartTime": 0, "EndTime": 1}, "NextToken")
    if what == "summaries":
        yield from summaries
        return
    ids = [found.decode() for page in summaries for found in ID.findall(page)]
    for n in range(0, len(ids), 5):
        yield client.ask("/Traces", {"TraceIds": ids[n : n + 5]})


def main():
    port, what, *rest = sys.argv[1:]
    client, out = Client(int(port)), sys.stdout.buffer
    key = {"events": "events", "summaries": "TraceSummaries", "traces": "Traces"}[what]
    rows = []
    for page in pages_of(client, what):
        if rest == ["--rows"]:
            rows += json.loads(page)[key]
        else:
            out.write(page + b"\n")
    if rest == ["--rows"]:
        out.write(json.dumps(rows).encode())
    out.flush()


if __name__ == "__main__":
    main()
