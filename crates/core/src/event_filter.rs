//! The filters of log events, console lines and errors.
//!
//! For log events and console lines, named parts are followed by a CloudWatch filter pattern: `group:cruddur
//! status:error ?timeout ?refused`. For errors, they are followed by words: `level:error environment:production
//! TypeError`.

use crate::errors::{Level, Occurrence};
use crate::filter::{FilterError, NamedPart, leading_part, split};
use crate::filter_pattern::FilterPattern;
use crate::ids::TraceId;
use crate::trace::Scope;
use crate::value::Attribute;

/// A filter of log events or console lines.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// `group:x`: exactly this log group, so that the store can use an index.
    pub group: Option<String>,
    /// `stream:x`: streams that contain this.
    pub stream: Option<String>,
    /// `service:x`: groups or streams that contain this.
    pub service: Option<String>,
    /// `trace:ID`
    pub trace: Option<TraceId>,
    /// `level:x`: exactly this; `status:error`: this or worse.
    level: Option<(Level, bool)>,
    /// `severity:x`: OTLP's number, or the text as sent.
    severity: Option<String>,
    /// `scope:x`: loggers whose name or version contains this.
    scope: Option<String>,
    /// `attribute:key=value`, of the record, its resource or its scope; `*` for any value.
    attributes: Vec<(String, String)>,
    pattern: FilterPattern,
    /// The filter pattern after the named parts, unchanged, for CloudWatch Logs.
    pub pattern_text: String,
}

/// The named parts of a filter.
const NAMES: [&str; 9] = ["group", "stream", "service", "trace", "level", "status", "severity", "scope", "attribute"];

impl EventFilter {
    /// Reads a filter; an empty text matches everything.
    ///
    /// # Errors
    /// [`FilterError`] with the invalid part and a hint.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        let mut rest = text.trim_start();
        while let Some(NamedPart { name, value, rest: after }) = leading_part(rest, &NAMES)? {
            match name {
                "group" => filter.group = Some(value.to_owned()),
                "stream" => filter.stream = Some(value.to_lowercase()),
                "service" => filter.service = Some(value.to_lowercase()),
                "trace" => {
                    let id = value.parse().map_err(|e| FilterError::new(format!("trace:{value}: {e}")))?;
                    filter.trace = Some(id);
                }
                "level" => filter.level = Some((level(value)?, false)),
                "severity" => filter.severity = Some(value.to_lowercase()),
                "scope" => filter.scope = Some(value.to_lowercase()),
                "attribute" => match value.split_once('=').filter(|(key, _)| !key.is_empty()) {
                    Some((key, value)) => filter.attributes.push((key.to_owned(), value.to_lowercase())),
                    None => {
                        return Err(FilterError::new(format!(
                            "attribute:{value} has no value; write attribute:{value}=VALUE, or attribute:{value}=* for any"
                        )));
                    }
                },
                _ if value == "error" => filter.level = Some((Level::Error, true)),
                _ => {
                    return Err(FilterError::new(format!(
                        "status:{value} says nothing of a log event; write status:error or level:warning"
                    )));
                }
            }
            rest = after.trim_start();
        }
        filter.pattern =
            FilterPattern::parse(rest).map_err(|e| FilterError::new(format!("the filter pattern {rest:?}, {e}")))?;
        filter.pattern_text = rest.trim_end().to_owned();
        Ok(filter)
    }

    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.group.is_none()
            && self.stream.is_none()
            && self.service.is_none()
            && self.trace.is_none()
            && self.level.is_none()
            && self.severity.is_none()
            && !self.reads_records()
            && self.pattern.matches_everything()
    }

    /// Whether it has parts about what only log records of OpenTelemetry have, see [`Self::matches_record`].
    pub fn reads_records(&self) -> bool {
        self.scope.is_some() || !self.attributes.is_empty()
    }

    /// Whether these parts match a record with its scope; the attributes of its resource begin with `resource.`.
    pub fn matches_record(&self, attributes: &[Attribute], scope: &Scope) -> bool {
        let has = |text: &str, part: &String| text.to_lowercase().contains(part);
        self.scope.as_ref().is_none_or(|part| has(&scope.name, part) || has(&scope.version, part))
            && self.attributes.iter().all(|(key, value)| {
                let named = |attribute: &Attribute| {
                    let own = attribute.key.strip_prefix("resource.").unwrap_or(&attribute.key);
                    attribute.key.eq_ignore_ascii_case(key) || own.eq_ignore_ascii_case(key)
                };
                let all = attributes.iter().chain(&scope.attributes);
                all.filter(|attribute| named(attribute)).any(|attribute| has_value(attribute, value))
            })
    }

    /// Whether it has parts beyond group and pattern, which only the local store can filter by.
    pub fn has_own_parts(&self) -> bool {
        self.stream.is_some()
            || self.service.is_some()
            || self.trace.is_some()
            || self.level.is_some()
            || self.severity.is_some()
            || self.reads_records()
    }

    /// Whether an event matches.
    pub fn matches<'a>(
        &self,
        group: &str,
        stream: &str,
        severity: impl Into<Severity<'a>>,
        trace: Option<TraceId>,
        message: &str,
    ) -> bool {
        let severity = severity.into();
        let has =
            |text: &str, part: &Option<String>| part.as_ref().is_none_or(|p| text.to_lowercase().contains(p.as_str()));
        self.group.as_ref().is_none_or(|g| g == group)
            && has(stream, &self.stream)
            && (has(group, &self.service) || has(stream, &self.service))
            && self.trace.is_none_or(|t| trace == Some(t))
            && self.level.is_none_or(|(wanted, or_worse)| {
                severity.rank().is_some_and(|level| level == wanted || (or_worse && level > wanted))
            })
            && self.severity.as_ref().is_none_or(|wanted| severity.is(wanted))
            && self.pattern.matches(message)
    }
}

