//! Signatures made and checked by OpenSSH's own programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::signature::check;
use super::*;
use crate::ground::schema::{Caller, Capture, Export, Exported};
use crate::testing::Home;
use crate::transfer::verify::{Verified, verify_signed};
use tracebook_core::console::{Console, Output};
use tracebook_core::evidence::Kind;

fn ssh_keygen(args: &[&str]) -> bool {
    let run = Command::new("ssh-keygen").args(args).stdin(Stdio::null()).output();
    run.expect("ssh-keygen is there: scripts/setup.sh test").status.success()
}

/// A new key in a folder: the file of its private part.
fn key(folder: &Path, kind: &[&str], passphrase: &str) -> String {
    let file = folder.join(format!("key-{}", kind.concat())).display().to_string();
    let mut args = vec!["-q", "-N", passphrase, "-C", "ann@example.com", "-f", &file, "-t"];
    args.extend(kind);
    assert!(ssh_keygen(&args), "{args:?}");
    file
}

fn public(file: &str) -> String {
    std::fs::read_to_string(format!("{file}.pub")).expect("reads").trim().to_owned()
}

/// Whether OpenSSH accepts a signature of a file by a key.
fn openssh_accepts(folder: &Path, file: &Path, signature: &Path, key: &str) -> bool {
    let list = folder.join("openssh-allowed");
    std::fs::write(&list, format!("ann namespaces=\"tracebook\" {}\n", public(key))).expect("writes");
    let run = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-n", "tracebook", "-I", "ann", "-f"])
        .arg(&list)
        .arg("-s")
        .arg(signature)
        .stdin(std::fs::File::open(file).expect("opens"))
        .output();
    run.expect("runs").status.success()
}

const KINDS: [&[&str]; 5] =
    [&["ed25519"], &["ecdsa", "-b", "256"], &["ecdsa", "-b", "384"], &["ecdsa", "-b", "521"], &["rsa", "-b", "3072"]];

struct Repo {
    home: Home,
    keys: tempfile::TempDir,
}

impl Repo {
    async fn new() -> Self {
        let home = Home::new().await;
        let slug = home.entry("Week 1", "# Week 1\n").await;
        let request = Capture { into: Some(slug), ..Capture::of(Kind::Console) };
        let output = Output { console: Console::from_text("docker compose ps", "db  running"), ..Output::default() };
        home.app.capture.capture_console(output, request, &Caller::default()).await.expect("captures");
        Self { home, keys: tempfile::tempdir().expect("a folder") }
    }

    fn key(&self, kind: &[&str]) -> String {
        key(self.keys.path(), kind, "")
    }

    /// The file of a key that was made before.
    fn key_of(&self, kind: &[&str]) -> String {
        self.keys.path().join(format!("key-{}", kind.concat())).display().to_string()
    }

    async fn try_export(&self, sign: Option<&str>) -> Result<Exported, Error> {
        let to = self.home.out().display().to_string();
        let request = Export { to, sign: sign.map(str::to_owned), ..Export::default() };
        self.home.app.transfer.export(request, &Caller::default()).await
    }

    async fn export(&self, sign: Option<&str>) -> Exported {
        self.try_export(sign).await.expect("exports")
    }

    fn manifest(&self) -> PathBuf {
        self.home.out().join("journal/tracebook.jsonl")
    }

    fn signature(&self) -> PathBuf {
        self.home.out().join("journal/tracebook.jsonl.sig")
    }

    fn allowed(&self, text: &str) -> AllowedSigners {
        let file = self.keys.path().join("allowed");
        std::fs::write(&file, text).expect("writes");
        AllowedSigners::read(&file).expect("reads")
    }

    /// The answer with and without a list, and the verdict on the only signature.
    fn verify(&self, list: Option<&str>) -> (Verified, SignatureVerdict) {
        let allowed = list.map(|text| self.allowed(text));
        let path = self.home.out().display().to_string();
        let verified = verify_signed(&[path], None, None, allowed).expect("verifies");
        let [signature] = &verified.signatures[..] else { panic!("{:?}", verified.signatures) };
        let verdict = signature.verdict;
        (verified, verdict)
    }

