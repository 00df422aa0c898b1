//! Groups, as `aws xray create-group` creates them.

use serde_json::{Value, json};
use tracebook_core::xray::Group;

use super::api::{ACCOUNT, ApiError, ApiRequest, ApiResult, Context};
use crate::text::clip;
use crate::xray::expression::{Expression, MAX_LENGTH, Problem};

/// The group of all traces, which cannot be created, changed or deleted.
pub(super) const DEFAULT: &str = "Default";

/// How many groups may be created.
const MAX_GROUPS: usize = 100;

/// The group of all traces, which always exists.
pub fn default(region: &str) -> Group {
    Group { name: DEFAULT.to_owned(), arn: arn(region, DEFAULT), ..Group::default() }
}

fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:xray:{region}:{ACCOUNT}:group/{name}")
}

fn shown(group: &Group) -> Value {
    json!({
        "GroupName": group.name,
        "GroupARN": group.arn,
        "FilterExpression": group.filter_expression,
        "InsightsConfiguration": {
            "InsightsEnabled": group.insights_enabled,
            "NotificationsEnabled": group.notifications_enabled,
        },
    })
}

pub(super) async fn list(context: &Context, request: &ApiRequest) -> ApiResult {
    let mut groups = vec![shown(&default(&request.region))];
    groups.extend(context.store.groups().await?.iter().map(shown));
    Ok(json!({ "Groups": groups }))
}

pub(super) async fn get(context: &Context, request: &ApiRequest) -> ApiResult {
    Ok(json!({ "Group": shown(&found(context, request).await?) }))
}

pub(super) async fn create(context: &Context, request: &ApiRequest) -> ApiResult {
    let name = request.text("GroupName")?.unwrap_or_default();
    let long = name.chars().count();
    if !(1..=32).contains(&long) || name.chars().any(char::is_control) || name.trim() != name {
        return Err(ApiError::invalid(format!("GroupName {:?} is not a name of 1 to 32 characters.", clip(name))));
    }
    let mut group = Group { name: name.to_owned(), arn: arn(&request.region, name), ..Group::default() };
    settings(request, &mut group)?;
    let _one_at_a_time = context.settings.lock().await;
    let there = context.store.groups().await?;
    if name == DEFAULT || there.iter().any(|group| group.name == name) {
        return Err(ApiError::invalid(format!("Group already exists: {name}. To change it: aws xray update-group.")));
    }
    if there.len() >= MAX_GROUPS {
        return Err(ApiError::invalid(format!("There are {MAX_GROUPS} groups already; delete one first.")));
    }
    context.store.put_group(group.clone()).await?;
    Ok(json!({ "Group": shown(&group) }))
}

pub(super) async fn update(context: &Context, request: &ApiRequest) -> ApiResult {
    let _one_at_a_time = context.settings.lock().await;
    let mut group = changeable(found(context, request).await?)?;
    settings(request, &mut group)?;
    context.store.put_group(group.clone()).await?;
    Ok(json!({ "Group": shown(&group) }))
}

pub(super) async fn delete(context: &Context, request: &ApiRequest) -> ApiResult {
    let _one_at_a_time = context.settings.lock().await;
    let group = changeable(found(context, request).await?)?;
    match context.store.delete_group(&group.name).await? {
        true => Ok(json!({})),
        false => Err(not_found(&group.name)),
    }
}

/// The group that a request names, by name or ARN.
pub(super) async fn found(context: &Context, request: &ApiRequest) -> Result<Group, ApiError> {
    match (request.text("GroupName")?, request.text("GroupARN")?) {
        (Some(name), _) => named(context, &request.region, name).await,
        // The region in it depends on the client's settings.
        (None, Some(arn)) => match arn.split_once(":group/") {
            Some((_, rest)) => named(context, &request.region, rest).await,
            None => Err(ApiError::invalid(format!("GroupARN {:?} is not a group's ARN.", clip(arn)))),
        },
        (None, None) => Err(ApiError::invalid("GroupName or GroupARN is required.")),
    }
}

async fn named(context: &Context, region: &str, name: &str) -> Result<Group, ApiError> {
    if name == DEFAULT {
        return Ok(default(region));
    }
    context.store.groups().await?.into_iter().find(|group| group.name == name).ok_or_else(|| not_found(name))
}

fn not_found(name: &str) -> ApiError {
    ApiError::invalid(format!("Group not found: {}. To see all: aws xray get-groups.", clip(name)))
}

fn changeable(group: Group) -> Result<Group, ApiError> {
    match group.name == DEFAULT {
        true => Err(ApiError::invalid("The Default group contains every trace and cannot be changed or deleted.")),
        false => Ok(group),
    }
}

/// Sets the fields that the request contains.
fn settings(request: &ApiRequest, group: &mut Group) -> Result<(), ApiError> {
    if let Some(expression) = request.text("FilterExpression")? {
        match Expression::parse(expression) {
            // X-Ray may support what is not evaluated here; a request for the group's traces reports it.
            Ok(_) | Err(Problem::Unsupported { .. }) => {}
            Err(problem @ Problem::Wrong { .. }) => return Err(ApiError::invalid(problem.to_string())),
        }
        if expression.len() > MAX_LENGTH {
            return Err(ApiError::invalid(format!("FilterExpression is longer than {MAX_LENGTH} characters.")));
        }
        group.filter_expression = expression.to_owned();
    }
    match request.get("InsightsConfiguration") {
        None => {}
        Some(Value::Object(insights)) => {
            let flag = |key: &str, now: bool| match insights.get(key) {
                None | Some(Value::Null) => Ok(now),
                Some(Value::Bool(flag)) => Ok(*flag),
                Some(_) => Err(ApiError::invalid(format!("{key} is neither true nor false."))),
            };
            group.insights_enabled = flag("InsightsEnabled", group.insights_enabled)?;
            group.notifications_enabled = flag("NotificationsEnabled", group.notifications_enabled)?;
        }
        Some(_) => return Err(ApiError::invalid("InsightsConfiguration is not an object.")),
    }
    if group.notifications_enabled && !group.insights_enabled {
        return Err(ApiError::invalid("NotificationsEnabled needs InsightsEnabled; set both to true."));
    }
    Ok(())
}
