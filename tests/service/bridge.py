"""A container bridge with a container, in network namespaces of their own, and what a container gets from `serve`.

    unshare -rnm python3 bridge.py main TRACEBOOK DATA     prints one JSON object
    python3 bridge.py ask ADDRESS [UID]                    the answers to every request, as another user if named
"""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

BRIDGE, HOST, CONTAINER = "br-0123456789ab", "172.30.99.1", "172.30.99.2"
LAN = "br-ba9876543210"
LOGS = "Logs_20140328."

TRACE = {"resourceSpans": [{"scopeSpans": [{"spans": [{
    "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "from a container",
    "startTimeUnixNano": "1760000000000000000", "endTimeUnixNano": "1760000000005000000"}]}]}]}
SEGMENT = json.dumps({"name": "c", "id": "70de5b6f19ff9a0a", "trace_id": "1-581cf771-a006649127e371903a2de979",
                      "start_time": 1.76e9, "end_time": 1.76e9 + 1})

# What is asked, and its body.
REQUESTS = {
    "export": ("/v1/traces", TRACE, None),
    "segments": ("/TraceSegments", {"TraceSegmentDocuments": [SEGMENT]}, None),
    "records": ("/TelemetryRecords", {"TelemetryRecords": []}, None),
    "rules": ("/GetSamplingRules", {}, None),
    "targets": ("/SamplingTargets", {"SamplingStatisticsDocuments": []}, None),
    "item": ("/api/1/item/", {"data": {"environment": "test", "body": {"message": {"body": "hello"}}}}, None),
    "group": ("/", {"logGroupName": "g"}, "CreateLogGroup"),
    "stream": ("/", {"logGroupName": "g", "logStreamName": "s"}, "CreateLogStream"),
    "streams": ("/", {"logGroupName": "g"}, "DescribeLogStreams"),
    "events": ("/", {"logGroupName": "g", "logStreamName": "s",
                     "logEvents": [{"timestamp": int(time.time() * 1000), "message": "m"}]}, "PutLogEvents"),
    "read events": ("/", {"logGroupName": "g", "logStreamName": "s"}, "GetLogEvents"),
    "filter events": ("/", {"logGroupName": "g"}, "FilterLogEvents"),
    "read groups": ("/", {}, "DescribeLogGroups"),
    "read summaries": ("/TraceSummaries", {"StartTime": 0, "EndTime": 2e9}, None),
    "read traces": ("/Traces", {"TraceIds": ["1-581cf771-a006649127e371903a2de979"]}, None),
    "change rule": ("/CreateSamplingRule", {"SamplingRule": {
        "RuleName": "none", "Priority": 1, "FixedRate": 0, "ReservoirSize": 0, "ServiceName": "*", "ServiceType": "*",
        "Host": "*", "HTTPMethod": "*", "URLPath": "*", "ResourceARN": "*", "Version": 1}}, None),
    "delete stream": ("/", {"logGroupName": "g", "logStreamName": "s"}, "DeleteLogStream"),
    "delete group": ("/", {"logGroupName": "g"}, "DeleteLogGroup"),
}


def ask(address):
    """Every request, in order: status, and error and message where there are any."""
    host, port = address.rsplit(":", 1)
    found = {}
    for name, (path, body, target) in REQUESTS.items():
        headers = {"Content-Type": "application/json", **({"X-Amz-Target": LOGS + target} if target else {})}
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        try:
            text = json.loads(answer.read() or "{}")
        except ValueError:
            text = {}
        found[name] = [answer.status, text.get("__type", ""), text.get("message", "")]
    return found


def run(*command):
    subprocess.run(command, check=True)


def main(program, data):
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    run("ip", "link", "set", "lo", "up")
    container = subprocess.Popen(["unshare", "-n", "sleep", "120"])
    while os.readlink(f"/proc/{container.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
        time.sleep(0.05)
    enter = ["nsenter", "-t", str(container.pid), "-n"]
    for name, address in [(BRIDGE, HOST), (LAN, "192.168.77.1")]:
        run("ip", "link", "add", name, "type", "bridge")
        run("ip", "addr", "add", f"{address}/24", "dev", name)
        run("ip", "link", "set", name, "up")
    run("ip", "link", "add", "veth1", "type", "veth", "peer", "name", "eth0", "netns", str(container.pid))
    run("ip", "link", "set", "veth1", "master", BRIDGE, "up")
    run(*enter, "ip", "addr", "add", f"{CONTAINER}/24", "dev", "eth0")
    # An address outside of every container network, as a machine has that routes through this one.
    run(*enter, "ip", "addr", "add", "10.9.9.9/32", "dev", "eth0")
    run(*enter, "ip", "link", "set", "eth0", "up")
    run("ip", "route", "add", "10.9.9.9/32", "dev", BRIDGE)
    # A bridge to a network, by a port that is not named as those of containers are.
    run("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "lan1")
    run("ip", "link", "set", "lan0", "master", LAN, "up")

    any_port = "127.0.0.1:0"
    server = subprocess.Popen(
        [program, "--json", "--data", data, "serve", "--containers", "--http", any_port, "--grpc", any_port, "--xray",
         any_port], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    result = {}
    try:
        ready = result["ready"] = json.loads(server.stdout.readline())
        bridge = (ready["containers"]["http"] or [""])[0]
        inside = [*enter, sys.executable, __file__, "ask", bridge]
        result["container"] = json.loads(subprocess.check_output(inside))
        result["loopback"] = ask(ready["http"])
        probe = [*enter, sys.executable, __file__, "from", "10.9.9.9", bridge]
        result["routed"] = json.loads(subprocess.check_output(probe))
        again = [*enter, sys.executable, __file__, "open", *bridge.rsplit(":", 1)[:1], ready["http"].rsplit(":", 1)[1]]
        result["same port"] = json.loads(subprocess.check_output(again))
    finally:
        server.send_signal(signal.SIGINT)
        _, result["stderr"] = server.communicate(timeout=20)
        container.kill()
    print(json.dumps(result))


def sent_from(source, address):
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=20, source_address=(source, 0))
    connection.request("POST", "/v1/traces", json.dumps(TRACE), {"Content-Type": "application/json"})
    return connection.getresponse().status


if sys.argv[1] == "ask":
    if len(sys.argv) > 3:
        os.setgroups([])
        os.setgid(int(sys.argv[3]))
        os.setuid(int(sys.argv[3]))
    print(json.dumps(ask(sys.argv[2])))
elif sys.argv[1] == "from":
    print(json.dumps(sent_from(sys.argv[2], sys.argv[3])))
elif sys.argv[1] == "open":
    with socket.socket() as probe_socket:
        print(json.dumps(probe_socket.connect_ex((sys.argv[2], int(sys.argv[3]))) == 0))
else:
    main(*sys.argv[2:])