/// An event's severity as sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Severity<'a> {
    /// In any language; may be empty.
    pub text: &'a str,
    /// OTLP's number, 0 if missing.
    pub number: u8,
}

impl<'a> From<&'a str> for Severity<'a> {
    fn from(text: &'a str) -> Self {
        Self { text, number: 0 }
    }
}

impl<'a> From<&'a String> for Severity<'a> {
    fn from(text: &'a String) -> Self {
        Self { text, number: 0 }
    }
}

impl Severity<'_> {
    /// Whether it has this number, or this text in lower case.
    fn is(self, wanted: &str) -> bool {
        match wanted.parse::<u8>() {
            Ok(number) => self.number == number && number > 0,
            Err(_) => self.text.to_lowercase() == wanted,
        }
    }

    /// Its rank: by the number, which means the same in every language, else by the text.
    pub fn rank(self) -> Option<Level> {
        match self.number {
            1..=8 => Some(Level::Debug),
            9..=12 => Some(Level::Info),
            13..=16 => Some(Level::Warning),
            17..=20 => Some(Level::Error),
            21..=24 => Some(Level::Critical),
            _ => rank(self.text),
        }
    }
}

/// The rank of a severity in any spelling: `WARN`, `Warning`, `error2`, `FATAL`, …
pub fn rank(severity: &str) -> Option<Level> {
    let word: String =
        severity.trim().chars().take_while(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    match word.as_str() {
        "trace" | "debug" | "fine" | "finer" | "finest" | "verbose" => Some(Level::Debug),
        "info" | "information" | "informational" | "notice" | "log" => Some(Level::Info),
        "warn" | "warning" => Some(Level::Warning),
        "error" | "err" | "severe" | "exception" => Some(Level::Error),
        "critical" | "crit" | "fatal" | "alert" | "emerg" | "emergency" | "panic" => Some(Level::Critical),
        _ => None,
    }
}

fn level(text: &str) -> Result<Level, FilterError> {
    rank(text).ok_or_else(|| {
        FilterError::new(format!("level:{text} is unknown; write level:debug, info, warning, error or critical"))
    })
}

/// A filter of errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorFilter {
    level: Option<(Level, bool)>,
    environment: Option<String>,
    person: Option<String>,
    words: Vec<String>,
    keys: Vec<(String, String)>,
}

