//! A service map: callers at the left, what they call to their right.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use tracebook_core::evidence::Frozen;
use tracebook_core::service_map::{MapEdge, MapNode, NodeKind, ServiceMap, Traffic};
use tracebook_core::text;
use tracebook_core::time::human_duration;

use super::frame::{PAD, WIDTH};
use super::layout::{self, Layout};
use super::measure::Font;
use super::sheet::{self, END, HEAD, Head, NAME_BOLD, SMALL, STRIP, STRIP_CHART};
use super::xml::{Svg, number};

/// The most nodes that are drawn: the busiest.
const MOST_NODES: usize = 40;
/// The most calls that are drawn: the busiest.
const MOST_EDGES: usize = 160;
const HEIGHT: f64 = 74.0;
const BETWEEN: f64 = 22.0;
const LABEL: Font = Font::plain(10.0).careful();
const LABEL_LINE: f64 = 12.0;

/// What of a map is drawn.
struct Shown<'a> {
    nodes: Vec<&'a MapNode>,
    /// Caller and called as places in `nodes`.
    edges: Vec<(usize, usize, &'a MapEdge)>,
    layout: Layout,
    notes: Vec<String>,
}

fn shown(map: &ServiceMap) -> Shown<'_> {
    let mut notes = Vec::new();
    let mut nodes: Vec<&MapNode> = map.nodes.iter().collect();
    if nodes.len() > MOST_NODES {
        let busiest = |n: &&MapNode| (n.kind != NodeKind::Client, std::cmp::Reverse(n.traffic.requests));
        nodes.sort_by_key(busiest);
        let left_out = nodes.split_off(MOST_NODES).len();
        notes.push(format!(
            "the {MOST_NODES} busiest nodes are drawn; {} in the data alone",
            if left_out == 1 { "one is".to_owned() } else { format!("{} are", text::grouped(left_out)) }
        ));
    }
    let mut places: BTreeMap<u32, usize> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        places.entry(node.id).or_insert(i);
    }
    let mut edges: Vec<(usize, usize, &MapEdge)> =
        map.edges.iter().filter_map(|e| Some((*places.get(&e.from)?, *places.get(&e.to)?, e))).collect();
    if edges.len() > MOST_EDGES {
        edges.sort_by_key(|(from, to, e)| (std::cmp::Reverse(e.traffic.requests), *from, *to));
        let left_out = edges.split_off(MOST_EDGES).len();
        notes.push(format!("the {MOST_EDGES} busiest calls are drawn; {} more in the data", text::grouped(left_out)));
    }
    edges.sort_by_key(|(from, to, _)| (*from, *to));
    let pairs: Vec<(usize, usize)> = edges.iter().map(|(from, to, _)| (*from, *to)).collect();
    let clients: Vec<usize> =
        nodes.iter().enumerate().filter(|(_, n)| n.kind == NodeKind::Client).map(|(i, _)| i).collect();
    let layout = layout::layers(nodes.len(), &pairs, &clients);
    if layout.squeezed > 0 {
        let n = text::count_of(layout.squeezed, "node is", "nodes are");
        notes.push(format!("{n} further away than drawn: the last column holds what is seven calls deep and more"));
    }
    Shown { nodes, edges, layout, notes }
}

/// The places of the boxes.
struct Grid {
    width: f64,
    boxes: Vec<(f64, f64)>,
    bottom: f64,
}

impl Grid {
    fn of(layout: &Layout, nodes: usize, top: f64) -> Self {
        // Width of a box and of the gap, by how many stand side by side.
        let (width, gap) = match layout.layers.len() {
            0..=2 => (210.0, 190.0),
            3 => (190.0, 132.0),
            4 => (160.0, 66.0),
            5 => (122.0, 57.0),
            6 => (96.0, 52.0),
            _ => (80.0, 46.0),
        };
        #[expect(clippy::cast_precision_loss, reason = "at most forty")]
        let size = |n: usize, each: f64, between: f64| n as f64 * each + n.saturating_sub(1) as f64 * between;
        let tallest = layout.layers.iter().map(Vec::len).max().unwrap_or(0);
        let height = size(tallest, HEIGHT, BETWEEN);
        let mut x = (WIDTH - size(layout.layers.len(), width, gap)) / 2.0;
        let mut boxes = vec![(0.0, 0.0); nodes];
        for layer in &layout.layers {
            let mut y = top + (height - size(layer.len(), HEIGHT, BETWEEN)) / 2.0;
            for node in layer {
                boxes[*node] = (x, y);
                y += HEIGHT + BETWEEN;
            }
            x += width + gap;
        }
        Self { width, boxes, bottom: top + height }
    }
}

