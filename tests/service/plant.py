"""Sends a credential in every field where an SDK can put one, and prints the list.

    plant.py [--http HOST:PORT] [--grpc HOST:PORT] [--xray HOST:PORT]

--http  OTLP traces and logs in protobuf and JSON, PutLogEvents (boto3, signed), a Rollbar item
--grpc  OTLP traces and logs
--xray  a segment by UDP, and one by TCP (boto3, signed, as `aws xray put-trace-segments` sends it)

Every secret is new in each run, occurs in one field only, and is plain ASCII, so that a database can be searched for
its bytes. Prints one JSON value and exits 1 if a response was not what the SDKs treat as success:

    {"planted": [{"secret", "end", "where", "rule"}], "answers": [{"end", "status", "ok"}],
     "ids": {"otlp-http", "otlp-json", "otlp-grpc", "xray-udp", "xray-tcp", "log_group", "log_stream", "rollbar"}}

`end` is one of the keys of `ids` (`logs` and `rollbar` for the last), whose value identifies the evidence: trace ids
are 32 hex digits. `rule` is `never` if the secret belongs to the transport (a header, gRPC metadata, the token fields
of a body): it must not be written anywhere. It is `at_freeze` in user data, which is stored as received and must be
removed from captured evidence.
"""

import argparse
import json
import logging
import secrets
import socket
import string
import sys
import time
import uuid

import requests

ADDRESSES = ("http", "grpc", "xray")


def text(length, letters=string.ascii_letters + string.digits):
    return "".join(secrets.choice(letters) for _ in range(length))


class Plant:
    """Generates secrets in realistic formats, and keeps a list of them."""

    def __init__(self):
        self.planted, self.answers, self.ids = [], [], {}

    def add(self, end, where, rule, secret):
        self.planted.append({"secret": secret, "end": end, "where": where, "rule": rule})
        return secret

    def never(self, end, where, secret):
        return self.add(end, where, "never", secret)

    def user(self, end, where, secret=None):
        return self.add(end, where, "at_freeze", secret or f"planted-{text(24)}7")

    def answer(self, end, status, ok):
        self.answers.append({"end": end, "status": status, "ok": bool(ok)})


def honeycomb():
    return f"hcaik_01{text(56, string.ascii_lowercase + string.digits)}"


def jwt():
    return f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIi{text(30)}.{text(43)}"


