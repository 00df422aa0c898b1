//! The key of the web host: created once per journal, kept in the data directory, and never logged.

use std::fmt;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::ground::error::Error;
use crate::ground::files::cannot_write;
use crate::system;

/// The file in the data directory. Deleting it, or `serve --ui --new-key`, replaces the key.
const FILE: &str = "web.key";
/// So that the pattern of Tracebook's own keys in `core::credentials` recognises it.
const PREFIX: &str = "tbk_";
const BYTES: usize = 32;
/// 32 bytes in unpadded base64url.
const DIGITS: usize = 43;

/// A secret of 256 bits: `tbk_` and 43 characters of base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct WebKey(String);

impl fmt::Debug for WebKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebKey(…)")
    }
}

impl WebKey {
    /// The key itself, for the URL that is printed.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// A value that only someone with this key can compute (HMAC-SHA256 in base64url), and from which the key cannot be
    /// found. `purpose` keeps a value that is asked for one purpose from being used for another.
    pub fn derived(&self, purpose: &str, text: &str) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("a key");
        mac.update(format!("{purpose}\n{text}").as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    /// A key that lets a page in during this run of the server, derived from a public nonce. It has the form of a key.
    pub fn for_run(&self, nonce: &str) -> Self {
        Self(format!("{PREFIX}{}", self.derived("page", nonce)))
    }

    /// Reads the journal's key, or creates it. `renew` replaces it.
    ///
    /// # Errors
    /// If the file in the data directory cannot be read, or cannot be written although the directory is not read-only.
    pub fn open(data_dir: &Path, renew: bool) -> Result<Self, Error> {
        let path = data_dir.join(FILE);
        let failed = |error: &std::io::Error| cannot_write(&path, error);
        if !renew {
            match Self::read(&path).map_err(|error| failed(&error))? {
                Found::Key(key) => return Ok(key),
                Found::Nothing => {
                    let made = Self::random()?;
                    match made.write(data_dir, &path, false) {
                        Ok(true) => return Ok(made),
                        Ok(false) => {}
                        // A journal that is only read; the key lasts for this run.
                        Err(error) if is_read_only(&error) => return Ok(made),
                        Err(error) => return Err(failed(&error)),
                    }
                    // Another process was faster.
                    if let Found::Key(key) = Self::read(&path).map_err(|error| failed(&error))? {
                        return Ok(key);
                    }
                }
                Found::Unsafe(why) => tracing::warn!(why, "the web host's key is replaced"),
            }
        }
        let made = Self::random()?;
        made.write(data_dir, &path, true).map_err(|error| failed(&error))?;
        Ok(made)
    }

    fn random() -> Result<Self, Error> {
        let bytes: [u8; BYTES] = system::random()?;
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    fn read(path: &Path) -> std::io::Result<Found> {
        let named = match std::fs::symlink_metadata(path) {
            Ok(named) => named,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(error),
        };
        if !named.is_file() {
            return Ok(Found::Unsafe("it is not a regular file"));
        }
        let file = File::open(path)?;
        if let Some(why) = readable_by_others(&named, &file.metadata()?) {
            return Ok(Found::Unsafe(why));
        }
        let mut text = String::new();
        // One more than a key with its line end.
        let read = file.take((PREFIX.len() + DIGITS + 2) as u64).read_to_string(&mut text);
        if read.is_err_and(|error| error.kind() != std::io::ErrorKind::InvalidData) {
            return Ok(Found::Unsafe("it cannot be read"));
        }
        let key = text.strip_suffix('\n').unwrap_or(&text);
        let digits = key.strip_prefix(PREFIX).and_then(|digits| URL_SAFE_NO_PAD.decode(digits).ok());
        match digits.is_some_and(|bytes| bytes.len() == BYTES) {
            true => Ok(Found::Key(Self(key.to_owned()))),
            false => Ok(Found::Unsafe("it does not contain a key")),
        }
    }

    /// Returns whether this key is the file's content afterwards. The file appears complete or not at all.
    fn write(&self, data_dir: &Path, path: &Path, replace: bool) -> std::io::Result<bool> {
        // Created with O_EXCL, a random name and mode 0600.
        let mut file = tempfile::Builder::new().prefix(".web-").tempfile_in(data_dir)?;
        writeln!(file, "{}", self.0)?;
        file.as_file().sync_all()?;
        if replace {
            file.persist(path)?;
            return Ok(true);
        }
        match file.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    }
}

fn is_read_only(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as Kind;
    matches!(error.kind(), Kind::ReadOnlyFilesystem | Kind::PermissionDenied)
}

enum Found {
    Key(WebKey),
    Nothing,
    /// A file that somebody else may have read or written.
    Unsafe(&'static str),
}

#[cfg(unix)]
fn readable_by_others(named: &std::fs::Metadata, opened: &std::fs::Metadata) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt as _;
    if (named.dev(), named.ino()) != (opened.dev(), opened.ino()) {
        return Some("it was replaced while it was opened");
    }
    if opened.uid() != rustix::process::geteuid().as_raw() {
        return Some("it belongs to another user");
    }
    if opened.mode() & 0o077 != 0 {
        return Some("other users can read it");
    }
    (opened.nlink() != 1).then_some("it has another name")
}

#[cfg(not(unix))]
fn readable_by_others(_named: &std::fs::Metadata, _opened: &std::fs::Metadata) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path) -> WebKey {
        WebKey::open(dir, false).expect("a key")
    }

