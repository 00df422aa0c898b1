//! Changes of a text that an editor sends instead of the whole text.

use crate::ground::schema::TextChange;

/// The 32-bit FNV-1a hash of a text, taken over UTF-16 code units: an editor computes it from the text that it shows.
pub(crate) fn check(text: &str) -> u32 {
    text.encode_utf16().fold(0x811c_9dc5, |hash, unit| (hash ^ u32::from(unit)).wrapping_mul(0x0100_0193))
}

/// Carries changes out, which are in order, do not overlap, and have their places in the old text. Returns nothing
/// where they do not fit it: outside of it, or inside a character.
pub(crate) fn apply(text: &str, changes: &[TextChange]) -> Option<String> {
    let mut changed = String::with_capacity(text.len() + changes.iter().map(|one| one.insert.len()).sum::<usize>());
    let mut at = Cursor { text, byte: 0, unit: 0 };
    for change in changes {
        changed.push_str(at.advance(change.start)?);
        changed.push_str(&change.insert);
        at.advance(change.end)?;
    }
    changed.push_str(text.get(at.byte..)?);
    Some(changed)
}

/// A place in a text, as bytes and as UTF-16 code units.
struct Cursor<'a> {
    text: &'a str,
    byte: usize,
    unit: usize,
}

impl<'a> Cursor<'a> {
    /// Moves forward to a code unit and returns what was passed.
    fn advance(&mut self, to: usize) -> Option<&'a str> {
        let rest = self.text.get(self.byte..)?;
        let mut chars = rest.char_indices();
        let mut passed = 0;
        while self.unit < to {
            let (_, char) = chars.next()?;
            self.unit += char.len_utf16();
            passed += char.len_utf8();
        }
        if self.unit != to {
            return None;
        }
        self.byte += passed;
        rest.get(..passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(start: usize, end: usize, insert: &str) -> TextChange {
        TextChange { start, end, insert: insert.to_owned() }
    }

    #[test]
    fn changes_have_their_places_in_the_old_text() {
        let cases: [(&str, &[TextChange], Option<&str>); 12] = [
            ("one two", &[], Some("one two")),
            ("one two", &[change(0, 3, "1"), change(4, 7, "2")], Some("1 2")),
            ("one two", &[change(7, 7, "!")], Some("one two!")),
            ("", &[change(0, 0, "new")], Some("new")),
            ("a😀b", &[change(3, 4, "c")], Some("a😀c")),
            ("a😀b", &[change(1, 3, "")], Some("ab")),
            ("\u{feff}é\r\n", &[change(1, 2, "e")], Some("\u{feff}e\r\n")),
            // Inside a pair of surrogates, beyond the end, backwards, out of order.
            ("a😀b", &[change(2, 2, "x")], None),
            ("ab", &[change(3, 3, "x")], None),
            ("ab", &[change(1, 5, "x")], None),
            ("ab", &[change(1, 0, "x")], None),
            ("abcd", &[change(2, 3, "x"), change(0, 1, "y")], None),
        ];
        for (text, changes, wanted) in cases {
            assert_eq!(apply(text, changes).as_deref(), wanted, "{text:?} {changes:?}");
        }
    }

    #[test]
    fn the_check_is_that_of_the_editor() {
        // Values of `checkOf` in ui/src/lib/check.ts.
        assert_eq!(check(""), 2_166_136_261);
        assert_eq!(check("a"), 3_826_002_220);
        assert_eq!(check("Week 2 — é😀\r\n"), 2_584_542_446);
        assert_ne!(check("ab"), check("ba"));
    }
}
