//! X-Ray's settings: groups and sampling rules.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::console::short_name;
use crate::content::Content;
use crate::text::{count, percent};
use crate::time::Nanos;

/// A group: the traces that match a filter expression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "XrayGroup")]
pub struct Group {
    pub name: String,
    /// `arn:aws:xray:…:group/…`
    pub arn: String,
    /// The filter expression; empty for all traces.
    pub filter_expression: String,
    /// Whether insights are enabled.
    #[serde(default)]
    pub insights_enabled: bool,
    /// Whether insights send notifications.
    #[serde(default)]
    pub notifications_enabled: bool,
}

/// Groups as evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "XrayGroups")]
pub struct Groups {
    /// By name, `Default` first.
    pub groups: Vec<Group>,
    /// Notes for the reader.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

/// A sampling rule, with the names and limits of the API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct SamplingRule {
    pub name: String,
    /// `arn:aws:xray:…:sampling-rule/…`
    pub arn: String,
    /// The matching rule with the lowest number applies; 1 to 9999, `Default` has 10000.
    pub priority: u32,
    /// The share of requests after the reservoir, 0 to 1.
    pub fixed_rate: f64,
    /// The reservoir: requests per second that are sampled before the rate applies.
    pub reservoir_size: u32,
    /// Services it matches, with `*` and `?`.
    pub service_name: String,
    /// Service types it matches.
    pub service_type: String,
    /// Hosts it matches.
    pub host: String,
    /// HTTP methods it matches.
    pub http_method: String,
    /// URL paths it matches.
    pub url_path: String,
    /// SDKs ignore a rule whose resource is not `*`.
    pub resource_arn: String,
    /// Segment attributes that must match; SDKs ignore a rule that has any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub attributes: BTreeMap<String, String>,
    /// When it was created.
    pub created: Nanos,
    /// When it was last changed.
    pub modified: Nanos,
}

/// Sampling rules as evidence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct SamplingRules {
    /// By priority.
    pub rules: Vec<SamplingRule>,
    /// Notes for the reader: a rate below 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

/// Notes on rules that explain why traces are missing.
pub fn warnings(rules: &[SamplingRule]) -> Vec<String> {
    rules.iter().filter_map(warning).collect()
}

fn warning(rule: &SamplingRule) -> Option<String> {
    let name = &rule.name;
    if !rule.attributes.is_empty() {
        return Some(format!(
            "rule {name} asks for segment attributes: X-Ray's SDKs ignore such a rule; remove its Attributes"
        ));
    }
    if rule.resource_arn != "*" {
        return Some(format!(
            "rule {name} asks for one resource: X-Ray's SDKs ignore such a rule; set ResourceARN to \"*\""
        ));
    }
    if rule.fixed_rate >= 1.0 {
        return None;
    }
    let percent = format!("{:.2}", rule.fixed_rate * 100.0);
    let percent = percent.trim_end_matches('0').trim_end_matches('.');
    let lost = match (rule.fixed_rate, rule.reservoir_size) {
        (rate, 0) if rate <= 0.0 => {
            return Some(format!(
                "rule {name} samples nothing: no request that it matches will be seen here; set FixedRate to 1"
            ));
        }
        (rate, _) if rate < 0.5 => "most requests",
        _ => "some requests",
    };
    let after = match rule.reservoir_size {
        0 => String::new(),
        first => format!(" after the first {first} a second"),
    };
    Some(format!(
        "rule {name} samples {percent} % of requests{after}: {lost} will not be seen here; set FixedRate to 1"
    ))
}

/// Whether a rule applies to a request, by the SDKs' algorithm: every known part must match, ignoring case.
pub fn matches(rule: &SamplingRule, service: &str, host: &str, method: &str, path: &str) -> bool {
    glob(&rule.service_name, service)
        && glob(&rule.host, host)
        && glob(&rule.http_method, method)
        && glob(&rule.url_path, path)
}

