//! Differences of texts by lines, and merging two changes of one text.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use similar::algorithms::{Capture, diff_slices};
use similar::{Algorithm, DiffOp};
use ts_rs::TS;

/// Lines around a difference.
const CONTEXT: usize = 3;

/// A change of a text. Offsets are UTF-16 code units, as JavaScript counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TextChange {
    /// First unit that is replaced.
    pub start: usize,
    /// One past the last unit that is replaced.
    pub end: usize,
    pub insert: String,
}

/// The lines of a text with their breaks.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// What one text has instead of lines of another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hunk {
    old: Range<usize>,
    new: Range<usize>,
}

impl Hunk {
    /// Whether two sides change the same lines, or add lines at the same place.
    fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (&self.old, &other.old);
        (a.start < b.end && b.start < a.end) || (a.is_empty() && a == b)
    }
}

/// The differences in their order: what is between the lines that both have.
fn hunks(old: &[&str], new: &[&str]) -> Vec<Hunk> {
    let mut capture = Capture::new();
    // It cannot fail. Without `capture_diff_slices`, whose compaction may leave wrong indexes.
    let Ok(()) = diff_slices(Algorithm::Myers, &mut capture, old, new);
    let equal = capture.into_ops().into_iter().filter_map(|op| match op {
        DiffOp::Equal { old_index, new_index, len } => Some((old_index, new_index, len)),
        DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => None,
    });
    let mut found = Vec::new();
    let mut read = (0, 0);
    for (old_index, new_index, len) in equal.chain([(old.len(), new.len(), 0)]) {
        if read != (old_index, new_index) {
            found.push(Hunk { old: read.0..old_index, new: read.1..new_index });
        }
        read = (old_index + len, new_index + len);
    }
    found
}

/// Applies both changes of a text. `None` where they touch the same lines, or lines next to each other, in different
/// ways.
pub fn three_way(base: &str, mine: &str, theirs: &str) -> Option<String> {
    let (base, mine, theirs) = (lines(base), lines(mine), lines(theirs));
    let (my_hunks, their_hunks) = (hunks(&base, &mine), hunks(&base, &theirs));
    let (mut my_hunks, mut their_hunks) = (my_hunks.into_iter().peekable(), their_hunks.into_iter().peekable());
    let mut merged = String::new();
    let mut read = 0;
    loop {
        let (hunk, new) = match (my_hunks.peek(), their_hunks.peek()) {
            (None, None) => break,
            (Some(a), Some(b)) if a.old == b.old && mine[a.new.clone()] == theirs[b.new.clone()] => {
                their_hunks.next();
                (my_hunks.next(), &mine)
            }
            // Next to each other: which of two new lines comes first cannot be decided.
            (Some(a), Some(b)) if a.old.start <= b.old.end && b.old.start <= a.old.end => return None,
            (Some(a), Some(b)) if b.old.start < a.old.start => (their_hunks.next(), &theirs),
            (Some(_), _) => (my_hunks.next(), &mine),
            (None, Some(_)) => (their_hunks.next(), &theirs),
        };
        let Some(Hunk { old, new: range }) = hunk else { break };
        merged.extend(base[read..old.start].iter().copied());
        merged.extend(new[range].iter().copied());
        read = old.end;
    }
    merged.extend(base[read..].iter().copied());
    Some(merged)
}

/// Two changes of one text, put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combined {
    pub text: String,
    /// How many places both changed in different ways: they are as in `mine`.
    pub conflicts: usize,
}

