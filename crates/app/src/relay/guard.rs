//! Loop protection: an address of our own receivers is refused before anything is sent to it, and a receiver refuses
//! what another relay sends if it would forward it itself, so that no tunnel or second Tracebook closes a loop.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use reqwest::Url;

use tracebook_sources::cloud::{Fault, SourceError};
use tracebook_sources::refusals::refuse_request;

use super::Relay;
use crate::ground::settings::relay::Destination;

const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// Refuses an address that resolves to one of our own receivers.
///
/// # Errors
/// [`Fault::Unsupported`] for an own address. An invalid address is reported by whoever uses it.
pub(super) async fn refuse_own(address: &str, own: &[SocketAddr]) -> Result<(), SourceError> {
    let Ok(url) = Url::parse(address) else { return Ok(()) };
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return Ok(()) };
    // Names are resolved for our own ports only, which hardly any service uses.
    if !own.iter().any(|own| own.port() == port) {
        return Ok(());
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<IpAddr> = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) if is_this_machine(host) => return Err(refused(&url)),
        Err(_) => match tokio::time::timeout(LOOKUP_TIMEOUT, tokio::net::lookup_host((host, port))).await {
            Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
            // Nothing can be sent to a name that does not resolve.
            Ok(Err(_)) | Err(_) => Vec::new(),
        },
    };
    let of_this_machine: Vec<IpAddr> =
        if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|interface| interface.ip()).collect();
    let leads_here = |address: &IpAddr| {
        let address = address.to_canonical();
        address.is_loopback() || address.is_unspecified() || of_this_machine.contains(&address)
    };
    match addresses.iter().any(leads_here) {
        true => Err(refused(&url)),
        false => Ok(()),
    }
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host == "localhost"
        || host.ends_with(".localhost")
        || matches!(host, "host.docker.internal" | "host.containers.internal")
}

fn refused(url: &Url) -> SourceError {
    let place = url.host_str().map(|host| format!("{host}:{}", url.port_or_known_default().unwrap_or_default()));
    SourceError::new(
        Fault::Unsupported,
        format!(
            "{} is this app's own receiver: what is forwarded would be received again, in a loop",
            place.unwrap_or_default()
        ),
        "Set the URL of the real service",
    )
}

/// The answer to another relay.
const LOOP: &str = "refused to prevent a loop: this Tracebook forwards this itself";

impl Relay {
    /// A router that refuses what another relay sent and this one would forward. A loop through a foreign collector,
    /// which sends under its own name, is not detected.
    pub(crate) fn without_loops(&self, router: axum::Router) -> axum::Router {
        router.layer(middleware::from_fn_with_state(self.clone(), refuse_relayed))
    }
}

async fn refuse_relayed(State(relay): State<Relay>, request: Request, next: Next) -> Response {
    if is_relay(&request) && kind(&request).is_some_and(|to| relay.settings().is_on(to)) {
        refuse_request(LOOP);
        // OTLP and Rollbar clients read `message`, AWS's SDKs the type too.
        let body = serde_json::json!({ "__type": "LoopDetected", "err": 1, "message": LOOP });
        return (StatusCode::LOOP_DETECTED, axum::Json(body)).into_response();
    }
    next.run(request).await
}

/// Whether a relay of ours sends: named as agent in its own requests, as application in those of AWS's SDK.
fn is_relay(request: &Request) -> bool {
    let agents = [header::USER_AGENT.as_str(), "x-amz-user-agent"];
    let mut said = agents.into_iter().filter_map(|name| request.headers().get(name)?.to_str().ok());
    said.any(|agent| agent.starts_with("tracebook/") || agent.contains("app/tracebook"))
}

/// The destination that a write to a receiver would be forwarded to; `None` for reads.
fn kind(request: &Request) -> Option<Destination> {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    match request.uri().path() {
        "/" if target.is_some_and(|target| target.ends_with(".PutLogEvents")) => Some(Destination::Logs),
        "/TraceSegments" => Some(Destination::Xray),
        path if path.starts_with("/v1/") => Some(Destination::Otlp),
        path if path.starts_with("/api/1/") => Some(Destination::Rollbar),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_recognised_by_its_agent_and_a_write_by_its_path() {
        let request = |path: &str, name: &str, value: &str| {
            Request::builder().uri(path).header(name, value).body(axum::body::Body::empty()).expect("a request")
        };
        let sdk = "aws-sdk-rust/1.3.9 ua/2.1 api/xray/1.90.0 os/linux lang/rust/1.95.0 app/tracebook-0.1.0";
        for (name, value, is) in [
            ("user-agent", "tracebook/0.1.0", true),
            ("user-agent", sdk, true),
            ("x-amz-user-agent", sdk, true),
            ("user-agent", "OTel-OTLP-Exporter-Python/1.39.0", false),
            ("user-agent", "aws-sdk-rust/1.3.9 app/cruddur", false),
        ] {
            assert_eq!(is_relay(&request("/", name, value)), is, "{value}");
        }
        let logs = |operation: &str| kind(&request("/", "x-amz-target", &format!("Logs_20140328.{operation}")));
        assert_eq!((logs("PutLogEvents"), logs("DescribeLogGroups")), (Some(Destination::Logs), None));
        for (path, to) in [
            ("/v1/traces", Some(Destination::Otlp)),
            ("/TraceSegments", Some(Destination::Xray)),
            ("/api/1/item/", Some(Destination::Rollbar)),
            ("/GetSamplingRules", None),
        ] {
            assert_eq!(kind(&request(path, "a", "b")), to, "{path}");
        }
    }

    #[tokio::test]
    async fn our_own_receivers_are_recognised_by_any_name() {
        let own = ["127.0.0.1:4318".parse().expect("one"), "172.17.0.1:4318".parse().expect("one")];
        for address in [
            "http://127.0.0.1:4318",
            "http://127.8.9.1:4318/v1/traces",
            "http://localhost:4318",
            "http://LOCALHOST.:4318",
            "http://a.localhost:4318",
            "http://[::1]:4318",
            "http://[::ffff:127.0.0.1]:4318",
            "http://0.0.0.0:4318",
            "http://host.docker.internal:4318",
        ] {
            let error = refuse_own(address, &own).await.expect_err(address);
            assert!(error.message.contains(":4318 is this app's own receiver"), "{}", error.message);
        }
        for address in ["http://127.0.0.1:14318", "https://api.honeycomb.io", "http://192.0.2.7:4318", "no address"] {
            assert_eq!(refuse_own(address, &own).await, Ok(()), "{address}");
        }
    }
}
