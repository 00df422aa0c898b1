//! The doctor's checks of OpenTelemetry: variables of the shell, and requests by port.

use tracebook_store::request_log::RequestCount;

use super::{Findings, points_at, step, times};
use crate::ground::schema::Check;
use crate::ports::{GRPC_PORT, HTTP_PORT};

impl Findings {
    pub(super) fn otlp(&self, checks: &mut Vec<Check>) {
        let mut add =
            |check: &str, ok: bool, detail: String, fix: String| checks.push(step("otlp", check, ok, detail, fix));
        for (name, port) in [("http", HTTP_PORT), ("grpc", GRPC_PORT)] {
            let (ok, detail, fix) = self.listening(name, port);
            add(&format!("{name} receiver listens"), ok, detail, fix);
        }
        let http = self.address("http", HTTP_PORT);
        for (check, ok, detail, fix) in self.otlp_variables() {
            add(&check, ok, detail, fix);
        }
        for (name, silent) in [
            ("OTEL_SDK_DISABLED", &["true", "1"][..]),
            ("OTEL_TRACES_SAMPLER", &["always_off"]),
            ("OTEL_TRACES_EXPORTER", &["none", "console"]),
        ] {
            if let Some(value) = self.variable(name)
                && silent.contains(&value.to_lowercase().as_str())
            {
                add(
                    &format!("{name} of this shell"),
                    false,
                    format!("it is {value}: nothing is sent"),
                    format!("unset {name}"),
                );
            }
        }
        let traces = |h: &RequestCount| h.path.starts_with("POST /v1/traces");
        if let Some(heard) = self.still(|h| h.status == 404 && (h.path == "POST /" || h.path == "POST /v1"), traces) {
            add(
                "requests use the right path",
                false,
                format!(
                    "{} came to {} ({})",
                    times(heard.count),
                    heard.path.trim_start_matches("POST "),
                    self.ago(heard.last)
                ),
                format!(
                    "OTLP was posted to /: an endpoint in code is used as it is, so append /v1/traces to it, or set OTEL_EXPORTER_OTLP_ENDPOINT=http://{http} and remove the endpoint from the code"
                ),
            );
        }
        if let Some(heard) = self.first(|h| h.listener != "xray" && h.path.contains("/v1/traces/v1/")) {
            add(
                "the endpoint has no path of its own",
                true,
                format!("{} came to {}; they are accepted all the same", times(heard.count), heard.path),
                format!("export OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}"),
            );
        }
        let grpc = self.address("grpc", GRPC_PORT);
        let is_grpc = |h: &RequestCount| h.path.starts_with("POST /opentelemetry.proto.collector.");
        let is_http = |h: &RequestCount| h.path.starts_with("POST /v1/") || h.path == "POST /";
        if let Some(heard) = self.still(|h| h.listener == "grpc" && is_http(h), |h| h.listener == "http" && is_http(h))
        {
            add(
                "OTLP over HTTP uses the HTTP port",
                false,
                format!("{} came to {grpc}, which speaks gRPC ({})", times(heard.count), self.ago(heard.last)),
                format!("export OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}\nor export OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
            );
        }
        if let Some(heard) = self.still(|h| h.listener == "http" && is_grpc(h), |h| h.listener == "grpc" && is_grpc(h))
        {
            add(
                "OTLP over gRPC uses the gRPC port",
                false,
                format!("{} came to {http}, which speaks HTTP ({})", times(heard.count), self.ago(heard.last)),
                format!(
                    "export OTEL_EXPORTER_OTLP_ENDPOINT=http://{grpc}\nor export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
                ),
            );
        }
        if let Some(heard) = self.first(|h| h.status == 403 && !self.was_accepted_after(h)) {
            add(
                "no request is refused",
                false,
                format!("{} of {} were refused ({})", times(heard.count), heard.path, self.ago(heard.last)),
                "A browser page sends with an Origin: allow it with `tracebook serve --allow-origin http://localhost:3000`. From a container use host.docker.internal".to_owned(),
            );
        }
        for (status, why) in [
            (415, "Content-Type is neither application/x-protobuf nor application/json"),
            (400, "the body could not be read"),
        ] {
            if let Some(heard) = self.first(|h| {
                h.status == status
                    && h.listener == "http"
                    && h.path.starts_with("POST /v1/")
                    && !self.was_accepted_after(h)
            }) {
                add("requests can be read", false, format!("{} to {}: {why}", times(heard.count), heard.path), "See `status` in the window for the last reason; OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf is supported by every SDK".to_owned());
            }
        }
        let (ok, detail) = self.arrived(self.arrivals.otlp_spans, "span");
        let fix = match ok {
            true => String::new(),
            false => format!(
                "Send a request to your service and wait 5 seconds: SDKs send in batches. Then look at the service's own output for exporter errors. Restart it after a change of settings, with OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}. With flask --debug, SIGTERM to the parent loses what the reloader's child holds: stop with Ctrl-C"
            ),
        };
        add("spans arrive", ok, detail, fix);
    }

    /// What the variables of this shell make an exporter do: a signal's own go before the general ones, and its
    /// endpoint is used as it stands.
    pub(super) fn otlp_variables(&self) -> Vec<(String, bool, String, String)> {
        const PROTOCOLS: [&str; 3] = ["grpc", "http/protobuf", "http/json"];
        let mut found: Vec<(String, bool, String, String)> = Vec::new();
        for signal in ["traces", "logs"] {
            let set = |what: &str| {
                let own = format!("OTEL_EXPORTER_OTLP_{}_{what}", signal.to_uppercase());
                let general = format!("OTEL_EXPORTER_OTLP_{what}");
                let of = |name: &String| self.variable(name).map(|value| value.trim().to_owned());
                of(&own)
                    .map(|value| (own.clone(), value, true))
                    .or_else(|| Some((general.clone(), of(&general)?, false)))
            };
            let protocol = set("PROTOCOL").map(|(name, value, _)| (name, value.to_lowercase()));
            if let Some((name, value)) = &protocol
                && !PROTOCOLS.contains(&value.as_str())
            {
                let detail = format!("it is {value}, which no SDK supports");
                found.push((format!("{name} of this shell"), false, detail, format!("export {name}=http/protobuf")));
            }
            let Some((name, endpoint, own)) = set("ENDPOINT") else { continue };
            let wrong = self.endpoint(signal, &endpoint, own, protocol.as_ref());
            let check = format!("{name} of this shell");
            found.push(match wrong {
                Some((detail, right)) => (check, false, detail, format!("export {name}={right}")),
                None => (check, true, format!("it is {endpoint}"), String::new()),
            });
        }
        // A finding about both signals is reported once.
        let mut said = Vec::new();
        found.retain(|one| {
            let new = !said.contains(one);
            said.push(one.clone());
            new
        });
        found
    }

    /// The problem with an endpoint, and the correct value.
    fn endpoint(
        &self,
        signal: &str,
        endpoint: &str,
        own: bool,
        protocol: Option<&(String, String)>,
    ) -> Option<(String, String)> {
        let (http, grpc) = (self.address("http", HTTP_PORT), self.address("grpc", GRPC_PORT));
        let over_http = match own {
            true => format!("http://{http}/v1/{signal}"),
            false => format!("http://{http}"),
        };
        let over_grpc = format!("http://{grpc}");
        let says = |wanted: &str| protocol.filter(|(_, value)| value.starts_with(wanted));
        let path = path_of(endpoint).trim_end_matches('/');
        if !points_at(endpoint, &http) && !points_at(endpoint, &grpc) {
            let right = if says("grpc").is_some() { over_grpc } else { over_http };
            return Some((format!("it is {endpoint}, which is not this app"), right));
        }
        if points_at(endpoint, &grpc) {
            let (name, value) = says("http")?;
            return Some((format!("it is {endpoint}, the gRPC port, and {name} is {value}"), over_http));
        }
        if let Some((name, value)) = says("grpc") {
            return Some((format!("it is {endpoint}, the HTTP port, and {name} is {value}"), over_grpc));
        }
        match own {
            true if path != format!("/v1/{signal}") => Some((
                format!("it is {endpoint}, and a signal's own endpoint is used as it is: /v1/{signal} is missing"),
                over_http,
            )),
            false if ["/v1/traces", "/v1/logs", "/v1/metrics"].iter().any(|known| path.ends_with(known)) => {
                Some((format!("it is {endpoint}, and SDKs append /v1/traces themselves"), over_http))
            }
            _ => None,
        }
    }
}

/// The path of a URL; may be empty.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |slash| &rest[slash..]);
    path.split(['?', '#']).next().unwrap_or(path)
}
