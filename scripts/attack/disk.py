"""A disk that is full, read-only, broken or slow, and databases that are damaged, replaced or deleted."""

import contextlib
import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import threading
import time

from target import ANSWER_LIMIT_S, Rpc, call, cli, cloudwatch, entry, integrity, send_span, serve, stored_traces, text_of

HERE = os.path.dirname(os.path.abspath(__file__))
TMPFS_MIB = 24
# How long a start may take, whatever the disk is like.
START_LIMIT_S = 20
# How long each flush takes on a slow disk.
SLOW_MS = 2000


class Typing:
    """Writes texts of an entry as the page does."""

    def __init__(self, running, reference):
        self.rpc, self.entry, self.n, self.last = Rpc(running.url), reference, 0, None

    def write(self, text=None):
        """Whether the text was acknowledged; `last` is the last text that was."""
        self.n += 1
        text = text or f"# Week 2\n\ntyped {self.n}\n" + "x" * 500
        args = {"entry": self.entry, "base": None, "body": text}
        status, body = self.rpc.call("entry_write", args)
        self.answer = body
        if status == 200 and json.loads(body)["accepted"]:
            self.last = text
            return True
        return False


def senders(running):
    """One request to each receiver; the statuses by protocol."""
    text = {"Content-Type": "application/json"}
    item = json.dumps({"data": {"body": {"message": {"body": "x"}}}}).encode()
    events = {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": int(time.time() * 1000), "message": "m"}]}
    segment = json.dumps({"trace_id": f"1-{int(time.time()):08x}-" + os.urandom(12).hex(), "id": os.urandom(8).hex(),
                          "name": "x", "start_time": time.time(), "end_time": time.time()})
    return {
        "OTLP": send_span(running.http, int.from_bytes(os.urandom(6), "big")),
        "Rollbar": call(running.http, "POST", "/api/1/item/", item, text)[0],
        "CloudWatch": cloudwatch(running.http, "PutLogEvents", events)[0],
        "X-Ray": call(running.xray, "POST", "/TraceSegments", json.dumps({"TraceSegmentDocuments": [segment]}).encode(), text)[0],
    }


def prepare(running):
    cloudwatch(running.http, "CreateLogGroup", {"logGroupName": "g"})
    cloudwatch(running.http, "CreateLogStream", {"logGroupName": "g", "logStreamName": "s"})


def through_a_fault(binary, place, running, reference, report, attack, begin, end):
    """What a passing fault costs: refusals that can be retried, and nothing afterwards."""
    typing = Typing(running, reference)
    prepare(running)
    first = typing.write() and set(senders(running).values()) == {200}
    if not first:
        report.row(f"{attack}: works before", "no", "yes", False, str(typing.answer[:120]))
        return
    begin()
    refused, statuses = 0, {}
    for _ in range(5):
        refused += not typing.write()
        for name, status in senders(running).items():
            statuses.setdefault(name, set()).add(status)
    kept = typing.last
    reading = running.rpc_reads()
    end()
    wrong = {name: seen for name, seen in statuses.items() if not seen <= {200, 503}}
    report.row(f"{attack}: receivers answer", str({k: sorted(v) for k, v in statuses.items()}), "200 or 503", not wrong)
    report.row(f"{attack}: the journal can be read meanwhile", str(reading), "200", reading == 200)
    report.row(f"{attack}: texts refused, not half saved", f"{refused} of 5", "refused or saved", text_of(binary, place, reference) == kept)
    begun, saved, after = time.monotonic(), False, {}
    while time.monotonic() - begun < 15 and not (saved and set(after.values()) == {200}):
        saved, after = typing.write(), senders(running)
        time.sleep(0.2)
    seconds = time.monotonic() - begun
    report.row(f"{attack}: saving works again without a restart", f"{saved} after {seconds:.1f} s", "within 15 s", saved,
               "" if saved else typing.answer[:120].decode(errors="replace"))
    report.row(f"{attack}: receiving works again", str(after), "all 200", set(after.values()) == {200})
    running.stop()
    report.row(f"{attack}: the last saved text is there", str(text_of(binary, place, reference) == typing.last), "True",
               text_of(binary, place, reference) == typing.last)
    report.row(f"{attack}: integrity of journal.db", integrity(f"{place}/journal.db"), "ok", integrity(f"{place}/journal.db") == "ok")


def reads(running, reference):
    """A function that reads the entry over the web host."""
    rpc = Rpc(running.url)
    return lambda: rpc.call("entry_get", {"entry": reference})[0]


def full_disk(binary, folder, report):
    if os.geteuid():
        report.skip("full disk", "needs root")
        return
    place = f"{folder}/full"
    os.makedirs(place)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TMPFS_MIB}m,mode=700", "tracebook", place], capture_output=True).returncode:
        report.skip("full disk", "tmpfs cannot be mounted here")
        return
    try:
        data = f"{place}/data"
        running = serve(binary, data)
        reference = entry(binary, data)
        running.rpc_reads = reads(running, reference)

        def fill():
            with contextlib.suppress(OSError), open(f"{place}/filler", "wb", buffering=0) as filler:
                while True:
                    filler.write(b"\0" * 4096)

        through_a_fault(binary, data, running, reference, report, "full disk", fill, lambda: os.remove(f"{place}/filler"))
        running.stop()
    finally:
        subprocess.run(["umount", "-l", place])


