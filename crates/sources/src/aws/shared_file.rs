//! The shared config and credentials files as people have them, rewritten for AWS's parser.
//!
//! The AWS CLI reads them with Python's `configparser`, which takes more than AWS's parser for Rust: indented settings,
//! a colon for the equals sign, quotes around names, other blanks. What only the editor added (a byte order mark,
//! UTF-16) is taken too. What cannot be read is named by line and character.
//! <https://docs.python.org/3/library/configparser.html#supported-ini-file-structure>

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// From 1.
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
    pub(super) why: String,
}

/// A section whose name the CLI reads and AWS's parser does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) line: usize,
    pub(super) column: usize,
    /// `profile`, `sso-session`; empty in the credentials file.
    pub(super) kind: String,
    pub(super) name: String,
}

/// A file for AWS's parser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rewritten {
    pub(super) text: String,
    pub(super) odd: Vec<Odd>,
}

/// The text of a file: UTF-8 or UTF-16, with or without a byte order mark.
pub(super) fn decoded(bytes: &[u8]) -> Result<String, Broken> {
    let wide = |rest: &[u8], read: fn([u8; 2]) -> u16| {
        let (units, _) = rest.as_chunks::<2>();
        String::from_utf16_lossy(&units.iter().map(|unit| read(*unit)).collect::<Vec<_>>())
    };
    if let Some(rest) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        return Ok(wide(rest, u16::from_le_bytes));
    }
    if let Some(rest) = bytes.strip_prefix(&[0xFE, 0xFF]) {
        return Ok(wide(rest, u16::from_be_bytes));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.replace("\r\n", "\n").replace('\r', "\n")),
        Err(error) => {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).replace("\r\n", "\n");
            let last = before.rsplit('\n').next().unwrap_or_default();
            Err(Broken {
                line: before.matches('\n').count() + 1,
                column: last.chars().count() + 1,
                why: "this character is not UTF-8; save the file as UTF-8".to_owned(),
            })
        }
    }
}

/// Rewrites a file: sections and settings at the start of their lines, continuation lines indented.
pub(super) fn rewritten(text: &str, config: bool) -> Result<Rewritten, Broken> {
    let mut out = Rewritten::default();
    let mut in_section = false;
    // The indent of the setting that a deeper line continues.
    let mut setting: Option<usize> = None;
    for (n, line) in text.lines().enumerate() {
        let content = line.trim();
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        let broken = |column: usize, why: &str| Broken { line: n + 1, column, why: why.to_owned() };
        if content.is_empty() || content.starts_with(['#', ';']) {
            // Counted, so that AWS's parser names the same lines.
            out.text.push('\n');
            continue;
        }
        if setting.is_some_and(|at| indent > at) {
            out.text.push_str(&format!("  {content}\n"));
            continue;
        }
        if let Some(rest) = content.strip_prefix('[') {
            let Some(end) = rest.find(']') else {
                return Err(broken(indent + 1, "this [ is never closed: a section is [default] or [profile name]"));
            };
            let (name, odd) = section(&rest[..end], config, n + 1, indent + 2);
            out.odd.extend(odd);
            out.text.push_str(&format!("[{name}]\n"));
            (in_section, setting) = (true, None);
            continue;
        }
        if !in_section {
            return Err(broken(indent + 1, "a setting stands before the first section, such as [default]"));
        }
        let Some(sign) = content.find(['=', ':']) else {
            let end = indent + content.chars().count() + 1;
            return Err(broken(end, "an equals sign is missing: a line is a section, a setting or a comment"));
        };
        let (key, value) = (content[..sign].trim(), content[sign + 1..].trim());
        if key.is_empty() {
            return Err(broken(indent + 1, "the name of the setting is missing before the equals sign"));
        }
        out.text.push_str(&format!("{key} = {value}\n"));
        setting = Some(indent);
    }
    Ok(out)
}

