//! Finds tokens by their form, also when a line break divides one.

use super::scan::{Cut, run_back, text_of};
use super::tokens::{Class, Run, Token};
use super::values::{distinct, is_wordlike, looks_secret};

/// Bytes of a prefix that is distinctive wherever it stands; a shorter one must begin a word.
const DISTINCTIVE: usize = 6;

/// Bytes of one token at most.
const LONGEST: usize = 16 * 1024;

/// Looks for a token with its prefix at a place.
pub(super) fn find(text: &[u8], start: usize, end: usize, token: &Token, cuts: &mut Vec<Cut>) {
    // The automaton ignores case.
    if &text[start..end] != token.prefix.as_bytes() {
        return;
    }
    let mut first = start;
    if token.before.most > 0 {
        let before = token.before;
        first = run_back(text, start, before.most.min(128), |b| before.class.has(b));
        let more = before.most < 128 && first > 0 && before.class.has(text[first - 1]) && before.least == before.most;
        if start - first < before.least || more && token.prefix.len() < DISTINCTIVE && token.first.least == 0 {
            return;
        }
    }
    if token.prefix.len() < DISTINCTIVE && first > 0 && (text[first - 1].is_ascii_alphanumeric()) {
        return;
    }
    let mut pieces: Vec<(usize, usize)> = vec![(if token.keep { end } else { first }, end)];
    let Some(mut at) = take(text, end, token.first, token.then.is_empty(), &mut pieces) else { return };
    for (n, (mark, run)) in token.then.iter().enumerate() {
        if text.get(at..at + mark.len()) != Some(mark.as_bytes()) {
            return;
        }
        extend(&mut pieces, at + mark.len());
        match take(text, at + mark.len(), *run, n + 1 == token.then.len(), &mut pieces) {
            Some(next) => at = next,
            None => return,
        }
    }
    if token.first.class != Class::Line {
        let all: String = pieces.iter().map(|(start, end)| text_of(text, *start, *end)).collect();
        let body = all.strip_prefix(token.prefix).unwrap_or(&all);
        let mixed = is_mixed(token.first.class);
        if distinct(body) < 5 || mixed && token.first.least > 4 && is_words(body, token.prefix.len() < 3) {
            return;
        }
    }
    cuts.extend(pieces.into_iter().map(|(start, end)| Cut { start, end, what: token.name }));
}

/// Whether a token's characters are words. Behind a distinctive prefix, mixed letters without marks are not.
fn is_words(body: &str, camel: bool) -> bool {
    let body = body.trim_end_matches(['.', '=']);
    let mixed = body.bytes().any(|b| b.is_ascii_uppercase()) && body.bytes().any(|b| b.is_ascii_lowercase());
    let marks = body.bytes().any(|b| matches!(b, b'-' | b'_' | b'.'));
    (camel || marks || !mixed) && is_wordlike(body)
}

/// Whether words can be made of the characters.
fn is_mixed(class: Class) -> bool {
    !matches!(class, Class::UpperDigit | Class::Base32 | Class::Hex | Class::AnyHex | Class::Digit)
}

fn extend(pieces: &mut [(usize, usize)], end: usize) {
    if let Some(last) = pieces.last_mut() {
        last.1 = end;
    }
}

/// Takes a run, over a line break if it is too short before it. Returns its end.
fn take(text: &[u8], at: usize, run: Run, last: bool, pieces: &mut Vec<(usize, usize)>) -> Option<usize> {
    let most = run.most.min(LONGEST);
    let length = |from: usize, most: usize| {
        text.get(from..).unwrap_or_default().iter().take(most).take_while(|b| run.class.has(**b)).count()
    };
    let mut end = at + length(at, most);
    extend(pieces, end);
    let exact = run.least == run.most;
    let mut have = end - at;
    if have < run.least || run.most == usize::MAX && !matches!(run.class, Class::Line) {
        // Terminals and mail programs break long tokens; a record per line does too.
        let mut lines = 0;
        while lines < 64 && have < LONGEST {
            let wanted = run.least.saturating_sub(have);
            if wanted > 0 && have + (end - at) == 0 {
                break;
            }
            let Some((from, whole)) = continued(text, end, run.class, wanted) else { break };
            let more = length(from, most - have);
            let piece = text_of(text, from, from + more);
            let belongs = match wanted {
                0 => last && whole && more >= 8 && looks_secret(&piece),
                _ => more >= wanted.min(16),
            };
            if !belongs {
                break;
            }
            pieces.push((from, from + more));
            end = from + more;
            have += more;
            lines += 1;
        }
    }
    if have < run.least {
        return None;
    }
    if exact && run.least > 0 && text.get(end).is_some_and(|b| run.class.has(*b) || b.is_ascii_alphanumeric()) {
        return None;
    }
    Some(end)
}

/// Where the text goes on behind a line break: the first place of the next line that is not indent, quote or prefix.
/// Also whether the run there reaches the end of its line.
pub(super) fn continued(text: &[u8], end: usize, class: Class, wanted: usize) -> Option<(usize, bool)> {
    let mut at = end;
    // `"abc" +`, `abc\`: string literals and shell commands over several lines.
    while at < text.len()
        && at - end < 8
        && matches!(text[at], b'"' | b'\'' | b'\\' | b'+' | b',' | b' ' | b'\t' | b'\r' | b'.')
    {
        at += 1;
    }
    if text.get(at) != Some(&b'\n') {
        return None;
    }
    let line = at + 1;
    let stop = line
        + text[line..].iter().take(1024).position(|b| *b == b'\n').unwrap_or(text.len().saturating_sub(line).min(1024));
    let is_edge = |b: u8| {
        matches!(
            b,
            b' ' | b'\t' | b'"' | b'\'' | b'>' | b'|' | b'+' | b'\r' | b',' | b';' | b'\\' | b')' | b'}' | b']' | b'.'
        )
    };
    let length = |from: usize| text[from..stop].iter().take_while(|b| class.has(**b)).count();
    let reaches = |from: usize| text[from + length(from)..stop].iter().all(|b| is_edge(*b));
    // Directly, or behind a prefix such as that of docker compose or a time: the last word of the line.
    let first = line + text[line..stop].iter().take_while(|b| is_edge(**b)).count();
    if first < stop && length(first) >= wanted.max(1) {
        let word_end = first + length(first);
        if word_end == stop || !super::scan::is_word(text[word_end]) && text[word_end] != b'-' && text[word_end] != b':'
        {
            let after_prefix = last_word(text, line, stop, class);
            if reaches(first) || after_prefix.is_none_or(|last| last == first) {
                return Some((first, reaches(first)));
            }
            if let Some(last) = after_prefix.filter(|last| {
                length(*last) >= wanted.max(1) && looks_secret(&text_of(text, *last, *last + length(*last)))
            }) {
                return Some((last, true));
            }
            return Some((first, false));
        }
    }
    last_word(text, line, stop, class).filter(|last| length(*last) >= wanted.max(1)).map(|last| (last, true))
}

/// The run that ends a line, without closing marks.
fn last_word(text: &[u8], line: usize, stop: usize, class: Class) -> Option<usize> {
    let mut end = stop;
    while end > line
        && matches!(text[end - 1], b' ' | b'\t' | b'"' | b'\'' | b'\r' | b',' | b'+' | b'\\' | b'}' | b']' | b')')
    {
        end -= 1;
    }
    let start = end - text[line..end].iter().rev().take_while(|b| class.has(**b)).count();
    (start < end).then_some(start)
}
