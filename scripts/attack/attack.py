"""Attacks a built `tracebook` as a hostile sender, container, web page, disk or clone would, and measures what holds.

    attack.py PATH/TO/tracebook [--only bombs,slow,…] [--json FILE]

Each section starts its own `tracebook serve` on free ports with a new journal. Each row is one attack, the figure that
was measured, its limit, and whether it held. Exits with 1 if any did not. Attacks that need root (a disk of their own,
a network of their own) are skipped without it, and named.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
import traceback

import bombs
import bridges
import clock
import disk
import files
import floods
import hosts
import slow
import terminal
import webkey

SECTIONS = {
    "bombs": bombs,
    "slow": slow,
    "floods": floods,
    "disk": disk,
    "files": files,
    "hosts": hosts,
    "bridges": bridges,
    "webkey": webkey,
    "clock": clock,
    "terminal": terminal,
}


class Report:
    """Rows as they are measured."""

    def __init__(self):
        self.rows = []

    def row(self, attack, figure, limit, held, note=""):
        """`held` is None if the attack was skipped."""
        word = {True: "held", False: "DID NOT HOLD", None: "skipped"}[held]
        self.rows.append({"attack": attack, "figure": figure, "limit": limit, "result": word, "note": note})
        print(f"  {attack:<58} {figure:>24}   {limit:<28} {word}{f'  ({note})' if note else ''}", flush=True)

    def at_most(self, attack, got, limit, unit="", note=""):
        shown = f"{got:,.1f}" if isinstance(got, float) else f"{got:,}"
        self.row(attack, f"{shown}{unit}", f"at most {limit:,}{unit}", got <= limit, note)

    def none_of(self, attack, wrong, tried, note=""):
        """Of `tried` attempts, those in `wrong` succeeded; the first are named."""
        first = "; ".join(str(one)[:120] for one in list(wrong)[:3])
        self.row(attack, f"{len(wrong):,} of {tried:,}", "none", not wrong, first or note)

    def skip(self, attack, why):
        self.row(attack, "-", "-", None, why)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--only", default="", help=f"some of {','.join(SECTIONS)}")
    parser.add_argument("--json", metavar="FILE", help="write all rows to this file")
    given = parser.parse_args()
    only = [name for name in given.only.split(",") if name] or list(SECTIONS)
    if wrong := [name for name in only if name not in SECTIONS]:
        parser.error(f"--only: unknown section {wrong[0]!r}; available: {','.join(SECTIONS)}")
    # The attacker needs more connections than it attacks with. The program starts with 1,024, as in most sessions.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 16_384), most))

    report, begun = Report(), time.monotonic()
    binary = os.path.abspath(given.binary)
    with tempfile.TemporaryDirectory(prefix="tracebook-attack-") as folder:
        for name in only:
            print(f"\n{name}: {SECTIONS[name].__doc__.strip().splitlines()[0]}", flush=True)
            place = os.path.join(folder, name)
            os.makedirs(place)
            section = time.monotonic()
            try:
                SECTIONS[name].run(binary, place, report)
            except Exception as error:  # the other sections are still of interest
                traceback.print_exc()
                report.row(f"{name}: the section ended early", type(error).__name__, "runs to its end", False, str(error)[:200])
            print(f"  ({time.monotonic() - section:.0f} s)", flush=True)
    if given.json:
        with open(given.json, "w") as out:
            json.dump(report.rows, out, indent=1)
    results = [row["result"] for row in report.rows]
    broken = results.count("DID NOT HOLD")
    print(f"\n{results.count('held')} held, {broken} did not, {results.count('skipped')} skipped; {time.monotonic() - begun:.0f} s")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