/// Applies both changes of a text. Where both added lines at one place, `theirs` come first; where they changed the
/// same lines in different ways, `mine` stay. Lines next to each other are no conflict, unlike for [`three_way`]: where
/// nobody waits to be asked, a line too many is better than one too few.
pub fn combine(base: &str, mine: &str, theirs: &str) -> Combined {
    let (base, mine, theirs) = (lines(base), lines(mine), lines(theirs));
    let (my_hunks, their_hunks) = (hunks(&base, &mine), hunks(&base, &theirs));
    let (mut my_hunks, mut their_hunks) = (my_hunks.into_iter().peekable(), their_hunks.into_iter().peekable());
    let mut out = Combined { text: String::new(), conflicts: 0 };
    let mut read = 0;
    let add = |text: &mut String, lines: &[&str]| {
        // The last line of a text may have no break, but not one within it.
        if !lines.is_empty() && !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.extend(lines.iter().copied());
    };
    loop {
        let first = |hunk: &Hunk| (hunk.old.start, hunk.old.end);
        let (mut of_mine, mut of_theirs) = (Vec::new(), Vec::new());
        match (my_hunks.peek().map(first), their_hunks.peek().map(first)) {
            (None, None) => break,
            (Some(a), Some(b)) if a <= b => of_mine.extend(my_hunks.next()),
            (Some(_), None) => of_mine.extend(my_hunks.next()),
            (_, Some(_)) => of_theirs.extend(their_hunks.next()),
        }
        // Everything of both sides that changes what the other side changes.
        loop {
            let meets = |hunk: &Hunk, others: &[Hunk]| others.iter().any(|other| hunk.overlaps(other));
            if let Some(hunk) = my_hunks.next_if(|hunk| meets(hunk, &of_theirs)) {
                of_mine.push(hunk);
            } else if let Some(hunk) = their_hunks.next_if(|hunk| meets(hunk, &of_mine)) {
                of_theirs.push(hunk);
            } else {
                break;
            }
        }
        let both = || of_mine.iter().chain(&of_theirs);
        let start = both().map(|hunk| hunk.old.start).min().unwrap_or(read);
        let end = both().map(|hunk| hunk.old.end).max().unwrap_or(read);
        add(&mut out.text, &base[read..start]);
        let my_lines = version(&base, &mine, &of_mine, start..end);
        let their_lines = version(&base, &theirs, &of_theirs, start..end);
        match (of_mine.is_empty(), of_theirs.is_empty()) {
            (true, _) => add(&mut out.text, &their_lines),
            (_, true) => add(&mut out.text, &my_lines),
            _ if my_lines == their_lines => add(&mut out.text, &my_lines),
            _ if start == end => {
                add(&mut out.text, &their_lines);
                add(&mut out.text, &my_lines);
            }
            _ => {
                out.conflicts += 1;
                add(&mut out.text, &my_lines);
            }
        }
        read = end;
    }
    add(&mut out.text, &base[read..]);
    out
}

