"""The web host's key: no other port of this machine receives it, and no log contains it."""

import http.server
import json
import os
import re
import shutil
import subprocess
import threading

from target import cli, serve

HERE = os.path.dirname(os.path.abspath(__file__))


class Recorder(http.server.BaseHTTPRequestHandler):
    """Another service of the user's: what the browser sends to it."""

    seen = []

    def do_GET(self):
        self.seen.append(f"{self.requestline}\n{self.headers}")
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<p>another service")

    do_POST = do_GET

    def log_message(self, *_):
        pass


def run(binary, folder, report):
    browser = os.environ.get("CHROMIUM", "/usr/bin/chromium-headless-shell")
    root = os.path.dirname(os.path.dirname(HERE))
    if not os.path.exists(browser) or not shutil.which("node") or not os.path.exists(f"{root}/ui/node_modules/playwright-core"):
        report.skip("web key in a browser", "needs Chromium, Node and ui/node_modules (scripts/setup.sh test)")
        return
    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    port = other.server_address[1]
    running = serve(binary, folder, "-vv")
    try:
        # Long enough to be secret, wherever it is in the URL.
        keys = set(re.findall(r"[A-Za-z0-9_-]{20,}", running.url.split("://", 1)[1]))
        host = running.url.split("://", 1)[1].split("/")[0].rsplit(":", 1)[0]
        others = [f"http://{name}:{port}/" for name in dict.fromkeys(("127.0.0.1", "localhost", host))]
        done = subprocess.run(["node", f"{HERE}/webkey.mjs", running.url, *others], capture_output=True, text=True, timeout=120)
        if done.returncode:
            report.row("web key in a browser", f"exit {done.returncode}", "exit 0", False, done.stderr[:200])
            return
        showed = json.loads(done.stdout)
        keys |= {cookie["value"] for cookie in showed["cookies"] if len(cookie["value"]) >= 20}
        report.row("the page is shown", f"{showed['shown']} characters", "a page", showed["shown"] > 20)
        report.row("requests of the browser to other ports", str(len(Recorder.seen)), "some", len(Recorder.seen) > 0)
        leaked = [request for request in Recorder.seen if any(key in request for key in keys)]
        report.none_of("of these contain the key", [request.split("\n")[0] for request in leaked], len(Recorder.seen))
        report.row("the address bar contains the key", str(any(key in showed["address"] for key in keys)), "False",
                   not any(key in showed["address"] for key in keys))
        written = ""
        for base, _, names in os.walk(f"{folder}/logs"):
            for name in names:
                with open(os.path.join(base, name), errors="replace") as log:
                    written += log.read()
        with open(running.log, errors="replace") as log:
            errors = log.read()
        report.none_of("the key in logs", [key[:4] + "…" for key in keys if key in written], len(keys))
        # Without --json, standard error may name the URL for people; with it, only standard output does.
        report.none_of("the key in standard error", [key[:4] + "…" for key in keys if key in errors], len(keys))
        path = f"{folder}-report"
        cli(binary, folder, "doctor", "--report", path)
        with open(path, errors="replace") as file:
            told = file.read()
        report.none_of("the key in a report", [key[:4] + "…" for key in keys if key in told], len(keys))
        for pid in running._session():
            with open(f"/proc/{pid}/cmdline", errors="replace") as line:
                shown = line.read()
            report.none_of("the key on a command line", [key[:4] + "…" for key in keys if key in shown], len(keys))
    finally:
        running.stop()
        other.shutdown()
