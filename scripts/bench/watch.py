"""Polls the database of a product while the product writes; read-only."""

import bisect
import sqlite3
import threading
import time


def open_read_only(path):
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=10)


class Watcher:
    """Records how many spans are committed, and when. A reader does not block the writer of a WAL."""

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
            except sqlite3.OperationalError:  # busy: the next poll will succeed
                count = self.counts[-1] if self.counts else 0
            # The time after the poll, so that nothing is reported earlier than it was committed.
            self.moments.append(time.monotonic())
            self.counts.append(count)
            self.ended.wait(self.every)

    def wait_for(self, count, quiet, at_most):
        """Waits for `count` committed spans, `quiet` seconds without any, or `at_most` seconds; returns the count."""
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
        """The times of the last poll with fewer than `count` spans and the first with them; None if there is none."""
        at = bisect.bisect_left(self.counts, count)
        if at == len(self.counts):
            return None
        return (self.moments[at - 1] if at else 0, self.moments[at])