/// Draws the full card.
pub(super) fn draw(map: &ServiceMap, frozen: Option<&Frozen>) -> String {
    let shown = shown(map);
    let head = head(map);
    let mut svg = Svg::new();
    let top = legend(&mut svg, map, head.bottom() - 4.0);
    let mut grid = Grid::of(&shown.layout, shown.nodes.len(), top + 12.0);
    if shown.nodes.is_empty() {
        sheet::put(&mut svg, "name muted", PAD, top + 16.0, "No trace called anything.");
        grid.bottom = top + 24.0;
    }
    let routes = routes(&shown, &grid);
    let bottom = routes.iter().map(|r| r.lowest).fold(grid.bottom, f64::max);
    for route in &routes {
        route.draw(&mut svg);
    }
    for (node, (x, y)) in shown.nodes.iter().zip(&grid.boxes) {
        draw_node(&mut svg, node, *x, *y, grid.width);
    }
    let left_out = labels(&mut svg, &routes, &grid);
    for route in &routes {
        route.tip(&mut svg);
    }
    let mut notes = shown.notes;
    if left_out > 0 {
        let n = text::count_of(left_out, "call has", "calls have");
        notes.push(format!("{n} no room for numbers: they are in the table and in the data"));
    }
    notes.extend(map.notes.iter().cloned());
    let description = format!("{} · {}", head.pill.1, head.facts);
    sheet::sheet(frozen, &head, &description, svg, bottom + 8.0, &notes)
}

/// Draws the strip: the map in small.
pub(super) fn strip(map: &ServiceMap, frozen: Option<&Frozen>) -> String {
    let shown = shown(map);
    let mut svg = Svg::new();
    let layers = &shown.layout.layers;
    let mut places = vec![(0.0, 0.0); shown.nodes.len()];
    #[expect(clippy::cast_precision_loss, reason = "at most forty")]
    for (i, layer) in layers.iter().enumerate() {
        let x = STRIP_CHART + 10.0 + (END - STRIP_CHART - 20.0) * (i as f64 + 0.5) / layers.len() as f64;
        let step = ((STRIP - 16.0) / layer.len() as f64).min(15.0);
        for (j, node) in layer.iter().enumerate() {
            places[*node] = (x, STRIP / 2.0 + (j as f64 - (layer.len() as f64 - 1.0) / 2.0) * step);
        }
    }
    for (from, to, _) in &shown.edges {
        let ((x1, y1), (x2, y2)) = (places[*from], places[*to]);
        svg.leaf(
            "line",
            &[("class", "tree".into()), ("x1", x1.into()), ("y1", y1.into()), ("x2", x2.into()), ("y2", y2.into())],
        );
    }
    for (node, (x, y)) in shown.nodes.iter().zip(&places) {
        let failed = node.traffic.faults > 0 || node.traffic.errors > 0;
        let class = match node.kind {
            NodeKind::Client => "note",
            _ if failed => "bad",
            _ => "good",
        };
        let layer = shown.layout.layers.iter().map(Vec::len).max().unwrap_or(1);
        let radius = if layer > 6 { 2.0 } else { 4.0 };
        if class == "bad" {
            // Another form too, not the colour alone.
            let r = radius + 1.5;
            let path = format!("M{} {} l{r} {r} l-{r} {r} l-{r} -{r} z", number(*x), number(y - r));
            svg.leaf("path", &[("class", class.into()), ("d", (&path).into())]);
            continue;
        }
        svg.leaf("circle", &[("class", class.into()), ("cx", (*x).into()), ("cy", (*y).into()), ("r", radius.into())]);
    }
    sheet::strip(frozen, &head(map), svg)
}

