//! Entries: one week's text each.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::Id;

/// An entry in a list. Times are RFC 3339 UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EntryRow {
    pub id: Id,
    /// Its unique short name, `week-2`.
    pub slug: String,
    /// `"0"` … `"99"`, `"X"`, or null.
    pub week: Option<String>,
    pub title: String,
    /// When its text last changed.
    pub updated_at: String,
}

/// An entry with its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Entry {
    #[serde(flatten)]
    #[ts(flatten)]
    pub row: EntryRow,
    /// Its Markdown, byte for byte.
    pub body: String,
    /// The revision of the working text; a write states the one it is based on.
    pub revision: i64,
}

/// A stored version of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Revision {
    /// Its revision of the working text.
    pub revision: i64,
    /// When it was stored, RFC 3339.
    pub created_at: String,
    /// Why: `pause`, `close`, `capture`, `import`, `set`, `restore`, or `conflict` for a text whose base was
    /// older and which therefore did not become the working text.
    pub reason: String,
    /// Bytes of UTF-8.
    pub bytes: i64,
}

/// Checks the number of a week of any course: `0` to `99`, or `X` in either case. Returns the form that is stored.
///
/// # Errors
/// A message that says so.
pub fn week(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("x") {
        return Ok("X".to_owned());
    }
    match text.parse::<u8>() {
        Ok(n @ 0..=99) => Ok(n.to_string()),
        _ => Err(format!("{text:?} is no number of a week: these are 0 to 99, and X")),
    }
}

/// The short name that an entry gets if it is free: `week-2`, `week-x`, or the title in lower case with hyphens.
pub fn slug(week: Option<&str>, title: &str) -> String {
    if let Some(week) = week {
        return format!("week-{}", week.to_lowercase());
    }
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 60 {
            break;
        }
    }
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "entry".to_owned() } else { slug.to_owned() }
}

/// The week in a file name or title: `week2.md`, `week_02`, `Week 2 — …`, `week-x`.
pub fn week_of(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let (_, rest) = lower.split_once("week")?;
    let rest = rest.trim_start_matches([' ', '-', '_', '\u{a0}']);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    if digits.is_empty() {
        let mut chars = rest.chars();
        return match (chars.next(), chars.next()) {
            (Some('x'), next) if !next.is_some_and(char::is_alphanumeric) => Some("X".to_owned()),
            _ => None,
        };
    }
    week(&digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_and_slugs() {
        assert_eq!(week("x").as_deref(), Ok("X"));
        assert_eq!(week(" 07").as_deref(), Ok("7"));
        assert_eq!(week("12").as_deref(), Ok("12"));
        assert!(week("100").is_err());
        assert_eq!(slug(Some("X"), ""), "week-x");
        assert_eq!(slug(None, "Ünder the Hood: AWS!"), "nder-the-hood-aws");
        assert_eq!(slug(None, "日本"), "entry");
        assert_eq!(week_of("week2.md").as_deref(), Some("2"));
        assert_eq!(week_of("assests/week_02").as_deref(), Some("2"));
        assert_eq!(week_of("Week X — Clean-up").as_deref(), Some("X"));
        assert_eq!(week_of("weekly-notes"), None);
        assert_eq!(week_of("week 100"), None);
    }
}
