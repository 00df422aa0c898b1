//! Sampling rules, as the course creates them, and sampling targets for SDKs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tracebook_core::time::Nanos;
use tracebook_core::xray::SamplingRule;

use super::api::{ACCOUNT, ApiError, ApiRequest, ApiResult, Context, seconds, text};
use crate::text::clip;

/// The rule for requests that match no other. Here it samples everything; on AWS 5 %.
const DEFAULT: &str = "Default";

/// AWS's limit.
const MAX_RULES: usize = 25;

/// How long a sampling target is valid, in seconds.
const TARGET_LASTS: i64 = 300;

/// The rule that always exists, and is evaluated last.
pub fn default(region: &str) -> SamplingRule {
    let any = || "*".to_owned();
    SamplingRule {
        name: DEFAULT.to_owned(),
        arn: arn(region, DEFAULT),
        priority: 10_000,
        fixed_rate: 1.0,
        reservoir_size: 1,
        service_name: any(),
        service_type: any(),
        host: any(),
        http_method: any(),
        url_path: any(),
        resource_arn: any(),
        ..SamplingRule::default()
    }
}

fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:xray:{region}:{ACCOUNT}:sampling-rule/{name}")
}

fn shown(rule: &SamplingRule) -> Value {
    json!({
        "SamplingRule": {
            "RuleName": rule.name,
            "RuleARN": rule.arn,
            "ResourceARN": rule.resource_arn,
            "Priority": rule.priority,
            "FixedRate": rule.fixed_rate,
            "ReservoirSize": rule.reservoir_size,
            "ServiceName": rule.service_name,
            "ServiceType": rule.service_type,
            "Host": rule.host,
            "HTTPMethod": rule.http_method,
            "URLPath": rule.url_path,
            "Version": 1,
            "Attributes": rule.attributes,
        },
        "CreatedAt": seconds(rule.created),
        "ModifiedAt": seconds(rule.modified),
    })
}

/// All rules, `Default` last.
pub(super) async fn list(context: &Context, request: &ApiRequest) -> ApiResult {
    let mut records: Vec<Value> = context.store.rules().await?.iter().map(shown).collect();
    records.push(shown(&default(&request.region)));
    Ok(json!({ "SamplingRuleRecords": records }))
}

/// A rule's own rate and reservoir; everything for `Default` and unknown rules. SDKs fail without
/// `LastRuleModification`, and read the rules again if it is later than when they last read them.
pub(super) async fn targets(context: &Context, request: &ApiRequest) -> ApiResult {
    let rules = context.store.rules().await?;
    let now = context.clock.now().0.div_euclid(1_000_000_000);
    let mut modified = rules.iter().map(|rule| rule.modified).max().unwrap_or_default();
    let mut seen: Vec<&str> = Vec::new();
    let mut documents = Vec::new();
    for statistics in request.list("SamplingStatisticsDocuments")? {
        // The API accepts 25 documents at once.
        let Some(name) = statistics["RuleName"].as_str().filter(|name| seen.len() < 25 && !seen.contains(name)) else {
            continue;
        };
        seen.push(name);
        let rule = rules.iter().find(|rule| rule.name == name);
        if rule.is_none() && name != DEFAULT {
            // A client that counts for a deleted rule should read the rules again.
            modified = context.clock.now();
        }
        documents.push(json!({
            "RuleName": name,
            "FixedRate": rule.map_or(1.0, |rule| rule.fixed_rate),
            "ReservoirQuota": rule.map_or(100, |rule| rule.reservoir_size),
            "ReservoirQuotaTTL": now.saturating_add(TARGET_LASTS),
            "Interval": 10,
        }));
    }
    Ok(json!({
        "SamplingTargetDocuments": documents,
        "LastRuleModification": modified.0.div_euclid(1_000_000_000),
        "UnprocessedStatistics": [],
    }))
}

pub(super) async fn create(context: &Context, request: &ApiRequest) -> ApiResult {
    let said = object(request, "SamplingRule")?;
    let name = match (text(said, "RuleName")?, text(said, "RuleARN")?) {
        (Some(name), _) => name,
        (None, Some(arn)) => arn.split_once(":sampling-rule/").map_or("", |(_, name)| name),
        (None, None) => return Err(ApiError::invalid("RuleName is missing.")),
    };
    if !(1..=32).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(ApiError::invalid(format!("RuleName {:?} is not a name of 1 to 32 characters.", clip(name))));
    }
    if said.get("Version").is_none_or(|version| version.as_f64() != Some(1.0)) {
        return Err(ApiError::invalid("Version must be 1."));
    }
    let keys = ["Priority", "FixedRate", "ReservoirSize", "ResourceARN", "ServiceName", "ServiceType", "Host"];
    for key in keys.into_iter().chain(["HTTPMethod", "URLPath"]) {
        if said.get(key).is_none_or(Value::is_null) {
            return Err(ApiError::invalid(format!("{key} is required; use \"*\" to match any text.")));
        }
    }
    let now = context.clock.now();
    let mut rule = SamplingRule {
        name: name.to_owned(),
        arn: arn(&request.region, name),
        created: now,
        modified: now,
        ..SamplingRule::default()
    };
    settings(said, &mut rule)?;
    let _one_at_a_time = context.settings.lock().await;
    let there = context.store.rules().await?;
    if name == DEFAULT || there.iter().any(|rule| rule.name == name) {
        let words = format!("Sampling rule already exists: {name}. To change it: aws xray update-sampling-rule.");
        return Err(ApiError::invalid(words));
    }
    if there.len() >= MAX_RULES {
        return Err(ApiError::rule_limit(format!("There are {MAX_RULES} sampling rules already; delete one first.")));
    }
    context.store.put_rule(rule.clone()).await?;
    Ok(json!({ "SamplingRuleRecord": shown(&rule) }))
}

