"""The section `publish`: a year's journal is exported, exported again, checked and verified; a class is verified."""

import json
import os
import pathlib
import secrets
import statistics
import subprocess
import time

import freeze
import products

SPANS, STUDENTS, PER_STUDENT = 12, 200, 11
# Limits in milliseconds.
FIRST_MS, AGAIN_MS, CHECK_MS, VERIFY_MS, CLASS_MS = 2_000, 200, 500, 2_000, 3_000


def ask(running, command, args):
    status, body = running.rpc.call(command, args)
    if status != 200:
        raise SystemExit(f"{command} responded with {status}: {body[:300]!r}")
    return json.loads(body)


def fill(running, titles, per_entry):
    """Entries with captured traces; returns their names."""
    names = []
    for title in titles:
        text = f"# {title}\n\n" + "What was built this week, and how it is shown.\n\n" * 20
        name = ask(running, "entry_new", {"title": title, "body": text})["slug"]
        names.append(name)
        for _ in range(per_entry):
            trace_id = secrets.token_hex(16)
            freeze.send(running, trace_id, SPANS)
            ask(running, "capture", {"kind": "trace", "id": trace_id, "into": name})
    return names


def run(binary, folder, *args, may_refuse=False):
    """Runs a command; returns its milliseconds and its JSON."""
    begun = time.monotonic()
    done = subprocess.run([binary, "--data", folder, "--json", *args], capture_output=True, check=False)
    taken = (time.monotonic() - begun) * 1000
    if done.returncode not in ((0, 1) if may_refuse else (0,)):
        raise SystemExit(f"{args[0]} ended with {done.returncode}: {done.stderr[-500:]!r} {done.stdout[-500:]!r}")
    return taken, json.loads(done.stdout or b"{}")


def publish(ours, folder, given, targets, say, table):
    weeks, per_week = given.weeks, 20
    say(f"\nA journal of {weeks} entries with {weeks * per_week:,} evidence, each time by a command of its own")
    year, repo = f"{folder}/year", f"{folder}/repo"
    running = ours.start(year)
    try:
        fill(running, [f"Week {n}" for n in range(weeks)], per_week)
    finally:
        running.stop()
    binary = given.binary
    first, done = run(binary, year, "export", "--all", "--to", repo)
    written = len(done["written"])
    again = []
    for _ in range(5):
        taken, done = run(binary, year, "export", "--all", "--to", repo)
        if done["written"]:
            raise SystemExit(f"an export of what did not change wrote {done['written'][:5]}")
        again.append(taken)
    check = statistics.median(run(binary, year, "check", may_refuse=True)[0] for _ in range(5))
    verify = statistics.median(run(binary, year, "verify", repo)[0] for _ in range(5))
    again = statistics.median(again)

    students = given.students
    say(f"  … and {students} clones with {students * PER_STUDENT:,} evidence")
    class_folder = f"{folder}/class"
    running = ours.start(f"{folder}/students")
    try:
        names = fill(running, [f"Homework of student {n}" for n in range(students)], PER_STUDENT)
    finally:
        running.stop()
    for name in names:
        run(binary, f"{folder}/students", "export", name, "--to", f"{class_folder}/{name}")
    graded = statistics.median(run(binary, year, "verify", "--class", class_folder, may_refuse=True)[0] for _ in range(3))

    files = sum(len(files) for _, _, files in os.walk(repo))
    size = sum(path.stat().st_size for path in pathlib.Path(repo).rglob("*") if path.is_file())
    found = {"first": first, "again": again, "check": check, "verify": verify, "class": graded}
    table(["", "median"], [[what, f"{taken:,.0f} ms"] for what, taken in found.items()])
    say(f"  {written:,} files written, {files:,} there, {size / 1024 / 1024:,.1f} MiB")
    for what, limit in (("first", FIRST_MS), ("again", AGAIN_MS), ("check", CHECK_MS), ("verify", VERIFY_MS), ("class", CLASS_MS)):
        targets.at_most({"first": "first export", "again": "export without changes", "class": "verify --class"}.get(what, what), found[what], limit, " ms")
    return found
