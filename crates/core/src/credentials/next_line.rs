//! Values on the line, in the log event or in the field after their name: what was typed at a prompt, and what a
//! terminal wrapped.

use super::names::Name;
use super::scan::{Cut, run, run_back, text_of};
use super::tokens::Class;
use super::value_words::{EVERYDAY, NO_VALUES, SENTENCE};
use super::values::{is_scheme, is_stand_in, is_wordlike, looks_secret};

/// Bytes of a line that are looked at.
const LINE: usize = 512;

/// Words before and behind the name in a prompt: `[sudo] password for bob:`.
const MOST_WORDS: usize = 8;

/// Lines of one value.
const MOST_LINES: usize = 64;

/// Words of log levels, in lower case.
const LEVELS: &[&str] = &[
    "trace",
    "debug",
    "info",
    "information",
    "notice",
    "warn",
    "warning",
    "error",
    "err",
    "fatal",
    "critical",
    "crit",
    "stdout",
    "stderr",
    "out",
    "log",
    "f",
    "p",
    "i",
    "d",
    "w",
    "e",
];

/// Names of the member that has the value where the one before has the name: `name: DB_PASSWORD`, `value: …`.
pub(super) const VALUE_NAMES: [&str; 5] = ["value", "stringvalue", "val", "content", "defaultvalue"];

fn is_value_name(name: &[u8]) -> bool {
    VALUE_NAMES.iter().any(|value| name.eq_ignore_ascii_case(value.as_bytes()))
}

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

/// What closes a text after its last word, also in JSON and in Python's lists.
fn is_closer(b: u8) -> bool {
    is_blank(b) || matches!(b, b'"' | b'\'' | b'\\' | b'\r' | b'}' | b']' | b')' | b',' | b'`')
}

/// The end of the line that a place is in.
fn line_end(text: &[u8], at: usize) -> usize {
    at + text.get(at..).unwrap_or_default().iter().take(LINE).take_while(|b| **b != b'\n').count()
}

/// Where the line after a line break goes on, behind a prefix such as a time, a level, or that of docker compose.
pub(super) fn behind_prefix(text: &[u8], line_break: usize) -> usize {
    let next = line_break + 1;
    let line = run_back(text, line_break, LINE, |b| b != b'\n');
    let end = line_end(text, next);
    // A prefix that both lines have, but for digits and capitals; it ends with a blank or a quote, and has a mark.
    let shape = |b: &u8| match b {
        b if b.is_ascii_digit() => b'0',
        b if b.is_ascii_uppercase() => b'A',
        b => *b,
    };
    let rest = &text[next..end];
    let same = text[line..line_break].iter().zip(rest).take_while(|(a, b)| shape(a) == shape(b)).count();
    let is_mark = |b: &u8| b.is_ascii_digit() || matches!(b, b'|' | b':' | b'>' | b']' | b'"');
    let common =
        rest[..same].iter().rposition(|b| is_blank(*b) || *b == b'"').map_or(0, |last| last + 1).min(
            rest[..same].iter().rposition(is_mark).map_or(0, |mark| mark + 1 + run(&rest[mark + 1..], 0, is_blank)),
        );
    let common = next + common;
    let own = behind_words(text, next, end);
    if own > common { own } else { common }
}

/// Behind times, levels and names in brackets.
fn behind_words(text: &[u8], from: usize, end: usize) -> usize {
    let mut at = run(&text[..end], from, is_blank);
    for n in 0..8 {
        let word_end = run(&text[..end], at, |b| !is_blank(b));
        let word = &text[at..word_end];
        let Some(first) = word.first() else { break };
        let bare: Vec<u8> = word.iter().filter(|b| b.is_ascii_alphabetic()).map(u8::to_ascii_lowercase).collect();
        let is_level = word.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'[' | b']' | b':' | b'|' | b'-'))
            && LEVELS.iter().any(|level| level.as_bytes() == bare);
        let is_time = first.is_ascii_digit()
            && (word.iter().filter(|b| matches!(b, b':' | b'-' | b'/')).count() >= 2)
            && word.iter().filter(|b| b.is_ascii_alphabetic()).count() <= 2;
        let next = run(&text[..end], word_end, is_blank);
        let is_bracketed = *first == b'[' && word.ends_with(b"]") && word_end < end;
        // `web-1  | `, `app: `
        let bar = text.get(next) == Some(&b'|') && text.get(next + 1).is_some_and(|b| is_blank(*b));
        let is_source = n > 0 && word_end < end && word.strip_suffix(b":").is_some_and(|name| !is_value_name(name));
        if bar {
            at = run(&text[..end], next + 1, is_blank);
        } else if is_level || is_time || is_bracketed || is_source || matches!(word, b"-" | b"|" | b"--") {
            at = next;
        } else {
            break;
        }
    }
    at
}

