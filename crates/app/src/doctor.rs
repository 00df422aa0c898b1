//! Step by step: does anything arrive, and why not. Every step comes from a way in which telemetry really stayed silent.

use std::collections::BTreeMap;

use tracebook_core::question::Source;
use tracebook_core::time::{Nanos, human_duration};
use tracebook_core::xray;
use tracebook_store::arrivals::Arrivals;
use tracebook_store::heard::Heard;

use crate::Tracebook;
use crate::error::Error;
use crate::receivers::{GRPC_PORT, HTTP_PORT, XRAY_PORT};
use crate::rpc::{Caller, Check, DoctorRequest, Receiver, Vendor};

/// What can be looked at.
const SOURCES: [&str; 6] = ["otlp", "xray", "cloudwatch", "rollbar", "console", "journal"];

impl Tracebook {
    pub(crate) async fn doctor(&self, request: DoctorRequest, caller: &Caller) -> Result<Vec<Check>, Error> {
        match request.from {
            Source::Local => {}
            Source::Xray | Source::Cloudwatch => return Ok(self.cloud_checks(Vendor::Aws, caller).await),
            Source::Rollbar => return Ok(self.cloud_checks(Vendor::Rollbar, caller).await),
            Source::Honeycomb => return Ok(self.cloud_checks(Vendor::Honeycomb, caller).await),
        }
        let wanted = request.source.as_deref();
        if let Some(wanted) = wanted
            && !SOURCES.contains(&wanted)
        {
            return Err(Error::usage(
                format!("there is no source {wanted:?} here"),
                format!("Choose one of {}", SOURCES.join(", ")),
            ));
        }
        let patient = Patient {
            receivers: self.receivers.list(),
            heard: self.telemetry.heard().await?,
            arrivals: self.telemetry.arrivals().await?,
            low_rates: xray::warnings(&self.telemetry.sampling_rules().await?),
            environment: std::env::vars_os()
                .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            bytes: self.telemetry.bytes().await?,
            limit_bytes: self.limits.bytes(),
            data_dir: self.data_dir.display().to_string(),
            now: self.now(),
        };
        let mut checks = patient.examine();
        checks.retain(|check| wanted.is_none_or(|wanted| check.source == wanted));
        if wanted.is_none() {
            for vendor in self.vendors_set().await {
                checks.extend(self.cloud_checks(vendor, caller).await);
            }
        }
        Ok(checks)
    }
}

/// Everything that the doctor looks at, as plain values.
#[derive(Clone, Debug, Default)]
struct Patient {
    receivers: Vec<Receiver>,
    heard: Vec<Heard>,
    arrivals: Arrivals,
    low_rates: Vec<String>,
    environment: BTreeMap<String, String>,
    bytes: u64,
    limit_bytes: u64,
    data_dir: String,
    now: Nanos,
}

impl Patient {
    fn examine(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        self.otlp(&mut checks);
        self.xray(&mut checks);
        self.cloudwatch(&mut checks);
        self.rollbar(&mut checks);
        self.console(&mut checks);
        self.journal(&mut checks);
        checks
    }

