//! Which processes use a data directory. Locks are files that stay, with an advisory lock of the system that ends with
//! its process.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::error::StoreError;

/// Held while a process opens the databases, so that two do not migrate at once.
const OPENING: &str = "open.lock";
/// Shared by the processes that have the journal open.
const IN_USE: &str = "journal.lock";
/// The interval between two attempts to take a lock.
const INTERVAL: Duration = Duration::from_millis(20);

/// A lock, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    /// Where no lock file can be created, nobody can open, replace or repair a database either.
    _file: Option<File>,
}

/// Waits for the right to open the databases of a directory.
///
/// # Errors
/// [`StoreError::InUse`] if another process holds it for longer than `patience`.
pub async fn opening(directory: &Path, patience: Duration) -> Result<Lock, StoreError> {
    let path = directory.join(OPENING);
    let Some(file) = open_or_read(&path)? else { return Ok(Lock { _file: None }) };
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: Some(file) }),
            Err(TryLockError::WouldBlock) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(INTERVAL).await;
            }
            Err(error) => return Err(refused(error, &path)),
        }
    }
}

/// Says that this process has the journal open. Any number may.
///
/// # Errors
/// [`StoreError::InUse`] if a process replaces or repairs the journal.
pub fn in_use(directory: &Path) -> Result<Lock, StoreError> {
    let path = directory.join(IN_USE);
    let Some(file) = open_or_read(&path)? else { return Ok(Lock { _file: None }) };
    file.try_lock_shared().map_err(|error| refused(error, &path))?;
    Ok(Lock { _file: Some(file) })
}

/// The right to replace the journal, which no other process may have open.
///
/// # Errors
/// [`StoreError::InUse`] if one has.
pub fn alone(directory: &Path) -> Result<Lock, StoreError> {
    let path = directory.join(IN_USE);
    let file = open(&path)?;
    file.try_lock().map_err(|error| refused(error, &path))?;
    Ok(Lock { _file: Some(file) })
}

/// The lock file; where it cannot be written, as it is there, and `None` where there is none.
fn open_or_read(path: &Path) -> Result<Option<File>, StoreError> {
    let refused = match open(path) {
        Ok(file) => return Ok(Some(file)),
        Err(error @ StoreError::ReadOnly(_)) if path.parent().is_some_and(Path::is_dir) => error,
        Err(error) => return Err(error),
    };
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(_) => Err(refused),
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map_err(|e| StoreError::from(std::io::Error::new(e.kind(), format!("{}: {e}", path.display()))))
}

fn refused(error: TryLockError, path: &Path) -> StoreError {
    match error {
        TryLockError::WouldBlock => StoreError::InUse { by: holder(path).unwrap_or("another program".to_owned()) },
        TryLockError::Error(error) => error.into(),
    }
}

/// The process that holds a lock: Linux lists them in `/proc/locks`, see proc_locks(5).
#[cfg(target_os = "linux")]
fn holder(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let inode = std::fs::metadata(path).ok()?.ino().to_string();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let ours = std::process::id().to_string();
    // `1: FLOCK ADVISORY WRITE 4711 fe:01:131074 0 EOF`. The device is not compared: some file systems report another
    // one in their metadata.
    let pid = locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, pid, place, ..] = words[..] else { return None };
        (place.rsplit(':').next() == Some(&inode) && pid != ours).then(|| pid.to_owned())
    })?;
    let program = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(match program.trim() {
        "" => format!("process {pid}"),
        program => format!("process {pid} ({program})"),
    })
}

#[cfg(not(target_os = "linux"))]
fn holder(_path: &Path) -> Option<String> {
    None
}
