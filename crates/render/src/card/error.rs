//! The card of an error item.

use tracebook_core::errors::{CodeFrame, ErrorItem, ErrorTrace, Level, Occurrence};
use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::text;
use tracebook_core::time::Nanos;
use tracebook_core::value::Attribute;

use super::Picture;
use super::captions::{self, brief};
use super::frame::PAD;
use super::layout::{self, CODE, END, HEAD, Head, MONO, NAME, NAME_BOLD, SMALL, STRIP, STRIP_CHART};
use super::table::{Table, made};
use super::xml::Svg;
use crate::inline::visible;

/// Maximum number of exceptions drawn of a chain.
const MOST_TRACES: usize = 6;
/// Maximum number of frames drawn of an exception; the most recent ones are kept.
const MOST_FRAMES: usize = 24;
/// Maximum number of rows of request or custom data.
const MOST_PAIRS: usize = 12;
/// Maximum number of local variables of a frame.
const MOST_LOCALS: usize = 8;
/// Maximum number of lines of code before and after the failing one.
const MOST_CONTEXT: usize = 4;
/// Maximum number of lines of a message.
const MOST_LINES: usize = 12;

impl Picture for ErrorItem {
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
        captions::kind(Kind::Error).to_owned()
    }

    fn facts(&self) -> Vec<String> {
        let mut facts = vec![brief(&self.title)];
        facts.push(text::count(self.occurrences as usize, "occurrence"));
        facts.extend((!self.environment.is_empty()).then(|| brief(&self.environment)));
        facts
    }
}

/// Draws the full card.
pub(super) fn draw(error: &ErrorItem, frozen: Option<&Frozen>) -> String {
    let head = head(error);
    let occurrence = &error.occurrence;
    let mut svg = Svg::new();
    let mut y = grid(&mut svg, &facts(error), head.bottom() - 4.0);
    let shown_whole = layout::TITLE.fit(&head.title, 600.0) == head.title;
    if occurrence.traces.is_empty() {
        let text = if occurrence.message.is_empty() { &error.title } else { &occurrence.message };
        let lines = CODE.wrap(text, END - PAD - 24.0, MOST_LINES);
        // A message that is part of the title is not repeated.
        if text.trim().is_empty() {
            layout::put(&mut svg, "small muted", PAD, y + 14.0, "(neither a message nor a traceback was sent)");
            y += 22.0;
        } else if !(shown_whole && lines.len() <= 1 && text.trim() == head.title) {
            y = section(&mut svg, "Message", "", y);
            y = ground(&mut svg, y, &lines);
        }
    } else {
        let count = occurrence.traces.len();
        y = section(&mut svg, "Traceback", "most recent call last", y);
        for (i, trace) in occurrence.traces.iter().take(MOST_TRACES).enumerate() {
            y = exception(&mut svg, trace, i > 0, y);
        }
        if count > MOST_TRACES {
            let more = text::count(count - MOST_TRACES, "more cause");
            layout::put(&mut svg, "small muted", PAD, y + 12.0, &format!("… and {more} (all in the data)"));
            y += 22.0;
        }
    }
    y = request(&mut svg, occurrence, y);
    y = pairs(&mut svg, "Custom data", occurrence.custom.iter(), y);
    y = others(&mut svg, error, y);
    let description = format!("{} · {}", head.pill.1, head.facts);
    layout::sheet(frozen, &head, &description, svg, y, &occurrence.notes)
}

/// Draws the compact card: the number of occurrences and their times.
pub(super) fn strip(error: &ErrorItem, frozen: Option<&Frozen>) -> String {
    let mut svg = Svg::new();
    let times: Vec<Nanos> = moments(error);
    let (first, last) = (error.first.min(error.last), error.last);
    let count = match error.occurrences {
        0 => String::new(),
        n => format!("{}×", text::grouped(n as usize)),
    };
    layout::end(&mut svg, "title", END, 30.0, &count);
    let class = level(error.level).0;
    let base = STRIP - 15.0;
    layout::block(&mut svg, "tree", STRIP_CHART, base, END - STRIP_CHART, 0.5, 0.0);
    for time in times.iter().take(60) {
        let x = STRIP_CHART + 4.0 + share(*time, first, last) * (END - STRIP_CHART - 8.0);
        svg.leaf("circle", &[("class", class.into()), ("cx", x.into()), ("cy", base.into()), ("r", 3.5.into())]);
    }
    layout::strip(frozen, &head(error), svg)
}

