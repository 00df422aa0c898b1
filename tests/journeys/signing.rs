//! Signed exports, checked by OpenSSH and by a grader who has only the public key.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::keychain::Keyring;
use crate::support::{Ended, Journal, text, until};

fn ssh(program: &str, args: &[&str], socket: Option<&Path>) -> String {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    if let Some(socket) = socket {
        command.env("SSH_AUTH_SOCK", socket);
    }
    let run = command.output().expect("OpenSSH is there: scripts/setup.sh test");
    assert!(run.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("UTF-8")
}

/// A journal with an entry that shows evidence, and no agent.
fn journal() -> Journal {
    let mut journal = Journal::new();
    journal.env.push(("SSH_AUTH_SOCK".to_owned(), String::new()));
    journal.json(&["entry", "new", "--week", "1", "--title", "Week 1"]);
    let (code, said, complaint) =
        journal.run_with(&["capture", "console", "--file", "-", "--into", "week-1"], b"db  running\n");
    assert_eq!(code, 0, "{said} {complaint}");
    journal
}

fn openssh_verifies(repo: &Path, allowed: &Path) -> bool {
    let journal = repo.join("journal");
    Command::new("ssh-keygen")
        .args(["-Y", "verify", "-n", "tracebook", "-I", "ann", "-f"])
        .arg(allowed)
        .arg("-s")
        .arg(journal.join("tracebook.jsonl.sig"))
        .stdin(std::fs::File::open(journal.join("tracebook.jsonl")).expect("opens"))
        .output()
        .expect("runs")
        .status
        .success()
}

#[test]
fn a_key_of_the_keychain_signs_and_a_grader_trusts_it() {
    let mut journal = journal();
    let home = tempfile::tempdir().expect("a folder");
    let keyring = Keyring::start(home.path(), true);
    keyring.serves(&mut journal);
    let repo = journal.dir.path().join("repo");
    let to = repo.display().to_string();

    let (code, error) = journal.json_code(&["export", "--all", "--to", &to, "--sign"]);
    assert_eq!((code, &error["error"]["code"]), (1, &json!("not_found")), "{error}");
    assert!(!repo.exists(), "nothing was written");
    let made = journal.json(&["signing", "create"]);
    assert_eq!(made["place"], "keychain");
    assert_eq!(journal.json(&["signing", "show"]), made);
    let (code, refused) = journal.json_code(&["signing", "create"]);
    assert_eq!((code, &refused["error"]["code"]), (4, &json!("refused")));

    let exported = journal.json(&["export", "--all", "--to", &to, "--sign"]);
    assert_eq!(exported["signed_by"], made["fingerprint"]);
    let again = journal.json(&["export", "--all", "--to", &to, "--sign"]);
    assert_eq!(again["written"], json!([]));
    let allowed = journal.dir.path().join("allowed");
    std::fs::write(&allowed, format!("ann {}\n", text(&made, "key"))).expect("writes");
    assert!(openssh_verifies(&repo, &allowed));
    let list = allowed.display().to_string();
    let verified = journal.json(&["verify", &to, "--allowed-signers", &list]);
    assert_eq!((&verified["ok"], &verified["signed"]), (&json!(true), &json!(true)), "{verified}");
    assert_eq!(verified["signatures"][0]["principal"], "ann");

    // A class in which only one signs.
    let class = journal.dir.path().join("class");
    for student in ["ann", "bob"] {
        std::fs::create_dir_all(&class).expect("makes");
        assert!(Command::new("cp").arg("-r").arg(&repo).arg(class.join(student)).status().expect("runs").success());
    }
    std::fs::remove_file(class.join("bob/journal/tracebook.jsonl.sig")).expect("removes");
    let graded = journal.json_code(&["verify", "--class", &class.display().to_string(), "--allowed-signers", &list]).1;
    assert_eq!(graded["students"][0]["signed_by"], json!(["ann"]), "{graded}");
    let notes = graded["students"][1]["notes"].to_string();
    assert!(notes.contains("there is no signature"), "{notes}");

    assert_eq!(journal.json(&["signing", "forget"]), true);
    assert_eq!(journal.json_code(&["signing", "show"]).0, 1);
}

#[test]
fn an_agent_or_a_key_with_a_passphrase_signs() {
    let mut journal = journal();
    let keys = tempfile::tempdir().expect("a folder");
    let (key, socket) = (keys.path().join("id").display().to_string(), keys.path().join("agent"));
    ssh("ssh-keygen", &["-q", "-t", "ed25519", "-N", "a passphrase", "-C", "ann", "-f", &key], None);
    let public = std::fs::read_to_string(format!("{key}.pub")).expect("reads");
    let print = ssh("ssh-keygen", &["-l", "-f", &key], None);
    let print = print.split(' ').nth(1).expect("a fingerprint");
    let repo = journal.dir.path().join("repo");
    let to = repo.display().to_string();
    let export = ["--json", "export", "--all", "--to", &to, "--sign", &key];

    let (code, said, _) = journal.run_with(&export, b"");
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("\"passphrase\""), "{said}");
    let (code, said, complaint) = journal.run_with(&export, b"a passphrase\n");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(print) && !said.contains("a passphrase") && !complaint.contains("a passphrase"), "{said}");
    std::fs::remove_dir_all(&repo).expect("removes");
    journal.env.push(("TRACEBOOK_SIGN_PASSPHRASE".to_owned(), "a passphrase".to_owned()));
    assert_eq!(journal.json(&export[1..])["signed_by"], print);
    journal.env.pop();

    let agent =
        Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().expect("starts");
    let _agent = Ended(agent);
    until("the agent", || std::os::unix::net::UnixStream::connect(&socket).ok());
    // The agent takes keys without a passphrase from a file.
    let plain = keys.path().join("plain").display().to_string();
    std::fs::copy(&key, &plain).expect("copies");
    std::fs::set_permissions(&plain, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("ours alone");
    ssh("ssh-keygen", &["-q", "-p", "-P", "a passphrase", "-N", "", "-f", &plain], None);
    ssh("ssh-add", &["-q", &plain], Some(&socket));
    journal.env.push(("SSH_AUTH_SOCK".to_owned(), socket.display().to_string()));
    for named in ["agent", print, &format!("{key}.pub"), &key] {
        std::fs::remove_dir_all(&repo).expect("removes");
        let exported = journal.json(&["export", "--all", "--to", &to, "--sign", named]);
        assert_eq!(exported["signed_by"], print, "{named}");
    }
    let allowed = keys.path().join("allowed");
    std::fs::write(&allowed, format!("ann namespaces=\"tracebook\" {public}")).expect("writes");
    assert!(openssh_verifies(&repo, &allowed));
}

