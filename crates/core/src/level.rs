//! The level of a log line: from the severity that was sent, and from the line's own text.
//!
//! Many lines have no severity of their own: CloudWatch Logs has no such field, and consoles print text. Their text
//! often has one: `[ERROR]`, `WARN`, `level=error`, `"level":"error"`, `ERROR:app:`, `500 INTERNAL SERVER ERROR`, the
//! status in an access log.

use crate::text::beginning;

/// The level of a log line, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Detail for debugging, `TRACE` included.
    Debug,
    /// Normal operation, `NOTICE` included.
    Info,
    /// Something unexpected that was handled; a client error of HTTP.
    Warn,
    /// A failure; a server error of HTTP.
    Error,
    /// A failure that ends the process or needs immediate attention.
    Fatal,
}

impl LogLevel {
    /// The word on cards.
    pub fn word(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }

    /// Whether it is a failure.
    pub fn is_error(self) -> bool {
        self >= Self::Error
    }

    /// A severity in any vendor's spelling: `ERROR`, `Warning`, `WARN3`, `crit`, `NOTICE`.
    pub fn of_word(word: &str) -> Option<Self> {
        let upper: String = word.trim().chars().take(12).collect::<String>().to_ascii_uppercase();
        let is = |heads: &[&str]| heads.iter().any(|h| upper.starts_with(h));
        if is(&["CRIT", "FATAL", "SEVERE", "EMERG", "ALERT", "PANIC"]) {
            Some(Self::Fatal)
        } else if is(&["ERR"]) {
            Some(Self::Error)
        } else if is(&["WARN"]) {
            Some(Self::Warn)
        } else if is(&["INFO", "NOTICE"]) {
            Some(Self::Info)
        } else if is(&["DEBUG", "TRACE", "VERBOSE", "FINE"]) {
            Some(Self::Debug)
        } else {
            None
        }
    }
}

/// The level of a line: its severity if it has one, else that of its text. A server error of HTTP in the text counts
/// whatever the severity is, since access logs write every line as information.
pub fn level(severity: &str, text: &str) -> Option<LogLevel> {
    let sent = LogLevel::of_word(severity);
    let head = head(text);
    match (sent, http_level(&head)) {
        (Some(sent), Some(LogLevel::Error)) => Some(sent.max(LogLevel::Error)),
        (Some(sent), _) => Some(sent),
        (None, http) => words_level(&head).max(http),
    }
}

/// The level of a text without a severity.
pub fn of_text(text: &str) -> Option<LogLevel> {
    level("", text)
}

/// The part of a text that is searched: a level stands at the beginning, later it is part of the message. Multi-line
/// texts are searched on their first line.
fn head(text: &str) -> String {
    let start = text.trim_start_matches(['\u{feff}', '\n', '\r']);
    let line = beginning(start.split('\n').next().unwrap_or_default(), 1_000);
    without_colours(line).trim().to_owned()
}

/// The text without escape sequences of colours: `ESC [ … letter`.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, rest)| rest));
    }
    out
}

/// The level that the words of a line state, without its status of HTTP. The line has no colours.
pub(crate) fn words_level(line: &str) -> Option<LogLevel> {
    if let Some(found) = field(line) {
        return Some(found);
    }
    let short = beginning(line, 160);
    for (word, before, after) in words(short) {
        if let Some(found) = stated(word, before, after) {
            return Some(found);
        }
    }
    opening(short)
}

/// The names of fields with a level, in JSON and in `key=value`.
const FIELDS: [&str; 7] = ["level", "lvl", "severity", "levelname", "log.level", "loglevel", "severitytext"];

