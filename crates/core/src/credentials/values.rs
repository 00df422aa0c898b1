//! Whether a value can be a credential, judged by its text and by the name it stands under.

use super::names::Name;
use super::value_words::{NO_VALUES, SENTENCE};

/// How a value stands under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The value of an attribute, of a JSON member, a form field or a parameter: nothing else can be meant.
    Data,
    /// Text with an assignment, which may be code: `password=…`.
    Assigned,
    /// Text behind a colon, which may be a sentence. Whether more words follow on the line.
    Colon { more: bool },
}

/// Bytes of a value that are looked at.
const LOOKED_AT: usize = 512;

/// Whether the value of such a name is a credential.
pub(super) fn is_credential(name: Name, value: &str, form: Form) -> bool {
    let value = value.trim().trim_matches(['"', '\'', '`']);
    if value.is_empty() || name == Name::Plain || is_stand_in(value) {
        return false;
    }
    let value = begin(value, LOOKED_AT);
    match name {
        Name::Plain => false,
        Name::Cookie => {
            value.contains('=') && !value.contains(' ')
                || value.contains("=") && value.contains(';')
                || looks_secret(value)
        }
        Name::Authorization => is_authorization(value, form),
        Name::Weak => looks_secret(value) && !(form != Form::Data && is_code(value)),
        Name::Strong | Name::Password => is_strong(name, value, form),
    }
}

fn is_strong(name: Name, value: &str, form: Form) -> bool {
    let lower = value.to_lowercase();
    let bare = lower.trim_matches(|c: char| c.is_ascii_punctuation());
    if NO_VALUES.contains(&bare) {
        return false;
    }
    if is_numeric(value) {
        let digits = value.bytes().filter(u8::is_ascii_digit).count();
        return name == Name::Password
            && digits >= 4
            && value.bytes().all(|b| b.is_ascii_digit())
            && !matches!(form, Form::Colon { more: true });
    }
    if is_place(value) {
        return false;
    }
    if value.contains(char::is_whitespace) {
        return !is_sentence(&lower);
    }
    if form != Form::Data && is_code(value) {
        return false;
    }
    match form {
        Form::Data | Form::Assigned => true,
        Form::Colon { more } => !(more && is_word(value)),
    }
}

/// A credential of an `Authorization` header, with or without its scheme.
fn is_authorization(value: &str, form: Form) -> bool {
    match value.split_once(' ') {
        Some((scheme, rest)) if is_scheme(scheme) => {
            let rest = rest.trim();
            let word = rest.split_whitespace().next().unwrap_or_default();
            !is_stand_in(rest)
                && !NO_VALUES.contains(&word.to_lowercase().as_str())
                && !is_sentence(&value.to_lowercase())
        }
        Some(_) if form == Form::Data => !is_sentence(&value.to_lowercase()),
        Some((first, _)) => looks_secret(first),
        None if is_scheme(value) => false,
        None => is_strong(Name::Strong, value, form) && (form == Form::Data || looks_secret(value) || value.len() > 5),
    }
}

/// Whether a word is an authentication scheme.
pub(super) fn is_scheme(word: &str) -> bool {
    let word = word.trim_end_matches(':').to_ascii_lowercase();
    super::words::SCHEMES.contains(&word.as_str())
}

/// Stands for a value: a mask, a variable, a template.
pub(super) fn is_stand_in(value: &str) -> bool {
    if value.starts_with(super::PLACEHOLDER) || super::PLACEHOLDER.contains(value) {
        return true;
    }
    let inner = value.strip_prefix("Bearer ").unwrap_or(value);
    let mut chars = inner.chars();
    let Some(first) = chars.next() else { return true };
    if !first.is_alphanumeric() && chars.clone().all(|c| c == first)
        || "*x•X.-#_".contains(first) && inner.chars().all(|c| c == first)
    {
        return true;
    }
    let between =
        |open: char, close: char| inner.starts_with(open) && inner.trim_end_matches([',', ';', '.']).ends_with(close);
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | ':' | '|' | '(' | ')'))
    };
    // `<token>`, `${TOKEN}`, `{{ token }}`, `[REDACTED]`, `%TOKEN%`, `%(token)s`, `%s`.
    (between('<', '>') || between('[', ']') || between('{', '}'))
        && is_name(inner.trim_matches(['<', '>', '[', ']', '{', '}', ',', ';', '.']))
        || inner.starts_with("${")
        || inner.starts_with("$(")
        || inner.starts_with("{{")
        || inner.starts_with('$')
            && inner.len() > 1
            && inner[1..].chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
            && !inner.bytes().any(|b| b.is_ascii_digit())
        || inner.starts_with('$') && inner.len() > 1 && inner[1..].chars().all(|c| c.is_ascii_lowercase() || c == '_')
        || inner.starts_with("%(")
        || is_parameter(inner)
        || matches!(inner, "%s" | "%d" | "%v" | "%r" | "%q" | "?" | "{}" | "{0}" | "..." | "…" | "***")
        || inner.bytes().filter(|b| *b == b'*').count() >= 3
            && inner.bytes().filter(u8::is_ascii_alphanumeric).count() <= 6
        || inner.len() > 2 && inner.starts_with('%') && inner.ends_with('%')
}

