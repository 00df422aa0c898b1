//! Whether an exported text still says what it said when it was exported.

use std::borrow::Cow;

use serde::Serialize;
use tracebook_core::canonical::digest;
use tracebook_core::ids::Id;
use unicode_normalization::UnicodeNormalization as _;

use crate::entry_file::EntryFile;
use crate::manifest::Line;
use crate::markdown::shape;

/// The verdict on the text of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryVerdict {
    /// It says what was exported, perhaps formatted otherwise.
    Intact,
    /// Its prose was changed after the export. That is the author's right, and no fault.
    Changed,
    /// The manifest or its `entry.json` names it, but it is not there.
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
pub struct Exported(pub(crate) EntryFile);

impl Exported {
    /// Reads an `entry.json`; `None` if it is not one of this app, or of a newer version.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        EntryFile::read(bytes).ok().filter(EntryFile::is_known).map(Self)
    }

    /// The entry.
    pub fn id(&self) -> Id {
        self.0.id
    }

    /// The week that the entry is of.
    pub fn week(&self) -> Option<&str> {
        self.0.week.as_deref()
    }

    /// The folder of the entry's pictures, relative to its text: `assets/week2`.
    pub fn folder(&self) -> &str {
        &self.0.folder
    }

    /// The evidence that the entry shows, as often as it does.
    pub fn evidence(&self) -> impl Iterator<Item = Id> {
        self.0.references.iter().map(|reference| reference.evidence)
    }

    /// The verdict on the text, by what this file says of it; `None` if the file says nothing, as those of format 2.
    pub(crate) fn verdict(&self, md: &str, said: &str, raw: &str) -> Option<(EntryVerdict, String)> {
        let (expected, says) = (self.0.digest.as_ref(), self.0.says.as_ref());
        let is_expected = |text: &str| expected.is_some_and(|expected| digest(text.as_bytes()) == *expected);
        if is_expected(md) || md.contains('\r') && is_expected(&md.replace("\r\n", "\n")) {
            return Some((EntryVerdict::Intact, UNCHANGED.to_owned()));
        }
        match says {
            Some(says) if says == said || says == raw => Some((EntryVerdict::Intact, FORMATTED.to_owned())),
            Some(_) => Some((EntryVerdict::Changed, CHANGED.to_owned())),
            None if self.0.tracebook < 2 => {
                let why = "the text was changed or formatted after the export, which an earlier version wrote";
                Some((EntryVerdict::Changed, why.to_owned()))
            }
            None => None,
        }
    }
}

const UNCHANGED: &str = "the text is as it was exported";
const FORMATTED: &str = "the text was formatted, and says what was exported";
const CHANGED: &str = "the text was changed after the export";

/// The verdict on a text that says `said`, by its lines in the manifest; `None` if there are none.
pub(crate) fn by_manifest(said: &str, lines: &[Line]) -> Option<(EntryVerdict, String)> {
    match lines {
        [] => None,
        [line] if line.text == said => Some((EntryVerdict::Intact, "the text says what was exported".to_owned())),
        [_] => Some((EntryVerdict::Changed, CHANGED.to_owned())),
        several if several.iter().any(|line| line.text == said) => {
            Some((EntryVerdict::Intact, "the text says what one of the merged branches exported".to_owned()))
        }
        _ => Some((EntryVerdict::Changed, "the text was merged or changed after the export".to_owned())),
    }
}

/// The digest of what a text says, however it is formatted.
pub fn says(md: &str) -> String {
    said(&shape(md.trim_start_matches('\u{feff}')))
}

/// The same of a text's shape.
pub(crate) fn said(shape: &[String]) -> String {
    digest(composed(&shape.join("\n")).as_bytes())
}

/// The same without a normal form, as versions up to format 1 computed it.
pub(crate) fn said_raw(shape: &[String]) -> String {
    digest(shape.join("\n").as_bytes())
}

/// A text in Unicode's composed form (NFC). File systems and editors of macOS decompose.
pub fn composed(text: &str) -> Cow<'_, str> {
    match text.is_ascii() || unicode_normalization::is_nfc(text) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

/// The other forms in which a file system may have a name.
pub fn other_names(path: &str) -> Vec<String> {
    if path.is_ascii() {
        return Vec::new();
    }
    let forms = [path.nfc().collect::<String>(), path.nfd().collect()];
    forms.into_iter().filter(|form| form != path).collect()
}
