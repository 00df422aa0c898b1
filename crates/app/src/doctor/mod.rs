//! Checks step by step whether telemetry arrives, and why not. Each check comes from a real case of missing telemetry.

mod cloud;
mod files;
mod otlp;

pub(crate) use files::after_repair;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::join_all;

use tracebook_core::credentials;
use tracebook_core::text;
use tracebook_core::time::{Nanos, human_duration};
use tracebook_core::xray;
use tracebook_store::arrivals::Arrivals;
use tracebook_store::request_log::RequestCount;
use tracebook_store::{Journal, Telemetry};

use crate::cloud::Cloud;
use crate::ground::error::Error;
use crate::ground::runtime::Runtime;
use crate::ground::schema::{Caller, Check, DoctorRequest, Receiver};
use crate::ground::settings::TelemetryLimits;
use crate::ingest::request_log;
use crate::ports::{HTTP_PORT, Ports, XRAY_PORT};

/// Full telemetry that reaches back less than this many nanoseconds (an hour) may lose what is about to be captured.
const SHORT_REACH: i64 = 3_600_000_000_000;

/// Finds out why telemetry does not arrive. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Doctor {
    data_dir: PathBuf,
    limits: TelemetryLimits,
    journal: Journal,
    store: Telemetry,
    ports: Arc<Ports>,
    cloud: Arc<Cloud>,
    runtime: Runtime,
}

impl Doctor {
    pub(crate) fn new(
        data_dir: &Path,
        limits: TelemetryLimits,
        journal: &Journal,
        store: &Telemetry,
        ports: &Arc<Ports>,
        cloud: &Arc<Cloud>,
        runtime: &Runtime,
    ) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            limits,
            journal: journal.clone(),
            store: store.clone(),
            ports: Arc::clone(ports),
            cloud: Arc::clone(cloud),
            runtime: runtime.clone(),
        }
    }

    pub(crate) async fn examine(&self, request: DoctorRequest, caller: &Caller) -> Result<Vec<Check>, Error> {
        if let Some(vendor) = request.from.info().vendor {
            return Ok(self.cloud_checks(vendor, caller).await);
        }
        let wanted = request.source.as_deref();
        if let Some(wanted) = wanted
            && !DoctorRequest::SOURCES.contains(&wanted)
        {
            return Err(Error::usage(
                format!("there is no local source {wanted:?}"),
                format!("Choose one of {}", DoctorRequest::SOURCES.join(", ")),
            ));
        }
        let findings = Findings {
            receivers: self.ports.list(),
            heard: self.store.request_counts().await?,
            arrivals: self.store.arrivals().await?,
            low_rates: xray::warnings(&self.store.sampling_rules().await?),
            environment: std::env::vars_os()
                .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            bytes: self.store.bytes().await?,
            oldest: self.store.oldest().await?,
            limit_bytes: self.limits.bytes(),
            data_dir: self.data_dir.display().to_string(),
            now: self.runtime.now(),
        };
        let mut checks = findings.checks();
        checks.extend(files::checks(&self.data_dir, &self.journal).await);
        checks.retain(|check| wanted.is_none_or(|wanted| check.source == wanted));
        if wanted.is_none() {
            // At once: each may take until its time-out.
            let asked = self.cloud.vendors_set().await.into_iter().map(|vendor| self.cloud_checks(vendor, caller));
            checks.extend(join_all(asked).await.into_iter().flatten());
        }
        Ok(checks)
    }
}

/// Everything that the checks need, as plain values.
#[derive(Clone, Debug, Default)]
struct Findings {
    receivers: Vec<Receiver>,
    heard: Vec<RequestCount>,
    arrivals: Arrivals,
    low_rates: Vec<String>,
    environment: BTreeMap<String, String>,
    bytes: u64,
    /// The arrival time of the oldest stored data.
    oldest: Option<Nanos>,
    limit_bytes: u64,
    data_dir: String,
    now: Nanos,
}

