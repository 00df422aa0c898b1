//! The card of an error item.

use tracebook_core::errors::{CodeFrame, ErrorItem, ErrorTrace, Level, Occurrence, Person, Varied, VariedValue};
use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::text;
use tracebook_core::time::Nanos;
use tracebook_core::value::Attribute;

use super::Picture;
use super::captions::{self, brief};
use super::form::Width;
use super::frame::{PAD, end_of};
use super::layout::{self, Area, CODE, HEAD, Head, MONO, NAME, NAME_BOLD, SMALL, TITLE};
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
/// Maximum number of other occurrences that are listed with their times.
const MOST_OTHERS: usize = 12;
const LINE: f64 = 17.0;

impl Picture for &ErrorItem {
    fn head(&self, _: Option<&Frozen>) -> Head {
        head(self)
    }

    fn body(&self, svg: &mut Svg, top: f64) -> f64 {
        let occurrence = &self.occurrence;
        let end = end_of(svg.width());
        let mut y = grid(svg, &facts(self), top - 4.0);
        y = varied(svg, self, y);
        let title = title(self);
        let shown_whole = TITLE.fit(&title, 600.0) == title;
        if occurrence.traces.is_empty() {
            let text = if occurrence.message.is_empty() { &self.title } else { &occurrence.message };
            let lines = CODE.wrap(text, end - PAD - 24.0, MOST_LINES);
            // A message that is part of the title is not repeated.
            if text.trim().is_empty() {
                layout::put(svg, "small muted", PAD, y + 14.0, "(neither a message nor a traceback was sent)");
                y += 22.0;
            } else if !(shown_whole && lines.len() <= 1 && text.trim() == title) {
                y = section(svg, "Message", "", y);
                y = ground(svg, y, &lines);
            }
        } else {
            let count = occurrence.traces.len();
            y = section(svg, "Traceback", "most recent call last", y);
            for (i, trace) in occurrence.traces.iter().take(MOST_TRACES).enumerate() {
                y = exception(svg, trace, i > 0, y);
            }
            if count > MOST_TRACES {
                let more = text::count(count - MOST_TRACES, "more cause");
                layout::put(svg, "small muted", PAD, y + 12.0, &format!("… and {more} (all in the data)"));
                y += 22.0;
            }
        }
        y = request(svg, occurrence, y);
        y = pairs(svg, "Custom data", occurrence.custom.iter(), y);
        others(svg, self, y)
    }

    /// The number of occurrences and their times.
    fn chart(&self, svg: &mut Svg, area: Area) {
        let (first, last) = (self.first.min(self.last), self.last);
        let count = match self.occurrences {
            0 => String::new(),
            n => format!("{}×", text::grouped(n as usize)),
        };
        layout::end(svg, "title", area.right, area.top + 19.0, &count);
        let class = level(self.level).0;
        let base = area.bottom - 8.0;
        layout::block(svg, "tree", area.left, base, area.width(), 0.5, 0.0);
        for time in moments(self).iter().take(60) {
            let x = area.left + 4.0 + share(*time, first, last) * (area.width() - 8.0);
            svg.leaf("circle", &[("class", class.into()), ("cx", x.into()), ("cy", base.into()), ("r", 3.5.into())]);
        }
    }

    fn notes(&self, _: Width) -> Vec<String> {
        self.occurrence.notes.clone()
    }