fn head(map: &ServiceMap) -> Head {
    let services = map.nodes.iter().filter(|n| n.kind == NodeKind::Service).count();
    let traces = map.traces as usize;
    let failed = map.nodes.iter().filter(|n| n.traffic.faults > 0 || n.traffic.errors > 0).count();
    let title = format!("Service map of {} over {}", text::count(services, "service"), text::count(traces, "trace"));
    let mut facts = vec![text::count(map.nodes.len(), "node"), text::count(map.edges.len(), "connection")];
    if map.start.0 != 0 || map.end.0 != 0 {
        facts.push(format!("{} to {}", map.start.human(), map.end.human()));
    }
    let pill = match failed {
        0 => ("note", "SERVICE MAP".to_owned()),
        1 => ("bad", "1 NODE WITH ERRORS".to_owned()),
        n => ("bad", format!("{} NODES WITH ERRORS", text::grouped(n))),
    };
    Head { title, facts: facts.join(" · "), aside: String::new(), pill, chips: Vec::new() }
}

/// What signs and rings mean.
fn legend(svg: &mut Svg, map: &ServiceMap, top: f64) -> f64 {
    let mut x = PAD;
    let y = top + 10.0;
    for kind in
        [NodeKind::Client, NodeKind::Service, NodeKind::Remote, NodeKind::Database, NodeKind::Aws, NodeKind::Messaging]
    {
        if map.nodes.iter().any(|n| n.kind == kind) {
            glyph(svg, kind, x + 7.0, y, 0.8);
            sheet::put(svg, "small muted", x + 19.0, y + 4.0, word(kind));
            x += 19.0 + SMALL.width(word(kind)) + 14.0;
        }
    }
    let mut x = END;
    for (class, text, n) in [
        ("rhold", "throttled", map.nodes.iter().any(|n| n.traffic.throttles > 0)),
        ("rbad", "faults (5xx)", map.nodes.iter().any(|n| n.traffic.faults > 0)),
        ("rwarn", "errors (4xx)", map.nodes.iter().any(|n| n.traffic.errors > 0)),
        ("rgood", "fine", map.nodes.iter().any(|n| n.traffic.requests > 0)),
    ] {
        if !n {
            continue;
        }
        sheet::end(svg, "small muted", x, y + 4.0, text);
        x -= SMALL.width(text) + 12.0;
        let class = format!("ring {class}");
        svg.leaf("circle", &[("class", (&class).into()), ("cx", x.into()), ("cy", y.into()), ("r", 4.0.into())]);
        x -= 18.0;
    }
    top + 24.0
}

/// What a node is, in a word.
pub(super) fn word(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Client => "client",
        NodeKind::Service => "service",
        NodeKind::Remote => "remote host",
        NodeKind::Database => "database",
        NodeKind::Aws => "AWS",
        NodeKind::Messaging => "queue",
    }
}

