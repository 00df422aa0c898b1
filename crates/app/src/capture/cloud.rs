//! Captures of cloud sources, by their vendors' clients.

use tracebook_core::endpoint::Endpoint;
use tracebook_core::evidence::{Body, Kind};

use super::Capturer;
use crate::cloud;
use crate::ground::error::Error;
use crate::ground::finding::Finding;
use crate::ground::schema::{Caller, Capture, QueryRun, Vendor};

impl Capturer {
    pub(super) async fn find_in_cloud(
        &self,
        vendor: Vendor,
        request: &Capture,
        caller: &Caller,
    ) -> Result<Finding, Error> {
        if request.kind == Kind::Query {
            return self.query_result(request, caller).await;
        }
        let mut finding = cloud::vendor(vendor).capture(&self.cloud, request, caller).await?;
        if let Body::Dossier(dossier) = &mut finding.body {
            let before = (dossier.logs.len(), dossier.errors.len(), dossier.console.len());
            self.join_local(dossier, &mut finding.raw).await?;
            if before != (dossier.logs.len(), dossier.errors.len(), dossier.console.len()) {
                finding.origin.endpoints.push(Endpoint::default());
            }
            finding.warnings.extend(dossier.notes.iter().cloned());
        }
        Ok(finding)
    }

    async fn query_result(&self, request: &Capture, caller: &Caller) -> Result<Finding, Error> {
        let run = QueryRun {
            source: request.source,
            query: request.filter.clone(),
            id: request.id.clone(),
            since: request.since.clone(),
            ..QueryRun::default()
        };
        if run.id.is_none() && run.query.trim().is_empty() {
            return Err(Error::usage(
                "which query?",
                "Give a saved one's id, or its text: --filter 'group:cruddur fields @timestamp, @message | limit 20'",
            ));
        }
        let answered = self.explore.run_query(&run, caller).await?;
        if answered.source != request.source {
            return Err(Error::usage("that answer is from another source", "Name the source that was asked"));
        }
        let said = answered.result.notes.clone();
        let limit = u32::try_from(answered.result.rows.len()).unwrap_or(u32::MAX);
        Ok(Finding {
            warnings: said,
            origin: answered.origin,
            ..Finding::new(Body::Query(Box::new(answered.result)), limit)
        })
    }
}
