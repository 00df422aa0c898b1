//! What X-Ray's and CloudWatch Logs' clients share: profiles, credentials, endpoints, and words for AWS's errors.

mod credentials;
mod endpoint;
pub mod errors;
mod identity;
mod profiles;
mod regions;
mod session;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use identity::Identity;
pub use profiles::{Kind, Profile, profiles, region};
pub use regions::REGIONS;
pub(crate) use regions::is_region;
pub use session::{Connection, Settings, connect};
