//! The log file: `logs/tracebook.log` in the data directory and a few older ones, together of bounded size.
//!
//! Several processes of one journal write to it. Each line is appended with one write, so lines never mix. The file is
//! opened for each line, so that a process notices when another has rotated it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The folder below the data directory.
const FOLDER: &str = "logs";
const NAME: &str = "tracebook";
/// Bytes of one file.
const MAX_BYTES: u64 = 1024 * 1024;
/// How many older files are kept: `tracebook.1.log` is the newest of them.
const OLDER: u32 = 3;

#[derive(Clone, Debug)]
pub(crate) struct LogFile {
    folder: PathBuf,
    max_bytes: u64,
}

impl LogFile {
    /// The log of a data directory. Nothing is created before the first line.
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self { folder: data_dir.join(FOLDER), max_bytes: MAX_BYTES }
    }

    /// Appends a line. The folder is created where it is missing, but not the data directory.
    pub(crate) fn append(&self, line: &str) -> io::Result<()> {
        let mut file = self.open()?;
        if file.metadata()?.len() + line.len() as u64 > self.max_bytes {
            drop(file);
            self.rotate(line.len() as u64)?;
            file = self.open()?;
        }
        file.write_all(line.as_bytes())
    }

    /// The last lines, oldest first; empty where there is no log.
    pub(crate) fn tail(&self, lines: usize) -> String {
        let read = |age| std::fs::read(self.path(age)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        // The current file may have been rotated a moment ago.
        let text = read(1).unwrap_or_default() + &read(0).unwrap_or_default();
        let all: Vec<&str> = text.split_inclusive('\n').collect();
        all[all.len().saturating_sub(lines)..].concat()
    }

    fn path(&self, age: u32) -> PathBuf {
        self.folder.join(if age == 0 { format!("{NAME}.log") } else { format!("{NAME}.{age}.log") })
    }

    fn open(&self) -> io::Result<File> {
        let open = || private().append(true).open(self.path(0));
        open().or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => create_folder(&self.folder).and_then(|()| open()),
            _ => Err(error),
        })
    }

    /// Rotates the files: each is renamed, and the oldest is deleted.
    fn rotate(&self, needed: u64) -> io::Result<()> {
        let lock = private().write(true).open(self.folder.join(format!("{NAME}.lock")))?;
        if lock.try_lock().is_err() {
            // Another process is rotating: this line may still go into the full file.
            return Ok(());
        }
        // Another process may have done it before this one had the lock.
        let length = match std::fs::metadata(self.path(0)) {
            Ok(file) => file.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        if length + needed <= self.max_bytes {
            return Ok(());
        }
        for age in (0..OLDER).rev() {
            match std::fs::rename(self.path(age), self.path(age + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Options that create a file for the user alone: 0600.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    match builder.create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(log: &LogFile) -> Vec<u64> {
        (0..=OLDER + 1).map_while(|age| std::fs::metadata(log.path(age)).ok()).map(|file| file.len()).collect()
    }

    #[test]
    fn files_are_bounded_and_the_newest_lines_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = LogFile { max_bytes: 1_000, ..LogFile::new(folder.path()) };
        for n in 0..1_000 {
            log.append(&format!("line {n}\n")).expect("writes");
        }
        let sizes = sizes(&log);
        assert_eq!(sizes.len(), OLDER as usize + 1, "{sizes:?}");
        assert!(sizes.iter().all(|size| *size <= 1_000), "{sizes:?}");
        assert_eq!(log.tail(2), "line 998\nline 999\n");
        let all = log.tail(usize::MAX);
        let first: usize = all.lines().next().and_then(|l| l.split(' ').nth(1)?.parse().ok()).expect("a number");
        let numbers = (first..1_000).map(|n| format!("line {n}\n")).collect::<String>();
        assert_eq!(all, numbers, "no line is lost between two files");
    }

    #[test]
    fn writers_that_rotate_at_once_lose_no_line_and_mix_none() {
        const WRITERS: usize = 8;
        const LINES: usize = 200;
        let folder = tempfile::tempdir().expect("a folder");
        // Room for all of them, so that a line that is missing was lost and not rotated away.
        let log = LogFile { max_bytes: 12_000, ..LogFile::new(folder.path()) };
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                // A clone shares nothing but the path, as another process would.
                let log = log.clone();
                scope.spawn(move || {
                    for n in 0..LINES {
                        log.append(&format!("writer {writer} line {n:03} end\n")).expect("writes");
                    }
                });
            }
        });
        let read = |age| std::fs::read_to_string(log.path(age)).unwrap_or_default();
        let text: String = (0..=OLDER).rev().map(read).collect();
        let mut found: Vec<&str> = text.lines().collect();
        found.sort_unstable();
        let mut wanted: Vec<String> =
            (0..WRITERS).flat_map(|w| (0..LINES).map(move |n| format!("writer {w} line {n:03} end"))).collect();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_read_it_and_no_data_directory_is_created() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let log = LogFile::new(folder.path());
        log.append("a\n").expect("writes");
        let mode = |path: &Path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!((mode(&log.folder), mode(&log.path(0))), (0o700, 0o600));
        let missing = folder.path().join("missing");
        assert!(LogFile::new(&missing).append("a\n").is_err());
        assert!(!missing.exists());
    }
}
