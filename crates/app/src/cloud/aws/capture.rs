//! Captures from X-Ray and CloudWatch Logs.

use tracebook_core::dossier::{Dossier, Join, JoinedLog};
use tracebook_core::endpoint::Endpoint;
use tracebook_core::evidence::Body;
use tracebook_core::filter::leading_part;
use tracebook_core::freeze::Origin;
use tracebook_core::ids::TraceId;
use tracebook_core::logs::Logs;
use tracebook_core::question::Source;
use tracebook_core::time::Nanos;
use tracebook_core::xray::warnings;
use tracebook_sources::cloud::Range;
use tracebook_sources::cloudwatch::client::Event;
use tracebook_sources::{cloudwatch, xray};

use super::AskAws;
use crate::cloud::Cloud;
use crate::cloud::logs::{parse_filter, pattern};
use crate::ground::error::Error;
use crate::ground::finding::{Finding, MAX_ROWS, Raw, both, named, one_of};
use crate::ground::question::trace_id;
use crate::ground::records::log_event;
use crate::ground::schema::{Caller, Capture, Vendor};

/// The nanoseconds that a service map covers unless it names a range.
const MAP_LOOKBACK: i64 = 3_600 * 1_000_000_000;
/// Nanoseconds before its first and after its last span in which a request may still log.
const MARGIN: i64 = 60_000_000_000;

impl Cloud {
    async fn which_xray(&self, ask: &AskAws, request: &Capture) -> Result<TraceId, Error> {
        match one_of(request, "trace", "`live traces --source xray` lists them")? {
            Some(id) => trace_id(id),
            None => self.newest_xray_trace(ask, &request.filter, request.since.as_deref()).await,
        }
    }

    pub(super) async fn xray_trace(&self, request: &Capture, caller: &Caller) -> Result<Finding, Error> {
        let ask = self.ask_aws(caller).await?;
        let id = self.which_xray(&ask, request).await?;
        let read = self.read_xray_trace(&ask, id).await?;
        let mut said = read.warnings;
        said.extend(read.trace.notes.iter().cloned());
        let endpoint = self.aws_endpoint(&ask, Source::Xray).await;
        let origin = origin_of_trace(endpoint, id, read.trace.start());
        let raw = Raw { spans: read.records, ..Raw::default() };
        Ok(Finding { raw, warnings: said, origin, ..Finding::new(Body::Trace(read.trace), 1) })
    }

    /// The trace from X-Ray, and the log events of a group that name it.
    pub(super) async fn xray_dossier(&self, request: &Capture, caller: &Caller) -> Result<Finding, Error> {
        let ask = self.ask_aws(caller).await?;
        // The filter may begin with a log group before the filter expression: `group:cruddur`.
        let part = leading_part(request.filter.trim_start(), &["group"])
            .map_err(|e| Error::usage(e.to_string(), "Example: group:cruddur service(\"backend-flask\") { fault }"))?;
        let (group, expression) = match part {
            Some(part) => (Some(part.value.to_owned()), part.rest.trim().to_owned()),
            None => (None, request.filter.clone()),
        };
        let id = self.which_xray(&ask, &Capture { filter: expression, ..request.clone() }).await?;
        let read = self.read_xray_trace(&ask, id).await?;
        let endpoint = self.aws_endpoint(&ask, Source::Xray).await;
        let mut origin = origin_of_trace(endpoint, id, read.trace.start());
        let mut raw = Raw { spans: read.records, ..Raw::default() };
        let mut dossier = Dossier::new(id, read.trace);
        match group {
            Some(group) => {
                let range = Range {
                    from: Nanos(dossier.trace.start().0.saturating_sub(MARGIN)),
                    until: Nanos(dossier.trace.end().0.saturating_add(MARGIN)),
                };
                let outcome = ask.aws.logs.of_trace(&group, id, range, &ask.fetch).await;
                let found = self.answered(Vendor::Aws, outcome).await?;
                dossier.notes.extend(found.notes);
                origin.via.push(LOGS_API.to_owned());
                origin.endpoints.push(self.aws_endpoint(&ask, Source::Cloudwatch).await);
                for Event { record, .. } in found.records {
                    dossier.logs.push(JoinedLog { by: Join::TraceId, event: log_event(&record) });
                    raw.logs.push(record);
                }
            }
            None => dossier
                .notes
                .push("CloudWatch Logs was not queried: no log group was named (--filter group:NAME)".to_owned()),
        }
        let body = Body::Dossier(Box::new(dossier));
        Ok(Finding { raw, warnings: read.warnings, origin, ..Finding::new(body, MAX_ROWS) })
    }

    pub(super) async fn xray_map(&self, request: &Capture, caller: &Caller) -> Result<Finding, Error> {
        let ask = self.ask_aws(caller).await?;
        let outcome = match &request.id {
            Some(id) => ask.aws.xray.trace_map(&[trace_id(id)?], &ask.fetch).await,
            None => {
                let range = self.back(request.since.as_deref(), MAP_LOOKBACK)?;
                let group = Some(request.filter.trim()).filter(|group| !group.is_empty());
                ask.aws.xray.service_map(&range, group, &ask.fetch).await
            }
        };
        let map = self.answered(Vendor::Aws, outcome).await?;
        if map.nodes.is_empty() {
            return Err(Error::not_found(
                format!("X-Ray in {} has no service map for that", ask.region()),
                "Widen --since; the filter of a service map is an X-Ray group's name",
            ));
        }
        let console_link = xray::links::service_map(ask.region());
        let endpoint = self.aws_endpoint(&ask, Source::Xray).await;
        let origin = Origin { console_link, ..origin_of(XRAY_API, endpoint) };
        Ok(Finding { warnings: map.notes.clone(), origin, ..Finding::new(Body::ServiceMap(map), 0) })
    }

