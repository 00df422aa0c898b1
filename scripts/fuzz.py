"""`make fuzz`: builds fuzz/ and feeds its targets, one after the other, guided by coverage (libFuzzer).

    fuzz.py --minutes N [--target NAME,…] [--background]

The minutes are shared by the targets. Inputs that reach something new are kept in .setup/fuzz/corpus, so every run
continues where the last one ended; fuzz/seeds and the payloads of tests/fixtures are where the first one begins. Totals
over all runs are in .setup/fuzz/totals.json. An input that makes a target panic, takes more than a second of processor
time, or needs more memory than --rss MiB is a finding: its file is named, and the exit status is 1.
"""

import argparse
import glob
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FUZZ, STATE = f"{ROOT}/fuzz", f"{ROOT}/.setup/fuzz"
FIXTURES = f"{ROOT}/tests/fixtures"
# By target: the dictionary, the largest input, and the recorded payloads with the bytes that select path and encoding.
TARGETS = {
    "otlp-protobuf": ("protobuf", 4096, [("otlp-*.bin", b"")]),
    "otlp-json": ("otlp", 4096, [("otlp-*[!s].json", b""), ("otlp-*-logs.json", b"")]),
    "otlp-http": ("protobuf", 4096, [("otlp-gzip.bin", b"\0\1"), ("otlp-deflate.bin", b"\0\2"), ("otlp-home.bin", b"\0\0"), ("otlp-home-logs.bin", b"\1\0"), ("otlp-home.json", b"\0\3")]),
    "otlp-grpc": ("protobuf", 4096, [("otlp-home.bin", b"frame"), ("otlp-home-logs.bin", b"frame")]),
    "xray-datagram": ("xray", 4096, [("xray-0*.bin", b"")]),
    "xray-api": ("api", 2048, []),
    "xray-expression": ("expression", 256, []),
    "cloudwatch-api": ("api", 2048, []),
    "cloudwatch-pattern": ("pattern", 256, []),
    "rollbar-item": ("json", 4096, []),
    "rollbar-http": ("json", 2048, []),
    "console": ("console", 2048, []),
    "credentials": ("credentials", 1024, []),
    "filter": ("filter", 256, []),
    "honeycomb-query": ("json", 1024, []),
    "markdown": ("markdown", 1024, []),
    "import": ("markdown", 8192, []),
    "verify": ("svg", 16384, []),
    "card": ("evidence", 8192, []),
    "aws-config": ("aws", 1024, []),
}
SLOW_MS = 1000
# libFuzzer measures by the wall clock, on a machine that may be busy: what is slow there is timed again.
TIMEOUT_S = 25


def build(binary_folder):
    environment = {**os.environ, "RUSTC_WRAPPER": f"{FUZZ}/rustc.sh", "CARGO_TARGET_DIR": binary_folder}
    queue = os.environ.get("TRACEBOOK_FUZZ_CARGO", "cargo").split()
    subprocess.run([*queue, "build", "--locked", "--manifest-path", f"{FUZZ}/Cargo.toml"], env=environment, check=True)
    return f"{binary_folder}/debug"


def evidence():
    """Frozen evidence of every kind, from the cards that the tests of `render` compare."""
    for path in sorted(glob.glob(f"{ROOT}/crates/render/tests/snapshots/*_full.snap")):
        with open(path) as snapshot:
            picture = snapshot.read().split("\n---\n", 1)[1]
        found = re.search(r"<metadata>(.*?)</metadata>", picture, re.DOTALL)
        if found:
            text = found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
            data = json.loads(text).get("evidence")
            if data:
                yield data.encode(), picture.encode()


