use serde_json::{Value, json};

use super::{Fake, NOON, Reply, at, watched};
use crate::cloud::{Api, Fault, Fetch};

#[tokio::test]
async fn groups_come_from_all_pages_with_default_first() {
    let fake = Fake::start(|_, body, _| {
        let group = |name: &str, expression: Value, insights: Value| {
            json!({
                "GroupName": name, "GroupARN": format!("arn:aws:xray:us-east-1:123456789012:group/{name}/ABC"),
                "FilterExpression": expression, "InsightsConfiguration": insights,
            })
        };
        Reply::Json(match body["NextToken"].as_str() {
            None => json!({"NextToken": "p2", "Groups": [
                group("Zeta", json!("fault"), json!(null)),
                group("Cruddur", json!("service(\"backend-flask\")"), json!({"InsightsEnabled": true, "NotificationsEnabled": true})),
            ]}),
            Some(_) => json!({"Groups": [group("Default", json!(null), json!({"InsightsEnabled": false}))]}),
        })
    })
    .await;
    let (fetch, _, told) = watched();
    let groups = fake.client().await.groups(&fetch).await.expect("answers").groups;
    assert_eq!(groups.iter().map(|g| g.name.as_str()).collect::<Vec<_>>(), ["Default", "Cruddur", "Zeta"]);
    assert_eq!(groups[1].filter_expression, "service(\"backend-flask\")");
    assert!(groups[1].insights_enabled && groups[1].notifications_enabled && !groups[2].insights_enabled);
    assert_eq!((told.calls(Api::XRAY_SETTINGS), told.last().rows), (2, 3));
    assert_eq!(fake.asked("/Groups"), [json!({}), json!({"NextToken": "p2"})]);
}

#[tokio::test]
async fn sampling_rules_come_by_priority_with_what_they_hide() {
    let fake = Fake::start(|_, body, _| {
        let rule = |name: &str, priority: u32, rate: f64| {
            json!({
                "SamplingRule": {
                    "RuleName": name, "RuleARN": format!("arn:aws:xray:us-east-1:123456789012:sampling-rule/{name}"),
                    "ResourceARN": "*", "Priority": priority, "FixedRate": rate, "ReservoirSize": 1, "ServiceName": "*",
                    "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1, "Attributes": {},
                },
                "CreatedAt": 0.0, "ModifiedAt": NOON,
            })
        };
        Reply::Json(match body["NextToken"].as_str() {
            None => {
                let mut boosted = rule("Cruddur", 9000, 0.1);
                boosted["SamplingRule"]["SamplingRateBoost"] = json!({"MaxRate": 0.5, "CooldownWindowMinutes": 10});
                json!({"NextToken": "p2", "SamplingRuleRecords": [rule("Default", 10_000, 0.05), boosted]})
            }
            Some(_) => json!({"SamplingRuleRecords": [rule("First", 1, 1.0)]}),
        })
    })
    .await;
    let rules = fake.client().await.sampling_rules(&Fetch::unattended()).await.expect("answers");
    let shown: Vec<(&str, u32)> = rules.rules.iter().map(|r| (r.name.as_str(), r.priority)).collect();
    assert_eq!(shown, [("First", 1), ("Cruddur", 9_000), ("Default", 10_000)]);
    assert_eq!((rules.rules[1].fixed_rate, rules.rules[1].modified), (0.1, at(0)));
    assert_eq!(rules.notes.len(), 3, "{:?}", rules.notes);
    assert!(rules.notes[0].contains("Cruddur samples 10 %") && rules.notes[1].contains("Default samples 5 %"));
    assert_eq!(rules.notes[2], "rule Cruddur may sample up to 50 % while X-Ray sees an anomaly");
}

#[tokio::test]
async fn an_emulator_without_settings_is_reported() {
    let fake = Fake::start(|_, _, _| Reply::Page(404)).await;
    let client = fake.client().await;
    let groups = client.groups(&Fetch::unattended()).await.expect_err("has none");
    let rules = client.sampling_rules(&Fetch::unattended()).await.expect_err("has none");
    assert_eq!((groups.fault, rules.fault), (Fault::Unsupported, Fault::Unsupported));
    assert!(groups.message.contains("does not support this operation"), "{}", groups.message);
}
