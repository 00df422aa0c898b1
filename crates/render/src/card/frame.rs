//! Shared by all cards: background, status pill, signs, footer.

use tracebook_core::evidence::Frozen;
use tracebook_core::text;
use tracebook_core::time::human_duration;
use tracebook_core::trace::StatusCode;

use super::captions;
use super::form::{Form, Width};
use super::measure::Font;
use super::style::STYLE;
use super::xml::{Svg, number};
use super::{LARGE, RENDERER};
use crate::inline::visible;

/// The horizontal padding of every card.
pub(super) const PAD: f64 = 16.0;

/// Where the content of a card of this width ends.
pub(super) fn end_of(width: Width) -> f64 {
    width.units() - PAD
}

/// Opens the drawing: size, description for screen readers, style, background.
pub(super) fn begin(height: f64, frozen: Option<&Frozen>, form: Form, title: &str, description: &str) -> Svg {
    let mut svg = Svg::new(form.width);
    let width = form.width.units();
    let view = format!("0 0 {width} {}", number(height));
    let mut attributes: Vec<(&'static str, super::xml::Val<'_>)> = vec![
        ("xmlns", "http://www.w3.org/2000/svg".into()),
        ("width", width.into()),
        ("height", height.into()),
        ("viewBox", (&view).into()),
        ("role", "img".into()),
    ];
    if frozen.is_some() {
        attributes.push(("data-renderer", RENDERER.into()));
        attributes.push(("data-size", form.size.word().into()));
    }
    svg.open("svg", &attributes);
    svg.text("title", &[], title);
    svg.text("desc", &[], description);
    svg.raw(STYLE);
    svg.leaf(
        "rect",
        &[
            ("class", "bg".into()),
            ("x", 0.5.into()),
            ("y", 0.5.into()),
            ("width", (width - 1.0).into()),
            ("height", (height - 1.0).into()),
            ("rx", 8.0.into()),
        ],
    );
    svg
}

/// The class and the label of a failure. Each has a sign and an outline of its own, so that colour is not the only
/// indication.
pub(super) fn failure(code: StatusCode) -> (&'static str, &'static str) {
    match code {
        StatusCode::Throttle => ("hold", "THROTTLE"),
        StatusCode::Fault => ("fault", "FAULT"),
        StatusCode::Unset | StatusCode::Ok | StatusCode::Error => ("bad", "ERROR"),
    }
}

/// The class of the outline of a failed span's bar: plain, thick, or dashed.
pub(super) fn outline(code: StatusCode) -> &'static str {
    match code {
        StatusCode::Throttle => "holdline",
        StatusCode::Fault => "faultline",
        StatusCode::Unset | StatusCode::Ok | StatusCode::Error => "badline",
    }
}

/// A sign: a disc with a tick, a cross, three dots or an i; an octagon with an exclamation mark for faults; a square
/// with two bars for throttling.
pub(super) fn sign(svg: &mut Svg, x: f64, y: f64, class: &str) {
    let at = |dx: f64, dy: f64| format!("{} {}", number(x + dx), number(y + dy));
    match class {
        "fault" => {
            let corners = [(-2.6, -6.2), (2.6, -6.2), (6.2, -2.6), (6.2, 2.6), (2.6, 6.2), (-2.6, 6.2), (-6.2, 2.6)];
            let corners: Vec<String> = corners.iter().map(|(dx, dy)| at(*dx, *dy)).collect();
            let path = format!("M{} L{} Z", at(-6.2, -2.6), corners.join(" L"));
            svg.leaf("path", &[("class", class.into()), ("d", (&path).into())]);
        }
        "hold" => svg.leaf(
            "rect",
            &[
                ("class", class.into()),
                ("x", (x - 5.6).into()),
                ("y", (y - 5.6).into()),
                ("width", 11.2.into()),
                ("height", 11.2.into()),
                ("rx", 2.5.into()),
            ],
        ),
        _ => svg.leaf("circle", &[("class", class.into()), ("cx", x.into()), ("cy", y.into()), ("r", 6.0.into())]),
    }
    let path = match class {
        "good" => format!("M{} L{} L{}", at(-2.6, 0.2), at(-0.6, 2.2), at(2.8, -2.0)),
        "open" => format!("M{} h0.01 M{} h0.01 M{} h0.01", at(-2.8, 0.0), at(0.0, 0.0), at(2.8, 0.0)),
        "info" | "note" => format!("M{} h0.01 M{} V{}", at(0.0, -2.8), at(0.0, -0.2), number(y + 3.0)),
        "fault" => format!("M{} V{} M{} h0.01", at(0.0, -3.2), number(y + 0.4), at(0.0, 3.2)),
        "hold" => {
            let bottom = number(y + 2.4);
            format!("M{} V{bottom} M{} V{bottom}", at(-1.7, -2.4), at(1.7, -2.4))
        }
        _ => format!("M{} L{} M{} L{}", at(-2.0, -2.0), at(2.0, 2.0), at(2.0, -2.0), at(-2.0, 2.0)),
    };
    svg.leaf("path", &[("class", "on".into()), ("d", (&path).into())]);
}