impl Findings {
    fn checks(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        self.otlp(&mut checks);
        self.xray(&mut checks);
        self.cloudwatch(&mut checks);
        self.rollbar(&mut checks);
        self.console(&mut checks);
        self.journal(&mut checks);
        checks
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
        let port = address.rsplit_once(':').map_or("2000", |(_, port)| port);
        let asked = self.first(|h| h.path.ends_with("/GetSamplingRules"));
        match asked {
            Some(heard) => add(
                "the SDK asks for sampling rules",
                true,
                format!("{}, {}", times(heard.count), self.ago(heard.last)),
                String::new(),
            ),
            None if arrive => add(
                "the SDK asks for sampling rules",
                false,
                format!(
                    "X-Ray segments arrive, but no SDK asked for sampling rules: TCP {port} is not mapped, so the SDK samples only 1 request per second and 5 % of the rest"
                ),
                format!("ports: [\"{port}:{port}/udp\", \"{port}:{port}/tcp\"]"),
            ),
            None => {}
        }
        for warning in &self.low_rates {
            add(
                "sampling rules keep every request",
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
                format!("{} came to {}; they are accepted all the same", times(heard.count), heard.path),
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
        for (line, status, last) in self.watched() {
            let line = shown(line);
            let ago = self.ago(last);
            let (ok, detail, fix) = match status {
                request_log::RUNNING => continue,
                0 => (
                    true,
                    format!("`{line}` ended {ago}; nothing more is recorded"),
                    "Watch a command that keeps running, such as `docker compose logs -f`, and restart `tracebook serve`"
                        .to_owned(),
                ),
                126 | 127 => (
                    false,
                    format!("`{line}` could not be started {ago} (exit code {status}): the shell does not find the program, or may not run it"),
                    "Is it installed, and on the PATH of the shell that starts `tracebook serve`? Then restart `tracebook serve`".to_owned(),
                ),
                _ => (
                    false,
                    match status {
                        request_log::ENDED => format!("`{line}` was ended {ago}"),
                        code => format!("`{line}` failed {ago} (exit code {code})"),
                    },
                    "Its last lines say why: tracebook live console --limit 20\nRun it by hand until it works, then restart `tracebook serve`".to_owned(),
                ),
            };
            checks.push(step("console", "the watched command runs", ok, detail, fix));
        }
        let (ok, detail) = self.arrived(self.arrivals.console, "line");
        let fix = match ok {
            true => String::new(),
            false => "tracebook serve --watch \"docker compose logs -f backend-flask\"\nor once: tracebook capture console -- docker compose logs backend-flask".to_owned(),
        };
        checks.push(step("console", "a watched command prints", ok, detail, fix));
    }

    /// The commands that were started last: line, status, and since when.
    fn watched(&self) -> Vec<(&str, u16, Nanos)> {
        const TOGETHER: i64 = 10_000_000_000;
        let of_watch = || self.heard.iter().filter(|h| h.listener == request_log::WATCH);
        let started = |line: &str| {
            of_watch().filter(|h| h.path == line && h.status == request_log::RUNNING).map(|h| h.last).max()
        };
        let Some(newest) = of_watch().filter(|h| h.status == request_log::RUNNING).map(|h| h.last).max() else {
            return Vec::new();
        };
        let mut latest: BTreeMap<&str, (Nanos, u16)> = BTreeMap::new();
        for heard in of_watch() {
            // Of two events at the same time, the end is the later one.
            let now = (heard.last, heard.status);
            latest
                .entry(&heard.path)
                .and_modify(|then| {
                    if (now.0, now.1 != request_log::RUNNING) > (then.0, then.1 != request_log::RUNNING) {
                        *then = now;
                    }
                })
                .or_insert(now);
        }
        latest
            .into_iter()
            .filter(|(line, _)| started(line).is_some_and(|at| newest.0.saturating_sub(at.0) < TOGETHER))
            .map(|(line, (last, status))| (line, status, last))
            .collect()
    }

    fn journal(&self, checks: &mut Vec<Check>) {
        let mib = |bytes: u64| bytes / (1024 * 1024);
        let (used, limit) = (mib(self.bytes), mib(self.limit_bytes));
        // Once full, telemetry stays full: what matters is how far back it reaches.
        let full = self.bytes >= self.limit_bytes / 10 * 9;
        let reach = self.oldest.map(|oldest| Nanos(self.now.0.saturating_sub(oldest.0)));
        let short = full && reach.is_some_and(|reach| reach.0 < SHORT_REACH);
        let fix = match short {
            true => format!(
                "Evidence in entries is not affected. To keep more, set [telemetry] max_mib = {} in {}/{}",
                limit * 2,
                self.data_dir,
                crate::ground::settings::FILE
            ),
            false => String::new(),
        };
        let detail = match (full, reach) {
            (true, Some(reach)) => format!(
                "{used} of {limit} MiB: the oldest telemetry is removed to make room; it reaches back {}",
                human_duration(reach.0)
            ),
            _ => format!("{used} of {limit} MiB in {}", self.data_dir),
        };
        checks.push(step("journal", "telemetry has room", !short, detail, fix));
    }

    /// Whether a receiver listens, here or in the process that holds it.
    fn listening(&self, name: &str, port: u16) -> (bool, String, String) {
        let Some(receiver) = self.receivers.iter().find(|r| r.name == name) else {
            return (false, "there is no such receiver".to_owned(), String::new());
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
                format!("no process receives for this journal; the default port is {port}"),
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

    /// The latest request of a kind.
    fn first(&self, wanted: impl Fn(&RequestCount) -> bool) -> Option<&RequestCount> {
        self.heard.iter().filter(|heard| heard.listener != request_log::WATCH).find(|heard| wanted(heard))
    }

    /// The latest bad request, unless a good one was accepted after it.
    fn still(
        &self,
        bad: impl Fn(&RequestCount) -> bool,
        good: impl Fn(&RequestCount) -> bool,
    ) -> Option<&RequestCount> {
        let taken = self.first(|heard| heard.status == 200 && !bad(heard) && good(heard));
        self.first(bad).filter(|heard| taken.is_none_or(|taken| taken.last < heard.last))
    }

    /// Whether the same request was accepted later.
    fn was_accepted_after(&self, refused: &RequestCount) -> bool {
        let same = |h: &RequestCount| h.listener == refused.listener && h.path == refused.path;
        self.first(|h| same(h) && h.status == 200 && h.last > refused.last).is_some()
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
    text::count(usize::try_from(n).unwrap_or(usize::MAX), "request")
}

/// A watched command's line without secrets.
fn shown(line: &str) -> String {
    credentials::remove_from_text(line, &mut credentials::Removed::default()).into_owned()
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
mod tests;
