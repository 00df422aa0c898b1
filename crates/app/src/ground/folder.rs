//! Folders whose content is not trusted: a clone, a download, a folder that others write to.
//!
//! Every file is opened relative to the open folder, one part of its path at a time, and no link is followed. What is
//! checked is the file that was opened, so that nothing can be exchanged between a check and its use.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path};

use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, FileType, OpenOptions};

use tracebook_core::ids::Entropy;

/// A folder that is open. It stays the same folder if its path is exchanged.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: Dir,
}

/// What a name in a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    File,
    Folder,
    Link,
    /// A pipe, a socket or a device.
    Special,
}

impl Entry {
    fn of(kind: FileType) -> Self {
        if kind.is_symlink() {
            Self::Link
        } else if kind.is_dir() {
            Self::Folder
        } else if kind.is_file() {
            Self::File
        } else {
            Self::Special
        }
    }
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    #[error("there is no such file")]
    Missing,
    #[error("it is a link, or in a folder that is one, and links are not followed")]
    Link,
    #[error("it is not a regular file")]
    Special,
    #[error("it has {0} bytes, which is too large")]
    TooLarge(u64),
    #[error("{0}")]
    Io(io::Error),
}

/// Prefix of the names of temporary files; random hexadecimal digits follow.
pub(crate) const TEMPORARY: &str = ".tracebook-";
const TEMPORARY_DIGITS: usize = 20;

impl Folder {
    /// Opens a folder that the user named. Links in its path are followed.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { dir: Dir::open_ambient_dir(path, ambient_authority())? })
    }

    /// Opens a folder in this one.
    ///
    /// # Errors
    /// As [`Unread`].
    pub(crate) fn folder(&self, relative: &Path) -> Result<Self, Unread> {
        let mut dir = self.dir.try_clone().map_err(Unread::Io)?;
        for part in parts(relative)? {
            dir = dir.open_dir_nofollow(part).map_err(|error| why_not(&dir, part, error))?;
        }
        Ok(Self { dir })
    }

    /// Opens a folder in this one, and creates it and its parents where they are missing.
    ///
    /// # Errors
    /// As [`Unread`].
    pub(crate) fn make(&self, relative: &Path) -> Result<Self, Unread> {
        let mut dir = self.dir.try_clone().map_err(Unread::Io)?;
        for part in parts(relative)? {
            match dir.create_dir(part) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(Unread::Io(error)),
                Ok(()) | Err(_) => {}
            }
            dir = dir.open_dir_nofollow(part).map_err(|error| why_not(&dir, part, error))?;
        }
        Ok(Self { dir })
    }

    /// Reads a regular file of at most `limit` bytes in this folder.
    ///
    /// # Errors
    /// As [`Unread`].
    pub(crate) fn read(&self, relative: &Path, limit: u64) -> Result<Vec<u8>, Unread> {
        let Some(name) = relative.file_name() else { return Err(Unread::Missing) };
        let folder = self.folder(relative.parent().unwrap_or(Path::new("")))?;
        let name = Path::new(name);
        let mut options = OpenOptions::new();
        // Without blocking: opening a pipe would wait for a writer.
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let file = folder.dir.open_with(name, &options).map_err(|error| why_not(&folder.dir, name, error))?;
        read_open(file, limit)
    }

    /// What a name in this folder is; `None` if there is nothing.
    ///
    /// # Errors
    /// If it cannot be determined.
    pub(crate) fn entry(&self, name: &Path) -> io::Result<Option<Entry>> {
        match self.dir.symlink_metadata(name) {
            Ok(there) => Ok(Some(Entry::of(there.file_type()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Names and what they are, sorted by name; at most `most`. Unreadable entries are left out.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub(crate) fn entries(&self, most: usize) -> io::Result<Vec<(OsString, Entry)>> {
        let listed = self.dir.entries()?.take(most).filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name(), Entry::of(entry.file_type().ok()?)))
        });
        let mut entries: Vec<_> = listed.collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(entries)
    }

    /// Writes a file in this folder whole or not at all: to a new file with a random name, which then takes the name
    /// of the file. Whatever had the name is replaced, never written through: the target of a link and the other names
    /// of a file stay as they are.
    ///
    /// # Errors
    /// If it cannot be written. The file is then unchanged.
    pub(crate) fn replace(&self, name: &Path, bytes: &[u8], entropy: &dyn Entropy) -> io::Result<()> {
        let temporary = format!("{TEMPORARY}{}", hex::encode(entropy.ten_bytes()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).follow(FollowSymlinks::No);
        let written = self
            .dir
            .open_with(&temporary, &options)
            .and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            })
            .and_then(|()| self.dir.rename(&temporary, &self.dir, name));
        // The next export removes what cannot be removed now.
        if written.is_err()
            && let Err(error) = self.dir.remove_file(&temporary)
        {
            tracing::debug!(%error, "a temporary file could not be removed");
        }
        written
    }

    /// Removes the temporary files of writers that were killed. Must not run beside another writer.
    pub(crate) fn clear(&self) {
        const MOST: usize = 100_000;
        for (name, entry) in self.entries(MOST).unwrap_or_default() {
            let random = name.to_str().and_then(|name| name.strip_prefix(TEMPORARY)).unwrap_or_default();
            // Earlier versions used the id of the process.
            let ours = match random.len() {
                TEMPORARY_DIGITS => random.bytes().all(|b| b.is_ascii_hexdigit()),
                length => length > 0 && random.bytes().all(|b| b.is_ascii_digit()),
            };
            // A file that stays does no harm.
            if ours
                && entry == Entry::File
                && let Err(error) = self.dir.remove_file(&name)
            {
                tracing::debug!(%error, "a temporary file could not be removed");
            }
        }
    }

    /// The folder as a file, for locks.
    ///
    /// # Errors
    /// If it cannot be read, or the system does not open folders as files.
    pub(crate) fn as_file(&self) -> io::Result<std::fs::File> {
        // The folder's own descriptor can be one that only names it (`O_PATH`), which cannot be locked.
        Ok(self.dir.open(".")?.into_std())
    }
}

