"""Typing in the window beside a bare CodeMirror: runs typing.mjs and compares its figures."""

import json
import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).with_name("typing.mjs")
RATIO, POSTED = 1.3, 100_000


def typing(given, targets, say, table):
    say("\nTyping, beside a bare CodeMirror with the same text, in turns in one Chromium")
    command = ["node", str(SCRIPT), given.binary, *(["--quick"] if given.quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit("typing was not measured: see above")
    found = json.loads(done.stdout.splitlines()[-1])
    rows = []
    for one in found:
        what = f"{one['lines']:,} lines, {one['cards']} cards"
        for name in ("tracebook", "bare"):
            side = one[name]
            posted = f"{one['posted_bytes']:,}" if name == "tracebook" else "-"
            figures = [f"{side[key]:.1f} ms" for key in ("p50_ms", "p95_ms", "work_ms")]
            rows.append([f"{what}, {name}", *figures, posted])
        for key, label in (("p95_ms", "key to paint p95"), ("work_ms", "work per key")):
            targets.at_most(f"{what}: {label}", one["tracebook"][key] / one["bare"][key], RATIO, "x")
        targets.at_most(f"{what}: posted for 100 letters", one["posted_bytes"], POSTED, " bytes")
    table(["", "key to paint p50", "p95", "work per key", "posted, 100 letters"], rows)
    return found