const SMALL: Font = Font::plain(12.0);
const MONO: Font = Font::mono(12.0);
const LINE: f64 = 18.0;

/// The lines of the footer: notes first, then the provenance.
pub(super) struct Footer {
    /// Each note on its lines.
    notes: Vec<Vec<String>>,
    /// The lines of the provenance, with their classes.
    origin: Vec<(&'static str, String)>,
    /// What stands at the right of the last of them.
    aside: String,
}

impl Footer {
    pub(super) fn of(notes: &[String], frozen: Option<&Frozen>, width: Width) -> Self {
        const MOST: usize = 8;
        let room = end_of(width) - PAD;
        let (note_lines, origin_lines) = if width.is_narrow() { (4, 5) } else { (2, 2) };
        let mut lines: Vec<String> = notes.iter().take(MOST).cloned().collect();
        if notes.len() > MOST {
            lines.push(format!("and {} more notes", notes.len() - MOST));
        }
        let mut footer = Self { notes: Vec::new(), origin: Vec::new(), aside: String::new() };
        if let Some(frozen) = frozen {
            add_notes(&mut lines, frozen);
            let provenance = &frozen.evidence.provenance;
            let captured = format!(
                "Captured {} · {} · {}",
                provenance.captured_at.human(),
                captions::origin_in_brief(provenance),
                provenance.tool
            );
            let captured = SMALL.wrap(&captured, room, origin_lines);
            footer.origin.extend(captured.into_iter().map(|line| ("small muted", line)));
            let digest = captions::short_digest(&frozen.digest);
            let id = format!("evidence {}", frozen.evidence.id);
            footer.origin.push(("small mono muted", MONO.fit(&id, room)));
            match MONO.width(&id) + MONO.width(&digest) + 16.0 <= room {
                true => footer.aside = digest,
                false => footer.origin.push(("small mono muted", digest)),
            }
        }
        let wrapped = |note: &String| SMALL.wrap(&visible(note), room - 14.0, note_lines);
        footer.notes = lines.iter().map(wrapped).collect();
        footer
    }

    pub(super) fn height(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
        let lines = (self.notes.iter().map(Vec::len).sum::<usize>() + self.origin.len()) as f64;
        if lines == 0.0 { 10.0 } else { lines * LINE + 20.0 }
    }

    pub(super) fn draw(&self, svg: &mut Svg, top: f64) {
        if self.notes.is_empty() && self.origin.is_empty() {
            return;
        }
        let end = end_of(svg.width());
        svg.leaf(
            "line",
            &[("class", "line".into()), ("x1", PAD.into()), ("y1", top.into()), ("x2", end.into()), ("y2", top.into())],
        );
        let put = |svg: &mut Svg, class: &str, x: f64, y: f64, text: &str| {
            svg.text("text", &[("class", class.into()), ("x", x.into()), ("y", y.into())], text);
        };
        let mut y = top + LINE + 2.0;
        for note in &self.notes {
            svg.leaf(
                "circle",
                &[("class", "open".into()), ("cx", (PAD + 3.0).into()), ("cy", (y - 4.0).into()), ("r", 2.5.into())],
            );
            for line in note {
                put(svg, "small", PAD + 14.0, y, line);
                y += LINE;
            }
        }
        for (class, line) in &self.origin {
            put(svg, class, PAD, y, line);
            y += LINE;
        }
        if !self.aside.is_empty() {
            svg.text(
                "text",
                &[
                    ("class", "small mono muted".into()),
                    ("x", end.into()),
                    ("y", (y - LINE).into()),
                    ("text-anchor", "end".into()),
                ],
                &self.aside,
            );
        }
    }
}

/// What evidence itself has to be noted about.
fn add_notes(lines: &mut Vec<String>, frozen: &Frozen) {
    let provenance = &frozen.evidence.provenance;
    // First: it qualifies everything above.
    let emulators = captions::emulators(provenance);
    if !emulators.is_empty() {
        lines.insert(0, format!("Answered by an {}, not by the vendor itself", emulators.join(" and an ")));
    }
    // One line has room for one of them.
    lines.extend(captions::several(provenance).into_iter().map(|endpoint| format!("from {endpoint}")));
    match provenance.credentials_removed {
        0 => {}
        n => lines.push(format!("{} taken out before the digest", text::count(n as usize, "credential"))),
    }
    if let Some(ahead) = provenance.ahead {
        lines.push(format!("the data ends {} after its capture: a clock was ahead", human_duration(ahead.0)));
    }
    match super::masked(&frozen.canonical) {
        0 => {}
        n => lines.push(format!("{} masked for the export", text::count(n, "value"))),
    }
    if frozen.canonical.len() > LARGE {
        lines
            .push(format!("too large to be inside this picture: the data is in {}.json beside it", frozen.evidence.id));
    }
}
