//! The team and environment of a key, and its permissions.

/// The team and environment of a key, and its permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    pub team: String,
    /// Its name in URLs.
    pub team_slug: String,
    /// Empty for a classic team.
    pub environment: String,
    /// Its name in URLs; empty for a classic team.
    pub environment_slug: String,
    /// Whether the team has no environments.
    pub classic: bool,
    /// `configuration` or `ingest`; empty if missing.
    pub kind: String,
    /// The key's permissions, in Honeycomb's words and order: `events`, `queries`, `boards`, …
    pub access: Vec<String>,
    /// What does not work with this key.
    pub notes: Vec<String>,
}