/// A parameter of a statement: `$1`, `:password`, `@password`.
fn is_parameter(value: &str) -> bool {
    let value = value.trim_end_matches([',', ';', ')']);
    let name = |mark: char| value.strip_prefix(mark).filter(|name| !name.is_empty());
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && is_wordlike(name);
    name('$').is_some_and(|name| name.len() <= 3 && name.bytes().all(|b| b.is_ascii_digit()))
        || name('@').is_some_and(|name| name.strip_prefix('p').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())))
        || [name(':'), name('@')].into_iter().flatten().any(is_name)
}

/// An expression of a program rather than a value: `self.password`, `os.environ["X"]`, `get_token()`.
fn is_code(value: &str) -> bool {
    let starts = [
        "os.environ",
        "os.getenv",
        "process.env",
        "self.",
        "this.",
        "config.",
        "settings.",
        "env.",
        "ENV[",
        "getenv(",
        "request.",
        "req.",
    ];
    if starts.iter().any(|start| value.starts_with(start)) {
        return true;
    }
    let is_identifier = |part: &str| {
        !part.is_empty()
            && part.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let call = value.find('(').filter(|_| value.ends_with(')') || value.ends_with('('));
    let path = call.map_or(value, |at| &value[..at]);
    let dotted = path.contains('.') && path.split('.').all(|part| is_identifier(part) && is_wordlike(part));
    dotted
        || call.is_some()
            && path.split(['.', ':']).filter(|part| !part.is_empty()).all(is_identifier)
            && is_wordlike(path)
}

/// Whether several words are a sentence about a credential, such as a message of validation.
pub(super) fn is_sentence(lower: &str) -> bool {
    let mut words = lower.split_whitespace();
    words.clone().count() > 1
        && words.any(|word| {
            let word = word.trim_matches(|c: char| c.is_ascii_punctuation() && c != '\'');
            SENTENCE.contains(&word)
        })
}

/// A path or an address; a credential in it is found by other means.
fn is_place(value: &str) -> bool {
    value.contains("://")
        || (value.starts_with('/') || value.starts_with("./") || value.starts_with("~/")) && is_wordlike(value)
}

/// A number, a date, a duration or a size.
fn is_numeric(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+'))
        && digits > 0
        && letters <= 2
        && value.chars().all(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | ',' | '-' | '+' | ':' | '%' | '_' | 'µ' | '/' | ' ')
        })
        && !(letters > 0 && value.ends_with(|c: char| c.is_ascii_digit()) && !value.contains('T'))
}

/// One word of letters, as a person would write it.
fn is_word(value: &str) -> bool {
    let letters = value.trim_matches(|c: char| c.is_ascii_punctuation());
    let rest = letters.get(1..).unwrap_or_default();
    !letters.is_empty()
        && letters.chars().all(char::is_alphabetic)
        && (rest.chars().all(char::is_lowercase) || letters.chars().all(char::is_uppercase))
}

/// Whether a value looks generated: long, and not made of words, numbers and dates.
pub(super) fn looks_secret(value: &str) -> bool {
    let value = begin(value.trim(), LOOKED_AT);
    if value.len() < 8 || value.contains(char::is_whitespace) || is_numeric(value) || is_place(value) {
        return false;
    }
    let core = value.trim_end_matches('=');
    if core.len() >= 16 && core.bytes().all(|b| b.is_ascii_hexdigit()) {
        return distinct(core) >= 5;
    }
    let is_token = |c: char| c.is_ascii_graphic();
    core.chars().all(is_token) && distinct(core) >= 6 && !is_wordlike(core)
}

/// Number of different characters.
pub(super) fn distinct(text: &str) -> usize {
    let mut seen = [false; 256];
    text.bytes().for_each(|b| seen[usize::from(b)] = true);
    seen.iter().filter(|seen| **seen).count()
}

/// Shannon's entropy in bits per byte.
pub(super) fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    text.iter().for_each(|b| counts[usize::from(*b)] += 1);
    #[expect(clippy::cast_precision_loss, reason = "lengths of tokens")]
    let total = text.len() as f64;
    counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / total).map(|p| -p * p.log2()).sum()
}

