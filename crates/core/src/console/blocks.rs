//! Finds the spans that console, logging and debug exporters print.
//!
//! | Exporter | Form |
//! |---|---|
//! | `ConsoleSpanExporter` of Python | JSON on one line or indented |
//! | `ConsoleSpanExporter` of Node | what `console.dir` shows of an object |
//! | stdouttrace of Go | JSON on one line or indented by tabs |
//! | `ConsoleActivityExporter` of .NET | `Activity.TraceId: …` and so on, a property a line |
//! | `LoggingSpanExporter` of Java | one line; [`SpanForm::OtlpJson`] with `logging-otlp` |
//! | `ConsoleSpanExporter` of Ruby | a struct as `pp` prints it |
//! | debug exporter of the collector | `ResourceSpans #0` … `Span #0` …; a line a span with `verbosity: normal` |

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::ConsoleLine;
use super::lead::{lead, moment};
use crate::time::Nanos;

/// Maximum bytes of one span.
pub const LARGEST_BLOCK: usize = 256 * 1024;

/// Maximum number of origins (containers, pods, streams) that are followed at a time.
const MOST_OPEN: usize = 32;

/// The form in which a span is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SpanForm {
    /// JSON of Python or Go.
    #[default]
    Json,
    /// OTLP's JSON: one line with `resourceSpans`, or one element of it.
    OtlpJson,
    /// An object as Node's `console.dir` shows it.
    Node,
    /// The properties of an `Activity`.
    Dotnet,
    /// A line of `LoggingSpanExporter`.
    Java,
    /// A struct as Ruby's `pp` prints it.
    Ruby,
    /// A span of the collector's debug exporter with its resource and scope before it.
    Collector,
    /// A line of the collector's debug exporter, with the lines of its resource and scope before it.
    CollectorLine,
}

/// The lines of one printed span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanBlock {
    /// How it was printed.
    pub form: SpanForm,
    /// Its text as printed, without colours, what tools write before a line, and unrelated lines.
    pub text: String,
    /// The indices of its lines.
    pub lines: Vec<u64>,
    /// When it was printed, where that is known.
    pub time: Option<Nanos>,
}

/// Finds printed spans in a stream of lines. Lines of other containers, pods or of the other stream, and lines that
/// cannot belong to a span, may occur in between. Memory is bounded by 32 origins with a block of [`LARGEST_BLOCK`].
#[derive(Clone, Debug, Default)]
pub struct SpanBlocks {
    origins: BTreeMap<(String, bool), Origin>,
    pushed: u64,
}

/// What is known of the lines of one origin.
#[derive(Clone, Debug, Default)]
struct Origin {
    open: Option<Open>,
    /// The line before a span of `java.util.logging`, with its number and time.
    heading: Option<(u64, Option<Nanos>)>,
    /// Whether the collector's debug exporter announced spans, one a line; the time of its last line.
    announced: bool,
    logged: Option<Nanos>,
    /// Lines of the collector that hold for the spans after them: of the resource, and of the scope.
    resource: Vec<(u64, String)>,
    scope: Vec<(u64, String)>,
}

/// A block that has begun.
#[derive(Clone, Debug, Default)]
struct Open {
    block: SpanBlock,
    /// The indentation of its first line.
    base: String,
    /// Whether the first member has been seen; exporters print the name first, and other JSON does not.
    named: bool,
    /// Whether the last line of the block was truncated.
    cut: bool,
    /// Of Ruby's form: how many structs and objects are open.
    depth: usize,
    /// Of forms whose values may have several lines: whether the last one can go on.
    value: bool,
    /// The number of unrelated lines since the block's last line.
    foreign: usize,
}

/// After this many unrelated lines, a block is discarded as incomplete.
const MOST_FOREIGN: usize = 200;

/// The most lines of a resource or a scope.
const MOST_SHARED: usize = 500;

impl SpanBlocks {
    /// Adds a line, and returns the blocks that end with it.
    pub fn push(&mut self, line: &ConsoleLine) -> Vec<SpanBlock> {
        let number = self.pushed;
        self.pushed += 1;
        let lead = lead(&line.text);
        let text = lead.rest.trim_end();
        let key = (lead.origin, line.stderr);
        if !self.origins.contains_key(&key) {
            if !may_begin(text) {
                return Vec::new();
            }
            // Which one is dropped does not matter: no journal has that many containers printing spans at once.
            if self.origins.len() >= MOST_OPEN {
                self.origins.pop_first();
            }
        }
        let origin = self.origins.entry(key.clone()).or_default();
        let mut found = Vec::new();
        origin.push(text, number, lead.time, line.time, &mut found);
        if origin.is_idle() {
            self.origins.remove(&key);
        }
        found
    }

