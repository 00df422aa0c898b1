//! Where a reference goes in a text that is being edited, as one change for the editor.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::lines::{Lines, byte_of, eol_at};
use super::page::{lone_cr_as_lf, page};
use super::{Place, Slot, Where, place};

/// A change that puts a reference into a text. Offsets are UTF-16 code units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Placing {
    /// First unit that is replaced.
    pub start: usize,
    /// One past the last unit that is replaced.
    pub end: usize,
    /// The replacement.
    pub insert: String,
    /// The cursor in the new text: not on the line of a reference that stands alone, so that its card is shown.
    pub cursor: usize,
}

/// A place in the editor, in UTF-16 code units.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// From the first unit of a slot to one past its last.
    Slot(usize, usize),
    Cursor(usize),
}

/// Places a reference. In a sentence it stays in the sentence; everywhere else it gets a paragraph of its own. In a
/// heading, code or HTML it would not be rendered, so it goes below. A target outside the text means the end.
pub fn placing(body: &str, reference: &str, target: Target) -> Placing {
    let Placed { mut text, at, breaks } = match target {
        Target::Slot(start, end) => in_slot(body, reference, start, end),
        Target::Cursor(units) => match byte_of(body, units) {
            Some(head) => at_cursor(body, reference, head),
            None => at_end(body, reference),
        },
    };
    let after = at + reference.len();
    let alone = page(&text).pictures.iter().any(|picture| picture.range.start == at && picture.alone);
    if alone && after == text.len() {
        // Room for the cursor below the card.
        text.push_str(eol_at(body, body.len()));
    }
    let cursor = if alone { below(&text, after, breaks) } else { after };
    change(body, &text, cursor)
}

/// A new text.
struct Placed {
    text: String,
    /// Where the reference begins.
    at: usize,
    /// The number of line breaks after the reference to move the cursor by.
    breaks: usize,
}

fn in_slot(body: &str, reference: &str, start: usize, end: usize) -> Placed {
    let place_of = Place { start, end, byte_start: 0, byte_end: 0, line: 0 };
    let slot = Slot { n: 0, line: 0, text: String::new(), wants: String::new(), place: place_of };
    let text = place(body, reference, Where::Slot(&slot));
    let from = byte_of(body, start).unwrap_or(0);
    let at = text.get(from..).and_then(|rest| rest.find(reference)).map_or(0, |i| from + i);
    Placed { text, at, breaks: 1 }
}

fn at_end(body: &str, reference: &str) -> Placed {
    let text = place(body, reference, Where::Append);
    let at = text.rfind(reference).unwrap_or(0);
    Placed { text, at, breaks: 1 }
}

fn at_cursor(body: &str, reference: &str, head: usize) -> Placed {
    let Ok(outer) = block_end(body, head) else { return at_end(body, reference) };
    let eol = eol_at(body, head);
    let bom = if body.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let line = line_at(body, outer.unwrap_or(head), bom);
    let blank = |line: &Range<usize>| body[line.clone()].trim().is_empty();
    let inside = outer.is_none() && !blank(&line);
    if inside && head > line.start && head < line.end {
        return splice(body, head..head, "", reference, "");
    }
    let text_above = line.start > bom && !blank(&line_at(body, start_of_break(body, line.start), bom));
    let above = if text_above { eol } else { "" };
    let two = format!("{eol}{eol}");
    if inside && head == line.start {
        return splice(body, head..head, above, reference, &two);
    }
    let below = if line.end == body.len() {
        two.as_str()
    } else if blank(&line_at(body, end_of_break(body, line.end), bom)) {
        ""
    } else {
        eol
    };
    match blank(&line) {
        true => splice(body, line, above, reference, below),
        false => splice(body, line.end..line.end, &two, reference, below),
    }
}

fn splice(body: &str, range: Range<usize>, above: &str, reference: &str, below: &str) -> Placed {
    let text = format!("{}{above}{reference}{below}{}", &body[..range.start], &body[range.end..]);
    let breaks = below.matches(['\n', '\r']).count().div_ceil(if below.contains("\r\n") { 2 } else { 1 });
    Placed { text, at: range.start + above.len(), breaks: breaks.max(1) }
}

/// The line of a byte, without its break.
fn line_at(body: &str, at: usize, bom: usize) -> Range<usize> {
    let start = body[..at].rfind(['\n', '\r']).map_or(bom.min(at), |i| i + 1);
    let end = body[at..].find(['\n', '\r']).map_or(body.len(), |i| at + i);
    start..end
}

/// Where the line break begins that ends before a byte.
fn start_of_break(body: &str, at: usize) -> usize {
    at - if body[..at].ends_with("\r\n") { 2 } else { 1 }
}

/// Where the line break ends that begins at a byte.
fn end_of_break(body: &str, at: usize) -> usize {
    at + if body[at..].starts_with("\r\n") { 2 } else { 1 }
}

/// The end of the heading, code or HTML that a byte is in. `Err` in code that is not closed.
fn block_end(body: &str, at: usize) -> Result<Option<usize>, ()> {
    let bom = if body.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let text = lone_cr_as_lf(&body[bom..]);
    for (event, range) in Parser::new_ext(&text, Options::ENABLE_YAML_STYLE_METADATA_BLOCKS).into_offset_iter() {
        let Event::Start(Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::MetadataBlock(_)) = event
        else {
            continue;
        };
        let (start, all) = (range.start + bom, range.end + bom);
        let end = start + body[start..all].trim_end_matches(['\n', '\r']).len();
        if at > start
            && at <= all
            && body[all..].trim_matches(['\n', '\r']).is_empty()
            && page(body).open_fence.is_some()
        {
            return Err(());
        }
        if at > start && at <= end {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

/// The position `breaks` line breaks after a byte.
fn below(text: &str, after: usize, breaks: usize) -> usize {
    let mut at = after;
    for _ in 0..breaks {
        at = match text[at..].find(['\n', '\r']) {
            Some(i) => end_of_break(text, at + i),
            None => text.len(),
        };
    }
    at
}

/// The change between two texts.
fn change(before: &str, after: &str, cursor: usize) -> Placing {
    let same = |pair: &((usize, char), (usize, char))| pair.0.1 == pair.1.1;
    let start =
        before.char_indices().zip(after.char_indices()).take_while(same).map(|(_, (i, c))| i + c.len_utf8()).last();
    let start = start.unwrap_or(0);
    let (old, new) = (&before[start..], &after[start..]);
    let tail: usize =
        old.chars().rev().zip(new.chars().rev()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let replaced = Lines::of(before).place(start..before.len() - tail);
    let end = Lines::of(after).place(cursor..cursor);
    Placing {
        start: replaced.start,
        end: replaced.end,
        insert: after[start..after.len() - tail].to_owned(),
        cursor: end.start,
    }
}
