//! Relative links in a text.

use std::sync::LazyLock;

use regex::Regex;

use super::lines::Lines;
use super::page::{Home, Run, page};

/// A relative link or picture of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whether it is embedded (`![]()`, `<img>`) rather than linked to.
    pub picture: bool,
    /// Its alternative or link text, as plain text.
    pub alt: String,
    /// Its target as written, without Markdown escapes.
    pub destination: String,
    /// The line it begins on, from 1.
    pub line: usize,
    /// The program whose own form it has, which code hosts show as text.
    pub only_in: Option<&'static str>,
}

impl Link {
    /// The file it refers to: the target without query and fragment, percent-decoded.
    pub fn path(&self) -> String {
        let end = self.destination.find(['?', '#']).unwrap_or(self.destination.len());
        percent_decode(&self.destination[..end])
    }

    /// Where an export has this file, relative to its folder: `journal/assets/a.png` for `assets/a.png`, `docs/a.png`
    /// for `/docs/a.png` and for `../docs/a.png`. Begins with `..` where the link leaves the folder; `None` for a link
    /// to no file.
    pub fn below(&self) -> Option<String> {
        let path = self.path().replace('\\', "/");
        let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { vec!["journal"] };
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.last().is_some_and(|last| *last != "..") => {
                    parts.pop();
                }
                _ => parts.push(part),
            }
        }
        (!path.is_empty() && !path.ends_with('/')).then(|| parts.join("/"))
    }
}

#[expect(clippy::unwrap_used, reason = "a fixed pattern that the tests use")]
static TAG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?is)<(img|a)\b[^>]*?\b(?:src|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))[^>]*>"#).unwrap()
});
#[expect(clippy::unwrap_used, reason = "a fixed pattern that the tests use")]
static ALT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"(?is)\balt\s*=\s*(?:"([^"]*)"|'([^']*)')"#).unwrap());

/// The relative links and pictures of a text, in document order. Excludes code, and targets with a scheme or a host or
/// with only a fragment.
pub fn links(body: &str) -> Vec<Link> {
    let page = page(body);
    let lines = Lines::of(body);
    let mut found = Vec::new();
    let mut add = |at: usize, picture: bool, alt: &str, destination: &str| {
        if is_relative(destination) {
            let (alt, destination) = (alt.to_owned(), destination.to_owned());
            found.push((at, Link { picture, alt, destination, line: lines.line(at), only_in: None }));
        }
    };
    for picture in &page.pictures {
        add(picture.range.start, true, &picture.alt, &picture.destination);
    }
    for anchor in &page.anchors {
        add(anchor.range.start, false, &anchor.text, &anchor.destination);
    }
    // A tag may span the lines of a block, which the parser gives one by one.
    let mut spans: Vec<std::ops::Range<usize>> = Vec::new();
    for range in &page.html {
        match spans.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => spans.push(range.clone()),
        }
    }
    for range in spans {
        let html = &body[range.clone()];
        if html.starts_with("<!--") {
            continue;
        }
        for tag in TAG.captures_iter(html) {
            let group = |c: &regex::Captures<'_>, from: usize| {
                (from..c.len()).find_map(|i| c.get(i)).map_or_else(String::new, |m| unescape(m.as_str()))
            };
            let whole = tag.get(0).map_or("", |m| m.as_str());
            let alt = ALT.captures(whole).map_or_else(String::new, |c| group(&c, 1));
            let at = range.start + tag.get(0).map_or(0, |m| m.start());
            add(at, tag[1].eq_ignore_ascii_case("img"), &alt, group(&tag, 2).trim());
        }
    }
    for (at, destination, only_in) in page.runs.iter().flat_map(|run| other_forms(body, run)) {
        if is_relative(&destination) {
            let line = lines.line(at);
            found.push((at, Link { picture: true, alt: String::new(), destination, line, only_in: Some(only_in) }));
        }
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, link)| link).collect()
}

#[expect(clippy::unwrap_used, reason = "fixed patterns that the tests use")]
static EMBED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"!\[\[([^\]|#\n]+)(?:[|#][^\]\n]*)?\]\]").unwrap());
#[expect(clippy::unwrap_used, reason = "fixed patterns that the tests use")]
static SIZED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"!\[[^\]\n]*\]\(\s*([^)\s]+)(?:\s+"[^"\n]*")?\s+=\d*%?x?\d*%?\s*\)"#).unwrap());

/// Pictures in forms that are text to code hosts: Obsidian's embeds, `![[x.png|300]]`, and HackMD's sizes,
/// `![](x.png =300x)`. Byte, target and program of each.
fn other_forms(body: &str, run: &Run) -> Vec<(usize, String, &'static str)> {
    let mut found = Vec::new();
    if run.home == Home::Html {
        return found;
    }
    for line in &run.lines {
        // The text has no code spans as such; a form within one is not in the text as it is in the source.
        let source = &body[line.range.clone()];
        for (form, program) in [(&EMBED, "Obsidian"), (&SIZED, "HackMD")] {
            for form in form.captures_iter(source) {
                let (Some(whole), Some(target)) = (form.get(0), form.get(1)) else { continue };
                let before = &source[..whole.start()];
                if before.matches('`').count().is_multiple_of(2) {
                    found.push((line.range.start + whole.start(), target.as_str().trim().to_owned(), program));
                }
            }
        }
    }
    found
}

fn is_relative(destination: &str) -> bool {
    let before = destination.split(['/', '?', '#']).next().unwrap_or_default();
    // A scheme has two letters or more: `C:` starts a Windows path, which is reported as missing too.
    let scheme = before.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    !(destination.is_empty() || destination.starts_with('#') || destination.starts_with("//") || scheme)
}

pub(super) fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Decodes `%20`; what does not decode to UTF-8 is left unchanged.
pub(crate) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = |b: u8| char::from(b).to_digit(16);
        match (first, tail) {
            (b'%', [a, b, after @ ..]) if hex(*a).is_some() && hex(*b).is_some() => {
                let value = hex(*a).unwrap_or(0) * 16 + hex(*b).unwrap_or(0);
                bytes.push(u8::try_from(value).unwrap_or(b'?'));
                rest = after;
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
