//! The terminal of a command that goes on printing: what changed on it since it was last read.

use std::collections::{HashSet, VecDeque};

use super::ConsoleLine;
use super::screen::{Screen, ShownLine};
use super::terminal::{LONGEST_LINE, MOST_LINES};
use crate::time::Nanos;

/// A terminal whose rows are stored elsewhere, by their position below those that can change no more. What is kept in
/// memory is bounded by the rows that escape sequences can reach. Its scrollback cannot be erased.
#[derive(Debug)]
pub struct Display {
    screen: Screen,
    /// The rows as they were last read.
    rows: Vec<ShownLine>,
    /// The lines as printed that a row may show, or that were not returned yet, with their numbers.
    printed: VecDeque<(u64, ConsoleLine)>,
    next: u64,
}

/// A row that is new or has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedRow {
    /// Its position among the rows that could change when they were last read, and below those.
    pub at: usize,
    pub line: ConsoleLine,
    /// When it was first written.
    pub begun: Option<Nanos>,
    /// Whether it is a line exactly as printed.
    pub as_printed: bool,
}

/// What changed on a [`Display`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// In the order of rows. New ones are at the end.
    pub rows: Vec<ChangedRow>,
    /// How many rows there are now; those below were removed.
    pub length: usize,
    /// How many of these, from the first on, can change no more: the next positions count from the row after them.
    pub settled: usize,
    /// Lines as printed that no row shows any more, in the order of printing.
    pub printed: Vec<ConsoleLine>,
}

impl Default for Display {
    fn default() -> Self {
        Self { screen: Screen::numbering(), rows: Vec::new(), printed: VecDeque::new(), next: 0 }
    }
}

impl Display {
    /// Writes the next line, without its line ending.
    pub fn line(&mut self, raw: &str, stderr: bool, time: Option<Nanos>) {
        self.number(raw, stderr, time);
        self.screen.line(raw, stderr, time);
    }

    /// Writes the beginning of a line, or more of one. The rest has to begin with a carriage return.
    pub fn part(&mut self, raw: &str, stderr: bool, time: Option<Nanos>) {
        self.number(raw, stderr, time);
        self.screen.part(raw, stderr, time);
    }

    fn number(&mut self, raw: &str, stderr: bool, time: Option<Nanos>) {
        let text = raw[..raw.floor_char_boundary(LONGEST_LINE)].to_owned();
        self.printed.push_back((self.next, ConsoleLine { text, stderr, time }));
        self.next += 1;
        // Where nothing can be stored, the oldest are lost.
        if self.printed.len() > MOST_LINES {
            self.printed.pop_front();
        }
    }

    /// What changed since the last changes that were [kept](Self::kept).
    pub fn changes(&mut self) -> Changes {
        let reachable = self.screen.reachable();
        let (done, gone) = self.screen.done();
        let gone = usize::try_from(gone).unwrap_or(usize::MAX);
        let changed = |(at, shown): (usize, &ShownLine)| {
            let at = gone.saturating_add(at);
            let ShownLine { line, begun, number } = shown;
            let row = || ChangedRow { at, line: line.clone(), begun: *begun, as_printed: number.is_some() };
            (self.rows.get(at) != Some(shown)).then(row)
        };
        let mut settled = gone;
        let done = done.inspect(|_| settled += 1);
        let rows = done.chain(&reachable).enumerate().filter_map(changed).collect();
        let length = settled.saturating_add(reachable.len());
        let shown = self.numbers(&reachable);
        let printed = self.printed.iter().filter(|(number, _)| !shown.contains(number));
        let printed = printed.map(|(_, line)| line.clone()).collect();
        Changes { rows, length, settled, printed }
    }

    /// The last changes were stored: those that follow are counted from there.
    pub fn kept(&mut self) {
        let reachable = self.screen.reachable();
        self.screen.forget_done();
        let shown = self.numbers(&reachable);
        self.printed.retain(|(number, _)| shown.contains(number));
        self.rows = reachable;
    }

