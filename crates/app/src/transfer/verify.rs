//! Checks whether exported evidence is unchanged. Needs no journal.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use tracebook_core::ids::Id;
use tracebook_render::verify::{self, Verdict};

use crate::ground::error::Error;
use crate::ground::files::{is_markdown, read_below, read_regular};

/// The result for all files.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// Whether picture, table and data agree in all files.
    pub ok: bool,
    /// One row for each evidence.
    pub evidence: Vec<VerifiedEvidence>,
}

/// The result for one evidence.
#[derive(Clone, Debug, Serialize)]
pub struct VerifiedEvidence {
    pub file: String,
    /// `None` where it cannot be determined.
    pub id: Option<Id>,
    pub verdict: Verdict,
    /// The reason, for the user.
    pub why: String,
}

/// Folders that are not searched.
const SKIPPED: &[&str] = &[".git", "node_modules", "target", ".venv"];

/// Checks files and folders.
///
/// # Errors
/// If a path does not exist.
pub fn verify(paths: &[String]) -> Result<Verified, Error> {
    let mut evidence: Vec<VerifiedEvidence> = Vec::new();
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    for given in paths {
        let path = Path::new(given);
        let meta = std::fs::metadata(path).map_err(|e| {
            Error::not_found(format!("{given}: {e}"), "Name a clone, a folder, a markdown file or an SVG")
        })?;
        let named = meta.is_file();
        if !named && !meta.is_dir() {
            return Err(Error::usage(
                format!("{given} is neither a file nor a folder"),
                "Name a clone, a folder, a markdown file or an SVG",
            ));
        }
        let mut files = Vec::new();
        match named {
            true => files.push(path.to_owned()),
            false => walk(path, &mut files, 0),
        }
        files.sort();
        // Text first: it names the evidence that has to be there.
        for file in files.iter().filter(|f| is_markdown(f)) {
            let Some(text) = read_regular(file).and_then(|bytes| String::from_utf8(bytes).ok()) else {
                evidence.push(VerifiedEvidence {
                    file: file.display().to_string(),
                    id: None,
                    verdict: Verdict::Edited,
                    why: "the text cannot be read as UTF-8".to_owned(),
                });
                continue;
            };
            let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
            let read = |path: &str| read_below(&folder, path);
            for row in verify::markdown(&file.display().to_string(), &text, &read) {
                let shown = PathBuf::from(&row.file);
                seen.insert(shown.canonicalize().unwrap_or_else(|_| shown.clone()));
                evidence.push(VerifiedEvidence {
                    file: shown.display().to_string(),
                    id: row.id,
                    verdict: row.verdict,
                    why: row.why,
                });
            }
        }
        for file in files.iter().filter(|f| has_extension(f, "svg")) {
            if !seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
                continue;
            }
            let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
            let (id, verdict, why) = match read_regular(file) {
                Some(bytes) => verify::svg(&bytes, &|name: &str| read_below(&folder, name)),
                None => (None, Verdict::Foreign, "it cannot be read".to_owned()),
            };
            // Foreign pictures in the same folder are ignored, unless they were named.
            if verdict != Verdict::Foreign || named {
                evidence.push(VerifiedEvidence { file: file.display().to_string(), id, verdict, why });
            }
        }
    }
    let ok = evidence.iter().all(|e| matches!(e.verdict, Verdict::Intact | Verdict::Masked));
    Ok(Verified { ok, evidence })
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case(wanted))
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>, depth: usize) {
    if depth > 32 {
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            // Links are not followed, since a clone is not trusted.
            Ok(kind) if kind.is_dir() && !SKIPPED.iter().any(|s| entry.file_name() == *s) => {
                walk(&path, files, depth + 1);
            }
            Ok(kind) if kind.is_file() && (is_markdown(&path) || has_extension(&path, "svg")) => files.push(path),
            _ => {}
        }
    }
}
