//! Values that stand under a credential's name in a text: assignments, members of JSON (also escaped), headers,
//! parameters, flags, YAML, XML, SQL, keyword arguments.

use std::borrow::Cow;

use super::names::{self, Name};
use super::next_line;
use super::scan::{Cut, WINDOW, run, run_back, text_of};
use super::values::{self, Form};

/// Between a name and its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// `=`, `:=`, `=>`
    Equals,
    /// `:`
    Colon,
    /// `<name>value</name>`
    Element,
    /// `"name", "value"`
    Comma,
    /// `name("value")`
    Call,
    /// `--name value`
    Flag,
    /// `PASSWORD 'value'`
    Sql,
    /// `name value`, `name is value`
    Space,
}

fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'$')
}

fn is_quote(b: u8) -> bool {
    matches!(b, b'"' | b'\'' | b'`')
}

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

/// Looks at the name around a place, and at its value. Returns the end of the name.
pub(super) fn find(text: &[u8], start: usize, end: usize, cuts: &mut Vec<Cut>) -> usize {
    let mut from = run_back(text, start, 96, is_name);
    let to = end + text[end..].iter().take(96).take_while(|b| is_name(**b)).count();
    let name_end = to - text[from..to].iter().rev().take_while(|b| matches!(b, b'-' | b'.')).count();
    if name_end < end {
        return end;
    }
    // An escape before the name: `\npassword`.
    if from > 0 && text[from - 1] == b'\\' && name_end - from > 1 && matches!(text[from], b'n' | b't' | b'r') {
        from += 1;
    }
    // The mark of what was removed.
    if from > 0 && text[from - 1..].starts_with(super::PLACEHOLDER.as_bytes()) {
        return name_end;
    }
    let flag = text[from..name_end].iter().take_while(|b| **b == b'-').count();
    let name = text_of(text, from, name_end);
    let Some((mark, at, quoted)) = mark(text, from, name_end, flag > 0) else {
        let part = next_line::form_data(text, from, name_end, names::judge(&name));
        cuts.extend(part.map(|(start, end)| Cut { start, end, what: what(names::judge(&name)) }));
        return name_end;
    };
    let class = match names::judge(&name) {
        Name::Plain if name.eq_ignore_ascii_case("identified by") => Name::Password,
        class @ (Name::Plain | Name::Weak) if matches!(mark, Mark::Colon | Mark::Equals) && !quoted => {
            class.max(two_words(text, from, name_end))
        }
        class => class,
    };
    if class == Name::Plain {
        return name_end;
    }
    if let Some((start, end)) = value(text, mark, at, class, quoted, &name) {
        cuts.push(Cut { start, end, what: what(class) });
        next_line::wrapped(text, start, end, what(class), cuts);
    } else if let Some((start, end)) = later(text, mark, name_end, at, class) {
        cuts.push(Cut { start, end, what: what(class) });
    }
    name_end
}

/// The class of a name with the word before it: `API key:`, `client secret =`.
fn two_words(text: &[u8], from: usize, name_end: usize) -> Name {
    if from < 3 || text[from - 1] != b' ' {
        return Name::Plain;
    }
    let first = run_back(text, from - 1, 24, |b| b.is_ascii_alphanumeric());
    if first == from - 1 { Name::Plain } else { names::judge(&text_of(text, first, name_end)) }
}

/// Functions of databases that take a password in plain text.
const HASHES: &[&str] = &[
    "crypt",
    "md5",
    "sha",
    "sha1",
    "sha2",
    "sha256",
    "sha512",
    "password",
    "digest",
    "hashbytes",
    "encrypt",
    "aes_encrypt",
    "pgp_sym_encrypt",
];

/// The first literal in the call of such a function: `password = crypt('…', gen_salt('bf'))`.
fn hashed(text: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
    let function = text.get(start..end)?.strip_suffix(b"(")?;
    let quote = text.get(end).copied().filter(|b| is_quote(*b))?;
    let is_one = HASHES.iter().any(|hash| function.eq_ignore_ascii_case(hash.as_bytes()));
    let close = is_one.then(|| closing(text, end + 1, quote, 0)).flatten()?;
    let value = text_of(text, end + 1, close);
    values::is_credential(Name::Password, &value, Form::Data).then_some((end + 1, close))
}