/// The value that follows on the next line, where this one ends behind the name and its mark. `at` is behind the mark.
pub(super) fn value(text: &[u8], at: usize, class: Name) -> Option<(usize, usize)> {
    let closers = run(text, at, is_closer);
    if text.get(closers) != Some(&b'\n') {
        return None;
    }
    let start = behind_prefix(text, closers);
    let end = line_end(text, start);
    if end - start >= LINE {
        return None;
    }
    // `"password":` with the value on a line of its own.
    if let Some(quote) = text.get(start).filter(|b| matches!(b, b'"' | b'\'')) {
        let close = run(&text[..end], start + 1, |b| b != *quote && b != b'\\');
        let alone = run(&text[..end], close + 1, |b| is_closer(b) || b == b';') >= end;
        let inside = text_of(text, start + 1, close);
        return (close < end
            && alone
            && super::values::is_credential(class, &inside, super::values::Form::Data)
            && is_alone(&text[start + 1..close], class))
        .then_some((start + 1, close));
    }
    let to = one_word(text, start, end)?;
    // In a log, what follows a prompt is rather the next message.
    let logged = text[closers + 1..start].iter().any(u8::is_ascii_digit);
    (is_alone(&text[start..to], class) && !(logged && is_plain(&text[start..to]))).then_some((start, to))
}

/// The end of a line's only word, or of a word that a quote ends.
fn one_word(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let to = run(&text[..end], start, |b| !is_blank(b) && !matches!(b, b'"' | b'\'' | b'`' | b'\r' | b'\\'));
    let after = run(&text[..end], to, |b| b == b'\\');
    let quoted = text[..end].get(after).is_some_and(|b| matches!(b, b'"' | b'\'' | b'`'));
    let last = end - text[to..end].iter().rev().take_while(|b| is_closer(**b)).count();
    if !quoted && last > to {
        return None;
    }
    Some(to - text[start..to].iter().rev().take_while(|b| is_closer(**b)).count())
}

/// The value of a part of a form: `name="password"`, an empty line, and the value (RFC 7578, section 4.2). `from` and
/// `at` are around the name.
pub(super) fn form_data(text: &[u8], from: usize, at: usize, class: Name) -> Option<(usize, usize)> {
    let before = run_back(text, from, 4, |b| matches!(b, b'"' | b'\'' | b'\\'));
    if before == from || !text[..before].ends_with(b"name=") {
        return None;
    }
    let mut line_break = run(text, at, is_closer);
    let mut empty = false;
    for _ in 0..8 {
        if text.get(line_break) != Some(&b'\n') {
            return None;
        }
        let start = behind_prefix(text, line_break);
        let end = line_end(text, start);
        let to = end - text[start..end].iter().rev().take_while(|b| b.is_ascii_whitespace()).count();
        if to > start && empty {
            // The next boundary: the part is empty.
            if text[start..to].starts_with(b"--") {
                return None;
            }
            let to = one_word(text, start, end).unwrap_or(to);
            let is = super::values::is_credential(class, &text_of(text, start, to), super::values::Form::Data);
            return is.then_some((start, to));
        }
        empty |= to <= start;
        line_break = end;
    }
    None
}

