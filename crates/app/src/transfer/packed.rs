//! Exports in one file: bundles and pages, written and read back.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tracebook_core::ids::Id;
use tracebook_render::html;
use tracebook_render::manifest::{self, Line, Manifest};

use super::Transfer;
use super::archive::{self, Files, MAX_ARCHIVE_BYTES};
use super::export::{SIGNATURE, Writing, Written};
use crate::ground::error::Error;
use crate::ground::folder::Folder;
use crate::ground::schema::{ExportFormat, Exported};
use crate::ground::tasks::blocking;
use crate::signing::Signer;

/// An export that is written as one file.
pub(super) struct Packing {
    format: ExportFormat,
    /// The folder of the file, and its name if the user gave one.
    pub(super) folder: String,
    name: Option<String>,
    raw: bool,
    pub(super) files: Files,
}

impl Packing {
    /// `None` if the export is files. `to` is a folder, or a file with the format's extension.
    pub(super) fn of(format: ExportFormat, to: &str, raw: bool) -> Option<Self> {
        let extension = extension(format)?;
        let path = Path::new(to.trim());
        let is_file = path.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension)) && !path.is_dir();
        let name = path.file_name().filter(|_| is_file).map(|name| name.to_string_lossy().into_owned());
        let folder = match name {
            Some(_) => path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")),
            None => path,
        };
        Some(Self { format, folder: folder.display().to_string(), name, raw, files: Files::new() })
    }

    /// The name of the file: of the entry if it is the only one, and was named.
    fn name(&self, stem: Option<&str>) -> String {
        let extension = extension(self.format).unwrap_or_default();
        self.name.clone().unwrap_or_else(|| format!("{}.{extension}", stem.unwrap_or("journal")))
    }
}

fn extension(format: ExportFormat) -> Option<&'static str> {
    match format {
        ExportFormat::Github => None,
        ExportFormat::Html => Some("html"),
        ExportFormat::Bundle => Some("zip"),
    }
}

impl Transfer {
    /// Adds the raw data of evidence, if that was asked for.
    pub(super) async fn pack_raw(&self, packing: &mut Packing, evidence: &[Id]) -> Result<(), Error> {
        if packing.raw {
            for id in evidence {
                let raw = self.journal.store.evidence_raw(*id).await?;
                if !raw.is_empty() {
                    packing.files.insert(format!("raw/{id}.json"), raw);
                }
            }
        }
        Ok(())
    }

    /// Writes the file, unless it is there with the same content. `stem` is the name of the only entry.
    pub(super) async fn write_packed(
        &self,
        packing: Packing,
        (writing, root_name): (&Writing, &str),
        (lines, stem): (Vec<Line>, Option<&str>),
        signer: Option<Signer>,
        done: &mut Exported,
    ) -> Result<(), Error> {
        let name = packing.name(stem);
        let Packing { format, mut files, .. } = packing;
        let mut manifest = Manifest::default().with(lines, |_| false);
        manifest.signer = signer.as_ref().map(Signer::fingerprint);
        done.signed_by = manifest.signer.clone();
        let manifest = manifest.to_text().into_bytes();
        if let Some(signer) = signer {
            // Some kinds of keys sign differently each time: what is there already stays.
            let there = writing.root.read(Path::new(&name), MAX_ARCHIVE_BYTES).ok();
            let there =
                there.and_then(|bytes| read(&name, &bytes).ok()).and_then(|read| read.files.get(SIGNATURE).cloned());
            let bytes = manifest.clone();
            let signature = match there.filter(|there| signer.has_signed(there, &bytes)) {
                Some(there) => there,
                None => blocking(move || signer.sign(&bytes)).await??.into_bytes(),
            };
            files.insert(SIGNATURE.to_owned(), signature);
        }
        files.insert(format!("journal/{}", manifest::NAME), manifest);
        done.warnings.extend(archive::leave_out(&mut files));
        let bytes = blocking(move || {
            let packed = archive::pack(&files)?;
            Ok::<_, Error>(match format {
                ExportFormat::Html => html::page(&files, &STANDARD.encode(packed)).into_bytes(),
                ExportFormat::Github | ExportFormat::Bundle => packed,
            })
        })
        .await??;
        if bytes.len() as u64 > MAX_ARCHIVE_BYTES {
            return Err(Error::usage(
                format!("{name} would have {} bytes, which is too large to be read again", bytes.len()),
                "Export fewer entries into one file",
            ));
        }
        let known = self.journal.store.known_files(root_name).await?.remove(&name);
        let ours = match writing.file(&name, &bytes, known.as_ref())? {
            Written::Now(there) => {
                done.written.push(name.clone());
                there
            }
            Written::Already(there) => {
                done.unchanged += 1;
                there
            }
            Written::Refused(what) => {
                done.warnings.extend(what.map(|what| format!("{name} is {what}, not a file")));
                done.signed_by = None;
                done.refused.push(name);
                return Ok(());
            }
        };
        if known.as_ref() != Some(&ours) {
            self.journal.store.remember_files(root_name, &[(name, ours)]).await?;
        }
        Ok(())
    }
}