/// The value on the next line, or behind a prompt of several words.
fn later(text: &[u8], mark: Mark, name_end: usize, at: usize, class: Name) -> Option<(usize, usize)> {
    match mark {
        Mark::Equals | Mark::Colon => next_line::value(text, at, class),
        Mark::Space => next_line::prompted(text, name_end, class),
        Mark::Element | Mark::Comma | Mark::Call | Mark::Flag | Mark::Sql => None,
    }
}

fn what(class: Name) -> &'static str {
    match class {
        Name::Password => "password",
        Name::Authorization => "authorization header",
        Name::Cookie => "cookie",
        Name::Plain | Name::Weak | Name::Strong => super::scan::BY_NAME,
    }
}

/// What stands between a name and its value, where the value begins, and whether the name is in quotes.
fn mark(text: &[u8], start: usize, end: usize, flag: bool) -> Option<(Mark, usize, bool)> {
    let closers = run(text, end, |b| matches!(b, b'\\' | b']') || is_quote(b));
    let quoted = closers > end;
    let at = run(text, closers, is_blank);
    let next = text.get(at).copied();
    let second = text.get(at + 1).copied();
    let found = match next {
        Some(b'=') => (Mark::Equals, run(text, at + 1, |b| matches!(b, b'=' | b'>' | b'~'))),
        Some(b'!' | b'?' | b'+') if second == Some(b'=') => (Mark::Equals, run(text, at + 1, |b| b == b'=')),
        Some(b':') if second == Some(b'=') => (Mark::Equals, at + 2),
        // A path of Rust or C++.
        Some(b':') if second == Some(b':') => return None,
        Some(b':') => (Mark::Colon, at + 1),
        Some(b'>') if is_tag(text, start) => (Mark::Element, at + 1),
        // `<wsse:Password Type="…">`
        Some(_) if at > end && is_tag(text, start) => {
            let attributes = text[at..].iter().take(512).position(|b| matches!(b, b'<' | b'>'))?;
            (Mark::Element, (text[at + attributes] == b'>').then_some(at + attributes + 1)?)
        }
        Some(b',') if quoted => match member(text, at + 1) {
            Some(value) => (Mark::Equals, value),
            None => (Mark::Comma, at + 1),
        },
        Some(b'(') if !quoted => (Mark::Call, at + 1),
        Some(b'\n') if flag && !quoted => (Mark::Flag, at + 1),
        Some(b'\n') => (Mark::Equals, member(text, next_line::behind_prefix(text, at))?),
        Some(b'\r') => (Mark::Equals, member(text, at)?),
        Some(_) if quoted && at > closers => (Mark::Equals, member(text, at)?),
        Some(b) if at > end && flag && !quoted && b != b'-' => (Mark::Flag, at),
        Some(b'\'' | b'"') if at > end && !quoted => (Mark::Sql, at),
        Some(_) if at > end && !quoted => (Mark::Space, at),
        _ => return None,
    };
    Some((found.0, found.1, quoted))
}

/// Whether a name is that of an element, which may have a prefix: `<wsse:Password`.
fn is_tag(text: &[u8], start: usize) -> bool {
    let before = start - usize::from(text[..start].ends_with(b":"));
    let start = if before < start { run_back(text, before, 32, is_name) } else { start };
    text[..start].ends_with(b"<")
}

/// The value of a pair whose name was the value of the member before: `"name": "password", "value": "…"`, also in YAML
/// and XML.
fn member(text: &[u8], at: usize) -> Option<usize> {
    let at = run(text, at, |b| b.is_ascii_whitespace() || matches!(b, b'\\' | b',') || is_quote(b));
    let word = next_line::VALUE_NAMES
        .into_iter()
        .find(|word| text.get(at..at + word.len()).is_some_and(|there| there.eq_ignore_ascii_case(word.as_bytes())))?;
    let at = run(text, at + word.len(), |b| matches!(b, b'\\') || is_quote(b) || is_blank(b));
    if !matches!(text.get(at), Some(b':' | b'=')) {
        return None;
    }
    let at = run(text, at + 1, is_blank);
    // OTLP in JSON: `"value": {"stringValue": "…"}`.
    match text.get(at) {
        Some(b'{') => member(text, at + 1),
        _ => Some(at),
    }
}

