//! Places the boxes of a map, routes its calls between them, and labels the calls.

use std::collections::BTreeMap;

use tracebook_core::service_map::{MapEdge, Traffic};
use tracebook_core::text;
use tracebook_core::time::human_duration;

use super::super::form::Width;
use super::super::frame::{PAD, end_of};
use super::super::layout::{self, SMALL};
use super::super::xml::{Svg, number};
use super::layers::Layout;

/// The height of a box.
pub(super) const HEIGHT: f64 = 122.0;
const BETWEEN: f64 = 22.0;
const LABEL_LINE: f64 = 14.0;

/// The places of the boxes.
pub(super) struct Grid {
    pub(super) width: f64,
    pub(super) boxes: Vec<(f64, f64)>,
    pub(super) bottom: f64,
    /// The width of the card.
    card: f64,
}

impl Grid {
    /// The boxes side by side, a column for each layer; `None` if they would be too narrow for their names.
    pub(super) fn of(layout: &Layout, nodes: usize, top: f64, width: Width) -> Option<Self> {
        const LEAST: f64 = 118.0;
        const MOST: f64 = 230.0;
        // What the labels of calls take.
        const GAP: f64 = 60.0;
        #[expect(clippy::cast_precision_loss, reason = "at most seven")]
        let columns = layout.layers.len().max(1) as f64;
        let card = width.units();
        let room = end_of(width) - PAD;
        let box_width = (room / (columns + (columns - 1.0) * 0.45)).min((room - (columns - 1.0) * GAP) / columns);
        if box_width < LEAST {
            return None;
        }
        let width = box_width.min(MOST);
        let gap = if columns > 1.0 { ((room - columns * width) / (columns - 1.0)).min(200.0) } else { 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "at most forty")]
        let size = |n: usize, each: f64, between: f64| n as f64 * each + n.saturating_sub(1) as f64 * between;
        let tallest = layout.layers.iter().map(Vec::len).max().unwrap_or(0);
        let height = size(tallest, HEIGHT, BETWEEN);
        let mut x = (card - size(layout.layers.len(), width, gap)) / 2.0;
        let mut boxes = vec![(0.0, 0.0); nodes];
        for layer in &layout.layers {
            let mut y = top + (height - size(layer.len(), HEIGHT, BETWEEN)) / 2.0;
            for node in layer {
                boxes[*node] = (x, y);
                y += HEIGHT + BETWEEN;
            }
            x += width + gap;
        }
        Some(Self { width, boxes, bottom: top + height, card })
    }
}

/// The route of a call: a cubic curve.
pub(super) struct Route<'a> {
    points: [(f64, f64); 4],
    traffic: &'a Traffic,
    pub(super) lowest: f64,
    /// The first position on the curve to try for its label.
    label_at: f64,
    back: bool,
}

impl Route<'_> {
    fn at(&self, t: f64) -> (f64, f64) {
        let s = 1.0 - t;
        let [a, b, c, d] = self.points;
        let mix =
            |a: f64, b: f64, c: f64, d: f64| s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d;
        (mix(a.0, b.0, c.0, d.0), mix(a.1, b.1, c.1, d.1))
    }

    pub(super) fn draw(&self, svg: &mut Svg) {
        let bad = self.traffic.faults > 0;
        let p = |(x, y): (f64, f64)| format!("{} {}", number(x), number(y));
        let [a, b, c, d] = self.points;
        let path = format!("M{} C{} {} {}", p(a), p(b), p(c), p(d));
        let mut attributes: Vec<(&'static str, super::super::xml::Val<'_>)> =
            vec![("class", if bad { "badline" } else { "wire" }.into()), ("d", (&path).into())];
        if self.back {
            attributes.push(("stroke-dasharray", "5 3".into()));
        }
        svg.leaf("path", &attributes);
    }

    /// The arrowhead, drawn above the labels so that none hides the target of a call.
    pub(super) fn tip(&self, svg: &mut Svg) {
        let bad = self.traffic.faults > 0;
        let p = |(x, y): (f64, f64)| format!("{} {}", number(x), number(y));
        let [_, _, c, d] = self.points;
        // In the direction in which the curve ends.
        let (dx, dy) = (d.0 - c.0, d.1 - c.1);
        let length = (dx * dx + dy * dy).sqrt().max(0.01);
        let (ux, uy) = (dx / length, dy / length);
        let base = (d.0 - ux * 7.0, d.1 - uy * 7.0);
        let tip = format!(
            "M{} L{} L{} Z",
            p(d),
            p((base.0 - uy * 3.4, base.1 + ux * 3.4)),
            p((base.0 + uy * 3.4, base.1 - ux * 3.4))
        );
        svg.leaf("path", &[("class", if bad { "badtip" } else { "wiretip" }.into()), ("d", (&tip).into())]);
    }
}

