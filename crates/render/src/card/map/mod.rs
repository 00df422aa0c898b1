//! The card of a service map: callers at the left, callees to their right.

mod layers;
mod routes;

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::service_map::{MapEdge, MapNode, NodeKind, ServiceMap, Traffic};
use tracebook_core::text;
use tracebook_core::time::human_duration;

use super::Picture;
use super::captions;
use super::frame::PAD;
use super::layout::{self, END, HEAD, Head, NAME_BOLD, SMALL, STRIP, STRIP_CHART};
use super::measure::Font;
use super::table::{Table, made};
use super::xml::{Svg, number};
use layers::Layout;
use routes::{Grid, HEIGHT, LABEL, labels, routes};

/// Maximum number of nodes drawn; the busiest are kept.
const MOST_NODES: usize = 40;
/// Maximum number of calls drawn; the busiest are kept.
const MOST_EDGES: usize = 160;

/// The part of a map that is drawn.
struct Shown<'a> {
    nodes: Vec<&'a MapNode>,
    /// Caller and callee as indexes into `nodes`.
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
    let layout = layers::layers(nodes.len(), &pairs, &clients);
    if layout.squeezed > 0 {
        let n = text::count_of(layout.squeezed, "node is", "nodes are");
        notes.push(format!("{n} deeper than drawn: the last column holds everything seven or more calls deep"));
    }
    Shown { nodes, edges, layout, notes }
}

impl Picture for ServiceMap {
    fn full(&self, frozen: Option<&Frozen>) -> String {
        draw(self, frozen)
    }

    fn strip(&self, frozen: Option<&Frozen>) -> String {
        strip(self, frozen)
    }

    fn table(&self) -> Table {
        table(self)
    }

    fn subject(&self) -> String {
        captions::kind(Kind::ServiceMap).to_owned()
    }

    fn facts(&self) -> Vec<String> {
        let services = self.nodes.iter().filter(|n| n.kind == NodeKind::Service).count();
        vec![text::count(services, "service"), text::count(self.traces as usize, "trace")]
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
        layout::put(&mut svg, "name muted", PAD, top + 16.0, "No calls in these traces.");
        grid.bottom = top + 24.0;
    }
    let routes = routes(&shown.edges, &shown.layout, &grid);
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
        notes.push(format!("{n} no room for their numbers; the table and the data have them"));
    }
    notes.extend(map.notes.iter().cloned());
    let description = format!("{} · {}", head.pill.1, head.facts);
    layout::sheet(frozen, &head, &description, svg, bottom + 8.0, &notes)
}

/// Draws the compact card: the map, scaled down.
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
            // Another shape too, so that colour is not the only indication.
            let r = radius + 1.5;
            let path = format!("M{} {} l{r} {r} l-{r} {r} l-{r} -{r} z", number(*x), number(y - r));
            svg.leaf("path", &[("class", class.into()), ("d", (&path).into())]);
            continue;
        }
        svg.leaf("circle", &[("class", class.into()), ("cx", (*x).into()), ("cy", (*y).into()), ("r", radius.into())]);
    }
    layout::strip(frozen, &head(map), svg)
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

/// The legend of signs and rings.
fn legend(svg: &mut Svg, map: &ServiceMap, top: f64) -> f64 {
    let mut x = PAD;
    let y = top + 10.0;
    for kind in
        [NodeKind::Client, NodeKind::Service, NodeKind::Remote, NodeKind::Database, NodeKind::Aws, NodeKind::Messaging]
    {
        if map.nodes.iter().any(|n| n.kind == kind) {
            glyph(svg, kind, x + 7.0, y, 0.8);
            layout::put(svg, "small muted", x + 19.0, y + 4.0, word(kind));
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
        layout::end(svg, "small muted", x, y + 4.0, text);
        x -= SMALL.width(text) + 12.0;
        let class = format!("ring {class}");
        svg.leaf("circle", &[("class", (&class).into()), ("cx", x.into()), ("cy", y.into()), ("r", 4.0.into())]);
        x -= 18.0;
    }
    top + 24.0
}

/// The name of a node's kind.
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

/// The sign of a kind, about fourteen units wide.
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

/// The shares of successes and failures, as arcs.
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
        // One in a thousand is still visible.
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
    .map(|(n, one, many)| format!("{} {}", text::abbreviated(n), if n == 1 { one } else { many }))
    .collect()
}

