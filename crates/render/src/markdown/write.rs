//! Inserts references into a text, at a slot or at the end, without changing any other byte.

use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_core::live_card::LiveCard;

use super::page::page;
use super::{Reference, Slot, lines, scan};
use crate::card;
use crate::inline::{Place, escape, one_line};

/// Where a reference goes.
#[derive(Clone, Copy, Debug)]
pub enum Where<'a> {
    /// Replaces a slot.
    Slot(&'a Slot),
    /// At the end, as a separate paragraph.
    Append,
}

/// The image that shows evidence, on one line: `![GET /home 200, 2 spans, 12.4 ms](evidence:01J… "caption")`.
///
/// Without a caption, it states the provenance. Both texts are read back as [`one_line`] of the input.
pub fn reference(frozen: &Frozen, caption: Option<&str>) -> String {
    reference_as(frozen, None, caption, "")
}

/// As [`reference`], with an alternative text (`None`: the evidence's title and its first error) and a size (empty: the
/// full card).
pub fn reference_as(frozen: &Frozen, alt: Option<&str>, caption: Option<&str>, size: &str) -> String {
    let own = |text: Option<&str>| text.map(one_line).filter(|text| !text.is_empty());
    let alt = own(alt).unwrap_or_else(|| one_line(&card::alt(frozen)));
    let caption = own(caption).unwrap_or_else(|| one_line(&card::caption(frozen)));
    image(&alt, &format!("evidence:{}{}", frozen.evidence.id, query(size)), &caption)
}

/// The image that shows a live card, on one line: `![newest trace of local telemetry](live:01J…)`.
pub fn live_reference(card: &LiveCard) -> String {
    image(&one_line(&card.title), &format!("live:{}", card.id), "")
}

/// The image that shows a file beside the text: `![login page](assets/week2/login-page.png)`.
pub fn picture(alt: &str, path: &str) -> String {
    let mut target = String::with_capacity(path.len());
    for c in path.chars() {
        if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '/') {
            target.push(c);
            continue;
        }
        let mut bytes = [0; 4];
        target.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
    }
    image(&one_line(alt), &target, "")
}

/// The query of a reference's target for a size.
pub(crate) fn query(size: &str) -> &'static str {
    match card::Size::of(size) {
        card::Size::Full => "",
        card::Size::Compact => "?size=compact",
        card::Size::Line => "?size=line",
    }
}

/// Replaces every reference to a live card by the result of `frozen_as`; `None` if the text has none. Keeps every
/// other byte.
pub fn freeze_live(body: &str, card: Id, frozen_as: &dyn Fn(&Reference) -> String) -> Option<String> {
    let found: Vec<Reference> = scan(body).live.into_iter().filter(|r| r.id == card).collect();
    let mut text = String::with_capacity(body.len() + 64);
    let mut read = 0;
    for reference in &found {
        text.push_str(&body[read..reference.place.byte_start]);
        text.push_str(&frozen_as(reference));
        read = reference.place.byte_end;
    }
    text.push_str(&body[read..]);
    (!found.is_empty()).then_some(text)
}

/// `![alt](destination "title")`, escaped; both texts must be single lines.
pub(crate) fn image(alt: &str, destination: &str, title: &str) -> String {
    let alt = escape(alt, Place::Attribute);
    match title.is_empty() {
        true => format!("![{alt}]({destination})"),
        false => format!("![{alt}]({destination} \"{}\")", escape(title, Place::Attribute)),
    }
}

/// Inserts a reference into a text. Keeps the container's prefix (list, quote), line endings, and every byte outside
/// the slot.
pub fn place(body: &str, reference: &str, at: Where<'_>) -> String {
    match at {
        Where::Slot(slot) => match slot_range(body, slot) {
            Some(range) => in_slot(body, reference, range),
            // The slot belongs to another version of the text: append at the end.
            None => append(body, reference),
        },
        Where::Append => append(body, reference),
    }
}

/// The slot's bytes. A slot that came from the UI has only its UTF-16 offsets.
fn slot_range(body: &str, slot: &Slot) -> Option<std::ops::Range<usize>> {
    let place = &slot.place;
    let (start, end) = match place.byte_end > place.byte_start {
        true => (place.byte_start, place.byte_end),
        false => (lines::byte_of(body, place.start)?, lines::byte_of(body, place.end)?),
    };
    (start < end && body.get(start..end).is_some()).then_some(start..end)
}

fn in_slot(body: &str, reference: &str, range: std::ops::Range<usize>) -> String {
    let (before, after) = (&body[..range.start], &body[range.end..]);
    let plain = format!("{before}{reference}{after}");
    let stands_alone = |text: &str, at: usize| page(text).pictures.iter().any(|p| p.range.start == at && p.alone);
    let in_line = body[range.clone()].starts_with("![");
    if in_line || stands_alone(&plain, range.start) {
        return plain;
    }
    // Blank lines separate the card from the rest of the paragraph.
    let eol = lines::eol_at(body, range.start);
    let bom = if body.starts_with('\u{feff}') { 3 } else { 0 };
    let prefix = lines::continuation(super::page::line_before(body, range.start, bom));
    let blank = format!("{}{eol}", prefix.trim_end());
    let line_start = range.start - super::page::line_before(body, range.start, bom).len();
    let tail_at =
        after.find(['\n', '\r']).map_or(after.len(), |i| i + if after[i..].starts_with("\r\n") { 2 } else { 1 });
    let (tail, rest) = after.split_at(tail_at);
    for (above, below) in [(true, false), (false, true), (true, true)] {
        let mut text = body[..line_start].to_owned();
        if above {
            text.push_str(&blank);
        }
        text.push_str(&body[line_start..range.start]);
        let at = text.len();
        text.push_str(reference);
        text.push_str(tail);
        if below && !rest.is_empty() {
            text.push_str(&blank);
        }
        text.push_str(rest);
        if stands_alone(&text, at) {
            return text;
        }
    }
    plain
}

fn append(body: &str, reference: &str) -> String {
    let eol = lines::eol_at(body, body.len());
    let mut text = body.to_owned();
    if text.trim_start_matches('\u{feff}').is_empty() {
        return format!("{text}{reference}{eol}");
    }
    if !text.ends_with(['\n', '\r']) {
        text.push_str(eol);
    }
    if let Some(fence) = page(body).open_fence {
        // In code a reference would not be rendered.
        text.push_str(&fence);
        text.push_str(eol);
    }
    let last = text.strip_suffix("\r\n").or_else(|| text.strip_suffix(['\n', '\r'])).unwrap_or(&text);
    let last = last.rsplit(['\n', '\r']).next().unwrap_or_default();
    if !last.trim_matches([' ', '\t', '\u{feff}']).is_empty() {
        text.push_str(eol);
    }
    text.push_str(reference);
    text.push_str(eol);
    text
}
