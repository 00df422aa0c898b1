"""The section `fetch`: 10,000 log events and 500 traces from one stub, by tracebook, aws and awslogs (from PyPI), and a
minimal client.

Every client is a command that is run to its end, with its output in a file, against the same endpoint (stub.py). They
take turns, so that other load on the machine affects all of them. The output is compared with the stub's data.

    log events     FilterLogEvents, all pages, oldest first (the only order of aws and awslogs)
    traces listed  GetTraceSummaries, all pages
    full traces    the list, then BatchGetTraces. tracebook has no command for many traces: `serve` is started and queried
                   as by a window (whole.py), one trace per request. aws is started once per five traces, X-Ray's limit,
                   with as many processes as there are cores

A user-defined endpoint has no rate limit, so tracebook does not wait here. How long it would wait for AWS is reported.
"""

import glob
import json
import os
import re
import statistics
import subprocess
import sys
import time

import products

HERE = os.path.dirname(os.path.abspath(__file__))
GROUP, BACK = "cruddur", "6h"
TASKS = {"events": "log events", "summaries": "traces listed", "traces": "full traces"}
FASTER, BARE_TIME = 5, 1.5
# Requests per second, and burst: `Api::quota` in crates/sources/src/cloud/limits.rs.
QUOTAS = {"FilterLogEvents": (4, 4), "GetTraceSummaries": (2, 5), "BatchGetTraces": (5, 10)}
ENVIRONMENT = {
    "AWS_CONFIG_FILE": "/nonexistent/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7TESTING",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_PAGER": "",
    "DBUS_SESSION_BUS_ADDRESS": "disabled:",
}
UNIQUE = re.compile(r"\bn=(\d+)\b")
TRACE = re.compile(r"\b1-([0-9a-f]{8})-([0-9a-f]{24})\b")


def hexadecimal(trace_id):
    """A trace id as 32 hex digits, to compare clients."""
    return TRACE.sub(r"\1\2", trace_id)


def read(path):
    with open(path) as file:
        return json.load(file)


class Ours:
    name, version = "tracebook", ""

    def __init__(self, binary):
        self.binary = binary

    def install(self):
        pass

    def prepare(self, folder, url, environment):
        self.folder = folder
        command = [self.binary, "--data", folder, "source", "set", "--aws-endpoint", url]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    def command(self, what, given, out):
        asked = [self.binary, "--data", self.folder, "--json", "live"]
        if what == "events":
            return [*asked, "logs", "--source", "cloudwatch", "--filter", f"group:{GROUP}", "--since", BACK] + [
                "--oldest-first",
                "--limit",
                str(given.events),
            ]
        if what == "summaries":
            return [*asked, "traces", "--source", "xray", "--since", BACK, "--limit", str(given.traces)]
        return [sys.executable, f"{HERE}/whole.py", self.binary, self.folder, str(given.traces)]

    def found(self, what, out):
        if what == "events":
            return [UNIQUE.search(row["message"])[1] for row in read(out)]
        return [row["trace_id"] for row in read(out) if what == "summaries" or row["spans"]]


class Aws(products.FromPyPI):
    name, package, version = "aws", "awscli", "1.46.3"

    def prepare(self, folder, url, environment):
        self.aws = [f"{products.PEERS}/aws/bin/aws", "--endpoint-url", url]

    def command(self, what, given, out):
        if what == "events":
            asked = ["logs", "filter-log-events", "--log-group-name", GROUP, "--start-time", str(int(given.since * 1000))]
            return [*self.aws, *asked, "--output", "json"]
        listed = [*self.aws, "xray", "get-trace-summaries", "--start-time", str(given.since), "--end-time", str(time.time())]
        if what == "summaries":
            return [*listed, "--output", "json"]
        whole = [*self.aws, "xray", "batch-get-traces", "--output", "json", "--trace-ids"]
        listed += ["--output", "text", "--query", "TraceSummaries[].[Id]"]
        # Each response has its own file, since parallel outputs would mix.
        each = f'{" ".join(whole)} "$@" > {out}.part$$'
        return ["sh", "-c", f"{' '.join(map(quoted, listed))} | xargs -n 5 -P {os.cpu_count()} sh -c {quoted(each)} each"]

    def found(self, what, out):
        if what == "events":
            return [UNIQUE.search(row["message"])[1] for row in read(out)["events"]]
        if what == "summaries":
            return [hexadecimal(row["Id"]) for row in read(out)["TraceSummaries"]]
        parts = glob.glob(f"{glob.escape(out)}.part*")
        rows = [row for part in parts for row in read(part)["Traces"]]
        for part in parts:
            os.remove(part)
        return [hexadecimal(row["Id"]) for row in rows if row["Segments"]]


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


