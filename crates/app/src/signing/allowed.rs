//! The keys that a reader trusts: OpenSSH's format of allowed signers (ssh-keygen(1), ALLOWED SIGNERS), or the plain
//! list of public keys that a code host serves for a user.

use std::path::Path;

use ssh_key::PublicKey;
use ssh_key::public::KeyData;

use tracebook_core::time::{Nanos, Zone};

use super::signature::NAMESPACE;
use crate::ground::error::Error;
use crate::system::now_here;

/// More than any list of keys has, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// A list of trusted keys.
#[derive(Debug)]
pub struct AllowedSigners {
    /// As the user named it.
    file: String,
    lines: Vec<Signer>,
    /// When the signatures are checked.
    now: Nanos,
    /// Lines that do not count, with the reason.
    pub(crate) warnings: Vec<String>,
}

/// A line of the list.
#[derive(Debug, PartialEq, Eq)]
struct Signer {
    number: usize,
    /// `None` in a plain list of keys.
    principals: Option<String>,
    key: KeyData,
    is_authority: bool,
    namespaces: Option<String>,
    after: Option<Nanos>,
    before: Option<Nanos>,
}

impl AllowedSigners {
    /// Reads a list.
    ///
    /// # Errors
    /// If it cannot be read, or names no key.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let shown = file.display().to_string();
        let hint = "Name a file of allowed signers (ssh-keygen(1)), or of public keys, one a line";
        let too_large = std::fs::metadata(file).is_ok_and(|meta| meta.len() > LARGEST);
        if too_large {
            return Err(Error::usage(format!("{shown} is too large to be a list of keys"), hint));
        }
        let text = std::fs::read_to_string(file).map_err(|e| Error::not_found(format!("{shown}: {e}"), hint))?;
        let (now, zone) = now_here();
        let list = Self::parse(shown, &text, &zone, now);
        match list.lines.is_empty() {
            false => Ok(list),
            true => {
                let why = list.warnings.first().map_or(String::new(), |first| format!(" ({first})"));
                Err(Error::usage(format!("{} names no key{why}", list.file), hint))
            }
        }
    }

    fn parse(file: String, text: &str, zone: &Zone, now: Nanos) -> Self {
        let mut list = Self { file, lines: Vec::new(), now, warnings: Vec::new() };
        for (n, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match signer(line, n + 1, zone) {
                Ok(signer) => list.lines.push(signer),
                Err(why) => {
                    let file = &list.file;
                    list.warnings.push(format!("{file}:{}: the line was left out: {why}", n + 1));
                }
            }
        }
        list
    }

    /// Who a key belongs to; `None` where the list has no names.
    ///
    /// # Errors
    /// Why the key is not trusted.
    pub(super) fn who(&self, key: &KeyData) -> Result<Option<String>, String> {
        let file = &self.file;
        let mut refused = None;
        for line in self.lines.iter().filter(|line| line.key == *key) {
            match line.refusal(self.now) {
                None => return Ok(line.principals.clone()),
                Some(why) => refused = refused.or(Some(format!("{file}:{}: {why}", line.number))),
            }
        }
        Err(refused.unwrap_or_else(|| format!("its key is not in {file}")))
    }
}

impl Signer {
    /// Why the key must not be used for manifests now.
    fn refusal(&self, now: Nanos) -> Option<String> {
        if self.is_authority {
            return Some("the key is one of an authority, which signs certificates only".to_owned());
        }
        if self.namespaces.as_ref().is_some_and(|namespaces| !matches_list(NAMESPACE, namespaces)) {
            return Some(format!("the key is not for the namespace {NAMESPACE:?}"));
        }
        if self.after.is_some_and(|after| now < after) {
            return Some("the key is not valid yet".to_owned());
        }
        if self.before.is_some_and(|before| now > before) {
            return Some("the key is no longer valid".to_owned());
        }
        None
    }
}

/// Reads a line: `principals [options] type key [comment]`, or `type key [comment]`.
fn signer(line: &str, number: usize, zone: &Zone) -> Result<Signer, String> {
    let signer = |principals: Option<String>, key: PublicKey| Signer {
        number,
        principals,
        key: key.key_data().clone(),
        is_authority: false,
        namespaces: None,
        after: None,
        before: None,
    };
    if let Some(key) = public_key(line) {
        return Ok(signer(None, key));
    }
    let (principals, rest) = word(line)?;
    if principals.is_empty() {
        return Err("it has no principals".to_owned());
    }
    let rest = rest.trim_start();
    if let Some(key) = public_key(rest) {
        return Ok(signer(Some(principals), key));
    }
    let (options, rest) = options(rest)?;
    let key = public_key(rest.trim_start()).ok_or("its key cannot be read")?;
    let mut signer = signer(Some(principals), key);
    for (name, value) in options {
        match (name.to_ascii_lowercase().as_str(), value) {
            ("cert-authority", None) => signer.is_authority = true,
            ("namespaces", Some(value)) => signer.namespaces = Some(value),
            ("valid-after", Some(value)) => signer.after = Some(time(&value, zone)?),
            ("valid-before", Some(value)) => signer.before = Some(time(&value, zone)?),
            _ => return Err(format!("the option {name:?} is not known")),
        }
    }
    Ok(signer)
}