impl ErrorFilter {
    /// Reads a filter; an empty text matches everything.
    ///
    /// # Errors
    /// [`FilterError`] with the invalid part and a hint.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        for token in split(text)? {
            let plain = token.replace('"', "").to_lowercase();
            if token.starts_with('"') {
                filter.words.push(plain);
                continue;
            }
            let value = |name: &str| plain.strip_prefix(name).map(str::to_owned);
            if let Some(text) = value("level:") {
                filter.level = Some((level(&text)?, false));
            } else if let Some(text) = value("status:") {
                if text != "error" {
                    return Err(FilterError::new(format!(
                        "status:{text} says nothing of an error; write status:error or level:warning"
                    )));
                }
                filter.level = Some((Level::Error, true));
            } else if let Some(text) = value("environment:").or_else(|| value("env:")) {
                filter.environment = Some(text);
            } else if let Some(text) = value("person:") {
                filter.person = Some(text);
            } else if let Some(text) = value("name:").or_else(|| value("service:")) {
                filter.words.push(text);
            } else if let Some((key, text)) = token.split_once('=').filter(|(key, _)| !key.is_empty()) {
                filter.keys.push((key.to_owned(), text.replace('"', "").to_lowercase()));
            } else {
                filter.words.push(plain);
            }
        }
        Ok(filter)
    }

    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an occurrence matches.
    pub fn matches(&self, occurrence: &Occurrence) -> bool {
        let person = occurrence.person.as_ref();
        let words =
            [&occurrence.title, &occurrence.environment, &occurrence.context, &occurrence.item, &occurrence.uuid];
        let has = |text: &str, part: &str| text.to_lowercase().contains(part);
        let attributes = || occurrence.request.iter().chain(&occurrence.custom).chain(&occurrence.other);
        self.level
            .is_none_or(|(wanted, or_worse)| occurrence.level == wanted || (or_worse && occurrence.level > wanted))
            && self.environment.as_ref().is_none_or(|e| occurrence.environment.to_lowercase() == *e)
            && self.person.as_ref().is_none_or(|wanted| {
                person.is_some_and(|p| {
                    [Some(&p.id), p.username.as_ref(), p.email.as_ref()].into_iter().flatten().any(|t| has(t, wanted))
                })
            })
            && self.words.iter().all(|word| {
                words.iter().any(|text| has(text, word)) || attributes().any(|a| has(&a.value.to_string(), word))
            })
            && self.keys.iter().all(|(key, value)| attributes().any(|a| is(a, key, value)))
    }
}

fn is(attribute: &Attribute, key: &str, value: &str) -> bool {
    let named = attribute.key == *key || attribute.key.strip_suffix(key).is_some_and(|head| head.ends_with('.'));
    named && has_value(attribute, value)
}

