//! File names for pictures.

use super::Format;

/// The longest name without its ending, in bytes.
const MAX_BYTES: usize = 80;

/// Names that programs give to what has none.
const GENERIC: [&str; 12] = [
    "image",
    "picture",
    "pasted",
    "unnamed",
    "untitled",
    "blob",
    "clipboard",
    "unknown",
    "download",
    "file",
    "grafik",
    "img",
];
/// Names that Windows does not allow.
const RESERVED: [&str; 4] = ["con", "prn", "aux", "nul"];

/// A name for a picture without its ending: from the name of its file, if that says something, else from the day
/// (`2026-11-30`). It has only letters, digits, `-`, `_` and `.`, so that a link needs no escapes.
fn stem(given: &str, day: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let known = |ending: &str| {
        Format::ALL.iter().any(|format| format.ending().eq_ignore_ascii_case(ending))
            || ["jpeg", "jpe", "jfif", "apng", "heic", "tif", "tiff"].iter().any(|e| e.eq_ignore_ascii_case(ending))
    };
    let own = match last.rsplit_once('.') {
        Some((stem, ending)) if known(ending) => stem,
        _ => last,
    };
    let mut name = String::new();
    for c in own.chars() {
        let c = if c.is_alphanumeric() || matches!(c, '_' | '.') { c } else { '-' };
        let joins = |c: char| matches!(c, '-' | '.');
        if name.len() + c.len_utf8() > MAX_BYTES {
            break;
        }
        if !(joins(c) && name.chars().next_back().is_none_or(joins)) {
            name.push(c);
        }
    }
    let name = name.trim_end_matches(['-', '.', '_']);
    let lower = name.to_lowercase();
    if name.is_empty() || GENERIC.contains(&lower.as_str()) {
        return format!("picture-{day}");
    }
    if RESERVED.contains(&lower.split('.').next().unwrap_or_default()) {
        return format!("picture-{name}");
    }
    name.to_owned()
}

/// A file name for a picture with the ending of its format, unlike every one that `taken` knows: a number is added.
pub fn file_name(given: &str, format: Format, day: &str, taken: impl Fn(&str) -> bool) -> String {
    let (stem, ending) = (stem(given, day), format.ending());
    let mut name = format!("{stem}.{ending}");
    let mut n = 1_u32;
    while taken(&name) {
        n += 1;
        name = format!("{stem}-{n}.{ending}");
    }
    name
}

/// What a file name says in words, as a proposal for the alternative text; empty where it says nothing: numbers, and
/// names that programs give.
pub fn words(given: &str) -> String {
    let stem = stem(given, "");
    let words: Vec<&str> = stem.split(['-', '_', '.']).filter(|word| !word.is_empty()).collect();
    let says = |word: &&str| {
        word.chars().all(char::is_alphabetic)
            && word.chars().count() > 2
            && !["screenshot", "screen", "shot", "picture", "image", "img", "dsc", "pasted", "from"]
                .contains(&word.to_lowercase().as_str())
    };
    if words.iter().any(says) { words.join(" ") } else { String::new() }
}