    /// Ends the text, and returns the blocks whose end was not printed.
    pub fn finish(&mut self) -> Vec<SpanBlock> {
        std::mem::take(&mut self.origins).into_values().filter_map(|mut origin| origin.end()).collect()
    }
}

/// A cheap test, because nearly all lines are something else.
fn may_begin(text: &str) -> bool {
    let start = text.trim_start();
    start.starts_with(['{', '#'])
        || ["Activity.", "ResourceSpans #", "ResourceTraces #", "Span #", "Traces"].iter().any(|w| start.starts_with(w))
        || text.contains("LoggingSpanExporter")
        || text.contains("[tracer: ")
        || text.contains("\"scopeSpans\":")
}

fn pattern(text: &str) -> Regex {
    #[expect(clippy::unwrap_used, reason = "fixed patterns that tests use")]
    Regex::new(text).unwrap()
}

static JAVA: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"'.*' : [0-9a-f]{32} [0-9a-f]{16} (?:INTERNAL|SERVER|CLIENT|PRODUCER|CONSUMER) \[tracer: [^\]]*\] ?(?:\{|[A-Z]\w*\{)",
    )
});
/// The first line of a record of `java.util.logging`.
static JAVA_HEADING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^[A-Z][a-z]{2} [0-9]{1,2}, [0-9]{4},? [0-9:]{7,8}[\s\u{202f}][AP]M \S*LoggingSpanExporter export$")
});
/// A date and a time before a message.
static DATED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}(?:[:.,][0-9]{1,9})?(?: ?(?:Z|[+-][0-9]{2}:?[0-9]{2}))?")
});
static COLLECTOR_LINE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\S.{0,500}? [0-9a-f]{32} [0-9a-f]{16}(?: [^\s=]+=.*)?$"));
/// What the exporter announces with any verbosity.
static ANNOUNCED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"^Traces(?:Exporter)?\s+\{.*"(?:resource )?spans": ?[0-9]"#));
/// The lines of a resource, and of a scope, with `verbosity: detailed`.
static SHARED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:Resource(?:Spans #[0-9]+| SchemaURL:| attributes:| labels:)|ScopeSpans (?:#[0-9]+|SchemaURL:)|Instrumentation(?:Scope|Library(?:Spans)?)\b|     -> )",
    )
});
/// The lines of a span.
static OF_SPAN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:    [A-Z][A-Za-z ]{1,40}:|Attributes:$|Events:$|Links:$|SpanEvent #[0-9]+$|SpanLink #[0-9]+$|     -> |          -> )",
    )
});
static DOTNET: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:Activity\.[A-Z]\w+:|StatusCode *:|Instrumentation scope \(ActivitySource\):|Resource associated with Activity:|[ \t]+\S)",
    )
});
/// A line that some logger wrote: a level or a time at its start.
static LOGGED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:\[?[0-9]{2,4}[:/.-][0-9]{2}|(?i:\[?(?:trace|trce|debug|dbug|info|warn|warning|fail|error|crit)\b[:\] ]))",
    )
});

impl Origin {
    fn is_idle(&self) -> bool {
        self.open.is_none()
            && self.heading.is_none()
            && !self.announced
            && self.resource.is_empty()
            && self.scope.is_empty()
    }

