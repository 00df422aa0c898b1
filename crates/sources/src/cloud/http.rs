//! The HTTP client of the sources that have no SDK, and what is read from an answer.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode, redirect};

use super::error::{Fault, SourceError};

/// Time to connect.
const CONNECT: Duration = Duration::from_secs(5);
/// Time until the end of an answer.
const WHOLE: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const MAX_BYTES: usize = 32 << 20;

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Http {
    pub status: u16,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    pub body: Vec<u8>,
}

/// A client with timeouts that follows no redirects, because a header with a token, or a `Location` that repeats one,
/// must not be sent elsewhere. Uses the system's proxy if there is one.
///
/// # Errors
/// If the platform's certificates cannot be read.
pub fn client(agent: &str) -> Result<reqwest::Client, SourceError> {
    built(agent, reqwest::Client::builder())
}

/// The same for an address of this machine, which proxies cannot reach and must not see the token for.
///
/// # Errors
/// As [`client`].
pub(crate) fn direct(agent: &str) -> Result<reqwest::Client, SourceError> {
    built(agent, reqwest::Client::builder().no_proxy())
}

fn built(agent: &str, builder: reqwest::ClientBuilder) -> Result<reqwest::Client, SourceError> {
    builder
        .user_agent(agent)
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .build()
        .map_err(|e| SourceError::new(Fault::Broken, format!("no HTTP client: {}", e.without_url()), ""))
}

impl Http {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`Fault::Unreachable`] if the connection is cut, [`Fault::Broken`] if the answer is larger than expected.
    pub async fn read(mut response: Response) -> Result<Self, SourceError> {
        let status = response.status().as_u16();
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse().ok());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| refused(&e))? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(SourceError::new(
                    Fault::Broken,
                    format!("the answer is larger than {} MiB", MAX_BYTES >> 20),
                    "Request less: a shorter range, a narrower filter",
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self { status, retry_after, body })
    }

    /// Whether the status is a success.
    pub fn is_success(&self) -> bool {
        StatusCode::from_u16(self.status).is_ok_and(|s| s.is_success())
    }
}

/// What a failed exchange means. The URL is left out, because it may contain a token.
pub fn refused(error: &reqwest::Error) -> SourceError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let host = error.url().and_then(|u| u.host_str()).unwrap_or("the source").to_owned();
    let message = if error.is_timeout() {
        format!("{host} did not answer in time")
    } else if error.is_connect() {
        format!("{host} cannot be reached: {cause}")
    } else {
        format!("the connection to {host} was cut: {cause}")
    };
    SourceError::new(Fault::Unreachable, message, "Check the network; captured evidence remains readable")
}