fn has_value(attribute: &Attribute, value: &str) -> bool {
    value == "*" || attribute.value.to_string().to_lowercase() == value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Person;

    fn wants(filter: &str) -> bool {
        let trace = "4efaaf4d1e8720b39541901950019ee5".parse().ok();
        EventFilter::parse(filter).unwrap_or_else(|e| panic!("{filter}: {e}")).matches(
            "cruddur",
            "host/app/4587",
            "WARNING",
            trace,
            "ERROR: 3 of 4 refused",
        )
    }

    #[test]
    fn records_are_found_by_severity_scope_and_attributes() {
        let attribute = |key: &str, value: i64| Attribute::new(key, value);
        let attributes = [attribute("http.status", 500), Attribute::new("resource.service.version", "1.4.0")];
        let scope = Scope {
            name: "home.activities".to_owned(),
            version: "2.1".to_owned(),
            attributes: vec![Attribute::new("team", "Feed")],
            ..Scope::default()
        };
        let severity = Severity { text: "Fehler", number: 17 };
        let finds = |filter: &str| {
            let parsed = EventFilter::parse(filter).unwrap_or_else(|e| panic!("{filter}: {e}"));
            assert!(!parsed.is_empty() && parsed.has_own_parts(), "{filter}");
            parsed.matches("", "", severity, None, "") && parsed.matches_record(&attributes, &scope)
        };
        for filter in [
            "severity:17",
            "severity:fehler",
            "status:error",
            "scope:home",
            "scope:2.1",
            "attribute:http.status=500",
            "attribute:HTTP.Status=*",
            "attribute:service.version=1.4.0",
            "attribute:resource.service.version=1.4.0",
            "attribute:team=feed scope:activities severity:17",
        ] {
            assert!(finds(filter), "{filter}");
        }
        for filter in
            ["severity:18", "severity:error", "severity:0", "scope:away", "attribute:status=500", "attribute:team=fee"]
        {
            assert!(!finds(filter), "{filter}");
        }
        for wrong in ["attribute:team", "attribute:=x", "scope:"] {
            assert!(EventFilter::parse(wrong).is_err(), "{wrong}");
        }
        let quoted = EventFilter::parse("attribute:\"a b=c d\" word").expect("a filter");
        assert_eq!(quoted.pattern_text, "word");
    }

    #[test]
    fn named_parts_precede_a_filter_pattern() {
        for filter in [
            "",
            "ERROR",
            "group:cruddur",
            "group:\"cruddur\" ERROR refused",
            "stream:APP service:crud",
            "level:warn -timeout",
            "?timeout ?refused",
            "trace:1-4efaaf4d-1e8720b39541901950019ee5",
            "\"3 of 4\"",
        ] {
            assert!(wants(filter), "{filter}");
        }
        for filter in ["group:crud", "status:error", "level:error ERROR", "error", "stream:other", "-refused"] {
            assert!(!wants(filter), "{filter}");
        }
    }

    #[test]
    fn a_severity_is_known_by_its_number_in_every_language() {
        let wants = |filter: &str, text, number| {
            let filter = EventFilter::parse(filter).expect(filter);
            filter.matches("g", "s", Severity { text, number }, None, "")
        };
        for (text, number) in [("Fehler", 17), ("erreur", 20), ("", 21), ("E", 24), ("ERROR", 0)] {
            assert!(wants("status:error", text, number), "{text} {number}");
            assert!(!wants("level:info", text, number), "{text} {number}");
        }
        assert!(wants("level:warning", "Warnung", 13) && !wants("status:error", "Warnung", 16));
        assert!(wants("level:info", "ERROR, says the text", 9), "the number is the field that is made for this");
        assert!(!wants("status:error", "Fehler", 0) && !wants("status:error", "Fehler", 25));
    }

    #[test]
    fn errors_name_the_part_and_a_hint() {
        for (filter, said) in [
            ("level:loud", "level:debug"),
            ("status:ok", "status:error"),
            ("group:", "after group:"),
            ("group:\"a", "not closed"),
            ("trace:xyz", "trace:xyz"),
            ("{ $.x = }", "filter pattern"),
        ] {
            let error = EventFilter::parse(filter).map(|_| ()).expect_err(filter).to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn errors_by_level_person_words_and_keys() {
        let occurrence = Occurrence {
            title: "TypeError: no response".into(),
            environment: "development".into(),
            level: Level::Critical,
            person: Some(Person { id: "7".into(), username: Some("ada".into()), email: None }),
            request: vec![Attribute::new("headers.User-Agent", "curl/8")],
            ..Occurrence::default()
        };
        let wants = |filter: &str| ErrorFilter::parse(filter).expect(filter).matches(&occurrence);
        for filter in
            ["", "typeerror", "status:error", "level:critical", "env:development", "person:AD", "User-Agent=curl/8"]
        {
            assert!(wants(filter), "{filter}");
        }
        for filter in ["level:error", "env:dev", "person:grace", "User-Agent=wget", "keyerror"] {
            assert!(!wants(filter), "{filter}");
        }
        assert!(ErrorFilter::parse("level:loud").is_err());
    }
}