    /// `lead_time` is the time before the line, `arrived` when it came.
    fn push(
        &mut self,
        text: &str,
        number: u64,
        lead_time: Option<Nanos>,
        arrived: Option<Nanos>,
        found: &mut Vec<SpanBlock>,
    ) {
        let time = lead_time.or(arrived);
        self.logged = time.or(self.logged);
        let start = text.trim_start();
        let heading = self.heading.take();
        if let Some(form) = whole_line(start) {
            let mut block = SpanBlock { form, time: time.or(self.logged), ..SpanBlock::default() };
            if let Some((line, at)) = heading.filter(|_| form == SpanForm::Java) {
                block.lines.push(line);
                block.time = at.or(block.time);
            }
            if form == SpanForm::Java && lead_time.is_none() {
                let head = start.split_once('\'').map_or("", |(head, _)| head);
                block.time = DATED.find(head).and_then(|found| moment(found.as_str())).or(block.time);
            }
            block.add(start, number);
            found.extend((block.text.len() <= LARGEST_BLOCK).then_some(block));
            return;
        }
        if JAVA_HEADING.is_match(start) {
            self.heading = Some((number, heading_time(start).or(time)));
            return;
        }
        if self.collector(text, number, time, found) {
            return;
        }
        let form = match start {
            "{" => Some(SpanForm::Json),
            _ if start.starts_with("Activity.TraceId:") || start.starts_with("Activity.Id:") => Some(SpanForm::Dotnet),
            _ if start.starts_with("#<struct OpenTelemetry::SDK::Trace::SpanData") => Some(SpanForm::Ruby),
            _ => None,
        };
        let base = &text[..text.len() - start.len()];
        // A brace further to the right is a member of the open object.
        let inside = |open: &Open| {
            matches!(open.block.form, SpanForm::Json | SpanForm::Node)
                && open.named
                && base.len() > open.base.len()
                && start == "{"
        };
        if let Some(form) = form.filter(|_| !self.open.as_ref().is_some_and(inside)) {
            found.extend(self.end());
            let mut open = Open { base: base.to_owned(), ..Open::default() };
            (open.block.form, open.block.time) = (form, time.or(self.logged));
            open.block.add(start, number);
            open.depth = depth(0, start);
            let complete = form == SpanForm::Ruby && open.depth == 0;
            self.open = Some(open);
            if complete {
                found.extend(self.end());
            }
            return;
        }
        let Some(mut open) = self.open.take() else { return };
        let own = text.strip_prefix(open.base.as_str()).unwrap_or(text);
        match open.block.form {
            SpanForm::Json | SpanForm::Node => self.open = self.object_line(open, own, number, found),
            SpanForm::Dotnet => {
                if own.is_empty() || own.starts_with("LogRecord.") {
                    found.push(open.block);
                    return;
                }
                let of_resource = open.block.text.contains("Resource associated with Activity:");
                let property = DOTNET.is_match(own) || (of_resource && own.contains(": "));
                let value = property && own.starts_with([' ', '\t']) && !of_resource;
                let goes_on = open.value && !LOGGED.is_match(own);
                self.open = open.takes(property || goes_on, own, number);
                if let Some(open) = &mut self.open {
                    open.value = value || (open.value && !property);
                }
            }
            SpanForm::Ruby => {
                let own_line = own.starts_with(' ');
                if own_line {
                    open.depth = depth(open.depth, own);
                }
                let complete = open.depth == 0;
                self.open = open.takes(own_line, own, number);
                if complete {
                    found.extend(self.end());
                }
            }
            SpanForm::Collector => {
                let property = OF_SPAN.is_match(own);
                let goes_on = open.value && !own.is_empty() && !own.trim_start().starts_with("{\"");
                if !property && !goes_on {
                    found.push(open.block);
                    return;
                }
                open.value = (!property || own.contains(": Str(")) && !own.ends_with(')');
                self.open = open.takes(true, own, number);
            }
            // These are whole lines.
            SpanForm::OtlpJson | SpanForm::Java | SpanForm::CollectorLine => {}
        }
    }

    /// Ends the open block, if it may be whole.
    fn end(&mut self) -> Option<SpanBlock> {
        let open = self.open.take()?;
        let whole = match open.block.form {
            SpanForm::Dotnet | SpanForm::Collector => true,
            SpanForm::Ruby => open.depth == 0,
            SpanForm::Json | SpanForm::Node | SpanForm::OtlpJson | SpanForm::Java | SpanForm::CollectorLine => false,
        };
        whole.then_some(open.block)
    }