/// The route of every call, given as caller, callee and statistics.
pub(super) fn routes<'a>(edges: &[(usize, usize, &'a MapEdge)], layout: &Layout, grid: &Grid) -> Vec<Route<'a>> {
    let layer = &layout.layer;
    let forward = |from: usize, to: usize| layer[from] < layer[to];
    // Calls leave and arrive side by side, in the order of their other ends.
    let mut leaving: BTreeMap<usize, Vec<(f64, usize)>> = BTreeMap::new();
    let mut arriving: BTreeMap<usize, Vec<(f64, usize)>> = BTreeMap::new();
    for (i, (from, to, _)) in edges.iter().enumerate() {
        if forward(*from, *to) {
            leaving.entry(*from).or_default().push((grid.boxes[*to].1, i));
            arriving.entry(*to).or_default().push((grid.boxes[*from].1, i));
        }
    }
    let port = |ports: &mut BTreeMap<usize, Vec<(f64, usize)>>| {
        let mut at: BTreeMap<usize, f64> = BTreeMap::new();
        for list in ports.values_mut() {
            list.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            #[expect(clippy::cast_precision_loss, reason = "a handful of calls")]
            let step = ((HEIGHT - 36.0) / list.len() as f64).min(16.0);
            #[expect(clippy::cast_precision_loss, reason = "a handful of calls")]
            for (place, (_, edge)) in list.iter().enumerate() {
                at.insert(*edge, HEIGHT / 2.0 + (place as f64 - (list.len() as f64 - 1.0) / 2.0) * step);
            }
        }
        at
    };
    let out = port(&mut leaving);
    let into = port(&mut arriving);
    let mut backs = 0u32;
    edges
        .iter()
        .enumerate()
        .map(|(i, (from, to, edge))| {
            let ((fx, fy), (tx, ty)) = (grid.boxes[*from], grid.boxes[*to]);
            let width = grid.width;
            let traffic = &edge.traffic;
            if from == to {
                // A loop over the upper right corner.
                let (x, y) = (fx + width, fy);
                let points = [(x - 26.0, y), (x - 30.0, y - 22.0), (x + 20.0, y - 8.0), (x, y + 16.0)];
                return Route { points, traffic, lowest: 0.0, label_at: 0.5, back: false };
            }
            if forward(*from, *to) {
                let (y1, y2) = (
                    fy + out.get(&i).copied().unwrap_or(HEIGHT / 2.0),
                    ty + into.get(&i).copied().unwrap_or(HEIGHT / 2.0),
                );
                let (x1, x2) = (fx + width, tx);
                let reach = (x2 - x1) * 0.45;
                let points = [(x1, y1), (x1 + reach, y1), (x2 - reach, y2), (x2 - 1.0, y2)];
                let many = leaving.get(from).map_or(0, Vec::len) >= arriving.get(to).map_or(0, Vec::len);
                return Route { points, traffic, lowest: 0.0, label_at: if many { 0.6 } else { 0.4 }, back: false };
            }
            if layer[*from] == layer[*to] {
                // Within one column: around the right side.
                let x = fx + width;
                let down = ty > fy;
                let (y1, y2) = if down { (fy + HEIGHT - 18.0, ty + 16.0) } else { (fy + 16.0, ty + HEIGHT - 18.0) };
                // Within the card: a curve reaches three quarters of the way to its control points.
                let bulge = (26.0 + ((y2 - y1).abs() / 12.0).min(16.0)).min((grid.card - 5.0 - x) / 0.75);
                let points = [(x, y1), (x + bulge, y1), (x + bulge, y2), (x, y2)];
                return Route { points, traffic, lowest: 0.0, label_at: 0.5, back: false };
            }
            // Backwards: below all boxes, from bottom to bottom.
            let depth = 34.0 + f64::from(backs.min(6)) * 14.0;
            backs += 1;
            let floor = grid.bottom + depth;
            let points = [
                (fx + width / 2.0, fy + HEIGHT),
                (fx + width / 2.0 - 20.0, floor + 8.0),
                (tx + width / 2.0 + 20.0, floor + 8.0),
                (tx + width / 2.0, ty + HEIGHT),
            ];
            Route { points, traffic, lowest: floor, label_at: 0.5, back: true }
        })
        .collect()
}

/// Labels the calls where there is space; returns the number of calls without a label.
pub(super) fn labels(svg: &mut Svg, routes: &[Route<'_>], grid: &Grid) -> usize {
    let mut taken: Vec<[f64; 4]> =
        grid.boxes.iter().map(|(x, y)| [*x - 1.0, *y - 1.0, x + grid.width + 1.0, y + HEIGHT + 1.0]).collect();
    let mut left_out = 0;
    for route in routes {
        let traffic = route.traffic;
        let mut lines = vec![
            ("muted", format!("{} ×", text::abbreviated(traffic.requests))),
            ("muted", human_duration(traffic.p50.0)),
        ];
        let failed = traffic.faults.saturating_add(traffic.errors);
        if failed > 0 {
            lines.push(("bad", format!("{} failed", text::abbreviated(failed))));
        }
        let width = lines.iter().map(|(_, l)| SMALL.width(l)).fold(0.0, f64::max) + 6.0;
        #[expect(clippy::cast_precision_loss, reason = "three lines")]
        let height = lines.len() as f64 * LABEL_LINE + 3.0;
        let first = route.label_at;
        let tries = [first, 0.5, 1.0 - first, 0.35, 0.7, 0.25, 0.8];
        let place = tries.iter().map(|t| route.at(*t)).map(|(x, y)| {
            let (left, top) = (x - width / 2.0, y - height / 2.0);
            [left, top, left + width, top + height]
        });
        let free = place.into_iter().find(|[l, t, r, b]| {
            *l > 4.0
                && *r < grid.card - 4.0
                && taken.iter().all(|[tl, tt, tr, tb]| r <= tl || l >= tr || b <= tt || t >= tb)
        });
        let Some([left, top, right, bottom]) = free else {
            left_out += 1;
            continue;
        };
        taken.push([left, top, right, bottom]);
        layout::block(svg, "under", left, top, right - left, bottom - top, 3.0);
        let mut y = top + LABEL_LINE - 2.0;
        for (class, text) in &lines {
            layout::middle(svg, &format!("small {class}"), f64::midpoint(left, right), y, text);
            y += LABEL_LINE;
        }
    }
    left_out
}