class Awslogs(products.FromPyPI):
    name, package, version = "awslogs", "awslogs", "0.15.0"

    def prepare(self, folder, url, environment):
        self.url = url

    def command(self, what, given, out):
        if what == "events":
            asked = [f"{products.PEERS}/awslogs/bin/awslogs", "get", GROUP, "ALL", f"--start={BACK}"]
            return [*asked, "--aws-endpoint-url", self.url]
        return None

    def found(self, what, out):
        with open(out) as lines:
            return [UNIQUE.search(line)[1] for line in lines]


class Bare:
    """The lower bound: bytes passed on, or rows decoded, collected and written as tracebook does."""

    version = ""

    def __init__(self, shape):
        self.shape, self.name = shape, f"bare client, {shape}"

    def install(self):
        pass

    def prepare(self, folder, url, environment):
        self.port = url.rsplit(":", 1)[1]

    def command(self, what, given, out):
        asked = [sys.executable, "-I", "-S", f"{HERE}/bare.py", self.port, what]
        return asked + (["--rows"] if self.shape == "rows" else [])

    def found(self, what, out):
        with open(out) as answer:
            text = answer.read()
        if what == "events":
            return UNIQUE.findall(text)
        return [head + tail for head, tail in re.findall(r'"Id": "1-([0-9a-f]{8})-([0-9a-f]{24})"', text)]


CLIENT_CLASSES = {client.name: client for client in (Aws, Awslogs)}
BARE = ("bytes", "rows")


