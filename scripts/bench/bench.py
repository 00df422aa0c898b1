"""Measures a built `tracebook` beside other products on this machine, in one run, on loopback only.

    bench.py PATH/TO/tracebook [--quick] [--only start,otlp,xray,lists,freeze,publish,fetch,typing]
                               [--logs off,info,debug]
                               [--without phoenix,otelite,rotel,aws,awslogs,bare] [--json FILE]

    start   time from the command to the ready line, with a new journal each time
    otlp    the same OTLP batches sent to tracebook, to the peers, and into a plain SQLite table
    xray    X-Ray segments over UDP, at increasing rates until one is lost
    lists   the list of traces as the window requests it, with a million spans stored and more arriving
    freeze  a trace of 10,000 spans, captured and drawn
    publish a year's journal, exported, checked and verified, and a class of journals
    fetch   log events and traces from a stub of the cloud, by tracebook, aws, awslogs and a minimal client
    typing  keys in the window's editor and in a bare CodeMirror, and what is posted to save them

Acknowledged: the response was 200. Queryable: committed to the database that the product reads its lists from (which is
polled every 10 ms), and its own API returns one of the last traces. The senders share the machine with the receiver, so
every rate is a lower bound.
"""

import argparse
import itertools
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time

import fetch
import freeze
import load
import products
import publish
import typing_bench
import watch

MIB = 1024 * 1024
SECTIONS = ("start", "otlp", "xray", "lists", "freeze", "publish", "fetch", "typing")
OTHERS = [*products.PEER_CLASSES, *fetch.CLIENT_CLASSES, "bare"]
LISTS_MS, RSS_MIB, XRAY_RATE, BARE_TIME = 20, 150, 20_000, 2


def say(text=""):
    print(text, flush=True)


def table(head, rows):
    """Prints a table: the first column left-aligned, the others right-aligned."""
    rows = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        say("  " + "  ".join(cells).rstrip())


