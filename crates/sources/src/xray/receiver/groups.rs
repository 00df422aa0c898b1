//! Groups, as created by `aws xray create-group`.

use serde_json::{Value, json};
use tracebook_core::xray::Group;

use super::http::{ACCOUNT, Answer, Asked, Ends, Refused};
use crate::clip;
use crate::xray::expression::{Expression, MAX_LENGTH, Problem};

/// The built-in group of all traces, which cannot be created, changed or deleted.
pub(super) const DEFAULT: &str = "Default";

/// Maximum number of groups.
const MOST: usize = 100;

/// The built-in group of all traces.
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

pub(super) async fn list(ends: &Ends, asked: &Asked) -> Answer {
    let mut groups = vec![shown(&default(&asked.region))];
    groups.extend(ends.store.groups().await?.iter().map(shown));
    Ok(json!({ "Groups": groups }))
}

pub(super) async fn get(ends: &Ends, asked: &Asked) -> Answer {
    Ok(json!({ "Group": shown(&found(ends, asked).await?) }))
}

pub(super) async fn create(ends: &Ends, asked: &Asked) -> Answer {
    let name = asked.text("GroupName")?.unwrap_or_default();
    let long = name.chars().count();
    if !(1..=32).contains(&long) || name.chars().any(char::is_control) || name.trim() != name {
        return Err(Refused::invalid(format!("GroupName {:?} is not a name of 1 to 32 characters.", clip(name))));
    }
    let mut group = Group { name: name.to_owned(), arn: arn(&asked.region, name), ..Group::default() };
    settings(asked, &mut group)?;
    let _one_at_a_time = ends.settings.lock().await;
    let there = ends.store.groups().await?;
    if name == DEFAULT || there.iter().any(|group| group.name == name) {
        return Err(Refused::invalid(format!("Group already exists: {name}. To change it: aws xray update-group.")));
    }
    if there.len() >= MOST {
        return Err(Refused::invalid(format!("There are {MOST} groups already; delete one first.")));
    }
    ends.store.put_group(group.clone()).await?;
    Ok(json!({ "Group": shown(&group) }))
}

pub(super) async fn update(ends: &Ends, asked: &Asked) -> Answer {
    let _one_at_a_time = ends.settings.lock().await;
    let mut group = changeable(found(ends, asked).await?)?;
    settings(asked, &mut group)?;
    ends.store.put_group(group.clone()).await?;
    Ok(json!({ "Group": shown(&group) }))
}

pub(super) async fn delete(ends: &Ends, asked: &Asked) -> Answer {
    let _one_at_a_time = ends.settings.lock().await;
    let group = changeable(found(ends, asked).await?)?;
    match ends.store.delete_group(&group.name).await? {
        true => Ok(json!({})),
        false => Err(not_found(&group.name)),
    }
}

/// The group that a request names, by name or ARN.
pub(super) async fn found(ends: &Ends, asked: &Asked) -> Result<Group, Refused> {
    match (asked.text("GroupName")?, asked.text("GroupARN")?) {
        (Some(name), _) => named(ends, &asked.region, name).await,
        // Its region depends on the settings of the client and is ignored.
        (None, Some(arn)) => match arn.split_once(":group/") {
            Some((_, rest)) => named(ends, &asked.region, rest).await,
            None => Err(Refused::invalid(format!("GroupARN {:?} is not a group's ARN.", clip(arn)))),
        },
        (None, None) => Err(Refused::invalid("Say which group: GroupName or GroupARN is missing.")),
    }
}

async fn named(ends: &Ends, region: &str, name: &str) -> Result<Group, Refused> {
    if name == DEFAULT {
        return Ok(default(region));
    }
    ends.store.groups().await?.into_iter().find(|group| group.name == name).ok_or_else(|| not_found(name))
}

fn not_found(name: &str) -> Refused {
    Refused::invalid(format!("Group not found: {}. To see all: aws xray get-groups.", clip(name)))
}

fn changeable(group: Group) -> Result<Group, Refused> {
    match group.name == DEFAULT {
        true => Err(Refused::invalid("The Default group is every trace and cannot be changed or deleted.")),
        false => Ok(group),
    }
}

/// Applies the request to the group.
fn settings(asked: &Asked, group: &mut Group) -> Result<(), Refused> {
    if let Some(expression) = asked.text("FilterExpression")? {
        match Expression::parse(expression) {
            // X-Ray may know functions that are not evaluated here; requests for the group's traces then get an error.
            Ok(_) | Err(Problem::Unsupported { .. }) => {}
            Err(problem @ Problem::Wrong { .. }) => return Err(Refused::invalid(problem.to_string())),
        }
        if expression.len() > MAX_LENGTH {
            return Err(Refused::invalid(format!("FilterExpression is longer than {MAX_LENGTH} characters.")));
        }
        group.filter_expression = expression.to_owned();
    }
    match asked.get("InsightsConfiguration") {
        None => {}
        Some(Value::Object(insights)) => {
            let flag = |key: &str, now: bool| match insights.get(key) {
                None | Some(Value::Null) => Ok(now),
                Some(Value::Bool(flag)) => Ok(*flag),
                Some(_) => Err(Refused::invalid(format!("{key} is neither true nor false."))),
            };
            group.insights_enabled = flag("InsightsEnabled", group.insights_enabled)?;
            group.notifications_enabled = flag("NotificationsEnabled", group.notifications_enabled)?;
        }
        Some(_) => return Err(Refused::invalid("InsightsConfiguration is not an object.")),
    }
    if group.notifications_enabled && !group.insights_enabled {
        return Err(Refused::invalid("NotificationsEnabled needs InsightsEnabled; set both to true."));
    }
    Ok(())
}