/// `level=error`, `"level":"error"`, `"severity": "WARNING"`, and the numbers of bunyan and pino: `"level":50`.
fn field(line: &str) -> Option<LogLevel> {
    let lower = line.to_ascii_lowercase();
    let bytes = lower.as_bytes();
    let mut found: Option<LogLevel> = None;
    for name in FIELDS {
        for (at, _) in lower.match_indices(name) {
            // The whole name of a field.
            let before = at.checked_sub(1).map(|i| bytes[i]);
            if before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
                continue;
            }
            let rest = lower[at + name.len()..].trim_start_matches(['"', '\'']).trim_start();
            let Some(value) = rest.strip_prefix(['=', ':']) else { continue };
            let value = value.trim_start().trim_start_matches(['"', '\'', '[']);
            let word: String = value.chars().take_while(char::is_ascii_alphanumeric).take(12).collect();
            let level = match word.parse::<u32>() {
                Ok(10 | 20) => Some(LogLevel::Debug),
                Ok(30) => Some(LogLevel::Info),
                Ok(40) => Some(LogLevel::Warn),
                Ok(50) => Some(LogLevel::Error),
                Ok(60) => Some(LogLevel::Fatal),
                Ok(_) => None,
                Err(_) => LogLevel::of_word(&word),
            };
            found = found.max(level);
        }
    }
    found
}

/// The words of a line, each with the characters around it.
fn words(line: &str) -> impl Iterator<Item = (&str, Option<char>, Option<char>)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let from = at + line[at..].find(is_word)?;
        let to = line[from..].find(|c| !is_word(c)).map_or(line.len(), |n| from + n);
        at = to;
        Some((&line[from..to], line[..from].chars().next_back(), line[to..].chars().next()))
    })
}

/// The level of a word that stands for one: `ERROR` as a word of its own, or `[error]` in brackets.
fn stated(word: &str, before: Option<char>, after: Option<char>) -> Option<LogLevel> {
    let level = match word.to_ascii_uppercase().as_str() {
        "ERROR" | "ERR" => LogLevel::Error,
        "CRITICAL" | "CRIT" | "FATAL" | "EMERG" | "ALERT" | "PANIC" | "SEVERE" => LogLevel::Fatal,
        "WARNING" | "WARN" => LogLevel::Warn,
        "INFO" | "NOTICE" => LogLevel::Info,
        "DEBUG" | "TRACE" => LogLevel::Debug,
        _ => return None,
    };
    let bracketed = matches!((before, after), (Some('['), Some(']')) | (Some('<'), Some('>')) | (Some('('), Some(')')));
    // In capitals, and no part of a path, a name or an assignment.
    let capitals = word.chars().all(|c| c.is_ascii_uppercase());
    let alone = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || "[]()<>|:,;\"'!".contains(c));
    // `ERR` and `ALERT` are frequent words elsewhere; as a level they are followed by punctuation.
    let short = matches!(word, "ERR" | "ALERT" | "PANIC" | "TRACE");
    let own = capitals && alone(before) && alone(after) && (!short || after.is_some_and(|c| "]:|!>".contains(c)));
    (bracketed || own).then_some(level)
}

/// The level that the first words of a line state in lower case, or that the form of an exception has.
fn opening(line: &str) -> Option<LogLevel> {
    let lower = line.to_ascii_lowercase();
    let starts = |heads: &[&str]| heads.iter().any(|h| lower.starts_with(h));
    if starts(&["fatal: ", "panic: ", "fatal error", "critical: "]) || line.contains("' panicked at ") {
        return Some(LogLevel::Fatal);
    }
    if starts(&["error: ", "error[", "error ", "npm err", "npm error", "err: ", "uncaught ", "unhandled "])
        || line.contains("Traceback (most recent call last)")
        || line.contains("Exception in thread ")
    {
        return Some(LogLevel::Error);
    }
    if starts(&["warning: ", "warn: ", "npm warn"]) {
        return Some(LogLevel::Warn);
    }
    if starts(&["info: "]) {
        return Some(LogLevel::Info);
    }
    // `app.py:3: DeprecationWarning: …`
    if words(line).any(|(word, _, after)| {
        after == Some(':') && word.ends_with("Warning") && word.starts_with(|c: char| c.is_ascii_uppercase())
    }) {
        return Some(LogLevel::Warn);
    }
    // `TypeError: …`, `botocore.exceptions.ClientError: …`, `DeprecationWarning: …`
    let (class, _) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
    let name = class.rsplit(['.', ' ', ':']).next().unwrap_or_default();
    let is_name =
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_name || class.len() == line.len() {
        return None;
    }
    (name.ends_with("Error") || name.ends_with("Exception")).then_some(LogLevel::Error)
}

