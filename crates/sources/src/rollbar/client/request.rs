//! A filter's text as Rollbar's query parameters.

use reqwest::Url;
use tracebook_core::errors::Level;
use tracebook_core::filter::split;

use crate::cloud::{Fault, SourceError};

/// Parts of a filter, with what they find.
pub const FORMS: &[(&str, &str)] = &[
    ("status:active", "items with this status: active, resolved or muted; without it, or with any, all of them"),
    (
        "level:warning",
        "items of this level; may be repeated. Rollbar's own pages hide `warning` by default, this list does not",
    ),
    ("environment:production", "items of this environment"),
    ("ZeroDivisionError", "words, as in the search box of Rollbar's item list"),
    ("\"division by zero\"", "an exact phrase"),
];

/// The status of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Any,
    Active,
    Resolved,
    Muted,
}

impl Status {
    fn word(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Active => Some("active"),
            Self::Resolved => Some("resolved"),
            Self::Muted => Some("muted"),
        }
    }
}

/// Selects items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemsRequest {
    pub status: Status,
    /// Any of these levels; empty for all.
    pub levels: Vec<Level>,
    /// `None` for all.
    pub environment: Option<String>,
    /// Text for Rollbar's search box; empty for all.
    pub query: String,
    /// From 1.
    pub page: u32,
    /// How many a page. Rollbar allows 5,000.
    pub limit: u32,
}

impl Default for ItemsRequest {
    fn default() -> Self {
        Self { status: Status::Any, levels: Vec::new(), environment: None, query: String::new(), page: 1, limit: 50 }
    }
}

impl ItemsRequest {
    /// Reads a filter; an empty text selects everything.
    ///
    /// # Errors
    /// [`Fault::Invalid`] with the invalid part and a hint.
    pub fn parse(filter: &str) -> Result<Self, SourceError> {
        let wrong = |message: String, hint: &str| SourceError::new(Fault::Invalid, message, hint);
        let mut ask = Self::default();
        let mut words = Vec::new();
        for token in split(filter).map_err(|e| wrong(e.to_string(), ""))? {
            let Some((name, value)) = token.split_once(':').filter(|_| !token.starts_with('"')) else {
                words.push(token);
                continue;
            };
            let value = value.replace('"', "");
            match (name, value.to_lowercase().as_str()) {
                ("status" | "level" | "environment" | "env" | "person", "") => {
                    return Err(wrong(format!("{name}: has no value"), "Write its value directly after the colon"));
                }
                ("status", word) => {
                    ask.status = [Status::Active, Status::Resolved, Status::Muted]
                        .into_iter()
                        .find(|status| status.word() == Some(word))
                        .or_else(|| (word == "any").then_some(Status::Any))
                        .ok_or_else(|| {
                            let hint = "Write status:active, resolved, muted or any; for severity use level:error";
                            wrong(format!("status:{word} is unknown to Rollbar"), hint)
                        })?;
                }
                ("level", word) => {
                    let level = match word {
                        "warn" => Ok(Level::Warning),
                        word => word.parse(),
                    };
                    let hint = "Write level:debug, info, warning, error or critical";
                    let level = level.map_err(|()| wrong(format!("level:{word} is unknown to Rollbar"), hint))?;
                    if !ask.levels.contains(&level) {
                        ask.levels.push(level);
                    }
                }
                ("environment" | "env", _) if ask.environment.is_some() => {
                    return Err(wrong("two environments are given".to_owned(), "Name one, or none for all"));
                }
                ("environment" | "env", _) => ask.environment = Some(value),
                ("person", _) => {
                    let hint = "Leave it out, choose an item, and see its occurrences: they name the person";
                    return Err(wrong("Rollbar's item list cannot be filtered by person".to_owned(), hint));
                }
                // The search box has operators of its own: `title:`, `host:`, …
                _ => words.push(token),
            }
        }
        ask.query = words.join(" ");
        Ok(ask)
    }

    /// How many a page, within what Rollbar allows.
    pub(super) fn per_page(&self) -> u32 {
        self.limit.clamp(1, 5_000)
    }

    pub(super) fn write(&self, url: &mut Url) {
        let mut pairs = url.query_pairs_mut();
        if let Some(status) = self.status.word() {
            pairs.append_pair("status", status);
        }
        for level in &self.levels {
            pairs.append_pair("level", level.word());
        }
        if let Some(environment) = &self.environment {
            pairs.append_pair("environment", environment);
        }
        if !self.query.is_empty() {
            pairs.append_pair("query", &self.query);
        }
        pairs.append_pair("page", &self.page.max(1).to_string());
        pairs.append_pair("limit", &self.per_page().to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(filter: &str) -> String {
        let mut url = Url::parse("http://x/").expect("an address");
        ItemsRequest::parse(filter).unwrap_or_else(|e| panic!("{filter}: {e}")).write(&mut url);
        url.query().expect("has a page").replace("&page=1&limit=50", "")
    }

    #[test]
    fn a_filter_becomes_query_parameters() {
        for (filter, query) in [
            ("", "page=1&limit=50"),
            ("status:any", "page=1&limit=50"),
            ("status:Active", "status=active"),
            ("level:error level:critical level:error", "level=error&level=critical"),
            ("level:warn environment:production", "level=warning&environment=production"),
            ("env:\"my env\"", "environment=my+env"),
            ("TypeError  \"two words\" title:x", "query=TypeError+%22two+words%22+title%3Ax"),
            ("\"status:active\"", "query=%22status%3Aactive%22"),
            ("a&status=muted", "query=a%26status%3Dmuted"),
        ] {
            assert_eq!(asked(filter), query, "{filter}");
        }
    }

    #[test]
    fn unsupported_filters_are_reported() {
        for (filter, word) in [
            ("status:error", "level:error"),
            ("level:loud", "critical"),
            ("level:", "directly after"),
            ("person:42", "occurrences"),
            ("environment:a environment:b", "Name one"),
            ("\"open", ""),
        ] {
            let error = ItemsRequest::parse(filter).expect_err(filter);
            assert_eq!(error.fault, Fault::Invalid);
            assert!(error.hint.contains(word), "{filter}: {error:?}");
        }
    }

    #[test]
    fn every_form_of_the_help_asks_for_something() {
        for (example, _) in FORMS {
            let ask = ItemsRequest::parse(example).unwrap_or_else(|e| panic!("{example}: {e}"));
            assert_ne!(ask, ItemsRequest::default(), "{example}");
        }
    }
}
