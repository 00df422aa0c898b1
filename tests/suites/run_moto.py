"""Runs moto's tests of X-Ray and CloudWatch Logs against another server.

    run_moto.py PORT|HOST:PORT [--empty] [--json] [-k EXPRESSION]
    run_moto.py --own                starts moto's server and runs the tests against it
    run_moto.py --list               lists the tests that would run

The tests come from the source distribution of the pinned version (fetched once into .setup/moto-VERSION)
and run unchanged, in moto's server mode: boto3 sends everything to one address, logs and X-Ray alike. Before and after
each test they POST /moto-api/reset there, which needs no response. With --empty the runner deletes every log group
over the API before each test, for a server that keeps its state.

All of tests/test_logs and tests/test_xray are collected. moto-skips.txt lists those that are skipped, per line a node
id (a file, a class, a test with all its parameters, or one of them) and the reason. Exits 0 if all others passed; 1 if
one failed or skipped itself, or if a line matches no test; 2 on wrong usage.
The last line has the counts, `moto: N passed, N failed, N skipped`, or with --json
{"passed": N, "failed": [ids], "left_out": N, "stale": [lines]}.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

VERSION = "5.2.5"
SHA256 = "391857257d5dac144334013c2c10e599def5f0562f553e979160140bd7bd9cf6"
HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".setup" / f"moto-{VERSION}"
WANTED = ("tests/__init__.py", "tests/conftest.py", "tests/markers.py", "tests/test_logs/", "tests/test_xray/")
FOLDERS = ("tests/test_logs", "tests/test_xray")


def fetch():
    """Extracts the tests only: the distribution's `moto` would shadow the installed one."""
    if (CACHE / "tests").is_dir():
        return
    CACHE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as folder:
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]
        subprocess.run([*pip, "--no-binary", "moto", "--dest", folder, f"moto=={VERSION}"], check=True)
        archive = Path(folder) / f"moto-{VERSION}.tar.gz"
        if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
            sys.exit(f"{archive.name} is not the one that this runner knows")
        with tarfile.open(archive) as packed:
            inside = f"moto-{VERSION}/"
            for member in packed:
                if member.isfile() and member.name.removeprefix(inside).startswith(WANTED):
                    target = Path(folder) / member.name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(packed.extractfile(member).read())
        shutil.rmtree(CACHE, ignore_errors=True)
        (Path(folder) / inside).rename(CACHE)


def skips():
    """The skipped node ids, each with its reason."""
    found = {}
    for line in (HERE / "moto-skips.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        node, _, reason = line.partition(" ")
        if not reason.strip() or node in found:
            sys.exit(f"moto-skips.txt: {node} has no reason or stands there twice")
        found[node] = reason.strip()
    return found


class Plugin:
    """Skips the listed tests and counts the others."""

    def __init__(self, listed, empty):
        self.listed = listed
        self.used = set()
        self.empty = empty
        self.passed, self.failed, self.left_out, self.chosen = set(), {}, 0, []

    def pytest_collection_modifyitems(self, config, items):
        kept, left = [], []
        for item in items:
            parts = item.nodeid.partition("[")[0].split("::")
            names = {"::".join(parts[: n + 1]) for n in range(len(parts))} | {item.nodeid}
            lines = names & self.listed.keys()
            self.used |= lines
            (left if lines else kept).append(item)
        items[:] = kept
        self.left_out = len(left)
        self.chosen = [item.nodeid for item in kept]

    def pytest_runtest_setup(self, item):
        if self.empty:
            self.empty()

    def pytest_runtest_logreport(self, report):
        if report.failed or report.skipped:  # a test that skips itself is not listed
            self.failed[report.nodeid] = str(report.longrepr)
            self.passed.discard(report.nodeid)
        elif report.when == "call" and report.nodeid not in self.failed:
            self.passed.add(report.nodeid)

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed[report.nodeid] = str(report.longrepr)


def deleter(endpoint):
    """Deletes every log group over the API."""
    import boto3

    client = boto3.client("logs", "us-east-1", endpoint_url=endpoint)

    def empty():
        for page in client.get_paginator("describe_log_groups").paginate():
            for group in page["logGroups"]:
                client.delete_log_group(logGroupName=group["logGroupName"])

    return empty


@contextlib.contextmanager
def own_server():
    """moto's server on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(150):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def run(address, given):
    endpoint = f"http://{address}"
    for name in [name for name in os.environ if name.startswith(("AWS_", "MOTO_", "TEST_"))]:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,  # keeps requests that moto does not redirect on this machine
        "TEST_SERVER_MODE": "true",
        "TEST_SERVER_MODE_ENDPOINT": endpoint,
    }
    import pytest  # moto reads the environment when it is imported

    fetch()
    listed = skips()
    plugin = Plugin(listed, deleter(endpoint) if given.empty else None)
    os.chdir(CACHE)
    arguments = ["-q", "--no-header", "-p", "no:cacheprovider", "--color=no", "--tb=short", "-W", "ignore", *FOLDERS]
    arguments += ["-k", given.k] if given.k else []
    arguments += ["--collect-only", "--no-summary"] if given.list else []
    with contextlib.redirect_stdout(sys.stderr):
        code = pytest.main(arguments, plugins=[plugin])
    if given.list:
        print("\n".join(plugin.chosen))
    stale = [node for node in listed if node not in plugin.used]
    for node in stale:
        print(f"moto-skips.txt: no test matches {node}", file=sys.stderr)
    if given.json:
        result = {"passed": len(plugin.passed), "failed": sorted(plugin.failed), "left_out": plugin.left_out, "stale": stale}
        print(json.dumps(result))
    else:
        print(f"moto: {len(plugin.passed)} passed, {len(plugin.failed)} failed, {plugin.left_out} skipped")
    return 1 if code or plugin.failed or stale else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", metavar="PORT|HOST:PORT")
    parser.add_argument("--own", action="store_true", help="run against moto's server")
    parser.add_argument("--empty", action="store_true", help="delete every log group before each test")
    parser.add_argument("--list", action="store_true", help="only list the tests")
    parser.add_argument("--fetch", action="store_true", help="only download the tests")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("-k", metavar="EXPRESSION", help="only tests that match, as in pytest")
    given = parser.parse_args()
    if given.fetch:
        fetch()
        return
    if given.list:
        sys.exit(run("127.0.0.1:9", given))
    if given.own == bool(given.address):
        parser.error("one of PORT and --own")
    if given.own:
        with own_server() as address:
            code = run(address, given)
        sys.exit(code)
    sys.exit(run(given.address if ":" in given.address else f"127.0.0.1:{given.address}", given))


if __name__ == "__main__":
    main()