def percentile(values, share):
    """The given percentile (0 to 1) of the values; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0


def milliseconds(seconds):
    return f"{seconds * 1000:,.1f} ms" if seconds < 10 else f"{seconds:,.1f} s"


class Targets:
    """Targets, and by how much each was reached or missed."""

    def __init__(self):
        self.rows, self.kept = [], []

    def at_least(self, what, got, wanted, unit=""):
        self._note(what, got, wanted, unit, got >= wanted, got / wanted if wanted else 0, "at least")

    def at_most(self, what, got, wanted, unit=""):
        self._note(what, got, wanted, unit, got <= wanted, wanted / got if got else float("inf"), "at most")

    def _note(self, what, got, wanted, unit, reached, factor, bound):
        if reached and (not wanted or not got or got == wanted):
            how = "reached"
        elif reached:
            how = f"reached, {factor:,.2f}x the target"
        else:
            how = f"MISSED, {factor:,.2f} of the target" if factor else "MISSED"
        form = ",.0f" if wanted >= 1000 or isinstance(got, int) else ",.2f" if unit == "x" else ",.1f"
        self.rows.append([what, f"{got:{form}}{unit}", f"{bound} {wanted:,}{unit}", how])
        self.kept.append({"what": what, "got": got, "bound": bound, "wanted": wanted, "unit": unit.strip(), "reached": reached})

    def show(self):
        say("\nTargets")
        table(["what", "got", "wanted", ""], self.rows or [["none was measured", "", "", ""]])


def cold_start(ours, folder, given):
    starts = []
    for n in range(given.starts):
        running = ours.start(f"{folder}/start-{n}", max_mib=None)
        if not running.stop():
            raise SystemExit("serve did not end within 30 s of SIGTERM")
        starts.append(running.seconds)
    say(
        f"\nStart to ready, new journal each time: median {statistics.median(starts) * 1000:.0f} ms, "
        f"{min(starts) * 1000:.0f} to {max(starts) * 1000:.0f} ms ({given.starts} starts)"
    )
    return {"starts_s": starts}


def ingest(product, folder, bodies, given):
    """Sends until time or batches run out, then waits until everything acknowledged is committed."""
    running = product.start(folder)
    try:
        time.sleep(0.5)  # excludes the work at startup
        empty = products.size_of(folder)
        watcher = watch.Watcher(running.database, product.quick, product.exact) if product.exact else None
        only = [body for body, _ in bodies]
        # A product that stores nothing does not notice repeated batches, and would finish them before it is warm.
        sending = load.Sending(
            running.port, only if watcher else itertools.cycle(only), product.path, given.connections, given.seconds
        )
        sent = sending.result()
        acks = [moment for moment, _ in sent["acks"]]
        found = {
            "product": product.name,
            "version": product.version,
            "spans": len(acks) * given.spans,
            "busy": sent["busy"],
            "refused": sent["refused"][:3],
            "refused_count": len(sent["refused"]),
        }
        if not acks:
            raise products.Missing(f"no batch was acknowledged: {(sent['refused'] or ['it was busy throughout'])[0]}")
        found["acknowledged"] = found["spans"] / (sent["ended"] - sent["started"])
        found["batch_p50_s"] = percentile([took for _, took in sent["acks"]], 0.5)
        found["batch_p95_s"] = percentile([took for _, took in sent["acks"]], 0.95)
        if watcher:
            there = watcher.wait_for(found["spans"], given.quiet, given.patience)
            gave_up = watcher.moments[-1]
            # The k-th acknowledged batch is committed when k batches are. Exact if batches are processed in order.
            seen = [watcher.moment_of((k + 1) * given.spans) for k in range(len(acks))]
            # A batch still missing at the end took at least that long.
            seen = [moment or (gave_up, gave_up) for moment in seen]
            found["stored"], found["waited_for_all"] = there, there >= found["spans"]
            found["lag_p95_s"] = percentile([max(0, late - acked) for (_, late), acked in zip(seen, acks)], 0.95)
            found["lag_p95_at_least_s"] = percentile([max(0, early - acked) for (early, _), acked in zip(seen, acks)], 0.95)
            last = max(seen[-1][1], sent["ended"])
            found["queryable"] = min(there, found["spans"]) / (last - sent["started"])
            # Asks its API, not only its file: for one of the last traces, or one of the first if some are missing.
            known = max(0, len(acks) - given.connections) if found["waited_for_all"] else 0
            found["api_knows"] = product.confirm(running, bodies[known][1])
        found["peak_rss"] = running.memory()
    finally:
        polite = running.stop()
    found["ended_politely"] = polite
    if product.exact and found["stored"]:
        found["disk_per_span"] = (products.size_of(folder) - empty) / found["stored"]
    return found


def otlp_row(found):
    if "why" in found:
        return [f"{found['product']} {found['version']}", "not measured", "", "", "", "", ""]
    lag = "-"
    if "lag_p95_s" in found:
        # Found by the first poll: the lag is between zero and the polling interval.
        bound = "> " if not found["waited_for_all"] else "< " if not found["lag_p95_at_least_s"] else ""
        lag = bound + milliseconds(found["lag_p95_s"])
    return [
        " ".join(filter(None, [found["product"], found["version"]])),
        f"{found['acknowledged']:,.0f}" if "acknowledged" in found else "-",
        f"{found['queryable']:,.0f}" if "queryable" in found else "-",
        lag,
        f"{found['peak_rss'] / MIB:,.0f} MiB" if "peak_rss" in found else "-",
        f"{found['disk_per_span']:,.0f}" if "disk_per_span" in found else "-",
        f"{found['spans']:,}",
    ]


def otlp(ours, folder, given, targets):
    maker = load.Batches(given.spans)
    bodies = [maker.next() for _ in range(given.batches)]
    say(
        f"\nOTLP over HTTP, protobuf: batches of {given.spans} spans ({len(bodies[0][0]) / given.spans:.0f} bytes per span), "
        f"{given.connections} connections, for {given.seconds:g} s or {given.batches} batches each"
    )
    results, notes, rows = [], [], []

    at_levels = [products.Ours(given.binary, level) for level in given.logs]
    for product in [ours, *at_levels, *given.peers]:
        place = f"{folder}/{product.name}"
        try:
            product.install()
            say(f"  … {product.name}")
            found = ingest(product, place, bodies, given)
        except products.Missing as why:
            found = {"product": product.name, "version": product.version, "why": str(why)}
        results.append(found)
        rows.append(otlp_row(found))
        notes += notes_on(found)
        shutil.rmtree(place, ignore_errors=True)

    if "bare" not in given.without:
        for shape in products.BARE:
            batches = []
            for body, _ in bodies[: max(1, min(given.batches, 400))]:
                spans = maker.cut(body)
                if shape == "blobs":
                    batches.append([(span,) for span in spans])
                else:
                    batches.append([(s[2:18], s[20:28], n, "step", s) for n, s in enumerate(spans)])
            seconds, size = products.bare_insert(f"{folder}/bare", shape, batches)
            shutil.rmtree(f"{folder}/bare")
            spans = len(batches) * given.spans
            found = {"product": f"bare insert, {shape}", "version": "", "spans": spans, "queryable": spans / seconds}
            found["disk_per_span"] = size / spans
            results.append(found)
            rows.append(otlp_row(found))

    table(["", "acknowledged/s", "queryable/s", "p95 to queryable", "peak RSS", "disk B/span", "spans"], rows)
    for note in notes:
        say(f"  {note}")
    compare(results, given.peers, targets)
    return results


def notes_on(found):
    name = found["product"]
    if "acknowledged" in found and "queryable" not in found:
        yield f"{name}: stores nothing and acknowledges what it has queued; its peak RSS includes that queue"
    if "why" in found:
        yield f"{name} was not measured: {found['why']}"
    if found.get("refused_count"):
        yield f"{name}: {found['refused_count']} batches refused ({found['refused'][0]})"
    if found.get("busy"):
        yield f"{name}: responded {found['busy']} times that it is busy; those batches were sent again after 50 ms"
    if "stored" in found and found["stored"] != found["spans"]:
        when = "" if found["waited_for_all"] else " at the end of the wait"
        yield f"{name}: {found['spans']:,} spans were acknowledged and {found['stored']:,} are stored{when}"
    if found.get("api_knows") is False:
        yield f"{name}: its API does not return a trace that is in its database"
    if "batch_p50_s" in found:
        yield f"{name}: a batch takes {milliseconds(found['batch_p50_s'])}, 95 % within {milliseconds(found['batch_p95_s'])}"


def compare(results, peers, targets):
    us = results[0]
    if "why" in us:
        raise SystemExit(f"tracebook could not be measured: {us['why']}")
    by_name = {found["product"]: found for found in results}
    for peer in peers:
        theirs = by_name[peer.name]
        if theirs.get(peer.against):
            what = f"{peer.against} spans/s, times {peer.name}"
            targets.at_least(what, us[peer.against] / theirs[peer.against], peer.wanted, "x")
    for shape in products.BARE:
        bare = by_name.get(f"bare insert, {shape}")
        if bare:
            targets.at_most(f"time a span, times the bare insert of {shape}", bare["queryable"] / us["queryable"], BARE_TIME, "x")
    targets.at_most("peak RSS while ingesting", us["peak_rss"] / MIB, RSS_MIB, " MiB")


def kernel_drops(port):
    """Datagrams dropped by the system because a socket buffer was full; 0 if that cannot be read."""
    drops = 0
    try:
        with open("/proc/net/udp") as rows:
            for row in list(rows)[1:]:
                fields = row.split()
                if int(fields[1].rsplit(":", 1)[1], 16) == port:
                    drops += int(fields[-1])
    except OSError:
        pass
    return drops


def xray(ours, folder, given, targets):
    say(
        f"\nX-Ray over UDP: segments of {len(load.datagrams(1)[0])} bytes, one trace each, for {given.xray_seconds:g} s at each rate"
    )
    rows, results, best, taken = [], [], 0, 0
    for pace in given.rates:
        place = f"{folder}/xray-{pace}"
        datagrams = load.datagrams(int(pace * given.xray_seconds), seed=pace)
        running = ours.start(place)
        try:
            watcher = watch.Watcher(running.database, ours.quick, ours.exact)
            sent = load.Datagrams(running.xray, datagrams, pace).result()
            there = watcher.wait_for(len(datagrams), 3, given.patience)
            _, done = watcher.moment_of(there) or (0, watcher.moments[-1])
            found = {
                "pace": pace,
                "sent_per_s": len(datagrams) / (sent["ended"] - sent["started"]),
                "stored_per_s": there / (done - sent["started"]),
                "lost": len(datagrams) - there,
                "dropped_by_kernel": kernel_drops(running.xray),
                "behind_s": max(0, done - sent["ended"]),
                "peak_rss": running.memory(),
            }
        finally:
            running.stop()
            shutil.rmtree(place, ignore_errors=True)
        results.append(found)
        rows.append(
            [
                f"{pace:,}/s",
                f"{found['sent_per_s']:,.0f}",
                f"{found['stored_per_s']:,.0f}",
                f"{found['lost']:,}",
                f"{found['dropped_by_kernel']:,}",
                milliseconds(found["behind_s"]),
                f"{found['peak_rss'] / MIB:,.0f} MiB",
            ]
        )
        if not found["lost"]:
            # What was still queued at the end was received, but not at this rate.
            best = max(best, min(found["sent_per_s"], found["stored_per_s"]))
            taken = max(taken, found["sent_per_s"])
        else:
            break
    table(["pace", "sent/s", "persisted/s", "lost", "by kernel", "behind", "peak RSS"], rows)
    say(f"  Highest rate without loss: {taken:,.0f}/s; highest rate of commits, measured until the last one: {best:,.0f}/s")
    targets.at_least(f"X-Ray segments/s received for {given.xray_seconds:g} s without loss", taken, XRAY_RATE, "/s")
    targets.at_least("X-Ray segments/s persisted, none lost", best, XRAY_RATE, "/s")
    return {"paces": results, "none_lost": taken, "persisted_none_lost": best}


def ask(running, args, times, pause=0.02):
    taken = []
    for _ in range(times):
        begun = time.monotonic()
        status, body = running.rpc.call("live_traces", args)
        taken.append(time.monotonic() - begun)
        if status != 200:
            raise SystemExit(f"live_traces responded with {status}: {body[:200]!r}")
        time.sleep(pause)
    return taken


def lists(ours, folder, given, targets):
    say(f"\nLive lists: POST /rpc live_traces with {given.stored:,} spans stored (max_mib = 8192)")
    running = ours.start(f"{folder}/lists")
    kinds = {"newest 100": {}, "status:error": {"filter": "status:error"}, "service:bench": {"filter": "service:bench"}}
    result, rows = {}, []
    try:
        # One batch too many does no harm; too few would be a different measurement.
        maker = load.Batches(given.spans)
        filling = load.Sending(running.port, maker, connections=given.connections)
        begun = time.monotonic()
        while filling.answered.value * given.spans < given.stored and time.monotonic() - begun < given.fill_seconds:
            if not filling.process.is_alive():
                break
            time.sleep(0.05)
        sent = filling.stop()
        stored = len(sent["acks"]) * given.spans
        result["stored"], result["fill_s"] = stored, sent["ended"] - sent["started"]
        short = "" if stored >= given.stored else f" (not {given.stored:,}: --fill-seconds {given.fill_seconds:g} elapsed)"
        say(f"  {stored:,} spans stored in {result['fill_s']:.0f} s{short}")

        def measure(when):
            for kind, args in kinds.items():
                taken = ask(running, args, max(5, given.asks // 5) if args else given.asks)
                figures = {"p50": percentile(taken, 0.5), "p95": percentile(taken, 0.95), "max": max(taken)}
                result[f"{when}, {kind}"] = figures
                rows.append([f"{kind}, {when}", *(milliseconds(figures[f]) for f in ("p50", "p95", "max"))])

        ask(running, {}, 3)
        measure("nothing arriving")
        # Half of its capacity, since a developer's machine also runs the window.
        half = len(sent["acks"]) / result["fill_s"] / 2
        for seed, when, rate in ((2, "half ingest", half), (3, "full ingest", None)):
            arriving = load.Sending(running.port, load.Batches(given.spans, seed), connections=1, rate=rate)
            time.sleep(0.5)
            measure(when)
            done = arriving.stop()
            rate_was = len(done["acks"]) * given.spans / (done["ended"] - done["started"])
            result[f"{when}, spans/s"] = rate_was
            say(f"  {when}: {rate_was:,.0f} spans/s arriving")
        result["peak_rss"] = running.memory()
        result["rss_at_end"] = running.memory("VmRSS")
        result["disk"] = products.size_of(f"{folder}/lists")
    finally:
        running.stop()
        shutil.rmtree(f"{folder}/lists", ignore_errors=True)
    table(["", "p50", "p95", "max"], rows)
    say(
        f"  RSS: peak {result['peak_rss'] / MIB:,.0f} MiB, at the end {result['rss_at_end'] / MIB:,.0f} MiB; "
        f"on disk {result['disk'] / MIB:,.0f} MiB"
    )
    for when in ("half ingest", "full ingest"):
        targets.at_most(f"live list, {when}, p95", result[f"{when}, newest 100"]["p95"] * 1000, LISTS_MS, " ms")
    targets.at_most("peak RSS with the lists", result["peak_rss"] / MIB, RSS_MIB, " MiB")
    return result


def names(text):
    return [name.strip() for name in text.split(",") if name.strip()]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--quick", action="store_true", help="a shorter run of two minutes, with less precise figures")
    parser.add_argument("--only", type=names, default=list(SECTIONS), help=f"some of {','.join(SECTIONS)}")
    parser.add_argument("--without", type=names, default=[], help=f"some of {','.join(OTHERS)}")
    parser.add_argument("--json", metavar="FILE", help="write all figures to this file")
    parser.add_argument("--batches", type=int, help="OTLP batches at most (2000)")
    parser.add_argument("--spans", type=int, default=512, help="spans per batch; the SDKs send at most 512")
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--logs", type=names, default=[], metavar="LEVELS", help="also OTLP with the log file at these levels: off,info,debug")
    parser.add_argument("--seconds", type=float, help="seconds of sending to each product (10)")
    parser.add_argument("--patience", type=float, help="seconds to wait until everything acknowledged is committed (90)")
    parser.add_argument("--quiet", type=float, default=15, help="… or until nothing was committed for this many seconds")
    parser.add_argument("--starts", type=int, help="(5)")
    parser.add_argument("--rates", type=lambda text: [int(r) for r in names(text)], help="X-Ray segments per second, increasing")
    parser.add_argument("--xray-seconds", type=float, help="at each pace (5)")
    parser.add_argument("--stored", type=int, help="spans stored for the lists (1000000)")
    parser.add_argument("--fill-seconds", type=float, default=240, help="time limit for storing them")
    parser.add_argument("--asks", type=int, help="for each list (100)")
    parser.add_argument("--frozen-spans", type=int, default=10_000, help="spans of the trace that is captured")
    parser.add_argument("--freezes", type=int, help="captures of such a trace (9)")
    parser.add_argument("--weeks", type=int, help="entries of the journal that is exported (52)")
    parser.add_argument("--students", type=int, help="journals of the class (200)")
    parser.add_argument("--events", type=int, default=10_000, help="log events to fetch")
    parser.add_argument("--traces", type=int, help="traces to fetch (500)")
    parser.add_argument("--fetches", type=int, help="runs of each client (9)")
    parser.add_argument("--folder", help="where to write (the temporary folder); must be on a disk, not in memory")
    given = parser.parse_args()
    usual = {"batches": 2000, "seconds": 10.0, "starts": 5, "xray_seconds": 5.0, "stored": 1_000_000, "asks": 100, "patience": 90.0}
    usual |= {"traces": 500, "fetches": 9, "freezes": 9, "weeks": 52, "students": 200}
    usual["rates"] = [5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 40_000]
    short = {"batches": 400, "seconds": 3.0, "starts": 2, "xray_seconds": 2.0, "stored": 100_000, "asks": 30, "patience": 20.0}
    short |= {"traces": 100, "fetches": 3, "freezes": 3, "weeks": 8, "students": 20}
    short["rates"] = [5_000, 20_000, 30_000]
    for key, value in (short if given.quick else usual).items():
        if getattr(given, key) is None:
            setattr(given, key, value)
    for name in given.only:
        if name not in SECTIONS:
            parser.error(f"--only: unknown section {name!r}; available: {', '.join(SECTIONS)}")
    for name in given.without:
        if name not in OTHERS:
            parser.error(f"--without: unknown name {name!r}; available: {', '.join(OTHERS)}")
    given.peers = [made() for name, made in products.PEER_CLASSES.items() if name not in given.without]
    return given


def main():
    given = arguments()
    ours, targets, results = products.Ours(given.binary), Targets(), {}
    busy = os.getloadavg()[0]
    machine = f"{os.cpu_count()} cores, {platform.platform(terse=True)}"
    say(f"{os.path.abspath(given.binary)} on {machine}; load before the start {busy:.1f}")
    if busy > os.cpu_count() / 2:
        say("  The machine is busy: compare rows of this run with each other only.")
    results["machine"], results["load_before"] = machine, busy
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tracebook-bench-", dir=given.folder) as folder:
        if "start" in given.only:
            results["start"] = cold_start(ours, folder, given)
        if "otlp" in given.only:
            results["otlp"] = otlp(ours, folder, given, targets)
        if "xray" in given.only:
            results["xray"] = xray(ours, folder, given, targets)
        if "lists" in given.only:
            results["lists"] = lists(ours, folder, given, targets)
        if "freeze" in given.only:
            results["freeze"] = freeze.freeze(ours, folder, given, targets, say, table)
        if "publish" in given.only:
            results["publish"] = publish.publish(ours, folder, given, targets, say, table)
        if "fetch" in given.only:
            results["fetch"] = fetch.fetch(given.binary, folder, given, targets, say, table)
        if "typing" in given.only:
            results["typing"] = typing_bench.typing(given, targets, say, table)
    results["targets"], results["load_after"] = targets.kept, os.getloadavg()[0]
    targets.show()
    say(f"\n{time.monotonic() - begun:.0f} s in total; load at the end {results['load_after']:.1f}")
    if given.json:
        with open(given.json, "w") as out:
            json.dump(results, out, indent=1)
        say(f"All figures: {given.json}")
    us = (results.get("otlp") or [{}])[0]
    if us.get("refused_count") or us.get("stored", 0) != us.get("spans", 0):
        sys.exit("batches were refused, or acknowledged spans are missing")
    if not all(found["complete"] for fetched in results.get("fetch", {}).values() for found in fetched):
        sys.exit("not everything was fetched")


if __name__ == "__main__":
    try:
        main()
    except products.Missing as why:
        sys.exit(f"tracebook cannot be measured: {why}")
