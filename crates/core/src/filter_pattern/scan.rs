//! A scanner over a pattern's characters that reports errors with their position.

use regex::{Regex, RegexBuilder};

use super::PatternError;

/// Maximum size of an automaton, since a pattern of 1024 characters can require gigabytes (`.{1000}{1000}`).
const LARGEST_REGEX: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// The number of regexes read so far.
    pub(super) regexes: usize,
    /// The number of wildcards in properties read so far.
    pub(super) wildcards: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, regexes: 0, wildcards: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    pub(super) fn eat(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    pub(super) fn blanks(&mut self) {
        self.take(char::is_whitespace);
    }

    /// The longest run of such characters; may be empty.
    pub(super) fn take(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !is(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// A keyword in any case, as a whole word.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let before = self.at;
        let found = self.take(|c| c.is_alphanumeric() || c == '_').eq_ignore_ascii_case(word);
        if !found {
            self.at = before;
        }
        found
    }

    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// Returns to an earlier position.
    pub(super) fn back_to(&mut self, place: usize) {
        self.at = place;
    }

    pub(super) fn fail(&self, message: impl Into<String>) -> PatternError {
        self.fail_at(self.at, message)
    }

    pub(super) fn fail_at(&self, place: usize, message: impl Into<String>) -> PatternError {
        PatternError { position: self.text[..place].chars().count() + 1, message: message.into() }
    }

    /// The text at the current position, for an error message.
    pub(super) fn shown(&self) -> String {
        if self.rest().is_empty() {
            return "the end".to_owned();
        }
        let shown: String = self.rest().chars().take(20).collect();
        format!("`{}`", shown.trim_end())
    }

    /// The raw text between quotes, including escapes; the scanner is at the opening quote.
    pub(super) fn quoted(&mut self, mark: char) -> Result<&'a str, PatternError> {
        let opened = self.at;
        self.bump();
        let inside = self.at;
        while let Some(c) = self.bump() {
            if c == mark {
                return Ok(&self.text[inside..self.at - mark.len_utf8()]);
            }
            if c == '\\' {
                self.bump();
            }
        }
        Err(self
            .fail_at(opened, format!("this {mark} is never closed; end it with {mark} (inside it, write \\{mark})")))
    }

    /// A regex between percent signs; the scanner is at the first one.
    pub(super) fn regex(&mut self) -> Result<Regex, PatternError> {
        let opened = self.at;
        let inside = self.quoted('%')?;
        if inside.is_empty() {
            return Err(self.fail_at(opened, "this regex is empty; write %regex%"));
        }
        let mut written = String::with_capacity(inside.len());
        let mut chars = inside.char_indices();
        while let Some((offset, c)) = chars.next() {
            let wrong = |words: String| self.fail_at(opened + 1 + offset, words);
            match c {
                '\\' => match chars.next().map(|(_, escaped)| escaped) {
                    Some('%') => written.push('%'),
                    Some(e @ ('d' | 'D' | 's' | 'S' | 'w' | 'W' | 'x')) => written.extend(['\\', e]),
                    Some(e) if e.is_ascii_punctuation() => written.extend(['\\', e]),
                    _ => {
                        let words =
                            "a \\ in a regex goes before d, D, s, S, w, W, xhh or the sign that is meant itself";
                        return Err(wrong(words.to_owned()));
                    }
                },
                '(' | ')' => {
                    return Err(wrong(
                        "a regex here has no groups; write alternatives with | and leave ( ) out".to_owned(),
                    ));
                }
                // Blanks are accepted, although the user guide does not list them.
                ' ' | ':' | '_' | '#' | '=' | '@' | '/' | ';' | ',' | '-' => written.push(c),
                '^' | '$' | '?' | '[' | ']' | '{' | '}' | '|' | '*' | '+' | '.' => written.push(c),
                _ if c.is_ascii_alphanumeric() => written.push(c),
                _ => {
                    let words = format!(
                        "{c:?} cannot be in a regex here; letters, digits, : _ # = @ / ; , - and operators can"
                    );
                    return Err(wrong(words));
                }
            }
        }
        self.regexes += 1;
        let regex = RegexBuilder::new(&written).size_limit(LARGEST_REGEX).dfa_size_limit(LARGEST_REGEX).build();
        regex.map_err(|error| {
            let words = match error {
                regex::Error::CompiledTooBig(_) => "it is too large; repeat less".to_owned(),
                // The last line is the reason; the lines before it show the pattern with a caret.
                other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
            };
            self.fail_at(opened, format!("this regex cannot be read: {words}"))
        })
    }
}
