//! Two `serve` processes on one journal, and watched commands.

use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::support::{Journal, Serve, TRACEBOOK, http, until};

#[test]
fn a_second_serve_names_the_process_with_the_receivers() {
    let journal = Journal::new();
    let first = journal.serve(&[]);
    assert!(first.ready.get("elsewhere").is_none(), "{}", first.ready);

    let words = journal.dir.path().join("words.txt");
    let mut command = Command::new(TRACEBOOK);
    command.arg("--data").arg(journal.data()).args(["--json", "serve", "--ui", "127.0.0.1:0"]);
    let second = Serve::saying(&mut command, File::create(&words).expect("a file").into());
    for end in ["http", "grpc", "xray"] {
        assert!(second.ready[end].is_null(), "{end}: it does not listen: {}", second.ready);
        assert_eq!(second.ready["elsewhere"][end], first.ready[end]);
    }
    assert_eq!(second.ready["elsewhere"]["pid"], first.pid());
    assert!(second.ready["ui"]["url"].is_string(), "its own URL is reported: {}", second.ready);
    let said = until("the note for people", || {
        let said = std::fs::read_to_string(&words).ok()?;
        said.contains("holds this journal's receivers").then_some(said)
    });
    assert!(said.contains(&format!("process {}", first.pid())) && said.contains(first.http()), "{said}");

    // Named ports are opened in addition.
    let third = journal.serve(&[]);
    assert!(third.http() != first.http() && third.ready.get("elsewhere").is_none(), "{}", third.ready);
    assert_eq!(
        http("POST", third.http(), "/v1/traces", &[("Content-Type".into(), "application/json".into())], b"{}").0,
        200
    );
    assert_eq!([second.stop(), third.stop(), first.stop()], [0; 3]);
}

/// Whether a process with exactly these arguments is running.
fn runs(command: &str) -> bool {
    let output = Command::new("ps").args(["-A", "-o", "args"]).output().expect("ps");
    String::from_utf8_lossy(&output.stdout).lines().any(|line| line.trim() == command)
}

#[test]
fn an_interrupt_right_after_the_ready_line_ends_it_cleanly() {
    let journal = Journal::new();
    for _ in 0..20 {
        assert_eq!(journal.serve(&[]).stop(), 0);
    }
}

#[test]
fn a_watched_command_does_not_outlive_a_killed_app() {
    for (child, line) in [
        ("sleep 86401.137", "sleep 86401.137"),
        ("sleep 86402.137", "trap '' TERM; sleep 86402.137 & sleep 86402.137; wait"),
        ("sleep 86403.137", "exec sleep 86403.137"),
    ] {
        let journal = Journal::new();
        let serve = journal.serve(&["--watch", line]);
        until(line, || runs(child).then_some(()));
        let killed = Command::new("kill").args(["-KILL", &serve.pid().to_string()]).status().expect("kill runs");
        assert!(killed.success());
        serve.kill_is_over();
        let start = Instant::now();
        while runs(child) {
            assert!(start.elapsed() < Duration::from_secs(2), "{line} outlives the app");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_watched_command_reports_its_exit_code_and_its_background_processes_survive() {
    let journal = Journal::new();
    let serve = journal.serve(&["--watch", "sleep 86404.137 >/dev/null 2>&1 & echo begun; cat; exit 3"]);
    // Its standard input is empty, so `cat` ends at once.
    until("its end", || {
        let (_, lines) = journal.json_code(&["live", "console", "--filter", "\"exit code 3\""]);
        lines.as_array().filter(|lines| !lines.is_empty()).map(|_| ())
    });
    assert!(runs("sleep 86404.137"), "background processes of a finished command keep running");
    assert_eq!(serve.stop(), 0);
    let pids = Command::new("pgrep").args(["-f", "^sleep 86404[.]137"]).output().expect("pgrep");
    for pid in String::from_utf8_lossy(&pids.stdout).split_whitespace() {
        Command::new("kill").arg(pid).status().ok();
    }
}

#[test]
fn a_watched_command_is_kept_as_a_terminal_shows_it() {
    let journal = Journal::new();
    let go = journal.dir.path().join("go");
    let line = format!(
        "printf 'Creating web ... \\nCreating db  ... \\n'; while [ ! -e {} ]; do sleep 0.1; done; \
         printf '\\033[2A\\033[2KCreating web ... \\033[32mdone\\033[0m\\033[1B\\n\\033[1A\\r\\033[2KCreating db  ... done\\n'; \
         i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done; sleep 30",
        go.display()
    );
    let serve = journal.serve(&["--watch", &line]);
    let shown = |filter: &str| -> Vec<String> {
        let (_, lines) = journal.json_code(&["live", "console", "--limit", "1000", "--filter", filter]);
        let lines = lines.as_array().cloned().unwrap_or_default();
        lines.iter().rev().map(|line| line["text"].as_str().unwrap_or_default().to_owned()).collect()
    };
    until("the first state", || (shown("Creating").len() == 2).then_some(()));
    std::fs::write(&go, "").expect("writes");
    until("the last line", || (!shown("\"line 299\"").is_empty()).then_some(()));
    let all = shown("");
    assert_eq!(all[..3], ["Creating web ... \u{1b}[0;32mdone\u{1b}[0m", "Creating db  ... done", "line 0"], "{all:?}");
    assert_eq!(all.len(), 302);

    let captured = journal.json(&["capture", "console", "--filter", "Creating"]);
    let id = captured["id"].as_str().expect("an id");
    let raw = journal.json(&["evidence", "show", id, "--raw"]);
    let printed = raw["console"]["lines"].as_array().expect("lines").clone();
    assert_eq!(printed.len(), 4, "both states as printed: {raw}");
    assert_eq!(printed[0]["text"], "Creating web ... ");
    assert!(printed[2]["text"].as_str().is_some_and(|text| text.starts_with("\u{1b}[2A")), "{raw}");
    assert_eq!(serve.stop(), 0);
}

#[test]
fn the_doctor_reports_a_failed_watched_command() {
    let journal = Journal::new();
    let step = |name: &str| -> Option<Json> {
        let checks = journal.json(&["doctor", "console"]);
        checks["checks"].as_array()?.iter().find(|c| c["check"] == name).cloned()
    };
    let serve = journal.serve(&["--watch", "no-such-program-here --follow"]);
    let failed = until("the doctor sees it", || step("the watched command runs"));
    assert_eq!(failed["ok"], json!(false), "{failed}");
    let detail = failed["detail"].as_str().expect("words");
    assert!(detail.contains("no-such-program-here") && detail.contains("exit code 127"), "{failed}");
    assert!(failed["fix"].as_str().is_some_and(|fix| fix.contains("PATH")), "{failed}");
    drop(serve);
    // With a command that works, the check passes again.
    let serve = journal.serve(&["--watch", "echo here; sleep 30"]);
    until("the doctor sees that it runs", || step("the watched command runs").is_none().then_some(()));
    assert_eq!(serve.stop(), 0);
}
