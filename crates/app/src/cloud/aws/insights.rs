//! Queries of CloudWatch Logs Insights.

use async_trait::async_trait;

use tracebook_core::freeze::Origin;
use tracebook_core::question::Source;
use tracebook_sources::cloudwatch;
use tracebook_sources::cloudwatch::client::InsightsRequest;

use super::AwsVendor;
use super::capture::origin_of;
use crate::cloud::Cloud;
use crate::cloud::logs::parse_filter;
use crate::cloud::queries::{Answered, LOOKBACK, ROWS, SavedQueries, leading_groups, no_such};
use crate::cloud::vendor::Queries;
use crate::ground::error::Error;
use crate::ground::schema::{Caller, QueryRun, SavedQuery, Vendor};

/// What the id of a query begins with that is saved in CloudWatch.
const PREFIX: &str = "cloudwatch:";

/// The query to run.
#[derive(Default)]
struct Wanted {
    name: String,
    query: String,
    groups: Vec<String>,
}

#[async_trait]
impl Queries for AwsVendor {
    async fn saved(&self, cloud: &Cloud, caller: &Caller) -> Result<SavedQueries, Error> {
        let ask = cloud.ask_aws(caller).await?;
        let found = cloud.answered(Vendor::Aws, ask.aws.logs.saved_queries(&ask.fetch).await).await?;
        let rows = found.rows.into_iter().map(|saved| SavedQuery {
            id: format!("{PREFIX}{}", saved.id),
            source: Source::Cloudwatch,
            name: saved.name,
            query: saved.query,
            groups: saved.groups,
            from: "CloudWatch".to_owned(),
            own: false,
            link: None,
        });
        Ok(SavedQueries { rows: rows.collect(), notes: found.notes })
    }

    async fn run(
        &self,
        cloud: &Cloud,
        request: &QueryRun,
        own: Option<SavedQuery>,
        caller: &Caller,
    ) -> Result<Answered, Error> {
        let wanted = match (request.id.as_deref(), own) {
            (None, _) => Wanted { query: request.query.clone(), ..Wanted::default() },
            (Some(_), Some(own)) => wanted(own),
            (Some(id), None) if id.starts_with(PREFIX) => {
                let saved = self.saved(cloud, caller).await?.rows;
                saved.into_iter().find(|saved| saved.id == id).map(wanted).ok_or_else(|| no_such(id))?
            }
            (Some(id), None) => return Err(no_such(id)),
        };
        let (mut groups, text) = leading_groups(&wanted.query)?;
        groups.extend(if request.groups.is_empty() { wanted.groups } else { request.groups.clone() });
        let ask = cloud.ask_aws(caller).await?;
        if groups.is_empty() && !text.to_uppercase().contains("SOURCE") {
            groups.push(cloud.group_of(&ask, &parse_filter("")?).await?);
        }
        let range = cloud.back(request.since.as_deref(), LOOKBACK)?;
        let question = InsightsRequest {
            groups: groups.clone(),
            text: text.to_owned(),
            range,
            limit: request.limit.unwrap_or(ROWS),
        };
        let mut result = cloud.answered(Vendor::Aws, ask.aws.logs.query(&question, &ask.fetch).await).await?;
        result.name = wanted.name;
        let endpoint = cloud.aws_endpoint(&ask, Source::Cloudwatch).await;
        let origin = Origin {
            console_link: cloudwatch::links::insights(ask.region(), &groups, text, range),
            ..origin_of("CloudWatch Logs Insights", endpoint)
        };
        Ok(Answered { source: Source::Cloudwatch, result, origin })
    }
}

fn wanted(saved: SavedQuery) -> Wanted {
    Wanted { name: saved.name, query: saved.query, groups: saved.groups }
}
