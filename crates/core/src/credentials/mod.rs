//! Finding credentials and removing them.
//!
//! Credentials are recognized by the name of a value (`authorization`, `password`, …) and by the form of the value (an
//! AWS key id, a bearer token, a private key, …). In doubt, a value is removed.
//! Identifying data (account ids, e-mail addresses) is not a credential; it is masked at export.
//!
//! Every value found this way is then searched for in all other texts: a password that an attribute's name revealed
//! may also be in a log message.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::Regex;
use regex::bytes::Regex as BytesRegex;
use serde_json::Value as Json;

mod patterns;

use patterns::{EVERYDAY_VALUES, FACT_WORDS, LAST_WORDS, NAME_PARTS, PATTERNS, WHOLE_NAMES};

/// What replaces a credential.
pub const PLACEHOLDER: &str = "[credential removed]";

/// The texts that were removed from a body. `Debug` shows only how many.
#[derive(Default)]
pub struct Removed {
    texts: Vec<String>,
    /// How often one of them was removed from another place.
    again: usize,
    /// All of them that are long enough to be distinctive, for bytes.
    any: OnceLock<Option<AhoCorasick>>,
    /// Those that are distinctive: see [`is_telling`].
    telling: OnceLock<Option<AhoCorasick>>,
}

impl Removed {
    /// Number of removed values.
    pub fn count(&self) -> usize {
        self.texts.len() + self.again
    }

    /// Whether nothing was removed.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    fn push(&mut self, text: String) {
        self.texts.push(text);
        (self.any, self.telling) = Default::default();
    }

    /// Secrets of one or two bytes are not searched, since they would match everywhere.
    fn any(&self) -> Option<&AhoCorasick> {
        self.any.get_or_init(|| finder(self.texts.iter().map(String::as_str).filter(|t| t.len() > 2))).as_ref()
    }

    fn telling(&self) -> Option<&AhoCorasick> {
        let texts = || self.texts.iter().map(String::as_str).flat_map(|text| [Some(text), behind_scheme(text)]);
        self.telling.get_or_init(|| finder(texts().flatten().filter(|t| is_telling(t)))).as_ref()
    }

    /// Removes the same texts from another text: a raw document, or the question.
    pub fn take_from_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.telling().map_or(Cow::Borrowed(text), |finder| take(finder, text, &mut 0))
    }

    /// Removes the same texts from another JSON tree.
    pub fn take_from_json(&self, json: &mut Json) {
        if let Some(finder) = self.telling() {
            sweep(json, "", finder, &mut 0);
        }
    }
}

/// Searches many texts in one pass, longest first.
fn finder<'a>(texts: impl Iterator<Item = &'a str>) -> Option<AhoCorasick> {
    let texts: BTreeSet<&str> = texts.collect();
    if texts.is_empty() {
        return None;
    }
    // Faster kinds need much more memory. Fails only beyond 2^31 states.
    let mut builder = AhoCorasick::builder();
    builder.kind(Some(AhoCorasickKind::ContiguousNFA)).match_kind(MatchKind::LeftmostLongest);
    builder.build(texts).ok()
}

/// The value after `Bearer`, `Basic` and the like, which may occur elsewhere without that word.
fn behind_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(' ')?;
    let is = ["bearer", "basic", "token"].iter().any(|word| scheme.eq_ignore_ascii_case(word));
    is.then_some(rest.trim())
}

/// Whether a value is distinctive enough to be removed wherever it occurs. Common words and numbers are not.
fn is_telling(text: &str) -> bool {
    let word = text.trim_matches(|c: char| !c.is_alphanumeric());
    let mut letters: Vec<char> = text.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    text.chars().count() >= 8
        && letters.len() > 3
        // Numbers, dates and durations.
        && text.chars().filter(|c| c.is_alphabetic()).count() > 1
        && !EVERYDAY_VALUES.iter().any(|w| w.eq_ignore_ascii_case(word))
        && !PLACEHOLDER.contains(text)
}

fn take<'a>(finder: &AhoCorasick, text: &'a str, again: &mut usize) -> Cow<'a, str> {
    let mut clean = String::new();
    let mut from = 0;
    for found in finder.find_iter(text) {
        *again += 1;
        clean.push_str(&text[from..found.start()]);
        clean.push_str(PLACEHOLDER);
        from = found.end();
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[from..]);
    Cow::Owned(clean)
}

