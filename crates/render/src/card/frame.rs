//! Shared by all cards: background, status pill, footer.

use tracebook_core::evidence::Frozen;
use tracebook_core::text;
use tracebook_core::time::human_duration;
use tracebook_core::trace::StatusCode;

use super::captions;
use super::measure::Font;
use super::style::STYLE;
use super::xml::Svg;
use super::{LARGE, RENDERER, Size};

/// The width of every card, and its horizontal padding.
pub(super) const WIDTH: f64 = 880.0;
pub(super) const PAD: f64 = 20.0;

/// Opens the drawing: size, description for screen readers, style, background.
pub(super) fn begin(height: f64, frozen: Option<&Frozen>, size: Size, title: &str, description: &str) -> Svg {
    let mut svg = Svg::new();
    let view = format!("0 0 {WIDTH} {height}");
    let mut attributes: Vec<(&'static str, super::xml::Val<'_>)> = vec![
        ("xmlns", "http://www.w3.org/2000/svg".into()),
        ("width", WIDTH.into()),
        ("height", height.into()),
        ("viewBox", (&view).into()),
        ("role", "img".into()),
    ];
    if frozen.is_some() {
        attributes.push(("data-renderer", RENDERER.into()));
        attributes.push(("data-size", size.word().into()));
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
            ("width", (WIDTH - 1.0).into()),
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

const PILL: Font = Font::bold(11.0);

/// A pill with a colour class, its sign and a label; returns its left end.
pub(super) fn signed(svg: &mut Svg, right: f64, middle: f64, class: &str, word: &str) -> f64 {
    let ground = format!("{class}bg");
    let width = PILL.width(word) + 34.0;
    let x = right - width;
    svg.leaf(
        "rect",
        &[
            ("class", (&ground).into()),
            ("x", x.into()),
            ("y", (middle - 11.0).into()),
            ("width", width.into()),
            ("height", 22.0.into()),
            ("rx", 11.0.into()),
        ],
    );
    sign(svg, x + 13.0, middle, class);
    let class = format!("pill {class}");
    svg.text("text", &[("class", (&class).into()), ("x", (x + 24.0).into()), ("y", (middle + 4.0).into())], word);
    x
}

/// A sign: a disc with a tick, a cross, three dots or an i; an octagon with an exclamation mark for faults; a square
/// with two bars for throttling.
pub(super) fn sign(svg: &mut Svg, x: f64, y: f64, class: &str) {
    let at = |dx: f64, dy: f64| format!("{} {}", super::xml::number(x + dx), super::xml::number(y + dy));
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
        "info" | "note" => format!("M{} h0.01 M{} V{}", at(0.0, -2.8), at(0.0, -0.2), super::xml::number(y + 3.0)),
        "fault" => format!("M{} V{} M{} h0.01", at(0.0, -3.2), super::xml::number(y + 0.4), at(0.0, 3.2)),
        "hold" => {
            let bottom = super::xml::number(y + 2.4);
            format!("M{} V{bottom} M{} V{bottom}", at(-1.7, -2.4), at(1.7, -2.4))
        }
        _ => format!("M{} L{} M{} L{}", at(-2.0, -2.0), at(2.0, 2.0), at(2.0, -2.0), at(-2.0, 2.0)),
    };
    svg.leaf("path", &[("class", "on".into()), ("d", (&path).into())]);
}

const SMALL: Font = Font::plain(11.0);
const DIGEST: Font = Font::mono(11.0);
pub(super) const FOOT_LINE: f64 = 17.0;

/// The lines of the footer: notes first, then the provenance.
pub(super) struct Footer {
    notes: Vec<String>,
    origin: Option<(String, String, String)>,
}

impl Footer {
    pub(super) fn of(notes: &[String], frozen: Option<&Frozen>) -> Self {
        const MOST: usize = 8;
        let mut lines: Vec<String> = notes.iter().take(MOST).cloned().collect();
        if notes.len() > MOST {
            lines.push(format!("and {} more notes", notes.len() - MOST));
        }
        let Some(frozen) = frozen else { return Self { notes: lines, origin: None } };
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
            lines.push(format!(
                "too large to be inside this picture: the data is in {}.json beside it",
                frozen.evidence.id
            ));
        }
        let captured = format!(
            "Captured {} · {} · {}",
            provenance.captured_at.human(),
            captions::origin_in_brief(provenance),
            provenance.tool
        );
        let id = format!("evidence {}", frozen.evidence.id);
        Self { notes: lines, origin: Some((captured, id, captions::short_digest(&frozen.digest))) }
    }

    pub(super) fn height(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
        let lines = (self.notes.len() + if self.origin.is_some() { 2 } else { 0 }) as f64;
        if lines == 0.0 { 10.0 } else { lines * FOOT_LINE + 20.0 }
    }

    pub(super) fn draw(&self, svg: &mut Svg, top: f64) {
        if self.notes.is_empty() && self.origin.is_none() {
            return;
        }
        svg.leaf(
            "line",
            &[
                ("class", "line".into()),
                ("x1", PAD.into()),
                ("y1", top.into()),
                ("x2", (WIDTH - PAD).into()),
                ("y2", top.into()),
            ],
        );
        let room = WIDTH - 2.0 * PAD;
        let mut y = top + FOOT_LINE + 3.0;
        for note in &self.notes {
            svg.leaf(
                "circle",
                &[("class", "open".into()), ("cx", (PAD + 3.0).into()), ("cy", (y - 4.0).into()), ("r", 2.5.into())],
            );
            let text = SMALL.fit(note, room - 14.0);
            svg.text("text", &[("class", "small".into()), ("x", (PAD + 14.0).into()), ("y", y.into())], &text);
            y += FOOT_LINE;
        }
        if let Some((captured, id, digest)) = &self.origin {
            svg.text(
                "text",
                &[("class", "small muted".into()), ("x", PAD.into()), ("y", y.into())],
                &SMALL.fit(captured, room),
            );
            y += FOOT_LINE;
            svg.text(
                "text",
                &[("class", "small mono muted".into()), ("x", PAD.into()), ("y", y.into())],
                &DIGEST.fit(id, room / 2.0),
            );
            let end = WIDTH - PAD;
            svg.text(
                "text",
                &[
                    ("class", "small mono muted".into()),
                    ("x", end.into()),
                    ("y", y.into()),
                    ("text-anchor", "end".into()),
                ],
                digest,
            );
        }
    }
}