/// Lines of a base as one side has them.
fn version<'a>(base: &[&'a str], text: &[&'a str], hunks: &[Hunk], of: Range<usize>) -> Vec<&'a str> {
    let (mut version, mut at) = (Vec::new(), of.start);
    for hunk in hunks {
        version.extend(&base[at..hunk.old.start]);
        version.extend(&text[hunk.new.clone()]);
        at = hunk.old.end;
    }
    version.extend(&base[at..of.end]);
    version
}

/// The changes by whole lines that make one text of another.
pub fn changes(old: &str, new: &str) -> Vec<TextChange> {
    let (old_lines, new_lines) = (lines(old), lines(new));
    let units = |lines: &[&str]| lines.iter().map(|line| line.encode_utf16().count()).sum::<usize>();
    let (mut at, mut read) = (0, 0);
    let hunks = hunks(&old_lines, &new_lines);
    let of = |Hunk { old, new }: Hunk| {
        at += units(&old_lines[read..old.start]);
        let start = at;
        at += units(&old_lines[old.clone()]);
        read = old.end;
        TextChange { start, end: at, insert: new_lines[new].concat() }
    };
    hunks.into_iter().map(of).collect()
}

/// The difference between two texts as `diff -u` writes it, without file names; empty if they are the same.
pub fn unified(old: &str, new: &str) -> String {
    let (old, new) = (lines(old), lines(new));
    let hunks = hunks(&old, &new);
    let mut out = String::new();
    let mut rest = hunks.as_slice();
    while let Some(first) = rest.first() {
        // Hunks whose context touches are shown together.
        let apart = |pair: &[Hunk]| pair[1].old.start - pair[0].old.end > 2 * CONTEXT;
        let count = rest.windows(2).position(apart).map_or(rest.len(), |at| at + 1);
        let (group, after) = rest.split_at(count);
        rest = after;
        let last = group.last().unwrap_or(first);
        let before = first.old.start.min(CONTEXT);
        let behind = (old.len() - last.old.end).min(CONTEXT);
        let place = |start: usize, end: usize| match end - start {
            // An empty range is named by the line before it.
            0 => format!("{start},0"),
            1 => format!("{}", start + 1),
            count => format!("{},{count}", start + 1),
        };
        let places = [
            place(first.old.start - before, last.old.end + behind),
            place(first.new.start - before, last.new.end + behind),
        ];
        out.push_str(&format!("@@ -{} +{} @@\n", places[0], places[1]));
        let mut add = |sign: char, line: &str| {
            out.push(sign);
            out.push_str(line);
            if !line.ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        };
        let mut read = first.old.start - before;
        for Hunk { old: removed, new: added } in group {
            old[read..removed.start].iter().for_each(|line| add(' ', line));
            old[removed.clone()].iter().for_each(|line| add('-', line));
            new[added.clone()].iter().for_each(|line| add('+', line));
            read = removed.end;
        }
        old[read..read + behind].iter().for_each(|line| add(' ', line));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn changes_of_different_places_are_merged() {
        let base = "# Week\n\none\n\ntwo\n\nthree\n";
        let mine = "# Week\n\none, mine\n\ntwo\n\nthree\n";
        let theirs = "# Week\n\none\n\ntwo\n\nthree\n\nfour, theirs\n";
        let merged = "# Week\n\none, mine\n\ntwo\n\nthree\n\nfour, theirs\n";
        assert_eq!(three_way(base, mine, theirs).as_deref(), Some(merged));
        assert_eq!(three_way(base, theirs, mine).as_deref(), Some(merged));
        // Deleted here, changed there in another place.
        assert_eq!(three_way("a\nb\nc\nd\n", "b\nc\nd\n", "a\nb\nc\nD\n").as_deref(), Some("b\nc\nD\n"));
        assert_eq!(three_way("a\r\nb\r\nc", "A\r\nb\r\nc", "a\r\nb\r\nC").as_deref(), Some("A\r\nb\r\nC"));
        // The same change on both sides.
        assert_eq!(three_way("a\nb\n", "a\nx\n", "a\nx\n").as_deref(), Some("a\nx\n"));
        assert_eq!(three_way("", "a\n", "").as_deref(), Some("a\n"));
    }

    #[test]
    fn changes_of_one_place_are_not() {
        for (base, mine, theirs) in [
            ("a\nb\nc\n", "a\nx\nc\n", "a\ny\nc\n"),
            ("a\nb\nc\n", "a\nc\n", "a\ny\nc\n"),
            ("a\n", "a\nx\n", "a\ny\n"),
            ("", "x\n", "y\n"),
            ("a\nb\n", "x\nb\n", "a\ny\n"),
        ] {
            assert_eq!(three_way(base, mine, theirs), None, "{base:?} {mine:?} {theirs:?}");
        }
    }

    #[test]
    fn both_changes_are_combined() {
        for (base, mine, theirs, combined, conflicts) in [
            ("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", "A\nb\nC\n", 0),
            // Both added at the end, and at the same place within.
            ("a\n", "a\nmine\n", "a\ntheirs\n", "a\ntheirs\nmine\n", 0),
            ("a\nb\n", "a\nx\nb\n", "a\ny\nb\n", "a\ny\nx\nb\n", 0),
            ("", "x\n", "y\n", "y\nx\n", 0),
            ("", "x\n", "y", "y\nx\n", 0),
            // Changed here, and lines added right after or before it there.
            ("a\nb\n", "a\nB\n", "a\nb\nc\n", "a\nB\nc\n", 0),
            ("a\nb\n", "A\nb\n", "x\na\nb\n", "x\nA\nb\n", 0),
            ("a\nb\n", "A\nb\n", "a\nB\n", "A\nB\n", 0),
            ("a\nb\nc\n", "a\nx\nc\n", "a\ny\nc\nd\n", "a\nx\nc\nd\n", 1),
            ("a\nb\nc\nd\n", "a\nd\n", "a\nB\nc\nD\n", "a\nD\n", 1),
            // The same change on both sides.
            ("a\nb\n", "a\nx\n", "a\nx\n", "a\nx\n", 0),
            ("a", "a\nb", "a\nc", "a\nb", 1),
        ] {
            let wanted = Combined { text: combined.to_owned(), conflicts };
            assert_eq!(combine(base, mine, theirs), wanted, "{base:?} {mine:?} {theirs:?}");
        }
    }

    #[test]
    fn changes_are_counted_as_javascript_does() {
        let found = changes("😀 one\ntwo\nthree\n", "😀 one\n2\nthree\nfour\n");
        let change = |start, end, insert: &str| TextChange { start, end, insert: insert.to_owned() };
        assert_eq!(found, [change(7, 11, "2\n"), change(17, 17, "four\n")]);
        assert_eq!(changes("a", "a"), []);
    }

    #[test]
    fn a_difference_is_readable() {
        let old: String = (1..=9).map(|n| format!("line {n}\n")).collect();
        let new = old.replace("line 5\n", "line five\n");
        let expected = "@@ -2,7 +2,7 @@\n line 2\n line 3\n line 4\n-line 5\n+line five\n line 6\n line 7\n line 8\n";
        assert_eq!(unified(&old, &new), expected);
        assert_eq!(unified(&old, &old), "");
        assert_eq!(unified("", "a\n"), "@@ -0,0 +1 @@\n+a\n");
        assert_eq!(unified("a", "a\n"), "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
        let both = old.replace("line 1\n", "").replace("line 9\n", "line nine\n");
        assert_eq!(unified(&old, &both).matches("@@ -").count(), 2);
    }

    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(prop_oneof!["[ab]{0,2}\n", Just("é😀\r\n".to_owned())], 0..9)
            .prop_map(|lines| lines.concat())
    }

    proptest! {
        #[test]
        fn with_one_side_unchanged_the_other_wins(base in text(), other in text()) {
            prop_assert_eq!(three_way(&base, &other, &base), Some(other.clone()));
            prop_assert_eq!(three_way(&base, &base, &other), Some(other.clone()));
            prop_assert_eq!(three_way(&base, &other, &other), Some(other));
        }

        #[test]
        fn merging_does_not_depend_on_the_side(base in text(), a in text(), b in text()) {
            prop_assert_eq!(three_way(&base, &a, &b), three_way(&base, &b, &a));
        }

        #[test]
        fn what_can_be_merged_is_combined_without_conflicts(base in text(), a in text(), b in text()) {
            let combined = combine(&base, &a, &b);
            if let Some(merged) = three_way(&base, &a, &b) {
                prop_assert_eq!(combined, Combined { text: merged, conflicts: 0 });
            }
        }

        #[test]
        fn what_one_side_added_is_there_afterwards(base in text(), a in text(), b in text()) {
            let combined = combine(&base, &a, &b);
            let missing = a.lines().find(|line| !combined.text.lines().any(|other| other == *line) && !base.contains(line));
            prop_assert_eq!(missing, None);
            if combined.conflicts == 0 {
                let missing = b.lines().find(|line| !combined.text.lines().any(|other| other == *line) && !base.contains(line));
                prop_assert_eq!(missing, None);
            }
        }

        #[test]
        fn changes_lead_to_the_new_text(old in text(), new in text()) {
            let mut units: Vec<u16> = old.encode_utf16().collect();
            for change in changes(&old, &new).into_iter().rev() {
                units.splice(change.start..change.end, change.insert.encode_utf16());
            }
            prop_assert_eq!(String::from_utf16(&units).expect("text"), new);
        }
    }
}
