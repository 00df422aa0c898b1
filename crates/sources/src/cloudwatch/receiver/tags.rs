//! Tags of log groups, by ARN or, as in older SDKs, by name.

use serde_json::{Value, json};
use tracebook_core::log_query::SettingChange;

use super::Call;
use super::groups::{MAX_TAGS, existing};
use super::input::{GROUP_NAME, Input, TAG_KEY};
use super::refusal::Refusal;

pub(super) async fn tag_resource(call: &Call, input: &Input) -> Result<Value, Refusal> {
    tag(call, input, input.resource()?).await
}

pub(super) async fn tag_group(call: &Call, input: &Input) -> Result<Value, Refusal> {
    tag(call, input, input.required("logGroupName", &GROUP_NAME)?).await
}

async fn tag(call: &Call, input: &Input, group: &str) -> Result<Value, Refusal> {
    let new = input.tags("tags")?.ok_or_else(|| Refusal::missing("tags"))?;
    let mut tags = existing(call, group).await?.tags;
    tags.extend(new);
    if tags.len() > MAX_TAGS {
        return Err(Refusal::too_many_tags(format!("A log group has at most {MAX_TAGS} tags.")));
    }
    set(call, group, tags).await
}

pub(super) async fn untag_resource(call: &Call, input: &Input) -> Result<Value, Refusal> {
    untag(call, input, "tagKeys", input.resource()?).await
}

pub(super) async fn untag_group(call: &Call, input: &Input) -> Result<Value, Refusal> {
    untag(call, input, "tags", input.required("logGroupName", &GROUP_NAME)?).await
}

async fn untag(call: &Call, input: &Input, member: &str, group: &str) -> Result<Value, Refusal> {
    let keys = input.texts(member, &TAG_KEY, MAX_TAGS)?.ok_or_else(|| Refusal::missing(member))?;
    let mut tags = existing(call, group).await?.tags;
    tags.retain(|key, _| !keys.contains(key));
    set(call, group, tags).await
}

async fn set(call: &Call, group: &str, tags: std::collections::BTreeMap<String, String>) -> Result<Value, Refusal> {
    match call.store().set_tags(group, tags).await? {
        SettingChange::Done => Ok(Value::Null),
        SettingChange::Conflict => Err(Refusal::no_group()),
        SettingChange::LimitExceeded => Err(Refusal::limit_exceeded()),
    }
}

pub(super) async fn list_of_resource(call: &Call, input: &Input) -> Result<Value, Refusal> {
    list(call, input.resource()?).await
}

pub(super) async fn list_of_group(call: &Call, input: &Input) -> Result<Value, Refusal> {
    list(call, input.required("logGroupName", &GROUP_NAME)?).await
}

async fn list(call: &Call, group: &str) -> Result<Value, Refusal> {
    Ok(json!({"tags": existing(call, group).await?.tags}))
}