    /// Takes a line of the collector's debug exporter that is not within a span. Returns whether it was one.
    fn collector(&mut self, text: &str, number: u64, time: Option<Nanos>, found: &mut Vec<SpanBlock>) -> bool {
        if ANNOUNCED.is_match(text) {
            self.announced = true;
            return true;
        }
        let resource = text.starts_with("ResourceSpans #") || text.starts_with("ResourceTraces #");
        let scope =
            ["ScopeSpans #", "ScopeTraces #", "InstrumentationLibrarySpans #"].iter().any(|s| text.starts_with(s));
        let known = !self.resource.is_empty();
        if resource || (scope && known) {
            found.extend(self.end());
            self.scope.clear();
            if resource {
                self.resource.clear();
            }
            self.announced |= text.starts_with("ResourceTraces #");
            let shared = if resource { &mut self.resource } else { &mut self.scope };
            shared.push((number, text.to_owned()));
            return true;
        }
        if text.starts_with("Span #") && text["Span #".len()..].bytes().all(|b| b.is_ascii_digit()) {
            found.extend(self.end());
            let mut open = Open::default();
            (open.block.form, open.block.time) = (SpanForm::Collector, time.or(self.logged));
            self.share(&mut open.block);
            open.block.add(text, number);
            self.open = Some(open);
            return true;
        }
        if self.announced && COLLECTOR_LINE.is_match(text) {
            let mut block =
                SpanBlock { form: SpanForm::CollectorLine, time: time.or(self.logged), ..SpanBlock::default() };
            self.share(&mut block);
            block.add(text, number);
            found.push(block);
            return true;
        }
        if self.open.is_some() {
            return false;
        }
        // Behind the message, the logger prints its fields; they end what the exporter wrote.
        if text.is_empty() || text.trim_start().starts_with("{\"") {
            (self.announced, self.resource, self.scope) = (self.announced && text.is_empty(), Vec::new(), Vec::new());
            return false;
        }
        let shared = if self.scope.is_empty() { &mut self.resource } else { &mut self.scope };
        if !shared.is_empty() && shared.len() < MOST_SHARED && SHARED.is_match(text) {
            shared.push((number, text.to_owned()));
            return true;
        }
        self.announced = false;
        false
    }

    /// Gives a block the lines that hold for it; their numbers go to the first span only.
    fn share(&mut self, block: &mut SpanBlock) {
        for (number, line) in self.resource.iter_mut().chain(&mut self.scope) {
            match std::mem::replace(number, u64::MAX) {
                u64::MAX => block.continue_with(line),
                number => block.add(line, number),
            }
        }
    }

    /// A line within an object of JSON or in Node's notation. Returns the block if it goes on.
    fn object_line(&mut self, mut open: Open, text: &str, number: u64, found: &mut Vec<SpanBlock>) -> Option<Open> {
        // If the formatter adds no line ending, other output follows the brace on the same line.
        if let Some(behind) = text.strip_prefix('}') {
            let mut next = Open { base: open.base.clone(), ..Open::default() };
            open.block.add("}", number);
            let has = |what: [&str; 2]| what.iter().all(|name| open.block.text.contains(name));
            let is_span = has(["\"trace_id\"", "\"span_id\""])
                || has(["\"TraceID\"", "\"SpanID\""])
                || has(["\n  traceId: '", "\n  id: '"]);
            found.extend(is_span.then_some(open.block));
            return (behind == "{").then(|| {
                next.block.add("{", number);
                next
            });
        }
        if !open.named && ["  resource: {", "  traceId: '"].iter().any(|first| text.starts_with(first)) {
            (open.named, open.block.form) = (true, SpanForm::Node);
        }
        let line = match open.block.form {
            // `console.dir` writes an object at once, with its content indented.
            SpanForm::Node if text.starts_with("  ") => Line::Own,
            SpanForm::Node => Line::Foreign,
            _ => json_line(text),
        };
        let first =
            |text: &str| text.trim_start().starts_with("\"name\":") || text.trim_start().starts_with("\"Name\":");
        match line {
            Line::Foreign => open.takes(false, text, number),
            // A span with a missing attribute would look complete.
            Line::Damaged => None,
            Line::Own | Line::Cut(_) if !open.named && !first(text) => None,
            own => {
                // Only the next line shows whether a comma belongs after a truncated line.
                if open.cut && !text.trim_start().starts_with(['}', ']']) {
                    open.block.text.push(',');
                }
                (open.cut, open.named) = (matches!(own, Line::Cut(_)), true);
                match &own {
                    Line::Cut(mended) => open.takes(true, mended, number),
                    _ => open.takes(true, text, number),
                }
            }
        }
    }
}

/// The form of a span that is printed on one line.
fn whole_line(text: &str) -> Option<SpanForm> {
    let ends = text.ends_with('}');
    if text.starts_with("{\"name\":") {
        return (ends && text.contains("\"trace_id\"")).then_some(SpanForm::Json);
    }
    if text.starts_with("{\"Name\":") {
        return (ends && text.contains("\"TraceID\"")).then_some(SpanForm::Json);
    }
    if ends && text.contains("\"scopeSpans\":") && text.contains("{\"resource") {
        return Some(SpanForm::OtlpJson);
    }
    (text.contains("[tracer: ") && JAVA.is_match(text)).then_some(SpanForm::Java)
}

