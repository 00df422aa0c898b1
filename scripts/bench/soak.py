"""Sends half of the maximum rate for a long time, with the default limits, and checks that nothing grows or slows down.

    soak.py PATH/TO/tracebook [--minutes 30] [--rate SPANS_A_SECOND] [--without-window] [--json FILE]

Every ten seconds it measures RSS, the time of a trace list, and the size of telemetry.db. If xvfb-run, WebKitWebDriver
and a built window are available, the window is open on the same journal and has to respond too.
"""

import argparse
import contextlib
import http.client
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time

import load
import products
from bench import LISTS_MS, MIB, Targets, ask, milliseconds, percentile, say

LIMIT_MIB = 512  # the program's own default
# Space is freed before a batch is written, by an estimate of its size.
FILE_MIB = LIMIT_MIB * 1.02
# An eighth of the limit, at most 32 MiB, and twice that while there is always a reader.
LOG_MIB = 64
ANSWER_MS = 1000
ROWS = "const rows = document.querySelectorAll('[data-testid=trace-row]'); return [rows.length, rows[0]?.outerHTML ?? '']"


class Window:
    """The desktop program on its own display, driven as in the window tests."""

    def __init__(self, binary, data, folder):
        for tool in ("xvfb-run", "WebKitWebDriver"):
            if not shutil.which(tool):
                raise products.Missing(f"{tool} is missing: scripts/setup.sh test installs it")
        if not os.access(binary, os.X_OK):
            raise products.Missing(f"{binary} is not built")
        self.port, self.first = products.free_port(), ""
        environment = {"TAURI_WEBVIEW_AUTOMATION": "true", "TRACEBOOK_DATA": data, "WEBKIT_DISABLE_DMABUF_RENDERER": "1"}
        command = ["xvfb-run", "-a", "dbus-run-session", "--", "WebKitWebDriver", f"--port={self.port}"]
        if not shutil.which("dbus-run-session"):
            command = [part for part in command if part not in ("dbus-run-session", "--")]
        self.running = products.Running(command, f"{folder}/window", environment)
        try:
            self.running.wait_for([self.port])
            # No ports: serve holds the receivers of this journal, and the window leaves them to it.
            options = {"webkitgtk:browserOptions": {"binary": os.path.abspath(binary), "args": []}}
            answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": options}})
            self.session = answer["sessionId"]
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            self.running.stop(5)
            raise products.Missing(f"it did not open within 30 s ({type(error).__name__}: {error})") from None
        except BaseException:
            self.running.stop(5)
            raise

    def _call(self, method, path, body=None):
        headers = {"Content-Type": "application/json"}
        status, _, said = products.call(self.port, method, path, json.dumps(body or {}), headers, timeout=30)
        value = json.loads(said)["value"]
        if status != 200:
            raise products.Missing(f"the window's driver responded with {status}: {str(value)[:200]}")
        return value

    def rows(self):
        """The number of traces in the window, whether the first one changed, and the seconds it took to respond."""
        begun = time.monotonic()
        rows, first = self._call("POST", f"/session/{self.session}/execute/sync", {"script": ROWS, "args": []})
        moved, self.first = first != self.first, first
        return rows, moved, time.monotonic() - begun

    def stop(self):
        with contextlib.suppress(Exception):
            self._call("DELETE", f"/session/{self.session}")
        self.running.stop(10)


def measure_rate(ours, folder, given):
    """Spans per second at full speed, in a temporary journal."""
    running = ours.start(f"{folder}/full")
    try:
        sent = load.Sending(running.port, load.Batches(given.spans), connections=given.connections, seconds=10).result()
    finally:
        running.stop()
        shutil.rmtree(f"{folder}/full", ignore_errors=True)
    if not sent["acks"]:
        raise SystemExit(f"nothing was acknowledged: {sent['refused'][:1]}")
    return len(sent["acks"]) * given.spans / (sent["ended"] - sent["started"])


def file_size(path):
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def sample(running, window, sending, given, begun):
    lists = ask(running, {}, 10)
    row = {
        "at_s": time.monotonic() - begun,
        "rss": running.memory("VmRSS"),
        "rss_of_files": running.memory("RssFile") + running.memory("RssShmem"),
        "list_p50_s": percentile(lists, 0.5),
        "list_max_s": max(lists),
        "lists_s": lists,
        "database": file_size(running.database),
        "write_ahead_log": file_size(f"{running.database}-wal"),
        "spans": sending.answered.value * given.spans,
    }
    if window:
        try:
            row["window_rows"], row["window_moved"], row["window_s"] = window.rows()
            row["window_rss"] = window.running.memory("VmRSS")
        except (products.Missing, OSError, http.client.HTTPException, ValueError, KeyError) as error:
            row["window_why"] = f"{type(error).__name__}: {error}"
    return row