/// All known times.
fn moments(error: &ErrorItem) -> Vec<Nanos> {
    let mut times = vec![error.first, error.last, error.occurrence.timestamp];
    times.extend(error.others.iter().map(|o| o.timestamp));
    times.sort_unstable();
    times.dedup();
    times
}

/// The position of a time between the first and the last.
fn share(time: Nanos, first: Nanos, last: Nanos) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a position on paper")]
    let length = |to: Nanos| to.0.saturating_sub(first.0) as f64;
    let whole = length(last);
    if whole > 0.0 { (length(time) / whole).clamp(0.0, 1.0) } else { 1.0 }
}

fn level(level: Level) -> (&'static str, String) {
    let class = match level {
        Level::Critical | Level::Error => "bad",
        Level::Warning => "open",
        Level::Info => "info",
        Level::Debug => "note",
    };
    (class, level.word().to_uppercase())
}

fn head(error: &ErrorItem) -> Head {
    let title = error.title.trim().lines().next().unwrap_or_default();
    let title = match title {
        "" => "(no title)".to_owned(),
        title => layout::clean(title),
    };
    let mut facts = vec![text::count(error.occurrences as usize, "occurrence")];
    if error.occurrences > 1 && error.first < error.last {
        facts.push(format!("first {}", error.first.human()));
        facts.push(format!("last {}", error.last.human()));
    } else {
        facts.push(error.last.human());
    }
    if error.people > 0 {
        facts.push(text::count_of(error.people as usize, "person", "people"));
    }
    let item: String = error.item.chars().take(24).collect();
    let aside = if item.is_empty() { item } else { format!("item {item}") };
    Head { title, facts: facts.join(" · "), aside, pill: level(error.level), chips: Vec::new() }
}

