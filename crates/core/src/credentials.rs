//! What a credential looks like, and taking it out.
//!
//! Two signs: the name beside a value (`authorization`, `password`, …) and the value's own shape (an
//! AWS key id, a bearer token, a private key, …). Both err on the side of taking out: evidence can do without a password. Identifying
//! data (account ids, e-mail addresses) is not a credential; it is masked at export.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use regex::Regex;
use regex::bytes::Regex as BytesRegex;
use serde_json::Value as Json;

/// What stands where a credential stood.
pub const PLACEHOLDER: &str = "[credential removed]";

/// The texts that were taken out of a body. Shows only how many.
#[derive(Default)]
pub struct Removed(Vec<String>);

impl Removed {
    /// How many values were taken out.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was taken out.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} credentials", self.0.len())
    }
}

/// Shapes of credentials. The groups named `secret` are what is taken out; without one it is the whole match.
const SHAPES: &[&str] = &[
    // A signed request's header, whole; before the key id in it is found on its own.
    r"AWS4-HMAC-SHA256\s+Credential=(?P<secret>[^\r\n\x22]+)",
    // AWS access key ids: long-term, temporary, and the other documented prefixes of secrets.
    r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
    // Authorization headers in text; a word alone ("Basic authentication") is none.
    r"(?i)\b(?:bearer|basic)\s+(?P<secret>[A-Za-z\-._~+/]*[0-9=][A-Za-z0-9\-._~+/]{6,}=*)",
    r"(?i)\b(?:authorization|x-api-key|set-cookie|cookie):\s*(?P<secret>[^\r\n\x22]{4,})",
    // JSON Web Tokens.
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    // Honeycomb: ingest and configuration keys of today, management keys.
    r"\bhc[a-z]{1,2}[im]k_[A-Za-z0-9]{20,}\b",
    // GitHub, Slack, Stripe, Google, npm, PyPI.
    r"\bgh[pousr]_[A-Za-z0-9]{30,}\b",
    r"\bgithub_pat_[A-Za-z0-9_]{30,}\b",
    r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}\b",
    r"\bAIza[A-Za-z0-9_-]{35}\b",
    r"\bnpm_[A-Za-z0-9]{36}\b",
    r"\bpypi-[A-Za-z0-9_-]{40,}",
    // Private keys.
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
    // The password in a URL.
    r"(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@\x22']*:(?P<secret>[^\s/\x22']+)@",
    // Signed URLs.
    r"(?i)[?&](?:X-Amz-(?:Signature|Security-Token|Credential)|access_token|id_token|token|api_key|secret|sig)=(?P<secret>[^&\s\x22'#]+)",
    // Assignments in text: PASSWORD=…, "access_token": "…", aws_secret_access_key = ….
    r#"(?i)(?:password|passwd|secret_?(?:access_?)?key|client_?secret|access_?token|auth_?token|refresh_?token|session_?token|security_?token|api_?key|x-honeycomb-team|x-rollbar-access-token)["']?\s*[:=]\s*["']?(?P<secret>[^\s"',;&}\]\[]{4,})"#,
];

static TEXT_SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "fixed patterns; a test compiles every one")]
    SHAPES.iter().map(|shape| Regex::new(shape).unwrap()).collect()
});

static BYTE_SHAPES: LazyLock<Vec<BytesRegex>> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "fixed patterns; a test compiles every one")]
    SHAPES.iter().map(|shape| BytesRegex::new(shape).unwrap()).collect()
});

