//! Pictures of entries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use tracebook_core::ids::Id;

/// An attachment in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AttachmentRow {
    pub id: Id,
    /// The name of its file.
    pub name: String,
    /// Its length.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Of its content, in hex digits.
    pub sha256: String,
    /// Slugs of the entries that it was added to, without those in the bin.
    pub entries: Vec<String>,
    /// Its media type, judged by its content.
    pub media: String,
    /// In pixels, as it is shown; left out where the file does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub width: Option<u32>,
    /// In pixels, as it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub height: Option<u32>,
    /// RFC 3339 UTC.
    pub created_at: String,
    /// Where entries show it.
    pub places: Vec<AttachmentPlace>,
    /// Whether it is in the bin.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<_>")]
    pub deleted: bool,
    /// Whether its content was erased for good.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<_>")]
    pub purged: bool,
}

/// Where an entry shows an attachment. Both paths are relative to the folder of an export, with `/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AttachmentPlace {
    pub entry: Id,
    /// What the text names: `journal/assets/week2/login.png` for `assets/week2/login.png`.
    pub link: String,
    /// The file in an export; it differs where the text does not name the folder.
    pub path: String,
}

/// Which attachments to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct AttachmentList {
    /// Id or slug; null for all.
    #[serde(default)]
    #[ts(optional)]
    pub entry: Option<String>,
    /// Those in the bin instead of the others; ignored with `entry`.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub deleted: bool,
}

/// A picture to add to an entry. What it contains beside the picture (Exif with the place, XMP, texts) is removed.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct AttachmentAdd {
    /// Id or slug.
    pub entry: String,
    /// The name of the file that it comes from; empty if it has none.
    pub name: String,
    /// Its bytes in base64.
    pub data: String,
    /// The alternative text; proposed from the name if null.
    #[serde(default)]
    #[ts(optional)]
    pub alt: Option<String>,
    /// Also write its reference to the end of the entry's text; otherwise that is left to the caller, whose editor has
    /// the text.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub append: bool,
}

impl AttachmentAdd {
    /// A picture with these bytes, whose reference is written to the entry.
    pub fn appended(entry: String, name: String, bytes: &[u8], alt: Option<String>) -> Self {
        Self { entry, name, data: BASE64.encode(bytes), alt, append: true }
    }

    /// The bytes; `None` if they are not base64.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        BASE64.decode(&self.data).ok()
    }
}

/// A picture that was added.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct AttachmentAdded {
    #[serde(flatten)]
    #[ts(flatten)]
    pub row: AttachmentRow,
    /// A markdown reference to it.
    pub reference: String,
    /// The alternative text in the reference; may be empty.
    pub alt: String,
    /// What was removed from it: `Exif`, `XMP`, …
    pub removed: Vec<String>,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

/// An attachment to delete.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct AttachmentDelete {
    pub id: Id,
    /// Erase its content for good.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub purge: bool,
}

/// The attachment to take out of the bin.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct AttachmentRestore {
    pub id: Id,
}
