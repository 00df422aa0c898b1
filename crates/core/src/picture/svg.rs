//! Recognising SVG: text, whose first element has this name.

/// How much of a file may precede its first element.
const MOST_BEFORE: usize = 64 * 1024;

pub(super) fn is_svg(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(MOST_BEFORE)];
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The cut may be within a character.
        Err(error) => std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default(),
    };
    let mut rest = text.trim_start_matches('\u{feff}');
    loop {
        rest = rest.trim_start();
        let end = if rest.starts_with("<?") {
            rest.find("?>").map(|at| at + 2)
        } else if rest.starts_with("<!--") {
            rest.find("-->").map(|at| at + 3)
        } else if rest.starts_with("<!") {
            doctype_end(rest)
        } else {
            break;
        };
        match end {
            Some(end) => rest = &rest[end..],
            None => return false,
        }
    }
    let Some(name) = rest.strip_prefix('<') else { return false };
    let name = name.split([' ', '\t', '\r', '\n', '>', '/']).next().unwrap_or_default();
    name == "svg" || name.ends_with(":svg")
}

/// Where a document type ends, which may contain declarations in brackets.
fn doctype_end(text: &str) -> Option<usize> {
    let end = text.find('>')?;
    match text[..end].find('[') {
        Some(open) => {
            let close = open + text[open..].find(']')?;
            Some(close + text[close..].find('>')? + 1)
        }
        None => Some(end + 1),
    }
}
