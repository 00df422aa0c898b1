//! `serve --containers`: containers send and do nothing else, and only bridges of containers are listened on.

use std::process::Command;

use serde_json::{Value as Json, json};

use crate::support::{Journal, TRACEBOOK, python, root};

/// Runs the scenario in network namespaces of its own; the error says why that is not possible here.
fn scenario(journal: &Journal) -> Result<Json, String> {
    const NAMESPACES: [&str; 3] = ["--map-root-user", "--net", "--mount"];
    let probe = "mount -t sysfs sysfs /sys && ip link add br-0 type bridge && command -v nsenter";
    let probed = Command::new("unshare").args(NAMESPACES).args(["sh", "-c", probe]).output();
    if !probed.as_ref().is_ok_and(|output| output.status.success()) {
        return Err(format!("network namespaces with a bridge cannot be made here: {probed:?}"));
    }
    let script = root().join("tests/service/bridge.py");
    let output = Command::new("unshare")
        .args(NAMESPACES)
        .arg(python())
        .args([script.as_os_str(), "main".as_ref(), TRACEBOOK.as_ref(), journal.data().as_os_str()])
        .output()
        .expect("runs");
    let words = String::from_utf8_lossy(&output.stderr);
    Ok(serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {words}")))
}

/// Requests that only send, in the scenario's names; the others start with what they do.
fn sends(name: &str) -> bool {
    !["read", "filter", "change", "delete"].iter().any(|verb| name.starts_with(verb))
}

#[test]
fn containers_send_and_do_nothing_else() {
    let journal = Journal::new();
    let seen = match scenario(&journal) {
        Ok(seen) => seen,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let ready = &seen["ready"];
    let port = |address: &Json| address.as_str().and_then(|a| a.rsplit_once(':')).expect("an address").1.to_owned();
    for name in ["http", "grpc", "xray"] {
        let same = json!([format!("172.30.99.1:{}", port(&ready[name]))]);
        assert_eq!(ready["containers"][name], same, "the bridge's address is told: {ready}");
    }
    let stderr = seen["stderr"].as_str().expect("text");
    assert!(stderr.contains("br-ba9876543210 (192.168.77.1) is not used: it also connects lan0"), "{stderr}");

    let all = |from: &str| seen[from].as_object().expect("answers").clone();
    let container = all("container");
    assert_eq!(container.len(), 18);
    for (name, answer) in &container {
        if sends(name) {
            assert_eq!(answer[0], 200, "{name}: {answer}");
            continue;
        }
        assert!(answer[0] == 400 || answer[0] == 403, "{name}: {answer}");
        assert_eq!(answer[1], "AccessDeniedException", "{name}");
        assert!(answer[2].as_str().is_some_and(|words| words.contains("[receivers]")), "{name}: {answer}");
    }
    for (name, answer) in &all("loopback") {
        let exists = answer[1] == "ResourceAlreadyExistsException" && ["group", "stream"].contains(&name.as_str());
        assert!(answer[0] == 200 || exists, "this user may read and change: {name}: {answer}");
    }
    assert_eq!(seen["routed"], 403, "an address outside of the container networks");
    assert_eq!(seen["same port"], true);
}

#[test]
fn settings_allow_containers_to_read_but_not_to_change() {
    let journal = Journal::new();
    std::fs::create_dir_all(journal.data()).expect("creates");
    std::fs::write(journal.data().join("tracebook.toml"), "[receivers]\nread = \"containers\"\nchange = \"nobody\"\n")
        .expect("writes");
    let seen = match scenario(&journal) {
        Ok(seen) => seen,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    for from in ["container", "loopback"] {
        for (name, answer) in seen[from].as_object().expect("answers") {
            let changes = name.starts_with("change") || name.starts_with("delete");
            assert_eq!(answer[1] == "AccessDeniedException", changes, "{from}: {name}: {answer}");
        }
    }
}

#[test]
fn other_users_of_the_machine_send_and_do_nothing_else() {
    const NOBODY: &str = "65534";
    let own = Command::new("id").arg("-u").output().expect("runs").stdout;
    if own.trim_ascii() != b"0" {
        eprintln!("skipped: only root can send as another user");
        return;
    }
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let ask = |more: &[&str]| -> serde_json::Map<String, Json> {
        let script = root().join("tests/service/bridge.py");
        let output = Command::new(python()).arg(script).args(["ask", serve.http()]).args(more).output().expect("runs");
        let words = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {words}"))
    };
    for (name, answer) in ask(&[NOBODY]) {
        let denied = answer[1] == "AccessDeniedException";
        assert_eq!(denied, !sends(&name), "{name}: {answer}");
        assert!(!denied || answer[2].as_str().is_some_and(|words| words.contains("other users")), "{name}: {answer}");
    }
    assert!(ask(&[]).values().all(|answer| answer[1] != "AccessDeniedException"), "the user who runs it");
    assert_eq!(serve.stop(), 0);
}