def seeds(target):
    """A folder with the committed seeds and those made from recorded payloads."""
    folder = f"{STATE}/seeds/{target}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for path in glob.glob(f"{FUZZ}/seeds/{target}/*"):
        shutil.copy(path, folder)
    made = []
    for pattern, head in TARGETS[target][2]:
        for path in sorted(glob.glob(f"{FIXTURES}/{pattern}")):
            if path.endswith(".headers.json"):
                continue
            with open(path, "rb") as payload:
                body = payload.read()
            if head == b"frame":
                head = b"\1\0" if "logs" in path else b"\0\0"
                body = b"\0" + len(body).to_bytes(4, "big") + body
            made.append(head + body)
    if target == "card":
        made += [data for data, _ in evidence()]
    if target == "verify":
        made += [picture for _, picture in evidence()]
    most = TARGETS[target][1]
    for body in made:
        if len(body) <= 4 * most:
            with open(f"{folder}/{hashlib.sha256(body).hexdigest()[:16]}", "wb") as seed:
                seed.write(body)
    return folder


def processor_ms(command):
    """The milliseconds of processor time that a command takes; None if it ends badly."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return int(used * 1000) if done.returncode == 0 else None


def alone_ms(binary, path):
    """The time of one input alone, in milliseconds: the shortest of three runs, without that of an empty input."""
    times = [processor_ms([binary, path]) for _ in range(3)]
    with open(f"{STATE}/empty", "wb"):
        pass
    empty = processor_ms([binary, f"{STATE}/empty"])
    return None if None in (*times, empty) else max(0, min(times) - empty)


def fuzz(folder_of_programs, target, seconds, rss):
    """Runs one target; returns its figures."""
    corpus, found = f"{STATE}/corpus/{target}", f"{STATE}/found/{target}"
    for folder in (corpus, found):
        os.makedirs(folder, exist_ok=True)
    before = set(os.listdir(found))
    dictionary, most, _ = TARGETS[target]
    binary = f"{folder_of_programs}/{target}"
    command = [
        binary, f"-max_total_time={seconds}", f"-max_len={most}", f"-dict={FUZZ}/dictionaries/{dictionary}.dict",
        f"-artifact_prefix={found}/", f"-timeout={TIMEOUT_S}", "-report_slow_units=1", f"-rss_limit_mb={rss}",
        "-print_final_stats=1", "-use_value_profile=0", "-len_control=50", corpus, seeds(target),
    ]
    log = f"{STATE}/{target}.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            status = process.wait(seconds + 120)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            status = process.wait()
    with open(log, errors="replace") as out:
        said = out.read()

    def last(pattern, default=0):
        numbers = re.findall(pattern, said)
        return int(numbers[-1]) if numbers else default

    figures = {
        "target": target,
        "inputs": last(r"stat::number_of_executed_units:\s*(\d+)", last(r"#(\d+)\s")),
        "coverage": last(r" cov: (\d+)"),
        "corpus": len(os.listdir(corpus)),
        "rss_mib": last(r"stat::peak_rss_mb:\s*(\d+)", last(r"rss: (\d+)Mb")),
        "slowest_ms": 0,
        "findings": [],
    }
    figures["per_second"] = figures["inputs"] // max(1, seconds)
    for name in sorted(set(os.listdir(found)) - before):
        path = f"{found}/{name}"
        if name.startswith("slow-unit"):
            alone = alone_ms(binary, path)
            if alone is not None:
                figures["slowest_ms"] = max(figures["slowest_ms"], alone)
            if alone is None or alone > SLOW_MS:
                figures["findings"].append(f"slow ({alone} ms): {path}")
            else:
                os.remove(path)
        else:
            why = re.findall(r"panicked at (.*?)\n(.*)", said)
            figures["findings"].append(f"{' '.join(why[-1]) if why else name.split('-')[0]}: {path}")
    if status not in (0, 70, 77, 71) and not figures["findings"]:
        figures["findings"].append(f"ended with {status}: {log}")
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--target", default="", help=f"some of {','.join(TARGETS)}")
    parser.add_argument("--rss", type=int, default=1024, help="MiB that a target may use, its corpus included")
    parser.add_argument("--background", action="store_true", help="yield to everything else on the machine")
    given = parser.parse_args()
    targets = [name for name in given.target.split(",") if name] or list(TARGETS)
    if wrong := [name for name in targets if name not in TARGETS]:
        parser.error(f"--target: unknown target {wrong[0]!r}; available: {', '.join(TARGETS)}")
    programs = build(os.environ.get("TRACEBOOK_FUZZ_TARGET_DIR", f"{STATE}/target"))
    if given.background:
        # `nice` only counts within a session, so that is made nice too.
        if os.getpgrp() != os.getpid():
            os.setsid()
        try:
            with open("/proc/self/autogroup", "w") as group:
                group.write("19")
        except OSError:
            pass
        os.nice(19)
    print(f"{'target':<20}{'inputs':>14}{'per s':>9}{'coverage':>10}{'corpus':>8}{'RSS MiB':>9}{'slowest':>9}{'in total':>15}  findings")
    path, bad = f"{STATE}/totals.json", 0
    for target in targets:
        figures = fuzz(programs, target, max(1, int(given.minutes * 60 / len(targets))), given.rss)
        totals = {}
        if os.path.exists(path):
            with open(path) as file:
                totals = json.load(file)
        total = totals.setdefault(target, {"inputs": 0, "findings": []})
        total["inputs"] += figures["inputs"]
        total["findings"] += figures["findings"]
        with open(path, "w") as file:
            json.dump(totals, file, indent=1)
        bad += len(figures["findings"])
        slowest = f"{figures['slowest_ms']} ms" if figures["slowest_ms"] else "< 1 s"
        print(f"{target:<20}{figures['inputs']:>14,}{figures['per_second']:>9,}{figures['coverage']:>10,}{figures['corpus']:>8,}"
              f"{figures['rss_mib']:>9,}{slowest:>9}{total['inputs']:>15,}  {len(figures['findings'])}", flush=True)
        for finding in figures["findings"]:
            print(f"    {finding}", flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