/// A key of a known kind with its type before it.
fn public_key(text: &str) -> Option<PublicKey> {
    let key = PublicKey::from_openssh(text).ok()?;
    let data = key.key_data();
    (!data.is_other() && !data.is_certificate()).then_some(key)
}

/// The first word, which may be quoted, and the rest.
fn word(text: &str) -> Result<(String, &str), String> {
    match text.strip_prefix('"') {
        Some(quoted) => {
            let (word, rest) = quoted.split_once('"').ok_or("a quote does not end")?;
            Ok((word.to_owned(), rest))
        }
        None => {
            let end = text.find([' ', '\t']).unwrap_or(text.len());
            Ok((text[..end].to_owned(), &text[end..]))
        }
    }
}

/// An option's name, and its value in quotes.
type NamedOption = (String, Option<String>);

/// Reads `name,name="value"` up to the next blank.
fn options(text: &str) -> Result<(Vec<NamedOption>, &str), String> {
    let mut options = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(['=', ',', ' ', '\t']).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        if name.is_empty() {
            return Err("its options cannot be read".to_owned());
        }
        rest = &rest[end..];
        let value = match rest.strip_prefix('=') {
            Some(value) if value.starts_with('"') => {
                let (value, behind) = word(value)?;
                rest = behind;
                Some(value)
            }
            Some(_) => return Err(format!("the value of {name:?} is not in quotes")),
            None => None,
        };
        options.push((name, value));
        match rest.strip_prefix(',') {
            Some(behind) => rest = behind,
            None if rest.is_empty() || rest.starts_with([' ', '\t']) => return Ok((options, rest)),
            None => return Err("its options cannot be read".to_owned()),
        }
    }
}

/// Reads `YYYYMMDD[HHMM[SS]]`, in the local zone unless a `Z` follows.
fn time(text: &str, zone: &Zone) -> Result<Nanos, String> {
    let wrong = || format!("{text:?} is no time: write 20261231 or 202612312359Z");
    let (digits, utc) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let part = |from: usize| digits.get(from..from + 2).unwrap_or("00");
    let (day, clock) =
        (format!("{}-{}-{}", &digits[..4], part(4), part(6)), format!("{}:{}:{}", part(8), part(10), part(12)));
    let read = |day: &str| match utc {
        true => Nanos::parse_rfc3339(&format!("{day}T{clock}Z")),
        false => zone.read(&format!("{day} {clock}"), Nanos(0)),
    };
    // People write 9999 for never; nanoseconds reach into 2262.
    let is_late = digits[..4].parse::<u32>().is_ok_and(|year| year > 2261);
    let late = || is_late.then(|| read(&format!("2261{}", &day[4..]))).flatten().map(|_| Nanos(i64::MAX));
    read(&day).or_else(late).ok_or_else(wrong)
}

/// Whether a name matches a list of patterns as OpenSSH has them: `*`, `?`, and `!` before what is excluded.
fn matches_list(name: &str, patterns: &str) -> bool {
    let mut found = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(excluded) if matches(name.as_bytes(), excluded.as_bytes()) => return false,
            Some(_) => {}
            None => found = found || matches(name.as_bytes(), pattern.as_bytes()),
        }
    }
    found
}

