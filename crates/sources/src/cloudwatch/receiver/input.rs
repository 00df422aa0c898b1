//! A request's members, validated as the API's model says.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tracebook_core::time::Nanos;

use super::refusal::Refusal;
use crate::body::Unread;
use crate::json;

/// The rule for a string.
pub(super) struct Rule {
    shortest: usize,
    longest: usize,
    pattern: &'static str,
    fits: fn(char) -> bool,
    /// Whether AWS quotes a value that does not match the pattern.
    quoted: bool,
}

fn any(_: char) -> bool {
    true
}

pub(super) const GROUP_NAME: Rule = Rule {
    shortest: 1,
    longest: 512,
    pattern: r"[\.\-_/#A-Za-z0-9]+",
    fits: |c| c.is_ascii_alphanumeric() || ".-_/#".contains(c),
    quoted: true,
};

pub(super) const GROUP_PATTERN: Rule = Rule { shortest: 0, pattern: r"[\.\-_/#A-Za-z0-9]*", ..GROUP_NAME };

pub(super) const STREAM_NAME: Rule =
    Rule { shortest: 1, longest: 512, pattern: "[^:*]*", fits: |c| c != ':' && c != '*', quoted: true };

const IDENTIFIER: Rule = Rule {
    shortest: 1,
    longest: 2048,
    pattern: r"[\w#+=/:,.@-]*",
    fits: |c| c.is_ascii_alphanumeric() || "_#+=/:,.@-".contains(c),
    quoted: false,
};

/// The model omits `#`, which a group's name may contain.
const RESOURCE: Rule = Rule { longest: 1011, pattern: r"[\w+=/:,.@-]*", ..IDENTIFIER };

pub(super) const TOKEN: Rule = Rule { shortest: 1, longest: 2048, pattern: ".*", fits: any, quoted: true };

pub(super) const FILTER: Rule = Rule { shortest: 0, longest: 1024, pattern: ".*", fits: any, quoted: true };

/// A body's own limit is lower.
pub(super) const MESSAGE: Rule = Rule { shortest: 1, longest: usize::MAX, pattern: ".*", fits: any, quoted: true };

