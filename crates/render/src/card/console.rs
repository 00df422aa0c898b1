//! Console output as a terminal shows it.

use tracebook_core::console::{Console, ConsoleLine};
use tracebook_core::evidence::Frozen;
use tracebook_core::text;

use super::ansi::{self, Dress};
use super::frame::PAD;
use super::sheet::{self, END, Head, MONO, STRIP, STRIP_CHART};
use super::xml::Svg;

/// Of a long output the first and the last lines are shown.
const FIRST: usize = 20;
const LAST: usize = 60;
const LINE: f64 = 16.5;
/// A character's width at 11.5 units: what `textLength` stretches or squeezes every font to.
pub(super) const CELL: f64 = 6.93;

/// Draws the full card.
pub(super) fn draw(console: &Console, frozen: Option<&Frozen>) -> String {
    let head = head(console);
    let mut svg = Svg::new();
    let top = head.bottom() - 4.0;
    let all = console.lines.len();
    let gap = if all > FIRST + LAST { FIRST..all - LAST } else { 0..0 };
    #[expect(clippy::cast_precision_loss, reason = "at most eighty lines")]
    let rows = (all - gap.len() + usize::from(!gap.is_empty()) + usize::from(console.more > 0)).max(1) as f64;
    let height = rows * LINE + 18.0;
    sheet::block(&mut svg, "term", PAD, top, END - PAD, height, 6.0);
    let mut y = top + 22.0;
    let numbers = all.saturating_add(console.more as usize).to_string();
    let gutter = PAD + 14.0 + MONO.width(&numbers);
    let text = gutter + 38.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a hundred columns")]
    let columns = ((END - 12.0 - text) / CELL) as usize;
    if console.more > 0 {
        let n = text::count_of(console.more as usize, "earlier line is", "earlier lines are");
        sheet::put(&mut svg, "small open", text, y, &format!("{n} not kept in this evidence"));
        y += LINE;
    }
    if all == 0 {
        sheet::put(&mut svg, "small muted", text, y, "(no output)");
    }
    let mut dress = Dress::default();
    for (i, line) in console.lines.iter().enumerate() {
        if !gap.is_empty() && i == gap.start {
            let n = text::count(gap.len(), "line");
            sheet::put(&mut svg, "small muted", text, y, &format!("… {n} not shown here (all in the data)"));
            y += LINE;
        }
        if gap.contains(&i) {
            // Not drawn, but its colours go on.
            ansi::pieces(&line.text, 0, &mut dress);
            continue;
        }
        let number = i.saturating_add(console.more as usize).saturating_add(1);
        sheet::end(&mut svg, "small mono muted", gutter, y, &number.to_string());
        if line.stderr {
            sheet::put(&mut svg, "tag bad", gutter + 12.0, y, "err");
        }
        terminal_line(&mut svg, &line.text, text, y, columns, &mut dress);
        y += LINE;
    }
    let description = format!("{} · {}", head.pill.1, head.facts);
    sheet::sheet(frozen, &head, &description, svg, top + height, &console.notes)
}

/// One line in its colours, cut with an ellipsis.
pub(super) fn terminal_line(svg: &mut Svg, line: &str, x: f64, y: f64, columns: usize, dress: &mut Dress) {
    let (pieces, cut) = ansi::pieces(line, columns.saturating_sub(1), dress);
    #[expect(clippy::cast_precision_loss, reason = "a hundred columns")]
    let at = |column: usize| x + column as f64 * CELL;
    for piece in &pieces {
        if let Some(ground) = piece.dress.ground() {
            sheet::block(svg, &ground, at(piece.column), y - 12.0, at(piece.columns) - x, LINE - 1.0, 2.0);
        }
    }
    for piece in &pieces {
        let blanks = piece.text.len() - piece.text.trim_start_matches(' ').len();
        let text = piece.text.trim_matches(' ');
        let trailing = piece.text.len() - blanks - text.len();
        if text.is_empty() {
            continue;
        }
        let class = format!("mono code {}", piece.dress.classes());
        let width = at(piece.columns.saturating_sub(blanks + trailing)) - x;
        svg.text(
            "text",
            &[
                ("class", class.trim_end().into()),
                ("xml:space", "preserve".into()),
                ("x", at(piece.column + blanks).into()),
                ("y", y.into()),
                ("textLength", width.into()),
            ],
            text,
        );
    }
    if cut {
        let end = pieces.last().map_or(0, |p| p.column + p.columns);
        sheet::put(svg, "mono code muted", at(end), y, "…");
    }
}

/// Draws the strip: the last lines in small.
pub(super) fn strip(console: &Console, frozen: Option<&Frozen>) -> String {
    let mut svg = Svg::new();
    sheet::block(&mut svg, "term", STRIP_CHART, 8.5, END - STRIP_CHART, STRIP - 17.0, 4.0);
    let spoken: Vec<&ConsoleLine> =
        console.lines.iter().rev().filter(|l| !ansi::plain(&l.text).trim().is_empty()).take(3).collect();
    let mut y = 21.0;
    for line in spoken.into_iter().rev() {
        let beginning: String = line.text.chars().take(400).collect();
        let plain = sheet::clean(&ansi::plain(&beginning).replace('\t', " "));
        let text = super::measure::Font::mono(9.0).careful().fit(&plain, END - STRIP_CHART - 14.0);
        let class = if line.stderr { "mono bad" } else { "mono muted" };
        svg.text(
            "text",
            &[
                ("class", class.into()),
                ("style", "font-size:9px".into()),
                ("x", (STRIP_CHART + 7.0).into()),
                ("y", y.into()),
            ],
            &text,
        );
        y += 14.0;
    }
    sheet::strip(frozen, &head(console), svg)
}

fn head(console: &Console) -> Head {
    let title = match console.source.trim() {
        "" => "Console output".to_owned(),
        source => source.chars().take(300).collect(),
    };
    let mut facts = vec![text::count(console.lines.len(), "line")];
    let errors = console.lines.iter().filter(|l| l.stderr).count();
    if errors > 0 {
        facts.push(format!("{} on standard error", text::grouped(errors)));
    }
    if let Some(first) = console.lines.iter().filter_map(|l| l.time).min() {
        facts.push(first.rfc3339().replace('T', " ").replace('Z', " UTC"));
    }
    let pill = match console.exit_code {
        None => ("note", "CONSOLE".to_owned()),
        Some(0) => ("good", "EXIT CODE 0".to_owned()),
        Some(code) => ("bad", format!("EXIT CODE {code}")),
    };
    Head { title, facts: facts.join(" · "), aside: String::new(), pill, chips: Vec::new() }
}
