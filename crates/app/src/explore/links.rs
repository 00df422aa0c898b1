//! Links to vendors' consoles, and how long they work.

use tracebook_core::catalog::LinkFrom;
use tracebook_core::time::Nanos;
use tracebook_sources::{cloudwatch, honeycomb, rollbar, xray};

use super::Explorer;
use crate::ground::error::Error;
use crate::ground::question::trace_id;
use crate::ground::schema::{Caller, LinkAnswer, LinkRequest};

impl Explorer {
    pub(crate) async fn console_link(&self, request: LinkRequest, caller: &Caller) -> Result<LinkAnswer, Error> {
        let LinkRequest { source, kind, .. } = &request;
        let link = source.info().links.iter().find(|link| link.kind.word() == kind);
        let link = link.ok_or_else(|| {
            Error::usage(
                format!("no console has a link for {kind:?} of {}", source.info().name),
                "There are links for trace and service-map of xray, logs of cloudwatch, error of rollbar, trace of honeycomb",
            )
        })?;
        match link.from {
            LinkFrom::XrayTrace => {
                let ask = self.cloud.ask_aws(caller).await?;
                let id = trace_id(&request.id)?;
                let read = self.cloud.read_xray_trace(&ask, id).await?;
                Ok(link_of(
                    xray::links::trace(ask.region(), id),
                    Some(xray::links::expires(read.trace.start())),
                    "X-Ray deletes traces after 30 days",
                ))
            }
            LinkFrom::XrayServiceMap => {
                let ask = self.cloud.ask_aws(caller).await?;
                Ok(link_of(xray::links::service_map(ask.region()), None, "shows the present, not what was captured"))
            }
            LinkFrom::CloudwatchLogs => {
                let ask = self.cloud.ask_aws(caller).await?;
                Ok(link_of(
                    cloudwatch::links::group(ask.region(), &request.id),
                    None,
                    "events are removed after the group's retention",
                ))
            }
            LinkFrom::RollbarError => {
                let ask = self.cloud.ask_rollbar(caller).await?;
                let item = self.cloud.rollbar_item(&ask, &request.id).await?;
                let url = rollbar::client::links::item(&ask.web, item.row.counter)
                    .or_else(|| rollbar::client::links::by_uuid(&item.error.occurrence.uuid));
                Ok(link_of(url, None, "Rollbar keeps occurrences as long as the plan allows"))
            }
            LinkFrom::HoneycombTrace => self.honeycomb_link(&request.id, caller).await,
        }
    }

    /// A local trace in Honeycomb. The link carries both times: without them Honeycomb searches the last two hours
    /// only.
    async fn honeycomb_link(&self, id: &str, caller: &Caller) -> Result<LinkAnswer, Error> {
        let trace = self.telemetry.read_trace(trace_id(id)?).await?.trace;
        let ask = self.cloud.ask_honeycomb(caller).await?;
        let auth = self.cloud.honeycomb_auth(&ask).await?;
        let dataset = trace.services().first().map(|service| honeycomb::links::dataset(service)).unwrap_or_default();
        let url =
            honeycomb::links::trace(&auth, ask.client.ui(), &dataset, trace.trace_id, trace.start(), trace.end(), None);
        Ok(link_of(url, None, "works if the service's spans are sent to Honeycomb too, which keeps them for 60 days"))
    }
}

fn link_of(url: Option<String>, expires: Option<Nanos>, note: &str) -> LinkAnswer {
    let note = match &url {
        Some(_) => note.to_owned(),
        None => "no link can be built from the settings".to_owned(),
    };
    LinkAnswer { url, expires: expires.map(Nanos::rfc3339), note }
}
