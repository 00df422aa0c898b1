"""The clock of the machine jumps while it receives and types: nothing that was acknowledged is lost."""

import glob
import os
import time

from disk import Typing, prepare, senders
from target import entry, send_span, serve, stored_traces, text_of

DAY = 86_400
JUMPS = {"a day ahead": DAY, "a day back": -DAY, "a year ahead": 365 * DAY, "a year back": -365 * DAY, "to 1970": None}


def library():
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    return found[0] if found else None


def run(binary, folder, report):
    preload = library()
    if not preload:
        report.skip("clock jumps", "needs libfaketime (apt-get install libfaketime)")
        return
    for name, seconds in JUMPS.items():
        jump(binary, f"{folder}/{name.replace(' ', '-')}", report, preload, name, seconds)


def jump(binary, place, report, preload, name, seconds):
    attack = f"clock {name}"
    control = f"{place}-offset"

    def offset(by):
        # Replaced as a whole: it is read at every call.
        with open(f"{control}.new", "w") as out:
            out.write("+0" if by == 0 else "1970-01-02 00:00:00" if by is None else f"{by:+d}")
        os.replace(f"{control}.new", control)

    offset(0)
    # Setting the clock does not change the monotonic one.
    environment = {
        "LD_PRELOAD": preload,
        "FAKETIME_TIMESTAMP_FILE": control,
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    running = serve(binary, place, environment=environment)
    try:
        reference = entry(binary, place)
        typing = Typing(running, reference)
        prepare(running)
        early = [n for n in range(20) if send_span(running.http, n) == 200]
        typing.write()
        offset(seconds)
        time.sleep(1)
        late = [n for n in range(100, 120) if send_span(running.http, n, timeout=10) == 200]
        saved = sum(typing.write() for _ in range(5))
        statuses = senders(running)
        # Long enough for what deletes by age to run.
        time.sleep(4)
        during = stored_traces(binary, place)
        offset(0)
        time.sleep(1)
        saved += sum(typing.write() for _ in range(5))
        back = [n for n in range(200, 220) if send_span(running.http, n, timeout=10) == 200]
        stored = stored_traces(binary, place)
        report.row(f"{attack}: texts saved", f"{saved} of 10", "10 of 10", saved == 10)
        report.row(f"{attack}: spans accepted", f"{len(late) + len(back)} of 40, {statuses}", "40 of 40", len(late) + len(back) == 40)
        missing = [n for n in (*early, *late, *back) if n not in stored]
        report.none_of(f"{attack}: acknowledged spans missing", missing, 60, f"while it lasted: {len(set(early) - during)} of 20 missing")
    finally:
        polite = running.stop()
    report.row(f"{attack}: ends when asked to", str(polite), "True", polite)
    report.row(f"{attack}: the last text is there", str(text_of(binary, place, reference) == typing.last), "True", text_of(binary, place, reference) == typing.last)