/// `*` matches any characters, `?` one. Backtracks only to the last `*`, so the time is bounded for every pattern.
fn glob(pattern: &str, text: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<Vec<char>>();
    let (pattern, text) = (lower(pattern), lower(text));
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some('?') => (p, t) = (p + 1, t + 1),
            Some(c) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match &mut star {
                Some((after, from)) => {
                    *from += 1;
                    (p, t) = (*after, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

const PROTOCOL: &str = "X-Ray API";
const NO_RAW: &str =
    "Nothing else was received: they are settings, and `evidence show` without --raw shows them in full";

impl Content for Groups {
    fn title(&self) -> String {
        match self.groups.as_slice() {
            [one] => format!("X-Ray group {}", short_name(&one.name)),
            all => format!("{} of X-Ray", count(all.len(), "group")),
        }
    }

    fn range(&self) -> (Nanos, Nanos) {
        (Nanos::default(), Nanos::default())
    }

    fn via(&self) -> BTreeSet<&'static str> {
        BTreeSet::from([PROTOCOL])
    }

    fn why_no_raw(&self) -> &'static str {
        NO_RAW
    }
}

impl Content for SamplingRules {
    fn title(&self) -> String {
        match self.rules.as_slice() {
            [one] => format!(
                "X-Ray sampling rule {}, {} % after {}/s",
                short_name(&one.name),
                percent(one.fixed_rate),
                one.reservoir_size
            ),
            all => format!("{} of X-Ray", count(all.len(), "sampling rule")),
        }
    }

    fn range(&self) -> (Nanos, Nanos) {
        let of = |f: fn(&SamplingRule) -> Nanos| self.rules.iter().map(f);
        (of(|r| r.created).min().unwrap_or_default(), of(|r| r.modified).max().unwrap_or_default())
    }

    fn via(&self) -> BTreeSet<&'static str> {
        BTreeSet::from([PROTOCOL])
    }

    fn why_no_raw(&self) -> &'static str {
        NO_RAW
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(fixed_rate: f64, reservoir_size: u32) -> SamplingRule {
        SamplingRule {
            name: "Cruddur".to_owned(),
            fixed_rate,
            reservoir_size,
            service_name: "backend-*".to_owned(),
            service_type: "*".to_owned(),
            host: "*".to_owned(),
            http_method: "GET".to_owned(),
            url_path: "/api/*/home?".to_owned(),
            resource_arn: "*".to_owned(),
            ..SamplingRule::default()
        }
    }

    #[test]
    fn rules_that_drop_requests_are_noted() {
        let said = |rate, size| warnings(&[rule(rate, size)]);
        assert_eq!(
            said(0.05, 1),
            [
                "rule Cruddur samples 5 % of requests after the first 1 a second: most requests will not be seen here; set FixedRate to 1"
            ]
        );
        assert_eq!(
            said(0.625, 0),
            ["rule Cruddur samples 62.5 % of requests: some requests will not be seen here; set FixedRate to 1"]
        );
        assert!(said(0.0, 0)[0].contains("samples nothing"));
        assert!(said(0.0, 5)[0].contains("samples 0 % of requests after the first 5 a second"));
        assert!(said(1.0, 0).is_empty());
        let mut ignored = rule(1.0, 1);
        ignored.attributes.insert("a".to_owned(), "b".to_owned());
        assert!(warnings(&[ignored])[0].contains("ignore"));
        let mut ignored = rule(1.0, 1);
        ignored.resource_arn = "arn:aws:ecs:1".to_owned();
        assert!(warnings(&[ignored])[0].contains("ResourceARN"));
    }

    #[test]
    fn rules_match_as_sdks_do() {
        let rule = rule(1.0, 1);
        assert!(matches(&rule, "Backend-Flask", "localhost:4567", "get", "/api/activities/homeX"));
        for (service, method, path) in [
            ("backend", "GET", "/api/activities/home1"),
            ("backend-flask", "POST", "/api/activities/home1"),
            ("backend-flask", "GET", "/api/activities/home"),
            ("backend-flask", "GET", ""),
        ] {
            assert!(!matches(&rule, service, "", method, path), "{service} {method} {path}");
        }
    }

    #[test]
    fn patterns_with_many_wildcards_are_fast() {
        let pattern = "*a".repeat(64) + "b";
        assert!(!glob(&pattern, &"a".repeat(100_000)));
        assert!(glob("*é?", "CAFÉ!"));
        assert!(glob("**", "") && glob("", "") && !glob("?", ""));
    }

    proptest! {
        #[test]
        fn globs_say_what_a_regular_expression_says(pattern in "[ab*?]{0,8}", text in "[abAB]{0,10}") {
            let regex: String = pattern.chars().map(|c| match c {
                '*' => ".*".to_owned(),
                '?' => ".".to_owned(),
                c => c.to_string(),
            }).collect();
            let regex = regex::Regex::new(&format!("(?i)^{regex}$")).expect("a pattern");
            prop_assert_eq!(glob(&pattern, &text), regex.is_match(&text));
        }
    }
}
