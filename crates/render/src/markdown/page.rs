//! One parse of a text: its pictures, links, raw HTML, and its paragraphs line by line.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// An image of the text, outside code.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// The bytes of the whole image.
    pub(crate) range: Range<usize>,
    pub(crate) destination: String,
    pub(crate) title: String,
    /// As plain text, on one line.
    pub(crate) alt: String,
    /// Whether it is the only content of its paragraph, after list markers and quote signs.
    pub(crate) alone: bool,
    /// Whether its alternative text contains HTML, a link or a picture.
    pub(crate) mixed: bool,
}

/// One line of a paragraph.
#[derive(Clone, Debug)]
pub(super) struct TextLine {
    /// The byte range of its content, without container prefixes.
    pub(super) range: Range<usize>,
    /// Its rendered text, without emphasis and backslashes.
    pub(super) text: String,
    /// Contains more than text: a link, a picture, HTML, a footnote.
    pub(super) mixed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// A paragraph, or the text of a tight list item.
    Flow,
    /// A heading, a table cell, a footnote: text that cannot contain a block.
    Elsewhere,
    /// A block of raw HTML.
    Html,
}

/// A run of inline text.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) home: Home,
    pub(super) lines: Vec<TextLine>,
    /// Indexes into [`Page::pictures`].
    pub(super) pictures: Vec<usize>,
    /// Whether it contains anything but pictures.
    pub(super) words: bool,
}

/// A link's target and text.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    pub(super) range: Range<usize>,
    pub(super) destination: String,
    pub(super) text: String,
}

/// The result of one parse.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) pictures: Vec<Picture>,
    pub(super) runs: Vec<Run>,
    pub(super) anchors: Vec<Anchor>,
    /// Raw HTML: whole blocks and inline tags.
    pub(crate) html: Vec<Range<usize>>,
    /// The fence of a code block that is not closed.
    pub(super) open_fence: Option<String>,
}

/// The Markdown of code hosts.
pub(super) const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_GFM)
    .union(Options::ENABLE_YAML_STYLE_METADATA_BLOCKS);

/// Parses a text as code hosts do.
pub(crate) fn page(body: &str) -> Page {
    read(body, |_| {})
}

