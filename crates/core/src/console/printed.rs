//! Console output as it was printed, before a terminal would show it.

use std::collections::VecDeque;

use super::{Console, ConsoleLine};

/// The most bytes that are kept.
const MOST_BYTES: usize = 1024 * 1024;

/// Output of a command, in both forms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// As a terminal shows it at the end.
    pub console: Console,
    pub printed: AsPrinted,
}

/// Lines with all their escape sequences; the last ones, within 1 MiB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AsPrinted {
    lines: VecDeque<ConsoleLine>,
    bytes: usize,
    more: u32,
}

impl AsPrinted {
    /// The lines of a text.
    pub fn of_text(text: &str) -> Self {
        let lines = text.strip_suffix('\n').unwrap_or(text).split('\n').filter(|_| !text.is_empty());
        lines.map(|text| ConsoleLine { text: text.to_owned(), ..ConsoleLine::default() }).collect()
    }

    /// Adds the next line, of which a part is kept if it is longer than everything may be.
    pub fn push(&mut self, mut line: ConsoleLine) {
        line.text.truncate(line.text.floor_char_boundary(MOST_BYTES));
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while self.bytes > MOST_BYTES
            && let Some(first) = self.lines.pop_front()
        {
            self.bytes -= first.text.len();
            self.more = self.more.saturating_add(1);
        }
    }

    /// The lines, from the oldest on.
    pub fn lines(&self) -> impl Iterator<Item = &ConsoleLine> {
        self.lines.iter()
    }

    /// The number of earlier lines that were left out.
    pub fn more(&self) -> u32 {
        self.more
    }

    /// Bytes of the lines that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing was printed.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl FromIterator<ConsoleLine> for AsPrinted {
    fn from_iter<T: IntoIterator<Item = ConsoleLine>>(lines: T) -> Self {
        let mut printed = Self::default();
        lines.into_iter().for_each(|line| printed.push(line));
        printed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_as_printed() {
        let printed = AsPrinted::of_text("a\r\n\x1b[1Ab\n\nc");
        let texts: Vec<&str> = printed.lines().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["a\r", "\x1b[1Ab", "", "c"]);
        assert_eq!((printed.more(), printed.bytes()), (0, 8));
        assert!(AsPrinted::of_text("").is_empty());
    }

    #[test]
    fn the_last_lines_are_kept_within_the_limit() {
        let line = |n: usize| ConsoleLine { text: format!("{n:01024}"), ..ConsoleLine::default() };
        let printed: AsPrinted = (0..2_000).map(line).collect();
        assert_eq!((printed.lines().count(), printed.more()), (1024, 976));
        assert_eq!(printed.lines().last().map(|line| line.text.trim_start_matches('0')), Some("1999"));
        let one = AsPrinted::of_text(&"é".repeat(MOST_BYTES));
        assert_eq!((one.bytes(), one.more()), (MOST_BYTES, 0));
    }
}