/// Where the value is, if it is a credential.
fn value(text: &[u8], mark: Mark, at: usize, class: Name, quoted_name: bool, name: &str) -> Option<(usize, usize)> {
    let mut at = run(text, at, is_blank);
    if mark == Mark::Space {
        let verb = [&b"is "[..], b"was ", b"to ", b"is now "].into_iter().find(|verb| text[at..].starts_with(verb));
        at = run(text, at + verb.map_or(0, <[u8]>::len), |b| is_blank(b) || matches!(b, b':' | b'"' | b'\''));
    }
    // `password: str = "…"`, `password: |` with the value on the next line.
    if mark == Mark::Colon {
        at = after_type(text, at).unwrap_or(at);
        at = block_scalar(text, at).unwrap_or(at);
    }
    // `b"…"`, `u'…'`, `@"…"`, `["…"]`
    let opening = run(text, at, |b| matches!(b, b'[' | b'(') && mark != Mark::Call);
    let at = if opening - at == 1 && text.get(opening).copied().is_some_and(|b| is_quote(b) || b == b'\\') {
        opening
    } else {
        at
    };
    let prefix = text[at.min(text.len())..]
        .iter()
        .take(2)
        .take_while(|b| matches!(b, b'b' | b'u' | b'r' | b'f' | b'B' | b'@' | b'$' | b'L'))
        .count();
    let open = run(text, at + prefix, |b| b == b'\\');
    let (start, end, quoted) = match text.get(open).copied().filter(|b| is_quote(*b)) {
        Some(quote) => {
            let slashes = open - at - prefix;
            let start = open + 1;
            match closing(text, start, quote, slashes) {
                Some(end) => (start, end, true),
                None => (start, bare_end(text, start, class, mark), false),
            }
        }
        None if matches!(mark, Mark::Comma | Mark::Call | Mark::Sql) => return None,
        None => (at, bare_end(text, at, class, mark), false),
    };
    if start >= end {
        return None;
    }
    if !quoted && let Some(literal) = hashed(text, start, end) {
        return Some(literal);
    }
    // Looking at a part is enough, taking all of it is not.
    let value = text_of(text, start, end.min(start + WINDOW));
    if value.starts_with(super::PLACEHOLDER) || value.contains(super::PLACEHOLDER) {
        return None;
    }
    let form = match mark {
        Mark::Element => Form::Data,
        Mark::Equals | Mark::Comma | Mark::Sql | Mark::Flag | Mark::Call | Mark::Space if quoted && quoted_name => {
            Form::Data
        }
        Mark::Equals | Mark::Comma | Mark::Sql | Mark::Flag | Mark::Call | Mark::Space => Form::Assigned,
        Mark::Colon if quoted => Form::Data,
        Mark::Colon => Form::Colon { more: more_words(text, end) },
    };
    // Only a closing tag ends an element: `<password>` alone is a placeholder.
    if mark == Mark::Element && text.get(end) != Some(&b'<') {
        return None;
    }
    let is = match mark {
        Mark::Equals | Mark::Colon | Mark::Element | Mark::Flag => values::is_credential(class, &value, form),
        Mark::Sql => {
            class == Name::Password && values::is_credential(class, &value, Form::Data) && !value.contains(' ')
        }
        Mark::Comma => {
            values::looks_secret(&value)
                || class == Name::Password && has_letters_and_digits(&value)
                || class == Name::Authorization && values::is_credential(class, &value, Form::Data)
        }
        Mark::Call => values::looks_secret(&value) || class == Name::Password && has_letters_and_digits(&value),
        Mark::Space => is_after_space(class, &value, name),
    };
    if matches!(mark, Mark::Colon | Mark::Space) && !quoted && name.eq_ignore_ascii_case("pass") && is_test(&value) {
        return None;
    }
    // A keyword argument that passes a variable of its own name.
    let same = !quoted && value.eq_ignore_ascii_case(name.trim_start_matches('-'));
    (is && !same).then_some((start, end))
}

