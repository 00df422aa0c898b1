//! Where vendors' consoles show things, and how long.

use tracebook_core::freeze::Origin;
use tracebook_core::question::Source;
use tracebook_core::time::Nanos;
use tracebook_sources::cloud::Range;
use tracebook_sources::{cloudwatch, honeycomb, rollbar, xray};

use crate::Tracebook;
use crate::ground::error::Error;
use crate::ground::question::trace_id;
use crate::rpc::{Caller, LinkAnswer, LinkRequest};

impl Tracebook {
    pub(crate) async fn console_link(&self, request: LinkRequest, caller: &Caller) -> Result<LinkAnswer, Error> {
        match (request.source, request.kind.as_str()) {
            (Source::Xray, "trace") => {
                let ask = self.ask_aws(caller).await?;
                let id = trace_id(&request.id)?;
                let read = self.read_xray_trace(&ask, id).await?;
                Ok(link_of(
                    xray::links::trace(ask.region(), id),
                    Some(xray::links::expires(read.trace.start())),
                    "X-Ray deletes traces after 30 days",
                ))
            }
            (Source::Xray, "service-map") => {
                let ask = self.ask_aws(caller).await?;
                Ok(link_of(xray::links::service_map(ask.region()), None, "shows the present, not what was captured"))
            }
            (Source::Cloudwatch, "logs") => {
                let ask = self.ask_aws(caller).await?;
                Ok(link_of(
                    cloudwatch::links::group(ask.region(), &request.id),
                    None,
                    "events go after the group's retention",
                ))
            }
            (Source::Rollbar, "error") => {
                let ask = self.ask_rollbar(caller).await?;
                let item = self.rollbar_item(&ask, &request.id).await?;
                let url = rollbar::client::links::item(&ask.web, item.row.counter)
                    .or_else(|| rollbar::client::links::by_uuid(&item.error.occurrence.uuid));
                Ok(link_of(url, None, "Rollbar keeps occurrences as long as the plan says"))
            }
            (Source::Honeycomb, "trace") => self.honeycomb_link(&request.id, caller).await,
            (source, kind) => Err(Error::usage(
                format!("no console shows a {kind:?} of {source:?}"),
                "Ask for trace or service-map of xray, logs of cloudwatch, error of rollbar, trace of honeycomb",
            )),
        }
    }

    /// A local trace in Honeycomb: both times are in the link, since Honeycomb looks back two hours only without them.
    async fn honeycomb_link(&self, id: &str, caller: &Caller) -> Result<LinkAnswer, Error> {
        let trace = self.read_trace(trace_id(id)?).await?.trace;
        let ask = self.ask_honeycomb(caller).await?;
        let auth = self.honeycomb_auth(&ask).await?;
        let dataset = trace.services().first().map(|service| honeycomb::links::dataset(service)).unwrap_or_default();
        let url =
            honeycomb::links::trace(&auth, ask.client.ui(), &dataset, trace.trace_id, trace.start(), trace.end(), None);
        Ok(link_of(
            url,
            None,
            "leads there if the service's spans are sent to Honeycomb too; it keeps them for 60 days",
        ))
    }

    /// What a card of an X-Ray trace says of its origin.
    pub(crate) fn origin_of_trace(region: &str, id: tracebook_core::ids::TraceId, start: Nanos) -> Origin {
        Origin {
            via: vec!["X-Ray API".to_owned()],
            region: Some(region.to_owned()),
            console_link: xray::links::trace(region, id),
            expires: Some(xray::links::expires(start)),
        }
    }

    /// What a card of CloudWatch's log events says of its origin.
    pub(crate) fn origin_of_logs(region: &str, group: &str, pattern: &str, range: (Nanos, Nanos)) -> Origin {
        // The console's range is exclusive at its end, and events may share the last millisecond.
        let range = Range { from: range.0, until: Nanos(range.1.0.saturating_add(1_000_000)) };
        Origin {
            via: vec!["CloudWatch Logs API".to_owned()],
            region: Some(region.to_owned()),
            console_link: cloudwatch::links::events(region, group, None, pattern, range),
            expires: None,
        }
    }
}

fn link_of(url: Option<String>, expires: Option<Nanos>, note: &str) -> LinkAnswer {
    let note = match &url {
        Some(_) => note.to_owned(),
        None => "no address can be made of what is set".to_owned(),
    };
    LinkAnswer { url, expires: expires.map(Nanos::rfc3339), note }
}
