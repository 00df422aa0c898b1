//! Which names belong to credentials. A name is judged by its words, however they are joined: `DB_PASSWORD`,
//! `userPassword`, `X-Rollbar-Access-Token`, `credentials.value`.

use super::words::{KEY_OWNERS, PASSWORDS, QUESTIONS, SAME_THING, STRONG, STRONG_PAIRS, WEAK};

/// What a name says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// Nothing.
    Plain,
    /// A credential if the value looks like one.
    Weak,
    /// A credential, unless the value is an ordinary word, a number or a boolean.
    Strong,
    /// A password: like [`Name::Strong`], and a number can be one.
    Password,
    /// A `Cookie` or `Set-Cookie` header.
    Cookie,
    /// An `Authorization` header.
    Authorization,
}

/// Most bytes of a name, and most words in it, that are looked at.
const LONGEST: usize = 160;

/// Judges a name. Only the last part of a dotted path decides, unless it is a general word (`credentials.value`,
/// `password.0`) or an item of a collection of credentials (`request.cookies.session`).
pub(super) fn judge(name: &str) -> Name {
    if name.len() > LONGEST {
        return Name::Plain;
    }
    let mut parts = name.split(['.', '/', '[', ']', '"', '\'']).filter(|part| !part.is_empty()).rev();
    let Some(last) = parts.next() else { return Name::Plain };
    let words = words(last);
    match part(&words) {
        Part::Is(Name::Weak) if parts.next().is_some_and(is_collection) => Name::Strong,
        Part::Is(name) => name,
        Part::Not => Name::Plain,
        Part::General => parts.next().map_or(Name::Plain, judge_one),
        Part::Nothing if parts.next().is_some_and(is_collection) => Name::Strong,
        Part::Nothing => Name::Plain,
    }
}

fn is_collection(name: &str) -> bool {
    words(name).last().is_some_and(|w| ["cookies", "credentials", "secrets", "passwords"].contains(&w.as_str()))
}

fn judge_one(name: &str) -> Name {
    match part(&words(name)) {
        Part::Is(name) => name,
        Part::Not | Part::General | Part::Nothing => Name::Plain,
    }
}

enum Part {
    Is(Name),
    /// It names a property of a credential: `token_count`.
    Not,
    /// It says nothing: `value`, `0`.
    General,
    /// Another name.
    Nothing,
}

fn part(words: &[String]) -> Part {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if !words.is_empty() && words.iter().all(|w| is_same_thing(w)) {
        return Part::General;
    }
    // The credential's own words are the last ones that are not general: `new_password_2`.
    let mut end = words.len();
    while end > 1 && is_same_thing(words[end - 1]) {
        end -= 1;
    }
    let head = &words[..end];
    let Some((&last, before)) = head.split_last() else { return Part::Nothing };
    let found = own(last, before);
    if found == Name::Plain {
        // `password_reset_url`, `secret_name`, `PASSWORD_SALT`: a property.
        let of = (1..head.len()).any(|n| own(head[n - 1], &head[..n - 1]) != Name::Plain);
        return if of { Part::Not } else { Part::Nothing };
    }
    // `has_password`, `max_tokens`; but `reset_token` and `verify_token` are credentials.
    let question = head.len() > 1 && QUESTIONS.contains(&head[0]) && !(found < Name::Password && is_reset(head));
    if question && !(found == Name::Password && ["reset", "change", "public"].contains(&head[0])) {
        return Part::Not;
    }
    Part::Is(found)
}

fn is_reset(head: &[&str]) -> bool {
    ["reset", "verify", "forgot"].contains(&head[0]) && head.last() == Some(&"token")
}

fn is_same_thing(word: &str) -> bool {
    SAME_THING.contains(&word) || word.bytes().all(|b| b.is_ascii_digit())
}