/// The parts of a path within a folder.
fn parts(relative: &Path) -> Result<Vec<&Path>, Unread> {
    let of = |part| match part {
        Component::Normal(name) => Some(Ok(Path::new(name))),
        Component::CurDir => None,
        Component::ParentDir | Component::RootDir | Component::Prefix(_) => Some(Err(Unread::Missing)),
    };
    relative.components().filter_map(of).collect()
}

/// Why a name could not be opened.
fn why_not(dir: &Dir, name: &Path, error: io::Error) -> Unread {
    if error.kind() == io::ErrorKind::NotFound {
        return Unread::Missing;
    }
    match dir.symlink_metadata(name).map(|there| Entry::of(there.file_type())) {
        Ok(Entry::Link) => Unread::Link,
        // A socket, or a file where a folder should be.
        Ok(Entry::Special | Entry::File) => Unread::Special,
        Ok(Entry::Folder) | Err(_) => Unread::Io(error),
    }
}

/// Reads what was opened, if it is a regular file.
fn read_open(file: File, limit: u64) -> Result<Vec<u8>, Unread> {
    let there = file.metadata().map_err(Unread::Io)?;
    if !there.is_file() || is_virtual(&file) {
        return Err(Unread::Special);
    }
    if there.len() > limit {
        return Err(Unread::TooLarge(there.len()));
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Unread::Io)?;
    match bytes.len() as u64 {
        length if length > limit => Err(Unread::TooLarge(length)),
        _ => Ok(bytes),
    }
}

/// Whether a file is made up by the kernel when it is read, such as those in `/proc` and `/sys`, which contain what the
/// reading process knows.
#[cfg(target_os = "linux")]
fn is_virtual(file: &File) -> bool {
    // The `_MAGIC` numbers of linux/magic.h: proc, sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs, configfs,
    // pstore, bpf, binfmt_misc.
    const VIRTUAL: [u32; 11] = [
        0x9fa0,
        0x6265_6572,
        0x0027_e0eb,
        0x6367_7270,
        0x6462_6720,
        0x7472_6163,
        0x7363_6673,
        0x6265_6570,
        0x6165_676c,
        0xcafe_4a11,
        0x4249_4e4d,
    ];
    // Where the kind of the file system cannot be determined, the file is not read.
    rustix::fs::fstatfs(file)
        .map_or(true, |system| u32::try_from(system.f_type).is_ok_and(|kind| VIRTUAL.contains(&kind)))
}

#[cfg(not(target_os = "linux"))]
fn is_virtual(_: &File) -> bool {
    false
}