    async fn end(self) {
        self.home.app.shutdown().await;
    }
}

#[tokio::test]
async fn openssh_and_this_program_accept_each_others_signatures() {
    let repo = Repo::new().await;
    for kind in KINDS {
        let key = repo.key(kind);
        let done = repo.export(Some(&key)).await;
        let print = done.signed_by.clone().expect("signed");
        assert!(done.written.iter().any(|path| path == "journal/tracebook.jsonl.sig"), "{done:?}");
        assert!(openssh_accepts(repo.keys.path(), &repo.manifest(), &repo.signature(), &key), "{kind:?}");
        let (verified, verdict) = repo.verify(Some(&format!("ann@example.com {}", public(&key))));
        assert!(verified.ok && verdict == SignatureVerdict::Trusted, "{kind:?} {verified:?}");
        assert_eq!(verified.signatures[0].principal.as_deref(), Some("ann@example.com"));
        assert_eq!(verified.signatures[0].signer.as_ref(), Some(&print));

        std::fs::remove_file(repo.signature()).expect("removes");
        let manifest = repo.manifest().display().to_string();
        assert!(ssh_keygen(&["-q", "-Y", "sign", "-n", "tracebook", "-f", &key, &manifest]), "{kind:?}");
        let (verified, verdict) = repo.verify(Some(&public(&key)));
        assert!(verified.ok && verdict == SignatureVerdict::Trusted, "{kind:?} {verified:?}");
        // OpenSSH's signature is as good as ours.
        assert_eq!(repo.export(Some(&key)).await.written, [""; 0]);
    }
    repo.end().await;
}

#[tokio::test]
async fn an_unchanged_export_is_not_signed_again() {
    let repo = Repo::new().await;
    let (one, other) = (repo.key(&["ed25519"]), repo.key(&["ecdsa", "-b", "256"]));
    repo.export(Some(&one)).await;
    let before = std::fs::read(repo.signature()).expect("reads");
    for sign in [Some(&*one), None, Some("none")] {
        let again = repo.export(sign).await;
        assert_eq!((again.written.len(), again.warnings.len()), (0, 0), "{again:?}");
        assert_eq!(again.signed_by.is_some(), sign == Some(&one));
        assert_eq!(std::fs::read(repo.signature()).expect("reads"), before);
    }
    let again = repo.export(Some(&other)).await;
    assert_eq!(again.written, ["journal/tracebook.jsonl", "journal/tracebook.jsonl.sig"]);
    assert_eq!(repo.verify(Some(&public(&other))).1, SignatureVerdict::Trusted);
    // An export that changes the manifest without a signature says that the old one is void.
    repo.home.entry("Week 2", "# Week 2\n").await;
    let plain = repo.export(None).await;
    assert!(plain.warnings.iter().any(|w| w.contains("does not hold for this export")), "{plain:?}");
    assert_eq!(repo.verify(None).1, SignatureVerdict::Invalid);
    repo.export(Some(&other)).await;
    assert!(repo.verify(None).0.ok);
    // What others wrote is not replaced.
    std::fs::write(repo.signature(), "mine").expect("writes");
    let refused = repo.export(Some(&other)).await;
    assert_eq!((refused.refused, refused.signed_by), (vec!["journal/tracebook.jsonl.sig".to_owned()], None));
    repo.end().await;
}

