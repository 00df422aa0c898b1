//! The result of a live card: its card, in a frame that marks it as not frozen.

use tracebook_core::evidence::Body;
use tracebook_core::time::Nanos;

use super::frame::WIDTH;
use super::measure::Font;
use super::xml::Svg;
use super::{Size, preview};

/// The height of the line above the card.
const BANNER: f64 = 26.0;
const PILL: Font = Font::bold(11.0);
const SMALL: Font = Font::plain(11.0);

/// Draws a result that is not frozen: without digest and metadata, and marked, so that a copy cannot be mistaken for
/// evidence.
pub fn live(body: &Body, size: Size, asked_at: Nanos, question: &str) -> String {
    let inner = preview(body, size);
    let height = height_of(&inner) + BANNER;
    let view = format!("0 0 {WIDTH} {height}");
    let mut svg = Svg::new();
    svg.open(
        "svg",
        &[
            ("xmlns", "http://www.w3.org/2000/svg".into()),
            ("width", WIDTH.into()),
            ("height", height.into()),
            ("viewBox", (&view).into()),
            ("role", "img".into()),
        ],
    );
    // The card's style comes first and applies to the whole document.
    svg.open("svg", &[("y", BANNER.into()), ("width", WIDTH.into()), ("height", (height - BANNER).into())]);
    svg.raw(&inner);
    svg.close();
    svg.leaf(
        "rect",
        &[
            ("class", "openbg".into()),
            ("x", 0.5.into()),
            ("y", 0.5.into()),
            ("width", (WIDTH - 1.0).into()),
            ("height", (BANNER - 3.0).into()),
            ("rx", 6.0.into()),
        ],
    );
    svg.leaf("circle", &[("class", "open".into()), ("cx", 16.0.into()), ("cy", 12.0.into()), ("r", 4.0.into())]);
    svg.text("text", &[("class", "pill open".into()), ("x", 27.0.into()), ("y", 16.0.into())], "LIVE, NOT EVIDENCE");
    let x = 27.0 + PILL.width("LIVE, NOT EVIDENCE") + 14.0;
    let said = SMALL.fit(&format!("answered {} · {question}", asked_at.human()), WIDTH - x - 14.0);
    svg.text("text", &[("class", "small".into()), ("x", x.into()), ("y", 16.0.into())], &said);
    svg.finish()
}

/// The height of a card, from its first tag.
fn height_of(svg: &str) -> f64 {
    let tag = svg.split_once('>').map_or(svg, |(tag, _)| tag);
    let height = tag.split_once(" height=\"").and_then(|(_, rest)| rest.split_once('"'));
    height.and_then(|(height, _)| height.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_marked_and_is_not_evidence() {
        let console = tracebook_core::console::Console::from_text("docker compose ps", "db  running </svg>");
        let body = Body::Console(console);
        for size in [Size::Full, Size::Compact] {
            let card = live(&body, size, Nanos(1_795_447_213_087_028_123), "console lines of local telemetry <x>");
            assert!(card.contains("LIVE, NOT EVIDENCE") && card.contains("answered 2026-11-23 15:20:13 UTC"));
            assert!(!card.contains("<x>") && !card.contains("<metadata") && !card.contains("data-renderer"));
            let inner = height_of(&preview(&body, size));
            assert!(inner > 40.0);
            assert!((height_of(&card) - inner - BANNER).abs() < 0.01);
            // One style, and the first: the window asks for a colour scheme by it.
            assert_eq!(card.matches("<style>").count(), 1);
            assert!(super::super::themed(&card, true).contains("@media all"));
            assert_eq!(card.matches("<svg").count(), card.matches("</svg>").count());
        }
    }
}
