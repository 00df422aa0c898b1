//! The block for a reference in exported Markdown: writing and finding it.
//!
//! ```text
//! <!-- tracebook:evidence 01J… -->
//! <picture><source media="(max-width: 600px)" srcset="assets/w/01J….narrow.svg">![alt](assets/w/01J….svg)</picture>
//!
//! <em>the user's caption</em><br><sub>provenance</sub>
//!
//! <details><summary>8 spans as text</summary>
//!
//! | Span | … |
//!
//! </details>
//!
//! <!-- /tracebook -->
//! ```
//! The line of the picture is a paragraph with inline HTML, so that its image is CommonMark: what does not know
//! `<picture>` shows that, and code hosts keep the elements and both attributes. Up to renderer 4 it was the image
//! alone.
//!
//! The blank line before the last marker ends the HTML block of `</details>`, so that the following text is Markdown.
//!
//! A frozen live card has such a block too: its marker is `<!-- tracebook:live 01CARD… 01EVIDENCE… -->`, and its
//! provenance begins with the time of freezing. In a sentence, a marker with only the card follows the picture, or the
//! text of a card that was never frozen: `<em>Live card, never frozen: …</em><!-- tracebook:live 01CARD… -->`.

use std::collections::HashMap;
use std::ops::Range;

use tracebook_core::doubts::{self, Doubt, Rule};
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;

use crate::card::{self, Form, Size, Table, Width};
use crate::inline::{Place, escape, one_line};
use crate::markdown::{
    Page, Picture, Reference, continuation, image, is_container_prefix, line_before, page, percent_decode, shape,
};

/// The start of every opening marker.
const BEGINNING: &str = "<!-- tracebook:";
const OPENING: &str = "<!-- tracebook:evidence ";
const OPENING_LIVE: &str = "<!-- tracebook:live ";
const CLOSING: &str = "<!-- /tracebook -->";
/// What the doubts about imported evidence begin with, in the paragraph of its provenance.
const DOUBTFUL_HEAD: &str = "<strong>Imported, and doubtful</strong>:";
/// The line of a picture before the name of the drawing for narrow screens, between that and the image, and behind it.
const NARROW_HEAD: &str = "<picture><source media=\"(max-width: 600px)\" srcset=\"";
const NARROW_MIDDLE: &str = "\">";
const NARROW_END: &str = "</picture>";
/// The start of the text of a card that was never frozen.
const UNFROZEN: &str = "Live card, never frozen: ";

/// A reference as shown in an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The alternative text.
    pub(crate) alt: String,
    /// The user's caption; empty if it is the same as the provenance.
    pub(crate) caption: String,
    pub(crate) size: Size,
}

impl Shown {
    /// How a reference to this evidence is shown.
    pub(crate) fn of(reference: &Reference, frozen: &Frozen) -> Self {
        let alt = one_line(&reference.alt);
        let caption = one_line(&reference.caption);
        Self {
            alt: if alt.is_empty() { one_line(&card::alt(frozen)) } else { alt },
            caption: if caption == one_line(&card::caption(frozen)) { String::new() } else { caption },
            size: Size::of(&reference.size),
        }
    }

    /// The picture in a sentence or a table cell; for a live card, with the time of freezing and its marker.
    pub(crate) fn picture(&self, frozen: &Frozen, folder: &str, live: Option<Id>) -> String {
        let at = target(folder, frozen.evidence.id, self.size);
        let Some(card) = live else { return image(&self.alt, &at, &self.caption) };
        let said = match self.caption.is_empty() {
            true => frozen_when(frozen),
            false => format!("{} ({})", self.caption, frozen_when(frozen)),
        };
        format!("{}{}", image(&self.alt, &at, &said), live_marker(card))
    }

    /// The inverse of [`Self::picture`] for a live card's picture.
    pub(crate) fn of_live_picture(mut self, frozen: Option<&Frozen>) -> Self {
        if let Some(when) = frozen.map(frozen_when) {
            if self.caption == when {
                self.caption.clear();
            } else if let Some(own) = self.caption.strip_suffix(&format!(" ({when})")) {
                self.caption = own.to_owned();
            }
        }
        self
    }

