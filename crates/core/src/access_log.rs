//! Which HTTP request a log line is about, and whether that contradicts a trace.
//!
//! Recognised are the access lines of Werkzeug, gunicorn, uvicorn, uWSGI, Django, nginx, Apache (common and combined),
//! morgan, gin and the like, a method and a path in a sentence, logfmt, and JSON or attributes with keys for method,
//! path and status. Nothing is guessed: what a line does not name is unknown, and the unknown contradicts nothing.

use serde_json::Value as Json;

use crate::console::plain;
use crate::credentials::PLACEHOLDER;
use crate::errors::Occurrence;
use crate::logs::LogEvent;
use crate::text::beginning;
use crate::trace::{Span, Trace};
use crate::value::{Attribute, Value};

/// A request, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// In upper case.
    pub method: Option<String>,
    /// Percent-decoded, without the query.
    pub path: Option<String>,
    /// As sent; empty if it is known that there is none.
    pub query: Option<String>,
    pub status: Option<u16>,
}

/// What distinguishes a request from every one of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    Path,
    Method,
    Query,
    Status,
}

impl Difference {
    /// `another path`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Path => "another path",
            Self::Method => "another method",
            Self::Query => "another query",
            Self::Status => "another status",
        }
    }
}

/// How much of a line is read.
const LONGEST: usize = 16 << 10;
/// How deep objects are nested, and how many of their values are read.
const DEEPEST: usize = 4;
const MOST: usize = 256;

/// The request that a line is about.
pub fn request_of_line(text: &str) -> Option<Request> {
    let text = plain(beginning(text, LONGEST));
    let text = text.trim();
    if let Some(object) = text.find('{').filter(|_| text.ends_with('}')).map(|at| &text[at..])
        && let Ok(json @ Json::Object(_)) = serde_json::from_str::<Json>(object)
    {
        let mut pairs = Vec::new();
        flatten(&json, "", 0, &mut pairs);
        if let Some(request) = of_pairs(&pairs) {
            return Some(request);
        }
    }
    of_sentence(text).or_else(|| of_pairs(&logfmt(text)))
}

/// The request that a log event is about, by its attributes or its message.
pub fn request_of_event(event: &LogEvent) -> Option<Request> {
    let mut pairs = Vec::new();
    attributes(&event.attributes, "", 0, &mut pairs);
    of_pairs(&pairs).or_else(|| request_of_line(&event.message))
}

/// The request in which an error occurred.
pub fn request_of_error(error: &Occurrence) -> Request {
    let text = |key: &str| error.request.iter().find(|a| a.key == key).map(|a| a.value.to_string());
    let mut request = text("url").as_deref().and_then(target).unwrap_or_default();
    request.method = text("method").as_deref().and_then(method);
    // Some notifiers send the URL without its query.
    request.query = request.query.filter(|query| !query.is_empty());
    request
}

/// What distinguishes a request from every request of a trace; `None` if one of them may be the same, or if the trace
/// names none.
pub fn difference(trace: &Trace, request: &Request) -> Option<Difference> {
    let mut nearest = None;
    for known in trace.spans.iter().filter_map(of_span) {
        // The later the first difference, the nearer.
        nearest = nearest.max(Some(first_difference(&known, request)?));
    }
    nearest
}

/// The request of a span.
struct Known {
    request: Request,
    /// Whether its path is that of a route: `/users/{id}`.
    route: bool,
}

fn first_difference(known: &Known, request: &Request) -> Option<Difference> {
    let differ = |a: &Option<String>, b: &Option<String>, same: fn(&str, &str) -> bool| match (a, b) {
        (Some(a), Some(b)) => !same(a, b),
        (None, _) | (_, None) => false,
    };
    let same_path: fn(&str, &str) -> bool = if known.route { fits_route } else { |a, b| a == b };
    let known = &known.request;
    if differ(&known.path, &request.path, same_path) {
        Some(Difference::Path)
    } else if differ(&known.method, &request.method, |a, b| a == b) {
        Some(Difference::Method)
    } else if differ(&known.query, &request.query, same_query) {
        Some(Difference::Query)
    } else if known.status.zip(request.status).is_some_and(|(a, b)| a != b) {
        Some(Difference::Status)
    } else {
        None
    }
}

