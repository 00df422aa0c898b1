//! Files: locks, private directories, limits, digests.

use std::fs::File;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use tracebook_store::StoreError;

use crate::ground::error::Error;

/// Files larger than this many bytes are not read.
pub(crate) const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// The longest file name without its extension, in bytes: file systems take 255, and a number may be added.
pub(crate) const MAX_STEM_BYTES: usize = 200;

pub(crate) fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::from(StoreError::from(std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))))
}

/// A path that a user typed. In the window no shell has replaced `~` by the home directory.
pub(crate) fn typed_path(text: &str) -> PathBuf {
    let text = text.trim();
    let below_home = match text.strip_prefix('~') {
        Some("") => Some(""),
        // `~other` is another user's.
        Some(rest) => rest.strip_prefix(['/', std::path::MAIN_SEPARATOR]),
        None => None,
    };
    match (below_home, dirs::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(text),
    }
}

/// Creates a directory that only the user can read (0700), with its parents.
pub(crate) fn make_private_dir(path: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|e| cannot_write(path, &e))
}

/// Opens a lock file, created with mode 0600 where it does not exist.
pub(crate) fn lock_file(path: &Path) -> Result<File, Error> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map_err(|e| cannot_write(path, &e))
}

/// SHA-256 in hex digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Whether the extension is `.md` or `.markdown`, in any case.
pub(crate) fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("md") || e.eq_ignore_ascii_case("markdown"))
}

/// The longest prefix of a name within a number of bytes.
pub(crate) fn shortened(name: &str, max_bytes: usize) -> &str {
    &name[..name.floor_char_boundary(max_bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_directory() {
        let home = dirs::home_dir().expect("a home directory");
        assert_eq!(typed_path("~"), home);
        assert_eq!(typed_path(" ~/out "), home.join("out"));
        assert_eq!(typed_path("~//out"), home.join("out"));
        for other in ["/tmp/~", "out/~", "~other/out", "./~", "out"] {
            assert_eq!(typed_path(other), PathBuf::from(other));
        }
    }
}
