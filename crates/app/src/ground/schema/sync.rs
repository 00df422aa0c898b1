//! Publishing by the user's own git.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use tracebook_core::ids::Id;

use super::{AttachmentRow, EvidenceRow, Passphrase};

/// Publishes the journal, and takes over what others changed. What is null is as the last time, or as the repository
/// says.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct SyncRun {
    /// A folder of the repository.
    #[serde(default)]
    #[ts(optional)]
    pub repo: Option<String>,
    /// The name of a remote of it.
    #[serde(default)]
    #[ts(optional)]
    pub remote: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub branch: Option<String>,
    /// The folder that gets `journal/`, relative to the root of the repository; `.` is the root.
    #[serde(default)]
    #[ts(optional)]
    pub folder: Option<String>,
    /// Only fetch, and tell what would be done.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub dry_run: bool,
    /// Whether git may ask on the terminal.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub prompt: bool,
    /// The passphrase of the key that signs exports.
    #[serde(default)]
    #[ts(optional)]
    pub passphrase: Option<Passphrase>,
}

/// What became of a sync.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Synced {
    /// The root of the repository.
    pub repo: String,
    pub remote: String,
    pub branch: String,
    /// Relative to the root; empty for the root.
    pub folder: String,
    /// The commit that the journal agrees with now; null for a dry run, and for a branch that does not exist.
    pub commit: Option<String>,
    /// Whether a commit was made and pushed.
    pub pushed: bool,
    pub dry_run: bool,
    /// What came from the branch.
    pub imported: SyncImported,
    /// What went to it.
    pub exported: SyncExported,
    /// The slugs of the entries that both sides changed.
    pub merged: Vec<String>,
    /// What both sides changed in different ways. Nothing is lost: the other version is kept as a revision.
    pub conflicts: Vec<SyncConflict>,
    /// The message of the commit; empty if there is none.
    pub message: String,
    pub warnings: Vec<String>,
}

/// What came from the branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SyncImported {
    pub entries: Vec<SyncedEntry>,
    /// Added.
    pub evidence: Vec<EvidenceRow>,
    /// Added or recognised.
    pub attachments: Vec<AttachmentRow>,
}

/// What went to the branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SyncExported {
    pub entries: Vec<SyncedEntry>,
    /// Paths below the folder.
    pub written: Vec<String>,
    /// Paths below the folder.
    pub removed: Vec<String>,
    pub unchanged: u32,
}

/// An entry that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SyncedEntry {
    pub id: Id,
    /// Its slug.
    pub entry: String,
    pub title: String,
    pub change: SyncChange,
}

/// What was done to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum SyncChange {
    Added,
    Edited,
    /// Moved into the bin.
    Deleted,
    /// Taken out of the bin.
    Restored,
}

/// An entry that both sides changed in different ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SyncConflict {
    pub id: Id,
    /// Its slug.
    pub entry: String,
    pub title: String,
    pub kind: SyncConflictKind,
    /// The revision that has the other text; null for a title, a week, a deletion and a dry run.
    #[ts(type = "number | null")]
    pub revision: Option<i64>,
    /// What happened, and where the other version is.
    pub message: String,
}

/// What both sides changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum SyncConflictKind {
    Text,
    Title,
    Week,
    /// One side deleted what the other edited.
    Deleted,
}

/// No arguments.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct SyncStatusRequest {}

/// Where the journal is published, without asking the remote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SyncStatus {
    /// Whether there is such a place; the other texts are empty if not.
    pub configured: bool,
    pub repo: String,
    pub remote: String,
    pub branch: String,
    pub folder: String,
    /// The commit that the journal agreed with last.
    pub commit: Option<String>,
    /// RFC 3339 UTC.
    pub synced_at: Option<String>,
    /// What the next sync publishes.
    pub changed: Vec<SyncedEntry>,
}

/// No arguments.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct SyncForget {}
