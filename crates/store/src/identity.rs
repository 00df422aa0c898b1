//! Which files a database was opened from. Sync clients, restored backups, `mv` and `rm` replace them while they are
//! open; what is then written goes into files that nobody finds again.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{Change, StoreError};

/// The journal's file in its directory.
pub(crate) const JOURNAL_FILE: &str = "journal.db";
/// The file of received telemetry, in the same directory.
pub(crate) const TELEMETRY_FILE: &str = "telemetry.db";

/// Bytes of the header at the start of a database, <https://sqlite.org/fileformat.html#the_database_header>.
const HEADER_BYTES: usize = 100;
/// What every database starts with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Offset of the page size in bytes; 1 stands for 65,536.
const PAGE_SIZE: usize = 16;
/// Offset of the number of changes.
const CHANGES: usize = 24;
/// Offset of the number of pages. It counts only if the number of changes is the one at [`VALID_FOR`].
const PAGES: usize = 28;
/// Offset of the number that `PRAGMA user_version` sets.
const USER_VERSION: usize = 60;
/// Offset of the number of changes for which [`PAGES`] was written.
const VALID_FOR: usize = 92;

/// The database file, its write-ahead log and the index of that, as they were when they were opened.
#[derive(Debug)]
pub(crate) struct Files {
    path: PathBuf,
    ids: [(PathBuf, Option<FileId>); 3],
    /// Stays open: closing any descriptor of a file drops the locks that SQLite holds on it.
    file: Option<File>,
    /// The random number in the header; 0 before there is one.
    nonce: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    #[cfg(unix)]
    pub(crate) fn of(path: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(path)?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino() })
    }

    /// Files that are open cannot be replaced there.
    #[cfg(not(unix))]
    pub(crate) fn of(path: &Path) -> std::io::Result<Self> {
        std::fs::metadata(path).map(|_| Self { device: 0, inode: 0 })
    }
}

/// The path of a file that SQLite keeps beside a database: `-wal`, `-shm`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

impl Files {
    /// The files as they are now. A connection has them open.
    pub(crate) fn record(path: &Path, nonce: u32) -> Result<Self, StoreError> {
        let ids = ["", "-wal", "-shm"].map(|suffix| {
            let path = beside(path, suffix);
            let id = FileId::of(&path).ok();
            (path, id)
        });
        let files = Self { path: path.to_owned(), ids, file: File::open(path).ok(), nonce };
        files.check()?;
        Ok(files)
    }

    /// The database file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Copies the file that is open, through the descriptor that stays open.
    pub(crate) fn copy_into(&self, target: &mut File) -> Result<(), StoreError> {
        use std::io::Seek as _;
        let Some(mut file) = self.file.as_ref() else { return Err(StoreError::Io("no file is open".to_owned())) };
        file.seek(std::io::SeekFrom::Start(0))?;
        std::io::copy(&mut file, target)?;
        Ok(())
    }

    /// Whether the database file itself is another one, or gone.
    pub(crate) fn database_changed(&self) -> bool {
        self.changed(&self.ids[0]).is_some()
    }

    /// Removes the log and its index, if they are those that are open.
    pub(crate) fn remove_log(&self) -> Result<(), StoreError> {
        for (path, id) in &self.ids[1..] {
            if id.is_some_and(|id| FileId::of(path).is_ok_and(|now| now == id)) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Checks that the paths still lead to the files that are open, and that nothing else was written into them.
    ///
    /// # Errors
    /// [`StoreError::Replaced`].
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        for one in &self.ids {
            if let Some(change) = self.changed(one) {
                return Err(StoreError::Replaced { path: one.0.clone(), change });
            }
        }
        match self.overwritten() {
            true => Err(StoreError::Replaced { path: self.path.clone(), change: Change::Overwritten }),
            false => Ok(()),
        }
    }

    /// The length of the file, if its header says that it has more pages.
    pub(crate) fn shorter(&self) -> Option<u64> {
        let file = self.file.as_ref()?;
        let header = read_header(file)?;
        let number = |at: usize| -> Option<u32> { Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?)) };
        if !header.starts_with(MAGIC) || number(CHANGES)? != number(VALID_FOR)? {
            return None;
        }
        let page_size = match u16::from_be_bytes(header.get(PAGE_SIZE..PAGE_SIZE + 2)?.try_into().ok()?) {
            1 => 65_536,
            size => u64::from(size),
        };
        let length = file.metadata().ok()?.len();
        (length < u64::from(number(PAGES)?) * page_size).then_some(length)
    }

    fn changed(&self, (path, id): &(PathBuf, Option<FileId>)) -> Option<Change> {
        let then = (*id)?;
        match FileId::of(path) {
            Ok(now) if now == then => None,
            Ok(_) => Some(Change::Replaced),
            Err(_) => Some(Change::Missing),
        }
    }

    /// Whether the header is no longer one of this database: `cp` writes into the file that is there.
    fn overwritten(&self) -> bool {
        let Some(header) = self.file.as_ref().and_then(read_header) else { return false };
        let Some(number) = header.get(USER_VERSION..USER_VERSION + 4) else { return true };
        // Before the first checkpoint, the number is only in the write-ahead log.
        !header.starts_with(MAGIC) || !(number == self.nonce.to_be_bytes() || number == [0; 4])
    }
}

/// The header through a descriptor that stays open; `None` where it cannot be read.
#[cfg(unix)]
fn read_header(file: &File) -> Option<[u8; HEADER_BYTES]> {
    use std::os::unix::fs::FileExt as _;
    let mut header = [0; HEADER_BYTES];
    let mut done = 0;
    while done < HEADER_BYTES {
        match file.read_at(&mut header[done..], u64::try_from(done).unwrap_or(0)) {
            // Shorter than a header: another program is writing it.
            Ok(0) => break,
            Ok(n) => done += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(header)
}

#[cfg(not(unix))]
fn read_header(_file: &File) -> Option<[u8; HEADER_BYTES]> {
    None
}

/// The file's name, for diagnostics: the folders above may name the user.
pub(crate) fn name(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

#[cfg(unix)]
pub(crate) fn restrict(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?)
}

#[cfg(not(unix))]
pub(crate) fn restrict(_path: &Path) -> Result<(), StoreError> {
    Ok(())
}
