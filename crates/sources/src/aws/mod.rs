//! What the clients of X-Ray and CloudWatch Logs share: profiles, credentials, endpoints, and AWS's errors.

mod address;
mod endpoint;
pub mod errors;
mod identity;
mod profiles;
mod regions;
mod session;
mod shared_file;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod text;

pub use identity::Identity;
#[doc(hidden)]
pub use profiles::read_config;
pub use profiles::{CredentialKind, Profile, profiles, region};
pub use regions::REGIONS;
pub(crate) use regions::is_region;
pub use session::{Connection, Settings, connect};