/// The sign of a kind, some fourteen units wide.
fn glyph(svg: &mut Svg, kind: NodeKind, x: f64, y: f64, scale: f64) {
    let p = |dx: f64, dy: f64| format!("{} {}", number(x + dx * scale), number(y + dy * scale));
    let n = |v: f64| number(v * scale);
    let r = |radius: f64| format!("{} {}", n(radius), n(radius));
    let path = match kind {
        NodeKind::Client => format!(
            "M{} a{} 0 1 1 0.01 0 M{} c{} {} {} {} {} {}",
            p(0.0, -1.0),
            r(3.0),
            p(-6.0, 6.5),
            n(0.0),
            n(-7.0),
            n(12.0),
            n(-7.0),
            n(12.0),
            n(0.0)
        ),
        NodeKind::Service => format!(
            "M{} L{} L{} L{} L{} L{} Z M{} L{} L{} M{} V{}",
            p(0.0, -7.0),
            p(6.0, -3.5),
            p(6.0, 3.5),
            p(0.0, 7.0),
            p(-6.0, 3.5),
            p(-6.0, -3.5),
            p(-6.0, -3.5),
            p(0.0, 0.0),
            p(6.0, -3.5),
            p(0.0, 0.0),
            number(y + 7.0 * scale)
        ),
        NodeKind::Remote => format!(
            "M{} a{} 0 1 1 0.01 0 M{} H{} M{} c{} {} {} {} 0 {} M{} c{} {} {} {} 0 {}",
            p(0.0, 6.5),
            r(6.5),
            p(-6.5, 0.0),
            number(x + 6.5 * scale),
            p(0.0, -6.5),
            n(4.0),
            n(4.0),
            n(4.0),
            n(9.0),
            n(13.0),
            p(0.0, -6.5),
            n(-4.0),
            n(4.0),
            n(-4.0),
            n(9.0),
            n(13.0)
        ),
        NodeKind::Database => format!(
            "M{} v{} c0 {} {} {} {} 0 v{} M{} c0 {} {} {} {} 0 c0 {} {} {} {} 0",
            p(-6.0, -4.5),
            n(9.0),
            n(3.2),
            n(12.0),
            n(3.2),
            n(12.0),
            n(-9.0),
            p(-6.0, -4.5),
            n(3.2),
            n(12.0),
            n(3.2),
            n(12.0),
            n(-3.2),
            n(-12.0),
            n(-3.2),
            n(-12.0)
        ),
        NodeKind::Aws => format!(
            "M{} h{} a{} 0 0 0 {} {} a{} 0 0 0 {} {} a{} 0 0 0 {} {} z",
            p(-4.0, 4.5),
            n(8.5),
            r(3.2),
            n(0.3),
            n(-6.4),
            r(4.8),
            n(-9.0),
            n(-1.2),
            r(3.9),
            n(0.2),
            n(7.6)
        ),
        NodeKind::Messaging => {
            format!("M{} h{} v{} h{} z L{} L{}", p(-6.5, -4.5), n(13.0), n(9.0), n(-13.0), p(0.0, 1.0), p(6.5, -4.5))
        }
    };
    svg.leaf("path", &[("class", "glyph".into()), ("d", (&path).into())]);
}

/// The shares of what went well and not, as arcs.
fn ring(svg: &mut Svg, traffic: &Traffic, x: f64, y: f64, radius: f64) {
    let all = f64::from(traffic.requests);
    let parts = [
        ("rbad", f64::from(traffic.faults)),
        ("rwarn", f64::from(traffic.errors)),
        ("rhold", f64::from(traffic.throttles)),
    ];
    let failed: f64 = parts.iter().map(|(_, n)| n).sum();
    let whole = all.max(failed);
    let circle = |svg: &mut Svg, class: &str| {
        let class = format!("ring {class}");
        svg.leaf("circle", &[("class", (&class).into()), ("cx", x.into()), ("cy", y.into()), ("r", radius.into())]);
    };
    if whole <= 0.0 {
        circle(svg, "rnone");
        return;
    }
    if failed < whole {
        circle(svg, "rgood");
    }
    let mut from = 0.0;
    for (class, n) in parts.into_iter().filter(|(_, n)| *n > 0.0) {
        // One of a thousand is still seen.
        let share = (n / whole).max(0.03).min(1.0 - from);
        if share >= 0.999 {
            circle(svg, class);
        } else {
            let at = |share: f64| {
                let (sin, cos) = (share * TAU).sin_cos();
                format!("{} {}", number(x + sin * radius), number(y - cos * radius))
            };
            let path = format!(
                "M{} A{} {} 0 {} 1 {}",
                at(from),
                number(radius),
                number(radius),
                u8::from(share > 0.5),
                at(from + share)
            );
            let class = format!("ring {class}");
            svg.leaf("path", &[("class", (&class).into()), ("d", (&path).into())]);
        }
        from += share;
    }
}

/// `3 faults, 6 errors`
fn failures(traffic: &Traffic) -> Vec<String> {
    [
        (traffic.faults, "fault", "faults"),
        (traffic.errors, "error", "errors"),
        (traffic.throttles, "throttled", "throttled"),
    ]
    .into_iter()
    .filter(|(n, ..)| *n > 0)
    .map(|(n, one, many)| format!("{} {}", brief(n), if n == 1 { one } else { many }))
    .collect()
}

