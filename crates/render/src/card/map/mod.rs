//! The card of a service map: callers at the left, callees to their right.

mod layers;
mod list;
mod routes;

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::service_map::{MapEdge, MapNode, NodeKind, ServiceMap, Traffic};
use tracebook_core::text;
use tracebook_core::time::human_duration;

use super::Picture;
use super::captions;
use super::form::Width;
use super::frame::{PAD, end_of};
use super::layout::{self, Area, HEAD, Head, NAME_BOLD, SMALL};
use super::measure::Font;
use super::table::{Table, made};
use super::xml::{Svg, number};
use layers::Layout;
use routes::{Grid, HEIGHT, labels, routes};

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
    /// A note on nodes that are deeper than a graph shows.
    squeezed: Option<String>,
}

/// All failed requests.
fn failed(traffic: &Traffic) -> u32 {
    traffic.faults.saturating_add(traffic.errors).saturating_add(traffic.throttles)
}

/// The order in which nodes and calls are kept: by failures, then by requests.
fn failures_first(traffic: &Traffic) -> std::cmp::Reverse<(u32, u32)> {
    std::cmp::Reverse((failed(traffic), traffic.requests))
}

/// The time range of a map in minutes, if a rate over it means something: several traces, over ten seconds or more.
fn minutes(map: &ServiceMap) -> Option<f64> {
    const LEAST: i64 = 10_000_000_000;
    let range = map.end.0.saturating_sub(map.start.0);
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let minutes = range as f64 / 6e10;
    (map.traces > 1 && range >= LEAST).then_some(minutes)
}

/// `12.8/min`
pub(super) fn rate(requests: u32, minutes: f64) -> String {
    let rate = f64::from(requests) / minutes;
    match rate {
        10.0.. => format!("{}/min", text::grouped(rounded(rate))),
        _ => format!("{rate:.1}/min"),
    }
}

fn rounded(rate: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive count of requests")]
    let rounded = rate.round().clamp(0.0, 1e12) as usize;
    rounded
}

/// The share of failed requests, as a percentage: `7 %`.
fn failed_share(traffic: &Traffic) -> String {
    let share = f64::from(failed(traffic)) / f64::from(traffic.requests.max(failed(traffic)).max(1));
    match share * 100.0 {
        share if share >= 0.5 => format!("{share:.0} %"),
        _ => "< 1 %".to_owned(),
    }
}

