"""The clock of the machine jumps while it receives and types: nothing that was acknowledged is lost."""

import glob
import os
import time

from disk import Typing, prepare, senders
from target import entry, send_span, serve, stored_traces, text_of

DAY = 86_400
# How far the clock is off when the program starts.
STARTS = {"a year ahead": 365 * DAY, "a month ahead": 30 * DAY, "a year behind": -365 * DAY}
JUMPS = {"a day ahead": DAY, "a day back": -DAY, "a year ahead": 365 * DAY, "a year back": -365 * DAY, "to 1970": None}


def library():
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    return found[0] if found else None


def run(binary, folder, report):
    preload = library()
    if not preload:
        report.skip("clock jumps", "needs libfaketime (apt-get install libfaketime)")
        return
    for name, seconds in STARTS.items():
        start(binary, f"{folder}/start-{name.replace(' ', '-')}", report, preload, name, seconds)
    for name, seconds in JUMPS.items():
        jump(binary, f"{folder}/{name.replace(' ', '-')}", report, preload, name, seconds)


class Clock:
    """The clock that a program sees; the monotonic one stays right."""

    def __init__(self, place, preload):
        self.control = f"{place}-offset"
        self.environment = {
            "LD_PRELOAD": preload,
            "FAKETIME_TIMESTAMP_FILE": self.control,
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.set(0)

    def set(self, by):
        # Replaced as a whole: it is read at every call.
        with open(f"{self.control}.new", "w") as out:
            out.write("+0" if by == 0 else "1970-01-02 00:00:00" if by is None else f"{by:+d}")
        os.replace(f"{self.control}.new", self.control)


def start(binary, place, report, preload, name, seconds):
    """The clock is wrong when the program starts, and is corrected while it runs, or before the next start."""
    attack = f"a start with the clock {name}"
    clock, sent, gone = Clock(place, preload), [], {}

    def runs(first, by, known=True):
        clock.set(by)
        if not known:
            os.remove(f"{place}/telemetry.ages")
        running = serve(binary, place, environment=clock.environment)
        try:
            sent.extend(n for n in range(first, first + 10) if send_span(running.http, n) == 200)
            # Long enough for what deletes by age to run.
            time.sleep(4)
            gone[first] = len(set(sent) - stored_traces(binary, place))
            if first == 100:
                clock.set(0)
                time.sleep(4)
                gone["corrected"] = len(set(sent) - stored_traces(binary, place))
        finally:
            running.stop()

    runs(0, 0)
    runs(100, seconds)
    runs(200, seconds)
    runs(300, 0)
    # As with a telemetry.db of a version that kept no ages.
    runs(400, seconds, known=False)
    runs(500, 0)
    report.none_of(f"{attack}: spans deleted by age", [f"{n} at {step}" for step, n in gone.items() if n], len(sent))


def jump(binary, place, report, preload, name, seconds):
    attack = f"clock {name}"
    clock = Clock(place, preload)
    offset = clock.set
    running = serve(binary, place, environment=clock.environment)
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
