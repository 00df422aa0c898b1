"""What the command line prints contains no character that a terminal would obey, and no hidden one."""

import json
import os
import re
import time

from target import answer_of, call, cli, cloudwatch, entry, serve

# C0 except newline and tab, DEL, C1, and what changes the direction of text or is invisible.
WRONG = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
HOSTILE = (
    "\x1b]0;owned\x07", "\x1b[2J\x1b[H", "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "\x9b31m", "\x9d0;x\x9c", "\x7f",
    "\u202egnp.exe", "\u2066x\u2069", "\u200b", "\r\x1b[K", "\x08\x08", "\x00", "\x1bP+q\x1b\\", "\x85", "\u2028", "\ufeff",
    "\U000e0041", "\x1b[?1049h", "\x0e", "\x05",
)


def plant(running, n, text):
    """The text in every field of every kind."""
    now = time.time_ns()
    value = {"stringValue": text}
    trace = f"{n + 1:032x}"
    span = {
        "traceId": trace, "spanId": f"{n + 1:016x}", "name": f"a{text}b", "startTimeUnixNano": str(now - 1000), "endTimeUnixNano": str(now),
        "attributes": [{"key": f"k{text}", "value": value}], "status": {"code": 2, "message": text},
        "events": [{"name": "exception", "timeUnixNano": str(now), "attributes": [{"key": "exception.message", "value": value},
                                                                                 {"key": "exception.type", "value": value}]}],
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": f"svc{text}"}}]}
    kind = {"Content-Type": "application/json"}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": text}, "spans": [span]}]}]}
    call(running.http, "POST", "/v1/traces", json.dumps(body).encode(), kind)
    record = {"timeUnixNano": str(now), "severityText": text, "body": value, "traceId": trace, "attributes": [{"key": text, "value": value}]}
    body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {"name": text}, "logRecords": [record]}]}]}
    call(running.http, "POST", "/v1/logs", json.dumps(body).encode(), kind)
    data = {"environment": text, "level": "error", "uuid": f"{n:032d}", "title": f"t{text}", "person": {"id": text, "username": text},
            "context": text, "body": {"message": {"body": text}}, "request": {"url": text, "headers": {text: text}}}
    call(running.http, "POST", "/api/1/item/", json.dumps({"data": data}).encode(), kind)
    name = "group"
    cloudwatch(running.http, "CreateLogGroup", {"logGroupName": name})
    cloudwatch(running.http, "CreateLogStream", {"logGroupName": name, "logStreamName": f"s{n}"})
    events = [{"timestamp": now // 1_000_000, "message": f"m{text}"}]
    cloudwatch(running.http, "PutLogEvents", {"logGroupName": name, "logStreamName": f"s{n}", "logEvents": events})
    return trace


def run(binary, folder, report):
    # The watched command prints the same, as a hostile dependency would.
    lines = f"{folder}-lines"
    with open(lines, "w", newline="", encoding="utf-8") as out:
        out.writelines(f"line {n} {text} end\n" for n, text in enumerate(HOSTILE))
    running = serve(binary, folder, "--watch", f"cat {lines}")
    try:
        traces = [plant(running, n, text) for n, text in enumerate(HOSTILE)]
        reference = entry(binary, folder, "# Week 2 " + "".join(HOSTILE).replace("\x00", "") + "\n\n![Insert image of Traces]()\n\ntext\n")
        captured = [answer_of(binary, folder, "capture", "trace", trace, "--into", reference)["id"] for trace in traces[:3]]
        captured.append(answer_of(binary, folder, "capture", "logs", "--into", reference)["id"])
        captured.append(answer_of(binary, folder, "capture", "error", "--latest", "--into", reference)["id"])
        time.sleep(1)
        captured.append(answer_of(binary, folder, "capture", "console", "--into", reference)["id"])
        out = f"{folder}-out"
        commands = [
            ["live", "traces"], ["live", "logs"], ["live", "errors"], ["live", "console"], ["entry", "list"], ["entry", "history", reference],
            ["slots", reference], ["evidence", "list"], ["search", "line"], ["check"], ["doctor"], ["status"], ["env"],
            ["export", "--all", "--to", out, "--allow-leaks"], ["verify", out], ["source", "list"], ["relay", "status"],
            ["live", "traces", "--filter", "\x1b[31m\u202e\x9b:"], ["capture", "trace", "\x1b[31m\u202e\x9b"], ["entry", "show", "\x1b[31m\u202e\x9b"],
        ]
        commands += [["evidence", "show", one] for one in captured]
        commands += [["evidence", "diff", captured[0], captured[1]]]
        for kind in ([], ["--json"]):
            wrong = []
            for command in commands:
                _, said, err, _ = cli(binary, folder, *kind, *command)
                for stream, written in (("stdout", said), ("stderr", err)):
                    text = written.decode("utf-8", "surrogateescape")
                    if found := WRONG.search(text):
                        at = found.start()
                        wrong.append(f"{' '.join(command[:2])} {stream}: {text[max(0, at - 20):at + 5]!r}".encode("ascii", "backslashreplace").decode())
            report.none_of(f"commands{' with --json' if kind else ''} that print a control character", wrong, len(commands))
        log = os.path.join(folder, "logs", "tracebook.log")
        if os.path.exists(log):
            with open(log, encoding="utf-8", errors="surrogateescape") as file:
                found = WRONG.findall(file.read())
            report.none_of("control characters in the log file", found, 1)
    finally:
        running.stop()
