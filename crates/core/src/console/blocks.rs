//! Finds spans printed by OpenTelemetry's ConsoleSpanExporter: in Python as JSON, in Node with `console.dir`.

use std::collections::BTreeMap;

use super::ansi::plain;
use super::{ConsoleLine, prefix};

/// Maximum bytes of one span.
pub const LARGEST_BLOCK: usize = 256 * 1024;

/// Maximum number of open blocks, one per container and stream.
const MOST_OPEN: usize = 32;

/// The lines of one printed span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanBlock {
    /// Its text as printed, without colours, the prefix of docker compose, and unrelated lines.
    pub text: String,
    /// The indices of its lines.
    pub lines: Vec<u64>,
}

/// Finds blocks in a stream of lines. A block is a line `{`, JSON indented by four spaces or members in Node's notation
/// indented by two, and a line `}`; or all of it on one line. Lines of other containers or of the other stream, and
/// lines that are not JSON, may occur in between. Memory is bounded by 32 open blocks of [`LARGEST_BLOCK`].
#[derive(Clone, Debug, Default)]
pub struct SpanBlocks {
    open: BTreeMap<(String, bool), Open>,
    pushed: u64,
}

#[derive(Clone, Debug, Default)]
struct Open {
    block: SpanBlock,
    /// Whether the first member has been seen; the exporter prints `name` first, and other JSON does not.
    named: bool,
    /// Whether its members are in Node's notation.
    node: bool,
    /// Whether the last line of the block was truncated.
    cut: bool,
    /// The number of unrelated lines since the block's last line.
    foreign: usize,
}

/// After this many unrelated lines, a block is discarded as incomplete.
const MOST_FOREIGN: usize = 200;

impl SpanBlocks {
    /// Adds a line, and returns the block that it ends.
    pub fn push(&mut self, line: &ConsoleLine) -> Option<SpanBlock> {
        let number = self.pushed;
        self.pushed += 1;
        let (container, rest) = match prefix(&line.text) {
            Some(found) => (found.container, found.rest),
            None => ("", line.text.as_str()),
        };
        let key = (container.to_owned(), line.stderr);
        let text = plain(rest);
        let text = text.trim_end();
        if text.starts_with("{\"name\":") {
            let whole = text.ends_with('}') && text.contains("\"trace_id\"") && text.len() <= LARGEST_BLOCK;
            return whole.then(|| SpanBlock { text: text.to_owned(), lines: vec![number] });
        }
        if text == "{" {
            self.begin(key, number);
            return None;
        }
        let open = self.open.get_mut(&key)?;
        // If the formatter adds no line ending, other output follows the brace on the same line.
        if let Some(behind) = text.strip_prefix('}') {
            let mut block = self.open.remove(&key)?.block;
            block.add("}", number);
            if behind == "{" {
                self.begin(key, number);
            }
            let has = |what: [&str; 2]| what.iter().all(|name| block.text.contains(name));
            let is_span = has(["\"trace_id\"", "\"span_id\""]) || has(["\n  traceId: '", "\n  id: '"]);
            return is_span.then_some(block);
        }
        if !open.named && ["  resource: {", "  traceId: '"].iter().any(|first| text.starts_with(first)) {
            (open.named, open.node) = (true, true);
        }
        let line = match open.node {
            // `console.dir` writes an object at once, with its content indented.
            true if text.starts_with("  ") => Line::Own,
            true => Line::Foreign,
            false => json_line(text),
        };
        let keep = match line {
            Line::Foreign => {
                open.foreign += 1;
                open.foreign <= MOST_FOREIGN
            }
            // A span with a missing attribute would look complete.
            Line::Damaged => false,
            Line::Own | Line::Cut(_) if !open.named && !text.starts_with("    \"name\":") => false,
            own => {
                // Only the next line shows whether a comma belongs after a truncated line.
                if open.cut && !text.trim_start().starts_with(['}', ']']) {
                    open.block.text.push(',');
                }
                let mended = match &own {
                    Line::Cut(mended) => mended,
                    _ => text,
                };
                open.block.add(mended, number);
                open.cut = matches!(own, Line::Cut(_));
                open.named = true;
                open.foreign = 0;
                open.block.text.len() <= LARGEST_BLOCK
            }
        };
        if !keep {
            self.open.remove(&key);
        }
        None
    }

    fn begin(&mut self, key: (String, bool), number: u64) {
        // Which one is dropped does not matter: no journal has that many containers printing spans at once.
        if self.open.len() >= MOST_OPEN && !self.open.contains_key(&key) {
            self.open.pop_first();
        }
        let mut open = Open::default();
        open.block.add("{", number);
        self.open.insert(key, open);
    }
}

impl SpanBlock {
    fn add(&mut self, line: &str, number: u64) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.lines.push(number);
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
    if whole.len() - line.len() < 4 {
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
