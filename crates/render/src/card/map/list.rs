//! A map as a list, where its columns would be too narrow: each node with what it calls, callers first.

use tracebook_core::service_map::{MapEdge, MapNode, NodeKind, ServiceMap, Traffic};
use tracebook_core::text;
use tracebook_core::time::human_duration;

use super::super::form::Width;
use super::super::frame::{PAD, end_of};
use super::super::layout::{self, NAME_BOLD, SMALL};
use super::super::xml::Svg;
use super::{Shown, failed, failed_share, failures, glyph, minutes, rate, ring};

const LINE: f64 = 17.0;
/// The most calls of a node that are listed, those with failures first.
const MOST_CALLS: usize = 12;
/// Nodes that are called over more steps than this are not indented further.
const DEEPEST: usize = 6;

/// Draws the list; returns the position below it.
pub(super) fn draw(svg: &mut Svg, map: &ServiceMap, shown: &Shown<'_>, top: f64) -> f64 {
    let mut y = top + 8.0;
    for (depth, layer) in shown.layout.layers.iter().enumerate() {
        for node in layer {
            let mut calls: Vec<(&str, &MapEdge)> = shown
                .edges
                .iter()
                .filter(|(from, ..)| from == node)
                .map(|(_, to, edge)| (shown.nodes[*to].name.as_str(), *edge))
                .collect();
            calls.sort_by_key(|(_, edge)| super::failures_first(&edge.traffic));
            y = draw_node(svg, map, shown.nodes[*node], &calls, depth.min(DEEPEST), y) + 8.0;
        }
    }
    y
}

/// A line of a node with its class.
type Text = (&'static str, String);

/// The requests of a node: how many, at which rate, how long they take, and how many failed.
fn facts(map: &ServiceMap, node: &MapNode, room: f64) -> Vec<Text> {
    let traffic = &node.traffic;
    let failed = failures(traffic);
    if traffic.requests == 0 && failed.is_empty() {
        let text = if node.kind == NodeKind::Client { "calls from outside" } else { "no request counted" };
        return vec![("small muted", text.to_owned())];
    }
    let mut parts = vec![text::count(traffic.requests as usize, "request")];
    parts.extend(minutes(map).map(|minutes| rate(traffic.requests, minutes)));
    parts.push(format!("p50 {}", human_duration(traffic.p50.0)));
    parts.push(format!("p95 {}", human_duration(traffic.p95.0)));
    let mut lines: Vec<Text> =
        SMALL.wrap(&parts.join(" · "), room, 2).into_iter().map(|line| ("small muted", line)).collect();
    if !failed.is_empty() {
        let text = format!("{} · {} failed", failed.join(", "), failed_share(traffic));
        lines.extend(SMALL.wrap(&text, room, 2).into_iter().map(|line| ("small bad b", line)));
    }
    lines
}

/// `→ cruddur · 96 × · p50 8 ms`
fn call(name: &str, traffic: &Traffic, room: f64, width: Width) -> Vec<Text> {
    let name = match layout::clean(name) {
        name if name.is_empty() => "(no name)".to_owned(),
        name => name,
    };
    let mut text =
        format!("→ {name} · {} × · p50 {}", text::abbreviated(traffic.requests), human_duration(traffic.p50.0));
    let failed = failed(traffic);
    if failed > 0 {
        text.push_str(&format!(" · {} failed", text::abbreviated(failed)));
    }
    let class = if failed > 0 { "small bad" } else { "small" };
    SMALL.wrap(&text, room, if width.is_narrow() { 3 } else { 2 }).into_iter().map(|line| (class, line)).collect()
}

fn draw_node(
    svg: &mut Svg,
    map: &ServiceMap,
    node: &MapNode,
    calls: &[(&str, &MapEdge)],
    depth: usize,
    top: f64,
) -> f64 {
    let (width, end) = (svg.width(), end_of(svg.width()));
    #[expect(clippy::cast_precision_loss, reason = "at most six")]
    let left = PAD + depth as f64 * if width.is_narrow() { 8.0 } else { 22.0 };
    let x = left + 44.0;
    let room = end - x - 10.0;
    let name = match layout::clean(&node.name) {
        name if name.is_empty() => "(no name)".to_owned(),
        name => name,
    };
    let mut lines: Vec<Text> =
        super::name_lines(NAME_BOLD, &name, room, 3).into_iter().map(|line| ("name b", line)).collect();
    lines.extend(facts(map, node, room));
    for (name, edge) in calls.iter().take(MOST_CALLS) {
        lines.extend(call(name, &edge.traffic, room, width));
    }
    if let Some(more) = calls.len().checked_sub(MOST_CALLS).filter(|more| *more > 0) {
        lines.push(("small muted", format!("… and {}", text::count_of(more, "more call", "more calls"))));
    }
    #[expect(clippy::cast_precision_loss, reason = "some lines")]
    let height = (lines.len() as f64 * LINE + 14.0).max(46.0);
    layout::block(svg, "card", left, top, end - left, height, 8.0);
    ring(svg, &node.traffic, left + 22.0, top + 23.0, 14.0);
    glyph(svg, node.kind, left + 22.0, top + 23.0, 1.0);
    let mut y = top + 19.0;
    for (class, text) in &lines {
        layout::put(svg, class, x, y, text);
        y += LINE;
    }
    top + height
}
