//! The result of a live card: its card, in a frame that marks it as not frozen.

use tracebook_core::evidence::Body;
use tracebook_core::time::Nanos;

use super::form::Form;
use super::layout::{self, HEAD, SMALL};
use super::preview;
use super::xml::{Svg, number};

/// The height of the line above the card, and the mark in it.
const BANNER: f64 = 26.0;
const MARK: &str = "LIVE, NOT EVIDENCE";

/// Draws a result that is not frozen: without digest and metadata, and marked, so that a copy cannot be mistaken for
/// evidence.
pub fn live(body: &Body, form: impl Into<Form>, asked_at: Nanos, question: &str) -> String {
    let form = form.into();
    let width = form.width.units();
    let inner = preview(body, form);
    let height = height_of(&inner) + BANNER;
    let view = format!("0 0 {width} {}", number(height));
    let mut svg = Svg::new(form.width);
    svg.open(
        "svg",
        &[
            ("xmlns", "http://www.w3.org/2000/svg".into()),
            ("width", width.into()),
            ("height", height.into()),
            ("viewBox", (&view).into()),
            ("role", "img".into()),
        ],
    );
    // The card's style comes first and applies to the whole document.
    svg.open("svg", &[("y", BANNER.into()), ("width", width.into()), ("height", (height - BANNER).into())]);
    svg.raw(&inner);
    svg.close();
    layout::block(&mut svg, "openbg", 0.5, 0.5, width - 1.0, BANNER - 3.0, 6.0);
    svg.leaf("circle", &[("class", "open".into()), ("cx", 16.0.into()), ("cy", 12.0.into()), ("r", 4.0.into())]);
    layout::put(&mut svg, "pill open", 27.0, 16.0, MARK);
    let x = 27.0 + HEAD.width(MARK) + 14.0;
    let (at, room) = (asked_at.human(), width - x - 14.0);
    let said = match form.width.is_narrow() {
        // The time matters more than the words before it and the question behind it.
        true => SMALL.fit(at.split_once(' ').map_or(at.as_str(), |(_, clock)| clock), room),
        false => SMALL.fit(&format!("answered {at} · {question}"), room),
    };
    layout::put(&mut svg, "small", x, 16.0, &said);
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
    use super::super::Size;
    use super::*;

    #[test]
    fn a_result_is_marked_and_is_not_evidence() {
        let console = tracebook_core::console::Console::from_text("docker compose ps", "db  running </svg>");
        let body = Body::Console(console);
        for size in Size::ALL {
            let card = live(&body, size, Nanos(1_795_447_213_087_028_123), "console lines of local telemetry <x>");
            assert!(card.contains("LIVE, NOT EVIDENCE") && card.contains("answered 2026-11-23 15:20:13 UTC"));
            assert!(!card.contains("<x>") && !card.contains("<metadata") && !card.contains("data-renderer"));
            let inner = height_of(&preview(&body, size));
            assert!(inner > 20.0, "{inner}");
            assert!((height_of(&card) - inner - BANNER).abs() < 0.01);
            // One style, and the first: the window asks for a colour scheme by it.
            assert_eq!(card.matches("<style>").count(), 1);
            assert!(super::super::themed(&card, true).contains("@media all"));
            assert_eq!(card.matches("<svg").count(), card.matches("</svg>").count());
        }
    }
}