def faults(binary, folder, report):
    shim = f"{folder}/faults.so"
    if subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, f"{HERE}/faults.c", "-ldl"], capture_output=True).returncode:
        report.skip("failing writes", "there is no C compiler")
        return
    for why in ("ENOSPC", "EIO", "EROFS", f"slow {SLOW_MS}"):
        place, control = f"{folder}/fault-{why.split()[0]}", f"{folder}/control"
        open(control, "w").close()
        environment = {"LD_PRELOAD": shim, "FAULTS_FOLDER": place, "FAULTS_CONTROL": control}
        running = serve(binary, place, environment=environment)
        try:
            reference = entry(binary, place)
            running.rpc_reads = reads(running, reference)

            def set_to(word, control=control):
                with open(control, "w") as out:
                    out.write(word)

            if why.startswith("slow"):
                slow_disk(binary, place, running, reference, report, set_to, environment)
            else:
                through_a_fault(binary, place, running, reference, report, f"writes fail with {why}", lambda: set_to(why), lambda: set_to(""))
        finally:
            running.stop()


def slow_disk(binary, place, running, reference, report, set_to, environment):
    """While each flush takes seconds: everything is accepted in the end, and who only reads does not wait for it."""
    typing, waits = Typing(running, reference), []
    prepare(running)
    set_to(f"slow {SLOW_MS}")
    attack = f"every flush takes {SLOW_MS / 1000:.0f} s"
    reads, commands, ended = [], [], threading.Event()

    def look():
        rpc = Rpc(running.url)
        while not ended.is_set():
            begun = time.monotonic()
            status = rpc.call("entry_get", {"entry": reference})[0]
            reads.append((time.monotonic() - begun, status))
            status, _, _, seconds = cli(binary, place, "--json", "entry", "show", reference, environment=environment)
            commands.append((seconds, status))
            time.sleep(0.1)

    reader = threading.Thread(target=look)
    reader.start()
    accepted = True
    for _ in range(5):
        begun = time.monotonic()
        saved, statuses = typing.write(), senders(running)
        accepted = accepted and saved and set(statuses.values()) == {200}
        waits.append(time.monotonic() - begun)
    ended.set()
    reader.join()
    report.row(f"{attack}: all accepted", f"{saved}, {statuses}", "all accepted", accepted)
    report.at_most(f"{attack}: five writes within", round(max(waits), 1), 5 * (ANSWER_LIMIT_S + SLOW_MS // 1000), " s")
    report.at_most(f"{attack}: the window reads within", round(max(seconds for seconds, _ in reads), 1), ANSWER_LIMIT_S, " s")
    report.at_most(f"{attack}: a command reads within", round(max(seconds for seconds, _ in commands), 1), ANSWER_LIMIT_S + 2 * SLOW_MS // 1000, " s")
    failed = [one for one in (*reads, *commands) if one[1] not in (200, 0)]
    report.none_of(f"{attack}: reads that failed", failed, len(reads) + len(commands))
    # Another process waits for the lock; what it writes is kept as well.
    status, _, err, seconds = cli(binary, place, "--json", "entry", "new", "--week", "3", environment=environment)
    report.row(f"{attack}: a command that writes", f"exit {status} in {seconds:.0f} s", "exit 0", status == 0, err[:120].decode(errors="replace"))
    set_to("")
    polite = running.stop()
    report.row(f"{attack}: ends when asked to", str(polite), "True", polite)
    report.row(f"{attack}: the last text is there", str(text_of(binary, place, reference) == typing.last), "True", text_of(binary, place, reference) == typing.last)


def read_only(binary, folder, report):
    """A journal on a disk that is mounted read-only: it is read, and nothing is acknowledged."""
    place = f"{folder}/read-only"
    os.makedirs(place)
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TMPFS_MIB}m,mode=700", "tracebook", place], capture_output=True).returncode:
        report.skip("read-only disk", "needs root and tmpfs")
        return
    try:
        for how in ("ended", "killed"):
            data = f"{place}/{how}"
            running = serve(binary, data, log=f"{place}-{how}.log")
            reference = entry(binary, data, "# Week 2\n\nkept\n")
            typing = Typing(running, reference)
            typing.write()
            prepare(running)
            send_span(running.http, 1)
            if how == "killed":
                os.kill(running.process.pid, 9)
            running.stop()
            subprocess.run(["mount", "-o", "remount,ro", place], check=True)
            attack = f"read-only disk, {how} before"
            there = text_of(binary, data, reference)
            report.row(f"{attack}: the journal is read", str(there == typing.last), "True", there == typing.last)
            status, out, err, _ = cli(binary, data, "--json", "entry", "new", "--week", "3")
            said = (out + err).decode(errors="replace")
            report.row(f"{attack}: a write is refused", f"exit {status}", "exit 5, and why", status == 5 and "read-only" in said, said[:120])
            running = serve(binary, data, log=f"{place}-{how}.log")
            after = Typing(running, reference)
            saved = after.write("lost")
            report.row(f"{attack}: the window saves nothing", str(saved), "False", not saved, str(after.answer[:120]))
            report.row(f"{attack}: nothing is received", str(running.http), "None", running.http is None)
            running.stop()
            subprocess.run(["mount", "-o", "remount,rw", place], check=True)
            running = serve(binary, data, log=f"{place}-{how}.log")
            saved = Typing(running, reference).write()
            report.row(f"{attack}: afterwards it saves again", str(saved), "True", saved)
            report.row(f"{attack}: spans are still there", str(sorted(stored_traces(binary, data))), "[1]", 1 in stored_traces(binary, data))
            running.stop()
    finally:
        subprocess.run(["umount", "-l", place])


def settle(path):
    """Moves everything into the database file, so that there is no write-ahead log that would repair it."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for beside in ("-wal", "-shm"):
        with contextlib.suppress(OSError):
            os.remove(path + beside)


def damage(path, how):
    if how == "deleted":
        os.remove(path)
    elif how == "empty":
        os.truncate(path, 0)
    elif how == "half":
        os.truncate(path, os.path.getsize(path) // 2)
    else:
        with open(path, "r+b") as file:
            if how == "head":
                file.write(os.urandom(4096))
            else:  # all pages but the first few
                size = os.path.getsize(path)
                for at in range(3 * 4096, size, 4096):
                    file.seek(at)
                    file.write(os.urandom(2048))


DAMAGE = ("head", "pages", "half", "empty", "deleted")


def made(binary, place):
    """A journal with an entry and some telemetry, stopped."""
    running = serve(binary, place)
    try:
        reference = entry(binary, place, "# Week 2\n\nprecious text\n")
        prepare(running)
        for n in range(50):
            senders(running)
            send_span(running.http, n)
    finally:
        running.stop()
    return reference


def start(binary, place, **more):
    """A started program, or why it did not start; and seconds."""
    begun = time.monotonic()
    try:
        return serve(binary, place, **more), time.monotonic() - begun
    except Exception as error:
        return str(error), time.monotonic() - begun


def damaged_telemetry(binary, folder, report):
    for how in DAMAGE:
        place = f"{folder}/telemetry-{how}"
        reference = made(binary, place)
        settle(f"{place}/telemetry.db")
        damage(f"{place}/telemetry.db", how)
        running, seconds = start(binary, place)
        attack = f"telemetry.db {how} while stopped"
        if isinstance(running, str):
            report.row(f"{attack}: the journal opens", "no", "yes", False, running[:150])
            continue
        text = text_of(binary, place, reference)
        prepare(running)
        statuses = senders(running)
        report.row(f"{attack}: the journal opens", f"{seconds:.1f} s", f"within {START_LIMIT_S} s", seconds < START_LIMIT_S and "precious" in text)
        report.row(f"{attack}: receivers accept", str(statuses), "all 200", set(statuses.values()) == {200})
        running.stop()


def damaged_journal(binary, folder, report):
    # A deleted one cannot be told from a new one: see below for one that is deleted while it is open.
    for how in (way for way in DAMAGE if way != "deleted"):
        place = f"{folder}/journal-{how}"
        reference = made(binary, place)
        settle(f"{place}/journal.db")
        damage(f"{place}/journal.db", how)
        attack = f"journal.db {how} while stopped"
        status, out, err, seconds = cli(binary, place, "--json", "entry", "list", timeout=60)
        said = (out + err).decode(errors="replace")
        silent = status == 0 and "week-2" not in said
        report.row(f"{attack}: not taken for an empty journal", f"exit {status}", "an error, or the entry", not silent, said[:120])
        status, out, err, _ = cli(binary, place, "--json", "doctor", "--repair", timeout=120)
        answered = (out + err).decode(errors="replace")
        status, out, _, _ = cli(binary, place, "--json", "entry", "show", reference)
        found = status == 0 and "precious text" in out.decode()
        # What is gone is gone; then it must have been said.
        report.row(f"{attack}: repaired, or the loss is reported", "found" if found else "lost", "found or reported",
                   found or any(word in answered.lower() for word in ("lost", "not be recovered", "backup", "nothing")), answered[:150])


def while_running(binary, folder, report):
    for name in ("journal.db", "telemetry.db"):
        for how in ("deleted", "replaced", "half", "pages"):
            place = f"{folder}/running-{name}-{how}"
            reference = made(binary, place)
            copy = f"{folder}/{name}-copy"
            shutil.copy(f"{place}/{name}", copy)
            running = serve(binary, place)
            try:
                typing = Typing(running, reference)
                typing.write()
                if how == "replaced":
                    os.replace(copy, f"{place}/{name}")
                else:
                    damage(f"{place}/{name}", how)
                acknowledged, sent = [], []
                for n in range(10):
                    if typing.write(f"# Week 2\n\nafter {how} {n}\n"):
                        acknowledged.append(typing.last)
                    if send_span(running.http, 900_000 + n, timeout=10) == 200:
                        sent.append(900_000 + n)
                    time.sleep(0.1)
            finally:
                running.stop()
            attack = f"{name} {how} while running"
            again, seconds = start(binary, place)
            if isinstance(again, str):
                status = None
                text, stored, said = "", set(), again
            else:
                status, out, err, _ = cli(binary, place, "--json", "entry", "show", reference)
                text = json.loads(out).get("body", "") if status == 0 else ""
                stored, said = stored_traces(binary, place), (out + err).decode(errors="replace")
                again.stop()
            if name == "journal.db":
                # What was acknowledged last is there, or nothing was acknowledged.
                held = not acknowledged or text == acknowledged[-1]
                report.row(f"{attack}: acknowledged texts kept", f"{len(acknowledged)} acknowledged, {'kept' if held else 'lost'}", "kept, or refused", held, said[:120] if not held else "")
            else:
                lost = [n for n in sent if n not in stored]
                report.row(f"{attack}: acknowledged spans kept", f"{len(lost)} of {len(sent)} lost", "none lost", not lost, said[:120] if lost else "")
                report.row(f"{attack}: texts are saved meanwhile", f"{len(acknowledged)} of 10", "10 of 10", len(acknowledged) == 10)


def newer(binary, folder, report):
    """A database of a later version is refused, and nothing is left beside it."""
    place = f"{folder}/newer"
    made(binary, place)
    with contextlib.closing(sqlite3.connect(f"{place}/journal.db")) as database:
        database.execute("INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2030-01-01', 1, x'00', 1)")
        database.commit()
    settle(f"{place}/journal.db")
    before = sorted(os.listdir(place))
    status, _, _, _ = cli(binary, place, "--json", "entry", "list")
    report.row("a newer journal.db is refused", f"exit {status}", "exit 4", status == 4)
    more = sorted(set(os.listdir(place)) - set(before))
    report.row("… and no file is left beside it", str([name for name in more if name.startswith("journal.db")]), "none",
               not [name for name in more if name.startswith("journal.db")])


def locked(binary, folder, report):
    """A start does not wait indefinitely for a lock that another process holds."""
    place = f"{folder}/locked"
    made(binary, place)
    for name in sorted(name for name in os.listdir(place) if name.endswith(".lock") and name != "receivers.lock"):
        with open(f"{place}/{name}", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            status, out, err, seconds = cli(binary, place, "--json", "entry", "list", timeout=60)
        said = (out + err).decode(errors="replace")
        report.row(f"{name} held by another process", f"exit {status} in {seconds:.0f} s", f"an answer in {START_LIMIT_S} s",
                   status is not None and seconds < START_LIMIT_S, said[:100])


def backup(binary, folder, report):
    """A backup while texts are written is one consistent file that can be restored."""
    place = f"{folder}/backup"
    running = serve(binary, place)
    try:
        reference = entry(binary, place)
        typing = Typing(running, reference)
        typing.write()
        copies = []
        for n in range(5):
            typing.write()
            before = typing.last
            status, out, err, _ = cli(binary, place, "--json", "backup", f"{folder}/copy-{n}.db")
            if status != 0:
                report.row("backup while running", f"exit {status}", "exit 0", False, (out + err)[:120].decode(errors="replace"))
                return
            copies.append((f"{folder}/copy-{n}.db", before))
    finally:
        running.stop()
    whole = all(integrity(path) == "ok" for path, _ in copies)
    report.row("backups while running are consistent", f"{len(copies)}", "integrity ok", whole)
    status, out, err, _ = cli(binary, place, "--json", "restore", copies[0][0])
    text = text_of(binary, place, reference) if status == 0 else ""
    report.row("a backup is restored", f"exit {status}", "the text of then", text == copies[0][1], (out + err)[:120].decode(errors="replace"))


def run(binary, folder, report):
    for attack in (full_disk, read_only, faults, damaged_telemetry, damaged_journal, while_running, newer, locked, backup):
        attack(binary, folder, report)