/// A section's name for AWS's parser, and what of it that parser does not read.
fn section(inside: &str, config: bool, line: usize, column: usize) -> (String, Option<Odd>) {
    let inside_trimmed = inside.trim();
    let (kind, rest) = match inside_trimmed.split_once(char::is_whitespace) {
        Some((kind, rest)) if config => (kind, rest.trim()),
        _ => ("", inside_trimmed),
    };
    let name = unquoted(rest);
    let before = inside.find(rest).map_or(0, |at| inside[..at].chars().count());
    let readable = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c));
    let odd = (!readable).then(|| Odd { line, column: column + before, kind: kind.to_owned(), name: name.clone() });
    (if kind.is_empty() { name } else { format!("{kind} {name}") }, odd)
}

/// A name without the quotes that a shell would remove.
fn unquoted(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match quote {
            Some(mark) if c == mark => quote = None,
            Some('\'') => name.push(c),
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(_) | None if c == '\\' => name.extend(chars.next()),
            Some(_) | None => name.push(c),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(from: &str) -> String {
        rewritten(&decoded(from.as_bytes()).expect("text"), true).unwrap_or_else(|e| panic!("{from:?}: {e:?}")).text
    }

    #[test]
    fn what_the_cli_reads_is_read() {
        for (from, to) in [
            ("\u{feff}[default]\nregion = a\n", "[default]\nregion = a\n"),
            ("[default]\r\nregion = a\r\n", "[default]\nregion = a\n"),
            ("[default]\n  region = a\n  output = json\n", "[default]\nregion = a\noutput = json\n"),
            ("[default]\n\tregion\t=\ta\n", "[default]\nregion = a\n"),
            ("[default]\nregion: a\n", "[default]\nregion = a\n"),
            ("[default]\nregion=a\u{a0}\n", "[default]\nregion = a\n"),
            ("[ profile  x ]\nregion=a\n", "[profile x]\nregion = a\n"),
            ("[profile \"x\"]\nregion=a\n", "[profile x]\nregion = a\n"),
            ("[sso-session 'x']\n", "[sso-session x]\n"),
            ("[sso-session x ]\n", "[sso-session x]\n"),
            ("  [profile x] trailing\nregion=a\n", "[profile x]\nregion = a\n"),
            ("# a\n[default] ; b\n  ; c\nregion=a\n", "\n[default]\n\nregion = a\n"),
            ("[default]\ns3 =\n  a = b\n\tc = d\nregion = x\n", "[default]\ns3 = \n  a = b\n  c = d\nregion = x\n"),
            ("[default]\nsso_start_url = https://a/start#/\n", "[default]\nsso_start_url = https://a/start#/\n"),
            ("[default]\n  s3 =\n    a = b\n  region = x\n", "[default]\ns3 = \n  a = b\nregion = x\n"),
        ] {
            assert_eq!(text(from), to, "{from:?}");
        }
        let wide: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("[default]\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decoded(&wide).as_deref(), Ok("[default]\n"));
    }

    #[test]
    fn what_nobody_reads_is_named_by_line_and_character() {
        for (from, line, column) in [
            ("region = a\n", 1, 1),
            ("\n  region = a\n", 2, 3),
            ("[default]\nregion us-east-1\n", 2, 17),
            ("[default\nregion = a\n", 1, 1),
            ("[default]\n = a\n", 2, 2),
        ] {
            let broken = rewritten(from, true).expect_err(from);
            assert_eq!((broken.line, broken.column), (line, column), "{from:?}: {broken:?}");
        }
        let broken = decoded(b"[default]\r\nname = \xE9t\xE9\n").expect_err("Latin-1");
        assert_eq!((broken.line, broken.column), (2, 8));
    }

    #[test]
    fn names_that_only_the_cli_reads_are_known() {
        let read =
            rewritten("[profile acme]\na=b\n\n[sso-session 'My Org']\n[profile \"a b\"]\n", true).expect("reads");
        let odd = |line, column, kind: &str, name: &str| Odd { line, column, kind: kind.into(), name: name.into() };
        assert_eq!(read.odd, [odd(4, 14, "sso-session", "My Org"), odd(5, 10, "profile", "a b")]);
        let credentials = rewritten("[my work]\n[work]\n", false).expect("reads");
        assert_eq!(credentials.odd, [odd(1, 2, "", "my work")]);
    }
}