def hexadecimal(length):
    return secrets.token_hex(length // 2)


def access_key():
    return "ASIA" + text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def session_token():
    return f"IQoJb3JpZ2luX2Vj{text(120)}"


def transport(plant, end):
    """Headers of an OTLP exporter: what OTEL_EXPORTER_OTLP_HEADERS holds."""
    return {
        "x-honeycomb-team": plant.never(end, "x-honeycomb-team", honeycomb()),
        "authorization": "Bearer " + plant.never(end, "authorization: bearer", jwt()),
        "cookie": "session=" + plant.never(end, "cookie", text(40)),
        "x-api-key": plant.never(end, "x-api-key", text(40)),
        "x-amz-security-token": plant.never(end, "x-amz-security-token", session_token()),
    }


def strings(**named):
    return [(name.replace("__", "."), value) for name, value in named.items()]


def user_attributes(plant, end):
    """Attributes that instrumentations and developers set."""
    return strings(
        http__request__header__authorization="Bearer " + plant.user(end, "span attribute: bearer", jwt()),
        http__request__header__cookie="session=" + plant.user(end, "span attribute: cookie"),
        app__upstream="called with Bearer " + plant.user(end, "span attribute: bearer in text", jwt()),
        url__full=f"https://app:{plant.user(end, 'span attribute: password in URL')}@example.org/feed",
        http__target="/feed?access_token=" + plant.user(end, "span attribute: query of a URL"),
        db__connection_string=f"postgresql://app:{plant.user(end, 'span attribute: connection string')}@db:5432/cruddur",
        aws__session_token=plant.user(end, "span attribute: AWS session token", session_token()),
        db__password=plant.user(end, "span attribute: password"),
    )


def otlp_messages(plant, end):
    """A trace request, a log request, and the trace id."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

    def attributes(pairs):
        return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in pairs]

    trace_id, now = secrets.token_bytes(16), time.time_ns()
    traces, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
    resource = traces.resource_spans.add()
    key = plant.user(end, "resource attribute: AWS access key id", access_key())
    resource.resource.attributes.extend(attributes(strings(service__name="planted", aws__key=key)))
    span = resource.scope_spans.add().spans.add(
        trace_id=trace_id, span_id=secrets.token_bytes(8), name="planted", kind=2,
        start_time_unix_nano=now - 5_000_000, end_time_unix_nano=now,
    )
    span.attributes.extend(attributes(user_attributes(plant, end)))
    span.status.code, span.status.message = 2, "refused: password=" + plant.user(end, "span status message")
    event = span.events.add(time_unix_nano=now - 1_000_000, name="exception")
    message = f"401 for https://api:{plant.user(end, 'exception message: password in URL')}@example.org/"
    event.attributes.extend(attributes(strings(exception__type="HTTPError", exception__message=message)))

    group = logs.resource_logs.add()
    group.resource.attributes.extend(attributes(strings(service__name="planted")))
    record = group.scope_logs.add().log_records.add(
        time_unix_nano=now, observed_time_unix_nano=now, severity_number=17, severity_text="ERROR",
        trace_id=trace_id, span_id=span.span_id,
    )
    record.body.string_value = f"Authorization: Bearer {plant.user(end, 'log body: bearer', jwt())}"
    record.attributes.extend(attributes([("api_key", plant.user(end, "log attribute: API key"))]))
    plant.ids[end] = trace_id.hex()
    return traces, logs


def otlp_http(plant, address):
    end = "otlp-http"
    for path, message in zip(("traces", "logs"), otlp_messages(plant, end), strict=True):
        headers = {"content-type": "application/x-protobuf", **transport(plant, end)}
        answer = requests.post(f"http://{address}/v1/{path}", message.SerializeToString(), headers=headers, timeout=10)
        plant.answer(end, answer.status_code, answer.status_code == 200)


def otlp_json(plant, address):
    from record import otlp_json as as_json

    end = "otlp-json"
    for path, message in zip(("traces", "logs"), otlp_messages(plant, end), strict=True):
        headers = {"content-type": "application/json", **transport(plant, end)}
        answer = requests.post(f"http://{address}/v1/{path}", as_json(message).encode(), headers=headers, timeout=10)
        plant.answer(end, answer.status_code, answer.status_code == 200)


def otlp_grpc(plant, address):
    import grpc
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

    end = "otlp-grpc"
    with grpc.insecure_channel(address) as channel:
        for stub, message in zip((TraceServiceStub, LogsServiceStub), otlp_messages(plant, end), strict=True):
            try:
                stub(channel).Export(message, metadata=tuple(transport(plant, end).items()), timeout=10)
                plant.answer(end, "OK", True)
            except grpc.RpcError as error:
                plant.answer(end, error.code().name, False)


def segment(plant, end):
    """An X-Ray segment with secrets in every text field of the SDK."""
    trace_id, now = hexadecimal(32), time.time()
    plant.ids[end] = trace_id
    sql = f"postgresql://app:{plant.user(end, 'sql.url: password')}@db:5432/cruddur"
    return {
        "name": "planted",
        "id": hexadecimal(16),
        "trace_id": f"1-{trace_id[:8]}-{trace_id[8:]}",
        "start_time": now - 0.005,
        "end_time": now,
        "http": {
            "request": {
                "method": "GET",
                "url": f"http://app:{plant.user(end, 'http.request.url: password')}@127.0.0.1:4567/feed"
                f"?access_token={plant.user(end, 'http.request.url: query')}",
            },
            "response": {"status": 500},
        },
        "fault": True,
        "annotations": {"api_key": plant.user(end, "annotation: API key")},
        "metadata": {
            "app": {
                "headers": {
                    "Authorization": "Bearer " + plant.user(end, "metadata: bearer", jwt()),
                    "Cookie": "session=" + plant.user(end, "metadata: cookie"),
                },
                "aws_session_token": plant.user(end, "metadata: AWS session token", session_token()),
            }
        },
        "cause": {
            "working_directory": "/srv",
            "exceptions": [
                {
                    "id": hexadecimal(16),
                    "type": "HTTPError",
                    "message": "401, sent Bearer " + plant.user(end, "exception message: bearer", jwt()),
                }
            ],
        },
        "subsegments": [
            {
                "name": "db",
                "id": hexadecimal(16),
                "start_time": now - 0.004,
                "end_time": now - 0.002,
                "namespace": "remote",
                "sql": {"url": sql, "sanitized_query": "SELECT 1"},
            }
        ],
    }


def xray_udp(plant, address):
    host, port = address.rsplit(":", 1)
    document = json.dumps(segment(plant, "xray-udp")).encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(b'{"format":"json","version":1}\n' + document, (host, int(port)))
    plant.answer("xray-udp", "sent", True)  # there is no response to a datagram


def signed(plant, end, service, address):
    """A boto3 client with generated temporary credentials. The signatures derived from them are recorded too."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=f"http://{address}",
        aws_access_key_id=plant.never(end, "Authorization: access key id", access_key()),
        aws_secret_access_key=text(40),  # used only for signing
        aws_session_token=plant.never(end, "X-Amz-Security-Token", session_token()),
        config=Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1}),
    )

    def note(request, **_):
        header = request.headers["Authorization"]
        header = header.decode() if isinstance(header, bytes) else header
        plant.never(end, "Authorization: signature", header.rsplit("Signature=", 1)[1])

    client.meta.events.register("before-send", note)
    return client