/// `Nov 23, 2026 3:20:12 PM`, in UTC: the exporter prints no zone.
fn heading_time(text: &str) -> Option<Nanos> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = text.split([' ', '\u{202f}']).map(|word| word.trim_end_matches(','));
    let month = MONTHS.find(words.next().filter(|word| word.len() == 3)?)? / 3 + 1;
    let (day, year): (u8, u16) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let (hour, rest) = words.next()?.split_once(':')?;
    let hour: u8 = hour.parse().ok()?;
    let hour = hour % 12 + if words.next()? == "PM" { 12 } else { 0 };
    Nanos::parse_rfc3339(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{rest}Z"))
}

/// How many structs and objects of Ruby are open after a line.
fn depth(mut depth: usize, line: &str) -> usize {
    let mut in_string = false;
    let mut before = ' ';
    let mut escaped = false;
    for c in line.chars() {
        match c {
            _ if escaped => {
                escaped = false;
                before = ' ';
                continue;
            }
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '<' if !in_string && before == '#' => depth += 1,
            '>' if !in_string && before != '=' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = c;
    }
    depth
}

impl Open {
    /// Adds a line if it is of the block. `None` where the block cannot become a span any more.
    fn takes(mut self, own: bool, text: &str, number: u64) -> Option<Self> {
        if !own {
            self.foreign += 1;
            return (self.foreign <= MOST_FOREIGN).then_some(self);
        }
        self.block.add(text, number);
        self.foreign = 0;
        (self.block.text.len() <= LARGEST_BLOCK).then_some(self)
    }
}

impl SpanBlock {
    fn add(&mut self, line: &str, number: u64) {
        self.continue_with(line);
        self.lines.push(number);
    }

    fn continue_with(&mut self, line: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
    }
}

/// The kind of a line between two braces.
enum Line {
    /// A member, an element or a bracket of indented JSON.
    Own,
    /// A member that was truncated, with its value closed.
    Cut(String),
    /// A member that is none.
    Damaged,
    /// Something else. Source code in a traceback is indented too, but is hardly ever JSON.
    Foreign,
}

fn json_line(whole: &str) -> Line {
    let line = whole.trim_start();
    if whole.len() == line.len() {
        return Line::Foreign;
    }
    let line = line.strip_suffix(',').unwrap_or(line);
    let own = |is: bool, other: Line| if is { Line::Own } else { other };
    match string_end(line).map(|end| &line[end..]) {
        Some("") => Line::Own,
        Some(behind) => match behind.strip_prefix(": ") {
            Some(value) => own(is_value(value), cut(whole, value)),
            None => Line::Foreign,
        },
        None => own(matches!(line, "}" | "]") || is_value(line), Line::Foreign),
    }
}

/// Closes the string in a line that [`super::lines`] truncated with an ellipsis.
fn cut(whole: &str, value: &str) -> Line {
    match whole.strip_suffix('…').filter(|_| value.starts_with('"') && string_end(value).is_none()) {
        Some(kept) => {
            let kept = &kept[..kept.len() - half_escape(kept)];
            Line::Cut(format!("{kept}…\""))
        }
        None => Line::Damaged,
    }
}

/// The length of an incomplete escape sequence at the end of a truncated text.
fn half_escape(text: &str) -> usize {
    let tail = &text.as_bytes()[text.len().saturating_sub(6)..];
    let Some(at) = tail.iter().rposition(|b| *b == b'\\') else { return 0 };
    // Two backslashes are an escaped backslash.
    let run = text.as_bytes()[..text.len() - tail.len() + at + 1].iter().rev().take_while(|b| **b == b'\\').count();
    let needed = if tail.get(at + 1) == Some(&b'u') { 6 } else { 2 };
    if run % 2 == 1 && tail.len() - at < needed { tail.len() - at } else { 0 }
}

/// Where a JSON string at the beginning of a text ends.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    let mut bytes = text.bytes().enumerate();
    bytes.next().filter(|(_, first)| *first == b'"')?;
    for (at, byte) in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn is_value(text: &str) -> bool {
    matches!(text, "{" | "[" | "{}" | "[]" | "true" | "false" | "null" | "NaN" | "Infinity" | "-Infinity")
        || string_end(text) == Some(text.len())
        || text.parse::<f64>().is_ok_and(f64::is_finite)
}