#[test]
fn an_export_in_one_file_is_verified_and_imported() {
    let journal = journal();
    let out = journal.dir.path().join("out");
    let to = out.display().to_string();
    for (format, name) in [("html", "journal.html"), ("bundle", "journal.zip")] {
        let exported = journal.json(&["export", "--all", "--to", &to, "--format", format]);
        assert_eq!(exported["written"], json!([name]));
        let file = out.join(name).display().to_string();
        let verified = journal.json(&["verify", &file]);
        assert_eq!(
            (&verified["ok"], verified["evidence"].as_array().map(Vec::len)),
            (&json!(true), Some(1)),
            "{verified}"
        );
        let other = Journal::new();
        assert_eq!(other.json(&["import", &file])["entries"].as_array().map(Vec::len), Some(1));
        let (code, _) = journal.json_code(&["verify", &file, "--expect", "2"]);
        assert_eq!(code, 1);
    }
    let hostile = out.join("hostile.zip").display().to_string();
    let script = "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z: z.writestr('../evil.md', '# evil')";
    assert!(Command::new("python3").args(["-c", script, &hostile]).status().expect("runs").success());
    for command in ["verify", "import"] {
        let (code, error) = journal.json_code(&[command, &hostile]);
        assert_eq!((code, &error["error"]["code"]), (4, &json!("refused")), "{error}");
        assert!(text(&error["error"], "message").contains("../evil.md"), "{error}");
    }
}
