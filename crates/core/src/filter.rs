//! The local filter language: words, `service:x`, `status:error`, `duration>100ms`, `name:…`,
//! `key=value`; all must match. Quotes allow blanks: `name:"GET /api"`.

use crate::time::{human_duration, parse_duration};
use crate::trace::{Scope, Span, Trace, TraceSummary};
use crate::value::Attribute;

/// A parsed filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    /// Contained in id, name or services.
    Word(String),
    Service(String),
    Status(String),
    Name(String),
    Duration(Comparison, i64),
    /// An attribute, annotation, metadata or resource attribute of any span.
    Key(String, String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// An error in a filter, with a hint on how to fix it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(String);

impl FilterError {
    pub(crate) fn new(message: String) -> Self {
        Self(message)
    }
}

/// A named part at the beginning of a filter or query: `group:cruddur`, `group:"two words"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedPart<'a> {
    pub name: &'static str,
    /// Without quotes, never empty.
    pub value: &'a str,
    /// The text after it.
    pub rest: &'a str,
}

/// Reads a part with one of these names from the beginning of a text; `None` if it begins otherwise.
///
/// # Errors
/// If the value is missing or a quote is not closed.
pub fn leading_part<'a>(text: &'a str, names: &[&'static str]) -> Result<Option<NamedPart<'a>>, FilterError> {
    for &name in names {
        let Some(rest) = text.strip_prefix(name).and_then(|rest| rest.strip_prefix(':')) else { continue };
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted
                .split_once('"')
                .ok_or_else(|| FilterError::new(format!("a quote is not closed: write {name}:\"two words\"")))?,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        if value.is_empty() {
            return Err(FilterError::new(format!("write what to look for after {name}:")));
        }
        return Ok(Some(NamedPart { name, value, rest }));
    }
    Ok(None)
}

impl Filter {
    /// Reads a filter; an empty text matches everything.
    ///
    /// # Errors
    /// [`FilterError`] with the invalid part and a hint.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        split(text)?.into_iter().map(|token| term(&token)).collect::<Result<_, _>>().map(|terms| Self { terms })
    }

    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether only traces with an error can match, so that the store can skip others.
    pub fn only_errors(&self) -> bool {
        let bad = |status: &str| ["error", "fault", "throttle"].contains(&status);
        self.terms.iter().any(|term| matches!(term, Term::Status(status) if bad(status)))
    }

    /// Evaluates the filter for the summary if possible, so that most rows need no spans. `None` means that spans must
    /// be read.
    pub fn matches_summary(&self, trace: &TraceSummary) -> Option<bool> {
        let mut open = false;
        for term in &self.terms {
            let decided = match term {
                Term::Word(word) => {
                    let id = trace.trace_id.to_string();
                    let seen = has(&trace.name, word)
                        || trace.services.iter().any(|s| has(s, word))
                        || id.contains(word.as_str())
                        || trace.trace_id.xray() == *word;
                    if seen { Some(true) } else { None }
                }
                Term::Service(name) => Some(trace.services.iter().any(|s| has(s, name))),
                Term::Status(status) => Some(status_matches(status, &trace.status, trace.has_error)),
                Term::Name(name) => {
                    if has(&trace.name, name) {
                        Some(true)
                    } else {
                        None
                    }
                }
                #[expect(clippy::cast_possible_truncation, reason = "a span of 292 years is the limit")]
                Term::Duration(op, nanos) => Some(compare(*op, (trace.duration_ms * 1e6) as i64, *nanos)),
                Term::Key(..) => None,
            };
            match decided {
                Some(false) => return Some(false),
                Some(true) => {}
                None => open = true,
            }
        }
        if open { None } else { Some(true) }
    }

    /// Whether a full trace matches.
    pub fn matches(&self, trace: &Trace) -> bool {
        let summary = trace.summary();
        self.terms.iter().all(|term| {
            let alone = Self { terms: vec![term.clone()] };
            match (alone.matches_summary(&summary), term) {
                (Some(decided), _) => decided,
                (None, Term::Word(word)) => {
                    trace.spans.iter().any(|s| span_has(s, word)) || trace.scopes.iter().any(|s| scope_has(s, word))
                }
                (None, Term::Name(name)) => trace.spans.iter().any(|s| has(&s.name, name)),
                (None, Term::Key(key, value)) => {
                    trace.spans.iter().any(|s| span_matches(s, key, value))
                        || trace.resources.iter().any(|r| any_matches(&r.attributes, key, value))
                        || trace.scopes.iter().any(|s| scope_matches(s, key, value))
                }
                (None, _) => false,
            }
        })
    }
}

