"""Hundreds of odd Host and Origin values at every listener: only this machine's own names and origins are served."""

import grpc

from target import raw, serve

OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")


def odd_hosts(port):
    """Host values that a browser or a proxy can be made to send, and that do not name this machine."""
    names = [
        "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1.nip.io", "evil.localhost.example",
        "[::1].evil", "[::1]evil", "[::1].evil.example", "[::1]:1.evil", "evil[::1]", "[::1", "::1]", "[::1]]", "[[::1]]",
        "[::1%25evil]", "[::2]", "[::ffff:8.8.8.8]", "[::1@evil]", "[]", "[:]", "[localhost]", "[127.0.0.1]",
        "127.0.0.1@evil.example", "localhost@evil.example", "evil.example#127.0.0.1", "evil.example/127.0.0.1",
        "evil.example?127.0.0.1", "127.0.0.1#evil.example", "127.0.0.1/evil.example", "127.0.0.1\\evil.example",
        "127.0.0.1,evil.example", "evil.example,127.0.0.1", "evil.example 127.0.0.1", "127.0.0.1 evil.example",
        "127.0.0.1;evil", "localhost;evil", "127.0.0.1%00.evil", "localhost%00", "localhost%2eevil",
        "local host", "localhost-evil", "xlocalhost", "localhostx", "127.0.0.1x", "x127.0.0.1", "128.0.0.1",
        "8.8.8.8", "10.0.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0.evil", "example", "com", "-", ".", "..", "*",
        "null", "undefined", "about:blank", "file:", "http", "http://127.0.0.1", "http://localhost", "//localhost",
        "127.0.0.1.", "localhost.localdomain.evil", "1.0.0.127", "127.0.0", "127.0.0.1.1", "127.0.0.1:80:80",
        "xn--localhost-x", "loсalhost", "ｌocalhost", "localhoﬆ", "①27.0.0.1", "127。0。0。1", "localhost\u200b", "\ufefflocalhost",
    ]
    ports = ["", f":{port}", ":80", ":0", ":99999", ":x", f":{port}x", f":+{port}", f":{port}.evil", f":{port}@evil"]
    for name in names:
        if name == "127.0.0.1.":  # the same name, written with its root
            continue
        for end in ports[:2]:
            yield name + end
    for name in OWN_NAMES:
        for end in ports[4:]:
            yield name + end
    yield ""


def odd_origins(ui):
    """Origin values that are not the page's own."""
    for base in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::1].evil", "127.0.0.1@evil.example"):
        for scheme in ("http", "https"):
            yield f"{scheme}://{base}"
            yield f"{scheme}://{base}:{ui}"
    for host in ("127.0.0.1", "localhost", "[::1]"):
        for end in ("", ":80", ":3000", ":1", f":{ui}0", f":{ui}.evil", f":{ui}@evil", f":{ui}/x", ":", ":x", f":0{ui}", f":{ui + 1}"):
            yield f"http://{host}{end}"
        for scheme in ("ftp", "file", "chrome-extension", "httpx", "xhttp", "javascript", "data", "ws"):
            yield f"{scheme}://{host}:{ui}"
        yield f"//{host}:{ui}"
        yield f"{host}:{ui}"
        yield f"http:{host}:{ui}"
        yield f"http:/{host}:{ui}"
        yield f"http:// {host}:{ui}"
        yield f"http://user@{host}:{ui}"
        yield f"http://{host}:{ui} http://evil.example"
        yield f"http://{host}:{ui}, http://evil.example"
        yield f"http://evil.example http://{host}:{ui}"
        yield f"http://{host}:{ui}#"
        yield f"http://{host}:{ui}?"
    yield from ("null", "NULL", "", "*", "about:blank", "http://", "https://", "://", "http:///", "undefined", "\x7f", "http://\u200b127.0.0.1")


def request(port, method="POST", path="/v1/traces", host=None, more=""):
    head = f"{method} {path} HTTP/1.1\r\n"
    if host is not None:
        head += f"Host: {host}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n{more}\r\n{{}}"
    return raw(port, head.encode("utf-8", "surrogatepass"), 5)


def refused(status):
    """403, or not HTTP at all (400, no answer). 401 of the web host: the name was accepted, only the key is missing."""
    return status in (403, 400, None, 421)


def run(binary, folder, report):
    running = serve(binary, folder)
    try:
        for name in ("http", "xray", "ui"):
            port = getattr(running, name)
            path = "/rpc" if name == "ui" else "/v1/traces" if name == "http" else "/GetSamplingRules"
            own = [f"{own_name}:{port}" for own_name in OWN_NAMES]
            wrong = [host for host in own if refused(request(port, path=path, host=host))]
            report.none_of(f"{name}: own names refused", wrong, len(own))
            tried = list(odd_hosts(port))
            wrong = [host for host in tried if not refused(request(port, path=path, host=host))]
            report.none_of(f"{name}: odd Host values accepted", wrong, len(tried))
            more = [
                ("no Host", request(port, path=path)),
                ("two Hosts, the second odd", request(port, path=path, host="127.0.0.1", more="Host: evil.example\r\n")),
                ("two Hosts, the first odd", request(port, path=path, host="evil.example", more="Host: 127.0.0.1\r\n")),
                ("absolute target", request(port, path=f"http://evil.example{path}", host=f"127.0.0.1:{port}")),
            ]
            report.none_of(f"{name}: odd combinations accepted", [what for what, status in more if not refused(status)], len(more))
            origins = list(odd_origins(running.ui))
            own_origins = [f"http://{host}:{running.ui}" for host in ("127.0.0.1", "localhost", "[::1]")]
            if name != "ui":
                origins += own_origins
            wrong = [
                origin for origin in origins
                if not refused(request(port, path=path, host=f"127.0.0.1:{port}", more=f"Origin: {origin}\r\n"))
            ]
            # An empty value is no origin: browsers never send it.
            wrong = [origin for origin in wrong if origin]
            report.none_of(f"{name}: odd Origin values accepted", wrong, len(origins))
        grpc_authorities(running, report)
    finally:
        running.stop()


def grpc_authorities(running, report):
    tried = [host for host in odd_hosts(running.grpc) if host.isascii() and host and " " not in host][:120]
    wrong = []
    for host in tried:
        options = [("grpc.default_authority", host)]
        channel = grpc.insecure_channel(f"127.0.0.1:{running.grpc}", options)
        method = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        try:
            method(b"", timeout=5)
            wrong.append(host)
        except grpc.RpcError:
            pass
        finally:
            channel.close()
    report.none_of("grpc: odd authorities accepted", wrong, len(tried))