    /// The numbers of the lines that are shown as printed.
    fn numbers(&self, reachable: &[ShownLine]) -> HashSet<u64> {
        self.screen.done().0.chain(reachable).filter_map(|shown| shown.number).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::console::Console;

    /// Stores what changes, as a database would.
    #[derive(Default)]
    struct Stored {
        rows: Vec<(ConsoleLine, bool)>,
        settled: usize,
        printed: Vec<ConsoleLine>,
    }

    impl Stored {
        fn read(&mut self, display: &mut Display) {
            self.apply(display.changes());
            display.kept();
        }

        fn apply(&mut self, changes: Changes) {
            let Changes { rows, length, settled, printed } = changes;
            for ChangedRow { at, line, begun, as_printed } in rows {
                assert!(begun <= line.time, "{line:?}");
                let at = self.settled + at;
                match at < self.rows.len() {
                    true => self.rows[at] = (line, as_printed),
                    false => self.rows.push((line, as_printed)),
                }
            }
            self.rows.truncate(self.settled + length);
            self.settled += settled;
            self.printed.extend(printed);
        }

        /// The same where rows were lost: what is stored has no place for them.
        fn apply_after_a_gap(&mut self, mut changes: Changes) {
            let first_new = self.rows.len() - self.settled;
            let lost = changes.rows.iter().find(|row| row.at >= first_new).map_or(0, |row| row.at - first_new);
            for row in changes.rows.iter_mut().filter(|row| row.at >= first_new) {
                row.at -= lost;
            }
            (changes.length, changes.settled) = (changes.length - lost, changes.settled - lost);
            self.apply(changes);
        }

        fn shown(&self) -> Vec<&str> {
            self.rows.iter().map(|(line, _)| line.text.as_str()).collect()
        }

        /// Everything that was printed, in its order: here times are the order.
        fn raw(&self) -> Vec<String> {
            let as_printed = self.rows.iter().filter(|(_, as_printed)| *as_printed).map(|(line, _)| line);
            let mut all: Vec<&ConsoleLine> = as_printed.chain(&self.printed).collect();
            all.sort_by_key(|line| line.time);
            all.into_iter().map(|line| line.text.clone()).collect()
        }
    }

    /// Writes lines and reads the display after every `step` of them.
    fn watched(text: &[&str], step: usize) -> Stored {
        let (mut display, mut stored) = (Display::default(), Stored::default());
        for (n, some) in text.chunks(step).enumerate() {
            for (i, line) in some.iter().enumerate() {
                display.line(line, false, Some(Nanos(i64::try_from(n * step + i).expect("few"))));
            }
            stored.read(&mut display);
        }
        stored
    }

    #[test]
    fn rows_that_are_written_over_change_in_place() {
        let up = ["Creating web ... ", "Creating db  ... ", "\x1b[2A\x1b[2KCreating web ... done\x1b[2B"];
        for step in 1..=3 {
            let stored = watched(&up, step);
            assert_eq!(stored.shown(), ["Creating web ... done", "Creating db  ... "], "{step}");
            assert_eq!(stored.raw(), up, "{step}: nothing that was printed is lost");
        }
        let erased = watched(&["a", "b", "c", "\x1b[3A\x1b[J", "d"], 1);
        assert_eq!(erased.shown(), ["", "d"]);
    }

    #[test]
    fn plain_lines_are_stored_once() {
        let text: Vec<String> = (0..1_000).map(|n| format!("GET /{n} 200")).collect();
        let text: Vec<&str> = text.iter().map(String::as_str).collect();
        let stored = watched(&text, 7);
        assert_eq!(stored.shown(), text);
        assert!(stored.printed.is_empty() && stored.rows.iter().all(|(_, as_printed)| *as_printed));
    }

    #[test]
    fn memory_is_bounded_by_what_can_be_reached() {
        let mut display = Display::default();
        for n in 0..5_000 {
            display.line(&format!("\x1b[1A\rprogress {n}\nx"), false, None);
            display.line(&n.to_string(), false, None);
            display.kept();
        }
        assert!(display.rows.len() < 500, "{}", display.rows.len());
        assert!(display.printed.len() < 500, "{}", display.printed.len());
    }

    #[test]
    fn what_could_not_be_stored_is_stored_later() {
        let (mut display, mut stored) = (Display::default(), Stored::default());
        let line = |display: &mut Display, n: i64| display.line(&n.to_string(), false, Some(Nanos(n)));
        (0..500).for_each(|n| line(&mut display, n));
        stored.read(&mut display);
        (500..1_000).for_each(|n| line(&mut display, n));
        display.changes(); // not stored
        (1_000..1_500).for_each(|n| line(&mut display, n));
        stored.read(&mut display);
        assert_eq!(stored.shown(), (0..1_500).map(|n| n.to_string()).collect::<Vec<_>>());
        // For as long as memory allows.
        (1_500..30_000).for_each(|n| line(&mut display, n));
        stored.apply_after_a_gap(display.changes());
        display.kept();
        assert_eq!(stored.shown().last(), Some(&"29999"));
        line(&mut display, 30_000);
        line(&mut display, -1);
        display.line("\x1b[2A\rx", false, Some(Nanos(30_001)));
        stored.apply_after_a_gap(display.changes());
        assert_eq!(stored.shown()[stored.rows.len() - 3..], ["29999", "x0000", "-1"]);
    }

    #[test]
    fn the_scrollback_is_kept_and_a_long_progress_bar_shows_its_end() {
        let (mut display, mut stored) = (Display::default(), Stored::default());
        for n in 0..300 {
            display.line(&n.to_string(), false, None);
        }
        display.line("\x1b[H\x1b[2J\x1b[3Jcleared", false, None);
        stored.read(&mut display);
        assert_eq!(stored.shown()[..3], ["0", "1", "2"]);
        assert_eq!(stored.shown().last(), Some(&"cleared"));

        let (mut display, mut stored) = (Display::default(), Stored::default());
        display.part("10%\r20%", false, None);
        stored.read(&mut display);
        assert_eq!(stored.shown(), ["20%"]);
        display.part("\r30%", false, None);
        display.line("\r100% done", false, None);
        display.line("next", false, None);
        stored.read(&mut display);
        assert_eq!(stored.shown(), ["100% done", "next"]);
    }

    proptest! {
        /// Whenever it is read, what is stored at the end is what the same text shows at once.
        #[test]
        fn it_shows_what_a_terminal_shows(
            text in prop::collection::vec(
                prop::collection::vec(
                    prop::sample::select(vec!["a", "bc", "\x1b[1A", "\x1b[2A", "\x1b[1B", "\x1b[K", "\x1b[2K", "\r", "\x1b[J",
                        "\x1b[31m", "\x1b[0m", "\x1b[L", "\x1b[M", "\x1bM", "\x1b[3;1H", "\x1b[?1049h", "\x1b[?1049l", "  "]),
                    0..6,
                ).prop_map(|parts| parts.concat()),
                1..60,
            ),
            step in 1_usize..20,
        ) {
            let lines_of: Vec<&str> = text.iter().map(String::as_str).collect();
            let stored = watched(&lines_of, step);
            let whole = Console::from_text("whole", &(text.join("\n") + "\n"));
            let expected: Vec<&str> = whole.lines.iter().map(|line| line.text.as_str()).collect();
            prop_assert_eq!(stored.shown(), expected);
        }
    }
}