    /// The block's lines; those of a live card if `live` is given. `narrow`: with a drawing for narrow screens.
    pub(crate) fn block(
        &self,
        frozen: &Frozen,
        table: &Table,
        folder: &str,
        live: Option<Id>,
        doubts: &[Doubt],
        narrow: bool,
    ) -> Vec<String> {
        let id = frozen.evidence.id;
        let own = match self.caption.is_empty() {
            true => String::new(),
            false => format!("<em>{}</em><br>", prose(&self.caption)),
        };
        let (marker, when) = match live {
            None => (format!("{OPENING}{id} -->"), String::new()),
            Some(card) => (format!("{OPENING_LIVE}{card} {id} -->"), format!("{} · ", frozen_when(frozen))),
        };
        let wide = image(&self.alt, &target(folder, id, self.size), "");
        let picture = match narrow {
            true => {
                let file = target(folder, id, Form::new(self.size, Width::NARROW));
                format!("{NARROW_HEAD}{file}{NARROW_MIDDLE}{wide}{NARROW_END}")
            }
            false => wide,
        };
        let mut lines = vec![
            marker,
            picture,
            String::new(),
            format!(
                "{own}<sub>{when}{}</sub>{}{}",
                prose(&one_line(&card::provenance(frozen))),
                console(frozen),
                doubtful(doubts)
            ),
            String::new(),
            format!(
                "<details><summary>{}: {} as text</summary>",
                card::kind_word(frozen.evidence.body.kind()),
                table.summary
            ),
            String::new(),
        ];
        lines.extend(table.lines(prose));
        lines.extend(["", "</details>", "", CLOSING].map(str::to_owned));
        lines
    }
}

/// [`Found::table`] of a table as this version writes it.
pub(crate) fn table_shape(table: &Table) -> Vec<String> {
    shape(&table_rows(&table.lines(prose)))
}

fn table_rows(lines: &[String]) -> String {
    lines.iter().map(|line| line.trim()).filter(|line| line.starts_with('|')).collect::<Vec<_>>().join("\n")
}

fn prose(text: &str) -> String {
    escape(text, Place::Prose)
}

/// The hosts of the vendors' consoles, and those below them.
const CONSOLES: [&str; 6] = [
    "console.aws.amazon.com",
    "console.amazonaws.cn",
    "console.amazonaws-us-gov.com",
    "console.amazonaws-eusc.eu",
    "rollbar.com",
    "honeycomb.io",
];

/// Whether a URL leads to a vendor's console. Evidence that was imported may contain any URL.
fn is_console(url: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&b);
    let Some(rest) = url.strip_prefix("https://").filter(|rest| rest.bytes().all(plain)) else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    CONSOLES.iter().any(|console| {
        host.strip_suffix(console).is_some_and(|sub| {
            sub.is_empty() || sub.ends_with('.') && sub.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
        })
    })
}

/// The link to the vendor's console, with its expiry date. Other URLs are not linked.
fn console(frozen: &Frozen) -> String {
    let provenance = &frozen.evidence.provenance;
    let Some(url) = provenance.console_link.as_ref().filter(|url| is_console(url)) else { return String::new() };
    if provenance.is_emulated() {
        return String::new();
    }
    let until = match provenance.expires {
        // Only the day, which is precise enough.
        Some(moment) => format!("deleted there on {}", moment.rfc3339().chars().take(10).collect::<String>()),
        None => "may have expired".to_owned(),
    };
    let source = prose(card::source(provenance));
    format!("<br><sub><a href=\"{}\">seen in {source} when captured</a>; {until}</sub>", url.replace('&', "&amp;"))
}

/// The doubts about imported evidence.
fn doubtful(doubts: &[Doubt]) -> String {
    match doubts.is_empty() {
        true => String::new(),
        false => format!("<br><sub>{DOUBTFUL_HEAD} {}</sub>", prose(&one_line(&doubts::reasons(doubts)))),
    }
}

