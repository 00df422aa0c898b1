"""Looks at a product's database while it writes, without ever writing to it."""

import bisect
import sqlite3
import threading
import time


def open_read_only(path):
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=10)


class Watcher:
    """Notes how many spans are committed, and when; a reader of a write-ahead log stops no writer."""

    def __init__(self, path, quick, exact, every=0.01):
        self.database, self.quick, self.exact, self.every = open_read_only(path), quick, exact, every
        self.before = self.count()
        self.offset = self.look() - self.before
        self.moments, self.counts = [], []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def look(self):
        return self.database.execute(self.quick).fetchone()[0]

    def count(self):
        return self.database.execute(self.exact).fetchone()[0]

    def _watch(self):
        while not self.ended.is_set():
            try:
                count = self.look() - self.offset - self.before
            except sqlite3.OperationalError:  # busy: the next look will tell
                count = self.counts[-1] if self.counts else 0
            # The moment after the look, so that nothing is said to be there earlier than it was.
            self.moments.append(time.monotonic())
            self.counts.append(count)
            self.ended.wait(self.every)

    def wait_for(self, count, quiet, at_most):
        """Waits until so many are committed, for `quiet` seconds nothing was, or `at_most` seconds; then ends. Answers how many are there."""
        last = -1
        begun = since = time.monotonic()
        while True:
            now = self.counts[-1] if self.counts else 0
            if now >= count:
                break
            if now != last:
                last, since = now, time.monotonic()
            if time.monotonic() - since > quiet or time.monotonic() - begun > at_most:
                break
            time.sleep(0.02)
        self.ended.set()
        self.thread.join()
        there = self.count() - self.before
        self.database.close()
        return there

    def moment_of(self, count):
        """Between which two looks so many came to be there: the last without and the first with them, or None."""
        at = bisect.bisect_left(self.counts, count)
        if at == len(self.counts):
            return None
        return (self.moments[at - 1] if at else 0, self.moments[at])