#[tokio::test]
async fn a_configured_key_signs_every_export() {
    let repo = Repo::new().await;
    let key = repo.key(&["ed25519"]);
    let settings = repo.home.dir.path().join("data/tracebook.toml");
    std::fs::write(&settings, format!("[export]\nsign = {key:?}\n")).expect("writes");
    assert!(repo.export(None).await.signed_by.is_some());
    assert!(repo.export(Some("")).await.signed_by.is_some());
    assert_eq!(repo.export(Some("none")).await.signed_by, None);
    std::fs::write(&settings, "[export]\nsign = \"/nowhere/key\"\n").expect("writes");
    let error = repo.try_export(None).await.expect_err("there is no such key");
    assert_eq!(error.code, Code::NotFound, "{error:?}");
    repo.end().await;
}

#[tokio::test]
async fn only_named_keys_are_trusted_and_only_now_and_for_this() {
    let repo = Repo::new().await;
    let (key, other) = (repo.key(&["ed25519"]), repo.key(&["ecdsa", "-b", "256"]));
    let (own, foreign) = (public(&key), public(&other));
    let plain = repo.export(None).await;
    assert_eq!(plain.signed_by, None);
    assert_eq!(repo.verify(None).1, SignatureVerdict::Absent);
    assert!(repo.verify(None).0.ok);
    let (verified, verdict) = repo.verify(Some(&own));
    assert!(!verified.ok && !verified.signed && verdict == SignatureVerdict::Absent, "{verified:?}");

    repo.export(Some(&key)).await;
    let (verified, verdict) = repo.verify(None);
    assert!(verified.ok && verdict == SignatureVerdict::Valid);
    assert!(verified.signatures[0].why.contains("not checked against a list"), "{verified:?}");
    for (list, expected, said) in [
        (format!("ann {own}"), SignatureVerdict::Trusted, "signed by ann"),
        (format!("{foreign}\n{own}\n"), SignatureVerdict::Trusted, "signed by SHA256:"),
        (foreign.clone(), SignatureVerdict::Untrusted, "is not in"),
        (format!("ann valid-before=\"20200101\" {own}"), SignatureVerdict::Untrusted, "no longer valid"),
        (format!("ann valid-after=\"29990101Z\" {own}"), SignatureVerdict::Untrusted, "not valid yet"),
        (format!("ann namespaces=\"git\" {own}"), SignatureVerdict::Untrusted, "namespace"),
        (format!("ann cert-authority {own}"), SignatureVerdict::Untrusted, "authority"),
    ] {
        let (verified, verdict) = repo.verify(Some(&list));
        assert_eq!((verdict, verified.ok), (expected, expected == SignatureVerdict::Trusted), "{list}");
        assert!(verified.signatures[0].why.contains(said), "{list}: {verified:?}");
    }
    // A single text is covered by the manifest beside it, a picture alone by none.
    let text = repo.home.out().join("journal/week1.md").display().to_string();
    assert!(verify_signed(&[text], None, None, Some(repo.allowed(&own))).expect("verifies").ok);
    repo.end().await;
}

