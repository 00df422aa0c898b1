"""Sends requests to the test service, successful and failing ones.

    drive.py PORT [PATH...] [--traceparent T] [--xray-header H]

Without a PATH it calls every route once and reports for each whether the status was as expected.
Prints one JSON line per request; exits 1 if a status was not as expected.
"""

import argparse
import json
import sys
import time

import requests

EXPECTED = {
    "/health": 200,
    "/api/activities/home": 200,
    "/api/activities/@andrewbrown": 200,
    "/api/activities/notifications": 500,
    "/api/abort404": 404,
    "/api/rows/40": 200,
    "/api/slow": 200,
    "/api/boom": 500,
}


def call(port, path, headers=None):
    """Sends one GET; returns what tests check."""
    start = time.monotonic()
    answer = requests.get(f"http://127.0.0.1:{port}{path}", headers={"User-Agent": "drive.py", **(headers or {})}, timeout=10)
    return {
        "path": path,
        "status": answer.status_code,
        "expected": EXPECTED.get(path, answer.status_code),
        "milliseconds": round((time.monotonic() - start) * 1000, 1),
        "xray": answer.headers.get("X-Amzn-Trace-Id"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("paths", nargs="*", default=[])
    parser.add_argument("--traceparent", help="W3C header to send along")
    parser.add_argument("--xray-header", help="X-Amzn-Trace-Id header to send along")
    given = parser.parse_args()
    headers = {"traceparent": given.traceparent, "X-Amzn-Trace-Id": given.xray_header}
    headers = {name: value for name, value in headers.items() if value}
    failed = False
    for path in given.paths or EXPECTED:
        answer = call(given.port, path, headers)
        failed |= answer["status"] != answer["expected"]
        print(json.dumps(answer), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