def call(plant, end, function, **arguments):
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = function(**arguments)
        refused = answer.get("UnprocessedTraceSegments") or answer.get("rejectedLogEventsInfo")
        plant.answer(end, answer["ResponseMetadata"]["HTTPStatusCode"], not refused)
    except ClientError as error:
        plant.answer(end, error.response["Error"]["Code"], False)
    except BotoCoreError as error:
        plant.answer(end, type(error).__name__, False)


def xray_tcp(plant, address):
    client = signed(plant, "xray-tcp", "xray", address)
    call(plant, "xray-tcp", client.put_trace_segments, TraceSegmentDocuments=[json.dumps(segment(plant, "xray-tcp"))])


def cloudwatch(plant, address):
    end = "logs"
    group, stream = f"planted-{hexadecimal(8)}", "planted"
    plant.ids |= {"log_group": group, "log_stream": stream}
    lines = [
        f"Authorization: Bearer {plant.user(end, 'line: bearer', jwt())}",
        f"connecting to postgresql://app:{plant.user(end, 'line: password in URL')}@db:5432/cruddur",
        json.dumps({"msg": "login", "password": plant.user(end, "line of JSON: password")}),
        f"AWS_SESSION_TOKEN={plant.user(end, 'line: AWS session token', session_token())}",
        f"export AWS_ACCESS_KEY_ID={plant.user(end, 'line: AWS access key id', access_key())}",
        f"GET /feed?access_token={plant.user(end, 'line: query of a URL')} 200",
        f"Cookie: session={plant.user(end, 'line: cookie')}",
        f"HONEYCOMB_API_KEY={plant.user(end, 'line: Honeycomb key', honeycomb())}",
    ]
    now = int(time.time() * 1000)
    events = [{"timestamp": now + n, "message": line} for n, line in enumerate(lines)]
    client = signed(plant, end, "logs", address)
    call(plant, end, client.create_log_group, logGroupName=group)
    call(plant, end, client.create_log_stream, logGroupName=group, logStreamName=stream)
    call(plant, end, client.put_log_events, logGroupName=group, logStreamName=stream, logEvents=events)


