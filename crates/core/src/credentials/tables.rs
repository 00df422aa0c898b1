//! Columns of tables in text, as `psql`, `mysql` and the like print them, whose head is the name of a credential.

use super::names::{self, Name};
use super::scan::{BY_NAME, Cut, run, run_back, text_of};
use super::values::{self, Form};

/// Bytes of a line that are looked at.
const LINE: usize = 16 * 1024;
/// Rows of one table.
const MOST_ROWS: usize = 10_000;

/// Between two columns: `|`, and the box drawing characters `│` and `┃`.
const BARS: [&[u8]; 3] = [b"|", "│".as_bytes(), "┃".as_bytes()];

/// Parts of the line below the head of a table.
pub(super) const RULES: &[&str] = &["-+-", "|--", "--|", "-----", "─┼", "━╇", "━┿"];

/// Looks for the table whose head is above a line. Returns the end of the line.
pub(super) fn find(text: &[u8], at: usize, cuts: &mut Vec<Cut>) -> usize {
    let line = run_back(text, at, LINE, |b| b != b'\n');
    let end = run(text, at, |b| b != b'\n');
    if line == 0 || text[line - 1] != b'\n' || !is_rule(&text[line..end]) {
        return end;
    }
    let head = run_back(text, line - 1, LINE, |b| b != b'\n');
    if !is_rule(&text[head..line - 1]) {
        table(text, head, line - 1, end + 1, cuts);
    }
    end
}

/// `----+----`, also behind a prefix such as that of docker compose.
fn is_rule(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(&line[..line.len().min(LINE)]) else { return false };
    let rule = line.rsplit("  | ").next().unwrap_or(line).trim();
    let marks = rule.chars().filter(|c| matches!(c, '-' | '─' | '━' | '=')).count();
    marks >= 3
        && rule
            .chars()
            .all(|c| matches!(c, '-' | '+' | '|' | ':' | ' ' | '=') || ('\u{2500}'..='\u{257f}').contains(&c))
}

/// The cells of a line: start and end, without blanks.
fn cells(text: &[u8], start: usize, end: usize) -> Vec<(usize, usize)> {
    let mut cells = Vec::new();
    let (mut from, mut at) = (start, start);
    let mut push = |from: usize, to: usize| {
        let blanks = text[from..to].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let last = text[from + blanks..to].iter().rev().take_while(|b| b.is_ascii_whitespace()).count();
        cells.push((from + blanks, to - last));
    };
    while at < end {
        match BARS.iter().find(|bar| text[at..end].starts_with(bar)) {
            Some(bar) => {
                push(from, at);
                at += bar.len();
                from = at;
            }
            None => at += 1,
        }
    }
    push(from, end);
    cells
}

fn table(text: &[u8], head: usize, head_end: usize, rows_start: usize, cuts: &mut Vec<Cut>) {
    let heads = cells(text, head, head_end);
    let classes: Vec<Name> = heads
        .iter()
        .map(|(start, end)| if start < end { names::judge(&text_of(text, *start, *end)) } else { Name::Plain })
        .collect();
    if classes.iter().all(|class| *class == Name::Plain) || rows_start > text.len() {
        return;
    }
    // A single column looks like a heading with a text below it: its rows are indented, and one word each.
    let single = classes.len() == 1;
    let mut at = rows_start;
    for line in text[rows_start..].split(|b| *b == b'\n').take(MOST_ROWS) {
        let row = cells(text, at, at + line.len().min(LINE));
        if row.len() != classes.len() && !is_rule(line) || single && !line.starts_with(b" ") {
            return;
        }
        for ((start, end), class) in row.into_iter().zip(&classes).filter(|(_, class)| **class != Name::Plain) {
            let value = text_of(text, start, end);
            let is_word = !single || !value.contains(char::is_whitespace);
            if start < end && is_word && values::is_credential(*class, &value, Form::Data) && !is_rule(line) {
                cuts.push(Cut { start, end, what: BY_NAME });
            }
        }
        at += line.len() + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Removed, remove_from_text};

    fn clean(text: &str) -> String {
        remove_from_text(text, &mut Removed::default()).into_owned()
    }

    #[test]
    fn columns_of_credentials_are_found() {
        for text in [
            " id | name | password\n----+------+-----------\n  1 | bob  | swordfish\n  2 | ann  | \n(2 rows)\n",
            "+----+-----------+\n| id | password  |\n+----+-----------+\n|  1 | swordfish |\n+----+-----------+\n",
            "| id | password |\n|---|---|\n| 1 | swordfish |\n",
            " id │ password\n────┼──────────\n  1 │ swordfish\n",
            "db-1  |  id | password\ndb-1  | ----+-----------\ndb-1  |   1 | swordfish\n",
            "password\n--------------\n swordfish\n(1 row)\n",
        ] {
            let out = clean(text);
            assert!(!out.contains("swordfish"), "{text}\n{out}");
            assert_eq!(clean(&out), out);
        }
        for plain in [
            " id | token_count\n----+-------------\n  1 | swordfish\n",
            "password\n--------\n\nHow to reset it\n",
            "Password\n--------\nhunter\nis a word\n",
            "password\n--------\n a text that is indented\n",
            "| Topic | Password |\n|---|---|\n| length | must be at least 8 |\n",
            "-[ RECORD 1 ]-+----\nid | 1\n",
        ] {
            assert_eq!(clean(plain), plain);
        }
    }
}