fn matches(name: &[u8], pattern: &[u8]) -> bool {
    // The last star, and where in the name it was: a star takes one more byte whenever what follows does not match.
    let (mut at, mut in_pattern, mut star) = (0, 0, None);
    while at < name.len() {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                star = Some((in_pattern, at));
                in_pattern += 1;
            }
            Some(c) if *c == b'?' || *c == name[at] => {
                at += 1;
                in_pattern += 1;
            }
            _ => match &mut star {
                Some((back, taken)) => {
                    *taken += 1;
                    at = *taken;
                    in_pattern = *back + 1;
                }
                None => return false,
            },
        }
    }
    pattern[in_pattern..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB0MTWlwbzVnqr5zvgrIvD2MQf0Ssd5cUjTK7Y0eSEQF";

    fn at(time: &str) -> Nanos {
        Nanos::parse_rfc3339(time).expect("a time")
    }

    fn list(text: &str, now: &str) -> AllowedSigners {
        let zone = Zone::posix("CET-1").expect("a zone");
        AllowedSigners::parse("allowed".to_owned(), text, &zone, at(now))
    }

    fn who(text: &str, now: &str) -> Result<Option<String>, String> {
        let key = PublicKey::from_openssh(KEY).expect("a key");
        list(text, now).who(key.key_data())
    }

    #[test]
    fn lines_name_who_signs_for_what_and_when() {
        const NOW: &str = "2026-11-23T12:00:00Z";
        let named = |name: &str| Ok(Some(name.to_owned()));
        assert_eq!(who(KEY, NOW), Ok(None));
        assert_eq!(who(&format!("\u{feff}# keys\r\n\r\n{KEY} me@here\r\n"), NOW), Ok(None));
        for (line, expected) in [
            (format!("ann@x {KEY}"), named("ann@x")),
            (format!("\"ann,bob\"\t{KEY} c d"), named("ann,bob")),
            (format!("ann namespaces=\"git,tracebook\" {KEY}"), named("ann")),
            (format!("ann NAMESPACES=\"trace*\",valid-after=\"20261123\" {KEY}"), named("ann")),
            (format!("ann namespaces=\"t?acebook\" {KEY}"), named("ann")),
            (format!("ann valid-before=\"202611231301\" {KEY}"), named("ann")),
            (format!("ann valid-before=\"202611231200Z\" {KEY}"), named("ann")),
            (format!("ann valid-before=\"99991231\" {KEY}"), named("ann")),
            (format!("ann namespaces=\"git\" {KEY}\nbob {KEY}"), named("bob")),
            (format!("ann cert-authority {KEY}"), Err("allowed:1: the key is one of an authority")),
            (format!("ann namespaces=\"git,file\" {KEY}"), Err("allowed:1: the key is not for the namespace")),
            (format!("ann namespaces=\"*,!tracebook\" {KEY}"), Err("allowed:1: the key is not for the namespace")),
            (format!("ann namespaces=\"\" {KEY}"), Err("allowed:1: the key is not for the namespace")),
            (format!("ann valid-before=\"202611231259\" {KEY}"), Err("allowed:1: the key is no longer valid")),
            (format!("ann valid-before=\"20261123115959Z\" {KEY}"), Err("allowed:1: the key is no longer valid")),
            (format!("ann valid-after=\"202611231301\" {KEY}"), Err("allowed:1: the key is not valid yet")),
            (format!("ann {}X", &KEY[..KEY.len() - 1]), Err("its key is not in allowed")),
        ]
        .map(|(line, expected): (String, Result<Option<String>, &str>)| (line, expected))
        {
            match (who(&line, NOW), expected) {
                (Err(why), Err(expected)) => assert!(why.starts_with(expected), "{line}: {why}"),
                (found, expected) => assert_eq!(found, expected.map_err(str::to_owned), "{line}"),
            }
        }
    }

    #[test]
    fn lines_that_cannot_be_read_are_reported_and_do_not_count() {
        for (line, why) in [
            ("ann", "options"),
            ("ann ssh-ed25519 AAAA", "key cannot be read"),
            (&format!("ann verify-required {KEY}"), "\"verify-required\" is not known"),
            (&format!("ann namespaces=git {KEY}"), "not in quotes"),
            (&format!("ann namespaces=\"git {KEY}"), "quote does not end"),
            (&format!("ann valid-after=\"2026\" {KEY}"), "is no time"),
            (&format!("ann valid-after=\"20261341\" {KEY}"), "is no time"),
            (&format!("ann valid-after=\"99991341\" {KEY}"), "is no time"),
            (&format!("\"\" {KEY}"), "no principals"),
        ] {
            let list = list(line, "2026-11-23T12:00:00Z");
            assert_eq!(list.lines, [], "{line}");
            assert!(
                list.warnings[0].starts_with("allowed:1: ") && list.warnings[0].contains(why),
                "{:?}",
                list.warnings
            );
        }
    }

    #[test]
    fn stars_match_any_text() {
        for (name, pattern, expected) in [
            ("abc", "*", true),
            ("abc", "a*c", true),
            ("abbc", "a*bc", true),
            ("abc", "a*b", false),
            ("", "*", true),
            ("", "?", false),
            ("aXbXc", "a*b*c", true),
            ("tracebook", "trace", false),
        ] {
            assert_eq!(matches(name.as_bytes(), pattern.as_bytes()), expected, "{name} {pattern}");
        }
    }
}
