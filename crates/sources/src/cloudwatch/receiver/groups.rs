//! Log groups.

use serde_json::{Value, json};
use tracebook_core::log_query::{LogGroup, SettingChange};

use super::Call;
use super::input::{GROUP_NAME, GROUP_PATTERN, Input, TOKEN};
use super::refusal::Refusal;

/// How many tags a group may have.
pub(super) const MAX_TAGS: usize = 50;

/// The most groups or streams on a page.
pub(super) const PAGE: usize = 50;

/// The retention periods that AWS supports, in days.
const RETENTIONS: &[u32] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

const CLASSES: &[&str] = &["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"];

pub(super) async fn existing(call: &Call, name: &str) -> Result<LogGroup, Refusal> {
    call.store().group(name).await?.ok_or_else(Refusal::no_group)
}

pub(super) async fn create(call: &Call, input: &Input) -> Result<Value, Refusal> {
    let name = input.required("logGroupName", &GROUP_NAME)?;
    // A group here always has the standard class, whatever class the request names.
    input.word("logGroupClass", CLASSES)?;
    let tags = input.tags("tags")?.unwrap_or_default();
    if name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws/")) {
        return Err(Refusal::invalid("Log groups starting with AWS/ are reserved for AWS."));
    }
    if input.has("kmsKeyId") {
        return Err(Refusal::invalid("KMS encryption is not supported here: omit kmsKeyId."));
    }
    if tags.len() > MAX_TAGS {
        return Err(Refusal::too_many_tags(format!("A log group has at most {} tags.", MAX_TAGS)));
    }
    match call.store().create_group(name, tags, call.ends.clock.now()).await? {
        SettingChange::Done => Ok(Value::Null),
        SettingChange::Conflict => Err(Refusal::group_exists()),
        SettingChange::LimitExceeded => Err(Refusal::limit_exceeded()),
    }
}

pub(super) async fn delete(call: &Call, input: &Input) -> Result<Value, Refusal> {
    match call.store().delete_group(input.required("logGroupName", &GROUP_NAME)?).await? {
        true => Ok(Value::Null),
        false => Err(Refusal::no_group()),
    }
}

pub(super) async fn retain(call: &Call, input: &Input) -> Result<Value, Refusal> {
    const MEMBER: &str = "retentionInDays";
    let name = input.required("logGroupName", &GROUP_NAME)?;
    let days = input.integer(MEMBER)?.ok_or_else(|| Refusal::missing(MEMBER))?;
    let Some(allowed) = u32::try_from(days).ok().filter(|days| RETENTIONS.contains(days)) else {
        let constraint = format!("Member must satisfy enum value set: {RETENTIONS:?}");
        return Err(Refusal::constraint(Some(&days.to_string()), MEMBER, &constraint));
    };
    set_retention(call, name, Some(allowed)).await
}

pub(super) async fn keep_indefinitely(call: &Call, input: &Input) -> Result<Value, Refusal> {
    set_retention(call, input.required("logGroupName", &GROUP_NAME)?, None).await
}

async fn set_retention(call: &Call, name: &str, days: Option<u32>) -> Result<Value, Refusal> {
    match call.store().set_retention(name, days).await? {
        true => Ok(Value::Null),
        false => Err(Refusal::no_group()),
    }
}

/// A page token is the last group's name, so deleting a group meanwhile does not interrupt the list.
pub(super) async fn describe(call: &Call, input: &Input) -> Result<Value, Refusal> {
    let limit = input.limit(PAGE)?;
    let prefix = input.ruled("logGroupNamePrefix", &GROUP_NAME)?;
    let pattern = input.ruled("logGroupNamePattern", &GROUP_PATTERN)?;
    let token = input.ruled("nextToken", &TOKEN)?;
    let class = input.word("logGroupClass", CLASSES)?;
    let only = input.identifiers("logGroupIdentifiers")?;
    if prefix.is_some() && pattern.is_some() {
        let words = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
        return Err(Refusal::invalid(words));
    }
    let mut groups = call.store().groups().await?;
    groups.retain(|group| {
        group.name.starts_with(prefix.unwrap_or_default())
            && group.name.contains(pattern.unwrap_or_default())
            && token.is_none_or(|token| group.name.as_str() > token)
            && class.is_none_or(|class| class == "STANDARD")
            && only.as_ref().is_none_or(|only| only.contains(&group.name))
    });
    groups.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let more = groups.len() > limit;
    groups.truncate(limit);
    let next = groups.last().filter(|_| more).map(|group| group.name.clone());
    // By pattern, the API only returns names.
    let rows: Vec<Value> = groups.iter().map(|group| described(call, group, pattern.is_some())).collect();
    let mut answer = json!({"logGroups": rows});
    if let Some(next) = next {
        answer["nextToken"] = next.into();
    }
    Ok(answer)
}

fn described(call: &Call, group: &LogGroup, briefly: bool) -> Value {
    let arn = call.group_arn(&group.name);
    let mut row = json!({
        "logGroupName": group.name,
        "creationTime": group.created.millis().max(0),
        "arn": format!("{arn}:*"),
    });
    if briefly {
        return row;
    }
    row["metricFilterCount"] = 0.into();
    row["storedBytes"] = group.stored_bytes.into();
    row["logGroupClass"] = "STANDARD".into();
    row["logGroupArn"] = arn.into();
    if let Some(days) = group.retention_days {
        row["retentionInDays"] = days.into();
    }
    row
}
