//! What the clients of cloud sources share: rate limits, retries, HTTP, and errors.
//!
//! A client makes all requests through [`Fetch::call`], which waits for the API's documented quota, counts the request,
//! repeats it if it was throttled, and returns at once when the user cancels. Clients report progress (pages, rows so
//! far) with [`Fetch::progress`].

mod error;
mod fetch;
mod http;
mod limits;
pub(crate) mod rest;
mod secret;
#[cfg(test)]
mod tests;

pub use error::{Fault, SourceError};
pub use fetch::{Fetch, Meter, NoMeter, Progress, Used};
pub(crate) use http::direct;
pub use http::{Http, client, refused};
pub use limits::{Api, Limits};
pub use rest::is_local;
pub use secret::Secret;

use tracebook_core::time::Nanos;

/// A range of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Inclusive.
    pub from: Nanos,
    /// Exclusive.
    pub until: Nanos,
}