const METHODS: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE"];

/// The level of the status of HTTP in a line; [`None`] if it has none.
fn http_level(line: &str) -> Option<LogLevel> {
    Some(match http_status(line)? {
        500.. => LogLevel::Error,
        400..=499 => LogLevel::Warn,
        _ => LogLevel::Info,
    })
}

/// The status of HTTP in a line of an access log: in the common log format, in the forms of Flask, Express and Gin, in
/// `status=500`, and with its reason phrase: `500 INTERNAL SERVER ERROR`.
pub fn http_status(line: &str) -> Option<u16> {
    let tokens: Vec<&str> = line.split([' ', '\t', '"']).filter(|t| !t.is_empty()).collect();
    let status = |token: &&str| {
        let digits = token.trim_matches(['[', ']', '(', ')', ',', ';', '|', ':']);
        (digits.len() == 3).then(|| digits.parse::<u16>().ok()).flatten().filter(|n| (100..600).contains(n))
    };
    let method = tokens.iter().position(|t| METHODS.contains(&t.trim_matches(['[', ']', '(', '|', ':'])));
    if let Some(at) = method {
        // Behind the path, whose scheme may stand before it: `GET http /api/x? 500 INTERNAL SERVER ERROR`.
        let mut rest = &tokens[at + 1..];
        if matches!(rest.first(), Some(&"http" | &"https")) {
            rest = &rest[1..];
        }
        let path = rest.first().is_some_and(|t| t.starts_with('/') || t.contains("://") || *t == "*");
        if path && let Some(found) = rest.iter().skip(1).take(4).find_map(status) {
            return Some(found);
        }
        // Gin writes the status in front: `[GIN] … | 500 | 1.2ms | 127.0.0.1 | GET "/x"`.
        let framed = tokens[..at].windows(3).find(|w| w[0] == "|" && w[2] == "|").and_then(|w| status(&w[1]));
        if framed.is_some() {
            return framed;
        }
    }
    let lower = line.to_ascii_lowercase();
    for name in ["status=", "status_code=", "status\":", "status: ", "statuscode\":", "status_code\":"] {
        if let Some(at) = lower.find(name) {
            let digits: String = lower[at + name.len()..]
                .trim_start_matches([' ', '"'])
                .chars()
                .take_while(char::is_ascii_digit)
                .take(4)
                .collect();
            if let Some(found) = status(&digits.as_str()) {
                return Some(found);
            }
        }
    }
    let phrases = [
        (500, "internal server error"),
        (501, "not implemented"),
        (502, "bad gateway"),
        (503, "service unavailable"),
        (504, "gateway time"),
        (429, "too many requests"),
        (404, "not found"),
        (403, "forbidden"),
        (401, "unauthorized"),
        (400, "bad request"),
    ];
    phrases.into_iter().find(|(code, phrase)| lower.contains(&format!("{code} {phrase}"))).map(|(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use LogLevel::{Debug, Error, Fatal, Info, Warn};

    #[test]
    fn the_text_has_the_level_where_nothing_else_does() {
        for (text, expected) in [
            ("[2026-Nov-23 15:20] 192.168.229.7 GET http /api/activities/home? 500 INTERNAL SERVER ERROR", Some(Error)),
            ("[2026-Nov-23 15:20] 192.168.229.7 GET http /api/activities/home? 200 OK", Some(Info)),
            ("[2026-Nov-23 15:20] 192.168.229.7 GET http /favicon.ico? 404 NOT FOUND", Some(Warn)),
            ("127.0.0.1 - - [23/Nov/2026 15:20:13] \"GET /api/500 HTTP/1.1\" 200 -", Some(Info)),
            ("127.0.0.1 - - [23/Nov/2026 15:20:13] \"POST /a HTTP/1.1\" 502 157 \"-\" \"curl/8\"", Some(Error)),
            ("GET /users/7 503 12.3 ms - 45", Some(Error)),
            ("[GIN] 2026/11/23 - 15:20:13 | 500 |  1.2ms | 127.0.0.1 | GET  \"/x\"", Some(Error)),
            ("INFO:     127.0.0.1:5004 - \"GET /x HTTP/1.1\" 500 Internal Server Error", Some(Error)),
            ("upstream answered 503 Service Unavailable", Some(Error)),
            ("request done status=504 path=/x", Some(Error)),
            ("[ERROR] could not connect", Some(Error)),
            ("[error] could not connect", Some(Error)),
            ("2026-11-23 15:20:13,087 ERROR app: boom", Some(Error)),
            ("ERROR:app:boom", Some(Error)),
            ("CRITICAL - out of memory", Some(Fatal)),
            ("2026-11-23T15:20:13Z WARN  [db] slow query", Some(Warn)),
            ("time=\"x\" level=error msg=\"no errors so far\"", Some(Error)),
            ("level=info msg=\"ERROR page served\"", Some(Info)),
            ("{\"level\":\"error\",\"msg\":\"boom\"}", Some(Error)),
            ("{\"severity\": \"WARNING\", \"message\": \"x\"}", Some(Warn)),
            ("{\"time\":1,\"level\":50,\"msg\":\"x\"}", Some(Error)),
            ("{\"level\":30,\"msg\":\"x\"}", Some(Info)),
            ("error: could not compile", Some(Error)),
            ("warning: unused variable", Some(Warn)),
            ("npm ERR! code ELIFECYCLE", Some(Error)),
            ("TypeError: 'NoneType' object is not iterable", Some(Error)),
            ("botocore.exceptions.ClientError: An error occurred", Some(Error)),
            ("Traceback (most recent call last):", Some(Error)),
            ("thread 'main' panicked at src/main.rs:3:5:", Some(Fatal)),
            ("\u{1b}[31mERROR\u{1b}[0m it broke", Some(Error)),
            ("DEBUG: x", Some(Debug)),
            ("HomeActivities", None),
            ("finished with 0 errors", None),
            ("ERROR_COUNT=0", None),
            ("GET /ERROR/page", None),
            ("retry=500 items", None),
            ("ALERT the team by mail", None),
            ("price: 500 EUR", None),
            ("Error", None),
            ("", None),
        ] {
            assert_eq!(of_text(text), expected, "{text}");
        }
    }

    #[test]
    fn a_severity_wins_over_words_but_not_over_a_server_error() {
        assert_eq!(level("INFO", "ERROR page served"), Some(Info));
        assert_eq!(level("INFO", "\"GET / HTTP/1.1\" 500 -"), Some(Error));
        assert_eq!(level("FATAL", "\"GET / HTTP/1.1\" 500 -"), Some(Fatal));
        assert_eq!(level("INFO", "\"GET / HTTP/1.1\" 404 -"), Some(Info));
        assert_eq!(level("Information", "x"), Some(Info));
        assert_eq!(level("WARN2", "x"), Some(Warn));
        assert_eq!(level("odd", "[error] x"), Some(Error));
    }

    #[test]
    fn any_text_is_accepted() {
        for text in ["level", "level=", "\"level\":\"", "|", "GET", "GET ", "[", "é".repeat(2_000).as_str(), "level=é"]
        {
            of_text(text);
        }
    }
}