    fn table(&self) -> Table {
        table(self, &differences(self))
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

/// In what the occurrences differ. Evidence of earlier versions has the persons only.
fn differences(error: &ErrorItem) -> Vec<Varied> {
    if !error.varies.is_empty() || error.others.is_empty() {
        return error.varies.clone();
    }
    let own = error.occurrence.person.as_ref().map(Person::label).unwrap_or_default();
    let mut values: Vec<VariedValue> = Vec::new();
    for person in std::iter::once(own).chain(error.others.iter().map(|other| other.person.as_str())) {
        match values.iter_mut().find(|known| known.value == person) {
            Some(known) => known.occurrences = known.occurrences.saturating_add(1),
            None => values.push(VariedValue { value: person.to_owned(), occurrences: 1 }),
        }
    }
    values.sort_by_key(|value| std::cmp::Reverse(value.occurrences));
    let more = u32::try_from(values.len().saturating_sub(MOST_PAIRS)).unwrap_or(u32::MAX);
    values.truncate(MOST_PAIRS);
    match values.len() {
        0 | 1 => Vec::new(),
        _ => vec![Varied { name: "Person".to_owned(), values, more }],
    }
}

/// A table of what differs: a property, its values, and how many occurrences have each.
fn varied(svg: &mut Svg, error: &ErrorItem, top: f64) -> f64 {
    let differences = differences(error);
    if differences.is_empty() {
        return top;
    }
    let (narrow, end) = (svg.width().is_narrow(), end_of(svg.width()));
    let compared = error.others.len() + 1;
    let aside = match compared == error.occurrences as usize {
        true => format!("of {}", text::count(compared, "occurrence")),
        false => format!("of the {} that were compared", text::grouped(compared)),
    };
    let mut y = section(svg, "What differs", &aside, top);
    let counts = CODE.width("9,999 ×") + 10.0;
    let name_room = if narrow { end - PAD } else { 130.0 };
    let x = if narrow { PAD } else { PAD + 142.0 };
    for Varied { name, values, more } in &differences {
        layout::put(svg, "small muted", PAD, y + 13.0, &SMALL.fit(&layout::clean(name), name_room));
        if narrow {
            y += LINE;
        }
        for VariedValue { value, occurrences } in values {
            let count = format!("{} ×", text::abbreviated(*occurrences));
            layout::end(svg, "small mono muted", x + counts - 10.0, y + 13.0, &count);
            let lines = match value.trim() {
                "" => vec![],
                value => NAME.wrap(&layout::clean(value), end - x - counts, if narrow { 3 } else { 2 }),
            };
            match lines.is_empty() {
                true => layout::put(svg, "name muted", x + counts, y + 13.0, "(not stated)"),
                false => drop(layout::lines(svg, "name", x + counts, y, &lines, LINE)),
            }
            #[expect(clippy::cast_precision_loss, reason = "at most three")]
            let height = lines.len().max(1) as f64 * LINE;
            y += height;
        }
        if *more > 0 {
            let text = format!("and {}", text::count_of(*more as usize, "more value", "more values"));
            layout::put(svg, "small muted", x + counts, y + 13.0, &text);
            y += LINE;
        }
        y += 4.0;
    }
    y + 2.0
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

fn title(error: &ErrorItem) -> String {
    match error.title.trim().lines().next().unwrap_or_default() {
        "" => "(no title)".to_owned(),
        title => layout::clean(title),
    }
}

fn head(error: &ErrorItem) -> Head {
    let mut facts = vec![text::count(error.occurrences as usize, "occurrence")];
    if error.occurrences > 1 && error.first < error.last {
        facts.push(format!("first {}", error.first.human()));
        facts.push(format!("last {}", error.last.human()));
    } else {
        facts.push(error.last.human());
    }
    if error.people > 0 {
        facts.push(text::count_of(error.people as usize, "person affected", "people affected"));
    }
    let item: String = error.item.chars().take(24).collect();
    let aside = if item.is_empty() { item } else { format!("item {item}") };
    Head { title: title(error), facts: facts.join(" · "), aside, pill: level(error.level), chips: Vec::new() }
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

/// Names and values in two columns; in one on a narrow card.
fn grid(svg: &mut Svg, facts: &[(&'static str, String)], top: f64) -> f64 {
    const NAMES: f64 = 96.0;
    let (narrow, end) = (svg.width().is_narrow(), end_of(svg.width()));
    let facts: Vec<_> = facts.iter().filter(|(name, _)| *name != "Level").collect();
    let (columns, column) = if narrow { (1, end - PAD) } else { (2, (end - PAD) / 2.0) };
    let room = column - NAMES - if narrow { 0.0 } else { 12.0 };
    let mut y = top;
    for pair in facts.chunks(columns) {
        let mut most = 1;
        for (i, (name, value)) in pair.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "two columns")]
            let x = PAD + i as f64 * column;
            layout::put(svg, "small muted", x, y + 15.0, name);
            let lines = NAME.wrap(&layout::clean(value), room, 2);
            layout::lines(svg, "name", x + NAMES, y, &lines, 19.0);
            most = most.max(lines.len());
        }
        #[expect(clippy::cast_precision_loss, reason = "at most two")]
        let height = most as f64 * 19.0;
        y += height;
    }
    y + 8.0
}

/// A heading; returns the position below it.
fn section(svg: &mut Svg, name: &str, aside: &str, y: f64) -> f64 {
    let end = end_of(svg.width());
    let y = y + 8.0;
    layout::rule(svg, y);
    layout::put(svg, "name b", PAD, y + 20.0, name);
    let room = end - PAD - NAME_BOLD.width(name) - 12.0;
    layout::end(svg, "small muted", end, y + 20.0, &SMALL.fit(aside, room));
    y + 28.0
}

/// Lines of text on a background.
fn ground(svg: &mut Svg, y: f64, lines: &[String]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a dozen lines")]
    let height = lines.len() as f64 * LINE + 14.0;
    let end = end_of(svg.width());
    layout::block(svg, "term", PAD, y + 2.0, end - PAD, height, 6.0);
    let mut line = y + 20.0;
    for text in lines {
        layout::code(svg, "", PAD + 12.0, line, text);
        line += LINE;
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
    let (narrow, end) = (svg.width().is_narrow(), end_of(svg.width()));
    let mut y = top + 4.0;
    if is_cause {
        layout::put(svg, "small muted", PAD, y + 14.0, "caused by");
        y += 20.0;
    }
    let class = if trace.class.is_empty() { "(no class)" } else { &trace.class };
    let class = NAME_BOLD.fit(&layout::clean(class), if narrow { end - PAD } else { 400.0 });
    layout::put(svg, "name b bad", PAD, y + 14.0, &class);
    let x = if narrow { PAD } else { PAD + NAME_BOLD.width(&class) + 10.0 };
    if narrow {
        y += 17.0;
    }
    for line in NAME.wrap(&trace.message, end - x, if narrow { 5 } else { 3 }) {
        layout::put(svg, "name", x, y + 14.0, &line);
        y += 17.0;
    }
    if trace.message.trim().is_empty() && !narrow {
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

/// A line of code with its number, and whether it is the failing one.
struct CodeLine {
    number: String,
    texts: Vec<String>,
    own: bool,
}

fn frame(svg: &mut Svg, frame: &CodeFrame, is_here: bool, top: f64) -> f64 {
    let (narrow, end) = (svg.width().is_narrow(), end_of(svg.width()));
    let library = is_library(&frame.filename);
    let code = if is_here { around(frame) } else { vec![(String::new(), &frame.code, true)] };
    let code: Vec<_> = code.into_iter().filter(|(_, line, own)| !own || !line.is_empty()).collect();
    let x = PAD + 12.0;
    let inner = x + if narrow { 4.0 } else { 14.0 };
    let gutter = code.iter().map(|(number, ..)| CODE.width(number)).fold(0.0, f64::max);
    let begin = if gutter > 0.0 { inner + gutter + 10.0 } else { inner };
    let code: Vec<CodeLine> = code
        .into_iter()
        .map(|(number, line, own)| {
            let line: String = line.chars().take(400).collect::<String>().replace('\t', "    ");
            // The lines around it are indented as in the file, but the failing line is sent without indentation.
            let line = if own { layout::clean(&line) } else { visible(line.trim_end()) };
            let room = end - begin - 8.0;
            // The failing line is read; those around it are looked at.
            let texts = match own && narrow {
                true => CODE.wrap(&line, room, 3),
                false => vec![CODE.fit(&line, room)],
            };
            CodeLine { number, texts, own }
        })
        .collect();
    let most = if is_here { MOST_LOCALS } else { 0 };
    let variables: Vec<&Attribute> = frame.args.iter().chain(&frame.locals).take(most).collect();
    let variables = match variables.is_empty() {
        true => Vec::new(),
        false => {
            let said: Vec<String> = variables.iter().map(|a| pair(a)).collect();
            let more = (frame.args.len() + frame.locals.len()).saturating_sub(MOST_LOCALS);
            let more = if more > 0 { format!("  ·  and {more} more") } else { String::new() };
            let text = layout::clean(&format!("{}{more}", said.join("  ·  ")));
            MONO.wrap(&text, end - inner - 8.0, if narrow { 5 } else { 2 })
        }
    };
    let head = FrameHead::of(frame, library, narrow, x, end);
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let height = {
        let code = code.iter().map(|line| line.texts.len()).sum::<usize>();
        (head.lines() + code + variables.len()) as f64 * LINE + 4.0
    };
    if is_here {
        layout::block(svg, "band", PAD, top, end - PAD, height, 4.0);
        layout::block(svg, "bad", PAD, top, 3.0, height, 1.5);
    } else {
        layout::block(svg, if library { "chip" } else { "s0" }, PAD, top + 3.0, 3.0, height - 6.0, 1.5);
    }
    let mut y = head.draw(svg, library, x, end, top);
    for line in &code {
        let class = if library || !line.own { "muted" } else { "" };
        layout::code(svg, "muted", inner + gutter - CODE.width(&line.number), y + 14.0, &line.number);
        for text in &line.texts {
            layout::code(svg, class, begin, y + 14.0, text);
            y += LINE;
        }
    }
    layout::lines(svg, "small mono muted", inner, y, &variables, LINE);
    top + height + 3.0
}

/// File, line and function of a frame: on one line, or on a narrow card on two.
struct FrameHead {
    place: String,
    method: String,
    below: bool,
}

impl FrameHead {
    fn of(frame: &CodeFrame, library: bool, narrow: bool, x: f64, end: f64) -> Self {
        let room = end - x - 8.0 - if library && !narrow { 60.0 } else { 0.0 };
        let line = match (frame.lineno, frame.colno) {
            (Some(line), Some(column)) => format!(":{line}:{column}"),
            (Some(line), None) => format!(":{line}"),
            (None, _) => String::new(),
        };
        let method = match frame.method.is_empty() {
            true => String::new(),
            false => {
                let words = if library && narrow { "library, in" } else { "in" };
                MONO.fit(&format!("{words} {}", layout::clean(&frame.method)), if narrow { room } else { 260.0 })
            }
        };
        let file = if frame.filename.is_empty() { "(unknown file)" } else { &frame.filename };
        let beside = if narrow { 0.0 } else { MONO.width(&method) + 12.0 };
        let file = tail(file, room - MONO.width(&line) - beside);
        Self { place: format!("{file}{line}"), below: narrow && !method.is_empty(), method }
    }

    fn lines(&self) -> usize {
        1 + usize::from(self.below)
    }

    fn draw(&self, svg: &mut Svg, library: bool, x: f64, end: f64, top: f64) -> f64 {
        let class = if library { "small mono muted" } else { "small mono b" };
        layout::put(svg, class, x, top + 14.0, &self.place);
        if self.below {
            layout::put(svg, "small mono muted", x, top + 14.0 + LINE, &self.method);
            return top + 2.0 * LINE;
        }
        layout::put(svg, "small mono muted", x + MONO.width(&self.place) + 8.0, top + 14.0, &self.method);
        if library && !svg.width().is_narrow() {
            layout::end(svg, "small muted", end - 8.0, top + 14.0, "library");
        }
        top + LINE
    }
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
    let (narrow, end) = (svg.width().is_narrow(), end_of(svg.width()));
    let method = HEAD.fit(&method, 120.0);
    let mut x = PAD;
    if !method.is_empty() {
        x += layout::tag(svg, x, y + 9.0, "info", &method, 130.0) + 8.0;
    }
    for line in CODE.wrap(&url, end - x, if narrow { 4 } else { 2 }) {
        layout::code(svg, "", x, y + 13.0, &line);
        y += LINE;
    }
    rows(svg, rest, y + 5.0)
}

fn pairs<'a>(svg: &mut Svg, name: &str, list: impl Iterator<Item = &'a Attribute>, top: f64) -> f64 {
    let mut list = list.peekable();
    if list.peek().is_none() {
        return top;
    }
    let y = section(svg, name, "", top);
    rows(svg, list, y)
}

/// Rows of a name and a value; on a narrow card, the value is below the name.
fn rows<'a>(svg: &mut Svg, list: impl Iterator<Item = &'a Attribute>, top: f64) -> f64 {
    const NAMES: f64 = 190.0;
    let (narrow, end) = (svg.width().is_narrow(), end_of(svg.width()));
    let mut y = top;
    let mut more = 0;
    for (i, a) in list.enumerate() {
        if i >= MOST_PAIRS {
            more += 1;
            continue;
        }
        let value = layout::clean(text::beginning(&a.value.to_string(), 400));
        let key = layout::clean(&a.key);
        let (key_room, x) = if narrow { (end - PAD, PAD + 8.0) } else { (NAMES - 12.0, PAD + NAMES) };
        layout::put(svg, "small mono muted", PAD, y + 13.0, &MONO.fit(&key, key_room));
        if narrow {
            y += LINE;
        }
        let lines = MONO.wrap(&value, end - x, if narrow { 3 } else { 2 });
        y = layout::lines(svg, "small mono", x, y, &lines, LINE).max(y + LINE) + 1.0;
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
    let narrow = svg.width().is_narrow();
    let said: Vec<String> = error
        .others
        .iter()
        .take(MOST_OTHERS)
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
    let room = end_of(svg.width()) - PAD;
    for text in SMALL.wrap(&format!("{}{more}", layout::clean(&said.join(", "))), room, if narrow { 8 } else { 4 }) {
        layout::put(svg, "small", PAD, line, &text);
        line += LINE;
    }
    line - 4.0
}

/// The table, with what differs between the occurrences.
pub(super) fn table(error: &ErrorItem, differences: &[Varied]) -> Table {
    let occurrence = &error.occurrence;
    let (first, last) = (error.first.human(), error.last.human());
    let times = format!("{}, first {first}, last {last}", text::grouped(error.occurrences as usize));
    let known = facts(error).into_iter().map(|(name, value)| row("Fact", name, value));
    let varied = differences.iter().map(|v| row("Differs", &v.name, values_of(v)));
    let facts = std::iter::once(row("Fact", "Occurrences", times)).chain(known).chain(varied);
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

/// `2 × bayko, 1 × (not stated), and 3 more values`
fn values_of(varied: &Varied) -> String {
    let value = |v: &VariedValue| {
        let value = if v.value.trim().is_empty() { "(not stated)" } else { &v.value };
        format!("{} × {value}", text::grouped(v.occurrences as usize))
    };
    let mut values: Vec<String> = varied.values.iter().map(value).collect();
    if varied.more > 0 {
        values.push(format!("and {}", text::count_of(varied.more as usize, "more value", "more values")));
    }
    values.join(", ")
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
