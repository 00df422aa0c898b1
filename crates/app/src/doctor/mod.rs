//! Checks step by step whether telemetry arrives, and why not. Each check comes from a real case of missing telemetry.

mod cloud;
mod files;
mod otlp;
mod refused;
mod variables;

pub(crate) use files::after_repair;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::join_all;

use tracebook_core::credentials;
use tracebook_core::text;
use tracebook_core::time::{Nanos, human_duration};
use tracebook_core::xray;
use tracebook_store::arrivals::Arrivals;
use tracebook_store::refusals::Refusal;
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
            let mut checks = self.cloud_checks(vendor, caller).await;
            checks.iter_mut().for_each(|check| check.fix = pasteable(&check.fix));
            return Ok(checks);
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
            bound: ["http", "grpc", "xray"]
                .into_iter()
                .flat_map(|name| self.ports.on_loopback(name).into_iter().map(move |address| (name, address)))
                .collect(),
            heard: self.store.request_counts().await?,
            refusals: self.store.refusals().await?,
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
        for check in &mut checks {
            check.fix = pasteable(&check.fix);
        }
        Ok(checks)
    }
}

/// Everything that the checks need, as plain values.
#[derive(Clone, Debug, Default)]
struct Findings {
    receivers: Vec<Receiver>,
    /// Every loopback address that a receiver listens on, by its name.
    bound: Vec<(&'static str, SocketAddr)>,
    heard: Vec<RequestCount>,
    refusals: Vec<Refusal>,
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
        self.variables("xray", checks);
        self.refused("xray", checks);
        let mut add =
            |check: &str, ok: bool, detail: String, fix: String| checks.push(step("xray", check, ok, detail, fix));
        let (arrive, detail) = self.arrived(self.arrivals.xray_segments, "segment");
        let fix = match arrive {
            true => String::new(),
            false => format!(
                "# Restart the service with this, and send it a request. In Flask, XRayMiddleware(app, xray_recorder) must be called after app exists.\nexport AWS_XRAY_DAEMON_ADDRESS={address}"
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
                format!("# In docker-compose.yml:\n# ports: [\"{port}:{port}/udp\", \"{port}:{port}/tcp\"]"),
            ),
            None => {}
        }
        for warning in &self.low_rates {
            add(
                "sampling rules keep every request",
                false,
                warning.clone(),
                format!(
                    "# To keep every request, delete the rule, or give it FixedRate 1 (aws xray update-sampling-rule):\naws xray get-sampling-rules --endpoint-url http://{}",
                    self.address("http", HTTP_PORT)
                ),
            );
        }
    }

    fn cloudwatch(&self, checks: &mut Vec<Check>) {
        self.variables("cloudwatch", checks);
        self.refused("cloudwatch", checks);
        let mut add = |check: &str, ok: bool, detail: String, fix: String| {
            checks.push(step("cloudwatch", check, ok, detail, fix))
        };
        let http = self.address("http", HTTP_PORT);
        let (ok, detail) = self.arrived(self.arrivals.cloudwatch_logs, "log event");
        let asked = self.first(|h| h.path.contains("DescribeLogGroups") || h.path.contains("CreateLogGroup"));
        let fix = match (ok, asked) {
            (true, _) => String::new(),
            (false, Some(heard)) => format!(
                "# A logger asked for its group {}: watchtower flushes every 60 s. Wait, or give CloudWatchLogHandler send_interval=2",
                self.ago(heard.last)
            ),
            (false, None) => format!(
                "# boto3 sends nothing without credentials and a region, any will do; `tracebook env --for flask` has the handler.\nexport AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=http://{http}\nexport AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1"
            ),
        };
        add("log events arrive", ok, detail, fix);
    }