/// Whether a text is made of words, joined by marks, capitals or short numbers: `next-page`, `getUserToken`, `v2.1`.
pub(super) fn is_wordlike(text: &str) -> bool {
    let (mut words, mut numbers, mut odd) = (0usize, 0usize, 0usize);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_digit() {
            let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            numbers += 1;
            odd += usize::from(length > 4 && length != 8 && length != 10 && length != 13);
            length
        } else if first.is_alphabetic() {
            let upper = rest.find(|c: char| !c.is_uppercase()).unwrap_or(rest.len());
            let lower = rest[upper..].find(|c: char| !c.is_lowercase()).unwrap_or(rest.len() - upper);
            // `HTTPServer`: the last capital begins the next word.
            let length = if upper > 2 && lower > 0 {
                upper - rest[..upper].chars().last().map_or(1, char::len_utf8)
            } else {
                upper + lower
            };
            let length = length.max(first.len_utf8());
            words += 1;
            odd += usize::from(!is_pronounced(&rest[..length]));
            length
        } else {
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    // Letters and digits in turns: `3kebbv87glyf`.
    let turns = text
        .as_bytes()
        .windows(2)
        .filter(|w| {
            w[0].is_ascii_digit() && w[1].is_ascii_alphabetic() || w[0].is_ascii_alphabetic() && w[1].is_ascii_digit()
        })
        .count();
    if turns > 3 {
        return false;
    }
    // One short unknown part in three is an abbreviation: `srv`, `k8s`, `tmp`.
    odd * 3 <= words
        && numbers <= words.max(1) + 1
        && !(numbers > 3 && odd > 0)
        && words + numbers <= 4 + text.len() / 3
        && (words < 4 || text.chars().filter(|c| c.is_alphabetic()).count() >= 3 * words)
}

/// Whether a part reads like a word of a human language.
fn is_pronounced(word: &str) -> bool {
    let mut consonants = 0;
    let mut vowels = 0;
    let mut longest = 0;
    for c in word.chars() {
        match c.to_ascii_lowercase() {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' => {
                vowels += 1;
                consonants = 0;
            }
            _ => {
                consonants += 1;
                longest = longest.max(consonants);
            }
        }
    }
    let length = word.chars().count();
    length > 1 && length <= 18 && (vowels > 0 && longest <= 4 || length <= 3 && word.chars().all(char::is_uppercase))
}

/// The beginning of a text, at a character.
pub(super) fn begin(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_values_are_distinguished_from_words() {
        for secret in [
            "f3a9c1d2e4b5",
            "9f8e7d6c5b4a3f2e",
            "kX9vTq2LmW8z",
            "tok_9f8e7d6c5b",
            "Zk3+hQ9/aB==",
            "3f2b8c1a-9d4e-4f6a-8b7c-1d2e3f4a5b6c",
            "s3cr3tv4lue",
            "QmFzZTY0U2VjcmV0VmFsdWU1",
            "xK29-fLqP-83nd",
        ] {
            assert!(looks_secret(secret), "{secret}");
        }
        for plain in [
            "next",
            "next-page",
            "banner",
            "getUserSessionToken",
            "v2.1.0",
            "2026-11-24T16:05:00",
            "3600s",
            "512",
            "none",
            "correct-horse-battery",
            "RS256",
            "hmac-sha256",
            "user_session_store",
            "/var/run/secrets/token",
            "step2",
            "application/json",
            "AccessDeniedException",
            "my-service-name-2",
            "us-east-1",
            "SameSite=Lax",
            "backend-flask",
            "https://example.com/token",
        ] {
            assert!(!looks_secret(plain), "{plain}");
        }
    }

    #[test]
    fn a_value_is_judged_with_its_name() {
        let colon = Form::Colon { more: true };
        for (name, value, form, expected) in [
            (Name::Password, "wrong", colon, false),
            (Name::Password, "swordfish", Form::Colon { more: false }, true),
            (Name::Password, "swordfish", colon, false),
            (Name::Password, "hunter2", colon, true),
            (Name::Password, "1234", Form::Assigned, true),
            (Name::Password, "3", colon, false),
            (Name::Password, "true", Form::Data, false),
            (Name::Password, "must be at least 8 characters", Form::Data, false),
            (Name::Password, "correct horse battery staple", Form::Data, true),
            (Name::Password, "self.password", Form::Assigned, false),
            (Name::Password, "$DB_PASSWORD", Form::Assigned, false),
            (Name::Password, "********", Form::Data, false),
            (Name::Strong, "abc", Form::Data, true),
            (Name::Strong, "512", Form::Data, false),
            (Name::Weak, "next", Form::Data, false),
            (Name::Weak, "0123456789abcdef", Form::Data, true),
            (Name::Authorization, "Bearer abc", Form::Data, true),
            (Name::Authorization, "none", Form::Data, false),
            (Name::Authorization, "Basic authentication required", colon, false),
            (Name::Cookie, "sid=abc; theme=dark", Form::Data, true),
            (Name::Cookie, "banner shown", colon, false),
        ] {
            assert_eq!(is_credential(name, value, form), expected, "{name:?} {value:?} {form:?}");
        }
    }
}
