//! Exports in one file: a zip, whose bytes depend on its files only, and the same within a page.
//!
//! What is read is not trusted. Nothing of it is written outside of a private temporary folder, and an archive with
//! anything that no export writes is refused as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use tracebook_render::written::composed;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::ground::error::{Code, Error};
use crate::ground::files::{MAX_FILE_BYTES, cannot_write};

/// The files of an export by their paths.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// The largest archive, in bytes.
pub(super) const MAX_ARCHIVE_BYTES: u64 = 1024 * 1024 * 1024;
/// The most bytes of all files in one.
const MAX_TOTAL_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// The most files in one.
const MOST_FILES: usize = 50_000;
/// How many times its size in the archive a file may have. What would be smaller is stored without compression.
const MOST_RATIO: u64 = 100;
/// Files up to this size have no limit of their ratio.
const SMALL: u64 = 1024 * 1024;
const LONGEST_PATH: usize = 1024;
const LONGEST_NAME: usize = 255;
const DEEPEST: usize = 32;
/// How every zip with files begins.
const MAGIC: &[u8] = b"PK\x03\x04";
/// The begin of a file's record in the directory of a zip, and the length of its fixed part.
const RECORD: &[u8] = b"PK\x01\x02";
const RECORD_BYTES: usize = 46;

/// Whether bytes are a zip.
pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Packs files: by name, with one time and mode for all.
pub(super) fn pack(files: &Files) -> Result<Vec<u8>, Error> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let base = SimpleFileOptions::default().last_modified_time(DateTime::default()).unix_permissions(0o644);
    for (path, bytes) in files {
        let method = match compresses_too_well(bytes) {
            true => CompressionMethod::Stored,
            false => CompressionMethod::Deflated,
        };
        let options = base
            .compression_method(method)
            .compression_level((!matches!(method, CompressionMethod::Stored)).then_some(6));
        zip.start_file(path.as_str(), options).map_err(Error::internal)?;
        zip.write_all(bytes).map_err(Error::internal)?;
    }
    Ok(zip.finish().map_err(Error::internal)?.into_inner())
}

/// Whether a file would have a ratio that is refused when it is read.
fn compresses_too_well(bytes: &[u8]) -> bool {
    if bytes.len() as u64 <= SMALL {
        return false;
    }
    let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
    let packed = writer.write_all(bytes).and_then(|()| writer.finish()).map_or(u64::MAX, |packed| packed.len() as u64);
    // With a margin, since another version of the compressor may do better.
    bytes.len() as u64 / packed.max(1) >= MOST_RATIO / 2
}

/// Unpacks an archive. `shown` is its name, for messages.
///
/// # Errors
/// If it contains anything that no export writes. Nothing of it is used then.
pub(super) fn unpack(shown: &str, bytes: &[u8]) -> Result<Files, Error> {
    let refuse = |why: String| {
        Error::new(
            Code::Refused,
            format!("{shown}: {why}. Nothing in it was used"),
            "Tracebook writes no such archives; unpack it with another program if you trust it",
        )
    };
    let mut zip =
        ZipArchive::new(Cursor::new(bytes)).map_err(|e| refuse(format!("it is no archive that can be read: {e}")))?;
    if zip.offset() != 0 {
        return Err(refuse("it has other data before the archive".to_owned()));
    }
    // Of files with the same name, the library keeps the last one.
    let records = records(bytes, zip.central_directory_start());
    if records != Some(zip.len()) {
        return Err(refuse("two files have the same name, or its directory is damaged".to_owned()));
    }
    if zip.len() > MOST_FILES {
        return Err(refuse(format!("it has more than {MOST_FILES} files")));
    }
    let mut files = Files::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut left = MAX_TOTAL_BYTES;
    for n in 0..zip.len() {
        let file = zip.by_index(n).map_err(|e| refuse(format!("file {} cannot be read: {e}", n + 1)))?;
        let raw = file.name_raw().to_vec();
        let path = match std::str::from_utf8(&raw) {
            Ok(path) => path.to_owned(),
            Err(_) => return Err(refuse(format!("the name of file {} is not UTF-8", n + 1))),
        };
        let kind = file.unix_mode().unwrap_or(0) & 0o170_000;
        if file.encrypted() {
            return Err(refuse(format!("{path:?} is encrypted")));
        }
        if let Some(why) = name_problem(path.strip_suffix('/').unwrap_or(&path)) {
            return Err(refuse(format!("{path:?} {why}")));
        }
        match (file.is_dir(), kind) {
            (true, 0 | 0o040_000) => continue,
            (false, 0 | 0o100_000) => {}
            (_, 0o120_000) => return Err(refuse(format!("{path:?} is a link"))),
            _ => return Err(refuse(format!("{path:?} is a device, a pipe or a socket"))),
        }
        if !names.insert(composed(&path).to_lowercase()) {
            return Err(refuse(format!("{path:?} is there twice, in names that some systems do not distinguish")));
        }
        let (size, packed) = (file.size(), file.compressed_size());
        if size > MAX_FILE_BYTES {
            return Err(refuse(format!("{path:?} has {size} bytes, which is too large")));
        }
        if size > SMALL && size / packed.max(1) > MOST_RATIO {
            return Err(refuse(format!("{path:?} would have {} times its size in the archive", size / packed.max(1))));
        }
        left = left.checked_sub(size).ok_or_else(|| refuse("its files are too large together".to_owned()))?;
        let mut content = Vec::new();
        // The sizes are only what the archive says.
        file.take(size + 1).read_to_end(&mut content).map_err(|e| refuse(format!("{path:?} cannot be read: {e}")))?;
        if content.len() as u64 != size {
            return Err(refuse(format!("{path:?} does not have the size that the archive says")));
        }
        files.insert(path, content);
    }
    let is_folder =
        |path: &str| path.match_indices('/').any(|(at, _)| names.contains(&composed(&path[..at]).to_lowercase()));
    if let Some(path) = files.keys().find(|path| is_folder(path)) {
        return Err(refuse(format!("{path:?} is in a folder that is a file")));
    }
    Ok(files)
}

