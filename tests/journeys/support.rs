//! Starts the program as a user would, and stops it when a test ends or fails.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

/// The program under test.
pub(crate) const TRACEBOOK: &str = env!("CARGO_BIN_EXE_tracebook");

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// Python with the real SDKs, as set up by `make test`.
pub(crate) fn python() -> PathBuf {
    std::env::var_os("TRACEBOOK_TEST_PYTHON").map_or_else(|| root().join(".setup/venv/bin/python"), PathBuf::from)
}

/// A process that ends with the test.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The first line that `wanted` takes; the rest is not read. Panics with what was printed where there is none.
pub(crate) fn line_of<T>(stream: impl std::io::Read, wanted: impl Fn(&str) -> Option<T>) -> T {
    let mut seen = String::new();
    for line in BufReader::new(stream).lines() {
        let line = line.expect("a line of text");
        if let Some(found) = wanted(&line) {
            return found;
        }
        seen = format!("{seen}{line}\n");
    }
    panic!("it ended before it was ready: {seen:?}")
}

/// A string in a JSON object.
pub(crate) fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_else(|| panic!("{key} in {json}"))
}

/// The header with the key of the web host.
pub(crate) const KEY: &str = "X-Tracebook-Key";

/// Address and key in the URL of the web host.
pub(crate) fn address_and_key(url: &str) -> (&str, &str) {
    url.strip_prefix("http://").and_then(|u| u.split_once("/#key=")).expect("an address and a key")
}

/// A temporary data directory.
pub(crate) struct Journal {
    pub(crate) dir: tempfile::TempDir,
    /// Additional environment variables of its commands.
    pub(crate) env: Vec<(String, String)>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary directory"), env: Vec::new() }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Runs a command and returns exit code, stdout and stderr.
    pub(crate) fn run(&self, args: &[&str]) -> (i32, String, String) {
        self.run_with(args, b"")
    }

