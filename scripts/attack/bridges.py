"""`--containers` in a network of its own: what a container on a bridge may do, and which bridges are listened on."""

import json
import os
import shutil
import subprocess
import sys
import time

from target import serve

HOST, CONTAINER = "tracebook-host", "tracebook-container"
# A container network's address, and a bridge to the local network as a router or a hypervisor has it.
BRIDGE, LOCAL = "172.29.0.1", "192.168.77.1"


def ip(*words, inside=None):
    prefix = ["ip", "netns", "exec", inside] if inside else []
    subprocess.run([*prefix, "ip", *words], check=True, capture_output=True)


def network():
    for name in (HOST, CONTAINER):
        ip("netns", "add", name)
        ip("link", "set", "lo", "up", inside=name)
    # As Docker makes them: a bridge, and one end of a pair in it.
    ip("link", "add", "docker0", "type", "bridge", inside=HOST)
    ip("addr", "add", f"{BRIDGE}/16", "dev", "docker0", inside=HOST)
    ip("link", "add", "veth-c", "type", "veth", "peer", "name", "eth0", "netns", CONTAINER, inside=HOST)
    ip("link", "set", "veth-c", "master", "docker0", inside=HOST)
    ip("addr", "add", "172.29.0.2/16", "dev", "eth0", inside=CONTAINER)
    for device, where in (("docker0", HOST), ("veth-c", HOST), ("eth0", CONTAINER)):
        ip("link", "set", device, "up", inside=where)
    # A bridge to the local network: routers and hypervisors name theirs like this.
    ip("link", "add", "br-lan", "type", "bridge", inside=HOST)
    ip("addr", "add", f"{LOCAL}/24", "dev", "br-lan", inside=HOST)
    ip("link", "add", "lan0", "type", "veth", "peer", "name", "lan1", inside=HOST)
    ip("link", "set", "lan0", "master", "br-lan", inside=HOST)
    for device in ("br-lan", "lan0", "lan1"):
        ip("link", "set", device, "up", inside=HOST)


def take_down():
    for name in (HOST, CONTAINER):
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


def listening():
    """Addresses and ports that are listened on in the host's network."""
    out = subprocess.run(["ip", "netns", "exec", HOST, "ss", "-Hltnu"], capture_output=True, text=True).stdout
    return sorted({line.split()[4] for line in out.splitlines() if len(line.split()) > 4})


CLIENT = """
import http.client, json, sys
asked, answers = json.load(sys.stdin), []
for host, port, path, headers, body in asked:
    try:
        connection = http.client.HTTPConnection(host, port, timeout=30)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answers.append([answer.status, answer.read().decode(errors="replace")])
    except (OSError, http.client.HTTPException) as error:
        answers.append([None, str(error)])
json.dump(answers, sys.stdout)
"""


def from_container(requests):
    done = subprocess.run(["ip", "netns", "exec", CONTAINER, sys.executable, "-c", CLIENT], input=json.dumps(requests), capture_output=True, text=True)
    return json.loads(done.stdout)


def logs(port, operation, body):
    headers = {"X-Amz-Target": f"Logs_20140328.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    return [BRIDGE, port, "/", headers, json.dumps(body)]


def of_xray(port, path, body):
    return [BRIDGE, port, path, {"Content-Type": "application/json"}, json.dumps(body)]


def run(binary, folder, report):
    if os.geteuid() or not shutil.which("ip") or not shutil.which("ss"):
        report.skip("container bridges", "needs root, ip and ss")
        return
    take_down()
    try:
        network()
    except subprocess.CalledProcessError as error:
        take_down()
        report.skip("container bridges", f"no network of its own here: {error.stderr[:100]!r}")
        return
    running = None
    try:
        running = serve(binary, folder, "--containers", prefix=["ip", "netns", "exec", HOST])
        time.sleep(0.5)
        seen = listening()
        outside = [one for one in seen if not one.startswith(("127.", "[::1]", BRIDGE))]
        report.none_of("listened on beside loopback and docker0", outside, len(seen))
        # Port 0 gives the bridge a port of its own, which has to be printed too.
        actual = {one.rsplit(":", 1)[1] for one in seen if one.startswith(BRIDGE)}
        printed = json.dumps(running.first)
        unsaid = [port for port in actual if port not in printed]
        report.none_of("ports on the bridge that the ready line does not name", unsaid, len(actual))
        fill(running)
        reachable = sorted(int(port) for port in actual)
        if not reachable:
            report.row("a container can send", "no port on the bridge", "a port", False)
            return
        sends(reachable, report)
        steals(reachable, report)
        still_there(running, report)
    finally:
        if running:
            running.stop()
        take_down()


def fill(running):
    """Telemetry of another service, received on the host's own loopback."""
    code = f"""
import sys; sys.path[:0] = {sys.path!r}
from target import cloudwatch, send_span, xray
cloudwatch({running.http}, "CreateLogGroup", {{"logGroupName": "private"}})
cloudwatch({running.http}, "CreateLogStream", {{"logGroupName": "private", "logStreamName": "s"}})
import time
events = [{{"timestamp": int(time.time() * 1000), "message": "private-4711"}}]
cloudwatch({running.http}, "PutLogEvents", {{"logGroupName": "private", "logStreamName": "s", "logEvents": events}})
for n in range(5): send_span({running.http}, n, service="private-4711")
"""
    subprocess.run(["ip", "netns", "exec", HOST, sys.executable, "-c", code], check=True)


def sends(ports, report):
    """What a container needs: one of the ports takes each of these."""
    now = int(time.time() * 1000)
    span = {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "x", "startTimeUnixNano": "1760000000000000000", "endTimeUnixNano": "1760000000000000001"}]}]}]}
    text = {"Content-Type": "application/json"}
    wanted = {
        "OTLP": lambda p: [BRIDGE, p, "/v1/traces", text, json.dumps(span)],
        "Rollbar": lambda p: [BRIDGE, p, "/api/1/item/", text, json.dumps({"data": {"body": {"message": {"body": "x"}}}})],
        "PutLogEvents": lambda p: logs(p, "PutLogEvents", {"logGroupName": "private", "logStreamName": "s", "logEvents": [{"timestamp": now, "message": "m"}]}),
        "CreateLogStream": lambda p: logs(p, "CreateLogStream", {"logGroupName": "private", "logStreamName": "another"}),
        "GetSamplingRules": lambda p: of_xray(p, "/GetSamplingRules", {}),
        "PutTraceSegments": lambda p: of_xray(p, "/TraceSegments", {"TraceSegmentDocuments": []}),
    }
    for name, made in wanted.items():
        statuses = [status for status, _ in from_container([made(port) for port in ports])]
        report.row(f"a container can send: {name}", str(statuses), "200 at one port", 200 in statuses)