fn has(text: &str, lower_part: &str) -> bool {
    text.to_lowercase().contains(lower_part)
}

fn span_has(span: &Span, word: &str) -> bool {
    has(&span.name, word)
        || span.status.message.to_lowercase().contains(word)
        || span.exceptions.iter().any(|e| has(&e.kind, word) || has(&e.message, word))
        || has(&span.trace_state, word)
        || (span.attributes.iter().chain(&span.annotations))
            .chain(span.links.iter().flat_map(|link| &link.attributes))
            .any(|a| has(&a.value.to_string(), word))
}

fn scope_has(scope: &Scope, word: &str) -> bool {
    has(&scope.name, word) || scope.attributes.iter().any(|a| has(&a.value.to_string(), word))
}

/// A scope's own fields have the names that OpenTelemetry gives them where a system has only attributes.
fn scope_matches(scope: &Scope, key: &str, value: &str) -> bool {
    let is = |name: &str, text: &str| {
        key.eq_ignore_ascii_case(name) && !text.is_empty() && (value == "*" || text.to_lowercase() == value)
    };
    is("otel.scope.name", &scope.name)
        || is("otel.scope.version", &scope.version)
        || any_matches(&scope.attributes, key, value)
}

fn span_matches(span: &Span, key: &str, value: &str) -> bool {
    any_matches(&span.attributes, key, value)
        || any_matches(&span.annotations, key, value)
        || span.metadata.iter().any(|namespace| match &namespace.value {
            crate::value::Value::Map(inner) => any_matches(inner, key, value),
            other => namespace.key == key && value_matches(other, value),
        })
        || span.events.iter().any(|e| any_matches(&e.attributes, key, value))
        || span.links.iter().any(|link| any_matches(&link.attributes, key, value))
}

fn any_matches(attributes: &[Attribute], key: &str, value: &str) -> bool {
    attributes.iter().any(|a| a.key.eq_ignore_ascii_case(key) && value_matches(&a.value, value))
}

fn value_matches(value: &crate::value::Value, wanted: &str) -> bool {
    wanted == "*" || value.to_string().to_lowercase() == wanted
}

fn status_matches(wanted: &str, status: &str, has_error: bool) -> bool {
    match wanted {
        "error" => has_error,
        other => status == other,
    }
}

fn compare(op: Comparison, left: i64, right: i64) -> bool {
    match op {
        Comparison::Less => left < right,
        Comparison::LessOrEqual => left <= right,
        Comparison::Greater => left > right,
        Comparison::GreaterOrEqual => left >= right,
    }
}

