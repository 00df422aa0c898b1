//! One pass over a text: an automaton finds the places where a credential may begin (prefixes of tokens, words of
//! names, marks of addresses, keys and commands), and only these places are looked at closer.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::tokens::{self, Token};
use super::{addresses, assignments, commands, encoded, keys, shapes, sql, tables, views};

/// A credential in a text: from one byte to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) start: usize,
    pub(super) end: usize,
    /// What it is, for messages.
    pub(super) what: &'static str,
}

/// What a value is of which only the name is known.
pub(super) const BY_NAME: &str = "value under a credential's name";

/// Bytes of a value that are looked at to decide about it. Bounds the time for one place.
pub(super) const WINDOW: usize = 4096;

#[derive(Clone, Copy)]
enum Anchor {
    Token(&'static Token),
    Name,
    /// `://`
    Address,
    /// `@tcp(` and the like: a data source name of Go.
    GoAddress,
    Key,
    Scheme,
    Program(usize),
    Call(usize),
    /// `VALUES`
    Rows,
    /// `FROM stdin`
    Copy,
    /// The line below the head of a table.
    Rule,
}

/// Parts of every name that `names::judge` takes for a credential's.
const NAME_PARTS: &[&str] = &[
    "pass",
    "pwd",
    "pw",
    "psw",
    "token",
    "secret",
    "jwt",
    "cred",
    "auth",
    "cookie",
    "sig",
    "pin",
    "otp",
    "sid",
    "hmac",
    "bearer",
    "session",
    "csrf",
    "xsrf",
    "dsn",
    "salt",
    "conn",
    "key",
    "mnemonic",
    "kennwort",
    "senha",
    "contrasena",
    "wachtwoord",
    "motdepasse",
    "honeycomb",
    "server_item",
    "identified by",
];

struct Anchors {
    automaton: AhoCorasick,
    kinds: Vec<Anchor>,
}

static ANCHORS: LazyLock<Anchors> = LazyLock::new(|| {
    let mut texts: Vec<&str> = Vec::new();
    let mut kinds = Vec::new();
    let mut add = |text: &'static str, kind: Anchor| {
        texts.push(text);
        kinds.push(kind);
    };
    tokens::all().for_each(|token| add(token.prefix, Anchor::Token(token)));
    NAME_PARTS.iter().for_each(|part| add(part, Anchor::Name));
    add("://", Anchor::Address);
    ["@tcp(", "@unix(", "@udp("].iter().for_each(|mark| add(mark, Anchor::GoAddress));
    keys::MARKS.iter().for_each(|mark| add(mark, Anchor::Key));
    ["bearer ", "basic "].iter().for_each(|scheme| add(scheme, Anchor::Scheme));
    add("values", Anchor::Rows);
    add("from stdin", Anchor::Copy);
    tables::RULES.iter().for_each(|rule| add(rule, Anchor::Rule));
    commands::PROGRAMS.iter().enumerate().for_each(|(n, row)| add(row.program, Anchor::Program(n)));
    commands::CALLS.iter().enumerate().for_each(|(n, row)| add(row.call, Anchor::Call(n)));
    #[expect(clippy::unwrap_used, reason = "fixed texts; fails only beyond 2^31 states")]
    let automaton = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .match_kind(MatchKind::Standard)
        .ascii_case_insensitive(true)
        .build(&texts)
        .unwrap();
    Anchors { automaton, kinds }
});

/// The credentials in a text, in order, without overlaps. Lines may be separate records: a key or a token may go over
/// several.
pub(super) fn scan(text: &[u8]) -> Vec<Cut> {
    merged(readings(text, DEEPEST))
}

/// Readings of readings: percent-encoding in a coloured line, JSON in JSON.
const DEEPEST: usize = 2;

fn readings(text: &[u8], depth: usize) -> Vec<Cut> {
    let mut cuts = plain(text, true);
    if depth > 0 {
        views::each(text, &mut |view, place| {
            for cut in readings(view, depth - 1) {
                place(cut, &mut cuts);
            }
        });
    }
    cuts
}

/// Without the encodings of single lines.
pub(super) fn plain(text: &[u8], deep: bool) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = Vec::new();
    let anchors = &*ANCHORS;
    // The end of the last name, so that a name with two words of the list is judged once.
    let mut named = 0;
    // The end of the last line that looked like the one below the head of a table.
    let mut ruled = 0;
    let mut wasted = 0;
    for hit in anchors.automaton.find_overlapping_iter(text) {
        let (start, end) = (hit.start(), hit.end());
        match anchors.kinds[hit.pattern().as_usize()] {
            Anchor::Token(token) => shapes::find(text, start, end, token, &mut cuts),
            Anchor::Name if end > named => named = assignments::find(text, start, end, &mut cuts),
            Anchor::Name => {}
            Anchor::Address => addresses::find(text, start, end, &mut cuts),
            Anchor::GoAddress => addresses::find_go(text, start, &mut cuts),
            Anchor::Key => keys::find(text, start, end, &mut cuts),
            Anchor::Scheme => assignments::find_scheme(text, start, end, &mut cuts),
            Anchor::Program(n) => commands::find_program(text, start, end, n, &mut cuts),
            Anchor::Call(n) => commands::find_call(text, end, n, &mut cuts),
            Anchor::Rows => sql::find_values(text, start, end, &mut wasted, &mut cuts),
            Anchor::Copy => sql::find_copy(text, start, end, &mut cuts),
            Anchor::Rule if start >= ruled => ruled = tables::find(text, start, &mut cuts),
            Anchor::Rule => {}
        }
    }
    encoded::find(text, deep, &mut cuts);
    cuts
}

/// In order, and those that touch or overlap as one.
pub(super) fn merged(mut cuts: Vec<Cut>) -> Vec<Cut> {
    cuts.retain(|cut| cut.start < cut.end);
    cuts.sort_by_key(|cut| (cut.start, std::cmp::Reverse(cut.end)));
    let mut out: Vec<Cut> = Vec::with_capacity(cuts.len());
    for cut in cuts {
        match out.last_mut() {
            Some(last) if cut.start < last.end => {
                last.end = last.end.max(cut.end);
                if last.what == BY_NAME {
                    last.what = cut.what;
                }
            }
            _ => out.push(cut),
        }
    }
    out
}

/// Whether a byte can be part of a word.
pub(super) fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

/// The end of a run of bytes from a place on.
pub(super) fn run(text: &[u8], from: usize, has: impl Fn(u8) -> bool) -> usize {
    from + text.get(from..).unwrap_or_default().iter().take_while(|b| has(**b)).count()
}

/// The start of a run of bytes before a place.
pub(super) fn run_back(text: &[u8], to: usize, most: usize, has: impl Fn(u8) -> bool) -> usize {
    to - text[..to].iter().rev().take(most).take_while(|b| has(**b)).count()
}

/// A piece of the text as text; invalid bytes are replaced.
pub(super) fn text_of(text: &[u8], start: usize, end: usize) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(text.get(start..end).unwrap_or_default())
}
