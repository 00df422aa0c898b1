"""Full X-Ray traces as a window gets them: starts `serve`, lists traces, requests each, prints them as one JSON list.

whole.py PATH/TO/tracebook FOLDER N
"""

import concurrent.futures
import json
import sys
import threading

import products

AT_ONCE = 8


def main():
    binary, folder, n = sys.argv[1:]
    command = [binary, "--data", folder, "--json", "serve", "--no-receivers", "--ui", "127.0.0.1:0"]
    running = products.Running(command, folder, ready=True)
    mine = threading.local()

    def call(name, args):
        if not hasattr(mine, "rpc"):
            mine.rpc = products.Rpc(running.first["ui"]["url"])
        status, body = mine.rpc.call(name, {"source": "xray", **args})
        if status != 200:
            raise products.Missing(f"{name} responded with {status}: {body[:200]!r}")
        return json.loads(body)

    try:
        rows = call("live_traces", {"since": "6h", "limit": int(n)})["rows"]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            whole = list(pool.map(lambda row: call("trace_get", {"trace_id": row["trace_id"]}), rows))
    finally:
        running.stop()
    json.dump(whole, sys.stdout)


if __name__ == "__main__":
    main()