fn draw_node(svg: &mut Svg, node: &MapNode, x: f64, y: f64, width: f64) {
    let traffic = &node.traffic;
    layout::block(svg, "card", x, y, width, HEIGHT, 8.0);
    let wide = width >= 140.0;
    let radius = if wide { 14.0 } else { 9.0 };
    let (cx, cy) = if wide { (x + 23.0, y + HEIGHT / 2.0) } else { (x + 17.0, y + 17.0) };
    ring(svg, traffic, cx, cy, radius);
    glyph(svg, node.kind, cx, cy, if wide { 1.0 } else { 0.6 });
    let text = if wide { x + 45.0 } else { x + 32.0 };
    let name = layout::clean(&node.name);
    let name = if name.is_empty() { "(no name)" } else { &name };
    let room = x + width - text - 7.0;
    // Long names use a smaller font before they are truncated.
    let (font, class) = if NAME_BOLD.width(name) <= room { (NAME_BOLD, "name b") } else { (HEAD, "head") };
    let first = if wide { y + 22.0 } else { y + 21.0 };
    layout::put(svg, class, text, first, &font.fit(name, room));
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
    let requests = match (text::abbreviated(traffic.requests), wide) {
        (n, true) if traffic.requests == 1 => format!("{n} request"),
        (n, true) => format!("{n} requests"),
        (n, false) => format!("{n} req"),
    };
    let all = format!("{requests} · {}", failed.join(", "));
    // Failures by kind, or their sum.
    let (requests, failed) = match failed.len() {
        0 => (requests, String::new()),
        _ if small.width(&all) <= room => (requests, failed.join(", ")),
        _ if small.width(&format!("{} · {}", text::abbreviated(traffic.requests), failed.join(", "))) <= room => {
            (text::abbreviated(traffic.requests), failed.join(", "))
        }
        _ => {
            let sum = traffic.faults.saturating_add(traffic.errors).saturating_add(traffic.throttles);
            (text::abbreviated(traffic.requests), format!("{} failed", text::abbreviated(sum)))
        }
    };
    small_text(svg, "muted", text, line, &small.fit(&requests, room));
    if !failed.is_empty() {
        let used = small.width(&requests) + 6.0;
        small_text(svg, "bad b", text + used, line, &Font::bold(10.0).fit(&failed, room - used));
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

fn table(map: &ServiceMap) -> Table {
    let numbers = |what: String, kind: &str, t: &Traffic| {
        let counts = [t.requests, t.errors, t.faults, t.throttles].map(|n| text::grouped(n as usize));
        let [requests, errors, faults, throttles] = counts;
        let [p50, p95, max] = [t.p50, t.p95, t.max].map(|n| human_duration(n.0));
        [what, kind.to_owned(), requests, errors, faults, throttles, p50, p95, max]
    };
    let names: BTreeMap<u32, &str> = map.nodes.iter().rev().map(|n| (n.id, n.name.as_str())).collect();
    let name = |id: u32| match names.get(&id) {
        Some(name) => captions::brief(name),
        None => format!("node {id}"),
    };
    let nodes = map.nodes.iter().map(|n| numbers(n.name.clone(), word(n.kind), &n.traffic));
    let edges = map.edges.iter().map(|e| numbers(format!("{} → {}", name(e.from), name(e.to)), "call", &e.traffic));
    let summary = text::count(map.nodes.len(), "node");
    let head = ["What", "Kind", "Requests", "Errors (4xx)", "Faults (5xx)", "Throttled", "p50", "p95", "Longest"];
    made(summary, head, map.nodes.len() + map.edges.len(), nodes.chain(edges))
}
