//! The layout that all cards share: a header, a body, and a footer; and compact cards and those of one line.
//!
//! A card is laid out for a width. Below 600 pixels, what wider cards show side by side is stacked.

use tracebook_core::choose::Omitted;
use tracebook_core::evidence::Frozen;
use tracebook_core::level::LogLevel;
use tracebook_core::text;

use super::captions;
use super::form::{Form, Size, Width};
use super::frame::{self, Footer, PAD, end_of};
use super::measure::Font;
use super::xml::Svg;
use crate::inline::visible;

// No type is smaller than 12 pixels at the width that a card is laid out for.
pub(super) const TITLE: Font = Font::bold(17.0);
pub(super) const NAME: Font = Font::plain(13.0);
pub(super) const NAME_BOLD: Font = Font::bold(13.0);
pub(super) const SMALL: Font = Font::plain(12.0);
pub(super) const HEAD: Font = Font::bold(12.0);
pub(super) const MONO: Font = Font::mono(12.0);
pub(super) const CODE: Font = Font::mono(12.0);
pub(super) const TAG: Font = Font::bold(12.0);
const STRIP_TITLE: Font = Font::bold(14.0);

/// The header: title, status, and facts.
pub(super) struct Head {
    /// Shown in bold.
    pub(super) title: String,
    /// Under the title.
    pub(super) facts: String,
    /// An id at the right of the facts; may be empty.
    pub(super) aside: String,
    /// A colour class and a word. `note` is a class without a judgement.
    pub(super) pill: (&'static str, String),
    /// Names and values under the facts.
    pub(super) chips: Vec<(&'static str, String)>,
}

impl Head {
    /// Draws the header; returns the top of the body.
    pub(super) fn draw(&self, svg: &mut Svg) -> f64 {
        let narrow = svg.width().is_narrow();
        let end = end_of(svg.width());
        let (class, word) = (self.pill.0, self.pill.1.as_str());
        let pill_width = pill_width(class, word);
        let title = clean(&self.title);
        let mut y;
        if narrow {
            pill(svg, PAD, 26.0, class, word);
            y = 42.0;
            for line in TITLE.wrap(&title, end - PAD, 4) {
                put(svg, "title", PAD, y + 17.0, &line);
                y += 22.0;
            }
        } else {
            pill(svg, end - pill_width, 28.0, class, word);
            y = 17.0;
            for line in TITLE.wrap(&title, end - pill_width - 16.0 - PAD, 2) {
                put(svg, "title", PAD, y + 17.0, &line);
                y += 22.0;
            }
            y = y.max(39.0);
        }
        y = self.facts(svg, y + 1.0);
        y = self.chips(svg, y);
        rule(svg, y + 8.0);
        y + 22.0
    }

    /// Facts and id, on one line if there is room.
    fn facts(&self, svg: &mut Svg, top: f64) -> f64 {
        let narrow = svg.width().is_narrow();
        let end = end_of(svg.width());
        let (facts, aside) = (clean(&self.facts), MONO.fit(&clean(&self.aside), end - PAD));
        let beside = !narrow && NAME.width(&facts) + MONO.width(&aside) + 20.0 <= end - PAD;
        let texts = NAME.wrap(&facts, end - PAD, if narrow { 4 } else { 2 });
        let texts: Vec<String> = texts.into_iter().filter(|line| !line.is_empty()).collect();
        let mut y = lines(svg, "name muted", PAD, top, &texts, 18.0);
        match beside {
            true => self::end(svg, "small mono muted", end, top + 14.0, &aside),
            false if aside.is_empty() => {}
            false => y = lines(svg, "small mono muted", PAD, y, &[aside], 18.0),
        }
        y.max(top + 18.0)
    }

    /// Names and values, one after the other, on as many lines as they need.
    fn chips(&self, svg: &mut Svg, top: f64) -> f64 {
        let (narrow, end) = (svg.width().is_narrow(), end_of(svg.width()));
        let most = if narrow { 6 } else { 3 };
        let (mut x, mut y, mut line) = (PAD, top + 2.0, 1);
        for (i, (name, value)) in self.chips.iter().enumerate() {
            let names = SMALL.width(name) + 6.0;
            let value = MONO.fit(&clean(value), (end - PAD - names).max(60.0));
            if x > PAD && (narrow || x + names + MONO.width(&value) > end) {
                if line == most {
                    put(svg, "small muted", x, y + 14.0, &format!("and {} more", self.chips.len() - i));
                    break;
                }
                (x, y, line) = (PAD, y + 18.0, line + 1);
            }
            put(svg, "small muted", x, y + 14.0, name);
            put(svg, "small mono", x + names, y + 14.0, &value);
            x += names + MONO.width(&value) + 18.0;
        }
        if self.chips.is_empty() { top } else { y + 18.0 }
    }
}

/// The complete card. `body` draws below the position that it is given, and returns the position below what it drew.
pub(super) fn sheet(
    frozen: Option<&Frozen>,
    width: Width,
    head: &Head,
    description: &str,
    notes: &[String],
    body: impl FnOnce(&mut Svg, f64) -> f64,
) -> String {
    let mut content = Svg::new(width);
    let top = head.draw(&mut content);
    let foot = body(&mut content, top) + 12.0;
    let footer = Footer::of(notes, frozen, width);
    let form = Form::new(Size::Full, width);
    let mut svg = frame::begin(foot + footer.height(), frozen, form, &clean(&head.title), &clean(description));
    svg.raw(&content.finish());
    footer.draw(&mut svg, foot);
    svg.finish()
}

/// A part of a card.
#[derive(Clone, Copy)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Area {
    pub(super) fn width(self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn middle(self) -> f64 {
        f64::midpoint(self.top, self.bottom)
    }
}

/// The facts of a small card, which has room for no notes: what qualifies it comes first.
fn small_facts(frozen: Option<&Frozen>, head: &Head) -> String {
    let facts = clean(&head.facts);
    match frozen.and_then(|f| captions::emulated(&f.evidence.provenance)) {
        Some(emulated) => format!("{} · {facts}", clean(&emulated)),
        None => facts,
    }
}

/// The word of a status that has to be stated.
fn stated(head: &Head) -> &str {
    if matches!(head.pill.0, "good" | "note") { "" } else { &head.pill.1 }
}

/// The compact card: sign, title and facts, and a small picture at the right; below them on a narrow card.
pub(super) fn strip(
    frozen: Option<&Frozen>,
    width: Width,
    head: &Head,
    description: &str,
    picture: impl FnOnce(&mut Svg, Area),
) -> String {
    const CHART: f64 = 200.0;
    let (narrow, end) = (width.is_narrow(), end_of(width));
    let x = PAD + 22.0;
    let right = if narrow { end } else { end - CHART - 24.0 };
    let title = clean(&head.title);
    let word = stated(head);
    let word_room = if word.is_empty() { 0.0 } else { HEAD.width(word) + 10.0 };
    let facts = small_facts(frozen, head);
    let mut content = Svg::new(width);
    frame::sign(&mut content, PAD + 6.0, 24.0, head.pill.0);
    let mut y = 29.0;
    let texts = match narrow {
        true => STRIP_TITLE.wrap(&title, right - x, 3),
        false => vec![STRIP_TITLE.fit(&title, right - x - word_room)],
    };
    let last = texts.len().saturating_sub(1);
    for (i, text) in texts.iter().enumerate() {
        let place = [("class", "title".into()), ("style", "font-size:14px".into()), ("x", x.into()), ("y", y.into())];
        content.open("text", &place);
        content.text("tspan", &[], text);
        let class = format!("pill {}", head.pill.0);
        let fits = x + STRIP_TITLE.width(text) + word_room <= right;
        if i == last && !word.is_empty() && fits {
            content.text("tspan", &[("class", (&class).into()), ("dx", 10.0.into())], word);
        }
        content.close();
        y += 19.0;
        if i == last && !word.is_empty() && !fits {
            put(&mut content, &class, x, y - 1.0, word);
            y += 18.0;
        }
    }
    let digest = frozen.map(|f| captions::short_digest(&f.digest)).unwrap_or_default();
    let mut shown = SMALL.wrap(&facts, right - x, if narrow { 3 } else { 1 });
    if !digest.is_empty() {
        // A truncated digest is useless.
        match shown.last_mut() {
            Some(line) if !line.ends_with('…') && SMALL.width(&format!("{line} · {digest}")) <= right - x => {
                line.push_str(" · ");
                line.push_str(&digest);
            }
            _ if narrow => shown.push(digest),
            _ => {}
        }
    }
    let bottom = lines(&mut content, "small muted", x, y - 14.0, &shown, 17.0);
    let (area, height) = match narrow {
        true => {
            let top = bottom + 8.0;
            (Area { left: PAD, right: end, top, bottom: top + 44.0 }, top + 54.0)
        }
        false => (Area { left: end - CHART, right: end, top: 8.0, bottom: 56.0 }, 64.0),
    };
    picture(&mut content, area);
    let form = Form::new(Size::Compact, width);
    let mut svg = frame::begin(height, frozen, form, &title, &clean(description));
    svg.raw(&content.finish());
    svg.finish()
}

/// The card of one line: sign, title, status and facts; of two or three lines on a narrow card.
pub(super) fn line(frozen: Option<&Frozen>, width: Width, head: &Head, description: &str) -> String {
    let (narrow, end) = (width.is_narrow(), end_of(width));
    let x = PAD + 20.0;
    let title = clean(&head.title);
    let word = stated(head);
    let facts = small_facts(frozen, head);
    let digest = frozen.map(|f| captions::short_digest(&f.digest)).unwrap_or_default();
    let mut content = Svg::new(width);
    frame::sign(&mut content, PAD + 6.0, 17.0, head.pill.0);
    let pill = format!("pill {}", head.pill.0);
    let height = if narrow {
        let texts = NAME_BOLD.wrap(&title, end - x, 2);
        let mut y = lines(&mut content, "name b", x, 4.0, &texts, 18.0);
        let word_room = if word.is_empty() { 0.0 } else { HEAD.width(word) + 8.0 };
        put(&mut content, &pill, x, y + 14.0, word);
        put(&mut content, "small muted", x + word_room, y + 14.0, &SMALL.fit(&facts, end - x - word_room));
        y += 18.0;
        y + 8.0
    } else {
        // The title has the first half, and what the facts leave of the rest.
        let word_room = if word.is_empty() { 0.0 } else { HEAD.width(word) + 10.0 };
        let room = end - x - word_room;
        let digest_room = if digest.is_empty() { 0.0 } else { SMALL.width(&digest) + 14.0 };
        let least = (room / 2.0).max(room - 14.0 - SMALL.width(&facts) - digest_room);
        let shown = NAME_BOLD.fit(&title, least);
        put(&mut content, "name b", x, 21.0, &shown);
        let mut at = x + NAME_BOLD.width(&shown) + 10.0;
        put(&mut content, &pill, at, 21.0, word);
        at += word_room;
        let with_digest = end - at - digest_room;
        match digest.is_empty() || SMALL.width(&facts) > with_digest {
            true => put(&mut content, "small muted", at, 21.0, &SMALL.fit(&facts, end - at)),
            false => {
                put(&mut content, "small muted", at, 21.0, &facts);
                self::end(&mut content, "small muted", end, 21.0, &digest);
            }
        }
        34.0
    };
    let form = Form::new(Size::Line, width);
    let mut svg = frame::begin(height, frozen, form, &title, &clean(description));
    svg.raw(&content.finish());
    svg.finish()
}

fn pill_width(class: &str, word: &str) -> f64 {
    HEAD.width(word) + if class == "note" { 22.0 } else { 34.0 }
}

/// The pill in a header: the status with its sign.
fn pill(svg: &mut Svg, x: f64, middle: f64, class: &str, word: &str) {
    let width = pill_width(class, word);
    if class == "note" {
        block(svg, "chip", x, middle - 11.0, width, 22.0, 11.0);
        put(svg, "pill muted", x + 11.0, middle + 4.0, word);
        return;
    }
    block(svg, &format!("{class}bg"), x, middle - 11.0, width, 22.0, 11.0);
    frame::sign(svg, x + 13.0, middle, class);
    put(svg, &format!("pill {class}"), x + 24.0, middle + 4.0, word);
}

/// Text for drawing, of at most a few thousand characters, since no line shows more.
pub(super) fn clean(text: &str) -> String {
    let beginning: String = text.chars().take(2_000).collect();
    visible(beginning.trim())
}

/// A text beginning at `x`.
pub(super) fn put(svg: &mut Svg, class: &str, x: f64, y: f64, text: &str) {
    if !text.is_empty() {
        svg.text("text", &[("class", class.into()), ("x", x.into()), ("y", y.into())], text);
    }
}

/// A text ending at `x`.
pub(super) fn end(svg: &mut Svg, class: &str, x: f64, y: f64, text: &str) {
    anchored(svg, class, x, y, text, "end");
}

/// A text centred at `x`.
pub(super) fn middle(svg: &mut Svg, class: &str, x: f64, y: f64, text: &str) {
    anchored(svg, class, x, y, text, "middle");
}

fn anchored(svg: &mut Svg, class: &str, x: f64, y: f64, text: &str, anchor: &'static str) {
    if !text.is_empty() {
        let place = [("class", class.into()), ("x", x.into()), ("y", y.into()), ("text-anchor", anchor.into())];
        svg.text("text", &place, text);
    }
}

/// A text that preserves blanks.
pub(super) fn code(svg: &mut Svg, class: &str, x: f64, y: f64, text: &str) {
    if !text.is_empty() {
        let class = format!("mono code {class}");
        let place =
            [("class", class.trim_end().into()), ("xml:space", "preserve".into()), ("x", x.into()), ("y", y.into())];
        svg.text("text", &place, text);
    }
}

/// A rectangle with round corners.
pub(super) fn block(svg: &mut Svg, class: &str, x: f64, y: f64, width: f64, height: f64, round: f64) {
    svg.leaf(
        "rect",
        &[
            ("class", class.into()),
            ("x", x.into()),
            ("y", y.into()),
            ("width", width.max(0.0).into()),
            ("height", height.max(0.0).into()),
            ("rx", round.into()),
        ],
    );
}

/// A horizontal line across the card.
pub(super) fn rule(svg: &mut Svg, y: f64) {
    let end = end_of(svg.width());
    svg.leaf(
        "line",
        &[("class", "line".into()), ("x1", PAD.into()), ("y1", y.into()), ("x2", end.into()), ("y2", y.into())],
    );
}

/// A band behind a row.
pub(super) fn band(svg: &mut Svg, y: f64, height: f64) {
    let end = end_of(svg.width());
    block(svg, "band", PAD - 8.0, y, end - PAD + 16.0, height, 4.0);
}

/// The lines of a text below one another; returns the position below them.
pub(super) fn lines(svg: &mut Svg, class: &str, x: f64, top: f64, texts: &[String], step: f64) -> f64 {
    let mut y = top;
    for text in texts {
        put(svg, class, x, y + step - 4.0, text);
        y += step;
    }
    y
}

/// A small label on a background; returns its width.
pub(super) fn tag(svg: &mut Svg, x: f64, middle: f64, class: &str, word: &str, most: f64) -> f64 {
    let word = TAG.fit(&clean(word), most - 12.0);
    let width = TAG.width(&word) + 12.0;
    let (ground, ink) = match class {
        "note" => ("chip".to_owned(), "tag muted".to_owned()),
        class => (format!("{class}bg"), format!("tag {class}")),
    };
    block(svg, &ground, x, middle - 9.0, width, 18.0, 4.0);
    put(svg, &ink, x + 6.0, middle + 4.0, &word);
    width
}

/// The colour class of a level.
pub(super) fn level_class(level: Option<LogLevel>) -> &'static str {
    match level {
        Some(LogLevel::Fatal | LogLevel::Error) => "bad",
        Some(LogLevel::Warn) => "open",
        Some(LogLevel::Info) => "info",
        Some(LogLevel::Debug) | None => "note",
    }
}

/// `… 12 more events not shown, 3 of them errors`
pub(super) fn not_shown(omitted: Omitted, noun: &str) -> String {
    let errors = match omitted.errors {
        0 => String::new(),
        n => format!(", {} of them errors", text::grouped(n)),
    };
    format!("… {} not shown here{errors}", text::count(omitted.rows, noun))
}

/// `15:20:13.087`, and its day.
pub(super) fn clock(time: tracebook_core::time::Nanos) -> (String, String) {
    let text = time.rfc3339();
    match text.trim_end_matches('Z').split_once('T') {
        Some((day, clock)) => (day.to_owned(), clock.to_owned()),
        None => (String::new(), text),
    }
}
