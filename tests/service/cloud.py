"""A fake cloud on loopback: the read APIs of X-Ray, CloudWatch Logs, STS, Rollbar and Honeycomb, with the edge cases of
the real ones.

    python cloud.py [--port N] [--traces N] [--events N] [--now SECONDS]

Prints `ready PORT` and serves until it is stopped. Its data is generated relative to its start, so that a query for
the last 6 hours finds it. `POST /__cloud {"mode": "expired"}` changes its responses: ok, expired, rejected, denied,
throttled, throttled-once, broken, slow, cut, html. `GET /__cloud` returns the requests so far, without any header that
carries a credential.

Formats: X-Ray rest-json (botocore xray/2016-04-12: paths are not the operations' names, times are epoch seconds), CloudWatch Logs
JSON 1.1 (botocore logs/2014-03-28: X-Amz-Target, ms, StartQuery in seconds), STS query protocol; Rollbar
(docs.rollbar.com/reference: err is checked even on 200; /item_by_counter answers 301), Honeycomb (api-docs.honeycomb.io; the
Terraform provider's client). To measure clients, scripts/bench/stub.py serves the same rows from prepared bytes.
"""

import argparse
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

REGION = "us-east-1"
ACCOUNT = "123456789012"
GROUPS = ["cruddur", "/aws/lambda/thumbnail", "/ecs/frontend"]
ROLLBAR_READ = "read-0123456789abcdef0123456789ab"
ROLLBAR_POST = "post-0123456789abcdef0123456789ab"
HONEYCOMB = "hcaik_01testtesttesttesttesttest"


class World:
    """All data, generated once."""

    def __init__(self, traces, events, trace_step=60, now=None):
        self.now, self.trace_step = now or time.time(), trace_step
        self.lock = threading.Lock()
        self.mode = "ok"
        self.asked = []
        self.times = 0
        self.traces = [self.trace(i) for i in range(traces)]
        self.by_id = {trace["Id"]: trace for trace in self.traces}
        self.events = [self.event(i) for i in range(events)]
        self.queries = {}
        self.summary_pages = self.pages([self.summary(t) for t in self.traces], 100)

    def trace_id(self, i):
        return f"1-{int(self.now - self.trace_step * i):08x}-{i:024x}"

    def trace(self, i):
        start = self.now - self.trace_step * i - 30
        trace_id = self.trace_id(i)
        fault = i % 5 == 3
        partial = i == 7
        path = ["/api/activities/home", "/api/activities/notifications", "/api/message_groups"][i % 3]
        sub = {
            "id": f"{i * 2 + 1:016x}",
            "name": "mock-data",
            "start_time": start + 0.002,
            "end_time": start + 0.010,
            "annotations": {"results_size": i % 9},
            "metadata": {"default": {"rows": [i, i + 1]}},
        }
        segment = {
            "id": f"{i * 2 + 2:016x}",
            "name": "backend-flask",
            "trace_id": trace_id,
            "start_time": start,
            "http": {
                "request": {"method": "GET", "url": f"http://localhost:4567{path}", "client_ip": "192.168.1.10"},
                "response": {"status": 500 if fault else 200, "content_length": 512},
            },
            "aws": {"xray": {"sdk": "X-Ray for Python", "sdk_version": "2.15.0"}},
            "subsegments": [sub],
        }
        if partial:
            segment["in_progress"] = True
        else:
            segment["end_time"] = start + 0.0124
        if fault:
            segment["fault"] = True
            segment["cause"] = {
                "exceptions": [{"id": f"{i:016x}", "type": "TypeError", "message": "'NoneType' object is not iterable"}]
            }
        return {
            "Id": trace_id,
            "Duration": 0.0124,
            "LimitExceeded": i == 11,
            "Segments": [{"Id": segment["id"], "Document": json.dumps(segment)}],
            "start": start,
            "fault": fault,
            "partial": partial,
            "path": path,
        }

    def summary(self, trace):
        return {
            "Id": trace["Id"],
            "StartTime": trace["start"],
            "Duration": 0.0124,
            "ResponseTime": 0.0124,
            "HasFault": trace["fault"],
            "HasError": False,
            "HasThrottle": False,
            "IsPartial": trace["partial"],
            "Http": {
                "HttpURL": f"http://localhost:4567{trace['path']}",
                "HttpStatus": 500 if trace["fault"] else 200,
                "HttpMethod": "GET",
            },
            "Annotations": {},
            # moto returns a map where the model says a list; a client must accept both.
            "Users": {} if trace["partial"] else [],
            "ServiceIds": [{"Name": "backend-flask", "Names": ["backend-flask"], "Type": "AWS::EC2::Instance"}],
            "EntryPoint": {"Name": "backend-flask", "Names": ["backend-flask"]},
            "Revision": 1,
        }

    def event(self, i):
        millis = int((self.now - i * 0.5 - 5) * 1000)
        trace = self.traces[i % len(self.traces)] if self.traces else None
        words = ["INFO home activities", "ERROR database connection refused", "WARN slow query 812 ms"][i % 3]
        message = f"{words} path=/api/activities/home n={i}"
        if trace and i % 4 == 0:
            message += f" trace={trace['Id']}"
        return {
            "logStreamName": f"backend-flask/{i % 2}",
            "timestamp": millis,
            "message": message,
            "ingestionTime": millis + 900,
            "eventId": f"{millis:020d}{i:012d}",
        }

    @staticmethod
    def pages(rows, size):
        return [rows[i : i + size] for i in range(0, len(rows), size)] or [[]]


