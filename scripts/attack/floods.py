"""What a sender can create is bounded, and no kind and no service starves another."""

import concurrent.futures
import json
import time

from target import ANSWER_LIMIT_S, MIB, Memory, Rpc, call, cloudwatch, send_span, serve, size_of, stored_traces, xray

MAX_MIB = 8
SETTINGS = f"[telemetry]\nmax_mib = {MAX_MIB}\n"
# The file within its limit, the write-ahead log beside it, and what is not telemetry.
DISK_MIB = 3 * MAX_MIB
WORKERS = 8


def many(count, one):
    """Runs `one(n)` for every n in parallel; returns how often each status came."""
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        statuses = list(pool.map(one, range(count)))
    return {status: statuses.count(status) for status in set(statuses)}


def groups(running):
    tags = {f"key{n}": "v" * 200 for n in range(50)}

    def one(n):
        name = f"group{n}" + "x" * 400
        status, _ = cloudwatch(running.http, "CreateLogGroup", {"logGroupName": name, "tags": tags})
        cloudwatch(running.http, "CreateLogStream", {"logGroupName": name, "logStreamName": "s" * 500})
        return status

    return many(3_000, one)


def streams(running):
    cloudwatch(running.http, "CreateLogGroup", {"logGroupName": "g"})
    return many(20_000, lambda n: cloudwatch(running.http, "CreateLogStream", {"logGroupName": "g", "logStreamName": f"{n}" + "s" * 480})[0])


def rules(running):
    def one(n):
        rule = {
            "RuleName": f"r{n}", "Priority": 1 + n % 9999, "FixedRate": 0.0, "ReservoirSize": 0, "ServiceName": "s" * 60,
            "ServiceType": "*", "Host": "h" * 60, "HTTPMethod": "*", "URLPath": "/" + "p" * 120, "ResourceARN": "*", "Version": 1,
        }
        return xray(running.xray, "/CreateSamplingRule", {"SamplingRule": rule})[0]

    return many(3_000, one)


def xray_groups(running):
    def one(n):
        expression = f'service("{"s" * 500}{n}")'
        return xray(running.xray, "/CreateGroup", {"GroupName": f"g{n}", "FilterExpression": expression})[0]

    return many(3_000, one)


def paths(running):
    return many(20_000, lambda n: call(running.http, "GET", f"/{n}/" + "p" * 200)[0])


def services(running):
    """Every span of another service."""
    return many(20_000, lambda n: send_span(running.http, 100_000 + n, service=f"service-{n}-" + "s" * 200))


def spans(running):
    """One service sends many times the limit."""
    return many(800, lambda n: send_span(running.http, 100_000 + n, service="noisy", name="n" * 60_000))


def logs(running):
    cloudwatch(running.http, "CreateLogGroup", {"logGroupName": "noisy"})
    cloudwatch(running.http, "CreateLogStream", {"logGroupName": "noisy", "logStreamName": "s"})

    def one(_):
        events = [{"timestamp": int(time.time() * 1000), "message": "m" * 9_000} for _ in range(100)]
        body = {"logGroupName": "noisy", "logStreamName": "s", "logEvents": events}
        return cloudwatch(running.http, "PutLogEvents", body)[0]

    return many(60, one)


def errors(running):
    def one(n):
        data = {"environment": "e", "level": "error", "uuid": f"{n:032d}", "body": {"message": {"body": f"{n} " + "m" * 60_000}}}
        return call(running.http, "POST", "/api/1/item/", json.dumps({"data": data}).encode(), {"Content-Type": "application/json"})[0]

    return many(800, one)


FLOODS = {
    "3,000 log groups with 50 tags": groups,
    "20,000 log streams": streams,
    "3,000 sampling rules": rules,
    "3,000 X-Ray groups": xray_groups,
    "20,000 paths": paths,
    "20,000 services": services,
    "48 MiB of spans of one service": spans,
    "54 MiB of log events": logs,
    "48 MiB of errors": errors,
}
LARGE = 4 * MIB


def answers(running, report, attack):
    """Every list is answered in bounded time and size, whatever is stored."""
    longest, largest = 0.0, 0
    for command in ("live_traces", "live_logs", "live_errors", "status"):
        begun = time.monotonic()
        status, body = running.rpc.call(command, {})
        longest, largest = max(longest, time.monotonic() - begun), max(largest, len(body))
        if status != 200:
            report.row(f"{attack}: {command}", str(status), "200", False, body[:100].decode(errors="replace"))
    report.at_most(f"{attack}: lists answered within", round(longest, 2), ANSWER_LIMIT_S, " s")
    report.at_most(f"{attack}: largest list", round(largest / MIB, 1), LARGE / MIB, " MiB")


def run(binary, folder, report):
    for n, (attack, flood) in enumerate(FLOODS.items()):
        place = f"{folder}/{n}"
        running = serve(binary, place, settings=SETTINGS)
        running.rpc = Rpc(running.url)
        try:
            quiet = range(20)
            for trace in quiet:
                send_span(running.http, trace, service="quiet")
            begun = time.monotonic()
            with Memory(running) as memory:
                statuses = flood(running)
            said = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items(), key=str))
            report.at_most(f"{attack}: disk", size_of(place) // MIB, DISK_MIB, " MiB", f"{said}; {time.monotonic() - begun:.0f} s")
            report.at_most(f"{attack}: RSS", memory.mib, 512, " MiB")
            odd = {status: count for status, count in statuses.items() if status is None or status == 500}
            report.row(f"{attack}: 500 or no answer", str(sum(odd.values())), "none", not odd)
            later = range(500, 520)
            accepted = {trace for trace in later if send_span(running.http, trace, service="quiet") == 200}
            answers(running, report, attack)
            stored = stored_traces(binary, place)
            report.row(f"{attack}: spans accepted afterwards", f"{len(accepted)} of 20", "20 of 20", len(accepted) == 20)
            lost = accepted - stored
            report.none_of(f"{attack}: of these not stored", sorted(lost), len(accepted))
            kept = len(stored & set(quiet))
            report.row(f"{attack}: another service's earlier traces kept", f"{kept} of 20", "20 of 20", kept == 20)
        finally:
            running.stop()