/// `940`, `9.9k`, `1.2M`
fn brief(n: u32) -> String {
    let n = f64::from(n);
    let text = |v: f64, unit: &str| format!("{}{unit}", format!("{v:.1}").trim_end_matches(".0"));
    if n >= 999_950.0 {
        text(n / 1e6, "M")
    } else if n >= 10_000.0 {
        text(n / 1e3, "k")
    } else {
        text::grouped(n as usize)
    }
}

fn draw_node(svg: &mut Svg, node: &MapNode, x: f64, y: f64, width: f64) {
    let traffic = &node.traffic;
    sheet::block(svg, "card", x, y, width, HEIGHT, 8.0);
    let wide = width >= 140.0;
    let radius = if wide { 14.0 } else { 9.0 };
    let (cx, cy) = if wide { (x + 23.0, y + HEIGHT / 2.0) } else { (x + 17.0, y + 17.0) };
    ring(svg, traffic, cx, cy, radius);
    glyph(svg, node.kind, cx, cy, if wide { 1.0 } else { 0.6 });
    let text = if wide { x + 45.0 } else { x + 32.0 };
    let name = sheet::clean(&node.name);
    let name = if name.is_empty() { "(no name)" } else { &name };
    let room = x + width - text - 7.0;
    // A longer name is written smaller before it is cut.
    let (font, class) = if NAME_BOLD.width(name) <= room { (NAME_BOLD, "name b") } else { (HEAD, "head") };
    let first = if wide { y + 22.0 } else { y + 21.0 };
    sheet::put(svg, class, text, first, &font.fit(name, room));
    let text = if wide { text } else { x + 8.0 };
    let room = x + width - text - 7.0;
    let (small, gap) = (LABEL, 14.0);
    let mut line = first + if wide { 16.0 } else { 18.0 };
    if traffic.requests == 0 && failures(traffic).is_empty() {
        let text_of = if node.kind == NodeKind::Client { "calls from outside" } else { "no request counted" };
        small_text(svg, "muted", text, line, &small.fit(text_of, room));
        return;
    }
    let failed = failures(traffic);
    let requests = match (brief(traffic.requests), wide) {
        (n, true) if traffic.requests == 1 => format!("{n} request"),
        (n, true) => format!("{n} requests"),
        (n, false) => format!("{n} req"),
    };
    let all = format!("{requests} · {}", failed.join(", "));
    // What failed is said by its kinds, or in sum.
    let (requests, failed) = match failed.len() {
        0 => (requests, String::new()),
        _ if small.width(&all) <= room => (requests, failed.join(", ")),
        _ if small.width(&format!("{} · {}", brief(traffic.requests), failed.join(", "))) <= room => {
            (brief(traffic.requests), failed.join(", "))
        }
        _ => {
            let sum = traffic.faults.saturating_add(traffic.errors).saturating_add(traffic.throttles);
            (brief(traffic.requests), format!("{} failed", brief(sum)))
        }
    };
    small_text(svg, "muted", text, line, &small.fit(&requests, room));
    if !failed.is_empty() {
        let used = small.width(&requests) + 6.0;
        small_text(svg, "bad b", text + used, line, &Font::bold(10.0).careful().fit(&failed, room - used));
    }
    line += gap;
    let (half, most) = (human_duration(traffic.p50.0), human_duration(traffic.p95.0));
    let both = format!("p50 {half} · p95 {most}");
    if small.width(&both) <= room {
        small_text(svg, "muted", text, line, &both);
    } else {
        small_text(svg, "muted", text, line, &small.fit(&format!("p50 {half}"), room));
        small_text(svg, "muted", text, line + 12.0, &small.fit(&format!("p95 {most}"), room));
    }
}

fn small_text(svg: &mut Svg, class: &str, x: f64, y: f64, text: &str) {
    if !text.is_empty() {
        svg.text(
            "text",
            &[("class", class.into()), ("style", "font-size:10px".into()), ("x", x.into()), ("y", y.into())],
            text,
        );
    }
}