    pub(super) async fn xray_groups(&self, request: &Capture, caller: &Caller) -> Result<Finding, Error> {
        let ask = self.ask_aws(caller).await?;
        let mut found = self.answered(Vendor::Aws, ask.aws.xray.groups(&ask.fetch).await).await?;
        found.groups = named(found.groups, request, "group", |group| &group.name)?;
        let origin = origin_of(XRAY_API, self.aws_endpoint(&ask, Source::Xray).await);
        Ok(Finding { warnings: found.notes.clone(), origin, ..Finding::new(Body::Groups(found), 0) })
    }

    pub(super) async fn xray_rules(&self, request: &Capture, caller: &Caller) -> Result<Finding, Error> {
        let ask = self.ask_aws(caller).await?;
        let mut found = self.answered(Vendor::Aws, ask.aws.xray.sampling_rules(&ask.fetch).await).await?;
        let all = found.rules.len();
        found.rules = named(found.rules, request, "sampling rule", |rule| &rule.name)?;
        if found.rules.len() < all {
            // Warnings about other rules do not belong to this evidence.
            found.notes = warnings(&found.rules);
        }
        let origin = origin_of(XRAY_API, self.aws_endpoint(&ask, Source::Xray).await);
        Ok(Finding { warnings: found.notes.clone(), origin, ..Finding::new(Body::SamplingRules(found), 0) })
    }

    pub(super) async fn cloudwatch_logs(&self, request: &Capture, caller: &Caller) -> Result<Finding, Error> {
        let ask = self.ask_aws(caller).await?;
        if let Some(id) = &request.id {
            if request.latest {
                return Err(both());
            }
            let Event { record, .. } = self.event_of(&ask, id).await?;
            let endpoint = self.aws_endpoint(&ask, Source::Cloudwatch).await;
            let origin = origin_of_logs(endpoint, &record.group, "", (record.timestamp, record.timestamp));
            let logs = Logs { events: vec![log_event(&record)], ..Logs::default() };
            let raw = Raw { logs: vec![record], ..Raw::default() };
            return Ok(Finding { raw, origin, ..Finding::new(Body::Logs(logs), 1) });
        }
        let limit = if request.latest { 1 } else { MAX_ROWS };
        let found = self.find_events(&ask, &request.filter, request.since.as_deref(), limit, true, None).await?;
        if found.events.is_empty() {
            return Err(Error::not_found(
                format!("no log event of {} matches", found.group),
                "Widen --since; events show up some seconds after they were sent, and watchtower sends every 60 s",
            ));
        }
        let mut notes = found.notes;
        if found.next.is_some() && !request.latest {
            notes.push("older log events match too and are left out".to_owned());
        }
        let mut records: Vec<_> = found.events.into_iter().map(|event| event.record).collect();
        records.sort_by_key(|record| record.timestamp);
        let range =
            (records.first().map_or(Nanos(0), |r| r.timestamp), records.last().map_or(Nanos(0), |r| r.timestamp));
        let pattern = pattern(&parse_filter(&request.filter)?);
        let endpoint = self.aws_endpoint(&ask, Source::Cloudwatch).await;
        let origin = origin_of_logs(endpoint, &found.group, &pattern, range);
        let logs = Logs { events: records.iter().map(log_event).collect(), more: 0, notes: notes.clone() };
        let raw = Raw { logs: records, ..Raw::default() };
        Ok(Finding { raw, warnings: notes, origin, ..Finding::new(Body::Logs(logs), limit) })
    }
}

/// The API of X-Ray.
const XRAY_API: &str = "X-Ray API";
/// The API of CloudWatch Logs.
const LOGS_API: &str = "CloudWatch Logs API";

/// The origin of what one API answered.
pub(super) fn origin_of(api: &str, endpoint: Endpoint) -> Origin {
    Origin {
        via: vec![api.to_owned()],
        region: endpoint.region.clone(),
        endpoints: vec![endpoint],
        ..Origin::default()
    }
}

/// The origin of a trace from X-Ray.
fn origin_of_trace(endpoint: Endpoint, id: TraceId, start: Nanos) -> Origin {
    let console_link = endpoint.region.as_deref().and_then(|region| xray::links::trace(region, id));
    Origin { console_link, expires: Some(xray::links::expires(start)), ..origin_of(XRAY_API, endpoint) }
}

/// The origin of log events from CloudWatch.
fn origin_of_logs(endpoint: Endpoint, group: &str, pattern: &str, range: (Nanos, Nanos)) -> Origin {
    // The end of the console's range is exclusive, and several events may have the last millisecond.
    let range = Range { from: range.0, until: Nanos(range.1.0.saturating_add(1_000_000)) };
    let region = endpoint.region.as_deref();
    let console_link = region.and_then(|region| cloudwatch::links::events(region, group, None, pattern, range));
    Origin { console_link, ..origin_of(LOGS_API, endpoint) }
}