#[tokio::test]
async fn what_was_tampered_with_is_reported() {
    let repo = Repo::new().await;
    let (key, other) = (repo.key(&["ed25519"]), repo.key(&["ecdsa", "-b", "256"]));
    repo.export(Some(&key)).await;
    let (manifest, signature) = (repo.manifest(), repo.signature());
    let (bytes, signed) = (std::fs::read(&manifest).expect("reads"), std::fs::read(&signature).expect("reads"));
    let text = String::from_utf8(bytes.clone()).expect("UTF-8");
    let own = public(&key);

    // One bit of any byte.
    for n in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[n] ^= 1;
        assert!(check(&signed, &changed).is_err(), "byte {n}");
    }
    for n in (0..signed.len()).step_by(5) {
        let mut changed = signed.clone();
        changed[n] ^= 1;
        assert!(check(&changed, &bytes).is_err() || changed[n].is_ascii_whitespace(), "byte {n}");
    }
    let says = |expected: SignatureVerdict, why: &str| {
        for list in [None, Some(&*own)] {
            let (verified, verdict) = repo.verify(list);
            assert_eq!((verdict, verified.ok), (expected, false), "{verified:?}");
            assert!(verified.signatures[0].why.contains(why), "{verified:?}");
        }
    };
    std::fs::write(&manifest, text.replace("week1.md", "week2.md")).expect("writes");
    says(SignatureVerdict::Invalid, "changed after it was signed");
    // Line ends of a checkout are no change, but are reported.
    std::fs::write(&manifest, text.replace('\n', "\r\n")).expect("writes");
    let (verified, verdict) = repo.verify(Some(&own));
    assert!(verified.ok && verdict == SignatureVerdict::Trusted, "{verified:?}");
    assert!(verified.signatures[0].why.contains("line ends"), "{verified:?}");
    std::fs::write(&manifest, &bytes).expect("writes");

    std::fs::remove_file(&signature).expect("removes");
    says(SignatureVerdict::Missing, "there is no signature");
    std::fs::write(&signature, "-----BEGIN SSH SIGNATURE-----\n").expect("writes");
    says(SignatureVerdict::Invalid, "cannot be read");
    let path = manifest.display().to_string();
    for (key, namespace, why) in [(&key, "git", "for \"git\""), (&other, "tracebook", "and SHA256:")] {
        std::fs::remove_file(&signature).expect("removes");
        assert!(ssh_keygen(&["-q", "-Y", "sign", "-n", namespace, "-f", key, &path]));
        says(SignatureVerdict::Invalid, why);
    }
    // Other evidence with the same id, which agrees with itself, is not what was signed.
    std::fs::write(&signature, &signed).expect("writes");
    assert!(repo.verify(Some(&own)).0.ok);
    let forged = text.replace("\"digests\":[\"sha256:", "\"digests\":[\"sha256:0");
    std::fs::write(&manifest, forged).expect("writes");
    let (verified, _) = repo.verify(None);
    assert!(verified.evidence[0].why.contains("the manifest lists other data"), "{verified:?}");
    // Evidence that no signed manifest lists.
    std::fs::write(&manifest, &bytes).expect("writes");
    let stray = Repo::new().await;
    stray.export(None).await;
    let (from, to) = (stray.home.out().join("journal"), repo.home.out().join("more"));
    assert!(Command::new("cp").arg("-r").args([from, to.clone()]).status().expect("runs").success());
    std::fs::remove_file(to.join("tracebook.jsonl")).expect("removes");
    let (verified, verdict) = repo.verify(Some(&own));
    assert!(!verified.ok && !verified.signed && verdict == SignatureVerdict::Trusted, "{verified:?}");
    assert!(
        verified.evidence.iter().any(|e| e.notes.iter().any(|note| note.starts_with("no manifest that a trusted")))
    );
    assert!(repo.verify(None).0.ok);
    stray.end().await;
    repo.end().await;
}

#[tokio::test]
async fn key_files_that_cannot_be_used_say_why() {
    let repo = Repo::new().await;
    let locked = key(repo.keys.path(), &["ed25519"], "a passphrase");
    let signing = &repo.home.app.signing;
    let signer = async |passphrase: Option<&str>| {
        signing.signer(Some(&locked), passphrase.map(|text| Passphrase(text.to_owned())).as_ref()).await
    };
    assert_eq!(signer(None).await.expect_err("is locked").code, Code::Passphrase);
    assert_eq!(signer(Some("wrong")).await.expect_err("is locked").code, Code::Credentials);
    let opened = signer(Some("a passphrase")).await.expect("opens").expect("a key");
    assert!(holds(opened.sign(b"text").expect("signs").as_bytes(), b"text"));
    assert_eq!(format!("{opened:?}"), format!("Signer({:?})", opened.fingerprint()));
    assert_eq!(format!("{:?}", Passphrase("a passphrase".to_owned())), "Passphrase(…)");

    let pem = key(repo.keys.path(), &["rsa", "-b", "2048", "-m", "PEM"], "");
    for (named, code, said) in [
        ("/nowhere/id", Code::NotFound, "/nowhere/id"),
        (&*pem, Code::Usage, "ssh-keygen -p -f"),
        (&*format!("{locked}.pub"), Code::Usage, "is a public key"),
        (repo.keys.path().to_str().expect("UTF-8"), Code::Usage, "is not a key file"),
        ("SHA256:abc", Code::NotFound, "SHA256:abc"),
    ] {
        let error = signing.signer(Some(named), None).await.expect_err(named);
        assert!(error.code == code && error.message.contains(said), "{error:?}");
    }
    repo.end().await;
}

