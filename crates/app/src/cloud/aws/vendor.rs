//! AWS as a vendor: X-Ray's traces and settings, CloudWatch Logs' events and queries.

use async_trait::async_trait;

use tracebook_core::event_filter::EventFilter;
use tracebook_core::evidence::Kind;
use tracebook_core::logs::{LogEvent, LogRow};
use tracebook_core::question::Source;
use tracebook_core::trace::{Trace, TraceSummary};
use tracebook_sources::{cloudwatch, xray};

use crate::cloud::Cloud;
use crate::cloud::vendor::{CloudVendor, LinkTarget, Logs, Queries, Traces, link_of, no_console, verdict};
use crate::ground::error::Error;
use crate::ground::finding::Finding;
use crate::ground::question::{trace_id, unsupported};
use crate::ground::schema::{
    Caller, Capture, Check, FilterVerdict, Identity, LinkAnswer, Listed, LiveQuestion, LiveTraces, LogRef, TraceGet,
    Vendor,
};

const CLOUDWATCH: &[(&str, &str)] = &[
    ("group:cruddur", "the log group; it stands first"),
    ("group:cruddur ERROR", "a word; case counts"),
    ("group:cruddur \"500 INTERNAL\"", "an exact phrase"),
    ("group:cruddur ?timeout ?refused", "one of them"),
    ("group:cruddur ERROR -healthcheck", "excluding a word"),
    ("group:cruddur { $.level = \"ERROR\" }", "a field of JSON"),
    ("group:cruddur [ip, ..., status = 4*]", "a column"),
    ("group:cruddur trace:1-5e1b4151-43a0913a12345678912345678", "events that name a trace"),
];

/// AWS.
pub(in crate::cloud) struct AwsVendor;

#[async_trait]
impl CloudVendor for AwsVendor {
    async fn identity(&self, cloud: &Cloud, caller: &Caller) -> Result<Identity, Error> {
        let ask = cloud.ask_aws(caller).await?;
        let outcome = ask.aws.connection.identity(&ask.fetch).await;
        let found = cloud.answered(Vendor::Aws, outcome).await?;
        let fingerprint = found.fingerprint();
        Ok(Identity {
            account: found.account,
            name: found.arn_tail,
            region: ask.region().to_owned(),
            endpoint: ask.aws.connection.xray_address().await,
            fingerprint: Some(fingerprint),
            emulator: cloud.aws_endpoint(&ask, Source::Xray).await.is_emulator(),
            notes: found.notes,
        })
    }

    /// Whether both services can be read, and have data.
    async fn checks(&self, cloud: &Cloud, caller: &Caller) -> Vec<Check> {
        let check = |check: &str, ok: bool, detail: String, fix: String| Check {
            source: Vendor::Aws.info().checks.to_string(),
            check: check.to_owned(),
            ok,
            detail,
            fix,
        };
        let failed = |name: &str, error: Error| check(name, false, error.message, error.hint);
        let ask = match cloud.ask_aws(caller).await {
            Ok(ask) => ask,
            Err(error) => return vec![failed("credentials", error)],
        };
        let mut checks = Vec::new();
        checks.push(match cloud.list_traces(&ask, "", None, 1, None).await {
            Ok(list) if list.rows.is_empty() => check(
                "X-Ray traces",
                false,
                format!("X-Ray in {} has no trace of the last 6 hours", ask.region()),
                "Is the region the one that the daemon or collector sends to? Without a daemon the SDK drops segments silently"
                    .to_owned(),
            ),
            Ok(_) => check("X-Ray traces", true, format!("X-Ray in {} has traces", ask.region()), String::new()),
            Err(error) => failed("X-Ray traces", error),
        });
        let outcome = ask.aws.logs.groups("", &ask.fetch).await;
        checks.push(match cloud.answered(Vendor::Aws, outcome).await {
            Ok(found) if found.rows.is_empty() => check(
                "log groups",
                false,
                format!("there is no log group in {}", ask.region()),
                "watchtower makes one when it sends for the first time; is the region right?".to_owned(),
            ),
            Ok(found) => {
                let names: Vec<&str> = found.rows.iter().take(5).map(|g| g.name.as_str()).collect();
                check("log groups", true, format!("{}: {}", found.rows.len(), names.join(", ")), String::new())
            }
            Err(error) => failed("log groups", error),
        });
        checks
    }