def show(row):
    text = (
        f"  {row['at_s'] / 60:5.1f} min  RSS {row['rss'] / MIB:5.0f} MiB ({row['rss_of_files'] / MIB:.0f} of files)  "
        f"list {milliseconds(row['list_p50_s'])}, at most {milliseconds(row['list_max_s'])}  "
        f"telemetry.db {row['database'] / MIB:,.0f} + {row['write_ahead_log'] / MIB:,.0f} MiB  {row['spans']:,} spans"
    )
    if "window_s" in row:
        text += f"  window {milliseconds(row['window_s'])}, {row['window_rows']} traces, {row['window_rss'] / MIB:,.0f} MiB"
    elif "window_why" in row:
        text += "  window: no answer"
    say(text)


def verdicts(samples, sent, wanted_rate, given, targets):
    third = len(samples) // 3
    if third < 2:
        say("  Too short to tell whether RSS is constant: use at least --minutes 2.")
    else:
        middle, last = (statistics.mean(row["rss"] for row in part) for part in (samples[third : 2 * third], samples[2 * third :]))
        targets.at_most("RSS, last third over middle third", round(last / middle, 3), 1.1, "x")
    targets.at_most("RSS, highest", max(row["rss"] for row in samples) / MIB, 150, " MiB")
    targets.at_most("live list, p95", percentile([took for row in samples for took in row["lists_s"]], 0.95) * 1000, LISTS_MS, " ms")
    targets.at_most("telemetry.db, largest", max(row["database"] for row in samples) / MIB, FILE_MIB, " MiB")
    targets.at_most("its write-ahead log, largest", max(row["write_ahead_log"] for row in samples) / MIB, LOG_MIB, " MiB")
    rate = len(sent["acks"]) * given.spans / (sent["ended"] - sent["started"])
    targets.at_least("spans/s kept up, share of those sent", round(rate / wanted_rate, 3), 0.95, "x")
    targets.at_most("batches refused", len(sent["refused"]), 0)
    seen = [row for row in samples if "window_s" in row]
    if seen:
        targets.at_most("slowest response of the window", max(row["window_s"] for row in seen) * 1000, ANSWER_MS, " ms")
        targets.at_least("share of samples in which the window had newer traces", round(statistics.mean(r["window_moved"] for r in seen), 2), 0.9)
    if any("window_why" in row for row in samples):
        targets.at_most("samples in which the window did not respond", sum("window_why" in row for row in samples), 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, help="spans per second (half of the maximum rate, which is measured first)")
    parser.add_argument("--spans", type=int, default=512)
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--every", type=float, default=10, help="seconds between samples")
    parser.add_argument("--window", metavar="FILE", help="tracebook-desktop (the one beside the binary)")
    parser.add_argument("--without-window", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--folder", help="where to write (the temporary folder); must be on a disk, not in memory")
    given = parser.parse_args()
    ours, targets, samples = products.Ours(given.binary), Targets(), []
    say(f"{os.path.abspath(given.binary)} on {os.cpu_count()} cores, {platform.platform(terse=True)}")
    with tempfile.TemporaryDirectory(prefix="tracebook-soak-", dir=given.folder) as folder:
        rate = given.rate
        if not rate:
            full = measure_rate(ours, folder, given)
            rate = full / 2
            say(f"At full speed {full:,.0f} spans/s for 10 s; so {rate:,.0f} spans/s for {given.minutes:g} min, limit {LIMIT_MIB} MiB")
        running = ours.start(f"{folder}/journal", max_mib=None)
        window = sending = None
        try:
            if given.without_window:
                say("Without the window: --without-window")
            else:
                beside = given.window or os.path.join(os.path.dirname(os.path.abspath(given.binary)), "tracebook-desktop")
                try:
                    window = Window(beside, running.folder, folder)
                except products.Missing as why:
                    say(f"Without the window: {why}")
            sending = load.Sending(running.port, load.Batches(given.spans), connections=given.connections, rate=rate / given.spans)
            begun = due = time.monotonic()
            while time.monotonic() - begun < given.minutes * 60:
                due += given.every
                time.sleep(max(0, due - time.monotonic()))
                samples.append(sample(running, window, sending, given, begun))
                show(samples[-1])
            sent = sending.stop()
            verdicts(samples, sent, rate, given, targets)
        finally:
            if sending and sending.process.is_alive():
                sending.process.terminate()
            if window:
                window.stop()
            polite = running.stop()
    targets.at_least("ends within 30 s of SIGTERM", int(polite), 1)
    targets.show()
    if given.json:
        with open(given.json, "w") as out:
            json.dump({"rate": rate, "samples": samples, "targets": targets.kept}, out, indent=1)
        say(f"All figures: {given.json}")
    if not all(target["reached"] for target in targets.kept):
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except products.Missing as why:
        sys.exit(f"tracebook cannot be measured: {why}")