    fn rollbar(&self, checks: &mut Vec<Check>) {
        self.variables("rollbar", checks);
        self.refused("rollbar", checks);
        let mut add =
            |check: &str, ok: bool, detail: String, fix: String| checks.push(step("rollbar", check, ok, detail, fix));
        let http = self.address("http", HTTP_PORT);
        if let Some(heard) = self.first(|h| h.path.starts_with("POST /api/item") && h.status == 200) {
            add(
                "the endpoint ends in a slash",
                true,
                format!("{} came to {}; they are accepted all the same", times(heard.count), heard.path),
                refused::rollbar_endpoints(&http),
            );
        }
        let (ok, detail) = self.arrived(self.arrivals.errors, "error");
        let fix = match ok {
            true => String::new(),
            false => {
                format!("# No environment variable sets it, so in the code.\n{}", refused::rollbar_endpoints(&http))
            }
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
                    "# Watch a command that keeps running:\ntracebook serve --watch \"docker compose logs -f\"".to_owned(),
                ),
                126 | 127 => (
                    false,
                    format!("`{line}` could not be started {ago} (exit code {status}): the shell does not find the program, or may not run it"),
                    "# Is it installed, and on the PATH of the shell that starts `tracebook serve`? Then restart `tracebook serve`".to_owned(),
                ),
                _ => (
                    false,
                    match status {
                        request_log::ENDED => format!("`{line}` was ended {ago}"),
                        code => format!("`{line}` failed {ago} (exit code {code})"),
                    },
                    "# Its last lines say why. Run it by hand until it works, then restart `tracebook serve`.\ntracebook live console --limit 20".to_owned(),
                ),
            };
            checks.push(step("console", "the watched command runs", ok, detail, fix));
        }
        let (ok, detail) = self.arrived(self.arrivals.console, "line");
        let fix = match ok {
            true => String::new(),
            false => "tracebook serve --watch \"docker compose logs -f backend-flask\"\n# or once:\ntracebook capture console -- docker compose logs backend-flask".to_owned(),
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
                "# Evidence in entries is not affected. To keep more, in {}/{}:\n# [telemetry]\n# max_mib = {}",
                self.data_dir,
                crate::ground::settings::FILE,
                limit * 2
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
                "# Open Tracebook's window, or:\ntracebook serve".to_owned(),
            ),
        }
    }

    fn address(&self, name: &str, port: u16) -> String {
        let found = self.receivers.iter().find(|r| r.name == name).and_then(|r| r.address.clone());
        found.unwrap_or_else(|| format!("127.0.0.1:{port}"))
    }

    /// Whether a receiver listens on a loopback address, or will by default where none runs.
    fn listens_on(&self, name: &str, ip: IpAddr) -> bool {
        let address = self.receivers.iter().find(|r| r.name == name).and_then(|r| r.address.as_deref());
        match address {
            Some(address) => {
                address.parse::<SocketAddr>().is_ok_and(|own| own.ip() == ip)
                    || self.bound.iter().any(|(of, own)| *of == name && own.ip() == ip)
            }
            None => [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])].contains(&ip),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// The latest request of a kind.
    fn first(&self, wanted: impl Fn(&RequestCount) -> bool) -> Option<&RequestCount> {
        self.heard.iter().filter(|heard| heard.listener != request_log::WATCH).find(|heard| wanted(heard))
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

/// A fix that may be pasted as it stands: prose, such as the hints of errors, becomes a comment.
fn pasteable(fix: &str) -> String {
    let is_prose = |line: &str| {
        let word = line.split_whitespace().next().unwrap_or_default();
        let sentence = word.starts_with(|c: char| c.is_uppercase() || c == '`') && !word.contains('=');
        sentence && line.split_whitespace().nth(1).is_some()
    };
    let line = |line: &str| if is_prose(line) { format!("# {line}") } else { line.to_owned() };
    fix.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn times(n: u64) -> String {
    text::count(usize::try_from(n).unwrap_or(usize::MAX), "request")
}

/// A watched command's line without secrets.
fn shown(line: &str) -> String {
    credentials::remove_from_text(line, &mut credentials::Removed::default()).into_owned()
}

#[cfg(test)]
mod tests;