/// The request that a span handled or sent; `None` for other spans.
fn of_span(span: &Span) -> Option<Known> {
    let text = |key: &str| span.attribute(key).and_then(Value::as_str);
    let mut request = ["http.target", "url.full", "http.url", "http.request.url"]
        .iter()
        .find_map(|key| {
            let mut request = target(text(key)?)?;
            // X-Ray's middlewares send the URL without its query.
            request.query = request.query.filter(|query| !query.is_empty() || *key != "http.request.url");
            Some(request)
        })
        .unwrap_or_default();
    if let Some(path) = text("url.path") {
        request.path = Some(decoded(path));
    }
    if let Some(query) = text("url.query") {
        request.query = Some(query.trim_start_matches('?').to_owned());
    }
    request.method = span.http_method().and_then(method);
    request.status = span.http_status().and_then(|status| u16::try_from(status).ok()).filter(|s| is_status(*s));
    let route = request.path.is_none();
    if route {
        request.path = text("http.route").filter(|route| route.starts_with('/')).map(decoded);
    }
    if let (None, Some((word, path))) = (&request.path, span.name.split_once(' '))
        && let Some(method) = method(word)
        && path.starts_with('/')
    {
        request.path = Some(decoded(path));
        request.method = request.method.or(Some(method));
    }
    // Middlewares repeat the route only.
    (request.method.is_some() || request.status.is_some()).then_some(Known { request, route })
}

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

fn method(word: &str) -> Option<String> {
    let word = word.trim().to_ascii_uppercase();
    METHODS.contains(&word.as_str()).then_some(word)
}

fn is_status(status: u16) -> bool {
    (100..600).contains(&status)
}

/// A status: `500`, `500 INTERNAL SERVER ERROR`.
fn status(text: &str) -> Option<u16> {
    let word = text.split_whitespace().next()?;
    (word.len() == 3).then(|| word.parse().ok())?.filter(|status| is_status(*status))
}

