//! What a request to a receiver does, and whether its sender may do that.
//!
//! SDKs only send, and ask X-Ray for sampling rules. The APIs of X-Ray and CloudWatch Logs also read back what others
//! sent, delete it, and change which requests X-Ray samples. Who may do that is decided by the app, which knows the
//! addresses and users of this machine.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::receive::{Action, Counters};
use crate::serve::Connection;
use crate::{amzn, body, cloudwatch, xray};

/// Decides who may do what.
#[async_trait]
pub trait Policy: Send + Sync {
    /// The answer to a refused request, for people: why, and how to allow it.
    async fn objection(&self, action: Action, connection: &Connection) -> Option<String>;
}

/// A request with a larger body is refused before it was sent completely.
const LARGEST_UNREAD: usize = 256 * 1024;

/// Refuses requests that the policy does not allow, with the error that the vendor's API has for that. To be called
/// on a router that has all its routes.
pub fn limit(router: Router, policy: Arc<dyn Policy>, counters: Arc<Counters>) -> Router {
    router.layer(middleware::from_fn_with_state(Limits { policy, counters }, check))
}

#[derive(Clone)]
struct Limits {
    policy: Arc<dyn Policy>,
    counters: Arc<Counters>,
}

async fn check(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let action = action(&request);
    let objection = match request.extensions().get::<Connection>() {
        Some(connection) => limits.policy.objection(action, connection).await,
        None => Some("The connection of this request is unknown.".to_owned()),
    };
    let Some(words) = objection else { return next.run(request).await };
    limits.counters.refused(format!("{}: {words}", crate::text::clip(request.uri().path())));
    let is_logs = request.headers().contains_key(cloudwatch::receiver::TARGET);
    // A client that is still sending reads no answer; a body that is too large for that is cut off.
    body::receive(request.into_body(), LARGEST_UNREAD, body::Bounds::usual()).await.ok();
    amzn::dressed(refusal(is_logs, &words)).await
}

/// AWS's own clients use both spellings of `message`.
fn refusal(is_logs: bool, words: &str) -> Response {
    const ERROR: &str = "AccessDeniedException";
    let body = json!({"__type": ERROR, "message": words, "Message": words}).to_string();
    let (status, kind) = match is_logs {
        true => (StatusCode::BAD_REQUEST, "application/x-amz-json-1.1"),
        false => (StatusCode::FORBIDDEN, "application/json"),
    };
    let mut answer = (status, [(header::CONTENT_TYPE, kind), (amzn::ERROR_TYPE, ERROR)], body.clone()).into_response();
    if is_logs {
        answer.headers_mut().extend([amzn::crc32(body.as_bytes())]);
    }
    answer
}

/// The action of a request. A route that is not known here changes something until it is.
fn action(request: &Request) -> Action {
    // Without a route, the router's fallback describes what is served, which everybody may read.
    match request.extensions().get::<MatchedPath>() {
        Some(path) => action_of(path.as_str(), request.headers()),
        None => Action::Send,
    }
}

fn action_of(path: &str, headers: &HeaderMap) -> Action {
    let sends = ["/v1/", "/api/", "/opentelemetry.proto.collector."].iter().any(|prefix| path.starts_with(prefix));
    match path {
        "/" => cloudwatch::receiver::action(headers),
        "/api" => Action::Send,
        _ if sends => Action::Send,
        _ => xray::receiver::action(path),
    }
}

#[cfg(test)]
mod tests;