/// The number of records in the directory of a zip; `None` if it is damaged.
fn records(bytes: &[u8], start: u64) -> Option<usize> {
    let mut at = usize::try_from(start).ok()?;
    let mut count = 0;
    while bytes.get(at..)?.starts_with(RECORD) {
        let length = |from: usize| Some(usize::from(u16::from_le_bytes(*bytes.get(at + from..)?.first_chunk()?)));
        at += RECORD_BYTES + length(28)? + length(30)? + length(32)?;
        count += 1;
    }
    Some(count)
}

/// Why a path in an archive is not one within a folder, on any system.
fn name_problem(path: &str) -> Option<&'static str> {
    // CON, NUL, COM1: devices on Windows, with any extension.
    let reserved = |name: &str| {
        let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
        let numbered =
            |prefix| stem.strip_prefix(prefix).is_some_and(|n: &str| n.chars().count() == 1 && !n.starts_with('0'));
        matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
    };
    if path.is_empty() || path.len() > LONGEST_PATH || path.matches('/').count() >= DEEPEST {
        return Some("is not a path that an export writes");
    }
    if path.starts_with('/') || path.contains(['\\', ':']) {
        return Some("is not a path within a folder");
    }
    if path.chars().any(|c| c.is_control() || tracebook_core::text::is_hidden(c)) {
        return Some("has characters in its name that cannot be seen");
    }
    for name in path.split('/') {
        if name == ".." || name == "." {
            return Some("leads out of its folder");
        }
        if name.is_empty()
            || name.len() > LONGEST_NAME
            || name.ends_with(['.', ' '])
            || name.contains(['<', '>', '"', '|', '?', '*'])
        {
            return Some("has a name that some systems do not allow");
        }
        if reserved(name) {
            return Some("has a name that is reserved on some systems");
        }
    }
    None
}

/// Takes out what could not be read again: names that some systems do not allow. Returns a warning for each.
pub(super) fn leave_out(files: &mut Files) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    files.retain(|path, _| {
        let twice =
            || (!names.insert(composed(path).to_lowercase())).then_some("differs from another only by letter case");
        let problem = name_problem(path).or_else(twice);
        warnings.extend(problem.map(|why| format!("{path} {why}, so it was left out; rename it")));
        problem.is_none()
    });
    warnings
}

