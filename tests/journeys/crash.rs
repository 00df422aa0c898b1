//! kill -9 at random times: text typed more than a second before, and every acknowledged span, is preserved.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::support::{Journal, KEY, address_and_key, http, otlp_span, post_traces};

/// Ten by default; `make crash ROUNDS=500` runs more.
fn rounds() -> u64 {
    std::env::var("TRACEBOOK_CRASH_ROUNDS").map_or(10, |n| n.parse().expect("TRACEBOOK_CRASH_ROUNDS is a number"))
}

/// The web host's API, with the key of the URL.
pub(crate) struct Browser {
    address: String,
    key: String,
}

impl Browser {
    pub(crate) fn open(url: &str) -> Self {
        let (address, key) = address_and_key(url);
        Self { address: address.to_owned(), key: key.to_owned() }
    }

    pub(crate) fn rpc(&self, cmd: &str, args: Json) -> Option<Json> {
        let headers = [(KEY.to_owned(), self.key.clone()), ("Content-Type".to_owned(), "application/json".to_owned())];
        let body = json!({ "cmd": cmd, "args": args, "client": "typist" }).to_string();
        let (status, answer) = http("POST", &self.address, "/rpc", &headers, body.as_bytes());
        (status == 200).then(|| serde_json::from_slice(&answer).ok())?
    }
}

#[test]
fn kill_9_loses_nothing_that_was_saved_or_acknowledged() {
    let journal = Journal::new();
    let entry = journal.json(&["entry", "new", "--week", "2"])["id"].as_str().expect("an id").to_owned();
    let mut acknowledged: Vec<String> = Vec::new();
    let mut saved = String::new();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    for round in 0..rounds() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let life = Duration::from_millis(5 + (seed >> 33) % 120);
        let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
        let address = serve.http().to_owned();
        let browser = Browser::open(serve.ready["ui"]["url"].as_str().expect("a URL"));
        let pid = serve.pid();
        let end = Instant::now() + life;
        let reaper = std::thread::spawn(move || {
            std::thread::sleep(end.saturating_duration_since(Instant::now()));
            std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs");
        });
        // One thread sends and one types, until the process is killed.
        let sender = std::thread::spawn(move || {
            let mut done = Vec::new();
            for n in 0.. {
                let trace = round * 10_000 + n;
                let body = otlp_span(trace, 1, None, "crash").to_string();
                match post_traces(&address, "application/json", body.as_bytes()).0 {
                    200 => done.push(format!("{:032x}", trace + 1)),
                    _ => break,
                }
            }
            done
        });
        let typed = || {
            let mut last = None;
            let mut base = browser.rpc("entry_get", json!({ "entry": entry }))?["revision"].clone();
            for n in 0.. {
                let body = format!("round {round} keystroke {n} {}", "text ".repeat(200));
                let write = json!({ "entry": entry, "base": base, "body": body });
                let Some(written) = browser.rpc("entry_write", write) else { return last };
                base = written["revision"].clone();
                last = Some(body);
            }
            last
        };
        if let Some(body) = typed() {
            saved = body;
        }
        acknowledged.extend(sender.join().expect("the sender ends"));
        reaper.join().expect("the reaper ends");
        serve.kill_is_over();
        if !saved.is_empty() {
            let body = journal.json(&["entry", "show", &entry])["body"].as_str().unwrap_or_default().to_owned();
            let later = body.starts_with(&format!("round {round} "));
            assert!(body == saved || later, "round {round}: the saved text is present");
            saved = body;
        }
    }
    let enough = usize::try_from(rounds()).expect("few") / 10;
    assert!(acknowledged.len() > enough, "the sender got something in: {}", acknowledged.len());
    let limit = acknowledged.len() * 2 + 1_000;
    let traces = journal.json(&["live", "traces", "--limit", &limit.to_string()]);
    let there: std::collections::HashSet<&str> =
        traces.as_array().expect("a list").iter().filter_map(|t| t["trace_id"].as_str()).collect();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !there.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged spans are gone", lost.len(), acknowledged.len());
}