/// The class of a word behind others.
fn own(last: &str, before: &[&str]) -> Name {
    let previous = before.last().copied().unwrap_or_default();
    // `password2`, `token1`.
    let last = match last.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "" | "oauth" | "base" => last,
        word => word,
    };
    if last == "authorization" {
        return Name::Authorization;
    }
    if last == "cookie" && (before.is_empty() || previous == "set" || previous == "header" || previous == "http") {
        return Name::Cookie;
    }
    if last == "setcookie" {
        return Name::Cookie;
    }
    if PASSWORDS.contains(&last) {
        return Name::Password;
    }
    if STRONG.contains(&last) || STRONG_PAIRS.contains(&(previous, last)) {
        return Name::Strong;
    }
    let needs_no_owner = before.is_empty() || !["session", "sid", "pin"].contains(&last);
    if WEAK.contains(&last) && needs_no_owner {
        // `session.id` is no credential by OpenTelemetry's conventions; a `session` alone can be one.
        return Name::Weak;
    }
    if last == "key" && KEY_OWNERS.contains(&previous) {
        return Name::Weak;
    }
    // Joined without a mark: `DBPASSWORD`, `mypassword`, `githubtoken`.
    if last.len() > 8 {
        if ["password", "passwd", "passphrase"].iter().any(|word| last.ends_with(word)) {
            return Name::Password;
        }
        if ["secretkey", "accesskey", "apikey", "accesstoken", "clientsecret", "authtoken", "privatekey"]
            .iter()
            .any(|word| last.ends_with(word))
        {
            return Name::Strong;
        }
        if ["token", "secret", "authkey"].iter().any(|word| last.ends_with(word)) {
            return Name::Weak;
        }
    }
    Name::Plain
}

/// The words of a name in lower case: `userPassword2` is user, password2; `HTTPServer` is httpserver.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    let mut before_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            open = false;
            before_lower = false;
            continue;
        }
        if c.is_ascii_uppercase() && before_lower {
            open = false;
        }
        before_lower = c.is_ascii_lowercase();
        if !open {
            words.push(String::new());
            open = true;
        }
        if let Some(word) = words.last_mut() {
            word.push(c.to_ascii_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_their_words() {
        for (name, expected) in [
            ("HTTP_AUTHORIZATION", Name::Authorization),
            ("req_authorization", Name::Authorization),
            ("http.request.header.authorization", Name::Authorization),
            ("http.request.header.cookie", Name::Cookie),
            ("set-cookie", Name::Cookie),
            ("request.cookies", Name::Strong),
            ("request.cookies.session", Name::Strong),
            ("db_pass", Name::Password),
            ("DB_PASSWORD", Name::Password),
            ("userPassword", Name::Password),
            ("PGPASSWORD", Name::Password),
            ("password.0", Name::Password),
            ("password_confirmation", Name::Password),
            ("new_password2", Name::Password),
            ("reset_password", Name::Password),
            ("AWS_SECRET", Name::Weak),
            ("github_token", Name::Weak),
            ("password_reset_token", Name::Weak),
            ("session_cookie", Name::Weak),
            ("deploy_key", Name::Weak),
            ("token", Name::Weak),
            ("access_key", Name::Strong),
            ("AccountKey", Name::Strong),
            ("SECRET_KEY_BASE", Name::Strong),
            ("credentials.value", Name::Strong),
            ("X-Rollbar-Access-Token", Name::Strong),
            ("clientSecret", Name::Strong),
            ("webhook_secret", Name::Strong),
        ] {
            assert_eq!(judge(name), expected, "{name}");
        }
        for name in [
            "http.method",
            "handle",
            "token_count",
            "token.count",
            "results_size",
            "author",
            "authority",
            "cookie_consent",
            "cookie.consent",
            "has_password",
            "password_strength",
            "password_reset_url",
            "apikey_id",
            "paid_tokens",
            "session.id",
            "session.count",
            "token_type",
            "secretary",
            "tokenizer",
            "max_tokens",
            "next_token",
            "key",
            "cache_key",
            "primary_key",
            "public_key",
            "db.redis.key",
            "secret_name",
            "compass",
            "keyboard",
            "aws.s3.key",
            "passenger",
            "pass_rate",
            "bypass",
            "signature_version",
            "assignee",
            "design",
            "next_page_token",
            "monkey",
            "authenticated",
            "auth.method",
            "pinned",
            "password_min_length",
            "require_password",
            "password.policy",
        ] {
            assert_eq!(judge(name), Name::Plain, "{name}");
        }
    }
}
