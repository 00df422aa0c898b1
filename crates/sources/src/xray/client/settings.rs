//! The groups and sampling rules of an account.

use aws_sdk_xray::types::SamplingRuleRecord;
use tracebook_core::time::Nanos;
use tracebook_core::xray::{Group, Groups, SamplingRule, SamplingRules, warnings};

use super::{Client, MAX_PAGES, nanos, next};
use crate::cloud::{Api, Fetch, Progress, SourceError};

/// The group of all traces.
const DEFAULT: &str = "Default";

impl Client {
    /// All groups, `Default` first, then by name.
    pub async fn groups(&self, fetch: &Fetch) -> Result<Groups, SourceError> {
        let mut groups = Vec::new();
        let mut token = None::<String>;
        for pages in 1..=MAX_PAGES {
            let ask = || async {
                self.sdk.get_groups().set_next_token(token.clone()).send().await.map_err(|error| self.words(error))
            };
            let page = fetch.call(Api::XRAY_SETTINGS, ask).await?;
            for group in page.groups() {
                let insights = group.insights_configuration();
                groups.push(Group {
                    name: group.group_name().unwrap_or_default().to_owned(),
                    arn: group.group_arn().unwrap_or_default().to_owned(),
                    filter_expression: group.filter_expression().unwrap_or_default().to_owned(),
                    insights_enabled: insights.and_then(|i| i.insights_enabled()).unwrap_or(false),
                    notifications_enabled: insights.and_then(|i| i.notifications_enabled()).unwrap_or(false),
                });
            }
            said(fetch, pages, groups.len(), "groups");
            token = next(page.next_token(), token.as_deref());
            if token.is_none() {
                break;
            }
        }
        groups.sort_by(|a, b| (a.name != DEFAULT, &a.name).cmp(&(b.name != DEFAULT, &b.name)));
        Ok(Groups { groups, notes: Vec::new() })
    }

    /// All sampling rules by priority, with notes on those that hide requests.
    pub async fn sampling_rules(&self, fetch: &Fetch) -> Result<SamplingRules, SourceError> {
        let mut rules = Vec::new();
        let mut notes = Vec::new();
        let mut token = None::<String>;
        for pages in 1..=MAX_PAGES {
            let ask = || async {
                let ask = self.sdk.get_sampling_rules().set_next_token(token.clone());
                ask.send().await.map_err(|error| self.words(error))
            };
            let page = fetch.call(Api::XRAY_SETTINGS, ask).await?;
            for record in page.sampling_rule_records() {
                rules.extend(rule(record, &mut notes));
            }
            said(fetch, pages, rules.len(), "sampling rules");
            token = next(page.next_token(), token.as_deref());
            if token.is_none() {
                break;
            }
        }
        rules.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        let mut all = warnings(&rules);
        all.append(&mut notes);
        Ok(SamplingRules { rules, notes: all })
    }
}

fn said(fetch: &Fetch, pages: u32, rows: usize, what: &str) {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    fetch.progress(Progress { pages, rows, of: 0, what: what.to_owned() });
}

fn rule(record: &SamplingRuleRecord, notes: &mut Vec<String>) -> Option<SamplingRule> {
    let said = record.sampling_rule()?;
    let name = said.rule_name().unwrap_or_default();
    if let Some(boost) = said.sampling_rate_boost() {
        let percent = format!("{:.2}", boost.max_rate() * 100.0);
        let percent = percent.trim_end_matches('0').trim_end_matches('.');
        notes.push(format!("rule {name} may sample up to {percent} % while X-Ray sees an anomaly"));
    }
    let time = |time: Option<&aws_smithy_types::DateTime>| time.and_then(nanos).unwrap_or(Nanos(0));
    Some(SamplingRule {
        name: name.to_owned(),
        arn: said.rule_arn().unwrap_or_default().to_owned(),
        priority: u32::try_from(said.priority()).unwrap_or_default(),
        fixed_rate: said.fixed_rate(),
        reservoir_size: u32::try_from(said.reservoir_size()).unwrap_or_default(),
        service_name: said.service_name().to_owned(),
        service_type: said.service_type().to_owned(),
        host: said.host().to_owned(),
        http_method: said.http_method().to_owned(),
        url_path: said.url_path().to_owned(),
        resource_arn: said.resource_arn().to_owned(),
        attributes: said.attributes().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
        created: time(record.created_at()),
        modified: time(record.modified_at()),
    })
}