def steals(ports, report):
    """What a container may not: read, delete, or change the settings of others."""
    now = time.time()
    rule = {"RuleName": "off", "Priority": 1, "FixedRate": 0.0, "ReservoirSize": 0, "ServiceName": "*", "ServiceType": "*", "Host": "*",
            "HTTPMethod": "*", "URLPath": "*", "ResourceARN": "*", "Version": 1}
    forbidden = {
        "FilterLogEvents": lambda p: logs(p, "FilterLogEvents", {"logGroupName": "private"}),
        "GetLogEvents": lambda p: logs(p, "GetLogEvents", {"logGroupName": "private", "logStreamName": "s"}),
        "DescribeLogGroups": lambda p: logs(p, "DescribeLogGroups", {}),
        "ListTagsLogGroup": lambda p: logs(p, "ListTagsLogGroup", {"logGroupName": "private"}),
        "DeleteLogStream": lambda p: logs(p, "DeleteLogStream", {"logGroupName": "private", "logStreamName": "s"}),
        "PutRetentionPolicy": lambda p: logs(p, "PutRetentionPolicy", {"logGroupName": "private", "retentionInDays": 1}),
        "DeleteLogGroup": lambda p: logs(p, "DeleteLogGroup", {"logGroupName": "private"}),
        "GetTraceSummaries": lambda p: of_xray(p, "/TraceSummaries", {"StartTime": now - 3600, "EndTime": now}),
        "BatchGetTraces": lambda p: of_xray(p, "/Traces", {"TraceIds": ["1-00000000-000000000000000000000001"]}),
        "GetServiceGraph": lambda p: of_xray(p, "/ServiceGraph", {"StartTime": now - 3600, "EndTime": now}),
        "CreateSamplingRule": lambda p: of_xray(p, "/CreateSamplingRule", {"SamplingRule": rule}),
        "DeleteSamplingRule": lambda p: of_xray(p, "/DeleteSamplingRule", {"RuleName": "off"}),
        "CreateGroup": lambda p: of_xray(p, "/CreateGroup", {"GroupName": "g", "FilterExpression": "error"}),
        "DeleteGroup": lambda p: of_xray(p, "/DeleteGroup", {"GroupName": "g"}),
    }
    wrong = []
    for name, made in forbidden.items():
        for status, body in from_container([made(port) for port in ports]):
            if status == 200 or "private-4711" in body:
                wrong.append(f"{name} ({status})")
    report.none_of("a container reads, deletes or changes", sorted(set(wrong)), len(forbidden))
    asked = [[BRIDGE, port, "/rpc", {"Content-Type": "application/json"}, '{"cmd":"status","args":{}}'] for port in ports]
    statuses = [status for status, _ in from_container(asked)]
    report.row("a container calls a command", str(statuses), "no 200", 200 not in statuses)


def still_there(running, report):
    code = f"""
import sys; sys.path[:0] = {sys.path!r}
from target import cloudwatch
print("private-4711" in cloudwatch({running.http}, "FilterLogEvents", {{"logGroupName": "private"}})[1].decode())
"""
    out = subprocess.run(["ip", "netns", "exec", HOST, sys.executable, "-c", code], capture_output=True, text=True).stdout
    report.row("the other service's log event is still there", out.strip(), "True", out.strip() == "True")