/// Writes the files of an archive into a private temporary folder, which is removed with the answer.
pub(super) fn spread(files: &Files) -> Result<tempfile::TempDir, Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("tracebook-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let dir = builder.tempdir().map_err(|e| cannot_write(&std::env::temp_dir(), &e))?;
    for (path, bytes) in files {
        let path = dir.path().join(path);
        let parent = path.parent().unwrap_or(Path::new(""));
        let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, bytes));
        written.map_err(|e| cannot_write(&path, &e))?;
    }
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Files {
        names.iter().map(|name| ((*name).to_owned(), name.as_bytes().to_vec())).collect()
    }

    fn refused(bytes: &[u8]) -> String {
        let error = unpack("a.zip", bytes).expect_err("is refused");
        assert_eq!(error.code, Code::Refused);
        error.message
    }

    /// An archive as other programs could write it.
    fn written(names: &[(&str, u32)]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, mode) in names {
            zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).expect("starts");
            zip.write_all(b"x").expect("writes");
        }
        zip.finish().expect("ends").into_inner()
    }

    fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let mut bytes = bytes.to_vec();
        while let Some(at) = bytes.windows(from.len()).position(|window| window == from) {
            bytes[at..at + from.len()].copy_from_slice(to);
        }
        bytes
    }

    #[test]
    fn an_archive_has_the_same_bytes_and_leads_back() {
        let mut files = files(&["journal/week1.md", "journal/assets/week1/ü.svg", "journal/a b.md"]);
        files.insert("journal/zeros.json".to_owned(), vec![b'0'; 3 << 20]);
        files.insert("journal/empty".to_owned(), Vec::new());
        let bytes = pack(&files).expect("packs");
        assert_eq!(pack(&files).expect("packs"), bytes);
        assert_eq!(unpack("a.zip", &bytes).expect("unpacks"), files);
        let dir = spread(&files).expect("writes");
        assert_eq!(std::fs::read(dir.path().join("journal/a b.md")).expect("reads"), b"journal/a b.md");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&dir.path().metadata().expect("is there").permissions());
            assert_eq!(mode & 0o777, 0o700);
        }
    }

    #[test]
    fn paths_that_leave_the_folder_or_cannot_be_files_are_refused() {
        for (name, why) in [
            ("../a", "leads out"),
            ("a/../../b", "leads out"),
            ("/etc/passwd", "not a path within"),
            ("C:/a", "not a path within"),
            ("a\\..\\b", "not a path within"),
            ("a:b", "not a path within"),
            ("a//b", "do not allow"),
            ("a./b", "do not allow"),
            ("a ", "do not allow"),
            ("a*b", "do not allow"),
            ("con", "reserved"),
            ("journal/NUL.md", "reserved"),
            ("journal/com1.tar.gz", "reserved"),
            ("LPT9", "reserved"),
            ("a\nb", "cannot be seen"),
            ("a\u{202e}b", "cannot be seen"),
        ] {
            assert!(name_problem(name).is_some_and(|said| said.contains(why)), "{name}");
        }
        assert!(name_problem(&"a/".repeat(40)).is_some() && name_problem(&"a".repeat(256)).is_some());
        for name in ["journal/week1.md", "journal/console.md", "com10", "COM0", ".gitattributes", "nulls.md"] {
            assert_eq!(name_problem(name), None, "{name}");
        }
        for name in ["../evil", "/evil", "a/../../evil"] {
            assert!(refused(&written(&[(name, 0o644)])).contains(name), "{name}");
        }
    }

    #[test]
    fn what_could_not_be_read_again_is_left_out() {
        let mut all =
            files(&["journal/a.md", "journal/assets/a/15:20.png", "journal/assets/a/B.png", "journal/assets/a/b.png"]);
        let warnings = leave_out(&mut all);
        assert_eq!(all, files(&["journal/a.md", "journal/assets/a/B.png"]));
        assert!(warnings[0].contains("15:20.png") && warnings[1].contains("letter case"), "{warnings:?}");
        unpack("a.zip", &pack(&all).expect("packs")).expect("unpacks");
    }

    #[test]
    fn links_devices_and_duplicates_are_refused() {
        let plain = written(&[("abc", 0o644), ("abd", 0o644)]);
        assert_eq!(unpack("a.zip", &plain).expect("unpacks").len(), 2);
        assert!(refused(&replaced(&plain, b"abd", b"abc")).contains("same name"));
        assert!(refused(&replaced(&plain, b"abd", b"ABC")).contains("twice"));
        assert!(refused(&written(&[("a", 0o644), ("a/b", 0o644)])).contains("folder that is a file"));
        // The mode is in the upper half of the external attributes: a regular file is 0o100644.
        let mode = |mode: u32| (mode << 16).to_le_bytes();
        let one = written(&[("abc", 0o644)]);
        for (kind, why) in [(0o120_777, "is a link"), (0o020_644, "device"), (0o010_644, "pipe"), (0o140_644, "socket")]
        {
            assert!(refused(&replaced(&one, &mode(0o100_644), &mode(kind))).contains(why), "{kind:o}");
        }
        assert!(refused(&[b"#!/bin/sh\n", &*one].concat()).contains("before the archive"));
        assert!(refused(b"PK\x03\x04 no").contains("no archive"));
        assert!(refused(&one[..one.len() / 2]).contains("no archive"));
    }

    #[test]
    fn bombs_are_refused() {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("zeros", SimpleFileOptions::default()).expect("starts");
        zip.write_all(&vec![0; 8 << 20]).expect("writes");
        let bomb = zip.finish().expect("ends").into_inner();
        assert!(bomb.len() < 32 << 10 && refused(&bomb).contains("times its size"));
        // One that lies about its sizes.
        let lie = replaced(&bomb, &(8_u32 << 20).to_le_bytes(), &100_u32.to_le_bytes());
        assert!(unpack("a.zip", &lie).is_err());
        let large = replaced(&bomb, &(8_u32 << 20).to_le_bytes(), &(65_u32 << 20).to_le_bytes());
        assert!(refused(&large).contains("too large"));
        let many: Vec<String> = (0..=MOST_FILES).map(|n| n.to_string()).collect();
        let many: Vec<(&str, u32)> = many.iter().map(|name| (name.as_str(), 0o644)).collect();
        assert!(refused(&written(&many)).contains("more than"));
    }
}