class Stub:
    """A running stub.py."""

    def __init__(self, folder, given):
        command = [sys.executable, f"{HERE}/stub.py", "--events", str(given.events), "--traces", str(given.traces)]
        with open(f"{folder}/stub.log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline().split()
        if line[:1] != [b"ready"]:
            raise products.Missing("the stub did not start")
        self.port = int(line[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def told(self):
        return json.loads(products.call(self.port, "GET", "/__stub")[2])

    def stop(self):
        self.process.terminate()
        self.process.wait()


def run(command, environment, out, stub):
    """Runs a command to its end; returns its times and its number of requests."""
    stub.told()
    with open(out, "wb") as answer, open(f"{out}.err", "wb") as words:
        begun = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=answer, stderr=words)
        _, status, used = os.wait4(process.pid, 0)
        ended = time.monotonic()
        process.returncode = os.waitstatus_to_exitcode(status)
    told = stub.told()
    if process.returncode or not told["asked"]:
        with open(f"{out}.err", errors="replace") as words:
            why = " ".join(words.read()[-300:].split())
        raise products.Missing(f"it ended with {process.returncode}: {why or '(no output)'}")
    return {
        "wall_s": ended - begun,
        "before_s": told["first"] - begun,
        "asking_s": told["last"] - told["first"],
        "after_s": ended - told["last"],
        "cpu_s": used.ru_utime + used.ru_stime,
        "asked": told["asked"],
        "bytes": told["bytes"],
    }


def complete(client, what, out, wanted, say):
    """Whether a client fetched everything, exactly once."""
    found = client.found(what, out)
    if len(found) == len(wanted) and set(found) == wanted:
        return True
    say(f"  {client.name}: {len(found):,} {TASKS[what]} fetched, {len(wanted - set(found)):,} of {len(wanted):,} are missing")
    return False


def measure(clients, what, given, folder, environment, stub, wanted, say):
    """Runs of each client, in turns; the first turn is a warm-up and not counted."""
    results = {client.name: {"client": client.name, "version": client.version, "runs": [], "complete": True} for client in clients}
    for turn in range(given.fetches + 1):
        for client in clients:
            found, out = results[client.name], f"{folder}/{what}.out"
            command = client.command(what, given, out)
            # One turn starts aws a hundred times and takes a minute; it is warm after the first start.
            once = what == "traces" and client.name == "aws"
            if not command or "why" in found or (once and found["runs"]):
                continue
            try:
                ran = run(command, environment, out, stub)
            except products.Missing as why:
                found["why"] = str(why)
                continue
            found["complete"] &= complete(client, what, out, wanted, say)
            if turn or once:
                found["runs"].append(ran)
    for found in results.values():
        for figure in ("wall_s", "before_s", "asking_s", "after_s", "cpu_s"):
            if found["runs"]:
                found[figure] = statistics.median(ran[figure] for ran in found["runs"])
    return [found for found in results.values() if found["runs"] or "why" in found]


def row(found):
    name = " ".join(filter(None, [found["client"], found["version"]]))
    if "why" in found:
        return [name, "not measured", *[""] * 6]
    walls = [ran["wall_s"] for ran in found["runs"]]
    parts = [f"{found[part] * 1000:,.0f}" for part in ("before_s", "asking_s", "after_s", "cpu_s")]
    requests = sum(found["runs"][-1]["asked"].values())
    spread = f"{min(walls) * 1000:,.0f} to {max(walls) * 1000:,.0f}" if len(walls) > 1 else "once"
    return [name, f"{found['wall_s'] * 1000:,.0f} ms", spread, *parts, f"{requests:,}"]


def compare(what, results, targets):
    by_name = {found["client"]: found for found in results if "why" not in found}
    us = by_name["tracebook"]
    for name in CLIENT_CLASSES:
        if name in by_name:
            targets.at_least(f"{TASKS[what]}, time of {name}, times ours", by_name[name]["wall_s"] / us["wall_s"], FASTER, "x")
    for shape in BARE:
        bare = by_name.get(f"bare client, {shape}")
        if bare:
            targets.at_most(
                f"{TASKS[what]}, our time, times the bare client's ({shape})", us["wall_s"] / bare["wall_s"], BARE_TIME, "x"
            )


def waiting(us, say):
    """Prints the delay that the rate limiter would add for AWS."""
    for operation, n in us["runs"][-1]["asked"].items():
        if operation in QUOTAS:
            rate, burst = QUOTAS[operation]
            pause = max(0, n - burst) / rate
            wait = f"{pause:,.1f} s of delay" if pause else "no delay"
            say(f"  tracebook at AWS: {n} {operation} have {wait} ({rate}/s, burst {burst})")


def fetch(binary, folder, given, targets, say, table):
    folder = f"{folder}/fetch"
    os.makedirs(folder)
    given.since = time.time() - 6 * 3600 + 60
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {**ENVIRONMENT, "HOME": folder}
    stub = Stub(folder, given)
    clients = [Ours(binary)] + [made() for name, made in CLIENT_CLASSES.items() if name not in given.without]
    clients += [Bare(shape) for shape in BARE if "bare" not in given.without]
    results = {}
    try:
        for client in list(clients):
            try:
                client.install()
                client.prepare(f"{folder}/data", stub.url, environment)
            except products.Missing as why:
                clients.remove(client)
                say(f"  {client.name} was not measured: {why}")
        for what, title in TASKS.items():
            reference = Bare("rows")
            reference.prepare(folder, stub.url, environment)
            run(reference.command(what, given, ""), environment, f"{folder}/wanted", stub)
            wanted = set(reference.found(what, f"{folder}/wanted"))
            n = given.events if what == "events" else given.traces
            if len(wanted) != n:
                raise products.Missing(f"the stub has {len(wanted)} {title} instead of {n}")
            found = measure(clients, what, given, folder, environment, stub, wanted, say)
            results[what] = found
            say(f"\nFetching: {n:,} {title} from one stub; median of {given.fetches} runs in turns, in ms")
            head = ["", "wall", "spread", "to the first request", "asking", "after the last", "CPU", "requests"]
            table(head, [row(one) for one in found])
            for one in found:
                if "why" in one and one["client"] == "tracebook":
                    raise products.Missing(f"{title}: {one['why']}")
                if "why" in one:
                    say(f"  {one['client']} was not measured: {one['why']}")
            waiting(found[0], say)
            compare(what, found, targets)
    finally:
        stub.stop()
    return results