/// An export that was read from one file.
pub(super) struct Read {
    pub(super) files: Files,
    /// What contradicts the files in a page.
    pub(super) contradiction: Option<Contradiction>,
}

/// Why what a page shows cannot be taken for its files.
pub(super) enum Contradiction {
    /// It shows something else.
    Edited,
    /// Another version wrote it, so it cannot be compared.
    OtherVersion(String),
}

/// Whether a file is read as an export in one file.
pub(super) fn is_packed(path: &Path) -> bool {
    ["zip", "html", "htm"].iter().any(|known| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(known)))
}

/// Reads a bundle or a page. `shown` is its name, for messages.
///
/// # Errors
/// If it is neither, or contains what no export writes.
pub(super) fn read(shown: &str, bytes: &[u8]) -> Result<Read, Error> {
    if archive::is_zip(bytes) {
        return Ok(Read { files: archive::unpack(shown, bytes)?, contradiction: None });
    }
    let foreign = || {
        Error::usage(
            format!("{shown} is neither a bundle nor a page that Tracebook exported"),
            "Name a file that `export --format bundle` or `--format html` wrote",
        )
    };
    // Checkouts on Windows change line ends.
    let plain = |text: &str| text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let page = plain(std::str::from_utf8(bytes).map_err(|_| foreign())?);
    let found = html::embedded(&page).ok_or_else(foreign)?;
    let packed = STANDARD.decode(found.data).map_err(|_| foreign())?;
    let files = archive::unpack(shown, &packed)?;
    let contradiction = if !html::is_current(&found) {
        Some(Contradiction::OtherVersion(found.renderer.to_owned()))
    } else {
        (plain(&html::page(&files, found.data)) != page).then_some(Contradiction::Edited)
    };
    Ok(Read { files, contradiction })
}

/// Reads an export in one file from the disk, and spreads it in a private folder.
///
/// # Errors
/// As [`read`], and if the file cannot be read.
pub(super) fn open(path: &Path) -> Result<(tempfile::TempDir, Option<Contradiction>), Error> {
    let shown = path.display().to_string();
    let hint = "Name a file that `export --format bundle` or `--format html` wrote";
    let cannot = |why: String| Error::not_found(format!("{shown}: {why}"), hint);
    let real: PathBuf = path.canonicalize().map_err(|e| cannot(e.to_string()))?;
    let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
        return Err(cannot("it has no folder".to_owned()));
    };
    let folder = Folder::open(parent).map_err(|e| cannot(e.to_string()))?;
    let bytes = folder.read(Path::new(name), MAX_ARCHIVE_BYTES).map_err(|why| cannot(why.to_string()))?;
    let Read { files, contradiction } = read(&shown, &bytes)?;
    Ok((archive::spread(&files)?, contradiction))
}