pub(super) async fn update(context: &Context, request: &ApiRequest) -> ApiResult {
    let said = object(request, "SamplingRuleUpdate")?;
    let _one_at_a_time = context.settings.lock().await;
    let mut rule = found(context, said).await?;
    settings(said, &mut rule)?;
    // Later than before even if the clock stands still, so that SDKs read it again.
    rule.modified = context.clock.now().max(Nanos(rule.modified.0.saturating_add(1)));
    context.store.put_rule(rule.clone()).await?;
    Ok(json!({ "SamplingRuleRecord": shown(&rule) }))
}

pub(super) async fn delete(context: &Context, request: &ApiRequest) -> ApiResult {
    let _one_at_a_time = context.settings.lock().await;
    let rule = found(context, &request.body).await?;
    match context.store.delete_rule(&rule.name).await? {
        true => Ok(json!({ "SamplingRuleRecord": shown(&rule) })),
        false => Err(not_found(&rule.name)),
    }
}

fn object<'a>(request: &'a ApiRequest, key: &str) -> Result<&'a Map<String, Value>, ApiError> {
    request.get(key).and_then(Value::as_object).ok_or_else(|| ApiError::invalid(format!("{key} is not an object.")))
}

/// The rule that a request names, by name or ARN.
async fn found(context: &Context, said: &Map<String, Value>) -> Result<SamplingRule, ApiError> {
    let name = match (text(said, "RuleName")?, text(said, "RuleARN")?) {
        (Some(name), _) => name,
        (None, Some(arn)) => arn
            .split_once(":sampling-rule/")
            .map(|(_, name)| name)
            .ok_or_else(|| ApiError::invalid(format!("RuleARN {:?} is not a sampling rule's ARN.", clip(arn))))?,
        (None, None) => return Err(ApiError::invalid("Say which rule: RuleName or RuleARN is missing.")),
    };
    if name == DEFAULT {
        return Err(ApiError::invalid(
            "The Default rule samples everything here and cannot be changed or deleted; create a rule of your own.",
        ));
    }
    context.store.rules().await?.into_iter().find(|rule| rule.name == name).ok_or_else(|| not_found(name))
}

fn not_found(name: &str) -> ApiError {
    ApiError::invalid(format!("Sampling rule does not exist: {}. To see all: aws xray get-sampling-rules.", clip(name)))
}

/// Sets the fields that the request contains, within the API's limits.
fn settings(said: &Map<String, Value>, rule: &mut SamplingRule) -> Result<(), ApiError> {
    let number = |key: &str| said.get(key).filter(|value| !value.is_null());
    if let Some(value) = number("Priority") {
        rule.priority = whole(value)
            .filter(|n| (1..=9999).contains(n))
            .ok_or_else(|| ApiError::invalid("Priority is a whole number from 1 to 9999."))?;
    }
    if let Some(value) = number("FixedRate") {
        rule.fixed_rate = value
            .as_f64()
            .filter(|rate| (0.0..=1.0).contains(rate))
            .ok_or_else(|| ApiError::invalid("FixedRate is a number from 0 to 1: 0.05 is 5 %."))?;
    }
    if let Some(value) = number("ReservoirSize") {
        rule.reservoir_size =
            whole(value).ok_or_else(|| ApiError::invalid("ReservoirSize is a whole number of requests per second."))?;
    }
    for (key, longest, part) in [
        ("ResourceARN", 500, &mut rule.resource_arn),
        ("ServiceName", 64, &mut rule.service_name),
        ("ServiceType", 64, &mut rule.service_type),
        ("Host", 64, &mut rule.host),
        ("HTTPMethod", 10, &mut rule.http_method),
        ("URLPath", 128, &mut rule.url_path),
    ] {
        if let Some(text) = text(said, key)? {
            if text.chars().count() > longest {
                return Err(ApiError::invalid(format!("{key} is longer than {longest} characters.")));
            }
            text.clone_into(part);
        }
    }
    if let Some(value) = number("Attributes") {
        rule.attributes = attributes(value)
            .ok_or_else(|| ApiError::invalid("Attributes are up to 5 texts of up to 32 characters, by name."))?;
    }
    Ok(())
}

fn whole(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|n| u32::try_from(n).ok())
}

fn attributes(value: &Value) -> Option<BTreeMap<String, String>> {
    let fine = |text: &str| (1..=32).contains(&text.chars().count());
    let map = value.as_object().filter(|map| map.len() <= 5)?;
    map.iter().map(|(k, v)| v.as_str().filter(|v| fine(k) && fine(v)).map(|v| (k.clone(), v.to_owned()))).collect()
}
