//! The layout of every card except traces: a header, a body, and a footer; and that of compact cards.

use tracebook_core::choose::Omitted;
use tracebook_core::evidence::Frozen;
use tracebook_core::level::LogLevel;
use tracebook_core::text;

use super::Size;
use super::captions;
use super::frame::{self, Footer, PAD, WIDTH};
use super::measure::Font;
use super::xml::Svg;
use crate::inline::visible;

pub(super) const END: f64 = WIDTH - PAD;
pub(super) const TITLE: Font = Font::bold(17.0);
pub(super) const NAME: Font = Font::plain(12.5);
pub(super) const NAME_BOLD: Font = Font::bold(12.5);
pub(super) const SMALL: Font = Font::plain(11.0);
pub(super) const HEAD: Font = Font::bold(11.0);
pub(super) const MONO: Font = Font::mono(11.0);
pub(super) const CODE: Font = Font::mono(11.5);
pub(super) const TAG: Font = Font::bold(10.0);

/// The header: title, status, and facts.
pub(super) struct Head {
    /// Shown in bold, on one line.
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
    /// The top of the body.
    pub(super) fn bottom(&self) -> f64 {
        if self.chips.is_empty() { 84.0 } else { 106.0 }
    }

    fn draw(&self, svg: &mut Svg) {
        let pill = pill(svg, END, 28.0, self.pill.0, &self.pill.1);
        put(svg, "title", PAD, 34.0, &TITLE.fit(&clean(&self.title), pill - 16.0 - PAD));
        let aside = MONO.fit(&clean(&self.aside), 380.0);
        end(svg, "small mono muted", END, 56.0, &aside);
        let room = END - PAD - if aside.is_empty() { 0.0 } else { MONO.width(&aside) + 20.0 };
        put(svg, "name muted", PAD, 56.0, &NAME.fit(&clean(&self.facts), room));
        self.chips(svg);
        rule(svg, self.bottom() - 14.0);
    }

    fn chips(&self, svg: &mut Svg) {
        let mut x = PAD;
        for (i, (name, value)) in self.chips.iter().enumerate() {
            let left = self.chips.len() - i;
            let rest = if left > 1 { 60.0 } else { 0.0 };
            let room = END - x - rest - SMALL.width(name) - 6.0;
            if room < 60.0 {
                put(svg, "small muted", x, 78.0, &format!("and {left} more"));
                return;
            }
            put(svg, "small muted", x, 78.0, name);
            x += SMALL.width(name) + 6.0;
            let most = if left > 1 { room.min(360.0) } else { room };
            let value = MONO.fit(&clean(value), most);
            put(svg, "small mono", x, 78.0, &value);
            x += MONO.width(&value) + 18.0;
        }
    }
}

/// The complete card: the body down to `bottom`, between header and footer.
pub(super) fn sheet(
    frozen: Option<&Frozen>,
    head: &Head,
    description: &str,
    body: Svg,
    bottom: f64,
    notes: &[String],
) -> String {
    let footer = footer(notes, frozen);
    let foot = bottom + 12.0;
    let title = clean(&head.title);
    let mut svg = frame::begin(foot + footer.height(), frozen, Size::Full, &title, &clean(description));
    head.draw(&mut svg);
    svg.raw(&body.finish());
    footer.draw(&mut svg, foot);
    svg.finish()
}

/// The footer, with notes truncated to the width of the card.
pub(super) fn footer(notes: &[String], frozen: Option<&Frozen>) -> Footer {
    let notes: Vec<String> = notes.iter().map(|n| SMALL.fit(&clean(n), END - PAD - 14.0)).collect();
    Footer::of(&notes, frozen)
}

/// The height of a compact card, and the left end of the picture in it.
pub(super) const STRIP: f64 = 64.0;
pub(super) const STRIP_CHART: f64 = 660.0;

/// The compact card: sign, title and facts at the left, a small picture at the right.
pub(super) fn strip(frozen: Option<&Frozen>, head: &Head, picture: Svg) -> String {
    let title = clean(&head.title);
    let (class, word) = (head.pill.0, head.pill.1.as_str());
    let mut facts = clean(&head.facts);
    if let Some(emulated) = frozen.and_then(|f| captions::emulated(&f.evidence.provenance)) {
        facts = format!("{} · {facts}", clean(&emulated));
    }
    if let Some(digest) = frozen.map(|f| captions::short_digest(&f.digest)) {
        let longer = format!("{facts} · {digest}");
        // A truncated digest is useless.
        if SMALL.width(&longer) <= STRIP_CHART - 24.0 - (PAD + 22.0) {
            facts = longer;
        }
    }
    let description = format!("{word} · {facts}");
    let mut svg = frame::begin(STRIP, frozen, Size::Compact, &title, &description);
    frame::sign(&mut svg, PAD + 6.0, 24.0, class);
    let x = PAD + 22.0;
    let room = STRIP_CHART - 24.0 - x;
    let word = if matches!(class, "good" | "note") { "" } else { word };
    let word_room = if word.is_empty() { 0.0 } else { HEAD.width(word) + 10.0 };
    let shown = Font::bold(14.0).fit(&title, room - word_room);
    svg.open(
        "text",
        &[("class", "title".into()), ("style", "font-size:14px".into()), ("x", x.into()), ("y", 29.0.into())],
    );
    svg.text("tspan", &[], &shown);
    if !word.is_empty() {
        let class = format!("pill {class}");
        svg.text("tspan", &[("class", (&class).into()), ("dx", 10.0.into())], word);
    }
    svg.close();
    put(&mut svg, "small muted", x, 48.0, &SMALL.fit(&facts, room));
    svg.raw(&picture.finish());
    svg.finish()
}

/// The pill in a header; returns its left end.
fn pill(svg: &mut Svg, right: f64, middle: f64, class: &str, word: &str) -> f64 {
    if class != "note" {
        return frame::signed(svg, right, middle, class, word);
    }
    let width = HEAD.width(word) + 22.0;
    let x = right - width;
    block(svg, "chip", x, middle - 11.0, width, 22.0, 11.0);
    put(svg, "pill muted", x + 11.0, middle + 4.0, word);
    x
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
    svg.leaf(
        "line",
        &[("class", "line".into()), ("x1", PAD.into()), ("y1", y.into()), ("x2", END.into()), ("y2", y.into())],
    );
}

/// A band behind a row.
pub(super) fn band(svg: &mut Svg, y: f64, height: f64) {
    block(svg, "band", PAD - 8.0, y, WIDTH - 2.0 * PAD + 16.0, height, 4.0);
}

/// A small label on a background; returns its width.
pub(super) fn tag(svg: &mut Svg, x: f64, middle: f64, class: &str, word: &str, most: f64) -> f64 {
    let word = TAG.fit(&clean(word), most - 12.0);
    let width = TAG.width(&word) + 12.0;
    let (ground, ink) = match class {
        "note" => ("chip".to_owned(), "tag muted".to_owned()),
        class => (format!("{class}bg"), format!("tag {class}")),
    };
    block(svg, &ground, x, middle - 8.0, width, 16.0, 4.0);
    put(svg, &ink, x + 6.0, middle + 3.5, &word);
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
