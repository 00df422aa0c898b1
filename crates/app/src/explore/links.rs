//! Links to vendors' consoles, and how long they work.

use tracebook_core::question::Source;

use super::Explorer;
use crate::cloud;
use crate::cloud::vendor::LinkTarget;
use crate::ground::error::Error;
use crate::ground::question::trace_id;
use crate::ground::schema::{Caller, LinkAnswer, LinkRequest};

impl Explorer {
    pub(crate) async fn console_link(&self, request: LinkRequest, caller: &Caller) -> Result<LinkAnswer, Error> {
        let info = request.source.info();
        let link = info.links.iter().find(|link| link.kind.word() == request.kind);
        let (Some(vendor), Some(link)) = (info.vendor, link) else {
            return Err(Error::usage(
                format!("no console has a link for {:?} of {}", request.kind, info.name),
                format!("There are links for {}", all_links()),
            ));
        };
        let local = match link.of_local {
            true => Some(self.telemetry.read_trace(trace_id(&request.id)?).await?.trace),
            false => None,
        };
        let target = LinkTarget { kind: link.kind, id: &request.id, local };
        cloud::vendor(vendor).link(&self.cloud, target, caller).await
    }
}

/// `trace and service-map of xray, logs of cloudwatch`.
fn all_links() -> String {
    let of = |source: Source| {
        let kinds: Vec<&str> = source.info().links.iter().map(|link| link.kind.word()).collect();
        (!kinds.is_empty()).then(|| format!("{} of {}", kinds.join(" and "), source.id()))
    };
    Source::ALL.into_iter().filter_map(of).collect::<Vec<_>>().join(", ")
}