/// The path and the query of a request's target: `/home?page=2`, `http://localhost/home`.
fn target(text: &str) -> Option<Request> {
    let text = text.trim();
    let text = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") => {
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        }
        Some(_) | None => text,
    };
    let text = text.split('#').next().unwrap_or(text);
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let path = if path.is_empty() && !query.is_empty() { "/" } else { path };
    path.starts_with('/').then(|| Request {
        path: Some(decoded(path)),
        query: Some(query.to_owned()),
        ..Request::default()
    })
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(byte) = bytes.get(i) {
        let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (byte, digit(i + 1), digit(i + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                i += 3;
            }
            _ => {
                out.push(*byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether a path fits a route: `/users/{id}`, `/users/:id`, `/users/<int:id>`.
fn fits_route(route: &str, path: &str) -> bool {
    const REST: [&str; 6] = ["*", "{*", "[...", "[[...", "<path:", "<*"];
    let mut parts = path.split('/');
    for wanted in route.split('/') {
        if wanted.ends_with("+}") || REST.iter().any(|rest| wanted.starts_with(rest)) {
            return true;
        }
        let enclosed = |open: char, close: char| wanted.starts_with(open) && wanted.ends_with(close);
        let any = wanted.len() > 1
            && (wanted.starts_with(':') || enclosed('{', '}') || enclosed('<', '>') || enclosed('[', ']'));
        match parts.next() {
            Some(part) if part == wanted || any && !part.is_empty() => {}
            Some(_) | None => return false,
        }
    }
    parts.next().is_none()
}

/// Whether queries have the same parameters, in any order. Values that were taken out equal any.
fn same_query(a: &str, b: &str) -> bool {
    let parameters = |query: &str| {
        let mut all: Vec<(String, String)> = query
            .split('&')
            .filter(|parameter| !parameter.is_empty())
            .map(|parameter| {
                let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                (decoded(&key.replace('+', " ")), decoded(&value.replace('+', " ")))
            })
            .collect();
        all.sort();
        all
    };
    let taken_out = |value: &str| {
        let lower = value.to_ascii_lowercase();
        value.contains(PLACEHOLDER) || ["redacted", "***", "filtered", "masked"].iter().any(|word| lower.contains(word))
    };
    let (a, b) = (parameters(a), parameters(b));
    a.len() == b.len()
        && a.iter().zip(&b).all(|((key, value), (other_key, other))| {
            key == other_key && (value == other || taken_out(value) || taken_out(other))
        })
}

/// A method and a target between other words, and the status after them.
fn of_sentence(text: &str) -> Option<Request> {
    const QUOTES: &[char] = &['"', '\'', '`', '[', ']', '(', ')', ',', ';', '|'];
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let word = |at: usize| tokens.get(at).map(|token| token.trim_matches(QUOTES));
    for at in 0..tokens.len() {
        let Some(method) = word(at).filter(|word| METHODS.contains(word)) else { continue };
        // `GET /home`, `GET http /home?`
        let skipped = usize::from(word(at + 1).is_some_and(|word| matches!(word, "http" | "https" | "")));
        let Some(mut request) = word(at + 1 + skipped).and_then(target) else { continue };
        request.method = Some(method.to_owned());
        let after = at + 2 + skipped;
        request.status = status_after(&tokens, after).or_else(|| {
            // gin: `| 200 |  1.2ms | 127.0.0.1 | GET "/home"`
            let before = tokens.get(..at)?;
            before.windows(3).find(|three| three[0] == "|" && three[2] == "|").and_then(|three| status(three[1]))
        });
        return Some(request);
    }
    of_report(text)
}

/// The status after a target: `HTTP/1.1" 200 12`, `200 OK`, `-> 200`. Not a duration.
fn status_after(tokens: &[&str], at: usize) -> Option<u16> {
    const AROUND: &[char] = &['"', '\'', '[', ']', '(', ')', ',', ';', ':', '|', '='];
    const BETWEEN: [&str; 14] = [
        "",
        "-",
        "->",
        "=>",
        "→",
        "—",
        "–",
        "status",
        "code",
        "returned",
        "responded",
        "with",
        "completed",
        "response",
    ];
    const UNITS: [&str; 9] = ["ms", "msec", "msecs", "s", "sec", "us", "µs", "ns", "bytes"];
    const REACH: usize = 5;
    let bare = |token: &str| token.trim_matches(AROUND).to_owned();
    let at_status = |i: usize| {
        let found = status(&bare(tokens.get(i)?))?;
        let unit = tokens.get(i + 1).map(|next| bare(next).to_ascii_lowercase());
        (!unit.is_some_and(|unit| UNITS.contains(&unit.as_str()))).then_some(found)
    };
    let rest = tokens.get(at..)?;
    if let Some(version) = rest.iter().position(|token| bare(token).starts_with("HTTP/")) {
        return (at + version + 1..at + version + 1 + REACH).find_map(at_status);
    }
    for (i, token) in rest.iter().enumerate().take(REACH) {
        if let Some(found) = at_status(at + i) {
            return Some(found);
        }
        let word = bare(token).to_ascii_lowercase();
        if let Some((key, value)) = word.split_once(['=', ':']) {
            return status(value).filter(|_| key.contains("status") || key.contains("code"));
        }
        if !BETWEEN.contains(&word.as_str()) {
            return None;
        }
    }
    None
}

/// `Internal Server Error: /home` (Django), `Exception on /home [GET]` (Flask).
fn of_report(text: &str) -> Option<Request> {
    const REPORTS: [(&str, u16); 5] = [
        ("Internal Server Error: ", 500),
        ("Not Found: ", 404),
        ("Bad Request: ", 400),
        ("Forbidden: ", 403),
        ("Unauthorized: ", 401),
    ];
    for (report, status) in REPORTS {
        if let Some((_, rest)) = text.split_once(report) {
            let request = target(rest.split_whitespace().next()?)?;
            return Some(Request { query: None, status: Some(status), ..request });
        }
    }
    let (_, rest) = text.split_once("Exception on ")?;
    let mut words = rest.split_whitespace();
    let request = target(words.next()?)?;
    let method = method(words.next()?.strip_prefix('[')?.strip_suffix(']')?)?;
    Some(Request { method: Some(method), query: None, ..request })
}

/// The pairs of logfmt: `method=GET path="/home" status=200`.
fn logfmt(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('=').filter(|_| pairs.len() < MOST) {
        let key = rest[..at].rsplit(|c: char| c.is_whitespace() || c == ',').next().unwrap_or_default();
        let after = &rest[at + 1..];
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => {
                let end = after.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(after.len());
                (&after[..end], &after[end..])
            }
        };
        if !key.is_empty() {
            pairs.push((normal(key), value.to_owned()));
        }
        rest = next;
    }
    pairs
}

/// `http.statusCode`, `http.status_code` and `HTTP.Status-Code` are one key.
fn normal(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

fn flatten(json: &Json, prefix: &str, depth: usize, pairs: &mut Vec<(String, String)>) {
    let Json::Object(map) = json else { return };
    for (key, value) in map {
        if pairs.len() >= MOST {
            return;
        }
        let key = if prefix.is_empty() { normal(key) } else { format!("{prefix}.{}", normal(key)) };
        match value {
            Json::String(text) => pairs.push((key, text.clone())),
            Json::Number(number) => pairs.push((key, number.to_string())),
            Json::Object(_) if depth < DEEPEST => flatten(value, &key, depth + 1, pairs),
            Json::Object(_) | Json::Array(_) | Json::Bool(_) | Json::Null => {}
        }
    }
}

fn attributes(all: &[Attribute], prefix: &str, depth: usize, pairs: &mut Vec<(String, String)>) {
    for attribute in all {
        if pairs.len() >= MOST {
            return;
        }
        let key = normal(&attribute.key);
        let key = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match &attribute.value {
            Value::Str(text) => pairs.push((key, text.clone())),
            Value::Int(number) => pairs.push((key, number.to_string())),
            Value::Map(inner) if depth < DEEPEST => attributes(inner, &key, depth + 1, pairs),
            Value::Map(_) | Value::Double(_) | Value::Bool(_) | Value::Bytes(_) | Value::List(_) | Value::Empty => {}
        }
    }
}

const METHOD_KEYS: &[&str] = &[
    "method",
    "httpmethod",
    "requestmethod",
    "verb",
    "http.method",
    "http.request.method",
    "req.method",
    "request.method",
    "httprequest.requestmethod",
    "httprequest.method",
    "requestcontext.http.method",
];
const PATH_KEYS: &[&str] = &[
    "path",
    "url",
    "uri",
    "url.path",
    "url.full",
    "url.original",
    "http.target",
    "http.url",
    "http.path",
    "http.request.path",
    "requesturi",
    "requestpath",
    "requesturl",
    "fullpath",
    "rawpath",
    "originalurl",
    "pathname",
    "target",
    "req.url",
    "req.path",
    "req.originalurl",
    "request.uri",
    "request.url",
    "request.path",
    "httprequest.requesturl",
];
const QUERY_KEYS: &[&str] = &["query", "querystring", "url.query", "http.query", "rawquerystring", "request.query"];
const STATUS_KEYS: &[&str] = &[
    "status",
    "statuscode",
    "httpstatus",
    "httpstatuscode",
    "responsestatus",
    "responsestatuscode",
    "responsecode",
    "http.status",
    "http.statuscode",
    "http.response.status",
    "http.response.statuscode",
    "res.status",
    "res.statuscode",
    "response.status",
    "response.statuscode",
    "httprequest.status",
];
/// Keys whose value is a whole line.
const LINE_KEYS: &[&str] = &["request", "requestline", "httprequest", "msg", "message", "log", "event"];

/// Objects around those of a request, in the forms of common loggers.
const AROUND: [&str; 9] =
    ["context.", "extra.", "fields.", "data.", "attributes.", "record.", "payload.", "jsonpayload.", "meta."];

/// A key without the objects around it.
fn inner(mut key: &str) -> &str {
    while let Some(rest) = AROUND.iter().find_map(|around| key.strip_prefix(around)) {
        key = rest;
    }
    key
}

/// A request from keys and values. A path alone may be that of a file.
fn of_pairs(pairs: &[(String, String)]) -> Option<Request> {
    let find = |keys: &[&str]| {
        keys.iter()
            .find_map(|key| pairs.iter().find(|(found, _)| inner(found) == *key).map(|(_, value)| value.as_str()))
    };
    let mut request = find(PATH_KEYS).and_then(target).unwrap_or_default();
    // Without a query, the path may have been logged alone.
    request.query = request.query.filter(|query| !query.is_empty());
    if let Some(query) = find(QUERY_KEYS).filter(|_| request.query.is_none()) {
        request.query = Some(query.trim_start_matches('?').to_owned());
    }
    request.method = find(METHOD_KEYS).and_then(method);
    request.status = find(STATUS_KEYS).and_then(status);
    if request.path.is_some() && (request.method.is_some() || request.status.is_some()) {
        return Some(request);
    }
    let line = LINE_KEYS.iter().find_map(|key| {
        let (_, value) = pairs.iter().find(|(found, _)| found == key)?;
        of_sentence(&plain(value))
    });
    match line {
        Some(line) => Some(Request { status: line.status.or(request.status), ..line }),
        None if request.method.is_some() && request.status.is_some() => Some(request),
        None => None,
    }
}

#[cfg(test)]
mod tests;