class Refused(Exception):
    def __init__(self, status, body, headers=None):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.handle_one("GET")

    def do_POST(self):
        self.handle_one("POST")

    def handle_one(self, method):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        url = urlsplit(self.path)
        if url.path == "/__cloud":
            return self.control(method, body)
        world = self.world
        target = (self.headers.get("X-Amz-Target") or "").rpartition(".")[2]
        with world.lock:
            world.asked.append({"method": method, "path": url.path, "query": url.query, "target": target, "body": body.decode("utf-8", "replace")[:2000]})
        try:
            self.trouble(url.path, target)
            status, answer, kind, headers = self.route(method, url, target, body)
        except Refused as refused:
            status, answer, kind, headers = refused.status, refused.body, "application/json", refused.headers
        except ConnectionAbortedError:
            self.close_connection = True
            self.connection.close()
            return
        if not isinstance(answer, bytes):
            answer = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def control(self, method, body):
        world = self.world
        with world.lock:
            if method == "POST":
                said = json.loads(body)
                world.mode = said.get("mode", world.mode)
                world.times = 0
                if said.get("forget"):
                    world.asked.clear()
                for message in said.get("log", []):
                    millis = int(time.time() * 1000)
                    world.events.insert(
                        0,
                        {"logStreamName": "live", "timestamp": millis, "message": message, "ingestionTime": millis, "eventId": f"live-{millis}-{len(world.events)}"},
                    )
            answer = json.dumps({"mode": world.mode, "asked": world.asked}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def trouble(self, path, target):
        """The error response of the current mode, in each vendor's format."""
        world, mode = self.world, self.world.mode
        if mode == "ok":
            return
        with world.lock:
            world.times += 1
            times = world.times
        if mode == "slow":
            time.sleep(40)
        if mode == "cut":
            raise ConnectionAbortedError
        if mode == "html":
            raise Refused(404, b"<!doctype html><title>404 Not Found</title>")
        if mode == "throttled-once" and times > 1:
            return
        aws = not path.startswith(("/api/1", "/1/"))
        words = {
            "expired": (403, "ExpiredTokenException", "The security token included in the request is expired"),
            "rejected": (403, "UnrecognizedClientException", "The security token included in the request is invalid."),
            "denied": (403, "AccessDeniedException", f"User: arn:aws:iam::{ACCOUNT}:user/andrew is not authorized to perform: xray:GetTraceSummaries"),
            "throttled": (429, "ThrottledException", "Rate exceeded"),
            "throttled-once": (429, "ThrottlingException", "Rate exceeded"),
            "broken": (500, "InternalFailure", "An internal error occurred"),
        }
        status, name, message = words[mode]
        if aws:
            kind = {"x-amzn-ErrorType": name}
            raise Refused(400 if target and status == 403 else status, json.dumps({"__type": name, "message": message, "Message": message}).encode(), kind)
        raise Refused({"expired": 401, "rejected": 401, "denied": 403}.get(mode, status), json.dumps({"err": 1, "message": message, "error": message, "status": status}).encode())

    def route(self, method, url, target, body):
        ok = lambda answer, kind="application/json": (200, answer, kind, {})  # noqa: E731
        if url.path.startswith("/api/1"):
            return self.rollbar(method, url.path[len("/api/1") :], parse_qs(url.query), body)
        if url.path.startswith("/1/"):
            return self.honeycomb(method, url.path, body)
        if url.path == "/" and not target and b"GetCallerIdentity" in body:
            text = (
                '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
                f"<Arn>arn:aws:iam::{ACCOUNT}:user/andrew</Arn><UserId>AIDATEST</UserId><Account>{ACCOUNT}</Account>"
                "</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
            )
            return ok(text.encode(), "text/xml")
        if url.path == "/":
            return ok(self.logs(target, json.loads(body or b"{}")), "application/x-amz-json-1.1")
        return ok(self.xray(url.path, json.loads(body or b"{}")))

    # X-Ray

    def xray(self, path, asked):
        world = self.world
        if path == "/TraceSummaries":
            start, end = asked["StartTime"], asked["EndTime"]
            if end - start > 6 * 3600 + 1:
                raise Refused(400, {"__type": "InvalidRequestException", "Message": "The time range exceeds the maximum"}, {"x-amzn-ErrorType": "InvalidRequestException"})
            page = int(asked.get("NextToken") or 0)
            wanted = asked.get("FilterExpression") or ""
            fits = [s for p in world.summary_pages for s in p if start <= s["StartTime"] < end]
            if "fault" in wanted:
                fits = [s for s in fits if s["HasFault"]]
            pages = World.pages(fits, 100)
            # Empty pages with a token alternate with the others, as in the real service.
            shown = pages[page // 2] if page % 2 == 0 and page // 2 < len(pages) else []
            answer = {"TraceSummaries": shown, "ApproximateTime": end, "TracesProcessedCount": len(fits)}
            if page // 2 + 1 < len(pages) or (page % 2 == 0 and len(pages) > 1):
                answer["NextToken"] = str(page + 1)
            return answer
        if path == "/Traces":
            ids = asked["TraceIds"]
            if len(ids) > 5:
                raise Refused(400, {"Message": "Exceeding maximum query size: 5"}, {"x-amzn-ErrorType": "InvalidRequestException"})
            found = [world.by_id[i] for i in ids if i in world.by_id]
            shown = [{k: t[k] for k in ("Id", "Duration", "LimitExceeded", "Segments")} for t in found]
            unprocessed = []
            if world.mode == "ok" and len(shown) > 1:
                with world.lock:
                    world.times += 1
                    if world.times == 1:
                        unprocessed = [shown.pop()["Id"]]
            return {"Traces": shown, "UnprocessedTraceIds": unprocessed}
        if path in ("/ServiceGraph", "/TraceGraph"):
            stats = {"OkCount": 40, "ErrorStatistics": {"ThrottleCount": 0, "OtherCount": 3, "TotalCount": 3}, "FaultStatistics": {"OtherCount": 7, "TotalCount": 7}, "TotalCount": 50, "TotalResponseTime": 1.2}
            services = [
                {"ReferenceId": 0, "Name": "backend-flask", "Names": ["backend-flask"], "Root": True, "Type": "AWS::EC2::Instance", "State": "active", "StartTime": world.now - 3600, "EndTime": world.now, "Edges": [{"ReferenceId": 2, "StartTime": world.now - 3600, "EndTime": world.now, "SummaryStatistics": stats, "ResponseTimeHistogram": [{"Value": 0.01, "Count": 45}, {"Value": 0.2, "Count": 5}], "Aliases": []}], "SummaryStatistics": stats, "DurationHistogram": [{"Value": 0.01, "Count": 45}, {"Value": 0.2, "Count": 5}], "ResponseTimeHistogram": [{"Value": 0.01, "Count": 45}, {"Value": 0.2, "Count": 5}]},
                {"ReferenceId": 1, "Name": "backend-flask", "Names": ["backend-flask"], "Type": "client", "State": "unknown", "StartTime": world.now - 3600, "EndTime": world.now, "Edges": [{"ReferenceId": 0, "StartTime": world.now - 3600, "EndTime": world.now, "SummaryStatistics": stats, "ResponseTimeHistogram": [{"Value": 0.01, "Count": 50}], "Aliases": []}]},
                {"ReferenceId": 2, "Name": "cruddur-messages", "Names": ["cruddur-messages"], "Type": "AWS::DynamoDB::Table", "State": "unknown", "StartTime": world.now - 3600, "EndTime": world.now, "Edges": [], "SummaryStatistics": stats, "DurationHistogram": [{"Value": 0.004, "Count": 50}], "ResponseTimeHistogram": [{"Value": 0.004, "Count": 50}]},
            ]
            return {"StartTime": world.now - 3600, "EndTime": world.now, "Services": services, "ContainsOldGroupVersions": False}
        if path == "/Groups":
            arn = f"arn:aws:xray:{REGION}:{ACCOUNT}:group/"
            return {
                "Groups": [
                    {"GroupName": "Default", "GroupARN": arn + "Default", "InsightsConfiguration": {"InsightsEnabled": False, "NotificationsEnabled": False}},
                    {"GroupName": "Cruddur", "GroupARN": arn + "Cruddur/ABC", "FilterExpression": 'service("backend-flask")', "InsightsConfiguration": {"InsightsEnabled": True, "NotificationsEnabled": False}},
                ]
            }
        if path == "/GetSamplingRules":
            rule = lambda name, priority, rate, host: {  # noqa: E731
                "SamplingRule": {"RuleName": name, "RuleARN": f"arn:aws:xray:{REGION}:{ACCOUNT}:sampling-rule/{name}", "ResourceARN": "*", "Priority": priority, "FixedRate": rate, "ReservoirSize": 5, "ServiceName": host, "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1, "Attributes": {}},
                "CreatedAt": 1700000000.0,
                "ModifiedAt": 1700000500.0,
            }
            return {"SamplingRuleRecords": [rule("Cruddur", 9000, 0.1, "backend-flask"), rule("Default", 10000, 0.05, "*")]}
        if path == "/TraceSegments":
            return {"UnprocessedTraceSegments": []}
        if path == "/GetTraceSegmentDestination":
            return {"Destination": "XRay", "Status": "ACTIVE"}
        raise Refused(404, b"<html>404</html>")

    # CloudWatch Logs

    def logs(self, operation, asked):
        world = self.world
        arn = lambda name: f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"  # noqa: E731
        if operation == "DescribeLogGroups":
            search = asked.get("logGroupNamePattern") or ""
            prefix = asked.get("logGroupNamePrefix") or ""
            names = [g for g in GROUPS if search.lower() in g.lower() and g.startswith(prefix)]
            return {"logGroups": [{"logGroupName": g, "creationTime": 1700000000000, "retentionInDays": 1, "arn": arn(g) + ":*", "logGroupArn": arn(g), "storedBytes": 20117} for g in names]}
        group = asked.get("logGroupName") or asked.get("logGroupIdentifier") or ""
        known = group.rpartition(":log-group:")[2] in GROUPS
        if operation in ("DescribeLogStreams", "FilterLogEvents", "GetLogEvents") and not known:
            raise Refused(400, {"__type": "ResourceNotFoundException", "message": "The specified log group does not exist."})
        if operation == "DescribeLogStreams":
            last = int(world.now * 1000)
            return {"logStreams": [{"logStreamName": f"backend-flask/{i}", "creationTime": 1700000000000, "lastEventTimestamp": last - i, "storedBytes": 0} for i in (0, 1)]}
        if operation == "FilterLogEvents":
            return self.filter_events(asked)
        if operation == "DescribeQueryDefinitions":
            return {"queryDefinitions": [{"queryDefinitionId": "d-1", "name": "week 2/errors", "queryString": "filter @message like /ERROR/ | stats count(*) as n by @logStream", "logGroupNames": ["cruddur"], "lastModified": 1700000000000}]}
        if operation == "StartQuery":
            query = f"q-{len(world.queries)}"
            if "nonsense" in asked["queryString"]:
                raise Refused(400, {"__type": "MalformedQueryException", "message": "unexpected symbol found nonsense at line 1 and position 1"})
            world.queries[query] = 0
            return {"queryId": query}
        if operation == "GetQueryResults":
            world.queries[asked["queryId"]] = world.queries.get(asked["queryId"], 0) + 1
            row = lambda stream, n: [{"field": "@logStream", "value": stream}, {"field": "n", "value": n}, {"field": "@ptr", "value": "x"}]  # noqa: E731
            done = world.queries[asked["queryId"]] > 1
            rows = [row("backend-flask/0", "17"), row("backend-flask/1", "16")]
            return {"status": "Complete" if done else "Running", "results": rows if done else rows[:1], "statistics": {"recordsMatched": 33.0, "recordsScanned": 100.0, "bytesScanned": 2411724.0}}
        if operation == "StopQuery":
            return {"success": True}
        raise Refused(400, {"__type": "UnknownOperationException", "message": operation})

    def filter_events(self, asked):
        world = self.world
        start, end = asked.get("startTime", 0), asked.get("endTime", 1 << 62)
        token = int(asked.get("nextToken") or 0)
        size = min(asked.get("limit", 10000), 10000)
        with world.lock:
            events = [e for e in world.events if start <= e["timestamp"] <= end]
        pattern = asked.get("filterPattern") or ""
        words = re.findall(r'\?"([^"]+)"', pattern)
        if words:
            events = [e for e in events if any(word in e["message"] for word in words)]
        elif re.fullmatch(r"[\w ]+", pattern):
            events = [e for e in events if all(word in e["message"] for word in pattern.split())]
        streams = asked.get("logStreamNames")
        if streams:
            events = [e for e in events if e["logStreamName"] in streams]
        if asked.get("startFromHead", True):
            events = events[::-1]
        # Odd pages are empty although more follow: only a missing token marks the end.
        size = min(size, 50)
        page = [] if token % 2 else events[(token // 2) * size : (token // 2 + 1) * size]
        answer = {"events": page, "searchedLogStreams": []}
        if (token // 2 + 1) * size < len(events):
            answer["nextToken"] = str(token + 1)
        return answer

    # Rollbar

    def rollbar(self, method, path, query, body):
        token = self.headers.get("X-Rollbar-Access-Token")
        if token not in (ROLLBAR_READ, ROLLBAR_POST):
            return 401, {"err": 1, "message": "access token not found"}, "application/json", {}
        if token == ROLLBAR_POST and method == "GET":
            return 403, {"err": 1, "message": "insufficient privileges"}, "application/json", {}
        ok = lambda result: (200, {"err": 0, "result": result}, "application/json", {})  # noqa: E731
        if path in ("/items/", "/items"):
            page = int(query.get("page", ["1"])[0])
            levels = query.get("level")
            items = [self.item(n) for n in range(1, 8)]
            items = [i for i in items if not levels or i["level"] in levels]
            search = " ".join(query.get("query", [""])).lower()
            items = [i for i in items if search in i["title"].lower()]
            return ok({"page": page, "total_count": len(items), "items": items if page == 1 else []})
        if match := re.fullmatch(r"/item_by_counter/(\d+)", path):
            where = f"/api/1/item/{27_250_000 + int(match[1])}?access_token={token}"
            return 301, {"err": 0, "result": {"itemId": 27_250_000 + int(match[1])}}, "application/json", {"Location": where}
        if path == "/item" or path == "/item/":
            if "counter" in query:
                return ok(self.item(int(query["counter"][0])))
            return ok({"id": None, "uuid": "d0e1"})
        if match := re.fullmatch(r"/item/(\d+)", path):
            return ok(self.item(int(match[1]) - 27_250_000))
        if match := re.fullmatch(r"/item/(\d+)/instances/?", path):
            page = int(query.get("page", ["1"])[0])
            n = int(match[1]) - 27_250_000
            # Twenty per page, followed by an empty page.
            return ok({"page": page, "instances": [self.instance(n, k) for k in range(7 * n)[20 * (page - 1) : 20 * page]]})
        if match := re.fullmatch(r"/instance/(\d+)", path):
            return ok(self.instance(int(match[1]) // 1000, int(match[1]) % 1000))
        if path == "/status/ping":
            return 200, b"pong", "text/plain", {}
        if path.startswith("/projects"):
            return 403, {"err": 1, "message": "account token required"}, "application/json", {}
        # An error in a response with status 200.
        return 200, {"err": 1, "message": "not a thing of ours"}, "application/json", {}

    def item(self, n):
        last = int(self.world.now) - n * 600
        return {
            "id": 27_250_000 + n,
            "counter": n,
            "project_id": 1,
            "title": ["TypeError: 'NoneType' object is not iterable", "Hello World!", "ZeroDivisionError: division by zero"][n % 3],
            "level": ["error", "info", "critical", "warning"][n % 4],
            "status": "active",
            "environment": "production" if n % 2 else "development",
            "framework": 4 if n % 2 else "flask",
            "platform": "linux",
            "total_occurrences": n * 7,
            "unique_occurrences": n,
            "first_occurrence_timestamp": last - 86400,
            "last_occurrence_timestamp": last,
            "last_occurrence_id": n * 1000,
            "hash": f"{n:040x}",
        }

    def instance(self, n, k):
        item = self.item(n)
        frame = lambda name, line, method, code: {"filename": name, "lineno": line, "method": method, "code": code}  # noqa: E731
        message = item["title"].partition(": ")
        trace = {
            "frames": [
                frame("/usr/lib/python3.11/site-packages/flask/app.py", 1511, "wsgi_app", "response = self.full_dispatch_request()"),
                frame("/backend-flask/app.py", 141, "data_notifications", "data = NotificationsActivities.run()"),
            ],
            "exception": {"class": message[0], "message": message[2]},
        }
        body = {"trace": trace} if message[2] else {"message": {"body": item["title"]}}
        return {
            "id": n * 1000 + k,
            "item_id": item["id"],
            "project_id": 1,
            "timestamp": item["last_occurrence_timestamp"] - k * 60,
            "version": 2,
            "data": {
                "uuid": f"{n:08x}-0000-4000-8000-{k:012x}",
                "timestamp": item["last_occurrence_timestamp"] - k * 60,
                "environment": item["environment"],
                "level": item["level"],
                "language": "python 3.11.7",
                "framework": "flask",
                "context": "/api/activities/notifications",
                "body": body,
                "person": {"id": "andrewbrown", "username": "andrew", "email": None},
                "request": {"url": "http://localhost:4567/api/activities/notifications", "method": "GET", "headers": {"Host": "localhost:4567"}},
                "custom": {"week": 2},
                "notifier": {"name": "pyrollbar", "version": "1.5.0"},
                "metadata": {"access_token": "must-not-be-kept-0123456789abcdef"},
            },
        }

    # Honeycomb

    def honeycomb(self, method, path, body):
        if self.headers.get("X-Honeycomb-Team") != HONEYCOMB:
            return 401, {"error": "unknown API key - check your credentials"}, "application/json", {}
        ok = lambda answer, status=200: (status, answer, "application/json", {})  # noqa: E731
        if path == "/1/auth":
            return ok({"type": "configuration", "api_key_access": {"events": True, "queries": True, "boards": True, "columns": False}, "environment": {"name": "dev", "slug": "dev"}, "team": {"name": "Cruddur", "slug": "cruddur"}})
        if path == "/1/boards":
            return ok([{"id": "b1", "name": "Week 2", "links": {"board_url": "https://ui.honeycomb.io/cruddur/environments/dev/board/b1"}, "queries": [{"dataset": "backend-flask", "query_id": "hq1", "query_annotation_id": "a1"}]}])
        if path == "/1/datasets":
            return ok([{"name": "backend-flask", "slug": "backend-flask"}])
        if path.startswith("/1/query_annotations/"):
            return ok([{"id": "a1", "name": "latency by route", "query_id": "hq1", "description": ""}] if path.endswith("backend-flask") else [])
        if method == "GET" and path.startswith("/1/queries/"):
            return ok({"id": "hq1", "calculations": [{"op": "COUNT"}, {"op": "P90", "column": "duration_ms"}], "breakdowns": ["http.route"], "time_range": 3600})
        if path.startswith("/1/queries/"):
            return ok({"id": "hq9", **json.loads(body)})
        if method == "POST" and path.startswith("/1/query_results/"):
            return ok({"id": "r1", "complete": False}, 201)
        if path.startswith("/1/query_results/"):
            rows = [{"data": {"http.route": route, "COUNT": n, "P90(duration_ms)": p}} for route, n, p in (("/api/activities/home", 412, 12.4), ("/api/message_groups", 31, 48.25))]
            return ok({"id": "r1", "complete": True, "data": {"results": rows}, "links": {"query_url": "https://ui.honeycomb.io/cruddur/environments/dev/datasets/backend-flask/result/r1"}})
        return ok({"error": "not found"}, 404)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--traces", type=int, default=150)
    parser.add_argument("--events", type=int, default=400)
    parser.add_argument("--now", type=float, help="epoch seconds that everything is made before; the start by default")
    asked = parser.parse_args()
    Handler.world = World(asked.traces, asked.events, now=asked.now)
    server = Server(("127.0.0.1", asked.port), Handler)
    print(f"ready {server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