/// Whether a value under this name is a credential whatever it looks like.
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
    // Facts about a credential are none: `token_count`, `password_strength`, `has_password`, `apikey_id`.
    const ABOUT: &[&str] = &[
        "count", "counts", "strength", "length", "size", "type", "id", "ids", "name", "enabled", "required", "expiry",
        "expires", "hint", "policy", "consent", "mode", "status", "age", "updated", "changed", "reset", "total",
        "used", "limit",
    ];
    if words.len() > 1 && words.iter().any(|w| ABOUT.contains(w) || ["has", "is"].contains(w)) {
        return false;
    }
    const WHOLE: &[&str] = &[
        "authorization",
        "cookie",
        "cookies",
        "setcookie",
        "pwd",
        "pass",
        "passwd",
        "passcode",
        "token",
        "secret",
        "secrets",
        "jwt",
        "credential",
        "credentials",
        "xhoneycombteam",
        "xapikey",
        "xcsrftoken",
        "connectsid",
    ];
    const LAST: &[&str] = &[
        "token",
        "secret",
        "pass",
        "pwd",
        "passwd",
        "password",
        "passcode",
        "passphrase",
        "authorization",
        "cookie",
        "cookies",
    ];
    const PART: &[&str] = &[
        "password",
        "passphrase",
        "accesstoken",
        "securitytoken",
        "sessiontoken",
        "refreshtoken",
        "authtoken",
        "secretkey",
        "secretaccesskey",
        "clientsecret",
        "apikey",
        "privatekey",
        "accesskey",
        "authheader",
        "authorization",
    ];
    WHOLE.contains(&flat.as_str())
        || words.last().is_some_and(|last| words.len() > 1 && LAST.contains(last))
        || PART.iter().any(|part| flat.contains(part))
}

/// Takes credential-shaped parts out of a text.
pub fn remove_from_text<'a>(text: &'a str, removed: &mut Removed) -> Cow<'a, str> {
    let mut out = Cow::Borrowed(text);
    for shape in TEXT_SHAPES.iter() {
        let mut cuts: Vec<(usize, usize)> = Vec::new();
        for found in shape.captures_iter(&out) {
            let Some(cut) = found.name("secret").or_else(|| found.get(0)) else { continue };
            if !PLACEHOLDER.contains(cut.as_str()) && !cut.as_str().contains(PLACEHOLDER) {
                removed.0.push(cut.as_str().to_owned());
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

/// Takes credentials out of a JSON tree: values under a credential's name (both `{"name": value}`
/// and `{"key": "name", "value": …}`), and credential-shaped parts of any text, keys included.
pub fn remove_from_json(json: &mut Json) -> Removed {
    let mut removed = Removed::default();
    walk(json, &mut removed);
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
        // `has_password: true`, `tokens: 42`: no credential is a number or a yes.
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
        Json::String(text) if text.is_empty() || text == PLACEHOLDER => {}
        Json::Object(map) if map.len() == 1 && (map.contains_key("int") || map.contains_key("double")) => {}
        _ => {
            texts(value, &mut removed.0);
            *value = Json::String(PLACEHOLDER.to_owned());
        }
    }
}

fn texts(value: &Json, out: &mut Vec<String>) {
    match value {
        Json::String(text) => out.push(text.clone()),
        Json::Number(n) => out.push(n.to_string()),
        Json::Array(list) => list.iter().for_each(|v| texts(v, out)),
        Json::Object(map) => map.values().for_each(|v| texts(v, out)),
        Json::Null | Json::Bool(_) => {}
    }
}

/// Overwrites credentials in raw bytes with `*`, keeping every length, so that a protobuf message
/// stays one: what was removed from the body, and whatever has a credential's shape.
pub fn overwrite_in_bytes(bytes: &mut [u8], removed: &Removed) {
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    let distinct: std::collections::BTreeSet<&String> = removed.0.iter().collect();
    for secret in distinct {
        let needle = secret.as_bytes();
        // A secret of one or two bytes would star out half the message and hide nothing.
        if needle.len() > 2 {
            cuts.extend(
                bytes.windows(needle.len()).enumerate().filter(|(_, w)| *w == needle).map(|(i, w)| (i, i + w.len())),
            );
        }
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
    use super::*;

    fn clean(text: &str) -> String {
        remove_from_text(text, &mut Removed::default()).into_owned()
    }

    #[test]
    fn shapes_are_taken_out_and_their_surroundings_stay() {
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
    fn ordinary_telemetry_is_left_alone() {
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
    fn names_decide_where_shapes_cannot() {
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
        removed.0.push("hunter22".into());
        let mut bytes = b"\x0a\x08hunter22 AKIAIOSFODNN7EXAMPLE\xff".to_vec();
        let before = bytes.len();
        overwrite_in_bytes(&mut bytes, &removed);
        assert_eq!(bytes.len(), before);
        assert_eq!(&bytes[..], b"\x0a\x08******** ********************\xff");
    }
}