fn term(token: &str) -> Result<Term, FilterError> {
    let unquoted = |text: &str| text.replace('"', "").to_lowercase();
    if token.starts_with('"') {
        return Ok(Term::Word(unquoted(token)));
    }
    for (prefix, make) in
        [("service:", Term::Service as fn(String) -> Term), ("name:", Term::Name), ("status:", Term::Status)]
    {
        if let Some(value) = token.strip_prefix(prefix) {
            let value = unquoted(value);
            if value.is_empty() {
                return Err(FilterError(format!("write what to look for after {prefix} (for example {prefix}error)")));
            }
            if prefix == "status:" && !["ok", "error", "fault", "throttle", "in_progress"].contains(&value.as_str()) {
                return Err(FilterError(format!(
                    "status:{value} is unknown; write status:ok, status:error, status:fault, status:throttle or status:in_progress"
                )));
            }
            return Ok(make(value));
        }
    }
    if let Some(rest) = token.strip_prefix("duration")
        && rest.starts_with(['<', '>'])
    {
        let (op, length) = match rest.as_bytes() {
            [b'<', b'=', ..] => (Comparison::LessOrEqual, &rest[2..]),
            [b'>', b'=', ..] => (Comparison::GreaterOrEqual, &rest[2..]),
            [b'<', ..] => (Comparison::Less, &rest[1..]),
            _ => (Comparison::Greater, &rest[1..]),
        };
        let nanos = parse_duration(length).ok_or_else(|| {
            FilterError(format!(
                "{length:?} is not a duration; write for example duration>{}",
                human_duration(100_000_000).replace(' ', "")
            ))
        })?;
        return Ok(Term::Duration(op, nanos));
    }
    if let Some((key, value)) = token.split_once('=')
        && !key.is_empty()
        && !key.contains('"')
    {
        return Ok(Term::Key(key.to_owned(), unquoted(value)));
    }
    Ok(Term::Word(unquoted(token)))
}

/// The parts of a filter, separated by white space outside quotes. Quotes are kept.
///
/// # Errors
/// [`FilterError`] for an unclosed quote.
pub fn split(text: &str) -> Result<Vec<String>, FilterError> {
    let mut tokens = Vec::new();
    let mut token = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                token.push(c);
            }
            c if c.is_whitespace() && !quoted => {
                if !token.is_empty() {
                    tokens.push(std::mem::take(&mut token));
                }
            }
            c => token.push(c),
        }
    }
    if quoted {
        return Err(FilterError("a quote is not closed: write \"two words\"".to_owned()));
    }
    if !token.is_empty() {
        tokens.push(token);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::{LooseSpan, assemble};
    use crate::ids::{SpanId, TraceId};
    use crate::time::Nanos;
    use crate::trace::{Protocol, SpanKind, StatusCode};

    fn check(filter: &str, expected: bool) {
        let mut span = Span::new(SpanId([1; 8]), "GET /api/activities/home", Protocol::Otlp, Nanos(0));
        span.kind = SpanKind::Server;
        span.service = "backend-flask".into();
        span.end = Some(Nanos(120_000_000));
        span.status.code = StatusCode::Error;
        span.attributes = vec![Attribute::new("http.status_code", 500i64), Attribute::new("app.now", "Now Then")];
        let trace = assemble(TraceId([0xab; 16]), vec![LooseSpan::from(span)]);
        let filter = Filter::parse(filter).unwrap_or_else(|e| panic!("{filter}: {e}"));
        assert_eq!(filter.matches(&trace), expected, "{filter:?}");
        if let Some(decided) = filter.matches_summary(&trace.summary()) {
            assert_eq!(decided, expected, "the summary alone must not disagree: {filter:?}");
        }
    }

    #[test]
    fn every_form_of_the_language() {
        check("", true);
        check("home", true);
        check("HOME activities", true);
        check("home nowhere", false);
        check("service:backend", true);
        check("service:frontend", false);
        check("status:error", true);
        check("status:ok", false);
        check("duration>100ms", true);
        check("duration>=120ms", true);
        check("duration<0.12s", false);
        check("http.status_code=500", true);
        check("http.status_code=404", false);
        check("app.now=\"now then\"", true);
        check("app.now=*", true);
        check("name:\"get /api\"", true);
        check("abababab", true);
        check("status:error duration>1s", false);
        check("/api?x=1", false);
    }

    #[test]
    fn errors_name_the_part_and_a_hint() {
        for (filter, said) in [
            ("duration>soon", "duration>100ms"),
            ("status:weird", "status:ok"),
            ("name:\"open", "not closed"),
            ("service:", "after service:"),
        ] {
            let error = Filter::parse(filter).expect_err(filter).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