/// A call's way over the paper: a cubic curve.
struct Route<'a> {
    points: [(f64, f64); 4],
    traffic: &'a Traffic,
    lowest: f64,
    /// Where on the curve its label is tried first.
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

    fn draw(&self, svg: &mut Svg) {
        let bad = self.traffic.faults > 0;
        let p = |(x, y): (f64, f64)| format!("{} {}", number(x), number(y));
        let [a, b, c, d] = self.points;
        let path = format!("M{} C{} {} {}", p(a), p(b), p(c), p(d));
        let mut attributes: Vec<(&'static str, super::xml::Val<'_>)> =
            vec![("class", if bad { "badline" } else { "wire" }.into()), ("d", (&path).into())];
        if self.back {
            attributes.push(("stroke-dasharray", "5 3".into()));
        }
        svg.leaf("path", &attributes);
    }

    /// The head of the arrow: upon the labels, so that none hides where a call goes.
    fn tip(&self, svg: &mut Svg) {
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

fn routes<'a>(shown: &Shown<'a>, grid: &Grid) -> Vec<Route<'a>> {
    let layer = &shown.layout.layer;
    let forward = |from: usize, to: usize| layer[from] < layer[to];
    // Calls leave and arrive side by side, in the order of where they lead.
    let mut leaving: BTreeMap<usize, Vec<(f64, usize)>> = BTreeMap::new();
    let mut arriving: BTreeMap<usize, Vec<(f64, usize)>> = BTreeMap::new();
    for (i, (from, to, _)) in shown.edges.iter().enumerate() {
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
            let step = (44.0 / list.len() as f64).min(12.0);
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
    shown
        .edges
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
                // Neighbours in one column: round the right side.
                let x = fx + width;
                let down = ty > fy;
                let (y1, y2) = if down { (fy + 60.0, ty + 14.0) } else { (fy + 14.0, ty + 60.0) };
                // Within the sheet: a curve comes three quarters of the way to what draws it.
                let bulge = (26.0 + ((y2 - y1).abs() / 12.0).min(16.0)).min((WIDTH - 5.0 - x) / 0.75);
                let points = [(x, y1), (x + bulge, y1), (x + bulge, y2), (x, y2)];
                return Route { points, traffic, lowest: 0.0, label_at: 0.5, back: false };
            }
            // Back: below everything, from the bottom of the one to the bottom of the other.
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

/// Puts numbers on the calls where they have room; returns how many have none.
fn labels(svg: &mut Svg, routes: &[Route<'_>], grid: &Grid) -> usize {
    let mut taken: Vec<[f64; 4]> =
        grid.boxes.iter().map(|(x, y)| [*x - 1.0, *y - 1.0, x + grid.width + 1.0, y + HEIGHT + 1.0]).collect();
    let mut left_out = 0;
    for route in routes {
        let traffic = route.traffic;
        let mut lines =
            vec![("muted", format!("{} ×", brief(traffic.requests))), ("muted", human_duration(traffic.p50.0))];
        let failed = traffic.faults.saturating_add(traffic.errors);
        if failed > 0 {
            lines.push(("bad", format!("{} failed", brief(failed))));
        }
        let width = lines.iter().map(|(_, l)| LABEL.width(l)).fold(0.0, f64::max) + 6.0;
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
                && *r < WIDTH - 4.0
                && taken.iter().all(|[tl, tt, tr, tb]| r <= tl || l >= tr || b <= tt || t >= tb)
        });
        let Some([left, top, right, bottom]) = free else {
            left_out += 1;
            continue;
        };
        taken.push([left, top, right, bottom]);
        sheet::block(svg, "under", left, top, right - left, bottom - top, 3.0);
        let mut y = top + LABEL_LINE - 1.0;
        for (class, text) in &lines {
            svg.text(
                "text",
                &[
                    ("class", (*class).into()),
                    ("style", "font-size:10px".into()),
                    ("x", ((left + right) / 2.0).into()),
                    ("y", y.into()),
                    ("text-anchor", "middle".into()),
                ],
                text,
            );
            y += LABEL_LINE;
        }
    }
    left_out
}