/// Whether a line that is one word is a value rather than the next message.
fn is_alone(word: &[u8], class: Name) -> bool {
    let Ok(value) = std::str::from_utf8(word) else { return false };
    let lower = value.to_lowercase();
    let bare = lower.trim_matches(|c: char| c.is_ascii_punctuation());
    if value.len() < 4
        || value.contains(char::is_whitespace)
        || value.contains(super::PLACEHOLDER)
        || is_stand_in(value)
        || value.ends_with([':', '=', '{', '[', '(', ',', ';'])
        || value.starts_with(['-', '[', '{', '(', '<', '/', '.', '#'])
        || value.contains("://")
        // The next line of an environment file.
        || value.split_once('=').is_some_and(|(name, rest)| !rest.trim_end_matches('=').is_empty() && is_wordlike(name))
        || NO_VALUES.contains(&bare)
        || SENTENCE.contains(&bare)
        || EVERYDAY.contains(&bare)
        || LEVELS.contains(&bare)
        || is_scheme(bare)
    {
        return false;
    }
    if looks_secret(value) {
        return true;
    }
    let has = |is: fn(&u8) -> bool| word.iter().any(is);
    let letters = has(u8::is_ascii_alphabetic);
    let version = value.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()) && value.contains('.');
    class == Name::Password
        && !value.contains(['/', '(', ':'])
        && (letters
            && (has(u8::is_ascii_digit) || has(|b| matches!(b, b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'*')))
            && !version
            || is_plain(word))
}

/// A single word in lower case, as a person types it; messages begin with a capital.
fn is_plain(word: &[u8]) -> bool {
    word.len() >= 6 && word.iter().all(u8::is_ascii_lowercase)
}

/// A prompt with words between the name and its colon: `[sudo] password for bob:`. `at` is behind the name. The value
/// is on the same line if it was echoed, else on the next.
pub(super) fn prompted(text: &[u8], at: usize, class: Name) -> Option<(usize, usize)> {
    let end = line_end(text, at);
    let rest = &text[at..end];
    let begins = run(rest, 0, is_blank);
    if class != Name::Password || ![&b"for "[..], b"of "].iter().any(|word| rest[begins..].starts_with(word)) {
        return None;
    }
    // The last colon that a blank or the end of the text follows: names and addresses have others.
    let is_end = |at: usize| at >= rest.len() || is_closer(rest[at]);
    let colon = (0..rest.len()).rev().find(|n| rest[*n] == b':' && is_end(n + 1))?;
    if rest[..colon].split(|b| is_blank(*b)).filter(|word| !word.is_empty()).count() > MOST_WORDS {
        return None;
    }
    let from = run(rest, colon + 1, is_blank);
    if run(rest, from, is_closer) >= rest.len() {
        return value(text, at + colon + 1, class);
    }
    let to = one_word(rest, from, rest.len())?;
    is_alone(&rest[from..to], class).then_some((at + from, at + to))
}

