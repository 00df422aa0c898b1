//! Whether an exported text still says what it said when it was exported.

use serde::Serialize;
use tracebook_core::canonical::digest;

use crate::export::{ENTRY_FILE, EntryFile, says};

/// The verdict on the text of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryVerdict {
    /// It says what was exported, perhaps formatted otherwise.
    Intact,
    /// Its prose was changed after the export. That is the author's right, and no fault.
    Changed,
    /// Its `entry.json` is there, but it is not.
    Missing,
}

impl EntryVerdict {
    /// The name in the command line's output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Changed => "changed",
            Self::Missing => "missing",
        }
    }
}

/// What `entry.json` says of an exported text.
#[derive(Debug)]
pub struct Exported(EntryFile);

impl Exported {
    /// Reads an `entry.json`; `None` if it is not one of this app, or of a newer version.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let about: EntryFile = serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()?;
        (about.tracebook <= ENTRY_FILE).then_some(Self(about))
    }

    /// The folder of the entry's pictures, relative to its text: `assets/week2`.
    pub fn folder(&self) -> &str {
        &self.0.folder
    }

    /// The verdict on the text, and why.
    pub fn verdict(&self, md: &str) -> (EntryVerdict, String) {
        let same = digest(md.as_bytes()) == self.0.digest;
        if same || digest(md.replace("\r\n", "\n").as_bytes()) == self.0.digest {
            return (EntryVerdict::Intact, "the text is as it was exported".to_owned());
        }
        match &self.0.says {
            Some(said) if *said == says(md) => {
                (EntryVerdict::Intact, "the text was formatted, and says what was exported".to_owned())
            }
            Some(_) => (EntryVerdict::Changed, "the text was changed after the export".to_owned()),
            None => {
                let why = "the text was changed or formatted after the export, which an earlier version wrote";
                (EntryVerdict::Changed, why.to_owned())
            }
        }
    }
}