    fn check_filter(&self, source: Source, filter: &str) -> FilterVerdict {
        match source == Source::Xray {
            true => verdict(xray::client::check_expression(filter), &xray::client::forms()),
            false => verdict(EventFilter::parse(filter).map(drop).map_err(|e| e.to_string()), CLOUDWATCH),
        }
    }

    async fn capture(&self, cloud: &Cloud, request: &Capture, caller: &Caller) -> Result<Finding, Error> {
        match request.kind {
            Kind::Trace => cloud.xray_trace(request, caller).await,
            Kind::ServiceMap => cloud.xray_map(request, caller).await,
            Kind::Groups => cloud.xray_groups(request, caller).await,
            Kind::SamplingRules => cloud.xray_rules(request, caller).await,
            Kind::Dossier => cloud.xray_dossier(request, caller).await,
            Kind::Logs => cloud.cloudwatch_logs(request, caller).await,
            Kind::Error | Kind::Console | Kind::Query => Err(unsupported(request.source, request.kind)),
        }
    }

    async fn link(&self, cloud: &Cloud, target: LinkTarget<'_>, caller: &Caller) -> Result<LinkAnswer, Error> {
        let ask = cloud.ask_aws(caller).await?;
        let source = if target.kind == Kind::Logs { Source::Cloudwatch } else { Source::Xray };
        let endpoint = cloud.aws_endpoint(&ask, source).await;
        if endpoint.is_emulator() {
            return Ok(no_console(&endpoint));
        }
        match target.kind {
            Kind::Trace => {
                let id = trace_id(target.id)?;
                let read = cloud.read_xray_trace(&ask, id).await?;
                Ok(link_of(
                    xray::links::trace(ask.region(), id),
                    Some(xray::links::expires(read.trace.start())),
                    "X-Ray deletes traces after 30 days",
                ))
            }
            Kind::ServiceMap => {
                Ok(link_of(xray::links::service_map(ask.region()), None, "shows the present, not what was captured"))
            }
            Kind::Logs => Ok(link_of(
                cloudwatch::links::group(ask.region(), target.id),
                None,
                "events are removed after the group's retention",
            )),
            Kind::Groups | Kind::SamplingRules | Kind::Dossier | Kind::Error | Kind::Console | Kind::Query => {
                Err(unsupported(Source::Xray, target.kind))
            }
        }
    }

    fn traces(&self) -> Option<&dyn Traces> {
        Some(self)
    }

    fn logs(&self) -> Option<&dyn Logs> {
        Some(self)
    }

    fn queries(&self) -> Option<&dyn Queries> {
        Some(self)
    }
}

#[async_trait]
impl Traces for AwsVendor {
    async fn list(&self, cloud: &Cloud, request: LiveTraces, caller: &Caller) -> Result<Listed<TraceSummary>, Error> {
        cloud.traces_of(request, caller).await
    }

    async fn get(&self, cloud: &Cloud, request: TraceGet, caller: &Caller) -> Result<Trace, Error> {
        let id = trace_id(&request.trace_id)?;
        let ask = cloud.ask_aws(caller).await?;
        Ok(cloud.read_xray_trace(&ask, id).await?.trace)
    }
}

#[async_trait]
impl Logs for AwsVendor {
    async fn list(&self, cloud: &Cloud, request: LiveQuestion, caller: &Caller) -> Result<Listed<LogRow>, Error> {
        cloud.logs_of(request, caller).await
    }

    async fn get(&self, cloud: &Cloud, request: LogRef, caller: &Caller) -> Result<LogEvent, Error> {
        cloud.log_of(request, caller).await
    }
}
