//! What every client of a cloud source shares: politeness, patience, and words for what went wrong.
//!
//! A client makes each request through [`Fetch::call`], and nothing else: it waits for its turn at the API's documented
//! quota, counts the call, repeats it where the API said that it was too fast, and ends at once when the user
//! cancels. What a client learns on the way (pages, rows so far) it says with [`Fetch::progress`].

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

/// A stretch of time: from, inclusive, and until, exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first moment.
    pub from: Nanos,
    /// The first moment behind it.
    pub until: Nanos,
}
