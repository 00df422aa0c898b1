//! The forms of the tokens that services issue, as data: what each begins with, and which characters follow. Every row
//! names the document that the form was taken from, and a text that begins like the token and is none.
//!
//! Where a vendor documents no form, the row follows the rules of gitleaks
//! (<https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml>, MIT) or of detect-secrets
//! (<https://github.com/Yelp/detect-secrets/tree/master/detect_secrets/plugins>, Apache-2.0).

mod clouds;
mod code;
mod services;

pub(super) const GITLEAKS: &str = "https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml";

/// A set of ASCII characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Digit,
    /// `0-9a-f`
    Hex,
    /// `0-9a-fA-F`
    AnyHex,
    /// `A-Z2-7`
    Base32,
    /// `A-Z0-9`
    UpperDigit,
    /// `a-z0-9`
    LowerDigit,
    /// `A-Za-z0-9`
    Alnum,
    /// `A-Za-z0-9_-`
    Url,
    /// `A-Za-z0-9_.=-`
    UrlDot,
    /// `A-Za-z0-9+/`
    Base64,
    /// `A-Za-z0-9+/_=-`
    AnyBase64,
    /// What a path of a URL has: `A-Za-z0-9_/-`
    Path,
    /// What a query of a URL has.
    Query,
    /// Up to the end of the line or a quote.
    Line,
}

impl Class {
    pub(super) fn has(self, b: u8) -> bool {
        match self {
            Self::Digit => b.is_ascii_digit(),
            Self::Hex => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
            Self::AnyHex => b.is_ascii_hexdigit(),
            Self::Base32 => b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b),
            Self::UpperDigit => b.is_ascii_uppercase() || b.is_ascii_digit(),
            Self::LowerDigit => b.is_ascii_lowercase() || b.is_ascii_digit(),
            Self::Alnum => b.is_ascii_alphanumeric(),
            Self::Url => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'),
            Self::UrlDot => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'='),
            Self::Base64 => b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'),
            Self::AnyBase64 => b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'_' | b'-' | b'='),
            Self::Path => b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-'),
            Self::Query => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'=' | b'&' | b'%' | b'.' | b'+'),
            Self::Line => !matches!(b, b'\r' | b'\n' | b'"' | b'\''),
        }
    }
}

/// Characters of one class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) class: Class,
    pub(super) least: usize,
    /// More characters of the class after this number: it is another text.
    pub(super) most: usize,
}

/// At least so long; all characters of the class that follow belong to it.
const fn from(class: Class, least: usize) -> Run {
    Run { class, least, most: usize::MAX }
}

const fn exactly(class: Class, length: usize) -> Run {
    Run { class, least: length, most: length }
}

/// A kind of token.
#[derive(Debug)]
pub(super) struct Token {
    /// What it is.
    pub(super) name: &'static str,
    /// Where the form is documented.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers of the table"))]
    pub(super) origin: &'static str,
    /// Characters before the prefix that belong to it.
    pub(super) before: Run,
    pub(super) prefix: &'static str,
    pub(super) first: Run,
    /// Marks and runs after the first.
    pub(super) then: &'static [(&'static str, Run)],
    /// Whether the prefix is no part of the secret: the address of a webhook.
    pub(super) keep: bool,
    /// Begins like the token and is none.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the test of the table"))]
    pub(super) near: &'static str,
}

const fn token(
    name: &'static str,
    origin: &'static str,
    prefix: &'static str,
    first: Run,
    near: &'static str,
) -> Token {
    Token { name, origin, before: exactly(Class::Alnum, 0), prefix, first, then: &[], keep: false, near }
}

impl Token {
    const fn then(mut self, then: &'static [(&'static str, Run)]) -> Self {
        self.then = then;
        self
    }

    const fn behind(mut self, before: Run) -> Self {
        self.before = before;
        self
    }

    const fn keep(mut self) -> Self {
        self.keep = true;
        self
    }
}

/// All tables.
pub(super) fn all() -> impl Iterator<Item = &'static Token> {
    clouds::TOKENS.iter().chain(code::TOKENS).chain(services::TOKENS)
}