pub(super) const TAG_KEY: Rule =
    Rule { shortest: 1, longest: 128, pattern: r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$", fits: in_tags, quoted: true };

pub(super) const TAG_VALUE: Rule =
    Rule { shortest: 0, longest: 256, pattern: r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$", ..TAG_KEY };

fn in_tags(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

impl Rule {
    pub(super) fn check(&self, member: &str, value: &str) -> Result<(), Refusal> {
        let length = value.chars().count();
        let refuse = |value, constraint: &str| Err(Refusal::constraint(value, member, constraint));
        if length > self.longest {
            return refuse(Some(value), &format!("Member must have length less than or equal to {}", self.longest));
        }
        if length < self.shortest {
            return refuse(Some(value), &format!("Member must have length greater than or equal to {}", self.shortest));
        }
        match value.chars().all(self.fits) {
            true => Ok(()),
            false => refuse(
                self.quoted.then_some(value),
                &format!("Member must satisfy regular expression pattern: {}", self.pattern),
            ),
        }
    }
}

/// A request's JSON object. `null` counts as absent.
pub(super) struct Input(Map<String, Value>);

impl Input {
    /// Reads a body if `granted` bytes are enough for it; returns what it takes.
    pub(super) fn within(body: &[u8], granted: usize) -> Result<(Result<Self, Refusal>, usize), Unread> {
        /// Far more than any operation needs.
        const MOST: usize = 16 * 1024 * 1024;
        let takes = json::tree_bytes(body);
        if takes > MOST {
            return Ok((Err(Refusal::unreadable("The body contains too many values.")), 0));
        }
        // Once more for copies of its parts.
        match takes.saturating_mul(2) {
            takes if takes > granted => Err(Unread::NeedsMore),
            takes => Ok((Self::read(body), takes)),
        }
    }

    /// An empty body is an empty object.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        if body.trim_ascii().is_empty() {
            return Ok(Self(Map::new()));
        }
        match json::read(body) {
            Ok((Value::Object(members), _)) => Ok(Self(members)),
            Ok(_) => Err(Refusal::unreadable("The body is not a JSON object.")),
            Err(why) => Err(Refusal::unreadable(format!("The body is not readable JSON: {why}."))),
        }
    }

    fn get(&self, member: &str) -> Option<&Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, member: &str) -> bool {
        self.get(member).is_some()
    }

    pub(super) fn text(&self, member: &str) -> Result<Option<&str>, Refusal> {
        match self.get(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::unreadable(format!("'{member}' is not a string."))),
        }
    }

    /// A string that follows the rule, if present.
    pub(super) fn ruled(&self, member: &str, rule: &Rule) -> Result<Option<&str>, Refusal> {
        let text = self.text(member)?;
        text.map_or(Ok(()), |text| rule.check(member, text))?;
        Ok(text)
    }

    pub(super) fn required(&self, member: &str, rule: &Rule) -> Result<&str, Refusal> {
        self.ruled(member, rule)?.ok_or_else(|| Refusal::missing(member))
    }

    pub(super) fn flag(&self, member: &str) -> Result<Option<bool>, Refusal> {
        match self.get(member) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Refusal::unreadable(format!("'{member}' is not a boolean."))),
        }
    }

    pub(super) fn integer(&self, member: &str) -> Result<Option<i64>, Refusal> {
        match self.get(member) {
            None => Ok(None),
            Some(value) => {
                let number =
                    value.as_i64().ok_or_else(|| Refusal::unreadable(format!("'{member}' is not an integer.")));
                number.map(Some)
            }
        }
    }

    /// `limit`, from 1; the maximum if absent.
    pub(super) fn limit(&self, most: usize) -> Result<usize, Refusal> {
        const MEMBER: &str = "limit";
        let Some(limit) = self.integer(MEMBER)? else { return Ok(most) };
        let refuse =
            |constraint: String| Err(Refusal::constraint(Some(&limit.to_string()), MEMBER, constraint.as_str()));
        match usize::try_from(limit) {
            Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
            Ok(1..) => refuse(format!("Member must have value less than or equal to {most}")),
            _ => refuse("Member must have value greater than or equal to 1".to_owned()),
        }
    }

    /// A time in milliseconds since the epoch.
    pub(super) fn moment(&self, member: &str) -> Result<Option<Nanos>, Refusal> {
        match self.integer(member)? {
            Some(millis @ ..0) => Err(Refusal::constraint(
                Some(&millis.to_string()),
                member,
                "Member must have value greater than or equal to 0",
            )),
            millis => Ok(millis.map(Nanos::from_millis)),
        }
    }

    /// One of a few words.
    pub(super) fn word(&self, member: &str, words: &[&str]) -> Result<Option<&str>, Refusal> {
        let text = self.text(member)?;
        match text.filter(|text| !words.contains(text)) {
            None => Ok(text),
            Some(text) => {
                let constraint = format!("Member must satisfy enum value set: [{}]", words.join(", "));
                Err(Refusal::constraint(Some(text), member, &constraint))
            }
        }
    }

    /// A list of strings that follow the rule; `None` if absent.
    pub(super) fn texts(&self, member: &str, rule: &Rule, most: usize) -> Result<Option<Vec<String>>, Refusal> {
        let list = match self.get(member) {
            None => return Ok(None),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(Refusal::unreadable(format!("'{member}' is not a list."))),
        };
        if list.len() > most {
            let constraint = format!("Member must have length less than or equal to {most}");
            return Err(Refusal::constraint(None, member, &constraint));
        }
        let mut texts = Vec::with_capacity(list.len());
        for (at, value) in list.iter().enumerate() {
            let name = format!("{member}.{}.member", at + 1);
            match value {
                Value::String(text) => {
                    rule.check(&name, text)?;
                    texts.push(text.clone());
                }
                _ => return Err(Refusal::unreadable(format!("'{name}' is not a string."))),
            }
        }
        Ok(Some(texts))
    }

    pub(super) fn tags(&self, member: &str) -> Result<Option<BTreeMap<String, String>>, Refusal> {
        let map = match self.get(member) {
            None => return Ok(None),
            Some(Value::Object(map)) => map,
            Some(_) => return Err(Refusal::unreadable(format!("'{member}' is not an object."))),
        };
        let mut tags = BTreeMap::new();
        for (key, value) in map {
            let Value::String(value) = value else {
                return Err(Refusal::unreadable(format!("'{member}.{}' is not a string.", crate::text::clip(key))));
            };
            TAG_KEY.check(member, key)?;
            TAG_VALUE.check(&format!("{member}.{key}.member"), value)?;
            tags.insert(key.clone(), value.clone());
        }
        Ok(Some(tags))
    }

    /// The group that `logGroupName` or `logGroupIdentifier` names.
    pub(super) fn group(&self) -> Result<&str, Refusal> {
        let name = self.ruled("logGroupName", &GROUP_NAME)?;
        let identifier = self.ruled("logGroupIdentifier", &IDENTIFIER)?;
        match (name, identifier) {
            (Some(_), Some(_)) => {
                Err(Refusal::invalid("Give logGroupName or logGroupIdentifier, but not both of them."))
            }
            (Some(name), None) => Ok(name),
            (None, Some(identifier)) => Ok(group_of(identifier)),
            (None, None) => Err(Refusal::missing("logGroupName")),
        }
    }

    pub(super) fn identifiers(&self, member: &str) -> Result<Option<Vec<String>>, Refusal> {
        let identifiers = self.texts(member, &IDENTIFIER, 50)?;
        Ok(identifiers.map(|list| list.iter().map(|identifier| group_of(identifier).to_owned()).collect()))
    }

    /// The group of the ARN in `resourceArn`, of any account and region.
    pub(super) fn resource(&self) -> Result<&str, Refusal> {
        let arn = self.required("resourceArn", &RESOURCE)?;
        let parts: Vec<&str> = arn.splitn(7, ':').collect();
        match parts[..] {
            ["arn", _, "logs", _, _, "log-group", name] => Ok(name.trim_end_matches(':')),
            ["arn", _, "logs", _, _, _, _] => Err(Refusal::no_group()),
            _ => Err(Refusal::invalid(format!(
                "{} is not the ARN of a log group, which looks like arn:aws:logs:REGION:ACCOUNT:log-group:NAME.",
                crate::text::clip(arn)
            ))),
        }
    }
}

/// A group's name, given directly or as an ARN.
fn group_of(identifier: &str) -> &str {
    match identifier.starts_with("arn:") {
        true => identifier.split_once(":log-group:").map_or(identifier, |(_, name)| name),
        false => identifier,
    }
}