/// As [`page`], and passes every event of the parse to `also`.
pub(super) fn read(body: &str, mut also: impl FnMut(&Event<'_>)) -> Page {
    let bom = if body.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let text = lone_cr_as_lf(&body[bom..]);
    let mut reader = Reader {
        body,
        bom,
        text_end: body.trim_end_matches(['\n', '\r']).len(),
        page: Page::default(),
        run: None,
        homes: Vec::new(),
        picture: None,
        anchor: None,
        code: false,
    };
    for (event, range) in Parser::new_ext(&text, OPTIONS).into_offset_iter() {
        also(&event);
        reader.event(event, range.start + bom..range.end + bom);
    }
    reader.close();
    reader.page
}

/// A lone CR ends a line too. Replacing it changes no offset.
pub(super) fn lone_cr_as_lf(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let lone = |i: usize| bytes[i] == b'\r' && bytes.get(i + 1) != Some(&b'\n');
    if !(0..bytes.len()).any(lone) {
        return Cow::Borrowed(text);
    }
    let chars = text.char_indices().map(|(i, c)| if c == '\r' && lone(i) { '\n' } else { c });
    Cow::Owned(chars.collect())
}

struct Reader<'a> {
    body: &'a str,
    bom: usize,
    /// The end of the text without its last line breaks.
    text_end: usize,
    page: Page,
    run: Option<Run>,
    /// The blocks that are open: what their text is.
    homes: Vec<Home>,
    /// The outermost open image, how many are open inside it.
    picture: Option<(Picture, usize)>,
    anchor: Option<Anchor>,
    /// Inside a code block or front matter.
    code: bool,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag),
            _ if self.code => {}
            Event::Text(text) => self.words(&text, range, false),
            Event::Code(text) => self.code_span(&text, range),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.words(&text, range, false),
            Event::SoftBreak | Event::HardBreak => self.line_break(),
            Event::InlineHtml(html) => {
                self.page.html.push(range.clone());
                self.words(&html, range, true);
            }
            Event::Html(_) => self.html_block(range),
            Event::FootnoteReference(_) => self.words("", range, true),
            // For a slot, a task's checkbox is like a list marker, but a block cannot follow it.
            Event::TaskListMarker(_) => self.open_run().words = true,
            Event::Rule => self.close(),
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Emphasis | Tag::Strong | Tag::Strikethrough => self.words("", range, false),
            Tag::Superscript | Tag::Subscript => self.words("", range, false),
            Tag::Link { dest_url, .. } => {
                self.words("", range.clone(), true);
                if self.picture.is_none() {
                    self.anchor = Some(Anchor { range, destination: dest_url.into_string(), text: String::new() });
                }
            }
            Tag::Image { dest_url, title, .. } => match &mut self.picture {
                Some((picture, depth)) => {
                    picture.mixed = true;
                    *depth += 1;
                }
                None => {
                    let picture = Picture {
                        range,
                        destination: dest_url.into_string(),
                        title: title.into_string(),
                        alt: String::new(),
                        alone: false,
                        mixed: false,
                    };
                    self.picture = Some((picture, 0));
                }
            },
            Tag::Paragraph => {
                self.close();
                let inside = self.homes.last().copied().filter(|home| *home == Home::Elsewhere);
                self.homes.push(inside.unwrap_or(Home::Flow));
            }
            Tag::CodeBlock(kind) => {
                self.close();
                self.code = true;
                self.homes.push(Home::Elsewhere);
                if matches!(kind, CodeBlockKind::Fenced(_)) && range.end >= self.text_end {
                    self.page.open_fence = unclosed_fence(&self.body[range]);
                }
            }
            Tag::MetadataBlock(_) => {
                self.close();
                self.code = true;
                self.homes.push(Home::Elsewhere);
            }
            Tag::Heading { .. } | Tag::TableCell | Tag::FootnoteDefinition(_) => {
                self.close();
                self.homes.push(Home::Elsewhere);
            }
            Tag::HtmlBlock => {
                self.close();
                self.homes.push(Home::Html);
            }
            _ => {
                self.close();
                self.homes.push(self.homes.last().copied().unwrap_or(Home::Flow));
            }
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Superscript | TagEnd::Subscript => {}
            TagEnd::Link => self.page.anchors.extend(self.anchor.take()),
            TagEnd::Image => match self.picture.take() {
                Some((picture, 0)) => self.picture_ends(picture),
                Some((picture, depth)) => self.picture = Some((picture, depth - 1)),
                None => {}
            },
            TagEnd::CodeBlock | TagEnd::MetadataBlock(_) => {
                self.code = false;
                self.homes.pop();
            }
            _ => {
                self.close();
                self.homes.pop();
            }
        }
    }

    fn picture_ends(&mut self, mut picture: Picture) {
        picture.alt = picture.alt.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(anchor) = &mut self.anchor {
            anchor.text.push_str(&picture.alt);
        }
        let index = self.page.pictures.len();
        let range = picture.range.clone();
        self.page.pictures.push(picture);
        let inside_link = self.anchor.is_some();
        let run = self.open_run();
        run.pictures.push(index);
        run.words |= inside_link;
        self.piece("", range, true, false);
    }

    fn words(&mut self, text: &str, range: Range<usize>, mixed: bool) {
        if let Some((picture, _)) = &mut self.picture {
            if !mixed {
                picture.alt.push_str(text);
            }
            picture.mixed |= mixed;
            return;
        }
        if let Some(anchor) = &mut self.anchor {
            anchor.text.push_str(text);
        }
        self.piece(text, range, mixed, true);
    }

    /// A code span keeps its backticks in a line's text, so that it counts as quoted.
    fn code_span(&mut self, text: &str, range: Range<usize>) {
        match self.picture.is_some() || self.anchor.is_some() {
            true => self.words(text, range, false),
            false => self.words(&format!("`{text}`"), range, false),
        }
    }

    fn piece(&mut self, text: &str, range: Range<usize>, mixed: bool, words: bool) {
        let run = self.open_run();
        run.words |= words && !(text.trim().is_empty() && !mixed && range.is_empty());
        match run.lines.last_mut() {
            Some(line) => {
                if line.range.is_empty() {
                    line.range = range;
                } else {
                    line.range.end = line.range.end.max(range.end);
                }
                line.text.push_str(text);
                line.mixed |= mixed;
            }
            None => run.lines.push(TextLine { range, text: text.to_owned(), mixed }),
        }
    }

    fn line_break(&mut self) {
        if let Some((picture, _)) = &mut self.picture {
            picture.alt.push(' ');
            return;
        }
        if let Some(anchor) = &mut self.anchor {
            anchor.text.push(' ');
        }
        self.open_run().lines.push(TextLine { range: 0..0, text: String::new(), mixed: false });
    }

    fn html_block(&mut self, range: Range<usize>) {
        self.page.html.push(range.clone());
        let text = self.body[range.clone()].to_owned();
        let home = self.homes.last().copied().unwrap_or(Home::Html);
        let run = self.run.get_or_insert_with(|| Run { home, lines: Vec::new(), pictures: Vec::new(), words: true });
        run.lines.push(TextLine { range, text, mixed: true });
    }

    fn open_run(&mut self) -> &mut Run {
        let home = self.homes.last().copied().unwrap_or(Home::Flow);
        self.run.get_or_insert_with(|| Run { home, lines: Vec::new(), pictures: Vec::new(), words: false })
    }

    fn close(&mut self) {
        let Some(run) = self.run.take() else { return };
        if let (Home::Flow, false, [only]) = (run.home, run.words, run.pictures.as_slice()) {
            let picture = &mut self.page.pictures[*only];
            picture.alone = is_container_prefix(line_before(self.body, picture.range.start, self.bom));
        }
        self.page.runs.push(run);
    }
}

/// The text from the start of a byte's line to the byte.
pub(crate) fn line_before(body: &str, at: usize, bom: usize) -> &str {
    let start = body[..at].rfind(['\n', '\r']).map_or(bom.min(at), |i| i + 1);
    &body[start..at]
}

/// Whether a line's beginning consists of blanks, quote signs and list markers.
pub(crate) fn is_container_prefix(prefix: &str) -> bool {
    let mut rest = prefix;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '>']);
        if rest.is_empty() {
            return true;
        }
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let marker = match digits {
            0 => rest.starts_with(['-', '*', '+']),
            1..=9 => rest[digits..].starts_with(['.', ')']),
            _ => false,
        };
        let after = digits + 1;
        if !marker || !rest.get(after..).is_some_and(|r| r.starts_with([' ', '\t'])) {
            return false;
        }
        rest = &rest[after..];
    }
}

/// The fence of a code block whose last line is not its closing fence.
fn unclosed_fence(block: &str) -> Option<String> {
    let sign = block.chars().next()?;
    let fence: String = block.chars().take_while(|c| *c == sign).collect();
    let last = block.trim_end_matches(['\n', '\r']).rsplit(['\n', '\r']).next().unwrap_or_default();
    let inner = last.trim_matches([' ', '\t', '>']);
    let closed = inner.len() >= fence.len() && inner.chars().all(|c| c == sign) && block.trim_end().len() > last.len();
    (!closed).then_some(fence)
}