    #[test]
    fn a_key_is_kept_per_journal_until_it_is_renewed_or_deleted() {
        let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let key = open(one.path());
        let digits = key.secret().strip_prefix("tbk_").expect("the prefix");
        assert!(digits.len() == 43 && digits.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        assert_eq!(open(one.path()), key, "a restart");
        assert_ne!(open(other.path()), key, "another journal");
        let renewed = WebKey::open(one.path(), true).expect("a key");
        assert_ne!(renewed, key);
        assert_eq!(open(one.path()), renewed);
        std::fs::remove_file(one.path().join(FILE)).expect("deletes");
        assert!(![key, renewed].contains(&open(one.path())));
        assert_eq!(std::fs::read_dir(one.path()).expect("lists").count(), 1, "no temporary files");
        assert!(!format!("{:?}", open(one.path())).contains(open(one.path()).secret()));
    }

    #[test]
    fn many_processes_agree_on_one_key() {
        let dir = tempfile::tempdir().expect("a folder");
        let keys: Vec<WebKey> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|_| scope.spawn(|| open(dir.path()))).collect();
            all.into_iter().map(|one| one.join().expect("no panic")).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_know_is_replaced() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join(FILE);
        let mode = || std::fs::symlink_metadata(&path).expect("there").permissions().mode() & 0o777;
        let key = open(dir.path());
        assert_eq!(mode(), 0o600);

        for open_to in [0o644, 0o640, 0o604, 0o660] {
            let before = open(dir.path());
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(open_to)).expect("changes");
            assert_ne!(open(dir.path()), before, "{open_to:o}");
            assert_eq!(mode(), 0o600);
        }
        let elsewhere = dir.path().join("elsewhere");
        std::fs::write(&elsewhere, format!("{}\n", key.secret())).expect("writes");
        std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o600)).expect("changes");
        std::fs::remove_file(&path).expect("deletes");
        symlink(&elsewhere, &path).expect("links");
        assert_ne!(open(dir.path()), key, "a link");
        assert!(std::fs::read_to_string(&elsewhere).expect("reads").contains(key.secret()), "its target stays");
        std::fs::remove_file(&path).expect("deletes");
        std::fs::hard_link(&elsewhere, &path).expect("links");
        assert_ne!(open(dir.path()), key, "a second name");
        for content in ["", "\n", "tbk_", "tbk_short", &format!("{}x", key.secret()), &format!("x\n{}", key.secret())] {
            std::fs::write(&path, content).expect("writes");
            let made = open(dir.path());
            assert_eq!(made, open(dir.path()), "{content:?} is replaced once");
            assert_eq!(made.secret().len(), 47);
        }
        std::fs::remove_file(&path).expect("deletes");
        std::fs::create_dir(&path).expect("creates");
        assert!(WebKey::open(dir.path(), false).is_err(), "a folder is not deleted");
    }

    #[test]
    fn derived_values_are_hmacs_and_do_not_mix() {
        let key = WebKey(format!("tbk_{}", "A".repeat(43)));
        // printf 'page\nn' | openssl dgst -sha256 -hmac tbk_AAA… -binary | base64
        assert_eq!(key.derived("page", "n"), "JoqepxI8pWN9KY7ODtlgDgPhs2_UHIPzCgW3YYdtaTo");
        assert_ne!(key.derived("page", "n"), key.derived("server", "n"));
        assert_eq!(key.for_run("n").secret(), format!("tbk_{}", key.derived("page", "n")));
        assert_eq!(key.for_run("n").secret().len(), 47);
    }
}