/// Whether a text is part of the format of evidence rather than data: ids, kinds, bytes. Without it the rest could not
/// be read.
fn is_form(key: &str, text: &str) -> bool {
    match key {
        "trace_id" | "span_id" | "id" | "parent" => {
            text.len() >= 16 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
        }
        "kind" | "protocol" | "protocols" | "code" | "level" | "origin" | "by" => {
            text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        }
        "bytes" | "double" => true,
        _ => false,
    }
}

fn sweep(json: &mut Json, key: &str, finder: &AhoCorasick, again: &mut usize) {
    match json {
        Json::String(text) => {
            if !is_form(key, text)
                && let Cow::Owned(clean) = take(finder, text, again)
            {
                *text = clean;
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|value| sweep(value, key, finder, again)),
        Json::Object(map) => {
            map.iter_mut().for_each(|(key, value)| sweep(value, key, finder, again));
            // Field names are plain words; a name with a secret comes from data.
            let is_word = |key: &String| key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            let keys: Vec<String> = map.keys().filter(|key| !is_word(key)).cloned().collect();
            for key in keys {
                if let Cow::Owned(clean) = take(finder, &key, again)
                    && let Some(value) = map.remove(&key)
                {
                    map.insert(clean, value);
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

impl fmt::Debug for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} credentials", self.count())
    }
}

static TEXT_SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "fixed patterns; a test compiles every one")]
    PATTERNS.iter().map(|row| Regex::new(row.pattern).unwrap()).collect()
});

static BYTE_SHAPES: LazyLock<Vec<BytesRegex>> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "fixed patterns; a test compiles every one")]
    PATTERNS.iter().map(|row| BytesRegex::new(row.pattern).unwrap()).collect()
});

/// Whether any value with this name is a credential.
///
/// Every part of a dotted path counts: flattening makes `credentials.value` and `request.cookies.session`.
pub fn is_credential_name(name: &str) -> bool {
    name.split(['.', '/', '[', ']']).any(is_credential_part)
}

fn is_credential_part(part: &str) -> bool {
    // `X-Rollbar-Access-Token`, `DB_PASSWORD`, `userPassword`: words, however they are joined.
    let mut words: Vec<String> = vec![String::new()];
    let mut before_lower = false;
    for c in part.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && before_lower) {
            words.push(String::new());
        }
        before_lower = c.is_ascii_lowercase();
        if c.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let flat = words.concat();
    // Facts about a credential are not credentials: `token_count`, `password_strength`, `has_password`, `apikey_id`.
    if words.len() > 1 && words.iter().any(|w| FACT_WORDS.contains(w) || ["has", "is"].contains(w)) {
        return false;
    }
    WHOLE_NAMES.contains(&flat.as_str())
        || words.last().is_some_and(|last| words.len() > 1 && LAST_WORDS.contains(last))
        || NAME_PARTS.iter().any(|part| flat.contains(part))
}

/// Removes credential-shaped parts from a text.
pub fn remove_from_text<'a>(text: &'a str, removed: &mut Removed) -> Cow<'a, str> {
    let mut out = Cow::Borrowed(text);
    for shape in TEXT_SHAPES.iter() {
        let mut cuts: Vec<(usize, usize)> = Vec::new();
        for found in shape.captures_iter(&out) {
            let Some(cut) = found.name("secret").or_else(|| found.get(0)) else { continue };
            if !PLACEHOLDER.contains(cut.as_str()) && !cut.as_str().contains(PLACEHOLDER) {
                removed.push(cut.as_str().to_owned());
                cuts.push((cut.start(), cut.end()));
            }
        }
        if !cuts.is_empty() {
            let mut clean = String::with_capacity(out.len());
            let mut from = 0;
            for (start, end) in cuts {
                clean.push_str(&out[from..start]);
                clean.push_str(PLACEHOLDER);
                from = end;
            }
            clean.push_str(&out[from..]);
            out = Cow::Owned(clean);
        }
    }
    out
}

/// Removes credentials from a JSON tree: values under a credential's name (both `{"name": value}` and `{"key": "name",
/// "value": …}`), credential-shaped parts of any text, keys included, and then every other occurrence of them.
pub fn remove_from_json(json: &mut Json) -> Removed {
    let mut removed = Removed::default();
    walk(json, &mut removed);
    let mut again = 0;
    if let Some(finder) = removed.telling() {
        sweep(json, "", finder, &mut again);
    }
    removed.again = again;
    removed
}