def rollbar(plant, address):
    end = "rollbar"
    item = str(uuid.uuid4())
    plant.ids[end] = item
    url = f"http://127.0.0.1:4567/feed?access_token={plant.user(end, 'request.url: query')}"
    payload = {
        "access_token": plant.never(end, "body: access_token", hexadecimal(32)),
        "data": {
            "uuid": item,
            "timestamp": int(time.time()),
            "environment": "development",
            "level": "error",
            "language": "python 3.11.2",
            "framework": "flask",
            "notifier": {
                "name": "pyrollbar",
                "version": "1.5.0",
                "configured_options": {"accessToken": plant.user(end, "notifier.configured_options", hexadecimal(32))},
            },
            "request": {
                "url": url,
                "method": "POST",
                "headers": {
                    "Authorization": "Bearer " + plant.user(end, "request.headers: bearer", jwt()),
                    "Cookie": "session=" + plant.user(end, "request.headers: cookie"),
                    "X-Api-Key": plant.user(end, "request.headers: API key"),
                    "X-Amz-Security-Token": plant.user(end, "request.headers: AWS", session_token()),
                },
                "cookies": {"session": plant.user(end, "request.cookies")},
                "GET": {"access_token": plant.user(end, "request.GET")},
                "POST": {"user": "andrewbrown", "password": plant.user(end, "request.POST: password")},
            },
            "person": {"id": "andrewbrown", "username": "andrewbrown", "email": "andrew@example.org"},
            "body": {
                "trace": {
                    "frames": [
                        {
                            "filename": "/srv/app.py",
                            "lineno": 12,
                            "method": "feed",
                            "code": f'connect("postgresql://app:{plant.user(end, "frame.code: password in URL")}@db/cruddur")',
                            "locals": {
                                "aws_session_token": plant.user(end, "frame.locals: AWS", session_token()),
                                "dsn": f"postgresql://app:{plant.user(end, 'frame.locals: password in URL')}@db/cruddur",
                            },
                        }
                    ],
                    "exception": {
                        "class": "HTTPError",
                        "message": "401, sent Bearer " + plant.user(end, "exception.message: bearer", jwt()),
                    },
                }
            },
            "custom": {"client_secret": plant.user(end, "custom: client secret")},
        },
    }
    headers = {
        "X-Rollbar-Access-Token": plant.never(end, "X-Rollbar-Access-Token", hexadecimal(32)),
        "Authorization": "Bearer " + plant.never(end, "authorization: bearer", jwt()),
        "Cookie": "session=" + plant.never(end, "cookie", text(40)),
    }
    query = {"access_token": plant.never(end, "query: access_token", hexadecimal(32))}
    answer = requests.post(f"http://{address}/api/1/item/", json=payload, headers=headers, params=query, timeout=10)
    plant.answer(end, answer.status_code, answer.status_code == 200 and answer.json().get("err") == 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ADDRESSES:
        parser.add_argument(f"--{name}", metavar="HOST:PORT")
    given = parser.parse_args()
    if not any(getattr(given, name) for name in ADDRESSES):
        parser.error(f"one of {', '.join('--' + name for name in ADDRESSES)}")
    logging.getLogger("botocore").setLevel(logging.CRITICAL)
    plant = Plant()
    senders = (
        (given.http, (otlp_http, otlp_json, cloudwatch, rollbar)),
        (given.grpc, (otlp_grpc,)),
        (given.xray, (xray_udp, xray_tcp)),
    )
    for address, functions in senders:
        for send in functions if address else ():
            try:
                send(plant, address)
            except (requests.RequestException, ValueError) as error:
                plant.answer(send.__name__, type(error).__name__, False)
    print(json.dumps({"planted": plant.planted, "answers": plant.answers, "ids": plant.ids}))
    sys.exit(0 if all(answer["ok"] for answer in plant.answers) else 1)


if __name__ == "__main__":
    main()
