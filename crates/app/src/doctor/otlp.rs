//! The doctor's checks of OpenTelemetry: variables of the shell, and requests by port.

use tracebook_store::request_log::RequestCount;

use super::{Findings, step, times};
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
        self.variables("otlp", checks);
        self.refused("otlp", checks);
        let mut add =
            |check: &str, ok: bool, detail: String, fix: String| checks.push(step("otlp", check, ok, detail, fix));
        if let Some(heard) = self.first(has_own_path) {
            add(
                "the endpoint has no path of its own",
                true,
                format!("{} came to {}; they are accepted all the same", times(heard.count), heard.path),
                format!("# Some SDKs and collectors are stricter:\nexport OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}"),
            );
        }
        let (ok, detail) = self.arrived(self.arrivals.otlp_spans, "span");
        let fix = match ok {
            true => String::new(),
            false => format!(
                "# Send a request to your service and wait 5 seconds: SDKs send in batches. Then look at the service's own output for exporter errors. Restart it after a change of settings. With flask --debug, SIGTERM to the parent loses what the reloader's child holds: stop with Ctrl-C.\nexport OTEL_EXPORTER_OTLP_ENDPOINT=http://{http} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
            ),
        };
        add("spans arrive", ok, detail, fix);
    }
}

/// A request that was accepted although a path stands before that of its signal.
fn has_own_path(heard: &RequestCount) -> bool {
    let path = heard.path.trim_start_matches("POST ").trim_end_matches('/');
    let known = ["/v1/traces", "/v1/logs", "/v1/metrics"];
    heard.listener == "http" && heard.status == 200 && known.iter().any(|known| path.ends_with(known) && path != *known)
}
