//! Credentials in addresses: `scheme://user:password@host`, and the data source names of Go.

use super::scan::{Cut, WINDOW, run_back, text_of};
use super::values::{is_stand_in, looks_secret};

/// Looks for user information behind `://` (RFC 3986, section 3.2.1). A password may contain `@`, and in the addresses
/// of databases also `/`.
pub(super) fn find(text: &[u8], start: usize, end: usize, cuts: &mut Vec<Cut>) {
    if start == 0 || !text[start - 1].is_ascii_alphanumeric() {
        return;
    }
    let rest = &text[end..text.len().min(end + WINDOW)];
    let is_end = |b: &u8| {
        b.is_ascii_whitespace() || b.is_ascii_control() || matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\')
    };
    let word = &rest[..rest.iter().position(is_end).unwrap_or(rest.len())];
    let authority = word.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(word.len());
    let last_at = |part: &[u8]| part.iter().rposition(|b| *b == b'@');
    let scheme = &text[run_back(text, start, 16, |b| b.is_ascii_alphanumeric())..start];
    let web = ["http", "https", "ws", "wss"].iter().any(|web| scheme.eq_ignore_ascii_case(web.as_bytes()));
    let path = word.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(word.len());
    let first_colon = word[..authority].iter().position(|b| *b == b':');
    // `redis://:pa/ss@host`, but not `http://host:80/@user` and not `amqp://host:5672/@queue`.
    let is_port = |colon: usize| word[colon + 1..authority].iter().all(u8::is_ascii_digit) && authority > colon + 1;
    let inside = match (web, first_colon) {
        (false, Some(colon)) if !is_port(colon) => path,
        (true, Some(colon)) if !is_port(colon) && !word[..authority].contains(&b'@') => path,
        _ => authority,
    };
    let Some(at) = last_at(&word[..inside]) else { return };
    let colon = word[..at].iter().position(|b| *b == b':');
    let user = &word[..colon.unwrap_or(at)];
    let mut cut =
        |from: usize, to: usize| cuts.push(Cut { start: end + from, end: end + to, what: "password in an address" });
    if let Some(colon) = colon
        && !is_stand_in(&text_of(word, colon + 1, at))
        && colon + 1 < at
    {
        cut(colon + 1, at);
    }
    if user.len() >= 16 && looks_secret(&text_of(user, 0, user.len())) {
        cut(0, user.len());
    }
}

/// `user:password@tcp(host:3306)/database`, as go-sql-driver/mysql writes it.
pub(super) fn find_go(text: &[u8], at: usize, cuts: &mut Vec<Cut>) {
    let start = run_back(text, at, 256, |b| {
        !b.is_ascii_whitespace() && !b.is_ascii_control() && !matches!(b, b'"' | b'\'' | b'`' | b'=')
    });
    if text[..at].ends_with(super::PLACEHOLDER.as_bytes()) {
        return;
    }
    let Some(colon) = text[start..at].iter().position(|b| *b == b':') else { return };
    let from = start + colon + 1;
    if from < at && !is_stand_in(&text_of(text, from, at)) && !text[start..at].windows(3).any(|w| w == b"://") {
        cuts.push(Cut { start: from, end: at, what: "password in an address" });
    }
}
