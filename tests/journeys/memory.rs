//! Small requests that become large, and slow clients: memory stays bounded, and ordinary senders are answered.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Journal, Serve, otlp_span, post_traces};

const MIB: usize = 1024 * 1024;

/// Resident memory at its highest, in MiB.
fn peak(serve: &Serve) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serve.pid())).expect("a running process");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    let kib: usize = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number");
    kib / 1024
}

fn gzip(parts: &[(&[u8], usize)]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for (part, times) in parts {
        for _ in 0..*times {
            gzip.write_all(part).expect("compresses");
        }
    }
    gzip.finish().expect("ends")
}

/// Sends a request and reads the answer's status; none if the connection was closed.
fn send(address: &str, path: &str, headers: &str, body: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

/// An ordinary sender: every batch is accepted within five seconds, at the first or second attempt.
fn ordinary(serve: &Serve, done: &AtomicBool) -> usize {
    let mut sent = 0;
    while !done.load(Ordering::Relaxed) {
        let body = otlp_span(1000 + sent as u64, 1, None, "ordinary").to_string();
        let began = Instant::now();
        let (status, words) = post_traces(serve.http(), "application/json", body.as_bytes());
        let took = began.elapsed();
        assert_eq!(status, 200, "after {took:?}: {}", String::from_utf8_lossy(&words));
        assert!(took < Duration::from_secs(5), "answered after {took:?}");
        sent += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    sent
}

#[test]
fn small_requests_that_become_large_neither_fill_memory_nor_stop_others() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let json_head = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    let logs = "Content-Type: application/x-amz-json-1.1\r\nContent-Encoding: gzip\r\n\
                X-Amz-Target: Logs_20140328.DescribeLogGroups\r\n";
    // A name of 4 MiB, copied with every span.
    let mut named = otlp_span(7, 1, None, "named");
    named["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"] = "x".repeat(4 * MIB - 100).into();
    let span = named["resourceSpans"][0]["scopeSpans"][0]["spans"][0].take();
    named["resourceSpans"][0]["scopeSpans"][0]["spans"] = (0..5_000)
        .map(|n| {
            let mut span = span.clone();
            span["spanId"] = format!("{:016x}", n + 1).into();
            span
        })
        .collect();
    let bombs = [
        ("/", logs, gzip(&[(b"{\"x\":[", 1), (b"0,", MIB - 100), (b"0]}", 1)]), 40),
        ("/TraceSegments", json_head, gzip(&[(b"{\"x\":[", 1), (b"[],", 5 * MIB), (b"0]}", 1)]), 6),
        ("/api/1/item/", json_head, gzip(&[(b"[0,0,0,0,0,0,0,0,", 4 * MIB - 10)]), 6),
        ("/api/1/item/", json_head, gzip(&[(&[0xff; 1024], 64 * 1024)]), 6),
        ("/v1/traces", json_head, gzip(&[(named.to_string().as_bytes(), 1)]), 3),
        ("/v1/traces", json_head, gzip(&[(b"{\"resourceSpans\":[", 1), (b"{},", 10 * MIB), (b"{}]}", 1)]), 3),
    ];
    let done = AtomicBool::new(false);
    let datagram = {
        let parts: Vec<_> = (0..700)
            .map(|n| json!({"id": format!("{:016x}", n + 9), "name": "a", "start_time": 1_795_447_213}))
            .collect();
        let document = json!({"trace_id": "1-6b0459ac-d2fb2577c226bb0ed076fe79", "id": "00000000000000aa", "name": "s",
            "start_time": 1_795_447_213, "subsegments": parts});
        format!("{{\"format\":\"json\",\"version\":1}}\n{document}")
    };
    let (answers, sent) = std::thread::scope(|threads| {
        let ordinary = threads.spawn(|| ordinary(&serve, &done));
        let datagrams = threads.spawn(|| {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            for _ in 0..300 {
                socket.send_to(datagram.as_bytes(), serve.xray()).ok();
            }
        });
        let sending: Vec<_> = bombs
            .iter()
            .flat_map(|(path, headers, body, times)| std::iter::repeat_n((path, headers, body), *times))
            .map(|(path, headers, body)| threads.spawn(|| (*path, send(serve.http(), path, headers, body))))
            .collect();
        let answers: Vec<_> = sending.into_iter().map(|sending| sending.join().expect("no panic")).collect();
        datagrams.join().expect("no panic");
        done.store(true, Ordering::Relaxed);
        (answers, ordinary.join().expect("every batch was accepted"))
    });
    assert!(sent > 0);
    for (path, status) in answers {
        match path {
            // pyrollbar answers a 413 with another item.
            "/api/1/item/" => assert!(matches!(status, Some(200 | 400 | 503)), "{path}: {status:?}"),
            _ => assert!(matches!(status, Some(200 | 400 | 413 | 503)), "{path}: {status:?}"),
        }
    }
    let peak = peak(&serve);
    println!("{peak} MiB at its highest, {sent} ordinary batches");
    assert!(peak < 512, "{peak} MiB at its highest");
    let (code, traces) = journal.json_code(&["live", "traces", "--limit", "100"]);
    assert_eq!(code, 0);
    assert!(traces.to_string().len() < 200_000, "{} bytes of a list", traces.to_string().len());
}

#[test]
fn clients_that_never_finish_do_not_stop_others() {
    let journal = Journal::new();
    let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
    let ui = serve.ready["ui"]["url"].as_str().and_then(|url| url.strip_prefix("http://")).expect("an address");
    let ui = ui.split('/').next().expect("an address");
    let large = format!("Content-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n", 64 * MIB);
    let mut open = Vec::new();
    let mut begin = |address: &str, begin: &str| {
        let mut stream = TcpStream::connect(address).expect("listening");
        stream.write_all(begin.as_bytes()).ok();
        open.push(stream);
    };
    for n in 0..300 {
        let (host, grpc) = (serve.http(), serve.grpc());
        begin(ui, "GET / HTTP/1.1\r\nHost: x\r\nX-Half: ");
        begin(host, &format!("POST /v1/traces HTTP/1.1\r\nHost: {host}\r\nContent-Length: 900\r\n\r\nx"));
        begin(grpc, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
        if n < 6 {
            begin(host, &format!("POST /v1/traces HTTP/1.1\r\nHost: {host}\r\n{large}x"));
        }
    }
    let before = Instant::now();
    let body = otlp_span(1, 1, None, "ordinary").to_string();
    assert_eq!(post_traces(serve.http(), "application/json", body.as_bytes()).0, 200);
    let page = send(ui, "/", "", b"").expect("the web host answers");
    assert_eq!(page, 405, "pages are read with GET");
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    assert!(peak(&serve) < 512, "{} MiB", peak(&serve));
}