/// Properties of the occurrence.
pub(super) fn facts(error: &ErrorItem) -> Vec<(&'static str, String)> {
    let occurrence = &error.occurrence;
    let other = |key: &str| tracebook_core::value::get(&occurrence.other, key).map(ToString::to_string);
    let person = occurrence.person.as_ref().map(|p| {
        let mut text = layout::clean(p.label());
        let more: Vec<&str> = [Some(p.id.as_str()), p.email.as_deref()]
            .into_iter()
            .flatten()
            .filter(|t| !t.is_empty() && *t != p.label())
            .collect();
        if !more.is_empty() {
            text.push_str(&format!(" ({})", more.join(", ")));
        }
        text
    });
    let environment = [&occurrence.environment, &error.environment].into_iter().find(|e| !e.is_empty()).cloned();
    let notifier = other("notifier.name").map(|name| match other("notifier.version") {
        Some(version) => format!("{name} {version}"),
        None => name,
    });
    [
        ("Level", Some(error.level.word().to_owned())),
        ("Occurred", Some(occurrence.timestamp.human())),
        ("Environment", environment),
        ("Context", Some(occurrence.context.clone())),
        ("Person", person),
        ("Framework", other("framework")),
        ("Language", other("language")),
        ("Host", other("server.host").or_else(|| other("host"))),
        ("Code version", other("code_version")),
        ("Notifier", notifier),
        ("Occurrence", Some(occurrence.uuid.clone())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .filter(|(_, value)| !value.trim().is_empty())
    .collect()
}

/// Names and values in two columns.
fn grid(svg: &mut Svg, facts: &[(&'static str, String)], top: f64) -> f64 {
    const NAMES: f64 = 92.0;
    let column = (END - PAD) / 2.0;
    let facts: Vec<_> = facts.iter().filter(|(name, _)| *name != "Level").collect();
    for (i, (name, value)) in facts.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a handful of facts")]
        let (x, y) = (PAD + (i % 2) as f64 * column, top + 15.0 + (i / 2) as f64 * 19.0);
        layout::put(svg, "small muted", x, y, name);
        layout::put(svg, "name", x + NAMES, y, &NAME.fit(&layout::clean(value), column - NAMES - 12.0));
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of facts")]
    let rows = facts.len().div_ceil(2) as f64;
    top + rows * 19.0 + 8.0
}

/// A heading; returns the position below it.
fn section(svg: &mut Svg, name: &str, aside: &str, y: f64) -> f64 {
    let y = y + 8.0;
    layout::rule(svg, y);
    layout::put(svg, "name b", PAD, y + 20.0, name);
    layout::end(svg, "small muted", END, y + 20.0, aside);
    y + 28.0
}

/// Lines of text on a background.
fn ground(svg: &mut Svg, y: f64, lines: &[String]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a dozen lines")]
    let height = lines.len() as f64 * 16.0 + 14.0;
    layout::block(svg, "term", PAD, y + 2.0, END - PAD, height, 6.0);
    let mut line = y + 20.0;
    for text in lines {
        layout::code(svg, "", PAD + 12.0, line, text);
        line += 16.0;
    }
    y + height + 4.0
}

/// Whether a frame is library code, which is rarely the cause of an error.
fn is_library(file: &str) -> bool {
    const LIBRARIES: [&str; 10] = [
        "site-packages",
        "dist-packages",
        "node_modules",
        "/lib/python",
        "/gems/",
        "/usr/lib/",
        "/usr/local/lib/",
        "<frozen ",
        "node:",
        "vendor/bundle",
    ];
    let file: String = file.chars().take(1_000).collect();
    LIBRARIES.iter().any(|l| file.contains(l))
}

/// `app.py:141 in data_handle`
pub(super) fn place(frame: &CodeFrame) -> String {
    let mut text = match frame.filename.is_empty() {
        true => "(unknown file)".to_owned(),
        false => frame.filename.clone(),
    };
    if let Some(line) = frame.lineno {
        text.push_str(&format!(":{line}"));
        if let Some(column) = frame.colno {
            text.push_str(&format!(":{column}"));
        }
    }
    if !frame.method.is_empty() {
        text.push_str(&format!(" in {}", frame.method));
    }
    text
}

/// Truncates a path at its start, since its end distinguishes it from others.
fn tail(file: &str, room: f64) -> String {
    let end: Vec<char> = file.chars().rev().take(300).collect();
    let whole: String = layout::clean(&end.iter().rev().collect::<String>());
    if MONO.width(&whole) <= room && end.len() < 300 {
        return whole;
    }
    let mut kept = Vec::new();
    let mut used = MONO.width("…");
    for c in whole.chars().rev() {
        used += MONO.width(c.encode_utf8(&mut [0; 4]));
        if used > room {
            break;
        }
        kept.push(c);
    }
    std::iter::once('…').chain(kept.into_iter().rev()).collect()
}

fn exception(svg: &mut Svg, trace: &ErrorTrace, is_cause: bool, top: f64) -> f64 {
    let mut y = top + 4.0;
    if is_cause {
        layout::put(svg, "small muted", PAD, y + 14.0, "caused by");
        y += 20.0;
    }
    let class = if trace.class.is_empty() { "(no class)" } else { &trace.class };
    let class = NAME_BOLD.fit(&layout::clean(class), 400.0);
    layout::put(svg, "name b bad", PAD, y + 14.0, &class);
    let x = PAD + NAME_BOLD.width(&class) + 10.0;
    for line in NAME.wrap(&trace.message, END - x, 3) {
        layout::put(svg, "name", x, y + 14.0, &line);
        y += 17.0;
    }
    if trace.message.trim().is_empty() {
        y += 17.0;
    }
    y += 6.0;
    let hidden = trace.frames.len().saturating_sub(MOST_FRAMES);
    if hidden > 0 {
        let n = text::count(hidden, "earlier frame");
        layout::put(svg, "small muted", PAD + 12.0, y + 14.0, &format!("… {n} (all in the data)"));
        y += 20.0;
    }
    let shown = &trace.frames[hidden..];
    if trace.frames.is_empty() {
        layout::put(svg, "small muted", PAD + 12.0, y + 12.0, "(no frames were sent)");
        y += 18.0;
    }
    // The last frame of the author's code is the most relevant one.
    let own = shown.iter().rposition(|f| !is_library(&f.filename));
    for (i, f) in shown.iter().enumerate() {
        y = frame(svg, f, own == Some(i), y);
    }
    y + 4.0
}

fn frame(svg: &mut Svg, frame: &CodeFrame, is_here: bool, top: f64) -> f64 {
    let library = is_library(&frame.filename);
    let code = if is_here { around(frame) } else { vec![(String::new(), &frame.code, true)] };
    let code: Vec<_> = code.into_iter().filter(|(_, line, own)| !own || !line.is_empty()).collect();
    let most = if is_here { MOST_LOCALS } else { 0 };
    let variables: Vec<&Attribute> = frame.args.iter().chain(&frame.locals).take(most).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let height = 20.0 + 17.0 * code.len() as f64 + if variables.is_empty() { 0.0 } else { 17.0 };
    if is_here {
        layout::block(svg, "band", PAD, top, END - PAD, height, 4.0);
        layout::block(svg, "bad", PAD, top, 3.0, height, 1.5);
    } else {
        layout::block(svg, if library { "chip" } else { "s0" }, PAD, top + 3.0, 3.0, height - 6.0, 1.5);
    }
    let x = PAD + 12.0;
    let y = top + 14.0;
    let tag = if library { "library" } else { "" };
    let room = END - x - 8.0 - if library { 60.0 } else { 0.0 };
    let line = match (frame.lineno, frame.colno) {
        (Some(line), Some(column)) => format!(":{line}:{column}"),
        (Some(line), None) => format!(":{line}"),
        (None, _) => String::new(),
    };
    let method = match frame.method.is_empty() {
        true => String::new(),
        false => MONO.fit(&format!("in {}", layout::clean(&frame.method)), 260.0),
    };
    let file = if frame.filename.is_empty() { "(unknown file)" } else { &frame.filename };
    let file = tail(file, room - MONO.width(&line) - MONO.width(&method) - 12.0);
    let place = format!("{file}{line}");
    let class = if library { "small mono muted" } else { "small mono b" };
    layout::put(svg, class, x, y, &place);
    layout::put(svg, "small mono muted", x + MONO.width(&place) + 8.0, y, &method);
    layout::end(svg, "small muted", END - 8.0, y, tag);
    let mut y = y + 17.0;
    let gutter = code.iter().map(|(number, ..)| CODE.width(number)).fold(0.0, f64::max);
    let x = x + 14.0;
    let begin = if gutter > 0.0 { x + gutter + 10.0 } else { x };
    for (number, line, own) in &code {
        let class = if library || !own { "muted" } else { "" };
        layout::code(svg, "muted", x + gutter - CODE.width(number), y, number);
        let line: String = line.chars().take(400).collect::<String>().replace('\t', "    ");
        // The lines around it are indented as in the file, but the failing line is sent without indentation.
        let line = if *own { layout::clean(&line) } else { visible(line.trim_end()) };
        layout::code(svg, class, begin, y, &CODE.fit(&line, END - begin - 12.0));
        y += 17.0;
    }
    if !variables.is_empty() {
        let said: Vec<String> = variables.iter().map(|a| pair(a)).collect();
        let more = (frame.args.len() + frame.locals.len()).saturating_sub(MOST_LOCALS);
        let more = if more > 0 { format!("  ·  and {more} more") } else { String::new() };
        let text = format!("{}{more}", said.join("  ·  "));
        layout::put(svg, "small mono muted", x, y, &MONO.fit(&layout::clean(&text), END - x - 12.0));
    }
    top + height + 3.0
}

/// The failing line and those around it, each with its number and whether it is the failing one. Without lines around
/// it, it has no number, since the frame's location already contains it.
fn around(frame: &CodeFrame) -> Vec<(String, &String, bool)> {
    let before = &frame.pre[frame.pre.len().saturating_sub(MOST_CONTEXT)..];
    let after = &frame.post[..frame.post.len().min(MOST_CONTEXT)];
    let numbered = !(before.is_empty() && after.is_empty());
    let number = |offset: i64| match frame.lineno {
        Some(line) if numbered && i64::from(line) + offset > 0 => (i64::from(line) + offset).to_string(),
        _ => String::new(),
    };
    let count = |n: usize| i64::try_from(n).unwrap_or(0);
    let before = before.iter().enumerate().map(|(i, line)| (count(i) - count(frame.pre.len().min(MOST_CONTEXT)), line));
    let after = after.iter().enumerate().map(|(i, line)| (count(i) + 1, line));
    let lines = before.chain(std::iter::once((0, &frame.code))).chain(after);
    lines.map(|(offset, line)| (number(offset), line, offset == 0)).collect()
}

fn pair(a: &Attribute) -> String {
    format!("{} = {}", text::beginning(&a.key, 80), text::beginning(&a.value.to_string(), 160))
}

/// Method, URL, headers and parameters.
fn request(svg: &mut Svg, occurrence: &Occurrence, top: f64) -> f64 {
    let of = |key: &str| tracebook_core::value::get(&occurrence.request, key).map(|v| layout::clean(&v.to_string()));
    let (method, url) = (of("method").unwrap_or_default(), of("url").unwrap_or_default());
    let mut y = top;
    let rest = occurrence.request.iter().filter(|a| !matches!(a.key.as_str(), "method" | "url"));
    if method.is_empty() && url.is_empty() {
        return pairs(svg, "Request", rest, y);
    }
    y = section(svg, "Request", "", y);
    let method = HEAD.fit(&method, 120.0);
    let mut x = PAD;
    if !method.is_empty() {
        x += layout::tag(svg, x, y + 9.0, "info", &method, 130.0) + 8.0;
    }
    layout::code(svg, "", x, y + 13.0, &CODE.fit(&url, END - x));
    rows(svg, rest, y + 22.0)
}

fn pairs<'a>(svg: &mut Svg, name: &str, list: impl Iterator<Item = &'a Attribute>, top: f64) -> f64 {
    let mut list = list.peekable();
    if list.peek().is_none() {
        return top;
    }
    let y = section(svg, name, "", top);
    rows(svg, list, y)
}

/// Rows of a name and a value.
fn rows<'a>(svg: &mut Svg, list: impl Iterator<Item = &'a Attribute>, top: f64) -> f64 {
    const NAMES: f64 = 190.0;
    let mut y = top;
    let mut more = 0;
    for (i, a) in list.enumerate() {
        if i >= MOST_PAIRS {
            more += 1;
            continue;
        }
        let value = layout::clean(text::beginning(&a.value.to_string(), 400));
        layout::put(svg, "small mono muted", PAD, y + 13.0, &MONO.fit(&layout::clean(&a.key), NAMES - 12.0));
        layout::put(svg, "small mono", PAD + NAMES, y + 13.0, &MONO.fit(&value, END - PAD - NAMES));
        y += 18.0;
    }
    if more > 0 {
        let text = format!("… and {} more (all in the data)", text::grouped(more));
        layout::put(svg, "small muted", PAD, y + 13.0, &text);
        y += 18.0;
    }
    y
}

/// A text about other occurrences of the item.
fn others(svg: &mut Svg, error: &ErrorItem, top: f64) -> f64 {
    if error.others.is_empty() {
        return top;
    }
    let y = section(svg, "Other occurrences", "newest first", top);
    let said: Vec<String> = error
        .others
        .iter()
        .take(12)
        .map(|o| match o.person.trim() {
            "" => o.timestamp.human(),
            person => format!("{} ({})", o.timestamp.human(), text::beginning(person, 60)),
        })
        .collect();
    // Telemetry may hold more of them than the evidence lists.
    let all = (error.occurrences as usize).saturating_sub(1).max(error.others.len());
    let more = all.saturating_sub(said.len());
    let more = if more > 0 { format!(" and {} more", text::grouped(more)) } else { String::new() };
    let mut line = y + 12.0;
    for text in SMALL.wrap(&format!("{}{more}", layout::clean(&said.join(", "))), END - PAD, 4) {
        layout::put(svg, "small", PAD, line, &text);
        line += 16.0;
    }
    line - 4.0
}

fn table(error: &ErrorItem) -> Table {
    let occurrence = &error.occurrence;
    let (first, last) = (error.first.human(), error.last.human());
    let times = format!("{}, first {first}, last {last}", text::grouped(error.occurrences as usize));
    let known = facts(error).into_iter().map(|(name, value)| row("Fact", name, value));
    let facts = std::iter::once(row("Fact", "Occurrences", times)).chain(known);
    let traces = occurrence.traces.iter().flat_map(|trace| {
        let head = row("Exception", &trace.class, trace.message.clone());
        std::iter::once(head).chain(trace.frames.iter().flat_map(frame_rows))
    });
    let message = (!occurrence.message.is_empty()).then(|| row("Message", "", occurrence.message.clone()));
    let pairs =
        [("Request", &occurrence.request), ("Custom data", &occurrence.custom), ("Also sent", &occurrence.other)]
            .into_iter()
            .flat_map(|(part, list)| list.iter().map(move |a| row(part, &a.key, a.value.to_string())));
    let others = error.others.iter().map(|o| row("Other occurrence", &o.timestamp.human(), o.person.clone()));
    let rows: Vec<[String; 3]> = facts.chain(message).chain(traces).chain(pairs).chain(others).collect();
    made("facts, stack and request".to_owned(), ["Part", "Name", "Value"], rows.len(), rows.into_iter())
}

/// A frame with its code and arguments.
fn frame_rows(f: &CodeFrame) -> impl Iterator<Item = [String; 3]> {
    let code = row("Frame", &place(f), f.code.clone());
    let args = f.args.iter().map(|a| row("Argument", &a.key, a.value.to_string()));
    std::iter::once(code).chain(args)
}

fn row(part: &str, name: &str, value: String) -> [String; 3] {
    [part.to_owned(), name.to_owned(), value]
}