/// `live card, frozen 2026-11-23 15:21:40 UTC`.
fn frozen_when(frozen: &Frozen) -> String {
    format!("live card, frozen {}", frozen.evidence.provenance.captured_at.human())
}

/// The marker after a live card in a sentence.
fn live_marker(card: Id) -> String {
    format!("{OPENING_LIVE}{card} -->")
}

/// The text in place of a live card that was never frozen, the same in its own paragraph and in a sentence. It begins
/// with an inline tag, so that the text around it stays Markdown.
pub(crate) fn unfrozen(alt: &str, card: Id) -> String {
    format!("<em>{}</em>{}", prose(&one_line(&format!("{UNFROZEN}{alt}"))), live_marker(card))
}

/// The link to a picture, percent-encoded.
fn target(folder: &str, id: Id, form: impl Into<Form>) -> String {
    let mut out = String::new();
    for byte in folder.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    format!("{out}/{}", card::file_name(id, form))
}

/// Folder, evidence and size of a picture's file, if its name is one that exports use.
pub(crate) fn our_file(destination: &str) -> Option<(String, Id, Size)> {
    let path = relative(destination)?;
    let (folder, name) = path.rsplit_once('/')?;
    let stem = name.strip_suffix(".svg")?;
    let (id, size) = Size::ALL
        .into_iter()
        .find_map(|size| Some((stem.strip_suffix(&format!(".{}", size.word()))?, size)))
        .filter(|(_, size)| *size != Size::Full)
        .unwrap_or((stem, Size::Full));
    Some((folder.to_owned(), id.parse().ok()?, size))
}

/// The image in the line of a block's picture, and the target of the drawing for narrow screens.
fn sources(line: &str) -> (&str, Option<&str>) {
    let both = || {
        let rest = line.strip_prefix(NARROW_HEAD)?.strip_suffix(NARROW_END)?;
        let (narrow, wide) = rest.split_once(NARROW_MIDDLE)?;
        Some((wide, Some(narrow)))
    };
    both().unwrap_or((line, None))
}

/// The path of a link's file within the text's folder; `None` for other targets.
pub(crate) fn relative(destination: &str) -> Option<String> {
    let end = destination.find(['?', '#']).unwrap_or(destination.len());
    let path = percent_decode(&destination[..end]);
    let path = path.trim_start_matches("./");
    let inside = !path.is_empty()
        && !path.starts_with('/')
        && !path.contains([':', '\\', '\0'])
        && path.split('/').all(|part| part != ".." && !part.is_empty());
    inside.then(|| path.to_owned())
}

/// Joins a block's lines in place of an image: the first follows the existing prefix.
pub(crate) fn lay(lines: &[String], prefix: &str, eol: &str) -> String {
    let mut out = String::new();
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            out.push_str(eol);
            out.push_str(if line.is_empty() { prefix.trim_end() } else { prefix });
        }
        out.push_str(line);
    }
    out
}

/// A block in a text.
#[derive(Debug)]
pub(crate) struct Found {
    /// The evidence in it.
    pub(crate) id: Id,
    /// The live card that it was frozen from.
    pub(crate) live: Option<Id>,
    /// From the start of the first marker to the end of the last.
    pub(crate) range: Range<usize>,
    /// Its lines without their container's prefix; `None` if the closing marker or the container is broken.
    pub(crate) lines: Option<Vec<String>>,
}

impl Found {
    /// The line of the picture. Formatters put blank lines before it.
    pub(crate) fn picture_line(&self) -> Option<&str> {
        self.lines.as_ref()?.iter().skip(1).find(|line| !line.trim().is_empty()).map(|line| line.trim())
    }