    pub(crate) fn run_with(&self, args: &[&str], stdin: &[u8]) -> (i32, String, String) {
        let mut child = Command::new(TRACEBOOK)
            .arg("--data")
            .arg(self.data())
            .args(args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        // Fails if the program does not read its input, which is allowed.
        child.stdin.take().expect("a pipe").write_all(stdin).ok();
        let Output { status, stdout, stderr } = child.wait_with_output().expect("ends");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (status.code().unwrap_or(-1), text(stdout), text(stderr))
    }

    /// Runs a command with `--json` that must succeed, and returns its one value.
    pub(crate) fn json(&self, args: &[&str]) -> Json {
        let (code, value) = self.json_code(args);
        assert_eq!(code, 0, "{args:?}: {value}");
        value
    }

    /// Runs a command with `--json` and returns exit code and value: exactly one must be printed.
    pub(crate) fn json_code(&self, args: &[&str]) -> (i32, Json) {
        let mut all = vec!["--json"];
        all.extend(args);
        let (code, stdout, stderr) = self.run(&all);
        let value = serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{args:?}: {e}: {stdout:?} {stderr}"));
        (code, value)
    }

    /// Starts `serve` on free ports.
    pub(crate) fn serve(&self, more: &[&str]) -> Serve {
        let mut args =
            vec!["--json", "serve", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--xray", "127.0.0.1:0"];
        args.extend(more);
        Serve::start(
            Command::new(TRACEBOOK)
                .arg("--data")
                .arg(self.data())
                .args(args)
                .envs(self.env.iter().map(|(name, value)| (name, value))),
        )
    }
}

/// A running `serve`.
pub(crate) struct Serve {
    child: Ended,
    pub(crate) ready: Json,
}

impl Serve {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::saying(command, Stdio::null())
    }

    /// Starts `serve` with standard error going to `words`.
    pub(crate) fn saying(command: &mut Command, words: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(words).spawn().expect("starts");
        let ready = line_of(child.stdout.take().expect("a pipe"), |line| serde_json::from_str(line).ok());
        Self { child: Ended(child), ready }
    }

    pub(crate) fn http(&self) -> &str {
        self.ready["http"].as_str().expect("an address")
    }

    pub(crate) fn grpc(&self) -> &str {
        self.ready["grpc"].as_str().expect("an address")
    }

    pub(crate) fn xray(&self) -> &str {
        self.ready["xray"].as_str().expect("an address")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Waits for the end of a process that was killed elsewhere.
    pub(crate) fn kill_is_over(mut self) {
        self.child.0.wait().expect("ends");
    }

    /// Ctrl-C, and the exit code.
    pub(crate) fn stop(mut self) -> i32 {
        interrupt(self.child.0.id());
        let code = wait(&mut self.child.0, Duration::from_secs(20));
        code.expect("serve ends within 20 s of Ctrl-C")
    }
}

fn interrupt(pid: u32) {
    let done = Command::new("kill").args(["-INT", &pid.to_string()]).status().expect("kill runs");
    assert!(done.success(), "the process {pid} is running");
}

fn wait(child: &mut Child, patience: Duration) -> Option<i32> {
    let start = Instant::now();
    while start.elapsed() < patience {
        if let Some(status) = child.try_wait().expect("waits") {
            return Some(status.code().unwrap_or(-1));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

/// A running test service with the real SDKs: the Flask one or the Node one.
pub(crate) struct Service {
    child: Ended,
    pub(crate) port: u16,
}

impl Service {
    pub(crate) fn start(serve: &Serve, modes: &[&str]) -> Self {
        let mut python = Command::new(python());
        python
            .arg(root().join("tests/service/service.py"))
            .env("ROLLBAR_ENDPOINT", format!("http://{}/api/1/", serve.http()));
        let otlp = if modes.contains(&"--otlp-grpc") { serve.grpc() } else { serve.http() };
        Self::run(&mut python, serve, otlp, modes)
    }

    /// Starts the Node service.
    pub(crate) fn node(serve: &Serve, modes: &[&str]) -> Self {
        let mut node = Command::new("node");
        node.arg(root().join("tests/node-service/service.cjs"))
            .env("ROLLBAR_ENDPOINT", format!("http://{}/api/1/item/", serve.http()));
        Self::run(&mut node, serve, serve.http(), modes)
    }

    fn run(command: &mut Command, serve: &Serve, otlp: &str, modes: &[&str]) -> Self {
        let mut child = command
            .args(modes)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{otlp}"))
            .env("OTEL_EXPORTER_OTLP_HEADERS", "x-honeycomb-team=hcaik_01planted0honeycomb0key0that0must0not0be0kept")
            .env("OTEL_BSP_SCHEDULE_DELAY", "200")
            .env("AWS_XRAY_DAEMON_ADDRESS", serve.xray())
            .env("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", format!("http://{}", serve.http()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python with the SDKs: run `make test`, which sets it up");
        let ready: Json = line_of(child.stdout.take().expect("a pipe"), |line| serde_json::from_str(line).ok());
        let port = ready["port"].as_u64().and_then(|p| p.try_into().ok()).expect("a port");
        Self { child: Ended(child), port }
    }

    /// Requests a path and returns the status.
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> u16 {
        let headers: Vec<(String, String)> = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        http("GET", &format!("127.0.0.1:{}", self.port), path, &headers, b"").0
    }

    /// Stops it and waits until it has flushed.
    pub(crate) fn stop(mut self) {
        interrupt(self.child.0.id());
        wait(&mut self.child.0, Duration::from_secs(20)).expect("the service ends");
    }
}

/// Sends one HTTP/1.1 request on a new connection: status and body. Can send any bytes, including invalid ones.
pub(crate) fn http(
    method: &str,
    address: &str,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> (u16, Vec<u8>) {
    let (head, body) = exchange(method, address, path, headers, body);
    (head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0), body)
}

/// As [`http`], with the status line and the headers of the answer; both are empty if nothing listens.
pub(crate) fn exchange(
    method: &str,
    address: &str,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> (String, Vec<u8>) {
    let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    if !headers.iter().any(|(k, _)| k.eq_ignore_ascii_case("host")) {
        request.push_str(&format!("Host: {address}\r\n"));
    }
    for (key, value) in headers {
        request.push_str(&format!("{key}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let Ok(mut socket) = TcpStream::connect(address) else { return (String::new(), Vec::new()) };
    socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    socket.write_all(request.as_bytes()).ok();
    // The server may respond and close before it has read a body that it rejects.
    socket.write_all(body).ok();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).ok();
    let head_end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..head_end]).into_owned();
    let mut body = answer.get(head_end + 4..).unwrap_or_default().to_vec();
    if head.to_lowercase().contains("transfer-encoding: chunked") {
        body = dechunk(&body);
    }
    (head, body)
}

fn dechunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(String::from_utf8_lossy(&bytes[..end]).trim(), 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        body.extend_from_slice(&bytes[end + 2..(end + 2 + size).min(bytes.len())]);
        bytes = bytes.get(end + 2 + size + 2..).unwrap_or_default();
    }
    body
}

/// Posts traces and returns the status.
pub(crate) fn post_traces(address: &str, kind: &str, body: &[u8]) -> (u16, Vec<u8>) {
    http("POST", address, "/v1/traces", &[("Content-Type".into(), kind.into())], body)
}

/// An OTLP JSON request with one span.
pub(crate) fn otlp_span(trace: u64, span: u64, parent: Option<u64>, name: &str) -> Json {
    let start: u64 = 1_795_447_213_000_000_000 + trace * 1_000_000_000 + span * 1_000_000;
    json!({ "resourceSpans": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "journey" } }] },
        "scopeSpans": [{ "scope": { "name": "test" }, "spans": [{
            "traceId": format!("{:032x}", trace + 1),
            "spanId": format!("{:016x}", span + 1),
            "parentSpanId": parent.map(|p| format!("{:016x}", p + 1)).unwrap_or_default(),
            "name": name, "kind": 1,
            "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 5_000_000).to_string(),
        }]}],
    }]})
}

/// Sends one datagram.
pub(crate) fn datagram(address: &str, bytes: &[u8]) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.send_to(bytes, address).expect("sends");
}

/// Waits until a condition holds.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// All files below a folder with their bytes, by relative path.
pub(crate) fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    fn walk(at: &Path, base: &Path, found: &mut std::collections::BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(at).expect("lists").map(|e| e.expect("an entry").path()) {
            if entry.is_dir() {
                walk(&entry, base, found);
            } else {
                let name = entry.strip_prefix(base).expect("below").to_string_lossy().into_owned();
                found.insert(name, std::fs::read(&entry).expect("reads"));
            }
        }
    }
    let mut found = std::collections::BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}
