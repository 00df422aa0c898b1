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
        fn changes_lead_to_the_new_text(old in text(), new in text()) {
            let mut units: Vec<u16> = old.encode_utf16().collect();
            for change in changes(&old, &new).into_iter().rev() {
                units.splice(change.start..change.end, change.insert.encode_utf16());
            }
            prop_assert_eq!(String::from_utf16(&units).expect("text"), new);
        }
    }
}
