//! Tokens in a real keychain: gnome-keyring's Secret Service, on a separate session bus.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::cloud::{Cloud, ROLLBAR_READ};
use crate::support::{Ended, Journal, line_of};

/// A session bus with a keyring whose home is a folder of the test.
pub(crate) struct Keyring {
    bus: Ended,
    address: String,
}

impl Keyring {
    /// A locked keyring waits for a password that is never entered.
    pub(crate) fn start(home: &Path, unlocked: bool) -> Self {
        let runtime = home.join("run");
        std::fs::create_dir_all(&runtime).expect("a folder");
        std::fs::set_permissions(&runtime, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("ours alone");
        let unlock =
            if unlocked { "printf 'test\\n' | gnome-keyring-daemon --unlock --components=secrets;" } else { "" };
        // `cat` keeps the bus running until we close our end of its pipe.
        let script = format!("{unlock} echo \"bus $DBUS_SESSION_BUS_ADDRESS\"; exec cat");
        let mut bus = Command::new("dbus-run-session")
            .args(["--", "bash", "-c", &script])
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", &runtime)
            .env("XDG_DATA_HOME", home.join("share"))
            .env_remove("DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-run-session is there: scripts/setup.sh test");
        let address = line_of(bus.stdout.take().expect("a pipe"), |line| Some(line.strip_prefix("bus ")?.to_owned()));
        Self { bus: Ended(bus), address }
    }

    /// Makes commands of this journal use this keyring.
    pub(crate) fn serves(&self, journal: &mut Journal) {
        journal.env.retain(|(name, _)| name != "DBUS_SESSION_BUS_ADDRESS" && name != "ROLLBAR_READ_TOKEN");
        journal.env.push(("DBUS_SESSION_BUS_ADDRESS".to_owned(), self.address.clone()));
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        // The bus ends with the command it runs, and the keyring with the bus.
        drop(self.bus.0.stdin.take());
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end && matches!(self.bus.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn files_with(needle: &str, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_with(needle, &path, found),
            Ok(kind) if kind.is_file() => {
                let bytes = std::fs::read(&path).unwrap_or_default();
                if bytes.windows(needle.len()).any(|window| window == needle.as_bytes()) {
                    found.push(path.display().to_string());
                }
            }
            _ => {}
        }
    }
}

#[test]
fn a_token_is_stored_in_the_keychain_and_found_by_the_next_process() {
    let cloud = Cloud::start();
    let mut journal = cloud.journal();
    let home = tempfile::tempdir().expect("a folder");
    let keyring = Keyring::start(home.path(), true);
    keyring.serves(&mut journal);

    let place = |journal: &Journal| journal.json(&["source", "list"])["rollbar"]["token"].clone();
    assert_eq!(place(&journal), "none");
    let (code, said, complaint) = journal.run_with(&["source", "token", "rollbar"], ROLLBAR_READ.as_bytes());
    assert_eq!(code, 0, "{said} {complaint}");
    assert!(!said.contains(ROLLBAR_READ) && !complaint.contains(ROLLBAR_READ));
    assert_eq!(place(&journal), "keychain");
    let errors = journal.json(&["live", "errors", "--source", "rollbar"]);
    assert!(!errors.as_array().expect("a list").is_empty(), "{errors}");

    let mut found = Vec::new();
    files_with(ROLLBAR_READ, journal.dir.path(), &mut found);
    files_with(ROLLBAR_READ, home.path(), &mut found);
    assert_eq!(found, [""; 0], "no file contains the plain token");

    let (code, _, complaint) = journal.run(&["source", "token", "rollbar", "--forget"]);
    assert_eq!(code, 0, "{complaint}");
    assert_eq!(place(&journal), "none");
    let (code, answer) = journal.json_code(&["live", "errors", "--source", "rollbar"]);
    assert_ne!(code, 0, "{answer}");
}

#[test]
fn a_locked_keychain_is_recognised_after_a_short_wait() {
    let cloud = Cloud::start();
    let mut journal = cloud.journal();
    let home = tempfile::tempdir().expect("a folder");
    let keyring = Keyring::start(home.path(), false);
    keyring.serves(&mut journal);

    let began = Instant::now();
    let (code, said, complaint) = journal.run_with(&["source", "token", "rollbar"], ROLLBAR_READ.as_bytes());
    assert_ne!(code, 0, "{said}");
    assert!(complaint.contains("locked") || complaint.contains("does not answer"), "{complaint}");
    assert!(complaint.contains("ROLLBAR_READ_TOKEN") || complaint.contains("environment variable"), "{complaint}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // The variable works although the keychain is locked.
    journal.env.push(("ROLLBAR_READ_TOKEN".to_owned(), ROLLBAR_READ.to_owned()));
    let errors = journal.json(&["live", "errors", "--source", "rollbar"]);
    assert!(!errors.as_array().expect("a list").is_empty(), "{errors}");
}