fn shown(map: &ServiceMap) -> Shown<'_> {
    let mut notes = Vec::new();
    let mut nodes: Vec<&MapNode> = map.nodes.iter().collect();
    if nodes.len() > MOST_NODES {
        let first = |n: &&MapNode| (n.kind != NodeKind::Client, failures_first(&n.traffic));
        nodes.sort_by_key(first);
        let left_out = nodes.split_off(MOST_NODES).len();
        notes.push(format!(
            "{MOST_NODES} nodes are drawn, those with failures first, then the busiest; {} in the data alone",
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
        edges.sort_by_key(|(from, to, e)| (failures_first(&e.traffic), *from, *to));
        let left_out = edges.split_off(MOST_EDGES).len();
        notes.push(format!(
            "{MOST_EDGES} calls are drawn, those with failures first; {} more in the data",
            text::grouped(left_out)
        ));
    }
    edges.sort_by_key(|(from, to, _)| (*from, *to));
    let pairs: Vec<(usize, usize)> = edges.iter().map(|(from, to, _)| (*from, *to)).collect();
    let clients: Vec<usize> =
        nodes.iter().enumerate().filter(|(_, n)| n.kind == NodeKind::Client).map(|(i, _)| i).collect();
    let layout = layers::layers(nodes.len(), &pairs, &clients);
    let squeezed = (layout.squeezed > 0).then(|| {
        let n = text::count_of(layout.squeezed, "node is", "nodes are");
        format!("{n} deeper than drawn: the last column holds everything seven or more calls deep")
    });
    Shown { nodes, edges, layout, notes, squeezed }
}

impl Picture for &ServiceMap {
    fn head(&self, _: Option<&Frozen>) -> Head {
        head(self)
    }

    fn body(&self, svg: &mut Svg, top: f64) -> f64 {
        let shown = shown(self);
        let top = legend(svg, self, top - 6.0);
        if shown.nodes.is_empty() {
            layout::put(svg, "name muted", PAD, top + 16.0, "No calls in these traces.");
            return top + 24.0;
        }
        let Some(grid) = Grid::of(&shown.layout, shown.nodes.len(), top + 12.0, svg.width()) else {
            return list::draw(svg, self, &shown, top);
        };
        let routes = routes(&shown.edges, &shown.layout, &grid);
        let bottom = routes.iter().map(|r| r.lowest).fold(grid.bottom, f64::max);
        for route in &routes {
            route.draw(svg);
        }
        for (node, (x, y)) in shown.nodes.iter().zip(&grid.boxes) {
            draw_node(svg, node, minutes(self), (*x, *y), grid.width);
        }
        let left_out = labels(svg, &routes, &grid);
        for route in &routes {
            route.tip(svg);
        }
        if left_out == 0 {
            return bottom + 8.0;
        }
        let n = text::count_of(left_out, "call has", "calls have");
        let note = format!("{n} no room for their numbers; the table and the data have them");
        let lines = SMALL.wrap(&note, end_of(svg.width()) - PAD, 2);
        layout::lines(svg, "small muted", PAD, bottom + 6.0, &lines, 17.0) + 4.0
    }

    /// The map, scaled down.
    fn chart(&self, svg: &mut Svg, area: Area) {
        let shown = shown(self);
        let layers = &shown.layout.layers;
        let mut places = vec![(0.0, 0.0); shown.nodes.len()];
        #[expect(clippy::cast_precision_loss, reason = "at most forty")]
        for (i, layer) in layers.iter().enumerate() {
            let x = area.left + 10.0 + (area.width() - 20.0) * (i as f64 + 0.5) / layers.len() as f64;
            let step = (area.height() / layer.len() as f64).min(15.0);
            for (j, node) in layer.iter().enumerate() {
                places[*node] = (x, area.middle() + (j as f64 - (layer.len() as f64 - 1.0) / 2.0) * step);
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
            let failed = failed(&node.traffic) > 0;
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
            svg.leaf(
                "circle",
                &[("class", class.into()), ("cx", (*x).into()), ("cy", (*y).into()), ("r", radius.into())],
            );
        }
    }

    fn notes(&self, width: Width) -> Vec<String> {
        let shown = shown(self);
        let graph = Grid::of(&shown.layout, shown.nodes.len(), 0.0, width).is_some();
        // In a list, every depth is shown.
        let squeezed = shown.squeezed.into_iter().filter(|_| graph);
        shown.notes.into_iter().chain(squeezed).chain(self.notes.iter().cloned()).collect()
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

    fn alt(&self) -> Option<String> {
        let worst = self.nodes.iter().filter(|n| failed(&n.traffic) > 0).max_by_key(|n| failed(&n.traffic))?;
        let traffic = &worst.traffic;
        let name = captions::brief(&worst.name);
        Some(format!("Most failures: {name}, {} of {}", text::grouped(failed(traffic) as usize), traffic.requests))
    }
}

fn head(map: &ServiceMap) -> Head {
    let services = map.nodes.iter().filter(|n| n.kind == NodeKind::Service).count();
    let traces = map.traces as usize;
    let failed = map.nodes.iter().filter(|n| failed(&n.traffic) > 0).count();
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
    let end = end_of(svg.width());
    let (mut x, mut y) = (PAD, top + 10.0);
    let mut place = |width: f64| {
        if x > PAD && x + width > end {
            (x, y) = (PAD, y + 20.0);
        }
        let at = (x, y);
        x += width + 14.0;
        at
    };
    for kind in
        [NodeKind::Client, NodeKind::Service, NodeKind::Remote, NodeKind::Database, NodeKind::Aws, NodeKind::Messaging]
    {
        if map.nodes.iter().any(|n| n.kind == kind) {
            let (x, y) = place(19.0 + SMALL.width(word(kind)));
            glyph(svg, kind, x + 7.0, y, 0.8);
            layout::put(svg, "small muted", x + 19.0, y + 4.0, word(kind));
        }
    }
    for (class, text, n) in [
        ("rgood", "fine", map.nodes.iter().any(|n| n.traffic.requests > 0)),
        ("rwarn", "errors (4xx)", map.nodes.iter().any(|n| n.traffic.errors > 0)),
        ("rbad", "faults (5xx)", map.nodes.iter().any(|n| n.traffic.faults > 0)),
        ("rhold", "throttled", map.nodes.iter().any(|n| n.traffic.throttles > 0)),
    ] {
        if !n {
            continue;
        }
        let (x, y) = place(16.0 + SMALL.width(text));
        let class = format!("ring {class}");
        svg.leaf(
            "circle",
            &[("class", (&class).into()), ("cx", (x + 6.0).into()), ("cy", y.into()), ("r", 4.0.into())],
        );
        layout::put(svg, "small muted", x + 16.0, y + 4.0, text);
    }
    y + 14.0
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

/// A name on at most `most` lines, broken at its punctuation if possible.
fn name_lines(font: Font, name: &str, room: f64, most: usize) -> Vec<String> {
    // The parts of a host rather than the words of a part.
    let parts: Vec<&str> = name.split_inclusive(['.', '/', ':', '@', ' ']).collect();
    if parts.iter().all(|part| font.width(part) <= room) {
        let lines = filled(font, &parts, room);
        if lines.len() <= most {
            return lines;
        }
    }
    let parts: Vec<&str> = name.split_inclusive(['.', '-', '_', '/', ':', '@', ' ']).collect();
    let mut lines = filled(font, &parts, room);
    if lines.len() > most || lines.iter().any(|line| font.width(line) > room) {
        // What does not fit is shortened on the last line.
        let fits = lines.iter().take_while(|line| font.width(line) <= room).count().min(most.saturating_sub(1));
        let rest = lines.split_off(fits).concat();
        lines.extend(font.wrap(&rest, room, most.saturating_sub(fits).max(1)));
    }
    lines
}

/// Lines with as many parts as fit, and at least one.
fn filled(font: Font, parts: &[&str], room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if font.width(line) + font.width(part) <= room => line.push_str(part),
            _ => lines.push((*part).to_owned()),
        }
    }
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    lines
}

fn draw_node(svg: &mut Svg, node: &MapNode, minutes: Option<f64>, (x, y): (f64, f64), width: f64) {
    let traffic = &node.traffic;
    layout::block(svg, "card", x, y, width, HEIGHT, 8.0);
    let wide = width >= 140.0;
    let radius = if wide { 14.0 } else { 9.0 };
    let (cx, cy) = if wide { (x + 23.0, y + HEIGHT / 2.0) } else { (x + 16.0, y + 16.0) };
    ring(svg, traffic, cx, cy, radius);
    glyph(svg, node.kind, cx, cy, if wide { 1.0 } else { 0.6 });
    let left = if wide { x + 45.0 } else { x + 7.0 };
    let room = x + width - left - 6.0;
    let name = layout::clean(&node.name);
    let name = if name.is_empty() { "(no name)" } else { &name };
    // A long name takes a smaller font, then more lines, before it is truncated.
    let (font, class) = if NAME_BOLD.width(name) <= room { (NAME_BOLD, "name b") } else { (HEAD, "head") };
    let mut lines: Vec<(&str, String)> =
        name_lines(font, name, room, 4).into_iter().map(|line| (class, line)).collect();
    let small = SMALL;
    let failures = failures(traffic);
    if traffic.requests == 0 && failures.is_empty() {
        let text = if node.kind == NodeKind::Client { "calls from outside" } else { "no request counted" };
        lines.push(("muted", small.fit(text, room)));
    } else {
        let requests = text::abbreviated(traffic.requests);
        let noun = if traffic.requests == 1 { "request" } else { "requests" };
        let rate = minutes.map(|minutes| rate(traffic.requests, minutes));
        // The longest form that fits.
        let forms = [
            rate.as_ref().map(|rate| format!("{requests} {noun} · {rate}")),
            rate.as_ref().map(|rate| format!("{requests} req · {rate}")),
            rate.as_ref().map(|rate| format!("{requests} · {rate}")),
            Some(format!("{requests} {noun}")),
            Some(format!("{requests} req")),
        ];
        let requests = forms.into_iter().flatten().find(|form| small.width(form) <= room).unwrap_or(requests);
        let share = failed_share(traffic);
        let sum = text::abbreviated(failed(traffic));
        let forms =
            [format!("{} · {share}", failures.join(", ")), failures.join(", "), format!("{sum} failed · {share}")];
        let failed = forms.into_iter().find(|form| HEAD.width(form) <= room);
        if !failures.is_empty() {
            lines.push(("bad b", failed.unwrap_or_else(|| format!("{sum} failed"))));
        }
        lines.push(("muted", requests));
        let (half, most) = (human_duration(traffic.p50.0), human_duration(traffic.p95.0));
        let both = format!("p50 {half} · p95 {most}");
        let time = if small.width(&both) <= room { both } else { small.fit(&format!("p50 {half}"), room) };
        lines.push(("muted", time));
    }
    let top = if wide { y } else { y + 27.0 };
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let step = ((y + HEIGHT - top - 8.0) / lines.len() as f64).min(15.0);
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let mut line = top + (y + HEIGHT - top - step * lines.len() as f64) / 2.0 + step - 4.0;
    for (class, text) in &lines {
        match *class {
            "muted" | "bad b" => layout::put(svg, &format!("small {class}"), left, line, text),
            class => layout::put(svg, class, left, line, text),
        }
        line += step;
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
    // Failures first; a client handles no requests.
    let mut nodes: Vec<&MapNode> = map.nodes.iter().collect();
    nodes.sort_by_key(|n| std::cmp::Reverse(failed(&n.traffic)));
    let mut edges: Vec<&MapEdge> = map.edges.iter().collect();
    edges.sort_by_key(|e| std::cmp::Reverse(failed(&e.traffic)));
    let nodes = nodes.into_iter().map(|n| numbers(n.name.clone(), word(n.kind), &n.traffic));
    let edges = edges.into_iter().map(|e| numbers(format!("{} → {}", name(e.from), name(e.to)), "call", &e.traffic));
    let summary = text::count(map.nodes.len(), "node");
    let head = ["What", "Kind", "Requests", "Errors (4xx)", "Faults (5xx)", "Throttled", "p50", "p95", "Longest"];
    made(summary, head, map.nodes.len() + map.edges.len(), nodes.chain(edges))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_broken_at_their_punctuation() {
        let host = "cognito-idp.ca-central-1.amazonaws.com";
        assert_eq!(name_lines(HEAD, host, 130.0, 3), ["cognito-idp.", "ca-central-1.", "amazonaws.com"]);
        assert_eq!(name_lines(HEAD, "cruddur", 130.0, 3), ["cruddur"]);
        assert!(name_lines(HEAD, &"x".repeat(300), 130.0, 3).len() <= 3);
        assert!(name_lines(HEAD, &"x.".repeat(300), 130.0, 3).last().is_some_and(|line| line.ends_with('…')));
    }

    #[test]
    fn rates_have_few_digits() {
        assert_eq!((rate(7, 15.0), rate(1_500, 1.5)), ("0.5/min".to_owned(), "1,000/min".to_owned()));
    }
}