/// An SSH agent with keys, which ends with the test.
struct RealAgent {
    process: std::process::Child,
    socket: PathBuf,
}

impl RealAgent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("ssh-agent is there: scripts/setup.sh test");
        for _ in 0..500 {
            if std::os::unix::net::UnixStream::connect(&socket).is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Self { process, socket }
    }

    fn run(&self, args: &[&str]) {
        let run = Command::new("ssh-add").args(args).env("SSH_AUTH_SOCK", &self.socket).stdin(Stdio::null()).output();
        assert!(run.expect("runs").status.success(), "{args:?}");
    }
}

impl Drop for RealAgent {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[tokio::test]
async fn an_ssh_agent_signs() {
    let repo = Repo::new().await;
    let agent = RealAgent::start(repo.keys.path());
    let signing = Signing { agent: Some(agent.socket.clone()), ..repo.home.app.signing.clone() };
    assert_eq!(signing.signer(Some("agent"), None).await.expect_err("has no keys").code, Code::NotFound);
    for kind in KINDS {
        let key = repo.key(kind);
        agent.run(&["-q", &key]);
        let public_file = format!("{key}.pub");
        let signer = signing.signer(Some(&public_file), None).await.expect("is there").expect("a key");
        assert!(matches!(signer.held, Held::Agent(_)));
        let (file, signature) = (repo.keys.path().join("text"), repo.keys.path().join("text.sig"));
        std::fs::write(&file, "a manifest").expect("writes");
        std::fs::write(&signature, signer.sign(b"a manifest").expect("signs")).expect("writes");
        assert!(openssh_accepts(repo.keys.path(), &file, &signature, &key), "{kind:?}");
        let print = signer.fingerprint();
        let same = signing.signer(Some(&print), None).await.expect("is there").expect("a key");
        assert_eq!(same.row().expect("a row").place, "agent");
    }
    let first = signing.signer(Some("agent"), None).await.expect("is there").expect("a key");
    assert_eq!(first.row().expect("a row").key, public(&repo.key_of(KINDS[0])));
    agent.run(&["-q", "-D"]);
    assert_eq!(first.sign(b"text").expect_err("is gone").code, Code::Credentials);
    drop(agent);
    assert_eq!(first.sign(b"text").expect_err("is gone").code, Code::Unreachable);
    repo.end().await;
}

#[cfg(unix)]
#[test]
fn an_agent_that_answers_nonsense_is_an_error() {
    use std::io::{Read as _, Write as _};
    let folder = tempfile::tempdir().expect("a folder");
    let answers: [&[u8]; 6] = [
        &[0, 0, 0, 0],
        &[0xff, 0xff, 0xff, 0xff],
        &[0, 0, 0, 1, 5],
        &[0, 0, 0, 5, 12, 0, 0, 0, 9],
        &[0, 0, 0, 9, 12, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff],
        &[0, 0],
    ];
    for (n, answer) in answers.into_iter().enumerate() {
        let socket = folder.path().join(n.to_string());
        let listener = std::os::unix::net::UnixListener::bind(&socket).expect("binds");
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("accepts");
            stream.read_exact(&mut [0; 5]).expect("reads");
            stream.write_all(answer).expect("writes");
        });
        Agent::connect(&socket).expect("connects").keys().expect_err("is nonsense");
        server.join().expect("ends");
    }
}