    fn otlp(&self, checks: &mut Vec<Check>) {
        let mut add =
            |check: &str, ok: bool, detail: String, fix: String| checks.push(step("otlp", check, ok, detail, fix));
        for (name, port) in [("http", HTTP_PORT), ("grpc", GRPC_PORT)] {
            let (ok, detail, fix) = self.listening(name, port);
            add(&format!("{name} receiver listens"), ok, detail, fix);
        }
        let http = self.address("http", HTTP_PORT);
        if let Some(endpoint) = self.variable("OTEL_EXPORTER_OTLP_ENDPOINT") {
            let appended =
                ["/v1/traces", "/v1/logs", "/v1/metrics"].iter().any(|p| endpoint.trim_end_matches('/').ends_with(p));
            let protocol = self.variable("OTEL_EXPORTER_OTLP_PROTOCOL").unwrap_or_default();
            let grpc = self.address("grpc", GRPC_PORT);
            let (ok, detail, fix) = if appended {
                (
                    false,
                    format!("it is {endpoint}, and SDKs append /v1/traces themselves"),
                    format!("export OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}"),
                )
            } else if !points_at(&endpoint, &http) && !points_at(&endpoint, &grpc) {
                (
                    false,
                    format!("it is {endpoint}, which is not this app"),
                    format!("export OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}"),
                )
            } else if points_at(&endpoint, &grpc) && protocol.starts_with("http") {
                (
                    false,
                    format!("it names the gRPC port, and OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}"),
                    format!("export OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}"),
                )
            } else if points_at(&endpoint, &http) && protocol == "grpc" {
                (
                    false,
                    "it names the HTTP port, and OTEL_EXPORTER_OTLP_PROTOCOL is grpc".to_owned(),
                    format!("export OTEL_EXPORTER_OTLP_ENDPOINT=http://{grpc}"),
                )
            } else {
                (true, format!("it is {endpoint}"), String::new())
            };
            add("OTEL_EXPORTER_OTLP_ENDPOINT of this shell", ok, detail, fix);
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
        if let Some(heard) =
            self.first(|h| h.status == 404 && (h.path == "POST /" || h.path == "POST /v1")).filter(|h| {
                self.first(|ok| ok.path == "POST /v1/traces" && ok.status == 200).is_none_or(|ok| ok.last < h.last)
            })
        {
            add(
                "requests come to the right path",
                false,
                format!(
                    "{} came to {} ({})",
                    times(heard.n),
                    heard.path.trim_start_matches("POST "),
                    self.ago(heard.last)
                ),
                format!(
                    "OTLP was posted to /: the endpoint in the code is used as it stands, so append /v1/traces to it, or set OTEL_EXPORTER_OTLP_ENDPOINT=http://{http} and leave the code's endpoint out"
                ),
            );
        }
        if let Some(heard) = self.first(|h| h.door != "xray" && h.path.contains("/v1/traces/v1/")) {
            add(
                "the endpoint has no path of its own",
                true,
                format!("{} came to {}; they are taken all the same", times(heard.n), heard.path),
                format!("export OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}"),
            );
        }
        if let Some(heard) = self.first(|h| h.status == 403) {
            add(
                "nobody is turned away at the door",
                false,
                format!("{} of {} were refused ({})", times(heard.n), heard.path, self.ago(heard.last)),
                "A browser page sends with an Origin: allow it with `tracebook serve --allow-origin http://localhost:3000`. From a container use host.docker.internal".to_owned(),
            );
        }
        for (status, why) in [
            (415, "Content-Type is neither application/x-protobuf nor application/json"),
            (400, "the body could not be read"),
        ] {
            if let Some(heard) = self.first(|h| h.status == status && h.path.starts_with("POST /v1/")) {
                add("what comes can be read", false, format!("{} to {}: {why}", times(heard.n), heard.path), "See `status` in the window for the last reason; OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf is what every SDK can".to_owned());
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

    fn xray(&self, checks: &mut Vec<Check>) {
        let mut add =
            |check: &str, ok: bool, detail: String, fix: String| checks.push(step("xray", check, ok, detail, fix));
        let (ok, detail, fix) = self.listening("xray", XRAY_PORT);
        add("receiver listens, UDP and TCP", ok, detail, fix);
        let address = self.address("xray", XRAY_PORT);
        if let Some(daemon) = self.variable("AWS_XRAY_DAEMON_ADDRESS") {
            let ok = daemon
                .split_whitespace()
                .any(|part| points_at(part.trim_start_matches("tcp:").trim_start_matches("udp:"), &address));
            let fix = if ok { String::new() } else { format!("export AWS_XRAY_DAEMON_ADDRESS={address}") };
            add("AWS_XRAY_DAEMON_ADDRESS of this shell", ok, format!("it is {daemon}"), fix);
        }
        if self.variable("AWS_XRAY_SDK_ENABLED").is_some_and(|v| v.eq_ignore_ascii_case("false")) {
            add(
                "AWS_XRAY_SDK_ENABLED of this shell",
                false,
                "it is false: the SDK does nothing".to_owned(),
                "unset AWS_XRAY_SDK_ENABLED".to_owned(),
            );
        }
        let (arrive, detail) = self.arrived(self.arrivals.xray_segments, "segment");
        let fix = match arrive {
            true => String::new(),
            false => format!(
                "export AWS_XRAY_DAEMON_ADDRESS={address}, restart the service, and send it a request. In Flask, XRayMiddleware(app, xray_recorder) must be called after app exists"
            ),
        };
        add("segments arrive", arrive, detail, fix);
        let asked = self.first(|h| h.path.ends_with("/GetSamplingRules"));
        match asked {
            Some(heard) => add("the SDK asks for sampling rules", true, format!("{}, {}", times(heard.n), self.ago(heard.last)), String::new()),
            None if arrive => add(
                "the SDK asks for sampling rules",
                false,
                "X-Ray segments arrive but nobody asked for sampling rules: TCP 2000 is not mapped, so the SDK samples only 1 request a second and 5 % of the rest".to_owned(),
                "ports: [\"2000:2000/udp\", \"2000:2000/tcp\"]".to_owned(),
            ),
            None => {}
        }
        for warning in &self.low_rates {
            add(
                "sampling rules let everything through",
                false,
                warning.clone(),
                "aws xray update-sampling-rule with FixedRate 1, or delete the rule".to_owned(),
            );
        }
    }

    fn cloudwatch(&self, checks: &mut Vec<Check>) {
        let mut add = |check: &str, ok: bool, detail: String, fix: String| {
            checks.push(step("cloudwatch", check, ok, detail, fix))
        };
        let http = self.address("http", HTTP_PORT);
        let right = self.variable("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS");
        if let Some(wrong) = self.variable("AWS_ENDPOINT_URL_LOGS")
            && right.is_none()
        {
            add(
                "the endpoint's variable has the name that is read",
                false,
                format!("AWS_ENDPOINT_URL_LOGS is {wrong}, and no SDK reads it"),
                format!(
                    "`AWS_ENDPOINT_URL_LOGS` is not read: use `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS`\nexport AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=http://{http}"
                ),
            );
        }
        if let Some(endpoint) = right {
            let ok = points_at(&endpoint, &http);
            let fix = if ok { String::new() } else { format!("export AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=http://{http}") };
            add("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS of this shell", ok, format!("it is {endpoint}"), fix);
        }
        let (ok, detail) = self.arrived(self.arrivals.cloudwatch_logs, "log event");
        let asked = self.first(|h| h.path.contains("DescribeLogGroups") || h.path.contains("CreateLogGroup"));
        let fix = match (ok, asked) {
            (true, _) => String::new(),
            (false, Some(heard)) => format!(
                "A logger asked for its group {}: watchtower flushes every 60 s. Wait, or give CloudWatchLogHandler send_interval=2",
                self.ago(heard.last)
            ),
            (false, None) => format!(
                "export AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=http://{http}\nand any AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_DEFAULT_REGION: boto3 sends nothing without; `tracebook env --for flask` has the handler"
            ),
        };
        add("log events arrive", ok, detail, fix);
    }

    fn rollbar(&self, checks: &mut Vec<Check>) {
        let mut add =
            |check: &str, ok: bool, detail: String, fix: String| checks.push(step("rollbar", check, ok, detail, fix));
        let http = self.address("http", HTTP_PORT);
        if let Some(heard) = self.first(|h| h.path.starts_with("POST /api/item")) {
            add(
                "the endpoint ends in a slash",
                true,
                format!("{} came to {}; they are taken all the same", times(heard.n), heard.path),
                format!("rollbar.init(token, 'development', endpoint='http://{http}/api/1/')"),
            );
        }
        let (ok, detail) = self.arrived(self.arrivals.errors, "error");
        let fix = match ok {
            true => String::new(),
            false => format!(
                "No environment variable sets it, so in the code:\nrollbar.init(token, 'development', endpoint='http://{http}/api/1/')\nThe last slash counts. Any token will do"
            ),
        };
        add("errors arrive", ok, detail, fix);
    }

    fn console(&self, checks: &mut Vec<Check>) {
        let (ok, detail) = self.arrived(self.arrivals.console, "line");
        let fix = match ok {
            true => String::new(),
            false => "tracebook serve --watch \"docker compose logs -f backend-flask\"\nor once: tracebook capture console -- docker compose logs backend-flask".to_owned(),
        };
        checks.push(step("console", "a watched command prints", ok, detail, fix));
    }

    fn journal(&self, checks: &mut Vec<Check>) {
        let mib = |bytes: u64| bytes / (1024 * 1024);
        let (used, limit) = (mib(self.bytes), mib(self.limit_bytes));
        let full = self.bytes >= self.limit_bytes / 10 * 9;
        let fix = match full {
            true => format!(
                "Nothing that an entry holds is touched. For more, write [telemetry] max_mib = {} into {}/{}",
                limit * 2,
                self.data_dir,
                crate::settings::FILE
            ),
            false => String::new(),
        };
        let detail = match full {
            true => format!("{used} of {limit} MiB: the oldest telemetry goes to make room"),
            false => format!("{used} of {limit} MiB in {}", self.data_dir),
        };
        checks.push(step("journal", "telemetry has room", !full, detail, fix));
    }

    /// Whether a receiver listens, here or in the process that holds it.
    fn listening(&self, name: &str, port: u16) -> (bool, String, String) {
        let Some(receiver) = self.receivers.iter().find(|r| r.name == name) else {
            return (false, "it is not there".to_owned(), String::new());
        };
        match &receiver.address {
            Some(address) if receiver.elsewhere => {
                (true, format!("on {address}, by another Tracebook of this journal"), String::new())
            }
            Some(address) => (true, format!("on {address}"), String::new()),
            None if !receiver.problem.is_empty() => {
                (false, receiver.problem.clone(), format!("tracebook serve --{name} 127.0.0.1:0"))
            }
            None => (
                false,
                format!("nobody receives for this journal; the usual port is {port}"),
                "Open Tracebook's window, or start `tracebook serve`".to_owned(),
            ),
        }
    }

    fn address(&self, name: &str, port: u16) -> String {
        let found = self.receivers.iter().find(|r| r.name == name).and_then(|r| r.address.clone());
        found.unwrap_or_else(|| format!("127.0.0.1:{port}"))
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// The last thing heard of a sort.
    fn first(&self, wanted: impl Fn(&Heard) -> bool) -> Option<&Heard> {
        self.heard.iter().find(|heard| wanted(heard))
    }

    fn arrived(&self, last: Option<Nanos>, what: &str) -> (bool, String) {
        match last {
            Some(last) => (true, format!("the last {what} arrived {}", self.ago(last))),
            None => (false, format!("no {what} is stored")),
        }
    }

    fn ago(&self, then: Nanos) -> String {
        let seconds = self.now.0.saturating_sub(then.0) / 1_000_000_000;
        match seconds {
            ..=1 => "just now".to_owned(),
            seconds => format!("{} ago", human_duration(seconds.saturating_mul(1_000_000_000))),
        }
    }
}

fn step(source: &str, check: &str, ok: bool, detail: String, fix: String) -> Check {
    Check { source: source.to_owned(), check: check.to_owned(), ok, detail, fix }
}

fn times(n: u64) -> String {
    if n == 1 { "1 request".to_owned() } else { format!("{n} requests") }
}

/// Whether a URL or `host:port` names an address of ours: the same port on any name of this machine.
fn points_at(url: &str, address: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    let Some((host, port)) = authority.rsplit_once(':') else { return false };
    let ours = address.rsplit_once(':').map(|(_, port)| port);
    let host = host.trim_matches(['[', ']']).to_lowercase();
    let local = host.starts_with("127.")
        || ["localhost", "::1", "host.docker.internal", "host.containers.internal", "0.0.0.0"].contains(&host.as_str());
    Some(port) == ours && local
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patient() -> Patient {
        let receiver = |name: &str, address: &str| Receiver {
            name: name.into(),
            address: Some(address.into()),
            ..Receiver::default()
        };
        Patient {
            receivers: vec![
                receiver("http", "127.0.0.1:4318"),
                receiver("grpc", "127.0.0.1:4317"),
                receiver("xray", "127.0.0.1:2000"),
            ],
            limit_bytes: 512 << 20,
            now: Nanos(100_000_000_000),
            ..Patient::default()
        }
    }

    fn heard(door: &str, path: &str, status: u16) -> Heard {
        Heard { door: door.into(), path: path.into(), status, n: 3, last: Nanos(90_000_000_000) }
    }

    #[track_caller]
    fn says(patient: &Patient, source: &str, words: &str) {
        let checks = patient.examine();
        let found =
            checks.iter().any(|c| c.source == source && !c.ok && format!("{} {}", c.detail, c.fix).contains(words));
        assert!(found, "{words:?} in {checks:#?}");
    }

    #[test]
    fn the_real_ways_to_stay_silent_are_found() {
        let with = |change: fn(&mut Patient)| {
            let mut patient = patient();
            change(&mut patient);
            patient
        };
        let set = |name: &str, value: &str| {
            let mut patient = patient();
            patient.environment.insert(name.into(), value.into());
            patient
        };
        says(&with(|p| p.arrivals.xray_segments = Some(p.now)), "xray", "TCP 2000 is not mapped");
        says(&with(|p| p.heard.push(heard("http", "POST /", 404))), "otlp", "append /v1/traces");
        says(
            &with(|p| p.heard.push(heard("http", "POST / DescribeLogGroups", 200))),
            "cloudwatch",
            "watchtower flushes every 60 s",
        );
        says(
            &set("AWS_ENDPOINT_URL_LOGS", "http://127.0.0.1:4318"),
            "cloudwatch",
            "use `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS`",
        );
        says(
            &set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/v1/traces"),
            "otlp",
            "append /v1/traces themselves",
        );
        says(&set("OTEL_EXPORTER_OTLP_ENDPOINT", "https://api.honeycomb.io"), "otlp", "not this app");
        says(&set("OTEL_SDK_DISABLED", "true"), "otlp", "unset OTEL_SDK_DISABLED");
        says(&set("AWS_XRAY_DAEMON_ADDRESS", "xray-daemon:2000"), "xray", "127.0.0.1:2000");
        says(&with(|p| p.low_rates.push("rule Cruddur samples 10 %".into())), "xray", "FixedRate 1");
        says(&with(|p| p.heard.push(heard("http", "POST /v1/traces", 403))), "otlp", "--allow-origin");
        says(&with(|p| p.receivers.clear()), "otlp", "not there");
        says(&with(|p| p.bytes = 500 << 20), "journal", "the oldest telemetry goes");
        says(&patient(), "rollbar", "endpoint='http://127.0.0.1:4318/api/1/'");
    }

    #[test]
    fn where_all_is_well_nothing_is_to_be_done() {
        let mut patient = patient();
        let now = Some(patient.now);
        patient.arrivals = Arrivals {
            otlp_spans: now,
            xray_segments: now,
            otlp_logs: now,
            cloudwatch_logs: now,
            errors: now,
            console: now,
        };
        patient.heard = vec![heard("http", "POST /v1/traces", 200), heard("xray", "POST /GetSamplingRules", 200)];
        patient.environment.insert("OTEL_EXPORTER_OTLP_ENDPOINT".into(), "http://localhost:4318".into());
        for check in patient.examine() {
            assert!(check.ok && check.fix.is_empty(), "{check:#?}");
        }
    }
}