fn walk(json: &mut Json, removed: &mut Removed) {
    match json {
        Json::String(text) => {
            if let Cow::Owned(clean) = remove_from_text(text, removed) {
                *text = clean;
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|value| walk(value, removed)),
        Json::Object(map) => {
            let named = map.get("key").and_then(Json::as_str).is_some_and(is_credential_name);
            let keys: Vec<String> = map.keys().cloned().collect();
            for key in keys {
                let by_name = is_credential_name(&key) || (named && key == "value");
                if let Some(value) = map.get_mut(&key) {
                    match by_name {
                        true => blank(value, removed),
                        false => walk(value, removed),
                    }
                }
                if let Cow::Owned(clean) = remove_from_text(&key, removed)
                    && let Some(value) = map.remove(&key)
                {
                    map.insert(clean, value);
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn blank(value: &mut Json, removed: &mut Removed) {
    match value {
        // `has_password: true`, `tokens: 42`: no credential is a number or a boolean.
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
        Json::String(text) if text.is_empty() || text == PLACEHOLDER => {}
        Json::Object(map) if map.len() == 1 && (map.contains_key("int") || map.contains_key("double")) => {}
        _ => {
            texts(value, removed);
            *value = Json::String(PLACEHOLDER.to_owned());
        }
    }
}

fn texts(value: &Json, out: &mut Removed) {
    match value {
        Json::String(text) => out.push(text.clone()),
        Json::Number(n) => out.push(n.to_string()),
        Json::Array(list) => list.iter().for_each(|v| texts(v, out)),
        Json::Object(map) => map.values().for_each(|v| texts(v, out)),
        Json::Null | Json::Bool(_) => {}
    }
}

/// Overwrites credentials in raw bytes with `*`: what was removed from the body, and whatever has the form of a
/// credential. Keeps every length, so that protobuf messages stay valid.
pub fn overwrite_in_bytes(bytes: &mut [u8], removed: &Removed) {
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    if let Some(finder) = removed.any() {
        cuts.extend(finder.find_iter(&*bytes).map(|found| (found.start(), found.end())));
    }
    for shape in BYTE_SHAPES.iter() {
        for found in shape.captures_iter(bytes) {
            if let Some(cut) = found.name("secret").or_else(|| found.get(0)) {
                cuts.push((cut.start(), cut.end()));
            }
        }
    }
    for (start, end) in cuts {
        bytes[start..end].fill(b'*');
    }
}

#[cfg(test)]
mod tests {
    use super::patterns::Pattern;
    use super::*;

    fn clean(text: &str) -> String {
        remove_from_text(text, &mut Removed::default()).into_owned()
    }

    #[test]
    fn every_pattern_compiles_and_cites_its_documentation() {
        for Pattern { name, pattern, origin } in PATTERNS {
            assert!(Regex::new(pattern).is_ok() && BytesRegex::new(pattern).is_ok(), "{name}");
            assert!(!origin.is_empty(), "{name}");
        }
    }

    #[test]
    fn only_the_credential_itself_is_removed() {
        for (text, secret) in [
            ("id AKIAIOSFODNN7EXAMPLE.", "AKIAIOSFODNN7EXAMPLE"),
            ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
            ("x-honeycomb-team=hcaik_01hq8yx3p9w2k7m4n5b6c8d9f0g1h2j3k4l5m6n7p8", "hcaik_"),
            ("postgresql://postgres:pa55word@db:5432/cruddur", "pa55word"),
            ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalr"),
            (r#"{"access_token": "0123456789abcdef0123456789abcdef"}"#, "0123456789abcdef"),
            ("https://b.s3.amazonaws.com/o?X-Amz-Signature=deadbeef&x=1", "deadbeef"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
        ] {
            let out = clean(text);
            assert!(!out.contains(secret), "{out}");
            assert!(out.contains(PLACEHOLDER), "{out}");
            assert_eq!(clean(&out), out, "a second pass changes nothing");
        }
    }

    #[test]
    fn ordinary_telemetry_is_unchanged() {
        for text in [
            "GET /api/activities/home",
            "1-4efaaf4d-1e8720b39541901950019ee5",
            "Successfully sent batch of 1 segments (0.085 seconds)",
            "http://127.0.0.1:4567/api/activities/@andrewbrown",
            "the basic idea: tokens are counted",
            "user_agent load.py/1",
        ] {
            assert_eq!(clean(text), text);
        }
        for name in [
            "http.method",
            "handle",
            "token_count",
            "results_size",
            "author",
            "cookie_consent",
            "has_password",
            "password_strength",
            "apikey_id",
            "paid_tokens",
            "session.id",
            "token_type",
        ] {
            assert!(!is_credential_name(name), "{name}");
        }
        for name in [
            "HTTP_AUTHORIZATION",
            "req_authorization",
            "request.cookies",
            "session_cookie",
            "db_pass",
            "AWS_SECRET",
            "github_token",
            "webhook_secret",
            "access_key",
            "credentials.value",
            "password.0",
            "connect.sid.cookies",
            "userPassword",
        ] {
            assert!(is_credential_name(name), "{name}");
        }
        assert_eq!(clean("Basic authentication required"), "Basic authentication required");
        let signed = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/x, Signature=deadbeefdeadbeef";
        assert!(!clean(signed).contains("deadbeef"), "{}", clean(signed));
    }

    #[test]
    fn values_are_removed_by_name() {
        let mut json = serde_json::json!({
            "attributes": [{"key": "db.password", "value": "x1"}, {"key": "http.request.header.cookie", "value": ["a=b"]}],
            "headers": {"X-Rollbar-Access-Token": "abc", "Accept": "*/*"},
        });
        let removed = remove_from_json(&mut json);
        assert_eq!(removed.count(), 3);
        assert_eq!(json["attributes"][0]["value"], PLACEHOLDER);
        assert_eq!(json["headers"]["Accept"], "*/*");
        assert_eq!(format!("{removed:?}"), "3 credentials", "what was removed does not print");
    }

    #[test]
    fn raw_bytes_keep_their_length() {
        let mut removed = Removed::default();
        removed.push("hunter22".into());
        let mut bytes = b"\x0a\x08hunter22 AKIAIOSFODNN7EXAMPLE\xff".to_vec();
        let before = bytes.len();
        overwrite_in_bytes(&mut bytes, &removed);
        assert_eq!(bytes.len(), before);
        assert_eq!(&bytes[..], b"\x0a\x08******** ********************\xff");
    }

    #[test]
    fn values_removed_by_name_are_removed_everywhere() {
        let mut json = serde_json::json!({
            "trace_id": "0123456789abcdef0123456789abcdef",
            "attributes": [
                {"key": "db.password", "value": "Tr0ub4dor&3"},
                {"key": "http.request.header.authorization", "value": ["Bearer opaque-words-only"]},
                {"key": "x_token", "value": "0123456789abcdef0123456789abcdef"},
                {"key": "other_token", "value": "internal"},
                {"key": "empty_token", "value": "undefined"},
                {"key": "time_token", "value": "2026-11-24 16:05:00"},
            ],
            "kind": "internal",
            "name": "connect with Tr0ub4dor&3 as Tr0ub4dor&3",
            "logs": {"Tr0ub4dor&3": ["undefined internal 2026-11-24 16:05:00", "got opaque-words-only"]},
            "token in a text": "0123456789abcdef0123456789abcdef",
        });
        let removed = remove_from_json(&mut json);
        let text = json.to_string();
        assert!(!text.contains("Tr0ub4dor") && !text.contains("opaque-words"), "{text}");
        assert_eq!(json["name"], "connect with [credential removed] as [credential removed]");
        assert_eq!(json["logs"][PLACEHOLDER][0], "undefined internal 2026-11-24 16:05:00", "common words stay");
        assert_eq!(json["token in a text"], PLACEHOLDER);
        assert_eq!(
            (json["trace_id"].as_str(), json["kind"].as_str()),
            (Some("0123456789abcdef0123456789abcdef"), Some("internal"))
        );
        assert_eq!(removed.count(), 6 + 5);
        assert_eq!(removed.take_from_text("psql with Tr0ub4dor&3"), "psql with [credential removed]");
        let mut raw = serde_json::json!({"message": ["Tr0ub4dor&3"]});
        removed.take_from_json(&mut raw);
        assert_eq!(raw["message"][0], PLACEHOLDER);
    }

    #[test]
    fn ten_thousand_secrets_are_removed_in_one_pass() {
        let secret = |n: usize| format!("s3cret-{:x}", n * 7919 + 1_000_003);
        let mut json = Json::Array(
            (0..10_000)
                .map(|n| {
                    serde_json::json!({
                        "attributes": [{"key": "db.password", "value": secret(n)}],
                        "message": format!("{} connects as {} {}", "x".repeat(300), secret((n * 31) % 10_000), secret((n * 17) % 10_000)),
                    })
                })
                .collect(),
        );
        let start = std::time::Instant::now();
        let removed = remove_from_json(&mut json);
        assert_eq!(removed.count(), 30_000);
        assert!(!json.to_string().contains("s3cret"));
        let mut record = format!("\u{1}{} {}", "y".repeat(300), secret(77)).into_bytes();
        for _ in 0..10_000 {
            overwrite_in_bytes(&mut record, &removed);
        }
        assert!(!record.windows(6).any(|w| w == b"s3cret"));
        assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    }
}