    /// The picture in it, and the user's caption.
    pub(crate) fn shown(&self) -> Option<(Shown, String)> {
        let (line, narrow) = sources(self.picture_line()?);
        let inner = page(line);
        let [picture] = inner.pictures.as_slice() else { return None };
        let (folder, id, size) = our_file(&picture.destination)?;
        if !(picture.alone && picture.range == (0..line.len()) && picture.title.is_empty() && id == self.id) {
            return None;
        }
        if narrow.is_some_and(|file| file != target(&folder, id, Form::new(size, Width::NARROW))) {
            return None;
        }
        let caption = self.caption();
        let caption = caption.split_once("<sub>").map_or("", |(own, _)| own);
        let caption = caption.strip_prefix("<em>").and_then(|caption| {
            ["<br>", "<br/>", "<br />"].iter().find_map(|end| caption.strip_suffix(end)?.strip_suffix("</em>"))
        });
        let caption = caption.map(plain).unwrap_or_default();
        Some((Shown { alt: picture.alt.clone(), caption, size }, folder))
    }

    /// Whether it has a drawing for narrow screens.
    pub(crate) fn has_narrow(&self) -> bool {
        self.picture_line().is_some_and(|line| sources(line).1.is_some())
    }

    /// The paragraph below the picture on one line.
    fn caption(&self) -> String {
        let lines = self.lines.as_deref().unwrap_or_default().iter().map(|line| line.trim());
        let behind = lines.skip(1).skip_while(|line| line.is_empty()).skip(1).skip_while(|line| line.is_empty());
        behind.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The digest that the text names, if any: `1a2b3c4d5e6f`.
    pub(crate) fn digest(&self) -> Option<String> {
        let caption = self.caption();
        let provenance = caption.split_once("<sub>")?.1.split("</sub>").next()?;
        let (_, digest) = provenance.rsplit_once("sha256:")?;
        Some(digest.chars().take_while(char::is_ascii_hexdigit).collect())
    }

    /// The doubts that the text states.
    pub(crate) fn doubts(&self) -> Option<Doubt> {
        let caption = self.caption();
        let stated = caption.split_once(DOUBTFUL_HEAD)?.1.split("</sub>").next()?;
        Some(Doubt::new(Rule::Other, &plain(stated.trim())))
    }

    /// Its table, however it is formatted; `None` if it has none.
    pub(crate) fn table(&self) -> Option<Vec<String>> {
        let rows = table_rows(self.lines.as_deref()?);
        (!rows.is_empty()).then(|| shape(&rows))
    }

    /// Whether the picture's alternative text, which users may edit, contains HTML, a link or a picture.
    pub(crate) fn has_markup(&self) -> bool {
        self.picture_line().is_some_and(|line| page(sources(line).0).pictures.iter().any(|picture| picture.mixed))
    }
}

/// Every block of a text, outside code.
pub(crate) fn find(md: &str, page: &Page) -> Vec<Found> {
    let bom = if md.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut found: Vec<Found> = Vec::new();
    // The last marker that was looked at.
    let mut checked = md.len();
    for html in &page.html {
        let Some((at, length, live, id)) = opening(&md[html.clone()]) else { continue };
        let start = html.start + at;
        if found.last().is_some_and(|last| start < last.range.end) {
            continue;
        }
        // Only the first tag of a line can have nothing but a container's prefix before it.
        let tags_before = checked < start && !md[checked..start].contains(['\n', '\r']);
        checked = start;
        if tags_before {
            continue;
        }
        let before = line_before(md, start, bom);
        if !is_container_prefix(before) {
            continue;
        }
        let rest = &md[start + length..];
        let next = opening(rest).map_or(rest.len(), |(at, ..)| at);
        let found_block = match rest[..next].find(CLOSING) {
            Some(end) => {
                let range = start..start + length + end + CLOSING.len();
                Found { id, live, lines: unprefixed(&md[range.clone()], &continuation(before)), range }
            }
            None => Found { id, live, range: start..start + length, lines: None },
        };
        found.push(found_block);
    }
    found
}

/// What a marker contains after its prefix.
fn marked(behind: &str) -> Option<&str> {
    // Longer than any marker. The limit keeps the time linear if there are many broken markers.
    const LONGEST: usize = 128;
    Some(behind[..behind.floor_char_boundary(LONGEST)].split_once(" -->")?.0)
}

/// The first opening marker of a block: offset, length, live card and evidence.
fn opening(text: &str) -> Option<(usize, usize, Option<Id>, Id)> {
    let of = |at: usize| {
        let (prefix, live) =
            [(OPENING, false), (OPENING_LIVE, true)].into_iter().find(|(prefix, _)| text[at..].starts_with(prefix))?;
        let inner = marked(&text[at + prefix.len()..])?;
        let length = prefix.len() + inner.len() + " -->".len();
        match live {
            false => Some((at, length, None, inner.parse().ok()?)),
            true => {
                let (card, id) = inner.split_once(' ')?;
                Some((at, length, Some(card.parse().ok()?), id.parse().ok()?))
            }
        }
    };
    text.match_indices(BEGINNING).find_map(|(at, _)| of(at))
}

/// The place of a live card in a sentence.
#[derive(Debug)]
pub(crate) struct Inline {
    pub(crate) card: Id,
    /// The replacement of the reference: a picture or text, and the marker.
    pub(crate) range: Range<usize>,
    pub(crate) what: InlineShown,
}

/// What precedes a live card's marker.
#[derive(Debug)]
pub(crate) enum InlineShown {
    /// A picture of an export.
    Picture(Shown, Id),
    /// The text of a card that was never frozen: its alternative text.
    Words(String),
    /// Something else: the picture or text was removed.
    Nothing,
}

/// Every live card in a sentence of a text, outside code.
pub(crate) fn find_live(md: &str, page: &Page) -> Vec<Inline> {
    let pictures: HashMap<usize, &Picture> = page.pictures.iter().map(|p| (p.range.end, p)).collect();
    let mut found = Vec::new();
    // The end of the last marker: what precedes it belongs to another card.
    let mut read = 0;
    for html in &page.html {
        for (at, _) in md[html.clone()].match_indices(OPENING_LIVE) {
            let start = html.start + at;
            let Some(card) = marked(&md[start + OPENING_LIVE.len()..html.end]) else { continue };
            let end = start + OPENING_LIVE.len() + card.len() + " -->".len();
            let Ok(card) = card.parse::<Id>() else { continue };
            let picture = pictures.get(&start).and_then(|p| our_file(&p.destination).map(|file| (p, file)));
            let before = &md[read.min(start)..start];
            let before = before.rsplit(['\n', '\r']).next().unwrap_or_default();
            let (from, what) = match picture {
                Some((picture, (_, id, size))) => {
                    let shown = Shown { alt: picture.alt.clone(), caption: picture.title.clone(), size };
                    (picture.range.start, InlineShown::Picture(shown, id))
                }
                None => match before.strip_suffix("</em>").and_then(|text| Some((text.rfind("<em>")?, text))) {
                    Some((em, text)) => {
                        let words = plain(&text[em + "<em>".len()..]);
                        let alt = words.strip_prefix(UNFROZEN).map_or(words.clone(), str::to_owned);
                        (start - before.len() + em, InlineShown::Words(alt))
                    }
                    None => (start, InlineShown::Nothing),
                },
            };
            found.push(Inline { card, range: from..end, what });
            read = end;
        }
    }
    found
}

/// The inverse of [`escape`], also of its earlier form: parses the text as the alternative text of an image.
fn plain(escaped: &str) -> String {
    page(&format!("![{escaped}](x)")).pictures.first().map_or_else(|| escaped.to_owned(), |p| p.alt.clone())
}

fn unprefixed(block: &str, prefix: &str) -> Option<Vec<String>> {
    let text = block.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = text.split('\n');
    let mut out = vec![lines.next()?.to_owned()];
    for line in lines {
        let inner = match line.strip_prefix(prefix) {
            Some(inner) => inner,
            None if line.trim_end() == prefix.trim_end() => "",
            None => return None,
        };
        // Other white space was not written by any formatter.
        out.push(inner.trim_end_matches([' ', '\t']).to_owned());
    }
    Some(out)
}