/// Test runners print `PASS src/App.test.js` and `--- PASS: TestLogin2`.
fn is_test(value: &str) -> bool {
    value.contains(['/', '.', '_', ':', '(']) || value.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("test"))
}

fn has_letters_and_digits(value: &str) -> bool {
    !value.contains(' ')
        && value.len() >= 4
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Prose: `invalid token 9f8e7d6c5b4a`, `the password is hunter2`. UUIDs and digests after such words are ids.
fn is_after_space(class: Name, value: &str, name: &str) -> bool {
    let general = matches!(name.to_ascii_lowercase().as_str(), "token" | "secret" | "jwt" | "creds" | "credential");
    let sure = matches!(class, Name::Password | Name::Strong) || class == Name::Weak && general;
    let hex = value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    sure && values::looks_secret(value) && !(hex && class == Name::Weak && value.len() != 32)
        || class == Name::Password && has_letters_and_digits(value) && value.len() >= 6 && !values::is_wordlike(value)
}

/// The place behind a type and its `=`, if there is one: `password: str = "…"`.
fn after_type(text: &[u8], at: usize) -> Option<usize> {
    let word = at
        + text
            .get(at..)?
            .iter()
            .take(48)
            .take_while(|b| is_name(**b) || matches!(b, b'[' | b']' | b'&' | b'|'))
            .count();
    let mark = run(text, word, is_blank);
    (word > at && mark > word && text.get(mark) == Some(&b'=') && text.get(mark + 1) != Some(&b'='))
        .then(|| run(text, mark + 1, is_blank))
}

/// The first line of a YAML block: `password: |` or `>-`.
fn block_scalar(text: &[u8], at: usize) -> Option<usize> {
    let after = run(text, at, |b| matches!(b, b'|' | b'>' | b'-' | b'+'));
    let line = run(text, after, |b| is_blank(b) || b == b'\r');
    (after > at && after - at <= 2 && text.get(line) == Some(&b'\n'))
        .then(|| run(text, next_line::behind_prefix(text, line), is_blank))
}

/// The end of a quoted value: the quote, behind as many backslashes as the opening one.
fn closing(text: &[u8], start: usize, quote: u8, slashes: usize) -> Option<usize> {
    let mut at = start;
    let limit = text.len().min(start + 64 * WINDOW);
    while at < limit {
        match text[at] {
            b'\\' => {
                let after = run(text, at, |b| b == b'\\');
                let count = after - at;
                if text.get(after) == Some(&quote) && count <= slashes && (slashes > 0 || count.is_multiple_of(2)) {
                    return Some(at);
                }
                // An escaped character.
                at = after + usize::from(count % 2 == 1 && text.get(after) == Some(&quote));
            }
            b'\n' if quote != b'`' => return None,
            b if b == quote => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// The end of a value without quotes.
fn bare_end(text: &[u8], start: usize, class: Name, mark: Mark) -> usize {
    let line_end =
        start + text[start..].iter().take(64 * WINDOW).take_while(|b| !matches!(b, b'\n' | b'\r' | b'"')).count();
    let header = mark == Mark::Colon;
    if class == Name::Cookie && header {
        return line_end
            - text[start..line_end].iter().rev().take_while(|b| is_blank(**b) || matches!(b, b'\'' | b'\\')).count();
    }
    let word = word_end(text, start);
    if class != Name::Authorization || !text.get(word).is_some_and(|b| is_blank(*b)) {
        return word;
    }
    let scheme = text_of(text, start, word);
    if !values::is_scheme(&scheme) {
        return word;
    }
    let at = run(text, word, is_blank);
    let end = parameters(text, at);
    if end > at { end } else { word_end(text, at) }
}

/// The end of the parameters of `Digest`, `AWS4-HMAC-SHA256` and the like: `name="value", name=value`.
fn parameters(text: &[u8], at: usize) -> usize {
    let mut end = at;
    let mut next = at;
    for _ in 0..64 {
        let name = run(text, next, is_name);
        if name == next || text.get(name) != Some(&b'=') {
            break;
        }
        let open = run(text, name + 1, |b| b == b'\\');
        end = match text.get(open).copied().filter(|b| is_quote(*b)) {
            Some(quote) => match closing(text, open + 1, quote, open - name - 1) {
                Some(close) => run(text, close, |b| b == b'\\') + 1,
                None => break,
            },
            None => run(text, name + 1, |b| !b.is_ascii_whitespace() && !is_quote(b) && !matches!(b, b',' | b'\\')),
        };
        next = run(text, end, |b| is_blank(b) || b == b',');
        if next == end {
            break;
        }
    }
    end
}

fn word_end(text: &[u8], start: usize) -> usize {
    let mut at = start;
    let limit = text.len().min(start + 64 * WINDOW);
    while at < limit {
        let b = text[at];
        let rest = &text[at + 1..];
        let next = rest.first().copied();
        let ends = match b {
            b'"' | b'\'' | b'`' | b'<' | b'>' => true,
            _ if b.is_ascii_whitespace() || b.is_ascii_control() => true,
            b'\\' => next.is_none_or(|b| is_quote(b) || matches!(b, b'n' | b'r' | b't' | b'\\')),
            // `a=1&password=…&b=2`, `Password=…;Server=…`, `password=…, user=…`: only where another name follows.
            b'&' | b';' | b',' | b'|' => {
                next.is_none_or(|b| b.is_ascii_whitespace() || is_quote(b) || matches!(b, b'&' | b';' | b'|'))
                    || is_next_name(rest)
            }
            b')' | b']' | b'}' => next.is_none_or(|b| {
                b.is_ascii_whitespace() || is_quote(b) || matches!(b, b')' | b']' | b'}' | b',' | b';' | b':' | b'.')
            }),

            _ => false,
        };
        if ends {
            break;
        }
        at += 1;
    }
    // The end of a sentence.
    at - text[start..at].iter().rev().take_while(|b| matches!(b, b'.' | b',' | b':' | b'!')).count().min(1)
}

/// Whether `name=` or `name:` follows.
fn is_next_name(rest: &[u8]) -> bool {
    let rest = &rest[..rest.len().min(64)];
    let start = rest.iter().take_while(|b| **b == b' ').count();
    let length =
        rest[start..].iter().take_while(|b| is_name(**b) || matches!(b, b'%' | b'[' | b']' | b'+' | b' ')).count();
    length > 0 && matches!(rest.get(start + length), Some(b'=' | b':'))
}

/// Whether more words follow on the line: then a value behind a colon can be the first word of a sentence.
fn more_words(text: &[u8], end: usize) -> bool {
    let at = run(text, end, |b| is_blank(b) || matches!(b, b'.' | b','));
    at > end && text.get(at).is_some_and(u8::is_ascii_alphabetic)
}

/// `Bearer …` and `Basic …` without the header's name (RFC 6750, section 2.1; RFC 7617, section 2).
pub(super) fn find_scheme(text: &[u8], start: usize, end: usize, cuts: &mut Vec<Cut>) {
    if start > 0 && super::scan::is_word(text[start - 1]) {
        return;
    }
    let from = run(text, end, is_blank);
    let to = from
        + text[from.min(text.len())..]
            .iter()
            .take(16 * 1024)
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'='))
            .count();
    let value: Cow<'_, str> = text_of(text, from, to.min(from + WINDOW));
    let is = match text[start].to_ascii_lowercase() {
        b'b' if text[start + 1].eq_ignore_ascii_case(&b'a') => {
            super::encoded::is_user_and_password(value.as_bytes()) || values::looks_secret(&value)
        }
        _ => values::looks_secret(&value) || value.len() >= 16 && value.contains('.') && !values::is_wordlike(&value),
    };
    if is && from < to {
        cuts.push(Cut { start: from, end: to, what: "authorization header" });
        next_line::wrapped(text, from, to, "authorization header", cuts);
    }
}