/// The rest of a value that a terminal wrapped: `end` is at the end of its line.
pub(super) fn wrapped(text: &[u8], start: usize, end: usize, what: &'static str, cuts: &mut Vec<Cut>) {
    /// A terminal does not break a line that is shorter.
    const SHORTEST: usize = 20;
    let is_value = |b: u8| Class::AnyBase64.has(b) || matches!(b, b'.' | b'~' | b'%');
    // Behind the scheme of a header.
    let start = text[start..end].iter().rposition(|b| is_blank(*b)).map_or(start, |blank| start + blank + 1);
    // The backslash of a command that goes on is taken for a part of a value without quotes.
    let end = end - text[start..end].iter().rev().take_while(|b| **b == b'\\').count();
    let mut last = (start, end);
    for _ in 0..MOST_LINES {
        let line_break = run(text, last.1, |b| matches!(b, b'\\' | b'\r'));
        let piece = &text[last.0..last.1];
        if text.get(line_break) != Some(&b'\n')
            || line_break - last.1 > 2
            || piece.len() < SHORTEST
            || !piece.iter().all(|b| is_value(*b))
            || !looks_secret(&text_of(text, last.0, last.1))
        {
            return;
        }
        let from = behind_prefix(text, line_break);
        let to = run(text, from, is_value);
        let rest = text_of(text, from, to);
        let quoted = text.get(run(text, to, |b| b == b'\\')).is_some_and(|b| matches!(b, b'"' | b'\''));
        let whole = quoted || run(text, to, is_closer) == line_end(text, to);
        // A shorter line is the last one; one that is longer is another text.
        if to - from < 6 || to - from > piece.len() + SHORTEST || !whole || is_wordlike(&rest) {
            return;
        }
        // An id on a line of its own.
        let is_id = rest.len() == 32 || rest.len() == 16 || rest.len() == 36 || rest.len() == 40;
        if is_id && rest.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') && !piece.iter().all(u8::is_ascii_hexdigit)
        {
            return;
        }
        cuts.push(Cut { start: from, end: to, what });
        last = (from, to);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{PLACEHOLDER, Removed, remove_from_text};

    fn clean(text: &str) -> String {
        remove_from_text(text, &mut Removed::default()).into_owned()
    }

    #[test]
    fn what_was_typed_at_a_prompt_is_found_on_the_next_line() {
        for (text, secret) in [
            ("Password:\nhunter2", "hunter2"),
            ("Enter your password: \nswordfish\nLogin successful", "swordfish"),
            ("Password: \r\nhunter2\r\nok", "hunter2"),
            ("[sudo] password for bob: \ntr0ub4dor", "tr0ub4dor"),
            ("[sudo] password for bob: tr0ub4dor", "tr0ub4dor"),
            ("Enter passphrase for key '/root/.ssh/id_rsa': \ncorrect-h0rse", "correct-h0rse"),
            ("Password for 'https://bob@example.org': \nhunter2", "hunter2"),
            ("bob@db's password: \nhunter2", "hunter2"),
            ("web-1  | Password:\nweb-1  | hunter2", "hunter2"),
            ("2026-11-30T11:14:06.123Z INFO app: password:\n2026-11-30T11:14:07.001Z WARN app: hunter2", "hunter2"),
            ("2026-11-30T11:14:06Z INFO password:\n2026-11-30T11:14:06.1Z ERROR hunter2", "hunter2"),
            ("{\"msg\":\"Password:\"}\n{\"msg\":\"hunter2\"}", "hunter2"),
            ("DB_PASSWORD=\nhunter2", "hunter2"),
            ("form-data; name=\"password\"\r\nContent-Type: text/plain\r\n\r\nhunter2\r\n--b", "hunter2"),
            ("got \"Password:\nhunter2\" from upstream", "hunter2"),
            ("{\n  \"password\":\n    \"hunter2\"\n}", "hunter2"),
            ("API key:\nkX9vTq2LmW8zP4rB7nYd", "kX9vTq2LmW8zP4rB7nYd"),
            ("access_token:\n9f8e7d6c5b4a3f2e9f8e7d6c5b4a3f2e", "9f8e7d6c5b4a3f2e"),
        ] {
            let out = clean(text);
            assert!(!out.contains(secret) && out.contains(PLACEHOLDER), "{text}\n{out}");
            assert_eq!(clean(&out), out);
        }
        for plain in [
            "Enter your password:\nLogin successful",
            "Enter your password:\nWelcome",
            "Password:\nPassword:",
            "Password:\n2026-11-30T11:14:07Z INFO connected",
            "got \"Password:\nwas wrong\" from upstream",
            "Content-Disposition: form-data; name=\"password\"\r\n\r\n\r\n--b",
            "Content-Disposition: form-data; name=\"user\"\r\n\r\nbob\r\n--b",
            "Password:\n",
            "password:\n  type: string\n  minLength: 8",
            "password:\n  - required\n",
            "password:\n  secretKeyRef:\n    name: db",
            "PASSWORD=\nUSER=bob2",
            "password: \nGET /health 200",
            "Password required:\nfailed",
            "[sudo] password for bob: \nSorry, try again.",
            "password:\nv1.2.3",
            "token:\nexpired",
        ] {
            assert_eq!(clean(plain), plain);
        }
    }

    #[test]
    fn a_value_that_was_wrapped_is_found_to_its_end() {
        let opaque = "kX9vTq2LmW8zP4rB7nYdQ3wE5tR6yU8iO0pA1sD2fG3hJ4kL5zX6cV7bN8m";
        let (a, b) = opaque.split_at(36);
        for text in [
            format!("Authorization: Bearer {a}\n{b}"),
            format!("api_key={a}\n{b}\nnext line"),
            format!("export TOKEN={a}\\\n{b}"),
            format!("web-1  | x-api-key: {a}\nweb-1  | {b}"),
            format!("2026-11-30T11:14:06Z INFO token={a}\n2026-11-30T11:14:06Z INFO {b}"),
        ] {
            let out = clean(&text);
            assert!(!out.contains(a) && !out.contains(b), "{text}\n{out}");
        }
        for rest in [
            "GET /api/activities/home 200",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "authenticated",
            "trace 4bf92f3577b34da6a3ce929d0e0e4736",
        ] {
            let out = clean(&format!("Authorization: Bearer {a}\n{rest}"));
            assert!(out.ends_with(&format!("\n{rest}")), "{out}");
        }
    }
}
